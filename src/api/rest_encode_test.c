/* rest_encode_test.c - values in JSON as INTERFACE §2 has them, to the byte. */
#include "api/rest_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/datetime.h"

static Arena *arena;

/* A resource of fields a0, a1 … without a contract file: only what the encoder looks at. */
static Field fields[8];
static RestKey keys[8];
static SelectionItem items[8];

static RestKey key_of(const char *text, bool is_quoted, int32_t scale) { return rest_key(str_of(text), is_quoted, scale); }

static Selection selection_of(const RestKey *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    keys[i] = list[i];
    items[i] = (SelectionItem){.field = &fields[i], .face = &keys[i]};
  }
  return (Selection){.items = items, .count = count};
}

static void assert_value(RestKey key, Value value, const char *expected) {
  Buf out = buf_on(arena, 4096);
  rest_write_value(NULL, &key, NULL, &value, &out);
  if (!str_equal(buf_str(&out), str_of(expected))) fail_msg("got %.*s, expected %s", STR_ARGS(buf_str(&out)), expected);
}

static void values_have_their_forms(void **state) {
  (void)state;
  RestKey plain = key_of(",\"a\":", false, -1), big = key_of(",\"a\":", true, -1), fixed = key_of(",\"a\":", false, 2);
  assert_value(plain, value_null(), "null");
  assert_value(plain, value_bool(true), "true");
  assert_value(plain, value_bool(false), "false");
  assert_value(plain, value_int(-5), "-5");
  assert_value(big, value_int(INT64_MIN), "\"-9223372036854775808\"");
  assert_value(big, value_null(), "null");
  assert_value(plain, value_float(1.5), "1.5");
  assert_value(plain, value_decimal(STR("12.5")), "\"12.5\"");
  assert_value(fixed, value_decimal(STR("12.5")), "\"12.50\"");
  assert_value(fixed, value_decimal(STR("0")), "\"0.00\"");
  assert_value(fixed, value_decimal(STR("0.125")), "\"0.125\"");
  assert_value(plain, value_text(STR("a\"b\n\xC3\xA9")), "\"a\\\"b\\n\xC3\xA9\"");
  assert_value(plain, (Value){.type = VALUE_BYTES, .text = STR("fo")}, "\"Zm8=\"");
  assert_value(plain, (Value){.type = VALUE_JSON, .text = STR("[1,{\"b\":null}]")}, "[1,{\"b\":null}]");
  int64_t us = 0;
  assert_true(timestamp_parse(STR("2026-11-23T12:00:00.250Z"), &us));
  assert_value(plain, (Value){.type = VALUE_TIMESTAMP, .integer = us}, "\"2026-11-23T12:00:00.25Z\"");
  assert_value(plain, (Value){.type = VALUE_DATE, .integer = 0}, "\"1970-01-01\"");
  Value two[] = {value_int(1), value_int(2)};
  assert_value(big, (Value){.type = VALUE_LIST, .list = {two, 2}}, "[\"1\",\"2\"]");
}

static void rows_nest_as_objects_and_lists(void **state) {
  (void)state;
  RestKey inner_keys[] = {key_of(",\"name\":", false, -1)};
  SelectionItem inner_items[] = {{.face = &inner_keys[0]}};
  Selection inner = {.items = inner_items, .count = 1};
  Selection outer =
      selection_of((RestKey[]){key_of(",\"id\":", false, -1), key_of(",\"category\":", false, -1), key_of(",\"reviews\":", false, -1)}, 3);
  items[1].nested = items[2].nested = &inner;
  Value category[] = {value_text(STR("Tea"))};
  Value first[] = {value_text(STR("a"))}, second[] = {value_null()};
  const Value *rows[] = {first, second};
  ResultRows reviews = {.rows = rows, .count = 2, .next_cursor = STR("C1")};
  Value row[] = {value_text(STR("p1")), {.type = VALUE_ROW, .row = category}, {.type = VALUE_ROWS, .rows = &reviews}};
  Buf out = buf_on(arena, 4096);
  rest_write_row(NULL, &outer, row, &out);
  assert_true(str_equal(buf_str(&out), STR("{\"id\":\"p1\",\"category\":{\"name\":\"Tea\"},\"reviews\":{\"items\":[{\"name\":\"a\"},{"
                                           "\"name\":null}],\"nextCursor\":\"C1\"}}")));
  ResultRows none = {0};
  row[1] = value_null();
  row[2].rows = &none;
  buf_clear(&out);
  rest_write_row(NULL, &outer, row, &out);
  assert_true(str_equal(buf_str(&out), STR("{\"id\":\"p1\",\"category\":null,\"reviews\":{\"items\":[],\"nextCursor\":null}}")));
}

static void a_list_is_an_envelope(void **state) {
  (void)state;
  Selection selection = selection_of((RestKey[]){key_of(",\"id\":", false, -1)}, 1);
  RestSink sink;
  rest_sink_init(&sink, NULL, arena, 4096, STR("{\"items\":["));
  Value row[] = {value_int(1)};
  assert_int_equal(sink.base.row(&sink.base, &selection, row, NULL), CODE_OK);
  sink.base.restart(&sink.base);
  assert_int_equal(sink.base.row(&sink.base, &selection, row, NULL), CODE_OK);
  row[0] = value_int(2);
  assert_int_equal(sink.base.row(&sink.base, &selection, row, NULL), CODE_OK);
  Result result = {.next_cursor = STR("N"), .has_total = true, .total = 7};
  rest_write_list_end(&result, &sink.out);
  assert_true(
      str_equal(buf_str(&sink.out), STR("{\"items\":[{\"id\":1},{\"id\":2}],\"nextCursor\":\"N\",\"prevCursor\":null,\"count\":7}")));
}

static void an_array_has_null_for_rows_that_may_not_be_read(void **state) {
  (void)state;
  Selection selection = selection_of((RestKey[]){key_of(",\"id\":", false, -1)}, 1);
  RestSink sink;
  rest_sink_init(&sink, NULL, arena, 4096, STR("{\"items\":["));
  sink.has_row_ends = true;
  for (int i = 1; i <= 2; i++) {
    Value row[] = {value_int(i)};
    assert_int_equal(sink.base.row(&sink.base, &selection, row, NULL), CODE_OK);
  }
  const bool hidden[] = {true, false, true, false};
  Result result = {.hidden = hidden, .key_count = 4};
  rest_sink_place_hidden(&sink, &result, arena);
  assert_true(str_equal(buf_str(&sink.out), STR("{\"items\":[null,{\"id\":1},null,{\"id\":2}")));
}

static void an_answer_that_grows_too_large_is_refused(void **state) {
  (void)state;
  Selection selection = selection_of((RestKey[]){key_of(",\"id\":", false, -1)}, 1);
  RestSink sink;
  rest_sink_init(&sink, NULL, arena, 32, STR("{\"items\":["));
  Value row[] = {value_text(STR("0123456789012345678901234567890"))};
  Error err;
  assert_int_equal(sink.base.row(&sink.base, &selection, row, &err), CODE_TOO_LARGE);
}

static void a_row_of_nothing_is_an_empty_object(void **state) {
  (void)state;
  Selection selection = {0};
  Buf out = buf_on(arena, 16);
  rest_write_row(NULL, &selection, NULL, &out);
  assert_true(str_equal(buf_str(&out), STR("{}")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_have_their_forms),
      cmocka_unit_test(rows_nest_as_objects_and_lists),
      cmocka_unit_test(a_list_is_an_envelope),
      cmocka_unit_test(an_array_has_null_for_rows_that_may_not_be_read),
      cmocka_unit_test(an_answer_that_grows_too_large_is_refused),
      cmocka_unit_test(a_row_of_nothing_is_an_empty_object),
  };
  arena = arena_create(0);
  int failed = cmocka_run_group_tests_name("rest_encode", tests, NULL, NULL);
  arena_destroy(arena);
  return failed;
}
