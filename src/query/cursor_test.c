#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "query/cursor.h"

enum { LIST = 0x1234, KEYS = 11 };

static const Value all_types[KEYS] = {
    {.type = VALUE_NULL},
    {.type = VALUE_BOOL, .boolean = true},
    {.type = VALUE_INT, .integer = INT64_MIN},
    {.type = VALUE_FLOAT, .number = -0.1},
    {.type = VALUE_DECIMAL, .text = STR_INIT("-99999999999999999999999999999999999999")},
    {.type = VALUE_TEXT, .text = STR_INIT("\xf0\x9f\x8d\xb5 '; --")},
    {.type = VALUE_TEXT, .text = STR_INIT("")},
    {.type = VALUE_BYTES, .text = STR_INIT("\0\xff\0")},
    {.type = VALUE_TIMESTAMP, .integer = -1},
    {.type = VALUE_DATE, .integer = 2932896},
    {.type = VALUE_JSON, .text = STR_INIT("[1]")},
};

static int set_up(void **state) {
  *state = arena_create(0);
  return *state == NULL;
}

static int tear_down(void **state) {
  arena_destroy(*state);
  return 0;
}

static Str write_all(Arena *arena) {
  Str text = cursor_write(&(Cursor){.is_inclusive = true, .keys = all_types, .key_count = KEYS}, LIST, arena);
  assert_non_null(text.ptr);
  return text;
}

static void keys_of_every_type_come_back(void **state) {
  Cursor cursor;
  Error error;
  assert_int_equal(cursor_parse(write_all(*state), LIST, KEYS, *state, &cursor, &error), CODE_OK);
  assert_true(cursor.is_inclusive);
  assert_int_equal(cursor.key_count, KEYS);
  for (size_t i = 0; i < KEYS; i++) {
    const Value *given = &all_types[i], *read = &cursor.keys[i];
    assert_int_equal(read->type, given->type);
    switch (given->type) {
      case VALUE_NULL: break;
      case VALUE_BOOL: assert_int_equal(read->boolean, given->boolean); break;
      case VALUE_FLOAT: assert_memory_equal(&read->number, &given->number, sizeof given->number); break;
      case VALUE_INT:
      case VALUE_TIMESTAMP:
      case VALUE_DATE: assert_true(read->integer == given->integer); break;
      default: assert_true(str_equal(read->text, given->text));
    }
  }
}

/* What may stand in a query without escapes. */
static void it_is_text_for_a_url(void **state) {
  Str text = write_all(*state);
  for (size_t i = 0; i < text.len; i++) {
    char byte = text.ptr[i];
    bool is_plain =
        (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
    assert_true(is_plain);
  }
}

static void assert_refused(Arena *arena, Str text, uint64_t list, size_t keys) {
  Cursor cursor = {.key_count = 77};
  Error error;
  assert_int_equal(cursor_parse(text, list, keys, arena, &cursor, &error), CODE_BAD_REQUEST);
  assert_int_equal(cursor.key_count, 77); /* what is returned on failure is not touched */
}

static void that_of_another_list_is_refused(void **state) {
  Str text = write_all(*state);
  assert_refused(*state, text, LIST + 1, KEYS);
  assert_refused(*state, text, LIST, KEYS - 1);
  assert_refused(*state, text, LIST, KEYS + 1);
  assert_refused(*state, text, LIST, 0);
}

static void one_that_was_changed_anywhere_is_refused(void **state) {
  Str text = write_all(*state);
  for (size_t i = 0; i < text.len; i++) {
    Str changed = arena_str(*state, text);
    ((char *)changed.ptr)[i] = text.ptr[i] == 'A' ? 'B' : 'A';
    assert_refused(*state, changed, LIST, KEYS);
    assert_refused(*state, str_slice(text, 0, i), LIST, KEYS);
    assert_refused(*state, str_slice(text, i + 1, text.len), LIST, KEYS);
  }
}

static void what_is_no_cursor_is_refused(void **state) {
  static const Str texts[] = {
      STR_INIT(""),         STR_INIT("A"),   STR_INIT("AAAA"), STR_INIT("AAAAAAAAAAA"), STR_INIT("AAAAAAAAAAAA"), STR_INIT("not a cursor"),
      STR_INIT("\0\0\0\0"), STR_INIT("====")};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_refused(*state, texts[i], LIST, 1);
    assert_refused(*state, texts[i], LIST, 0);
  }
  char *longest = arena_alloc(*state, CURSOR_TEXT_MAX + 4);
  memset(longest, 'A', CURSOR_TEXT_MAX + 4);
  assert_refused(*state, (Str){longest, CURSOR_TEXT_MAX + 4}, LIST, 1);
}

static void a_key_that_is_too_long_gives_no_cursor(void **state) {
  char *bytes = arena_calloc(*state, 1, CURSOR_TEXT_MAX);
  Value key = {.type = VALUE_BYTES, .text = {bytes, CURSOR_TEXT_MAX}};
  assert_null(cursor_write(&(Cursor){.keys = &key, .key_count = 1}, LIST, *state).ptr);
}

static void failing_memory_is_no_bad_cursor(void **state) {
  Str text = write_all(*state);
  for (size_t nth = 1;; nth++) {
    Cursor cursor;
    Error error;
    memory_fail_after(nth);
    Code code = cursor_parse(text, LIST, KEYS, *state, &cursor, &error);
    bool is_hit = memory_fail_countdown == 0;
    memory_fail_after(0);
    assert_int_equal(code, is_hit ? CODE_UNAVAILABLE : CODE_OK);
    if (!is_hit) break;
  }
  for (size_t nth = 1;; nth++) {
    memory_fail_after(nth);
    Str written = cursor_write(&(Cursor){.is_inclusive = true, .keys = all_types, .key_count = KEYS}, LIST, *state);
    bool is_hit = memory_fail_countdown == 0;
    memory_fail_after(0);
    if (!is_hit) assert_true(str_equal(written, text));
    if (!is_hit) break;
    assert_null(written.ptr);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(keys_of_every_type_come_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(it_is_text_for_a_url, set_up, tear_down),
      cmocka_unit_test_setup_teardown(that_of_another_list_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(one_that_was_changed_anywhere_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_no_cursor_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_key_that_is_too_long_gives_no_cursor, set_up, tear_down),
      cmocka_unit_test_setup_teardown(failing_memory_is_no_bad_cursor, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
