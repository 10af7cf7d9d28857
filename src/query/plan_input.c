#include "query/plan_input.h"

#include <assert.h>

#include "store/store.h"

enum { SHAPE_BYTES_MAX = 64 * 1024 };

PlanInput plan_input_on(Arena *arena, const SqlDialect *dialect, const Caller *caller, int64_t now_us) {
  return (PlanInput){.arena = arena, .dialect = dialect, .rules = rules_on(arena, caller, now_us), .shape = buf_on(arena, SHAPE_BYTES_MAX)};
}

void shape_byte(PlanInput *input, unsigned n) { buf_add_byte(&input->shape, (char)n); }

void shape_int(PlanInput *input, uint32_t n) { buf_add(&input->shape, (Str){(const char *)&n, sizeof n}); }

void shape_field(PlanInput *input, const Field *field) {
  shape_int(input, field == NULL ? UINT32_MAX : field->resource == NULL ? UINT32_MAX - 1 : field->resource->index);
  shape_int(input, field == NULL ? 0 : field->index);
}

/* ---- parameters ---- */

uint32_t plan_param(PlanInput *input, Value value, ValueType type) {
  if (input->params.count >= PLAN_PARAMS_MAX || !VEC_PUSH(input->arena, &input->params, value)) return 0;
  return VEC_PUSH(input->arena, &input->param_types, type) ? (uint32_t)input->params.count : 0;
}

Value plan_stored_value(const Field *field, Value value) {
  if (field->type != TYPE_ENUM || field->is_list || value.type != VALUE_TEXT) return value;
  for (size_t i = 0; i < field->enum_type->value_count; i++) {
    if (str_equal(field->enum_type->values[i].name, value.text)) return value_text(field->enum_type->values[i].stored);
  }
  return value;
}

Code plan_params(PlanInput *input, const Field *const *fields, size_t count, const Value *values, uint32_t *ret_first, Error *err) {
  *ret_first = (uint32_t)input->params.count + 1;
  for (size_t i = 0; i < count; i++) {
    if (plan_param(input, values == NULL ? value_null() : plan_stored_value(fields[i], values[i]), field_value_type(fields[i])) == 0)
      return error_no_memory(err);
  }
  return CODE_OK;
}

static Code param_of_literal(void *context, uint32_t param, Value value) {
  PlanInput *input = context;
  if (input->params.count >= PLAN_PARAMS_MAX) return CODE_TOO_LARGE;
  uint32_t made = plan_param(input, value, value.type);
  assert(made == 0 || made == param);
  return made == 0 ? CODE_UNAVAILABLE : CODE_OK;
}

Code plan_number(PlanInput *input, const Expr *reduced, Error *err) {
  uint32_t next = (uint32_t)input->params.count + 1;
  Code code = expr_sql_number(reduced, input->dialect, input->arena, &next, param_of_literal, input);
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  if (code != CODE_OK) return error_set(err, code, "the request compares with more than %d values", PLAN_PARAMS_MAX);
  expr_sql_shape(&input->shape, reduced);
  return CODE_OK;
}

/* ---- rules ---- */

Code plan_rule(PlanInput *input, const Expr *source, const Expr **ret, Error *err) {
  ReducedRule *rule = NULL;
  TRY(rules_get(&input->rules, source, &rule, err));
  if (!rule->is_numbered) {
    rule->is_numbered = true;
    if (expr_is_true(rule->reduced))
      shape_byte(input, 'T');
    else
      TRY(plan_number(input, rule->reduced, err));
  }
  if (ret != NULL) *ret = expr_is_true(rule->reduced) ? NULL : rule->reduced;
  return CODE_OK;
}

Code plan_reach_resource(PlanInput *input, const Resource *resource, Error *err) {
  return plan_rule(input, resource->access[RULE_READ], NULL, err);
}

Code plan_reach_field(PlanInput *input, const Field *field, Error *err) {
  const Expr *rule = field_rule(field, RULE_READ);
  return rule == NULL ? CODE_OK : plan_rule(input, rule, NULL, err);
}

Code plan_reach_path(PlanInput *input, const ExprPath *path, Error *err) {
  for (size_t i = 0; i < path->hop_count; i++) {
    TRY(plan_reach_field(input, path->hops[i]->field, err));
    TRY(plan_reach_resource(input, path->hops[i]->target, err));
  }
  if (path->field == NULL) return CODE_OK;
  TRY(plan_reach_field(input, path->field, err));
  if (path->field->kind == FIELD_TO_ONE) return plan_reach_resource(input, path->field->relation->target, err);
  if (path->field->kind == FIELD_TO_MANY) return plan_reach_resource(input, path->field->relation->source, err);
  return CODE_OK;
}

Code plan_reach_expr(PlanInput *input, const Expr *expr, Error *err) {
  if (expr->path.resource != NULL) TRY(plan_reach_path(input, &expr->path, err));
  for (size_t i = 0; i < expr->arg_count; i++) TRY(plan_reach_expr(input, expr->args[i], err));
  return CODE_OK;
}

static const Expr *guard_rule(const PlanInput *input, const Expr *source) {
  if (source == NULL) return expr_bool(false);
  if (expr_is_true(source)) return NULL;
  const ReducedRule *rule = rules_find(&input->rules, source);
  /* A rule that was not reached has no parameters: refuse rather than show. */
  if (rule == NULL || !rule->is_numbered) return expr_bool(false);
  return expr_is_true(rule->reduced) ? NULL : rule->reduced;
}

static const Expr *guard_row(void *context, const Resource *resource) { return guard_rule(context, resource->access[RULE_READ]); }

static const Expr *guard_field(void *context, const Field *field) {
  const Expr *rule = field_rule(field, RULE_READ);
  return rule == NULL ? NULL : guard_rule(context, rule);
}

SqlGuard plan_guard(const PlanInput *input) {
  return (SqlGuard){.row_rule = guard_row, .field_rule = guard_field, .context = (void *)input};
}

/* ---- statements ---- */

StoreStatement *plan_statement(const PlanInput *input, Arena *arena, Str sql, const StoreColumn *columns, size_t column_count,
                               bool is_write, Error *err) {
  StoreStatement *statement = ARENA_NEW(arena, StoreStatement);
  ValueType *types = ARENA_ARRAY(arena, ValueType, input->params.count);
  Str text = arena_str(arena, sql);
  if (statement == NULL || types == NULL || text.ptr == NULL) {
    error_no_memory(err);
    return NULL;
  }
  if (input->params.count > 0) memcpy(types, input->param_types.items, input->params.count * sizeof *types);
  *statement = (StoreStatement){.id = store_statement_id(),
                                .sql = text,
                                .columns = columns,
                                .column_count = column_count,
                                .param_types = types,
                                .param_count = input->params.count,
                                .is_write = is_write};
  return statement;
}
