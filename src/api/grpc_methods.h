/* grpc_methods.h - the methods of a resource's service that are streams: each decodes its request and sets request->stream. */
#pragma once
#include "api/grpc_stream.h"
#include "base/vec.h"

/* grpc_export.c: rows down, however many. */
Code grpc_export_decode(ApiRequest *request, GrpcState *state, Operation *operation);
/* grpc_import.c: rows up, however many. */
Code grpc_import_decode(ApiRequest *request, GrpcState *state, Operation *operation);

/* grpc_watch.c: changes down, as they are committed. */
Code grpc_watch_decode(ApiRequest *request, GrpcState *state);

/* grpc_sync.c: writes up, results and changes down. */
Code grpc_sync_decode(ApiRequest *request, GrpcState *state);
