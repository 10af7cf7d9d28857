/* grpc.h - the gRPC face: the contract's services over gRPC, gRPC-Web and Connect, with health and reflection, on the port of the rest. */
#pragma once
#include "api/face.h"
#include "api/proto_schema.h"

typedef struct GrpcLimits {
  size_t message_bytes_max; /* of one message of a request */
} GrpcLimits;

/* What the face prepares for a contract. */
typedef struct Grpc {
  const ProtoSchema *schema;
  GrpcLimits limits;
  const ProtoMethod *const *methods; /* all of them; their places are grpc_method_index's */
  size_t method_count;
  Map places;                    /* path → 1 + the place */
  const struct Grpc *const *all; /* of every version that is served, this one among them: for health and reflection */
  size_t all_count;
} Grpc;

/* Where the path's method stands in grpc->methods; method_count: it is none. */
size_t grpc_method_index(const Grpc *grpc, Str path);

extern const Face FACE_GRPC;
static inline Grpc *grpc_of(const Api *api) { return api_prepared(api, &FACE_GRPC); }
