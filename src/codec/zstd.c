/* zstd.c - adapts libzstd. */
#include "codec/zstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "base/memory.h"

enum { WINDOW_LOG = 18, WINDOW_LOG_MAX = 23, STEP_BYTES = 16 * 1024 };

/* ---- into it ---- */

typedef struct ZstdCompressor {
  Compressor base;
  ZSTD_CCtx *context;
} ZstdCompressor;

static Code add(Compressor *base, Str bytes, bool is_last, Buf *out, Error *err) {
  ZSTD_CCtx *context = ((ZstdCompressor *)base)->context;
  ZSTD_inBuffer in = {.src = bytes.ptr, .size = bytes.len};
  Str unused;
  for (;;) {
    /* Where the cap leaves less than a step, that is used up first; at the cap itself one byte more is asked for, which fails. */
    size_t room = out->max - out->len;
    if (!buf_reserve(out, room == 0 ? 1 : room < STEP_BYTES ? room : STEP_BYTES)) return buf_finish(out, &unused, err);
    ZSTD_outBuffer to = {.dst = out->ptr, .size = out->cap, .pos = out->len};
    size_t left = ZSTD_compressStream2(context, &to, &in, is_last ? ZSTD_e_end : ZSTD_e_flush);
    out->len = to.pos;
    if (ZSTD_isError(left)) return error_no_memory(err); /* nothing else can go wrong with bytes of any kind */
    if (left == 0) return CODE_OK;
  }
}

static void destroy(Compressor *base) {
  ZstdCompressor *compressor = (ZstdCompressor *)base;
  ZSTD_freeCCtx(compressor->context);
  memory_free(compressor);
}

Compressor *zstd_compressor_create(int level) {
  ZstdCompressor *compressor = memory_alloc(sizeof *compressor);
  if (compressor == NULL) return NULL;
  *compressor = (ZstdCompressor){.base = {.add = add, .destroy = destroy}, .context = ZSTD_createCCtx()};
  if (compressor->context == NULL) {
    memory_free(compressor);
    return NULL;
  }
  ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_windowLog, WINDOW_LOG);
  return &compressor->base;
}

/* ---- out of it ---- */

typedef struct ZstdDecompressor {
  Decompressor base;
  ZSTD_DCtx *context;
} ZstdDecompressor;

static Code read_error(size_t result, Error *err) {
  switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation: return error_no_memory(err);
    case ZSTD_error_frameParameter_windowTooLarge:
      return error_set(err, CODE_BAD_REQUEST, "the zstd frame's window is larger than 8 MiB (RFC 9659)");
    default: return error_set(err, CODE_BAD_REQUEST, "the body is not zstd that can be read");
  }
}

static Code read_piece(Decompressor *base, Str *bytes, size_t bytes_max, Buf *out, Error *err) {
  ZSTD_DCtx *context = ((ZstdDecompressor *)base)->context;
  if (!buf_reserve(out, bytes_max)) return error_no_memory(err);
  ZSTD_inBuffer in = {.src = bytes->ptr, .size = bytes->len};
  ZSTD_outBuffer to = {.dst = out->ptr, .size = out->len + bytes_max, .pos = out->len};
  while (to.pos < to.size) {
    size_t in_before = in.pos, out_before = to.pos;
    size_t left = ZSTD_decompressStream(context, &to, &in);
    if (ZSTD_isError(left)) return read_error(left, err);
    bool has_moved = in.pos > in_before || to.pos > out_before;
    if (has_moved) base->is_between = left == 0;
    if (!has_moved || (in.pos == in.size && to.pos < to.size)) break;
  }
  out->len = to.pos;
  *bytes = str_slice(*bytes, in.pos, bytes->len);
  return CODE_OK;
}

static void destroy_decompressor(Decompressor *base) {
  ZstdDecompressor *decompressor = (ZstdDecompressor *)base;
  ZSTD_freeDCtx(decompressor->context);
  memory_free(decompressor);
}

Decompressor *zstd_decompressor_create(void) {
  ZstdDecompressor *decompressor = memory_alloc(sizeof *decompressor);
  if (decompressor == NULL) return NULL;
  *decompressor = (ZstdDecompressor){.base = {.read = read_piece, .destroy = destroy_decompressor}, .context = ZSTD_createDCtx()};
  if (decompressor->context == NULL) {
    memory_free(decompressor);
    return NULL;
  }
  ZSTD_DCtx_setParameter(decompressor->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
  return &decompressor->base;
}
