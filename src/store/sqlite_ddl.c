/* sqlite_ddl.c - CREATE TABLE and CREATE INDEX from a contract. Names are quoted; the only values are defaults, as literals of our own
 * making. */
#include "store/sqlite_ddl.h"

#include <assert.h>

#include "sql/dialect_impl.h"
#include "sql/select.h"
#include "store/ddl_default.h"

/* ---- columns ---- */

Str ddl_column_type(const Field *field) {
  /* SQLite looks for INT first, then CHAR, CLOB or TEXT, then BLOB, then REAL: no name may hold an earlier one by accident. */
  static const Str types[TYPE_COUNT] = {
      [TYPE_ID] = STR_INIT("ID_TEXT"),       [TYPE_STRING] = STR_INIT("TEXT"),
      [TYPE_INT] = STR_INIT("INTEGER"),      [TYPE_BIGINT] = STR_INIT("BIGINT"),
      [TYPE_FLOAT] = STR_INIT("REAL"),       [TYPE_DECIMAL] = STR_INIT("DECIMAL_TEXT"),
      [TYPE_BOOLEAN] = STR_INIT("BOOLEAN"),  [TYPE_DATETIME] = STR_INIT("DATETIME_TEXT"),
      [TYPE_DATE] = STR_INIT("DATE_TEXT"),   [TYPE_UUID] = STR_INIT("UUID_TEXT"),
      [TYPE_JSON] = STR_INIT("JSON_TEXT"),   [TYPE_BYTES] = STR_INIT("BLOB"),
      [TYPE_EMAIL] = STR_INIT("EMAIL_TEXT"), [TYPE_URL] = STR_INIT("URL_TEXT"),
      [TYPE_ENUM] = STR_INIT("ENUM_TEXT"),   [TYPE_EMBEDDED] = STR_INIT("JSON_TEXT"),
  };
  /* PostgreSQL's arrays are no types here: such a list is JSON, as lists are. */
  if (field->column_type.len > 0 && !str_ends_with(field->column_type, STR("[]"))) return field->column_type;
  /* SQLite numbers an INTEGER key alone. */
  bool is_numbered = field->is_key && field->default_kind == DEFAULT_DATABASE && field->resource->key_count == 1;
  if (is_numbered && field->type == TYPE_BIGINT && !field->is_list) return types[TYPE_INT];
  return field->is_list ? STR("JSON_TEXT") : types[field->type];
}

static bool is_native_decimal(const Field *field) { return field->type == TYPE_DECIMAL && !field->is_list && field->column_type.len == 0; }

static const DdlLiterals literals = {.yes = STR_INIT("1"), .no = STR_INIT("0")};

bool ddl_write_default(Buf *out, const Field *field) {
  if (field->default_kind != DEFAULT_VALUE) return false;
  bool is_json = field->is_list || field->type == TYPE_EMBEDDED || field->type == TYPE_JSON;
  return is_json ? ddl_default_write_json(out, &field->default_value)
                 : ddl_default_write_scalar(out, &literals, field, &field->default_value);
}

static void write_column(Buf *out, const Field *field) {
  sql_write_identifier(out, field->column);
  buf_add_byte(out, ' ');
  buf_add(out, ddl_column_type(field));
  /* A key's parts may be null in SQLite where nothing is said. */
  if (field->is_required || field->is_key) buf_add(out, STR(" NOT NULL"));
  if (is_native_decimal(field)) buf_add(out, STR(" COLLATE decimal"));
  size_t before = out->len;
  buf_add(out, STR(" DEFAULT "));
  if (!ddl_write_default(out, field)) out->len = before;
}

/* ---- keys ---- */

static void write_names(Buf *out, const Field *const *fields, size_t count) {
  buf_add_byte(out, '(');
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    sql_write_identifier(out, fields[i]->column);
  }
  buf_add_byte(out, ')');
}

static void write_reference(Buf *out, const Relation *relation) {
  static const Str actions[] = {
      /* Not RESTRICT, which refuses at once even what a cascade of the same statement would set right. */
      [ON_DELETE_RESTRICT] = STR_INIT(""),
      [ON_DELETE_CASCADE] = STR_INIT(" ON DELETE CASCADE"),
      [ON_DELETE_SET_NULL] = STR_INIT(" ON DELETE SET NULL"),
  };
  buf_add(out, STR(" REFERENCES "));
  sql_write_identifier(out, relation->target->table);
  buf_add_byte(out, ' ');
  write_names(out, relation->target->keys, relation->target->key_count);
  buf_add(out, actions[relation->on_delete]);
  if (relation->is_deferred) buf_add(out, STR(" DEFERRABLE INITIALLY DEFERRED"));
}

static void write_foreign_key(Buf *out, const Relation *relation) {
  buf_add(out, STR(",\n  FOREIGN KEY "));
  write_names(out, relation->keys, relation->key_count);
  write_reference(out, relation);
}

/* A single Int key is the row's own number in SQLite; any other key makes the table's own order (README.md has the measurement). */
static bool has_integer_key(const Resource *resource) {
  return resource->key_count == 1 && str_equal_ignore_case(ddl_column_type(resource->keys[0]), STR("INTEGER"));
}

void ddl_write_table_body(Buf *out, const Resource *resource) {
  buf_add(out, STR("(\n  "));
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (i > 0) buf_add(out, STR(",\n  "));
    write_column(out, resource->stored[i]);
  }
  if (resource->key_count > 0) {
    buf_add(out, STR(",\n  PRIMARY KEY "));
    write_names(out, resource->keys, resource->key_count);
  }
  for (size_t i = 0; i < resource->field_count; i++) {
    if (resource->fields[i]->kind == FIELD_TO_ONE) write_foreign_key(out, resource->fields[i]->relation);
  }
  buf_add(out, resource->key_count > 0 && !has_integer_key(resource) ? STR("\n) WITHOUT ROWID") : STR("\n)"));
}

void ddl_write_added_column(Buf *out, const Field *field) {
  write_column(out, field);
  if (field->is_relation_key && field->relation->key_count == 1) write_reference(out, field->relation);
}
