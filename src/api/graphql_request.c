/* graphql_request.c - the HTTP side of a request (GraphQL over HTTP, "Request"). */
#include "api/graphql_request.h"

#include "codec/url.h"

bool graphql_negotiate(const HttpRequest *http, GraphqlRequest *ret) {
  static const Str strict_type = STR_INIT("application/graphql-response+json"), stream_type = STR_INIT("text/event-stream");
  Str accept = http_request_header(http, STR("accept"));
  int plain = accept_weight(accept, STR("application/json")), strict = accept_weight(accept, strict_type);
  /* Who names both with the same weight knows the newer one; who names none gets what everybody reads. */
  bool is_named = accept.ptr != NULL && str_contains(accept, strict_type);
  int html = accept.ptr != NULL && str_contains(accept, STR("text/html")) ? accept_weight(accept, STR("text/html")) : 0;
  bool is_read = http->method == HTTP_GET || http->method == HTTP_HEAD;
  ret->is_page = is_read && html > plain && html > strict;
  ret->is_strict = strict > plain || (strict == plain && is_named);
  int stream = accept.ptr != NULL && str_contains(accept, stream_type) ? accept_weight(accept, stream_type) : 0;
  ret->can_stream = stream > 0;
  ret->is_stream = stream > plain && stream > strict;
  return plain > 0 || strict > 0 || stream > 0;
}

static const Problem *no_memory(Arena *arena) { return problem_no_memory(arena); }

static const Problem *refuse(Arena *arena, const char *text) { return problem_create(arena, CODE_BAD_REQUEST, str_of(text)); }

static const Problem *parse_json(Str text, Arena *arena, const char *what, const JsonValue **ret) {
  JsonValue *value = ARENA_NEW(arena, JsonValue);
  Error err = {0};
  if (value == NULL) return no_memory(arena);
  Code code = json_parse(text, JSON_DEPTH_DEFAULT, arena, value, &err);
  if (code == CODE_UNAVAILABLE) return no_memory(arena);
  if (code != CODE_OK) {
    Str detail = arena_printf(arena, "%s is not JSON that can be read: %s", what, err.text);
    return detail.ptr == NULL ? no_memory(arena) : problem_create(arena, CODE_BAD_REQUEST, detail);
  }
  *ret = value;
  return NULL;
}

static const Problem *take_variables(const JsonValue *variables, Arena *arena, GraphqlRequest *ret) {
  if (variables == NULL || variables->type == JSON_NULL) return NULL;
  if (variables->type != JSON_OBJECT) return refuse(arena, "\"variables\" must be an object");
  ret->variables = variables;
  return NULL;
}

/* Apollo's protocol for persisted documents; and whether the cost is to be told. */
static const Problem *take_extensions(const JsonValue *extensions, Arena *arena, GraphqlRequest *ret) {
  if (extensions == NULL || extensions->type == JSON_NULL) return NULL;
  if (extensions->type != JSON_OBJECT) return refuse(arena, "\"extensions\" must be an object");
  const JsonValue *cost = json_get(extensions, STR("cost")), *persisted = json_get(extensions, STR("persistedQuery"));
  const JsonValue *id = json_get(extensions, STR("operationId"));
  if (id != NULL && (id->type == JSON_STRING || id->type == JSON_NUMBER)) ret->operation_id = id->text;
  ret->has_cost = cost != NULL && cost->type == JSON_BOOL && cost->boolean;
  if (persisted == NULL || persisted->type == JSON_NULL) return NULL;
  const JsonValue *version = json_get(persisted, STR("version")), *hash = json_get(persisted, STR("sha256Hash"));
  bool is_known = version != NULL && version->type == JSON_NUMBER && str_equal(version->text, STR("1"));
  if (!is_known || hash == NULL || hash->type != JSON_STRING)
    return refuse(arena, "\"extensions.persistedQuery\" must be {\"version\": 1, \"sha256Hash\": \"…\"}");
  ret->sha256 = hash->text;
  return NULL;
}

static const Problem *take_parameter(Str name, Str value, Arena *arena, GraphqlRequest *ret) {
  const JsonValue *json = NULL;
  if (str_equal(name, STR("query"))) ret->query = value;
  if (str_equal(name, STR("operationName"))) ret->operation_name = value;
  if (str_equal(name, STR("documentId"))) ret->document_id = value;
  bool is_json = str_equal(name, STR("variables")) || str_equal(name, STR("extensions"));
  if (!is_json || value.len == 0) return NULL;
  const Problem *problem = parse_json(value, arena, "the parameter", &json);
  if (problem != NULL) return problem;
  if (str_equal(name, STR("variables"))) return take_variables(json, arena, ret);
  return take_extensions(json, arena, ret);
}

Str graphql_request_parameter(const HttpRequest *http, Str name, Arena *arena) {
  Str rest = http->query, pair, given, value;
  Error err;
  while (rest.ptr != NULL && str_split_next(&rest, '&', &pair)) {
    size_t equals = str_find_byte(pair, '=', 0);
    if (url_decode_query(str_slice(pair, 0, equals), arena, &given, &err) != CODE_OK || !str_equal(given, name)) continue;
    return url_decode_query(str_slice(pair, equals + 1, pair.len), arena, &value, &err) == CODE_OK ? value : (Str){NULL, 0};
  }
  return (Str){NULL, 0};
}

static const Problem *read_url(const HttpRequest *http, Arena *arena, GraphqlRequest *ret) {
  Str rest = http->query, pair;
  while (rest.ptr != NULL && str_split_next(&rest, '&', &pair)) {
    size_t equals = str_find_byte(pair, '=', 0);
    Str name, value;
    Error err;
    Code code = url_decode_query(str_slice(pair, 0, equals), arena, &name, &err);
    if (code == CODE_OK) code = url_decode_query(str_slice(pair, equals + 1, pair.len), arena, &value, &err);
    if (code != CODE_OK) return code == CODE_UNAVAILABLE ? no_memory(arena) : problem_from_error(arena, &err);
    const Problem *problem = take_parameter(name, value, arena, ret);
    if (problem != NULL) return problem;
  }
  return NULL;
}

static const Problem *check_type(const HttpRequest *http, Arena *arena) {
  Str given = http_request_header(http, STR("content-type")), type, parameters;
  bool is_json = media_type_parse(given, &type, &parameters) && str_equal_ignore_case(type, STR("application/json"));
  Str charset = is_json ? media_type_parameter(parameters, STR("charset")) : (Str){0};
  bool is_utf8 = charset.ptr == NULL || str_equal_ignore_case(charset, STR("utf-8")) || str_equal_ignore_case(charset, STR("utf8"));
  if (is_json && is_utf8) return NULL;
  return problem_with_hint(arena, CODE_UNSUPPORTED_MEDIA_TYPE, STR("The body must be JSON in UTF-8"),
                           STR("Content-Type: application/json"));
}

static const Problem *read_body(const HttpRequest *http, Arena *arena, GraphqlRequest *ret) {
  const JsonValue *body = NULL;
  const Problem *problem = check_type(http, arena);
  if (problem == NULL) problem = parse_json(http->body, arena, "The body", &body);
  if (problem != NULL) return problem;
  if (body == NULL) return refuse(arena, "The request has no body");
  if (body->type == JSON_ARRAY) {
    ret->batch = body;
    return NULL;
  }
  if (body->type != JSON_OBJECT) return refuse(arena, "The body must be an object with \"query\"");
  const JsonValue *query = json_get(body, STR("query")), *name = json_get(body, STR("operationName"));
  const JsonValue *id = json_get(body, STR("documentId"));
  if (query != NULL && query->type != JSON_STRING && query->type != JSON_NULL) return refuse(arena, "\"query\" must be a string");
  if (name != NULL && name->type != JSON_STRING && name->type != JSON_NULL) return refuse(arena, "\"operationName\" must be a string");
  if (id != NULL && id->type != JSON_STRING && id->type != JSON_NULL) return refuse(arena, "\"documentId\" must be a string");
  if (query != NULL && query->type == JSON_STRING) ret->query = query->text;
  if (name != NULL && name->type == JSON_STRING) ret->operation_name = name->text;
  if (id != NULL && id->type == JSON_STRING) ret->document_id = id->text;
  problem = take_extensions(json_get(body, STR("extensions")), arena, ret);
  return problem != NULL ? problem : take_variables(json_get(body, STR("variables")), arena, ret);
}

const Problem *graphql_request_read(const HttpRequest *http, Arena *arena, GraphqlRequest *ret) {
  const Problem *problem = http->method == HTTP_POST ? read_body(http, arena, ret) : read_url(http, arena, ret);
  if (problem != NULL || ret->batch != NULL) return problem;
  if (ret->query.ptr == NULL && ret->document_id.ptr == NULL && ret->sha256.ptr == NULL)
    return refuse(arena, "The request has no \"query\"");
  return NULL;
}
