/* proto_json.c - messages as ProtoJSON. */
#include "api/proto_json.h"

#include <math.h>

#include "base/datetime.h"
#include "codec/base64.h"
#include "codec/json_out.h"

enum { NANOS_MAX = 999999999 };
static const int64_t US_PER_SECOND = 1000000;

typedef struct JsonWriter {
  JsonOut out;
  Error *err;
} JsonWriter;

static Code write_message(JsonWriter *writer, const ProtoNode *node);

static Code no_form(const JsonWriter *writer, const ProtoMessage *message, const char *why) {
  return error_set(writer->err, CODE_BAD_REQUEST, "%.*s has no JSON form: %s", STR_ARGS(message->full_name), why);
}

/* ---- scalars ---- */

static void write_quoted(JsonWriter *writer, const char *bytes, size_t len) { json_out_text(&writer->out, (Str){bytes, len}); }

static void write_double(JsonWriter *writer, double number) {
  if (!isfinite(number)) {
    json_out_text(&writer->out, isnan(number) ? STR("NaN") : number > 0 ? STR("Infinity") : STR("-Infinity"));
    return;
  }
  json_out_separate(&writer->out);
  json_write_double(writer->out.buf, number);
}

static void write_int64(JsonWriter *writer, int64_t n) {
  json_out_separate(&writer->out);
  buf_add_byte(writer->out.buf, '"');
  buf_add_int64(writer->out.buf, n);
  buf_add_byte(writer->out.buf, '"');
}

static void write_bytes(JsonWriter *writer, Str bytes) {
  json_out_separate(&writer->out);
  buf_add_byte(writer->out.buf, '"');
  base64_write(writer->out.buf, bytes);
  buf_add_byte(writer->out.buf, '"');
}

/* google.protobuf.NullValue is null; a number that has no name is told as it is. */
static void write_enum(JsonWriter *writer, const ProtoField *field, int32_t number) {
  const ProtoEnumValue *value = proto_enum_numbered(field->enum_type, number);
  if (str_equal(field->enum_type->full_name, STR("google.protobuf.NullValue")))
    json_out_raw(&writer->out, STR("null"));
  else if (value == NULL)
    json_out_int(&writer->out, number);
  else
    json_out_text(&writer->out, value->name);
}

/* ---- well-known types ---- */

/* With no, three, six or nine fraction digits. */
static Code write_timestamp(JsonWriter *writer, const ProtoNode *node) {
  int64_t seconds = proto_integer(node, STR("seconds")), nanos = proto_integer(node, STR("nanos"));
  char text[TIMESTAMP_TEXT_MAX + 12];
  bool is_near = seconds > -(INT64_C(1) << 40) && seconds < (INT64_C(1) << 40);
  if (!is_near || !timestamp_in_range(seconds * US_PER_SECOND) || nanos < 0 || nanos > NANOS_MAX)
    return no_form(writer, node->type, "it is out of range");
  size_t len = timestamp_write(seconds * US_PER_SECOND, text) - 1; /* the Z comes behind the fraction */
  int digits = nanos == 0 ? 0 : nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
  if (digits > 0) text[len++] = '.';
  for (int64_t unit = 100000000; digits > 0; unit /= 10, digits--) text[len++] = (char)('0' + nanos / unit % 10);
  text[len++] = 'Z';
  write_quoted(writer, text, len);
  return CODE_OK;
}

/* Paths in lowerCamelCase; one that would not come back has no form. */
static Code write_field_mask(JsonWriter *writer, const ProtoNode *node) {
  const ProtoEntry *paths = proto_get(node, STR("paths"));
  Buf text = buf_on_heap(writer->out.buf->max);
  Code code = CODE_OK;
  for (size_t i = 0; paths != NULL && i < paths->count; i++) {
    Str path = paths->many[i].text;
    if (i > 0) buf_add_byte(&text, ',');
    for (size_t j = 0; j < path.len; j++) {
      char c = path.ptr[j];
      bool is_joint = c == '_', is_behind = is_joint && j + 1 < path.len && path.ptr[j + 1] >= 'a' && path.ptr[j + 1] <= 'z';
      if ((c >= 'A' && c <= 'Z') || (is_joint && !is_behind)) code = CODE_BAD_REQUEST;
      if (is_joint && is_behind) c = (char)(path.ptr[++j] - 'a' + 'A');
      buf_add_byte(&text, c);
    }
  }
  if (code != CODE_OK) code = no_form(writer, node->type, "a path is not in snake_case");
  if (code == CODE_OK) json_out_text(&writer->out, buf_str(&text));
  if (text.failed != CODE_OK) writer->out.buf->failed = text.failed;
  buf_done(&text);
  return code;
}

static Code write_struct(JsonWriter *writer, const ProtoNode *node) {
  const ProtoEntry *fields = proto_get(node, STR("fields"));
  json_out_open(&writer->out, '{');
  for (size_t i = 0; fields != NULL && i < fields->count; i++) {
    const ProtoNode *entry = fields->many[i].node, *value = proto_child(entry, STR("value"));
    json_out_key(&writer->out, proto_text(entry, STR("key")));
    if (value == NULL) return no_form(writer, node->type, "a value has no kind");
    TRY(write_message(writer, value));
  }
  json_out_close(&writer->out, '}');
  return CODE_OK;
}

static Code write_list_value(JsonWriter *writer, const ProtoNode *node) {
  const ProtoEntry *values = proto_get(node, STR("values"));
  json_out_open(&writer->out, '[');
  for (size_t i = 0; values != NULL && i < values->count; i++) TRY(write_message(writer, values->many[i].node));
  json_out_close(&writer->out, ']');
  return CODE_OK;
}

static Code write_value(JsonWriter *writer, const ProtoNode *node) {
  if (node->count == 0) return no_form(writer, node->type, "it has no kind");
  const ProtoEntry *kind = &node->entries[0];
  switch (kind->field->type) {
    case PROTO_DOUBLE:
      if (!isfinite(kind->one.number)) return no_form(writer, node->type, "a number is not finite");
      write_double(writer, kind->one.number);
      return CODE_OK;
    case PROTO_STRING: json_out_text(&writer->out, kind->one.text); return CODE_OK;
    case PROTO_BOOL: json_out_bool(&writer->out, kind->one.integer != 0); return CODE_OK;
    case PROTO_MESSAGE: return write_message(writer, kind->one.node);
    default: json_out_raw(&writer->out, STR("null")); return CODE_OK;
  }
}

/* ---- messages ---- */

static Code write_datum(JsonWriter *writer, const ProtoField *field, ProtoDatum value) {
  switch (field->type) {
    case PROTO_DOUBLE: write_double(writer, value.number); break;
    case PROTO_INT64: write_int64(writer, value.integer); break;
    case PROTO_INT32: json_out_int(&writer->out, value.integer); break;
    case PROTO_BOOL: json_out_bool(&writer->out, value.integer != 0); break;
    case PROTO_STRING: json_out_text(&writer->out, value.text); break;
    case PROTO_BYTES: write_bytes(writer, value.text); break;
    case PROTO_ENUM: write_enum(writer, field, (int32_t)value.integer); break;
    case PROTO_MESSAGE: return write_message(writer, value.node);
  }
  return CODE_OK;
}

static ProtoDatum zero_of(const ProtoField *field) {
  if (field->type == PROTO_DOUBLE) return (ProtoDatum){.number = 0};
  return field->type == PROTO_STRING || field->type == PROTO_BYTES ? (ProtoDatum){.text = STR("")} : (ProtoDatum){.integer = 0};
}

static Code write_map(JsonWriter *writer, const ProtoEntry *map) {
  const ProtoField *field = &map->field->message->fields[1];
  json_out_open(&writer->out, '{');
  for (size_t i = 0; i < map->count; i++) {
    const ProtoEntry *value = proto_find(map->many[i].node, field);
    json_out_key(&writer->out, proto_text(map->many[i].node, STR("key")));
    if (value == NULL && field->type == PROTO_MESSAGE) return no_form(writer, field->message, "a map's value is missing");
    TRY(write_datum(writer, field, value == NULL ? zero_of(field) : value->one));
  }
  json_out_close(&writer->out, '}');
  return CODE_OK;
}

static bool is_left_out(const ProtoEntry *entry) {
  const ProtoField *field = entry->field;
  if (field->is_repeated) return entry->count == 0;
  if (field->is_optional || field->oneof != PROTO_NO_ONEOF || field->type == PROTO_MESSAGE) return false;
  if (field->type == PROTO_STRING || field->type == PROTO_BYTES) return entry->one.text.len == 0;
  return entry->one.integer == 0; /* a double's bits too: -0.0 is not left out */
}

static Code write_entry(JsonWriter *writer, const ProtoEntry *entry) {
  if (is_left_out(entry)) return CODE_OK;
  json_out_key(&writer->out, entry->field->json_name);
  if (entry->field->is_map) return write_map(writer, entry);
  if (!entry->field->is_repeated) return write_datum(writer, entry->field, entry->one);
  json_out_open(&writer->out, '[');
  for (size_t i = 0; i < entry->count; i++) TRY(write_datum(writer, entry->field, entry->many[i]));
  json_out_close(&writer->out, ']');
  return CODE_OK;
}

/* Recursion goes as deep as the tree, which reading bounds. */
static Code write_message(JsonWriter *writer, const ProtoNode *node) {
  switch (node->type->well_known) {
    case PROTO_TIMESTAMP: return write_timestamp(writer, node);
    case PROTO_FIELD_MASK: return write_field_mask(writer, node);
    case PROTO_VALUE: return write_value(writer, node);
    case PROTO_STRUCT: return write_struct(writer, node);
    case PROTO_LIST_VALUE: return write_list_value(writer, node);
    case PROTO_DURATION:
    case PROTO_ANY: return no_form(writer, node->type, "it stands in no request and no answer");
    case PROTO_ORDINARY: break;
  }
  json_out_open(&writer->out, '{');
  for (size_t i = 0; i < node->count; i++) TRY(write_entry(writer, &node->entries[i]));
  json_out_close(&writer->out, '}');
  return CODE_OK;
}

Code proto_json_write(const ProtoNode *node, Buf *out, Error *err) {
  JsonWriter writer = {.out = {.buf = out}, .err = err};
  TRY(write_message(&writer, node));
  if (out->failed == CODE_TOO_LARGE)
    return error_set(err, CODE_TOO_LARGE, "the answer would be larger than %zu bytes (--result-max)", out->max);
  return out->failed == CODE_OK ? CODE_OK : error_no_memory(err);
}
