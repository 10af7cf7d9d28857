/* http1_client.h - a client of HTTP/1.1 on the simulation's network, in a task: asks, perhaps several times before the first answer, and
 * waits. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "network.h"

typedef struct Http1Client {
  Connection *net; /* NULL: not connected */
  Task *task;
  char *bytes; /* that were received and not yet taken */
  size_t len, cap;
} Http1Client;

typedef struct HttpAnswer {
  int status;
  Str body;       /* on the arena */
  Str request_id; /* X-Request-Id */
  bool is_last;   /* the server closes behind it */
} HttpAnswer;

typedef enum HttpOutcome { HTTP_ANSWERED = 0, HTTP_CLOSED, HTTP_TIMED_OUT } HttpOutcome;

/* False: nobody listens. */
bool http1_connect(Http1Client *client, const NetProfile *profile);
void http1_close(Http1Client *client, bool with_reset);
void http1_done(Http1Client *client);
/* False: the connection is broken, perhaps after a part was sent. */
bool http1_send(Http1Client *client, Str bytes, int64_t until_us);
HttpOutcome http1_receive(Http1Client *client, int64_t until_us, Arena *arena, HttpAnswer *ret);
