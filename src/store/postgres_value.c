/* postgres_value.c - scalars in PostgreSQL's binary form, and parameters. Arrays are in postgres_array.c. */
#include "store/postgres_value.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/uuid.h"
#include "codec/json.h"
#include "store/postgres_array.h"

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_US INT64_C(946684800000000)
#define EPOCH_DAYS INT64_C(10957)
#define DAY_US INT64_C(86400000000)

/* ---- the casts behind parameters ---- */

static bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* Behind a quoted text or name that begins at `at`. */
static size_t skip_quoted(Str sql, size_t at) {
  char quote = sql.ptr[at];
  size_t end = str_find_byte(sql, quote, at + 1);
  return end < sql.len ? end + 1 : sql.len;
}

static PostgresForm form_of_cast(Str cast) {
  if (!str_starts_with(cast, STR("::"))) return POSTGRES_FORM_PLAIN;
  size_t end = 2;
  while (end < cast.len && (is_name_byte(cast.ptr[end]) || cast.ptr[end] == ' ')) end++;
  bool is_uuid = str_starts_with(cast, STR("::uuid"));
  bool is_array = str_starts_with(str_slice(cast, end, cast.len), STR("[]"));
  if (is_array) return is_uuid ? POSTGRES_FORM_UUID_ARRAY : POSTGRES_FORM_ARRAY;
  return is_uuid ? POSTGRES_FORM_UUID : POSTGRES_FORM_PLAIN;
}

void postgres_forms_read(Str sql, PostgresForm *forms, size_t count) {
  if (count > 0) memset(forms, 0, count * sizeof *forms);
  for (size_t i = 0; i < sql.len;) {
    char c = sql.ptr[i];
    if (c == '\'' || c == '"') {
      i = skip_quoted(sql, i);
      continue;
    }
    i++;
    if (c != '$') continue;
    size_t number = 0;
    while (i < sql.len && sql.ptr[i] >= '0' && sql.ptr[i] <= '9' && number <= count) number = number * 10 + (size_t)(sql.ptr[i++] - '0');
    if (number == 0 || number > count) continue;
    PostgresForm form = form_of_cast(str_slice(sql, i, sql.len));
    if (forms[number - 1] == POSTGRES_FORM_UNUSED || form != POSTGRES_FORM_PLAIN) forms[number - 1] = form;
  }
}

/* ---- parameters ---- */

uint32_t postgres_param_type(ValueType type) {
  switch (type) {
    case VALUE_BOOL: return PG_BOOL;
    case VALUE_INT:
    case VALUE_DURATION: return PG_INT8;
    case VALUE_FLOAT: return PG_FLOAT8;
    case VALUE_BYTES: return PG_BYTEA;
    case VALUE_TIMESTAMP: return PG_TIMESTAMPTZ;
    case VALUE_DATE: return PG_DATE;
    default: return 0;
  }
}

static Code param_binary(uint64_t bits, size_t size, Arena *arena, PostgresParam *ret, Error *err) {
  char *bytes = arena_alloc(arena, sizeof bits);
  TRY_ALLOC(bytes);
  for (size_t i = 0; i < size; i++) bytes[i] = (char)(bits >> (8 * (size - 1 - i)));
  ret->bytes = bytes;
  ret->length = (int)size;
  ret->format = 1;
  return CODE_OK;
}

static Code param_text(Str text, Arena *arena, PostgresParam *ret, Error *err) {
  if (text.len > INT_MAX) return error_set(err, CODE_TOO_LARGE, "a value is larger than the store takes");
  Str copy = arena_str(arena, text);
  TRY_ALLOC(copy.ptr);
  ret->bytes = copy.ptr;
  ret->length = (int)copy.len;
  return CODE_OK;
}

static Code param_bytes(Str bytes, PostgresParam *ret, Error *err) {
  if (bytes.len > INT_MAX) return error_set(err, CODE_TOO_LARGE, "a value is larger than the store takes");
  ret->bytes = bytes.len == 0 ? "" : bytes.ptr;
  ret->length = (int)bytes.len;
  ret->format = 1;
  return CODE_OK;
}

static Code param_array(const Value *value, PostgresForm form, Arena *arena, PostgresParam *ret, Error *err) {
  Str text = {NULL, 0};
  bool is_uuid = form == POSTGRES_FORM_UUID_ARRAY;
  if (value->type == VALUE_LIST)
    TRY(postgres_array_of_list(value->list, is_uuid, arena, &text, err));
  else
    TRY(postgres_array_of_json(value->text, is_uuid, arena, &text, err));
  ret->bytes = text.ptr;
  ret->length = (int)text.len;
  return CODE_OK;
}

static Code param_uuid(Str text, Arena *arena, PostgresParam *ret, Error *err) {
  char uuid[UUID_TEXT_LEN];
  if (!uuid_parse(text, uuid)) return CODE_OK; /* equal to nothing, as null is */
  return param_text((Str){uuid, UUID_TEXT_LEN}, arena, ret, err);
}

static uint64_t double_bits(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}

Code postgres_param_write(const Value *value, ValueType type, PostgresForm form, Arena *arena, PostgresParam *ret, Error *err) {
  *ret = (PostgresParam){.type = form == POSTGRES_FORM_UNUSED ? PG_TEXT : form == POSTGRES_FORM_PLAIN ? postgres_param_type(type) : 0};
  if (form == POSTGRES_FORM_UNUSED) return CODE_OK;
  bool is_array = form == POSTGRES_FORM_ARRAY || form == POSTGRES_FORM_UUID_ARRAY;
  if (is_array && (value->type == VALUE_LIST || value->type == VALUE_JSON)) return param_array(value, form, arena, ret, err);
  switch (value->type) {
    case VALUE_BOOL: return param_binary(value->boolean, 1, arena, ret, err);
    case VALUE_INT:
    case VALUE_DURATION: return param_binary((uint64_t)value->integer, 8, arena, ret, err);
    case VALUE_FLOAT: return param_binary(double_bits(value->number), 8, arena, ret, err);
    case VALUE_TIMESTAMP: return param_binary((uint64_t)(value->integer - EPOCH_US), 8, arena, ret, err);
    case VALUE_DATE: return param_binary((uint64_t)(value->integer - EPOCH_DAYS), 4, arena, ret, err);
    case VALUE_BYTES: return param_bytes(value->text, ret, err);
    case VALUE_TEXT:
      if (form == POSTGRES_FORM_UUID) return param_uuid(value->text, arena, ret, err);
      return param_text(value->text, arena, ret, err);
    case VALUE_DECIMAL:
    case VALUE_JSON: return param_text(value->text, arena, ret, err);
    default: return CODE_OK;
  }
}

/* ---- binary forms ---- */

static uint64_t bits_of(Str bytes) {
  uint64_t bits = 0;
  for (size_t i = 0; i < bytes.len; i++) bits = bits << 8 | (unsigned char)bytes.ptr[i];
  return bits;
}

/* An integer of 2, 4 or 8 bytes. */
static int64_t int_of(Str bytes) {
  switch (bytes.len) {
    case 2: return (int16_t)bits_of(bytes);
    case 4: return (int32_t)bits_of(bytes);
    default: return (int64_t)bits_of(bytes);
  }
}

static bool is_int(uint32_t oid, Str bytes) {
  return (oid == PG_INT8 && bytes.len == 8) || (oid == PG_INT4 && bytes.len == 4) || (oid == PG_INT2 && bytes.len == 2);
}

static double double_of(Str bytes) {
  uint64_t bits = bits_of(bytes);
  double number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

/* The double that a real shows: 0.1 is 0.1, not the number next to it. */
static double real_of(Str bytes) {
  uint32_t bits = (uint32_t)bits_of(bytes);
  float number;
  char text[32];
  memcpy(&number, &bits, sizeof number);
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)number);
    if (strtof(text, NULL) == number) break;
  }
  return strtod(text, NULL);
}

static bool float_read(uint32_t oid, Str bytes, double *ret) {
  if (oid == PG_FLOAT8 && bytes.len == 8)
    *ret = double_of(bytes);
  else if (oid == PG_FLOAT4 && bytes.len == 4)
    *ret = real_of(bytes);
  else
    return false;
  return isfinite(*ret);
}

enum { NUMERIC_HEADER = 8, NUMERIC_POSITIVE = 0x0000, NUMERIC_NEGATIVE = 0x4000 };

static void write_group(Buf *out, unsigned group, bool is_first) {
  char digits[4];
  size_t start = 0;
  for (size_t i = 4; i-- > 0; group /= 10) digits[i] = (char)('0' + group % 10);
  while (is_first && start < 3 && digits[start] == '0') start++;
  buf_add(out, (Str){digits + start, 4 - start});
}

/* Base 10000: a count, the first group's power, a sign, the scale shown; then the groups. Canonical: no zeros that say nothing. */
static bool numeric_write(Str bytes, Buf *out) {
  if (bytes.len < NUMERIC_HEADER) return false;
  int64_t count = int_of(str_slice(bytes, 0, 2)), weight = int_of(str_slice(bytes, 2, 4));
  uint64_t sign = bits_of(str_slice(bytes, 4, 6));
  if (count < 0 || bytes.len != NUMERIC_HEADER + 2 * (size_t)count) return false; /* 16 bits of weight bound the text by themselves */
  if (sign != NUMERIC_POSITIVE && sign != NUMERIC_NEGATIVE) return false;         /* NaN and the infinities */
  if (count == 0) return buf_add_byte(out, '0'), true;
  if (sign == NUMERIC_NEGATIVE) buf_add_byte(out, '-');
  if (weight < 0) buf_add_byte(out, '0');
  size_t point = 0;
  int64_t first = weight < -1 ? -1 : weight, last = weight - count + 1 > 0 ? 0 : weight - count + 1;
  for (int64_t power = first; power >= last; power--) {
    int64_t index = weight - power;
    unsigned group = index < 0 || index >= count
                         ? 0
                         : (unsigned)bits_of(str_slice(bytes, NUMERIC_HEADER + 2 * (size_t)index, NUMERIC_HEADER + 2 * (size_t)index + 2));
    if (group > 9999) return false;
    if (power == -1) {
      point = out->len;
      buf_add_byte(out, '.');
    }
    write_group(out, group, power == weight && power >= 0);
  }
  while (point > 0 && out->len > point && (out->ptr[out->len - 1] == '0' || out->len == point + 1)) out->len--;
  return out->failed == CODE_OK;
}

/* From here on CODE_INTERNAL is what doesn't fit, CODE_UNAVAILABLE a lack of memory. */
static Code fits(bool does) { return does ? CODE_OK : CODE_INTERNAL; }

static Code numeric_read(Str bytes, Arena *arena, Str *ret) {
  Buf out = buf_on(arena, SIZE_MAX / 2);
  bool is_number = numeric_write(bytes, &out);
  if (out.failed != CODE_OK) return CODE_UNAVAILABLE;
  *ret = buf_str(&out);
  return fits(is_number);
}

/* ---- by the wanted type ---- */

static Code read_int(uint32_t oid, Str bytes, Arena *arena, int64_t *ret) {
  Str text;
  if (is_int(oid, bytes)) return *ret = int_of(bytes), CODE_OK;
  if (oid != PG_NUMERIC) return CODE_INTERNAL;
  TRY(numeric_read(bytes, arena, &text));
  return fits(str_parse_int64(text, ret));
}

static Code read_float(uint32_t oid, Str bytes, Arena *arena, double *ret) {
  Str text;
  if (is_int(oid, bytes)) return *ret = (double)int_of(bytes), CODE_OK;
  if (oid != PG_NUMERIC) return fits(float_read(oid, bytes, ret));
  TRY(numeric_read(bytes, arena, &text));
  *ret = decimal_to_double(text);
  return fits(isfinite(*ret));
}

static Code read_decimal(uint32_t oid, Str bytes, const StoreColumn *shape, Arena *arena, Str *ret) {
  DecimalText decimal;
  double number;
  if (oid == PG_NUMERIC) {
    TRY(numeric_read(bytes, arena, ret));
  } else if (is_int(oid, bytes)) {
    *ret = arena_printf(arena, "%lld", (long long)int_of(bytes));
  } else if (float_read(oid, bytes, &number)) {
    Str text = arena_printf(arena, "%.15g", number);
    if (text.ptr == NULL) return CODE_UNAVAILABLE;
    if (!decimal_parse(text, &decimal)) return CODE_INTERNAL;
    *ret = arena_str(arena, decimal_str(&decimal));
  } else {
    return CODE_INTERNAL;
  }
  if (ret->ptr == NULL) return CODE_UNAVAILABLE;
  /* What was computed may be longer than a field's value (the sum of a column). */
  const Field *field = shape->field;
  if (field == NULL || field->type != TYPE_DECIMAL || !shape->is_foreign) return CODE_OK;
  return fits(decimal_parse(*ret, &decimal) && (field->scale < 0 || decimal_scale(*ret) <= (size_t)field->scale));
}

static bool read_timestamp(uint32_t oid, Str bytes, int64_t *ret) {
  if ((oid == PG_TIMESTAMPTZ || oid == PG_TIMESTAMP) && bytes.len == 8)
    return !__builtin_add_overflow(int_of(bytes), EPOCH_US, ret) && timestamp_in_range(*ret);
  if (oid != PG_DATE || bytes.len != 4) return false;
  int64_t days = int_of(bytes) + EPOCH_DAYS;
  *ret = days * DAY_US;
  return date_in_range(days);
}

static bool read_date(uint32_t oid, Str bytes, int64_t *ret) {
  if (oid == PG_DATE && bytes.len == 4) {
    *ret = int_of(bytes) + EPOCH_DAYS;
    return date_in_range(*ret);
  }
  int64_t us;
  if (!read_timestamp(oid, bytes, &us) || us % DAY_US != 0) return false;
  *ret = us / DAY_US;
  return true;
}

static Code read_uuid(Str bytes, Arena *arena, Str *ret) {
  static const char hex[] = "0123456789abcdef";
  if (bytes.len != 16) return CODE_INTERNAL;
  char *out = arena_alloc(arena, UUID_TEXT_LEN);
  if (out == NULL) return CODE_UNAVAILABLE;
  size_t at = 0;
  for (size_t i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
    out[at++] = hex[(unsigned char)bytes.ptr[i] >> 4];
    out[at++] = hex[(unsigned char)bytes.ptr[i] & 15];
  }
  *ret = (Str){out, UUID_TEXT_LEN};
  return CODE_OK;
}

static bool is_text_type(uint32_t oid) {
  return oid == PG_TEXT || oid == PG_VARCHAR || oid == PG_BPCHAR || oid == PG_NAME || oid == PG_CHAR;
}

static Code read_text(uint32_t oid, Str bytes, const StoreColumn *shape, Arena *arena, Str *ret) {
  if (oid == PG_UUID) return read_uuid(bytes, arena, ret);
  if (!is_text_type(oid)) return CODE_INTERNAL;
  /* char(n): its padding is no part of the value. */
  while (oid == PG_BPCHAR && bytes.len > 0 && bytes.ptr[bytes.len - 1] == ' ') bytes.len--;
  *ret = bytes;
  if (!shape->is_foreign || shape->field == NULL || shape->field->is_list || shape->field->type != TYPE_UUID) return CODE_OK;
  char uuid[UUID_TEXT_LEN];
  if (!uuid_parse(bytes, uuid)) return CODE_INTERNAL;
  *ret = arena_str(arena, (Str){uuid, UUID_TEXT_LEN});
  return ret->ptr != NULL ? CODE_OK : CODE_UNAVAILABLE;
}

/* Without the spaces that jsonb, or whoever wrote the document, puts between its parts. */
static Code json_compact(Str text, Arena *arena, Str *ret) {
  char *out = arena_alloc(arena, text.len);
  if (out == NULL) return CODE_UNAVAILABLE;
  size_t len = 0;
  bool is_string = false;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (!is_string && (c == ' ' || c == '\n' || c == '\t' || c == '\r')) continue;
    if (is_string && c == '\\' && i + 1 < text.len) out[len++] = text.ptr[i++];
    if (c == '"') is_string = !is_string;
    out[len++] = text.ptr[i];
  }
  *ret = (Str){out, len};
  return CODE_OK;
}

/* The database holds a text to be JSON where its type says so alone. */
static Code read_foreign_json(Str bytes, Arena *arena, Str *ret) {
  Arena *scratch = arena_create(0);
  if (scratch == NULL) return CODE_UNAVAILABLE;
  JsonValue parsed;
  Code code = json_parse(bytes, JSON_DEPTH_DEFAULT, scratch, &parsed, NULL);
  arena_destroy(scratch);
  if (code != CODE_OK) return code == CODE_UNAVAILABLE ? code : CODE_INTERNAL;
  return json_compact(bytes, arena, ret);
}

static Code read_json(uint32_t oid, Str bytes, const StoreColumn *shape, Arena *arena, Str *ret) {
  if (is_text_type(oid) && shape->is_foreign) return read_foreign_json(bytes, arena, ret);
  if (oid == PG_JSON || is_text_type(oid)) return shape->is_foreign ? json_compact(bytes, arena, ret) : (*ret = bytes, CODE_OK);
  if (oid == PG_JSONB) {
    bool is_known = bytes.len > 0 && bytes.ptr[0] == 1;
    return is_known ? json_compact(str_slice(bytes, 1, bytes.len), arena, ret) : CODE_INTERNAL;
  }
  return postgres_array_read(bytes, shape, arena, ret);
}

static bool read_bool(uint32_t oid, Str bytes, bool *ret) {
  if (oid == PG_BOOL && bytes.len == 1) return *ret = bytes.ptr[0] != 0, true;
  if (!is_int(oid, bytes)) return false;
  *ret = int_of(bytes) != 0;
  return true;
}

static bool enum_has(const EnumType *type, Str stored) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].stored, stored)) return true;
  }
  return false;
}

/* The bounds that a type has beyond its storage form: 32 bits of an Int, the names of an enum. */
static bool fits_field(const Value *value, const Field *field) {
  if (field == NULL || field->is_list) return true;
  if (value->type == VALUE_INT && field->type == TYPE_INT) return value->integer >= INT32_MIN && value->integer <= INT32_MAX;
  if (value->type == VALUE_TEXT && field->type == TYPE_ENUM) return enum_has(field->enum_type, value->text);
  return true;
}

static Code read_value(uint32_t oid, Str bytes, const StoreColumn *shape, Arena *arena, Value *ret) {
  double number = 0;
  switch (shape->type) {
    case VALUE_BOOL: return fits(read_bool(oid, bytes, &ret->boolean));
    case VALUE_INT:
    case VALUE_DURATION: return read_int(oid, bytes, arena, &ret->integer);
    case VALUE_FLOAT: TRY(read_float(oid, bytes, arena, &number)); return *ret = value_float(number), CODE_OK;
    case VALUE_DECIMAL: return read_decimal(oid, bytes, shape, arena, &ret->text);
    case VALUE_TIMESTAMP: return fits(read_timestamp(oid, bytes, &ret->integer));
    case VALUE_DATE: return fits(read_date(oid, bytes, &ret->integer));
    case VALUE_TEXT: return read_text(oid, bytes, shape, arena, &ret->text);
    case VALUE_BYTES: return ret->text = bytes, fits(oid == PG_BYTEA);
    case VALUE_JSON: return read_json(oid, bytes, shape, arena, &ret->text);
    default: return CODE_INTERNAL;
  }
}

Code postgres_value_read(uint32_t oid, Str bytes, const StoreColumn *shape, Arena *arena, Value *ret) {
  *ret = (Value){.type = shape->type};
  TRY(read_value(oid, bytes, shape, arena, ret));
  return fits(fits_field(ret, shape->field));
}
