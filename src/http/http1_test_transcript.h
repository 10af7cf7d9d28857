/* http1_test_transcript.h - for tests: what http1_parse says of some input that comes in pieces, as text. The pieces of a body are joined.
 */
#pragma once
#include "http/http1.h"

static inline void transcribe_head(Buf *out, const Http1Head *head) {
  const HttpRequest *request = &head->request;
  buf_printf(out, "%.*s(%d) %.*s path=%.*s", STR_ARGS(request->method_text), (int)request->method, STR_ARGS(request->target),
             STR_ARGS(request->path));
  if (request->query.ptr != NULL) buf_printf(out, " query=%.*s", STR_ARGS(request->query));
  buf_printf(out, " authority=%.*s version=%d", STR_ARGS(request->authority), request->version);
  if (head->has_body && head->is_chunked) buf_add(out, STR(" chunked"));
  if (head->has_body && !head->is_chunked) buf_printf(out, " length=%llu", (unsigned long long)head->body_bytes);
  if (head->expects_continue) buf_add(out, STR(" expects=continue"));
  if (head->expects_unknown) buf_add(out, STR(" expects=?"));
  buf_add(out, head->keeps_alive ? STR(" keep\n") : STR(" close\n"));
  for (size_t i = 0; i < request->header_count; i++) {
    buf_add(out, request->headers[i].name);
    buf_add_byte(out, '=');
    buf_add(out, request->headers[i].value);
    buf_add_byte(out, '\n');
  }
}

typedef struct Transcriber {
  Http1Parser *parser;
  Arena *arena;
  Buf *out;
  bool is_in_body, is_refused;
} Transcriber;

/* The piece is copied to the heap, so that a read behind its end is seen. */
static inline void transcribe_piece(Transcriber *t, Str piece) {
  char *copy = memory_alloc(piece.len + 1);
  if (piece.len > 0) memcpy(copy, piece.ptr, piece.len);
  Str input = {copy, piece.len};
  for (;;) {
    Http1Head head;
    Http1Event event = http1_parse(t->parser, &input, t->arena, &head);
    if (event.type == HTTP1_MORE) break;
    if (t->is_in_body && event.type != HTTP1_BODY) {
      buf_add(t->out, STR("]\n"));
      t->is_in_body = false;
    }
    if (event.type == HTTP1_BODY) {
      if (!t->is_in_body) buf_add_byte(t->out, '[');
      t->is_in_body = true;
      buf_add(t->out, event.bytes);
    } else if (event.type == HTTP1_HEAD) {
      transcribe_head(t->out, &head);
    } else if (event.type == HTTP1_END) {
      buf_add(t->out, STR("end\n"));
    } else {
      buf_printf(t->out, "refused %d\n", event.status);
      t->is_refused = true;
    }
  }
  memory_free(copy);
}

/* `piece_bytes` at a time; 0: all at once. */
static inline void http1_transcribe(const Http1Limits *limits, Str input, size_t piece_bytes, Arena *arena, Buf *out) {
  Transcriber t = {.parser = http1_parser_create(limits), .arena = arena, .out = out};
  if (piece_bytes == 0) piece_bytes = input.len;
  for (size_t at = 0; at < input.len; at += piece_bytes) transcribe_piece(&t, str_slice(input, at, at + piece_bytes));
  if (http1_parser_is_in_head(t.parser)) buf_add(out, STR("(in head)\n"));
  if (t.is_in_body) buf_add(out, STR("…\n"));
  http1_parser_destroy(t.parser);
}
