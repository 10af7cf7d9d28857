/* exchange_end.c - see exchange_end.h. */
#include "http/exchange_end.h"

#include "http/flight.h"
#include "http/message.h"

void http_exchange_finish(HttpExchange *exchange) {
  HttpServer *server = exchange->server;
  http_flight_leave(exchange);
  if (!server->is_destroyed && server->handler.finished != NULL) server->handler.finished(server->handler.context, exchange);
  if (exchange->ops->forget != NULL) exchange->ops->forget(exchange);
  Arena *refusal_arena = exchange->refusal_arena;
  server->exchange_count--;
  http_server_arena_release(server, exchange->arena);
  if (refusal_arena != NULL) http_server_arena_release(server, refusal_arena);
  http_server_note_gone(server);
}

void http_exchange_release(HttpExchange *exchange) {
  HttpServer *server = exchange->server;
  if (server->is_destroyed) {
    http_exchange_finish(exchange);
    return;
  }
  exchange->next_released = server->released;
  server->released = exchange;
  loop_run_hooks_again(server->loop);
}

void http_exchanges_run_released(HttpServer *server) {
  while (server->released != NULL) {
    HttpExchange *exchange = server->released;
    server->released = exchange->next_released;
    http_exchange_finish(exchange);
  }
}

Str http_exchange_body_detail(const HttpExchange *exchange) {
  Str made =
      arena_printf(exchange->arena, "The body is longer than %zu bytes (%.*s)", exchange->body_bytes_max, STR_ARGS(exchange->body_option));
  return made.ptr == NULL ? STR("The body is too long") : made;
}

bool http_exchange_fill_refusal(HttpExchange *exchange, bool is_owed, int status, Code code, Str detail, HttpResponse *ret) {
  HttpServer *server = exchange->server;
  Arena *own = exchange->arena;
  *ret = (HttpResponse){.status = status};
  if (is_owed) {
    exchange->refusal_arena = http_server_arena_acquire(server);
    if (exchange->refusal_arena == NULL) return false;
    exchange->arena = exchange->refusal_arena;
  }
  if (server->handler.refuse != NULL) server->handler.refuse(server->handler.context, exchange, status, code, detail, ret);
  if (ret->status == 0) ret->status = status;
  if (ret->status == 503) http_response_add_retry_after(ret, exchange->arena);
  exchange->arena = own;
  return true;
}
