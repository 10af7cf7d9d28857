/* openapi.h - the OpenAPI 3.1 document of a contract. Written from the contract alone, so that it says what the REST face does. Any thread.
 */
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "contract/model.h"
#include "query/engine.h"

typedef struct OpenapiOptions {
  const EngineLimits *limits;
  bool is_precondition_required;
} OpenapiOptions;

/* `arena` for what is made on the way. */
Code openapi_write(const Contract *contract, const OpenapiOptions *options, Arena *arena, Buf *out, Error *err);
