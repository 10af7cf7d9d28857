/* decimal.h - exact decimal numbers, kept as canonical text: optional minus, no leading zeros, no trailing zeros behind the
 * point, no "-0", no exponent ("12.5", "-0.001", "0"). Up to 38 significant digits (as INTERFACE's Decimal). Thread-safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum { DECIMAL_DIGITS_MAX = 38, DECIMAL_TEXT_MAX = 80 };

typedef struct DecimalText {
  char bytes[DECIMAL_TEXT_MAX];
  size_t len;
} DecimalText;

/* Reads what JSON numbers and decimal strings look like ("1.50", "-3", "1e3"), exactly. False when malformed or beyond the digits. */
bool decimal_parse(Str s, DecimalText *ret);
static inline Str decimal_str(const DecimalText *d) { return (Str){d->bytes, d->len}; }
/* Of two canonical (or merely well-formed plain) decimals: <0, 0 or >0. Any length. */
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
/* The nearest double; for avg and comparisons with Float. */
double decimal_to_double(Str canonical);
