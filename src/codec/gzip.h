/* gzip.h - gzip (RFC 1952), whole and piece by piece. The same bytes give the same output: no name, no time. Thread-safe. */
#pragma once
#include "codec/compressor.h"

enum { GZIP_LEVEL_FAST = 1, GZIP_LEVEL_DEFAULT = 6, GZIP_LEVEL_BEST = 9 };

/* Adds to `out`. CODE_TOO_LARGE where `out` is full, CODE_UNAVAILABLE without memory. */
Code gzip_compress(Str bytes, int level, Buf *out, Error *err);
/* One gzip member, whole, with nothing behind it. The cap of `out` bounds what a small hostile text can blow up to. CODE_BAD_REQUEST where
 * malformed or cut off; else as above. */
Code gzip_decompress(Str bytes, Buf *out, Error *err);
/* NULL when memory is out. */
Compressor *gzip_compressor_create(int level);
/* Members one behind the other (RFC 1952 §2.2). NULL when memory is out. */
Decompressor *gzip_decompressor_create(void);
