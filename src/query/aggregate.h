/* aggregate.h - AGGREGATE: groups and their metrics, over the rows and fields that the caller may see. Internal to query/. */
#pragma once
#include "query/call_plan.h"

typedef struct AggregateCall AggregateCall;

Code aggregate_plan(Engine *engine, Call *call, Arena *arena, Error *err);
StoreRead *aggregate_read(AggregateCall *aggregate);
void aggregate_finish(const AggregateCall *aggregate, Result *ret);
