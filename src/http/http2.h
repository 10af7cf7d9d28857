/* http2.h - HTTP/2 (RFC 9113) as a sans-I/O core over nghttp2: bytes in, events and bytes out. Knows no sockets, no clock, no exchanges.
 * Events come from within http2_receive and http2_send; every other call may be made from within an event. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/exchange.h"
#include "http/http2_head.h"

enum {
  HTTP2_PREFACE_BYTES = 24,
  HTTP2_STREAM_WINDOW_BYTES = 64 * 1024, /* what a client may send of a body before it is taken */
  HTTP2_WINDOW_BYTES = 1024 * 1024       /* … of all bodies of its connection */
};
#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* RFC 9113 §3.4: what a client begins with */

typedef struct Http2 Http2;
typedef struct Http2Stream Http2Stream; /* lives on the request's arena */

typedef struct Http2Pulled {
  bool is_end;                /* the body is whole */
  const HttpHeader *trailers; /* behind it */
  size_t trailer_count;
} Http2Pulled;

typedef struct Http2Events {
  /* The arena of a request that begins; NULL when memory is out. */
  Arena *(*arena_acquire)(void *context);
  void (*arena_release)(void *context, Arena *arena); /* of one that came to nothing */
  /* A request's head; the arena is the receiver's from now on, until `closed`. Returns what the other events are given, or NULL when memory
   * is out: then the arena is not taken, and the stream is refused. */
  void *(*head)(void *context, Http2Stream *stream, Arena *arena, const Http2Head *head);
  void (*body)(void *context, void *user, Str bytes); /* say http2_take_* when they are dealt with */
  void (*end)(void *context, void *user);             /* the request is whole */
  /* The next bytes of the answer's body, at most `room`. Returns how many; 0 and no end: none for now, until http2_resume. */
  size_t (*pull)(void *context, void *user, char *out, size_t room, Http2Pulled *ret);
  /* The client thinks otherwise of the answer's urgency (RFC 9218 §7); the order of what is sent is the core's. */
  void (*urgency)(void *context, void *user, uint8_t urgency);
  /* The stream is gone, and must not be named any more. `is_whole`: request and answer were. */
  void (*closed)(void *context, void *user, bool is_whole);
} Http2Events;

typedef enum Http2Reset { HTTP2_NO_ERROR = 0, HTTP2_INTERNAL_ERROR = 2, HTTP2_REFUSED_STREAM = 7, HTTP2_CANCEL = 8 } Http2Reset;

/* *events is borrowed. NULL when memory is out. */
Http2 *http2_create(const Http2Limits *limits, const Http2Events *events, void *context);
void http2_destroy(Http2 *http2); /* without events; NULL is fine */

/* RFC 7540 §3.2: stream 1 is a request that came whole in HTTP/1.1; `settings` is what its HTTP2-Settings field holds. Before anything is
 * received. The arena goes the way of `head`'s. False: memory is out or the settings are no good; then the arena was not taken. */
bool http2_upgrade(Http2 *http2, Str settings, Arena *arena, const Http2Head *head) MUST_USE;

/* False: the connection can't go on; what http2_send gives yet says why. */
bool http2_receive(Http2 *http2, Str bytes, uint64_t now_ms);
/* The next bytes to send, until the next call; empty when there are none for now. */
Str http2_send(Http2 *http2);
/* Nothing will be read or sent any more. */
bool http2_is_over(const Http2 *http2);
/* A head has begun and is not whole. */
bool http2_is_in_head(const Http2 *http2);

/* The answer's head; `has_body`: `pull` is asked for what follows. `date` is the field's value. False when memory is out. */
bool http2_respond(Http2 *http2, Http2Stream *stream, const HttpResponse *response, Str date, bool has_length, bool has_body) MUST_USE;
void http2_respond_continue(Http2 *http2, Http2Stream *stream); /* RFC 9110 §15.2.1 */
/* `pull` has something again. */
void http2_resume(Http2 *http2, Http2Stream *stream);
void http2_reset(Http2 *http2, Http2Stream *stream, Http2Reset why);
/* To be acknowledged at once by whoever is there (RFC 9113 §6.7): the next bytes say so. */
void http2_ping(Http2 *http2);

/* So many bytes of bodies were dealt with, and as many may come again. */
void http2_take_of_stream(Http2 *http2, Http2Stream *stream, size_t bytes);
void http2_take_of_connection(Http2 *http2, size_t bytes);

/* RFC 9113 §6.8: first what is coming is told, then which requests were the last. */
void http2_announce_end(Http2 *http2);
void http2_end(Http2 *http2);
