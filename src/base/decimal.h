/* decimal.h - exact decimal numbers, kept as canonical text: optional minus, no leading zeros, no trailing zeros behind the
 * point, no "-0", no exponent ("12.5", "-0.001", "0"). Up to 38 significant digits (as INTERFACE's Decimal). Thread-safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum { DECIMAL_DIGITS_MAX = 38, DECIMAL_TEXT_MAX = 80 };

typedef struct DecimalText {
  char bytes[DECIMAL_TEXT_MAX];
  size_t len;
} DecimalText;

/* A number's text taken apart, whatever its length: the value is its significant digits * 10^exponent. */
typedef struct DecimalParts {
  Str digits; /* from the first digit that isn't zero to the last; the point may be among them. Empty for zero */
  size_t digit_count;
  int64_t exponent;
  bool is_negative; /* false for zero */
} DecimalParts;

/* By JSON's grammar (RFC 8259 §6): no plus sign, no leading zeros, digits on both sides of the point. False when malformed. */
bool decimal_split(Str s, DecimalParts *ret);
/* Reads what JSON numbers and decimal strings look like ("1.50", "-3", "1e3"), exactly. False when malformed, or beyond 38 significant
 * digits, or beyond 38 digits on either side of the point. */
bool decimal_parse(Str s, DecimalText *ret);
static inline Str decimal_str(const DecimalText *d) { return (Str){d->bytes, d->len}; }
/* Of two canonical (or merely well-formed) decimals: <0, 0 or >0. Any length. What is malformed comes last, by its bytes. */
int decimal_compare(Str a, Str b);
/* Exact; false where the result has more than 38 significant digits. */
bool decimal_add(Str a, Str b, DecimalText *ret);
bool decimal_subtract(Str a, Str b, DecimalText *ret);
bool decimal_multiply(Str a, Str b, DecimalText *ret);
/* Digits before and behind the point of a canonical decimal. */
size_t decimal_integer_digits(Str canonical);
size_t decimal_scale(Str canonical);
/* The canonical text with exactly `scale` fraction digits ("12.5", 2 → "12.50"); false where it has more of them, or buffer too small. */
bool decimal_format(Str canonical, size_t scale, DecimalText *ret);
/* The nearest double, of a number as decimal_split takes it; infinite where it is beyond, NaN where malformed. */
double decimal_to_double(Str s);
