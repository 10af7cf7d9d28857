/* grpc_stream.h - a call whose messages come, go, or both, one after the other, on any of the protocols. */
#pragma once
#include "api/grpc_frame.h"
#include "api/grpc_state.h"

typedef struct GrpcStream GrpcStream;

typedef struct GrpcStreamHandler {
  /* A message of the client's, on stream->arena, which is its alone until the next one. NULL: none are taken. */
  void (*message)(GrpcStream *stream, const ProtoNode *message);
  /* The client sends no more, and all that it sent has been handed over. NULL: the stream ends with OK. */
  void (*half_closed)(GrpcStream *stream);
  /* There is room again after grpc_stream_send said that there was none. May be NULL. */
  void (*writable)(GrpcStream *stream);
  /* The end is decided, by whomever: see to it that nothing holds the stream any more. May be NULL. */
  void (*stop)(GrpcStream *stream);
} GrpcStreamHandler;

struct GrpcStream {
  ApiRequest *request;
  GrpcState *state;
  const GrpcStreamHandler *handler;
  void *own;
  Arena *arena; /* of one message */
  Buf scratch;  /* of one frame; on the heap */
  Buf received; /* came and was not yet read; on the heap */
  size_t received_at;
  GrpcFrameReader frames;
  const HttpHeader *header; /* of the head, beside the protocol's own; NULL: none */
  uint64_t message_count;   /* of the client's */
  const Problem *problem;   /* of the end */
  bool is_begun, is_ended;  /* the head was sent; the end is decided */
  bool is_over;             /* … and told */
  unsigned holds;           /* works that need the request: the end is told behind them */
  bool is_busy;             /* one of them keeps the client's messages waiting */
  bool is_full;             /* the reader is behind */
  bool is_paused;           /* of the client's messages no more are wanted for now */
  bool is_read_paused, is_body_over, is_half_closed, is_running;
};

/* On the request's arena; sets request->stream, so that it runs after authorization. */
Code grpc_stream_prepare(ApiRequest *request, GrpcState *state, const GrpcStreamHandler *handler, void *own, GrpcStream **ret);
/* The head of the answer, where it is to go before the first message does. */
void grpc_stream_begin(GrpcStream *stream);
/* A message of the method's response type; it goes until the end is told, also where that is decided. False: the reader is behind, wait for
 * `writable`. */
bool grpc_stream_send(GrpcStream *stream, Str message);
/* NULL: OK. The first end holds. */
void grpc_stream_end(GrpcStream *stream, const Problem *problem);
/* Something needs the request: the end is told when as many have let go as have held. */
void grpc_stream_hold(GrpcStream *stream);
void grpc_stream_release(GrpcStream *stream);
/* Work for the stream begins, or is done: it holds the stream, and while it is under way no message is handed over. */
void grpc_stream_set_busy(GrpcStream *stream, bool is_busy);
