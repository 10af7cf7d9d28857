/* contract_test.c - memory that runs out wherever something is made of contracts: their loading, mistakes and all, the documents of every
 * face, the difference of two and the migration between them. Arguments: contracts. */
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
#include "contract/diff.h"
#include "contract/load.h"
#include "contract/load_test_refusals.h"
#include "contract/versions.h"
#include "lack.h"
#include "migrate/checks.h"
#include "migrate/difference.h"
#include "migrate/phase_script.h"
#include "migrate/script.h"
#include "store/store.h"

enum { FILE_BYTES_MAX = 4 * 1024 * 1024, FILES_MAX = 16 };

static struct {
  Str paths[FILES_MAX];
  size_t count;
  size_t differences; /* all are shown before a test ends */
} given;

typedef struct World {
  Str text;
  const Contract *contract, *other; /* `other`: what it is compared with */
  const StoreMigrator *store;
} World;

/* ---- what is made ---- */

/* Mistakes without their hints, which are left out where there is no memory for them. */
static void write_mistakes(Buf *out, const DiagnosticList *list) {
  for (size_t i = 0; i < list->count; i++)
    buf_printf(out, "%u:%u %.*s\n", list->items[i].place.line, list->items[i].place.column, STR_ARGS(list->items[i].message));
}

static Code make_contract(const void *context, Arena *arena, Buf *out, Error *err) {
  const World *world = context;
  ContractFile file = {STR("test.graphql"), world->text};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Code code = contract_load(&file, 1, arena, &contract, &diagnostics, err);
  if (code == CODE_VALIDATION_FAILED) write_mistakes(out, &diagnostics);
  if (code == CODE_OK) buf_printf(out, "%zu\n", contract->resource_count);
  contract_destroy(contract);
  return code;
}

static Code make_openapi(const void *context, Arena *arena, Buf *out, Error *err) {
  const World *world = context;
  static const EngineLimits limits = {.page_size = 20, .page_size_max = 100, .nesting_max = 5, .batch_max = 100, .filter_bytes_max = 4096};
  return openapi_write(world->contract, &(OpenapiOptions){.limits = &limits, .is_precondition_required = true}, arena, out, err);
}

static Code make_graphql(const void *context, Arena *arena, Buf *out, Error *err) {
  const World *world = context;
  GraphqlSchema *schema = NULL;
  TRY(graphql_schema_create(world->contract, arena, &schema, err));
  graphql_sdl_write(schema, out);
  graphql_subgraph_write(schema, out);
  return CODE_OK;
}

static Code make_proto(const void *context, Arena *arena, Buf *out, Error *err) {
  const World *world = context;
  ProtoSchema *schema = NULL, *locked = NULL;
  ProtoLock *lock = NULL;
  Str text;
  TRY(proto_schema_create(world->contract, NULL, arena, &schema, err));
  proto_print(schema, out);
  proto_descriptor_write_set(schema, out);
  Buf written = buf_on(arena, LACK_TEXT_BYTES_MAX);
  TRY(proto_lock_write(schema, NULL, arena, &written, err));
  TRY(buf_finish(&written, &text, err));
  TRY(proto_lock_parse(text, STR("test.lock.json"), arena, &lock, err));
  TRY(proto_schema_create(world->contract, lock, arena, &locked, err));
  TRY(proto_lock_write(locked, lock, arena, out, err));
  return CODE_OK;
}

static Code make_difference(const void *context, Arena *arena, Buf *out, Error *err) {
  const World *world = context;
  Diff diff = {0};
  TRY(contract_diff(world->other, world->contract, arena, &diff, err));
  diff_write_text(out, &diff);
  diff_write_json(out, &diff);
  return CODE_OK;
}

static Code make_versions(const void *context, Arena *arena, Buf *out, Error *err) {
  const World *world = context;
  const Contract *both[] = {world->other, world->contract}, *layout = NULL;
  Str conflicts = {0};
  Code code = contract_versions_join(both, 2, arena, &layout, &conflicts, err);
  buf_add(out, conflicts);
  for (size_t i = 0; code == CODE_OK && i < layout->resource_count; i++)
    buf_printf(out, "%.*s %zu %zu\n", STR_ARGS(layout->resources[i]->table), layout->resources[i]->stored_count,
               layout->resources[i]->unique_count);
  return code;
}

static Code make_migration(const void *context, Arena *arena, Buf *out, Error *err) {
  const World *world = context;
  Layout *from = ARENA_NEW(arena, Layout), *to = ARENA_NEW(arena, Layout);
  MigrationPlan plan;
  Script script, again;
  DataChecks checks;
  Buf text = buf_on(arena, LACK_TEXT_BYTES_MAX);
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
  Buf refusals = buf_on(arena, LACK_TEXT_BYTES_MAX);
  TRY(phase_expand_script(&plan, arena, &phase, &refusals, err));
  script_write(out, &phase.script, world->store->dialect);
  buf_add(out, buf_str(&refusals));
  return refusals.failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

static void check_lacking(const char *name, LackWork *work, const World *world) {
  if (!lack_check(name, work, world)) given.differences++;
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

/* What the others lack. */
static const char everything[] =
    "extend schema @service(name: \"shop\", version: \"v1\")\n"
    "enum Status { OPEN CLOSED @deprecated }\n"
    "type Point { lat: Float! @range(min: -90, max: 90) status: Status! @default(value: OPEN) names: [String!] @default(value: [\"a\"])\n"
    "  part: Part @default(value: { size: 3, any: { b: [1.5, null] } }) }\n"
    "type Part { size: Int! @default(value: 1) any: JSON @default(value: { a: [true, \"x\"] }) }\n"
    "type House @resource(path: \"houses\", table: \"house\") @access(read: \"true\", write: \"'staff' in auth.roles\") @tag(name: \"a\")\n"
    "  @tag(name: \"b\") @cache(maxAge: 60, scope: PRIVATE) @shareable @transaction(isolation: SERIALIZABLE)\n"
    "  @unique(fields: [\"street\", \"number\"]) @index(fields: [\"street\", \"made desc\"], where: \"number > 3 && street != 'x'\")\n"
    "  @search(fields: [\"street\"]) @check(expr: \"number > 0\", message: \"m\") @check(expr: \"price == null || price < 9.5\")\n"
    "  @deprecated(reason: \"y\", since: \"2026-01-01\", sunset: \"2027-01-01T00:00:00Z\", url: \"https://example.org/\") {\n"
    "  town: Town! @id @relation(columns: [\"town_code\", \"land\"], onDelete: CASCADE)\n"
    "  number: Int! @id @range(min: 1, max: 9999) @tag(name: \"c\") @tag(name: \"d\")\n"
    "  street: String! @length(min: 1, max: 40) @pattern(regex: \"^[A-Z]\") @override(from: \"old\")\n"
    "  price: Decimal @decimal(precision: 8, scale: 2) @range(min: \"0.5\", max: \"99999\") @inaccessible\n"
    "  made: DateTime! @default(expr: \"now()\") @readonly @cache(maxAge: 5) built: Date @range(min: \"1900-01-01\") @immutable\n"
    "  key: UUID! @default(expr: \"uuid()\") owner: String @default(expr: \"auth.id\") @access(read: \"owner == auth.id\", update: "
    "\"false\")\n"
    "  where: Point @default(value: { lat: 1 }) ways: [Point!] photo: Bytes @length(max: 9) pin: String @hidden size: BigInt @range(min: "
    "1)\n"
    "  old: String @deprecated @renamed(from: \"older\") @column(name: \"old_text\", type: \"text\") flats: [Flat!]!\n"
    "  left: House @relation(inverse: \"right\", deferred: true) @unique right: [House!]! link: URL mail: Email @unique }\n"
    "type Town @resource @access(read: \"true\", write: \"true\") @interfaceObject { code: String! @id land: String! @id name: String\n"
    "  houses: [House!]! }\n"
    "type Flat @resource @access(read: \"house.town.name != 'x' && tags.exists(t, t == 'a')\", create: \"true\", update: \"old.floor == "
    "floor\") {\n"
    "  house: House! @id @relation(onDelete: CASCADE) floor: Int! @id @default(value: 0) tags: [String!]! @default(value: [\"a\"]) }\n"
    "type View @resource @access(read: \"true\") { total: Int kind: Status }\n";

/* Of it a second version, which can be served with it. */
static const char everything_else[] =
    "extend schema @service(name: \"shop\", version: \"v2\")\n"
    "enum Status { OPEN CLOSED NEW }\n"
    "type House @resource(path: \"homes\", table: \"house\") @access(read: \"true\", write: \"true\") @index(fields: [\"street\"])\n"
    "  @unique(fields: [\"street\", \"number\"]) {\n"
    "  town: Town! @id @relation(columns: [\"town_code\", \"land\"], onDelete: CASCADE) number: Int! @id street: String! note: String\n"
    "  key: UUID! @default(expr: \"uuid()\") made: DateTime! @default(expr: \"now()\") mail: Email @unique guard: Guard\n"
    "  left: House @relation(deferred: true) @unique }\n"
    "type Town @resource @access(read: \"true\", write: \"true\") { code: String! @id land: String! @id name: String }\n"
    "type Guard @resource @access(read: \"true\", write: \"true\") { id: ID! name: String! @unique status: Status houses: [House!]! }\n";

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
  for (size_t i = 0; i < diagnostics.count; i++)
    print_error("%u:%u %.*s\n", diagnostics.items[i].place.line, diagnostics.items[i].place.column, STR_ARGS(diagnostics.items[i].message));
  if (code != CODE_OK) fail_msg("%.*s", STR_ARGS(diagnostics.count > 0 ? diagnostics.items[0].message : STR("no memory")));
  return contract;
}

static void check_made_of(const char *name, Str text, const Contract *contract) {
  World world = {.text = text, .contract = contract};
  char title[200];
  static const struct {
    const char *name;
    LackWork *make;
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
  Arena *arena = arena_create(0);
  Contract *contract = load(str_of(everything), arena);
  check_made_of("everything", str_of(everything), contract);
  contract_destroy(contract);
  arena_destroy(arena);
  assert_int_equal(given.differences, 0);
}

static void check_refusal(const Refusal *refusal) {
  Marked marked;
  unmark(refusal->text, &marked);
  check_lacking(refusal->text, make_contract, &(World){.text = {marked.text, marked.len}});
}

static void mistakes_are_all_told_or_none_is(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof load_refusals / sizeof load_refusals[0]; i++) check_refusal(&load_refusals[i]);
  check_lacking("mistakes", make_contract, &(World){.text = str_of(mistaken)});
  assert_int_equal(given.differences, 0);
}

static void versions_are_joined_or_refused(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Contract *old = load(str_of(everything), arena), *new = load(str_of(everything_else), arena);
  World world = {.contract = new, .other = old};
  Buf out = buf_on(arena, LACK_TEXT_BYTES_MAX);
  if (make_versions(&world, arena, &out, NULL) != CODE_OK) fail_msg("they don't fit: %.*s", STR_ARGS(buf_str(&out)));
  check_lacking("versions that fit", make_versions, &world);
  contract_destroy(old);
  contract_destroy(new);
  arena_destroy(arena);
  assert_int_equal(given.differences, 0);
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
  assert_int_equal(given.differences, 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_contract_and_what_is_made_of_it),
      cmocka_unit_test(mistakes_are_all_told_or_none_is),
      cmocka_unit_test(versions_are_joined_or_refused),
      cmocka_unit_test(what_leads_from_one_contract_to_another),
  };
  for (int i = 1; i < argc && given.count < FILES_MAX; i++) given.paths[given.count++] = str_of(argv[i]);
  lack_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
