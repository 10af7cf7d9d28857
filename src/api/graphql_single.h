/* graphql_single.h - graphql-sse's single connection mode: PUT reserves a stream and gives its token, GET with it reads the stream, POST
 * with it executes an operation whose results go there, DELETE with it stops one. */
#pragma once
#include "api/graphql_request.h"

/* The mode's methods, where it is served. */
#define GRAPHQL_SINGLE_METHODS "GET, HEAD, POST, PUT, DELETE, OPTIONS"

/* True where the request is of this mode: then *ret is what decode returns. */
bool graphql_single_decode(ApiRequest *request, GraphqlState *state, Code *ret);
