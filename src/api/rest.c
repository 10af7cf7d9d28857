/* rest.c - the REST face: an HTTP request to Operations. What it refuses it refuses in this order: path, method, Accept, headers, query,
 * body. */
#include "api/rest.h"

#include "api/documents.h"
#include "api/problem_json.h"
#include "api/rest_body.h"
#include "api/rest_query.h"
#include "api/rest_state.h"

static bool rest_accepts(const Api *api, const HttpRequest *request) {
  Str prefix = api->rest->prefix;
  if (str_starts_with(request->path, prefix)) return !documents_is_of_version(request->path, prefix);
  return request->path.len == prefix.len - 1 && str_starts_with(prefix, request->path);
}

/* ---- Method ---- */

static const RestResource *answered_resource(const RestMap *map, const RestRoute *route) {
  return route->target == REST_CHILDREN ? rest_map_at(map, route->child->relation->source) : route->resource;
}

static bool find_action(const RestRoute *route, HttpMethod method, Action *ret) {
  bool is_read = method == HTTP_GET || method == HTTP_HEAD;
  if (route->target == REST_ITEM) {
    static const Action by_method[] = {[HTTP_GET] = ACTION_GET,     [HTTP_HEAD] = ACTION_GET,     [HTTP_POST] = ACTION_COUNT,
                                       [HTTP_PUT] = ACTION_REPLACE, [HTTP_PATCH] = ACTION_UPDATE, [HTTP_DELETE] = ACTION_DELETE};
    *ret = method <= HTTP_DELETE ? by_method[method] : ACTION_COUNT;
    return *ret != ACTION_COUNT;
  }
  if (route->target == REST_AGGREGATE) {
    *ret = ACTION_AGGREGATE;
    return is_read;
  }
  if (route->target == REST_WATCH) {
    *ret = ACTION_LIST;
    return is_read;
  }
  *ret = is_read ? ACTION_LIST : ACTION_CREATE;
  return is_read || (method == HTTP_POST && route->resource->resource->key_count > 0);
}

static Code refuse_method(RestDecoder *decoder, const RestRoute *route, Str method) {
  Str allow = rest_route_allow(route);
  Str shown = rest_shown(method);
  Str detail = arena_printf(decoder->arena, "%.*s is not possible here; %.*s are", STR_ARGS(shown), STR_ARGS(allow));
  Problem *problem = ARENA_NEW(decoder->arena, Problem);
  if (detail.ptr == NULL || problem == NULL) return rest_no_memory(decoder);
  *problem = (Problem){.code = CODE_METHOD_NOT_ALLOWED, .detail = detail, .operation = -1, .allow = allow};
  decoder->problem = problem;
  return CODE_METHOD_NOT_ALLOWED;
}

/* RFC 9110 §9.3.7. */
static Code answer_options(ApiRequest *request, const RestRoute *route) {
  Arena *arena = request->exchange->arena;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, 2);
  RestState *state = request->face_state;
  if (headers == NULL) return rest_no_memory(&state->decoder);
  headers[0] = (HttpHeader){STR("allow"), rest_route_allow(route)};
  headers[1] = (HttpHeader){STR("accept-patch"), rest_accept_patch()};
  request->response = (HttpResponse){.status = 204, .headers = headers, .header_count = route->target == REST_ITEM ? 2 : 1};
  request->is_answered = true;
  return CODE_OK;
}

/* ---- Headers ---- */

static Code decode_etags(RestDecoder *decoder, Str value, const char *name, bool is_weak_kept, Precondition *ret) {
  if (value.ptr == NULL) return CODE_OK;
  Error err;
  Code code = etag_list_parse(value, is_weak_kept, decoder->arena, ret, &err);
  if (code == CODE_OK) return CODE_OK;
  if (code != CODE_BAD_REQUEST) return rest_no_memory(decoder);
  return rest_refuse(decoder, code, (Str){0}, "%s: %s", name, err.text);
}

/* RFC 9110 §13.1: conditions are about the one resource that the path names. */
static Code decode_conditions(ApiRequest *request, RestState *state, Operation *operation) {
  RestDecoder *decoder = &state->decoder;
  if (operation->action == ACTION_LIST ||
      operation->action == ACTION_AGGREGATE) /* of the page that is asked for: what is given in answer has its tag */
    return decode_etags(decoder, state->headers.if_none_match, "If-None-Match", true, &operation->if_none_match);
  if (state->route.target != REST_ITEM) return CODE_OK;
  TRY(decode_etags(decoder, state->headers.if_match, "If-Match", false, &operation->if_match));
  TRY(decode_etags(decoder, state->headers.if_none_match, "If-None-Match", true, &operation->if_none_match));
  bool is_write = operation->action != ACTION_GET;
  if (request->api->is_precondition_required && is_write && !operation->if_match.is_given && !operation->if_none_match.is_given) {
    return rest_refuse(decoder, CODE_PRECONDITION_REQUIRED, STR("read the resource and send its ETag as If-Match"),
                       "This server changes nothing without a precondition (RFC 6585 §3)");
  }
  return CODE_OK;
}

/* ---- Operations ---- */

static RestQueryUse query_use(Action action) {
  switch (action) {
    case ACTION_LIST: return REST_QUERY_LIST;
    case ACTION_AGGREGATE: return REST_QUERY_AGGREGATE;
    case ACTION_DELETE: return REST_QUERY_NONE;
    default: return REST_QUERY_ITEM;
  }
}

/* review.productId == the path's key */
static const Expr *parent_scope(const RestRoute *route, Arena *arena) {
  const Relation *relation = route->child->relation;
  const Expr *scope = NULL;
  for (size_t i = 0; i < relation->key_count; i++) {
    ExprPath path = {.root = EXPR_ROOT_ROW, .resource = relation->source, .field = relation->keys[i]};
    const Expr *field = expr_path(arena, &path);
    const Expr *value = expr_literal(arena, rest_value_stored(relation->keys[i], route->key[i]));
    const Expr *equal = field == NULL || value == NULL ? NULL : expr_compare(arena, EXPR_EQ, field, value);
    scope = equal == NULL ? NULL : expr_and(arena, scope, equal);
    if (scope == NULL) return NULL;
  }
  return scope;
}

static const InputPreset *parent_presets(const RestRoute *route, Arena *arena) {
  const Relation *relation = route->child->relation;
  InputPreset *presets = ARENA_ARRAY(arena, InputPreset, relation->key_count);
  for (size_t i = 0; presets != NULL && i < relation->key_count; i++) presets[i] = (InputPreset){relation->keys[i], route->key[i]};
  return presets;
}

/* A sub-resource is its parent first (404 where that can't be seen), then the list that the parent's key bounds. */
static Code decode_children(RestState *state, Operation *parent, Operation *operation) {
  const RestRoute *route = &state->route;
  parent->action = ACTION_GET;
  parent->resource = route->resource->resource;
  parent->key = route->key;
  parent->selection = route->resource->key_only;
  if (route->key == NULL) return CODE_OK;
  if (operation->action == ACTION_LIST) {
    operation->list.scope = parent_scope(route, state->decoder.arena);
    return operation->list.scope == NULL ? rest_no_memory(&state->decoder) : CODE_OK;
  }
  operation->presets = parent_presets(route, state->decoder.arena);
  operation->preset_count = route->child->relation->key_count;
  return operation->presets == NULL ? rest_no_memory(&state->decoder) : CODE_OK;
}

static bool has_body(Action action) { return action == ACTION_CREATE || action == ACTION_UPDATE || action == ACTION_REPLACE; }

static Code decode_body(ApiRequest *request, RestState *state, Operation *operation) {
  const HttpRequest *http = &request->exchange->request;
  RestDecoder *decoder = &state->decoder;
  if (state->inner == NULL)
    return rest_body_parse(decoder, http->method, &state->headers, http->body, &operation->input, &operation->is_patch);
  operation->input = rest_batch_item_body(state->inner);
  return rest_body_check(decoder, http->method, &state->headers, operation->input != NULL, &operation->is_patch);
}

static Code decode_operation(ApiRequest *request, RestState *state, Action action, Operation *operation) {
  const HttpRequest *http = &request->exchange->request;
  RestDecoder *decoder = &state->decoder;
  const RestResource *resource = answered_resource(decoder->map, &state->route);
  operation->action = action;
  operation->resource = resource->resource;
  if (state->route.target == REST_ITEM) operation->key = state->route.key;
  operation->is_dry_run = state->preferences.is_dry_run;
  TRY(decode_conditions(request, state, operation));
  RestQuery query;
  TRY(rest_query_decode(decoder, resource, http->query, query_use(action), &query));
  operation->list = query.list;
  state->aggregate = query.aggregate;
  if (action == ACTION_AGGREGATE) {
    operation->aggregate = &state->aggregate.aggregate;
    return CODE_OK;
  }
  bool is_wanted = action != ACTION_DELETE && !(has_body(action) && state->preferences.is_minimal);
  operation->selection = is_wanted ? query.selection : NULL;
  bool has_json = has_body(action) && state->stream == REST_STREAM_NONE;
  if (has_json) TRY(decode_body(request, state, operation));
  state->is_array = has_json && action == ACTION_CREATE && operation->input->type == JSON_ARRAY;
  return CODE_OK;
}

static void destroy_arena(void *arena) { arena_destroy(arena); }

/* Reads of one group run side by side, a slow one on another thread: each has an arena of its own. */
static Code own_arena(RestState *state, Call *call) {
  call->arena = arena_create(0);
  if (call->arena == NULL) return rest_no_memory(&state->decoder);
  if (arena_defer(state->decoder.arena, destroy_arena, call->arena)) return CODE_OK;
  arena_destroy(call->arena);
  return rest_no_memory(&state->decoder);
}

static void prepare_sink(ApiRequest *request, RestState *state, Call *call) {
  Arena *arena = call->arena != NULL ? call->arena : request->exchange->arena;
  if (call->operation.action == ACTION_AGGREGATE) {
    rest_group_sink_init(&state->groups, state->decoder.map, &state->aggregate, arena, request->api->limits.result_bytes_max);
    call->sink = &state->groups.base;
  }
  if (call->operation.selection == NULL) return;
  bool is_list = call->operation.action == ACTION_LIST || state->is_array;
  rest_sink_init(&state->sink, state->decoder.map, arena, request->api->limits.result_bytes_max, is_list ? STR("{\"items\":[") : STR(""));
  state->sink.has_row_ends = state->is_array;
  call->sink = &state->sink.base;
}

static Code decode_calls(ApiRequest *request, RestState *state, Action action) {
  bool has_parent = state->route.target == REST_CHILDREN;
  size_t count = has_parent ? 2 : 1;
  Call *main = &state->calls[count - 1];
  TRY(decode_operation(request, state, action, &main->operation));
  if (has_parent) TRY(decode_children(state, &state->calls[0].operation, &main->operation));
  /* Where the parent's key can't be any row's there is nothing to ask behind it. */
  if (has_parent && state->route.key == NULL) count = 1;
  for (size_t i = 0; (has_parent || state->inner != NULL) && i < count; i++) {
    if (state->calls[i].operation.action < ACTION_CREATE) TRY(own_arena(state, &state->calls[i]));
  }
  prepare_sink(request, state, main);
  for (size_t i = 0; i < count; i++) {
    state->calls[i].operation.caller = request->caller;
    state->calls[i].operation.now_us = request->now_us;
  }
  state->main = main;
  request->group.calls = state->calls;
  request->group.count = count;
  request->group.arena = request->exchange->arena;
  return CODE_OK;
}

static Code decode_preferences(RestState *state) {
  if (state->headers.prefer.ptr == NULL) return CODE_OK;
  state->preferences = prefer_parse(state->headers.prefer);
  state->decoder.is_lenient = state->preferences.is_lenient;
  if (!state->preferences.is_strict || state->preferences.unknown.ptr == NULL) return CODE_OK;
  Str shown = rest_shown(state->preferences.unknown);
  return rest_refuse(&state->decoder, CODE_BAD_REQUEST, STR("leave it away, or send handling=lenient"),
                     "The preference \"%.*s\" is not known here (RFC 7240 §4.4)", STR_ARGS(shown));
}

/* A batch's answers and bodies are JSON. */
static void decode_stream_format(const ApiRequest *request, RestState *state, Action action) {
  if (state->inner != NULL) return;
  if (action == ACTION_LIST) state->stream = rest_export_format(state->headers.accept);
  if (action == ACTION_CREATE) state->stream = rest_import_format(&request->exchange->request);
  state->decoder.is_export = action == ACTION_LIST && state->stream != REST_STREAM_NONE;
}

static bool is_batch_method(HttpMethod method) { return method == HTTP_POST || method == HTTP_OPTIONS; }

Code rest_decode_request(ApiRequest *request, RestState *state) {
  const HttpRequest *http = &request->exchange->request;
  RestDecoder *decoder = &state->decoder;
  TRY(rest_route(decoder, http->path, &state->route));
  bool is_batch = state->route.target == REST_BATCH;
  if (http->method == HTTP_OPTIONS) return answer_options(request, &state->route);
  Action action = ACTION_COUNT;
  if (is_batch ? !is_batch_method(http->method) : !find_action(&state->route, http->method, &action))
    return refuse_method(decoder, &state->route, http->method_text);
  if (!api_headers_read(http, decoder->arena, &state->headers)) return rest_no_memory(decoder);
  bool is_watch = state->route.target == REST_WATCH;
  if (!is_watch) decode_stream_format(request, state, action);
  if (is_watch)
    TRY(rest_watch_accept(state));
  else if (!decoder->is_export)
    TRY(rest_accept_check(decoder, &state->headers));
  TRY(decode_preferences(state));
  TRY(is_batch ? rest_batch_decode(request, state) : decode_calls(request, state, action));
  if (state->headers.idempotency_key.ptr != NULL && (!request->is_answered || is_batch)) TRY(rest_once_decode(request, state));
  if (is_watch) return rest_watch_prepare(request, state);
  if (state->stream == REST_STREAM_NONE) return CODE_OK;
  return action == ACTION_LIST ? rest_export_prepare(request, state) : rest_import_prepare(request, state);
}

static Code rest_decode(ApiRequest *request) {
  Arena *arena = request->exchange->arena;
  RestState *state = ARENA_NEW(arena, RestState);
  if (state == NULL) {
    request->problem = problem_no_memory(arena);
    return CODE_UNAVAILABLE;
  }
  state->decoder = (RestDecoder){.map = request->api->rest, .limits = &request->api->limits, .arena = arena};
  request->face_state = state;
  Code code = rest_decode_request(request, state);
  request->problem = state->decoder.problem;
  return code;
}

static bool is_body_streamed(ApiRequest *request) { return rest_import_format(&request->exchange->request) != REST_STREAM_NONE; }

Code rest_answer_in_transaction(CallGroup *group, const Problem **ret_problem) {
  ApiRequest *request = (ApiRequest *)((char *)group - offsetof(ApiRequest, group));
  RestState *state = request->face_state;
  Arena *arena = request->exchange->arena;
  request->problem = NULL;
  rest_answer_make(request, state);
  if (request->problem == NULL && group->idempotency != NULL) {
    group->idempotency->answer = rest_once_write(&request->response, arena);
    if (group->idempotency->answer.ptr == NULL) request->problem = problem_no_memory(arena);
  }
  state->is_answered = request->problem == NULL;
  *ret_problem = request->problem;
  return state->is_answered ? CODE_OK : request->problem->code;
}

/* RFC 9110 §15.5.12: a body is wanted, and the request's head announces none. HTTP/2's frames end a body by themselves. */
static bool lacks_length(const HttpRequest *http) {
  return http->version < 20 && http_request_header(http, STR("content-length")).ptr == NULL &&
         http_request_header(http, STR("transfer-encoding")).ptr == NULL;
}

static void rest_encode_problem(ApiRequest *request) {
  const RestState *state = request->face_state;
  bool is_length_wanted = state != NULL && state->decoder.is_body_missing && lacks_length(&request->exchange->request);
  if (state != NULL && state->batch != NULL) request->problem = rest_batch_problem(request, state);
  problem_respond(request->problem, is_length_wanted ? 411 : 0, request->request_id, request->exchange->arena, &request->response);
}

const Face FACE_REST = {
    .name = STR_INIT("rest"),
    .accepts = rest_accepts,
    .is_body_streamed = is_body_streamed,
    .decode = rest_decode,
    .encode = rest_encode,
    .encode_problem = rest_encode_problem,
};
