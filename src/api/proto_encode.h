/* proto_encode.h - Results as protobuf, straight from typed values (INTERFACE §5). The sink writes a row as soon as it was read, without a
 * tree and, but for lists, JSON and embedded objects, without an allocation. A selection's items carry their ProtoField in `face`
 * (ProtoResource.whole, proto_select.h). */
#pragma once
#include "api/proto_schema.h"
#include "base/buf.h"
#include "base/vec.h"
#include "query/result.h"

/* Where messages go, and where the JSON inside values is taken apart. */
typedef struct ProtoOut {
  Buf buf;
  Arena *scratch; /* made when it is needed; emptied behind every row */
} ProtoOut;

/* The scratch is freed with `arena`. */
ProtoOut proto_out(Arena *arena, size_t bytes_max);

/* Collects rows: each as the record `number` of the message around them (a list's `products`), or, with number 0, bare: one row that is the
 * whole answer. */
typedef struct ProtoSink {
  ResultSink base; /* first: the engine knows only this */
  uint32_t number;
  ProtoOut out;
  size_t begin_bytes; /* of what was there before: kept by a restart */
  size_t row_count;
  bool has_row_ends; /* keeps where each row ends */
  VEC(size_t) row_ends;
} ProtoSink;

void proto_sink_init(ProtoSink *sink, uint32_t number, Arena *arena, size_t bytes_max);
/* Puts the key alone where an array's row was written but may not be read by its writer. Needs has_row_ends. */
void proto_sink_place_hidden(ProtoSink *sink, const ProtoResource *resource, const Result *result);

/* One row's fields, without a length before them. */
void proto_write_row(ProtoOut *out, const Selection *selection, const Value *values);
/* A row of which its writer may see the key alone: `key` in the order of the resource's. */
void proto_write_key(ProtoOut *out, const ProtoResource *resource, const Value *key);
/* A google.protobuf.Value in JSON's form (INTERFACE §2) as the record `number`; null too. `field` is whose value it is: a BigInt is a
 * string, a Decimal has its scale; NULL: neither. */
void proto_write_value(ProtoOut *out, uint32_t number, const Field *field, const Value *value);
/* One entry of a `map<string, google.protobuf.Value>`. */
void proto_write_map_value(ProtoOut *out, uint32_t number, Str key, const Field *field, const Value *value);
/* google.protobuf.Timestamp as the record `number`. */
void proto_write_timestamp(Buf *out, uint32_t number, int64_t us);
