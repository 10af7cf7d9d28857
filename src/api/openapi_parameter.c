/* openapi_parameter.c - parameters: a list's conditions, order, selection and page; a path's keys; the headers that requests may carry. */
#include "api/openapi_impl.h"

enum { PATTERN_BYTES_MAX = 4 * 1024 * 1024, EMBEDDED_DEPTH_MAX = 4 };

typedef struct Shared {
  SharedParameter bit;
  Str name;
  Str json;
} Shared;

static void ref_parameter(Openapi *api, Str name, Str part) { openapi_write_ref(api, STR("parameters"), name, part); }

static void open_query(Openapi *api, Str name, Str description) {
  json_out_open(&api->json, '{');
  json_out_member_text(&api->json, STR("name"), name);
  json_out_member_text(&api->json, STR("in"), STR("query"));
  json_out_member_text(&api->json, STR("description"), description);
}

/* ---- Those that all operations share ---- */

static const Shared shared[] = {
    {PARAMETER_FILTER, STR_INIT("filter"),
     STR_INIT("{\"name\":\"filter\",\"in\":\"query\",\"description\":\"A condition in the rule language (a CEL subset), such as `price >= "
              "10 && category.name == \\\"Tea\\\"`.\","
              "\"schema\":{\"type\":\"string\",\"maxLength\":4096}}")},
    {PARAMETER_HAVING, STR_INIT("having"),
     STR_INIT("{\"name\":\"having\",\"in\":\"query\",\"description\":\"A condition on what is computed of each group, such as `count > "
              "1`.\",\"schema\":{\"type\":\"string\",\"maxLength\":4096}}")},
    {PARAMETER_DISTINCT, STR_INIT("distinct"),
     STR_INIT("{\"name\":\"distinct\",\"in\":\"query\",\"description\":\"`true`: only rows that differ in `fields`, which must be plain "
              "fields and hold all that the list is sorted by.\",\"schema\":{\"type\":\"boolean\"},\"example\":false}")},
    {PARAMETER_Q, STR_INIT("q"),
     STR_INIT("{\"name\":\"q\",\"in\":\"query\",\"description\":\"Words to search for; the best matches come first.\",\"schema\":{"
              "\"type\":\"string\",\"minLength\":1}}")},
    {PARAMETER_AFTER, STR_INIT("after"),
     STR_INIT("{\"name\":\"after\",\"in\":\"query\",\"description\":\"A `nextCursor`: the page that follows "
              "it.\",\"schema\":{\"type\":\"string\",\"minLength\":1}}")},
    {PARAMETER_POSITION, STR_INIT("position"),
     STR_INIT(
         "{\"name\":\"after\",\"in\":\"query\",\"description\":\"An event's `position`: what was committed behind it. Without it: from "
         "now on.\",\"schema\":{\"type\":\"string\",\"minLength\":1}}")},
    {PARAMETER_LAST_EVENT_ID, STR_INIT("lastEventId"),
     STR_INIT("{\"name\":\"Last-Event-ID\",\"in\":\"header\",\"description\":\"The same, as browsers send it by themselves when they come "
              "back; `after` goes before it.\",\"schema\":{\"type\":\"string\"}}")},
    {PARAMETER_BEFORE, STR_INIT("before"),
     STR_INIT(
         "{\"name\":\"before\",\"in\":\"query\",\"description\":\"A `prevCursor`: the page that ends just before it, in the same order.\","
         "\"schema\":{\"type\":\"string\",\"minLength\":1}}")},
    {PARAMETER_COUNT, STR_INIT("count"),
     STR_INIT("{\"name\":\"count\",\"in\":\"query\",\"description\":\"`exact` adds how many rows there are in "
              "all.\",\"schema\":{\"type\":\"string\",\"enum\":[\"exact\"]}}")},
    {PARAMETER_IF_MATCH, STR_INIT("ifMatch"),
     STR_INIT("{\"name\":\"If-Match\",\"in\":\"header\",\"description\":\"Entity tags, or `*`: the write is done only where one of them is "
              "the resource's (RFC 9110 "
              "§13.1.1).\",\"schema\":{\"type\":\"string\"},\"example\":\"*\"}")},
    {PARAMETER_IF_NONE_MATCH, STR_INIT("ifNoneMatch"),
     STR_INIT("{\"name\":\"If-None-Match\",\"in\":\"header\",\"description\":\"Entity tags, or `*`: 304 where one of them is the "
              "resource's (RFC 9110 "
              "§13.1.2).\",\"schema\":{\"type\":\"string\"},\"example\":\"\\\"tag\\\"\"}")},
    {PARAMETER_PREFER, STR_INIT("prefer"),
     STR_INIT("{\"name\":\"Prefer\",\"in\":\"header\",\"description\":\"`return=minimal` answers without a body, `tx=rollback` answers as "
              "if done and changes nothing, "
              "`handling=lenient` passes unknown parameters over (RFC "
              "7240).\",\"schema\":{\"type\":\"string\"},\"example\":\"return=representation\"}")},
    {PARAMETER_IDEMPOTENCY_KEY, STR_INIT("idempotencyKey"),
     STR_INIT("{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"description\":\"A key of the client's making: for 24 hours the same "
              "request with the same key is done once, and answered again.\",\"schema\":{\"type\":\"string\",\"minLength\":1,"
              "\"maxLength\":255,\"pattern\":\"^[!-~]+$\"}}")},
};
enum { SHARED_COUNT = sizeof shared / sizeof *shared };

void openapi_shared_parameters(Openapi *api, unsigned parameters) {
  api->parameters |= parameters;
  for (size_t i = 0; i < SHARED_COUNT; i++) {
    if (parameters & shared[i].bit) ref_parameter(api, shared[i].name, (Str){0});
  }
  if (parameters & PARAMETER_LIMIT) ref_parameter(api, STR("limit"), (Str){0});
  if (parameters & PARAMETER_GROUP_LIMIT) ref_parameter(api, STR("groupLimit"), (Str){0});
}

/* Only a list's own is told its default: a reference would fill it in, and for a nested one that is no list is asked for. */
static void write_limit(Openapi *api, Str name, Str description, bool has_default) {
  JsonOut *json = &api->json;
  const EngineLimits *limits = api->options->limits;
  open_query(api, name, description);
  json_out_member_open(json, STR("schema"), '{');
  json_out_member_raw(json, STR("type"), STR("\"integer\""));
  json_out_member_int(json, STR("minimum"), 0);
  json_out_member_int(json, STR("maximum"), limits->page_size_max);
  if (has_default) json_out_member_int(json, STR("default"), limits->page_size);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void write_group_limit(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_key(json, STR("groupLimit"));
  open_query(api, STR("limit"), STR("The first so many groups. Without it more groups than the server's limit are refused."));
  json_out_member_open(json, STR("schema"), '{');
  json_out_member_raw(json, STR("type"), STR("\"integer\""));
  json_out_member_int(json, STR("minimum"), 0);
  json_out_member_int(json, STR("maximum"), api->options->limits->groups_max);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

/* ---- A resource's own ---- */

static bool is_sortable(const Field *field) { return openapi_is_filterable(field) && field->type != TYPE_BYTES; }

/* Words of a comma list, as a regular expression's alternatives: "name|category\\.name". */
void openapi_add_word(Buf *words, Str prefix, Str name) {
  if (words->len > 0) buf_add_byte(words, '|');
  buf_add(words, prefix);
  buf_add(words, name); /* a GraphQL name: nothing to escape */
}

void openapi_comma_list(Openapi *api, Str before, const Buf *words) {
  Buf pattern = buf_on(api->arena, PATTERN_BYTES_MAX);
  buf_printf(&pattern, "^%.*s(", STR_ARGS(before));
  buf_add(&pattern, buf_str(words));
  buf_printf(&pattern, ")(,%.*s(", STR_ARGS(before));
  buf_add(&pattern, buf_str(words));
  buf_add(&pattern, STR("))*$"));
  if (pattern.failed != CODE_OK || words->failed != CODE_OK) api->has_failed = true;
  json_out_member_open(&api->json, STR("schema"), '{');
  json_out_member_text(&api->json, STR("type"), STR("string"));
  json_out_member_text(&api->json, STR("pattern"), buf_str(&pattern));
  json_out_close(&api->json, '}');
}

static void sort_words(const Resource *resource, Str prefix, Buf *words) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (is_sortable(resource->stored[i])) openapi_add_word(words, prefix, resource->stored[i]->name);
  }
}

static void write_sort(Openapi *api, const Resource *resource, Str name) {
  Buf words = buf_on(api->arena, PATTERN_BYTES_MAX);
  open_query(api, name,
             STR("The order: fields, separated by commas, each with `-` in front where it descends, as in `-createdAt,name`; also through "
                 "relations, as in `category.name`. The key ends every order."));
  sort_words(resource, STR(""), &words);
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE && !field->is_hidden)
      sort_words(field->relation->target, openapi_text(api, "%.*s\\.", STR_ARGS(field->name)), &words);
  }
  openapi_comma_list(api, STR("-?"), &words);
  json_out_close(&api->json, '}');
}

/* `category(id,name)`: one level is described; deeper ones nest in the same way, so that there is no pattern. */
static void write_fields(Openapi *api) {
  JsonOut *json = &api->json;
  open_query(
      api, STR("fields"),
      STR("What is answered: names of fields, separated by commas, `*` for every stored one, and relations with what is wanted of them, "
          "as in `*,category(id,name),reviews(stars)`."));
  json_out_member_open(json, STR("schema"), '{');
  json_out_member_raw(json, STR("type"), STR("\"string\",\"minLength\":1"));
  json_out_close(json, '}');
  json_out_member_text(json, STR("example"), STR("*"));
  json_out_close(json, '}');
}

/* The example is no condition at all, so that a reference that fills it in asks for everything. */
static void write_condition(Openapi *api, Str name, const Field *field) {
  JsonOut *json = &api->json;
  Str operators = openapi_filter_operators(field);
  open_query(api, name,
             openapi_text(api, "Conditions on `%.*s`, each `%.*s[operator]=value`: %.*s. `%.*s=value` is short for `eq`.", STR_ARGS(name),
                          STR_ARGS(name), STR_ARGS(operators), STR_ARGS(name)));
  json_out_member_raw(json, STR("style"), STR("\"deepObject\",\"explode\":true"));
  json_out_key(json, STR("schema"));
  openapi_ref(api, SCHEMA_FILTER, field);
  json_out_member_raw(json, STR("example"), STR("{}"));
  json_out_close(json, '}');
}

/* What a list that is nested in an answer takes itself. */
static const Str nested_parameters[] = {STR_INIT("limit"), STR_INIT("sort"), STR_INIT("filter")};
enum { NESTED_PARAMETERS = sizeof nested_parameters / sizeof *nested_parameters };

static bool is_nested_list(const Field *field) { return field->kind == FIELD_TO_MANY && !field->is_hidden; }

static void write_nested_parameter(Openapi *api, const Field *field, Str name) {
  Str path = openapi_text(api, "%.*s.%.*s", STR_ARGS(field->name), STR_ARGS(name));
  if (str_equal(name, STR("limit"))) {
    write_limit(api, path,
                openapi_text(api, "How many rows `%.*s` has at most, where `fields` asks for it; it goes on at the path of its own.",
                             STR_ARGS(field->name)),
                false);
  } else if (str_equal(name, STR("sort"))) {
    write_sort(api, field->relation->source, path);
  } else {
    open_query(
        api, path,
        openapi_text(api, "Which rows `%.*s` has, where `fields` asks for it: a condition in the rule language.", STR_ARGS(field->name)));
    json_out_member_raw(&api->json, STR("schema"), STR("{\"type\":\"string\",\"maxLength\":4096}"));
    json_out_close(&api->json, '}');
  }
}

void openapi_item_parameters(Openapi *api, const Resource *resource) {
  ref_parameter(api, resource->name, STR("fields"));
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    for (size_t k = 0; is_nested_list(field) && k < NESTED_PARAMETERS; k++)
      ref_parameter(api, resource->name, openapi_text(api, "%.*s.%.*s", STR_ARGS(field->name), STR_ARGS(nested_parameters[k])));
  }
  api->has_fields[resource->index] = true;
}

/* Each field that a list has conditions on, and the members of embedded objects: "address.city". */
typedef void ConditionFn(Openapi *api, const Resource *resource, Str path, const Field *field);

static void each_condition(Openapi *api, const Resource *resource, Str prefix, const Field *const *fields, size_t count, size_t depth,
                           ConditionFn *condition) {
  for (size_t i = 0; i < count; i++) {
    const Field *field = fields[i];
    Str path = prefix.len == 0 ? field->name : openapi_join(api, prefix, field->name);
    bool is_object = field->type == TYPE_EMBEDDED && !field->is_list && !field->is_hidden;
    if (openapi_is_filterable(field)) {
      condition(api, resource, path, field);
    } else if (is_object && depth > 0) {
      const Embedded *type = field->embedded;
      each_condition(api, resource, openapi_text(api, "%.*s.", STR_ARGS(path)), type->fields, type->field_count, depth - 1, condition);
    }
  }
}

static void each_condition_of(Openapi *api, const Resource *resource, ConditionFn *condition) {
  each_condition(api, resource, STR(""), resource->stored, resource->stored_count, EMBEDDED_DEPTH_MAX, condition);
}

static void ref_condition(Openapi *api, const Resource *resource, Str path, const Field *field) {
  (void)field;
  ref_parameter(api, resource->name, path);
}

static void condition_parameters(Openapi *api, const Resource *resource) {
  each_condition_of(api, resource, ref_condition);
  if (resource->search_count > 0) openapi_shared_parameters(api, PARAMETER_Q);
  api->has_filters[resource->index] = true;
}

void openapi_list_parameters(Openapi *api, const Resource *resource) {
  openapi_shared_parameters(api, PARAMETER_LIMIT);
  ref_parameter(api, resource->name, STR("sort"));
  openapi_item_parameters(api, resource);
  openapi_shared_parameters(api, PARAMETER_AFTER | PARAMETER_BEFORE | PARAMETER_COUNT | PARAMETER_DISTINCT | PARAMETER_FILTER |
                                     PARAMETER_IF_NONE_MATCH);
  condition_parameters(api, resource);
}

/* `q` has no place here: what is found by a search is no lasting list. */
void openapi_watch_parameters(Openapi *api, const Resource *resource) {
  openapi_item_parameters(api, resource);
  openapi_shared_parameters(api, PARAMETER_POSITION | PARAMETER_LAST_EVENT_ID | PARAMETER_FILTER);
  each_condition_of(api, resource, ref_condition);
  api->has_filters[resource->index] = true;
}

void openapi_aggregate_parameters(Openapi *api, const Resource *resource) {
  ref_parameter(api, resource->name, STR("by"));
  ref_parameter(api, resource->name, STR("metrics"));
  ref_parameter(api, resource->name, STR("groupSort"));
  openapi_shared_parameters(api, PARAMETER_GROUP_LIMIT | PARAMETER_FILTER | PARAMETER_HAVING | PARAMETER_IF_NONE_MATCH);
  condition_parameters(api, resource);
  api->has_aggregate[resource->index] = true;
}

void openapi_key_parameters(Openapi *api, const Resource *resource) {
  JsonOut *json = &api->json;
  for (size_t i = 0; i < resource->key_count; i++) {
    const Field *key = resource->keys[i];
    json_out_open(json, '{');
    json_out_member_text(json, STR("name"), key->name);
    json_out_member_raw(json, STR("in"), STR("\"path\",\"required\":true"));
    Str description = openapi_text(api, "The key of the %.*s.", STR_ARGS(resource->name));
    json_out_member_text(json, STR("description"), key->description.len > 0 ? key->description : description);
    json_out_key(json, STR("schema"));
    openapi_field_schema(api, key, false);
    json_out_close(json, '}');
  }
}

/* ---- components.parameters ---- */

static void open_component(Openapi *api, const Resource *resource, Str name) {
  json_out_key(&api->json, openapi_text(api, "%.*s.%.*s", STR_ARGS(resource->name), STR_ARGS(name)));
}

static void write_condition_component(Openapi *api, const Resource *resource, Str path, const Field *field) {
  open_component(api, resource, path);
  write_condition(api, path, field);
}

static void write_resource_parameters(Openapi *api, const Resource *resource) {
  if (api->has_fields[resource->index]) {
    open_component(api, resource, STR("fields"));
    write_fields(api);
    for (size_t i = 0; i < resource->field_count; i++) {
      const Field *field = resource->fields[i];
      for (size_t k = 0; is_nested_list(field) && k < NESTED_PARAMETERS; k++) {
        open_component(api, resource, openapi_text(api, "%.*s.%.*s", STR_ARGS(field->name), STR_ARGS(nested_parameters[k])));
        write_nested_parameter(api, field, nested_parameters[k]);
      }
    }
  }
  if (api->has_aggregate[resource->index]) openapi_write_aggregate_parameters(api, resource);
  if (!api->has_filters[resource->index]) return;
  open_component(api, resource, STR("sort"));
  write_sort(api, resource, STR("sort"));
  each_condition_of(api, resource, write_condition_component);
}

void openapi_write_parameters(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("parameters"), '{');
  for (size_t i = 0; i < SHARED_COUNT; i++) {
    if (api->parameters & shared[i].bit) json_out_member_raw(json, shared[i].name, shared[i].json);
  }
  if (api->parameters & PARAMETER_LIMIT) {
    json_out_key(json, STR("limit"));
    write_limit(api, STR("limit"),
                STR("How many rows a page has at most; 0 gives none, for counting. A stream gives all rows, and takes larger limits."),
                true);
  }
  if (api->parameters & PARAMETER_GROUP_LIMIT) write_group_limit(api);
  for (size_t i = 0; i < api->contract->resource_count; i++) write_resource_parameters(api, api->contract->resources[i]);
  json_out_close(json, '}');
}
