/* vary_test.c - what is left of an answer's fields, by RFC 9110 §12.5.5 and §5.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/vary.h"

static void fields_are_joined_in_their_order_and_each_member_is_named_once(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  HttpHeader headers[] = {
      {STR("etag"), STR("\"a\"")},   {STR("vary"), STR("accept, accept-encoding")}, {STR("vary"), STR("Accept-Encoding")},
      {STR("date"), STR("now")},     {STR("vary"), STR("Accept, API-Version")},     {STR("vary"), STR("Origin")},
      {STR("server"), STR("nobody")}};
  assert_int_equal(vary_join(headers, 7, arena), 4);
  assert_true(str_equal(headers[0].name, STR("etag")));
  assert_true(str_equal(headers[1].name, STR("vary")));
  assert_true(str_equal(headers[1].value, STR("accept, accept-encoding, API-Version, Origin")));
  assert_true(str_equal(headers[2].name, STR("date")));
  assert_true(str_equal(headers[3].name, STR("server")));
  arena_destroy(arena);
}

static void one_field_or_none_stays_as_it_is(void **state) {
  (void)state;
  HttpHeader headers[] = {{STR("etag"), STR("\"a\"")}, {STR("vary"), STR("accept")}};
  assert_int_equal(vary_join(headers, 2, NULL), 2);
  assert_true(str_equal(headers[1].value, STR("accept")));
  assert_int_equal(vary_join(headers, 1, NULL), 1);
  assert_int_equal(vary_join(NULL, 0, NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_are_joined_in_their_order_and_each_member_is_named_once),
      cmocka_unit_test(one_field_or_none_stays_as_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
