/* http.c - our HTTP server with a handler that answers one constant: what http/ and io/ cost beside the bare hello. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/server.h"

static void on_request(void *context, HttpExchange *exchange) {
  (void)context;
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("application/json")}};
  HttpResponse response = {.status = 200, .headers = headers, .header_count = 1, .body = STR("{\"hello\":\"world\"}")};
  http_respond(exchange, &response);
}

int main(int argc, char **argv) {
  static const HttpLimits limits = {
      .body_bytes_max = 1 << 20,
      .header_bytes_max = 16384,
      .uri_bytes_max = 8192,
      .connections_max = 10000,
      .requests_in_flight_max = 1024,
      .streams_max = 1024,
      .request_timeout_ms = 30000,
      .header_timeout_ms = 10000,
      .idle_timeout_ms = 60000,
      .drain_timeout_ms = 30000,
  };
  static HttpShared shared;
  static const HttpHandler handler = {.request = on_request};
  signal(SIGPIPE, SIG_IGN);
  Loop *loop;
  HttpServer *server;
  Error err;
  Str url;
  char address[32];
  snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
  if (loop_create(&loop, &err) != CODE_OK || http_server_create(loop, &limits, &shared, &handler, &server, &err) != CODE_OK ||
      http_server_listen(server, str_of(address), &url, &err) != CODE_OK) {
    fprintf(stderr, "%s\n", err.text);
    return 3;
  }
  printf("listening on %.*s\n", STR_ARGS(url));
  fflush(stdout);
  loop_run(loop);
  return 0;
}
