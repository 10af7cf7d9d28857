/* introspect_contract_test.c - catalogues as contracts, line by line; every contract must pass the checker. */
#include "cli/introspect_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "contract/load.h"

static Arena *arena;
static int set_up(void **state) {
  (void)state;
  return (arena = arena_create(0)) == NULL;
}
static int tear_down(void **state) {
  (void)state;
  arena_destroy(arena);
  return 0;
}

static CatalogTable table_named(const char *name) { return (CatalogTable){.name = str_of(name)}; }

static CatalogColumn *add_column(CatalogTable *table, const char *name, const char *type) {
  CatalogColumn column = {.name = str_of(name), .type = str_of(type)};
  assert_true(VEC_PUSH(arena, &table->columns, column));
  return &table->columns.items[table->columns.count - 1];
}

static void add_key(CatalogTable *table, const char *name, const char *type, uint32_t order) {
  CatalogColumn *column = add_column(table, name, type);
  column->key_order = order;
  column->is_required = true;
}

static CatalogForeignKey *add_reference(CatalogTable *table, const char *column, const char *target) {
  CatalogForeignKey key = {.target = str_of(target), .on_delete = STR("NO ACTION"), .on_update = STR("NO ACTION")};
  assert_true(VEC_PUSH(arena, &key.columns, str_of(column)) && VEC_PUSH(arena, &table->foreign_keys, key));
  return &table->foreign_keys.items[table->foreign_keys.count - 1];
}

static void add_index(CatalogTable *table, bool is_unique, const char *a, const char *b, const char *obstacle) {
  CatalogIndex index = {.name = STR("i"), .is_unique = is_unique, .obstacle = str_of(obstacle)};
  assert_true(VEC_PUSH(arena, &index.columns, ((CatalogIndexColumn){str_of(a), false})));
  if (b != NULL) assert_true(VEC_PUSH(arena, &index.columns, ((CatalogIndexColumn){str_of(b), true})));
  assert_true(VEC_PUSH(arena, &table->indexes, index));
}

static const char *contract_of(const CatalogTable *tables, size_t count) {
  Catalog catalog = {0};
  for (size_t i = 0; i < count; i++) assert_true(VEC_PUSH(arena, &catalog.tables, tables[i]));
  Buf *out = ARENA_NEW(arena, Buf);
  *out = buf_on(arena, 1 << 20);
  assert_int_equal(introspect_write_contract(out, &catalog, STR("test"), STR("sqlite:x.db"), true, arena, NULL), CODE_OK);
  ContractFile file = {.name = STR("made.graphql"), .text = buf_str(out)};
  DiagnosticList diagnostics = {0};
  Contract *contract = NULL;
  Code code = contract_load(&file, 1, arena, &contract, &diagnostics, NULL);
  buf_add_byte(out, '\0');
  if (code != CODE_OK) {
    Buf text = buf_on(arena, 1 << 20);
    diagnostics_write(&text, &diagnostics, false);
    (void)fprintf(stderr, "%.*s\n%.*s\n", STR_ARGS(file.text), STR_ARGS(buf_str(&text)));
  }
  assert_int_equal(code, CODE_OK);
  contract_destroy(contract);
  return out->failed == CODE_OK ? out->ptr : "";
}

static void expect_line(const char *contract, const char *line) {
  Str text = str_of(contract), wanted = str_of(line);
  if (!str_contains(text, wanted)) fail_msg("no line <%.*s> in\n%.*s", STR_ARGS(wanted), STR_ARGS(text));
}

static void types_follow_what_was_declared(void **state) {
  (void)state;
  CatalogTable table = table_named("Things");
  add_key(&table, "Id", "INTEGER", 1);
  table.columns.items[0].is_made_by_database = true;
  add_column(&table, "price", "NUMERIC(10,2)")->is_required = true;
  add_column(&table, "Title", "NVARCHAR(160)");
  add_column(&table, "seen_at", "DATETIME");
  add_column(&table, "day", "DATE");
  add_column(&table, "is_open", "BOOLEAN");
  add_column(&table, "large", "BIGINT");
  add_column(&table, "ratio", "DOUBLE PRECISION");
  add_column(&table, "body", "BLOB");
  CatalogColumn *counter = add_column(&table, "counter", "INTEGER");
  counter->values = (CatalogValues){.has_integer = true, .max = 5000000000};
  const char *contract = contract_of(&table, 1);
  expect_line(contract, "type Thing @resource(table: \"Things\") @access(read: \"false\", write: \"false\") {\n");
  expect_line(contract, "  id: Int! @id @column(name: \"Id\") @default(database: true)\n");
  expect_line(contract, "  price: Decimal! @column(type: \"NUMERIC(10,2)\") @decimal(precision: 10, scale: 2)\n");
  expect_line(contract, "  title: String @column(name: \"Title\", type: \"NVARCHAR(160)\") @length(max: 160)\n");
  expect_line(contract, "  seenAt: DateTime @column(type: \"DATETIME\")\n");
  expect_line(contract, "  day: Date @column(type: \"DATE\")\n");
  expect_line(contract, "  isOpen: Boolean\n");
  expect_line(contract, "  large: BigInt\n");
  expect_line(contract, "  ratio: Float @column(type: \"DOUBLE PRECISION\")\n");
  expect_line(contract, "  body: Bytes\n");
  expect_line(contract, "  counter: BigInt @column(type: \"INTEGER\")\n");
}

static void a_table_that_caisson_would_make_so_says_nothing_more(void **state) {
  (void)state;
  CatalogTable table = table_named("order_lines");
  add_key(&table, "id", "ID_TEXT", 1);
  add_column(&table, "unit_price", "DECIMAL_TEXT");
  const char *contract = contract_of(&table, 1);
  expect_line(contract, "type OrderLine @resource @access(read: \"false\", write: \"false\") {\n  id: ID!\n  unitPrice: Decimal\n}\n");
}

static void relations_are_named_after_their_columns(void **state) {
  (void)state;
  CatalogTable tables[2] = {table_named("shippers"), table_named("orders")};
  add_key(&tables[0], "id", "INTEGER", 1);
  add_key(&tables[1], "id", "INTEGER", 1);
  add_column(&tables[1], "shipper_id", "INTEGER")->is_required = true;
  add_column(&tables[1], "ship_via", "INTEGER");
  add_reference(&tables[1], "shipper_id", "shippers");
  add_reference(&tables[1], "ship_via", "shippers")->on_delete = STR("SET NULL");
  const char *contract = contract_of(tables, 2);
  expect_line(contract, "  shipper: Shipper! @relation(columns: [\"shipper_id\"], inverse: \"ordersByShipper\")\n");
  expect_line(contract, "  shipViaShipper: Shipper @relation(columns: [\"ship_via\"], inverse: \"ordersByShipVia\", onDelete: SET_NULL)\n");
  expect_line(contract, "  ordersByShipper: [Order!]!\n  ordersByShipVia: [Order!]!\n");
}

static void a_resource_may_refer_to_itself(void **state) {
  (void)state;
  CatalogTable table = table_named("Employee");
  add_key(&table, "EmployeeId", "INTEGER", 1);
  add_column(&table, "ReportsTo", "INTEGER");
  add_reference(&table, "ReportsTo", "Employee");
  const char *contract = contract_of(&table, 1);
  expect_line(contract,
              "  reportsToEmployee: Employee @relation(columns: [\"ReportsTo\"], inverse: \"employees\")\n  employees: [Employee!]!\n");
}

static void parts_of_a_composite_key_may_be_relations(void **state) {
  (void)state;
  CatalogTable tables[3] = {table_named("Playlist"), table_named("PlaylistTrack"), table_named("Track")};
  add_key(&tables[0], "PlaylistId", "INTEGER", 1);
  add_key(&tables[1], "PlaylistId", "INTEGER", 1);
  add_key(&tables[1], "TrackId", "INTEGER", 2);
  add_key(&tables[2], "TrackId", "INTEGER", 1);
  add_reference(&tables[1], "PlaylistId", "Playlist");
  add_reference(&tables[1], "TrackId", "Track");
  const char *contract = contract_of(tables, 3);
  expect_line(contract,
              "  playlist: Playlist! @id @relation(columns: [\"PlaylistId\"])\n  track: Track! @id @relation(columns: [\"TrackId\"])\n}\n");
}

static void a_reference_to_a_composite_key_has_one_field_for_each_part(void **state) {
  (void)state;
  CatalogTable tables[2] = {table_named("lines"), table_named("notes")};
  add_key(&tables[0], "order_no", "INTEGER", 2); /* declared as PRIMARY KEY (line_no, order_no) */
  add_key(&tables[0], "line_no", "INTEGER", 1);
  add_key(&tables[1], "id", "TEXT", 1);
  add_column(&tables[1], "at_line", "INTEGER");
  add_column(&tables[1], "at_order", "INTEGER");
  CatalogForeignKey *key = add_reference(&tables[1], "at_line", "lines");
  assert_true(VEC_PUSH(arena, &key->columns, STR("at_order")));
  const char *contract = contract_of(tables, 2);
  expect_line(contract,
              "  id: String! @id\n  atLine: Int\n  atOrder: Int\n  line: Line @relation(columns: [\"at_order\", \"at_line\"])\n}\n");
}

static void a_circle_of_required_relations_is_deferred(void **state) {
  (void)state;
  CatalogTable tables[2] = {table_named("a"), table_named("b")};
  for (int i = 0; i < 2; i++) {
    add_key(&tables[i], "id", "INTEGER", 1);
    add_column(&tables[i], "other_id", "INTEGER")->is_required = true;
    add_reference(&tables[i], "other_id", i == 0 ? "b" : "a");
  }
  const char *contract = contract_of(tables, 2);
  expect_line(contract, "  other: A! @relation(columns: [\"other_id\"], deferred: true)\n");
}

static void defaults_are_kept(void **state) {
  (void)state;
  CatalogTable table = table_named("items");
  add_key(&table, "id", "ID_TEXT", 1);
  add_column(&table, "n", "INTEGER")->default_text = STR("(7)");
  add_column(&table, "text", "TEXT")->default_text = STR("'it''s'");
  add_column(&table, "short", "VARCHAR(2)")->default_text = STR("'long'");
  add_column(&table, "made", "DATETIME")->default_text = STR("CURRENT_TIMESTAMP");
  add_column(&table, "none", "TEXT")->default_text = STR("NULL");
  add_column(&table, "total", "DECIMAL(5,2)")->default_text = STR("0.50");
  const char *contract = contract_of(&table, 1);
  expect_line(contract, "  n: Int @default(value: 7)\n");
  expect_line(contract, "  text: String @default(value: \"it's\")\n");
  expect_line(
      contract,
      "  # the database's default: 'long'\n  short: String @column(type: \"VARCHAR(2)\") @length(max: 2) @default(database: true)\n");
  expect_line(contract,
              "  # the database's default: CURRENT_TIMESTAMP\n  made: DateTime @column(type: \"DATETIME\") @default(database: true)\n");
  expect_line(contract, "  none: String\n");
  expect_line(contract, "@decimal(precision: 5, scale: 2) @default(value: \"0.5\")\n");
}

static void uniques_and_indexes_are_told_or_named(void **state) {
  (void)state;
  CatalogTable table = table_named("items");
  add_key(&table, "id", "ID_TEXT", 1);
  add_column(&table, "code", "TEXT");
  add_column(&table, "rank", "INTEGER");
  add_index(&table, true, "code", NULL, "");
  add_index(&table, true, "rank", "code", "");
  add_index(&table, false, "rank", NULL, "");
  add_index(&table, true, "rank", NULL, "it is partial");
  const char *contract = contract_of(&table, 1);
  expect_line(contract, "# Not said here: the unique index i, because it is partial\ntype Item");
  expect_line(contract, "\n  @unique(fields: [\"rank\", \"code\"])\n  @index(fields: [\"rank\"]) {\n");
  expect_line(contract, "  code: String @unique\n  rank: Int\n");
}

static void what_has_no_key_is_read_only(void **state) {
  (void)state;
  CatalogTable tables[2] = {table_named("log"), table_named("totals")};
  add_column(&tables[0], "line", "TEXT");
  add_column(&tables[1], "sum", "");
  tables[1].is_view = true;
  const char *contract = contract_of(tables, 2);
  expect_line(contract, "# Read-only: the table has no primary key.\ntype Log ");
  expect_line(contract, "# Read-only: it is a view.\ntype Total ");
}

static void hostile_names_become_names(void **state) {
  (void)state;
  CatalogTable tables[4] = {table_named("query"), table_named("2nd \"table\"\n# x"), table_named("users"), table_named("user")};
  for (int i = 0; i < 4; i++) add_key(&tables[i], "id", "INTEGER", 1);
  add_column(&tables[1], "1st", "TEXT");
  add_column(&tables[1], "__a", "TEXT");
  add_column(&tables[1], "a", "TEXT");
  add_column(&tables[1], "\xc3\xa9", "TEXT");
  add_column(&tables[1], "type\"x\\", "ENUM('a','b')");
  (void)contract_of(tables, 4);
}

int main(void) {
#define DRAFT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      DRAFT_TEST(types_follow_what_was_declared),
      DRAFT_TEST(a_table_that_caisson_would_make_so_says_nothing_more),
      DRAFT_TEST(relations_are_named_after_their_columns),
      DRAFT_TEST(a_resource_may_refer_to_itself),
      DRAFT_TEST(parts_of_a_composite_key_may_be_relations),
      DRAFT_TEST(a_reference_to_a_composite_key_has_one_field_for_each_part),
      DRAFT_TEST(a_circle_of_required_relations_is_deferred),
      DRAFT_TEST(defaults_are_kept),
      DRAFT_TEST(uniques_and_indexes_are_told_or_named),
      DRAFT_TEST(what_has_no_key_is_read_only),
      DRAFT_TEST(hostile_names_become_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
