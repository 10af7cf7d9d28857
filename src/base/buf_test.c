/* buf_test.c */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_text(const Buf *buf, const char *expected) {
  Str s = {0};
  Error err;
  assert_int_equal(buf_finish(buf, &s, &err), CODE_OK);
  assert_int_equal(s.len, strlen(expected));
  assert_memory_equal(s.ptr, expected, s.len);
}

static void bytes_are_added_in_order(void **state) {
  (void)state;
  Buf buf = buf_on_heap(1000);
  buf_add(&buf, STR("a"));
  buf_add_byte(&buf, 'b');
  buf_printf(&buf, "%s%d", "c", 4);
  assert_text(&buf, "abc4");
  buf_clear(&buf);
  assert_text(&buf, "");
  buf_done(&buf);
}

static void integers_are_written_to_their_ends(void **state) {
  (void)state;
  const int64_t numbers[] = {0, 9, 10, 99, 100, 12345, -1, -100, INT64_MAX, INT64_MIN};
  Buf buf = buf_on_heap(1000);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    buf_add_int64(&buf, numbers[i]);
    buf_add_byte(&buf, ' ');
  }
  buf_add_uint64(&buf, UINT64_MAX);
  assert_text(&buf, "0 9 10 99 100 12345 -1 -100 9223372036854775807 -9223372036854775808 18446744073709551615");
  buf_done(&buf);
}

static void beyond_the_cap_the_error_sticks(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Buf buf = buf_on(arena, 5);
  buf_add(&buf, STR("12345"));
  assert_text(&buf, "12345");
  buf_add(&buf, STR("6"));
  Str s = STR("untouched");
  Error err;
  assert_int_equal(buf_finish(&buf, &s, &err), CODE_TOO_LARGE);
  assert_int_equal(s.len, 9);
  buf_clear(&buf);
  buf_add(&buf, STR("123"));
  buf_add(&buf, STR("456"));
  buf_add(&buf, STR("7")); /* would fit, but something before it is missing */
  assert_int_equal(buf.len, 3);
  assert_int_equal(buf.failed, CODE_TOO_LARGE);
  arena_destroy(arena);
}

static void printf_fills_the_cap_to_the_last_byte(void **state) {
  (void)state;
  Buf buf = buf_on_heap(600);
  buf_printf(&buf, "%600s", "x");
  assert_int_equal(buf.failed, CODE_OK);
  assert_int_equal(buf.len, 600);
  buf_printf(&buf, "%s", "y");
  assert_int_equal(buf.failed, CODE_TOO_LARGE);
  buf_done(&buf);
}

static void missing_memory_is_unavailable(void **state) {
  (void)state;
  Buf buf = buf_on_heap(10000);
  memory_fail_after(2);
  for (int i = 0; i < 1000; i++) buf_add_byte(&buf, 'x');
  memory_fail_after(0);
  Str s;
  Error err;
  assert_int_equal(buf_finish(&buf, &s, &err), CODE_UNAVAILABLE);
  buf_done(&buf);
}

static void an_error_text_is_cut_between_characters(void **state) {
  (void)state;
  char text[240];
  memset(text, 'x', 230);
  memcpy(text + 230, "\xC3\xA4\xC3\xA4", 5); /* the 231st and 232nd byte would be one letter */
  Error err;
  assert_int_equal(error_set(&err, CODE_CONFLICT, "%s", text), CODE_CONFLICT);
  assert_int_equal(strlen(err.text), 230);
  assert_int_equal(error_set(NULL, CODE_TIMEOUT, "x"), CODE_TIMEOUT);
  assert_true(str_equal(code_name(CODE_BAD_REQUEST), STR("BAD_REQUEST")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_are_added_in_order),        cmocka_unit_test(integers_are_written_to_their_ends),
      cmocka_unit_test(beyond_the_cap_the_error_sticks), cmocka_unit_test(printf_fills_the_cap_to_the_last_byte),
      cmocka_unit_test(missing_memory_is_unavailable),   cmocka_unit_test(an_error_text_is_cut_between_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
