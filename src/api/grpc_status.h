/* grpc_status.h - a Problem as gRPC and Connect tell it: a canonical code, a sentence, and google.rpc's details. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "query/problem.h"

/* google.rpc.Code */
typedef enum GrpcCode {
  GRPC_CODE_OK = 0,
  GRPC_CODE_CANCELLED,
  GRPC_CODE_UNKNOWN,
  GRPC_CODE_INVALID_ARGUMENT,
  GRPC_CODE_DEADLINE_EXCEEDED,
  GRPC_CODE_NOT_FOUND,
  GRPC_CODE_ALREADY_EXISTS,
  GRPC_CODE_PERMISSION_DENIED,
  GRPC_CODE_RESOURCE_EXHAUSTED,
  GRPC_CODE_FAILED_PRECONDITION,
  GRPC_CODE_ABORTED,
  GRPC_CODE_OUT_OF_RANGE,
  GRPC_CODE_UNIMPLEMENTED,
  GRPC_CODE_INTERNAL,
  GRPC_CODE_UNAVAILABLE,
  GRPC_CODE_DATA_LOSS,
  GRPC_CODE_UNAUTHENTICATED,
  GRPC_CODE_COUNT
} GrpcCode;

GrpcCode grpc_code_of(const Problem *problem);
/* Connect's name of the code ("not_found"), and the HTTP status that its unary protocol gives to it. */
Str grpc_code_name(GrpcCode code);
int grpc_code_http_status(GrpcCode code);

/* The sentence that a client shows. */
Str grpc_status_text(const Problem *problem);
/* The same as a header carries it: percent-encoded ("gRPC over HTTP2", Status-Message). ptr NULL without memory. */
Str grpc_status_message(const Problem *problem, Arena *arena);
/* A google.rpc.Status with ErrorInfo, BadRequest, RetryInfo and RequestInfo, as far as there is something in them. */
void grpc_status_write(const Problem *problem, Str request_id, Buf *out);
/* The same in base64 without padding, as grpc-status-details-bin has it. ptr NULL without memory. */
Str grpc_status_details(const Problem *problem, Str request_id, Arena *arena);
/* Connect's error: {"code", "message", "details": [{"type", "value"}]}. */
void grpc_status_write_json(const Problem *problem, Str request_id, Arena *arena, Buf *out);
