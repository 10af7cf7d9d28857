/* client.h - one caller: random calls over random connections, each answer held against the model. */
#pragma once
#include "call.h"
#include "plan.h"

typedef struct Client {
  const Plan *plan;
  Model *model; /* of all clients */
  int number;
  size_t steps_left;
  Random random; /* its own: what it does depends on no other client */
  HttpClient http;
  int64_t until_us; /* a step's patience */
  bool has_missed;  /* an answer in it has not come */
  Arena *arena;     /* a step's */
  char token[512];
  size_t requests;
  TaskFn *ended; /* called with `ended_context` when it has done its steps */
  void *ended_context;
} Client;

void client_run(void *client); /* a TaskFn */
