/* postgres_statement_test.c - what is prepared is found again, and no more than the bound is kept. */
#include "store/postgres_statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const ValueType types[] = {VALUE_TEXT};

static StoreStatement statement(uint64_t id) {
  return (StoreStatement){.id = id, .sql = STR("SELECT $1::uuid"), .param_types = types, .param_count = 1};
}

static PostgresStatement *get(PostgresStatements *statements, uint64_t id) {
  StoreStatement shape = statement(id);
  PostgresStatement *ret = postgres_statement_get(statements, &shape);
  assert_non_null(ret);
  return ret;
}

static void a_statement_is_found_again_with_its_forms(void **state) {
  (void)state;
  PostgresStatements *statements = postgres_statements_create(10);
  PostgresStatement *first = get(statements, 1);
  assert_int_equal(first->forms[0], POSTGRES_FORM_UUID);
  assert_int_equal(first->state, POSTGRES_UNPREPARED);
  /* 257 falls into the same bucket as 1. */
  assert_ptr_not_equal(get(statements, 257), first);
  assert_ptr_equal(get(statements, 1), first);
  postgres_statements_destroy(statements);
}

static void the_one_used_longest_ago_is_given_up(void **state) {
  (void)state;
  char name[POSTGRES_NAME_MAX], expected[POSTGRES_NAME_MAX];
  PostgresStatements *statements = postgres_statements_create(2);
  get(statements, 1)->state = POSTGRES_PREPARED;
  PostgresStatement *second = get(statements, 2);
  second->state = POSTGRES_PREPARED;
  memcpy(expected, second->name, sizeof expected);
  assert_false(postgres_statements_evict(statements, name));
  get(statements, 1);
  get(statements, 3);
  assert_true(postgres_statements_evict(statements, name));
  assert_string_equal(name, expected);
  assert_false(postgres_statements_evict(statements, name));
  assert_int_equal(get(statements, 1)->state, POSTGRES_PREPARED);
  assert_int_equal(get(statements, 2)->state, POSTGRES_UNPREPARED);
  postgres_statements_destroy(statements);
}

static void what_was_not_prepared_has_no_name_to_give_up(void **state) {
  (void)state;
  char name[POSTGRES_NAME_MAX] = "x";
  PostgresStatements *statements = postgres_statements_create(1);
  get(statements, 1);
  get(statements, 2);
  assert_true(postgres_statements_evict(statements, name));
  assert_string_equal(name, "");
  postgres_statements_destroy(statements);
}

static void each_preparation_has_a_name_of_its_own(void **state) {
  (void)state;
  PostgresStatements *statements = postgres_statements_create(4);
  PostgresStatement *first = get(statements, 1), *second = get(statements, 2);
  char before[POSTGRES_NAME_MAX];
  assert_string_not_equal(first->name, second->name);
  memcpy(before, first->name, sizeof before);
  postgres_statement_rename(statements, first);
  assert_string_not_equal(first->name, before);
  assert_string_not_equal(first->name, second->name);
  postgres_statements_destroy(statements);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_statement_is_found_again_with_its_forms),
      cmocka_unit_test(the_one_used_longest_ago_is_given_up),
      cmocka_unit_test(what_was_not_prepared_has_no_name_to_give_up),
      cmocka_unit_test(each_preparation_has_a_name_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
