/* sqlite_reader.c - threads for reads that would hold up a loop. They are started when the first such read comes, each with a connection of
 * its own. */
#include <stdlib.h>

#include "store/sqlite_run.h"
#include "store/sqlite_store.h"

/* A plan that needed no more than this here is given to the loops again: it was slow for other parameters. */
enum { READER_TICKS_QUICK = 10 };

static void reader_run(SqliteReaders *readers, SqliteConnection *connection, StoreRead *read) {
  SqliteStore *store = readers->store;
  int64_t ticks = SQLITE_TICKS_UNBOUNDED - 1;
  int64_t end_us = sqlite_clock_us() + store->statement_timeout_us;
  sqlite_connection_bound(connection, ticks, read->deadline_us != 0 && read->deadline_us < end_us ? read->deadline_us : end_us);
  sqlite_turn_begin_read(store);
  sqlite_connection_command(connection, SQLITE_COMMAND_BEGIN);
  Code code = sqlite_plan_run(connection, read, NULL, &read->error);
  sqlite_connection_command(connection, SQLITE_COMMAND_COMMIT);
  sqlite_turn_end(store);
  read->error.code = code;
  if (code == CODE_OK && ticks - connection->ticks_left <= READER_TICKS_QUICK) {
    atomic_store_explicit(&read->plan->is_slow, false, memory_order_relaxed);
  }
}

/* Waits for a read. NULL: the readers are closing and nothing is left. */
static StoreRead *readers_take(SqliteReaders *readers) {
  pthread_mutex_lock(&readers->lock);
  readers->idle_count++;
  while (readers->queue.first == NULL && !readers->is_closing) pthread_cond_wait(&readers->wake, &readers->lock);
  readers->idle_count--;
  StoreRead *read = readers->queue.first;
  if (read != NULL) {
    readers->queue.first = read->next;
    if (read->next == NULL) readers->queue.last = NULL;
    readers->queue.count--;
    pace_note(&readers->pace, sqlite_clock_us(), 1, readers->queue.count);
  }
  pthread_mutex_unlock(&readers->lock);
  return read;
}

static void *reader_main(void *context) {
  SqliteReaders *readers = context;
  SqliteStore *store = readers->store;
  SqliteConnection *connection = NULL;
  for (StoreRead *read; (read = readers_take(readers)) != NULL;) {
    /* Where the connection can't be opened now, the next read tries again. */
    if (connection == NULL) {
      sqlite_turn_begin_read(store);
      read->error.code = sqlite_connection_open(&store->target, SQLITE_ROLE_READER, store->busy_timeout_ms, &connection, &read->error);
      sqlite_turn_end(store);
    }
    if (connection != NULL) reader_run(readers, connection, read);
    sqlite_session_finish_read(read);
  }
  sqlite_connection_close(connection);
  return NULL;
}

Code sqlite_readers_init(SqliteReaders *readers, SqliteStore *store, Error *err) {
  readers->store = store;
  if (pthread_mutex_init(&readers->lock, NULL) != 0) return error_no_memory(err);
  if (pthread_cond_init(&readers->wake, NULL) == 0) return CODE_OK;
  pthread_mutex_destroy(&readers->lock);
  return error_no_memory(err);
}

void sqlite_readers_done(SqliteReaders *readers) {
  pthread_mutex_lock(&readers->lock);
  readers->is_closing = true;
  pthread_cond_broadcast(&readers->wake);
  pthread_mutex_unlock(&readers->lock);
  for (size_t i = 0; i < readers->thread_count; i++) pthread_join(readers->threads[i], NULL);
  pthread_cond_destroy(&readers->wake);
  pthread_mutex_destroy(&readers->lock);
}

StoreLine sqlite_readers_line(SqliteReaders *readers) {
  pthread_mutex_lock(&readers->lock);
  StoreLine line = {.waiting = readers->queue.count, .each_ns = pace_each_ns(&readers->pace)};
  pthread_mutex_unlock(&readers->lock);
  return line;
}

void sqlite_readers_submit(SqliteReaders *readers, StoreRead *read) {
  pthread_mutex_lock(&readers->lock);
  if (readers->idle_count <= readers->queue.count && readers->thread_count < SQLITE_READERS_MAX &&
      pthread_create(&readers->threads[readers->thread_count], NULL, reader_main, readers) == 0) {
    readers->thread_count++;
  }
  bool has_thread = readers->thread_count > 0;
  if (has_thread) {
    store_read_push(&readers->queue, read);
    pthread_cond_signal(&readers->wake);
  }
  pthread_mutex_unlock(&readers->lock);
  if (has_thread) return;
  read->error.code = error_set(&read->error, CODE_UNAVAILABLE, "no thread could be started for a slow read");
  sqlite_session_finish_read(read);
}
