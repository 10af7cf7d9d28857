/* request.c - the life of a request. The table of steps is the architecture: each step either lets the next one run, waits, or ends the
 * request with an answer. */
#include "server/request.h"

#include <stdatomic.h>
#include <time.h>

#include "api/error_map.h"
#include "api/problem_json.h"
#include "server/compress.h"
#include "server/cors.h"
#include "server/explain.h"
#include "server/freshness.h"
#include "server/log_target.h"
#include "server/pages.h"
#include "server/vary.h"
#include "server/version.h"

typedef enum StepOutcome { STEP_NEXT = 0, STEP_WAITING, STEP_ANSWERED, STEP_REFUSED, STEP_STREAMED } StepOutcome;

typedef struct RequestStep {
  const char *name;
  StepOutcome (*run)(Request *request);
} RequestStep;

static int64_t monotonic_us(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- The steps ---- */

/* RFC 6750 §3: the challenge is its error code; the detail becomes its description. */
static const Problem *bad_token(Request *request, Str challenge, const Error *err) {
  Arena *arena = request->api.exchange->arena;
  Problem *problem = ARENA_NEW(arena, Problem);
  if (problem == NULL) return problem_no_memory(arena);
  *problem = (Problem){.code = CODE_UNAUTHENTICATED, .detail = arena_str(arena, str_of(err->text)), .operation = -1};
  problem->challenge = challenge;
  return problem;
}

/* Who the token says is calling, with what the connection's certificate says. NULL when memory is out. */
static const Caller *caller_of(const Request *request) {
  const Caller *known = identity_caller(request->identity);
  const HttpExchange *exchange = request->api.exchange;
  if (exchange->request.certificate.len == 0) return known;
  Caller *caller = ARENA_NEW(exchange->arena, Caller);
  JsonValue *certificate = ARENA_NEW(exchange->arena, JsonValue);
  if (caller == NULL || certificate == NULL) return NULL;
  *certificate = (JsonValue){.type = JSON_STRING, .text = exchange->request.certificate};
  *caller = *known;
  caller->certificate = certificate;
  return caller;
}

static StepOutcome step_authenticate(Request *request) {
  Error err;
  Str challenge = STR("invalid_token");
  Code code = authenticator_identify(request->worker->authenticator, request->authorization, request->api.now_us, &request->identity,
                                     &challenge, &err);
  if (code != CODE_OK) {
    Arena *arena = request->api.exchange->arena;
    request->api.problem = code == CODE_UNAUTHENTICATED ? bad_token(request, challenge, &err) : problem_from_error(arena, &err);
    return STEP_REFUSED;
  }
  const Caller *caller = caller_of(request);
  if (caller == NULL) {
    request->api.problem = problem_no_memory(request->api.exchange->arena);
    return STEP_REFUSED;
  }
  request->api.caller = caller;
  request->api.expires_us = identity_expires_us(request->identity);
  return STEP_NEXT;
}

/* RFC 8441 §5: an answer of 200 would say that it is what was asked for. */
static bool is_tunnel_elsewhere(const ApiRequest *api) {
  return api->exchange->request.protocol.ptr != NULL && (api->face == NULL || !api->face->has_websocket);
}

static StepOutcome step_decode(Request *request) {
  ApiRequest *api = &request->api;
  if (request->version_problem != NULL) {
    api->problem = request->version_problem;
    return STEP_REFUSED;
  }
  if (api->face == NULL || is_tunnel_elsewhere(api)) {
    api->problem = problem_create(api->exchange->arena, CODE_NOT_FOUND, STR("There is nothing at this path"));
    return STEP_REFUSED;
  }
  const GenerationVersion *version = &request->serving->generation->versions[request->version];
  bool is_counted = api->face->method != NULL;
  if (is_counted) request->route = generation_method_route(version, api->face, &api->exchange->request);
  if (api->face->decode(api) != CODE_OK) return STEP_REFUSED;
  if (api->is_answered) return STEP_ANSWERED;
  if (api->is_batch || is_counted || api->group.count == 0) return STEP_NEXT;
  const Operation *last = &api->group.calls[api->group.count - 1].operation;
  bool has_key =
      last->action == ACTION_GET || last->action == ACTION_UPDATE || last->action == ACTION_REPLACE || last->action == ACTION_DELETE;
  request->route = generation_route(version, last->resource, has_key);
  return STEP_NEXT;
}

/* The problem of the call that refused. */
static StepOutcome refused_by_call(Request *request) {
  const CallGroup *group = &request->api.group;
  for (size_t i = 0; i < group->count && request->api.problem == NULL; i++) request->api.problem = group->calls[i].result.problem;
  if (request->api.problem == NULL)
    request->api.problem = problem_create(request->api.exchange->arena, CODE_INTERNAL, STR("The request failed without a reason"));
  return STEP_REFUSED;
}

static void answer(Request *request);

/* Instead of what it asks for the request is told what would come of it. */
static StepOutcome step_explain(Request *request) {
  if (request_may_explain(request, &request->api.problem) != CODE_OK) return STEP_REFUSED;
  request_explain(request, answer);
  return STEP_WAITING;
}

static StepOutcome step_authorize(Request *request) {
  if (request->worker->shared->config->store_replica.count > 0) {
    request->freshness.seen = freshness_of(&request->api.exchange->request);
    request->api.group.freshness = &request->freshness;
  }
  bool has_calls = request->api.group.count > 0;
  if (request->prefer.ptr != NULL && has_calls && request_asks_explanation(request)) return step_explain(request);
  return engine_authorize(request->api.engine, &request->api.group) == CODE_OK ? STEP_NEXT : refused_by_call(request);
}

/* A stream takes over: it answers by itself, when it likes. */
static StepOutcome step_stream(Request *request) {
  if (request->api.stream == NULL) return STEP_NEXT;
  request->api.stream(&request->api);
  return STEP_STREAMED;
}

static StepOutcome step_plan(Request *request) {
  return engine_plan(request->api.engine, &request->api.group) == CODE_OK ? STEP_NEXT : refused_by_call(request);
}

/* Early, while a refusal is cheap: what the store would not come to in good time only takes the place of others. */
static StepOutcome step_admit(Request *request) {
  ApiRequest *api = &request->api;
  if (engine_has_room(api->engine, &api->group, api->exchange->beside)) return STEP_NEXT;
  api->problem = problem_create(api->exchange->arena, CODE_UNAVAILABLE, STR("Too much is waiting for the store"));
  atomic_fetch_add_explicit(&request->worker->shared->http.requests_shed, 1, memory_order_relaxed);
  return STEP_REFUSED;
}

static void run_steps(Request *request);

static void executed(CallGroup *group) {
  Request *request = group->context;
  request->is_executed = true;
  if (!request->is_executing) run_steps(request);
}

static StepOutcome step_execute(Request *request) {
  if (request->is_executed) return STEP_NEXT;
  request->api.group.done = executed;
  request->api.group.context = request;
  request->api.group.is_abandoned = &request->api.exchange->is_cancelled;
  request->is_executing = true;
  engine_execute(request->api.engine, &request->api.group);
  request->is_executing = false;
  return request->is_executed ? STEP_NEXT : STEP_WAITING;
}

static StepOutcome step_encode(Request *request) {
  request->api.face->encode(&request->api);
  return STEP_ANSWERED;
}

static const RequestStep steps[REQUEST_STEP_COUNT] = {
    {"authenticate", step_authenticate},
    {"decode", step_decode},
    {"authorize", step_authorize},
    {"stream", step_stream},
    {"plan", step_plan},
    {"admit", step_admit},
    {"execute", step_execute},
    {"encode", step_encode},
};

/* ---- Answering ---- */

void request_refuse(Request *request, const Problem *problem, int status) {
  ApiRequest *api = &request->api;
  api->problem = problem;
  if (api->face != NULL && status == 0)
    api->face->encode_problem(api);
  else
    problem_respond(problem, status, api->request_id, api->exchange->arena, &api->response);
}

/* Server-Timing (W3C): durations in milliseconds. */
static Str server_timing(const Request *request) {
  Buf out = buf_on(request->api.exchange->arena, 512);
  int64_t begin = request->api.exchange->started_us;
  for (size_t i = 0; i < REQUEST_STEP_COUNT && request->step_ends_us[i] != 0; i++) {
    int64_t us = request->step_ends_us[i] - begin;
    buf_printf(&out, "%s%s;dur=%lld.%03lld", i == 0 ? "" : ", ", steps[i].name, (long long)(us / 1000), (long long)(us % 1000));
    begin = request->step_ends_us[i];
  }
  return buf_str(&out);
}

/* RFC 6797 §6.1. */
static Str hsts(const Request *request) {
  uint64_t seconds = request->worker->shared->config->hsts_ms / 1000;
  return arena_printf(request->api.exchange->arena, "max-age=%llu", (unsigned long long)seconds);
}

/* The answer's own headers, then those that every answer has; `is_begun`: its body comes piece by piece. Without memory for them the answer
 * goes out as it is. */
static void add_common_headers(Request *request, bool is_begun, HttpResponse *response) {
  const ServeConfig *config = request->worker->shared->config;
  HttpHeader *headers =
      arena_alloc(request->api.exchange->arena,
                  (response->header_count + 4 + COMPRESS_HEADERS_MAX + CORS_HEADERS_MAX + FRESHNESS_HEADERS_MAX) * sizeof *headers);
  if (headers == NULL) return;
  size_t count = response->header_count;
  if (count > 0) memcpy(headers, response->headers, count * sizeof *headers);
  HttpExchange *exchange = request->api.exchange;
  count = is_begun ? compress_stream(config->compress_bytes_min, exchange, headers, count)
                   : compress_answer(config->compress_bytes_min, &exchange->request, exchange->arena, response, headers, count);
  headers[count++] = (HttpHeader){STR("x-request-id"), request->trace.request_id};
  headers[count++] = (HttpHeader){STR("traceparent"), {request->trace.traceparent, TRACEPARENT_LEN}};
  if (request->is_version_by_header) headers[count++] = (HttpHeader){STR("vary"), STR("Accept, API-Version")};
  if (config->has_server_timing && request->step_ends_us[0] != 0)
    headers[count++] = (HttpHeader){STR("server-timing"), server_timing(request)};
  if (request->freshness.written != 0)
    count += freshness_headers(request->freshness.written, request->api.exchange->arena, headers + count);
  if (config->hsts_ms != 0) headers[count++] = (HttpHeader){STR("strict-transport-security"), hsts(request)};
  if (config->cors_origin.count > 0) count += cors_headers(config->cors_origin, request->origin, headers + count);
  response->headers = headers;
  response->header_count = vary_join(headers, count, exchange->arena);
}

static void answer(Request *request) {
  add_common_headers(request, false, &request->api.response);
  http_respond(request->api.exchange, &request->api.response);
}

static void stream_respond(ApiRequest *api) { answer((Request *)api); }

static void stream_begin(ApiRequest *api) {
  Request *request = (Request *)api;
  add_common_headers(request, true, &api->response);
  request->begun_us = monotonic_us();
  http_begin(api->exchange, &api->response);
}

static void leave_contract(ApiRequest *api) {
  Request *request = (Request *)api;
  if (request->serving == NULL) return;
  worker_serving_release(request->worker, request->serving);
  request->worker->loose_count++;
  request->serving = NULL;
  request->route = ROUTE_OTHER;
  api->api = NULL;
  api->engine = NULL;
}

static bool is_known(ApiRequest *api, Str authorization) {
  Authenticator *authenticator = ((Request *)api)->worker->authenticator;
  Identity *identity = NULL;
  Str challenge;
  Error err;
  Code code = authenticator_identify(authenticator, authorization, loop_wall_us(api->exchange->loop), &identity, &challenge, &err);
  identity_release(code == CODE_OK ? identity : NULL);
  return code == CODE_OK;
}

static bool is_of_friend(ApiRequest *api) {
  const Request *request = (const Request *)api;
  return cors_is_friend(request->worker->shared->config->cors_origin, request->origin, api->exchange->request.authority);
}

static void run_steps(Request *request) {
  bool is_timed = request->worker->shared->config->has_server_timing;
  while (request->step < REQUEST_STEP_COUNT) {
    StepOutcome outcome = steps[request->step].run(request);
    if (outcome == STEP_WAITING || outcome == STEP_STREAMED) return;
    if (is_timed) request->step_ends_us[request->step] = monotonic_us();
    if (outcome == STEP_REFUSED) request_refuse(request, request->api.problem, 0);
    if (outcome != STEP_NEXT) break;
    request->step++;
  }
  answer(request);
}

/* ---- The protocol's side ---- */

/* The few headers that every request is asked for, in one pass. */
static void read_headers(Request *request, const HttpRequest *http) {
  static const struct {
    Str name;
    size_t offset;
  } wanted[] = {
      {STR_INIT("authorization"), offsetof(Request, authorization)},
      {STR_INIT("x-request-id"), offsetof(Request, given_request_id)},
      {STR_INIT("traceparent"), offsetof(Request, given_traceparent)},
      {STR_INIT("origin"), offsetof(Request, origin)},
      {STR_INIT("accept"), offsetof(Request, accept)},
      {STR_INIT("prefer"), offsetof(Request, prefer)},
      {STR_INIT("api-version"), offsetof(Request, api_version)},
  };
  for (size_t i = 0; i < http->header_count; i++) {
    const HttpHeader *header = &http->headers[i];
    for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++) {
      Str *member = (Str *)((char *)request + wanted[k].offset);
      if (member->ptr == NULL && str_equal(header->name, wanted[k].name)) *member = header->value;
    }
  }
}

/* NULL when memory is out. */
static Request *request_begin(Worker *worker, HttpExchange *exchange) {
  if (exchange->user != NULL) return exchange->user;
  Request *request = ARENA_NEW(exchange->arena, Request);
  if (request == NULL) return NULL;
  request->worker = worker;
  request->serving = worker_serving_acquire(worker);
  request->route = ROUTE_OTHER;
  read_headers(request, &exchange->request);
  trace_init(&request->trace, &worker->ids, request->given_request_id, request->given_traceparent);
  request->api = (ApiRequest){.exchange = exchange,
                              .caller = identity_caller(NULL),
                              .group = {.arena = exchange->arena},
                              .request_id = request->trace.request_id,
                              .now_us = loop_wall_us(exchange->loop),
                              .respond = stream_respond,
                              .begin = stream_begin,
                              .leave_contract = leave_contract,
                              .is_known = is_known,
                              .is_of_friend = is_of_friend};
  version_choose(request);
  exchange->user = request;
  return request;
}

static void answer_without_memory(HttpExchange *exchange) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("application/problem+json")},
                                       {STR_INIT("retry-after"), STR_INIT("1")}};
  HttpResponse response = {.status = 503,
                           .headers = headers,
                           .header_count = 2,
                           .body = STR("{\"type\":\"/problems/unavailable\",\"title\":\"The service is "
                                       "unavailable\",\"status\":503,\"code\":\"UNAVAILABLE\",\"detail\":\"out of memory\"}")};
  http_respond(exchange, &response);
}

/* A face that takes the body in pieces must have been asked before they come: without memory for that the request ends here. What nobody
 * serves is refused whatever its body. */
static HttpBodyMode on_head(void *context, HttpExchange *exchange) {
  Worker *worker = context;
  if (exchange->request.method == HTTP_GET || exchange->request.method == HTTP_HEAD) return HTTP_BODY_BUFFERED;
  Request *request = request_begin(worker, exchange);
  const Face *face = request == NULL ? NULL : api_face(request->api.api, &exchange->request);
  if (request == NULL || (face == NULL && !version_complete_path(request))) {
    answer_without_memory(exchange);
    return HTTP_BODY_BUFFERED;
  }
  if (face == NULL) face = request->api.face;
  if (face == NULL) return HTTP_BODY_STREAMED;
  if (face->body_bytes_max != NULL) {
    exchange->body_bytes_max = face->body_bytes_max(request->api.api, &exchange->request);
    exchange->body_option = face->body_option;
  }
  return face->is_body_streamed != NULL && face->is_body_streamed(&request->api) ? HTTP_BODY_STREAMED : HTTP_BODY_BUFFERED;
}

static void on_request(void *context, HttpExchange *exchange) {
  Worker *worker = context;
  Request *request = request_begin(worker, exchange);
  if (request == NULL) {
    answer_without_memory(exchange);
    return;
  }
  ApiRequest *api = &request->api;
  if (cors_preflight(worker->shared->config->cors_origin, &exchange->request, request->origin, exchange->arena, &api->response)) {
    answer(request);
    return;
  }
  api->face = api_face(api->api, &exchange->request);
  if (api->face == NULL && exchange->request.protocol.ptr == NULL && page_answer(request)) {
    request->route = ROUTE_OPERATIONS;
    answer(request);
    return;
  }
  if (api->face == NULL && !version_complete_path(request)) {
    answer_without_memory(exchange);
    return;
  }
  run_steps(request);
}

static void on_refuse(void *context, HttpExchange *exchange, int status, Code code, Str detail, HttpResponse *ret) {
  Request *request = request_begin(context, exchange);
  const Problem *problem = problem_create(exchange->arena, code, detail);
  const Face *face = request == NULL ? NULL : api_face(request->api.api, &exchange->request);
  if (face != NULL && face->refuse != NULL)
    face->refuse(&request->api, problem, ret);
  else
    problem_respond(problem, status, request != NULL ? request->api.request_id : (Str){NULL, 0}, exchange->arena, ret);
  if (request == NULL) return;
  request->api.problem = problem;
  add_common_headers(request, false, ret);
}

static Str protocol_name(int version) { return version == 20 ? STR("HTTP/2") : version == 11 ? STR("HTTP/1.1") : STR("HTTP/1.0"); }

static void write_log(Worker *worker, const Request *request, int64_t duration_us) {
  const HttpExchange *exchange = request->api.exchange;
  const Caller *caller = request->api.caller;
  AccessEntry entry = {
      .time_us = loop_wall_us(exchange->loop),
      .duration_us = duration_us,
      .method = exchange->request.method_text,
      .target = log_target(exchange->request.target, exchange->arena),
      .protocol = exchange->request.version == 0 ? (Str){NULL, 0} : protocol_name(exchange->request.version),
      .peer = exchange->request.peer,
      .request_id = request->trace.request_id,
      .trace_id = trace_id(&request->trace),
      .status = exchange->status,
      .bytes_in = exchange->bytes_in,
      .bytes_out = exchange->bytes_out,
  };
  if (caller->id.type == VALUE_TEXT)
    entry.caller = caller->id.text;
  else if (caller->certificate != NULL)
    entry.caller = caller->certificate->text;
  if (request->api.problem != NULL) entry.code = code_name(request->api.problem->code);
  access_log_add(worker->log, &entry);
}

static void on_finished(void *context, HttpExchange *exchange) {
  Worker *worker = context;
  Request *request = exchange->user;
  if (request == NULL) return;
  /* How long a watch was open says nothing of the server. */
  int64_t ended_us = exchange->is_long && request->begun_us != 0 ? request->begun_us : monotonic_us();
  int64_t duration_us = ended_us - exchange->started_us;
  /* Where the status stands in trailers, HTTP's own says nothing. */
  const ApiRequest *api = &request->api;
  bool is_in_trailers = api->problem != NULL && api->face != NULL && api->face->has_status_in_trailers && exchange->status == 200;
  int status = is_in_trailers ? error_form(api->problem->code)->http_status : exchange->status;
  const Serving *serving = request->serving != NULL ? request->serving : worker->serving;
  request_metrics_count(serving->generation->metrics[worker->index], request->route, exchange->request.method, status, duration_us);
  if (worker->log != NULL) write_log(worker, request, duration_us);
  identity_release(request->identity);
  if (request->serving != NULL)
    worker_serving_release(worker, request->serving);
  else
    worker->loose_count--;
  request->serving = NULL;
}

HttpHandler request_handler(Worker *worker) {
  return (HttpHandler){.head = on_head, .request = on_request, .refuse = on_refuse, .finished = on_finished, .context = worker};
}
