/* inner_exchange.c - HttpExchangeOps without a protocol below them. */
#include "http/inner_exchange.h"

#include <assert.h>

#include "http/exchange_end.h"
#include "http/flight.h"

typedef struct HttpInner {
  HttpExchange base;                 /* first */
  struct HttpInner *next, *previous; /* in the server's list */
  const HttpInnerEvents *events;
  void *context;
  uint64_t asked_ms;
  bool is_listed; /* somebody waits for the answer */
  bool is_owed;
  bool wants_writable;
} HttpInner;

static const HttpExchangeOps inner_ops;

static HttpInner *inner_of(HttpExchange *exchange) { return (HttpInner *)exchange; }

HttpExchange *http_inner_create(const HttpExchange *outer) {
  HttpServer *server = outer->server;
  Arena *arena = http_server_arena_acquire(server);
  HttpInner *inner = arena == NULL ? NULL : ARENA_NEW(arena, HttpInner);
  Str peer = inner == NULL ? (Str){NULL, 0} : arena_str(arena, outer->request.peer);
  Str authority = inner == NULL ? (Str){NULL, 0} : arena_str(arena, outer->request.authority);
  Str certificate = inner == NULL ? (Str){NULL, 0} : arena_str(arena, outer->request.certificate);
  if (peer.ptr == NULL || authority.ptr == NULL || certificate.ptr == NULL) {
    http_server_arena_release(server, arena);
    return NULL;
  }
  inner->base.ops = &inner_ops;
  inner->base.arena = arena;
  inner->base.loop = server->loop;
  inner->base.server = server;
  inner->base.started_us = loop_monotonic_us(server->loop);
  inner->base.request.peer = peer;
  inner->base.request.authority = authority;
  inner->base.request.certificate = certificate;
  inner->base.request.is_tls = outer->request.is_tls;
  inner->base.request.version = outer->request.version;
  return &inner->base;
}

void http_inner_give_place(HttpExchange *outer) { http_flight_leave(outer); }

void http_inner_discard(HttpExchange *exchange) { http_server_arena_release(exchange->server, exchange->arena); }

/* ---- The end ---- */

static void unlist(HttpInner *inner) {
  if (!inner->is_listed) return;
  inner->is_listed = false;
  if (inner->previous == NULL)
    inner->base.server->inner = inner->next;
  else
    inner->previous->next = inner->next;
  if (inner->next != NULL) inner->next->previous = inner->previous;
  inner->next = inner->previous = NULL;
}

/* The handler has done its part. */
static void end_part(HttpInner *inner, int status) {
  if (!inner->base.is_answered) {
    inner->base.is_answered = true;
    inner->base.status = status;
  }
  http_flight_leave(&inner->base);
  unlist(inner);
  inner->is_owed = false;
  http_exchange_release(&inner->base);
}

/* ---- Answers ---- */

static void inner_respond(HttpExchange *exchange, const HttpResponse *response) {
  HttpInner *inner = inner_of(exchange);
  bool is_wanted = inner->is_listed;
  assert((!exchange->is_answered || !is_wanted) && "an exchange is answered once");
  if (is_wanted) exchange->bytes_out += response->body.len;
  end_part(inner, response->status);
  if (is_wanted) inner->events->respond(inner->context, response);
}

static void inner_begin(HttpExchange *exchange, const HttpResponse *head) {
  HttpInner *inner = inner_of(exchange);
  if (!inner->is_listed) return;
  assert(!exchange->is_answered && "an exchange is answered once");
  exchange->is_answered = true;
  exchange->status = head->status;
  if (exchange->is_long) http_flight_leave(exchange);
  if (inner->events->begin != NULL) inner->events->begin(inner->context);
}

static bool inner_write(HttpExchange *exchange, Str bytes) {
  HttpInner *inner = inner_of(exchange);
  if (!inner->is_listed) return true;
  exchange->bytes_out += bytes.len;
  inner->wants_writable = !inner->events->write(inner->context, bytes);
  return !inner->wants_writable;
}

static void end_stream(HttpExchange *exchange, bool is_whole) {
  HttpInner *inner = inner_of(exchange);
  bool is_wanted = inner->is_listed;
  end_part(inner, exchange->status);
  if (is_wanted) inner->events->end(inner->context, is_whole);
}

static void inner_end(HttpExchange *exchange, const HttpHeader *trailers, size_t trailer_count) {
  (void)trailers;
  (void)trailer_count;
  end_stream(exchange, true);
}

static void inner_abort(HttpExchange *exchange) { end_stream(exchange, false); }
static void inner_read_more(HttpExchange *exchange) { (void)exchange; }

static size_t inner_queued(const HttpExchange *exchange) {
  (void)exchange;
  return 0; /* what was written is its receiver's */
}

static const HttpExchangeOps inner_ops = {
    .respond = inner_respond,
    .begin = inner_begin,
    .write = inner_write,
    .end = inner_end,
    .abort = inner_abort,
    .read_more = inner_read_more,
    .queued = inner_queued,
};

/* In the handler's place; where that is still at work its own answer is dropped when it comes. */
static void refuse(HttpInner *inner, Code code, Str detail) {
  HttpResponse response;
  if (!http_exchange_fill_refusal(&inner->base, inner->is_owed, 503, code, detail, &response)) response = (HttpResponse){.status = 503};
  inner->base.is_answered = true;
  inner->base.status = response.status;
  unlist(inner);
  http_flight_leave(&inner->base);
  if (!inner->is_owed) http_exchange_release(&inner->base);
  inner->events->respond(inner->context, &response);
}

/* ---- Requests ---- */

void http_inner_start(HttpExchange *exchange, const HttpInnerEvents *events, void *context) {
  HttpInner *inner = inner_of(exchange);
  HttpServer *server = exchange->server;
  inner->events = events;
  inner->context = context;
  inner->asked_ms = loop_now_ms(server->loop);
  exchange->is_message = true;
  exchange->bytes_in = exchange->request.body.len;
  inner->next = server->inner;
  if (server->inner != NULL) server->inner->previous = inner;
  server->inner = inner;
  inner->is_listed = true;
  server->exchange_count++;
  if (!http_flight_enter(&inner->base, 0)) {
    refuse(inner, CODE_UNAVAILABLE, HTTP_TOO_MANY_REQUESTS);
    return;
  }
  inner->is_owed = true;
  server->handler.request(server->handler.context, exchange);
}

void http_inner_cancel(HttpExchange *exchange) {
  HttpInner *inner = inner_of(exchange);
  if (!inner->is_listed) return;
  unlist(inner);
  exchange->is_cancelled = true;
  if (exchange->on_cancel != NULL) exchange->on_cancel(exchange);
}

void http_inner_writable(HttpExchange *exchange) {
  HttpInner *inner = inner_of(exchange);
  if (!inner->is_listed || !inner->wants_writable) return;
  inner->wants_writable = false;
  if (exchange->on_writable != NULL) exchange->on_writable(exchange);
}

void http_inner_sweep(HttpServer *server) {
  uint64_t now_ms = loop_now_ms(server->loop);
  for (HttpInner *inner = server->inner, *next; inner != NULL; inner = next) {
    next = inner->next;
    if (inner->base.is_answered || now_ms - inner->asked_ms < server->limits.request_timeout_ms) continue;
    refuse(inner, CODE_TIMEOUT, STR("The request took too long"));
    next = server->inner; /* what was told may have ended others */
  }
}
