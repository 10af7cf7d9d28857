/* worker.c - making, running and ending one event loop. */
#include "server/worker.h"

#include <assert.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/memory.h"
#include "query/watch.h"
#include "server/request.h"
#include "server/resident_registry.h"

enum { ADOPT_AGAIN_MS = 100 };

/* ---- Generations ---- */

static void serving_destroy(Serving *serving) {
  if (serving == NULL) return;
  for (size_t i = 0; i < serving->generation->version_count; i++) engine_destroy(serving->engines[i]);
  generation_release(serving->generation);
  memory_free(serving);
}

static Code serving_create(Worker *worker, Generation *generation, Serving **ret, Error *err) {
  Serving *serving = memory_alloc(sizeof *serving + generation->version_count * sizeof serving->engines[0]);
  TRY_ALLOC(serving);
  *serving = (Serving){.generation = generation};
  generation_hold(generation);
  for (size_t i = 0; i < generation->version_count; i++) serving->engines[i] = NULL;
  for (size_t i = 0; i < generation->version_count; i++) {
    const GenerationVersion *version = &generation->versions[i];
    Code code = engine_create(version->contract, worker->session, &version->api->limits, &serving->engines[i], err);
    if (code == CODE_OK) {
      engine_use_keys(serving->engines[i], worker->shared->idempotency_keys);
      engine_use_changes(serving->engines[i], worker->shared->feed, worker->hub);
      continue;
    }
    serving_destroy(serving);
    return code;
  }
  *ret = serving;
  return CODE_OK;
}

static void free_retired(Worker *worker) {
  for (Serving **link = &worker->retired; *link != NULL;) {
    Serving *serving = *link;
    if (serving->request_count > 0) {
      link = &serving->next;
    } else {
      *link = serving->next;
      atomic_fetch_sub_explicit(&worker->shared->retired_count, 1, memory_order_relaxed);
      serving_destroy(serving);
    }
  }
}

Serving *worker_serving_acquire(Worker *worker) {
  worker->serving->request_count++;
  return worker->serving;
}

/* A retired serving is freed at the end of the turn, not here: its engine may still be on the stack. */
void worker_serving_release(Worker *worker, Serving *serving) {
  (void)worker;
  serving->request_count--;
}

/* It was said to be read again: for want of memory it is adopted later, unless there is a newer one by then. */
static void adopt_later(Worker *worker, Generation *generation) {
  Generation *none = NULL;
  if (!atomic_compare_exchange_strong(&worker->adopted, &none, generation)) generation_release(generation);
  loop_timer_start(worker->adopt_timer, ADOPT_AGAIN_MS, 0);
}

static void adopt(void *context) {
  Worker *worker = context;
  Serving *serving = NULL;
  Generation *generation = atomic_exchange(&worker->adopted, NULL);
  if (generation == NULL) return;
  if (serving_create(worker, generation, &serving, NULL) != CODE_OK) {
    adopt_later(worker, generation);
    return;
  }
  worker->serving->next = worker->retired;
  worker->retired = worker->serving;
  atomic_fetch_add_explicit(&worker->shared->retired_count, 1, memory_order_relaxed);
  worker->serving = serving;
  watch_hub_end_all(worker->hub, CODE_UNAVAILABLE, "the contract was read again: come back with the position", false);
  generation_release(generation);
}

void worker_post_adopt(Worker *worker, Generation *generation) {
  generation_hold(generation);
  Generation *waiting = atomic_exchange(&worker->adopted, generation);
  if (waiting == NULL) loop_post(worker->loop, &worker->adopt_message);
  generation_release(waiting);
}

/* ---- The end of a turn ---- */

static void flush_log(void *context);

static void log_timer_fired(void *context) {
  Worker *worker = context;
  worker->is_log_timer_set = false;
  flush_log(worker);
}

static void flush_log(void *context) {
  Worker *worker = context;
  if (worker->retired != NULL) free_retired(worker);
  if (worker->log == NULL) return;
  bool is_left = access_log_flush(worker->log, loop_now_ms(worker->loop), false);
  if (!is_left || worker->is_log_timer_set) return;
  worker->is_log_timer_set = true;
  loop_timer_start(worker->log_timer, ACCESS_LOG_DELAY_MS, 0);
}

/* ---- Residents ---- */

static Code open_residents(Worker *worker, Error *err) {
  size_t count = 0;
  const Resident *const *residents = server_residents(&count);
  assert(count <= RESIDENTS_MAX);
  for (size_t i = 0; worker->index == 0 && i < count; i++) TRY(residents[i]->open(worker, &worker->residents[i], err));
  return CODE_OK;
}

Code worker_start_residents(Worker *worker, OptionList *addresses, Error *err) {
  size_t count = 0;
  const Resident *const *residents = server_residents(&count);
  Str *items = (Str *)addresses->items;
  for (size_t i = 0; i < count; i++) {
    Str address = {NULL, 0};
    if (worker->residents[i] == NULL || residents[i]->start == NULL) continue;
    TRY(residents[i]->start(worker->residents[i], *addresses, &address, err));
    if (address.len > 0) items[addresses->count++] = address;
  }
  return CODE_OK;
}

static void close_residents(Worker *worker) {
  size_t count = 0;
  const Resident *const *residents = server_residents(&count);
  for (size_t i = 0; i < count; i++) {
    if (worker->residents[i] != NULL) residents[i]->close(worker->residents[i]);
  }
}

/* ---- Draining ---- */

static void quiet(void *context) {
  Worker *worker = context;
  if (--worker->draining_count == 0) loop_stop(worker->loop);
}

static void drained(void *context) {
  Worker *worker = context;
  watch_hub_drain(worker->hub, quiet, worker);
}

static void begin_drain(void *context) {
  Worker *worker = context;
  size_t count = 0;
  const Resident *const *residents = server_residents(&count);
  if (worker->draining_count > 0) return;
  worker->draining_count = 1;
  watch_hub_end_all(worker->hub, CODE_UNAVAILABLE, "the server is stopping: come back with the position", true);
  for (size_t i = 0; i < count; i++) {
    if (worker->residents[i] == NULL || residents[i]->drain == NULL) continue;
    worker->draining_count++;
    residents[i]->drain(worker->residents[i], quiet, worker);
  }
  http_server_drain(worker->http, drained, worker);
}

void worker_post_drain(Worker *worker) { loop_post(worker->loop, &worker->drain_message); }

void worker_run(Worker *worker) {
  loop_run(worker->loop);
  if (worker->log != NULL) (void)access_log_flush(worker->log, 0, true);
}

bool worker_is_idle(const Worker *worker) {
  size_t under_way = worker->loose_count + worker->serving->request_count;
  for (const Serving *serving = worker->retired; serving != NULL; serving = serving->next) under_way += serving->request_count;
  return under_way == 0;
}

/* ---- Making ---- */

/* Of any face; the versions' are the same. */
static size_t body_bytes_largest(const Api *api) {
  size_t largest = 0;
  for (size_t i = 0; i < api->face_count; i++) {
    size_t of_face = api->faces[i]->body_bytes_max == NULL ? 0 : api->faces[i]->body_bytes_max(api, NULL);
    if (of_face > largest) largest = of_face;
  }
  return largest;
}

static HttpLimits http_limits_of(const ServeConfig *config, const Api *api, size_t worker_count) {
  return (HttpLimits){
      .body_bytes_max = config->body_bytes_max,
      .body_bytes_largest = body_bytes_largest(api),
      .header_bytes_max = config->header_bytes_max,
      .uri_bytes_max = config->uri_bytes_max,
      .connections_max = config->connections_max,
      .requests_in_flight_max = config->requests_in_flight_max,
      .requests_in_flight_share = (config->requests_in_flight_max + worker_count - 1) / worker_count,
      .queue_wait_ms = (uint32_t)config->queue_wait_ms,
      .streams_max = config->streams_max,
      .control_frames_max = config->control_frames_max,
      .ping_interval_min_ms = (uint32_t)config->ping_interval_min_ms,
      .ping_interval_ms = (uint32_t)config->ping_interval_ms,
      .ping_timeout_ms = (uint32_t)config->ping_timeout_ms,
      .connection_age_max_ms = (uint32_t)config->connection_age_max_ms,
      .request_timeout_ms = (uint32_t)config->request_timeout_ms,
      .header_timeout_ms = (uint32_t)config->header_timeout_ms,
      .idle_timeout_ms = (uint32_t)config->idle_timeout_ms,
      .drain_timeout_ms = (uint32_t)config->drain_timeout_ms,
  };
}

static Code make_log(Worker *worker, Error *err) {
  int format = worker->shared->config->log;
  if (format == LOG_AUTO) format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON;
  if (format == LOG_OFF) return CODE_OK;
  TRY(loop_timer_create(worker->loop, log_timer_fired, worker, &worker->log_timer, err));
  return access_log_create(STDERR_FILENO, format == LOG_TEXT ? ACCESS_LOG_TEXT : ACCESS_LOG_JSON, &worker->log, err);
}

static Code make_authenticator(Worker *worker, Error *err) {
  const ServeConfig *config = worker->shared->config;
  AuthenticatorOptions options = {.secret = worker->shared->jwt_secret,
                                  .issuer = config->jwt_issuer,
                                  .audience = config->jwt_audience,
                                  .leeway_us = (int64_t)config->jwt_leeway_ms * 1000,
                                  .identities_max = config->tokens_cached_max};
  return authenticator_create(&options, &worker->authenticator, err);
}

static Code fill(Worker *worker, Generation *generation, Error *err) {
  ServerShared *shared = worker->shared;
  TRY(loop_create(&worker->loop, err));
  TRY(store_session_open(shared->store, worker->loop, &worker->session, err));
  TRY(watch_hub_create(worker->loop, worker->session, shared->feed, &worker->hub, err));
  TRY(serving_create(worker, generation, &worker->serving, err));
  TRY(make_authenticator(worker, err));
  TRY(make_log(worker, err));
  TRY(loop_timer_create(worker->loop, adopt, worker, &worker->adopt_timer, err));
  if (!trace_source_init(&worker->ids)) return error_set(err, CODE_UNAVAILABLE, "the system gives no random bytes");
  worker->limits = http_limits_of(shared->config, generation->versions[0].api, shared->worker_count);
  worker->handler = request_handler(worker);
  TRY(http_server_create(worker->loop, &worker->limits, &shared->http, &worker->handler, &worker->http, err));
  http_server_use_tls(worker->http, shared->tls);
  TRY(open_residents(worker, err));
  loop_hook_add(worker->loop, &worker->end_of_turn);
  return CODE_OK;
}

Code worker_create(ServerShared *shared, size_t index, Generation *generation, Worker **ret, Error *err) {
  Worker *worker = memory_alloc(sizeof *worker);
  TRY_ALLOC(worker);
  *worker = (Worker){
      .shared = shared,
      .index = index,
      .end_of_turn = {.run = flush_log, .context = worker},
      .drain_message = {.run = begin_drain, .context = worker},
      .adopt_message = {.run = adopt, .context = worker},
  };
  Code code = fill(worker, generation, err);
  if (code == CODE_OK)
    *ret = worker;
  else
    worker_destroy(worker);
  return code;
}

void worker_destroy(Worker *worker) {
  if (worker == NULL) return;
  http_server_destroy(worker->http);
  close_residents(worker);
  while (worker->retired != NULL) {
    Serving *next = worker->retired->next;
    serving_destroy(worker->retired);
    worker->retired = next;
  }
  serving_destroy(worker->serving);
  generation_release(atomic_load(&worker->adopted));
  watch_hub_stop(worker->hub);
  if (worker->session != NULL) store_session_close(worker->session);
  loop_timer_destroy(worker->log_timer);
  loop_timer_destroy(worker->adopt_timer);
  access_log_destroy(worker->log);
  authenticator_destroy(worker->authenticator);
  loop_destroy(worker->loop);
  watch_hub_destroy(worker->hub);
  memory_free(worker);
}
