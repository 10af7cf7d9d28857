/* postgres_ddl.h - a contract's tables, constraints and indexes as PostgreSQL's statements. */
#pragma once
#include "base/buf.h"
#include "contract/model.h"
#include "store/ddl_index.h"

/* Of any name: PostgreSQL cuts what is longer (NAMEDATALEN - 1). */
enum { POSTGRES_NAME_BYTES_MAX = 63 };

/* The type of a field's column, without collation: "uuid", "text[]". */
Str postgres_ddl_type(const Field *field);
/* What stands behind CREATE TABLE and the name: columns, the primary key and the checks of enums; no foreign keys, which need the other
 * tables. */
void postgres_ddl_write_table_body(Buf *out, const Resource *resource);
/* What stands in it, and behind ADD COLUMN. */
void postgres_ddl_write_column(Buf *out, const Field *field);
/* A key that the database numbers, where a contract that was introspected says so. */
bool postgres_ddl_is_numbered(const Field *field);
bool postgres_ddl_has_enum_check(const Field *field);
Str postgres_ddl_check_name(const Field *field, Arena *arena);
/* CHECK (…), without its name. */
void postgres_ddl_write_enum_check(Buf *out, const Field *field);
/* ptr NULL when memory is out. */
Str postgres_ddl_foreign_key_name(const Relation *relation, Arena *arena);
/* ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY. */
void postgres_ddl_write_foreign_key(Buf *out, const Relation *relation, Arena *arena);
/* Names longer than PostgreSQL keeps are shortened, and made unique again by a hash of the whole. `number` 2 and above stands behind. ptr
 * NULL when memory is out. */
Str postgres_ddl_index_name(const DdlIndex *index, size_t number, Arena *arena);
/* layout_index_is_ours, of names that were shortened too; the table without its schema. */
bool postgres_ddl_index_is_ours(Str table, Str index);
/* The index of a @search: its name ends with a hash of what is indexed, so that another is seen to be another. ptr NULL: there is none (or
 * memory is out). */
Str postgres_ddl_search_name(const Resource *resource, Arena *arena);
/* What stands behind ON and the table. */
void postgres_ddl_write_search(Buf *out, const Resource *resource);
/* False where the field has no default that is a constant. Nothing is written then. */
bool postgres_ddl_write_default(Buf *out, const Field *field);
