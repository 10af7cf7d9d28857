/* grpc_groups.c - a group's keys, then its metrics, each in the map of its function. */
#include "api/grpc_groups.h"

#include "api/answer_limit.h"
#include "codec/protobuf.h"

static const Field *last_of(const ExprPath *path) { return path->member_count > 0 ? path->members[path->member_count - 1] : path->field; }

static void write_map(GrpcGroupSink *sink, Str map, Str key, const Field *field, const Value *value) {
  const ProtoField *member = proto_field(sink->groups->message, map);
  if (member != NULL) proto_write_map_value(&sink->out, member->number, key, field, value);
}

static void write_metric(GrpcGroupSink *sink, const Metric *metric, const Value *value) {
  static const Str maps[] = {[METRIC_COUNT] = STR_INIT("count"),
                             [METRIC_SUM] = STR_INIT("sum"),
                             [METRIC_AVG] = STR_INIT("avg"),
                             [METRIC_MIN] = STR_INIT("min"),
                             [METRIC_MAX] = STR_INIT("max")};
  if (metric->kind == METRIC_COUNT) {
    const ProtoField *count = proto_field(sink->groups->message, maps[METRIC_COUNT]);
    if (count != NULL) protobuf_add_int(&sink->out.buf, count->number, value->integer);
    return;
  }
  /* An average is a Float whatever it is of. */
  write_map(sink, maps[metric->kind], metric->field->name, metric->kind == METRIC_AVG ? NULL : metric->field, value);
}

static Code group_row(ResultSink *base, const Selection *selection, const Value *values, Error *err) {
  (void)selection;
  GrpcGroupSink *sink = (GrpcGroupSink *)base;
  const Aggregate *aggregate = sink->aggregate;
  Buf *out = &sink->out.buf;
  size_t group = protobuf_begin(out, sink->groups->number);
  for (size_t i = 0; i < aggregate->by_count; i++) write_map(sink, STR("by"), sink->by_names[i], last_of(&aggregate->by[i]), &values[i]);
  for (size_t i = 0; i < aggregate->metric_count; i++) write_metric(sink, &aggregate->metrics[i], &values[aggregate->by_count + i]);
  protobuf_end(out, group);
  if (sink->out.scratch != NULL) arena_reset(sink->out.scratch);
  return out->failed == CODE_OK ? CODE_OK : answer_failed(out, "groups", err);
}

static void group_restart(ResultSink *base) { buf_clear(&((GrpcGroupSink *)base)->out.buf); }

void grpc_group_sink_init(GrpcGroupSink *sink, const ProtoMessage *answer, const Aggregate *aggregate, const Str *by_names, Arena *arena,
                          size_t bytes_max) {
  *sink = (GrpcGroupSink){.base = {.row = group_row, .restart = group_restart},
                          .aggregate = aggregate,
                          .by_names = by_names,
                          .groups = proto_field(answer, STR("groups")),
                          .out = proto_out(arena, bytes_max)};
}
