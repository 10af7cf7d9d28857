/* brotli_test.c - the library's own decoder reads back what was written. */
#include "codec/brotli.h"

#include <brotli/decode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static Str make_text(Arena *arena, size_t len) {
  char *text = arena_alloc(arena, len);
  unsigned seed = 5;
  for (size_t i = 0; i < len; i++) text[i] = i % 7 == 0 ? (char)rand_r(&seed) : (char)('a' + i % 5);
  return (Str){text, len};
}

static void what_is_compressed_comes_back(void **state) {
  (void)state;
  const size_t lengths[] = {0, 1, 100, 16384, 300000};
  Arena *arena = arena_create(0);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    Str text = make_text(arena, lengths[i]);
    Buf small = buf_on(arena, SIZE_MAX);
    Error err;
    assert_int_equal(brotli_compress(text, BROTLI_LEVEL_FAST, &small, &err), CODE_OK);
    assert_true(lengths[i] < 100 || small.len < lengths[i]);
    uint8_t *back = arena_alloc(arena, text.len + 1);
    size_t back_len = text.len + 1;
    assert_int_equal(BrotliDecoderDecompress(small.len, (const uint8_t *)small.ptr, &back_len, back), BROTLI_DECODER_RESULT_SUCCESS);
    assert_true(str_equal((Str){(const char *)back, back_len}, text));
  }
  arena_destroy(arena);
}

static void a_cap_holds(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Buf tight = buf_on(arena, 100);
  Error err;
  assert_int_equal(brotli_compress(make_text(arena, 100000), BROTLI_LEVEL_FAST, &tight, &err), CODE_TOO_LARGE);
  arena_destroy(arena);
}

static void failing_memory_is_an_error(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str text = make_text(arena, 20000);
  Code code = CODE_UNAVAILABLE;
  for (size_t n = 1; code != CODE_OK; n++) {
    assert_true(n < 1000);
    Buf out = buf_on_heap(SIZE_MAX);
    memory_fail_after(n);
    code = brotli_compress(text, BROTLI_LEVEL_FAST, &out, NULL);
    memory_fail_after(0);
    assert_true(code == CODE_OK || code == CODE_UNAVAILABLE);
    buf_done(&out);
  }
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_compressed_comes_back),
      cmocka_unit_test(a_cap_holds),
      cmocka_unit_test(failing_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
