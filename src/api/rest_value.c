/* rest_value.c - a scalar in a URL, by its field's type: the forms are those of JSON's strings and numbers (INTERFACE §2), without quotes.
 */
#include "api/rest_decode.h"

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/uuid.h"
#include "codec/base64.h"
#include "codec/json.h"

/* The grammar of a JSON number (RFC 8259 §6): json_number_to_double trusts its input. */
static bool is_json_number(Str s) {
  size_t i = 0;
  if (i < s.len && s.ptr[i] == '-') i++;
  size_t digits = i;
  while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9') i++;
  if (i == digits || (s.ptr[digits] == '0' && i > digits + 1)) return false;
  if (i < s.len && s.ptr[i] == '.') {
    digits = ++i;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9') i++;
    if (i == digits) return false;
  }
  if (i < s.len && (s.ptr[i] | 0x20) == 'e') {
    i++;
    if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-')) i++;
    digits = i;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9') i++;
    if (i == digits) return false;
  }
  return i == s.len;
}

static bool parse_int(Str text, int64_t min, int64_t max, Value *ret) {
  int64_t n;
  if (!is_json_number(text) || !json_number_to_int64(text, &n) || n < min || n > max) return false;
  *ret = value_int(n);
  return true;
}

static bool parse_float(Str text, Value *ret) {
  double n;
  if (!is_json_number(text) || !json_number_to_double(text, &n)) return false;
  *ret = value_float(n);
  return true;
}

static Code parse_decimal(Str text, Arena *arena, Value *ret) {
  DecimalText decimal;
  if (!decimal_parse(text, &decimal)) return CODE_BAD_REQUEST;
  Str canonical = arena_str(arena, decimal_str(&decimal));
  *ret = value_decimal(canonical);
  return canonical.ptr != NULL ? CODE_OK : CODE_UNAVAILABLE;
}

static Code parse_uuid(Str text, Arena *arena, Value *ret) {
  char lower[UUID_TEXT_LEN];
  if (!uuid_parse(text, lower)) return CODE_BAD_REQUEST;
  Str copy = arena_str(arena, (Str){lower, UUID_TEXT_LEN});
  *ret = value_text(copy);
  return copy.ptr != NULL ? CODE_OK : CODE_UNAVAILABLE;
}

static bool parse_bool(Str text, Value *ret) {
  if (!str_equal(text, STR("true")) && !str_equal(text, STR("false"))) return false;
  *ret = value_bool(text.len == 4);
  return true;
}

static bool parse_timestamp(Str text, Value *ret) {
  int64_t us;
  if (!timestamp_parse(text, &us)) return false;
  *ret = (Value){.type = VALUE_TIMESTAMP, .integer = us};
  return true;
}

static bool parse_date(Str text, Value *ret) {
  int64_t days;
  if (!date_parse(text, &days)) return false;
  *ret = (Value){.type = VALUE_DATE, .integer = days};
  return true;
}

static Code parse_bytes(Str text, Arena *arena, Value *ret) {
  char *bytes = arena_alloc(arena, base64_decoded_max(text.len) + 1);
  size_t len = 0;
  if (bytes == NULL) return CODE_UNAVAILABLE;
  if (!base64_decode(text, bytes, &len)) return CODE_BAD_REQUEST;
  *ret = (Value){.type = VALUE_BYTES, .text = {bytes, len}};
  return CODE_OK;
}

static bool parse_enum(const EnumType *type, Str text, Value *ret) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (!str_equal(type->values[i].name, text)) continue;
    *ret = value_text(type->values[i].name);
    return true;
  }
  return false;
}

static Str enum_names(const EnumType *type, Arena *arena) {
  Buf out = buf_on(arena, 240);
  buf_add(&out, STR("one of "));
  for (size_t i = 0; i < type->value_count; i++) {
    if (i > 0) buf_add(&out, STR(", "));
    buf_add(&out, type->values[i].name);
  }
  return out.failed == CODE_OK ? buf_str(&out) : STR("one of the enum's names");
}

static Str expected_form(const Field *field, Arena *arena) {
  switch (field->type) {
    case TYPE_INT: return STR("an integer of 32 bits");
    case TYPE_BIGINT: return STR("an integer of 64 bits");
    case TYPE_FLOAT: return STR("a number");
    case TYPE_DECIMAL: return STR("a decimal number of at most 38 digits");
    case TYPE_BOOLEAN: return STR("true or false");
    case TYPE_DATETIME: return STR("a time such as 2026-11-23T12:00:00Z (write the + of an offset as %2B)");
    case TYPE_DATE: return STR("a date such as 2026-11-23");
    case TYPE_UUID: return STR("a UUID");
    case TYPE_BYTES: return STR("base64");
    case TYPE_ENUM: return enum_names(field->enum_type, arena);
    default: return STR("a scalar");
  }
}

static bool parse_plain(const Field *field, Str text, Value *ret) {
  switch (field->type) {
    case TYPE_INT: return parse_int(text, INT32_MIN, INT32_MAX, ret);
    case TYPE_BIGINT: return parse_int(text, INT64_MIN, INT64_MAX, ret);
    case TYPE_FLOAT: return parse_float(text, ret);
    case TYPE_BOOLEAN: return parse_bool(text, ret);
    case TYPE_DATETIME: return parse_timestamp(text, ret);
    case TYPE_DATE: return parse_date(text, ret);
    case TYPE_ENUM: return parse_enum(field->enum_type, text, ret);
    default: return false;
  }
}

static Code parse_scalar(const Field *field, Str text, Arena *arena, Value *ret) {
  switch (field->type) {
    case TYPE_ID:
    case TYPE_STRING:
    case TYPE_EMAIL:
    case TYPE_URL: *ret = value_text(text); return CODE_OK;
    case TYPE_DECIMAL: return parse_decimal(text, arena, ret);
    case TYPE_UUID: return parse_uuid(text, arena, ret);
    case TYPE_BYTES: return parse_bytes(text, arena, ret);
    default: return parse_plain(field, text, ret) ? CODE_OK : CODE_BAD_REQUEST;
  }
}

Code rest_value_parse(const Field *field, Str text, Arena *arena, Value *ret, Str *ret_expected) {
  Code code = parse_scalar(field, text, arena, ret);
  if (code == CODE_BAD_REQUEST) *ret_expected = expected_form(field, arena);
  return code;
}

Value rest_value_stored(const Field *field, Value value) {
  bool has_stored_names = field->type == TYPE_ENUM && !field->is_list && field->resource != NULL && field->enum_type->has_stored_names;
  if (!has_stored_names || value.type != VALUE_TEXT) return value;
  for (size_t i = 0; i < field->enum_type->value_count; i++) {
    if (str_equal(field->enum_type->values[i].name, value.text)) return value_text(field->enum_type->values[i].stored);
  }
  return value;
}
