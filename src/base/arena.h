/* arena.h - memory with one lifetime: allocated piece by piece, freed at once. Not thread-safe: one owner at a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

typedef struct Arena Arena;
typedef void ArenaDeferFn(void *context);

/* `bytes_max` bounds what the arena may take from the system; 0: no bound. NULL when memory is out. */
Arena *arena_create(size_t bytes_max);
/* Runs what was deferred, newest first, then frees everything. NULL is fine. */
void arena_destroy(Arena *arena);
/* As destroy, but keeps one block for the next use. */
void arena_reset(Arena *arena);

/* Aligned for any type, not cleared. NULL when memory is out or the bound is reached. A size of 0 gives a valid pointer. */
void *arena_alloc(Arena *arena, size_t size) __attribute__((malloc, alloc_size(2)));
/* Cleared; count * size is checked. */
void *arena_calloc(Arena *arena, size_t count, size_t size);
/* The newest allocation grows in place where it can; else it is copied. `pointer` may be NULL. */
void *arena_grow(Arena *arena, void *pointer, size_t old_size, size_t new_size);
/* A copy, NUL-terminated for C's sake; the NUL is not counted. `ret->ptr` is NULL when memory is out. */
Str arena_str(Arena *arena, Str s);
/* printf into the arena; ptr is NULL when memory is out. */
Str arena_printf(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
/* Runs release(context) when the arena is reset or destroyed. False when memory is out (nothing is deferred). */
bool arena_defer(Arena *arena, ArenaDeferFn *release, void *context) MUST_USE;
size_t arena_bytes_used(const Arena *arena);

#define ARENA_NEW(arena, Type) ((Type *)arena_calloc((arena), 1, sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_calloc((arena), (count), sizeof(Type)))

/* Makes the Nth next allocation of any arena or buffer fail, once, in this thread; 0 turns it off. For tests of failing memory. */
void memory_fail_after(size_t allocations);
/* malloc, realloc and free that obey memory_fail_after. */
void *memory_alloc(size_t size);
void *memory_realloc(void *pointer, size_t size);
void memory_free(void *pointer);
