/* grpc_sync.c - SyncProducts: writes up, their results and everybody's changes down, on one stream. The first message says what is watched;
 * those behind it are writes, each a transaction of its own, done one after the other in the order in which they come. A write that is
 * refused is answered so, and the stream goes on; what ends a watch ends it, behind the write that is under way. */
#include <assert.h>

#include "api/error_map.h"
#include "api/grpc_methods.h"
#include "api/grpc_status.h"
#include "api/grpc_watch.h"
#include "codec/protobuf.h"

typedef struct Sync {
  GrpcWatch watch; /* first: the hub knows only this */
  Str request_id;  /* of the message that is worked on */
  GrpcState write; /* a call as if it had come alone; on the stream's arena */
  CallGroup group;
  bool is_watching;
} Sync;

static uint32_t number_of(const ProtoMessage *message, Str name) {
  const ProtoField *field = proto_field(message, name);
  assert(field != NULL);
  return field->number;
}

/* ---- Answers ---- */

static const ProtoField *event_field(const GrpcStream *stream, Str name) { return proto_field(stream->state->method->response, name); }

/* The answer to the message that is worked on, but for its event. */
static Buf begin_answer(Sync *sync) {
  GrpcStream *stream = sync->watch.stream;
  Buf out = buf_on(stream->arena, stream->request->api->limits.result_bytes_max);
  if (sync->request_id.len > 0) protobuf_add_bytes(&out, event_field(stream, STR("request_id"))->number, sync->request_id);
  return out;
}

static void send_answer(Sync *sync, const Buf *out) {
  GrpcStream *stream = sync->watch.stream;
  if (out->failed == CODE_OK)
    (void)grpc_stream_send(stream, buf_str(out));
  else
    grpc_stream_end(stream, problem_create(stream->request->exchange->arena, out->failed, STR("A result can't be told")));
}

static void add_text(const ProtoMessage *message, Str name, Str text, Buf *out) {
  if (text.len > 0) protobuf_add_bytes(out, number_of(message, name), text);
}

static void send_error(Sync *sync, const Problem *problem) {
  const ProtoField *event = event_field(sync->watch.stream, STR("error"));
  const ProtoField *violations = proto_field(event->message, STR("field_violations"));
  Buf out = begin_answer(sync);
  size_t error = protobuf_begin(&out, event->number);
  protobuf_add_uint(&out, number_of(event->message, STR("code")), (uint64_t)grpc_code_of(problem));
  add_text(event->message, STR("message"), grpc_status_text(problem), &out);
  add_text(event->message, STR("reason"), error_form(problem->code)->name, &out);
  add_text(event->message, STR("rule"), problem->rule, &out);
  for (size_t i = 0; i < problem->mistake_count; i++) {
    size_t violation = protobuf_begin(&out, violations->number);
    add_text(violations->message, STR("field"), problem->mistakes[i].pointer, &out);
    add_text(violations->message, STR("description"), problem->mistakes[i].detail, &out);
    add_text(violations->message, STR("reason"), mistake_code_name(problem->mistakes[i].code), &out);
    protobuf_end(&out, violation);
  }
  protobuf_end(&out, error);
  send_answer(sync, &out);
}

/* `row` ptr NULL: there is none. */
static void send_result(Sync *sync, Str row, Str etag, Str position) {
  const ProtoField *event = event_field(sync->watch.stream, STR("result"));
  Buf out = begin_answer(sync);
  size_t result = protobuf_begin(&out, event->number);
  if (row.ptr != NULL) protobuf_add_bytes(&out, grpc_row_field(event->message, sync->watch.stream->state->method->resource)->number, row);
  add_text(event->message, STR("etag"), etag, &out);
  add_text(event->message, STR("position"), position, &out);
  protobuf_end(&out, result);
  send_answer(sync, &out);
}

/* ---- Writes ---- */

static void send_outcome(Sync *sync) {
  Str row = {NULL, 0}, etag = {NULL, 0};
  Error err = {0};
  const Problem *problem = sync->write.call.result.problem;
  bool has_row = sync->write.call.operation.action != ACTION_DELETE;
  if (problem == NULL && has_row && grpc_result_message(&sync->write, &row, &err) != CODE_OK)
    problem = problem_from_error(sync->group.arena, &err);
  if (problem == NULL && grpc_result_etag(&sync->write, sync->group.arena, &etag, &err) != CODE_OK)
    problem = problem_from_error(sync->group.arena, &err);
  if (problem != NULL)
    send_error(sync, problem);
  else
    send_result(sync, row, etag, STR(""));
}

static void write_done(CallGroup *group) {
  Sync *sync = group->context;
  send_outcome(sync);
  grpc_stream_set_busy(sync->watch.stream, false);
}

/* `role` is that of the method that would do it alone, and `message` its request. */
static GrpcState call_of(const Sync *sync, ProtoRole role, const ProtoNode *message, Arena *arena) {
  const GrpcState *state = sync->watch.stream->state;
  GrpcState call = {.wire = state->wire,
                    .grpc = state->grpc,
                    .method = state->grpc->schema->resources[state->method->resource->index].methods[role],
                    .decoder = state->decoder,
                    .message = message};
  call.decoder.arena = arena;
  call.decoder.problem = NULL;
  return call;
}

static void run_write(Sync *sync, ProtoRole role, const ProtoNode *message) {
  GrpcStream *stream = sync->watch.stream;
  Engine *engine = stream->request->engine;
  sync->write = call_of(sync, role, message, stream->arena);
  if (grpc_decode_operation(stream->request, &sync->write) != CODE_OK) {
    send_error(sync, sync->write.decoder.problem);
    return;
  }
  /* The stream may be days old. */
  sync->write.call.operation.now_us = loop_wall_us(stream->request->exchange->loop);
  sync->group = (CallGroup){.calls = &sync->write.call, .count = 1, .arena = stream->arena, .done = write_done, .context = sync};
  grpc_stream_set_busy(stream, true);
  if (engine_authorize(engine, &sync->group) == CODE_OK && engine_plan(engine, &sync->group) == CODE_OK)
    engine_execute(engine, &sync->group);
  else
    write_done(&sync->group);
}

/* ---- The watch ---- */

static void write_change(Watch *watch, const WatchEvent *event, Buf *out) {
  const GrpcStream *stream = ((Sync *)watch)->watch.stream;
  size_t change = protobuf_begin(out, event_field(stream, STR("change"))->number);
  grpc_watch_write_event(watch, event, out);
  protobuf_end(out, change);
}

static void on_started(Watch *watch, Str position) {
  Sync *sync = (Sync *)watch;
  if (!grpc_watch_may_start(watch)) return;
  sync->is_watching = true;
  send_result(sync, (Str){0}, STR(""), position);
  grpc_stream_set_busy(sync->watch.stream, false);
}

static void on_ended(Watch *watch, const Problem *problem, Str position) {
  Sync *sync = (Sync *)watch;
  bool is_waited_for = !sync->is_watching;
  sync->is_watching = false;
  grpc_watch_ended(watch, problem, position);
  if (is_waited_for) grpc_stream_set_busy(sync->watch.stream, false);
}

static const WatchEncoder encoder = {
    .write = grpc_watch_write_row, .frame = write_change, .send = grpc_watch_send, .started = on_started, .ended = on_ended};

/* What the message says is wanted for as long as the stream lives: a copy of it. */
static Code keep_message(const ProtoNode *message, Arena *arena, const ProtoNode **ret, Error *err) {
  Buf bytes = buf_on(arena, SIZE_MAX / 2);
  Str kept;
  ProtoNode *node = NULL;
  proto_write(message, &bytes);
  TRY(buf_finish(&bytes, &kept, err));
  TRY(proto_read(message->type, kept, arena, &node, err));
  *ret = node;
  return CODE_OK;
}

/* Whether its caller may read anything of what is watched. */
static const Problem *authorize_watch(Sync *sync, GrpcState *call) {
  CallGroup group = {.calls = &call->call, .count = 1, .arena = call->decoder.arena};
  call->call.operation = sync->watch.watch.operation;
  return engine_authorize(sync->watch.stream->request->engine, &group) == CODE_OK ? NULL : call->call.result.problem;
}

static void begin_watch(Sync *sync, const ProtoNode *message) {
  GrpcStream *stream = sync->watch.stream;
  Arena *arena = stream->request->exchange->arena;
  const ProtoNode *kept = NULL;
  Error err = {0};
  if (keep_message(message, arena, &kept, &err) != CODE_OK) {
    grpc_stream_end(stream, problem_from_error(arena, &err));
    return;
  }
  GrpcState call = call_of(sync, PROTO_WATCH, kept, arena);
  call.call.operation = (Operation){
      .resource = call.method->resource, .list = {.limit = -1}, .caller = stream->request->caller, .now_us = stream->request->now_us};
  const Problem *problem =
      grpc_watch_init(stream->request, &call, &encoder, &sync->watch) == CODE_OK ? authorize_watch(sync, &call) : call.decoder.problem;
  if (problem != NULL) {
    grpc_stream_end(stream, problem);
    return;
  }
  stream->request->exchange->is_long = true;
  grpc_stream_set_busy(stream, true);
  grpc_watch_open(&sync->watch);
  if (sync->watch.is_over) grpc_stream_set_busy(stream, false);
}

/* ---- Messages ---- */

static void on_message(GrpcStream *stream, const ProtoNode *message) {
  static const struct {
    Str name;
    ProtoRole role;
  } writes[] = {{STR_INIT("create"), PROTO_CREATE}, {STR_INIT("update"), PROTO_UPDATE}, {STR_INIT("delete"), PROTO_DELETE}};
  Sync *sync = stream->own;
  Arena *arena = stream->request->exchange->arena;
  const ProtoNode *watch = proto_child(message, STR("watch"));
  sync->request_id = proto_text(message, STR("request_id"));
  if (!sync->is_watching) {
    if (watch != NULL)
      begin_watch(sync, watch);
    else
      grpc_stream_end(stream, problem_create(arena, CODE_BAD_REQUEST, STR("The first message must be `watch`")));
    return;
  }
  for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
    const ProtoNode *write = proto_child(message, writes[i].name);
    if (write == NULL) continue;
    run_write(sync, writes[i].role, write);
    return;
  }
  send_error(sync, problem_create(stream->arena, CODE_BAD_REQUEST,
                                  watch != NULL ? STR("The stream watches already") : STR("The message asks for nothing")));
}

/* No more writes; changes go on. */
static void on_half_closed(GrpcStream *stream) {
  const Sync *sync = stream->own;
  if (!sync->is_watching)
    grpc_stream_end(stream, problem_create(stream->request->exchange->arena, CODE_BAD_REQUEST, STR("The first message must be `watch`")));
}

static void on_writable(GrpcStream *stream) {
  Sync *sync = stream->own;
  if (sync->is_watching) grpc_watch_ready(&sync->watch);
}

static void stop(GrpcStream *stream) {
  Sync *sync = stream->own;
  grpc_watch_stop(&sync->watch);
}

static const GrpcStreamHandler handler = {.message = on_message, .half_closed = on_half_closed, .writable = on_writable, .stop = stop};

Code grpc_sync_decode(ApiRequest *request, GrpcState *state) {
  Sync *sync = ARENA_NEW(request->exchange->arena, Sync);
  if (sync == NULL) return rest_no_memory(&state->decoder);
  *sync = (Sync){.watch = {.is_over = true}};
  return grpc_stream_prepare(request, state, &handler, sync, &sync->watch.stream);
}
