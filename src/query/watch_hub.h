/* watch_hub.h - between the files of watches: a loop's hub, the lanes on which watches stand, the groups that share an evaluation. Internal
 * to query/.
 *
 * A lane reads the table of changes from one position on, in batches. All watches that are up to date stand on the live lane; one that
 * comes back with an older position, or whose reader was slow, has a lane behind it until it has caught up. */
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "query/call_plan.h"
#include "query/watch.h"

enum { WATCH_BATCH_ROWS = 256, WATCH_BATCH_BYTES = 8 * 1024 * 1024, WATCH_LANES_RUNNING_MAX = 4, WATCH_TICK_MS = 500 };

typedef struct WatchLane WatchLane;

/* Watches of equal shape on one lane. */
typedef struct WatchGroup {
  WatchLane *lane;
  Watch *first; /* in whose name the group is asked; never NULL */
  uint64_t shape_hash;
  size_t count;
  struct WatchGroup *next, *previous;
} WatchGroup;

/* One change. The table may hold many new rows' as one record. */
typedef struct ChangeRow {
  int64_t transaction, seq;
  ChangeKind kind;
  Str source, key, before; /* before.ptr NULL: a new row */
} ChangeRow;

typedef enum LaneState {
  LANE_IDLE = 0, /* waits for a commit */
  LANE_QUEUED,   /* has something to read, and waits for its turn */
  LANE_BUSY,     /* reads, evaluates or hands over */
  LANE_FULL      /* its one watch takes nothing for now */
} LaneState;

struct WatchLane {
  WatchHub *hub;
  WatchLane *next;
  ChangePosition at;
  WatchGroup *groups;
  size_t count;   /* watches */
  size_t waiting; /* of them not started */
  size_t closing; /* of them to be ended when the batch is over */
  size_t behind;  /* of them full, to be given a lane of their own */
  uint64_t round; /* reads begun */
  bool is_known;  /* `at` is; else the next read finds where the changes end */
  LaneState state;
  bool is_live;
  bool is_woken; /* there may be more than what is being read */
  /* The batch */
  StoreRead read;
  Arena *arena;
  Value range[CHANGE_RANGE_PARAMS];
  int64_t horizon, last_seq, floor_transaction, floor_seq;
  VEC(ChangeRow) rows;
  size_t row_bytes;    /* of them */
  size_t record_count; /* a record may hold many of them */
  size_t limit;        /* rows of the next batch */
  size_t record_limit; /* records that are read for them */
  struct WatchBatch *batch;
};

struct WatchHub {
  Loop *loop;
  StoreSession *session;
  ChangeFeed *feed;
  const SqlDialect *dialect;
  ChangeListener listener;
  LoopTimer *timer;
  bool is_listening, is_ended, is_pruner;
  WatchLane *live, *lanes; /* lanes: all but the live one */
  size_t count, running;
  uint64_t polled_ms, pruned_ms;
  StoreWrite prune;
  Value prune_params[3];
  int64_t pruned_rows;
  bool is_pruning;
  LoopFn *idle; /* NULL: nobody waits */
  void *idle_context;
};

/* ---- watch_hub.c ---- */
void watch_hub_count_up(WatchHub *hub);
void watch_hub_count_down(WatchHub *hub);
void watch_hub_note_idle(WatchHub *hub); /* something under way has ended */

/* ---- watch_lane.c ---- */
void watch_lane_wake(WatchLane *lane); /* it may have something to read */
/* Its batch is over: what closed meanwhile is ended, who was too slow gets a lane, then it reads on where there is more. `is_done`: the
 * batch was handed over; false: it must be read again, later. */
void watch_lane_finish(WatchLane *lane, bool is_done);
/* NULL when memory is out. */
WatchLane *watch_lane_create(WatchHub *hub, const ChangePosition *at);
/* One at the position that has not begun to read; NULL: none. */
WatchLane *watch_lane_find(WatchHub *hub, const ChangePosition *at);
void watch_lanes_sweep(WatchHub *hub); /* those that nobody stands on any more are freed */
void watch_lane_destroy(WatchLane *lane);

/* ---- watch.c ---- */
bool watch_join(WatchLane *lane, Watch *watch); /* into its group, made if need be; false when memory is out */
void watch_leave(Watch *watch);                 /* out of it */
/* It leaves and is told, at once or when its lane's batch is over; CODE_OK: by its own wish. `detail` is static. */
void watch_end(Watch *watch, Code code, const char *detail);
void watch_end_now(Watch *watch);
static inline bool watch_is_late(const Watch *watch, uint64_t now_ms) {
  return watch->is_full && now_ms - watch->full_ms >= watch->hub->feed->options.lag_ms;
}

/* ---- watch_batch.c ---- */
/* Evaluates the lane's rows for its groups and hands the events over; watch_lane_finish is called at the end, now or later. */
void watch_batch_run(WatchLane *lane);

/* ---- watch_load.c ---- */

typedef void WatchLoadedFn(void *context, Code code);

/* Rows by key as they are now, whoever may see them. rows[i] is whole, NULL where there is none. `loaded` comes later, on the loop. */
Code watch_load(Engine *engine, const Resource *resource, const Value *const *keys, const Value **rows, size_t count, Arena *arena,
                WatchLoadedFn *loaded, void *context, Error *err);
/* Whether the watch's caller might see rows that were, and whether they match: for those that are not NULL. */
Code watch_judge(Watch *watch, const Value *const *images, bool *verdicts, size_t count, int64_t now_us, Arena *arena,
                 WatchLoadedFn *loaded, void *context, Error *err);
