/* http1_client.c - HTTP/1.1 (RFC 9112). */
#include <assert.h>
#include <stdlib.h>

#include "http_client.h"

enum { READ_BYTES = 16 * 1024 };

/* ---- requests ---- */

static void write_request(Buf *out, const HttpRequest *request) {
  buf_printf(out, "%.*s %.*s HTTP/1.1\r\nHost: simulated\r\nX-Request-Id: %.*s\r\nAuthorization: Bearer %.*s\r\n",
             STR_ARGS(request->method), STR_ARGS(request->path), STR_ARGS(request->request_id), STR_ARGS(request->token));
  if (request->content_type.len > 0)
    buf_printf(out, "Content-Type: %.*s\r\nContent-Length: %zu\r\n", STR_ARGS(request->content_type), request->body.len);
  buf_add(out, STR("\r\n"));
  buf_add(out, request->body);
}

bool http1_ask(HttpClient *client, const HttpRequest *requests, size_t count, int64_t until_us) {
  Buf bytes = buf_on_heap(SIZE_MAX / 2);
  for (size_t i = 0; i < count; i++) write_request(&bytes, &requests[i]);
  bool is_sent = http_send(client, buf_str(&bytes), until_us);
  buf_done(&bytes);
  return is_sent;
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
static size_t head_len(const HttpClient *client) {
  const char *end = client->len == 0 ? NULL : memmem(client->bytes, client->len, "\r\n\r\n", 4);
  return end == NULL ? 0 : (size_t)(end - client->bytes) + 4;
}

/* ---- bodies ---- */

/* A chunked body from `at` on: its text behind what `body` holds, and where it ends. 0: not all there yet. */
static size_t parse_chunks(const HttpClient *client, size_t at, Buf *body) {
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

static size_t parse_body(const HttpClient *client, Str head, Arena *arena, Str *ret) {
  Buf body = buf_on(arena, SIZE_MAX / 2);
  Str length = header_value(head, STR("content-length"));
  int64_t len = 0;
  if (length.ptr == NULL) {
    if (header_value(head, STR("transfer-encoding")).ptr == NULL) violation("an answer without a length");
    size_t end = parse_chunks(client, head.len, &body);
    *ret = buf_str(&body);
    return end;
  }
  if (!str_parse_int64(length, &len)) violation("a Content-Length of \"%.*s\"", STR_ARGS(length));
  if (client->len < head.len + (size_t)len) return 0;
  *ret = arena_str(arena, (Str){client->bytes + head.len, (size_t)len});
  return head.len + (size_t)len;
}

static bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

/* The whole answer, if all of it is there; then how long it is. */
static size_t parse_answer(const HttpClient *client, Arena *arena, HttpAnswer *ret, bool *ret_is_last) {
  Str head = {client->bytes, head_len(client)};
  if (head.len == 0) return 0;
  *ret = (HttpAnswer){0};
  if (!parse_status(head, &ret->status)) violation("an answer begins with \"%.*s\"", (int)(head.len < 60 ? head.len : 60), head.ptr);
  *ret_is_last = str_equal_ignore_case(header_value(head, STR("connection")), STR("close"));
  ret->request_id = arena_str(arena, header_value(head, STR("x-request-id")));
  return has_no_body(ret->status) ? head.len : parse_body(client, head, arena, &ret->body);
}

static bool receive_more(HttpClient *client, int64_t until_us, HttpOutcome *ret_outcome) {
  if (client->cap - client->len < READ_BYTES) {
    client->cap = client->cap * 2 + READ_BYTES;
    client->bytes = realloc(client->bytes, client->cap);
    assert(client->bytes != NULL);
  }
  size_t count = http_receive(client, client->bytes + client->len, READ_BYTES, until_us, ret_outcome);
  client->len += count;
  return count > 0;
}

HttpOutcome http1_take(HttpClient *client, int64_t until_us, Arena *arena, size_t *ret_index, HttpAnswer *ret) {
  HttpOutcome outcome = HTTP_CLOSED;
  bool is_last = false;
  *ret_index = client->answered;
  while (client->net != NULL) {
    size_t len = parse_answer(client, arena, ret, &is_last);
    if (len == 0) {
      if (receive_more(client, until_us, &outcome)) continue;
      break;
    }
    memmove(client->bytes, client->bytes + len, client->len - len);
    client->len -= len;
    if (ret->status < 200) continue;
    if (is_last) http_close(client, false);
    return HTTP_ANSWERED;
  }
  return outcome;
}
