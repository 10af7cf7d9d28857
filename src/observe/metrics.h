/* metrics.h - what a server counts of its requests, in Prometheus' text form. Each loop counts for itself without locks; any thread may
 * write the sum of all. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct RequestMetrics RequestMetrics;

/* Rows are the routes that the server numbers; columns the methods. A route's counters are made when it is first asked for. */
Code request_metrics_create(size_t route_count, size_t method_count, RequestMetrics **ret, Error *err);
void request_metrics_destroy(RequestMetrics *metrics); /* NULL is fine */
/* On the owner's loop. A status that has no counter of its own counts as "other". */
void request_metrics_count(RequestMetrics *metrics, size_t route, size_t method, int status, int64_t duration_us);

/* caisson_http_requests_total by method, route and status, and the histogram caisson_http_request_duration_seconds by route. The names need
 * no escaping. */
void request_metrics_write(Buf *out, RequestMetrics *const *loops, size_t loop_count, const Str *routes, const Str *methods);

/* One metric without labels: its HELP, TYPE ("counter", "gauge") and value. */
void metric_write(Buf *out, Str name, Str type, Str help, uint64_t value);
