/* protobuf.h - Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding): records of a number, a wire type and a value. It
 * knows no schema; what a number means is its user's. Thread-safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* The numbers of the wire. */
typedef enum ProtobufWire {
  PROTOBUF_VARINT = 0,
  PROTOBUF_FIXED64 = 1,
  PROTOBUF_BYTES = 2,
  PROTOBUF_GROUP_BEGIN = 3,
  PROTOBUF_GROUP_END = 4,
  PROTOBUF_FIXED32 = 5
} ProtobufWire;

enum {
  PROTOBUF_NUMBER_MAX = (1 << 29) - 1,
  PROTOBUF_DEPTH_MAX = 100, /* messages inside messages, and groups inside groups: what other implementations take */
  PROTOBUF_VARINT_MAX = 10  /* bytes */
};

/* ---- reading ---- */

/* What is left of a message's bytes. */
typedef struct ProtobufReader {
  Str rest;
} ProtobufReader;

/* One record. Groups, which no schema of ours has, are passed over by the reader: what is inside them is never given. */
typedef struct ProtobufRecord {
  uint32_t number;   /* 1 … PROTOBUF_NUMBER_MAX */
  ProtobufWire wire; /* VARINT, FIXED64, BYTES or FIXED32 */
  uint64_t value;    /* of the first two and FIXED32 */
  Str bytes;         /* BYTES: borrowed of what is read */
} ProtobufRecord;

static inline ProtobufReader protobuf_reader(Str bytes) { return (ProtobufReader){bytes}; }
/* The next record; *ret_has is false at the message's end. CODE_BAD_REQUEST where the bytes are no message. */
Code protobuf_next(ProtobufReader *reader, ProtobufRecord *ret, bool *ret_has, Error *err);
/* The next of a packed field's values, at the beginning of *rest, which it moves on. CODE_BAD_REQUEST where there is none whole. */
Code protobuf_next_packed(Str *rest, ProtobufWire wire, uint64_t *ret, Error *err);

/* A double as its 64 bits, and back. */
static inline uint64_t protobuf_bits_of(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}
static inline double protobuf_double_of(uint64_t bits) {
  double number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

/* ---- writing ---- */

size_t protobuf_varint_size(uint64_t value);
void protobuf_write_varint(Buf *out, uint64_t value);
void protobuf_write_fixed64(Buf *out, uint64_t value);
static inline void protobuf_write_tag(Buf *out, uint32_t number, ProtobufWire wire) {
  protobuf_write_varint(out, (uint64_t)number << 3 | (uint64_t)wire);
}

/* Whole records. Zero is written too: whether a field's default is left out is its user's to say. */
void protobuf_add_uint(Buf *out, uint32_t number, uint64_t value);
/* A negative int32 or int64 takes ten bytes, as the format has it. */
static inline void protobuf_add_int(Buf *out, uint32_t number, int64_t value) { protobuf_add_uint(out, number, (uint64_t)value); }
static inline void protobuf_add_bool(Buf *out, uint32_t number, bool value) { protobuf_add_uint(out, number, value ? 1 : 0); }
void protobuf_add_double(Buf *out, uint32_t number, double value);
void protobuf_add_bytes(Buf *out, uint32_t number, Str bytes);

/* A record whose bytes are written between begin and end: a message inside a message, a packed list. The length is put before them at the
 * end, so that nothing is measured twice. */
size_t protobuf_begin(Buf *out, uint32_t number);
void protobuf_end(Buf *out, size_t begin);
