/* replicas.c - see replicas.h. A read goes to the next copy in turn that is well, not too far behind in time, and has what the read's
 * caller has written (StoreRead.position); else to the database itself, as does one that a copy could not answer. */
#include "store/replicas.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

/* A read that gets no connection of a copy's has still to be answered by the database. */
static const int64_t REPLICA_ACQUIRE_US = 250000;

typedef struct ReplicatedStore ReplicatedStore;

typedef struct Replica {
  ReplicatedStore *owner;
  Store *store;
  /* What loops look at. The position may go back: a copy that was made anew is where it is. */
  _Atomic uint64_t position;
  _Atomic bool is_usable;
  _Atomic uint64_t reads, returned;
  /* Under the owner's lock. Behind: it has not reached `mark`, which the database had reached at mark_us; it was even at even_us. */
  bool is_up;
  uint64_t mark;
  int64_t mark_us, even_us, lag_us;
  Error trouble;
} Replica;

struct ReplicatedStore {
  Store base;
  StoreDriver driver; /* the primary's, but for what is routed */
  Store *primary;
  int64_t lag_us_max;
  pthread_mutex_t lock;
  uint64_t primary_position; /* as last told */
  int64_t primary_us;        /* and when it was first */
  size_t count;
  Replica replicas[];
};

typedef struct ReplicatedSession {
  StoreSession base;
  StoreSession *primary;
  size_t next; /* whose turn it is */
  StoreSession *replicas[];
} ReplicatedSession;

static int64_t clock_us(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- how far everybody is ---- */

static void on_primary(void *context, const StoreProgress *progress) {
  ReplicatedStore *store = context;
  if (progress->code != CODE_OK) return;
  pthread_mutex_lock(&store->lock);
  if (progress->position != store->primary_position) {
    store->primary_position = progress->position;
    store->primary_us = clock_us();
  }
  pthread_mutex_unlock(&store->lock);
}

/* Under the lock. A database that is away tells nothing new: who has its last position is even with it. */
static void measure_lag(const ReplicatedStore *store, Replica *replica, uint64_t position) {
  int64_t now_us = clock_us();
  if (position >= store->primary_position) {
    replica->even_us = now_us;
    replica->mark = 0;
    replica->lag_us = 0;
    return;
  }
  if (replica->mark != 0 && position >= replica->mark) {
    replica->even_us = replica->mark_us;
    replica->mark = 0;
  }
  if (replica->mark == 0) {
    replica->mark = store->primary_position;
    replica->mark_us = store->primary_us;
  }
  replica->lag_us = now_us - replica->even_us;
}

static void on_replica(void *context, const StoreProgress *progress) {
  Replica *replica = context;
  ReplicatedStore *store = replica->owner;
  pthread_mutex_lock(&store->lock);
  replica->is_up = progress->code == CODE_OK;
  if (replica->is_up) {
    measure_lag(store, replica, progress->position);
    atomic_store(&replica->position, progress->position);
  } else {
    replica->trouble = progress->trouble;
  }
  atomic_store(&replica->is_usable, replica->is_up && replica->lag_us <= store->lag_us_max);
  pthread_mutex_unlock(&store->lock);
}

static size_t replicated_replicas(Store *base, StoreReplicaState *ret, size_t max) {
  ReplicatedStore *store = (ReplicatedStore *)base;
  pthread_mutex_lock(&store->lock);
  for (size_t i = 0; i < store->count && i < max; i++) {
    const Replica *replica = &store->replicas[i];
    ret[i] = (StoreReplicaState){.is_up = replica->is_up,
                                 .is_used = atomic_load(&replica->is_usable),
                                 .lag_us = replica->lag_us,
                                 .reads = atomic_load(&replica->reads),
                                 .returned = atomic_load(&replica->returned),
                                 .trouble = replica->trouble};
  }
  pthread_mutex_unlock(&store->lock);
  return store->count;
}

/* ---- reads ---- */

/* What a copy could not answer begins again on the database, as if it had never been elsewhere. */
static void on_read_done(StoreRead *read, Code code, const Error *err) {
  Replica *replica = read->replica;
  read->done = read->replica_done;
  if (code != CODE_UNAVAILABLE) {
    read->done(read, code, err);
    return;
  }
  atomic_fetch_add_explicit(&replica->returned, 1, memory_order_relaxed);
  read->error = (Error){0};
  read->restart(read);
  store_read(read->primary, read);
}

static void replicated_read(StoreSession *base, StoreRead *read) {
  ReplicatedSession *session = (ReplicatedSession *)base;
  ReplicatedStore *store = (ReplicatedStore *)base->store;
  for (size_t i = 0; read->is_copy_good && i < store->count; i++) {
    size_t at = (session->next + i) % store->count;
    Replica *replica = &store->replicas[at];
    if (!atomic_load_explicit(&replica->is_usable, memory_order_relaxed)) continue;
    if (atomic_load_explicit(&replica->position, memory_order_acquire) < read->position) continue;
    session->next = at + 1;
    atomic_fetch_add_explicit(&replica->reads, 1, memory_order_relaxed);
    read->replica = replica;
    read->primary = session->primary;
    read->replica_done = read->done;
    read->done = on_read_done;
    store_read(session->replicas[at], read);
    return;
  }
  store_read(session->primary, read);
}

static void replicated_write(StoreSession *base, StoreWrite *write) { store_write(((ReplicatedSession *)base)->primary, write); }

/* Copies only take from it. */
static StoreLine replicated_line(StoreSession *base, const StorePlan *plan) {
  return store_line(((ReplicatedSession *)base)->primary, plan);
}

/* ---- sessions ---- */

/* Copies first: what they had under way goes to the database. */
static void replicated_session_close(StoreSession *base) {
  ReplicatedSession *session = (ReplicatedSession *)base;
  const ReplicatedStore *store = (ReplicatedStore *)base->store;
  for (size_t i = 0; i < store->count; i++) store_session_close(session->replicas[i]);
  store_session_close(session->primary);
  memory_free(session);
}

static Code replicated_session_open(Store *base, Loop *loop, StoreSession **ret, Error *err) {
  ReplicatedStore *store = (ReplicatedStore *)base;
  size_t size = sizeof(ReplicatedSession) + store->count * sizeof(StoreSession *);
  ReplicatedSession *session = memory_alloc(size);
  TRY_ALLOC(session);
  memset(session, 0, size);
  session->base = (StoreSession){&store->driver, base};
  Code code = store_session_open(store->primary, loop, &session->primary, err);
  for (size_t i = 0; i < store->count && code == CODE_OK; i++)
    code = store_session_open(store->replicas[i].store, loop, &session->replicas[i], err);
  if (code == CODE_OK)
    *ret = &session->base;
  else
    replicated_session_close(&session->base);
  return code;
}

/* ---- the rest is the database's own ---- */

static Store *primary_of(Store *base) { return ((ReplicatedStore *)base)->primary; }

static Code replicated_migrator_open(Store *base, int64_t lock_timeout_ms, MigratorMode mode, Migrator **ret, Error *err) {
  Store *primary = primary_of(base);
  return primary->driver->migrator_open(primary, lock_timeout_ms, mode, ret, err);
}

static Code replicated_explain(Store *base, const StoreStatement *statement, const Value *params, Arena *arena, StoreStep **ret,
                               size_t *ret_count, Error *err) {
  Store *primary = primary_of(base);
  return primary->driver->explain(primary, statement, params, arena, ret, ret_count, err);
}

static Code replicated_changes_open(Store *base, bool *ret_is_there, Error *err) {
  Store *primary = primary_of(base);
  return primary->driver->changes_open(primary, ret_is_there, err);
}

static Code replicated_changes_listen(Store *base, StoreHeardFn *heard, void *context, Error *err) {
  Store *primary = primary_of(base);
  return primary->driver->changes_listen(primary, heard, context, err);
}

static void replicated_changes_tell(Store *base) {
  Store *primary = primary_of(base);
  primary->driver->changes_tell(primary);
}

static Code replicated_ping(Store *base, Error *err) {
  Store *primary = primary_of(base);
  return primary->driver->ping(primary, err);
}

static StoreStats replicated_stats(Store *base) {
  ReplicatedStore *store = (ReplicatedStore *)base;
  StoreStats sum = store->primary->driver->stats(store->primary);
  for (size_t i = 0; i < store->count; i++) {
    StoreStats part = store->replicas[i].store->driver->stats(store->replicas[i].store);
    sum.reads += part.reads;
    sum.read_batches += part.read_batches;
    sum.slow_reads += part.slow_reads;
    sum.errors += part.errors;
  }
  return sum;
}

static void replicated_close(Store *base) {
  ReplicatedStore *store = (ReplicatedStore *)base;
  for (size_t i = 0; i < store->count; i++) store_close(store->replicas[i].store);
  store_close(store->primary);
  pthread_mutex_destroy(&store->lock);
  memory_free(store);
}

static Code open_all(ReplicatedStore *store, const StoreReplicaOptions *options, Error *err) {
  StoreOptions primary = options->primary;
  primary.progress = on_primary;
  primary.progress_context = store;
  TRY(store_open(&primary, &store->primary, err));
  if (!store->primary->driver->has_copies)
    return error_set(err, CODE_BAD_REQUEST, "a store of this kind has no copies that follow it (--store-replica)");
  for (size_t i = 0; i < options->count; i++) {
    StoreOptions copy = options->primary;
    copy.url = options->urls[i];
    copy.is_read_only = copy.is_replica = true;
    copy.progress = on_replica;
    copy.progress_context = &store->replicas[i];
    if (copy.acquire_timeout_us == 0 || copy.acquire_timeout_us > REPLICA_ACQUIRE_US) copy.acquire_timeout_us = REPLICA_ACQUIRE_US;
    if (store_driver_of(copy.url) != store->primary->driver)
      return error_set(err, CODE_BAD_REQUEST, "a copy (--store-replica) is of the same kind as its store");
    TRY(store_open(&copy, &store->replicas[i].store, err));
  }
  return CODE_OK;
}

Code store_open_replicated(const StoreReplicaOptions *options, Store **ret, Error *err) {
  size_t size = sizeof(ReplicatedStore) + options->count * sizeof(Replica);
  ReplicatedStore *store = memory_alloc(size);
  TRY_ALLOC(store);
  memset(store, 0, size);
  store->count = options->count;
  store->lag_us_max = options->lag_us_max;
  pthread_mutex_init(&store->lock, NULL);
  for (size_t i = 0; i < store->count; i++) {
    store->replicas[i].owner = store;
    (void)error_set(&store->replicas[i].trouble, CODE_UNAVAILABLE, "it has not answered yet");
  }
  Code code = open_all(store, options, err);
  if (code != CODE_OK) {
    replicated_close(&store->base);
    return code;
  }
  store->driver = *store->primary->driver;
  store->driver.close = replicated_close;
  store->driver.session_open = replicated_session_open;
  store->driver.session_close = replicated_session_close;
  store->driver.read = replicated_read;
  store->driver.write = replicated_write;
  store->driver.migrator_open = replicated_migrator_open;
  store->driver.line = replicated_line;
  if (store->driver.explain != NULL) store->driver.explain = replicated_explain;
  if (store->driver.changes_open != NULL) store->driver.changes_open = replicated_changes_open;
  if (store->driver.changes_listen != NULL) store->driver.changes_listen = replicated_changes_listen;
  if (store->driver.changes_tell != NULL) store->driver.changes_tell = replicated_changes_tell;
  store->driver.ping = replicated_ping;
  store->driver.stats = replicated_stats;
  store->driver.replicas = replicated_replicas;
  store->base.driver = &store->driver;
  *ret = &store->base;
  return CODE_OK;
}
