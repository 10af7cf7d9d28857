/* engine_test.c - the engine's steps before the store is asked: who is refused whatever the row, in which order, what is wrong with an
 * input, and which plans are shared. The steps behind are in tests/conformance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/json.h"
#include "contract/load.h"
#include "query/aggregate.h"
#include "query/engine.h"
#include "query/write.h"
#include "sql/dialect_impl.h"

static const char contract_text[] = "extend schema @service(name: \"order\")\n"
                                    "type Open @resource @access(read: \"true\", write: \"true\") {\n"
                                    "  code: String! @id\n"
                                    "  name: String! @length(min: 2, max: 5)\n"
                                    "  amount: Int @range(min: 1, max: 10)\n"
                                    "  kind: Kind\n"
                                    "  secret: String @hidden\n"
                                    "  closed: [Closed!]! @relation(inverse: \"open\")\n"
                                    "}\n"
                                    "enum Kind { ONE TWO }\n"
                                    "type Closed @resource @access(read: \"auth.id != null\", create: \"'staff' in auth.roles\") {\n"
                                    "  id: ID!\n"
                                    "  open: Open @relation(inverse: \"closed\")\n"
                                    "}\n"
                                    "type Own @resource @access(read: \"owner == auth.id\", write: \"owner == auth.id\") {\n"
                                    "  id: ID!\n"
                                    "  owner: String!\n"
                                    "}\n";

typedef struct World {
  Arena *arena;
  Contract *contract;
  StoreDriver driver; /* its dialect is all that is asked before a plan runs */
  StoreSession session;
  Engine *engine;
  Caller stranger, ann, staff;
  Value staff_roles[1];
  Call call;
  CallGroup group;
} World;

static const EngineLimits limits = {.page_size = 20,
                                    .page_size_max = 100,
                                    .nesting_max = 5,
                                    .batch_max = 3,
                                    .filter_bytes_max = 4096,
                                    .result_bytes_max = 1 << 20,
                                    .plans_max = 8};

static int set_up(void **state) {
  Arena *arena = arena_create(0);
  World *world = ARENA_NEW(arena, World);
  ContractFile file = {.name = STR("test"), .text = str_of(contract_text)};
  DiagnosticList mistakes = {0};
  Error error = {0};
  world->arena = arena;
  if (contract_load(&file, 1, arena, &world->contract, &mistakes, &error) != CODE_OK) {
    fprintf(stderr, "%.*s\n", STR_ARGS(mistakes.count > 0 ? mistakes.items[0].message : str_of(error.text)));
    return 1;
  }
  world->driver.dialect = &SQL_DIALECT_SQLITE;
  world->session.driver = &world->driver;
  world->staff_roles[0] = value_text(STR("staff"));
  world->stranger = (Caller){.id = value_null()};
  world->ann = (Caller){.is_authenticated = true, .id = value_text(STR("ann"))};
  world->staff = (Caller){.is_authenticated = true, .id = value_text(STR("bob")), .roles = {world->staff_roles, 1}};
  *state = world;
  return engine_create(world->contract, &world->session, &limits, &world->engine, &error) != CODE_OK;
}

static int tear_down(void **state) {
  World *world = *state;
  Contract *contract = world->contract;
  Engine *engine = world->engine;
  /* The plans' users go before the cache. */
  arena_destroy(world->arena);
  engine_destroy(engine);
  contract_destroy(contract);
  return 0;
}

static Operation operation(World *world, Action action, const char *resource, const Caller *caller, const char *input) {
  Operation made = {.action = action, .resource = contract_resource(world->contract, str_of(resource)), .caller = caller};
  made.list.limit = -1;
  Value *key = ARENA_NEW(world->arena, Value);
  *key = value_text(STR("k"));
  if (action != ACTION_CREATE && action != ACTION_LIST && action != ACTION_AGGREGATE) made.key = key;
  if (input != NULL) {
    JsonValue *json = ARENA_NEW(world->arena, JsonValue);
    Error error = {0};
    assert_int_equal(json_parse(str_of(input), JSON_DEPTH_DEFAULT, world->arena, json, &error), CODE_OK);
    made.input = json;
  }
  return made;
}

/* Authorize, then plan: the code of the first that refuses. */
static Code steps(World *world, Operation made) {
  world->call = (Call){.operation = made};
  world->group = (CallGroup){.calls = &world->call, .count = 1, .arena = world->arena};
  Code code = engine_authorize(world->engine, &world->group);
  if (code == CODE_OK) code = engine_plan(world->engine, &world->group);
  if (code == CODE_OK) return code;
  assert_int_equal(world->group.failed, 0);
  assert_non_null(world->call.result.problem);
  assert_int_equal(world->call.result.problem->code, code);
  return code;
}

static Code refusal(World *world, Action action, const char *resource, const Caller *caller, const char *input) {
  return steps(world, operation(world, action, resource, caller, input));
}

/* ---- who is refused whatever the row ---- */

static void what_no_rule_allows_is_refused(void **state) {
  World *world = *state;
  /* Closed has no rule for update and delete. */
  for (Action action = ACTION_UPDATE; action <= ACTION_DELETE; action++) {
    if (action == ACTION_REPLACE) continue;
    assert_int_equal(refusal(world, action, "Closed", &world->staff, "{}"), CODE_FORBIDDEN);
    assert_int_equal(refusal(world, action, "Closed", &world->stranger, "{}"), CODE_UNAUTHENTICATED);
  }
  assert_int_equal(refusal(world, ACTION_DELETE, "Closed", &world->ann, NULL), CODE_FORBIDDEN);
  assert_true(str_equal(world->call.result.problem->rule, STR("Closed.delete")));
}

static void a_rule_that_is_false_for_the_caller_is_refused_and_named(void **state) {
  World *world = *state;
  assert_int_equal(refusal(world, ACTION_CREATE, "Closed", &world->ann, "{}"), CODE_FORBIDDEN);
  assert_true(str_equal(world->call.result.problem->rule, STR("Closed.create")));
  assert_int_equal(refusal(world, ACTION_CREATE, "Closed", &world->staff, "{}"), CODE_OK);
  assert_int_equal(refusal(world, ACTION_LIST, "Closed", &world->stranger, NULL), CODE_UNAUTHENTICATED);
}

static void a_rule_over_the_row_refuses_nobody_yet_but_those_whom_no_row_is_for(void **state) {
  World *world = *state;
  assert_int_equal(refusal(world, ACTION_DELETE, "Own", &world->ann, NULL), CODE_OK);
  /* owner == null is false whatever the row, since equality of nobody is false. */
  assert_int_equal(refusal(world, ACTION_DELETE, "Own", &world->stranger, NULL), CODE_UNAUTHENTICATED);
}

static void who_may_not_is_told_before_what_is_wrong_with_the_input(void **state) {
  World *world = *state;
  assert_int_equal(refusal(world, ACTION_CREATE, "Closed", &world->ann, "{\"nonsense\":1}"), CODE_FORBIDDEN);
  assert_int_equal(refusal(world, ACTION_CREATE, "Closed", &world->staff, "{\"nonsense\":1}"), CODE_VALIDATION_FAILED);
}

/* ---- input ---- */

static const Mistake *mistake_at(const World *world, const char *pointer) {
  const Problem *problem = world->call.result.problem;
  for (size_t i = 0; i < problem->mistake_count; i++) {
    if (str_equal(problem->mistakes[i].pointer, str_of(pointer))) return &problem->mistakes[i];
  }
  fail_msg("no mistake at %s", pointer);
  return NULL;
}

static void assert_mistakes(World *world, size_t count) { assert_int_equal(world->call.result.problem->mistake_count, count); }

static void every_mistake_of_an_input_is_told_at_once(void **state) {
  World *world = *state;
  assert_int_equal(refusal(world, ACTION_CREATE, "Open", &world->ann, "{\"name\":\"x\",\"amount\":11,\"kind\":\"THREE\",\"nmae\":1}"),
                   CODE_VALIDATION_FAILED);
  assert_mistakes(world, 5);
  assert_int_equal(mistake_at(world, "/name")->code, MISTAKE_LENGTH);
  assert_int_equal(mistake_at(world, "/amount")->code, MISTAKE_RANGE);
  assert_int_equal(mistake_at(world, "/kind")->code, MISTAKE_ENUM);
  assert_int_equal(mistake_at(world, "/nmae")->code, MISTAKE_UNKNOWN_FIELD);
  assert_true(str_contains(mistake_at(world, "/nmae")->hint, STR("name")));
  assert_int_equal(mistake_at(world, "/code")->code, MISTAKE_REQUIRED);
}

static void all_rows_of_an_array_are_looked_at_and_no_more_than_may_be(void **state) {
  World *world = *state;
  assert_int_equal(refusal(world, ACTION_CREATE, "Open", &world->ann,
                           "[{\"code\":\"a\",\"name\":\"x\"},{\"code\":\"b\",\"name\":\"fine\"},{\"code\":null,\"name\":7}]"),
                   CODE_VALIDATION_FAILED);
  assert_mistakes(world, 3);
  assert_int_equal(mistake_at(world, "/0/name")->code, MISTAKE_LENGTH);
  assert_int_equal(mistake_at(world, "/2/code")->code, MISTAKE_REQUIRED);
  assert_int_equal(mistake_at(world, "/2/name")->code, MISTAKE_TYPE);
  Code code = refusal(world, ACTION_CREATE, "Open", &world->ann,
                      "[{\"code\":\"a\",\"name\":\"aa\"},{\"code\":\"b\",\"name\":\"aa\"},{\"code\":\"c\",\"name\":\"aa\"},{\"code\":\"d\","
                      "\"name\":\"aa\"}]");
  assert_true(code == CODE_TOO_LARGE || code == CODE_BAD_REQUEST || code == CODE_VALIDATION_FAILED);
}

static void an_update_misses_nothing_that_it_does_not_name(void **state) {
  World *world = *state;
  assert_int_equal(refusal(world, ACTION_UPDATE, "Open", &world->ann, "{}"), CODE_OK);
  assert_int_equal(refusal(world, ACTION_UPDATE, "Open", &world->ann, "{\"amount\":null}"), CODE_OK);
  assert_int_equal(refusal(world, ACTION_UPDATE, "Open", &world->ann, "{\"name\":null}"), CODE_VALIDATION_FAILED);
  assert_int_equal(mistake_at(world, "/name")->code, MISTAKE_REQUIRED);
  /* Hidden is what is set and never read. */
  assert_int_equal(refusal(world, ACTION_UPDATE, "Open", &world->ann, "{\"secret\":\"x\"}"), CODE_OK);
}

static void nested_mistakes_have_their_pointers(void **state) {
  World *world = *state;
  assert_int_equal(refusal(world, ACTION_UPDATE, "Open", &world->staff, "{\"closed\":{\"create\":[{},{\"a/b~c\":1}]}}"),
                   CODE_VALIDATION_FAILED);
  assert_int_equal(mistake_at(world, "/closed/create/1/a~1b~0c")->code, MISTAKE_UNKNOWN_FIELD);
}

/* Connecting is an update of the child, which nobody may do here. */
static void a_nested_row_that_is_refused_whatever_it_is_comes_before_mistakes(void **state) {
  World *world = *state;
  const char *input = "{\"name\":1,\"closed\":{\"create\":[{\"a\":1}],\"connect\":[{\"nothing\":1}]}}";
  assert_int_equal(refusal(world, ACTION_UPDATE, "Open", &world->staff, input), CODE_FORBIDDEN);
  assert_true(str_equal(world->call.result.problem->rule, STR("Closed.update")));
  assert_int_equal(refusal(world, ACTION_UPDATE, "Open", &world->stranger, input), CODE_UNAUTHENTICATED);
}

static void a_mistake_stands_below_where_the_input_stands(void **state) {
  World *world = *state;
  Operation made = operation(world, ACTION_CREATE, "Open", &world->ann, "{\"code\":\"a\",\"name\":1}");
  made.input_pointer = STR("/operations/3/body");
  assert_int_equal(steps(world, made), CODE_VALIDATION_FAILED);
  assert_int_equal(mistake_at(world, "/operations/3/body/name")->code, MISTAKE_TYPE);
}

/* ---- plans ---- */

static const StorePlan *plan_of(World *world, const char *filter, const Caller *caller) {
  Operation made = operation(world, ACTION_LIST, "Open", caller, NULL);
  Selection *selection = ARENA_NEW(world->arena, Selection);
  *selection = (Selection){.resource = made.resource, .items = ARENA_NEW(world->arena, SelectionItem), .count = 1};
  selection->items[0] = (SelectionItem){.field = made.resource->keys[0], .name = STR("code")};
  made.selection = selection;
  ExprLimits expr_limits = {.depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  Error error = {0};
  assert_int_equal(expr_parse(str_of(filter), made.resource, EXPR_USE_FILTER, NULL, &expr_limits, world->arena, &made.list.filter, mistakes,
                              &count, &error),
                   CODE_OK);
  assert_int_equal(steps(world, made), CODE_OK);
  return world->call.plan->read->plan;
}

static void what_differs_in_values_alone_shares_a_plan(void **state) {
  World *world = *state;
  const StorePlan *plan = plan_of(world, "name == 'a' && amount > 1", &world->ann);
  assert_ptr_equal(plan_of(world, "name == 'b' && amount > 9", &world->staff), plan);
  assert_ptr_not_equal(plan_of(world, "name == 'a' && amount >= 1", &world->ann), plan);
  assert_ptr_not_equal(plan_of(world, "name == 'a' || amount > 1", &world->ann), plan);
  assert_ptr_not_equal(plan_of(world, "code == 'a' && amount > 1", &world->ann), plan);
}

static void no_value_of_a_caller_is_in_a_plans_text(void **state) {
  World *world = *state;
  const StorePlan *plan = plan_of(world, "name == 'needle7' || name.contains('needle7') || amount in [4242, 4243]", &world->ann);
  for (size_t i = 0; i < plan->count; i++) {
    assert_false(str_contains(plan->statements[i]->sql, STR("needle7")));
    assert_false(str_contains(plan->statements[i]->sql, STR("4242")));
  }
}

static Str aggregate_sql(World *world, const Caller *caller) {
  Operation made = operation(world, ACTION_AGGREGATE, "Own", caller, NULL);
  ExprPath by = {.resource = made.resource, .field = resource_field(made.resource, STR("owner"))};
  Metric metric = {.kind = METRIC_COUNT};
  Aggregate aggregate = {.by = &by, .by_count = 1, .metrics = &metric, .metric_count = 1};
  made.aggregate = &aggregate;
  assert_int_equal(steps(world, made), CODE_OK);
  return aggregate_read(world->call.plan->aggregate)->plan->statements[0]->sql;
}

static void an_aggregate_sees_only_rows_that_its_caller_may_read(void **state) {
  World *world = *state;
  Str sql = aggregate_sql(world, &world->ann);
  const Str expected = STR("SELECT t1.\"owner\", count(*) FROM \"owns\" AS t1 WHERE t1.\"owner\" = ?1 GROUP BY t1.\"owner\" "
                           "ORDER BY t1.\"owner\" NULLS LAST LIMIT ?2");
  if (!str_equal(sql, expected)) fail_msg("is %.*s", STR_ARGS(sql));
}

int main(void) {
#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      WORLD_TEST(what_no_rule_allows_is_refused),
      WORLD_TEST(a_rule_that_is_false_for_the_caller_is_refused_and_named),
      WORLD_TEST(a_rule_over_the_row_refuses_nobody_yet_but_those_whom_no_row_is_for),
      WORLD_TEST(who_may_not_is_told_before_what_is_wrong_with_the_input),
      WORLD_TEST(every_mistake_of_an_input_is_told_at_once),
      WORLD_TEST(all_rows_of_an_array_are_looked_at_and_no_more_than_may_be),
      WORLD_TEST(an_update_misses_nothing_that_it_does_not_name),
      WORLD_TEST(nested_mistakes_have_their_pointers),
      WORLD_TEST(a_nested_row_that_is_refused_whatever_it_is_comes_before_mistakes),
      WORLD_TEST(a_mistake_stands_below_where_the_input_stands),
      WORLD_TEST(what_differs_in_values_alone_shares_a_plan),
      WORLD_TEST(no_value_of_a_caller_is_in_a_plans_text),
      WORLD_TEST(an_aggregate_sees_only_rows_that_its_caller_may_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
