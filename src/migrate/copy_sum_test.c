/* copy_sum_test.c - the same values give the same checksum, however a store writes them; others do not. */
#include "migrate/copy_sum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "migrate/folder.h"

static const char contract_text[] =
    "extend schema @service(name: \"t\")\n"
    "type Thing @resource @access(read: \"true\", write: \"true\") { id: Int! @id f: Float j: JSON u: UUID s: String }";

typedef struct Fixture {
  Arena *arena;
  const Resource *resource;
} Fixture;

static Fixture fixture_open(void) {
  Fixture ret = {.arena = arena_create(0)};
  Contract *contract = NULL;
  Error err;
  assert_int_equal(migration_contract_load(STR("test"), str_of(contract_text), ret.arena, &contract, &err), CODE_OK);
  ret.resource = contract->resources[0];
  return ret;
}

static RowsSum sum_of(const Fixture *fixture, const Value (*rows)[5], size_t count) {
  Arena *row = arena_create(0);
  RowsSum sum = {.arena = row};
  Error err;
  for (size_t i = 0; i < count; i++) assert_int_equal(rows_sum_add(&sum, fixture->resource, rows[i], &err), CODE_OK);
  arena_destroy(row);
  return sum;
}

static Value json(const char *text) { return (Value){.type = VALUE_JSON, .text = str_of(text)}; }

static bool is_equal(const Fixture *fixture, size_t column, Value a, Value b) {
  Value one[1][5] = {{value_int(1)}}, other[1][5] = {{value_int(1)}};
  one[0][column] = a;
  other[0][column] = b;
  RowsSum first = sum_of(fixture, one, 1), second = sum_of(fixture, other, 1);
  bool is_first = first.sum[0] == second.sum[0], is_second = first.sum[1] == second.sum[1];
  assert_int_equal(is_first, is_second);
  return is_first;
}

static void numbers_and_members_of_JSON_count_by_value(void **state) {
  Fixture fixture = fixture_open();
  (void)state;
  assert_true(is_equal(&fixture, 2, json("[150,0,-0.5]"), json("[1.50e2,0.0,-5E-1]")));
  assert_true(is_equal(&fixture, 2, json("{\"a\":1,\"b\":[]}"), json("{\"b\":[],\"a\":1}")));
  assert_false(is_equal(&fixture, 2, json("[150]"), json("[15]")));
  assert_false(is_equal(&fixture, 2, json("[1]"), json("[-1]")));
  assert_false(is_equal(&fixture, 2, json("[12345678901234567890]"), json("[12345678901234567891]")));
  assert_false(is_equal(&fixture, 2, json("{\"a\":1,\"b\":2}"), json("{\"a\":2,\"b\":1}")));
  assert_false(is_equal(&fixture, 2, json("[[1],2]"), json("[[1,2]]")));
  assert_false(is_equal(&fixture, 2, json("\"1\""), json("1")));
  assert_false(is_equal(&fixture, 2, json("null"), value_null()));
  arena_destroy(fixture.arena);
}

static void scalars_count_by_value(void **state) {
  Fixture fixture = fixture_open();
  (void)state;
  assert_true(is_equal(&fixture, 1, value_float(0.0), value_float(-0.0)));
  assert_false(is_equal(&fixture, 1, value_float(0.1), value_float(0.1 + 1e-17 * 3)));
  assert_true(is_equal(&fixture, 3, value_text(STR("0190A6E4-0000-7000-8000-00000000ABCD")),
                       value_text(STR("0190a6e4-0000-7000-8000-00000000abcd"))));
  assert_false(is_equal(&fixture, 4, value_text(STR("A")), value_text(STR("a"))));
  assert_false(is_equal(&fixture, 4, value_text(STR("")), value_null()));
  arena_destroy(fixture.arena);
}

static void rows_count_in_any_order_and_columns_do_not(void **state) {
  Fixture fixture = fixture_open();
  (void)state;
  const Value rows[2][5] = {{value_int(1), value_null(), value_null(), value_null(), value_text(STR("a"))},
                            {value_int(2), value_null(), value_null(), value_null(), value_text(STR("b"))}};
  const Value turned[2][5] = {{value_int(2), value_null(), value_null(), value_null(), value_text(STR("b"))},
                              {value_int(1), value_null(), value_null(), value_null(), value_text(STR("a"))}};
  const Value crossed[2][5] = {{value_int(1), value_null(), value_null(), value_null(), value_text(STR("b"))},
                               {value_int(2), value_null(), value_null(), value_null(), value_text(STR("a"))}};
  RowsSum sum = sum_of(&fixture, rows, 2), same = sum_of(&fixture, turned, 2), other = sum_of(&fixture, crossed, 2);
  assert_int_equal(sum.rows, 2);
  assert_true(sum.sum[0] == same.sum[0] && sum.sum[1] == same.sum[1]);
  assert_true(sum.sum[0] != other.sum[0] && sum.sum[1] != other.sum[1]);
  arena_destroy(fixture.arena);
}

static void what_is_no_JSON_is_refused(void **state) {
  Fixture fixture = fixture_open();
  RowsSum sum = {.arena = arena_create(0)};
  Value row[5] = {value_int(1), value_null(), json("{"), value_null(), value_null()};
  Error err;
  (void)state;
  assert_int_equal(rows_sum_add(&sum, fixture.resource, row, &err), CODE_CONFLICT);
  arena_destroy(sum.arena);
  arena_destroy(fixture.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_and_members_of_JSON_count_by_value),
      cmocka_unit_test(scalars_count_by_value),
      cmocka_unit_test(rows_count_in_any_order_and_columns_do_not),
      cmocka_unit_test(what_is_no_JSON_is_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
