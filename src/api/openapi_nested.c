/* openapi_nested.c - what a body may say of other rows: to create, connect, disconnect, update or delete them along with the row. Each
 * alternative is a closed object of its own, so that a client's type tells them apart. */
#include "api/openapi_impl.h"
#include "contract/expr.h"

static bool is_open(const Resource *resource, RuleAction action) {
  const Expr *rule = resource->access[action];
  return resource->key_count > 0 && rule != NULL && !expr_is_false(rule);
}

bool openapi_has_links(const Field *field) {
  if (field->kind == FIELD_STORED || field->is_hidden || field->is_readonly) return false;
  const Resource *other = field->kind == FIELD_TO_ONE ? field->relation->target : field->relation->source;
  return is_open(other, RULE_READ) || is_open(other, RULE_CREATE);
}

/* ---- A row by what is unique of it ---- */

static void where_object(Openapi *api, const Field *const *fields, size_t count) {
  JsonOut *json = &api->json;
  json_out_member_text(json, STR("type"), STR("object"));
  json_out_member_open(json, STR("properties"), '{');
  for (size_t i = 0; i < count; i++) {
    json_out_key(json, fields[i]->name);
    openapi_field_schema(api, fields[i], false);
  }
  json_out_close(json, '}');
  json_out_member_open(json, STR("required"), '[');
  for (size_t i = 0; i < count; i++) json_out_text(json, fields[i]->name);
  json_out_close(json, ']');
  json_out_member_bool(json, STR("additionalProperties"), false);
}

static bool is_visible_group(const UniqueGroup *group) {
  for (size_t i = 0; i < group->count; i++) {
    if (group->fields[i]->is_hidden) return false;
  }
  return true;
}

static void where_alternative(Openapi *api, const Resource *resource, const Field *const *fields, size_t count) {
  JsonOut *json = &api->json;
  Buf title = buf_on(api->arena, 4096);
  buf_add(&title, resource->name);
  buf_add(&title, STR("By"));
  for (size_t i = 0; i < count; i++) buf_add(&title, openapi_capital(api, fields[i]->name));
  json_out_open(json, '{');
  if (title.failed != CODE_OK) api->has_failed = true;
  json_out_member_text(json, STR("title"), buf_str(&title));
  where_object(api, fields, count);
  json_out_close(json, '}');
}

void openapi_where_schema(Openapi *api, const Resource *resource) {
  JsonOut *json = &api->json;
  size_t alternatives = 0;
  for (size_t i = 0; i < resource->unique_count; i++) alternatives += is_visible_group(&resource->uniques[i]);
  json_out_member_text(json, STR("description"),
                       openapi_text(api, "Which %.*s: by its key or another unique field.", STR_ARGS(resource->name)));
  if (alternatives == 0) {
    where_object(api, resource->keys, resource->key_count);
    return;
  }
  json_out_member_open(json, STR("oneOf"), '[');
  where_alternative(api, resource, resource->keys, resource->key_count);
  for (size_t i = 0; i < resource->unique_count; i++) {
    const UniqueGroup *group = &resource->uniques[i];
    if (is_visible_group(group)) where_alternative(api, resource, group->fields, group->count);
  }
  json_out_close(json, ']');
}

/* ---- To one ---- */

static void open_alternative(Openapi *api, const Resource *resource, Str verb) {
  JsonOut *json = &api->json;
  json_out_open(json, '{');
  json_out_member_text(json, STR("title"), openapi_text(api, "%.*s%.*s", STR_ARGS(openapi_capital(api, verb)), STR_ARGS(resource->name)));
  json_out_member_text(json, STR("type"), STR("object"));
  json_out_member_open(json, STR("required"), '[');
  json_out_text(json, verb);
  json_out_close(json, ']');
  json_out_member_open(json, STR("properties"), '{');
  json_out_key(json, verb);
}

static void close_alternative(Openapi *api) {
  json_out_close(&api->json, '}');
  json_out_member_bool(&api->json, STR("additionalProperties"), false);
  json_out_close(&api->json, '}');
}

void openapi_link_schema(Openapi *api, const Resource *target) {
  JsonOut *json = &api->json;
  json_out_member_text(json, STR("description"), openapi_text(api, "The %.*s that this refers to.", STR_ARGS(target->name)));
  json_out_member_open(json, STR("oneOf"), '[');
  if (is_open(target, RULE_CREATE)) {
    open_alternative(api, target, STR("create"));
    openapi_ref(api, SCHEMA_CREATE, target);
    close_alternative(api);
  }
  open_alternative(api, target, STR("connect"));
  openapi_ref(api, SCHEMA_WHERE, target);
  close_alternative(api);
  open_alternative(api, target, STR("disconnect"));
  json_out_raw(json, STR("{\"type\":\"boolean\",\"enum\":[true],\"description\":\"The relation becomes empty.\"}"));
  close_alternative(api);
  json_out_close(json, ']');
}

/* ---- To many ---- */

static void open_list(Openapi *api, Str name, Str description) {
  json_out_member_open(&api->json, name, '{');
  json_out_member_text(&api->json, STR("type"), STR("array"));
  json_out_member_text(&api->json, STR("description"), description);
  json_out_key(&api->json, STR("items"));
}

static void where_list(Openapi *api, Str name, Str description, const Resource *resource) {
  open_list(api, name, description);
  openapi_ref(api, SCHEMA_WHERE, resource);
  json_out_close(&api->json, '}');
}

static void update_list(Openapi *api, const Resource *child) {
  JsonOut *json = &api->json;
  open_list(api, STR("update"), STR("Rows of this list, and what changes of each."));
  json_out_open(json, '{');
  json_out_member_text(json, STR("type"), STR("object"));
  json_out_member_raw(json, STR("required"), STR("[\"where\",\"data\"]"));
  json_out_member_open(json, STR("properties"), '{');
  json_out_key(json, STR("where"));
  openapi_ref(api, SCHEMA_WHERE, child);
  json_out_key(json, STR("data"));
  openapi_ref(api, SCHEMA_UPDATE, child);
  json_out_close(json, '}');
  json_out_member_bool(json, STR("additionalProperties"), false);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

void openapi_links_schema(Openapi *api, const Field *field, bool is_for_create) {
  JsonOut *json = &api->json;
  const Resource *child = field->relation->source;
  json_out_member_text(json, STR("type"), STR("object"));
  json_out_member_text(json, STR("description"), openapi_text(api, "Writes to the %.*s in the same transaction.", STR_ARGS(field->name)));
  json_out_member_open(json, STR("properties"), '{');
  if (is_open(child, RULE_CREATE)) {
    open_list(api, STR("create"), STR("New rows, which belong to this one."));
    openapi_ref(api, SCHEMA_LINKS_CREATE, field);
    json_out_close(json, '}');
  }
  where_list(api, STR("connect"), STR("Rows that belong to this one from now on."), child);
  if (!is_for_create) {
    where_list(api, STR("disconnect"), STR("Rows that no longer belong to this one."), child);
    if (is_open(child, RULE_UPDATE)) update_list(api, child);
    if (is_open(child, RULE_DELETE)) where_list(api, STR("delete"), STR("Rows of this list that are deleted."), child);
  }
  json_out_close(json, '}');
  json_out_member_bool(json, STR("additionalProperties"), false);
}

/* ---- One row or many ---- */

void openapi_one_or_many(Openapi *api, SchemaKind kind, const void *subject, bool is_answer) {
  JsonOut *json = &api->json;
  json_out_member_open(json, is_answer ? STR("anyOf") : STR("oneOf"), '[');
  openapi_ref(api, kind, subject);
  if (is_answer) openapi_ref(api, SCHEMA_IMPORTED, NULL); /* of a stream: how many */
  json_out_open(json, '{');
  if (is_answer) {
    json_out_member_raw(json, STR("type"), STR("\"object\",\"required\":[\"items\"],\"additionalProperties\":false"));
    json_out_member_open(json, STR("properties"), '{');
    json_out_member_open(json, STR("items"), '{');
  }
  json_out_member_text(json, STR("type"), STR("array"));
  json_out_key(json, STR("items"));
  if (is_answer) {
    /* A row that its writer may not read is null. */
    json_out_open(json, '{');
    json_out_member_open(json, STR("anyOf"), '[');
    openapi_ref(api, kind, subject);
    json_out_raw(json, STR("{\"type\":\"null\"}"));
    json_out_close(json, ']');
    json_out_close(json, '}');
    json_out_close(json, '}');
    json_out_close(json, '}');
  } else {
    openapi_ref(api, kind, subject);
  }
  json_out_close(json, '}');
  json_out_close(json, ']');
}
