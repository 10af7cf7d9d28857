/* sqlite_value.h - values as SQLite holds them.
 *
 *   Boolean       INTEGER 0 or 1
 *   Int, BigInt   INTEGER
 *   Float         REAL
 *   Decimal       TEXT, canonical, under the collation "decimal"
 *   DateTime      TEXT of 27 bytes, "2026-11-23T12:00:00.000000Z", so that byte order is the order of time
 *   Date          TEXT, "2026-11-23"
 *   Bytes         BLOB
 *   JSON, lists   TEXT, compact JSON
 *   duration      INTEGER, microseconds (parameters only)
 *   the rest      TEXT
 */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/value.h"
#include "store/sqlite_connection.h"
#include "store/store.h"

/* Where a converted value's text stands until the row is done. */
enum { SQLITE_SCRATCH_BYTES = 80 };
typedef struct SqliteScratch {
  char bytes[SQLITE_SCRATCH_BYTES];
} SqliteScratch;

/* Binds parameters 1 … count. Texts and bytes are borrowed until the statement is released. SQLite's result code. */
int sqlite_params_bind(sqlite3_stmt *stmt, const Value *params, size_t count);

/* The current row into statement->values; texts are borrowed until the next step. A value that doesn't fit its column's type is
 * CODE_INTERNAL, and `err` names the column and the row's key. */
Code sqlite_row_read(SqliteStatement *statement, const StoreStatement *shape, bool has_foreign_data, Error *err);

/* A copy of the row's text for longer than the row. ptr NULL for NULL; also where memory is out, which *lacks_memory then says. */
Str sqlite_column_keep(sqlite3_stmt *row, int column, Arena *arena, bool *lacks_memory);

/* sqlite_foreign.c: a value in another storage form than ours. CODE_INTERNAL where it doesn't fit, CODE_UNAVAILABLE where memory is out.
 * `scratch` outlives *ret. */
Code sqlite_foreign_read(sqlite3_stmt *stmt, int column, const StoreColumn *shape, SqliteScratch *scratch, Value *ret);
/* The same of a function's argument. `field` may be NULL. */
Code sqlite_foreign_value(sqlite3_value *value, ValueType type, const Field *field, SqliteScratch *scratch, Value *ret);
