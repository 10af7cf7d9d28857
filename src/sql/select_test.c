/* select_test.c - statements put together from their clauses, each text written down by hand. */
#include "sql/select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract/load.h"
#include "sql/dialect_impl.h"

static const char contract_text[] = "extend schema @service(name: \"sql\")\n"
                                    "type Product @resource(table: \"shop.goods\") @access(read: \"true\") {\n"
                                    "  id: ID!\n"
                                    "  name: String! @column(name: \"a \\\"name\\\"\")\n"
                                    "  price: Decimal\n"
                                    "  size: Size\n"
                                    "  made: DateTime\n"
                                    "  category: Category\n"
                                    "}\n"
                                    "enum Size { SMALL @value(name: \"it's S\") LARGE @value(name: \"L\") }\n"
                                    "type Category @resource @access(read: \"true\") {\n"
                                    "  region: String! @id\n"
                                    "  number: Int! @id\n"
                                    "}\n";

typedef struct World {
  Arena *arena;
  Contract *contract;
  const Resource *product, *category;
  SqlWriter writer;
  Error error;
} World;

static int set_up(void **state) {
  Arena *arena = arena_create(0);
  World *world = ARENA_NEW(arena, World);
  ContractFile file = {.name = STR("test"), .text = str_of(contract_text)};
  DiagnosticList mistakes = {0};
  world->arena = arena;
  if (contract_load(&file, 1, arena, &world->contract, &mistakes, &world->error) != CODE_OK) {
    print_error("%.*s\n", STR_ARGS(mistakes.items[0].message));
    return 1;
  }
  world->product = contract_resource(world->contract, STR("Product"));
  world->category = contract_resource(world->contract, STR("Category"));
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  World *world = *state;
  contract_destroy(world->contract);
  arena_destroy(world->arena);
  return 0;
}

static SqlWriter *on(World *world, const SqlDialect *dialect) {
  world->writer = (SqlWriter){.arena = world->arena, .dialect = dialect};
  return &world->writer;
}

static const Field *field(const World *world, const char *name) { return resource_field(world->product, str_of(name)); }

static void assert_text(Str is, const char *expected) {
  if (!str_equal(is, str_of(expected))) fail_msg("\n  expected %s\n  is       %.*s", expected, STR_ARGS(is));
}

static void assert_select(World *world, SqlSelect *select, const char *expected) {
  Str sql = {0};
  assert_int_equal(sql_select_finish(select, &sql, &world->error), CODE_OK);
  assert_text(sql, expected);
}

static void clauses_come_in_sqls_order_whatever_ours(void **state) {
  World *world = *state;
  SqlWriter *writer = on(world, &SQL_DIALECT_SQLITE);
  SqlSelect *select = sql_select_create(writer, NULL);
  sql_select_limit(select, 9);
  SqlScope *scope = sql_select_from(select, world->category);
  sql_write_order_term(writer, sql_select_order(select), STR("t1.\"number\""), true, false);
  sql_write_order_term(writer, sql_select_order(select), STR("t1.\"region\""), false, true);
  buf_add(sql_select_having(select), STR("count(*) > 1"));
  sql_write_column(sql_select_group(select), scope, world->category->keys[0]);
  buf_add(sql_select_where(select), STR("a = 1 OR b = 2"));
  buf_add(sql_select_where(select), STR("c = 3"));
  for (size_t i = 0; i < 2; i++) {
    sql_select_next_column(select);
    sql_write_column(sql_select_columns(select), scope, world->category->keys[i]);
  }
  assert_select(world, select,
                "SELECT t1.\"region\", t1.\"number\" FROM \"categories\" AS t1 WHERE (a = 1 OR b = 2) AND (c = 3) GROUP BY t1.\"region\" "
                "HAVING count(*) > 1 ORDER BY t1.\"number\" DESC, t1.\"region\" NULLS LAST LIMIT ?9");
}

static void a_select_of_nothing_selects_1(void **state) {
  World *world = *state;
  SqlSelect *select = sql_select_create(on(world, &SQL_DIALECT_SQLITE), NULL);
  assert_select(world, select, "SELECT 1");
}

static void names_are_quoted_and_their_quotes_doubled(void **state) {
  World *world = *state;
  SqlSelect *select = sql_select_create(on(world, &SQL_DIALECT_SQLITE), NULL);
  SqlScope *scope = sql_select_from(select, world->product);
  sql_select_next_column(select);
  sql_write_column(sql_select_columns(select), scope, field(world, "name"));
  assert_select(world, select, "SELECT t1.\"a \"\"name\"\"\" FROM \"shop\".\"goods\" AS t1");
}

static void a_composite_key_is_joined_by_all_of_it(void **state) {
  World *world = *state;
  SqlSelect *select = sql_select_create(on(world, &SQL_DIALECT_POSTGRES), NULL);
  SqlScope *scope = sql_select_from(select, world->product);
  const Relation *relation = field(world, "category")->relation;
  SqlScope *joined = sql_scope_join(scope, relation, NULL, &world->error);
  assert_ptr_equal(sql_scope_join(scope, relation, NULL, &world->error), joined);
  assert_select(world, select,
                "SELECT 1 FROM \"shop\".\"goods\" AS t1 LEFT JOIN \"categories\" AS t2 ON t2.\"region\" = t1.\"category_region\" AND "
                "t2.\"number\" = t1.\"category_number\"");
}

static void rows_of_parameters_stand_side_by_side(void **state) {
  World *world = *state;
  SqlSelect *select = sql_select_create(on(world, &SQL_DIALECT_SQLITE), NULL);
  SqlScope *new_row = sql_select_from_row(select, world->category, 1), *old_row = sql_select_from_row(select, world->category, 3);
  Buf *where = sql_select_where(select);
  sql_write_column(where, new_row, world->category->keys[1]);
  buf_add(where, STR(" > "));
  sql_write_column(where, old_row, world->category->keys[1]);
  assert_select(world, select, "SELECT 1 FROM (SELECT ?1 AS c0, ?2 AS c1) AS t1, (SELECT ?3 AS c0, ?4 AS c1) AS t2 WHERE t1.c1 > t2.c1");
  select = sql_select_create(on(world, &SQL_DIALECT_POSTGRES), NULL);
  assert_non_null(sql_select_from_row(select, world->category, 1));
  assert_select(world, select, "SELECT 1 FROM (SELECT $1::text AS c0, $2::bigint AS c1) AS t1");
}

/* Null is the largest value: PostgreSQL has that order, SQLite is told. */
static void nulls_are_the_largest(void **state) {
  World *world = *state;
  const struct {
    bool is_descending, is_nullable;
    const char *sqlite, *postgres;
  } rows[] = {{false, false, "x", "x"},
              {true, false, "x DESC", "x DESC"},
              {false, true, "x NULLS LAST", "x"},
              {true, true, "x DESC NULLS FIRST", "x DESC"}};
  for (size_t i = 0; i < 4; i++) {
    Buf sqlite = buf_on(world->arena, 100), postgres = buf_on(world->arena, 100);
    sql_write_order_term(on(world, &SQL_DIALECT_SQLITE), &sqlite, STR("x"), rows[i].is_descending, rows[i].is_nullable);
    sql_write_order_term(on(world, &SQL_DIALECT_POSTGRES), &postgres, STR("x"), rows[i].is_descending, rows[i].is_nullable);
    assert_text(buf_str(&sqlite), rows[i].sqlite);
    assert_text(buf_str(&postgres), rows[i].postgres);
  }
}

static Str comparable(World *world, const SqlDialect *dialect, const char *name) {
  SqlSelect *select = sql_select_create(on(world, dialect), NULL);
  Buf out = buf_on(world->arena, 1000);
  sql_write_comparable(&world->writer, &out, sql_select_from(select, world->product), field(world, name));
  return buf_str(&out);
}

static void values_are_compared_by_code_point_and_exactly(void **state) {
  World *world = *state;
  assert_text(comparable(world, &SQL_DIALECT_SQLITE, "name"), "t1.\"a \"\"name\"\"\"");
  assert_text(comparable(world, &SQL_DIALECT_POSTGRES, "name"), "t1.\"a \"\"name\"\"\" COLLATE \"C\"");
  assert_text(comparable(world, &SQL_DIALECT_SQLITE, "price"), "t1.\"price\" COLLATE decimal");
  assert_text(comparable(world, &SQL_DIALECT_POSTGRES, "price"), "t1.\"price\"");
  assert_text(comparable(world, &SQL_DIALECT_SQLITE, "made"), "t1.\"made\"");
}

/* INTERFACE: enums sort by name, whatever is stored. */
static void enums_are_compared_by_their_names(void **state) {
  World *world = *state;
  assert_text(comparable(world, &SQL_DIALECT_SQLITE, "size"), "(CASE t1.\"size\" WHEN 'it''s S' THEN 'SMALL' WHEN 'L' THEN 'LARGE' END)");
}

static void parameters_have_casts_where_the_type_could_not_be_told(void **state) {
  World *world = *state;
  Buf sqlite = buf_on(world->arena, 100), postgres = buf_on(world->arena, 100), stored = buf_on(world->arena, 100);
  sql_write_param(on(world, &SQL_DIALECT_SQLITE), &sqlite, 12, VALUE_TIMESTAMP);
  sql_write_param(on(world, &SQL_DIALECT_POSTGRES), &postgres, 12, VALUE_TIMESTAMP);
  sql_write_stored_param(&world->writer, &stored, 3, field(world, "id"));
  assert_text(buf_str(&sqlite), "?12");
  assert_text(buf_str(&postgres), "$12::timestamptz");
  assert_text(buf_str(&stored), "$3::uuid");
}

static void rows_are_locked_where_others_could_write(void **state) {
  World *world = *state;
  const SqlDialect *const dialects[] = {&SQL_DIALECT_SQLITE, &SQL_DIALECT_POSTGRES};
  static const char *const expected[] = {"SELECT 1 FROM \"categories\" AS t1",
                                         "SELECT 1 FROM \"categories\" AS t1 FOR NO KEY UPDATE OF t1"};
  for (size_t d = 0; d < 2; d++) {
    SqlSelect *select = sql_select_create(on(world, dialects[d]), NULL);
    sql_select_lock(select, sql_select_from(select, world->category));
    assert_select(world, select, expected[d]);
  }
}

static void a_statement_that_grows_too_long_is_refused(void **state) {
  World *world = *state;
  SqlSelect *select = sql_select_create(on(world, &SQL_DIALECT_SQLITE), NULL);
  static char long_text[1 << 20];
  memset(long_text, 'x', sizeof long_text);
  for (int i = 0; i < 5; i++) buf_add(sql_select_where(select), (Str){long_text, sizeof long_text});
  Str sql = {0};
  assert_int_equal(sql_select_finish(select, &sql, &world->error), CODE_TOO_LARGE);
  assert_null(sql.ptr);
}

static void more_joins_than_a_statement_may_have_are_refused(void **state) {
  World *world = *state;
  SqlSelect *select = sql_select_create(on(world, &SQL_DIALECT_SQLITE), NULL);
  const Relation *relation = field(world, "category")->relation;
  SqlScope *last = NULL;
  size_t joined = 0;
  /* Each from a scope of its own. */
  while ((last = sql_scope_join(sql_select_from(select, world->product), relation, NULL, &world->error)) != NULL) joined++;
  assert_int_equal(world->error.code, CODE_TOO_LARGE);
  assert_in_range(joined, 30, 63); /* SQLite's own bound is 64 tables */
}

int main(void) {
#define SQL_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      SQL_TEST(clauses_come_in_sqls_order_whatever_ours),
      SQL_TEST(a_select_of_nothing_selects_1),
      SQL_TEST(names_are_quoted_and_their_quotes_doubled),
      SQL_TEST(a_composite_key_is_joined_by_all_of_it),
      SQL_TEST(rows_of_parameters_stand_side_by_side),
      SQL_TEST(nulls_are_the_largest),
      SQL_TEST(values_are_compared_by_code_point_and_exactly),
      SQL_TEST(enums_are_compared_by_their_names),
      SQL_TEST(parameters_have_casts_where_the_type_could_not_be_told),
      SQL_TEST(rows_are_locked_where_others_could_write),
      SQL_TEST(a_statement_that_grows_too_long_is_refused),
      SQL_TEST(more_joins_than_a_statement_may_have_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
