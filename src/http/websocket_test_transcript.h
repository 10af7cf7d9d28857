/* websocket_test_transcript.h - for tests and the fuzzer: what the core says of some input that comes in pieces, as text. */
#pragma once
#include "http/websocket.h"

static inline void websocket_transcribe_event(Buf *out, const WebSocketEvent *event) {
  static const char *const names[] = {"more", "text", "binary", "ping", "pong", "closed", "failed"};
  buf_printf(out, "%s", names[event->type]);
  if (event->code != 0) buf_printf(out, " %u", event->code);
  buf_printf(out, " [%.*s]\n", STR_ARGS(event->bytes));
}

/* In pieces of `piece_bytes`, each on the heap, so that a read behind its end is seen; 0: in one. */
static inline void websocket_transcribe(size_t message_bytes_max, Str input, size_t piece_bytes, Buf *out) {
  WebSocket *socket = websocket_create(message_bytes_max);
  if (socket == NULL) return;
  while (input.len > 0) {
    size_t len = piece_bytes == 0 || piece_bytes > input.len ? input.len : piece_bytes;
    char *copy = memory_alloc(len);
    if (copy == NULL) break;
    memcpy(copy, input.ptr, len);
    Str piece = {copy, len};
    WebSocketEvent event;
    while ((event = websocket_parse(socket, &piece)).type != WEBSOCKET_MORE) websocket_transcribe_event(out, &event);
    memory_free(copy);
    input = str_slice(input, len, input.len);
  }
  websocket_destroy(socket);
}

/* A client's frame (RFC 6455 §5.2): `first` is its first byte; masked where `mask` is there, 4 bytes. */
static inline void websocket_add_frame(Buf *out, unsigned first, const char *mask, Str payload) {
  size_t bytes = payload.len < 126 ? 0 : payload.len <= 0xffff ? 2 : 8;
  unsigned length = bytes == 0 ? (unsigned)payload.len : bytes == 2 ? 126 : 127;
  buf_add_byte(out, (char)first);
  buf_add_byte(out, (char)(length | (mask != NULL ? 0x80u : 0)));
  for (size_t i = bytes; i > 0; i--) buf_add_byte(out, (char)((uint64_t)payload.len >> (8 * (i - 1)) & 0xff));
  if (mask != NULL) buf_add(out, (Str){mask, 4});
  for (size_t i = 0; i < payload.len; i++) buf_add_byte(out, (char)(payload.ptr[i] ^ (mask != NULL ? mask[i % 4] : 0)));
}
