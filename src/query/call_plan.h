/* call_plan.h - what the engine keeps of a Call between its steps. Internal to query/. */
#pragma once
#include "query/change_feed.h"
#include "query/plan_cache.h"
#include "query/read_call.h"
#include "query/watch.h"

struct Engine {
  const Contract *contract;
  StoreSession *session;
  const SqlDialect *dialect;
  EngineLimits limits;
  IdempotencyKeys *keys; /* borrowed; NULL: none */
  ChangeFeed *feed;      /* borrowed; NULL: changes are not recorded */
  WatchHub *hub;         /* borrowed; NULL: nothing is watched here */
  PlanCache *reads;      /* StorePlan by shape */
  PlanCache *statements; /* StoreStatement by shape: what writes run */
  Arena *arena;          /* of wholes */
  Selection *wholes;     /* by Resource.index: every visible stored field */
};

typedef struct CallPlan {
  ReadCall *read; /* GET, LIST */
  struct AggregateCall *aggregate;
  struct WriteRow **rows; /* writes: validated input, in order */
  size_t row_count;
} CallPlan;

/* What a single row's reader asked of it (RFC 9110 §13): not found, or not as it was to be; else whether it is not modified. */
Code read_check_conditions(Call *call, uint64_t tag, Arena *arena);

/* A read of `operation` (GET or LIST), outlined, planned and ready for the store. */
Code read_call_create(Engine *engine, const Operation *operation, ResultSink *sink, Arena *arena, ReadCall **ret, Error *err);
