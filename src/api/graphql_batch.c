/* graphql_batch.c - a batch's requests are exchanges within its own (http/inner_exchange.h), so that access, limits, statements, logs and
 * metrics are those of requests that come alone; their answers, in order, are the array. One runs at a time: a batch takes no more of the
 * server at once than any other request, and a later one sees what an earlier one wrote. */
#include "api/graphql_batch.h"

#include "api/graphql_inner.h"
#include "api/problem_json.h"

typedef struct GraphqlBatch {
  ApiRequest *request;
  const JsonValue *items;
  size_t next;
  HttpExchange *current; /* NULL: none is under way */
  Buf body;
  bool is_running, is_waiting, is_over;
} GraphqlBatch;

/* ---- the answer ---- */

static void respond(GraphqlBatch *batch) {
  ApiRequest *request = batch->request;
  const GraphqlState *state = request->face_state;
  Arena *arena = request->exchange->arena;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, 2);
  batch->is_over = true;
  buf_add_byte(&batch->body, ']');
  if (batch->body.failed != CODE_OK || headers == NULL) {
    bool is_large = batch->body.failed == CODE_TOO_LARGE;
    request->problem = problem_create(arena, is_large ? CODE_TOO_LARGE : CODE_UNAVAILABLE,
                                      is_large ? STR("the answer would be too large (--result-max)") : STR("out of memory"));
    problem_respond(request->problem, 0, request->request_id, arena, &request->response);
  } else {
    headers[0] = (HttpHeader){STR("content-type"), state->request.is_strict ? STR("application/graphql-response+json; charset=utf-8")
                                                                            : STR("application/json; charset=utf-8")};
    headers[1] = (HttpHeader){STR("vary"), STR("accept")};
    request->response = (HttpResponse){.status = 200, .headers = headers, .header_count = 2, .body = buf_str(&batch->body)};
  }
  request->respond(request);
}

/* What the server refuses by itself (too many in flight, its time is over) is a problem document, and no GraphQL answer. */
static void add_answer(GraphqlBatch *batch, Str body) {
  static const Str unanswered =
      STR_INIT("{\"errors\":[{\"message\":\"The request was not answered\",\"extensions\":{\"code\":\"UNAVAILABLE\"}}]}");
  bool is_graphql = str_starts_with(body, STR("{\"data\"")) || str_starts_with(body, STR("{\"errors\":[{\"message\""));
  buf_add(&batch->body, is_graphql ? body : unanswered);
}

/* ---- the requests ---- */

static HttpExchange *make_request(const GraphqlBatch *batch, const JsonValue *item) {
  const GraphqlState *state = batch->request->face_state;
  Str accept = state->request.is_strict ? STR("application/graphql-response+json") : STR("application/json");
  HttpExchange *exchange = graphql_inner_create(batch->request->exchange, accept);
  if (exchange == NULL) return NULL;
  Buf body = buf_on(exchange->arena, SIZE_MAX / 2);
  json_write(&body, item);
  if (body.failed != CODE_OK) {
    http_inner_discard(exchange);
    return NULL;
  }
  exchange->request.body = buf_str(&body);
  return exchange;
}

static void run(GraphqlBatch *batch);

static void end_request(GraphqlBatch *batch) {
  batch->current = NULL;
  batch->is_waiting = false;
  run(batch);
}

static void on_respond(void *context, const HttpResponse *response) {
  GraphqlBatch *batch = context;
  add_answer(batch, response->body);
  end_request(batch);
}

/* Streams are subscriptions', which are refused where no stream is accepted. */
static bool on_write(void *context, Str bytes) {
  (void)context;
  (void)bytes;
  return true;
}

static void on_end(void *context, bool is_whole) {
  GraphqlBatch *batch = context;
  (void)is_whole;
  add_answer(batch, (Str){NULL, 0});
  end_request(batch);
}

static const HttpInnerEvents batch_events = {.respond = on_respond, .write = on_write, .end = on_end};

/* Not by recursion: an answer may come from within http_inner_start. */
static void run(GraphqlBatch *batch) {
  if (batch->is_running) return;
  batch->is_running = true;
  while (!batch->is_waiting && !batch->is_over && batch->next < batch->items->count && batch->body.failed == CODE_OK) {
    if (batch->next > 0) buf_add_byte(&batch->body, ',');
    HttpExchange *exchange = make_request(batch, &batch->items->items[batch->next++]);
    if (exchange == NULL) {
      batch->body.failed = CODE_UNAVAILABLE;
      break;
    }
    batch->is_waiting = true;
    batch->current = exchange;
    http_inner_start(exchange, &batch_events, batch);
  }
  batch->is_running = false;
  if (!batch->is_waiting && !batch->is_over) respond(batch);
}

/* ---- the exchange ---- */

/* What has begun is done; the rest never begins. */
static void on_cancel(HttpExchange *exchange) {
  const GraphqlState *state = ((const ApiRequest *)exchange->user)->face_state;
  GraphqlBatch *batch = state->batch;
  if (batch->is_over) return;
  batch->is_over = true;
  if (batch->current != NULL) http_inner_cancel(batch->current);
  http_abort(exchange);
}

static void start(ApiRequest *request) {
  GraphqlState *state = request->face_state;
  request->exchange->on_cancel = on_cancel;
  http_inner_give_place(request->exchange);
  run(state->batch);
}

bool graphql_batch_prepare(ApiRequest *request, GraphqlState *state) {
  Arena *arena = request->exchange->arena;
  state->batch = ARENA_NEW(arena, GraphqlBatch);
  if (state->batch == NULL) return false;
  *state->batch =
      (GraphqlBatch){.request = request, .items = state->request.batch, .body = buf_on(arena, request->api->limits.result_bytes_max)};
  buf_add_byte(&state->batch->body, '[');
  request->stream = start;
  return true;
}
