/* watch_load.c - what a batch of changes asks the store, one statement run again and again: a row by its key as it is now, and whether a
 * row that was would be seen. */
#include "query/watch_hub.h"

typedef struct RowRun {
  StoreRead read; /* first: the store's callbacks find the run by it */
  PlanInput input;
  const Resource *resource;
  const Value *const *given; /* keys, or whole rows; NULL: passed over */
  const Value **rows;        /* loads */
  bool *verdicts;            /* judgements */
  size_t count, at;
  VEC(size_t) runs; /* which of `given` each run was of */
  uint32_t first;   /* parameter of the first value */
  size_t width;     /* values of each */
  Arena *arena;
  WatchLoadedFn *loaded;
  void *context;
} RowRun;

/* ---- plans ---- */

typedef struct RunPlan {
  StorePlan plan;
  const StoreStatement *statements[1];
} RunPlan;

typedef Code RunTextFn(const RowRun *run, SqlWriter *writer, const void *what, Arena *arena, StoreStatement **ret, Error *err);

static Code make_plan(const RowRun *run, Engine *engine, RunTextFn *make, const void *what, Arena *arena, StorePlan **ret, Error *err) {
  static const uint32_t levels[] = {0};
  static const bool repeated[] = {true};
  SqlWriter writer = {.arena = run->arena, .dialect = engine->dialect};
  RunPlan *plan = ARENA_NEW(arena, RunPlan);
  StoreStatement *statement = NULL;
  TRY_ALLOC(plan);
  TRY(make(run, &writer, what, arena, &statement, err));
  plan->statements[0] = statement;
  plan->plan.statements = plan->statements;
  plan->plan.levels = levels;
  plan->plan.is_repeated = repeated;
  plan->plan.count = 1;
  *ret = &plan->plan;
  return CODE_OK;
}

static Code find_plan(RowRun *run, Engine *engine, RunTextFn *make, const void *what, Error *err) {
  Str shape = buf_str(&run->input.shape);
  if (run->input.shape.failed != CODE_OK) return error_set(err, run->input.shape.failed, "the watch asks for too much at once");
  run->read.plan = plan_cache_get(engine->reads, shape, run->arena);
  if (run->read.plan != NULL) return CODE_OK;
  Arena *arena = arena_create(0);
  TRY_ALLOC(arena);
  StorePlan *made = NULL;
  Code code = make_plan(run, engine, make, what, arena, &made, err);
  if (code != CODE_OK) {
    arena_destroy(arena);
    return code;
  }
  run->read.plan = plan_cache_put(engine->reads, shape, arena, made, run->arena);
  return run->read.plan == NULL ? error_no_memory(err) : CODE_OK;
}

/* ---- a run ---- */

static bool on_bind(StoreRead *read, size_t statement, const Value **ret_params) {
  RowRun *run = (RowRun *)read;
  (void)statement;
  while (run->at < run->count && run->given[run->at] == NULL) run->at++;
  if (run->at >= run->count) return false;
  /* Runs may be bound all at once, before the first one's row comes: each has its own. */
  Value *params = ARENA_ARRAY(run->arena, Value, run->input.params.count);
  if (params == NULL || !VEC_PUSH(run->arena, &run->runs, run->at)) return false;
  memcpy(params, run->input.params.items, run->input.params.count * sizeof *params);
  memcpy(params + run->first - 1, run->given[run->at], run->width * sizeof *params);
  run->at++;
  *ret_params = params;
  return true;
}

static void on_restart(StoreRead *read) {
  RowRun *run = (RowRun *)read;
  run->at = run->runs.count = 0;
  for (size_t i = 0; i < run->count; i++) {
    if (run->rows != NULL) run->rows[i] = NULL;
    if (run->verdicts != NULL) run->verdicts[i] = false;
  }
}

static void on_done(StoreRead *read, Code code, const Error *err) {
  RowRun *run = (RowRun *)read;
  (void)err;
  /* One that could not be bound for want of memory has ended the runs early. */
  if (code == CODE_OK && run->at < run->count) code = CODE_UNAVAILABLE;
  run->loaded(run->context, code);
}

static RowRun *run_create(Engine *engine, const Caller *caller, int64_t now_us, char kind, const Resource *resource, Arena *arena) {
  RowRun *run = ARENA_NEW(arena, RowRun);
  if (run == NULL) return NULL;
  run->resource = resource;
  run->arena = arena;
  run->input = plan_input_on(arena, engine->dialect, caller, now_us);
  run->read.arena = arena;
  run->read.bind = on_bind;
  run->read.restart = on_restart;
  run->read.done = on_done;
  shape_byte(&run->input, (unsigned)kind);
  shape_int(&run->input, resource->index);
  (void)engine;
  return run;
}

static void run_start(RowRun *run, Engine *engine, WatchLoadedFn *loaded, void *context) {
  run->loaded = loaded;
  run->context = context;
  store_read(engine->session, &run->read);
}

/* ---- a row by its key ---- */

static Code make_load(const RowRun *run, SqlWriter *writer, const void *what, Arena *arena, StoreStatement **ret, Error *err) {
  const Resource *resource = run->resource;
  (void)what;
  SqlSelect *select = sql_select_create(writer, NULL);
  TRY_ALLOC(select);
  SqlScope *scope = sql_select_from(select, resource);
  StoreColumn *columns = ARENA_ARRAY(arena, StoreColumn, resource->stored_count);
  TRY_ALLOC(scope);
  TRY_ALLOC(columns);
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    columns[i] = (StoreColumn){.type = field_value_type(field), .is_foreign = field->column_type.len > 0, .field = field};
    sql_select_next_column(select);
    sql_write_readable(writer, sql_select_columns(select), scope, field);
  }
  for (size_t i = 0; i < resource->key_count; i++) {
    Buf *out = sql_select_where(select);
    sql_write_equatable(writer, out, scope, resource->keys[i]);
    buf_add(out, STR(" = "));
    sql_write_field_param(writer, out, (uint32_t)i + 1, resource->keys[i]);
  }
  Str sql = {0};
  TRY(sql_select_finish(select, &sql, err));
  *ret = plan_statement(&run->input, arena, sql, columns, resource->stored_count, false, err);
  return *ret == NULL ? err->code : CODE_OK;
}

static Code on_loaded_row(StoreRead *read, size_t statement, const Value *columns, Error *err) {
  RowRun *run = (RowRun *)read;
  (void)statement;
  Value *row = ARENA_ARRAY(run->arena, Value, run->resource->stored_count);
  TRY_ALLOC(row);
  for (size_t i = 0; i < run->resource->stored_count; i++) {
    row[i] = columns[i];
    bool is_text = row[i].type == VALUE_TEXT || row[i].type == VALUE_DECIMAL || row[i].type == VALUE_BYTES || row[i].type == VALUE_JSON;
    if (!is_text) continue;
    row[i].text = arena_str(run->arena, columns[i].text);
    TRY_ALLOC(row[i].text.ptr);
  }
  run->rows[run->runs.items[read->run]] = row;
  return CODE_OK;
}

Code watch_load(Engine *engine, const Resource *resource, const Value *const *keys, const Value **rows, size_t count, Arena *arena,
                WatchLoadedFn *loaded, void *context, Error *err) {
  RowRun *run = run_create(engine, NULL, 0, 'Q', resource, arena);
  TRY_ALLOC(run);
  run->given = keys;
  run->rows = rows;
  run->count = count;
  run->width = resource->key_count;
  run->read.row = on_loaded_row;
  TRY(plan_params(&run->input, resource->keys, resource->key_count, NULL, &run->first, err));
  TRY(find_plan(run, engine, make_load, NULL, err));
  run_start(run, engine, loaded, context);
  return CODE_OK;
}

/* ---- would it be seen? ---- */

typedef struct JudgeText {
  const Expr *rule, *filter, *scope; /* reduced and numbered; NULL: true */
  SqlGuard guard;
} JudgeText;

static Code write_part(SqlWriter *writer, SqlSelect *select, const Expr *part, SqlScope *row, const SqlGuard *guard, Error *err) {
  ExprSqlRoots roots = {.row = row};
  return part == NULL ? CODE_OK : expr_sql_write_condition(writer, sql_select_where(select), part, &roots, guard, err);
}

static Code make_judge(const RowRun *run, SqlWriter *writer, const void *what, Arena *arena, StoreStatement **ret, Error *err) {
  const JudgeText *text = what;
  SqlSelect *select = sql_select_create(writer, NULL);
  StoreColumn *columns = ARENA_NEW(arena, StoreColumn);
  TRY_ALLOC(select);
  TRY_ALLOC(columns);
  SqlScope *row = sql_select_from_row(select, run->resource, run->first);
  TRY_ALLOC(row);
  columns->type = VALUE_INT;
  sql_select_next_column(select);
  buf_add(sql_select_columns(select), STR("1"));
  TRY(write_part(writer, select, text->rule, row, NULL, err));
  TRY(write_part(writer, select, text->filter, row, &text->guard, err));
  TRY(write_part(writer, select, text->scope, row, NULL, err));
  Str sql = {0};
  TRY(sql_select_finish(select, &sql, err));
  *ret = plan_statement(&run->input, arena, sql, columns, 1, false, err);
  return *ret == NULL ? err->code : CODE_OK;
}

static Code on_verdict(StoreRead *read, size_t statement, const Value *columns, Error *err) {
  RowRun *run = (RowRun *)read;
  (void)statement;
  (void)columns;
  (void)err;
  run->verdicts[run->runs.items[read->run]] = true;
  return CODE_OK;
}

static Code reduce_filter(RowRun *run, const Operation *operation, const Expr *filter, bool is_guarded, const Expr **ret, Error *err) {
  shape_byte(&run->input, filter == NULL ? 0 : 'F');
  *ret = NULL;
  if (filter == NULL) return CODE_OK;
  if (is_guarded) TRY(plan_reach_expr(&run->input, filter, err));
  ExprEnv env = {.caller = operation->caller, .now_us = run->input.rules.now_us};
  const Expr *reduced = NULL;
  TRY(expr_reduce(filter, &env, run->arena, &reduced, err));
  TRY(plan_number(&run->input, reduced, err));
  if (!expr_is_true(reduced)) *ret = reduced;
  return CODE_OK;
}

Code watch_judge(Watch *watch, const Value *const *images, bool *verdicts, size_t count, int64_t now_us, Arena *arena,
                 WatchLoadedFn *loaded, void *context, Error *err) {
  const Operation *operation = &watch->operation;
  const Resource *resource = operation->resource;
  RowRun *run = run_create(watch->engine, operation->caller, now_us, 'V', resource, arena);
  TRY_ALLOC(run);
  run->given = images;
  run->verdicts = verdicts;
  run->count = count;
  run->width = resource->stored_count;
  run->read.row = on_verdict;
  TRY(plan_params(&run->input, resource->stored, resource->stored_count, NULL, &run->first, err));
  JudgeText text = {0};
  TRY(plan_rule(&run->input, resource->access[RULE_READ], &text.rule, err));
  TRY(reduce_filter(run, operation, operation->list.filter, true, &text.filter, err));
  TRY(reduce_filter(run, operation, operation->list.scope, false, &text.scope, err));
  text.guard = plan_guard(&run->input);
  TRY(find_plan(run, watch->engine, make_judge, &text, err));
  run_start(run, watch->engine, loaded, context);
  return CODE_OK;
}
