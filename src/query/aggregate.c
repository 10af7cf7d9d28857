#include "query/aggregate.h"

#include "query/search.h"
#include "sql/dialect_impl.h"

struct AggregateCall {
  StoreRead read; /* first: the store's callbacks find the call by it */
  const Operation *operation;
  const Aggregate *aggregate;
  PlanInput input;
  const Expr *read_rule, *filter, *scope;
  PlanSearch search;
  uint32_t having_param, limit_param;
  size_t groups_max; /* more are refused; SIZE_MAX: the caller's own limit cuts them off */
  ResultSink *sink;
  size_t row_count;
};

typedef VEC(StoreColumn) ColumnVec;

typedef struct Statement {
  AggregateCall *call;
  SqlWriter writer;
  SqlGuard guard;
  SqlSelect *select;
  SqlScope *scope;
  ColumnVec columns;
} Statement;

/* ---- outline ---- */

static Code outline_expr(AggregateCall *call, const Expr *expr, bool is_guarded, const Expr **ret, Error *err) {
  shape_byte(&call->input, expr != NULL);
  if (expr == NULL) return CODE_OK;
  if (is_guarded) TRY(plan_reach_expr(&call->input, expr, err));
  ExprEnv env = {.caller = call->operation->caller, .now_us = call->operation->now_us};
  const Expr *reduced = NULL;
  TRY(expr_reduce(expr, &env, call->input.arena, &reduced, err));
  TRY(plan_number(&call->input, reduced, err));
  *ret = expr_is_true(reduced) ? NULL : reduced;
  return CODE_OK;
}

static Code outline_group(AggregateCall *call, const ExprPath *path, Error *err) {
  shape_int(&call->input, (uint32_t)path->hop_count);
  for (size_t h = 0; h < path->hop_count; h++) shape_field(&call->input, path->hops[h]->field);
  shape_field(&call->input, path->field);
  shape_int(&call->input, (uint32_t)path->member_count);
  for (size_t m = 0; m < path->member_count; m++) shape_int(&call->input, path->members[m]->index);
  return plan_reach_path(&call->input, path, err);
}

/* A limit of the client's own cuts groups off. Without one all are given, and too many are refused rather than left out: one row more than
 * allowed tells. */
static Code outline_limit(AggregateCall *call, const EngineLimits *limits, Error *err) {
  int64_t asked = call->operation->list.limit, max = limits->groups_max;
  if (asked > max) return error_set(err, CODE_BAD_REQUEST, "limit must be at most %lld", (long long)max);
  call->groups_max = asked < 0 ? (size_t)max : SIZE_MAX;
  call->limit_param = plan_param(&call->input, value_int(asked < 0 ? max + 1 : asked), VALUE_INT);
  return call->limit_param == 0 ? error_no_memory(err) : CODE_OK;
}

static Code outline_order_and_having(AggregateCall *call, Error *err) {
  const Aggregate *aggregate = call->aggregate;
  PlanInput *input = &call->input;
  shape_int(input, (uint32_t)aggregate->order_count);
  for (size_t i = 0; i < aggregate->order_count; i++) {
    shape_byte(input, (aggregate->order[i].is_metric ? 2u : 0u) | (aggregate->order[i].is_descending ? 1u : 0u));
    shape_int(input, aggregate->order[i].index);
  }
  call->having_param = (uint32_t)input->params.count + 1;
  for (size_t i = 0; i < aggregate->having_count; i++) {
    shape_int(input, aggregate->having[i].metric);
    shape_byte(input, (unsigned)aggregate->having[i].op);
    Value value = aggregate->having[i].value;
    shape_byte(input, value.type == VALUE_NULL);
    if (value.type != VALUE_NULL && plan_param(input, value, value.type) == 0) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code outline(AggregateCall *call, const Engine *engine, Error *err) {
  const Aggregate *aggregate = call->aggregate;
  PlanInput *input = &call->input;
  shape_byte(input, 'A');
  shape_int(input, call->operation->resource->index);
  TRY(plan_rule(input, call->operation->resource->access[RULE_READ], &call->read_rule, err));
  TRY(outline_expr(call, call->operation->list.scope, false, &call->scope, err));
  TRY(outline_expr(call, call->operation->list.filter, true, &call->filter, err));
  TRY(plan_search(input, call->operation->resource, call->operation->list.search, &call->search, err));
  shape_int(input, (uint32_t)aggregate->by_count);
  for (size_t i = 0; i < aggregate->by_count; i++) TRY(outline_group(call, &aggregate->by[i], err));
  shape_int(input, (uint32_t)aggregate->metric_count);
  for (size_t i = 0; i < aggregate->metric_count; i++) {
    shape_byte(input, (unsigned)aggregate->metrics[i].kind);
    shape_field(input, aggregate->metrics[i].field);
    if (aggregate->metrics[i].field != NULL) TRY(plan_reach_field(input, aggregate->metrics[i].field, err));
  }
  TRY(outline_order_and_having(call, err));
  TRY(outline_limit(call, &engine->limits, err));
  return input->shape.failed == CODE_OK ? CODE_OK : error_set(err, input->shape.failed, "the request asks for too much at once");
}

/* ---- SQL ---- */

static Code column_begin(Statement *statement, ValueType type, Buf **ret, Error *err) {
  sql_select_next_column(statement->select);
  *ret = sql_select_columns(statement->select);
  StoreColumn column = {.type = type};
  return VEC_PUSH(statement->call->input.arena, &statement->columns, column) ? CODE_OK : error_no_memory(err);
}

static Code field_text(Statement *statement, const ExprPath *path, Str *ret, Error *err) {
  Buf text = buf_on(statement->call->input.arena, SIZE_MAX / 2);
  SqlScope *scope = statement->scope;
  for (size_t h = 0; h < path->hop_count; h++) {
    scope = sql_scope_join(scope, path->hops[h], &statement->guard, err);
    if (scope == NULL) return err->code;
  }
  if (path->member_count == 0) {
    TRY(sql_write_guarded_column(&statement->writer, &text, scope, path->field, &statement->guard, true, err));
  } else {
    const Expr *member = expr_path(statement->call->input.arena, path);
    TRY_ALLOC(member);
    ExprSqlRoots roots = {.row = statement->scope};
    TRY(expr_sql_write_value(&statement->writer, &text, member, &roots, &statement->guard, err));
  }
  return buf_finish(&text, ret, err);
}

/* The field that says of what type a group's key is. */
static const Field *group_field(const ExprPath *path) {
  return path->member_count > 0 ? path->members[path->member_count - 1] : path->field;
}

static ValueType metric_type(const Metric *metric) {
  switch (metric->kind) {
    case METRIC_COUNT: return VALUE_INT;
    case METRIC_AVG: return VALUE_FLOAT;
    case METRIC_SUM: return metric->field->type == TYPE_FLOAT ? VALUE_FLOAT : VALUE_DECIMAL;
    case METRIC_MIN:
    case METRIC_MAX: break;
  }
  return field_value_type(metric->field);
}

static Code metric_text(Statement *statement, const Metric *metric, Str *ret, Error *err) {
  if (metric->kind == METRIC_COUNT) {
    *ret = STR("count(*)");
    return CODE_OK;
  }
  Str operand = {0};
  ExprPath path = {.resource = statement->call->operation->resource, .field = metric->field};
  TRY(field_text(statement, &path, &operand, err));
  Buf text = buf_on(statement->call->input.arena, SIZE_MAX / 2);
  bool is_float = metric->field->type == TYPE_FLOAT;
  const SqlDialect *dialect = statement->writer.dialect;
  if (metric->kind == METRIC_SUM) sql_write_template(&text, dialect, is_float ? SQL_SUM_FLOAT : SQL_SUM_EXACT, &operand, 1);
  if (metric->kind == METRIC_AVG) sql_write_template(&text, dialect, is_float ? SQL_AVERAGE_FLOAT : SQL_AVERAGE_EXACT, &operand, 1);
  if (metric->kind == METRIC_MIN || metric->kind == METRIC_MAX) {
    buf_add(&text, metric->kind == METRIC_MIN ? STR("min(") : STR("max("));
    /* There is an order of texts everywhere, of other forms perhaps not. */
    if (sql_has_own_form(dialect, metric->field))
      dialect->write_canonical(&text, operand, metric->field, true);
    else
      buf_add(&text, operand);
    buf_add_byte(&text, ')');
  }
  return buf_finish(&text, ret, err);
}

static Code write_groups(Statement *statement, Str *texts, Error *err) {
  const Aggregate *aggregate = statement->call->aggregate;
  for (size_t i = 0; i < aggregate->by_count; i++) {
    Buf *out = NULL;
    TRY(field_text(statement, &aggregate->by[i], &texts[i], err));
    TRY(column_begin(statement, field_value_type(group_field(&aggregate->by[i])), &out, err));
    buf_add(out, texts[i]);
    buf_add(sql_select_group(statement->select), texts[i]);
  }
  return CODE_OK;
}

static Code write_metrics(Statement *statement, Str *texts, Error *err) {
  const Aggregate *aggregate = statement->call->aggregate;
  for (size_t i = 0; i < aggregate->metric_count; i++) {
    Buf *out = NULL;
    TRY(metric_text(statement, &aggregate->metrics[i], &texts[i], err));
    TRY(column_begin(statement, metric_type(&aggregate->metrics[i]), &out, err));
    buf_add(out, texts[i]);
  }
  return CODE_OK;
}

/* A metric as it is compared and sorted: a function's result has no collation of its own. */
static Str comparable_metric(Statement *statement, const Str *metrics, size_t index) {
  Buf text = buf_on(statement->call->input.arena, SIZE_MAX / 2);
  buf_add(&text, metrics[index]);
  buf_add(&text, statement->writer.dialect->collations[metric_type(&statement->call->aggregate->metrics[index])]);
  return text.failed == CODE_OK ? buf_str(&text) : (Str){0};
}

/* By the group's key unless the client wants another order; the key ends it, so that it is total. */
static Code write_order(Statement *statement, const Str *groups, const Str *metrics, Error *err) {
  const Aggregate *aggregate = statement->call->aggregate;
  for (size_t i = 0; i < aggregate->order_count; i++) {
    size_t index = aggregate->order[i].index;
    Str text = aggregate->order[i].is_metric ? comparable_metric(statement, metrics, index) : groups[index];
    if (text.ptr == NULL) return error_no_memory(err);
    sql_write_order_term(&statement->writer, sql_select_order(statement->select), text, aggregate->order[i].is_descending, true);
  }
  for (size_t i = 0; i < aggregate->by_count; i++) {
    sql_write_order_term(&statement->writer, sql_select_order(statement->select), groups[i], false, true);
  }
  return CODE_OK;
}

static void write_having(Statement *statement, const Str *metrics) {
  static const Str operators[] = {[EXPR_EQ] = STR_INIT(" = "),  [EXPR_NE] = STR_INIT(" <> "), [EXPR_LT] = STR_INIT(" < "),
                                  [EXPR_LE] = STR_INIT(" <= "), [EXPR_GT] = STR_INIT(" > "),  [EXPR_GE] = STR_INIT(" >= ")};
  const Aggregate *aggregate = statement->call->aggregate;
  uint32_t param = statement->call->having_param;
  for (size_t i = 0; i < aggregate->having_count; i++) {
    const AggregateCondition *condition = &aggregate->having[i];
    Buf *out = sql_select_having(statement->select);
    buf_add(out, metrics[condition->metric]);
    if (condition->value.type == VALUE_NULL) {
      buf_add(out, condition->op == EXPR_NE ? STR(" IS NOT NULL") : STR(" IS NULL"));
      continue;
    }
    buf_add(out, statement->writer.dialect->collations[metric_type(&aggregate->metrics[condition->metric])]);
    buf_add(out, operators[condition->op]);
    sql_write_param(&statement->writer, out, param++, condition->value.type);
    /* As everywhere, != is the negation of ==, so that it holds for null. */
    if (condition->op != EXPR_NE) continue;
    buf_add(out, STR(" OR "));
    buf_add(out, metrics[condition->metric]);
    buf_add(out, STR(" IS NULL"));
  }
}

static Code write_conditions(Statement *statement, Error *err) {
  ExprSqlRoots roots = {.row = statement->scope};
  const AggregateCall *call = statement->call;
  Str rank;
  TRY(search_write(&statement->writer, statement->select, statement->scope, &call->search, &rank, err));
  if (call->scope != NULL)
    TRY(expr_sql_write_condition(&statement->writer, sql_select_where(statement->select), call->scope, &roots, NULL, err));
  if (call->read_rule != NULL)
    TRY(expr_sql_write_condition(&statement->writer, sql_select_where(statement->select), call->read_rule, &roots, NULL, err));
  if (call->filter == NULL) return CODE_OK;
  return expr_sql_write_condition(&statement->writer, sql_select_where(statement->select), call->filter, &roots, &statement->guard, err);
}

static Code compile(AggregateCall *call, const SqlDialect *dialect, Arena *arena, StorePlan **ret, Error *err) {
  Statement statement = {.call = call, .writer = {.arena = call->input.arena, .dialect = dialect}, .guard = plan_guard(&call->input)};
  statement.select = sql_select_create(&statement.writer, NULL);
  TRY_ALLOC(statement.select);
  statement.scope = sql_select_from(statement.select, call->operation->resource);
  Str *groups = ARENA_ARRAY(call->input.arena, Str, call->aggregate->by_count);
  Str *metrics = ARENA_ARRAY(call->input.arena, Str, call->aggregate->metric_count);
  TRY_ALLOC(statement.scope);
  TRY_ALLOC(groups);
  TRY_ALLOC(metrics);
  TRY(write_groups(&statement, groups, err));
  TRY(write_metrics(&statement, metrics, err));
  TRY(write_conditions(&statement, err));
  write_having(&statement, metrics);
  TRY(write_order(&statement, groups, metrics, err));
  sql_select_limit(statement.select, call->limit_param);
  Str sql = {0};
  TRY(sql_select_finish(statement.select, &sql, err));
  StoreColumn *columns = ARENA_ARRAY(arena, StoreColumn, statement.columns.count);
  StorePlan *plan = ARENA_NEW(arena, StorePlan);
  const StoreStatement **statements = ARENA_ARRAY(arena, const StoreStatement *, 1);
  uint32_t *levels = ARENA_ARRAY(arena, uint32_t, 1);
  TRY_ALLOC(columns);
  TRY_ALLOC(plan);
  TRY_ALLOC(statements);
  TRY_ALLOC(levels);
  memcpy(columns, statement.columns.items, statement.columns.count * sizeof *columns);
  statements[0] = plan_statement(&call->input, arena, sql, columns, statement.columns.count, false, err);
  if (statements[0] == NULL) return err->code;
  plan->statements = statements;
  plan->levels = levels;
  plan->count = 1;
  *ret = plan;
  return CODE_OK;
}

/* ---- rows ---- */

static bool on_bind(StoreRead *read, size_t statement, const Value **ret_params) {
  (void)statement;
  *ret_params = ((AggregateCall *)read)->input.params.items;
  return true;
}

static Code on_row(StoreRead *read, size_t statement, const Value *columns, Error *err) {
  (void)statement;
  AggregateCall *call = (AggregateCall *)read;
  if (++call->row_count > call->groups_max) {
    return error_set(err, CODE_TOO_LARGE, "there are more than %zu groups: choose fewer by a filter or a limit", call->groups_max);
  }
  return call->sink == NULL ? CODE_OK : call->sink->row(call->sink, NULL, columns, err);
}

static void on_restart(StoreRead *read) {
  AggregateCall *call = (AggregateCall *)read;
  call->row_count = 0;
  if (call->sink != NULL && call->sink->restart != NULL) call->sink->restart(call->sink);
}

Code aggregate_plan(Engine *engine, Call *call, Arena *arena, Error *err) {
  AggregateCall *aggregate = ARENA_NEW(arena, AggregateCall);
  TRY_ALLOC(aggregate);
  aggregate->operation = &call->operation;
  aggregate->aggregate = call->operation.aggregate;
  if (aggregate->aggregate->by_count + aggregate->aggregate->metric_count == 0)
    return error_set(err, CODE_BAD_REQUEST, "an aggregate needs a key or a metric");
  aggregate->input = plan_input_on(arena, engine->dialect, call->operation.caller, call->operation.now_us);
  aggregate->sink = call->sink;
  TRY(outline(aggregate, engine, err));
  Str shape = buf_str(&aggregate->input.shape);
  StorePlan *plan = plan_cache_get(engine->reads, shape, arena);
  if (plan == NULL) {
    Arena *kept = arena_create(0);
    TRY_ALLOC(kept);
    Code code = compile(aggregate, engine->dialect, kept, &plan, err);
    if (code != CODE_OK) arena_destroy(kept);
    TRY(code);
    plan = plan_cache_put(engine->reads, shape, kept, plan, arena);
    TRY_ALLOC(plan);
  }
  aggregate->read = (StoreRead){.plan = plan, .arena = arena, .bind = on_bind, .row = on_row, .restart = on_restart};
  call->plan->aggregate = aggregate;
  return CODE_OK;
}

StoreRead *aggregate_read(AggregateCall *aggregate) { return &aggregate->read; }

void aggregate_finish(const AggregateCall *aggregate, Result *ret) { ret->row_count = aggregate->row_count; }
