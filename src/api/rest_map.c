/* rest_map.c - prepares a contract for REST: all that would otherwise be made anew for each request. */
#include "api/rest_map.h"

#include "api/rest_deprecation.h"
#include "base/buf.h"
#include "codec/json.h"

enum { KEY_TEXT_MAX = 4096 };

/* "orderLines" → "order-lines". A capital starts a word where it does not continue a run of capitals. */
static Str kebab_case(Str name, Arena *arena) {
  char *out = arena_alloc(arena, name.len * 2 + 1);
  if (out == NULL) return (Str){0};
  size_t len = 0;
  for (size_t i = 0; i < name.len; i++) {
    char byte = name.ptr[i];
    bool is_capital = byte >= 'A' && byte <= 'Z';
    bool is_behind_capital = i > 0 && name.ptr[i - 1] >= 'A' && name.ptr[i - 1] <= 'Z';
    if (is_capital && i > 0 && !is_behind_capital) out[len++] = '-';
    out[len++] = (char)(is_capital ? byte + 32 : byte);
  }
  return (Str){out, len};
}

RestKey rest_key(Str text, bool is_quoted, int32_t scale) {
  RestKey key = {.text = text, .is_quoted = is_quoted, .scale = scale};
  memcpy(key.head, text.ptr, text.len < REST_KEY_HEAD ? text.len : REST_KEY_HEAD);
  return key;
}

static Code prepare_key(const Field *field, Arena *arena, RestKey *ret, Error *err) {
  Buf out = buf_on(arena, KEY_TEXT_MAX);
  buf_add_byte(&out, ',');
  json_write_string(&out, field->name);
  buf_add_byte(&out, ':');
  Str text;
  TRY(buf_finish(&out, &text, err));
  bool is_stored = field->kind == FIELD_STORED;
  *ret = rest_key(text, is_stored && field->type == TYPE_BIGINT, is_stored && field->type == TYPE_DECIMAL ? field->scale : -1);
  return CODE_OK;
}

static Selection *selection_of(const Resource *resource, const RestKey *keys, bool (*is_wanted)(const Field *field), Arena *arena) {
  Selection *selection = ARENA_NEW(arena, Selection);
  SelectionItem *items = ARENA_ARRAY(arena, SelectionItem, resource->stored_count + 1);
  if (selection == NULL || items == NULL) return NULL;
  size_t count = 0;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (is_wanted(field)) items[count++] = (SelectionItem){.field = field, .name = field->name, .face = &keys[field->index]};
  }
  *selection = (Selection){.resource = resource, .items = items, .count = count, .list = {.limit = -1}};
  return selection;
}

static bool is_key_field(const Field *field) { return field->is_key; }

static Code prepare_children(const Resource *resource, Arena *arena, Map *children, Error *err) {
  *children = map_on(arena);
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind != FIELD_TO_MANY || field->is_hidden) continue;
    Str kebab = kebab_case(field->name, arena);
    TRY_ALLOC(kebab.ptr);
    /* A field's own name is never hidden by another's name in kebab-case: field names hold no hyphen. */
    if (!map_put(children, kebab, (void *)field) || !map_put(children, field->name, (void *)field)) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code prepare_resource(const Contract *contract, const Resource *resource, Arena *arena, RestResource *ret, Error *err) {
  RestResource made = {.resource = resource};
  made.path = arena_printf(arena, "/%.*s/%.*s", STR_ARGS(contract->service_version), STR_ARGS(resource->path));
  made.keys = ARENA_ARRAY(arena, RestKey, resource->field_count + 1);
  if (made.path.ptr == NULL || made.keys == NULL) return error_no_memory(err);
  for (size_t i = 0; i < resource->field_count; i++) TRY(prepare_key(resource->fields[i], arena, &made.keys[i], err));
  made.whole = selection_of(resource, made.keys, rest_field_is_plain, arena);
  made.key_only = selection_of(resource, made.keys, is_key_field, arena);
  if (made.whole == NULL || made.key_only == NULL) return error_no_memory(err);
  made.whole->is_whole = true;
  TRY(prepare_children(resource, arena, &made.children, err));
  /* What has no key can be listed and nothing else. */
  bool is_writable = resource->key_count > 0;
  made.allow_collection = is_writable ? STR("GET, HEAD, POST, OPTIONS") : STR("GET, HEAD, OPTIONS");
  made.allow_item = STR("GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  made.allow_child = STR("GET, HEAD, POST, OPTIONS");
  *ret = made;
  return CODE_OK;
}

Code rest_map_create(const Contract *contract, Arena *arena, RestMap **ret, Error *err) {
  RestMap *map = ARENA_NEW(arena, RestMap);
  RestResource *resources = ARENA_ARRAY(arena, RestResource, contract->resource_count + 1);
  if (map == NULL || resources == NULL) return error_no_memory(err);
  for (size_t i = 0; i < contract->resource_count; i++) {
    TRY(prepare_resource(contract, contract->resources[i], arena, &resources[i], err));
  }
  Str prefix = arena_printf(arena, "/%.*s/", STR_ARGS(contract->service_version));
  TRY_ALLOC(prefix.ptr);
  *map = (RestMap){.contract = contract, .prefix = prefix, .resources = resources, .has_deprecated = contract_has_deprecated(contract)};
  *ret = map;
  return CODE_OK;
}
