/* script_sqlite.c - a plan in SQLite's SQL. What ALTER TABLE can't do is done by making the table anew beside the old one, copying, and
 * taking the old one's place (https://sqlite.org/lang_altertable.html §7); the migrator keeps foreign keys quiet meanwhile. */
#include "migrate/script.h"
#include "sql/select.h"

#define LOCKS "the only writer until the migration ends, readers go on; "

static const char quick[] = LOCKS "no row is read", scans[] = LOCKS "reads the table", rewrites[] = LOCKS "rewrites the table";

static bool column_needs_remaking(const LayoutColumn *column) {
  bool has_composite_reference = column->field != NULL && column->field->is_relation_key && column->field->relation->key_count > 1;
  return (column->is_not_null && column->default_text.len == 0) || has_composite_reference;
}

/* A key that comes with its only column is declared with it. */
static bool foreign_key_comes_with_column(const MigrationPlan *plan, const Step *key) {
  for (size_t i = 0; i < plan->steps.count && key->to_key->columns.count == 1; i++) {
    const Step *step = &plan->steps.items[i];
    if (step->kind == STEP_ADD_COLUMN && step->to == key->to && str_equal(step->to_column->name, key->to_key->columns.items[0]))
      return true;
  }
  return false;
}

static bool remakes(const MigrationPlan *plan, const Step *step) {
  switch (step->kind) {
    case STEP_CHANGE_TYPE:
    case STEP_SET_REQUIRED:
    case STEP_SET_OPTIONAL:
    case STEP_DROP_COLUMN: return true;
    case STEP_DROP_FOREIGN_KEY: return step->to != NULL;
    case STEP_ADD_COLUMN: return column_needs_remaking(step->to_column);
    case STEP_ADD_FOREIGN_KEY: return !step->is_on_new_table && !foreign_key_comes_with_column(plan, step);
    default: return false;
  }
}

static bool is_remade(const ScriptWriter *writer, const LayoutTable *to) {
  for (size_t i = 0; to != NULL && i < writer->plan->steps.count; i++) {
    if (writer->plan->steps.items[i].to == to && remakes(writer->plan, &writer->plan->steps.items[i])) return true;
  }
  return false;
}

/* ---- the new table ---- */

static void write_converted(Buf *out, const LayoutColumn *from, const LayoutColumn *to) {
  static const struct {
    FieldType kind;
    Str type;
  } casts[] = {{TYPE_INT, STR_INIT("INTEGER")},
               {TYPE_BIGINT, STR_INIT("INTEGER")},
               {TYPE_FLOAT, STR_INIT("REAL")},
               {TYPE_DECIMAL, STR_INIT("TEXT")},
               {TYPE_STRING, STR_INIT("TEXT")}};
  bool is_converted = from->kind != to->kind && migration_conversion(from->kind, to->kind) != CONVERSION_SAME;
  if (is_converted && from->kind == TYPE_DATE && to->kind == TYPE_DATETIME) {
    sql_write_identifier(out, to->name);
    buf_add(out, STR(" || 'T00:00:00.000000Z'"));
    return;
  }
  if (is_converted && from->kind == TYPE_DATETIME && to->kind == TYPE_DATE) {
    buf_add(out, STR("substr("));
    sql_write_identifier(out, to->name);
    buf_add(out, STR(", 1, 10)"));
    return;
  }
  for (size_t i = 0; is_converted && i < sizeof casts / sizeof casts[0]; i++) {
    if (casts[i].kind != to->kind) continue;
    buf_add(out, STR("CAST("));
    sql_write_identifier(out, to->name);
    buf_add(out, STR(" AS "));
    buf_add(out, casts[i].type);
    buf_add_byte(out, ')');
    return;
  }
  sql_write_identifier(out, to->name);
}

static void write_copy(Buf *out, const TablePair *pair, Str beside) {
  buf_add(out, STR("INSERT INTO "));
  sql_write_identifier(out, beside);
  buf_add(out, STR(" ("));
  for (size_t i = 0; i < pair->to->columns.count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    sql_write_identifier(out, pair->to->columns.items[i].name);
  }
  buf_add(out, STR(")\nSELECT "));
  /* The pairs of the newer table's columns come first, in its order. */
  for (size_t i = 0; i < pair->to->columns.count; i++) {
    const ColumnPair *columns = &pair->columns.items[i];
    if (i > 0) buf_add(out, STR(", "));
    if (columns->from != NULL)
      write_converted(out, columns->from, columns->to);
    else
      buf_add(out, columns->to->default_text.len > 0 ? columns->to->default_text : STR("NULL"));
  }
  buf_add(out, STR(" FROM "));
  buf_add(out, pair->to->quoted);
}

static Code text_of(const ScriptWriter *writer, const LayoutTable *to, Str *ret, bool *ret_is_destructive) {
  Error *err = writer->err;
  Buf text = script_buf(writer);
  for (size_t i = 0; i < writer->plan->steps.count; i++) {
    const Step *step = &writer->plan->steps.items[i];
    if (step->to != to || !remakes(writer->plan, step)) continue;
    if (text.len > 0) buf_add(&text, STR(", "));
    buf_add(&text, step->text);
    *ret_is_destructive = *ret_is_destructive || step->is_destructive;
  }
  return buf_finish(&text, ret, err);
}

static Code table_remake(ScriptWriter *writer, const TablePair *pair) {
  Error *err = writer->err;
  Buf create = script_buf(writer), copy = script_buf(writer), drop = script_buf(writer), rename = script_buf(writer);
  Str beside = arena_printf(writer->arena, "caisson_new_%.*s", STR_ARGS(pair->to->name)), text = {0};
  bool is_destructive = false;
  TRY_ALLOC(beside.ptr);
  TRY(text_of(writer, pair->to, &text, &is_destructive));
  buf_add(&create, STR("CREATE TABLE "));
  sql_write_identifier(&create, beside);
  buf_add_byte(&create, ' ');
  buf_add(&create, pair->to->body);
  TRY(script_add(writer, &create, text, quick, false));
  write_copy(&copy, pair, beside);
  TRY(script_add(writer, &copy, STR("its rows are copied"), rewrites, is_destructive));
  buf_add(&drop, STR("DROP TABLE "));
  buf_add(&drop, pair->to->quoted);
  TRY(script_add(writer, &drop, STR("the copied table goes"), quick, false));
  buf_add(&rename, STR("ALTER TABLE "));
  sql_write_identifier(&rename, beside);
  buf_add(&rename, STR(" RENAME TO "));
  buf_add(&rename, pair->to->quoted);
  TRY(script_add(writer, &rename, STR("the new one takes its place"), quick, false));
  for (size_t i = 0; i < pair->to->indexes.count; i++) {
    Buf sql = script_buf(writer);
    script_write_index(&sql, pair->to, &pair->to->indexes.items[i], false);
    TRY(script_add(writer, &sql, arena_printf(writer->arena, "index %.*s is made", STR_ARGS(pair->to->indexes.items[i].name)), scans,
                   false));
  }
  return CODE_OK;
}

/* ---- the rest ---- */

static Code rename_column(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  buf_add(&sql, STR("ALTER TABLE "));
  buf_add(&sql, step->to->quoted);
  buf_add(&sql, STR(" RENAME COLUMN "));
  sql_write_identifier(&sql, step->from_column->name);
  buf_add(&sql, STR(" TO "));
  sql_write_identifier(&sql, step->to_column->name);
  return script_add(writer, &sql, step->text, quick, false);
}

static Code index_drop(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  buf_add(&sql, STR("DROP INDEX "));
  sql_write_identifier(&sql, step->from_index->name);
  return script_add(writer, &sql, step->text, quick, false);
}

static Code index_make(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  script_write_index(&sql, step->to, step->to_index, false);
  return script_add(writer, &sql, step->text, step->is_on_new_table ? quick : scans, false);
}

static Code step_write(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  switch (step->kind) {
    case STEP_DROP_INDEX: return index_drop(writer, step);
    case STEP_RENAME_TABLE:
      buf_add(&sql, STR("ALTER TABLE "));
      buf_add(&sql, step->from->quoted);
      buf_add(&sql, STR(" RENAME TO "));
      buf_add(&sql, step->to->quoted);
      return script_add(writer, &sql, step->text, quick, false);
    case STEP_RENAME_COLUMN: return rename_column(writer, step);
    case STEP_CREATE_TABLE:
      buf_add(&sql, STR("CREATE TABLE "));
      buf_add(&sql, step->to->quoted);
      buf_add_byte(&sql, ' ');
      buf_add(&sql, step->to->body);
      return script_add(writer, &sql, step->text, quick, false);
    case STEP_ADD_COLUMN:
      if (is_remade(writer, step->to)) return CODE_OK;
      buf_add(&sql, STR("ALTER TABLE "));
      buf_add(&sql, step->to->quoted);
      buf_add(&sql, STR(" ADD COLUMN "));
      buf_add(&sql, step->to_column->declaration);
      return script_add(writer, &sql, step->text, quick, false);
    case STEP_RENAME_INDEX: TRY(index_drop(writer, step)); return is_remade(writer, step->to) ? CODE_OK : index_make(writer, step);
    case STEP_ADD_INDEX: return is_remade(writer, step->to) ? CODE_OK : index_make(writer, step);
    case STEP_DROP_TABLE:
      buf_add(&sql, STR("DROP TABLE "));
      buf_add(&sql, step->from->quoted);
      return script_add(writer, &sql, step->text, quick, true);
    default: return CODE_OK;
  }
}

static Code plan_write(ScriptWriter *writer) {
  const MigrationPlan *plan = writer->plan;
  size_t at = 0;
  for (; at < plan->steps.count && plan->steps.items[at].kind <= STEP_CREATE_TABLE; at++) TRY(step_write(writer, &plan->steps.items[at]));
  for (size_t i = 0; i < plan->tables.count; i++) {
    const TablePair *pair = &plan->tables.items[i];
    if (pair->from != NULL && is_remade(writer, pair->to)) TRY(table_remake(writer, pair));
  }
  for (; at < plan->steps.count; at++) TRY(step_write(writer, &plan->steps.items[at]));
  return CODE_OK;
}

/* ---- data that is in the way ---- */

static void write_misfit(Buf *out, const ScriptNarrowing *narrowing) {
  Str c = narrowing->column;
  const char *min = narrowing->min, *max = narrowing->max;
  if (narrowing->to == TYPE_DATE) {
    buf_printf(out, "substr(%.*s, 11) <> 'T00:00:00.000000Z'", STR_ARGS(c));
  } else if (narrowing->from == TYPE_FLOAT) {
    buf_printf(out, "%.*s IS NOT NULL AND (CAST(%.*s AS INTEGER) <> %.*s OR %.*s NOT BETWEEN %s AND %s)", STR_ARGS(c), STR_ARGS(c),
               STR_ARGS(c), STR_ARGS(c), min, max);
  } else {
    buf_printf(
        out,
        "%.*s IS NOT NULL AND (CAST(CAST(%.*s AS INTEGER) AS TEXT) COLLATE BINARY <> %.*s OR CAST(%.*s AS INTEGER) NOT BETWEEN %s AND %s)",
        STR_ARGS(c), STR_ARGS(c), STR_ARGS(c), STR_ARGS(c), min, max);
  }
}

const ScriptDialect SCRIPT_DIALECT_SQLITE = {
    .name = STR_INIT("sqlite"),
    .write = plan_write,
    .rewrites = remakes,
    .write_misfit = write_misfit,
};
