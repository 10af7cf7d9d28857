/* protobuf_test.c - bytes from protobuf.dev's own examples, and what is no message. */
#include "codec/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Every record as text: "1:150", "2:'testing'", "3x…" for fixed numbers; a failure ends it with "!". */
static void describe(Str bytes, Buf *out) {
  ProtobufReader reader = protobuf_reader(bytes);
  for (;;) {
    ProtobufRecord record;
    bool has_record;
    Error err;
    Code code = protobuf_next(&reader, &record, &has_record, &err);
    if (code != CODE_OK) {
      assert_int_equal(code, CODE_BAD_REQUEST);
      buf_add_byte(out, '!');
    }
    if (code != CODE_OK || !has_record) break;
    switch (record.wire) {
      case PROTOBUF_VARINT: buf_printf(out, "%u:%llu ", record.number, (unsigned long long)record.value); break;
      case PROTOBUF_FIXED64: buf_printf(out, "%u:x%llx ", record.number, (unsigned long long)record.value); break;
      case PROTOBUF_FIXED32: buf_printf(out, "%u:w%llx ", record.number, (unsigned long long)record.value); break;
      default: buf_printf(out, "%u:'%.*s' ", record.number, STR_ARGS(record.bytes)); break;
    }
  }
  buf_add_byte(out, '\0');
}

static void assert_read(Str bytes, const char *expected) {
  Buf out = buf_on_heap(4096);
  describe(bytes, &out);
  assert_string_equal(out.ptr, expected);
  buf_done(&out);
}

static void the_documentation_s_examples_are_read(void **state) {
  (void)state;
  assert_read(STR("\x08\x96\x01"), "1:150 ");
  assert_read(STR("\x12\x07testing"), "2:'testing' ");
  assert_read(STR("\x1a\x03\x08\x96\x01"), "3:'\x08\x96\x01' ");
  assert_read(STR("\x22\x05hello\x28\x01\x28\x02\x28\x03"), "4:'hello' 5:1 5:2 5:3 ");
  /* -2 as an int64: ten bytes. */
  assert_read(STR("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "1:18446744073709551614 ");
  assert_read(STR("\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x15\x01\x02\x03\x04"), "1:x3ff8000000000000 2:w4030201 ");
  assert_read(STR(""), "");
}

static void packed_values_are_read_one_by_one(void **state) {
  (void)state;
  Str packed = STR("\x03\x8e\x02\x9e\xa7\x05"); /* protobuf.dev: 3, 270 and 86942 */
  static const uint64_t expected[] = {3, 270, 86942};
  Error err;
  for (size_t i = 0; i < 3; i++) {
    uint64_t value;
    assert_int_equal(protobuf_next_packed(&packed, PROTOBUF_VARINT, &value, &err), CODE_OK);
    assert_true(value == expected[i]);
  }
  assert_int_equal(packed.len, 0);
  uint64_t value;
  packed = STR("\x00\x00\x00\x00\x00\x00\xf8");
  assert_int_equal(protobuf_next_packed(&packed, PROTOBUF_FIXED64, &value, &err), CODE_BAD_REQUEST);
}

static void groups_are_passed_over_and_must_fit(void **state) {
  (void)state;
  assert_read(STR("\x0b\x10\x01\x13\x14\x0c\x28\x05"), "5:5 "); /* 1: group { 2: 1, 2: group {} } */
  assert_read(STR("\x0b\x10\x01"), "!");                        /* no end */
  assert_read(STR("\x0b\x14"), "!");                            /* another's end */
  assert_read(STR("\x0c"), "!");                                /* an end without a beginning */
  char deep[2 * (PROTOBUF_DEPTH_MAX + 1)];
  memset(deep, 0x0b, PROTOBUF_DEPTH_MAX + 1);
  memset(deep + PROTOBUF_DEPTH_MAX + 1, 0x0c, PROTOBUF_DEPTH_MAX + 1);
  assert_read((Str){deep, sizeof deep}, "!");
  assert_read((Str){deep + 1, sizeof deep - 2}, "");
}

static void what_is_cut_or_lies_is_refused(void **state) {
  (void)state;
  assert_read(STR("\x08"), "!");
  assert_read(STR("\x08\x96"), "!");
  assert_read(STR("\x12\x08testing"), "!");
  assert_read(STR("\x12\xff\xff\xff\xff\x0f"), "!");
  assert_read(STR("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "!"); /* a length of 2^64 - 1 */
  assert_read(STR("\x09\x00\x00\x00\x00\x00\x00\xf8"), "!");
  assert_read(STR("\x15\x01\x02\x03"), "!");
  assert_read(STR("\x00\x01"), "!");                            /* number 0 */
  assert_read(STR("\x80\x80\x80\x80\x10\x01"), "!");            /* number 2^29 */
  assert_read(STR("\xf8\xff\xff\xff\x0f\x01"), "536870911:1 "); /* the last number */
  assert_read(STR("\x0e\x01"), "!");                            /* wire types 6 and 7 */
  assert_read(STR("\x0f\x01"), "!");
  assert_read(STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "1:18446744073709551615 ");
  assert_read(STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "1:9223372036854775807 "); /* a 65th bit is dropped */
  assert_read(STR("\x12\x81\x80\x80\x80\x80\x80\x80\x80\x80\x02x"), "!");                     /* but not of a length */
  assert_read(STR("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "!");                  /* an eleventh byte */
  assert_read(STR("\x08\x80\x00"), "1:0 ");                                                   /* longer than it need be: allowed */
}

static void assert_written(Buf *out, Str expected) {
  assert_int_equal(out->failed, CODE_OK);
  assert_int_equal(out->len, expected.len);
  assert_memory_equal(out->ptr, expected.ptr, expected.len);
  buf_done(out);
}

static void records_are_written_as_the_documentation_has_them(void **state) {
  (void)state;
  Buf out = buf_on_heap(4096);
  protobuf_add_uint(&out, 1, 150);
  protobuf_add_bytes(&out, 2, STR("testing"));
  size_t begin = protobuf_begin(&out, 3);
  protobuf_add_uint(&out, 1, 150);
  protobuf_end(&out, begin);
  begin = protobuf_begin(&out, 6);
  protobuf_write_varint(&out, 3);
  protobuf_write_varint(&out, 270);
  protobuf_write_varint(&out, 86942);
  protobuf_end(&out, begin);
  assert_written(&out, STR("\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x32\x06\x03\x8e\x02\x9e\xa7\x05"));
  protobuf_add_int(&out, 1, -2);
  protobuf_add_double(&out, 1, 1.5);
  assert_written(&out, STR("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x09\x00\x00\x00\x00\x00\x00\xf8\x3f"));
}

static void a_long_message_s_length_is_put_before_it(void **state) {
  (void)state;
  for (size_t len = 0; len < 40000; len = len * 2 + 1) {
    Buf out = buf_on_heap(1 << 20);
    protobuf_add_bool(&out, 1, true);
    size_t outer = protobuf_begin(&out, 2), inner = protobuf_begin(&out, 1);
    for (size_t i = 0; i < len; i++) buf_add_byte(&out, (char)i);
    protobuf_end(&out, inner);
    protobuf_end(&out, outer);
    ProtobufReader reader = protobuf_reader(buf_str(&out));
    ProtobufRecord record;
    bool has_record;
    Error err;
    assert_int_equal(protobuf_next(&reader, &record, &has_record, &err), CODE_OK);
    assert_int_equal(protobuf_next(&reader, &record, &has_record, &err), CODE_OK);
    assert_int_equal(reader.rest.len, 0);
    reader = protobuf_reader(record.bytes);
    assert_int_equal(protobuf_next(&reader, &record, &has_record, &err), CODE_OK);
    assert_int_equal(record.bytes.len, len);
    for (size_t i = 0; i < len; i++) assert_int_equal((uint8_t)record.bytes.ptr[i], (uint8_t)i);
    buf_done(&out);
  }
}

static void a_full_buffer_is_a_sticky_error(void **state) {
  (void)state;
  for (size_t max = 0; max < 400; max++) {
    Buf out = buf_on_heap(max);
    size_t begin = protobuf_begin(&out, 100);
    for (int i = 0; i < 200; i++) buf_add_byte(&out, 'x');
    protobuf_end(&out, begin);
    assert_int_equal(out.failed, max >= 204 ? CODE_OK : CODE_TOO_LARGE); /* two bytes of tag, two of length */
    assert_true(out.len <= max);
    buf_done(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_documentation_s_examples_are_read),
      cmocka_unit_test(packed_values_are_read_one_by_one),
      cmocka_unit_test(groups_are_passed_over_and_must_fit),
      cmocka_unit_test(what_is_cut_or_lies_is_refused),
      cmocka_unit_test(records_are_written_as_the_documentation_has_them),
      cmocka_unit_test(a_long_message_s_length_is_put_before_it),
      cmocka_unit_test(a_full_buffer_is_a_sticky_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
