/* server_test.c - the server over loopback: a loop on a thread of its own, clients that send exactly what the test says. Where a test
 * waits, it waits for what must come, for ten seconds at most. */
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* The server under test. */

typedef struct Fixture {
  Loop *loop;
  HttpServer *server;
  HttpShared shared;
  HttpLimits limits;
  pthread_t thread;
  LoopMessage drain;
  int port;
  HttpExchange *held[8]; /* /hold: answered by /release */
  size_t held_count;
  LoopTimer *timer;
  HttpExchange *paused;
  LoopMessage read_more;
  LoopMessage release;
  atomic_size_t finished, cancelled, drained;
  atomic_size_t body_bytes;
  atomic_int body_end; /* Code + 1 */
  bool is_unix;
  char url[128];
} Fixture;

static const HttpHeader text_headers[] = {{STR_INIT("content-type"), STR_INIT("text/plain")}};

static void respond_text(HttpExchange *exchange, int status, Str body) {
  http_respond(exchange, &(HttpResponse){.status = status, .headers = text_headers, .header_count = 1, .body = body});
}

static Str query_of(const HttpExchange *exchange) { return exchange->request.query; }

typedef struct StreamState {
  int64_t left;
} StreamState;

static void stream_on(HttpExchange *exchange) {
  static const char block[1000] = {[0 ... 999] = 'a'};
  StreamState *state = exchange->user;
  while (state->left > 0) {
    state->left--;
    if (!http_write(exchange, (Str){block, sizeof block})) return;
  }
  if (state->left == 0) {
    state->left = -1;
    http_end(exchange, &(HttpHeader){STR("x-sum"), STR("1")}, 1);
  }
}

static void start_stream(HttpExchange *exchange) {
  StreamState *state = ARENA_NEW(exchange->arena, StreamState);
  assert_true(str_parse_int64(query_of(exchange), &state->left));
  exchange->user = state;
  exchange->on_writable = stream_on;
  http_begin(exchange, &(HttpResponse){.status = 200, .headers = text_headers, .header_count = 1});
  stream_on(exchange);
}

static void on_cancel(HttpExchange *exchange) {
  Fixture *fixture = exchange->user;
  atomic_fetch_add(&fixture->cancelled, 1);
  http_abort(exchange);
}

static void release_held(Fixture *fixture) {
  for (size_t i = fixture->held_count; i > 0; i--) respond_text(fixture->held[i - 1], 200, STR("held"));
  fixture->held_count = 0;
}

static bool on_body(HttpExchange *exchange, Str bytes) {
  Fixture *fixture = exchange->user;
  atomic_fetch_add(&fixture->body_bytes, bytes.len);
  fixture->paused = exchange;
  loop_post(fixture->loop, &fixture->read_more);
  return false;
}

static void on_read_more(void *context) {
  Fixture *fixture = context;
  if (fixture->paused != NULL) http_read_more(fixture->paused);
  fixture->paused = NULL;
}

static void on_body_end(HttpExchange *exchange, Code code) {
  Fixture *fixture = exchange->user;
  atomic_store(&fixture->body_end, (int)code + 1);
  respond_text(exchange, code == CODE_OK ? 200 : 400, arena_printf(exchange->arena, "%zu bytes", atomic_load(&fixture->body_bytes)));
}

static void end_stream(HttpExchange *exchange) {
  http_write(exchange, STR("enough"));
  http_end(exchange, NULL, 0);
}

static void answer_with_trailers(HttpExchange *exchange) {
  static const HttpHeader trailers[] = {{STR_INIT("x-sum"), STR_INIT("5")}};
  http_respond(
      exchange,
      &(HttpResponse){
          .status = 200, .headers = text_headers, .header_count = 1, .body = query_of(exchange), .trailers = trailers, .trailer_count = 1});
}

static HttpBodyMode on_head(void *context, HttpExchange *exchange) {
  Fixture *fixture = context;
  if (str_equal(exchange->request.path, STR("/early"))) {
    respond_text(exchange, 401, STR("early"));
  } else if (str_equal(exchange->request.path, STR("/upload"))) {
    exchange->user = fixture;
    exchange->on_body = on_body;
    exchange->on_body_end = on_body_end;
    return HTTP_BODY_STREAMED;
  }
  return HTTP_BODY_BUFFERED;
}

static void on_request(void *context, HttpExchange *exchange) {
  Fixture *fixture = context;
  Str path = exchange->request.path;
  if (str_equal(path, STR("/hello"))) {
    respond_text(exchange, 200, STR("hello"));
  } else if (str_equal(path, STR("/echo"))) {
    respond_text(exchange, 200, exchange->request.body);
  } else if (str_equal(path, STR("/number"))) {
    respond_text(exchange, 200, arena_printf(exchange->arena, "<%.*s>", STR_ARGS(query_of(exchange))));
  } else if (str_equal(path, STR("/hold"))) {
    fixture->held[fixture->held_count++] = exchange;
  } else if (str_equal(path, STR("/release"))) {
    release_held(fixture);
    respond_text(exchange, 200, STR("released"));
  } else if (str_equal(path, STR("/sleep"))) {
    usleep(100000);
    respond_text(exchange, 200, STR("slept"));
  } else if (str_equal(path, STR("/nothing"))) {
    http_respond(exchange, &(HttpResponse){.status = 204});
  } else if (str_equal(path, STR("/trailers"))) {
    answer_with_trailers(exchange);
  } else if (str_equal(path, STR("/impatient"))) {
    fixture->held[fixture->held_count++] = exchange;
    http_bound(exchange, 50000);
  } else if (str_equal(path, STR("/endless"))) {
    exchange->on_deadline = exchange->on_drain = end_stream;
    if (query_of(exchange).len > 0) http_bound(exchange, 50000);
    http_begin(exchange, &(HttpResponse){.status = 200});
    http_write(exchange, STR("begun"));
  } else if (str_equal(path, STR("/stream"))) {
    start_stream(exchange);
  } else if (str_equal(path, STR("/cut"))) {
    http_begin(exchange, &(HttpResponse){.status = 200});
    http_write(exchange, STR("half"));
    http_abort(exchange);
  } else if (str_equal(path, STR("/big"))) {
    size_t len = 3000000;
    char *body = arena_alloc(exchange->arena, len);
    memset(body, 'b', len);
    respond_text(exchange, 200, (Str){body, len});
  } else if (str_equal(path, STR("/forever"))) {
    exchange->user = fixture;
    exchange->on_cancel = on_cancel;
  } else if (!str_equal(path, STR("/upload"))) {
    respond_text(exchange, 404, STR("no"));
  }
}

static void on_refuse(void *context, HttpExchange *exchange, int status, Code code, Str detail, HttpResponse *ret) {
  (void)context;
  (void)status;
  ret->headers = text_headers;
  ret->header_count = 1;
  ret->body = arena_printf(exchange->arena, "%.*s: %.*s", STR_ARGS(code_name(code)), STR_ARGS(detail));
}

static void on_finished(void *context, HttpExchange *exchange) {
  (void)exchange;
  Fixture *fixture = context;
  atomic_fetch_add(&fixture->finished, 1);
}

static void on_drained(void *context) {
  Fixture *fixture = context;
  atomic_store(&fixture->drained, 1);
  loop_stop(fixture->loop);
}

static void begin_drain(void *context) {
  Fixture *fixture = context;
  http_server_drain(fixture->server, on_drained, fixture);
}

static void on_release(void *context) { release_held(context); }

static void *run_loop(void *context) {
  Fixture *fixture = context;
  loop_run(fixture->loop);
  return NULL;
}

static Fixture *start_on(HttpLimits limits, const char *address) {
  Fixture *fixture = calloc(1, sizeof *fixture);
  HttpHandler handler = {.head = on_head, .request = on_request, .refuse = on_refuse, .finished = on_finished, .context = fixture};
  Error err = {.text = ""};
  Str url;
  assert_int_equal(loop_create(&fixture->loop, &err), CODE_OK);
  assert_int_equal(http_server_create(fixture->loop, &limits, &fixture->shared, &handler, &fixture->server, &err), CODE_OK);
  assert_int_equal(http_server_listen(fixture->server, str_of(address), &url, &err), CODE_OK);
  fixture->limits = limits;
  snprintf(fixture->url, sizeof fixture->url, "%.*s", STR_ARGS(url));
  const char *colon = strrchr(fixture->url, ':');
  fixture->port = (int)strtol(colon + 1, NULL, 10);
  fixture->drain = (LoopMessage){.run = begin_drain, .context = fixture};
  fixture->release = (LoopMessage){.run = on_release, .context = fixture};
  fixture->read_more = (LoopMessage){.run = on_read_more, .context = fixture};
  assert_int_equal(pthread_create(&fixture->thread, NULL, run_loop, fixture), 0);
  return fixture;
}

static const HttpLimits usual = {
    .body_bytes_max = 4 << 20,
    .header_bytes_max = 16384,
    .uri_bytes_max = 8192,
    .connections_max = 100,
    .requests_in_flight_max = 100,
    .request_timeout_ms = 30000,
    .header_timeout_ms = 10000,
    .idle_timeout_ms = 60000,
    .drain_timeout_ms = 5000,
};

static Fixture *start(HttpLimits limits) { return start_on(limits, "127.0.0.1:0"); }

static void stop(Fixture *fixture) {
  if (atomic_load(&fixture->drained) == 0) loop_stop(fixture->loop);
  pthread_join(fixture->thread, NULL);
  release_held(fixture);
  http_server_destroy(fixture->server);
  loop_destroy(fixture->loop);
  assert_int_equal(atomic_load(&fixture->shared.connections_open), 0);
  assert_int_equal(atomic_load(&fixture->shared.requests_in_flight), 0);
  free(fixture);
}

/* The client. */

typedef struct Client {
  int fd;
  char *received;
  size_t len;
  bool is_closed, is_reset;
} Client;

static Client client_on(int fd) {
  struct timeval patience = {.tv_sec = 10};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return (Client){.fd = fd, .received = calloc(1, 8 << 20)};
}

static int try_connect(const Fixture *fixture) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)fixture->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

static Client client_connect(const Fixture *fixture) {
  int fd = try_connect(fixture);
  assert_true(fd >= 0);
  return client_on(fd);
}

static void client_send_bytes(Client *client, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t sent = send(client->fd, bytes, len, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;
    assert_true(sent > 0);
    bytes += sent;
    len -= (size_t)sent;
  }
}

static void client_send(Client *client, const char *text) { client_send_bytes(client, text, strlen(text)); }

/* False when nothing more comes. */
static bool client_receive(Client *client) {
  ssize_t count = recv(client->fd, client->received + client->len, 65536, 0);
  if (count < 0 && errno == ECONNRESET) client->is_reset = true;
  if (count < 0 && errno == EAGAIN) fail_msg("nothing came; so far: %.200s", client->received);
  if (count <= 0) {
    client->is_closed = true;
    return false;
  }
  client->len += (size_t)count;
  client->received[client->len] = '\0';
  return true;
}

static size_t count_of(const char *text, const char *part) {
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) count++;
  return count;
}

static void client_await(Client *client, const char *part, size_t count) {
  while (count_of(client->received, part) < count) {
    if (!client_receive(client)) fail_msg("closed before %zu of '%s'; so far: %.300s", count, part, client->received);
  }
}

static void client_await_end(Client *client) {
  while (client_receive(client)) {}
}

static void client_close(Client *client) {
  close(client->fd);
  free(client->received);
}

/* Sends, reads to the end of the connection, compares the statuses in order. */
static void assert_statuses(Fixture *fixture, const char *request, const char *expected) {
  Client client = client_connect(fixture);
  client_send(&client, request);
  client_await_end(&client);
  char statuses[256] = "";
  for (const char *at = client.received; (at = strstr(at, "HTTP/1.1 ")) != NULL; at += 9) {
    if (at[9] < '0' || at[9] > '9') continue; /* a sentence */
    size_t used = strlen(statuses);
    snprintf(statuses + used, sizeof statuses - used, "%.3s ", at + 9);
  }
  assert_string_equal(statuses, expected);
  client_close(&client);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST(target) "GET " target " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void a_request_is_answered_and_the_connection_kept(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  for (size_t i = 1; i <= 3; i++) {
    client_send(&client, GET("/hello"));
    client_await(&client, "\r\n\r\nhello", i);
  }
  assert_non_null(strstr(client.received, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: "));
  assert_non_null(strstr(client.received, "content-length: 5\r\n"));
  assert_null(strstr(client.received, "connection:"));
  assert_null(strstr(client.received, "server:"));
  client_close(&client);
  stop(fixture);
}

static void bytes_may_come_one_by_one(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  const char request[] =
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" LAST("/hello");
  for (size_t i = 0; i < sizeof request - 1; i++) client_send_bytes(&client, request + i, 1);
  client_await_end(&client);
  assert_non_null(strstr(client.received, "\r\n\r\nabcde"));
  assert_non_null(strstr(client.received, "\r\n\r\nhello"));
  client_close(&client);
  stop(fixture);
}

static void a_hundred_pipelined_requests_are_answered_in_order(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  char requests[8192] = "", expected[32];
  for (int i = 0; i < 100; i++) snprintf(requests + strlen(requests), 80, "GET /number?%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
  client_send(&client, requests);
  client_await(&client, ">", 100);
  const char *at = client.received;
  for (int i = 0; i < 100; i++) {
    snprintf(expected, sizeof expected, "<%d>", i);
    at = strstr(at, expected);
    assert_non_null(at);
  }
  client_close(&client);
  stop(fixture);
}

/* The first answer is made last; the second, which was there before, waits for it. */
static void pipelined_answers_wait_for_their_turn(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture), other = client_connect(fixture);
  client_send(&client, GET("/hold") GET("/hello") GET("/stream?3") GET("/hold") LAST("/number?9"));
  client_send(&other, GET("/hello"));
  client_await(&other, "hello", 1);
  while (atomic_load(&fixture->shared.requests_in_flight) != 2) usleep(1000);
  client_send(&other, GET("/release"));
  client_await_end(&client);
  char *held = strstr(client.received, "\r\n\r\nheld"), *hello = strstr(client.received, "\r\n\r\nhello"),
       *trailer = strstr(client.received, "0\r\nx-sum: 1\r\n\r\n");
  assert_true(held != NULL && hello > held && trailer > hello && strstr(trailer, "held") != NULL && strstr(trailer, "<9>") != NULL);
  client_close(&client);
  client_close(&other);
  stop(fixture);
}

/* RFC 9112 §9.3.2. */
static void what_changes_something_is_not_worked_on_in_parallel(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture), other = client_connect(fixture);
  client_send(&client, GET("/hold") "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" LAST("/hello"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  for (size_t i = 1; i <= 2; i++) {
    client_send(&other, GET("/release"));
    client_await(&client, "held", i);
    if (i == 1) assert_null(strstr(client.received, "hello"));
    while (i == 1 && atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  }
  client_await_end(&client);
  assert_int_equal(count_of(client.received, "HTTP/1.1 200"), 3);
  client_close(&client);
  client_close(&other);
  stop(fixture);
}

static void what_is_not_http_is_refused_and_closed(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  assert_statuses(fixture, "\x16\x03\x01\x02", "400 ");
  assert_statuses(fixture, "nonsense\r\n\r\n" GET("/hello"), "400 ");
  assert_statuses(fixture, GET("/hello") "BREW / HTTP/1.1\r\nHost: x\r\n\r\n" GET("/hello"), "200 501 ");
  assert_statuses(fixture, "GET / HTTP/3.0\r\nHost: x\r\n\r\n", "505 ");
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd" GET("/hello"), "400 ");
  assert_statuses(fixture, LAST("/hello") "nonsense\r\n\r\n", "200 ");
  assert_statuses(fixture, "GET /hello HTTP/1.0\r\n\r\n", "200 ");
  assert_statuses(fixture, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n", "200 200 ");
  stop(fixture);
}

static void a_refusal_speaks_in_the_handlers_words(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, "GET / HTTP/1.1\r\n\r\n");
  client_await_end(&client);
  assert_non_null(strstr(client.received, "connection: close\r\n"));
  assert_non_null(strstr(client.received, "BAD_REQUEST: There must be exactly one Host field"));
  while (atomic_load(&fixture->finished) != 1) usleep(1000);
  client_close(&client);
  stop(fixture);
}

static void head_and_204_have_no_body(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client,
              "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" GET("/nothing") "HEAD /stream?5 HTTP/1.1\r\nHost: x\r\n\r\n" LAST("/number?1"));
  client_await_end(&client);
  assert_int_equal(count_of(client.received, "HTTP/1.1 "), 4);
  assert_non_null(strstr(client.received, "content-length: 5\r\n\r\nHTTP/1.1 204 No Content\r\n"));
  assert_int_equal(count_of(client.received, "content-length"), 2);
  assert_null(strstr(client.received, "aaa"));
  client_close(&client);
  stop(fixture);
}

static void a_body_that_is_too_large_is_refused_before_it_is_read(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.body_bytes_max = 10;
  Fixture *fixture = start(limits);
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n", "413 ");
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n", "413 ");
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n", "413 ");
  /* One that is soon over is read to its end, and the connection kept. */
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890" LAST("/hello"), "413 200 ");
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789", "200 ");
  stop(fixture);
}

static void expectations_are_met_or_refused(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n");
  client_await(&client, "HTTP/1.1 100 Continue\r\n\r\n", 1);
  client_send(&client, "abc");
  client_await_end(&client);
  assert_non_null(strstr(client.received, "\r\n\r\nabc"));
  client_close(&client);
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: the-worst\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
                  "417 ");
  assert_statuses(fixture, "POST /early HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", "401 ");
  assert_statuses(fixture, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" LAST("/hello"), "401 200 ");
  assert_statuses(fixture, "GET /hello HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", "200 ");
  stop(fixture);
}

static void a_client_that_closes_its_half_is_answered(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture), other = client_connect(fixture);
  client_send(&client, GET("/hold") GET("/hello"));
  shutdown(client.fd, SHUT_WR);
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  client_send(&other, GET("/release"));
  client_await_end(&client);
  assert_int_equal(count_of(client.received, "HTTP/1.1 200"), 2);
  client_close(&client);
  client_close(&other);
  /* … but half a body is none. */
  client = client_connect(fixture);
  client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc");
  shutdown(client.fd, SHUT_WR);
  client_await_end(&client);
  assert_non_null(strstr(client.received, "HTTP/1.1 400 "));
  client_close(&client);
  stop(fixture);
}

static void slow_heads_and_bodies_get_408_and_idle_ones_silence(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.header_timeout_ms = 200;
  limits.idle_timeout_ms = 600;
  Fixture *fixture = start(limits);
  assert_statuses(fixture, "GET / HTTP/1.1\r\nHost:", "408 ");
  assert_statuses(fixture, GET("/hello") "G", "200 408 ");
  assert_statuses(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", "408 ");
  assert_statuses(fixture, "", "");
  assert_statuses(fixture, GET("/hello"), "200 ");
  /* A slowloris sends a byte now and then; the head's time runs from its first. */
  Client client = client_connect(fixture);
  for (size_t i = 0; i < 100 && recv(client.fd, client.received, 1, MSG_PEEK | MSG_DONTWAIT) < 0; i++) {
    client_send(&client, i == 0 ? "GET / HTTP/1.1\r\nX: " : "a");
    usleep(20000);
  }
  client_await_end(&client);
  assert_non_null(strstr(client.received, "HTTP/1.1 408 Request Timeout"));
  client_close(&client);
  stop(fixture);
}

static void a_request_that_takes_too_long_gets_503(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.request_timeout_ms = 200;
  Fixture *fixture = start(limits);
  Client client = client_connect(fixture);
  client_send(&client, GET("/hold") GET("/hello"));
  client_await(&client, "hello", 1);
  assert_non_null(strstr(client.received, "HTTP/1.1 503 Service Unavailable\r\n"));
  assert_non_null(strstr(client.received, "retry-after: 1\r\n"));
  assert_non_null(strstr(client.received, "TIMEOUT: The request took too long"));
  /* The handler's answer comes after all, and goes nowhere. */
  client_send(&client, LAST("/release"));
  client_await_end(&client);
  assert_non_null(strstr(client.received, "released"));
  assert_null(strstr(client.received, "held"));
  while (atomic_load(&fixture->finished) != 3) usleep(1000);
  client_close(&client);
  stop(fixture);
}

static void an_answer_may_have_trailers(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, GET("/trailers?hello") GET("/trailers?") LAST("/hello"));
  client_await_end(&client);
  assert_non_null(strstr(client.received, "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\nHTTP/1.1 200"));
  assert_non_null(strstr(client.received, "transfer-encoding: chunked\r\n\r\n0\r\nx-sum: 5\r\n\r\nHTTP/1.1 200"));
  client_close(&client);
  stop(fixture);
}

static void a_client_may_wait_for_less_than_the_server_would(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, GET("/impatient"));
  client_await(&client, "TIMEOUT: The time that the client gave is over", 1);
  assert_non_null(strstr(client.received, "HTTP/1.1 503 Service Unavailable\r\n"));
  /* What has begun ends by its handler. */
  client_send(&client, GET("/endless?bound"));
  client_await(&client, "5\r\nbegun\r\n6\r\nenough\r\n0\r\n\r\n", 1);
  client_close(&client);
  stop(fixture);
}

static void an_endless_answer_hears_of_the_drain(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, GET("/endless"));
  client_await(&client, "begun", 1);
  loop_post(fixture->loop, &fixture->drain);
  client_await_end(&client);
  assert_non_null(strstr(client.received, "6\r\nenough\r\n0\r\n\r\n"));
  client_close(&client);
  stop(fixture);
}

static void requests_in_flight_have_a_limit(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  Fixture *fixture = start(limits);
  Client client = client_connect(fixture);
  client_send(&client, GET("/hold") GET("/hello"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  assert_statuses(fixture, LAST("/hello"), "503 ");
  client_close(&client);
  stop(fixture);
}

/* One request is held: a second connection's stands in line. */
static void requests_beyond_the_limit_wait_for_their_turn(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  limits.queue_wait_ms = 10000;
  Fixture *fixture = start(limits);
  Client holder = client_connect(fixture), first = client_connect(fixture), second = client_connect(fixture);
  client_send(&holder, LAST("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  client_send(&first, LAST("/number?1"));
  client_send(&second, "GET /number?2 HTTP/1.1\r\nHost: x\r\n");
  usleep(20000);
  client_send(&second, "Connection: close\r\n\r\n");
  assert_int_equal(first.len, 0);
  loop_post(fixture->loop, &fixture->release);
  client_await_end(&first);
  client_await_end(&second);
  assert_non_null(strstr(first.received, "<1>"));
  assert_non_null(strstr(second.received, "<2>"));
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 0);
  client_close(&holder);
  client_close(&first);
  client_close(&second);
  stop(fixture);
}

static void who_has_waited_too_long_is_refused(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  limits.queue_wait_ms = 20;
  Fixture *fixture = start(limits);
  Client holder = client_connect(fixture), client = client_connect(fixture);
  client_send(&holder, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  client_send(&client, LAST("/hello"));
  client_await_end(&client);
  assert_non_null(strstr(client.received, " 503 "));
  assert_non_null(strstr(client.received, "retry-after:"));
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 1);
  client_close(&client);
  client_close(&holder);
  stop(fixture);
}

/* It is not there any more when its turn comes. */
static void who_leaves_the_line_is_forgotten(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  limits.queue_wait_ms = 10000;
  Fixture *fixture = start(limits);
  Client holder = client_connect(fixture), client = client_connect(fixture);
  client_send(&holder, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  client_send(&client, GET("/hello"));
  usleep(20000);
  client_close(&holder);
  client_close(&client);
  stop(fixture);
}

static int64_t now_ms(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

/* Refused after 100 ms; the next request then stands in line only after 100 ms more. */
static void who_was_refused_and_asks_again_at_once_is_kept_waiting(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  limits.queue_wait_ms = 100;
  Fixture *fixture = start(limits);
  Client holder = client_connect(fixture), client = client_connect(fixture);
  client_send(&holder, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  client_send(&client, GET("/hello"));
  client_await(&client, " 503 ", 1);
  int64_t before_ms = now_ms();
  client_send(&client, GET("/hello"));
  client_await(&client, " 503 ", 2);
  assert_true(now_ms() - before_ms >= 150);
  /* As soon as there is room he has his turn. */
  client_send(&client, GET("/hello"));
  loop_post(fixture->loop, &fixture->release);
  client_await(&client, " 200 ", 1);
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 2);
  client_close(&client);
  client_close(&holder);
  stop(fixture);
}

static void who_leaves_while_he_is_kept_waiting_is_forgotten(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  limits.queue_wait_ms = 100;
  Fixture *fixture = start(limits);
  Client holder = client_connect(fixture), client = client_connect(fixture);
  client_send(&holder, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  client_send(&client, GET("/hello"));
  client_await(&client, " 503 ", 1);
  client_send(&client, GET("/hello"));
  client_close(&client);
  usleep(20000);
  client_close(&holder);
  stop(fixture);
}

/* More come while the loop is busy than are begun in one turn. */
static void many_that_come_at_once_are_answered_over_several_turns(void **state) {
  (void)state;
  enum { MANY = 90 };
  HttpLimits limits = usual;
  limits.queue_wait_ms = 10000;
  Fixture *fixture = start(limits);
  Client sleeper = client_connect(fixture), clients[MANY];
  for (size_t i = 0; i < MANY; i++) {
    clients[i] = client_connect(fixture);
    client_send(&clients[i], GET("/hello"));
    client_await(&clients[i], "hello", 1);
  }
  client_send(&sleeper, GET("/sleep"));
  for (size_t i = 0; i < MANY; i++) client_send(&clients[i], GET("/hello") GET("/nothing"));
  for (size_t i = 0; i < MANY; i++) client_await(&clients[i], " 204 ", 1);
  client_await(&sleeper, "slept", 1);
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 0);
  for (size_t i = 0; i < MANY; i++) client_close(&clients[i]);
  client_close(&sleeper);
  stop(fixture);
}

/* ---- Bodies that are on their way ---- */

#define POST_EXPECTING(target, length) "POST " target " HTTP/1.1\r\nHost: x\r\nContent-Length: " length "\r\nExpect: 100-continue\r\n\r\n"

/* Its head has been taken; `body` of it has been sent. */
static Client client_sending(const Fixture *fixture, const char *head, const char *body) {
  Client client = client_connect(fixture);
  client_send(&client, head);
  client_await(&client, "100 Continue", 1);
  client_send(&client, body);
  return client;
}

static void a_body_that_is_on_its_way_holds_no_place(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  Fixture *fixture = start(limits);
  Client first = client_sending(fixture, POST_EXPECTING("/echo", "5"), "abc");
  Client second = client_sending(fixture, POST_EXPECTING("/echo", "5"), "fgh");
  assert_int_equal(atomic_load(&fixture->shared.requests_in_flight), 0);
  assert_statuses(fixture, LAST("/hello"), "200 ");
  client_send(&second, "ij");
  client_await(&second, "fghij", 1);
  client_send(&first, "de" LAST("/hello"));
  client_await_end(&first);
  assert_non_null(strstr(first.received, "abcde"));
  assert_non_null(strstr(first.received, "hello"));
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 0);
  client_close(&first);
  client_close(&second);
  stop(fixture);
}

static void a_body_is_not_asked_for_where_there_is_no_room(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  Fixture *fixture = start(limits);
  Client holder = client_connect(fixture);
  client_send(&holder, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  assert_statuses(fixture, POST_EXPECTING("/echo", "5"), "503 ");
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 1);
  client_close(&holder);
  stop(fixture);
}

/* Meanwhile another request has taken the only place. */
static Fixture *start_with_body_and_holder(uint32_t queue_wait_ms, Client *ret_sender, Client *ret_holder) {
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 1;
  limits.queue_wait_ms = queue_wait_ms;
  Fixture *fixture = start(limits);
  *ret_sender = client_sending(fixture, POST_EXPECTING("/echo", "5"), "abc");
  *ret_holder = client_connect(fixture);
  client_send(ret_holder, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  client_send(ret_sender, "de" GET("/number?2"));
  return fixture;
}

static void a_body_that_has_come_waits_for_its_turn(void **state) {
  (void)state;
  Client sender, holder;
  Fixture *fixture = start_with_body_and_holder(10000, &sender, &holder);
  usleep(20000);
  loop_post(fixture->loop, &fixture->release);
  client_await(&sender, "<2>", 1);
  assert_non_null(strstr(sender.received, "abcde"));
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 0);
  client_close(&sender);
  client_close(&holder);
  stop(fixture);
}

static void a_body_that_has_come_is_refused_where_it_would_wait_too_long(void **state) {
  (void)state;
  static const uint32_t waits_ms[] = {0, 20};
  for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
    Client sender, holder;
    Fixture *fixture = start_with_body_and_holder(waits_ms[i], &sender, &holder);
    client_await(&sender, " 503 ", 1);
    assert_non_null(strstr(sender.received, "UNAVAILABLE: "));
    client_close(&sender);
    client_close(&holder);
    stop(fixture);
  }
}

static void who_leaves_while_his_body_waits_for_its_turn_is_forgotten(void **state) {
  (void)state;
  Client sender, holder;
  Fixture *fixture = start_with_body_and_holder(10000, &sender, &holder);
  usleep(20000);
  client_close(&sender);
  usleep(20000);
  loop_post(fixture->loop, &fixture->release);
  client_await(&holder, "held", 1);
  assert_statuses(fixture, LAST("/hello"), "200 ");
  client_close(&holder);
  stop(fixture);
}

static void the_oldest_of_too_many_bodies_makes_room(void **state) {
  (void)state;
  enum { SENT = 900, ALL = 1000 };
  HttpLimits limits = usual;
  limits.requests_in_flight_max = 2;
  limits.body_bytes_max = ALL; /* two of them may be in memory */
  Fixture *fixture = start(limits);
  char part[SENT + 1] = {0};
  memset(part, 'a', SENT);
  Client oldest = client_sending(fixture, POST_EXPECTING("/echo", "1000"), part);
  Client other = client_sending(fixture, POST_EXPECTING("/echo", "1000"), part);
  Client newest = client_sending(fixture, POST_EXPECTING("/echo", "1000"), part);
  client_await_end(&oldest);
  assert_non_null(strstr(oldest.received, " 503 "));
  assert_non_null(strstr(oldest.received, "UNAVAILABLE: "));
  part[ALL - SENT] = '\0';
  client_send(&other, part);
  client_await(&other, " 200 ", 1);
  client_send(&newest, part);
  client_await(&newest, " 200 ", 1);
  assert_int_equal(atomic_load(&fixture->shared.requests_shed), 1);
  client_close(&oldest);
  client_close(&other);
  client_close(&newest);
  stop(fixture);
}

static void connections_have_a_limit(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.connections_max = 1;
  Fixture *fixture = start(limits);
  Client client = client_connect(fixture);
  client_send(&client, GET("/hello"));
  client_await(&client, "hello", 1);
  assert_statuses(fixture, "", "503 ");
  client_send(&client, LAST("/hello"));
  client_await(&client, "hello", 2);
  client_close(&client);
  stop(fixture);
}

static void an_answer_is_streamed_to_a_slow_reader_within_bounds(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, "GET /stream?3000 HTTP/1.0\r\n\r\n");
  client_await_end(&client);
  assert_int_equal(strlen(strstr(client.received, "\r\n\r\n") + 4), 3000000);
  client_close(&client);
  client = client_connect(fixture);
  client_send(&client, LAST("/stream?3000"));
  client_await_end(&client);
  assert_int_equal(count_of(client.received, "\r\n3e8\r\n"), 3000);
  assert_non_null(strstr(client.received, "\r\n0\r\nx-sum: 1\r\n\r\n"));
  client_close(&client);
  stop(fixture);
}

static void a_big_answer_arrives_whole(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, GET("/hello") LAST("/big"));
  client_await_end(&client);
  const char *body = strstr(strstr(client.received, "content-length: 3000000"), "\r\n\r\n") + 4;
  assert_int_equal(strspn(body, "b"), 3000000);
  client_close(&client);
  stop(fixture);
}

static void an_answer_that_is_cut_does_not_look_whole(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, GET("/cut") GET("/hello"));
  client_await_end(&client);
  assert_non_null(strstr(client.received, "4\r\nhalf\r\n"));
  assert_null(strstr(client.received, "0\r\n\r\n"));
  assert_null(strstr(client.received, "hello"));
  client_close(&client);
  client = client_connect(fixture);
  client_send(&client, "GET /cut HTTP/1.0\r\n\r\n");
  client_await_end(&client);
  assert_true(client.is_reset);
  client_close(&client);
  stop(fixture);
}

static void a_streamed_body_is_read_as_it_is_wanted(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  size_t len = 5000000;
  char *body = calloc(1, len);
  client_send(&client, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n");
  client_send_bytes(&client, body, len);
  client_send(&client, LAST("/hello"));
  client_await_end(&client);
  assert_non_null(strstr(client.received, "5000000 bytes"));
  assert_non_null(strstr(client.received, "hello"));
  free(body);
  client_close(&client);
  client = client_connect(fixture);
  atomic_store(&fixture->body_bytes, 0);
  client_send(&client,
              "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n" LAST("/hello"));
  client_await_end(&client);
  assert_non_null(strstr(client.received, "6 bytes"));
  assert_non_null(strstr(client.received, "hello"));
  client_close(&client);
  client = client_connect(fixture);
  client_send(&client, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  shutdown(client.fd, SHUT_WR);
  client_await_end(&client);
  assert_non_null(strstr(client.received, "HTTP/1.1 400 "));
  assert_int_equal(atomic_load(&fixture->body_end), CODE_BAD_REQUEST + 1);
  client_close(&client);
  stop(fixture);
}

static void a_client_that_is_gone_cancels_its_requests(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client client = client_connect(fixture);
  client_send(&client, GET("/forever"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  struct linger reset = {.l_onoff = 1};
  setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  client_close(&client);
  while (atomic_load(&fixture->finished) != 1) usleep(1000);
  assert_int_equal(atomic_load(&fixture->cancelled), 1);
  stop(fixture);
}

static void a_drain_answers_what_has_come_and_closes_the_rest(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  Client busy = client_connect(fixture), idle = client_connect(fixture), other = client_connect(fixture);
  client_send(&busy, GET("/hold") GET("/number?2"));
  client_send(&other, GET("/hello"));
  client_await(&other, "hello", 1);
  client_send(&other, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 2) usleep(1000);
  loop_post(fixture->loop, &fixture->drain);
  client_await_end(&idle);
  assert_int_equal(idle.len, 0);
  int fd = try_connect(fixture);
  assert_true(fd < 0);
  /* What is there is served still, on the connections that are there. */
  loop_post(fixture->loop, &fixture->release);
  client_await_end(&busy);
  client_await_end(&other);
  assert_non_null(strstr(busy.received, "held"));
  assert_non_null(strstr(busy.received, "<2>"));
  assert_non_null(strstr(other.received, "connection: close"));
  client_close(&busy);
  client_close(&idle);
  client_close(&other);
  pthread_join(fixture->thread, NULL);
  assert_int_equal(pthread_create(&fixture->thread, NULL, run_loop, fixture), 0);
  atomic_store(&fixture->drained, 0);
  stop(fixture);
}

static void a_drain_does_not_wait_for_ever(void **state) {
  (void)state;
  HttpLimits limits = usual;
  limits.drain_timeout_ms = 100;
  Fixture *fixture = start(limits);
  Client client = client_connect(fixture);
  client_send(&client, GET("/hold"));
  while (atomic_load(&fixture->shared.requests_in_flight) != 1) usleep(1000);
  loop_post(fixture->loop, &fixture->drain);
  client_await_end(&client);
  assert_int_equal(client.len, 0);
  client_close(&client);
  stop(fixture);
}

static void a_unix_socket_and_ipv6_are_served(void **state) {
  (void)state;
  char address[64];
  snprintf(address, sizeof address, "unix:/tmp/caisson-test-%d.sock", (int)getpid());
  Fixture *fixture = start_on(usual, address);
  assert_string_equal(fixture->url, address);
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  snprintf(path.sun_path, sizeof path.sun_path, "%s", address + 5);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&path, sizeof path), 0);
  Client client = client_on(fd);
  client_send(&client, LAST("/hello"));
  client_await(&client, "hello", 1);
  client_close(&client);
  stop(fixture);
  assert_int_equal(access(path.sun_path, F_OK), -1);

  fixture = start_on(usual, "[::1]:0");
  assert_int_equal(strncmp(fixture->url, "http://[::1]:", 13), 0);
  fd = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)fixture->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  assert_int_equal(connect(fd, (struct sockaddr *)&v6, sizeof v6), 0);
  client = client_on(fd);
  client_send(&client, LAST("/hello"));
  client_await(&client, "hello", 1);
  client_close(&client);
  stop(fixture);
}

static void addresses_that_can_not_be_had_say_why(void **state) {
  (void)state;
  Fixture *fixture = start(usual);
  static const char *const wrong[] = {"",        "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "example.com:80",
                                      "[::1:80", "unix:"};
  Error err;
  Str url;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(http_server_listen(fixture->server, str_of(wrong[i]), &url, &err), CODE_BAD_REQUEST);
  }
  assert_int_equal(http_server_listen(fixture->server, STR("unix:/nowhere/x.sock"), &url, &err), CODE_UNAVAILABLE);
  assert_int_equal(http_server_listen(fixture->server, STR("unix:/dev/null"), &url, &err), CODE_UNAVAILABLE);
  stop(fixture);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_is_answered_and_the_connection_kept),
      cmocka_unit_test(bytes_may_come_one_by_one),
      cmocka_unit_test(a_hundred_pipelined_requests_are_answered_in_order),
      cmocka_unit_test(pipelined_answers_wait_for_their_turn),
      cmocka_unit_test(what_changes_something_is_not_worked_on_in_parallel),
      cmocka_unit_test(what_is_not_http_is_refused_and_closed),
      cmocka_unit_test(a_refusal_speaks_in_the_handlers_words),
      cmocka_unit_test(head_and_204_have_no_body),
      cmocka_unit_test(a_body_that_is_too_large_is_refused_before_it_is_read),
      cmocka_unit_test(expectations_are_met_or_refused),
      cmocka_unit_test(a_client_that_closes_its_half_is_answered),
      cmocka_unit_test(slow_heads_and_bodies_get_408_and_idle_ones_silence),
      cmocka_unit_test(a_request_that_takes_too_long_gets_503),
      cmocka_unit_test(an_answer_may_have_trailers),
      cmocka_unit_test(a_client_may_wait_for_less_than_the_server_would),
      cmocka_unit_test(an_endless_answer_hears_of_the_drain),
      cmocka_unit_test(requests_in_flight_have_a_limit),
      cmocka_unit_test(requests_beyond_the_limit_wait_for_their_turn),
      cmocka_unit_test(who_has_waited_too_long_is_refused),
      cmocka_unit_test(who_leaves_the_line_is_forgotten),
      cmocka_unit_test(who_was_refused_and_asks_again_at_once_is_kept_waiting),
      cmocka_unit_test(who_leaves_while_he_is_kept_waiting_is_forgotten),
      cmocka_unit_test(many_that_come_at_once_are_answered_over_several_turns),
      cmocka_unit_test(a_body_that_is_on_its_way_holds_no_place),
      cmocka_unit_test(a_body_is_not_asked_for_where_there_is_no_room),
      cmocka_unit_test(a_body_that_has_come_waits_for_its_turn),
      cmocka_unit_test(a_body_that_has_come_is_refused_where_it_would_wait_too_long),
      cmocka_unit_test(who_leaves_while_his_body_waits_for_its_turn_is_forgotten),
      cmocka_unit_test(the_oldest_of_too_many_bodies_makes_room),
      cmocka_unit_test(connections_have_a_limit),
      cmocka_unit_test(an_answer_is_streamed_to_a_slow_reader_within_bounds),
      cmocka_unit_test(a_big_answer_arrives_whole),
      cmocka_unit_test(an_answer_that_is_cut_does_not_look_whole),
      cmocka_unit_test(a_streamed_body_is_read_as_it_is_wanted),
      cmocka_unit_test(a_client_that_is_gone_cancels_its_requests),
      cmocka_unit_test(a_drain_answers_what_has_come_and_closes_the_rest),
      cmocka_unit_test(a_drain_does_not_wait_for_ever),
      cmocka_unit_test(a_unix_socket_and_ipv6_are_served),
      cmocka_unit_test(addresses_that_can_not_be_had_say_why),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
