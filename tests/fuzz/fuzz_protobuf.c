/* fuzz_protobuf.c - what was read comes back when it is written and read again, and the second writing is the first. */
#include <string.h>

#include "codec/protobuf.h"
#include "property.h"

static void write_record(const ProtobufRecord *record, Buf *out) {
  if (record->wire == PROTOBUF_VARINT) protobuf_add_uint(out, record->number, record->value);
  if (record->wire == PROTOBUF_BYTES) protobuf_add_bytes(out, record->number, record->bytes);
  if (record->wire == PROTOBUF_FIXED64) protobuf_add_double(out, record->number, protobuf_double_of(record->value));
  if (record->wire == PROTOBUF_FIXED32) {
    protobuf_write_tag(out, record->number, PROTOBUF_FIXED32);
    for (int shift = 0; shift < 32; shift += 8) buf_add_byte(out, (char)(uint8_t)(record->value >> shift));
  }
}

/* Everything inside `bytes`; every record lies within them. */
static Code rewrite(Str bytes, Buf *out) {
  ProtobufReader reader = protobuf_reader(bytes);
  for (;;) {
    ProtobufRecord record;
    bool has_record;
    size_t before = reader.rest.len;
    Code code = protobuf_next(&reader, &record, &has_record, NULL);
    if (code != CODE_OK || !has_record) return code;
    PROPERTY(reader.rest.len < before);
    PROPERTY(record.number >= 1 && record.number <= PROTOBUF_NUMBER_MAX);
    if (record.wire == PROTOBUF_BYTES && record.bytes.len > 0)
      PROPERTY(record.bytes.ptr >= bytes.ptr && record.bytes.ptr + record.bytes.len <= bytes.ptr + bytes.len);
    write_record(&record, out);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Buf once = buf_on_heap(SIZE_MAX), twice = buf_on_heap(SIZE_MAX);
  if (rewrite((Str){(const char *)data, size}, &once) == CODE_OK) {
    PROPERTY(rewrite(buf_str(&once), &twice) == CODE_OK);
    PROPERTY(str_equal(buf_str(&once), buf_str(&twice)));
  }
  buf_done(&once);
  buf_done(&twice);
  return 0;
}
