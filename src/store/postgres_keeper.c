/* postgres_keeper.c - one thread that does what would hold up a loop: connections are made here (names are looked up, passwords are
 * hashed), the server is asked whether it is well, and writes that nobody could take in time are refused. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "store/postgres_store.h"

/* How often the server is asked; how soon a connection is tried again. */
static const int64_t PULSE_US = 250000, PULSE_TIMEOUT_US = 1500000, BACKOFF_MIN_US = 20000, BACKOFF_MAX_US = 400000;

typedef struct Keeper {
  PostgresStore *store;
  PostgresConnection *connection; /* its own: NULL while there is none */
  int64_t pulse_us, retry_us, backoff_us;
  int64_t felt_us; /* when the pulse was last felt */
  Error refusal;   /* why the last connection could not be made */
} Keeper;

static void set_health(PostgresStore *store, Code code, const Error *err) {
  pthread_mutex_lock(&store->keeper.lock);
  store->keeper.is_well = code == CODE_OK;
  if (code != CODE_OK) store->keeper.trouble = *err;
  pthread_mutex_unlock(&store->keeper.lock);
}

Code postgres_keeper_health(PostgresStore *store, Error *err) {
  pthread_mutex_lock(&store->keeper.lock);
  bool is_well = store->keeper.is_well;
  Error trouble = store->keeper.trouble;
  pthread_mutex_unlock(&store->keeper.lock);
  return is_well ? CODE_OK : error_set(err, CODE_UNAVAILABLE, "%s", trouble.text);
}

/* Also what the keeper owes to others while it waits for a server. */
static bool is_patient(void *context) {
  Keeper *keeper = context;
  postgres_writers_expire(keeper->store, postgres_clock_us());
  pthread_mutex_lock(&keeper->store->keeper.lock);
  bool is_closing = keeper->store->keeper.is_closing;
  pthread_mutex_unlock(&keeper->store->keeper.lock);
  return !is_closing;
}

void postgres_keeper_wake(PostgresStore *store) {
  pthread_mutex_lock(&store->keeper.lock);
  store->keeper.is_woken = true;
  pthread_cond_signal(&store->keeper.wake);
  pthread_mutex_unlock(&store->keeper.lock);
}

static void back_off(Keeper *keeper) {
  keeper->backoff_us = keeper->backoff_us == 0 ? BACKOFF_MIN_US : 2 * keeper->backoff_us;
  if (keeper->backoff_us > BACKOFF_MAX_US) keeper->backoff_us = BACKOFF_MAX_US;
  keeper->retry_us = postgres_clock_us() + postgres_jitter_us(keeper->backoff_us);
}

static Code open_one(Keeper *keeper, PostgresConnection **ret, Error *err) {
  Code code = postgres_connection_open(&keeper->store->target, is_patient, keeper, ret, err);
  if (code != CODE_OK) {
    keeper->refusal = *err;
    back_off(keeper);
    postgres_pool_refused(keeper->store);
    return code;
  }
  keeper->backoff_us = keeper->retry_us = 0;
  set_health(keeper->store, CODE_OK, NULL);
  return code;
}

/* ---- links ---- */

static void open_links(Keeper *keeper) {
  Error err = {0};
  PostgresConnection *connection = NULL;
  /* The pulse is not put off: each takes a while where the server is busy. */
  bool is_first = true;
  while (postgres_clock_us() >= keeper->retry_us && (is_first || postgres_clock_us() < keeper->pulse_us) &&
         postgres_pool_may_open(keeper->store)) {
    if (open_one(keeper, &connection, &err) != CODE_OK) return;
    postgres_pool_opened(keeper->store, connection);
    is_first = false;
  }
}

/* ---- health ---- */

uint64_t postgres_position_parse(Str text) {
  uint64_t halves[2] = {0, 0};
  size_t half = 0, digits = 0;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    bool is_digit = c >= '0' && c <= '9', is_letter = c >= 'A' && c <= 'F';
    if (c == '/' && half == 0 && digits > 0) {
      half = 1;
      digits = 0;
    } else if ((!is_digit && !is_letter) || ++digits > 8) {
      return 0;
    } else {
      halves[half] = halves[half] << 4 | (uint64_t)(is_digit ? c - '0' : c - 'A' + 10);
    }
  }
  return half == 1 && digits > 0 ? halves[0] << 32 | halves[1] : 0;
}

static uint64_t position_of(const PGresult *result) {
  if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 || PQgetisnull(result, 0, 0)) return 0;
  return postgres_position_parse(str_of(PQgetvalue(result, 0, 0)));
}

/* Of a copy: what it shows to readers. Of the database: what copies can have by now. */
static const char *pulse_sql(const PostgresStore *store) {
  if (store->progress == NULL) return "SELECT 1";
  return "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END::text";
}

static Code ask(Keeper *keeper, uint64_t *ret_position, Error *err) {
  PostgresConnection *connection = keeper->connection;
  PostgresPending pending;
  Code code = CODE_OK;
  TRY(postgres_send_control(connection, pulse_sql(keeper->store), err));
  TRY(postgres_send_sync(connection, err));
  int64_t deadline_us = postgres_clock_us() + PULSE_TIMEOUT_US;
  for (;;) {
    while (postgres_next(connection, &pending)) {
      bool is_over = pending.command == POSTGRES_SYNC;
      if (pending.command == POSTGRES_CONTROL && pending.result != NULL) *ret_position = position_of(pending.result);
      if (code == CODE_OK && postgres_outcome(&pending) != POSTGRES_OK) code = postgres_error_set(connection->target, pending.result, err);
      postgres_pending_done(&pending);
      if (is_over) return code;
    }
    TRY(postgres_connection_wait(connection, deadline_us, err));
  }
}

/* Where others have what the server gives, one of theirs comes round for every pulse. */
static Code connect_keeper(Keeper *keeper, Error *err) {
  keeper->connection = postgres_pool_keeper_take(keeper->store);
  if (keeper->connection != NULL) return CODE_OK;
  bool is_waiting = postgres_pool_keeper_waits(keeper->store) && postgres_clock_us() - keeper->felt_us < PULSE_TIMEOUT_US;
  if (is_waiting || postgres_clock_us() < keeper->retry_us) return CODE_OK;
  return open_one(keeper, &keeper->connection, err);
}

/* The only one there is. */
static void share(Keeper *keeper) {
  PostgresClaim claim;
  if (!postgres_pool_keeper_shares(keeper->store)) return;
  if (!postgres_pool_claim(keeper->store, POSTGRES_GIVER_OPENER, NULL, true, &claim)) return;
  postgres_pool_deliver(keeper->store, claim, keeper->connection);
  keeper->connection = NULL;
}

static void tell_progress(const PostgresStore *store, Code code, uint64_t position, const Error *err) {
  StoreProgress progress = {.code = code, .position = position, .trouble = *err};
  if (store->progress != NULL) store->progress(store->progress_context, &progress);
}

/* Those who have written wait, as it were, for a copy to tell that it has followed. */
static int64_t pulse_us_of(const PostgresStore *store) { return store->progress != NULL ? PULSE_US / 5 : PULSE_US; }

static void feel_pulse(Keeper *keeper) {
  Error err = {0};
  uint64_t position = 0;
  Code code = CODE_OK;
  keeper->pulse_us = postgres_clock_us() + pulse_us_of(keeper->store);
  if (keeper->connection == NULL) code = connect_keeper(keeper, &err);
  if (code == CODE_OK && keeper->connection == NULL) {
    /* Others' attempts come before ours, and fail as ours would. */
    if (postgres_clock_us() - keeper->felt_us < PULSE_TIMEOUT_US) return;
    set_health(keeper->store, CODE_UNAVAILABLE, &keeper->refusal);
    tell_progress(keeper->store, CODE_UNAVAILABLE, 0, &keeper->refusal);
    return;
  }
  if (code == CODE_OK) code = ask(keeper, &position, &err);
  if (code != CODE_OK) {
    postgres_connection_close(keeper->connection);
    keeper->connection = NULL;
  }
  keeper->pulse_us = keeper->felt_us = postgres_clock_us();
  keeper->pulse_us += pulse_us_of(keeper->store);
  set_health(keeper->store, code, &err);
  tell_progress(keeper->store, code, position, &err);
}

/* ---- the thread ---- */

/* Until something is wanted or due. False: the store is being closed. */
static bool keeper_wait(Keeper *keeper) {
  PostgresKeeper *shared = &keeper->store->keeper;
  int64_t now_us = postgres_clock_us(), until_us = keeper->pulse_us;
  if (keeper->retry_us > now_us && (keeper->connection == NULL || keeper->retry_us < until_us)) until_us = keeper->retry_us;
  struct timespec at;
  postgres_time_in(until_us > now_us ? until_us - now_us : 0, &at);
  bool is_wanted = keeper->retry_us <= now_us && postgres_pool_may_open(keeper->store);
  pthread_mutex_lock(&shared->lock);
  if (!is_wanted && !shared->is_woken && !shared->is_closing && until_us > now_us)
    pthread_cond_timedwait(&shared->wake, &shared->lock, &at);
  bool is_closing = shared->is_closing;
  shared->is_woken = false;
  pthread_mutex_unlock(&shared->lock);
  return !is_closing;
}

static void *keeper_main(void *context) {
  Keeper *keeper = context;
  while (keeper_wait(keeper)) {
    postgres_writers_expire(keeper->store, postgres_clock_us());
    open_links(keeper);
    if (postgres_clock_us() >= keeper->pulse_us || keeper->connection == NULL) feel_pulse(keeper);
    if (keeper->connection != NULL) share(keeper);
  }
  postgres_connection_close(keeper->connection);
  memory_free(keeper);
  return NULL;
}

Code postgres_keeper_init(PostgresStore *store, PostgresConnection *connection, Error *err) {
  PostgresKeeper *shared = &store->keeper;
  pthread_mutex_init(&shared->lock, NULL);
  pthread_cond_init(&shared->wake, NULL);
  shared->is_well = connection != NULL;
  Keeper *keeper = memory_alloc(sizeof *keeper);
  if (keeper == NULL) {
    postgres_connection_close(connection);
    return error_no_memory(err);
  }
  *keeper = (Keeper){.store = store, .connection = connection, .pulse_us = postgres_clock_us() + PULSE_US, .felt_us = postgres_clock_us()};
  shared->has_thread = pthread_create(&shared->thread, NULL, keeper_main, keeper) == 0;
  if (shared->has_thread) return CODE_OK;
  postgres_connection_close(connection);
  memory_free(keeper);
  return error_set(err, CODE_UNAVAILABLE, "the store's thread could not be started");
}

void postgres_keeper_done(PostgresStore *store) {
  PostgresKeeper *shared = &store->keeper;
  pthread_mutex_lock(&shared->lock);
  shared->is_closing = true;
  pthread_cond_signal(&shared->wake);
  pthread_mutex_unlock(&shared->lock);
  if (shared->has_thread) pthread_join(shared->thread, NULL);
  pthread_cond_destroy(&shared->wake);
  pthread_mutex_destroy(&shared->lock);
}
