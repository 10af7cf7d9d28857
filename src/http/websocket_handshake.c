/* websocket_handshake.c - the fields of the handshake. */
#include "http/websocket_handshake.h"

#include "codec/base64.h"
#include "codec/sha1.h"
#include "http/message.h"

enum { KEY_BYTES = 16, KEY_TEXT_BYTES = 24, ACCEPT_HEADERS_MAX = 3 };

static const Str WEBSOCKET_GUID = STR_INIT("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455 §1.3 */

bool websocket_is_asked(const HttpRequest *request) {
  if (request->version == 20) return str_equal_ignore_case(request->protocol, STR("websocket"));
  return request->method == HTTP_GET && request->version == 11 && http_request_lists(request, STR("upgrade"), STR("websocket")) &&
         http_request_lists(request, STR("connection"), STR("upgrade"));
}

int websocket_check(const HttpRequest *request, Str *ret_detail) {
  if (!str_equal(http_request_header(request, STR("sec-websocket-version")), STR("13")) ||
      http_request_count(request, STR("sec-websocket-version")) != 1) {
    *ret_detail = STR("Sec-WebSocket-Version must be 13");
    return 426;
  }
  if (request->version == 20) return 0;
  /* §4.2.1: 16 bytes in base64. */
  Str key = http_request_header(request, STR("sec-websocket-key"));
  char bytes[KEY_TEXT_BYTES];
  size_t len = 0;
  if (http_request_count(request, STR("sec-websocket-key")) == 1 && key.len == KEY_TEXT_BYTES && base64_decode(key, bytes, &len) &&
      len == KEY_BYTES)
    return 0;
  *ret_detail = STR("Sec-WebSocket-Key must be 16 bytes in base64");
  return 400;
}

/* Subprotocols' names are case-sensitive, and a list may stand in several fields. */
bool websocket_offers(const HttpRequest *request, Str protocol) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (!str_equal(request->headers[i].name, STR("sec-websocket-protocol"))) continue;
    Str rest = request->headers[i].value, offered;
    while (http_list_next(&rest, &offered)) {
      if (str_equal(offered, protocol)) return true;
    }
  }
  return false;
}

static bool accept_key(const HttpRequest *request, Arena *arena, Str *ret) {
  unsigned char digest[SHA1_BYTES];
  Str joined = arena_printf(arena, "%.*s%.*s", STR_ARGS(http_request_header(request, STR("sec-websocket-key"))), STR_ARGS(WEBSOCKET_GUID));
  if (joined.ptr == NULL || !sha1(joined, digest)) return false;
  Buf out = buf_on(arena, 64);
  base64_write(&out, (Str){(const char *)digest, sizeof digest});
  *ret = buf_str(&out);
  return out.failed == CODE_OK;
}

bool websocket_accept(const HttpRequest *request, Str protocol, Arena *arena, HttpResponse *ret) {
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, ACCEPT_HEADERS_MAX);
  size_t count = 0;
  if (headers == NULL) return false;
  if (protocol.len > 0) headers[count++] = (HttpHeader){STR("sec-websocket-protocol"), protocol};
  *ret = (HttpResponse){.status = 200, .headers = headers, .header_count = count, .body = STR("")};
  if (request->version == 20) return true;
  Str accepted;
  if (!accept_key(request, arena, &accepted)) return false;
  headers[count++] = (HttpHeader){STR("upgrade"), STR("websocket")};
  headers[count++] = (HttpHeader){STR("sec-websocket-accept"), accepted};
  ret->status = 101;
  ret->header_count = count;
  return true;
}
