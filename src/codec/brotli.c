/* brotli.c - adapts libbrotlienc. */
#include "codec/brotli.h"

#include <brotli/encode.h>
#include <setjmp.h>
#include <stddef.h>

#include "base/memory.h"

enum { WINDOW_BITS = 18, STEP_BYTES = 16 * 1024 };

/* Debian's library ends the process where its allocator returns NULL. So the allocator never does: it jumps out of the library, and what
 * the library held is freed by its list. */
typedef struct Block {
  _Alignas(max_align_t) struct Block *next;
  struct Block *previous;
} Block;

typedef struct Memory {
  Block *blocks;
  jmp_buf failed;
} Memory;

static void *library_alloc(void *context, size_t bytes) {
  Memory *memory = context;
  size_t whole;
  Block *block = __builtin_add_overflow(bytes, sizeof *block, &whole) ? NULL : memory_alloc(whole);
  if (block == NULL) longjmp(memory->failed, 1);
  *block = (Block){.next = memory->blocks};
  if (block->next != NULL) block->next->previous = block;
  memory->blocks = block;
  return block + 1;
}

static void library_free(void *context, void *pointer) {
  Memory *memory = context;
  if (pointer == NULL) return;
  Block *block = (Block *)pointer - 1;
  if (block->next != NULL) block->next->previous = block->previous;
  if (block->previous != NULL)
    block->previous->next = block->next;
  else
    memory->blocks = block->next;
  memory_free(block);
}

static bool run(BrotliEncoderState *encoder, Str bytes, Buf *out) {
  const uint8_t *next_in = (const uint8_t *)bytes.ptr;
  size_t left = bytes.len;
  while (!BrotliEncoderIsFinished(encoder)) {
    size_t room = out->max - out->len;
    if (!buf_reserve(out, room == 0 ? 1 : room < STEP_BYTES ? room : STEP_BYTES)) return true; /* `out` knows why */
    uint8_t *next_out = (uint8_t *)out->ptr + out->len;
    size_t offered = out->cap - out->len, unused = offered;
    if (!BrotliEncoderCompressStream(encoder, BROTLI_OPERATION_FINISH, &left, &next_in, &unused, &next_out, NULL)) return false;
    out->len += offered - unused;
  }
  return true;
}

/* False: without memory. What is local here does not change between the two returns of setjmp. */
static bool compress(Memory *memory, Str bytes, int level, Buf *out) {
  if (setjmp(memory->failed) != 0) return false;
  BrotliEncoderState *encoder = BrotliEncoderCreateInstance(library_alloc, library_free, memory);
  if (encoder == NULL) return false;
  BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, (uint32_t)level);
  BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LGWIN, WINDOW_BITS);
  BrotliEncoderSetParameter(encoder, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT);
  bool is_done = run(encoder, bytes, out);
  BrotliEncoderDestroyInstance(encoder);
  return is_done;
}

Code brotli_compress(Str bytes, int level, Buf *out, Error *err) {
  Memory memory = {.blocks = NULL};
  bool is_done = compress(&memory, bytes, level, out);
  while (memory.blocks != NULL) library_free(&memory, memory.blocks + 1);
  if (!is_done) return error_no_memory(err);
  Str unused;
  return buf_finish(out, &unused, err);
}
