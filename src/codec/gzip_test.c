/* gzip_test.c */
#include "codec/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Text that compresses, with a part that doesn't. */
static Str make_text(Arena *arena, size_t len) {
  char *text = arena_alloc(arena, len);
  unsigned seed = 3;
  for (size_t i = 0; i < len; i++) text[i] = i % 7 == 0 ? (char)rand_r(&seed) : (char)('a' + i % 5);
  return (Str){text, len};
}

static void what_is_compressed_comes_back(void **state) {
  (void)state;
  const size_t lengths[] = {0, 1, 100, 16384, 300000};
  Arena *arena = arena_create(0);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    Str text = make_text(arena, lengths[i]);
    Buf small = buf_on(arena, SIZE_MAX), large = buf_on(arena, lengths[i] == 0 ? 1 : lengths[i]);
    Error err;
    assert_int_equal(gzip_compress(text, GZIP_LEVEL_DEFAULT, &small, &err), CODE_OK);
    assert_true(lengths[i] < 100 || small.len < lengths[i]);
    assert_int_equal(gzip_decompress(buf_str(&small), &large, &err), CODE_OK);
    assert_true(str_equal(buf_str(&large), text));
  }
  arena_destroy(arena);
}

static void the_header_holds_no_time(void **state) {
  (void)state;
  Buf out = buf_on_heap(1000);
  assert_int_equal(gzip_compress(STR("tea"), GZIP_LEVEL_BEST, &out, NULL), CODE_OK);
  assert_memory_equal(out.ptr, "\x1f\x8b\x08\0\0\0\0\0", 8);
  buf_done(&out);
}

static void caps_hold_in_both_directions(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  char *zeros = arena_calloc(arena, 1, 1000000);
  Buf bomb = buf_on(arena, 5000), tight = buf_on(arena, 100), out = buf_on(arena, 999999);
  Error err;
  assert_int_equal(gzip_compress((Str){zeros, 1000000}, GZIP_LEVEL_BEST, &tight, &err), CODE_TOO_LARGE);
  assert_int_equal(gzip_compress((Str){zeros, 1000000}, GZIP_LEVEL_BEST, &bomb, &err), CODE_OK);
  assert_int_equal(gzip_decompress(buf_str(&bomb), &out, &err), CODE_TOO_LARGE);
  arena_destroy(arena);
}

static void what_is_broken_or_followed_by_more_is_refused(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Buf good = buf_on(arena, SIZE_MAX);
  assert_int_equal(gzip_compress(make_text(arena, 1000), GZIP_LEVEL_FAST, &good, NULL), CODE_OK);
  for (size_t len = 0; len < good.len; len++) {
    Buf out = buf_on(arena, 5000);
    assert_int_equal(gzip_decompress((Str){good.ptr, len}, &out, NULL), CODE_BAD_REQUEST);
  }
  buf_add_byte(&good, 'x');
  Buf out = buf_on(arena, 5000);
  assert_int_equal(gzip_decompress(buf_str(&good), &out, NULL), CODE_BAD_REQUEST);
  assert_int_equal(gzip_decompress(STR("no gzip at all"), &out, NULL), CODE_BAD_REQUEST);
  arena_destroy(arena);
}

static void failing_memory_is_an_error(void **state) {
  (void)state;
  Buf good = buf_on_heap(SIZE_MAX);
  assert_int_equal(gzip_compress(STR("tea and more tea"), GZIP_LEVEL_FAST, &good, NULL), CODE_OK);
  Code compressed = CODE_UNAVAILABLE, decompressed = CODE_UNAVAILABLE;
  for (size_t n = 1; compressed != CODE_OK || decompressed != CODE_OK; n++) {
    assert_true(n < 100);
    Buf out = buf_on_heap(1000), back = buf_on_heap(1000);
    memory_fail_after(n);
    compressed = gzip_compress(STR("tea and more tea"), GZIP_LEVEL_FAST, &out, NULL);
    memory_fail_after(n);
    decompressed = gzip_decompress(buf_str(&good), &back, NULL);
    memory_fail_after(0);
    assert_true(compressed == CODE_OK || compressed == CODE_UNAVAILABLE);
    assert_true(decompressed == CODE_OK || decompressed == CODE_UNAVAILABLE);
    buf_done(&out);
    buf_done(&back);
  }
  buf_done(&good);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_compressed_comes_back), cmocka_unit_test(the_header_holds_no_time),
      cmocka_unit_test(caps_hold_in_both_directions),  cmocka_unit_test(what_is_broken_or_followed_by_more_is_refused),
      cmocka_unit_test(failing_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
