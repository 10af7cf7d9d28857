#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/string_literal.h"

static void check_value(const char *raw, const char *expected) {
  Arena *arena = arena_create(0);
  Str value = {0};
  uint32_t fault = 0;
  Error err = {0};
  assert_int_equal(string_literal_decode(str_of(raw), arena, &value, &fault, &err), CODE_OK);
  if (!str_equal(value, str_of(expected))) fail_msg("%s: \"%.*s\"", raw, STR_ARGS(value));
  arena_destroy(arena);
}

static void escapes_are_decoded(void **state) {
  (void)state;
  check_value("\"\"", "");
  check_value("\"a\\\"b\\\\c\\/\\b\\f\\n\\r\\t\"", "a\"b\\c/\b\f\n\r\t");
  check_value("\"\\u00e9\\u{1F600}\\uD83D\\uDE00\"", "\u00e9\U0001F600\U0001F600");
}

/* The example of the specification (October 2021, §2.9.4). */
static void a_block_string_loses_what_all_its_lines_are_indented_by(void **state) {
  (void)state;
  check_value("\"\"\"\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  \"\"\"", "Hello,\n  World!\n\nYours,\n  GraphQL.");
  check_value("\"\"\"one\n  two\"\"\"", "one\ntwo");
  check_value("\"\"\"\"\"\"", "");
  check_value("\"\"\"  \n \n\"\"\"", "");
  check_value("\"\"\"a \\\"\"\" b \\n\"\"\"", "a \"\"\" b \\n");
  check_value("\"\"\"\r\n  a\r\n   b\r  c\"\"\"", "a\n b\nc");
}

static void a_bad_escape_says_where_it_is(void **state) {
  (void)state;
  const char *const raws[] = {"\"ab\\x\"",         "\"ab\\u12\"",   "\"ab\\uD800\"",       "\"ab\\u{}\"",
                              "\"ab\\u{110000}\"", "\"ab\\u0000\"", "\"ab\\uDC00\\uD800\""};
  for (size_t i = 0; i < sizeof raws / sizeof raws[0]; i++) {
    Arena *arena = arena_create(0);
    Str value = {0};
    uint32_t fault = 0;
    Error err = {0};
    assert_int_equal(string_literal_decode(str_of(raws[i]), arena, &value, &fault, &err), CODE_BAD_REQUEST);
    assert_int_equal(fault, 3);
    arena_destroy(arena);
  }
}

static void a_byte_of_the_value_finds_its_place_in_the_source(void **state) {
  (void)state;
  assert_int_equal(string_literal_source(STR("\"abc\""), 0), 1);
  assert_int_equal(string_literal_source(STR("\"abc\""), 2), 3);
  assert_int_equal(string_literal_source(STR("\"abc\""), 3), 4);
  assert_int_equal(string_literal_source(STR("\"\\n\\u0041b\""), 0), 1);
  assert_int_equal(string_literal_source(STR("\"\\n\\u0041b\""), 1), 3);
  assert_int_equal(string_literal_source(STR("\"\\n\\u0041b\""), 2), 9);
  /* """, a line's end, two spaces, a, a line's end, four spaces, b: the value is "a\n  b". */
  assert_int_equal(string_literal_source(STR("\"\"\"\n  a\n    b\"\"\""), 0), 6);
  assert_int_equal(string_literal_source(STR("\"\"\"\n  a\n    b\"\"\""), 4), 12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(escapes_are_decoded),
      cmocka_unit_test(a_block_string_loses_what_all_its_lines_are_indented_by),
      cmocka_unit_test(a_bad_escape_says_where_it_is),
      cmocka_unit_test(a_byte_of_the_value_finds_its_place_in_the_source),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
