/* driver_sqlite.c - a SQLite database as a store: its URL, its file, and the driver's table. sqlite_store.h shows how the rest is divided.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/uuid.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_error.h"
#include "store/sqlite_log.h"
#include "store/sqlite_run.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_store.h"

enum { PATH_BYTES_MAX = 4096 };

/* ---- the address ---- */

/* sqlite:PATH, sqlite::memory:, and what is customary elsewhere, sqlite:///absolute. */
static Str url_path(Str url) {
  Str path = str_slice(url, STR("sqlite:").len, url.len);
  return str_starts_with(path, STR("//")) ? str_slice(path, 2, path.len) : path;
}

static Str driver_file(Str url) {
  Str path = url_path(url);
  return str_equal(path, STR(":memory:")) ? (Str){NULL, 0} : path;
}

static Code url_read_path(Str url, Arena *arena, Str *ret_path, bool *ret_is_memory, Error *err) {
  Str path = url_path(url);
  *ret_is_memory = str_equal(path, STR(":memory:"));
  if (path.len == 0 || path.len > PATH_BYTES_MAX || memchr(path.ptr, '\0', path.len) != NULL) {
    return error_set(err, CODE_BAD_REQUEST, "a SQLite store is written sqlite:PATH or sqlite::memory:");
  }
  *ret_path = arena_str(arena, path);
  TRY_ALLOC(ret_path->ptr);
  return CODE_OK;
}

/* Several connections share one database in memory by its name, which begins with a slash. */
static Code memory_uri(Arena *arena, const char **ret, Error *err) {
  char uuid[UUID_TEXT_LEN];
  uuid_make(uuid);
  *ret = arena_printf(arena, "file:/caisson-%.*s?vfs=memdb", UUID_TEXT_LEN, uuid).ptr;
  TRY_ALLOC(*ret);
  return CODE_OK;
}

/* A new database is its owner's alone; the log beside it inherits that. */
static Code file_create_where_missing(const char *path, Error *err) {
  int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) {
    close(file);
    return CODE_OK;
  }
  if (errno == EEXIST) return CODE_OK;
  return error_set(err, CODE_UNAVAILABLE, "the database %.150s can't be made: %s", path, strerror(errno));
}

Code sqlite_file_check(const SqliteStore *store, Error *err) {
  struct stat status;
  if (store->target.is_memory) return CODE_OK;
  if (stat(store->path, &status) != 0) return error_set(err, CODE_UNAVAILABLE, "the database's file is gone: %s", strerror(errno));
  if (status.st_dev == store->file_device && status.st_ino == store->file_inode) return CODE_OK;
  return error_set(err, CODE_UNAVAILABLE, "the database's file was replaced by another");
}

static Code file_remember(SqliteStore *store, Error *err) {
  struct stat status;
  if (store->target.is_memory) return CODE_OK;
  if (stat(store->path, &status) != 0) return error_set(err, CODE_UNAVAILABLE, "the database's file can't be read: %s", strerror(errno));
  if (!S_ISREG(status.st_mode)) return error_set(err, CODE_UNAVAILABLE, "the database's path is not a file");
  store->file_device = status.st_dev;
  store->file_inode = status.st_ino;
  return CODE_OK;
}

/* ---- turns ---- */

void sqlite_turn_begin_read(SqliteStore *store) {
  if (!store->is_wal) pthread_rwlock_rdlock(&store->turns);
}

void sqlite_turn_begin_write(SqliteStore *store) {
  if (!store->is_wal) pthread_rwlock_wrlock(&store->turns);
}

void sqlite_turn_end(SqliteStore *store) {
  if (!store->is_wal) pthread_rwlock_unlock(&store->turns);
}

/* ---- opening ---- */

/* A database with a write-ahead log in a folder that may not be written has no place for the log's index. Where no log is there either,
 * it can be read as what never changes. */
static Code open_immutable(SqliteStore *store, SqliteConnection **ret, Error *err) {
  Buf uri = buf_on(store->arena, (size_t)4 * PATH_BYTES_MAX);
  struct stat status;
  if (stat(arena_printf(store->arena, "%s-wal", store->path).ptr, &status) == 0 && status.st_size > 0) {
    return error_set(err, CODE_UNAVAILABLE, "the database's folder is read-only, and its log is not yet part of it");
  }
  buf_add(&uri, STR("file:"));
  for (const char *byte = store->path; *byte != '\0'; byte++) {
    if (strchr("%?#", *byte) != NULL)
      buf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*byte);
    else
      buf_add_byte(&uri, *byte);
  }
  buf_add(&uri, STR("?immutable=1"));
  buf_add_byte(&uri, '\0');
  TRY(buf_finish(&uri, &(Str){0}, err));
  store->target.path = uri.ptr;
  store->target.is_uri = true;
  store->target.is_read_only = true;
  return sqlite_connection_open(&store->target, SQLITE_ROLE_WRITER, store->busy_timeout_ms, ret, err);
}

static Code open_first_connection(SqliteStore *store, StoreAbsent absent, SqliteConnection **ret, Error *err) {
  bool is_made = !store->target.is_memory && !store->target.is_read_only && access(store->path, F_OK) != 0;
  if (is_made && absent == STORE_ABSENT_IS_REFUSED)
    return error_set(err, CODE_UNAVAILABLE, "the database %.150s is not there: %s", store->path, strerror(errno));
  if (is_made) TRY(file_create_where_missing(store->path, err));
  TRY(file_remember(store, err));
  if (!store->target.is_memory && access(store->path, W_OK) != 0) store->target.is_read_only = true;
  Code code = sqlite_connection_open(&store->target, SQLITE_ROLE_WRITER, store->busy_timeout_ms, ret, err);
  if (code == CODE_OK || !store->target.is_read_only) return code;
  Error immutable_error;
  return open_immutable(store, ret, &immutable_error) == CODE_OK ? CODE_OK : code;
}

static int on_journal_mode(void *context, int column_count, char **values, char **names) {
  (void)names;
  bool *is_wal = context;
  *is_wal = column_count == 1 && values[0] != NULL && strcmp(values[0], "wal") == 0;
  return 0;
}

/* The mode stands in the file: with a database that may not be written it is what it is. */
static Code journal_mode_set(SqliteStore *store, SqliteConnection *connection, Error *err) {
  const char *command = store->target.is_read_only ? "PRAGMA journal_mode"
                        : store->target.is_memory  ? "PRAGMA journal_mode=MEMORY"
                                                   : "PRAGMA journal_mode=WAL";
  int result = sqlite3_exec(connection->db, command, on_journal_mode, &store->is_wal, NULL);
  return result == SQLITE_OK ? CODE_OK : sqlite_error_set(connection, result, err);
}

static void process_set_up(void) {
  /* SQLite's own count of its memory costs a lock at each allocation. */
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  /* Each connection is one thread's at a time; then a column's value may also be read as it is (https://sqlite.org/c3ref/value.html). */
  sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
  sqlite3_initialize();
}

static Code store_open_database(SqliteStore *store, const StoreOptions *options, Error *err) {
  Str path;
  TRY(url_read_path(options->url, store->arena, &path, &store->target.is_memory, err));
  store->path = path.ptr;
  store->target.path = path.ptr;
  if (options->absent == STORE_ABSENT_IS_EMPTY && access(store->path, F_OK) != 0) store->target.is_memory = true;
  if (store->target.is_memory) TRY(memory_uri(store->arena, &store->target.path, err));
  store->target.is_uri = store->target.is_memory;
  SqliteConnection *connection = NULL;
  TRY(open_first_connection(store, options->absent, &connection, err));
  Code code = journal_mode_set(store, connection, err);
  int64_t begin_us = sqlite_clock_us();
  if (code == CODE_OK && store->is_wal && !store->target.is_read_only) code = sqlite_log_sync_again(connection, err);
  if (options->lock_timeout_us > 0) store->opening_waited_us = sqlite_clock_us() - begin_us;
  if (code == CODE_OK) code = sqlite_schema_find_owner(connection, &store->is_ours, err);
  if (code != CODE_OK) {
    sqlite_connection_close(connection);
    return code;
  }
  store->target.has_foreign_data = !store->is_ours;
  /* The triggers of our own search indexes write to FTS5 tables, which SQLite lets only a trusted schema do. */
  if (store->is_ours) sqlite3_db_config(connection->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
  return sqlite_writer_init(&store->writer, store, connection, err);
}

static Code store_init_locks(SqliteStore *store, Error *err) {
  pthread_rwlockattr_t attributes;
  pthread_rwlockattr_init(&attributes);
  /* Else readers that always overlap would keep the writer waiting for ever. */
  pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  pthread_rwlock_init(&store->turns, &attributes);
  pthread_rwlockattr_destroy(&attributes);
  pthread_mutex_init(&store->sessions_lock, NULL);
  pthread_mutex_init(&store->ping_lock, NULL);
  return sqlite_readers_init(&store->readers, store, err);
}

static void store_free(SqliteStore *store) {
  pthread_mutex_destroy(&store->ping_lock);
  pthread_mutex_destroy(&store->sessions_lock);
  pthread_rwlock_destroy(&store->turns);
  arena_destroy(store->arena);
  memory_free(store);
}

extern const StoreDriver STORE_DRIVER_SQLITE;

static Code driver_open(const StoreOptions *options, Store **ret, Error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, process_set_up);
  SqliteStore *store = memory_alloc(sizeof *store);
  TRY_ALLOC(store);
  memset(store, 0, sizeof *store);
  store->base.driver = &STORE_DRIVER_SQLITE;
  store->arena = arena_create(0);
  store->statement_timeout_us = options->statement_timeout_us > 0 ? options->statement_timeout_us : INT64_C(5000000);
  store->writes_queued_max = options->writes_queued_max;
  int64_t timeout_ms = (options->lock_timeout_us > 0 ? options->lock_timeout_us : store->statement_timeout_us) / 1000;
  store->busy_timeout_ms = timeout_ms < SQLITE_BUSY_TIMEOUT_MS_MAX ? (int)timeout_ms : SQLITE_BUSY_TIMEOUT_MS_MAX;
  store->target =
      (SqliteTarget){.is_read_only = options->is_read_only, .report = options->report, .report_context = options->report_context};
  Code code = store->arena == NULL ? error_no_memory(err) : store_init_locks(store, err);
  if (code == CODE_OK) {
    code = store_open_database(store, options, err);
    store->base.is_read_only = store->target.is_read_only;
    if (code != CODE_OK) sqlite_readers_done(&store->readers);
  }
  if (code != CODE_OK) {
    store_free(store);
    return code;
  }
  *ret = &store->base;
  return CODE_OK;
}

static void driver_close(Store *base) {
  SqliteStore *store = (SqliteStore *)base;
  sqlite_readers_done(&store->readers);
  sqlite_connection_close(store->ping_connection);
  /* The writer's connection goes last: the last one to close copies the log into the database. */
  sqlite_writer_done(&store->writer);
  for (SqliteSession *session = store->sessions, *next; session != NULL; session = next) {
    next = session->next;
    sqlite_session_destroy(session);
  }
  store_free(store);
}

/* ---- the rest of the driver's table ---- */

static Code driver_txn_run(StoreTxn *txn, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                           int64_t *ret_changes, StoreConflict *ret_conflict, Error *err) {
  return sqlite_statement_run(((SqliteTxn *)txn)->connection, statement, params, row, context, ret_changes, ret_conflict, err);
}

static Code driver_txn_read(StoreTxn *txn, StoreRead *read, Error *err) {
  return sqlite_plan_run(((SqliteTxn *)txn)->connection, read, NULL, err);
}

static Code ping_database(SqliteStore *store, Error *err) {
  TRY(sqlite_file_check(store, err));
  if (store->ping_connection == NULL) {
    TRY(sqlite_connection_open(&store->target, SQLITE_ROLE_READER, store->busy_timeout_ms, &store->ping_connection, err));
  }
  int result = sqlite3_exec(store->ping_connection->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
  if (result == SQLITE_OK) return CODE_OK;
  Code code = sqlite_error_set(store->ping_connection, result, err);
  sqlite_connection_close(store->ping_connection);
  store->ping_connection = NULL;
  return code;
}

static Code driver_ping(Store *base, Error *err) {
  SqliteStore *store = (SqliteStore *)base;
  pthread_mutex_lock(&store->ping_lock);
  sqlite_turn_begin_read(store);
  Code code = ping_database(store, err);
  sqlite_turn_end(store);
  pthread_mutex_unlock(&store->ping_lock);
  return code;
}

static StoreStats driver_stats(Store *base) {
  SqliteStore *store = (SqliteStore *)base;
  return (StoreStats){.reads = store->reads,
                      .writes = store->writes,
                      .read_batches = store->read_batches,
                      .write_groups = store->write_groups,
                      .slow_reads = store->slow_reads,
                      .errors = store->errors};
}

static Code driver_catalog(const StoreOptions *options, Str schemas, Arena *arena, Catalog *ret, Error *err) {
  (void)schemas;
  Str path = driver_file(options->url);
  if (path.len == 0) return error_set(err, CODE_BAD_REQUEST, "there is nothing in a database in memory: name a file, sqlite:FILE");
  TRY(sqlite_catalog_read(path, arena, ret, err));
  ret->name = path;
  ret->address = options->url;
  return CODE_OK;
}

const StoreDriver STORE_DRIVER_SQLITE = {
    .name = STR_INIT("sqlite"),
    .form = STR_INIT("sqlite:PATH"),
    .schemes = {STR_INIT("sqlite:")},
    .dialect = &SQL_DIALECT_SQLITE,
    .file = driver_file,
    .catalog = driver_catalog,
    .is_migrated_by_default = true,
    .reads_after_conflict = true,
    .open = driver_open,
    .close = driver_close,
    .session_open = sqlite_session_open,
    .session_close = sqlite_session_close,
    .read = sqlite_session_read,
    .write = sqlite_session_write,
    .line = sqlite_session_line,
    .txn_run = driver_txn_run,
    .txn_read = driver_txn_read,
    .changes_open = sqlite_changes_open,
    .explain = sqlite_explain,
    .migrator = &SQLITE_MIGRATOR,
    .migrator_open = sqlite_migrator_open,
    .ping = driver_ping,
    .stats = driver_stats,
};
