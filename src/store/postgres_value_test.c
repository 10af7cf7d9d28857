/* postgres_value_test.c - PostgreSQL's binary forms, as its documentation and its own send functions have them (the bytes were worked out
 * by hand), and parameters as libpq takes them. */
#include "store/postgres_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "store/postgres_array.h"

static Arena *arena;

static int make_arena(void **state) {
  (void)state;
  arena = arena_create(0);
  return arena == NULL;
}

static int drop_arena(void **state) {
  (void)state;
  arena_destroy(arena);
  return 0;
}

#define BYTES(literal) ((Str){(literal), sizeof(literal) - 1})

static void assert_str(Str actual, const char *expected) {
  assert_int_equal(actual.len, strlen(expected));
  assert_memory_equal(actual.ptr, expected, actual.len);
}

static void assert_text(uint32_t oid, Str bytes, ValueType type, const char *expected) {
  StoreColumn shape = {.type = type};
  Value value;
  assert_int_equal(postgres_value_read(oid, bytes, &shape, arena, &value), CODE_OK);
  assert_int_equal(value.type, type);
  assert_str(value.text, expected);
}

static void assert_integer(uint32_t oid, Str bytes, ValueType type, int64_t expected) {
  StoreColumn shape = {.type = type};
  Value value;
  assert_int_equal(postgres_value_read(oid, bytes, &shape, arena, &value), CODE_OK);
  assert_int_equal(value.integer, expected);
}

static void assert_refused(uint32_t oid, Str bytes, ValueType type) {
  StoreColumn shape = {.type = type};
  Value value;
  assert_int_equal(postgres_value_read(oid, bytes, &shape, arena, &value), CODE_INTERNAL);
}

static void numerics_become_canonical_decimals(void **state) {
  (void)state;
  assert_text(PG_NUMERIC, BYTES("\0\0\0\0\0\0\0\2"), VALUE_DECIMAL, "0");
  assert_text(PG_NUMERIC, BYTES("\0\1\0\0\0\0\0\0\0\7"), VALUE_DECIMAL, "7");
  /* 12345.678: groups 1, 2345, 6780. */
  assert_text(PG_NUMERIC, BYTES("\0\3\0\1\0\0\0\3\0\1\x09\x29\x1a\x7c"), VALUE_DECIMAL, "12345.678");
  assert_text(PG_NUMERIC, BYTES("\0\3\0\1\x40\0\0\3\0\1\x09\x29\x1a\x7c"), VALUE_DECIMAL, "-12345.678");
  /* 10000: one group of the power 1. 1.50 keeps its scale in PostgreSQL, not here. 0.00001 begins two groups behind the point. */
  assert_text(PG_NUMERIC, BYTES("\0\1\0\1\0\0\0\0\0\1"), VALUE_DECIMAL, "10000");
  assert_text(PG_NUMERIC, BYTES("\0\2\0\0\0\0\0\2\0\1\x13\x88"), VALUE_DECIMAL, "1.5");
  assert_text(PG_NUMERIC, BYTES("\0\1\xff\xfe\0\0\0\5\x03\xe8"), VALUE_DECIMAL, "0.00001");
  assert_text(PG_NUMERIC, BYTES("\0\1\xff\xff\0\0\0\4\0\x0c"), VALUE_DECIMAL, "0.0012");
}

static void what_is_no_number_is_refused(void **state) {
  (void)state;
  assert_refused(PG_NUMERIC, BYTES("\0\0\0\0\xc0\0\0\0"), VALUE_DECIMAL);       /* NaN */
  assert_refused(PG_NUMERIC, BYTES("\0\0\0\0\xd0\0\0\0"), VALUE_DECIMAL);       /* infinity */
  assert_refused(PG_NUMERIC, BYTES("\0\2\0\0\0\0\0\0\0\1"), VALUE_DECIMAL);     /* a group is missing */
  assert_refused(PG_NUMERIC, BYTES("\0\1\0\0\0\0\0\0\x27\x10"), VALUE_DECIMAL); /* a group of 10000 */
  assert_refused(PG_FLOAT8, BYTES("\x7f\xf0\0\0\0\0\0\0"), VALUE_FLOAT);
  assert_refused(PG_INT4, BYTES("\0\0\1"), VALUE_INT);
  assert_refused(PG_TEXT, BYTES("12"), VALUE_INT);
}

static void integers_come_in_three_widths(void **state) {
  (void)state;
  assert_integer(PG_INT2, BYTES("\xff\xfe"), VALUE_INT, -2);
  assert_integer(PG_INT4, BYTES("\x7f\xff\xff\xff"), VALUE_INT, 2147483647);
  assert_integer(PG_INT8, BYTES("\x80\0\0\0\0\0\0\0"), VALUE_INT, INT64_MIN);
  assert_integer(PG_NUMERIC, BYTES("\0\1\0\0\0\0\0\0\0\7"), VALUE_INT, 7);
}

static void an_int_of_a_field_has_32_bits(void **state) {
  (void)state;
  Field field = {.type = TYPE_INT};
  StoreColumn shape = {.type = VALUE_INT, .field = &field};
  Value value;
  assert_int_equal(postgres_value_read(PG_INT8, BYTES("\0\0\0\0\x7f\xff\xff\xff"), &shape, arena, &value), CODE_OK);
  assert_int_equal(postgres_value_read(PG_INT8, BYTES("\0\0\0\0\x80\0\0\0"), &shape, arena, &value), CODE_INTERNAL);
}

static void times_count_from_2000(void **state) {
  (void)state;
  assert_integer(PG_TIMESTAMPTZ, BYTES("\0\0\0\0\0\0\0\0"), VALUE_TIMESTAMP, INT64_C(946684800000000));
  assert_integer(PG_TIMESTAMP, BYTES("\0\0\0\0\0\0\0\1"), VALUE_TIMESTAMP, INT64_C(946684800000001));
  assert_integer(PG_DATE, BYTES("\0\0\0\1"), VALUE_DATE, 10958);
  assert_integer(PG_DATE, BYTES("\0\0\0\1"), VALUE_TIMESTAMP, INT64_C(946771200000000));
  assert_integer(PG_TIMESTAMP, BYTES("\0\0\0\0\0\0\0\0"), VALUE_DATE, 10957);
  assert_refused(PG_TIMESTAMP, BYTES("\0\0\0\0\0\0\0\1"), VALUE_DATE);
  assert_refused(PG_TIMESTAMPTZ, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), VALUE_TIMESTAMP); /* infinity */
  assert_refused(PG_DATE, BYTES("\x7f\xff\xff\xff"), VALUE_DATE);
}

static void a_real_is_what_it_shows(void **state) {
  (void)state;
  StoreColumn shape = {.type = VALUE_FLOAT};
  Value value;
  assert_int_equal(postgres_value_read(PG_FLOAT4, BYTES("\x3d\xcc\xcc\xcd"), &shape, arena, &value), CODE_OK);
  assert_true(value.number == 0.1);
  assert_int_equal(postgres_value_read(PG_FLOAT8, BYTES("\x3f\xf8\0\0\0\0\0\0"), &shape, arena, &value), CODE_OK);
  assert_true(value.number == 1.5);
}

static void texts_uuids_and_documents(void **state) {
  (void)state;
  assert_text(PG_TEXT, STR("tea"), VALUE_TEXT, "tea");
  assert_text(PG_BPCHAR, STR("tea   "), VALUE_TEXT, "tea");
  assert_text(PG_UUID, BYTES("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"), VALUE_TEXT,
              "01234567-89ab-cdef-0123-456789abcdef");
  assert_text(PG_JSONB, BYTES("\1{\"a b\": [1, \" \\\" \"]}"), VALUE_JSON, "{\"a b\":[1,\" \\\" \"]}");
  assert_text(PG_JSON, STR("{\"a\":1}"), VALUE_JSON, "{\"a\":1}");
  assert_refused(PG_JSONB, BYTES("\2{}"), VALUE_JSON);
  assert_refused(PG_UUID, BYTES("\x01"), VALUE_TEXT);
}

static void arrays_become_lists(void **state) {
  (void)state;
  Field texts = {.type = TYPE_STRING, .is_list = true}, big = {.type = TYPE_BIGINT, .is_list = true},
        whole = {.type = TYPE_INT, .is_list = true};
  StoreColumn shape = {.type = VALUE_JSON, .field = &texts};
  Value value;
  assert_int_equal(postgres_value_read(1009, BYTES("\0\0\0\0\0\0\0\0\0\0\0\x19"), &shape, arena, &value), CODE_OK);
  assert_str(value.text, "[]");
  assert_int_equal(postgres_value_read(1009, BYTES("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1\0\0\0\1a\xff\xff\xff\xff\0\0\0\1\""), &shape,
                                       arena, &value),
                   CODE_OK);
  assert_str(value.text, "[\"a\",null,\"\\\"\"]");
  shape.field = &big;
  assert_int_equal(
      postgres_value_read(1016, BYTES("\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\0\0\0\x08\0\0\0\0\0\0\0\x2a"), &shape, arena, &value),
      CODE_OK);
  assert_str(value.text, "[\"42\"]");
  shape.field = &whole;
  assert_int_equal(postgres_value_read(1007, BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\x2a"), &shape, arena, &value),
                   CODE_OK);
  assert_str(value.text, "[42]");
}

static void broken_arrays_are_refused(void **state) {
  (void)state;
  Field texts = {.type = TYPE_STRING, .is_list = true};
  StoreColumn shape = {.type = VALUE_JSON, .field = &texts};
  Value value;
  const Str broken[] = {
      BYTES(""),
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\x19"),                                 /* no dimension */
      BYTES("\0\0\0\2\0\0\0\0\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"), /* two of them */
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\1a"),        /* an item is missing */
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\xff"
            "a"),                                                    /* an item beyond the end */
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\1a!"), /* more than there are items */
      BYTES("\0\0\0\1\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\0\0\0\1"),   /* too many */
  };
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
    assert_int_equal(postgres_value_read(1009, broken[i], &shape, arena, &value), CODE_INTERNAL);
}

static PostgresParam param(Value value, ValueType type, PostgresForm form) {
  PostgresParam ret;
  assert_int_equal(postgres_param_write(&value, type, form, arena, &ret, NULL), CODE_OK);
  return ret;
}

static void parameters_of_fixed_length_are_binary(void **state) {
  (void)state;
  PostgresParam number = param(value_int(-2), VALUE_INT, POSTGRES_FORM_PLAIN);
  assert_int_equal(number.type, PG_INT8);
  assert_int_equal(number.format, 1);
  assert_int_equal(number.length, 8);
  assert_memory_equal(number.bytes, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
  Value day = {.type = VALUE_DATE, .integer = 10956};
  assert_memory_equal(param(day, VALUE_DATE, POSTGRES_FORM_PLAIN).bytes, "\xff\xff\xff\xff", 4);
  assert_memory_equal(param(value_float(1.5), VALUE_FLOAT, POSTGRES_FORM_PLAIN).bytes, "\x3f\xf8\0\0\0\0\0\0", 8);
}

static void nulls_and_texts(void **state) {
  (void)state;
  assert_null(param(value_null(), VALUE_INT, POSTGRES_FORM_PLAIN).bytes);
  assert_int_equal(param(value_null(), VALUE_INT, POSTGRES_FORM_PLAIN).type, PG_INT8);
  assert_string_equal(param(value_text(STR("")), VALUE_TEXT, POSTGRES_FORM_PLAIN).bytes, "");
  assert_string_equal(param(value_decimal(STR("1.50")), VALUE_DECIMAL, POSTGRES_FORM_PLAIN).bytes, "1.50");
  /* What the statement doesn't name has no type that could be inferred. */
  assert_int_equal(param(value_int(1), VALUE_INT, POSTGRES_FORM_UNUSED).type, PG_TEXT);
  assert_null(param(value_int(1), VALUE_INT, POSTGRES_FORM_UNUSED).bytes);
}

static void what_is_no_uuid_is_null_where_a_uuid_is_asked_for(void **state) {
  (void)state;
  assert_null(param(value_text(STR("tea")), VALUE_TEXT, POSTGRES_FORM_UUID).bytes);
  assert_string_equal(param(value_text(STR("01234567-89AB-CDEF-0123-456789ABCDEF")), VALUE_TEXT, POSTGRES_FORM_UUID).bytes,
                      "01234567-89ab-cdef-0123-456789abcdef");
  const Value items[] = {value_text(STR("tea")), value_text(STR("01234567-89ab-cdef-0123-456789abcdef"))};
  Value list = {.type = VALUE_LIST, .list = {items, 2}};
  assert_string_equal(param(list, VALUE_LIST, POSTGRES_FORM_UUID_ARRAY).bytes, "{NULL,\"01234567-89ab-cdef-0123-456789abcdef\"}");
}

static void lists_become_arrays(void **state) {
  (void)state;
  const Value items[] = {value_text(STR("a\"\\{},")), value_null(), value_text(STR("NULL"))};
  Value list = {.type = VALUE_LIST, .list = {items, 3}};
  assert_string_equal(param(list, VALUE_LIST, POSTGRES_FORM_ARRAY).bytes, "{\"a\\\"\\\\{},\",NULL,\"NULL\"}");
  Value json = {.type = VALUE_JSON, .text = STR("[\"a\",null,1.5,true]")};
  assert_string_equal(param(json, VALUE_JSON, POSTGRES_FORM_ARRAY).bytes, "{\"a\",NULL,1.5,t}");
  Value empty = {.type = VALUE_JSON, .text = STR("[]")};
  assert_string_equal(param(empty, VALUE_JSON, POSTGRES_FORM_ARRAY).bytes, "{}");
  /* A document is a document. */
  assert_string_equal(param(json, VALUE_JSON, POSTGRES_FORM_PLAIN).bytes, "[\"a\",null,1.5,true]");
}

static void forms_stand_behind_parameters(void **state) {
  (void)state;
  PostgresForm forms[6];
  postgres_forms_read(STR("SELECT '$5::uuid', \"$5\" FROM t WHERE a = $1::uuid AND b = ANY($2::text[]) AND c = ANY($3::uuid[]) AND d = "
                          "$4::bigint LIMIT $6"),
                      forms, 6);
  assert_int_equal(forms[0], POSTGRES_FORM_UUID);
  assert_int_equal(forms[1], POSTGRES_FORM_ARRAY);
  assert_int_equal(forms[2], POSTGRES_FORM_UUID_ARRAY);
  assert_int_equal(forms[3], POSTGRES_FORM_PLAIN);
  assert_int_equal(forms[4], POSTGRES_FORM_UNUSED);
  assert_int_equal(forms[5], POSTGRES_FORM_PLAIN);
  postgres_forms_read(STR("$1::double precision[] $99 $"), forms, 1);
  assert_int_equal(forms[0], POSTGRES_FORM_ARRAY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numerics_become_canonical_decimals),
      cmocka_unit_test(what_is_no_number_is_refused),
      cmocka_unit_test(integers_come_in_three_widths),
      cmocka_unit_test(an_int_of_a_field_has_32_bits),
      cmocka_unit_test(times_count_from_2000),
      cmocka_unit_test(a_real_is_what_it_shows),
      cmocka_unit_test(texts_uuids_and_documents),
      cmocka_unit_test(arrays_become_lists),
      cmocka_unit_test(broken_arrays_are_refused),
      cmocka_unit_test(parameters_of_fixed_length_are_binary),
      cmocka_unit_test(nulls_and_texts),
      cmocka_unit_test(what_is_no_uuid_is_null_where_a_uuid_is_asked_for),
      cmocka_unit_test(lists_become_arrays),
      cmocka_unit_test(forms_stand_behind_parameters),
  };
  return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
