/* sqlite_writer.c - the one thread that writes. Whatever writes have arrived share one durable transaction; nobody waits for a group to
 * fill. A write is told of its commit only after the log has reached the disk. One that fails leaves nothing behind: mostly it has changed
 * nothing yet; where it has, its group begins again, with a savepoint around each write. */
#include <assert.h>
#include <stdlib.h>

#include "store/sqlite_error.h"
#include "store/sqlite_run.h"
#include "store/sqlite_store.h"

/* A group is closed by whichever comes first, so that its first write doesn't wait for long. */
enum { GROUP_WRITES_MAX = 1024, GROUP_TIME_MAX_US = 20000 };
/* A savepoint costs a copy of each page that its write touches, a third of an insert; a group run twice costs more. So many groups after
 * one that had to begin again are guarded from the start: where such failures are usual, few groups run twice. */
enum { GUARDED_GROUPS = 64 };
/* The log is copied back into the database once it is so long: without waiting for readers, and beyond the second bound waiting for them.
 */
enum { WAL_PAGES_CHECKPOINT = 1000, WAL_PAGES_RESTART = 16000, CHECKPOINT_WAIT_MS = 200 };

/* ---- one write ---- */

/* What no statement of it has been refused for, but its end leaves broken: a deferred foreign key. */
static Code write_check_deferred_keys(SqliteConnection *connection, Error *err) {
  int unresolved = 0, ignored = 0;
  sqlite3_db_status(connection->db, SQLITE_DBSTATUS_DEFERRED_FKS, &unresolved, &ignored, 0);
  if (unresolved == 0) return CODE_OK;
  return error_set(err, CODE_CONFLICT, "a row is left that refers to a row that does not exist");
}

static Code write_run_program(SqliteWriter *writer, StoreWrite *write) {
  SqliteTxn txn = {.base = {writer->store->base.driver}, .connection = writer->connection};
  sqlite_connection_bound(writer->connection, SQLITE_TICKS_UNBOUNDED, sqlite_clock_us() + writer->store->statement_timeout_us);
  write->error = (Error){0};
  Code code = write->run(write, &txn.base, &write->error);
  if (code == CODE_OK) code = write_check_deferred_keys(writer->connection, &write->error);
  /* A timeout in the midst of a change ends SQLite's whole transaction, whatever the program made of it. */
  if (code == CODE_OK && sqlite3_get_autocommit(writer->connection->db)) {
    code = error_set(&write->error, CODE_UNAVAILABLE, "the transaction was ended by the store");
  }
  write->code = code;
  return code;
}

typedef enum WriteOutcome {
  WRITE_FINISHED, /* kept, or refused and nothing of it left */
  WRITE_LOST,     /* finished, but the whole transaction is gone (a full disk, a timeout): everything else in it has to run again */
  WRITE_UNDONE    /* the transaction was rolled back to be rid of it: everything has to run again, it as well */
} WriteOutcome;

static WriteOutcome write_run_guarded(SqliteWriter *writer, StoreWrite *write) {
  SqliteConnection *connection = writer->connection;
  int result = sqlite_connection_command(connection, SQLITE_COMMAND_SAVEPOINT);
  if (result != SQLITE_OK) {
    write->code = sqlite_error_set(connection, result, &write->error);
    return sqlite3_get_autocommit(connection->db) ? WRITE_LOST : WRITE_FINISHED;
  }
  bool is_kept = write_run_program(writer, write) == CODE_OK && !write->is_dry_run;
  if (sqlite3_get_autocommit(connection->db)) return WRITE_LOST;
  sqlite_connection_bound(connection, SQLITE_TICKS_UNBOUNDED, 0);
  if (!is_kept) result = sqlite_connection_command(connection, SQLITE_COMMAND_ROLLBACK_TO);
  if (result == SQLITE_OK) result = sqlite_connection_command(connection, SQLITE_COMMAND_RELEASE);
  if (result == SQLITE_OK) return WRITE_FINISHED;
  if (write->code == CODE_OK) write->code = sqlite_error_set(connection, result, &write->error);
  sqlite_connection_command(connection, SQLITE_COMMAND_ROLLBACK);
  return WRITE_LOST;
}

/* A statement that fails undoes itself; SQLite's count tells whether those before it have left anything. */
static WriteOutcome write_run_unguarded(SqliteWriter *writer, StoreWrite *write) {
  SqliteConnection *connection = writer->connection;
  int64_t changes = sqlite3_total_changes64(connection->db);
  bool is_kept = write_run_program(writer, write) == CODE_OK;
  if (sqlite3_get_autocommit(connection->db)) return WRITE_LOST;
  sqlite_connection_bound(connection, SQLITE_TICKS_UNBOUNDED, 0);
  if (is_kept || sqlite3_total_changes64(connection->db) == changes) return WRITE_FINISHED;
  sqlite_connection_command(connection, SQLITE_COMMAND_ROLLBACK);
  writer->guarded_groups = GUARDED_GROUPS;
  return WRITE_UNDONE;
}

static WriteOutcome write_run_in_group(SqliteWriter *writer, StoreWrite *write) {
  bool is_guarded = writer->guarded_groups > 0 || write->is_dry_run;
  return is_guarded ? write_run_guarded(writer, write) : write_run_unguarded(writer, write);
}

/* ---- groups ---- */

static void group_fail(StoreWriteQueue *group, Code code, const Error *error) {
  for (StoreWrite *write = group->first; write != NULL; write = write->next) {
    write->code = code;
    write->error = *error;
  }
}

static void writer_roll_back(SqliteWriter *writer) {
  sqlite_connection_bound(writer->connection, SQLITE_TICKS_UNBOUNDED, 0);
  if (!sqlite3_get_autocommit(writer->connection->db)) sqlite_connection_command(writer->connection, SQLITE_COMMAND_ROLLBACK);
}

/* After it no transaction is open. */
static void writer_commit(SqliteWriter *writer, StoreWriteQueue *group) {
  sqlite_connection_bound(writer->connection, SQLITE_TICKS_UNBOUNDED, 0);
  int result = sqlite_connection_command(writer->connection, SQLITE_COMMAND_COMMIT);
  if (result == SQLITE_OK) return;
  Error error;
  Code code = sqlite_error_set(writer->connection, result, &error);
  writer_roll_back(writer);
  /* A dry run, too: what it answered may rest on what is not there now. */
  group_fail(group, code, &error);
}

static bool writer_begin(SqliteWriter *writer, StoreWriteQueue *pending) {
  Error error;
  Code code = sqlite_file_check(writer->store, &error);
  if (code == CODE_OK) {
    sqlite_connection_bound(writer->connection, SQLITE_TICKS_UNBOUNDED, 0);
    int result = sqlite_connection_command(writer->connection, SQLITE_COMMAND_BEGIN_IMMEDIATE);
    if (result == SQLITE_OK) return true;
    code = sqlite_error_set(writer->connection, result, &error);
  }
  group_fail(pending, code, &error);
  return false;
}

/* Alone there is nobody to be protected from: no savepoint. */
static void writer_run_alone(SqliteWriter *writer, StoreWriteQueue *pending, StoreWriteQueue *finished) {
  StoreWrite *write = store_write_pop(pending);
  store_write_push(finished, write);
  if (write_run_program(writer, write) == CODE_OK && !write->is_dry_run)
    writer_commit(writer, finished);
  else
    writer_roll_back(writer);
}

/* Moves what it has finished from `pending` to `finished`. Where one write has lost the group its transaction, only that one is finished,
 * and the others of the group stand in `pending` again: with each such failure one fewer, so that this comes to an end. Where one had to be
 * undone, all stand there again, in their order, and are guarded now. */
static void writer_run_group(SqliteWriter *writer, StoreWriteQueue *pending, StoreWriteQueue *finished) {
  int64_t end_us = sqlite_clock_us() + GROUP_TIME_MAX_US;
  StoreWriteQueue group = {0};
  while (pending->first != NULL && group.count < GROUP_WRITES_MAX && (group.count == 0 || sqlite_clock_us() < end_us)) {
    StoreWrite *write = store_write_pop(pending);
    WriteOutcome outcome = write_run_in_group(writer, write);
    if (outcome != WRITE_FINISHED) {
      store_write_push(outcome == WRITE_LOST ? finished : &group, write);
      store_write_append(&group, pending);
      *pending = group;
      return;
    }
    store_write_push(&group, write);
  }
  writer_commit(writer, &group);
  if (writer->guarded_groups > 0) writer->guarded_groups--;
  *finished = group;
}

static void writer_count(SqliteWriter *writer, const StoreWriteQueue *finished) {
  if (finished->first == NULL) return;
  sqlite_count(&writer->store->writes, finished->count);
  sqlite_count(&writer->store->write_groups, 1);
  for (const StoreWrite *write = finished->first; write != NULL; write = write->next) {
    if (write->code == CODE_UNAVAILABLE || write->code == CODE_INTERNAL) sqlite_count(&writer->store->errors, 1);
  }
}

/* Most of a group's time may be the disk's, which more writes would share: only a full group tells what each takes. */
static void writer_note_pace(SqliteWriter *writer, int64_t spent_us, size_t done, bool is_full) {
  atomic_fetch_sub_explicit(&writer->waiting, done, memory_order_relaxed);
  if (is_full)
    pace_add(&writer->pace, spent_us, done);
  else
    pace_add_at_most(&writer->pace, spent_us, done);
}

static void writer_run_pending(SqliteWriter *writer, StoreWriteQueue *pending) {
  StoreWriteQueue finished = {0};
  int64_t begin_us = sqlite_clock_us();
  sqlite_turn_begin_write(writer->store);
  if (!writer_begin(writer, pending))
    store_write_append(&finished, pending);
  else if (pending->count == 1)
    writer_run_alone(writer, pending, &finished);
  else
    writer_run_group(writer, pending, &finished);
  sqlite_turn_end(writer->store);
  writer_count(writer, &finished);
  writer_note_pace(writer, sqlite_clock_us() - begin_us, finished.count, pending->first != NULL);
  bool has_waiting = finished.count > 1 || atomic_load_explicit(&writer->waiting, memory_order_relaxed) > 0;
  for (StoreWrite *write = finished.first; write != NULL; write = write->next) write->has_waiting = has_waiting;
  sqlite_session_finish_writes(&finished);
}

/* Between groups, when everybody has been answered: SQLite's own checkpoint would come in the midst of a commit. */
static void writer_checkpoint(SqliteWriter *writer) {
  SqliteConnection *connection = writer->connection;
  if (connection->wal_pages < WAL_PAGES_CHECKPOINT) return;
  bool is_restart = connection->wal_pages >= WAL_PAGES_RESTART;
  if (is_restart) sqlite3_busy_timeout(connection->db, CHECKPOINT_WAIT_MS);
  sqlite3_wal_checkpoint_v2(connection->db, NULL, is_restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  if (is_restart) sqlite3_busy_timeout(connection->db, writer->store->busy_timeout_ms);
  connection->wal_pages = 0;
}

/* ---- the thread ---- */

/* Waits for writes and takes all there are. False: the writer is closing and nothing is left. */
static bool writer_take(SqliteWriter *writer, StoreWriteQueue *ret) {
  pthread_mutex_lock(&writer->lock);
  while (writer->queue.first == NULL && !writer->is_closing) pthread_cond_wait(&writer->wake, &writer->lock);
  *ret = writer->queue;
  writer->queue = (StoreWriteQueue){0};
  pthread_mutex_unlock(&writer->lock);
  return ret->first != NULL;
}

static void *writer_main(void *context) {
  SqliteWriter *writer = context;
  StoreWriteQueue pending = {0};
  while (writer_take(writer, &pending)) {
    while (pending.first != NULL) writer_run_pending(writer, &pending);
    writer_checkpoint(writer);
  }
  return NULL;
}

Code sqlite_writer_init(SqliteWriter *writer, SqliteStore *store, SqliteConnection *connection, Error *err) {
  writer->store = store;
  writer->connection = connection;
  pthread_mutex_init(&writer->lock, NULL);
  pthread_cond_init(&writer->wake, NULL);
  if (store->target.is_read_only) return CODE_OK;
  writer->has_thread = pthread_create(&writer->thread, NULL, writer_main, writer) == 0;
  return writer->has_thread ? CODE_OK : error_set(err, CODE_UNAVAILABLE, "the writer's thread could not be started");
}

void sqlite_writer_done(SqliteWriter *writer) {
  if (writer->has_thread) {
    pthread_mutex_lock(&writer->lock);
    writer->is_closing = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
  }
  sqlite_connection_close(writer->connection);
  pthread_cond_destroy(&writer->wake);
  pthread_mutex_destroy(&writer->lock);
}

StoreLine sqlite_writer_line(const SqliteWriter *writer, size_t coming) {
  size_t waiting = atomic_load_explicit(&writer->waiting, memory_order_relaxed);
  return (StoreLine){.waiting = waiting + coming, .each_ns = pace_each_ns(&writer->pace)};
}

void sqlite_writer_submit(SqliteWriter *writer, StoreWriteQueue *writes) {
  StoreWriteQueue refused = {0};
  Error error;
  if (!writer->has_thread) {
    error_set(&error, CODE_UNAVAILABLE, "the database is read-only");
    store_write_append(&refused, writes);
  } else {
    error_set(&error, CODE_UNAVAILABLE, "too many writes are waiting");
    size_t coming = writes->count;
    pthread_mutex_lock(&writer->lock);
    while (writes->first != NULL) {
      StoreWrite *write = store_write_pop(writes);
      store_write_push(writer->queue.count < writer->store->writes_queued_max ? &writer->queue : &refused, write);
    }
    atomic_fetch_add_explicit(&writer->waiting, coming - refused.count, memory_order_relaxed);
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
  }
  if (refused.first == NULL) return;
  group_fail(&refused, CODE_UNAVAILABLE, &error);
  sqlite_session_finish_writes(&refused);
}
