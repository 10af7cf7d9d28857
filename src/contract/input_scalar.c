/* input_scalar.c - JSON's forms of each scalar type (INTERFACE §2). Nothing is rounded or cut. */
#include "contract/input_scalar.h"

#include "base/buf.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "codec/base64.h"
#include "contract/directive.h"
#include "contract/format.h"
#include "contract/nearest.h"

static Code fault_set(InputFault *fault, InputMistakeCode code, Str detail) {
  *fault = (InputFault){.code = code, .detail = detail};
  return CODE_VALIDATION_FAILED;
}

static Code value_set(Value *ret, Value value) {
  *ret = value;
  return CODE_OK;
}

static Code int_decode(const JsonValue *json, int64_t min, int64_t max, Str type_detail, Str range_detail, Value *ret, InputFault *fault) {
  int64_t n = 0;
  if (json->type == JSON_NUMBER && json_number_to_int64(json->text, &n) && n >= min && n <= max) return value_set(ret, value_int(n));
  bool is_integer = json->type == JSON_NUMBER && number_is_integral(json->text);
  return is_integer ? fault_set(fault, INPUT_RANGE, range_detail) : fault_set(fault, INPUT_TYPE, type_detail);
}

static Code bigint_decode(const JsonValue *json, Value *ret, InputFault *fault) {
  static const Str detail = STR_INIT("must be an integer, as a string of digits or a number");
  JsonValue number = *json;
  if (json->type == JSON_STRING) {
    bool is_integer = number_is_well_formed(json->text);
    for (size_t i = 0; i < json->text.len; i++)
      is_integer = is_integer && (json->text.ptr[i] == '-' || (json->text.ptr[i] >= '0' && json->text.ptr[i] <= '9'));
    if (!is_integer) return fault_set(fault, INPUT_TYPE, detail);
    number.type = JSON_NUMBER;
  }
  return int_decode(&number, INT64_MIN, INT64_MAX, detail, STR("must fit 64 bits: -9223372036854775808 to 9223372036854775807"), ret,
                    fault);
}

static Code float_decode(const JsonValue *json, Value *ret, InputFault *fault) {
  double n = 0;
  if (json->type != JSON_NUMBER) return fault_set(fault, INPUT_TYPE, STR("must be a number"));
  if (!json_number_to_double(json->text, &n)) return fault_set(fault, INPUT_RANGE, STR("must fit a 64-bit floating point number"));
  return value_set(ret, value_float(n));
}

static Code decimal_decode(const JsonValue *json, Arena *arena, Value *ret, InputFault *fault, Error *err) {
  bool is_text = json->type == JSON_STRING || json->type == JSON_NUMBER;
  if (!is_text || !number_is_well_formed(json->text)) return fault_set(fault, INPUT_TYPE, STR("must be a decimal number, as a string"));
  DecimalText decimal;
  if (!decimal_parse(json->text, &decimal)) return fault_set(fault, INPUT_RANGE, STR("must have at most 38 digits"));
  Str text = arena_str(arena, decimal_str(&decimal));
  TRY_ALLOC(text.ptr);
  return value_set(ret, value_decimal(text));
}

static Code datetime_decode(Str text, Value *ret, InputFault *fault) {
  int64_t us = 0;
  if (!timestamp_parse(text, &us)) {
    return fault_set(
        fault, INPUT_TYPE,
        STR("must be an RFC 3339 date and time with an offset, such as 2026-11-23T12:00:00Z, with at most six fraction digits"));
  }
  return value_set(ret, (Value){.type = VALUE_TIMESTAMP, .integer = us});
}

static Code date_decode(Str text, Value *ret, InputFault *fault) {
  int64_t days = 0;
  if (!date_parse(text, &days)) return fault_set(fault, INPUT_TYPE, STR("must be a date such as 2026-11-23"));
  return value_set(ret, (Value){.type = VALUE_DATE, .integer = days});
}

static Code uuid_decode(Str text, Arena *arena, Value *ret, InputFault *fault, Error *err) {
  char uuid[UUID_TEXT_LEN];
  if (!uuid_parse(text, uuid)) return fault_set(fault, INPUT_TYPE, STR("must be a UUID"));
  Str copy = arena_str(arena, (Str){uuid, UUID_TEXT_LEN});
  TRY_ALLOC(copy.ptr);
  return value_set(ret, value_text(copy));
}

static Code bytes_decode(Str text, Arena *arena, Value *ret, InputFault *fault, Error *err) {
  size_t len = 0;
  char *bytes = arena_alloc(arena, base64_decoded_max(text.len));
  TRY_ALLOC(bytes);
  if (!base64_decode(text, bytes, &len)) return fault_set(fault, INPUT_TYPE, STR("must be base64 with its padding"));
  return value_set(ret, (Value){.type = VALUE_BYTES, .text = {bytes, len}});
}

/* The names, as long as a sentence stays readable. */
static Code enum_fault(const EnumType *type, Str text, Arena *arena, InputFault *fault, Error *err) {
  Buf out = buf_on(arena, 400);
  Nearest nearest = nearest_to(text);
  buf_add(&out, STR("must be one of "));
  for (size_t i = 0; i < type->value_count; i++) {
    Str name = type->values[i].name;
    nearest_offer(&nearest, name);
    bool is_too_long = out.len + name.len > 360;
    if (is_too_long) {
      buf_add(&out, STR(", …"));
      break;
    }
    if (i > 0) buf_add(&out, STR(", "));
    buf_add(&out, name);
  }
  fault->code = INPUT_ENUM;
  TRY(buf_finish(&out, &fault->detail, err));
  fault->hint = nearest_hint(&nearest, arena);
  return CODE_VALIDATION_FAILED;
}

static Code enum_decode(const EnumType *type, Str text, Arena *arena, Value *ret, InputFault *fault, Error *err) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].name, text)) return value_set(ret, value_text(type->values[i].stored));
  }
  return enum_fault(type, text, arena, fault, err);
}

static Code json_decode(const JsonValue *json, Arena *arena, Value *ret, Error *err) {
  Buf out = buf_on(arena, SIZE_MAX);
  Str text = {0};
  json_write(&out, json);
  TRY(buf_finish(&out, &text, err));
  return value_set(ret, (Value){.type = VALUE_JSON, .text = text});
}

static Code text_decode(const Field *field, Str text, Arena *arena, Value *ret, InputFault *fault, Error *err) {
  switch (field->type) {
    case TYPE_DATETIME: return datetime_decode(text, ret, fault);
    case TYPE_DATE: return date_decode(text, ret, fault);
    case TYPE_UUID: return uuid_decode(text, arena, ret, fault, err);
    case TYPE_BYTES: return bytes_decode(text, arena, ret, fault, err);
    case TYPE_ENUM: return enum_decode(field->enum_type, text, arena, ret, fault, err);
    case TYPE_EMAIL:
      if (!email_is_valid(text)) return fault_set(fault, INPUT_TYPE, STR("must be an e-mail address"));
      break;
    case TYPE_URL:
      if (!url_is_valid(text)) return fault_set(fault, INPUT_TYPE, STR("must be an absolute URL, such as https://example.com/"));
      break;
    default: break;
  }
  return value_set(ret, value_text(text));
}

Code input_scalar_decode(const Field *field, const JsonValue *json, Arena *arena, Value *ret, InputFault *fault, Error *err) {
  switch (field->type) {
    case TYPE_INT:
      return int_decode(json, INT32_MIN, INT32_MAX, STR("must be an integer"), STR("must fit 32 bits: -2147483648 to 2147483647"), ret,
                        fault);
    case TYPE_BIGINT: return bigint_decode(json, ret, fault);
    case TYPE_FLOAT: return float_decode(json, ret, fault);
    case TYPE_DECIMAL: return decimal_decode(json, arena, ret, fault, err);
    case TYPE_BOOLEAN:
      if (json->type != JSON_BOOL) return fault_set(fault, INPUT_TYPE, STR("must be true or false"));
      return value_set(ret, value_bool(json->boolean));
    case TYPE_JSON: return json_decode(json, arena, ret, err);
    default:
      if (json->type != JSON_STRING) return fault_set(fault, INPUT_TYPE, STR("must be a string"));
      return text_decode(field, json->text, arena, ret, fault, err);
  }
}

Code input_scalar_parse(const Field *field, Str text, Arena *arena, Value *ret, InputFault *fault, Error *err) {
  /* JSON has seen to this already; a URL's percent-encoding has not. */
  if (!utf8_is_valid(text) || str_find_byte(text, '\0', 0) < text.len)
    return fault_set(fault, INPUT_TYPE, STR("must be valid UTF-8 without NUL"));
  JsonValue json = {.type = JSON_STRING, .text = text};
  if (field->type == TYPE_BOOLEAN) {
    bool is_true = str_equal(text, STR("true"));
    if (is_true || str_equal(text, STR("false"))) json = (JsonValue){.type = JSON_BOOL, .boolean = is_true};
  }
  bool is_number = field->type == TYPE_INT || field->type == TYPE_BIGINT || field->type == TYPE_FLOAT;
  if (is_number && number_is_well_formed(text)) json.type = JSON_NUMBER;
  return input_scalar_decode(field, &json, arena, ret, fault, err);
}

/* ---- what the field's directives ask ---- */

Code input_scalar_check(const Field *field, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  for (const DirectiveData *of = field->directives; of != NULL; of = of->next) {
    if (of->directive->check != NULL) TRY(of->directive->check(field, of->data, value, arena, err, broken, context));
  }
  return CODE_OK;
}
