/* graphql_single.c - the requests of the single connection mode. A stream and its operations may be on different loops, which only
 * api/graphql_streams.h knows; here everything is on the loop of its own request. An operation is a request within the one that asks for it
 * (http/inner_exchange.h), and outlives it: that one is answered as soon as it is known whether the operation is refused. */
#include "api/graphql_single.h"

#include "api/event_stream.h"
#include "api/graphql_inner.h"
#include "api/graphql_streams.h"
#include "api/problem_json.h"
#include "codec/json.h"

enum { OPERATION_ID_BYTES_MAX = 256, OWNER_BYTES_MAX = 64 * 1024, REFUSAL_HEADERS_MAX = 8 };

static const Str TOKEN_HEADER = STR_INIT("x-graphql-event-stream-token");

/* What a request of this mode has under way: the stream that it reads, or the operation that it has asked for. */
typedef struct Single {
  ApiRequest *request;
  GraphqlStream *stream; /* held by the arena of the request */
  /* The reader's. */
  LoopTimer *heartbeat;
  bool is_full, is_quiet, is_over;
  /* Of the operation that the request waits for; NULL: of none (any more). */
  struct SingleOperation *operation;
} Single;

/* On the arena of its own exchange. */
typedef struct SingleOperation {
  Single *asked; /* NULL: it was answered */
  HttpExchange *exchange;
  GraphqlStreamOperation *joined;
  GraphqlStream *stream;
  LoopTimer *expiry; /* while nobody reads the stream; NULL: somebody does */
  Str id;            /* as JSON */
} SingleOperation;

static Code refuse(ApiRequest *request, const Problem *problem) {
  request->problem = problem;
  return problem->code;
}

static Code refuse_with(ApiRequest *request, Code code, const char *detail) {
  return refuse(request, problem_create(request->exchange->arena, code, str_of(detail)));
}

static Code no_memory(ApiRequest *request) { return refuse_with(request, CODE_UNAVAILABLE, "out of memory"); }

static void respond_problem(ApiRequest *request) {
  request->face->encode_problem(request);
  request->respond(request);
}

static uint64_t now_ms(const ApiRequest *request) { return loop_now_ms(request->exchange->loop); }

/* ---- Whose a stream is ---- */

/* What a caller is known by: whoever comes with another token of the same subject is the same. Without a subject the claims themselves say
 * who it is. */
static bool owner_of(const ApiRequest *request, GraphqlStreamOwner *ret) {
  const Caller *caller = request->caller;
  Buf out = buf_on(request->exchange->arena, OWNER_BYTES_MAX);
  bool has_id = caller->id.type == VALUE_TEXT;
  buf_add(&out, !caller->is_authenticated ? STR("stranger ") : has_id ? STR("subject ") : STR("claims "));
  if (has_id)
    json_write_string(&out, caller->id.text);
  else if (caller->claims != NULL)
    json_write(&out, caller->claims);
  *ret = (GraphqlStreamOwner){.who = buf_str(&out), .certificate = request->exchange->request.certificate};
  return out.failed == CODE_OK;
}

static Str token_of(const ApiRequest *request) {
  const HttpRequest *http = &request->exchange->request;
  Str token = http_request_header(http, TOKEN_HEADER);
  return token.ptr != NULL ? token : graphql_request_parameter(http, STR("token"), request->exchange->arena);
}

/* `is_ticket`: a browser's EventSource can say nothing but the token, which is what a reservation is for; a certificate it shows as ever.
 */
static Code find_stream(ApiRequest *request, GraphqlState *state, Str token, bool is_ticket) {
  Arena *arena = request->exchange->arena;
  GraphqlStreams *streams = graphql_of(request->api)->streams;
  Single *single = ARENA_NEW(arena, Single);
  GraphqlStreamOwner owner;
  if (single == NULL || !owner_of(request, &owner)) return no_memory(request);
  if (is_ticket && !request->caller->is_authenticated) owner.who = (Str){NULL, 0};
  *single = (Single){.request = request, .stream = graphql_stream_find(streams, token, &owner, now_ms(request))};
  if (single->stream == NULL) return refuse_with(request, CODE_NOT_FOUND, "There is no such event stream: PUT reserves one");
  if (!arena_defer(arena, (ArenaDeferFn *)graphql_stream_release, single->stream)) {
    graphql_stream_release(single->stream);
    return no_memory(request);
  }
  state->single = single;
  return CODE_OK;
}

/* ---- PUT ---- */

static Code reserve(ApiRequest *request) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("text/plain; charset=utf-8")},
                                       {STR_INIT("cache-control"), STR_INIT("no-store")}};
  Arena *arena = request->exchange->arena;
  Str accept = http_request_header(&request->exchange->request, STR("accept")), token;
  GraphqlStreamOwner owner;
  Error err = {0};
  if (accept_weight(accept, STR("text/plain")) == 0) return refuse_with(request, CODE_NOT_ACCEPTABLE, "The answer is text/plain: a token");
  if (!owner_of(request, &owner)) return no_memory(request);
  Code code = graphql_stream_reserve(graphql_of(request->api)->streams, &owner, now_ms(request), arena, &token, &err);
  if (code != CODE_OK) return refuse(request, problem_from_error(arena, &err));
  request->response = (HttpResponse){.status = 201, .headers = headers, .header_count = 2, .body = token};
  request->is_answered = true;
  return CODE_OK;
}

/* ---- DELETE ---- */

static Code stop(ApiRequest *request, GraphqlState *state, Str token) {
  Str id = graphql_request_parameter(&request->exchange->request, STR("operationId"), request->exchange->arena);
  Code code = find_stream(request, state, token, false);
  if (code != CODE_OK) return code;
  if (id.len == 0) return refuse_with(request, CODE_BAD_REQUEST, "Which operation is to stop is said by ?operationId=");
  graphql_stream_stop(state->single->stream, id);
  request->response = (HttpResponse){.status = 200};
  request->is_answered = true;
  return CODE_OK;
}

/* ---- GET: the reader ---- */

static Single *single_of(HttpExchange *exchange) {
  const GraphqlState *state = ((const ApiRequest *)exchange->user)->face_state;
  return state->single;
}

static void leave(Single *single) {
  single->is_over = true;
  loop_timer_destroy(single->heartbeat);
  single->heartbeat = NULL;
  graphql_stream_close(single->stream);
}

static void write_to(Single *single, Str bytes) {
  single->is_quiet = false;
  if (!http_write(single->request->exchange, bytes)) single->is_full = true;
}

static void pump(void *context) {
  Single *single = context;
  if (single->is_over || single->is_full) return;
  Buf taken;
  GraphqlStreamState state = graphql_stream_take(single->stream, &taken);
  if (taken.len > 0) write_to(single, buf_str(&taken));
  buf_done(&taken);
  if (state == GRAPHQL_STREAM_GOES_ON || single->is_over) return;
  leave(single);
  /* What is missing must be seen to be missing. */
  if (state == GRAPHQL_STREAM_CUT)
    http_abort(single->request->exchange);
  else
    http_end(single->request->exchange, NULL, 0);
}

static void on_heartbeat(void *context) {
  Single *single = context;
  bool is_quiet = single->is_quiet && !single->is_full;
  single->is_quiet = true;
  if (!is_quiet) return;
  write_to(single, STR(":\n\n"));
  single->is_quiet = true;
}

static void on_writable(HttpExchange *exchange) {
  Single *single = single_of(exchange);
  single->is_full = false;
  pump(single);
}

static void on_reader_gone(HttpExchange *exchange) {
  Single *single = single_of(exchange);
  if (single->is_over) return;
  leave(single);
  http_abort(exchange);
}

static void on_drain(HttpExchange *exchange) {
  Single *single = single_of(exchange);
  if (!single->is_over) graphql_stream_drain(single->stream);
}

static void start_reader(ApiRequest *request) {
  HttpExchange *exchange = request->exchange;
  Single *single = single_of(exchange);
  GraphqlStreamReader reader = {.loop = exchange->loop, .wake = pump, .context = single};
  Code code = loop_timer_create(exchange->loop, on_heartbeat, single, &single->heartbeat, NULL);
  if (code != CODE_OK) single->heartbeat = NULL;
  if (code == CODE_OK) code = graphql_stream_open(single->stream, &reader);
  if (code != CODE_OK) {
    loop_timer_destroy(single->heartbeat);
    (void)refuse_with(request, code,
                      code == CODE_CONFLICT    ? "The stream is being read already"
                      : code == CODE_NOT_FOUND ? "The event stream is over: PUT reserves another"
                                               : "out of memory");
    respond_problem(request);
    return;
  }
  exchange->on_writable = on_writable;
  exchange->on_cancel = on_reader_gone;
  exchange->on_drain = on_drain;
  uint32_t heartbeat_ms = graphql_streams_limits(graphql_of(request->api)->streams)->heartbeat_ms;
  loop_timer_start(single->heartbeat, heartbeat_ms, heartbeat_ms);
  if (!event_stream_begin(request)) {
    leave(single);
    http_abort(exchange);
    return;
  }
  request->leave_contract(request);
  /* Some browsers take an answer for begun only once something has come. */
  if (!single->is_over) write_to(single, STR(":\n\n"));
}

static Code read_stream(ApiRequest *request, GraphqlState *state, Str token) {
  if (!state->request.can_stream)
    return refuse(request, problem_with_hint(request->exchange->arena, CODE_NOT_ACCEPTABLE, STR("A stream's answer is text/event-stream"),
                                             STR("Accept: text/event-stream")));
  Code code = find_stream(request, state, token, true);
  if (code == CODE_OK) request->stream = start_reader;
  return code;
}

/* ---- POST: an operation ---- */

static bool send_result(const SingleOperation *operation, Str result) {
  Str parts[] = {STR("event: next\ndata: {\"id\":"), operation->id, STR(",\"payload\":"), result, STR("}\n\n")};
  return graphql_stream_send(operation->joined, parts, sizeof parts / sizeof *parts);
}

static void send_complete(const SingleOperation *operation) {
  Str parts[] = {STR("event: complete\ndata: {\"id\":"), operation->id, STR("}\n\n")};
  (void)graphql_stream_send(operation->joined, parts, sizeof parts / sizeof *parts);
}

static void end_operation(SingleOperation *operation) {
  loop_timer_destroy(operation->expiry);
  operation->expiry = NULL;
  graphql_stream_leave(operation->joined);
}

/* The request that waits for it, once. NULL: it was answered. */
static ApiRequest *take_asked(SingleOperation *operation) {
  Single *asked = operation->asked;
  operation->asked = NULL;
  if (asked == NULL) return NULL;
  asked->operation = NULL;
  return asked->request;
}

static void answer(SingleOperation *operation, int status) {
  ApiRequest *request = take_asked(operation);
  if (request == NULL) return;
  request->response = (HttpResponse){.status = status};
  request->respond(request);
}

/* What the refusal of a request within another says to its client; all else the outer one's answer has by itself. */
static bool is_of_refusal(Str name) {
  static const Str names[] = {STR_INIT("content-type"), STR_INIT("www-authenticate"), STR_INIT("retry-after"), STR_INIT("allow")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (str_equal_ignore_case(name, names[i])) return true;
  }
  return false;
}

static void answer_refused(SingleOperation *operation, const HttpResponse *refusal) {
  ApiRequest *request = take_asked(operation);
  if (request == NULL) return;
  Arena *arena = request->exchange->arena;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, REFUSAL_HEADERS_MAX);
  Str body = arena_str(arena, refusal->body);
  size_t count = 0;
  for (size_t i = 0; headers != NULL && i < refusal->header_count && count < REFUSAL_HEADERS_MAX; i++) {
    if (is_of_refusal(refusal->headers[i].name))
      headers[count++] = (HttpHeader){arena_str(arena, refusal->headers[i].name), arena_str(arena, refusal->headers[i].value)};
  }
  request->response = (HttpResponse){.status = refusal->status, .headers = headers, .header_count = count, .body = body};
  request->respond(request);
}

/* An operation that ran is accepted, whatever came of it; one that was refused is so as over plain HTTP. */
static void on_respond(void *context, const HttpResponse *response) {
  SingleOperation *operation = context;
  bool has_run = response->status == 200;
  if (has_run) {
    (void)send_result(operation, response->body);
    send_complete(operation);
  }
  end_operation(operation);
  if (has_run)
    answer(operation, 202);
  else
    answer_refused(operation, response);
}

static void on_begin(void *context) {
  SingleOperation *operation = context;
  graphql_stream_begun(operation->joined);
  answer(operation, 202);
}

static bool on_write(void *context, Str bytes) { return send_result(context, bytes); }

static void on_end(void *context, bool is_whole) {
  SingleOperation *operation = context;
  if (!is_whole)
    (void)send_result(operation, STR("{\"errors\":[{\"message\":\"The operation was cut\",\"extensions\":{\"code\":\"UNAVAILABLE\"}}]}"));
  send_complete(operation);
  end_operation(operation);
  answer(operation, 202);
}

static const HttpInnerEvents operation_events = {.respond = on_respond, .begin = on_begin, .write = on_write, .end = on_end};

/* Nobody wants its results any more. */
static void stop_operation(SingleOperation *operation) {
  http_inner_cancel(operation->exchange);
  send_complete(operation);
  end_operation(operation);
}

static const char *why_not(Code code) {
  switch (code) {
    case CODE_CONFLICT: return "The stream has an operation of this operationId";
    case CODE_RATE_LIMITED:
      return "The stream has too many operations under way (--graphql-sse-operations-max), or its reader is behind or soon will be "
             "(--graphql-sse-buffer-max)";
    case CODE_NOT_FOUND: return "The event stream is over: PUT reserves another";
    default: return "The event stream takes no more operations";
  }
}

/* Before it is known what will come of it. */
static void answer_over(SingleOperation *operation) {
  ApiRequest *request = take_asked(operation);
  if (request == NULL) return;
  (void)refuse_with(request, CODE_NOT_FOUND, why_not(CODE_NOT_FOUND));
  respond_problem(request);
}

static void on_wake(void *context, GraphqlStreamNews news) {
  SingleOperation *operation = context;
  if (news == GRAPHQL_STREAM_HAS_ROOM) {
    http_inner_writable(operation->exchange);
    return;
  }
  stop_operation(operation);
  if (news == GRAPHQL_STREAM_STOP)
    answer(operation, 204);
  else
    answer_over(operation);
}

static void on_expiry(void *context) {
  const SingleOperation *operation = context;
  graphql_stream_expire(operation->stream, loop_now_ms(operation->exchange->loop));
}

/* Its client left before it was answered, and does not know that it runs. */
static void on_asker_gone(HttpExchange *exchange) {
  SingleOperation *operation = single_of(exchange)->operation;
  if (operation == NULL) return;
  (void)take_asked(operation);
  stop_operation(operation);
  http_abort(exchange);
}

/* False without memory. */
static bool fill_operation(const Single *single, HttpExchange *exchange, SingleOperation *operation) {
  const GraphqlState *state = single->request->face_state;
  const HttpRequest *outer = &single->request->exchange->request;
  HttpRequest *request = &exchange->request;
  Buf id = buf_on(exchange->arena, (size_t)6 * OPERATION_ID_BYTES_MAX + 2);
  json_write_string(&id, state->request.operation_id);
  *operation = (SingleOperation){.exchange = exchange, .stream = single->stream, .id = buf_str(&id)};
  request->method = outer->method;
  request->method_text = outer->method == HTTP_GET ? STR("GET") : STR("POST");
  if (outer->method == HTTP_GET)
    request->query = arena_str(exchange->arena, outer->query);
  else
    request->body = arena_str(exchange->arena, outer->body);
  bool has_text = outer->method == HTTP_GET ? request->query.ptr != NULL : request->body.ptr != NULL;
  return id.failed == CODE_OK && has_text;
}

/* As long as nobody reads the stream its time runs out by itself. */
static bool watch_expiry(SingleOperation *operation) {
  Loop *loop = operation->exchange->loop;
  uint32_t left_ms = graphql_stream_left_ms(operation->stream, loop_now_ms(loop));
  if (left_ms == 0) return true;
  if (loop_timer_create(loop, on_expiry, operation, &operation->expiry, NULL) != CODE_OK) return operation->expiry = NULL, false;
  loop_timer_start(operation->expiry, left_ms, 0);
  return true;
}

static void start_operation(ApiRequest *request) {
  Single *single = single_of(request->exchange);
  const GraphqlState *state = request->face_state;
  HttpExchange *exchange = graphql_inner_create(request->exchange, STR("application/graphql-response+json, text/event-stream;q=0.1"));
  SingleOperation *operation = exchange == NULL ? NULL : ARENA_NEW(exchange->arena, SingleOperation);
  Code code = operation == NULL || !fill_operation(single, exchange, operation) ? CODE_UNAVAILABLE : CODE_OK;
  GraphqlStreamWriter writer = {.loop = request->exchange->loop, .wake = on_wake, .context = operation};
  if (code == CODE_OK) code = graphql_stream_join(single->stream, state->request.operation_id, &writer, &operation->joined);
  if (code == CODE_OK && !watch_expiry(operation)) {
    code = CODE_UNAVAILABLE;
    graphql_stream_leave(operation->joined);
  }
  if (code != CODE_OK) {
    if (exchange != NULL) http_inner_discard(exchange);
    (void)refuse_with(request, code, why_not(code));
    respond_problem(request);
    return;
  }
  operation->asked = single;
  single->operation = operation;
  request->exchange->on_cancel = on_asker_gone;
  http_inner_give_place(request->exchange);
  http_inner_start(exchange, &operation_events, operation);
}

static Code execute(ApiRequest *request, GraphqlState *state, Str token) {
  Arena *arena = request->exchange->arena;
  Code code = find_stream(request, state, token, false);
  if (code != CODE_OK) return code;
  const Problem *problem = graphql_request_read(&request->exchange->request, arena, &state->request);
  if (problem != NULL) return refuse(request, problem);
  if (state->request.batch != NULL) return refuse_with(request, CODE_BAD_REQUEST, "A stream takes one operation a request");
  Str id = state->request.operation_id;
  if (id.len == 0) return refuse_with(request, CODE_BAD_REQUEST, "An operation on a stream has an id of its own: extensions.operationId");
  if (id.len > OPERATION_ID_BYTES_MAX) return refuse_with(request, CODE_BAD_REQUEST, "extensions.operationId has more than 256 bytes");
  request->stream = start_operation;
  return CODE_OK;
}

/* ---- Which of them ---- */

static bool asks_for_operation(const HttpRequest *http, Arena *arena) {
  static const Str names[] = {STR_INIT("query"), STR_INIT("documentId"), STR_INIT("extensions")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (graphql_request_parameter(http, names[i], arena).ptr != NULL) return true;
  }
  return http->method == HTTP_POST;
}

bool graphql_single_decode(ApiRequest *request, GraphqlState *state, Code *ret) {
  const HttpRequest *http = &request->exchange->request;
  if (graphql_of(request->api)->streams == NULL || request->exchange->is_message) return false;
  if (http->method == HTTP_PUT) return *ret = reserve(request), true;
  if (http->method != HTTP_GET && http->method != HTTP_POST && http->method != HTTP_DELETE) return false;
  Str token = token_of(request);
  if (token.ptr == NULL && http->method != HTTP_DELETE) return false;
  if (http->method == HTTP_DELETE)
    *ret = stop(request, state, token);
  else if (asks_for_operation(http, request->exchange->arena))
    *ret = execute(request, state, token);
  else
    *ret = read_stream(request, state, token);
  return true;
}
