/* expr_value.c - see expr_value.h. */
#include "contract/expr_value.h"

#include <assert.h>
#include <math.h>

#include "base/datetime.h"
#include "codec/base64.h"

/* ---- arithmetic ---- */

bool expr_int_arithmetic(ExprKind kind, int64_t a, int64_t b, int64_t *ret) {
  bool is_division = kind == EXPR_DIV || kind == EXPR_MOD;
  if (is_division && (b == 0 || (a == INT64_MIN && b == -1))) return false;
  switch (kind) {
    case EXPR_ADD: return !__builtin_add_overflow(a, b, ret);
    case EXPR_SUB: return !__builtin_sub_overflow(a, b, ret);
    case EXPR_MUL: return !__builtin_mul_overflow(a, b, ret);
    case EXPR_DIV: *ret = a / b; return true;
    case EXPR_MOD: *ret = a % b; return true;
    default: assert(false); return false;
  }
}

bool expr_float_arithmetic(ExprKind kind, double a, double b, double *ret) {
  double result = 0;
  switch (kind) {
    case EXPR_ADD: result = a + b; break;
    case EXPR_SUB: result = a - b; break;
    case EXPR_MUL: result = a * b; break;
    case EXPR_DIV:
      if (b == 0) return false;
      result = a / b;
      break;
    default: assert(false);
  }
  if (!isfinite(result)) return false;
  *ret = result;
  return true;
}

bool expr_decimal_arithmetic(ExprKind kind, Str a, Str b, DecimalText *ret) {
  switch (kind) {
    case EXPR_ADD: return decimal_add(a, b, ret);
    case EXPR_SUB: return decimal_subtract(a, b, ret);
    case EXPR_MUL: return decimal_multiply(a, b, ret);
    default: assert(false); return false;
  }
}

bool expr_timestamp_shift(ExprKind kind, int64_t us, int64_t duration_us, int64_t *ret) {
  int64_t shifted = 0;
  if (!expr_int_arithmetic(kind, us, duration_us, &shifted) || !timestamp_in_range(shifted)) return false;
  *ret = shifted;
  return true;
}

/* ---- order ---- */

int expr_value_compare(const Value *a, const Value *b) {
  assert(a->type == b->type);
  switch (a->type) {
    case VALUE_BOOL: return (int)a->boolean - (int)b->boolean;
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: return (a->integer > b->integer) - (a->integer < b->integer);
    case VALUE_FLOAT: return (a->number > b->number) - (a->number < b->number);
    case VALUE_DECIMAL: return decimal_compare(a->text, b->text);
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON: return str_compare(a->text, b->text);
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_ROW:
    case VALUE_ROWS: break;
  }
  assert(false);
  return 0;
}

/* ---- from JSON and text ---- */

static bool decimal_of(Str text, Arena *arena, Value *ret) {
  DecimalText decimal;
  if (!decimal_parse(text, &decimal)) return true;
  /* What is canonical already is borrowed. */
  Str canonical = str_equal(decimal_str(&decimal), text) ? text : arena_str(arena, decimal_str(&decimal));
  if (canonical.ptr == NULL) return false;
  *ret = value_decimal(canonical);
  return true;
}

static bool bytes_of(Str text, Arena *arena, Value *ret) {
  char *bytes = (char *)arena_alloc(arena, base64_decoded_max(text.len));
  size_t len = 0;
  if (bytes == NULL) return false;
  if (base64_decode(text, bytes, &len)) *ret = (Value){.type = VALUE_BYTES, .text = {bytes, len}};
  return true;
}

bool expr_value_of_text(Str text, ExprType type, Arena *arena, Value *ret) {
  int64_t number = 0;
  double real = 0;
  *ret = value_null();
  switch (type) {
    case EXPR_TYPE_STRING: *ret = value_text(text); break;
    case EXPR_TYPE_INT:
      if (str_parse_int64(text, &number)) *ret = value_int(number);
      break;
    case EXPR_TYPE_FLOAT:
      if (json_number_to_double(text, &real)) *ret = value_float(real);
      break;
    case EXPR_TYPE_DECIMAL: return decimal_of(text, arena, ret);
    case EXPR_TYPE_TIMESTAMP:
      if (timestamp_parse(text, &number)) *ret = (Value){.type = VALUE_TIMESTAMP, .integer = number};
      break;
    case EXPR_TYPE_DATE:
      if (date_parse(text, &number)) *ret = (Value){.type = VALUE_DATE, .integer = number};
      break;
    case EXPR_TYPE_DURATION:
      if (duration_parse(text, &number)) *ret = (Value){.type = VALUE_DURATION, .integer = number};
      break;
    case EXPR_TYPE_BYTES: return bytes_of(text, arena, ret);
    default: break;
  }
  return true;
}

static bool number_of_json(Str text, ExprType type, Arena *arena, Value *ret) {
  int64_t number = 0;
  double real = 0;
  if (type == EXPR_TYPE_INT && json_number_to_int64(text, &number)) *ret = value_int(number);
  if (type == EXPR_TYPE_FLOAT && json_number_to_double(text, &real)) *ret = value_float(real);
  return type == EXPR_TYPE_DECIMAL ? decimal_of(text, arena, ret) : true;
}

static bool list_of_json(const JsonValue *json, ExprType item_type, Arena *arena, Value *ret) {
  Value *items = ARENA_ARRAY(arena, Value, json->count);
  if (items == NULL) return false;
  for (size_t i = 0; i < json->count; i++) {
    if (!expr_value_of_json(&json->items[i], item_type, EXPR_TYPE_NULL, arena, &items[i])) return false;
  }
  *ret = (Value){.type = VALUE_LIST, .list = {items, json->count}};
  return true;
}

/* JSON's own text again: embedded objects that are looked into later. */
static bool text_of_json(const JsonValue *json, Arena *arena, Value *ret) {
  Buf out = buf_on(arena, SIZE_MAX);
  json_write(&out, json);
  if (out.failed != CODE_OK) return false;
  *ret = (Value){.type = VALUE_JSON, .text = buf_str(&out)};
  return true;
}

bool expr_value_of_json(const JsonValue *json, ExprType type, ExprType item_type, Arena *arena, Value *ret) {
  *ret = value_null();
  if (json == NULL || json->type == JSON_NULL) return true;
  if (type == EXPR_TYPE_JSON) return text_of_json(json, arena, ret);
  switch (json->type) {
    case JSON_BOOL:
      if (type == EXPR_TYPE_BOOL) *ret = value_bool(json->boolean);
      return true;
    case JSON_NUMBER: return number_of_json(json->text, type, arena, ret);
    case JSON_STRING: return expr_value_of_text(json->text, type, arena, ret);
    case JSON_ARRAY: return type == EXPR_TYPE_LIST ? list_of_json(json, item_type, arena, ret) : true;
    default: return true;
  }
}

bool expr_list_of_json_text(Str text, ExprType item_type, Arena *arena, Value *ret) {
  JsonValue json;
  Error error = {0};
  Code code = json_parse(text, JSON_DEPTH_DEFAULT, arena, &json, &error);
  if (code == CODE_UNAVAILABLE) return false;
  if (code != CODE_OK || json.type != JSON_ARRAY) {
    *ret = (Value){.type = VALUE_LIST};
    return true;
  }
  return list_of_json(&json, item_type, arena, ret);
}
