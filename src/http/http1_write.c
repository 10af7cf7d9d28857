/* http1_write.c - responses to bytes. */
#include "http/http1.h"
#include "http/message.h"

bool http1_status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

static void write_status_line(Buf *out, int status) {
  if (status == 200) {
    buf_add(out, STR("HTTP/1.1 200 OK\r\n"));
    return;
  }
  buf_add(out, STR("HTTP/1.1 "));
  buf_add_int64(out, status);
  buf_add_byte(out, ' ');
  buf_add(out, http_status_reason(status));
  buf_add(out, STR("\r\n"));
}

/* A value that a caller's text got into can't end the field or the head: controls become spaces. */
static void write_value(Buf *out, Str value) {
  size_t at = out->len;
  buf_add(out, value);
  if (!http_has_byte_below(value, ' ') || out->failed != CODE_OK) return;
  for (size_t i = at; i < out->len; i++) {
    if ((unsigned char)out->ptr[i] < ' ') out->ptr[i] = ' ';
  }
}

static void write_field(Buf *out, const HttpHeader *header) {
  buf_add(out, header->name);
  buf_add(out, STR(": "));
  write_value(out, header->value);
  buf_add(out, STR("\r\n"));
}

void http1_write_head(Buf *out, const Http1Answer *answer) {
  const HttpResponse *response = answer->response;
  write_status_line(out, response->status);
  for (size_t i = 0; i < response->header_count; i++) write_field(out, &response->headers[i]);
  buf_add(out, answer->date);
  if (response->status == 101) {
    buf_add(out, STR("connection: upgrade\r\n"));
  } else if (!answer->keeps_alive) {
    buf_add(out, STR("connection: close\r\n"));
  } else if (answer->version == 10) {
    buf_add(out, STR("connection: keep-alive\r\n"));
  }
  if (http1_status_has_body(response->status)) {
    if (answer->framing == HTTP1_LENGTH) {
      buf_add(out, STR("content-length: "));
      buf_add_uint64(out, response->body.len);
      buf_add(out, STR("\r\n"));
    } else if (answer->framing == HTTP1_CHUNKED) {
      buf_add(out, STR("transfer-encoding: chunked\r\n"));
    }
  }
  buf_add(out, STR("\r\n"));
}

size_t http1_write_chunk_size(size_t bytes, char out[20]) {
  static const char digits[] = "0123456789abcdef";
  size_t len = 1;
  for (size_t rest = bytes >> 4; rest != 0; rest >>= 4) len++;
  for (size_t i = len; i > 0; i--, bytes >>= 4) out[i - 1] = digits[bytes & 15];
  out[len] = '\r';
  out[len + 1] = '\n';
  return len + 2;
}

void http1_write_chunked_end(Buf *out, const HttpHeader *trailers, size_t count) {
  buf_add(out, STR("0\r\n"));
  for (size_t i = 0; i < count; i++) write_field(out, &trailers[i]);
  buf_add(out, STR("\r\n"));
}
