/* change_record.c - what a write has stored, as rows of the table of changes in the same transaction: they are there if and only if the
 * write is. New rows of one resource that come one behind the other are recorded together, by one statement. */
#include "base/map.h"
#include "query/change_image.h"
#include "query/write.h"

static bool is_recorded(const Write *write) {
  const ChangeFeed *feed = write->engine->feed;
  return feed != NULL && feed->is_recording && !write->store.is_dry_run;
}

static Code run(Write *write, const StoreStatement *statement, const Value *params, size_t count, Error *err) {
  write->has_changes = true;
  atomic_fetch_add_explicit(&write->engine->feed->recorded, count, memory_order_relaxed);
  return store_txn_run(write->txn, statement, params, NULL, NULL, NULL, NULL, err);
}

/* What is new has no row before; its own stands in its table. */
static Code store_change(Write *write, ChangeKind kind, const Resource *resource, Str key, const Value *before, Error *err) {
  Buf image = buf_on(write->arena, SIZE_MAX / 2);
  if (before != NULL) change_image_write(&image, resource, before);
  if (image.failed != CODE_OK) return error_no_memory(err);
  const Value params[] = {value_int(write->call->operation.now_us), value_text(resource->table), value_int(kind), value_text(key),
                          before == NULL ? value_null() : value_text(buf_str(&image))};
  return run(write, &write->engine->feed->insert, params, 1, err);
}

/* ---- new rows, one behind the other ---- */

/* So few and so short that reading them is a small step, so many that writing them costs next to nothing. */
enum { CREATED_MAX = 100, CREATED_BYTES_MAX = 16 * 1024 };

static Code store_created(Write *write, Error *err) {
  CreatedRows *created = &write->created;
  size_t count = created->count;
  created->count = 0;
  if (count == 0) return CODE_OK;
  Str keys = buf_str(&created->keys);
  if (count == 1) return store_change(write, CHANGE_CREATED, created->resource, str_slice(keys, 1, keys.len), NULL, err);
  buf_add_byte(&created->keys, ']');
  if (created->keys.failed != CODE_OK) return error_no_memory(err);
  const Value params[] = {value_int(write->call->operation.now_us), value_text(created->resource->table), value_int(CHANGE_CREATED),
                          value_text(buf_str(&created->keys)), value_int((int64_t)count)};
  return run(write, &write->engine->feed->insert_run, params, count, err);
}

static Code note_created(Write *write, const Resource *resource, const Value *row, Error *err) {
  CreatedRows *created = &write->created;
  bool is_full = created->count == CREATED_MAX || created->keys.len >= CREATED_BYTES_MAX;
  if (created->resource != resource || is_full) TRY(store_created(write, err));
  if (created->count == 0) buf_clear(&created->keys);
  created->resource = resource;
  buf_add_byte(&created->keys, created->count == 0 ? '[' : ',');
  change_key_write(&created->keys, resource, row);
  created->count++;
  return created->keys.failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

static Code key_text(Write *write, const Resource *resource, const Value *row, Str *ret, Error *err) {
  Buf key = buf_on(write->arena, SIZE_MAX / 2);
  change_key_write(&key, resource, row);
  return buf_finish(&key, ret, err);
}

void change_record_begin(Write *write) { write->created = (CreatedRows){.keys = buf_on(write->arena, SIZE_MAX / 2)}; }

Code change_record_end(Write *write, Error *err) { return store_created(write, err); }

Code change_record(Write *write, ChangeKind kind, const Resource *resource, const Value *row, const Value *before, Error *err) {
  Str key;
  if (!is_recorded(write)) return CODE_OK;
  if (kind == CHANGE_CREATED) return note_created(write, resource, row, err);
  TRY(store_created(write, err));
  TRY(key_text(write, resource, row, &key, err));
  return store_change(write, kind, resource, key, before, err);
}

/* ---- what goes with a row ---- */

typedef struct Cascade {
  Write *write;
  Map seen; /* rows that are deleted: references may lead in a circle */
} Cascade;

static Code note_seen(Cascade *cascade, const Resource *resource, Str key, bool *ret_is_new, Error *err) {
  Str name = arena_printf(cascade->write->arena, "%u%.*s", resource->index, STR_ARGS(key));
  TRY_ALLOC(name.ptr);
  *ret_is_new = map_get(&cascade->seen, name) == NULL;
  return !*ret_is_new || map_put(&cascade->seen, name, (void *)resource) ? CODE_OK : error_no_memory(err);
}

static Code cascade_from(Cascade *cascade, const Resource *resource, const Value *row, Error *err);

static Code cascade_to(Cascade *cascade, const Relation *relation, const Value *row, Error *err) {
  Str key;
  bool is_new = false;
  TRY(key_text(cascade->write, relation->source, row, &key, err));
  if (relation->on_delete == ON_DELETE_SET_NULL) return store_change(cascade->write, CHANGE_UPDATED, relation->source, key, row, err);
  TRY(note_seen(cascade, relation->source, key, &is_new, err));
  if (!is_new) return CODE_OK;
  TRY(cascade_from(cascade, relation->source, row, err));
  return store_change(cascade->write, CHANGE_DELETED, relation->source, key, row, err);
}

static Code cascade_from(Cascade *cascade, const Resource *resource, const Value *row, Error *err) {
  for (size_t i = 0; i < resource->referrer_count; i++) {
    const Relation *relation = resource->referrers[i];
    if (relation->on_delete == ON_DELETE_RESTRICT || relation->source->key_count == 0) continue;
    WriteRows rows = {0};
    TRY(write_load_referrers(cascade->write, relation, row, &rows, err));
    for (size_t k = 0; k < rows.count; k++) TRY(cascade_to(cascade, relation, rows.items[k], err));
  }
  return CODE_OK;
}

Code change_record_cascade(Write *write, const Resource *resource, const Value *row, Error *err) {
  if (!is_recorded(write) || resource->referrer_count == 0) return CODE_OK;
  TRY(store_created(write, err));
  Cascade cascade = {.write = write, .seen = map_on(write->arena)};
  Str key;
  bool is_new = false;
  TRY(key_text(write, resource, row, &key, err));
  TRY(note_seen(&cascade, resource, key, &is_new, err));
  return cascade_from(&cascade, resource, row, err);
}
