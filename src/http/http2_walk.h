/* http2_walk.h - where frames begin in a connection's bytes, in whatever pieces they come. nghttp2 says nothing of the DATA frames that it
 * discards; here they are seen. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { HTTP2_FRAME_HEAD_BYTES = 9 }; /* RFC 9113 §4.1 */

/* All zero: nothing has come, and the first bytes will be the client's preface. */
typedef struct Http2Walk {
  size_t preface_len;
  size_t payload_left;
  size_t head_len;
  unsigned char head[HTTP2_FRAME_HEAD_BYTES];
} Http2Walk;

/* Goes on to right behind the next head of a DATA frame, or to the end of the bytes. Returns how many bytes that are, and in *ret_id the
 * frame's stream, or -1 at the end. */
size_t http2_walk_to_data(Http2Walk *walk, Str bytes, int32_t *ret_id);
