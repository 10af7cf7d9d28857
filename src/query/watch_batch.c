/* watch_batch.c - a batch of changes, told to those who watch. What a change is to a group follows from what the group could see of the row
 * before it (by the image that the change keeps) and after it (by the image of the row's next change, else by the row as it is now). What
 * is sent is always the row as it is now: who comes back with an old position learns nothing that he may not see any more.
 *
 * Rules and filters that need the row alone are judged here, for all groups by the same images; the others ask the store, a statement a
 * group. Each group's events are handed over as soon as it has been judged. */
#include "query/change_image.h"
#include "query/watch_hub.h"

enum { GROUPS_ASKING_MAX = 32, CONTENT_BYTES_MAX = 64 * 1024 * 1024 };
#define NO_ROW SIZE_MAX

typedef struct BatchEntity {
  const Value *key; /* as stored */
  size_t index;     /* in BatchTable.now */
  size_t last_row;
} BatchEntity;

typedef struct BatchRow {
  const ChangeRow *change;
  BatchEntity *entity;
  const Value *before; /* NULL: none, or not readable under this contract */
  size_t next;         /* the entity's next change in the batch; NO_ROW: what is now */
} BatchRow;

/* The changes of one resource, as one contract sees it. */
typedef struct BatchTable {
  struct WatchBatch *batch;
  const Resource *resource;
  Engine *engine;
  Arena *arena; /* its read may go on beside others */
  VEC(BatchRow) rows;
  VEC(BatchEntity *) entities;
  Map by_key;
  const Value **keys, **now; /* by entity */
  bool is_unreadable;        /* something in it does not fit the contract */
  struct BatchTable *next;
} BatchTable;

/* A group and what it sees of its table's rows. */
typedef struct WatchVerdicts {
  ResultSink sink; /* first: the engine knows only this */
  struct WatchBatch *batch;
  Watch *lead;
  WatchGroup *group;
  BatchTable *table;
  size_t *rows; /* of the table's */
  size_t count;
  bool *before;  /* by the table's row */
  bool *is_seen; /* by entity: now */
  Str *content;  /* by entity; NULL: made when it is sent */
  Arena *arena;  /* of what it asks the store; NULL: nothing yet */
  Call call;
  CallGroup calls;
  struct WatchVerdicts *next;
} WatchVerdicts;

typedef struct WatchBatch {
  WatchLane *lane;
  Arena *arena;
  int64_t now_us;
  BatchTable *tables;
  WatchVerdicts *groups, *next_group;
  size_t loading, asking;
  bool has_failed, is_running;
  Buf content, frame; /* of the event at hand */
} WatchBatch;

static void destroy_arena(void *arena) { arena_destroy(arena); }

static Arena *arena_beside(WatchBatch *batch) {
  Arena *arena = arena_create(0);
  if (arena == NULL || arena_defer(batch->arena, destroy_arena, arena)) return arena;
  arena_destroy(arena);
  return NULL;
}

/* ---- the rows of a table ---- */

static Code add_entity(BatchTable *table, const ChangeRow *change, BatchEntity **ret, Error *err) {
  BatchEntity *entity = map_get(&table->by_key, change->key);
  *ret = entity;
  if (entity != NULL) return CODE_OK;
  entity = ARENA_NEW(table->arena, BatchEntity);
  TRY_ALLOC(entity);
  TRY(change_key_parse(change->key, table->resource, table->arena, &entity->key, err));
  *entity = (BatchEntity){.key = entity->key, .index = table->entities.count, .last_row = NO_ROW};
  if (!map_put(&table->by_key, change->key, entity) || !VEC_PUSH(table->arena, &table->entities, entity)) return error_no_memory(err);
  *ret = entity;
  return CODE_OK;
}

static Code add_row(BatchTable *table, const ChangeRow *change, Error *err) {
  BatchRow row = {.change = change, .next = NO_ROW};
  Code code = add_entity(table, change, &row.entity, err);
  if (code != CODE_OK) return code == CODE_UNAVAILABLE ? code : CODE_OK; /* of another contract's making: not this one's row */
  if (change->before.ptr != NULL) {
    code = change_image_parse(change->before, table->resource, table->arena, &row.before, err);
    if (code == CODE_UNAVAILABLE) return code;
  }
  size_t last = row.entity->last_row;
  if (last != NO_ROW) table->rows.items[last].next = table->rows.count;
  row.entity->last_row = table->rows.count;
  return VEC_PUSH(table->arena, &table->rows, row) ? CODE_OK : error_no_memory(err);
}

static Code add_rows(BatchTable *table, Error *err) {
  const WatchLane *lane = table->batch->lane;
  for (size_t i = 0; i < lane->rows.count; i++) {
    if (str_equal(lane->rows.items[i].source, table->resource->table)) TRY(add_row(table, &lane->rows.items[i], err));
  }
  table->keys = ARENA_ARRAY(table->arena, const Value *, table->entities.count);
  table->now = ARENA_ARRAY(table->arena, const Value *, table->entities.count);
  TRY_ALLOC(table->keys);
  TRY_ALLOC(table->now);
  for (size_t i = 0; i < table->entities.count; i++) table->keys[i] = table->entities.items[i]->key;
  return CODE_OK;
}

static Code find_table(WatchBatch *batch, const Watch *lead, BatchTable **ret, Error *err) {
  const Resource *resource = lead->operation.resource;
  for (BatchTable *table = batch->tables; table != NULL; table = table->next) {
    *ret = table;
    if (table->resource == resource && table->engine == lead->engine) return CODE_OK;
  }
  BatchTable *table = ARENA_NEW(batch->arena, BatchTable);
  Arena *arena = arena_beside(batch);
  TRY_ALLOC(table);
  TRY_ALLOC(arena);
  *table = (BatchTable){.batch = batch, .resource = resource, .engine = lead->engine, .arena = arena, .by_key = map_on(arena)};
  TRY(add_rows(table, err));
  table->next = batch->tables;
  batch->tables = table;
  *ret = table;
  return CODE_OK;
}

/* ---- the groups that are concerned ---- */

static bool concerns(const Watch *lead, const ChangeRow *change) {
  return lead->key_text.ptr == NULL || str_equal(lead->key_text, change->key);
}

static Code add_group(WatchBatch *batch, WatchGroup *group, Error *err) {
  BatchTable *table = NULL;
  TRY(find_table(batch, group->first, &table, err));
  if (table->rows.count == 0) return CODE_OK;
  WatchVerdicts *verdicts = ARENA_NEW(batch->arena, WatchVerdicts);
  TRY_ALLOC(verdicts);
  verdicts->rows = ARENA_ARRAY(batch->arena, size_t, table->rows.count);
  TRY_ALLOC(verdicts->rows);
  for (size_t i = 0; i < table->rows.count; i++) {
    if (concerns(group->first, table->rows.items[i].change)) verdicts->rows[verdicts->count++] = i;
  }
  if (verdicts->count == 0) return CODE_OK;
  verdicts->batch = batch;
  verdicts->lead = group->first;
  verdicts->group = group;
  verdicts->table = table;
  verdicts->next = batch->groups;
  batch->groups = verdicts;
  return CODE_OK;
}

/* ---- handing over ---- */

static const Value *key_shown(const BatchTable *table, const BatchEntity *entity, Value *ret) {
  for (size_t i = 0; i < table->resource->key_count; i++) {
    const Field *field = table->resource->keys[i];
    ret[i] = entity->key[i];
    if (field->type == TYPE_ENUM && ret[i].type == VALUE_TEXT) ret[i].text = enum_name_of(field->enum_type, ret[i].text);
  }
  return ret;
}

/* The row from memory, as a read would give it. */
static Code write_content(WatchVerdicts *verdicts, const Value *row, Buf *out, Error *err) {
  const Selection *selection = verdicts->lead->operation.selection;
  Value *values = ARENA_ARRAY(verdicts->batch->arena, Value, selection->count);
  TRY_ALLOC(values);
  for (size_t i = 0; i < selection->count; i++) {
    const Field *field = selection->items[i].field;
    values[i] = row[field->stored_index];
    if (field->type == TYPE_ENUM && values[i].type == VALUE_TEXT) values[i].text = enum_name_of(field->enum_type, values[i].text);
  }
  return verdicts->lead->encoder->write(verdicts->lead, selection, values, out, err);
}

static bool find_kind(const WatchVerdicts *verdicts, size_t at, WatchKind *ret) {
  const BatchRow *row = &verdicts->table->rows.items[at];
  bool was_seen = verdicts->before[at], is_shown = verdicts->is_seen[row->entity->index];
  if (row->change->kind == CHANGE_DELETED) {
    *ret = WATCH_DELETED;
    return was_seen;
  }
  bool is_seen = row->next == NO_ROW ? is_shown : verdicts->before[row->next];
  *ret = !was_seen ? WATCH_CREATED : is_seen ? WATCH_UPDATED : WATCH_REMOVED;
  if (is_seen) return is_shown; /* else a later change tells what became of it */
  /* A row that is gone altogether was deleted, which its own change will tell. */
  return was_seen && !(row->next == NO_ROW && verdicts->table->now[row->entity->index] == NULL);
}

static void send_to_all(WatchVerdicts *verdicts, const ChangeRow *change, const ChangePosition *position, const WatchEvent *event,
                        Str frame) {
  WatchLane *lane = verdicts->batch->lane;
  uint64_t now_ms = loop_now_ms(lane->hub->loop), sent = 0;
  for (Watch *watch = verdicts->group->first; watch != NULL; watch = watch->next) {
    if (!watch->is_started || watch->is_closing || watch->is_behind || change_position_covers(&watch->at, change->transaction, change->seq))
      continue;
    watch->at = *position;
    watch->sent_ms = now_ms;
    sent++;
    if (watch->encoder->send(watch, event, frame) || watch->is_closing) continue;
    watch->is_full = watch->is_behind = true;
    watch->full_ms = now_ms;
    lane->behind++;
  }
  atomic_fetch_add_explicit(&lane->hub->feed->sent, sent, memory_order_relaxed);
}

static Code send_row(WatchVerdicts *verdicts, size_t at, WatchKind kind, Error *err) {
  WatchBatch *batch = verdicts->batch;
  const BatchRow *row = &verdicts->table->rows.items[at];
  const WatchLane *lane = batch->lane;
  char text[CHANGE_POSITION_BYTES_MAX];
  ChangePosition position = {
      .from = lane->range[CHANGE_RANGE_FROM].integer, .to = lane->range[CHANGE_RANGE_TO].integer, .seq = row->change->seq};
  Value *key = ARENA_ARRAY(batch->arena, Value, verdicts->table->resource->key_count);
  TRY_ALLOC(key);
  WatchEvent event = {
      .kind = kind, .position = change_position_write(&position, text), .key = key_shown(verdicts->table, row->entity, key)};
  buf_clear(&batch->content);
  buf_clear(&batch->frame);
  bool has_content = kind == WATCH_CREATED || kind == WATCH_UPDATED;
  if (has_content && verdicts->content == NULL)
    TRY(write_content(verdicts, verdicts->table->now[row->entity->index], &batch->content, err));
  if (has_content) event.content = verdicts->content == NULL ? buf_str(&batch->content) : verdicts->content[row->entity->index];
  if (verdicts->lead->encoder->frame != NULL) verdicts->lead->encoder->frame(verdicts->lead, &event, &batch->frame);
  Code failed = batch->content.failed != CODE_OK ? batch->content.failed : batch->frame.failed;
  if (failed != CODE_OK) return error_set(err, failed, "a row is too large for an event");
  send_to_all(verdicts, row->change, &position, &event, buf_str(&batch->frame));
  return CODE_OK;
}

static void end_group(WatchVerdicts *verdicts) {
  for (Watch *watch = verdicts->group->first; watch != NULL; watch = watch->next)
    watch_end(watch, CODE_UNAVAILABLE, "the store could not tell what is to be sent: come back with the position");
}

static void hand_over(WatchVerdicts *verdicts) {
  Error err = {0};
  for (size_t i = 0; i < verdicts->count; i++) {
    WatchKind kind;
    if (!find_kind(verdicts, verdicts->rows[i], &kind)) continue;
    if (send_row(verdicts, verdicts->rows[i], kind, &err) == CODE_OK) continue;
    end_group(verdicts);
    return;
  }
}

/* ---- judging ---- */

static void run_groups(WatchBatch *batch);

static void batch_over(WatchBatch *batch) {
  WatchLane *lane = batch->lane;
  bool is_done = !batch->has_failed;
  buf_done(&batch->content);
  buf_done(&batch->frame);
  watch_lane_finish(lane, is_done);
}

static Code judge_row(const WatchVerdicts *verdicts, const Value *row, bool *ret, Error *err) {
  const Watch *lead = verdicts->lead;
  ExprEnv env = {.caller = lead->operation.caller, .now_us = verdicts->batch->now_us, .row = row};
  *ret = false;
  return row == NULL ? CODE_OK : expr_eval_bool(lead->verdict, &env, verdicts->batch->arena, ret, err);
}

static Code judge_near(WatchVerdicts *verdicts, Error *err) {
  const BatchTable *table = verdicts->table;
  for (size_t i = 0; i < verdicts->count; i++) {
    size_t at = verdicts->rows[i];
    const BatchRow *row = &table->rows.items[at];
    TRY(judge_row(verdicts, row->before, &verdicts->before[at], err));
    if (row->next == NO_ROW) TRY(judge_row(verdicts, table->now[row->entity->index], &verdicts->is_seen[row->entity->index], err));
  }
  return CODE_OK;
}

static bool needs_content(const WatchVerdicts *verdicts, const BatchEntity *entity) {
  return verdicts->table->now[entity->index] != NULL && (verdicts->lead->is_far || verdicts->is_seen[entity->index]);
}

/* ---- asking the store for what is shown now ---- */

static Code on_content(ResultSink *sink, const Selection *selection, const Value *values, Error *err) {
  WatchVerdicts *verdicts = (WatchVerdicts *)sink;
  BatchTable *table = verdicts->table;
  Watch *lead = verdicts->lead;
  (void)selection;
  Value *row = ARENA_ARRAY(verdicts->arena, Value, table->resource->stored_count);
  TRY_ALLOC(row);
  for (size_t i = 0; i < table->resource->key_count; i++) {
    const Field *field = table->resource->keys[i];
    row[field->stored_index] = plan_stored_value(field, values[lead->operation.selection->count + i]);
  }
  Buf key = buf_on(verdicts->arena, CONTENT_BYTES_MAX);
  change_key_write(&key, table->resource, row);
  const BatchEntity *entity = map_get(&table->by_key, buf_str(&key));
  if (entity == NULL) return CODE_OK;
  Buf content = buf_on(verdicts->arena, CONTENT_BYTES_MAX);
  TRY(lead->encoder->write(lead, lead->operation.selection, values, &content, err));
  TRY(buf_finish(&content, &verdicts->content[entity->index], err));
  verdicts->is_seen[entity->index] = true;
  return CODE_OK;
}

static void on_content_restart(ResultSink *sink) {
  WatchVerdicts *verdicts = (WatchVerdicts *)sink;
  memset(verdicts->is_seen, 0, verdicts->table->entities.count * sizeof *verdicts->is_seen);
}

static Value key_value(const Field *field, Value stored, bool is_listed) {
  if (is_listed && field->type == TYPE_ENUM && stored.type == VALUE_TEXT) stored.text = enum_name_of(field->enum_type, stored.text);
  return stored;
}

static const Expr *key_path(const Field *field, Arena *arena) {
  ExprPath path = {.root = EXPR_ROOT_ROW, .resource = field->resource, .field = field};
  return expr_path(arena, &path);
}

static const Expr *one_key(const Resource *resource, const Value *key, Arena *arena) {
  const Expr *all = NULL;
  for (size_t i = 0; i < resource->key_count; i++) {
    const Expr *path = key_path(resource->keys[i], arena), *value = expr_literal(arena, key_value(resource->keys[i], key[i], false));
    const Expr *equal = path == NULL || value == NULL ? NULL : expr_compare(arena, EXPR_EQ, path, value);
    all = equal == NULL ? NULL : expr_and(arena, all, equal);
    if (all == NULL) return NULL;
  }
  return all;
}

/* A single key is in a list, whatever its length one shape; of composite ones each is a condition. */
static const Expr *keys_scope(const Resource *resource, const Value *const *keys, size_t count, Arena *arena) {
  if (count == 1) return one_key(resource, keys[0], arena);
  if (resource->key_count == 1) {
    Value *items = ARENA_ARRAY(arena, Value, count);
    for (size_t i = 0; items != NULL && i < count; i++) items[i] = key_value(resource->keys[0], keys[i][0], true);
    const Expr *path = key_path(resource->keys[0], arena);
    const Expr *list = items == NULL ? NULL : expr_literal(arena, (Value){.type = VALUE_LIST, .list = {items, count}});
    return path == NULL || list == NULL ? NULL : expr_compare(arena, EXPR_IN, path, list);
  }
  const Expr **any = ARENA_ARRAY(arena, const Expr *, count);
  for (size_t i = 0; any != NULL && i < count; i++) {
    any[i] = one_key(resource, keys[i], arena);
    if (any[i] == NULL) return NULL;
  }
  return any == NULL ? NULL : expr_call(arena, EXPR_OR, any, count);
}

static void group_over(WatchVerdicts *verdicts, bool is_judged) {
  WatchBatch *batch = verdicts->batch;
  if (is_judged)
    hand_over(verdicts);
  else
    end_group(verdicts);
  batch->asking--;
  run_groups(batch);
}

static void on_listed(CallGroup *calls) {
  WatchVerdicts *verdicts = calls->context;
  group_over(verdicts, verdicts->call.result.code == CODE_OK);
}

static Code list_now(WatchVerdicts *verdicts, Error *err) {
  BatchTable *table = verdicts->table;
  Watch *lead = verdicts->lead;
  const Value **keys = ARENA_ARRAY(verdicts->arena, const Value *, table->entities.count);
  verdicts->content = ARENA_ARRAY(verdicts->arena, Str, table->entities.count);
  TRY_ALLOC(keys);
  TRY_ALLOC(verdicts->content);
  size_t count = 0;
  for (size_t i = 0; i < verdicts->count; i++) {
    const BatchRow *row = &table->rows.items[verdicts->rows[i]];
    if (row->next == NO_ROW && needs_content(verdicts, row->entity)) keys[count++] = row->entity->key;
  }
  memset(verdicts->is_seen, 0, table->entities.count * sizeof *verdicts->is_seen);
  if (count == 0) {
    group_over(verdicts, true);
    return CODE_OK;
  }
  Operation operation = lead->operation;
  operation.selection = lead->keyed;
  operation.now_us = verdicts->batch->now_us;
  const Expr *scope = keys_scope(table->resource, keys, count, verdicts->arena);
  TRY_ALLOC(scope);
  operation.list.scope = expr_and(verdicts->arena, operation.list.scope, scope);
  TRY_ALLOC(operation.list.scope);
  operation.list.limit = (int64_t)count;
  operation.list.is_export = true;
  verdicts->sink = (ResultSink){.row = on_content, .restart = on_content_restart};
  verdicts->call = (Call){.operation = operation, .sink = &verdicts->sink};
  verdicts->calls = (CallGroup){.calls = &verdicts->call, .count = 1, .arena = verdicts->arena, .done = on_listed, .context = verdicts};
  TRY(engine_plan(lead->engine, &verdicts->calls));
  engine_execute(lead->engine, &verdicts->calls);
  return CODE_OK;
}

static void on_judged(void *context, Code code) {
  WatchVerdicts *verdicts = context;
  Error err = {0};
  if (code != CODE_OK || list_now(verdicts, &err) != CODE_OK) group_over(verdicts, false);
}

static Code judge_far(WatchVerdicts *verdicts, Error *err) {
  const BatchTable *table = verdicts->table;
  const Value **images = ARENA_ARRAY(verdicts->arena, const Value *, table->rows.count);
  TRY_ALLOC(images);
  bool any = false;
  for (size_t i = 0; i < verdicts->count; i++) {
    images[verdicts->rows[i]] = table->rows.items[verdicts->rows[i]].before;
    any = any || images[verdicts->rows[i]] != NULL;
  }
  if (!any) return list_now(verdicts, err);
  return watch_judge(verdicts->lead, images, verdicts->before, table->rows.count, verdicts->batch->now_us, verdicts->arena, on_judged,
                     verdicts, err);
}

/* ---- one group after another ---- */

static bool shows_anything(const WatchVerdicts *verdicts) {
  for (size_t i = 0; i < verdicts->count; i++) {
    const BatchRow *row = &verdicts->table->rows.items[verdicts->rows[i]];
    if (verdicts->is_seen[row->entity->index]) return true;
  }
  return false;
}

/* True where the group's events are made from what is in memory. */
static Code start_group(WatchVerdicts *verdicts, bool *ret_is_over, Error *err) {
  WatchBatch *batch = verdicts->batch;
  const Watch *lead = verdicts->lead;
  verdicts->before = ARENA_ARRAY(batch->arena, bool, verdicts->table->rows.count);
  verdicts->is_seen = ARENA_ARRAY(batch->arena, bool, verdicts->table->entities.count);
  *ret_is_over = false;
  TRY_ALLOC(verdicts->before);
  TRY_ALLOC(verdicts->is_seen);
  if (verdicts->table->is_unreadable) return error_set(err, CODE_INTERNAL, "a row does not fit the contract");
  if (!lead->is_far) TRY(judge_near(verdicts, err));
  *ret_is_over = !lead->is_far && (lead->is_plain || !shows_anything(verdicts));
  if (*ret_is_over) return CODE_OK;
  verdicts->arena = arena_beside(batch);
  TRY_ALLOC(verdicts->arena);
  return lead->is_far ? judge_far(verdicts, err) : list_now(verdicts, err);
}

static void run_groups(WatchBatch *batch) {
  if (batch->is_running) return;
  batch->is_running = true;
  while (batch->next_group != NULL && batch->asking < GROUPS_ASKING_MAX) {
    WatchVerdicts *verdicts = batch->next_group;
    Error err = {0};
    bool is_over = false;
    batch->next_group = verdicts->next;
    batch->asking++;
    Code code = start_group(verdicts, &is_over, &err);
    if (code != CODE_OK || is_over) group_over(verdicts, code == CODE_OK);
  }
  batch->is_running = false;
  if (batch->next_group == NULL && batch->asking == 0) batch_over(batch);
}

/* ---- the batch ---- */

static void on_loaded(void *context, Code code) {
  BatchTable *table = context;
  WatchBatch *batch = table->batch;
  /* A store that is lost, or busy, is asked again; a value that does not fit will not do so the next time either. */
  table->is_unreadable = code != CODE_OK && code != CODE_UNAVAILABLE && code != CODE_TIMEOUT;
  batch->has_failed = batch->has_failed || (code != CODE_OK && !table->is_unreadable);
  if (--batch->loading > 0) return;
  if (batch->has_failed)
    batch_over(batch);
  else
    run_groups(batch);
}

static Code prepare(WatchBatch *batch, Error *err) {
  for (WatchGroup *group = batch->lane->groups; group != NULL; group = group->next) TRY(add_group(batch, group, err));
  batch->next_group = batch->groups;
  return CODE_OK;
}

void watch_batch_run(WatchLane *lane) {
  Error err = {0};
  WatchBatch *batch = lane->rows.count == 0 ? NULL : ARENA_NEW(lane->arena, WatchBatch);
  if (batch == NULL) {
    watch_lane_finish(lane, lane->rows.count == 0);
    return;
  }
  *batch = (WatchBatch){.lane = lane,
                        .arena = lane->arena,
                        .now_us = loop_wall_us(lane->hub->loop),
                        .content = buf_on_heap(CONTENT_BYTES_MAX),
                        .frame = buf_on_heap(CONTENT_BYTES_MAX),
                        .loading = 1};
  lane->batch = batch;
  batch->has_failed = prepare(batch, &err) != CODE_OK;
  for (BatchTable *table = batch->tables; !batch->has_failed && table != NULL; table = table->next) {
    if (table->entities.count == 0) continue;
    batch->loading++;
    Code code =
        watch_load(table->engine, table->resource, table->keys, table->now, table->entities.count, table->arena, on_loaded, table, &err);
    if (code == CODE_OK) continue;
    batch->loading--;
    batch->has_failed = true;
  }
  /* One more than the loads, so that it can't be over before all are under way. */
  BatchTable none = {.batch = batch};
  on_loaded(&none, CODE_OK);
}
