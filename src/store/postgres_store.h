/* postgres_store.h - what the driver's files share: the store, its sessions, its threads.
 *
 *   postgres_session.c   one loop's reads: lanes in which they wait, links on which they run, the way back from other threads
 *   postgres_batch.c     the reads that one link has under way
 *   postgres_cancel.c    what nobody waits for any more is cancelled
 *   postgres_pool.c      who gets a connection next where there are too few
 *   postgres_keeper.c    the thread that makes connections for the loops, asks whether the server is well, and ends what waits too long
 *   postgres_writer.c    the threads that write
 *   postgres_txn.c       a write's open transaction
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/pace.h"
#include "io/poll.h"
#include "store/postgres_connection.h"
#include "store/postgres_error.h"
#include "store/queue.h"

typedef struct PostgresStore PostgresStore;
typedef struct PostgresNotices PostgresNotices;
typedef struct PostgresSession PostgresSession;
typedef struct PostgresLink PostgresLink;
typedef struct PostgresCancel PostgresCancel;

enum {
  POSTGRES_LINKS_MAX = 64, /* of one loop */
  POSTGRES_WRITERS_MAX = 256,
  POSTGRES_ATTEMPTS_MAX = 4,  /* of one read or write, whoever's fault it was */
  POSTGRES_GRACE_US = 2000000 /* beyond the statement's own time, for the network */
};

/* How reads wait, by how they run. */
typedef enum PostgresLane {
  POSTGRES_LANE_SINGLE = 0, /* one statement: many behind one sync */
  POSTGRES_LANE_SNAPSHOT,   /* several statements, which must see one state: many in one transaction */
  POSTGRES_LANE_ALONE,      /* known to be slow, or once in a batch that failed */
  POSTGRES_LANES
} PostgresLane;

typedef enum PostgresLinkState {
  POSTGRES_LINK_CLOSED = 0,
  POSTGRES_LINK_OPENING,
  POSTGRES_LINK_IDLE,
  POSTGRES_LINK_BUSY,
  POSTGRES_LINK_SETTLING /* its batch is over, and a cancellation may still come for it */
} PostgresLinkState;

/* One connection of a loop, and the batch that it has under way. */
struct PostgresLink {
  PostgresSession *session;
  PostgresLinkState state;
  PostgresConnection *connection;
  LoopPoll *poll;
  int64_t deadline_us; /* BUSY, SETTLING: the last moment at which something must have come */
  int64_t answered_us; /* when the last answer came, or the batch was sent */
  int64_t begun_us;    /* the batch */
  size_t batch_count;
  PostgresLane lane;
  size_t syncs;        /* on their way */
  bool is_transaction; /* the batch runs between BEGIN and COMMIT */
  bool is_failed;      /* the transaction */
  bool is_ending;      /* COMMIT or ROLLBACK is on its way */
  bool is_alone;
  bool is_cancelled;       /* what the batch had running was: a failure may be another read's than the one that was meant */
  PostgresCancel *cancel;  /* on its way; NULL: none */
  int64_t cancel_again_us; /* not before: the batch runs on, whatever has come back */
  uint32_t level, level_max;
  StoreReadQueue reads;        /* of a transaction */
  const StoreRead *unprepared; /* over already, since its PREPARE failed; its EXECUTE is still to be answered. Not to be looked into */
  PostgresLink *next;          /* among the wanted of the pool, or the opened */
  int64_t since_us;            /* wanted */
};

struct PostgresSession {
  StoreSession base;
  PostgresStore *store;
  Loop *loop;
  LoopHook hook;
  LoopTimer *timer;
  bool is_timing;
  StoreReadQueue lanes[POSTGRES_LANES];
  Pace paces[POSTGRES_LANES]; /* of their reads on one link */
  StoreWriteQueue writes;
  size_t writes_pending;
  PostgresLink links[POSTGRES_LINKS_MAX];
  size_t link_count;
  size_t held;        /* connections, under the pool's lock */
  size_t links_alone; /* busy with a read of the lane ALONE */
  bool is_delivering; /* `done` of a read is being called */
  /* Under `lock`: what other threads have finished. */
  pthread_mutex_t lock;
  pthread_cond_t finished;
  StoreWriteQueue writes_finished;
  PostgresLink *links_opened;
  bool is_posted;
  bool is_closed;
  LoopMessage message;
  PostgresSession *next; /* of the store's */
};

typedef struct PostgresTxn {
  StoreTxn base;
  PostgresStore *store;
  PostgresConnection *connection;
  Isolation isolation;
  bool is_begun;
  bool is_failed;        /* the server has given the transaction up */
  PostgresRemedy remedy; /* what the failure asks for */
  char conflict_schema[64], conflict_constraint[64];
  uint64_t position; /* behind the commit, where it is asked for */
} PostgresTxn;

typedef struct PostgresWriters {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  StoreWriteQueue queue; /* under `lock`, as is_closing and pace */
  Pace pace;
  pthread_t threads[POSTGRES_WRITERS_MAX];
  size_t thread_count;
  size_t thread_max;
  size_t busy_count; /* of the threads: those with a write, or not yet begun */
  size_t recalls;    /* how often all were asked to look whether they can hand a connection on */
  bool is_closing;
} PostgresWriters;

/* Who gets a connection next (postgres_pool.c). All under `lock` but has_waiters. */
typedef struct PostgresPool {
  pthread_mutex_t lock;
  pthread_cond_t given; /* something lies in for_writers */
  PostgresLink *wanted; /* links that want one, the longest waiting first */
  size_t links_held, writers_held;
  size_t writers_waiting, writers_chosen; /* threads; connections that are on their way to them */
  int64_t writers_since_us;
  int64_t keeper_since_us; /* since when the keeper has none; 0: it has one, or tries for itself */
  int64_t scarce_until_us; /* a connection was refused not long ago; 0: none was since the last that was opened */
  PostgresConnection *for_writers, *for_keeper;
  _Atomic bool has_waiters; /* somebody waits for what others have */
} PostgresPool;

typedef enum PostgresGiver { POSTGRES_GIVER_LINK = 0, POSTGRES_GIVER_WRITER, POSTGRES_GIVER_OPENER } PostgresGiver;

/* Who was chosen; a connection must follow. */
typedef struct PostgresClaim {
  enum { POSTGRES_CLAIM_LINK = 0, POSTGRES_CLAIM_WRITER, POSTGRES_CLAIM_KEEPER } kind;
  PostgresLink *link;
} PostgresClaim;

typedef struct PostgresKeeper {
  pthread_t thread;
  bool has_thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool is_woken; /* under `lock`, as all below */
  bool is_closing;
  bool is_well;
  Error trouble; /* where it isn't */
} PostgresKeeper;

struct PostgresStore {
  Store base;
  Arena *arena; /* of the target's strings */
  PostgresTarget target;
  int64_t acquire_timeout_us;
  size_t writes_queued_max;
  size_t links_per_session;
  void (*progress)(void *context, const StoreProgress *progress); /* NULL: nobody asks how far the database is */
  void *progress_context;
  PostgresPool pool;
  PostgresWriters writers;
  PostgresKeeper keeper;
  pthread_mutex_t sessions_lock;
  PostgresSession *sessions; /* also closed ones, whose message may still be on its way: freed with the store */
  _Atomic uint64_t reads, writes, read_batches, write_groups, slow_reads, errors;
  struct PostgresNotices *notices; /* NULL: nobody listens */
};

static inline void postgres_count(_Atomic uint64_t *counter, uint64_t n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

/* Between a half and the whole of the delay, so that those who were turned away together don't come back together. */
int64_t postgres_jitter_us(int64_t delay_us);
/* For pthread_cond_timedwait. */
void postgres_time_in(int64_t delay_us, struct timespec *ret);

/* ---- postgres_session.c ---- */
Code postgres_session_open(Store *store, Loop *loop, StoreSession **ret, Error *err);
void postgres_session_close(StoreSession *session);
void postgres_session_destroy(PostgresSession *session);
void postgres_session_read(StoreSession *session, StoreRead *read);
void postgres_session_write(StoreSession *session, StoreWrite *write);
StoreLine postgres_session_line(StoreSession *session, const StorePlan *plan);
/* Any thread: done is called on the session's loop, with write->code and write->error. */
void postgres_session_finish_writes(StoreWriteQueue *writes);
/* On the keeper's thread: link->connection is there. Closed at once where the session is. */
void postgres_session_link_opened(PostgresLink *link);
/* The read is over; read->error says how. */
void postgres_session_finish_read(PostgresSession *session, StoreRead *read);
/* The read begins again, on its own; or it ends with read->error, where it has done so too often. */
void postgres_session_again(PostgresSession *session, StoreRead *read);
/* Nobody waits for its rows any more. On the loop. */
bool postgres_read_is_unwanted(const StoreRead *read, int64_t now_us);
/* Sets read->error. */
Code postgres_read_give_up(StoreRead *read);
/* Any thread: the session looks what has come back. */
void postgres_session_wake(PostgresSession *session);
/* The link is free for another batch. */
void postgres_session_link_idle(PostgresLink *link);
/* Its connection is lost, or no longer to be trusted: whatever was under way begins again. */
void postgres_session_link_lost(PostgresLink *link, const Error *error);

/* ---- postgres_batch.c ---- */
/* The link is idle. Takes reads from the front of the lane. */
void postgres_batch_begin(PostgresLink *link, PostgresLane lane);
/* Takes what has arrived. */
void postgres_batch_receive(PostgresLink *link);
/* It stands still, and one of its reads nobody wants any more. */
bool postgres_batch_is_unwanted(const PostgresLink *link, int64_t now_us);
/* Sends what is queued, and watches for what is wanted now. */
void postgres_link_flush(PostgresLink *link);

/* Every session looks whether it has a connection to hand on. */
void postgres_sessions_wake(PostgresStore *store);

/* ---- postgres_cancel.c ---- */
/* Asks the server to cancel what the link has running. Fails in silence: it is a courtesy. */
void postgres_cancel_begin(PostgresLink *link, int64_t again_us);
/* The link's connection is closed. */
void postgres_cancel_forget(PostgresLink *link);
/* Its cancellation, if there was one, has come back. */
bool postgres_cancel_is_back(PostgresLink *link);

/* ---- postgres_pool.c ---- */
void postgres_pool_init(PostgresPool *pool);
void postgres_pool_done(PostgresStore *store);
void postgres_pool_want(PostgresStore *store, PostgresLink *link);
/* A session is closed: its links are wanted no longer. */
void postgres_pool_forget(PostgresStore *store, const PostgresSession *session);
/* A connection was refused; one was opened, and goes to whoever is next; one is gone (of a session's, NULL: of a writer's). Any thread. */
/* A connection was refused not long ago: whoever could do without one gives it up. */
bool postgres_pool_is_scarce(PostgresStore *store);
void postgres_pool_refused(PostgresStore *store);
void postgres_pool_opened(PostgresStore *store, PostgresConnection *connection);
void postgres_pool_closed(PostgresStore *store, PostgresSession *session);
/* Is there a link for which the keeper should try to open one? */
bool postgres_pool_may_open(PostgresStore *store);
/* Ask only where has_waiters. True: the giver's connection is for *ret, and counts as given; it is delivered once it is let go. */
bool postgres_pool_claim(PostgresStore *store, PostgresGiver kind, PostgresSession *giver, bool is_idle, PostgresClaim *ret);
void postgres_pool_deliver(PostgresStore *store, PostgresClaim claim, PostgresConnection *connection);
/* A writer may try to open one, which counts from now on (postgres_pool_closed, where it fails). */
bool postgres_pool_writer_may_open(PostgresStore *store);
void postgres_pool_writer_opened(PostgresStore *store);
/* Blocks until somebody hands one on; NULL: not in time. */
PostgresConnection *postgres_pool_await(PostgresStore *store, int64_t wait_us);
/* What was handed to the keeper; whether it should wait for that; whether it has the only one and should hand it on. */
PostgresConnection *postgres_pool_keeper_take(PostgresStore *store);
bool postgres_pool_keeper_waits(PostgresStore *store);
bool postgres_pool_keeper_shares(PostgresStore *store);

/* ---- postgres_keeper.c ---- */
Code postgres_keeper_init(PostgresStore *store, PostgresConnection *connection, Error *err); /* the connection becomes the keeper's */
void postgres_keeper_done(PostgresStore *store);
void postgres_keeper_wake(PostgresStore *store);
/* A position in the log as PostgreSQL writes it, "16/B374D848"; 0: it is none. */
uint64_t postgres_position_parse(Str text);
Code postgres_keeper_health(PostgresStore *store, Error *err);

/* ---- postgres_writer.c ---- */
Code postgres_writers_init(PostgresStore *store, size_t thread_max, Error *err);
void postgres_writers_done(PostgresStore *store); /* runs what is queued, then ends the threads */
/* Takes all of *writes; what doesn't fit the queue is refused at once. */
void postgres_writers_submit(PostgresStore *store, StoreWriteQueue *writes);
/* Whoever has a connection and nothing to write looks whether to hand it on. */
void postgres_writers_wake(PostgresStore *store);
StoreLine postgres_writers_line(PostgresStore *store);
/* Refuses what has waited for too long. Any thread. */
void postgres_writers_expire(PostgresStore *store, int64_t now_us);

/* ---- postgres_txn.c ---- */
Code postgres_txn_run(StoreTxn *txn, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                      int64_t *ret_changes, StoreConflict *ret_conflict, Error *err);
Code postgres_txn_read(StoreTxn *txn, StoreRead *read, Error *err);
/* What is only checked at the commit is checked now. */
Code postgres_txn_check(PostgresTxn *txn, Error *err);
/* *ret_is_unknown: the connection was lost while the commit was under way. */
Code postgres_txn_commit(PostgresTxn *txn, bool *ret_is_unknown, Error *err);
void postgres_txn_rollback(PostgresTxn *txn);

/* ---- postgres_notices.c ---- */
Code postgres_notices_listen(Store *store, StoreHeardFn *heard, void *context, Error *err);
void postgres_notices_tell(Store *store);
void postgres_notices_done(PostgresStore *store);

/* ---- postgres_changes.c ---- */
Code postgres_changes_open(Store *store, bool *ret_is_there, Error *err);

/* ---- postgres_explain.c ---- */
Code postgres_explain(Store *store, const StoreStatement *statement, const Value *params, Arena *arena, StoreStep **ret, size_t *ret_count,
                      Error *err);

/* ---- postgres_migrator.c ---- */
extern const StoreMigrator POSTGRES_MIGRATOR;
Code postgres_migrator_open(Store *store, int64_t lock_timeout_ms, MigratorMode mode, Migrator **ret, Error *err);
