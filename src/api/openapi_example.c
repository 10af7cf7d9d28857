/* openapi_example.c - one row of a resource as an example. A value is given only where it surely validates against the field's own
 * constraints; a whole example only where each required field has one. */
#include <math.h>

#include "api/openapi_impl.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "base/utf8.h"
#include "contract/directive_words.h"
#include "contract/regex.h"

enum { EXAMPLE_TEXT_MAX = 256 };

static const Str EXAMPLE_UUID = STR_INIT("01890a5d-ac96-774b-bcce-b302099a8057");
#define EXAMPLE_TIME_US 1795262400000000 /* 2026-11-21T12:00:00Z */
#define EXAMPLE_DAY 20778                /* 2026-11-21 */

/* ---- Text ---- */

static bool is_good_text(const Field *field, Str text) {
  size_t count = utf8_length(text);
  if (field->length_min > 0 && count < (size_t)field->length_min) return false;
  if (field->length_max >= 0 && count > (size_t)field->length_max) return false;
  bool matches = true;
  return field->regex == NULL || (regex_matches(field->regex, text, &matches) && matches);
}

/* A text that is as long as it must be, and as it may be. */
static Str stretched(Openapi *api, const Field *field, Str text) {
  size_t len = text.len;
  if (field->length_min > 0 && len < (size_t)field->length_min) len = (size_t)field->length_min;
  if (field->length_max >= 0 && len > (size_t)field->length_max) len = (size_t)field->length_max;
  if (len > EXAMPLE_TEXT_MAX) return (Str){0};
  char *bytes = arena_alloc(api->arena, len + 1);
  if (bytes == NULL) {
    api->has_failed = true;
    return (Str){0};
  }
  for (size_t i = 0; i < len; i++) bytes[i] = i < text.len ? text.ptr[i] : 'x';
  return (Str){bytes, len};
}

/* So many digits, or so many letters. */
static Str repeated_text(Openapi *api, const Field *field) {
  static const Str kinds[] = {STR_INIT("0123456789012345678901234567890123456789"), STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMN"),
                              STR_INIT("abcdefghijklmnopqrstuvwxyzabcdefghijklmn")};
  for (size_t kind = 0; kind < 3; kind++) {
    for (size_t len = 1; len <= kinds[kind].len; len++) {
      Str text = str_slice(kinds[kind], 0, len);
      if (is_good_text(field, text)) return openapi_text(api, "%.*s", STR_ARGS(text));
    }
  }
  return (Str){0};
}

/* What common patterns want: codes, slugs, numbers, colours, times, telephone numbers, versions. */
static Str matching_text(Openapi *api, const Field *field) {
  static const Str candidates[] = {
      STR_INIT("example"),    STR_INIT("EXAMPLE-1"),   STR_INIT("example-1"),
      STR_INIT("example_1"),  STR_INIT("EXAMPLE"),     STR_INIT("Example"),
      STR_INIT("A"),          STR_INIT("AB"),          STR_INIT("ABC"),
      STR_INIT("ABCD"),       STR_INIT("a"),           STR_INIT("ab"),
      STR_INIT("abc"),        STR_INIT("1"),           STR_INIT("12"),
      STR_INIT("123"),        STR_INIT("1234"),        STR_INIT("12345"),
      STR_INIT("123456"),     STR_INIT("12345678"),    STR_INIT("A1"),
      STR_INIT("A-1"),        STR_INIT("AB-1234"),     STR_INIT("#c0ffee"),
      STR_INIT("12:00"),      STR_INIT("1.0.0"),       STR_INIT("en"),
      STR_INIT("en-GB"),      STR_INIT("GB"),          STR_INIT("EUR"),
      STR_INIT("+4930123"),   STR_INIT("a@b.example"), STR_INIT("https://example.com/"),
      STR_INIT("An example"),
  };
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    if (is_good_text(field, candidates[i])) return candidates[i];
    Str longer = stretched(api, field, candidates[i]);
    if (longer.ptr != NULL && is_good_text(field, longer)) return longer;
  }
  return repeated_text(api, field);
}

static Str example_text(Openapi *api, const Field *field) {
  if (field->is_relation_key && field->target_key != NULL) return example_text(api, field->target_key);
  switch (field->type) {
    case TYPE_UUID: return EXAMPLE_UUID;
    case TYPE_EMAIL: return is_good_text(field, STR("someone@example.com")) ? STR("someone@example.com") : matching_text(api, field);
    case TYPE_URL: return is_good_text(field, STR("https://example.com/")) ? STR("https://example.com/") : matching_text(api, field);
    case TYPE_BYTES: return field->length_min > 3 || (field->length_max >= 0 && field->length_max < 3) ? (Str){0} : STR("AAEC");
    case TYPE_ID:
      if (field->is_server_made) return EXAMPLE_UUID;
      return matching_text(api, field);
    default: return matching_text(api, field);
  }
}

/* ---- Numbers and times ---- */

static int64_t inside(int64_t wish, const Value *min, const Value *max) {
  if (min->type != VALUE_NULL && wish < min->integer) wish = min->integer;
  if (max->type != VALUE_NULL && wish > max->integer) wish = max->integer;
  return wish;
}

static double float_example(const Field *field) {
  double n = 1.5, min = -INFINITY, max = INFINITY;
  if (field->range_min.type != VALUE_NULL)
    min = field->range_min.type == VALUE_FLOAT ? field->range_min.number : (double)field->range_min.integer;
  if (field->range_max.type != VALUE_NULL)
    max = field->range_max.type == VALUE_FLOAT ? field->range_max.number : (double)field->range_max.integer;
  if (n < min) n = min;
  return n > max ? max : n;
}

static bool is_decimal_inside(const Field *field, Str text) {
  if (field->range_min.type == VALUE_DECIMAL && decimal_compare(text, field->range_min.text) < 0) return false;
  if (field->range_max.type == VALUE_DECIMAL && decimal_compare(text, field->range_max.text) > 0) return false;
  if (field->scale >= 0 && decimal_scale(text) > (size_t)field->scale) return false;
  return field->precision <= 0 || decimal_integer_digits(text) + (field->scale > 0 ? (size_t)field->scale : 0) <= (size_t)field->precision;
}

static Str decimal_example(Openapi *api, const Field *field) {
  const Str wishes[] = {STR("12.5"),
                        STR("5"),
                        STR("0.5"),
                        STR("0"),
                        field->range_min.type == VALUE_DECIMAL ? field->range_min.text : STR("1"),
                        field->range_max.type == VALUE_DECIMAL ? field->range_max.text : STR("1")};
  for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
    if (!is_decimal_inside(field, wishes[i])) continue;
    DecimalText fixed;
    if (field->scale < 0) return wishes[i];
    if (!decimal_format(wishes[i], (size_t)field->scale, &fixed)) return wishes[i];
    return openapi_text(api, "%.*s", STR_ARGS(decimal_str(&fixed)));
  }
  return (Str){0};
}

/* ---- A field's value ---- */

/* False, and nothing is written, where none is known. */
static bool write_item(Openapi *api, const Field *field, bool is_writing);

static bool write_embedded(Openapi *api, const Embedded *type, bool is_writing) {
  JsonOut *json = &api->json;
  for (size_t i = 0; i < type->field_count; i++) {
    const Field *field = type->fields[i];
    bool has_value = field->type != TYPE_EMBEDDED && !field->is_list && write_item(api, field, false);
    if (!has_value && field->is_required && field->default_kind == DEFAULT_NONE) return false;
  }
  if (!is_writing) return true;
  json_out_open(json, '{');
  for (size_t i = 0; i < type->field_count; i++) {
    const Field *field = type->fields[i];
    if (field->type == TYPE_EMBEDDED || field->is_list || !write_item(api, field, false)) continue;
    json_out_key(json, field->name);
    (void)write_item(api, field, true);
  }
  json_out_close(json, '}');
  return true;
}

static bool write_text_item(Openapi *api, Str text, bool is_writing) {
  if (text.ptr != NULL && is_writing) json_out_text(&api->json, text);
  return text.ptr != NULL;
}

static bool write_item(Openapi *api, const Field *field, bool is_writing) {
  char text[TIMESTAMP_TEXT_MAX];
  JsonOut *json = &api->json;
  switch (field->type) {
    case TYPE_INT:
      if (is_writing) json_out_int(json, inside(1, &field->range_min, &field->range_max));
      return true;
    case TYPE_BIGINT:
      return write_text_item(api, openapi_text(api, "%lld", (long long)inside(1, &field->range_min, &field->range_max)), is_writing);
    case TYPE_FLOAT:
      if (!is_writing) return true;
      json_out_separate(json);
      json_write_double(json->buf, float_example(field));
      return true;
    case TYPE_DECIMAL: return write_text_item(api, decimal_example(api, field), is_writing);
    case TYPE_BOOLEAN:
      if (is_writing) json_out_bool(json, false);
      return true;
    case TYPE_DATETIME:
      return write_text_item(api, (Str){text, timestamp_write(inside(EXAMPLE_TIME_US, &field->range_min, &field->range_max), text)},
                             is_writing);
    case TYPE_DATE:
      return write_text_item(api, (Str){text, date_write(inside(EXAMPLE_DAY, &field->range_min, &field->range_max), text)}, is_writing);
    case TYPE_JSON:
      if (is_writing) json_out_raw(json, STR("{}"));
      return true;
    case TYPE_ENUM: return write_text_item(api, field->enum_type->values[0].name, is_writing);
    case TYPE_EMBEDDED: return write_embedded(api, field->embedded, is_writing);
    default: return write_text_item(api, example_text(api, field), is_writing);
  }
}

/* `is_writing` false only asks. */
static bool write_value(Openapi *api, const Field *field, bool is_writing) {
  JsonOut *json = &api->json;
  if (!directives_are_plain(field)) return false;
  if (!field->is_list) return write_item(api, field, is_writing);
  const Field item = {.name = field->name,
                      .type = field->type,
                      .enum_type = field->enum_type,
                      .embedded = field->embedded,
                      .length_min = -1,
                      .length_max = -1,
                      .precision = -1,
                      .scale = -1};
  size_t count = field->length_min > 1 ? (size_t)field->length_min : 1;
  if (field->length_max == 0) count = 0;
  if (count > 8 || !write_item(api, &item, false)) return false;
  if (!is_writing) return true;
  json_out_open(json, '[');
  for (size_t i = 0; i < count; i++) (void)write_item(api, &item, true);
  json_out_close(json, ']');
  return true;
}

/* ---- Rows ---- */

/* A reference in a body would have to exist, so that only one that is needed stands there. */
static bool is_wanted(const Field *field, SchemaKind kind) {
  if (field->kind != FIELD_STORED) return false;
  if (kind == SCHEMA_RESOURCE) return !field->is_hidden;
  if (!openapi_is_settable(field, kind)) return false;
  if (kind == SCHEMA_UPDATE) return !field->is_relation_key && !field->is_hidden;
  return !field->is_relation_key || (field->is_required && field->default_kind == DEFAULT_NONE);
}

bool openapi_has_example(Openapi *api, const Resource *resource, SchemaKind kind) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    bool is_needed =
        field->is_required && is_wanted(field, kind) && (kind == SCHEMA_RESOURCE || kind == SCHEMA_CREATE || kind == SCHEMA_REPLACE);
    if (is_needed && !write_value(api, field, false)) return false;
  }
  return true;
}

void openapi_write_example(Openapi *api, const Resource *resource, SchemaKind kind) {
  JsonOut *json = &api->json;
  json_out_open(json, '{');
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (!is_wanted(field, kind)) continue;
    bool has_value = write_value(api, field, false);
    if (!has_value && kind != SCHEMA_RESOURCE) continue;
    json_out_key(json, field->name);
    if (has_value)
      (void)write_value(api, field, true);
    else
      json_out_raw(json, STR("null"));
  }
  json_out_close(json, '}');
}
