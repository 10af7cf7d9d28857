/* sqlite_migrator.c - migrations on SQLite: each is one transaction, in which foreign keys are not looked at until all is done
 * (https://sqlite.org/lang_altertable.html §7). */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sql/select.h"
#include "store/migrator.h"
#include "store/sqlite_derive.h"
#include "store/sqlite_error.h"
#include "store/sqlite_layout.h"
#include "store/sqlite_run.h"
#include "store/sqlite_store.h"
#include "store/sqlite_value.h"

enum { LOCK_TIMEOUT_MS_MAX = 600000 };

typedef struct SqliteMigrator {
  Migrator base;
  SqliteStore *store;
  SqliteConnection *connection;
  MigratorMode mode;
  bool has_turn;
  sqlite3_stmt *fill; /* the INSERT of the table that is being filled */
  size_t fill_columns;
} SqliteMigrator;

/* What SQLite says itself, for operators. */
static Code fail(SqliteMigrator *migrator, int result, Error *err) {
  int primary = result & 0xff;
  const char *text = sqlite3_errmsg(migrator->connection->db);
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
    return error_set(err, CODE_TIMEOUT, "another program is writing to the database: the lock did not come in time");
  Code code = primary == SQLITE_CONSTRAINT ? CODE_CONFLICT : primary == SQLITE_ERROR ? CODE_BAD_REQUEST : CODE_UNAVAILABLE;
  return error_set(err, code, "%.200s", text);
}

static Code execute(Migrator *base, const char *sql, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  int result = sqlite3_exec(migrator->connection->db, sql, NULL, NULL, NULL);
  return result == SQLITE_OK ? CODE_OK : fail(migrator, result, err);
}

static Code query(Migrator *base, const char *sql, size_t column_count, MigratorRowFn *row, void *context, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  sqlite3_stmt *stmt = NULL;
  Str columns[MIGRATOR_COLUMNS_MAX];
  int result = sqlite3_prepare_v2(migrator->connection->db, sql, -1, &stmt, NULL);
  if (result != SQLITE_OK) return fail(migrator, result, err);
  Code code = CODE_OK;
  while (code == CODE_OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
    for (size_t i = 0; i < column_count && i < MIGRATOR_COLUMNS_MAX; i++) {
      const char *text = (const char *)sqlite3_column_text(stmt, (int)i);
      columns[i] = (Str){text, text == NULL ? 0 : (size_t)sqlite3_column_bytes(stmt, (int)i)};
    }
    code = row(context, columns, err);
  }
  if (code == CODE_OK && result != SQLITE_DONE) code = fail(migrator, result, err);
  sqlite3_finalize(stmt);
  return code;
}

static void migrator_close(Migrator *base) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  if (migrator == NULL) return;
  sqlite3_finalize(migrator->fill);
  migrator->base.calls->rollback(base);
  sqlite_connection_close(migrator->connection);
  memory_free(migrator);
}

Code sqlite_migrator_open(Store *base, int64_t lock_timeout_ms, MigratorMode mode, Migrator **ret, Error *err) {
  SqliteStore *store = (SqliteStore *)base;
  if (mode == MIGRATOR_WRITES && base->is_read_only) return error_set(err, CODE_UNAVAILABLE, "the database may not be written");
  SqliteMigrator *migrator = memory_alloc(sizeof *migrator);
  TRY_ALLOC(migrator);
  *migrator = (SqliteMigrator){.base = {&SQLITE_MIGRATOR}, .store = store, .mode = mode};
  int64_t left_ms = lock_timeout_ms - store->opening_waited_us / 1000;
  int timeout_ms = left_ms > LOCK_TIMEOUT_MS_MAX ? LOCK_TIMEOUT_MS_MAX : left_ms > 0 ? (int)left_ms : 0;
  SqliteRole role = mode == MIGRATOR_READS || base->is_read_only ? SQLITE_ROLE_READER : SQLITE_ROLE_WRITER;
  Code code = sqlite_connection_open(&store->target, role, timeout_ms, &migrator->connection, err);
  if (code == CODE_OK && mode != MIGRATOR_ADDS) code = execute(&migrator->base, "PRAGMA foreign_keys=OFF", err);
  if (code != CODE_OK) {
    migrator_close(&migrator->base);
    return code;
  }
  *ret = &migrator->base;
  return CODE_OK;
}

static int transaction_end(SqliteMigrator *migrator) {
  bool is_open = migrator->connection != NULL && !sqlite3_get_autocommit(migrator->connection->db);
  int result = is_open ? sqlite_connection_command(migrator->connection, SQLITE_COMMAND_ROLLBACK) : SQLITE_OK;
  if (migrator->has_turn) sqlite_turn_end(migrator->store);
  migrator->has_turn = false;
  return result;
}

static void rollback(Migrator *base) { (void)transaction_end((SqliteMigrator *)base); }

static Code begin(Migrator *base, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  sqlite_turn_begin_write(migrator->store);
  migrator->has_turn = true;
  int result = sqlite_connection_command(migrator->connection, SQLITE_COMMAND_BEGIN_IMMEDIATE);
  if (result == SQLITE_OK) return CODE_OK;
  Code code = fail(migrator, result, err);
  rollback(base);
  return code;
}

static Code read_all(SqliteMigrator *migrator, Arena *arena, Layout *ret, bool *ret_is_ours, Error *err) {
  SqliteSchema schema;
  TRY(sqlite_schema_find_owner(migrator->connection, ret_is_ours, err));
  TRY(sqlite_schema_read(migrator->connection, arena, &schema, err));
  return sqlite_layout_of_schema(&schema, arena, ret, err);
}

static Code snapshot(Migrator *base, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  sqlite_turn_begin_read(migrator->store);
  migrator->has_turn = true;
  int result = sqlite_connection_command(migrator->connection, SQLITE_COMMAND_BEGIN);
  if (result == SQLITE_OK) return CODE_OK;
  Code code = fail(migrator, result, err);
  rollback(base);
  return code;
}

/* One state of everything, also where no transaction has been begun. */
static Code layout_read(Migrator *base, const Contract *contract, Arena *arena, Layout *ret, bool *ret_is_ours, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  bool is_inside = !sqlite3_get_autocommit(migrator->connection->db);
  (void)contract;
  if (!is_inside) TRY(snapshot(base, err));
  Code code = read_all(migrator, arena, ret, ret_is_ours, err);
  /* Where this transaction does not end, none can begin. */
  int result = is_inside ? SQLITE_OK : transaction_end(migrator);
  return code == CODE_OK && result != SQLITE_OK ? fail(migrator, result, err) : code;
}

static Code on_broken(void *context, const Str *columns, Error *err) {
  (void)context;
  return error_set(err, CODE_CONFLICT, "rows of %.*s would refer to rows of %.*s that are not there", STR_ARGS(columns[0]),
                   STR_ARGS(columns[1]));
}

static Code commit(Migrator *base, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  Code code = CODE_OK;
  /* Where each statement is looked at as it comes there is nothing to look at in the end. */
  if (migrator->mode != MIGRATOR_ADDS)
    code = query(base, "SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1", 2, on_broken, NULL, err);
  int result = code == CODE_OK ? sqlite_connection_command(migrator->connection, SQLITE_COMMAND_COMMIT) : SQLITE_OK;
  if (result != SQLITE_OK) code = fail(migrator, result, err);
  rollback(base);
  return code;
}

typedef struct Drops {
  Arena *arena;
  VEC(Str) statements;
} Drops;

static Code on_search_part(void *context, const Str *columns, Error *err) {
  Drops *drops = context;
  Str sql = arena_printf(drops->arena, "DROP %.*s IF EXISTS \"%.*s\"", STR_ARGS(columns[0]), STR_ARGS(columns[1]));
  TRY_ALLOC(sql.ptr);
  return VEC_PUSH(drops->arena, &drops->statements, sql) ? CODE_OK : error_no_memory(err);
}

/* Search indexes hang on tables by triggers, which a table's remaking would lose and a renaming leave pointing elsewhere: they go, and the
 * next start makes them again from what is there. Names of ours have no quotes. */
static Code search_drop(SqliteMigrator *migrator, Arena *arena, Error *err) {
  Drops drops = {.arena = arena};
  TRY(query(&migrator->base,
            "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'trigger') AND name GLOB 'caisson_search_*:*' AND instr(name, "
            "'\"') = 0 AND (type = 'trigger' OR name GLOB '*:text' OR name GLOB '*:keys') ORDER BY type DESC, name",
            2, on_search_part, &drops, err));
  for (size_t i = 0; i < drops.statements.count; i++) TRY(execute(&migrator->base, drops.statements.items[i].ptr, err));
  return CODE_OK;
}

static Code prepare(Migrator *base, Error *err) {
  Arena *arena = arena_create(0);
  TRY_ALLOC(arena);
  Code code = search_drop((SqliteMigrator *)base, arena, err);
  arena_destroy(arena);
  return code;
}

static Code derive(Migrator *base, const Contract *contract, Arena *arena, MigratorChanges *ret, Error *err) {
  return sqlite_derive(((SqliteMigrator *)base)->connection, contract, arena, ret, err);
}

static Code mark(Migrator *base, Error *err) {
  char sql[64];
  (void)snprintf(sql, sizeof sql, "PRAGMA application_id=%d", SQLITE_APPLICATION_ID);
  return execute(base, sql, err);
}

/* A database in memory beside the file. */
static Code scratch(Migrator *base, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  static const SqliteTarget memory = {.path = ":memory:", .is_memory = true};
  SqliteConnection *connection = NULL;
  TRY(sqlite_connection_open(&memory, SQLITE_ROLE_WRITER, 0, &connection, err));
  sqlite_connection_close(migrator->connection);
  migrator->connection = connection;
  return execute(base, "PRAGMA foreign_keys=OFF", err);
}

/* ---- whole tables ---- */

static Code scan(Migrator *base, const StoreStatement *statement, StoreRowFn *row, void *context, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  sqlite_connection_bound(migrator->connection, SQLITE_TICKS_UNBOUNDED, 0);
  return sqlite_statement_run(migrator->connection, statement, NULL, row, context, NULL, NULL, err);
}

static void fill_forget(SqliteMigrator *migrator) {
  sqlite3_finalize(migrator->fill);
  migrator->fill = NULL;
}

static Code fill_begin(Migrator *base, const Resource *resource, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  Buf sql = buf_on_heap(1 << 20);
  buf_add(&sql, STR("INSERT INTO "));
  sql_write_table(&sql, resource);
  for (size_t i = 0; i < resource->stored_count; i++) {
    buf_add(&sql, i == 0 ? STR(" (") : STR(", "));
    sql_write_identifier(&sql, resource->stored[i]->column);
  }
  for (size_t i = 0; i < resource->stored_count; i++) buf_add(&sql, i == 0 ? STR(") VALUES (?") : STR(", ?"));
  buf_add_byte(&sql, ')');
  fill_forget(migrator);
  migrator->fill_columns = resource->stored_count;
  int result =
      sql.failed != CODE_OK ? SQLITE_NOMEM : sqlite3_prepare_v2(migrator->connection->db, sql.ptr, (int)sql.len, &migrator->fill, NULL);
  buf_done(&sql);
  return result == SQLITE_OK ? CODE_OK : fail(migrator, result, err);
}

static Code fill_add(Migrator *base, const Value *row, Error *err) {
  SqliteMigrator *migrator = (SqliteMigrator *)base;
  int result = sqlite_params_bind(migrator->fill, row, migrator->fill_columns);
  if (result == SQLITE_OK) result = sqlite3_step(migrator->fill);
  Code code = result == SQLITE_DONE ? CODE_OK : fail(migrator, result, err);
  (void)sqlite3_reset(migrator->fill);
  return code;
}

static Code fill_end(Migrator *base, Error *err) {
  (void)err;
  fill_forget((SqliteMigrator *)base);
  return CODE_OK;
}

const StoreMigrator SQLITE_MIGRATOR = {
    .dialect = STR_INIT("sqlite"),
    .is_atomic = true,
    .layout_of = sqlite_layout_of_contract,
    .types_equal = sqlite_types_equal,
    .names_equal = str_equal_ignore_case,
    .search_needs_tables = true,
    .close = migrator_close,
    .read = layout_read,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .execute = execute,
    .query = query,
    .prepare = prepare,
    .derive = derive,
    .mark = mark,
    .scratch = scratch,
    .snapshot = snapshot,
    .scan = scan,
    .fill_begin = fill_begin,
    .fill_add = fill_add,
    .fill_end = fill_end,
};
