/* grpc_watch.c - changes of a list as a stream's messages, from `after` on; and WatchProducts, whose answer is nothing else. Where that
 * begins is told in the head's metadata, so that a client that has seen nothing yet can go on from there, too. */
#include "api/grpc_watch.h"

#include <assert.h>

#include "api/grpc_methods.h"
#include "codec/protobuf.h"
#include "query/change_position.h"

/* ---- Events ---- */

/* `out` is the hub's, without an arena for what JSON inside values takes. */
Code grpc_watch_write_row(Watch *watch, const Selection *selection, const Value *values, Buf *out, Error *err) {
  (void)watch;
  ProtoOut row = {.buf = *out, .scratch = arena_create(0)};
  TRY_ALLOC(row.scratch);
  proto_write_row(&row, selection, values);
  arena_destroy(row.scratch);
  *out = row.buf;
  if (out->failed == CODE_OK) return CODE_OK;
  return out->failed == CODE_TOO_LARGE ? error_set(err, CODE_TOO_LARGE, "a row is too large") : error_no_memory(err);
}

/* The numbers of Kind follow those of WatchKind, behind KIND_UNSPECIFIED. */
void grpc_watch_write_event(Watch *watch, const WatchEvent *event, Buf *out) {
  const GrpcWatch *grpc = (const GrpcWatch *)watch;
  protobuf_add_uint(out, grpc->kind->number, (uint64_t)event->kind + 1);
  size_t row = protobuf_begin(out, grpc->row->number);
  if (event->content.ptr != NULL) {
    buf_add(out, event->content);
  } else {
    ProtoOut key = {.buf = *out}; /* keys are scalars: no scratch is wanted */
    proto_write_key(&key, grpc->resource, event->key);
    *out = key.buf;
  }
  protobuf_end(out, row);
  protobuf_add_bytes(out, grpc->position->number, event->position);
}

bool grpc_watch_send(Watch *watch, const WatchEvent *event, Str frame) {
  (void)event;
  GrpcStream *stream = ((GrpcWatch *)watch)->stream;
  return stream->is_ended || grpc_stream_send(stream, frame);
}

/* ---- Beginning and end ---- */

bool grpc_watch_may_start(Watch *watch) {
  const GrpcStream *stream = ((GrpcWatch *)watch)->stream;
  const HttpExchange *exchange = stream->request->exchange;
  if (!exchange->is_cancelled && !stream->is_ended && (stream->is_begun || !exchange->is_answered)) return true;
  watch_close(watch);
  return false;
}

void grpc_watch_ended(Watch *watch, const Problem *problem, Str position) {
  (void)position;
  GrpcWatch *grpc = (GrpcWatch *)watch;
  GrpcStream *stream = grpc->stream;
  grpc->is_over = true;
  if (problem != NULL) problem = problem_kept(problem, stream->request->exchange->arena);
  grpc_stream_end(stream, problem);
  grpc_stream_release(stream);
}

void grpc_watch_open(GrpcWatch *watch) {
  const Problem *problem = NULL;
  if (watch_open(watch->stream->request->engine, &watch->watch, &problem) == CODE_OK) {
    watch->is_over = false;
    grpc_stream_hold(watch->stream);
    return;
  }
  grpc_stream_end(watch->stream, problem);
}

void grpc_watch_ready(GrpcWatch *watch) {
  if (!watch->is_over) watch_ready(&watch->watch);
}

void grpc_watch_stop(GrpcWatch *watch) {
  if (!watch->is_over) watch_close(&watch->watch);
}

Code grpc_watch_init(ApiRequest *request, GrpcState *state, const WatchEncoder *encoder, GrpcWatch *ret) {
  Operation *operation = &state->call.operation;
  operation->action = ACTION_LIST;
  TRY(grpc_decode_list(state, &operation->list));
  const ProtoMessage *event = state->method->response;
  const ProtoResource *resource = &state->grpc->schema->resources[operation->resource->index];
  operation->selection = resource->whole;
  Str after = proto_text(state->message, STR("after"));
  *ret = (GrpcWatch){.watch = {.operation = *operation,
                               .encoder = encoder,
                               .after = after.len > 0 ? after : (Str){0},
                               .expires_us = request->expires_us,
                               .arena = request->exchange->arena},
                     .stream = ret->stream,
                     .kind = proto_field(event, STR("kind")),
                     .row = grpc_row_field(event, operation->resource),
                     .position = proto_field(event, STR("position")),
                     .resource = resource,
                     .is_over = true};
  return CODE_OK;
}

/* ---- WatchProducts ---- */

typedef struct WatchCall {
  GrpcWatch watch; /* first */
  HttpHeader header;
  char position[CHANGE_POSITION_BYTES_MAX]; /* of the header */
  bool is_opened;
} WatchCall;

static void on_started(Watch *watch, Str position) {
  WatchCall *call = (WatchCall *)watch;
  GrpcStream *stream = call->watch.stream;
  if (!grpc_watch_may_start(watch)) return;
  assert(position.len <= sizeof call->position);
  memcpy(call->position, position.ptr, position.len);
  call->header = (HttpHeader){STR("position"), {call->position, position.len}};
  stream->header = &call->header;
  stream->request->exchange->is_long = true;
  grpc_stream_begin(stream);
}

static const WatchEncoder encoder = {.write = grpc_watch_write_row,
                                     .frame = grpc_watch_write_event,
                                     .send = grpc_watch_send,
                                     .started = on_started,
                                     .ended = grpc_watch_ended};

static void open_or_go_on(GrpcStream *stream) {
  WatchCall *call = stream->own;
  if (call->is_opened) {
    grpc_watch_ready(&call->watch);
    return;
  }
  call->is_opened = true;
  grpc_watch_open(&call->watch);
}

static void stop(GrpcStream *stream) {
  WatchCall *call = stream->own;
  grpc_watch_stop(&call->watch);
}

static const GrpcStreamHandler handler = {.writable = open_or_go_on, .stop = stop};

Code grpc_watch_decode(ApiRequest *request, GrpcState *state) {
  WatchCall *call = ARENA_NEW(state->decoder.arena, WatchCall);
  if (call == NULL) return rest_no_memory(&state->decoder);
  TRY(grpc_watch_init(request, state, &encoder, &call->watch));
  return grpc_stream_prepare(request, state, &handler, call, &call->watch.stream);
}
