/* write_execute.c - a group of calls as one StoreWrite: all in order, in one transaction; the first that fails rolls all back and is the
 * answer. */
#include "query/aggregate.h"
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
  if (call->operation.action != ACTION_GET || call->result.row_count > 0) return CODE_OK;
  return write_refuse(write, problem_create(write->arena, CODE_NOT_FOUND, STR("there is no such resource, or you may not see it")));
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

static Code run_call(Write *write, Error *err) {
  Call *call = write->call;
  call_restart(call);
  write->mistakes.count = 0;
  TRY(run_before(write, err));
  if (call->operation.action < ACTION_CREATE) return run_read(write, err);
  for (size_t i = 0; i < call->plan->row_count; i++) TRY(write_row_run(write, call->plan->rows[i], err));
  return write_answer(write, err);
}

static Code run(StoreWrite *store_write, StoreTxn *txn, Error *err) {
  Write *write = (Write *)store_write;
  write->txn = txn;
  for (size_t i = 0; i < write->group->count; i++) {
    write->call = &write->group->calls[i];
    Code code = run_call(write, err);
    if (code == CODE_OK) continue;
    write->group->failed = i;
    return write->call->result.problem == NULL ? refuse_error(write, err) : code;
  }
  write->group->failed = write->group->count;
  return CODE_OK;
}

/* A transaction can fail after its program: at the commit, or before it began. */
static void done(StoreWrite *store_write, Code code, const Error *err) {
  Write *write = (Write *)store_write;
  CallGroup *group = write->group;
  if (code != CODE_OK && (group->failed >= group->count || group->calls[group->failed].result.problem == NULL)) {
    group->failed = 0;
    write->call = &group->calls[0];
    refuse_error(write, err);
  }
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

void write_execute(Engine *engine, CallGroup *group) {
  Write *write = ARENA_NEW(group->arena, Write);
  if (write == NULL) {
    group->calls[0].result.problem = problem_create(group->arena, CODE_UNAVAILABLE, STR("the server is out of memory for this request"));
    group->calls[0].result.code = CODE_UNAVAILABLE;
    group->failed = 0;
    group->done(group);
    return;
  }
  *write = (Write){.engine = engine, .group = group, .arena = group->arena, .call = &group->calls[0]};
  write->store.run = run;
  write->store.done = done;
  for (size_t i = 0; i < group->count; i++) write->store.is_dry_run = write->store.is_dry_run || group->calls[i].operation.is_dry_run;
  write->store.isolation = group_isolation(group);
  store_write(engine->session, &write->store);
}
