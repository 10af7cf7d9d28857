/* grpc_watch.c - WatchProducts: the changes of a list as a stream of messages, from `after` on. Where it begins is told in the head's
 * metadata, so that a client that has seen nothing yet can go on from there, too. */
#include "api/grpc_methods.h"
#include "codec/protobuf.h"
#include "query/watch.h"

typedef struct GrpcWatch {
  Watch watch; /* first: the hub knows only this */
  GrpcStream *stream;
  const ProtoField *kind, *row, *position; /* of the response */
  const ProtoResource *resource;
  HttpHeader header;
  bool is_opened, is_over;
} GrpcWatch;

/* ---- Events ---- */

/* `out` is the hub's, without an arena for what JSON inside values takes. */
static Code write_row(Watch *watch, const Selection *selection, const Value *values, Buf *out, Error *err) {
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
static void write_frame(Watch *watch, const WatchEvent *event, Buf *out) {
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

static bool send_event(Watch *watch, const WatchEvent *event, Str frame) {
  (void)event;
  return grpc_stream_send(((GrpcWatch *)watch)->stream, frame);
}

/* ---- Beginning and end ---- */

static void on_started(Watch *watch, Str position) {
  GrpcWatch *grpc = (GrpcWatch *)watch;
  HttpExchange *exchange = grpc->stream->request->exchange;
  /* The protocol may have given it up meanwhile. */
  if (exchange->is_answered || exchange->is_cancelled) {
    watch_close(watch);
    return;
  }
  Str kept = arena_str(exchange->arena, position);
  grpc->header = (HttpHeader){STR("position"), kept};
  grpc->stream->headers = &grpc->header;
  grpc->stream->header_count = kept.ptr != NULL;
  exchange->is_long = true;
  grpc_stream_begin(grpc->stream);
}

static void on_ended(Watch *watch, const Problem *problem, Str position) {
  (void)position;
  GrpcWatch *grpc = (GrpcWatch *)watch;
  GrpcStream *stream = grpc->stream;
  grpc->is_over = true;
  if (problem != NULL) problem = problem_kept(problem, stream->request->exchange->arena);
  grpc_stream_end(stream, problem);
  grpc_stream_set_busy(stream, false);
}

static const WatchEncoder encoder = {
    .write = write_row, .frame = write_frame, .send = send_event, .started = on_started, .ended = on_ended};

/* ---- The stream ---- */

static void open_or_go_on(GrpcStream *stream) {
  GrpcWatch *grpc = stream->own;
  const Problem *problem = NULL;
  if (grpc->is_opened) {
    if (!grpc->is_over) watch_ready(&grpc->watch);
    return;
  }
  grpc->is_opened = true;
  if (watch_open(stream->request->engine, &grpc->watch, &problem) == CODE_OK) {
    grpc_stream_set_busy(stream, true);
    return;
  }
  grpc->is_over = true;
  grpc_stream_end(stream, problem);
}

static void stop(GrpcStream *stream) {
  GrpcWatch *grpc = stream->own;
  if (!grpc->is_over) watch_close(&grpc->watch);
}

static const GrpcStreamHandler handler = {.writable = open_or_go_on, .stop = stop};

Code grpc_watch_decode(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_LIST;
  TRY(grpc_decode_list(state, &operation->list));
  const ProtoMessage *response = state->method->response;
  const ProtoResource *resource = &state->grpc->schema->resources[operation->resource->index];
  operation->selection = resource->whole;
  GrpcWatch *grpc = ARENA_NEW(state->decoder.arena, GrpcWatch);
  if (grpc == NULL) return rest_no_memory(&state->decoder);
  Str after = proto_text(state->message, STR("after"));
  *grpc = (GrpcWatch){.watch = {.operation = *operation,
                                .encoder = &encoder,
                                .after = after.len > 0 ? after : (Str){0},
                                .expires_us = request->expires_us,
                                .arena = request->exchange->arena},
                      .kind = proto_field(response, STR("kind")),
                      .row = grpc_row_field(response, operation->resource),
                      .position = proto_field(response, STR("position")),
                      .resource = resource};
  return grpc_stream_prepare(request, state, &handler, grpc, &grpc->stream);
}
