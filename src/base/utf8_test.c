/* utf8_test.c */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void every_code_point_reads_back(void **state) {
  (void)state;
  for (uint32_t code_point = 0; code_point <= 0x110000; code_point++) {
    char bytes[4];
    size_t len = utf8_encode(code_point, bytes), at = 0;
    bool is_scalar = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
    assert_int_equal(len > 0, is_scalar);
    if (!is_scalar) continue;
    Str s = {bytes, len};
    assert_true(utf8_is_valid(s));
    assert_int_equal(utf8_next(s, &at), code_point);
    assert_int_equal(at, len);
  }
}

static void what_rfc_3629_forbids_is_invalid(void **state) {
  (void)state;
  const Str wrong[] = {
      STR("\x80"),             /* a continuation alone */
      STR("\xC0\x80"),         /* overlong NUL */
      STR("\xC1\xBF"),         /* overlong */
      STR("\xE0\x9F\xBF"),     /* overlong */
      STR("\xF0\x8F\xBF\xBF"), /* overlong */
      STR("\xED\xA0\x80"),     /* a surrogate */
      STR("\xF4\x90\x80\x80"), /* beyond U+10FFFF */
      STR("\xF5\x80\x80\x80"),
      STR("\xFF"),
      STR("\xC3"),
      STR("\xE2\x82"),
      STR("\xE2\x82z"),
      STR("long enough text, then \xF0\x9F\x98"),
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(utf8_is_valid(wrong[i]));
}

static void a_wrong_byte_is_passed_alone(void **state) {
  (void)state;
  Str s = STR("\xE2\x82z");
  size_t at = 0;
  assert_true(utf8_next(s, &at) == UINT32_MAX && at == 1);
  assert_true(utf8_next(s, &at) == UINT32_MAX && at == 2);
  assert_true(utf8_next(s, &at) == 'z' && at == 3);
}

static void length_counts_code_points(void **state) {
  (void)state;
  assert_int_equal(utf8_length(STR("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80")), 4);
  assert_int_equal(utf8_length((Str){NULL, 0}), 0);
  assert_true(utf8_is_valid((Str){NULL, 0}));
}

static void a_cut_is_not_within_a_character(void **state) {
  (void)state;
  Str s = STR("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) assert_int_equal(utf8_cut(s, i).len, kept[i]);
  assert_int_equal(utf8_cut((Str){NULL, 0}, 5).len, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_code_point_reads_back),     cmocka_unit_test(what_rfc_3629_forbids_is_invalid),
      cmocka_unit_test(a_wrong_byte_is_passed_alone),    cmocka_unit_test(length_counts_code_points),
      cmocka_unit_test(a_cut_is_not_within_a_character),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
