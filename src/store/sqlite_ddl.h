/* sqlite_ddl.h - a contract's tables and indexes as SQLite's CREATE statements. */
#pragma once
#include "base/buf.h"
#include "contract/model.h"

/* An index that a resource's table must have. */
typedef struct DdlIndex {
  const Resource *resource;
  const IndexField *fields;
  size_t count;
  bool is_unique;
} DdlIndex;

/* The declared type of a field's column. Each of our types has a name of its own, so that introspection finds it again; what the name
 * contains (INT, TEXT, BLOB, REAL) decides the column's affinity. */
Str ddl_column_type(const Field *field);

void ddl_write_table(Buf *out, const Resource *resource);
/* ALTER TABLE … ADD COLUMN. */
void ddl_write_add_column(Buf *out, const Field *field);
/* `number` 2 and above goes behind the name, where the plain one is taken. */
void ddl_write_index(Buf *out, const DdlIndex *index, size_t number);
void ddl_write_index_name(Buf *out, const DdlIndex *index, size_t number);
/* False where the field has no default that is a constant. Nothing is written then. */
bool ddl_write_default(Buf *out, const Field *field);

/* All indexes of the resource: the uniques, the contract's indexes, and one for each relation whose keys no other begins with. NULL when
 * memory is out. */
const DdlIndex *ddl_indexes(const Resource *resource, Arena *arena, size_t *ret_count);
