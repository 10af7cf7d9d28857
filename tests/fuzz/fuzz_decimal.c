/* fuzz_decimal.c - two numbers, a line each: their sum, difference and order against a reference that knows only columns of digits. */
#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "property.h"

/* Ten's complement with 40 digits on each side of the point: subtraction is addition, and the first digit is the sign. */
enum { COLUMNS = 80, POINT = 40 };
typedef struct Columns {
  int digits[COLUMNS];
} Columns;

static Columns columns_negate(Columns c) {
  int carry = 1;
  for (int i = COLUMNS - 1; i >= 0; i--) {
    int digit = 9 - c.digits[i] + carry;
    carry = digit / 10;
    c.digits[i] = digit % 10;
  }
  return c;
}

static Columns columns_of(Str canonical) {
  Columns c = {{0}};
  bool is_negative = canonical.ptr[0] == '-';
  Str digits = str_slice(canonical, is_negative, canonical.len);
  int column = POINT - (int)str_find_byte(digits, '.', 0);
  for (size_t i = 0; i < digits.len; i++)
    if (digits.ptr[i] != '.') c.digits[column++] = digits.ptr[i] - '0';
  return is_negative ? columns_negate(c) : c;
}

static Columns columns_add(Columns a, Columns b) {
  int carry = 0;
  for (int i = COLUMNS - 1; i >= 0; i--) {
    int digit = a.digits[i] + b.digits[i] + carry;
    carry = digit / 10;
    a.digits[i] = digit % 10;
  }
  return a;
}

static int columns_sign(Columns c) {
  if (c.digits[0] >= 5) return -1;
  for (int i = 0; i < COLUMNS; i++)
    if (c.digits[i] != 0) return 1;
  return 0;
}

static bool columns_equal(Columns a, Columns b) { return memcmp(&a, &b, sizeof a) == 0; }

static bool columns_fit(Columns c) {
  if (columns_sign(c) < 0) c = columns_negate(c);
  int first = 0, last = COLUMNS - 1;
  while (first < COLUMNS && c.digits[first] == 0) first++;
  while (last > first && c.digits[last] == 0) last--;
  return first == COLUMNS ||
         (last - first < DECIMAL_DIGITS_MAX && first >= POINT - DECIMAL_DIGITS_MAX && last < POINT + DECIMAL_DIGITS_MAX);
}

static void check_canonical(Str text) {
  DecimalText again;
  PROPERTY(decimal_parse(text, &again) && str_equal(decimal_str(&again), text));
  PROPERTY(decimal_integer_digits(text) >= 1 && decimal_integer_digits(text) <= DECIMAL_DIGITS_MAX &&
           decimal_scale(text) <= DECIMAL_DIGITS_MAX);
  char plain[DECIMAL_TEXT_MAX + 1];
  memcpy(plain, text.ptr, text.len);
  plain[text.len] = '\0';
  PROPERTY(decimal_to_double(text) == strtod(plain, NULL));
  DecimalText padded;
  if (decimal_format(text, decimal_scale(text) + 2, &padded)) PROPERTY(decimal_compare(text, decimal_str(&padded)) == 0);
}

static void check_result(bool is_given, const DecimalText *result, Columns expected) {
  PROPERTY(is_given == columns_fit(expected));
  if (!is_given) return;
  check_canonical(decimal_str(result));
  PROPERTY(columns_equal(columns_of(decimal_str(result)), expected));
}

static void check_pair(Str a, Str b) {
  Columns x = columns_of(a), y = columns_of(b);
  DecimalText result, other;
  check_result(decimal_add(a, b, &result), &result, columns_add(x, y));
  Columns difference = columns_add(x, columns_negate(y));
  check_result(decimal_subtract(a, b, &result), &result, difference);
  int order = decimal_compare(a, b);
  PROPERTY((order > 0) - (order < 0) == columns_sign(difference));
  bool is_product = decimal_multiply(a, b, &result);
  PROPERTY(decimal_multiply(b, a, &other) == is_product);
  if (!is_product) return;
  check_canonical(decimal_str(&result));
  PROPERTY(str_equal(decimal_str(&result), decimal_str(&other)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Str rest = {size == 0 ? "" : (const char *)data, size}, first = {0}, second = {0};
  if (!str_split_next(&rest, '\n', &first) || !str_split_next(&rest, '\n', &second)) return 0;
  int forth = decimal_compare(first, second), back = decimal_compare(second, first);
  PROPERTY((forth > 0) == (back < 0) && (forth == 0) == (back == 0));
  DecimalText a, b;
  if (!decimal_parse(first, &a) || !decimal_parse(second, &b)) return 0;
  check_canonical(decimal_str(&a));
  PROPERTY(decimal_compare(first, decimal_str(&a)) == 0);
  check_pair(decimal_str(&a), decimal_str(&b));
  return 0;
}
