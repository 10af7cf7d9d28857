#include "query/plan_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "codec/hash.h"

/* Lies in its own arena, beside the plan. */
typedef struct Entry {
  uint64_t hash;
  Str shape;
  void *plan;
  Arena *arena;
  PlanCache *cache;
  size_t bytes;                /* of the arena */
  size_t users;                /* the cache itself is one of them */
  struct Entry *next;          /* in its bucket */
  struct Entry *newer, *older; /* by last use */
} Entry;

enum { BUCKETS = 1024 }; /* a power of two */

struct PlanCache {
  pthread_mutex_t lock;
  size_t count, plans_max;
  size_t bytes, bytes_max;
  Entry *newest, *oldest;
  Entry *buckets[BUCKETS];
};

PlanCache *plan_cache_create(size_t plans_max) {
  PlanCache *cache = calloc(1, sizeof *cache);
  if (cache == NULL) return NULL;
  cache->plans_max = plans_max;
  cache->bytes_max = SIZE_MAX;
  pthread_mutex_init(&cache->lock, NULL);
  return cache;
}

void plan_cache_bound(PlanCache *cache, size_t bytes_max) { cache->bytes_max = bytes_max; }

void plan_cache_destroy(PlanCache *cache) {
  if (cache == NULL) return;
  for (Entry *entry = cache->newest, *older = NULL; entry != NULL; entry = older) {
    older = entry->older;
    arena_destroy(entry->arena);
  }
  pthread_mutex_destroy(&cache->lock);
  free(cache);
}

/* ---- under the lock ---- */

static Entry **bucket_of(PlanCache *cache, uint64_t hash) { return &cache->buckets[hash & (BUCKETS - 1)]; }

static Entry *find(PlanCache *cache, uint64_t hash, Str shape) {
  for (Entry *entry = *bucket_of(cache, hash); entry != NULL; entry = entry->next) {
    if (entry->hash == hash && str_equal(entry->shape, shape)) return entry;
  }
  return NULL;
}

static void unlink_use(PlanCache *cache, Entry *entry) {
  if (entry->newer != NULL)
    entry->newer->older = entry->older;
  else
    cache->newest = entry->older;
  if (entry->older != NULL)
    entry->older->newer = entry->newer;
  else
    cache->oldest = entry->newer;
}

static void link_newest(PlanCache *cache, Entry *entry) {
  entry->newer = NULL;
  entry->older = cache->newest;
  if (cache->newest != NULL)
    cache->newest->newer = entry;
  else
    cache->oldest = entry;
  cache->newest = entry;
}

static void touch(PlanCache *cache, Entry *entry) {
  if (cache->newest == entry) return;
  unlink_use(cache, entry);
  link_newest(cache, entry);
}

/* The arena to destroy once the lock is released; NULL where somebody still uses it. */
static Arena *drop_user(Entry *entry) { return --entry->users == 0 ? entry->arena : NULL; }

static void evict_oldest(PlanCache *cache, Entry **ret_unused) {
  Entry *entry = cache->oldest;
  Entry **link = bucket_of(cache, entry->hash);
  while (*link != entry) link = &(*link)->next;
  *link = entry->next;
  unlink_use(cache, entry);
  cache->count--;
  cache->bytes -= entry->bytes;
  if (drop_user(entry) == NULL) return;
  entry->next = *ret_unused;
  *ret_unused = entry;
}

/* Room for one more; what nobody uses any more is linked into *ret_unused. */
static void make_room(PlanCache *cache, size_t bytes, Entry **ret_unused) {
  while (cache->count > 0 && (cache->count >= cache->plans_max || cache->bytes + bytes > cache->bytes_max)) evict_oldest(cache, ret_unused);
}

static void destroy_all(Entry *unused) {
  for (Entry *next; unused != NULL; unused = next) {
    next = unused->next;
    arena_destroy(unused->arena);
  }
}

/* ---- users ---- */

static void release(void *context) {
  Entry *entry = context;
  PlanCache *cache = entry->cache;
  pthread_mutex_lock(&cache->lock);
  Arena *unused = drop_user(entry);
  pthread_mutex_unlock(&cache->lock);
  arena_destroy(unused);
}

/* The entry has been counted for the user already. */
static void *hand_out(Entry *entry, Arena *user) {
  if (arena_defer(user, release, entry)) return entry->plan;
  release(entry);
  return NULL;
}

void *plan_cache_get(PlanCache *cache, Str shape, Arena *user) {
  uint64_t hash = hash64(shape);
  pthread_mutex_lock(&cache->lock);
  Entry *entry = find(cache, hash, shape);
  if (entry != NULL) {
    entry->users++;
    touch(cache, entry);
  }
  pthread_mutex_unlock(&cache->lock);
  return entry == NULL ? NULL : hand_out(entry, user);
}

static Entry *entry_create(PlanCache *cache, Arena *arena, Str shape, void *plan) {
  Entry *entry = ARENA_NEW(arena, Entry);
  if (entry == NULL) return NULL;
  *entry = (Entry){.hash = hash64(shape), .shape = arena_str(arena, shape), .plan = plan, .arena = arena, .cache = cache, .users = 2};
  entry->bytes = arena->bytes_taken;
  return entry->shape.ptr == NULL ? NULL : entry;
}

void *plan_cache_put(PlanCache *cache, Str shape, Arena *arena, void *plan, Arena *user) {
  Entry *entry = entry_create(cache, arena, shape, plan);
  if (entry == NULL) {
    arena_destroy(arena);
    return NULL;
  }
  Entry *unused = NULL;
  pthread_mutex_lock(&cache->lock);
  Entry *kept = find(cache, entry->hash, shape);
  if (kept != NULL) {
    kept->users++;
    unused = entry;
  } else if (cache->plans_max == 0) {
    entry->users--; /* the cache is none of them */
    kept = entry;
  } else {
    make_room(cache, entry->bytes, &unused);
    Entry **bucket = bucket_of(cache, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    link_newest(cache, entry);
    cache->count++;
    cache->bytes += entry->bytes;
    kept = entry;
  }
  pthread_mutex_unlock(&cache->lock);
  destroy_all(unused);
  return hand_out(kept, user);
}
