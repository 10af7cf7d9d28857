/* fuzz_websocket.c - however a client's frames are cut into pieces, they mean the same messages, or fail with the same code. */
#include "http/websocket_test_transcript.h"
#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  size_t piece_bytes = data[0] % 32 + 1u;
  Str input = {(const char *)data + 1, size - 1};
  Buf whole = buf_on_heap(SIZE_MAX / 2), pieces = buf_on_heap(SIZE_MAX / 2), bytes = buf_on_heap(SIZE_MAX / 2);
  websocket_transcribe(200, input, 0, &whole);
  websocket_transcribe(200, input, piece_bytes, &pieces);
  websocket_transcribe(200, input, 1, &bytes);
  PROPERTY(str_equal(buf_str(&whole), buf_str(&pieces)));
  PROPERTY(str_equal(buf_str(&whole), buf_str(&bytes)));
  buf_done(&whole);
  buf_done(&pieces);
  buf_done(&bytes);
  return 0;
}
