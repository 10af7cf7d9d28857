/* openapi_aggregate.c - GET /v1/products:aggregate: what can be grouped by and computed, and the form of the answer. */
#include "api/openapi_impl.h"

enum { WORDS_BYTES_MAX = 2 * 1024 * 1024 };

typedef enum Fold { FOLD_SUM, FOLD_AVG, FOLD_MIN, FOLD_MAX, FOLD_COUNT } Fold;
static const Str metric_names[FOLD_COUNT] = {STR_INIT("sum"), STR_INIT("avg"), STR_INIT("min"), STR_INIT("max")};

static bool is_numeric(const Field *field) {
  return field->type == TYPE_INT || field->type == TYPE_BIGINT || field->type == TYPE_FLOAT || field->type == TYPE_DECIMAL;
}

static bool is_groupable(const Field *field) {
  return field->kind == FIELD_STORED && !field->is_hidden && !field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED &&
         field->type != TYPE_BYTES;
}

static bool has_metric(const Field *field, Fold fold) {
  if (!is_groupable(field)) return false;
  if (fold == FOLD_SUM || fold == FOLD_AVG) return is_numeric(field);
  return field->type != TYPE_BOOLEAN;
}

/* ---- Parameters ---- */

/* A relation's key stands in a field of the row's own (`bookIsbn`): `book.isbn` beside it would say the same twice, and be one name to a
 * generator that leaves dots out. */
static bool is_group(const Field *field, Str prefix) { return is_groupable(field) && (prefix.len == 0 || !field->is_key); }

/* Fields, and those behind to-one relations. */
static void add_groups(Openapi *api, const Resource *resource, Str prefix, Buf *words) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (is_group(resource->stored[i], prefix)) openapi_add_word(words, prefix, resource->stored[i]->name);
  }
  for (size_t i = 0; prefix.len == 0 && i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE && !field->is_hidden)
      add_groups(api, field->relation->target, openapi_text(api, "%.*s\\.", STR_ARGS(field->name)), words);
  }
}

static void add_metrics(Openapi *api, const Resource *resource, Buf *words) {
  openapi_add_word(words, STR(""), STR("count"));
  for (Fold fold = 0; fold < FOLD_COUNT; fold++) {
    for (size_t i = 0; i < resource->stored_count; i++) {
      const Field *field = resource->stored[i];
      if (has_metric(field, fold))
        openapi_add_word(words, STR(""), openapi_text(api, "%.*s\\(%.*s\\)", STR_ARGS(metric_names[fold]), STR_ARGS(field->name)));
    }
  }
}

static void write_list(Openapi *api, const Resource *resource, Str component, Str name, Str description, Str before, const Buf *words) {
  JsonOut *json = &api->json;
  json_out_key(json, openapi_text(api, "%.*s.%.*s", STR_ARGS(resource->name), STR_ARGS(component)));
  json_out_open(json, '{');
  json_out_member_text(json, STR("name"), name);
  json_out_member_text(json, STR("in"), STR("query"));
  json_out_member_text(json, STR("description"), description);
  openapi_comma_list(api, before, words);
  json_out_close(json, '}');
}

void openapi_write_aggregate_parameters(Openapi *api, const Resource *resource) {
  Buf words = buf_on(api->arena, WORDS_BYTES_MAX);
  add_groups(api, resource, STR(""), &words);
  write_list(
      api, resource, STR("by"), STR("by"),
      STR("What to group by: fields, separated by commas, also through relations to one, as in `category.name`. Without it there is one "
          "group."),
      STR(""), &words);
  Buf metrics = buf_on(api->arena, WORDS_BYTES_MAX);
  add_metrics(api, resource, &metrics);
  write_list(api, resource, STR("metrics"), STR("metrics"),
             STR("What to compute of each group, separated by commas, as in `count,sum(price)`."), STR(""), &metrics);
  add_metrics(api, resource, &words);
  write_list(api, resource, STR("groupSort"), STR("sort"),
             STR("The order of the groups: what they are grouped by, or what is computed, each with `-` in front where it descends."),
             STR("-?"), &words);
}

/* ---- The answer ---- */

static void metric_property(Openapi *api, const Field *field, Fold fold) {
  JsonOut *json = &api->json;
  json_out_key(json, field->name);
  if (fold == FOLD_AVG || (fold == FOLD_SUM && field->type == TYPE_FLOAT)) {
    json_out_raw(json, STR("{\"type\":[\"number\",\"null\"]}"));
  } else if (fold == FOLD_SUM) {
    json_out_raw(json, STR("{\"type\":[\"string\",\"null\"],\"pattern\":\"^-?[0-9]+(\\\\.[0-9]+)?$\"}"));
  } else {
    openapi_plain_schema(api, field, true);
  }
}

static void metric_object(Openapi *api, const Resource *resource, Fold fold) {
  JsonOut *json = &api->json;
  bool is_open = false;
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (!has_metric(resource->stored[i], fold)) continue;
    if (!is_open) {
      json_out_member_open(json, metric_names[fold], '{');
      json_out_member_text(json, STR("type"), STR("object"));
      json_out_member_open(json, STR("properties"), '{');
      is_open = true;
    }
    metric_property(api, resource->stored[i], fold);
  }
  if (!is_open) return;
  json_out_close(json, '}');
  json_out_member_bool(json, STR("additionalProperties"), false);
  json_out_close(json, '}');
}

static void by_properties(Openapi *api, const Resource *resource, Str prefix) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (!is_group(field, prefix)) continue;
    json_out_key(&api->json, openapi_text(api, "%.*s%.*s", STR_ARGS(prefix), STR_ARGS(field->name)));
    openapi_plain_schema(api, field, true);
  }
}

void openapi_aggregate_schema(Openapi *api, const Resource *resource) {
  JsonOut *json = &api->json;
  json_out_member_raw(json, STR("type"), STR("\"object\",\"required\":[\"items\"],\"additionalProperties\":false"));
  json_out_member_open(json, STR("properties"), '{');
  json_out_member_open(json, STR("items"), '{');
  json_out_member_text(json, STR("type"), STR("array"));
  json_out_member_open(json, STR("items"), '{');
  json_out_member_raw(json, STR("type"), STR("\"object\",\"additionalProperties\":false"));
  json_out_member_open(json, STR("properties"), '{');
  json_out_member_open(json, STR("by"), '{');
  json_out_member_raw(json, STR("type"), STR("\"object\",\"description\":\"The group's key.\",\"additionalProperties\":false"));
  json_out_member_open(json, STR("properties"), '{');
  by_properties(api, resource, STR(""));
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE && !field->is_hidden)
      by_properties(api, field->relation->target, openapi_text(api, "%.*s.", STR_ARGS(field->name)));
  }
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_member_raw(json, STR("count"),
                      STR("{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"description\":\"How many rows.\"}"));
  for (Fold fold = 0; fold < FOLD_COUNT; fold++) metric_object(api, resource, fold);
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_close(json, '}');
}
