/* plan_test.c - from one contract to another, for both stores: the steps, their order, and the locks of what is written. */
#include "migrate/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "migrate/folder.h"
#include "migrate/script.h"
#include "store/store.h"

#define HEAD "extend schema @service(name: \"shop\")\n"
#define RULES " @access(read: \"true\", write: \"true\") "
#define THING(fields) HEAD "type Thing @resource" RULES "{ id: Int! @id " fields " }"

typedef struct Planned {
  Arena *arena;
  MigrationPlan plan;
  Script script;
} Planned;

static Layout layout_of(const StoreMigrator *store, const char *contract, Arena *arena) {
  Contract *loaded = NULL;
  Layout layout;
  Error err;
  assert_int_equal(migration_contract_load(STR("test"), str_of(contract), arena, &loaded, &err), CODE_OK);
  assert_int_equal(store->layout_of(loaded, arena, &layout, &err), CODE_OK);
  return layout;
}

static Planned planned(const char *url, const char *from, const char *to, bool is_backwards) {
  Planned ret = {.arena = arena_create(0)};
  const StoreMigrator *store = store_driver_of(str_of(url))->migrator;
  Layout *before = ARENA_NEW(ret.arena, Layout), *behind = ARENA_NEW(ret.arena, Layout);
  Error err;
  if (from != NULL) *before = layout_of(store, from, ret.arena);
  *behind = layout_of(store, to, ret.arena);
  assert_int_equal(migration_plan(store, before, behind, is_backwards, ret.arena, &ret.plan, &err), CODE_OK);
  assert_int_equal(script_from_plan(store, &ret.plan, false, ret.arena, &ret.script, &err), CODE_OK);
  return ret;
}

static void check_steps(const char *from, const char *to, bool is_backwards, const char *expected) {
  static const char *const urls[] = {"sqlite:x", "postgresql://x"};
  for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    Planned it = planned(urls[i], from, to, is_backwards);
    Buf out = buf_on(it.arena, 4096);
    for (size_t k = 0; k < it.plan.steps.count; k++)
      buf_printf(&out, "%s%.*s\n", it.plan.steps.items[k].is_destructive ? "! " : "", STR_ARGS(it.plan.steps.items[k].text));
    buf_add(&out, buf_str(&it.plan.refusals));
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    arena_destroy(it.arena);
  }
}

static void nothing_changes_between_equals(void **state) {
  (void)state;
  check_steps(THING("name: String"), THING("name: String"), false, "");
  check_steps(NULL, THING("name: String"), false, "table things is made\n");
}

static void limits_that_stay_or_widen_are_nothing_to_migrate(void **state) {
  (void)state;
  const char *limits = THING("a: Int @range(min: 1, max: 9) b: Decimal @range(min: \"0.5\") c: Float @range(max: 1.5) d: Date @range(min: "
                             "\"2020-01-01\") e: String @length(max: 9)");
  const char *wider = THING("a: Int @range(max: 9) b: Decimal @range(min: \"0.5\") c: Float d: Date e: String @length(max: 10)");
  const char *narrower =
      THING("a: Int @range(min: 1, max: 8) b: Decimal @range(min: \"0.6\") c: Float @range(max: 1.25) d: Date @range(min: "
            "\"2020-01-02\") e: String @length(max: 8)");
  check_steps(limits, limits, false, "");
  check_steps(limits, wider, false, "");
  check_steps(limits, narrower, false,
              "the limits of things.a\nthe limits of things.b\nthe limits of things.c\nthe limits of things.d\nthe limits of things.e\n");
}

static void a_renaming_is_no_drop_there_and_back(void **state) {
  (void)state;
  const char *before = THING("name: String"),
             *behind = HEAD "type Item @resource @renamed(from: \"Thing\")" RULES "{ id: Int! @id title: String @renamed(from: \"name\") }";
  check_steps(before, behind, false, "table things is renamed to items\ncolumn items.name is renamed to title\n");
  check_steps(behind, before, true, "table items is renamed to things\ncolumn things.title is renamed to name\n");
  /* Done long ago: the old name is gone. */
  check_steps(behind, behind, false, "");
}

static void what_belongs_to_new_tables_comes_right_behind_them(void **state) {
  (void)state;
  check_steps(THING("a: String"),
              THING("a: String @unique b: String") "type B @resource" RULES "{ id: Int! @id label: String! @unique thing: Thing }", false,
              "table bs is made\nthe foreign key of B.thing is made\nindex bs_label_unique is made\nindex bs_thing_id_index is made\n"
              "column things.b is added\nindex things_a_unique is made\n");
}

static void the_order_of_an_enums_values_is_nothing(void **state) {
  (void)state;
  check_steps(THING("a: K") "enum K { X Y }", THING("a: K") "enum K { Y X }", false, "");
  check_steps(THING("a: K") "enum K { X Y }", THING("a: K") "enum K { Y X Z }", false, "the values of things.a change\n");
}

static void what_loses_data_is_marked(void **state) {
  (void)state;
  check_steps(THING("name: String size: BigInt!"), THING("size: BigInt!"), false, "! column things.name is dropped\n");
  check_steps(THING("a: String") "type B @resource" RULES "{ id: Int! @id }", THING("a: String"), false, "! table bs is dropped\n");
}

static void fields_become_required_and_optional(void **state) {
  (void)state;
  check_steps(THING("a: String b: String!"), THING("a: String! b: String"), false,
              "column things.a becomes required\ncolumn things.b becomes optional\n");
}

static void what_no_step_can_do_is_refused(void **state) {
  (void)state;
  check_steps(THING("a: String"), HEAD "type Thing @resource" RULES "{ id: Int a: String! @id }", false,
              "column things.a becomes required\ncolumn things.id becomes optional\ntable things gets another primary key: keys are not "
              "migrated\n");
}

static bool has_statement(const Planned *it, const char *sql) {
  for (size_t i = 0; i < it->script.statements.count; i++) {
    if (str_starts_with(it->script.statements.items[i].sql, str_of(sql))) return true;
  }
  return false;
}

static void postgres_builds_indexes_concurrently_but_on_new_tables(void **state) {
  (void)state;
  Planned it = planned("postgresql://x", THING("name: String"), THING("name: String @unique"), false);
  assert_true(has_statement(&it, "CREATE UNIQUE INDEX CONCURRENTLY \"things_name_unique\""));
  arena_destroy(it.arena);
  it = planned("postgresql://x", NULL, THING("name: String @unique"), false);
  assert_true(has_statement(&it, "CREATE UNIQUE INDEX \"things_name_unique\""));
  arena_destroy(it.arena);
}

#define SEARCHED(fields) HEAD "type Thing @resource @search(fields: [" fields "])" RULES "{ id: Int! @id name: String note: String }"

static void postgres_makes_search_indexes_anew_where_other_fields_are_searched(void **state) {
  (void)state;
  Planned it = planned("postgresql://x", THING("name: String note: String"), SEARCHED("\"name\""), false);
  assert_int_equal(it.plan.steps.count, 1);
  assert_int_equal(it.plan.steps.items[0].kind, STEP_ADD_INDEX);
  assert_true(has_statement(&it, "CREATE INDEX CONCURRENTLY \"things_search_"));
  assert_true(str_contains(it.script.statements.items[it.script.statements.count - 1].sql, STR("USING gin")));
  arena_destroy(it.arena);
  it = planned("postgresql://x", SEARCHED("\"name\""), SEARCHED("\"name\""), false);
  assert_int_equal(it.plan.steps.count, 0);
  arena_destroy(it.arena);
  it = planned("postgresql://x", SEARCHED("\"name\""), SEARCHED("\"name\", \"note\""), false);
  assert_int_equal(it.plan.steps.count, 2);
  assert_int_equal(it.plan.steps.items[0].kind, STEP_DROP_INDEX);
  assert_int_equal(it.plan.steps.items[1].kind, STEP_ADD_INDEX);
  arena_destroy(it.arena);
  it = planned("sqlite:x", THING("name: String note: String"), SEARCHED("\"name\""), false);
  assert_int_equal(it.plan.steps.count, 0);
  arena_destroy(it.arena);
}

static void postgres_validates_what_it_requires_by_itself(void **state) {
  (void)state;
  Planned it = planned("postgresql://x", THING("name: String"), THING("name: String!"), false);
  assert_true(has_statement(&it, "ALTER TABLE \"things\" ADD CONSTRAINT \"caisson_not_null\" CHECK (\"name\" IS NOT NULL) NOT VALID"));
  assert_true(has_statement(&it, "ALTER TABLE \"things\" VALIDATE CONSTRAINT \"caisson_not_null\""));
  assert_true(has_statement(&it, "ALTER TABLE \"things\" ALTER COLUMN \"name\" SET NOT NULL"));
  arena_destroy(it.arena);
}

static void sqlite_adds_columns_and_makes_tables_anew_only_where_it_must(void **state) {
  (void)state;
  Planned it = planned("sqlite:x", THING("name: String"), THING("name: String size: Int! @default(value: 1)"), false);
  assert_true(has_statement(&it, "ALTER TABLE \"things\" ADD COLUMN \"size\" INTEGER NOT NULL DEFAULT 1"));
  assert_int_equal(it.script.statements.count, 1);
  arena_destroy(it.arena);
  it = planned("sqlite:x", THING("name: String"), THING("name: String!"), false);
  assert_true(has_statement(&it, "CREATE TABLE \"caisson_new_things\""));
  assert_true(has_statement(&it, "ALTER TABLE \"caisson_new_things\" RENAME TO \"things\""));
  arena_destroy(it.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_changes_between_equals),
      cmocka_unit_test(limits_that_stay_or_widen_are_nothing_to_migrate),
      cmocka_unit_test(a_renaming_is_no_drop_there_and_back),
      cmocka_unit_test(what_belongs_to_new_tables_comes_right_behind_them),
      cmocka_unit_test(the_order_of_an_enums_values_is_nothing),
      cmocka_unit_test(what_loses_data_is_marked),
      cmocka_unit_test(fields_become_required_and_optional),
      cmocka_unit_test(what_no_step_can_do_is_refused),
      cmocka_unit_test(postgres_builds_indexes_concurrently_but_on_new_tables),
      cmocka_unit_test(postgres_makes_search_indexes_anew_where_other_fields_are_searched),
      cmocka_unit_test(postgres_validates_what_it_requires_by_itself),
      cmocka_unit_test(sqlite_adds_columns_and_makes_tables_anew_only_where_it_must),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
