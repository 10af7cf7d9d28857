/* postgres_explain.c - EXPLAIN (FORMAT JSON), read for people: which table is scanned, by which index it is searched, what must be sorted.
 * ANALYZE is never asked for, so that nothing is run; the values are given, since the planner decides by them. The statement's own text
 * tells whose an alias is. */
#include "codec/json.h"
#include "sql/dialect_impl.h"
#include "sql/select.h"
#include "store/postgres_query.h"
#include "store/postgres_store.h"

/* A node of a plan is two levels of JSON. */
enum { PLAN_DEPTH_MAX = 1000, TEXT_BYTES_MAX = 1 << 20, COUNT_MAX = 100000 };

typedef struct Explaining {
  PostgresConnection *connection;
  const StoreStatement *statement;
  Arena *arena;
  JsonValue plan; /* its root */
  VEC(StoreStep) steps;
  Error *err;
} Explaining;

/* ---- names ---- */

static bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* Where a name in quotes begins whose last quote is in front of `end`. */
static size_t quoted_begin(Str sql, size_t end) {
  size_t at = end - 1;
  while (at > 0) {
    at--;
    if (sql.ptr[at] != '"') continue;
    if (at == 0 || sql.ptr[at - 1] != '"') return at;
    at--; /* a doubled one */
  }
  return at;
}

/* The table of `"sales"."orders" AS t1`, in its quotes; ptr NULL where the alias is of something else, a subquery say. */
static Str table_of_alias(Str sql, Str alias) {
  if (alias.len == 0) return (Str){0};
  for (size_t at = 0; at + alias.len <= sql.len; at++) {
    bool is_found =
        memcmp(sql.ptr + at, alias.ptr, alias.len) == 0 && (at + alias.len == sql.len || !is_name_byte(sql.ptr[at + alias.len]));
    if (!is_found || !str_ends_with(str_slice(sql, 0, at), STR("\" AS "))) continue;
    size_t end = at - STR(" AS ").len, begin = quoted_begin(sql, end);
    if (begin > 1 && sql.ptr[begin - 1] == '.' && sql.ptr[begin - 2] == '"') begin = quoted_begin(sql, begin - 1);
    return str_slice(sql, begin, end);
  }
  return (Str){0};
}

/* "sales"."orders" → sales.orders, as a contract names it. */
static Str table_name(Str quoted, Arena *arena) {
  Buf out = buf_on(arena, TEXT_BYTES_MAX);
  for (size_t i = 0; i < quoted.len; i++) {
    bool is_doubled = i > 0 && quoted.ptr[i - 1] == '"' && i + 1 < quoted.len && quoted.ptr[i + 1] != '.';
    if (quoted.ptr[i] != '"' || is_doubled) buf_add_byte(&out, quoted.ptr[i]);
  }
  return buf_str(&out);
}

/* ---- rows ---- */

static Code on_number(void *context, const Value *columns, Error *err) {
  (void)err;
  if (columns[0].type == VALUE_TEXT) (void)str_parse_int64(columns[0].text, context);
  return CODE_OK;
}

/* How many rows a scan would read: what the last ANALYZE found; where there was none they are counted, up to a bound. */
static int64_t count_rows(const Explaining *explaining, Str quoted) {
  Buf sql = buf_on(explaining->arena, TEXT_BYTES_MAX);
  int64_t rows = -1;
  Error ignored;
  buf_add(&sql, STR("SELECT (CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE (SELECT count(*) FROM (SELECT 1 FROM "));
  buf_add(&sql, quoted);
  buf_printf(&sql, " LIMIT %d) AS r) END)::text FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(", COUNT_MAX);
  sql_write_string(&sql, quoted);
  buf_add_byte(&sql, ')');
  if (sql.failed != CODE_OK) return -1;
  if (postgres_query(explaining->connection, buf_str(&sql), NULL, 0, 1, on_number, &rows, &ignored) != CODE_OK) return -1;
  return rows;
}

/* ---- steps ---- */

static Str text_of(const JsonValue *node, const char *name) {
  const JsonValue *member = json_get(node, str_of(name));
  return member != NULL && (member->type == JSON_STRING || member->type == JSON_NUMBER) ? member->text : (Str){0};
}

/* Its own, or of what finds the rows for it. */
static Str index_of(const JsonValue *node) {
  Str index = text_of(node, "Index Name");
  const JsonValue *children = json_get(node, STR("Plans"));
  for (size_t i = 0; index.len == 0 && children != NULL && i < children->count; i++) index = index_of(&children->items[i]);
  return index;
}

static StoreStepKind kind_of(Str type, const JsonValue *node) {
  if (str_equal(type, STR("Sort")) || str_equal(type, STR("Incremental Sort"))) return STORE_STEP_SORT;
  if (json_get(node, STR("Relation Name")) == NULL) return STORE_STEP_OTHER;
  if (str_equal(type, STR("Seq Scan"))) return STORE_STEP_SCAN;
  if (str_equal(type, STR("Index Scan")) || str_equal(type, STR("Index Only Scan")))
    return json_get(node, STR("Index Cond")) == NULL ? STORE_STEP_SCAN : STORE_STEP_SEARCH;
  return str_equal(type, STR("Bitmap Heap Scan")) || str_equal(type, STR("Tid Scan")) ? STORE_STEP_SEARCH : STORE_STEP_OTHER;
}

/* "Index Scan using products_pkey on products t1 (rows=1)": without conditions, in which values stand. */
static Code text_write(const Explaining *explaining, const JsonValue *node, Str type, Str *ret) {
  Buf out = buf_on(explaining->arena, TEXT_BYTES_MAX);
  Str index = text_of(node, "Index Name"), relation = text_of(node, "Relation Name"), alias = text_of(node, "Alias");
  buf_add(&out, type);
  if (index.len > 0) buf_printf(&out, " using %.*s", STR_ARGS(index));
  if (relation.len > 0) buf_printf(&out, " on %.*s", STR_ARGS(relation));
  if (relation.len > 0 && alias.len > 0 && !str_equal(alias, relation)) buf_printf(&out, " %.*s", STR_ARGS(alias));
  if (text_of(node, "Plan Rows").len > 0) buf_printf(&out, " (rows=%.*s)", STR_ARGS(text_of(node, "Plan Rows")));
  return buf_finish(&out, ret, explaining->err);
}

static Code node_read(Explaining *explaining, const JsonValue *node) {
  Error *err = explaining->err;
  Str type = text_of(node, "Node Type");
  StoreStep step = {.kind = kind_of(type, node), .rows = -1};
  TRY(text_write(explaining, node, type, &step.text));
  if (step.kind == STORE_STEP_SCAN || step.kind == STORE_STEP_SEARCH) {
    Str relation = text_of(node, "Relation Name"), quoted = table_of_alias(explaining->statement->sql, text_of(node, "Alias"));
    Buf plain = buf_on(explaining->arena, TEXT_BYTES_MAX);
    sql_write_identifier(&plain, relation);
    if (quoted.ptr == NULL) quoted = buf_str(&plain);
    step.table = table_name(quoted, explaining->arena);
    step.index = index_of(node);
    if (step.kind == STORE_STEP_SCAN) step.rows = count_rows(explaining, quoted);
  }
  if (!VEC_PUSH(explaining->arena, &explaining->steps, step)) return error_no_memory(err);
  const JsonValue *children = json_get(node, STR("Plans"));
  for (size_t i = 0; children != NULL && children->type == JSON_ARRAY && i < children->count; i++)
    TRY(node_read(explaining, &children->items[i]));
  return CODE_OK;
}

/* ---- the plan ---- */

static Code on_plan(void *context, const Value *columns, Error *err) {
  Explaining *explaining = context;
  JsonValue plans;
  Str text = arena_str(explaining->arena, columns[0].type == VALUE_NULL ? STR("[]") : columns[0].text);
  TRY_ALLOC(text.ptr);
  TRY(json_parse(text, PLAN_DEPTH_MAX, explaining->arena, &plans, err));
  const JsonValue *plan = plans.type == JSON_ARRAY && plans.count == 1 ? json_get(&plans.items[0], STR("Plan")) : NULL;
  if (plan == NULL) return error_set(err, CODE_INTERNAL, "the database explained nothing");
  explaining->plan = *plan;
  return CODE_OK;
}

static Code explain(Explaining *explaining, const Value *params) {
  static const StoreColumn columns[] = {{.type = VALUE_JSON}};
  Error *err = explaining->err;
  Str sql = arena_printf(explaining->arena, "EXPLAIN (FORMAT JSON) %.*s", STR_ARGS(explaining->statement->sql));
  TRY_ALLOC(sql.ptr);
  StoreStatement asked = *explaining->statement;
  asked.id = store_statement_id();
  asked.sql = sql;
  asked.columns = columns;
  asked.column_count = 1;
  asked.is_write = false;
  TRY(postgres_ask(explaining->connection, &asked, params, on_plan, explaining, err));
  return node_read(explaining, &explaining->plan);
}

Code postgres_explain(Store *base, const StoreStatement *statement, const Value *params, Arena *arena, StoreStep **ret, size_t *ret_count,
                      Error *err) {
  PostgresStore *store = (PostgresStore *)base;
  Explaining explaining = {.statement = statement, .arena = arena, .err = err};
  TRY(postgres_connection_open(&store->target, NULL, NULL, &explaining.connection, err));
  Code code = explain(&explaining, params);
  postgres_connection_close(explaining.connection);
  if (code != CODE_OK) return code;
  *ret = explaining.steps.items;
  *ret_count = explaining.steps.count;
  return CODE_OK;
}
