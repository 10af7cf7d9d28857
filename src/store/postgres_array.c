/* postgres_array.c - see postgres_array.h. */
#include "store/postgres_array.h"

#include <limits.h>

#include "base/buf.h"
#include "base/datetime.h"
#include "base/uuid.h"
#include "codec/json.h"
#include "contract/value_json.h"
#include "store/postgres_value.h"

/* ---- written ---- */

static void write_quoted(Buf *out, Str text) {
  buf_add_byte(out, '"');
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '"' || text.ptr[i] == '\\') buf_add_byte(out, '\\');
    buf_add_byte(out, text.ptr[i]);
  }
  buf_add_byte(out, '"');
}

static void write_text(Buf *out, Str text, bool is_uuid) {
  char uuid[UUID_TEXT_LEN];
  if (is_uuid && !uuid_parse(text, uuid))
    buf_add(out, STR("NULL"));
  else
    write_quoted(out, text);
}

static void write_hex(Buf *out, Str bytes) {
  static const char hex[] = "0123456789abcdef";
  buf_add(out, STR("\"\\\\x"));
  for (size_t i = 0; i < bytes.len; i++) {
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] >> 4]);
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] & 15]);
  }
  buf_add_byte(out, '"');
}

static void write_item(Buf *out, const Value *item, bool is_uuid) {
  char text[TIMESTAMP_TEXT_MAX];
  switch (item->type) {
    case VALUE_BOOL: buf_add_byte(out, item->boolean ? 't' : 'f'); return;
    case VALUE_INT:
    case VALUE_DURATION: buf_add_int64(out, item->integer); return;
    case VALUE_FLOAT: json_write_double(out, item->number); return;
    case VALUE_TIMESTAMP: write_quoted(out, (Str){text, timestamp_write_fixed(item->integer, text)}); return;
    case VALUE_DATE: write_quoted(out, (Str){text, date_write(item->integer, text)}); return;
    case VALUE_TEXT: write_text(out, item->text, is_uuid); return;
    case VALUE_DECIMAL:
    case VALUE_JSON: write_quoted(out, item->text); return;
    case VALUE_BYTES: write_hex(out, item->text); return;
    default: buf_add(out, STR("NULL")); return;
  }
}

static Code finish(Buf *out, Str *ret, Error *err) {
  buf_add(out, STR("}"));
  buf_add_byte(out, '\0');
  TRY(buf_finish(out, ret, err));
  ret->len--;
  return CODE_OK;
}

Code postgres_array_of_list(ValueList list, bool is_uuid, Arena *arena, Str *ret, Error *err) {
  Buf out = buf_on(arena, INT_MAX);
  buf_add_byte(&out, '{');
  for (size_t i = 0; i < list.count; i++) {
    if (i > 0) buf_add_byte(&out, ',');
    write_item(&out, &list.items[i], is_uuid);
  }
  return finish(&out, ret, err);
}

Code postgres_array_of_json(Str json, bool is_uuid, Arena *arena, Str *ret, Error *err) {
  JsonValue list;
  TRY(json_parse(json, JSON_DEPTH_DEFAULT, arena, &list, err));
  if (list.type != JSON_ARRAY) return error_set(err, CODE_INTERNAL, "a list is no JSON array");
  Buf out = buf_on(arena, INT_MAX);
  buf_add_byte(&out, '{');
  for (size_t i = 0; i < list.count; i++) {
    const JsonValue *item = &list.items[i];
    if (i > 0) buf_add_byte(&out, ',');
    switch (item->type) {
      case JSON_BOOL: buf_add_byte(&out, item->boolean ? 't' : 'f'); break;
      case JSON_NUMBER: buf_add(&out, item->text); break;
      case JSON_STRING: write_text(&out, item->text, is_uuid); break;
      case JSON_NULL: buf_add(&out, STR("NULL")); break;
      default: return error_set(err, CODE_INTERNAL, "a list of scalars has an item that is none");
    }
  }
  return finish(&out, ret, err);
}

/* ---- read ---- */

static uint32_t uint32_at(Str bytes, size_t at) {
  const unsigned char *b = (const unsigned char *)bytes.ptr + at;
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Dimensions, a flag, the items' type; for each dimension its length and first index; for each item its length (-1: null) and bytes. */
enum { ARRAY_HEADER = 12, ARRAY_DIMENSION = 8, ITEMS_MAX = 1 << 24 };

static ValueType item_type(const Field *field) {
  Field item = *field;
  item.is_list = false;
  return field_value_type(&item);
}

static Code write_read_item(Buf *out, uint32_t oid, Str bytes, const StoreColumn *shape, Arena *arena) {
  Value value;
  TRY(postgres_value_read(oid, bytes, shape, arena, &value));
  /* An enum's items are names, as the list's writer left them. */
  if (value.type == VALUE_TEXT || shape->field == NULL)
    json_write_string(out, value.text);
  else
    value_write_json(shape->field, &value, out);
  return CODE_OK;
}

static Code write_items(Buf *out, Str bytes, const StoreColumn *item_shape, Arena *arena) {
  uint32_t oid = uint32_at(bytes, 8), count = uint32_at(bytes, ARRAY_HEADER);
  size_t at = ARRAY_HEADER + ARRAY_DIMENSION;
  if (count > ITEMS_MAX) return CODE_INTERNAL;
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    if (bytes.len - at < 4) return CODE_INTERNAL;
    uint32_t len = uint32_at(bytes, at);
    at += 4;
    if (len == UINT32_MAX) {
      buf_add(out, STR("null"));
      continue;
    }
    if (len > bytes.len - at) return CODE_INTERNAL;
    TRY(write_read_item(out, oid, str_slice(bytes, at, at + len), item_shape, arena));
    at += len;
  }
  return at == bytes.len ? CODE_OK : CODE_INTERNAL;
}

Code postgres_array_read(Str bytes, const StoreColumn *shape, Arena *arena, Str *ret) {
  const Field *field = shape->field;
  if (field == NULL || !field->is_list || bytes.len < ARRAY_HEADER) return CODE_INTERNAL;
  uint32_t dimensions = uint32_at(bytes, 0);
  if (dimensions > 1 || (dimensions == 1 && bytes.len < ARRAY_HEADER + ARRAY_DIMENSION)) return CODE_INTERNAL;
  StoreColumn item_shape = {.type = item_type(field), .is_foreign = shape->is_foreign, .field = field};
  /* A list within a list has no such form, and would lead here again. */
  if (item_shape.type == VALUE_JSON) return CODE_INTERNAL;
  Buf out = buf_on(arena, SIZE_MAX / 2);
  buf_add_byte(&out, '[');
  if (dimensions == 1) TRY(write_items(&out, bytes, &item_shape, arena));
  buf_add_byte(&out, ']');
  *ret = buf_str(&out);
  return out.failed == CODE_OK ? CODE_OK : CODE_UNAVAILABLE;
}
