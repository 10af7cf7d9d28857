/* store_test.c - which driver an address is for, and what addresses tell by themselves. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "store/store_registry.h"

static void each_driver_is_found_by_its_own_schemes(void **state) {
  (void)state;
  size_t count = 0;
  const StoreDriver *const *drivers = store_drivers(&count);
  assert_true(count >= 2);
  for (size_t i = 0; i < count; i++) {
    assert_true(drivers[i]->form.len > 0);
    for (size_t k = 0; k < 2; k++) {
      if (drivers[i]->schemes[k].len > 0) assert_ptr_equal(store_driver_of(drivers[i]->schemes[k]), drivers[i]);
    }
  }
  assert_null(store_driver_of(STR("mysql://x/y")));
  assert_null(store_driver_of(STR("")));
}

static void an_address_of_no_store_is_refused_with_the_forms_that_there_are(void **state) {
  (void)state;
  char forms[STORE_FORMS_BYTES];
  Store *store = NULL;
  Error err = {0};
  assert_string_equal(store_forms(forms), "sqlite:PATH or postgresql://…");
  StoreOptions options = {.url = STR("mysql://x/y")};
  assert_int_equal(store_open(&options, &store, &err), CODE_BAD_REQUEST);
  assert_non_null(strstr(err.text, forms));
  assert_null(store);
}

static void a_service_has_a_store_of_its_name_unless_it_is_told(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  assert_true(str_equal(store_url_or_default((Str){0}, STR("shop"), arena), STR("sqlite:./shop.db")));
  assert_true(str_equal(store_url_or_default(STR("sqlite:x"), STR("shop"), arena), STR("sqlite:x")));
  arena_destroy(arena);
}

static void an_address_tells_its_file(void **state) {
  (void)state;
  const StoreDriver *sqlite = store_driver_of(STR("sqlite:a.db"));
  assert_true(str_equal(sqlite->file(STR("sqlite:a.db")), STR("a.db")));
  assert_true(str_equal(sqlite->file(STR("sqlite:///tmp/a.db")), STR("/tmp/a.db")));
  assert_int_equal(sqlite->file(STR("sqlite::memory:")).len, 0);
  assert_int_equal(sqlite->file(STR("sqlite:")).len, 0);
  assert_null(store_driver_of(STR("postgresql://h/d"))->file);
}

static void a_database_in_memory_has_nothing_to_introspect(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Catalog catalog = {0};
  Error err = {0};
  assert_int_equal(
      store_driver_of(STR("sqlite:"))->catalog(&(StoreOptions){.url = STR("sqlite::memory:")}, (Str){0}, arena, &catalog, &err),
      CODE_BAD_REQUEST);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_driver_is_found_by_its_own_schemes),
      cmocka_unit_test(an_address_of_no_store_is_refused_with_the_forms_that_there_are),
      cmocka_unit_test(a_service_has_a_store_of_its_name_unless_it_is_told),
      cmocka_unit_test(an_address_tells_its_file),
      cmocka_unit_test(a_database_in_memory_has_nothing_to_introspect),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
