#include "query/plan_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/vec.h"
#include "codec/hash.h"

typedef struct CacheEntry {
  uint64_t hash;
  Str shape;
  void *entry;
  Arena *arena;
  struct CacheEntry *next;
} CacheEntry;

enum { BUCKETS = 1024 }; /* a power of two */

struct PlanCache {
  pthread_mutex_t lock;
  size_t count, plans_max;
  CacheEntry *buckets[BUCKETS];
};

PlanCache *plan_cache_create(size_t plans_max) {
  PlanCache *cache = calloc(1, sizeof *cache);
  if (cache == NULL) return NULL;
  cache->plans_max = plans_max;
  pthread_mutex_init(&cache->lock, NULL);
  return cache;
}

void plan_cache_destroy(PlanCache *cache) {
  if (cache == NULL) return;
  for (size_t i = 0; i < BUCKETS; i++) {
    for (CacheEntry *entry = cache->buckets[i], *next = NULL; entry != NULL; entry = next) {
      next = entry->next;
      arena_destroy(entry->arena); /* the entry itself lies in it */
    }
  }
  pthread_mutex_destroy(&cache->lock);
  free(cache);
}

static CacheEntry *find(const PlanCache *cache, uint64_t hash, Str shape) {
  for (CacheEntry *entry = cache->buckets[hash & (BUCKETS - 1)]; entry != NULL; entry = entry->next) {
    if (entry->hash == hash && str_equal(entry->shape, shape)) return entry;
  }
  return NULL;
}

void *plan_cache_get(PlanCache *cache, Str shape) {
  uint64_t hash = hash64(shape);
  pthread_mutex_lock(&cache->lock);
  CacheEntry *entry = find(cache, hash, shape);
  void *found = entry == NULL ? NULL : entry->entry;
  pthread_mutex_unlock(&cache->lock);
  return found;
}

Arena *plan_cache_begin(PlanCache *cache) {
  pthread_mutex_lock(&cache->lock);
  bool is_full = cache->count >= cache->plans_max;
  pthread_mutex_unlock(&cache->lock);
  return is_full ? NULL : arena_create(0);
}

static CacheEntry *entry_create(Arena *arena, Str shape, void *value) {
  CacheEntry *entry = ARENA_NEW(arena, CacheEntry);
  if (entry == NULL) return NULL;
  *entry = (CacheEntry){.hash = hash64(shape), .shape = arena_str(arena, shape), .entry = value, .arena = arena};
  return entry->shape.ptr == NULL ? NULL : entry;
}

void *plan_cache_put(PlanCache *cache, Str shape, Arena *arena, void *value) {
  CacheEntry *entry = entry_create(arena, shape, value);
  if (entry == NULL) return NULL;
  pthread_mutex_lock(&cache->lock);
  CacheEntry *other = find(cache, entry->hash, shape);
  if (other == NULL) {
    entry->next = cache->buckets[entry->hash & (BUCKETS - 1)];
    cache->buckets[entry->hash & (BUCKETS - 1)] = entry;
    cache->count++;
  }
  pthread_mutex_unlock(&cache->lock);
  if (other == NULL) return value;
  void *winner = other->entry;
  arena_destroy(arena);
  return winner;
}
