/* postgres_search.h - full-text search in PostgreSQL's SQL: what is indexed of a row, and what is asked of it. Text only. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "contract/model.h"
#include "sql/dialect_impl.h"

/* The words of all the resource's @search fields as one tsvector. `row`: the table's alias with a dot, or len 0. An index on the expression
 * serves what postgres_search_write asks. */
void postgres_search_write_vector(Buf *out, const Resource *resource, Str row);
/* An index can be made on it: it depends on nothing but the row. */
bool postgres_search_has_index(const Resource *resource);
/* SqlDialect.write_search and write_search_pattern. */
void postgres_search_write(Buf *out, const Resource *resource, Str row, Str param);
void postgres_search_write_pattern(Buf *out, const SqlSearchTerm *terms, size_t term_count, const uint32_t *columns, size_t column_count);
