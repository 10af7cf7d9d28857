/* sqlite_schema.c - reads the schema through SQLite's pragma functions, not from the text of CREATE statements. */
#include "store/sqlite_schema.h"

#include "store/sqlite_error.h"
#include "store/sqlite_value.h"

typedef struct SchemaReader {
  SqliteConnection *connection;
  Arena *arena;
  bool lacks_memory; /* a text of the row could not be had */
  Error *err;
} SchemaReader;

typedef Code SchemaRowFn(SchemaReader *reader, sqlite3_stmt *row, void *context);

static Code schema_query(SchemaReader *reader, const char *sql, Str param, SchemaRowFn *on_row, void *context) {
  sqlite3_stmt *stmt = NULL;
  int result = sqlite3_prepare_v2(reader->connection->db, sql, -1, &stmt, NULL);
  if (result == SQLITE_OK && param.ptr != NULL) result = sqlite3_bind_text64(stmt, 1, param.ptr, param.len, SQLITE_STATIC, SQLITE_UTF8);
  Code code = CODE_OK;
  while (result == SQLITE_OK && code == CODE_OK) {
    int step = sqlite3_step(stmt);
    if (step == SQLITE_DONE) break;
    if (step == SQLITE_ROW)
      code = on_row(reader, stmt, context);
    else
      result = step;
    if (reader->lacks_memory) code = error_no_memory(reader->err);
  }
  if (result != SQLITE_OK) code = sqlite_error_set(reader->connection, result, reader->err);
  sqlite3_finalize(stmt);
  return code;
}

static Str row_str(SchemaReader *reader, sqlite3_stmt *row, int column) {
  return sqlite_column_keep(row, column, reader->arena, &reader->lacks_memory);
}

/* ---- whose it is ---- */

static Code on_owner(SchemaReader *reader, sqlite3_stmt *row, void *context) {
  (void)reader;
  bool *is_ours = context;
  int64_t application_id = sqlite3_column_int64(row, 0);
  *is_ours = application_id == SQLITE_APPLICATION_ID || (application_id == 0 && sqlite3_column_int64(row, 1) == 0);
  return CODE_OK;
}

Code sqlite_schema_find_owner(SqliteConnection *connection, bool *ret_is_ours, Error *err) {
  SchemaReader reader = {.connection = connection, .err = err};
  return schema_query(&reader, "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id", (Str){NULL, 0},
                      on_owner, ret_is_ours);
}

/* ---- tables ---- */

static Code on_column(SchemaReader *reader, sqlite3_stmt *row, void *context) {
  SchemaTable *table = context;
  SchemaColumn column = {.name = row_str(reader, row, 0),
                         .type = row_str(reader, row, 1),
                         .is_not_null = sqlite3_column_int(row, 2) != 0,
                         .default_text = row_str(reader, row, 3),
                         .key_order = sqlite3_column_int64(row, 4)};
  return VEC_PUSH(reader->arena, &table->columns, column) ? CODE_OK : error_no_memory(reader->err);
}

static Code on_index_column(SchemaReader *reader, sqlite3_stmt *row, void *context) {
  SchemaIndex *index = context;
  SchemaIndexColumn column = {.name = row_str(reader, row, 0), .is_descending = sqlite3_column_int(row, 1) != 0};
  return VEC_PUSH(reader->arena, &index->columns, column) ? CODE_OK : error_no_memory(reader->err);
}

static Code on_index(SchemaReader *reader, sqlite3_stmt *row, void *context) {
  SchemaTable *table = context;
  SchemaIndex index = {.name = row_str(reader, row, 0),
                       .is_unique = sqlite3_column_int(row, 1) != 0,
                       .is_primary_key = str_equal(row_str(reader, row, 2), STR("pk")),
                       .is_partial = sqlite3_column_int(row, 3) != 0};
  return VEC_PUSH(reader->arena, &table->indexes, index) ? CODE_OK : error_no_memory(reader->err);
}

/* One row for each column of a key; the rows of one key stand together. */
static Code on_foreign_key(SchemaReader *reader, sqlite3_stmt *row, void *context) {
  SchemaTable *table = context;
  int64_t id = sqlite3_column_int64(row, 0);
  size_t count = table->foreign_keys.count;
  if (count == 0 || table->foreign_keys.items[count - 1].id != id) {
    SchemaForeignKey key = {.id = id, .target = row_str(reader, row, 1), .on_delete = row_str(reader, row, 3)};
    if (!VEC_PUSH(reader->arena, &table->foreign_keys, key)) return error_no_memory(reader->err);
  }
  SchemaForeignKey *key = &table->foreign_keys.items[table->foreign_keys.count - 1];
  return VEC_PUSH(reader->arena, &key->columns, row_str(reader, row, 2)) ? CODE_OK : error_no_memory(reader->err);
}

static Code table_read(SchemaReader *reader, SchemaTable *table) {
  TRY(schema_query(reader, "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid",
                   table->name, on_column, table));
  TRY(schema_query(reader, "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1) ORDER BY name", table->name, on_index,
                   table));
  for (size_t i = 0; i < table->indexes.count; i++) {
    SchemaIndex *index = &table->indexes.items[i];
    TRY(schema_query(reader, "SELECT name, \"desc\" FROM pragma_index_xinfo(?1) WHERE \"key\" ORDER BY seqno", index->name, on_index_column,
                     index));
  }
  return schema_query(reader, "SELECT id, \"table\", \"from\", on_delete FROM pragma_foreign_key_list(?1) ORDER BY id, seq", table->name,
                      on_foreign_key, table);
}

static Code on_table(SchemaReader *reader, sqlite3_stmt *row, void *context) {
  SqliteSchema *schema = context;
  SchemaTable table = {.name = row_str(reader, row, 0), .is_view = str_equal(row_str(reader, row, 1), STR("view"))};
  return VEC_PUSH(reader->arena, &schema->tables, table) ? CODE_OK : error_no_memory(reader->err);
}

static Code on_search(SchemaReader *reader, sqlite3_stmt *row, void *context) {
  SchemaObjects *objects = context;
  SchemaObject object = {row_str(reader, row, 0), row_str(reader, row, 1)};
  return VEC_PUSH(reader->arena, &objects->items, object) ? CODE_OK : error_no_memory(reader->err);
}

Code sqlite_schema_read(SqliteConnection *connection, Arena *arena, SqliteSchema *ret, Error *err) {
  SqliteSchema schema = {0};
  SchemaReader reader = {.connection = connection, .arena = arena, .err = err};
  TRY(schema_query(
      &reader,
      "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
      (Str){NULL, 0}, on_table, &schema));
  for (size_t i = 0; i < schema.tables.count; i++) TRY(table_read(&reader, &schema.tables.items[i]));
  *ret = schema;
  return CODE_OK;
}

/* The one place where a statement's text is read: these are texts of our own making, to be found again to the byte. */
Code sqlite_schema_read_search(SqliteConnection *connection, Arena *arena, SchemaObjects *ret, Error *err) {
  SchemaReader reader = {.connection = connection, .arena = arena, .err = err};
  *ret = (SchemaObjects){0};
  return schema_query(&reader, "SELECT name, sql FROM sqlite_schema WHERE name GLOB 'caisson_search_*:*' AND type IN ('table', 'trigger')",
                      (Str){NULL, 0}, on_search, ret);
}
