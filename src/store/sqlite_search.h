/* sqlite_search.h - the tables of @search, and the function that ranks what is found in them. */
#pragma once
#include "base/buf.h"
#include "contract/model.h"
#include "store/sqlite_connection.h"

/* caisson_rank(text): for FTS5, the best the smallest. On a fresh connection. */
Code sqlite_rank_register(sqlite3 *db, Error *err);

/* The index of a resource: `caisson_search_TABLE:text`, an FTS5 table without content of its own, `…:keys`, which knows the row of each of
 * its documents, and three triggers on the table. */
enum { SEARCH_TRIGGER_COUNT = 3 };
void search_write_tables(Buf *out, const Resource *resource);                /* CREATE …; and so on */
void search_write_trigger(Buf *out, const Resource *resource, size_t which); /* one of the three, without a semicolon */
void search_write_fill(Buf *out, const Resource *resource);
void search_write_drop(Buf *out, Str table); /* whatever of it there is */
/* What stands in sqlite_schema where the index is as it should be: the texts of its tables and triggers. */
enum { SEARCH_OBJECT_COUNT = 5 };
Code search_object(const Resource *resource, size_t which, Arena *arena, Str *ret_name, Str *ret_sql, Error *err);
