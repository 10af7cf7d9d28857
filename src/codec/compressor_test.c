/* compressor_test.c - what every coding promises of pieces: each arrives by itself, whole, and what is read is bounded. */
#include "codec/compressor.h"

#include <brotli/decode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/brotli.h"
#include "codec/gzip.h"
#include "codec/zstd.h"

/* The library's own decoder, in our form. */
typedef struct BrotliReader {
  Decompressor base;
  BrotliDecoderState *state;
} BrotliReader;

static Code brotli_read(Decompressor *base, Str *bytes, size_t bytes_max, Buf *out, Error *err) {
  BrotliReader *reader = (BrotliReader *)base;
  assert_true(buf_reserve(out, bytes_max));
  size_t in = bytes->len, room = bytes_max;
  const uint8_t *next_in = (const uint8_t *)bytes->ptr;
  uint8_t *next_out = (uint8_t *)out->ptr + out->len;
  BrotliDecoderResult result = BrotliDecoderDecompressStream(reader->state, &in, &next_in, &room, &next_out, NULL);
  if (result == BROTLI_DECODER_RESULT_ERROR) return error_set(err, CODE_BAD_REQUEST, "not brotli");
  reader->base.is_between = result == BROTLI_DECODER_RESULT_SUCCESS;
  out->len += bytes_max - room;
  *bytes = str_slice(*bytes, bytes->len - in, bytes->len);
  return CODE_OK;
}

static void brotli_destroy(Decompressor *base) {
  BrotliDecoderDestroyInstance(((BrotliReader *)base)->state);
  free(base);
}

static Decompressor *brotli_reader_create(void) {
  BrotliReader *reader = malloc(sizeof *reader);
  *reader =
      (BrotliReader){.base = {.read = brotli_read, .destroy = brotli_destroy}, .state = BrotliDecoderCreateInstance(NULL, NULL, NULL)};
  return &reader->base;
}

static const struct {
  Compressor *(*compressor)(int level);
  Decompressor *(*decompressor)(void);
  int level;
  bool is_ours; /* the decompressor */
} codings[] = {
    {gzip_compressor_create, gzip_decompressor_create, GZIP_LEVEL_FAST, true},
    {brotli_compressor_create, brotli_reader_create, BROTLI_LEVEL_FAST, false},
    {zstd_compressor_create, zstd_decompressor_create, ZSTD_LEVEL_FAST, true},
};
enum { CODINGS = sizeof codings / sizeof *codings };

static Str make_text(Arena *arena, size_t len) {
  char *text = arena_alloc(arena, len);
  unsigned seed = 9;
  for (size_t i = 0; i < len; i++) text[i] = i % 7 == 0 ? (char)rand_r(&seed) : (char)('a' + i % 5);
  return (Str){text, len};
}

/* Reads all there is, in steps of `step` bytes out. */
static Code read_all(Decompressor *decompressor, Str bytes, size_t step, Buf *out, Error *err) {
  size_t before;
  do {
    before = out->len;
    Code code = decompressor->read(decompressor, &bytes, step, out, err);
    if (code != CODE_OK) return code;
    assert_true(out->len - before <= step);
  } while (bytes.len > 0 || out->len - before == step);
  return CODE_OK;
}

static void each_piece_arrives_by_itself(void **state) {
  (void)state;
  static const size_t lengths[] = {1, 5, 0, 300, 70000, 2, 200000};
  Arena *arena = arena_create(0);
  for (size_t c = 0; c < CODINGS; c++) {
    Compressor *compressor = codings[c].compressor(codings[c].level);
    Decompressor *decompressor = codings[c].decompressor();
    Buf back = buf_on(arena, SIZE_MAX / 2), all = buf_on(arena, SIZE_MAX / 2);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
      Buf coded = buf_on(arena, SIZE_MAX / 2);
      Str text = make_text(arena, lengths[i]);
      buf_add(&all, text);
      assert_int_equal(compressor->add(compressor, text, false, &coded, NULL), CODE_OK);
      assert_int_equal(read_all(decompressor, buf_str(&coded), 1000, &back, NULL), CODE_OK);
      assert_true(str_equal(buf_str(&back), buf_str(&all)));
      assert_false(decompressor->is_between);
    }
    Buf end = buf_on(arena, SIZE_MAX / 2);
    assert_int_equal(compressor->add(compressor, (Str){0}, true, &end, NULL), CODE_OK);
    assert_int_equal(read_all(decompressor, buf_str(&end), 1000, &back, NULL), CODE_OK);
    assert_true(decompressor->is_between && back.len == all.len);
    compressor->destroy(compressor);
    decompressor->destroy(decompressor);
  }
  arena_destroy(arena);
}

static void what_is_compressed_comes_back_and_is_smaller(void **state) {
  (void)state;
  static const size_t lengths[] = {0, 1, 100, 16384, 300000};
  Arena *arena = arena_create(0);
  for (size_t c = 0; c < CODINGS; c++) {
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
      Str text = make_text(arena, lengths[i]);
      Buf small = buf_on(arena, SIZE_MAX / 2), back = buf_on(arena, SIZE_MAX / 2);
      Error err;
      assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), text, &small, &err), CODE_OK);
      assert_true(lengths[i] < 100 || small.len < lengths[i]);
      Decompressor *decompressor = codings[c].decompressor();
      assert_int_equal(read_all(decompressor, buf_str(&small), lengths[i] + 1, &back, &err), CODE_OK);
      assert_true(decompressor->is_between);
      assert_true(str_equal(buf_str(&back), text));
      decompressor->destroy(decompressor);
    }
  }
  arena_destroy(arena);
}

static void how_bytes_are_cut_makes_no_difference(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str text = make_text(arena, 50000);
  for (size_t c = 0; c < CODINGS; c++) {
    Buf coded = buf_on(arena, SIZE_MAX / 2);
    assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), text, &coded, NULL), CODE_OK);
    for (size_t cut = 1; cut <= 5000; cut += 833) {
      Decompressor *decompressor = codings[c].decompressor();
      Buf back = buf_on(arena, SIZE_MAX / 2);
      for (size_t at = 0; at < coded.len; at += cut)
        assert_int_equal(read_all(decompressor, str_slice(buf_str(&coded), at, at + cut), cut, &back, NULL), CODE_OK);
      assert_true(decompressor->is_between);
      assert_true(str_equal(buf_str(&back), text));
      decompressor->destroy(decompressor);
    }
  }
  arena_destroy(arena);
}

/* RFC 1952 §2.2, RFC 8878 §3: what stands one behind the other is one text. */
static void several_are_read_one_behind_the_other(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  for (size_t c = 0; c < CODINGS; c++) {
    if (!codings[c].is_ours) continue;
    Buf coded = buf_on(arena, SIZE_MAX / 2), back = buf_on(arena, SIZE_MAX / 2);
    assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), STR("green "), &coded, NULL), CODE_OK);
    assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), STR(""), &coded, NULL), CODE_OK);
    assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), STR("tea"), &coded, NULL), CODE_OK);
    Decompressor *decompressor = codings[c].decompressor();
    assert_false(decompressor->is_between);
    assert_int_equal(read_all(decompressor, buf_str(&coded), 4, &back, NULL), CODE_OK);
    assert_true(str_equal(buf_str(&back), STR("green tea")));
    assert_true(decompressor->is_between);
    Error err = {0};
    assert_int_equal(read_all(decompressor, STR("garbage behind it"), 4, &back, &err), CODE_BAD_REQUEST);
    decompressor->destroy(decompressor);
  }
  arena_destroy(arena);
}

static void what_is_cut_is_not_whole_and_what_is_broken_is_refused(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str text = make_text(arena, 2000);
  for (size_t c = 0; c < CODINGS; c++) {
    if (!codings[c].is_ours) continue;
    Buf coded = buf_on(arena, SIZE_MAX / 2);
    assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), text, &coded, NULL), CODE_OK);
    for (size_t len = 0; len < coded.len; len += 37) {
      Decompressor *decompressor = codings[c].decompressor();
      Buf back = buf_on(arena, SIZE_MAX / 2);
      assert_int_equal(read_all(decompressor, str_slice(buf_str(&coded), 0, len), 500, &back, NULL), CODE_OK);
      assert_false(decompressor->is_between);
      decompressor->destroy(decompressor);
    }
    Decompressor *decompressor = codings[c].decompressor();
    Buf back = buf_on(arena, SIZE_MAX / 2);
    Error err = {0};
    assert_int_equal(read_all(decompressor, STR("not a coded text"), 500, &back, &err), CODE_BAD_REQUEST);
    decompressor->destroy(decompressor);
  }
  arena_destroy(arena);
}

static void a_bomb_gives_no_more_than_is_asked_for(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str zeros = {arena_calloc(arena, 1, 10000000), 10000000};
  for (size_t c = 0; c < CODINGS; c++) {
    Buf coded = buf_on(arena, SIZE_MAX / 2), back = buf_on(arena, 1000);
    assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), zeros, &coded, NULL), CODE_OK);
    Decompressor *decompressor = codings[c].decompressor();
    Str rest = buf_str(&coded);
    assert_int_equal(decompressor->read(decompressor, &rest, 1000, &back, NULL), CODE_OK);
    assert_int_equal(back.len, 1000);
    decompressor->destroy(decompressor);
  }
  arena_destroy(arena);
}

/* RFC 9659 §3: at most 8 MiB. Window_Descriptor is exponent << 3 (RFC 8878 §3.1.1.1.2), and one empty raw block follows. */
static void a_zstd_window_has_a_bound(void **state) {
  (void)state;
  static const char eight_mib[] = "\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00", sixteen_mib[] = "\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00";
  Buf out = buf_on_heap(1000);
  Error err = {0};
  Decompressor *decompressor = zstd_decompressor_create();
  assert_int_equal(read_all(decompressor, (Str){eight_mib, 9}, 100, &out, &err), CODE_OK);
  assert_true(decompressor->is_between);
  assert_int_equal(read_all(decompressor, (Str){sixteen_mib, 9}, 100, &out, &err), CODE_BAD_REQUEST);
  assert_non_null(strstr(err.text, "8 MiB"));
  decompressor->destroy(decompressor);
  buf_done(&out);
}

static void a_cap_holds_and_failing_memory_is_an_error(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str text = make_text(arena, 20000);
  for (size_t c = 0; c < CODINGS; c++) {
    Buf tight = buf_on(arena, 100);
    Error err = {0};
    assert_int_equal(compress_whole(codings[c].compressor(codings[c].level), text, &tight, &err), CODE_TOO_LARGE);
    Code code = CODE_UNAVAILABLE;
    for (size_t n = 1; code != CODE_OK; n++) {
      assert_true(n < 1000);
      Buf out = buf_on_heap(SIZE_MAX / 2);
      memory_fail_after(n);
      code = compress_whole(codings[c].compressor(codings[c].level), text, &out, NULL);
      memory_fail_after(0);
      assert_true(code == CODE_OK || code == CODE_UNAVAILABLE);
      buf_done(&out);
    }
  }
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_piece_arrives_by_itself),
      cmocka_unit_test(what_is_compressed_comes_back_and_is_smaller),
      cmocka_unit_test(how_bytes_are_cut_makes_no_difference),
      cmocka_unit_test(several_are_read_one_behind_the_other),
      cmocka_unit_test(what_is_cut_is_not_whole_and_what_is_broken_is_refused),
      cmocka_unit_test(a_bomb_gives_no_more_than_is_asked_for),
      cmocka_unit_test(a_zstd_window_has_a_bound),
      cmocka_unit_test(a_cap_holds_and_failing_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
