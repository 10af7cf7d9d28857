/* arena.h - memory with one lifetime: allocated piece by piece, freed at once. Not thread-safe: one owner at a time. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"

typedef struct Arena Arena;
typedef void ArenaDeferFn(void *context);

enum { ARENA_ALIGNMENT = 16 };

/* Only arena_alloc's fast path looks inside: everything that an allocation touches is in one cache line. */
struct Arena {
  char *at;  /* the next free byte of the newest block, aligned */
  char *end; /* behind that block's last byte; end - at is a multiple of the alignment */
  struct ArenaBlock *blocks;
  struct ArenaDeferred *deferred;
  size_t bytes_taken; /* from the system */
  size_t bytes_max;
  size_t bytes_used_before; /* in the blocks that are no longer the newest */
  size_t next_block_bytes;
};

/* `bytes_max` bounds what the arena may take from the system; 0: no bound. NULL when memory is out. */
Arena *arena_create(size_t bytes_max);
/* Runs what was deferred, newest first, then frees everything. NULL is fine. */
void arena_destroy(Arena *arena);
/* As destroy, but keeps one block for the next use. */
void arena_reset(Arena *arena);

/* Aligned for any type, not cleared. NULL when memory is out or the bound is reached. A size of 0 gives a valid pointer. */
static inline void *arena_alloc(Arena *arena, size_t size);
/* Cleared; count * size is checked. */
void *arena_calloc(Arena *arena, size_t count, size_t size);
/* The newest allocation grows in place where it can; else it is copied. `pointer` may be NULL. */
void *arena_grow(Arena *arena, void *pointer, size_t old_size, size_t new_size);
/* A copy, NUL-terminated for C's sake; the NUL is not counted. `ret->ptr` is NULL when memory is out. */
Str arena_str(Arena *arena, Str s);
/* printf into the arena; ptr is NULL when memory is out. */
Str arena_printf(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same from a list of arguments; what is longer than bytes_max is cut between two characters. */
Str arena_vprintf(Arena *arena, size_t bytes_max, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
/* Runs release(context) when the arena is reset or destroyed. False when memory is out (nothing is deferred). */
bool arena_defer(Arena *arena, ArenaDeferFn *release, void *context) MUST_USE;
size_t arena_bytes_used(const Arena *arena);
static inline size_t arena_bytes_held(const Arena *arena) { return arena->bytes_taken; } /* taken from the system, used or not */

/* A new block, a failing allocation, a size of 0, and every allocation of a build with AddressSanitizer. */
void *arena_alloc_slow(Arena *arena, size_t size);

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_IS_POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_IS_POISONED 1
#endif
#endif
#ifndef ARENA_IS_POISONED
#define ARENA_IS_POISONED 0
#endif

static inline __attribute__((alloc_size(2))) void *arena_alloc(Arena *arena, size_t size) {
  /* size - 1 sends 0 to the slow path as well. Rounding up cannot pass `end`, which is aligned. */
  if (ARENA_IS_POISONED || size - 1 >= (size_t)(arena->end - arena->at) || memory_fail_countdown != 0) return arena_alloc_slow(arena, size);
  void *pointer = arena->at;
  arena->at += (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
  return pointer;
}

#define ARENA_NEW(arena, Type) ((Type *)arena_calloc((arena), 1, sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_calloc((arena), (count), sizeof(Type)))
