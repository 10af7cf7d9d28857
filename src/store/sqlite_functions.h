/* sqlite_functions.h - the functions that rules in SQL need and SQLite lacks (sql/dialect_sqlite.c writes their calls), and the collation
 * `decimal`. They do what evaluation in memory does, by the same code (contract/expr_value.h): NULL for NULL, and NULL where there is no
 * answer. */
#pragma once
#include <sqlite3.h>

#include "base/value.h"
#include "contract/expr.h"

/* On a fresh connection. SQLite's result code. */
int sqlite_functions_register(sqlite3 *db);

/* For sqlite_each.c. */
/* caisson_each(list, type): a table with one column `value`, the items of a JSON array. */
int sqlite_each_register(sqlite3 *db);
/* "int", "decimal" … as sql/dialect_sqlite.c writes them. */
ExprType sqlite_type_named(Str name);
/* A value as a function's result, in our storage forms. */
void sqlite_result_value(sqlite3_context *context, const Value *value);
