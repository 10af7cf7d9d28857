/* rest_state.h - a REST request between decode and encode. */
#pragma once
#include "api/face.h"
#include "api/header.h"
#include "api/rest_encode.h"
#include "api/rest_route.h"

enum { REST_CALLS_MAX = 2 };

typedef struct RestState {
  RestDecoder decoder;
  ApiHeaders headers;
  Preferences preferences;
  RestRoute route;
  RestSink sink;
  Call calls[REST_CALLS_MAX]; /* the last one's result is the answer; one before it asks whether the parent can be seen */
  const Call *main;
  bool is_array; /* CREATE of several */
} RestState;

/* rest_answer.c */
void rest_encode(ApiRequest *request);
