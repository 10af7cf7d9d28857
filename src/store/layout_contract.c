/* layout_contract.c - see layout_contract.h. */
#include "store/layout_contract.h"

static Code index_name(LayoutMaking *making, const DdlIndex *wanted, Str *ret) {
  Error *err = making->err;
  for (size_t number = 1;; number++) {
    Str name = making->index_name(wanted, number, making->arena);
    bool is_taken = false;
    TRY_ALLOC(name.ptr);
    for (size_t i = 0; i < making->index_names.count; i++) is_taken = is_taken || making->names_equal(making->index_names.items[i], name);
    if (is_taken) continue;
    if (!VEC_PUSH(making->arena, &making->index_names, name)) return error_no_memory(err);
    *ret = name;
    return CODE_OK;
  }
}

Code layout_indexes_add(LayoutMaking *making, LayoutTable *table) {
  Error *err = making->err;
  size_t count = 0;
  const DdlIndex *wanted = ddl_indexes(table->resource, making->arena, &count);
  TRY_ALLOC(wanted);
  for (size_t i = 0; i < count; i++) {
    LayoutIndex index = {.is_unique = wanted[i].is_unique};
    TRY(index_name(making, &wanted[i], &index.name));
    for (size_t k = 0; k < wanted[i].count; k++) {
      LayoutIndexColumn column = {wanted[i].fields[k].field->column, wanted[i].fields[k].is_descending};
      if (!VEC_PUSH(making->arena, &index.columns, column)) return error_no_memory(err);
    }
    if (!VEC_PUSH(making->arena, &table->indexes, index)) return error_no_memory(err);
  }
  return CODE_OK;
}

Code layout_keys_add(LayoutMaking *making, LayoutTable *table) {
  const Resource *resource = table->resource;
  for (size_t i = 0; i < resource->key_count; i++) {
    if (!VEC_PUSH(making->arena, &table->keys, resource->keys[i]->column)) return error_no_memory(making->err);
  }
  return CODE_OK;
}

Code layout_foreign_key_of(LayoutMaking *making, const Relation *relation, LayoutForeignKey *ret) {
  Error *err = making->err;
  LayoutForeignKey key = {.target = relation->target->table,
                          .on_delete = relation->on_delete,
                          .is_deferred = relation->is_deferred,
                          .label =
                              arena_printf(making->arena, "%.*s.%.*s", STR_ARGS(relation->source->name), STR_ARGS(relation->field->name))};
  TRY_ALLOC(key.label.ptr);
  for (size_t i = 0; i < relation->key_count; i++) {
    if (!VEC_PUSH(making->arena, &key.columns, relation->keys[i]->column)) return error_no_memory(err);
  }
  *ret = key;
  return CODE_OK;
}
