/* http2_exchange.c - HttpExchangeOps for HTTP/2: answers from handlers wait here until flow control lets them out; and the exchange's end.
 */
#include <assert.h>

#include "http/exchange_end.h"
#include "http/flight.h"
#include "http/http2_connection.h"
#include "http/message.h"

static const HttpExchangeOps http2_exchange_ops;

static Http2Exchange *exchange_of(HttpExchange *exchange) { return (Http2Exchange *)exchange; }

Http2Exchange *http2_exchange_create(Http2Connection *connection, Http2Stream *stream, Arena *arena, const Http2Head *head) {
  HttpServer *server = connection->connection->server;
  Http2Exchange *exchange = ARENA_NEW(arena, Http2Exchange);
  if (exchange == NULL) return NULL;
  exchange->base.ops = &http2_exchange_ops;
  exchange->base.request = head->request;
  if (!http_connection_describe(connection->connection, arena, &exchange->base.request)) return NULL;
  exchange->base.arena = arena;
  exchange->base.loop = server->loop;
  exchange->base.server = server;
  exchange->base.bytes_in = head->head_bytes;
  exchange->base.started_us = loop_monotonic_us(server->loop);
  exchange->base.body_bytes_max = server->limits.body_bytes_max;
  exchange->base.body_option = STR("--body-max");
  exchange->server = server;
  exchange->connection = connection;
  exchange->stream = stream;
  exchange->urgency = head->urgency;
  exchange->body_length = head->body_bytes;
  exchange->has_body = head->has_body;
  exchange->has_length = head->has_length;
  exchange->expects_continue = head->expects_continue && head->has_body;
  exchange->read_ms = exchange->moved_ms = loop_now_ms(server->loop);
  exchange->pending = buf_on_heap(HTTP_EXCHANGE_BYTES_MAX);
  exchange->waiting = buf_on_heap(HTTP_EXCHANGE_BYTES_MAX);
  exchange->next = connection->exchanges;
  if (connection->exchanges != NULL) connection->exchanges->previous = exchange;
  connection->exchanges = exchange;
  connection->exchange_count++;
  server->exchange_count++;
  return exchange;
}

/* ---- The end ---- */

void http2_exchange_enqueue(Http2Exchange *exchange, Http2Queue *queue) {
  Http2Exchange *before = queue->last;
  if (before != NULL && before->urgency > exchange->urgency) {
    before = NULL;
    for (Http2Exchange *at = queue->first; at->urgency <= exchange->urgency; at = at->next_queued) before = at;
  }
  Http2Exchange **link = before == NULL ? &queue->first : &before->next_queued;
  exchange->queue = queue;
  exchange->next_queued = *link;
  *link = exchange;
  if (queue->last == before) queue->last = exchange;
}

void http2_exchange_dequeue(Http2Exchange *exchange) {
  Http2Queue *queue = exchange->queue;
  if (queue == NULL) return;
  Http2Exchange *before = NULL;
  for (Http2Exchange *at = queue->first; at != exchange; at = at->next_queued) before = at;
  *(before == NULL ? &queue->first : &before->next_queued) = exchange->next_queued;
  if (queue->last == exchange) queue->last = before;
  exchange->queue = NULL;
}

void http2_exchange_end_coming(Http2Exchange *exchange) {
  if (!exchange->is_coming) return;
  exchange->is_coming = false;
  http2_exchange_dequeue(exchange);
  exchange->connection->coming_count--;
}

void http2_exchange_end_work(Http2Exchange *exchange) {
  if (!exchange->is_begun) return;
  exchange->is_begun = false;
  if (exchange->connection == NULL) return;
  http2_exchange_end_coming(exchange);
  exchange->connection->begun_count--;
  http2_connection_note_due(exchange->connection);
}

static void exchange_forget(HttpExchange *base) {
  Http2Exchange *exchange = exchange_of(base);
  buf_done(&exchange->pending);
  buf_done(&exchange->waiting);
}

static size_t unsent_bytes(const Http2Exchange *exchange) { return exchange->body.len + exchange->waiting.len - exchange->waiting_at; }

static void unlink_exchange(Http2Exchange *exchange) {
  Http2Connection *connection = exchange->connection;
  if (connection == NULL) return;
  http2_exchange_end_work(exchange);
  exchange->connection = NULL;
  if (exchange->previous == NULL)
    connection->exchanges = exchange->next;
  else
    exchange->previous->next = exchange->next;
  if (exchange->next != NULL) exchange->next->previous = exchange->previous;
  exchange->next = exchange->previous = NULL;
  connection->exchange_count--;
  if (connection->exchange_count == 0) connection->connection->idle_ms = loop_now_ms(exchange->server->loop);
  http2_connection_note_due(connection);
}

/* A handler that still works for a stream that is gone keeps its place among those that work: else resets would buy new ones. */
void http2_exchange_leave(Http2Exchange *exchange, bool is_whole) {
  Http2Connection *connection = exchange->connection;
  assert(connection != NULL && "a stream is gone before its connection");
  http2_exchange_dequeue(exchange);
  connection->body_bytes -= exchange->counted_bytes;
  connection->untaken_bytes -= exchange->untaken_bytes;
  connection->answer_bytes -= unsent_bytes(exchange);
  if (exchange->wants_writable) connection->writable_count--;
  if (exchange->is_resuming) connection->resuming_count--;
  exchange->wants_writable = exchange->is_resuming = false;
  exchange->counted_bytes = exchange->untaken_bytes = 0;
  exchange->body = (Str){NULL, 0};
  exchange->waiting_at = exchange->waiting.len = 0;
  exchange->stream = NULL;
  exchange->base.is_cancelled = !is_whole;
  if (!exchange->is_owed) {
    http_flight_leave(&exchange->base);
    unlink_exchange(exchange);
    http_exchange_release(&exchange->base);
  } else if (!is_whole && exchange->base.on_cancel != NULL) {
    exchange->base.on_cancel(&exchange->base);
  }
}

void http2_exchanges_abandon(Http2Connection *connection) {
  while (connection->exchanges != NULL) {
    Http2Exchange *exchange = connection->exchanges;
    if (exchange->stream != NULL) http2_exchange_leave(exchange, false);
    unlink_exchange(exchange);
  }
}

/* The handler has done its part, but nobody waits for it. */
static void drop_answer(Http2Exchange *exchange, int status) {
  if (!exchange->base.is_answered) {
    exchange->base.is_answered = true;
    exchange->base.status = status;
  }
  http_flight_leave(&exchange->base);
  http2_exchange_end_work(exchange);
  bool was_owed = exchange->is_owed;
  exchange->is_owed = false;
  if (!was_owed || exchange->stream != NULL) return;
  unlink_exchange(exchange);
  http_exchange_release(&exchange->base);
}

/* ---- Answers ---- */

static bool is_unwanted(const Http2Exchange *exchange) { return exchange->stream == NULL || exchange->is_given_up; }

static bool has_body_out(const Http2Exchange *exchange) {
  return exchange->base.request.method != HTTP_HEAD && http1_status_has_body(exchange->base.status);
}

static void reset(Http2Exchange *exchange, Http2Reset why) {
  http2_reset(exchange->connection->http2, exchange->stream, why);
  http2_connection_note_due(exchange->connection);
}

static void send_head(Http2Exchange *exchange, const HttpResponse *response, bool has_length, bool has_body) {
  Str line = http_server_date_line(exchange->server);
  Str date = str_trim(str_slice(line, sizeof "date: " - 1, line.len));
  exchange->base.is_answered = true;
  exchange->base.status = response->status;
  for (size_t i = 0; i < response->header_count; i++)
    exchange->base.bytes_out += response->headers[i].name.len + response->headers[i].value.len;
  /* Without memory there is no answer. */
  if (!http2_respond(exchange->connection->http2, exchange->stream, response, date, has_length, has_body && has_body_out(exchange)))
    reset(exchange, HTTP2_INTERNAL_ERROR);
  http2_connection_note_due(exchange->connection);
}

static void answer(Http2Exchange *exchange, const HttpResponse *response) {
  exchange->is_ended = true;
  exchange->moved_ms = loop_now_ms(exchange->server->loop);
  exchange->base.status = response->status;
  bool has_trailers = response->trailer_count > 0;
  send_head(exchange, response, !has_trailers && http1_status_has_body(response->status), has_trailers || response->body.len > 0);
  if (!has_body_out(exchange)) return;
  exchange->body = response->body;
  exchange->trailers = response->trailers; /* which live as long as the body does */
  exchange->trailer_count = response->trailer_count;
  exchange->base.bytes_out += response->body.len;
  exchange->connection->answer_bytes += response->body.len;
}

/* The largest of the last answers, fading: how many more may be begun depends on it. */
static void learn_size(Http2Exchange *exchange, size_t bytes) {
  Http2Connection *connection = exchange->connection;
  if (connection == NULL) return;
  size_t faded = connection->answer_guess - connection->answer_guess / 8;
  connection->answer_guess = bytes > faded ? bytes : faded;
}

static void end_part(Http2Exchange *exchange) {
  exchange->is_owed = false;
  http_flight_leave(&exchange->base);
  http2_exchange_end_work(exchange);
}

static void exchange_respond(HttpExchange *base, const HttpResponse *response) {
  Http2Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) {
    learn_size(exchange, response->body.len);
    drop_answer(exchange, response->status);
    return;
  }
  assert(!base->is_answered && "an exchange is answered once");
  end_part(exchange);
  learn_size(exchange, response->body.len);
  answer(exchange, response);
}

/* What is streamed is bounded by itself, and may take as long as it likes: it does not count among those that work. */
static void exchange_begin(HttpExchange *base, const HttpResponse *head) {
  Http2Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) return;
  assert(!base->is_answered && "an exchange is answered once");
  base->status = head->status;
  send_head(exchange, head, false, true);
  if (base->is_long) http_flight_leave(base);
  http2_exchange_end_work(exchange);
}

static void resume(Http2Exchange *exchange) {
  http2_resume(exchange->connection->http2, exchange->stream);
  http2_connection_note_due(exchange->connection);
}

static void compact_waiting(Http2Exchange *exchange) {
  Buf *waiting = &exchange->waiting;
  if (exchange->waiting_at < HTTP2_WAITING_LOW_BYTES) return;
  memmove(waiting->ptr, waiting->ptr + exchange->waiting_at, waiting->len - exchange->waiting_at);
  waiting->len -= exchange->waiting_at;
  exchange->waiting_at = 0;
}

static bool exchange_write(HttpExchange *base, Str bytes) {
  Http2Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange) || bytes.len == 0 || !has_body_out(exchange)) return true;
  assert(base->is_answered && !exchange->is_ended);
  if (unsent_bytes(exchange) == 0) exchange->moved_ms = loop_now_ms(exchange->server->loop);
  compact_waiting(exchange);
  buf_add(&exchange->waiting, bytes);
  if (exchange->waiting.failed != CODE_OK) {
    reset(exchange, HTTP2_INTERNAL_ERROR);
    return true;
  }
  base->bytes_out += bytes.len;
  exchange->connection->answer_bytes += bytes.len;
  resume(exchange);
  bool is_full = unsent_bytes(exchange) >= HTTP2_WAITING_HIGH_BYTES;
  if (is_full && !exchange->wants_writable) {
    exchange->wants_writable = true;
    exchange->connection->writable_count++;
  }
  return !is_full;
}

/* Trailers are copied: they may lie on the caller's stack. */
static bool keep_trailers(Http2Exchange *exchange, const HttpHeader *trailers, size_t count) {
  if (count == 0) return true;
  HttpHeader *kept = ARENA_ARRAY(exchange->base.arena, HttpHeader, count);
  for (size_t i = 0; kept != NULL && i < count; i++) {
    kept[i] = (HttpHeader){arena_str(exchange->base.arena, trailers[i].name), arena_str(exchange->base.arena, trailers[i].value)};
    if (kept[i].name.ptr == NULL || kept[i].value.ptr == NULL) return false;
  }
  exchange->trailers = kept;
  exchange->trailer_count = count;
  return kept != NULL;
}

static void exchange_end(HttpExchange *base, const HttpHeader *trailers, size_t trailer_count) {
  Http2Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) {
    drop_answer(exchange, base->status);
    return;
  }
  assert(base->is_answered && !exchange->is_ended);
  end_part(exchange);
  exchange->is_ended = true;
  if (!has_body_out(exchange)) return;
  if (keep_trailers(exchange, trailers, trailer_count))
    resume(exchange);
  else
    reset(exchange, HTTP2_INTERNAL_ERROR);
}

static void exchange_abort(HttpExchange *base) {
  Http2Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) {
    drop_answer(exchange, base->status);
    return;
  }
  end_part(exchange);
  exchange->is_ended = base->is_answered = true;
  reset(exchange, HTTP2_INTERNAL_ERROR);
}

static void exchange_read_more(HttpExchange *base) {
  Http2Exchange *exchange = exchange_of(base);
  if (exchange->stream == NULL || !exchange->is_paused || exchange->is_resuming) return;
  exchange->is_resuming = true;
  exchange->connection->resuming_count++;
  http2_connection_note_due(exchange->connection);
}

static size_t exchange_queued(const HttpExchange *base) { return unsent_bytes((const Http2Exchange *)base); }

static void exchange_bound(HttpExchange *base, int64_t timeout_us) { http_server_bound(exchange_of(base)->server, base, timeout_us); }

static void exchange_make_room(HttpExchange *base) {
  Http2Exchange *exchange = exchange_of(base);
  exchange->is_end_told = true;
  http2_exchange_refuse(exchange, 503, CODE_UNAVAILABLE, HTTP_TOO_MANY_BODIES);
}

static const HttpExchangeOps http2_exchange_ops = {
    .respond = exchange_respond,
    .begin = exchange_begin,
    .write = exchange_write,
    .end = exchange_end,
    .abort = exchange_abort,
    .read_more = exchange_read_more,
    .queued = exchange_queued,
    .bound = exchange_bound,
    .forget = exchange_forget,
    .make_room = exchange_make_room,
};

static size_t pull_body(Http2Exchange *exchange, char *out, size_t room) {
  size_t len = exchange->body.len < room ? exchange->body.len : room;
  if (len > 0) memcpy(out, exchange->body.ptr, len);
  exchange->body = str_slice(exchange->body, len, exchange->body.len);
  return len;
}

static size_t pull_waiting(Http2Exchange *exchange, char *out, size_t room) {
  size_t left = exchange->waiting.len - exchange->waiting_at;
  size_t len = left < room ? left : room;
  if (len == 0) return 0;
  memcpy(out, exchange->waiting.ptr + exchange->waiting_at, len);
  exchange->waiting_at += len;
  if (len < left) return len;
  /* A stream that waits for its next event holds no buffer. */
  exchange->waiting_at = 0;
  buf_done(&exchange->waiting);
  exchange->waiting = buf_on_heap(HTTP_EXCHANGE_BYTES_MAX);
  return len;
}

size_t http2_exchange_pull(Http2Exchange *exchange, char *out, size_t room, Http2Pulled *ret) {
  size_t len = exchange->body.len > 0 ? pull_body(exchange, out, room) : pull_waiting(exchange, out, room);
  exchange->connection->answer_bytes -= len;
  if (len > 0) exchange->moved_ms = loop_now_ms(exchange->server->loop);
  ret->is_end = exchange->is_ended && unsent_bytes(exchange) == 0;
  ret->trailers = exchange->trailers;
  ret->trailer_count = exchange->trailer_count;
  return len;
}

size_t http2_exchange_unsent(const Http2Exchange *exchange) { return unsent_bytes(exchange); }

/* ---- Refusals ---- */

void http2_exchange_refuse(Http2Exchange *exchange, int status, Code code, Str detail) {
  HttpResponse response;
  exchange->is_given_up = exchange->is_owed;
  if (!exchange->is_owed) {
    http_flight_leave(&exchange->base);
    http2_exchange_end_work(exchange);
  }
  if (http_exchange_fill_refusal(&exchange->base, exchange->is_owed, status, code, detail, &response))
    answer(exchange, &response);
  else
    reset(exchange, HTTP2_INTERNAL_ERROR);
}
