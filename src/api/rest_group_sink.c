/* rest_group_sink.c - groups of an aggregate to JSON. */
#include "api/rest_aggregate.h"
#include "api/answer_limit.h"
#include "api/rest_encode.h"

static Code group_row(ResultSink *base, const Selection *selection, const Value *values, Error *err) {
  (void)selection;
  RestGroupSink *sink = (RestGroupSink *)base;
  const RestAggregate *aggregate = sink->aggregate;
  if (sink->row_count++ > 0) buf_add_byte(&sink->out, ',');
  for (size_t i = 0; i < aggregate->piece_count; i++) {
    const RestGroupPiece *piece = &aggregate->pieces[i];
    buf_add(&sink->out, piece->before);
    rest_write_value(sink->map, &piece->form, NULL, &values[piece->value], &sink->out);
  }
  buf_add(&sink->out, aggregate->end);
  return sink->out.failed == CODE_OK ? CODE_OK : answer_failed(&sink->out, "groups", err);
}

static const Str begin = STR_INIT("{\"items\":[");

static void group_restart(ResultSink *base) {
  RestGroupSink *sink = (RestGroupSink *)base;
  buf_clear(&sink->out);
  buf_add(&sink->out, begin);
  sink->row_count = 0;
}

void rest_group_sink_init(RestGroupSink *sink, const RestMap *map, const RestAggregate *aggregate, Arena *arena, size_t bytes_max) {
  *sink = (RestGroupSink){
      .base = {.row = group_row, .restart = group_restart}, .map = map, .aggregate = aggregate, .out = buf_on(arena, bytes_max)};
  buf_add(&sink->out, begin);
}
