/* server.h - the whole server in this process, on a Unix socket: options, loop, HTTP, faces, engine, SQLite. One for all inputs; each finds
 * the same few rows. */
#pragma once
#include "api/graphql_schema.h"
#include "api/proto_schema.h"
#include "base/arena.h"

typedef struct RequestServer {
  const Contract *contract;
  const GraphqlSchema *graphql;
  const ProtoSchema *proto;
  Str tokens[3]; /* of ann, of zoe, of somebody with the role staff */
} RequestServer;

/* What no answer may hold: a @hidden field's value, and the row of somebody whom no token names. */
#define HUSH "hush-hush"
#define PRIVATE "of-nobody-here"

/* Started when it is first asked for. */
const RequestServer *request_server(void);
/* The rows are as they were at first. */
void request_server_reset(void);
/* Sends the bytes over a connection of their own and reads until the server ends that; or, where an answer has no end (`is_endless`), until
 * nothing has come for a moment. What comes is on the arena. *ret_is_silent: the server has neither answered nor closed in good time. */
Str request_server_ask(Str bytes, bool is_endless, Arena *arena, bool *ret_is_silent);
