/* uuid_test.c */
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void made_ids_are_version_7_and_in_strict_order(void **state) {
  (void)state;
  char last[UUID_TEXT_LEN] = {0}, id[UUID_TEXT_LEN], again[UUID_TEXT_LEN];
  for (int i = 0; i < 20000; i++) {
    uuid_make(id);
    assert_true(memcmp(last, id, sizeof id) < 0);
    assert_true(uuid_parse((Str){id, sizeof id}, again));
    assert_memory_equal(id, again, sizeof id);
    assert_int_equal(id[14], '7');
    assert_non_null(memchr("89ab", id[19], 4));
    memcpy(last, id, sizeof id);
  }
}

static void parsing_lowers_the_case(void **state) {
  (void)state;
  char out[UUID_TEXT_LEN];
  assert_true(uuid_parse(STR("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), out)); /* RFC 9562, appendix A.6 */
  assert_memory_equal(out, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", UUID_TEXT_LEN);
}

static void malformed_ids_are_refused(void **state) {
  (void)state;
  const Str wrong[] = {STR(""),
                       STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398"),
                       STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398g"),
                       STR("017f22e279b0-7cc3-98c4-dc0c0c07398f0"),
                       STR("{17f22e2-79b0-7cc3-98c4-dc0c0c07398}"),
                       STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0")};
  char out[UUID_TEXT_LEN] = "untouched";
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(uuid_parse(wrong[i], out));
  assert_string_equal(out, "untouched");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(made_ids_are_version_7_and_in_strict_order),
      cmocka_unit_test(parsing_lowers_the_case),
      cmocka_unit_test(malformed_ids_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
