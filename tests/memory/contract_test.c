/* contract_test.c - memory that runs out wherever something is made of contracts: their loading, mistakes and all, the documents of every
 * face, the difference of two and the migration between them. Each is made once as it is, and then with an allocation failing here and
 * there, until it has run through: it says CODE_UNAVAILABLE, or what it says otherwise, never anything else. Arguments: contracts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/graphql_schema.h"
#include "api/openapi.h"
#include "api/proto_descriptor.h"
#include "api/proto_lock.h"
#include "api/proto_print.h"
#include "api/proto_schema.h"
#include "base/file.h"
#include "base/memory.h"
#include "contract/diff.h"
#include "contract/load.h"
#include "contract/versions.h"
#include "migrate/checks.h"
#include "migrate/difference.h"
#include "migrate/phase_script.h"
#include "migrate/script.h"
#include "store/store.h"

enum { TRIES_MAX = 250, ALLOCATIONS_MAX = 10000000, TEXT_BYTES_MAX = 32 * 1024 * 1024, FILE_BYTES_MAX = 4 * 1024 * 1024, FILES_MAX = 16 };

static struct {
  Str paths[FILES_MAX];
  size_t count;
} given;

typedef struct World {
  Str text;
  const Contract *contract, *other; /* `other`: what it is compared with */
  const StoreMigrator *store;
} World;

/* Writes what it makes; on `arena`. */
typedef Code Maker(const World *world, Arena *arena, Buf *out, Error *err);

/* ---- what is made ---- */

/* Mistakes without their hints, which are left out where there is no memory for them. */
static void write_mistakes(Buf *out, const DiagnosticList *list) {
  for (size_t i = 0; i < list->count; i++)
    buf_printf(out, "%u:%u %.*s\n", list->items[i].place.line, list->items[i].place.column, STR_ARGS(list->items[i].message));
}

static Code make_contract(const World *world, Arena *arena, Buf *out, Error *err) {
  ContractFile file = {STR("test.graphql"), world->text};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Code code = contract_load(&file, 1, arena, &contract, &diagnostics, err);
  if (code == CODE_VALIDATION_FAILED) write_mistakes(out, &diagnostics);
  if (code == CODE_OK) buf_printf(out, "%zu\n", contract->resource_count);
  contract_destroy(contract);
  return code;
}

static Code make_openapi(const World *world, Arena *arena, Buf *out, Error *err) {
  static const EngineLimits limits = {.page_size = 20, .page_size_max = 100, .nesting_max = 5, .batch_max = 100, .filter_bytes_max = 4096};
  return openapi_write(world->contract, &(OpenapiOptions){.limits = &limits, .is_precondition_required = true}, arena, out, err);
}

static Code make_graphql(const World *world, Arena *arena, Buf *out, Error *err) {
  GraphqlSchema *schema = NULL;
  TRY(graphql_schema_create(world->contract, arena, &schema, err));
  graphql_sdl_write(schema, out);
  graphql_subgraph_write(schema, out);
  return CODE_OK;
}

static Code make_proto(const World *world, Arena *arena, Buf *out, Error *err) {
  ProtoSchema *schema = NULL, *locked = NULL;
  ProtoLock *lock = NULL;
  Str text;
  TRY(proto_schema_create(world->contract, NULL, arena, &schema, err));
  proto_print(schema, out);
  proto_descriptor_write_set(schema, out);
  Buf written = buf_on(arena, TEXT_BYTES_MAX);
  TRY(proto_lock_write(schema, NULL, arena, &written, err));
  TRY(buf_finish(&written, &text, err));
  TRY(proto_lock_parse(text, STR("test.lock.json"), arena, &lock, err));
  TRY(proto_schema_create(world->contract, lock, arena, &locked, err));
  TRY(proto_lock_write(locked, lock, arena, out, err));
  return CODE_OK;
}

static Code make_difference(const World *world, Arena *arena, Buf *out, Error *err) {
  Diff diff = {0};
  TRY(contract_diff(world->other, world->contract, arena, &diff, err));
  diff_write_text(out, &diff);
  diff_write_json(out, &diff);
  return CODE_OK;
}

static Code make_versions(const World *world, Arena *arena, Buf *out, Error *err) {
  const Contract *both[] = {world->other, world->contract}, *layout = NULL;
  Str conflicts = {0};
  Code code = contract_versions_join(both, 2, arena, &layout, &conflicts, err);
  buf_add(out, conflicts);
  return code;
}

static Code make_migration(const World *world, Arena *arena, Buf *out, Error *err) {
  Layout *from = ARENA_NEW(arena, Layout), *to = ARENA_NEW(arena, Layout);
  MigrationPlan plan;
  Script script, again;
  DataChecks checks;
  Buf text = buf_on(arena, TEXT_BYTES_MAX);
  Str written;
  if (from == NULL || to == NULL) return error_no_memory(err);
  TRY(world->store->layout_of(world->other, arena, from, err));
  TRY(world->store->layout_of(world->contract, arena, to, err));
  TRY(layout_differences(world->store, from, to, arena, out, err));
  TRY(migration_plan(world->store, from, to, false, arena, &plan, err));
  buf_add(out, buf_str(&plan.refusals));
  TRY(data_checks_make(world->store, &plan, false, arena, &checks, err));
  for (size_t i = 0; i < checks.count; i++) buf_printf(out, "%.*s\n", STR_ARGS(checks.items[i].count_sql));
  TRY(script_from_plan(world->store, &plan, false, arena, &script, err));
  script_write(&text, &script, world->store->dialect);
  TRY(buf_finish(&text, &written, err));
  TRY(script_read(written, arena, &again, err));
  buf_add(out, written);
  if (again.statements.count != script.statements.count) return error_set(err, CODE_INTERNAL, "not what was written");
  if (world->store->is_atomic) return CODE_OK;
  PhaseScript phase = {0};
  Buf refusals = buf_on(arena, TEXT_BYTES_MAX);
  TRY(phase_expand_script(&plan, arena, &phase, &refusals, err));
  script_write(out, &phase.script, world->store->dialect);
  buf_add(out, buf_str(&refusals));
  return refusals.failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

/* ---- lacking memory ---- */

typedef struct Made {
  Code code;
  Str text;
  size_t allocations;
} Made;

static Made make(Maker *maker, const World *world, size_t fail_after, Arena *arena) {
  Made made;
  Error err = {0};
  Buf out = buf_on(arena, TEXT_BYTES_MAX);
  memory_fail_after(fail_after);
  made.code = maker(world, arena, &out, &err);
  made.allocations = fail_after - memory_fail_countdown;
  memory_fail_after(0);
  if (out.failed != CODE_OK) made.code = CODE_UNAVAILABLE;
  if (made.code != CODE_OK && made.code != CODE_VALIDATION_FAILED && err.code != made.code && out.failed == CODE_OK)
    fail_msg("%d was returned, but the error says %d: %s", (int)made.code, (int)err.code, err.text);
  made.text = buf_str(&out);
  return made;
}

/* All are shown before the test ends. */
static size_t differences;

/* Both texts from shortly before where they part. */
static void show_difference(const char *name, size_t n, const Made *made, const Made *whole) {
  size_t at = 0;
  while (at < made->text.len && at < whole->text.len && made->text.ptr[at] == whole->text.ptr[at]) at++;
  at = at < 60 ? 0 : at - 60;
  Str is = str_slice(made->text, at, at + 160 < made->text.len ? at + 160 : made->text.len);
  Str was = str_slice(whole->text, at, at + 160 < whole->text.len ? at + 160 : whole->text.len);
  differences++;
  print_error("%s, allocation %zu of %zu: %d was %d\n…%.*s\n---- was\n…%.*s\n\n", name, n, whole->allocations, (int)made->code,
              (int)whole->code, STR_ARGS(is), STR_ARGS(was));
}

static void check_lacking(const char *name, Maker *maker, const World *world) {
  Arena *arena = arena_create(0);
  Made whole = make(maker, world, ALLOCATIONS_MAX, arena);
  if (whole.code == CODE_UNAVAILABLE) fail_msg("%s: it does not work with memory either", name);
  size_t stride = whole.allocations > TRIES_MAX ? whole.allocations / TRIES_MAX : 1;
  for (size_t n = 1; n <= whole.allocations; n += n < 50 ? 1 : stride) {
    Arena *small = arena_create(0);
    Made made = make(maker, world, n, small);
    bool is_same = made.code == whole.code && str_equal(made.text, whole.text);
    if (!is_same && made.code != CODE_UNAVAILABLE) show_difference(name, n, &made, &whole);
    arena_destroy(small);
  }
  arena_destroy(arena);
}

/* ---- contracts ---- */

static const char before[] =
    "extend schema @service(name: \"shop\", version: \"v1\")\n"
    "enum Status { OPEN CLOSED @value(name: \"closed-2\") GONE }\n"
    "type Geo { lat: Float lon: Float }\n"
    "type Product @resource @access(read: \"true\", write: \"'staff' in auth.roles\") @unique(fields: [\"category\", \"name\"])\n"
    "  @search(fields: [\"name\"]) @index(fields: [\"stock desc\"]) {\n"
    "  id: ID! sku: String! @unique @pattern(regex: \"^[A-Z]+$\") name: String! @length(min: 1, max: 40) price: Decimal @decimal(scale: "
    "2)\n"
    "  stock: Int! @default(value: 3) sold: Int made: DateTime! @default(expr: \"now()\") tags: [String!] geo: Geo status: Status\n"
    "  old: String category: Category @relation(onDelete: CASCADE) reviews: [Review!]! }\n"
    "type Category @resource @access(read: \"true\") { code: String! @id name: String products: [Product!]! }\n"
    "type Review @resource @access(read: \"published\", write: \"auth.id != null\") { id: ID! product: Product! stars: Int! @range(min: 1, "
    "max: "
    "9)\n"
    "  published: Boolean! @default(value: false) text: String }\n"
    "type Gone @resource @access(read: \"true\") { id: ID! name: String }\n";

static const char behind[] =
    "extend schema @service(name: \"shop\", version: \"v2\")\n"
    "enum Status { OPEN @deprecated(reason: \"x\") CLOSED @value(name: \"closed\") NEW }\n"
    "type Geo { lat: Float! lon: Float height: Int }\n"
    "type Item @resource @renamed(from: \"Product\") @access(read: \"stock > 0\", write: \"auth.id != null\") @search(fields: [\"name\", "
    "\"note\"])\n"
    "  @index(fields: [\"stock\", \"price desc\"]) @check(expr: \"stock >= 0\", message: \"m\") {\n"
    "  id: ID! code: String! @renamed(from: \"sku\") @unique @pattern(regex: \"^[A-Z]{1,9}$\") name: String @length(min: 2, max: 30)\n"
    "  price: Decimal! @decimal(scale: 3) @range(min: \"0\") stock: BigInt! @default(value: 4) sold: String made: DateTime! note: String\n"
    "  tags: [String!]! @default(value: [\"a\"]) geo: Geo status: Status! @default(value: NEW) category: Category @relation(onDelete: "
    "SET_NULL)\n"
    "  reviews: [Review!]! }\n"
    "type Category @resource @access(read: \"name != null\") { code: String! @id name: String! @unique parent: Category products: [Item!]! "
    "}\n"
    "type Review @resource @access(read: \"published && item.stock > 1\", write: \"'staff' in auth.roles\") { id: ID! item: Item "
    "@relation(onDelete: "
    "CASCADE)\n"
    "  stars: Float @range(min: 1, max: 5) published: Boolean! @default(value: true) text: String! @length(max: 100) }\n"
    "type Fresh @resource @access(read: \"true\") { a: Int! @id b: Date! @id data: JSON blob: Bytes mail: Email link: URL uid: UUID }\n";

/* A mistake of most kinds. */
static const char mistaken[] =
    "extend schema @service(nmae: \"shop\", version: \"1\")\n"
    "enum Status { OPEN OPEN }\nenum Empty { }\n"
    "type Product @resource @access(read: \"stokc > 0\", write: \"1 +\", wirte: \"true\") @unique(fields: [\"nothing\"]) @index(fields: "
    "[]) {\n"
    "  id: ID name: Strin @length(min: 3, max: 1) @pattern(regex: \"(\") price: Decimal @range(min: \"x\") stock: Int @default(value: "
    "\"many\")\n"
    "  made: DateTime @default(expr: \"nwo()\") status: Status @default(value: SHUT) category: Categori @relation(onDelete: CASCAD)\n"
    "  name: String list: [[Int]] @unknown }\n"
    "type product @resource { x: Int @id @id }\ntype Circle { a: Circle! }\ninput X { a: Int }\ntype Open @resource { id: ID! ";

static Contract *load(Str text, Arena *arena) {
  ContractFile file = {STR("test.graphql"), text};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Code code = contract_load(&file, 1, arena, &contract, &diagnostics, NULL);
  if (code != CODE_OK) fail_msg("%.*s", STR_ARGS(diagnostics.count > 0 ? diagnostics.items[0].message : STR("no memory")));
  return contract;
}

static void check_made_of(const char *name, Str text, const Contract *contract) {
  World world = {.text = text, .contract = contract};
  char title[200];
  static const struct {
    const char *name;
    Maker *make;
  } makers[] = {{"contract", make_contract}, {"OpenAPI", make_openapi}, {"GraphQL", make_graphql}, {"Protocol Buffers", make_proto}};
  for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
    (void)snprintf(title, sizeof title, "%s of %s", makers[i].name, name);
    check_lacking(title, makers[i].make, &world);
  }
}

static void a_contract_and_what_is_made_of_it(void **state) {
  (void)state;
  for (size_t i = 0; i < given.count; i++) {
    Arena *arena = arena_create(0);
    Str text;
    Error err;
    if (file_read(given.paths[i], FILE_BYTES_MAX, arena, &text, &err) != CODE_OK) fail_msg("%s: %s", given.paths[i].ptr, err.text);
    Contract *contract = load(text, arena);
    check_made_of(given.paths[i].ptr, text, contract);
    contract_destroy(contract);
    arena_destroy(arena);
  }
  assert_int_equal(differences, 0);
}

static void mistakes_are_all_told_or_none_is(void **state) {
  (void)state;
  check_lacking("mistakes", make_contract, &(World){.text = str_of(mistaken)});
  assert_int_equal(differences, 0);
}

static void what_leads_from_one_contract_to_another(void **state) {
  (void)state;
  static const char *const stores[] = {"sqlite:x", "postgresql://x"};
  Arena *arena = arena_create(0);
  Contract *old = load(str_of(before), arena), *new = load(str_of(behind), arena);
  World forwards = {.contract = new, .other = old}, backwards = {.contract = old, .other = new};
  check_lacking("difference", make_difference, &forwards);
  check_lacking("difference back", make_difference, &backwards);
  check_lacking("versions", make_versions, &forwards);
  for (size_t i = 0; i < 2; i++) {
    forwards.store = backwards.store = store_driver_of(str_of(stores[i]))->migrator;
    check_lacking("migration", make_migration, &forwards);
    check_lacking("migration back", make_migration, &backwards);
  }
  contract_destroy(old);
  contract_destroy(new);
  arena_destroy(arena);
  assert_int_equal(differences, 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_contract_and_what_is_made_of_it),
      cmocka_unit_test(mistakes_are_all_told_or_none_is),
      cmocka_unit_test(what_leads_from_one_contract_to_another),
  };
  for (int i = 1; i < argc && given.count < FILES_MAX; i++) given.paths[given.count++] = str_of(argv[i]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
