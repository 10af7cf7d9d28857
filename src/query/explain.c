/* explain.c - the steps of a request, each asked what it would do: authorize, plan, and where it is wanted execute, as a dry run that keeps
 * notes (ExplainTrace). Then the store is asked about its statements. */
#include "query/explain_impl.h"

typedef struct ExplainRun {
  Engine *engine;
  CallGroup *group;
  Explanation *explanation;
  bool is_run;
  ExplainDoneFn *done;
  void *context;
  ExplainTrace trace;
  Write write; /* asks about a row that a read did not find */
} ExplainRun;

/* ---- Why a rule refused ---- */

typedef struct RuleOfWrite {
  Write *write;
  const Resource *resource;
  const Value *row, *old;
} RuleOfWrite;

static Code ask_store(void *context, const Expr *expr, bool *ret, Error *err) {
  RuleOfWrite *of = context;
  return write_rule_holds(of->write, expr, of->resource, of->row, of->old, ret, err);
}

static Code explain_why(Write *write, const Resource *resource, const Field *field, RuleAction action, const Expr *rule, const Value *row,
                        const Value *old, Error *err) {
  Explanation *explanation = write->group->trace->explanation;
  const Operation *operation = &write->call->operation;
  RuleOfWrite of = {write, resource, row, old};
  WhyOracle oracle = {ask_store, &of};
  ExprEnv env = {.caller = operation->caller, .now_us = operation->now_us, .row = row, .old = old};
  explanation->why_rule = explain_rule_name(write->arena, resource, field, action);
  TRY_ALLOC(explanation->why_rule.ptr);
  return rule == NULL ? CODE_OK : expr_why(rule, &env, &oracle, write->arena, &explanation->why, err);
}

Code explain_refusal(Write *write, const WriteRow *row, const Field *field, RuleAction action, const Expr *rule, Error *err) {
  if (write->group->trace == NULL) return CODE_OK;
  size_t before = write->group->trace->explanation->statements.count;
  const Value *seen = action == RULE_READ ? row->old : row->row;
  bool is_visible = false;
  if (action == RULE_READ) TRY(write_rule_holds(write, rule, row->resource, seen, NULL, &is_visible, err));
  /* A row that can be seen was refused for another reason. */
  Code code =
      is_visible ? CODE_OK : explain_why(write, row->resource, field, action, rule, seen, action == RULE_READ ? NULL : row->old, err);
  /* The questions are ours, not the write's. */
  write->group->trace->explanation->statements.count = before;
  return code;
}

/* Refused whatever the row: nothing is known of it. */
static Code explain_flat_refusal(ExplainRun *run, Error *err) {
  const Operation *operation = &run->group->calls[run->group->failed].operation;
  static const RuleAction rules[ACTION_COUNT] = {
      [ACTION_CREATE] = RULE_CREATE, [ACTION_UPDATE] = RULE_UPDATE, [ACTION_REPLACE] = RULE_UPDATE, [ACTION_DELETE] = RULE_DELETE};
  RuleAction action = rules[operation->action];
  const Expr *rule = operation->resource->access[action];
  ExprEnv env = {.caller = operation->caller, .now_us = operation->now_us};
  run->explanation->why_rule = explain_rule_name(run->group->arena, operation->resource, NULL, action);
  TRY_ALLOC(run->explanation->why_rule.ptr);
  return rule == NULL ? CODE_OK : expr_why(rule, &env, NULL, run->group->arena, &run->explanation->why, err);
}

/* ---- What a write tells ---- */

void explain_restart(ExplainTrace *trace) {
  if (trace == NULL) return;
  trace->explanation->statements.count = trace->statements_before;
  trace->explanation->why_rule = (Str){0};
}

static const Value *copy_params(Arena *arena, const StoreStatement *statement, const Value *params) {
  Value *copy = ARENA_ARRAY(arena, Value, statement->param_count);
  if (copy != NULL && statement->param_count > 0) memcpy(copy, params, statement->param_count * sizeof *copy);
  return copy;
}

Code explain_statement(Write *write, const StoreStatement *statement, const Value *params, Error *err) {
  if (write->group->trace == NULL) return CODE_OK;
  ExplainedStatement made = {.purpose = statement->is_write ? STR("written") : STR("asked while writing"),
                             .statement = statement,
                             .params = copy_params(write->arena, statement, params)};
  TRY_ALLOC(made.params);
  return VEC_PUSH(write->arena, &write->group->trace->explanation->statements, made) ? CODE_OK : error_no_memory(err);
}

/* ---- The end ---- */

static void finish(ExplainRun *run, Code code, const Error *err) {
  Error own = {0};
  run->group->trace = NULL;
  if (code == CODE_OK || err == NULL) err = &own; /* a transaction that went well has an error to tell as well, an empty one */
  if (code == CODE_OK) code = explain_steps(run->engine, run->group, run->is_run, run->explanation, &own);
  run->done(run->context, code, err);
}

/* ---- A row that was not found: is it hidden? ---- */

static Code run_hidden(StoreWrite *store_write, StoreTxn *txn, Error *err) {
  Write *write = (Write *)store_write;
  const Operation *operation = &write->call->operation;
  const Resource *resource = operation->resource;
  const Value *row = NULL;
  bool is_visible = false;
  write->txn = txn;
  explain_restart(write->group->trace);
  const Value *key = write_key_stored(write, resource, operation->key);
  TRY_ALLOC(key);
  TRY(write_load(write, resource, resource->keys, key, resource->key_count, &row, &is_visible, err));
  size_t asked = write->group->trace->statements_before;
  if (row != NULL && !is_visible) TRY(explain_why(write, resource, NULL, RULE_READ, resource->access[RULE_READ], row, NULL, err));
  write->group->trace->explanation->statements.count = asked;
  return CODE_OK;
}

static void hidden_done(StoreWrite *store_write, Code code, const Error *err) {
  Write *write = (Write *)store_write;
  finish(write->group->context, code, err);
}

static void ask_for_hidden(ExplainRun *run, Call *call) {
  run->trace.statements_before = run->explanation->statements.count;
  run->write = (Write){.engine = run->engine, .group = run->group, .call = call, .arena = run->group->arena};
  run->write.store = (StoreWrite){.run = run_hidden, .done = hidden_done, .is_dry_run = true};
  store_write(run->engine->session, &run->write.store);
}

/* ---- The dry run ---- */

static void executed(CallGroup *group) {
  ExplainRun *run = group->context;
  for (size_t i = 0; i < group->count; i++) run->explanation->row_count += group->calls[i].result.row_count;
  if (group->failed < group->count) {
    Call *call = &group->calls[group->failed];
    run->explanation->failed = group->failed;
    run->explanation->problem = call->result.problem;
    bool is_unfound = call->operation.action == ACTION_GET && call->result.code == CODE_NOT_FOUND && call->operation.key != NULL;
    if (is_unfound) {
      ask_for_hidden(run, call);
      return;
    }
  }
  finish(run, CODE_OK, NULL);
}

static void execute(ExplainRun *run) {
  CallGroup *group = run->group;
  for (size_t i = 0; i < group->count; i++) group->calls[i].operation.is_dry_run = true;
  run->explanation->is_run = true;
  run->trace.statements_before = run->explanation->statements.count;
  group->done = executed;
  group->context = run;
  engine_execute(run->engine, group);
}

/* ---- The steps ---- */

static Code refused(ExplainRun *run) {
  const CallGroup *group = run->group;
  run->explanation->failed = group->failed;
  run->explanation->problem = group->calls[group->failed].result.problem;
  return CODE_OK;
}

static Code describe(ExplainRun *run, bool *ret_is_over, Error *err) {
  CallGroup *group = run->group;
  Explanation *explanation = run->explanation;
  TRY(explain_operations(group, explanation, err));
  TRY(explain_checks(group, explanation, err));
  *ret_is_over = true;
  if (engine_authorize(run->engine, group) != CODE_OK) {
    TRY(explain_rules(run->engine, group, explanation, err));
    TRY(refused(run));
    return explain_flat_refusal(run, err);
  }
  Code code = engine_plan(run->engine, group);
  TRY(explain_rules(run->engine, group, explanation, err));
  if (code != CODE_OK) return refused(run);
  *ret_is_over = !run->is_run;
  return explain_reads(group, explanation, err);
}

void engine_explain(Engine *engine, CallGroup *group, bool is_run, Explanation *ret, ExplainDoneFn *done, void *context) {
  *ret = (Explanation){0};
  ExplainRun *run = ARENA_NEW(group->arena, ExplainRun);
  Error err = {0};
  if (run == NULL) {
    Code code = error_no_memory(&err);
    done(context, code, &err);
    return;
  }
  *run = (ExplainRun){.engine = engine,
                      .group = group,
                      .explanation = ret,
                      .is_run = is_run,
                      .done = done,
                      .context = context,
                      .trace = {.explanation = ret}};
  bool is_over = true;
  group->idempotency = NULL; /* an explanation is no answer to keep */
  group->trace = &run->trace;
  Code code = describe(run, &is_over, &err);
  if (code == CODE_OK && !is_over)
    execute(run);
  else
    finish(run, code, &err);
}
