/* client.c - see client.h. HTTP/2 is nghttp2's, HTTP/1 is read here. */
#include "client.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "tls.h"

enum { PATIENCE_MS = 20000, MOVE_EVERY_MS = 2000, READ_BYTES = 64 * 1024, ANSWER_BYTES_MAX = 64 * 1024 * 1024, HEADERS_MAX = 32 };

typedef struct Client {
  int socket;
  TlsClient *tls; /* NULL: cleartext */
  const Question *question;
  Arena *arena;
  Answer *answer;
  Buf head, trailers, body;
  Buf input; /* HTTP/1: all that came */
  nghttp2_session *session;
  int32_t stream;
  Str unsent; /* of the body, to HTTP/2 */
  bool has_moved, has_ended, has_upgraded;
} Client;

Str client_header(Str lines, Str name) {
  Str line;
  while (str_split_next(&lines, '\n', &line)) {
    if (str_starts_with(line, name) && line.len > name.len && line.ptr[name.len] == ':')
      return str_trim(str_slice(line, name.len + 1, line.len));
  }
  return (Str){0};
}

static size_t find(Str text, Str part) {
  const char *at = text.len == 0 ? NULL : memmem(text.ptr, text.len, part.ptr, part.len);
  return at == NULL ? text.len : (size_t)(at - text.ptr);
}

static bool has(const Buf *text, Str part) { return find(buf_str(text), part) < text->len; }

/* True: nothing more is waited for. */
static bool is_met(Client *client) {
  const Question *question = client->question;
  bool is_ready = question->ready.len == 0 ? client->answer->status != 0 : has(&client->body, question->ready);
  if (question->move != NULL && !client->has_moved && is_ready) {
    client->has_moved = true;
    question->move(question->context);
  }
  /* An error of the operation, or the close that tells of one, to which we don't answer. */
  bool has_failed = has(&client->body, STR("\"type\":\"error\"")) || has(&client->body, STR("out of memory"));
  if (question->is_websocket && has_failed) return true;
  return question->until.len > 0 && has(&client->body, question->until);
}

/* What comes next; 0: nothing more does, or not in good time. */
static size_t receive(Client *client, char *bytes) {
  struct pollfd one = {.fd = client->socket, .events = POLLIN};
  int ready = 0;
  for (int waited_ms = 0; ready == 0 && waited_ms < PATIENCE_MS; waited_ms += MOVE_EVERY_MS) {
    if (waited_ms > 0 && client->has_moved) client->question->move(client->question->context);
    ready = client->tls != NULL && tls_client_has_pending(client->tls) ? 1 : poll(&one, 1, MOVE_EVERY_MS);
  }
  if (ready != 1) {
    client->answer->is_silent = true;
    return 0;
  }
  ssize_t got = client->tls != NULL ? tls_client_receive(client->tls, bytes, READ_BYTES) : recv(client->socket, bytes, READ_BYTES, 0);
  return got > 0 ? (size_t)got : 0;
}

static void send_all(const Client *client, Str bytes) {
  while (bytes.len > 0) {
    ssize_t sent =
        client->tls != NULL ? tls_client_send(client->tls, bytes.ptr, bytes.len) : send(client->socket, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (sent <= 0) return; /* it has been closed: what came before tells more */
    bytes = str_slice(bytes, (size_t)sent, bytes.len);
  }
}

/* ---- HTTP/1 ---- */

static void http1_send(const Client *client) {
  const Question *question = client->question;
  Buf out = buf_on(client->arena, ANSWER_BYTES_MAX);
  Str rest = question->headers, line;
  buf_printf(&out, "%.*s %.*s HTTP/1.1\r\nhost: memory\r\n%s", STR_ARGS(question->method), STR_ARGS(question->path),
             question->is_websocket ? "" : "connection: close\r\n");
  while (str_split_next(&rest, '\n', &line)) {
    if (line.len > 0) buf_printf(&out, "%.*s\r\n", STR_ARGS(line));
  }
  bool has_body = question->body.ptr != NULL && !question->is_websocket;
  if (has_body) buf_printf(&out, "content-length: %zu\r\n", question->body.len);
  buf_add(&out, STR("\r\n"));
  if (has_body) buf_add(&out, question->body);
  send_all(client, buf_str(&out));
}

static void add_lines(Buf *out, Str lines) {
  Str line;
  while (str_split_next(&lines, '\n', &line)) {
    line = str_trim(line);
    size_t colon = str_find_byte(line, ':', 0);
    for (size_t i = 0; i < line.len; i++) {
      char c = line.ptr[i];
      buf_add_byte(out, i < colon && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    if (line.len > 0) buf_add_byte(out, '\n');
  }
}

/* What has come of a body in chunks. */
static void read_chunks(Client *client, Str rest) {
  buf_clear(&client->body);
  for (;;) {
    size_t line = find(rest, STR("\r\n"));
    if (line == rest.len) return;
    size_t len = strtoul(rest.ptr, NULL, 16);
    rest = str_slice(rest, line + 2, rest.len);
    if (len == 0) {
      size_t end = str_starts_with(rest, STR("\r\n")) ? 0 : find(rest, STR("\r\n\r\n"));
      if (end >= rest.len) return;
      buf_clear(&client->trailers);
      add_lines(&client->trailers, str_slice(rest, 0, end));
      client->answer->is_whole = true;
      return;
    }
    buf_add(&client->body, str_slice(rest, 0, len < rest.len ? len : rest.len));
    if (len + 2 > rest.len) return;
    rest = str_slice(rest, len + 2, rest.len);
  }
}

/* All that came is read anew. */
static void http1_read(Client *client) {
  Answer *answer = client->answer;
  Str rest = buf_str(&client->input);
  size_t end = find(rest, STR("\r\n\r\n"));
  if (end == rest.len) return;
  if (str_starts_with(rest, STR("HTTP/1.1 100"))) {
    rest = str_slice(rest, end + 4, rest.len);
    end = find(rest, STR("\r\n\r\n"));
    if (end == rest.len) return;
  }
  if (!str_starts_with(rest, STR("HTTP/1.1 "))) {
    answer->strange = "no status line";
    return;
  }
  answer->status = (int)strtol(rest.ptr + 9, NULL, 10);
  buf_clear(&client->head);
  add_lines(&client->head, str_slice(rest, find(rest, STR("\r\n")), end));
  rest = str_slice(rest, end + 4, rest.len);
  if (answer->status == 101 && !client->has_upgraded) {
    client->has_upgraded = true;
    send_all(client, client->question->body);
  }
  Str lines = buf_str(&client->head), length = client_header(lines, STR("content-length"));
  int64_t len = 0;
  if (answer->status == 204 || answer->status == 304 || str_equal(client->question->method, STR("HEAD"))) {
    answer->is_whole = true;
  } else if (str_equal(client_header(lines, STR("transfer-encoding")), STR("chunked"))) {
    read_chunks(client, rest);
  } else if (length.ptr != NULL && str_parse_int64(length, &len)) {
    buf_clear(&client->body);
    buf_add(&client->body, rest);
    answer->is_whole = rest.len >= (size_t)len;
    if (rest.len > (size_t)len) answer->strange = "more bytes than were announced";
  } else {
    buf_clear(&client->body);
    buf_add(&client->body, rest);
    answer->is_whole = client->has_ended && answer->status != 101;
  }
}

static void http1_ask(Client *client) {
  static char bytes[READ_BYTES];
  http1_send(client);
  do {
    size_t got = receive(client, bytes);
    client->has_ended = got == 0;
    buf_add(&client->input, (Str){bytes, got});
    http1_read(client);
    if (client->question->is_websocket && client->answer->is_whole) return; /* there is none: the connection stays */
    if (is_met(client)) {
      client->answer->is_whole = true;
      return;
    }
  } while (!client->has_ended);
}

/* ---- HTTP/2 ---- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *context) {
  Client *client = context;
  int64_t status = 0;
  Str key = {(const char *)name, name_len}, text = {(const char *)value, value_len};
  (void)session, (void)flags;
  if (frame->hd.stream_id != client->stream) return 0;
  if (str_equal(key, STR(":status"))) {
    if (str_parse_int64(text, &status)) client->answer->status = (int)status;
    return 0;
  }
  bool is_trailer = frame->headers.cat == NGHTTP2_HCAT_HEADERS && client->head.len > 0;
  buf_printf(is_trailer ? &client->trailers : &client->head, "%.*s: %.*s\n", STR_ARGS(key), STR_ARGS(text));
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len, void *context) {
  Client *client = context;
  (void)session, (void)flags;
  if (stream == client->stream) buf_add(&client->body, (Str){(const char *)bytes, len});
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  Client *client = context;
  (void)session;
  bool is_end = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame->hd.stream_id == client->stream && is_end) client->answer->is_whole = client->has_ended = true;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *context) {
  Client *client = context;
  (void)session, (void)code;
  if (stream == client->stream) client->has_ended = true;
  return 0;
}

static ssize_t on_body_wanted(nghttp2_session *session, int32_t stream, uint8_t *out, size_t max, uint32_t *flags,
                              nghttp2_data_source *source, void *context) {
  Client *client = source->ptr;
  (void)session, (void)stream, (void)context;
  size_t count = client->unsent.len < max ? client->unsent.len : max;
  if (count > 0) memcpy(out, client->unsent.ptr, count);
  client->unsent = str_slice(client->unsent, count, client->unsent.len);
  if (client->unsent.len == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)count;
}

static nghttp2_nv header(Str name, Str value) {
  return (nghttp2_nv){(uint8_t *)name.ptr, (uint8_t *)value.ptr, name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

static void http2_submit(Client *client) {
  const Question *question = client->question;
  nghttp2_nv headers[HEADERS_MAX] = {header(STR(":method"), question->method), header(STR(":scheme"), STR("http")),
                                     header(STR(":authority"), STR("memory")), header(STR(":path"), question->path)};
  size_t count = 4;
  Str rest = question->headers, line;
  while (str_split_next(&rest, '\n', &line) && count < HEADERS_MAX) {
    size_t colon = str_find_byte(line, ':', 0);
    if (line.len > 0) headers[count++] = header(str_slice(line, 0, colon), str_trim(str_slice(line, colon + 1, line.len)));
  }
  nghttp2_data_provider provider = {.source.ptr = client, .read_callback = on_body_wanted};
  client->unsent = question->body;
  nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0);
  client->stream = nghttp2_submit_request(client->session, NULL, headers, count, question->body.ptr != NULL ? &provider : NULL, NULL);
}

/* All that the session has to say, in one piece. */
static void http2_flush(Client *client) {
  Buf out = buf_on(client->arena, ANSWER_BYTES_MAX);
  const uint8_t *bytes = NULL;
  for (ssize_t count; (count = nghttp2_session_mem_send(client->session, &bytes)) > 0;)
    buf_add(&out, (Str){(const char *)bytes, (size_t)count});
  send_all(client, buf_str(&out));
}

static void http2_exchange(Client *client) {
  static char bytes[READ_BYTES];
  while (!client->has_ended) {
    http2_flush(client);
    size_t got = receive(client, bytes);
    if (got == 0) return;
    if (nghttp2_session_mem_recv(client->session, (const uint8_t *)bytes, got) < 0) {
      client->answer->strange = "no HTTP/2";
      return;
    }
    if (is_met(client)) {
      client->answer->is_whole = true;
      return;
    }
  }
}

static void http2_ask(Client *client) {
  nghttp2_session_callbacks *callbacks = NULL;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_client_new(&client->session, callbacks, client);
  nghttp2_session_callbacks_del(callbacks);
  http2_submit(client);
  http2_exchange(client);
  nghttp2_session_del(client->session);
}

void client_ask(int socket, const Question *question, Arena *arena, Answer *ret) {
  *ret = (Answer){0};
  Client client = {.socket = socket,
                   .question = question,
                   .arena = arena,
                   .answer = ret,
                   .head = buf_on(arena, ANSWER_BYTES_MAX),
                   .trailers = buf_on(arena, ANSWER_BYTES_MAX),
                   .body = buf_on(arena, ANSWER_BYTES_MAX),
                   .input = buf_on(arena, ANSWER_BYTES_MAX)};
  if (question->is_tls) {
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    client.tls = tls_client_open(socket, question->is_http2);
    ret->is_silent = client.tls == NULL && errno == EAGAIN;
  }
  if (question->is_tls && client.tls == NULL)
    client.has_ended = true;
  else if (question->is_http2)
    http2_ask(&client);
  else
    http1_ask(&client);
  tls_client_close(client.tls);
  close(socket);
  ret->head = buf_str(&client.head);
  ret->trailers = buf_str(&client.trailers);
  ret->body = buf_str(&client.body);
}
