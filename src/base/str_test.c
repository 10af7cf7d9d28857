/* str_test.c */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const Str nothing = {NULL, 0};

static void comparing_goes_by_bytes_and_a_prefix_is_first(void **state) {
  (void)state;
  assert_true(str_compare(STR("a"), STR("b")) < 0);
  assert_true(str_compare(STR("ab"), STR("a")) > 0);
  assert_true(str_compare(STR("\xC3\xA4"), STR("z")) > 0);
  assert_int_equal(str_compare(STR("a"), STR("a")), 0);
  assert_int_equal(str_compare(nothing, STR("")), 0);
}

static void parts_are_found(void **state) {
  (void)state;
  assert_true(str_starts_with(STR("teapot"), STR("tea")));
  assert_false(str_starts_with(STR("te"), STR("tea")));
  assert_true(str_ends_with(STR("teapot"), STR("pot")));
  assert_true(str_contains(STR("teapot"), STR("apo")));
  assert_false(str_contains(nothing, STR("a")));
  assert_true(str_contains(nothing, nothing));
  assert_true(str_equal_ignore_case(STR("Content-TYPE"), STR("content-type")));
  assert_false(str_equal_ignore_case(STR("@"), STR("`"))); /* they differ in the bit that makes a letter's case */
  assert_int_equal(str_find_byte(STR("a,b,c"), ',', 2), 3);
  assert_int_equal(str_find_byte(STR("abc"), ',', 0), 3);
}

static void slices_are_clamped_and_trimmed(void **state) {
  (void)state;
  assert_true(str_equal(str_slice(STR("teapot"), 3, 99), STR("pot")));
  assert_true(str_equal(str_slice(STR("teapot"), 99, 3), STR("")));
  assert_true(str_equal(str_trim(STR(" \t tea pot\r\n")), STR("tea pot")));
  assert_int_equal(str_trim(STR("  ")).len, 0);
}

static void splitting_gives_every_part(void **state) {
  (void)state;
  Str rest = STR("a,,b,"), part;
  const char *expected[] = {"a", "", "b", ""};
  for (size_t i = 0; i < 4; i++) {
    assert_true(str_split_next(&rest, ',', &part));
    assert_true(str_equal(part, str_of(expected[i])));
  }
  assert_false(str_split_next(&rest, ',', &part));
}

static void integers_must_fit_and_be_whole(void **state) {
  (void)state;
  int64_t n = 5;
  assert_true(str_parse_int64(STR("-9223372036854775808"), &n) && n == INT64_MIN);
  assert_true(str_parse_int64(STR("9223372036854775807"), &n) && n == INT64_MAX);
  assert_true(str_parse_int64(STR("007"), &n) && n == 7);
  const char *wrong[] = {"", "-", "+1", " 1", "1 ", "1.0", "9223372036854775808", "-9223372036854775809", "99999999999999999999"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(str_parse_int64(str_of(wrong[i]), &n));
  assert_int_equal(n, 7);
}

static void distances_count_typing_mistakes_up_to_the_cut(void **state) {
  (void)state;
  assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 5), 3);
  assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 3), 3);
  assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 2), 3);
  assert_int_equal(str_distance(STR("pirce"), STR("price"), 2), 1);
  assert_int_equal(str_distance(STR("titel"), STR("title"), 1), 1);
  assert_int_equal(str_distance(STR("ab"), STR("ba"), 3), 1);
  assert_int_equal(str_distance(STR("xaby"), STR("zbaw"), 3), 3);
  assert_int_equal(str_distance(STR("acb"), STR("cab"), 3), 1);
  assert_int_equal(str_distance(STR("ca"), STR("abc"), 3), 3);
  assert_int_equal(str_distance(STR("name"), STR("name"), 0), 0);
  assert_int_equal(str_distance(STR("name"), STR("nam"), 0), 1);
  assert_int_equal(str_distance(STR(""), STR("abc"), 9), 3);
  assert_int_equal(str_distance(STR("intention"), STR("execution"), 9), 5);
  assert_int_equal(str_distance(STR("flaw"), STR("lawn"), 4), 2);
}

static void a_guess_is_worth_one_mistake_in_three_letters(void **state) {
  (void)state;
  assert_int_equal(str_distance_near(STR("x")), 0);
  assert_int_equal(str_distance_near(STR("nope")), 1);
  assert_int_equal(str_distance_near(STR("titel")), 1);
  assert_int_equal(str_distance_near(STR("prices")), 2);
  assert_int_equal(str_distance_near(STR("descripton")), 3);
}

static void every_byte_counts_in_a_hash(void **state) {
  (void)state;
  char a[40] = {0};
  uint64_t zero = str_hash((Str){a, sizeof a});
  for (size_t i = 0; i < sizeof a; i++) {
    a[i] = 1;
    assert_true(str_hash((Str){a, sizeof a}) != zero);
    assert_true(str_hash((Str){a, i}) != str_hash((Str){a, i + 1}));
    a[i] = 0;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comparing_goes_by_bytes_and_a_prefix_is_first),
      cmocka_unit_test(parts_are_found),
      cmocka_unit_test(slices_are_clamped_and_trimmed),
      cmocka_unit_test(splitting_gives_every_part),
      cmocka_unit_test(integers_must_fit_and_be_whole),
      cmocka_unit_test(distances_count_typing_mistakes_up_to_the_cut),
      cmocka_unit_test(a_guess_is_worth_one_mistake_in_three_letters),
      cmocka_unit_test(every_byte_counts_in_a_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
