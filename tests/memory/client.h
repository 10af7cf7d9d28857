/* client.h - one request over a connection of its own, and all that comes of it; HTTP/1.1 or HTTP/2. */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

typedef struct Question {
  Str method, path;
  Str headers; /* lines "name: value\n", names in small letters */
  Str body;    /* ptr NULL: none */
  bool is_http2, is_tls;
  bool is_websocket; /* HTTP/1: the body is sent behind the head of the answer, as it is */
  /* Of an answer that has no end: what is waited for before its client goes. len 0: the end is. */
  Str until;
  /* Once `ready` has come the world is moved, and moved again while nothing comes, so that `until` comes; NULL: it comes by itself. */
  Str ready;
  void (*move)(void *context);
  void *context;
} Question;

typedef struct Answer {
  int status;          /* 0: no head has come */
  Str head, trailers;  /* lines "name: value\n", names in small letters */
  Str body;            /* what has come of it */
  bool is_whole;       /* the answer has come to its end, or to what was waited for */
  bool is_silent;      /* neither this nor the end of the connection came within the bound */
  const char *strange; /* it is no HTTP; NULL: it is */
} Answer;

/* On `socket`, which is closed. The answer is on `arena`. */
void client_ask(int socket, const Question *question, Arena *arena, Answer *ret);
/* ptr NULL: there is none. */
Str client_header(Str lines, Str name);
