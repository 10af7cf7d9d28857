/* error_map.c - every Code with its HTTP status, gRPC status and words, in one table, so that the faces can't differ. */
#include "api/error_map.h"

#include <assert.h>

/* The numbers of google.rpc.Code that are used here. */
enum {
  GRPC_OK = 0,
  GRPC_INVALID_ARGUMENT = 3,
  GRPC_DEADLINE_EXCEEDED = 4,
  GRPC_NOT_FOUND = 5,
  GRPC_PERMISSION_DENIED = 7,
  GRPC_RESOURCE_EXHAUSTED = 8,
  GRPC_FAILED_PRECONDITION = 9,
  GRPC_ABORTED = 10,
  GRPC_UNIMPLEMENTED = 12,
  GRPC_INTERNAL = 13,
  GRPC_UNAVAILABLE = 14,
  GRPC_UNAUTHENTICATED = 16
};

#define FORM(http, grpc, name_text, slug, title_text)                                                                                      \
  { (http), (grpc), STR_INIT(name_text), STR_INIT("/problems/" slug), STR_INIT(title_text) }

static const ErrorForm forms[CODE_COUNT] = {
    [CODE_OK] = FORM(200, GRPC_OK, "OK", "ok", "Done"),
    [CODE_BAD_REQUEST] = FORM(400, GRPC_INVALID_ARGUMENT, "BAD_REQUEST", "bad-request", "The request can't be read"),
    [CODE_UNAUTHENTICATED] = FORM(401, GRPC_UNAUTHENTICATED, "UNAUTHENTICATED", "unauthenticated", "A valid token is needed"),
    [CODE_FORBIDDEN] = FORM(403, GRPC_PERMISSION_DENIED, "FORBIDDEN", "forbidden", "An access rule refuses this"),
    [CODE_NOT_FOUND] = FORM(404, GRPC_NOT_FOUND, "NOT_FOUND", "not-found", "There is no such resource"),
    [CODE_METHOD_NOT_ALLOWED] =
        FORM(405, GRPC_UNIMPLEMENTED, "METHOD_NOT_ALLOWED", "method-not-allowed", "The resource does not have this method"),
    [CODE_NOT_ACCEPTABLE] =
        FORM(406, GRPC_INVALID_ARGUMENT, "NOT_ACCEPTABLE", "not-acceptable", "No media type that was asked for is served"),
    [CODE_CONFLICT] = FORM(409, GRPC_ABORTED, "CONFLICT", "conflict", "The write conflicts with what is stored"),
    [CODE_PRECONDITION_FAILED] =
        FORM(412, GRPC_ABORTED, "PRECONDITION_FAILED", "precondition-failed", "The resource is not in the state that was asked for"),
    [CODE_PRECONDITION_REQUIRED] =
        FORM(428, GRPC_FAILED_PRECONDITION, "PRECONDITION_REQUIRED", "precondition-required", "The write must say which state it expects"),
    [CODE_TOO_LARGE] = FORM(413, GRPC_RESOURCE_EXHAUSTED, "TOO_LARGE", "too-large", "A limit of the server is exceeded"),
    [CODE_UNSUPPORTED_MEDIA_TYPE] = FORM(415, GRPC_INVALID_ARGUMENT, "UNSUPPORTED_MEDIA_TYPE", "unsupported-media-type",
                                         "The body's media type is not understood here"),
    [CODE_VALIDATION_FAILED] = FORM(422, GRPC_INVALID_ARGUMENT, "VALIDATION_FAILED", "validation-failed", "The input is not valid"),
    [CODE_RATE_LIMITED] = FORM(429, GRPC_RESOURCE_EXHAUSTED, "RATE_LIMITED", "rate-limited", "Too many requests"),
    [CODE_TIMEOUT] = FORM(503, GRPC_DEADLINE_EXCEEDED, "TIMEOUT", "timeout", "It took too long"),
    [CODE_UNAVAILABLE] = FORM(503, GRPC_UNAVAILABLE, "UNAVAILABLE", "unavailable", "The server can't do this at the moment"),
    [CODE_INTERNAL] = FORM(500, GRPC_INTERNAL, "INTERNAL", "internal", "The server failed"),
};

const ErrorForm *error_form(Code code) {
  assert(code >= CODE_OK && code < CODE_COUNT);
  return &forms[code];
}

const ErrorForm *error_form_by_slug(Str slug) {
  size_t base_len = sizeof("/problems/") - 1;
  for (int code = CODE_BAD_REQUEST; code < CODE_COUNT; code++) {
    if (str_equal(str_slice(forms[code].type, base_len, forms[code].type.len), slug)) return &forms[code];
  }
  return NULL;
}
