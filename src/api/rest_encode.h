/* rest_encode.h - Results as JSON, straight from typed values. The sink is the hot path: it writes a row into the answer's buffer as soon
 * as it was read, without formatting and without an allocation a value. */
#pragma once
#include <stdatomic.h>

#include "api/rest_map.h"
#include "base/buf.h"
#include "base/vec.h"
#include "query/result.h"

/* What the sinks of one batch may hold together. */
typedef struct RestBudget {
  _Atomic size_t bytes;
  size_t bytes_max;
} RestBudget;

/* Collects rows as `{…}`, separated by commas. `begin` is written before the first and kept by a restart. */
typedef struct RestSink {
  ResultSink base; /* first: the engine knows only this */
  const RestMap *map;
  Buf out;
  Str begin; /* of the answer, before its rows */
  size_t row_count;
  bool has_row_ends; /* keeps where each row ends */
  VEC(size_t) row_ends;
  bool is_ended;      /* what follows the rows has been written; a restart takes it back */
  RestBudget *budget; /* shared with other sinks; NULL: none */
  size_t counted_bytes;
} RestSink;

void rest_sink_init(RestSink *sink, const RestMap *map, Arena *arena, size_t bytes_max, Str begin);

/* Puts null where an array's row was written but may not be read by its writer. Needs has_row_ends. */
void rest_sink_place_hidden(RestSink *sink, const Result *result, Arena *arena);

/* One row as a JSON object. */
void rest_write_row(const RestMap *map, const Selection *selection, const Value *values, Buf *out);
/* One value in the form of its member. `key` NULL: a bare value (an aggregate's, say). */
void rest_write_value(const RestMap *map, const RestKey *key, const Selection *nested, const Value *value, Buf *out);

/* What follows a list's rows: `],"nextCursor":…,"prevCursor":…` and the count where it was asked for, and the closing brace. */
void rest_write_list_end(const Result *result, Buf *out);
