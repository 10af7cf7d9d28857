/* postgres_plan.c - see postgres_plan.h. Only what adds is planned: tables, columns that may be absent or have a default, foreign keys,
 * indexes. Everything else is a difference. */
#include "store/postgres_plan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sql/postgres_search.h"
#include "sql/postgres_types.h"
#include "sql/select.h"
#include "store/postgres_ddl.h"

enum { SQL_BYTES_MAX = 64 * 1024 * 1024, DIFFERENCES_BYTES_MAX = 256 * 1024, TYPE_BYTES_MAX = 96 };

typedef struct Planner {
  const PostgresSchema *schema;
  const Contract *contract;
  Arena *arena;
  PostgresPlan *plan;
  VEC(PostgresChange) foreign_keys, indexes; /* behind all tables and columns */
  VEC(Str) index_names;                      /* taken: those of the database and those about to be made */
  Error *err;
} Planner;

static void differ(Planner *planner, const char *format, ...) PRINTF_LIKE(2, 3);
static void differ(Planner *planner, const char *format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len < 0) return;
  buf_add(&planner->plan->differences, (Str){line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1});
  buf_add_byte(&planner->plan->differences, '\n');
}

/* Takes over the text in `sql`. */
static Code change_make(Planner *planner, Buf *sql, Str description, PostgresChange *ret) {
  Error *err = planner->err;
  buf_add_byte(sql, '\0');
  TRY(buf_finish(sql, &ret->sql, err));
  ret->sql.len--;
  TRY_ALLOC(description.ptr);
  ret->description = description;
  return CODE_OK;
}

#define CHANGE_ADD(planner, list, sql, description)                                                                                        \
  do {                                                                                                                                     \
    PostgresChange change_;                                                                                                                \
    TRY(change_make((planner), (sql), (description), &change_));                                                                           \
    if (!VEC_PUSH((planner)->arena, (list), change_)) return error_no_memory((planner)->err);                                              \
  } while (0)

/* ---- types ---- */

typedef struct TypeAlias {
  Str alias, name;
} TypeAlias;

static const TypeAlias aliases[] = {
    {STR_INIT("int"), STR_INIT("integer")},
    {STR_INIT("int2"), STR_INIT("smallint")},
    {STR_INIT("int4"), STR_INIT("integer")},
    {STR_INIT("int8"), STR_INIT("bigint")},
    {STR_INIT("serial"), STR_INIT("integer")},
    {STR_INIT("smallserial"), STR_INIT("smallint")},
    {STR_INIT("bigserial"), STR_INIT("bigint")},
    {STR_INIT("float4"), STR_INIT("real")},
    {STR_INIT("float8"), STR_INIT("double precision")},
    {STR_INIT("decimal"), STR_INIT("numeric")},
    {STR_INIT("bool"), STR_INIT("boolean")},
    {STR_INIT("varchar"), STR_INIT("character varying")},
    {STR_INIT("char"), STR_INIT("character")},
    {STR_INIT("bpchar"), STR_INIT("character")},
    {STR_INIT("timestamptz"), STR_INIT("timestamp with time zone")},
    {STR_INIT("timestamp"), STR_INIT("timestamp without time zone")},
};

/* In lower case, without modifiers and brackets, by the name that the catalog uses. */
static Str type_canonical(Str type, char out[TYPE_BYTES_MAX]) {
  size_t len = 0, depth = 0;
  for (size_t i = 0; i < type.len && len < TYPE_BYTES_MAX; i++) {
    char c = type.ptr[i];
    if (c == '(') depth++;
    if (depth == 0 && c != '[' && c != ']' && !(c == ' ' && len > 0 && out[len - 1] == ' ')) out[len++] = (char)tolower((unsigned char)c);
    if (c == ')' && depth > 0) depth--;
  }
  Str name = str_trim((Str){out, len});
  for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
    if (str_equal(aliases[i].alias, name)) return aliases[i].name;
  }
  return name;
}

bool postgres_types_equal(Str a, Str b) {
  char a_bytes[TYPE_BYTES_MAX], b_bytes[TYPE_BYTES_MAX];
  return str_ends_with(a, STR("[]")) == str_ends_with(b, STR("[]")) && str_equal(type_canonical(a, a_bytes), type_canonical(b, b_bytes));
}

/* A type given by the contract's author goes into a statement as it stands, so it may be nothing but a type. */
bool postgres_type_is_plain(Str type) {
  for (size_t i = 0; i < type.len; i++) {
    char c = type.ptr[i];
    if (!isalnum((unsigned char)c) && (c == '\0' || strchr("_ (),.[]\"", c) == NULL)) return false;
  }
  return true;
}

static bool types_are_plain(Planner *planner, const Resource *resource) {
  bool is_plain = true;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (postgres_type_is_plain(postgres_given_type(field))) continue;
    is_plain = false;
    differ(planner, "column %.*s.%.*s: \"%.*s\" is not a type", STR_ARGS(resource->table), STR_ARGS(field->column),
           STR_ARGS(field->column_type));
  }
  return is_plain;
}

/* ---- columns ---- */

static void column_compare(Planner *planner, const Field *field, const PgColumn *column) {
  Str table = field->resource->table, type = postgres_ddl_type(field);
  if (!postgres_types_equal(type, column->type)) {
    differ(planner, "column %.*s.%.*s is of the type %.*s, the contract wants %.*s", STR_ARGS(table), STR_ARGS(field->column),
           STR_ARGS(column->type), STR_ARGS(type));
  }
  bool is_not_null = field->is_required || field->is_key;
  if (is_not_null == column->is_not_null) return;
  differ(planner,
         is_not_null ? "column %.*s.%.*s may be null, the contract requires it"
                     : "column %.*s.%.*s may not be null, in the contract it may",
         STR_ARGS(table), STR_ARGS(field->column));
}

/* A required column needs a value for the rows that are there. */
static Code column_add(Planner *planner, const Field *field) {
  const Resource *resource = field->resource;
  Buf unused = buf_on(planner->arena, SQL_BYTES_MAX);
  bool has_default = postgres_ddl_write_default(&unused, field);
  if (field->is_key || (field->is_required && !has_default)) {
    differ(planner, "column %.*s.%.*s is missing, and can't be added to the rows that are there%s", STR_ARGS(resource->table),
           STR_ARGS(field->column), field->is_key ? "" : ": it is required and has no constant default");
    return CODE_OK;
  }
  Buf sql = buf_on(planner->arena, SQL_BYTES_MAX);
  postgres_ddl_write_add_column(&sql, field);
  CHANGE_ADD(planner, &planner->plan->changes, &sql,
             arena_printf(planner->arena, "column %.*s.%.*s is missing", STR_ARGS(resource->table), STR_ARGS(field->column)));
  return CODE_OK;
}

static bool resource_has_column(const Resource *resource, Str column) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (str_equal(resource->stored[i]->column, column)) return true;
  }
  return false;
}

static void key_compare(Planner *planner, const Resource *resource, const PgTable *table) {
  size_t count = 0;
  bool is_equal = true;
  for (size_t i = 0; i < table->columns.count; i++) {
    uint32_t order = table->columns.items[i].key_order;
    if (order == 0) continue;
    count++;
    is_equal = is_equal && order <= resource->key_count && str_equal(resource->keys[order - 1]->column, table->columns.items[i].name);
  }
  if (is_equal && count == resource->key_count) return;
  differ(planner, "table %.*s has another primary key than the contract", STR_ARGS(resource->table));
}

static Code columns_plan(Planner *planner, const Resource *resource, const PgTable *table) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    const PgColumn *column = postgres_table_column(table, field->column);
    if (column != NULL)
      column_compare(planner, field, column);
    else
      TRY(column_add(planner, field));
  }
  for (size_t i = 0; i < table->columns.count; i++) {
    Str name = table->columns.items[i].name;
    if (!resource_has_column(resource, name))
      differ(planner, "column %.*s.%.*s is not in the contract", STR_ARGS(resource->table), STR_ARGS(name));
  }
  key_compare(planner, resource, table);
  return CODE_OK;
}

/* ---- foreign keys ---- */

static bool foreign_key_is(const Planner *planner, const PgForeignKey *key, const Relation *relation) {
  const PgTable *target = postgres_schema_table(planner->schema, relation->target->table);
  if (target == NULL || !str_equal(key->target, target->name) || !str_equal(key->target_schema, target->schema)) return false;
  if (key->columns.count != relation->key_count) return false;
  for (size_t i = 0; i < relation->key_count; i++) {
    bool has_column = false;
    for (size_t k = 0; k < key->columns.count; k++) has_column = has_column || str_equal(key->columns.items[k], relation->keys[i]->column);
    if (!has_column) return false;
  }
  return true;
}

static OnDelete foreign_key_action(const PgForeignKey *key) {
  return key->on_delete == 'c' ? ON_DELETE_CASCADE : key->on_delete == 'n' ? ON_DELETE_SET_NULL : ON_DELETE_RESTRICT;
}

static Code foreign_key_add(Planner *planner, const Relation *relation) {
  Buf sql = buf_on(planner->arena, SQL_BYTES_MAX);
  postgres_ddl_write_foreign_key(&sql, relation, planner->arena);
  CHANGE_ADD(planner, &planner->foreign_keys, &sql,
             arena_printf(planner->arena, "the foreign key of %.*s.%.*s is missing", STR_ARGS(relation->source->name),
                          STR_ARGS(relation->field->name)));
  return CODE_OK;
}

/* `table` NULL: about to be made. */
static Code foreign_key_plan(Planner *planner, const Relation *relation, const PgTable *table) {
  for (size_t i = 0; table != NULL && i < table->foreign_keys.count; i++) {
    const PgForeignKey *key = &table->foreign_keys.items[i];
    if (!foreign_key_is(planner, key, relation)) continue;
    if (foreign_key_action(key) != relation->on_delete)
      differ(planner, "the foreign key of %.*s.%.*s does something else when its target is deleted", STR_ARGS(relation->source->name),
             STR_ARGS(relation->field->name));
    return CODE_OK;
  }
  return foreign_key_add(planner, relation);
}

static bool resource_has_relation(const Planner *planner, const Resource *resource, const PgForeignKey *key) {
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE && foreign_key_is(planner, key, field->relation)) return true;
  }
  return false;
}

static Code foreign_keys_plan(Planner *planner, const Resource *resource, const PgTable *table) {
  for (size_t i = 0; i < resource->field_count; i++) {
    if (resource->fields[i]->kind == FIELD_TO_ONE) TRY(foreign_key_plan(planner, resource->fields[i]->relation, table));
  }
  for (size_t i = 0; table != NULL && i < table->foreign_keys.count; i++) {
    const PgForeignKey *key = &table->foreign_keys.items[i];
    if (resource_has_relation(planner, resource, key)) continue;
    differ(planner, "table %.*s has a foreign key to %.*s that is not in the contract", STR_ARGS(resource->table), STR_ARGS(key->target));
  }
  return CODE_OK;
}

/* ---- indexes ---- */

static bool index_is(const PgIndex *index, const DdlIndex *wanted) {
  if (index->is_unique != wanted->is_unique || index->is_partial || index->is_primary || !index->is_valid ||
      index->columns.count != wanted->count)
    return false;
  for (size_t i = 0; i < wanted->count; i++) {
    const PgIndexColumn *column = &index->columns.items[i];
    if (column->name.ptr == NULL || !str_equal(column->name, wanted->fields[i].field->column)) return false;
    if (column->is_descending != wanted->fields[i].is_descending) return false;
  }
  return true;
}

static bool name_is_taken(const Planner *planner, Str name) {
  for (size_t i = 0; i < planner->index_names.count; i++) {
    if (str_equal(planner->index_names.items[i], name)) return true;
  }
  return postgres_schema_table(planner->schema, name) != NULL;
}

static Code index_name(Planner *planner, const DdlIndex *wanted, Str *ret) {
  Error *err = planner->err;
  for (size_t number = 1;; number++) {
    Str name = postgres_ddl_index_name(wanted, number, planner->arena);
    TRY_ALLOC(name.ptr);
    if (name_is_taken(planner, name)) continue;
    if (!VEC_PUSH(planner->arena, &planner->index_names, name)) return error_no_memory(err);
    *ret = name;
    return CODE_OK;
  }
}

static Code index_add(Planner *planner, const DdlIndex *wanted) {
  Buf sql = buf_on(planner->arena, SQL_BYTES_MAX);
  Str name = {NULL, 0};
  TRY(index_name(planner, wanted, &name));
  postgres_ddl_write_index(&sql, wanted, name);
  CHANGE_ADD(planner, &planner->indexes, &sql, arena_printf(planner->arena, "index %.*s is missing", STR_ARGS(name)));
  return CODE_OK;
}

static bool table_has_index(const PgTable *table, const DdlIndex *wanted) {
  for (size_t i = 0; table != NULL && i < table->indexes.count; i++) {
    if (index_is(&table->indexes.items[i], wanted)) return true;
  }
  return false;
}

/* Of the database's own indexes only the unique ones matter: they refuse what the contract allows. */
static void indexes_check_extra(Planner *planner, const PgTable *table, const DdlIndex *wanted, size_t wanted_count) {
  for (size_t i = 0; i < table->indexes.count; i++) {
    const PgIndex *index = &table->indexes.items[i];
    bool is_wanted = !index->is_unique || index->is_primary;
    for (size_t k = 0; k < wanted_count; k++) is_wanted = is_wanted || index_is(index, &wanted[k]);
    if (!is_wanted) differ(planner, "the unique index %.*s is not in the contract", STR_ARGS(index->name));
  }
}

/* An index of an older contract is left: it refuses nothing, and migrations take it away. */
static Code search_plan(Planner *planner, const Resource *resource, const PgTable *table) {
  Error *err = planner->err;
  if (!postgres_search_has_index(resource)) return CODE_OK;
  Str name = postgres_ddl_search_name(resource, planner->arena);
  TRY_ALLOC(name.ptr);
  for (size_t i = 0; table != NULL && i < table->indexes.count; i++) {
    if (table->indexes.items[i].is_valid && str_equal(table->indexes.items[i].name, name)) return CODE_OK;
  }
  Buf sql = buf_on(planner->arena, SQL_BYTES_MAX);
  buf_add(&sql, STR("CREATE INDEX "));
  sql_write_identifier(&sql, name);
  buf_add(&sql, STR(" ON "));
  sql_write_table(&sql, resource);
  buf_add_byte(&sql, ' ');
  postgres_ddl_write_search(&sql, resource);
  CHANGE_ADD(planner, &planner->indexes, &sql, arena_printf(planner->arena, "index %.*s is missing", STR_ARGS(name)));
  return CODE_OK;
}

static Code indexes_plan(Planner *planner, const Resource *resource, const PgTable *table) {
  Error *err = planner->err;
  size_t count = 0;
  const DdlIndex *wanted = ddl_indexes(resource, planner->arena, &count);
  TRY_ALLOC(wanted);
  for (size_t i = 0; i < count; i++) {
    if (!table_has_index(table, &wanted[i])) TRY(index_add(planner, &wanted[i]));
  }
  if (table != NULL) indexes_check_extra(planner, table, wanted, count);
  return search_plan(planner, resource, table);
}

/* ---- tables ---- */

static Code table_plan(Planner *planner, const Resource *resource) {
  const PgTable *table = postgres_schema_table(planner->schema, resource->table);
  if (!types_are_plain(planner, resource)) return CODE_OK;
  if (table != NULL) {
    TRY(columns_plan(planner, resource, table));
  } else {
    Buf sql = buf_on(planner->arena, SQL_BYTES_MAX);
    postgres_ddl_write_table(&sql, resource);
    CHANGE_ADD(planner, &planner->plan->changes, &sql, arena_printf(planner->arena, "table %.*s is missing", STR_ARGS(resource->table)));
  }
  TRY(foreign_keys_plan(planner, resource, table));
  return indexes_plan(planner, resource, table);
}

static bool contract_has_table(const Planner *planner, const PgTable *table) {
  for (size_t i = 0; i < planner->contract->resource_count; i++) {
    if (postgres_schema_table(planner->schema, planner->contract->resources[i]->table) == table) return true;
  }
  return false;
}

static Code tables_plan(Planner *planner) {
  for (size_t i = 0; i < planner->contract->resource_count; i++) TRY(table_plan(planner, planner->contract->resources[i]));
  for (size_t i = 0; i < planner->schema->tables.count; i++) {
    const PgTable *table = &planner->schema->tables.items[i];
    /* Our own bookkeeping begins so. */
    if (contract_has_table(planner, table) || str_starts_with(table->name, STR("caisson_"))) continue;
    if (str_equal(table->schema, planner->schema->current)) differ(planner, "table %.*s is not in the contract", STR_ARGS(table->name));
  }
  return CODE_OK;
}

/* Of a database that others made: everything that the contract reads must be there; how it is declared is their affair. */
static void tables_verify(Planner *planner) {
  for (size_t i = 0; i < planner->contract->resource_count; i++) {
    const Resource *resource = planner->contract->resources[i];
    const PgTable *table = postgres_schema_table(planner->schema, resource->table);
    if (table == NULL)
      differ(planner, "table %.*s is missing, and this database was not made by Caisson: its schema is not changed",
             STR_ARGS(resource->table));
    for (size_t k = 0; table != NULL && k < resource->stored_count; k++) {
      Str column = resource->stored[k]->column;
      if (postgres_table_column(table, column) != NULL) continue;
      differ(planner, "column %.*s.%.*s is missing, and this database was not made by Caisson: its schema is not changed",
             STR_ARGS(resource->table), STR_ARGS(column));
    }
  }
}

/* Between the phases of a migration: what the contract reads and writes must be there, and as it says; what else is there, the other
 * contract wants. */
static void tables_verify_expanded(Planner *planner) {
  for (size_t i = 0; i < planner->contract->resource_count; i++) {
    const Resource *resource = planner->contract->resources[i];
    const PgTable *table = postgres_schema_table(planner->schema, resource->table);
    if (table == NULL) differ(planner, "table %.*s is missing in the expanded database", STR_ARGS(resource->table));
    for (size_t k = 0; table != NULL && k < resource->stored_count; k++) {
      const Field *field = resource->stored[k];
      const PgColumn *column = postgres_table_column(table, field->column);
      if (column == NULL)
        differ(planner, "column %.*s.%.*s is missing in the expanded database", STR_ARGS(resource->table), STR_ARGS(field->column));
      else if (!postgres_types_equal(postgres_ddl_type(field), column->type))
        differ(planner, "column %.*s.%.*s is of the type %.*s in the expanded database", STR_ARGS(resource->table), STR_ARGS(field->column),
               STR_ARGS(column->type));
    }
  }
}

static Code index_names_collect(Planner *planner) {
  for (size_t i = 0; i < planner->schema->tables.count; i++) {
    const PgTable *table = &planner->schema->tables.items[i];
    for (size_t k = 0; k < table->indexes.count; k++) {
      if (!VEC_PUSH(planner->arena, &planner->index_names, table->indexes.items[k].name)) return error_no_memory(planner->err);
    }
  }
  return CODE_OK;
}

Code postgres_plan_make(const PostgresSchema *schema, const Contract *contract, Arena *arena, PostgresPlan *ret, Error *err) {
  *ret = (PostgresPlan){.differences = buf_on(arena, DIFFERENCES_BYTES_MAX)};
  Planner planner = {.schema = schema, .contract = contract, .arena = arena, .plan = ret, .err = err};
  if (!schema->is_ours) {
    tables_verify(&planner);
    return CODE_OK;
  }
  if (schema->is_expanded) {
    tables_verify_expanded(&planner);
    return CODE_OK;
  }
  TRY(index_names_collect(&planner));
  TRY(tables_plan(&planner));
  for (size_t i = 0; i < planner.foreign_keys.count; i++) {
    if (!VEC_PUSH(arena, &ret->changes, planner.foreign_keys.items[i])) return error_no_memory(err);
  }
  for (size_t i = 0; i < planner.indexes.count; i++) {
    if (!VEC_PUSH(arena, &ret->changes, planner.indexes.items[i])) return error_no_memory(err);
  }
  return CODE_OK;
}
