/* http2_walk.c - where frames begin (RFC 9113 §4.1). What is no frame at all is nghttp2's to refuse. */
#include "http/http2_walk.h"

#include <string.h>

#include "http/http2.h"

enum { TYPE_DATA = 0, TYPE_AT = 3, STREAM_AT = 5 };

static size_t at_most(size_t a, size_t b) { return a < b ? a : b; }

/* Of a head that is whole. */
static int32_t stream_of(const unsigned char *head) {
  const unsigned char *at = head + STREAM_AT;
  return (int32_t)(((uint32_t)(at[0] & 0x7f) << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3]);
}

/* Of what is left of the preface or of a payload. Returns how many bytes that were. */
static size_t pass(Http2Walk *walk, size_t len) {
  size_t preface = at_most(len, HTTP2_PREFACE_BYTES - walk->preface_len);
  walk->preface_len += preface;
  size_t payload = at_most(len - preface, walk->payload_left);
  walk->payload_left -= payload;
  return preface + payload;
}

size_t http2_walk_to_data(Http2Walk *walk, Str bytes, int32_t *ret_id) {
  size_t at = 0;
  *ret_id = -1;
  while ((at += pass(walk, bytes.len - at)) < bytes.len) {
    size_t taken = at_most(bytes.len - at, sizeof walk->head - walk->head_len);
    memcpy(walk->head + walk->head_len, bytes.ptr + at, taken);
    walk->head_len += taken;
    at += taken;
    if (walk->head_len < sizeof walk->head) break;
    walk->head_len = 0;
    walk->payload_left = ((size_t)walk->head[0] << 16) | ((size_t)walk->head[1] << 8) | walk->head[2];
    if (walk->head[TYPE_AT] != TYPE_DATA) continue;
    *ret_id = stream_of(walk->head);
    break;
  }
  return at;
}
