/* write_execute.c - a group of calls as one StoreWrite: all in order, in one transaction; the first that fails rolls all back and is the
 * answer. */
#include <time.h>

#include "query/aggregate.h"
#include "query/explain_impl.h"
#include "query/write_row.h"

static Code refuse_error(Write *write, const Error *err) { return write_refuse(write, problem_from_error(write->arena, err)); }

/* Rows may be run more than once, when the store must begin again. */
static void row_restart(WriteRow *row) {
  row->old = row->row = NULL;
  row->is_created = false;
  /* What a patch nests is known only when it is applied. */
  if (row->patch != NULL) row->references.count = row->children.count = 0;
  for (size_t i = 0; i < row->references.count; i++) {
    if (row->references.items[i].target != NULL) row_restart(row->references.items[i].target);
  }
  for (size_t i = 0; i < row->children.count; i++) row_restart(row->children.items[i]);
}

static void call_restart(Call *call) {
  call->result = (Result){0};
  for (size_t i = 0; call->plan != NULL && i < call->plan->row_count; i++) row_restart(call->plan->rows[i]);
  if (call->sink != NULL && call->sink->restart != NULL) call->sink->restart(call->sink);
}

static Code run_read(Write *write, Error *err) {
  Call *call = write->call;
  if (call->plan->aggregate != NULL) {
    StoreRead *aggregate = aggregate_read(call->plan->aggregate);
    aggregate->restart(aggregate);
    TRY(store_txn_read(write->txn, aggregate, err));
    aggregate_finish(call->plan->aggregate, &call->result);
    return CODE_OK;
  }
  ReadCall *read = call->plan->read;
  if (read == NULL)
    return write_refuse(write, problem_create(write->arena, CODE_NOT_FOUND, STR("there is no such resource, or you may not see it")));
  read->read.restart(&read->read);
  TRY(store_txn_read(write->txn, &read->read, err));
  TRY(read_finish(read, &call->result, err));
  return call->operation.action == ACTION_GET ? read_check_conditions(call, read->etag, write->arena) : CODE_OK;
}

/* An Operation that is completed by what went before it is validated only now. */
static Code run_before(Write *write, Error *err) {
  Call *call = write->call;
  if (call->before == NULL) return CODE_OK;
  const Problem *problem = NULL;
  Code code = call->before(call, call->before_context, &problem);
  if (code != CODE_OK) return problem == NULL ? error_set(err, code, "the operation can't be completed") : write_refuse(write, problem);
  call->plan = ARENA_NEW(write->arena, CallPlan);
  TRY_ALLOC(call->plan);
  if (call->operation.action >= ACTION_CREATE) return write_plan(write->engine, call, write->arena, err);
  if (call->operation.action == ACTION_AGGREGATE) return aggregate_plan(write->engine, call, write->arena, err);
  return read_call_create(write->engine, &call->operation, call->sink, write->arena, &call->plan->read, err);
}

static void destroy_arena(void *arena) { arena_destroy(arena); }

/* Of imported rows nothing is wanted back: what each takes is let go of behind it. */
static Code run_imported(Write *write, const CallPlan *plan, Error *err) {
  Arena *lasting = write->arena, *scratch = arena_create(0);
  Code code = CODE_OK;
  TRY_ALLOC(scratch);
  if (!arena_defer(lasting, destroy_arena, scratch)) {
    arena_destroy(scratch);
    return error_no_memory(err);
  }
  write->arena = scratch;
  for (size_t i = 0; code == CODE_OK && i < plan->row_count; i++) {
    code = write_row_run(write, plan->rows[i], err);
    if (code != CODE_OK) break; /* what refuses it lies there */
    memset(&write->mistakes, 0, sizeof write->mistakes);
    arena_reset(scratch);
  }
  write->arena = lasting;
  return code;
}

static Code run_call(Write *write, Error *err) {
  Call *call = write->call;
  call_restart(call);
  memset(&write->mistakes, 0, sizeof write->mistakes);
  write->is_disturbed = false;
  TRY(run_before(write, err));
  if (call->operation.action < ACTION_CREATE) return run_read(write, err);
  if (call->operation.is_import) return run_imported(write, call->plan, err);
  for (size_t i = 0; i < call->plan->row_count; i++) TRY(write_row_run(write, call->plan->rows[i], err));
  return write_answer(write, err);
}

static Code run_calls(Write *write, Error *err) {
  CallGroup *group = write->group;
  for (size_t i = 0; i < group->count; i++) {
    write->call = &group->calls[i];
    Code code = run_call(write, err);
    if (code == CODE_OK) continue;
    group->failed = i;
    return write->call->result.problem == NULL ? refuse_error(write, err) : code;
  }
  return CODE_OK;
}

/* What is not any one call's: told by the first. */
static Code refuse_group(Write *write, Code code, const Problem *problem, const Error *err) {
  write->call = &write->group->calls[0];
  if (code == CODE_OK) return CODE_OK;
  return problem != NULL ? write_refuse(write, problem) : refuse_error(write, err);
}

static Code run_group(Write *write, Error *err) {
  CallGroup *group = write->group;
  Idempotency *idempotency = group->idempotency;
  const Problem *problem = NULL;
  Code code = CODE_OK;
  if (idempotency != NULL) {
    for (size_t i = 0; i < group->count; i++) group->calls[i].result = (Result){0};
    code = idempotency_find(write->engine, idempotency, write->txn, write->arena, &problem, err);
    if (code != CODE_OK || idempotency->replay.ptr != NULL) return refuse_group(write, code, problem, err);
  }
  TRY(run_calls(write, err));
  code = change_record_end(write, err);
  if (code == CODE_OK && group->answer != NULL) code = group->answer(group, &problem);
  if (code != CODE_OK || idempotency == NULL) return refuse_group(write, code, problem, err);
  code = idempotency_keep(write->engine, idempotency, write->txn, write->arena, &problem, err);
  return refuse_group(write, code, problem, err);
}

/* Whoever asked has been told so by then. */
static bool is_overdue(const CallGroup *group) {
  struct timespec now;
  if (group->deadline_us == 0) return false;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 > group->deadline_us;
}

static Code run(StoreWrite *store_write, StoreTxn *txn, Error *err) {
  Write *write = (Write *)store_write;
  if (is_overdue(write->group)) return error_set(err, CODE_TIMEOUT, "the time that the client gave is over");
  write->txn = txn;
  explain_restart(write->group->trace);
  write->group->failed = write->group->count;
  write->has_changes = false;
  write->insert = (WriteInsert){0};
  change_record_begin(write);
  return run_group(write, err);
}

static bool has_problem(const CallGroup *group) {
  size_t failed = group->failed < group->count ? group->failed : 0;
  return group->calls[failed].result.problem != NULL;
}

/* A transaction can fail after its program: at the commit, or before it began. */
static void done(StoreWrite *store_write, Code code, const Error *err) {
  Write *write = (Write *)store_write;
  CallGroup *group = write->group;
  if (code != CODE_OK && !has_problem(group)) {
    group->failed = group->count;
    refuse_group(write, code, NULL, err);
  }
  if (code == CODE_OK && write->has_changes) change_feed_wake(write->engine->feed);
  group->has_waiting = write->store.has_waiting;
  if (group->freshness != NULL && write->store.position > group->freshness->written) group->freshness->written = write->store.position;
  if (group->idempotency != NULL) idempotency_end(group->idempotency, code == CODE_OK && !write->store.is_dry_run);
  group->done(group);
}

static Isolation stricter(Isolation a, Isolation b) { return a > b ? a : b; }

static Isolation row_isolation(const WriteRow *row) {
  Isolation isolation = row->resource->isolation;
  for (size_t i = 0; i < row->references.count; i++) {
    if (row->references.items[i].target != NULL) isolation = stricter(isolation, row_isolation(row->references.items[i].target));
  }
  for (size_t i = 0; i < row->children.count; i++) isolation = stricter(isolation, row_isolation(row->children.items[i]));
  return isolation;
}

/* The strictest that any resource of the group asks for, nested ones included. */
static Isolation group_isolation(const CallGroup *group) {
  Isolation isolation = ISOLATION_DEFAULT;
  for (size_t i = 0; i < group->count; i++) {
    const Call *call = &group->calls[i];
    isolation = stricter(isolation, call->operation.resource->isolation);
    for (size_t r = 0; call->plan != NULL && r < call->plan->row_count; r++)
      isolation = stricter(isolation, row_isolation(call->plan->rows[r]));
  }
  return isolation;
}

static void refuse_at_once(CallGroup *group, const Problem *problem) {
  group->calls[0].result.problem = problem;
  group->calls[0].result.code = problem->code;
  group->failed = group->count;
  group->done(group);
}

/* False where it is refused: the group is done. */
static bool begin_once(Engine *engine, CallGroup *group) {
  if (engine->keys == NULL) group->idempotency = NULL;
  if (group->idempotency == NULL) return true;
  const Operation *first = &group->calls[0].operation;
  Code code = idempotency_begin(engine->keys, group->idempotency, first->caller, first->now_us, group->arena);
  if (code == CODE_OK) return true;
  refuse_at_once(group, code == CODE_CONFLICT
                            ? problem_with_hint(group->arena, CODE_CONFLICT, STR("a request with this Idempotency-Key is under way"),
                                                STR("wait for its answer, or repeat the request later"))
                            : problem_create(group->arena, code, STR("the server is out of memory for this request")));
  return false;
}

void write_execute(Engine *engine, CallGroup *group) {
  Write *write = ARENA_NEW(group->arena, Write);
  if (write == NULL) {
    refuse_at_once(group, problem_create(group->arena, CODE_UNAVAILABLE, STR("the server is out of memory for this request")));
    return;
  }
  if (!begin_once(engine, group)) return;
  *write = (Write){.engine = engine, .group = group, .arena = group->arena, .call = &group->calls[0]};
  write->store.run = run;
  write->store.done = done;
  for (size_t i = 0; i < group->count; i++) write->store.is_dry_run = write->store.is_dry_run || group->calls[i].operation.is_dry_run;
  write->store.isolation = group_isolation(group);
  store_write(engine->session, &write->store);
}
