/* postgres_error.c - one table from SQLSTATEs to ours: a whole state, or its class (the first two characters). The first that fits counts.
 */
#include "store/postgres_error.h"

#include <stdio.h>
#include <string.h>

typedef struct ErrorRow {
  const char *state;
  Code code;
  PostgresRemedy remedy;
  bool is_reported; /* the operator wants to know */
  const char *text;
} ErrorRow;

static const ErrorRow error_rows[] = {
    {"23503", CODE_CONFLICT, POSTGRES_REMEDY_ONCE, false, "a constraint of the database refuses the change"},
    {"23001", CODE_CONFLICT, POSTGRES_REMEDY_ONCE, false, "a constraint of the database refuses the change"},
    {"23", CODE_CONFLICT, POSTGRES_REMEDY_NONE, false, "a constraint of the database refuses the change"},
    {"40002", CODE_CONFLICT, POSTGRES_REMEDY_NONE, false, "a constraint of the database refuses the change"},
    {"40", CODE_CONFLICT, POSTGRES_REMEDY_AGAIN, false, "the change met another one that was made at the same time"},
    {"55P03", CODE_TIMEOUT, POSTGRES_REMEDY_NONE, false, "another change holds what this one needs"},
    {"57014", CODE_TIMEOUT, POSTGRES_REMEDY_NONE, false, "the statement took longer than it may"},
    {"57P05", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, false, "the database ended the connection"},
    {"57P", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, false, "the database is being stopped or started"},
    {"25P03", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, true, "the transaction was idle for too long"},
    {"25006", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, true, "the database can only be read"},
    {"26000", CODE_UNAVAILABLE, POSTGRES_REMEDY_UNPREPARED, true, "the database does not know a prepared statement"},
    {"42P05", CODE_UNAVAILABLE, POSTGRES_REMEDY_UNPREPARED, true, "the database has a prepared statement of that name"},
    {"0A000", CODE_INTERNAL, POSTGRES_REMEDY_PREPARE, true, "the store refused a statement"},
    {"53300", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, true, "the database takes no more connections"},
    {"53100", CODE_UNAVAILABLE, POSTGRES_REMEDY_NONE, true, "the disk is full"},
    {"53", CODE_UNAVAILABLE, POSTGRES_REMEDY_NONE, true, "the database is out of resources"},
    {"22003", CODE_TOO_LARGE, POSTGRES_REMEDY_NONE, false, "a sum or an average is larger than its type holds"},
    {"54", CODE_TOO_LARGE, POSTGRES_REMEDY_NONE, true, "a value is larger than the store takes"},
    {"58", CODE_UNAVAILABLE, POSTGRES_REMEDY_NONE, true, "the database's files can't be read or written"},
    {"08", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, true, "the connection to the database was lost"},
    {"28", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, true, "the database does not let us in"},
    {"3D", CODE_UNAVAILABLE, POSTGRES_REMEDY_RECONNECT, true, "there is no such database"},
    {"42501", CODE_UNAVAILABLE, POSTGRES_REMEDY_NONE, true, "the database does not let us do that"},
};

static const ErrorRow *error_row(const char *state) {
  for (size_t i = 0; state != NULL && i < sizeof error_rows / sizeof error_rows[0]; i++) {
    if (strncmp(error_rows[i].state, state, strlen(error_rows[i].state)) == 0) return &error_rows[i];
  }
  return NULL;
}

/* The primary message alone: the detail would show values of rows. */
static void report(const PostgresTarget *target, const char *state, const char *message) {
  char line[1024];
  if (target->report == NULL || message == NULL) return;
  int len = snprintf(line, sizeof line, "PostgreSQL%s%s: %s", state != NULL ? " " : "", state != NULL ? state : "", message);
  if (len < 0) return;
  target->report(target->report_context, str_trim((Str){line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1}));
}

Code postgres_error_set(const PostgresTarget *target, const PGresult *result, Error *err) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const ErrorRow *row = error_row(state);
  if (row == NULL || row->is_reported) report(target, state, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
  /* Without a state it is libpq itself that speaks: the connection broke. */
  if (state == NULL) return error_set(err, CODE_UNAVAILABLE, "the connection to the database was lost");
  if (row == NULL) return error_set(err, CODE_INTERNAL, "the store refused a statement (PostgreSQL's error %s)", state);
  return error_set(err, row->code, "%s", row->text);
}

Code postgres_error_lost(const PostgresTarget *target, PGconn *connection, Error *err) {
  report(target, NULL, connection != NULL ? PQerrorMessage(connection) : NULL);
  return error_set(err, CODE_UNAVAILABLE, "the connection to the database was lost");
}

Code postgres_error_unreachable(const PostgresTarget *target, PGconn *connection, Error *err) {
  report(target, NULL, PQerrorMessage(connection));
  return error_set(err, CODE_UNAVAILABLE, "the database can't be reached, or doesn't let us in");
}

bool postgres_error_is_refusal(const PGresult *result) {
  Str state = str_of(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  return str_starts_with(state, STR("22")) || str_equal(state, STR("P0001"));
}

PostgresRemedy postgres_error_remedy(const PGresult *result) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const ErrorRow *row = error_row(state);
  if (state == NULL) return POSTGRES_REMEDY_RECONNECT;
  return row == NULL ? POSTGRES_REMEDY_NONE : row->remedy;
}

static StoreConflictKind conflict_kind(const char *state) {
  if (strcmp(state, "23505") == 0) return STORE_CONFLICT_UNIQUE;
  if (strcmp(state, "23503") == 0 || strcmp(state, "23001") == 0) return STORE_CONFLICT_FOREIGN_KEY;
  return strcmp(state, "23502") == 0 ? STORE_CONFLICT_NOT_NULL : STORE_CONFLICT_CHECK;
}

static void field_copy(char *out, size_t out_size, const char *text) {
  if (text != NULL) snprintf(out, out_size, "%s", text);
}

void postgres_conflict_read(const PGresult *result, StoreConflict *ret, const char **ret_schema, const char **ret_constraint) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  *ret = (StoreConflict){.kind = conflict_kind(state == NULL ? "" : state)};
  field_copy(ret->table, sizeof ret->table, PQresultErrorField(result, PG_DIAG_TABLE_NAME));
  field_copy(ret->columns, sizeof ret->columns, PQresultErrorField(result, PG_DIAG_COLUMN_NAME));
  *ret_schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME);
  *ret_constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
}
