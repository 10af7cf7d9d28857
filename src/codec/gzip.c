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

/* Steps until zlib says that it is at the end or can't go on; its counters are 32 bits wide, hence the pieces. */
static int run(z_stream *stream, ZlibStep *step, Str bytes, Buf *out) {
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
    status = step(stream, given == bytes.len ? Z_FINISH : Z_NO_FLUSH);
    out->len += offered - stream->avail_out;
    bool is_stuck = status == Z_BUF_ERROR && stream->avail_out > 0;
    if (is_stuck || (status != Z_OK && status != Z_BUF_ERROR)) return status;
  }
}

static Code out_error(const Buf *out, Error *err) {
  Str unused;
  return buf_finish(out, &unused, err);
}

Code gzip_compress(Str bytes, int level, Buf *out, Error *err) {
  z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free};
  if (deflateInit2(&stream, level, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) return error_no_memory(err);
  run(&stream, deflate, bytes, out);
  deflateEnd(&stream);
  return out_error(out, err);
}

Code gzip_decompress(Str bytes, Buf *out, Error *err) {
  z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free};
  if (inflateInit2(&stream, WINDOW_BITS_GZIP) != Z_OK) return error_no_memory(err);
  int status = run(&stream, inflate, bytes, out);
  bool is_whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.total_in == bytes.len;
  inflateEnd(&stream);
  if (status == Z_MEM_ERROR) return error_no_memory(err);
  TRY(out_error(out, err));
  return is_whole ? CODE_OK : error_set(err, CODE_BAD_REQUEST, "not a whole gzip text");
}
