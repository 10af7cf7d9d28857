/* http2_test_transcript.h - for tests and the fuzzer: what the core says of some input, as text. Nothing is sent while input comes, so that
 * how the input is cut into pieces makes no difference. */
#pragma once
#include "base/buf.h"
#include "http/http2.h"

typedef struct Http2Transcript {
  Buf *out;
  Http2 *http2;
  const HttpResponse *response; /* given to each request that is whole; NULL: none */
  Str body;                     /* of the answer */
  const HttpHeader *trailers;
  size_t trailer_count;
  int arena_count; /* acquired and not released */
  struct TranscriptRequest *requests;
} Http2Transcript;

/* A request, on its own arena. */
typedef struct TranscriptRequest {
  Http2Stream *stream;
  Arena *arena;
  Str path;
  size_t body_bytes;
  Str left; /* of the answer's body */
  struct TranscriptRequest *next;
} TranscriptRequest;

static inline Arena *transcript_arena_acquire(void *context) {
  Http2Transcript *t = context;
  Arena *arena = arena_create(0);
  if (arena != NULL) t->arena_count++;
  return arena;
}

static inline void transcript_arena_release(void *context, Arena *arena) {
  Http2Transcript *t = context;
  t->arena_count--;
  arena_destroy(arena);
}

static inline void *transcript_head(void *context, Http2Stream *stream, Arena *arena, const Http2Head *head) {
  Http2Transcript *t = context;
  TranscriptRequest *request = ARENA_NEW(arena, TranscriptRequest);
  if (request == NULL) return NULL;
  *request = (TranscriptRequest){.stream = stream, .arena = arena, .path = head->request.path, .left = t->body, .next = t->requests};
  t->requests = request;
  buf_printf(t->out, "head %.*s %.*s", STR_ARGS(head->request.method_text), STR_ARGS(head->request.target));
  if (head->request.authority.ptr != NULL) buf_printf(t->out, " at %.*s", STR_ARGS(head->request.authority));
  for (size_t i = 0; i < head->request.header_count; i++)
    buf_printf(t->out, " %.*s=%.*s", STR_ARGS(head->request.headers[i].name), STR_ARGS(head->request.headers[i].value));
  if (head->has_body) buf_add(t->out, STR(" +body"));
  if (head->refused_status != 0) buf_printf(t->out, " refused %d", head->refused_status);
  buf_add_byte(t->out, '\n');
  return request;
}

static inline void transcript_body(void *context, void *user, Str bytes) {
  Http2Transcript *t = context;
  TranscriptRequest *request = user;
  request->body_bytes += bytes.len;
  http2_take_of_stream(t->http2, request->stream, bytes.len);
  http2_take_of_connection(t->http2, bytes.len);
}

static inline void transcript_end(void *context, void *user) {
  Http2Transcript *t = context;
  TranscriptRequest *request = user;
  buf_printf(t->out, "end %.*s of %zu\n", STR_ARGS(request->path), request->body_bytes);
  if (t->response != NULL && !http2_respond(t->http2, request->stream, t->response, STR("now"), true, t->body.len > 0))
    http2_reset(t->http2, request->stream, HTTP2_INTERNAL_ERROR);
}

static inline size_t transcript_pull(void *context, void *user, char *out, size_t room, Http2Pulled *ret) {
  Http2Transcript *t = context;
  TranscriptRequest *request = user;
  size_t len = request->left.len < room ? request->left.len : room;
  memcpy(out, request->left.ptr, len);
  request->left = str_slice(request->left, len, request->left.len);
  *ret = (Http2Pulled){.is_end = request->left.len == 0, .trailers = t->trailers, .trailer_count = t->trailer_count};
  return len;
}

static inline void transcript_urgency(void *context, void *user, uint8_t urgency) {
  Http2Transcript *t = context;
  TranscriptRequest *request = user;
  buf_printf(t->out, "urgency %d of %.*s\n", urgency, STR_ARGS(request->path));
}

static inline void transcript_closed(void *context, void *user, bool is_whole) {
  Http2Transcript *t = context;
  TranscriptRequest *request = user;
  buf_printf(t->out, "closed %.*s%s\n", STR_ARGS(request->path), is_whole ? "" : " cut");
  TranscriptRequest **at = &t->requests;
  while (*at != request) at = &(*at)->next;
  *at = request->next;
  transcript_arena_release(context, request->arena);
}

/* Ends the connection with all that is under way on it. */
static inline void http2_transcript_done(Http2Transcript *t) {
  http2_destroy(t->http2);
  while (t->requests != NULL) {
    TranscriptRequest *request = t->requests;
    t->requests = request->next;
    transcript_arena_release(t, request->arena);
  }
}

static const Http2Events transcript_events = {
    .arena_acquire = transcript_arena_acquire,
    .arena_release = transcript_arena_release,
    .head = transcript_head,
    .body = transcript_body,
    .end = transcript_end,
    .pull = transcript_pull,
    .urgency = transcript_urgency,
    .closed = transcript_closed,
};

/* `piece_bytes` at a time; 0: all at once. */
static inline void http2_transcribe(const Http2Limits *limits, Str input, size_t piece_bytes, Buf *out) {
  Http2Transcript t = {.out = out};
  t.http2 = http2_create(limits, &transcript_events, &t);
  bool is_fine = t.http2 != NULL;
  if (piece_bytes == 0) piece_bytes = input.len;
  for (size_t at = 0; is_fine && at < input.len; at += piece_bytes)
    is_fine = http2_receive(t.http2, str_slice(input, at, at + piece_bytes), 0);
  buf_add(out, is_fine ? STR("goes on\n") : STR("is over\n"));
  http2_transcript_done(&t);
}
