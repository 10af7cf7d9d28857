/* fuzz_http2.c - however a connection's frames are cut into pieces, they mean the same requests, or end it. Behind a preface and empty
 * settings, so that the input is frames from its first byte on. */
#include "http/http2_test_transcript.h"
#include "property.h"

enum { FRAME_HEAD_BYTES = 9, GOAWAY = 7 };

static bool has_goaway(Str frames) {
  while (frames.len >= FRAME_HEAD_BYTES) {
    const unsigned char *head = (const unsigned char *)frames.ptr;
    if (head[3] == GOAWAY) return true;
    frames = str_slice(frames, FRAME_HEAD_BYTES + ((size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]), frames.len);
  }
  return false;
}

/* Who sends GOAWAY is left as soon as nothing of his is under way, which what comes in the same piece still can be. */
static bool means_the_same(Str pieces, Str whole, Str frames) {
  if (str_equal(pieces, whole)) return true;
  Str over = STR("is over\n");
  return has_goaway(frames) && str_ends_with(pieces, over) && str_starts_with(whole, str_slice(pieces, 0, pieces.len - over.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const Http2Limits limits = {.header_bytes_max = 300, .uri_bytes_max = 60, .streams_max = 8, .control_frames_max = 20};
  if (size < 2) return 0;
  size_t piece_bytes = data[0] % 32 + 1u;
  Buf input = buf_on_heap(SIZE_MAX), whole = buf_on_heap(SIZE_MAX), pieces = buf_on_heap(SIZE_MAX), bytes = buf_on_heap(SIZE_MAX);
  buf_add(&input, STR(HTTP2_PREFACE));
  buf_add(&input, STR("\0\0\0\4\0\0\0\0\0"));
  buf_add(&input, (Str){(const char *)data + 1, size - 1});
  http2_transcribe(&limits, buf_str(&input), 0, &whole);
  http2_transcribe(&limits, buf_str(&input), piece_bytes, &pieces);
  http2_transcribe(&limits, buf_str(&input), 1, &bytes);
  Str frames = {(const char *)data + 1, size - 1};
  PROPERTY(means_the_same(buf_str(&pieces), buf_str(&whole), frames));
  PROPERTY(means_the_same(buf_str(&bytes), buf_str(&whole), frames));
  buf_done(&input);
  buf_done(&whole);
  buf_done(&pieces);
  buf_done(&bytes);
  return 0;
}
