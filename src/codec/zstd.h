/* zstd.h - Zstandard (RFC 8878). The same bytes give the same output. Thread-safe. */
#pragma once
#include "codec/compressor.h"

enum { ZSTD_LEVEL_FAST = 1 };

/* NULL when memory is out. */
Compressor *zstd_compressor_create(int level);
/* Frames one behind the other, each with a window of at most 8 MiB (RFC 9659); without a dictionary. NULL when memory is out. */
Decompressor *zstd_decompressor_create(void);
