/* decimal.c - exact decimals, digit by digit. No double takes part except where a double is the result. */
#include "base/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static size_t skip_digits(Str s, size_t at) {
  while (at < s.len && is_digit(s.ptr[at])) at++;
  return at;
}

enum { EXPONENT_MAX = 1000000000 };

/* An exponent beyond EXPONENT_MAX stays there: no text is long enough to bring the number back. */
static bool take_exponent(Str s, size_t at, int64_t *ret) {
  bool is_negative = false;
  if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+')) is_negative = s.ptr[at++] == '-';
  if (at == s.len) return false;
  int64_t n = 0;
  for (; at < s.len; at++) {
    if (!is_digit(s.ptr[at])) return false;
    if (n < EXPONENT_MAX) n = n * 10 + (s.ptr[at] - '0');
  }
  *ret = is_negative ? -n : n;
  return true;
}

/* Drops the zeros (and the point) before the first and behind the last significant digit of s[start, end); `point` is the point's
 * place, or `end`. */
static void trim_zeros(Str s, size_t start, size_t point, size_t end, DecimalParts *parts) {
  while (start < end && (s.ptr[start] == '0' || start == point)) start++;
  while (end > start && (s.ptr[end - 1] == '0' || end - 1 == point)) end--;
  if (start == end) {
    *parts = (DecimalParts){.digits = {s.ptr, 0}};
    return;
  }
  bool has_point = start < point && point < end;
  parts->digits = (Str){s.ptr + start, end - start};
  parts->digit_count = end - start - has_point;
  /* The last digit's place: behind the point it counts down from -1, before it up from 0. */
  parts->exponent += end > point ? -(int64_t)(end - point - 1) : (int64_t)(point - end);
}

bool decimal_split(Str s, DecimalParts *ret) {
  DecimalParts parts = {.is_negative = s.len > 0 && s.ptr[0] == '-'};
  size_t start = parts.is_negative ? 1 : 0;
  size_t point = skip_digits(s, start), end = point;
  if (point == start || (s.ptr[start] == '0' && point - start > 1)) return false;
  if (point < s.len && s.ptr[point] == '.') {
    end = skip_digits(s, point + 1);
    if (end == point + 1) return false;
  }
  if (end < s.len) {
    if ((s.ptr[end] | 0x20) != 'e' || !take_exponent(s, end + 1, &parts.exponent)) return false;
  }
  trim_zeros(s, start, point, end, &parts);
  *ret = parts;
  return true;
}

/* A number in hand: digits[0] is the most significant. Wide enough for the exact product of two numbers of 38 digits, and for the sum
 * of two whose digits stand 38 places before and behind the point. */
enum { WORK_DIGITS = 80 };
typedef struct Number {
  signed char digits[WORK_DIGITS];
  int count; /* 0 for zero */
  int exponent;
  bool is_negative;
} Number;

static bool fits(size_t digit_count, int64_t exponent) {
  return digit_count == 0 ||
         (digit_count <= DECIMAL_DIGITS_MAX && (int64_t)digit_count + exponent <= DECIMAL_DIGITS_MAX && exponent >= -DECIMAL_DIGITS_MAX);
}

static bool read_number(Str s, Number *ret) {
  DecimalParts parts;
  if (!decimal_split(s, &parts) || !fits(parts.digit_count, parts.exponent)) return false;
  *ret = (Number){.exponent = (int)parts.exponent, .is_negative = parts.is_negative};
  for (size_t i = 0; i < parts.digits.len; i++)
    if (parts.digits.ptr[i] != '.') ret->digits[ret->count++] = (signed char)(parts.digits.ptr[i] - '0');
  return true;
}

static void normalize(Number *n) {
  int zeros = 0;
  while (zeros < n->count && n->digits[zeros] == 0) zeros++;
  n->count -= zeros;
  memmove(n->digits, n->digits + zeros, (size_t)n->count);
  while (n->count > 0 && n->digits[n->count - 1] == 0) {
    n->count--;
    n->exponent++;
  }
  if (n->count == 0) *n = (Number){0};
}

static void put(DecimalText *text, char byte) { text->bytes[text->len++] = byte; }

/* `n` is normal. Places are powers of ten, from the highest down to the lowest that is written. */
static bool write_number(const Number *n, DecimalText *ret) {
  if (!fits((size_t)n->count, n->exponent)) return false;
  ret->len = 0;
  if (n->is_negative) put(ret, '-');
  int highest = n->count + n->exponent - 1;
  for (int place = highest > 0 ? highest : 0; place >= 0 || place >= n->exponent; place--) {
    if (place == -1) put(ret, '.');
    int at = highest - place;
    put(ret, at >= 0 && at < n->count ? (char)('0' + n->digits[at]) : '0');
  }
  return true;
}

bool decimal_parse(Str s, DecimalText *ret) {
  Number n;
  return read_number(s, &n) && write_number(&n, ret);
}

/* The digits of both in one order, without their points; both have as many. */
static int compare_digits(Str a, Str b) {
  size_t i = 0, j = 0;
  while (i < a.len || j < b.len) {
    if (i < a.len && a.ptr[i] == '.') i++;
    if (j < b.len && b.ptr[j] == '.') j++;
    char x = i < a.len ? a.ptr[i++] : '0', y = j < b.len ? b.ptr[j++] : '0';
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

static int compare_magnitude(const DecimalParts *a, const DecimalParts *b) {
  if (a->digit_count == 0 || b->digit_count == 0) return (a->digit_count > 0) - (b->digit_count > 0);
  int64_t a_highest = a->exponent + (int64_t)a->digit_count, b_highest = b->exponent + (int64_t)b->digit_count;
  if (a_highest != b_highest) return a_highest < b_highest ? -1 : 1;
  return compare_digits(a->digits, b->digits);
}

int decimal_compare(Str a, Str b) {
  DecimalParts x, y;
  bool is_a = decimal_split(a, &x), is_b = decimal_split(b, &y);
  if (!is_a || !is_b) return is_a == is_b ? str_compare(a, b) : is_a ? -1 : 1;
  if (x.is_negative != y.is_negative) return x.is_negative ? -1 : 1;
  return x.is_negative ? compare_magnitude(&y, &x) : compare_magnitude(&x, &y);
}

/* The digit at a power of ten. */
static int digit_at(const Number *n, int place) {
  int at = n->count + n->exponent - 1 - place;
  return at >= 0 && at < n->count ? n->digits[at] : 0;
}

static int magnitude_order(const Number *a, const Number *b, int highest, int lowest) {
  for (int place = highest; place >= lowest; place--) {
    int difference = digit_at(a, place) - digit_at(b, place);
    if (difference != 0) return difference;
  }
  return 0;
}

static bool add(Number *a, Number *b, DecimalText *ret) {
  /* Zero has no place of its own. */
  if (a->count == 0 || b->count == 0) return write_number(a->count == 0 ? b : a, ret);
  int a_highest = a->count + a->exponent, b_highest = b->count + b->exponent;
  int highest = a_highest > b_highest ? a_highest : b_highest; /* one above, for the carry */
  int lowest = a->exponent < b->exponent ? a->exponent : b->exponent;
  int sign = a->is_negative == b->is_negative ? 1 : -1;
  if (sign < 0 && magnitude_order(a, b, highest, lowest) < 0) {
    Number *greater = b;
    b = a;
    a = greater;
  }
  Number sum = {.count = highest - lowest + 1, .exponent = lowest, .is_negative = a->is_negative};
  assert(sum.count <= WORK_DIGITS);
  int carry = 0;
  for (int place = lowest; place <= highest; place++) {
    int digit = digit_at(a, place) + sign * digit_at(b, place) + carry;
    carry = digit > 9 ? 1 : digit < 0 ? -1 : 0;
    sum.digits[highest - place] = (signed char)(digit - 10 * carry);
  }
  normalize(&sum);
  return write_number(&sum, ret);
}

bool decimal_add(Str a, Str b, DecimalText *ret) {
  Number x, y;
  return read_number(a, &x) && read_number(b, &y) && add(&x, &y, ret);
}

bool decimal_subtract(Str a, Str b, DecimalText *ret) {
  Number x, y;
  if (!read_number(a, &x) || !read_number(b, &y)) return false;
  y.is_negative = !y.is_negative && y.count > 0;
  return add(&x, &y, ret);
}

bool decimal_multiply(Str a, Str b, DecimalText *ret) {
  Number x, y;
  if (!read_number(a, &x) || !read_number(b, &y)) return false;
  Number product = {.count = x.count + y.count, .exponent = x.exponent + y.exponent, .is_negative = x.is_negative != y.is_negative};
  /* Column by column from the right: at most 38 products of 81 each, and the carry. */
  int carry = 0;
  for (int column = product.count - 1; column >= 0; column--) {
    int total = carry;
    for (int i = 0; i < x.count; i++) {
      int j = column - 1 - i;
      if (j >= 0 && j < y.count) total += x.digits[i] * y.digits[j];
    }
    product.digits[column] = (signed char)(total % 10);
    carry = total / 10;
  }
  normalize(&product);
  return write_number(&product, ret);
}

size_t decimal_integer_digits(Str canonical) {
  size_t sign = canonical.len > 0 && canonical.ptr[0] == '-' ? 1 : 0;
  return str_find_byte(canonical, '.', 0) - sign;
}

size_t decimal_scale(Str canonical) {
  size_t point = str_find_byte(canonical, '.', 0);
  return point == canonical.len ? 0 : canonical.len - point - 1;
}

bool decimal_format(Str canonical, size_t scale, DecimalText *ret) {
  size_t has = decimal_scale(canonical);
  if (has > scale || scale > DECIMAL_TEXT_MAX) return false;
  size_t point = has == 0 && scale > 0 ? 1 : 0;
  if (canonical.len + point + (scale - has) > DECIMAL_TEXT_MAX) return false;
  memcpy(ret->bytes, canonical.ptr, canonical.len);
  ret->len = canonical.len;
  if (point == 1) put(ret, '.');
  while (has++ < scale) put(ret, '0');
  return true;
}

/* Numbers of few digits are exact in a double, and so are small powers of ten: then one rounding is the right one. */
static bool to_double_exactly(const DecimalParts *parts, double *ret) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (parts->digit_count > 15 || parts->exponent < -22 || parts->exponent > 22) return false;
  int64_t n = 0;
  for (size_t i = 0; i < parts->digits.len; i++)
    if (parts->digits.ptr[i] != '.') n = n * 10 + (parts->digits.ptr[i] - '0');
  double magnitude = parts->exponent < 0 ? (double)n / powers[-parts->exponent] : (double)n * powers[parts->exponent];
  *ret = parts->is_negative ? -magnitude : magnitude;
  return true;
}

/* No double, nor the middle between two, has more than 768 significant digits: what stands behind only says "a little more". */
enum { DOUBLE_DIGITS_MAX = 770 };

double decimal_to_double(Str s) {
  DecimalParts parts;
  double n;
  if (!decimal_split(s, &parts)) return (double)NAN;
  if (parts.digit_count == 0) return s.ptr[0] == '-' ? -0.0 : 0.0;
  if (to_double_exactly(&parts, &n)) return n;
  char text[DOUBLE_DIGITS_MAX + 32];
  size_t len = 0, digits = 0;
  if (parts.is_negative) text[len++] = '-';
  for (size_t i = 0; i < parts.digits.len && digits < DOUBLE_DIGITS_MAX; i++) {
    if (parts.digits.ptr[i] == '.') continue;
    text[len++] = parts.digits.ptr[i];
    digits++;
  }
  if (digits < parts.digit_count) text[len - 1] = '1';
  int64_t exponent = parts.exponent + (int64_t)(parts.digit_count - digits);
  snprintf(text + len, sizeof text - len, "e%lld", (long long)exponent);
  /* No setlocale is ever called, so strtod's point is '.', and here there is none anyway. */
  return strtod(text, NULL);
}
