#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/plan_cache.h"

static void *put(PlanCache *cache, const char *shape, Arena *user) {
  Arena *arena = arena_create(0);
  Str plan = arena_str(arena, str_of(shape));
  return plan_cache_put(cache, str_of(shape), arena, (void *)plan.ptr, user);
}

static void what_was_put_is_found_by_its_shape(void **state) {
  (void)state;
  PlanCache *cache = plan_cache_create(4);
  Arena *user = arena_create(0);
  assert_null(plan_cache_get(cache, STR("a"), user));
  void *a = put(cache, "a", user);
  assert_ptr_equal(plan_cache_get(cache, STR("a"), user), a);
  assert_null(plan_cache_get(cache, STR("b"), user));
  arena_destroy(user);
  plan_cache_destroy(cache);
}

static void the_plan_that_was_first_stays(void **state) {
  (void)state;
  PlanCache *cache = plan_cache_create(4);
  Arena *user = arena_create(0);
  void *first = put(cache, "a", user);
  assert_ptr_equal(put(cache, "a", user), first);
  arena_destroy(user);
  plan_cache_destroy(cache);
}

static void the_least_recently_used_gives_way(void **state) {
  (void)state;
  PlanCache *cache = plan_cache_create(2);
  Arena *user = arena_create(0);
  put(cache, "a", user);
  put(cache, "b", user);
  assert_non_null(plan_cache_get(cache, STR("a"), user));
  put(cache, "c", user);
  assert_null(plan_cache_get(cache, STR("b"), user));
  assert_non_null(plan_cache_get(cache, STR("a"), user));
  arena_destroy(user);
  plan_cache_destroy(cache);
}

static void many_give_way_to_what_is_large(void **state) {
  (void)state;
  PlanCache *cache = plan_cache_create(100);
  Arena *user = arena_create(0), *large = arena_create(0);
  plan_cache_bound(cache, 100000);
  put(cache, "a", user);
  put(cache, "b", user);
  arena_destroy(user);
  user = arena_create(0);
  assert_non_null(arena_alloc(large, 95000));
  Str plan = arena_str(large, STR("c"));
  assert_ptr_equal(plan_cache_put(cache, STR("c"), large, (void *)plan.ptr, user), plan.ptr);
  assert_null(plan_cache_get(cache, STR("a"), user));
  assert_null(plan_cache_get(cache, STR("b"), user));
  assert_ptr_equal(plan_cache_get(cache, STR("c"), user), plan.ptr);
  arena_destroy(user);
  plan_cache_destroy(cache);
}

static void a_plan_in_use_outlives_its_eviction(void **state) {
  (void)state;
  PlanCache *cache = plan_cache_create(1);
  Arena *user = arena_create(0), *other = arena_create(0);
  const char *a = put(cache, "a", user);
  put(cache, "b", other);
  arena_destroy(other);
  assert_string_equal(a, "a"); /* the sanitizer watches */
  arena_destroy(user);
  plan_cache_destroy(cache);
}

static void a_cache_of_none_keeps_nothing(void **state) {
  (void)state;
  PlanCache *cache = plan_cache_create(0);
  Arena *user = arena_create(0);
  const char *first = put(cache, "a", user);
  assert_null(plan_cache_get(cache, STR("a"), user));
  const char *second = put(cache, "a", user);
  assert_ptr_not_equal(first, second);
  assert_string_equal(first, "a");
  assert_string_equal(second, "a");
  arena_destroy(user); /* both go with it: the sanitizer watches */
  plan_cache_destroy(cache);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_put_is_found_by_its_shape),  cmocka_unit_test(the_plan_that_was_first_stays),
      cmocka_unit_test(the_least_recently_used_gives_way),   cmocka_unit_test(many_give_way_to_what_is_large),
      cmocka_unit_test(a_plan_in_use_outlives_its_eviction), cmocka_unit_test(a_cache_of_none_keeps_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
