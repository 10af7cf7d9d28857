/* arena.c - blocks in a list, newest first; the newest is filled by moving a pointer. */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

#if ARENA_IS_POISONED
#include <sanitizer/asan_interface.h>
/* A gap behind each allocation, so that running over its end is seen. */
enum { ARENA_REDZONE = 16 };
/* Not inline: gcc takes the const parameter for a read of bytes that nobody has written. */
static __attribute__((noinline)) void poison(void *pointer, size_t size) { __asan_poison_memory_region(pointer, size); }
#define POISON(pointer, size) poison((pointer), (size))
#define UNPOISON(pointer, size) __asan_unpoison_memory_region((pointer), (size))
#else
enum { ARENA_REDZONE = 0 };
#define POISON(pointer, size) ((void)(pointer), (void)(size))
#define UNPOISON(pointer, size) ((void)(pointer), (void)(size))
#endif

typedef struct ArenaBlock {
  struct ArenaBlock *next;
  size_t bytes; /* behind this header */
} ArenaBlock;

typedef struct ArenaDeferred {
  struct ArenaDeferred *next;
  ArenaDeferFn *release;
  void *context;
} ArenaDeferred;

enum {
  BLOCK_BYTES_FIRST = 4096 - 64, /* with the headers of block and malloc, within one page */
  BLOCK_BYTES_MAX = 256 * 1024,
  BLOCK_BYTES_KEPT_MAX = 64 * 1024 /* an arena that once was big does not stay so over a reset */
};

_Static_assert(sizeof(ArenaBlock) % ARENA_ALIGNMENT == 0, "a block's first byte must be aligned");
_Static_assert(_Alignof(max_align_t) <= ARENA_ALIGNMENT, "an allocation must be aligned for any type");

static char *block_start(ArenaBlock *block) { return (char *)(block + 1); }

Arena *arena_create(size_t bytes_max) {
  Arena *arena = memory_alloc(sizeof *arena);
  if (arena == NULL) return NULL;
  *arena = (Arena){.bytes_max = bytes_max == 0 ? SIZE_MAX : bytes_max, .next_block_bytes = BLOCK_BYTES_FIRST};
  return arena;
}

/* What is deferred may itself allocate or defer, hence the loop over the head. */
static void run_deferred(Arena *arena) {
  while (arena->deferred != NULL) {
    ArenaDeferred *deferred = arena->deferred;
    arena->deferred = deferred->next;
    deferred->release(deferred->context);
  }
}

static void block_free(Arena *arena, ArenaBlock *block) {
  arena->bytes_taken -= sizeof *block + block->bytes;
  UNPOISON(block_start(block), block->bytes);
  memory_free(block);
}

static void make_newest(Arena *arena, ArenaBlock *block) {
  block->next = arena->blocks;
  arena->blocks = block;
  arena->at = block_start(block);
  arena->end = arena->at + block->bytes;
}

void arena_reset(Arena *arena) {
  run_deferred(arena);
  ArenaBlock *kept = NULL;
  for (ArenaBlock *block = arena->blocks, *next; block != NULL; block = next) {
    next = block->next;
    ArenaBlock *smaller = block;
    if (block->bytes <= BLOCK_BYTES_KEPT_MAX && (kept == NULL || block->bytes > kept->bytes)) {
      smaller = kept;
      kept = block;
    }
    if (smaller != NULL) block_free(arena, smaller);
  }
  arena->blocks = NULL;
  arena->at = arena->end = NULL;
  arena->bytes_used_before = 0;
  if (kept == NULL) return;
  POISON(block_start(kept), kept->bytes);
  make_newest(arena, kept);
}

void arena_destroy(Arena *arena) {
  if (arena == NULL) return;
  run_deferred(arena);
  for (ArenaBlock *block = arena->blocks, *next; block != NULL; block = next) {
    next = block->next;
    block_free(arena, block);
  }
  memory_free(arena);
}

static ArenaBlock *block_create(Arena *arena, size_t bytes) {
  size_t bytes_free = arena->bytes_max - arena->bytes_taken;
  if (bytes_free < sizeof(ArenaBlock) || bytes > bytes_free - sizeof(ArenaBlock)) return NULL;
  /* Not memory_alloc: the allocation has been counted already, and one failure is to be one failure. */
  ArenaBlock *block = malloc(sizeof *block + bytes);
  if (block == NULL) return NULL;
  block->bytes = bytes;
  arena->bytes_taken += sizeof *block + bytes;
  POISON(block_start(block), bytes);
  return block;
}

/* What would take more than half of the next block gets one of its own behind the newest, which goes
 * on being filled: a few large pieces do not waste the room of many small ones. */
static void *alloc_alone(Arena *arena, size_t need) {
  ArenaBlock *block = block_create(arena, need);
  if (block == NULL) return NULL;
  block->next = arena->blocks->next;
  arena->blocks->next = block;
  arena->bytes_used_before += need;
  return block_start(block);
}

/* Each is as large as all before it: what holds little more than a page, and for long, as a watch does, takes two. */
static bool add_block(Arena *arena, size_t need) {
  bool is_first = arena->blocks == NULL;
  size_t bytes = arena->next_block_bytes < need ? need : arena->next_block_bytes;
  ArenaBlock *block = block_create(arena, bytes);
  /* Near the bound, a block of just the size may still fit. */
  if (block == NULL && bytes > need) block = block_create(arena, need);
  if (block == NULL) return false;
  if (!is_first) arena->bytes_used_before += (size_t)(arena->at - block_start(arena->blocks));
  make_newest(arena, block);
  if (!is_first && arena->next_block_bytes < BLOCK_BYTES_MAX) arena->next_block_bytes = (arena->next_block_bytes + 64) * 2 - 64;
  return true;
}

void *arena_alloc_slow(Arena *arena, size_t size) {
  if (memory_must_fail()) return NULL;
  if (size == 0) size = 1;
  if (size > SIZE_MAX / 2) return NULL;
  size_t need = ((size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1)) + ARENA_REDZONE;
  char *pointer;
  if (need > (size_t)(arena->end - arena->at) && arena->blocks != NULL && need > arena->next_block_bytes / 2) {
    pointer = alloc_alone(arena, need);
    if (pointer == NULL) return NULL;
  } else {
    if (need > (size_t)(arena->end - arena->at) && !add_block(arena, need)) return NULL;
    pointer = arena->at;
    arena->at += need;
  }
  UNPOISON(pointer, size);
  return pointer;
}

void *arena_calloc(Arena *arena, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *pointer = arena_alloc(arena, bytes);
  if (pointer != NULL) memset(pointer, 0, bytes);
  return pointer;
}

/* With AddressSanitizer growing always moves, so that a pointer kept to the old place is seen. */
static bool grow_in_place(Arena *arena, char *pointer, size_t old_size, size_t new_size) {
  if (ARENA_IS_POISONED || old_size == 0 || memory_fail_countdown != 0) return false;
  char *old_end = pointer + ((old_size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1));
  if (old_end != arena->at || new_size > (size_t)(arena->end - pointer)) return false;
  arena->at = pointer + ((new_size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1));
  return true;
}

void *arena_grow(Arena *arena, void *pointer, size_t old_size, size_t new_size) {
  if (pointer != NULL && new_size <= old_size) return pointer;
  if (pointer != NULL && grow_in_place(arena, pointer, old_size, new_size)) return pointer;
  char *moved = arena_alloc(arena, new_size);
  if (moved == NULL || pointer == NULL) return moved;
  memcpy(moved, pointer, old_size);
  POISON(pointer, old_size);
  return moved;
}

Str arena_str(Arena *arena, Str s) {
  char *copy = s.len == SIZE_MAX ? NULL : arena_alloc(arena, s.len + 1);
  if (copy == NULL) return (Str){NULL, 0};
  if (s.len > 0) memcpy(copy, s.ptr, s.len);
  copy[s.len] = '\0';
  return (Str){copy, s.len};
}

Str arena_vprintf(Arena *arena, size_t bytes_max, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  assert(length >= 0);
  size_t kept = (size_t)length < bytes_max ? (size_t)length : bytes_max;
  char *text = arena_alloc(arena, kept + 1);
  if (text == NULL) return (Str){NULL, 0};
  vsnprintf(text, kept + 1, format, args);
  while (kept < (size_t)length && kept > 0 && !utf8_is_valid((Str){text, kept})) kept--;
  text[kept] = '\0';
  return (Str){text, kept};
}

Str arena_printf(Arena *arena, const char *format, ...) {
  va_list args;
  va_start(args, format);
  Str ret = arena_vprintf(arena, SIZE_MAX - 1, format, args);
  va_end(args);
  return ret;
}

bool arena_defer(Arena *arena, ArenaDeferFn *release, void *context) {
  ArenaDeferred *deferred = arena_alloc(arena, sizeof *deferred);
  if (deferred == NULL) return false;
  *deferred = (ArenaDeferred){.next = arena->deferred, .release = release, .context = context};
  arena->deferred = deferred;
  return true;
}

size_t arena_bytes_used(const Arena *arena) {
  size_t in_newest = arena->blocks == NULL ? 0 : (size_t)(arena->at - (char *)(arena->blocks + 1));
  return arena->bytes_used_before + in_newest;
}
