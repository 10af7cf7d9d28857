/* expr_property_test.c - the rule language's conscience: random expressions over random rows, evaluated in memory and by SQLite, must agree
 * row by row; and partial evaluation, with and without the row, must change no answer. CAISSON_SEED=n runs another set, CAISSON_CASES=n
 * more of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/datetime.h"
#include "expr_random.h"
#include "sql/dialect_impl.h"
#include "sql/expr_sql.h"
#include "store/sqlite_value.h"

enum { WORLDS = 30, EXPRESSIONS_A_WORLD = 100, PARAMS_MAX = 400 };

typedef struct Run {
  uint64_t seed;
  World *world;
  Arena *arena; /* of one expression */
  Random random;
  size_t cases;
  size_t refused;
  size_t true_answers;
  Value params[PARAMS_MAX];
  uint32_t next_param;
  struct {
    const Expr *rule, *reduced;
  } rules[16]; /* of this statement's guard, numbered when they are first asked for */
  size_t rule_count;
} Run;

static uint64_t number_of(const char *name, uint64_t fallback) {
  const char *text = getenv(name);
  int64_t number = 0;
  return text != NULL && str_parse_int64(str_of(text), &number) ? (uint64_t)number : fallback;
}

static Code add_param(void *context, uint32_t param, Value value) {
  Run *run = context;
  assert_true(param < PARAMS_MAX);
  run->params[param - 1] = value;
  return CODE_OK;
}

static const Expr *parse(Run *run, Str source, ExprUse use) {
  ExprLimits limits = {.depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  Error error = {0};
  const Resource *book = world_table(run->world, "Book")->resource;
  if (expr_parse(source, book, use, NULL, &limits, run->arena, &expr, mistakes, &count, &error) == CODE_OK) return expr;
  run->refused++;
  /* The generator is typed; what it can't know is that a whole is constant, that 1e308 stands beside a Decimal, or a
   * computed Float in a list of Decimals. */
  static const char *const expected[] = {"whatever the row", "not a Decimal of at most", "never an item of this list"};
  bool is_expected = false;
  for (size_t i = 0; i < 3; i++) is_expected = is_expected || strstr(mistakes[0].message, expected[i]) != NULL;
  if (!is_expected) fail_msg("seed %llu: %.*s: %s", (unsigned long long)run->seed, STR_ARGS(source), mistakes[0].message);
  return NULL;
}

static void different(Run *run, Str source, const Expr *reduced, Str sql, size_t row, const char *what) {
  Buf text = buf_on(run->arena, 1 << 20);
  expr_write(&text, reduced);
  fprintf(stderr, "\nseed %llu, row b%zu: %s\n  %.*s\n  %.*s\n  %.*s\n", (unsigned long long)run->seed, row, what, STR_ARGS(source),
          (int)text.len, text.ptr, STR_ARGS(sql));
  const Table *books = world_table(run->world, "Book");
  for (size_t i = 0; i < books->resource->stored_count; i++) {
    Expr literal = {.kind = EXPR_LITERAL, .value = table_row(books, row)[i]};
    Buf value = buf_on(run->arena, 1 << 16);
    expr_write(&value, &literal);
    fprintf(stderr, "    %.*s = %.*s\n", STR_ARGS(books->resource->stored[i]->name), (int)value.len, value.ptr);
  }
  fail_msg("%s", what);
}

static sqlite3_stmt *prepare(Run *run, Str source, Str sql, size_t param_count) {
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(run->world->db, sql.ptr, (int)sql.len, &stmt, NULL) != SQLITE_OK) {
    fail_msg("seed %llu: %.*s: %.*s: %s", (unsigned long long)run->seed, STR_ARGS(source), STR_ARGS(sql), sqlite3_errmsg(run->world->db));
  }
  assert_int_equal(sqlite_params_bind(stmt, run->params, param_count), SQLITE_OK);
  return stmt;
}

static size_t row_index(sqlite3_stmt *stmt) { return (size_t)strtoul((const char *)sqlite3_column_text(stmt, 0) + 1, NULL, 10); }

/* ---- Booleans ---- */

static const Expr *reduced_for_caller(Run *run, const Expr *expr) {
  ExprEnv env = {.caller = &run->world->caller, .now_us = run->world->now_us};
  const Expr *reduced = NULL;
  assert_int_equal(expr_reduce(expr, &env, run->arena, &reduced, NULL), CODE_OK);
  return reduced;
}

static const Expr *guard_rule(Run *run, const Expr *rule) {
  if (rule == NULL) return NULL;
  for (size_t i = 0; i < run->rule_count; i++) {
    if (run->rules[i].rule == rule) return run->rules[i].reduced;
  }
  const Expr *reduced = reduced_for_caller(run, rule);
  assert_int_equal(expr_sql_number(reduced, &SQL_DIALECT_SQLITE, run->arena, &run->next_param, add_param, run), CODE_OK);
  run->rules[run->rule_count].rule = rule;
  run->rules[run->rule_count++].reduced = reduced;
  return reduced;
}

static const Expr *guard_row_rule(void *run, const Resource *resource) {
  return guard_rule(run, world_row_rule(((Run *)run)->world, resource));
}
static const Expr *guard_field_rule(void *run, const Field *field) { return guard_rule(run, world_field_rule(((Run *)run)->world, field)); }

/* The ids of the rows for which the condition is true. */
static Str rows_by_sql(Run *run, Str source, const Expr *reduced, const SqlGuard *guard, bool *holds) {
  const Table *books = world_table(run->world, "Book");
  SqlWriter writer = {.arena = run->arena, .dialect = &SQL_DIALECT_SQLITE};
  SqlSelect *select = sql_select_create(&writer, NULL);
  SqlScope *scope = sql_select_from(select, books->resource);
  Error error = {0};
  run->next_param = 1;
  run->rule_count = 0;
  assert_int_equal(expr_sql_number(reduced, &SQL_DIALECT_SQLITE, run->arena, &run->next_param, add_param, run), CODE_OK);
  sql_select_next_column(select);
  sql_write_column(sql_select_columns(select), scope, books->resource->keys[0]);
  if (expr_sql_write_condition(&writer, sql_select_where(select), reduced, &(ExprSqlRoots){.row = scope}, guard, &error) != CODE_OK) {
    fail_msg("%.*s: %s", STR_ARGS(source), error.text);
  }
  Str sql;
  assert_int_equal(sql_select_finish(select, &sql, &error), CODE_OK);
  sqlite3_stmt *stmt = prepare(run, source, sql, run->next_param - 1);
  int result = 0;
  while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
    size_t row = row_index(stmt);
    if (holds[row]) different(run, source, reduced, sql, row, "SQL gives a row twice");
    holds[row] = true;
  }
  if (result != SQLITE_DONE) fail_msg("%.*s: %.*s: %s", STR_ARGS(source), STR_ARGS(sql), sqlite3_errmsg(run->world->db));
  sqlite3_finalize(stmt);
  return sql;
}

static bool holds_in_memory(Run *run, const Expr *expr, const Value *row, const ExprResolver *resolver) {
  ExprEnv env = {.caller = &run->world->caller, .now_us = run->world->now_us, .row = row, .resolver = resolver};
  bool holds = false;
  assert_int_equal(expr_eval_bool(expr, &env, run->arena, &holds, NULL), CODE_OK);
  return holds;
}

/* With the row known, what is left is a literal or needs other rows; either way it says the same. */
static bool holds_reduced_with_row(Run *run, const Expr *expr, const Value *row, const ExprResolver *resolver) {
  ExprEnv env = {.caller = &run->world->caller, .now_us = run->world->now_us, .row = row};
  const Expr *reduced = NULL;
  assert_int_equal(expr_reduce(expr, &env, run->arena, &reduced, NULL), CODE_OK);
  return holds_in_memory(run, reduced, row, resolver);
}

static void check_boolean(Run *run, Str source, ExprUse use, const SqlGuard *guard) {
  const Expr *expr = parse(run, source, use);
  if (expr == NULL) return;
  const Table *books = world_table(run->world, "Book");
  const ExprResolver *resolver = guard == NULL ? &run->world->resolver : &run->world->view_resolver;
  const Expr *reduced = reduced_for_caller(run, expr);
  bool by_sql[ROWS_MAX] = {false}, by_opposite[ROWS_MAX] = {false};
  Str sql = rows_by_sql(run, source, reduced, guard, by_sql);
  const Expr *opposite = expr_not(run->arena, reduced);
  Str opposite_sql = rows_by_sql(run, source, opposite, guard, by_opposite);
  for (size_t i = 0; i < books->count; i++) {
    const Value *row = guard == NULL ? table_row(books, i) : table_view(books, i);
    bool holds = holds_in_memory(run, expr, row, resolver);
    if (by_sql[i] != holds)
      different(run, source, reduced, sql, i, holds ? "memory says true, SQL doesn't" : "SQL says true, memory doesn't");
    if (by_opposite[i] == holds) different(run, source, opposite, opposite_sql, i, "the negation disagrees");
    if (holds_in_memory(run, reduced, row, resolver) != holds) different(run, source, reduced, sql, i, "reducing changed the answer");
    if (holds_reduced_with_row(run, expr, row, resolver) != holds)
      different(run, source, reduced, sql, i, "reducing with the row changed the answer");
    run->cases++;
    run->true_answers += holds;
  }
}

/* ---- values ---- */

static Value column_value(Run *run, sqlite3_stmt *stmt, int column, ExprType type) {
  int64_t number = 0;
  if (sqlite3_column_type(stmt, column) == SQLITE_NULL) return value_null();
  const char *bytes = type == EXPR_TYPE_BYTES ? sqlite3_column_blob(stmt, column) : (const char *)sqlite3_column_text(stmt, column);
  Str text = arena_str(run->arena, (Str){bytes == NULL ? "" : bytes, (size_t)sqlite3_column_bytes(stmt, column)});
  switch (type) {
    case EXPR_TYPE_BOOL: return value_bool(sqlite3_column_int(stmt, column) == 1);
    case EXPR_TYPE_INT: return value_int(sqlite3_column_int64(stmt, column));
    case EXPR_TYPE_DURATION: return (Value){.type = VALUE_DURATION, .integer = sqlite3_column_int64(stmt, column)};
    case EXPR_TYPE_FLOAT: return value_float(sqlite3_column_double(stmt, column));
    case EXPR_TYPE_DECIMAL: return value_decimal(text);
    case EXPR_TYPE_BYTES: return (Value){.type = VALUE_BYTES, .text = text};
    case EXPR_TYPE_TIMESTAMP:
      assert_true(text.len == 27 && timestamp_parse(text, &number));
      return (Value){.type = VALUE_TIMESTAMP, .integer = number};
    case EXPR_TYPE_DATE: assert_true(date_parse(text, &number)); return (Value){.type = VALUE_DATE, .integer = number};
    default: return value_text(text);
  }
}

static bool is_same(const Value *a, const Value *b) {
  if (a->type != b->type) return false;
  switch (a->type) {
    case VALUE_NULL: return true;
    case VALUE_BOOL: return a->boolean == b->boolean;
    case VALUE_FLOAT: return a->number == b->number;
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: return a->integer == b->integer;
    default: return str_equal(a->text, b->text); /* decimals are canonical */
  }
}

static void check_value(Run *run, Str value_source) {
  Str source = arena_printf(run->arena, "(%.*s) == null", STR_ARGS(value_source));
  const Expr *test = parse(run, source, EXPR_USE_FILTER);
  if (test == NULL || test->kind != EXPR_EQ) return;
  const Table *books = world_table(run->world, "Book");
  const Expr *expr = test->args[0], *reduced = reduced_for_caller(run, expr);
  SqlWriter writer = {.arena = run->arena, .dialect = &SQL_DIALECT_SQLITE};
  SqlSelect *select = sql_select_create(&writer, NULL);
  SqlScope *scope = sql_select_from(select, books->resource);
  Error error = {0};
  uint32_t next = 1;
  assert_int_equal(expr_sql_number(reduced, &SQL_DIALECT_SQLITE, run->arena, &next, add_param, run), CODE_OK);
  sql_select_next_column(select);
  sql_write_column(sql_select_columns(select), scope, books->resource->keys[0]);
  sql_select_next_column(select);
  assert_int_equal(expr_sql_write_value(&writer, sql_select_columns(select), reduced, &(ExprSqlRoots){.row = scope}, NULL, &error),
                   CODE_OK);
  Str sql;
  assert_int_equal(sql_select_finish(select, &sql, &error), CODE_OK);
  sqlite3_stmt *stmt = prepare(run, source, sql, next - 1);
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    size_t i = row_index(stmt);
    ExprEnv env = {
        .caller = &run->world->caller, .now_us = run->world->now_us, .row = table_row(books, i), .resolver = &run->world->resolver};
    Value in_memory, by_sql = column_value(run, stmt, 1, expr->type);
    assert_int_equal(expr_eval(expr, &env, run->arena, &in_memory, &error), CODE_OK);
    if (!is_same(&in_memory, &by_sql)) different(run, source, reduced, sql, i, "the values differ");
    run->cases++;
  }
  sqlite3_finalize(stmt);
}

/* ---- rows of parameters ---- */

/* A rule over a row that is not stored yet: the row's values are parameters. */
static void check_plain_row(Run *run, Str source) {
  const Expr *expr = parse(run, source, EXPR_USE_RULE);
  if (expr == NULL) return;
  const Table *books = world_table(run->world, "Book");
  const Expr *reduced = reduced_for_caller(run, expr);
  for (size_t i = 0; i < books->count; i += 5) {
    SqlWriter writer = {.arena = run->arena, .dialect = &SQL_DIALECT_SQLITE};
    SqlSelect *select = sql_select_create(&writer, NULL);
    SqlScope *scope = sql_select_from_row(select, books->resource, 1);
    uint32_t next = (uint32_t)books->resource->stored_count + 1;
    memcpy(run->params, table_row(books, i), books->resource->stored_count * sizeof(Value));
    Error error = {0};
    assert_int_equal(expr_sql_number(reduced, &SQL_DIALECT_SQLITE, run->arena, &next, add_param, run), CODE_OK);
    assert_int_equal(expr_sql_write_condition(&writer, sql_select_where(select), reduced, &(ExprSqlRoots){.row = scope}, NULL, &error),
                     CODE_OK);
    Str sql;
    assert_int_equal(sql_select_finish(select, &sql, &error), CODE_OK);
    sqlite3_stmt *stmt = prepare(run, source, sql, next - 1);
    int result = sqlite3_step(stmt);
    bool holds = holds_in_memory(run, expr, table_row(books, i), &run->world->resolver);
    if ((result == SQLITE_ROW) != holds) different(run, source, reduced, sql, i, "over a row of parameters the answers differ");
    sqlite3_finalize(stmt);
    run->cases++;
  }
}

/* ---- the tests ---- */

typedef void CheckFn(Run *run);

static void check_rule_once(Run *run) {
  ExprRandomOptions options = {.has_caller = true, .has_row_tests = true, .has_foreign = true, .depth = 1 + random_below(&run->random, 4)};
  Str source = expr_random_boolean(&run->random, run->arena, world_table(run->world, "Book")->resource, &options);
  check_boolean(run, source, EXPR_USE_RULE, NULL);
  if (random_one_in(&run->random, 8)) check_plain_row(run, source);
}

static void check_filter_once(Run *run) {
  ExprRandomOptions options = {.has_foreign = true, .depth = 1 + random_below(&run->random, 4)};
  SqlGuard guard = {.row_rule = guard_row_rule, .field_rule = guard_field_rule, .context = run};
  check_boolean(run, expr_random_boolean(&run->random, run->arena, world_table(run->world, "Book")->resource, &options), EXPR_USE_FILTER,
                &guard);
}

static void check_value_once(Run *run) {
  ExprRandomOptions options = {.has_row_tests = true, .has_foreign = true, .depth = 1 + random_below(&run->random, 4)};
  check_value(run, expr_random_value(&run->random, run->arena, world_table(run->world, "Book")->resource, &options));
}

static void run_worlds(CheckFn *check, const char *name) {
  uint64_t first = number_of("CAISSON_SEED", 1), more = number_of("CAISSON_CASES", 1);
  Run run = {.arena = arena_create(0)};
  for (uint64_t w = 0; w < WORLDS * more; w++) {
    run.seed = first + w;
    run.random = (Random){run.seed * 7919};
    run.world = world_create(&run.random);
    for (size_t i = 0; i < EXPRESSIONS_A_WORLD; i++) {
      check(&run);
      arena_reset(run.arena);
    }
    world_destroy(run.world);
  }
  print_message("# %s: %zu cases, none different; %zu true; %zu expressions refused; seeds %llu to %llu\n", name, run.cases,
                run.true_answers, run.refused, (unsigned long long)first, (unsigned long long)(first + WORLDS * more - 1));
  assert_true(run.refused * 5 < EXPRESSIONS_A_WORLD * WORLDS * more);
  assert_true(run.cases > 10000);
  arena_destroy(run.arena);
}

static void rules_say_the_same_in_memory_and_in_sql(void **state) {
  (void)state;
  run_worlds(check_rule_once, "rules");
}

static void filters_see_what_the_caller_may_read_in_memory_and_in_sql(void **state) {
  (void)state;
  run_worlds(check_filter_once, "filters");
}

static void values_are_the_same_in_memory_and_in_sql(void **state) {
  (void)state;
  run_worlds(check_value_once, "values");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rules_say_the_same_in_memory_and_in_sql),
      cmocka_unit_test(filters_see_what_the_caller_may_read_in_memory_and_in_sql),
      cmocka_unit_test(values_are_the_same_in_memory_and_in_sql),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
