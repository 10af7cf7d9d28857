/* sqlite_session.c - one loop's session. Reads and writes of a turn are collected; at its end the writes go to the writer together, and the
 * reads run in one transaction, which begins after the last request of the turn was read: whoever was told of a commit sees it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite_run.h"
#include "store/sqlite_store.h"

/* A read may take so many ticks on the loop, about a millisecond; then it starts again on a thread of its own. */
enum { SESSION_TICKS_MAX = 30 };
/* Fewer reads make no turn long: the clock is not asked. */
enum { SESSION_TIMED_READS_MIN = 8 };

/* ---- reads on the loop ---- */

static void session_send_to_readers(SqliteSession *session, StoreRead *read) {
  session->pending++;
  sqlite_count(&session->store->slow_reads, 1);
  sqlite_readers_submit(&session->store->readers, read);
}

/* True when the read is finished, well or badly; false when it has to run elsewhere. */
static bool session_run_read(SqliteSession *session, StoreRead *read) {
  SqliteConnection *connection = session->connection;
  bool is_busy = false;
  read->error.code = CODE_OK;
  sqlite_connection_bound(connection, SESSION_TICKS_MAX, 0);
  Code code = sqlite_plan_run(connection, read, &is_busy, &read->error);
  read->error.code = code;
  if (code == CODE_OK || (connection->stop == SQLITE_STOP_NONE && !is_busy)) return true;
  if (connection->stop == SQLITE_STOP_BUDGET) atomic_store_explicit(&read->plan->is_slow, true, memory_order_relaxed);
  read->restart(read);
  return false;
}

/* One statement has a snapshot of its own: it needs no transaction around it. */
static bool batch_needs_transaction(const StoreReadQueue *batch) {
  if (batch->count != 1) return true;
  const StorePlan *plan = batch->first->plan;
  return plan->count != 1 || (plan->is_repeated != NULL && plan->is_repeated[0]);
}

/* Runs the reads of `batch` and leaves those in it that are finished. */
static void session_run_batch(SqliteSession *session, StoreReadQueue *batch) {
  StoreReadQueue finished = {0};
  bool has_transaction = batch_needs_transaction(batch);
  if (has_transaction && sqlite_connection_command(session->connection, SQLITE_COMMAND_BEGIN) != SQLITE_OK) has_transaction = false;
  for (StoreRead *read = batch->first, *next; read != NULL; read = next) {
    next = read->next;
    if (session_run_read(session, read))
      store_read_push(&finished, read);
    else
      session_send_to_readers(session, read);
  }
  if (has_transaction) sqlite_connection_command(session->connection, SQLITE_COMMAND_COMMIT);
  *batch = finished;
}

static void session_run_timed(SqliteSession *session, StoreReadQueue *batch) {
  size_t count = batch->count;
  if (count < SESSION_TIMED_READS_MIN) {
    session_run_batch(session, batch);
    return;
  }
  int64_t begin_us = sqlite_clock_us();
  session_run_batch(session, batch);
  pace_add(&session->pace, sqlite_clock_us() - begin_us, count);
}

static void session_finish_batch(SqliteSession *session, StoreReadQueue *batch) {
  sqlite_count(&session->store->reads, batch->count);
  for (StoreRead *read = batch->first, *next; read != NULL; read = next) {
    next = read->next;
    if (read->error.code != CODE_OK) sqlite_count(&session->store->errors, 1);
    read->done(read, read->error.code, &read->error);
  }
}

/* Plans known to be slow are sent away before the batch begins. */
static StoreReadQueue session_take_quick_reads(SqliteSession *session) {
  StoreReadQueue quick = {0};
  StoreRead *read = session->reads.first;
  session->reads = (StoreReadQueue){0};
  for (StoreRead *next; read != NULL; read = next) {
    next = read->next;
    if (read->plan->is_background || atomic_load_explicit(&read->plan->is_slow, memory_order_relaxed))
      session_send_to_readers(session, read);
    else
      store_read_push(&quick, read);
  }
  return quick;
}

static void session_flush_writes(SqliteSession *session) {
  if (session->writes.count == 0) return;
  StoreWriteQueue writes = session->writes;
  session->writes = (StoreWriteQueue){0};
  session->pending += writes.count;
  sqlite_writer_submit(&session->store->writer, &writes);
}

/* The end of a turn. What the finished reads ask for next is still part of it. */
static void session_flush(void *context) {
  SqliteSession *session = context;
  do {
    /* The writer first: it works while we read. */
    session_flush_writes(session);
    StoreReadQueue batch = session_take_quick_reads(session);
    if (batch.count == 0) continue;
    sqlite_turn_begin_read(session->store);
    session_run_timed(session, &batch);
    sqlite_turn_end(session->store);
    sqlite_count(&session->store->read_batches, 1);
    session_finish_batch(session, &batch);
  } while (session->reads.count > 0 || session->writes.count > 0);
}

void sqlite_session_read(StoreSession *session, StoreRead *read) {
  read->session = session;
  store_read_push(&((SqliteSession *)session)->reads, read);
}

void sqlite_session_write(StoreSession *session, StoreWrite *write) {
  write->session = session;
  store_write_push(&((SqliteSession *)session)->writes, write);
}

/* On the loop a read waits for the others of its turn; it may have waited for those of the turn before, too. */
static StoreLine session_line(const SqliteSession *session) {
  return (StoreLine){.waiting = session->reads.count, .each_ns = 2 * pace_each_ns(&session->pace)};
}

StoreLine sqlite_session_line(StoreSession *base, const StorePlan *plan) {
  const SqliteSession *session = (const SqliteSession *)base;
  if (plan == NULL) return sqlite_writer_line(&session->store->writer, session->writes.count);
  bool is_slow = plan->is_background || atomic_load_explicit(&plan->is_slow, memory_order_relaxed);
  return is_slow ? sqlite_readers_line(&session->store->readers) : session_line(session);
}

/* ---- the way back from other threads ---- */

/* Under the session's lock. */
static void session_wake(SqliteSession *session) {
  pthread_cond_signal(&session->finished);
  if (session->is_posted || session->is_closed) return;
  session->is_posted = true;
  loop_post(session->loop, &session->message);
}

void sqlite_session_finish_read(StoreRead *read) {
  SqliteSession *session = (SqliteSession *)read->session;
  pthread_mutex_lock(&session->lock);
  store_read_push(&session->reads_finished, read);
  session_wake(session);
  pthread_mutex_unlock(&session->lock);
}

void sqlite_session_finish_writes(StoreWriteQueue *writes) {
  StoreWrite *write = writes->first;
  *writes = (StoreWriteQueue){0};
  while (write != NULL) {
    SqliteSession *session = (SqliteSession *)write->session;
    pthread_mutex_lock(&session->lock);
    /* A run of writes of one session is handed over under one lock. */
    while (write != NULL && write->session == &session->base) {
      StoreWrite *next = write->next;
      store_write_push(&session->writes_finished, write);
      write = next;
    }
    session_wake(session);
    pthread_mutex_unlock(&session->lock);
  }
}

static void session_deliver(SqliteSession *session, StoreReadQueue *reads, StoreWriteQueue *writes) {
  session->pending -= reads->count + writes->count;
  for (StoreWrite *write = writes->first, *next; write != NULL; write = next) {
    next = write->next;
    write->done(write, write->code, &write->error);
  }
  session_finish_batch(session, reads);
}

static void session_on_message(void *context) {
  SqliteSession *session = context;
  pthread_mutex_lock(&session->lock);
  StoreReadQueue reads = session->reads_finished;
  StoreWriteQueue writes = session->writes_finished;
  session->reads_finished = (StoreReadQueue){0};
  session->writes_finished = (StoreWriteQueue){0};
  session->is_posted = false;
  pthread_mutex_unlock(&session->lock);
  if (!session->is_closed) session_deliver(session, &reads, &writes);
}

/* ---- opening and closing ---- */

Code sqlite_session_open(Store *base, Loop *loop, StoreSession **ret, Error *err) {
  SqliteStore *store = (SqliteStore *)base;
  SqliteSession *session = memory_alloc(sizeof *session);
  TRY_ALLOC(session);
  *session = (SqliteSession){.base = {base->driver, base}, .store = store, .loop = loop};
  /* Its first look at the database is a read, and a loop's connection waits for no lock. */
  sqlite_turn_begin_read(store);
  Code code = sqlite_connection_open(&store->target, SQLITE_ROLE_LOOP, 0, &session->connection, err);
  sqlite_turn_end(store);
  if (code != CODE_OK) {
    memory_free(session);
    return code;
  }
  pthread_mutex_init(&session->lock, NULL);
  pthread_cond_init(&session->finished, NULL);
  session->hook = (LoopHook){.run = session_flush, .context = session};
  session->message = (LoopMessage){.run = session_on_message, .context = session};
  loop_hook_add(loop, &session->hook);
  pthread_mutex_lock(&store->sessions_lock);
  session->next = store->sessions;
  store->sessions = session;
  pthread_mutex_unlock(&store->sessions_lock);
  *ret = &session->base;
  return CODE_OK;
}

/* Waits for what is under way on other threads, so that every done is called. The session's memory stays until the store is closed, since a
 * message to the loop may be on its way. */
void sqlite_session_close(StoreSession *base) {
  SqliteSession *session = (SqliteSession *)base;
  session_flush(session);
  while (session->pending > 0) {
    pthread_mutex_lock(&session->lock);
    while (session->reads_finished.count + session->writes_finished.count == 0) pthread_cond_wait(&session->finished, &session->lock);
    StoreReadQueue reads = session->reads_finished;
    StoreWriteQueue writes = session->writes_finished;
    session->reads_finished = (StoreReadQueue){0};
    session->writes_finished = (StoreWriteQueue){0};
    pthread_mutex_unlock(&session->lock);
    session_deliver(session, &reads, &writes);
    session_flush(session);
  }
  pthread_mutex_lock(&session->lock);
  session->is_closed = true;
  pthread_mutex_unlock(&session->lock);
  loop_hook_remove(session->loop, &session->hook);
  sqlite_connection_close(session->connection);
  session->connection = NULL;
}

void sqlite_session_destroy(SqliteSession *session) {
  assert(session->is_closed);
  pthread_cond_destroy(&session->finished);
  pthread_mutex_destroy(&session->lock);
  memory_free(session);
}
