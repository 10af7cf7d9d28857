/* rest_aggregate.h - an aggregate's way through REST: its parameters become an Aggregate and the template of a group's JSON; the sink fills
 * the template in. */
#pragma once
#include "api/rest_map.h"
#include "base/buf.h"
#include "query/result.h"

/* One value of a group: what stands before it, in which form it is written, and its place among the row's values. */
typedef struct RestGroupPiece {
  Str before; /* ,"avg":{"stock": */
  RestKey form;
  size_t value;
} RestGroupPiece;

typedef struct RestAggregate {
  Aggregate aggregate;
  const RestGroupPiece *pieces;
  size_t piece_count;
  Str end; /* what closes a group */
} RestAggregate;

/* A group's key as a member of its resource: a BigInt in quotes, a Decimal with its scale. */
RestKey rest_group_form(const Field *field);
/* As what a metric is compared: a count as a BigInt, an exact sum as a Decimal, an average as a Float, the others as their field. `scratch`
 * is given back where there is no such field. */
const Field *rest_metric_literal(const Metric *metric, Field *scratch);

/* Collects groups behind {"items":[ */
typedef struct RestGroupSink {
  ResultSink base; /* first: the engine knows only this */
  const RestMap *map;
  const RestAggregate *aggregate;
  Buf out;
  size_t row_count;
} RestGroupSink;

void rest_group_sink_init(RestGroupSink *sink, const RestMap *map, const RestAggregate *aggregate, Arena *arena, size_t bytes_max);
