/* http2_connection.c - one HTTP/2 connection: the core's events become exchanges, what is due is done once a turn, and timeouts watch over
 * every stream. */
#include "http/http2_connection.h"

#include <assert.h>

#include "http/exchange_end.h"
#include "http/flight.h"
#include "http/message.h"

static HttpServer *server_of(const Http2Connection *connection) { return connection->connection->server; }

void http2_connection_note_due(Http2Connection *connection) {
  HttpServer *server = server_of(connection);
  if (connection->is_due || connection->connection->is_closed) return;
  connection->is_due = true;
  connection->next_due = server->http2_due;
  server->http2_due = connection;
  loop_run_hooks_again(server->loop);
}

static void forget_due(Http2Connection *connection) {
  if (!connection->is_due) return;
  Http2Connection **at = &server_of(connection)->http2_due;
  while (*at != connection) at = &(*at)->next_due;
  *at = connection->next_due;
  connection->is_due = false;
}

/* ---- Bodies that come in ---- */

static size_t bodies_high(const Http2Connection *connection) {
  const HttpLimits *limits = &server_of(connection)->limits;
  size_t two_bodies = 2 * (limits->body_bytes_max > limits->body_bytes_largest ? limits->body_bytes_max : limits->body_bytes_largest);
  return two_bodies > HTTP2_BODIES_HIGH_BYTES ? two_bodies : HTTP2_BODIES_HIGH_BYTES;
}

/* The stream's window opens again by what has come. */
static void take(Http2Exchange *exchange, size_t bytes) { http2_take_of_stream(exchange->connection->http2, exchange->stream, bytes); }

/* Bytes stay in memory for this exchange. */
static void count_body(Http2Exchange *exchange, size_t bytes) {
  exchange->counted_bytes += bytes;
  exchange->connection->body_bytes += bytes;
}

/* … as a part of its whole body: while there is much in memory, its stream waits for its turn. */
static void count_part(Http2Exchange *exchange, size_t bytes) {
  Http2Connection *connection = exchange->connection;
  count_body(exchange, bytes);
  http_flight_note_arrived(&exchange->base, bytes);
  if (connection->body_bytes <= bodies_high(connection)) {
    take(exchange, bytes);
    return;
  }
  exchange->untaken_bytes += bytes;
  connection->untaken_bytes += bytes;
}

static void uncount_body(Http2Exchange *exchange, size_t bytes) {
  exchange->counted_bytes -= bytes;
  exchange->connection->body_bytes -= bytes;
}

static bool is_body_unwanted(const Http2Exchange *exchange) {
  return exchange->base.is_answered && (exchange->is_ended || exchange->mode == HTTP_BODY_BUFFERED);
}

static bool is_held(const Http2Exchange *exchange) { return exchange->queue == &exchange->connection->held; }

static bool must_wait(const Http2Exchange *exchange) { return is_held(exchange) || exchange->is_paused || exchange->pending.len > 0; }

static void keep_body(Http2Exchange *exchange, Str bytes) {
  buf_add(&exchange->received, bytes);
  if (exchange->received.failed == CODE_OK) {
    count_part(exchange, bytes.len);
    return;
  }
  bool is_too_large = exchange->received.failed == CODE_TOO_LARGE;
  take(exchange, bytes.len);
  http2_exchange_refuse(exchange, is_too_large ? 413 : 503, exchange->received.failed,
                        is_too_large ? http_exchange_body_detail(&exchange->base) : STR("The server is out of memory"));
}

static void give_body(Http2Exchange *exchange, Str bytes) {
  if (exchange->mode == HTTP_BODY_BUFFERED) {
    keep_body(exchange, bytes);
    return;
  }
  take(exchange, bytes.len);
  if (exchange->base.on_body != NULL && !exchange->base.on_body(&exchange->base, bytes)) exchange->is_paused = true;
}

static void on_body(void *context, void *user, Str bytes) {
  Http2Connection *connection = context;
  Http2Exchange *exchange = user;
  if (connection->connection->is_closed) return;
  exchange->base.bytes_in += bytes.len;
  exchange->body_received += bytes.len;
  exchange->read_ms = loop_now_ms(server_of(connection)->loop);
  /* Always, lest streams that have to wait keep the connection's window from one that can be ended: each has its own. */
  http2_take_of_connection(connection->http2, bytes.len);
  if (is_body_unwanted(exchange) || exchange->is_end_told) {
    take(exchange, bytes.len);
  } else if (must_wait(exchange)) {
    buf_add(&exchange->pending, bytes);
    count_body(exchange, bytes.len);
    if (exchange->pending.failed != CODE_OK) http2_reset(connection->http2, exchange->stream, HTTP2_INTERNAL_ERROR);
  } else {
    give_body(exchange, bytes);
  }
}

static void ask_handler(Http2Exchange *exchange) {
  HttpServer *server = exchange->server;
  exchange->is_owed = true;
  exchange->asked_ms = loop_now_ms(server->loop);
  server->handler.request(server->handler.context, &exchange->base);
}

/* The more the server has to do, the less of it may be one connection's: what is worked on for this one makes room for the next. */
static bool may_work(const Http2Connection *connection) {
  const HttpServer *server = server_of(connection);
  size_t working = connection->begun_count - connection->coming_count;
  return working == 0 || server->in_flight + working < server->limits.requests_in_flight_share;
}

static void refuse_for_room(Http2Exchange *exchange) { http2_exchange_refuse(exchange, 503, CODE_UNAVAILABLE, HTTP_TOO_MANY_REQUESTS); }

static void work_on(Http2Exchange *exchange) {
  Http2Connection *connection = exchange->connection;
  http2_exchange_end_coming(exchange);
  if (http_flight_enter(&exchange->base, connection->begun_count - connection->coming_count - 1))
    ask_handler(exchange);
  else
    refuse_for_room(exchange);
}

/* Those whose bodies have come. */
static void work_on_ready(Http2Connection *connection) {
  Connection *owner = connection->connection;
  while (connection->ready.first != NULL && !owner->is_closed && !owner->is_in_line && may_work(connection)) {
    if (!owner->is_late && http_flight_is_full(owner->server) && http_flight_has_line(owner)) {
      http_flight_wait(owner);
      return;
    }
    work_on(connection->ready.first);
    loop_run_hooks_again(owner->server->loop);
  }
}

static void note_ready(Http2Exchange *exchange) {
  http2_exchange_enqueue(exchange, &exchange->connection->ready);
  work_on_ready(exchange->connection);
}

static void tell_end(Http2Exchange *exchange) {
  if (exchange->is_end_told || must_wait(exchange)) return;
  exchange->is_end_told = true;
  if (is_body_unwanted(exchange)) return;
  if (exchange->mode == HTTP_BODY_STREAMED) {
    exchange->asked_ms = loop_now_ms(exchange->server->loop); /* the time to answer begins when all has come */
    if (exchange->base.on_body_end != NULL) exchange->base.on_body_end(&exchange->base, CODE_OK);
    return;
  }
  exchange->base.request.body = buf_str(&exchange->received);
  if (exchange->is_coming)
    note_ready(exchange);
  else
    ask_handler(exchange);
}

static void on_end(void *context, void *user) {
  Http2Connection *connection = context;
  Http2Exchange *exchange = user;
  if (connection->connection->is_closed) return;
  exchange->is_request_whole = true;
  tell_end(exchange);
}

/* What came while nobody could take it. The stream's window opens again. */
static void give_pending(Http2Exchange *exchange) {
  Buf pending = exchange->pending;
  exchange->pending = buf_on_heap(pending.max);
  uncount_body(exchange, pending.len);
  if (pending.len > 0 && is_body_unwanted(exchange))
    take(exchange, pending.len);
  else if (pending.len > 0)
    give_body(exchange, buf_str(&pending));
  buf_done(&pending);
  if (exchange->stream != NULL && exchange->is_request_whole) tell_end(exchange);
}

/* ---- Requests ---- */

/* Bodies on their way count as what they will be: what is begun together can be worked on together. */
static bool has_share(const Http2Connection *connection) {
  const HttpServer *server = server_of(connection);
  size_t begun = connection->begun_count + connection->coming_count;
  return begun == 0 || server->in_flight + begun < server->limits.requests_in_flight_share;
}

/* Than all whose answers its own would wait for. */
static bool is_most_urgent(const Http2Exchange *exchange) {
  for (const Http2Exchange *other = exchange->connection->exchanges; other != NULL; other = other->next) {
    if (other != exchange && other->urgency <= exchange->urgency && other->stream != NULL && !is_held(other)) return false;
  }
  return true;
}

static bool may_begin(const Http2Exchange *exchange) {
  const Http2Connection *connection = exchange->connection;
  if (connection->begun_count >= HTTP2_BEGUN_MAX || !has_share(connection)) return false;
  return connection->answer_bytes + connection->begun_count * connection->answer_guess < HTTP2_ANSWERS_HIGH_BYTES ||
         is_most_urgent(exchange);
}

/* Nobody who waits comes before it. */
static bool is_next(const Http2Exchange *exchange) {
  const Http2Exchange *first = exchange->connection->held.first;
  return first == NULL || exchange->urgency < first->urgency;
}

static void begin_exchange(Http2Exchange *exchange) {
  Http2Connection *connection = exchange->connection;
  HttpServer *server = exchange->server;
  exchange->is_begun = true;
  connection->begun_count++;
  if (server->handler.head != NULL) exchange->mode = server->handler.head(server->handler.context, &exchange->base);
  if (exchange->base.is_answered || exchange->stream == NULL) return;
  if (exchange->base.request.protocol.ptr != NULL) exchange->mode = HTTP_BODY_STREAMED;
  if (exchange->mode == HTTP_BODY_BUFFERED && exchange->has_length && exchange->body_length > exchange->base.body_bytes_max) {
    http2_exchange_refuse(exchange, 413, CODE_TOO_LARGE, http_exchange_body_detail(&exchange->base));
    return;
  }
  size_t beside = connection->begun_count - connection->coming_count - 1;
  bool is_to_come = exchange->has_body && exchange->mode == HTTP_BODY_BUFFERED;
  if (!(is_to_come ? http_flight_arrive(&exchange->base, beside) : http_flight_enter(&exchange->base, beside))) {
    refuse_for_room(exchange);
    return;
  }
  if (is_to_come) {
    exchange->is_coming = true;
    connection->coming_count++;
  }
  if (exchange->expects_continue && exchange->body_received == 0) http2_respond_continue(connection->http2, exchange->stream);
  exchange->received = buf_on(exchange->base.arena, exchange->base.body_bytes_max);
  if (exchange->mode == HTTP_BODY_STREAMED) ask_handler(exchange);
}

static void hold(Http2Exchange *exchange) { http2_exchange_enqueue(exchange, &exchange->connection->held); }

static void hold_in_line(Http2Exchange *exchange) {
  hold(exchange);
  http_flight_wait(exchange->connection->connection);
}

static void begin_held(Http2Connection *connection) {
  Connection *owner = connection->connection;
  if (owner->is_in_line) return;
  while (connection->held.first != NULL && may_begin(connection->held.first) && !owner->is_closed) {
    if (!owner->is_late && http_flight_is_full(owner->server) && http_flight_has_line(owner)) {
      http_flight_wait(owner);
      return;
    }
    Http2Exchange *exchange = connection->held.first;
    http2_exchange_dequeue(exchange);
    exchange->read_ms = loop_now_ms(exchange->server->loop);
    begin_exchange(exchange);
    if (exchange->stream != NULL) give_pending(exchange);
    loop_run_hooks_again(exchange->server->loop);
  }
}

void http2_connection_take_turn(Http2Connection *connection) {
  work_on_ready(connection);
  begin_held(connection);
  http2_connection_note_due(connection);
}

static Code code_of_status(int status) {
  return status == 503 ? CODE_UNAVAILABLE : status == 413 || status == 414 || status == 431 ? CODE_TOO_LARGE : CODE_BAD_REQUEST;
}

static void *on_head(void *context, Http2Stream *stream, Arena *arena, const Http2Head *head) {
  Http2Connection *connection = context;
  if (connection->connection->is_closed) return NULL;
  Http2Exchange *exchange = http2_exchange_create(connection, stream, arena, head);
  if (exchange == NULL) return NULL;
  if (head->refused_status != 0)
    http2_exchange_refuse(exchange, head->refused_status, code_of_status(head->refused_status), head->refused_detail);
  else if (head->expects_unknown)
    http2_exchange_refuse(exchange, 417, CODE_BAD_REQUEST, STR("The only expectation known here is 100-continue"));
  else if (!is_next(exchange) || !may_begin(exchange))
    hold(exchange);
  else if (http_flight_has_line(exchange->connection->connection))
    hold_in_line(exchange);
  else
    begin_exchange(exchange);
  return exchange;
}

static void on_stream_closed(void *context, void *user, bool is_whole) {
  Http2Connection *connection = context;
  if (!connection->connection->is_closed) http2_exchange_leave(user, is_whole);
}

static Arena *on_arena_acquire(void *context) { return http_server_arena_acquire(server_of(context)); }
static void on_arena_release(void *context, Arena *arena) { http_server_arena_release(server_of(context), arena); }

static size_t on_pull(void *context, void *user, char *out, size_t room, Http2Pulled *ret) {
  Http2Connection *connection = context;
  return connection->connection->is_closed ? 0 : http2_exchange_pull(user, out, room, ret);
}

static void on_urgency(void *context, void *user, uint8_t urgency) {
  Http2Connection *connection = context;
  Http2Exchange *exchange = user;
  Http2Queue *queue = exchange->queue;
  if (connection->connection->is_closed) return;
  exchange->urgency = urgency;
  if (queue == NULL) return;
  http2_exchange_dequeue(exchange);
  http2_exchange_enqueue(exchange, queue);
  http2_connection_note_due(connection);
}

static const Http2Events http2_events = {
    .arena_acquire = on_arena_acquire,
    .arena_release = on_arena_release,
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .pull = on_pull,
    .urgency = on_urgency,
    .closed = on_stream_closed,
};

/* ---- A turn ---- */

static void set_choked(Http2Connection *connection, bool is_choked) {
  if (connection->is_choked == is_choked) return;
  connection->is_choked = is_choked;
  if (is_choked)
    stream_read_stop(connection->connection->stream);
  else
    stream_read_start(connection->connection->stream);
}

static void send(Http2Connection *connection) {
  Connection *owner = connection->connection;
  while (!owner->is_closed) {
    if (stream_queued(owner->stream) >= HTTP_QUEUED_HIGH_BYTES) {
      set_choked(connection, true);
      return;
    }
    Str bytes = http2_send(connection->http2);
    if (bytes.len == 0) break;
    stream_write(owner->stream, bytes);
  }
  bool is_done = connection->is_end_said && connection->exchange_count == 0;
  if (!owner->is_closed && (is_done || connection->is_over || http2_is_over(connection->http2))) http_connection_finish(owner);
}

static void resume_readers(Http2Connection *connection) {
  if (connection->resuming_count == 0) return;
  for (Http2Exchange *exchange = connection->exchanges, *next; exchange != NULL; exchange = next) {
    next = exchange->next;
    if (!exchange->is_resuming) continue;
    exchange->is_resuming = exchange->is_paused = false;
    connection->resuming_count--;
    give_pending(exchange);
    loop_run_hooks_again(exchange->server->loop);
    if (connection->connection->is_closed) return;
  }
}

static void open_window(Http2Exchange *exchange) {
  if (exchange->untaken_bytes == 0) return;
  take(exchange, exchange->untaken_bytes);
  exchange->connection->untaken_bytes -= exchange->untaken_bytes;
  exchange->untaken_bytes = 0;
  exchange->read_ms = loop_now_ms(exchange->server->loop); /* it was not its client who waited */
}

/* Where there is too much of bodies, what is whole makes room by being answered; where none is whole, the oldest is let in to its end:
 * else all would wait for one another. */
static void open_windows(Http2Connection *connection) {
  bool is_low = connection->body_bytes <= bodies_high(connection);
  Http2Exchange *oldest = NULL;
  if (connection->untaken_bytes == 0) return;
  for (Http2Exchange *exchange = connection->exchanges; exchange != NULL; exchange = exchange->next) {
    bool is_whole = exchange->mode == HTTP_BODY_BUFFERED && exchange->is_request_whole && exchange->counted_bytes > 0 && !is_held(exchange);
    if (is_low)
      open_window(exchange);
    else if (is_whole)
      return;
    else if (exchange->untaken_bytes > 0)
      oldest = exchange;
  }
  if (oldest != NULL) open_window(oldest);
}

void http2_connections_run_due(HttpServer *server) {
  while (server->http2_due != NULL) {
    Http2Connection *connection = server->http2_due;
    Connection *owner = connection->connection;
    server->http2_due = connection->next_due;
    connection->is_due = false;
    if (owner->is_closed || owner->is_finishing) continue;
    resume_readers(connection);
    if (!owner->is_closed) work_on_ready(connection);
    if (!owner->is_closed) begin_held(connection);
    if (owner->is_closed) continue;
    open_windows(connection);
    send(connection);
  }
}

/* ---- The stream's events ---- */

void http2_connection_take(Connection *owner, Str bytes) {
  Http2Connection *connection = owner->http2;
  uint64_t now_ms = loop_now_ms(owner->server->loop);
  if (owner->is_closed || owner->is_deaf || connection->is_over) return;
  bool was_in_head = http2_is_in_head(connection->http2);
  if (!http2_receive(connection->http2, bytes, now_ms)) connection->is_over = true;
  if (!was_in_head) connection->head_ms = now_ms;
  http2_connection_note_due(connection);
}

static void on_read(void *context, Str bytes) {
  Connection *owner = context;
  owner->read_ms = loop_now_ms(owner->server->loop);
  http2_connection_take(owner, bytes);
}

/* RFC 9113 knows no half-closed connection: whose end has come reads no answers. */
static void on_stream_end(void *context, Code code) {
  (void)code;
  http_connection_close(context);
}

static void tell_writable(Http2Connection *connection) {
  if (connection->writable_count == 0) return;
  for (Http2Exchange *exchange = connection->exchanges, *next; exchange != NULL; exchange = next) {
    next = exchange->next;
    if (!exchange->wants_writable || http2_exchange_unsent(exchange) > HTTP2_WAITING_LOW_BYTES) continue;
    exchange->wants_writable = false;
    connection->writable_count--;
    loop_run_hooks_again(exchange->server->loop);
    if (exchange->base.on_writable != NULL) exchange->base.on_writable(&exchange->base);
    if (connection->connection->is_closed) return;
  }
}

static void on_flushed(void *context) {
  Connection *owner = context;
  Http2Connection *connection = owner->http2;
  size_t queued = stream_queued(owner->stream);
  if (queued == 0) owner->written_ms = loop_now_ms(owner->server->loop);
  if (owner->is_finishing) {
    if (queued == 0) http_connection_linger(owner);
    return;
  }
  if (connection->is_choked && queued <= HTTP_QUEUED_LOW_BYTES) {
    set_choked(connection, false);
    http2_connection_note_due(connection);
  }
  tell_writable(connection);
}

static const StreamEvents stream_events = {
    .read = on_read, .end = on_stream_end, .flushed = on_flushed, .closed = http_connection_on_closed};

/* ---- Life ---- */

bool http2_connection_begin(Connection *owner) {
  const HttpLimits *limits = &owner->server->limits;
  Http2Limits http2_limits = {.header_bytes_max = limits->header_bytes_max,
                              .uri_bytes_max = limits->uri_bytes_max,
                              .streams_max = limits->streams_max > INT32_MAX ? INT32_MAX : (uint32_t)limits->streams_max,
                              .control_frames_max =
                                  limits->control_frames_max > UINT32_MAX ? UINT32_MAX : (uint32_t)limits->control_frames_max,
                              .ping_interval_min_ms = limits->ping_interval_min_ms};
  Http2Connection *connection = memory_alloc(sizeof *connection);
  if (connection == NULL) return false;
  *connection = (Http2Connection){
      .connection = owner, .answer_guess = HTTP2_ANSWER_FIRST_GUESS, .http2 = http2_create(&http2_limits, &http2_events, connection)};
  if (connection->http2 == NULL) {
    memory_free(connection);
    return false;
  }
  owner->http2 = connection;
  owner->idle_ms = loop_now_ms(owner->server->loop);
  owner->stream->events = &stream_events;
  http1_parser_destroy(owner->parser);
  owner->parser = NULL;
  return true;
}

bool http2_connection_upgrade(Connection *owner, Str settings, Arena *arena, const Http2Head *head) {
  if (!http2_connection_begin(owner) || !http2_upgrade(owner->http2->http2, settings, arena, head)) return false;
  http2_connection_note_due(owner->http2);
  return true;
}

void http2_connection_end(Http2Connection *connection) {
  forget_due(connection);
  http2_exchanges_abandon(connection);
}

void http2_connection_destroy(Http2Connection *connection) {
  if (connection == NULL) return;
  http2_destroy(connection->http2);
  memory_free(connection);
}

/* ---- Timeouts ---- */

static bool is_due(uint64_t now_ms, uint64_t since_ms, uint32_t timeout_ms) {
  return now_ms >= since_ms && now_ms - since_ms >= timeout_ms;
}

static void sweep_body(Http2Exchange *exchange, uint64_t now_ms) {
  const HttpLimits *limits = &exchange->server->limits;
  uint64_t began_ms = (uint64_t)exchange->base.started_us / 1000;
  uint64_t clock_ms = (uint64_t)loop_monotonic_us(exchange->server->loop) / 1000;
  bool is_ours = exchange->untaken_bytes > 0; /* it may not send */
  bool is_stalled = !is_ours && !exchange->base.is_patient && is_due(now_ms, exchange->read_ms, limits->header_timeout_ms);
  bool is_late = exchange->mode == HTTP_BODY_BUFFERED && is_due(clock_ms, began_ms, limits->request_timeout_ms);
  if (!is_stalled && !is_late) return;
  exchange->is_end_told = true;
  if (exchange->mode == HTTP_BODY_BUFFERED)
    http2_exchange_refuse(exchange, 408, CODE_TIMEOUT, STR("The request's body came too slowly"));
  else if (exchange->base.on_body_end != NULL)
    exchange->base.on_body_end(&exchange->base, CODE_TIMEOUT);
}

static void sweep_deadline(Http2Exchange *exchange) {
  if (exchange->is_ended || !http_server_is_overdue(exchange->server, &exchange->base)) return;
  if (exchange->base.on_deadline != NULL) {
    exchange->base.on_deadline(&exchange->base);
  } else if (!exchange->base.is_answered) {
    exchange->is_end_told = true;
    http2_exchange_refuse(exchange, 503, CODE_TIMEOUT, STR("The time that the client gave is over"));
  }
}

static void sweep_exchange(Http2Exchange *exchange, uint64_t now_ms) {
  const HttpLimits *limits = &exchange->server->limits;
  if (exchange->stream == NULL || is_held(exchange)) return;
  sweep_deadline(exchange);
  if (exchange->stream == NULL) return;
  bool is_tunnel = exchange->base.tunnel_user != NULL;
  if (!exchange->is_end_told) {
    if (!is_tunnel && !exchange->is_request_whole && !must_wait(exchange) && !is_body_unwanted(exchange)) sweep_body(exchange, now_ms);
  } else if (exchange->is_owed && !exchange->base.is_answered) {
    if (is_due(now_ms, exchange->asked_ms, limits->request_timeout_ms))
      http2_exchange_refuse(exchange, 503, CODE_TIMEOUT, STR("The request took too long"));
  }
  /* A reader that does not read. */
  if (exchange->stream != NULL && http2_exchange_unsent(exchange) > 0 && is_due(now_ms, exchange->moved_ms, limits->idle_timeout_ms)) {
    exchange->moved_ms = now_ms;
    http2_reset(exchange->connection->http2, exchange->stream, HTTP2_CANCEL);
    http2_connection_note_due(exchange->connection);
  }
}

static void say_end(Http2Connection *connection) {
  if (connection->is_end_said) return;
  connection->is_end_said = true;
  http2_end(connection->http2);
  http2_connection_note_due(connection);
}

/* Requests that were on their way when the end was announced are still served: which were the last is said at the next sweep. */
static void sweep_drain(Http2Connection *connection) {
  if (connection->is_end_announced) {
    say_end(connection);
    return;
  }
  connection->is_end_announced = true;
  http2_announce_end(connection->http2);
  http2_connection_note_due(connection);
}

/* A stream that waits for its next event would wait for ever where its client is gone without a word (gRFC A8). What waits to be sent, or
 * keeps us from reading, has a time of its own. */
static void sweep_life(Http2Connection *connection, uint64_t now_ms) {
  Connection *owner = connection->connection;
  const HttpLimits *limits = &owner->server->limits;
  if (limits->ping_interval_ms == 0) return;
  bool is_quiet = connection->exchange_count > 0 && !connection->is_choked && stream_queued(owner->stream) == 0;
  if (!is_quiet || owner->read_ms >= connection->pinged_ms) connection->pinged_ms = 0;
  if (!is_quiet) return;
  if (connection->pinged_ms != 0) {
    if (is_due(now_ms, connection->pinged_ms, limits->ping_timeout_ms)) http_connection_close(owner);
  } else if (is_due(now_ms, owner->read_ms, limits->ping_interval_ms)) {
    connection->pinged_ms = now_ms;
    http2_ping(connection->http2);
    http2_connection_note_due(connection);
  }
}

void http2_connection_sweep(Http2Connection *connection, uint64_t now_ms) {
  Connection *owner = connection->connection;
  const HttpLimits *limits = &owner->server->limits;
  if (owner->is_finishing) return;
  if (owner->server->has_stopped_listening || http_connection_is_old(owner, now_ms)) sweep_drain(connection);
  if (http2_is_in_head(connection->http2) && is_due(now_ms, connection->head_ms, limits->header_timeout_ms)) {
    say_end(connection);
    connection->is_over = true;
    http2_connection_note_due(connection);
    return;
  }
  if (connection->exchange_count == 0 && is_due(now_ms, owner->idle_ms, limits->idle_timeout_ms)) {
    say_end(connection);
    return;
  }
  sweep_life(connection, now_ms);
  if (owner->is_closed) return;
  for (Http2Exchange *exchange = connection->exchanges, *next; exchange != NULL; exchange = next) {
    next = exchange->next;
    if (owner->server->has_stopped_listening) http_exchange_tell_drain(&exchange->base);
    sweep_exchange(exchange, now_ms);
    if (owner->is_closed) return;
  }
}
