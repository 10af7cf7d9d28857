/* graphql.h - the GraphQL face: GraphQL over HTTP at /graphql. */
#pragma once
#include "api/face.h"
#include "api/graphql_run.h"

extern const Face FACE_GRAPHQL;
/* What the face has prepared; api/graphql_request.h. */
static inline const struct Graphql *graphql_of(const Api *api) { return api_prepared(api, &FACE_GRAPHQL); }
