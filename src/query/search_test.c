/* search_test.c - a client's text to a store's pattern. */
#include "query/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "contract/load.h"
#include "sql/dialect_impl.h"

static const char NOTES[] = "extend schema @service(name: \"notes\")\n"
                            "type Note @resource @search(fields: [\"title\", \"text\", \"secret\", \"mine\", \"never\"]) @access(read: "
                            "\"true\", write: \"true\") {\n"
                            "  id: ID!\n  title: String!\n  text: String\n  secret: String @access(read: \"'staff' in auth.roles\")\n"
                            "  mine: String @access(read: \"title == auth.id\")\n  never: String @hidden\n}\n"
                            "type Plain @resource @access(read: \"true\", write: \"true\") { id: ID! title: String }\n";

static Arena *arena;
static Contract *contract;

static Code search(const Caller *caller, const char *resource, Str text, PlanSearch *ret, Str *ret_pattern, Error *err) {
  PlanInput input = plan_input_on(arena, &SQL_DIALECT_SQLITE, caller, 0);
  TRY(plan_search(&input, contract_resource(contract, str_of(resource)), text, ret, err));
  if (ret->param > 0) *ret_pattern = input.params.items[ret->param - 1].text;
  return CODE_OK;
}

static void assert_pattern(const Caller *caller, const char *text, const char *expected) {
  PlanSearch made = {0};
  Str pattern = {0};
  Error err = {0};
  if (search(caller, "Note", str_of(text), &made, &pattern, &err) != CODE_OK) fail_msg("%s: %s", text, err.text);
  if (!str_equal(pattern, str_of(expected))) fail_msg("%s is %.*s", text, STR_ARGS(pattern));
}

static void words_are_quoted_and_all_of_them_wanted(void **state) {
  (void)state;
  const Caller nobody = {0};
  assert_pattern(&nobody, "tea", "{c0 c1} : (\"tea\")");
  assert_pattern(&nobody, "  green\ttea ", "{c0 c1} : (\"green\" AND \"tea\")");
  assert_pattern(&nobody, "gree*", "{c0 c1} : (\"gree\" *)");
  assert_pattern(&nobody, "\"green tea\" black", "{c0 c1} : (\"green tea\" AND \"black\")");
  assert_pattern(&nobody, "\"green tea", "{c0 c1} : (\"green tea\")");
  assert_pattern(&nobody, "a\"b*", "{c0 c1} : (\"a\" AND \"b*\")");
  assert_pattern(&nobody, "c2:tea OR NEAR(", "{c0 c1} : (\"c2:tea\" AND \"OR\" AND \"NEAR(\")");
}

static void what_holds_no_word_is_left_out(void **state) {
  (void)state;
  const Caller nobody = {0};
  assert_pattern(&nobody, "- tea \xE2\x80\x94 * \"\" !", "{c0 c1} : (\"tea\")");
  assert_pattern(&nobody, "\xE8\x8C\xB6", "{c0 c1} : (\"\xE8\x8C\xB6\")");
}

/* Most of C0 is no blank to str_trim, and no part of a word. */
static void control_characters_part_words(void **state) {
  (void)state;
  const Caller nobody = {0};
  assert_pattern(&nobody, "\x01tea\v\x1fgreen\f", "{c0 c1} : (\"tea\" AND \"green\")");
  assert_pattern(&nobody, "\"green\x01tea\"\x02", "{c0 c1} : (\"green\x01tea\")");
}

static void only_fields_that_are_readable_in_every_row_are_searched(void **state) {
  (void)state;
  const Value role = value_text(STR("staff"));
  const Caller staff = {.is_authenticated = true, .id = value_text(STR("sam")), .roles = {&role, 1}};
  assert_pattern(&staff, "tea", "{c0 c1 c2} : (\"tea\")");
}

static void assert_refused(const char *resource, Str text, const char *said) {
  PlanSearch made = {0};
  Str pattern;
  Error err = {0};
  const Caller nobody = {0};
  assert_int_equal(search(&nobody, resource, text, &made, &pattern, &err), CODE_BAD_REQUEST);
  if (strstr(err.text, said) == NULL) fail_msg("says %s", err.text);
}

static void what_can_not_be_searched_is_refused(void **state) {
  (void)state;
  assert_refused("Plain", STR("tea"), "no @search");
  assert_refused("Note", STR(""), "no word");
  assert_refused("Note", STR("*!\""), "no word");
  assert_refused("Note", STR("\x01"), "no word");
  char many[200] = "";
  for (size_t i = 0; i < 33; i++) memcpy(many + 2 * i, "a ", 2);
  assert_refused("Note", (Str){many, 66}, "more than 32 words");
  char *longest = arena_alloc(arena, 2000);
  assert_non_null(longest);
  memset(longest, 'a', 2000);
  assert_refused("Note", (Str){longest, 2000}, "bytes");
}

static int set_up(void **state) {
  (void)state;
  arena = arena_create(0);
  ContractFile file = {STR("notes.graphql"), {NOTES, sizeof NOTES - 1}};
  DiagnosticList diagnostics = {0};
  return contract_load(&file, 1, arena, &contract, &diagnostics, NULL) == CODE_OK ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  arena_destroy(arena);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_quoted_and_all_of_them_wanted), cmocka_unit_test(what_holds_no_word_is_left_out),
      cmocka_unit_test(control_characters_part_words),           cmocka_unit_test(only_fields_that_are_readable_in_every_row_are_searched),
      cmocka_unit_test(what_can_not_be_searched_is_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
