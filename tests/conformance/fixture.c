#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include "contract/load.h"
#include "migrate/start.h"

/* ---- the stores ---- */

static Str file_url(Fixture *fixture) { return arena_printf(fixture->arena, "sqlite:%s/test.db", fixture->folder); }

static Str memory_url(Fixture *fixture) {
  (void)fixture;
  return STR("sqlite::memory:");
}

/* An empty database for each test, made by who runs this (tests/e2e/store-conformance.test.mjs): test_1, test_2 … */
static Str postgres_url(Fixture *fixture) {
  static int taken;
  return arena_printf(fixture->arena, "postgresql://caisson@/test_%d%s", ++taken, getenv("CAISSON_TEST_POSTGRES"));
}

const StoreCase stores[] = {
    {.name = "SQLite in a file", .make_url = file_url, .moves_slow_reads = true, .goes_on = true, .loses_groups = true},
    {.name = "SQLite in memory", .make_url = memory_url, .moves_slow_reads = true, .goes_on = true, .loses_groups = true},
    {.name = "PostgreSQL", .make_url = postgres_url},
};
/* A PostgreSQL server is not always there: the last line counts where one is named. */
size_t store_count(void) { return sizeof stores / sizeof *stores - (getenv("CAISSON_TEST_POSTGRES") == NULL ? 1 : 0); }

/* ---- life ---- */

static void do_nothing(void *context) { (void)context; }

static Contract *contract_of(Fixture *fixture, const char *sdl) {
  ContractFile file = {.name = STR("conformance.graphql"), .text = str_of(sdl)};
  DiagnosticList mistakes = {0};
  Contract *contract = NULL;
  Error error = {0};
  if (contract_load(&file, 1, fixture->arena, &contract, &mistakes, &error) != CODE_OK) {
    fail_msg("the contract: %.*s", STR_ARGS(mistakes.count > 0 ? mistakes.items[0].message : str_of(error.text)));
  }
  return contract;
}

void fixture_prepare(Fixture *fixture, const StoreCase *store_case, const char *sdl) {
  int64_t timeout_us = fixture->statement_timeout_us;
  size_t queued_max = fixture->writes_queued_max;
  *fixture = (Fixture){.store_case = store_case,
                       .arena = arena_create(0),
                       .folder = "/tmp/caisson-store-XXXXXX",
                       .statement_timeout_us = timeout_us == 0 ? INT64_C(20000000) : timeout_us,
                       .writes_queued_max = queued_max == 0 ? 100000 : queued_max,
                       .wake = {.run = do_nothing}};
  assert_non_null(mkdtemp(fixture->folder));
  fixture->contract = contract_of(fixture, sdl);
  fixture->url = store_case->make_url(fixture);
}

Code fixture_open_store(Fixture *fixture, Error *err) {
  StoreOptions options = {
      .url = fixture->url, .statement_timeout_us = fixture->statement_timeout_us, .writes_queued_max = fixture->writes_queued_max};
  TRY(store_open(&options, &fixture->store, err));
  Str differences = {0};
  Code code = tables_start(fixture->store, fixture->contract, true, fixture->arena, &differences, err);
  if (code == CODE_OK) assert_int_equal(loop_create(&fixture->loop, err), CODE_OK);
  if (code == CODE_OK) code = store_session_open(fixture->store, fixture->loop, &fixture->session, err);
  if (code != CODE_OK)
    fixture_close_store(fixture);
  else
    fixture->writer = (SqlWriter){.arena = fixture->arena, .dialect = fixture->store->driver->dialect};
  return code;
}

void fixture_open(Fixture *fixture, const StoreCase *store_case, const char *sdl) {
  Error error = {0};
  fixture_prepare(fixture, store_case, sdl);
  if (fixture_open_store(fixture, &error) != CODE_OK) fail_msg("%s: %s", store_case->name, error.text);
}

static void folder_remove(const char *path) {
  DIR *folder = opendir(path);
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) unlinkat(dirfd(folder), entry->d_name, 0);
  closedir(folder);
  rmdir(path);
}

void fixture_close_store(Fixture *fixture) {
  store_session_close(fixture->session);
  assert_int_equal(fixture->pending, 0);
  store_close(fixture->store);
  loop_destroy(fixture->loop);
  fixture->session = NULL;
  fixture->store = NULL;
  fixture->loop = NULL;
}

void fixture_release(Fixture *fixture) {
  contract_destroy(fixture->contract);
  arena_destroy(fixture->arena);
  folder_remove(fixture->folder);
}

void fixture_close(Fixture *fixture) {
  fixture_close_store(fixture);
  fixture_release(fixture);
}

void fixture_run(Fixture *fixture) {
  if (fixture->pending == 0) return;
  /* A loop sleeps before its first turn's end: the message is what wakes it. */
  loop_post(fixture->loop, &fixture->wake);
  fixture->is_running = true;
  loop_run(fixture->loop);
  fixture->is_running = false;
  assert_int_equal(fixture->pending, 0);
}

void fixture_finished(Fixture *fixture) {
  /* A stop that comes while the loop does not run would stop its next run. */
  if (--fixture->pending == 0 && fixture->is_running) loop_stop(fixture->loop);
}

const Resource *fixture_resource(const Fixture *fixture, const char *name) {
  const Resource *resource = contract_resource(fixture->contract, str_of(name));
  if (resource == NULL) fail_msg("no type %s", name);
  return resource;
}

/* ---- statements ---- */

enum { MARKS_MAX = 40, STATEMENT_MAX = 16384 };

typedef struct Statement {
  Fixture *fixture;
  Buf sql;
  StoreColumn columns[MARKS_MAX];
  size_t column_count;
  ValueType params[MARKS_MAX];
  size_t param_count;
} Statement;

static const Field *field_at(const Fixture *fixture, Str path) {
  size_t dot = str_find_byte(path, '.', 0);
  const Resource *resource = contract_resource(fixture->contract, str_slice(path, 0, dot));
  const Field *field = resource == NULL ? NULL : resource_field(resource, str_slice(path, dot + 1, path.len));
  if (field == NULL) fail_msg("no field %.*s", STR_ARGS(path));
  return field;
}

static void mark_write(Statement *statement, Str mark) {
  const SqlWriter *writer = &statement->fixture->writer;
  if (str_equal(mark, STR("int"))) {
    statement->columns[statement->column_count++] = (StoreColumn){.type = VALUE_INT};
    return;
  }
  const Field *field = field_at(statement->fixture, str_slice(mark, 2, mark.len));
  switch (mark.ptr[0]) {
    case 'p':
    case 'q':
      statement->params[statement->param_count++] = field_value_type(field);
      if (mark.ptr[0] == 'p')
        sql_write_stored_param(writer, &statement->sql, (uint32_t)statement->param_count, field);
      else
        sql_write_field_param(writer, &statement->sql, (uint32_t)statement->param_count, field);
      return;
    case 'c':
      statement->columns[statement->column_count++] = (StoreColumn){.type = field_value_type(field), .field = field};
      sql_write_returned(writer, &statement->sql, field);
      return;
    case 'k': sql_write_identifier(&statement->sql, field->column); return;
    default: fail_msg("no mark {%.*s}", STR_ARGS(mark));
  }
}

StoreStatement *statement_make(Fixture *fixture, const char *text, bool is_write) {
  Arena *arena = fixture->arena;
  Statement made = {.fixture = fixture, .sql = buf_on(arena, STATEMENT_MAX)};
  Str rest = str_of(text);
  while (rest.len > 0) {
    size_t open = str_find_byte(rest, '{', 0);
    buf_add(&made.sql, str_slice(rest, 0, open));
    if (open == rest.len) break;
    size_t close = str_find_byte(rest, '}', open);
    mark_write(&made, str_slice(rest, open + 1, close));
    rest = str_slice(rest, close + 1, rest.len);
  }
  StoreStatement *statement = ARENA_NEW(arena, StoreStatement);
  StoreColumn *columns = ARENA_ARRAY(arena, StoreColumn, made.column_count);
  ValueType *params = ARENA_ARRAY(arena, ValueType, made.param_count);
  memcpy(columns, made.columns, made.column_count * sizeof *columns);
  memcpy(params, made.params, made.param_count * sizeof *params);
  buf_add_byte(&made.sql, '\0');
  assert_int_equal(made.sql.failed, CODE_OK);
  *statement = (StoreStatement){.id = store_statement_id(),
                                .sql = {made.sql.ptr, made.sql.len - 1},
                                .columns = columns,
                                .column_count = made.column_count,
                                .param_types = params,
                                .param_count = made.param_count,
                                .is_write = is_write};
  return statement;
}

/* ---- reads ---- */

static bool on_bind(StoreRead *base, size_t statement, const Value **ret_params) {
  TestRead *read = (TestRead *)base;
  read->bind_count[statement]++;
  if (read->bind != NULL) return read->bind(read, statement, ret_params);
  *ret_params = read->params[statement];
  return true;
}

static bool is_textual(ValueType type) { return type == VALUE_TEXT || type == VALUE_DECIMAL || type == VALUE_BYTES || type == VALUE_JSON; }

static Code on_row(StoreRead *base, size_t statement, const Value *columns, Error *err) {
  TestRead *read = (TestRead *)base;
  if (read->row != NULL) TRY(read->row(read, statement, columns, err));
  assert_true(read->row_count < sizeof read->rows / sizeof *read->rows);
  size_t count = read->plan.statements[statement]->column_count;
  Value *values = ARENA_ARRAY(base->arena, Value, count);
  for (size_t i = 0; i < count; i++) {
    values[i] = columns[i];
    if (is_textual(columns[i].type)) values[i].text = arena_str(base->arena, columns[i].text);
  }
  read->rows[read->row_count++] = (TestRow){statement, values};
  return CODE_OK;
}

static void on_restart(StoreRead *base) {
  TestRead *read = (TestRead *)base;
  read->row_count = 0;
  read->restart_count++;
  memset(read->bind_count, 0, sizeof read->bind_count);
}

static void on_read_done(StoreRead *base, Code code, const Error *err) {
  TestRead *read = (TestRead *)base;
  assert_int_equal(read->done_count++, 0);
  read->code = code;
  if (code != CODE_OK) read->error = *err;
  if (read->after != NULL) read->after(read);
  fixture_finished(read->fixture);
}

static void release_arena(void *arena) { arena_destroy(arena); }

TestRead *read_make(Fixture *fixture, const StoreStatement *const *list, size_t count) {
  TestRead *read = ARENA_NEW(fixture->arena, TestRead);
  read->fixture = fixture;
  for (size_t i = 0; i < count; i++) {
    read->statements[i] = list[i];
    read->levels[i] = (uint32_t)i;
  }
  read->plan = (StorePlan){.statements = read->statements, .levels = read->levels, .is_repeated = read->is_repeated, .count = count};
  /* Its rows may come in on another thread, beside other reads. */
  Arena *arena = arena_create(0);
  assert_true(arena_defer(fixture->arena, release_arena, arena));
  read->base = (StoreRead){
      .plan = &read->plan, .arena = arena, .bind = on_bind, .row = on_row, .restart = on_restart, .done = on_read_done, .call = read};
  return read;
}

TestRead *read_one(Fixture *fixture, const StoreStatement *statement, const Value *params) {
  TestRead *read = read_make(fixture, &statement, 1);
  read->params[0] = params;
  return read;
}

void fixture_read(Fixture *fixture, TestRead *read) {
  fixture->pending++;
  store_read(fixture->session, &read->base);
}

int64_t fixture_int(Fixture *fixture, const char *text) {
  TestRead *read = read_one(fixture, statement_make(fixture, text, false), NULL);
  fixture_read(fixture, read);
  fixture_run(fixture);
  if (read->code != CODE_OK) fail_msg("%s: %s", text, read->error.text);
  assert_int_equal(read->row_count, 1);
  return read->rows[0].values[0].integer;
}

/* ---- writes ---- */

static Code on_run(StoreWrite *base, StoreTxn *txn, Error *err) {
  TestWrite *write = (TestWrite *)base;
  write->run_count++;
  return write->program(write, txn, err);
}

static void on_write_done(StoreWrite *base, Code code, const Error *err) {
  TestWrite *write = (TestWrite *)base;
  assert_int_equal(write->done_count++, 0);
  write->code = code;
  if (code != CODE_OK) write->error = *err;
  if (write->after != NULL) write->after(write);
  fixture_finished(write->fixture);
}

TestWrite *write_make(Fixture *fixture, TestProgram *program, void *context) {
  TestWrite *write = ARENA_NEW(fixture->arena, TestWrite);
  write->fixture = fixture;
  write->program = program;
  write->context = context;
  write->base = (StoreWrite){.run = on_run, .done = on_write_done};
  return write;
}

void fixture_write(Fixture *fixture, TestWrite *write) {
  fixture->pending++;
  store_write(fixture->session, &write->base);
}

Code fixture_write_now(Fixture *fixture, TestProgram *program, void *context) {
  TestWrite *write = write_make(fixture, program, context);
  fixture_write(fixture, write);
  fixture_run(fixture);
  return write->code;
}

typedef struct Elsewhere {
  Fixture fixture; /* the same store, another loop and session */
  TestProgram *program;
  void *context;
  Code code;
} Elsewhere;

static void *elsewhere_main(void *context) {
  Elsewhere *elsewhere = context;
  Fixture *fixture = &elsewhere->fixture;
  Error error = {0};
  /* An assertion may fail in the main thread alone. */
  elsewhere->code = loop_create(&fixture->loop, &error);
  if (elsewhere->code == CODE_OK) elsewhere->code = store_session_open(fixture->store, fixture->loop, &fixture->session, &error);
  if (elsewhere->code != CODE_OK) return NULL;
  elsewhere->code = fixture_write_now(fixture, elsewhere->program, elsewhere->context);
  store_session_close(fixture->session);
  return NULL;
}

Code fixture_write_elsewhere(Fixture *fixture, TestProgram *program, void *context) {
  Elsewhere elsewhere = {.fixture = *fixture, .program = program, .context = context};
  elsewhere.fixture.arena = arena_create(0);
  elsewhere.fixture.pending = 0;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, elsewhere_main, &elsewhere), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  /* The session's memory is the store's until it is closed, and so is its way to the loop: the loop outlives it. */
  assert_true(arena_defer(fixture->arena, (ArenaDeferFn *)loop_destroy, elsewhere.fixture.loop));
  arena_destroy(elsewhere.fixture.arena);
  return elsewhere.code;
}
