/* sqlite_layout.c - see sqlite_layout.h. */
#include "store/sqlite_layout.h"

#include "sql/select.h"
#include "store/layout_contract.h"
#include "store/sqlite_ddl.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024 };

static Str quoted(Str name, Arena *arena) {
  Buf out = buf_on(arena, TEXT_BYTES_MAX);
  sql_write_identifier(&out, name);
  return out.failed == CODE_OK ? buf_str(&out) : (Str){NULL, 0};
}

/* ---- types ---- */

static Str type_base(Str type) { return str_trim(str_slice(type, 0, str_find_byte(type, '(', 0))); }

bool sqlite_types_equal(Str a, Str b) { return str_equal_ignore_case(type_base(a), type_base(b)); }

/* ---- of a contract ---- */

static Str index_name(const DdlIndex *index, size_t number, Arena *arena) {
  Buf text = buf_on(arena, TEXT_BYTES_MAX);
  ddl_write_index_name(&text, index, number);
  return text.failed == CODE_OK ? buf_str(&text) : (Str){NULL, 0};
}

static Code column_make(LayoutMaking *making, const Field *field, LayoutTable *table) {
  Error *err = making->err;
  Buf declaration = buf_on(making->arena, TEXT_BYTES_MAX), fallback = buf_on(making->arena, TEXT_BYTES_MAX);
  Str unused;
  LayoutColumn column = {.name = field->column,
                         .type = ddl_column_type(field),
                         .is_not_null = field->is_required || field->is_key,
                         .kind = field->type,
                         .is_list = field->is_list,
                         .field = field};
  TRY(layout_type_check(table, field, column.type, "_ (),", err));
  ddl_write_added_column(&declaration, field);
  TRY(buf_finish(&declaration, &column.declaration, err));
  bool has_default = ddl_write_default(&fallback, field);
  TRY(buf_finish(&fallback, has_default ? &column.default_text : &unused, err));
  if (field->type == TYPE_ENUM && !field->is_list && !layout_column_take_values(&column, making->arena)) return error_no_memory(err);
  return VEC_PUSH(making->arena, &table->columns, column) ? CODE_OK : error_no_memory(err);
}

static Code table_make(LayoutMaking *making, const Resource *resource, Layout *layout) {
  Error *err = making->err;
  Buf body = buf_on(making->arena, TEXT_BYTES_MAX);
  LayoutTable table = {.name = resource->table, .quoted = quoted(resource->table, making->arena), .resource = resource};
  TRY_ALLOC(table.quoted.ptr);
  size_t dot = str_find_byte(resource->table, '.', 0);
  if (dot < resource->table.len)
    return error_set(err, CODE_CONFLICT, "table %.*s: SQLite has no schemas: give it a name without a dot, @resource(table: \"%.*s\")",
                     STR_ARGS(resource->table), STR_ARGS(str_slice(resource->table, dot + 1, resource->table.len)));
  ddl_write_table_body(&body, resource);
  TRY(buf_finish(&body, &table.body, err));
  for (size_t i = 0; i < resource->stored_count; i++) TRY(column_make(making, resource->stored[i], &table));
  TRY(layout_keys_add(making, &table));
  for (size_t i = 0; i < resource->field_count; i++) {
    LayoutForeignKey key;
    if (resource->fields[i]->kind != FIELD_TO_ONE) continue;
    TRY(layout_foreign_key_of(making, resource->fields[i]->relation, &key));
    if (!VEC_PUSH(making->arena, &table.foreign_keys, key)) return error_no_memory(err);
  }
  TRY(layout_indexes_add(making, &table));
  return VEC_PUSH(making->arena, &layout->tables, table) ? CODE_OK : error_no_memory(err);
}

Code sqlite_layout_of_contract(const Contract *contract, Arena *arena, Layout *ret, Error *err) {
  LayoutMaking making = {.arena = arena, .index_name = index_name, .names_equal = str_equal_ignore_case, .err = err};
  Layout layout = {0};
  for (size_t i = 0; i < contract->resource_count; i++) TRY(table_make(&making, contract->resources[i], &layout));
  *ret = layout;
  return CODE_OK;
}

/* ---- of a database ---- */

/* Each of our types has a name of its own but the two that are kept as JSON. */
static FieldType kind_of(Str type) {
  static const struct {
    Str name;
    FieldType kind;
  } kinds[] = {{STR_INIT("ID_TEXT"), TYPE_ID},      {STR_INIT("TEXT"), TYPE_STRING},
               {STR_INIT("INTEGER"), TYPE_INT},     {STR_INIT("BIGINT"), TYPE_BIGINT},
               {STR_INIT("REAL"), TYPE_FLOAT},      {STR_INIT("DECIMAL_TEXT"), TYPE_DECIMAL},
               {STR_INIT("BOOLEAN"), TYPE_BOOLEAN}, {STR_INIT("DATETIME_TEXT"), TYPE_DATETIME},
               {STR_INIT("DATE_TEXT"), TYPE_DATE},  {STR_INIT("UUID_TEXT"), TYPE_UUID},
               {STR_INIT("BLOB"), TYPE_BYTES},      {STR_INIT("EMAIL_TEXT"), TYPE_EMAIL},
               {STR_INIT("URL_TEXT"), TYPE_URL},    {STR_INIT("ENUM_TEXT"), TYPE_ENUM},
               {STR_INIT("JSON_TEXT"), TYPE_JSON}};
  Str base = type_base(type);
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (str_equal_ignore_case(kinds[i].name, base)) return kinds[i].kind;
  }
  return TYPE_COUNT;
}

static Code keys_read(const SchemaTable *from, Arena *arena, LayoutTable *table, Error *err) {
  for (int64_t order = 1; order <= (int64_t)from->columns.count; order++) {
    for (size_t i = 0; i < from->columns.count; i++) {
      if (from->columns.items[i].key_order != order) continue;
      if (!VEC_PUSH(arena, &table->keys, from->columns.items[i].name)) return error_no_memory(err);
    }
  }
  return CODE_OK;
}

/* Partial indexes and those over expressions are an operator's. */
static bool index_read(const SchemaIndex *from, Arena *arena, LayoutTable *table, bool *ret_is_kept) {
  LayoutIndex index = {.name = from->name, .is_unique = from->is_unique};
  *ret_is_kept = !from->is_primary_key && !from->is_partial && (from->is_unique || layout_index_is_ours(table->name, from->name));
  for (size_t i = 0; *ret_is_kept && i < from->columns.count; i++) {
    LayoutIndexColumn column = {from->columns.items[i].name, from->columns.items[i].is_descending};
    if (column.name.ptr == NULL) *ret_is_kept = false;
    if (!VEC_PUSH(arena, &index.columns, column)) return false;
  }
  return !*ret_is_kept || VEC_PUSH(arena, &table->indexes, index);
}

static Code foreign_key_read(const SchemaForeignKey *from, Arena *arena, LayoutTable *table, Error *err) {
  LayoutForeignKey key = {.target = from->target,
                          .on_delete = str_equal(from->on_delete, STR("CASCADE"))    ? ON_DELETE_CASCADE
                                       : str_equal(from->on_delete, STR("SET NULL")) ? ON_DELETE_SET_NULL
                                                                                     : ON_DELETE_RESTRICT,
                          .label = arena_printf(arena, "%.*s to %.*s", STR_ARGS(table->name), STR_ARGS(from->target))};
  TRY_ALLOC(key.label.ptr);
  for (size_t i = 0; i < from->columns.count; i++) {
    if (!VEC_PUSH(arena, &key.columns, from->columns.items[i])) return error_no_memory(err);
  }
  return VEC_PUSH(arena, &table->foreign_keys, key) ? CODE_OK : error_no_memory(err);
}

/* A view is a table that has nothing but columns. */
static Code table_read(const SchemaTable *from, Arena *arena, Layout *layout, Error *err) {
  LayoutTable table = {.name = from->name, .quoted = quoted(from->name, arena)};
  TRY_ALLOC(table.quoted.ptr);
  for (size_t i = 0; i < from->columns.count; i++) {
    const SchemaColumn *column = &from->columns.items[i];
    LayoutColumn read = {.name = column->name, .type = column->type, .is_not_null = column->is_not_null, .kind = kind_of(column->type)};
    if (!VEC_PUSH(arena, &table.columns, read)) return error_no_memory(err);
  }
  TRY(keys_read(from, arena, &table, err));
  for (size_t i = 0; i < from->indexes.count; i++) {
    bool is_kept = false;
    if (!index_read(&from->indexes.items[i], arena, &table, &is_kept)) return error_no_memory(err);
  }
  for (size_t i = 0; i < from->foreign_keys.count; i++) TRY(foreign_key_read(&from->foreign_keys.items[i], arena, &table, err));
  bool is_kept = from->is_view ? VEC_PUSH(arena, &layout->views, table) : VEC_PUSH(arena, &layout->tables, table);
  return is_kept ? CODE_OK : error_no_memory(err);
}

Code sqlite_layout_of_schema(const SqliteSchema *schema, Arena *arena, Layout *ret, Error *err) {
  Layout layout = {0};
  for (size_t i = 0; i < schema->tables.count; i++) {
    const SchemaTable *table = &schema->tables.items[i];
    if (str_starts_with(table->name, STR("caisson_"))) continue;
    TRY(table_read(table, arena, &layout, err));
  }
  *ret = layout;
  return CODE_OK;
}
