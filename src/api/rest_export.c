/* rest_export.c - a list as NDJSON or CSV (RFC 4180): page after page is read and written, as fast as its reader takes it, so that memory
 * is bounded whatever the number of rows. Each page is a read of its own: rows that stay are given exactly once, rows that come and go
 * meanwhile may be there or not. A list that is longer than it may be ends with a trailer that says where it goes on. */
#include "api/problem_json.h"
#include "api/rest_state.h"
#include "codec/csv.h"

enum { EXPORT_PAGE_ROWS = 1000, EXPORT_CURSOR_BYTES_MAX = 64 * 1024, EXPORT_CELL_BYTES_MAX = 64 * 1024 * 1024 };

typedef enum ExportState { EXPORT_READY = 0, EXPORT_READING, EXPORT_FULL, EXPORT_OVER } ExportState;

typedef struct Export {
  ResultSink sink; /* first: the engine knows only this */
  ApiRequest *request;
  RestState *rest;
  ExportState state;
  Arena *arena; /* the page's */
  Buf out;      /* the page's rows; on the heap, as all that lives longer than a page */
  Buf cell, cursor;
  Call call;
  CallGroup group;
  int64_t rows_left, page_rows;
  bool is_begun, is_running, is_parent_seen;
} Export;

RestStreamFormat rest_export_format(Str accept) {
  if (accept.ptr == NULL) return REST_STREAM_NONE;
  int json = accept_weight(accept, STR("application/json"));
  int ndjson = accept_weight(accept, STR("application/x-ndjson")), csv = accept_weight(accept, STR("text/csv"));
  int jsonl = accept_weight(accept, STR("application/jsonl"));
  if (jsonl > ndjson) ndjson = jsonl;
  if (ndjson <= json && csv <= json) return REST_STREAM_NONE;
  return csv > ndjson ? REST_STREAM_CSV : REST_STREAM_NDJSON;
}

/* ---- Rows ---- */

static void write_csv_row(Export *export, const Selection *selection, const Value *values, bool *is_first);

static void write_csv_value(Export *export, const SelectionItem *item, const Value *value) {
  if (value->type == VALUE_NULL) return;
  if (value->type == VALUE_TEXT) {
    csv_write_cell(&export->out, value->text);
    return;
  }
  buf_clear(&export->cell);
  rest_write_value(export->rest->decoder.map, item->face, item->nested, value, &export->cell);
  if (export->cell.failed != CODE_OK) export->out.failed = export->cell.failed;
  Str text = buf_str(&export->cell);
  /* Decimals, times and bytes are strings in JSON without anything to escape; lists and objects stay JSON. */
  bool is_quoted = value->type != VALUE_JSON && text.len >= 2 && text.ptr[0] == '"';
  csv_write_cell(&export->out, is_quoted ? str_slice(text, 1, text.len - 1) : text);
}

/* A to-one relation that is not there, or hidden: its columns are empty. */
static void write_csv_absent(Export *export, const Selection *selection, bool *is_first) {
  for (size_t i = 0; i < selection->count; i++) {
    if (selection->items[i].nested != NULL) {
      write_csv_absent(export, selection->items[i].nested, is_first);
      continue;
    }
    if (!*is_first) buf_add_byte(&export->out, ',');
    *is_first = false;
  }
}

static void write_csv_row(Export *export, const Selection *selection, const Value *values, bool *is_first) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    if (item->nested != NULL && values[i].type == VALUE_ROW) {
      write_csv_row(export, item->nested, values[i].row, is_first);
    } else if (item->nested != NULL) {
      write_csv_absent(export, item->nested, is_first);
    } else {
      if (!*is_first) buf_add_byte(&export->out, ',');
      *is_first = false;
      write_csv_value(export, item, &values[i]);
    }
  }
}

/* category.name for what stands in a to-one relation. */
static void write_csv_names(Buf *out, const Selection *selection, Str prefix, Arena *arena, bool *is_first) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    Buf name = buf_on(arena, EXPORT_CURSOR_BYTES_MAX);
    buf_add(&name, prefix);
    if (prefix.len > 0) buf_add_byte(&name, '.');
    buf_add(&name, item->name);
    if (name.failed != CODE_OK) out->failed = name.failed;
    if (item->nested != NULL) {
      write_csv_names(out, item->nested, buf_str(&name), arena, is_first);
      continue;
    }
    if (!*is_first) buf_add_byte(out, ',');
    *is_first = false;
    buf_add(out, buf_str(&name));
  }
}

static Code export_row(ResultSink *sink, const Selection *selection, const Value *values, Error *err) {
  Export *export = (Export *)sink;
  if (export->rest->stream == REST_STREAM_CSV) {
    bool is_first = true;
    write_csv_row(export, selection, values, &is_first);
    buf_add(&export->out, STR("\r\n"));
  } else {
    rest_write_row(export->rest->decoder.map, selection, values, &export->out);
    buf_add_byte(&export->out, '\n');
  }
  if (export->out.failed == CODE_OK) return CODE_OK;
  if (export->out.failed != CODE_TOO_LARGE) return error_no_memory(err);
  return error_set(err, CODE_TOO_LARGE, "the rows are too large");
}

static void export_restart(ResultSink *sink) { buf_clear(&((Export *)sink)->out); }

/* ---- The answer ---- */

static void export_fail(Export *export, const Problem *problem) {
  ApiRequest *request = export->request;
  export->state = EXPORT_OVER;
  /* What has begun can only be cut, which its reader sees. */
  if (export->is_begun) {
    request->problem = problem;
    http_abort(request->exchange);
    return;
  }
  request->problem = problem;
  request->face->encode_problem(request);
  request->respond(request);
}

/* False when memory is out for the names of the columns. */
static bool export_begin(Export *export) {
  static const HttpHeader ndjson[] = {{STR_INIT("content-type"), STR_INIT("application/x-ndjson")}, {STR_INIT("vary"), STR_INIT("accept")}};
  static const HttpHeader csv[] = {{STR_INIT("content-type"), STR_INIT("text/csv; charset=utf-8; header=present")},
                                   {STR_INIT("vary"), STR_INIT("accept")}};
  ApiRequest *request = export->request;
  bool is_csv = export->rest->stream == REST_STREAM_CSV;
  request->response = (HttpResponse){.status = 200, .headers = is_csv ? csv : ndjson, .header_count = 2};
  export->is_begun = true;
  request->begin(request);
  if (!is_csv) return true;
  Buf names = buf_on(export->arena, EXPORT_CELL_BYTES_MAX);
  bool is_first = true;
  write_csv_names(&names, export->rest->main->operation.selection, (Str){0}, export->arena, &is_first);
  buf_add(&names, STR("\r\n"));
  if (names.failed != CODE_OK) return false;
  (void)http_write(request->exchange, buf_str(&names));
  return true;
}

static void export_end(Export *export, Str next_cursor) {
  HttpHeader trailer = {STR("link"), (Str){0}};
  if (next_cursor.ptr != NULL) trailer.value = rest_page_link(export->request, next_cursor, STR("after"), STR("next"));
  /* Without it what is cut short would look whole. */
  if (next_cursor.ptr != NULL && trailer.value.ptr == NULL) {
    export_fail(export, problem_no_memory(export->request->exchange->arena));
    return;
  }
  export->state = EXPORT_OVER;
  http_end(export->request->exchange, &trailer, trailer.value.ptr != NULL);
}

/* ---- Pages ---- */

static void export_run(Export *export);

/* A page of rows that are too large together is asked for again in a smaller one. */
static bool can_be_smaller(Export *export, const Problem *problem) {
  if (problem->code != CODE_TOO_LARGE || export->page_rows == 1) return false;
  export->page_rows = export->page_rows / 8 > 0 ? export->page_rows / 8 : 1;
  export->state = EXPORT_READY;
  return true;
}

static void export_page_write(Export *export, const Result *result) {
  HttpExchange *exchange = export->request->exchange;
  if (!export->is_begun && !export_begin(export)) {
    export_fail(export, problem_no_memory(exchange->arena));
    return;
  }
  bool can_go_on = http_write(exchange, buf_str(&export->out));
  export->rows_left -= (int64_t)result->row_count;
  bool is_last = result->next_cursor.ptr == NULL || export->rows_left <= 0 || exchange->request.method == HTTP_HEAD;
  buf_clear(&export->cursor);
  if (result->next_cursor.ptr != NULL) buf_add(&export->cursor, result->next_cursor);
  if (is_last) {
    export_end(export, result->next_cursor);
  } else if (export->cursor.failed != CODE_OK) {
    export_fail(export, problem_no_memory(exchange->arena));
  } else {
    export->state = can_go_on ? EXPORT_READY : EXPORT_FULL;
  }
}

static void export_page_done(CallGroup *group) {
  Export *export = group->context;
  const Problem *problem = rest_group_problem(group);
  if (export->request->exchange->is_cancelled) {
    export->state = EXPORT_OVER;
    http_abort(export->request->exchange);
  } else if (problem == NULL && !export->is_parent_seen) {
    export->is_parent_seen = true;
    export->state = EXPORT_READY;
  } else if (problem == NULL) {
    export_page_write(export, &export->call.result);
  } else if (!can_be_smaller(export, problem)) {
    export_fail(export, problem);
  }
  export_run(export);
}

/* The parent of a sub-resource is looked for once, before the first page: pages may be read on another thread. */
static void export_page(Export *export) {
  const CallGroup *from = &export->request->group;
  arena_reset(export->arena);
  buf_clear(&export->out);
  Call *call = &export->call;
  *call = from->calls[export->is_parent_seen ? from->count - 1 : 0];
  call->arena = NULL; /* the page's */
  export->group = (CallGroup){.calls = call,
                              .count = 1,
                              .arena = export->arena,
                              .done = export_page_done,
                              .context = export,
                              .is_abandoned = &export->request->exchange->is_cancelled,
                              .freshness = export->request->group.freshness};
  if (export->is_parent_seen) {
    call->sink = &export->sink;
    call->operation.list.limit = export->rows_left < export->page_rows ? export->rows_left : export->page_rows;
    if (export->cursor.len > 0) call->operation.list.after = buf_str(&export->cursor);
  }
  export->state = EXPORT_READING;
  if (engine_plan(export->request->engine, &export->group) == CODE_OK) {
    engine_execute(export->request->engine, &export->group);
  } else {
    export_page_done(&export->group);
  }
}

/* A page may be done before engine_execute returns: this loop keeps that from becoming recursion. */
static void export_run(Export *export) {
  if (export->is_running) return;
  export->is_running = true;
  while (export->state == EXPORT_READY) export_page(export);
  export->is_running = false;
}

static void export_on_writable(HttpExchange *exchange) {
  ApiRequest *request = exchange->user;
  RestState *state = request->face_state;
  Export *export = state->stream_state;
  if (export->state != EXPORT_FULL) return;
  export->state = EXPORT_READY;
  export_run(export);
}

static void export_on_cancel(HttpExchange *exchange) {
  ApiRequest *request = exchange->user;
  RestState *state = request->face_state;
  Export *export = state->stream_state;
  if (export->state != EXPORT_FULL) return; /* a page under way hears of it when it is done */
  export->state = EXPORT_OVER;
  http_abort(exchange);
}

static void export_stream(ApiRequest *request) {
  RestState *state = request->face_state;
  Export *export = state->stream_state;
  request->exchange->on_writable = export_on_writable;
  request->exchange->on_cancel = export_on_cancel;
  export_run(export);
}

/* ---- Preparation ---- */

static const SelectionItem *find_list(const Selection *selection) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    if (item->field->kind == FIELD_TO_MANY) return item;
    const SelectionItem *nested = item->nested == NULL ? NULL : find_list(item->nested);
    if (nested != NULL) return nested;
  }
  return NULL;
}

static Code check_query(RestState *state) {
  const Operation *operation = &state->main->operation;
  RestDecoder *decoder = &state->decoder;
  if (operation->list.is_counted)
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("ask for application/json with limit=0 to count"), "A stream of rows has no count");
  if (operation->list.before.ptr != NULL)
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("sort the other way round and use after="), "A stream of rows goes forwards only");
  const SelectionItem *list = state->stream == REST_STREAM_CSV ? find_list(operation->selection) : NULL;
  if (list == NULL) return CODE_OK;
  return rest_refuse(decoder, CODE_BAD_REQUEST, STR("Accept: application/x-ndjson"), "CSV has no place for the list %.*s",
                     STR_ARGS(list->name));
}

static void export_done(void *context) {
  Export *export = context;
  arena_destroy(export->arena);
  buf_done(&export->out);
  buf_done(&export->cell);
  buf_done(&export->cursor);
}

Code rest_export_prepare(ApiRequest *request, RestState *state) {
  TRY(check_query(state));
  Arena *arena = request->exchange->arena;
  Export *export = ARENA_NEW(arena, Export);
  if (export == NULL) return rest_no_memory(&state->decoder);
  const EngineLimits *limits = &request->api->limits;
  Call *list = &request->group.calls[request->group.count - 1];
  *export = (Export){.sink = {.row = export_row, .restart = export_restart},
                     .request = request,
                     .rest = state,
                     .arena = arena_create(0),
                     .out = buf_on_heap(limits->result_bytes_max),
                     .cell = buf_on_heap(EXPORT_CELL_BYTES_MAX),
                     .cursor = buf_on_heap(EXPORT_CURSOR_BYTES_MAX),
                     .is_parent_seen = request->group.count == 1,
                     .page_rows = EXPORT_PAGE_ROWS,
                     .rows_left = list->operation.list.limit < 0 ? limits->export_rows_max : list->operation.list.limit};
  if (export->arena == NULL) return rest_no_memory(&state->decoder);
  if (!arena_defer(arena, export_done, export)) {
    export_done(export);
    return rest_no_memory(&state->decoder);
  }
  list->operation.list.is_export = true;
  state->stream_state = export;
  request->stream = export_stream;
  return CODE_OK;
}
