/* fuzz_url.c - what is decoded is UTF-8 without NUL, and decodes to itself after it was encoded. */
#include <string.h>

#include "base/utf8.h"
#include "codec/url.h"
#include "property.h"

static void check_decoded(Str decoded, Arena *arena) {
  PROPERTY(utf8_is_valid(decoded) && memchr(decoded.ptr == NULL ? "" : decoded.ptr, '\0', decoded.len) == NULL);
  Buf encoded = buf_on(arena, SIZE_MAX);
  url_encode(&encoded, decoded);
  for (size_t i = 0; i < encoded.len; i++)
    PROPERTY(encoded.ptr[i] > ' ' && encoded.ptr[i] < 0x7F && strchr("/?#&=+", encoded.ptr[i]) == NULL);
  Str from_path, from_query;
  PROPERTY(url_decode_path(buf_str(&encoded), arena, &from_path, NULL) == CODE_OK && str_equal(from_path, decoded));
  PROPERTY(url_decode_query(buf_str(&encoded), arena, &from_query, NULL) == CODE_OK && str_equal(from_query, decoded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena *arena = arena_create(0);
  Str text = {(const char *)data, size}, decoded;
  Code path = url_decode_path(text, arena, &decoded, NULL);
  if (path == CODE_OK) check_decoded(decoded, arena);
  Code query = url_decode_query(text, arena, &decoded, NULL);
  if (query == CODE_OK) check_decoded(decoded, arena);
  PROPERTY(path == query && (path == CODE_OK || path == CODE_BAD_REQUEST));
  arena_destroy(arena);
  return 0;
}
