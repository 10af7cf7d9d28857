/* proto_json_read.c - ProtoJSON to messages. */
#include <assert.h>
#include <math.h>

#include "api/proto_json.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/json.h"

/* Where in the message, from the innermost out. */
typedef struct Place {
  const struct Place *parent;
  Str name;
} Place;

typedef struct JsonReader {
  Arena *arena;
  bool ignores_unknown;
  Error *err;
} JsonReader;

enum { PLACE_TEXT_MAX = 100 };

static void write_place(const Place *place, Buf *out) {
  if (place == NULL) return;
  write_place(place->parent, out);
  if (out->len > 0) buf_add_byte(out, '.');
  buf_add(out, place->name);
}

static Code refuse(const JsonReader *reader, const Place *place, const char *what) {
  Buf text = buf_on(reader->arena, SIZE_MAX);
  write_place(place, &text);
  if (text.failed != CODE_OK) return error_no_memory(reader->err);
  Str shown = utf8_cut(buf_str(&text), PLACE_TEXT_MAX);
  return error_set(reader->err, CODE_BAD_REQUEST, "%.*s%s%s", STR_ARGS(shown), shown.len > 0 ? ": " : "", what);
}

static Code read_message(JsonReader *reader, const ProtoMessage *type, const JsonValue *json, const Place *place, ProtoNode **ret);

static Code set(const JsonReader *reader, ProtoNode *node, const ProtoField *field, ProtoDatum value) {
  return proto_set(node, field, value, reader->arena) ? CODE_OK : error_no_memory(reader->err);
}

/* One more entry of a map. */
static Code set_entry(const JsonReader *reader, ProtoNode *node, const ProtoField *field, Str key, ProtoDatum value) {
  const ProtoField *fields = field->message->fields;
  ProtoNode *entry = proto_node(field->message, reader->arena);
  bool is_set = entry != NULL && proto_set(entry, &fields[0], (ProtoDatum){.text = key}, reader->arena) &&
                proto_set(entry, &fields[1], value, reader->arena) && proto_set(node, field, (ProtoDatum){.node = entry}, reader->arena);
  return is_set ? CODE_OK : error_no_memory(reader->err);
}

/* The field of a well-known type, whose names are the format's own. */
static const ProtoField *own(const ProtoMessage *type, const char *name) { return proto_field(type, str_of(name)); }

/* ---- scalars ---- */

/* What stands in a string is a number by JSON's grammar too, and nothing else. */
static bool is_number(Str text) {
  DecimalParts parts;
  return decimal_split(text, &parts);
}

static Code read_integer(JsonReader *reader, const ProtoField *field, const JsonValue *json, const Place *place, ProtoDatum *ret) {
  int64_t n, min = field->type == PROTO_INT64 ? INT64_MIN : INT32_MIN, max = field->type == PROTO_INT64 ? INT64_MAX : INT32_MAX;
  bool is_text = json->type == JSON_STRING;
  if ((json->type != JSON_NUMBER && !is_text) || (is_text && !is_number(json->text))) return refuse(reader, place, "must be an integer");
  if (!json_number_to_int64(json->text, &n) || n < min || n > max)
    return refuse(reader, place, field->type == PROTO_INT64 ? "must be an integer of 64 bits" : "must be an integer of 32 bits");
  ret->integer = n;
  return CODE_OK;
}

static Code read_double(JsonReader *reader, const JsonValue *json, const Place *place, ProtoDatum *ret) {
  static const struct {
    Str name;
    double value;
  } names[] = {{STR_INIT("NaN"), NAN}, {STR_INIT("Infinity"), INFINITY}, {STR_INIT("-Infinity"), -INFINITY}};
  bool is_text = json->type == JSON_STRING;
  for (size_t i = 0; is_text && i < sizeof names / sizeof *names; i++) {
    if (!str_equal(json->text, names[i].name)) continue;
    ret->number = names[i].value;
    return CODE_OK;
  }
  if ((json->type != JSON_NUMBER && !is_text) || (is_text && !is_number(json->text)) || !json_number_to_double(json->text, &ret->number))
    return refuse(reader, place, "must be a number that fits a double");
  return CODE_OK;
}

/* Of either alphabet, padded or not. */
static Code read_bytes(JsonReader *reader, const JsonValue *json, const Place *place, ProtoDatum *ret) {
  if (json->type != JSON_STRING) return refuse(reader, place, "must be a string of base64");
  Str text = json->text;
  while (text.len > 0 && text.len % 4 != 1 && text.ptr[text.len - 1] == '=' && json->text.len - text.len < 2) text.len--;
  if (text.len < json->text.len && json->text.len % 4 != 0) return refuse(reader, place, "must be a string of base64");
  char *url = arena_alloc(reader->arena, text.len + 1), *bytes = arena_alloc(reader->arena, base64_decoded_max(text.len));
  if (url == NULL || bytes == NULL) return error_no_memory(reader->err);
  for (size_t i = 0; i < text.len; i++) url[i] = text.ptr[i] == '+' ? '-' : text.ptr[i] == '/' ? '_' : text.ptr[i];
  ret->text = (Str){bytes, 0};
  if (!base64url_decode((Str){url, text.len}, bytes, &ret->text.len)) return refuse(reader, place, "must be a string of base64");
  return CODE_OK;
}

static Code read_enum(JsonReader *reader, const ProtoField *field, const JsonValue *json, const Place *place, ProtoDatum *ret,
                      bool *ret_is_known) {
  ProtoField number = {.type = PROTO_INT32};
  if (json->type == JSON_NUMBER) return read_integer(reader, &number, json, place, ret);
  const ProtoEnumValue *value = json->type != JSON_STRING ? NULL : proto_enum_value(field->enum_type, json->text);
  if (value != NULL) ret->integer = value->number;
  if (value == NULL && json->type == JSON_STRING && reader->ignores_unknown) {
    *ret_is_known = false;
    return CODE_OK;
  }
  return value != NULL ? CODE_OK : refuse(reader, place, "is no value of its enum");
}

/* ---- well-known types ---- */

/* Struct and ListValue come within a Value only: a contract's schema has no field that is one. */

/* RFC 3339 with up to nine fraction digits; T and Z in capitals. */
static Code read_timestamp(JsonReader *reader, const JsonValue *json, const Place *place, ProtoNode *node) {
  int64_t us, nanos = 0;
  Str text = json->type == JSON_STRING ? json->text : STR("");
  size_t dot = str_find_byte(text, '.', 0), end = dot + 1;
  for (int64_t unit = 100000000; end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9' && unit > 0; end++, unit /= 10)
    nanos += (text.ptr[end] - '0') * unit;
  Str whole = text;
  if (dot < text.len) whole = arena_printf(reader->arena, "%.*s%.*s", (int)dot, text.ptr, STR_ARGS(str_slice(text, end, text.len)));
  if (whole.ptr == NULL && text.len > 0) return error_no_memory(reader->err);
  bool is_time = (dot == text.len || end > dot + 1) && str_find_byte(text, 't', 0) == text.len && str_find_byte(text, 'z', 0) == text.len;
  if (!is_time || !timestamp_parse(whole, &us)) return refuse(reader, place, "must be a time by RFC 3339");
  int64_t seconds = us / 1000000;
  bool is_set = (seconds == 0 || proto_set(node, own(node->type, "seconds"), (ProtoDatum){.integer = seconds}, reader->arena)) &&
                (nanos == 0 || proto_set(node, own(node->type, "nanos"), (ProtoDatum){.integer = nanos}, reader->arena));
  return is_set ? CODE_OK : error_no_memory(reader->err);
}

/* "fooBar,baz": paths in lowerCamelCase. */
static Code read_field_mask(JsonReader *reader, const JsonValue *json, const Place *place, ProtoNode *node) {
  Str rest = json->text, path;
  if (json->type != JSON_STRING) return refuse(reader, place, "must be paths, as a string");
  if (rest.len == 0) return CODE_OK;
  while (str_split_next(&rest, ',', &path)) {
    char *snake = arena_alloc(reader->arena, path.len * 2 + 1);
    size_t len = 0;
    if (snake == NULL) return error_no_memory(reader->err);
    for (size_t i = 0; i < path.len; i++) {
      char c = path.ptr[i];
      if (c == '_') return refuse(reader, place, "its paths are in lowerCamelCase");
      bool is_capital = c >= 'A' && c <= 'Z';
      if (is_capital) snake[len++] = '_';
      snake[len++] = is_capital ? (char)(c - 'A' + 'a') : c;
    }
    TRY(set(reader, node, own(node->type, "paths"), (ProtoDatum){.text = {snake, len}}));
  }
  return CODE_OK;
}

static Code read_struct(JsonReader *reader, const JsonValue *json, const Place *place, ProtoNode *node) {
  const ProtoField *fields = own(node->type, "fields");
  assert(json->type == JSON_OBJECT && "a Value is one");
  for (size_t i = 0; i < json->count; i++) {
    ProtoNode *value;
    TRY(read_message(reader, fields->message->fields[1].message, &json->members[i].value, place, &value));
    TRY(set_entry(reader, node, fields, json->members[i].name, (ProtoDatum){.node = value}));
  }
  return CODE_OK;
}

static Code read_list_value(JsonReader *reader, const JsonValue *json, const Place *place, ProtoNode *node) {
  const ProtoField *values = own(node->type, "values");
  assert(json->type == JSON_ARRAY && "a Value is one");
  for (size_t i = 0; i < json->count; i++) {
    ProtoNode *value;
    TRY(read_message(reader, values->message, &json->items[i], place, &value));
    TRY(set(reader, node, values, (ProtoDatum){.node = value}));
  }
  return CODE_OK;
}

static Code read_value(JsonReader *reader, const JsonValue *json, const Place *place, ProtoNode *node) {
  static const char *const kinds[] = {[JSON_NULL] = "null_value",     [JSON_BOOL] = "bool_value",  [JSON_NUMBER] = "number_value",
                                      [JSON_STRING] = "string_value", [JSON_ARRAY] = "list_value", [JSON_OBJECT] = "struct_value"};
  const ProtoField *kind = own(node->type, kinds[json->type]);
  ProtoDatum value = {.integer = json->type == JSON_BOOL && json->boolean};
  if (json->type == JSON_NUMBER) TRY(read_double(reader, json, place, &value));
  if (json->type == JSON_STRING) value.text = json->text;
  if (json->type == JSON_ARRAY || json->type == JSON_OBJECT) TRY(read_message(reader, kind->message, json, place, &value.node));
  return set(reader, node, kind, value);
}

/* ---- messages ---- */

static Code read_datum(JsonReader *reader, const ProtoField *field, const JsonValue *json, const Place *place, ProtoDatum *ret,
                       bool *ret_is_known) {
  *ret_is_known = true;
  switch (field->type) {
    case PROTO_DOUBLE: return read_double(reader, json, place, ret);
    case PROTO_INT64:
    case PROTO_INT32: return read_integer(reader, field, json, place, ret);
    case PROTO_BOOL:
      ret->integer = json->boolean;
      return json->type == JSON_BOOL ? CODE_OK : refuse(reader, place, "must be true or false");
    case PROTO_STRING: ret->text = json->text; return json->type == JSON_STRING ? CODE_OK : refuse(reader, place, "must be a string");
    case PROTO_BYTES: return read_bytes(reader, json, place, ret);
    case PROTO_ENUM: return read_enum(reader, field, json, place, ret, ret_is_known);
    case PROTO_MESSAGE: return read_message(reader, field->message, json, place, &ret->node);
  }
  return CODE_OK;
}

/* google.protobuf.Value is null itself; of any other type null says that there is none. */
static bool takes_null(const ProtoField *field) { return field->message != NULL && field->message->well_known == PROTO_VALUE; }

/* A contract's schema has maps of Values alone. */
static Code read_map(JsonReader *reader, const ProtoField *field, const JsonValue *json, const Place *place, ProtoNode *node) {
  const ProtoField *value = &field->message->fields[1];
  assert(takes_null(value));
  if (json->type != JSON_OBJECT) return refuse(reader, place, "must be an object");
  for (size_t i = 0; i < json->count; i++) {
    ProtoDatum datum;
    TRY(read_message(reader, value->message, &json->members[i].value, place, &datum.node));
    TRY(set_entry(reader, node, field, json->members[i].name, datum));
  }
  return CODE_OK;
}

static Code read_list(JsonReader *reader, const ProtoField *field, const JsonValue *json, const Place *place, ProtoNode *node) {
  if (json->type != JSON_ARRAY) return refuse(reader, place, "must be an array");
  for (size_t i = 0; i < json->count; i++) {
    ProtoDatum datum;
    bool is_known;
    if (json->items[i].type == JSON_NULL && !takes_null(field)) return refuse(reader, place, "an item must not be null");
    TRY(read_datum(reader, field, &json->items[i], place, &datum, &is_known));
    if (is_known) TRY(set(reader, node, field, datum));
  }
  return CODE_OK;
}

static bool has_sibling(const ProtoNode *node, const ProtoField *field) {
  for (size_t i = 0; field->oneof != PROTO_NO_ONEOF && i < node->count; i++) {
    if (node->entries[i].field->oneof == field->oneof) return true;
  }
  return false;
}

static Code read_member(JsonReader *reader, const JsonMember *member, const Place *parent, ProtoNode *node) {
  const ProtoField *field = proto_field(node->type, member->name);
  Place place = {parent, member->name};
  if (field == NULL) return reader->ignores_unknown ? CODE_OK : refuse(reader, &place, "there is no such field");
  if (member->value.type == JSON_NULL && !(takes_null(field) && !field->is_repeated)) return CODE_OK;
  if (proto_find(node, field) != NULL) return refuse(reader, &place, "is given twice, under both of its names");
  if (has_sibling(node, field)) return refuse(reader, &place, "another field of its oneof is there");
  if (field->is_map) return read_map(reader, field, &member->value, &place, node);
  if (field->is_repeated) return read_list(reader, field, &member->value, &place, node);
  ProtoDatum datum;
  bool is_known;
  TRY(read_datum(reader, field, &member->value, &place, &datum, &is_known));
  return is_known ? set(reader, node, field, datum) : CODE_OK;
}

static Code read_fields(JsonReader *reader, const JsonValue *json, const Place *place, ProtoNode *node) {
  if (json->type != JSON_OBJECT) return refuse(reader, place, "must be an object");
  for (size_t i = 0; i < json->count; i++) TRY(read_member(reader, &json->members[i], place, node));
  return CODE_OK;
}

/* Recursion goes as deep as the JSON, which its parser bounds. */
static Code read_message(JsonReader *reader, const ProtoMessage *type, const JsonValue *json, const Place *place, ProtoNode **ret) {
  ProtoNode *node = proto_node(type, reader->arena);
  if (node == NULL) return error_no_memory(reader->err);
  switch (type->well_known) {
    case PROTO_TIMESTAMP: TRY(read_timestamp(reader, json, place, node)); break;
    case PROTO_FIELD_MASK: TRY(read_field_mask(reader, json, place, node)); break;
    case PROTO_VALUE: TRY(read_value(reader, json, place, node)); break;
    case PROTO_STRUCT: TRY(read_struct(reader, json, place, node)); break;
    case PROTO_LIST_VALUE: TRY(read_list_value(reader, json, place, node)); break;
    case PROTO_DURATION:
    case PROTO_ANY: return refuse(reader, place, "has no JSON form here");
    case PROTO_ORDINARY: TRY(read_fields(reader, json, place, node)); break;
  }
  *ret = node;
  return CODE_OK;
}

Code proto_json_read(const ProtoMessage *type, Str text, bool ignores_unknown, Arena *arena, ProtoNode **ret, Error *err) {
  JsonReader reader = {arena, ignores_unknown, err};
  JsonValue json;
  TRY(json_parse(text, JSON_DEPTH_DEFAULT, arena, &json, err));
  ProtoNode *node;
  TRY(read_message(&reader, type, &json, NULL, &node));
  TRY(proto_settle_maps(node, arena, err));
  *ret = node;
  return CODE_OK;
}
