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

typedef struct BrotliCompressor {
  Compressor base;
  Memory memory;
  BrotliEncoderState *encoder;
} BrotliCompressor;

static bool run(BrotliEncoderState *encoder, Str bytes, BrotliEncoderOperation operation, Buf *out) {
  const uint8_t *next_in = (const uint8_t *)bytes.ptr;
  size_t left = bytes.len;
  do {
    size_t room = out->max - out->len;
    if (!buf_reserve(out, room == 0 ? 1 : room < STEP_BYTES ? room : STEP_BYTES)) return true; /* `out` knows why */
    uint8_t *next_out = (uint8_t *)out->ptr + out->len;
    size_t offered = out->cap - out->len, unused = offered;
    if (!BrotliEncoderCompressStream(encoder, operation, &left, &next_in, &unused, &next_out, NULL)) return false;
    out->len += offered - unused;
  } while (left > 0 || BrotliEncoderHasMoreOutput(encoder));
  return true;
}

/* What is local here does not change between the two returns of setjmp. */
static Code add(Compressor *base, Str bytes, bool is_last, Buf *out, Error *err) {
  BrotliCompressor *compressor = (BrotliCompressor *)base;
  if (setjmp(compressor->memory.failed) != 0) return error_no_memory(err);
  if (!run(compressor->encoder, bytes, is_last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH, out)) return error_no_memory(err);
  Str unused;
  return buf_finish(out, &unused, err);
}

static void destroy(Compressor *base) {
  BrotliCompressor *compressor = (BrotliCompressor *)base;
  while (compressor->memory.blocks != NULL) library_free(&compressor->memory, compressor->memory.blocks + 1);
  memory_free(compressor);
}

static bool create_encoder(BrotliCompressor *compressor, int level) {
  if (setjmp(compressor->memory.failed) != 0) return false;
  compressor->encoder = BrotliEncoderCreateInstance(library_alloc, library_free, &compressor->memory);
  if (compressor->encoder == NULL) return false;
  BrotliEncoderSetParameter(compressor->encoder, BROTLI_PARAM_QUALITY, (uint32_t)level);
  BrotliEncoderSetParameter(compressor->encoder, BROTLI_PARAM_LGWIN, WINDOW_BITS);
  BrotliEncoderSetParameter(compressor->encoder, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT);
  return true;
}

Compressor *brotli_compressor_create(int level) {
  BrotliCompressor *compressor = memory_alloc(sizeof *compressor);
  if (compressor == NULL) return NULL;
  memset(compressor, 0, sizeof *compressor);
  compressor->base = (Compressor){.add = add, .destroy = destroy};
  if (create_encoder(compressor, level)) return &compressor->base;
  destroy(&compressor->base);
  return NULL;
}
