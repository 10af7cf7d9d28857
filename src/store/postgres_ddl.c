/* postgres_ddl.c - see postgres_ddl.h. Names are quoted; the only values are defaults and enums' names, as literals of our own making. */
#include "store/postgres_ddl.h"

#include "base/utf8.h"
#include "codec/base64.h"
#include "sql/dialect_impl.h"
#include "sql/postgres_search.h"
#include "sql/postgres_types.h"
#include "sql/select.h"
#include "store/ddl_default.h"
#include "store/layout.h"

enum { HASH_DIGITS = 8 };
static const Str search_mark = STR_INIT("_search");

/* ---- names ---- */

/* A table's name without its schema. */
static Str bare_table(const Resource *resource) {
  size_t dot = str_find_byte(resource->table, '.', 0);
  return dot < resource->table.len ? str_slice(resource->table, dot + 1, resource->table.len) : resource->table;
}

/* PostgreSQL would cut a longer name, and take two that begin alike for one. */
static Str name_shortened(Str name, Arena *arena) {
  if (name.len <= POSTGRES_NAME_BYTES_MAX) return arena_str(arena, name);
  return arena_printf(arena, "%.*s_%08x", STR_ARGS(utf8_cut(name, POSTGRES_NAME_BYTES_MAX - HASH_DIGITS - 1)),
                      (unsigned)(str_hash(name) & 0xffffffff));
}

/* Whether the name is as name_shortened makes them: *ret is what stands before "_" and the hash. */
static bool name_is_shortened(Str name, Str *ret) {
  /* A cut takes away at most three bytes of a character that was not whole. */
  if (name.len > POSTGRES_NAME_BYTES_MAX || name.len < POSTGRES_NAME_BYTES_MAX - 3) return false;
  size_t mark = name.len - HASH_DIGITS - 1;
  for (size_t i = mark + 1; i < name.len; i++) {
    bool is_hex = (name.ptr[i] >= '0' && name.ptr[i] <= '9') || (name.ptr[i] >= 'a' && name.ptr[i] <= 'f');
    if (!is_hex) return false;
  }
  *ret = str_slice(name, 0, mark);
  return name.ptr[mark] == '_';
}

bool postgres_ddl_index_is_ours(Str table, Str index) {
  Str kept;
  if (layout_index_is_ours(table, index)) return true;
  if (!name_is_shortened(index, &kept)) return false;
  bool is_search = kept.len > search_mark.len && str_ends_with(kept, search_mark);
  if (is_search) kept = str_slice(kept, 0, kept.len - search_mark.len);
  return str_starts_with(kept, table) || str_starts_with(table, kept);
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

static bool write_hex(Buf *out, Str text) {
  static const char hex[] = "0123456789abcdef";
  Buf bytes = buf_on_heap(1 << 20);
  size_t len = 0;
  bool is_decoded = buf_reserve(&bytes, base64_decoded_max(text.len)) && base64_decode(text, bytes.ptr, &len);
  if (bytes.failed != CODE_OK) out->failed = bytes.failed;
  buf_add(out, STR("'\\x"));
  for (size_t i = 0; is_decoded && i < len; i++) {
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] >> 4]);
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] & 15]);
  }
  buf_add_byte(out, '\'');
  buf_done(&bytes);
  return is_decoded;
}

static const DdlLiterals literals = {.yes = STR_INIT("true"), .no = STR_INIT("false"), .has_decimals = true, .write_bytes = write_hex};

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
    else if (!ddl_default_write_scalar(out, &literals, field, &list->items[i]))
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
  bool is_written = is_json          ? ddl_default_write_json(out, &field->default_value)
                    : field->is_list ? write_default_array(out, field, &field->default_value)
                                     : ddl_default_write_scalar(out, &literals, field, &field->default_value);
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
  Str table = utf8_cut(bare_table(resource), POSTGRES_NAME_BYTES_MAX - HASH_DIGITS - 1 - search_mark.len);
  return arena_printf(arena, "%.*s%.*s_%08x", STR_ARGS(table), STR_ARGS(search_mark),
                      (unsigned)(str_hash(buf_str(&definition)) & 0xffffffff));
}
