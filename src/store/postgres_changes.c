/* postgres_changes.c - the table of changes: made where the database is ours and lets us. */
#include "sql/dialect_impl.h"
#include "store/postgres_query.h"
#include "store/postgres_schema.h"
#include "store/postgres_store.h"

static const int64_t COMMAND_TIMEOUT_US = 60000000;

static Code on_answer(void *context, const Value *columns, Error *err) {
  (void)err;
  *(bool *)context = !value_is_null(&columns[0]);
  return CODE_OK;
}

static Code has_table(PostgresConnection *connection, Str sql, bool *ret, Error *err) {
  *ret = false;
  return postgres_query(connection, sql, NULL, 0, 1, on_answer, ret, err);
}

/* Instances that start at once make it one after the other. */
static Code make(PostgresConnection *connection, Error *err) {
  const SqlChanges *changes = &SQL_DIALECT_POSTGRES.changes;
  TRY(postgres_command(connection, "BEGIN", COMMAND_TIMEOUT_US, NULL, err));
  TRY(postgres_command(connection, "LOCK TABLE " POSTGRES_MARK_TABLE " IN SHARE ROW EXCLUSIVE MODE", COMMAND_TIMEOUT_US, NULL, err));
  for (size_t i = 0; i < sizeof changes->tables / sizeof changes->tables[0] && changes->tables[i].ptr != NULL; i++)
    TRY(postgres_command(connection, changes->tables[i].ptr, COMMAND_TIMEOUT_US, NULL, err));
  return postgres_command(connection, "COMMIT", COMMAND_TIMEOUT_US, NULL, err);
}

Code postgres_changes_open(Store *base, bool *ret_is_there, Error *err) {
  PostgresStore *store = (PostgresStore *)base;
  PostgresConnection *connection = NULL;
  bool is_ours = false, is_there = false;
  TRY(postgres_connection_open(&store->target, NULL, NULL, &connection, err));
  Code code = has_table(connection, STR("SELECT to_regclass('" POSTGRES_MARK_TABLE "')::text"), &is_ours, err);
  if (code == CODE_OK) code = has_table(connection, STR("SELECT to_regclass('caisson_changes')::text"), &is_there, err);
  if (code == CODE_OK && is_ours && !is_there && !store->base.is_read_only) {
    code = make(connection, err);
    is_there = code == CODE_OK;
  }
  postgres_connection_close(connection);
  *ret_is_there = code == CODE_OK && is_ours && is_there;
  return code;
}
