/* http1_exchange.c - HttpExchangeOps for HTTP/1: answers from handlers, in the order of the requests, and the exchange's end. */
#include <assert.h>

#include "http/exchange_end.h"
#include "http/flight.h"
#include "http/message.h"

static const HttpExchangeOps http1_exchange_ops;

static Http1Exchange *exchange_of(HttpExchange *exchange) { return (Http1Exchange *)exchange; }

static Arena *answer_arena(const Http1Exchange *exchange) {
  return exchange->base.refusal_arena != NULL ? exchange->base.refusal_arena : exchange->base.arena;
}

Http1Exchange *http1_exchange_create(Connection *connection, Arena *arena, const Http1Head *head) {
  HttpServer *server = connection->server;
  Http1Exchange *exchange = ARENA_NEW(arena, Http1Exchange);
  if (exchange == NULL) return NULL;
  exchange->base.ops = &http1_exchange_ops;
  exchange->base.request = head->request;
  if (!http_connection_describe(connection, arena, &exchange->base.request)) return NULL;
  exchange->base.arena = arena;
  exchange->base.loop = server->loop;
  exchange->base.server = server;
  exchange->base.bytes_in = head->head_bytes;
  exchange->base.started_us = loop_monotonic_us(server->loop);
  exchange->base.body_bytes_max = server->limits.body_bytes_max;
  exchange->base.body_option = STR("--body-max");
  exchange->server = server;
  exchange->connection = connection;
  exchange->body_bytes = head->body_bytes;
  exchange->has_body = head->has_body;
  exchange->is_chunked = head->is_chunked;
  exchange->expects_continue = head->expects_continue && head->has_body;
  exchange->expects_unknown = head->expects_unknown;
  exchange->keeps_alive = head->keeps_alive;
  exchange->is_body_whole = !head->has_body;
  /* RFC 9112 §9.3.2: only safe requests may be worked on in parallel. One with a body is not begun early either, so that its body is read
   * when it is wanted. */
  exchange->wants_upgrade = head->wants_upgrade;
  exchange->is_alone = head->has_body || head->wants_upgrade || !http_method_is_safe(head->request.method);
  if (connection->last == NULL) {
    connection->first = exchange;
  } else {
    connection->last->next = exchange;
  }
  connection->last = exchange;
  connection->exchange_count++;
  exchange->is_listed = true;
  server->exchange_count++;
  return exchange;
}

/* The end. */

void http1_exchange_finish(Http1Exchange *exchange) {
  exchange->is_listed = false;
  if (!exchange->is_owed) http_exchange_finish(&exchange->base);
}

void http1_exchange_cancel(Http1Exchange *exchange) {
  exchange->connection = NULL;
  exchange->is_listed = false;
  exchange->base.is_cancelled = true;
  if (!exchange->is_owed) {
    http_flight_leave(&exchange->base);
    http_exchange_release(&exchange->base);
  } else if (exchange->base.on_cancel != NULL) {
    exchange->base.on_cancel(&exchange->base);
  }
}

/* The handler has done its part, but nobody waits for it. */
static void drop_answer(Http1Exchange *exchange, int status) {
  if (!exchange->base.is_answered) {
    exchange->base.is_answered = true;
    exchange->base.status = status;
  }
  http_flight_leave(&exchange->base);
  bool was_owed = exchange->is_owed;
  exchange->is_owed = false;
  if (was_owed && !exchange->is_listed) http_exchange_release(&exchange->base);
}

/* Answers. */

static bool is_first(const Http1Exchange *exchange) { return exchange->connection->first == exchange; }
static bool is_unwanted(const Http1Exchange *exchange) { return exchange->connection == NULL || exchange->is_given_up; }

static void send_or_wait(Http1Exchange *exchange, Str bytes) {
  exchange->base.bytes_out += bytes.len;
  if (is_first(exchange)) {
    stream_write(exchange->connection->stream, bytes);
  } else {
    buf_add(&exchange->waiting, bytes);
  }
}

/* Whether the connection can serve another request behind this one: what is left of the body must be read first, which is worth it only
 * where it is short and sure to come. */
static bool can_keep_alive(const Http1Exchange *exchange) {
  if (!exchange->keeps_alive) return false;
  if (!exchange->is_body_whole) {
    bool is_short = !exchange->is_chunked && exchange->body_bytes - exchange->body_received <= HTTP_BODY_SKIPPED_MAX;
    if (!is_short || exchange->expects_continue) return false;
  }
  bool is_leaving =
      exchange->server->shared->is_draining || http_connection_is_old(exchange->connection, loop_now_ms(exchange->server->loop));
  return !is_leaving || http_connection_has_more(exchange->connection, exchange);
}

static void send_head(Http1Exchange *exchange, const HttpResponse *response) {
  HttpServer *server = exchange->server;
  exchange->base.is_answered = true;
  exchange->base.status = response->status;
  if (exchange->framing == HTTP1_UNTIL_CLOSE) exchange->keeps_alive = false;
  exchange->keeps_alive = can_keep_alive(exchange);
  if (!is_first(exchange)) exchange->waiting = buf_on(answer_arena(exchange), HTTP_EXCHANGE_BYTES_MAX);
  Http1Answer answer = {
      .response = response,
      .framing = exchange->framing,
      .version = exchange->base.request.version,
      .keeps_alive = exchange->keeps_alive,
      .date = http_server_date_line(server),
  };
  buf_clear(&server->scratch);
  http1_write_head(&server->scratch, &answer);
  send_or_wait(exchange, buf_str(&server->scratch));
  /* Without memory, or with a head beyond all measure, there is no answer. */
  if (server->scratch.failed != CODE_OK) exchange->is_cut = true;
}

static bool has_body_out(const Http1Exchange *exchange) {
  if (exchange->is_tunnel) return true;
  return exchange->base.request.method != HTTP_HEAD && http1_status_has_body(exchange->base.status);
}

static void end_answer(Http1Exchange *exchange) {
  exchange->is_whole = true;
  if (exchange->connection->tunnel == exchange) exchange->connection->tunnel = NULL;
  if (exchange->waiting.failed != CODE_OK) exchange->is_cut = true;
  if (exchange->is_cut) exchange->keeps_alive = false;
  if (exchange->connection->receiving == exchange) exchange->connection->receiving = NULL;
  if (exchange->connection->ready == exchange) exchange->connection->ready = NULL;
  if (is_first(exchange)) http_connection_advance(exchange->connection);
}

/* A body with trailers behind it goes in one chunk (RFC 9112 §7.1.2). */
static void answer_with_trailers(Http1Exchange *exchange, const HttpResponse *response) {
  Buf *scratch = &exchange->server->scratch;
  exchange->framing = HTTP1_CHUNKED;
  send_head(exchange, response);
  if (has_body_out(exchange) && !exchange->is_cut) {
    char size[20];
    if (response->body.len > 0) {
      send_or_wait(exchange, (Str){size, http1_write_chunk_size(response->body.len, size)});
      send_or_wait(exchange, response->body);
      send_or_wait(exchange, STR("\r\n"));
    }
    buf_clear(scratch);
    http1_write_chunked_end(scratch, response->trailers, response->trailer_count);
    send_or_wait(exchange, buf_str(scratch));
    if (scratch->failed != CODE_OK) exchange->is_cut = true;
  }
  end_answer(exchange);
}

static void answer(Http1Exchange *exchange, const HttpResponse *response) {
  if (response->trailer_count > 0 && exchange->base.request.version == 11) {
    answer_with_trailers(exchange, response);
    return;
  }
  exchange->framing = HTTP1_LENGTH;
  send_head(exchange, response);
  if (has_body_out(exchange) && response->body.len > 0) {
    exchange->base.bytes_out += response->body.len;
    if (is_first(exchange)) {
      stream_write(exchange->connection->stream, response->body);
    } else {
      exchange->waiting_body = response->body;
    }
  }
  end_answer(exchange);
}

static void exchange_respond(HttpExchange *base, const HttpResponse *response) {
  Http1Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) {
    drop_answer(exchange, response->status);
    return;
  }
  assert(!base->is_answered && "an exchange is answered once");
  exchange->is_owed = false;
  http_flight_leave(&exchange->base);
  answer(exchange, response);
}

static void exchange_begin(HttpExchange *base, const HttpResponse *head) {
  Http1Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) return;
  assert(!base->is_answered && "an exchange is answered once");
  exchange->is_tunnel = head->status == 101;
  exchange->framing = base->request.version == 11 && !exchange->is_tunnel ? HTTP1_CHUNKED : HTTP1_UNTIL_CLOSE;
  send_head(exchange, head);
  if (base->is_long) http_flight_leave(base);
  if (!exchange->is_tunnel) return;
  /* Nothing stands before it or behind it, as it is alone. */
  assert(exchange->wants_upgrade && is_first(exchange) && exchange->is_body_whole);
  exchange->connection->tunnel = exchange;
}

static bool exchange_write(HttpExchange *base, Str bytes) {
  Http1Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange) || exchange->is_cut || bytes.len == 0 || !has_body_out(exchange)) return true;
  assert(base->is_answered && !exchange->is_whole);
  if (exchange->framing == HTTP1_CHUNKED) {
    char size[20];
    send_or_wait(exchange, (Str){size, http1_write_chunk_size(bytes.len, size)});
  }
  send_or_wait(exchange, bytes);
  if (exchange->framing == HTTP1_CHUNKED) send_or_wait(exchange, STR("\r\n"));
  size_t queued = is_first(exchange) ? stream_queued(exchange->connection->stream) : exchange->waiting.len;
  exchange->wants_writable = queued >= HTTP_QUEUED_HIGH_BYTES;
  return !exchange->wants_writable;
}

static void exchange_end(HttpExchange *base, const HttpHeader *trailers, size_t trailer_count) {
  Http1Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) {
    drop_answer(exchange, base->status);
    return;
  }
  assert(base->is_answered && !exchange->is_whole);
  HttpServer *server = exchange->server;
  exchange->is_owed = false;
  http_flight_leave(&exchange->base);
  if (has_body_out(exchange) && exchange->framing == HTTP1_CHUNKED && !exchange->is_cut) {
    buf_clear(&server->scratch);
    http1_write_chunked_end(&server->scratch, trailers, trailer_count);
    send_or_wait(exchange, buf_str(&server->scratch));
    if (server->scratch.failed != CODE_OK) exchange->is_cut = true;
  }
  end_answer(exchange);
}

static void exchange_abort(HttpExchange *base) {
  Http1Exchange *exchange = exchange_of(base);
  if (is_unwanted(exchange)) {
    drop_answer(exchange, base->status);
    return;
  }
  assert(!exchange->is_whole);
  exchange->is_owed = false;
  http_flight_leave(&exchange->base);
  exchange->is_cut = true;
  end_answer(exchange);
}

static void exchange_read_more(HttpExchange *base) {
  Http1Exchange *exchange = exchange_of(base);
  if (exchange->connection != NULL) http_connection_resume_body(exchange->connection);
}

static size_t exchange_queued(const HttpExchange *base) {
  const Http1Exchange *exchange = (const Http1Exchange *)base;
  if (is_unwanted(exchange)) return 0;
  return is_first(exchange) ? stream_queued(exchange->connection->stream) : exchange->waiting.len;
}

static void exchange_bound(HttpExchange *base, int64_t timeout_us) { http_server_bound(exchange_of(base)->server, base, timeout_us); }

static void exchange_make_room(HttpExchange *base) {
  Http1Exchange *exchange = exchange_of(base);
  http_connection_give_up_body(exchange->connection, exchange, 503, CODE_UNAVAILABLE, HTTP_TOO_MANY_BODIES);
}

static const HttpExchangeOps http1_exchange_ops = {
    .respond = exchange_respond,
    .begin = exchange_begin,
    .write = exchange_write,
    .end = exchange_end,
    .abort = exchange_abort,
    .read_more = exchange_read_more,
    .queued = exchange_queued,
    .bound = exchange_bound,
    .make_room = exchange_make_room,
};

void http1_exchange_send_waiting(Http1Exchange *exchange) {
  Stream *stream = exchange->connection->stream;
  if (exchange->waiting.len > 0) stream_write(stream, buf_str(&exchange->waiting));
  if (exchange->waiting_body.len > 0) stream_write(stream, exchange->waiting_body);
  exchange->waiting.len = 0;
}

void http1_exchange_send_continue(Http1Exchange *exchange) {
  exchange->expects_continue = false;
  send_or_wait(exchange, STR("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* Refusals. */

void http1_exchange_refuse(Http1Exchange *exchange, int status, Code code, Str detail) {
  HttpResponse response;
  exchange->is_given_up = exchange->is_owed;
  if (!exchange->is_owed) http_flight_leave(&exchange->base);
  if (http_exchange_fill_refusal(&exchange->base, exchange->is_owed, status, code, detail, &response))
    answer(exchange, &response);
  else
    http_connection_close(exchange->connection);
}
