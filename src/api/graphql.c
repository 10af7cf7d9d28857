/* graphql.c - the GraphQL face: a document is parsed, validated, compiled into calls, and their Results become `data` and `errors`. */
#include "api/graphql.h"

#include "api/cache_control.h"
#include "api/documents.h"
#include "api/error_map.h"
#include "api/graphql_batch.h"
#include "api/graphql_federation.h"
#include "api/graphql_request.h"
#include "api/graphql_single.h"
#include "api/graphql_store.h"
#include "api/graphql_watch.h"
#include "api/graphql_ws.h"
#include "api/problem_json.h"

enum { GRAPHQL_HEADERS_MAX = 6 };

static const Str GRAPHQL_PATH = STR_INIT("/graphql");

static Code prepare(const Api *api, const FaceOptions *options, void **ret, Error *err) {
  Graphql *graphql = ARENA_NEW(api->arena, Graphql);
  TRY_ALLOC(graphql);
  graphql->limits = *options->graphql;
  graphql->streams = options->graphql_streams;
  TRY(graphql_schema_create(api->contract, api->arena, &graphql->schema, err));
  TRY(graphql_store_create(graphql->schema, &graphql->limits, api->arena, &graphql->store, err));
  if (options->graphql_trusted != NULL)
    TRY(graphql_store_trust(graphql->store, options->graphql_trusted, options->graphql_trusted_count, err));
  *ret = graphql;
  return CODE_OK;
}

static bool accepts(const Api *api, const HttpRequest *request) {
  (void)api;
  return str_equal(request->path, GRAPHQL_PATH);
}

/* ---- errors ---- */

typedef struct Errors {
  Buf *out;
  Str request_id;
  size_t count;
} Errors;

static void begin_error(Errors *errors, Str message, const GraphqlPlace *places, size_t place_count) {
  Buf *out = errors->out;
  buf_add(out, errors->count++ > 0 ? STR(",{\"message\":") : STR("{\"message\":"));
  json_write_string(out, message);
  for (size_t i = 0; i < place_count; i++) {
    buf_add(out, i == 0 ? STR(",\"locations\":[") : STR(","));
    buf_printf(out, "{\"line\":%u,\"column\":%u}", places[i].line, places[i].column);
  }
  if (place_count > 0) buf_add_byte(out, ']');
}

static void begin_extensions(Errors *errors, Str code) {
  buf_add(errors->out, STR(",\"extensions\":{\"code\":"));
  json_write_string(errors->out, code);
}

static void add_member(Errors *errors, Str name, Str value) {
  if (value.len == 0) return;
  buf_add_byte(errors->out, ',');
  json_write_string(errors->out, name);
  buf_add_byte(errors->out, ':');
  json_write_string(errors->out, value);
}

static void end_error(Errors *errors) {
  add_member(errors, STR("requestId"), errors->request_id);
  buf_add(errors->out, STR("}}"));
}

/* The members of a problem document that say more than the message. */
static void add_problem(Errors *errors, const Problem *problem) {
  begin_extensions(errors, error_form(problem->code)->name);
  if (problem->mistake_count > 0) {
    buf_add(errors->out, STR(",\"pointer\":"));
    json_write_string(errors->out, problem->mistakes[0].pointer);
    problem_json_write_mistakes(problem, errors->out);
  }
  add_member(errors, STR("hint"), problem->hint);
  add_member(errors, STR("rule"), problem->rule);
  end_error(errors);
}

static void add_request_problem(Errors *errors, const Problem *problem) {
  begin_error(errors, problem->detail.len > 0 ? problem->detail : error_form(problem->code)->title, NULL, 0);
  add_problem(errors, problem);
}

/* `index` is of an item of the root's list; -1: all of it. */
static void add_root_problem(Errors *errors, const GraphqlRoot *root, int64_t index, const Problem *problem) {
  begin_error(errors, problem->detail.len > 0 ? problem->detail : error_form(problem->code)->title, &root->place, 1);
  buf_add(errors->out, STR(",\"path\":["));
  json_write_string(errors->out, root->name);
  if (index >= 0) buf_printf(errors->out, ",%lld", (long long)index);
  buf_add_byte(errors->out, ']');
  add_problem(errors, problem);
}

static void add_mistakes(Errors *errors, const GraphqlMistakes *mistakes) {
  for (size_t i = 0; i < mistakes->list.count; i++) {
    const GraphqlMistake *mistake = &mistakes->list.items[i];
    begin_error(errors, mistake->message, mistake->places, mistake->place_count);
    begin_extensions(errors, mistake->name.len > 0 ? mistake->name : error_form(mistake->code)->name);
    add_member(errors, STR("hint"), mistake->hint);
    end_error(errors);
  }
}

/* ---- answers ---- */

static Str content_type(const GraphqlState *state) {
  return state != NULL && state->request.is_strict ? STR("application/graphql-response+json; charset=utf-8")
                                                   : STR("application/json; charset=utf-8");
}

static void respond_without_memory(ApiRequest *request) {
  Arena *arena = request->exchange->arena;
  problem_respond(problem_no_memory(arena), 0, request->request_id, arena, &request->response);
}

/* `cache_control`: ptr NULL: nothing is said. */
static void respond(ApiRequest *request, int status, const Buf *body, Str cache_control) {
  Arena *arena = request->exchange->arena;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, GRAPHQL_HEADERS_MAX);
  size_t count = 2;
  if (body->failed == CODE_TOO_LARGE) {
    const Problem *problem = problem_create(arena, CODE_TOO_LARGE, STR("the answer would be too large (--result-max)"));
    problem_respond(problem, 0, request->request_id, arena, &request->response);
    return;
  }
  if (body->failed != CODE_OK || headers == NULL) {
    respond_without_memory(request);
    return;
  }
  const GraphqlState *state = request->face_state;
  headers[0] = (HttpHeader){STR("content-type"), content_type(state)};
  headers[1] = (HttpHeader){STR("vary"), STR("accept")};
  if (cache_control.ptr != NULL) headers[count++] = (HttpHeader){STR("cache-control"), cache_control};
  request->response = (HttpResponse){.status = status, .headers = headers, .header_count = count, .body = buf_str(body)};
  bool is_stream = status == 200 && state != NULL && state->request.is_stream;
  if (is_stream && !graphql_sse_respond(request, headers)) respond_without_memory(request);
}

/* Before anything ran: there is no `data`. What a well-formed request says wrong in GraphQL is a 200 in application/json, for clients that
 * take every other status for a failure of the transport; limits are 400 in both. A stream tells it as a result (graphql-sse's protocol):
 * to an EventSource another status says nothing. */
static void respond_mistakes(ApiRequest *request, const GraphqlState *state) {
  Buf body = buf_on(request->exchange->arena, request->api->limits.result_bytes_max);
  Errors errors = {.out = &body, .request_id = request->request_id};
  buf_add(&body, STR("{\"errors\":["));
  add_mistakes(&errors, &state->mistakes);
  buf_add(&body, STR("]}"));
  Code code = state->mistakes.list.items[0].code;
  bool is_limit = code == CODE_TOO_LARGE || code == CODE_METHOD_NOT_ALLOWED;
  int strict = code == CODE_FORBIDDEN || code == CODE_NOT_FOUND ? error_form(code)->http_status : 400;
  if (state->mistakes.has_no_memory) body.failed = CODE_UNAVAILABLE;
  bool is_told_by_status = !state->request.is_stream && (state->request.is_strict || is_limit);
  respond(request, is_told_by_status ? strict : 200, &body, (Str){NULL, 0});
}

/* With the problem's own headers (WWW-Authenticate, Allow, Retry-After). */
static void respond_problem(ApiRequest *request, const Problem *problem, const Buf *body) {
  Arena *arena = request->exchange->arena;
  problem_respond(problem, 0, request->request_id, arena, &request->response);
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, request->response.header_count);
  if (body->failed == CODE_TOO_LARGE) return;
  if (body->failed != CODE_OK || headers == NULL || request->response.status != error_form(problem->code)->http_status) {
    respond_without_memory(request);
    return;
  }
  for (size_t i = 0; i < request->response.header_count; i++) {
    headers[i] = request->response.headers[i];
    if (str_equal(headers[i].name, STR("content-type"))) headers[i].value = content_type(request->face_state);
  }
  request->response.headers = headers;
  request->response.body = buf_str(body);
}

static void encode(ApiRequest *request);

static void encode_problem(ApiRequest *request) {
  const GraphqlState *state = request->face_state;
  const Problem *problem = request->problem;
  Arena *arena = request->exchange->arena;
  if (state != NULL && state->is_compiled) {
    for (size_t i = 0; i < request->group.count; i++) {
      if (request->group.calls[i].result.problem != problem) continue;
      encode(request);
      return;
    }
  }
  Buf body = buf_on(arena, request->api->limits.result_bytes_max);
  Errors errors = {.out = &body, .request_id = request->request_id};
  buf_add(&body, STR("{\"errors\":["));
  add_request_problem(&errors, problem);
  buf_add(&body, STR("]}"));
  respond_problem(request, problem, &body);
}

/* A read that found nothing is null without an error; a write that did not is one. */
static const Problem *root_problem(const GraphqlRun *run, const GraphqlRoot *root) {
  if (root->sink.base.row == NULL) return NULL;
  const Call *call = &run->calls[root->sink.call];
  const Problem *problem = call->result.problem;
  bool is_absent = problem != NULL && problem->code == CODE_NOT_FOUND && call->operation.action == ACTION_GET;
  return is_absent ? NULL : problem;
}

static const Problem *group_problem(const ApiRequest *request) {
  for (size_t i = 0; i < request->group.count; i++) {
    if (request->group.calls[i].result.problem != NULL) return request->group.calls[i].result.problem;
  }
  return request->problem;
}

/* One failure has rolled all of them back. */
static void write_rolled_back(const GraphqlRun *run, Buf *body) {
  buf_add_byte(body, '{');
  for (size_t i = 0; i < run->root_count; i++) {
    if (i > 0) buf_add_byte(body, ',');
    buf_add(body, run->roots[i].key);
    buf_add(body, run->roots[i].sink.base.row == NULL ? run->roots[i].text : STR("null"));
  }
  buf_add_byte(body, '}');
}

static void write_data(const GraphqlRun *run, Buf *body) {
  buf_add_byte(body, '{');
  for (size_t i = 0; i < run->root_count; i++) {
    const GraphqlRoot *root = &run->roots[i];
    if (i > 0) buf_add_byte(body, ',');
    buf_add(body, root->key);
    if (root_problem(run, root) != NULL)
      buf_add(body, STR("null"));
    else
      graphql_write_root(root, root->sink.base.row == NULL ? NULL : &run->calls[root->sink.call].result, body);
  }
  buf_add_byte(body, '}');
}

/* A stranger who gets nothing at all is asked who it is, where the media type leaves the status to us. */
static bool is_stranger_refused(const GraphqlState *state, const Problem *failed) {
  const GraphqlRun *run = &state->run;
  if (!state->request.is_strict || failed == NULL) return false;
  for (size_t i = 0; i < run->call_count; i++) {
    const Problem *problem = run->calls[i].result.problem;
    if (problem == NULL || problem->code != CODE_UNAUTHENTICATED) return false;
  }
  return run->call_count > 0;
}

/* Of the roots' calls, each at its place. The last one; NULL: none. */
static const Problem *add_problems(const GraphqlRun *run, Errors *errors, bool *ret_is_null) {
  const Problem *failed = NULL;
  for (size_t i = 0; i < run->root_count; i++) {
    const GraphqlRoot *root = &run->roots[i];
    const Problem *problem = root_problem(run, root);
    size_t groups = root->kind == GRAPHQL_ROOT_ENTITIES ? root->entities->groups.count : 0;
    if (problem != NULL) {
      if (errors->count == 0) buf_add(errors->out, STR("\"errors\":["));
      add_root_problem(errors, root, -1, problem);
      *ret_is_null = *ret_is_null || root->is_required;
      failed = problem;
    }
    for (size_t k = 0; k < groups; k++) {
      const GraphqlEntityGroup *group = root->entities->groups.items[k];
      problem = root_problem(run, &group->root);
      if (problem == NULL) continue;
      if (errors->count == 0) buf_add(errors->out, STR("\"errors\":["));
      add_root_problem(errors, root, (int64_t)group->first, problem);
      failed = problem;
    }
  }
  return failed;
}

static void encode(ApiRequest *request) {
  GraphqlState *state = request->face_state;
  const GraphqlRun *run = &state->run;
  Buf body = buf_on(request->exchange->arena, request->api->limits.result_bytes_max);
  Errors errors = {.out = &body, .request_id = request->request_id};
  bool is_mutation = run->operation->kind == GRAPHQL_MUTATION, is_null = false;
  buf_add_byte(&body, '{');
  const Problem *failed = add_problems(run, &errors, &is_null);
  if (is_mutation && failed == NULL) failed = group_problem(request);
  if (is_mutation && failed != NULL && errors.count == 0) {
    buf_add(&body, STR("\"errors\":["));
    add_request_problem(&errors, failed);
  }
  if (errors.count > 0) buf_add(&body, STR("],"));
  request->problem = failed;
  buf_add(&body, STR("\"data\":"));
  if (is_null)
    buf_add(&body, STR("null"));
  else if (is_mutation && failed != NULL)
    write_rolled_back(run, &body);
  else
    write_data(run, &body);
  if (state->request.has_cost) buf_printf(&body, ",\"extensions\":{\"cost\":%lld}", (long long)run->cost);
  buf_add_byte(&body, '}');
  if (is_stranger_refused(state, failed))
    respond_problem(request, failed, &body);
  else
    respond(request, 200, &body, failed == NULL && !is_mutation ? cache_control_least(&request->group, run->arena) : (Str){NULL, 0});
}

/* ---- decode ---- */

static Code refuse(ApiRequest *request, const Problem *problem) {
  request->problem = problem;
  return problem->code;
}

static Code no_memory(ApiRequest *request) { return refuse(request, problem_no_memory(request->exchange->arena)); }

static Code refuse_method(ApiRequest *request, Str allow, const char *detail) {
  Problem *problem = problem_new(request->exchange->arena, CODE_METHOD_NOT_ALLOWED, str_of(detail));
  if (problem == NULL) return no_memory(request);
  problem->allow = allow;
  return refuse(request, problem);
}

static Str allowed_methods(const Api *api) {
  return graphql_of(api)->streams != NULL ? STR(GRAPHQL_SINGLE_METHODS) : STR("GET, HEAD, POST, OPTIONS");
}

static Code answer_options(ApiRequest *request) {
  HttpHeader *allow = ARENA_NEW(request->exchange->arena, HttpHeader);
  if (allow == NULL) return no_memory(request);
  *allow = (HttpHeader){STR("allow"), allowed_methods(request->api)};
  request->response = (HttpResponse){.status = 204, .headers = allow, .header_count = 1};
  request->is_answered = true;
  return CODE_OK;
}

static Code answer_mistakes(ApiRequest *request, GraphqlState *state) {
  if (state->mistakes.has_no_memory || state->mistakes.list.count == 0) return no_memory(request);
  respond_mistakes(request, state);
  request->is_answered = true;
  return CODE_OK;
}

static bool find_operation(GraphqlState *state) {
  GraphqlRun *run = &state->run;
  Str name = state->request.operation_name;
  for (size_t i = 0; i < state->document->operation_count; i++) {
    const GraphqlOperation *operation = &state->document->operations[i];
    bool is_it = name.len == 0 ? state->document->operation_count == 1 : str_equal(operation->name, name);
    if (is_it) run->operation = operation;
  }
  if (run->operation != NULL) return true;
  if (name.len == 0)
    graphql_mistake(&state->mistakes, CODE_BAD_REQUEST, NULL, 0, "The document has several operations: operationName must say which");
  else
    graphql_mistake(&state->mistakes, CODE_BAD_REQUEST, NULL, 0, "The document has no operation \"%.*s\"", STR_ARGS(name));
  return false;
}

/* Parsed and valid, and its operation found. */
static bool read_document(const Graphql *graphql, GraphqlState *state, Arena *arena) {
  if (!graphql_store_find(graphql->store, &state->request, arena, &state->mistakes, &state->document)) return false;
  state->run.document = state->document;
  return find_operation(state);
}

static Code decode_operation(ApiRequest *request, GraphqlState *state) {
  GraphqlRun *run = &state->run;
  if (!read_document(graphql_of(request->api), state, run->arena)) return answer_mistakes(request, state);
  bool is_get = request->exchange->request.method != HTTP_POST;
  if (is_get && run->operation->kind == GRAPHQL_MUTATION) return refuse_method(request, STR("POST"), "A mutation must be sent with POST");
  bool is_watch = run->operation->kind == GRAPHQL_SUBSCRIPTION;
  if (is_watch && !state->request.can_stream)
    return refuse(request, problem_with_hint(run->arena, CODE_NOT_ACCEPTABLE, STR("A subscription is answered as a stream"),
                                             STR("Accept: text/event-stream, or the WebSocket at this address")));
  if (!graphql_variables(run, state->request.variables)) return answer_mistakes(request, state);
  if (!graphql_compile(run, request->caller, request->now_us)) return answer_mistakes(request, state);
  state->is_compiled = !is_watch;
  request->group.calls = run->calls;
  request->group.count = run->call_count;
  request->group.arena = run->arena;
  request->group.is_partial = run->operation->kind == GRAPHQL_QUERY;
  if (is_watch) return graphql_watch_prepare(request, state);
  if (run->call_count > 0) return CODE_OK;
  encode(request);
  request->is_answered = true;
  return CODE_OK;
}

/* A batch within a batch is none. */
static Code decode_batch(ApiRequest *request, GraphqlState *state) {
  Arena *arena = request->exchange->arena;
  size_t max = graphql_of(request->api)->limits.batch_max;
  if (max == 0 || request->exchange->is_message)
    return refuse(request, problem_create(arena, CODE_BAD_REQUEST, STR("A request holds one operation; batches of them are not served")));
  if (state->request.is_stream)
    return refuse(request, problem_create(arena, CODE_NOT_ACCEPTABLE, STR("A batch is not answered as a stream")));
  if (state->request.batch->count > max) {
    graphql_mistake(&state->mistakes, CODE_TOO_LARGE, NULL, 0, "The batch has more than %zu requests (--graphql-batch-max)", max);
    return answer_mistakes(request, state);
  }
  return graphql_batch_prepare(request, state) ? CODE_OK : no_memory(request);
}

static Code decode(ApiRequest *request) {
  const HttpRequest *http = &request->exchange->request;
  Arena *arena = request->exchange->arena;
  Code code;
  if (http->method == HTTP_OPTIONS) return answer_options(request);
  if (graphql_ws_decode(request, &code)) return code;
  GraphqlState *state = ARENA_NEW(arena, GraphqlState);
  if (state == NULL) return no_memory(request);
  bool is_acceptable = graphql_negotiate(http, &state->request);
  request->face_state = state;
  if (graphql_single_decode(request, state, &code)) return code;
  if (http->method != HTTP_GET && http->method != HTTP_HEAD && http->method != HTTP_POST)
    return refuse_method(request, allowed_methods(request->api), "A GraphQL request is sent with POST or GET");
  if (state->request.is_page && graphql_of(request->api)->limits.has_graphiql) {
    documents_respond_graphiql(http, arena, &request->response);
    request->is_answered = true;
    return CODE_OK;
  }
  if (!is_acceptable)
    return refuse(request,
                  problem_create(arena, CODE_NOT_ACCEPTABLE, STR("The answer is application/json or application/graphql-response+json")));
  const Problem *problem = graphql_request_read(http, arena, &state->request);
  if (problem != NULL) return refuse(request, problem);
  const Graphql *graphql = graphql_of(request->api);
  state->mistakes = graphql_mistakes_on(arena);
  if (state->request.batch != NULL) return decode_batch(request, state);
  state->run = (GraphqlRun){
      .api = request->api, .schema = graphql->schema, .limits = &graphql->limits, .arena = arena, .mistakes = &state->mistakes};
  return decode_operation(request, state);
}

const Face FACE_GRAPHQL = {.name = STR_INIT("graphql"),
                           .has_websocket = true,
                           .prepare = prepare,
                           .accepts = accepts,
                           .decode = decode,
                           .encode = encode,
                           .encode_problem = encode_problem};
