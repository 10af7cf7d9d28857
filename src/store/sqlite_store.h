/* sqlite_store.h - what the driver's files share: the store, its sessions, its threads.
 *
 *   sqlite_session.c   one loop's reads (run together at the end of the turn) and the way back to it
 *   sqlite_reader.c    the threads on which slow reads run
 *   sqlite_writer.c    the one thread that writes
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/pace.h"
#include "store/sqlite_connection.h"
#include "store/queue.h"

typedef struct SqliteStore SqliteStore;
typedef struct SqliteSession SqliteSession;

enum { SQLITE_READERS_MAX = 2, SQLITE_BUSY_TIMEOUT_MS_MAX = 5000 };

typedef struct SqliteTxn {
  StoreTxn base;
  SqliteConnection *connection;
} SqliteTxn;

struct SqliteSession {
  StoreSession base;
  SqliteStore *store;
  Loop *loop;
  SqliteConnection *connection;
  LoopHook hook;
  /* The loop's own: what this turn has asked for, and how many are under way on other threads. */
  StoreReadQueue reads;
  StoreWriteQueue writes;
  Pace pace; /* of reads on the loop */
  size_t pending;
  /* Under `lock`: what other threads have finished. */
  pthread_mutex_t lock;
  pthread_cond_t finished;
  StoreReadQueue reads_finished;
  StoreWriteQueue writes_finished;
  bool is_posted;
  bool is_closed;
  LoopMessage message;
  SqliteSession *next; /* of the store's */
};

typedef struct SqliteWriter {
  SqliteStore *store;
  SqliteConnection *connection;
  pthread_t thread;
  bool has_thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  StoreWriteQueue queue; /* under `lock`, as is_closing */
  bool is_closing;
  _Atomic size_t waiting;  /* in the queue or taken from it, and not finished */
  Pace pace;               /* the thread's own */
  unsigned guarded_groups; /* so many groups still put a savepoint around each of their writes */
} SqliteWriter;

typedef struct SqliteReaders {
  SqliteStore *store;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  StoreReadQueue queue; /* under `lock`, as all below */
  pthread_t threads[SQLITE_READERS_MAX];
  size_t thread_count;
  size_t idle_count;
  Pace pace;
  bool is_closing;
} SqliteReaders;

struct SqliteStore {
  Store base;
  Arena *arena; /* of the strings below */
  SqliteTarget target;
  const char *path; /* of the file; target.path may be a URI */
  int64_t statement_timeout_us;
  size_t writes_queued_max;
  int busy_timeout_ms;
  int64_t opening_waited_us; /* where its options bound that: at most, for what another program held */
  bool is_wal;
  bool is_ours; /* made by Caisson: its tables may be changed */
  dev_t file_device;
  ino_t file_inode;

  /* Where readers and the writer can't work side by side (no write-ahead log: in memory), they take turns by this lock. */
  pthread_rwlock_t turns;

  SqliteWriter writer;
  SqliteReaders readers;
  pthread_mutex_t sessions_lock;
  SqliteSession *sessions; /* also closed ones, whose message may still be on its way: freed with the store */

  pthread_mutex_t ping_lock;
  SqliteConnection *ping_connection;

  _Atomic uint64_t reads, writes, read_batches, write_groups, slow_reads, errors;
};

static inline void sqlite_count(_Atomic uint64_t *counter, uint64_t n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

/* For readers and writer where there is no write-ahead log; nothing where there is. */
void sqlite_turn_begin_read(SqliteStore *store);
void sqlite_turn_begin_write(SqliteStore *store);
void sqlite_turn_end(SqliteStore *store);

/* CODE_UNAVAILABLE where the file at our path is no longer the one that is open. */
Code sqlite_file_check(const SqliteStore *store, Error *err);

/* ---- sqlite_session.c ---- */
Code sqlite_session_open(Store *store, Loop *loop, StoreSession **ret, Error *err);
void sqlite_session_close(StoreSession *session);
void sqlite_session_destroy(SqliteSession *session);
void sqlite_session_read(StoreSession *session, StoreRead *read);
void sqlite_session_write(StoreSession *session, StoreWrite *write);
StoreLine sqlite_session_line(StoreSession *session, const StorePlan *plan);
/* Any thread: done is called on the session's loop, with read->error or write->code and write->error. */
void sqlite_session_finish_read(StoreRead *read);
void sqlite_session_finish_writes(StoreWriteQueue *writes);

/* ---- sqlite_reader.c ---- */
Code sqlite_readers_init(SqliteReaders *readers, SqliteStore *store, Error *err);
void sqlite_readers_done(SqliteReaders *readers); /* runs what is queued, then ends the threads */
void sqlite_readers_submit(SqliteReaders *readers, StoreRead *read);
StoreLine sqlite_readers_line(SqliteReaders *readers);

/* ---- sqlite_writer.c ---- */
/* The connection becomes the writer's. */
Code sqlite_writer_init(SqliteWriter *writer, SqliteStore *store, SqliteConnection *connection, Error *err);
void sqlite_writer_done(SqliteWriter *writer); /* runs what is queued, then ends the thread */
/* Takes all of *writes; what doesn't fit the queue is refused at once. */
void sqlite_writer_submit(SqliteWriter *writer, StoreWriteQueue *writes);
/* With so many more on their way to it. */
StoreLine sqlite_writer_line(const SqliteWriter *writer, size_t coming);

/* ---- sqlite_explain.c ---- */
Code sqlite_explain(Store *store, const StoreStatement *statement, const Value *params, Arena *arena, StoreStep **ret, size_t *ret_count,
                    Error *err);

/* ---- sqlite_changes.c ---- */
Code sqlite_changes_open(Store *store, bool *ret_is_there, Error *err);

/* ---- sqlite_migrator.c ---- */
extern const StoreMigrator SQLITE_MIGRATOR;
Code sqlite_migrator_open(Store *store, int64_t lock_timeout_ms, MigratorMode mode, Migrator **ret, Error *err);
