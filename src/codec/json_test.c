/* json_test.c - expected values from RFC 8259 and by hand. */
#include "codec/json.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int make_arena(void **state) { return (*state = arena_create(0)) == NULL; }
static int free_arena(void **state) {
  arena_destroy(*state);
  return 0;
}

static JsonValue parsed(Arena *arena, Str text) {
  JsonValue value = {0};
  Error err = {0};
  if (json_parse(text, JSON_DEPTH_DEFAULT, arena, &value, &err) != CODE_OK) fail_msg("%.*s: %s", STR_ARGS(text), err.text);
  return value;
}

static void assert_rewritten(Arena *arena, const char *text, const char *expected) {
  JsonValue value = parsed(arena, str_of(text));
  Buf out = buf_on(arena, SIZE_MAX);
  json_write(&out, &value);
  if (!str_equal(buf_str(&out), str_of(expected))) fail_msg("%.*s, expected %s", STR_ARGS(buf_str(&out)), expected);
}

static void values_are_written_as_they_were_read(void **state) {
  const char *compact[] = {"null",
                           "true",
                           "false",
                           "0",
                           "-0",
                           "1.50",
                           "1e400",
                           "\"\"",
                           "[]",
                           "{}",
                           "[1,[2,[3,[]]],{}]",
                           "{\"b\":1,\"a\":[null,{\"c\":\"\"}]}",
                           "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\"",
                           "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"",
                           "123456789012345678901234567890.000"};
  for (size_t i = 0; i < sizeof compact / sizeof *compact; i++) assert_rewritten(*state, compact[i], compact[i]);
  assert_rewritten(*state, " \t\r\n{ \"a\" : [ 1 , 2 ] } \n", "{\"a\":[1,2]}");
  assert_rewritten(*state, "\"\\/\\u0041\\u00e4\\u20AC\\ud83d\\uDE00\"", "\"/A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

static void mistakes_are_named_with_their_place(void **state) {
  const struct {
    Str text;
    const char *message;
  } cases[] = {
      {STR(""), "line 1, column 1: a value is missing at the end"},
      {STR("{\"a\":}"), "line 1, column 6: expected a value"},
      {STR("{\n  \"a\": 1,\n}"), "line 3, column 1: expected a member's name in quotes"},
      {STR("[1 2]"), "line 1, column 4: expected ',' or ']'"},
      {STR("{\"a\" 1}"), "line 1, column 6: expected ':'"},
      {STR("{\"a\":1]"), "line 1, column 7: expected ',' or '}'"},
      {STR("[1,]"), "line 1, column 4: expected a value"},
      {STR("1 2"), "line 1, column 3: text after the end of the value"},
      {STR("\"abc"), "line 1, column 5: the string does not end"},
      {STR("\"abc\\"), "line 1, column 6: the string does not end"},
      {STR("\"a\nb\""), "line 1, column 3: a control character in a string must be escaped"},
      {STR("\"a\0b\""), "line 1, column 3: a control character in a string must be escaped"},
      {STR("\"\xC3\xA4\xFF\""), "line 1, column 3: not valid UTF-8"},
      {STR("\"\xED\xA0\x80\""), "line 1, column 2: not valid UTF-8"},
      {STR("\"\\x\""), "line 1, column 2: an unknown escape"},
      {STR("\"\\\xC3\xA4\""), "line 1, column 2: an unknown escape"},
      {STR("\"\\u12g4\""), "line 1, column 2: \\u needs four hexadecimal digits"},
      {STR("\"\\u12\""), "line 1, column 2: \\u needs four hexadecimal digits"},
      {STR("\"\\u0000\""), "line 1, column 2: NUL is not allowed"},
      {STR("\"a\\ud83d\""), "line 1, column 3: half of a surrogate pair"},
      {STR("\"\\ude00\""), "line 1, column 2: half of a surrogate pair"},
      {STR("\"\\ud83d\\u0041\""), "line 1, column 2: half of a surrogate pair"},
      {STR("01"), "line 1, column 1: a malformed number"},
      {STR("[-]"), "line 1, column 2: a malformed number"},
      {STR("1."), "line 1, column 1: a malformed number"},
      {STR("NaN"), "line 1, column 1: expected a value"},
      {STR("-Infinity"), "line 1, column 1: a malformed number"},
      {STR("nul"), "line 1, column 1: expected a value"},
      {STR("\xEF\xBB\xBF{}"), "line 1, column 1: expected a value"},
      {STR("{\"a\":1,\"b\":2,\"a\":3}"), "line 1, column 14: \"a\" is given twice"},
      {STR("{\"a\":1,\"\\u0061\":3}"), "line 1, column 8: \"a\" is given twice"},
      {STR("{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\n\"c\":0}"),
       "line 2, column 1: \"c\" is given twice"},
      {STR("'a'"), "line 1, column 1: expected a value"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    JsonValue value = {.count = 7};
    Error err = {0};
    assert_int_equal(json_parse(cases[i].text, 64, *state, &value, &err), CODE_BAD_REQUEST);
    assert_string_equal(err.text, cases[i].message);
    assert_int_equal(value.count, 7);
  }
}

static void depth_is_bounded_without_the_c_stack(void **state) {
  static char text[200001];
  JsonValue value;
  Error err;
  memset(text, '[', 100000);
  memset(text + 100000, ']', 100000);
  assert_int_equal(json_parse(str_of(text), 64, *state, &value, &err), CODE_TOO_LARGE);
  assert_string_equal(err.text, "nested deeper than 64 levels");
  assert_int_equal(json_parse((Str){text + 100000 - 64, 128}, 64, *state, &value, &err), CODE_OK);
  assert_int_equal(json_parse(str_of(text), 100000, *state, &value, &err), CODE_OK);
}

static void many_members_are_checked_quickly(void **state) {
  enum { MEMBERS = 200000 };
  Buf text = buf_on(*state, SIZE_MAX);
  buf_add_byte(&text, '{');
  for (int i = 0; i < MEMBERS; i++) buf_printf(&text, "\"the same long beginning %d\":%d,", i, i);
  buf_add(&text, STR("\"last\":0}"));
  JsonValue value = parsed(*state, buf_str(&text));
  assert_int_equal(value.count, MEMBERS + 1);
  assert_int_equal(json_get(&value, STR("last"))->type, JSON_NUMBER);
  assert_null(json_get(&value, STR("no")));
  assert_null(json_get(json_get(&value, STR("last")), STR("last")));
}

static bool are_equal(Arena *arena, const char *a, const char *b) {
  JsonValue x = parsed(arena, str_of(a)), y = parsed(arena, str_of(b));
  assert_int_equal(json_equal(&x, &y), json_equal(&y, &x));
  return json_equal(&x, &y);
}

static void equality_is_of_values(void **state) {
  assert_true(are_equal(*state, "{\"a\":1,\"b\":[true,null]}", "{\"b\":[true,null],\"a\":1.0}"));
  assert_true(are_equal(*state, "[100,0,-0.0]", "[1e2,-0,0]"));
  assert_true(are_equal(*state, "1e999999999", "10e999999998"));
  assert_false(are_equal(*state, "9007199254740992", "9007199254740993"));
  assert_false(are_equal(*state, "[1,2]", "[2,1]"));
  assert_false(are_equal(*state, "{\"a\":1}", "{\"a\":1,\"b\":2}"));
  assert_false(are_equal(*state, "{\"a\":1}", "{\"b\":1}"));
  assert_false(are_equal(*state, "\"1\"", "1"));
  assert_true(are_equal(*state,
                        "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,"
                        "\"o\":1,\"p\":1,\"q\":1}",
                        "{\"q\":1,\"p\":1,\"o\":1,\"n\":1,\"m\":1,\"l\":1,\"k\":1,\"j\":1,\"i\":1,\"h\":1,\"g\":1,\"f\":1,\"e\":1,\"d\":1,"
                        "\"c\":1,\"b\":1,\"a\":1}"));
}

static void numbers_become_integers_only_exactly(void **state) {
  (void)state;
  int64_t n = 0;
  assert_true(json_number_to_int64(STR("5.0"), &n) && n == 5);
  assert_true(json_number_to_int64(STR("5e2"), &n) && n == 500);
  assert_true(json_number_to_int64(STR("-0"), &n) && n == 0);
  assert_true(json_number_to_int64(STR("0.00e-5"), &n) && n == 0);
  assert_true(json_number_to_int64(STR("12.50e1"), &n) && n == 125);
  assert_true(json_number_to_int64(STR("-9223372036854775808"), &n) && n == INT64_MIN);
  assert_true(json_number_to_int64(STR("9223372036854775807.000"), &n) && n == INT64_MAX);
  assert_true(json_number_to_int64(STR("100"), &n) && n == 100);
  const char *wrong[] = {"9223372036854775808", "-9223372036854775809", "1.5", "1e-1", "1e19", "1e999999999999", "10000000000000000000"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(json_number_to_int64(str_of(wrong[i]), &n));
  double d;
  assert_true(json_number_to_double(STR("-1.25e2"), &d) && d == -125);
  assert_false(json_number_to_double(STR("1e309"), &d));
}

static void assert_double(Arena *arena, double n, const char *expected) {
  Buf out = buf_on(arena, 100);
  json_write_double(&out, n);
  if (!str_equal(buf_str(&out), str_of(expected))) fail_msg("%.*s, expected %s", STR_ARGS(buf_str(&out)), expected);
}

static void doubles_are_written_in_their_shortest_form(void **state) {
  assert_double(*state, 5, "5");
  assert_double(*state, -0.0, "-0");
  assert_double(*state, 0.1, "0.1");
  assert_double(*state, 0.1 + 0.2, "0.30000000000000004");
  assert_double(*state, 4.99, "4.99");
  assert_double(*state, -1234.000001, "-1234.000001");
  assert_double(*state, 1.0 / 3, "0.3333333333333333");
  assert_double(*state, 1e15, "1000000000000000");
  assert_double(*state, 1e21, "1e21");
  assert_double(*state, 1e-7, "1e-7");
  assert_double(*state, 5e-324, "5e-324");
  assert_double(*state, DBL_MAX, "1.7976931348623157e308");
  assert_double(*state, 9007199254740993e3, "9.007199254740993e18");
}

static void every_double_reads_back(void **state) {
  unsigned seed = 11;
  for (int i = 0; i < 20000; i++) {
    uint64_t bits = (uint64_t)rand_r(&seed) << 42 ^ (uint64_t)rand_r(&seed) << 21 ^ (uint64_t)rand_r(&seed);
    double n, back = 0;
    memcpy(&n, &bits, sizeof n);
    if (i % 2 == 0) n = (double)(rand_r(&seed) % 100000000) / (double)(1 + rand_r(&seed) % 10000);
    if (!isfinite(n)) continue;
    Buf out = buf_on(*state, 100);
    json_write_double(&out, n);
    assert_true(json_number_to_double(buf_str(&out), &back));
    assert_true(memcmp(&n, &back, sizeof n) == 0);
  }
}

static void parsing_survives_every_failing_allocation(void **state) {
  (void)state;
  Buf text = buf_on_heap(SIZE_MAX);
  buf_add(&text, STR("{\"deep\":"));
  for (int i = 0; i < 100; i++) buf_add(&text, STR("[{\"a\\u0041\":"));
  for (int i = 0; i < 100; i++) buf_printf(&text, "%s{\"m\":[1,2]}", i == 0 ? "[" : ",");
  buf_add_byte(&text, ']');
  for (int i = 0; i < 100; i++) buf_add(&text, STR("}]"));
  for (int i = 0; i < 40; i++) buf_printf(&text, ",\"k%d\":\"\\n\"", i);
  buf_add_byte(&text, '}');
  size_t n = 1;
  for (Code code = CODE_UNAVAILABLE; code != CODE_OK; n++) {
    Arena *arena = arena_create(0);
    JsonValue value;
    Error err;
    memory_fail_after(n);
    code = json_parse(buf_str(&text), 1000, arena, &value, &err);
    memory_fail_after(0);
    assert_true(code == CODE_OK || (code == CODE_UNAVAILABLE && strcmp(err.text, "out of memory") == 0));
    if (code == CODE_OK) {
      Buf out = buf_on(arena, SIZE_MAX);
      json_write(&out, &value);
      assert_int_equal(out.failed, CODE_OK);
    }
    arena_destroy(arena);
  }
  assert_true(n > 100);
  buf_done(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(values_are_written_as_they_were_read),
      TEST(mistakes_are_named_with_their_place),
      TEST(depth_is_bounded_without_the_c_stack),
      TEST(many_members_are_checked_quickly),
      TEST(equality_is_of_values),
      TEST(numbers_become_integers_only_exactly),
      TEST(doubles_are_written_in_their_shortest_form),
      TEST(every_double_reads_back),
      TEST(parsing_survives_every_failing_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
