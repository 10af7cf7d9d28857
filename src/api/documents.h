/* documents.h - what the server tells of itself: the OpenAPI document, the reference page in a browser, a page for each problem. Made once
 * for a contract, immutable afterwards, any thread. */
#pragma once
#include "api/face.h"

typedef struct Documents Documents;

/* On the Api's arena. */
Code documents_create(const Api *api, const Documents **ret, Error *err);
/* True where there is a document at `path`; it is read with GET and HEAD. */
bool documents_have(Str path);
/* True for /v1/openapi.json, where `prefix` is "/v1/": the version's own document, which no face serves. */
bool documents_is_of_version(Str path, Str prefix);
/* GraphiQL, where a GET or HEAD of /graphql asks for HTML. */
void documents_respond_graphiql(const HttpRequest *request, Arena *arena, HttpResponse *ret);
/* Answers a GET or HEAD of such a path. */
void documents_respond(const Documents *documents, const HttpRequest *request, Arena *arena, HttpResponse *ret);
