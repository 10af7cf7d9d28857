/* graphql.c - the GraphQL face: a document is parsed, validated, compiled into calls, and their Results become `data` and `errors`. */
#include "api/graphql.h"

#include "api/error_map.h"
#include "api/graphql_request.h"
#include "api/problem_json.h"

enum { GRAPHQL_HEADERS_MAX = 6 };

static const Str GRAPHQL_PATH = STR_INIT("/graphql");

Code graphql_create(Api *api, const GraphqlLimits *limits, Error *err) {
  Graphql *graphql = ARENA_NEW(api->arena, Graphql);
  TRY_ALLOC(graphql);
  graphql->limits = *limits;
  TRY(graphql_schema_create(api->contract, api->arena, &graphql->schema, err));
  api->graphql = graphql;
  return CODE_OK;
}

static bool accepts(const Api *api, const HttpRequest *request) { return api->graphql != NULL && str_equal(request->path, GRAPHQL_PATH); }

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

static void begin_extensions(Errors *errors, Code code) {
  buf_add(errors->out, STR(",\"extensions\":{\"code\":"));
  json_write_string(errors->out, error_form(code)->name);
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
  begin_extensions(errors, problem->code);
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

static void add_root_problem(Errors *errors, const GraphqlRoot *root, const Problem *problem) {
  begin_error(errors, problem->detail.len > 0 ? problem->detail : error_form(problem->code)->title, &root->place, 1);
  buf_add(errors->out, STR(",\"path\":["));
  json_write_string(errors->out, root->name);
  buf_add_byte(errors->out, ']');
  add_problem(errors, problem);
}

static void add_mistakes(Errors *errors, const GraphqlMistakes *mistakes) {
  for (size_t i = 0; i < mistakes->list.count; i++) {
    const GraphqlMistake *mistake = &mistakes->list.items[i];
    begin_error(errors, mistake->message, mistake->places, mistake->place_count);
    begin_extensions(errors, mistake->code);
    end_error(errors);
  }
}

/* ---- answers ---- */

static Str content_type(const GraphqlState *state) {
  return state != NULL && state->request.is_strict ? STR("application/graphql-response+json; charset=utf-8")
                                                   : STR("application/json; charset=utf-8");
}

static void respond(ApiRequest *request, int status, const Buf *body) {
  Arena *arena = request->exchange->arena;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, GRAPHQL_HEADERS_MAX);
  if (body->failed != CODE_OK || headers == NULL) {
    bool is_large = body->failed == CODE_TOO_LARGE;
    problem_respond(problem_create(arena, is_large ? CODE_TOO_LARGE : CODE_UNAVAILABLE,
                                   is_large ? STR("the answer would be too large") : STR("out of memory")),
                    0, request->request_id, arena, &request->response);
    return;
  }
  headers[0] = (HttpHeader){STR("content-type"), content_type(request->face_state)};
  headers[1] = (HttpHeader){STR("vary"), STR("accept")};
  request->response = (HttpResponse){.status = status, .headers = headers, .header_count = 2, .body = buf_str(body)};
}

/* Before anything ran: there is no `data`. What a well-formed request says wrong in GraphQL is a 200 in application/json, for clients that
 * take every other status for a failure of the transport; limits are 400 in both. */
static void respond_mistakes(ApiRequest *request, const GraphqlState *state) {
  Buf body = buf_on(request->exchange->arena, request->api->limits.result_bytes_max);
  Errors errors = {.out = &body, .request_id = request->request_id};
  buf_add(&body, STR("{\"errors\":["));
  add_mistakes(&errors, &state->mistakes);
  buf_add(&body, STR("]}"));
  Code code = state->mistakes.list.items[0].code;
  bool is_limit = code == CODE_TOO_LARGE || code == CODE_METHOD_NOT_ALLOWED;
  if (state->mistakes.has_no_memory) body.failed = CODE_UNAVAILABLE;
  respond(request, state->request.is_strict || is_limit ? 400 : 200, &body);
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
  /* The problem's own headers (WWW-Authenticate, Allow, Retry-After), with a body of this face. */
  problem_respond(problem, 0, request->request_id, arena, &request->response);
  Buf body = buf_on(arena, request->api->limits.result_bytes_max);
  Errors errors = {.out = &body, .request_id = request->request_id};
  buf_add(&body, STR("{\"errors\":["));
  add_request_problem(&errors, problem);
  buf_add(&body, STR("]}"));
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, request->response.header_count);
  if (body.failed != CODE_OK || headers == NULL) return;
  for (size_t i = 0; i < request->response.header_count; i++) {
    headers[i] = request->response.headers[i];
    if (str_equal(headers[i].name, STR("content-type"))) headers[i].value = content_type(state);
  }
  request->response.headers = headers;
  request->response.body = buf_str(&body);
}

/* A read that found nothing is null without an error; a write that did not is one. */
static const Problem *root_problem(const GraphqlRun *run, const GraphqlRoot *root) {
  if (root->sink.base.row == NULL) return NULL;
  const Call *call = &run->calls[root->call];
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
      graphql_write_root(root, root->sink.base.row == NULL ? NULL : &run->calls[root->call].result, body);
  }
  buf_add_byte(body, '}');
}

static void encode(ApiRequest *request) {
  GraphqlState *state = request->face_state;
  const GraphqlRun *run = &state->run;
  Buf body = buf_on(request->exchange->arena, request->api->limits.result_bytes_max);
  Errors errors = {.out = &body, .request_id = request->request_id};
  bool is_mutation = run->operation->kind == GRAPHQL_MUTATION, is_null = false;
  const Problem *failed = NULL;
  buf_add_byte(&body, '{');
  for (size_t i = 0; i < run->root_count; i++) {
    const Problem *problem = root_problem(run, &run->roots[i]);
    if (problem == NULL) continue;
    if (errors.count == 0) buf_add(&body, STR("\"errors\":["));
    add_root_problem(&errors, &run->roots[i], problem);
    is_null = is_null || run->roots[i].is_required;
    failed = problem;
  }
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
  buf_add_byte(&body, '}');
  respond(request, 200, &body);
}

/* ---- decode ---- */

static Code refuse(ApiRequest *request, const Problem *problem) {
  request->problem = problem;
  return problem->code;
}

static Code no_memory(ApiRequest *request) {
  return refuse(request, problem_create(request->exchange->arena, CODE_UNAVAILABLE, STR("out of memory")));
}

static Code refuse_method(ApiRequest *request, Str allow, const char *detail) {
  Problem *problem = problem_new(request->exchange->arena, CODE_METHOD_NOT_ALLOWED, str_of(detail));
  if (problem == NULL) return no_memory(request);
  problem->allow = allow;
  return refuse(request, problem);
}

static Code answer_options(ApiRequest *request) {
  static const HttpHeader allow[] = {{STR_INIT("allow"), STR_INIT("GET, HEAD, POST, OPTIONS")}};
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
  for (size_t i = 0; i < state->document.operation_count; i++) {
    const GraphqlOperation *operation = &state->document.operations[i];
    bool is_it = name.len == 0 ? state->document.operation_count == 1 : str_equal(operation->name, name);
    if (is_it) run->operation = operation;
  }
  if (run->operation != NULL) return true;
  if (name.len == 0)
    graphql_mistake(&state->mistakes, CODE_BAD_REQUEST, NULL, 0, "The document has several operations: operationName must say which");
  else
    graphql_mistake(&state->mistakes, CODE_BAD_REQUEST, NULL, 0, "The document has no operation \"%.*s\"", STR_ARGS(name));
  return false;
}

static bool check_aliases(GraphqlState *state) {
  size_t max = state->run.limits->aliases_max;
  if (state->document.alias_count <= max) return true;
  graphql_mistake(&state->mistakes, CODE_TOO_LARGE, NULL, 0, "The document has more than %zu aliases (--graphql-aliases-max)", max);
  return false;
}

/* Parsed, valid, and its operation found. */
static bool read_document(GraphqlState *state, Arena *arena) {
  const GraphqlLimits *limits = state->run.limits;
  GraphqlParseLimits parse_limits = {limits->document_bytes_max, limits->tokens_max};
  if (!graphql_parse(state->request.query, &parse_limits, arena, &state->document, &state->mistakes)) return false;
  if (!check_aliases(state)) return false;
  graphql_validate(state->run.schema, &state->document, limits->has_introspection, &state->mistakes);
  if (graphql_is_refused(&state->mistakes)) return false;
  state->run.document = &state->document;
  return find_operation(state);
}

static Code decode_operation(ApiRequest *request, GraphqlState *state) {
  GraphqlRun *run = &state->run;
  if (!read_document(state, run->arena)) return answer_mistakes(request, state);
  bool is_get = request->exchange->request.method != HTTP_POST;
  if (is_get && run->operation->kind != GRAPHQL_QUERY) return refuse_method(request, STR("POST"), "A mutation must be sent with POST");
  if (run->operation->kind == GRAPHQL_SUBSCRIPTION) {
    graphql_mistake_at(&state->mistakes, run->operation->place, "Subscriptions are not served here");
    return answer_mistakes(request, state);
  }
  if (!graphql_variables(run, state->request.variables)) return answer_mistakes(request, state);
  if (!graphql_compile(run, request->caller, request->now_us)) return answer_mistakes(request, state);
  state->is_compiled = true;
  request->group.calls = run->calls;
  request->group.count = run->call_count;
  request->group.arena = run->arena;
  request->group.is_partial = run->operation->kind == GRAPHQL_QUERY;
  if (run->call_count > 0) return CODE_OK;
  encode(request);
  request->is_answered = true;
  return CODE_OK;
}

static Code decode(ApiRequest *request) {
  const HttpRequest *http = &request->exchange->request;
  Arena *arena = request->exchange->arena;
  if (http->method == HTTP_OPTIONS) return answer_options(request);
  GraphqlState *state = ARENA_NEW(arena, GraphqlState);
  if (state == NULL) return no_memory(request);
  bool is_acceptable = graphql_negotiate(http, &state->request.is_strict);
  request->face_state = state;
  if (http->method != HTTP_GET && http->method != HTTP_HEAD && http->method != HTTP_POST)
    return refuse_method(request, STR("GET, HEAD, POST, OPTIONS"), "A GraphQL request is sent with POST or GET");
  if (!is_acceptable)
    return refuse(request,
                  problem_create(arena, CODE_NOT_ACCEPTABLE, STR("The answer is application/json or application/graphql-response+json")));
  const Problem *problem = graphql_request_read(http, arena, &state->request);
  if (problem != NULL) return refuse(request, problem);
  const Graphql *graphql = request->api->graphql;
  state->mistakes = graphql_mistakes_on(arena);
  state->run = (GraphqlRun){
      .api = request->api, .schema = graphql->schema, .limits = &graphql->limits, .arena = arena, .mistakes = &state->mistakes};
  return decode_operation(request, state);
}

const Face graphql_face = {
    .name = STR_INIT("graphql"), .accepts = accepts, .decode = decode, .encode = encode, .encode_problem = encode_problem};
