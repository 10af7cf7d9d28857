/* fixture.h - a store under test: opened anew for each test, with a loop and a session, and short ways to make statements for its dialect
 * and to run reads and writes to their end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "contract/model.h"
#include "io/loop.h"
#include "sql/select.h"
#include "store/store.h"

typedef struct Fixture Fixture;

/* A store that the suite is run against: one line in `stores` (fixture.c). */
typedef struct StoreCase {
  const char *name;
  /* The URL of an empty database; on fixture->arena. */
  Str (*make_url)(Fixture *fixture);
  bool moves_slow_reads; /* slow reads are counted in StoreStats.slow_reads */
  bool goes_on;          /* a transaction goes on after a conflict */
  bool loses_groups;     /* a statement's timeout may end the transaction of the whole group, which then runs again */
} StoreCase;

extern const StoreCase stores[];
size_t store_count(void);

struct Fixture {
  const StoreCase *store_case;
  char folder[64]; /* removed at the end */
  Str url;
  Arena *arena;
  Contract *contract;
  Store *store;
  Loop *loop;
  StoreSession *session;
  SqlWriter writer;
  size_t pending; /* reads and writes whose done has not been called */
  bool is_running;
  int64_t statement_timeout_us;
  size_t writes_queued_max;
  LoopMessage wake;
};

/* Opens the store, makes the tables of `sdl`. */
void fixture_open(Fixture *fixture, const StoreCase *store_case, const char *sdl);
void fixture_close(Fixture *fixture);
/* The two halves of each, for tests in which opening fails: without the store, and the store alone, as often as is wanted. */
void fixture_prepare(Fixture *fixture, const StoreCase *store_case, const char *sdl);
Code fixture_open_store(Fixture *fixture, Error *err);
void fixture_close_store(Fixture *fixture);
void fixture_release(Fixture *fixture);
/* Ends the turn that is being filled, and goes on until nothing is pending. */
void fixture_run(Fixture *fixture);
void fixture_finished(Fixture *fixture); /* from a done callback */
const Resource *fixture_resource(const Fixture *fixture, const char *name);

/* A statement for the store's dialect. In `text` these stand for:
 *   {p:Type.field}   the next parameter, as it is stored in the field's column
 *   {q:Type.field}   the next parameter, compared with {k:…}
 *   {k:Type.field}   the field's column, to be compared
 *   {c:Type.field}   the field's column as a column of the result
 *   {int}            nothing: what stands before it is a column of the result, an integer */
StoreStatement *statement_make(Fixture *fixture, const char *text, bool is_write);

/* ---- reads ---- */

typedef struct TestRow {
  size_t statement;
  Value *values;
} TestRow;

typedef struct TestRead {
  StoreRead base; /* first */
  Fixture *fixture;
  StorePlan plan;
  const StoreStatement *statements[4];
  uint32_t levels[4];
  bool is_repeated[4];
  const Value *params[4]; /* of each statement; may be NULL where it has none */
  /* Instead of params, where set. */
  bool (*bind)(struct TestRead *read, size_t statement, const Value **ret_params);
  Code (*row)(struct TestRead *read, size_t statement, const Value *columns, Error *err); /* before the row is kept; may be NULL */
  void (*after)(struct TestRead *read);                                                   /* from done; may be NULL */
  void *context;
  TestRow rows[1024];
  size_t row_count;
  size_t done_count, restart_count, bind_count[4];
  Code code;
  Error error;
} TestRead;

/* On the fixture's arena; run it with fixture_read. */
TestRead *read_make(Fixture *fixture, const StoreStatement *const *list, size_t count);
TestRead *read_one(Fixture *fixture, const StoreStatement *statement, const Value *params);
void fixture_read(Fixture *fixture, TestRead *read); /* queued in this turn */
/* The first column of the first row of one statement, run now, in a turn of its own. */
int64_t fixture_int(Fixture *fixture, const char *text);

/* ---- writes ---- */

typedef struct TestWrite TestWrite;
typedef Code TestProgram(TestWrite *write, StoreTxn *txn, Error *err);
struct TestWrite {
  StoreWrite base; /* first */
  Fixture *fixture;
  TestProgram *program;
  void *context;
  size_t number;
  void (*after)(TestWrite *write); /* from done; may be NULL */
  size_t run_count, done_count;
  Code code;
  Error error;
};

TestWrite *write_make(Fixture *fixture, TestProgram *program, void *context);
void fixture_write(Fixture *fixture, TestWrite *write); /* queued in this turn */
/* Queued, and run to its end. */
Code fixture_write_now(Fixture *fixture, TestProgram *program, void *context);
/* The program in a transaction of another session, on another thread; returns when it is done. */
Code fixture_write_elsewhere(Fixture *fixture, TestProgram *program, void *context);
