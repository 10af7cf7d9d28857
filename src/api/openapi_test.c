/* openapi_test.c - the document as JSON: its references resolve, its names are its own, and it is the same each time. What linters, clients
 * and the server itself make of it is tests/e2e/openapi.test.mjs. */
#include "api/openapi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/json.h"
#include "contract/load.h"

enum { BYTES_MAX = 64 * 1024 * 1024 };

static const EngineLimits limits = {.page_size = 20, .page_size_max = 100, .nesting_max = 5, .batch_max = 100, .filter_bytes_max = 4096};

static Contract *contract_of(Arena *arena, const char *sdl) {
  Contract *contract = NULL;
  DiagnosticList diagnostics = {0};
  const ContractFile file = {STR("test.graphql"), str_of(sdl)};
  assert_int_equal(contract_load(&file, 1, arena, &contract, &diagnostics, NULL), CODE_OK);
  return contract;
}

static Str document_of(Arena *arena, const Contract *contract) {
  const OpenapiOptions options = {.limits = &limits};
  Buf out = buf_on(arena, BYTES_MAX);
  Error err;
  assert_int_equal(openapi_write(contract, &options, arena, &out, &err), CODE_OK);
  return buf_str(&out);
}

static bool has(Str document, const char *part) { return str_contains(document, str_of(part)); }

/* Each "$ref" names a component that is there. */
static void assert_references_resolve(Arena *arena, Str document) {
  static const Str key = STR_INIT("\"$ref\":\"#/components/");
  for (size_t at = 0; at + key.len < document.len; at++) {
    if (!str_starts_with(str_slice(document, at, document.len), key)) continue;
    Str rest = str_slice(document, at + key.len, document.len);
    Str path = str_slice(rest, 0, str_find_byte(rest, '"', 0));
    Str name = str_slice(path, str_find_byte(path, '/', 0) + 1, path.len);
    if (!str_contains(document, arena_printf(arena, "\"%.*s\":{", STR_ARGS(name)))) fail_msg("%.*s is not there", STR_ARGS(path));
  }
}

static void the_document_is_json_and_its_references_resolve(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Contract *contract = contract_of(arena, "extend schema @service(name: \"t\")\n"
                                          "type Team @resource @access(read: \"true\", write: \"true\") {\n"
                                          "  id: ID!\n  name: String! @unique\n  players: [Player!]!\n}\n"
                                          "type Player @resource @access(read: \"true\", write: \"true\") {\n"
                                          "  id: ID!\n  team: Team\n  bonus: Decimal @range(min: \"-1\", max: \"5.5\")\n}\n");
  Str document = document_of(arena, contract);
  JsonValue json;
  Error err;
  assert_int_equal(json_parse(document, 64, arena, &json, &err), CODE_OK);
  assert_references_resolve(arena, document);
  assert_true(str_equal(document, document_of(arena, contract)));
  contract_destroy(contract);
  arena_destroy(arena);
}

static void what_is_made_gets_out_of_the_way_of_the_contracts_own_types(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Contract *contract = contract_of(arena, "extend schema @service(name: \"t\")\n"
                                          "type Team @resource @access(read: \"true\", write: \"true\") {\n  id: ID!\n}\n"
                                          "type TeamCreate @resource @access(read: \"true\") {\n  id: ID!\n  why: String\n}\n"
                                          "type Problem @resource @access(read: \"true\") {\n  id: ID!\n}\n");
  Str document = document_of(arena, contract);
  assert_true(has(document, "\"Team_Create\":{"));
  assert_true(has(document, "\"TeamCreate\":{"));
  assert_true(has(document, "\"_Problem\":{"));
  assert_references_resolve(arena, document);
  contract_destroy(contract);
  arena_destroy(arena);
}

static void a_pattern_that_json_schema_lacks_is_told_in_words(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Contract *contract = contract_of(arena, "extend schema @service(name: \"t\")\n"
                                          "type Team @resource @access(read: \"true\", write: \"true\") {\n"
                                          "  id: ID!\n  name: String @pattern(regex: \"^\\\\p{Lu}+$\")\n}\n");
  Str document = document_of(arena, contract);
  assert_false(has(document, "\"pattern\":\"^\\\\p{Lu}+$\""));
  assert_true(has(document, "Matches `^\\\\p{Lu}+$` (RE2)."));
  contract_destroy(contract);
  arena_destroy(arena);
}

/* However little memory there is: an error, never half a document. */
static void without_memory_it_is_an_error(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Contract *contract =
      contract_of(arena, "extend schema @service(name: \"t\")\n"
                         "type Team @resource @access(read: \"true\", write: \"true\") {\n  id: ID!\n  name: String!\n}\n");
  const OpenapiOptions options = {.limits = &limits};
  size_t failures = 0;
  for (size_t bytes = 4096; bytes < 512 * 1024; bytes += 4096) {
    Arena *small = arena_create(bytes);
    if (small == NULL) continue;
    Buf out = buf_on_heap(BYTES_MAX);
    Error err = {0};
    Code code = openapi_write(contract, &options, small, &out, &err);
    assert_true(code == CODE_OK || code == CODE_UNAVAILABLE);
    failures += code != CODE_OK;
    buf_done(&out);
    arena_destroy(small);
  }
  assert_true(failures > 0);
  contract_destroy(contract);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_document_is_json_and_its_references_resolve),
      cmocka_unit_test(what_is_made_gets_out_of_the_way_of_the_contracts_own_types),
      cmocka_unit_test(a_pattern_that_json_schema_lacks_is_told_in_words),
      cmocka_unit_test(without_memory_it_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
