/* grpc_stream.c - one loop hands over the client's messages as long as nothing holds them up: work under way, a reader that is behind. What
 * comes meanwhile stays in the connection's window, which the sender feels as backpressure. */
#include "api/grpc_stream.h"

enum { FRAME_BYTES_MAX = 256 * 1024 * 1024 };

static void run(GrpcStream *stream);

static GrpcStream *stream_of(HttpExchange *exchange) { return grpc_state_of(exchange)->stream; }

/* ---- The end ---- */

static void tell_end(GrpcStream *stream) {
  ApiRequest *request = stream->request;
  stream->is_over = true;
  if (stream->problem != NULL) request->problem = stream->problem;
  if (request->exchange->is_cancelled) {
    http_abort(request->exchange);
  } else if (stream->is_begun) {
    grpc_wire_end(&stream->state->wire, request, stream->problem);
  } else if (stream->problem != NULL) {
    request->face->encode_problem(request);
    request->respond(request);
  } else {
    grpc_stream_begin(stream);
    grpc_wire_end(&stream->state->wire, request, NULL);
  }
}

void grpc_stream_hold(GrpcStream *stream) { stream->holds++; }

void grpc_stream_release(GrpcStream *stream) {
  stream->holds--;
  if (stream->holds == 0 && stream->is_ended && !stream->is_over) tell_end(stream);
}

/* Whoever works for the stream is told to stop, and the end waits for that. */
void grpc_stream_end(GrpcStream *stream, const Problem *problem) {
  if (stream->is_ended) return;
  stream->is_ended = true;
  stream->problem = problem;
  grpc_stream_hold(stream);
  if (stream->handler->stop != NULL) stream->handler->stop(stream);
  grpc_stream_release(stream);
}

void grpc_stream_set_busy(GrpcStream *stream, bool is_busy) {
  stream->is_busy = is_busy;
  if (is_busy) {
    grpc_stream_hold(stream);
    return;
  }
  grpc_stream_release(stream);
  if (!stream->is_ended) run(stream);
}

/* ---- Messages that go ---- */

void grpc_stream_begin(GrpcStream *stream) {
  if (stream->is_begun) return;
  stream->is_begun = true;
  grpc_wire_begin(&stream->state->wire, stream->request, stream->header);
}

static void fail(GrpcStream *stream, Code code, Str detail) {
  grpc_stream_end(stream, problem_create(stream->request->exchange->arena, code, detail));
}

bool grpc_stream_send(GrpcStream *stream, Str message) {
  if (stream->is_over || stream->request->exchange->is_cancelled) return true;
  Str text = message;
  Error err = {0};
  Code code = CODE_OK;
  if (stream->state->wire.is_json) {
    Arena *arena = arena_create(0);
    code = arena == NULL ? error_no_memory(&err)
                         : grpc_write_message(stream->state, stream->state->method->response, message, arena, &text, &err);
    if (code == CODE_OK) {
      grpc_stream_begin(stream);
      stream->is_full = !grpc_wire_write(&stream->state->wire, stream->request, text, &stream->scratch);
    }
    arena_destroy(arena);
  } else {
    grpc_stream_begin(stream);
    stream->is_full = !grpc_wire_write(&stream->state->wire, stream->request, message, &stream->scratch);
  }
  if (code == CODE_OK) code = stream->scratch.failed;
  if (code != CODE_OK) fail(stream, code, code == CODE_TOO_LARGE ? STR("A message would be too large") : STR("out of memory"));
  return !stream->is_full;
}

static void on_writable(HttpExchange *exchange) {
  GrpcStream *stream = stream_of(exchange);
  if (!stream->is_full) return;
  stream->is_full = false;
  if (stream->is_ended) return;
  if (stream->handler->writable != NULL) stream->handler->writable(stream);
  run(stream);
}

/* ---- Messages that come ---- */

static void take(GrpcStream *stream, Str bytes) {
  const ProtoNode *message = NULL;
  Error err = {0};
  /* While work for it is under way others come, and what they came in moves. */
  Str kept = arena_str(stream->arena, bytes);
  Code code = kept.ptr == NULL ? error_no_memory(&err)
                               : grpc_read_message(stream->state, stream->state->method->request, kept, stream->arena, &message, &err);
  stream->message_count++;
  if (code == CODE_OK)
    stream->handler->message(stream, message);
  else
    grpc_stream_end(stream, problem_from_error(stream->request->exchange->arena, &err));
}

/* One message, if it is there; false: it is not. */
static bool read_one(GrpcStream *stream) {
  Str bytes = str_slice(buf_str(&stream->received), stream->received_at, stream->received.len), message;
  bool has_message = false;
  Error err = {0};
  arena_reset(stream->arena);
  Code code = grpc_frame_read(&stream->frames, &bytes, stream->arena, &message, &has_message, &err);
  stream->received_at = stream->received.len - bytes.len;
  if (code != CODE_OK)
    grpc_stream_end(stream, problem_from_error(stream->request->exchange->arena, &err));
  else if (has_message)
    take(stream, message);
  return has_message;
}

static bool may_read(const GrpcStream *stream) {
  return !stream->is_ended && !stream->is_busy && !stream->is_full && !stream->is_paused && stream->handler->message != NULL;
}

static void half_close(GrpcStream *stream) {
  stream->is_half_closed = true;
  if (grpc_frame_is_partial(&stream->frames)) {
    fail(stream, CODE_BAD_REQUEST, STR("The last message broke off"));
  } else if (stream->handler->half_closed != NULL) {
    stream->handler->half_closed(stream);
  } else {
    grpc_stream_end(stream, NULL);
  }
}

/* A handler's work may be done before it returns: this loop keeps that from becoming recursion. */
static void run(GrpcStream *stream) {
  if (stream->is_running) return;
  stream->is_running = true;
  while (may_read(stream) && read_one(stream)) {}
  bool is_all_read = stream->received_at == stream->received.len;
  if (is_all_read) {
    stream->received_at = 0;
    buf_clear(&stream->received);
  }
  if (may_read(stream) && is_all_read && stream->is_body_over && !stream->is_half_closed) half_close(stream);
  stream->is_running = false;
  if (!stream->is_read_paused || stream->is_over || !may_read(stream)) return;
  stream->is_read_paused = false;
  http_read_more(stream->request->exchange);
}

static bool on_body(HttpExchange *exchange, Str bytes) {
  GrpcStream *stream = stream_of(exchange);
  if (stream->is_ended) return true;
  buf_add(&stream->received, bytes);
  if (stream->received.failed != CODE_OK) fail(stream, CODE_UNAVAILABLE, STR("out of memory"));
  run(stream);
  stream->is_read_paused = !stream->is_ended && stream->received_at < stream->received.len;
  return !stream->is_read_paused;
}

static void on_body_end(HttpExchange *exchange, Code code) {
  GrpcStream *stream = stream_of(exchange);
  stream->is_body_over = true;
  if (code != CODE_OK)
    fail(stream, code, code == CODE_TIMEOUT ? STR("The messages came too slowly") : STR("The stream broke off"));
  else
    run(stream);
}

/* ---- What ends it from outside ---- */

static void on_cancel(HttpExchange *exchange) { grpc_stream_end(stream_of(exchange), NULL); }

static void on_deadline(HttpExchange *exchange) { fail(stream_of(exchange), CODE_TIMEOUT, STR("The time that the client gave is over")); }

static void on_drain(HttpExchange *exchange) { fail(stream_of(exchange), CODE_UNAVAILABLE, STR("The server is being stopped")); }

/* ---- The beginning ---- */

static void start(ApiRequest *request) {
  HttpExchange *exchange = request->exchange;
  GrpcStream *stream = ((GrpcState *)request->face_state)->stream;
  bool takes_messages = stream->handler->message != NULL;
  exchange->on_writable = on_writable;
  exchange->on_cancel = on_cancel;
  exchange->on_deadline = on_deadline;
  if (!takes_messages) {
    if (stream->handler->writable != NULL) stream->handler->writable(stream);
    return;
  }
  exchange->is_patient = true;
  exchange->on_body = on_body;
  exchange->on_body_end = on_body_end;
  exchange->on_drain = on_drain;
  /* Both sides speak as they like: the head says that they may. */
  if (stream->state->method->is_server_streaming) grpc_stream_begin(stream);
}

static void stream_done(void *context) {
  GrpcStream *stream = context;
  arena_destroy(stream->arena);
  buf_done(&stream->scratch);
  buf_done(&stream->received);
  grpc_frame_reader_done(&stream->frames);
}

Code grpc_stream_prepare(ApiRequest *request, GrpcState *state, const GrpcStreamHandler *handler, void *own, GrpcStream **ret) {
  Arena *arena = request->exchange->arena;
  GrpcStream *stream = ARENA_NEW(arena, GrpcStream);
  if (stream == NULL) {
    request->problem = problem_no_memory(arena);
    return CODE_UNAVAILABLE;
  }
  *stream = (GrpcStream){.request = request,
                         .state = state,
                         .handler = handler,
                         .own = own,
                         .arena = arena_create(0),
                         .scratch = buf_on_heap(FRAME_BYTES_MAX),
                         .received = buf_on_heap(FRAME_BYTES_MAX)};
  grpc_frame_reader_init(&stream->frames, state->grpc->limits.message_bytes_max, state->wire.has_compression);
  if (stream->arena == NULL || !arena_defer(arena, stream_done, stream)) {
    stream_done(stream);
    request->problem = problem_no_memory(arena);
    return CODE_UNAVAILABLE;
  }
  state->stream = stream;
  request->stream = start;
  if (ret != NULL) *ret = stream;
  return CODE_OK;
}
