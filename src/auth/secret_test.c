/* secret_test.c - a secret is made once, kept with mode 0600, and read back. */
#include "auth/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Fixture {
  Arena *arena;
  char folder[32];
  Str path;
} Fixture;

static int set_up(void **state) {
  static Fixture f;
  f = (Fixture){.arena = arena_create(0), .folder = "/tmp/secret-test-XXXXXX"};
  assert_non_null(mkdtemp(f.folder));
  f.path = arena_printf(f.arena, "%s/shop.db.jwt-secret", f.folder);
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  Fixture *f = *state;
  (void)unlink(f->path.ptr);
  assert_int_equal(rmdir(f->folder), 0); /* also: nothing else was left behind */
  arena_destroy(f->arena);
  return 0;
}

static void write_file(const Fixture *f, const char *text) {
  FILE *file = fopen(f->path.ptr, "we");
  assert_non_null(file);
  (void)fputs(text, file);
  (void)fclose(file);
}

static void a_secret_is_made_once_with_mode_0600(void **state) {
  Fixture *f = *state;
  Str first, second;
  assert_int_equal(secret_read(f->path, f->arena, &first, NULL), CODE_NOT_FOUND);
  assert_int_equal(secret_read_or_make(f->path, f->arena, &first, NULL), CODE_OK);
  assert_int_equal(first.len, 43); /* 32 bytes as base64url */
  assert_int_equal(secret_read_or_make(f->path, f->arena, &second, NULL), CODE_OK);
  assert_true(str_equal(first, second));
  struct stat info;
  assert_int_equal(stat(f->path.ptr, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
}

static void white_space_around_a_secret_is_not_part_of_it(void **state) {
  Fixture *f = *state;
  write_file(f, "  my secret\r\n");
  Str secret;
  assert_int_equal(secret_read(f->path, f->arena, &secret, NULL), CODE_OK);
  assert_true(str_equal(secret, STR("my secret")));
}

static void an_empty_secret_is_refused(void **state) {
  Fixture *f = *state;
  write_file(f, "\n");
  Str secret;
  assert_int_equal(secret_read_or_make(f->path, f->arena, &secret, NULL), CODE_BAD_REQUEST);
}

static void a_folder_that_is_missing_is_told(void **state) {
  Fixture *f = *state;
  Str secret;
  Error err = {0};
  assert_int_equal(secret_read_or_make(STR("/nonexistent/x.jwt-secret"), f->arena, &secret, &err), CODE_UNAVAILABLE);
  assert_non_null(strstr(err.text, "/nonexistent/x.jwt-secret"));
}

static void two_secrets_differ(void **state) {
  Fixture *f = *state;
  Str a, b;
  assert_int_equal(secret_make(32, f->arena, &a, NULL), CODE_OK);
  assert_int_equal(secret_make(32, f->arena, &b, NULL), CODE_OK);
  assert_false(str_equal(a, b));
}

int main(void) {
#define SECRET_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      SECRET_TEST(a_secret_is_made_once_with_mode_0600),
      SECRET_TEST(white_space_around_a_secret_is_not_part_of_it),
      SECRET_TEST(an_empty_secret_is_refused),
      SECRET_TEST(a_folder_that_is_missing_is_told),
      SECRET_TEST(two_secrets_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
