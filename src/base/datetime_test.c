/* datetime_test.c - expected values from date(1) and RFC 3339's own examples. */
#include "base/datetime.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_written(int64_t us, const char *expected) {
  char out[TIMESTAMP_TEXT_MAX];
  size_t len = timestamp_write(us, out);
  assert_int_equal(len, strlen(expected));
  assert_memory_equal(out, expected, len);
}

static int64_t parsed(const char *text) {
  int64_t us = 0;
  assert_true(timestamp_parse(str_of(text), &us));
  return us;
}

static void rfc_3339s_examples_are_read(void **state) {
  (void)state;
  assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
  assert_int_equal(parsed("1985-04-12T23:20:50.52Z"), 482196050520000);
  assert_int_equal(parsed("1996-12-19T16:39:57-08:00"), 851042397000000);
  assert_int_equal(parsed("1937-01-01T12:00:27.87+00:20"), -1041337172130000);
  assert_int_equal(parsed("2026-11-23t12:00:00.000000000z"), 1795435200000000);
  assert_int_equal(parsed("0001-01-01T00:00:00Z"), -62135596800000000);
  assert_int_equal(parsed("9999-12-31T23:59:59.999999Z"), 253402300799999999);
}

/* The form of stores has a way of its own; what only looks like it must not take that way. */
static void the_fixed_form_is_read_as_any_other(void **state) {
  (void)state;
  assert_int_equal(parsed("1985-04-12T23:20:50.520001Z"), 482196050520001);
  assert_int_equal(parsed("0001-01-01T00:00:00.000000Z"), -62135596800000000);
  assert_int_equal(parsed("9999-12-31T23:59:59.999999Z"), 253402300799999999);
  assert_int_equal(parsed("2024-02-29T00:00:00.000000Z"), 1709164800000000);
  assert_int_equal(parsed("1996-12-19T16:39:57.0-08:00"), 851042397000000);
  const char *wrong[] = {"2026-02-29T00:00:00.000000Z", "1900-02-29T00:00:00.000000Z", "2026-13-01T00:00:00.000000Z",
                         "2026-00-01T00:00:00.000000Z", "2026-01-00T00:00:00.000000Z", "2026-01-32T00:00:00.000000Z",
                         "2026-01-01T24:00:00.000000Z", "2026-01-01T00:60:00.000000Z", "2026-01-01T00:00:60.000000Z",
                         "0000-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.00000/Z", "2026-01-01T00:00:00.0000:0Z",
                         "2026-01-01T00:00:00,000000Z", "2026-01-01T00:00:00.000000X", "2026/01-01T00:00:00.000000Z",
                         "-026-01-01T00:00:00.000000Z", "2026-01-01 00:00:00.000000Z"};
  int64_t us = 7;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(timestamp_parse(str_of(wrong[i]), &us));
  assert_int_equal(us, 7);
}

static void what_is_not_rfc_3339_is_refused(void **state) {
  (void)state;
  const char *wrong[] = {"",
                         "2026-11-23",
                         "2026-11-23T12:00:00",
                         "2026-11-23 12:00:00Z",
                         "2026-11-23T12:00Z",
                         "2026-13-01T00:00:00Z",
                         "2026-02-29T00:00:00Z",
                         "1900-02-29T00:00:00Z",
                         "0000-01-01T00:00:00Z",
                         "1990-12-31T23:59:60Z",
                         "2026-01-01T24:00:00Z",
                         "2026-01-01T00:60:00Z",
                         "2026-01-01T00:00:00.Z",
                         "2026-01-01T00:00:00.0000001Z",
                         "2026-01-01T00:00:00+0100",
                         "2026-01-01T00:00:00+24:00",
                         "2026-01-01T00:00:00+01:60",
                         "2026-01-01T00:00:00Z ",
                         "0001-01-01T00:00:00+00:01",
                         "9999-12-31T23:59:59-00:01",
                         "2026-1-1T00:00:00Z",
                         "+2026-01-01T00:00:00Z",
                         "2026-01-00T00:00:00Z",
                         "2026-04-31T00:00:00Z",
                         "2026-01-01T00:00:00,5Z"};
  int64_t us = 7;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(timestamp_parse(str_of(wrong[i]), &us));
  assert_int_equal(us, 7);
}

static void what_databases_write_is_read_loosely(void **state) {
  (void)state;
  const char *same[] = {"2026-11-23 12:00:00",      "2026-11-23 12:00",          "2026-11-23T12:00:00.000", "2026-11-23 12:00:00+00",
                        "2026-11-23 13:30:00+0130", "2026-11-23 04:00:00-08:00", "2026-11-23 12:00Z"};
  int64_t us = 0;
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    assert_true(timestamp_parse_loose(str_of(same[i]), &us));
    assert_int_equal(us, 1795435200000000);
  }
  assert_true(timestamp_parse_loose(STR("2026-11-23"), &us));
  assert_int_equal(us, 1795392000000000);
  assert_false(timestamp_parse_loose(STR("2026-11-23 "), &us));
  assert_false(timestamp_parse_loose(STR("12:00"), &us));
}

static void fractions_are_written_without_trailing_zeros(void **state) {
  (void)state;
  assert_written(0, "1970-01-01T00:00:00Z");
  assert_written(-1, "1969-12-31T23:59:59.999999Z");
  assert_written(482196050520000, "1985-04-12T23:20:50.52Z");
  assert_written(-62135596800000000, "0001-01-01T00:00:00Z");
  char out[TIMESTAMP_TEXT_MAX];
  assert_int_equal(timestamp_write_fixed(1795435200000000, out), 27);
  assert_memory_equal(out, "2026-11-23T12:00:00.000000Z", 27);
  assert_false(timestamp_in_range(-62135596800000001));
  assert_true(timestamp_in_range(253402300799999999));
  assert_false(timestamp_in_range(253402300800000000));
}

static void every_day_of_ten_thousand_years_reads_back(void **state) {
  (void)state;
  int64_t last = -719162, days = 0;
  for (int64_t day = last; day <= 2932896; day++) {
    char out[DATE_TEXT_MAX];
    size_t len = date_write(day, out);
    if (!date_parse((Str){out, len}, &days) || days != day) fail_msg("day %ld", (long)day);
  }
  assert_true(date_parse(STR("2000-02-29"), &days) && days == 11016);
  assert_false(date_parse(STR("2100-02-29"), &days));
  assert_false(date_parse(STR("2000-02-29Z"), &days));
  assert_true(date_in_range(2932896) && !date_in_range(2932897) && !date_in_range(-719163));
}

static void durations_are_gos(void **state) {
  (void)state;
  const struct {
    const char *text;
    int64_t us;
  } right[] = {{"24h", 86400000000}, {"1h30m", 5400000000},
               {"-1.5s", -1500000},  {"10ms", 10000},
               {"5us", 5},           {"0", 0},
               {".5s", 500000},      {"+1s", 1000000},
               {"1500ns", 1},        {"2562047h", 9223369200000000},
               {"1m1s", 61000000}};
  int64_t us = 0;
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
    assert_true(duration_parse(str_of(right[i].text), &us));
    assert_int_equal(us, right[i].us);
  }
  const char *wrong[] = {"", "-", "1", "h", "1x", "1h2", ".s", "1 h", "--1s", "99999999999999999999h", "9999999999999h", "1h-1m"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(duration_parse(str_of(wrong[i]), &us));
}

static void http_dates_are_rfc_9110s(void **state) {
  (void)state;
  char out[TIMESTAMP_TEXT_MAX];
  assert_int_equal(http_date_write(784111777000000, out), 29);
  assert_memory_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT", 29);
  http_date_write(-1, out);
  assert_memory_equal(out, "Wed, 31 Dec 1969 23:59:59 GMT", 29);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc_3339s_examples_are_read),
      cmocka_unit_test(the_fixed_form_is_read_as_any_other),
      cmocka_unit_test(what_is_not_rfc_3339_is_refused),
      cmocka_unit_test(what_databases_write_is_read_loosely),
      cmocka_unit_test(fractions_are_written_without_trailing_zeros),
      cmocka_unit_test(every_day_of_ten_thousand_years_reads_back),
      cmocka_unit_test(durations_are_gos),
      cmocka_unit_test(http_dates_are_rfc_9110s),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
