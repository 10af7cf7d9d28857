#include "codec/content_coding.h"

#include "codec/brotli.h"
#include "codec/gzip.h"
#include "codec/zstd.h"

const ContentCoding CONTENT_CODINGS[CODING_COUNT] = {
    [CODING_IDENTITY] = {.name = STR_INIT("identity")},
    [CODING_ZSTD] = {STR_INIT("zstd"), zstd_compressor_create, ZSTD_LEVEL_FAST, zstd_decompressor_create},
    [CODING_BROTLI] = {STR_INIT("br"), brotli_compressor_create, BROTLI_LEVEL_FAST, NULL},
    [CODING_GZIP] = {STR_INIT("gzip"), gzip_compressor_create, GZIP_LEVEL_FAST, gzip_decompressor_create},
};

Coding content_coding_find(Str name) {
  if (str_equal_ignore_case(name, STR("x-gzip"))) return CODING_GZIP; /* RFC 9110 §8.4.1.3 */
  Coding coding = CODING_IDENTITY;
  while (coding < CODING_COUNT && !str_equal_ignore_case(name, CONTENT_CODINGS[coding].name)) coding++;
  return coding;
}
