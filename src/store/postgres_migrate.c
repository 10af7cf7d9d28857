/* postgres_migrate.c - runs a plan in one transaction, under a lock that keeps other instances' migrations away; or says what it would do.
 */
#include <stdio.h>

#include "store/postgres_plan.h"
#include "store/postgres_query.h"
#include "store/postgres_store.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };
/* Making an index over rows that are there takes as long as it takes. */
static const int64_t CHANGE_TIMEOUT_US = INT64_C(3600000000), COMMAND_TIMEOUT_US = 60000000;

#define LOCK_KEY "7161671957731601249" /* "caisson!" */

Code postgres_schemas_of(const Contract *contract, Arena *arena, Str *ret, Error *err) {
  Buf out = buf_on(arena, TEXT_BYTES_MAX);
  for (size_t i = 0; i < contract->resource_count; i++) {
    Str table = contract->resources[i]->table;
    size_t dot = str_find_byte(table, '.', 0);
    if (dot == table.len) continue;
    if (out.len > 0) buf_add_byte(&out, ',');
    buf_add(&out, str_slice(table, 0, dot));
  }
  return buf_finish(&out, ret, err);
}

static Code begin(PostgresConnection *connection, Error *err) {
  static const char *const commands[] = {
      "BEGIN",
      "SET LOCAL statement_timeout = 0",
      "SELECT pg_advisory_xact_lock(" LOCK_KEY ")",
      "SET LOCAL lock_timeout = '2s'",
  };
  TRY(postgres_send_control(connection, commands[0], err));
  TRY(postgres_send_control(connection, commands[1], err));
  /* Behind another instance's migration it may take longer. */
  TRY(postgres_send_control(connection, "SET LOCAL lock_timeout = 0", err));
  TRY(postgres_send_control(connection, commands[2], err));
  TRY(postgres_send_control(connection, commands[3], err));
  return postgres_settle(connection, CHANGE_TIMEOUT_US, err);
}

static Code apply(PostgresConnection *connection, PostgresPlan *plan, Error *err) {
  TRY(postgres_command(connection, "CREATE TABLE IF NOT EXISTS " POSTGRES_MARK_TABLE " (name text PRIMARY KEY, value text NOT NULL)",
                       COMMAND_TIMEOUT_US, NULL, err));
  for (size_t i = 0; i < plan->changes.count; i++) {
    const PostgresChange *change = &plan->changes.items[i];
    bool is_conflict = false;
    Code code = postgres_command(connection, change->sql.ptr, CHANGE_TIMEOUT_US, &is_conflict, err);
    if (code == CODE_OK) continue;
    /* A new unique index over rows that are not, a reference to nothing. */
    if (is_conflict)
      buf_printf(&plan->differences, "%.*s, and can't be made: rows that are there don't fit it\n", STR_ARGS(change->description));
    return code;
  }
  return CODE_OK;
}

/* What an operator needs to decide: the differences, the statements, and how to have them run. */
static Code explain(const PostgresPlan *plan, Arena *arena, Str *ret, Error *err) {
  Buf out = buf_on(arena, (size_t)64 * TEXT_BYTES_MAX);
  buf_add(&out, buf_str(&plan->differences));
  for (size_t i = 0; i < plan->changes.count; i++) {
    buf_add(&out, plan->changes.items[i].description);
    buf_add_byte(&out, '\n');
  }
  if (plan->changes.count > 0) buf_add(&out, STR("\nThese statements would add what is missing:\n\n"));
  for (size_t i = 0; i < plan->changes.count; i++) {
    buf_add(&out, plan->changes.items[i].sql);
    buf_add(&out, STR(";\n"));
  }
  if (plan->changes.count > 0 && plan->differences.len == 0)
    buf_add(&out, STR("\nTo have them run at the start: caisson serve CONTRACT --migrate (and --store as now)\n"));
  buf_add(&out,
          STR("\nWhat each statement locks, and what serving never does by itself: caisson migrate plan CONTRACT (and --store as now)\n"));
  return buf_finish(&out, ret, err);
}

static Code migrate(PostgresConnection *connection, const Contract *contract, bool is_allowed_to_change, Arena *arena, Str *ret_details,
                    Error *err) {
  PostgresSchema schema;
  PostgresPlan plan;
  Str schemas = {NULL, 0};
  TRY(postgres_schemas_of(contract, arena, &schemas, err));
  TRY(postgres_schema_read(connection, schemas, arena, &schema, err));
  if (schema.current.len == 0) return error_set(err, CODE_UNAVAILABLE, "the database has no schema for tables to be in (search_path)");
  TRY(postgres_plan_make(&schema, contract, arena, &plan, err));
  bool is_possible = plan.differences.len == 0;
  if (is_possible && plan.changes.count == 0) return CODE_OK;
  if (is_possible && is_allowed_to_change) {
    Code code = apply(connection, &plan, err);
    if (code == CODE_OK || plan.differences.len == 0) return code;
    *ret_details = buf_str(&plan.differences);
  } else {
    TRY(explain(&plan, arena, ret_details, err));
  }
  return error_set(err, CODE_CONFLICT, "the database is not as the contract says");
}

Code postgres_migrate(Store *base, const Contract *contract, bool is_allowed_to_change, Arena *arena, Str *ret_differences, Error *err) {
  PostgresStore *store = (PostgresStore *)base;
  bool may_change = is_allowed_to_change && !store->is_read_only;
  PostgresConnection *connection = NULL;
  TRY(postgres_connection_open(&store->target, NULL, NULL, &connection, err));
  Code code = may_change ? begin(connection, err) : CODE_OK;
  if (code == CODE_OK) code = migrate(connection, contract, may_change, arena, ret_differences, err);
  if (code == CODE_OK && may_change) code = postgres_command(connection, "COMMIT", COMMAND_TIMEOUT_US, NULL, err);
  /* What was not committed ends with the connection. */
  postgres_connection_close(connection);
  return code;
}
