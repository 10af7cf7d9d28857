/* zstd.h - Zstandard (RFC 8878), whole and piece by piece. The same bytes give the same output. Thread-safe. */
#pragma once
#include "codec/compressor.h"

enum { ZSTD_LEVEL_FAST = 1, ZSTD_LEVEL_DEFAULT = 3 };

/* Adds to `out`. CODE_TOO_LARGE where `out` is full, CODE_UNAVAILABLE without memory. */
Code zstd_compress(Str bytes, int level, Buf *out, Error *err);
/* NULL when memory is out. */
Compressor *zstd_compressor_create(int level);
/* Frames one behind the other, each with a window of at most 8 MiB (RFC 9659); without a dictionary. NULL when memory is out. */
Decompressor *zstd_decompressor_create(void);
