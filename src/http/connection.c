/* connection.c - one connection: bytes from the stream become exchanges, within bounds, and timeouts watch over them. The first bytes or
 * ALPN tell HTTP/2, which has a file of its own; everything else here is HTTP/1. */
#include "http/connection.h"

#include <assert.h>
#include <stdatomic.h>

#include "http/exchange_end.h"
#include "http/flight.h"
#include "http/http2_connection.h"
#include "http/http2_upgrade.h"
#include "http/message.h"

static bool is_idle(const Connection *connection) {
  return connection->first == NULL && connection->preface_bytes == 0 && connection->input.len == 0 && connection->unparsed.len == 0 &&
         !http1_parser_is_in_head(connection->parser);
}

bool http_connection_is_old(const Connection *connection, uint64_t now_ms) {
  return connection->old_ms != 0 && now_ms >= connection->old_ms;
}

bool http_connection_has_more(const Connection *connection, const Http1Exchange *exchange) {
  return exchange->next != NULL || connection->input.len > 0 || connection->unparsed.len > 0;
}

/* The end. */

void http_connection_on_closed(void *context) {
  Connection *connection = context;
  HttpServer *server = connection->server;
  buf_done(&connection->input);
  http1_parser_destroy(connection->parser);
  http2_connection_destroy(connection->http2);
  memory_free(connection);
  server->connection_count--;
  http_server_note_gone(server);
}

static void cancel_all(Http1Exchange *exchange) {
  while (exchange != NULL) {
    Http1Exchange *next = exchange->next;
    exchange->next = NULL;
    http1_exchange_cancel(exchange);
    exchange = next;
  }
}

static void forget_resuming(Connection *connection) {
  if (!connection->is_resuming) return;
  Connection **at = &connection->server->resuming;
  while (*at != connection) at = &(*at)->next_resuming;
  *at = connection->next_resuming;
  connection->is_resuming = false;
}

static void connection_end(Connection *connection, bool with_reset) {
  if (connection->is_closed) return;
  HttpServer *server = connection->server;
  connection->is_closed = true;
  forget_resuming(connection);
  http_flight_forget(connection);
  Http1Exchange *first = connection->first, *sent = connection->sent;
  connection->first = connection->last = connection->sent = connection->receiving = connection->held = connection->ready = NULL;
  connection->tunnel = NULL;
  connection->exchange_count = 0;
  connection->unparsed = (Str){NULL, 0};
  if (connection->previous == NULL) {
    server->connections = connection->next;
  } else {
    connection->previous->next = connection->next;
  }
  if (connection->next != NULL) connection->next->previous = connection->previous;
  if (connection->is_refused) server->refused_connection_count--;
  atomic_fetch_sub_explicit(&server->shared->connections_open, 1, memory_order_relaxed);
  if (with_reset) {
    stream_reset(connection->stream);
  } else {
    stream_close(connection->stream);
  }
  cancel_all(sent);
  cancel_all(first);
  if (connection->http2 != NULL) http2_connection_end(connection->http2);
}

void http_connection_close(Connection *connection) { connection_end(connection, false); }

/* RFC 9112 §9.6: the peer sees the end of our side, and what it still sends is read, for a while, lest its system throw away our last
 * answer. */
void http_connection_finish(Connection *connection) {
  connection->tunnel = NULL;
  connection->is_finishing = connection->is_deaf = true;
  connection->input.len = 0;
  connection->unparsed.len = 0;
  if (!connection->is_cut)
    stream_shutdown(connection->stream);
  else if (stream_queued(connection->stream) == 0)
    connection_end(connection, true); /* nothing will be flushed that could end it */
}

void http_connection_linger(Connection *connection) {
  if (connection->is_cut) {
    connection_end(connection, true);
  } else if (connection->is_ended) {
    connection_end(connection, false);
  } else if (!connection->is_lingering) {
    connection->is_lingering = true;
    connection->idle_ms = loop_now_ms(connection->server->loop);
    stream_read_start(connection->stream);
  }
}

void http_connection_advance(Connection *connection) {
  while (connection->first != NULL && connection->first->is_whole) {
    Http1Exchange *exchange = connection->first;
    connection->first = exchange->next;
    if (connection->first == NULL) connection->last = NULL;
    connection->exchange_count--;
    exchange->next = connection->sent;
    connection->sent = exchange;
    if (!exchange->keeps_alive) {
      /* A body of unknown length that is cut must not look whole. */
      connection->is_cut = exchange->is_cut && exchange->framing == HTTP1_UNTIL_CLOSE;
      http_connection_finish(connection);
      return;
    }
    if (connection->first != NULL) http1_exchange_send_waiting(connection->first);
  }
  if (connection->first == NULL) connection->idle_ms = loop_now_ms(connection->server->loop);
}

/* Requests. */

static void ask_handler(Http1Exchange *exchange) {
  HttpServer *server = exchange->server;
  exchange->is_owed = true;
  exchange->asked_ms = loop_now_ms(server->loop);
  server->handler.request(server->handler.context, &exchange->base);
}

static void refuse_for_room(Connection *connection, Http1Exchange *exchange) {
  http_flight_note_refused(connection);
  http1_exchange_refuse(exchange, 503, CODE_UNAVAILABLE, HTTP_TOO_MANY_REQUESTS);
}

static void work_on(Connection *connection, Http1Exchange *exchange) {
  if (http_flight_enter(&exchange->base, connection->exchange_count - 1))
    ask_handler(exchange);
  else
    refuse_for_room(connection, exchange);
}

/* Its body has come. */
static void work_in_turn(Connection *connection, Http1Exchange *exchange) {
  if (!http_flight_is_full(connection->server) || !http_flight_has_line(connection)) {
    work_on(connection, exchange);
    return;
  }
  connection->ready = exchange;
  http_flight_wait(connection);
}

/* The head is there and it is its turn to be worked on. */
static void begin_exchange(Connection *connection, Http1Exchange *exchange) {
  HttpServer *server = connection->server;
  if (exchange->has_body) connection->receiving = exchange;
  if (exchange->expects_unknown) {
    http1_exchange_refuse(exchange, 417, CODE_BAD_REQUEST, STR("The only expectation known here is 100-continue"));
    return;
  }
  if (server->handler.head != NULL) exchange->mode = server->handler.head(server->handler.context, &exchange->base);
  if (exchange->base.is_answered || connection->is_closed) return;
  if (exchange->mode == HTTP_BODY_BUFFERED && exchange->body_bytes > exchange->base.body_bytes_max) {
    http1_exchange_refuse(exchange, 413, CODE_TOO_LARGE, http_exchange_body_detail(&exchange->base));
    return;
  }
  size_t beside = connection->exchange_count - 1;
  bool is_to_come = exchange->has_body && exchange->mode == HTTP_BODY_BUFFERED;
  if (!(is_to_come ? http_flight_arrive(&exchange->base, beside) : http_flight_enter(&exchange->base, beside))) {
    refuse_for_room(connection, exchange);
    return;
  }
  /* RFC 9110 §10.1.1: no need where the body comes unasked. */
  if (exchange->expects_continue && connection->unparsed.len == 0) {
    http1_exchange_send_continue(exchange);
  } else {
    exchange->expects_continue = false;
  }
  exchange->received = buf_on(exchange->base.arena, exchange->base.body_bytes_max);
  if (exchange->mode == HTTP_BODY_STREAMED) ask_handler(exchange);
}

/* RFC 7540 §3.2: from here on the connection speaks HTTP/2, and the request is its first stream. */
static bool upgrade(Connection *connection, Arena *arena, const Http1Head *head) {
  static const Str switching = STR_INIT("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n");
  Str settings;
  if (connection->first != NULL || connection->server->tls != NULL || !http2_upgrade_is_asked(head, arena, &settings)) return false;
  stream_write(connection->stream, switching);
  Http2Head head_of_stream = http2_upgrade_head(head);
  if (http2_connection_upgrade(connection, settings, arena, &head_of_stream)) return true;
  http_server_arena_release(connection->server, arena);
  http_connection_close(connection);
  return true;
}

static void on_head(Connection *connection, Arena *arena, const Http1Head *head) {
  if (head->wants_upgrade && upgrade(connection, arena, head)) return;
  Http1Exchange *exchange = http1_exchange_create(connection, arena, head);
  if (exchange == NULL) {
    http_server_arena_release(connection->server, arena);
    http_connection_close(connection);
    return;
  }
  connection->is_in_message = true;
  if (exchange->is_alone && connection->first != exchange) {
    connection->held = exchange;
  } else {
    begin_exchange(connection, exchange);
  }
}

static Code code_of_refusal(int status, const Http1Head *head) {
  switch (status) {
    case 408: return CODE_TIMEOUT;
    case 413:
    case 414:
    case 431: return CODE_TOO_LARGE;
    case 501: return head != NULL && head->request.method == HTTP_UNKNOWN ? CODE_METHOD_NOT_ALLOWED : CODE_BAD_REQUEST;
    case 503: return CODE_UNAVAILABLE;
    default: return CODE_BAD_REQUEST;
  }
}

static void on_refused(Connection *connection, Arena *arena, const Http1Head *head, const Http1Event *event) {
  Code code = code_of_refusal(event->status, head);
  Http1Exchange *exchange = connection->receiving;
  /* A body that breaks off while its exchange is being read ends that one; else the refusal is an exchange of its own. */
  if (connection->is_in_message) {
    http_server_arena_release(connection->server, arena);
    connection->is_in_message = false;
    if (exchange == NULL) {
      if (connection->last != NULL) {
        connection->last->keeps_alive = false;
      } else {
        http_connection_finish(connection);
      }
      return;
    }
    exchange->keeps_alive = false;
    connection->receiving = NULL;
    if (exchange->mode == HTTP_BODY_BUFFERED) {
      http1_exchange_refuse(exchange, event->status, code, event->detail);
    } else if (exchange->base.on_body_end != NULL) {
      exchange->base.on_body_end(&exchange->base, CODE_BAD_REQUEST);
    }
    return;
  }
  exchange = http1_exchange_create(connection, arena, head);
  if (exchange == NULL) {
    http_server_arena_release(connection->server, arena);
    http_connection_close(connection);
    return;
  }
  exchange->keeps_alive = false;
  http1_exchange_refuse(exchange, event->status, code, event->detail);
}

static void on_body(Connection *connection, Str bytes) {
  Http1Exchange *exchange = connection->receiving;
  if (exchange == NULL) return;
  exchange->body_received += bytes.len;
  exchange->base.bytes_in += bytes.len;
  if (exchange->mode == HTTP_BODY_STREAMED) {
    if (exchange->base.on_body != NULL && !exchange->base.on_body(&exchange->base, bytes)) connection->is_body_paused = true;
    return;
  }
  buf_add(&exchange->received, bytes);
  http_flight_note_arrived(&exchange->base, bytes.len);
  if (exchange->received.failed == CODE_OK) return;
  bool is_too_large = exchange->received.failed == CODE_TOO_LARGE;
  http1_exchange_refuse(exchange, is_too_large ? 413 : 503, exchange->received.failed,
                        is_too_large ? http_exchange_body_detail(&exchange->base) : STR("The server is out of memory"));
}

static void on_message_end(Connection *connection) {
  connection->is_in_message = false;
  /* Without a body the exchange is the last one; with a body that nobody wants any more there may be none. */
  Http1Exchange *exchange = connection->receiving != NULL ? connection->receiving : connection->last;
  connection->receiving = NULL;
  if (exchange == NULL) return;
  exchange->is_body_whole = true;
  if (exchange->base.is_answered && (exchange->is_whole || exchange->mode == HTTP_BODY_BUFFERED)) return;
  if (exchange->mode == HTTP_BODY_STREAMED) {
    exchange->asked_ms = loop_now_ms(connection->server->loop); /* the time to answer begins when all has come */
    if (exchange->base.on_body_end != NULL) exchange->base.on_body_end(&exchange->base, CODE_OK);
    return;
  }
  exchange->base.request.body = buf_str(&exchange->received);
  if (exchange->base.is_in_flight)
    ask_handler(exchange);
  else
    work_in_turn(connection, exchange);
}

static bool may_parse(const Connection *connection) {
  if (connection->is_closed || connection->is_deaf || connection->held != NULL || connection->is_body_paused) return false;
  if (connection->tunnel != NULL || connection->http2 != NULL) return false;
  if (connection->is_in_message) return true;
  if (connection->unparsed.len == 0) return false;
  const Http1Exchange *last = connection->last;
  if (last == NULL) return stream_queued(connection->stream) < HTTP_QUEUED_HIGH_BYTES;
  return last->keeps_alive && !last->is_alone && connection->exchange_count < HTTP_PIPELINE_MAX;
}

static bool parse_one(Connection *connection) {
  HttpServer *server = connection->server;
  Arena *arena = connection->is_in_message ? NULL : http_server_arena_acquire(server);
  if (arena == NULL && !connection->is_in_message) {
    http_connection_close(connection);
    return false;
  }
  Http1Head head;
  Http1Event event = http1_parse(connection->parser, &connection->unparsed, arena, &head);
  switch (event.type) {
    case HTTP1_HEAD: on_head(connection, arena, &head); return true;
    case HTTP1_REFUSED: on_refused(connection, arena, &head, &event); return true;
    case HTTP1_BODY: on_body(connection, event.bytes); return true;
    case HTTP1_END: on_message_end(connection); return true;
    case HTTP1_MORE: break;
  }
  if (arena != NULL) http_server_arena_release(server, arena);
  return false;
}

/* Behind a 101. */
static void feed_tunnel(Connection *connection) {
  HttpExchange *exchange = &connection->tunnel->base;
  Str bytes = connection->unparsed;
  connection->unparsed = (Str){NULL, 0};
  exchange->bytes_in += bytes.len;
  if (exchange->on_body != NULL && !exchange->on_body(exchange, bytes)) connection->is_body_paused = true;
}

/* Behind an upgrade. */
static void feed_http2(Connection *connection) {
  Str bytes = connection->unparsed;
  connection->unparsed = (Str){NULL, 0};
  connection->is_parsing = false;
  if (bytes.len > 0) http2_connection_take(connection, bytes);
}

static void parse(Connection *connection) {
  connection->is_parsing = true;
  bool was_in_head = http1_parser_is_in_head(connection->parser);
  while (may_parse(connection) && parse_one(connection)) {}
  if (connection->http2 != NULL) {
    feed_http2(connection);
    return;
  }
  if (connection->tunnel != NULL && connection->unparsed.len > 0) feed_tunnel(connection);
  connection->is_parsing = false;
  if (connection->is_closed) return;
  if (!was_in_head && http1_parser_is_in_head(connection->parser)) connection->head_ms = connection->read_ms;
  if (connection->is_deaf) connection->unparsed.len = 0;
}

static void stop_reading(Connection *connection) {
  if (!connection->is_reading) return;
  connection->is_reading = false;
  stream_read_stop(connection->stream);
}

static void start_reading(Connection *connection) {
  if (connection->is_reading || connection->is_closed) return;
  connection->is_reading = true;
  connection->read_ms = loop_now_ms(connection->server->loop);
  stream_read_start(connection->stream);
}

/* Where the server has enough to do, what comes waits as it came. */
static void stand_in_line(Connection *connection, Str bytes) {
  buf_add(&connection->input, bytes);
  if (connection->input.failed != CODE_OK) {
    http_connection_close(connection);
    return;
  }
  /* Most have sent one request and send no more: who does anyway is read no further. */
  if (connection->is_in_line) stop_reading(connection);
  http_flight_wait(connection);
}

static void take(Connection *connection, Str bytes) {
  bool is_between = connection->first == NULL && !connection->is_in_message;
  if (connection->is_in_line || (is_between && http_flight_has_line(connection))) {
    stand_in_line(connection, bytes);
    return;
  }
  assert(connection->input.len == 0);
  connection->unparsed = bytes;
  parse(connection);
  if (connection->is_closed) return;
  if (connection->unparsed.len > 0) buf_add(&connection->input, connection->unparsed);
  connection->unparsed = (Str){NULL, 0};
  if (connection->input.failed != CODE_OK) {
    http_connection_close(connection);
  } else if (connection->input.len > 0 || connection->is_body_paused) {
    stop_reading(connection);
  }
}

/* ---- Which protocol it is ---- */

static void begin_http2(Connection *connection, Str bytes) {
  connection->has_protocol = true;
  connection->preface_bytes = 0;
  if (!http2_connection_begin(connection)) {
    http_connection_close(connection);
    return;
  }
  if (bytes.len > 0) http2_connection_take(connection, bytes);
}

/* RFC 9113 §3.3: a client that knows that we speak HTTP/2 begins with its preface, which may come in pieces. */
static void choose_protocol(Connection *connection, Str bytes) {
  if (connection->server->tls != NULL && tls_has_chosen_h2(connection->stream)) {
    begin_http2(connection, bytes);
    return;
  }
  static const Str preface = {HTTP2_PREFACE, HTTP2_PREFACE_BYTES};
  size_t seen = connection->preface_bytes;
  Str wanted = str_slice(preface, seen, seen + bytes.len);
  if (!str_starts_with(bytes, wanted)) {
    connection->has_protocol = true;
    connection->preface_bytes = 0;
    if (seen > 0) take(connection, str_slice(preface, 0, seen));
    if (!connection->is_closed && !connection->is_deaf) take(connection, bytes);
    return;
  }
  if (seen == 0) connection->head_ms = connection->read_ms;
  connection->preface_bytes += wanted.len;
  if (connection->preface_bytes < preface.len) return;
  begin_http2(connection, preface);
  if (!connection->is_closed && wanted.len < bytes.len) http2_connection_take(connection, str_slice(bytes, wanted.len, bytes.len));
}

static void on_read(void *context, Str bytes) {
  Connection *connection = context;
  connection->read_ms = loop_now_ms(connection->server->loop);
  if (connection->is_deaf) return;
  if (connection->has_protocol)
    take(connection, bytes);
  else
    choose_protocol(connection, bytes);
}

/* What had to wait: the exchange that was held, input that was kept, reading. */
static void resume(Connection *connection) {
  HttpServer *server = connection->server;
  if (connection->is_parsing || connection->is_closed || connection->is_deaf || connection->is_in_line) return;
  if (connection->ready != NULL) {
    Http1Exchange *exchange = connection->ready;
    connection->ready = NULL;
    work_on(connection, exchange);
    loop_run_hooks_again(server->loop);
    if (connection->is_closed || connection->is_deaf) return;
  }
  if (connection->held != NULL && connection->held == connection->first) {
    Http1Exchange *exchange = connection->held;
    connection->held = NULL;
    connection->unparsed = buf_str(&connection->input);
    begin_exchange(connection, exchange);
    loop_run_hooks_again(server->loop);
    if (connection->is_closed || connection->is_deaf) return;
  }
  if (connection->is_in_message || connection->input.len > 0) {
    size_t before = connection->input.len;
    connection->unparsed = buf_str(&connection->input);
    parse(connection);
    loop_run_hooks_again(server->loop);
    if (connection->is_closed || connection->is_deaf) return;
    Str rest = connection->unparsed;
    connection->unparsed = (Str){NULL, 0};
    if (rest.len > 0 && rest.len < before) memmove(connection->input.ptr, rest.ptr, rest.len);
    connection->input.len = rest.len;
    if (rest.len == 0) {
      size_t max = connection->input.max;
      buf_done(&connection->input);
      connection->input = buf_on_heap(max);
    }
  }
  if (connection->input.len == 0 && !connection->is_body_paused && connection->held == NULL)
    start_reading(connection);
  else if (connection->input.len > 0 || connection->is_body_paused)
    stop_reading(connection);
}

void http_connection_take_turn(Connection *connection) {
  if (connection->http2 != NULL)
    http2_connection_take_turn(connection->http2);
  else
    resume(connection);
  connection->is_late = false;
}

void http_connection_resume_body(Connection *connection) {
  if (!connection->is_body_paused || connection->is_resuming) return;
  HttpServer *server = connection->server;
  connection->is_body_paused = false;
  connection->is_resuming = true;
  connection->next_resuming = server->resuming;
  server->resuming = connection;
  loop_run_hooks_again(server->loop);
}

void http_connections_run_resumed(HttpServer *server) {
  while (server->resuming != NULL) {
    Connection *connection = server->resuming;
    server->resuming = connection->next_resuming;
    connection->is_resuming = false;
    resume(connection);
  }
}

/* The stream's other events. */

/* Whoever sends no more still waits for an answer that ends; from one that doesn't he has turned away. */
static bool has_left(const Connection *connection) {
  return connection->is_ended && connection->first != NULL && connection->first->base.is_long;
}

static void on_end(void *context, Code code) {
  Connection *connection = context;
  connection->is_ended = true;
  connection->is_reading = false;
  bool is_cut = connection->is_in_message && connection->receiving != NULL;
  if (code != CODE_OK || connection->is_lingering || has_left(connection) || (connection->first == NULL && !connection->is_finishing)) {
    http_connection_close(connection);
  } else if (is_cut) {
    Http1Event event = {.type = HTTP1_REFUSED, .status = 400, .detail = STR("The request's body broke off")};
    on_refused(connection, NULL, NULL, &event);
  }
}

static void finish_sent(Connection *connection) {
  Http1Exchange *sent = connection->sent, *oldest = NULL;
  connection->sent = NULL;
  while (sent != NULL) {
    Http1Exchange *next = sent->next;
    sent->next = oldest;
    oldest = sent;
    sent = next;
  }
  while (oldest != NULL) {
    Http1Exchange *next = oldest->next;
    oldest->next = NULL;
    http1_exchange_finish(oldest);
    oldest = next;
  }
}

static void on_flushed(void *context) {
  Connection *connection = context;
  finish_sent(connection);
  size_t queued = stream_queued(connection->stream);
  if (queued == 0) connection->written_ms = loop_now_ms(connection->server->loop);
  if (connection->is_finishing) {
    if (queued == 0) http_connection_linger(connection);
    return;
  }
  Http1Exchange *first = connection->first;
  if (first != NULL && first->wants_writable && queued <= HTTP_QUEUED_LOW_BYTES) {
    first->wants_writable = false;
    loop_run_hooks_again(connection->server->loop);
    if (first->base.on_writable != NULL) first->base.on_writable(&first->base);
    if (connection->is_closed || connection->is_finishing) return;
  }
  if (connection->held != NULL || connection->input.len > 0) resume(connection);
  if (connection->is_closed || connection->is_finishing) return;
  /* A peer that sends no more, and has been answered. */
  if (connection->is_ended && connection->first == NULL && connection->input.len == 0 && stream_queued(connection->stream) == 0)
    http_connection_close(connection);
}

static const StreamEvents stream_events = {.read = on_read, .end = on_end, .flushed = on_flushed, .closed = http_connection_on_closed};

/* Beyond connections_max: told so, without reading what it wants. */
static void refuse_connection(Connection *connection) {
  Http1Head head = {.request = {.method = HTTP_UNKNOWN}};
  Http1Event event = {.type = HTTP1_REFUSED, .status = 503, .detail = STR("The server has too many connections")};
  Arena *arena = http_server_arena_acquire(connection->server);
  if (arena == NULL) {
    http_connection_close(connection);
  } else {
    on_refused(connection, arena, &head, &event);
  }
}

/* A tenth more or less (gRFC A9), so that those who came together do not come back together. */
static uint64_t spread(uint64_t age_ms, int64_t clock_us) { return age_ms * (900 + (uint64_t)clock_us % 201) / 1000; }

void http_connection_open(HttpServer *server, Stream *stream, Str peer) {
  size_t open = atomic_fetch_add_explicit(&server->shared->connections_open, 1, memory_order_relaxed);
  bool is_refused = open >= server->limits.connections_max;
  Connection *connection =
      is_refused && server->refused_connection_count >= HTTP_REFUSED_CONNECTIONS_MAX ? NULL : memory_alloc(sizeof *connection);
  Http1Parser *parser =
      connection == NULL ? NULL : http1_parser_create(&(Http1Limits){server->limits.header_bytes_max, server->limits.uri_bytes_max});
  if (parser == NULL) {
    memory_free(connection);
    atomic_fetch_sub_explicit(&server->shared->connections_open, 1, memory_order_relaxed);
    stream_close(stream);
    return;
  }
  uint64_t now = loop_now_ms(server->loop), age_max_ms = server->limits.connection_age_max_ms;
  *connection = (Connection){.server = server,
                             .stream = stream,
                             .parser = parser,
                             .is_refused = is_refused,
                             .next = server->connections,
                             .old_ms = age_max_ms == 0 ? 0 : now + spread(age_max_ms, loop_monotonic_us(server->loop)),
                             .read_ms = now,
                             .idle_ms = now,
                             .written_ms = now,
                             .is_reading = true};
  connection->input = buf_on_heap((size_t)128 * 1024);
  connection->peer_len = peer.len < sizeof connection->peer ? peer.len : 0;
  memcpy(connection->peer, peer.ptr, connection->peer_len);
  if (server->connections != NULL) server->connections->previous = connection;
  server->connections = connection;
  server->connection_count++;
  if (is_refused) server->refused_connection_count++;
  stream->events = &stream_events;
  stream->context = connection;
  http_server_sweep_start(server);
  stream_read_start(stream);
  if (is_refused) refuse_connection(connection);
}

bool http_connection_describe(const Connection *connection, Arena *arena, HttpRequest *ret) {
  ret->is_tls = connection->server->tls != NULL;
  ret->peer = arena_str(arena, (Str){connection->peer, connection->peer_len});
  Str certificate = ret->is_tls ? tls_peer_name(connection->stream) : (Str){0};
  if (certificate.len > 0) ret->certificate = arena_str(arena, certificate);
  return ret->peer.ptr != NULL && (certificate.len == 0 || ret->certificate.ptr != NULL);
}

/* Timeouts. */

static bool is_due(uint64_t now_ms, uint64_t since_ms, uint32_t timeout_ms) {
  return now_ms >= since_ms && now_ms - since_ms >= timeout_ms;
}

/* Answers 503 for the handlers that take too long. The exchanges keep their places. */
static void give_up_slow_answers(Connection *connection, uint64_t now_ms) {
  uint32_t timeout_ms = connection->server->limits.request_timeout_ms;
  for (Http1Exchange *exchange = connection->first, *next; exchange != NULL && !connection->is_closed; exchange = next) {
    next = exchange->next;
    if (!exchange->is_owed || exchange->base.is_answered || connection->receiving == exchange) continue;
    if (is_due(now_ms, exchange->asked_ms, timeout_ms))
      http1_exchange_refuse(exchange, 503, CODE_TIMEOUT, STR("The request took too long"));
  }
}

void http_connection_give_up_body(Connection *connection, Http1Exchange *exchange, int status, Code code, Str detail) {
  if (connection->receiving == exchange) {
    exchange->keeps_alive = false;
    connection->is_in_message = false;
  }
  http1_exchange_refuse(exchange, status, code, detail);
}

static void sweep_body(Connection *connection, Http1Exchange *exchange, uint64_t now_ms) {
  const HttpLimits *limits = &connection->server->limits;
  uint64_t began_ms = (uint64_t)exchange->base.started_us / 1000;
  uint64_t clock_ms = (uint64_t)loop_monotonic_us(connection->server->loop) / 1000;
  bool is_stalled = !exchange->base.is_patient && is_due(now_ms, connection->read_ms, limits->header_timeout_ms);
  bool is_late = exchange->mode == HTTP_BODY_BUFFERED && is_due(clock_ms, began_ms, limits->request_timeout_ms);
  if (!is_stalled && !is_late) return;
  if (exchange->mode == HTTP_BODY_BUFFERED) {
    http_connection_give_up_body(connection, exchange, 408, CODE_TIMEOUT, STR("The request's body came too slowly"));
  } else {
    exchange->keeps_alive = false;
    connection->receiving = NULL;
    if (exchange->base.on_body_end != NULL) exchange->base.on_body_end(&exchange->base, CODE_TIMEOUT);
  }
}

static void sweep_deadline(Connection *connection, Http1Exchange *exchange) {
  if (exchange->is_whole || !http_server_is_overdue(connection->server, &exchange->base)) return;
  if (exchange->base.on_deadline != NULL) {
    exchange->base.on_deadline(&exchange->base);
  } else if (!exchange->base.is_answered) {
    http_connection_give_up_body(connection, exchange, 503, CODE_TIMEOUT, STR("The time that the client gave is over"));
  }
}

static void sweep_deadlines(Connection *connection) {
  for (Http1Exchange *exchange = connection->first, *next; exchange != NULL && !connection->is_closed; exchange = next) {
    next = exchange->next;
    sweep_deadline(connection, exchange);
  }
}

static void refuse_slow_head(Connection *connection) {
  Http1Head head = {.request = {.method = HTTP_UNKNOWN}};
  Http1Event event = {.type = HTTP1_REFUSED, .status = 408, .detail = STR("The request's head came too slowly")};
  Arena *arena = http_server_arena_acquire(connection->server);
  if (arena == NULL) {
    http_connection_close(connection);
  } else {
    on_refused(connection, arena, &head, &event);
  }
}

static void tell_drain(Connection *connection) {
  for (Http1Exchange *exchange = connection->first, *next; exchange != NULL && !connection->is_closed; exchange = next) {
    next = exchange->next;
    http_exchange_tell_drain(&exchange->base);
  }
}

void http_connection_sweep(Connection *connection, uint64_t now_ms) {
  const HttpLimits *limits = &connection->server->limits;
  if (connection->server->has_stopped_listening) tell_drain(connection);
  if (connection->is_closed) return;
  size_t queued = stream_queued(connection->stream);
  if (queued != connection->queued_before || queued == 0) connection->written_ms = now_ms;
  connection->queued_before = queued;
  if (has_left(connection)) {
    http_connection_close(connection);
  } else if (connection->is_lingering) {
    uint32_t linger_ms = connection->server->is_draining ? HTTP_LINGER_DRAINING_MS : HTTP_LINGER_MS;
    if (is_due(now_ms, connection->idle_ms, linger_ms)) http_connection_close(connection);
  } else if (is_due(now_ms, connection->written_ms, limits->idle_timeout_ms)) {
    connection_end(connection, true); /* a reader that does not read */
  } else if (connection->server->tls != NULL && !tls_is_established(connection->stream) &&
             is_due(now_ms, connection->idle_ms, limits->header_timeout_ms)) {
    http_connection_close(connection); /* a handshake is a head of its own */
  } else if (connection->http2 != NULL) {
    http2_connection_sweep(connection->http2, now_ms);
  } else if (is_idle(connection)) {
    if (connection->is_finishing || queued > 0) return;
    if (connection->server->has_stopped_listening || is_due(now_ms, connection->idle_ms, limits->idle_timeout_ms))
      http_connection_close(connection);
  } else {
    sweep_deadlines(connection);
    if (!connection->is_closed) give_up_slow_answers(connection, now_ms);
    if (connection->is_closed || !connection->is_reading || connection->is_deaf) return;
    if (connection->receiving != NULL) {
      sweep_body(connection, connection->receiving, now_ms);
    } else if ((http1_parser_is_in_head(connection->parser) || connection->preface_bytes > 0) &&
               is_due(now_ms, connection->head_ms, limits->header_timeout_ms)) {
      refuse_slow_head(connection);
    }
  }
}
