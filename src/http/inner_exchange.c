/* inner_exchange.c - HttpExchangeOps without a protocol below them. As with the others, an exchange lives until its handler has answered
 * and until nobody waits for that answer, in whichever order, and is never freed within a call from its handler. */
#include "http/inner_exchange.h"

#include <assert.h>

#include "http/connection.h"
#include "http/flight.h"
#include "http/message.h"

typedef struct HttpInner {
  HttpExchange base;                 /* first */
  struct HttpInner *next, *previous; /* in the server's list; next also among those to be freed */
  const HttpInnerEvents *events;
  void *context;
  Arena *refusal_arena; /* as Http1Exchange's */
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

static void finish(HttpInner *inner) {
  HttpServer *server = inner->base.server;
  http_flight_leave(&inner->base);
  if (!server->is_destroyed && server->handler.finished != NULL) server->handler.finished(server->handler.context, &inner->base);
  Arena *refusal_arena = inner->refusal_arena;
  server->exchange_count--;
  http_server_arena_release(server, inner->base.arena);
  http_server_arena_release(server, refusal_arena);
  http_server_note_gone(server);
}

static void release_later(HttpInner *inner) {
  HttpServer *server = inner->base.server;
  if (server->is_destroyed) {
    finish(inner);
    return;
  }
  inner->next = server->inner_released;
  server->inner_released = inner;
  loop_run_hooks_again(server->loop);
}

void http_inner_run_released(HttpServer *server) {
  while (server->inner_released != NULL) {
    HttpInner *inner = server->inner_released;
    server->inner_released = inner->next;
    finish(inner);
  }
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
  release_later(inner);
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
  if (!inner_of(exchange)->is_listed) return;
  assert(!exchange->is_answered && "an exchange is answered once");
  exchange->is_answered = true;
  exchange->status = head->status;
  if (exchange->is_long) http_flight_leave(exchange);
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
  HttpServer *server = inner->base.server;
  Arena *own = inner->base.arena;
  HttpResponse response = {.status = 503};
  if (inner->is_owed) inner->refusal_arena = http_server_arena_acquire(server);
  if (inner->refusal_arena != NULL) inner->base.arena = inner->refusal_arena;
  bool has_arena = !inner->is_owed || inner->refusal_arena != NULL;
  if (has_arena && server->handler.refuse != NULL)
    server->handler.refuse(server->handler.context, &inner->base, response.status, code, detail, &response);
  inner->base.arena = own;
  inner->base.is_answered = true;
  inner->base.status = response.status;
  unlist(inner);
  http_flight_leave(&inner->base);
  if (!inner->is_owed) release_later(inner);
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
    refuse(inner, CODE_UNAVAILABLE, STR("The server has too many requests to answer"));
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
