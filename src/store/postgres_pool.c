/* postgres_pool.c - who gets a connection next, where the server takes fewer than we may have. As long as it takes all, everybody has
 * those that they were given room for (driver_postgres.c) and nothing here is asked. Once one was refused, those who have none wait in one
 * line, and whoever has finished what a connection was busy with hands it on: to the one who has waited longest with none at all, else to
 * whom it brings nearer to an equal share. Nobody without one waits longer than for one turn of each of the others. */
#include <errno.h>
#include <time.h>

#include "store/postgres_store.h"

/* Behind a refusal nobody tries to open a second connection for so long; and how long the keeper goes without its pulse. */
static const int64_t SCARCE_US = 3000000, PULSE_WAIT_US = 250000;

void postgres_pool_init(PostgresPool *pool) {
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->given, NULL);
}

void postgres_pool_done(PostgresStore *store) {
  PostgresPool *pool = &store->pool;
  for (PostgresConnection *connection = pool->for_writers, *next; connection != NULL; connection = next) {
    next = connection->next;
    postgres_connection_close(connection);
  }
  postgres_connection_close(pool->for_keeper);
  pthread_cond_destroy(&pool->given);
  pthread_mutex_destroy(&pool->lock);
}

/* ---- who waits ---- */

/* All of these under the lock. */
static bool writers_wait(const PostgresPool *pool) { return pool->writers_waiting > pool->writers_chosen; }

static bool is_scarce(const PostgresPool *pool) { return postgres_clock_us() < pool->scarce_until_us; }

static bool anybody_waits(const PostgresPool *pool) { return pool->wanted != NULL || writers_wait(pool) || pool->keeper_since_us != 0; }

static void note_waiters(PostgresPool *pool) {
  bool is_needed = anybody_waits(pool) && (pool->scarce_until_us != 0);
  atomic_store(&pool->has_waiters, is_needed);
}

/* Those who have a connection and nothing to do with it look here again. */
static void recall_idle(PostgresStore *store) {
  postgres_sessions_wake(store);
  postgres_writers_wake(store);
}

static void recall_if_needed(PostgresStore *store) {
  if (atomic_load(&store->pool.has_waiters)) recall_idle(store);
}

void postgres_pool_want(PostgresStore *store, PostgresLink *link) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  PostgresLink **end = &pool->wanted;
  while (*end != NULL) end = &(*end)->next;
  link->next = NULL;
  link->since_us = postgres_clock_us();
  *end = link;
  note_waiters(pool);
  pthread_mutex_unlock(&pool->lock);
  postgres_keeper_wake(store);
  recall_if_needed(store);
}

void postgres_pool_forget(PostgresStore *store, const PostgresSession *session) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  for (PostgresLink **link = &pool->wanted; *link != NULL;) {
    if ((*link)->session == session)
      *link = (*link)->next;
    else
      link = &(*link)->next;
  }
  note_waiters(pool);
  pthread_mutex_unlock(&pool->lock);
}

bool postgres_pool_may_open(PostgresStore *store) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  bool has_none = pool->links_held + pool->writers_held == 0;
  bool may_open = pool->wanted != NULL && (has_none || !is_scarce(pool));
  pthread_mutex_unlock(&pool->lock);
  return may_open;
}

bool postgres_pool_is_scarce(PostgresStore *store) {
  pthread_mutex_lock(&store->pool.lock);
  bool is_now = is_scarce(&store->pool);
  pthread_mutex_unlock(&store->pool.lock);
  return is_now;
}

void postgres_pool_refused(PostgresStore *store) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  pool->scarce_until_us = postgres_clock_us() + SCARCE_US;
  note_waiters(pool);
  pthread_mutex_unlock(&pool->lock);
  recall_if_needed(store);
}

/* ---- handing on ---- */

/* The first link in the line of a session with fewer than `held_max`, not of the giver's. */
static PostgresLink **find_link(PostgresPool *pool, const PostgresSession *giver, size_t held_max) {
  for (PostgresLink **at = &pool->wanted; *at != NULL; at = &(*at)->next) {
    if ((*at)->session != giver && (*at)->session->held < held_max) return at;
  }
  return NULL;
}

static void choose_link(PostgresPool *pool, PostgresLink **at, PostgresClaim *ret) {
  PostgresLink *link = *at;
  *at = link->next;
  link->session->held++;
  pool->links_held++;
  *ret = (PostgresClaim){POSTGRES_CLAIM_LINK, link};
}

static void choose_writer(PostgresPool *pool, PostgresClaim *ret) {
  pool->writers_chosen++;
  pool->writers_held++;
  *ret = (PostgresClaim){POSTGRES_CLAIM_WRITER, NULL};
}

/* Who has none at all comes first, by how long; between reads and writes the longer wait decides too. */
static bool choose_starving(PostgresPool *pool, const PostgresSession *giver, PostgresClaim *ret) {
  PostgresLink **at = find_link(pool, giver, 1);
  bool is_writing_starved = writers_wait(pool) && pool->writers_held == 0;
  if (at != NULL && (!is_writing_starved || (*at)->since_us <= pool->writers_since_us)) return choose_link(pool, at, ret), true;
  if (is_writing_starved) return choose_writer(pool, ret), true;
  return false;
}

/* Whose share would still be no greater than what the giver keeps. */
static bool choose_poorer(PostgresPool *pool, PostgresGiver kind, const PostgresSession *giver, bool is_idle, PostgresClaim *ret) {
  PostgresLink **at = find_link(pool, giver, is_idle || giver == NULL ? SIZE_MAX : giver->held - 1);
  if (kind == POSTGRES_GIVER_LINK) {
    if (writers_wait(pool) && (is_idle || pool->writers_held + 1 < pool->links_held)) return choose_writer(pool, ret), true;
    return at != NULL && (choose_link(pool, at, ret), true);
  }
  bool is_link_due = kind == POSTGRES_GIVER_OPENER || is_idle || pool->links_held + 1 < pool->writers_held;
  if (at != NULL && is_link_due) return choose_link(pool, at, ret), true;
  return kind == POSTGRES_GIVER_OPENER && writers_wait(pool) && (choose_writer(pool, ret), true);
}

static bool choose(PostgresPool *pool, PostgresGiver kind, const PostgresSession *giver, bool is_idle, PostgresClaim *ret) {
  bool is_pulse_due = pool->keeper_since_us != 0 && postgres_clock_us() - pool->keeper_since_us > PULSE_WAIT_US;
  if (kind != POSTGRES_GIVER_OPENER && is_pulse_due) {
    pool->keeper_since_us = 0;
    *ret = (PostgresClaim){POSTGRES_CLAIM_KEEPER, NULL};
    return true;
  }
  return choose_starving(pool, giver, ret) || choose_poorer(pool, kind, giver, is_idle, ret);
}

static void given_up(PostgresPool *pool, PostgresGiver kind, PostgresSession *giver) {
  if (kind == POSTGRES_GIVER_LINK) {
    giver->held--;
    pool->links_held--;
  } else if (kind == POSTGRES_GIVER_WRITER) {
    pool->writers_held--;
  }
}

bool postgres_pool_claim(PostgresStore *store, PostgresGiver kind, PostgresSession *giver, bool is_idle, PostgresClaim *ret) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  bool is_chosen = choose(pool, kind, giver, is_idle, ret);
  if (is_chosen) given_up(pool, kind, giver);
  note_waiters(pool);
  pthread_mutex_unlock(&pool->lock);
  return is_chosen;
}

void postgres_pool_deliver(PostgresStore *store, PostgresClaim claim, PostgresConnection *connection) {
  PostgresPool *pool = &store->pool;
  if (claim.kind == POSTGRES_CLAIM_LINK) {
    claim.link->connection = connection;
    postgres_session_link_opened(claim.link);
    return;
  }
  pthread_mutex_lock(&pool->lock);
  if (claim.kind == POSTGRES_CLAIM_WRITER) {
    connection->next = pool->for_writers;
    pool->for_writers = connection;
    pthread_cond_broadcast(&pool->given);
  } else {
    pool->for_keeper = connection;
  }
  pthread_mutex_unlock(&pool->lock);
  if (claim.kind == POSTGRES_CLAIM_KEEPER) postgres_keeper_wake(store);
}

void postgres_pool_opened(PostgresStore *store, PostgresConnection *connection) {
  PostgresClaim claim;
  pthread_mutex_lock(&store->pool.lock);
  store->pool.scarce_until_us = 0;
  pthread_mutex_unlock(&store->pool.lock);
  if (postgres_pool_claim(store, POSTGRES_GIVER_OPENER, NULL, true, &claim))
    postgres_pool_deliver(store, claim, connection);
  else
    postgres_connection_close(connection);
}

void postgres_pool_closed(PostgresStore *store, PostgresSession *session) {
  pthread_mutex_lock(&store->pool.lock);
  given_up(&store->pool, session == NULL ? POSTGRES_GIVER_WRITER : POSTGRES_GIVER_LINK, session);
  pthread_mutex_unlock(&store->pool.lock);
}

/* ---- writers ---- */

static PostgresConnection *take_given(PostgresPool *pool) {
  PostgresConnection *connection = pool->for_writers;
  if (connection == NULL) return NULL;
  pool->for_writers = connection->next;
  pool->writers_chosen--;
  return connection;
}

bool postgres_pool_writer_may_open(PostgresStore *store) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  bool may_open = !is_scarce(pool) || pool->links_held + pool->writers_held == 0;
  if (may_open) pool->writers_held++;
  pthread_mutex_unlock(&pool->lock);
  return may_open;
}

void postgres_pool_writer_opened(PostgresStore *store) {
  pthread_mutex_lock(&store->pool.lock);
  store->pool.scarce_until_us = 0;
  note_waiters(&store->pool);
  pthread_mutex_unlock(&store->pool.lock);
}

PostgresConnection *postgres_pool_await(PostgresStore *store, int64_t wait_us) {
  PostgresPool *pool = &store->pool;
  struct timespec until;
  postgres_time_in(wait_us, &until);
  pthread_mutex_lock(&pool->lock);
  if (pool->writers_waiting++ == 0) pool->writers_since_us = postgres_clock_us();
  note_waiters(pool);
  pthread_mutex_unlock(&pool->lock);
  recall_if_needed(store);
  pthread_mutex_lock(&pool->lock);
  bool is_over = false;
  /* What was chosen for a writer is taken by one, even when its time is over. */
  while (pool->for_writers == NULL && (!is_over || pool->writers_chosen > 0)) {
    if (is_over)
      pthread_cond_wait(&pool->given, &pool->lock);
    else
      is_over = pthread_cond_timedwait(&pool->given, &pool->lock, &until) == ETIMEDOUT;
  }
  PostgresConnection *connection = take_given(pool);
  pool->writers_waiting--;
  if (connection != NULL) pool->writers_since_us = postgres_clock_us();
  /* Those who waited for one that another took needn't go on waiting for it. */
  pthread_cond_broadcast(&pool->given);
  note_waiters(pool);
  pthread_mutex_unlock(&pool->lock);
  return connection;
}

/* ---- the keeper ---- */

PostgresConnection *postgres_pool_keeper_take(PostgresStore *store) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  PostgresConnection *connection = pool->for_keeper;
  pool->for_keeper = NULL;
  pthread_mutex_unlock(&pool->lock);
  return connection;
}

bool postgres_pool_keeper_waits(PostgresStore *store) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  bool is_shared = is_scarce(pool) && pool->links_held + pool->writers_held > 0;
  if (is_shared && pool->keeper_since_us == 0) pool->keeper_since_us = postgres_clock_us();
  if (!is_shared) pool->keeper_since_us = 0;
  note_waiters(pool);
  pthread_mutex_unlock(&pool->lock);
  if (is_shared) recall_if_needed(store);
  return is_shared;
}

bool postgres_pool_keeper_shares(PostgresStore *store) {
  PostgresPool *pool = &store->pool;
  pthread_mutex_lock(&pool->lock);
  bool is_only = is_scarce(pool) && pool->links_held + pool->writers_held == 0 && (pool->wanted != NULL || writers_wait(pool));
  pthread_mutex_unlock(&pool->lock);
  return is_only;
}
