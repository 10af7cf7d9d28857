/* postgres_ddl.c - see postgres_ddl.h. Names are quoted; the only values are defaults and enums' names, as literals of our own making. */
#include "store/postgres_ddl.h"

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/uuid.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "sql/dialect_impl.h"
#include "sql/postgres_search.h"
#include "sql/postgres_types.h"
#include "sql/select.h"

enum { NAME_BYTES_MAX = 63, HASH_DIGITS = 8 };

/* ---- names ---- */

/* A table's name without its schema. */
static Str bare_table(const Resource *resource) {
  size_t dot = str_find_byte(resource->table, '.', 0);
  return dot < resource->table.len ? str_slice(resource->table, dot + 1, resource->table.len) : resource->table;
}

/* PostgreSQL would cut a longer name, and take two that begin alike for one. */
static Str name_shortened(Str name, Arena *arena) {
  if (name.len <= NAME_BYTES_MAX) return arena_str(arena, name);
  size_t len = NAME_BYTES_MAX - HASH_DIGITS - 1;
  /* Not in the midst of a character. */
  while (len > 0 && ((unsigned char)name.ptr[len] & 0xc0) == 0x80) len--;
  return arena_printf(arena, "%.*s_%08x", (int)len, name.ptr, (unsigned)(str_hash(name) & 0xffffffff));
}

/* ---- columns ---- */

Str postgres_ddl_type(const Field *field) {
  Str given = postgres_given_type(field);
  return given.len > 0 ? given : postgres_own_type(field);
}

bool postgres_ddl_is_numbered(const Field *field) {
  return field->default_kind == DEFAULT_DATABASE && field->is_key && !field->is_list && !field->is_relation_key &&
         postgres_kind(field) == POSTGRES_INTEGER;
}

/* Where order is promised by code point, the column's own order is that, so that its indexes serve. */
static bool is_ordered_text(const Field *field) {
  return postgres_given_type(field).len == 0 && !field->is_list && postgres_kind(field) == POSTGRES_TEXT;
}

static Str enum_stored(const EnumType *type, Str name) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].name, name)) return type->values[i].stored;
  }
  return name;
}

static void write_hex(Buf *out, Str text) {
  static const char hex[] = "0123456789abcdef";
  Buf bytes = buf_on_heap(1 << 20);
  size_t len = 0;
  bool is_decoded = buf_reserve(&bytes, base64_decoded_max(text.len)) && base64_decode(text, bytes.ptr, &len);
  buf_add(out, STR("'\\x"));
  for (size_t i = 0; is_decoded && i < len; i++) {
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] >> 4]);
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] & 15]);
  }
  buf_add_byte(out, '\'');
  buf_done(&bytes);
}

static bool write_default_string(Buf *out, const Field *field, Str text) {
  char bytes[TIMESTAMP_TEXT_MAX];
  DecimalText decimal;
  int64_t n;
  switch (field->type) {
    case TYPE_DATETIME:
      if (!timestamp_parse(text, &n)) return false;
      text = (Str){bytes, timestamp_write_fixed(n, bytes)};
      break;
    case TYPE_DECIMAL:
      if (!decimal_parse(text, &decimal)) return false;
      buf_add(out, decimal_str(&decimal));
      return true;
    case TYPE_ENUM: text = enum_stored(field->enum_type, text); break;
    case TYPE_BIGINT:
      if (!str_parse_int64(text, &n)) return false;
      buf_add_int64(out, n);
      return true;
    case TYPE_BYTES: write_hex(out, text); return true;
    default: break;
  }
  sql_write_string(out, text);
  return true;
}

static bool write_default_number(Buf *out, const Field *field, Str text) {
  DecimalText decimal;
  int64_t n;
  double number;
  if (field->type == TYPE_DECIMAL && decimal_parse(text, &decimal)) {
    buf_add(out, decimal_str(&decimal));
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
  if (is_written) sql_write_string(out, buf_str(&text));
  buf_done(&text);
  return is_written;
}

static bool write_default_scalar(Buf *out, const Field *field, const JsonValue *value) {
  switch (value->type) {
    case JSON_BOOL: buf_add(out, value->boolean ? STR("true") : STR("false")); return true;
    case JSON_NUMBER: return write_default_number(out, field, value->text);
    case JSON_STRING: return write_default_string(out, field, value->text);
    default: return false;
  }
}

/* ARRAY['a','b']::text[] */
static bool write_default_array(Buf *out, const Field *field, const JsonValue *list) {
  if (list->type != JSON_ARRAY) return false;
  buf_add(out, STR("ARRAY["));
  for (size_t i = 0; i < list->count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    /* An enum's items are stored by their names. */
    if (list->items[i].type == JSON_NULL)
      buf_add(out, STR("NULL"));
    else if (field->type == TYPE_ENUM && list->items[i].type == JSON_STRING)
      sql_write_string(out, list->items[i].text);
    else if (!write_default_scalar(out, field, &list->items[i]))
      return false;
  }
  buf_add(out, STR("]::"));
  buf_add(out, postgres_ddl_type(field));
  return true;
}

bool postgres_ddl_write_default(Buf *out, const Field *field) {
  if (field->default_kind != DEFAULT_VALUE) return false;
  size_t before = out->len;
  PostgresKind kind = postgres_kind(field);
  bool is_json = kind == POSTGRES_JSON || kind == POSTGRES_JSONB;
  bool is_written = is_json          ? write_default_json(out, &field->default_value)
                    : field->is_list ? write_default_array(out, field, &field->default_value)
                                     : write_default_scalar(out, field, &field->default_value);
  if (!is_written) out->len = before;
  return is_written;
}

/* An enum is text with a check: values are added and taken away without the locks and the one-way street of PostgreSQL's own enums
 * (docs/decisions). */
bool postgres_ddl_has_enum_check(const Field *field) {
  return field->type == TYPE_ENUM && !field->is_list && postgres_given_type(field).len == 0;
}

/* As PostgreSQL would name it itself. */
Str postgres_ddl_check_name(const Field *field, Arena *arena) {
  Str table = bare_table(field->resource);
  Str name = arena_printf(arena, "%.*s_%.*s_check", STR_ARGS(table), STR_ARGS(field->column));
  return name.ptr == NULL ? name : name_shortened(name, arena);
}

void postgres_ddl_write_enum_check(Buf *out, const Field *field) {
  buf_add(out, STR("CHECK ("));
  sql_write_identifier(out, field->column);
  buf_add(out, STR(" IN ("));
  for (size_t i = 0; i < field->enum_type->value_count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    sql_write_string(out, field->enum_type->values[i].stored);
  }
  buf_add(out, STR("))"));
}

static void write_own_check(Buf *out, const Field *field) {
  if (!postgres_ddl_has_enum_check(field)) return;
  Arena *arena = arena_create(0);
  Str name = arena == NULL ? (Str){NULL, 0} : postgres_ddl_check_name(field, arena);
  if (name.ptr == NULL) out->failed = CODE_UNAVAILABLE;
  buf_add(out, STR(" CONSTRAINT "));
  sql_write_identifier(out, name);
  buf_add_byte(out, ' ');
  postgres_ddl_write_enum_check(out, field);
  arena_destroy(arena);
}

void postgres_ddl_write_column(Buf *out, const Field *field) {
  sql_write_identifier(out, field->column);
  buf_add_byte(out, ' ');
  buf_add(out, postgres_ddl_type(field));
  if (is_ordered_text(field)) buf_add(out, STR(" COLLATE \"C\""));
  if (field->is_required || field->is_key) buf_add(out, STR(" NOT NULL"));
  if (postgres_ddl_is_numbered(field)) buf_add(out, STR(" GENERATED BY DEFAULT AS IDENTITY"));
  size_t before = out->len;
  buf_add(out, STR(" DEFAULT "));
  if (!postgres_ddl_write_default(out, field)) out->len = before;
  write_own_check(out, field);
}

/* ---- tables and keys ---- */

static void write_names(Buf *out, const Field *const *fields, size_t count) {
  buf_add_byte(out, '(');
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    sql_write_identifier(out, fields[i]->column);
  }
  buf_add_byte(out, ')');
}

void postgres_ddl_write_table_body(Buf *out, const Resource *resource) {
  buf_add(out, STR("(\n  "));
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (i > 0) buf_add(out, STR(",\n  "));
    postgres_ddl_write_column(out, resource->stored[i]);
  }
  if (resource->key_count > 0) {
    buf_add(out, STR(",\n  PRIMARY KEY "));
    write_names(out, resource->keys, resource->key_count);
  }
  buf_add(out, STR("\n)"));
}

static void write_alter(Buf *out, const Resource *resource) {
  buf_add(out, STR("ALTER TABLE "));
  sql_write_table(out, resource);
}

/* ---- foreign keys and indexes ---- */

Str postgres_ddl_index_name(const DdlIndex *index, size_t number, Arena *arena) {
  Resource bare = *index->resource;
  DdlIndex plain = *index;
  Buf name = buf_on(arena, 1 << 16);
  bare.table = bare_table(index->resource);
  plain.resource = &bare;
  ddl_write_index_name(&name, &plain, number);
  return name.failed != CODE_OK ? (Str){NULL, 0} : name_shortened(buf_str(&name), arena);
}

Str postgres_ddl_foreign_key_name(const Relation *relation, Arena *arena) {
  Buf name = buf_on(arena, 1 << 16);
  buf_add(&name, bare_table(relation->source));
  for (size_t i = 0; i < relation->key_count; i++) {
    buf_add_byte(&name, '_');
    buf_add(&name, relation->keys[i]->column);
  }
  buf_add(&name, STR("_fkey"));
  return name.failed != CODE_OK ? (Str){NULL, 0} : name_shortened(buf_str(&name), arena);
}

void postgres_ddl_write_foreign_key(Buf *out, const Relation *relation, Arena *arena) {
  static const Str actions[] = {
      /* Not RESTRICT, which refuses at once even what a cascade of the same statement would set right. */
      [ON_DELETE_RESTRICT] = STR_INIT(""),
      [ON_DELETE_CASCADE] = STR_INIT(" ON DELETE CASCADE"),
      [ON_DELETE_SET_NULL] = STR_INIT(" ON DELETE SET NULL"),
  };
  Str name = postgres_ddl_foreign_key_name(relation, arena);
  if (name.ptr == NULL) {
    out->failed = CODE_UNAVAILABLE;
    return;
  }
  write_alter(out, relation->source);
  buf_add(out, STR(" ADD CONSTRAINT "));
  sql_write_identifier(out, name);
  buf_add(out, STR(" FOREIGN KEY "));
  write_names(out, relation->keys, relation->key_count);
  buf_add(out, STR(" REFERENCES "));
  sql_write_table(out, relation->target);
  buf_add_byte(out, ' ');
  write_names(out, relation->target->keys, relation->target->key_count);
  buf_add(out, actions[relation->on_delete]);
  if (relation->is_deferred) buf_add(out, STR(" DEFERRABLE INITIALLY DEFERRED"));
}

/* ---- full-text search ---- */

void postgres_ddl_write_search(Buf *out, const Resource *resource) {
  buf_add(out, STR("USING gin (("));
  postgres_search_write_vector(out, resource, STR(""));
  buf_add(out, STR("))"));
}

Str postgres_ddl_search_name(const Resource *resource, Arena *arena) {
  Buf definition = buf_on(arena, 1 << 20);
  if (!postgres_search_has_index(resource)) return (Str){NULL, 0};
  postgres_ddl_write_search(&definition, resource);
  if (definition.failed != CODE_OK) return (Str){NULL, 0};
  /* The hash stands at the end, so the table's name is what is cut. */
  Str table = bare_table(resource), mark = STR("_search_");
  size_t len = table.len, max = NAME_BYTES_MAX - HASH_DIGITS - mark.len;
  if (len > max) len = max;
  while (len > 0 && len < table.len && ((unsigned char)table.ptr[len] & 0xc0) == 0x80) len--;
  return arena_printf(arena, "%.*s%.*s%08x", (int)len, table.ptr, STR_ARGS(mark), (unsigned)(str_hash(buf_str(&definition)) & 0xffffffff));
}
