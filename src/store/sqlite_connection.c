/* sqlite_connection.c - opens a connection, keeps its statements prepared (least recently used ones go first) and stops what runs too long.
 */
#include "store/sqlite_connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "store/sqlite_aggregates.h"
#include "store/sqlite_error.h"
#include "store/sqlite_functions.h"
#include "store/sqlite_search.h"

int64_t sqlite_clock_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- opening ---- */

static int connection_on_tick(void *context) {
  SqliteConnection *connection = context;
  if (connection->ticks_left != SQLITE_TICKS_UNBOUNDED && --connection->ticks_left < 0) {
    connection->stop = SQLITE_STOP_BUDGET;
    return 1;
  }
  if (connection->deadline_us != 0 && sqlite_clock_us() > connection->deadline_us) {
    connection->stop = SQLITE_STOP_TIME;
    return 1;
  }
  return 0;
}

static int connection_on_commit_to_wal(void *context, sqlite3 *db, const char *database_name, int pages) {
  (void)db;
  (void)database_name;
  SqliteConnection *connection = context;
  connection->wal_pages = pages;
  return SQLITE_OK;
}

/* README.md has the measurements behind the numbers. SECURE_DELETE is Debian's default and doubles what a delete writes. */
static const char settings_of_all[] = "PRAGMA foreign_keys=ON;"
                                      "PRAGMA temp_store=MEMORY;"
                                      "PRAGMA trusted_schema=OFF;"
                                      "PRAGMA cell_size_check=ON;"
                                      "PRAGMA secure_delete=OFF;"
                                      "PRAGMA recursive_triggers=OFF;";
/* KiB. What a loop reads again and again should be in its cache; slow reads are mostly scans, which would only fill one, and a write's
 * pages are its own until its commit. */
static const char *const cache_of[] = {[SQLITE_ROLE_LOOP] = "PRAGMA cache_size=-65536;",
                                       [SQLITE_ROLE_READER] = "PRAGMA cache_size=-4096;",
                                       [SQLITE_ROLE_WRITER] = "PRAGMA cache_size=-12288;"};
static const char settings_of_writer[] = "PRAGMA synchronous=FULL;"
                                         "PRAGMA journal_size_limit=16777216;"
                                         "PRAGMA wal_autocheckpoint=0;";
static const char settings_of_reader[] = "PRAGMA query_only=ON;";

static Code connection_set_up(SqliteConnection *connection, SqliteRole role, int busy_timeout_ms, Error *err) {
  sqlite3 *db = connection->db;
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, busy_timeout_ms);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  TRY(sqlite_aggregates_register(db, err));
  TRY(sqlite_rank_register(db, err));
  int result = sqlite_functions_register(db);
  if (result == SQLITE_OK) result = sqlite3_exec(db, settings_of_all, NULL, NULL, NULL);
  if (result == SQLITE_OK) result = sqlite3_exec(db, cache_of[role], NULL, NULL, NULL);
  if (result == SQLITE_OK && role == SQLITE_ROLE_WRITER && !connection->target->is_read_only) {
    result = sqlite3_exec(db, settings_of_writer, NULL, NULL, NULL);
    sqlite3_wal_hook(db, connection_on_commit_to_wal, connection);
  }
  if (result == SQLITE_OK && role != SQLITE_ROLE_WRITER) result = sqlite3_exec(db, settings_of_reader, NULL, NULL, NULL);
  /* The first look at the file: what is no database is found here, not at the first request. */
  if (result == SQLITE_OK) result = sqlite3_exec(db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
  if (result != SQLITE_OK) return sqlite_error_set(connection, result, err);
  sqlite3_progress_handler(db, SQLITE_TICK_STEPS, connection_on_tick, connection);
  return CODE_OK;
}

Code sqlite_connection_open(const SqliteTarget *target, SqliteRole role, int busy_timeout_ms, SqliteConnection **ret, Error *err) {
  SqliteConnection *connection = memory_alloc(sizeof *connection);
  TRY_ALLOC(connection);
  memset(connection, 0, sizeof *connection);
  connection->target = target;
  sqlite_connection_bound(connection, SQLITE_TICKS_UNBOUNDED, 0);
  int flags = SQLITE_OPEN_NOMUTEX | (target->is_uri ? SQLITE_OPEN_URI : 0);
  flags |= target->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  int result = sqlite3_open_v2(target->path, &connection->db, flags, NULL);
  Code code = result == SQLITE_OK ? connection_set_up(connection, role, busy_timeout_ms, err) : sqlite_error_set(connection, result, err);
  if (code != CODE_OK) {
    sqlite_connection_close(connection);
    return code;
  }
  *ret = connection;
  return CODE_OK;
}

/* ---- prepared statements ---- */

static void statement_destroy(SqliteStatement *statement) {
  sqlite3_finalize(statement->stmt);
  memory_free(statement->values);
  memory_free(statement->scratch);
  memory_free(statement);
}

void sqlite_connection_close(SqliteConnection *connection) {
  if (connection == NULL) return;
  for (SqliteStatement *statement = connection->newest, *older; statement != NULL; statement = older) {
    older = statement->older;
    statement_destroy(statement);
  }
  for (size_t i = 0; i < SQLITE_COMMAND_COUNT; i++) sqlite3_finalize(connection->commands[i]);
  sqlite3_close(connection->db);
  memory_free(connection);
}

static const char *const command_texts[SQLITE_COMMAND_COUNT] = {
    [SQLITE_COMMAND_BEGIN] = "BEGIN",
    [SQLITE_COMMAND_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
    [SQLITE_COMMAND_COMMIT] = "COMMIT",
    [SQLITE_COMMAND_ROLLBACK] = "ROLLBACK",
    [SQLITE_COMMAND_SAVEPOINT] = "SAVEPOINT one",
    [SQLITE_COMMAND_RELEASE] = "RELEASE one",
    [SQLITE_COMMAND_ROLLBACK_TO] = "ROLLBACK TO one",
};

static int command_run(SqliteConnection *connection, SqliteCommand command) {
  sqlite3_stmt **stmt = &connection->commands[command];
  if (*stmt == NULL) {
    int result = sqlite3_prepare_v3(connection->db, command_texts[command], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    if (result != SQLITE_OK) return result;
  }
  int result = sqlite3_step(*stmt);
  int reset_result = sqlite3_reset(*stmt);
  return result == SQLITE_DONE ? SQLITE_OK : reset_result;
}

/* Where the end of a transaction has failed, as its ROLLBACK may for want of memory, it is still open, and would refuse every one that
 * follows. What was done in it has been told as failed. */
int sqlite_connection_command(SqliteConnection *connection, SqliteCommand command) {
  bool is_begin = command == SQLITE_COMMAND_BEGIN || command == SQLITE_COMMAND_BEGIN_IMMEDIATE;
  if (is_begin && !sqlite3_get_autocommit(connection->db)) {
    int result = command_run(connection, SQLITE_COMMAND_ROLLBACK);
    if (result != SQLITE_OK) return result;
  }
  return command_run(connection, command);
}

static SqliteStatement **connection_bucket(SqliteConnection *connection, uint64_t id) {
  return &connection->buckets[id % SQLITE_STATEMENT_BUCKETS];
}

static void statement_unlink(SqliteConnection *connection, SqliteStatement *statement) {
  if (statement->newer != NULL)
    statement->newer->older = statement->older;
  else
    connection->newest = statement->older;
  if (statement->older != NULL)
    statement->older->newer = statement->newer;
  else
    connection->oldest = statement->newer;
  statement->newer = statement->older = NULL;
}

static void statement_link_newest(SqliteConnection *connection, SqliteStatement *statement) {
  statement->older = connection->newest;
  if (connection->newest != NULL)
    connection->newest->newer = statement;
  else
    connection->oldest = statement;
  connection->newest = statement;
}

static void connection_forget(SqliteConnection *connection, SqliteStatement *statement) {
  SqliteStatement **link = connection_bucket(connection, statement->id);
  while (*link != statement) link = &(*link)->next_in_bucket;
  *link = statement->next_in_bucket;
  statement_unlink(connection, statement);
  connection->statement_count--;
  statement_destroy(statement);
}

static void connection_remember(SqliteConnection *connection, SqliteStatement *statement) {
  assert(statement != NULL);
  SqliteStatement *oldest = connection->oldest;
  /* One that is running can't go; then the cache is over its bound until it is done. */
  if (connection->statement_count >= SQLITE_STATEMENTS_MAX && oldest != NULL && !sqlite3_stmt_busy(oldest->stmt))
    connection_forget(connection, oldest);
  SqliteStatement **bucket = connection_bucket(connection, statement->id);
  statement->next_in_bucket = *bucket;
  *bucket = statement;
  statement_link_newest(connection, statement);
  connection->statement_count++;
  statement->is_cached = true;
}

static Code statement_create(SqliteConnection *connection, const StoreStatement *statement, SqliteStatement **ret, Error *err) {
  SqliteStatement *created = memory_alloc(sizeof *created);
  TRY_ALLOC(created);
  *created = (SqliteStatement){.id = statement->id, .column_count = statement->column_count};
  /* A text longer than an int is longer than SQLITE_MAX_SQL_LENGTH allows. */
  int length = statement->sql.len > INT32_MAX ? INT32_MAX : (int)statement->sql.len;
  int result = sqlite3_prepare_v3(connection->db, statement->sql.ptr, length, SQLITE_PREPARE_PERSISTENT, &created->stmt, NULL);
  if (result != SQLITE_OK) {
    statement_destroy(created);
    return sqlite_error_set(connection, result, err);
  }
  assert(created->stmt != NULL && sqlite3_column_count(created->stmt) == (int)statement->column_count);
  assert(sqlite3_bind_parameter_count(created->stmt) <= (int)statement->param_count);
  created->values = memory_alloc(statement->column_count * sizeof *created->values + 1);
  if (created->values == NULL) {
    statement_destroy(created);
    return error_no_memory(err);
  }
  *ret = created;
  return CODE_OK;
}

Code sqlite_statement_acquire(SqliteConnection *connection, const StoreStatement *statement, SqliteStatement **ret, Error *err) {
  SqliteStatement *found = *connection_bucket(connection, statement->id);
  while (found != NULL && found->id != statement->id) found = found->next_in_bucket;
  if (found != NULL && !sqlite3_stmt_busy(found->stmt)) {
    if (found != connection->newest) {
      statement_unlink(connection, found);
      statement_link_newest(connection, found);
    }
    *ret = found;
    return CODE_OK;
  }
  SqliteStatement *created = NULL;
  TRY(statement_create(connection, statement, &created, err));
  /* A statement that is run again inside its own rows gets a second copy, for that one time. */
  if (found == NULL) connection_remember(connection, created);
  *ret = created;
  return CODE_OK;
}

void sqlite_statement_release(SqliteStatement *statement) {
  if (statement->is_cached)
    sqlite3_reset(statement->stmt);
  else
    statement_destroy(statement);
}
