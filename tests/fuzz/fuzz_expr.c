/* fuzz_expr.c - any text is an expression or gets mistakes at places within it. What is an expression is written and read back as the same,
 * says the same before and after partial evaluation, and becomes SQL that SQLite accepts. */
#include <sqlite3.h>
#include <string.h>

#include "base/utf8.h"
#include "contract/expr.h"
#include "contract_text.h"
#include "property.h"
#include "sql/expr_sql.h"
#include "store/sqlite_functions.h"

static const char contract_text[] =
    "extend schema @service(name: \"fuzz\", version: \"v1\")\n"
    "enum Status { OPEN CLOSED OLD @value(name: \"old\") }\n"
    "type Place { city: String since: DateTime price: Decimal lines: [String!] }\n"
    "type Author @resource @access(read: \"true\", write: \"true\") { id: ID! name: String age: Int boss: Author books: [Book!]! }\n"
    "type Book @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID! title: String! pages: Int weight: Float price: Decimal published: Boolean at: DateTime due: Date code: UUID status: Status "
    "file: Bytes\n"
    "  tags: [String!] prices: [Decimal] place: Place places: [Place!] author: Author\n"
    "}\n";

static const char tables_text[] =
    "CREATE TABLE authors(id, name, age, boss_id);"
    "CREATE TABLE books(id, title, pages, weight, price, published, at, due, code, status, file, tags, prices, place, places, author_id);";

typedef struct Fixture {
  Contract *contract;
  const Resource *book;
  sqlite3 *db;
} Fixture;

static const Fixture *fixture_get(void) {
  static Fixture fixture;
  if (fixture.contract != NULL) return &fixture;
  fixture.contract = contract_of_text(contract_text);
  fixture.book = contract_resource(fixture.contract, STR("Book"));
  PROPERTY(sqlite3_open(":memory:", &fixture.db) == SQLITE_OK && sqlite_functions_register(fixture.db) == SQLITE_OK);
  PROPERTY(sqlite3_exec(fixture.db, tables_text, NULL, NULL, NULL) == SQLITE_OK);
  return &fixture;
}

static const Value *no_to_one(void *context, const Relation *relation, const Value *row) {
  (void)context, (void)relation, (void)row;
  return NULL;
}

static size_t no_to_many(void *context, const Relation *relation, const Value *row, const Value *const **ret_rows) {
  (void)context, (void)relation, (void)row;
  *ret_rows = NULL;
  return 0;
}

static Code add_nothing(void *context, uint32_t param, Value value) {
  (void)context, (void)param, (void)value;
  return CODE_OK;
}

static const Expr *parse(const Fixture *fixture, Str source, ExprUse use, Arena *arena) {
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  ExprLimits limits = {.bytes_max = 4096, .nodes_max = 1000, .depth_max = EXPR_DEPTH_MAX};
  Code code = expr_parse(source, fixture->book, use, NULL, &limits, arena, &expr, mistakes, &count, NULL);
  PROPERTY(code == CODE_OK || code == CODE_BAD_REQUEST || code == CODE_TOO_LARGE);
  PROPERTY((code == CODE_OK) == (count == 0));
  for (size_t i = 0; i < count; i++) {
    PROPERTY(mistakes[i].begin <= mistakes[i].end && mistakes[i].end <= source.len);
    PROPERTY(mistakes[i].message[0] != '\0' && utf8_is_valid(str_of(mistakes[i].message)) && utf8_is_valid(str_of(mistakes[i].hint)));
  }
  return expr;
}

static Str text_of(const Expr *expr, Arena *arena) {
  Buf out = buf_on(arena, SIZE_MAX);
  expr_write(&out, expr);
  PROPERTY(out.failed == CODE_OK);
  return buf_str(&out);
}

static void check_text(const Fixture *fixture, const Expr *expr, ExprUse use, Arena *arena) {
  Str text = text_of(expr, arena);
  if (text.len > 4000) return;
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *again = NULL;
  /* Parentheses everywhere may nest deeper than was allowed. */
  ExprLimits limits = {.depth_max = 4 * EXPR_DEPTH_MAX};
  Code code = expr_parse(text, fixture->book, use, NULL, &limits, arena, &again, mistakes, &count, NULL);
  if (code != CODE_OK) fprintf(stderr, "%.*s: %s\n", STR_ARGS(text), mistakes[0].message);
  PROPERTY(code == CODE_OK);
  PROPERTY(str_equal(text_of(again, arena), text));
}

static void check_answers(const Fixture *fixture, const Expr *expr, Arena *arena) {
  Value *row = ARENA_ARRAY(arena, Value, fixture->book->stored_count);
  row[0] = value_text(STR("b1"));
  row[1] = value_text(STR("Tea"));
  ExprResolver resolver = {no_to_one, no_to_many, NULL};
  Caller caller = {0};
  ExprEnv env = {.caller = &caller, .row = row, .old = row, .resolver = &resolver}, unknown = {.caller = &caller};
  bool holds = false, reduced_holds = false;
  const Expr *reduced = NULL;
  PROPERTY(expr_eval_bool(expr, &env, arena, &holds, NULL) == CODE_OK);
  PROPERTY(expr_reduce(expr, &unknown, arena, &reduced, NULL) == CODE_OK);
  PROPERTY(expr_eval_bool(reduced, &env, arena, &reduced_holds, NULL) == CODE_OK);
  PROPERTY(holds == reduced_holds);
  if (expr_is_true(reduced) || expr_is_false(reduced)) return;
  SqlWriter writer = {.arena = arena, .dialect = &SQL_DIALECT_SQLITE};
  SqlSelect *select = sql_select_create(&writer, NULL);
  SqlScope *scope = sql_select_from(select, fixture->book);
  uint32_t next = 1;
  Str sql;
  PROPERTY(expr_sql_number(reduced, &SQL_DIALECT_SQLITE, arena, &next, add_nothing, NULL) == CODE_OK);
  Code code = expr_sql_write_condition(&writer, sql_select_where(select), reduced, &(ExprSqlRoots){.row = scope, .old = scope}, NULL, NULL);
  if (code == CODE_TOO_LARGE) return; /* too many joins */
  PROPERTY(code == CODE_OK && sql_select_finish(select, &sql, NULL) == CODE_OK);
  sqlite3_stmt *stmt = NULL;
  int result = sqlite3_prepare_v2(fixture->db, sql.ptr, (int)sql.len, &stmt, NULL);
  if (result != SQLITE_OK) fprintf(stderr, "%.*s: %s\n", STR_ARGS(sql), sqlite3_errmsg(fixture->db));
  PROPERTY(result == SQLITE_OK);
  sqlite3_finalize(stmt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const Fixture *fixture = fixture_get();
  Arena *arena = arena_create(0);
  Str source = {(const char *)data, size};
  static const ExprUse uses[] = {EXPR_USE_RULE, EXPR_USE_UPDATE, EXPR_USE_FILTER};
  for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
    const Expr *expr = parse(fixture, source, uses[i], arena);
    if (expr == NULL) continue;
    check_text(fixture, expr, uses[i], arena);
    check_answers(fixture, expr, arena);
  }
  arena_destroy(arena);
  return 0;
}
