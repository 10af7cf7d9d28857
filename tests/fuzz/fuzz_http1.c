/* fuzz_http1.c - however a connection's bytes are cut into pieces, they mean the same requests, or are refused with the same status. */
#include "http/http1_test_transcript.h"
#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const Http1Limits limits = {.header_bytes_max = 300, .uri_bytes_max = 60};
  if (size < 2) return 0;
  size_t piece_bytes = data[0] % 32 + 1u;
  Str input = {(const char *)data + 1, size - 1};
  Arena *arena = arena_create(0);
  Buf whole = buf_on(arena, SIZE_MAX), pieces = buf_on(arena, SIZE_MAX), bytes = buf_on(arena, SIZE_MAX);
  http1_transcribe(&limits, input, 0, arena, &whole);
  http1_transcribe(&limits, input, piece_bytes, arena, &pieces);
  http1_transcribe(&limits, input, 1, arena, &bytes);
  PROPERTY(str_equal(buf_str(&whole), buf_str(&pieces)));
  PROPERTY(str_equal(buf_str(&whole), buf_str(&bytes)));
  arena_destroy(arena);
  return 0;
}
