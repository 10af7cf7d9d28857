#include "codec/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static Arena *arena;

static void assert_path(Str text, const char *expected) {
  Str decoded = {0};
  Error err;
  assert_int_equal(url_decode_path(text, arena, &decoded, &err), CODE_OK);
  assert_true(str_equal(decoded, str_of(expected)));
}

static void percent_encoded_bytes_are_decoded(void **state) {
  (void)state;
  assert_path(STR("a%2Cb%2fc"), "a,b/c");
  assert_path(STR("%E2%82%AC"), "\xE2\x82\xAC");
  assert_path(STR("a+b"), "a+b");
  assert_path(STR(""), "");
  Str decoded;
  assert_int_equal(url_decode_query(STR("a+b%2B"), arena, &decoded, NULL), CODE_OK);
  assert_true(str_equal(decoded, STR("a b+")));
}

static void what_is_malformed_is_refused(void **state) {
  (void)state;
  static const Str bad[] = {STR_INIT("%"),   STR_INIT("%4"),     STR_INIT("%zz"),       STR_INIT("a%g0"), STR_INIT("%00"),
                            STR_INIT("%ff"), STR_INIT("%C0%80"), STR_INIT("%ED%A0%80"), STR_INIT("\xff")};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    Str decoded = {0};
    assert_int_equal(url_decode_path(bad[i], arena, &decoded, NULL), CODE_BAD_REQUEST);
    assert_null(decoded.ptr);
  }
}

static void encoding_is_undone_by_decoding(void **state) {
  (void)state;
  Buf out = buf_on(arena, 1024);
  char all[255];
  for (int i = 0; i < 127; i++) all[i] = (char)(i + 1);
  url_encode(&out, (Str){all, 127});
  Str decoded;
  assert_int_equal(url_decode_query(buf_str(&out), arena, &decoded, NULL), CODE_OK);
  assert_true(str_equal(decoded, (Str){all, 127}));
  buf_clear(&out);
  url_encode(&out, STR("a b,\xC3\xA9"));
  assert_true(str_equal(buf_str(&out), STR("a%20b%2C%C3%A9")));
}

static void failing_memory_is_no_bad_url(void **state) {
  (void)state;
  Code (*const decode[])(Str, Arena *, Str *, Error *) = {url_decode_path, url_decode_query};
  for (size_t d = 0; d < 2; d++) {
    Str decoded = {0};
    Error error = {0};
    memory_fail_after(1);
    assert_int_equal(decode[d](STR("a%41+b"), arena, &decoded, &error), CODE_UNAVAILABLE);
    memory_fail_after(0);
    assert_null(decoded.ptr);
    /* Where nothing is encoded, nothing is allocated. */
    memory_fail_after(1);
    assert_int_equal(decode[d](STR("plain"), arena, &decoded, &error), CODE_OK);
    memory_fail_after(0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(percent_encoded_bytes_are_decoded),
      cmocka_unit_test(what_is_malformed_is_refused),
      cmocka_unit_test(encoding_is_undone_by_decoding),
      cmocka_unit_test(failing_memory_is_no_bad_url),
  };
  arena = arena_create(0);
  int failed = cmocka_run_group_tests_name("url", tests, NULL, NULL);
  arena_destroy(arena);
  return failed;
}
