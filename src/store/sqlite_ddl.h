/* sqlite_ddl.h - a contract's tables and indexes as SQLite's CREATE statements. */
#pragma once
#include "base/buf.h"
#include "contract/model.h"
#include "store/ddl_index.h"

/* The declared type of a field's column. Each of our types has a name of its own, so that introspection finds it again; what the name
 * contains (INT, TEXT, BLOB, REAL) decides the column's affinity. */
Str ddl_column_type(const Field *field);

/* What stands behind CREATE TABLE and the name. */
void ddl_write_table_body(Buf *out, const Resource *resource);
/* What stands behind ADD COLUMN. */
void ddl_write_added_column(Buf *out, const Field *field);
/* False where the field has no default that is a constant. Nothing is written then. */
bool ddl_write_default(Buf *out, const Field *field);
