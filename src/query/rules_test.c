#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "contract/load.h"
#include "query/rules.h"

static const char contract_text[] =
    "extend schema @service(name: \"rules\")\n"
    "type Note @resource @access(read: \"shared || owner.code == auth.id\", write: \"'staff' in auth.roles\") {\n"
    "  code: String! @id\n"
    "  shared: Boolean!\n"
    "  text: String @access(read: \"auth.id != null\")\n"
    "  owner: Person @access(read: \"shared\")\n"
    "}\n"
    "type Person @resource @access(read: \"true\") {\n"
    "  code: String! @id\n"
    "  notes: [Note!]!\n"
    "}\n";

typedef struct World {
  Arena *arena;
  Contract *contract;
  const Resource *note, *person;
} World;

static const Caller stranger = {.id = {.type = VALUE_NULL}};
static const Caller ann = {.is_authenticated = true, .id = {.type = VALUE_TEXT, .text = STR_INIT("ann")}};

static int set_up(void **state) {
  Arena *arena = arena_create(0);
  World *world = ARENA_NEW(arena, World);
  ContractFile file = {.name = STR("test"), .text = str_of(contract_text)};
  DiagnosticList mistakes = {0};
  Error error;
  world->arena = arena;
  if (contract_load(&file, 1, arena, &world->contract, &mistakes, &error) != CODE_OK) return 1;
  world->note = contract_resource(world->contract, STR("Note"));
  world->person = contract_resource(world->contract, STR("Person"));
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  World *world = *state;
  contract_destroy(world->contract);
  arena_destroy(world->arena);
  return 0;
}

static const Expr *reduced(const World *world, const Caller *caller, const Expr *rule) {
  Rules rules = rules_on(world->arena, caller, 0);
  ReducedRule *ret = NULL;
  Error error;
  assert_int_equal(rules_get(&rules, rule, &ret, &error), CODE_OK);
  return ret->reduced;
}

static void assert_text(const World *world, const Expr *expr, const char *expected) {
  Buf text = buf_on(world->arena, 1000);
  expr_write(&text, expr);
  if (!str_equal(buf_str(&text), str_of(expected))) fail_msg("expected %s, is %.*s", expected, STR_ARGS(buf_str(&text)));
}

static void a_rule_is_reduced_once_for_all_that_ask(void **state) {
  const World *world = *state;
  Rules rules = rules_on(world->arena, &ann, 0);
  ReducedRule *first = NULL, *again = NULL;
  Error error;
  const Expr *rule = world->note->access[RULE_READ];
  assert_null(rules_find(&rules, rule));
  assert_int_equal(rules_get(&rules, rule, &first, &error), CODE_OK);
  assert_int_equal(rules_get(&rules, rule, &again, &error), CODE_OK);
  assert_ptr_equal(first, again);
  assert_ptr_equal(rules_find(&rules, rule), first);
}

static void where_no_rule_is_the_answer_is_no(void **state) {
  const World *world = *state;
  assert_null(world->person->access[RULE_DELETE]);
  assert_true(expr_is_false(reduced(world, &ann, world->person->access[RULE_DELETE])));
}

static void what_is_known_of_the_caller_is_put_in(void **state) {
  const World *world = *state;
  assert_true(expr_is_true(reduced(world, &stranger, world->person->access[RULE_READ])));
  assert_true(expr_is_false(reduced(world, &ann, world->note->access[RULE_UPDATE])));
  Value role = value_text(STR("staff"));
  Caller staff = {.is_authenticated = true, .id = ann.id, .roles = {&role, 1}};
  assert_true(expr_is_true(reduced(world, &staff, world->note->access[RULE_UPDATE])));
  /* For a stranger `owner.code == auth.id` is false, and what is left is the row's own. */
  const Expr *left = reduced(world, &stranger, world->note->access[RULE_READ]);
  assert_text(world, left, "(shared == true)");
  assert_int_equal(reduced(world, &ann, world->note->access[RULE_READ])->kind, EXPR_OR);
}

static void a_relations_key_field_has_the_relations_rule(void **state) {
  const World *world = *state;
  const Field *owner = resource_field(world->note, STR("owner")), *key = resource_field(world->note, STR("ownerCode"));
  assert_non_null(field_rule(owner, RULE_READ));
  assert_ptr_equal(field_rule(key, RULE_READ), field_rule(owner, RULE_READ));
  assert_non_null(field_rule(resource_field(world->note, STR("text")), RULE_READ));
  assert_null(field_rule(resource_field(world->note, STR("text")), RULE_UPDATE));
  assert_null(field_rule(resource_field(world->note, STR("shared")), RULE_READ));
}

static void a_refusal_names_the_rule_to_callers_and_asks_strangers_who_they_are(void **state) {
  const World *world = *state;
  const Problem *type = rule_refusal(world->arena, &ann, world->note, NULL, RULE_UPDATE);
  assert_int_equal(type->code, CODE_FORBIDDEN);
  assert_true(str_equal(type->rule, STR("Note.update")));
  const Problem *field = rule_refusal(world->arena, &ann, world->note, resource_field(world->note, STR("text")), RULE_READ);
  assert_true(str_equal(field->rule, STR("Note.text.read")));
  const Problem *unknown = rule_refusal(world->arena, &stranger, world->note, NULL, RULE_UPDATE);
  assert_int_equal(unknown->code, CODE_UNAUTHENTICATED);
  assert_int_equal(unknown->rule.len, 0);
}

static void failing_memory_refuses_all_the_same(void **state) {
  const World *world = *state;
  const Caller *const callers[] = {&ann, &stranger};
  for (size_t c = 0; c < 2; c++) {
    for (size_t nth = 1;; nth++) {
      memory_fail_after(nth);
      const Problem *problem = rule_refusal(world->arena, callers[c], world->note, NULL, RULE_UPDATE);
      bool is_hit = memory_fail_countdown == 0;
      memory_fail_after(0);
      assert_non_null(problem);
      assert_int_not_equal(problem->code, CODE_OK);
      if (!is_hit) break;
      assert_int_equal(problem->code, CODE_UNAVAILABLE);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_rule_is_reduced_once_for_all_that_ask, set_up, tear_down),
      cmocka_unit_test_setup_teardown(where_no_rule_is_the_answer_is_no, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_known_of_the_caller_is_put_in, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_relations_key_field_has_the_relations_rule, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_refusal_names_the_rule_to_callers_and_asks_strangers_who_they_are, set_up, tear_down),
      cmocka_unit_test_setup_teardown(failing_memory_refuses_all_the_same, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
