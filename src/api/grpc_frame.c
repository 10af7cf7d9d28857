/* grpc_frame.c - a length is believed only as far as the limit goes, and memory is taken for what has come, never for what is announced. */
#include "api/grpc_frame.h"

#include "codec/gzip.h"

enum { COMPRESS_BYTES_MIN = 512 };

void grpc_frame_reader_init(GrpcFrameReader *reader, size_t message_bytes_max, bool has_compression) {
  size_t max = message_bytes_max < SIZE_MAX - GRPC_FRAME_HEAD_BYTES ? message_bytes_max + GRPC_FRAME_HEAD_BYTES : SIZE_MAX;
  *reader = (GrpcFrameReader){.message_bytes_max = message_bytes_max, .has_compression = has_compression, .partial = buf_on_heap(max)};
}

void grpc_frame_reader_done(GrpcFrameReader *reader) { buf_done(&reader->partial); }

bool grpc_frame_is_partial(const GrpcFrameReader *reader) { return reader->partial.len > 0; }

static size_t length_of(const char *head) {
  const unsigned char *bytes = (const unsigned char *)head;
  return (size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
}

static Code check_head(const GrpcFrameReader *reader, const char *head, Error *err) {
  unsigned flags = (unsigned char)head[0];
  if ((flags & ~(unsigned)GRPC_FRAME_COMPRESSED) != 0)
    return error_set(err, CODE_BAD_REQUEST, "a message begins with the flags 0x%02x, which a request has not", flags);
  /* gRPC's compression.md and Connect's protocol want INTERNAL, though it is the client's mistake. */
  if (flags != 0 && !reader->has_compression)
    return error_set(err, CODE_INTERNAL, "a message says that it is compressed, and the request does not say how");
  if (length_of(head) > reader->message_bytes_max)
    return error_set(err, CODE_TOO_LARGE, "a message is longer than %zu bytes (--grpc-message-max)", reader->message_bytes_max);
  return CODE_OK;
}

/* What is left of `wanted` bytes moves from *bytes to the reader; true when they are there. */
static bool collect(GrpcFrameReader *reader, Str *bytes, size_t wanted) {
  size_t missing = wanted - reader->partial.len;
  Str piece = str_slice(*bytes, 0, missing);
  buf_add(&reader->partial, piece);
  *bytes = str_slice(*bytes, piece.len, bytes->len);
  return piece.len == missing;
}

static Code decompress(const GrpcFrameReader *reader, Str message, Arena *arena, Str *ret, Error *err) {
  Buf out = buf_on(arena, reader->message_bytes_max);
  Error inner = {0};
  Code code = gzip_decompress(message, &out, &inner);
  if (code == CODE_TOO_LARGE)
    return error_set(err, code, "a message is longer than %zu bytes (--grpc-message-max)", reader->message_bytes_max);
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  if (code != CODE_OK) return error_set(err, CODE_BAD_REQUEST, "a message is not the gzip that it says it is");
  *ret = buf_str(&out);
  return CODE_OK;
}

static Code finish(const GrpcFrameReader *reader, unsigned flags, Str message, Arena *arena, Str *ret, bool *ret_has, Error *err) {
  *ret_has = true;
  /* Nothing is nothing, however it is packed. */
  if ((flags & GRPC_FRAME_COMPRESSED) != 0 && message.len > 0) return decompress(reader, message, arena, ret, err);
  *ret = message;
  return CODE_OK;
}

/* The common case: all of it is at hand. */
static bool is_whole(const GrpcFrameReader *reader, Str bytes) {
  return reader->partial.len == 0 && bytes.len >= GRPC_FRAME_HEAD_BYTES && bytes.len - GRPC_FRAME_HEAD_BYTES >= length_of(bytes.ptr);
}

Code grpc_frame_read(GrpcFrameReader *reader, Str *bytes, Arena *arena, Str *ret, bool *ret_has, Error *err) {
  Buf *partial = &reader->partial;
  *ret_has = false;
  if (partial->len >= GRPC_FRAME_HEAD_BYTES && partial->len == GRPC_FRAME_HEAD_BYTES + length_of(partial->ptr))
    buf_clear(partial); /* the last call's message */
  if (is_whole(reader, *bytes)) {
    Str frame = str_slice(*bytes, 0, GRPC_FRAME_HEAD_BYTES + length_of(bytes->ptr));
    TRY(check_head(reader, frame.ptr, err));
    *bytes = str_slice(*bytes, frame.len, bytes->len);
    return finish(reader, (unsigned char)frame.ptr[0], str_slice(frame, GRPC_FRAME_HEAD_BYTES, frame.len), arena, ret, ret_has, err);
  }
  if (partial->len < GRPC_FRAME_HEAD_BYTES) {
    bool has_head = collect(reader, bytes, GRPC_FRAME_HEAD_BYTES);
    if (partial->failed != CODE_OK) return error_no_memory(err);
    if (!has_head) return CODE_OK;
    TRY(check_head(reader, partial->ptr, err));
  }
  bool has_message = collect(reader, bytes, GRPC_FRAME_HEAD_BYTES + length_of(partial->ptr));
  if (partial->failed != CODE_OK) return error_no_memory(err);
  if (!has_message) return CODE_OK;
  Str message = str_slice(buf_str(partial), GRPC_FRAME_HEAD_BYTES, partial->len);
  return finish(reader, (unsigned char)partial->ptr[0], message, arena, ret, ret_has, err);
}

/* How many messages a method takes is part of what it is: UNIMPLEMENTED ("Status codes and their use in gRPC", cardinality). */
Code grpc_frame_read_only(Str body, size_t message_bytes_max, bool has_compression, Arena *arena, Str *ret, Error *err) {
  GrpcFrameReader reader = {.message_bytes_max = message_bytes_max, .has_compression = has_compression};
  if (body.len < GRPC_FRAME_HEAD_BYTES) {
    return body.len == 0 ? error_set(err, CODE_METHOD_NOT_ALLOWED, "the request has no message, and this method takes one")
                         : error_set(err, CODE_BAD_REQUEST, "the request's message broke off");
  }
  TRY(check_head(&reader, body.ptr, err));
  size_t left = body.len - GRPC_FRAME_HEAD_BYTES, length = length_of(body.ptr);
  if (left < length) return error_set(err, CODE_BAD_REQUEST, "the request's message broke off");
  if (left > length) return error_set(err, CODE_METHOD_NOT_ALLOWED, "the request has more than one message, and this method takes one");
  bool has_message;
  return finish(&reader, (unsigned char)body.ptr[0], str_slice(body, GRPC_FRAME_HEAD_BYTES, body.len), arena, ret, &has_message, err);
}

static void write_head(char *to, unsigned flags, size_t length) {
  to[0] = (char)flags;
  for (size_t i = 0; i < 4; i++) to[1 + i] = (char)(unsigned char)(length >> (24 - 8 * i));
}

/* False, and nothing written, where it would not get smaller. */
static bool write_compressed(Buf *out, unsigned flags, Str message) {
  Buf packed = out->arena != NULL ? buf_on(out->arena, message.len - 1) : buf_on_heap(message.len - 1);
  bool is_smaller = gzip_compress(message, GZIP_LEVEL_FAST, &packed, NULL) == CODE_OK;
  if (is_smaller && buf_reserve(out, GRPC_FRAME_HEAD_BYTES + packed.len)) {
    write_head(out->ptr + out->len, flags | GRPC_FRAME_COMPRESSED, packed.len);
    out->len += GRPC_FRAME_HEAD_BYTES;
    buf_add(out, buf_str(&packed));
  }
  buf_done(&packed);
  return is_smaller;
}

void grpc_frame_write(Buf *out, unsigned flags, bool is_compressed, Str message) {
  if (out->failed != CODE_OK) return;
  if (message.len > UINT32_MAX) {
    out->failed = CODE_TOO_LARGE;
    return;
  }
  if (is_compressed && message.len >= COMPRESS_BYTES_MIN && write_compressed(out, flags, message)) return;
  if (out->failed != CODE_OK || !buf_reserve(out, GRPC_FRAME_HEAD_BYTES)) return;
  write_head(out->ptr + out->len, flags, message.len);
  out->len += GRPC_FRAME_HEAD_BYTES;
  buf_add(out, message);
}
