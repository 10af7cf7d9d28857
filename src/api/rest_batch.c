/* rest_batch.c - POST /v1/batch: many requests as one transaction. Each goes through the decoder of ordinary requests, over an exchange
 * that holds it; their calls become one group. The answer is made inside the transaction, so that one that is too large changes nothing. */
#include "api/rest_batch.h"

#include "api/answer_limit.h"
#include "api/rest_body.h"
#include "http/message.h"

/* ---- One request ---- */

static Code refuse_shape(RestDecoder *decoder, const char *what) {
  return rest_refuse(decoder, CODE_BAD_REQUEST, STR("{\"operations\":[{\"method\":\"POST\",\"path\":\"/v1/…\",\"body\":{…}}]}"), "%s",
                     what);
}

/* The request's own members; anything else would be passed over in silence. */
static Code check_members(RestDecoder *decoder, const JsonValue *given) {
  static const Str known[] = {STR_INIT("id"), STR_INIT("method"), STR_INIT("path"), STR_INIT("headers"), STR_INIT("body")};
  if (given->type != JSON_OBJECT) return refuse_shape(decoder, "An operation is an object");
  for (size_t i = 0; i < given->count; i++) {
    Str name = given->members[i].name;
    bool is_known = false;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) is_known = is_known || str_equal(name, known[k]);
    if (is_known) continue;
    Nearest nearest = nearest_to(name);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) nearest_offer(&nearest, known[k]);
    Str shown = rest_shown(name);
    return rest_refuse(decoder, CODE_BAD_REQUEST, nearest_hint(&nearest, decoder->arena), "An operation has no member \"%.*s\"",
                       STR_ARGS(shown));
  }
  return CODE_OK;
}

static Code decode_id(RestDecoder *decoder, const JsonValue *given, RestBatchItem *item) {
  const JsonValue *id = json_get(given, STR("id"));
  if (id == NULL) return CODE_OK;
  if (id->type != JSON_STRING || id->text.len == 0 || str_find_byte(id->text, '.', 0) < id->text.len)
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "An operation's id is a text without a dot");
  if (map_get(&item->batch->ids, id->text) != NULL) {
    Str shown = rest_shown(id->text);
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "Two operations have the id \"%.*s\"", STR_ARGS(shown));
  }
  item->id = id->text;
  return CODE_OK;
}

static bool is_possible(HttpMethod method) {
  return method == HTTP_GET || method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH || method == HTTP_DELETE;
}

static Code decode_target(RestDecoder *decoder, const JsonValue *given, HttpRequest *http) {
  const JsonValue *method = json_get(given, STR("method")), *path = json_get(given, STR("path"));
  if (method == NULL || method->type != JSON_STRING) return refuse_shape(decoder, "An operation needs its \"method\", a text");
  if (path == NULL || path->type != JSON_STRING) return refuse_shape(decoder, "An operation needs its \"path\", a text");
  http->method = http_method_of(method->text);
  http->method_text = method->text;
  if (!is_possible(http->method)) {
    Str shown = rest_shown(method->text);
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("GET, POST, PUT, PATCH and DELETE are"),
                       "The method \"%.*s\" is not possible in a batch", STR_ARGS(shown));
  }
  size_t query = str_find_byte(path->text, '?', 0);
  http->target = path->text;
  http->path = str_slice(path->text, 0, query);
  http->query = query < path->text.len ? str_slice(path->text, query + 1, path->text.len) : (Str){0};
  return CODE_OK;
}

/* ---- Its headers ---- */

static bool lower(Str text, Arena *arena, Str *ret) {
  char *bytes = arena_alloc(arena, text.len + 1);
  if (bytes == NULL) return false;
  for (size_t i = 0; i < text.len; i++) bytes[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] | 0x20 : text.ptr[i]);
  *ret = (Str){bytes, text.len};
  return true;
}

/* Who calls, and what is done once, is said of the batch as a whole. */
static bool is_batches_own(Str name) { return str_equal(name, STR("authorization")) || str_equal(name, STR("idempotency-key")); }

static Code decode_header(RestDecoder *decoder, const JsonMember *given, HttpHeader *ret) {
  Str shown = rest_shown(given->name);
  if (!http_is_token(given->name) || given->value.type != JSON_STRING || http_has_byte_below(given->value.text, ' '))
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "The header \"%.*s\" is not a name with a text", STR_ARGS(shown));
  if (!lower(given->name, decoder->arena, &ret->name)) return rest_no_memory(decoder);
  if (is_batches_own(ret->name)) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("send it with the batch"), "The header \"%.*s\" is not possible inside a batch",
                       STR_ARGS(shown));
  }
  ret->value = str_trim(given->value.text);
  return CODE_OK;
}

static Code decode_headers(RestDecoder *decoder, const JsonValue *given, HttpRequest *http) {
  const JsonValue *headers = json_get(given, STR("headers"));
  http->headers = NULL;
  http->header_count = 0;
  if (headers == NULL) return CODE_OK;
  if (headers->type != JSON_OBJECT) return refuse_shape(decoder, "An operation's \"headers\" are an object of texts");
  HttpHeader *list = ARENA_ARRAY(decoder->arena, HttpHeader, headers->count);
  if (list == NULL) return rest_no_memory(decoder);
  for (size_t i = 0; i < headers->count; i++) TRY(decode_header(decoder, &headers->members[i], &list[i]));
  http->headers = list;
  http->header_count = headers->count;
  return CODE_OK;
}

/* ---- Through the decoder of ordinary requests ---- */

const JsonValue *rest_batch_item_body(const RestBatchItem *item) { return item->body; }

/* What the batch prefers holds for those of its requests that say nothing themselves; a dry run is one of the whole. */
static Code inherit_preferences(RestDecoder *decoder, const RestState *outer, RestBatchItem *item) {
  RestState *state = item->state;
  if (state->preferences.is_dry_run && !outer->preferences.is_dry_run)
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("send it with the batch"), "tx=rollback is not possible inside a batch");
  for (size_t i = 0; i < item->request.group.count; i++) state->calls[i].operation.is_dry_run = outer->preferences.is_dry_run;
  if (state->headers.prefer.ptr != NULL || !outer->preferences.is_minimal) return CODE_OK;
  state->preferences.is_minimal = true;
  Call *main = &state->calls[item->request.group.count - 1];
  if (main->operation.action < ACTION_CREATE) return CODE_OK;
  main->operation.selection = NULL;
  main->sink = NULL;
  return CODE_OK;
}

static Code decode_inner(RestDecoder *decoder, const RestState *outer, RestBatchItem *item) {
  RestState *state = ARENA_NEW(decoder->arena, RestState);
  if (state == NULL) return rest_no_memory(decoder);
  state->decoder = (RestDecoder){.map = decoder->map, .limits = decoder->limits, .arena = decoder->arena};
  state->inner = item;
  item->state = state;
  item->request.face_state = state;
  Code code = rest_decode_request(&item->request, state);
  if (code == CODE_OK) code = inherit_preferences(&state->decoder, outer, item);
  if (code == CODE_OK && item->body != NULL) {
    bool has_references = false;
    code = rest_references_check(&state->decoder, item->batch, item->body, &has_references);
    Call *main = &state->calls[item->request.group.count - 1];
    if (has_references && main->operation.action >= ACTION_CREATE) {
      main->before = rest_references_resolve;
      main->before_context = item;
    }
  }
  decoder->problem = state->decoder.problem;
  state->sink.budget = &item->batch->budget;
  return code;
}

static Code decode_item(RestState *outer, const JsonValue *given, RestBatchItem *item) {
  RestDecoder *decoder = &outer->decoder;
  const ApiRequest *batch = item->batch->request;
  TRY(check_members(decoder, given));
  TRY(decode_id(decoder, given, item));
  item->exchange = *batch->exchange;
  item->exchange.user = NULL;
  item->exchange.request.body = (Str){0};
  item->request = (ApiRequest){.exchange = &item->exchange,
                               .api = batch->api,
                               .face = batch->face,
                               .engine = batch->engine,
                               .caller = batch->caller,
                               .request_id = batch->request_id,
                               .now_us = batch->now_us};
  item->body = json_get(given, STR("body"));
  TRY(decode_target(decoder, given, &item->exchange.request));
  TRY(decode_headers(decoder, given, &item->exchange.request));
  TRY(decode_inner(decoder, outer, item));
  return item->id.ptr == NULL || map_put(&item->batch->ids, item->id, item) ? CODE_OK : rest_no_memory(decoder);
}

/* ---- The batch ---- */

static Code decode_operations(RestDecoder *decoder, const HttpRequest *http, const ApiHeaders *headers, const JsonValue **ret) {
  const JsonValue *body = NULL;
  bool is_patch;
  TRY(rest_body_parse(decoder, http->method, headers, http->body, &body, &is_patch));
  const JsonValue *operations = json_get(body, STR("operations"));
  if (operations == NULL || operations->type != JSON_ARRAY || body->count != 1)
    return refuse_shape(decoder, "A batch is an object with the one member \"operations\", a list");
  if (operations->count > decoder->limits->batch_max) {
    return rest_refuse(decoder, CODE_TOO_LARGE, STR("send several batches"), "A batch has at most %zu operations (--batch-max)",
                       decoder->limits->batch_max);
  }
  *ret = operations;
  return CODE_OK;
}

/* All calls one behind the other; each item's stay together. */
static Code gather_calls(RestDecoder *decoder, RestBatch *batch, CallGroup *group) {
  size_t count = 0;
  for (size_t i = 0; i < batch->count; i++) count += batch->items[i].request.group.count;
  Call *calls = ARENA_ARRAY(decoder->arena, Call, count);
  if (calls == NULL) return rest_no_memory(decoder);
  for (size_t i = 0, at = 0; i < batch->count; i++) {
    RestBatchItem *item = &batch->items[i];
    size_t item_count = item->request.group.count;
    memcpy(&calls[at], item->request.group.calls, item_count * sizeof *calls);
    item->request.group.calls = &calls[at];
    item->state->main = &calls[at + item_count - 1];
    at += item_count;
  }
  *group = (CallGroup){.calls = calls, .count = count, .arena = decoder->arena, .answer = rest_answer_in_transaction};
  return CODE_OK;
}

/* Nothing to be done: answered at once. */
static void answer_nothing(ApiRequest *request) {
  static const HttpHeader json[] = {{STR_INIT("content-type"), STR_INIT("application/json")}};
  request->response = (HttpResponse){.status = 200, .headers = json, .header_count = 1, .body = STR("{\"results\":[]}")};
  request->is_answered = true;
}

/* A refusal while one of them is decoded names it. */
static Code refuse_item(RestDecoder *decoder, Code code, size_t index) {
  Problem *problem = ARENA_NEW(decoder->arena, Problem);
  if (problem == NULL || decoder->problem == NULL) return rest_no_memory(decoder);
  *problem = *decoder->problem;
  problem->operation = (int64_t)index;
  decoder->problem = problem;
  return code;
}

Code rest_batch_decode(ApiRequest *request, RestState *state) {
  RestDecoder *decoder = &state->decoder;
  const JsonValue *operations = NULL;
  if (state->inner != NULL) return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "A batch is not possible inside a batch");
  TRY(decode_operations(decoder, &request->exchange->request, &state->headers, &operations));
  if (operations->count == 0) {
    answer_nothing(request);
    return CODE_OK;
  }
  RestBatch *batch = ARENA_NEW(decoder->arena, RestBatch);
  if (batch == NULL) return rest_no_memory(decoder);
  batch->items = ARENA_ARRAY(decoder->arena, RestBatchItem, operations->count);
  if (batch->items == NULL) return rest_no_memory(decoder);
  batch->ids = map_on(decoder->arena);
  batch->budget.bytes_max = request->api->limits.result_bytes_max;
  batch->request = request;
  for (; batch->count < operations->count; batch->count++) {
    RestBatchItem *item = &batch->items[batch->count];
    item->batch = batch;
    item->index = batch->count;
    Code code = decode_item(state, &operations->items[batch->count], item);
    if (code != CODE_OK) return refuse_item(decoder, code, batch->count);
  }
  TRY(gather_calls(decoder, batch, &request->group));
  state->batch = batch;
  request->is_batch = true;
  return CODE_OK;
}

/* ---- Its answer ---- */

const Problem *rest_batch_item_answer(RestBatchItem *item) {
  /* A restart of the transaction has reset the sink, and with it what was made from it. */
  const RestSink *sink = item->state->main->sink == NULL ? NULL : &item->state->sink;
  if (item->is_answered && sink != NULL && sink->is_ended) return NULL;
  item->request.problem = NULL;
  rest_answer_make(&item->request, item->state);
  item->state->sink.is_ended = true;
  item->is_answered = true;
  item->is_parsed = false;
  return item->request.problem;
}

static void write_item(const HttpResponse *response, Buf *out) {
  buf_add(out, STR("{\"status\":"));
  buf_add_int64(out, response->status);
  buf_add(out, STR(",\"headers\":{"));
  for (size_t i = 0; i < response->header_count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    json_write_string(out, response->headers[i].name);
    buf_add_byte(out, ':');
    json_write_string(out, response->headers[i].value);
  }
  buf_add(out, STR("},\"body\":"));
  buf_add(out, response->body.len == 0 ? STR("null") : response->body);
  buf_add_byte(out, '}');
}

static const Problem *problem_of(const Problem *problem, size_t index, Arena *arena) {
  Problem *copy = ARENA_NEW(arena, Problem);
  if (copy == NULL) return problem;
  *copy = *problem;
  copy->operation = (int64_t)index;
  return copy;
}

static void respond(ApiRequest *request, const RestState *state, Str body) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("application/json")},
                                       {STR_INIT("preference-applied"), STR_INIT("tx=rollback")}};
  request->response =
      (HttpResponse){.status = 200, .headers = headers, .header_count = state->preferences.is_dry_run ? 2 : 1, .body = body};
}

void rest_batch_answer(ApiRequest *request, RestState *state) {
  RestBatch *batch = state->batch;
  Arena *arena = request->exchange->arena;
  Buf out = buf_on(arena, batch->budget.bytes_max);
  buf_add(&out, STR("{\"results\":["));
  for (size_t i = 0; i < batch->count; i++) {
    const Problem *problem = rest_batch_item_answer(&batch->items[i]);
    if (problem != NULL) {
      request->problem = problem_of(problem, i, arena);
      return;
    }
    if (i > 0) buf_add_byte(&out, ',');
    write_item(&batch->items[i].request.response, &out);
  }
  buf_add(&out, STR("]}"));
  Error err = {0};
  Str body = {0};
  if (buf_finish(&out, &body, &err) == CODE_OK)
    respond(request, state, body);
  else if (out.failed == CODE_TOO_LARGE)
    request->problem = answer_too_large_problem(arena);
  else
    request->problem = problem_from_error(arena, &err);
}

/* ---- Its refusal ---- */

const Problem *rest_batch_problem(const ApiRequest *request, const RestState *state) {
  const CallGroup *group = &request->group;
  if (request->problem->operation >= 0 || group->failed >= group->count) return request->problem;
  size_t call = group->failed;
  for (size_t i = 0; i < state->batch->count; i++) {
    size_t count = state->batch->items[i].request.group.count;
    if (call < count) return problem_of(request->problem, i, request->exchange->arena);
    call -= count;
  }
  return request->problem;
}
