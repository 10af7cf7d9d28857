/* fuzz_base64.c - each value has one text: what is decoded encodes to the same letters, and any bytes survive both alphabets. */
#include <string.h>

#include "codec/base64.h"
#include "property.h"

static void check_bytes(Str bytes, Arena *arena) {
  Buf standard = buf_on(arena, SIZE_MAX), url = buf_on(arena, SIZE_MAX);
  base64_write(&standard, bytes);
  base64url_write(&url, bytes);
  char *decoded = arena_alloc(arena, base64_decoded_max(standard.len));
  size_t len = 0;
  PROPERTY(base64_decode(buf_str(&standard), decoded, &len) && str_equal((Str){decoded, len}, bytes));
  PROPERTY(base64url_decode(buf_str(&url), decoded, &len) && str_equal((Str){decoded, len}, bytes));
}

static void check_text(Str text, Arena *arena) {
  char *decoded = arena_alloc(arena, base64_decoded_max(text.len));
  size_t len = 0;
  Buf standard = buf_on(arena, SIZE_MAX), url = buf_on(arena, SIZE_MAX);
  if (base64_decode(text, decoded, &len)) {
    base64_write(&standard, (Str){decoded, len});
    PROPERTY(str_equal(buf_str(&standard), text));
  }
  if (base64url_decode(text, decoded, &len)) {
    base64url_write(&url, (Str){decoded, len});
    PROPERTY(str_equal(buf_str(&url), text));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena *arena = arena_create(0);
  Str input = {(const char *)data, size};
  check_bytes(input, arena);
  check_text(input, arena);
  arena_destroy(arena);
  return 0;
}
