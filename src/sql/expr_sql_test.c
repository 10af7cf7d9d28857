/* expr_sql_test.c - rules as SQL, each text written down by hand for both dialects. That these texts mean what the rule language means is
 * what tests/property holds; here it is that they are what an index serves and what can be read. */
#include "sql/expr_sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract/load.h"
#include "sql/dialect_impl.h"

static const char contract_text[] = "extend schema @service(name: \"sql\")\n"
                                    "type Product @resource @access(read: \"true\") {\n"
                                    "  code: String! @id\n"
                                    "  name: String!\n"
                                    "  note: String\n"
                                    "  price: Decimal!\n"
                                    "  stock: Int\n"
                                    "  big: BigInt!\n"
                                    "  ratio: Float\n"
                                    "  active: Boolean!\n"
                                    "  at: DateTime!\n"
                                    "  uuid: UUID\n"
                                    "  tags: [String!]\n"
                                    "  size: Size\n"
                                    "  maker: Maker\n"
                                    "  category: Category!\n"
                                    "}\n"
                                    "type Maker { country: String }\n"
                                    "enum Size { SMALL @value(name: \"S\") LARGE @value(name: \"L\") }\n"
                                    "type Category @resource @access(read: \"true\") {\n"
                                    "  code: String! @id\n"
                                    "  name: String\n"
                                    "  parent: Category @relation(inverse: \"children\")\n"
                                    "  children: [Category!]! @relation(inverse: \"parent\")\n"
                                    "  products: [Product!]!\n"
                                    "}\n";

typedef struct World {
  Arena *arena;
  Contract *contract;
} World;

static int set_up(void **state) {
  Arena *arena = arena_create(0);
  World *world = ARENA_NEW(arena, World);
  ContractFile file = {.name = STR("test"), .text = str_of(contract_text)};
  DiagnosticList mistakes = {0};
  Error error;
  world->arena = arena;
  if (contract_load(&file, 1, arena, &world->contract, &mistakes, &error) != CODE_OK) {
    print_error("%.*s\n", STR_ARGS(mistakes.items[0].message));
    return 1;
  }
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  World *world = *state;
  contract_destroy(world->contract);
  arena_destroy(world->arena);
  return 0;
}

static Code count_param(void *context, uint32_t param, Value value) {
  (void)value;
  assert_int_equal(param, ++*(uint32_t *)context);
  return CODE_OK;
}

static const Expr *parse(const World *world, const char *resource, const char *source) {
  ExprLimits limits = {.depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL, *reduced = NULL;
  Error error;
  const Caller stranger = {.id = value_null()};
  ExprEnv env = {.caller = &stranger};
  if (expr_parse(str_of(source), contract_resource(world->contract, str_of(resource)), EXPR_USE_FILTER, NULL, &limits, world->arena, &expr,
                 mistakes, &count, &error) != CODE_OK)
    fail_msg("%s: %s", source, mistakes[0].message);
  assert_int_equal(expr_reduce(expr, &env, world->arena, &reduced, &error), CODE_OK);
  return reduced;
}

typedef struct Select {
  const World *world;
  const SqlDialect *dialect;
  const char *resource;
  const Expr *expr;
  const SqlGuard *guard;
} Select;

static Code write_select(const Select *from, Arena *arena, Str *ret, Error *err) {
  SqlWriter writer = {.arena = arena, .dialect = from->dialect};
  SqlSelect *select = sql_select_create(&writer, NULL);
  TRY_ALLOC(select);
  SqlScope *scope = sql_select_from(select, contract_resource(from->world->contract, str_of(from->resource)));
  TRY_ALLOC(scope);
  TRY(expr_sql_write_condition(&writer, sql_select_where(select), from->expr, &(ExprSqlRoots){.row = scope}, from->guard, err));
  return sql_select_finish(select, ret, err);
}

/* With one allocation failing after the other: each is told, and behind the last one the text is what it was. */
static void fail_each_allocation(const Select *from, Str whole) {
  Arena *arena = arena_create(0);
  bool is_hit = true;
  for (size_t nth = 1; is_hit; nth++) {
    Error error = {0};
    Str sql = {0};
    arena_reset(arena);
    memory_fail_after(nth);
    Code code = write_select(from, arena, &sql, &error);
    is_hit = memory_fail_countdown == 0;
    memory_fail_after(0);
    assert_int_equal(code, is_hit ? CODE_UNAVAILABLE : CODE_OK);
    if (is_hit)
      assert_string_equal(error.text, "out of memory");
    else
      assert_true(str_equal(sql, whole));
  }
  arena_destroy(arena);
}

/* The whole SELECT 1 FROM … WHERE of the condition. */
static Str select_where(const World *world, const SqlDialect *dialect, const char *resource, const char *source, const SqlGuard *guard,
                        uint32_t *ret_params) {
  Select from = {world, dialect, resource, parse(world, resource, source), guard};
  uint32_t next = 1, count = 0;
  Error error;
  Str sql;
  assert_int_equal(expr_sql_number(from.expr, dialect, world->arena, &next, count_param, &count), CODE_OK);
  assert_int_equal(write_select(&from, world->arena, &sql, &error), CODE_OK);
  fail_each_allocation(&from, sql);
  if (ret_params != NULL) *ret_params = count;
  return sql;
}

static void assert_sql(const char *source, Str sql, const char *expected) {
  if (!str_equal(sql, str_of(expected))) fail_msg("%s\n  expected %s\n  is       %.*s", source, expected, STR_ARGS(sql));
}

/* A condition over one Product, t1. */
typedef struct Row {
  const char *source, *sqlite, *postgres;
  uint32_t params;
} Row;

static void assert_rows(const World *world, const Row *rows, size_t count) {
  const Str begin = STR("SELECT 1 FROM \"products\" AS t1 WHERE ");
  for (size_t i = 0; i < count; i++) {
    const SqlDialect *const dialects[] = {&SQL_DIALECT_SQLITE, &SQL_DIALECT_POSTGRES};
    for (size_t d = 0; d < 2; d++) {
      uint32_t params = 0;
      Str sql = select_where(world, dialects[d], "Product", rows[i].source, NULL, &params);
      assert_true(str_starts_with(sql, begin));
      assert_sql(rows[i].source, str_slice(sql, begin.len, sql.len), d == 0 ? rows[i].sqlite : rows[i].postgres);
      assert_int_equal(params, rows[i].params);
    }
  }
}
#define ASSERT_ROWS(world, rows) assert_rows((world), (rows), sizeof(rows) / sizeof *(rows))

static void comparisons_are_plain_so_that_indexes_serve(void **state) {
  static const Row rows[] = {
      {"code == 'a'", "t1.\"code\" = ?1", "t1.\"code\" = $1::text", 1},
      {"'a' == code", "?1 = t1.\"code\"", "$1::text = t1.\"code\"", 1},
      {"name < 'b'", "t1.\"name\" < ?1", "t1.\"name\" COLLATE \"C\" < $1::text COLLATE \"C\"", 1},
      {"stock >= 10", "t1.\"stock\" >= ?1", "t1.\"stock\" >= $1::bigint", 1},
      {"price > 1.5", "t1.\"price\" COLLATE decimal > ?1 COLLATE decimal", "t1.\"price\" > $1::numeric", 1},
      {"price == 2", "t1.\"price\" COLLATE decimal = ?1 COLLATE decimal", "t1.\"price\" = $1::numeric", 1},
      {"ratio <= 0.5", "t1.\"ratio\" <= ?1", "t1.\"ratio\" <= $1::float8", 1},
      {"at < timestamp('2026-01-01T00:00:00Z')", "t1.\"at\" < ?1", "t1.\"at\" < $1::timestamptz", 1},
      {"uuid == '0193568d-4b6a-7c3e-8f2a-1b2c3d4e5f60'", "t1.\"uuid\" = ?1", "t1.\"uuid\" = $1::uuid", 1},
  };
  ASSERT_ROWS(*state, rows);
}

static void booleans_are_conditions(void **state) {
  static const Row rows[] = {
      {"active", "t1.\"active\" = 1", "t1.\"active\"", 0},
      {"!active", "(t1.\"active\" = 1) IS NOT TRUE", "(t1.\"active\") IS NOT TRUE", 0},
      {"active && stock > 1", "(t1.\"active\" = 1 AND t1.\"stock\" > ?1)", "(t1.\"active\" AND t1.\"stock\" > $1::bigint)", 1},
      {"active || stock > 1 || stock < 0", "(t1.\"active\" = 1 OR t1.\"stock\" > ?1 OR t1.\"stock\" < ?2)",
       "(t1.\"active\" OR t1.\"stock\" > $1::bigint OR t1.\"stock\" < $2::bigint)", 2},
      {"!(active && code == 'a')", "((t1.\"active\" = 1) IS NOT TRUE OR t1.\"code\" <> ?1)",
       "((t1.\"active\") IS NOT TRUE OR t1.\"code\" <> $1::text)", 1},
  };
  ASSERT_ROWS(*state, rows);
}

/* Two-valued: what SQL calls unknown is false, and its negation true. */
static void null_is_a_value_among_others(void **state) {
  static const Row rows[] = {
      {"note == null", "t1.\"note\" IS NULL", "t1.\"note\" IS NULL", 0},
      {"note != null", "t1.\"note\" IS NOT NULL", "t1.\"note\" IS NOT NULL", 0},
      {"null == note", "t1.\"note\" IS NULL", "t1.\"note\" IS NULL", 0},
      {"has(note)", "t1.\"note\" IS NOT NULL", "t1.\"note\" IS NOT NULL", 0},
      {"!has(note)", "t1.\"note\" IS NULL", "t1.\"note\" IS NULL", 0},
      {"note != 'a'", "(t1.\"note\" = ?1) IS NOT TRUE", "(t1.\"note\" = $1::text) IS NOT TRUE", 1},
      {"code != 'a'", "t1.\"code\" <> ?1", "t1.\"code\" <> $1::text", 1},
      {"!(stock > 1)", "(t1.\"stock\" > ?1) IS NOT TRUE", "(t1.\"stock\" > $1::bigint) IS NOT TRUE", 1},
      {"category == null", "(t1.\"category_code\" IS NULL)", "(t1.\"category_code\" IS NULL)", 0},
  };
  ASSERT_ROWS(*state, rows);
}

static void lists_are_one_parameter(void **state) {
  static const Row rows[] = {
      {"code in ['a', 'b', 'c']", "t1.\"code\" IN (SELECT value FROM json_each(?1))", "t1.\"code\" = ANY($1::text[])", 1},
      {"stock in [1, 2]", "t1.\"stock\" IN (SELECT value FROM json_each(?1))", "t1.\"stock\" = ANY($1::bigint[])", 1},
      {"!(stock in [1, 2])", "(t1.\"stock\" IN (SELECT value FROM json_each(?1))) IS NOT TRUE",
       "(t1.\"stock\" = ANY($1::bigint[])) IS NOT TRUE", 1},
  };
  ASSERT_ROWS(*state, rows);
}

static void texts_are_searched_by_code_points(void **state) {
  static const Row rows[] = {
      {"name.startsWith('a')", "(t1.\"name\" >= ?1 AND t1.\"name\" < caisson_prefix_end(?1))",
       "starts_with(t1.\"name\" COLLATE \"C\", $1::text)", 1},
      {"name.endsWith('a')", "caisson_ends_with(t1.\"name\", ?1)", "starts_with(reverse(t1.\"name\") COLLATE \"C\", reverse($1::text))", 1},
      {"name.contains('a')", "(instr(t1.\"name\", ?1) > 0)", "(strpos(t1.\"name\" COLLATE \"C\", $1::text) > 0)", 1},
      {"size(name) > 3", "caisson_size(t1.\"name\") > ?1", "char_length(t1.\"name\") > $1::bigint", 1},
  };
  ASSERT_ROWS(*state, rows);
}

static void arithmetic_that_fails_is_null(void **state) {
  static const Row rows[] = {
      {"big + 1 > 5", "caisson_int_add(t1.\"big\", ?1) > ?2", NULL, 2},
      {"big / 2 == 0", "caisson_int_divide(t1.\"big\", ?1) = ?2", NULL, 2},
      {"price * 2 > 5", "caisson_decimal_multiply(t1.\"price\", ?1) COLLATE decimal > ?2 COLLATE decimal", NULL, 2},
      {"-stock > 5", "caisson_int_subtract(0, t1.\"stock\") > ?1", NULL, 1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint32_t params = 0;
    Str sql = select_where(*state, &SQL_DIALECT_SQLITE, "Product", rows[i].source, NULL, &params);
    assert_true(str_ends_with(sql, str_of(rows[i].sqlite)));
    assert_int_equal(params, rows[i].params);
    /* PostgreSQL raises where the rule language has null: each operation is wrapped. */
    sql = select_where(*state, &SQL_DIALECT_POSTGRES, "Product", rows[i].source, NULL, NULL);
    assert_true(str_contains(sql, STR("CASE WHEN")));
  }
}

static void enums_are_their_stored_names(void **state) {
  static const Row rows[] = {{"size == 'LARGE'", "t1.\"size\" = ?1", "t1.\"size\" = $1::text", 1}};
  ASSERT_ROWS(*state, rows);
}

static void a_path_is_joined_once(void **state) {
  Str sql = select_where(*state, &SQL_DIALECT_SQLITE, "Product", "category.name == 'a' || category.name == 'b'", NULL, NULL);
  assert_sql("category.name", sql,
             "SELECT 1 FROM \"products\" AS t1 LEFT JOIN \"categories\" AS t2 ON t2.\"code\" = t1.\"category_code\" "
             "WHERE (t2.\"name\" = ?1 OR t2.\"name\" = ?2)");
  sql = select_where(*state, &SQL_DIALECT_POSTGRES, "Product", "category.parent.name == 'a'", NULL, NULL);
  assert_sql("category.parent.name", sql,
             "SELECT 1 FROM \"products\" AS t1 LEFT JOIN \"categories\" AS t2 ON t2.\"code\" = t1.\"category_code\" "
             "LEFT JOIN \"categories\" AS t3 ON t3.\"code\" = t2.\"parent_code\" WHERE t3.\"name\" = $1::text");
}

/* The row's own key says what the other side's would. */
static void a_path_to_a_key_needs_no_join(void **state) {
  static const Row rows[] = {{"category.code == 'a'", "t1.\"category_code\" = ?1", "t1.\"category_code\" = $1::text", 1}};
  ASSERT_ROWS(*state, rows);
  Str sql = select_where(*state, &SQL_DIALECT_SQLITE, "Product", "category.parent.code == 'a'", NULL, NULL);
  assert_sql("category.parent.code", sql,
             "SELECT 1 FROM \"products\" AS t1 LEFT JOIN \"categories\" AS t2 ON t2.\"code\" = t1.\"category_code\" "
             "WHERE t2.\"parent_code\" = ?1");
}

static void quantifiers_are_correlated_subselects(void **state) {
  Str sql = select_where(*state, &SQL_DIALECT_SQLITE, "Category", "products.exists(p, p.stock > 3 && p.name == name)", NULL, NULL);
  assert_sql("exists", sql,
             "SELECT 1 FROM \"categories\" AS t1 WHERE EXISTS (SELECT 1 FROM \"products\" AS t2 WHERE (t2.\"category_code\" = t1.\"code\") "
             "AND ((t2.\"stock\" > ?1 AND t2.\"name\" = t1.\"name\")))");
  sql = select_where(*state, &SQL_DIALECT_SQLITE, "Category", "products.all(p, p.active)", NULL, NULL);
  assert_sql("all", sql,
             "SELECT 1 FROM \"categories\" AS t1 WHERE NOT EXISTS (SELECT 1 FROM \"products\" AS t2 WHERE "
             "(t2.\"category_code\" = t1.\"code\") AND ((t2.\"active\" = 1) IS NOT TRUE))");
  sql = select_where(*state, &SQL_DIALECT_POSTGRES, "Category", "size(products) > 2", NULL, NULL);
  assert_sql(
      "size", sql,
      "SELECT 1 FROM \"categories\" AS t1 WHERE (SELECT count(*) FROM \"products\" AS t2 WHERE t2.\"category_code\" = t1.\"code\") > "
      "$1::bigint");
}

/* ---- guards ---- */

typedef struct Guarded {
  const Resource *resource;
  const Field *field;
  const Expr *rule, *field_rule;
} Guarded;

static const Expr *guarded_row(void *context, const Resource *resource) {
  const Guarded *guarded = context;
  return resource == guarded->resource ? guarded->rule : NULL;
}

static const Expr *guarded_field(void *context, const Field *field) {
  const Guarded *guarded = context;
  return field == guarded->field ? guarded->field_rule : NULL;
}

static void hidden_rows_are_not_joined(void **state) {
  const World *world = *state;
  Guarded guarded = {.resource = contract_resource(world->contract, STR("Category")), .rule = parse(world, "Category", "has(name)")};
  SqlGuard guard = {.row_rule = guarded_row, .field_rule = guarded_field, .context = &guarded};
  Str sql = select_where(world, &SQL_DIALECT_SQLITE, "Product", "category.name == 'a'", &guard, NULL);
  assert_sql(
      "a guarded row", sql,
      "SELECT 1 FROM \"products\" AS t1 LEFT JOIN \"categories\" AS t2 ON t2.\"code\" = t1.\"category_code\" AND (t2.\"name\" IS NOT "
      "NULL) WHERE t2.\"name\" = ?1");
  /* Its own key would tell that it is there. */
  sql = select_where(world, &SQL_DIALECT_SQLITE, "Product", "category.code == 'a'", &guard, NULL);
  assert_sql(
      "a guarded row's key", sql,
      "SELECT 1 FROM \"products\" AS t1 LEFT JOIN \"categories\" AS t2 ON t2.\"code\" = t1.\"category_code\" AND (t2.\"name\" IS NOT "
      "NULL) WHERE t2.\"code\" = ?1");
}

static void hidden_fields_are_null(void **state) {
  const World *world = *state;
  const Resource *product = contract_resource(world->contract, STR("Product"));
  Guarded guarded = {.field = resource_field(product, STR("note")), .field_rule = parse(world, "Product", "active")};
  SqlGuard guard = {.row_rule = guarded_row, .field_rule = guarded_field, .context = &guarded};
  Str sql = select_where(world, &SQL_DIALECT_SQLITE, "Product", "note == 'a'", &guard, NULL);
  assert_sql("a guarded field", sql, "SELECT 1 FROM \"products\" AS t1 WHERE (CASE WHEN t1.\"active\" = 1 THEN t1.\"note\" END) = ?1");
  guarded.field_rule = expr_bool(false);
  sql = select_where(world, &SQL_DIALECT_SQLITE, "Product", "note == 'a'", &guard, NULL);
  assert_sql("a field that is never seen", sql, "SELECT 1 FROM \"products\" AS t1 WHERE NULL = ?1");
  sql = select_where(world, &SQL_DIALECT_POSTGRES, "Product", "note == 'a'", &guard, NULL);
  assert_sql("a field that is never seen", sql, "SELECT 1 FROM \"products\" AS t1 WHERE NULL::text = $1::text");
}

/* ---- shapes ---- */

static Str shape(const World *world, const char *source) {
  Buf out = buf_on(world->arena, 1 << 16);
  expr_sql_shape(&out, parse(world, "Product", source));
  assert_int_equal(out.failed, CODE_OK);
  return buf_str(&out);
}

static void equal_shapes_differ_in_values_alone(void **state) {
  const World *world = *state;
  assert_true(str_equal(shape(world, "code == 'a'"), shape(world, "code == 'another'")));
  assert_true(str_equal(shape(world, "stock in [1]"), shape(world, "stock in [1, 2, 3]")));
  static const char *const different[] = {"code == 'a'",
                                          "name == 'a'",
                                          "code != 'a'",
                                          "code < 'a'",
                                          "code == null",
                                          "code == name",
                                          "code in ['a']",
                                          "stock in [1]",
                                          "category.name == 'a'",
                                          "category.parent.name == 'a'",
                                          "active",
                                          "!active",
                                          "active && code == 'a'",
                                          "active || code == 'a'",
                                          "code == 'a' && active",
                                          "maker.country == 'a'",
                                          "price == 1",
                                          "price == 1.5 || price == 2"};
  enum { COUNT = sizeof different / sizeof *different };
  for (size_t i = 0; i < COUNT; i++) {
    for (size_t j = i + 1; j < COUNT; j++) {
      if (str_equal(shape(world, different[i]), shape(world, different[j])))
        fail_msg("%s and %s have one shape", different[i], different[j]);
    }
  }
}

/* Forms whose texts the property test holds to their meaning: here each is written while memory runs out (select_where), with nothing
 * hidden, and with rules on what it comes by. */
static void failing_memory_is_told(void **state) {
  static const struct {
    const char *resource, *source;
  } forms[] = {
      {"Category", "products.exists(p, p.name.startsWith('a') && p.category.name in ['a']) && size(products) > 1"},
      {"Category", "!products.all(p, p.maker.country == name)"},
      {"Category", "parent.children.all(c, c.parent == null || c.parent.parent.name == name) || size(parent.products) > 1"},
      {"Category", "name in [code, parent.name] && parent.products.exists(p, p.active && !p.category.children.exists(c, c.name != name))"},
      {"Product", "tags.exists(t, t == name || t.contains(note)) || ['a', 'b'].exists(x, x == note) || [name, note].all(x, x != code)"},
      {"Product", "(active ? stock : big) > 1 && (category.parent == null || note in [category.name, name])"},
      {"Product", "maker.country.matches('^a') && maker.country in ['a'] && note in tags && size(maker.country) > size(tags)"},
      {"Product", "price * 2 > stock && ratio > stock && ratio < price && -price < 1.5 && -ratio < 1.5 && price > ratio"},
      {"Product", "at + duration('1h') > timestamp('2026-01-01T00:00:00Z') && at - at < duration('1h') && at - duration('1h') < at"},
      {"Product", "note.startsWith(name) && note.endsWith('a') && (note == name) == active && !(note < name)"},
      {"Product", "(note == 'a') == active && has(category.parent.name) && stock % 2 == big / 2 && stock - 1 > big * 2"},
      {"Product", "category.name.startsWith('a') && category.products.exists(p, p.note == note && p.size == 'LARGE') && size != 'SMALL'"},
  };
  const World *world = *state;
  const Resource *product = contract_resource(world->contract, STR("Product"));
  Guarded guarded = {.resource = contract_resource(world->contract, STR("Category")),
                     .rule = parse(world, "Category", "name == 'a' || parent.name == 'b'"),
                     .field = resource_field(product, STR("note")),
                     .field_rule = parse(world, "Product", "active && category.name == 'c'")};
  const SqlGuard guard = {.row_rule = guarded_row, .field_rule = guarded_field, .context = &guarded};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    for (size_t g = 0; g < 2; g++) {
      const SqlGuard *given = g == 0 ? NULL : &guard;
      (void)select_where(world, &SQL_DIALECT_SQLITE, forms[i].resource, forms[i].source, given, NULL);
      (void)select_where(world, &SQL_DIALECT_POSTGRES, forms[i].resource, forms[i].source, given, NULL);
    }
  }
}

/* Written for the dialect when it is numbered; without memory, told. */
static Code keep_param(void *context, uint32_t param, Value value) {
  (void)param;
  *(Value *)context = value;
  return CODE_OK;
}

static void a_pattern_is_a_parameter_in_the_dialects_words(void **state) {
  const World *world = *state;
  const Expr *expr = parse(world, "Product", "name.matches(\"\\\\bx.\")");
  Value sqlite = value_null(), postgres = value_null();
  uint32_t next = 1;
  assert_int_equal(expr_sql_number(expr, &SQL_DIALECT_SQLITE, world->arena, &next, keep_param, &sqlite), CODE_OK);
  assert_int_equal(expr_sql_number(expr, &SQL_DIALECT_POSTGRES, world->arena, &next, keep_param, &postgres), CODE_OK);
  assert_int_equal(next, 3);
  assert_true(str_equal(sqlite.text, STR("\\bx.")));
  assert_true(str_equal(postgres.text, STR("\\yx[^\n]")));
  memory_fail_after(1);
  assert_int_equal(expr_sql_number(expr, &SQL_DIALECT_POSTGRES, world->arena, &next, keep_param, &postgres), CODE_UNAVAILABLE);
  memory_fail_after(0);
}

int main(void) {
#define SQL_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      SQL_TEST(comparisons_are_plain_so_that_indexes_serve),
      SQL_TEST(booleans_are_conditions),
      SQL_TEST(null_is_a_value_among_others),
      SQL_TEST(lists_are_one_parameter),
      SQL_TEST(texts_are_searched_by_code_points),
      SQL_TEST(arithmetic_that_fails_is_null),
      SQL_TEST(enums_are_their_stored_names),
      SQL_TEST(a_path_is_joined_once),
      SQL_TEST(a_path_to_a_key_needs_no_join),
      SQL_TEST(quantifiers_are_correlated_subselects),
      SQL_TEST(hidden_rows_are_not_joined),
      SQL_TEST(hidden_fields_are_null),
      SQL_TEST(equal_shapes_differ_in_values_alone),
      SQL_TEST(a_pattern_is_a_parameter_in_the_dialects_words),
      SQL_TEST(failing_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
