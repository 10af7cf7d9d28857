/* map_test.c */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void what_is_put_is_found(void **state) {
  (void)state;
  enum { KEYS = 5000 };
  static int values[KEYS];
  Arena *arena = arena_create(0);
  Map map = map_on(arena);
  assert_null(map_get(&map, STR("x")));
  for (int i = 0; i < KEYS; i++) assert_true(map_put(&map, arena_printf(arena, "key%d", i), &values[i]));
  assert_int_equal(map.count, KEYS);
  for (int i = 0; i < KEYS; i++) assert_ptr_equal(map_get(&map, arena_printf(arena, "key%d", i)), &values[i]);
  assert_null(map_get(&map, STR("key")));
  assert_null(map_get(&map, STR("")));
  arena_destroy(arena);
}

static void putting_again_replaces(void **state) {
  (void)state;
  int a, b;
  Arena *arena = arena_create(0);
  Map map = map_on(arena);
  assert_true(map_put(&map, STR(""), &a));
  assert_true(map_put(&map, STR(""), &b));
  assert_ptr_equal(map_get(&map, STR("")), &b);
  assert_int_equal(map.count, 1);
  assert_true(map_put(&map, STR(""), NULL));
  assert_null(map_get(&map, STR("")));
  arena_destroy(arena);
}

static void without_memory_a_map_stays_as_it_was(void **state) {
  (void)state;
  int value;
  Arena *arena = arena_create(0);
  Map map = map_on(arena);
  memory_fail_after(1);
  assert_false(map_put(&map, STR("a"), &value));
  assert_true(map_put(&map, STR("a"), &value));
  assert_ptr_equal(map_get(&map, STR("a")), &value);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_put_is_found),
      cmocka_unit_test(putting_again_replaces),
      cmocka_unit_test(without_memory_a_map_stays_as_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
