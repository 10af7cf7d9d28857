/* versions_layout.c - the tables of several contracts as one contract, for the store's eyes only: fields are copied column by column, then
 * relations, unique groups and indexes are drawn between the copies. */
#include "contract/versions_layout.h"

#include "base/vec.h"

typedef struct LayoutTable {
  Resource *made;
  VEC(Field *) stored;
  VEC(const Field *) fields; /* the stored ones, then relations */
  VEC(UniqueGroup) uniques;
  VEC(Index) indexes;
} LayoutTable;

typedef struct Layout {
  const Contract *const *contracts;
  size_t count;
  Arena *arena;
  Contract *made;
  LayoutTable *tables;
  size_t table_count;
} Layout;

/* ---- Looking ---- */

const Resource *layout_table(const Contract *contract, Str table) {
  for (size_t i = 0; i < contract->resource_count; i++) {
    if (str_equal_ignore_case(contract->resources[i]->table, table)) return contract->resources[i];
  }
  return NULL;
}

const Field *layout_column(const Resource *resource, Str column) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (str_equal_ignore_case(resource->stored[i]->column, column)) return resource->stored[i];
  }
  return NULL;
}

static bool has_same_columns(const Field *const *a, size_t a_count, const Field *const *b, size_t b_count) {
  for (size_t i = 0; a_count == b_count && i < a_count; i++) {
    if (!str_equal_ignore_case(a[i]->column, b[i]->column)) return false;
  }
  return a_count == b_count;
}

const Relation *layout_relation(const Resource *resource, const Field *const *keys, size_t count) {
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE && has_same_columns(field->relation->keys, field->relation->key_count, keys, count))
      return field->relation;
  }
  return NULL;
}

/* In any order: the same rows are refused. */
bool layout_has_unique(const Resource *resource, const UniqueGroup *group) {
  for (size_t i = 0; i < resource->unique_count; i++) {
    const UniqueGroup *other = &resource->uniques[i];
    size_t found = 0;
    for (size_t k = 0; k < group->count; k++) {
      for (size_t n = 0; n < other->count; n++) found += str_equal_ignore_case(group->fields[k]->column, other->fields[n]->column);
    }
    if (found == group->count && other->count == group->count) return true;
  }
  return false;
}

static LayoutTable *made_table(const Layout *layout, Str table) {
  for (size_t i = 0; i < layout->table_count; i++) {
    if (str_equal_ignore_case(layout->tables[i].made->table, table)) return &layout->tables[i];
  }
  return NULL;
}

static Field *made_column(const LayoutTable *table, Str column) {
  for (size_t i = 0; i < table->stored.count; i++) {
    if (str_equal_ignore_case(table->stored.items[i]->column, column)) return table->stored.items[i];
  }
  return NULL;
}

/* ---- Columns ---- */

static Code add_column(Layout *layout, LayoutTable *table, const Field *field, Error *err) {
  if (made_column(table, field->column) != NULL) return CODE_OK;
  Field *copy = ARENA_NEW(layout->arena, Field);
  TRY_ALLOC(copy);
  *copy = *field;
  copy->resource = table->made;
  copy->index = copy->stored_index = (uint32_t)table->stored.count;
  copy->relation = NULL;
  copy->is_relation_key = false;
  copy->target_key = NULL;
  bool is_kept = VEC_PUSH(layout->arena, &table->stored, copy) && VEC_PUSH(layout->arena, &table->fields, copy);
  return is_kept ? CODE_OK : error_no_memory(err);
}

static Code add_resource(Layout *layout, const Resource *resource, Error *err) {
  LayoutTable *table = made_table(layout, resource->table);
  if (table == NULL) {
    table = &layout->tables[layout->table_count];
    table->made = ARENA_NEW(layout->arena, Resource);
    TRY_ALLOC(table->made);
    *table->made = *resource;
    table->made->contract = layout->made;
    table->made->index = (uint32_t)layout->table_count++;
    table->made->referrers = NULL;
    table->made->referrer_count = 0;
  }
  for (size_t i = 0; i < resource->stored_count; i++) TRY(add_column(layout, table, resource->stored[i], err));
  return CODE_OK;
}

/* The copies of fields; NULL when memory is out. */
static const Field **made_columns(const Layout *layout, const LayoutTable *table, const Field *const *fields, size_t count) {
  const Field **made = (const Field **)arena_calloc(layout->arena, count, sizeof *made);
  for (size_t i = 0; made != NULL && i < count; i++) made[i] = made_column(table, fields[i]->column);
  return made;
}

/* ---- What stands between columns ---- */

static bool table_has_relation(const LayoutTable *table, const Relation *relation) {
  for (size_t i = table->stored.count; i < table->fields.count; i++) {
    const Relation *made = table->fields.items[i]->relation;
    if (has_same_columns(made->keys, made->key_count, relation->keys, relation->key_count)) return true;
  }
  return false;
}

static Code add_relation(Layout *layout, LayoutTable *table, const Relation *relation, Error *err) {
  if (table_has_relation(table, relation)) return CODE_OK;
  LayoutTable *target = made_table(layout, relation->target->table);
  Relation *made = ARENA_NEW(layout->arena, Relation);
  Field *field = ARENA_NEW(layout->arena, Field);
  if (made == NULL || field == NULL) return error_no_memory(err);
  *made = *relation;
  *field = *relation->field;
  field->resource = table->made;
  field->index = (uint32_t)table->fields.count;
  field->relation = made;
  made->field = field;
  made->inverse = NULL;
  made->source = table->made;
  made->target = target->made;
  made->keys = made_columns(layout, table, relation->keys, relation->key_count);
  TRY_ALLOC(made->keys);
  for (size_t i = 0; i < made->key_count; i++) {
    Field *key = made_column(table, relation->keys[i]->column);
    if (key->is_relation_key) continue;
    key->is_relation_key = true;
    key->relation = made;
    key->target_key = made_column(target, relation->target->keys[i]->column);
  }
  return VEC_PUSH(layout->arena, &table->fields, field) ? CODE_OK : error_no_memory(err);
}

static Code add_unique(Layout *layout, LayoutTable *table, const UniqueGroup *group, Error *err) {
  const Resource seen = {.uniques = table->uniques.items, .unique_count = table->uniques.count};
  if (layout_has_unique(&seen, group)) return CODE_OK;
  UniqueGroup made = *group;
  made.fields = made_columns(layout, table, group->fields, group->count);
  TRY_ALLOC(made.fields);
  return VEC_PUSH(layout->arena, &table->uniques, made) ? CODE_OK : error_no_memory(err);
}

/* Equal ones are made once by the store. */
static Code add_index(Layout *layout, LayoutTable *table, const Index *index, Error *err) {
  IndexField *fields = ARENA_ARRAY(layout->arena, IndexField, index->count);
  TRY_ALLOC(fields);
  for (size_t i = 0; i < index->count; i++)
    fields[i] = (IndexField){made_column(table, index->fields[i].field->column), index->fields[i].is_descending};
  Index made = {fields, index->count, index->where};
  return VEC_PUSH(layout->arena, &table->indexes, made) ? CODE_OK : error_no_memory(err);
}

static Code add_groups(Layout *layout, const Resource *resource, Error *err) {
  LayoutTable *table = made_table(layout, resource->table);
  for (size_t i = 0; i < resource->field_count; i++) {
    if (resource->fields[i]->kind == FIELD_TO_ONE) TRY(add_relation(layout, table, resource->fields[i]->relation, err));
  }
  for (size_t i = 0; i < resource->unique_count; i++) TRY(add_unique(layout, table, &resource->uniques[i], err));
  for (size_t i = 0; i < resource->index_count; i++) TRY(add_index(layout, table, &resource->indexes[i], err));
  return CODE_OK;
}

/* ---- The whole ---- */

static Code finish_table(Layout *layout, LayoutTable *table, Error *err) {
  Resource *made = table->made;
  made->field_by_name = map_on(layout->arena);
  for (size_t i = 0; i < table->fields.count; i++) {
    if (!map_put(&made->field_by_name, table->fields.items[i]->name, (void *)table->fields.items[i])) return error_no_memory(err);
  }
  made->keys = made_columns(layout, table, made->keys, made->key_count);
  TRY_ALLOC(made->keys);
  made->fields = table->fields.items;
  made->field_count = table->fields.count;
  made->stored = (const Field *const *)table->stored.items;
  made->stored_count = table->stored.count;
  made->uniques = table->uniques.items;
  made->unique_count = table->uniques.count;
  made->indexes = table->indexes.items;
  made->index_count = table->indexes.count;
  return CODE_OK;
}

static Code finish(Layout *layout, Error *err) {
  Contract *made = layout->made;
  const Resource **resources = (const Resource **)arena_calloc(layout->arena, layout->table_count, sizeof *resources);
  TRY_ALLOC(resources);
  for (size_t i = 0; i < layout->table_count; i++) {
    TRY(finish_table(layout, &layout->tables[i], err));
    resources[i] = layout->tables[i].made;
    bool is_kept = map_put(&made->resource_by_name, resources[i]->name, (void *)resources[i]) &&
                   map_put(&made->resource_by_path, resources[i]->path, (void *)resources[i]);
    if (!is_kept) return error_no_memory(err);
  }
  made->resources = resources;
  made->resource_count = layout->table_count;
  return CODE_OK;
}

Code layout_create(const Contract *const *contracts, size_t count, Arena *arena, const Contract **ret, Error *err) {
  Layout layout = {.contracts = contracts, .count = count, .arena = arena, .made = ARENA_NEW(arena, Contract)};
  size_t table_max = 0;
  for (size_t i = 0; i < count; i++) table_max += contracts[i]->resource_count;
  layout.tables = ARENA_ARRAY(arena, LayoutTable, table_max);
  if (layout.made == NULL || layout.tables == NULL) return error_no_memory(err);
  *layout.made = *contracts[0];
  layout.made->arena = NULL; /* nobody's to destroy */
  layout.made->resource_by_name = map_on(arena);
  layout.made->resource_by_path = map_on(arena);
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < contracts[i]->resource_count; k++) TRY(add_resource(&layout, contracts[i]->resources[k], err));
  }
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < contracts[i]->resource_count; k++) TRY(add_groups(&layout, contracts[i]->resources[k], err));
  }
  TRY(finish(&layout, err));
  *ret = layout.made;
  return CODE_OK;
}
