/* plan_input.h - what a statement is made from, told apart: its shape (all that decides the text) and its parameters (all that doesn't).
 * Two inputs of equal shape share one compiled plan. Access rules enter here: reduced for the caller, their literals numbered as
 * parameters. Internal to query/. */
#pragma once
#include "base/buf.h"
#include "base/vec.h"
#include "query/rules.h"
#include "sql/expr_sql.h"
#include "store/store.h"

enum { PLAN_PARAMS_MAX = 4000 };

typedef struct PlanInput {
  Arena *arena;
  const SqlDialect *dialect;
  Rules rules;
  VEC(Value) params; /* param n is items[n - 1] */
  VEC(ValueType) param_types;
  Buf shape;
} PlanInput;

PlanInput plan_input_on(Arena *arena, const SqlDialect *dialect, const Caller *caller, int64_t now_us);

void shape_byte(PlanInput *input, unsigned n);
void shape_int(PlanInput *input, uint32_t n);
void shape_field(PlanInput *input, const Field *field);

/* The next parameter; 0 when there is no room for it. */
uint32_t plan_param(PlanInput *input, Value value, ValueType type);
/* A value of an Operation's key or preset, which gives enums by name, as it is stored. */
Value plan_stored_value(const Field *field, Value value);
/* One for each field, in order, of an Operation's values; `values` NULL: nulls for now. *ret_first is the first. */
Code plan_params(PlanInput *input, const Field *const *fields, size_t count, const Value *values, uint32_t *ret_first, Error *err);
/* Numbers a reduced expression's literals and adds it to the shape. */
Code plan_number(PlanInput *input, const Expr *reduced, Error *err);

/* A rule that the statement will hold: reduced, and numbered once. *ret (may be NULL) is NULL where it is true for every row. */
Code plan_rule(PlanInput *input, const Expr *source, const Expr **ret, Error *err);
/* Every rule that guards what a client may reach by this way. Before the statement is written. */
Code plan_reach_resource(PlanInput *input, const Resource *resource, Error *err);
Code plan_reach_field(PlanInput *input, const Field *field, Error *err);
Code plan_reach_path(PlanInput *input, const ExprPath *path, Error *err);
Code plan_reach_expr(PlanInput *input, const Expr *expr, Error *err);

/* What a client's expressions and columns may see, by the rules that were reached; what was not reached is hidden. */
SqlGuard plan_guard(const PlanInput *input);

/* A statement for the input's parameters, made in `arena`. */
StoreStatement *plan_statement(const PlanInput *input, Arena *arena, Str sql, const StoreColumn *columns, size_t column_count,
                               bool is_write, Error *err);
