/* postgres_value_test.c - PostgreSQL's binary forms, as its documentation and its own send functions have them (the bytes were worked out
 * by hand), and parameters as libpq takes them. */
#include "store/postgres_value.h"

#include <limits.h>
#include <math.h>
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

/* As the column's shape has it; first with one allocation failing after the other, of which each is told. */
static Code read_as(uint32_t oid, Str bytes, const StoreColumn *shape, Value *ret) {
  for (size_t nth = 1;; nth++) {
    memory_fail_after(nth);
    Code code = postgres_value_read(oid, bytes, shape, arena, ret);
    bool is_hit = memory_fail_countdown == 0;
    memory_fail_after(0);
    if (!is_hit) return code;
    assert_int_equal(code, CODE_UNAVAILABLE);
  }
}

static void assert_text(uint32_t oid, Str bytes, ValueType type, const char *expected) {
  StoreColumn shape = {.type = type};
  Value value;
  assert_int_equal(read_as(oid, bytes, &shape, &value), CODE_OK);
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
  assert_int_equal(postgres_value_read(PG_FLOAT8, BYTES("\x80\0\0\0\0\0\0\0"), &shape, arena, &value), CODE_OK);
  assert_true(value.number == 0 && !signbit(value.number)); /* as SQLite has it */
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

/* A column that others made, of a field of the type. */
typedef struct Foreign {
  uint32_t oid;
  Str bytes;
  FieldType type;
  ValueType value_type;
  const char *expected; /* as text; NULL: it does not fit */
} Foreign;

static void other_types_are_read_where_nothing_is_lost(void **state) {
  (void)state;
  static const Foreign rows[] = {
      {PG_INT4, {"\0\0\0\7", 4}, TYPE_DECIMAL, VALUE_DECIMAL, "7"},
      {PG_FLOAT8, {"\x3f\xf8\0\0\0\0\0\0", 8}, TYPE_DECIMAL, VALUE_DECIMAL, "1.5"},
      {PG_NUMERIC, {"\0\2\0\0\0\0\0\2\0\1\x13\x88", 12}, TYPE_DECIMAL, VALUE_DECIMAL, "1.5"},
      {PG_NUMERIC, {"\0\2\0\0\0\0\0\3\0\1\x13\x8d", 12}, TYPE_DECIMAL, VALUE_DECIMAL, NULL},   /* 1.5005 behind a scale of 2 */
      {PG_FLOAT8, {"\x7e\x37\xe4\x3c\x88\x00\x75\x9c", 8}, TYPE_DECIMAL, VALUE_DECIMAL, NULL}, /* 1e300 has too many digits */
      {PG_FLOAT8, {"\x7f\xf0\0\0\0\0\0\0", 8}, TYPE_DECIMAL, VALUE_DECIMAL, NULL},             /* infinity */
      {PG_TEXT, {"7", 1}, TYPE_DECIMAL, VALUE_DECIMAL, NULL},
      {PG_NUMERIC, {"\0\0\0", 3}, TYPE_DECIMAL, VALUE_DECIMAL, NULL},
      {PG_NUMERIC, {"\0\2\0\0\0\0\0\2\0\1\x13\x88", 12}, TYPE_BIGINT, VALUE_INT, NULL}, /* 1.5 */
      {PG_NUMERIC, {"\0\0\0\0\xc0\0\0\0", 8}, TYPE_BIGINT, VALUE_INT, NULL},            /* NaN */
      {PG_NUMERIC, {"\xff\xff\0\0\0\0\0\0", 8}, TYPE_BIGINT, VALUE_INT, NULL},          /* fewer groups than none */
      {PG_INT8, {"\0\0\0\0\0\0\0\2", 8}, TYPE_FLOAT, VALUE_FLOAT, "2"},
      {PG_NUMERIC, {"\0\2\0\0\0\0\0\2\0\1\x13\x88", 12}, TYPE_FLOAT, VALUE_FLOAT, "1.5"},
      {PG_NUMERIC, {"\0\0\0\0\xc0\0\0\0", 8}, TYPE_FLOAT, VALUE_FLOAT, NULL},
      {PG_FLOAT4, {"\x3d\xcc\xcc", 3}, TYPE_FLOAT, VALUE_FLOAT, NULL},
      {PG_TEXT, {"1.5", 3}, TYPE_FLOAT, VALUE_FLOAT, NULL},
      {PG_BOOL, {"\1", 1}, TYPE_BOOLEAN, VALUE_BOOL, "true"},
      {PG_INT2, {"\0\0", 2}, TYPE_BOOLEAN, VALUE_BOOL, "false"},
      {PG_BOOL, {"\1\1", 2}, TYPE_BOOLEAN, VALUE_BOOL, NULL},
      {PG_TEXT, {"t", 1}, TYPE_BOOLEAN, VALUE_BOOL, NULL},
      {PG_TEXT, {"01234567-89AB-CDEF-0123-456789ABCDEF", 36}, TYPE_UUID, VALUE_TEXT, "01234567-89ab-cdef-0123-456789abcdef"},
      {PG_TEXT, {"tea", 3}, TYPE_UUID, VALUE_TEXT, NULL},
      {PG_INT4, {"\0\0\0\7", 4}, TYPE_STRING, VALUE_TEXT, NULL},
      {PG_TEXT, {"2026-01-01", 10}, TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {PG_DATE, {"\0\0\1", 3}, TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {PG_INT4, {"\0\0\0\1", 4}, TYPE_DATE, VALUE_DATE, NULL},
      {PG_DATE, {"\0\0\1", 3}, TYPE_DATE, VALUE_DATE, NULL},
      {PG_TEXT, {"[ 1, 2 ]", 8}, TYPE_JSON, VALUE_JSON, "[1,2]"},
      {PG_JSONB, {"", 0}, TYPE_JSON, VALUE_JSON, NULL},
      {PG_INT4, {"\0\0\0\7", 4}, TYPE_JSON, VALUE_JSON, NULL},
      {PG_TEXT, {"x", 1}, TYPE_BYTES, VALUE_BYTES, NULL},
      {PG_TEXT, {"x", 1}, TYPE_STRING, VALUE_LIST, NULL}, /* no column is of that type */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    Field field = {.type = rows[i].type, .scale = rows[i].type == TYPE_DECIMAL ? 2 : -1};
    StoreColumn shape = {.type = rows[i].value_type, .field = &field, .is_foreign = true};
    Value value;
    Code code = read_as(rows[i].oid, rows[i].bytes, &shape, &value);
    if (code != (rows[i].expected == NULL ? CODE_INTERNAL : CODE_OK)) fail_msg("row %zu: %d", i, code);
    if (rows[i].expected == NULL) continue;
    if (value.type == VALUE_BOOL)
      assert_int_equal(value.boolean, rows[i].expected[0] == 't');
    else if (value.type == VALUE_FLOAT)
      assert_true(value.number == strtod(rows[i].expected, NULL));
    else
      assert_str(value.text, rows[i].expected);
  }
}

static void an_enum_has_no_other_names(void **state) {
  (void)state;
  EnumValue names[] = {{.name = STR_INIT("OPEN"), .stored = STR_INIT("open")}};
  EnumType type = {.values = names, .value_count = 1};
  Field field = {.type = TYPE_ENUM, .enum_type = &type};
  StoreColumn shape = {.type = VALUE_TEXT, .field = &field};
  Value value;
  assert_int_equal(read_as(PG_TEXT, STR("open"), &shape, &value), CODE_OK);
  assert_int_equal(read_as(PG_TEXT, STR("OPEN"), &shape, &value), CODE_INTERNAL);
}

static void what_is_no_list_of_such_items_is_refused(void **state) {
  (void)state;
  const Str one_int = BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\x2a");
  Field texts = {.type = TYPE_STRING, .is_list = true}, text = {.type = TYPE_STRING}, documents = {.type = TYPE_JSON, .is_list = true};
  const Field *fields[] = {&texts, &text, &documents, NULL};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    StoreColumn shape = {.type = VALUE_JSON, .field = fields[i]};
    Value value;
    assert_int_equal(postgres_value_read(1007, one_int, &shape, arena, &value), CODE_INTERNAL);
  }
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

static void what_is_no_parameter_is_refused(void **state) {
  (void)state;
  static const struct {
    Value value;
    PostgresForm form;
    Code code;
    const char *said;
  } rows[] = {
      {{.type = VALUE_JSON, .text = STR_INIT("{}")}, POSTGRES_FORM_ARRAY, CODE_INTERNAL, "a list is no JSON array"},
      {{.type = VALUE_JSON, .text = STR_INIT("[{}]")}, POSTGRES_FORM_ARRAY, CODE_INTERNAL, "a list of scalars has an item that is none"},
      {{.type = VALUE_TEXT, .text = {"", (size_t)INT_MAX + 1}},
       POSTGRES_FORM_PLAIN,
       CODE_TOO_LARGE,
       "a value is larger than the store takes"},
      {{.type = VALUE_BYTES, .text = {"", (size_t)INT_MAX + 1}},
       POSTGRES_FORM_PLAIN,
       CODE_TOO_LARGE,
       "a value is larger than the store takes"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    PostgresParam ret;
    Error error = {0};
    assert_int_equal(postgres_param_write(&rows[i].value, rows[i].value.type, rows[i].form, arena, &ret, &error), rows[i].code);
    assert_string_equal(error.text, rows[i].said);
  }
}

static void parameters_are_written_or_memory_is_out(void **state) {
  (void)state;
  const Value items[] = {value_text(STR("a")), value_text(STR("01234567-89ab-cdef-0123-456789abcdef"))};
  const struct {
    Value value;
    PostgresForm form;
  } rows[] = {
      {value_int(1), POSTGRES_FORM_PLAIN},
      {value_text(STR("tea")), POSTGRES_FORM_PLAIN},
      {value_text(STR("01234567-89ab-cdef-0123-456789abcdef")), POSTGRES_FORM_UUID},
      {{.type = VALUE_JSON, .text = STR("[\"a\",1]")}, POSTGRES_FORM_ARRAY},
      {{.type = VALUE_LIST, .list = {items, 2}}, POSTGRES_FORM_ARRAY},
      {{.type = VALUE_LIST, .list = {items, 2}}, POSTGRES_FORM_UUID_ARRAY},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t failures = 0;
    for (bool is_hit = true; is_hit; failures += is_hit) {
      PostgresParam ret;
      Error error = {0};
      memory_fail_after(failures + 1);
      Code code = postgres_param_write(&rows[i].value, rows[i].value.type, rows[i].form, arena, &ret, &error);
      is_hit = memory_fail_countdown == 0;
      memory_fail_after(0);
      assert_int_equal(code, is_hit ? CODE_UNAVAILABLE : CODE_OK);
      if (is_hit) assert_string_equal(error.text, "out of memory");
    }
    assert_true(failures > 0);
  }
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
      cmocka_unit_test(other_types_are_read_where_nothing_is_lost),
      cmocka_unit_test(an_enum_has_no_other_names),
      cmocka_unit_test(what_is_no_list_of_such_items_is_refused),
      cmocka_unit_test(broken_arrays_are_refused),
      cmocka_unit_test(parameters_of_fixed_length_are_binary),
      cmocka_unit_test(nulls_and_texts),
      cmocka_unit_test(what_is_no_uuid_is_null_where_a_uuid_is_asked_for),
      cmocka_unit_test(lists_become_arrays),
      cmocka_unit_test(what_is_no_parameter_is_refused),
      cmocka_unit_test(parameters_are_written_or_memory_is_out),
      cmocka_unit_test(forms_stand_behind_parameters),
  };
  return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
