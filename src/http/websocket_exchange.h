/* websocket_exchange.h - a WebSocket laid over an exchange whose answer has begun: messages both ways, ping and pong, an end in good order.
 * On the exchange's loop. Bounds: a message, what waits to be sent, control frames; a peer that is silent is asked whether it lives. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/exchange.h"
#include "http/websocket.h"

typedef struct WebSocketOptions {
  size_t message_bytes_max;    /* of a message that comes: 1009 */
  size_t queued_bytes_max;     /* of what the peer does not take: 1008 */
  uint32_t control_frames_max; /* pings and pongs at once, a tenth of them a second for long: 1008 */
  uint32_t ping_ms;            /* between two pings; who says nothing in between is gone */
} WebSocketOptions;

typedef struct WebSocketExchange WebSocketExchange;

typedef struct WebSocketHandler {
  void (*text)(void *context, Str text);
  void (*writable)(void *context); /* after a send that returned false */
  void (*drain)(void *context);    /* the server is being stopped */
  /* The last call, exactly once, also from within websocket_exchange_close: the WebSocket must not be named any more. What lies in the
   * exchange's arena lives until the turn ends. */
  void (*closed)(void *context);
} WebSocketHandler;

/* Takes the exchange over, which has been begun. NULL when memory is out: then the exchange is aborted. */
WebSocketExchange *websocket_exchange_open(HttpExchange *exchange, const WebSocketOptions *options, const WebSocketHandler *handler,
                                           void *context);
/* Copies. False: enough waits already; may be called nevertheless, up to queued_bytes_max. */
bool websocket_exchange_send(WebSocketExchange *socket, Str text);
/* Whether a send would return false. */
bool websocket_exchange_is_full(const WebSocketExchange *socket);
void websocket_exchange_close(WebSocketExchange *socket, uint16_t code, Str reason);
