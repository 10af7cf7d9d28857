/* postgres_txn.c - a write's transaction on its thread's connection. BEGIN travels with the first statement, so that it costs no turn of
 * its own. After the first failure the server skips everything: the transaction can only be rolled back. */
#include <stdio.h>
#include <string.h>

#include "store/postgres_store.h"

static int64_t deadline_of(const PostgresTxn *txn) {
  return postgres_clock_us() + txn->connection->target->statement_timeout_us + POSTGRES_GRACE_US;
}

static const char *begin_of(Isolation isolation) {
  switch (isolation) {
    case ISOLATION_SERIALIZABLE: return "BEGIN ISOLATION LEVEL SERIALIZABLE";
    case ISOLATION_REPEATABLE_READ: return "BEGIN ISOLATION LEVEL REPEATABLE READ";
    case ISOLATION_DEFAULT:
    case ISOLATION_READ_COMMITTED: break;
  }
  return "BEGIN ISOLATION LEVEL READ COMMITTED";
}

static Code txn_lost(PostgresTxn *txn, Error *err) {
  txn->is_failed = true;
  txn->remedy = POSTGRES_REMEDY_RECONNECT;
  return error_set(err, CODE_UNAVAILABLE, "the connection to the database was lost");
}

static Code txn_begin(PostgresTxn *txn, Error *err) {
  if (txn->is_begun) return CODE_OK;
  TRY(postgres_send_control(txn->connection, begin_of(txn->isolation), err));
  txn->is_begun = true;
  if (!atomic_load(&txn->connection->target->is_pooled)) return CODE_OK;
  return postgres_send_settings(txn->connection, err);
}

/* ---- answers ---- */

typedef Code AnswerFn(PostgresTxn *txn, const PostgresPending *pending, void *context, Error *err);

static Code answer_failed(PostgresTxn *txn, const PostgresPending *pending, StoreConflict *conflict, Error *err) {
  const char *schema = NULL, *constraint = NULL;
  txn->is_failed = true;
  if (pending->result == NULL) return txn_lost(txn, err);
  txn->remedy = postgres_error_remedy(pending->result);
  Code code = postgres_error_set(txn->connection->target, pending->result, err);
  if (conflict != NULL && postgres_error_is_refusal(pending->result)) code = error_set(err, CODE_CONFLICT, "a value is refused");
  bool is_constraint = txn->remedy == POSTGRES_REMEDY_NONE || txn->remedy == POSTGRES_REMEDY_ONCE;
  if (code != CODE_CONFLICT || !is_constraint || conflict == NULL) return code;
  postgres_conflict_read(pending->result, conflict, &schema, &constraint);
  snprintf(txn->conflict_schema, sizeof txn->conflict_schema, "%s", schema == NULL ? "" : schema);
  snprintf(txn->conflict_constraint, sizeof txn->conflict_constraint, "%s", constraint == NULL ? "" : constraint);
  return code;
}

/* Of the commands only the question behind a COMMIT is answered by a row of this form. */
static void note_position(PostgresTxn *txn, const PGresult *result) {
  if (txn->store->progress == NULL || PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) return;
  txn->position = postgres_position_parse(str_of(PQgetvalue(result, 0, 0)));
}

/* Sends what is queued, closed by a sync, and takes all answers up to it. The first failure counts, be it the server's or a row's. */
static Code exchange(PostgresTxn *txn, AnswerFn *answer, void *context, StoreConflict *conflict, Error *err) {
  PostgresPending pending;
  Error lost_error;
  Code code = postgres_send_sync(txn->connection, err);
  if (code != CODE_OK) return txn_lost(txn, err);
  int64_t deadline_us = deadline_of(txn);
  for (;;) {
    while (postgres_next(txn->connection, &pending)) {
      bool is_over = pending.command == POSTGRES_SYNC;
      PostgresOutcome outcome = postgres_outcome(&pending);
      if (code == CODE_OK && outcome == POSTGRES_FAILED) code = answer_failed(txn, &pending, conflict, err);
      if (code == CODE_OK && outcome == POSTGRES_OK && pending.command == POSTGRES_EXECUTE) code = answer(txn, &pending, context, err);
      if (outcome == POSTGRES_OK && pending.command == POSTGRES_CONTROL) note_position(txn, pending.result);
      postgres_pending_done(&pending);
      if (is_over) return code;
    }
    if (postgres_connection_wait(txn->connection, deadline_us, &lost_error) == CODE_OK) continue;
    /* What the server had to say last is still told. */
    return code == CODE_OK ? txn_lost(txn, err) : code;
  }
}

static Code no_answer(PostgresTxn *txn, const PostgresPending *pending, void *context, Error *err) {
  (void)txn;
  (void)pending;
  (void)context;
  (void)err;
  return CODE_OK;
}

/* ---- one statement ---- */

typedef struct RowSink {
  StoreRowFn *row;
  void *context;
  int64_t changes;
} RowSink;

static Code on_statement(PostgresTxn *txn, const PostgresPending *pending, void *context, Error *err) {
  RowSink *sink = context;
  if (pending->shape->is_write) (void)str_parse_int64(str_of(PQcmdTuples(pending->result)), &sink->changes);
  return postgres_rows_read(txn->connection, pending, sink->row, sink->context, err);
}

static Code txn_check(const PostgresTxn *txn, Error *err) {
  if (!txn->is_failed) return CODE_OK;
  return error_set(err, CODE_UNAVAILABLE, "the transaction was ended by the store");
}

/* ---- which columns a unique index has ---- */

static Code on_column_names(void *context, const Value *columns, Error *err) {
  StoreConflict *conflict = context;
  (void)err;
  if (columns[0].type == VALUE_TEXT) snprintf(conflict->columns, sizeof conflict->columns, "%.*s", STR_ARGS(columns[0].text));
  return CODE_OK;
}

static const StoreColumn name_columns[] = {{.type = VALUE_TEXT}};
static const ValueType name_params[] = {VALUE_TEXT, VALUE_TEXT};

/* The server names the index alone; its columns stand in the catalog. The transaction is over: this runs after it. An index over
 * expressions has no columns to name. */
static void conflict_find_columns(PostgresTxn *txn, StoreConflict *conflict) {
  const StoreStatement statement = {
      .id = 0, /* no other statement's */
      .sql = STR("SELECT string_agg(a.attname::text, ',' ORDER BY k.n) FROM pg_catalog.pg_class c "
                 "JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid "
                 "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(column_number, n) "
                 "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.column_number "
                 "WHERE s.nspname = $1::text AND c.relname = $2::text AND k.n <= i.indnkeyatts"),
      .columns = name_columns,
      .column_count = 1,
      .param_types = name_params,
      .param_count = 2,
  };
  Value params[] = {value_text(str_of(txn->conflict_schema)), value_text(str_of(txn->conflict_constraint))};
  RowSink sink = {on_column_names, conflict, 0};
  Error err;
  postgres_txn_rollback(txn);
  if (postgres_connection_is_broken(txn->connection)) return;
  bool is_failed = txn->is_failed;
  if (postgres_send(txn->connection, &statement, params, NULL, 0, 0, &err) == CODE_OK) (void)exchange(txn, on_statement, &sink, NULL, &err);
  txn->is_failed = is_failed;
}

Code postgres_txn_run(StoreTxn *base, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                      int64_t *ret_changes, StoreConflict *ret_conflict, Error *err) {
  PostgresTxn *txn = (PostgresTxn *)base;
  RowSink sink = {row, context, 0};
  StoreConflict conflict = {.kind = STORE_CONFLICT_NONE};
  if (ret_conflict != NULL) *ret_conflict = conflict;
  TRY(txn_check(txn, err));
  Code code = txn_begin(txn, err);
  if (code == CODE_OK) code = postgres_send(txn->connection, statement, params, NULL, 0, 0, err);
  if (code != CODE_OK) {
    if (postgres_connection_is_broken(txn->connection)) return txn_lost(txn, err);
    return code;
  }
  code = exchange(txn, on_statement, &sink, &conflict, err);
  if (conflict.kind == STORE_CONFLICT_UNIQUE) conflict_find_columns(txn, &conflict);
  if (ret_conflict != NULL) *ret_conflict = conflict;
  if (code == CODE_OK && ret_changes != NULL) *ret_changes = sink.changes;
  return code;
}

/* ---- a whole plan ---- */

typedef struct PlanRow {
  StoreRead *read;
  size_t index;
} PlanRow;

static Code on_plan_row(void *context, const Value *columns, Error *err) {
  const PlanRow *at = context;
  return at->read->row(at->read, at->index, columns, err);
}

static Code on_plan(PostgresTxn *txn, const PostgresPending *pending, void *context, Error *err) {
  StoreRead *read = context;
  PlanRow at = {read, pending->index};
  read->run = pending->run;
  return postgres_rows_read(txn->connection, pending, on_plan_row, &at, err);
}

static Code send_level(PostgresTxn *txn, StoreRead *read, uint32_t level, bool *ret_sent, Error *err) {
  const StorePlan *plan = read->plan;
  const Value *params = NULL;
  for (size_t i = 0; i < plan->count; i++) {
    if ((plan->levels == NULL ? 0 : plan->levels[i]) != level) continue;
    for (size_t run = 0; read->bind(read, i, &params); run++) {
      TRY(txn_begin(txn, err));
      TRY(postgres_send(txn->connection, plan->statements[i], params, NULL, i, run, err));
      *ret_sent = true;
      if (plan->is_repeated == NULL || !plan->is_repeated[i]) break;
    }
  }
  return CODE_OK;
}

Code postgres_txn_read(StoreTxn *base, StoreRead *read, Error *err) {
  PostgresTxn *txn = (PostgresTxn *)base;
  TRY(txn_check(txn, err));
  uint32_t level_max = read->plan->levels == NULL ? 0 : read->plan->levels[read->plan->count - 1];
  for (uint32_t level = 0; level <= level_max; level++) {
    bool is_sent = false;
    Code code = send_level(txn, read, level, &is_sent, err);
    if (code != CODE_OK && postgres_connection_is_broken(txn->connection)) return txn_lost(txn, err);
    /* What was queued before the failure has to be answered all the same. */
    Code answered = is_sent ? exchange(txn, on_plan, read, NULL, code == CODE_OK ? err : NULL) : CODE_OK;
    TRY(code);
    TRY(answered);
  }
  return CODE_OK;
}

/* ---- the end ---- */

static Code control(PostgresTxn *txn, const char *sql, StoreConflict *conflict, Error *err) {
  Code code = postgres_send_control(txn->connection, sql, err);
  if (code != CODE_OK) return txn_lost(txn, err);
  return exchange(txn, no_answer, NULL, conflict, err);
}

Code postgres_txn_check(PostgresTxn *txn, Error *err) {
  TRY(txn_check(txn, err));
  if (!txn->is_begun) return CODE_OK;
  return control(txn, "SET CONSTRAINTS ALL IMMEDIATE", NULL, err);
}

Code postgres_txn_commit(PostgresTxn *txn, bool *ret_is_unknown, Error *err) {
  *ret_is_unknown = false;
  TRY(txn_check(txn, err));
  if (!txn->is_begun) return CODE_OK;
  txn->is_begun = false;
  StoreConflict conflict = {.kind = STORE_CONFLICT_NONE};
  Code code = postgres_send_control(txn->connection, "COMMIT", err);
  bool is_asked = txn->store->progress != NULL;
  /* Where the log ends now, the commit is behind: a copy that has come so far shows it. */
  if (code == CODE_OK && is_asked) code = postgres_send_control(txn->connection, "SELECT pg_current_wal_insert_lsn()::text", err);
  code = code == CODE_OK ? exchange(txn, no_answer, NULL, &conflict, err) : txn_lost(txn, err);
  /* A server that was stopped may have written the commit before it could say so. */
  *ret_is_unknown = code != CODE_OK && txn->remedy == POSTGRES_REMEDY_RECONNECT;
  if (conflict.kind == STORE_CONFLICT_FOREIGN_KEY)
    return error_set(err, CODE_CONFLICT, "a row is left that refers to a row that does not exist");
  return code;
}

void postgres_txn_rollback(PostgresTxn *txn) {
  Error err;
  if (!txn->is_begun || postgres_connection_is_broken(txn->connection)) return;
  txn->is_begun = false;
  (void)control(txn, "ROLLBACK", NULL, &err);
}
