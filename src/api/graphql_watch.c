/* graphql_watch.c - events of the change feed to results of a subscription. What is written for one subscriber is written for all who share
 * its evaluation: what differs between them is in the watch's form. */
#include "api/graphql_watch.h"

#include "api/error_map.h"
#include "api/event_stream.h"
#include "query/watch.h"

enum { FORM_BYTES_MAX = 1024 * 1024, END_BYTES_MAX = 4096 };

typedef struct GraphqlWatch {
  Watch watch; /* first: the hub knows only this */
  ApiRequest *request;
  const GraphqlRoot *root;
  bool is_begun; /* the answer's head is out */
  bool is_over;
} GraphqlWatch;

static const Str kinds[] = {[WATCH_CREATED] = STR_INIT("\"CREATED\""),
                            [WATCH_UPDATED] = STR_INIT("\"UPDATED\""),
                            [WATCH_DELETED] = STR_INIT("\"DELETED\""),
                            [WATCH_REMOVED] = STR_INIT("\"REMOVED\"")};

/* ---- server-sent events ---- */

void graphql_sse_write_next(Buf *out, Str result) {
  buf_add(out, STR("event: next\ndata: "));
  buf_add(out, result);
  buf_add(out, STR("\n\n"));
}

void graphql_sse_write_complete(Buf *out) { buf_add(out, STR("event: complete\ndata:\n\n")); }

bool graphql_sse_respond(ApiRequest *request, HttpHeader *headers) {
  Str result = request->response.body;
  Buf out = buf_on(request->exchange->arena, result.len + END_BYTES_MAX);
  graphql_sse_write_next(&out, result);
  graphql_sse_write_complete(&out);
  if (out.failed != CODE_OK) return false;
  headers[0].value = STR("text/event-stream; charset=utf-8");
  request->response.body = buf_str(&out);
  return true;
}

/* ---- events ---- */

/* The row once for each time that it is asked for, on lines of their own: JSON has no line breaks. */
static Code write_row(Watch *watch, const Selection *selection, const Value *values, Buf *out, Error *err) {
  (void)selection;
  const GraphqlWatch *self = (const GraphqlWatch *)watch;
  const GraphqlOut *change = &self->root->out;
  bool is_first = true;
  for (size_t i = 0; i < change->count; i++) {
    if (change->items[i].kind != GRAPHQL_OUT_ROW) continue;
    if (!is_first) buf_add_byte(out, '\n');
    is_first = false;
    graphql_write_row(&change->items[i], self->request->api->rest, values, out);
  }
  if (is_first) buf_add(out, STR("null"));
  if (out->failed == CODE_OK) return CODE_OK;
  return out->failed == CODE_TOO_LARGE ? error_set(err, CODE_TOO_LARGE, "a row is too large") : error_no_memory(err);
}

static void write_change(const GraphqlWatch *self, const WatchEvent *event, Buf *out) {
  const GraphqlOut *change = &self->root->out;
  Str rows = event->content, row;
  buf_add_byte(out, '{');
  for (size_t i = 0; i < change->count; i++) {
    const GraphqlOut *item = &change->items[i];
    if (i > 0) buf_add_byte(out, ',');
    buf_add(out, item->key);
    switch (item->kind) {
      case GRAPHQL_OUT_KIND: buf_add(out, kinds[event->kind]); break;
      case GRAPHQL_OUT_POSITION: json_write_string(out, event->position); break;
      case GRAPHQL_OUT_ROW: buf_add(out, str_split_next(&rows, '\n', &row) ? row : STR("null")); break;
      default: graphql_write_item(item, self->request->api->rest, event->key, out); break;
    }
  }
  buf_add_byte(out, '}');
}

static void write_result(Watch *watch, const WatchEvent *event, Buf *out) {
  const GraphqlWatch *self = (const GraphqlWatch *)watch;
  buf_add(out, STR("{\"data\":{"));
  buf_add(out, self->root->key);
  write_change(self, event, out);
  buf_add(out, STR("}}"));
}

/* The id is the position too, as REST's is. */
static void write_sse_event(Watch *watch, const WatchEvent *event, Buf *out) {
  buf_add(out, STR("id: "));
  buf_add(out, event->position);
  buf_add(out, STR("\nevent: next\ndata: "));
  write_result(watch, event, out);
  buf_add(out, STR("\n\n"));
}

static bool send_frame(Watch *watch, const WatchEvent *event, Str frame) {
  (void)event;
  return http_write(((GraphqlWatch *)watch)->request->exchange, frame);
}

static void send_comment(Watch *watch, Str position) {
  (void)position;
  (void)http_write(((GraphqlWatch *)watch)->request->exchange, STR(":\n\n"));
}

/* ---- beginning and end ---- */

static void on_started(Watch *watch, Str position) {
  GraphqlWatch *self = (GraphqlWatch *)watch;
  ApiRequest *request = self->request;
  self->is_begun = true;
  if (!event_stream_begin(request)) {
    watch_close(watch);
    return;
  }
  if (!request->exchange->is_message) send_comment(watch, position);
  if (request->exchange->request.method == HTTP_HEAD) watch_close(watch);
}

/* A result without data: the subscription is over, and where to go on is said. */
static void send_end(const GraphqlWatch *self, const Problem *problem, Str position) {
  Buf out = buf_on_heap(END_BYTES_MAX), event = buf_on_heap((size_t)2 * END_BYTES_MAX);
  buf_add(&out, STR("{\"errors\":[{\"message\":"));
  json_write_string(&out, problem->detail.len > 0 ? problem->detail : error_form(problem->code)->title);
  buf_add(&out, STR(",\"extensions\":{\"code\":"));
  json_write_string(&out, code_name(problem->code));
  if (problem->hint.len > 0) {
    buf_add(&out, STR(",\"hint\":"));
    json_write_string(&out, problem->hint);
  }
  buf_add(&out, STR(",\"position\":"));
  json_write_string(&out, position);
  buf_add(&out, STR("}}]}"));
  bool is_message = self->request->exchange->is_message;
  if (!is_message) graphql_sse_write_next(&event, buf_str(&out));
  const Buf *sent = is_message ? &out : &event;
  if (sent->failed == CODE_OK) (void)http_write(self->request->exchange, buf_str(sent));
  buf_done(&event);
  buf_done(&out);
}

static void end_stream(const GraphqlWatch *self) {
  HttpExchange *exchange = self->request->exchange;
  if (!exchange->is_message && !exchange->is_cancelled) {
    char bytes[64];
    Buf out = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    graphql_sse_write_complete(&out);
    (void)http_write(exchange, buf_str(&out));
  }
  http_end(exchange, NULL, 0);
}

static void on_ended(Watch *watch, const Problem *problem, Str position) {
  GraphqlWatch *self = (GraphqlWatch *)watch;
  self->is_over = true;
  if (self->is_begun) {
    if (problem != NULL) send_end(self, problem, position);
    end_stream(self);
  } else if (problem != NULL) {
    event_stream_refuse(self->request, problem);
  } else {
    http_abort(self->request->exchange); /* its client has left before it began */
  }
}

static const WatchEncoder sse_encoder = {
    .write = write_row, .frame = write_sse_event, .send = send_frame, .started = on_started, .beat = send_comment, .ended = on_ended};
/* A WebSocket has signs of life of its own. */
static const WatchEncoder message_encoder = {
    .write = write_row, .frame = write_result, .send = send_frame, .started = on_started, .ended = on_ended};

/* ---- the exchange ---- */

static GraphqlWatch *watch_of(HttpExchange *exchange) {
  const GraphqlState *state = ((const ApiRequest *)exchange->user)->face_state;
  return state->watch;
}

static void on_writable(HttpExchange *exchange) {
  GraphqlWatch *self = watch_of(exchange);
  if (!self->is_over) watch_ready(&self->watch);
}

static void on_cancel(HttpExchange *exchange) {
  GraphqlWatch *self = watch_of(exchange);
  if (!self->is_over) watch_close(&self->watch);
}

static void open_watch(ApiRequest *request) {
  GraphqlState *state = request->face_state;
  GraphqlWatch *self = state->watch;
  const Problem *problem = NULL;
  request->exchange->on_writable = on_writable;
  request->exchange->on_cancel = on_cancel;
  if (watch_open(request->engine, &self->watch, &problem) == CODE_OK) return;
  self->is_over = true;
  event_stream_refuse(request, problem);
}

/* ---- preparation ---- */

/* All that decides what is written of a row and an event. */
static void write_form(const GraphqlOut *out, Buf *form) {
  buf_printf(form, "%.*s%d,%u,%.*s(", STR_ARGS(out->key), (int)out->kind, out->index, STR_ARGS(out->text));
  for (size_t i = 0; i < out->count; i++) write_form(&out->items[i], form);
  buf_add_byte(form, ')');
}

Code graphql_watch_prepare(ApiRequest *request, GraphqlState *state) {
  Arena *arena = request->exchange->arena;
  const GraphqlRoot *root = &state->run.roots[0];
  GraphqlWatch *self = ARENA_NEW(arena, GraphqlWatch);
  Buf form = buf_on(arena, FORM_BYTES_MAX);
  write_form(&root->out, &form);
  buf_add(&form, root->key);
  if (self == NULL || form.failed != CODE_OK) {
    Code code = form.failed == CODE_TOO_LARGE ? CODE_TOO_LARGE : CODE_UNAVAILABLE;
    request->problem = problem_create(arena, code, code == CODE_TOO_LARGE ? STR("The subscription is too large") : STR("out of memory"));
    return code;
  }
  *self = (GraphqlWatch){.watch = {.operation = state->run.calls[root->sink.call].operation,
                                   .key = root->watch_key,
                                   .encoder = request->exchange->is_message ? &message_encoder : &sse_encoder,
                                   .form = buf_str(&form),
                                   .after = root->watch_after,
                                   .expires_us = request->expires_us,
                                   .arena = arena},
                         .request = request,
                         .root = root};
  state->watch = self;
  request->stream = open_watch;
  return CODE_OK;
}
