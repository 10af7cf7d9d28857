/* map.c - open addressing with linear probing; at most three quarters of the slots are taken. */
#include "base/map.h"

/* 0 marks an empty slot, so no key's hash may be 0. */
static uint64_t key_hash(Str key) {
  uint64_t hash = str_hash(key);
  return hash == 0 ? 1 : hash;
}

/* The slot that has the key, or the empty one where it belongs. There is always an empty one. */
static MapEntry *find_slot(MapEntry *slots, size_t cap, Str key, uint64_t hash) {
  size_t at = (size_t)hash & (cap - 1);
  while (slots[at].hash != 0 && !(slots[at].hash == hash && str_equal(slots[at].key, key))) at = (at + 1) & (cap - 1);
  return &slots[at];
}

static bool grow(Map *map) {
  size_t cap = map->cap == 0 ? 16 : map->cap * 2;
  MapEntry *slots = ARENA_ARRAY(map->arena, MapEntry, cap);
  if (slots == NULL) return false;
  for (size_t i = 0; i < map->cap; i++)
    if (map->slots[i].hash != 0) *find_slot(slots, cap, map->slots[i].key, map->slots[i].hash) = map->slots[i];
  map->slots = slots;
  map->cap = cap;
  return true;
}

void *map_get(const Map *map, Str key) {
  if (map->count == 0) return NULL;
  return find_slot(map->slots, map->cap, key, key_hash(key))->value;
}

bool map_put(Map *map, Str key, void *value) {
  if (map->count >= map->cap / 4 * 3 && !grow(map)) return false;
  uint64_t hash = key_hash(key);
  MapEntry *slot = find_slot(map->slots, map->cap, key, hash);
  if (slot->hash == 0) {
    map->count++;
    *slot = (MapEntry){.key = key, .hash = hash};
  }
  slot->value = value;
  return true;
}
