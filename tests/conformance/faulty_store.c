#include "faulty_store.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"

typedef struct FaultyStore {
  Store base;
  StoreDriver driver; /* with the inner store's dialect */
  Store *inner;
  /* Programs run on a thread of the inner store. */
  atomic_size_t countdown, memory_countdown;
  atomic_bool has_failed, is_twice;
  Code code;
} FaultyStore;

typedef struct FaultySession {
  StoreSession base;
  StoreSession *inner;
  Loop *loop;
  LoopHook hook;
  struct FaultyRead *refused_reads; /* those that failed before they began: answered at the end of the turn */
  struct FaultyWrite *refused_writes;
} FaultySession;

typedef struct FaultyTxn {
  StoreTxn base;
  FaultyStore *store;
  StoreTxn *inner;
} FaultyTxn;

/* What the inner store runs in place of the caller's read. */
typedef struct FaultyRead {
  StoreRead base; /* first */
  StoreRead *outer;
  FaultyStore *store;
  FaultySession *session;
  bool has_run;
  Error error;
  struct FaultyRead *next_refused;
} FaultyRead;

typedef struct FaultyWrite {
  StoreWrite base; /* first */
  StoreWrite *outer;
  FaultyStore *store;
  FaultySession *session;
  bool has_run;
  Error error;
  struct FaultyWrite *next_refused;
} FaultyWrite;

/* ---- when ---- */

void faulty_store_fail(Store *base, size_t nth, Code code) {
  FaultyStore *store = (FaultyStore *)base;
  store->code = code;
  store->has_failed = false;
  store->countdown = nth;
}

void faulty_store_fail_memory(Store *base, size_t nth) {
  FaultyStore *store = (FaultyStore *)base;
  store->has_failed = false;
  store->memory_countdown = nth;
}

bool faulty_store_has_failed(const Store *store) { return ((const FaultyStore *)store)->has_failed; }

void faulty_store_run_twice(Store *store, bool is_twice) { ((FaultyStore *)store)->is_twice = is_twice; }

static Code fail_perhaps(FaultyStore *store, Error *err) {
  size_t left = store->countdown;
  if (left == 0) return CODE_OK;
  store->countdown = left - 1;
  if (left > 1) return CODE_OK;
  store->has_failed = true;
  return error_set(err, store->code, "the store fails, as it was asked to");
}

/* ---- reads ---- */

static bool read_bind(StoreRead *base, size_t statement, const Value **ret_params) {
  StoreRead *outer = ((FaultyRead *)base)->outer;
  return outer->bind(outer, statement, ret_params);
}

static Code read_row(StoreRead *base, size_t statement, const Value *columns, Error *err) {
  FaultyRead *read = (FaultyRead *)base;
  TRY(fail_perhaps(read->store, err));
  read->outer->run = base->run;
  return read->outer->row(read->outer, statement, columns, err);
}

static void read_restart(StoreRead *base) {
  StoreRead *outer = ((FaultyRead *)base)->outer;
  outer->restart(outer);
}

static void read_done(StoreRead *base, Code code, const Error *err) {
  FaultyRead *read = (FaultyRead *)base;
  if (code == CODE_OK && read->store->is_twice && !read->has_run) {
    read->has_run = true;
    read->outer->restart(read->outer);
    store_read(read->session->inner, &read->base);
    return;
  }
  Error error = {0};
  if (code == CODE_OK) {
    code = fail_perhaps(read->store, &error);
    err = &error;
  }
  read->outer->done(read->outer, code, err);
  free(read);
}

static FaultyRead read_around(FaultyStore *store, StoreRead *outer) {
  return (FaultyRead){
      .base = {.plan = outer->plan, .arena = outer->arena, .bind = read_bind, .row = read_row, .restart = read_restart, .done = read_done},
      .outer = outer,
      .store = store};
}

static void faulty_read(StoreSession *base, StoreRead *outer) {
  FaultySession *session = (FaultySession *)base;
  FaultyRead *read = malloc(sizeof *read);
  if (read == NULL) abort();
  *read = read_around((FaultyStore *)base->store, outer);
  read->session = session;
  if (fail_perhaps(read->store, &read->error) == CODE_OK) {
    store_read(session->inner, &read->base);
    return;
  }
  read->next_refused = session->refused_reads;
  session->refused_reads = read;
  loop_run_hooks_again(session->loop);
}

/* ---- writes ---- */

static Code write_run_outer(FaultyWrite *write, StoreTxn *inner, Error *err) {
  FaultyTxn txn = {.base = {&write->store->driver}, .store = write->store, .inner = inner};
  memory_fail_after(write->store->memory_countdown);
  Code code = write->outer->run(write->outer, &txn.base, err);
  if (write->store->memory_countdown != 0 && memory_fail_countdown == 0) write->store->has_failed = true;
  memory_fail_after(0);
  return code;
}

static Code write_run(StoreWrite *base, StoreTxn *inner, Error *err) {
  FaultyWrite *write = (FaultyWrite *)base;
  TRY(write_run_outer(write, inner, err));
  if (write->store->is_twice && !write->has_run) return error_set(err, CODE_UNAVAILABLE, "it will be run again");
  /* The commit. */
  return fail_perhaps(write->store, err);
}

static void write_done(StoreWrite *base, Code code, const Error *err) {
  FaultyWrite *write = (FaultyWrite *)base;
  if (write->store->is_twice && !write->has_run) {
    write->has_run = true;
    store_write(write->session->inner, &write->base);
    return;
  }
  write->outer->done(write->outer, code, err);
  free(write);
}

static void faulty_write(StoreSession *base, StoreWrite *outer) {
  FaultySession *session = (FaultySession *)base;
  FaultyWrite *write = malloc(sizeof *write);
  if (write == NULL) abort();
  *write = (FaultyWrite){.base = {.run = write_run, .done = write_done, .is_dry_run = outer->is_dry_run, .isolation = outer->isolation},
                         .outer = outer,
                         .store = (FaultyStore *)base->store,
                         .session = session};
  if (fail_perhaps(write->store, &write->error) == CODE_OK) {
    store_write(session->inner, &write->base);
    return;
  }
  write->next_refused = session->refused_writes;
  session->refused_writes = write;
  loop_run_hooks_again(session->loop);
}

typedef struct RowContext {
  FaultyStore *store;
  StoreRowFn *row;
  void *context;
} RowContext;

static Code txn_row(void *context, const Value *columns, Error *err) {
  RowContext *at = context;
  TRY(fail_perhaps(at->store, err));
  return at->row(at->context, columns, err);
}

static Code faulty_txn_run(StoreTxn *base, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                           int64_t *ret_changes, StoreConflict *ret_conflict, Error *err) {
  FaultyTxn *txn = (FaultyTxn *)base;
  RowContext at = {txn->store, row, context};
  if (ret_conflict != NULL) *ret_conflict = (StoreConflict){.kind = STORE_CONFLICT_NONE};
  TRY(fail_perhaps(txn->store, err));
  TRY(store_txn_run(txn->inner, statement, params, row == NULL ? NULL : txn_row, &at, ret_changes, ret_conflict, err));
  return fail_perhaps(txn->store, err);
}

static Code faulty_txn_read(StoreTxn *base, StoreRead *outer, Error *err) {
  FaultyTxn *txn = (FaultyTxn *)base;
  FaultyRead read = read_around(txn->store, outer);
  TRY(fail_perhaps(txn->store, err));
  TRY(store_txn_read(txn->inner, &read.base, err));
  return fail_perhaps(txn->store, err);
}

/* ---- life ---- */

static void session_answer_refused(void *context) {
  FaultySession *session = context;
  while (session->refused_reads != NULL) {
    FaultyRead *read = session->refused_reads;
    session->refused_reads = read->next_refused;
    read->outer->done(read->outer, read->error.code, &read->error);
    free(read);
  }
  while (session->refused_writes != NULL) {
    FaultyWrite *write = session->refused_writes;
    session->refused_writes = write->next_refused;
    write->outer->done(write->outer, write->error.code, &write->error);
    free(write);
  }
}

static Code faulty_session_open(Store *base, Loop *loop, StoreSession **ret, Error *err) {
  FaultyStore *store = (FaultyStore *)base;
  FaultySession *session = calloc(1, sizeof *session);
  TRY_ALLOC(session);
  session->base = (StoreSession){&store->driver, base};
  session->loop = loop;
  session->hook = (LoopHook){.run = session_answer_refused, .context = session};
  Code code = store_session_open(store->inner, loop, &session->inner, err);
  if (code != CODE_OK) {
    free(session);
    return code;
  }
  loop_hook_add(loop, &session->hook);
  *ret = &session->base;
  return CODE_OK;
}

static void faulty_session_close(StoreSession *base) {
  FaultySession *session = (FaultySession *)base;
  session_answer_refused(session);
  store_session_close(session->inner);
  loop_hook_remove(session->loop, &session->hook);
  free(session);
}

static void faulty_close(Store *store) { free(store); }

static const StoreDriver faulty_driver = {
    .name = STR_INIT("faulty"),
    .close = faulty_close,
    .session_open = faulty_session_open,
    .session_close = faulty_session_close,
    .read = faulty_read,
    .write = faulty_write,
    .txn_run = faulty_txn_run,
    .txn_read = faulty_txn_read,
};

Store *faulty_store_open(Store *inner) {
  FaultyStore *store = calloc(1, sizeof *store);
  if (store == NULL) abort();
  store->driver = faulty_driver;
  store->driver.dialect = inner->driver->dialect;
  store->base.driver = &store->driver;
  store->inner = inner;
  return &store->base;
}
