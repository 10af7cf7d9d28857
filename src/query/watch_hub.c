/* watch_hub.c - one loop's watches: woken by commits, looked after by the clock. */
#include "query/watch_hub.h"

#include <stdatomic.h>

#include "base/memory.h"

enum { PRUNE_EVERY_MS = 10000, PRUNE_ROWS_MAX = 5000 };

/* ---- the end ---- */

void watch_hub_note_idle(WatchHub *hub) {
  if (hub->idle == NULL || hub->running > 0 || hub->is_pruning) return;
  LoopFn *idle = hub->idle;
  hub->idle = NULL;
  idle(hub->idle_context);
}

void watch_hub_drain(WatchHub *hub, LoopFn *idle, void *context) {
  hub->is_ended = true;
  hub->idle = idle;
  hub->idle_context = context;
  watch_hub_note_idle(hub);
}

/* ---- woken ---- */

static void on_wake(void *context) {
  WatchHub *hub = context;
  atomic_store(&hub->listener.is_posted, false);
  watch_lane_wake(hub->live);
}

void watch_hub_count_up(WatchHub *hub) {
  hub->count++;
  if (hub->is_listening) return;
  hub->is_listening = true;
  /* A read that is under way goes on from where it stood: what is older than a new watch is kept from it by its own position. */
  if (hub->live->state != LANE_BUSY) hub->live->is_known = false;
  hub->polled_ms = loop_now_ms(hub->loop);
  change_feed_listen(hub->feed, &hub->listener);
  loop_timer_start(hub->timer, WATCH_TICK_MS, WATCH_TICK_MS);
}

void watch_hub_count_down(WatchHub *hub) {
  hub->count--;
  atomic_fetch_sub(&hub->feed->watches, 1);
}

/* ---- the clock ---- */

static Str position_to_tell(const WatchLane *lane, Watch *watch, char *text) {
  if (lane->state == LANE_IDLE && lane->is_live && change_position_is_ahead(&lane->at, &watch->at)) watch->at = lane->at;
  return change_position_write(&watch->at, text);
}

static void tick_watch(WatchLane *lane, Watch *watch, uint64_t now_ms, int64_t wall_us) {
  char text[CHANGE_POSITION_BYTES_MAX];
  const ChangeFeedOptions *options = &lane->hub->feed->options;
  if (watch->is_closing) return;
  if (watch->expires_us != 0 && wall_us >= watch->expires_us) {
    watch_end(watch, CODE_UNAUTHENTICATED, "the token has expired");
  } else if (watch_is_late(watch, now_ms)) {
    atomic_fetch_add_explicit(&lane->hub->feed->cut, 1, memory_order_relaxed);
    watch_end(watch, CODE_RATE_LIMITED, "events are taken too slowly: come back with the position");
  } else if (watch->is_started && !watch->is_full && watch->encoder->beat != NULL && now_ms - watch->sent_ms >= options->heartbeat_ms) {
    watch->sent_ms = now_ms;
    watch->encoder->beat(watch, position_to_tell(lane, watch, text));
  }
}

static void tick_lane(WatchLane *lane, uint64_t now_ms, int64_t wall_us) {
  for (WatchGroup *group = lane->groups, *next_group; group != NULL; group = next_group) {
    next_group = group->next;
    for (Watch *watch = group->first, *next; watch != NULL; watch = next) {
      next = watch->next;
      tick_watch(lane, watch, now_ms, wall_us);
    }
  }
}

static Code run_prune(StoreWrite *write, StoreTxn *txn, Error *err) {
  WatchHub *hub = (WatchHub *)((char *)write - offsetof(WatchHub, prune));
  return store_txn_run(txn, &hub->feed->prune, hub->prune_params, NULL, NULL, &hub->pruned_rows, NULL, err);
}

static void pruned(StoreWrite *write, Code code, const Error *err) {
  WatchHub *hub = (WatchHub *)((char *)write - offsetof(WatchHub, prune));
  (void)err;
  hub->is_pruning = code == CODE_OK && hub->pruned_rows > 0 && !hub->is_ended;
  if (hub->is_pruning)
    store_write(hub->session, &hub->prune); /* until nothing is left to let go of */
  else
    watch_hub_note_idle(hub);
}

/* One loop of the process lets go of what is too old, or too much. */
static void prune(WatchHub *hub, uint64_t now_ms) {
  if (!hub->is_pruner || hub->is_pruning || hub->is_ended || now_ms - hub->pruned_ms < PRUNE_EVERY_MS) return;
  hub->pruned_ms = now_ms;
  if (atomic_exchange(&hub->feed->recorded, 0) == 0) return;
  hub->is_pruning = true;
  hub->pruned_rows = 0;
  hub->prune_params[0] = value_int(loop_wall_us(hub->loop) - hub->feed->options.kept_us);
  hub->prune_params[1] = value_int(hub->feed->options.rows_max);
  hub->prune_params[2] = value_int(PRUNE_ROWS_MAX);
  hub->prune = (StoreWrite){.run = run_prune, .done = pruned};
  store_write(hub->session, &hub->prune);
}

static void rest(WatchHub *hub) {
  if (hub->count > 0 || !hub->is_listening) return;
  hub->is_listening = false;
  change_feed_stop_listening(hub->feed, &hub->listener);
  if (hub->is_pruner && !hub->is_ended)
    loop_timer_start(hub->timer, PRUNE_EVERY_MS, PRUNE_EVERY_MS);
  else
    loop_timer_stop(hub->timer);
}

static void tick(void *context) {
  WatchHub *hub = context;
  uint64_t now_ms = loop_now_ms(hub->loop);
  int64_t wall_us = loop_wall_us(hub->loop);
  tick_lane(hub->live, now_ms, wall_us);
  for (WatchLane *lane = hub->lanes; lane != NULL; lane = lane->next) tick_lane(lane, now_ms, wall_us);
  watch_lanes_sweep(hub);
  if (now_ms - hub->polled_ms >= hub->feed->options.poll_ms) {
    hub->polled_ms = now_ms;
    watch_lane_wake(hub->live);
    for (WatchLane *lane = hub->lanes; lane != NULL; lane = lane->next) watch_lane_wake(lane);
  }
  prune(hub, now_ms);
  rest(hub);
}

/* ---- life ---- */

Code watch_hub_create(Loop *loop, StoreSession *session, ChangeFeed *feed, WatchHub **ret, Error *err) {
  WatchHub *hub = memory_alloc(sizeof *hub);
  TRY_ALLOC(hub);
  *hub = (WatchHub){.loop = loop, .session = session, .feed = feed, .dialect = session->driver->dialect};
  hub->listener = (ChangeListener){.loop = loop, .message = {.run = on_wake, .context = hub}};
  const ChangePosition nowhere = {0};
  hub->live = watch_lane_create(hub, &nowhere);
  Code code = hub->live == NULL ? error_no_memory(err) : loop_timer_create(loop, tick, hub, &hub->timer, err);
  if (code != CODE_OK) {
    hub->lanes = NULL;
    watch_hub_destroy(hub);
    return code;
  }
  hub->lanes = NULL;
  hub->live->next = NULL;
  hub->live->is_live = true;
  hub->live->is_known = false;
  hub->is_pruner = feed->is_recording && !atomic_exchange(&feed->has_pruner, true);
  if (hub->is_pruner) loop_timer_start(hub->timer, PRUNE_EVERY_MS, PRUNE_EVERY_MS);
  *ret = hub;
  return CODE_OK;
}

static void end_lane(WatchLane *lane, Code code, const char *detail) {
  for (WatchGroup *group = lane->groups, *next_group; group != NULL; group = next_group) {
    next_group = group->next;
    for (Watch *watch = group->first, *next; watch != NULL; watch = next) {
      next = watch->next;
      watch_end(watch, code, detail);
    }
  }
}

void watch_hub_end_all(WatchHub *hub, Code code, const char *detail, bool is_last) {
  hub->is_ended = hub->is_ended || is_last;
  end_lane(hub->live, code, detail);
  for (WatchLane *lane = hub->lanes; lane != NULL; lane = lane->next) end_lane(lane, code, detail);
  if (is_last && hub->count == 0) rest(hub);
}

size_t watch_hub_count(const WatchHub *hub) { return hub->count; }

void watch_hub_stop(WatchHub *hub) {
  if (hub == NULL) return;
  if (hub->is_listening) change_feed_stop_listening(hub->feed, &hub->listener);
  hub->is_listening = false;
  loop_timer_destroy(hub->timer);
  hub->timer = NULL;
}

/* A wake-up that was posted late may come until the loop is gone. */
void watch_hub_destroy(WatchHub *hub) {
  if (hub == NULL) return;
  while (hub->lanes != NULL) {
    WatchLane *lane = hub->lanes;
    hub->lanes = lane->next;
    watch_lane_destroy(lane);
  }
  if (hub->live != NULL) watch_lane_destroy(hub->live);
  memory_free(hub);
}
