/* jwt_secret_test.c - which of the places a secret is taken from. */
#include "server/jwt_secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Fixture {
  Arena *arena;
  char folder[40];
  Str url, beside;
} Fixture;

static int set_up(void **state) {
  static Fixture f;
  f = (Fixture){.arena = arena_create(0), .folder = "/tmp/jwt-secret-test-XXXXXX"};
  assert_non_null(mkdtemp(f.folder));
  f.url = arena_printf(f.arena, "sqlite:%s/a.db", f.folder);
  f.beside = arena_printf(f.arena, "%s/a.db.jwt-secret", f.folder);
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  Fixture *f = *state;
  (void)unlink(f->beside.ptr);
  assert_int_equal(rmdir(f->folder), 0);
  arena_destroy(f->arena);
  return 0;
}

static void the_file_stands_beside_the_database(void **state) {
  Fixture *f = *state;
  assert_true(str_equal(jwt_secret_path(f->url, f->arena), f->beside));
  assert_true(str_equal(jwt_secret_path(STR("sqlite:./shop.db"), f->arena), STR("./shop.db.jwt-secret")));
  assert_null(jwt_secret_path(STR("sqlite::memory:"), f->arena).ptr);
  assert_null(jwt_secret_path(STR("postgresql://x@y/z"), f->arena).ptr);
}

static void a_secret_that_is_given_wins(void **state) {
  Fixture *f = *state;
  JwtSecretSource source = {.secret = STR("given"), .store_url = f->url};
  Str secret;
  bool is_ephemeral = true;
  assert_int_equal(jwt_secret_find(&source, f->arena, &secret, &is_ephemeral, NULL), CODE_OK);
  assert_true(str_equal(secret, STR("given")));
  assert_false(is_ephemeral);
  assert_int_not_equal(access(f->beside.ptr, F_OK), 0);
}

static void a_secret_that_was_made_is_found_again(void **state) {
  Fixture *f = *state;
  JwtSecretSource made = {.store_url = f->url}, named = {.file = f->beside};
  Str first, second, third;
  bool is_ephemeral = true;
  assert_int_equal(jwt_secret_find(&made, f->arena, &first, &is_ephemeral, NULL), CODE_OK);
  assert_int_equal(jwt_secret_find(&made, f->arena, &second, &is_ephemeral, NULL), CODE_OK);
  assert_int_equal(jwt_secret_find(&named, f->arena, &third, &is_ephemeral, NULL), CODE_OK);
  assert_true(str_equal(first, second) && str_equal(first, third));
  assert_false(is_ephemeral);
}

static void a_file_that_is_named_is_never_made(void **state) {
  Fixture *f = *state;
  JwtSecretSource source = {.file = f->beside};
  Str secret;
  bool is_ephemeral = false;
  assert_int_equal(jwt_secret_find(&source, f->arena, &secret, &is_ephemeral, NULL), CODE_UNAVAILABLE);
  assert_int_not_equal(access(f->beside.ptr, F_OK), 0);
}

static void without_a_file_the_secret_ends_with_the_process(void **state) {
  Fixture *f = *state;
  JwtSecretSource source = {.store_url = STR("sqlite::memory:")};
  Str a, b;
  bool is_ephemeral = false;
  assert_int_equal(jwt_secret_find(&source, f->arena, &a, &is_ephemeral, NULL), CODE_OK);
  assert_true(is_ephemeral);
  assert_int_equal(jwt_secret_find(&source, f->arena, &b, &is_ephemeral, NULL), CODE_OK);
  assert_false(str_equal(a, b));
}

int main(void) {
#define SECRET_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      SECRET_TEST(the_file_stands_beside_the_database),
      SECRET_TEST(a_secret_that_is_given_wins),
      SECRET_TEST(a_secret_that_was_made_is_found_again),
      SECRET_TEST(a_file_that_is_named_is_never_made),
      SECRET_TEST(without_a_file_the_secret_ends_with_the_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
