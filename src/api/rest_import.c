/* rest_import.c - rows that come as NDJSON or CSV and are created as they come, so that memory is bounded whatever their number. While one
 * piece is written the next one is read; a third one is not read before the first is done, which the sender feels as backpressure. Each
 * piece is a transaction: where a row is refused, the answer says which one, and how many before it are stored for good. */
#include <stdio.h>

#include "api/import_pace.h"
#include "api/problem_json.h"
#include "api/rest_body.h"
#include "api/rest_state.h"
#include "base/utf8.h"
#include "codec/csv.h"

/* What a compressed body gives at once, however much of it has come: memory does not follow what it promises. */
enum { IMPORT_DECODED_BYTES = 64 * 1024 };
enum { IMPORT_ROW_BYTES_MAX = 1024 * 1024, IMPORT_COLUMNS_MAX = 1000, IMPORT_ANSWER_BYTES_MAX = 40 };

typedef struct Import Import;

/* Rows that are created together. */
typedef struct ImportBatch {
  Import *import;
  Arena *arena; /* until it is written */
  VEC(JsonValue) rows;
  JsonValue array;
  size_t bytes;
  uint64_t first; /* the place of its first row among all */
  Call calls[REST_CALLS_MAX];
  CallGroup group;
} ImportBatch;

struct Import {
  ApiRequest *request;
  RestState *rest;
  ImportBatch batches[2];
  Arena *input;   /* of the rows that are being read, until they are validated */
  size_t filling; /* which of them; the other one is empty or being written */
  ImportPace pace;
  Buf received; /* what came and is not yet read, from received_at on; on the heap */
  size_t received_at;
  Decompressor *decompressor; /* of a body that is coded; NULL: it comes as it is */
  Buf coded;                  /* likewise: what came and is not yet decoded, from coded_at on; on the heap */
  size_t coded_at;
  uint64_t decoded;    /* bytes */
  bool is_more_inside; /* the decompressor may have more without another byte */
  Buf line;            /* of NDJSON: what came of a line whose end has not; on the heap */
  CsvReader csv;
  const Field **columns; /* of CSV; NULL: the first record has not come */
  size_t column_count;
  uint64_t line_number, row_count, created;
  const Problem *problem;
  /* The end takes no memory: what is stored is to be told. */
  char answer[IMPORT_ANSWER_BYTES_MAX];
  Problem counted;
  bool is_running, is_writing, is_paused, is_body_over, is_answered;
  bool is_too_slow; /* the body is: 408, as for one that is taken whole */
};

RestStreamFormat rest_import_format(const HttpRequest *request) {
  if (request->method != HTTP_POST) return REST_STREAM_NONE;
  Str type, parameters;
  if (!media_type_parse(http_request_header(request, STR("content-type")), &type, &parameters)) return REST_STREAM_NONE;
  if (str_equal_ignore_case(type, STR("text/csv"))) return REST_STREAM_CSV;
  bool is_ndjson = str_equal_ignore_case(type, STR("application/x-ndjson")) || str_equal_ignore_case(type, STR("application/ndjson")) ||
                   str_equal_ignore_case(type, STR("application/jsonl"));
  return is_ndjson ? REST_STREAM_NDJSON : REST_STREAM_NONE;
}

/* ---- Refusals ---- */

static void import_refuse(Import *import, const Problem *problem) {
  if (import->problem == NULL) import->problem = problem;
}

static void import_no_memory(Import *import) { import_refuse(import, problem_no_memory(import->request->exchange->arena)); }

/* A row that can't be read; lines count from 1. */
static void import_bad_line(Import *import, Code code, uint64_t line, Str text) {
  Arena *arena = import->request->exchange->arena;
  Str detail = arena_printf(arena, "line %llu: %.*s", (unsigned long long)line, STR_ARGS(text));
  import_refuse(import, problem_create(arena, code, detail.ptr == NULL ? STR("a line can't be read") : detail));
}

static void import_bad_record(Import *import, const Error *err) {
  import_refuse(import, problem_from_error(import->request->exchange->arena, err));
}

/* ---- Rows ---- */

static void import_add_row(Import *import, const JsonValue *row, size_t bytes) {
  ImportBatch *batch = &import->batches[import->filling];
  if (batch->rows.count == 0) batch->first = import->row_count;
  if (!VEC_PUSH(import->input, &batch->rows, *row)) {
    import_no_memory(import);
    return;
  }
  batch->bytes += bytes;
  import->row_count++;
}

static void import_json_line(Import *import, Str line) {
  import->line_number++;
  line = str_trim(line);
  if (line.len == 0) return;
  Arena *arena = import->batches[import->filling].arena;
  JsonValue row;
  Error err = {0};
  Str text = arena_str(arena, line);
  if (text.ptr == NULL) {
    import_no_memory(import);
    return;
  }
  Code code = json_parse(text, JSON_DEPTH_DEFAULT, arena, &row, &err);
  if (code == CODE_UNAVAILABLE) import_no_memory(import);
  if (code != CODE_OK) import_bad_line(import, CODE_BAD_REQUEST, import->line_number, str_of(err.text));
  if (code == CODE_OK) import_add_row(import, &row, line.len);
}

static bool is_full(const Import *import) {
  const ImportBatch *batch = &import->batches[import->filling];
  return import_pace_is_full(&import->pace, batch->rows.count, batch->bytes);
}

static bool can_take(const Import *import) { return import->problem == NULL && !is_full(import); }

static void import_json(Import *import, Str *bytes) {
  while (bytes->len > 0 && can_take(import)) {
    size_t end = str_find_byte(*bytes, '\n', 0);
    Str piece = str_slice(*bytes, 0, end);
    bool is_whole = end < bytes->len;
    *bytes = str_slice(*bytes, end + is_whole, bytes->len);
    if (is_whole && import->line.len == 0) {
      import_json_line(import, piece);
      continue;
    }
    buf_add(&import->line, piece);
    if (import->line.failed == CODE_TOO_LARGE)
      import_bad_line(import, CODE_TOO_LARGE, import->line_number + 1, STR("it is longer than 1 MiB"));
    if (import->line.failed == CODE_UNAVAILABLE) import_no_memory(import);
    if (!is_whole || import->line.failed != CODE_OK) continue;
    import_json_line(import, buf_str(&import->line));
    buf_clear(&import->line);
  }
}

/* ---- CSV ---- */

static const Field *find_column(Import *import, Str name) {
  const Resource *resource = import->rest->main->operation.resource;
  const Field *field = resource_field(resource, name);
  if (field != NULL && field->kind == FIELD_STORED) return field;
  Arena *arena = import->request->exchange->arena;
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < resource->stored_count; i++) nearest_offer(&nearest, resource->stored[i]->name);
  Str shown = rest_shown(name);
  Str detail =
      arena_printf(arena, "line 1: %.*s has no field \"%.*s\" that a column could fill", STR_ARGS(resource->name), STR_ARGS(shown));
  import_refuse(import, problem_with_hint(arena, CODE_BAD_REQUEST, detail.ptr == NULL ? STR("line 1: an unknown column") : detail,
                                          nearest_hint(&nearest, arena)));
  return NULL;
}

/* The first record names the columns. */
static void import_csv_names(Import *import) {
  size_t count = csv_cell_count(&import->csv);
  const Field **columns = ARENA_ARRAY(import->request->exchange->arena, const Field *, count);
  if (columns == NULL) {
    import_no_memory(import);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    columns[i] = find_column(import, str_trim(csv_cell(&import->csv, i).text));
    if (columns[i] == NULL) return;
    for (size_t k = 0; k < i; k++) {
      if (columns[k] == columns[i]) import_bad_line(import, CODE_BAD_REQUEST, 1, STR("a column is named twice"));
    }
  }
  import->columns = columns;
  import->column_count = count;
}

static bool is_json_column(const Field *field) { return field->is_list || field->type == TYPE_EMBEDDED || field->type == TYPE_JSON; }
static bool is_integer_column(const Field *field) { return field->type == TYPE_INT || field->type == TYPE_BIGINT; }
static bool is_number_column(const Field *field) { return is_integer_column(field) || field->type == TYPE_FLOAT; }

static bool is_text(Str text) { return utf8_is_valid(text) && str_find_byte(text, '\0', 0) == text.len; }

static Code bad_text(const Import *import, Error *err) {
  size_t i = 0;
  while (is_text(csv_cell(&import->csv, i).text)) i++;
  return error_set(err, CODE_BAD_REQUEST, "the column %.*s holds NUL or is not UTF-8", STR_ARGS(import->columns[i]->name));
}

/* A cell in the form that the field has in JSON. What does not look like it stays a string, which the field then refuses by name. */
static Code read_cell(const Field *field, Str text, Arena *arena, JsonValue *ret, Error *err) {
  *ret = (JsonValue){.type = JSON_STRING, .text = text};
  if (is_json_column(field)) {
    Error inner = {0};
    Code code = json_parse(text, JSON_DEPTH_DEFAULT, arena, ret, &inner);
    if (code == CODE_UNAVAILABLE) return error_no_memory(err);
    return code == CODE_OK ? CODE_OK
                           : error_set(err, CODE_BAD_REQUEST, "the column %.*s is not JSON: %.120s", STR_ARGS(field->name), inner.text);
  }
  JsonValue number;
  if (field->type == TYPE_BOOLEAN && (str_equal(text, STR("true")) || str_equal(text, STR("false")))) {
    *ret = (JsonValue){.type = JSON_BOOL, .boolean = text.ptr[0] == 't'};
  } else if (is_integer_column(field) && json_number_to_int64(text, &(int64_t){0})) {
    *ret = (JsonValue){.type = JSON_NUMBER, .text = text};
  } else if (is_number_column(field) && json_parse(text, 1, arena, &number, NULL) == CODE_OK && number.type == JSON_NUMBER) {
    *ret = number;
  }
  return CODE_OK;
}

/* What is empty without quotes is not given at all. */
static Code read_record(Import *import, JsonValue *ret, Error *err) {
  if (csv_cell_count(&import->csv) != import->column_count)
    return error_set(err, CODE_BAD_REQUEST, "it has another number of cells than the first line has names");
  Str read = buf_str(&import->csv.text);
  if (!is_text(read)) return bad_text(import, err);
  Arena *arena = import->batches[import->filling].arena;
  Str text = arena_str(arena, read);
  JsonMember *members = arena_alloc(import->input, import->column_count * sizeof *members);
  TRY_ALLOC(text.ptr);
  TRY_ALLOC(members);
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members};
  for (size_t i = 0; i < import->column_count; i++) {
    CsvCell cell = csv_cell(&import->csv, i);
    if (cell.text.len == 0 && !cell.is_quoted) continue;
    /* What is whole as a record may still be cut in the midst of a character. */
    if (cell.text.len > 0 && (cell.text.ptr[0] & 0xc0) == 0x80) return bad_text(import, err);
    size_t begin = cell.text.len == 0 ? 0 : (size_t)(cell.text.ptr - read.ptr);
    members[ret->count].name = import->columns[i]->name;
    TRY(read_cell(import->columns[i], str_slice(text, begin, begin + cell.text.len), arena, &members[ret->count++].value, err));
  }
  return CODE_OK;
}

static void import_csv_record(Import *import) {
  JsonValue row;
  Error err = {0};
  Code code = read_record(import, &row, &err);
  if (code == CODE_OK)
    import_add_row(import, &row, import->csv.text.len);
  else if (code == CODE_UNAVAILABLE)
    import_no_memory(import);
  else
    import_bad_line(import, code, import->csv.record_line, str_of(err.text));
}

static void import_csv_take(Import *import) {
  if (import->columns == NULL) {
    import_csv_names(import);
  } else {
    import_csv_record(import);
  }
}

static void import_csv(Import *import, Str *bytes) {
  while (bytes->len > 0 && can_take(import)) {
    bool has_record = false;
    Error err = {0};
    if (csv_read(&import->csv, bytes, &has_record, &err) != CODE_OK) import_bad_record(import, &err);
    if (has_record && import->problem == NULL) import_csv_take(import);
  }
}

/* ---- Writing ---- */

static void import_run(Import *import);

static void batch_clear(ImportBatch *batch) {
  arena_reset(batch->arena);
  memset(&batch->rows, 0, sizeof batch->rows);
  batch->bytes = 0;
}

static void batch_done(CallGroup *group) {
  ImportBatch *batch = group->context;
  Import *import = batch->import;
  const Problem *problem = rest_group_problem(&batch->group);
  import_pace_end(&import->pace, loop_now_ms(import->request->exchange->loop), batch->group.has_waiting);
  if (problem != NULL) {
    import->problem = NULL; /* an earlier row's is the answer */
    import_refuse(import, problem_kept(problem, import->request->exchange->arena));
  } else {
    import->created += batch->rows.count;
  }
  batch_clear(batch);
  import->is_writing = false;
  import_run(import);
}

static void batch_write(Import *import, ImportBatch *batch) {
  const CallGroup *from = &import->request->group;
  memcpy(batch->calls, from->calls, from->count * sizeof *batch->calls);
  batch->group = (CallGroup){.calls = batch->calls,
                             .count = from->count,
                             .arena = batch->arena,
                             .done = batch_done,
                             .context = batch,
                             .freshness = import->request->group.freshness};
  batch->array = (JsonValue){.type = JSON_ARRAY, .items = batch->rows.items, .count = batch->rows.count};
  for (size_t i = 0; i < from->count; i++) batch->calls[i].arena = NULL;
  Call *create = &batch->calls[from->count - 1];
  create->sink = NULL;
  create->operation.selection = NULL;
  create->operation.input = &batch->array;
  create->operation.is_import = true;
  create->operation.input_first = batch->first;
  import->filling = 1 - import->filling;
  import->is_writing = true;
  import_pace_begin(&import->pace, loop_now_ms(import->request->exchange->loop));
  Code code = engine_plan(import->request->engine, &batch->group);
  batch->array = (JsonValue){.type = JSON_ARRAY};
  arena_reset(import->input);
  if (code == CODE_OK) {
    engine_execute(import->request->engine, &batch->group);
  } else {
    batch_done(&batch->group);
  }
}

/* ---- The answer ---- */

static void answer_problem(Import *import) {
  ApiRequest *request = import->request;
  import->counted = *import->problem;
  import->counted.has_created = true;
  import->counted.created = import->created;
  request->problem = &import->counted;
  if (import->is_too_slow)
    problem_respond(request->problem, 408, request->request_id, request->exchange->arena, &request->response);
  else
    request->face->encode_problem(request);
}

static void answer_created(Import *import) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("application/json")}};
  int len = snprintf(import->answer, sizeof import->answer, "{\"created\":%llu}", (unsigned long long)import->created);
  Str body = {import->answer, (size_t)len};
  int status = import->created > 0 ? 201 : 200;
  import->request->response = (HttpResponse){.status = status, .headers = headers, .header_count = 1, .body = body};
}

static void import_answer(Import *import) {
  if (import->is_answered) return;
  import->is_answered = true;
  if (import->problem != NULL) {
    answer_problem(import);
  } else {
    answer_created(import);
  }
  import->request->respond(import->request);
}

/* ---- A body that is coded ---- */

static bool has_coded(const Import *import) {
  return import->decompressor != NULL && (import->coded_at < import->coded.len || import->is_more_inside);
}

static void check_length(Import *import, uint64_t bytes) {
  if (bytes <= import->request->api->limits.import_bytes_max) return;
  import_refuse(import, problem_create(import->request->exchange->arena, CODE_TOO_LARGE, STR("The body is longer than --import-max")));
}

/* The next piece, into `received`, of which everything has been read. */
static void import_decode(Import *import) {
  Error err = {0};
  Str rest = str_slice(buf_str(&import->coded), import->coded_at, import->coded.len);
  buf_clear(&import->received);
  import->received_at = 0;
  Code code = import->decompressor->read(import->decompressor, &rest, IMPORT_DECODED_BYTES, &import->received, &err);
  if (code != CODE_OK) import_refuse(import, problem_from_error(import->request->exchange->arena, &err));
  import->coded_at = import->coded.len - rest.len;
  import->is_more_inside = import->received.len == IMPORT_DECODED_BYTES;
  import->decoded += import->received.len;
  check_length(import, import->decoded);
}

static Code open_decompressor(Import *import, Coding coding) {
  if (coding == CODING_IDENTITY) return CODE_OK;
  import->decompressor = CONTENT_CODINGS[coding].decompressor_create();
  return import->decompressor != NULL ? CODE_OK : CODE_UNAVAILABLE;
}

/* ---- One thing after the other ---- */

static void import_read(Import *import) {
  Str bytes = str_slice(buf_str(&import->received), import->received_at, import->received.len);
  if (import->rest->stream == REST_STREAM_CSV) {
    import_csv(import, &bytes);
  } else {
    import_json(import, &bytes);
  }
  import->received_at = import->received.len - bytes.len;
}

/* Does what can be done now; false: nothing can. */
static bool import_step(Import *import) {
  if (import->is_answered) return false;
  ImportBatch *batch = &import->batches[import->filling];
  bool is_over = import->problem != NULL || import->request->exchange->is_cancelled;
  if (is_over) {
    if (!import->is_writing) import_answer(import);
    return false;
  }
  if (import->received_at < import->received.len && !is_full(import)) {
    import_read(import);
    return true;
  }
  if (has_coded(import) && !is_full(import)) {
    import_decode(import);
    return true;
  }
  if (import->is_writing) return false;
  if (is_full(import) || (import->is_body_over && batch->rows.count > 0)) {
    batch_write(import, batch);
    return true;
  }
  if (import->is_body_over) import_answer(import);
  return false;
}

static bool is_all_read(const Import *import) { return import->received_at == import->received.len && !has_coded(import); }

/* A batch may be done before engine_execute returns: this loop keeps that from becoming recursion. */
static void import_run(Import *import) {
  if (import->is_running) return;
  import->is_running = true;
  while (import_step(import)) {}
  import->is_running = false;
  bool is_read = is_all_read(import);
  if (!import->is_paused || !is_read || import->is_answered) return;
  import->is_paused = false;
  http_read_more(import->request->exchange);
}

/* ---- The body ---- */

static Import *import_of(HttpExchange *exchange) {
  ApiRequest *request = exchange->user;
  RestState *state = request->face_state;
  return state->stream_state;
}

static bool import_on_body(HttpExchange *exchange, Str bytes) {
  Import *import = import_of(exchange);
  if (import->is_answered || import->problem != NULL) return true;
  Buf *came = import->decompressor != NULL ? &import->coded : &import->received;
  check_length(import, exchange->bytes_in);
  buf_clear(came);
  buf_add(came, bytes);
  import->coded_at = import->received_at = 0;
  if (import->decompressor != NULL) buf_clear(&import->received);
  if (came->failed != CODE_OK) import_no_memory(import);
  import_run(import);
  import->is_paused = import->problem == NULL && !is_all_read(import);
  return !import->is_paused;
}

static void take_last_line(Import *import) {
  if (import->rest->stream == REST_STREAM_NDJSON) {
    if (import->line.len > 0) import_json_line(import, buf_str(&import->line));
    buf_clear(&import->line);
    return;
  }
  bool has_record = false;
  Error err = {0};
  if (csv_read_end(&import->csv, &has_record, &err) != CODE_OK) import_bad_record(import, &err);
  if (has_record && import->problem == NULL) import_csv_take(import);
}

static void import_on_body_end(HttpExchange *exchange, Code code) {
  Import *import = import_of(exchange);
  import->is_body_over = true;
  if (code != CODE_OK) {
    import->is_too_slow = code == CODE_TIMEOUT && import->problem == NULL;
    Str detail = code == CODE_TIMEOUT ? STR("The body came too slowly") : STR("The body broke off");
    import_refuse(import, problem_create(exchange->arena, code, detail));
  } else if (import->decompressor != NULL && !import->decompressor->is_between) {
    import_refuse(import, problem_create(exchange->arena, CODE_BAD_REQUEST, STR("The body's compressed bytes end too early")));
  } else if (import->problem == NULL) {
    take_last_line(import);
  }
  import_run(import);
}

static void import_on_cancel(HttpExchange *exchange) { import_run(import_of(exchange)); }

static void import_stream(ApiRequest *request) {
  request->exchange->on_body = import_on_body;
  request->exchange->on_body_end = import_on_body_end;
  request->exchange->on_cancel = import_on_cancel;
}

/* ---- Preparation ---- */

static void import_done(void *context) {
  Import *import = context;
  for (size_t i = 0; i < 2; i++) arena_destroy(import->batches[i].arena);
  arena_destroy(import->input);
  if (import->decompressor != NULL) import->decompressor->destroy(import->decompressor);
  buf_done(&import->coded);
  buf_done(&import->received);
  buf_done(&import->line);
}

Code rest_import_prepare(ApiRequest *request, RestState *state) {
  Arena *arena = request->exchange->arena;
  Coding coding = CODING_IDENTITY;
  TRY(rest_coding_check(&state->decoder, &state->headers, &coding));
  Import *import = ARENA_NEW(arena, Import);
  if (import == NULL) return rest_no_memory(&state->decoder);
  import->request = request;
  import->rest = state;
  import->received = buf_on_heap(SIZE_MAX / 2);
  import->coded = buf_on_heap(SIZE_MAX / 2);
  import->line = buf_on_heap(IMPORT_ROW_BYTES_MAX);
  import->pace = import_pace();
  csv_reader_init(&import->csv, arena, IMPORT_ROW_BYTES_MAX, IMPORT_COLUMNS_MAX);
  for (size_t i = 0; i < 2; i++) import->batches[i] = (ImportBatch){.import = import, .arena = arena_create(0)};
  import->input = arena_create(0);
  bool has_memory = import->batches[0].arena != NULL && import->batches[1].arena != NULL && import->input != NULL &&
                    open_decompressor(import, coding) == CODE_OK && arena_defer(arena, import_done, import);
  if (!has_memory) {
    import_done(import);
    return rest_no_memory(&state->decoder);
  }
  state->stream_state = import;
  request->stream = import_stream;
  return CODE_OK;
}
