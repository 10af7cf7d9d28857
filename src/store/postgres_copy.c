/* postgres_copy.c - see postgres_copy.h. */
#include "store/postgres_copy.h"

#include "base/datetime.h"
#include "codec/json.h"
#include "sql/dialect_impl.h"
#include "sql/postgres_types.h"
#include "sql/select.h"
#include "store/postgres_array.h"
#include "store/postgres_ddl.h"

enum { ROWS_BYTES_MAX = 1 << 30 };

void postgres_copy_write_begin(Buf *out, const Resource *resource) {
  buf_add(out, STR("COPY "));
  sql_write_table(out, resource);
  for (size_t i = 0; i < resource->stored_count; i++) {
    buf_add(out, i == 0 ? STR(" (") : STR(", "));
    sql_write_identifier(out, resource->stored[i]->column);
  }
  buf_add(out, STR(") FROM STDIN"));
}

static void write_table_text(Buf *out, const Resource *resource) {
  Buf name = buf_on_heap(1 << 16);
  sql_write_table(&name, resource);
  if (name.failed != CODE_OK) out->failed = name.failed;
  sql_write_string(out, buf_str(&name));
  buf_done(&name);
}

bool postgres_copy_write_numbers(Buf *out, const Resource *resource) {
  bool has_any = false;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (!postgres_ddl_is_numbered(field)) continue;
    buf_add(out, has_any ? STR(", ") : STR("SELECT "));
    has_any = true;
    /* A table without rows is left as it is: of null nothing is set. */
    buf_add(out, STR("setval(pg_get_serial_sequence("));
    write_table_text(out, resource);
    buf_add(out, STR(", "));
    sql_write_string(out, field->column);
    buf_add(out, STR("), (SELECT greatest(max("));
    sql_write_identifier(out, field->column);
    buf_add(out, STR("), 1) FROM "));
    sql_write_table(out, resource);
    buf_add(out, STR(" HAVING count(*) > 0))"));
  }
  return has_any;
}

Code postgres_copy_init(PostgresCopy *copy, const Resource *resource, Error *err) {
  postgres_copy_done(copy);
  *copy = (PostgresCopy){.resource = resource, .arena = arena_create(0), .rows = buf_on_heap(ROWS_BYTES_MAX)};
  TRY_ALLOC(copy->arena);
  return CODE_OK;
}

void postgres_copy_done(PostgresCopy *copy) {
  if (copy->arena == NULL) return;
  arena_destroy(copy->arena);
  buf_done(&copy->rows);
  *copy = (PostgresCopy){0};
}

/* ---- values ---- */

/* What ends a column or a row, and the backslash itself, stand behind a backslash. */
static void write_escaped(Buf *out, Str text) {
  for (size_t i = 0; i < text.len; i++) {
    char byte = text.ptr[i];
    const char *escaped = byte == '\\' ? "\\\\" : byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : byte == '\t' ? "\\t" : NULL;
    if (escaped == NULL)
      buf_add_byte(out, byte);
    else
      buf_add(out, str_of(escaped));
  }
}

static void write_bytes(Buf *out, Str bytes) {
  static const char hex[] = "0123456789abcdef";
  buf_add(out, STR("\\\\x"));
  for (size_t i = 0; i < bytes.len; i++) {
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] >> 4]);
    buf_add_byte(out, hex[(unsigned char)bytes.ptr[i] & 15]);
  }
}

static Code write_json(PostgresCopy *copy, const Field *field, Str json, Error *err) {
  PostgresKind kind = postgres_kind(field);
  if (!field->is_list || kind == POSTGRES_JSON || kind == POSTGRES_JSONB) return write_escaped(&copy->rows, json), CODE_OK;
  Str array;
  TRY(postgres_array_of_json(json, false, copy->arena, &array, err));
  write_escaped(&copy->rows, array);
  return CODE_OK;
}

static Code write_value(PostgresCopy *copy, const Field *field, const Value *value, Error *err) {
  Buf *out = &copy->rows;
  char text[TIMESTAMP_TEXT_MAX];
  switch (value->type) {
    case VALUE_BOOL:
      if (postgres_kind(field) == POSTGRES_INTEGER)
        buf_add_byte(out, value->boolean ? '1' : '0');
      else
        buf_add_byte(out, value->boolean ? 't' : 'f');
      return CODE_OK;
    case VALUE_INT: buf_add_int64(out, value->integer); return CODE_OK;
    case VALUE_FLOAT: json_write_double(out, value->number); return CODE_OK;
    case VALUE_TIMESTAMP: buf_add(out, (Str){text, timestamp_write_fixed(value->integer, text)}); return CODE_OK;
    case VALUE_DATE: buf_add(out, (Str){text, date_write(value->integer, text)}); return CODE_OK;
    case VALUE_BYTES: write_bytes(out, value->text); return CODE_OK;
    case VALUE_JSON: return write_json(copy, field, value->text, err);
    case VALUE_TEXT:
    case VALUE_DECIMAL: write_escaped(out, value->text); return CODE_OK;
    default: buf_add(out, STR("\\N")); return CODE_OK;
  }
}

Code postgres_copy_write_row(PostgresCopy *copy, const Value *row, Error *err) {
  for (size_t i = 0; i < copy->resource->stored_count; i++) {
    if (i > 0) buf_add_byte(&copy->rows, '\t');
    arena_reset(copy->arena);
    TRY(write_value(copy, copy->resource->stored[i], &row[i], err));
  }
  buf_add_byte(&copy->rows, '\n');
  return CODE_OK;
}
