/* sqlite_run.c - bind, step, hand over each row, reset. */
#include "store/sqlite_run.h"

#include "store/sqlite_error.h"
#include "store/sqlite_value.h"

/* Steps through all rows. *ret_result is SQLite's code where that is what failed, else SQLITE_OK. */
static Code statement_step_rows(SqliteConnection *connection, SqliteStatement *prepared, const StoreStatement *statement, StoreRowFn *row,
                                void *context, int *ret_result, Error *err) {
  bool has_foreign_data = connection->target->has_foreign_data;
  for (;;) {
    int result = sqlite3_step(prepared->stmt);
    if (result == SQLITE_DONE) return CODE_OK;
    if (result != SQLITE_ROW) {
      *ret_result = result;
      return sqlite_error_set(connection, result, err);
    }
    if (row == NULL) continue;
    TRY(sqlite_row_read(prepared, statement, has_foreign_data, err));
    TRY(row(context, prepared->values, err));
  }
}

static Code statement_execute(SqliteConnection *connection, SqliteStatement *prepared, const StoreStatement *statement, const Value *params,
                              StoreRowFn *row, void *context, int *ret_result, Error *err) {
  int result = sqlite_params_bind(prepared->stmt, params, statement->param_count);
  if (result != SQLITE_OK) {
    *ret_result = result;
    return sqlite_error_set(connection, result, err);
  }
  return statement_step_rows(connection, prepared, statement, row, context, ret_result, err);
}

Code sqlite_statement_run(SqliteConnection *connection, const StoreStatement *statement, const Value *params, StoreRowFn *row,
                          void *context, int64_t *ret_changes, StoreConflict *ret_conflict, Error *err) {
  SqliteStatement *prepared = NULL;
  int result = SQLITE_OK;
  if (ret_conflict != NULL) *ret_conflict = (StoreConflict){.kind = STORE_CONFLICT_NONE};
  TRY(sqlite_statement_acquire(connection, statement, &prepared, err));
  Code code = statement_execute(connection, prepared, statement, params, row, context, &result, err);
  if (code == CODE_CONFLICT && (result & 0xff) == SQLITE_CONSTRAINT && ret_conflict != NULL)
    sqlite_conflict_read(connection, result, ret_conflict);
  if (code == CODE_OK && ret_changes != NULL) *ret_changes = statement->is_write ? sqlite3_changes64(connection->db) : 0;
  sqlite_statement_release(prepared);
  return code;
}

typedef struct PlanRow {
  StoreRead *read;
  size_t statement;
} PlanRow;

static Code plan_on_row(void *context, const Value *columns, Error *err) {
  PlanRow *at = context;
  return at->read->row(at->read, at->statement, columns, err);
}

static Code plan_run_statement(SqliteConnection *connection, StoreRead *read, size_t index, int *ret_result, Error *err) {
  const StorePlan *plan = read->plan;
  const StoreStatement *statement = plan->statements[index];
  bool is_repeated = plan->is_repeated != NULL && plan->is_repeated[index];
  PlanRow at = {read, index};
  const Value *params = NULL;
  read->run = 0;
  if (!read->bind(read, index, &params)) return CODE_OK;
  SqliteStatement *prepared = NULL;
  TRY(sqlite_statement_acquire(connection, statement, &prepared, err));
  Code code;
  do {
    code = statement_execute(connection, prepared, statement, params, plan_on_row, &at, ret_result, err);
    if (is_repeated) sqlite3_reset(prepared->stmt);
    read->run++;
  } while (code == CODE_OK && is_repeated && read->bind(read, index, &params));
  sqlite_statement_release(prepared);
  return code;
}

Code sqlite_plan_run(SqliteConnection *connection, StoreRead *read, bool *ret_is_busy, Error *err) {
  for (size_t i = 0; i < read->plan->count; i++) {
    int result = SQLITE_OK;
    Code code = plan_run_statement(connection, read, i, &result, err);
    if (code == CODE_OK) continue;
    if (ret_is_busy != NULL) *ret_is_busy = (result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_LOCKED;
    return code;
  }
  return CODE_OK;
}
