/* rest_state.h - a REST request between decode and encode. */
#pragma once
#include "api/face.h"
#include "api/header.h"
#include "api/rest_aggregate.h"
#include "api/rest_encode.h"
#include "api/rest_route.h"

enum { REST_CALLS_MAX = 2 };

/* How rows come or go as a stream (rest_export.c, rest_import.c). */
typedef enum RestStreamFormat { REST_STREAM_NONE = 0, REST_STREAM_NDJSON, REST_STREAM_CSV } RestStreamFormat;

typedef struct RestState {
  RestDecoder decoder;
  ApiHeaders headers;
  Preferences preferences;
  RestRoute route;
  RestSink sink;
  RestAggregate aggregate;
  RestGroupSink groups;       /* AGGREGATE: instead of the sink */
  Call calls[REST_CALLS_MAX]; /* the last one's result is the answer; one before it asks whether the parent can be seen */
  const Call *main;
  bool is_array;                     /* CREATE of several */
  void *stream_state;                /* the stream's own */
  RestStreamFormat stream;           /* LIST: of the answer; CREATE: of the body */
  bool is_answered;                  /* the answer was made inside the transaction */
  struct RestBatch *batch;           /* BATCH */
  const struct RestBatchItem *inner; /* one of a batch's requests; NULL: a request of its own */
} RestState;

/* rest.c */
Code rest_decode_request(ApiRequest *request, RestState *state);
/* The transaction's last step: CallGroup.answer. */
Code rest_answer_in_transaction(CallGroup *group, const Problem **ret_problem);

/* rest_answer.c: request->response, or request->problem, from results that are no refusals. */
void rest_answer_make(ApiRequest *request, RestState *state);
void rest_encode(ApiRequest *request);
/* The refusal of the first call that has one; NULL: all went well. */
const Problem *rest_group_problem(const CallGroup *group);
/* The Link header's value for another page of the list that was asked for (RFC 8288); ptr NULL without memory. */
Str rest_page_link(const ApiRequest *request, Str cursor, Str parameter, Str relation);

/* rest_export.c: a list of any length, `--export-max` rows at most, read page by page as fast as its reader takes it. */
/* By Accept; NONE where JSON is as welcome. */
RestStreamFormat rest_export_format(Str accept);
/* After the calls are decoded: sets request->stream. */
Code rest_export_prepare(ApiRequest *request, RestState *state);

/* rest_import.c: rows of any number, created in pieces as they come; each piece is a transaction. */
RestStreamFormat rest_import_format(const HttpRequest *request);
Code rest_import_prepare(ApiRequest *request, RestState *state);

/* rest_watch.c: the changes of a list, for as long as its client stays. */
Code rest_watch_accept(RestState *state);
Code rest_watch_prepare(ApiRequest *request, RestState *state);

/* rest_batch.c */
Code rest_batch_decode(ApiRequest *request, RestState *state);
void rest_batch_answer(ApiRequest *request, RestState *state);
/* The problem as the batch tells it, with the operation that it comes from. */
const Problem *rest_batch_problem(const ApiRequest *request, const RestState *state);
/* The body of one of a batch's requests; ptr NULL: none. */
const JsonValue *rest_batch_item_body(const struct RestBatchItem *item);

/* rest_once.c */
Code rest_once_decode(ApiRequest *request, RestState *state);
/* The response as bytes that can be kept; ptr NULL when memory is out. */
Str rest_once_write(const HttpResponse *response, Arena *arena);
/* CODE_INTERNAL where `kept` was not written by rest_once_write; CODE_UNAVAILABLE without memory. */
Code rest_once_read(Str kept, Arena *arena, HttpResponse *ret);
