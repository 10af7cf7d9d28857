/* script_test.c */
#include "migrate/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The statements in brackets, or the error's name. */
static void check_read(const char *text, const char *expected) {
  Arena *arena = arena_create(0);
  Buf out = buf_on(arena, 4096);
  Script script;
  Code code = script_read(str_of(text), arena, &script, NULL);
  if (code != CODE_OK) buf_add(&out, code_name(code));
  for (size_t i = 0; code == CODE_OK && i < script.statements.count; i++)
    buf_printf(&out, "[%.*s]", STR_ARGS(script.statements.items[i].sql));
  buf_add_byte(&out, '\0');
  assert_string_equal(out.ptr, expected);
  arena_destroy(arena);
}

static void statements_end_at_semicolons(void **state) {
  (void)state;
  check_read("", "");
  check_read(" ; ;\n", "");
  check_read("SELECT 1", "[SELECT 1]");
  check_read("SELECT 1; SELECT 2;\n", "[SELECT 1][SELECT 2]");
  check_read("-- what; it does\nSELECT 1; /* a; /* nested; */ b */ SELECT 2", "[SELECT 1][SELECT 2]");
}

static void semicolons_in_strings_names_and_dollar_quotes_end_nothing(void **state) {
  (void)state;
  check_read("SELECT 'a;''b;', \"c;\"; SELECT 2", "[SELECT 'a;''b;', \"c;\"][SELECT 2]");
  check_read("SELECT $$a;b$$; SELECT $x$;$$;$x$", "[SELECT $$a;b$$][SELECT $x$;$$;$x$]");
  check_read("SELECT a$b;SELECT $1;", "[SELECT a$b][SELECT $1]");
}

static void a_trigger_is_one_statement(void **state) {
  (void)state;
  check_read("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; UPDATE c SET d = 1; END; SELECT 1;",
             "[CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; UPDATE c SET d = 1; END][SELECT 1]");
  check_read("CREATE TABLE trigger (a);BEGIN;", "[CREATE TABLE trigger (a)][BEGIN]");
}

static void what_does_not_end_is_an_error(void **state) {
  (void)state;
  check_read("SELECT 'a", "BAD_REQUEST");
  check_read("SELECT \"a", "BAD_REQUEST");
  check_read("SELECT 1 /* a", "BAD_REQUEST");
  check_read("SELECT $a$ b $$", "BAD_REQUEST");
  check_read("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b;", "BAD_REQUEST");
}

static void a_statement_tells_how_it_has_to_be_run(void **state) {
  (void)state;
  assert_int_equal(script_mode(STR("CREATE INDEX CONCURRENTLY a ON b (c)")), SCRIPT_OUTSIDE);
  assert_int_equal(script_mode(STR("alter table a validate constraint b")), SCRIPT_BY_ITSELF);
  assert_int_equal(script_mode(STR("CREATE TABLE \"concurrently\" (validated text DEFAULT 'validate')")), SCRIPT_TOGETHER);
}

static void a_file_says_for_which_store_it_is(void **state) {
  (void)state;
  assert_true(str_equal(script_dialect(STR("-- for: sqlite\nSELECT 1;")), STR("sqlite")));
  assert_int_equal(script_dialect(STR("SELECT 1;")).len, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(statements_end_at_semicolons),
      cmocka_unit_test(semicolons_in_strings_names_and_dollar_quotes_end_nothing),
      cmocka_unit_test(a_trigger_is_one_statement),
      cmocka_unit_test(what_does_not_end_is_an_error),
      cmocka_unit_test(a_statement_tells_how_it_has_to_be_run),
      cmocka_unit_test(a_file_says_for_which_store_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
