/* dialect_sqlite.c - SQLite's SQL. What it lacks are functions named caisson_…, which the driver registers on each connection
 * (store/sqlite_functions.c). Storage: Decimal is canonical text under the collation `decimal`, DateTime text of fixed width, Boolean 0 or
 * 1, lists and embedded objects JSON text. */
#include "sql/dialect_impl.h"
#include "sql/select.h"

typedef enum Affinity { AFFINITY_TEXT, AFFINITY_INTEGER, AFFINITY_REAL, AFFINITY_NUMERIC, AFFINITY_BLOB } Affinity;

static bool contains_ignoring_case(Str text, Str part) {
  for (size_t i = 0; i + part.len <= text.len; i++) {
    if (str_equal_ignore_case(str_slice(text, i, i + part.len), part)) return true;
  }
  return false;
}

/* https://sqlite.org/datatype3.html §3.1, in the order of its rules. */
static Affinity affinity_of(Str declared) {
  if (contains_ignoring_case(declared, STR("INT"))) return AFFINITY_INTEGER;
  if (contains_ignoring_case(declared, STR("CHAR")) || contains_ignoring_case(declared, STR("CLOB")) ||
      contains_ignoring_case(declared, STR("TEXT"))) {
    return AFFINITY_TEXT;
  }
  if (declared.len == 0 || contains_ignoring_case(declared, STR("BLOB"))) return AFFINITY_BLOB;
  if (contains_ignoring_case(declared, STR("REAL")) || contains_ignoring_case(declared, STR("FLOA")) ||
      contains_ignoring_case(declared, STR("DOUB"))) {
    return AFFINITY_REAL;
  }
  return AFFINITY_NUMERIC;
}

/* The function that reads a foreign column's form; NULL where the column can be compared as it is, so that its indexes serve. */
static const char *reader_of(const Field *field) {
  if (field->column_type.len == 0 || field->is_list) return NULL;
  Affinity affinity = affinity_of(field->column_type);
  switch (field->type) {
    case TYPE_DECIMAL: return "caisson_decimal(";
    case TYPE_DATETIME: return "caisson_datetime(";
    case TYPE_DATE: return "caisson_date(";
    case TYPE_BOOLEAN: return "caisson_boolean(";
    case TYPE_INT:
    case TYPE_BIGINT: return affinity == AFFINITY_INTEGER || affinity == AFFINITY_NUMERIC ? NULL : "caisson_integer(";
    case TYPE_FLOAT: return affinity == AFFINITY_REAL ? NULL : "caisson_float(";
    case TYPE_ID:
    case TYPE_STRING:
    case TYPE_UUID:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_ENUM: return affinity == AFFINITY_TEXT ? NULL : "caisson_text(";
    case TYPE_JSON:
    case TYPE_BYTES:
    case TYPE_EMBEDDED:
    case TYPE_COUNT: break;
  }
  return NULL;
}

static void write_canonical(Buf *out, Str column, const Field *field, bool is_plain) {
  const char *reader = is_plain ? NULL : reader_of(field);
  if (reader != NULL) buf_add(out, str_of(reader));
  buf_add(out, column);
  if (reader != NULL) buf_add_byte(out, ')');
}

static Str column_collation(const Field *field) {
  bool is_bare_text = field->column_type.len > 0 && !field->is_list && field_value_type(field) == VALUE_TEXT && reader_of(field) == NULL;
  return is_bare_text ? STR(" COLLATE BINARY") : (Str){0};
}

/* The names that caisson_member and caisson_each know (store/sqlite_functions.c). */
static Str type_name(FieldType type) {
  switch (type) {
    case TYPE_INT:
    case TYPE_BIGINT: return STR("int");
    case TYPE_FLOAT: return STR("float");
    case TYPE_DECIMAL: return STR("decimal");
    case TYPE_BOOLEAN: return STR("bool");
    case TYPE_DATETIME: return STR("timestamp");
    case TYPE_DATE: return STR("date");
    case TYPE_BYTES: return STR("bytes");
    case TYPE_JSON:
    case TYPE_EMBEDDED: return STR("json");
    case TYPE_ID:
    case TYPE_STRING:
    case TYPE_UUID:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_ENUM:
    case TYPE_COUNT: break;
  }
  return STR("string");
}

static void write_member(Buf *out, Str document, const Str *names, size_t name_count, FieldType type) {
  buf_add(out, STR("caisson_member("));
  buf_add(out, document);
  buf_add(out, STR(", "));
  sql_write_string(out, type_name(type));
  for (size_t i = 0; i < name_count; i++) {
    buf_add(out, STR(", "));
    sql_write_string(out, names[i]);
  }
  buf_add_byte(out, ')');
}

static Str value_type_name(ValueType type) {
  switch (type) {
    case VALUE_BOOL: return STR("bool");
    case VALUE_INT:
    case VALUE_DURATION: return STR("int");
    case VALUE_FLOAT: return STR("float");
    case VALUE_DECIMAL: return STR("decimal");
    case VALUE_TIMESTAMP: return STR("timestamp");
    case VALUE_DATE: return STR("date");
    case VALUE_BYTES: return STR("bytes");
    case VALUE_JSON: return STR("json");
    case VALUE_NULL:
    case VALUE_TEXT:
    case VALUE_LIST:
    case VALUE_ROW:
    case VALUE_ROWS: break;
  }
  return STR("string");
}

static void write_each(Buf *out, Str list, ValueType type, bool is_param) {
  (void)is_param; /* a parameter is JSON too */
  buf_add(out, STR("caisson_each("));
  buf_add(out, list);
  buf_add(out, STR(", "));
  sql_write_string(out, value_type_name(type));
  buf_add_byte(out, ')');
}

/* Texts and integers are what keys are made of; SQLite's own json_each gives them as they are and is the faster. */
static void write_in_list(Buf *out, Str operand, Str list, ValueType type, const Field *own) {
  (void)own;
  buf_add(out, operand);
  buf_add(out, STR(" IN (SELECT value FROM "));
  if (type == VALUE_TEXT || type == VALUE_INT) {
    buf_add(out, STR("json_each("));
    buf_add(out, list);
    buf_add_byte(out, ')');
  } else {
    write_each(out, list, type, true);
  }
  buf_add_byte(out, ')');
}

/* ---- full-text search: the tables that store/sqlite_search.c makes ---- */

static void write_search_table(Buf *out, const Resource *resource, Str part) {
  Buf name = buf_on_heap(1 << 16);
  buf_add(&name, STR("caisson_search_"));
  buf_add(&name, resource->table);
  buf_add(&name, part);
  if (name.failed != CODE_OK) out->failed = name.failed;
  sql_write_identifier(out, buf_str(&name));
  buf_done(&name);
}

/* The limit keeps the planner from taking the subselect apart: a rank can be told only while the index is being read. */
static void write_search(Buf *out, const Resource *resource, Str row, Str param) {
  (void)row;
  buf_add(out, STR("(SELECT "));
  for (size_t i = 0; i < resource->key_count; i++) {
    buf_add(out, STR("k.k"));
    buf_add_uint64(out, i);
    buf_add(out, STR(", "));
  }
  buf_add(out, STR("caisson_rank(f."));
  write_search_table(out, resource, STR(":text"));
  buf_add(out, STR(") AS found_rank FROM "));
  write_search_table(out, resource, STR(":text"));
  buf_add(out, STR(" AS f CROSS JOIN "));
  write_search_table(out, resource, STR(":keys"));
  buf_add(out, STR(" AS k ON k.doc = f.rowid WHERE f."));
  write_search_table(out, resource, STR(":text"));
  buf_add(out, STR(" MATCH "));
  buf_add(out, param);
  buf_add(out, STR(" LIMIT -1)"));
}

/* {c0 c2} : ("tea" AND "gree" *): FTS5's syntax, in which a quoted string is nothing but words (https://sqlite.org/fts5.html §3). */
static void write_search_pattern(Buf *out, const SqlSearchTerm *terms, size_t term_count, const uint32_t *columns, size_t column_count) {
  buf_add_byte(out, '{');
  for (size_t i = 0; i < column_count; i++) {
    buf_add(out, i > 0 ? STR(" c") : STR("c"));
    buf_add_uint64(out, columns[i]);
  }
  buf_add(out, STR("} : ("));
  for (size_t i = 0; i < term_count; i++) {
    if (i > 0) buf_add(out, STR(" AND "));
    sql_write_identifier(out, terms[i].text); /* the same quotes, doubled the same way */
    if (terms[i].is_prefix) buf_add(out, STR(" *"));
  }
  buf_add_byte(out, ')');
}

const SqlDialect SQL_DIALECT_SQLITE = {
    .name = STR_INIT("sqlite"),
    .param_sigil = '?',
    .true_text = STR_INIT("1"),
    .false_text = STR_INIT("0"),
    .boolean_test = STR_INIT(" = 1"),
    .collations = {[VALUE_DECIMAL] = STR_INIT(" COLLATE decimal")},
    .has_nulls_largest = false,
    .changes =
        {
            .is_serial = true,
            /* The newest row always stays, so that no number is given twice. */
            .tables = {STR_INIT("CREATE TABLE IF NOT EXISTS caisson_changes (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, "
                                "source TEXT NOT NULL, kind INTEGER NOT NULL, key TEXT NOT NULL, before TEXT)")},
            .insert = STR_INIT("INSERT INTO caisson_changes (at, source, kind, key, before) VALUES (?1, ?2, ?3, ?4, ?5)"),
            /* One row for all of them, under the number of the last: a number each, a statement for all. */
            .insert_run = STR_INIT("INSERT INTO caisson_changes (seq, at, source, kind, key) VALUES "
                                   "(COALESCE((SELECT max(seq) FROM caisson_changes), 0) + ?5, ?1, ?2, ?3, ?4)"),
            .head = STR_INIT("SELECT 1, COALESCE((SELECT max(seq) FROM caisson_changes), 0), 1, "
                             "COALESCE((SELECT seq - CASE WHEN key LIKE '[[%' THEN json_array_length(key) ELSE 1 END "
                             "FROM caisson_changes ORDER BY seq LIMIT 1), 0)"),
            .range = STR_INIT("SELECT 0, seq, source, kind, key, before FROM caisson_changes WHERE ?1 <= 0 AND ?2 > 0 AND seq > ?3 "
                              "ORDER BY seq LIMIT ?4"),
            .prune =
                STR_INIT("DELETE FROM caisson_changes WHERE seq IN (SELECT seq FROM caisson_changes WHERE "
                         "seq < (SELECT max(seq) FROM caisson_changes) AND (at < ?1 OR seq <= (SELECT max(seq) FROM caisson_changes) - ?2) "
                         "ORDER BY seq LIMIT ?3)"),
        },
    .idempotency_table =
        STR_INIT("CREATE TABLE IF NOT EXISTS caisson_idempotency (id INTEGER PRIMARY KEY, caller TEXT NOT NULL, key TEXT NOT NULL, "
                 "fingerprint TEXT NOT NULL, expires BIGINT NOT NULL, answer BLOB NOT NULL, UNIQUE (caller, key))"),
    .templates =
        {
            [SQL_INT_ADD] = STR_INIT("caisson_int_add(%1, %2)"),
            [SQL_INT_SUBTRACT] = STR_INIT("caisson_int_subtract(%1, %2)"),
            [SQL_INT_MULTIPLY] = STR_INIT("caisson_int_multiply(%1, %2)"),
            [SQL_INT_DIVIDE] = STR_INIT("caisson_int_divide(%1, %2)"),
            [SQL_INT_MODULO] = STR_INIT("caisson_int_modulo(%1, %2)"),
            [SQL_INT_NEGATE] = STR_INIT("caisson_int_subtract(0, %1)"),
            [SQL_FLOAT_ADD] = STR_INIT("caisson_float_add(%1, %2)"),
            [SQL_FLOAT_SUBTRACT] = STR_INIT("caisson_float_subtract(%1, %2)"),
            [SQL_FLOAT_MULTIPLY] = STR_INIT("caisson_float_multiply(%1, %2)"),
            [SQL_FLOAT_DIVIDE] = STR_INIT("caisson_float_divide(%1, %2)"),
            [SQL_FLOAT_NEGATE] = STR_INIT("(- %1)"),
            [SQL_DECIMAL_ADD] = STR_INIT("caisson_decimal_add(%1, %2)"),
            [SQL_DECIMAL_SUBTRACT] = STR_INIT("caisson_decimal_subtract(%1, %2)"),
            [SQL_DECIMAL_MULTIPLY] = STR_INIT("caisson_decimal_multiply(%1, %2)"),
            [SQL_DECIMAL_NEGATE] = STR_INIT("caisson_decimal_subtract('0', %1)"),
            [SQL_TIMESTAMP_ADD] = STR_INIT("caisson_timestamp_add(%1, %2)"),
            [SQL_TIMESTAMP_SUBTRACT] = STR_INIT("caisson_timestamp_subtract(%1, %2)"),
            [SQL_TIMESTAMP_DIFFERENCE] = STR_INIT("caisson_timestamp_difference(%1, %2)"),
            [SQL_INT_TO_FLOAT] = STR_INIT("CAST(%1 AS REAL)"),
            [SQL_INT_TO_DECIMAL] = STR_INIT("CAST(%1 AS TEXT)"),
            [SQL_DECIMAL_TO_FLOAT] = STR_INIT("caisson_decimal_to_float(%1)"),
            [SQL_STRING_SIZE] = STR_INIT("caisson_size(%1)"),
            [SQL_BYTES_SIZE] = STR_INIT("length(%1)"),
            [SQL_LIST_SIZE] = STR_INIT("caisson_list_size(%1)"),
            [SQL_STARTS_WITH] = STR_INIT("caisson_starts_with(%1, %2)"),
            [SQL_SUM_EXACT] = STR_INIT("caisson_sum(%1)"),
            [SQL_SUM_FLOAT] = STR_INIT("sum(%1)"),
            [SQL_AVERAGE_EXACT] = STR_INIT("caisson_average(%1)"),
            [SQL_AVERAGE_FLOAT] = STR_INIT("avg(%1)"),
            [SQL_STARTS_WITH_RANGE] = STR_INIT("(%1 >= %2 AND %1 < caisson_prefix_end(%2))"),
            [SQL_ENDS_WITH] = STR_INIT("caisson_ends_with(%1, %2)"),
            [SQL_CONTAINS] = STR_INIT("(instr(%1, %2) > 0)"),
            [SQL_MATCHES] = STR_INIT("caisson_matches(%1, %2)"),
        },
    .write_canonical = write_canonical,
    .column_collation = column_collation,
    .write_member = write_member,
    .write_each = write_each,
    .write_in_list = write_in_list,
    .write_search = write_search,
    .write_search_pattern = write_search_pattern,
};
