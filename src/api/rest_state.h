/* rest_state.h - a REST request between decode and encode. */
#pragma once
#include "api/face.h"
#include "api/header.h"
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
  Call calls[REST_CALLS_MAX]; /* the last one's result is the answer; one before it asks whether the parent can be seen */
  const Call *main;
  bool is_array;           /* CREATE of several */
  void *stream_state;      /* the stream's own */
  RestStreamFormat stream; /* LIST: of the answer; CREATE: of the body */
} RestState;

/* rest_answer.c */
void rest_encode(ApiRequest *request);
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
