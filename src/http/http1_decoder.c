/* http1_decoder.c - llhttp's adapter. llhttp starts each message in the state in which a request line has just been read, a copy of which
 * is kept: so it never judges methods, targets or versions, and is ready at the cost of copying a hundred bytes. */
#include "http/http1_decoder.h"

#include <llhttp/llhttp.h>

#include "base/arena.h"

enum { CHUNK_EXTENSION_BYTES_MAX = 4096 /* in all chunks of a body; nobody uses them */ };

struct Http1Decoder {
  llhttp_t llhttp;
  llhttp_t after_request_line;
  HttpHeader *headers;
  size_t header_count, header_count_max;
  Str chunk_bytes;
  size_t chunk_extension_bytes, trailer_bytes, trailer_bytes_max;
  bool is_complete;
  bool wants_upgrade;
  char last_byte; /* of the input before this one */
};

/* Each callback for a header gets a whole name or value, as the section is in one piece; those for trailers get parts. */

static int on_name(llhttp_t *llhttp, const char *at, size_t len) {
  Http1Decoder *decoder = llhttp->data;
  if (llhttp->flags & F_TRAILING) {
    decoder->trailer_bytes += len;
    return decoder->trailer_bytes <= decoder->trailer_bytes_max ? 0 : HPE_USER;
  }
  /* llhttp lets an empty name pass. */
  if (len == 0 || decoder->header_count == decoder->header_count_max) return HPE_USER;
  char *name = (char *)at;
  for (size_t i = 0; i < len; i++) {
    if (name[i] >= 'A' && name[i] <= 'Z') name[i] = (char)(name[i] | 0x20);
  }
  decoder->headers[decoder->header_count++] = (HttpHeader){.name = {name, len}, .value = {at + len, 0}};
  return 0;
}

static int on_value(llhttp_t *llhttp, const char *at, size_t len) {
  Http1Decoder *decoder = llhttp->data;
  if (llhttp->flags & F_TRAILING) {
    decoder->trailer_bytes += len;
    return decoder->trailer_bytes <= decoder->trailer_bytes_max ? 0 : HPE_USER;
  }
  while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t')) len--;
  decoder->headers[decoder->header_count - 1].value = (Str){at, len};
  return 0;
}

static int on_headers_complete(llhttp_t *llhttp) {
  /* An upgrade that is not done is no upgrade (RFC 9110 §7.8): whether it is, the handler says. */
  ((Http1Decoder *)llhttp->data)->wants_upgrade = llhttp->upgrade != 0;
  llhttp->upgrade = 0;
  return HPE_PAUSED;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len) {
  Http1Decoder *decoder = llhttp->data;
  decoder->chunk_bytes = (Str){at, len};
  return len == 0 ? 0 : HPE_PAUSED;
}

static int on_chunk_extension(llhttp_t *llhttp, const char *at, size_t len) {
  (void)at;
  Http1Decoder *decoder = llhttp->data;
  decoder->chunk_extension_bytes += len;
  return decoder->chunk_extension_bytes <= CHUNK_EXTENSION_BYTES_MAX ? 0 : HPE_USER;
}

static int on_message_complete(llhttp_t *llhttp) {
  Http1Decoder *decoder = llhttp->data;
  decoder->is_complete = true;
  return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_message_complete = on_message_complete,
};

Http1Decoder *http1_decoder_create(size_t trailer_bytes_max) {
  static const char request_line[] = "GET / HTTP/1.1\r\n";
  Http1Decoder *decoder = memory_alloc(sizeof *decoder);
  if (decoder == NULL) return NULL;
  *decoder = (Http1Decoder){.trailer_bytes_max = trailer_bytes_max};
  llhttp_init(&decoder->after_request_line, HTTP_REQUEST, &settings);
  llhttp_execute(&decoder->after_request_line, request_line, sizeof request_line - 1);
  decoder->after_request_line.data = decoder;
  return decoder;
}

void http1_decoder_destroy(Http1Decoder *decoder) { memory_free(decoder); }

bool http1_decoder_wants_upgrade(const Http1Decoder *decoder) { return decoder->wants_upgrade; }

bool http1_decode_fields(Http1Decoder *decoder, char *text, size_t len, HttpHeader *headers, size_t count_max, size_t *ret_count) {
  decoder->llhttp = decoder->after_request_line;
  decoder->headers = headers;
  decoder->header_count = 0;
  decoder->header_count_max = count_max;
  decoder->chunk_extension_bytes = decoder->trailer_bytes = 0;
  decoder->is_complete = decoder->wants_upgrade = false;
  if (llhttp_execute(&decoder->llhttp, text, len) != HPE_PAUSED) return false;
  *ret_count = decoder->header_count;
  return true;
}

Http1Chunks http1_decode_chunks(Http1Decoder *decoder, Str *input, Str *ret_bytes) {
  decoder->chunk_bytes = (Str){NULL, 0};
  llhttp_resume(&decoder->llhttp);
  llhttp_errno_t result = llhttp_execute(&decoder->llhttp, input->ptr, input->len);
  if (result != HPE_OK && result != HPE_PAUSED) return HTTP1_CHUNKS_MALFORMED;
  size_t taken = result == HPE_OK ? input->len : (size_t)(llhttp_get_error_pos(&decoder->llhttp) - input->ptr);
  char before_last = taken >= 2 ? input->ptr[taken - 2] : decoder->last_byte;
  if (taken > 0) decoder->last_byte = input->ptr[taken - 1];
  *input = str_slice(*input, taken, input->len);
  if (decoder->is_complete) {
    /* llhttp would take a bare LF for the empty line at the end. */
    return before_last == '\r' ? HTTP1_CHUNKS_END : HTTP1_CHUNKS_MALFORMED;
  }
  if (decoder->chunk_bytes.len == 0) return HTTP1_CHUNKS_MORE;
  *ret_bytes = decoder->chunk_bytes;
  return HTTP1_CHUNKS_BYTES;
}
