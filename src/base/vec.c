/* vec.c - a vector's growth. */
#include "base/vec.h"

#include <stdint.h>

bool vec_reserve_one(Arena *arena, void **items, size_t count, size_t *cap, size_t item_size) {
  if (count < *cap) return true;
  size_t new_cap = *cap == 0 ? 8 : *cap * 2;
  if (new_cap < *cap || new_cap > SIZE_MAX / item_size) return false;
  void *grown = arena_grow(arena, *items, *cap * item_size, new_cap * item_size);
  if (grown == NULL) return false;
  *items = grown;
  *cap = new_cap;
  return true;
}
