/* sqlite_value.c - parameters in, columns out, in our own storage forms. */
#include "store/sqlite_value.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/datetime.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/json.h"

/* ---- parameters ---- */

static void list_write_item(Buf *out, const Value *item) {
  char text[TIMESTAMP_TEXT_MAX];
  switch (item->type) {
    case VALUE_BOOL: buf_add(out, item->boolean ? STR("true") : STR("false")); return;
    case VALUE_INT:
    case VALUE_DURATION: buf_add_int64(out, item->integer); return;
    case VALUE_FLOAT: json_write_double(out, item->number); return;
    case VALUE_TIMESTAMP: json_write_string(out, (Str){text, timestamp_write_fixed(item->integer, text)}); return;
    case VALUE_DATE: json_write_string(out, (Str){text, date_write(item->integer, text)}); return;
    case VALUE_TEXT:
    case VALUE_DECIMAL:
    case VALUE_JSON: json_write_string(out, item->text); return;
    case VALUE_BYTES:
      buf_add_byte(out, '"');
      base64_write(out, item->text);
      buf_add_byte(out, '"');
      return;
    default: buf_add(out, STR("null")); return;
  }
}

/* A list is one parameter, a JSON array, which the statement's text takes apart with json_each. */
static int list_bind(sqlite3_stmt *stmt, int at, ValueList list) {
  Buf json = buf_on_heap(INT_MAX);
  buf_add_byte(&json, '[');
  for (size_t i = 0; i < list.count; i++) {
    if (i > 0) buf_add_byte(&json, ',');
    list_write_item(&json, &list.items[i]);
  }
  buf_add_byte(&json, ']');
  int result = json.failed != CODE_OK ? SQLITE_NOMEM : sqlite3_bind_text64(stmt, at, json.ptr, json.len, SQLITE_TRANSIENT, SQLITE_UTF8);
  buf_done(&json);
  return result;
}

static int param_bind(sqlite3_stmt *stmt, int at, const Value *value) {
  char text[TIMESTAMP_TEXT_MAX];
  switch (value->type) {
    case VALUE_BOOL: return sqlite3_bind_int(stmt, at, value->boolean);
    case VALUE_INT:
    case VALUE_DURATION: return sqlite3_bind_int64(stmt, at, value->integer);
    case VALUE_FLOAT: return sqlite3_bind_double(stmt, at, value->number);
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_JSON:
      return sqlite3_bind_text64(stmt, at, value->text.len == 0 ? "" : value->text.ptr, value->text.len, SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_BYTES: return sqlite3_bind_blob64(stmt, at, value->text.len == 0 ? "" : value->text.ptr, value->text.len, SQLITE_STATIC);
    case VALUE_TIMESTAMP: return sqlite3_bind_text(stmt, at, text, (int)timestamp_write_fixed(value->integer, text), SQLITE_TRANSIENT);
    case VALUE_DATE: return sqlite3_bind_text(stmt, at, text, (int)date_write(value->integer, text), SQLITE_TRANSIENT);
    case VALUE_LIST: return list_bind(stmt, at, value->list);
    default: return sqlite3_bind_null(stmt, at);
  }
}

int sqlite_params_bind(sqlite3_stmt *stmt, const Value *params, size_t count) {
  /* A statement may leave its last parameters unused; SQLite then doesn't know them. */
  size_t known = (size_t)sqlite3_bind_parameter_count(stmt);
  for (size_t i = 0; i < count && i < known; i++) {
    int result = param_bind(stmt, (int)i + 1, &params[i]);
    if (result != SQLITE_OK) return result;
  }
  return SQLITE_OK;
}

/* ---- columns ---- */

static bool enum_has(const EnumType *type, Str stored) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].stored, stored)) return true;
  }
  return false;
}

static bool is_scalar_field(const Field *field, FieldType type) { return field != NULL && !field->is_list && field->type == type; }

/* The bounds that a type has beyond its storage form: 32 bits of an Int, the names of an enum. */
static bool value_fits_field(const Value *value, const Field *field) {
  if (value->type == VALUE_INT && is_scalar_field(field, TYPE_INT)) return value->integer >= INT32_MIN && value->integer <= INT32_MAX;
  if (value->type == VALUE_TEXT && is_scalar_field(field, TYPE_ENUM)) return enum_has(field->enum_type, value->text);
  return true;
}

static Str value_text_of(sqlite3_value *value) {
  const char *bytes = (const char *)sqlite3_value_text(value);
  return (Str){bytes == NULL ? "" : bytes, (size_t)sqlite3_value_bytes(value)};
}

/* The form that we write ourselves, which needs no conversion. False: another form, or no such value. */
static bool native_read(sqlite3_value *value, const StoreColumn *shape, int storage, Value *ret) {
  switch (shape->type) {
    case VALUE_BOOL:
      if (storage != SQLITE_INTEGER) return false;
      *ret = value_bool(sqlite3_value_int64(value) != 0);
      return true;
    case VALUE_INT:
    case VALUE_DURATION:
      if (storage != SQLITE_INTEGER) return false;
      *ret = (Value){.type = shape->type, .integer = sqlite3_value_int64(value)};
      return true;
    case VALUE_FLOAT:
      if (storage != SQLITE_FLOAT && storage != SQLITE_INTEGER) return false;
      *ret = value_float(sqlite3_value_double(value));
      return isfinite(ret->number);
    case VALUE_TEXT:
    case VALUE_DECIMAL:
    case VALUE_JSON:
      if (storage != SQLITE_TEXT) return false;
      *ret = (Value){.type = shape->type, .text = value_text_of(value)};
      return true;
    case VALUE_BYTES:
      if (storage != SQLITE_BLOB) return false;
      const void *bytes = sqlite3_value_blob(value);
      *ret = (Value){.type = VALUE_BYTES, .text = {bytes == NULL ? "" : bytes, (size_t)sqlite3_value_bytes(value)}};
      return true;
    case VALUE_TIMESTAMP:
      ret->type = VALUE_TIMESTAMP;
      return storage == SQLITE_TEXT && timestamp_parse(value_text_of(value), &ret->integer);
    case VALUE_DATE: ret->type = VALUE_DATE; return storage == SQLITE_TEXT && date_parse(value_text_of(value), &ret->integer);
    default: return false;
  }
}

static SqliteScratch *statement_scratch(SqliteStatement *statement, int column) {
  if (statement->scratch == NULL) statement->scratch = memory_alloc(statement->column_count * sizeof *statement->scratch);
  return statement->scratch == NULL ? NULL : &statement->scratch[column];
}

/* "7, tea" : the row's key as far as its parts were read. */
static void row_write_key(sqlite3_stmt *stmt, const StoreStatement *shape, const Resource *resource, char *out, size_t out_size) {
  size_t written = 0;
  out[0] = '\0';
  for (size_t i = 0; i < shape->column_count; i++) {
    if (!store_column_names_row(shape, i, resource)) continue;
    Str text = value_text_of(sqlite3_column_value(stmt, (int)i));
    int len = snprintf(out + written, out_size - written, "%s%.*s", written > 0 ? "," : "", STR_ARGS(utf8_cut(text, 60)));
    if (len < 0 || (size_t)len >= out_size - written) return;
    written += (size_t)len;
  }
}

static Code misfit_error(sqlite3_stmt *stmt, const StoreStatement *shape, size_t column, Error *err) {
  const Field *field = shape->columns[column].field;
  if (field == NULL || field->resource == NULL) {
    sqlite3_value *value = sqlite3_column_value(stmt, (int)column);
    if (sqlite3_value_type(value) == SQLITE_FLOAT && isinf(sqlite3_value_double(value)))
      return error_set(err, CODE_TOO_LARGE, "a sum or an average is larger than its type holds");
    return error_set(err, CODE_INTERNAL, "a computed value (column %zu) doesn't fit its type", column + 1);
  }
  char key[120];
  row_write_key(stmt, shape, field->resource, key, sizeof key);
  const Resource *resource = field->resource;
  return error_set(err, CODE_INTERNAL, "the value stored in %.*s.%.*s doesn't fit the type %.*s%s%s", STR_ARGS(resource->table),
                   STR_ARGS(field->column), STR_ARGS(field_type_name(field)), key[0] == '\0' ? "" : ", in the row with the key ", key);
}

Code sqlite_row_read(SqliteStatement *statement, const StoreStatement *shape, bool has_foreign_data, Error *err) {
  sqlite3_stmt *stmt = statement->stmt;
  for (size_t i = 0; i < shape->column_count; i++) {
    const StoreColumn *column = &shape->columns[i];
    Value *value = &statement->values[i];
    /* One call into the statement a column; what is asked of the value itself is cheap. */
    sqlite3_value *stored = sqlite3_column_value(stmt, (int)i);
    int storage = sqlite3_value_type(stored);
    if (storage == SQLITE_NULL) {
      *value = value_null();
      continue;
    }
    bool fits;
    if (!has_foreign_data && !column->is_foreign) {
      fits = native_read(stored, column, storage, value);
    } else {
      SqliteScratch *scratch = statement_scratch(statement, (int)i);
      Code code = scratch == NULL ? CODE_UNAVAILABLE : sqlite_foreign_read(stmt, (int)i, column, scratch, value);
      if (code == CODE_UNAVAILABLE) return error_no_memory(err);
      fits = code == CODE_OK;
    }
    if (!fits || !value_fits_field(value, column->field)) return misfit_error(stmt, shape, i, err);
  }
  return CODE_OK;
}

Str sqlite_column_keep(sqlite3_stmt *row, int column, Arena *arena, bool *lacks_memory) {
  if (sqlite3_column_type(row, column) == SQLITE_NULL) return (Str){NULL, 0};
  const char *text = (const char *)sqlite3_column_text(row, column);
  Str copy = text == NULL ? (Str){NULL, 0} : arena_str(arena, (Str){text, (size_t)sqlite3_column_bytes(row, column)});
  *lacks_memory = *lacks_memory || copy.ptr == NULL;
  return copy;
}
