/* proto_decode.c - messages to input. */
#include "api/proto_decode.h"

#include <math.h>

#include "api/rest_decode.h"
#include "base/datetime.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/base64.h"
#include "contract/nearest.h"

enum { NUMBER_TEXT_MAX = 64, NS_PER_US = 1000, NANOS_MAX = 999999999, FRACTION_DIGITS = 9 };
static const int64_t US_PER_SECOND = 1000000;

typedef struct InputWriter {
  Arena *arena;
  Error *err;
} InputWriter;

/* What becomes of a field that is absent. */
typedef enum Absence {
  ABSENCE_CREATE = 0, /* not given, or zero */
  ABSENCE_LEAVE,      /* not given */
  ABSENCE_CLEAR       /* null, or zero */
} Absence;

typedef VEC(JsonMember) Members;
typedef VEC(JsonValue) Items;

static Code write_object(InputWriter *writer, const ProtoNode *node, const ProtoMessage *message, Absence absence, JsonValue *ret);

/* ---- scalars ---- */

static Code text_value(InputWriter *writer, JsonType type, const char *bytes, size_t len, JsonValue *ret) {
  Str text = arena_str(writer->arena, (Str){bytes, len});
  if (text.ptr == NULL) return error_no_memory(writer->err);
  *ret = (JsonValue){.type = type, .text = text};
  return CODE_OK;
}

static Code number_value(InputWriter *writer, double number, JsonValue *ret) {
  if (!isfinite(number)) {
    *ret = (JsonValue){.type = JSON_STRING, .text = isnan(number) ? STR("NaN") : number > 0 ? STR("Infinity") : STR("-Infinity")};
    return CODE_OK;
  }
  Buf text = buf_on(writer->arena, NUMBER_TEXT_MAX);
  json_write_double(&text, number);
  *ret = (JsonValue){.type = JSON_NUMBER};
  return buf_finish(&text, &ret->text, writer->err);
}

static Code integer_value(InputWriter *writer, JsonType type, int64_t n, JsonValue *ret) {
  Buf text = buf_on(writer->arena, NUMBER_TEXT_MAX);
  buf_add_int64(&text, n);
  *ret = (JsonValue){.type = type};
  return buf_finish(&text, &ret->text, writer->err);
}

static Code string_value(InputWriter *writer, Str text, JsonValue *ret) {
  if (str_find_byte(text, '\0', 0) < text.len) return error_set(writer->err, CODE_BAD_REQUEST, "a string must not hold U+0000");
  *ret = (JsonValue){.type = JSON_STRING, .text = text};
  return CODE_OK;
}

static Code bytes_value(InputWriter *writer, Str bytes, JsonValue *ret) {
  Buf text = buf_on(writer->arena, SIZE_MAX);
  base64_write(&text, bytes);
  *ret = (JsonValue){.type = JSON_STRING, .text = STR("")};
  return bytes.len == 0 ? CODE_OK : buf_finish(&text, &ret->text, writer->err);
}

static Code enum_value(InputWriter *writer, const ProtoField *field, int64_t number, JsonValue *ret) {
  const ProtoEnumValue *value = proto_enum_numbered(field->enum_type, (int32_t)number);
  if (value == NULL) return integer_value(writer, JSON_STRING, number, ret);
  *ret = (JsonValue){.type = JSON_STRING, .text = value->value != NULL ? value->value->name : value->name};
  return CODE_OK;
}

/* With nine digits where microseconds don't hold it; what is beyond the years 1 to 9999 is no time, which its text shows. */
static Code timestamp_value(InputWriter *writer, const ProtoNode *node, JsonValue *ret) {
  int64_t seconds = proto_integer(node, STR("seconds")), nanos = proto_integer(node, STR("nanos"));
  char text[TIMESTAMP_TEXT_MAX + FRACTION_DIGITS + 1];
  bool is_near = seconds > -(INT64_C(1) << 40) && seconds < (INT64_C(1) << 40);
  if (!is_near || nanos < 0 || nanos > NANOS_MAX || !timestamp_in_range(seconds * US_PER_SECOND)) {
    Str shown = arena_printf(writer->arena, "%lld seconds and %lld nanoseconds", (long long)seconds, (long long)nanos);
    return shown.ptr == NULL ? error_no_memory(writer->err) : string_value(writer, shown, ret);
  }
  if (nanos % NS_PER_US == 0)
    return text_value(writer, JSON_STRING, text, timestamp_write(seconds * US_PER_SECOND + nanos / NS_PER_US, text), ret);
  size_t len = timestamp_write(seconds * US_PER_SECOND, text) - 1; /* the Z comes behind the fraction */
  text[len++] = '.';
  for (int64_t unit = 100000000; unit > 0; unit /= 10) text[len++] = (char)('0' + nanos / unit % 10);
  text[len++] = 'Z';
  return text_value(writer, JSON_STRING, text, len, ret);
}

/* ---- google.protobuf.Value ---- */

static Code write_any(InputWriter *writer, const ProtoNode *node, JsonValue *ret);

static Code write_any_list(InputWriter *writer, const ProtoNode *node, JsonValue *ret) {
  const ProtoEntry *values = proto_get(node, STR("values"));
  size_t count = values == NULL ? 0 : values->count;
  JsonValue *items = ARENA_ARRAY(writer->arena, JsonValue, count + 1);
  if (items == NULL) return error_no_memory(writer->err);
  for (size_t i = 0; i < count; i++) TRY(write_any(writer, values->many[i].node, &items[i]));
  *ret = (JsonValue){.type = JSON_ARRAY, .items = items, .count = count};
  return CODE_OK;
}

static Code write_any_struct(InputWriter *writer, const ProtoNode *node, JsonValue *ret) {
  const ProtoEntry *fields = proto_get(node, STR("fields"));
  size_t count = fields == NULL ? 0 : fields->count;
  JsonMember *members = ARENA_ARRAY(writer->arena, JsonMember, count + 1);
  if (members == NULL) return error_no_memory(writer->err);
  for (size_t i = 0; i < count; i++) {
    const ProtoNode *entry = fields->many[i].node;
    JsonValue name;
    TRY(string_value(writer, proto_text(entry, STR("key")), &name));
    members[i].name = name.text;
    TRY(write_any(writer, proto_child(entry, STR("value")), &members[i].value));
  }
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members, .count = count};
  return CODE_OK;
}

/* One without a kind is null. Recursion goes as deep as the tree, which reading bounds. */
static Code write_any(InputWriter *writer, const ProtoNode *node, JsonValue *ret) {
  *ret = (JsonValue){.type = JSON_NULL};
  if (node == NULL || node->count == 0) return CODE_OK;
  const ProtoEntry *kind = &node->entries[0];
  switch (kind->field->type) {
    case PROTO_DOUBLE:
      if (!isfinite(kind->one.number)) return error_set(writer->err, CODE_BAD_REQUEST, "JSON has no numbers that are not finite");
      return number_value(writer, kind->one.number, ret);
    case PROTO_STRING: return string_value(writer, kind->one.text, ret);
    case PROTO_BOOL: *ret = (JsonValue){.type = JSON_BOOL, .boolean = kind->one.integer != 0}; return CODE_OK;
    case PROTO_MESSAGE:
      return kind->field->message->well_known == PROTO_STRUCT ? write_any_struct(writer, kind->one.node, ret)
                                                              : write_any_list(writer, kind->one.node, ret);
    default: return CODE_OK; /* null_value */
  }
}

/* ---- fields ---- */

static Code write_datum(InputWriter *writer, const ProtoField *field, ProtoDatum value, Absence absence, JsonValue *ret) {
  switch (field->type) {
    case PROTO_DOUBLE: return number_value(writer, value.number, ret);
    case PROTO_INT64:
    case PROTO_INT32: return integer_value(writer, JSON_NUMBER, value.integer, ret);
    case PROTO_BOOL: *ret = (JsonValue){.type = JSON_BOOL, .boolean = value.integer != 0}; return CODE_OK;
    case PROTO_STRING: return string_value(writer, value.text, ret);
    case PROTO_BYTES: return bytes_value(writer, value.text, ret);
    case PROTO_ENUM: return enum_value(writer, field, value.integer, ret);
    case PROTO_MESSAGE: break;
  }
  if (field->message->well_known == PROTO_TIMESTAMP) return timestamp_value(writer, value.node, ret);
  if (field->message->well_known == PROTO_VALUE) return write_any(writer, value.node, ret);
  return write_object(writer, value.node, field->message, absence == ABSENCE_CREATE ? ABSENCE_CREATE : ABSENCE_CLEAR, ret);
}

/* A list whose items may be null has the type's zero value for it. */
static bool is_null_item(const ProtoField *field, ProtoDatum item) {
  if (field->field->is_item_required) return false;
  if (field->type == PROTO_ENUM) return item.integer == 0;
  return field->type == PROTO_MESSAGE && field->message->well_known == PROTO_ORDINARY && item.node->count == 0;
}

static Code write_list(InputWriter *writer, const ProtoField *field, const ProtoEntry *entry, Absence absence, JsonValue *ret) {
  size_t count = entry == NULL ? 0 : entry->count;
  JsonValue *items = ARENA_ARRAY(writer->arena, JsonValue, count + 1);
  if (items == NULL) return error_no_memory(writer->err);
  for (size_t i = 0; i < count; i++) {
    if (is_null_item(field, entry->many[i]))
      items[i] = (JsonValue){.type = JSON_NULL};
    else
      TRY(write_datum(writer, field, entry->many[i], absence, &items[i]));
  }
  *ret = (JsonValue){.type = JSON_ARRAY, .items = items, .count = count};
  return CODE_OK;
}

static bool is_zero(const ProtoField *field, ProtoDatum value) {
  if (field->type == PROTO_MESSAGE) return false;
  if (field->type == PROTO_STRING || field->type == PROTO_BYTES) return value.text.len == 0;
  return field->type == PROTO_DOUBLE ? value.number == 0 : value.integer == 0;
}

static ProtoDatum zero_of(const ProtoField *field) {
  if (field->type == PROTO_DOUBLE) return (ProtoDatum){.number = 0};
  return field->type == PROTO_STRING || field->type == PROTO_BYTES ? (ProtoDatum){.text = STR("")} : (ProtoDatum){.integer = 0};
}

/* Whether zero can be a value of a field without presence: not where a text is a key, and not where a type's texts are never empty. */
static bool can_be_zero(const ProtoField *field) {
  const Field *source = field->field;
  if (field->is_optional || field->type == PROTO_MESSAGE || field->type == PROTO_ENUM) return false;
  if (source->is_readonly || source->is_server_made) return false;
  if (field->type == PROTO_STRING) return source->type == TYPE_STRING && !source->is_key && !source->is_relation_key;
  return true;
}

/* What is there and yet absent: without presence and zero, an empty list; an enum's zero says that there is none. */
static bool is_absent(const ProtoField *field, const ProtoEntry *entry) {
  if (field->is_repeated) return entry->count == 0;
  if (field->type == PROTO_ENUM) return entry->one.integer == 0;
  return !field->is_optional && is_zero(field, entry->one);
}

static Code write_absent(InputWriter *writer, const ProtoField *field, Absence absence, JsonValue *ret, bool *ret_is_given) {
  const Field *source = field->field;
  bool is_zeroed =
      field->is_repeated ? absence == ABSENCE_CLEAR || (source->is_required && source->default_kind == DEFAULT_NONE) : can_be_zero(field);
  *ret = (JsonValue){.type = JSON_NULL};
  *ret_is_given = absence == ABSENCE_CLEAR || (absence == ABSENCE_CREATE && is_zeroed && !source->is_readonly);
  if (!*ret_is_given || !is_zeroed) return CODE_OK;
  if (field->is_repeated) return write_list(writer, field, NULL, absence, ret);
  return write_datum(writer, field, zero_of(field), absence, ret);
}

static Code refuse_relation(const InputWriter *writer, const ProtoField *field) {
  const Relation *relation = field->field->relation;
  if (field->field->kind == FIELD_TO_MANY)
    return error_set(writer->err, CODE_BAD_REQUEST, "%.*s is not set here: its rows have methods of their own", STR_ARGS(field->name));
  return error_set(writer->err, CODE_BAD_REQUEST, "%.*s is not set here: set %.*s", STR_ARGS(field->name),
                   STR_ARGS(relation->keys[0]->name));
}

static Code write_field(InputWriter *writer, const ProtoField *field, const ProtoEntry *entry, Absence absence, Members *members) {
  if (field->field->kind != FIELD_STORED) return entry == NULL ? CODE_OK : refuse_relation(writer, field);
  JsonMember member = {.name = field->field->name};
  bool is_given = true;
  if (entry == NULL || is_absent(field, entry))
    TRY(write_absent(writer, field, absence, &member.value, &is_given));
  else if (field->is_repeated)
    TRY(write_list(writer, field, entry, absence, &member.value));
  else
    TRY(write_datum(writer, field, entry->one, absence, &member.value));
  if (is_given && !VEC_PUSH(writer->arena, members, member)) return error_no_memory(writer->err);
  return CODE_OK;
}

static void give_object(const Members *members, JsonValue *ret) {
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members->items, .count = members->count};
}

/* A row, or an embedded object. Recursion goes as deep as the tree. */
static Code write_object(InputWriter *writer, const ProtoNode *node, const ProtoMessage *message, Absence absence, JsonValue *ret) {
  Members members = {0};
  for (size_t i = 0; i < message->field_count; i++) {
    const ProtoField *field = &message->fields[i];
    if (absence == ABSENCE_LEAVE && field->field->is_key) continue; /* it says which row */
    TRY(write_field(writer, field, node == NULL ? NULL : proto_find(node, field), absence, &members));
  }
  give_object(&members, ret);
  return CODE_OK;
}

/* ---- masks ---- */

static Code refuse_path(const InputWriter *writer, const ProtoMessage *message, Str name) {
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < message->field_count; i++) nearest_offer(&nearest, message->fields[i].name);
  Str hint = nearest_hint(&nearest, writer->arena), shown = utf8_cut(name, 64);
  return error_set(writer->err, CODE_BAD_REQUEST, "update_mask: %.*s has no field \"%.*s\"%s%.*s", STR_ARGS(message->name), STR_ARGS(shown),
                   hint.len > 0 ? ": " : "", STR_ARGS(hint));
}

/* What `*` names: a key says which row it is, and what its reader can't see is not taken away behind his back. */
static bool is_replaceable(const ProtoField *field, const ProtoEntry *entry) {
  const Field *source = field->field;
  return source->kind == FIELD_STORED && !source->is_key && !source->is_readonly && !source->is_immutable &&
         (!source->is_hidden || entry != NULL);
}

static Code write_replaced(InputWriter *writer, const ProtoNode *node, Members *members) {
  for (size_t i = 0; i < node->type->field_count; i++) {
    const ProtoField *field = &node->type->fields[i];
    const ProtoEntry *entry = proto_find(node, field);
    if (is_replaceable(field, entry)) TRY(write_field(writer, field, entry, ABSENCE_CLEAR, members));
  }
  return CODE_OK;
}

typedef struct MaskPaths {
  const Str *items;
  size_t count;
} MaskPaths;

static Code write_masked(InputWriter *writer, const ProtoNode *node, const ProtoMessage *message, MaskPaths paths, JsonValue *ret);

/* All paths that go on below `field`; *ret_is_whole where one of them ends at it. */
static Code paths_below(InputWriter *writer, const ProtoMessage *message, MaskPaths paths, const ProtoField *field, MaskPaths *ret,
                        bool *ret_is_whole) {
  Str *items = ARENA_ARRAY(writer->arena, Str, paths.count);
  if (items == NULL) return error_no_memory(writer->err);
  *ret = (MaskPaths){items, 0};
  *ret_is_whole = false;
  for (size_t i = 0; i < paths.count; i++) {
    Str rest = paths.items[i], name;
    if (!str_split_next(&rest, '.', &name) || proto_field(message, name) != field) continue;
    if (rest.ptr == NULL)
      *ret_is_whole = true;
    else
      items[ret->count++] = rest;
  }
  return CODE_OK;
}

static Code write_named(InputWriter *writer, const ProtoNode *node, const ProtoMessage *message, MaskPaths paths, const ProtoField *field,
                        Members *members) {
  const ProtoEntry *entry = node == NULL ? NULL : proto_find(node, field);
  MaskPaths below;
  bool is_whole;
  TRY(paths_below(writer, message, paths, field, &below, &is_whole));
  if (field->field->kind != FIELD_STORED) return refuse_relation(writer, field);
  if (is_whole) return write_field(writer, field, entry, ABSENCE_CLEAR, members);
  if (field->message == NULL || field->message->embedded == NULL || field->is_repeated)
    return error_set(writer->err, CODE_BAD_REQUEST, "update_mask: %.*s has no fields of its own", STR_ARGS(field->name));
  JsonMember member = {.name = field->field->name};
  TRY(write_masked(writer, entry == NULL ? NULL : entry->one.node, field->message, below, &member.value));
  return VEC_PUSH(writer->arena, members, member) ? CODE_OK : error_no_memory(writer->err);
}

/* Members in the contract's order, each once. Recursion goes as deep as types are embedded. */
static Code write_masked(InputWriter *writer, const ProtoNode *node, const ProtoMessage *message, MaskPaths paths, JsonValue *ret) {
  Members members = {0};
  bool *is_named = ARENA_ARRAY(writer->arena, bool, message->field_count + 1);
  if (is_named == NULL) return error_no_memory(writer->err);
  for (size_t i = 0; i < paths.count; i++) {
    Str rest = paths.items[i], name = STR("");
    (void)str_split_next(&rest, '.', &name);
    const ProtoField *field = proto_field(message, name);
    if (field == NULL) return refuse_path(writer, message, name);
    is_named[field - message->fields] = true;
  }
  for (size_t i = 0; i < message->field_count; i++)
    if (is_named[i]) TRY(write_named(writer, node, message, paths, &message->fields[i], &members));
  give_object(&members, ret);
  return CODE_OK;
}

Code proto_input(const ProtoNode *row, ProtoInputKind kind, const ProtoDatum *paths, size_t path_count, Arena *arena, JsonValue *ret,
                 Error *err) {
  InputWriter writer = {arena, err};
  if (kind == PROTO_INPUT_CREATE) return write_object(&writer, row, row->type, ABSENCE_CREATE, ret);
  if (path_count == 0) return write_object(&writer, row, row->type, ABSENCE_LEAVE, ret);
  Str *texts = ARENA_ARRAY(arena, Str, path_count);
  if (texts == NULL) return error_no_memory(err);
  for (size_t i = 0; i < path_count; i++) texts[i] = paths[i].text;
  if (path_count == 1 && str_equal(texts[0], STR("*"))) {
    Members members = {0};
    TRY(write_replaced(&writer, row, &members));
    give_object(&members, ret);
    return CODE_OK;
  }
  return write_masked(&writer, row, row->type, (MaskPaths){texts, path_count}, ret);
}

/* ---- keys ---- */

static const ProtoField *key_field(const ProtoMessage *message, const Field *key) {
  for (size_t i = 0; i < message->field_count; i++) {
    if (message->fields[i].field == key) return &message->fields[i];
  }
  return NULL;
}

static Code key_part(InputWriter *writer, const ProtoNode *node, const Field *key, Value *ret, bool *ret_is_possible) {
  const ProtoField *field = key_field(node->type, key);
  const ProtoEntry *entry = field == NULL ? NULL : proto_find(node, field);
  *ret_is_possible = false;
  if (field == NULL || (entry == NULL && field->type == PROTO_MESSAGE)) return CODE_OK;
  ProtoDatum value = entry != NULL ? entry->one : zero_of(field);
  JsonValue json;
  Str expected;
  TRY(write_datum(writer, field, value, ABSENCE_CREATE, &json));
  Str text = json.type == JSON_BOOL ? (json.boolean ? STR("true") : STR("false")) : json.text;
  Code code = rest_value_parse(key, text, writer->arena, ret, &expected);
  if (code == CODE_UNAVAILABLE) return error_no_memory(writer->err);
  *ret_is_possible = code == CODE_OK;
  return CODE_OK;
}

Code proto_key(const ProtoNode *node, const Resource *resource, Arena *arena, const Value **ret, Error *err) {
  InputWriter writer = {arena, err};
  Value *values = ARENA_ARRAY(arena, Value, resource->key_count + 1);
  bool is_key = true;
  if (values == NULL) return error_no_memory(err);
  for (size_t i = 0; i < resource->key_count; i++) {
    bool is_possible;
    TRY(key_part(&writer, node, resource->keys[i], &values[i], &is_possible));
    is_key = is_key && is_possible;
  }
  *ret = is_key ? values : NULL;
  return CODE_OK;
}
