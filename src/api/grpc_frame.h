/* grpc_frame.h - messages in an envelope of five bytes, flags and a length, as gRPC, gRPC-Web and Connect put them on a stream. Sans-I/O:
 * bytes in, messages out, in whatever pieces they come. */
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum {
  GRPC_FRAME_HEAD_BYTES = 5,
  GRPC_FRAME_COMPRESSED = 0x01,
  CONNECT_FRAME_END = 0x02, /* Connect: the last one of an answer, JSON */
  GRPC_WEB_FRAME_END = 0x80 /* gRPC-Web: the last one of an answer, fields as in HTTP/1 */
};

typedef struct GrpcFrameReader {
  size_t message_bytes_max; /* of a message, compressed or not */
  bool has_compression;     /* the request names gzip: what is flagged is that */
  Buf partial;              /* what came of a message whose end has not; on the heap */
} GrpcFrameReader;

void grpc_frame_reader_init(GrpcFrameReader *reader, size_t message_bytes_max, bool has_compression);
void grpc_frame_reader_done(GrpcFrameReader *reader);
/* Takes what belongs to the next message off *bytes; *ret_has is false where more must come. The message may lie in *bytes, in the reader
 * until its next call, or on `arena` (what was compressed). CODE_BAD_REQUEST: flags that are not for a request; CODE_INTERNAL: it is
 * flagged as compressed where nothing said how; CODE_TOO_LARGE; CODE_UNAVAILABLE without memory. Nothing is read behind a failure. */
Code grpc_frame_read(GrpcFrameReader *reader, Str *bytes, Arena *arena, Str *ret, bool *ret_has, Error *err);
/* Bytes of a message have come whose end has not. */
bool grpc_frame_is_partial(const GrpcFrameReader *reader);

/* A whole body that must be one message and nothing else. */
Code grpc_frame_read_only(Str body, size_t message_bytes_max, bool has_compression, Arena *arena, Str *ret, Error *err);

/* An envelope and its message, compressed where `is_compressed` and it gets smaller by it. */
void grpc_frame_write(Buf *out, unsigned flags, bool is_compressed, Str message);
