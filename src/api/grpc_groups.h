/* grpc_groups.h - groups of an aggregate as messages: maps of field name to google.protobuf.Value. */
#pragma once
#include "api/proto_encode.h"

/* Collects groups, each a record of the answer's `groups`. */
typedef struct GrpcGroupSink {
  ResultSink base; /* first: the engine knows only this */
  const Aggregate *aggregate;
  const Str *by_names; /* as they were asked for */
  const ProtoField *groups;
  ProtoOut out;
} GrpcGroupSink;

/* `answer` is the response's message; the rest is borrowed. */
void grpc_group_sink_init(GrpcGroupSink *sink, const ProtoMessage *answer, const Aggregate *aggregate, const Str *by_names, Arena *arena,
                          size_t bytes_max);
