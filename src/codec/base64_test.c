#include "codec/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_both_ways(Str bytes, const char *standard, const char *url_safe) {
  Buf out = buf_on_heap(1024);
  char decoded[64];
  size_t len = 0;
  base64_write(&out, bytes);
  assert_true(str_equal(buf_str(&out), str_of(standard)));
  assert_true(base64_decode(buf_str(&out), decoded, &len));
  assert_true(str_equal((Str){decoded, len}, bytes));
  buf_clear(&out);
  base64url_write(&out, bytes);
  assert_true(str_equal(buf_str(&out), str_of(url_safe)));
  assert_true(base64url_decode(buf_str(&out), decoded, &len));
  assert_true(str_equal((Str){decoded, len}, bytes));
  buf_done(&out);
}

static void the_test_vectors_of_rfc_4648_hold(void **state) {
  (void)state;
  assert_both_ways(STR(""), "", "");
  assert_both_ways(STR("f"), "Zg==", "Zg");
  assert_both_ways(STR("fo"), "Zm8=", "Zm8");
  assert_both_ways(STR("foo"), "Zm9v", "Zm9v");
  assert_both_ways(STR("foob"), "Zm9vYg==", "Zm9vYg");
  assert_both_ways(STR("fooba"), "Zm9vYmE=", "Zm9vYmE");
  assert_both_ways(STR("foobar"), "Zm9vYmFy", "Zm9vYmFy");
  assert_both_ways(STR("\xfb\xff\xbf\x00"), "+/+/AA==", "-_-_AA");
}

static void what_is_malformed_is_refused(void **state) {
  (void)state;
  static const Str bad[] = {STR_INIT("Z"),        STR_INIT("Zg"),     STR_INIT("Zg="),  STR_INIT("Zh=="),
                            STR_INIT("Zm9="),     STR_INIT("Zm9v\n"), STR_INIT("===="), STR_INIT("Z==="),
                            STR_INIT("Zg==Zg=="), STR_INIT("-_-_"),   STR_INIT("Zm 9v")};
  char decoded[64];
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    size_t len = 77;
    assert_false(base64_decode(bad[i], decoded, &len));
    assert_int_equal(len, 77);
  }
  size_t len = 77;
  assert_false(base64url_decode(STR("Zg=="), decoded, &len));
  assert_false(base64url_decode(STR("Zh"), decoded, &len));
  assert_false(base64url_decode(STR("+/+/"), decoded, &len));
}

static void every_byte_survives_in_both_alphabets(void **state) {
  (void)state;
  char all[256], back[300];
  for (int i = 0; i < 256; i++) all[i] = (char)i;
  Arena *arena = arena_create(0);
  for (size_t len = 0; len <= sizeof all; len++) {
    /* The cap is exact: padding included, nothing to spare. */
    Buf standard = buf_on(arena, (len + 2) / 3 * 4), url = buf_on(arena, 1000);
    base64_write(&standard, (Str){all, len});
    base64url_write(&url, (Str){all, len});
    assert_int_equal(standard.failed, CODE_OK);
    size_t got = 0;
    assert_true(base64_decode(buf_str(&standard), back, &got));
    assert_true(str_equal((Str){all, len}, (Str){back, got}));
    Str parsed;
    assert_true(base64url_parse(buf_str(&url), arena, &parsed));
    assert_true(str_equal((Str){all, len}, parsed));
  }
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_test_vectors_of_rfc_4648_hold), cmocka_unit_test(what_is_malformed_is_refused),
                                     cmocka_unit_test(every_byte_survives_in_both_alphabets)};
  return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
