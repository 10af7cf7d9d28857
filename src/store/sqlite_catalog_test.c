/* sqlite_catalog_test.c - small databases made here, read back as a catalogue. */
#include "store/sqlite_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

typedef struct Fixture {
  Arena *arena;
  char path[32];
} Fixture;

static int set_up(void **state) {
  static Fixture f;
  f = (Fixture){.arena = arena_create(0), .path = "/tmp/catalog-test-XXXXXX"};
  int fd = mkstemp(f.path);
  assert_true(fd >= 0);
  (void)close(fd);
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  Fixture *f = *state;
  (void)unlink(f->path);
  arena_destroy(f->arena);
  return 0;
}

static Catalog read_schema(Fixture *f, const char *sql) {
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  (void)sqlite3_close(db);
  Catalog catalog;
  Error err = {0};
  Code code = sqlite_catalog_read(str_of(f->path), f->arena, &catalog, &err);
  if (code != CODE_OK) fail_msg("%s", err.text);
  return catalog;
}

static void assert_str(Str actual, const char *expected) {
  if (!str_equal(actual, str_of(expected))) fail_msg("<%.*s> is not <%s>", STR_ARGS(actual), expected);
}

static void columns_keep_what_was_declared(void **state) {
  Catalog catalog = read_schema(
      *state, "CREATE TABLE t (id INTEGER PRIMARY KEY, name NVARCHAR(40) NOT NULL DEFAULT 'x', big BIGINT, made AS (name || '!'))");
  assert_int_equal(catalog.tables.count, 1);
  const CatalogTable *table = &catalog.tables.items[0];
  assert_int_equal(table->columns.count, 4);
  const CatalogColumn *columns = table->columns.items;
  assert_true(columns[0].is_made_by_database && columns[0].key_order == 1 && columns[0].is_required);
  assert_str(columns[1].type, "NVARCHAR(40)");
  assert_str(columns[1].default_text, "'x'");
  assert_true(columns[1].is_required && !columns[1].is_made_by_database);
  assert_true(columns[3].is_generated);
}

static void composite_keys_tell_their_order(void **state) {
  Catalog catalog = read_schema(*state, "CREATE TABLE t (a INTEGER, b TEXT, PRIMARY KEY (b, a))");
  const CatalogColumn *columns = catalog.tables.items[0].columns.items;
  assert_int_equal(columns[0].key_order, 2);
  assert_int_equal(columns[1].key_order, 1);
  assert_false(columns[0].is_made_by_database);
}

static void foreign_keys_tell_their_columns_and_actions(void **state) {
  Catalog catalog = read_schema(
      *state,
      "CREATE TABLE p (x INTEGER, y INTEGER, PRIMARY KEY (x, y));"
      "CREATE TABLE c (a INT, b INT, s INT REFERENCES c ON DELETE SET NULL, FOREIGN KEY (a, b) REFERENCES p (x, y) ON DELETE CASCADE)");
  const CatalogTable *child = &catalog.tables.items[0];
  assert_str(child->name, "c");
  assert_int_equal(child->foreign_keys.count, 2);
  const CatalogForeignKey *self = &child->foreign_keys.items[0], *pair = &child->foreign_keys.items[1];
  assert_str(self->target, "c");
  assert_int_equal(self->target_columns.count, 0);
  assert_str(self->on_delete, "SET NULL");
  assert_int_equal(pair->columns.count, 2);
  assert_str(pair->columns.items[1], "b");
  assert_str(pair->target_columns.items[1], "y");
  assert_str(pair->on_delete, "CASCADE");
}

static void indexes_say_what_a_contract_cannot(void **state) {
  Catalog catalog = read_schema(*state, "CREATE TABLE t (a INT, b TEXT UNIQUE, c TEXT);"
                                        "CREATE INDEX plain ON t (a, c DESC); CREATE INDEX partial ON t (a) WHERE a > 0;"
                                        "CREATE INDEX computed ON t (lower(c)); CREATE UNIQUE INDEX folded ON t (c COLLATE NOCASE)");
  const CatalogTable *table = &catalog.tables.items[0];
  assert_int_equal(table->indexes.count, 5);
  assert_true(table->indexes.items[0].is_unique && table->indexes.items[0].obstacle.len == 0);
  assert_str(table->indexes.items[1].name, "plain");
  assert_int_equal(table->indexes.items[1].columns.count, 2);
  assert_true(table->indexes.items[1].columns.items[1].is_descending);
  assert_str(table->indexes.items[2].obstacle, "it is partial");
  assert_str(table->indexes.items[3].obstacle, "it is over an expression");
  assert_str(table->indexes.items[4].obstacle, "it compares by a collation of its own");
}

static void comments_come_from_the_text_of_create(void **state) {
  Catalog catalog =
      read_schema(*state, "CREATE TABLE t ( -- all of it\n  a INT, -- the first\n  -- before b\n  \"b\" TEXT DEFAULT '--no',\n  c INT\n)");
  const CatalogTable *table = &catalog.tables.items[0];
  assert_str(table->comment, "all of it");
  assert_str(table->columns.items[0].comment, "the first");
  assert_str(table->columns.items[1].comment, "before b");
  assert_str(table->columns.items[2].comment, "");
}

static void values_decide_where_the_type_leaves_it_open(void **state) {
  Catalog catalog = read_schema(*state, "CREATE TABLE t (n INTEGER, any); INSERT INTO t VALUES (3000000000, 'x'), (-1, 1.5), (NULL, NULL)");
  const CatalogColumn *columns = catalog.tables.items[0].columns.items;
  assert_true(columns[0].values.has_integer && columns[0].values.min == -1 && columns[0].values.max == 3000000000);
  assert_true(columns[1].values.has_text && columns[1].values.has_real && !columns[1].values.has_integer);
}

static void views_triggers_and_virtual_tables_are_told(void **state) {
  Catalog catalog = read_schema(
      *state, "CREATE TABLE t (a INT CHECK (a > 0)); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW broken AS SELECT a FROM gone;"
              "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; CREATE VIRTUAL TABLE f USING fts5(x)");
  assert_int_equal(catalog.tables.count, 2);
  assert_int_equal(catalog.tables.items[0].notes.count, 2);
  assert_true(catalog.tables.items[1].is_view);
  assert_str(catalog.notes.items[0], "the view broken, which can't be read");
  assert_str(catalog.notes.items[1], "the virtual table f");
}

static void what_is_no_database_is_told(void **state) {
  Fixture *f = *state;
  FILE *file = fopen(f->path, "we");
  for (int i = 0; i < 200; i++) (void)fputs("not a database at all\n", file);
  (void)fclose(file);
  Catalog catalog;
  Error err;
  assert_int_equal(sqlite_catalog_read(str_of(f->path), f->arena, &catalog, &err), CODE_UNAVAILABLE);
  assert_int_equal(sqlite_catalog_read(STR("/nonexistent/x.db"), f->arena, &catalog, &err), CODE_UNAVAILABLE);
}

int main(void) {
#define CATALOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      CATALOG_TEST(columns_keep_what_was_declared),
      CATALOG_TEST(composite_keys_tell_their_order),
      CATALOG_TEST(foreign_keys_tell_their_columns_and_actions),
      CATALOG_TEST(indexes_say_what_a_contract_cannot),
      CATALOG_TEST(comments_come_from_the_text_of_create),
      CATALOG_TEST(values_decide_where_the_type_leaves_it_open),
      CATALOG_TEST(views_triggers_and_virtual_tables_are_told),
      CATALOG_TEST(what_is_no_database_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
