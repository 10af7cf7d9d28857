/* http_client.h - a client on the simulation's network, in a task: asks, perhaps several times before the first answer, and waits. HTTP/1.1
 * answers in order, HTTP/2 as it comes. What is no HTTP is a violation. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "network.h"

enum { HTTP_REQUESTS_MAX = 8 };

typedef struct HttpRequest {
  Str method, path, content_type, body; /* content_type empty: no body */
  Str request_id, token;
} HttpRequest;

typedef struct HttpAnswer {
  int status;
  Str body;        /* on the arena */
  Str request_id;  /* X-Request-Id */
  Str grpc_status; /* of the trailer, or of the head where there is nothing else */
} HttpAnswer;

typedef enum HttpOutcome { HTTP_ANSWERED = 0, HTTP_CLOSED, HTTP_TIMED_OUT } HttpOutcome;

typedef struct HttpClient {
  Connection *net; /* NULL: not connected */
  Task *task;
  int64_t heard_us;          /* when the last byte came */
  size_t pause_at;           /* after so many bytes of what is asked next ... */
  int64_t pause_us;          /* ... nothing is sent for so long; 0: no pause */
  size_t asked, answered;    /* of the requests that are under way */
  struct Http2Client *http2; /* NULL: HTTP/1.1 */
  char *bytes;               /* HTTP/1.1: that were received and not yet taken */
  size_t len, cap;
} HttpClient;

/* False: nobody listens. */
bool http_connect(HttpClient *client, const NetProfile *profile, bool is_http2);
void http_close(HttpClient *client, bool with_reset);
void http_done(HttpClient *client);
/* Asks all of them; those of the last time are answered or given up. False: the connection is broken, perhaps after a part was sent. */
bool http_ask(HttpClient *client, const HttpRequest *requests, size_t count, int64_t until_us);
/* The next answer, and which request's it is. Unless HTTP_ANSWERED, that one gets none; HTTP_CLOSED may be its stream alone: the
 * connection is closed where `net` is NULL. Called once for each request. */
HttpOutcome http_take(HttpClient *client, int64_t until_us, Arena *arena, size_t *ret_index, HttpAnswer *ret);

/* ---- http_client.c, for the protocols ---- */

/* Sends all of it. False: broken, or too slow. */
bool http_send(HttpClient *client, Str bytes, int64_t until_us);
/* Up to `max` bytes; 0 with *ret_outcome: why there are none. */
size_t http_receive(HttpClient *client, char *bytes, size_t max, int64_t until_us, HttpOutcome *ret_outcome);

/* ---- http1_client.c ---- */
bool http1_ask(HttpClient *client, const HttpRequest *requests, size_t count, int64_t until_us);
HttpOutcome http1_take(HttpClient *client, int64_t until_us, Arena *arena, size_t *ret_index, HttpAnswer *ret);

/* ---- http2_client.c ---- */
struct Http2Client *http2_client_create(void);
void http2_client_destroy(struct Http2Client *http2); /* NULL is fine */
bool http2_ask(HttpClient *client, const HttpRequest *requests, size_t count, int64_t until_us);
HttpOutcome http2_take(HttpClient *client, int64_t until_us, Arena *arena, size_t *ret_index, HttpAnswer *ret);
