/* proto_encode.c - typed values to protobuf. */
#include "api/proto_encode.h"

#include <assert.h>

#include "api/answer_limit.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/protobuf.h"

enum { US_PER_SECOND = 1000000, NS_PER_US = 1000 };
/* google/protobuf/struct.proto */
enum { VALUE_NULL_VALUE = 1, VALUE_NUMBER, VALUE_STRING, VALUE_BOOLEAN, VALUE_STRUCT, VALUE_LIST_VALUE };
enum { STRUCT_FIELDS = 1, LIST_VALUES = 1, ENTRY_KEY = 1, ENTRY_VALUE = 2 };

static void destroy_scratch(void *context) {
  Arena **scratch = context;
  arena_destroy(*scratch);
}

ProtoOut proto_out(Arena *arena, size_t bytes_max) { return (ProtoOut){.buf = buf_on(arena, bytes_max)}; }

static Arena *scratch_of(ProtoOut *out) {
  if (out->scratch != NULL) return out->scratch;
  Arena **kept = ARENA_NEW(out->buf.arena, Arena *);
  Arena *scratch = kept == NULL ? NULL : arena_create(0);
  if (scratch != NULL) {
    *kept = scratch;
    if (!arena_defer(out->buf.arena, destroy_scratch, kept)) {
      arena_destroy(scratch);
      scratch = NULL;
    }
  }
  if (scratch == NULL) out->buf.failed = CODE_UNAVAILABLE;
  out->scratch = scratch;
  return scratch;
}

/* ---- JSON as google.protobuf.Value ---- */

static void write_json_value(Buf *out, uint32_t number, const JsonValue *json);

static void write_struct(Buf *out, const JsonValue *json) {
  for (size_t i = 0; i < json->count; i++) {
    size_t entry = protobuf_begin(out, STRUCT_FIELDS);
    protobuf_add_bytes(out, ENTRY_KEY, json->members[i].name);
    write_json_value(out, ENTRY_VALUE, &json->members[i].value);
    protobuf_end(out, entry);
  }
}

/* A number that no double holds is told by its digits. */
static void write_json_number(Buf *out, Str text) {
  double number;
  if (json_number_to_double(text, &number))
    protobuf_add_double(out, VALUE_NUMBER, number);
  else
    protobuf_add_bytes(out, VALUE_STRING, text);
}

/* Recursion goes as deep as the JSON, which its parser bounds. */
static void write_json_value(Buf *out, uint32_t number, const JsonValue *json) {
  size_t begin = protobuf_begin(out, number), inner;
  switch (json->type) {
    case JSON_NULL: protobuf_add_uint(out, VALUE_NULL_VALUE, 0); break;
    case JSON_BOOL: protobuf_add_bool(out, VALUE_BOOLEAN, json->boolean); break;
    case JSON_NUMBER: write_json_number(out, json->text); break;
    case JSON_STRING: protobuf_add_bytes(out, VALUE_STRING, json->text); break;
    case JSON_ARRAY:
      inner = protobuf_begin(out, VALUE_LIST_VALUE);
      for (size_t i = 0; i < json->count; i++) write_json_value(out, LIST_VALUES, &json->items[i]);
      protobuf_end(out, inner);
      break;
    case JSON_OBJECT:
      inner = protobuf_begin(out, VALUE_STRUCT);
      write_struct(out, json);
      protobuf_end(out, inner);
      break;
  }
  protobuf_end(out, begin);
}

/* ---- scalars ---- */

void proto_write_timestamp(Buf *out, uint32_t number, int64_t us) {
  int64_t seconds = us / US_PER_SECOND, rest = us % US_PER_SECOND;
  if (rest < 0) {
    rest += US_PER_SECOND;
    seconds--;
  }
  size_t begin = protobuf_begin(out, number);
  if (seconds != 0) protobuf_add_int(out, 1, seconds);
  if (rest != 0) protobuf_add_int(out, 2, rest * NS_PER_US);
  protobuf_end(out, begin);
}

/* What a field without presence and without a place in a list leaves out. */
static bool is_left_out(const ProtoField *field, bool is_zero) { return is_zero && !field->is_optional && !field->is_repeated; }

static void write_text(Buf *out, const ProtoField *field, Str text) {
  if (!is_left_out(field, text.len == 0)) protobuf_add_bytes(out, field->number, text);
}

static void write_integer(Buf *out, const ProtoField *field, int64_t n) {
  if (!is_left_out(field, n == 0)) protobuf_add_int(out, field->number, n);
}

static void write_double(Buf *out, const ProtoField *field, double number) {
  if (!is_left_out(field, protobuf_bits_of(number) == 0)) protobuf_add_double(out, field->number, number);
}

/* By the contract's name. One that the contract has no more (an older row's) is the zero value. */
static int32_t enum_number(const ProtoField *field, Str name) {
  for (size_t i = 0; i < field->enum_type->value_count; i++) {
    const ProtoEnumValue *value = &field->enum_type->values[i];
    if (value->value != NULL && str_equal(value->value->name, name)) return value->number;
  }
  return 0;
}

/* With the scale's zeros; digits beyond it (an older contract's row) are told as they are: never rounded. A sum may be longer than any
 * Decimal. */
static void add_decimal(Buf *out, Str canonical, int32_t scale) {
  size_t digits = decimal_scale(canonical);
  buf_add(out, canonical);
  if (scale > 0 && digits == 0) buf_add_byte(out, '.');
  for (int64_t i = (int64_t)digits; i < scale; i++) buf_add_byte(out, '0');
}

static void write_decimal(Buf *out, uint32_t number, Str canonical, int32_t scale) {
  size_t begin = protobuf_begin(out, number);
  add_decimal(out, canonical, scale);
  protobuf_end(out, begin);
}

/* ---- lists and embedded objects, which the store holds as JSON ---- */

static void write_json_field(Buf *out, const ProtoField *field, const JsonValue *json);

static void write_members(Buf *out, const ProtoMessage *message, const JsonValue *json) {
  for (size_t i = 0; i < message->field_count; i++) {
    const ProtoField *field = message->by_number[i];
    const JsonValue *member = json_get(json, field->field->name);
    if (member != NULL) write_json_field(out, field, member);
  }
}

static int64_t json_integer(const JsonValue *json) {
  int64_t n = 0;
  if (json->type == JSON_NUMBER) (void)json_number_to_int64(json->text, &n);
  if (json->type == JSON_STRING) (void)str_parse_int64(json->text, &n);
  return n;
}

static double json_double(const JsonValue *json) {
  double number = 0;
  if (json->type == JSON_NUMBER) (void)json_number_to_double(json->text, &number);
  return number;
}

static void write_json_bytes(Buf *out, const ProtoField *field, Str text) {
  size_t begin = protobuf_begin(out, field->number), len = 0;
  if (buf_reserve(out, base64_decoded_max(text.len)) && base64_decode(text, out->ptr + out->len, &len)) out->len += len;
  protobuf_end(out, begin);
}

static void write_json_message(Buf *out, const ProtoField *field, const JsonValue *json) {
  int64_t us = 0;
  assert(field->message != NULL);
  if (field->message->well_known == PROTO_VALUE) {
    write_json_value(out, field->number, json);
  } else if (field->message->well_known == PROTO_TIMESTAMP) {
    (void)timestamp_parse(json->text, &us);
    proto_write_timestamp(out, field->number, us);
  } else {
    size_t begin = protobuf_begin(out, field->number);
    if (json->type == JSON_OBJECT) write_members(out, field->message, json);
    protobuf_end(out, begin);
  }
}

static void write_json_item(Buf *out, const ProtoField *field, const JsonValue *json) {
  switch (field->type) {
    case PROTO_DOUBLE: write_double(out, field, json_double(json)); break;
    case PROTO_INT64:
    case PROTO_INT32: write_integer(out, field, json_integer(json)); break;
    case PROTO_BOOL: write_integer(out, field, json->type == JSON_BOOL && json->boolean); break;
    case PROTO_STRING: write_text(out, field, json->text); break;
    case PROTO_BYTES: write_json_bytes(out, field, json->text); break;
    case PROTO_ENUM: write_integer(out, field, enum_number(field, json->text)); break;
    case PROTO_MESSAGE: write_json_message(out, field, json); break;
  }
}

static void write_packed(Buf *out, const ProtoField *field, const JsonValue *json) {
  if (json->count == 0) return;
  size_t begin = protobuf_begin(out, field->number);
  for (size_t i = 0; i < json->count; i++) {
    const JsonValue *item = &json->items[i];
    if (field->type == PROTO_DOUBLE)
      protobuf_write_fixed64(out, protobuf_bits_of(json_double(item)));
    else if (field->type == PROTO_ENUM)
      protobuf_write_varint(out, (uint64_t)enum_number(field, item->text));
    else if (field->type == PROTO_BOOL)
      protobuf_write_varint(out, item->type == JSON_BOOL && item->boolean);
    else
      protobuf_write_varint(out, (uint64_t)json_integer(item));
  }
  protobuf_end(out, begin);
}

static bool is_packed(const ProtoField *field) {
  return field->type != PROTO_STRING && field->type != PROTO_BYTES && field->type != PROTO_MESSAGE;
}

static void write_json_field(Buf *out, const ProtoField *field, const JsonValue *json) {
  bool is_json = field->message != NULL && field->message->well_known == PROTO_VALUE;
  if (!field->is_repeated) {
    if (json->type != JSON_NULL) write_json_item(out, field, json);
  } else if (json->type == JSON_ARRAY && is_packed(field)) {
    write_packed(out, field, json);
  } else if (json->type == JSON_ARRAY) {
    for (size_t i = 0; i < json->count; i++) {
      if (json->items[i].type == JSON_NULL && !is_json)
        protobuf_add_bytes(out, field->number, (Str){0});
      else
        write_json_item(out, field, &json->items[i]);
    }
  }
}

static void write_json_text(ProtoOut *out, const ProtoField *field, Str text) {
  Arena *scratch = scratch_of(out);
  JsonValue json;
  if (scratch == NULL) return;
  /* What the store has is JSON; where it is not, nothing is told. */
  Code code = json_parse(text, JSON_DEPTH_DEFAULT, scratch, &json, NULL);
  if (code == CODE_UNAVAILABLE) out->buf.failed = CODE_UNAVAILABLE;
  if (code == CODE_OK) write_json_field(&out->buf, field, &json);
}

/* ---- rows ---- */

static void write_nested(ProtoOut *out, const ProtoField *field, const Selection *nested, const Value *values) {
  assert(nested != NULL);
  size_t begin = protobuf_begin(&out->buf, field->number);
  proto_write_row(out, nested, values);
  protobuf_end(&out->buf, begin);
}

static void write_field(ProtoOut *out, const ProtoField *field, const Selection *nested, const Value *value) {
  Buf *buf = &out->buf;
  char text[TIMESTAMP_TEXT_MAX];
  switch (value->type) {
    case VALUE_NULL: break;
    case VALUE_BOOL: write_integer(buf, field, value->boolean); break;
    case VALUE_INT: write_integer(buf, field, value->integer); break;
    case VALUE_FLOAT: write_double(buf, field, value->number); break;
    case VALUE_DECIMAL: write_decimal(buf, field->number, value->text, field->field->scale); break;
    case VALUE_TEXT:
      if (field->type == PROTO_ENUM)
        write_integer(buf, field, enum_number(field, value->text));
      else
        write_text(buf, field, value->text);
      break;
    case VALUE_BYTES: write_text(buf, field, value->text); break;
    case VALUE_TIMESTAMP: proto_write_timestamp(buf, field->number, value->integer); break;
    case VALUE_DATE: protobuf_add_bytes(buf, field->number, (Str){text, date_write(value->integer, text)}); break;
    case VALUE_JSON: write_json_text(out, field, value->text); break;
    case VALUE_ROW: write_nested(out, field, nested, value->row); break;
    case VALUE_ROWS:
      for (size_t i = 0; i < value->rows->count; i++) write_nested(out, field, nested, value->rows->rows[i]);
      break;
    case VALUE_DURATION:
    case VALUE_LIST: break; /* no stored field is one */
  }
}

/* Recursion goes as deep as the selection, which --nesting-max bounds. */
void proto_write_row(ProtoOut *out, const Selection *selection, const Value *values) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    write_field(out, item->face, item->nested, &values[i]);
  }
}

void proto_write_key(ProtoOut *out, const ProtoResource *resource, const Value *key) {
  for (size_t i = 0; i < resource->resource->key_count; i++)
    write_field(out, resource->row_fields[resource->resource->keys[i]->index], NULL, &key[i]);
}

/* ---- values of aggregates ---- */

static void write_string_value(Buf *out, uint32_t number, Str text) {
  size_t begin = protobuf_begin(out, number);
  protobuf_add_bytes(out, VALUE_STRING, text);
  protobuf_end(out, begin);
}

static void write_number_value(Buf *out, uint32_t number, double value) {
  size_t begin = protobuf_begin(out, number);
  protobuf_add_double(out, VALUE_NUMBER, value);
  protobuf_end(out, begin);
}

static void write_integer_value(Buf *out, uint32_t number, const Field *field, int64_t n) {
  if (field == NULL || field->type != TYPE_BIGINT) {
    write_number_value(out, number, (double)n);
    return;
  }
  size_t begin = protobuf_begin(out, number), inner = protobuf_begin(out, VALUE_STRING);
  buf_add_int64(out, n);
  protobuf_end(out, inner);
  protobuf_end(out, begin);
}

static void write_decimal_value(Buf *out, uint32_t number, const Field *field, Str canonical) {
  size_t begin = protobuf_begin(out, number);
  write_decimal(out, VALUE_STRING, canonical, field != NULL && field->type == TYPE_DECIMAL ? field->scale : -1);
  protobuf_end(out, begin);
}

static void write_bytes_value(Buf *out, uint32_t number, Str bytes) {
  size_t begin = protobuf_begin(out, number), inner = protobuf_begin(out, VALUE_STRING);
  base64_write(out, bytes);
  protobuf_end(out, inner);
  protobuf_end(out, begin);
}

static void write_parsed_value(ProtoOut *out, uint32_t number, Str text) {
  Arena *scratch = scratch_of(out);
  JsonValue json = {.type = JSON_NULL};
  if (scratch == NULL) return;
  if (json_parse(text, JSON_DEPTH_DEFAULT, scratch, &json, NULL) == CODE_UNAVAILABLE) out->buf.failed = CODE_UNAVAILABLE;
  write_json_value(&out->buf, number, &json);
}

void proto_write_value(ProtoOut *out, uint32_t number, const Field *field, const Value *value) {
  Buf *buf = &out->buf;
  char text[TIMESTAMP_TEXT_MAX];
  JsonValue simple = {.type = value->type == VALUE_BOOL ? JSON_BOOL : JSON_NULL, .boolean = value->type == VALUE_BOOL && value->boolean};
  switch (value->type) {
    case VALUE_INT: write_integer_value(buf, number, field, value->integer); break;
    case VALUE_FLOAT: write_number_value(buf, number, value->number); break;
    case VALUE_DECIMAL: write_decimal_value(buf, number, field, value->text); break;
    case VALUE_TEXT: write_string_value(buf, number, value->text); break;
    case VALUE_BYTES: write_bytes_value(buf, number, value->text); break;
    case VALUE_TIMESTAMP: write_string_value(buf, number, (Str){text, timestamp_write(value->integer, text)}); break;
    case VALUE_DATE: write_string_value(buf, number, (Str){text, date_write(value->integer, text)}); break;
    case VALUE_JSON: write_parsed_value(out, number, value->text); break;
    default: write_json_value(buf, number, &simple); break;
  }
}

void proto_write_map_value(ProtoOut *out, uint32_t number, Str key, const Field *field, const Value *value) {
  size_t entry = protobuf_begin(&out->buf, number);
  protobuf_add_bytes(&out->buf, ENTRY_KEY, key);
  proto_write_value(out, ENTRY_VALUE, field, value);
  protobuf_end(&out->buf, entry);
}

/* ---- the sink ---- */

static Code sink_row(ResultSink *base, const Selection *selection, const Value *values, Error *err) {
  ProtoSink *sink = (ProtoSink *)base;
  Buf *out = &sink->out.buf;
  size_t begin = sink->number == 0 ? 0 : protobuf_begin(out, sink->number);
  proto_write_row(&sink->out, selection, values);
  if (sink->number != 0) protobuf_end(out, begin);
  if (sink->out.scratch != NULL) arena_reset(sink->out.scratch);
  sink->row_count++;
  if (sink->has_row_ends && !VEC_PUSH(out->arena, &sink->row_ends, out->len)) return error_no_memory(err);
  return out->failed == CODE_OK ? CODE_OK : answer_failed(out, "rows or fields", err);
}

static void sink_restart(ResultSink *base) {
  ProtoSink *sink = (ProtoSink *)base;
  sink->out.buf.len = sink->begin_bytes;
  sink->out.buf.failed = CODE_OK;
  sink->row_count = 0;
  sink->row_ends.count = 0;
}

void proto_sink_init(ProtoSink *sink, uint32_t number, Arena *arena, size_t bytes_max) {
  *sink = (ProtoSink){.base = {.row = sink_row, .restart = sink_restart}, .number = number, .out = proto_out(arena, bytes_max)};
}

void proto_sink_place_hidden(ProtoSink *sink, const ProtoResource *resource, const Result *result) {
  if (result->hidden == NULL || result->key_count == sink->row_count) return;
  ProtoOut out = proto_out(sink->out.buf.arena, sink->out.buf.max);
  size_t begin = sink->begin_bytes, row = 0;
  buf_add(&out.buf, str_slice(buf_str(&sink->out.buf), 0, begin));
  for (size_t i = 0; i < result->key_count; i++) {
    if (result->hidden[i] || row >= sink->row_ends.count) {
      size_t record = protobuf_begin(&out.buf, sink->number);
      proto_write_key(&out, resource, result->keys[i]);
      protobuf_end(&out.buf, record);
      continue;
    }
    size_t end = sink->row_ends.items[row++];
    buf_add(&out.buf, str_slice(buf_str(&sink->out.buf), begin, end));
    begin = end;
  }
  sink->out = out;
}
