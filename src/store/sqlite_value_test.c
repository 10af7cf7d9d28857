/* sqlite_value_test.c - what a column of SQLite holds, as a field's type: our own forms, and those of tables that others made; and what the
 * functions of rules say when memory runs out. Expected: SQLite's documentation of its storage classes and of its date functions. */
#include "store/sqlite_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "store/sqlite_functions.h"

static sqlite3 *db;

static int open_database(void **state) {
  (void)state;
  return sqlite3_open(":memory:", &db) != SQLITE_OK || sqlite_functions_register(db) != SQLITE_OK;
}

static int close_database(void **state) {
  (void)state;
  return sqlite3_close(db) != SQLITE_OK;
}

/* The one value that the expression has, read as the column's shape wants it. Its text is copied to `text`. */
static Code read_value(const char *expression, const StoreColumn *shape, Value *ret, char *text, size_t text_size, Error *err) {
  char sql[400];
  Value value = value_null();
  SqliteStatement statement = {.values = &value, .column_count = 1};
  StoreStatement of = {.columns = shape, .column_count = 1};
  sqlite3_snprintf(sizeof sql, sql, "SELECT %s", expression);
  if (sqlite3_prepare_v2(db, sql, -1, &statement.stmt, NULL) != SQLITE_OK) fail_msg("%s: %s", expression, sqlite3_errmsg(db));
  assert_int_equal(sqlite3_step(statement.stmt), SQLITE_ROW);
  Code code = sqlite_row_read(&statement, &of, false, err);
  *ret = value;
  bool is_text = value.type == VALUE_TEXT || value.type == VALUE_DECIMAL || value.type == VALUE_JSON || value.type == VALUE_BYTES;
  if (code == CODE_OK && is_text) sqlite3_snprintf((int)text_size, text, "%.*s", STR_ARGS(value.text));
  memory_free(statement.scratch);
  sqlite3_finalize(statement.stmt);
  return code;
}

typedef struct Row {
  const char *expression;
  FieldType type;
  ValueType value_type;
  const char *expected; /* as text; NULL: it does not fit */
} Row;

static void assert_row(const Row *row, bool is_foreign) {
  Resource resource = {.table = STR_INIT("things")};
  Field field = {.type = row->type, .resource = &resource, .column = STR_INIT("thing"), .scale = row->type == TYPE_DECIMAL ? 2 : -1};
  StoreColumn shape = {.type = row->value_type, .is_foreign = is_foreign, .field = &field};
  char text[200] = "";
  Value value;
  Error error = {0};
  Code code = read_value(row->expression, &shape, &value, text, sizeof text, &error);
  if (code != (row->expected == NULL ? CODE_INTERNAL : CODE_OK)) fail_msg("%s: %d %s", row->expression, code, error.text);
  if (row->expected == NULL) {
    if (strstr(error.text, "the value stored in things.thing doesn't fit the type ") != error.text) fail_msg("%s", error.text);
    return;
  }
  switch (value.type) {
    case VALUE_BOOL: sqlite3_snprintf(sizeof text, text, "%s", value.boolean ? "true" : "false"); break;
    case VALUE_FLOAT: sqlite3_snprintf(sizeof text, text, "%g", value.number); break;
    case VALUE_TEXT:
    case VALUE_DECIMAL:
    case VALUE_JSON:
    case VALUE_BYTES: break;
    default: sqlite3_snprintf(sizeof text, text, "%lld", (long long)value.integer);
  }
  if (strcmp(text, row->expected) != 0) fail_msg("%s: expected %s, is %s", row->expression, row->expected, text);
}

#define ASSERT_ROWS(rows, is_foreign)                                                                                                      \
  for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++) assert_row(&(rows)[i], (is_foreign))

static void our_own_forms_are_read_as_they_were_written(void **state) {
  (void)state;
  static const Row rows[] = {
      {"1", TYPE_BOOLEAN, VALUE_BOOL, "true"},
      {"'true'", TYPE_BOOLEAN, VALUE_BOOL, NULL},
      {"7", TYPE_INT, VALUE_INT, "7"},
      {"2147483648", TYPE_INT, VALUE_INT, NULL},
      {"-2147483649", TYPE_INT, VALUE_INT, NULL},
      {"7.0", TYPE_BIGINT, VALUE_INT, NULL},
      {"1.5", TYPE_FLOAT, VALUE_FLOAT, "1.5"},
      {"2", TYPE_FLOAT, VALUE_FLOAT, "2"},
      {"9e999", TYPE_FLOAT, VALUE_FLOAT, NULL},
      {"'1.5'", TYPE_FLOAT, VALUE_FLOAT, NULL},
      {"'1.50'", TYPE_DECIMAL, VALUE_DECIMAL, "1.50"},
      {"1.5", TYPE_DECIMAL, VALUE_DECIMAL, NULL},
      {"'tea'", TYPE_STRING, VALUE_TEXT, "tea"},
      {"x'41'", TYPE_STRING, VALUE_TEXT, NULL},
      {"x'41'", TYPE_BYTES, VALUE_BYTES, "A"},
      {"x''", TYPE_BYTES, VALUE_BYTES, ""},
      {"'A'", TYPE_BYTES, VALUE_BYTES, NULL},
      {"'[1]'", TYPE_JSON, VALUE_JSON, "[1]"},
      {"'1970-01-01T00:00:01.000000Z'", TYPE_DATETIME, VALUE_TIMESTAMP, "1000000"},
      {"'yesterday'", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"1", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"'1970-01-02'", TYPE_DATE, VALUE_DATE, "1"},
      {"'1970-02-30'", TYPE_DATE, VALUE_DATE, NULL},
      {"1", TYPE_DATE, VALUE_DATE, NULL},
      {"1", TYPE_STRING, VALUE_LIST, NULL}, /* no column is of that type */
  };
  ASSERT_ROWS(rows, false);
}

static void what_others_wrote_is_read_where_nothing_is_lost(void **state) {
  (void)state;
  static const Row rows[] = {
      {"1", TYPE_BOOLEAN, VALUE_BOOL, "true"},
      {"2", TYPE_BOOLEAN, VALUE_BOOL, NULL},
      {"'YES'", TYPE_BOOLEAN, VALUE_BOOL, "true"},
      {"'n'", TYPE_BOOLEAN, VALUE_BOOL, "false"},
      {"'maybe'", TYPE_BOOLEAN, VALUE_BOOL, NULL},
      {"1.0", TYPE_BOOLEAN, VALUE_BOOL, NULL},
      {"7.0", TYPE_BIGINT, VALUE_INT, "7"},
      {"7.5", TYPE_BIGINT, VALUE_INT, NULL},
      {"1e19", TYPE_BIGINT, VALUE_INT, NULL},
      {"-1e19", TYPE_BIGINT, VALUE_INT, NULL},
      {"'7'", TYPE_BIGINT, VALUE_INT, "7"},
      {"'seven'", TYPE_BIGINT, VALUE_INT, NULL},
      {"x'37'", TYPE_BIGINT, VALUE_INT, NULL},
      {"'2147483648'", TYPE_INT, VALUE_INT, NULL},
      {"'1.5'", TYPE_FLOAT, VALUE_FLOAT, "1.5"},
      {"'much'", TYPE_FLOAT, VALUE_FLOAT, NULL},
      {"2", TYPE_FLOAT, VALUE_FLOAT, "2"},
      {"9e999", TYPE_FLOAT, VALUE_FLOAT, NULL},
      {"x'31'", TYPE_FLOAT, VALUE_FLOAT, NULL},
      {"1.5", TYPE_DECIMAL, VALUE_DECIMAL, "1.5"},
      {"7", TYPE_DECIMAL, VALUE_DECIMAL, "7"},
      {"'1.25'", TYPE_DECIMAL, VALUE_DECIMAL, "1.25"},
      {"'1.255'", TYPE_DECIMAL, VALUE_DECIMAL, NULL}, /* behind a scale of 2 */
      {"1e300", TYPE_DECIMAL, VALUE_DECIMAL, NULL},
      {"'much'", TYPE_DECIMAL, VALUE_DECIMAL, NULL},
      {"x'31'", TYPE_DECIMAL, VALUE_DECIMAL, NULL},
      {"1", TYPE_DATETIME, VALUE_TIMESTAMP, "1000000"},
      {"2440588.5", TYPE_DATETIME, VALUE_TIMESTAMP, "86400000000"}, /* a Julian day */
      {"'1970-01-01 00:00:01'", TYPE_DATETIME, VALUE_TIMESTAMP, "1000000"},
      {"'yesterday'", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"9223372036854775807", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"300000000000", TYPE_DATETIME, VALUE_TIMESTAMP, NULL}, /* behind the year 9999 */
      {"1e300", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"1e11", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"6000000.5", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"x'31'", TYPE_DATETIME, VALUE_TIMESTAMP, NULL},
      {"'1970-01-02'", TYPE_DATE, VALUE_DATE, "1"},
      {"'1970-01-02 00:00:00'", TYPE_DATE, VALUE_DATE, "1"},
      {"86400", TYPE_DATE, VALUE_DATE, "1"},
      {"'1970-01-02 00:00:01'", TYPE_DATE, VALUE_DATE, NULL},
      {"'some day'", TYPE_DATE, VALUE_DATE, NULL},
      {"'tea'", TYPE_STRING, VALUE_TEXT, "tea"},
      {"7", TYPE_STRING, VALUE_TEXT, "7"},
      {"CAST(x'41ff' AS TEXT)", TYPE_STRING, VALUE_TEXT, NULL},   /* no UTF-8 */
      {"CAST(x'410042' AS TEXT)", TYPE_STRING, VALUE_TEXT, NULL}, /* PostgreSQL could not hold it, nor a C string */
      {"x'41'", TYPE_STRING, VALUE_TEXT, NULL},
      {"'01234567-89AB-CDEF-0123-456789ABCDEF'", TYPE_UUID, VALUE_TEXT, "01234567-89ab-cdef-0123-456789abcdef"},
      {"x'0123456789abcdef0123456789abcdef'", TYPE_UUID, VALUE_TEXT, "01234567-89ab-cdef-0123-456789abcdef"},
      {"x'01'", TYPE_UUID, VALUE_TEXT, NULL},
      {"'tea'", TYPE_UUID, VALUE_TEXT, NULL},
      {"'A'", TYPE_BYTES, VALUE_BYTES, "A"},
      {"'[ 1 ]'", TYPE_JSON, VALUE_JSON, "[ 1 ]"},
      {"'[1'", TYPE_JSON, VALUE_JSON, NULL},
      {"x'31'", TYPE_JSON, VALUE_JSON, NULL},
      {"1", TYPE_STRING, VALUE_LIST, NULL},
  };
  ASSERT_ROWS(rows, true);
}

static void what_is_computed_is_told_by_its_column(void **state) {
  (void)state;
  StoreColumn shape = {.type = VALUE_FLOAT};
  char text[8];
  Value value;
  Error error = {0};
  assert_int_equal(read_value("9e999", &shape, &value, text, sizeof text, &error), CODE_TOO_LARGE);
  assert_string_equal(error.text, "a sum or an average is larger than its type holds");
  assert_int_equal(read_value("'x'", &shape, &value, text, sizeof text, &error), CODE_INTERNAL);
  assert_string_equal(error.text, "a computed value (column 1) doesn't fit its type");
}

static void memory_that_is_out_is_no_damage(void **state) {
  (void)state;
  static const Row rows[] = {{"'[1,{\"a\":[2]}]'", TYPE_JSON, VALUE_JSON, ""}, {"'1.5'", TYPE_DECIMAL, VALUE_DECIMAL, ""}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    Field field = {.type = rows[i].type, .scale = -1};
    StoreColumn shape = {.type = rows[i].value_type, .is_foreign = true, .field = &field};
    size_t failures = 0;
    for (bool is_hit = true; is_hit; failures += is_hit) {
      char text[40];
      Value value;
      Error error = {0};
      memory_fail_after(failures + 1);
      Code code = read_value(rows[i].expression, &shape, &value, text, sizeof text, &error);
      is_hit = memory_fail_countdown == 0;
      memory_fail_after(0);
      assert_int_equal(code, is_hit ? CODE_UNAVAILABLE : CODE_OK);
      if (is_hit) assert_string_equal(error.text, "out of memory");
    }
    assert_true(failures > 0);
  }
}

/* What a rule asks for is not false, nor null, because memory is out: its statement fails. */
static void functions_tell_that_memory_is_out(void **state) {
  (void)state;
  static const struct {
    const char *sql, *answer;
  } rows[] = {
      {"SELECT caisson_matches('green tea', '^g.*a$')", "1"},
      {"SELECT caisson_member('{\"a\":{\"b\":[1,\"1.50\"]}}', 'decimal', 'a', 'c')", NULL},
      {"SELECT caisson_member('{\"a\":{\"b\":\"1.50\"}}', 'decimal', 'a', 'b')", "1.5"},
      {"SELECT caisson_list_size('[\"a\",\"b\"]')", "2"},
      {"SELECT count(*) FROM caisson_each('[1,2,3]', 'int')", "3"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t failures = 0, refusals = 0;
    for (bool is_hit = true; is_hit; failures += is_hit) {
      sqlite3_stmt *stmt = NULL;
      assert_int_equal(sqlite3_prepare_v2(db, rows[i].sql, -1, &stmt, NULL), SQLITE_OK);
      memory_fail_after(failures + 1);
      int result = sqlite3_step(stmt);
      is_hit = memory_fail_countdown == 0;
      memory_fail_after(0);
      /* A pattern that no machine code can be made for is matched without. */
      if (result != SQLITE_ROW && !(is_hit && result == SQLITE_NOMEM))
        fail_msg("%s, allocation %zu: %d", rows[i].sql, failures + 1, result);
      const char *answer = result == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
      if (result == SQLITE_ROW && rows[i].answer == NULL) assert_null(answer);
      if (result == SQLITE_ROW && rows[i].answer != NULL) assert_string_equal(answer, rows[i].answer);
      refusals += result == SQLITE_NOMEM;
      sqlite3_finalize(stmt);
    }
    assert_true(refusals > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(our_own_forms_are_read_as_they_were_written), cmocka_unit_test(what_others_wrote_is_read_where_nothing_is_lost),
      cmocka_unit_test(what_is_computed_is_told_by_its_column),      cmocka_unit_test(memory_that_is_out_is_no_damage),
      cmocka_unit_test(functions_tell_that_memory_is_out),
  };
  return cmocka_run_group_tests(tests, open_database, close_database);
}
