/* options_test.c - what a user may write on a command line, and what is answered to mistakes. */
#include "server/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/file.h"
#include "server/config.h"

static Arena *arena;

static int make_arena(void **state) {
  (void)state;
  return (arena = arena_create(0)) == NULL;
}
static int drop_arena(void **state) {
  (void)state;
  arena_destroy(arena);
  return 0;
}

static const char *empty_environment(const char *name) {
  (void)name;
  return NULL;
}
static const char *full_environment(const char *name) {
  if (strcmp(name, "CAISSON_BODY_MAX") == 0) return "2MiB";
  if (strcmp(name, "CAISSON_LISTEN") == 0) return "127.0.0.1:1, unix:/x";
  if (strcmp(name, "CAISSON_STORE") == 0) return "";
  return NULL;
}
static const char *broken_environment(const char *name) { return strcmp(name, "CAISSON_PAGE_SIZE") == 0 ? "many" : NULL; }

static Code parse(const char *const *args, OptionsGetenvFn *environment, ServeConfig *config, OptionList *positional, Error *err) {
  size_t count = 0;
  while (args[count] != NULL) count++;
  OptionsOutcome outcome = OPTIONS_PARSED;
  *config = (ServeConfig){0};
  return options_parse(&SERVE_OPTIONS, args, count, environment, arena, config, &outcome, positional, err);
}

static void defaults_are_those_of_the_interface(void **state) {
  (void)state;
  ServeConfig config;
  OptionList positional;
  assert_int_equal(parse((const char *const[]){"shop.graphql", NULL}, empty_environment, &config, &positional, NULL), CODE_OK);
  assert_int_equal(positional.count, 1);
  assert_int_equal(config.listen.count, 1);
  assert_true(str_equal(config.listen.items[0], STR("127.0.0.1:8080")));
  assert_int_equal(config.body_bytes_max, 1048576);
  assert_int_equal(config.header_bytes_max, 16384);
  assert_int_equal(config.request_timeout_ms, 30000);
  assert_int_equal(config.statement_timeout_ms, 5000);
  assert_int_equal(config.page_size_max, 100);
  assert_int_equal(config.log, LOG_AUTO);
  assert_int_equal(config.migrate, SWITCH_UNSET);
  assert_int_equal(config.threads, 0);
}

static void values_may_follow_a_space_or_an_equals_sign(void **state) {
  (void)state;
  ServeConfig config;
  OptionList positional;
  const char *const args[] = {"--listen=[::1]:0", "c",       "--body-max",           "10KB",       "--no-migrate",
                              "--listen",         "unix:/s", "--idle-timeout=1m30s", "--log=json", NULL};
  assert_int_equal(parse(args, empty_environment, &config, &positional, NULL), CODE_OK);
  assert_int_equal(config.listen.count, 2);
  assert_true(str_equal(config.listen.items[1], STR("unix:/s")));
  assert_int_equal(config.body_bytes_max, 10000);
  assert_int_equal(config.idle_timeout_ms, 90000);
  assert_int_equal(config.migrate, SWITCH_OFF);
  assert_int_equal(config.log, LOG_JSON);
}

static void the_environment_stands_behind_the_command_line(void **state) {
  (void)state;
  ServeConfig config;
  OptionList positional;
  assert_int_equal(parse((const char *const[]){"c", NULL}, full_environment, &config, &positional, NULL), CODE_OK);
  assert_int_equal(config.body_bytes_max, 2097152);
  assert_int_equal(config.listen.count, 2);
  assert_int_equal(config.store.len, 0);
  assert_int_equal(parse((const char *const[]){"c", "--body-max", "1", NULL}, full_environment, &config, &positional, NULL), CODE_OK);
  assert_int_equal(config.body_bytes_max, 1);
}

static void expect_refusal(const char *const *args, const char *text) {
  ServeConfig config;
  OptionList positional;
  Error err = {0};
  assert_int_equal(parse(args, empty_environment, &config, &positional, &err), CODE_BAD_REQUEST);
  assert_string_equal(err.text, text);
}

static void mistakes_are_told_with_what_is_wanted(void **state) {
  (void)state;
  expect_refusal((const char *const[]){"c", "--body-max", "huge", NULL}, "--body-max wants a size such as 64KiB or 1MiB, not \"huge\"");
  expect_refusal((const char *const[]){"c", "--idle-timeout", "10", NULL},
                 "--idle-timeout wants a duration such as 500ms, 30s or 1h, not \"10\"");
  expect_refusal((const char *const[]){"c", "--page-size", "-1", NULL}, "--page-size wants a whole number, not \"-1\"");
  expect_refusal((const char *const[]){"c", "--page-size", "0", NULL}, "--page-size must be at least 1, not \"0\"");
  expect_refusal((const char *const[]){"c", "--log", "xml", NULL}, "--log wants one of json|text|off|auto, not \"xml\"");
  expect_refusal((const char *const[]){"c", "--lisen", "x", NULL}, "there is no option --lisen: did you mean --listen?");
  expect_refusal((const char *const[]){"c", "--wholly-unknown", NULL}, "there is no option --wholly-unknown");
  expect_refusal((const char *const[]){"c", "--store", NULL}, "--store needs a value: --store URL");
  expect_refusal((const char *const[]){"c", "--store", "a", "--store", "b", NULL}, "--store is given twice");
  expect_refusal((const char *const[]){"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "d", NULL},
                 "one argument too many: \"d\"");
  expect_refusal((const char *const[]){NULL}, "CONTRACT is missing: caisson serve CONTRACT... [options]");
}

static void what_is_missing_is_named(void **state) {
  (void)state;
  const OptionTable table = {.command = "explain", .arguments = "CONTRACT 'METHOD /PATH' WHY...", .positional_min = 3, .positional_max = 3};
  static const struct {
    const char *const args[3];
    size_t count;
    const char *text;
  } cases[] = {{{"c"}, 1, "'METHOD /PATH' is missing: caisson explain CONTRACT 'METHOD /PATH' WHY..."},
               {{"c", "GET /"}, 2, "WHY is missing: caisson explain CONTRACT 'METHOD /PATH' WHY..."}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    OptionsOutcome outcome;
    OptionList positional;
    Error err = {0};
    assert_int_equal(options_parse(&table, cases[i].args, cases[i].count, empty_environment, arena, NULL, &outcome, &positional, &err),
                     CODE_BAD_REQUEST);
    assert_string_equal(err.text, cases[i].text);
  }
}

static void a_broken_environment_variable_is_named(void **state) {
  (void)state;
  ServeConfig config;
  OptionList positional;
  Error err = {0};
  assert_int_equal(parse((const char *const[]){"c", NULL}, broken_environment, &config, &positional, &err), CODE_BAD_REQUEST);
  assert_string_equal(err.text, "CAISSON_PAGE_SIZE: --page-size wants a whole number, not \"many\"");
}

static void help_is_asked_for_before_anything_else(void **state) {
  (void)state;
  OptionsOutcome outcome = OPTIONS_PARSED;
  const char *const args[] = {"--nonsense", "--help"};
  assert_int_equal(options_parse(&SERVE_OPTIONS, args, 2, empty_environment, arena, NULL, &outcome, NULL, NULL), CODE_OK);
  assert_int_equal(outcome, OPTIONS_HELP);
}

static void help_fits_a_screen_and_names_every_option_when_asked(void **state) {
  (void)state;
  Buf brief = buf_on(arena, 65536), whole = buf_on(arena, 65536);
  options_write_help(&brief, &SERVE_OPTIONS, false);
  options_write_help(&whole, &SERVE_OPTIONS, true);
  size_t lines = 0;
  for (size_t i = 0; i < brief.len; i++) lines += brief.ptr[i] == '\n';
  assert_in_range(lines, 5, 24);
  for (size_t i = 0; i < SERVE_OPTIONS.option_count; i++) assert_true(str_contains(buf_str(&whole), str_of(SERVE_OPTIONS.options[i].name)));
}

static void sizes_have_units_of_1024_and_of_1000(void **state) {
  (void)state;
  uint64_t n = 0;
  assert_true(option_size_parse(STR("0"), &n) && n == 0);
  assert_true(option_size_parse(STR("64KiB"), &n) && n == 65536);
  assert_true(option_size_parse(STR("1 MiB"), &n) && n == 1048576);
  assert_true(option_size_parse(STR("1gib"), &n) && n == 1073741824);
  assert_false(option_size_parse(STR("MiB"), &n));
  assert_false(option_size_parse(STR("1.5MiB"), &n));
  assert_false(option_size_parse(STR("-1"), &n));
  assert_false(option_size_parse(STR("99999999999999GiB"), &n));
  assert_false(option_size_parse(STR("99999999999999999999"), &n));
}

static void combinations_are_checked(void **state) {
  (void)state;
  ServeConfig config;
  OptionList positional;
  Error err = {0};
  assert_int_equal(parse((const char *const[]){"c", "--page-size", "200", NULL}, empty_environment, &config, &positional, NULL), CODE_OK);
  assert_int_equal(serve_config_check(&config, &err), CODE_BAD_REQUEST);
}

/* Meson runs tests in the build folder, from which the compiler was told this file's path too. */
static void the_documentation_has_the_same_table(void **state) {
  (void)state;
  Str here = STR(__FILE__), documentation;
  Str path = arena_printf(arena, "%.*sdocs/serve.md", (int)(here.len - sizeof "src/server/options_test.c" + 1), here.ptr);
  if (file_read(path, 1 << 20, arena, &documentation, NULL) != CODE_OK) skip();
  Buf table = buf_on(arena, 65536);
  options_write_markdown(&table, &SERVE_OPTIONS);
  assert_true(str_contains(documentation, buf_str(&table)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_those_of_the_interface),
      cmocka_unit_test(values_may_follow_a_space_or_an_equals_sign),
      cmocka_unit_test(the_environment_stands_behind_the_command_line),
      cmocka_unit_test(mistakes_are_told_with_what_is_wanted),
      cmocka_unit_test(what_is_missing_is_named),
      cmocka_unit_test(a_broken_environment_variable_is_named),
      cmocka_unit_test(help_is_asked_for_before_anything_else),
      cmocka_unit_test(help_fits_a_screen_and_names_every_option_when_asked),
      cmocka_unit_test(sizes_have_units_of_1024_and_of_1000),
      cmocka_unit_test(combinations_are_checked),
      cmocka_unit_test(the_documentation_has_the_same_table),
  };
  return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
