/* layout.c - see layout.h. */
#include "store/layout.h"

#include <string.h>

const LayoutTable *store_layout_table(const Layout *layout, Str name, LayoutNamesEqualFn *names_equal) {
  for (size_t i = 0; i < layout->tables.count; i++) {
    if (names_equal(layout->tables.items[i].name, name)) return &layout->tables.items[i];
  }
  return NULL;
}

const LayoutTable *store_layout_view(const Layout *layout, Str name, LayoutNamesEqualFn *names_equal) {
  for (size_t i = 0; i < layout->views.count; i++) {
    if (names_equal(layout->views.items[i].name, name)) return &layout->views.items[i];
  }
  return NULL;
}

const LayoutColumn *store_layout_column(const LayoutTable *table, Str name, LayoutNamesEqualFn *names_equal) {
  for (size_t i = 0; i < table->columns.count; i++) {
    if (names_equal(table->columns.items[i].name, name)) return &table->columns.items[i];
  }
  return NULL;
}

bool layout_index_is_ours(Str table, Str index) {
  bool is_named = str_contains(index, STR("_index")) || str_contains(index, STR("_unique")) || str_contains(index, STR("_search_"));
  return str_starts_with(index, table) && is_named;
}

static bool is_type_byte(char c, const char *marks) {
  bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return is_alphanumeric || (c != '\0' && strchr(marks, c) != NULL);
}

Code layout_type_check(const LayoutTable *table, const Field *field, Str type, const char *marks, Error *err) {
  size_t len = 0;
  while (len < type.len && is_type_byte(type.ptr[len], marks)) len++;
  if (len == type.len) return CODE_OK;
  return error_set(err, CODE_CONFLICT, "column %.*s.%.*s: \"%.*s\" is not a type", STR_ARGS(table->name), STR_ARGS(field->column),
                   STR_ARGS(field->column_type));
}

bool layout_column_take_values(LayoutColumn *column, Arena *arena) {
  const EnumType *type = column->field->enum_type;
  Str *values = ARENA_ARRAY(arena, Str, type->value_count);
  for (size_t i = 0; values != NULL && i < type->value_count; i++) values[i] = type->values[i].stored;
  column->values = values;
  column->value_count = type->value_count;
  return values != NULL;
}
