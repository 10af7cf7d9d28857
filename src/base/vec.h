/* vec.h - a growing array on an arena:  VEC(Field *) fields = {0};  VEC_PUSH(arena, &fields, field); */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define VEC(Type)                                                                                                                          \
  struct {                                                                                                                                 \
    Type *items;                                                                                                                           \
    size_t count;                                                                                                                          \
    size_t cap;                                                                                                                            \
  }

/* Not for direct use. *items is grown to hold at least one more. */
bool vec_reserve_one(Arena *arena, void **items, size_t count, size_t *cap, size_t item_size);

/* True, or false when memory is out (the vector is as it was). */
#define VEC_PUSH(arena, vec, item)                                                                                                         \
  (vec_reserve_one((arena), (void **)&(vec)->items, (vec)->count, &(vec)->cap, sizeof *(vec)->items)                                       \
       ? ((vec)->items[(vec)->count++] = (item), true)                                                                                     \
       : false)
