/* Why a rule was not true: the parts that decided, and what they saw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/expr_why.h"
#include "contract/load.h"

static const char SHOP[] =
    "extend schema @service(name: \"shop\")\n"
    "type User @resource { id: ID! name: String }\n"
    "type Review @resource { id: ID! stars: Int published: Boolean secret: String @hidden author: User owner: ID }\n";

typedef struct Case {
  const char *rule;
  const char *expected; /* "part: verdict name=value …", a line each */
} Case;

static Arena *arena;
static Contract *contract;
static const Resource *review;
static Caller caller;
static Value row[8];

static int set_up(void **state) {
  (void)state;
  arena = arena_create(0);
  DiagnosticList list = {0};
  Error err = {0};
  ContractFile file = {STR("shop.graphql"), STR("")};
  file.text = str_of(SHOP);
  assert_int_equal(contract_load(&file, 1, arena, &contract, &list, &err), CODE_OK);
  review = contract_resource(contract, STR("Review"));
  static Value roles[1];
  roles[0] = value_text(STR("member"));
  caller = (Caller){.is_authenticated = true, .id = value_text(STR("ann")), .roles = {roles, 1}};
  row[resource_field(review, STR("id"))->stored_index] = value_text(STR("r1"));
  row[resource_field(review, STR("stars"))->stored_index] = value_int(2);
  row[resource_field(review, STR("published"))->stored_index] = value_bool(false);
  row[resource_field(review, STR("secret"))->stored_index] = value_text(STR("s3cret"));
  row[resource_field(review, STR("authorId"))->stored_index] = value_text(STR("bob"));
  row[resource_field(review, STR("owner"))->stored_index] = value_text(STR("bob"));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  contract_destroy(contract);
  arena_destroy(arena);
  return 0;
}

static const Expr *parse(const char *source) {
  static const ExprLimits limits = {.depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  Error err = {0};
  if (expr_parse(str_of(source), review, EXPR_USE_RULE, NULL, &limits, arena, &expr, mistakes, &count, &err) != CODE_OK)
    fail_msg("%s: %s", source, count > 0 ? mistakes[0].message : err.text);
  return expr;
}

static void check(const Case *each, const ExprEnv *env, const WhyOracle *oracle) {
  Why why;
  Error err = {0};
  assert_int_equal(expr_why(parse(each->rule), env, oracle, arena, &why, &err), CODE_OK);
  Buf out = buf_on(arena, 1 << 16);
  static const char *const verdicts[] = {"false", "true", "unknown"};
  for (size_t i = 0; i < why.parts.count; i++) {
    const WhyPart *part = &why.parts.items[i];
    buf_printf(&out, "%.*s: %s", STR_ARGS(part->text), verdicts[part->verdict]);
    for (size_t k = 0; k < part->values.count; k++)
      buf_printf(&out, " %.*s=%.*s", STR_ARGS(part->values.items[k].name), STR_ARGS(part->values.items[k].text));
    buf_add_byte(&out, '\n');
  }
  if (!str_equal(buf_str(&out), str_of(each->expected))) fail_msg("%s\n%.*snot\n%s", each->rule, STR_ARGS(buf_str(&out)), each->expected);
}

static void the_parts_that_decide_are_named_with_their_values(void **state) {
  (void)state;
  static const Case cases[] = {
      {"'staff' in auth.roles", "(\"staff\" in auth.roles): false auth.roles=[\"member\"]\n"},
      {"published && stars > 1", "published: false published=false\n"},
      {"published || stars > 3 || owner == auth.id", "published: false published=false\n(stars > 3): false stars=2\n"
                                                     "(owner == auth.id): false owner=\"bob\" auth.id=\"ann\"\n"},
      {"stars > 1 && (published || owner == auth.id)",
       "published: false published=false\n(owner == auth.id): false owner=\"bob\" auth.id=\"ann\"\n"},
      {"!(stars < 5)", "(stars < 5): true stars=2\n"},
      {"secret == 'x'", "(secret == \"x\"): false secret=hidden\n"},
      {"published ? stars > 1 : stars > 4", "published: false published=false\n(stars > 4): false stars=2\n"},
  };
  ExprEnv env = {.caller = &caller, .row = row};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check(&cases[i], &env, NULL);
}

static void what_depends_on_a_row_is_unknown_without_one(void **state) {
  (void)state;
  static const Case cases[] = {
      {"'staff' in auth.roles && published", "(\"staff\" in auth.roles): false auth.roles=[\"member\"]\n"},
      {"published", "published: unknown published=not looked up\n"},
  };
  ExprEnv env = {.caller = &caller};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check(&cases[i], &env, NULL);
}

static Code no_row_holds(void *context, const Expr *expr, bool *ret, Error *err) {
  (void)expr;
  (void)err;
  ++*(int *)context;
  *ret = false;
  return CODE_OK;
}

static void other_rows_are_the_oracles(void **state) {
  (void)state;
  static const Case other = {"stars == 2 && author.name == 'ann'", "(author.name == \"ann\"): false author.name=not looked up\n"};
  int asked = 0;
  WhyOracle oracle = {no_row_holds, &asked};
  ExprEnv env = {.caller = &caller, .row = row};
  check(&other, &env, &oracle);
  assert_true(asked > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_parts_that_decide_are_named_with_their_values),
      cmocka_unit_test(what_depends_on_a_row_is_unknown_without_one),
      cmocka_unit_test(other_rows_are_the_oracles),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
