/* event_stream.c - see event_stream.h. */
#include "api/event_stream.h"

bool event_stream_begin(ApiRequest *request) {
  /* A proxy that buffers would hold events back. */
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("text/event-stream; charset=utf-8")},
                                       {STR_INIT("cache-control"), STR_INIT("no-store")},
                                       {STR_INIT("x-accel-buffering"), STR_INIT("no")}};
  if (request->exchange->is_answered || request->exchange->is_cancelled) return false;
  request->response = (HttpResponse){.status = 200, .headers = headers, .header_count = sizeof headers / sizeof headers[0]};
  request->exchange->is_long = true;
  request->begin(request);
  return true;
}

void event_stream_refuse(ApiRequest *request, const Problem *problem) {
  request->problem = problem;
  request->face->encode_problem(request);
  request->respond(request);
}
