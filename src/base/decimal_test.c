/* decimal_test.c - expected values by hand, and against 128-bit integers where numbers are small enough for them. */
#include "base/decimal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NINES_38 "99999999999999999999999999999999999999"

static void assert_decimal(const DecimalText *d, const char *expected) {
  if (d->len != strlen(expected) || memcmp(d->bytes, expected, d->len) != 0) fail_msg("%.*s, expected %s", (int)d->len, d->bytes, expected);
}

static void parsing_gives_the_canonical_text(void **state) {
  (void)state;
  const char *cases[][2] = {{"0", "0"},
                            {"-0", "0"},
                            {"-0.00", "0"},
                            {"1.50", "1.5"},
                            {"-3", "-3"},
                            {"1e3", "1000"},
                            {"1.5E+2", "150"},
                            {"125e-2", "1.25"},
                            {"0.001", "0.001"},
                            {"100.00", "100"},
                            {"1e-38", "0.00000000000000000000000000000000000001"},
                            {"1e37", "10000000000000000000000000000000000000"},
                            {NINES_38, NINES_38},
                            {"-0." NINES_38, "-0." NINES_38},
                            {"0e999999999999", "0"},
                            {"12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"},
                            {"0.000e5", "0"},
                            {"100e-2", "1"},
                            {"1200.0e1", "12000"}};
  DecimalText d;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_true(decimal_parse(str_of(cases[i][0]), &d));
    assert_decimal(&d, cases[i][1]);
  }
}

static void what_is_malformed_or_too_long_is_refused(void **state) {
  (void)state;
  const char *wrong[] = {"",           "-",           "+1",           ".5",    "5.",   "01",    "-01",
                         "1.5.2",      "1e",          "1e+",          "e5",    "abc",  "1 ",    " 1",
                         "0x10",       "NaN",         "Infinity",     "1_000", "1e38", "1e-39", "1e99999999999999999999",
                         NINES_38 "9", NINES_38 ".9", "0.0" NINES_38, "--1",   "1,5"};
  DecimalText d = {.len = 77};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (decimal_parse(str_of(wrong[i]), &d)) fail_msg("%s was taken", wrong[i]);
  assert_int_equal(d.len, 77);
}

static void comparing_is_by_value(void **state) {
  (void)state;
  const char *ascending[] = {"-" NINES_38 "0", "-100", "-99.5", "-1", "-0.5", "-0.05", "0",     "0.0000001",
                             "0.05",           "0.5",  "0.51",  "1",  "9.99", "10",    NINES_38};
  size_t count = sizeof ascending / sizeof *ascending;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      int order = decimal_compare(str_of(ascending[i]), str_of(ascending[j]));
      assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
    }
  assert_int_equal(decimal_compare(STR("1.50"), STR("1.5")), 0);
  assert_int_equal(decimal_compare(STR("-0.0"), STR("0")), 0);
  assert_int_equal(decimal_compare(STR("1e2"), STR("100.0")), 0);
  assert_true(decimal_compare(STR("abc"), STR("5")) > 0);
}

static void sums_and_products_are_exact(void **state) {
  (void)state;
  DecimalText d;
  assert_true(decimal_add(STR("0.1"), STR("0.2"), &d));
  assert_decimal(&d, "0.3");
  assert_true(decimal_add(STR("99.99"), STR("0.01"), &d));
  assert_decimal(&d, "100");
  assert_true(decimal_add(STR("-5"), STR("5"), &d));
  assert_decimal(&d, "0");
  assert_true(decimal_subtract(STR("0"), STR("0.5"), &d));
  assert_decimal(&d, "-0.5");
  assert_true(decimal_subtract(STR("5"), STR("0"), &d));
  assert_decimal(&d, "5");
  assert_true(decimal_subtract(STR("1"), STR("0." NINES_38), &d));
  assert_decimal(&d, "0.00000000000000000000000000000000000001");
  assert_true(decimal_multiply(STR("-1.5"), STR("0.2"), &d));
  assert_decimal(&d, "-0.3");
  assert_true(decimal_multiply(STR("-1.5"), STR("0"), &d));
  assert_decimal(&d, "0");
  assert_true(decimal_multiply(STR("1234567890123456789"), STR("9876543210987654321"), &d));
  assert_decimal(&d, "12193263113702179522374638011112635269");
  assert_false(decimal_add(STR(NINES_38), STR("1"), &d)); /* 10^38 has 39 digits */
  assert_false(decimal_add(STR(NINES_38), STR("0.1"), &d));
  assert_false(decimal_multiply(STR(NINES_38), STR(NINES_38), &d));
  assert_false(decimal_multiply(STR("0.00000000000000000001"), STR("0.0000000000000000001"), &d));
}

/* Numbers up to 10^12 with 6 fraction digits, as integers of millionths. */
static int64_t random_millionths(unsigned *seed, char out[64]) {
  int64_t n = ((int64_t)rand_r(seed) << 20 ^ rand_r(seed)) % 1000000000000;
  if (rand_r(seed) % 3 == 0) n = n / 1000000 * 1000000;
  if (rand_r(seed) % 2 == 0) n = -n;
  int64_t size = n < 0 ? -n : n;
  snprintf(out, 64, "%s%lld.%06lld", n < 0 ? "-" : "", (long long)(size / 1000000), (long long)(size % 1000000));
  return n;
}

static void random_numbers_agree_with_integer_arithmetic(void **state) {
  (void)state;
  unsigned seed = 7;
  for (int i = 0; i < 20000; i++) {
    char a[64], b[64], expected[64];
    int64_t x = random_millionths(&seed, a), y = random_millionths(&seed, b);
    int order = decimal_compare(str_of(a), str_of(b));
    assert_int_equal((order > 0) - (order < 0), (x > y) - (x < y));
    DecimalText d;
    int64_t sum = x + y, size = sum < 0 ? -sum : sum;
    snprintf(expected, sizeof expected, "%s%lld.%06lld", sum < 0 ? "-" : "", (long long)(size / 1000000), (long long)(size % 1000000));
    assert_true(decimal_add(str_of(a), str_of(b), &d));
    assert_int_equal(decimal_compare(decimal_str(&d), str_of(expected)), 0);
    __int128 product = (__int128)x * y;
    assert_true(decimal_multiply(str_of(a), str_of(b), &d));
    /* The same product, of which twelve digits stand behind the point. */
    bool is_negative = product < 0;
    if (is_negative) product = -product;
    snprintf(expected, sizeof expected, "%s%lld.%012lld", is_negative ? "-" : "", (long long)(product / 1000000000000),
             (long long)(product % 1000000000000));
    assert_int_equal(decimal_compare(decimal_str(&d), str_of(expected)), 0);
  }
}

static void digits_are_counted_and_filled_up(void **state) {
  (void)state;
  assert_int_equal(decimal_integer_digits(STR("-123.45")), 3);
  assert_int_equal(decimal_scale(STR("-123.45")), 2);
  assert_int_equal(decimal_scale(STR("5")), 0);
  DecimalText d;
  assert_true(decimal_format(STR("12.5"), 2, &d));
  assert_decimal(&d, "12.50");
  assert_true(decimal_format(STR("12"), 2, &d));
  assert_decimal(&d, "12.00");
  assert_true(decimal_format(STR("12"), 0, &d));
  assert_decimal(&d, "12");
  assert_false(decimal_format(STR("12.505"), 2, &d));
  assert_false(decimal_format(STR(NINES_38), 60, &d));
}

static void doubles_are_the_nearest(void **state) {
  (void)state;
  const char *cases[] = {"0",
                         "0.1",
                         "123456.789",
                         "-1e22",
                         "1e23",
                         "9007199254740993",
                         "2.2250738585072014e-308",
                         "4.9e-324",
                         "1.7976931348623157e308",
                         "0.30000000000000004",
                         "179769313486231580793728971405301e276",
                         "5e-324",
                         "0.000000000000000000000000001"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_true(decimal_to_double(str_of(cases[i])) == strtod(cases[i], NULL));
  assert_true(signbit(decimal_to_double(STR("-0"))));
  assert_true(isinf(decimal_to_double(STR("1e999"))));
  assert_true(isnan(decimal_to_double(STR("x"))));
  /* Just above the middle of two doubles, by a digit in the 2,000th place. */
  char text[2100];
  memset(text, '0', sizeof text);
  memcpy(text, "9007199254740993.", 17);
  text[2000] = '1';
  text[2001] = '\0';
  assert_true(decimal_to_double(str_of(text)) == 9007199254740994.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parsing_gives_the_canonical_text),
      cmocka_unit_test(what_is_malformed_or_too_long_is_refused),
      cmocka_unit_test(comparing_is_by_value),
      cmocka_unit_test(sums_and_products_are_exact),
      cmocka_unit_test(random_numbers_agree_with_integer_arithmetic),
      cmocka_unit_test(digits_are_counted_and_filled_up),
      cmocka_unit_test(doubles_are_the_nearest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
