/* error_map.h - the one table of what a Code is on each face. Constant; any thread. */
#pragma once
#include "base/error.h"
#include "base/str.h"

typedef struct ErrorForm {
  int http_status;
  int grpc_status; /* google.rpc.Code */
  Str name;        /* "VALIDATION_FAILED": `code` in problem documents, GraphQL's extensions.code, gRPC's ErrorInfo.reason */
  Str type;        /* "/problems/validation-failed" */
  Str title;
} ErrorForm;

const ErrorForm *error_form(Code code);
/* The form whose type ends in `slug` ("validation-failed"); NULL where there is none. */
const ErrorForm *error_form_by_slug(Str slug);
