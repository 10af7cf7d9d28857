/* grpc_state.h - one call of a service between decode and encode; for the files of this face. */
#pragma once
#include "api/face.h"
#include "api/grpc.h"
#include "api/grpc_groups.h"
#include "api/grpc_wire.h"
#include "api/proto_encode.h"
#include "api/proto_message.h"
#include "api/rest_aggregate.h"
#include "api/rest_decode.h"

typedef struct GrpcState {
  GrpcWire wire;
  const Grpc *grpc;
  const ProtoMethod *method;
  const Problem *refused; /* what its head alone is refused for */
  RestDecoder decoder;    /* its words for what a list asks are those of every face */
  ExprNames names;
  const ProtoNode *message; /* the request's; NULL: they come as a stream */
  Call call;
  ProtoSink sink;
  RestAggregate aggregate;
  GrpcGroupSink groups;
  void *stream; /* a stream's own */
} GrpcState;

static inline GrpcState *grpc_state_of(HttpExchange *exchange) { return ((ApiRequest *)exchange->user)->face_state; }

/* grpc_call.c: the request's message to request->group. */
Code grpc_decode_call(ApiRequest *request, GrpcState *state);
/* The same without the group: state->message to state->call, on the decoder's arena, as the method's role says. */
Code grpc_decode_operation(ApiRequest *request, GrpcState *state);
/* What a list asks, but for its page: filter and order. */
Code grpc_decode_list(GrpcState *state, ListQuery *ret);
Code grpc_decode_mask(ApiRequest *request, GrpcState *state, Selection **ret);
/* The one field of a message that holds a row of the resource, or rows; NULL: none. */
const ProtoField *grpc_row_field(const ProtoMessage *message, const Resource *resource);

/* grpc_result.c: request->response, from results that are no refusals; the problem where memory is out. */
void grpc_encode_result(ApiRequest *request, GrpcState *state);
/* The answer's message alone, as protobuf. */
Code grpc_result_message(GrpcState *state, Str *ret, Error *err);
/* The tag that an Update or a Delete may send back, in quotes; *ret is untouched where there is none. */
Code grpc_result_etag(const GrpcState *state, Arena *arena, Str *ret, Error *err);

/* grpc.c */
/* A message of the request's stream, or its only one, from the wire's form. */
Code grpc_read_message(const GrpcState *state, const ProtoMessage *type, Str bytes, Arena *arena, const ProtoNode **ret, Error *err);
/* A message for the answer in the wire's form: *ret is `bytes` itself, or lives on the arena. */
Code grpc_write_message(const GrpcState *state, const ProtoMessage *type, Str bytes, Arena *arena, Str *ret, Error *err);

/* grpc_health.c, grpc_reflection.c: services that are no resource's. */
typedef struct GrpcOwnMethod {
  Str path;
  /* Answers (is_answered), or sets request->stream. */
  Code (*decode)(ApiRequest *request, GrpcState *state);
} GrpcOwnMethod;
extern const GrpcOwnMethod GRPC_HEALTH_METHODS[], GRPC_REFLECTION_METHODS[];
extern const size_t GRPC_HEALTH_METHOD_COUNT, GRPC_REFLECTION_METHOD_COUNT;
