#include "query/engine.h"

#include <stdlib.h>

#include "base/pace.h"
#include "query/aggregate.h"
#include "query/call_plan.h"
#include "query/etag.h"
#include "query/write.h"

/* ---- life ---- */

static bool whole_create(Engine *engine, const Resource *resource, Arena *arena) {
  Selection *whole = &engine->wholes[resource->index];
  whole->items = ARENA_ARRAY(arena, SelectionItem, resource->stored_count);
  if (whole->items == NULL) return false;
  whole->resource = resource;
  whole->is_whole = true;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (!field->is_hidden) whole->items[whole->count++] = (SelectionItem){.field = field, .name = field->name};
  }
  return true;
}

static bool wholes_create(Engine *engine) {
  engine->arena = arena_create(0);
  if (engine->arena == NULL) return false;
  engine->wholes = ARENA_ARRAY(engine->arena, Selection, engine->contract->resource_count);
  if (engine->wholes == NULL) return false;
  for (size_t i = 0; i < engine->contract->resource_count; i++) {
    if (!whole_create(engine, engine->contract->resources[i], engine->arena)) return false;
  }
  return true;
}

Code engine_create(const Contract *contract, StoreSession *session, const EngineLimits *limits, Engine **ret, Error *err) {
  Engine *engine = calloc(1, sizeof *engine);
  TRY_ALLOC(engine);
  engine->contract = contract;
  engine->session = session;
  engine->dialect = session->driver->dialect;
  engine->limits = *limits;
  engine->reads = plan_cache_create(limits->plans_max);
  engine->statements = plan_cache_create(limits->plans_max);
  if (engine->reads == NULL || engine->statements == NULL || !wholes_create(engine)) {
    engine_destroy(engine);
    return error_no_memory(err);
  }
  *ret = engine;
  return CODE_OK;
}

void engine_destroy(Engine *engine) {
  if (engine == NULL) return;
  plan_cache_destroy(engine->reads);
  plan_cache_destroy(engine->statements);
  arena_destroy(engine->arena);
  free(engine);
}

void engine_use_keys(Engine *engine, IdempotencyKeys *keys) { engine->keys = keys; }

void engine_use_changes(Engine *engine, ChangeFeed *feed, WatchHub *hub) {
  engine->feed = feed;
  engine->hub = hub;
}

const Contract *engine_contract(const Engine *engine) { return engine->contract; }
const EngineLimits *engine_limits(const Engine *engine) { return &engine->limits; }

/* ---- authorize ---- */

static Code refuse(Call *call, const Problem *problem) {
  call->result.problem = problem;
  call->result.code = problem->code;
  return problem->code;
}

static Code refuse_error(Call *call, Arena *arena, const Error *err) { return refuse(call, problem_from_error(arena, err)); }

/* The rules that decide an action whatever the row; a replace may update or create. */
static size_t rules_of_action(Action action, RuleAction ret[2]) {
  switch (action) {
    case ACTION_CREATE: ret[0] = RULE_CREATE; return 1;
    case ACTION_UPDATE: ret[0] = RULE_UPDATE; return 1;
    case ACTION_REPLACE:
      ret[0] = RULE_UPDATE;
      ret[1] = RULE_CREATE;
      return 2;
    case ACTION_DELETE: ret[0] = RULE_DELETE; return 1;
    default: ret[0] = RULE_READ; return 1;
  }
}

static Code is_refused(const Operation *operation, const Expr *rule, Arena *arena, bool *ret, Error *err) {
  if (rule == NULL || expr_is_true(rule)) {
    *ret = rule == NULL;
    return CODE_OK;
  }
  ExprEnv env = {.caller = operation->caller, .now_us = operation->now_us};
  const Expr *reduced = NULL;
  TRY(expr_reduce(rule, &env, arena, &reduced, err));
  *ret = expr_is_false(reduced);
  return CODE_OK;
}

static Selection *select_keys(const Resource *resource, Arena *arena) {
  Selection *selection = ARENA_NEW(arena, Selection);
  SelectionItem *items = ARENA_ARRAY(arena, SelectionItem, resource->key_count);
  if (selection == NULL || items == NULL) return NULL;
  for (size_t i = 0; i < resource->key_count; i++) items[i] = (SelectionItem){.field = resource->keys[i], .name = resource->keys[i]->name};
  *selection = (Selection){.resource = resource, .items = items, .count = resource->key_count};
  return selection;
}

/* A replace that is refused by both of its rules is refused by `update` where its caller sees the row, else by `create`: the row is asked
 * for, and nothing of the input. Strangers are told no rule, and what stands among others or is explained is not run alone. */
static bool has_row_to_ask_for(const CallGroup *group, const Operation *operation) {
  return operation->action == ACTION_REPLACE && operation->caller->is_authenticated && !resource_is_key_made(operation->resource) &&
         group->count == 1 && group->trace == NULL;
}

static Code ask_for_row(Call *call, Arena *arena, Error *err) {
  Operation *operation = &call->operation;
  Selection *selection = select_keys(operation->resource, arena);
  TRY_ALLOC(selection);
  *operation = (Operation){.action = ACTION_GET,
                           .resource = operation->resource,
                           .key = operation->key,
                           .selection = selection,
                           .caller = operation->caller,
                           .now_us = operation->now_us};
  call->sink = NULL;
  call->is_refused_replace = true;
  return CODE_OK;
}

static Code authorize(const CallGroup *group, Call *call, Error *err) {
  Arena *arena = group->arena;
  const Operation *operation = &call->operation;
  RuleAction actions[2];
  size_t count = rules_of_action(operation->action, actions), refused = 0;
  for (size_t i = 0; i < count; i++) {
    bool is_rule_false = false;
    TRY(is_refused(operation, operation->resource->access[actions[i]], arena, &is_rule_false, err));
    refused += is_rule_false;
  }
  if (refused < count) return CODE_OK;
  if (has_row_to_ask_for(group, operation)) return ask_for_row(call, arena, err);
  return refuse(call, rule_refusal(arena, operation->caller, operation->resource, NULL, actions[0]));
}

Code engine_authorize(Engine *engine, CallGroup *group) {
  (void)engine;
  for (size_t i = 0; i < group->count; i++) {
    Error err = {0};
    Code code = authorize(group, &group->calls[i], &err);
    if (code == CODE_OK) continue;
    if (group->calls[i].result.problem == NULL) refuse_error(&group->calls[i], group->arena, &err);
    if (group->is_partial) continue;
    group->failed = i;
    return code;
  }
  group->failed = group->count;
  return CODE_OK;
}

/* ---- plan ---- */

static Code plan_find(Engine *engine, ReadCall *call, Error *err) {
  Str shape = buf_str(&call->input.shape);
  call->plan = plan_cache_get(engine->reads, shape, call->arena);
  if (call->plan != NULL) return CODE_OK;
  Arena *arena = arena_create(0);
  TRY_ALLOC(arena);
  Code code = read_compile(call, arena, &call->plan, err);
  if (code != CODE_OK) {
    arena_destroy(arena);
    return code;
  }
  call->plan = plan_cache_put(engine->reads, shape, arena, call->plan, call->arena);
  return call->plan == NULL ? error_no_memory(err) : CODE_OK;
}

Code read_call_create(Engine *engine, const Operation *operation, ResultSink *sink, Arena *arena, ReadCall **ret, Error *err) {
  ReadCall *call = ARENA_NEW(arena, ReadCall);
  TRY_ALLOC(call);
  call->operation = operation;
  call->limits = &engine->limits;
  call->dialect = engine->dialect;
  call->arena = arena;
  call->input = plan_input_on(arena, engine->dialect, operation->caller, operation->now_us);
  call->sink = sink;
  TRY(read_outline(call, err));
  TRY(plan_find(engine, call, err));
  TRY(read_prepare(call, err));
  *ret = call;
  return CODE_OK;
}

static bool is_write(Action action) { return action >= ACTION_CREATE; }

static Code plan_call(Engine *engine, Call *call, CallGroup *group, Error *err) {
  call->plan = ARENA_NEW(group->arena, CallPlan);
  TRY_ALLOC(call->plan);
  if (call->before != NULL) return CODE_OK; /* its input is not known yet */
  if (is_write(call->operation.action)) return write_plan(engine, call, group->arena, err);
  Arena *arena = call->arena != NULL ? call->arena : group->arena;
  if (call->operation.action == ACTION_AGGREGATE) return aggregate_plan(engine, call, arena, err);
  bool is_get = call->operation.action == ACTION_GET;
  if (is_get && call->operation.key == NULL) return CODE_OK; /* no row can have such a key */
  return read_call_create(engine, &call->operation, call->sink, arena, &call->plan->read, err);
}

Code engine_plan(Engine *engine, CallGroup *group) {
  for (size_t i = 0; i < group->count; i++) {
    Error err = {0};
    if (group->calls[i].result.problem != NULL) continue; /* of a partial group */
    Code code = plan_call(engine, &group->calls[i], group, &err);
    if (code == CODE_OK) continue;
    if (group->calls[i].result.problem == NULL) refuse_error(&group->calls[i], group->arena, &err);
    if (group->is_partial) continue;
    group->failed = i;
    return code;
  }
  return CODE_OK;
}

/* ---- admit ---- */

static bool has_write(const CallGroup *group) {
  bool ret = false;
  for (size_t i = 0; i < group->count; i++) ret = ret || is_write(group->calls[i].operation.action);
  return ret;
}

static bool line_has_room(const Engine *engine, const StorePlan *plan, size_t beside) {
  StoreLine line = store_line(engine->session, plan);
  return line.waiting + beside < pace_room(line.each_ns, engine->limits.queue_wait_us, PACE_LINE_MIN);
}

/* NULL: nothing is to be read. */
static StoreRead *read_of(const CallPlan *plan) {
  if (plan->aggregate != NULL) return aggregate_read(plan->aggregate);
  return plan->read != NULL ? &plan->read->read : NULL;
}

bool engine_has_room(Engine *engine, const CallGroup *group, size_t beside) {
  if (has_write(group)) return line_has_room(engine, NULL, beside);
  for (size_t i = 0; i < group->count; i++) {
    const StoreRead *read = group->calls[i].result.problem == NULL ? read_of(group->calls[i].plan) : NULL;
    if (read != NULL && !line_has_room(engine, read->plan, beside)) return false;
  }
  return true;
}

/* ---- execute ---- */

static void group_count_down(CallGroup *group) {
  if (--group->pending == 0) group->done(group);
}

static void call_failed(Call *call, CallGroup *group) {
  size_t index = (size_t)(call - group->calls);
  if (index < group->failed) group->failed = index;
}

static const Problem *not_found(Arena *arena) {
  return problem_create(arena, CODE_NOT_FOUND, STR("there is no such resource, or you may not see it"));
}

/* RFC 9110 §13.2.2. */
Code read_check_conditions(Call *call, uint64_t tag, Arena *arena) {
  const Operation *operation = &call->operation;
  if (call->result.row_count == 0) return refuse(call, not_found(arena));
  if (operation->if_match.is_given && !etag_matches(&operation->if_match, tag)) {
    return refuse(call, problem_create(arena, CODE_PRECONDITION_FAILED, STR("the resource has another ETag than If-Match names")));
  }
  call->result.is_not_modified = operation->if_none_match.is_given && etag_matches(&operation->if_none_match, tag);
  return CODE_OK;
}

static Code refuse_replace(Call *call, Arena *arena) {
  const Operation *operation = &call->operation;
  RuleAction action = call->result.row_count > 0 ? RULE_UPDATE : RULE_CREATE;
  return refuse(call, rule_refusal(arena, operation->caller, operation->resource, NULL, action));
}

static Code finish(Call *call, CallGroup *group, Error *err) {
  if (call->plan->aggregate != NULL) {
    aggregate_finish(call->plan->aggregate, &call->result);
    return CODE_OK;
  }
  TRY(read_finish(call->plan->read, &call->result, err));
  if (call->is_refused_replace)
    (void)refuse_replace(call, group->arena);
  else if (call->operation.action == ACTION_GET)
    (void)read_check_conditions(call, call->plan->read->etag, group->arena);
  return CODE_OK;
}

static void read_done(StoreRead *read, Code code, const Error *store_error) {
  CallGroup *group = read->group;
  Call *call = read->call;
  Error err = {0};
  if (code != CODE_OK)
    err = *store_error;
  else
    code = finish(call, group, &err);
  if (code != CODE_OK) refuse_error(call, group->arena, &err);
  if (call->result.code != CODE_OK) call_failed(call, group);
  group_count_down(group);
}

static void execute_read(Engine *engine, CallGroup *group, Call *call) {
  CallPlan *plan = call->plan;
  if (call->result.problem != NULL) {
    group_count_down(group);
    return;
  }
  StoreRead *read = read_of(plan);
  if (read == NULL) {
    if (call->is_refused_replace)
      (void)refuse_replace(call, group->arena);
    else
      (void)refuse(call, not_found(group->arena));
    call_failed(call, group);
    group_count_down(group);
    return;
  }
  read->call = call;
  read->group = group;
  read->is_copy_good = group->freshness != NULL;
  read->position = group->freshness != NULL ? group->freshness->seen : 0;
  read->done = read_done;
  read->deadline_us = group->deadline_us;
  read->is_abandoned = group->is_abandoned;
  store_read(engine->session, read);
}

void engine_execute(Engine *engine, CallGroup *group) {
  group->engine = engine;
  group->failed = group->count;
  if (has_write(group)) {
    write_execute(engine, group);
    return;
  }
  /* One more than the calls, so that the group can't be done before all are under way. */
  group->pending = group->count + 1;
  for (size_t i = 0; i < group->count; i++) execute_read(engine, group, &group->calls[i]);
  group_count_down(group);
}
