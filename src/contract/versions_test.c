/* Versions over one store: what can be served together, what can't and where it is said, and the tables that come of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/load.h"
#include "contract/versions.h"

#define V1 "extend schema @service(name: \"shop\", version: \"v1\")\n"
#define V2 "extend schema @service(name: \"shop\", version: \"v2\")\n"
#define P "type Product @resource @access(read: \"true\", write: \"true\") "
#define C " type Category @resource @access(read: \"true\", write: \"true\") { id: ID! }"

typedef struct Pair {
  Arena *arena;
  Contract *contracts[2];
  const Contract *layout;
  Str conflicts;
  Code code;
} Pair;

static Contract *load(Arena *arena, const char *name, const char *text) {
  DiagnosticList list = {0};
  Contract *contract = NULL;
  Error err = {0};
  ContractFile file = {str_of(name), str_of(text)};
  if (contract_load(&file, 1, arena, &contract, &list, &err) != CODE_OK)
    fail_msg("%s\n%.*s", text, list.count == 0 ? 0 : (int)list.items[0].message.len, list.count == 0 ? "" : list.items[0].message.ptr);
  return contract;
}

static Pair join(const char *old, const char *new) {
  Pair pair = {.arena = arena_create(0)};
  Error err = {0};
  pair.contracts[0] = load(pair.arena, "v1.graphql", old);
  pair.contracts[1] = load(pair.arena, "v2.graphql", new);
  pair.code = contract_versions_join((const Contract *const *)pair.contracts, 2, pair.arena, &pair.layout, &pair.conflicts, &err);
  return pair;
}

static void done(Pair pair) {
  contract_destroy(pair.contracts[0]);
  contract_destroy(pair.contracts[1]);
  arena_destroy(pair.arena);
}

static void check_conflict(const char *old, const char *new, const char *expected) {
  Pair pair = join(old, new);
  assert_int_equal(pair.code, CODE_CONFLICT);
  if (!str_equal(pair.conflicts, str_of(expected))) fail_msg("%.*s\nnot\n%s", STR_ARGS(pair.conflicts), expected);
  done(pair);
}

static void every_conflict_is_named_with_both_places(void **state) {
  (void)state;
  check_conflict(V1 P "{ id: ID! }", V1 P "{ id: ID! }",
                 "v2.graphql:1:15: error: the version \"v1\" is that of v1.graphql:1:15 too: give each contract its own\n");
  check_conflict(V1 P "{ id: ID! }", "extend schema @service(name: \"other\", version: \"v2\")\n" P "{ id: ID! }",
                 "v1.graphql:1:15: error: the service is \"shop\" here and \"other\" at v2.graphql:1:15\n");
  check_conflict(V1 P "{ id: ID!\nprice: Int! }", V2 P "{ id: ID!\n price: Decimal! }",
                 "v2.graphql:3:2: error: Product.price is Decimal here and Int at v1.graphql:3:1, in one column, products.price\n");
  check_conflict(V1 P "{ id: ID!\ntag: String }", V2 P "{ id: ID!\ntag: [String!] }",
                 "v2.graphql:3:1: error: Product.tag is [String] here and String at v1.graphql:3:1, in one column, products.tag\n");
  check_conflict(V1 P "{ id: ID!\nprice: Decimal @decimal(scale: 2) }", V2 P "{ id: ID!\nprice: Decimal @decimal(scale: 4) }",
                 "v2.graphql:3:1: error: Product.price is Decimal here and Decimal of another scale at v1.graphql:3:1, in one column, "
                 "products.price\n");
  check_conflict(V1 P "{ id: ID!\nname: String! }", V2 P "{ id: ID!\nname: String }",
                 "v2.graphql:3:1: error: Product.name may be null here, and is required at v1.graphql:3:1\n");
  check_conflict(V1 P "{ id: ID! }", V2 P "{ id: ID!\nname: String! }",
                 "v2.graphql:3:1: error: Product.name is required and has no constant default, but Product at v1.graphql:2:6 makes rows "
                 "without it: give it @default(value: …), or let it be null\n");
  check_conflict(V1 P "{ id: ID! code: String! }", V2 P "{ code: String! @id id: ID! }",
                 "v2.graphql:2:6: error: Product has another key than Product at v1.graphql:2:6, in one table, products\n");
  check_conflict(V1 P "{ id: ID!\nname: String }", V2 P "{ id: ID!\nname: String @unique }",
                 "v2.graphql:3:1: error: Product.name is unique here, and not at v1.graphql:2:6\n");
  check_conflict(V1 P "{ id: ID!\ncategory: Category }" C, V2 P "{ id: ID!\ncategory: Category @relation(onDelete: CASCADE) }" C,
                 "v2.graphql:3:1: error: Product.category has another onDelete at v1.graphql:3:1\n");
  check_conflict(V1 P "{ id: ID!\ncategoryId: ID }" C, V2 P "{ id: ID!\ncategory: Category }" C,
                 "v2.graphql:3:1: error: Product.category is a relation, but Product at v1.graphql:2:6 has its key as a plain field\n");
}

static void all_conflicts_are_told_at_once(void **state) {
  (void)state;
  check_conflict(V1 P "{ id: ID!\na: Int\nb: Int }", V2 P "{ id: ID!\na: Float\nb: String }",
                 "v2.graphql:3:1: error: Product.a is Float here and Int at v1.graphql:3:1, in one column, products.a\n"
                 "v2.graphql:4:1: error: Product.b is String here and Int at v1.graphql:4:1, in one column, products.b\n");
}

static void the_layout_has_the_columns_of_all(void **state) {
  (void)state;
  Pair pair = join(V1 P "@index(fields: [\"old\"]) { id: ID! old: Int name: String! @unique }",
                   V2 P "{ id: ID! title: String! @unique @column(name: \"name\") stock: Int! @default(value: 0) slug: String @unique "
                        "category: Category }" C);
  if (pair.code != CODE_OK) fail_msg("%.*s", STR_ARGS(pair.conflicts));
  assert_int_equal(pair.layout->resource_count, 2);
  const Resource *product = contract_resource(pair.layout, STR("Product"));
  static const char *const columns[] = {"id", "name", "stock", "slug", "category_id", "old"};
  assert_int_equal(product->stored_count, 6);
  for (size_t i = 0; i < 6; i++) {
    assert_true(str_equal(product->stored[i]->column, str_of(columns[i])));
    assert_int_equal(product->stored[i]->stored_index, i);
    assert_ptr_equal(product->stored[i]->resource, product);
  }
  assert_int_equal(product->unique_count, 2);
  assert_int_equal(product->index_count, 1);
  assert_ptr_equal(product->keys[0], product->stored[0]);
  const Relation *relation = product->stored[4]->relation;
  assert_ptr_equal(relation->keys[0], product->stored[4]);
  assert_ptr_equal(relation->target, contract_resource(pair.layout, STR("Category")));
  assert_ptr_equal(product->stored[4]->target_key, relation->target->keys[0]);
  done(pair);
}

static void a_version_that_makes_no_rows_may_lack_what_is_required(void **state) {
  (void)state;
  Pair pair = join(V1 "type Product @resource @access(read: \"true\", create: \"false\") { id: ID! }", V2 P "{ id: ID! name: String! }");
  assert_int_equal(pair.code, CODE_OK);
  done(pair);
}

static void versions_are_ordered_by_their_numbers(void **state) {
  (void)state;
  assert_true(contract_version_compare(STR("v9"), STR("v10")) < 0);
  assert_true(contract_version_compare(STR("v1.10"), STR("v1.9")) > 0);
  assert_true(contract_version_compare(STR("v1"), STR("v1.0")) < 0);
  assert_true(contract_version_compare(STR("2025-11-30"), STR("2026-01-01")) < 0);
  assert_int_equal(contract_version_compare(STR("v2"), STR("v2")), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_conflict_is_named_with_both_places), cmocka_unit_test(all_conflicts_are_told_at_once),
      cmocka_unit_test(the_layout_has_the_columns_of_all),        cmocka_unit_test(a_version_that_makes_no_rows_may_lack_what_is_required),
      cmocka_unit_test(versions_are_ordered_by_their_numbers),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
