/* websocket.h - the WebSocket protocol (RFC 6455) as a server's sans-I/O core: bytes in, events out; messages in, bytes out. Knows no
 * sockets, no clock, no handshake. How the input is cut into pieces makes no difference. No extension is spoken. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { WEBSOCKET_CONTROL_BYTES_MAX = 125, WEBSOCKET_REASON_BYTES_MAX = 123 }; /* RFC 6455 §5.5 */

/* RFC 6455 §7.4.1: how a connection ends. 4000 to 4999 are the subprotocol's own. */
typedef enum WebSocketCode {
  WEBSOCKET_NORMAL = 1000,
  WEBSOCKET_GOING_AWAY = 1001,
  WEBSOCKET_PROTOCOL_ERROR = 1002,
  WEBSOCKET_UNSUPPORTED = 1003,
  WEBSOCKET_NO_STATUS = 1005, /* never on the wire: the close frame said nothing */
  WEBSOCKET_INVALID_TEXT = 1007,
  WEBSOCKET_POLICY = 1008,
  WEBSOCKET_TOO_LARGE = 1009,
  WEBSOCKET_INTERNAL = 1011,
} WebSocketCode;

typedef enum WebSocketEventType {
  WEBSOCKET_MORE = 0, /* all of the input was taken */
  WEBSOCKET_TEXT,     /* bytes: a whole message, valid UTF-8 */
  WEBSOCKET_BINARY,
  WEBSOCKET_PING, /* bytes: what the pong must say */
  WEBSOCKET_PONG,
  WEBSOCKET_CLOSED, /* code and bytes: what the peer says of it; the last event */
  WEBSOCKET_FAILED  /* code and bytes: what to close the connection with; the last event */
} WebSocketEventType;

typedef struct WebSocketEvent {
  WebSocketEventType type;
  uint16_t code;
  Str bytes; /* until the next call */
} WebSocketEvent;

typedef struct WebSocket WebSocket;

/* `message_bytes_max` bounds a message, all of its fragments together. NULL when memory is out. */
WebSocket *websocket_create(size_t message_bytes_max);
void websocket_destroy(WebSocket *socket); /* NULL is fine */
/* Takes bytes from *input and says what they mean, one event a call. Behind the last event everything is thrown away. */
WebSocketEvent websocket_parse(WebSocket *socket, Str *input);

/* Frames of a server, which are not masked. A message is one frame. */
void websocket_write_text(Buf *out, Str text);
void websocket_write_ping(Buf *out, Str bytes); /* at most WEBSOCKET_CONTROL_BYTES_MAX, as are a pong's */
void websocket_write_pong(Buf *out, Str bytes);
/* A reason that is too long is cut. NO_STATUS: a frame that says nothing. */
void websocket_write_close(Buf *out, uint16_t code, Str reason);
