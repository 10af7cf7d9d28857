/* sqlite_explain.c - EXPLAIN QUERY PLAN (https://sqlite.org/eqp.html), read for people: which table is scanned, by which index it is
 * searched, what must be sorted. SQLite names tables by their aliases; the statement's own text tells whose they are. */
#include <stdlib.h>

#include "base/vec.h"
#include "store/sqlite_error.h"
#include "store/sqlite_store.h"

enum { EXPLAIN_ROWS_MAX = 1000000 };

typedef VEC(StoreStep) StepVec;

typedef struct Explaining {
  SqliteConnection *connection;
  const StoreStatement *statement;
  Arena *arena;
  StepVec steps;
  Error *err;
} Explaining;

/* ---- Names ---- */

static bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* The table of `"products" AS t1`; NULL-ptr where the alias is of something else, a subquery say. */
static Str table_of_alias(Str sql, Str alias) {
  for (size_t at = 0; at + alias.len <= sql.len; at++) {
    bool is_found =
        memcmp(sql.ptr + at, alias.ptr, alias.len) == 0 && (at + alias.len == sql.len || !is_name_byte(sql.ptr[at + alias.len]));
    Str before = str_slice(sql, 0, at);
    if (!is_found || !str_ends_with(before, STR("\" AS "))) continue;
    size_t end = before.len - STR("\" AS ").len, begin = end;
    while (begin > 0 && before.ptr[begin - 1] != '"') begin--;
    return str_slice(before, begin, end);
  }
  return (Str){0};
}

static Str next_word(Str *rest) {
  Str word = {0};
  return str_split_next(rest, ' ', &word) ? word : STR("");
}

/* "… USING INDEX products_sku (sku=?)" → "products_sku". */
static Str index_of(Str detail) {
  static const Str marks[] = {STR_INIT("USING INDEX "), STR_INIT("USING COVERING INDEX ")};
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    for (size_t at = 0; at + marks[i].len <= detail.len; at++) {
      Str rest = str_slice(detail, at, detail.len);
      if (!str_starts_with(rest, marks[i])) continue;
      rest = str_slice(rest, marks[i].len, rest.len);
      return next_word(&rest);
    }
  }
  return STR("");
}

/* ---- Rows ---- */

static bool table_is_plain(Str table) {
  for (size_t i = 0; i < table.len; i++) {
    if (table.ptr[i] == '"' || table.ptr[i] == '\0') return false;
  }
  return table.len > 0;
}

/* How many rows a scan would read: counted up to a bound, so that to explain never costs more than a slow read. */
static int64_t count_rows(const Explaining *explaining, Str table) {
  sqlite3_stmt *count = NULL;
  int64_t rows = -1;
  if (!table_is_plain(table)) return -1;
  Str sql = arena_printf(explaining->arena, "SELECT count(*) FROM (SELECT 1 FROM \"%.*s\" LIMIT %d)", STR_ARGS(table), EXPLAIN_ROWS_MAX);
  if (sql.ptr == NULL) return -1;
  if (sqlite3_prepare_v2(explaining->connection->db, sql.ptr, (int)sql.len, &count, NULL) == SQLITE_OK && sqlite3_step(count) == SQLITE_ROW)
    rows = sqlite3_column_int64(count, 0);
  sqlite3_finalize(count);
  return rows;
}

/* ---- Steps ---- */

static Code add_step(Explaining *explaining, Str detail) {
  Str rest = detail;
  Str word = next_word(&rest);
  StoreStep step = {.kind = STORE_STEP_OTHER, .rows = -1, .text = arena_str(explaining->arena, detail)};
  if (step.text.ptr == NULL) return error_no_memory(explaining->err);
  rest = str_slice(step.text, word.len + 1, step.text.len);
  if (str_equal(word, STR("SCAN")) || str_equal(word, STR("SEARCH"))) {
    step.table = table_of_alias(explaining->statement->sql, next_word(&rest));
    step.index = index_of(step.text);
    if (step.table.ptr != NULL) step.kind = str_equal(word, STR("SCAN")) ? STORE_STEP_SCAN : STORE_STEP_SEARCH;
    if (step.kind == STORE_STEP_SCAN) step.rows = count_rows(explaining, step.table);
  } else if (str_starts_with(detail, STR("USE TEMP B-TREE FOR ORDER BY")) ||
             str_starts_with(detail, STR("USE TEMP B-TREE FOR RIGHT PART OF ORDER BY")) ||
             str_starts_with(detail, STR("USE TEMP B-TREE FOR LAST"))) {
    step.kind = STORE_STEP_SORT;
  }
  return VEC_PUSH(explaining->arena, &explaining->steps, step) ? CODE_OK : error_no_memory(explaining->err);
}

static Code read_plan(Explaining *explaining) {
  Str sql = explaining->statement->sql;
  Str text = arena_printf(explaining->arena, "EXPLAIN QUERY PLAN %.*s", STR_ARGS(sql));
  sqlite3_stmt *plan = NULL;
  if (text.ptr == NULL) return error_no_memory(explaining->err);
  int result = sqlite3_prepare_v2(explaining->connection->db, text.ptr, (int)text.len, &plan, NULL);
  Code code = CODE_OK;
  while (code == CODE_OK && result != SQLITE_DONE) {
    if (result == SQLITE_OK || result == SQLITE_ROW) result = sqlite3_step(plan);
    const char *detail = result == SQLITE_ROW ? (const char *)sqlite3_column_text(plan, 3) : NULL;
    if (result == SQLITE_ROW)
      code = detail == NULL ? error_no_memory(explaining->err) : add_step(explaining, str_of(detail));
    else if (result != SQLITE_DONE)
      code = sqlite_error_set(explaining->connection, result, explaining->err);
  }
  sqlite3_finalize(plan);
  return code;
}

Code sqlite_explain(Store *base, const StoreStatement *statement, const Value *params, Arena *arena, StoreStep **ret, size_t *ret_count,
                    Error *err) {
  (void)params; /* its planner doesn't look at them */
  SqliteStore *store = (SqliteStore *)base;
  Explaining explaining = {.statement = statement, .arena = arena, .err = err};
  TRY(sqlite_connection_open(&store->target, SQLITE_ROLE_READER, store->busy_timeout_ms, &explaining.connection, err));
  /* Else no statement on a table whose triggers write to its search index could even be prepared (driver_sqlite.c). */
  if (store->is_ours) sqlite3_db_config(explaining.connection->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
  sqlite_connection_bound(explaining.connection, SQLITE_TICKS_UNBOUNDED, sqlite_clock_us() + store->statement_timeout_us);
  sqlite_turn_begin_read(store);
  Code code = read_plan(&explaining);
  sqlite_turn_end(store);
  sqlite_connection_close(explaining.connection);
  if (code != CODE_OK) return code;
  *ret = explaining.steps.items;
  *ret_count = explaining.steps.count;
  return CODE_OK;
}
