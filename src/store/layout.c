/* layout.c - see layout.h. */
#include "store/layout.h"

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
