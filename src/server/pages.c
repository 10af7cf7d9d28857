/* pages.c - one table of paths. A probe answers 200 or 503 with a JSON body that names each check (INTERFACE §3). */
#include "server/pages.h"

#include <stdatomic.h>

#include "api/documents.h"
#include "api/graphql_streams.h"
#include "api/problem_json.h"
#include "api/rest_map.h"
#include "codec/json_out.h"
#include "query/change_feed.h"

enum { PAGE_BYTES_MAX = 4 * 1024 * 1024, REPLICAS_MAX = 64, CHECKS_MAX = 3 + REPLICAS_MAX, VERSIONS_BYTES_MAX = 64 * 1024 };

typedef struct PageCheck {
  const char *name;
  Str detail; /* why not */
  bool is_ok;
  bool is_dispensable; /* the service is well without it */
} PageCheck;

static void respond(Request *request, int status, Str type, const Buf *body) {
  static const HttpHeader no_store = {STR_INIT("cache-control"), STR_INIT("no-store")};
  Arena *arena = request->api.exchange->arena;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, 2);
  if (headers == NULL || body->failed != CODE_OK) {
    request_refuse(request, problem_no_memory(arena), 0);
    return;
  }
  headers[0] = (HttpHeader){STR("content-type"), type};
  headers[1] = no_store;
  request->api.response = (HttpResponse){.status = status, .headers = headers, .header_count = 2, .body = buf_str(body)};
}

static void respond_checks(Request *request, const PageCheck *checks, size_t count) {
  bool is_ok = true;
  for (size_t i = 0; i < count; i++) is_ok = is_ok && (checks[i].is_ok || checks[i].is_dispensable);
  Buf out = buf_on(request->api.exchange->arena, PAGE_BYTES_MAX);
  buf_printf(&out, "{\"status\":\"%s\",\"checks\":{", is_ok ? "ok" : "failed");
  for (size_t i = 0; i < count; i++) {
    buf_printf(&out, "%s\"%s\":{\"status\":\"%s\"", i == 0 ? "" : ",", checks[i].name,
               checks[i].is_ok            ? "ok"
               : checks[i].is_dispensable ? "degraded"
                                          : "failed");
    if (!checks[i].is_ok) {
      buf_add(&out, STR(",\"detail\":"));
      json_write_string(&out, checks[i].detail);
    }
    buf_add_byte(&out, '}');
  }
  buf_add(&out, STR("}}"));
  respond(request, is_ok ? 200 : 503, STR("application/json"), &out);
}

/* ---- Pages ---- */

/* Alive means that a loop runs: this answer is the proof. */
static void page_livez(Request *request) {
  const PageCheck checks[] = {{.name = "loop", .is_ok = true}};
  respond_checks(request, checks, 1);
}

static PageCheck started_check(const ServerShared *shared) {
  return (PageCheck){.name = "listeners", .detail = STR("not every listener is open yet"), .is_ok = atomic_load(&shared->is_started)};
}

static void page_startupz(Request *request) {
  const PageCheck checks[] = {started_check(request->worker->shared)};
  respond_checks(request, checks, 1);
}

static size_t replica_states(Store *store, StoreReplicaState ret[REPLICAS_MAX]) {
  if (store->driver->replicas == NULL) return 0;
  size_t count = store->driver->replicas(store, ret, REPLICAS_MAX);
  return count < REPLICAS_MAX ? count : REPLICAS_MAX;
}

/* Without its replicas the service goes on. */
static size_t replica_checks(Store *store, Arena *arena, PageCheck *ret) {
  StoreReplicaState states[REPLICAS_MAX];
  size_t count = replica_states(store, states);
  for (size_t i = 0; i < count; i++) {
    Str name = arena_printf(arena, "replica-%zu", i + 1), detail = STR("it is too far behind");
    if (!states[i].is_up) detail = arena_str(arena, str_of(states[i].trouble.text));
    ret[i] =
        (PageCheck){.name = name.ptr == NULL ? "replica" : name.ptr, .is_ok = states[i].is_used, .detail = detail, .is_dispensable = true};
  }
  return count;
}

static void page_readyz(Request *request) {
  ServerShared *shared = request->worker->shared;
  Error err = {0};
  bool is_store_ok = shared->store->driver->ping(shared->store, &err) == CODE_OK;
  PageCheck checks[CHECKS_MAX] = {
      started_check(shared),
      {.name = "store", .detail = str_of(err.text), .is_ok = is_store_ok},
      {.name = "draining", .detail = STR("the server is being stopped"), .is_ok = !atomic_load(&shared->http.is_draining)},
  };
  respond_checks(request, checks, 3 + replica_checks(shared->store, request->api.exchange->arena, checks + 3));
}

/* By number, in the order in which they were given: an address is nobody's business. */
static void write_replica_metrics(Buf *out, Store *store) {
  StoreReplicaState states[REPLICAS_MAX];
  size_t count = replica_states(store, states);
  if (count == 0) return;
  buf_add(out, STR("# HELP caisson_store_replica_used Whether reads go to the replica.\n# TYPE caisson_store_replica_used gauge\n"));
  for (size_t i = 0; i < count; i++) buf_printf(out, "caisson_store_replica_used{replica=\"%zu\"} %d\n", i + 1, states[i].is_used);
  buf_add(out,
          STR("# HELP caisson_store_replica_lag_seconds How far the replica is behind; of one that does not answer, when it last did.\n"
              "# TYPE caisson_store_replica_lag_seconds gauge\n"));
  for (size_t i = 0; i < count; i++)
    buf_printf(out, "caisson_store_replica_lag_seconds{replica=\"%zu\"} %lld.%06lld\n", i + 1, (long long)(states[i].lag_us / 1000000),
               (long long)(states[i].lag_us % 1000000));
  buf_add(out, STR("# HELP caisson_store_replica_reads_total Reads that the replica was asked for.\n"
                   "# TYPE caisson_store_replica_reads_total counter\n"));
  for (size_t i = 0; i < count; i++)
    buf_printf(out, "caisson_store_replica_reads_total{replica=\"%zu\"} %llu\n", i + 1, (unsigned long long)states[i].reads);
  buf_add(out, STR("# HELP caisson_store_replica_reads_returned_total Reads that the replica could not answer and the primary did.\n"
                   "# TYPE caisson_store_replica_reads_returned_total counter\n"));
  for (size_t i = 0; i < count; i++)
    buf_printf(out, "caisson_store_replica_reads_returned_total{replica=\"%zu\"} %llu\n", i + 1, (unsigned long long)states[i].returned);
}

static void write_store_metrics(Buf *out, const StoreStats *stats) {
  metric_write(out, STR("caisson_store_reads_total"), STR("counter"), STR("Reads that the store has run."), stats->reads);
  metric_write(out, STR("caisson_store_read_batches_total"), STR("counter"),
               STR("Read transactions: each serves the reads of one loop turn."), stats->read_batches);
  metric_write(out, STR("caisson_store_slow_reads_total"), STR("counter"), STR("Reads that were moved off their loop."), stats->slow_reads);
  metric_write(out, STR("caisson_store_writes_total"), STR("counter"), STR("Writes that the store has run."), stats->writes);
  metric_write(out, STR("caisson_store_write_groups_total"), STR("counter"),
               STR("Durable commits: each holds the writes that were queued."), stats->write_groups);
  metric_write(out, STR("caisson_store_errors_total"), STR("counter"), STR("Reads and writes that failed in the store."), stats->errors);
}

static void write_watch_metrics(Buf *out, ChangeFeed *feed) {
  metric_write(out, STR("caisson_watches_open"), STR("gauge"), STR("Open watches."), atomic_load(&feed->watches));
  metric_write(out, STR("caisson_watch_events_total"), STR("counter"), STR("Events that were sent to watches."), atomic_load(&feed->sent));
  metric_write(out, STR("caisson_watches_cut_total"), STR("counter"), STR("Watches that were ended because they took nothing."),
               atomic_load(&feed->cut));
}

static void write_stream_metrics(Buf *out, GraphqlStreams *streams) {
  if (streams == NULL) return;
  metric_write(out, STR("caisson_graphql_event_streams"), STR("gauge"),
               STR("Event streams, reserved or read, that GraphQL operations share."), graphql_streams_count(streams));
  metric_write(out, STR("caisson_graphql_event_streams_waiting_bytes"), STR("gauge"),
               STR("Bytes of results that wait for the readers of event streams."), graphql_streams_waiting(streams));
}

static void page_metrics(Request *request) {
  ServerShared *shared = request->worker->shared;
  Buf out = buf_on(request->api.exchange->arena, PAGE_BYTES_MAX);
  generation_write_metrics(request->serving->generation, &out);
  metric_write(&out, STR("caisson_http_requests_in_flight"), STR("gauge"), STR("Requests whose answer is being made."),
               atomic_load(&shared->http.requests_in_flight));
  metric_write(&out, STR("caisson_http_requests_shed_total"), STR("counter"),
               STR("Requests that were refused because too much was waiting."), atomic_load(&shared->http.requests_shed));
  metric_write(&out, STR("caisson_http_connections_open"), STR("gauge"), STR("Open connections."),
               atomic_load(&shared->http.connections_open));
  metric_write(&out, STR("caisson_contracts_retired"), STR("gauge"),
               STR("Contracts that were read again and are used yet by requests that began before, a loop each."),
               atomic_load(&shared->retired_count));
  StoreStats stats = shared->store->driver->stats(shared->store);
  write_store_metrics(&out, &stats);
  write_watch_metrics(&out, shared->feed);
  write_stream_metrics(&out, shared->graphql_streams);
  write_replica_metrics(&out, shared->store);
  respond(request, 200, STR("text/plain; version=0.0.4; charset=utf-8"), &out);
}

/* What the reference offers to choose from; the one that is shown first is said. */
static void page_versions(Request *request) {
  const Generation *generation = request->serving->generation;
  Buf out = buf_on(request->api.exchange->arena, VERSIONS_BYTES_MAX);
  JsonOut json = {.buf = &out};
  json_out_open(&json, '{');
  json_out_member_text(&json, STR("newest"), generation->versions[generation->newest].contract->service_version);
  json_out_member_open(&json, STR("versions"), '[');
  for (size_t i = 0; i < generation->version_count; i++) json_out_text(&json, generation->versions[i].contract->service_version);
  json_out_close(&json, ']');
  json_out_close(&json, '}');
  respond(request, 200, STR("application/json"), &out);
}

static void page_root(Request *request) {
  static const HttpHeader headers[] = {{STR_INIT("location"), STR_INIT("/docs")}};
  request->api.response = (HttpResponse){.status = 302, .headers = headers, .header_count = 1, .body = STR("")};
}

static const struct {
  Str path;
  void (*answer)(Request *request);
} pages[] = {
    {STR_INIT("/livez"), page_livez},
    {STR_INIT("/readyz"), page_readyz},
    {STR_INIT("/startupz"), page_startupz},
    {STR_INIT("/metrics"), page_metrics},
    {STR_INIT("/"), page_root},
    {STR_INIT("/docs/"), page_root},
    {STR_INIT("/docs/versions.json"), page_versions},
};

/* RFC 9110 §15.5.6, §9.3.7. */
static void refuse_method(Request *request, HttpMethod method) {
  static const HttpHeader allow[] = {{STR_INIT("allow"), STR_INIT("GET, HEAD, OPTIONS")}};
  Arena *arena = request->api.exchange->arena;
  if (method == HTTP_OPTIONS) {
    request->api.response = (HttpResponse){.status = 204, .headers = allow, .header_count = 1};
    return;
  }
  Problem *problem = ARENA_NEW(arena, Problem);
  if (problem != NULL)
    *problem =
        (Problem){.code = CODE_METHOD_NOT_ALLOWED, .detail = STR("This page can only be read"), .operation = -1, .allow = allow[0].value};
  request_refuse(request, problem != NULL ? problem : problem_no_memory(arena), 0);
}

/* RFC 9110 §9.3.7: of the server as a whole. */
static void answer_asterisk(Request *request) {
  static const HttpHeader allow[] = {{STR_INIT("allow"), STR_INIT("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")}};
  request->api.response = (HttpResponse){.status = 204, .headers = allow, .header_count = 1};
}

static void answer_document(Request *request, const HttpRequest *http) {
  const Documents *documents = request->api.api->documents;
  if (http->method == HTTP_GET || http->method == HTTP_HEAD)
    documents_respond(documents, http, request->api.exchange->arena, &request->api.response);
  else
    refuse_method(request, http->method);
}

bool page_answer(Request *request) {
  const HttpRequest *http = &request->api.exchange->request;
  if (http->method == HTTP_OPTIONS && str_equal(http->path, STR("*"))) return answer_asterisk(request), true;
  if (documents_have(http->path) || documents_is_of_version(http->path, request->api.api->rest->prefix))
    return answer_document(request, http), true;
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
    if (!str_equal(http->path, pages[i].path)) continue;
    if (http->method == HTTP_GET || http->method == HTTP_HEAD)
      pages[i].answer(request);
    else
      refuse_method(request, http->method);
    return true;
  }
  return false;
}
