/* start_test.c - serving from a store that has no tables to make. What is done about tables that are there: e2e/start-tables. */
#include "migrate/start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "migrate/script_registry.h"

static void a_store_without_a_migrator_is_taken_as_it_is(void **state) {
  (void)state;
  static const StoreDriver driver = {.name = STR_INIT("bare")};
  Store store = {.driver = &driver};
  Contract contract = {0};
  Arena *arena = arena_create(0);
  Str details = {NULL, 0};
  assert_int_equal(tables_start(&store, &contract, true, arena, &details, NULL), CODE_OK);
  assert_int_equal(tables_compare(&store, &contract, arena, &details, NULL), CODE_OK);
  arena_destroy(arena);
}

static void every_kind_of_database_is_found_by_its_name(void **state) {
  (void)state;
  size_t count = 0;
  const ScriptDialect *const *dialects = script_dialects(&count);
  for (size_t i = 0; i < count; i++) {
    StoreMigrator migrator = {.dialect = dialects[i]->name};
    assert_ptr_equal(script_dialect_of(&migrator), dialects[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_store_without_a_migrator_is_taken_as_it_is),
      cmocka_unit_test(every_kind_of_database_is_found_by_its_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
