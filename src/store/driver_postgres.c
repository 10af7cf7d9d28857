/* driver_postgres.c - a PostgreSQL database as a store: how its connections are shared out, and the driver's table. postgres_store.h shows
 * how the rest is divided. */
#include <libpq-fe.h>
#include <string.h>

#include "base/memory.h"
#include "store/postgres_catalog.h"
#include "store/postgres_store.h"

/* Without being told: enough for a machine of a few cores, and far from the server's own bound of 100. */
enum { CONNECTIONS_DEFAULT = 20 };
static const int64_t ACQUIRE_TIMEOUT_US = 1500000;

extern const StoreDriver STORE_DRIVER_POSTGRES;

/* One for the keeper, at least one for each loop and one for writes; of the rest, half for reads. */
static Code share_connections(PostgresStore *store, const StoreOptions *options, size_t *ret_writers, Error *err) {
  size_t loops = options->loops > 0 ? options->loops : 1,
         max = options->connections_max > 0 ? options->connections_max : CONNECTIONS_DEFAULT;
  if (options->connections_max == 0 && max < 2 * loops + 2) max = 2 * loops + 2;
  if (max < loops + 2) {
    return error_set(err, CODE_BAD_REQUEST,
                     "%zu connections are too few for %zu threads: each needs one, and writes and the health check one each", max, loops);
  }
  size_t for_reads = options->is_read_only ? max - 2 : (max - 1) / 2, per_session = for_reads / loops;
  if (per_session < 1) per_session = 1;
  if (per_session > POSTGRES_LINKS_MAX) per_session = POSTGRES_LINKS_MAX;
  store->links_per_session = per_session;
  *ret_writers = max - 1 - per_session * loops;
  return CODE_OK;
}

static Code store_open_database(PostgresStore *store, const StoreOptions *options, Error *err) {
  PostgresConnection *connection = NULL;
  size_t writers = 1;
  TRY(share_connections(store, options, &writers, err));
  TRY(postgres_target_init(&store->target, options, store->arena, err));
  Code opened = postgres_connection_open(&store->target, NULL, NULL, &connection, err);
  if (opened != CODE_OK && !options->is_replica) return opened;
  Code code = postgres_writers_init(store, writers, err);
  if (code != CODE_OK) {
    postgres_connection_close(connection);
    return code;
  }
  code = postgres_keeper_init(store, connection, err);
  if (code != CODE_OK) {
    postgres_keeper_done(store);
    postgres_writers_done(store);
  }
  return code;
}

static void store_free(PostgresStore *store) {
  postgres_pool_done(store);
  pthread_mutex_destroy(&store->sessions_lock);
  arena_destroy(store->arena);
  memory_free(store);
}

static Code driver_open(const StoreOptions *options, Store **ret, Error *err) {
  PostgresStore *store = memory_alloc(sizeof *store);
  TRY_ALLOC(store);
  memset(store, 0, sizeof *store);
  store->base = (Store){&STORE_DRIVER_POSTGRES, options->is_read_only};
  store->arena = arena_create(0);
  store->writes_queued_max = options->writes_queued_max;
  store->progress = options->progress;
  store->progress_context = options->progress_context;
  store->acquire_timeout_us = options->acquire_timeout_us > 0 ? options->acquire_timeout_us : ACQUIRE_TIMEOUT_US;
  pthread_mutex_init(&store->sessions_lock, NULL);
  postgres_pool_init(&store->pool);
  Code code = store->arena == NULL ? error_no_memory(err) : store_open_database(store, options, err);
  if (code == CODE_OK)
    *ret = &store->base;
  else
    store_free(store);
  return code;
}

static void driver_close(Store *base) {
  PostgresStore *store = (PostgresStore *)base;
  postgres_notices_done(store);
  /* The keeper looks at the writers' queue. */
  postgres_keeper_done(store);
  postgres_writers_done(store);
  for (PostgresSession *session = store->sessions, *next; session != NULL; session = next) {
    next = session->next;
    postgres_session_destroy(session);
  }
  store_free(store);
}

/* Never asks the server itself: the keeper does, all the time. */
static Code driver_ping(Store *base, Error *err) { return postgres_keeper_health((PostgresStore *)base, err); }

static StoreStats driver_stats(Store *base) {
  PostgresStore *store = (PostgresStore *)base;
  return (StoreStats){.reads = store->reads,
                      .writes = store->writes,
                      .read_batches = store->read_batches,
                      .write_groups = store->write_groups,
                      .slow_reads = store->slow_reads,
                      .errors = store->errors};
}

static Code driver_catalog(const StoreOptions *options, Str schemas, Arena *arena, Catalog *ret, Error *err) {
  TRY(postgres_catalog_read(options, schemas, arena, ret, err));
  /* The address itself may hold a password. */
  ret->address = arena_printf(arena, "postgresql://…/%.*s", STR_ARGS(ret->name));
  TRY_ALLOC(ret->address.ptr);
  return CODE_OK;
}

const StoreDriver STORE_DRIVER_POSTGRES = {
    .name = STR_INIT("postgresql"),
    .form = STR_INIT("postgresql://…"),
    .schemes = {STR_INIT("postgresql://"), STR_INIT("postgres://")},
    .serves = postgres_address_is,
    .catalog = driver_catalog,
    .dialect = &SQL_DIALECT_POSTGRES,
    .has_copies = true,
    .open = driver_open,
    .close = driver_close,
    .session_open = postgres_session_open,
    .session_close = postgres_session_close,
    .read = postgres_session_read,
    .write = postgres_session_write,
    .line = postgres_session_line,
    .txn_run = postgres_txn_run,
    .txn_read = postgres_txn_read,
    .changes_open = postgres_changes_open,
    .changes_listen = postgres_notices_listen,
    .changes_tell = postgres_notices_tell,
    .explain = postgres_explain,
    .migrator = &POSTGRES_MIGRATOR,
    .migrator_open = postgres_migrator_open,
    .ping = driver_ping,
    .stats = driver_stats,
};
