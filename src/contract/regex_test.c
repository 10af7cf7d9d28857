#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/regex.h"

static bool matches(const char *pattern, const char *subject) {
  Arena *arena = arena_create(0);
  Regex *regex = NULL;
  Error err = {0};
  assert_int_equal(regex_compile(str_of(pattern), arena, &regex, &err), CODE_OK);
  bool is_match = false;
  assert_true(regex_matches(regex, str_of(subject), &is_match));
  arena_destroy(arena);
  return is_match;
}

static void a_pattern_is_searched_for_anywhere(void **state) {
  (void)state;
  assert_true(matches("b+", "abbc"));
  assert_false(matches("^b+$", "abbc"));
  assert_true(matches("^[A-Z0-9-]{3,32}$", "TEA-1"));
  assert_true(matches("", ""));
  assert_true(matches("", "x"));
}

static void a_dot_is_a_character_and_not_a_byte(void **state) {
  (void)state;
  assert_true(matches("^.$", "\xf0\x9f\xab\x96"));
  assert_true(matches("^\\x{1FAD6}$", "\xf0\x9f\xab\x96"));
}

static void the_end_is_the_very_end(void **state) {
  (void)state;
  assert_false(matches("^a$", "a\n"));
}

static void a_malformed_pattern_says_where(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Regex *regex = NULL;
  Error err = {0};
  assert_int_equal(regex_compile(STR("a(b"), arena, &regex, &err), CODE_BAD_REQUEST);
  assert_non_null(strstr(err.text, "byte 3"));
  assert_int_equal(regex_compile(STR("(a)\\1"), arena, &regex, &err), CODE_BAD_REQUEST);
  assert_int_equal(regex_compile(STR("(*LIMIT_MATCH=1)a"), arena, &regex, &err), CODE_BAD_REQUEST);
  assert_int_equal(regex_compile(STR("\\C"), arena, &regex, &err), CODE_BAD_REQUEST);
  assert_null(regex);
  arena_destroy(arena);
}

static void a_search_that_explodes_is_given_up(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Regex *regex = NULL;
  Error err = {0};
  assert_int_equal(regex_compile(STR("^(a+)+$"), arena, &regex, &err), CODE_OK);
  bool is_match = true;
  assert_false(regex_matches(regex, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), &is_match));
  assert_true(is_match);
  arena_destroy(arena);
}

static void a_long_subject_of_many_groups_is_searched(void **state) {
  (void)state;
  static char subject[20001];
  memset(subject, 'a', sizeof subject - 1);
  assert_true(matches("^(a|b|c)*$", subject));
}

static void lacking_memory_is_an_error_wherever_it_strikes(void **state) {
  (void)state;
  for (size_t n = 1; n < 20; n++) {
    Arena *arena = arena_create(0);
    Regex *regex = NULL;
    Error err = {0};
    memory_fail_after(n);
    Code code = regex_compile(STR("^[a-z]+(x|y)*$"), arena, &regex, &err);
    memory_fail_after(0);
    if (code != CODE_OK) assert_int_equal(code, CODE_UNAVAILABLE);
    arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pattern_is_searched_for_anywhere),
      cmocka_unit_test(a_dot_is_a_character_and_not_a_byte),
      cmocka_unit_test(the_end_is_the_very_end),
      cmocka_unit_test(a_malformed_pattern_says_where),
      cmocka_unit_test(a_search_that_explodes_is_given_up),
      cmocka_unit_test(a_long_subject_of_many_groups_is_searched),
      cmocka_unit_test(lacking_memory_is_an_error_wherever_it_strikes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
