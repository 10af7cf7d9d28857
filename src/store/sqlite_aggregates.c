/* sqlite_aggregates.c - a sum is kept as signed limbs of nine digits on both sides of the point, which are added up apart and carried only
 * at the end: no row costs more than its own digits. */
#include "store/sqlite_aggregates.h"

#include "base/decimal.h"

enum {
  LIMB_DIGITS = 9,
  LIMB = 1000000000,
  FRACTION_LIMBS = 9,
  INTEGER_LIMBS = 14,
  LIMBS = FRACTION_LIMBS + INTEGER_LIMBS,
  POINT = FRACTION_LIMBS
};
enum { SUM_TEXT_MAX = LIMBS * LIMB_DIGITS + 3 };

/* SQLite aligns what it keeps for an aggregate to 8 bytes. */
typedef __int128 Integers __attribute__((aligned(8)));

typedef struct Sum {
  int64_t limbs[LIMBS]; /* lowest first; limb POINT is the units' */
  Integers integers;    /* what came as integers */
  int64_t rows;
} Sum;

/* One side's digits into limbs; `digits` begin at the point for a fraction, end at it for an integer part. */
static void add_integer_digits(Sum *sum, Str digits, int sign) {
  for (size_t limb = POINT; digits.len > 0 && limb < LIMBS; limb++) {
    size_t from = digits.len > LIMB_DIGITS ? digits.len - LIMB_DIGITS : 0;
    int64_t value = 0;
    for (size_t i = from; i < digits.len; i++) value = value * 10 + (digits.ptr[i] - '0');
    sum->limbs[limb] += sign * value;
    digits.len = from;
  }
}

static void add_fraction_digits(Sum *sum, Str digits, int sign) {
  for (size_t at = 0, limb = POINT; at < digits.len && limb-- > 0; at += LIMB_DIGITS) {
    int64_t value = 0;
    for (size_t i = at; i < at + LIMB_DIGITS; i++) value = value * 10 + (i < digits.len ? digits.ptr[i] - '0' : 0);
    sum->limbs[limb] += sign * value;
  }
}

static void add_decimal(Sum *sum, Str text) {
  int sign = text.len > 0 && text.ptr[0] == '-' ? -1 : 1;
  if (sign < 0) text = str_slice(text, 1, text.len);
  size_t point = str_find_byte(text, '.', 0);
  add_integer_digits(sum, str_slice(text, 0, point), sign);
  if (point < text.len) add_fraction_digits(sum, str_slice(text, point + 1, text.len), sign);
}

static void add_integers(Sum *sum) {
  __int128 rest = sum->integers;
  for (size_t limb = POINT; rest != 0 && limb < LIMBS; limb++, rest /= LIMB) sum->limbs[limb] += (int64_t)(rest % LIMB);
  sum->integers = 0;
}

/* Every limb between 0 and LIMB - 1; true where the sum is negative (the limbs then hold its magnitude). */
static bool carry(int64_t limbs[LIMBS]) {
  int64_t over = 0;
  for (size_t i = 0; i < LIMBS; i++) {
    int64_t value = limbs[i] + over;
    over = value / LIMB;
    limbs[i] = value % LIMB;
    if (limbs[i] < 0) {
      limbs[i] += LIMB;
      over--;
    }
  }
  return over < 0;
}

static bool normalise(int64_t limbs[LIMBS]) {
  bool is_negative = carry(limbs);
  if (!is_negative) return false;
  for (size_t i = 0; i < LIMBS; i++) limbs[i] = -limbs[i];
  carry(limbs);
  return true;
}

/* The canonical text (base/decimal.h); its length. */
static size_t write_sum(Sum *sum, char out[SUM_TEXT_MAX]) {
  char digits[LIMBS * LIMB_DIGITS];
  add_integers(sum);
  bool is_negative = normalise(sum->limbs);
  for (size_t limb = 0; limb < LIMBS; limb++) {
    int64_t value = sum->limbs[LIMBS - 1 - limb];
    for (size_t i = LIMB_DIGITS; i-- > 0; value /= 10) digits[limb * LIMB_DIGITS + i] = (char)('0' + value % 10);
  }
  size_t first = 0, point = (size_t)INTEGER_LIMBS * LIMB_DIGITS, end = sizeof digits, len = 0;
  while (first < point - 1 && digits[first] == '0') first++;
  while (end > point && digits[end - 1] == '0') end--;
  if (is_negative) out[len++] = '-';
  for (size_t i = first; i < end; i++) {
    if (i == point) out[len++] = '.';
    out[len++] = digits[i];
  }
  return len;
}

/* ---- SQLite's side ---- */

static void step(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)count;
  int type = sqlite3_value_type(values[0]);
  if (type == SQLITE_NULL) return;
  Sum *sum = sqlite3_aggregate_context(context, sizeof *sum);
  if (sum == NULL) {
    sqlite3_result_error_nomem(context);
    return;
  }
  sum->rows++;
  if (type == SQLITE_INTEGER) {
    sum->integers += sqlite3_value_int64(values[0]);
    return;
  }
  const char *text = (const char *)sqlite3_value_text(values[0]);
  DecimalText decimal;
  if (text != NULL && decimal_parse((Str){text, (size_t)sqlite3_value_bytes(values[0])}, &decimal)) add_decimal(sum, decimal_str(&decimal));
}

static void finish_sum(sqlite3_context *context) {
  Sum *sum = sqlite3_aggregate_context(context, 0);
  char text[SUM_TEXT_MAX];
  if (sum == NULL || sum->rows == 0)
    sqlite3_result_null(context);
  else
    sqlite3_result_text(context, text, (int)write_sum(sum, text), SQLITE_TRANSIENT);
}

static void finish_average(sqlite3_context *context) {
  Sum *sum = sqlite3_aggregate_context(context, 0);
  char text[SUM_TEXT_MAX];
  if (sum == NULL || sum->rows == 0) {
    sqlite3_result_null(context);
    return;
  }
  size_t len = write_sum(sum, text);
  sqlite3_result_double(context, decimal_to_double((Str){text, len}) / (double)sum->rows);
}

Code sqlite_aggregates_register(sqlite3 *db, Error *err) {
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  int failed = sqlite3_create_function_v2(db, "caisson_sum", 1, flags, NULL, NULL, step, finish_sum, NULL);
  if (failed == SQLITE_OK) failed = sqlite3_create_function_v2(db, "caisson_average", 1, flags, NULL, NULL, step, finish_average, NULL);
  return failed == SQLITE_OK ? CODE_OK : error_no_memory(err);
}
