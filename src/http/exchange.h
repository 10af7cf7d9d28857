/* exchange.h - one request and its answer, whatever the HTTP version that carries them. The protocol (http1, http2) makes an Exchange for
 * each request and calls the server's HttpHandler; the handler answers now or later, exactly once. On the connection's loop thread only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "http/header.h"
#include "io/loop.h"

typedef enum HttpMethod {
  HTTP_GET = 0,
  HTTP_HEAD,
  HTTP_POST,
  HTTP_PUT,
  HTTP_PATCH,
  HTTP_DELETE,
  HTTP_OPTIONS,
  HTTP_OTHER_KNOWN, /* in the IANA registry, served nowhere: 405 */
  HTTP_UNKNOWN      /* 501 */
} HttpMethod;

typedef struct HttpRequest {
  HttpMethod method;
  Str method_text;
  Str target;    /* as sent */
  Str path;      /* the target's path, still percent-encoded */
  Str query;     /* behind the "?", still percent-encoded; ptr NULL: none */
  Str authority; /* Host or :authority */
  const HttpHeader *headers;
  size_t header_count;
  Str body;     /* HTTP_BODY_BUFFERED: whole */
  int version;  /* 10, 11, 20 */
  Str protocol; /* HTTP/2's :protocol (RFC 8441), where the method was CONNECT and is GET here; ptr NULL: none */
  bool is_tls;
  Str peer;        /* "127.0.0.1:51000"; empty on a Unix socket */
  Str certificate; /* what the client's certificate calls its holder (tls_peer_name); empty: it has shown none */
} HttpRequest;

/* The first header of the (lower case) name; ptr NULL where there is none. */
Str http_request_header(const HttpRequest *request, Str name);

typedef struct HttpResponse {
  int status;
  const HttpHeader *headers; /* without content-length, date, connection, transfer-encoding: the protocol's own */
  size_t header_count;
  Str body;                   /* lives until the exchange is finished: on its arena, or static */
  const HttpHeader *trailers; /* behind the body; not in HTTP/1.0, which has no place for them */
  size_t trailer_count;
} HttpResponse;

typedef struct HttpExchange HttpExchange;

typedef enum HttpBodyMode {
  HTTP_BODY_BUFFERED =
      0,              /* handler->request is called when the body is whole, at most body_bytes_max bytes (else the protocol answers 413) */
  HTTP_BODY_STREAMED, /* handler->request is called at once; the body comes by on_body */
} HttpBodyMode;

typedef struct HttpHandler {
  /* The head is there. Says how the body is wanted; may answer already (the body is then skipped, or the connection closed). NULL:
   * buffered. */
  HttpBodyMode (*head)(void *context, HttpExchange *exchange);
  /* The request is complete. Must lead to http_respond (or begin/write/end) once, now or later. */
  void (*request)(void *context, HttpExchange *exchange);
  /* What the protocol refuses by itself (400, 408, 413, 414, 417, 431, 501, 503, 505): fills the response's body and headers in the
   * server's own error form, on the exchange's arena; a face that tells errors otherwise may set another status. `code` tells a 503 of
   * TIMEOUT from one of UNAVAILABLE. Where the head could not be read the request is empty (ptr NULL, HTTP_UNKNOWN) and `head` was not
   * called. */
  void (*refuse)(void *context, HttpExchange *exchange, int status, Code code, Str detail, HttpResponse *ret);
  /* Once for each exchange, refused ones included, when its answer has been handed to the socket or the connection is gone, and the handler
   * has done its part (it must answer a cancelled or timed-out exchange too; that answer is dropped): access log, metrics. Then the arena
   * goes. */
  void (*finished)(void *context, HttpExchange *exchange);
  void *context;
} HttpHandler;

/* What a protocol implements for its exchanges. */
typedef struct HttpExchangeOps {
  void (*respond)(HttpExchange *exchange, const HttpResponse *response);
  /* The body follows by write. With status 101 the connection is no longer HTTP's: what comes is given to on_body as it comes, what is
   * written goes out as it is, until end. */
  void (*begin)(HttpExchange *exchange, const HttpResponse *head);
  bool (*write)(HttpExchange *exchange, Str bytes); /* copies; false: above the high-water mark, wait for on_writable */
  void (*end)(HttpExchange *exchange, const HttpHeader *trailers, size_t trailer_count);
  void (*abort)(HttpExchange *exchange);                     /* the answer can't be completed: the client must see that it is cut */
  void (*read_more)(HttpExchange *exchange);                 /* streamed bodies: after on_body returned false */
  size_t (*queued)(const HttpExchange *exchange);            /* bytes of a begun answer that wait in our memory */
  void (*bound)(HttpExchange *exchange, int64_t timeout_us); /* NULL: it has no time of its own */
  void (*forget)(HttpExchange *exchange);                    /* what it holds beside its arena goes, at its end; NULL: nothing */
  void (*make_room)(HttpExchange *exchange);                 /* its body is on its way, and too much is: 503. NULL: its body is there */
} HttpExchangeOps;

struct HttpExchange {
  const HttpExchangeOps *ops;
  HttpRequest request;
  Arena *arena; /* the request's lifetime */
  Loop *loop;
  void *user; /* the handler's (server: its Request, which begins with the face's ApiRequest) */
  struct HttpServer *server;
  /* The protocol's own: exchange_end.h. */
  HttpExchange *next_released;
  HttpExchange *next_arriving, *previous_arriving; /* http/flight.h */
  size_t arrived_bytes;                            /* of a body that is on its way, in memory */
  Arena *refusal_arena;                            /* a refusal in the place of a handler that may be using the exchange's own */
  void *tunnel_user;                               /* what is laid over the exchange: http/websocket_exchange.c */
  void *coding;                                    /* likewise, where its answer's bytes are coded on their way: server/coded_stream.c */
  int status;                                      /* of the answer, once there is one */
  uint64_t bytes_in, bytes_out;
  int64_t started_us;    /* monotonic */
  int64_t deadline_us;   /* monotonic; 0: the server's own timeouts alone */
  size_t body_bytes_max; /* of a buffered body: the server's limit, until the handler's head says another, up to body_bytes_largest */
  Str body_option;       /* … and what that is called, for who is told of it */
  size_t beside;         /* so many requests of the same connection were under way when it began */
  bool is_answered;
  bool is_long; /* set by the handler before begin: the answer has no end of its own, and counts no more as in flight once it has begun */
  bool is_in_flight; /* the protocol's own: http/flight.h */
  bool is_arriving;  /* likewise */
  bool is_message;   /* within another (http/inner_exchange.h): what is written arrives piece by piece as it was written */
  bool is_patient;   /* set by the handler: a streamed body may come as slowly as its sender likes */
  bool is_cancelled; /* the client is gone; answers go nowhere, but must still be given (or abort called) */
  /* Streamed bodies and answers; set by the handler. */
  bool (*on_body)(HttpExchange *exchange, Str bytes);     /* false: pause until http_read_more */
  void (*on_body_end)(HttpExchange *exchange, Code code); /* complete, or cut (CODE_BAD_REQUEST), or too large */
  void (*on_writable)(HttpExchange *exchange);
  void (*on_cancel)(HttpExchange *exchange); /* the client is gone */
  /* http_bound's time is over: to be answered by the handler. NULL: `refuse` is asked with CODE_TIMEOUT, unless the answer has begun. */
  void (*on_deadline)(HttpExchange *exchange);
  /* The server is being stopped: an answer that would go on for long should come to its end. Once; the exchange is begun. */
  void (*on_drain)(HttpExchange *exchange);
};

static inline void http_respond(HttpExchange *exchange, const HttpResponse *response) { exchange->ops->respond(exchange, response); }
static inline void http_begin(HttpExchange *exchange, const HttpResponse *head) { exchange->ops->begin(exchange, head); }
static inline bool http_write(HttpExchange *exchange, Str bytes) { return exchange->ops->write(exchange, bytes); }
static inline void http_end(HttpExchange *exchange, const HttpHeader *trailers, size_t count) {
  exchange->ops->end(exchange, trailers, count);
}
static inline void http_abort(HttpExchange *exchange) { exchange->ops->abort(exchange); }
static inline size_t http_queued(const HttpExchange *exchange) { return exchange->ops->queued(exchange); }
/* The client waits no longer than this from the head on (perhaps a little longer, never shorter). */
static inline void http_bound(HttpExchange *exchange, int64_t timeout_us) {
  if (exchange->ops->bound != NULL) exchange->ops->bound(exchange, timeout_us);
}
static inline void http_read_more(HttpExchange *exchange) { exchange->ops->read_more(exchange); }
