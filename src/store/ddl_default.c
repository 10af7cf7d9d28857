/* ddl_default.c - see ddl_default.h. */
#include "store/ddl_default.h"

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/uuid.h"
#include "codec/json.h"
#include "sql/dialect_impl.h"

enum { JSON_BYTES_MAX = 1 << 20 };

static Str enum_stored(const EnumType *type, Str name) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].name, name)) return type->values[i].stored;
  }
  return name;
}

static void write_decimal(Buf *out, const DdlLiterals *literals, const DecimalText *decimal) {
  if (literals->has_decimals)
    buf_add(out, decimal_str(decimal));
  else
    sql_write_string(out, decimal_str(decimal));
}

static bool write_text(Buf *out, const DdlLiterals *literals, const Field *field, Str text) {
  char timestamp[TIMESTAMP_TEXT_MAX], uuid[UUID_TEXT_LEN];
  DecimalText decimal;
  int64_t n;
  switch (field->type) {
    case TYPE_DATETIME:
      if (!timestamp_parse(text, &n)) return false;
      text = (Str){timestamp, timestamp_write_fixed(n, timestamp)};
      break;
    case TYPE_UUID:
      if (!uuid_parse(text, uuid)) return false;
      text = (Str){uuid, UUID_TEXT_LEN};
      break;
    case TYPE_DECIMAL:
      if (!decimal_parse(text, &decimal)) return false;
      write_decimal(out, literals, &decimal);
      return true;
    case TYPE_BIGINT:
      if (!str_parse_int64(text, &n)) return false;
      buf_add_int64(out, n);
      return true;
    case TYPE_BYTES: return literals->write_bytes != NULL && literals->write_bytes(out, text);
    case TYPE_ENUM: text = enum_stored(field->enum_type, text); break;
    default: break;
  }
  sql_write_string(out, text);
  return true;
}

static bool write_number(Buf *out, const DdlLiterals *literals, const Field *field, Str text) {
  DecimalText decimal;
  int64_t n;
  double number;
  if (field->type == TYPE_DECIMAL && decimal_parse(text, &decimal)) {
    write_decimal(out, literals, &decimal);
    return true;
  }
  if ((field->type == TYPE_INT || field->type == TYPE_BIGINT) && json_number_to_int64(text, &n)) {
    buf_add_int64(out, n);
    return true;
  }
  if (field->type == TYPE_FLOAT && json_number_to_double(text, &number)) {
    json_write_double(out, number);
    return true;
  }
  return false;
}

bool ddl_default_write_scalar(Buf *out, const DdlLiterals *literals, const Field *field, const JsonValue *value) {
  switch (value->type) {
    case JSON_BOOL: buf_add(out, value->boolean ? literals->yes : literals->no); return true;
    case JSON_NUMBER: return write_number(out, literals, field, value->text);
    case JSON_STRING: return write_text(out, literals, field, value->text);
    default: return false;
  }
}

bool ddl_default_write_json(Buf *out, const JsonValue *value) {
  Buf text = buf_on_heap(JSON_BYTES_MAX);
  json_write(&text, value);
  if (text.failed == CODE_OK)
    sql_write_string(out, buf_str(&text));
  else
    out->failed = text.failed; /* a column without its default would be another one */
  buf_done(&text);
  return out->failed == CODE_OK;
}
