/* openapi_path.c - what can be asked of each resource. What no rule allows to anybody is not there: the server refuses it always. */
#include "api/openapi_impl.h"
#include "contract/expr.h"

/* ---- Access ---- */

typedef enum Openness { CLOSED, OPEN_TO_KNOWN, OPEN_TO_ALL } Openness;

/* What a rule says to a stranger when nothing is known of the row. */
static Openness rule_openness(Openapi *api, const Expr *rule) {
  if (rule == NULL || expr_is_false(rule)) return CLOSED;
  const Caller stranger = {.is_authenticated = false};
  const ExprEnv env = {.caller = &stranger};
  const Expr *reduced = rule;
  if (expr_reduce(rule, &env, api->arena, &reduced, NULL) != CODE_OK) api->has_failed = true;
  return expr_is_false(reduced) ? OPEN_TO_KNOWN : OPEN_TO_ALL;
}

static void write_security(Openapi *api, Openness openness) {
  json_out_member_raw(&api->json, STR("security"), openness == OPEN_TO_ALL ? STR("[{},{\"bearer\":[]}]") : STR("[{\"bearer\":[]}]"));
}

/* ---- Pieces of an operation ---- */

static void open_operation(Openapi *api, Str method, const Resource *tag, Str id, Str summary, Str description) {
  JsonOut *json = &api->json;
  json_out_member_open(json, method, '{');
  json_out_member_open(json, STR("tags"), '[');
  json_out_text(json, tag->name);
  json_out_close(json, ']');
  json_out_member_text(json, STR("operationId"), id);
  json_out_member_text(json, STR("summary"), summary);
  json_out_member_text(json, STR("description"), description);
  if (tag->deprecation_reason.ptr != NULL) json_out_member_bool(json, STR("deprecated"), true);
}

static void body_content(Openapi *api, Str type, SchemaKind kind, const void *subject) {
  JsonOut *json = &api->json;
  json_out_member_open(json, type, '{');
  json_out_key(json, STR("schema"));
  openapi_ref(api, kind, subject);
  json_out_close(json, '}');
}

static void stream_content(Openapi *api, Str type, Str description) {
  JsonOut *json = &api->json;
  json_out_member_open(json, type, '{');
  json_out_member_open(json, STR("schema"), '{');
  json_out_member_text(json, STR("type"), STR("string"));
  json_out_member_text(json, STR("description"), description);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void write_body(Openapi *api, SchemaKind kind, const void *subject) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("requestBody"), '{');
  json_out_member_bool(json, STR("required"), true);
  json_out_member_open(json, STR("content"), '{');
  body_content(api, STR("application/json"), kind, subject);
  if (kind == SCHEMA_UPDATE) {
    body_content(api, STR("application/merge-patch+json"), kind, subject);
    body_content(api, STR("application/json-patch+json"), SCHEMA_JSON_PATCH, NULL);
  } else if (kind == SCHEMA_CREATE_INPUT || kind == SCHEMA_LINKS_INPUT) {
    stream_content(api, STR("application/x-ndjson"), STR("Rows of any number, each an object on a line of its own."));
    stream_content(api, STR("text/csv"), STR("The same as RFC 4180 has it; the first line names the fields."));
  }
  json_out_close(json, '}');
  json_out_close(json, '}');
}

typedef struct Success {
  Str status, description;
  SchemaKind kind;
  bool has_body, has_links, has_stream;
  unsigned headers; /* AnswerHeader bits */
} Success;

/* From a created row to what can be done with it. */
static void write_links(Openapi *api, const Resource *resource, Str location) {
  JsonOut *json = &api->json;
  static const struct {
    Str verb;
    RuleAction action;
  } verbs[] = {{STR_INIT("get"), RULE_READ}, {STR_INIT("update"), RULE_UPDATE}, {STR_INIT("delete"), RULE_DELETE}};
  bool is_open = false;
  for (size_t i = 0; i < 3; i++) {
    if (resource->access[verbs[i].action] == NULL || expr_is_false(resource->access[verbs[i].action])) continue;
    if (!is_open) json_out_member_open(json, STR("links"), '{');
    is_open = true;
    Str id = openapi_text(api, "%.*s%.*s", STR_ARGS(verbs[i].verb), STR_ARGS(resource->name));
    json_out_member_open(json, id, '{');
    json_out_member_text(json, STR("operationId"), id);
    json_out_member_open(json, STR("parameters"), '{');
    for (size_t k = 0; k < resource->key_count; k++) {
      Str name = resource->keys[k]->name;
      json_out_member_text(json, name, openapi_text(api, "$response.body#%.*s/%.*s", STR_ARGS(location), STR_ARGS(name)));
    }
    json_out_close(json, '}');
    json_out_close(json, '}');
  }
  if (is_open) json_out_close(json, '}');
}

/* A field's dates show in every answer that holds it. */
static unsigned deprecation_header(const Resource *resource) {
  if (resource->deprecation_reason.ptr != NULL) return HEADER_DEPRECATION;
  for (size_t i = 0; i < resource->field_count; i++) {
    if (resource->fields[i]->deprecation_reason.ptr != NULL) return HEADER_DEPRECATION;
  }
  return 0;
}

static unsigned headers_of(const Resource *resource, unsigned headers) {
  if (resource->cache.max_age_s < 0) headers &= ~(unsigned)HEADER_CACHE_CONTROL;
  return headers | deprecation_header(resource);
}

static void write_success(Openapi *api, const Resource *resource, const Success *success) {
  JsonOut *json = &api->json;
  json_out_member_open(json, success->status, '{');
  json_out_member_text(json, STR("description"), success->description);
  openapi_write_headers(api, headers_of(resource, success->headers));
  if (success->has_body) {
    json_out_member_open(json, STR("content"), '{');
    body_content(api, STR("application/json"), success->kind, success->kind == SCHEMA_IMPORTED ? NULL : resource);
    if (success->has_stream) {
      stream_content(api, STR("application/x-ndjson"), STR("All rows that are asked for, each an object on a line of its own."));
      stream_content(api, STR("text/csv"), STR("The same as RFC 4180 has it; the first line has the fields' names."));
    }
    json_out_close(json, '}');
  }
  if (success->has_links && resource->key_count > 0) write_links(api, resource, success->kind == SCHEMA_LIST ? STR("/items/0") : STR(""));
  json_out_close(json, '}');
}

enum {
  HEADERS_READ = HEADER_ETAG | HEADER_CACHE_CONTROL | HEADER_PREFERENCE_APPLIED,
  HEADERS_WRITTEN = HEADER_ETAG | HEADER_PREFERENCE_APPLIED,
  HEADERS_CREATED = HEADERS_WRITTEN | HEADER_LOCATION
};

static const Success SUCCESS_LIST = {STR_INIT("200"),
                                     STR_INIT("One page; or all rows, as a stream."),
                                     SCHEMA_LIST,
                                     .has_body = true,
                                     .has_links = true,
                                     .has_stream = true,
                                     .headers = HEADERS_READ | HEADER_LINK};
static const Success SUCCESS_AGGREGATE = {STR_INIT("200"), STR_INIT("The groups."), SCHEMA_AGGREGATE, .has_body = true,
                                          .headers = HEADERS_READ};
static const Success SUCCESS_GET = {STR_INIT("200"), STR_INIT("The resource."), SCHEMA_RESOURCE, .has_body = true, .headers = HEADERS_READ};
static const Success SUCCESS_WRITTEN = {STR_INIT("200"), STR_INIT("The resource as it is now."), SCHEMA_RESOURCE, .has_body = true,
                                        .headers = HEADERS_WRITTEN};
static const Success SUCCESS_NOT_MODIFIED = {STR_INIT("304"), STR_INIT("What the client has is still good."), SCHEMA_RESOURCE,
                                             .headers = HEADERS_READ | HEADER_LINK};
static const Success SUCCESS_CREATED = {STR_INIT("201"),
                                        STR_INIT("Created. Without a body where its writer may not read it, or prefers none; of a stream, "
                                                 "how many rows were created."),
                                        SCHEMA_CREATED,
                                        .has_body = true,
                                        .has_links = true,
                                        .headers = HEADERS_CREATED};
static const Success SUCCESS_IMPORTED = {STR_INIT("200"), STR_INIT("The stream was empty: nothing was created."), SCHEMA_IMPORTED,
                                         .has_body = true};
static const Success SUCCESS_PUT = {STR_INIT("201"), STR_INIT("Created; it did not exist."), SCHEMA_RESOURCE, .has_body = true,
                                    .headers = HEADERS_CREATED};
static const Success SUCCESS_NOTHING = {STR_INIT("204"), STR_INIT("Done; there is nothing to answer."), SCHEMA_RESOURCE,
                                        .headers = HEADERS_WRITTEN};

static unsigned write_errors(const Openapi *api, unsigned errors) {
  return errors | (api->options->is_precondition_required ? ERROR_428 : 0U);
}

/* ---- Collections ---- */

static void list_operation(Openapi *api, const Resource *resource, Openness openness, Str id, Str summary, bool is_child,
                           const Resource *parent) {
  JsonOut *json = &api->json;
  open_operation(api, STR("get"), resource, id, summary, STR("Those that the caller may see, one page of them."));
  json_out_member_open(json, STR("parameters"), '[');
  if (is_child) openapi_key_parameters(api, parent);
  openapi_list_parameters(api, resource);
  json_out_close(json, ']');
  write_security(api, openness);
  json_out_member_open(json, STR("responses"), '{');
  write_success(api, resource, &SUCCESS_LIST);
  write_success(api, resource, &SUCCESS_NOT_MODIFIED);
  openapi_error_responses(api, ERRORS_READ);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void create_operation(Openapi *api, const Resource *resource, Openness openness, Str id, Str summary, const Field *child) {
  JsonOut *json = &api->json;
  open_operation(api, STR("post"), resource, id, summary,
                 child != NULL ? STR("The relation to the parent is set by the path.")
                               : STR("What is not given gets its default, or null."));
  json_out_member_open(json, STR("parameters"), '[');
  if (child != NULL) openapi_key_parameters(api, child->resource);
  openapi_item_parameters(api, resource);
  openapi_shared_parameters(api, PARAMETER_PREFER | PARAMETER_IDEMPOTENCY_KEY);
  json_out_close(json, ']');
  write_body(api, child != NULL ? SCHEMA_LINKS_INPUT : SCHEMA_CREATE_INPUT, child != NULL ? (const void *)child : resource);
  write_security(api, openness);
  json_out_member_open(json, STR("responses"), '{');
  write_success(api, resource, &SUCCESS_IMPORTED);
  write_success(api, resource, &SUCCESS_CREATED);
  openapi_error_responses(api, ERRORS_CREATE);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void collection_path(Openapi *api, const Resource *resource) {
  Openness read = rule_openness(api, resource->access[RULE_READ]), create = rule_openness(api, resource->access[RULE_CREATE]);
  if (resource->key_count == 0) create = CLOSED;
  if (read == CLOSED && create == CLOSED) return;
  Str plural = openapi_capital(api, resource->plural);
  json_out_member_open(&api->json, openapi_text(api, "/%.*s/%.*s", STR_ARGS(api->contract->service_version), STR_ARGS(resource->path)),
                       '{');
  if (read != CLOSED) {
    list_operation(api, resource, read, openapi_text(api, "list%.*s", STR_ARGS(plural)),
                   openapi_text(api, "List %.*s", STR_ARGS(resource->plural)), false, NULL);
  }
  if (create != CLOSED) {
    create_operation(api, resource, create, openapi_text(api, "create%.*s", STR_ARGS(resource->name)),
                     openapi_text(api, "Create a %.*s", STR_ARGS(resource->name)), NULL);
  }
  json_out_close(&api->json, '}');
}

static void aggregate_path(Openapi *api, const Resource *resource) {
  JsonOut *json = &api->json;
  Openness read = rule_openness(api, resource->access[RULE_READ]);
  if (read == CLOSED) return;
  Str plural = openapi_capital(api, resource->plural);
  json_out_member_open(json, openapi_text(api, "/%.*s/%.*s:aggregate", STR_ARGS(api->contract->service_version), STR_ARGS(resource->path)),
                       '{');
  open_operation(api, STR("get"), resource, openapi_text(api, "aggregate%.*s", STR_ARGS(plural)),
                 openapi_text(api, "Aggregate %.*s", STR_ARGS(resource->plural)),
                 STR("Counts, sums, averages and extremes of those that the caller may see, in groups. Sums are exact."));
  json_out_member_open(json, STR("parameters"), '[');
  openapi_aggregate_parameters(api, resource);
  json_out_close(json, ']');
  write_security(api, read);
  json_out_member_open(json, STR("responses"), '{');
  write_success(api, resource, &SUCCESS_AGGREGATE);
  write_success(api, resource, &SUCCESS_NOT_MODIFIED);
  openapi_error_responses(api, ERRORS_READ);
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_close(json, '}');
}

/* A stream that does not end: only its events have a form. */
static void watch_path(Openapi *api, const Resource *resource) {
  JsonOut *json = &api->json;
  Openness read = rule_openness(api, resource->access[RULE_READ]);
  if (read == CLOSED || resource->key_count == 0) return;
  json_out_member_open(json, openapi_text(api, "/%.*s/%.*s:watch", STR_ARGS(api->contract->service_version), STR_ARGS(resource->path)),
                       '{');
  open_operation(api, STR("get"), resource, openapi_text(api, "watch%.*s", STR_ARGS(openapi_capital(api, resource->plural))),
                 openapi_text(api, "Watch %.*s", STR_ARGS(resource->plural)),
                 STR("What is created, updated, deleted, and what comes into sight or leaves it, as server-sent events, for as long as the "
                     "connection stays."));
  json_out_member_open(json, STR("parameters"), '[');
  openapi_watch_parameters(api, resource);
  json_out_close(json, ']');
  write_security(api, read);
  json_out_member_open(json, STR("responses"), '{');
  json_out_member_open(json, STR("200"), '{');
  json_out_member_text(json, STR("description"), STR("The events."));
  json_out_member_open(json, STR("content"), '{');
  stream_content(
      api, STR("text/event-stream"),
      openapi_text(api,
                   "Events `created`, `updated`, `deleted` and `removed`, each with its position as `id` and as data an object "
                   "`{\"kind\", \"position\", \"%.*s\"}`; of what is gone only the key is told. `end` says why the server ends the "
                   "stream, and from which position to go on.",
                   STR_ARGS(resource->singular)));
  json_out_close(json, '}');
  json_out_close(json, '}');
  openapi_error_responses(api, ERRORS_ALWAYS | ERROR_412);
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_close(json, '}');
}

/* ---- One resource ---- */

static Str item_path(Openapi *api, const Resource *resource, Str behind) {
  Buf path = buf_on(api->arena, (size_t)64 * 1024);
  buf_printf(&path, "/%.*s/%.*s/", STR_ARGS(api->contract->service_version), STR_ARGS(resource->path));
  for (size_t i = 0; i < resource->key_count; i++) buf_printf(&path, "%s{%.*s}", i > 0 ? "," : "", STR_ARGS(resource->keys[i]->name));
  if (behind.len > 0) buf_printf(&path, "/%.*s", STR_ARGS(behind));
  if (path.failed != CODE_OK) api->has_failed = true;
  return buf_str(&path);
}

static void get_operation(Openapi *api, const Resource *resource, Openness openness) {
  JsonOut *json = &api->json;
  Str name = resource->name;
  open_operation(api, STR("get"), resource, openapi_text(api, "get%.*s", STR_ARGS(name)), openapi_text(api, "Read a %.*s", STR_ARGS(name)),
                 STR("A row that the caller may not see is not found."));
  json_out_member_open(json, STR("parameters"), '[');
  openapi_item_parameters(api, resource);
  openapi_shared_parameters(api, PARAMETER_IF_NONE_MATCH);
  json_out_close(json, ']');
  write_security(api, openness);
  json_out_member_open(json, STR("responses"), '{');
  write_success(api, resource, &SUCCESS_GET);
  write_success(api, resource, &SUCCESS_NOT_MODIFIED);
  openapi_error_responses(api, ERRORS_READ | ERROR_412);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void update_operation(Openapi *api, const Resource *resource, Openness openness, bool is_patch) {
  JsonOut *json = &api->json;
  Str name = resource->name;
  if (is_patch) {
    open_operation(
        api, STR("patch"), resource, openapi_text(api, "update%.*s", STR_ARGS(name)), openapi_text(api, "Change a %.*s", STR_ARGS(name)),
        STR("A merge patch (RFC 7396), where what is given is changed and null takes a value away; or a JSON Patch (RFC 6902)."));
  } else {
    open_operation(api, STR("put"), resource, openapi_text(api, "replace%.*s", STR_ARGS(name)),
                   openapi_text(api, "Replace a %.*s", STR_ARGS(name)), STR("What is not given goes back to its default, or to null."));
  }
  json_out_member_open(json, STR("parameters"), '[');
  openapi_item_parameters(api, resource);
  openapi_shared_parameters(api, PARAMETER_IF_MATCH | PARAMETER_PREFER | PARAMETER_IDEMPOTENCY_KEY);
  json_out_close(json, ']');
  write_body(api, is_patch ? SCHEMA_UPDATE : SCHEMA_REPLACE, resource);
  write_security(api, openness);
  json_out_member_open(json, STR("responses"), '{');
  write_success(api, resource, &SUCCESS_WRITTEN);
  bool is_key_chosen = resource->key_count > 0 && !resource->keys[0]->is_server_made;
  if (!is_patch && is_key_chosen) write_success(api, resource, &SUCCESS_PUT);
  write_success(api, resource, &SUCCESS_NOTHING);
  openapi_error_responses(api, write_errors(api, ERRORS_UPDATE));
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void delete_operation(Openapi *api, const Resource *resource, Openness openness) {
  JsonOut *json = &api->json;
  Str name = resource->name;
  open_operation(api, STR("delete"), resource, openapi_text(api, "delete%.*s", STR_ARGS(name)),
                 openapi_text(api, "Delete a %.*s", STR_ARGS(name)),
                 STR("What others still refer to is a conflict, unless their relation says otherwise."));
  json_out_member_open(json, STR("parameters"), '[');
  openapi_shared_parameters(api, PARAMETER_IF_MATCH | PARAMETER_PREFER | PARAMETER_IDEMPOTENCY_KEY);
  json_out_close(json, ']');
  write_security(api, openness);
  json_out_member_open(json, STR("responses"), '{');
  write_success(api, resource, &SUCCESS_NOTHING);
  openapi_error_responses(api, write_errors(api, ERRORS_DELETE));
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void item_operations(Openapi *api, const Resource *resource) {
  Openness read = rule_openness(api, resource->access[RULE_READ]), update = rule_openness(api, resource->access[RULE_UPDATE]);
  Openness remove = rule_openness(api, resource->access[RULE_DELETE]);
  if (resource->key_count == 0 || (read == CLOSED && update == CLOSED && remove == CLOSED)) return;
  JsonOut *json = &api->json;
  json_out_member_open(json, item_path(api, resource, STR("")), '{');
  json_out_member_open(json, STR("parameters"), '[');
  openapi_key_parameters(api, resource);
  json_out_close(json, ']');
  if (read != CLOSED) get_operation(api, resource, read);
  if (update != CLOSED) update_operation(api, resource, update, false);
  if (update != CLOSED) update_operation(api, resource, update, true);
  if (remove != CLOSED) delete_operation(api, resource, remove);
  json_out_close(json, '}');
}

/* ---- Sub-resources ---- */

static Openness both(Openness a, Openness b) { return a < b ? a : b; }

static void child_path(Openapi *api, const Field *field) {
  const Resource *parent = field->resource, *child = field->relation->source;
  Openness parent_read = rule_openness(api, parent->access[RULE_READ]);
  Openness read = both(parent_read, rule_openness(api, child->access[RULE_READ])),
           create = both(parent_read, rule_openness(api, child->access[RULE_CREATE]));
  if (child->key_count == 0) create = CLOSED;
  if (read == CLOSED && create == CLOSED) return;
  Str name = openapi_capital(api, field->name), of = parent->name;
  json_out_member_open(&api->json, item_path(api, parent, field->name), '{');
  if (read != CLOSED) {
    list_operation(api, child, read, openapi_text(api, "list%.*sOf%.*s", STR_ARGS(name), STR_ARGS(of)),
                   openapi_text(api, "List the %.*s of a %.*s", STR_ARGS(field->name), STR_ARGS(of)), true, parent);
  }
  if (create != CLOSED) {
    create_operation(api, child, create, openapi_text(api, "create%.*sOf%.*s", STR_ARGS(name), STR_ARGS(of)),
                     openapi_text(api, "Create one of the %.*s of a %.*s", STR_ARGS(field->name), STR_ARGS(of)), field);
  }
  json_out_close(&api->json, '}');
}

void openapi_write_paths(Openapi *api) {
  json_out_member_open(&api->json, STR("paths"), '{');
  for (size_t i = 0; i < api->contract->resource_count; i++) {
    const Resource *resource = api->contract->resources[i];
    collection_path(api, resource);
    aggregate_path(api, resource);
    watch_path(api, resource);
    item_operations(api, resource);
    for (size_t k = 0; k < resource->field_count && resource->key_count > 0; k++) {
      if (resource->fields[k]->kind == FIELD_TO_MANY && !resource->fields[k]->is_hidden) child_path(api, resource->fields[k]);
    }
  }
  openapi_write_service_paths(api);
  json_out_close(&api->json, '}');
}
