/* http2_client.c - HTTP/2 by nghttp2, as a client with prior knowledge. */
#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "http_client.h"

enum { READ_BYTES = 16 * 1024, TEXT_MAX = 64 };

typedef struct Exchange {
  int32_t stream;
  Str body; /* of the request, what is not sent yet */
  int status;
  char request_id[TEXT_MAX], grpc_status[TEXT_MAX];
  Buf answer;
  bool has_ended, is_whole, is_taken;
} Exchange;

typedef struct Http2Client {
  nghttp2_session *session;
  Exchange exchanges[HTTP_REQUESTS_MAX];
  size_t count;
} Http2Client;

static Exchange *exchange_of(Http2Client *http2, int32_t stream) {
  for (size_t i = 0; i < http2->count; i++)
    if (http2->exchanges[i].stream == stream) return &http2->exchanges[i];
  return NULL;
}

/* ---- what comes ---- */

static void keep_text(char out[TEXT_MAX], const uint8_t *value, size_t len) {
  if (len >= TEXT_MAX) len = TEXT_MAX - 1;
  memcpy(out, value, len);
  out[len] = '\0';
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *context) {
  (void)session, (void)flags;
  Exchange *exchange = exchange_of(context, frame->hd.stream_id);
  Str key = {(const char *)name, name_len};
  int64_t status = 0;
  if (exchange == NULL) return 0;
  if (str_equal(key, STR(":status")) && str_parse_int64((Str){(const char *)value, value_len}, &status)) exchange->status = (int)status;
  if (str_equal(key, STR("x-request-id"))) keep_text(exchange->request_id, value, value_len);
  if (str_equal(key, STR("grpc-status"))) keep_text(exchange->grpc_status, value, value_len);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len, void *context) {
  (void)session, (void)flags;
  Exchange *exchange = exchange_of(context, stream);
  if (exchange != NULL) buf_add(&exchange->answer, (Str){(const char *)bytes, len});
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  (void)session;
  Exchange *exchange = exchange_of(context, frame->hd.stream_id);
  bool is_end = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (exchange != NULL && is_end) exchange->is_whole = exchange->has_ended = true;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *context) {
  (void)session, (void)code;
  Exchange *exchange = exchange_of(context, stream);
  if (exchange != NULL) exchange->has_ended = true;
  return 0;
}

/* ---- what goes ---- */

static ssize_t on_body_wanted(nghttp2_session *session, int32_t stream, uint8_t *out, size_t max, uint32_t *flags,
                              nghttp2_data_source *source, void *context) {
  (void)session, (void)stream, (void)context;
  Exchange *exchange = source->ptr;
  size_t count = exchange->body.len < max ? exchange->body.len : max;
  memcpy(out, exchange->body.ptr, count);
  exchange->body = (Str){exchange->body.ptr + count, exchange->body.len - count};
  if (exchange->body.len == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)count;
}

static nghttp2_nv header(Str name, Str value) {
  return (nghttp2_nv){(uint8_t *)name.ptr, (uint8_t *)value.ptr, name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

static void submit(Http2Client *http2, const HttpRequest *request, Exchange *exchange) {
  char bearer[600];
  int len = snprintf(bearer, sizeof bearer, "Bearer %.*s", STR_ARGS(request->token));
  nghttp2_nv headers[9] = {header(STR(":method"), request->method),
                           header(STR(":scheme"), STR("http")),
                           header(STR(":authority"), STR("simulated")),
                           header(STR(":path"), request->path),
                           header(STR("x-request-id"), request->request_id),
                           header(STR("authorization"), (Str){bearer, (size_t)len}),
                           header(STR("te"), STR("trailers"))};
  size_t count = 7;
  if (request->content_type.len > 0) headers[count++] = header(STR("content-type"), request->content_type);
  *exchange = (Exchange){.body = request->body, .answer = buf_on_heap(SIZE_MAX / 2)};
  nghttp2_data_provider provider = {.source.ptr = exchange, .read_callback = on_body_wanted};
  exchange->stream = nghttp2_submit_request(http2->session, NULL, headers, count, request->content_type.len > 0 ? &provider : NULL, NULL);
  if (exchange->stream < 0) exchange->has_ended = true; /* after a GOAWAY there are no new ones */
}

/* Whatever the session has to say. */
static bool flush(HttpClient *client, int64_t until_us) {
  for (;;) {
    const uint8_t *bytes = NULL;
    ssize_t count = nghttp2_session_mem_send(client->http2->session, &bytes);
    if (count <= 0) return count == 0;
    if (!http_send(client, (Str){(const char *)bytes, (size_t)count}, until_us)) return false;
  }
}

static void forget(Http2Client *http2) {
  for (size_t i = 0; i < http2->count; i++) buf_done(&http2->exchanges[i].answer);
  http2->count = 0;
}

bool http2_ask(HttpClient *client, const HttpRequest *requests, size_t count, int64_t until_us) {
  Http2Client *http2 = client->http2;
  assert(count <= HTTP_REQUESTS_MAX);
  forget(http2);
  for (size_t i = 0; i < count; i++) submit(http2, &requests[i], &http2->exchanges[i]);
  http2->count = count;
  return flush(client, until_us);
}

/* ---- answers ---- */

static Exchange *find_ended(Http2Client *http2, size_t *ret_index) {
  for (size_t i = 0; i < http2->count; i++) {
    if (!http2->exchanges[i].has_ended || http2->exchanges[i].is_taken) continue;
    *ret_index = i;
    return &http2->exchanges[i];
  }
  return NULL;
}

static HttpOutcome receive_more(HttpClient *client, int64_t until_us) {
  char bytes[READ_BYTES];
  HttpOutcome outcome = HTTP_CLOSED;
  if (client->net == NULL || !flush(client, until_us)) return HTTP_CLOSED;
  size_t count = http_receive(client, bytes, sizeof bytes, until_us, &outcome);
  if (count == 0) return outcome;
  ssize_t taken = nghttp2_session_mem_recv(client->http2->session, (const uint8_t *)bytes, count);
  if (taken < 0) violation("what comes is no HTTP/2: %s", nghttp2_strerror((int)taken));
  return HTTP_ANSWERED;
}

static HttpOutcome take(Exchange *exchange, Arena *arena, HttpAnswer *ret) {
  exchange->is_taken = true;
  if (!exchange->is_whole || exchange->status == 0) return HTTP_CLOSED;
  *ret = (HttpAnswer){.status = exchange->status,
                      .body = arena_str(arena, buf_str(&exchange->answer)),
                      .request_id = arena_str(arena, str_of(exchange->request_id)),
                      .grpc_status = arena_str(arena, str_of(exchange->grpc_status))};
  return HTTP_ANSWERED;
}

/* The connection is over for those that are left: each is told of so. */
static HttpOutcome give_up(HttpClient *client, HttpOutcome outcome, size_t *ret_index) {
  for (size_t i = 0; i < client->http2->count; i++) client->http2->exchanges[i].has_ended = true;
  Exchange *exchange = find_ended(client->http2, ret_index);
  assert(exchange != NULL && "no more answers are waited for than there are questions");
  exchange->is_taken = true;
  return outcome;
}

HttpOutcome http2_take(HttpClient *client, int64_t until_us, Arena *arena, size_t *ret_index, HttpAnswer *ret) {
  for (;;) {
    Exchange *exchange = find_ended(client->http2, ret_index);
    if (exchange != NULL) return take(exchange, arena, ret);
    HttpOutcome outcome = receive_more(client, until_us);
    if (outcome != HTTP_ANSWERED) return give_up(client, outcome, ret_index);
  }
}

/* ---- life ---- */

Http2Client *http2_client_create(void) {
  Http2Client *http2 = calloc(1, sizeof *http2);
  nghttp2_session_callbacks *callbacks = NULL;
  assert(http2 != NULL);
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_client_new(&http2->session, callbacks, http2);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, NULL, 0);
  return http2;
}

void http2_client_destroy(Http2Client *http2) {
  if (http2 == NULL) return;
  forget(http2);
  nghttp2_session_del(http2->session);
  free(http2);
}
