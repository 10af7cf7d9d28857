/* websocket_handshake.h - how a request becomes a WebSocket: RFC 6455 §4.2 over HTTP/1.1, RFC 8441 over HTTP/2. Thread-safe. */
#pragma once
#include <stdbool.h>

#include "http/exchange.h"

/* The request is one for a WebSocket, well-formed or not. */
bool websocket_is_asked(const HttpRequest *request);
/* 0 where it can be accepted; else the status that refuses it, with the reason: 400, or 426 for a version that is not ours (then the
 * answer says `sec-websocket-version: 13`). */
int websocket_check(const HttpRequest *request, Str *ret_detail);
/* The client offers this subprotocol. */
bool websocket_offers(const HttpRequest *request, Str protocol);
/* The head that accepts a request that was checked: 101, or 200 over HTTP/2. `protocol`: the subprotocol, len 0: none. False without
 * memory. */
bool websocket_accept(const HttpRequest *request, Str protocol, Arena *arena, HttpResponse *ret) MUST_USE;
