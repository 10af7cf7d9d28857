/* map.h - string to pointer, on an arena; keys are borrowed and must live as long. No removal: what is removed is set to NULL. */
#pragma once
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

typedef struct MapEntry {
  Str key;
  uint64_t hash;
  void *value;
} MapEntry;

typedef struct Map {
  Arena *arena;
  MapEntry *slots;
  size_t count;
  size_t cap; /* a power of two, or 0 */
} Map;

static inline Map map_on(Arena *arena) { return (Map){.arena = arena}; }
/* NULL where there is none. */
void *map_get(const Map *map, Str key);
/* False when memory is out. Replaces. */
bool map_put(Map *map, Str key, void *value) MUST_USE;
