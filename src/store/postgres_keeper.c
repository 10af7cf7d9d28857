/* postgres_keeper.c - one thread that does what would hold up a loop: connections are made here (names are looked up, passwords are
 * hashed), the server is asked whether it is well, and writes that nobody could take in time are refused. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "store/postgres_store.h"

/* How often the server is asked; how soon a connection is tried again. */
static const int64_t PULSE_US = 250000, PULSE_TIMEOUT_US = 1500000, BACKOFF_MIN_US = 20000, BACKOFF_MAX_US = 400000, SCARCE_US = 3000000;

typedef struct Keeper {
  PostgresStore *store;
  PostgresConnection *connection; /* its own: NULL while there is none */
  int64_t pulse_us, retry_us, backoff_us;
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

void postgres_note_scarce(PostgresStore *store) { atomic_store(&store->scarce_until_us, postgres_clock_us() + SCARCE_US); }

static void back_off(Keeper *keeper) {
  keeper->backoff_us = keeper->backoff_us == 0 ? BACKOFF_MIN_US : 2 * keeper->backoff_us;
  if (keeper->backoff_us > BACKOFF_MAX_US) keeper->backoff_us = BACKOFF_MAX_US;
  keeper->retry_us = postgres_clock_us() + postgres_jitter_us(keeper->backoff_us);
}

static Code open_one(Keeper *keeper, PostgresConnection **ret, Error *err) {
  Code code = postgres_connection_open(&keeper->store->target, is_patient, keeper, ret, err);
  if (code != CODE_OK) {
    back_off(keeper);
    postgres_note_scarce(keeper->store);
  } else
    keeper->backoff_us = keeper->retry_us = 0;
  return code;
}

/* ---- links ---- */

void postgres_keeper_want(PostgresStore *store, PostgresLink *link) {
  PostgresKeeper *keeper = &store->keeper;
  pthread_mutex_lock(&keeper->lock);
  PostgresLink **end = &keeper->wanted;
  while (*end != NULL) end = &(*end)->next;
  link->next = NULL;
  *end = link;
  pthread_cond_signal(&keeper->wake);
  pthread_mutex_unlock(&keeper->lock);
}

void postgres_keeper_forget(PostgresStore *store, const PostgresSession *session) {
  PostgresKeeper *keeper = &store->keeper;
  pthread_mutex_lock(&keeper->lock);
  for (PostgresLink **link = &keeper->wanted; *link != NULL;) {
    if ((*link)->session == session)
      *link = (*link)->next;
    else
      link = &(*link)->next;
  }
  pthread_mutex_unlock(&keeper->lock);
}

/* Under the lock: where in the list stands the first link that may be opened now; NULL: there is none. */
static PostgresLink **find_wanted(PostgresStore *store) {
  bool is_scarce = postgres_clock_us() < atomic_load(&store->scarce_until_us);
  for (PostgresLink **at = &store->keeper.wanted; *at != NULL; at = &(*at)->next) {
    if (!is_scarce || atomic_load(&(*at)->session->links_open) == 0) return at;
  }
  return NULL;
}

static PostgresLink *take_wanted(PostgresStore *store) {
  pthread_mutex_lock(&store->keeper.lock);
  PostgresLink **at = find_wanted(store);
  PostgresLink *link = at == NULL ? NULL : *at;
  if (link != NULL) *at = link->next;
  pthread_mutex_unlock(&store->keeper.lock);
  return link;
}

/* Put back at the front: it has waited longest. Not where its session is being closed meanwhile, which forgets what stands here: the
 * session's memory lives as long as the store. */
static void give_back(PostgresKeeper *keeper, PostgresLink *link) {
  pthread_mutex_lock(&keeper->lock);
  link->next = keeper->wanted;
  keeper->wanted = link;
  pthread_mutex_unlock(&keeper->lock);
}

/* Written only here, on the keeper's thread. */
static void note_starving(PostgresLink *link, bool is_opened) {
  PostgresStore *store = link->session->store;
  bool is_starving = !is_opened && atomic_load(&link->session->links_open) == 0;
  if (is_starving && !link->is_starving) atomic_fetch_add(&store->starving_loops, 1);
  if (!is_starving && link->is_starving) atomic_fetch_sub(&store->starving_loops, 1);
  link->is_starving = is_starving;
}

static void open_links(Keeper *keeper) {
  Error err = {0};
  while (postgres_clock_us() >= keeper->retry_us) {
    PostgresLink *link = take_wanted(keeper->store);
    if (link == NULL) return;
    Code code = open_one(keeper, &link->connection, &err);
    note_starving(link, code == CODE_OK);
    if (code == CODE_OK) {
      postgres_session_link_opened(link);
    } else {
      give_back(&keeper->store->keeper, link);
      return;
    }
  }
}

/* ---- health ---- */

static Code ask(Keeper *keeper, Error *err) {
  PostgresConnection *connection = keeper->connection;
  PostgresPending pending;
  Code code = CODE_OK;
  TRY(postgres_send_control(connection, "SELECT 1", err));
  TRY(postgres_send_sync(connection, err));
  int64_t deadline_us = postgres_clock_us() + PULSE_TIMEOUT_US;
  for (;;) {
    while (postgres_next(connection, &pending)) {
      bool is_over = pending.command == POSTGRES_SYNC;
      if (code == CODE_OK && postgres_outcome(&pending) != POSTGRES_OK) code = postgres_error_set(connection->target, pending.result, err);
      postgres_pending_done(&pending);
      if (is_over) return code;
    }
    TRY(postgres_connection_wait(connection, deadline_us, err));
  }
}

static void feel_pulse(Keeper *keeper) {
  Error err = {0};
  Code code = CODE_OK;
  if (keeper->connection == NULL && postgres_clock_us() < keeper->retry_us) return;
  if (keeper->connection == NULL) code = open_one(keeper, &keeper->connection, &err);
  if (code == CODE_OK) code = ask(keeper, &err);
  if (code != CODE_OK) {
    postgres_connection_close(keeper->connection);
    keeper->connection = NULL;
  }
  set_health(keeper->store, code, &err);
  keeper->pulse_us = postgres_clock_us() + PULSE_US;
}

/* ---- the thread ---- */

static struct timespec time_in(int64_t delay_us) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  int64_t ns = at.tv_nsec + (delay_us % 1000000) * 1000;
  at.tv_sec += (time_t)(delay_us / 1000000 + ns / 1000000000);
  at.tv_nsec = (long)(ns % 1000000000);
  return at;
}

/* Until something is wanted or due. False: the store is being closed. */
static bool keeper_wait(Keeper *keeper) {
  PostgresKeeper *shared = &keeper->store->keeper;
  int64_t now_us = postgres_clock_us(), until_us = keeper->pulse_us;
  if (keeper->retry_us > now_us && (keeper->connection == NULL || keeper->retry_us < until_us)) until_us = keeper->retry_us;
  struct timespec at = time_in(until_us > now_us ? until_us - now_us : 0);
  pthread_mutex_lock(&shared->lock);
  bool is_wanted = find_wanted(keeper->store) != NULL && keeper->retry_us <= now_us;
  if (!is_wanted && !shared->is_closing && until_us > now_us) pthread_cond_timedwait(&shared->wake, &shared->lock, &at);
  bool is_closing = shared->is_closing;
  pthread_mutex_unlock(&shared->lock);
  return !is_closing;
}

static void *keeper_main(void *context) {
  Keeper *keeper = context;
  while (keeper_wait(keeper)) {
    postgres_writers_expire(keeper->store, postgres_clock_us());
    open_links(keeper);
    if (postgres_clock_us() >= keeper->pulse_us || keeper->connection == NULL) feel_pulse(keeper);
  }
  postgres_connection_close(keeper->connection);
  memory_free(keeper);
  return NULL;
}

Code postgres_keeper_init(PostgresStore *store, PostgresConnection *connection, Error *err) {
  PostgresKeeper *shared = &store->keeper;
  pthread_mutex_init(&shared->lock, NULL);
  pthread_cond_init(&shared->wake, NULL);
  shared->is_well = true;
  Keeper *keeper = memory_alloc(sizeof *keeper);
  if (keeper == NULL) {
    postgres_connection_close(connection);
    return error_no_memory(err);
  }
  *keeper = (Keeper){.store = store, .connection = connection, .pulse_us = postgres_clock_us() + PULSE_US};
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
