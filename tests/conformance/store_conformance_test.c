/* store_conformance_test.c - what src/store/store.h promises, held against every store in `stores` (fixture.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <unistd.h>
#include <cmocka.h>

#include <pthread.h>

#include "base/datetime.h"
#include "fixture.h"
#include "migrate/start.h"
#include "sql/dialect_impl.h"

static const char contract[] =
    "extend schema @service(name: \"conformance\")\n"
    "type Author @resource @access(read: \"true\", write: \"true\") {\n"
    "  code: String! @id\n"
    "  name: String! @unique\n"
    "  books: [Book!]! @relation(inverse: \"author\")\n"
    "}\n"
    "type Book @resource @access(read: \"true\", write: \"true\") @unique(fields: [\"author\", \"position\"]) {\n"
    "  code: String! @id\n"
    "  position: Int!\n"
    "  author: Author @relation(inverse: \"books\")\n"
    "}\n"
    "type Link @resource @access(read: \"true\", write: \"true\") {\n"
    "  code: String! @id\n"
    "  next: Link! @relation(deferred: true)\n"
    "}\n"
    "type Sample @resource @access(read: \"true\", write: \"true\") {\n"
    "  code: String! @id\n"
    "  flag: Boolean\n"
    "  small: Int\n"
    "  big: BigInt\n"
    "  ratio: Float\n"
    "  price: Decimal\n"
    "  at: DateTime\n"
    "  day: Date\n"
    "  uuid: UUID\n"
    "  bytes: Bytes\n"
    "  document: JSON\n"
    "  text: String\n"
    "}\n";

#define ALL_OF_SAMPLE                                                                                                                      \
  "{c:Sample.code}, {c:Sample.flag}, {c:Sample.small}, {c:Sample.big}, {c:Sample.ratio}, {c:Sample.price}, {c:Sample.at}, "                \
  "{c:Sample.day}, {c:Sample.uuid}, {c:Sample.bytes}, {c:Sample.document}, {c:Sample.text}"
enum { SAMPLE_FIELDS = 12 };

static const char insert_author[] = "INSERT INTO authors (code, name) VALUES ({p:Author.code}, {p:Author.name})";
static const char insert_book[] =
    "INSERT INTO books (code, position, author_code) VALUES ({p:Book.code}, {p:Book.position}, {p:Book.authorCode})";
static const char count_authors[] = "SELECT count(*) {int} FROM authors";
static const char select_authors[] = "SELECT {c:Author.code}, {c:Author.name} FROM authors ORDER BY code";
/* Does nothing useful for as long as it is let. */
#define COUNT_TO(n) "WITH RECURSIVE step(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM step WHERE i < " n ")"
static const char count_long[] = COUNT_TO("200000") " SELECT count(*) {int} FROM step";
static const char count_for_ever[] = COUNT_TO("2000000000") " SELECT count(*) {int} FROM step";

static Code run(StoreTxn *txn, const StoreStatement *statement, const Value *params, StoreConflict *ret_conflict, Error *err) {
  return store_txn_run(txn, statement, params, NULL, NULL, NULL, ret_conflict, err);
}

/* Inserts the author that the context, a name, is. */
static Code insert_named(TestWrite *write, StoreTxn *txn, Error *err) {
  Value params[] = {value_text(str_of(write->context)), value_text(str_of(write->context))};
  return run(txn, statement_make(write->fixture, insert_author, true), params, NULL, err);
}

/* ---- reads ---- */

static void read_after_write(TestWrite *write) {
  assert_int_equal(write->code, CODE_OK);
  fixture_read(write->fixture, write->context);
}

static Code insert_ann(TestWrite *write, StoreTxn *txn, Error *err) {
  Value params[] = {value_text(STR("ann")), value_text(STR("Ann"))};
  return run(txn, statement_make(write->fixture, insert_author, true), params, NULL, err);
}

static void who_was_told_of_a_commit_reads_it(Fixture *fixture) {
  TestRead *read = read_one(fixture, statement_make(fixture, select_authors, false), NULL);
  TestWrite *write = write_make(fixture, insert_ann, read);
  write->after = read_after_write;
  fixture_write(fixture, write);
  fixture_run(fixture);
  assert_int_equal(read->code, CODE_OK);
  assert_int_equal(read->row_count, 1);
  assert_true(str_equal(read->rows[0].values[1].text, STR("Ann")));
}

static void a_turns_reads_begin_after_its_last_request_was_queued(Fixture *fixture) {
  TestRead *first = read_one(fixture, statement_make(fixture, count_authors, false), NULL);
  TestRead *last = read_one(fixture, statement_make(fixture, count_authors, false), NULL);
  fixture_read(fixture, first);
  assert_int_equal(fixture_write_elsewhere(fixture, insert_named, "bob"), CODE_OK);
  fixture_read(fixture, last);
  fixture_run(fixture);
  assert_int_equal(last->rows[0].values[0].integer, 1);
  assert_in_range(first->rows[0].values[0].integer, 0, 1);
}

static void many_reads_of_a_turn_are_each_answered_once(Fixture *fixture) {
  enum { READS = 300 };
  StoreStatement *statement = statement_make(fixture, "SELECT {q:Book.position} + 0 {int}", false);
  TestRead *reads[READS];
  for (size_t i = 0; i < READS; i++) {
    Value *param = ARENA_NEW(fixture->arena, Value);
    *param = value_int((int64_t)i);
    reads[i] = read_one(fixture, statement, param);
    fixture_read(fixture, reads[i]);
  }
  fixture_run(fixture);
  for (size_t i = 0; i < READS; i++) {
    assert_int_equal(reads[i]->done_count, 1);
    assert_int_equal(reads[i]->code, CODE_OK);
    assert_int_equal(reads[i]->rows[0].values[0].integer, i);
  }
}

static Code insert_library(TestWrite *write, StoreTxn *txn, Error *err) {
  Fixture *fixture = write->fixture;
  StoreStatement *author = statement_make(fixture, insert_author, true), *book = statement_make(fixture, insert_book, true);
  for (int a = 0; a < 3; a++) {
    Value code = value_text(arena_printf(fixture->arena, "a%d", a));
    Value name = value_text(arena_printf(fixture->arena, "Author %d", a));
    TRY(run(txn, author, (Value[]){code, name}, NULL, err));
    for (int b = 0; b < a; b++) {
      Value book_code = value_text(arena_printf(fixture->arena, "a%d-b%d", a, b));
      TRY(run(txn, book, (Value[]){book_code, value_int(b), code}, NULL, err));
    }
  }
  return CODE_OK;
}

/* The authors that the root has given, one after another; and the whole list of them at once. */
typedef struct Parents {
  Value codes[8];
  size_t count, next;
  Value list;
  bool saw_all_of_level_0;
} Parents;

static Code note_parent(TestRead *read, size_t statement, const Value *columns, Error *err) {
  (void)err;
  Parents *parents = read->context;
  if (statement != 0) return CODE_OK;
  parents->codes[parents->count++] = value_text(arena_str(read->base.arena, columns[0].text));
  return CODE_OK;
}

static bool bind_next_parent(TestRead *read, size_t statement, const Value **ret_params) {
  Parents *parents = read->context;
  if (statement == 0) {
    *parents = (Parents){0};
    *ret_params = NULL;
    return true;
  }
  parents->saw_all_of_level_0 = parents->count == 3;
  if (parents->next == parents->count) return false;
  *ret_params = &parents->codes[parents->next++];
  return true;
}

static void a_repeated_statement_runs_once_for_each_parent(Fixture *fixture) {
  assert_int_equal(fixture_write_now(fixture, insert_library, NULL), CODE_OK);
  const StoreStatement *statements[] = {
      statement_make(fixture, select_authors, false),
      statement_make(fixture, "SELECT {c:Book.code} FROM books WHERE author_code = {q:Book.authorCode} ORDER BY code", false)};
  Parents parents = {0};
  TestRead *read = read_make(fixture, statements, 2);
  read->is_repeated[1] = true;
  read->bind = bind_next_parent;
  read->row = note_parent;
  read->context = &parents;
  fixture_read(fixture, read);
  fixture_run(fixture);
  assert_int_equal(read->code, CODE_OK);
  assert_true(parents.saw_all_of_level_0);
  assert_int_equal(read->bind_count[1], 4); /* the last says that there is no further one */
  static const char *const expected[] = {"a0", "a1", "a2", "a1-b0", "a2-b0", "a2-b1"};
  assert_int_equal(read->row_count, 6);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(read->rows[i].statement, i < 3 ? 0 : 1);
    assert_true(str_equal(read->rows[i].values[0].text, str_of(expected[i])));
  }
}

static bool bind_list_of_parents(TestRead *read, size_t statement, const Value **ret_params) {
  Parents *parents = read->context;
  if (statement == 0) {
    *parents = (Parents){0};
    return true;
  }
  parents->list = (Value){.type = VALUE_LIST, .list = {parents->codes, parents->count}};
  parents->saw_all_of_level_0 = parents->count == 3;
  *ret_params = &parents->list;
  return statement == 1; /* the third is not wanted */
}

/* …IN a list, as the dialect writes it, of the parents' codes. */
static StoreStatement *books_of_list(Fixture *fixture) {
  Buf sql = buf_on(fixture->arena, 4096), param = buf_on(fixture->arena, 64);
  sql_write_param(&fixture->writer, &param, 1, VALUE_LIST);
  buf_add(&sql, STR("SELECT {c:Book.code} FROM books WHERE "));
  fixture->writer.dialect->write_in_list(&sql, STR("author_code"), buf_str(&param), VALUE_TEXT, NULL);
  buf_add(&sql, STR(" ORDER BY code"));
  buf_add_byte(&sql, '\0');
  StoreStatement *statement = statement_make(fixture, sql.ptr, false);
  ValueType *type = ARENA_NEW(fixture->arena, ValueType);
  *type = VALUE_LIST;
  statement->param_types = type;
  statement->param_count = 1;
  return statement;
}

static void a_level_begins_when_those_below_are_complete(Fixture *fixture) {
  assert_int_equal(fixture_write_now(fixture, insert_library, NULL), CODE_OK);
  const StoreStatement *statements[] = {statement_make(fixture, select_authors, false), books_of_list(fixture),
                                        statement_make(fixture, count_authors, false)};
  Parents parents = {0};
  TestRead *read = read_make(fixture, statements, 3);
  read->bind = bind_list_of_parents;
  read->row = note_parent;
  read->context = &parents;
  fixture_read(fixture, read);
  fixture_run(fixture);
  if (read->code != CODE_OK) fail_msg("%s", read->error.text);
  assert_true(parents.saw_all_of_level_0);
  static const char *const expected[] = {"a0", "a1", "a2", "a1-b0", "a2-b0", "a2-b1"};
  assert_int_equal(read->row_count, 6);
  for (size_t i = 0; i < 6; i++) assert_true(str_equal(read->rows[i].values[0].text, str_of(expected[i])));
}

static Code refuse_second_row(TestRead *read, size_t statement, const Value *columns, Error *err) {
  (void)statement;
  (void)columns;
  return read->row_count == 1 ? error_set(err, CODE_TOO_LARGE, "one is enough") : CODE_OK;
}

static void what_a_row_is_refused_with_ends_the_read_and_no_other(Fixture *fixture) {
  assert_int_equal(fixture_write_now(fixture, insert_library, NULL), CODE_OK);
  TestRead *refused = read_one(fixture, statement_make(fixture, select_authors, false), NULL);
  TestRead *other = read_one(fixture, statement_make(fixture, select_authors, false), NULL);
  refused->row = refuse_second_row;
  fixture_read(fixture, refused);
  fixture_read(fixture, other);
  fixture_run(fixture);
  assert_int_equal(refused->code, CODE_TOO_LARGE);
  assert_string_equal(refused->error.text, "one is enough");
  assert_int_equal(other->code, CODE_OK);
  assert_int_equal(other->row_count, 3);
}

static void a_slow_read_gives_what_a_quick_one_gives_and_holds_nobody_up(Fixture *fixture) {
  TestRead *slow = read_one(fixture, statement_make(fixture, count_long, false), NULL);
  TestRead *quick = read_one(fixture, statement_make(fixture, count_authors, false), NULL);
  fixture_read(fixture, slow);
  fixture_read(fixture, quick);
  fixture_run(fixture);
  assert_int_equal(slow->code, CODE_OK);
  assert_int_equal(slow->row_count, 1);
  assert_int_equal(slow->rows[0].values[0].integer, 200000);
  assert_int_equal(quick->rows[0].values[0].integer, 0);
  if (!fixture->store_case->moves_slow_reads) return;
  assert_int_equal(slow->restart_count, 1);
  assert_true(slow->plan.is_slow);
  assert_int_equal(quick->restart_count, 0);
  assert_int_equal(fixture->store->driver->stats(fixture->store).slow_reads, 1);
}

static void a_slow_read_of_many_rows_gives_each_once(Fixture *fixture) {
  /* Some rows have come in before the loop gives it up. */
  TestRead *read =
      read_one(fixture,
               statement_make(fixture,
                              COUNT_TO("300") ", other(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM other WHERE j < 3000) "
                                              "SELECT i {int} FROM step WHERE (SELECT count(*) FROM other WHERE j <> i) > 0 ORDER BY i",
                              false),
               NULL);
  fixture_read(fixture, read);
  fixture_run(fixture);
  assert_int_equal(read->code, CODE_OK);
  assert_int_equal(read->row_count, 300);
  for (size_t i = 0; i < 300; i++) assert_int_equal(read->rows[i].values[0].integer, i + 1);
}

/* ---- values ---- */

typedef struct Row {
  Value values[SAMPLE_FIELDS];
} Row;

static Code insert_samples(TestWrite *write, StoreTxn *txn, Error *err) {
  const Row *rows = write->context;
  StoreStatement *insert = statement_make(
      write->fixture,
      "INSERT INTO samples (code, flag, small, big, ratio, price, at, day, uuid, bytes, document, text) VALUES ({p:Sample.code}, "
      "{p:Sample.flag}, {p:Sample.small}, {p:Sample.big}, {p:Sample.ratio}, {p:Sample.price}, {p:Sample.at}, {p:Sample.day}, "
      "{p:Sample.uuid}, {p:Sample.bytes}, {p:Sample.document}, {p:Sample.text})",
      true);
  for (size_t i = 0; rows[i].values[0].type != VALUE_NULL; i++) {
    int64_t changes = 0;
    TRY(store_txn_run(txn, insert, rows[i].values, NULL, NULL, &changes, NULL, err));
    assert_int_equal(changes, 1);
  }
  return CODE_OK;
}

static void assert_value(const Value *given, const Value *stored, size_t row, size_t column) {
  bool is_equal = given->type == stored->type;
  switch (given->type) {
    case VALUE_NULL: break;
    case VALUE_BOOL: is_equal = is_equal && given->boolean == stored->boolean; break;
    /* By their bits: -0.0 is not 0.0. */
    case VALUE_FLOAT: is_equal = is_equal && memcmp(&given->number, &stored->number, sizeof given->number) == 0; break;
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE: is_equal = is_equal && given->integer == stored->integer; break;
    default: is_equal = is_equal && str_equal(given->text, stored->text);
  }
  if (!is_equal) fail_msg("row %zu, column %zu is not what was stored", row, column);
}

#define TIMESTAMP(us) ((Value){.type = VALUE_TIMESTAMP, .integer = (us)})
#define DATE(days) ((Value){.type = VALUE_DATE, .integer = (days)})
#define BYTES(literal) ((Value){.type = VALUE_BYTES, .text = STR(literal)})
#define JSON(literal) ((Value){.type = VALUE_JSON, .text = STR(literal)})
#define TEXT(literal) value_text(STR(literal))
#define DECIMAL(literal) value_decimal(STR(literal))

static void values_are_exact_both_ways(Fixture *fixture) {
  const Row rows[] = {
      {{TEXT("a"), value_bool(true), value_int(INT32_MAX), value_int(INT64_MAX), value_float(1.7976931348623157e308),
        DECIMAL("99999999999999999999999999999999999999"), TIMESTAMP(INT64_C(253402300799999999)), DATE(2932896),
        TEXT("ffffffff-ffff-ffff-ffff-ffffffffffff"), BYTES("\xff\0\x80"), JSON("{\"a\":[1,2.50,\"\xf0\x9f\x8d\xb5\",null]}"),
        TEXT("\xf0\x9f\x8d\xb5\xf4\x8f\xbf\xbf")}},
      {{TEXT("b"), value_bool(false), value_int(INT32_MIN), value_int(INT64_MIN), value_float(5e-324),
        DECIMAL("-99999999999999999999999999999999999999"), TIMESTAMP(INT64_C(-62135596800000000)), DATE(-719162),
        TEXT("00000000-0000-0000-0000-000000000000"), BYTES(""), JSON("[]"), TEXT("")}},
      {{TEXT("c"), value_bool(true), value_int(0), value_int(INT64_C(9007199254740993)), value_float(0.1),
        DECIMAL("0.00000000000000000000000000000000000001"), TIMESTAMP(1), DATE(0), TEXT("0193568d-4b6a-7c3e-8f2a-1b2c3d4e5f60"),
        BYTES("a'b\"c"), JSON("\"text\""), TEXT("a'b\"c\\d\n\te\xcc\x81")}},
      {{TEXT("d"), value_null(), value_null(), value_null(), value_null(), value_null(), value_null(), value_null(), value_null(),
        value_null(), value_null(), value_null()}},
      {{TEXT("e"), value_bool(false), value_int(-1), value_int(-1), value_float(-1e-7), DECIMAL("-0.5"), TIMESTAMP(-1), DATE(-1),
        TEXT("0193568d-4b6a-7c3e-8f2a-1b2c3d4e5f60"), BYTES("\0"), JSON("null"), TEXT("\x7f\xef\xbf\xbd '); DROP TABLE samples; --")}},
      {{value_null()}},
  };
  assert_int_equal(fixture_write_now(fixture, insert_samples, (void *)rows), CODE_OK);
  TestRead *read = read_one(fixture, statement_make(fixture, "SELECT " ALL_OF_SAMPLE " FROM samples ORDER BY code", false), NULL);
  fixture_read(fixture, read);
  fixture_run(fixture);
  if (read->code != CODE_OK) fail_msg("%s", read->error.text);
  assert_int_equal(read->row_count, 5);
  for (size_t i = 0; i < 5; i++) {
    for (size_t f = 0; f < SAMPLE_FIELDS; f++) assert_value(&rows[i].values[f], &read->rows[i].values[f], i, f);
  }
}

static void a_megabyte_of_text_is_kept_whole(Fixture *fixture) {
  enum { BYTES_LONG = 1 << 20 };
  char *bytes = arena_alloc(fixture->arena, BYTES_LONG);
  for (size_t i = 0; i < BYTES_LONG; i++) bytes[i] = (char)('a' + i % 26);
  Row rows[2] = {{{TEXT("long")}}, {{value_null()}}};
  rows[0].values[SAMPLE_FIELDS - 1] = value_text((Str){bytes, BYTES_LONG});
  assert_int_equal(fixture_write_now(fixture, insert_samples, rows), CODE_OK);
  TestRead *read = read_one(fixture, statement_make(fixture, "SELECT {c:Sample.text} FROM samples", false), NULL);
  fixture_read(fixture, read);
  fixture_run(fixture);
  assert_value(&rows[0].values[SAMPLE_FIELDS - 1], &read->rows[0].values[0], 0, SAMPLE_FIELDS - 1);
}

/* ---- writes ---- */

static Code note_row(void *context, const Value *columns, Error *err) {
  (void)err;
  *(int64_t *)context = columns[0].integer;
  return CODE_OK;
}

static Code see_own_writes(TestWrite *write, StoreTxn *txn, Error *err) {
  Fixture *fixture = write->fixture;
  StoreStatement *count = statement_make(fixture, count_authors, false);
  int64_t before = -1, after = -1, changes = -1;
  TRY(store_txn_run(txn, count, NULL, note_row, &before, NULL, NULL, err));
  TRY(insert_library(write, txn, err));
  TRY(store_txn_run(txn, count, NULL, note_row, &after, NULL, NULL, err));
  assert_int_equal(after - before, 3);
  TRY(store_txn_run(txn, statement_make(fixture, "UPDATE books SET position = position + 10", true), NULL, NULL, NULL, &changes, NULL,
                    err));
  assert_int_equal(changes, 3);
  TestRead *read = read_one(fixture, statement_make(fixture, select_authors, false), NULL);
  TRY(store_txn_read(txn, &read->base, err));
  assert_int_equal(read->row_count, 3);
  assert_int_equal(read->done_count, 0);
  return CODE_OK;
}

static void a_write_sees_what_it_has_written(Fixture *fixture) {
  assert_int_equal(fixture_write_now(fixture, see_own_writes, NULL), CODE_OK);
  assert_int_equal(fixture_int(fixture, "SELECT count(*) {int} FROM books WHERE position >= 10"), 3);
}

static void a_dry_run_tells_its_code_and_leaves_nothing(Fixture *fixture) {
  TestWrite *good = write_make(fixture, see_own_writes, NULL);
  good->base.is_dry_run = true;
  fixture_write(fixture, good);
  fixture_run(fixture);
  assert_int_equal(good->code, CODE_OK);
  assert_int_equal(fixture_int(fixture, count_authors), 0);
}

static void a_dry_run_among_other_writes_leaves_theirs(Fixture *fixture) {
  static const char *const names[] = {"first", "tried", "last"};
  for (size_t i = 0; i < 3; i++) {
    TestWrite *write = write_make(fixture, insert_named, (void *)names[i]);
    write->base.is_dry_run = i == 1;
    fixture_write(fixture, write);
  }
  fixture_run(fixture);
  assert_int_equal(fixture_int(fixture, count_authors), 2);
  assert_int_equal(fixture_int(fixture, "SELECT count(*) {int} FROM authors WHERE name = 'tried'"), 0);
}

static Code insert_then_refuse(TestWrite *write, StoreTxn *txn, Error *err) {
  TRY(insert_named(write, txn, err));
  return error_set(err, CODE_VALIDATION_FAILED, "number %zu is refused", write->number);
}

static void a_write_that_fails_takes_no_other_with_it(Fixture *fixture) {
  enum { WRITES = 7 };
  TestWrite *writes[WRITES];
  for (size_t i = 0; i < WRITES; i++) {
    char *name = (char *)arena_printf(fixture->arena, "n%zu", i).ptr;
    writes[i] = write_make(fixture, i % 3 == 1 ? insert_then_refuse : insert_named, name);
    writes[i]->number = i;
    fixture_write(fixture, writes[i]);
  }
  fixture_run(fixture);
  for (size_t i = 0; i < WRITES; i++) {
    assert_int_equal(writes[i]->done_count, 1);
    assert_int_equal(writes[i]->code, i % 3 == 1 ? CODE_VALIDATION_FAILED : CODE_OK);
  }
  assert_string_equal(writes[4]->error.text, "number 4 is refused");
  assert_int_equal(fixture_int(fixture, count_authors), 5);
  assert_int_equal(fixture_int(fixture, "SELECT count(*) {int} FROM authors WHERE code IN ('n1', 'n4')"), 0);
}

static void a_write_that_fails_alone_leaves_nothing(Fixture *fixture) {
  assert_int_equal(fixture_write_now(fixture, insert_then_refuse, "x"), CODE_VALIDATION_FAILED);
  assert_int_equal(fixture_int(fixture, count_authors), 0);
}

/* ---- conflicts ---- */

typedef struct Conflict {
  const char *sql;
  const Value *params;
  StoreConflict is;
} Conflict;

static Code meet_conflict(TestWrite *write, StoreTxn *txn, Error *err) {
  Conflict *conflict = write->context;
  return run(txn, statement_make(write->fixture, conflict->sql, true), conflict->params, &conflict->is, err);
}

static Code make_checked(TestWrite *write, StoreTxn *txn, Error *err) {
  TRY(insert_library(write, txn, err));
  return run(txn, statement_make(write->fixture, "CREATE TABLE checked (n INTEGER CHECK (n > 0))", true), NULL, NULL, err);
}

/* Each in a write of its own, since not every database lets a transaction go on. */
static void assert_conflict(Fixture *fixture, const char *sql, const Value *params, StoreConflictKind kind, const char *table,
                            const char *columns) {
  Conflict conflict = {.sql = sql, .params = params};
  assert_int_equal(fixture_write_now(fixture, meet_conflict, &conflict), CODE_CONFLICT);
  assert_int_equal(conflict.is.kind, kind);
  if (table != NULL) assert_string_equal(conflict.is.table, table);
  if (columns != NULL) assert_string_equal(conflict.is.columns, columns);
}

static void a_broken_constraint_is_named(Fixture *fixture) {
  assert_int_equal(fixture_write_now(fixture, make_checked, NULL), CODE_OK);
  assert_conflict(fixture, insert_author, (Value[]){TEXT("a0"), TEXT("Other")}, STORE_CONFLICT_UNIQUE, "authors", "code");
  assert_conflict(fixture, insert_author, (Value[]){TEXT("other"), TEXT("Author 0")}, STORE_CONFLICT_UNIQUE, "authors", "name");
  assert_conflict(fixture, insert_book, (Value[]){TEXT("b"), value_int(0), TEXT("a1")}, STORE_CONFLICT_UNIQUE, "books",
                  "author_code,position");
  assert_conflict(fixture, insert_author, (Value[]){TEXT("nameless"), value_null()}, STORE_CONFLICT_NOT_NULL, "authors", "name");
  assert_conflict(fixture, insert_book, (Value[]){TEXT("b"), value_int(9), TEXT("nobody")}, STORE_CONFLICT_FOREIGN_KEY, NULL, NULL);
  assert_conflict(fixture, "DELETE FROM authors WHERE code = {q:Author.code}", (Value[]){TEXT("a1")}, STORE_CONFLICT_FOREIGN_KEY, NULL,
                  NULL);
  assert_conflict(fixture, "INSERT INTO checked (n) VALUES ({p:Book.position})", (Value[]){value_int(-1)}, STORE_CONFLICT_CHECK, NULL,
                  NULL);
  assert_int_equal(fixture_int(fixture, count_authors), 3);
}

static Code meet_conflicts(TestWrite *write, StoreTxn *txn, Error *err) {
  Fixture *fixture = write->fixture;
  StoreConflict conflict;
  StoreStatement *author = statement_make(fixture, insert_author, true), *book = statement_make(fixture, insert_book, true);
  Value ann[] = {TEXT("ann"), TEXT("Ann")}, same_code[] = {TEXT("ann"), TEXT("Other")}, same_name[] = {TEXT("other"), TEXT("Ann")};
  TRY(run(txn, author, ann, &conflict, err));
  assert_int_equal(conflict.kind, STORE_CONFLICT_NONE);

  assert_int_equal(run(txn, author, same_code, &conflict, err), CODE_CONFLICT);
  assert_int_equal(conflict.kind, STORE_CONFLICT_UNIQUE);
  assert_string_equal(conflict.table, "authors");
  assert_string_equal(conflict.columns, "code");
  assert_int_equal(run(txn, author, same_name, &conflict, err), CODE_CONFLICT);
  assert_int_equal(conflict.kind, STORE_CONFLICT_UNIQUE);
  assert_string_equal(conflict.columns, "name");
  assert_int_equal(run(txn, author, same_name, NULL, err), CODE_CONFLICT);

  TRY(run(txn, book, (Value[]){TEXT("b1"), value_int(1), TEXT("ann")}, &conflict, err));
  assert_int_equal(run(txn, book, (Value[]){TEXT("b2"), value_int(1), TEXT("ann")}, &conflict, err), CODE_CONFLICT);
  assert_int_equal(conflict.kind, STORE_CONFLICT_UNIQUE);
  assert_string_equal(conflict.table, "books");
  assert_string_equal(conflict.columns, "author_code,position");

  assert_int_equal(run(txn, book, (Value[]){TEXT("b3"), value_int(1), TEXT("nobody")}, &conflict, err), CODE_CONFLICT);
  assert_int_equal(conflict.kind, STORE_CONFLICT_FOREIGN_KEY);
  StoreStatement *delete_ann = statement_make(fixture, "DELETE FROM authors WHERE code = {q:Author.code}", true);
  assert_int_equal(run(txn, delete_ann, ann, &conflict, err), CODE_CONFLICT);
  assert_int_equal(conflict.kind, STORE_CONFLICT_FOREIGN_KEY);

  assert_int_equal(run(txn, author, (Value[]){TEXT("nameless"), value_null()}, &conflict, err), CODE_CONFLICT);
  assert_int_equal(conflict.kind, STORE_CONFLICT_NOT_NULL);
  assert_string_equal(conflict.table, "authors");
  assert_string_equal(conflict.columns, "name");

  TRY(run(txn, statement_make(fixture, "CREATE TABLE checked (n INTEGER CHECK (n > 0))", true), NULL, NULL, err));
  StoreStatement *checked = statement_make(fixture, "INSERT INTO checked (n) VALUES ({p:Book.position})", true);
  assert_int_equal(run(txn, checked, (Value[]){value_int(-1)}, &conflict, err), CODE_CONFLICT);
  assert_int_equal(conflict.kind, STORE_CONFLICT_CHECK);

  /* After all of that the transaction goes on. */
  TRY(run(txn, author, (Value[]){TEXT("bea"), TEXT("Bea")}, &conflict, err));
  assert_int_equal(conflict.kind, STORE_CONFLICT_NONE);
  return CODE_OK;
}

static void a_transaction_goes_on_after_conflicts(Fixture *fixture) {
  if (!fixture->store_case->goes_on) return;
  assert_int_equal(fixture_write_now(fixture, meet_conflicts, NULL), CODE_OK);
  assert_int_equal(fixture_int(fixture, count_authors), 2);
  assert_int_equal(fixture_int(fixture, "SELECT count(*) {int} FROM books"), 1);
}

static Code insert_dangling(TestWrite *write, StoreTxn *txn, Error *err) {
  Value params[] = {TEXT("one"), value_text(str_of(write->context))};
  return run(txn, statement_make(write->fixture, "INSERT INTO links (code, next_code) VALUES ({p:Link.code}, {p:Link.nextCode})", true),
             params, NULL, err);
}

static void a_deferred_reference_is_checked_at_the_end(Fixture *fixture) {
  /* Alone, and among others, to which it does no harm. */
  assert_int_equal(fixture_write_now(fixture, insert_dangling, "nobody"), CODE_CONFLICT);
  TestWrite *writes[] = {write_make(fixture, insert_named, "before"), write_make(fixture, insert_dangling, "nobody"),
                         write_make(fixture, insert_named, "behind")};
  for (size_t i = 0; i < 3; i++) fixture_write(fixture, writes[i]);
  fixture_run(fixture);
  assert_int_equal(writes[0]->code, CODE_OK);
  assert_int_equal(writes[1]->code, CODE_CONFLICT);
  assert_int_equal(writes[2]->code, CODE_OK);
  assert_int_equal(fixture_int(fixture, "SELECT count(*) {int} FROM links"), 0);
  assert_int_equal(fixture_int(fixture, count_authors), 2);
  assert_int_equal(fixture_write_now(fixture, insert_dangling, "one"), CODE_OK);
}

/* ---- limits ---- */

static Code count_in_write(TestWrite *write, StoreTxn *txn, Error *err) {
  TRY(insert_named(write, txn, err));
  int64_t count = 0;
  return store_txn_run(txn, statement_make(write->fixture, count_for_ever, false), NULL, note_row, &count, NULL, NULL, err);
}

static void a_statement_that_takes_too_long_is_stopped(Fixture *fixture) {
  TestRead *read = read_one(fixture, statement_make(fixture, count_for_ever, false), NULL);
  fixture_read(fixture, read);
  fixture_run(fixture);
  assert_int_equal(read->code, CODE_TIMEOUT);
  assert_int_equal(read->row_count, 0);
  assert_int_equal(fixture_write_now(fixture, count_in_write, "slow"), CODE_TIMEOUT);
  /* Nothing is left of it, and the store goes on. */
  assert_int_equal(fixture_write_now(fixture, insert_named, "next"), CODE_OK);
  assert_int_equal(fixture_int(fixture, count_authors), 1);
}

/* A change that is stopped in its midst. */
static Code insert_for_ever(TestWrite *write, StoreTxn *txn, Error *err) {
  StoreStatement *insert = statement_make(
      write->fixture, "INSERT INTO authors (code, name) " COUNT_TO("2000000000") " SELECT 'x' || i, 'y' || i FROM step", true);
  return run(txn, insert, NULL, NULL, err);
}

static Code wait_until_told(TestWrite *write, StoreTxn *txn, Error *err) {
  (void)txn;
  (void)err;
  while (!__atomic_load_n((bool *)write->context, __ATOMIC_ACQUIRE)) usleep(1000);
  return CODE_OK;
}

static void a_change_that_is_stopped_takes_no_other_write_with_it(Fixture *fixture) {
  /* So that the others are done together, where a store does that. */
  bool is_told = false;
  fixture_write(fixture, write_make(fixture, wait_until_told, &is_told));
  TestWrite *writes[] = {write_make(fixture, insert_named, "before"), write_make(fixture, insert_for_ever, NULL),
                         write_make(fixture, insert_named, "behind")};
  for (size_t i = 0; i < 3; i++) fixture_write(fixture, writes[i]);
  __atomic_store_n(&is_told, true, __ATOMIC_RELEASE);
  fixture_run(fixture);
  assert_int_equal(writes[1]->code, CODE_TIMEOUT);
  for (size_t i = 0; i < 3; i += 2) {
    if (writes[i]->code != CODE_OK) fail_msg("write %zu: %s", i, writes[i]->error.text);
    assert_int_equal(writes[i]->done_count, 1);
  }
  /* Its transaction was lost with the change; it began again from scratch. */
  if (fixture->store_case->loses_groups) assert_true(writes[0]->run_count > 1);
  assert_int_equal(fixture_int(fixture, count_authors), 2);
}

static void writes_beyond_the_queue_are_refused_and_the_rest_are_done(Fixture *fixture) {
  enum { WRITES = 50 };
  TestWrite *writes[WRITES];
  int64_t kept = 0;
  for (size_t i = 0; i < WRITES; i++) {
    writes[i] = write_make(fixture, insert_named, (char *)arena_printf(fixture->arena, "n%zu", i).ptr);
    fixture_write(fixture, writes[i]);
  }
  fixture_run(fixture);
  for (size_t i = 0; i < WRITES; i++) {
    assert_int_equal(writes[i]->done_count, 1);
    assert_true(writes[i]->code == CODE_OK || writes[i]->code == CODE_UNAVAILABLE);
    kept += writes[i]->code == CODE_OK;
  }
  assert_in_range(kept, 4, WRITES - 1);
  assert_int_equal(fixture_int(fixture, count_authors), kept);
}

/* ---- life ---- */

static void closing_a_session_finishes_what_is_under_way(Fixture *fixture) {
  TestRead *slow = read_one(fixture, statement_make(fixture, count_long, false), NULL);
  TestRead *quick = read_one(fixture, statement_make(fixture, count_authors, false), NULL);
  TestWrite *write = write_make(fixture, insert_named, "late");
  fixture_read(fixture, slow);
  fixture_read(fixture, quick);
  fixture_write(fixture, write);
  store_session_close(fixture->session);
  assert_int_equal(fixture->pending, 0);
  assert_int_equal(slow->done_count, 1);
  /* Reads may be given up, writes not. */
  assert_true(slow->code == CODE_OK || slow->code == CODE_UNAVAILABLE);
  assert_true(quick->code == CODE_OK || quick->code == CODE_UNAVAILABLE);
  assert_int_equal(write->code, CODE_OK);
  /* Messages that were on their way find nothing to do. */
  Error error;
  loop_stop(fixture->loop);
  loop_run(fixture->loop);
  assert_int_equal(store_session_open(fixture->store, fixture->loop, &fixture->session, &error), CODE_OK);
  assert_int_equal(fixture_int(fixture, count_authors), 1);
}

enum { WRITERS = 4, WRITES_EACH = 60 };

typedef struct Writer {
  Fixture fixture; /* the same store, a loop and a session of its own */
  pthread_t thread;
  size_t number;
  /* What is asserted in the main thread: it alone may fail the test. */
  Code code;
  Error error;
} Writer;

static Code insert_many(TestWrite *write, StoreTxn *txn, Error *err) {
  const Writer *writer = write->context;
  StoreStatement *insert = statement_make(write->fixture, insert_author, true);
  for (size_t i = 0; i < WRITES_EACH; i++) {
    Value code = value_text(arena_printf(write->fixture->arena, "w%zu-%zu", writer->number, i));
    TRY(run(txn, insert, (Value[]){code, code}, NULL, err));
  }
  return CODE_OK;
}

static void *writer_main(void *context) {
  Writer *writer = context;
  Fixture *fixture = &writer->fixture;
  writer->code = store_session_open(fixture->store, fixture->loop, &fixture->session, &writer->error);
  if (writer->code != CODE_OK) return NULL;
  writer->code = fixture_write_now(fixture, insert_many, writer);
  store_session_close(fixture->session);
  loop_stop(fixture->loop);
  loop_run(fixture->loop);
  return NULL;
}

static void sessions_of_many_threads_share_a_store(Fixture *fixture) {
  Writer writers[WRITERS];
  Error error;
  for (size_t i = 0; i < WRITERS; i++) {
    writers[i] = (Writer){.fixture = *fixture, .number = i};
    writers[i].fixture.arena = arena_create(0);
    assert_int_equal(loop_create(&writers[i].fixture.loop, &error), CODE_OK);
  }
  for (size_t i = 0; i < WRITERS; i++) assert_int_equal(pthread_create(&writers[i].thread, NULL, writer_main, &writers[i]), 0);
  for (size_t i = 0; i < WRITERS; i++) {
    assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
    if (writers[i].code != CODE_OK) fail_msg("writer %zu: %s", i, writers[i].error.text);
    loop_destroy(writers[i].fixture.loop);
    arena_destroy(writers[i].fixture.arena);
  }
  assert_int_equal(fixture_int(fixture, count_authors), WRITERS * WRITES_EACH);
}

static void the_store_answers_a_ping_and_counts(Fixture *fixture) {
  Error error = {0};
  assert_int_equal(fixture->store->driver->ping(fixture->store, &error), CODE_OK);
  assert_int_equal(fixture_write_now(fixture, insert_library, NULL), CODE_OK);
  assert_int_equal(fixture_int(fixture, count_authors), 3);
  StoreStats stats = fixture->store->driver->stats(fixture->store);
  assert_int_equal(stats.writes, 1);
  assert_int_equal(stats.reads, 1);
  assert_int_equal(stats.errors, 0);
}

static void tables_that_are_there_are_left_and_others_are_a_difference(Fixture *fixture) {
  Error error = {0};
  Str differences = {0};
  assert_int_equal(tables_compare(fixture->store, fixture->contract, fixture->arena, &differences, &error), CODE_OK);
  /* The fixture's own contract lives as long as its tables are asked for: the other one has a life of its own. */
  Fixture other = {0};
  fixture_open(&other, fixture->store_case,
               "extend schema @service(name: \"conformance\")\n"
               "type Author @resource @access(read: \"true\", write: \"true\") {\n  code: String! @id\n  name: Int!\n}\n");
  assert_int_equal(tables_start(fixture->store, other.contract, true, fixture->arena, &differences, &error), CODE_CONFLICT);
  assert_true(str_contains(differences, STR("name")));
  fixture_close(&other);
  assert_int_equal(fixture_int(fixture, count_authors), 0);
}

/* ---- all of them, over every store ---- */

typedef struct Case {
  const char *name;
  void (*run)(Fixture *fixture);
  int64_t statement_timeout_us;
  size_t writes_queued_max;
} Case;

#define CASE(function)                                                                                                                     \
  { .name = #function, .run = function }
static const Case cases[] = {
    CASE(who_was_told_of_a_commit_reads_it),
    CASE(a_turns_reads_begin_after_its_last_request_was_queued),
    CASE(many_reads_of_a_turn_are_each_answered_once),
    CASE(a_repeated_statement_runs_once_for_each_parent),
    CASE(a_level_begins_when_those_below_are_complete),
    CASE(what_a_row_is_refused_with_ends_the_read_and_no_other),
    CASE(a_slow_read_gives_what_a_quick_one_gives_and_holds_nobody_up),
    CASE(a_slow_read_of_many_rows_gives_each_once),
    CASE(values_are_exact_both_ways),
    CASE(a_megabyte_of_text_is_kept_whole),
    CASE(a_write_sees_what_it_has_written),
    CASE(a_dry_run_tells_its_code_and_leaves_nothing),
    CASE(a_dry_run_among_other_writes_leaves_theirs),
    CASE(a_write_that_fails_takes_no_other_with_it),
    CASE(a_write_that_fails_alone_leaves_nothing),
    CASE(a_broken_constraint_is_named),
    CASE(a_transaction_goes_on_after_conflicts),
    CASE(a_deferred_reference_is_checked_at_the_end),
    {"a_statement_that_takes_too_long_is_stopped", a_statement_that_takes_too_long_is_stopped, .statement_timeout_us = 100000},
    {"a_change_that_is_stopped_takes_no_other_write_with_it", a_change_that_is_stopped_takes_no_other_write_with_it,
     .statement_timeout_us = 100000},
    {"writes_beyond_the_queue_are_refused_and_the_rest_are_done", writes_beyond_the_queue_are_refused_and_the_rest_are_done,
     .writes_queued_max = 4},
    CASE(closing_a_session_finishes_what_is_under_way),
    CASE(sessions_of_many_threads_share_a_store),
    CASE(the_store_answers_a_ping_and_counts),
    CASE(tables_that_are_there_are_left_and_others_are_a_difference),
};
enum { CASE_COUNT = sizeof cases / sizeof *cases };

typedef struct Pair {
  const Case *test;
  const StoreCase *store_case;
} Pair;

static void run_pair(void **state) {
  const Pair *pair = *state;
  Fixture fixture = {.statement_timeout_us = pair->test->statement_timeout_us, .writes_queued_max = pair->test->writes_queued_max};
  fixture_open(&fixture, pair->store_case, contract);
  pair->test->run(&fixture);
  fixture_close(&fixture);
}

/* An argument chooses tests by a pattern: "*in memory: a_slow*". */
int main(int argc, char **argv) {
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  Arena *arena = arena_create(0);
  size_t count = store_count() * CASE_COUNT;
  Pair *pairs = ARENA_ARRAY(arena, Pair, count);
  struct CMUnitTest *tests = ARENA_ARRAY(arena, struct CMUnitTest, count);
  for (size_t i = 0; i < count; i++) {
    pairs[i] = (Pair){&cases[i % CASE_COUNT], &stores[i / CASE_COUNT]};
    Str name = arena_printf(arena, "%s: %s", pairs[i].store_case->name, pairs[i].test->name);
    tests[i] = (struct CMUnitTest){.name = name.ptr, .test_func = run_pair, .initial_state = &pairs[i]};
  }
  int failed = _cmocka_run_group_tests("store_conformance", tests, count, NULL, NULL);
  arena_destroy(arena);
  return failed;
}
