/* inner_exchange.h - an exchange within another one: a request that came as a message of a long connection (a WebSocket's) takes the same
 * way through the handler as any other, and its answer goes back to who made it. Counted, timed and logged like the rest. */
#pragma once
#include <stdbool.h>

#include "http/exchange.h"

/* Where the answer goes: `respond`, or `begin`, `write` for each piece as its handler wrote it and then `end`. The exchange is gone behind
 * respond and end; what lies in its arena lives until the turn ends. */
typedef struct HttpInnerEvents {
  void (*respond)(void *context, const HttpResponse *response);
  void (*begin)(void *context);            /* NULL: not wanted */
  bool (*write)(void *context, Str bytes); /* false: above the high-water mark, http_inner_writable will be called */
  void (*end)(void *context, bool is_whole);
} HttpInnerEvents;

/* With an arena of its own; its request is from outer's peer and else empty, for the caller to fill. NULL when memory is out. */
HttpExchange *http_inner_create(const HttpExchange *outer);
/* The outer one does nothing from now on but wait for those within it, and gives them its place among the requests in flight: what waits
 * for a place must not hold one. As often as one likes. */
void http_inner_give_place(HttpExchange *outer);
/* Instead of http_inner_start. */
void http_inner_discard(HttpExchange *exchange);
/* The request is filled. The events may come from within this call. */
void http_inner_start(HttpExchange *exchange, const HttpInnerEvents *events, void *context);
/* Nobody waits for its answer any more: no event comes. */
void http_inner_cancel(HttpExchange *exchange);
void http_inner_writable(HttpExchange *exchange);

/* For server.c. */
struct HttpServer;
void http_inner_sweep(struct HttpServer *server);
