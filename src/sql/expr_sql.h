/* expr_sql.h - a rule's residue as SQL: the same answers as expr_eval, on every dialect. */
#pragma once
#include "sql/select.h"

/* Where the roots of paths are. scopes[EXPR_ROOT_ROW], scopes[EXPR_ROOT_OLD]; bound rows are added inside. */
typedef struct ExprSqlRoots {
  SqlScope *row;
  SqlScope *old; /* NULL: no old. in this expression */
} ExprSqlRoots;

/* Numbers every literal that must travel as a parameter, in walking order from *next_param on: sets Expr.param and calls add(context,
 * value) for each. `null`, true and false are written as themselves and get no number. Regular expressions' patterns are parameters too.
 * They are added in the dialect's words, made in `arena`. The tree is the reduced one, made for this request, so that setting its numbers
 * is safe. */
typedef Code ExprParamFn(void *context, uint32_t param, Value value);
Code expr_sql_number(const Expr *expr, const SqlDialect *dialect, Arena *arena, uint32_t *next_param, ExprParamFn *add, void *context);
/* Appends what decides the SQL's text (kinds, paths, types, which literals are null) to `shape`, and nothing that doesn't: two reduced
 * expressions of equal shape have the same text and the same parameters' types. */
void expr_sql_shape(Buf *shape, const Expr *expr);

/* As a condition: true where expr_eval_bool is true; false or NULL elsewhere. For WHERE, ON and CASE WHEN. */
Code expr_sql_write_condition(SqlWriter *writer, Buf *out, const Expr *expr, const ExprSqlRoots *roots, const SqlGuard *guard, Error *err);
/* As a value: NULL exactly where expr_eval gives null; a Boolean is 0/1 (SQLite) or false/true, never NULL unless the expression is null.
 * With the collation that comparing and sorting it needs. An enum's column gives its stored names. */
Code expr_sql_write_value(SqlWriter *writer, Buf *out, const Expr *expr, const ExprSqlRoots *roots, const SqlGuard *guard, Error *err);
