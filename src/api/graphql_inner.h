/* graphql_inner.h - a request within a GraphQL request's own exchange, for the same face: what of a batch, or of a stream that many
 * operations share, is one operation. */
#pragma once
#include "http/inner_exchange.h"

/* POST /graphql with the outer request's headers, but those of its own body and answer; the body is the caller's to set. Copied, as it may
 * be under way longer than the outer one, whose client can leave. NULL when memory is out. */
HttpExchange *graphql_inner_create(const HttpExchange *outer, Str accept);
