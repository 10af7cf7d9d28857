/* sqlite_migrate.c - brings a database to its contract where that only adds: tables, columns that may be absent or have a default, indexes.
 * Everything else is a difference, and then nothing is changed. A database that Caisson has not made is only compared: what the contract
 * names must be there. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite_ddl.h"
#include "store/sqlite_error.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_search.h"
#include "store/sqlite_store.h"

enum { MIGRATION_BYTES_MAX = 64 * 1024 * 1024, DIFFERENCES_BYTES_MAX = 256 * 1024 };

/* A statement that is to be run, and what it does, for those who may not run it. */
typedef struct Change {
  const char *sql;
  Str description;
} Change;

typedef struct Migration {
  SqliteConnection *connection;
  Arena *arena;
  const Contract *contract;
  SqliteSchema schema;
  VEC(Change) changes;
  VEC(Str) index_names; /* taken: those of the database and those about to be made */
  Buf differences;
  Error *err;
} Migration;

static void differ(Migration *migration, const char *format, ...) PRINTF_LIKE(2, 3);
static void differ(Migration *migration, const char *format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len < 0) return;
  buf_add(&migration->differences, (Str){line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1});
  buf_add_byte(&migration->differences, '\n');
}

/* Takes over the text in `sql`. */
static Code change_add(Migration *migration, Buf *sql, Str description) {
  Error *err = migration->err;
  buf_add_byte(sql, '\0');
  Str text;
  TRY(buf_finish(sql, &text, err));
  TRY_ALLOC(description.ptr);
  Change change = {text.ptr, description};
  return VEC_PUSH(migration->arena, &migration->changes, change) ? CODE_OK : error_no_memory(err);
}

/* ---- types ---- */

/* "DECIMAL_TEXT(10,2)" is a DECIMAL_TEXT. */
Str sqlite_type_base(Str type) { return str_trim(str_slice(type, 0, str_find_byte(type, '(', 0))); }

/* A type given by the contract's author goes into a statement as it stands, so it may be nothing but a type. */
bool sqlite_type_is_plain(Str type) {
  for (size_t i = 0; i < type.len; i++) {
    char c = type.ptr[i];
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_ (),", c) != NULL;
    if (!is_plain || c == '\0') return false;
  }
  return true;
}

static void types_check(Migration *migration, const Resource *resource) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (sqlite_type_is_plain(ddl_column_type(field))) continue;
    differ(migration, "column %.*s.%.*s: \"%.*s\" is not a type", STR_ARGS(resource->table), STR_ARGS(field->column),
           STR_ARGS(field->column_type));
  }
}

/* ---- columns ---- */

static void column_compare(Migration *migration, const Field *field, const SchemaColumn *column) {
  Str table = field->resource->table;
  Str type = ddl_column_type(field);
  if (!str_equal_ignore_case(sqlite_type_base(type), sqlite_type_base(column->type))) {
    differ(migration, "column %.*s.%.*s is of the type %.*s, the contract wants %.*s", STR_ARGS(table), STR_ARGS(field->column),
           STR_ARGS(column->type), STR_ARGS(type));
  }
  bool is_not_null = field->is_required || field->is_key;
  if (is_not_null == column->is_not_null) return;
  differ(migration,
         is_not_null ? "column %.*s.%.*s may be null, the contract requires it"
                     : "column %.*s.%.*s may not be null, in the contract it may",
         STR_ARGS(table), STR_ARGS(field->column));
}

/* A required column needs a value for the rows that are there; a key of several columns can't be added column by column. */
static Code column_add(Migration *migration, const Field *field) {
  const Resource *resource = field->resource;
  Buf unused = buf_on(migration->arena, MIGRATION_BYTES_MAX);
  bool has_default = ddl_write_default(&unused, field);
  if (field->is_key || (field->is_required && !has_default) || (field->is_relation_key && field->relation->key_count > 1)) {
    differ(migration, "column %.*s.%.*s is missing, and can't be added to the rows that are there%s", STR_ARGS(resource->table),
           STR_ARGS(field->column),
           field->is_required && !has_default && !field->is_key ? ": it is required and has no constant default" : "");
    return CODE_OK;
  }
  Buf sql = buf_on(migration->arena, MIGRATION_BYTES_MAX);
  ddl_write_add_column(&sql, field);
  return change_add(migration, &sql,
                    arena_printf(migration->arena, "column %.*s.%.*s is missing", STR_ARGS(resource->table), STR_ARGS(field->column)));
}

static const Field *resource_stored_by_column(const Resource *resource, Str column) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (str_equal_ignore_case(resource->stored[i]->column, column)) return resource->stored[i];
  }
  return NULL;
}

static void key_compare(Migration *migration, const Resource *resource, const SchemaTable *table) {
  size_t count = 0;
  bool is_equal = true;
  for (size_t i = 0; i < table->columns.count; i++) {
    int64_t order = table->columns.items[i].key_order;
    if (order == 0) continue;
    count++;
    is_equal = is_equal && (size_t)order <= resource->key_count &&
               str_equal_ignore_case(resource->keys[order - 1]->column, table->columns.items[i].name);
  }
  if (is_equal && count == resource->key_count) return;
  differ(migration, "table %.*s has another primary key than the contract", STR_ARGS(table->name));
}

static Code columns_migrate(Migration *migration, const Resource *resource, const SchemaTable *table) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    const SchemaColumn *column = schema_table_column(table, field->column);
    if (column != NULL)
      column_compare(migration, field, column);
    else
      TRY(column_add(migration, field));
  }
  for (size_t i = 0; i < table->columns.count; i++) {
    Str name = table->columns.items[i].name;
    if (resource_stored_by_column(resource, name) != NULL) continue;
    differ(migration, "column %.*s.%.*s is not in the contract", STR_ARGS(table->name), STR_ARGS(name));
  }
  key_compare(migration, resource, table);
  return CODE_OK;
}

/* ---- foreign keys ---- */

static bool foreign_key_is(const SchemaForeignKey *key, const Relation *relation) {
  if (key->columns.count != relation->key_count || !str_equal_ignore_case(key->target, relation->target->table)) return false;
  for (size_t i = 0; i < relation->key_count; i++) {
    bool has_column = false;
    for (size_t k = 0; k < key->columns.count; k++)
      has_column = has_column || str_equal_ignore_case(key->columns.items[k], relation->keys[i]->column);
    if (!has_column) return false;
  }
  return true;
}

static OnDelete foreign_key_action(const SchemaForeignKey *key) {
  if (str_equal(key->on_delete, STR("CASCADE"))) return ON_DELETE_CASCADE;
  return str_equal(key->on_delete, STR("SET NULL")) ? ON_DELETE_SET_NULL : ON_DELETE_RESTRICT;
}

static void foreign_key_check(Migration *migration, const Relation *relation, const SchemaTable *table) {
  /* One that comes with a new column is made with it. */
  for (size_t i = 0; i < relation->key_count; i++) {
    if (schema_table_column(table, relation->keys[i]->column) == NULL) return;
  }
  Str name = relation->field->name;
  for (size_t i = 0; i < table->foreign_keys.count; i++) {
    if (!foreign_key_is(&table->foreign_keys.items[i], relation)) continue;
    if (foreign_key_action(&table->foreign_keys.items[i]) == relation->on_delete) return;
    differ(migration, "the foreign key of %.*s.%.*s does something else when its target is deleted", STR_ARGS(relation->source->name),
           STR_ARGS(name));
    return;
  }
  differ(migration, "the foreign key of %.*s.%.*s is missing", STR_ARGS(relation->source->name), STR_ARGS(name));
}

static const Relation *resource_relation_of(const Resource *resource, const SchemaForeignKey *key) {
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE && foreign_key_is(key, field->relation)) return field->relation;
  }
  return NULL;
}

static void foreign_keys_compare(Migration *migration, const Resource *resource, const SchemaTable *table) {
  for (size_t i = 0; i < resource->field_count; i++) {
    if (resource->fields[i]->kind == FIELD_TO_ONE) foreign_key_check(migration, resource->fields[i]->relation, table);
  }
  for (size_t i = 0; i < table->foreign_keys.count; i++) {
    const SchemaForeignKey *key = &table->foreign_keys.items[i];
    if (resource_relation_of(resource, key) != NULL) continue;
    differ(migration, "table %.*s has a foreign key to %.*s that is not in the contract", STR_ARGS(table->name), STR_ARGS(key->target));
  }
}

/* ---- indexes ---- */

static bool index_is(const SchemaIndex *index, const DdlIndex *wanted) {
  if (index->is_unique != wanted->is_unique || index->is_partial || index->is_primary_key || index->columns.count != wanted->count)
    return false;
  for (size_t i = 0; i < wanted->count; i++) {
    const SchemaIndexColumn *column = &index->columns.items[i];
    if (column->name.ptr == NULL || !str_equal_ignore_case(column->name, wanted->fields[i].field->column)) return false;
    if (column->is_descending != wanted->fields[i].is_descending) return false;
  }
  return true;
}

static bool name_is_taken(const Migration *migration, Str name) {
  for (size_t i = 0; i < migration->index_names.count; i++) {
    if (str_equal_ignore_case(migration->index_names.items[i], name)) return true;
  }
  return sqlite_schema_table(&migration->schema, name) != NULL;
}

/* SQLite's indexes share one space of names, in which two tables' columns may meet ("a_b" of "c", "b_c" of "a"). */
static Code index_number(Migration *migration, const DdlIndex *wanted, size_t *ret) {
  Error *err = migration->err;
  for (size_t number = 1;; number++) {
    Buf name = buf_on(migration->arena, MIGRATION_BYTES_MAX);
    ddl_write_index_name(&name, wanted, number);
    Str text;
    TRY(buf_finish(&name, &text, err));
    if (name_is_taken(migration, text)) continue;
    if (!VEC_PUSH(migration->arena, &migration->index_names, text)) return error_no_memory(err);
    *ret = number;
    return CODE_OK;
  }
}

static Code index_add(Migration *migration, const DdlIndex *wanted) {
  Buf sql = buf_on(migration->arena, MIGRATION_BYTES_MAX);
  size_t number = 0;
  TRY(index_number(migration, wanted, &number));
  ddl_write_index(&sql, wanted, number);
  Str name = migration->index_names.items[migration->index_names.count - 1];
  return change_add(migration, &sql, arena_printf(migration->arena, "index %.*s is missing", STR_ARGS(name)));
}

static bool table_has_index(const SchemaTable *table, const DdlIndex *wanted) {
  for (size_t i = 0; table != NULL && i < table->indexes.count; i++) {
    if (index_is(&table->indexes.items[i], wanted)) return true;
  }
  return false;
}

/* Of the database's own indexes only the unique ones matter: they refuse what the contract allows. */
static void indexes_check_extra(Migration *migration, const SchemaTable *table, const DdlIndex *wanted, size_t wanted_count) {
  for (size_t i = 0; i < table->indexes.count; i++) {
    const SchemaIndex *index = &table->indexes.items[i];
    bool is_wanted = !index->is_unique || index->is_primary_key;
    for (size_t k = 0; k < wanted_count; k++) is_wanted = is_wanted || index_is(index, &wanted[k]);
    if (!is_wanted) differ(migration, "the unique index %.*s is not in the contract", STR_ARGS(index->name));
  }
}

/* `table` NULL: about to be made. */
static Code indexes_migrate(Migration *migration, const Resource *resource, const SchemaTable *table) {
  Error *err = migration->err;
  size_t count = 0;
  const DdlIndex *wanted = ddl_indexes(resource, migration->arena, &count);
  TRY_ALLOC(wanted);
  for (size_t i = 0; i < count; i++) {
    if (!table_has_index(table, &wanted[i])) TRY(index_add(migration, &wanted[i]));
  }
  if (table != NULL) indexes_check_extra(migration, table, wanted, count);
  return CODE_OK;
}

/* ---- tables ---- */

static Code table_add(Migration *migration, const Resource *resource) {
  Buf sql = buf_on(migration->arena, MIGRATION_BYTES_MAX);
  ddl_write_table(&sql, resource);
  TRY(change_add(migration, &sql, arena_printf(migration->arena, "table %.*s is missing", STR_ARGS(resource->table))));
  return indexes_migrate(migration, resource, NULL);
}

static Code table_migrate(Migration *migration, const Resource *resource) {
  const SchemaTable *table = sqlite_schema_table(&migration->schema, resource->table);
  types_check(migration, resource);
  if (table == NULL) return table_add(migration, resource);
  TRY(columns_migrate(migration, resource, table));
  foreign_keys_compare(migration, resource, table);
  return indexes_migrate(migration, resource, table);
}

static bool contract_has_table(const Contract *contract, Str table) {
  for (size_t i = 0; i < contract->resource_count; i++) {
    if (str_equal_ignore_case(contract->resources[i]->table, table)) return true;
  }
  return false;
}

static Code tables_migrate(Migration *migration) {
  const Contract *contract = migration->contract;
  for (size_t i = 0; i < contract->resource_count; i++) TRY(table_migrate(migration, contract->resources[i]));
  for (size_t i = 0; i < migration->schema.tables.count; i++) {
    Str name = migration->schema.tables.items[i].name;
    /* Our own bookkeeping begins so. */
    if (contract_has_table(contract, name) || str_starts_with(name, STR("caisson_"))) continue;
    differ(migration, "table %.*s is not in the contract", STR_ARGS(name));
  }
  return CODE_OK;
}

/* ---- search ---- */

static const SchemaObject *search_find(const Migration *migration, Str name) {
  for (size_t i = 0; i < migration->schema.search.count; i++) {
    if (str_equal(migration->schema.search.items[i].name, name)) return &migration->schema.search.items[i];
  }
  return NULL;
}

static Code search_is_right(const Migration *migration, const Resource *resource, bool *ret) {
  *ret = true;
  for (size_t i = 0; i < SEARCH_OBJECT_COUNT; i++) {
    Str name, sql;
    TRY(search_object(resource, i, migration->arena, &name, &sql, migration->err));
    const SchemaObject *found = search_find(migration, name);
    *ret = *ret && found != NULL && str_equal(found->sql, sql);
  }
  return CODE_OK;
}

/* An index holds nothing but what stands in the table: where it is not as it should be it is made anew. */
static Code search_make(Migration *migration, const Resource *resource) {
  Buf sql = buf_on(migration->arena, MIGRATION_BYTES_MAX);
  search_write_drop(&sql, resource->table);
  search_write_tables(&sql, resource);
  search_write_fill(&sql, resource);
  for (size_t i = 0; i < SEARCH_TRIGGER_COUNT; i++) {
    search_write_trigger(&sql, resource, i);
    buf_add(&sql, STR(";\n"));
  }
  return change_add(migration, &sql, arena_printf(migration->arena, "the search index of %.*s is missing", STR_ARGS(resource->table)));
}

/* "caisson_search_TABLE:keys" → TABLE. */
static Str search_table_of(Str name) {
  if (!str_ends_with(name, STR(":keys"))) return (Str){0};
  return str_slice(name, sizeof "caisson_search_" - 1, name.len - (sizeof ":keys" - 1));
}

static bool contract_searches(const Contract *contract, Str table) {
  for (size_t i = 0; i < contract->resource_count; i++) {
    const Resource *resource = contract->resources[i];
    if (resource->search_count > 0 && resource->key_count > 0 && str_equal(resource->table, table)) return true;
  }
  return false;
}

static Code search_drop(Migration *migration, Str table) {
  Buf sql = buf_on(migration->arena, MIGRATION_BYTES_MAX);
  search_write_drop(&sql, table);
  return change_add(migration, &sql, arena_printf(migration->arena, "the search index of %.*s is not in the contract", STR_ARGS(table)));
}

static Code search_migrate(Migration *migration) {
  const Contract *contract = migration->contract;
  for (size_t i = 0; i < contract->resource_count; i++) {
    const Resource *resource = contract->resources[i];
    if (resource->search_count == 0 || resource->key_count == 0) continue;
    bool is_right = false;
    TRY(search_is_right(migration, resource, &is_right));
    if (!is_right) TRY(search_make(migration, resource));
  }
  for (size_t i = 0; i < migration->schema.search.count; i++) {
    Str table = search_table_of(migration->schema.search.items[i].name);
    if (table.len > 0 && !contract_searches(contract, table)) TRY(search_drop(migration, table));
  }
  return CODE_OK;
}

/* Of a database that others made: everything that the contract reads must be there; how it is declared is their affair. */
static void tables_verify(Migration *migration) {
  for (size_t i = 0; i < migration->contract->resource_count; i++) {
    const Resource *resource = migration->contract->resources[i];
    const SchemaTable *table = sqlite_schema_table(&migration->schema, resource->table);
    if (resource->search_count > 0)
      differ(migration, "%.*s has @search, and this database was not made by Caisson: no search index is put into it",
             STR_ARGS(resource->name));
    if (table == NULL)
      differ(migration, "table %.*s is missing, and this database was not made by Caisson: its schema is not changed",
             STR_ARGS(resource->table));
    for (size_t k = 0; table != NULL && k < resource->stored_count; k++) {
      Str column = resource->stored[k]->column;
      if (schema_table_column(table, column) != NULL) continue;
      differ(migration, "column %.*s.%.*s is missing, and this database was not made by Caisson: its schema is not changed",
             STR_ARGS(table->name), STR_ARGS(column));
    }
  }
}

/* ---- the transaction ---- */

static Code migration_execute(Migration *migration, const char *sql, Str description) {
  int result = sqlite3_exec(migration->connection->db, sql, NULL, NULL, NULL);
  if (result == SQLITE_OK) return CODE_OK;
  if ((result & 0xff) != SQLITE_CONSTRAINT) return sqlite_error_set(migration->connection, result, migration->err);
  /* A new unique index over rows that are not. */
  differ(migration, "%.*s, and can't be made: rows that are there don't fit it", STR_ARGS(description));
  return CODE_OK;
}

static Code migration_apply(Migration *migration) {
  char mark[64];
  snprintf(mark, sizeof mark, "PRAGMA application_id=%d", SQLITE_APPLICATION_ID);
  TRY(migration_execute(migration, mark, STR("")));
  for (size_t i = 0; i < migration->changes.count; i++) {
    TRY(migration_execute(migration, migration->changes.items[i].sql, migration->changes.items[i].description));
  }
  return CODE_OK;
}

static Code migration_collect_index_names(Migration *migration) {
  for (size_t i = 0; i < migration->schema.tables.count; i++) {
    const SchemaTable *table = &migration->schema.tables.items[i];
    for (size_t k = 0; k < table->indexes.count; k++) {
      if (!VEC_PUSH(migration->arena, &migration->index_names, table->indexes.items[k].name)) return error_no_memory(migration->err);
    }
  }
  return CODE_OK;
}

static Code migration_run(Migration *migration, bool is_ours, bool is_allowed_to_change) {
  TRY(sqlite_schema_read(migration->connection, migration->arena, &migration->schema, migration->err));
  TRY(migration_collect_index_names(migration));
  if (!is_ours)
    tables_verify(migration);
  else
    TRY(tables_migrate(migration));
  if (is_ours) TRY(search_migrate(migration));
  if (!is_allowed_to_change) {
    for (size_t i = 0; i < migration->changes.count; i++) differ(migration, "%.*s", STR_ARGS(migration->changes.items[i].description));
  }
  if (migration->differences.len == 0 && is_ours && is_allowed_to_change && migration->changes.count > 0) TRY(migration_apply(migration));
  if (migration->differences.len == 0) return CODE_OK;
  return error_set(migration->err, CODE_CONFLICT, "the database is not as the contract says");
}

static Code migration_in_transaction(Migration *migration, SqliteStore *store, bool is_allowed_to_change) {
  bool writes = is_allowed_to_change && store->is_ours;
  SqliteConnection *connection = migration->connection;
  int result = sqlite_connection_command(connection, writes ? SQLITE_COMMAND_BEGIN_IMMEDIATE : SQLITE_COMMAND_BEGIN);
  if (result != SQLITE_OK) return sqlite_error_set(connection, result, migration->err);
  Code code = migration_run(migration, store->is_ours, is_allowed_to_change);
  if (code == CODE_OK) {
    result = sqlite_connection_command(connection, SQLITE_COMMAND_COMMIT);
    if (result != SQLITE_OK) code = sqlite_error_set(connection, result, migration->err);
  }
  if (!sqlite3_get_autocommit(connection->db)) sqlite_connection_command(connection, SQLITE_COMMAND_ROLLBACK);
  return code;
}

Code sqlite_migrate(Store *base, const Contract *contract, bool is_allowed_to_change, Arena *arena, Str *ret_differences, Error *err) {
  SqliteStore *store = (SqliteStore *)base;
  Migration migration = {.arena = arena, .contract = contract, .differences = buf_on(arena, DIFFERENCES_BYTES_MAX), .err = err};
  bool may_change = is_allowed_to_change && !store->target.is_read_only;
  SqliteRole role = may_change ? SQLITE_ROLE_WRITER : SQLITE_ROLE_READER;
  TRY(sqlite_connection_open(&store->target, role, store->busy_timeout_ms, &migration.connection, err));
  sqlite_turn_begin_write(store);
  Code code = migration_in_transaction(&migration, store, may_change);
  sqlite_turn_end(store);
  sqlite_connection_close(migration.connection);
  if (code == CODE_CONFLICT) *ret_differences = buf_str(&migration.differences);
  return code;
}
