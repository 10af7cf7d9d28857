/* grpc_export.c - a list of any length, a message for each row: page after page is read and written, as fast as its reader takes it
 * (rest_export.c does the same over REST). Each page is a read of its own: rows that stay are given exactly once. */
#include "api/grpc_methods.h"
#include "codec/protobuf.h"

enum { EXPORT_PAGE_ROWS = 1000, EXPORT_CURSOR_BYTES_MAX = 64 * 1024 };

typedef struct Export {
  ResultSink sink; /* first: the engine knows only this */
  GrpcStream *stream;
  uint32_t number;  /* of the row in its message */
  Arena *arena;     /* the page's */
  ProtoOut rows;    /* the page's messages, one behind the other, on its arena */
  Buf cursor;       /* on the heap, as all that lives longer than a page */
  VEC(size_t) ends; /* where each of them ends, on the page's arena */
  size_t sent;      /* of them */
  Call call;
  CallGroup group;
  int64_t rows_left, page_rows;
  bool is_last; /* there is no page behind this */
  bool has_page;
} Export;

/* ---- Rows ---- */

static Code export_row(ResultSink *sink, const Selection *selection, const Value *values, Error *err) {
  Export *export = (Export *)sink;
  Buf *out = &export->rows.buf;
  size_t row = protobuf_begin(out, export->number);
  proto_write_row(&export->rows, selection, values);
  protobuf_end(out, row);
  if (export->rows.scratch != NULL) arena_reset(export->rows.scratch);
  if (out->failed == CODE_TOO_LARGE) return error_set(err, CODE_TOO_LARGE, "the rows are too large");
  if (out->failed != CODE_OK || !VEC_PUSH(export->arena, &export->ends, out->len)) return error_no_memory(err);
  return CODE_OK;
}

static void export_restart(ResultSink *sink) {
  Export *export = (Export *)sink;
  buf_clear(&export->rows.buf);
  export->ends.count = 0;
}

/* ---- Pages ---- */

static void export_go_on(GrpcStream *stream);

/* A page of rows that are too large together is asked for again in a smaller one. */
static bool can_be_smaller(Export *export, const Problem *problem) {
  if (problem->code != CODE_TOO_LARGE || export->page_rows == 1) return false;
  export->page_rows = export->page_rows / 8 > 0 ? export->page_rows / 8 : 1;
  return true;
}

static void page_is_there(Export *export) {
  const Result *result = &export->call.result;
  export->has_page = true;
  export->rows_left -= (int64_t)result->row_count;
  export->is_last = result->next_cursor.ptr == NULL || export->rows_left <= 0;
  buf_clear(&export->cursor);
  if (result->next_cursor.ptr != NULL) buf_add(&export->cursor, result->next_cursor);
  if (export->cursor.failed != CODE_OK) grpc_stream_end(export->stream, problem_no_memory(export->stream->request->exchange->arena));
}

/* The page's arena goes: its problem moves to the request's. */
static void page_done(CallGroup *group) {
  Export *export = group->context;
  const Problem *problem = export->call.result.problem;
  if (problem == NULL) {
    page_is_there(export);
  } else if (!can_be_smaller(export, problem)) {
    grpc_stream_end(export->stream, problem_kept(problem, export->stream->request->exchange->arena));
  }
  grpc_stream_set_busy(export->stream, false);
  export_go_on(export->stream);
}

static void read_page(Export *export) {
  ApiRequest *request = export->stream->request;
  arena_reset(export->arena);
  export->rows = proto_out(export->arena, request->api->limits.result_bytes_max);
  memset(&export->ends, 0, sizeof export->ends);
  export->sent = 0;
  export->has_page = false;
  export->call = request->group.calls[0];
  export->call.sink = &export->sink;
  export->call.arena = NULL; /* the page's */
  export->call.operation.list.limit = export->rows_left < export->page_rows ? export->rows_left : export->page_rows;
  if (export->cursor.len > 0) export->call.operation.list.after = buf_str(&export->cursor);
  export->group = (CallGroup){.calls = &export->call,
                              .count = 1,
                              .arena = export->arena,
                              .done = page_done,
                              .context = export,
                              .deadline_us = request->exchange->deadline_us,
                              .is_abandoned = &request->exchange->is_cancelled};
  grpc_stream_set_busy(export->stream, true);
  if (engine_plan(request->engine, &export->group) == CODE_OK)
    engine_execute(request->engine, &export->group);
  else
    page_done(&export->group);
}

/* False: the reader is behind. */
static bool send_rows(Export *export) {
  while (export->sent < export->ends.count) {
    size_t begin = export->sent == 0 ? 0 : export->ends.items[export->sent - 1], end = export->ends.items[export->sent];
    export->sent++;
    if (!grpc_stream_send(export->stream, str_slice(buf_str(&export->rows.buf), begin, end))) return false;
    if (export->stream->is_ended) return false;
  }
  return true;
}

/* A page may be done before engine_execute returns: this loop keeps that from becoming recursion. */
static void export_go_on(GrpcStream *stream) {
  Export *export = stream->own;
  if (stream->is_running) return;
  stream->is_running = true;
  while (!stream->is_ended && !stream->is_busy && !stream->is_full) {
    if (!export->has_page)
      read_page(export);
    else if (!send_rows(export))
      break;
    else if (export->is_last)
      grpc_stream_end(stream, NULL);
    else
      export->has_page = false;
  }
  stream->is_running = false;
}

static const GrpcStreamHandler handler = {.writable = export_go_on};

/* ---- Preparation ---- */

static void export_done(void *context) {
  Export *export = context;
  arena_destroy(export->arena);
  buf_done(&export->cursor);
}

Code grpc_export_decode(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_LIST;
  TRY(grpc_decode_list(state, &operation->list));
  TRY(grpc_decode_mask(request, state, &operation->selection));
  operation->list.is_export = true;
  Arena *arena = request->exchange->arena;
  Export *export = ARENA_NEW(arena, Export);
  if (export == NULL) return rest_no_memory(&state->decoder);
  *export = (Export){.sink = {.row = export_row, .restart = export_restart},
                     .number = grpc_row_field(state->method->response, operation->resource)->number,
                     .arena = arena_create(0),
                     .cursor = buf_on_heap(EXPORT_CURSOR_BYTES_MAX),
                     .page_rows = EXPORT_PAGE_ROWS,
                     .rows_left = request->api->limits.export_rows_max};
  if (export->arena == NULL || !arena_defer(arena, export_done, export)) {
    export_done(export);
    return rest_no_memory(&state->decoder);
  }
  return grpc_stream_prepare(request, state, &handler, export, &export->stream);
}
