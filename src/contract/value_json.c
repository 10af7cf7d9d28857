#include "contract/value_json.h"

#include "base/datetime.h"
#include "base/decimal.h"
#include "codec/base64.h"
#include "codec/json.h"

static void write_decimal(const Field *field, Str decimal, Buf *out) {
  DecimalText fixed;
  bool is_fixed = field->scale >= 0 && decimal_format(decimal, (size_t)field->scale, &fixed);
  json_write_string(out, is_fixed ? decimal_str(&fixed) : decimal);
}

static void write_int(const Field *field, int64_t n, Buf *out) {
  bool is_text = field->type == TYPE_BIGINT;
  if (is_text) buf_add_byte(out, '"');
  buf_add_int64(out, n);
  if (is_text) buf_add_byte(out, '"');
}

static void write_bytes(Str bytes, Buf *out) {
  buf_add_byte(out, '"');
  base64_write(out, bytes);
  buf_add_byte(out, '"');
}

void value_write_json(const Field *field, const Value *value, Buf *out) {
  char text[TIMESTAMP_TEXT_MAX];
  switch (value->type) {
    case VALUE_NULL: buf_add(out, STR("null")); break;
    case VALUE_BOOL: buf_add(out, value->boolean ? STR("true") : STR("false")); break;
    case VALUE_INT: write_int(field, value->integer, out); break;
    case VALUE_FLOAT: json_write_double(out, value->number); break;
    case VALUE_DECIMAL: write_decimal(field, value->text, out); break;
    case VALUE_TIMESTAMP: json_write_string(out, (Str){text, timestamp_write(value->integer, text)}); break;
    case VALUE_DATE: json_write_string(out, (Str){text, date_write(value->integer, text)}); break;
    case VALUE_JSON: buf_add(out, value->text); break;
    case VALUE_BYTES: write_bytes(value->text, out); break;
    default: json_write_string(out, field->type == TYPE_ENUM ? enum_name_of(field->enum_type, value->text) : value->text); break;
  }
}
