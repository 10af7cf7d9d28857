/* http2_connection.h - what an HTTP/2 connection and its exchanges know of each other. Only for the files of http/.
 * Invariants: a request is begun only while few others are under way and few bytes of answers wait, so that a client that asks for much and
 * reads little costs bounded memory; until then it is held, and its body waits in its flow-control window. So does a body of which the
 * others leave no room; the connection's window is never shut. One that is more urgent than
 * all that are under way (RFC 9218 §4.1) waits for no bytes of theirs: that is one more for each urgency. An exchange lives until its
 * stream is gone and its handler has answered, in whichever order, and is freed at the end of a turn, never within a call. */
#pragma once
#include "http/connection.h"
#include "http/http2.h"

enum {
  HTTP2_BEGUN_MAX = 128,                      /* exchanges of one connection whose handlers work, or whose bodies come in */
  HTTP2_ANSWERS_HIGH_BYTES = 2 * 1024 * 1024, /* of answers that wait, or may come of what has begun: nothing is begun meanwhile */
  HTTP2_ANSWER_FIRST_GUESS = 128 * 1024,
  HTTP2_BODIES_HIGH_BYTES = 16 * 1024 * 1024, /* of bodies in memory: streams' windows are opened one by one meanwhile */
  HTTP2_WAITING_HIGH_BYTES = 64 * 1024,       /* of one streamed answer */
  HTTP2_WAITING_LOW_BYTES = 16 * 1024
};

typedef struct Http2Exchange Http2Exchange;

/* Exchanges that wait for something, the most urgent first and then in the order in which they came; each waits in one at most. */
typedef struct Http2Queue {
  Http2Exchange *first, *last;
} Http2Queue;

struct Http2Connection {
  Connection *connection;
  Http2 *http2;
  Http2Exchange *exchanges; /* newest first */
  Http2Queue held;          /* not begun yet */
  Http2Queue ready;         /* their bodies have come, and they wait for their turn */
  size_t exchange_count, begun_count;
  size_t coming_count;   /* of those that are begun: nobody works for them before their bodies are there */
  size_t body_bytes;     /* of all exchanges, in memory */
  size_t untaken_bytes;  /* of all exchanges */
  size_t answer_bytes;   /* of all exchanges, not sent */
  size_t answer_guess;   /* what the next answer may take, from the last ones */
  size_t writable_count; /* exchanges that wait for on_writable */
  size_t resuming_count; /* … whose handlers want to read on */
  uint64_t head_ms;      /* the head that is coming in began */
  uint64_t pinged_ms;    /* nothing has come since we asked for a sign of life; 0: we have not */
  Http2Connection *next_due;
  bool is_due;    /* in the server's list */
  bool is_choked; /* enough waits in the stream: nothing is read or sent before that is gone */
  bool is_over;   /* what is left to be sent is the last */
  bool is_end_announced, is_end_said;
};

struct Http2Exchange {
  HttpExchange base; /* first */
  HttpServer *server;
  Http2Connection *connection;    /* NULL: it is gone */
  Http2Stream *stream;            /* NULL: it is gone; where the handler still works, the exchange stays its connection's */
  Http2Exchange *next, *previous; /* in the connection's list */
  Http2Queue *queue;              /* where it waits; NULL: nowhere */
  Http2Exchange *next_queued;
  uint64_t body_length, body_received;
  uint64_t asked_ms, read_ms, moved_ms;
  Buf received; /* HTTP_BODY_BUFFERED */
  Buf pending;  /* came while the exchange was held or its reader paused; on the heap */
  Buf waiting;  /* of a streamed answer; on the heap */
  size_t waiting_at;
  Str body; /* of a whole answer, what is left of it */
  const HttpHeader *trailers;
  size_t trailer_count;
  size_t counted_bytes; /* its part of the connection's body_bytes */
  size_t untaken_bytes; /* came, and will be given back to the stream's window in its turn */
  HttpBodyMode mode;
  uint8_t urgency;
  bool has_body, has_length;
  bool expects_continue;
  bool is_begun;         /* counted in begun_count */
  bool is_coming;        /* … and in coming_count */
  bool is_request_whole; /* all of it has come … */
  bool is_end_told;      /* … and the handler knows */
  bool is_paused;        /* on_body said so */
  bool is_resuming;      /* read_more was said */
  bool is_owed;          /* the handler was asked and has not answered */
  bool is_given_up;      /* answered in its place */
  bool is_ended;         /* the answer is whole, though not sent */
  bool wants_writable;
};

/* http2_exchange.c */
Http2Exchange *http2_exchange_create(Http2Connection *connection, Http2Stream *stream, Arena *arena, const Http2Head *head);
/* The server answers by itself; the handler's own answer, if one is owed, is dropped. */
void http2_exchange_refuse(Http2Exchange *exchange, int status, Code code, Str detail);
/* What the stream sends next. */
size_t http2_exchange_pull(Http2Exchange *exchange, char *out, size_t room, Http2Pulled *ret);
/* The stream is gone. */
void http2_exchange_leave(Http2Exchange *exchange, bool is_whole);
/* The connection is gone: so are all of its streams. */
void http2_exchanges_abandon(Http2Connection *connection);
/* Of the answer, what has not been sent. */
size_t http2_exchange_unsent(const Http2Exchange *exchange);
/* Behind those that wait there and are as urgent; and out of whatever queue it waits in. */
void http2_exchange_enqueue(Http2Exchange *exchange, Http2Queue *queue);
void http2_exchange_dequeue(Http2Exchange *exchange);
/* The handler counts no more among those that work. */
void http2_exchange_end_work(Http2Exchange *exchange);
/* It is waited for no more: its body is there and it is worked on, or never will be. */
void http2_exchange_end_coming(Http2Exchange *exchange);

/* http2_connection.c */
/* The connection's first bytes have shown, or ALPN has chosen, HTTP/2. False when memory is out. */
bool http2_connection_begin(Connection *connection) MUST_USE;
/* … and its first request came in HTTP/1.1. False when memory is out; the arena is the caller's then. */
bool http2_connection_upgrade(Connection *connection, Str settings, Arena *arena, const Http2Head *head) MUST_USE;
/* The connection is closed; its streams are gone. */
void http2_connection_end(Http2Connection *connection);
void http2_connection_destroy(Http2Connection *connection); /* NULL is fine */
void http2_connection_take(Connection *connection, Str bytes);
void http2_connection_sweep(Http2Connection *connection, uint64_t now_ms);
void http2_connections_run_due(HttpServer *server);
/* http_connection_take_turn */
void http2_connection_take_turn(Http2Connection *connection);
/* Something is to be sent, begun or resumed before the turn ends. */
void http2_connection_note_due(Http2Connection *connection);
