#include "http/flight.h"

#include <stdatomic.h>

/* ---- in flight ---- */

bool http_flight_is_full(const HttpServer *server) { return server->in_flight >= server->limits.requests_in_flight_share; }

/* The more of all is taken, the less one connection may hold of it: half of all where it is alone (Choudhury and Hahne's dynamic
 * thresholds, by which switches share their buffers). */
bool http_flight_enter(HttpExchange *exchange, size_t beside) {
  HttpServer *server = exchange->server;
  exchange->is_in_flight = true;
  exchange->beside = beside;
  bool is_full = server->in_flight + beside >= server->limits.requests_in_flight_share;
  size_t before = atomic_fetch_add_explicit(&server->shared->requests_in_flight, 1, memory_order_relaxed);
  server->in_flight++;
  if (!is_full && before < server->limits.requests_in_flight_max) return true;
  atomic_fetch_add_explicit(&server->shared->requests_shed, 1, memory_order_relaxed);
  return false;
}

void http_flight_leave(HttpExchange *exchange) {
  HttpServer *server = exchange->server;
  if (!exchange->is_in_flight) return;
  exchange->is_in_flight = false;
  server->in_flight--;
  atomic_fetch_sub_explicit(&server->shared->requests_in_flight, 1, memory_order_relaxed);
}

/* ---- the line ---- */

static int64_t wait_us(const HttpServer *server) { return (int64_t)server->limits.queue_wait_ms * 1000; }

bool http_flight_has_line(const HttpServer *server) {
  if (server->line_first == NULL && !http_flight_is_full(server)) return false;
  return server->limits.queue_wait_ms > 0 &&
         server->line_count < pace_room(pace_each_ns(&server->line_pace), wait_us(server), PACE_LINE_MIN);
}

static int64_t expiry_us(const Connection *connection) { return connection->lined_us + wait_us(connection->server); }

void http_flight_wait(Connection *connection) {
  HttpServer *server = connection->server;
  if (connection->is_in_line) return;
  connection->is_in_line = true;
  connection->lined_us = loop_monotonic_us(server->loop);
  connection->next_in_line = NULL;
  connection->previous_in_line = server->line_last;
  if (server->line_last == NULL)
    server->line_first = connection;
  else
    server->line_last->next_in_line = connection;
  server->line_last = connection;
  if (server->line_count++ > 0) return;
  pace_note(&server->line_pace, connection->lined_us, 0, 1);
  http_server_wait_until(server, expiry_us(connection));
}

void http_flight_forget(Connection *connection) {
  HttpServer *server = connection->server;
  if (!connection->is_in_line) return;
  connection->is_in_line = false;
  *(connection->previous_in_line == NULL ? &server->line_first : &connection->previous_in_line->next_in_line) = connection->next_in_line;
  *(connection->next_in_line == NULL ? &server->line_last : &connection->next_in_line->previous_in_line) = connection->previous_in_line;
  server->line_count--;
}

/* Once a turn, since others want to be read too; what has become free since then is for the next turn, which must not sleep. */
void http_flight_run(HttpServer *server) {
  if (server->line_first == NULL) return;
  int64_t now_us = loop_monotonic_us(server->loop);
  size_t count = 0;
  if (server->line_turn_us == now_us) {
    if (!http_flight_is_full(server)) loop_timer_start(server->line_timer, 0, 0);
    return;
  }
  server->line_turn_us = now_us;
  for (Connection *connection; (connection = server->line_first) != NULL && !http_flight_is_full(server); count++) {
    http_flight_forget(connection);
    http_connection_take_turn(connection);
  }
  pace_note(&server->line_pace, now_us, count, server->line_count);
}

void http_flight_expire(HttpServer *server) {
  int64_t now_us = loop_monotonic_us(server->loop);
  for (Connection *connection; (connection = server->line_first) != NULL && expiry_us(connection) <= now_us;) {
    http_flight_forget(connection);
    connection->is_late = true;
    http_connection_take_turn(connection);
  }
  if (server->line_first != NULL) http_server_wait_until(server, expiry_us(server->line_first));
}
