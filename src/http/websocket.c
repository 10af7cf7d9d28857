/* websocket.c - frames are read byte by byte up to their header's end, their payload in runs. A data message is gathered on the heap, and
 * only as far as it has come: a header alone costs nothing, whatever length it names. */
#include "http/websocket.h"

#include <assert.h>

#include "base/utf8.h"

typedef enum Opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 } Opcode;

enum { HEADER_BYTES_MAX = 14, MASK_BYTES = 4, FIN = 0x80, RSV = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f };

struct WebSocket {
  unsigned char header[HEADER_BYTES_MAX];
  size_t header_len, header_wanted;
  uint64_t payload_len, payload_at;
  const unsigned char *mask; /* in the header */
  unsigned char control[WEBSOCKET_CONTROL_BYTES_MAX];
  Buf message;
  Opcode message_opcode; /* CONTINUATION: no message has begun */
  bool is_in_payload, is_over;
  bool is_given; /* the message was an event's, and is done with */
};

WebSocket *websocket_create(size_t message_bytes_max) {
  WebSocket *socket = memory_alloc(sizeof *socket);
  if (socket == NULL) return NULL;
  *socket = (WebSocket){.header_wanted = 2, .message = buf_on_heap(message_bytes_max)};
  return socket;
}

void websocket_destroy(WebSocket *socket) {
  if (socket == NULL) return;
  buf_done(&socket->message);
  memory_free(socket);
}

/* A connection that is silent holds no buffer. */
static void forget_message(WebSocket *socket) {
  size_t max = socket->message.max;
  buf_done(&socket->message);
  socket->message = buf_on_heap(max);
  socket->message_opcode = CONTINUATION;
  socket->is_given = false;
}

static WebSocketEvent fail(WebSocket *socket, uint16_t code, Str reason) {
  socket->is_over = true;
  return (WebSocketEvent){.type = WEBSOCKET_FAILED, .code = code, .bytes = reason};
}

static const WebSocketEvent none = {.type = WEBSOCKET_MORE};

/* ---- A frame's header (RFC 6455 §5.2) ---- */

static Opcode opcode_of(const WebSocket *socket) { return (Opcode)(socket->header[0] & OPCODE); }
static bool is_control(const WebSocket *socket) { return opcode_of(socket) >= CLOSE; }
static bool is_final(const WebSocket *socket) { return (socket->header[0] & FIN) != 0; }

static size_t length_bytes(const WebSocket *socket) {
  unsigned len = socket->header[1] & LENGTH;
  return len == 127 ? 8 : len == 126 ? 2 : 0;
}

/* The first two bytes. */
static WebSocketEvent check_start(WebSocket *socket) {
  Opcode opcode = opcode_of(socket);
  bool is_known = opcode <= BINARY || (opcode >= CLOSE && opcode <= PONG);
  if ((socket->header[0] & RSV) != 0) return fail(socket, WEBSOCKET_PROTOCOL_ERROR, STR("a reserved bit is set"));
  if (!is_known) return fail(socket, WEBSOCKET_PROTOCOL_ERROR, STR("the opcode is reserved"));
  if ((socket->header[1] & MASKED) == 0) return fail(socket, WEBSOCKET_PROTOCOL_ERROR, STR("a frame is not masked"));
  if (is_control(socket)) {
    if (!is_final(socket)) return fail(socket, WEBSOCKET_PROTOCOL_ERROR, STR("a control frame is fragmented"));
    if (length_bytes(socket) > 0) return fail(socket, WEBSOCKET_PROTOCOL_ERROR, STR("a control frame is too long"));
  } else if ((opcode == CONTINUATION) != (socket->message_opcode != CONTINUATION)) {
    return fail(socket, WEBSOCKET_PROTOCOL_ERROR,
                opcode == CONTINUATION ? STR("there is nothing to continue") : STR("the message before is not whole"));
  }
  socket->header_wanted = 2 + length_bytes(socket) + MASK_BYTES;
  return none;
}

static WebSocketEvent take_length(WebSocket *socket) {
  size_t bytes = length_bytes(socket);
  uint64_t len = bytes == 0 ? socket->header[1] & LENGTH : 0;
  for (size_t i = 0; i < bytes; i++) len = len << 8 | socket->header[2 + i];
  bool is_minimal = bytes == 0 || (bytes == 2 ? len > 125 : len > UINT16_MAX);
  if (!is_minimal || len > INT64_MAX) return fail(socket, WEBSOCKET_PROTOCOL_ERROR, STR("a frame's length is malformed"));
  if (!is_control(socket)) {
    if (len > socket->message.max - socket->message.len) return fail(socket, WEBSOCKET_TOO_LARGE, STR("the message is too large"));
    if (opcode_of(socket) != CONTINUATION) socket->message_opcode = opcode_of(socket);
  }
  socket->payload_len = len;
  socket->payload_at = 0;
  socket->mask = socket->header + 2 + bytes;
  socket->is_in_payload = true;
  return none;
}

static WebSocketEvent take_header(WebSocket *socket, Str *input) {
  while (input->len > 0 && socket->header_len < socket->header_wanted) {
    socket->header[socket->header_len++] = (unsigned char)input->ptr[0];
    *input = str_slice(*input, 1, input->len);
    if (socket->header_len != 2) continue;
    WebSocketEvent event = check_start(socket);
    if (event.type != WEBSOCKET_MORE) return event;
  }
  return socket->header_len < socket->header_wanted ? none : take_length(socket);
}

/* ---- Its payload ---- */

/* False: no memory. */
static bool take_payload(WebSocket *socket, Str *input) {
  uint64_t left = socket->payload_len - socket->payload_at;
  size_t len = left < input->len ? (size_t)left : input->len;
  char *out = (char *)socket->control + socket->payload_at;
  if (len == 0) return true;
  if (!is_control(socket)) {
    if (!buf_reserve(&socket->message, len)) return false;
    out = socket->message.ptr + socket->message.len;
    socket->message.len += len;
  }
  for (size_t i = 0; i < len; i++) out[i] = (char)((unsigned char)input->ptr[i] ^ socket->mask[(socket->payload_at + i) % MASK_BYTES]);
  socket->payload_at += len;
  *input = str_slice(*input, len, input->len);
  return true;
}

/* RFC 6455 §7.4 and IANA's registry of close codes; 1004 to 1006 and 1015 must not be sent. */
static bool is_code_valid(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static WebSocketEvent close_event(WebSocket *socket) {
  size_t len = (size_t)socket->payload_len;
  Str reason = {(const char *)socket->control + 2, len < 2 ? 0 : len - 2};
  uint16_t code = len < 2 ? WEBSOCKET_NO_STATUS : (uint16_t)((unsigned)socket->control[0] << 8 | socket->control[1]);
  if (len == 1 || (len >= 2 && !is_code_valid(code))) return fail(socket, WEBSOCKET_PROTOCOL_ERROR, STR("the close code is malformed"));
  if (!utf8_is_valid(reason)) return fail(socket, WEBSOCKET_INVALID_TEXT, STR("the close reason is not UTF-8"));
  socket->is_over = true;
  return (WebSocketEvent){.type = WEBSOCKET_CLOSED, .code = code, .bytes = reason};
}

static WebSocketEvent message_event(WebSocket *socket) {
  if (!is_final(socket)) return none;
  Str bytes = buf_str(&socket->message);
  bool is_text = socket->message_opcode == TEXT;
  /* §8.1: the whole of a message is UTF-8; a fragment may end within a character. */
  if (is_text && !utf8_is_valid(bytes)) return fail(socket, WEBSOCKET_INVALID_TEXT, STR("the message is not UTF-8"));
  socket->is_given = true;
  return (WebSocketEvent){.type = is_text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, .bytes = bytes};
}

static WebSocketEvent end_frame(WebSocket *socket) {
  socket->is_in_payload = false;
  socket->header_len = 0;
  socket->header_wanted = 2;
  Str payload = {(const char *)socket->control, is_control(socket) ? (size_t)socket->payload_len : 0};
  switch (opcode_of(socket)) {
    case CLOSE: return close_event(socket);
    case PING: return (WebSocketEvent){.type = WEBSOCKET_PING, .bytes = payload};
    case PONG: return (WebSocketEvent){.type = WEBSOCKET_PONG, .bytes = payload};
    default: return message_event(socket);
  }
}

WebSocketEvent websocket_parse(WebSocket *socket, Str *input) {
  if (socket->is_given) forget_message(socket);
  while (!socket->is_over) {
    WebSocketEvent event = none;
    if (!socket->is_in_payload) event = take_header(socket, input);
    if (event.type != WEBSOCKET_MORE) return event;
    if (!socket->is_in_payload) return none;
    if (!take_payload(socket, input)) return fail(socket, WEBSOCKET_INTERNAL, STR("out of memory"));
    if (socket->payload_at < socket->payload_len) return none;
    event = end_frame(socket);
    if (event.type != WEBSOCKET_MORE) return event;
  }
  input->len = 0;
  return none;
}

/* ---- Writing ---- */

static void write_frame(Buf *out, Opcode opcode, Str payload) {
  size_t bytes = payload.len < 126 ? 0 : payload.len <= UINT16_MAX ? 2 : 8;
  if (!buf_reserve(out, payload.len + 2 + bytes)) return;
  buf_add_byte(out, (char)(FIN | opcode));
  buf_add_byte(out, (char)(bytes == 0 ? payload.len : bytes == 2 ? 126 : 127));
  for (size_t i = bytes; i > 0; i--) buf_add_byte(out, (char)((uint64_t)payload.len >> (8 * (i - 1)) & 0xff));
  buf_add(out, payload);
}

void websocket_write_text(Buf *out, Str text) { write_frame(out, TEXT, text); }

void websocket_write_ping(Buf *out, Str bytes) {
  assert(bytes.len <= WEBSOCKET_CONTROL_BYTES_MAX);
  write_frame(out, PING, bytes);
}

void websocket_write_pong(Buf *out, Str bytes) {
  assert(bytes.len <= WEBSOCKET_CONTROL_BYTES_MAX);
  write_frame(out, PONG, bytes);
}

void websocket_write_close(Buf *out, uint16_t code, Str reason) {
  char payload[WEBSOCKET_CONTROL_BYTES_MAX];
  if (code == WEBSOCKET_NO_STATUS) {
    write_frame(out, CLOSE, (Str){payload, 0});
    return;
  }
  reason = utf8_cut(reason, WEBSOCKET_REASON_BYTES_MAX);
  payload[0] = (char)(code >> 8);
  payload[1] = (char)(code & 0xff);
  if (reason.len > 0) memcpy(payload + 2, reason.ptr, reason.len);
  write_frame(out, CLOSE, (Str){payload, reason.len + 2});
}
