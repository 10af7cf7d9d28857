/* requests.h - what the server is asked while memory runs out, and what it answers where it does not. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

typedef enum Protocol { REST = 0, GRAPHQL, GRPC, GRPC_WEB, CONNECT } Protocol;

/* $T is a fresh token, $N a number that is another one each time, $C the cursor behind the first product. */
typedef struct Asked {
  const char *name, *method, *path;
  const char *headers; /* lines; NULL: none */
  const char *body;    /* NULL: none */
  /* gRPC's messages, each of which gets its envelope; in the place of `body`. ptr NULL ends them. */
  Str messages[4];
  Str bytes; /* in the place of `body`; ptr NULL: none */
  Protocol protocol;
  bool is_http2, is_text; /* is_text: its envelopes are base64 */
  bool is_websocket;      /* `messages` are sent as a WebSocket's, once there is one */
  int status;
  const char *holds; /* a part of its body, or of its trailers */
  const char *undo;  /* a batch's operations that undo what it writes; NULL: it writes nothing */
  /* A stream that has no end: until when it is read. Where `ready` isn't NULL a row is changed once that has come (empty: once the head
   * has). */
  const char *ready, *until;
  bool is_loose; /* what comes is not the same each time: only `status` and `holds` are compared */
} Asked;

/* What a server of one contract is asked. */
typedef struct RequestSet {
  const Asked *items;
  size_t count;
  const char *rows_made;   /* a batch's operations: the rows that are there */
  const char *rows_asked;  /* a GraphQL request for all of them */
  const char *first_asked; /* the path of a page of one row, for its cursor */
  const char *row;         /* the path of a row that those who watch see change */
  const char *changes[2];  /* merge patches of it; the second is what each `undo` takes back */
} RequestSet;

extern const RequestSet ALL_FACES;  /* request.graphql: every face; also by counting */
extern const RequestSet STATEMENTS; /* statements.graphql: REST and GraphQL, whatever a statement can hold; by places alone */
