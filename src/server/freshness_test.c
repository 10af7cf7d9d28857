/* freshness_test.c - positions come by header and by cookie; what is none is passed over. */
#include "server/freshness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint64_t of(const char *name, const char *value) {
  HttpHeader headers[] = {{str_of(name), str_of(value)}};
  HttpRequest request = {.headers = headers, .header_count = 1};
  return freshness_of(&request);
}

static void a_position_comes_by_header_or_cookie(void **state) {
  (void)state;
  assert_int_equal(of("caisson-position", "16b3748"), 0x16b3748);
  assert_int_equal(of("caisson-position", "ffffffffffffffff"), UINT64_MAX);
  assert_int_equal(of("cookie", "a=1; caisson-position=2a; b=2"), 0x2a);
  assert_int_equal(of("cookie", "caisson-position=2a"), 0x2a);
}

static void the_newest_counts(void **state) {
  (void)state;
  HttpHeader headers[] = {{STR("caisson-position"), STR("5")},
                          {STR("cookie"), STR("caisson-position=7; caisson-position=6")},
                          {STR("cookie"), STR("caisson-position=1")}};
  HttpRequest request = {.headers = headers, .header_count = 3};
  assert_int_equal(freshness_of(&request), 7);
}

static void what_is_no_position_is_passed_over(void **state) {
  (void)state;
  const char *bad[] = {"", "x", "-1", "0x10", "1 2", "10000000000000000", "1G", "A"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_int_equal(of("caisson-position", bad[i]), 0);
  assert_int_equal(of("cookie", "caisson-position"), 0);
  assert_int_equal(of("cookie", "xcaisson-position=4; =;;"), 0);
}

static void an_answer_carries_what_a_request_brings_back(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  HttpHeader headers[FRESHNESS_HEADERS_MAX];
  assert_int_equal(freshness_headers(0x16b3748, arena, headers), 2);
  assert_true(str_equal(headers[0].value, STR("16b3748")));
  HttpRequest request = {.headers = headers, .header_count = 1};
  assert_int_equal(freshness_of(&request), 0x16b3748);
  assert_true(str_starts_with(headers[1].value, STR("caisson-position=16b3748; Path=/;")));
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_position_comes_by_header_or_cookie),
      cmocka_unit_test(the_newest_counts),
      cmocka_unit_test(what_is_no_position_is_passed_over),
      cmocka_unit_test(an_answer_carries_what_a_request_brings_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
