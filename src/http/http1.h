/* http1.h - HTTP/1.1's protocol core (RFC 9112), without input or output: bytes in, events out; responses in, bytes out.
 * What could be understood in two ways is refused, as the next hop might have understood it in the other. Not thread-safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/exchange.h"

typedef struct Http1Limits {
  size_t header_bytes_max; /* the header section: 431 */
  size_t uri_bytes_max;    /* the request target: 414 */
} Http1Limits;

typedef enum Http1EventType {
  HTTP1_MORE = 0, /* all of the input was taken */
  HTTP1_HEAD,     /* *ret_head is filled, its text on the arena */
  HTTP1_BODY,     /* bytes: in the input */
  HTTP1_END,      /* the request is whole; comes also where there is no body */
  HTTP1_REFUSED   /* status, detail; the last event. *ret_head's request has what could be read */
} Http1EventType;

typedef struct Http1Event {
  Http1EventType type;
  int status;
  Str bytes;
  Str detail;
} Http1Event;

typedef struct Http1Head {
  HttpRequest request;
  size_t head_bytes;
  bool keeps_alive; /* what the client wants */
  bool has_body;
  bool is_chunked;       /* the body's length is not known */
  uint64_t body_bytes;   /* Content-Length, else 0 */
  bool expects_continue; /* RFC 9110 §10.1.1 */
  bool expects_unknown;  /* 417 */
  bool wants_upgrade;    /* RFC 9110 §7.8; to what, its headers say */
} Http1Head;

typedef struct Http1Parser Http1Parser;

/* NULL when memory is out. */
Http1Parser *http1_parser_create(const Http1Limits *limits);
void http1_parser_destroy(Http1Parser *parser); /* NULL is fine */
/* For the next connection. */
void http1_parser_reset(Http1Parser *parser);
/* Takes bytes from *input and says what they mean, one event a call. The arena is used when the event is HTTP1_HEAD or HTTP1_REFUSED only.
 * How the input is cut into pieces makes no difference but to the pieces in which a body comes. */
Http1Event http1_parse(Http1Parser *parser, Str *input, Arena *arena, Http1Head *ret_head);
/* Some bytes of a head have come, but not all. */
bool http1_parser_is_in_head(const Http1Parser *parser);

typedef enum Http1Framing {
  HTTP1_LENGTH = 0, /* Content-Length; the body follows unless the request was HEAD */
  HTTP1_CHUNKED,
  HTTP1_UNTIL_CLOSE /* HTTP/1.0, of unknown length; and what a 101 switches to */
} Http1Framing;

typedef struct Http1Answer {
  const HttpResponse *response;
  Http1Framing framing;
  int version;      /* the request's: 10 or 11 */
  bool keeps_alive; /* what will be done */
  Str date;         /* a whole Date field line, with CRLF */
} Http1Answer;

/* The response's head with its empty line. A status that allows no body gets no framing (RFC 9112 §6.3). */
void http1_write_head(Buf *out, const Http1Answer *answer);
/* 1xx, 204 and 304 have no body, whatever the request. */
bool http1_status_has_body(int status);
/* What stands before a chunk's bytes; CRLF stands behind them. Returns the length. */
size_t http1_write_chunk_size(size_t bytes, char out[20]);
/* The last chunk, trailers, the end. */
void http1_write_chunked_end(Buf *out, const HttpHeader *trailers, size_t count);
