/* watch_lane.c - reading the table of changes from a position on: one statement tells how far it may be read, the next one reads. */
#include "base/memory.h"
#include "query/change_image.h"
#include "query/watch_hub.h"

/* ---- a read ---- */

static bool is_open_range(const WatchLane *lane) { return lane->at.from < lane->at.to; }

static void set_range(WatchLane *lane) {
  int64_t to = is_open_range(lane) ? lane->at.to : lane->horizon;
  lane->range[CHANGE_RANGE_FROM] = value_int(is_open_range(lane) ? lane->at.from : lane->at.to);
  lane->range[CHANGE_RANGE_TO] = value_int(to);
  lane->range[CHANGE_RANGE_BEHIND] = value_int(is_open_range(lane) ? lane->at.seq : 0);
  lane->range[CHANGE_RANGE_LIMIT] = value_int((int64_t)lane->record_limit);
}

/* Where the changes end, as far as they can be read. */
static ChangePosition position_of_head(const WatchLane *lane) {
  if (lane->hub->feed->is_serial) return (ChangePosition){.from = 0, .to = 1, .seq = lane->last_seq};
  return (ChangePosition){.from = lane->horizon, .to = lane->horizon};
}

static bool on_bind(StoreRead *read, size_t statement, const Value **ret_params) {
  WatchLane *lane = read->call;
  *ret_params = lane->range;
  if (statement == 0) return true;
  if (!lane->is_known) return false;
  set_range(lane);
  return true;
}

static Code keep_text(const WatchLane *lane, const Value *column, Str *ret, Error *err) {
  *ret = (Str){0};
  if (value_is_null(column)) return CODE_OK;
  *ret = arena_str(lane->arena, column->text);
  return ret->ptr == NULL ? error_no_memory(err) : CODE_OK;
}

static Code add_row(WatchLane *lane, const ChangeRow *row, Error *err) {
  lane->row_bytes += row->key.len + row->before.len;
  return VEC_PUSH(lane->arena, &lane->rows, *row) ? CODE_OK : error_no_memory(err);
}

/* Many changes under the number of the last. What the position has passed already is left out, and what is too much is read again. */
static Code add_run(WatchLane *lane, const ChangeRow *run, Error *err) {
  ChangeRow row = *run;
  Str keys = run->key;
  row.seq -= (int64_t)change_key_count(keys);
  while (lane->rows.count < lane->limit && change_key_next(&keys, &row.key)) {
    row.seq++;
    if (row.seq > lane->range[CHANGE_RANGE_BEHIND].integer) TRY(add_row(lane, &row, err));
  }
  return CODE_OK;
}

static Code on_row(StoreRead *read, size_t statement, const Value *columns, Error *err) {
  WatchLane *lane = read->call;
  if (statement == 0) {
    lane->horizon = columns[CHANGE_HEAD_HORIZON].integer;
    lane->last_seq = columns[CHANGE_HEAD_LAST].integer;
    lane->floor_transaction = columns[CHANGE_HEAD_FLOOR_TRANSACTION].integer;
    lane->floor_seq = columns[CHANGE_HEAD_FLOOR].integer;
    return CODE_OK;
  }
  if (lane->record_count++ > 0 && lane->rows.count >= lane->limit) return CODE_OK; /* the next batch begins with it */
  ChangeRow row = {.transaction = columns[CHANGE_TRANSACTION].integer,
                   .seq = columns[CHANGE_SEQ].integer,
                   .kind = (ChangeKind)columns[CHANGE_KIND].integer};
  TRY(keep_text(lane, &columns[CHANGE_SOURCE], &row.source, err));
  TRY(keep_text(lane, &columns[CHANGE_KEY], &row.key, err));
  TRY(keep_text(lane, &columns[CHANGE_BEFORE], &row.before, err));
  return change_key_count(row.key) > 0 ? add_run(lane, &row, err) : add_row(lane, &row, err);
}

static void on_restart(StoreRead *read) {
  WatchLane *lane = read->call;
  lane->rows.count = lane->row_bytes = lane->record_count = 0;
}

/* ---- what a read finds ---- */

/* Something that was pruned has not been read at this position. */
static bool is_pruned(const WatchLane *lane, const ChangePosition *at) {
  bool is_behind = at->from >= lane->floor_transaction || (at->to >= lane->floor_transaction && at->seq >= lane->floor_seq);
  return !is_behind;
}

static bool is_ahead(const WatchLane *lane, const ChangePosition *at) {
  return lane->hub->feed->is_serial ? at->to != 1 || at->from != 0 || at->seq > lane->last_seq : at->to > lane->horizon;
}

static void end_all(WatchLane *lane, Code code, const char *detail) {
  for (WatchGroup *group = lane->groups; group != NULL; group = group->next) {
    for (Watch *watch = group->first; watch != NULL; watch = watch->next) watch_end(watch, code, detail);
  }
}

static void start_watch(WatchLane *lane, Watch *watch) {
  char text[CHANGE_POSITION_BYTES_MAX];
  if (watch->is_started || watch->is_closing || watch->round > lane->round) return;
  if (watch->after.ptr == NULL) watch->at = position_of_head(lane);
  watch->is_started = true;
  lane->waiting--;
  watch->encoder->started(watch, change_position_write(&watch->at, text));
}

/* Those that were opened before this read began start where it found the end, or where they left off. */
static void start_watches(WatchLane *lane) {
  for (WatchGroup *group = lane->groups; lane->waiting > 0 && group != NULL; group = group->next) {
    for (Watch *watch = group->first; watch != NULL; watch = watch->next) start_watch(lane, watch);
  }
}

static void on_done(StoreRead *read, Code code, const Error *err) {
  WatchLane *lane = read->call;
  (void)err;
  if (code != CODE_OK) { /* the next tick tries again */
    watch_lane_finish(lane, false);
    return;
  }
  if (!lane->is_known) {
    lane->at = position_of_head(lane);
    lane->is_known = true;
  } else if (is_ahead(lane, &lane->at)) {
    end_all(lane, CODE_PRECONDITION_FAILED, "the position is not of this database: read anew, and watch from then on");
  } else if (is_pruned(lane, &lane->at)) {
    end_all(lane, CODE_PRECONDITION_FAILED, "the changes behind this position are no longer kept: read anew, and watch from then on");
  }
  start_watches(lane);
  watch_batch_run(lane);
}

static void read_batch(WatchLane *lane) {
  lane->state = LANE_BUSY;
  lane->is_woken = false;
  lane->hub->running++;
  lane->round++;
  lane->rows = (typeof(lane->rows)){0};
  lane->row_bytes = lane->record_count = 0;
  if (lane->arena == NULL) lane->arena = arena_create(0);
  if (lane->arena == NULL) {
    watch_lane_finish(lane, false);
    return;
  }
  lane->read = (StoreRead){.plan = &lane->hub->feed->read,
                           .arena = lane->arena,
                           .bind = on_bind,
                           .row = on_row,
                           .restart = on_restart,
                           .done = on_done,
                           .call = lane};
  store_read(lane->hub->session, &lane->read);
}

static void run_queued(WatchHub *hub) {
  for (WatchLane *lane = hub->lanes; lane != NULL && hub->running < WATCH_LANES_RUNNING_MAX; lane = lane->next) {
    if (lane->state == LANE_QUEUED) read_batch(lane);
  }
}

void watch_lane_wake(WatchLane *lane) {
  lane->is_woken = true;
  if (lane->state != LANE_IDLE || lane->count == 0) return;
  if (lane->is_live) {
    read_batch(lane);
    return;
  }
  lane->state = LANE_QUEUED;
  run_queued(lane->hub);
}

/* ---- the end of a batch ---- */

static void end_closing(WatchLane *lane) {
  for (WatchGroup *group = lane->groups, *next_group; lane->closing > 0 && group != NULL; group = next_group) {
    next_group = group->next;
    for (Watch *watch = group->first, *next; watch != NULL; watch = next) {
      next = watch->next;
      if (!watch->is_closing) continue;
      lane->closing--;
      watch_end_now(watch); /* with its last watch the group goes too */
    }
  }
  lane->closing = 0;
}

/* A lane for it alone, on which it may take as long as it takes. */
static void move_behind(WatchLane *lane, Watch *watch) {
  watch->is_behind = false;
  if (!lane->is_live && lane->count == 1) {
    lane->at = watch->at;
    return;
  }
  WatchLane *own = watch_lane_create(lane->hub, &watch->at);
  if (own == NULL) {
    watch_end(watch, CODE_UNAVAILABLE, "out of memory");
    return;
  }
  watch_leave(watch);
  if (watch_join(own, watch)) {
    own->state = watch->is_full ? LANE_FULL : LANE_IDLE;
    if (!watch->is_full) watch_lane_wake(own);
    return;
  }
  /* It stands nowhere now: it is told at once. */
  watch_hub_count_down(lane->hub);
  watch->encoder->ended(watch, problem_no_memory(watch->arena), (Str){0});
}

static void move_all_behind(WatchLane *lane) {
  for (WatchGroup *group = lane->groups, *next_group; lane->behind > 0 && group != NULL; group = next_group) {
    next_group = group->next;
    for (Watch *watch = group->first, *next; watch != NULL; watch = next) {
      next = watch->next;
      if (watch->is_behind) move_behind(lane, watch);
    }
  }
  lane->behind = 0;
}

/* Rows of a megabyte are read in small batches, and records of many in few. */
static void adapt_limits(WatchLane *lane) {
  size_t row_bytes = lane->rows.count == 0 ? 1 : lane->row_bytes / lane->rows.count + 1;
  lane->limit = WATCH_BATCH_BYTES / row_bytes;
  if (lane->limit > WATCH_BATCH_ROWS) lane->limit = WATCH_BATCH_ROWS;
  if (lane->limit == 0) lane->limit = 1;
  size_t record_rows = lane->record_count == 0 ? 1 : lane->rows.count / lane->record_count;
  lane->record_limit = record_rows == 0 ? lane->limit : (lane->limit + record_rows - 1) / record_rows;
}

/* True where nothing more was there when the read was made. */
static bool advance(WatchLane *lane) {
  bool was_open = is_open_range(lane);
  bool is_whole = lane->rows.count < lane->limit && lane->record_count < lane->record_limit;
  adapt_limits(lane);
  if (lane->range[CHANGE_RANGE_TO].type != VALUE_INT) return true; /* it has looked for the end alone */
  int64_t from = lane->range[CHANGE_RANGE_FROM].integer, to = lane->range[CHANGE_RANGE_TO].integer;
  int64_t seq = lane->rows.count > 0 ? lane->rows.items[lane->rows.count - 1].seq : lane->range[CHANGE_RANGE_BEHIND].integer;
  bool is_serial = lane->hub->feed->is_serial;
  lane->at = !is_serial && is_whole ? (ChangePosition){.from = to, .to = to} : (ChangePosition){.from = from, .to = to, .seq = seq};
  return is_whole && (is_serial || !was_open);
}

/* They have what the live lane has, or more: what they have had is not sent again. */
static void join_live(WatchLane *lane) {
  WatchLane *live = lane->hub->live;
  if (!live->is_known) {
    live->at = lane->at;
    live->is_known = true;
  }
  if (!change_position_is_ahead(&lane->at, &live->at)) {
    watch_lane_wake(lane);
    return;
  }
  for (WatchGroup *group = lane->groups, *next_group; group != NULL; group = next_group) {
    next_group = group->next;
    for (Watch *watch = group->first, *next; watch != NULL; watch = next) {
      next = watch->next;
      if (!watch->is_started) continue;
      watch->at = lane->at;
      watch_leave(watch);
      if (watch_join(live, watch)) continue;
      watch_hub_count_down(lane->hub);
      watch->encoder->ended(watch, problem_no_memory(watch->arena), (Str){0});
    }
  }
  watch_lane_wake(lane->count > 0 ? lane : live);
}

static bool is_stuck(const WatchLane *lane) { return !lane->is_live && lane->count == 1 && lane->groups->first->is_full; }

void watch_lane_finish(WatchLane *lane, bool is_done) {
  WatchHub *hub = lane->hub;
  bool is_all = true, was_behind = lane->behind > 0;
  if (is_done) is_all = advance(lane);
  lane->batch = NULL;
  lane->range[CHANGE_RANGE_TO] = value_null();
  lane->state = LANE_IDLE;
  hub->running--;
  move_all_behind(lane);
  end_closing(lane);
  if (lane->arena != NULL) arena_reset(lane->arena);
  if (is_stuck(lane))
    lane->state = LANE_FULL;
  else if (is_done && (!is_all || lane->is_woken || lane->waiting > 0 || (was_behind && !lane->is_live)))
    watch_lane_wake(lane);
  else if (is_done && !lane->is_live && lane->count > 0)
    join_live(lane);
  run_queued(hub);
  watch_hub_note_idle(hub);
}

/* ---- their life ---- */

WatchLane *watch_lane_create(WatchHub *hub, const ChangePosition *at) {
  WatchLane *lane = memory_alloc(sizeof *lane);
  if (lane == NULL) return NULL;
  *lane =
      (WatchLane){.hub = hub, .at = *at, .is_known = true, .limit = WATCH_BATCH_ROWS, .record_limit = WATCH_BATCH_ROWS, .next = hub->lanes};
  hub->lanes = lane;
  return lane;
}

WatchLane *watch_lane_find(WatchHub *hub, const ChangePosition *at) {
  for (WatchLane *lane = hub->lanes; lane != NULL; lane = lane->next) {
    bool is_same = lane->at.from == at->from && lane->at.to == at->to && lane->at.seq == at->seq;
    if (lane->state == LANE_QUEUED && is_same) return lane;
  }
  return NULL;
}

void watch_lane_destroy(WatchLane *lane) {
  arena_destroy(lane->arena);
  memory_free(lane);
}

void watch_lanes_sweep(WatchHub *hub) {
  for (WatchLane **link = &hub->lanes; *link != NULL;) {
    WatchLane *lane = *link;
    if (lane->count > 0 || lane->state == LANE_BUSY) {
      link = &lane->next;
      continue;
    }
    *link = lane->next;
    watch_lane_destroy(lane);
  }
}
