/* gzip.c - adapts zlib. */
#include "codec/gzip.h"

#include <limits.h>
#include <zlib.h>

#include "base/memory.h"

enum { WINDOW_BITS_GZIP = 15 + 16 /* zlib's way to say: with gzip's header and trailer */, MEMORY_LEVEL = 8, STEP_BYTES = 16 * 1024 };

static voidpf zlib_alloc(voidpf context, uInt items, uInt size) {
  (void)context;
  size_t bytes;
  return __builtin_mul_overflow((size_t)items, (size_t)size, &bytes) ? NULL : memory_alloc(bytes);
}

static void zlib_free(voidpf context, voidpf pointer) {
  (void)context;
  memory_free(pointer);
}

static uInt at_most_uint(size_t n) { return n > UINT_MAX ? UINT_MAX : (uInt)n; }

typedef int ZlibStep(z_streamp stream, int flush);

/* Steps until zlib says that it is at the end or can't go on (a flush that is done ends so, too); its counters are 32 bits wide, hence the
 * pieces. */
static int run(z_stream *stream, ZlibStep *step, Str bytes, int last_flush, Buf *out) {
  size_t given = 0;
  for (int status = Z_OK;;) {
    if (stream->avail_in == 0 && given < bytes.len) {
      stream->next_in = (Bytef *)(uintptr_t)(bytes.ptr + given);
      stream->avail_in = at_most_uint(bytes.len - given);
      given += stream->avail_in;
    }
    /* Where the cap leaves less than a step, that is used up first; at the cap itself one byte more is asked for, which fails. */
    size_t room = out->max - out->len;
    if (!buf_reserve(out, room == 0 ? 1 : room < STEP_BYTES ? room : STEP_BYTES)) return Z_BUF_ERROR;
    uInt offered = at_most_uint(out->cap - out->len);
    stream->next_out = (Bytef *)out->ptr + out->len;
    stream->avail_out = offered;
    status = step(stream, given == bytes.len ? last_flush : Z_NO_FLUSH);
    out->len += offered - stream->avail_out;
    bool is_stuck = status == Z_BUF_ERROR && stream->avail_out > 0;
    if (is_stuck || (status != Z_OK && status != Z_BUF_ERROR)) return status;
  }
}

static Code out_error(const Buf *out, Error *err) {
  Str unused;
  return buf_finish(out, &unused, err);
}

/* ---- into it ---- */

typedef struct GzipCompressor {
  Compressor base;
  z_stream stream;
} GzipCompressor;

static Code add(Compressor *base, Str bytes, bool is_last, Buf *out, Error *err) {
  run(&((GzipCompressor *)base)->stream, deflate, bytes, is_last ? Z_FINISH : Z_SYNC_FLUSH, out);
  return out_error(out, err);
}

static void destroy(Compressor *base) {
  GzipCompressor *compressor = (GzipCompressor *)base;
  deflateEnd(&compressor->stream);
  memory_free(compressor);
}

Compressor *gzip_compressor_create(int level) {
  GzipCompressor *compressor = memory_alloc(sizeof *compressor);
  if (compressor == NULL) return NULL;
  *compressor = (GzipCompressor){.base = {.add = add, .destroy = destroy}, .stream = {.zalloc = zlib_alloc, .zfree = zlib_free}};
  int status = deflateInit2(&compressor->stream, level, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
  if (status == Z_OK) return &compressor->base;
  memory_free(compressor);
  return NULL;
}

Code gzip_compress(Str bytes, int level, Buf *out, Error *err) { return compress_whole(gzip_compressor_create(level), bytes, out, err); }

/* ---- out of it ---- */

typedef struct GzipDecompressor {
  Decompressor base;
  z_stream stream;
} GzipDecompressor;

/* One step; *ret_has_moved: it has taken or given something. */
static Code inflate_step(GzipDecompressor *decompressor, bool *ret_has_moved, Error *err) {
  z_stream *stream = &decompressor->stream;
  uInt in_before = stream->avail_in, out_before = stream->avail_out;
  if (decompressor->base.is_between && in_before > 0 && inflateReset(stream) != Z_OK) return error_no_memory(err);
  int status = inflate(stream, Z_NO_FLUSH);
  *ret_has_moved = stream->avail_in < in_before || stream->avail_out < out_before;
  if (*ret_has_moved) decompressor->base.is_between = status == Z_STREAM_END;
  if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR) return CODE_OK;
  return status == Z_MEM_ERROR ? error_no_memory(err) : error_set(err, CODE_BAD_REQUEST, "the body is not gzip that can be read");
}

static Code read_piece(Decompressor *base, Str *bytes, size_t bytes_max, Buf *out, Error *err) {
  GzipDecompressor *decompressor = (GzipDecompressor *)base;
  z_stream *stream = &decompressor->stream;
  bool has_moved = true;
  if (!buf_reserve(out, bytes_max)) return error_no_memory(err);
  uInt offered = at_most_uint(bytes_max), given = at_most_uint(bytes->len);
  stream->next_out = (Bytef *)out->ptr + out->len;
  stream->avail_out = offered;
  stream->next_in = (Bytef *)(uintptr_t)bytes->ptr;
  stream->avail_in = given;
  while (has_moved && stream->avail_out > 0 && !(base->is_between && stream->avail_in == 0))
    TRY(inflate_step(decompressor, &has_moved, err));
  out->len += offered - stream->avail_out;
  *bytes = str_slice(*bytes, given - stream->avail_in, bytes->len);
  return CODE_OK;
}

static void destroy_decompressor(Decompressor *base) {
  GzipDecompressor *decompressor = (GzipDecompressor *)base;
  inflateEnd(&decompressor->stream);
  memory_free(decompressor);
}

Decompressor *gzip_decompressor_create(void) {
  GzipDecompressor *decompressor = memory_alloc(sizeof *decompressor);
  if (decompressor == NULL) return NULL;
  *decompressor = (GzipDecompressor){.base = {.read = read_piece, .destroy = destroy_decompressor},
                                     .stream = {.zalloc = zlib_alloc, .zfree = zlib_free}};
  if (inflateInit2(&decompressor->stream, WINDOW_BITS_GZIP) == Z_OK) return &decompressor->base;
  memory_free(decompressor);
  return NULL;
}

Code gzip_decompress(Str bytes, Buf *out, Error *err) {
  z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free};
  if (inflateInit2(&stream, WINDOW_BITS_GZIP) != Z_OK) return error_no_memory(err);
  int status = run(&stream, inflate, bytes, Z_FINISH, out);
  bool is_whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.total_in == bytes.len;
  inflateEnd(&stream);
  if (status == Z_MEM_ERROR) return error_no_memory(err);
  TRY(out_error(out, err));
  return is_whole ? CODE_OK : error_set(err, CODE_BAD_REQUEST, "not a whole gzip text");
}
