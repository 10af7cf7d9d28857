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

/* Sets api->grpc. `lock` (borrowed, may be NULL) holds the fields' numbers. */
Code grpc_create(Api *api, const ProtoLock *lock, const GrpcLimits *limits, Error *err);
/* The contract is served beside others: `all` (borrowed, this one's among them). Before the first request. */
void grpc_join(Api *api, const Grpc *const *all, size_t count);
/* Of a body that holds one such message, in its envelope and as text, too. */
size_t grpc_body_bytes_max(size_t message_bytes_max);
/* True where the path is one of the contract's own services: "/shop.v1.ProductService/GetProduct". */
bool grpc_has_service(const Grpc *grpc, Str path);
/* Where the path's method stands in grpc->methods; method_count: it is none. */
size_t grpc_method_index(const Grpc *grpc, Str path);

extern const Face grpc_face;
