/* sqlite_changes.c - the table of changes: made where the file is ours. */
#include "sql/dialect_impl.h"
#include "store/sqlite_error.h"
#include "store/sqlite_store.h"

static Code is_there(SqliteConnection *connection, bool *ret, Error *err) {
  sqlite3_stmt *stmt = NULL;
  static const char sql[] = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'caisson_changes'";
  int result = sqlite3_prepare_v2(connection->db, sql, -1, &stmt, NULL);
  if (result == SQLITE_OK) result = sqlite3_step(stmt);
  *ret = result == SQLITE_ROW;
  sqlite3_finalize(stmt);
  return result == SQLITE_ROW || result == SQLITE_DONE ? CODE_OK : sqlite_error_set(connection, result, err);
}

static Code make(SqliteConnection *connection, Error *err) {
  const SqlChanges *changes = &SQL_DIALECT_SQLITE.changes;
  for (size_t i = 0; i < sizeof changes->tables / sizeof changes->tables[0] && changes->tables[i].ptr != NULL; i++) {
    int result = sqlite3_exec(connection->db, changes->tables[i].ptr, NULL, NULL, NULL);
    if (result != SQLITE_OK) return sqlite_error_set(connection, result, err);
  }
  return CODE_OK;
}

Code sqlite_changes_open(Store *base, bool *ret_is_there, Error *err) {
  SqliteStore *store = (SqliteStore *)base;
  *ret_is_there = false;
  if (!store->is_ours) return CODE_OK;
  SqliteConnection *connection = NULL;
  SqliteRole role = store->target.is_read_only ? SQLITE_ROLE_READER : SQLITE_ROLE_WRITER;
  TRY(sqlite_connection_open(&store->target, role, store->busy_timeout_ms, &connection, err));
  sqlite_turn_begin_write(store);
  Code code = is_there(connection, ret_is_there, err);
  if (code == CODE_OK && !*ret_is_there && !store->target.is_read_only) {
    code = make(connection, err);
    *ret_is_there = code == CODE_OK;
  }
  sqlite_turn_end(store);
  sqlite_connection_close(connection);
  return code;
}
