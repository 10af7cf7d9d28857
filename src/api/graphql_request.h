/* graphql_request.h - GraphQL over HTTP: what of a request is the operation, and which media type and status its answer has. */
#pragma once
#include "api/graphql.h"
#include "api/header.h"

typedef struct Graphql {
  GraphqlSchema *schema;
  GraphqlLimits limits;
  struct GraphqlStore *store;     /* api/graphql_store.h */
  struct GraphqlStreams *streams; /* api/graphql_streams.h; NULL: none are served */
} Graphql;

typedef struct GraphqlRequest {
  Str query;       /* ptr NULL: none */
  Str document_id; /* ptr NULL: none */
  Str sha256;      /* of extensions.persistedQuery; ptr NULL: none */
  Str operation_name;
  Str operation_id;           /* of extensions: which of a stream's operations it is; ptr NULL: none */
  const JsonValue *variables; /* NULL: none */
  const JsonValue *batch;     /* an array of requests, and nothing else is set; NULL: it is one */
  bool has_cost;              /* extensions.cost asks for it */
  bool is_strict;             /* the answer is application/graphql-response+json */
  bool is_page;               /* a browser's address: GraphiQL */
  bool can_stream;            /* text/event-stream is named too: for subscriptions */
  bool is_stream;             /* … and preferred: for whatever it is */
} GraphqlRequest;

typedef struct GraphqlState {
  GraphqlRequest request;
  GraphqlRun run;
  GraphqlMistakes mistakes;
  const GraphqlDocument *document;
  bool is_compiled;
  struct GraphqlWatch *watch; /* a subscription's: api/graphql_watch.c */
  struct GraphqlBatch *batch; /* an array's: api/graphql_batch.c */
  struct Single *single;      /* of a stream that many operations share: api/graphql_single.c */
} GraphqlState;

/* From the URL's query (GET) or the body (POST). A problem: not a GraphQL request at all. */
const Problem *graphql_request_read(const HttpRequest *http, Arena *arena, GraphqlRequest *ret);
/* A parameter of the URL's query, decoded; ptr NULL: it is not there, or can't be read. */
Str graphql_request_parameter(const HttpRequest *http, Str name, Arena *arena);
/* The answer's media type by Accept; false: 406. */
bool graphql_negotiate(const HttpRequest *http, GraphqlRequest *ret);
