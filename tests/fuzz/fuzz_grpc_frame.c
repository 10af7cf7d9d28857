/* fuzz_grpc_frame.c - however a stream is cut into pieces, it holds the same messages and the same refusal; and what is written is read
 * again. */
#include "api/grpc_frame.h"
#include "property.h"

enum { MESSAGE_BYTES_MAX = 4096 };

static void transcribe(Str stream, size_t piece_bytes, bool has_compression, Arena *arena, Buf *out) {
  GrpcFrameReader reader;
  grpc_frame_reader_init(&reader, MESSAGE_BYTES_MAX, has_compression);
  Code code = CODE_OK;
  for (size_t at = 0; at < stream.len && code == CODE_OK; at += piece_bytes) {
    Str bytes = str_slice(stream, at, at + piece_bytes), message;
    for (bool has_message = true; has_message;) {
      code = grpc_frame_read(&reader, &bytes, arena, &message, &has_message, NULL);
      if (code != CODE_OK || !has_message) break;
      PROPERTY(message.len <= MESSAGE_BYTES_MAX);
      buf_printf(out, "%zu:", message.len);
      buf_add(out, message);
    }
    PROPERTY(code != CODE_OK || bytes.len == 0);
  }
  buf_printf(out, code == CODE_OK ? ".%d" : "!%d", code == CODE_OK ? grpc_frame_is_partial(&reader) : (int)code);
  grpc_frame_reader_done(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  size_t piece_bytes = data[0] / 2 % 32 + 1u;
  bool has_compression = data[0] % 2 != 0;
  Str stream = {(const char *)data + 1, size - 1}, message;
  Arena *arena = arena_create(0);
  Buf whole = buf_on(arena, SIZE_MAX), pieces = buf_on(arena, SIZE_MAX), frame = buf_on(arena, SIZE_MAX);
  transcribe(stream, stream.len, has_compression, arena, &whole);
  transcribe(stream, piece_bytes, has_compression, arena, &pieces);
  PROPERTY(str_equal(buf_str(&whole), buf_str(&pieces)));
  grpc_frame_write(&frame, 0, has_compression, stream);
  PROPERTY(grpc_frame_read_only(buf_str(&frame), stream.len, has_compression, arena, &message, NULL) == CODE_OK);
  PROPERTY(str_equal(message, stream));
  (void)grpc_frame_read_only(stream, MESSAGE_BYTES_MAX, has_compression, arena, &message, NULL);
  arena_destroy(arena);
  return 0;
}
