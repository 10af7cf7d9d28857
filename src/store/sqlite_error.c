/* sqlite_error.c - one table from SQLite's result codes to ours, and the reading of "UNIQUE constraint failed: t.a, t.b". */
#include "store/sqlite_error.h"

#include <string.h>

typedef struct ErrorRow {
  int result; /* a primary code, or an extended one, which then stands before its primary */
  Code code;
  const char *text;
} ErrorRow;

static const ErrorRow error_rows[] = {
    {SQLITE_BUSY, CODE_UNAVAILABLE, "the database is locked by another program"},
    {SQLITE_LOCKED, CODE_UNAVAILABLE, "the database is locked by another program"},
    {SQLITE_FULL, CODE_UNAVAILABLE, "the disk is full"},
    {SQLITE_IOERR_NOMEM, CODE_UNAVAILABLE, "out of memory"},
    {SQLITE_NOMEM, CODE_UNAVAILABLE, "out of memory"},
    {SQLITE_IOERR, CODE_UNAVAILABLE, "the database's file can't be read or written"},
    {SQLITE_READONLY_DBMOVED, CODE_UNAVAILABLE, "the database's file was deleted or replaced"},
    {SQLITE_READONLY, CODE_UNAVAILABLE, "the database is read-only"},
    {SQLITE_PERM, CODE_UNAVAILABLE, "the database's file may not be opened"},
    {SQLITE_AUTH, CODE_UNAVAILABLE, "the database's file may not be opened"},
    {SQLITE_CANTOPEN, CODE_UNAVAILABLE, "the database's file can't be opened"},
    {SQLITE_NOTADB, CODE_UNAVAILABLE, "the file is not a SQLite database"},
    {SQLITE_CORRUPT, CODE_UNAVAILABLE, "the database's file is damaged"},
    {SQLITE_PROTOCOL, CODE_UNAVAILABLE, "the database is locked by another program"},
    {SQLITE_TOOBIG, CODE_TOO_LARGE, "a value is larger than the store takes"},
    {SQLITE_CONSTRAINT, CODE_CONFLICT, "a constraint of the database refuses the change"},
};

static const ErrorRow *error_row(int result) {
  for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++) {
    if (error_rows[i].result == result || error_rows[i].result == (result & 0xff)) return &error_rows[i];
  }
  return NULL;
}

static void connection_report(SqliteConnection *connection, int result) {
  const SqliteTarget *target = connection->target;
  if (target->report == NULL) return;
  const char *text = connection->db != NULL ? sqlite3_errmsg(connection->db) : sqlite3_errstr(result);
  target->report(target->report_context, str_of(text));
}

Code sqlite_error_set(SqliteConnection *connection, int result, Error *err) {
  if ((result & 0xff) == SQLITE_INTERRUPT) { return error_set(err, CODE_TIMEOUT, "the statement took longer than it may"); }
  const ErrorRow *row = error_row(result);
  if (row == NULL || row->code == CODE_UNAVAILABLE) connection_report(connection, result);
  if (row == NULL) return error_set(err, CODE_INTERNAL, "the store refused a statement (SQLite's error %d)", result);
  return error_set(err, row->code, "%s", row->text);
}

static void text_copy(char *out, size_t out_size, Str text) {
  size_t len = text.len < out_size ? text.len : out_size - 1;
  memcpy(out, text.ptr, len);
  out[len] = '\0';
}

/* "products.sku, products.name" → table "products", columns "sku,name". An index over expressions is named "index 'name'": no columns then.
 * SQLite quotes nothing here, so that a name with a dot or comma in it is cut in the wrong place; such columns are then not recognised by
 * the caller. */
static void conflict_read_columns(Str names, StoreConflict *ret) {
  if (str_starts_with(names, STR("index "))) return;
  size_t written = 0;
  Str name;
  while (str_split_next(&names, ',', &name)) {
    name = str_trim(name);
    size_t dot = str_find_byte(name, '.', 0);
    if (dot == name.len) return;
    if (ret->table[0] == '\0') text_copy(ret->table, sizeof ret->table, str_slice(name, 0, dot));
    Str column = str_slice(name, dot + 1, name.len);
    if (written + column.len + 2 > sizeof ret->columns) return;
    if (written > 0) ret->columns[written++] = ',';
    memcpy(ret->columns + written, column.ptr, column.len);
    written += column.len;
    ret->columns[written] = '\0';
  }
}

static StoreConflictKind conflict_kind(int result) {
  switch (result) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return STORE_CONFLICT_UNIQUE;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return STORE_CONFLICT_FOREIGN_KEY;
    /* A trigger's RAISE is how older schemas keep their foreign keys and checks; which of them is not said. */
    case SQLITE_CONSTRAINT_TRIGGER: return STORE_CONFLICT_CHECK;
    case SQLITE_CONSTRAINT_NOTNULL: return STORE_CONFLICT_NOT_NULL;
    default: return STORE_CONFLICT_CHECK;
  }
}

void sqlite_conflict_read(SqliteConnection *connection, int result, StoreConflict *ret) {
  *ret = (StoreConflict){.kind = conflict_kind(result)};
  Str message = str_of(sqlite3_errmsg(connection->db));
  const Str mark = STR(" constraint failed: ");
  for (size_t i = 0; i + mark.len <= message.len; i++) {
    if (!str_starts_with(str_slice(message, i, message.len), mark)) continue;
    Str names = str_slice(message, i + mark.len, message.len);
    if (ret->kind == STORE_CONFLICT_UNIQUE || ret->kind == STORE_CONFLICT_NOT_NULL) conflict_read_columns(names, ret);
    return;
  }
}
