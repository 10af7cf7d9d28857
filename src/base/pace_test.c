#include "base/pace.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_queue_that_was_never_measured_has_room(void **state) {
  (void)state;
  Pace pace = {0};
  assert_true(pace_room(pace_each_ns(&pace), 250000, 16) == SIZE_MAX);
}

static void what_each_takes_is_measured_while_something_waits(void **state) {
  (void)state;
  Pace pace = {0};
  pace_note(&pace, 1000000, 0, 5); /* the first wait begins */
  for (int i = 1; i < PACE_WINDOWS; i++) pace_note(&pace, 1000000 + i * 20000, 10, 5);
  assert_int_equal(pace_each_ns(&pace), 0); /* too short to be sure */
  pace_note(&pace, 1000000 + PACE_WINDOWS * 20000, 10, 5);
  assert_in_range(pace_each_ns(&pace), 2000000, 2000001); /* 20 ms for 10 */
  assert_in_range(pace_room(pace_each_ns(&pace), 250000, 16), 124, 125);
}

static void fill(Pace *pace, int64_t spent_us, size_t done) {
  for (int i = 0; i < PACE_WINDOWS; i++) pace_add(pace, spent_us, done);
}

static void idle_time_does_not_count(void **state) {
  (void)state;
  Pace pace = {0};
  fill(&pace, 20000, 10);
  pace_note(&pace, 1000000, 10, 0);
  pace_note(&pace, 9000000, 1, 1); /* eight seconds later */
  assert_in_range(pace_each_ns(&pace), 2000000, 2000001);
}

static void a_stall_is_no_overload(void **state) {
  (void)state;
  Pace pace = {0};
  fill(&pace, 10000, 1000);
  pace_add(&pace, 500000, 1);
  pace_add(&pace, 500000, 1);
  assert_in_range(pace_each_ns(&pace), 10000, 10001);
}

static void it_follows_a_change_after_a_few_windows(void **state) {
  (void)state;
  Pace pace = {0};
  fill(&pace, 10000, 1000);
  fill(&pace, 10000, 1);
  assert_in_range(pace_each_ns(&pace), 10000000, 10000001);
  pace_add(&pace, 10000, 1000);
  assert_in_range(pace_each_ns(&pace), 10000, 10001);
}

/* Ten that took a millisecond each because each waited for the disk alone say nothing; a hundred that were quicker do. */
static void what_was_not_all_it_could_do_only_makes_it_quicker(void **state) {
  (void)state;
  Pace pace = {0};
  fill(&pace, 10000, 100);
  pace_add_at_most(&pace, 10000, 10);
  assert_in_range(pace_each_ns(&pace), 100000, 100001);
  pace_add_at_most(&pace, 10000, 200);
  assert_in_range(pace_each_ns(&pace), 50000, 50001);
}

static void a_slow_queue_still_takes_a_few(void **state) {
  (void)state;
  assert_int_equal(pace_room(1000000000, 250000, 16), 16);
  assert_int_equal(pace_room(1000000000, 0, 16), 16);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_queue_that_was_never_measured_has_room),
      cmocka_unit_test(what_each_takes_is_measured_while_something_waits),
      cmocka_unit_test(idle_time_does_not_count),
      cmocka_unit_test(a_stall_is_no_overload),
      cmocka_unit_test(it_follows_a_change_after_a_few_windows),
      cmocka_unit_test(what_was_not_all_it_could_do_only_makes_it_quicker),
      cmocka_unit_test(a_slow_queue_still_takes_a_few),
  };
  return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
