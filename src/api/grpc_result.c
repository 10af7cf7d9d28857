/* grpc_result.c - Results to the answer's message: rows are bytes already (proto_encode.h), what stands around them is added here. */
#include "api/grpc_state.h"
#include "api/answer_limit.h"
#include "codec/protobuf.h"

enum { ETAG_BYTES_MAX = 256 };

static void refuse_buffer(ApiRequest *request, Code code) {
  Arena *arena = request->exchange->arena;
  request->problem = code == CODE_TOO_LARGE ? answer_too_large_problem(arena) : problem_no_memory(arena);
}

static const ProtoResource *resource_of(const GrpcState *state) { return &state->grpc->schema->resources[state->method->resource->index]; }

/* ---- Lists ---- */

static void add_text(const ProtoMessage *message, Str name, Str text, Buf *out) {
  const ProtoField *field = proto_field(message, name);
  if (field != NULL && text.len > 0) protobuf_add_bytes(out, field->number, text);
}

static void end_list(GrpcState *state) {
  const ProtoMessage *message = state->method->response;
  const Result *result = &state->call.result;
  add_text(message, STR("next_page_token"), result->next_cursor, &state->sink.out.buf);
  const ProtoField *total = proto_field(message, STR("total_size"));
  if (total != NULL && result->has_total) protobuf_add_int(&state->sink.out.buf, total->number, result->total);
}

/* ---- Writes ---- */

static void end_write(GrpcState *state) {
  const Result *result = &state->call.result;
  if (state->method->role == PROTO_BATCH_CREATE)
    proto_sink_place_hidden(&state->sink, resource_of(state), result);
  else if (result->is_hidden && result->key != NULL)
    proto_write_key(&state->sink.out, resource_of(state), result->key);
}

/* ---- The answer ---- */

Code grpc_result_etag(const GrpcState *state, Arena *arena, Str *ret, Error *err) {
  const Result *result = &state->call.result;
  if (result->etag.len == 0 || result->is_hidden || state->method->role == PROTO_BATCH_CREATE) return CODE_OK;
  Buf etag = buf_on(arena, ETAG_BYTES_MAX);
  buf_add_byte(&etag, '"');
  buf_add(&etag, result->etag);
  buf_add_byte(&etag, '"');
  return buf_finish(&etag, ret, err);
}

Code grpc_result_message(GrpcState *state, Str *ret, Error *err) {
  switch (state->call.operation.action) {
    case ACTION_LIST: end_list(state); break;
    case ACTION_CREATE:
    case ACTION_UPDATE:
    case ACTION_REPLACE: end_write(state); break;
    case ACTION_AGGREGATE: return buf_finish(&state->groups.out.buf, ret, err);
    case ACTION_DELETE: *ret = STR(""); return CODE_OK;
    case ACTION_GET:
    case ACTION_COUNT: break;
  }
  return buf_finish(&state->sink.out.buf, ret, err);
}

void grpc_encode_result(ApiRequest *request, GrpcState *state) {
  Arena *arena = request->exchange->arena;
  Str message = {NULL, 0}, etag = {NULL, 0};
  Error err = {0};
  Code code = grpc_result_message(state, &message, &err);
  if (code == CODE_OK) code = grpc_write_message(state, state->method->response, message, arena, &message, &err);
  if (code == CODE_OK) code = grpc_result_etag(state, arena, &etag, &err);
  if (code != CODE_OK) {
    refuse_buffer(request, code);
    return;
  }
  grpc_wire_answer(&state->wire, message, &(HttpHeader){STR("etag"), etag}, etag.len > 0, arena, &request->response);
}
