/* generation_test.c - what becomes of a contract where memory is out. */
#include "server/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "contract/load.h"

static const char contract_text[] =
    "extend schema @service(name: \"shop\")\n"
    "enum Kind { TEA COFFEE }\n"
    "type Product @resource @access(read: \"true\", write: \"auth.id != null\") {\n"
    "  id: ID!\n  name: String!\n  kind: Kind!\n  price: Decimal!\n  reviews: [Review!]!\n}\n"
    "type Review @resource @access(read: \"true\", write: \"true\") { id: ID! product: Product! stars: Int! @range(min: 1, max: 5) }\n";

enum { ALLOCATIONS_MAX = 100000 };

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

/* As a reload does it. */
static Code load(const ServeConfig *config, Error *err) {
  Arena *arena = arena_create(0);
  if (arena == NULL) return CODE_UNAVAILABLE;
  ContractFile file = {STR("shop.graphql"), {contract_text, sizeof contract_text - 1}};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Generation *generation = NULL;
  Code code = contract_load(&file, 1, arena, &contract, &diagnostics, err);
  if (code == CODE_OK) code = generation_create(&contract, NULL, 1, config, 1, NULL, &generation, err);
  generation_release(generation);
  arena_destroy(arena);
  return code;
}

static void each_allocation_that_fails_is_told_and_leaves_nothing(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  static const char *const arguments[] = {"shop.graphql"};
  ServeConfig config = {0};
  OptionsOutcome outcome;
  OptionList positional;
  Error err = {0};
  assert_int_equal(options_parse(&SERVE_OPTIONS, arguments, 1, no_environment, arena, &config, &outcome, &positional, &err), CODE_OK);
  size_t n = 1;
  for (Code code = CODE_UNAVAILABLE; code != CODE_OK; n++) {
    assert_in_range(n, 1, ALLOCATIONS_MAX);
    memory_fail_after(n);
    code = load(&config, &err);
    bool is_used_up = memory_fail_countdown == 0;
    memory_fail_after(0);
    /* Some of it can be done without, as a cache. */
    if (is_used_up && code == CODE_OK)
      code = CODE_UNAVAILABLE;
    else if (is_used_up && code != CODE_UNAVAILABLE)
      fail_msg("allocation %zu: %d %s", n, code, err.text);
  }
  print_message("# each of %zu allocations failed\n", n - 2);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_that_fails_is_told_and_leaves_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
