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

extern const Asked REQUESTS[];
extern const size_t REQUEST_COUNT;

/* The rows that are there, and what asks for all of them. */
#define ROWS_MADE                                                                                                                          \
  "[{\"method\":\"POST\",\"path\":\"/v1/categories\",\"body\":{\"code\":\"tea\",\"name\":\"Tea\"}},"                                       \
  "{\"method\":\"POST\",\"path\":\"/v1/products\",\"body\":{\"sku\":\"A\",\"name\":\"Green "                                               \
  "tea\",\"price\":\"12.50\",\"stock\":5,\"tags\":[\"x\",\"y\"],\"categoryCode\":\"tea\"}},"                                               \
  "{\"method\":\"POST\",\"path\":\"/v1/products\",\"body\":{\"sku\":\"B\",\"name\":\"Mug\",\"price\":\"3\",\"stock\":7}},"                 \
  "{\"method\":\"POST\",\"path\":\"/v1/reviews\",\"body\":{\"code\":\"r1\",\"productSku\":\"A\",\"stars\":5}},"                            \
  "{\"method\":\"POST\",\"path\":\"/v1/reviews\",\"body\":{\"code\":\"r2\",\"productSku\":\"A\",\"stars\":2}}]"
#define ROWS_ASKED                                                                                                                         \
  "{\"query\":\"{products(first:100){nodes{sku name price stock status tags category{code} reviews{nodes{code stars published "            \
  "author}}}} categories{nodes{code name}}}\"}"
