/* compressor.h - bytes into a content coding, and out of one, piece by piece as they come. What implements a coding (gzip.h, brotli.h,
 * zstd.h) makes one of these. The same pieces give the same output. One owner at a time. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct Compressor Compressor;
struct Compressor {
  /* Adds the coded bytes to `out`, all of them: who has them has everything up to here. `is_last`: nothing follows. CODE_TOO_LARGE where
   * `out` is full, CODE_UNAVAILABLE without memory; then it is of no use any more. */
  Code (*add)(Compressor *compressor, Str bytes, bool is_last, Buf *out, Error *err);
  void (*destroy)(Compressor *compressor);
};

typedef struct Decompressor Decompressor;
struct Decompressor {
  /* Takes from *bytes what gives up to `bytes_max` bytes more in `out`, perhaps none yet; where it gives so many there may be more without
   * any further byte. CODE_BAD_REQUEST where malformed, CODE_UNAVAILABLE without memory. */
  Code (*read)(Decompressor *decompressor, Str *bytes, size_t bytes_max, Buf *out, Error *err);
  void (*destroy)(Decompressor *decompressor);
  bool is_between; /* what was begun is whole; false before the first byte */
};

/* Whole buffers. `compressor` may be NULL: without memory. It is destroyed. */
Code compress_whole(Compressor *compressor, Str bytes, Buf *out, Error *err);
