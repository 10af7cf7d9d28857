/* trace.h - what a request is called: X-Request-Id, and W3C Trace Context's traceparent. Taken from the request where they are well-formed,
 * else made. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { TRACEPARENT_LEN = 55, TRACE_ID_LEN = 32, REQUEST_ID_LEN_MAX = 128 };

/* A loop's source of ids: unique, not secret. */
typedef struct TraceSource {
  uint64_t state[2];
} TraceSource;

typedef struct Trace {
  char traceparent[TRACEPARENT_LEN];
  Str request_id; /* the client's, or the trace id within `traceparent` */
} Trace;

/* False when the system gives no random bytes. */
bool trace_source_init(TraceSource *source);
/* `request_id` and `traceparent` are headers' values; ptr NULL: not sent. */
void trace_init(Trace *trace, TraceSource *source, Str request_id, Str traceparent);
static inline Str trace_id(const Trace *trace) { return (Str){trace->traceparent + 3, TRACE_ID_LEN}; }
bool traceparent_is_valid(Str value);
bool request_id_is_valid(Str value);
