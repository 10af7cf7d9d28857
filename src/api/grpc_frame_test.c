/* grpc_frame_test.c - the envelope is that of "gRPC over HTTP2" (Length-Prefixed-Message) and of Connect's "Enveloped-Message". */
#include "api/grpc_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "codec/gzip.h"

#define BYTES(literal) STR(literal)

static Code read_only(Str body, size_t max, bool has_compression, Arena *arena, Str *ret) {
  Error err = {0};
  return grpc_frame_read_only(body, max, has_compression, arena, ret, &err);
}

static void a_message_is_read_and_written(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str message;
  assert_int_equal(read_only(BYTES("\0\0\0\0\3abc"), 100, false, arena, &message), CODE_OK);
  assert_true(str_equal(message, STR("abc")));
  assert_int_equal(read_only(BYTES("\0\0\0\0\0"), 100, false, arena, &message), CODE_OK);
  assert_int_equal(message.len, 0);
  Buf out = buf_on(arena, 100);
  grpc_frame_write(&out, 0, false, STR("abc"));
  assert_true(str_equal(buf_str(&out), BYTES("\0\0\0\0\3abc")));
  buf_clear(&out);
  grpc_frame_write(&out, GRPC_WEB_FRAME_END, true, STR("x"));
  assert_true(str_equal(buf_str(&out), BYTES("\x80\0\0\0\1x")));
  arena_destroy(arena);
}

static void lengths_that_lie_are_refused(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str message;
  assert_int_equal(read_only(BYTES(""), 100, false, arena, &message), CODE_METHOD_NOT_ALLOWED);
  assert_int_equal(read_only(BYTES("\0\0\0\0"), 100, false, arena, &message), CODE_BAD_REQUEST);
  assert_int_equal(read_only(BYTES("\0\0\0\0\4abc"), 100, false, arena, &message), CODE_BAD_REQUEST);
  assert_int_equal(read_only(BYTES("\0\0\0\0\2abc"), 100, false, arena, &message), CODE_METHOD_NOT_ALLOWED);
  assert_int_equal(read_only(BYTES("\0\377\377\377\377abc"), 100, false, arena, &message), CODE_TOO_LARGE);
  assert_int_equal(read_only(BYTES("\0\0\0\0\3abc"), 2, false, arena, &message), CODE_TOO_LARGE);
  assert_int_equal(read_only(BYTES("\2\0\0\0\3abc"), 100, false, arena, &message), CODE_BAD_REQUEST);
  assert_int_equal(read_only(BYTES("\x80\0\0\0\3abc"), 100, false, arena, &message), CODE_BAD_REQUEST);
  assert_int_equal(read_only(BYTES("\1\0\0\0\3abc"), 100, false, arena, &message), CODE_INTERNAL);
  assert_int_equal(read_only(BYTES("\1\0\0\0\3abc"), 100, true, arena, &message), CODE_BAD_REQUEST);
  assert_int_equal(read_only(BYTES("\1\0\0\0\0"), 100, true, arena, &message), CODE_OK);
  arena_destroy(arena);
}

static void what_is_compressed_is_bounded_by_what_it_becomes(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  char zeros[10000] = {0};
  Buf out = buf_on(arena, sizeof zeros);
  grpc_frame_write(&out, 0, true, (Str){zeros, sizeof zeros});
  assert_int_equal(out.ptr[0], GRPC_FRAME_COMPRESSED);
  assert_true(out.len < 200);
  Str message;
  assert_int_equal(read_only(buf_str(&out), sizeof zeros, true, arena, &message), CODE_OK);
  assert_true(str_equal(message, (Str){zeros, sizeof zeros}));
  assert_int_equal(read_only(buf_str(&out), sizeof zeros - 1, true, arena, &message), CODE_TOO_LARGE);
  assert_int_equal(read_only(buf_str(&out), sizeof zeros, false, arena, &message), CODE_INTERNAL);
  arena_destroy(arena);
}

/* Text without order gets no smaller: it goes as it is. */
static void what_gets_no_smaller_is_not_compressed(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  char noise[1000];
  uint64_t seed = 88172645463325252u;
  for (size_t i = 0; i < sizeof noise; i++) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    noise[i] = (char)(seed >> 32);
  }
  Buf out = buf_on(arena, 2000);
  grpc_frame_write(&out, 0, true, (Str){noise, sizeof noise});
  assert_int_equal(out.ptr[0], 0);
  assert_int_equal(out.len, sizeof noise + GRPC_FRAME_HEAD_BYTES);
  arena_destroy(arena);
}

static void pieces_of_any_size_make_the_same_messages(void **state) {
  (void)state;
  static const Str stream = STR_INIT("\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\1d\0\0\0\0\2e");
  for (size_t piece = 1; piece <= stream.len; piece++) {
    Arena *arena = arena_create(0);
    GrpcFrameReader reader;
    grpc_frame_reader_init(&reader, 10, false);
    Buf seen = buf_on(arena, 100);
    for (size_t at = 0; at < stream.len; at += piece) {
      Str bytes = str_slice(stream, at, at + piece), message;
      for (bool has_message = true; has_message;) {
        assert_int_equal(grpc_frame_read(&reader, &bytes, arena, &message, &has_message, NULL), CODE_OK);
        if (!has_message) break;
        buf_add(&seen, message);
        buf_add_byte(&seen, '|');
      }
      assert_int_equal(bytes.len, 0);
    }
    assert_true(str_equal(buf_str(&seen), STR("abc||d|")));
    assert_true(grpc_frame_is_partial(&reader));
    grpc_frame_reader_done(&reader);
    arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_is_read_and_written),
      cmocka_unit_test(lengths_that_lie_are_refused),
      cmocka_unit_test(what_is_compressed_is_bounded_by_what_it_becomes),
      cmocka_unit_test(what_gets_no_smaller_is_not_compressed),
      cmocka_unit_test(pieces_of_any_size_make_the_same_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
