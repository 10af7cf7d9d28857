/* sqlite_derive.c - see sqlite_derive.h. An index holds nothing but what stands in its table: where its objects are not what they should
 * be, to the byte, it is made anew. */
#include "store/sqlite_derive.h"

#include "store/sqlite_schema.h"
#include "store/sqlite_search.h"

enum { SQL_BYTES_MAX = 1024 * 1024 };

typedef struct Deriving {
  const Contract *contract;
  Arena *arena;
  SchemaObjects there;
  MigratorChanges *changes;
  Error *err;
} Deriving;

/* Takes over the text in `sql`. */
static Code change_add(Deriving *deriving, Buf *sql, Str text) {
  Error *err = deriving->err;
  MigratorChange change = {.text = text};
  TRY_ALLOC(text.ptr);
  buf_add_byte(sql, '\0');
  TRY(buf_finish(sql, &change.sql, err));
  return VEC_PUSH(deriving->arena, &deriving->changes->items, change) ? CODE_OK : error_no_memory(err);
}

static bool has_index(const Resource *resource) { return resource->search_count > 0 && resource->key_count > 0; }

static bool is_there(const Deriving *deriving, Str name, Str sql) {
  for (size_t i = 0; i < deriving->there.items.count; i++) {
    const SchemaObject *object = &deriving->there.items.items[i];
    if (str_equal(object->name, name)) return str_equal(object->sql, sql);
  }
  return false;
}

static Code index_make(Deriving *deriving, const Resource *resource) {
  Buf sql = buf_on(deriving->arena, SQL_BYTES_MAX);
  search_write_drop(&sql, resource->table);
  search_write_tables(&sql, resource);
  search_write_fill(&sql, resource);
  for (size_t i = 0; i < SEARCH_TRIGGER_COUNT; i++) {
    search_write_trigger(&sql, resource, i);
    buf_add(&sql, STR(";\n"));
  }
  return change_add(deriving, &sql, arena_printf(deriving->arena, "the search index of %.*s is missing", STR_ARGS(resource->table)));
}

static Code index_check(Deriving *deriving, const Resource *resource) {
  bool is_right = true;
  for (size_t i = 0; i < SEARCH_OBJECT_COUNT; i++) {
    Str name, sql;
    TRY(search_object(resource, i, deriving->arena, &name, &sql, deriving->err));
    is_right = is_right && is_there(deriving, name, sql);
  }
  return is_right ? CODE_OK : index_make(deriving, resource);
}

/* "caisson_search_TABLE:keys" → TABLE. */
static Str table_of(Str name) {
  if (!str_ends_with(name, STR(":keys"))) return (Str){0};
  return str_slice(name, sizeof "caisson_search_" - 1, name.len - (sizeof ":keys" - 1));
}

static bool is_wanted(const Deriving *deriving, Str table) {
  for (size_t i = 0; i < deriving->contract->resource_count; i++) {
    const Resource *resource = deriving->contract->resources[i];
    if (has_index(resource) && str_equal(resource->table, table)) return true;
  }
  return false;
}

static Code index_drop(Deriving *deriving, Str table) {
  Buf sql = buf_on(deriving->arena, SQL_BYTES_MAX);
  search_write_drop(&sql, table);
  return change_add(deriving, &sql, arena_printf(deriving->arena, "the search index of %.*s is not in the contract", STR_ARGS(table)));
}

Code sqlite_derive(SqliteConnection *connection, const Contract *contract, Arena *arena, MigratorChanges *ret, Error *err) {
  Deriving deriving = {.contract = contract, .arena = arena, .changes = ret, .err = err};
  *ret = (MigratorChanges){0};
  TRY(sqlite_schema_read_search(connection, arena, &deriving.there, err));
  for (size_t i = 0; i < contract->resource_count; i++) {
    if (has_index(contract->resources[i])) TRY(index_check(&deriving, contract->resources[i]));
  }
  for (size_t i = 0; i < deriving.there.items.count; i++) {
    Str table = table_of(deriving.there.items.items[i].name);
    if (table.len > 0 && !is_wanted(&deriving, table)) TRY(index_drop(&deriving, table));
  }
  return CODE_OK;
}
