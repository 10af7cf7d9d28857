/* file_test.c */
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Folder {
  char path[64];
  char file[80];
  Arena *arena;
} Folder;

static int make_folder(void **state) {
  static Folder folder;
  snprintf(folder.path, sizeof folder.path, "/tmp/file_test.XXXXXX");
  if (mkdtemp(folder.path) == NULL) return -1;
  snprintf(folder.file, sizeof folder.file, "%s/a", folder.path);
  folder.arena = arena_create(0);
  *state = &folder;
  return 0;
}

static int remove_folder(void **state) {
  Folder *folder = *state;
  unlink(folder->file);
  arena_destroy(folder->arena);
  return rmdir(folder->path); /* fails where a temporary file was left behind */
}

static void what_is_written_is_read(void **state) {
  Folder *folder = *state;
  Error err;
  Str text;
  assert_int_equal(file_write(str_of(folder->file), STR("one"), FILE_MODE_SHARED, &err), CODE_OK);
  assert_int_equal(file_write(str_of(folder->file), STR("two\0three"), FILE_MODE_SECRET, &err), CODE_OK);
  assert_int_equal(file_read(str_of(folder->file), 9, folder->arena, &text, &err), CODE_OK);
  assert_true(str_equal(text, STR("two\0three")));
  struct stat status;
  assert_int_equal(stat(folder->file, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  assert_int_equal(file_read(str_of(folder->file), 8, folder->arena, &text, &err), CODE_TOO_LARGE);
}

static void an_empty_file_is_an_empty_string(void **state) {
  Folder *folder = *state;
  Error err;
  Str text = STR("x");
  assert_int_equal(file_write(str_of(folder->file), STR(""), FILE_MODE_SECRET, &err), CODE_OK);
  assert_int_equal(file_read(str_of(folder->file), 100, folder->arena, &text, &err), CODE_OK);
  assert_int_equal(text.len, 0);
}

static void what_cannot_be_read_says_why(void **state) {
  Folder *folder = *state;
  Error err;
  Str text;
  assert_int_equal(file_read(str_of(folder->file), 100, folder->arena, &text, &err), CODE_NOT_FOUND);
  assert_string_equal(err.text, "No such file or directory");
  assert_int_equal(file_read(str_of(folder->path), 100, folder->arena, &text, &err), CODE_UNAVAILABLE);
  assert_int_equal(file_read(STR("a\0b"), 100, folder->arena, &text, &err), CODE_UNAVAILABLE);
  assert_int_equal(file_write(STR("/nowhere/at/all"), STR("x"), FILE_MODE_SECRET, &err), CODE_NOT_FOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_written_is_read, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(an_empty_file_is_an_empty_string, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(what_cannot_be_read_says_why, make_folder, remove_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
