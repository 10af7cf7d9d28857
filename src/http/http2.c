/* http2.c - nghttp2's adapter. What a client can ask for at no cost of its own (resets, settings, pings, empty frames, continuations) is
 * paid from a purse that fills slowly; who empties it is left (RFC 9113 §10.5). */
#include "http/http2.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "http/http2_walk.h"
#include "http/message.h"

enum {
  TOKEN = 1000, /* the purse counts thousandths of a frame */
  CONTINUATIONS_MAX = 32,
  PING_STRIKES_MAX = 2,
  ANSWERS_QUEUED_MAX = 1000, /* of settings and pings */
  RESPONSE_HEAD_BYTES_MAX = 1024 * 1024,
  OWN_FIELDS = 3, /* :status, date, content-length */
  RESETS_KEPT = 64,
  UPGRADED_STREAM = 1
};

typedef uint32_t Http2Error; /* RFC 9113 §7 */

struct Http2Stream {
  int32_t id;
  Arena *arena;
  void *user; /* NULL: the head is not whole */
  Http2Fields fields;
  Http2Stream *next, *previous; /* among those whose head is not whole */
  bool is_request_whole, is_answer_whole;
};

struct Http2 {
  nghttp2_session *session;
  Http2Limits limits;
  const Http2Events *events;
  void *context;
  Http2Stream *headless; /* streams whose head is not whole, or was no good; newest first */
  Http2Stream *building; /* the one of them whose head is coming in */
  nghttp2_nv *fields;    /* for heads and trailers that are written */
  size_t field_cap;
  Buf cleaned;     /* values of those that had to be changed */
  uint64_t now_ms; /* when bytes last came */
  uint64_t purse;
  uint64_t pinged_until_ms; /* what pings that came are paid for, one for each interval */
  bool is_ping_owed;        /* something of an answer was sent, and no ping has come since */
  int32_t last_opened;
  int32_t reset_ids[RESETS_KEPT]; /* the last streams that were reset from this side, a ring */
  size_t reset_count;
  int32_t reset_forgotten_max; /* the largest that the ring has lost */
  Http2Error error;            /* why the connection can't go on */
  Str error_text;              /* of GOAWAY; empty: none */
  Http2Walk walk;
  bool is_over;
  bool is_end_sent; /* … and the peer is told by what was given out: nothing comes behind that */
};

/* ---- Mistakes ---- */

/* Returns what a callback of nghttp2's returns. */
static int fail(Http2 *http2, Http2Error error) {
  http2->error = error;
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static void note_reset(Http2 *http2, int32_t id) {
  int32_t *place = &http2->reset_ids[http2->reset_count++ % RESETS_KEPT];
  if (*place > http2->reset_forgotten_max) http2->reset_forgotten_max = *place;
  *place = id;
}

/* What comes for a stream that is closed is a mistake (RFC 9113 §5.1), unless it was on its way when we reset the stream. nghttp2, which
 * forgets closed streams, overlooks it. */
static bool is_for_closed_stream(const Http2 *http2, int32_t id) {
  if (id % 2 == 0 || id > http2->last_opened || id <= http2->reset_forgotten_max) return false;
  if (nghttp2_session_get_stream_user_data(http2->session, id) != NULL) return false;
  for (size_t i = 0; i < RESETS_KEPT; i++) {
    if (http2->reset_ids[i] == id) return false;
  }
  return true;
}

/* ---- The purse ---- */

static void purse_fill(Http2 *http2, uint64_t now_ms) {
  uint64_t full = (uint64_t)http2->limits.control_frames_max * TOKEN;
  uint64_t elapsed_ms = now_ms > http2->now_ms ? now_ms - http2->now_ms : 0;
  http2->now_ms = now_ms;
  uint64_t more = elapsed_ms > UINT32_MAX ? full : elapsed_ms * http2->limits.control_frames_max / 10;
  http2->purse = http2->purse >= full || full - http2->purse < more ? full : http2->purse + more;
}

/* Returns what a callback of nghttp2's returns. */
static int purse_pay(Http2 *http2) {
  if (http2->purse >= TOKEN) {
    http2->purse -= TOKEN;
    return 0;
  }
  return fail(http2, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* gRFC A8, by the average: each ping is worth an interval, and whoever runs ahead of the clock by more than its strikes (and half an
 * interval, lest the network's own haste counts) is sent away. What is sent to him pays for all that came, and for one from the purse, too:
 * answers may be measured by pings, as grpc-go's estimate of bandwidth and delay does with each. */
static int take_ping(Http2 *http2) {
  uint64_t interval_ms = http2->limits.ping_interval_min_ms;
  bool is_free = http2->is_ping_owed;
  http2->is_ping_owed = false;
  if (!is_free && purse_pay(http2) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (interval_ms == 0) return 0;
  if (http2->pinged_until_ms < http2->now_ms) http2->pinged_until_ms = http2->now_ms;
  http2->pinged_until_ms += interval_ms;
  uint64_t ahead_ms = http2->pinged_until_ms - http2->now_ms;
  if (ahead_ms <= (1 + PING_STRIKES_MAX) * interval_ms + interval_ms / 2) return 0;
  http2->error_text = STR("too_many_pings");
  return fail(http2, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* ---- Heads that are not whole ---- */

static void headless_add(Http2 *http2, Http2Stream *stream) {
  stream->next = http2->headless;
  if (http2->headless != NULL) http2->headless->previous = stream;
  http2->headless = stream;
  http2->building = stream;
}

static void headless_remove(Http2 *http2, Http2Stream *stream) {
  if (http2->building == stream) http2->building = NULL;
  if (stream->next != NULL) stream->next->previous = stream->previous;
  if (stream->previous == NULL)
    http2->headless = stream->next;
  else
    stream->previous->next = stream->next;
  stream->next = stream->previous = NULL;
}

/* ---- What comes in ---- */

static Http2Stream *stream_of(const Http2 *http2, int32_t id) { return nghttp2_session_get_stream_user_data(http2->session, id); }

static bool is_request_head(const nghttp2_frame *frame) {
  return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *header, void *context) {
  (void)session;
  Http2 *http2 = context;
  if (header->type == NGHTTP2_HEADERS && is_for_closed_stream(http2, header->stream_id)) return fail(http2, NGHTTP2_STREAM_CLOSED);
  if (header->type == NGHTTP2_PRIORITY && header->stream_id == 0) return fail(http2, NGHTTP2_PROTOCOL_ERROR);
  switch (header->type) {
    case NGHTTP2_SETTINGS: return (header->flags & NGHTTP2_FLAG_ACK) != 0 ? 0 : purse_pay(http2);
    case NGHTTP2_PING: return (header->flags & NGHTTP2_FLAG_ACK) != 0 ? 0 : take_ping(http2);
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
    case NGHTTP2_CONTINUATION: return purse_pay(http2);
    case NGHTTP2_DATA: return header->length == 0 && (header->flags & NGHTTP2_FLAG_END_STREAM) == 0 ? purse_pay(http2) : 0;
    default: return 0;
  }
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  Http2 *http2 = context;
  if (!is_request_head(frame)) return 0;
  http2->last_opened = frame->hd.stream_id;
  Arena *arena = http2->events->arena_acquire(http2->context);
  if (arena == NULL) return note_reset(http2, frame->hd.stream_id), NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  Http2Stream *stream = ARENA_NEW(arena, Http2Stream);
  if (stream == NULL || nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream) != 0) {
    http2->events->arena_release(http2->context, arena);
    note_reset(http2, frame->hd.stream_id);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  *stream = (Http2Stream){.id = frame->hd.stream_id, .arena = arena, .fields = {.arena = arena}};
  headless_add(http2, stream);
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *context) {
  (void)session;
  (void)flags;
  Http2 *http2 = context;
  Http2Stream *stream = stream_of(http2, frame->hd.stream_id);
  if (stream == NULL) return 0;
  Str name_text = {(const char *)name, name_len}, value_text = {(const char *)value, value_len};
  bool is_taken = is_request_head(frame) ? http2_fields_add(&stream->fields, &http2->limits, name_text, value_text)
                                         : http2_fields_skip(&stream->fields, &http2->limits, name_text, value_text);
  return is_taken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* RFC 9113 §8.2.1: a malformed field makes the request malformed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                             const uint8_t *value, size_t value_len, uint8_t flags, void *context) {
  (void)name;
  (void)name_len;
  (void)value;
  (void)value_len;
  (void)flags;
  (void)context;
  (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* What nghttp2 refuses by itself is reset, and what else is on its way for it no mistake. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *context) {
  (void)session;
  (void)error;
  if (frame->hd.type == NGHTTP2_HEADERS) note_reset(context, frame->hd.stream_id);
  return 0;
}

static void end_request(Http2 *http2, Http2Stream *stream) {
  stream->is_request_whole = true;
  http2->events->end(http2->context, stream->user);
}

static void begin_request(Http2 *http2, Http2Stream *stream, const Http2Head *head) {
  bool is_end = !head->has_body;
  stream->is_request_whole = is_end;
  stream->user = http2->events->head(http2->context, stream, stream->arena, head);
  if (stream->user != NULL) {
    if (is_end) end_request(http2, stream);
    return;
  }
  int32_t id = stream->id;
  note_reset(http2, id);
  (void)nghttp2_session_set_stream_user_data(http2->session, id, NULL);
  http2->events->arena_release(http2->context, stream->arena);
  (void)nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
}

static void end_head(Http2 *http2, Http2Stream *stream, bool is_end) {
  Http2Head head;
  headless_remove(http2, stream);
  http2_fields_finish(&stream->fields, !is_end, &head);
  begin_request(http2, stream, &head);
}

bool http2_upgrade(Http2 *http2, Str settings, Arena *arena, const Http2Head *head) {
  Http2Stream *stream = ARENA_NEW(arena, Http2Stream);
  if (stream == NULL) return false;
  *stream = (Http2Stream){.id = UPGRADED_STREAM, .arena = arena};
  bool is_head_request = head->request.method == HTTP_HEAD;
  /* A server's session passes over what it is given for the stream's user. */
  if (nghttp2_session_upgrade2(http2->session, (const uint8_t *)settings.ptr, settings.len, is_head_request, NULL) != 0 ||
      nghttp2_session_set_stream_user_data(http2->session, UPGRADED_STREAM, stream) != 0)
    return false;
  http2->last_opened = UPGRADED_STREAM;
  begin_request(http2, stream, head);
  return true;
}

static void take_priority(Http2 *http2, const nghttp2_ext_priority_update *update) {
  Http2Stream *stream = stream_of(http2, update->stream_id);
  Str value = {(const char *)update->field_value, update->field_value_len};
  /* One that comes before its request's head is nghttp2's alone: it orders what is sent. */
  if (stream != NULL && stream->user != NULL)
    http2->events->urgency(http2->context, stream->user, http2_urgency_of(value, HTTP2_URGENCY_DEFAULT));
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  (void)session;
  Http2 *http2 = context;
  if (frame->hd.type == NGHTTP2_PRIORITY_UPDATE) take_priority(http2, frame->ext.payload);
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Http2Stream *stream = stream_of(http2, frame->hd.stream_id);
  bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (stream == NULL) return 0;
  if (is_request_head(frame))
    end_head(http2, stream, is_end);
  else if (is_end && stream->user != NULL)
    end_request(http2, stream);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *context) {
  (void)session;
  (void)flags;
  Http2 *http2 = context;
  Http2Stream *stream = stream_of(http2, id);
  if (stream != NULL && stream->user != NULL)
    http2->events->body(http2->context, stream->user, (Str){(const char *)bytes, len});
  else
    http2_take_of_connection(http2, len);
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *context) {
  (void)session;
  Http2 *http2 = context;
  Http2Stream *stream = stream_of(http2, id);
  if (stream == NULL) return 0;
  if (stream->user == NULL) {
    headless_remove(http2, stream);
    http2->events->arena_release(http2->context, stream->arena);
    return 0;
  }
  http2->events->closed(http2->context, stream->user, error == NGHTTP2_NO_ERROR && stream->is_answer_whole);
  return 0;
}

/* ---- What goes out ---- */

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  Http2 *http2 = context;
  uint8_t type = frame->hd.type;
  /* What a client makes us reset is its doing, as much as its own resets are. */
  if (type == NGHTTP2_RST_STREAM) note_reset(http2, frame->hd.stream_id);
  if (type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR) {
    if (purse_pay(http2) != 0) (void)nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
  }
  if (type == NGHTTP2_GOAWAY && http2->is_over) http2->is_end_sent = true;
  if (type != NGHTTP2_HEADERS && type != NGHTTP2_DATA) return 0;
  http2->pinged_until_ms = 0;
  http2->is_ping_owed = true;
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  Http2Stream *stream = stream_of(http2, frame->hd.stream_id);
  if (stream == NULL) return 0;
  stream->is_answer_whole = true;
  /* RFC 9113 §8.1: who is answered early need not send the rest. */
  if (!stream->is_request_whole) (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
  return 0;
}

static bool reserve_fields(Http2 *http2, size_t count) {
  if (count <= http2->field_cap) return true;
  nghttp2_nv *fields = memory_realloc(http2->fields, count * sizeof *fields);
  if (fields == NULL) return false;
  http2->fields = fields;
  http2->field_cap = count;
  return true;
}

static nghttp2_nv field_of(Str name, Str value) {
  static const char nothing[] = "";
  return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.ptr,
                      .namelen = name.len,
                      .value = (uint8_t *)(uintptr_t)(value.len == 0 ? nothing : value.ptr),
                      .valuelen = value.len};
}

/* A value that a caller's text got into can't hold what RFC 9113 §8.2.1 forbids: controls become spaces. The buffer has room. */
static Str clean(Http2 *http2, Str value) {
  if (!http_has_byte_below(value, ' ')) return value;
  size_t at = http2->cleaned.len;
  buf_add(&http2->cleaned, value);
  for (size_t i = at; i < http2->cleaned.len; i++) {
    if ((unsigned char)http2->cleaned.ptr[i] < ' ') http2->cleaned.ptr[i] = ' ';
  }
  return str_trim(str_slice(buf_str(&http2->cleaned), at, http2->cleaned.len));
}

/* Behind the `first` fields that are there. */
static bool put_fields(Http2 *http2, size_t first, const HttpHeader *headers, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) bytes += headers[i].value.len;
  buf_clear(&http2->cleaned);
  if (!buf_reserve(&http2->cleaned, bytes)) return false;
  for (size_t i = 0; i < count; i++) http2->fields[first + i] = field_of(headers[i].name, clean(http2, headers[i].value));
  return true;
}

static ssize_t on_pull(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags, nghttp2_data_source *source,
                       void *context) {
  Http2 *http2 = context;
  Http2Stream *stream = source->ptr;
  Http2Pulled pulled = {.is_end = false};
  size_t len = http2->events->pull(http2->context, stream->user, (char *)out, room, &pulled);
  if (len == 0 && !pulled.is_end) return NGHTTP2_ERR_DEFERRED;
  if (!pulled.is_end) return (ssize_t)len;
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (pulled.trailer_count == 0) return (ssize_t)len;
  if (!reserve_fields(http2, pulled.trailer_count) || !put_fields(http2, 0, pulled.trailers, pulled.trailer_count) ||
      nghttp2_submit_trailer(session, id, http2->fields, pulled.trailer_count) != 0)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  return (ssize_t)len;
}

bool http2_respond(Http2 *http2, Http2Stream *stream, const HttpResponse *response, Str date, bool has_length, bool has_body) {
  char status[12], length[24];
  if (!reserve_fields(http2, response->header_count + OWN_FIELDS)) return false;
  int status_len = snprintf(status, sizeof status, "%d", response->status);
  int length_len = snprintf(length, sizeof length, "%zu", response->body.len);
  size_t count = 0;
  http2->fields[count++] = field_of(STR(":status"), (Str){status, (size_t)status_len});
  if (!put_fields(http2, count, response->headers, response->header_count)) return false;
  count += response->header_count;
  http2->fields[count++] = field_of(STR("date"), date);
  if (has_length) http2->fields[count++] = field_of(STR("content-length"), (Str){length, (size_t)length_len});
  nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = on_pull};
  return nghttp2_submit_response(http2->session, stream->id, http2->fields, count, has_body ? &provider : NULL) == 0;
}

void http2_respond_continue(Http2 *http2, Http2Stream *stream) {
  nghttp2_nv field = field_of(STR(":status"), STR("100"));
  (void)nghttp2_submit_headers(http2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, &field, 1, NULL);
}

void http2_resume(Http2 *http2, Http2Stream *stream) { (void)nghttp2_session_resume_data(http2->session, stream->id); }

void http2_reset(Http2 *http2, Http2Stream *stream, Http2Reset why) {
  if (why != HTTP2_NO_ERROR) http2->purse += TOKEN; /* not the client's doing */
  (void)nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id, (uint32_t)why);
}

void http2_ping(Http2 *http2) { (void)nghttp2_submit_ping(http2->session, NGHTTP2_FLAG_NONE, NULL); }

void http2_take_of_stream(Http2 *http2, Http2Stream *stream, size_t bytes) {
  (void)nghttp2_session_consume_stream(http2->session, stream->id, bytes);
}

void http2_take_of_connection(Http2 *http2, size_t bytes) { (void)nghttp2_session_consume_connection(http2->session, bytes); }

void http2_announce_end(Http2 *http2) { (void)nghttp2_submit_shutdown_notice(http2->session); }

void http2_end(Http2 *http2) {
  int32_t last = nghttp2_session_get_last_proc_stream_id(http2->session);
  (void)nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
}

/* ---- The connection ---- */

static uint32_t error_of_library(ssize_t result) {
  if (result == NGHTTP2_ERR_NOMEM) return NGHTTP2_INTERNAL_ERROR;
  /* Its own guard against floods of what must be acknowledged, which may notice before our purse is empty. */
  return result == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR;
}

/* In pieces that end behind each head of a DATA frame: those for closed streams are discarded by nghttp2 without a word. */
static ssize_t take(Http2 *http2, Str bytes) {
  ssize_t taken = 0;
  while (bytes.len > 0 && taken >= 0) {
    int32_t id;
    size_t len = http2_walk_to_data(&http2->walk, bytes, &id);
    taken = nghttp2_session_mem_recv(http2->session, (const uint8_t *)bytes.ptr, len);
    if (taken >= 0 && id >= 0 && is_for_closed_stream(http2, id)) taken = fail(http2, NGHTTP2_STREAM_CLOSED);
    bytes = str_slice(bytes, len, bytes.len);
  }
  return taken;
}

/* The library's own way to end a session has no place for a text. */
static void terminate(Http2 *http2, Http2Error error) {
  if (http2->error_text.len == 0) {
    (void)nghttp2_session_terminate_session(http2->session, error);
    return;
  }
  int32_t last = nghttp2_session_get_last_proc_stream_id(http2->session);
  (void)nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE, last, error, (const uint8_t *)http2->error_text.ptr,
                              http2->error_text.len);
}

bool http2_receive(Http2 *http2, Str bytes, uint64_t now_ms) {
  if (http2->is_over) return false;
  purse_fill(http2, now_ms);
  ssize_t taken = take(http2, bytes);
  if (taken >= 0 && nghttp2_session_want_read(http2->session) != 0) return true;
  http2->is_over = true;
  if (http2->error != NGHTTP2_NO_ERROR)
    terminate(http2, http2->error);
  else if (taken < 0)
    terminate(http2, error_of_library(taken));
  return false;
}

Str http2_send(Http2 *http2) {
  if (http2->is_end_sent) return (Str){NULL, 0};
  const uint8_t *bytes;
  ssize_t len = nghttp2_session_mem_send(http2->session, &bytes);
  if (len < 0) http2->is_over = true;
  return len <= 0 ? (Str){NULL, 0} : (Str){(const char *)bytes, (size_t)len};
}

bool http2_is_over(const Http2 *http2) {
  return http2->is_over || (nghttp2_session_want_read(http2->session) == 0 && nghttp2_session_want_write(http2->session) == 0);
}

bool http2_is_in_head(const Http2 *http2) { return http2->building != NULL; }

static nghttp2_session_callbacks *make_callbacks(void) {
  nghttp2_session_callbacks *callbacks;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return NULL;
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
  return callbacks;
}

static nghttp2_option *make_options(void) {
  nghttp2_option *option;
  if (nghttp2_option_new(&option) != 0) return NULL;
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_outbound_ack(option, ANSWERS_QUEUED_MAX);
  nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
  nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX); /* the purse's business */
  nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
  return option;
}

static bool make_session(Http2 *http2) {
  nghttp2_session_callbacks *callbacks = make_callbacks();
  nghttp2_option *option = make_options();
  int failed =
      callbacks == NULL || option == NULL ? NGHTTP2_ERR_NOMEM : nghttp2_session_server_new2(&http2->session, callbacks, http2, option);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(option);
  if (failed != 0) return false;
  const Http2Limits *limits = &http2->limits;
  uint32_t header_bytes_max = limits->header_bytes_max > UINT32_MAX ? UINT32_MAX : (uint32_t)limits->header_bytes_max;
  nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_STREAM_WINDOW_BYTES},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, header_bytes_max},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  };
  return nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) == 0 &&
         nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0, HTTP2_WINDOW_BYTES) == 0;
}

Http2 *http2_create(const Http2Limits *limits, const Http2Events *events, void *context) {
  Http2 *http2 = memory_alloc(sizeof *http2);
  if (http2 == NULL) return NULL;
  *http2 = (Http2){.limits = *limits, .events = events, .context = context, .purse = (uint64_t)limits->control_frames_max * TOKEN};
  http2->cleaned = buf_on_heap(RESPONSE_HEAD_BYTES_MAX);
  if (make_session(http2)) return http2;
  http2_destroy(http2);
  return NULL;
}

void http2_destroy(Http2 *http2) {
  if (http2 == NULL) return;
  while (http2->headless != NULL) {
    Http2Stream *stream = http2->headless;
    headless_remove(http2, stream);
    http2->events->arena_release(http2->context, stream->arena);
  }
  nghttp2_session_del(http2->session);
  memory_free(http2->fields);
  buf_done(&http2->cleaned);
  memory_free(http2);
}
