/* grpc_import.c - rows that come one by one and are created in pieces, each a transaction, so that memory is bounded whatever their number
 * (rest_import.c does the same over REST). Where a row is refused the status says which one, and how many before it are stored for good. */
#include "api/grpc_methods.h"
#include "api/import_pace.h"
#include "api/proto_decode.h"
#include "codec/protobuf.h"

enum { IMPORT_DEPTH_MAX = 256, MESSAGE_BYTES_MAX = 16 };

typedef struct Import {
  GrpcStream *stream;
  Arena *arena; /* of the piece */
  VEC(JsonValue) rows;
  size_t bytes;
  ImportPace pace;
  uint64_t first, created; /* the place of the piece's first row among all */
  JsonValue array;
  Call call;
  CallGroup group;
  bool is_last;
  Problem counted; /* of the end, which takes no memory: what is stored is to be told */
} Import;

/* ---- The end ---- */

/* What went before is told, too. */
static void end_refused(Import *import, const Problem *problem) {
  if (import->stream->is_ended) return;
  import->counted = *problem_kept(problem, import->stream->request->exchange->arena);
  import->counted.has_created = true;
  import->counted.created = import->created;
  grpc_stream_end(import->stream, &import->counted);
}

static void end_created(Import *import) {
  GrpcStream *stream = import->stream;
  if (stream->is_ended) return;
  const ProtoField *field = proto_field(stream->state->method->response, STR("created_count"));
  char bytes[MESSAGE_BYTES_MAX];
  Buf out = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
  if (field != NULL && import->created > 0) protobuf_add_uint(&out, field->number, import->created);
  (void)grpc_stream_send(stream, buf_str(&out));
  grpc_stream_end(stream, NULL);
}

/* ---- Pieces ---- */

static void clear_piece(Import *import) {
  arena_reset(import->arena);
  memset(&import->rows, 0, sizeof import->rows);
  import->bytes = 0;
}

static void piece_done(CallGroup *group) {
  Import *import = group->context;
  const Problem *problem = import->call.result.problem;
  import_pace_end(&import->pace, loop_now_ms(import->stream->request->exchange->loop), group->has_waiting);
  if (problem != NULL) {
    end_refused(import, problem);
  } else {
    import->created += import->rows.count;
    import->first += import->rows.count;
  }
  clear_piece(import);
  if (problem == NULL && import->is_last) end_created(import);
  grpc_stream_set_busy(import->stream, false);
}

static void write_piece(Import *import) {
  ApiRequest *request = import->stream->request;
  import->array = (JsonValue){.type = JSON_ARRAY, .items = import->rows.items, .count = import->rows.count};
  import->call = request->group.calls[0];
  import->call.sink = NULL;
  import->call.operation.selection = NULL;
  import->call.operation.input = &import->array;
  import->call.operation.is_import = true;
  import->call.operation.input_first = import->first;
  import->group = (CallGroup){.calls = &import->call, .count = 1, .arena = import->arena, .done = piece_done, .context = import};
  grpc_stream_set_busy(import->stream, true);
  import_pace_begin(&import->pace, loop_now_ms(request->exchange->loop));
  if (engine_plan(request->engine, &import->group) == CODE_OK)
    engine_execute(request->engine, &import->group);
  else
    piece_done(&import->group);
}

/* ---- Messages ---- */

static const ProtoNode *row_of(const Import *import, const ProtoNode *message) {
  const ProtoField *field = grpc_row_field(message->type, import->stream->state->method->resource);
  return field == NULL ? NULL : proto_child(message, field->name);
}

/* A row that can't be read; rows count from 1. */
static void end_bad_row(Import *import, Code code, const char *text) {
  Arena *arena = import->stream->request->exchange->arena;
  Str detail = arena_printf(arena, "row %llu: %s", (unsigned long long)import->stream->message_count, text);
  end_refused(import, problem_create(arena, code, detail.ptr == NULL ? STR("a row can't be read") : detail));
}

static void on_message(GrpcStream *stream, const ProtoNode *message) {
  Import *import = stream->own;
  const ProtoNode *row = row_of(import, message);
  JsonValue borrowed, *kept = ARENA_NEW(import->arena, JsonValue);
  Error err = {0};
  if (row == NULL) {
    end_bad_row(import, CODE_BAD_REQUEST, "the message has no row");
    return;
  }
  Code code = proto_input(row, PROTO_INPUT_CREATE, NULL, 0, stream->arena, &borrowed, &err);
  if (code == CODE_OK && kept != NULL) {
    /* The message goes with the next one: the row is kept as text until its piece is full. */
    Buf text = buf_on(import->arena, stream->state->grpc->limits.message_bytes_max * 8);
    json_write(&text, &borrowed);
    Str json;
    code = buf_finish(&text, &json, &err);
    if (code == CODE_OK) code = json_parse(json, IMPORT_DEPTH_MAX, import->arena, kept, &err);
    import->bytes += json.len;
  }
  if (code != CODE_OK) {
    end_bad_row(import, code, err.text);
  } else if (kept == NULL || !VEC_PUSH(import->arena, &import->rows, *kept)) {
    end_bad_row(import, CODE_UNAVAILABLE, "out of memory");
  } else if (import_pace_is_full(&import->pace, import->rows.count, import->bytes)) {
    write_piece(import);
  }
}

static void on_half_closed(GrpcStream *stream) {
  Import *import = stream->own;
  import->is_last = true;
  if (import->rows.count > 0)
    write_piece(import);
  else
    end_created(import);
}

static const GrpcStreamHandler handler = {.message = on_message, .half_closed = on_half_closed};

/* ---- Preparation ---- */

static void import_done(void *context) { arena_destroy(((Import *)context)->arena); }

Code grpc_import_decode(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_CREATE;
  Arena *arena = request->exchange->arena;
  Import *import = ARENA_NEW(arena, Import);
  if (import == NULL) return rest_no_memory(&state->decoder);
  import->pace = import_pace();
  import->arena = arena_create(0);
  if (import->arena == NULL || !arena_defer(arena, import_done, import)) {
    import_done(import);
    return rest_no_memory(&state->decoder);
  }
  return grpc_stream_prepare(request, state, &handler, import, &import->stream);
}
