/* graphql.h - the GraphQL face: GraphQL over HTTP at /graphql. */
#pragma once
#include "api/face.h"
#include "api/graphql_run.h"

extern const Face graphql_face;

/* The schema and the limits, on the Api's arena; api->graphql is what the face works from. */
Code graphql_create(Api *api, const GraphqlLimits *limits, Error *err);
/* From now on only these documents are executed. CODE_VALIDATION_FAILED: one is not, "file:line:column: why". Before the first request. */
Code graphql_trust(const Api *api, const GraphqlTrusted *documents, size_t count, Error *err);
