/* grpc_wire.h - the protocols that carry one service's calls over HTTP: gRPC, gRPC-Web (binary and text) and Connect (unary, streaming,
 * GET). What a request speaks is read from its head; answers are written in the same. */
#pragma once
#include "api/face.h"
#include "base/buf.h"

typedef enum GrpcProtocol { GRPC_NATIVE = 0, GRPC_WEB, GRPC_WEB_TEXT, GRPC_CONNECT, GRPC_CONNECT_STREAM } GrpcProtocol;

typedef struct GrpcWire {
  GrpcProtocol protocol;
  bool is_json;         /* messages are ProtoJSON */
  bool is_get;          /* Connect: the message is in the query */
  bool has_compression; /* of the request's messages: gzip */
  bool accepts_gzip;
  Str content_type;   /* of the answer */
  int64_t timeout_us; /* 0: none */
  Str message;        /* GET: as it is in the query, decoded */
} GrpcWire;

/* True where the media type alone says that no other face is meant. */
bool grpc_wire_is_named(const HttpRequest *request);
/* Reads all that the head says. NULL, or why it can't be served; *ret is then filled as far as the answer needs it. */
const Problem *grpc_wire_read(const HttpRequest *request, Arena *arena, GrpcWire *ret);

/* The body's one message, unpacked: unary calls and server streams. */
Code grpc_wire_message(const GrpcWire *wire, Str body, size_t message_bytes_max, Arena *arena, Str *ret, Error *err);

/* A whole answer: one message and the status OK; `headers` are the answer's own. Fails into `problem` form where memory is out. */
void grpc_wire_answer(const GrpcWire *wire, Str message, const HttpHeader *headers, size_t header_count, Arena *arena, HttpResponse *ret);
/* A whole answer: no message and the problem's status. */
void grpc_wire_refuse(const GrpcWire *wire, const Problem *problem, Str request_id, Arena *arena, HttpResponse *ret);

/* A stream of messages: the head, then messages, then the status. `header`: one more; NULL: none. */
void grpc_wire_begin(const GrpcWire *wire, ApiRequest *request, const HttpHeader *header);
/* False: the reader is behind, wait for on_writable. `scratch` is for one call. */
bool grpc_wire_write(const GrpcWire *wire, ApiRequest *request, Str message, Buf *scratch);
/* `problem` NULL: OK. */
void grpc_wire_end(const GrpcWire *wire, ApiRequest *request, const Problem *problem);
