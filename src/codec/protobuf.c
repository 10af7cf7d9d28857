/* protobuf.c - the wire format, read with every length checked and written straight into a buffer. */
#include "codec/protobuf.h"

enum { TAG_BITS = 3 };

/* ---- reading ---- */

static Code bad(Error *err, const char *what) { return error_set(err, CODE_BAD_REQUEST, "not a protobuf message: %s", what); }

/* The tenth byte holds the 64th bit alone. What it has besides is dropped from values, as the format's own implementations do; a tag or a
 * length that has such does not fit. */
static Code read_varint(Str *rest, bool is_value, uint64_t *ret, Error *err) {
  uint64_t value = 0;
  for (size_t i = 0; i < rest->len && i < PROTOBUF_VARINT_MAX; i++) {
    uint8_t byte = (uint8_t)rest->ptr[i];
    if (i == PROTOBUF_VARINT_MAX - 1 && byte > 1 && !is_value) return bad(err, "a varint is longer than 64 bits");
    value |= (uint64_t)(byte & 0x7fu) << (7 * i);
    if (byte < 0x80) {
      *rest = str_slice(*rest, i + 1, rest->len);
      *ret = value;
      return CODE_OK;
    }
  }
  return bad(err, rest->len < PROTOBUF_VARINT_MAX ? "it ends inside a varint" : "a varint is longer than 64 bits");
}

static Code read_fixed(Str *rest, size_t size, uint64_t *ret, Error *err) {
  if (rest->len < size) return bad(err, "it ends inside a number");
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value |= (uint64_t)(uint8_t)rest->ptr[i] << (8 * i);
  *rest = str_slice(*rest, size, rest->len);
  *ret = value;
  return CODE_OK;
}

static Code read_bytes(Str *rest, Str *ret, Error *err) {
  uint64_t len;
  TRY(read_varint(rest, false, &len, err));
  if (len > rest->len) return bad(err, "a length is larger than what follows");
  *ret = str_slice(*rest, 0, (size_t)len);
  *rest = str_slice(*rest, (size_t)len, rest->len);
  return CODE_OK;
}

static Code read_tag(Str *rest, uint32_t *ret_number, uint32_t *ret_wire, Error *err) {
  uint64_t tag;
  TRY(read_varint(rest, false, &tag, err));
  uint64_t number = tag >> TAG_BITS;
  if (number == 0 || number > PROTOBUF_NUMBER_MAX) return bad(err, "a field's number is out of range");
  *ret_number = (uint32_t)number;
  *ret_wire = (uint32_t)(tag & ((1u << TAG_BITS) - 1));
  return CODE_OK;
}

static Code read_value(Str *rest, uint32_t wire, ProtobufRecord *ret, Error *err) {
  switch (wire) {
    case PROTOBUF_VARINT: return read_varint(rest, true, &ret->value, err);
    case PROTOBUF_FIXED64: return read_fixed(rest, 8, &ret->value, err);
    case PROTOBUF_FIXED32: return read_fixed(rest, 4, &ret->value, err);
    case PROTOBUF_BYTES: return read_bytes(rest, &ret->bytes, err);
    case PROTOBUF_GROUP_END: return bad(err, "a group ends that has not begun");
    default: return bad(err, "a wire type that there is not");
  }
}

/* Passes over a group and those inside it, each of which must end under the number that it began with. */
static Code skip_group(Str *rest, uint32_t number, Error *err) {
  uint32_t open[PROTOBUF_DEPTH_MAX];
  size_t depth = 0;
  open[depth++] = number;
  while (depth > 0) {
    uint32_t wire;
    TRY(read_tag(rest, &number, &wire, err));
    if (wire == PROTOBUF_GROUP_BEGIN) {
      if (depth == PROTOBUF_DEPTH_MAX) return bad(err, "groups are nested too deep");
      open[depth++] = number;
    } else if (wire == PROTOBUF_GROUP_END) {
      if (open[--depth] != number) return bad(err, "a group ends under another's number");
    } else {
      ProtobufRecord unused;
      TRY(read_value(rest, wire, &unused, err));
    }
  }
  return CODE_OK;
}

Code protobuf_next(ProtobufReader *reader, ProtobufRecord *ret, bool *ret_has, Error *err) {
  while (reader->rest.len > 0) {
    uint32_t number, wire;
    TRY(read_tag(&reader->rest, &number, &wire, err));
    if (wire == PROTOBUF_GROUP_BEGIN) {
      TRY(skip_group(&reader->rest, number, err));
      continue;
    }
    ProtobufRecord record = {.number = number};
    TRY(read_value(&reader->rest, wire, &record, err));
    record.wire = (ProtobufWire)wire;
    *ret = record;
    *ret_has = true;
    return CODE_OK;
  }
  *ret_has = false;
  return CODE_OK;
}

Code protobuf_next_packed(Str *rest, ProtobufWire wire, uint64_t *ret, Error *err) {
  if (wire == PROTOBUF_VARINT) return read_varint(rest, true, ret, err);
  return read_fixed(rest, wire == PROTOBUF_FIXED64 ? 8 : 4, ret, err);
}

/* ---- writing ---- */

size_t protobuf_varint_size(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) size++;
  return size;
}

void protobuf_write_varint(Buf *out, uint64_t value) {
  if (out->cap - out->len < PROTOBUF_VARINT_MAX && !buf_reserve(out, protobuf_varint_size(value))) return;
  for (; value >= 0x80; value >>= 7) out->ptr[out->len++] = (char)(uint8_t)(value | 0x80u);
  out->ptr[out->len++] = (char)(uint8_t)value;
}

void protobuf_write_fixed64(Buf *out, uint64_t value) {
  char bytes[8];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(uint8_t)(value >> (8 * i));
  buf_add(out, (Str){bytes, sizeof bytes});
}

void protobuf_add_uint(Buf *out, uint32_t number, uint64_t value) {
  protobuf_write_tag(out, number, PROTOBUF_VARINT);
  protobuf_write_varint(out, value);
}

void protobuf_add_double(Buf *out, uint32_t number, double value) {
  protobuf_write_tag(out, number, PROTOBUF_FIXED64);
  protobuf_write_fixed64(out, protobuf_bits_of(value));
}

void protobuf_add_bytes(Buf *out, uint32_t number, Str bytes) {
  protobuf_write_tag(out, number, PROTOBUF_BYTES);
  protobuf_write_varint(out, bytes.len);
  buf_add(out, bytes);
}

/* One byte is kept for the length, which is enough for most; where it is not, what was written moves. */
size_t protobuf_begin(Buf *out, uint32_t number) {
  protobuf_write_tag(out, number, PROTOBUF_BYTES);
  buf_add_byte(out, 0);
  return out->len;
}

void protobuf_end(Buf *out, size_t begin) {
  if (out->failed != CODE_OK) return;
  size_t len = out->len - begin, size = protobuf_varint_size(len);
  if (size > 1) {
    if (!buf_reserve(out, size - 1)) return;
    memmove(out->ptr + begin + size - 1, out->ptr + begin, len);
  }
  out->len = begin - 1;
  protobuf_write_varint(out, len);
  out->len = begin + size - 1 + len;
}
