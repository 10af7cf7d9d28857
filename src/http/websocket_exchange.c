/* websocket_exchange.c - the core's events become calls of the handler; what is answered without asking it is answered here. Life: open,
 * then closing (our close frame is out; the peer has a little while to send its own, RFC 6455 §7.1.1), then gone. The handler knows only of
 * the first. */
#include "http/websocket_exchange.h"

#include "base/memory.h"

enum {
  CLOSE_WAIT_MS = 2000,
  QUEUED_HIGH_BYTES = 256 * 1024, /* above it nothing more is read */
  PURSE_SECONDS = 10,             /* an empty purse is full again after so long */
  FRAME_OVERHEAD_BYTES = 64,
};

struct WebSocketExchange {
  HttpExchange *exchange;
  WebSocket *core;
  LoopTimer *timer;
  WebSocketOptions options;
  const WebSocketHandler *handler;
  void *context;
  Buf out;           /* of this call; on the heap, empty in between */
  uint64_t purse_us; /* control frames are paid from it: each costs its share of PURSE_SECONDS */
  uint64_t purse_filled_ms;
  Str pong; /* RFC 6455 §5.5.3: of several pings only the last one is answered */
  char pong_bytes[WEBSOCKET_CONTROL_BYTES_MAX];
  bool has_pong;
  bool is_closing; /* our close frame is out; the handler knows */
  bool is_heard;   /* since the last ping */
  bool is_full, is_reading_paused;
  bool is_broken; /* a message could not be sent for lack of memory */
  bool is_gone;
};

/* ---- The end ---- */

/* The exchange may go at the end of the turn, and this with it. */
static void end(WebSocketExchange *socket, bool is_clean) {
  if (socket->is_gone) return;
  socket->is_gone = true;
  HttpExchange *exchange = socket->exchange;
  exchange->on_body = NULL;
  exchange->on_body_end = NULL;
  exchange->on_writable = exchange->on_cancel = exchange->on_drain = NULL;
  loop_timer_destroy(socket->timer);
  websocket_destroy(socket->core);
  buf_done(&socket->out);
  if (is_clean)
    http_end(exchange, NULL, 0);
  else
    http_abort(exchange);
}

static void tell_closed(WebSocketExchange *socket) {
  if (socket->is_closing) return;
  socket->is_closing = true;
  socket->handler->closed(socket->context);
}

/* ---- Sending ---- */

static void flush(WebSocketExchange *socket) {
  size_t max = socket->out.max;
  if (socket->out.failed != CODE_OK) {
    /* What is missing would not be noticed: the connection ends, though not within a call of the handler's. */
    socket->is_broken = true;
    loop_timer_start(socket->timer, 0, 0);
  } else if (socket->out.len > 0) {
    (void)http_write(socket->exchange, buf_str(&socket->out));
  }
  buf_done(&socket->out);
  socket->out = buf_on_heap(max);
}

static void send_close(WebSocketExchange *socket, uint16_t code, Str reason) {
  websocket_write_close(&socket->out, code, reason);
  flush(socket);
  loop_timer_start(socket->timer, CLOSE_WAIT_MS, 0);
}

/* By us: the peer's own close frame is waited for, for a little while. */
static void close_with(WebSocketExchange *socket, uint16_t code, Str reason) {
  if (socket->is_closing) return;
  send_close(socket, code, reason);
  tell_closed(socket);
}

void websocket_exchange_close(WebSocketExchange *socket, uint16_t code, Str reason) { close_with(socket, code, reason); }

bool websocket_exchange_is_full(const WebSocketExchange *socket) { return http_queued(socket->exchange) >= QUEUED_HIGH_BYTES; }

bool websocket_exchange_send(WebSocketExchange *socket, Str text) {
  if (socket->is_closing || socket->is_broken) return true;
  if (http_queued(socket->exchange) + text.len + FRAME_OVERHEAD_BYTES > socket->options.queued_bytes_max + QUEUED_HIGH_BYTES) {
    close_with(socket, WEBSOCKET_POLICY, STR("too much waits to be read"));
    return true;
  }
  websocket_write_text(&socket->out, text);
  flush(socket);
  socket->is_full = websocket_exchange_is_full(socket);
  return !socket->is_full;
}

/* ---- Receiving ---- */

static bool pay_control_frame(WebSocketExchange *socket) {
  uint64_t now_ms = loop_now_ms(socket->exchange->loop), whole = (uint64_t)PURSE_SECONDS * 1000000;
  uint64_t price = whole / socket->options.control_frames_max;
  socket->purse_us += (now_ms - socket->purse_filled_ms) * 1000;
  if (socket->purse_us > whole) socket->purse_us = whole;
  socket->purse_filled_ms = now_ms;
  if (socket->purse_us < price) return false;
  socket->purse_us -= price;
  return true;
}

static void take_control(WebSocketExchange *socket, const WebSocketEvent *event) {
  if (!pay_control_frame(socket)) {
    close_with(socket, WEBSOCKET_POLICY, STR("too many pings"));
    return;
  }
  if (event->type != WEBSOCKET_PING) return;
  memcpy(socket->pong_bytes, event->bytes.ptr, event->bytes.len);
  socket->pong = (Str){socket->pong_bytes, event->bytes.len};
  socket->has_pong = true;
}

static void take_event(WebSocketExchange *socket, const WebSocketEvent *event) {
  switch (event->type) {
    case WEBSOCKET_TEXT: socket->handler->text(socket->context, event->bytes); break;
    case WEBSOCKET_BINARY: close_with(socket, WEBSOCKET_UNSUPPORTED, STR("messages are text")); break;
    case WEBSOCKET_PING:
    case WEBSOCKET_PONG: take_control(socket, event); break;
    case WEBSOCKET_FAILED: close_with(socket, event->code, event->bytes); break;
    case WEBSOCKET_CLOSED:
      /* §5.5.1: answered with its own code, after which the server ends the connection. */
      send_close(socket, event->code, (Str){NULL, 0});
      tell_closed(socket);
      break;
    case WEBSOCKET_MORE: break;
  }
}

static bool on_body(HttpExchange *exchange, Str bytes) {
  WebSocketExchange *socket = exchange->tunnel_user;
  socket->is_heard = true;
  WebSocketEvent event;
  do {
    event = websocket_parse(socket->core, &bytes);
    /* Behind our close frame only the peer's counts. */
    bool is_last = event.type == WEBSOCKET_CLOSED || event.type == WEBSOCKET_FAILED;
    bool was_closing = socket->is_closing;
    if (!was_closing) take_event(socket, &event);
    if (is_last && (was_closing || event.type == WEBSOCKET_CLOSED)) {
      end(socket, true);
      return true;
    }
  } while (event.type != WEBSOCKET_MORE);
  if (socket->has_pong && !socket->is_closing) websocket_write_pong(&socket->out, socket->pong);
  socket->has_pong = false;
  flush(socket);
  socket->is_reading_paused = !socket->is_closing && websocket_exchange_is_full(socket);
  if (socket->is_reading_paused) socket->is_full = true;
  return !socket->is_reading_paused;
}

static void on_body_end(HttpExchange *exchange, Code code) {
  (void)code;
  WebSocketExchange *socket = exchange->tunnel_user;
  tell_closed(socket);
  end(socket, true);
}

static void on_cancel(HttpExchange *exchange) {
  WebSocketExchange *socket = exchange->tunnel_user;
  tell_closed(socket);
  end(socket, false);
}

static void on_writable(HttpExchange *exchange) {
  WebSocketExchange *socket = exchange->tunnel_user;
  if (socket->is_reading_paused) {
    socket->is_reading_paused = false;
    http_read_more(exchange);
  }
  if (!socket->is_full || socket->is_closing) return;
  socket->is_full = false;
  socket->handler->writable(socket->context);
}

static void on_drain(HttpExchange *exchange) {
  WebSocketExchange *socket = exchange->tunnel_user;
  if (!socket->is_closing) socket->handler->drain(socket->context);
}

static void on_timer(void *context) {
  WebSocketExchange *socket = context;
  if (socket->is_closing && !socket->is_broken) {
    end(socket, true);
  } else if (socket->is_broken || (!socket->is_heard && !socket->is_reading_paused)) {
    tell_closed(socket);
    end(socket, false);
  } else {
    socket->is_heard = false;
    websocket_write_ping(&socket->out, STR(""));
    flush(socket);
  }
}

/* ---- Making ---- */

WebSocketExchange *websocket_exchange_open(HttpExchange *exchange, const WebSocketOptions *options, const WebSocketHandler *handler,
                                           void *context) {
  WebSocketExchange *socket = ARENA_NEW(exchange->arena, WebSocketExchange);
  WebSocket *core = socket == NULL ? NULL : websocket_create(options->message_bytes_max);
  LoopTimer *timer = NULL;
  if (core == NULL || loop_timer_create(exchange->loop, on_timer, socket, &timer, NULL) != CODE_OK) {
    websocket_destroy(core);
    http_abort(exchange);
    return NULL;
  }
  uint64_t now_ms = loop_now_ms(exchange->loop);
  *socket = (WebSocketExchange){.exchange = exchange,
                                .core = core,
                                .timer = timer,
                                .options = *options,
                                .handler = handler,
                                .context = context,
                                .out = buf_on_heap(SIZE_MAX / 2),
                                .purse_us = (uint64_t)PURSE_SECONDS * 1000000,
                                .purse_filled_ms = now_ms,
                                .is_heard = true};
  loop_timer_start(timer, options->ping_ms, options->ping_ms);
  exchange->tunnel_user = socket;
  exchange->on_body = on_body;
  exchange->on_body_end = on_body_end;
  exchange->on_writable = on_writable;
  exchange->on_cancel = on_cancel;
  exchange->on_drain = on_drain;
  return socket;
}
