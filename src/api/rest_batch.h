/* rest_batch.h - POST /v1/batch between decode and encode: its requests, each decoded as if it had come alone. */
#pragma once
#include "api/rest_state.h"
#include "base/map.h"

typedef struct RestBatchItem {
  struct RestBatch *batch;
  Str id; /* ptr NULL: none */
  size_t index;
  const JsonValue *body; /* NULL: none */
  HttpExchange exchange; /* the batch's, with this item's request */
  ApiRequest request;    /* what the decoder of ordinary requests made of it */
  RestState *state;
  bool is_answered;        /* request.response is made, and what it refers to is still there */
  bool is_parsed;          /* `answer` is */
  const JsonValue *answer; /* the response's body, read again for those that refer to it; NULL: none */
} RestBatchItem;

typedef struct RestBatch {
  RestBatchItem *items;
  size_t count;
  Map ids; /* RestBatchItem by id: those before the one that is being decoded */
  RestBudget budget;
  size_t reference_bytes; /* put in place of references so far */
  size_t resolved_last;   /* the item that did so last */
  ApiRequest *request;
} RestBatch;

/* rest_reference.c: {"$ref": "ID.field"} inside a body. */

/* Every reference names an earlier request; *ret_has_any: there are some. */
Code rest_references_check(RestDecoder *decoder, const RestBatch *batch, const JsonValue *body, bool *ret_has_any);
/* Call.before of a request whose body refers to others: the context is its RestBatchItem. */
Code rest_references_resolve(Call *call, void *context, const Problem **ret_problem);
/* Makes the item's answer, once for each run of the transaction. */
const Problem *rest_batch_item_answer(RestBatchItem *item);
