/* graphql_batch.h - a JSON array of GraphQL requests (--graphql-batch-max): each takes the way of one that came alone, one behind the
 * other. */
#pragma once
#include "api/graphql_request.h"

/* `state->request.batch` is within the limit; the request is answered by its stream. False: memory is out. */
bool graphql_batch_prepare(ApiRequest *request, GraphqlState *state);
