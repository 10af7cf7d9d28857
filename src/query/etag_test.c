#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/etag.h"
#include "query/result.h"

static uint64_t tag_of(const Value *values, size_t count) {
  SelectionItem items[8] = {0};
  return etag_of_row(&(Selection){.items = items, .count = count}, values, 0);
}

static uint64_t tag_of_one(Value value) { return tag_of(&value, 1); }

static void equal_values_have_equal_tags(void **state) {
  (void)state;
  char a[] = "same text", b[] = "same text";
  assert_true(tag_of_one(value_text(str_of(a))) == tag_of_one(value_text(str_of(b))));
  assert_true(tag_of_one(value_int(7)) == tag_of_one(value_int(7)));
}

/* Values that a client can tell apart, a null from an empty text among them. */
static void different_values_have_different_tags(void **state) {
  (void)state;
  const Value values[] = {value_null(),
                          value_bool(false),
                          value_bool(true),
                          value_int(0),
                          value_int(1),
                          value_int(-1),
                          value_float(0.5),
                          value_float(0.25),
                          value_text(STR("")),
                          value_text(STR("0")),
                          value_text(STR("null")),
                          value_decimal(STR("0")),
                          value_decimal(STR("0.1")),
                          {.type = VALUE_TIMESTAMP, .integer = 0},
                          {.type = VALUE_DATE, .integer = 0},
                          {.type = VALUE_BYTES, .text = STR("")},
                          {.type = VALUE_JSON, .text = STR("0")}};
  enum { COUNT = sizeof values / sizeof *values };
  for (size_t i = 0; i < COUNT; i++) {
    for (size_t j = i + 1; j < COUNT; j++) {
      if (tag_of_one(values[i]) == tag_of_one(values[j])) fail_msg("values %zu and %zu have one tag", i, j);
    }
  }
}

static void where_a_value_stands_counts(void **state) {
  (void)state;
  const Value ab[] = {value_text(STR("a")), value_text(STR("b"))}, ba[] = {value_text(STR("b")), value_text(STR("a"))};
  const Value joined[] = {value_text(STR("ab")), value_text(STR(""))}, null_first[] = {value_null(), value_text(STR("ab"))};
  assert_true(tag_of(ab, 2) != tag_of(ba, 2));
  assert_true(tag_of(ab, 2) != tag_of(joined, 2));
  assert_true(tag_of(joined, 2) != tag_of(null_first, 2));
  assert_true(tag_of(ab, 1) != tag_of(ab, 2));
}

static void nested_rows_count(void **state) {
  (void)state;
  SelectionItem inner_items[1] = {0};
  Selection inner = {.items = inner_items, .count = 1};
  SelectionItem items[1] = {{.nested = &inner}};
  Selection selection = {.items = items, .count = 1};
  const Value a[] = {value_text(STR("a"))}, b[] = {value_text(STR("b"))};
  const Value *const one[] = {a}, *const two[] = {a, b}, *const swapped[] = {b, a};
  const ResultRows rows[] = {{.count = 0}, {.rows = one, .count = 1}, {.rows = two, .count = 2}, {.rows = swapped, .count = 2}};
  uint64_t tags[6];
  for (size_t i = 0; i < 4; i++) tags[i] = etag_of_row(&selection, &(Value){.type = VALUE_ROWS, .rows = &rows[i]}, 0);
  tags[4] = etag_of_row(&selection, &(Value){.type = VALUE_ROW, .row = a}, 0);
  tags[5] = etag_of_row(&selection, &(Value){.type = VALUE_NULL}, 0);
  for (size_t i = 0; i < 6; i++) {
    for (size_t j = i + 1; j < 6; j++) {
      /* One nested row and a list of one may look alike: they never stand in the same place. */
      if (tags[i] == tags[j] && !(i == 1 && j == 4)) fail_msg("%zu and %zu have one tag", i, j);
    }
  }
}

static void a_tag_is_sixteen_hexadecimal_digits_and_matches_itself(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str text = etag_text(arena, 0x0123456789abcdef);
  assert_true(str_equal(text, STR("0123456789abcdef")));
  assert_true(str_equal(etag_text(arena, 0), STR("0000000000000000")));
  const Str given[] = {STR_INIT("other"), STR_INIT("0123456789abcdef")};
  assert_true(etag_matches(&(Precondition){.etags = given, .etag_count = 2, .is_given = true}, 0x0123456789abcdef));
  assert_false(etag_matches(&(Precondition){.etags = given, .etag_count = 1, .is_given = true}, 0x0123456789abcdef));
  assert_false(etag_matches(&(Precondition){.etags = given, .etag_count = 2, .is_given = true}, 0x0123456789abcdee));
  assert_false(etag_matches(&(Precondition){.is_given = true}, 0));
  assert_true(etag_matches(&(Precondition){.is_any = true, .is_given = true}, 0));
  const Str upper[] = {STR_INIT("0123456789ABCDEF")};
  assert_false(etag_matches(&(Precondition){.etags = upper, .etag_count = 1, .is_given = true}, 0x0123456789abcdef));
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_values_have_equal_tags),
      cmocka_unit_test(different_values_have_different_tags),
      cmocka_unit_test(where_a_value_stands_counts),
      cmocka_unit_test(nested_rows_count),
      cmocka_unit_test(a_tag_is_sixteen_hexadecimal_digits_and_matches_itself),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
