/* What a contract implies without saying it: keys, key fields, columns, paths, tables, the other sides of relations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/directive_registry.h"
#include "contract/expr.h"
#include "contract/input.h"
#include "contract/load.h"

#define OPEN "@access(read: \"true\", write: \"true\") "

typedef struct Loaded {
  Arena *arena;
  Contract *contract;
} Loaded;

static Loaded load_named(const char *name, const char *text) {
  Loaded loaded = {.arena = arena_create(0)};
  DiagnosticList list = {0};
  Error err = {0};
  ContractFile file = {str_of(name), str_of(text)};
  Code code = contract_load(&file, 1, loaded.arena, &loaded.contract, &list, &err);
  if (code != CODE_OK)
    fail_msg("%s\n%.*s", text, list.count == 0 ? 0 : (int)list.items[0].message.len, list.count == 0 ? "" : list.items[0].message.ptr);
  return loaded;
}

static Loaded load(const char *text) { return load_named("shop.graphql", text); }

static void unload(Loaded loaded) {
  contract_destroy(loaded.contract);
  arena_destroy(loaded.arena);
}

static const Resource *resource(Loaded loaded, const char *name) {
  const Resource *found = contract_resource(loaded.contract, str_of(name));
  assert_non_null(found);
  return found;
}

static const Field *field(const Resource *of, const char *name) {
  const Field *found = resource_field(of, str_of(name));
  if (found == NULL) fail_msg("%.*s has no %s", STR_ARGS(of->name), name);
  return found;
}

static void check_str(Str got, const char *expected) {
  if (!str_equal(got, str_of(expected))) fail_msg("\"%.*s\", not \"%s\"", STR_ARGS(got), expected);
}

static void a_resource_has_names_for_every_face(void **state) {
  (void)state;
  Loaded l = load("extend schema @service(name: \"shop\", version: \"v2\")\n"
                  "\"A line.\" type OrderLine @resource { id: ID! }  type Category @resource { id: ID! }  type URLItem @resource(path: "
                  "\"links\", table: \"Link Table\") { id: ID! }");
  check_str(l.contract->service_name, "shop");
  check_str(l.contract->service_version, "v2");
  const Resource *line = resource(l, "OrderLine"), *item = resource(l, "URLItem");
  check_str(line->path, "order-lines");
  check_str(line->table, "order_lines");
  check_str(line->singular, "orderLine");
  check_str(line->plural, "orderLines");
  check_str(line->description, "A line.");
  check_str(resource(l, "Category")->path, "categories");
  check_str(item->path, "links");
  check_str(item->table, "Link Table");
  assert_ptr_equal(contract_resource_at(l.contract, STR("links")), item);
  assert_int_equal(line->cache.max_age_s, -1);
  unload(l);
}

static void a_contract_without_a_service_is_named_after_its_file(void **state) {
  (void)state;
  Loaded l = load_named("some/dir/notes.graphql", "type A @resource { id: ID! }");
  check_str(l.contract->service_name, "notes");
  check_str(l.contract->service_version, "v1");
  unload(l);
}

static void the_server_makes_an_id_that_nobody_else_gives(void **state) {
  (void)state;
  Loaded l = load("type A @resource { id: ID! } type B @resource { id: ID! @id } type C @resource { id: ID! code: Int! @id } type D "
                  "@resource { id: ID! @default(expr: \"uuid()\") }"
                  "type V @resource @access(read: \"true\", write: \"false\") { n: Int }");
  assert_true(field(resource(l, "A"), "id")->is_server_made);
  assert_false(field(resource(l, "B"), "id")->is_server_made);
  assert_true(field(resource(l, "B"), "id")->is_key);
  assert_false(field(resource(l, "C"), "id")->is_key);
  assert_ptr_equal(resource(l, "C")->keys[0], field(resource(l, "C"), "code"));
  assert_false(field(resource(l, "D"), "id")->is_server_made);
  assert_int_equal(resource(l, "V")->key_count, 0);
  unload(l);
}

static void a_relation_gives_the_key_of_its_target(void **state) {
  (void)state;
  Loaded l =
      load("type Branch @resource { code: String! @id accounts: [Account!]! } "
           "type Account @resource " OPEN " { branch: Branch! @id number: Int! @id } "
           "type Card @resource " OPEN
           " { id: ID! account: Account @relation(onDelete: SET_NULL) branch: Branch @immutable @access(read: \"auth.id != null\") }");
  const Resource *account = resource(l, "Account"), *card = resource(l, "Card");
  const Field *branch = field(account, "branch"), *code = field(account, "branchCode");
  assert_int_equal(account->field_count, 3);
  assert_ptr_equal(account->fields[1], code);
  assert_int_equal(account->key_count, 2);
  assert_ptr_equal(account->keys[0], code);
  assert_int_equal(account->stored_count, 2);
  assert_int_equal(branch->kind, FIELD_TO_ONE);
  assert_int_equal(code->type, TYPE_STRING);
  assert_true(code->is_required && code->is_relation_key && code->is_key);
  assert_ptr_equal(code->relation, branch->relation);
  assert_ptr_equal(code->target_key, resource(l, "Branch")->keys[0]);
  check_str(code->column, "branch_code");
  /* A composite key gives a field for each part. */
  check_str(field(card, "accountBranchCode")->column, "account_branch_code");
  check_str(field(card, "accountNumber")->column, "account_number");
  assert_false(field(card, "accountNumber")->is_required);
  assert_int_equal(field(card, "account")->relation->key_count, 2);
  assert_int_equal(field(card, "account")->relation->on_delete, ON_DELETE_SET_NULL);
  /* What is said of the relation holds of its key. */
  assert_true(field(card, "branchCode")->is_immutable);
  assert_ptr_equal(field(card, "branchCode")->access[RULE_READ], field(card, "branch")->access[RULE_READ]);
  assert_non_null(field(card, "branchCode")->access[RULE_READ]);
  /* The other sides. */
  assert_ptr_equal(branch->relation->inverse, field(resource(l, "Branch"), "accounts"));
  assert_ptr_equal(field(resource(l, "Branch"), "accounts")->relation, branch->relation);
  assert_int_equal(resource(l, "Branch")->referrer_count, 2);
  assert_null(field(card, "branch")->relation->inverse);
  unload(l);
}

static void an_introspected_column_keeps_its_name(void **state) {
  (void)state;
  Loaded l = load("type Album @resource(table: \"Album\") { albumId: Int! @id @column(name: \"AlbumId\") tracks: [Track!]! } "
                  "type Shipper @resource { shipperId: Int! @id } "
                  "type Track @resource { trackId: Int! @id album: Album @relation(columns: [\"AlbumId\"]) shipViaShipper: Shipper "
                  "@relation(columns: [\"ship_via\"])"
                  "  other: Shipper @column(name: \"x\") reportsTo: Track @relation(columns: [\"ReportsTo\"]) }");
  const Resource *track = resource(l, "Track");
  check_str(field(track, "albumId")->column, "AlbumId");
  check_str(field(track, "shipVia")->column, "ship_via");
  check_str(field(track, "otherShipperId")->column, "x");
  check_str(field(track, "reportsToTrackId")->column, "ReportsTo");
  unload(l);
}

static void foreign_keys_may_share_a_column(void **state) {
  (void)state;
  Loaded l = load(
      "type Order @resource { id: ID! } type Batch @resource { order: Order! @id no: Int! @id } "
      "type Line @resource { order: Order! @id no: Int! @id batch: Batch @relation(columns: [\"order_id\", \"batch_no\"]) note: Note } "
      "type Note @resource { id: ID! ownerId: ID owner: Order }");
  const Resource *line = resource(l, "Line");
  assert_ptr_equal(field(line, "batch")->relation->keys[0], field(line, "orderId"));
  assert_ptr_equal(field(line, "batch")->relation->keys[1], field(line, "batchNo"));
  assert_ptr_equal(field(line, "orderId")->relation, field(line, "order")->relation);
  /* A key field may be declared, to say more of it. */
  assert_ptr_equal(field(resource(l, "Note"), "owner")->relation->keys[0], field(resource(l, "Note"), "ownerId"));
  assert_int_equal(resource(l, "Note")->field_count, 3);
  unload(l);
}

static void two_relations_between_types_say_which_is_which(void **state) {
  (void)state;
  Loaded l = load("type User @resource { id: ID! written: [Doc!]! @relation(inverse: \"author\") edited: [Doc!]! boss: User "
                  "@relation(inverse: \"staff\") staff: [User!]! } "
                  "type Doc @resource { id: ID! author: User! editor: User @relation(inverse: \"edited\") }");
  const Resource *user = resource(l, "User"), *doc = resource(l, "Doc");
  assert_ptr_equal(field(user, "written")->relation, field(doc, "author")->relation);
  assert_ptr_equal(field(user, "edited")->relation, field(doc, "editor")->relation);
  assert_ptr_equal(field(user, "staff")->relation, field(user, "boss")->relation);
  unload(l);
}

static void groups_name_key_fields_by_their_relation(void **state) {
  (void)state;
  Loaded l = load("type A @resource { id: ID! } "
                  "type B @resource @unique(fields: [\"a\", \"n\"]) @index(fields: [\"n desc\", \"a\"], where: \"n > 1\") @search(fields: "
                  "[\"s\"]) @cache(maxAge: 60, scope: PRIVATE) "
                  "  @transaction(isolation: SERIALIZABLE) { id: ID! a: A one: A @unique n: Int s: String @unique @deprecated(sunset: "
                  "\"2027-01-01\") }");
  const Resource *b = resource(l, "B");
  assert_int_equal(b->unique_count, 3);
  assert_ptr_equal(b->uniques[0].fields[0], field(b, "oneId"));
  assert_true(field(b, "oneId")->is_unique && field(b, "s")->is_unique);
  assert_ptr_equal(b->uniques[2].fields[0], field(b, "aId"));
  assert_ptr_equal(b->uniques[2].fields[1], field(b, "n"));
  assert_true(b->indexes[0].fields[0].is_descending && !b->indexes[0].fields[1].is_descending);
  assert_ptr_equal(b->indexes[0].fields[1].field, field(b, "aId"));
  assert_non_null(b->indexes[0].where);
  assert_int_equal(b->search_count, 1);
  assert_int_equal(b->cache.max_age_s, 60);
  assert_true(b->cache.is_private);
  assert_int_equal(b->isolation, ISOLATION_SERIALIZABLE);
  check_str(field(b, "s")->deprecation_reason, "No longer supported");
  check_str(field(b, "s")->sunset, "2027-01-01");
  unload(l);
}

static void a_default_has_the_form_of_an_answer(void **state) {
  (void)state;
  Loaded l = load("type Part { n: BigInt! @default(value: 5) tags: [String!] }"
                  "type A @resource { id: ID! price: Decimal @decimal(scale: 2) @default(value: 1.5) n: Int @default(value: 5.0) part: "
                  "Part @default(value: { tags: [] })"
                  "  at: DateTime @default(value: \"2026-01-01T01:00:00+01:00\") }");
  const Resource *a = resource(l, "A");
  check_str(field(a, "price")->default_value.text, "1.50");
  check_str(field(a, "n")->default_value.text, "5");
  check_str(field(a, "at")->default_value.text, "2026-01-01T00:00:00Z");
  Buf out = buf_on(l.arena, 1000);
  json_write(&out, &field(a, "part")->default_value);
  check_str(buf_str(&out), "{\"n\":\"5\",\"tags\":[]}");
  unload(l);
}

static void write_stands_for_the_three_that_write(void **state) {
  (void)state;
  Loaded l = load("type A @resource @access(read: \"true\", write: \"'x' in auth.roles\", update: \"old.id == auth.id\") { id: ID! n: Int "
                  "@access(write: \"auth.id != null\") }");
  const Resource *a = resource(l, "A");
  assert_true(expr_is_true(a->access[RULE_READ]));
  assert_ptr_equal(a->access[RULE_CREATE], a->access[RULE_DELETE]);
  check_str(a->access_source[RULE_CREATE], "'x' in auth.roles");
  check_str(a->access_source[RULE_DELETE], "'x' in auth.roles");
  check_str(a->access_source[RULE_UPDATE], "old.id == auth.id");
  assert_non_null(a->access[RULE_DELETE]);
  const Field *n = field(a, "n");
  assert_true(n->access[RULE_READ] == NULL && n->access[RULE_CREATE] != NULL && n->access[RULE_UPDATE] == n->access[RULE_CREATE] &&
              n->access[RULE_DELETE] == NULL);
  unload(l);
}

static void an_enum_keeps_what_is_stored_for_its_names(void **state) {
  (void)state;
  Loaded l = load("enum Rating { G PG_13 @value(name: \"PG-13\") } type Film @resource { id: ID! rating: Rating! @default(value: PG_13) }");
  const EnumType *rating = l.contract->enums[0];
  assert_true(rating->has_stored_names);
  check_str(rating->values[1].stored, "PG-13");
  const Field *f = field(resource(l, "Film"), "rating");
  assert_int_equal(f->default_kind, DEFAULT_VALUE);
  check_str(f->default_value.text, "PG_13");
  assert_int_equal(field_value_type(f), VALUE_TEXT);
  check_str(field_type_name(f), "Rating");
  unload(l);
}

static void directives_stand_on_their_fields_in_the_order_of_their_table(void **state) {
  (void)state;
  size_t count = 0;
  const Directive *const *directives = contract_directives(&count);
  Loaded l = load("type A @resource { id: ID! a: Decimal @range(min: 0) @decimal(scale: 2) b: String }");
  const Field *a = field(resource(l, "A"), "a");
  const DirectiveData *first = a->directives;
  size_t at = 0, next = 0;
  while (directives[at] != first->directive) at++;
  while (directives[next] != first->next->directive) next++;
  assert_true(at < next);
  check_str(first->directive->name, "decimal");
  check_str(first->next->directive->name, "range");
  assert_null(first->next->next);
  assert_ptr_equal(directive_data(first, first->next->directive), first->next);
  assert_null(field(resource(l, "A"), "b")->directives);
  unload(l);
}

static void a_reference_has_the_digits_of_the_key_that_it_holds(void **state) {
  (void)state;
  Loaded l =
      load("type A @resource { code: Decimal! @id @decimal(precision: 4, scale: 1) @range(max: 10) }  type B @resource { id: ID! a: A }");
  const Field *key = field(resource(l, "B"), "aCode");
  Value value = {.type = VALUE_DECIMAL, .text = STR("1.25")};
  InputMistakes mistakes = {0};
  assert_int_equal(key->scale, 1);
  assert_int_equal(field_value_check(key, &value, NULL, l.arena, &mistakes, NULL), CODE_VALIDATION_FAILED);
  check_str(mistakes.items[0].detail, "must have at most 1 digit behind the point");
  value.text = STR("99.5"); /* whether it is there is the store's to say */
  assert_int_equal(field_value_check(key, &value, NULL, l.arena, &mistakes, NULL), CODE_OK);
  unload(l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_resource_has_names_for_every_face),
      cmocka_unit_test(a_contract_without_a_service_is_named_after_its_file),
      cmocka_unit_test(the_server_makes_an_id_that_nobody_else_gives),
      cmocka_unit_test(a_relation_gives_the_key_of_its_target),
      cmocka_unit_test(an_introspected_column_keeps_its_name),
      cmocka_unit_test(foreign_keys_may_share_a_column),
      cmocka_unit_test(two_relations_between_types_say_which_is_which),
      cmocka_unit_test(groups_name_key_fields_by_their_relation),
      cmocka_unit_test(a_default_has_the_form_of_an_answer),
      cmocka_unit_test(write_stands_for_the_three_that_write),
      cmocka_unit_test(an_enum_keeps_what_is_stored_for_its_names),
      cmocka_unit_test(directives_stand_on_their_fields_in_the_order_of_their_table),
      cmocka_unit_test(a_reference_has_the_digits_of_the_key_that_it_holds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
