/* postgres_writer.c - the threads that write, each with a connection of its own and one transaction at a time. The server itself gathers
 * the commits that come together. What met another change, or lost its connection before the commit was sent, runs again before anybody
 * hears of it; a commit whose answer was lost does not: nobody knows whether it was made. */
#include <string.h>
#include <time.h>

#include "store/postgres_store.h"

/* Serialization failures and deadlocks; a delay that doubles up to a bound. */
enum { RETRIES_MAX = 12, RETRY_MIN_US = 1000, RETRY_MAX_US = 64000, RECONNECT_MIN_US = 20000, RECONNECT_MAX_US = 400000 };

typedef struct Writer {
  PostgresStore *store;
  PostgresConnection *connection; /* NULL: none at the moment */
} Writer;

static void sleep_us(int64_t delay_us) {
  struct timespec delay = {.tv_sec = (time_t)(delay_us / 1000000), .tv_nsec = (long)(delay_us % 1000000) * 1000};
  (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &delay, NULL);
}

static int64_t delay_us(int64_t min_us, int64_t max_us, size_t attempt) {
  int64_t delay = min_us;
  for (size_t i = 0; i < attempt && delay < max_us; i++) delay *= 2;
  return postgres_jitter_us(delay < max_us ? delay : max_us);
}

/* Nothing waits any more: a connection is not needed. */
static bool is_wanted(void *context) {
  PostgresWriters *writers = context;
  pthread_mutex_lock(&writers->lock);
  bool has_work = writers->queue.first != NULL;
  pthread_mutex_unlock(&writers->lock);
  return has_work;
}

static bool writer_open(Writer *writer, PostgresPatienceFn *is_patient) {
  PostgresStore *store = writer->store;
  Error err;
  if (!postgres_pool_writer_may_open(store)) return false;
  bool is_open = postgres_connection_open(&store->target, is_patient, &store->writers, &writer->connection, &err) == CODE_OK;
  if (is_open) {
    postgres_pool_writer_opened(store);
    return true;
  }
  postgres_pool_closed(store, NULL);
  if (is_patient == NULL || is_patient(&store->writers)) postgres_pool_refused(store);
  return false;
}

/* False: there is no connection to be had now, be it a new one or another's; some time has gone by. `is_patient` may be NULL. */
static bool writer_connect(Writer *writer, PostgresPatienceFn *is_patient, size_t failures) {
  if (writer->connection != NULL || writer_open(writer, is_patient)) return true;
  writer->connection = postgres_pool_await(writer->store, delay_us(RECONNECT_MIN_US, RECONNECT_MAX_US, failures));
  return writer->connection != NULL;
}

static void writer_disconnect(Writer *writer) {
  if (writer->connection != NULL) postgres_pool_closed(writer->store, NULL);
  postgres_connection_close(writer->connection);
  writer->connection = NULL;
}

/* Others wait for a connection: this one may be theirs now. */
static void writer_share(Writer *writer, bool is_idle) {
  PostgresStore *store = writer->store;
  PostgresClaim claim;
  if (writer->connection == NULL || !atomic_load(&store->pool.has_waiters)) return;
  /* Nobody watches the socket of an idle writer. */
  if (is_idle && !postgres_connection_is_alive(writer->connection)) {
    writer_disconnect(writer);
    return;
  }
  if (!postgres_pool_claim(store, POSTGRES_GIVER_WRITER, NULL, is_idle, &claim)) return;
  PostgresConnection *connection = writer->connection;
  writer->connection = NULL;
  postgres_pool_deliver(store, claim, connection);
}

/* One attempt. *ret_again: it may be repeated. */
static void write_once(Writer *writer, StoreWrite *write, bool *ret_again, PostgresRemedy *ret_remedy) {
  PostgresTxn txn = {
      .base = {writer->store->base.driver}, .store = writer->store, .connection = writer->connection, .isolation = write->isolation};
  bool is_unknown = false;
  write->error = (Error){0};
  Code code = write->run(write, &txn.base, &write->error);
  if (code == CODE_OK && write->is_dry_run)
    code = postgres_txn_check(&txn, &write->error);
  else if (code == CODE_OK)
    code = postgres_txn_commit(&txn, &is_unknown, &write->error);
  write->position = code == CODE_OK ? txn.position : 0;
  postgres_txn_rollback(&txn);
  if (is_unknown)
    code =
        error_set(&write->error, CODE_UNAVAILABLE, "the connection was lost during the commit: whether the change was made is not known");
  write->code = code;
  *ret_remedy = txn.remedy;
  *ret_again = code != CODE_OK && !is_unknown && txn.is_failed && txn.remedy != POSTGRES_REMEDY_NONE;
}

/* False: without a connection it could not be run (again); another writer may be luckier. */
static bool write_run(Writer *writer, StoreWrite *write) {
  size_t retries = 0, reconnects = 0;
  bool is_repeated = false;
  for (;;) {
    if (!writer_connect(writer, NULL, reconnects)) return false;
    bool is_again = false;
    PostgresRemedy remedy = POSTGRES_REMEDY_NONE;
    write_once(writer, write, &is_again, &remedy);
    bool is_lost = remedy == POSTGRES_REMEDY_RECONNECT || postgres_connection_is_broken(writer->connection);
    if (is_lost) writer_disconnect(writer);
    if (remedy == POSTGRES_REMEDY_UNPREPARED) atomic_store(&writer->store->target.is_prepared, false);
    if (!is_again) return true;
    if (is_lost ? ++reconnects >= POSTGRES_ATTEMPTS_MAX : ++retries >= RETRIES_MAX) return true;
    if (remedy == POSTGRES_REMEDY_ONCE && is_repeated) return true;
    is_repeated = is_repeated || remedy == POSTGRES_REMEDY_ONCE;
    if (!is_lost) sleep_us(delay_us(RETRY_MIN_US, RETRY_MAX_US, retries));
  }
}

/* ---- the threads ---- */

/* Waits until there is something to write. False: the writers are closing and nothing is left. */
static bool writers_wait(Writer *writer) {
  PostgresWriters *writers = &writer->store->writers;
  pthread_mutex_lock(&writers->lock);
  writers->busy_count--;
  while (writers->queue.first == NULL && !writers->is_closing) {
    size_t recalls = writers->recalls;
    if (writer->connection != NULL && atomic_load(&writer->store->pool.has_waiters)) {
      pthread_mutex_unlock(&writers->lock);
      writer_share(writer, true);
      pthread_mutex_lock(&writers->lock);
      if (writers->queue.first != NULL || writers->is_closing || writers->recalls != recalls) continue;
    }
    pthread_cond_wait(&writers->wake, &writers->lock);
  }
  writers->busy_count++;
  bool has_work = writers->queue.first != NULL;
  pthread_mutex_unlock(&writers->lock);
  return has_work;
}

void postgres_writers_wake(PostgresStore *store) {
  pthread_mutex_lock(&store->writers.lock);
  store->writers.recalls++;
  pthread_cond_broadcast(&store->writers.wake);
  pthread_mutex_unlock(&store->writers.lock);
}

static StoreWrite *writers_take(PostgresWriters *writers) {
  pthread_mutex_lock(&writers->lock);
  StoreWrite *write = store_write_pop(&writers->queue);
  if (write != NULL) pace_note(&writers->pace, postgres_clock_us(), 1, writers->queue.count);
  pthread_mutex_unlock(&writers->lock);
  return write;
}

/* Back to the front of the queue, for whoever has a connection; the keeper ends it there when its time is over. */
static void writers_give_back(PostgresWriters *writers, StoreWrite *write) {
  pthread_mutex_lock(&writers->lock);
  write->next = writers->queue.first;
  writers->queue.first = write;
  if (writers->queue.last == NULL) writers->queue.last = write;
  writers->queue.count++;
  pthread_cond_signal(&writers->wake);
  pthread_mutex_unlock(&writers->lock);
}

static void writer_finish(PostgresStore *store, StoreWrite *write) {
  StoreWriteQueue finished = {0};
  postgres_count(&store->writes, 1);
  if (write->code == CODE_OK) postgres_count(&store->write_groups, 1);
  if (write->code == CODE_UNAVAILABLE || write->code == CODE_INTERNAL) postgres_count(&store->errors, 1);
  store_write_push(&finished, write);
  postgres_session_finish_writes(&finished);
}

/* A writer takes nothing before it has a connection: what waits is for those who have one. */
static void *writer_main(void *context) {
  PostgresStore *store = context;
  PostgresWriters *writers = &store->writers;
  Writer writer = {.store = store};
  size_t failures = 0;
  while (writers_wait(&writer)) {
    if (!writer_connect(&writer, is_wanted, failures)) {
      failures++;
      continue;
    }
    failures = 0;
    StoreWrite *write = writers_take(writers);
    if (write == NULL) continue;
    if (write_run(&writer, write))
      writer_finish(store, write);
    else
      writers_give_back(writers, write);
    writer_share(&writer, false);
  }
  writer_disconnect(&writer);
  return NULL;
}

StoreLine postgres_writers_line(PostgresStore *store) {
  PostgresWriters *writers = &store->writers;
  pthread_mutex_lock(&writers->lock);
  StoreLine line = {.waiting = writers->queue.count, .each_ns = pace_each_ns(&writers->pace)};
  pthread_mutex_unlock(&writers->lock);
  return line;
}

static void refuse(StoreWriteQueue *writes, const char *text) {
  for (StoreWrite *write = writes->first; write != NULL; write = write->next)
    write->code = error_set(&write->error, CODE_UNAVAILABLE, "%s", text);
  postgres_session_finish_writes(writes);
}

/* Under the lock. A thread more where nobody is free for what waits. */
static void writers_grow(PostgresStore *store) {
  PostgresWriters *writers = &store->writers;
  size_t starting = 0;
  while (writers->thread_count - writers->busy_count + starting < writers->queue.count && writers->thread_count < writers->thread_max) {
    if (pthread_create(&writers->threads[writers->thread_count], NULL, writer_main, store) != 0) return;
    writers->thread_count++;
    writers->busy_count++; /* until it asks for work */
    starting++;
  }
}

void postgres_writers_submit(PostgresStore *store, StoreWriteQueue *writes) {
  PostgresWriters *writers = &store->writers;
  StoreWriteQueue refused = {0};
  if (store->base.is_read_only) {
    refuse(writes, "the database is read-only");
    return;
  }
  pthread_mutex_lock(&writers->lock);
  for (StoreWrite *write; (write = store_write_pop(writes)) != NULL;)
    store_write_push(writers->queue.count < store->writes_queued_max ? &writers->queue : &refused, write);
  size_t wanted = writers->queue.count;
  writers_grow(store);
  bool has_nobody = writers->thread_count == 0;
  if (has_nobody) {
    for (StoreWrite *write; (write = store_write_pop(&writers->queue)) != NULL;) store_write_push(&refused, write);
  }
  for (size_t i = 0; i < wanted && i < writers->thread_count; i++) pthread_cond_signal(&writers->wake);
  pthread_mutex_unlock(&writers->lock);
  if (refused.first != NULL) refuse(&refused, has_nobody ? "no thread could be started for writes" : "too many writes are waiting");
}

void postgres_writers_expire(PostgresStore *store, int64_t now_us) {
  PostgresWriters *writers = &store->writers;
  StoreWriteQueue late = {0};
  pthread_mutex_lock(&writers->lock);
  while (writers->queue.first != NULL && now_us - writers->queue.first->since_us > store->acquire_timeout_us)
    store_write_push(&late, store_write_pop(&writers->queue));
  pthread_mutex_unlock(&writers->lock);
  if (late.first != NULL) refuse(&late, "no connection to the database became free in time");
}

Code postgres_writers_init(PostgresStore *store, size_t thread_max, Error *err) {
  (void)err;
  store->writers.thread_max = thread_max < POSTGRES_WRITERS_MAX ? thread_max : POSTGRES_WRITERS_MAX;
  pthread_mutex_init(&store->writers.lock, NULL);
  pthread_cond_init(&store->writers.wake, NULL);
  return CODE_OK;
}

void postgres_writers_done(PostgresStore *store) {
  PostgresWriters *writers = &store->writers;
  pthread_mutex_lock(&writers->lock);
  writers->is_closing = true;
  pthread_cond_broadcast(&writers->wake);
  pthread_mutex_unlock(&writers->lock);
  for (size_t i = 0; i < writers->thread_count; i++) pthread_join(writers->threads[i], NULL);
  pthread_cond_destroy(&writers->wake);
  pthread_mutex_destroy(&writers->lock);
}
