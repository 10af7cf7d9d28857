/* log_target_test.c - what of a target the log has. */
#include "server/log_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/memory.h"

static void is_logged(const char *target, const char *expected) {
  Arena *arena = arena_create(0);
  assert_non_null(arena);
  Str told = log_target(str_of(target), arena);
  assert_true(str_equal(told, str_of(expected)));
  arena_destroy(arena);
}

static void the_value_of_a_token_is_not_told_however_it_is_written(void **state) {
  (void)state;
  is_logged("/graphql?token=abc", "/graphql?token=***");
  is_logged("/graphql?query=%7B&token=abc&operationId=1", "/graphql?query=%7B&token=***&operationId=1");
  is_logged("/graphql?t%6Fken=a=b&token=", "/graphql?t%6Fken=***&token=***");
  is_logged("/graphql?%74%6f%6b%65%6e=abc#x", "/graphql?%74%6f%6b%65%6e=***");
}

static void all_else_is_told_as_it_came(void **state) {
  (void)state;
  static const char *const targets[] = {"",
                                        "*",
                                        "/v1/products",
                                        "/v1/products?",
                                        "/v1/token=1",
                                        "/v1/products?name=token&x=%",
                                        "/v1/products?token",
                                        "/v1/products?tokens=1&a%20token=2&&",
                                        "/v1/products?%zz=1&tok%C3=2"};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) is_logged(targets[i], targets[i]);
}

static void without_memory_nothing_of_the_query_is_told(void **state) {
  (void)state;
  char target[4096] = "/graphql?token=";
  memset(target + 15, 'x', sizeof target - 16);
  for (size_t n = 1; n <= 3; n++) {
    Arena *arena = arena_create(0);
    assert_non_null(arena);
    memory_fail_after(n);
    Str told = log_target(str_of(target), arena);
    memory_fail_after(0);
    assert_true(str_equal(told, STR("/graphql")) || str_equal(told, STR("/graphql?token=***")));
    arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_value_of_a_token_is_not_told_however_it_is_written),
      cmocka_unit_test(all_else_is_told_as_it_came),
      cmocka_unit_test(without_memory_nothing_of_the_query_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
