/* rest_watch.c - GET /v1/products:watch: the changes of a list as server-sent events (HTML Standard §9.2). An event's id is its position,
 * from which a client goes on by Last-Event-ID, as browsers do by themselves, or by after=. */
#include "api/event_stream.h"
#include "api/problem_json.h"
#include "api/rest_query.h"
#include "api/rest_state.h"
#include "codec/json.h"
#include "query/watch.h"

enum { FRAME_BYTES_MAX = 4096 };

typedef struct RestWatch {
  Watch watch; /* first: the hub knows only this */
  ApiRequest *request;
  const RestMap *map;
  const RestResource *resource;
  bool is_begun; /* the head is out */
  bool is_over;
} RestWatch;

static const struct {
  Str kind, event;
} kinds[] = {
    [WATCH_CREATED] = {STR_INIT("CREATED"), STR_INIT("created")},
    [WATCH_UPDATED] = {STR_INIT("UPDATED"), STR_INIT("updated")},
    [WATCH_DELETED] = {STR_INIT("DELETED"), STR_INIT("deleted")},
    [WATCH_REMOVED] = {STR_INIT("REMOVED"), STR_INIT("removed")},
};

/* ---- events ---- */

static Code write_row(Watch *watch, const Selection *selection, const Value *values, Buf *out, Error *err) {
  const RestWatch *rest = (const RestWatch *)watch;
  rest_write_row(rest->map, selection, values, out);
  if (out->failed == CODE_OK) return CODE_OK;
  return out->failed == CODE_TOO_LARGE ? error_set(err, CODE_TOO_LARGE, "a row is too large") : error_no_memory(err);
}

/* JSON has no line breaks of its own: data is one line. */
static void write_frame(Watch *watch, const WatchEvent *event, Buf *out) {
  const RestWatch *rest = (const RestWatch *)watch;
  buf_add(out, STR("id: "));
  buf_add(out, event->position);
  buf_add(out, STR("\nevent: "));
  buf_add(out, kinds[event->kind].event);
  buf_add(out, STR("\ndata: {\"kind\":\""));
  buf_add(out, kinds[event->kind].kind);
  buf_add(out, STR("\",\"position\":\""));
  buf_add(out, event->position);
  buf_add(out, STR("\",\""));
  buf_add(out, rest->resource->resource->singular);
  buf_add(out, STR("\":"));
  if (event->content.ptr != NULL)
    buf_add(out, event->content);
  else
    rest_write_row(rest->map, rest->resource->key_only, event->key, out);
  buf_add(out, STR("}\n\n"));
}

static bool send_event(Watch *watch, const WatchEvent *event, Str frame) {
  RestWatch *rest = (RestWatch *)watch;
  (void)event;
  return http_write(rest->request->exchange, frame);
}

/* A client that has heard nothing for long knows that we are there, and where it stands. */
static void send_position(const RestWatch *rest, const char *before, Str position) {
  char bytes[256];
  Buf out = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
  buf_printf(&out, "%sid: %.*s\n\n", before, STR_ARGS(position));
  (void)http_write(rest->request->exchange, buf_str(&out));
}

static void send_beat(Watch *watch, Str position) { send_position((RestWatch *)watch, ":\n", position); }

/* ---- beginning and end ---- */

static void finish(RestWatch *rest) {
  rest->is_over = true;
  http_end(rest->request->exchange, NULL, 0);
}

static void on_started(Watch *watch, Str position) {
  RestWatch *rest = (RestWatch *)watch;
  ApiRequest *request = rest->request;
  rest->is_begun = true;
  if (!event_stream_begin(request)) {
    watch_close(watch);
    return;
  }
  send_position(rest, "retry: 1000\n", position);
  if (request->exchange->request.method == HTTP_HEAD) watch_close(watch);
}

static void send_end(const RestWatch *rest, const Problem *problem, Str position) {
  char bytes[FRAME_BYTES_MAX];
  Buf out = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
  buf_add(&out, STR("event: end\ndata: {\"code\":\""));
  buf_add(&out, code_name(problem->code));
  buf_add(&out, STR("\",\"detail\":"));
  json_write_string(&out, problem->detail);
  buf_add(&out, STR(",\"position\":\""));
  buf_add(&out, position);
  buf_add(&out, STR("\"}\n\n"));
  if (out.failed == CODE_OK) (void)http_write(rest->request->exchange, buf_str(&out));
}

static void on_ended(Watch *watch, const Problem *problem, Str position) {
  RestWatch *rest = (RestWatch *)watch;
  ApiRequest *request = rest->request;
  if (!rest->is_begun && problem != NULL) {
    rest->is_over = true;
    event_stream_refuse(request, problem);
    return;
  }
  if (!rest->is_begun) { /* its client has left before it began */
    rest->is_over = true;
    http_abort(request->exchange);
    return;
  }
  if (problem != NULL) send_end(rest, problem, position);
  finish(rest);
}

static const WatchEncoder encoder = {
    .write = write_row, .frame = write_frame, .send = send_event, .started = on_started, .beat = send_beat, .ended = on_ended};

/* ---- the exchange ---- */

static RestWatch *watch_of(HttpExchange *exchange) {
  const ApiRequest *request = exchange->user;
  const RestState *state = request->face_state;
  return state->stream_state;
}

static void on_writable(HttpExchange *exchange) {
  RestWatch *rest = watch_of(exchange);
  if (!rest->is_over) watch_ready(&rest->watch);
}

static void on_cancel(HttpExchange *exchange) {
  RestWatch *rest = watch_of(exchange);
  if (!rest->is_over) watch_close(&rest->watch);
}

static void open_watch(ApiRequest *request) {
  const RestState *state = request->face_state;
  RestWatch *rest = state->stream_state;
  request->exchange->on_writable = on_writable;
  request->exchange->on_cancel = on_cancel;
  const Problem *problem = NULL;
  if (watch_open(request->engine, &rest->watch, &problem) == CODE_OK) return;
  rest->is_over = true;
  event_stream_refuse(request, problem);
}

/* ---- preparation ---- */

static Code check_query(RestDecoder *decoder, const ListQuery *list) {
  const char *name = list->limit >= 0           ? "limit"
                     : list->order_count > 0    ? "sort"
                     : list->is_counted         ? "count"
                     : list->before.ptr != NULL ? "before"
                     : list->search.ptr != NULL ? "q"
                     : list->is_distinct        ? "distinct"
                                                : NULL;
  if (name == NULL) return CODE_OK;
  return rest_refuse(decoder, CODE_BAD_REQUEST, STR("a watch takes conditions, filter=, fields= and after="),
                     "A watch has no pages and no order: \"%s\" says nothing here", name);
}

Code rest_watch_accept(RestState *state) {
  Str accept = state->headers.accept;
  if (accept.ptr == NULL || accept_weight(accept, STR("text/event-stream")) > 0) return CODE_OK;
  return rest_refuse(&state->decoder, CODE_NOT_ACCEPTABLE, STR("Accept: text/event-stream"), "A watch is answered as server-sent events");
}

Code rest_watch_prepare(ApiRequest *request, RestState *state) {
  const Operation *operation = &state->main->operation;
  TRY(check_query(&state->decoder, &operation->list));
  RestWatch *rest = ARENA_NEW(state->decoder.arena, RestWatch);
  if (rest == NULL) return rest_no_memory(&state->decoder);
  Str last_id = http_request_header(&request->exchange->request, STR("last-event-id"));
  Str after = operation->list.after.ptr != NULL ? operation->list.after : last_id;
  *rest = (RestWatch){.watch = {.operation = *operation,
                                .encoder = &encoder,
                                .after = after.len > 0 ? after : (Str){0},
                                .expires_us = request->expires_us,
                                .arena = request->exchange->arena},
                      .request = request,
                      .map = state->decoder.map,
                      .resource = state->route.resource};
  state->stream_state = rest;
  request->stream = open_watch;
  return CODE_OK;
}
