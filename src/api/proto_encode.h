/* proto_encode.h - Results as protobuf, straight from typed values (INTERFACE §5). The sink writes a row as soon as it was read, without a
 * tree and without an allocation a value. A selection's items carry their ProtoField in `face` (proto_select.h makes them). */
#pragma once
#include "api/proto_schema.h"
#include "base/buf.h"
#include "base/vec.h"
#include "query/result.h"

/* Collects rows: each as the record `number` of the message around them (a list's `products`), or, with number 0, bare (one row that is the
 * whole answer). `begin` is what `out` held at first, which a restart keeps. */
typedef struct ProtoSink {
  ResultSink base; /* first: the engine knows only this */
  uint32_t number;
  Buf out;
  size_t begin_bytes;
  size_t row_count;
  bool has_row_ends; /* keeps where each row ends */
  VEC(size_t) row_ends;
} ProtoSink;

void proto_sink_init(ProtoSink *sink, uint32_t number, Arena *arena, size_t bytes_max);
/* One row's fields, without a length before them. */
void proto_write_row(const Selection *selection, const Value *values, Buf *out);
/* One field's value; null: nothing. */
void proto_write_field(const ProtoField *field, const Selection *nested, const Value *value, Buf *out);
/* A row of which its writer may see the key alone: its fields, `key` in the order of the resource's. */
void proto_write_key(const ProtoResource *resource, const Value *key, Buf *out);
/* Puts the key alone where an array's row was written but may not be read by its writer. Needs has_row_ends. */
void proto_sink_place_hidden(ProtoSink *sink, const ProtoResource *resource, const Result *result, Arena *arena);
/* A value in JSON's form as the record `number`, a google.protobuf.Value (aggregates, JSON fields). `text` is valid JSON. */
Code proto_write_json_value(uint32_t number, Str text, Buf *out);
/* google.protobuf.Timestamp as the record `number`. */
void proto_write_timestamp(uint32_t number, int64_t us, Buf *out);
