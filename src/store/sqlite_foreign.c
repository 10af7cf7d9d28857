/* sqlite_foreign.c - values in tables that others made: any storage class may stand in any column, and each type has several customary
 * forms. What converts without loss is converted, as SQLite's own date functions and CAST read it; everything else doesn't fit. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "codec/json.h"
#include "store/sqlite_value.h"

static Str column_text(sqlite3_value *value) {
  const char *bytes = (const char *)sqlite3_value_text(value);
  return (Str){bytes == NULL ? "" : bytes, (size_t)sqlite3_value_bytes(value)};
}

static bool text_is_clean(Str text) { return utf8_is_valid(text) && memchr(text.ptr, '\0', text.len) == NULL; }

static bool bool_read(sqlite3_value *value, int storage, Value *ret) {
  static const struct {
    Str text;
    bool boolean;
  } forms[] = {{STR_INIT("true"), true},   {STR_INIT("t"), true},  {STR_INIT("yes"), true}, {STR_INIT("y"), true},  {STR_INIT("1"), true},
               {STR_INIT("false"), false}, {STR_INIT("f"), false}, {STR_INIT("no"), false}, {STR_INIT("n"), false}, {STR_INIT("0"), false}};
  if (storage == SQLITE_INTEGER) {
    int64_t n = sqlite3_value_int64(value);
    *ret = value_bool(n != 0);
    return n == 0 || n == 1;
  }
  if (storage != SQLITE_TEXT) return false;
  Str text = column_text(value);
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    if (!str_equal_ignore_case(text, forms[i].text)) continue;
    *ret = value_bool(forms[i].boolean);
    return true;
  }
  return false;
}

static bool double_to_int64(double number, int64_t *ret) {
  if (!(number >= -9223372036854775808.0 && number < 9223372036854775808.0) || trunc(number) != number) return false;
  *ret = (int64_t)number;
  return true;
}

static bool int_read(sqlite3_value *value, int storage, Value *ret) {
  if (storage == SQLITE_INTEGER)
    ret->integer = sqlite3_value_int64(value);
  else if (storage == SQLITE_FLOAT)
    return double_to_int64(sqlite3_value_double(value), &ret->integer);
  else
    return storage == SQLITE_TEXT && json_number_to_int64(column_text(value), &ret->integer);
  return true;
}

static bool float_read(sqlite3_value *value, int storage, Value *ret) {
  if (storage == SQLITE_BLOB) return false;
  if (storage == SQLITE_TEXT) return json_number_to_double(column_text(value), &ret->number);
  ret->number = sqlite3_value_double(value);
  return isfinite(ret->number);
}

/* A REAL in a decimal column is read with 15 digits, which every decimal of that length survives and which is how SQLite itself shows it.
 */
static bool decimal_read(sqlite3_value *value, int storage, const Field *field, SqliteScratch *scratch, Value *ret) {
  char digits[40];
  Str text = {digits, 0};
  if (storage == SQLITE_BLOB) return false;
  if (storage == SQLITE_FLOAT) {
    sqlite3_snprintf(sizeof digits, digits, "%.15g", sqlite3_value_double(value));
    text.len = strlen(digits);
  } else {
    text = column_text(value);
  }
  DecimalText decimal;
  if (!decimal_parse(text, &decimal) || decimal.len > sizeof scratch->bytes) return false;
  memcpy(scratch->bytes, decimal.bytes, decimal.len);
  ret->text = (Str){scratch->bytes, decimal.len};
  return field == NULL || field->scale < 0 || decimal_scale(ret->text) <= (size_t)field->scale;
}

/* SQLite's date functions take text, Unix seconds or a Julian day number. */
static bool timestamp_read(sqlite3_value *value, int storage, Value *ret) {
  const int64_t microseconds = 1000000;
  if (storage == SQLITE_TEXT) return timestamp_parse_loose(column_text(value), &ret->integer);
  if (storage == SQLITE_INTEGER) {
    return !__builtin_mul_overflow(sqlite3_value_int64(value), microseconds, &ret->integer) && timestamp_in_range(ret->integer);
  }
  if (storage != SQLITE_FLOAT) return false;
  const double julian_day_of_epoch = 2440587.5;
  /* A double holds a Julian day to about 40 microseconds: milliseconds are what SQLite makes of it, too. */
  double milliseconds = round((sqlite3_value_double(value) - julian_day_of_epoch) * 86400000.0);
  if (!double_to_int64(milliseconds, &ret->integer)) return false;
  return !__builtin_mul_overflow(ret->integer, (int64_t)1000, &ret->integer) && timestamp_in_range(ret->integer);
}

/* A date, or a time at midnight, which is how DATE columns of a DATETIME kind hold one. */
static bool date_read(sqlite3_value *value, int storage, Value *ret) {
  const int64_t day_us = INT64_C(86400000000);
  if (storage == SQLITE_TEXT && date_parse(column_text(value), &ret->integer)) return true;
  Value time = {.type = VALUE_TIMESTAMP};
  if (!timestamp_read(value, storage, &time) || time.integer % day_us != 0) return false;
  ret->integer = time.integer / day_us;
  return true;
}

static bool is_uuid_field(const Field *field) { return field != NULL && !field->is_list && field->type == TYPE_UUID; }

static bool uuid_from_bytes(Str bytes, SqliteScratch *scratch, Value *ret) {
  static const char hex[] = "0123456789abcdef";
  if (bytes.len != 16) return false;
  size_t at = 0;
  for (size_t i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) scratch->bytes[at++] = '-';
    scratch->bytes[at++] = hex[(unsigned char)bytes.ptr[i] >> 4];
    scratch->bytes[at++] = hex[(unsigned char)bytes.ptr[i] & 15];
  }
  ret->text = (Str){scratch->bytes, at};
  return true;
}

static bool text_read(sqlite3_value *value, int storage, const Field *field, SqliteScratch *scratch, Value *ret) {
  if (storage == SQLITE_BLOB) {
    Str bytes = {sqlite3_value_blob(value), (size_t)sqlite3_value_bytes(value)};
    return is_uuid_field(field) && uuid_from_bytes(bytes, scratch, ret);
  }
  ret->text = column_text(value);
  if (!is_uuid_field(field)) return text_is_clean(ret->text);
  if (!uuid_parse(ret->text, scratch->bytes)) return false;
  ret->text = (Str){scratch->bytes, UUID_TEXT_LEN};
  return true;
}

static Code bytes_read(sqlite3_value *value, Value *ret) {
  const char *bytes = sqlite3_value_blob(value);
  ret->text = (Str){bytes == NULL ? "" : bytes, (size_t)sqlite3_value_bytes(value)};
  return CODE_OK;
}

static Code json_read(sqlite3_value *value, int storage, Value *ret) {
  if (storage == SQLITE_BLOB) return CODE_INTERNAL;
  ret->text = column_text(value);
  Arena *arena = arena_create(0);
  if (arena == NULL) return CODE_UNAVAILABLE;
  JsonValue parsed;
  Code code = json_parse(ret->text, JSON_DEPTH_DEFAULT, arena, &parsed, NULL);
  arena_destroy(arena);
  return code == CODE_OK || code == CODE_UNAVAILABLE ? code : CODE_INTERNAL;
}

static Code fits(bool does) { return does ? CODE_OK : CODE_INTERNAL; }

Code sqlite_foreign_value(sqlite3_value *value, ValueType type, const Field *field, SqliteScratch *scratch, Value *ret) {
  int storage = sqlite3_value_type(value);
  ret->type = type;
  switch (type) {
    case VALUE_BOOL: return fits(bool_read(value, storage, ret));
    case VALUE_INT:
    case VALUE_DURATION: return fits(int_read(value, storage, ret));
    case VALUE_FLOAT: return fits(float_read(value, storage, ret));
    case VALUE_DECIMAL: return fits(decimal_read(value, storage, field, scratch, ret));
    case VALUE_TIMESTAMP: return fits(timestamp_read(value, storage, ret));
    case VALUE_DATE: return fits(date_read(value, storage, ret));
    case VALUE_TEXT: return fits(text_read(value, storage, field, scratch, ret));
    case VALUE_BYTES: return bytes_read(value, ret);
    case VALUE_JSON: return json_read(value, storage, ret);
    default: return CODE_INTERNAL;
  }
}

Code sqlite_foreign_read(sqlite3_stmt *stmt, int column, const StoreColumn *shape, SqliteScratch *scratch, Value *ret) {
  return sqlite_foreign_value(sqlite3_column_value(stmt, column), shape->type, shape->field, scratch, ret);
}
