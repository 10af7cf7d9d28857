/* grpc_call.c - a request's message to the Operation that it asks for. Names are the contract's or the .proto's. */
#include <assert.h>

#include "api/grpc_methods.h"
#include "api/header.h"
#include "api/proto_decode.h"
#include "api/proto_select.h"
#include "api/rest_query_parts.h"

enum { PARAMETER_BYTES_MAX = 64 * 1024 };

/* ---- Refusals ---- */

static Code refuse_error(GrpcState *state, const Error *err) {
  state->decoder.problem = problem_from_error(state->decoder.arena, err);
  return state->decoder.problem->code;
}

/* INVALID_ARGUMENT with the field that is missing. */
static Code refuse_missing(GrpcState *state, Str name) {
  Arena *arena = state->decoder.arena;
  Problem *problem = problem_new(arena, CODE_VALIDATION_FAILED, arena_printf(arena, "%.*s is missing", STR_ARGS(name)));
  Mistake *mistake = ARENA_NEW(arena, Mistake);
  Str pointer = arena_printf(arena, "/%.*s", STR_ARGS(name));
  if (problem == NULL || mistake == NULL || pointer.ptr == NULL || problem->detail.ptr == NULL) return rest_no_memory(&state->decoder);
  *mistake = (Mistake){.code = MISTAKE_REQUIRED, .pointer = pointer, .detail = STR("is required")};
  problem->mistakes = mistake;
  problem->mistake_count = 1;
  state->decoder.problem = problem;
  return problem->code;
}

/* ---- Keys ---- */

static bool is_missing(const ProtoNode *node, const Field *key) {
  assert(node != NULL);
  for (size_t i = 0; i < node->type->field_count; i++) {
    const ProtoField *field = &node->type->fields[i];
    if (field->field != key) continue;
    const ProtoEntry *entry = proto_find(node, field);
    return field->type == PROTO_STRING ? entry == NULL || entry->one.text.len == 0 : field->type == PROTO_MESSAGE && entry == NULL;
  }
  return false;
}

/* A key of another form is no row's: not found, as everywhere. */
static Code decode_key(GrpcState *state, const ProtoNode *node, const Resource *resource, const Value **ret) {
  for (size_t i = 0; i < resource->key_count; i++) {
    if (is_missing(node, resource->keys[i])) return refuse_missing(state, resource->keys[i]->name);
  }
  Error err = {0};
  return proto_key(node, resource, state->decoder.arena, ret, &err) == CODE_OK ? CODE_OK : refuse_error(state, &err);
}

/* ---- Rows ---- */

const ProtoField *grpc_row_field(const ProtoMessage *message, const Resource *resource) {
  for (size_t i = 0; i < message->field_count; i++) {
    const ProtoField *field = &message->fields[i];
    if (field->message != NULL && field->message->resource == resource) return field;
  }
  return NULL;
}

/* The row that a Create or an Update is about. */
static Code decode_row(GrpcState *state, const ProtoNode *message, const ProtoNode **ret) {
  assert(message != NULL);
  const ProtoField *field = grpc_row_field(message->type, state->method->resource);
  const ProtoNode *row = field == NULL ? NULL : proto_child(message, field->name);
  if (row == NULL) return refuse_missing(state, field == NULL ? STR("row") : field->name);
  *ret = row;
  return CODE_OK;
}

static Code decode_input(GrpcState *state, const ProtoNode *row, ProtoInputKind kind, const ProtoDatum *paths, size_t path_count,
                         JsonValue *ret) {
  Error err = {0};
  Code code = proto_input(row, kind, paths, path_count, state->decoder.arena, ret, &err);
  return code == CODE_OK ? CODE_OK : refuse_error(state, &err);
}

/* ---- Masks, conditions ---- */

Code grpc_decode_mask(ApiRequest *request, GrpcState *state, Selection **ret) {
  const ProtoDatum *paths = NULL;
  size_t count = proto_paths(state->message, STR("read_mask"), &paths);
  Error err = {0};
  Code code = proto_select(state->grpc->schema, state->method->resource, paths, count, request->api->limits.nesting_max,
                           state->decoder.arena, ret, &err);
  return code == CODE_OK ? CODE_OK : refuse_error(state, &err);
}

/* A tag as HTTP writes it, in quotes, or without them. */
static Code decode_etag(ApiRequest *request, GrpcState *state, Operation *operation) {
  Str etag = proto_text(state->message, STR("etag"));
  Arena *arena = state->decoder.arena;
  if (etag.len == 0) {
    if (!request->api->is_precondition_required) return CODE_OK;
    return rest_refuse(&state->decoder, CODE_PRECONDITION_REQUIRED, STR("read the resource and send its etag"),
                       "This server changes nothing without an etag");
  }
  if (etag.ptr[0] != '"' && etag.ptr[0] != '*' && !str_starts_with(etag, STR("W/"))) {
    etag = arena_printf(arena, "\"%.*s\"", STR_ARGS(etag));
    if (etag.ptr == NULL) return rest_no_memory(&state->decoder);
  }
  Error err = {0};
  Code code = etag_list_parse(etag, false, arena, &operation->if_match, &err);
  if (code == CODE_UNAVAILABLE) return rest_no_memory(&state->decoder);
  return code == CODE_OK ? CODE_OK : rest_refuse(&state->decoder, CODE_BAD_REQUEST, (Str){0}, "etag: %s", err.text);
}

/* ---- Lists ---- */

static Code list_parameter(GrpcState *state, Str name, Str rest_name, Str value, ListQuery *list) {
  RestParam param = {.name = name, .path = name, .value = value};
  bool is_known;
  return rest_list_param(&state->decoder, state->method->resource, rest_name, REST_OF_LIST, &param, list, &is_known);
}

/* "created_at desc, name" (AIP-132) to "-created_at,name". */
static Code decode_order(GrpcState *state, ListQuery *list) {
  Str rest = str_trim(proto_text(state->message, STR("order_by"))), term;
  if (rest.len == 0) return CODE_OK;
  Buf sort = buf_on(state->decoder.arena, PARAMETER_BYTES_MAX);
  while (str_split_next(&rest, ',', &term)) {
    term = str_trim(term);
    size_t space = str_find_byte(term, ' ', 0);
    Str name = str_slice(term, 0, space), direction = str_trim(str_slice(term, space, term.len));
    bool is_descending = str_equal_ignore_case(direction, STR("desc"));
    if (!is_descending && direction.len > 0 && !str_equal_ignore_case(direction, STR("asc"))) {
      Str shown = rest_shown(direction);
      return rest_refuse(&state->decoder, CODE_BAD_REQUEST, STR("order_by: \"name desc, price\""),
                         "order_by: \"%.*s\" is neither asc nor desc", STR_ARGS(shown));
    }
    if (sort.len > 0) buf_add_byte(&sort, ',');
    if (is_descending) buf_add_byte(&sort, '-');
    buf_add(&sort, name);
  }
  if (sort.failed == CODE_UNAVAILABLE) return rest_no_memory(&state->decoder);
  if (sort.failed != CODE_OK) return rest_refuse(&state->decoder, CODE_TOO_LARGE, (Str){0}, "order_by is too long");
  return list_parameter(state, STR("order_by"), STR("sort"), buf_str(&sort), list);
}

static Code decode_filter(GrpcState *state, ListQuery *list) {
  Str filter = proto_text(state->message, STR("filter"));
  return str_trim(filter).len == 0 ? CODE_OK : list_parameter(state, STR("filter"), STR("filter"), filter, list);
}

Code grpc_decode_list(GrpcState *state, ListQuery *ret) {
  TRY(decode_filter(state, ret));
  return decode_order(state, ret);
}

/* AIP-158: 0 is the default, what is above the maximum is lowered to it, what is negative is refused. */
static Code decode_page(ApiRequest *request, GrpcState *state, ListQuery *list) {
  int64_t size = proto_integer(state->message, STR("page_size"));
  if (size < 0) return rest_refuse(&state->decoder, CODE_BAD_REQUEST, (Str){0}, "page_size must not be negative");
  int64_t max = request->api->limits.page_size_max;
  list->limit = size == 0 ? -1 : size > max ? max : size;
  Str token = proto_text(state->message, STR("page_token"));
  if (token.len > 0) list->after = token;
  list->is_counted = proto_true(state->message, STR("show_total"));
  return CODE_OK;
}

/* ---- Aggregates ---- */

/* REST has them in one text; a comma inside of one would make two of it, and what is absent there is not what is empty here. */
static Code joined_texts(GrpcState *state, Str name, Str rest_name, RestParams *params) {
  const ProtoEntry *entry = proto_get(state->message, name);
  if (entry == NULL || entry->count == 0) return CODE_OK;
  Buf text = buf_on(state->decoder.arena, PARAMETER_BYTES_MAX);
  for (size_t i = 0; i < entry->count; i++) {
    Str item = entry->many[i].text;
    if (str_find_byte(item, ',', 0) < item.len)
      return rest_refuse(&state->decoder, CODE_BAD_REQUEST, STR("give each as an item of its own"), "%.*s: a comma stands in an item",
                         STR_ARGS(name));
    if (i > 0) buf_add_byte(&text, ',');
    buf_add(&text, item);
  }
  if (text.failed == CODE_UNAVAILABLE) return rest_no_memory(&state->decoder);
  if (text.failed != CODE_OK) return rest_refuse(&state->decoder, CODE_TOO_LARGE, (Str){0}, "%.*s is too long", STR_ARGS(name));
  params->items[params->count++] = (RestParam){.name = rest_name, .path = name, .value = text.len == 0 ? STR("") : buf_str(&text)};
  return CODE_OK;
}

static Code decode_aggregate(ApiRequest *request, GrpcState *state, Operation *operation) {
  RestParam items[4];
  RestParams params = {.items = items};
  TRY(joined_texts(state, STR("group_by"), STR("by"), &params));
  TRY(joined_texts(state, STR("metrics"), STR("metrics"), &params));
  TRY(decode_filter(state, &operation->list));
  operation->list.limit = -1;
  TRY(rest_aggregate_parse(&state->decoder, state->method->resource, &params, &state->aggregate));
  operation->aggregate = &state->aggregate.aggregate;
  const ProtoEntry *by = proto_get(state->message, STR("group_by"));
  Str *names = ARENA_ARRAY(state->decoder.arena, Str, state->aggregate.aggregate.by_count);
  if (names == NULL) return rest_no_memory(&state->decoder);
  for (size_t i = 0; i < state->aggregate.aggregate.by_count; i++) names[i] = str_trim(by->many[i].text);
  grpc_group_sink_init(&state->groups, state->method->response, operation->aggregate, names, state->decoder.arena,
                       request->api->limits.result_bytes_max);
  state->call.sink = &state->groups.base;
  return CODE_OK;
}

/* ---- By role ---- */

static void init_sink(ApiRequest *request, GrpcState *state, uint32_t number) {
  proto_sink_init(&state->sink, number, state->decoder.arena, request->api->limits.result_bytes_max);
  state->call.sink = &state->sink.base;
}

static Code decode_get(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_GET;
  TRY(decode_key(state, state->message, operation->resource, &operation->key));
  TRY(grpc_decode_mask(request, state, &operation->selection));
  init_sink(request, state, 0);
  return CODE_OK;
}

static Code decode_list(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_LIST;
  TRY(grpc_decode_list(state, &operation->list));
  TRY(decode_page(request, state, &operation->list));
  TRY(grpc_decode_mask(request, state, &operation->selection));
  init_sink(request, state, grpc_row_field(state->method->response, operation->resource)->number);
  return CODE_OK;
}

static Selection *whole_of(const GrpcState *state) { return state->grpc->schema->resources[state->method->resource->index].whole; }

static Code decode_create(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_CREATE;
  const ProtoNode *row = NULL;
  JsonValue *input = ARENA_NEW(state->decoder.arena, JsonValue);
  if (input == NULL) return rest_no_memory(&state->decoder);
  TRY(decode_row(state, state->message, &row));
  TRY(decode_input(state, row, PROTO_INPUT_CREATE, NULL, 0, input));
  operation->input = input;
  operation->selection = whole_of(state);
  init_sink(request, state, 0);
  return CODE_OK;
}

static Code decode_update(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_UPDATE;
  const ProtoNode *row = NULL;
  JsonValue *input = ARENA_NEW(state->decoder.arena, JsonValue);
  if (input == NULL) return rest_no_memory(&state->decoder);
  TRY(decode_row(state, state->message, &row));
  TRY(decode_key(state, row, operation->resource, &operation->key));
  const ProtoDatum *paths = NULL;
  size_t path_count = proto_paths(state->message, STR("update_mask"), &paths);
  TRY(decode_input(state, row, PROTO_INPUT_UPDATE, paths, path_count, input));
  TRY(decode_etag(request, state, operation));
  operation->input = input;
  operation->selection = whole_of(state);
  init_sink(request, state, 0);
  return CODE_OK;
}

static Code decode_delete(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_DELETE;
  TRY(decode_key(state, state->message, operation->resource, &operation->key));
  return decode_etag(request, state, operation);
}

/* AIP-233: all or none. */
static Code decode_batch(ApiRequest *request, GrpcState *state, Operation *operation) {
  operation->action = ACTION_CREATE;
  Arena *arena = state->decoder.arena;
  const ProtoEntry *requests = proto_get(state->message, STR("requests"));
  size_t count = requests == NULL ? 0 : requests->count;
  JsonValue *items = ARENA_ARRAY(arena, JsonValue, count), *input = ARENA_NEW(arena, JsonValue);
  if (items == NULL || input == NULL) return rest_no_memory(&state->decoder);
  for (size_t i = 0; i < count; i++) {
    const ProtoNode *row = NULL;
    TRY(decode_row(state, requests->many[i].node, &row));
    TRY(decode_input(state, row, PROTO_INPUT_CREATE, NULL, 0, &items[i]));
  }
  *input = (JsonValue){.type = JSON_ARRAY, .items = items, .count = count};
  operation->input = input;
  operation->selection = whole_of(state);
  init_sink(request, state, grpc_row_field(state->method->response, operation->resource)->number);
  state->sink.has_row_ends = true;
  return CODE_OK;
}

Code grpc_decode_operation(ApiRequest *request, GrpcState *state) {
  Operation *operation = &state->call.operation;
  *operation =
      (Operation){.resource = state->method->resource, .list = {.limit = -1}, .caller = request->caller, .now_us = request->now_us};
  switch (state->method->role) {
    case PROTO_GET: return decode_get(request, state, operation);
    case PROTO_LIST: return decode_list(request, state, operation);
    case PROTO_CREATE: return decode_create(request, state, operation);
    case PROTO_UPDATE: return decode_update(request, state, operation);
    case PROTO_DELETE: return decode_delete(request, state, operation);
    case PROTO_BATCH_CREATE: return decode_batch(request, state, operation);
    case PROTO_AGGREGATE: operation->action = ACTION_AGGREGATE; return decode_aggregate(request, state, operation);
    case PROTO_EXPORT: return grpc_export_decode(request, state, operation);
    case PROTO_IMPORT: return grpc_import_decode(request, state, operation);
    case PROTO_WATCH: return grpc_watch_decode(request, state);
    case PROTO_SYNC: return grpc_sync_decode(request, state);
    case PROTO_OWN: break;
  }
  return rest_refuse(&state->decoder, CODE_METHOD_NOT_ALLOWED, (Str){0}, "The method is not served here");
}

Code grpc_decode_call(ApiRequest *request, GrpcState *state) {
  request->group.calls = &state->call;
  request->group.count = state->method->role == PROTO_SYNC ? 0 : 1; /* what it asks comes in its messages */
  request->group.arena = request->exchange->arena;
  request->group.deadline_us = request->exchange->deadline_us;
  return grpc_decode_operation(request, state);
}
