/* app.c - the order of starting: secret, store, tables, workers, listeners; then "listening" may be said. Taking apart goes backwards. */
#include "server/app.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/graphql_streams.h"
#include "auth/secret.h"
#include "contract/load.h"
#include "contract/versions.h"
#include "io/listener.h"
#include "migrate/start.h"
#include "query/change_feed.h"
#include "server/explain.h"
#include "server/jwt_secret.h"
#include "server/signals.h"
#include "server/worker.h"
#include "store/replicas.h"

/* How often the changes of other instances are looked for where nothing has told of them. */
enum { WATCH_POLL_MS = 1000 };
enum { REPORT_BYTES_MAX = 1024, WARNING_BYTES_MAX = 256 * 1024 };

struct App {
  Arena *arena;
  const ServeConfig *config;
  const Str *contract_paths;
  size_t contract_count;
  AppWarnFn *warn;
  void *warn_context;
  ServerShared shared;
  Generation *generation;
  size_t thread_count; /* workers that run on a thread of their own: 1 to thread_count */
  OptionList addresses;
  SignalThread *signals;
};

/* ---- Parts ---- */

static void warn(const App *app, Str text) {
  if (app->warn != NULL && text.ptr != NULL) app->warn(app->warn_context, text);
}

/* Any thread. What the database says of a failure goes to the operator's log; callers of the API never see it. */
static void report_store(void *context, Str text) {
  const App *app = context;
  char line[REPORT_BYTES_MAX];
  size_t len = 0;
  for (Str part = str_slice(text, 0, sizeof line - 16); len < part.len; len++)
    line[len] = part.ptr[len] >= ' ' || part.ptr[len] < 0 ? part.ptr[len] : ' ';
  warn(app, (Str){line, len});
}

static Code find_secret(App *app, Str store_url, Error *err) {
  JwtSecretSource source = {app->config->jwt_secret, app->config->jwt_secret_file, store_url};
  bool is_ephemeral = false;
  TRY(jwt_secret_find(&source, app->arena, &app->shared.jwt_secret, &is_ephemeral, err));
  if (is_ephemeral)
    warn(app, STR("the store is no file to keep a secret beside: tokens are signed with one that ends with this process; --jwt-secret-file "
                  "keeps one"));
  if (app->shared.jwt_secret.len < SECRET_BYTES_RECOMMENDED)
    warn(app, STR("the secret is shorter than the 32 bytes that HS256 asks for (RFC 7518 §3.2)"));
  return CODE_OK;
}

static Code open_store(App *app, Str url, Error *err) {
  StoreOptions options = {.url = url,
                          .statement_timeout_us = (int64_t)app->config->statement_timeout_ms * 1000,
                          .writes_queued_max = app->config->writes_queued_max,
                          .connections_max = app->config->store_connections_max,
                          .loops = app->shared.worker_count,
                          .acquire_timeout_us = (int64_t)app->config->store_acquire_timeout_ms * 1000,
                          .prepared = (StorePrepared)app->config->store_prepared,
                          .report = report_store,
                          .report_context = app};
  OptionList replicas = app->config->store_replica;
  if (replicas.count == 0) return store_open(&options, &app->shared.store, err);
  StoreReplicaOptions copied = {
      .primary = options, .urls = replicas.items, .count = replicas.count, .lag_us_max = (int64_t)app->config->replica_lag_max_ms * 1000};
  return store_open_replicated(&copied, &app->shared.store, err);
}

static Code make_idempotency_keys(App *app, Error *err) {
  IdempotencyOptions options = {.kept_us = (int64_t)app->config->idempotency_ttl_ms * 1000,
                                .keys_max = (int64_t)app->config->idempotency_keys_max};
  return idempotency_keys_create(&options, &app->shared.idempotency_keys, err);
}

static Code make_feed(App *app, Error *err) {
  const ServeConfig *config = app->config;
  ChangeFeedOptions options = {.is_on = config->changes == 0,
                               .kept_us = (int64_t)config->changes_ttl_ms * 1000,
                               .rows_max = (int64_t)config->changes_max,
                               .watches_max = config->watches_max,
                               .heartbeat_ms = (uint32_t)config->watch_heartbeat_ms,
                               .lag_ms = (uint32_t)config->watch_lag_ms,
                               .poll_ms = WATCH_POLL_MS};
  return change_feed_create(app->shared.store, &options, &app->shared.feed, err);
}

static Code make_streams(App *app, Error *err) {
  const ServeConfig *config = app->config;
  GraphqlStreamLimits limits = {.streams_max = config->graphql_sse_streams_max,
                                .operations_max = config->graphql_sse_operations_max,
                                .queued_bytes_max = config->graphql_sse_queued_bytes_max,
                                .total_bytes_max = config->graphql_sse_waiting_bytes_max,
                                .reservation_ms = (uint32_t)config->graphql_sse_reservation_ms,
                                .heartbeat_ms = (uint32_t)config->watch_heartbeat_ms};
  return limits.streams_max == 0 ? CODE_OK : graphql_streams_create(&limits, &app->shared.graphql_streams, err);
}

/* The store is brought to what all versions need. */
static Code make_tables(const App *app, const Contract *const *contracts, Arena *arena, Str *ret_details, Error *err) {
  Store *store = app->shared.store;
  OptionSwitch wanted = app->config->migrate;
  bool may_change = wanted == SWITCH_UNSET ? store->driver->is_migrated_by_default : wanted == SWITCH_ON;
  const Contract *layout = NULL;
  TRY(contract_versions_join(contracts, app->contract_count, arena, &layout, ret_details, err));
  return tables_start(store, layout, may_change, arena, ret_details, err);
}

static size_t core_count(void) {
  cpu_set_t cores;
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (size_t)CPU_COUNT(&cores) : 1;
}

static Code make_workers(App *app, Error *err) {
  ServerShared *shared = &app->shared;
  for (size_t i = 0; i < shared->worker_count; i++) TRY(worker_create(shared, i, app->generation, &shared->workers[i], err));
  return CODE_OK;
}

/* ---- TLS ---- */

static TlsFiles tls_files(const ServeConfig *config) {
  return (TlsFiles){.certificates = config->tls_cert.items,
                    .keys = config->tls_key.items,
                    .count = config->tls_cert.count,
                    .stapled = config->tls_ocsp.items,
                    .stapled_count = config->tls_ocsp.count,
                    .client_ca = config->tls_client_ca};
}

static Code make_tls(App *app, Error *err) {
  TlsFiles files = tls_files(app->config);
  return files.count == 0 ? CODE_OK : tls_create(&files, &app->shared.tls, err);
}

static void reload_tls(App *app) {
  TlsFiles files = tls_files(app->config);
  Error err = {0};
  if (files.count == 0) return;
  if (tls_reload(app->shared.tls, &files, &err) == CODE_OK) {
    warn(app, STR("the certificates were read again"));
    return;
  }
  char text[sizeof err.text + 64];
  int len = snprintf(text, sizeof text, "the certificates were not read again, and the old ones are kept: %s", err.text);
  warn(app, (Str){text, len > 0 ? (size_t)len : 0});
}

/* ---- Listeners ---- */

/* What the other workers listen on: the first one's answer, without its scheme where port 0 became a real one. */
static Str resolved_address(Str address, Str url) {
  if (str_starts_with(address, STR("unix:"))) return address;
  size_t scheme = str_find_byte(url, '/', 0);
  return str_slice(url, scheme + 2, url.len);
}

static Code listen_on(App *app, Str address, Str *ret_url, Error *err) {
  Str url = {NULL, 0}, ignored;
  TRY(listener_check_free(address, err));
  TRY(http_server_listen(app->shared.workers[0]->http, address, &url, err));
  for (size_t i = 1; i < app->shared.worker_count; i++)
    TRY(http_server_listen(app->shared.workers[i]->http, resolved_address(address, url), &ignored, err));
  *ret_url = url;
  return CODE_OK;
}

static Code open_listeners(App *app, Error *err) {
  OptionList wanted = app->config->listen;
  Str *urls = ARENA_ARRAY(app->arena, Str, wanted.count + RESIDENTS_MAX);
  TRY_ALLOC(urls);
  for (size_t i = 0; i < wanted.count; i++) TRY(listen_on(app, wanted.items[i], &urls[i], err));
  app->addresses = (OptionList){urls, wanted.count};
  return worker_start_residents(app->shared.workers[0], &app->addresses, err);
}

OptionList app_addresses(const App *app) { return app->addresses; }

/* ---- Signals ---- */

static void on_stop(void *context) {
  App *app = context;
  atomic_store(&app->shared.http.is_draining, true);
  for (size_t i = 0; i < app->shared.worker_count; i++) worker_post_drain(app->shared.workers[i]);
}

static const Str not_read_for_want_of_memory = STR_INIT("the contract was not read again, and the old one is served on: out of memory");

/* What is wrong with the contracts, or how the store differs from them. */
static void warn_refused(App *app, const DiagnosticList *diagnostics, Str details, const Error *err, Arena *arena) {
  Buf text = buf_on(arena, WARNING_BYTES_MAX);
  buf_printf(&text, "the contract was not read again, and the old one is served on: %s\n",
             diagnostics->count > 0 ? "it has mistakes" : err->text);
  diagnostics_write(&text, diagnostics, false);
  buf_add(&text, str_trim(details));
  warn(app, text.failed != CODE_UNAVAILABLE ? str_trim(buf_str(&text)) : not_read_for_want_of_memory);
}

static void destroy_contracts(Contract *const *contracts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (contracts[i] != NULL) contract_destroy(contracts[i]);
  }
}

/* Fills `contracts`, all of which stay the caller's. */
static Code load_all(const App *app, Arena *arena, Contract **contracts, DiagnosticList *diagnostics, Str *ret_details, Error *err) {
  for (size_t i = 0; i < app->contract_count; i++) {
    ContractSource source;
    TRY(contract_source_read(app->contract_paths[i], arena, &source, err));
    TRY(contract_load(source.files, source.count, arena, &contracts[i], diagnostics, err));
  }
  return make_tables(app, (const Contract *const *)contracts, arena, ret_details, err);
}

static Code load_again(App *app, Arena *arena, Generation **ret, DiagnosticList *diagnostics, Str *ret_details, Error *err) {
  Contract **contracts = (Contract **)arena_calloc(arena, app->contract_count, sizeof *contracts);
  TRY_ALLOC(contracts);
  Code code = load_all(app, arena, contracts, diagnostics, ret_details, err);
  if (code == CODE_OK)
    return generation_create(contracts, app->contract_paths, app->contract_count, app->config, app->shared.worker_count,
                             app->shared.graphql_streams, ret, err);
  destroy_contracts(contracts, app->contract_count);
  return code;
}

/* On the signals' thread, so that no loop waits for the checker. */
static void on_reload(void *context) {
  App *app = context;
  reload_tls(app);
  Arena *arena = arena_create(0);
  if (arena == NULL) {
    warn(app, not_read_for_want_of_memory);
    return;
  }
  Generation *next = NULL;
  DiagnosticList diagnostics = {0};
  Str details = {NULL, 0};
  Error err = {0};
  if (load_again(app, arena, &next, &diagnostics, &details, &err) == CODE_OK) {
    for (size_t i = 0; i < app->shared.worker_count; i++) worker_post_adopt(app->shared.workers[i], next);
    generation_release(app->generation);
    app->generation = next;
    warn(app, STR("the contract was read again"));
  } else {
    warn_refused(app, &diagnostics, details, &err, arena);
  }
  arena_destroy(arena);
}

/* ---- Life ---- */

static Code fill(App *app, const AppContracts *contracts, Arena *arena, Str *ret_details, Error *err) {
  const ServeConfig *config = app->config;
  app->shared.worker_count = config->threads != 0 ? config->threads : core_count();
  app->shared.workers = ARENA_ARRAY(app->arena, Worker *, app->shared.worker_count);
  Str store_url = store_url_or_default(config->store, contracts->items[0]->service_name, app->arena);
  Code code = app->shared.workers == NULL || store_url.ptr == NULL ? error_no_memory(err) : CODE_OK;
  if (code != CODE_OK) return destroy_contracts(contracts->items, contracts->count), code;
  code = explain_rule_parse(config, app->arena, &app->shared.explain_rule, err);
  if (code != CODE_OK) return destroy_contracts(contracts->items, contracts->count), code;
  code = make_streams(app, err);
  if (code != CODE_OK) return destroy_contracts(contracts->items, contracts->count), code;
  TRY(generation_create(contracts->items, contracts->paths, contracts->count, config, app->shared.worker_count, app->shared.graphql_streams,
                        &app->generation, err));
  TRY(make_tls(app, err));
  TRY(open_store(app, store_url, err));
  TRY(make_tables(app, (const Contract *const *)contracts->items, arena, ret_details, err));
  TRY(find_secret(app, store_url, err));
  TRY(make_idempotency_keys(app, err));
  TRY(make_feed(app, err));
  TRY(make_workers(app, err));
  TRY(open_listeners(app, err));
  atomic_store(&app->shared.is_started, true);
  return CODE_OK;
}

Code app_create(const ServeConfig *config, const AppContracts *contracts, AppWarnFn *warn_fn, void *warn_context, Arena *arena, App **ret,
                Str *ret_details, Error *err) {
  Arena *own = arena_create(0);
  App *app = own == NULL ? NULL : ARENA_NEW(own, App);
  if (app == NULL) {
    arena_destroy(own);
    destroy_contracts(contracts->items, contracts->count);
    return error_no_memory(err);
  }
  signals_block();
  app->arena = own;
  app->config = config;
  app->contract_paths = contracts->paths;
  app->contract_count = contracts->count;
  app->warn = warn_fn;
  app->warn_context = warn_context;
  app->shared.config = config;
  Code code = fill(app, contracts, arena, ret_details, err);
  if (code == CODE_OK)
    *ret = app;
  else
    app_destroy(app);
  return code;
}

static void *run_on_thread(void *argument) {
  worker_run(argument);
  return NULL;
}

static Code start_threads(App *app, Error *err) {
  for (size_t i = 1; i < app->shared.worker_count; i++) {
    Worker *worker = app->shared.workers[i];
    int failed = pthread_create(&worker->thread, NULL, run_on_thread, worker);
    if (failed != 0) return error_set(err, CODE_UNAVAILABLE, "can't start a thread: %s", strerror(failed));
    app->thread_count = i;
  }
  return CODE_OK;
}

Code app_run(App *app, bool *ret_is_idle, Error *err) {
  SignalHandlers handlers = {.stop = on_stop, .reload = on_reload, .context = app};
  TRY(signals_start(&handlers, &app->signals, err));
  Code code = start_threads(app, err);
  if (code == CODE_OK)
    worker_run(app->shared.workers[0]);
  else
    on_stop(app); /* those that did start */
  for (size_t i = 1; i <= app->thread_count; i++) (void)pthread_join(app->shared.workers[i]->thread, NULL);
  *ret_is_idle = true;
  for (size_t i = 0; i < app->shared.worker_count; i++) *ret_is_idle = *ret_is_idle && worker_is_idle(app->shared.workers[i]);
  return code;
}

void app_destroy(App *app) {
  if (app == NULL) return;
  signals_end(app->signals);
  for (size_t i = 0; app->shared.workers != NULL && i < app->shared.worker_count; i++) worker_destroy(app->shared.workers[i]);
  if (app->shared.store != NULL) store_close(app->shared.store);
  change_feed_destroy(app->shared.feed);
  idempotency_keys_destroy(app->shared.idempotency_keys);
  generation_release(app->generation);
  graphql_streams_destroy(app->shared.graphql_streams);
  tls_destroy(app->shared.tls);
  arena_destroy(app->arena);
}
