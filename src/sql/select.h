/* select.h - a SELECT under construction: columns, joins, conditions and order are written in any order and put together at the end.
 * Identifiers are quoted here; values are parameters, always. Everything lives on the writer's arena; not thread-safe. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "contract/expr.h"
#include "contract/model.h"
#include "sql/dialect.h"

/* One statement being made. */
typedef struct SqlWriter {
  Arena *arena;
  const SqlDialect *dialect;
  uint32_t alias_count; /* t1, t2 … are unique in the statement */
} SqlWriter;

typedef struct SqlSelect SqlSelect;

/* A row source with an alias: a table, a joined table, or a row of parameters. What a field path starts from. */
typedef struct SqlScope {
  SqlSelect *select; /* whose FROM it stands in */
  const Resource *resource;
  uint32_t alias;    /* written as t<alias> */
  bool is_plain_row; /* columns are named by field (c0, c1 … by stored_index) and already in canonical form: a row of parameters */
} SqlScope;

/* What may be seen of rows that a client's expression reaches: NULL functions or NULL results mean everything. The rules are already
 * reduced (expr_reduce) and numbered. They are trusted themselves: within a guard nothing is guarded. */
typedef struct SqlGuard {
  const Expr *(*row_rule)(void *context, const Resource *resource);
  const Expr *(*field_rule)(void *context, const Field *field);
  void *context;
} SqlGuard;

SqlSelect *sql_select_create(
    SqlWriter *writer, SqlSelect *outer); /* outer: the select that this one is correlated with; NULL: none. NULL when memory is out */

/* All that make scopes return NULL when memory is out. */
/* FROM the resource's table: the root scope. */
SqlScope *sql_select_from(SqlSelect *select, const Resource *resource);
/* FROM a row of parameters first_param, first_param + 1 …, one for each stored field of `resource`, in order. The types are the fields'.
 * Several may be added (new and old). */
SqlScope *sql_select_from_row(SqlSelect *select, const Resource *resource, uint32_t first_param);
/* FROM any text that the caller has made, with a fresh alias; `resource` says how fields are read from it (NULL: columns by name only). */
SqlScope *sql_select_from_text(SqlSelect *select, Str text, const Resource *resource);
/* A scope of the outer select, seen from `select`: what is joined from it is joined in `select`, so that a subselect can stand where a join
 * can't (an ON). */
SqlScope *sql_select_from_outer(SqlSelect *select, const SqlScope *outer);
/* LEFT JOIN over a to-one relation; the same relation from the same scope under the same guard is joined once. With a guard the target's
 * read rule, and the rule of the relation's own field, are part of the ON. NULL with *err set: out of memory, or more joins than a
 * statement may have. */
SqlScope *sql_scope_join(SqlScope *scope, const Relation *relation, const SqlGuard *guard, Error *err);

Buf *sql_select_columns(SqlSelect *select);     /* the writer of the column list: separate with sql_select_next_column */
void sql_select_next_column(SqlSelect *select); /* a comma, but for the first */
Buf *sql_select_where(SqlSelect *select);       /* begins a further AND term: text up to the next call is one term, put in parentheses */
Buf *sql_select_group(SqlSelect *select);       /* begins a further GROUP BY term */
Buf *sql_select_having(SqlSelect *select);
Buf *sql_select_order(SqlSelect *select); /* begins a further ORDER BY term */
void sql_select_distinct(SqlSelect *select);
void sql_select_limit(SqlSelect *select, uint32_t limit_param); /* 0: none */
/* The rows of `scope`'s table are locked for writing, on stores where others may write beside us. */
void sql_select_lock(SqlSelect *select, const SqlScope *scope);
/* The statement's text. Without columns it selects 1. */
Code sql_select_finish(SqlSelect *select, Str *ret, Error *err);

/* ---- pieces of text; all append to `out` ---- */
void sql_write_identifier(Buf *out, Str name);
void sql_write_alias(Buf *out, const SqlScope *scope);
/* A parameter of the type; PostgreSQL wants a cast where the type can't be inferred. */
void sql_write_param(const SqlWriter *writer, Buf *out, uint32_t param, ValueType type);
/* The raw column, for reading into a result: t1."price". The driver decodes it. */
void sql_write_column(Buf *out, const SqlScope *scope, const Field *field);
/* The column's value in canonical form, whatever the column's own: as a parameter of the field's type. Without a collation; an enum is its
 * stored name. */
void sql_write_canonical(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field);
/* The column in the form that is compared and sorted: canonical whatever the column's storage form, by code point, decimals with their
 * collation; an enum whose stored names differ is its name. (Where a cursor compares with it, the cursor holds the name.) */
void sql_write_comparable(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field);
/* The same for = alone, so that more indexes serve: an enum is what is stored. */
void sql_write_equatable(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field);
/* A parameter that is compared with what sql_write_comparable or sql_write_equatable wrote. */
void sql_write_field_param(const SqlWriter *writer, Buf *out, uint32_t param, const Field *field);
/* A parameter that is stored in the field's column, or compared with the bare column. */
void sql_write_stored_param(const SqlWriter *writer, Buf *out, uint32_t param, const Field *field);
/* The column for a result: the driver decodes it. */
void sql_write_readable(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field);
/* The same behind RETURNING, where there is no alias. */
void sql_write_returned(const SqlWriter *writer, Buf *out, const Field *field);
/* A null of the type that sql_write_comparable would have. */
void sql_write_null(const SqlWriter *writer, Buf *out, const Field *field);
/* A field as a client may see it: CASE WHEN its rule THEN the column END where the guard has one; else as sql_write_column. */
Code sql_write_guarded_column(SqlWriter *writer, Buf *out, SqlScope *scope, const Field *field, const SqlGuard *guard, bool is_comparable,
                              Error *err);
/* The table of a resource, quoted (schema-qualified where the contract's table name has a dot). */
void sql_write_table(Buf *out, const Resource *resource);
/* Sort term: expression text, direction, nulls as the largest value. `is_nullable` false leaves the NULLS clause out, so that an index can
 * serve. */
void sql_write_order_term(const SqlWriter *writer, Buf *out, Str expression, bool is_descending, bool is_nullable);
