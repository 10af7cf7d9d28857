/* sqlite_connection.h - one connection to a database file: opened with our settings, its statements kept prepared, its work bounded.
 * Used by one thread at a time, without locks of its own. */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "store/store.h"

/* Where the database is. The strings are the store's and live as long. */
typedef struct SqliteTarget {
  const char *path; /* what sqlite3_open_v2 is given: a path, or a URI */
  bool is_uri;
  bool is_memory;
  bool is_read_only;
  bool has_foreign_data; /* tables that others made: every value is checked, and converted where its storage form differs */
  void (*report)(void *context, Str text); /* StoreOptions.report */
  void *report_context;
} SqliteTarget;

typedef enum SqliteRole {
  SQLITE_ROLE_LOOP = 0, /* reads on an event loop: never waits for a lock */
  SQLITE_ROLE_READER,   /* reads on a thread of its own */
  SQLITE_ROLE_WRITER
} SqliteRole;

/* A prepared statement with room for one row of it. */
typedef struct SqliteStatement SqliteStatement;
struct SqliteStatement {
  sqlite3_stmt *stmt;
  uint64_t id;
  Value *values;                 /* one for each column */
  struct SqliteScratch *scratch; /* likewise, for values that are converted; NULL until one is */
  size_t column_count;
  bool is_cached;
  SqliteStatement *next_in_bucket;
  SqliteStatement *newer, *older;
};

enum { SQLITE_STATEMENTS_MAX = 512, SQLITE_STATEMENT_BUCKETS = 256 };

/* Why the progress handler stopped a statement. */
typedef enum SqliteStop { SQLITE_STOP_NONE = 0, SQLITE_STOP_BUDGET, SQLITE_STOP_TIME } SqliteStop;

/* The progress handler is called once in so many steps of SQLite's virtual machine. */
enum { SQLITE_TICK_STEPS = 1000 };
#define SQLITE_TICKS_UNBOUNDED INT64_MAX

typedef enum SqliteCommand {
  SQLITE_COMMAND_BEGIN = 0,
  SQLITE_COMMAND_BEGIN_IMMEDIATE,
  SQLITE_COMMAND_COMMIT,
  SQLITE_COMMAND_ROLLBACK,
  SQLITE_COMMAND_SAVEPOINT,
  SQLITE_COMMAND_RELEASE,
  SQLITE_COMMAND_ROLLBACK_TO,
  SQLITE_COMMAND_COUNT
} SqliteCommand;

typedef struct SqliteConnection {
  sqlite3 *db;
  const SqliteTarget *target;
  SqliteStatement *buckets[SQLITE_STATEMENT_BUCKETS];
  SqliteStatement *newest, *oldest;
  size_t statement_count;
  sqlite3_stmt *commands[SQLITE_COMMAND_COUNT];
  int64_t ticks_left;
  int64_t deadline_us; /* by the monotonic clock; 0: none */
  SqliteStop stop;
  int wal_pages; /* after the last commit of this connection */
} SqliteConnection;

/* CODE_UNAVAILABLE says why it can't be opened. The statements of every role but the writer's can't change anything. */
Code sqlite_connection_open(const SqliteTarget *target, SqliteRole role, int busy_timeout_ms, SqliteConnection **ret, Error *err);
void sqlite_connection_close(SqliteConnection *connection); /* NULL is fine */

/* BEGIN, COMMIT and their like, prepared. SQLite's result code. */
int sqlite_connection_command(SqliteConnection *connection, SqliteCommand command);

/* From the cache, or prepared now. Give it back with sqlite_statement_release. */
Code sqlite_statement_acquire(SqliteConnection *connection, const StoreStatement *statement, SqliteStatement **ret, Error *err);
void sqlite_statement_release(SqliteStatement *statement);

/* What follows may take so many ticks, and run until then (0: no bound). */
static inline void sqlite_connection_bound(SqliteConnection *connection, int64_t ticks, int64_t deadline_us) {
  connection->ticks_left = ticks;
  connection->deadline_us = deadline_us;
  connection->stop = SQLITE_STOP_NONE;
}

/* The monotonic clock, in microseconds. */
int64_t sqlite_clock_us(void);
