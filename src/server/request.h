/* request.h - one request on its way through the declared table of steps. */
#pragma once
#include "api/face.h"
#include "server/trace.h"
#include "server/worker.h"

enum { REQUEST_STEP_COUNT = 8 };

/* Lives in the exchange's arena; exchange->user. */
typedef struct Request {
  ApiRequest api; /* first; what faces and steps see */
  Worker *worker;
  Serving *serving;   /* NULL: it has left its contract */
  Identity *identity; /* NULL: a stranger */
  Trace trace;
  Str authorization, origin, given_request_id, given_traceparent; /* headers; ptr NULL: not sent */
  Str accept, api_version, prefer;
  size_t version;                 /* in the generation */
  bool is_version_by_header;      /* the path has none */
  const Problem *version_problem; /* NULL: the request and its headers agree */
  Freshness freshness;            /* where reads may go to copies */
  uint32_t step;
  bool is_executing, is_executed;
  int64_t begun_us;                         /* monotonic: a streamed answer's head; 0: not yet */
  size_t route;                             /* for metrics */
  int64_t step_ends_us[REQUEST_STEP_COUNT]; /* monotonic; only where Server-Timing is on */
} Request;

/* What the protocol calls; the context is the worker. */
HttpHandler request_handler(Worker *worker);

/* The refusal of `code`, in the form of the request's face, ready in request->api.response. */
void request_refuse(Request *request, const Problem *problem, int status);
