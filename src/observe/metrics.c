/* metrics.c - counters have one writer, so that adding is a plain load and store; readers on other threads see each value whole, if a
 * moment late. */
#include "observe/metrics.h"

#include <stdatomic.h>

#include "base/memory.h"

static const int statuses[] = {200, 201, 204, 302, 304, 400, 401, 403, 404, 405, 406, 408, 409, 411,
                               412, 413, 414, 415, 417, 422, 428, 429, 431, 500, 501, 503, 505, 0};
enum { STATUS_COUNT = sizeof statuses / sizeof statuses[0], STATUS_SPAN = 600, BUCKET_COUNT = 13, METHOD_COUNT_MAX = 16 };

/* Upper bounds, in microseconds; the last bucket has none. */
static const struct {
  int64_t us;
  const char *seconds;
} buckets[BUCKET_COUNT] = {
    {100, "0.0001"}, {250, "0.00025"}, {500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"},     {10000, "0.01"},
    {50000, "0.05"}, {100000, "0.1"},  {500000, "0.5"}, {1000000, "1"},  {5000000, "5"},   {INT64_MAX, "+Inf"},
};

typedef _Atomic uint64_t Counter;

typedef struct RouteMetrics {
  Counter requests[METHOD_COUNT_MAX][STATUS_COUNT];
  Counter durations[BUCKET_COUNT];
  Counter duration_us_sum;
} RouteMetrics;

struct RequestMetrics {
  size_t route_count, method_count;
  uint8_t status_index[STATUS_SPAN];
  _Atomic(RouteMetrics *) routes[];
};

static void add(Counter *counter, uint64_t n) {
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

Code request_metrics_create(size_t route_count, size_t method_count, RequestMetrics **ret, Error *err) {
  if (method_count > METHOD_COUNT_MAX) return error_set(err, CODE_INTERNAL, "too many methods");
  size_t bytes = sizeof(RequestMetrics) + route_count * sizeof(RouteMetrics *);
  RequestMetrics *metrics = memory_alloc(bytes);
  TRY_ALLOC(metrics);
  memset(metrics, 0, bytes);
  metrics->route_count = route_count;
  metrics->method_count = method_count;
  memset(metrics->status_index, STATUS_COUNT - 1, sizeof metrics->status_index);
  for (size_t i = 0; i + 1 < STATUS_COUNT; i++) metrics->status_index[statuses[i]] = (uint8_t)i;
  *ret = metrics;
  return CODE_OK;
}

void request_metrics_destroy(RequestMetrics *metrics) {
  if (metrics == NULL) return;
  for (size_t i = 0; i < metrics->route_count; i++) memory_free(atomic_load(&metrics->routes[i]));
  memory_free(metrics);
}

static RouteMetrics *route_metrics(RequestMetrics *metrics, size_t route) {
  RouteMetrics *counters = atomic_load_explicit(&metrics->routes[route], memory_order_relaxed);
  if (counters != NULL) return counters;
  counters = memory_alloc(sizeof *counters);
  if (counters == NULL) return NULL;
  memset((void *)counters, 0, sizeof *counters);
  atomic_store_explicit(&metrics->routes[route], counters, memory_order_release);
  return counters;
}

void request_metrics_count(RequestMetrics *metrics, size_t route, size_t method, int status, int64_t duration_us) {
  RouteMetrics *counters = route < metrics->route_count && method < metrics->method_count ? route_metrics(metrics, route) : NULL;
  if (counters == NULL) return; /* out of memory: a lost count is the least of our worries */
  size_t status_index = status >= 0 && status < STATUS_SPAN ? metrics->status_index[status] : STATUS_COUNT - 1;
  add(&counters->requests[method][status_index], 1);
  size_t bucket = 0;
  while (duration_us > buckets[bucket].us) bucket++;
  add(&counters->durations[bucket], 1);
  if (duration_us > 0) add(&counters->duration_us_sum, (uint64_t)duration_us);
}

static RouteMetrics *loop_route(RequestMetrics *loop, size_t route) {
  return atomic_load_explicit(&loop->routes[route], memory_order_acquire);
}

static uint64_t sum(RequestMetrics *const *loops, size_t loop_count, size_t route, size_t offset) {
  uint64_t total = 0;
  for (size_t i = 0; i < loop_count; i++) {
    RouteMetrics *counters = loop_route(loops[i], route);
    if (counters != NULL) total += atomic_load_explicit((Counter *)((char *)counters + offset), memory_order_relaxed);
  }
  return total;
}

static void write_requests(Buf *out, RequestMetrics *const *loops, size_t loop_count, size_t route, Str route_name, const Str *methods) {
  for (size_t method = 0; method < loops[0]->method_count; method++) {
    for (size_t status = 0; status < STATUS_COUNT; status++) {
      uint64_t total = sum(loops, loop_count, route, offsetof(RouteMetrics, requests) + (method * STATUS_COUNT + status) * sizeof(Counter));
      if (total == 0) continue;
      buf_printf(out, "caisson_http_requests_total{method=\"%.*s\",route=\"%.*s\",status=\"", STR_ARGS(methods[method]),
                 STR_ARGS(route_name));
      if (statuses[status] == 0)
        buf_add(out, STR("other"));
      else
        buf_add_int64(out, statuses[status]);
      buf_printf(out, "\"} %llu\n", (unsigned long long)total);
    }
  }
}

static void write_durations(Buf *out, RequestMetrics *const *loops, size_t loop_count, size_t route, Str route_name) {
  uint64_t total = 0;
  for (size_t i = 0; i < BUCKET_COUNT; i++) total += sum(loops, loop_count, route, offsetof(RouteMetrics, durations) + i * sizeof(Counter));
  if (total == 0) return;
  uint64_t below = 0;
  for (size_t i = 0; i < BUCKET_COUNT; i++) {
    below += sum(loops, loop_count, route, offsetof(RouteMetrics, durations) + i * sizeof(Counter));
    buf_printf(out, "caisson_http_request_duration_seconds_bucket{route=\"%.*s\",le=\"%s\"} %llu\n", STR_ARGS(route_name),
               buckets[i].seconds, (unsigned long long)below);
  }
  uint64_t sum_us = sum(loops, loop_count, route, offsetof(RouteMetrics, duration_us_sum));
  buf_printf(out, "caisson_http_request_duration_seconds_sum{route=\"%.*s\"} %llu.%06llu\n", STR_ARGS(route_name),
             (unsigned long long)(sum_us / 1000000), (unsigned long long)(sum_us % 1000000));
  buf_printf(out, "caisson_http_request_duration_seconds_count{route=\"%.*s\"} %llu\n", STR_ARGS(route_name), (unsigned long long)below);
}

void request_metrics_write(Buf *out, RequestMetrics *const *loops, size_t loop_count, const Str *routes, const Str *methods) {
  if (loop_count == 0) return;
  buf_add(out, STR("# HELP caisson_http_requests_total Requests that were answered.\n# TYPE caisson_http_requests_total counter\n"));
  for (size_t route = 0; route < loops[0]->route_count; route++) write_requests(out, loops, loop_count, route, routes[route], methods);
  buf_add(out, STR("# HELP caisson_http_request_duration_seconds From a request's head to its answer.\n"
                   "# TYPE caisson_http_request_duration_seconds histogram\n"));
  for (size_t route = 0; route < loops[0]->route_count; route++) write_durations(out, loops, loop_count, route, routes[route]);
}

void metric_write(Buf *out, Str name, Str type, Str help, uint64_t value) {
  buf_printf(out, "# HELP %.*s %.*s\n# TYPE %.*s %.*s\n%.*s %llu\n", STR_ARGS(name), STR_ARGS(help), STR_ARGS(name), STR_ARGS(type),
             STR_ARGS(name), (unsigned long long)value);
}
