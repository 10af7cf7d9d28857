/* graphql_store.h - documents that are kept: trusted ones, which are all that is executed where there are any; persisted ones by their
 * SHA-256 (Apollo's protocol); and whatever was valid a moment ago, so that it is neither parsed nor validated again. Any thread. */
#pragma once
#include "api/graphql_request.h"

typedef struct GraphqlStore GraphqlStore;

/* On `arena`, as long as which it lives. All is borrowed. */
Code graphql_store_create(const GraphqlSchema *schema, const GraphqlLimits *limits, Arena *arena, GraphqlStore **ret, Error *err);
/* From now on only these are executed. CODE_VALIDATION_FAILED: one is not, "file:line:column: why". Before the store is used. */
Code graphql_store_trust(GraphqlStore *store, const GraphqlTrusted *documents, size_t count, Error *err);
/* The request's document, parsed and valid, in use until `arena` is reset. False with mistakes noted. */
bool graphql_store_find(GraphqlStore *store, const GraphqlRequest *request, Arena *arena, GraphqlMistakes *mistakes,
                        const GraphqlDocument **ret);
