/* watch.c - opening and ending watches: what they have in common with others decides with whom they stand. */
#include "query/watch.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "codec/hash.h"
#include "query/change_image.h"
#include "query/watch_hub.h"

enum { SHAPE_BYTES_MAX = 1024 * 1024 };

/* ---- what it shares ---- */

static void shape_value(Buf *shape, const Value *value) {
  buf_add_byte(shape, (char)value->type);
  if (value->type == VALUE_LIST) {
    buf_add_uint64(shape, value->list.count);
    for (size_t i = 0; i < value->list.count; i++) shape_value(shape, &value->list.items[i]);
    return;
  }
  bool is_text = value->type == VALUE_TEXT || value->type == VALUE_DECIMAL || value->type == VALUE_BYTES || value->type == VALUE_JSON;
  if (!is_text) {
    int64_t bits = value->type == VALUE_NULL ? 0 : value->type == VALUE_BOOL ? value->boolean : value->integer;
    buf_add(shape, (Str){(const char *)&bits, sizeof bits});
    return;
  }
  buf_add(shape, (Str){(const char *)&value->text.len, sizeof value->text.len});
  buf_add(shape, value->text);
}

/* The outline of the list says it all: shape and parameters of its rules, its filter and its selection, as they are for this caller. What
 * depends on the time stays open, or two would be taken for the same that differ a minute later. */
static Code make_shape(Engine *engine, Watch *watch, Arena *scratch, Error *err) {
  ReadCall call = {.operation = &watch->operation, .limits = &engine->limits, .dialect = engine->dialect, .arena = scratch};
  call.input = plan_input_on(scratch, engine->dialect, watch->operation.caller, watch->operation.now_us);
  call.input.rules.is_timeless = true;
  TRY(read_outline(&call, err));
  Buf shape = buf_on(scratch, SHAPE_BYTES_MAX);
  const void *identity[] = {engine, watch->encoder};
  buf_add(&shape, (Str){(const char *)identity, sizeof identity});
  buf_add(&shape, (Str){(const char *)&watch->form.len, sizeof watch->form.len});
  buf_add(&shape, watch->form);
  buf_add(&shape, buf_str(&call.input.shape));
  for (size_t i = 0; i < call.input.params.count; i++) shape_value(&shape, &call.input.params.items[i]);
  buf_add(&shape, watch->key_text);
  if (shape.failed != CODE_OK) return error_set(err, shape.failed, "the watch asks for too much at once");
  watch->shape = arena_str(watch->arena, buf_str(&shape));
  watch->shape_hash = hash64_seeded(watch->shape, 0);
  return watch->shape.ptr == NULL ? error_no_memory(err) : CODE_OK;
}

static Code make_keyed(Watch *watch, Error *err) {
  const Selection *selection = watch->operation.selection;
  const Resource *resource = watch->operation.resource;
  Selection *keyed = ARENA_NEW(watch->arena, Selection);
  TRY_ALLOC(keyed);
  *keyed = *selection;
  keyed->is_whole = false;
  keyed->items = ARENA_ARRAY(watch->arena, SelectionItem, selection->count + resource->key_count);
  TRY_ALLOC(keyed->items);
  if (selection->count > 0) memcpy(keyed->items, selection->items, selection->count * sizeof *keyed->items);
  for (size_t i = 0; i < resource->key_count; i++)
    keyed->items[keyed->count++] = (SelectionItem){.field = resource->keys[i], .name = resource->keys[i]->name};
  watch->keyed = keyed;
  return CODE_OK;
}

static Code make_key_text(Watch *watch, Error *err) {
  const Resource *resource = watch->operation.resource;
  watch->key_text = (Str){0};
  if (watch->key == NULL) return CODE_OK;
  Value *row = ARENA_ARRAY(watch->arena, Value, resource->stored_count);
  TRY_ALLOC(row);
  for (size_t i = 0; i < resource->key_count; i++)
    row[resource->keys[i]->stored_index] = plan_stored_value(resource->keys[i], watch->key[i]);
  Buf text = buf_on(watch->arena, SHAPE_BYTES_MAX);
  change_key_write(&text, resource, row);
  return buf_finish(&text, &watch->key_text, err);
}

/* ---- what it sees ---- */

/* Whether every row shows the field to this caller. */
static Code is_open(Watch *watch, const Field *field, bool *ret, Error *err) {
  const Expr *rule = field_rule(field, RULE_READ), *reduced = NULL;
  *ret = rule == NULL;
  if (rule == NULL) return CODE_OK;
  ExprEnv env = {.caller = watch->operation.caller, .is_timeless = true};
  TRY(expr_reduce(rule, &env, watch->arena, &reduced, err));
  *ret = expr_is_true(reduced);
  return CODE_OK;
}

/* A client's filter sees null where a field is hidden: only the store tells. */
static Code is_filter_open(Watch *watch, const Expr *filter, bool *ret, Error *err) {
  *ret = true;
  if (filter->path.resource != NULL && filter->path.field != NULL) TRY(is_open(watch, filter->path.field, ret, err));
  for (size_t i = 0; *ret && i < filter->arg_count; i++) TRY(is_filter_open(watch, filter->args[i], ret, err));
  return CODE_OK;
}

static Code reduce_part(Watch *watch, const Expr *part, const Expr **verdict, Error *err) {
  if (part == NULL) return CODE_OK;
  ExprEnv env = {.caller = watch->operation.caller, .is_timeless = true};
  const Expr *reduced = NULL;
  TRY(expr_reduce(part, &env, watch->arena, &reduced, err));
  *verdict = expr_and(watch->arena, *verdict, reduced);
  return *verdict == NULL ? error_no_memory(err) : CODE_OK;
}

static Code make_verdict(Watch *watch, Error *err) {
  const Operation *operation = &watch->operation;
  const Expr *rule = operation->resource->access[RULE_READ], *verdict = NULL;
  TRY(reduce_part(watch, rule == NULL ? expr_bool(false) : rule, &verdict, err));
  TRY(reduce_part(watch, operation->list.filter, &verdict, err));
  TRY(reduce_part(watch, operation->list.scope, &verdict, err));
  bool is_filter_plain = true;
  if (operation->list.filter != NULL) TRY(is_filter_open(watch, operation->list.filter, &is_filter_plain, err));
  assert(verdict != NULL);
  watch->verdict = verdict;
  watch->is_far = verdict->has_relations || !is_filter_plain;
  watch->is_plain = true;
  for (size_t i = 0; watch->is_plain && i < operation->selection->count; i++) {
    const Field *field = operation->selection->items[i].field;
    watch->is_plain = field->kind == FIELD_STORED;
    if (watch->is_plain) TRY(is_open(watch, field, &watch->is_plain, err));
  }
  return CODE_OK;
}

static Code prepare(Engine *engine, Watch *watch, Error *err) {
  ListQuery *list = &watch->operation.list;
  *list = (ListQuery){.filter = list->filter, .scope = list->scope, .limit = -1};
  watch->operation.action = ACTION_LIST;
  TRY(make_key_text(watch, err));
  TRY(make_keyed(watch, err));
  TRY(make_verdict(watch, err));
  Arena *scratch = arena_create(0);
  TRY_ALLOC(scratch);
  Code code = make_shape(engine, watch, scratch, err);
  arena_destroy(scratch);
  return code;
}

/* ---- groups ---- */

static WatchGroup *find_group(const WatchLane *lane, const Watch *watch) {
  for (WatchGroup *group = lane->groups; group != NULL; group = group->next) {
    if (group->shape_hash == watch->shape_hash && str_equal(group->first->shape, watch->shape)) return group;
  }
  return NULL;
}

bool watch_join(WatchLane *lane, Watch *watch) {
  WatchGroup *group = find_group(lane, watch);
  if (group == NULL) {
    group = memory_alloc(sizeof *group);
    if (group == NULL) return false;
    *group = (WatchGroup){.lane = lane, .shape_hash = watch->shape_hash, .next = lane->groups};
    if (group->next != NULL) group->next->previous = group;
    lane->groups = group;
  }
  watch->group = group;
  watch->previous = NULL;
  watch->next = group->first;
  if (watch->next != NULL) watch->next->previous = watch;
  group->first = watch;
  group->count++;
  lane->count++;
  if (!watch->is_started) lane->waiting++;
  watch->round = lane->round + 1;
  return true;
}

static void group_free(WatchGroup *group) {
  if (group->previous != NULL)
    group->previous->next = group->next;
  else
    group->lane->groups = group->next;
  if (group->next != NULL) group->next->previous = group->previous;
  memory_free(group);
}

void watch_leave(Watch *watch) {
  WatchGroup *group = watch->group;
  WatchLane *lane = group->lane;
  if (watch->previous != NULL)
    watch->previous->next = watch->next;
  else
    group->first = watch->next;
  if (watch->next != NULL) watch->next->previous = watch->previous;
  lane->count--;
  if (!watch->is_started) lane->waiting--;
  watch->next = watch->previous = NULL;
  watch->group = NULL;
  if (--group->count == 0) group_free(group);
}

/* ---- its life ---- */

static Code refuse(Watch *watch, Code code, Str detail, Str hint, const Problem **ret_problem) {
  *ret_problem = hint.len > 0 ? problem_with_hint(watch->arena, code, detail, hint) : problem_create(watch->arena, code, detail);
  return code;
}

static Code check_feed(const Engine *engine, Watch *watch, const Problem **ret_problem) {
  const ChangeFeed *feed = engine->feed;
  if (feed == NULL || engine->hub == NULL) return refuse(watch, CODE_NOT_FOUND, STR("nothing can be watched here"), (Str){0}, ret_problem);
  if (!feed->is_recording) return refuse(watch, CODE_NOT_FOUND, feed->refusal, (Str){0}, ret_problem);
  if (watch->operation.resource->key_count == 0)
    return refuse(watch, CODE_NOT_FOUND, STR("rows without a key can't be watched"), (Str){0}, ret_problem);
  if (engine->hub->is_ended) return refuse(watch, CODE_UNAVAILABLE, STR("the server is stopping"), (Str){0}, ret_problem);
  if (watch->after.ptr != NULL && !change_position_parse(watch->after, &watch->at))
    return refuse(watch, CODE_BAD_REQUEST, STR("that is no position of a watch"), STR("take it from an event, as it was"), ret_problem);
  return CODE_OK;
}

/* Who comes back reads what it missed on a lane of its own, or with others that stand where it does. */
static bool take_place(WatchHub *hub, Watch *watch) {
  WatchLane *lane = hub->live;
  if (watch->after.ptr != NULL) {
    lane = watch_lane_find(hub, &watch->at);
    if (lane == NULL) lane = watch_lane_create(hub, &watch->at);
  }
  if (lane == NULL || !watch_join(lane, watch)) return false;
  watch_lane_wake(lane);
  return true;
}

Code watch_open(Engine *engine, Watch *watch, const Problem **ret_problem) {
  TRY(check_feed(engine, watch, ret_problem));
  WatchHub *hub = engine->hub;
  Error err = {0};
  Code code = prepare(engine, watch, &err);
  if (code != CODE_OK) {
    *ret_problem = problem_from_error(watch->arena, &err);
    return code;
  }
  if (atomic_fetch_add(&hub->feed->watches, 1) >= hub->feed->options.watches_max) {
    atomic_fetch_sub(&hub->feed->watches, 1);
    return refuse(watch, CODE_UNAVAILABLE, STR("too many watches are open"), STR("come back later"), ret_problem);
  }
  watch->hub = hub;
  watch->engine = engine;
  watch->sent_ms = loop_now_ms(hub->loop);
  watch->is_started = watch->is_full = watch->is_behind = watch->is_closing = false;
  watch_hub_count_up(hub);
  if (take_place(hub, watch)) return CODE_OK;
  watch_hub_count_down(hub);
  return refuse(watch, CODE_UNAVAILABLE, STR("out of memory"), (Str){0}, ret_problem);
}

void watch_ready(Watch *watch) {
  if (!watch->is_full || watch->is_closing) return;
  watch->is_full = false;
  WatchLane *lane = watch->group->lane;
  if (lane->state != LANE_FULL) return; /* its batch is not over yet */
  lane->state = LANE_IDLE;
  watch_lane_wake(lane);
}

void watch_end_now(Watch *watch) {
  char text[CHANGE_POSITION_BYTES_MAX];
  WatchHub *hub = watch->hub;
  Str position = watch->is_started || watch->after.ptr != NULL ? change_position_write(&watch->at, text) : (Str){0};
  const Problem *problem = watch->end_code == CODE_OK ? NULL : problem_create(watch->arena, watch->end_code, str_of(watch->end_detail));
  watch_leave(watch);
  watch_hub_count_down(hub);
  watch->encoder->ended(watch, problem, position);
}

void watch_end(Watch *watch, Code code, const char *detail) {
  if (watch->group == NULL || watch->is_closing) return;
  WatchLane *lane = watch->group->lane;
  watch->end_code = code;
  watch->end_detail = detail;
  watch->is_closing = true;
  if (lane->state == LANE_BUSY)
    lane->closing++;
  else
    watch_end_now(watch);
}

void watch_close(Watch *watch) { watch_end(watch, CODE_OK, NULL); }
