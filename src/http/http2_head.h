/* http2_head.h - a request's head from the fields of a HEADERS frame (RFC 9113 §8.3). Sans-I/O. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "http/exchange.h"

typedef struct Http2Limits {
  size_t header_bytes_max; /* fields, each counted with 32 bytes more (RFC 9113 §6.5.2): 431 */
  size_t uri_bytes_max;    /* :path: 414 */
  uint32_t streams_max;
  uint32_t control_frames_max;   /* frames that ask for work and lead nowhere: so many at once, a tenth of them a second for long */
  uint32_t ping_interval_min_ms; /* of pings while nothing is sent to who sends them; 0: they are bounded as other frames are */
} Http2Limits;

/* RFC 9218 §4.1. */
enum { HTTP2_URGENCY_FIRST = 0, HTTP2_URGENCY_DEFAULT = 3, HTTP2_URGENCY_LAST = 7 };

typedef struct Http2Head {
  HttpRequest request;
  size_t head_bytes;
  bool has_body;
  bool has_length;
  uint64_t body_bytes; /* content-length, else 0 */
  bool expects_continue, expects_unknown;
  uint8_t urgency;
  int refused_status; /* 0: the head is fine */
  Str refused_detail;
} Http2Head;

/* The head that is coming in. */
typedef struct Http2Fields {
  Arena *arena;
  Str method, path, authority, protocol;
  HttpHeader *headers;
  size_t count, cap;
  size_t bytes;
  bool is_path_too_long, is_too_large, is_out_of_memory;
} Http2Fields;

/* Both are copied. False: it is so large that reading it on is not worth it. */
bool http2_fields_add(Http2Fields *fields, const Http2Limits *limits, Str name, Str value);
/* The same of what comes behind the body, which nobody reads. */
bool http2_fields_skip(Http2Fields *fields, const Http2Limits *limits, Str name, Str value);
/* What a Priority field says of urgency, a dictionary (RFC 9218 §4, RFC 8941 §3.2), or `otherwise`, where it says none that can be. */
uint8_t http2_urgency_of(Str priority, uint8_t otherwise);
void http2_fields_finish(const Http2Fields *fields, bool has_body, Http2Head *ret);
