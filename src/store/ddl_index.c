/* ddl_index.c - see ddl_index.h. */
#include "store/ddl_index.h"

void ddl_write_index_name(Buf *out, const DdlIndex *index, size_t number) {
  buf_add(out, index->resource->table);
  for (size_t i = 0; i < index->count; i++) {
    buf_add_byte(out, '_');
    buf_add(out, index->fields[i].field->column);
    if (index->fields[i].is_descending) buf_add(out, STR("_desc"));
  }
  buf_add(out, index->is_unique ? STR("_unique") : STR("_index"));
  if (number < 2) return;
  buf_add_byte(out, '_');
  buf_add_uint64(out, number);
}

static bool fields_begin_with(const Field *const *fields, size_t count, const Field *const *keys, size_t key_count) {
  for (size_t i = 0; i < key_count; i++) {
    if (i >= count || fields[i] != keys[i]) return false;
  }
  return true;
}

static bool index_begins_with(const DdlIndex *index, const Field *const *keys, size_t key_count) {
  for (size_t i = 0; i < key_count; i++) {
    if (i >= index->count || index->fields[i].field != keys[i]) return false;
  }
  return true;
}

static bool index_is_among(const DdlIndex *index, const DdlIndex *indexes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    bool is_equal = indexes[i].count == index->count && indexes[i].is_unique == index->is_unique;
    for (size_t k = 0; is_equal && k < index->count; k++) {
      is_equal =
          indexes[i].fields[k].field == index->fields[k].field && indexes[i].fields[k].is_descending == index->fields[k].is_descending;
    }
    if (is_equal) return true;
  }
  return false;
}

static const IndexField *ascending(const Field *const *fields, size_t count, Arena *arena) {
  IndexField *ret = ARENA_ARRAY(arena, IndexField, count);
  for (size_t i = 0; ret != NULL && i < count; i++) ret[i].field = fields[i];
  return ret;
}

static bool relation_needs_index(const Relation *relation, const DdlIndex *indexes, size_t count) {
  const Resource *source = relation->source;
  if (fields_begin_with(source->keys, source->key_count, relation->keys, relation->key_count)) return false;
  for (size_t i = 0; i < count; i++) {
    if (index_begins_with(&indexes[i], relation->keys, relation->key_count)) return false;
  }
  return true;
}

const DdlIndex *ddl_indexes(const Resource *resource, Arena *arena, size_t *ret_count) {
  DdlIndex *indexes = ARENA_ARRAY(arena, DdlIndex, resource->unique_count + resource->index_count + resource->field_count);
  size_t count = 0;
  if (indexes == NULL) return NULL;
  for (size_t i = 0; i < resource->unique_count; i++) {
    const UniqueGroup *group = &resource->uniques[i];
    DdlIndex index = {resource, ascending(group->fields, group->count, arena), group->count, true};
    if (index.fields == NULL) return NULL;
    if (!index_is_among(&index, indexes, count)) indexes[count++] = index;
  }
  for (size_t i = 0; i < resource->index_count; i++) {
    /* `where` is left out: an index over all rows serves the same reads. */
    DdlIndex index = {resource, resource->indexes[i].fields, resource->indexes[i].count, false};
    if (!index_is_among(&index, indexes, count)) indexes[count++] = index;
  }
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind != FIELD_TO_ONE || !relation_needs_index(field->relation, indexes, count)) continue;
    DdlIndex index = {resource, ascending(field->relation->keys, field->relation->key_count, arena), field->relation->key_count, false};
    if (index.fields == NULL) return NULL;
    indexes[count++] = index;
  }
  *ret_count = count;
  return indexes;
}
