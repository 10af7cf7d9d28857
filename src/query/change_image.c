#include "query/change_image.h"

#include "codec/base64.h"
#include "codec/json.h"

/* ---- writing ---- */

static void write_value(Buf *out, const Value *value) {
  switch (value->type) {
    case VALUE_BOOL: buf_add(out, value->boolean ? STR("true") : STR("false")); return;
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: buf_add_int64(out, value->integer); return;
    case VALUE_FLOAT: json_write_double(out, value->number); return;
    case VALUE_DECIMAL:
    case VALUE_TEXT: json_write_string(out, value->text); return;
    case VALUE_JSON: buf_add(out, value->text); return;
    case VALUE_BYTES:
      buf_add_byte(out, '"');
      base64_write(out, value->text);
      buf_add_byte(out, '"');
      return;
    default: buf_add(out, STR("null")); return;
  }
}

void change_image_write(Buf *out, const Resource *resource, const Value *row) {
  char separator = '{';
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (value_is_null(&row[i])) continue;
    buf_add_byte(out, separator);
    json_write_string(out, resource->stored[i]->column);
    buf_add_byte(out, ':');
    write_value(out, &row[i]);
    separator = ',';
  }
  if (separator == '{') buf_add_byte(out, '{');
  buf_add_byte(out, '}');
}

void change_key_write(Buf *out, const Resource *resource, const Value *row) {
  for (size_t i = 0; i < resource->key_count; i++) {
    buf_add_byte(out, i == 0 ? '[' : ',');
    write_value(out, &row[resource->keys[i]->stored_index]);
  }
  buf_add_byte(out, ']');
}

/* ---- reading ---- */

static Code refuse(const Field *field, Error *err) {
  return error_set(err, CODE_INTERNAL, "the change of a row holds no value for %.*s.%.*s", STR_ARGS(field->resource->name),
                   STR_ARGS(field->name));
}

static Code read_text(const Field *field, const JsonValue *json, Arena *arena, Value *ret, Error *err) {
  if (json->type != JSON_STRING) return refuse(field, err);
  ret->text = json->text;
  if (ret->type != VALUE_BYTES) return CODE_OK;
  char *bytes = arena_alloc(arena, base64_decoded_max(json->text.len));
  size_t len = 0;
  TRY_ALLOC(bytes);
  if (!base64_decode(json->text, bytes, &len)) return refuse(field, err);
  ret->text = (Str){bytes, len};
  return CODE_OK;
}

static Code read_document(const JsonValue *json, Arena *arena, Value *ret, Error *err) {
  Buf out = buf_on(arena, SIZE_MAX / 2);
  json_write(&out, json);
  return buf_finish(&out, &ret->text, err);
}

static Code read_value(const Field *field, const JsonValue *json, Arena *arena, Value *ret, Error *err) {
  *ret = (Value){.type = field_value_type(field)};
  /* A JSON column's own null is told apart by a column that is not there. */
  if (ret->type == VALUE_JSON) return read_document(json, arena, ret, err);
  if (json->type == JSON_NULL) {
    *ret = value_null();
    return CODE_OK;
  }
  bool is_read = false;
  switch (ret->type) {
    case VALUE_BOOL:
      is_read = json->type == JSON_BOOL;
      ret->boolean = json->boolean;
      break;
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: is_read = json->type == JSON_NUMBER && json_number_to_int64(json->text, &ret->integer); break;
    case VALUE_FLOAT: is_read = json->type == JSON_NUMBER && json_number_to_double(json->text, &ret->number); break;
    default: return read_text(field, json, arena, ret, err);
  }
  return is_read ? CODE_OK : refuse(field, err);
}

/* Members mostly come in the order in which they were written, so that each is found at once behind the one before it. */
static const Field *find_column(const Resource *resource, Str column, size_t *at) {
  for (size_t n = 0; n < resource->stored_count; n++) {
    size_t i = (*at + n) % resource->stored_count;
    if (!str_equal(resource->stored[i]->column, column)) continue;
    *at = i + 1;
    return resource->stored[i];
  }
  return NULL;
}

Code change_image_parse(Str text, const Resource *resource, Arena *arena, const Value **ret, Error *err) {
  JsonValue json;
  TRY(json_parse(text, (size_t)2 * JSON_DEPTH_DEFAULT, arena, &json, err));
  if (json.type != JSON_OBJECT) return error_set(err, CODE_INTERNAL, "the change of a row is no object");
  Value *row = ARENA_ARRAY(arena, Value, resource->stored_count);
  TRY_ALLOC(row);
  size_t at = 0;
  for (size_t i = 0; i < json.count; i++) {
    const Field *field = find_column(resource, json.members[i].name, &at);
    if (field != NULL) TRY(read_value(field, &json.members[i].value, arena, &row[field->stored_index], err));
  }
  *ret = row;
  return CODE_OK;
}

/* Where the key that begins with `text` ends: behind its bracket. Values of keys are numbers and strings. */
static size_t key_end(Str text) {
  bool is_quoted = false;
  for (size_t i = 0; i < text.len; i++) {
    char byte = text.ptr[i];
    if (is_quoted && byte == '\\')
      i++;
    else if (byte == '"')
      is_quoted = !is_quoted;
    else if (byte == ']' && !is_quoted)
      return i + 1;
  }
  return 0;
}

bool change_key_next(Str *keys, Str *ret) {
  if (keys->len < 2 || keys->ptr[1] != '[') return false;
  size_t end = key_end(str_slice(*keys, 1, keys->len));
  if (end == 0) return false;
  *ret = str_slice(*keys, 1, 1 + end);
  *keys = str_slice(*keys, 1 + end, keys->len);
  return true;
}

size_t change_key_count(Str text) {
  Str key;
  size_t count = 0;
  while (change_key_next(&text, &key)) count++;
  return count;
}

Code change_key_parse(Str text, const Resource *resource, Arena *arena, const Value **ret, Error *err) {
  JsonValue json;
  TRY(json_parse(text, JSON_DEPTH_DEFAULT, arena, &json, err));
  if (json.type != JSON_ARRAY || json.count != resource->key_count)
    return error_set(err, CODE_INTERNAL, "the change of a row has no key of %.*s", STR_ARGS(resource->name));
  Value *key = ARENA_ARRAY(arena, Value, resource->key_count);
  TRY_ALLOC(key);
  for (size_t i = 0; i < json.count; i++) TRY(read_value(resource->keys[i], &json.items[i], arena, &key[i], err));
  *ret = key;
  return CODE_OK;
}
