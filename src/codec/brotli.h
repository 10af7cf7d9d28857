/* brotli.h - Brotli (RFC 7932). The same bytes give the same output. Thread-safe. */
#pragma once
#include "codec/compressor.h"

/* From 0, fast, to 11, small; up to 4 it keeps pace with gzip. */
enum { BROTLI_LEVEL_FAST = 4, BROTLI_LEVEL_BEST = 11 };

/* NULL when memory is out. */
Compressor *brotli_compressor_create(int level);
