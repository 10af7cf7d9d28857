/* postgres_migrator.c - migrations on PostgreSQL: a connection that holds an advisory lock as long as it is open, so that one migrator
 * works at a time; another one reads the catalogs. What serving adds at its start goes by that other one alone, in one transaction, which
 * has the same lock: a pooler would keep a session's lock for whoever comes next. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "store/migrator.h"
#include "store/postgres_copy.h"
#include "store/postgres_layout.h"
#include "store/postgres_query.h"
#include "store/postgres_store.h"

typedef struct PostgresMigrator {
  Migrator base;
  PostgresStore *store;
  PGconn *pg; /* NULL: everything goes by `catalog` */
  PostgresConnection *catalog;
  PostgresCopy copy; /* of the table that is being filled */
  char scratch[64];  /* a schema; empty: none */
  int64_t lock_timeout_ms;
  bool is_begun; /* without `pg`: between begin and commit */
} PostgresMigrator;

enum { LOCK_WAIT_MS = 50 };
/* Making an index over rows that are there takes as long as it takes, and so does another instance's start. */
static const int64_t COMMAND_TIMEOUT_US = 60000000, CHANGE_TIMEOUT_US = INT64_C(3600000000);

#define LOCK_KEY "7161671957731601249" /* "caisson!" */

static void on_notice(void *context, const PGresult *result) {
  (void)context;
  (void)result;
}

/* The primary message and the detail, for operators. */
static Code fail(PostgresMigrator *migrator, const PGresult *result, Error *err) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  if (state == NULL) return postgres_error_lost(&migrator->store->target, migrator->pg, err);
  if (strcmp(state, "55P03") == 0)
    return error_set(err, CODE_TIMEOUT, "somebody holds a lock that the change needs: it did not come in time");
  /* A deadlock, or a change that came in between: as with a lock, a little later it may be had. */
  if (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0)
    return error_set(err, CODE_TIMEOUT, "others changed the same rows at the same time, again and again");
  /* Classes: 23 a constraint, 22 a value that can't be converted, 08, 53, 57 and 58 what is outside. */
  bool is_data = strncmp(state, "23", 2) == 0 || strncmp(state, "22", 2) == 0;
  bool is_outside =
      strncmp(state, "08", 2) == 0 || strncmp(state, "53", 2) == 0 || strncmp(state, "57", 2) == 0 || strncmp(state, "58", 2) == 0;
  Code code = is_data ? CODE_CONFLICT : is_outside ? CODE_UNAVAILABLE : CODE_BAD_REQUEST;
  return error_set(err, code, "%.140s%s%.70s", message == NULL ? "the database refused a statement" : message, detail == NULL ? "" : ": ",
                   detail == NULL ? "" : detail);
}

typedef struct Texts {
  MigratorRowFn *row;
  void *context;
  size_t column_count;
} Texts;

static Code on_values(void *context, const Value *values, Error *err) {
  const Texts *texts = context;
  Str columns[MIGRATOR_COLUMNS_MAX];
  for (size_t i = 0; i < texts->column_count; i++) columns[i] = values[i].type == VALUE_TEXT ? values[i].text : (Str){NULL, 0};
  return texts->row(texts->context, columns, err);
}

static Code query_by_catalog(PostgresMigrator *migrator, const char *sql, const Texts *texts, Error *err) {
  if (texts->row == NULL) return postgres_command(migrator->catalog, sql, CHANGE_TIMEOUT_US, NULL, err);
  return postgres_query(migrator->catalog, str_of(sql), NULL, 0, texts->column_count, on_values, (void *)texts, err);
}

static Code query(Migrator *base, const char *sql, size_t column_count, MigratorRowFn *row, void *context, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  if (migrator->pg == NULL) return query_by_catalog(migrator, sql, &(Texts){row, context, column_count}, err);
  PGresult *result = PQexec(migrator->pg, sql);
  ExecStatusType status = PQresultStatus(result);
  Code code = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? CODE_OK : fail(migrator, result, err);
  Str columns[MIGRATOR_COLUMNS_MAX];
  for (int i = 0; code == CODE_OK && row != NULL && i < PQntuples(result); i++) {
    for (size_t k = 0; k < column_count && k < MIGRATOR_COLUMNS_MAX; k++) {
      columns[k] =
          PQgetisnull(result, i, (int)k) ? (Str){NULL, 0} : (Str){PQgetvalue(result, i, (int)k), (size_t)PQgetlength(result, i, (int)k)};
    }
    code = row(context, columns, err);
  }
  PQclear(result);
  return code;
}

static Code execute(Migrator *base, const char *sql, Error *err) { return query(base, sql, 0, NULL, NULL, err); }

static Code on_flag(void *context, const Str *columns, Error *err) {
  bool *flag = context;
  (void)err;
  *flag = str_equal(columns[0], STR("t"));
  return CODE_OK;
}

/* The lock that begin takes as well where a start adds what is missing. */
static Code lock(PostgresMigrator *migrator, int64_t timeout_ms, Error *err) {
  for (int64_t waited_ms = 0;; waited_ms += LOCK_WAIT_MS) {
    bool is_locked = false;
    TRY(query(&migrator->base, "SELECT pg_try_advisory_lock(" LOCK_KEY ")", 1, on_flag, &is_locked, err));
    if (is_locked) return CODE_OK;
    if (waited_ms >= timeout_ms) return error_set(err, CODE_TIMEOUT, "another migration is under way");
    const struct timespec pause = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
    nanosleep(&pause, NULL);
  }
}

static Code connect(PostgresMigrator *migrator, MigratorMode mode, Error *err) {
  int64_t lock_timeout_ms = migrator->lock_timeout_ms;
  PostgresTarget *target = &migrator->store->target;
  char settings[256];
  migrator->pg = PQconnectdbParams(target->keywords, target->values, 0);
  TRY_ALLOC(migrator->pg);
  if (PQstatus(migrator->pg) != CONNECTION_OK) return postgres_error_unreachable(target, migrator->pg, err);
  PQsetNoticeReceiver(migrator->pg, on_notice, NULL);
  (void)snprintf(settings, sizeof settings,
                 "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET standard_conforming_strings = on; "
                 "SET lock_timeout = %lld",
                 (long long)lock_timeout_ms);
  TRY(execute(&migrator->base, settings, err));
  return mode == MIGRATOR_WRITES ? lock(migrator, lock_timeout_ms, err) : CODE_OK;
}

static void migrator_close(Migrator *base) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  char sql[128];
  Error ignored;
  if (migrator == NULL) return;
  base->calls->rollback(base);
  postgres_copy_done(&migrator->copy);
  if (migrator->scratch[0] != '\0') {
    (void)snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s CASCADE", migrator->scratch);
    (void)execute(base, sql, &ignored);
  }
  if (migrator->pg != NULL) PQfinish(migrator->pg);
  postgres_connection_close(migrator->catalog);
  memory_free(migrator);
}

Code postgres_migrator_open(Store *base, int64_t lock_timeout_ms, MigratorMode mode, Migrator **ret, Error *err) {
  PostgresMigrator *migrator = memory_alloc(sizeof *migrator);
  TRY_ALLOC(migrator);
  *migrator = (PostgresMigrator){.base = {&POSTGRES_MIGRATOR}, .store = (PostgresStore *)base};
  /* 0 would be no bound at all. */
  migrator->lock_timeout_ms = lock_timeout_ms < 1 ? 1 : lock_timeout_ms;
  Code code = mode == MIGRATOR_ADDS ? CODE_OK : connect(migrator, mode, err);
  if (code == CODE_OK) code = postgres_connection_open(&migrator->store->target, NULL, NULL, &migrator->catalog, err);
  if (code != CODE_OK) {
    migrator_close(&migrator->base);
    return code;
  }
  *ret = &migrator->base;
  return CODE_OK;
}

static Code layout_read(Migrator *base, const Contract *contract, Arena *arena, Layout *ret, bool *ret_is_ours, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  PostgresSchema schema;
  Str schemas = {NULL, 0};
  if (contract != NULL) TRY(postgres_schemas_of(contract, arena, &schemas, err));
  TRY(postgres_schema_read(migrator->catalog, schemas, arena, &schema, err));
  if (schema.current.len == 0) return error_set(err, CODE_UNAVAILABLE, "the database has no schema for tables to be in (search_path)");
  *ret_is_ours = schema.is_ours;
  return postgres_layout_of_schema(&schema, arena, ret, err);
}

/* Behind another instance's start it may take longer than a lock. */
static Code begin_by_catalog(PostgresMigrator *migrator, Error *err) {
  static const char *const commands[] = {"BEGIN", "SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = 0",
                                         "SELECT pg_advisory_xact_lock(" LOCK_KEY ")"};
  char bound[64];
  (void)snprintf(bound, sizeof bound, "SET LOCAL lock_timeout = %lld", (long long)migrator->lock_timeout_ms);
  migrator->is_begun = true;
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) TRY(postgres_send_control(migrator->catalog, commands[i], err));
  TRY(postgres_send_control(migrator->catalog, bound, err));
  return postgres_settle(migrator->catalog, CHANGE_TIMEOUT_US, err);
}

static Code begin(Migrator *base, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  return migrator->pg == NULL ? begin_by_catalog(migrator, err) : execute(base, "BEGIN", err);
}

static void rollback(Migrator *base) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  bool is_open = migrator->pg == NULL ? migrator->is_begun : PQtransactionStatus(migrator->pg) != PQTRANS_IDLE;
  Error ignored;
  migrator->is_begun = false;
  if (is_open) (void)execute(base, "ROLLBACK", &ignored);
}

static Code commit(Migrator *base, Error *err) {
  Code code = execute(base, "COMMIT", err);
  if (code == CODE_OK) ((PostgresMigrator *)base)->is_begun = false;
  if (code != CODE_OK) rollback(base);
  return code;
}

static Code mark(Migrator *base, Error *err) {
  return execute(base, "CREATE TABLE IF NOT EXISTS " POSTGRES_MARK_TABLE " (name text PRIMARY KEY, value text NOT NULL)", err);
}

static Code scratch(Migrator *base, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  char sql[256];
  (void)snprintf(migrator->scratch, sizeof migrator->scratch, "caisson_scratch_%d", PQbackendPID(migrator->pg));
  (void)snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s; SET search_path = %s", migrator->scratch,
                 migrator->scratch, migrator->scratch);
  TRY(execute(base, sql, err));
  (void)snprintf(sql, sizeof sql, "SET search_path = %s", migrator->scratch);
  return postgres_command(migrator->catalog, sql, COMMAND_TIMEOUT_US, NULL, err);
}

/* ---- whole tables ---- */

static Code snapshot(Migrator *base, Error *err) { return execute(base, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err); }

/* What is still to come is neither waited for nor kept. */
static void scan_give_up(PostgresMigrator *migrator) {
  char text[256];
  PGcancel *cancel = PQgetCancel(migrator->pg);
  if (cancel != NULL) (void)PQcancel(cancel, text, sizeof text);
  PQfreeCancel(cancel);
  for (PGresult *result; (result = PQgetResult(migrator->pg)) != NULL;) PQclear(result);
}

/* Row by row as they arrive, so that a table of any size takes no more memory than its largest row. */
static Code scan(Migrator *base, const StoreStatement *statement, StoreRowFn *row, void *context, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  Buf sql = buf_on_heap(1 << 20);
  buf_add(&sql, statement->sql);
  buf_add_byte(&sql, '\0');
  bool is_sent = sql.failed == CODE_OK && PQsendQueryParams(migrator->pg, sql.ptr, 0, NULL, NULL, NULL, NULL, 1) == 1 &&
                 PQsetSingleRowMode(migrator->pg) == 1;
  buf_done(&sql);
  if (!is_sent) return postgres_error_lost(&migrator->store->target, migrator->pg, err);
  Code code = CODE_OK;
  for (PGresult *result; code == CODE_OK && (result = PQgetResult(migrator->pg)) != NULL; PQclear(result)) {
    ExecStatusType status = PQresultStatus(result);
    PostgresPending pending = {.shape = statement, .result = result};
    if (status == PGRES_SINGLE_TUPLE)
      code = postgres_rows_read(migrator->catalog, &pending, row, context, err);
    else if (status != PGRES_TUPLES_OK)
      code = fail(migrator, result, err);
  }
  if (code != CODE_OK) scan_give_up(migrator);
  return code;
}

static Code fill_begin(Migrator *base, const Resource *resource, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  Buf sql = buf_on_heap(1 << 20);
  postgres_copy_write_begin(&sql, resource);
  buf_add_byte(&sql, '\0');
  PGresult *result = sql.failed != CODE_OK ? NULL : PQexec(migrator->pg, sql.ptr);
  buf_done(&sql);
  Code code = result == NULL ? error_no_memory(err) : PQresultStatus(result) == PGRES_COPY_IN ? CODE_OK : fail(migrator, result, err);
  PQclear(result);
  return code == CODE_OK ? postgres_copy_init(&migrator->copy, resource, err) : code;
}

static Code fill_send(PostgresMigrator *migrator, Error *err) {
  Buf *rows = &migrator->copy.rows;
  if (rows->failed != CODE_OK) return error_set(err, rows->failed, "a row is too large to be copied");
  if (rows->len > 0 && PQputCopyData(migrator->pg, rows->ptr, (int)rows->len) != 1)
    return postgres_error_lost(&migrator->store->target, migrator->pg, err);
  buf_clear(rows);
  return CODE_OK;
}

static Code fill_add(Migrator *base, const Value *row, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  TRY(postgres_copy_write_row(&migrator->copy, row, err));
  return migrator->copy.rows.len < POSTGRES_COPY_BYTES ? CODE_OK : fill_send(migrator, err);
}

static Code fill_end(Migrator *base, Error *err) {
  PostgresMigrator *migrator = (PostgresMigrator *)base;
  TRY(fill_send(migrator, err));
  if (PQputCopyEnd(migrator->pg, NULL) != 1) return postgres_error_lost(&migrator->store->target, migrator->pg, err);
  Code code = CODE_OK;
  for (PGresult *result; (result = PQgetResult(migrator->pg)) != NULL; PQclear(result)) {
    if (code == CODE_OK && PQresultStatus(result) != PGRES_COMMAND_OK) code = fail(migrator, result, err);
  }
  Buf numbers = buf_on_heap(1 << 20);
  if (code == CODE_OK && postgres_copy_write_numbers(&numbers, migrator->copy.resource)) {
    buf_add_byte(&numbers, '\0');
    code = numbers.failed == CODE_OK ? execute(base, numbers.ptr, err) : error_no_memory(err);
  }
  buf_done(&numbers);
  postgres_copy_done(&migrator->copy);
  return code;
}

const StoreMigrator POSTGRES_MIGRATOR = {
    .dialect = STR_INIT("postgresql"),
    .layout_of = postgres_layout_of_contract,
    .types_equal = postgres_types_equal,
    .names_equal = str_equal,
    .has_schemas = true,
    .close = migrator_close,
    .read = layout_read,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .execute = execute,
    .query = query,
    .mark = mark,
    .scratch = scratch,
    .snapshot = snapshot,
    .scan = scan,
    .fill_begin = fill_begin,
    .fill_add = fill_add,
    .fill_end = fill_end,
};
