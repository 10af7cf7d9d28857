/* server.c - listeners, the list of connections, one timer that sweeps them, draining, and what connections share: arenas and the date. */
#include "http/server.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/datetime.h"
#include "http/connection.h"
#include "http/exchange_end.h"
#include "http/flight.h"
#include "http/http2_connection.h"
#include "http/inner_exchange.h"

enum { SWEEP_MS_MIN = 20, SWEEP_MS_MAX = 500 };

Arena *http_server_arena_acquire(HttpServer *server) {
  if (server->arena_count == 0) return arena_create(HTTP_EXCHANGE_BYTES_MAX);
  Arena *arena = server->arenas[--server->arena_count];
  server->arena_bytes -= arena_bytes_held(arena);
  return arena;
}

void http_server_arena_release(HttpServer *server, Arena *arena) {
  if (arena == NULL) return;
  bool is_small = arena_bytes_used(arena) <= HTTP_ARENA_KEPT_BYTES_MAX;
  if (is_small && server->arena_count < HTTP_ARENAS_KEPT_MAX) {
    arena_reset(arena);
    if (server->arena_bytes + arena_bytes_held(arena) <= HTTP_ARENAS_KEPT_BYTES_MAX) {
      server->arena_bytes += arena_bytes_held(arena);
      server->arenas[server->arena_count++] = arena;
      return;
    }
  }
  arena_destroy(arena);
}

Str http_server_date_line(HttpServer *server) {
  int64_t now_us = loop_wall_us(server->loop);
  if (now_us / 1000000 != server->date_second) {
    server->date_second = now_us / 1000000;
    char date[TIMESTAMP_TEXT_MAX];
    size_t len = http_date_write(now_us, date);
    memcpy(server->date_line, "date: ", 6);
    memcpy(server->date_line + 6, date, len);
    memcpy(server->date_line + 6 + len, "\r\n", 2);
    server->date_line_len = len + 8;
  }
  return (Str){server->date_line, server->date_line_len};
}

static void stop_listening(HttpServer *server) {
  for (HttpListening *listening = server->listening; listening != NULL; listening = listening->next) {
    listener_close(listening->listener);
    listening->listener = NULL;
  }
}

static void server_free(HttpServer *server) {
  while (server->arena_count > 0) arena_destroy(server->arenas[--server->arena_count]);
  while (server->listening != NULL) {
    HttpListening *next = server->listening->next;
    memory_free(server->listening);
    server->listening = next;
  }
  buf_done(&server->scratch);
  memory_free(server);
}

static void say_drained(HttpServer *server) {
  LoopFn *drained = server->drained;
  if (drained == NULL || !server->has_stopped_listening || server->connection_count > 0) return;
  server->drained = NULL;
  drained(server->drained_context);
}

void http_server_note_gone(HttpServer *server) {
  if (!server->is_destroyed) {
    if (server->is_draining) say_drained(server);
  } else if (server->connection_count == 0 && server->exchange_count == 0) {
    server_free(server);
  }
}

static void sweep_connections(HttpServer *server) {
  uint64_t now_ms = loop_now_ms(server->loop);
  bool is_over = server->has_stopped_listening && now_ms - server->drain_began_ms >= server->limits.drain_timeout_ms;
  for (Connection *connection = server->connections, *next; connection != NULL; connection = next) {
    next = connection->next;
    if (is_over) {
      http_connection_close(connection);
    } else {
      http_connection_sweep(connection, now_ms);
    }
  }
}

static void on_sweep(void *context) {
  HttpServer *server = context;
  if (server->is_draining && !server->has_stopped_listening) {
    server->has_stopped_listening = true;
    stop_listening(server);
  }
  sweep_connections(server);
  http_inner_sweep(server);
  if (server->is_draining) say_drained(server);
  if (server->connection_count > 0 || (server->is_draining && !server->has_stopped_listening)) return;
  loop_timer_stop(server->sweep_timer);
  server->is_sweeping = false;
}

void http_server_sweep_start(HttpServer *server) {
  if (server->is_sweeping) return;
  server->is_sweeping = true;
  loop_timer_start(server->sweep_timer, server->sweep_ms, server->sweep_ms);
}

/* ---- Deadlines ---- */

enum { DEADLINE_MS_MIN = 5 };

void http_server_wait_until(HttpServer *server, int64_t deadline_us) {
  if (server->deadline_us != 0 && server->deadline_us <= deadline_us) return;
  int64_t left_us = deadline_us - loop_monotonic_us(server->loop);
  server->deadline_us = deadline_us;
  loop_timer_start(server->deadline_timer, left_us <= 0 ? DEADLINE_MS_MIN : (uint64_t)left_us / 1000 + DEADLINE_MS_MIN, 0);
}

/* Those that are not due yet set the timer again as they are passed. */
static void on_deadline(void *context) {
  HttpServer *server = context;
  server->deadline_us = 0;
  http_flight_expire(server);
  sweep_connections(server);
}

void http_server_bound(HttpServer *server, HttpExchange *exchange, int64_t timeout_us) {
  if (timeout_us < 1) timeout_us = 1;
  if (timeout_us > INT64_MAX / 2) timeout_us = INT64_MAX / 2;
  exchange->deadline_us = exchange->started_us + timeout_us;
  /* One that is later than the server's own limit is seen by the sweep that watches over that. */
  if (timeout_us / 1000 < (int64_t)server->limits.request_timeout_ms) http_server_wait_until(server, exchange->deadline_us);
}

bool http_server_is_overdue(HttpServer *server, HttpExchange *exchange) {
  if (exchange->deadline_us == 0) return false;
  int64_t left_us = exchange->deadline_us - loop_monotonic_us(server->loop);
  if (left_us <= 0) {
    exchange->deadline_us = 0;
    return true;
  }
  if (left_us / 1000 < (int64_t)server->limits.request_timeout_ms) http_server_wait_until(server, exchange->deadline_us);
  return false;
}

static void on_turn_end(void *context) {
  HttpServer *server = context;
  http_flight_run(server);
  http_exchanges_run_released(server);
  http_connections_run_resumed(server);
  http2_connections_run_due(server);
}

static void on_line(void *context) { (void)context; /* the turn that it begins is enough */ }

static uint64_t sweep_interval(const HttpLimits *limits) {
  uint32_t shortest = limits->request_timeout_ms;
  if (limits->header_timeout_ms < shortest) shortest = limits->header_timeout_ms;
  if (limits->idle_timeout_ms < shortest) shortest = limits->idle_timeout_ms;
  if (limits->ping_interval_ms != 0 && limits->ping_interval_ms < shortest) shortest = limits->ping_interval_ms;
  if (limits->ping_interval_ms != 0 && limits->ping_timeout_ms < shortest) shortest = limits->ping_timeout_ms;
  uint32_t interval = shortest / 8;
  return interval < SWEEP_MS_MIN ? SWEEP_MS_MIN : interval > SWEEP_MS_MAX ? SWEEP_MS_MAX : interval;
}

Code http_server_create(Loop *loop, const HttpLimits *limits, HttpShared *shared, const HttpHandler *handler, HttpServer **ret,
                        Error *err) {
  assert(handler->request != NULL);
  HttpServer *server = memory_alloc(sizeof *server);
  TRY_ALLOC(server);
  *server = (HttpServer){.loop = loop, .limits = *limits, .shared = shared, .handler = *handler, .date_second = -1};
  server->scratch = buf_on_heap((size_t)1024 * 1024);
  server->sweep_ms = sweep_interval(limits);
  if (limits->requests_in_flight_share == 0) server->limits.requests_in_flight_share = limits->requests_in_flight_max;
  size_t largest = limits->body_bytes_max > limits->body_bytes_largest ? limits->body_bytes_max : limits->body_bytes_largest;
  size_t share = server->limits.requests_in_flight_share;
  if (__builtin_mul_overflow(share, limits->body_bytes_max, &server->arrivals.bytes_max)) server->arrivals.bytes_max = SIZE_MAX;
  if (server->arrivals.bytes_max < largest) server->arrivals.bytes_max = largest;
  Code code = loop_timer_create(loop, on_sweep, server, &server->sweep_timer, err);
  if (code == CODE_OK) code = loop_timer_create(loop, on_deadline, server, &server->deadline_timer, err);
  if (code == CODE_OK) code = loop_timer_create(loop, on_line, server, &server->line_timer, err);
  if (code != CODE_OK) {
    loop_timer_destroy(server->sweep_timer);
    loop_timer_destroy(server->deadline_timer);
    memory_free(server);
    return code;
  }
  server->hook = (LoopHook){.run = on_turn_end, .context = server};
  loop_hook_add(loop, &server->hook);
  *ret = server;
  return CODE_OK;
}

void http_server_use_tls(HttpServer *server, Tls *tls) { server->tls = tls; }

static void on_accept(void *context, Stream *stream, Str peer) {
  HttpServer *server = context;
  if (server->tls == NULL) {
    http_connection_open(server, stream, peer);
    return;
  }
  Stream *over = tls_accept(server->tls, stream);
  if (over == NULL)
    stream_close(stream);
  else
    http_connection_open(server, over, peer);
}

Code http_server_listen(HttpServer *server, Str address, Str *ret_address, Error *err) {
  HttpListening *listening = memory_alloc(sizeof *listening);
  TRY_ALLOC(listening);
  *listening = (HttpListening){.next = server->listening};
  Code code = listener_open(server->loop, address, on_accept, server, &listening->listener, err);
  if (code != CODE_OK) {
    memory_free(listening);
    return code;
  }
  server->listening = listening;
  Str bound = listening->listener == NULL ? address : listener_address(listening->listener);
  const char *scheme = str_starts_with(bound, STR("unix:")) ? "" : server->tls == NULL ? "http://" : "https://";
  int len = snprintf(listening->url, sizeof listening->url, "%s%.*s", scheme, STR_ARGS(bound));
  assert(len > 0 && (size_t)len < sizeof listening->url);
  *ret_address = (Str){listening->url, (size_t)len};
  return CODE_OK;
}

/* Requests that were sent before the drain began may still wait in the system's queues: the listeners and the idle connections are closed
 * only after the loop has had the time to see them. */
void http_server_drain(HttpServer *server, LoopFn *drained, void *context) {
  if (server->is_draining) return;
  server->is_draining = true;
  atomic_store_explicit(&server->shared->is_draining, true, memory_order_relaxed);
  server->drained = drained;
  server->drained_context = context;
  server->drain_began_ms = loop_now_ms(server->loop);
  server->is_sweeping = true;
  loop_timer_start(server->sweep_timer, HTTP_DRAIN_GRACE_MS, HTTP_DRAIN_GRACE_MS);
}

void http_server_destroy(HttpServer *server) {
  if (server == NULL) return;
  stop_listening(server);
  while (server->connections != NULL) http_connection_close(server->connections);
  http_exchanges_run_released(server);
  loop_hook_remove(server->loop, &server->hook);
  loop_timer_destroy(server->sweep_timer);
  loop_timer_destroy(server->deadline_timer);
  loop_timer_destroy(server->line_timer);
  server->is_destroyed = true;
  http_server_note_gone(server);
}
