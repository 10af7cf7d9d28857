/* write_sql.c - the statements of writes: made once for each shape, run inside the transaction. */
#include "query/explain_impl.h"

/* ---- made once ---- */

typedef Code StatementFn(const PlanInput *input, const SqlWriter *writer, Arena *arena, const void *what, StoreStatement **ret, Error *err);

/* It stays as long as `user` does. */
static Code statement_find_for(Write *write, Arena *user, const PlanInput *input, StatementFn *make, const void *what, StoreStatement **ret,
                               Error *err) {
  PlanCache *cache = write->engine->statements;
  Str shape = buf_str(&input->shape);
  if (input->shape.failed != CODE_OK) return error_set(err, input->shape.failed, "the request asks for too much at once");
  *ret = plan_cache_get(cache, shape, user);
  if (*ret != NULL) return CODE_OK;
  Arena *arena = arena_create(0);
  TRY_ALLOC(arena);
  SqlWriter writer = {.arena = write->arena, .dialect = write->engine->dialect};
  StoreStatement *made = NULL;
  Code code = make(input, &writer, arena, what, &made, err);
  if (code != CODE_OK) {
    arena_destroy(arena);
    return code;
  }
  *ret = plan_cache_put(cache, shape, arena, made, user);
  return *ret == NULL ? error_no_memory(err) : CODE_OK;
}

static Code statement_find(Write *write, const PlanInput *input, StatementFn *make, const void *what, StoreStatement **ret, Error *err) {
  return statement_find_for(write, write->arena, input, make, what, ret, err);
}

static PlanInput input_of(Write *write, char kind, const Resource *resource) {
  const Operation *operation = &write->call->operation;
  PlanInput input = plan_input_on(write->arena, write->engine->dialect, operation->caller, operation->now_us);
  shape_byte(&input, (unsigned)kind);
  shape_int(&input, resource->index);
  return input;
}

static Code run_statement(Write *write, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                          int64_t *ret_changes, StoreConflict *ret_conflict, Error *err) {
  if (write->group->trace != NULL) TRY(explain_statement(write, statement, params, err));
  return store_txn_run(write->txn, statement, params, row, context, ret_changes, ret_conflict, err);
}

/* ---- values on their way ---- */

static Code value_keep(Arena *arena, const Value *column, Value *ret, Error *err) {
  *ret = *column;
  bool is_text = column->type == VALUE_TEXT || column->type == VALUE_DECIMAL || column->type == VALUE_BYTES || column->type == VALUE_JSON;
  if (!is_text) return CODE_OK;
  ret->text = arena_str(arena, column->text);
  return ret->text.ptr == NULL ? error_no_memory(err) : CODE_OK;
}

static Code param_of(PlanInput *input, const Field *field, Value value, Error *err) {
  return plan_param(input, value, field_value_type(field)) == 0 ? error_no_memory(err) : CODE_OK;
}

static Code params_of_keys(PlanInput *input, const Resource *resource, const Value *row, Error *err) {
  for (size_t i = 0; i < resource->key_count; i++) TRY(param_of(input, resource->keys[i], row[resource->keys[i]->stored_index], err));
  return CODE_OK;
}

/* ---- pieces of text ---- */

/* WHERE k1 = $n AND k2 = $n+1 …, on a table without an alias. */
static void write_key_condition(const SqlWriter *writer, Buf *out, const Resource *resource, uint32_t first) {
  buf_add(out, STR(" WHERE "));
  for (size_t i = 0; i < resource->key_count; i++) {
    if (i > 0) buf_add(out, STR(" AND "));
    sql_write_identifier(out, resource->keys[i]->column);
    buf_add(out, STR(" = "));
    sql_write_stored_param(writer, out, first + (uint32_t)i, resource->keys[i]);
  }
}

static StoreColumn *columns_of(Arena *arena, const Resource *resource, size_t more) {
  StoreColumn *columns = ARENA_ARRAY(arena, StoreColumn, resource->stored_count + more);
  for (size_t i = 0; columns != NULL && i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    columns[i] = (StoreColumn){.type = field_value_type(field), .is_foreign = field->column_type.len > 0, .field = field};
  }
  return columns;
}

static Code finish(const PlanInput *input, Arena *arena, const Buf *out, const StoreColumn *columns, size_t column_count, bool is_write,
                   StoreStatement **ret, Error *err) {
  Str sql = {0};
  TRY(buf_finish(out, &sql, err));
  StoreStatement *statement = plan_statement(input, arena, sql, columns, column_count, is_write, err);
  if (statement == NULL) return err->code;
  *ret = statement;
  return CODE_OK;
}

/* ---- a row by unique values ---- */

typedef struct LoadText {
  const Resource *resource;
  const Field *const *fields;
  size_t count;
  const Expr *read_rule;
  SqlGuard guard;
} LoadText;

static Code make_load(const PlanInput *input, const SqlWriter *writer_given, Arena *arena, const void *what, StoreStatement **ret,
                      Error *err) {
  const LoadText *load = what;
  SqlWriter writer = *writer_given;
  SqlSelect *select = sql_select_create(&writer, NULL);
  TRY_ALLOC(select);
  SqlScope *scope = sql_select_from(select, load->resource);
  TRY_ALLOC(scope);
  StoreColumn *columns = columns_of(arena, load->resource, 1);
  TRY_ALLOC(columns);
  for (size_t i = 0; i < load->resource->stored_count; i++) {
    sql_select_next_column(select);
    sql_write_readable(&writer, sql_select_columns(select), scope, load->resource->stored[i]);
  }
  sql_select_next_column(select);
  Buf *visible = sql_select_columns(select);
  if (load->read_rule == NULL) {
    buf_add(visible, STR("1"));
  } else {
    ExprSqlRoots roots = {.row = scope};
    buf_add(visible, STR("CASE WHEN "));
    TRY(expr_sql_write_condition(&writer, visible, load->read_rule, &roots, NULL, err));
    buf_add(visible, STR(" THEN 1 ELSE 0 END"));
  }
  columns[load->resource->stored_count] = (StoreColumn){.type = VALUE_INT};
  for (size_t i = 0; i < load->count; i++) {
    Buf *out = sql_select_where(select);
    sql_write_equatable(&writer, out, scope, load->fields[i]);
    buf_add(out, STR(" = "));
    sql_write_field_param(&writer, out, (uint32_t)i + 1, load->fields[i]);
    /* What a caller may not read finds nothing, or its values could be guessed. */
    const Expr *rule = load->fields[i]->is_key ? NULL : load->guard.field_rule(load->guard.context, load->fields[i]);
    ExprSqlRoots roots = {.row = scope};
    if (rule != NULL) TRY(expr_sql_write_condition(&writer, sql_select_where(select), rule, &roots, NULL, err));
  }
  /* What is decided by this row must still be true when it is written. */
  sql_select_lock(select, scope);
  Str sql = {0};
  TRY(sql_select_finish(select, &sql, err));
  StoreStatement *statement = plan_statement(input, arena, sql, columns, load->resource->stored_count + 1, false, err);
  if (statement == NULL) return err->code;
  *ret = statement;
  return CODE_OK;
}

typedef struct LoadRow {
  Arena *arena;
  const Resource *resource;
  Value *row;
  bool is_visible;
} LoadRow;

static Code on_load_row(void *context, const Value *columns, Error *err) {
  LoadRow *load = context;
  Value *row = ARENA_ARRAY(load->arena, Value, load->resource->stored_count);
  TRY_ALLOC(row);
  for (size_t i = 0; i < load->resource->stored_count; i++) TRY(value_keep(load->arena, &columns[i], &row[i], err));
  load->is_visible = columns[load->resource->stored_count].integer != 0;
  load->row = row;
  return CODE_OK;
}

Code write_load(Write *write, const Resource *resource, const Field *const *fields, const Value *values, size_t count, const Value **ret,
                bool *ret_visible, Error *err) {
  PlanInput input = input_of(write, 'l', resource);
  LoadText text = {.resource = resource, .fields = fields, .count = count};
  for (size_t i = 0; i < count; i++) {
    shape_field(&input, fields[i]);
    TRY(param_of(&input, fields[i], values[i], err));
  }
  TRY(plan_rule(&input, resource->access[RULE_READ], &text.read_rule, err));
  for (size_t i = 0; i < count; i++) TRY(plan_reach_field(&input, fields[i], err));
  text.guard = plan_guard(&input);
  StoreStatement *statement = NULL;
  TRY(statement_find(write, &input, make_load, &text, &statement, err));
  LoadRow load = {.arena = write->arena, .resource = resource};
  TRY(run_statement(write, statement, input.params.items, on_load_row, &load, NULL, NULL, err));
  *ret = load.row;
  *ret_visible = load.row != NULL && load.is_visible;
  return CODE_OK;
}

/* ---- is there a row? ---- */

typedef struct ExistsText {
  const Resource *resource;
  const Field *const *fields;
  size_t count;
  const Expr *rule;
} ExistsText;

static Code make_exists(const PlanInput *input, const SqlWriter *writer_given, Arena *arena, const void *what, StoreStatement **ret,
                        Error *err) {
  const ExistsText *exists = what;
  SqlWriter writer = *writer_given;
  SqlSelect *select = sql_select_create(&writer, NULL);
  TRY_ALLOC(select);
  SqlScope *scope = sql_select_from(select, exists->resource);
  StoreColumn *columns = ARENA_NEW(arena, StoreColumn);
  TRY_ALLOC(scope);
  TRY_ALLOC(columns);
  columns->type = VALUE_INT;
  sql_select_next_column(select);
  buf_add(sql_select_columns(select), STR("1"));
  for (size_t i = 0; i < exists->count; i++) {
    Buf *out = sql_select_where(select);
    sql_write_equatable(&writer, out, scope, exists->fields[i]);
    buf_add(out, STR(" = "));
    sql_write_field_param(&writer, out, (uint32_t)i + 2, exists->fields[i]);
  }
  if (exists->rule != NULL) {
    ExprSqlRoots roots = {.row = scope};
    TRY(expr_sql_write_condition(&writer, sql_select_where(select), exists->rule, &roots, NULL, err));
  }
  sql_select_limit(select, 1);
  Str sql = {0};
  TRY(sql_select_finish(select, &sql, err));
  StoreStatement *statement = plan_statement(input, arena, sql, columns, 1, false, err);
  if (statement == NULL) return err->code;
  *ret = statement;
  return CODE_OK;
}

static Code on_exists(void *context, const Value *columns, Error *err) {
  (void)columns;
  (void)err;
  *(bool *)context = true;
  return CODE_OK;
}

/* `from` are the fields of `row` that the `fields` of `resource` must equal. */
static Code exists(Write *write, char kind, const Resource *resource, const Field *const *fields, const Field *const *from, size_t count,
                   const Value *row, const Expr *rule, bool *ret, Error *err) {
  PlanInput input = input_of(write, kind, resource);
  ExistsText text = {.resource = resource, .fields = fields, .count = count};
  if (plan_param(&input, value_int(1), VALUE_INT) == 0) return error_no_memory(err);
  for (size_t i = 0; i < count; i++) {
    shape_field(&input, fields[i]);
    TRY(param_of(&input, fields[i], row[from[i]->stored_index], err));
  }
  if (rule != NULL) TRY(plan_rule(&input, rule, &text.rule, err));
  StoreStatement *statement = NULL;
  TRY(statement_find(write, &input, make_exists, &text, &statement, err));
  *ret = false;
  return run_statement(write, statement, input.params.items, on_exists, ret, NULL, NULL, err);
}

Code write_reference_exists(Write *write, const Relation *relation, const Value *row, bool *ret, Error *err) {
  const Resource *target = relation->target;
  const Expr *rule = target->access[RULE_READ] == NULL ? expr_bool(false) : target->access[RULE_READ];
  return exists(write, 'r', target, target->keys, relation->keys, relation->key_count, row, rule, ret, err);
}

Code write_is_referenced(Write *write, const Relation *relation, const Value *row, bool *ret, Error *err) {
  return exists(write, 'c', relation->source, relation->keys, relation->target->keys, relation->key_count, row, NULL, ret, err);
}

Code write_is_taken(Write *write, const Resource *resource, const Field *const *fields, size_t count, const Value *row, bool *ret,
                    Error *err) {
  return exists(write, 't', resource, fields, fields, count, row, NULL, ret, err);
}

/* ---- all rows that refer to one ---- */

static Code make_referrers(const PlanInput *input, const SqlWriter *writer_given, Arena *arena, const void *what, StoreStatement **ret,
                           Error *err) {
  const Relation *relation = what;
  SqlWriter writer = *writer_given;
  SqlSelect *select = sql_select_create(&writer, NULL);
  TRY_ALLOC(select);
  SqlScope *scope = sql_select_from(select, relation->source);
  StoreColumn *columns = columns_of(arena, relation->source, 0);
  TRY_ALLOC(scope);
  TRY_ALLOC(columns);
  for (size_t i = 0; i < relation->source->stored_count; i++) {
    sql_select_next_column(select);
    sql_write_readable(&writer, sql_select_columns(select), scope, relation->source->stored[i]);
  }
  for (size_t i = 0; i < relation->key_count; i++) {
    Buf *out = sql_select_where(select);
    sql_write_equatable(&writer, out, scope, relation->keys[i]);
    buf_add(out, STR(" = "));
    sql_write_field_param(&writer, out, (uint32_t)i + 1, relation->keys[i]);
  }
  sql_select_lock(select, scope);
  Str sql = {0};
  TRY(sql_select_finish(select, &sql, err));
  *ret = plan_statement(input, arena, sql, columns, relation->source->stored_count, false, err);
  return *ret == NULL ? err->code : CODE_OK;
}

typedef struct Referrers {
  Arena *arena;
  const Resource *resource;
  WriteRows *rows;
} Referrers;

static Code on_referrer(void *context, const Value *columns, Error *err) {
  Referrers *referrers = context;
  Value *row = ARENA_ARRAY(referrers->arena, Value, referrers->resource->stored_count);
  TRY_ALLOC(row);
  for (size_t i = 0; i < referrers->resource->stored_count; i++) TRY(value_keep(referrers->arena, &columns[i], &row[i], err));
  return VEC_PUSH(referrers->arena, referrers->rows, row) ? CODE_OK : error_no_memory(err);
}

Code write_load_referrers(Write *write, const Relation *relation, const Value *row, WriteRows *ret, Error *err) {
  PlanInput input = input_of(write, 'h', relation->source);
  for (size_t i = 0; i < relation->key_count; i++) {
    shape_field(&input, relation->keys[i]);
    TRY(param_of(&input, relation->keys[i], row[relation->target->keys[i]->stored_index], err));
  }
  StoreStatement *statement = NULL;
  TRY(statement_find(write, &input, make_referrers, relation, &statement, err));
  Referrers referrers = {.arena = write->arena, .resource = relation->source, .rows = ret};
  return run_statement(write, statement, input.params.items, on_referrer, &referrers, NULL, NULL, err);
}

/* ---- insert, update, delete ---- */

typedef struct RowText {
  const Resource *resource;
  const bool *is_set; /* by stored_index */
} RowText;

static Code make_insert(const PlanInput *input, const SqlWriter *writer, Arena *arena, const void *what, StoreStatement **ret, Error *err) {
  const RowText *text = what;
  const Resource *resource = text->resource;
  Buf out = buf_on(writer->arena, SIZE_MAX / 2);
  size_t set = 0;
  buf_add(&out, STR("INSERT INTO "));
  sql_write_table(&out, resource);
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (!text->is_set[i]) continue;
    buf_add(&out, set++ == 0 ? STR(" (") : STR(", "));
    sql_write_identifier(&out, resource->stored[i]->column);
  }
  buf_add(&out, set > 0 ? STR(") VALUES (") : STR(" DEFAULT VALUES"));
  uint32_t param = 0;
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (!text->is_set[i]) continue;
    if (param > 0) buf_add(&out, STR(", "));
    sql_write_stored_param(writer, &out, ++param, resource->stored[i]);
  }
  if (set > 0) buf_add_byte(&out, ')');
  if (set == resource->stored_count) return finish(input, arena, &out, NULL, 0, true, ret, err);
  for (size_t i = 0; i < resource->stored_count; i++) {
    buf_add(&out, i == 0 ? STR(" RETURNING ") : STR(", "));
    sql_write_returned(writer, &out, resource->stored[i]);
  }
  StoreColumn *columns = columns_of(arena, resource, 0);
  TRY_ALLOC(columns);
  return finish(input, arena, &out, columns, resource->stored_count, true, ret, err);
}

typedef struct InsertedRow {
  Arena *arena;
  const Resource *resource;
  Value *row;
} InsertedRow;

static Code on_inserted(void *context, const Value *columns, Error *err) {
  InsertedRow *inserted = context;
  for (size_t i = 0; i < inserted->resource->stored_count; i++) { TRY(value_keep(inserted->arena, &columns[i], &inserted->row[i], err)); }
  return CODE_OK;
}

static void shape_set(PlanInput *input, const Resource *resource, const bool *is_set) {
  buf_add(&input->shape, (Str){(const char *)is_set, resource->stored_count * sizeof *is_set});
}

static Code find_insert(Write *write, const Resource *resource, const Value *row, const bool *is_stored, Error *err) {
  Arena *lasting = write->group->arena;
  size_t set_bytes = resource->stored_count * sizeof *is_stored;
  WriteInsert *insert = &write->insert;
  if (insert->resource == resource && memcmp(insert->is_stored, is_stored, set_bytes) == 0) return CODE_OK;
  PlanInput input = input_of(write, 'i', resource);
  shape_set(&input, resource, is_stored);
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (is_stored[i]) TRY(param_of(&input, resource->stored[i], row[i], err));
  }
  RowText text = {.resource = resource, .is_set = is_stored};
  StoreStatement *statement = NULL;
  TRY(statement_find_for(write, lasting, &input, make_insert, &text, &statement, err));
  bool *kept = arena_alloc(lasting, set_bytes);
  TRY_ALLOC(kept);
  memcpy(kept, is_stored, set_bytes);
  *insert = (WriteInsert){.resource = resource, .is_stored = kept, .statement = statement};
  return CODE_OK;
}

Code write_insert(Write *write, const Resource *resource, Value *row, const bool *is_stored, StoreConflict *ret_conflict, Error *err) {
  TRY(find_insert(write, resource, row, is_stored, err));
  Value *params = arena_alloc(write->arena, resource->stored_count * sizeof *params);
  TRY_ALLOC(params);
  size_t count = 0;
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (is_stored[i]) params[count++] = row[i];
  }
  InsertedRow inserted = {.arena = write->arena, .resource = resource, .row = row};
  const StoreStatement *statement = write->insert.statement;
  return run_statement(write, statement, params, statement->column_count > 0 ? on_inserted : NULL, &inserted, NULL, ret_conflict, err);
}

static Code make_update(const PlanInput *input, const SqlWriter *writer, Arena *arena, const void *what, StoreStatement **ret, Error *err) {
  const RowText *text = what;
  Buf out = buf_on(writer->arena, SIZE_MAX / 2);
  uint32_t param = 0;
  buf_add(&out, STR("UPDATE "));
  sql_write_table(&out, text->resource);
  for (size_t i = 0; i < text->resource->stored_count; i++) {
    if (!text->is_set[i]) continue;
    buf_add(&out, param == 0 ? STR(" SET ") : STR(", "));
    sql_write_identifier(&out, text->resource->stored[i]->column);
    buf_add(&out, STR(" = "));
    sql_write_stored_param(writer, &out, ++param, text->resource->stored[i]);
  }
  write_key_condition(writer, &out, text->resource, param + 1);
  return finish(input, arena, &out, NULL, 0, true, ret, err);
}

Code write_update(Write *write, const Resource *resource, const Value *old, const Value *row, const bool *is_changed,
                  StoreConflict *ret_conflict, Error *err) {
  PlanInput input = input_of(write, 'u', resource);
  shape_set(&input, resource, is_changed);
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (is_changed[i]) TRY(param_of(&input, resource->stored[i], row[i], err));
  }
  TRY(params_of_keys(&input, resource, old, err));
  RowText text = {.resource = resource, .is_set = is_changed};
  StoreStatement *statement = NULL;
  TRY(statement_find(write, &input, make_update, &text, &statement, err));
  return run_statement(write, statement, input.params.items, NULL, NULL, NULL, ret_conflict, err);
}

static Code make_delete(const PlanInput *input, const SqlWriter *writer, Arena *arena, const void *what, StoreStatement **ret, Error *err) {
  const Resource *resource = what;
  Buf out = buf_on(writer->arena, SIZE_MAX / 2);
  buf_add(&out, STR("DELETE FROM "));
  sql_write_table(&out, resource);
  write_key_condition(writer, &out, resource, 1);
  return finish(input, arena, &out, NULL, 0, true, ret, err);
}

Code write_delete(Write *write, const Resource *resource, const Value *row, StoreConflict *ret_conflict, Error *err) {
  PlanInput input = input_of(write, 'd', resource);
  TRY(params_of_keys(&input, resource, row, err));
  StoreStatement *statement = NULL;
  TRY(statement_find(write, &input, make_delete, resource, &statement, err));
  return run_statement(write, statement, input.params.items, NULL, NULL, NULL, ret_conflict, err);
}

/* ---- a rule over rows that are not (yet) stored ---- */

typedef struct RuleText {
  const Resource *resource;
  const Expr *rule;
  bool has_old;
} RuleText;

static Code make_rule(const PlanInput *input, const SqlWriter *writer_given, Arena *arena, const void *what, StoreStatement **ret,
                      Error *err) {
  const RuleText *text = what;
  SqlWriter writer = *writer_given;
  SqlSelect *select = sql_select_create(&writer, NULL);
  TRY_ALLOC(select);
  StoreColumn *columns = ARENA_NEW(arena, StoreColumn);
  TRY_ALLOC(columns);
  columns->type = VALUE_INT;
  ExprSqlRoots roots = {.row = sql_select_from_row(select, text->resource, 1)};
  TRY_ALLOC(roots.row);
  if (text->has_old) {
    roots.old = sql_select_from_row(select, text->resource, 1 + (uint32_t)text->resource->stored_count);
    TRY_ALLOC(roots.old);
  }
  sql_select_next_column(select);
  Buf *out = sql_select_columns(select);
  buf_add(out, STR("CASE WHEN "));
  TRY(expr_sql_write_condition(&writer, out, text->rule, &roots, NULL, err));
  buf_add(out, STR(" THEN 1 ELSE 0 END"));
  Str sql = {0};
  TRY(sql_select_finish(select, &sql, err));
  StoreStatement *statement = plan_statement(input, arena, sql, columns, 1, false, err);
  if (statement == NULL) return err->code;
  *ret = statement;
  return CODE_OK;
}

static Code on_verdict(void *context, const Value *columns, Error *err) {
  (void)err;
  *(bool *)context = columns[0].integer != 0;
  return CODE_OK;
}

static Code rule_holds_in_store(Write *write, const Expr *residue, const Resource *resource, const Value *row, const Value *old, bool *ret,
                                Error *err) {
  PlanInput input = input_of(write, old == NULL ? 'n' : 'o', resource);
  for (size_t i = 0; i < resource->stored_count; i++) { TRY(param_of(&input, resource->stored[i], row[i], err)); }
  for (size_t i = 0; old != NULL && i < resource->stored_count; i++) { TRY(param_of(&input, resource->stored[i], old[i], err)); }
  TRY(plan_number(&input, residue, err));
  RuleText text = {.resource = resource, .rule = residue, .has_old = old != NULL};
  StoreStatement *statement = NULL;
  TRY(statement_find(write, &input, make_rule, &text, &statement, err));
  *ret = false;
  return run_statement(write, statement, input.params.items, on_verdict, ret, NULL, NULL, err);
}

Code write_rule_holds(Write *write, const Expr *rule, const Resource *resource, const Value *row, const Value *old, bool *ret, Error *err) {
  if (rule == NULL || expr_is_true(rule)) {
    *ret = rule != NULL;
    return CODE_OK;
  }
  const Operation *operation = &write->call->operation;
  ExprEnv env = {.caller = operation->caller, .now_us = operation->now_us, .row = row, .old = old};
  if (!rule->has_relations) return expr_eval_bool(rule, &env, write->arena, ret, err);
  const Expr *residue = NULL;
  TRY(expr_reduce(rule, &env, write->arena, &residue, err));
  if (residue->kind != EXPR_LITERAL) return rule_holds_in_store(write, residue, resource, row, old, ret, err);
  *ret = expr_is_true(residue);
  return CODE_OK;
}
