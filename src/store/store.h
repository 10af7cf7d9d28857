/* store.h - the one interface behind which databases stand. "Reads are plans, writes are programs":
 *   - a read is a plan of statements; it is queued on its loop's session, and the store runs all reads of one loop turn together;
 *   - a write is a function that the store runs inside a transaction on a thread of its own, where each statement blocks; what
 *     it returns decides commit or rollback, and it is told on its own loop only once the commit is durable.
 * Statement text is made by sql/ for the store's dialect; values travel as parameters only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "contract/model.h"
#include "io/loop.h"
#include "sql/dialect.h"
#include "store/catalog.h"
#include "store/migrator.h"

/* Store (migrator.h): one database; process lifetime */
typedef struct StoreSession StoreSession; /* one loop's way to it; used on that loop only */
typedef struct StoreTxn StoreTxn;         /* an open transaction; used inside StoreWrite.run (or a read's callbacks) only */

/* How a column of a result comes out. */
typedef struct StoreColumn {
  ValueType type;     /* what it is decoded to; anything else in the column but NULL is an error that names it */
  bool is_foreign;    /* the column's storage form may differ (Field.column_type given): convert */
  const Field *field; /* for messages, enum names, 32-bit ranges; NULL for computed columns */
  const Field *key;   /* for messages: this part of the row's key is computed here, for the order; mostly NULL */
} StoreColumn;

/* Immutable once made; shared by threads; drivers prepare it once a connection, keyed by `id`. */
typedef struct StoreStatement {
  uint64_t id; /* from store_statement_id(): unique in the process */
  Str sql;
  const StoreColumn *columns;
  size_t column_count;
  const ValueType *
      param_types; /* the type of each parameter (VALUE_LIST: an array of texts or integers, as JSON in SQLite); a null may stand for any */
  size_t param_count;
  bool is_write;
} StoreStatement;

uint64_t store_statement_id(void);

/* Of the columns one that names a row of the resource in messages: a part of its key. */
bool store_column_names_row(const StoreStatement *statement, size_t index, const Resource *resource);

typedef struct StorePlan {
  const StoreStatement *const *statements; /* in order; the first is the root */
  const uint32_t *levels;                  /* statement i needs rows of lower levels only; the root is 0; ascending */
  const bool *is_repeated;                 /* statement i is run again and again until bind returns false; NULL: none is */
  size_t count;
  bool is_background;   /* a piece of a long piece of work: never run where it would hold up its loop's other reads */
  _Atomic bool is_slow; /* it once ran over the loop's budget: the store runs it elsewhere at once */
} StorePlan;

typedef struct StoreRead StoreRead;
struct StoreRead {
  StorePlan *plan;
  Arena *arena; /* for rows that are kept; belongs to whoever runs the callbacks at that moment */
  /* The parameters of statement i, called when all lower levels are complete. False: don't run it. Where the plan says that the statement
   * is repeated, it is called again and again until it returns false, once for each parent row; all at once, before the first run's rows
   * are there, where the store sends them off together. */
  bool (*bind)(StoreRead *read, size_t statement, const Value **ret_params);
  /* One row; values are borrowed until it returns. Another code than CODE_OK ends the read with it. */
  Code (*row)(StoreRead *read, size_t statement, const Value *columns, Error *err);
  /* Forget every row: the read begins again (it was slow, or a batch was aborted by another's error). */
  void (*restart)(StoreRead *read);
  /* On the session's loop, exactly once. Not called for store_txn_read. */
  void (*done)(StoreRead *read, Code code, const Error *err);
  int64_t deadline_us;      /* monotonic; 0: the store's own limits alone. Behind it nobody waits for the rows any more: CODE_TIMEOUT */
  const bool *is_abandoned; /* the caller's; true: likewise. Looked at on the session's loop alone. NULL: they are always waited for */
  size_t run;               /* while `row` is called: which run of a repeated statement the row is of, from 0 */
  void *call, *group;       /* the caller's own */
  StoreRead *next;          /* the store's own */
  int64_t since_us;         /* the store's own */
  uint32_t attempts;        /* the store's own */
  /* A copy that follows the store may answer, if it has come so far: what a write has told (StoreWrite.position); 0: any state will do. */
  bool is_copy_good;
  uint64_t position;
  StoreSession *session; /* the store's own */
  Error error;           /* the store's own */
  /* replicas.c's own, while a copy reads */
  struct Replica *replica;
  StoreSession *primary;
  void (*replica_done)(StoreRead *read, Code code, const Error *err);
};

typedef enum StoreConflictKind {
  STORE_CONFLICT_NONE = 0,
  STORE_CONFLICT_UNIQUE,
  STORE_CONFLICT_FOREIGN_KEY,
  STORE_CONFLICT_NOT_NULL,
  STORE_CONFLICT_CHECK
} StoreConflictKind;

/* Which constraint refused a statement, as far as the store says. */
typedef struct StoreConflict {
  StoreConflictKind kind;
  char table[128];
  char columns[256]; /* comma-separated column names; empty when unknown */
} StoreConflict;

typedef Code StoreRowFn(void *context, const Value *columns, Error *err);

/* Blocking; inside a write only. A broken constraint is CODE_CONFLICT with *ret_conflict filled (may be NULL); nothing but the end of the
 * write may follow it, save reads where the driver says so, since not every database lets a transaction go on. `row` may be NULL.
 * *ret_changes (may be NULL): rows written. */
Code store_txn_run(StoreTxn *txn, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                   int64_t *ret_changes, StoreConflict *ret_conflict, Error *err);
/* A whole plan, with its callbacks, inside the transaction. */
Code store_txn_read(StoreTxn *txn, StoreRead *read, Error *err);

typedef struct StoreWrite StoreWrite;
struct StoreWrite {
  /* On a thread of the store, in a transaction. CODE_OK commits; anything else rolls back, and is handed to done. May be called again
   * (a serialization failure, a group that had to be split): must start from scratch each time. */
  Code (*run)(StoreWrite *write, StoreTxn *txn, Error *err);
  /* On the session's loop, exactly once, after the commit is durable (or the rollback done). */
  void (*done)(StoreWrite *write, Code code, const Error *err);
  bool is_dry_run;       /* rolled back in any case; `code` is run's */
  Isolation isolation;   /* at least; stores that run one write at a time need not ask */
  bool has_waiting;      /* told with `done`: others wait to write, behind this one or beside it; where writes go one by one */
  uint64_t position;     /* told with `done`: a state in which the write is there, where copies follow the store; else 0 */
  StoreWrite *next;      /* the store's own */
  int64_t since_us;      /* the store's own */
  StoreSession *session; /* the store's own */
  Code code;             /* the store's own */
  Error error;           /* the store's own */
};

/* Whether a database across a network keeps our statements prepared by name. */
typedef enum StorePrepared { STORE_PREPARED_AUTO = 0, STORE_PREPARED_ON, STORE_PREPARED_OFF } StorePrepared;

/* How far a database has come, or a copy of it. */
typedef struct StoreProgress {
  Code code;         /* unless CODE_OK it could not be asked */
  uint64_t position; /* grows with every write */
  Error trouble;
} StoreProgress;

typedef struct StoreReplicaState {
  int64_t lag_us;
  uint64_t reads, returned; /* that it was asked; that it left to the database */
  Error trouble;            /* unless is_up */
  bool is_up, is_used;      /* it answers; it gets reads */
} StoreReplicaState;

/* A database that isn't there, where opening could make it. */
typedef enum StoreAbsent {
  STORE_ABSENT_IS_MADE = 0,
  STORE_ABSENT_IS_EMPTY, /* it is as if it were there with nothing in it, and nothing is left behind */
  STORE_ABSENT_IS_REFUSED
} StoreAbsent;

typedef struct StoreOptions {
  Str url; /* sqlite:PATH, sqlite::memory:, postgresql://…, host=… dbname=… */
  int64_t statement_timeout_us;
  size_t writes_queued_max; /* further writes are refused with CODE_UNAVAILABLE */
  bool is_read_only;
  StoreAbsent absent;
  int64_t lock_timeout_us; /* how long opening may wait for what another program holds; it counts for the migrator. 0: the driver's own */
  /* Of databases across a network: */
  size_t connections_max;     /* at once, for all loops and writes; 0: the driver's own */
  size_t loops;               /* how many sessions will be opened; 0: one */
  int64_t acquire_timeout_us; /* how long a read or write may wait for a connection, then CODE_UNAVAILABLE; 0: the driver's own */
  StorePrepared prepared;
  /* Where copies follow: told several times a second, on a thread of the store's. NULL: nobody asks, and writes tell no position. */
  void (*progress)(void *context, const StoreProgress *progress);
  void *progress_context;
  bool is_replica; /* it need not be there at the start */
  /* What the database itself says about a failure, for the server's log only (it may name tables and columns); any thread; NULL: nobody
   * wants it. */
  void (*report)(void *context, Str text);
  void *report_context;
} StoreOptions;

/* What waits where a read or a write that came now would wait, and how long each of them takes, one behind the other (0: not known). */
typedef struct StoreLine {
  size_t waiting;
  int64_t each_ns;
} StoreLine;

typedef struct StoreStats {
  uint64_t reads, writes, read_batches, write_groups, slow_reads, errors;
} StoreStats;

/* A step of what a store does for a statement. */
typedef enum StoreStepKind {
  STORE_STEP_SCAN = 0, /* reads a table, or one of its indexes, from one end to the other or until enough is found */
  STORE_STEP_SEARCH,   /* goes straight to the rows, by a key or an index */
  STORE_STEP_SORT,     /* collects all rows, then puts them in order */
  STORE_STEP_OTHER
} StoreStepKind;

typedef struct StoreStep {
  StoreStepKind kind;
  Str table;    /* len 0: none */
  Str index;    /* len 0: the table itself, or its key */
  int64_t rows; /* SCAN: how many there are; -1: not known */
  Str text;     /* the store's own words */
} StoreStep;

typedef void StoreHeardFn(void *context);

/* What a driver implements; everything else in this header forwards to it. */
typedef struct StoreDriver {
  Str name;       /* "sqlite" */
  Str form;       /* how its addresses are written, for messages: "sqlite:PATH" */
  Str schemes[2]; /* the URL prefixes it serves, "sqlite:" */
  const SqlDialect *dialect;
  bool is_migrated_by_default; /* serving makes tables unless it is told not to */
  bool has_copies;             /* others may follow it, and tell how far they are */
  bool reads_after_conflict;   /* a transaction goes on answering reads once a constraint has refused one of its statements */
  bool (*serves)(Str address); /* addresses that no scheme tells; NULL: none */
  /* The file that the address names: others are kept beside it (the secret). len 0: no file. NULL: never one. */
  Str (*file)(Str url);
  /* What stands in a database that others made; nothing is changed. Blocks. `schemas`: those that are wanted, comma-separated; len 0: the
   * ones that bare names mean. Of the options only url and report count. CODE_BAD_REQUEST: the address can't be read. err->text is for the
   * operator. NULL: it can't be told. */
  Code (*catalog)(const StoreOptions *options, Str schemas, Arena *arena, Catalog *ret, Error *err);
  Code (*open)(const StoreOptions *options, Store **ret, Error *err);
  void (*close)(Store *store);
  Code (*session_open)(Store *store, Loop *loop, StoreSession **ret, Error *err);
  void (*session_close)(StoreSession *session);
  void (*read)(StoreSession *session, StoreRead *read);
  void (*write)(StoreSession *session, StoreWrite *write);
  StoreLine (*line)(StoreSession *session, const StorePlan *plan); /* plan NULL: of writes */
  Code (*txn_run)(StoreTxn *txn, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context, int64_t *ret_changes,
                  StoreConflict *ret_conflict, Error *err);
  Code (*txn_read)(StoreTxn *txn, StoreRead *read, Error *err);
  /* The table of changes (SqlDialect.changes), made where it isn't there and the database is ours; *ret_is_there: it is there. Before any
   * session writes. NULL: there is none. */
  Code (*changes_open)(Store *store, bool *ret_is_there, Error *err);
  /* From now on `heard` is called, on any thread, when another process has told of changes; they may still be lost on the way. Until the
   * store is closed. Both NULL: nobody else tells. */
  Code (*changes_listen)(Store *store, StoreHeardFn *heard, void *context, Error *err);
  void (*changes_tell)(Store *store); /* any thread; never blocks */
  /* How the store would go about the statement with these parameters; nothing is changed. Any thread; may block for as long as a statement
   * may. NULL: it can't tell. */
  Code (*explain)(Store *store, const StoreStatement *statement, const Value *params, Arena *arena, StoreStep **ret, size_t *ret_count,
                  Error *err);
  const StoreMigrator *migrator; /* what migrate/ goes by; NULL, as is the next: there are no tables that could be made or changed */
  /* `lock_timeout_ms`: how long a lock may be waited for, then CODE_TIMEOUT. */
  MigratorOpenFn *migrator_open;
  Code (*ping)(Store *store, Error *err); /* for /readyz; any thread; may block briefly */
  StoreStats (*stats)(Store *store);
  size_t (*replicas)(Store *store, StoreReplicaState *ret, size_t max); /* how many there are; any thread. NULL: none */
} StoreDriver;

/* Drivers embed this as the first member of their Store, StoreSession and StoreTxn. */
struct Store {
  const StoreDriver *driver;
  bool is_read_only; /* by its options, or its file's */
};
struct StoreSession {
  const StoreDriver *driver;
  Store *store;
};
struct StoreTxn {
  const StoreDriver *driver;
};

/* Chooses the driver by the URL's scheme. CODE_UNAVAILABLE: it can't be opened (err says why); CODE_BAD_REQUEST: no such scheme. */
Code store_open(const StoreOptions *options, Store **ret, Error *err);
/* The same choice without opening anything; NULL where no driver serves the URL. */
const StoreDriver *store_driver_of(Str url);
/* The forms of all drivers' addresses, as a sentence has them: "sqlite:PATH or postgresql://…". Returns `text`. */
enum { STORE_FORMS_BYTES = 160 };
const char *store_forms(char text[STORE_FORMS_BYTES]);
/* Where the rows of a service are, unless `given` (len > 0) says so: sqlite:./NAME.db. ptr NULL: out of memory. */
Str store_url_or_default(Str given, Str service_name, Arena *arena);
void store_close(Store *store); /* sessions are closed before it; waits for the writes that are under way */
Code store_session_open(Store *store, Loop *loop, StoreSession **ret, Error *err);
void store_session_close(StoreSession *session);
void store_read(StoreSession *session, StoreRead *read); /* `read` stays the caller's and must live until done */
void store_write(StoreSession *session, StoreWrite *write);
StoreLine store_line(StoreSession *session, const StorePlan *plan); /* plan NULL: of writes */
