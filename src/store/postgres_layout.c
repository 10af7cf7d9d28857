/* postgres_layout.c - see postgres_layout.h. */
#include "store/postgres_layout.h"

#include <ctype.h>

#include "sql/postgres_search.h"
#include "sql/postgres_types.h"
#include "sql/select.h"
#include "store/layout_contract.h"
#include "store/postgres_ddl.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024, TYPE_BYTES_MAX = 96 };

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

/* ---- of a contract ---- */

/* PostgreSQL would cut it, and the next start would not find what this one made. */
static Code name_check(const char *what, const Resource *resource, Str name, const char *how, Error *err) {
  if (name.len <= POSTGRES_NAME_BYTES_MAX) return CODE_OK;
  return error_set(err, CODE_CONFLICT, "PostgreSQL keeps %d bytes of a name: %s gives another to %.*s's %s %.*s", POSTGRES_NAME_BYTES_MAX,
                   how, STR_ARGS(resource->name), what, STR_ARGS(name));
}

static Code column_name_check(const Resource *resource, const Field *field, Error *err) {
  return name_check("column", resource, field->column, field->is_relation_key ? "@relation(columns:)" : "@column(name:)", err);
}

static Code table_name_check(const Resource *resource, Error *err) {
  size_t dot = str_find_byte(resource->table, '.', 0);
  if (dot == resource->table.len) return name_check("table", resource, resource->table, "@resource(table:)", err);
  TRY(name_check("schema", resource, str_slice(resource->table, 0, dot), "@resource(table:)", err));
  return name_check("table", resource, str_slice(resource->table, dot + 1, resource->table.len), "@resource(table:)", err);
}

static Code column_make(LayoutMaking *making, const Field *field, LayoutTable *table) {
  Error *err = making->err;
  Buf declaration = buf_on(making->arena, TEXT_BYTES_MAX), fallback = buf_on(making->arena, TEXT_BYTES_MAX);
  Str unused;
  LayoutColumn column = {.name = field->column,
                         .type = postgres_ddl_type(field),
                         .is_not_null = field->is_required || field->is_key,
                         .kind = field->type,
                         .is_list = field->is_list,
                         .field = field};
  TRY(column_name_check(table->resource, field, err));
  TRY(layout_type_check(table, field, postgres_given_type(field), "_ (),.[]\"", err));
  postgres_ddl_write_column(&declaration, field);
  TRY(buf_finish(&declaration, &column.declaration, err));
  bool has_default = postgres_ddl_write_default(&fallback, field);
  TRY(buf_finish(&fallback, has_default ? &column.default_text : &unused, err));
  if (postgres_ddl_has_enum_check(field)) {
    if (!layout_column_take_values(&column, making->arena)) return error_no_memory(err);
    column.check_name = postgres_ddl_check_name(field, making->arena);
    TRY_ALLOC(column.check_name.ptr);
  }
  return VEC_PUSH(making->arena, &table->columns, column) ? CODE_OK : error_no_memory(err);
}

static Code search_index_add(LayoutMaking *making, LayoutTable *table) {
  Error *err = making->err;
  if (!postgres_search_has_index(table->resource)) return CODE_OK;
  LayoutIndex search = {.name = postgres_ddl_search_name(table->resource, making->arena)};
  Buf definition = buf_on(making->arena, TEXT_BYTES_MAX);
  TRY_ALLOC(search.name.ptr);
  postgres_ddl_write_search(&definition, table->resource);
  TRY(buf_finish(&definition, &search.definition, err));
  return VEC_PUSH(making->arena, &table->indexes, search) ? CODE_OK : error_no_memory(err);
}

static Code foreign_key_make(LayoutMaking *making, const Relation *relation, LayoutTable *table) {
  Error *err = making->err;
  Buf sql = buf_on(making->arena, TEXT_BYTES_MAX);
  LayoutForeignKey key;
  TRY(layout_foreign_key_of(making, relation, &key));
  key.name = postgres_ddl_foreign_key_name(relation, making->arena);
  TRY_ALLOC(key.name.ptr);
  postgres_ddl_write_foreign_key(&sql, relation, making->arena);
  TRY(buf_finish(&sql, &key.add_sql, err));
  return VEC_PUSH(making->arena, &table->foreign_keys, key) ? CODE_OK : error_no_memory(err);
}

static Code table_make(LayoutMaking *making, const Resource *resource, Layout *layout) {
  Error *err = making->err;
  Buf body = buf_on(making->arena, TEXT_BYTES_MAX), name = buf_on(making->arena, TEXT_BYTES_MAX);
  LayoutTable table = {.name = resource->table, .resource = resource};
  TRY(table_name_check(resource, err));
  sql_write_table(&name, resource);
  TRY(buf_finish(&name, &table.quoted, err));
  postgres_ddl_write_table_body(&body, resource);
  TRY(buf_finish(&body, &table.body, err));
  for (size_t i = 0; i < resource->stored_count; i++) TRY(column_make(making, resource->stored[i], &table));
  TRY(layout_keys_add(making, &table));
  for (size_t i = 0; i < resource->field_count; i++) {
    if (resource->fields[i]->kind == FIELD_TO_ONE) TRY(foreign_key_make(making, resource->fields[i]->relation, &table));
  }
  TRY(layout_indexes_add(making, &table));
  TRY(search_index_add(making, &table));
  return VEC_PUSH(making->arena, &layout->tables, table) ? CODE_OK : error_no_memory(err);
}

Code postgres_schemas_of(const Contract *contract, Arena *arena, Str *ret, Error *err) {
  Buf out = buf_on(arena, TEXT_BYTES_MAX);
  for (size_t i = 0; i < contract->resource_count; i++) {
    Str table = contract->resources[i]->table;
    size_t dot = str_find_byte(table, '.', 0);
    if (dot == table.len) continue;
    if (out.len > 0) buf_add_byte(&out, ',');
    buf_add(&out, str_slice(table, 0, dot));
  }
  return buf_finish(&out, ret, err);
}

Code postgres_layout_of_contract(const Contract *contract, Arena *arena, Layout *ret, Error *err) {
  LayoutMaking making = {.arena = arena, .index_name = postgres_ddl_index_name, .names_equal = str_equal, .err = err};
  Layout layout = {0};
  for (size_t i = 0; i < contract->resource_count; i++) TRY(table_make(&making, contract->resources[i], &layout));
  *ret = layout;
  return CODE_OK;
}

/* ---- of a database ---- */

static FieldType kind_of(Str type) {
  switch (postgres_kind_of(type)) {
    case POSTGRES_TEXT: return TYPE_STRING;
    case POSTGRES_UUID: return TYPE_UUID;
    case POSTGRES_INTEGER: return postgres_types_equal(type, STR("bigint")) ? TYPE_BIGINT : TYPE_INT;
    case POSTGRES_NUMERIC: return TYPE_DECIMAL;
    case POSTGRES_REAL:
    case POSTGRES_DOUBLE: return TYPE_FLOAT;
    case POSTGRES_BOOLEAN: return TYPE_BOOLEAN;
    case POSTGRES_TIMESTAMPTZ: return TYPE_DATETIME;
    case POSTGRES_DATE: return TYPE_DATE;
    case POSTGRES_JSON:
    case POSTGRES_JSONB: return TYPE_JSON;
    case POSTGRES_BYTEA: return TYPE_BYTES;
    default: return TYPE_COUNT;
  }
}

/* The texts in CHECK ((status = ANY (ARRAY['OPEN'::text, 'DONE'::text]))), with quotes in them undoubled. */
static Code values_read(Str definition, Arena *arena, LayoutColumn *column, Error *err) {
  VEC(Str) values = {0};
  size_t at = str_find_byte(definition, '\'', 0);
  while (at < definition.len) {
    Buf text = buf_on(arena, TEXT_BYTES_MAX);
    Str value;
    for (at++; at < definition.len; at++) {
      if (definition.ptr[at] == '\'') {
        if (at + 1 >= definition.len || definition.ptr[at + 1] != '\'') break;
        at++;
      }
      buf_add_byte(&text, definition.ptr[at]);
    }
    TRY(buf_finish(&text, &value, err));
    if (!VEC_PUSH(arena, &values, value)) return error_no_memory(err);
    at = str_find_byte(definition, '\'', at + 1);
  }
  column->values = values.items;
  column->value_count = values.count;
  return CODE_OK;
}

/* An enum's check names its column first, and compares it with texts alone. */
static bool check_is_of(const PgCheck *check, const LayoutColumn *column, Arena *arena) {
  Str plain = arena_printf(arena, "CHECK ((%.*s = ", STR_ARGS(column->name));
  Str quoted = arena_printf(arena, "CHECK ((\"%.*s\" = ", STR_ARGS(column->name));
  return (plain.ptr != NULL && str_starts_with(check->definition, plain)) ||
         (quoted.ptr != NULL && str_starts_with(check->definition, quoted));
}

static Code columns_read(const PgTable *from, Arena *arena, LayoutTable *table, Error *err) {
  for (size_t i = 0; i < from->columns.count; i++) {
    const PgColumn *column = &from->columns.items[i];
    LayoutColumn read = {.name = column->name, .type = column->type, .is_not_null = column->is_not_null, .kind = kind_of(column->type)};
    for (size_t k = 0; k < from->checks.count; k++) {
      if (!check_is_of(&from->checks.items[k], &read, arena)) continue;
      read.check_name = from->checks.items[k].name;
      TRY(values_read(from->checks.items[k].definition, arena, &read, err));
      break;
    }
    if (!VEC_PUSH(arena, &table->columns, read)) return error_no_memory(err);
  }
  for (uint32_t order = 1; order <= from->columns.count; order++) {
    for (size_t i = 0; i < from->columns.count; i++) {
      if (from->columns.items[i].key_order != order) continue;
      if (!VEC_PUSH(arena, &table->keys, from->columns.items[i].name)) return error_no_memory(err);
    }
  }
  return CODE_OK;
}

static Code indexes_read(const PgTable *from, Arena *arena, LayoutTable *table, Error *err) {
  for (size_t i = 0; i < from->indexes.count; i++) {
    const PgIndex *index = &from->indexes.items[i];
    bool is_kept = !index->is_primary && !index->is_partial && index->is_valid &&
                   (index->is_unique || postgres_ddl_index_is_ours(from->name, index->name));
    LayoutIndex read = {.name = index->name, .is_unique = index->is_unique};
    bool is_search = is_kept && !index->is_unique && index->columns.count == 1 && index->columns.items[0].name.ptr == NULL;
    if (is_search) read.definition = STR("an expression");
    for (size_t k = 0; is_kept && !is_search && k < index->columns.count; k++) {
      LayoutIndexColumn column = {index->columns.items[k].name, index->columns.items[k].is_descending};
      is_kept = column.name.ptr != NULL;
      if (!VEC_PUSH(arena, &read.columns, column)) return error_no_memory(err);
    }
    if (is_kept && !VEC_PUSH(arena, &table->indexes, read)) return error_no_memory(err);
  }
  return CODE_OK;
}

static Str name_in(const PostgresSchema *schema, Str in, Str name, Arena *arena) {
  return str_equal(in, schema->current) ? name : arena_printf(arena, "%.*s.%.*s", STR_ARGS(in), STR_ARGS(name));
}

static Code foreign_keys_read(const PostgresSchema *schema, const PgTable *from, Arena *arena, LayoutTable *table, Error *err) {
  for (size_t i = 0; i < from->foreign_keys.count; i++) {
    const PgForeignKey *key = &from->foreign_keys.items[i];
    LayoutForeignKey read = {.name = key->name,
                             .target = name_in(schema, key->target_schema, key->target, arena),
                             .on_delete = key->on_delete == 'c'   ? ON_DELETE_CASCADE
                                          : key->on_delete == 'n' ? ON_DELETE_SET_NULL
                                                                  : ON_DELETE_RESTRICT,
                             .is_deferred = key->is_deferred,
                             .label = arena_printf(arena, "%.*s to %.*s", STR_ARGS(table->name), STR_ARGS(key->target))};
    TRY_ALLOC(read.label.ptr);
    TRY_ALLOC(read.target.ptr);
    for (size_t k = 0; k < key->columns.count; k++) {
      if (!VEC_PUSH(arena, &read.columns, key->columns.items[k])) return error_no_memory(err);
    }
    if (!VEC_PUSH(arena, &table->foreign_keys, read)) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code table_read(const PostgresSchema *schema, const PgTable *from, Arena *arena, Layout *layout, Error *err) {
  bool is_current = str_equal(from->schema, schema->current);
  Buf quoted = buf_on(arena, TEXT_BYTES_MAX);
  LayoutTable table = {.name = name_in(schema, from->schema, from->name, arena), .is_elsewhere = !is_current};
  TRY_ALLOC(table.name.ptr);
  if (!is_current) {
    sql_write_identifier(&quoted, from->schema);
    buf_add_byte(&quoted, '.');
  }
  sql_write_identifier(&quoted, from->name);
  TRY(buf_finish(&quoted, &table.quoted, err));
  TRY(columns_read(from, arena, &table, err));
  TRY(indexes_read(from, arena, &table, err));
  TRY(foreign_keys_read(schema, from, arena, &table, err));
  bool is_table = from->kind == 'r' || from->kind == 'p';
  bool is_kept = is_table ? VEC_PUSH(arena, &layout->tables, table) : VEC_PUSH(arena, &layout->views, table);
  return is_kept ? CODE_OK : error_no_memory(err);
}

Code postgres_layout_of_schema(const PostgresSchema *schema, Arena *arena, Layout *ret, Error *err) {
  Layout layout = {.is_expanded = schema->is_expanded};
  for (size_t i = 0; i < schema->tables.count; i++) {
    const PgTable *table = &schema->tables.items[i];
    if (str_starts_with(table->name, STR("caisson_"))) continue;
    TRY(table_read(schema, table, arena, &layout, err));
  }
  *ret = layout;
  return CODE_OK;
}
