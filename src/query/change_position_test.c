/* change_position_test.c - what was written is read back, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "query/change_position.h"

static void a_position_is_read_back(void **state) {
  (void)state;
  static const ChangePosition positions[] = {{0, 1, 0},
                                             {0, 1, 1},
                                             {0, 1, INT64_MAX},
                                             {127, 128, 300},
                                             {740, 740, 0},
                                             {INT64_MAX, INT64_MAX, INT64_MAX},
                                             {0, INT64_MAX, INT64_MAX}};
  for (size_t i = 0; i < sizeof positions / sizeof positions[0]; i++) {
    char text[CHANGE_POSITION_BYTES_MAX];
    ChangePosition read = {0};
    assert_true(change_position_parse(change_position_write(&positions[i], text), &read));
    assert_true(read.from == positions[i].from && read.to == positions[i].to && read.seq == positions[i].seq);
  }
}

static void what_is_no_position_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {
      "", "A", "nonsense", "AQ", "AQAB", "AQABAAA", "AQCAAQ", "AQABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AQAB AA", "Ag ABAA"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    ChangePosition read;
    assert_false(change_position_parse(str_of(texts[i]), &read));
  }
  /* Well-formed base64url of: a number that ends in a byte of nothing; one that never ends; one number, two, four; a span beyond all
   * numbers; another form than 1. */
  static const char *const inside[] = {"AYAAAAA", "Af___________wAA", "AQU", "AQUB", "AQUBAAA", "Af__________fwEA", "AgUBAA"};
  for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
    ChangePosition read;
    assert_false(change_position_parse(str_of(inside[i]), &read));
  }
}

static void a_position_covers_what_was_read_before_it(void **state) {
  (void)state;
  const ChangePosition open = {.from = 10, .to = 20, .seq = 100}, closed = {.from = 20, .to = 20};
  assert_true(change_position_covers(&open, 9, 1000));
  assert_true(change_position_covers(&open, 15, 100));
  assert_false(change_position_covers(&open, 15, 101));
  assert_false(change_position_covers(&open, 20, 1));
  assert_true(change_position_covers(&closed, 19, 1000));
  assert_false(change_position_covers(&closed, 20, 1));
  assert_true(change_position_is_ahead(&closed, &open));
  assert_false(change_position_is_ahead(&open, &closed));
  assert_true(change_position_is_ahead(&open, &open));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_position_is_read_back),
      cmocka_unit_test(what_is_no_position_is_refused),
      cmocka_unit_test(a_position_covers_what_was_read_before_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
