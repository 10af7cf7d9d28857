/* sqlite_ddl.c - CREATE TABLE and CREATE INDEX from a contract. Names are quoted; the only values are defaults, as literals of our own
 * making. */
#include "store/sqlite_ddl.h"

#include <assert.h>

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/uuid.h"
#include "codec/json.h"

static void write_name(Buf *out, Str name) {
  buf_add_byte(out, '"');
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == '"') buf_add_byte(out, '"');
    buf_add_byte(out, name.ptr[i]);
  }
  buf_add_byte(out, '"');
}

static void write_string(Buf *out, Str text) {
  buf_add_byte(out, '\'');
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '\'') buf_add_byte(out, '\'');
    buf_add_byte(out, text.ptr[i]);
  }
  buf_add_byte(out, '\'');
}

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

static Str enum_stored(const EnumType *type, Str name) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].name, name)) return type->values[i].stored;
  }
  return name;
}

static bool write_default_string(Buf *out, const Field *field, Str text) {
  char bytes[TIMESTAMP_TEXT_MAX];
  char uuid[UUID_TEXT_LEN];
  DecimalText decimal;
  int64_t n;
  switch (field->type) {
    case TYPE_DATETIME:
      if (!timestamp_parse(text, &n)) return false;
      text = (Str){bytes, timestamp_write_fixed(n, bytes)};
      break;
    case TYPE_DECIMAL:
      if (!decimal_parse(text, &decimal)) return false;
      text = decimal_str(&decimal);
      break;
    case TYPE_UUID:
      if (!uuid_parse(text, uuid)) return false;
      text = (Str){uuid, UUID_TEXT_LEN};
      break;
    case TYPE_ENUM: text = enum_stored(field->enum_type, text); break;
    case TYPE_BIGINT:
      if (!str_parse_int64(text, &n)) return false;
      buf_add_int64(out, n);
      return true;
    case TYPE_BYTES: return false;
    default: break;
  }
  write_string(out, text);
  return true;
}

static bool write_default_number(Buf *out, const Field *field, Str text) {
  DecimalText decimal;
  int64_t n;
  double number;
  if (field->type == TYPE_DECIMAL && decimal_parse(text, &decimal)) {
    write_string(out, decimal_str(&decimal));
    return true;
  }
  if ((field->type == TYPE_INT || field->type == TYPE_BIGINT) && json_number_to_int64(text, &n)) {
    buf_add_int64(out, n);
    return true;
  }
  if (field->type == TYPE_FLOAT && json_number_to_double(text, &number)) {
    json_write_double(out, number);
    return true;
  }
  return false;
}

static bool write_default_json(Buf *out, const JsonValue *value) {
  Buf text = buf_on_heap(1 << 20);
  json_write(&text, value);
  bool is_written = text.failed == CODE_OK;
  if (is_written) write_string(out, buf_str(&text));
  buf_done(&text);
  return is_written;
}

bool ddl_write_default(Buf *out, const Field *field) {
  const JsonValue *value = &field->default_value;
  if (field->default_kind != DEFAULT_VALUE) return false;
  if (field->is_list || field->type == TYPE_EMBEDDED || field->type == TYPE_JSON) return write_default_json(out, value);
  switch (value->type) {
    case JSON_BOOL: buf_add_byte(out, value->boolean ? '1' : '0'); return true;
    case JSON_NUMBER: return write_default_number(out, field, value->text);
    case JSON_STRING: return write_default_string(out, field, value->text);
    default: return false;
  }
}

static void write_column(Buf *out, const Field *field) {
  write_name(out, field->column);
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
    write_name(out, fields[i]->column);
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
  write_name(out, relation->target->table);
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
