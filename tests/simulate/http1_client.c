/* http1_client.c - see http1_client.h. What is no HTTP/1.1 (RFC 9112) is a violation. */
#include "http1_client.h"

#include <assert.h>
#include <stdlib.h>

enum { READ_BYTES = 16 * 1024 };

static void on_change(void *context) { task_wake(context); }

bool http1_connect(Http1Client *client, const NetProfile *profile) {
  client->net = net_connect(8080, profile);
  client->len = 0;
  if (client->net == NULL) return false;
  net_notify(client->net, NET_CLIENT, on_change, client->task);
  return true;
}

void http1_close(Http1Client *client, bool with_reset) {
  if (client->net != NULL) net_close(client->net, NET_CLIENT, with_reset);
  client->net = NULL;
}

void http1_done(Http1Client *client) {
  http1_close(client, false);
  free(client->bytes);
  client->bytes = NULL;
}

bool http1_send(Http1Client *client, Str bytes, int64_t until_us) {
  while (bytes.len > 0) {
    ssize_t count = net_send(client->net, NET_CLIENT, bytes);
    if (count == NET_BROKEN || schedule_now_us() >= until_us) return false;
    if (count == NET_NOTHING)
      task_wait(until_us);
    else
      bytes = (Str){bytes.ptr + count, bytes.len - (size_t)count};
  }
  return true;
}

/* More bytes, or why there are none. */
static HttpOutcome receive_more(Http1Client *client, int64_t until_us) {
  if (client->cap - client->len < READ_BYTES) {
    client->cap = client->cap * 2 + READ_BYTES;
    client->bytes = realloc(client->bytes, client->cap);
    assert(client->bytes != NULL);
  }
  for (;;) {
    ssize_t count = net_receive(client->net, NET_CLIENT, client->bytes + client->len, READ_BYTES);
    if (count == NET_ENDED || count == NET_BROKEN) return HTTP_CLOSED;
    if (count > 0) {
      client->len += (size_t)count;
      return HTTP_ANSWERED;
    }
    if (schedule_now_us() >= until_us) return HTTP_TIMED_OUT;
    task_wait(until_us);
  }
}

/* ---- heads ---- */

static Str header_value(Str head, Str name) {
  Str line;
  while (str_split_next(&head, '\n', &line)) {
    size_t colon = str_find_byte(line, ':', 0);
    if (colon < line.len && str_equal_ignore_case(str_slice(line, 0, colon), name)) return str_trim(str_slice(line, colon + 1, line.len));
  }
  return (Str){NULL, 0};
}

static bool parse_status(Str head, int *ret) {
  int64_t status;
  if (!str_starts_with(head, STR("HTTP/1.1 ")) || !str_parse_int64(str_slice(head, 9, 12), &status)) return false;
  *ret = (int)status;
  return status >= 100 && status < 600;
}

/* Bytes up to and with the empty line; 0: not all there yet. */
static size_t head_len(const Http1Client *client) {
  const char *end = client->len == 0 ? NULL : memmem(client->bytes, client->len, "\r\n\r\n", 4);
  return end == NULL ? 0 : (size_t)(end - client->bytes) + 4;
}

/* ---- bodies ---- */

/* A chunked body from `at` on: its text behind what `body` holds, and where it ends. 0: not all there yet. */
static size_t parse_chunks(const Http1Client *client, size_t at, Buf *body) {
  for (;;) {
    Str rest = {client->bytes + at, client->len - at};
    size_t line_end = str_find_byte(rest, '\n', 0);
    if (line_end >= rest.len) return 0;
    size_t size = strtoul(rest.ptr, NULL, 16), start = at + line_end + 1;
    if (client->len < start + size + 2) return 0;
    if (memcmp(client->bytes + start + size, "\r\n", 2) != 0) violation("a chunk does not end where it says");
    buf_add(body, (Str){client->bytes + start, size});
    at = start + size + 2;
    if (size == 0) return at;
  }
}

static bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

/* The whole answer, if all of it is there; then how long it is. */
static size_t parse_answer(const Http1Client *client, Arena *arena, HttpAnswer *ret) {
  size_t body_at = head_len(client);
  if (body_at == 0) return 0;
  Str head = {client->bytes, body_at};
  *ret = (HttpAnswer){0};
  if (!parse_status(head, &ret->status)) violation("an answer begins with \"%.*s\"", (int)(head.len < 60 ? head.len : 60), head.ptr);
  ret->is_last = str_equal_ignore_case(header_value(head, STR("connection")), STR("close"));
  ret->request_id = arena_str(arena, header_value(head, STR("x-request-id")));
  if (has_no_body(ret->status)) return body_at;
  Buf body = buf_on(arena, SIZE_MAX / 2);
  Str length = header_value(head, STR("content-length"));
  int64_t len = 0;
  if (length.ptr == NULL) {
    if (header_value(head, STR("transfer-encoding")).ptr == NULL) violation("an answer without a length");
    size_t end = parse_chunks(client, body_at, &body);
    ret->body = buf_str(&body);
    return end;
  }
  if (!str_parse_int64(length, &len)) violation("a Content-Length of \"%.*s\"", STR_ARGS(length));
  if (client->len < body_at + (size_t)len) return 0;
  ret->body = arena_str(arena, (Str){client->bytes + body_at, (size_t)len});
  return body_at + (size_t)len;
}

HttpOutcome http1_receive(Http1Client *client, int64_t until_us, Arena *arena, HttpAnswer *ret) {
  for (;;) {
    size_t len = parse_answer(client, arena, ret);
    if (len > 0) {
      memmove(client->bytes, client->bytes + len, client->len - len);
      client->len -= len;
      if (ret->status >= 200) return HTTP_ANSWERED;
      continue;
    }
    HttpOutcome outcome = receive_more(client, until_us);
    if (outcome != HTTP_ANSWERED) return outcome;
  }
}
