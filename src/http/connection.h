/* connection.h - what a server, its connections and their exchanges know of each other. Only for the files of http/.
 * Invariants: answers leave in the order of their requests: only connection->first writes to the stream, the others wait in their own
 * buffers. An exchange lives until its answer was handed to the stream (or the connection is gone) and its handler has given its answer, in
 * whichever order. Exchanges are never freed within a call from their handler. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pace.h"
#include "http/exchange.h"
#include "http/http1.h"
#include "http/server.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/stream.h"

enum {
  HTTP_ARENAS_KEPT_MAX = 1024, /* as many as there may be requests in flight, where each is small */
  HTTP_ARENAS_KEPT_BYTES_MAX = 16 * 1024 * 1024,
  HTTP_ARENA_KEPT_BYTES_MAX = 256 * 1024,
  HTTP_EXCHANGE_BYTES_MAX = 256 * 1024 * 1024, /* of one exchange's arena; the limits on bodies and results are far below */
  HTTP_PIPELINE_MAX = 32,                      /* exchanges of one connection at a time */
  HTTP_QUEUED_HIGH_BYTES = 256 * 1024,         /* above it a streamed answer waits, and no further request is read */
  HTTP_QUEUED_LOW_BYTES = 64 * 1024,
  HTTP_BODY_SKIPPED_MAX = 64 * 1024, /* of a body that nobody wants; a longer one costs the connection */
  HTTP_LINGER_MS = 2000,
  HTTP_LINGER_DRAINING_MS = 200,
  HTTP_DRAIN_GRACE_MS = 20,
  HTTP_REFUSED_CONNECTIONS_MAX = 64 /* beyond connections_max, told so by a 503; more are just closed */
};

typedef struct Connection Connection;
typedef struct Http1Exchange Http1Exchange;
typedef struct Http2Connection Http2Connection;
struct Http2Exchange;

typedef struct HttpLine {
  Connection *first, *last;
  size_t count;
} HttpLine;

typedef struct HttpArrivals {
  HttpExchange *first, *last; /* oldest first */
  size_t count, bytes, bytes_max;
} HttpArrivals;

typedef struct HttpListening {
  struct HttpListening *next;
  Listener *listener; /* NULL: another loop's */
  char url[192];
} HttpListening;

struct HttpServer {
  Loop *loop;
  HttpLimits limits;
  HttpShared *shared;
  HttpHandler handler;
  Tls *tls; /* NULL: cleartext */
  HttpListening *listening;
  Connection *connections;
  size_t connection_count, refused_connection_count;
  size_t exchange_count;
  Arena *arenas[HTTP_ARENAS_KEPT_MAX];
  size_t arena_count, arena_bytes; /* arenas: those that are kept */
  Buf scratch;                     /* for a head that is written */
  HttpExchange *released;          /* ended, and to be freed at the end of the turn */
  struct HttpInner *inner;         /* exchanges within others that are under way */
  Http2Connection *http2_due;      /* to be looked after before the turn ends */
  Connection *resuming;
  size_t in_flight; /* of this server alone */
  size_t batch;     /* begun since a turn's end */
  HttpLine line;    /* those who wait for a turn (http/flight.h) */
  HttpLine early;   /* those who came back too early to stand there */
  Pace line_pace;
  int64_t line_turn_us; /* the turn in which it last moved */
  HttpArrivals arrivals;
  LoopHook hook;
  LoopTimer *sweep_timer, *deadline_timer, *line_timer;
  uint64_t sweep_ms;
  int64_t deadline_us; /* the earliest that the timer waits for; 0: it does not run */
  bool is_sweeping;
  int64_t date_second;
  char date_line[48];
  size_t date_line_len;
  bool is_draining, has_stopped_listening, is_destroyed;
  uint64_t drain_began_ms;
  LoopFn *drained;
  void *drained_context;
};

struct Http1Exchange {
  HttpExchange base; /* first */
  HttpServer *server;
  Connection *connection; /* NULL: it is gone */
  Http1Exchange *next;
  uint64_t body_bytes, body_received;
  uint64_t asked_ms; /* when the handler was */
  Buf received;      /* HTTP_BODY_BUFFERED */
  Buf waiting;       /* the answer, while it is not its turn */
  Str waiting_body;  /* behind that */
  HttpBodyMode mode;
  Http1Framing framing; /* of the answer */
  bool has_body, is_chunked, expects_continue, expects_unknown;
  bool keeps_alive;   /* first what the client wants, then what the answer said */
  bool is_alone;      /* not to be worked on beside others of its connection */
  bool is_body_whole; /* all of the request has come */
  bool is_owed;       /* the handler was asked and has not answered */
  bool is_given_up;   /* answered in its place */
  bool is_whole;      /* the answer is */
  bool wants_upgrade;
  bool is_tunnel; /* answered by 101 */
  bool is_cut;    /* … though not to its end */
  bool is_listed; /* in its connection's order or among the sent */
  bool wants_writable;
};

struct Connection {
  HttpServer *server;
  Stream *stream;
  Connection *next, *previous;
  Connection *next_resuming;
  Connection *next_in_line, *previous_in_line;
  int64_t lined_us;            /* stands in line since */
  int64_t refused_us;          /* … since there was no room; 0: never */
  Http2Connection *http2;      /* NULL: the connection speaks HTTP/1, or has not said yet */
  Http1Parser *parser;         /* NULL: HTTP/2 */
  Http1Exchange *first, *last; /* in the order of the requests */
  Http1Exchange *sent;         /* answered, not yet flushed; newest first */
  Http1Exchange *receiving;    /* whose body is coming; NULL: none, or it is thrown away */
  Http1Exchange *held;         /* read, but not to be begun before the others are answered */
  Http1Exchange *ready;        /* its body has come, and it waits for its turn */
  Http1Exchange *tunnel;       /* who gets all that comes; NULL: it is HTTP */
  size_t exchange_count;       /* from first to last */
  Str unparsed;                /* of the input at hand */
  Buf input;                   /* what can't be parsed yet; reading is stopped while there is any */
  uint64_t old_ms;             /* it takes no more requests from then on; 0: never */
  uint64_t read_ms;            /* the last byte came */
  uint64_t head_ms;            /* the first byte of the head that is coming came */
  uint64_t idle_ms;            /* nothing to do since */
  uint64_t written_ms;         /* the peer took something, or nothing was queued */
  size_t queued_before;
  size_t preface_bytes; /* came, and may become HTTP/2's preface */
  bool has_protocol;    /* the first bytes have shown which one */
  bool is_reading, is_parsing;
  bool is_in_message; /* between a head and its end */
  bool is_body_paused, is_resuming;
  bool is_in_line, is_late; /* waits for its turn; has waited for too long */
  bool is_early;            /* … in server->early */
  bool is_ended;            /* the peer sends no more */
  bool is_deaf;             /* whatever comes is thrown away */
  bool is_finishing;        /* the last answer was given */
  bool is_lingering;        /* … and taken by the system */
  bool is_cut;
  bool is_refused; /* beyond connections_max */
  bool is_closed;
  size_t peer_len;
  char peer[64];
};

/* The server is being stopped: on_drain, once. */
static inline void http_exchange_tell_drain(HttpExchange *exchange) {
  void (*on_drain)(HttpExchange *) = exchange->is_answered ? exchange->on_drain : NULL;
  if (on_drain == NULL) return;
  exchange->on_drain = NULL;
  on_drain(exchange);
}

/* server.c */
Arena *http_server_arena_acquire(HttpServer *server); /* NULL when memory is out */
void http_server_arena_release(HttpServer *server, Arena *arena);
Str http_server_date_line(HttpServer *server);
void http_server_sweep_start(HttpServer *server);
/* Sets exchange->deadline_us and sees to it that its connection is swept then. */
void http_server_bound(HttpServer *server, HttpExchange *exchange, int64_t timeout_us);
/* True once, when the exchange's deadline is past; one that is not is waited for. */
bool http_server_is_overdue(HttpServer *server, HttpExchange *exchange);
/* on_deadline of server.c runs then, or before. */
void http_server_wait_until(HttpServer *server, int64_t deadline_us);
/* A connection or an exchange is gone: what waits for the last one may go on. */
void http_server_note_gone(HttpServer *server);

/* connection.c */
void http_connection_open(HttpServer *server, Stream *stream, Str peer);
/* Of a request: what its connection says of who sends it. False when memory is out. */
bool http_connection_describe(const Connection *connection, Arena *arena, HttpRequest *ret);
/* Timeouts. The connection may be closed when it returns. */
void http_connection_sweep(Connection *connection, uint64_t now_ms);
/* It was in line, and may begin requests; or is late, and they are refused. */
void http_connection_take_turn(Connection *connection);
/* At once; its exchanges are cancelled. */
void http_connection_close(Connection *connection);
/* The last answer was given: the peer sees the end of our side … */
void http_connection_finish(Connection *connection);
/* … and when all is sent, what it still sends is read for a while before the connection is closed. */
void http_connection_linger(Connection *connection);
void http_connection_on_closed(void *connection); /* StreamEvents.closed */
/* The first exchange's answer is whole: the next ones' turn. */
void http_connection_advance(Connection *connection);
/* The exchange's body is waited for no longer, where it is still coming, and it is refused. */
void http_connection_give_up_body(Connection *connection, Http1Exchange *exchange, int status, Code code, Str detail);
/* It has served for --connection-age-max: what has begun is its last. */
bool http_connection_is_old(const Connection *connection, uint64_t now_ms);
/* Something of a request that came behind this one is there. */
bool http_connection_has_more(const Connection *connection, const Http1Exchange *exchange);
/* After on_body returned false: goes on before the turn ends. */
void http_connection_resume_body(Connection *connection);
void http_connections_run_resumed(HttpServer *server);

/* http1_exchange.c */
/* On the arena, which it owns from now on, and last in the connection's order. NULL when memory is out. */
Http1Exchange *http1_exchange_create(Connection *connection, Arena *arena, const Http1Head *head);
/* The server answers by itself; the handler's own answer, if one is owed, is dropped. */
void http1_exchange_refuse(Http1Exchange *exchange, int status, Code code, Str detail);
/* It is its turn: what has waited goes to the stream. */
void http1_exchange_send_waiting(Http1Exchange *exchange);
void http1_exchange_send_continue(Http1Exchange *exchange);
/* It is out of its connection's order: ends now, or with its handler's answer. Not within a call from the handler. */
void http1_exchange_finish(Http1Exchange *exchange);
/* The connection is gone. */
void http1_exchange_cancel(Http1Exchange *exchange);
