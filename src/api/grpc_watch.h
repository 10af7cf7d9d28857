/* grpc_watch.h - a watch whose events are a stream's messages: all of them (WatchProducts), or some (SyncProducts). */
#pragma once
#include "api/grpc_stream.h"
#include "query/watch.h"

typedef struct GrpcWatch {
  Watch watch; /* first: the hub knows only this */
  GrpcStream *stream;
  const ProtoField *kind, *row, *position; /* of the event's message, WatchProductsResponse */
  const ProtoResource *resource;
  bool is_over; /* it is not open: not yet, or no more */
} GrpcWatch;

/* `state` is a call of Watch: its message, on the request's arena, says what is watched. */
Code grpc_watch_init(ApiRequest *request, GrpcState *state, const WatchEncoder *encoder, GrpcWatch *ret);
/* Holds the stream until it has ended; where it can't be opened the stream is ended. */
void grpc_watch_open(GrpcWatch *watch);
/* The stream's reader has room again, or its end is decided. */
void grpc_watch_ready(GrpcWatch *watch);
void grpc_watch_stop(GrpcWatch *watch);

/* For encoders. */
Code grpc_watch_write_row(Watch *watch, const Selection *selection, const Value *values, Buf *out, Error *err);
void grpc_watch_write_event(Watch *watch, const WatchEvent *event, Buf *out);
bool grpc_watch_send(Watch *watch, const WatchEvent *event, Str frame);
/* False: the protocol has given the call up meanwhile, and the watch ends. */
bool grpc_watch_may_start(Watch *watch);
void grpc_watch_ended(Watch *watch, const Problem *problem, Str position);
