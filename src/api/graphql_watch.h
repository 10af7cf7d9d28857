/* graphql_watch.h - subscriptions: a watch (query/watch.h) whose events are GraphQL results, as server-sent events (graphql-sse's distinct
 * connections) or as messages of a WebSocket (graphql_ws.h). */
#pragma once
#include "api/graphql_request.h"

/* The operation is compiled: its stream begins behind authorization. CODE_OK, or a code with request->problem set. */
Code graphql_watch_prepare(ApiRequest *request, GraphqlState *state);

/* graphql-sse's events. A result is one line of JSON. */
void graphql_sse_write_next(Buf *out, Str result);
void graphql_sse_write_complete(Buf *out);
/* The one result that is ready in request->response becomes a whole stream; `headers` are its headers, content-type first. False when
 * memory is out. */
bool graphql_sse_respond(ApiRequest *request, HttpHeader *headers);
