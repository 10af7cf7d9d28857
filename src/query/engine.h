/* engine.h - runs Operations: access, validation, planning and the store's work, once for all faces. One Engine a loop; used on that loop
 * only. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "contract/model.h"
#include "query/idempotency.h"
#include "query/operation.h"
#include "query/result.h"
#include "store/store.h"

typedef struct Engine Engine;
struct ChangeFeed; /* query/change_feed.h */
struct WatchHub;   /* query/watch.h */

typedef struct EngineLimits {
  int64_t page_size, page_size_max;
  int64_t export_rows_max;
  int64_t groups_max; /* of an aggregate, at once */
  size_t nesting_max;
  size_t batch_max;
  size_t filter_bytes_max;
  size_t result_bytes_max;
  size_t import_bytes_max; /* of a body that comes as a stream of rows */
  size_t plans_max;        /* kept compiled, a loop */
  int64_t queue_wait_us;   /* that a group may expect to wait for the store */
} EngineLimits;

Code engine_create(const Contract *contract, StoreSession *session, const EngineLimits *limits, Engine **ret, Error *err);
/* Before the first group: what is under way in the process. Without it CallGroup.idempotency is passed over. */
void engine_use_keys(Engine *engine, IdempotencyKeys *keys);
/* Before the first group: writes are recorded in the feed, and watches opened on the loop's hub. Without it changes leave no trace. */
void engine_use_changes(Engine *engine, struct ChangeFeed *feed, struct WatchHub *hub);
void engine_destroy(Engine *engine); /* nothing is under way; NULL is fine */
const Contract *engine_contract(const Engine *engine);
const EngineLimits *engine_limits(const Engine *engine);

/* One Operation of a request, and what became of it. Made by a face's decoder on the request's arena. */
typedef struct Call {
  Operation operation;
  ResultSink *sink; /* rows of the answer; NULL: none wanted */
  Arena *arena;     /* reads: the call's own, where its rows may come on another thread than those of other calls; NULL: the group's */
  Result result;    /* filled when the group is done */
  /* Writes only, may be NULL: runs in the transaction just before this Operation; may complete it from earlier results (a batch's $ref).
   * Until then the Operation's input is not looked at. */
  Code (*before)(struct Call *call, void *context, const Problem **ret_problem);
  void *before_context;
  struct CallPlan *plan;   /* the engine's own */
  bool is_refused_replace; /* the engine's own: a read by now, of whether its row is there, which tells the rule that refuses */
} Call;

/* What its caller has written is seen by a request, whichever copy of the database it reads from. Opaque to all but the store. */
typedef struct Freshness {
  uint64_t seen;    /* nothing older than this */
  uint64_t written; /* told where something was */
} Freshness;

/* The calls of one request. Reads run side by side; as soon as one of them writes, all run in order in one transaction, and the first
 * failure rolls all back. */
typedef struct CallGroup {
  Call *calls;
  size_t count;
  Arena *arena;                          /* the request's */
  bool is_partial;                       /* reads alone: a call that is refused has its problem, and the others run */
  void (*done)(struct CallGroup *group); /* on the loop, exactly once, perhaps before engine_execute returns; results are filled */
  void *context;                         /* the caller's own */
  int64_t deadline_us;                   /* monotonic; 0: none. Nobody waits behind it: what has not begun then never does */
  const bool *is_abandoned;              /* the caller's; true: nobody waits for what is read. NULL: somebody always does */
  bool has_waiting;                      /* filled with the results: others were waiting to write when this had been written */
  size_t failed;                         /* index of the call that failed the group; count: none, or the transaction as a whole */
  /* Groups that write, may be NULL: makes the answer inside the transaction, behind the last call, on the store's thread. It may still
   * refuse. Like the calls it may run again. */
  Code (*answer)(struct CallGroup *group, const Problem **ret_problem);
  Freshness *freshness;     /* NULL: only the newest state will do, and nobody asks for the new one */
  Idempotency *idempotency; /* groups that write; NULL: done as often as it is asked for */
  /* the engine's own */
  Engine *engine;
  size_t pending;
  void *state;
  struct ExplainTrace *trace; /* query/explain.h's; NULL: nobody asks */
} CallGroup;

/* The steps, in this order; each fills calls[i].result.problem and returns its code where it refuses. */
Code engine_authorize(Engine *engine, CallGroup *group); /* refused whatever the row: 401, 403 */
Code engine_plan(Engine *engine, CallGroup *group);      /* compiles or finds plans; validates input (422) */
/* False: too much waits for the store before the group, so that it had better come back later. `beside`: how many others of the same client
 * are under way, which may have its places. */
bool engine_has_room(Engine *engine, const CallGroup *group, size_t beside);
void engine_execute(Engine *engine, CallGroup *group);
