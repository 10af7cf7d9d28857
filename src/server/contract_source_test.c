/* contract_source_test.c - files and folders as contracts. */
#include "server/contract_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Fixture {
  Arena *arena;
  char folder[40];
} Fixture;

static const char *const names[] = {"b.graphql", "a.graphql", "notes.txt", ".hidden.graphql"};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

static Str path_of(const Fixture *f, const char *name) { return arena_printf(f->arena, "%s/%s", f->folder, name); }

static void write_file(const Fixture *f, const char *name, const char *text) {
  FILE *file = fopen(path_of(f, name).ptr, "we");
  assert_non_null(file);
  (void)fputs(text, file);
  (void)fclose(file);
}

static int set_up(void **state) {
  static Fixture f;
  f = (Fixture){.arena = arena_create(0), .folder = "/tmp/source-test-XXXXXX"};
  assert_non_null(mkdtemp(f.folder));
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  Fixture *f = *state;
  for (size_t i = 0; i < NAME_COUNT; i++) (void)unlink(path_of(f, names[i]).ptr);
  assert_int_equal(rmdir(f->folder), 0);
  arena_destroy(f->arena);
  return 0;
}

static void a_file_is_itself(void **state) {
  Fixture *f = *state;
  write_file(f, "a.graphql", "type A");
  ContractSource source;
  assert_int_equal(contract_source_read(path_of(f, "a.graphql"), f->arena, &source, NULL), CODE_OK);
  assert_int_equal(source.count, 1);
  assert_true(str_equal(source.files[0].text, STR("type A")));
  assert_true(str_equal(source.files[0].name, path_of(f, "a.graphql")));
}

static void a_folder_is_its_graphql_files_in_name_order(void **state) {
  Fixture *f = *state;
  for (size_t i = 0; i < NAME_COUNT; i++) write_file(f, names[i], names[i]);
  ContractSource source;
  assert_int_equal(contract_source_read(path_of(f, ""), f->arena, &source, NULL), CODE_OK);
  assert_int_equal(source.count, 2);
  assert_true(str_equal(source.files[0].text, STR("a.graphql")));
  assert_true(str_equal(source.files[0].name, path_of(f, "a.graphql"))); /* one slash between them */
  assert_true(str_equal(source.files[1].text, STR("b.graphql")));
}

static void what_is_missing_or_empty_is_told(void **state) {
  Fixture *f = *state;
  ContractSource source;
  Error err;
  assert_int_equal(contract_source_read(path_of(f, "none.graphql"), f->arena, &source, &err), CODE_UNAVAILABLE);
  assert_non_null(strstr(err.text, "none.graphql"));
  assert_int_equal(contract_source_read(str_of(f->folder), f->arena, &source, &err), CODE_BAD_REQUEST);
}

static void too_much_text_is_refused_before_it_is_all_read(void **state) {
  Fixture *f = *state;
  FILE *file = fopen(path_of(f, "a.graphql").ptr, "we");
  assert_non_null(file);
  assert_int_equal(ftruncate(fileno(file), (off_t)CONTRACT_BYTES_MAX + 1), 0);
  (void)fclose(file);
  ContractSource source;
  assert_int_equal(contract_source_read(path_of(f, "a.graphql"), f->arena, &source, NULL), CODE_TOO_LARGE);
}

int main(void) {
#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      SOURCE_TEST(a_file_is_itself),
      SOURCE_TEST(a_folder_is_its_graphql_files_in_name_order),
      SOURCE_TEST(what_is_missing_or_empty_is_told),
      SOURCE_TEST(too_much_text_is_refused_before_it_is_all_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
