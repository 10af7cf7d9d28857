/* dialect_postgres.c - PostgreSQL's SQL (14 and later), made of what every server has: no function, operator or type of ours is created, so
 * that a database that others made is served as it is.
 *
 * An error would end the transaction where the rule language has null (overflow, division by zero, a text that is no number), so every
 * operation that could fail stands under a CASE. Its operands are named once, in a subselect that the planner may not take apart (OFFSET
 * 0), or nested arithmetic would double at each step. Storage: sql/postgres_types.h. */
#include "sql/dialect_impl.h"
#include "sql/postgres_regex.h"
#include "sql/postgres_search.h"
#include "sql/postgres_types.h"

/* (SELECT CASE WHEN … END FROM (SELECT … OFFSET 0) AS o), the operands evaluated once. */
#define CHECKED(result, value) "(SELECT " result " FROM (SELECT " value " OFFSET 0) AS o)"

#define INT_CHECKED(value) CHECKED("CASE WHEN v BETWEEN -9223372036854775808 AND 9223372036854775807 THEN v::bigint END", value " AS v")
#define INT_PAIR "(%1)::numeric AS a, (%2)::numeric AS b"

/* 38 significant digits, and no more than 38 on either side of the point: as base/decimal.h counts. */
#define DECIMAL_CHECKED(value)                                                                                                             \
  CHECKED("CASE WHEN abs(v) < 1e38 AND scale(trim_scale(v)) <= 38 AND "                                                                    \
          "length(rtrim(ltrim(translate(abs(trim_scale(v))::text, '.', ''), '0'), '0')) <= 38 THEN trim_scale(v) END",                     \
          value " AS v")

#define FLOAT_PAIR "(%1)::float8 AS a, (%2)::float8 AS b"
#define FLOAT_MAX_HALF "'8.98846567431157854e307'::float8"
#define TWO_TO_512 "'1.3407807929942597e154'::float8"
#define TWO_TO_1000 "'1.0715086071862673e301'::float8"
#define TWO_TO_MINUS_50 "'8.881784197001252e-16'::float8"
#define TWO_TO_MINUS_75 "'2.6469779601696886e-23'::float8"
#define TWO_TO_MINUS_512 "'7.458340731200207e-155'::float8"
#define TWO_TO_MINUS_538 "'1.1113793747425387e-162'::float8"
#define TWO_TO_MINUS_564 "'1.656085607378869e-170'::float8"

/* A half of the sum is exact where the sum is not, and what is below 1 takes no sum beyond the largest double. */
#define FLOAT_SUM(op)                                                                                                                      \
  CHECKED("CASE WHEN abs(a) < 1 OR abs(b) < 1 THEN a " op " b "                                                                            \
          "ELSE CASE WHEN abs(a / 2 " op " b / 2) <= " FLOAT_MAX_HALF " THEN a " op " b END END",                                          \
          FLOAT_PAIR)

/* PostgreSQL refuses overflow, which is null here, and underflow to zero, which is zero. Both are foreseen on operands that are brought
 * nearer to 1 by powers of two, which is exact. */
#define FLOAT_PRODUCT                                                                                                                      \
  CHECKED("CASE WHEN a = 0 OR b = 0 THEN 0::float8 "                                                                                       \
          "WHEN abs(a) >= 1 AND abs(b) >= 1 THEN CASE WHEN (abs(a) * " TWO_TO_MINUS_512 ") * (abs(b) * " TWO_TO_MINUS_512                  \
          ") < 1 THEN a * b END "                                                                                                          \
          "WHEN abs(a) >= 1 OR abs(b) >= 1 THEN a * b "                                                                                    \
          "WHEN abs(a) < " TWO_TO_MINUS_538 " AND abs(b) < " TWO_TO_MINUS_538 " THEN 0::float8 "                                           \
          "WHEN greatest(abs(a), abs(b)) * " TWO_TO_1000 " * least(abs(a), abs(b)) > " TWO_TO_MINUS_75 " THEN a * b "                      \
          "WHEN a IS NOT NULL AND b IS NOT NULL THEN 0::float8 END",                                                                       \
          FLOAT_PAIR)

#define FLOAT_QUOTIENT                                                                                                                     \
  CHECKED("CASE WHEN b = 0 THEN NULL WHEN a = 0 THEN b - b "                                                                               \
          "WHEN abs(b) < 1 AND abs(a) < " TWO_TO_MINUS_50 " THEN a / b "                                                                   \
          "WHEN abs(b) < " TWO_TO_MINUS_512 " AND abs(a) >= " TWO_TO_512 " THEN NULL "                                                     \
          "WHEN abs(b) < 1 THEN CASE WHEN (abs(a) * " TWO_TO_MINUS_512 ") / (abs(b) * " TWO_TO_512 ") < 1 THEN a / b END "                 \
          "WHEN abs(a) >= 1 THEN a / b "                                                                                                   \
          "WHEN abs(b) > " TWO_TO_512 " AND abs(a) < " TWO_TO_MINUS_564 " THEN 0::float8 "                                                 \
          "WHEN abs(a) * " TWO_TO_1000 " / abs(b) > " TWO_TO_MINUS_75 " THEN a / b "                                                       \
          "WHEN a IS NOT NULL AND b IS NOT NULL THEN 0::float8 END",                                                                       \
          FLOAT_PAIR)

/* Microseconds since the epoch, put together of whole hours and the rest: an interval of seconds alone would go through a double. */
#define TIMESTAMP_CHECKED(value)                                                                                                           \
  CHECKED("CASE WHEN v BETWEEN -62135596800000000 AND 253402300799999999 THEN '1970-01-01 00:00:00+00'::timestamptz + "                    \
          "make_interval(hours => div(v, 3600000000)::int, secs => (mod(v, 3600000000) / 1000000)::float8) END",                           \
          value " AS v")

/* ---- columns ---- */

static void write_cast(Buf *out, Str column, const char *before, const char *behind) {
  buf_add(out, str_of(before));
  buf_add(out, column);
  buf_add(out, str_of(behind));
}

static void write_canonical_list(Buf *out, Str column, PostgresKind kind) {
  if (kind == POSTGRES_ARRAY)
    write_cast(out, column, "to_json(", ")");
  else if (kind == POSTGRES_JSON)
    buf_add(out, column);
  else
    write_cast(out, column, "(", "::json)");
}

static void write_canonical_time(Buf *out, Str column, PostgresKind kind) {
  if (kind == POSTGRES_TIMESTAMP)
    write_cast(out, column, "(", " AT TIME ZONE 'UTC')");
  else if (kind == POSTGRES_DATE)
    write_cast(out, column, "(", "::timestamp AT TIME ZONE 'UTC')");
  else
    buf_add(out, column);
}

static void write_canonical_kind(Buf *out, Str column, const Field *field, PostgresKind kind) {
  if (field->is_list) {
    write_canonical_list(out, column, kind);
    return;
  }
  switch (field->type) {
    case TYPE_INT:
    case TYPE_BIGINT: write_cast(out, column, kind == POSTGRES_INTEGER ? "" : "(", kind == POSTGRES_INTEGER ? "" : "::numeric)"); return;
    /* A real is what it shows: 0.1, not the double next to it. */
    case TYPE_FLOAT: write_cast(out, column, kind == POSTGRES_DOUBLE ? "" : "(", kind == POSTGRES_DOUBLE ? "" : "::text::float8)"); return;
    case TYPE_DECIMAL: write_cast(out, column, kind == POSTGRES_NUMERIC ? "" : "(", kind == POSTGRES_NUMERIC ? "" : "::numeric)"); return;
    case TYPE_BOOLEAN: write_cast(out, column, kind == POSTGRES_BOOLEAN ? "" : "(", kind == POSTGRES_BOOLEAN ? "" : " <> 0)"); return;
    case TYPE_DATETIME: write_canonical_time(out, column, kind); return;
    case TYPE_DATE: write_cast(out, column, kind == POSTGRES_DATE ? "" : "(", kind == POSTGRES_DATE ? "" : "::date)"); return;
    case TYPE_JSON:
    case TYPE_EMBEDDED: write_cast(out, column, kind == POSTGRES_JSON ? "" : "(", kind == POSTGRES_JSON ? "" : "::json)"); return;
    case TYPE_BYTES: buf_add(out, column); return;
    case TYPE_ID:
    case TYPE_STRING:
    case TYPE_UUID:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_ENUM:
    case TYPE_COUNT: break;
  }
  write_cast(out, column, kind == POSTGRES_TEXT ? "" : "(", kind == POSTGRES_TEXT ? "" : "::text)");
}

/* A uuid, which is a text to everybody else. What stands in an object has no column. */
static bool has_own_form(const Field *field) {
  return field->resource != NULL && !field->is_list && field_value_type(field) == VALUE_TEXT && postgres_kind(field) == POSTGRES_UUID;
}

/* A row of parameters holds canonical values, but for what has a form of its own. */
static void write_canonical(Buf *out, Str column, const Field *field, bool is_plain) {
  if (!is_plain)
    write_canonical_kind(out, column, field, postgres_kind(field));
  else if (has_own_form(field))
    write_cast(out, column, "(", "::text)");
  else
    buf_add(out, column);
}

/* mood[]: of a type that the driver does not know. */
static bool has_unknown_items(const Field *field) {
  Str type = postgres_given_type(field);
  return field->is_list && str_ends_with(type, STR("[]")) && postgres_kind_of(str_slice(type, 0, type.len - 2)) == POSTGRES_OTHER;
}

/* The forms that the driver reads by themselves (store/postgres_value.c); everything else comes as text. */
static void write_readable(Buf *out, Str column, const Field *field) {
  if (has_unknown_items(field)) {
    write_cast(out, column, "(", ")::text[]");
    return;
  }
  bool is_readable = postgres_given_type(field).len == 0 || postgres_kind(field) != POSTGRES_OTHER;
  write_cast(out, column, is_readable ? "" : "(", is_readable ? "" : ")::text");
}

static Str column_collation(const Field *field) {
  (void)field;
  return (Str){0};
}

/* ---- parameters ---- */

static Str field_cast(const Field *field) {
  if (has_own_form(field)) return STR("::uuid");
  return (Str){0};
}

static void write_stored_cast(Buf *out, const Field *field) {
  PostgresKind kind = postgres_kind(field);
  Str given = postgres_given_type(field);
  if (field->is_list || has_own_form(field)) {
    buf_add(out, STR("::"));
    buf_add(out, postgres_own_type(field));
    if (given.len == 0 || kind == POSTGRES_UUID) return;
  } else {
    buf_add(out, SQL_DIALECT_POSTGRES.param_casts[field_value_type(field)]);
  }
  if (given.len == 0) return;
  if (kind == POSTGRES_TIMESTAMP && field->type == TYPE_DATETIME) {
    buf_add(out, STR(" AT TIME ZONE 'UTC'"));
  } else if (kind == POSTGRES_INTEGER && field->type == TYPE_BOOLEAN) {
    buf_add(out, STR("::integer"));
  } else if (kind == POSTGRES_OTHER || kind == POSTGRES_ARRAY) {
    buf_add(out, STR("::"));
    buf_add(out, given);
  }
}

static const char *array_type(ValueType type) {
  switch (type) {
    case VALUE_BOOL: return "boolean[]";
    case VALUE_INT:
    case VALUE_DURATION: return "bigint[]";
    case VALUE_FLOAT: return "float8[]";
    case VALUE_DECIMAL: return "numeric[]";
    case VALUE_BYTES: return "bytea[]";
    case VALUE_TIMESTAMP: return "timestamptz[]";
    case VALUE_DATE: return "date[]";
    default: return "text[]";
  }
}

static void write_array(Buf *out, Str list, ValueType type, const Field *own) {
  buf_add(out, list);
  buf_add(out, STR("::"));
  if (own == NULL || !has_own_form(own))
    buf_add(out, str_of(array_type(type)));
  else
    buf_add(out, STR("uuid[]"));
}

static void write_parents(Buf *out, const Field *const *keys, size_t key_count, uint32_t first_param) {
  buf_add(out, STR("(SELECT * FROM unnest("));
  for (size_t i = 0; i < key_count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    buf_add_byte(out, '$');
    buf_add_uint64(out, first_param + i);
    write_array(out, STR(""), field_value_type(keys[i]), keys[i]);
  }
  buf_add(out, STR(") WITH ORDINALITY AS u("));
  for (size_t i = 0; i < key_count; i++) {
    buf_add_byte(out, 'k');
    buf_add_uint64(out, i);
    buf_add(out, STR(", "));
  }
  buf_add(out, STR("n))"));
}

static void write_in_list(Buf *out, Str operand, Str list, ValueType type, const Field *own) {
  buf_add(out, operand);
  buf_add(out, STR(" = ANY("));
  write_array(out, list, type, own);
  buf_add_byte(out, ')');
}

/* ---- JSON ---- */

#define DATE_PATTERN                                                                                                                       \
  "(([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29|"                                                    \
  "(?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))"
#define TIME_PATTERN "[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6}0*)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
/* At most 400 digits on each side; a bound of the server's patterns is at most 255. */
#define NUMBER_PATTERN "^-?[0-9]{1,200}[0-9]{0,200}(\\.[0-9]{1,200}[0-9]{0,200})?([eE][+-]?[0-9]{1,3})?$"
#define INTEGER_PATTERN "^-?[0-9]{1,19}$"

/* What is between the document's text and the value: %1 is the member's text, %2 its kind of JSON. NULL where it doesn't fit. */
static const char *member_template(FieldType type) {
  switch (type) {
    case TYPE_INT:
    case TYPE_BIGINT:
      return "CASE WHEN (%2 = 'number' AND %1 ~ '" NUMBER_PATTERN "') OR (%2 = 'string' AND %1 ~ '" INTEGER_PATTERN "') THEN "
             "CASE WHEN %1::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 AND %1::numeric = trunc(%1::numeric) "
             "THEN %1::numeric::bigint END END";
    case TYPE_FLOAT:
      return "CASE WHEN %2 IN ('number', 'string') AND %1 ~ '" NUMBER_PATTERN "' THEN "
             "CASE WHEN abs(%1::numeric) <= 1.7976931348623157e308 THEN CASE WHEN abs(%1::numeric) <= 2.4703282292062327e-324 THEN "
             "0::float8 "
             "ELSE %1::float8 END END END";
    case TYPE_DECIMAL: return "CASE WHEN %2 IN ('number', 'string') AND %1 ~ '" NUMBER_PATTERN "' THEN trim_scale(%1::numeric) END";
    case TYPE_BOOLEAN: return "CASE WHEN %2 = 'boolean' THEN %1 = 'true' END";
    case TYPE_DATETIME: return "CASE WHEN %2 = 'string' AND %1 ~ '^" DATE_PATTERN TIME_PATTERN "$' THEN %1::timestamptz END";
    case TYPE_DATE: return "CASE WHEN %2 = 'string' AND %1 ~ '^" DATE_PATTERN "$' THEN %1::date END";
    case TYPE_BYTES:
      return "CASE WHEN %2 = 'string' AND %1 ~ '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' THEN decode(%1, 'base64') "
             "END";
    default: return "CASE WHEN %2 = 'string' THEN %1 END";
  }
}

static void write_replaced(Buf *out, const char *template, Str text, Str kind) {
  for (const char *at = template; *at != '\0'; at++) {
    bool is_operand = at[0] == '%' && (at[1] == '1' || at[1] == '2');
    if (!is_operand) {
      buf_add_byte(out, *at);
      continue;
    }
    buf_add(out, *++at == '1' ? text : kind);
  }
}

/* '{"address","city"}': member names are GraphQL names, in which nothing needs quoting. */
static void write_path(Buf *out, const Str *names, size_t name_count) {
  buf_add(out, STR("'{"));
  for (size_t i = 0; i < name_count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    buf_add_byte(out, '"');
    buf_add(out, names[i]);
    buf_add_byte(out, '"');
  }
  buf_add(out, STR("}'"));
}

/* The value is looked at once: its text and kind are named in a subselect. */
static void write_member(Buf *out, Str document, const Str *names, size_t name_count, FieldType type) {
  if (type == TYPE_JSON || type == TYPE_EMBEDDED) {
    buf_add(out, STR("(SELECT CASE WHEN json_typeof(j) <> 'null' THEN j END FROM (SELECT "));
  } else {
    buf_add(out, STR("(SELECT "));
    write_replaced(out, member_template(type), STR("x"), STR("k"));
    buf_add(out, STR(" FROM (SELECT j #>> '{}' AS x, json_typeof(j) AS k FROM (SELECT "));
  }
  buf_add(out, document);
  buf_add(out, STR(" #> "));
  write_path(out, names, name_count);
  buf_add(out, STR(" AS j OFFSET 0) AS p"));
  if (type != TYPE_JSON && type != TYPE_EMBEDDED) buf_add(out, STR(" OFFSET 0) AS o"));
  buf_add_byte(out, ')');
}

static FieldType item_type(ValueType type) {
  switch (type) {
    case VALUE_BOOL: return TYPE_BOOLEAN;
    case VALUE_INT:
    case VALUE_DURATION: return TYPE_BIGINT;
    case VALUE_FLOAT: return TYPE_FLOAT;
    case VALUE_DECIMAL: return TYPE_DECIMAL;
    case VALUE_BYTES: return TYPE_BYTES;
    case VALUE_TIMESTAMP: return TYPE_DATETIME;
    case VALUE_DATE: return TYPE_DATE;
    case VALUE_JSON: return TYPE_JSON;
    default: return TYPE_STRING;
  }
}

static void write_each(Buf *out, Str list, ValueType type, bool is_param) {
  if (is_param) {
    buf_add(out, STR("(SELECT value FROM unnest("));
    write_array(out, list, type, NULL);
    buf_add(out, STR(") AS u(value))"));
    return;
  }
  buf_add(out, STR("(SELECT "));
  if (type == VALUE_JSON)
    buf_add(out, STR("CASE WHEN json_typeof(j) <> 'null' THEN j END"));
  else
    write_replaced(out, member_template(item_type(type)), STR("(j #>> '{}')"), STR("json_typeof(j)"));
  buf_add(out, STR(" AS value FROM json_array_elements((SELECT CASE WHEN json_typeof(d) = 'array' THEN d END FROM (SELECT "));
  buf_add(out, list);
  buf_add(out, STR(" AS d OFFSET 0) AS o)) AS e(j))"));
}

const SqlDialect SQL_DIALECT_POSTGRES = {
    .name = STR_INIT("postgresql"),
    .param_sigil = '$',
    .param_casts =
        {
            [VALUE_BOOL] = STR_INIT("::boolean"),
            [VALUE_INT] = STR_INIT("::bigint"),
            [VALUE_FLOAT] = STR_INIT("::float8"),
            [VALUE_DECIMAL] = STR_INIT("::numeric"),
            [VALUE_TEXT] = STR_INIT("::text"),
            [VALUE_BYTES] = STR_INIT("::bytea"),
            [VALUE_TIMESTAMP] = STR_INIT("::timestamptz"),
            [VALUE_DATE] = STR_INIT("::date"),
            [VALUE_DURATION] = STR_INIT("::bigint"),
            [VALUE_JSON] = STR_INIT("::json"),
        },
    .true_text = STR_INIT("true"),
    .false_text = STR_INIT("false"),
    /* By bytes, whatever the database's locale; our own columns are declared so too, so that their indexes serve. */
    .collations = {[VALUE_TEXT] = STR_INIT(" COLLATE \"C\"")},
    .has_plain_equality = true,
    .has_nulls_largest = true,
    .row_lock = STR_INIT(" FOR NO KEY UPDATE OF "),
    /* Numbers are given before the commit, and a lower one may be committed later. So rows are read up to the oldest transaction that still
     * runs, below which nothing can come any more; the row with the number 0 keeps what was pruned. */
    .changes =
        {
            .tables = {STR_INIT("CREATE TABLE IF NOT EXISTS caisson_changes (seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "
                                "xid BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint), at BIGINT NOT NULL, "
                                "source TEXT NOT NULL, kind BIGINT NOT NULL, key TEXT NOT NULL, before TEXT)"),
                       STR_INIT("CREATE INDEX IF NOT EXISTS caisson_changes_xid ON caisson_changes (xid, seq)")},
            .insert = STR_INIT("INSERT INTO caisson_changes (at, source, kind, key, before) VALUES ($1::bigint, $2::text, $3::bigint, "
                               "$4::text, $5::text)"),
            /* json keeps each key's text as it is. */
            .insert_run = STR_INIT("INSERT INTO caisson_changes (at, source, kind, key) SELECT $1::bigint, $2::text, $3::bigint, key::text "
                                   "FROM json_array_elements($4::text::json) WITH ORDINALITY AS keys (key, place) "
                                   "WHERE place <= $5::bigint ORDER BY place"),
            .head = STR_INIT(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, "
                "COALESCE((SELECT max(seq) FROM caisson_changes), 0), COALESCE((SELECT xid FROM caisson_changes WHERE seq = 0), 0), "
                "COALESCE((SELECT at FROM caisson_changes WHERE seq = 0), 0)"),
            .range =
                STR_INIT("SELECT xid, seq, source, kind, key, before FROM caisson_changes WHERE xid >= $1::bigint AND xid < $2::bigint "
                         "AND seq > $3::bigint ORDER BY seq LIMIT $4::bigint"),
            .prune =
                STR_INIT("WITH gone AS (DELETE FROM caisson_changes WHERE seq IN (SELECT seq FROM caisson_changes WHERE seq > 0 AND "
                         "seq < (SELECT max(seq) FROM caisson_changes) AND (at < $1::bigint OR "
                         "seq <= (SELECT max(seq) FROM caisson_changes) - $2::bigint) ORDER BY seq LIMIT $3::bigint) RETURNING seq, xid) "
                         "INSERT INTO caisson_changes AS c (seq, xid, at, source, kind, key) "
                         "SELECT 0, max(xid) + 1, max(seq), '', 0, '' FROM gone HAVING count(*) > 0 "
                         "ON CONFLICT (seq) DO UPDATE SET xid = greatest(c.xid, excluded.xid), at = greatest(c.at, excluded.at)"),
        },
    .idempotency_table = STR_INIT("CREATE TABLE IF NOT EXISTS caisson_idempotency (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                                  "caller TEXT NOT NULL, key TEXT NOT NULL, "
                                  "fingerprint TEXT NOT NULL, expires BIGINT NOT NULL, answer BYTEA NOT NULL, UNIQUE (caller, key))"),
    .templates =
        {
            [SQL_INT_ADD] = STR_INIT(INT_CHECKED("(%1)::numeric + %2")),
            [SQL_INT_SUBTRACT] = STR_INIT(INT_CHECKED("(%1)::numeric - %2")),
            [SQL_INT_MULTIPLY] = STR_INIT(INT_CHECKED("(%1)::numeric * %2")),
            [SQL_INT_DIVIDE] =
                STR_INIT(CHECKED("CASE WHEN b <> 0 AND NOT (b = -1 AND a = -9223372036854775808) THEN div(a, b)::bigint END", INT_PAIR)),
            [SQL_INT_MODULO] =
                STR_INIT(CHECKED("CASE WHEN b <> 0 AND NOT (b = -1 AND a = -9223372036854775808) THEN mod(a, b)::bigint END", INT_PAIR)),
            [SQL_INT_NEGATE] = STR_INIT(INT_CHECKED("0::numeric - %1")),
            [SQL_FLOAT_ADD] = STR_INIT(FLOAT_SUM("+")),
            [SQL_FLOAT_SUBTRACT] = STR_INIT(FLOAT_SUM("-")),
            [SQL_FLOAT_MULTIPLY] = STR_INIT(FLOAT_PRODUCT),
            [SQL_FLOAT_DIVIDE] = STR_INIT(FLOAT_QUOTIENT),
            [SQL_FLOAT_NEGATE] = STR_INIT("(- %1)"),
            [SQL_DECIMAL_ADD] = STR_INIT(DECIMAL_CHECKED("%1 + %2")),
            [SQL_DECIMAL_SUBTRACT] = STR_INIT(DECIMAL_CHECKED("%1 - %2")),
            [SQL_DECIMAL_MULTIPLY] = STR_INIT(DECIMAL_CHECKED("%1 * %2")),
            [SQL_DECIMAL_NEGATE] = STR_INIT("(- %1)"),
            [SQL_TIMESTAMP_ADD] = STR_INIT(TIMESTAMP_CHECKED("extract(epoch FROM %1) * 1000000 + %2")),
            [SQL_TIMESTAMP_SUBTRACT] = STR_INIT(TIMESTAMP_CHECKED("extract(epoch FROM %1) * 1000000 - %2")),
            [SQL_TIMESTAMP_DIFFERENCE] = STR_INIT("((extract(epoch FROM %1) - extract(epoch FROM %2)) * 1000000)::bigint"),
            [SQL_INT_TO_FLOAT] = STR_INIT("(%1)::float8"),
            [SQL_INT_TO_DECIMAL] = STR_INIT("(%1)::numeric"),
            [SQL_DECIMAL_TO_FLOAT] = STR_INIT("(%1)::float8"),
            [SQL_STRING_SIZE] = STR_INIT("char_length(%1)"),
            [SQL_BYTES_SIZE] = STR_INIT("octet_length(%1)"),
            [SQL_LIST_SIZE] =
                STR_INIT(CHECKED("CASE WHEN json_typeof(v) = 'array' THEN json_array_length(v) WHEN v IS NOT NULL THEN 0 END", "%1 AS v")),
            [SQL_STARTS_WITH] = STR_INIT("starts_with(%1 COLLATE \"C\", %2)"),
            [SQL_ENDS_WITH] = STR_INIT("starts_with(reverse(%1) COLLATE \"C\", reverse(%2))"),
            [SQL_CONTAINS] = STR_INIT("(strpos(%1 COLLATE \"C\", %2) > 0)"),
            [SQL_MATCHES] = STR_INIT("(%1 COLLATE \"C\" ~ %2)"),
            [SQL_SUM_EXACT] = STR_INIT("sum(%1)::numeric"),
            /* In the order of the values, so that the answer is the same whatever the plan. */
            [SQL_SUM_FLOAT] = STR_INIT("sum(%1 ORDER BY %1)"),
            [SQL_AVERAGE_EXACT] = STR_INIT("(sum(%1)::numeric::float8 / count(%1))"),
            [SQL_AVERAGE_FLOAT] = STR_INIT("(sum(%1 ORDER BY %1) / count(%1))"),
        },
    .write_canonical = write_canonical,
    .write_readable = write_readable,
    .column_collation = column_collation,
    .has_own_form = has_own_form,
    .field_cast = field_cast,
    .write_stored_cast = write_stored_cast,
    .write_member = write_member,
    .write_each = write_each,
    .write_in_list = write_in_list,
    .write_parents = write_parents,
    .write_search = postgres_search_write,
    .write_search_pattern = postgres_search_write_pattern,
    .write_regex = postgres_regex_write,
};
