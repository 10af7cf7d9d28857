/* postgres_target_test.c - addresses, and what must never be shown of them. No server is needed. */
#include "store/postgres_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static Arena *arena;

static int make_arena(void **state) {
  (void)state;
  arena = arena_create(0);
  return arena == NULL;
}

static int drop_arena(void **state) {
  (void)state;
  arena_destroy(arena);
  return 0;
}

static Code init(PostgresTarget *target, const char *url, Error *err) {
  StoreOptions options = {.url = str_of(url), .statement_timeout_us = 3000000};
  return postgres_target_init(target, &options, arena, err);
}

/* NULL where the parameter isn't given. */
static const char *value_of(const PostgresTarget *target, const char *const *values, const char *keyword) {
  for (size_t i = 0; target->keywords[i] != NULL; i++) {
    if (strcmp(target->keywords[i], keyword) == 0) return values[i];
  }
  return NULL;
}

static void urls_and_connection_strings_are_told_from_other_addresses(void **state) {
  (void)state;
  assert_true(postgres_address_is(STR("postgresql://localhost/shop")));
  assert_true(postgres_address_is(STR("postgres://")));
  assert_true(postgres_address_is(STR("host=/run/postgresql dbname=shop")));
  assert_true(postgres_address_is(STR("service = shop")));
  assert_false(postgres_address_is(STR("sqlite:host=a")));
  assert_false(postgres_address_is(STR("nothing=1")));
  assert_false(postgres_address_is(STR("mysql://localhost")));
  assert_false(postgres_address_is(STR("")));
}

static void an_address_keeps_its_parameters_and_gets_ours(void **state) {
  (void)state;
  PostgresTarget target;
  assert_int_equal(init(&target,
                        "postgresql://ann:secret@db.example:6000/shop?sslmode=verify-full&connect_timeout=7&options=-csearch_path%3Dshop",
                        NULL),
                   CODE_OK);
  assert_string_equal(value_of(&target, target.values, "host"), "db.example");
  assert_string_equal(value_of(&target, target.values, "port"), "6000");
  assert_string_equal(value_of(&target, target.values, "sslmode"), "verify-full");
  assert_string_equal(value_of(&target, target.values, "application_name"), "caisson");
  assert_string_equal(value_of(&target, target.values, "client_encoding"), "UTF8");
  const char *options = value_of(&target, target.values, "options");
  assert_non_null(strstr(options, "statement_timeout=3000"));
  assert_non_null(strstr(options, "lock_timeout="));
  assert_non_null(strstr(options, "idle_in_transaction_session_timeout="));
  assert_non_null(strstr(options, "-csearch_path=shop"));
  /* A pooler gets none of it. */
  assert_null(value_of(&target, target.plain_values, "options"));
  assert_int_equal(target.connect_timeout_us, 7000000);
}

static void a_connection_string_may_name_the_application(void **state) {
  (void)state;
  PostgresTarget target;
  assert_int_equal(init(&target, "host=/tmp dbname=shop application_name=till", NULL), CODE_OK);
  assert_string_equal(value_of(&target, target.values, "application_name"), "till");
  assert_string_equal(value_of(&target, target.values, "dbname"), "shop");
}

static void what_cannot_be_read_is_refused_without_a_word_of_it(void **state) {
  (void)state;
  const char *const broken[] = {"postgresql://ann:hunter2@host/db?nonsense=hunter2", "host=a password=hunter2 hunter2",
                                "postgresql://ann:hunter2@[::1/db", "postgresql://ann:hunter2@host/db?sslmode", "password='hunter2"};
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    PostgresTarget target;
    Error err = {0};
    assert_int_equal(init(&target, broken[i], &err), CODE_BAD_REQUEST);
    assert_null(strstr(err.text, "hunter2"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(urls_and_connection_strings_are_told_from_other_addresses),
      cmocka_unit_test(an_address_keeps_its_parameters_and_gets_ours),
      cmocka_unit_test(a_connection_string_may_name_the_application),
      cmocka_unit_test(what_cannot_be_read_is_refused_without_a_word_of_it),
  };
  return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
