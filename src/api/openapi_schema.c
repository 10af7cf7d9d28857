/* openapi_schema.c - types and their constraints as JSON Schema (2020-12, OpenAPI 3.1's). */
#include <stdint.h>

#include "api/openapi_impl.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "contract/directive_words.h"

/* ---- Scalars ---- */

static void write_type(Openapi *api, Str type, bool is_nullable) {
  JsonOut *json = &api->json;
  if (!is_nullable) {
    json_out_member_text(json, STR("type"), type);
    return;
  }
  json_out_member_open(json, STR("type"), '[');
  json_out_text(json, type);
  json_out_text(json, STR("null"));
  json_out_close(json, ']');
}

/* RE2's language has more than the regular expressions of JSON Schema (ECMA 262): what only it has is told in words instead. */
static bool is_portable_pattern(Str pattern) {
  static const Str foreign[] = {STR_INIT("\\A"), STR_INIT("\\z"), STR_INIT("\\Q"), STR_INIT("\\x{"), STR_INIT("\\p"), STR_INIT("\\P"),
                                STR_INIT("\\a"), STR_INIT("[["),  STR_INIT("[:"),  STR_INIT("[]"),   STR_INIT("[^]")};
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    if (str_contains(pattern, foreign[i])) return false;
  }
  for (size_t i = 0; i + 2 < pattern.len; i++) {
    char kind = pattern.ptr[i + 2];
    if (pattern.ptr[i] == '(' && pattern.ptr[i + 1] == '?' && kind != ':') return false;
  }
  /* Without flags ECMA 262 sees UTF-16 units, not code points. */
  for (size_t i = 0; i < pattern.len; i++) {
    if ((unsigned char)pattern.ptr[i] >= 0x80) return false;
  }
  return true;
}

static void write_length(Openapi *api, const Field *field, Str min_name, Str max_name) {
  if (field->length_min > 0) json_out_member_int(&api->json, min_name, field->length_min);
  if (field->length_max >= 0) json_out_member_int(&api->json, max_name, field->length_max);
}

static void text_members(Openapi *api, const Field *field, Str format) {
  if (format.len > 0) json_out_member_text(&api->json, STR("format"), format);
  if (!field->is_list) write_length(api, field, STR("minLength"), STR("maxLength"));
  if (field->pattern.ptr != NULL && is_portable_pattern(field->pattern)) json_out_member_text(&api->json, STR("pattern"), field->pattern);
}

static int64_t bound_or(const Value *bound, int64_t other) { return bound->type == VALUE_INT ? bound->integer : other; }

static void float_bound(Openapi *api, Str name, const Value *bound) {
  if (bound->type != VALUE_FLOAT && bound->type != VALUE_INT) return;
  json_out_key(&api->json, name);
  json_out_separate(&api->json);
  json_write_double(api->json.buf, bound->type == VALUE_FLOAT ? bound->number : (double)bound->integer);
}

/* Exact numbers are answered as strings, so that no client rounds them; their digits are bounded by a pattern. */
static void decimal_members(Openapi *api, const Field *field) {
  JsonOut *json = &api->json;
  int scale = field->scale >= 0 ? field->scale : DECIMAL_DIGITS_MAX;
  int precision = field->precision > 0 ? field->precision : DECIMAL_DIGITS_MAX;
  int integer_digits = field->scale >= 0 && precision > scale ? precision - scale : precision;
  bool is_positive = field->range_min.type == VALUE_DECIMAL && !str_starts_with(field->range_min.text, STR("-"));
  Str fraction = scale > 0 ? openapi_text(api, "(\\.[0-9]{1,%d})?", scale) : STR("");
  json_out_member_text(json, STR("format"), STR("decimal"));
  json_out_member_text(json, STR("pattern"),
                       openapi_text(api, "^%s(0|[1-9][0-9]{0,%d})%.*s$", is_positive ? "" : "-?", integer_digits - 1, STR_ARGS(fraction)));
}

static void bigint_members(Openapi *api) {
  json_out_member_text(&api->json, STR("format"), STR("int64"));
  json_out_member_text(&api->json, STR("pattern"), STR("^(0|-?[1-9][0-9]{0,18})$"));
}

/* In bodies they may be numbers too, whose bounds can be told. Each of the two is a schema: few generators know what to make of a list of
 * types. */
static void exact_input(Openapi *api, const Field *field, bool is_nullable) {
  JsonOut *json = &api->json;
  bool is_decimal = field->type == TYPE_DECIMAL;
  json_out_member_open(json, STR("anyOf"), '[');
  json_out_open(json, '{');
  json_out_member_text(json, STR("type"), STR("string"));
  if (is_decimal)
    decimal_members(api, field);
  else
    bigint_members(api);
  json_out_close(json, '}');
  json_out_open(json, '{');
  json_out_member_text(json, STR("type"), is_decimal ? STR("number") : STR("integer"));
  if (!is_decimal) json_out_member_text(json, STR("format"), STR("int64"));
  if (is_decimal && field->range_min.type == VALUE_DECIMAL) json_out_member_raw(json, STR("minimum"), field->range_min.text);
  if (is_decimal && field->range_max.type == VALUE_DECIMAL) json_out_member_raw(json, STR("maximum"), field->range_max.text);
  json_out_close(json, '}');
  if (is_nullable) json_out_raw(json, STR("{\"type\":\"null\"}"));
  json_out_close(json, ']');
}

static Str scalar_type(const Field *field) {
  switch (field->type) {
    case TYPE_INT: return STR("integer");
    case TYPE_FLOAT: return STR("number");
    case TYPE_BOOLEAN: return STR("boolean");
    default: return STR("string");
  }
}

static bool is_uuid_key(const Field *field) {
  const Field *key = field->is_relation_key && field->target_key != NULL ? field->target_key : field;
  while (key->is_relation_key && key->target_key != NULL && key->target_key != key) key = key->target_key;
  return key->is_server_made;
}

void openapi_scalar_members(Openapi *api, const Field *field, bool is_nullable) {
  JsonOut *json = &api->json;
  if (api->is_input && (field->type == TYPE_DECIMAL || field->type == TYPE_BIGINT)) {
    exact_input(api, field, is_nullable);
    return;
  }
  write_type(api, scalar_type(field), is_nullable);
  switch (field->type) {
    case TYPE_ID: text_members(api, field, is_uuid_key(field) ? STR("uuid") : STR("")); break;
    case TYPE_STRING: text_members(api, field, STR("")); break;
    case TYPE_EMAIL: text_members(api, field, STR("email")); break;
    case TYPE_URL: text_members(api, field, STR("uri")); break;
    case TYPE_UUID: json_out_member_text(json, STR("format"), STR("uuid")); break;
    case TYPE_INT:
      json_out_member_text(json, STR("format"), STR("int32"));
      json_out_member_int(json, STR("minimum"), bound_or(&field->range_min, INT32_MIN));
      json_out_member_int(json, STR("maximum"), bound_or(&field->range_max, INT32_MAX));
      break;
    case TYPE_BIGINT: bigint_members(api); break;
    case TYPE_FLOAT:
      json_out_member_text(json, STR("format"), STR("double"));
      float_bound(api, STR("minimum"), &field->range_min);
      float_bound(api, STR("maximum"), &field->range_max);
      break;
    case TYPE_DECIMAL: decimal_members(api, field); break;
    case TYPE_DATETIME: json_out_member_text(json, STR("format"), STR("date-time")); break;
    case TYPE_DATE: json_out_member_text(json, STR("format"), STR("date")); break;
    case TYPE_BYTES:
      json_out_member_text(json, STR("contentEncoding"), STR("base64"));
      json_out_member_text(json, STR("pattern"), STR("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"));
      break;
    default: break;
  }
  directives_write_schema(field, json);
}

/* What the keywords can't say, in words. */
static void append_bound(Openapi *api, Buf *out, const char *words, const Value *bound) {
  char text[TIMESTAMP_TEXT_MAX];
  if (bound->type == VALUE_NULL) return;
  buf_add(out, out->len > 0 ? STR(" ") : STR(""));
  buf_printf(out, "%s `", words);
  switch (bound->type) {
    case VALUE_INT: buf_add_int64(out, bound->integer); break;
    case VALUE_DECIMAL: buf_add(out, bound->text); break;
    case VALUE_TIMESTAMP: buf_add(out, (Str){text, timestamp_write(bound->integer, text)}); break;
    case VALUE_DATE: buf_add(out, (Str){text, date_write(bound->integer, text)}); break;
    default: break;
  }
  buf_add(out, STR("`."));
  (void)api;
}

static Str field_description(Openapi *api, const Field *field) {
  Buf out = buf_on(api->arena, (size_t)64 * 1024);
  buf_add(&out, field->description);
  bool has_keywords = field->type == TYPE_INT || field->type == TYPE_FLOAT;
  if (!has_keywords) append_bound(api, &out, "At least", &field->range_min);
  if (!has_keywords) append_bound(api, &out, "At most", &field->range_max);
  if (field->pattern.ptr != NULL && !is_portable_pattern(field->pattern)) {
    buf_add(&out, out.len > 0 ? STR(" ") : STR(""));
    buf_add(&out, STR("Matches `"));
    buf_add(&out, field->pattern);
    buf_add(&out, STR("` (RE2)."));
  }
  directives_describe(field, &out);
  if (field->is_immutable) buf_add(&out, out.len > 0 ? STR(" Set on create only.") : STR("Set on create only."));
  if (field->deprecation_reason.len > 0) {
    buf_add(&out, out.len > 0 ? STR(" Deprecated: ") : STR("Deprecated: "));
    buf_add(&out, field->deprecation_reason);
  }
  if (out.failed != CODE_OK) api->has_failed = true;
  return field->description.len > 0 ? buf_str(&out) : str_trim(buf_str(&out));
}

/* ---- Values of fields ---- */

static SchemaKind embedded_kind(const Openapi *api) { return api->is_input ? SCHEMA_EMBEDDED_INPUT : SCHEMA_EMBEDDED; }

static void ref_or_null(Openapi *api, SchemaKind kind, const void *subject, bool is_nullable) {
  JsonOut *json = &api->json;
  if (!is_nullable) {
    openapi_ref(api, kind, subject);
    return;
  }
  json_out_open(json, '{');
  json_out_member_open(json, STR("anyOf"), '[');
  openapi_ref(api, kind, subject);
  json_out_raw(json, STR("{\"type\":\"null\"}"));
  json_out_close(json, ']');
  json_out_close(json, '}');
}

static void item_schema(Openapi *api, const Field *field, bool is_nullable) {
  JsonOut *json = &api->json;
  if (field->type == TYPE_ENUM) {
    ref_or_null(api, SCHEMA_ENUM, field->enum_type, is_nullable);
  } else if (field->type == TYPE_EMBEDDED) {
    ref_or_null(api, embedded_kind(api), field->embedded, is_nullable);
  } else if (field->type == TYPE_JSON) {
    json_out_raw(json, STR("{}"));
  } else {
    json_out_open(json, '{');
    openapi_scalar_members(api, field, is_nullable);
    json_out_close(json, '}');
  }
}

/* The keywords of the value, without braces; for references `allOf` holds them. */
static void value_members(Openapi *api, const Field *field, bool is_nullable) {
  JsonOut *json = &api->json;
  if (field->is_list) {
    write_type(api, STR("array"), is_nullable);
    write_length(api, field, STR("minItems"), STR("maxItems"));
    json_out_key(json, STR("items"));
    item_schema(api, field, !field->is_item_required);
  } else if (field->type == TYPE_ENUM || field->type == TYPE_EMBEDDED) {
    bool is_enum = field->type == TYPE_ENUM;
    json_out_member_open(json, is_nullable ? STR("anyOf") : STR("allOf"), '[');
    openapi_ref(api, is_enum ? SCHEMA_ENUM : embedded_kind(api), is_enum ? (const void *)field->enum_type : field->embedded);
    if (is_nullable) json_out_raw(json, STR("{\"type\":\"null\"}"));
    json_out_close(json, ']');
  } else if (field->type != TYPE_JSON) {
    openapi_scalar_members(api, field, is_nullable);
  }
}

void openapi_field_schema(Openapi *api, const Field *field, bool is_nullable) {
  json_out_open(&api->json, '{');
  value_members(api, field, is_nullable);
  json_out_close(&api->json, '}');
}

void openapi_plain_schema(Openapi *api, const Field *field, bool is_nullable) {
  Field plain = *field;
  plain.range_min = plain.range_max = value_null();
  plain.length_min = plain.length_max = plain.precision = plain.scale = -1;
  plain.pattern = (Str){0};
  plain.directives = NULL;
  openapi_field_schema(api, &plain, is_nullable);
}

static void property(Openapi *api, const Field *field, bool is_nullable, SchemaKind kind) {
  JsonOut *json = &api->json;
  json_out_member_open(json, field->name, '{');
  value_members(api, field, is_nullable);
  Str description = field_description(api, field);
  if (description.len > 0) json_out_member_text(json, STR("description"), description);
  if (!api->is_input && (field->is_server_made || field->is_readonly)) json_out_member_bool(json, STR("readOnly"), true);
  if (api->is_input && field->is_hidden) json_out_member_bool(json, STR("writeOnly"), true);
  if (field->deprecation_reason.ptr != NULL) json_out_member_bool(json, STR("deprecated"), true);
  if (api->is_input && kind != SCHEMA_UPDATE && field->default_kind == DEFAULT_VALUE) {
    json_out_key(json, STR("default"));
    json_out_value(json, &field->default_value);
  }
  json_out_close(json, '}');
}

/* ---- Answers ---- */

static void relation_property(Openapi *api, const Field *field) {
  JsonOut *json = &api->json;
  json_out_member_open(json, field->name, '{');
  if (field->kind == FIELD_TO_MANY) {
    json_out_member_open(json, STR("allOf"), '[');
    openapi_ref(api, SCHEMA_NESTED_LIST, field->relation->source);
  } else {
    /* A row that the caller may not read is null, so that every relation can be. */
    json_out_member_open(json, STR("anyOf"), '[');
    openapi_ref(api, SCHEMA_RESOURCE, field->relation->target);
    json_out_raw(json, STR("{\"type\":\"null\"}"));
  }
  json_out_close(json, ']');
  Str how =
      openapi_text(api, "Answered where `fields` names it.%s%.*s", field->description.len > 0 ? " " : "", STR_ARGS(field->description));
  json_out_member_text(json, STR("description"), how);
  json_out_member_bool(json, STR("readOnly"), true);
  json_out_close(json, '}');
}

/* No member is required: `fields` decides which are there. */
static void resource_schema(Openapi *api, const Resource *resource) {
  JsonOut *json = &api->json;
  json_out_member_text(json, STR("type"), STR("object"));
  json_out_member_text(json, STR("title"), resource->name);
  Str fallback = openapi_text(api, "%.*s. `fields` decides which members are there.", STR_ARGS(resource->name));
  json_out_member_text(json, STR("description"), resource->description.len > 0 ? resource->description : fallback);
  json_out_member_open(json, STR("properties"), '{');
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->is_hidden) continue;
    if (field->kind == FIELD_STORED) {
      property(api, field, !field->is_required || field->access[RULE_READ] != NULL, SCHEMA_RESOURCE);
    } else {
      relation_property(api, field);
    }
  }
  json_out_close(json, '}');
  json_out_member_bool(json, STR("additionalProperties"), false);
  if (openapi_has_example(api, resource, SCHEMA_RESOURCE)) {
    json_out_member_open(json, STR("examples"), '[');
    openapi_write_example(api, resource, SCHEMA_RESOURCE);
    json_out_close(json, ']');
  }
}

static void list_schema(Openapi *api, const Resource *resource, bool is_nested) {
  JsonOut *json = &api->json;
  json_out_member_text(json, STR("type"), STR("object"));
  json_out_member_raw(json, STR("required"),
                      is_nested ? STR("[\"items\",\"nextCursor\"]") : STR("[\"items\",\"nextCursor\",\"prevCursor\"]"));
  json_out_member_open(json, STR("properties"), '{');
  json_out_member_open(json, STR("items"), '{');
  json_out_member_text(json, STR("type"), STR("array"));
  json_out_key(json, STR("items"));
  openapi_ref(api, SCHEMA_RESOURCE, resource);
  json_out_close(json, '}');
  json_out_member_raw(json, STR("nextCursor"),
                      is_nested ? STR("{\"type\":[\"string\",\"null\"],\"description\":\"To continue at the sub-resource with `after`; "
                                      "null where nothing follows.\"}")
                                : STR("{\"type\":[\"string\",\"null\"],\"description\":\"For `after`; null where no page follows.\"}"));
  if (!is_nested)
    json_out_member_raw(json, STR("prevCursor"),
                        STR("{\"type\":[\"string\",\"null\"],\"description\":\"For `before`; null where no page precedes.\"}"));
  json_out_member_raw(json, STR("count"),
                      STR("{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"description\":\"How many rows there are in all, with "
                          "`count=exact`.\"}"));
  json_out_close(json, '}');
  json_out_member_bool(json, STR("additionalProperties"), false);
}

/* ---- Inputs ---- */

/* The whole of a row that its client names is put, whether it exists or not. */
static bool is_key_chosen(const Resource *resource) { return resource->key_count > 0 && !resource->keys[0]->is_server_made; }

bool openapi_is_settable(const Field *field, SchemaKind kind) {
  if (field->kind != FIELD_STORED || field->is_readonly || field->is_server_made) return false;
  if (kind == SCHEMA_UPDATE) return !field->is_key && !field->is_immutable;
  if (kind == SCHEMA_REPLACE) return !field->is_key && (!field->is_immutable || is_key_chosen(field->resource));
  return true;
}

static bool is_required_input(const Field *field, SchemaKind kind) {
  if (kind == SCHEMA_UPDATE || !field->is_required || field->default_kind != DEFAULT_NONE) return false;
  return openapi_is_settable(field, kind);
}

/* A row of a relation's source; `parent` is the relation that stands for itself where a row is created inside its parent; NULL: none. */
typedef struct Input {
  const Resource *resource;
  SchemaKind kind;
  const Relation *parent;
} Input;

static bool is_left_out(const Input *input, const Field *field) {
  return input->parent != NULL && field->relation == input->parent && (field->is_relation_key || field->kind == FIELD_TO_ONE);
}

/* Its key may be given, or what nested writes make of it. */
static bool has_links(const Input *input, const Field *field) {
  if (field->kind == FIELD_STORED || is_left_out(input, field) || !openapi_has_links(field)) return false;
  if (field->kind == FIELD_TO_MANY) return true;
  for (size_t i = 0; i < field->relation->key_count; i++) {
    if (!openapi_is_settable(field->relation->keys[i], input->kind)) return false;
  }
  return true;
}

static void link_property(Openapi *api, const Field *field, SchemaKind kind) {
  JsonOut *json = &api->json;
  json_out_member_open(json, field->name, '{');
  bool is_to_one = field->kind == FIELD_TO_ONE, is_nullable = is_to_one && !field->relation->is_required;
  json_out_member_open(json, is_nullable ? STR("anyOf") : STR("allOf"), '[');
  if (is_to_one)
    openapi_ref(api, SCHEMA_LINK, field->relation->target);
  else
    openapi_ref(api, kind == SCHEMA_UPDATE || kind == SCHEMA_REPLACE ? SCHEMA_LINKS : SCHEMA_LINKS_NEW, field);
  if (is_nullable) {
    json_out_open(json, '{');
    json_out_member_text(json, STR("type"), STR("null"));
    json_out_close(json, '}');
  }
  json_out_close(json, ']');
  if (field->description.len > 0) json_out_member_text(json, STR("description"), field->description);
  json_out_member_bool(json, STR("writeOnly"), true);
  json_out_close(json, '}');
}

static bool is_required_link(const Input *input, const Field *field) {
  if (field->kind != FIELD_TO_ONE || !has_links(input, field)) return false;
  return is_required_input(field->relation->keys[0], input->kind);
}

/* The keys of a relation that may be written as a whole are not required by themselves. */
static bool is_required_alone(const Input *input, const Field *field) {
  if (is_left_out(input, field) || !is_required_input(field, input->kind)) return false;
  return !field->is_relation_key || !is_required_link(input, field->relation->field);
}

static void required_names(Openapi *api, const Input *input) {
  JsonOut *json = &api->json;
  size_t count = 0;
  for (size_t i = 0; i < input->resource->field_count; i++) {
    const Field *field = input->resource->fields[i];
    if (!is_required_alone(input, field)) continue;
    if (count++ == 0) json_out_member_open(json, STR("required"), '[');
    json_out_text(json, field->name);
  }
  if (count > 0) json_out_close(json, ']');
}

static void required_object(Openapi *api, const Field *const *fields, size_t count) {
  JsonOut *json = &api->json;
  json_out_open(json, '{');
  json_out_member_open(json, STR("properties"), '{');
  for (size_t i = 0; i < count; i++) json_out_member_raw(json, fields[i]->name, STR("{}"));
  json_out_close(json, '}');
  json_out_member_open(json, STR("required"), '[');
  for (size_t i = 0; i < count; i++) json_out_text(json, fields[i]->name);
  json_out_close(json, ']');
  json_out_close(json, '}');
}

/* A relation that is required: either way will do. */
static void required_links(Openapi *api, const Input *input) {
  JsonOut *json = &api->json;
  size_t count = 0;
  for (size_t i = 0; i < input->resource->field_count; i++) {
    const Field *field = input->resource->fields[i];
    if (!is_required_link(input, field)) continue;
    if (count++ == 0) json_out_member_open(json, STR("allOf"), '[');
    json_out_open(json, '{');
    json_out_member_open(json, STR("anyOf"), '[');
    required_object(api, field->relation->keys, field->relation->key_count);
    required_object(api, &field, 1);
    json_out_close(json, ']');
    json_out_close(json, '}');
  }
  if (count > 0) json_out_close(json, ']');
}

static void input_schema(Openapi *api, const Input *input) {
  JsonOut *json = &api->json;
  const Resource *resource = input->resource;
  json_out_member_text(json, STR("type"), STR("object"));
  if (resource->description.len > 0) json_out_member_text(json, STR("description"), resource->description);
  json_out_member_open(json, STR("properties"), '{');
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (has_links(input, field)) link_property(api, field, input->kind);
    if (openapi_is_settable(field, input->kind) && !is_left_out(input, field)) property(api, field, !field->is_required, input->kind);
  }
  json_out_close(json, '}');
  required_names(api, input);
  required_links(api, input);
  json_out_member_bool(json, STR("additionalProperties"), false);
  if (input->parent == NULL && openapi_has_example(api, resource, input->kind)) {
    json_out_member_open(json, STR("examples"), '[');
    openapi_write_example(api, resource, input->kind);
    json_out_close(json, ']');
  }
}

static void child_input_schema(Openapi *api, const Field *field) {
  const Input input = {field->relation->source, SCHEMA_CREATE, field->relation};
  input_schema(api, &input);
}

static void json_patch_schema(Openapi *api) {
  json_out_member_raw(
      &api->json, STR("type"),
      STR("\"array\",\"description\":\"Changes one after another (RFC 6902).\",\"items\":{\"type\":\"object\",\"required\":[\"op\","
          "\"path\"],\"properties\":{\"op\":{\"type\":\"string\",\"enum\":[\"add\",\"remove\",\"replace\",\"move\",\"copy\",\"test\"]},"
          "\"path\":{\"type\":\"string\",\"description\":\"A JSON Pointer.\"},\"from\":{\"type\":\"string\",\"description\":\"A JSON "
          "Pointer, of move and copy.\"},\"value\":{\"description\":\"Of add, replace and test.\"}}}"));
}

/* ---- The contract's own types ---- */

static void enum_schema(Openapi *api, const EnumType *type) {
  JsonOut *json = &api->json;
  json_out_member_text(json, STR("type"), STR("string"));
  Buf words = buf_on(api->arena, SIZE_MAX);
  buf_add(&words, type->description);
  json_out_member_open(json, STR("enum"), '[');
  for (size_t i = 0; i < type->value_count; i++) {
    const EnumValue *value = &type->values[i];
    json_out_text(json, value->name);
    if (value->description.len == 0) continue;
    buf_add(&words, words.len > 0 ? STR("\n\n`") : STR("`"));
    buf_add(&words, value->name);
    buf_add(&words, STR("`: "));
    buf_add(&words, value->description);
  }
  json_out_close(json, ']');
  if (words.failed != CODE_OK) api->has_failed = true;
  if (words.len > 0) json_out_member_text(json, STR("description"), buf_str(&words));
}

static void embedded_schema(Openapi *api, const Embedded *type) {
  JsonOut *json = &api->json;
  json_out_member_text(json, STR("type"), STR("object"));
  if (type->description.len > 0) json_out_member_text(json, STR("description"), type->description);
  json_out_member_open(json, STR("properties"), '{');
  for (size_t i = 0; i < type->field_count; i++)
    property(api, type->fields[i], !type->fields[i]->is_required, api->is_input ? SCHEMA_CREATE : SCHEMA_RESOURCE);
  json_out_close(json, '}');
  size_t required_count = 0;
  for (size_t i = 0; i < type->field_count; i++) {
    if (!type->fields[i]->is_required || type->fields[i]->default_kind != DEFAULT_NONE) continue;
    if (required_count++ == 0) json_out_member_open(json, STR("required"), '[');
    json_out_text(json, type->fields[i]->name);
  }
  if (required_count > 0) json_out_close(json, ']');
  json_out_member_bool(json, STR("additionalProperties"), false);
}

/* ---- Conditions ---- */

static bool is_parameter_name(Str name) {
  static const Str names[] = {STR_INIT("filter"), STR_INIT("sort"),  STR_INIT("fields"), STR_INIT("limit"),   STR_INIT("after"),
                              STR_INIT("before"), STR_INIT("count"), STR_INIT("q"),      STR_INIT("distinct")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (str_equal(names[i], name)) return true;
  }
  return false;
}

bool openapi_is_filterable(const Field *field) {
  if (field->kind != FIELD_STORED || field->is_hidden || field->is_list || is_parameter_name(field->name)) return false;
  return field->type != TYPE_JSON && field->type != TYPE_EMBEDDED;
}

Str openapi_filter_name(const Field *field) {
  switch (field->type) {
    case TYPE_ENUM: return field->enum_type->name;
    case TYPE_ID: return STR("ID");
    case TYPE_STRING: return STR("String");
    case TYPE_EMAIL: return STR("Email");
    case TYPE_URL: return STR("URL");
    case TYPE_UUID: return STR("UUID");
    case TYPE_INT: return STR("Int");
    case TYPE_BIGINT: return STR("BigInt");
    case TYPE_FLOAT: return STR("Float");
    case TYPE_DECIMAL: return STR("Decimal");
    case TYPE_BOOLEAN: return STR("Boolean");
    case TYPE_DATETIME: return STR("DateTime");
    case TYPE_DATE: return STR("Date");
    default: return STR("Bytes");
  }
}

static bool is_text(const Field *field) {
  return field->type == TYPE_ID || field->type == TYPE_STRING || field->type == TYPE_EMAIL || field->type == TYPE_URL ||
         field->type == TYPE_UUID || field->type == TYPE_ENUM;
}

Str openapi_filter_operators(const Field *field) {
  if (field->type == TYPE_BOOLEAN || field->type == TYPE_BYTES) return STR("`eq`, `ne`, `in`, `isNull`");
  if (is_text(field)) return STR("`eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `in`, `contains`, `startsWith`, `endsWith`, `isNull`");
  return STR("`eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `in`, `isNull`");
}

/* A condition's operand: of the type, without the field's own constraints. */
static void operand(Openapi *api, Str name, const Field *field) {
  /* Any text can be held against an address, whether it is one or not. */
  FieldType type = field->type == TYPE_EMAIL || field->type == TYPE_URL ? TYPE_STRING : field->type;
  const Field plain = {.type = type, .length_min = -1, .length_max = -1, .precision = -1, .scale = -1};
  json_out_key(&api->json, name);
  if (field->type == TYPE_ENUM) {
    openapi_ref(api, SCHEMA_ENUM, field->enum_type);
    return;
  }
  json_out_open(&api->json, '{');
  openapi_scalar_members(api, &plain, false);
  json_out_close(&api->json, '}');
}

static void filter_schema(Openapi *api, const Field *field) {
  JsonOut *json = &api->json;
  bool is_ordered = field->type != TYPE_BOOLEAN && field->type != TYPE_BYTES;
  json_out_member_text(json, STR("type"), STR("object"));
  json_out_member_open(json, STR("properties"), '{');
  operand(api, STR("eq"), field);
  operand(api, STR("ne"), field);
  static const Str orders[] = {STR_INIT("gt"), STR_INIT("gte"), STR_INIT("lt"), STR_INIT("lte")};
  for (size_t i = 0; is_ordered && i < 4; i++) operand(api, orders[i], field);
  json_out_member_raw(
      json, STR("in"),
      STR("{\"type\":\"string\",\"description\":\"Values separated by commas; a backslash takes the next character as it is.\"}"));
  static const Str parts[] = {STR_INIT("contains"), STR_INIT("startsWith"), STR_INIT("endsWith")};
  for (size_t i = 0; is_text(field) && i < 3; i++) json_out_member_raw(json, parts[i], STR("{\"type\":\"string\"}"));
  json_out_member_raw(json, STR("isNull"), STR("{\"type\":\"boolean\"}"));
  json_out_close(json, '}');
  json_out_member_bool(json, STR("additionalProperties"), false);
}

/* ---- Which it is ---- */

static void write_input(Openapi *api, const SchemaNeed *need) {
  api->is_input = true;
  const Input input = {need->subject, need->kind, NULL};
  switch (need->kind) {
    case SCHEMA_CREATE_INPUT: openapi_one_or_many(api, SCHEMA_CREATE, need->subject, false); break;
    case SCHEMA_LINKS_INPUT: openapi_one_or_many(api, SCHEMA_LINKS_CREATE, need->subject, false); break;
    case SCHEMA_LINKS_CREATE: child_input_schema(api, need->subject); break;
    case SCHEMA_LINKS: openapi_links_schema(api, need->subject, false); break;
    case SCHEMA_LINKS_NEW: openapi_links_schema(api, need->subject, true); break;
    case SCHEMA_LINK: openapi_link_schema(api, need->subject); break;
    case SCHEMA_WHERE: openapi_where_schema(api, need->subject); break;
    case SCHEMA_EMBEDDED_INPUT: embedded_schema(api, need->subject); break;
    case SCHEMA_JSON_PATCH: json_patch_schema(api); break;
    case SCHEMA_BATCH_REQUEST: openapi_batch_request_schema(api); break;
    default: input_schema(api, &input); break;
  }
  api->is_input = false;
}

void openapi_write_schema(Openapi *api, const SchemaNeed *need) {
  json_out_open(&api->json, '{');
  switch (need->kind) {
    case SCHEMA_RESOURCE: resource_schema(api, need->subject); break;
    case SCHEMA_LIST: list_schema(api, need->subject, false); break;
    case SCHEMA_NESTED_LIST: list_schema(api, need->subject, true); break;
    case SCHEMA_CREATED: openapi_one_or_many(api, SCHEMA_RESOURCE, need->subject, true); break;
    case SCHEMA_IMPORTED: openapi_imported_schema(api); break;
    case SCHEMA_AGGREGATE: openapi_aggregate_schema(api, need->subject); break;
    case SCHEMA_ENUM: enum_schema(api, need->subject); break;
    case SCHEMA_EMBEDDED: embedded_schema(api, need->subject); break;
    case SCHEMA_FILTER: filter_schema(api, need->subject); break;
    case SCHEMA_PROBLEM: openapi_problem_schema(api); break;
    case SCHEMA_BATCH_ANSWER: openapi_batch_answer_schema(api); break;
    case SCHEMA_HEALTH: openapi_health_schema(api); break;
    default: write_input(api, need); break;
  }
  json_out_close(&api->json, '}');
}
