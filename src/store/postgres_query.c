/* postgres_query.c - see postgres_query.h. */
#include "store/postgres_query.h"

#include <assert.h>

#include "store/postgres_error.h"

static const int64_t QUERY_TIMEOUT_US = 60000000;

typedef struct Answer {
  StoreRowFn *row;
  void *context;
  bool is_conflict;
  bool is_unprepared; /* a pooler is between, whose connections hold statements of others */
} Answer;

static Code exchange(PostgresConnection *connection, int64_t timeout_us, Answer *answer, Error *err) {
  PostgresPending pending;
  Code code = CODE_OK;
  Error lost;
  TRY(postgres_send_sync(connection, err));
  int64_t deadline_us = postgres_clock_us() + timeout_us;
  for (;;) {
    while (postgres_next(connection, &pending)) {
      bool is_over = pending.command == POSTGRES_SYNC;
      PostgresOutcome outcome = postgres_outcome(&pending);
      if (code == CODE_OK && outcome == POSTGRES_FAILED) {
        code = postgres_error_set(connection->target, pending.result, err);
        answer->is_conflict = code == CODE_CONFLICT;
        answer->is_unprepared = postgres_error_remedy(pending.result) == POSTGRES_REMEDY_UNPREPARED;
      }
      if (code == CODE_OK && outcome == POSTGRES_OK && pending.command == POSTGRES_EXECUTE)
        code = postgres_rows_read(connection, &pending, answer->row, answer->context, err);
      postgres_pending_done(&pending);
      if (is_over) return code;
    }
    Code waited = postgres_connection_wait(connection, deadline_us, code == CODE_OK ? err : &lost);
    if (waited != CODE_OK) return code == CODE_OK ? waited : code;
  }
}

Code postgres_settle(PostgresConnection *connection, int64_t timeout_us, Error *err) {
  Answer answer = {0};
  return exchange(connection, timeout_us, &answer, err);
}

Code postgres_command(PostgresConnection *connection, const char *sql, int64_t timeout_us, bool *ret_conflict, Error *err) {
  Answer answer = {0};
  TRY(postgres_send_control(connection, sql, err));
  Code code = exchange(connection, timeout_us, &answer, err);
  if (ret_conflict != NULL) *ret_conflict = answer.is_conflict;
  return code;
}

Code postgres_ask(PostgresConnection *connection, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                  Error *err) {
  Answer answer = {.row = row, .context = context};
  TRY(postgres_send(connection, statement, params, NULL, 0, 0, err));
  Code code = exchange(connection, QUERY_TIMEOUT_US, &answer, err);
  if (!answer.is_unprepared) return code;
  atomic_store(&connection->target->is_prepared, false);
  answer = (Answer){.row = row, .context = context};
  TRY(postgres_send(connection, statement, params, NULL, 0, 0, err));
  return exchange(connection, QUERY_TIMEOUT_US, &answer, err);
}

Code postgres_query(PostgresConnection *connection, Str sql, const Str *params, size_t param_count, size_t column_count, StoreRowFn *row,
                    void *context, Error *err) {
  assert(param_count <= POSTGRES_QUERY_PARAMS_MAX && column_count <= POSTGRES_QUERY_COLUMNS_MAX);
  StoreColumn columns[POSTGRES_QUERY_COLUMNS_MAX];
  ValueType types[POSTGRES_QUERY_PARAMS_MAX];
  Value values[POSTGRES_QUERY_PARAMS_MAX];
  for (size_t i = 0; i < column_count; i++) columns[i] = (StoreColumn){.type = VALUE_TEXT};
  for (size_t i = 0; i < param_count; i++) {
    types[i] = VALUE_TEXT;
    values[i] = params[i].ptr == NULL ? value_null() : value_text(params[i]);
  }
  StoreStatement statement = {.id = store_statement_id(),
                              .sql = sql,
                              .columns = columns,
                              .column_count = column_count,
                              .param_types = types,
                              .param_count = param_count};
  return postgres_ask(connection, &statement, values, row, context, err);
}

/* ---- texts that are kept ---- */

Str postgres_rows_keep(PostgresRows *rows, const Value *value) {
  if (value->type != VALUE_TEXT) return (Str){NULL, 0};
  Str copy = arena_str(rows->arena, value->text);
  rows->lacks_memory = rows->lacks_memory || copy.ptr == NULL;
  return copy;
}

static Code on_row(void *context, const Value *columns, Error *err) {
  PostgresRows *rows = context;
  TRY(rows->row(rows, columns, err));
  return rows->lacks_memory ? error_no_memory(err) : CODE_OK;
}

Code postgres_query_rows(PostgresRows *rows, Str sql, const Str *params, size_t param_count, size_t column_count, StoreRowFn *row,
                         Error *err) {
  rows->row = row;
  return postgres_query(rows->connection, sql, params, param_count, column_count, on_row, rows, err);
}
