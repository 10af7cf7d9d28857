#include "http/flight.h"

#include <stdatomic.h>

enum { BATCH_MAX = 64 };

/* ---- bodies on their way ---- */

static void forget_arriving(HttpExchange *exchange) {
  HttpArrivals *arrivals = &exchange->server->arrivals;
  if (!exchange->is_arriving) return;
  exchange->is_arriving = false;
  *(exchange->previous_arriving == NULL ? &arrivals->first : &exchange->previous_arriving->next_arriving) = exchange->next_arriving;
  *(exchange->next_arriving == NULL ? &arrivals->last : &exchange->next_arriving->previous_arriving) = exchange->previous_arriving;
  arrivals->count--;
  arrivals->bytes -= exchange->arrived_bytes;
}

/* The more of all is taken, the less one connection may hold of it: half of all where it is alone (Choudhury and Hahne's dynamic
 * thresholds, by which switches share their buffers). */
static bool has_no_share(const HttpServer *server, size_t beside) {
  return server->in_flight + beside >= server->limits.requests_in_flight_share;
}

bool http_flight_arrive(HttpExchange *exchange, size_t beside) {
  HttpServer *server = exchange->server;
  HttpArrivals *arrivals = &server->arrivals;
  exchange->beside = beside;
  size_t in_flight = atomic_load_explicit(&server->shared->requests_in_flight, memory_order_relaxed);
  if (has_no_share(server, beside) || in_flight >= server->limits.requests_in_flight_max) {
    atomic_fetch_add_explicit(&server->shared->requests_shed, 1, memory_order_relaxed);
    return false;
  }
  exchange->is_arriving = true;
  exchange->previous_arriving = arrivals->last;
  *(arrivals->last == NULL ? &arrivals->first : &arrivals->last->next_arriving) = exchange;
  arrivals->last = exchange;
  arrivals->count++;
  return true;
}

void http_flight_note_arrived(HttpExchange *exchange, size_t bytes) {
  if (!exchange->is_arriving) return;
  exchange->arrived_bytes += bytes;
  exchange->server->arrivals.bytes += bytes;
}

static void make_room(HttpServer *server) {
  HttpArrivals *arrivals = &server->arrivals;
  while (arrivals->bytes > arrivals->bytes_max || arrivals->count > server->limits.connections_max) {
    HttpExchange *oldest = arrivals->first;
    atomic_fetch_add_explicit(&server->shared->requests_shed, 1, memory_order_relaxed);
    forget_arriving(oldest);
    oldest->ops->make_room(oldest);
  }
}

/* ---- in flight ---- */

bool http_flight_is_full(const HttpServer *server) {
  return server->in_flight >= server->limits.requests_in_flight_share || server->batch >= BATCH_MAX;
}

bool http_flight_enter(HttpExchange *exchange, size_t beside) {
  HttpServer *server = exchange->server;
  forget_arriving(exchange);
  exchange->is_in_flight = true;
  exchange->beside = beside;
  bool is_full = has_no_share(server, beside);
  size_t before = atomic_fetch_add_explicit(&server->shared->requests_in_flight, 1, memory_order_relaxed);
  server->in_flight++;
  server->batch++;
  if (!is_full && before < server->limits.requests_in_flight_max) return true;
  atomic_fetch_add_explicit(&server->shared->requests_shed, 1, memory_order_relaxed);
  return false;
}

void http_flight_leave(HttpExchange *exchange) {
  HttpServer *server = exchange->server;
  forget_arriving(exchange);
  if (!exchange->is_in_flight) return;
  exchange->is_in_flight = false;
  server->in_flight--;
  atomic_fetch_sub_explicit(&server->shared->requests_in_flight, 1, memory_order_relaxed);
}

/* ---- the line ---- */

static int64_t wait_us(const HttpServer *server) { return (int64_t)server->limits.queue_wait_ms * 1000; }

static bool is_waited_for(const HttpServer *server) { return server->line.first != NULL || http_flight_is_full(server); }

/* Whoever stands in line now is answered in time. */
static bool line_has_room(const HttpServer *server) {
  return server->limits.queue_wait_ms > 0 &&
         server->line.count < pace_room(pace_each_ns(&server->line_pace), wait_us(server), PACE_LINE_MIN);
}

static bool is_early(const Connection *connection) {
  const HttpServer *server = connection->server;
  return connection->refused_us != 0 && loop_monotonic_us(server->loop) - connection->refused_us < wait_us(server);
}

bool http_flight_has_line(const Connection *connection) {
  return is_waited_for(connection->server) && (line_has_room(connection->server) || is_early(connection));
}

void http_flight_note_refused(Connection *connection) { connection->refused_us = loop_monotonic_us(connection->server->loop); }

static HttpLine *line_of(const Connection *connection) {
  return connection->is_early ? &connection->server->early : &connection->server->line;
}

/* Of the line when one has waited too long; of the other when it may stand in the line. Both are in the order of these times. */
static int64_t expiry_us(const Connection *connection) {
  return (connection->is_early ? connection->refused_us : connection->lined_us) + wait_us(connection->server);
}

static void stand(Connection *connection) {
  HttpLine *line = line_of(connection);
  connection->is_in_line = true;
  connection->lined_us = loop_monotonic_us(connection->server->loop);
  connection->next_in_line = NULL;
  connection->previous_in_line = line->last;
  *(line->last == NULL ? &line->first : &line->last->next_in_line) = connection;
  line->last = connection;
  line->count++;
  if (line->first != connection) return;
  if (!connection->is_early) pace_note(&connection->server->line_pace, connection->lined_us, 0, 1);
  http_server_wait_until(connection->server, expiry_us(connection));
}

void http_flight_wait(Connection *connection) {
  if (connection->is_in_line) return;
  connection->is_early = is_early(connection);
  stand(connection);
}

void http_flight_forget(Connection *connection) {
  HttpLine *line = line_of(connection);
  if (!connection->is_in_line) return;
  connection->is_in_line = false;
  *(connection->previous_in_line == NULL ? &line->first : &connection->previous_in_line->next_in_line) = connection->next_in_line;
  *(connection->next_in_line == NULL ? &line->last : &connection->next_in_line->previous_in_line) = connection->previous_in_line;
  line->count--;
}

static void take_turn(Connection *connection) {
  http_flight_forget(connection);
  http_connection_take_turn(connection);
}

/* Once a turn, since others want to be read too; what has become free since then is for the next turn, which must not sleep. */
void http_flight_run(HttpServer *server) {
  server->batch = 0;
  make_room(server);
  if (server->line.first == NULL && server->early.first == NULL) return;
  int64_t now_us = loop_monotonic_us(server->loop);
  size_t count = 0;
  if (server->line_turn_us == now_us) {
    if (!http_flight_is_full(server)) loop_timer_start(server->line_timer, 0, 0);
    return;
  }
  server->line_turn_us = now_us;
  for (; server->line.first != NULL && !http_flight_is_full(server); count++) take_turn(server->line.first);
  pace_note(&server->line_pace, now_us, count, server->line.count);
  /* Nobody is before them any more. */
  while (server->early.first != NULL && !is_waited_for(server)) take_turn(server->early.first);
}

/* Refused as late only where he stood in line: who was early is asked for the first time. */
static void end_wait(Connection *connection) {
  http_flight_forget(connection);
  connection->is_late = !connection->is_early;
  connection->is_early = false;
  if (!connection->is_late && is_waited_for(connection->server) && line_has_room(connection->server))
    stand(connection);
  else
    http_connection_take_turn(connection);
}

static void expire(HttpServer *server, HttpLine *line, int64_t now_us) {
  for (Connection *connection; (connection = line->first) != NULL && expiry_us(connection) <= now_us;) end_wait(connection);
  if (line->first != NULL) http_server_wait_until(server, expiry_us(line->first));
}

void http_flight_expire(HttpServer *server) {
  int64_t now_us = loop_monotonic_us(server->loop);
  expire(server, &server->early, now_us);
  expire(server, &server->line, now_us);
}
