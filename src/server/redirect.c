/* redirect.c - a listener without TLS that answers nothing but where TLS is: the same host and target, by https. 308 (RFC 9110 §15.4.9),
 * which keeps the method; a body is not read. Nothing of the request but its host and target is looked at, so that a token which was sent
 * here in the clear goes no further. */
#include "base/memory.h"
#include "http/target.h"
#include "io/listener.h"
#include "server/resident.h"

enum { LOCATION_BYTES_MAX = 64 * 1024 };

typedef struct Redirect {
  HttpHandler handler;
  HttpServer *http;
  HttpLimits limits;
  Str address;  /* to listen on; the options' */
  char port[8]; /* ":8443"; empty: https's own */
  size_t port_len;
} Redirect;

static void respond_text(HttpExchange *exchange, int status, Str text) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("text/plain; charset=utf-8")}};
  http_respond(exchange, &(HttpResponse){.status = status, .headers = headers, .header_count = 1, .body = text});
}

static void on_request(void *context, HttpExchange *exchange) {
  const Redirect *redirect = context;
  const HttpRequest *request = &exchange->request;
  Str host = http_authority_host(request->authority);
  if (host.len == 0 || request->target.len == 0 || request->target.ptr[0] != '/') {
    respond_text(exchange, 400, STR("There is no host to send you to\n"));
    return;
  }
  Buf location = buf_on(exchange->arena, LOCATION_BYTES_MAX);
  buf_add(&location, STR("https://"));
  buf_add(&location, host);
  buf_add(&location, (Str){redirect->port, redirect->port_len});
  buf_add(&location, request->target);
  HttpHeader *headers = ARENA_ARRAY(exchange->arena, HttpHeader, 1);
  if (location.failed != CODE_OK || headers == NULL) {
    respond_text(exchange, 503, STR("The server is out of memory\n"));
    return;
  }
  headers[0] = (HttpHeader){STR("location"), buf_str(&location)};
  http_respond(exchange, &(HttpResponse){.status = 308, .headers = headers, .header_count = 1});
}

static void on_refuse(void *context, HttpExchange *exchange, int status, Code code, Str detail, HttpResponse *ret) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("text/plain; charset=utf-8")}};
  (void)context;
  (void)exchange;
  (void)code;
  *ret = (HttpResponse){.status = status, .headers = headers, .header_count = 1, .body = detail};
}

/* As soon as the head is there: whoever sends a body here need not go on. */
static HttpBodyMode on_head(void *context, HttpExchange *exchange) {
  on_request(context, exchange);
  return HTTP_BODY_BUFFERED;
}

static Code open_redirect(Worker *worker, void **ret, Error *err) {
  Str address = worker->shared->config->tls_redirect;
  if (address.len == 0) return CODE_OK;
  Redirect *redirect = memory_alloc(sizeof *redirect);
  TRY_ALLOC(redirect);
  *redirect = (Redirect){.limits = worker->limits, .address = address};
  redirect->handler = (HttpHandler){.head = on_head, .request = on_request, .refuse = on_refuse, .context = redirect};
  Code code = http_server_create(worker->loop, &redirect->limits, &worker->shared->http, &redirect->handler, &redirect->http, err);
  if (code == CODE_OK)
    *ret = redirect;
  else
    memory_free(redirect);
  return code;
}

static void take_port(Redirect *redirect, Str secure_url) {
  size_t colon = secure_url.len;
  while (colon > 0 && secure_url.ptr[colon - 1] != ':') colon--;
  Str port = str_slice(secure_url, colon, secure_url.len);
  int64_t number;
  if (!str_parse_int64(port, &number) || number == 443 || port.len + 1 > sizeof redirect->port) return;
  redirect->port[0] = ':';
  memcpy(redirect->port + 1, port.ptr, port.len);
  redirect->port_len = port.len + 1;
}

static Code start_redirect(void *self, OptionList addresses, Str *ret_address, Error *err) {
  Redirect *redirect = self;
  /* What a listener with TLS said, "https://127.0.0.1:8443": its port is where clients are sent. */
  take_port(redirect, addresses.items[0]);
  TRY(listener_check_free(redirect->address, err));
  return http_server_listen(redirect->http, redirect->address, ret_address, err);
}

static void drain_redirect(void *self, LoopFn *drained, void *context) { http_server_drain(((Redirect *)self)->http, drained, context); }

static void close_redirect(void *self) {
  Redirect *redirect = self;
  http_server_destroy(redirect->http);
  memory_free(redirect);
}

const Resident RESIDENT_REDIRECT = {.open = open_redirect, .start = start_redirect, .drain = drain_redirect, .close = close_redirect};
