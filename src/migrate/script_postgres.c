/* script_postgres.c - a plan in PostgreSQL's SQL, so that nothing that takes long holds a lock that others wait for: indexes are built
 * CONCURRENTLY, constraints go in NOT VALID and are validated by themselves, NOT NULL follows from a validated check. */
#include "migrate/script.h"
#include "sql/dialect_impl.h"
#include "sql/select.h"

static const char brief[] = "ACCESS EXCLUSIVE for a moment, no row is read",
                  validates[] = "SHARE UPDATE EXCLUSIVE, reads the table while all go on", nothing[] = "locks nothing that is there",
                  builds[] = "SHARE UPDATE EXCLUSIVE, reads the table twice while all go on",
                  rewrites[] = "ACCESS EXCLUSIVE while the table is rewritten: readers and writers wait",
                  shares[] = "SHARE ROW EXCLUSIVE on both tables for a moment, no row is read";
/* Where all is one transaction, which holds each lock until its end. */
static const char reads_all[] = "ACCESS EXCLUSIVE while the table is read: readers and writers wait",
                  builds_at_once[] = "SHARE while it is built: writers wait",
                  shares_and_reads[] = "SHARE ROW EXCLUSIVE on both tables while rows are read: writers wait";

static void write_alter(Buf *out, const LayoutTable *table, Str what) {
  buf_add(out, STR("ALTER TABLE "));
  buf_add(out, table->quoted);
  buf_add_byte(out, ' ');
  buf_add(out, what);
}

static Code alter_name(ScriptWriter *writer, const Step *step, const LayoutTable *table, Str what, Str name, const char *locks) {
  Buf sql = script_buf(writer);
  write_alter(&sql, table, what);
  sql_write_identifier(&sql, name);
  return script_add(writer, &sql, step->text, locks, step->is_destructive);
}

static Code alter_rename(ScriptWriter *writer, const Step *step, Str what, Str from, Str to) {
  Buf sql = script_buf(writer);
  write_alter(&sql, step->to, what);
  sql_write_identifier(&sql, from);
  buf_add(&sql, STR(" TO "));
  sql_write_identifier(&sql, to);
  return script_add(writer, &sql, step->text, brief, false);
}

/* A name without its table's schema. */
static void write_bare(Buf *out, Str table) {
  size_t dot = str_find_byte(table, '.', 0);
  sql_write_identifier(out, dot < table.len ? str_slice(table, dot + 1, table.len) : table);
}

/* An index is named in its table's schema. */
static void write_index_name(Buf *out, const LayoutTable *table, Str name) {
  size_t dot = str_find_byte(table->name, '.', 0);
  if (dot < table->name.len) {
    sql_write_identifier(out, str_slice(table->name, 0, dot));
    buf_add_byte(out, '.');
  }
  sql_write_identifier(out, name);
}

/* ---- columns ---- */

static Code type_change(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  const LayoutColumn *to = step->to_column;
  write_alter(&sql, step->to, STR("ALTER COLUMN "));
  sql_write_identifier(&sql, to->name);
  buf_add(&sql, STR(" TYPE "));
  buf_add(&sql, to->type);
  if (str_contains(to->declaration, STR(" COLLATE \"C\""))) buf_add(&sql, STR(" COLLATE \"C\""));
  buf_add(&sql, STR(" USING "));
  sql_write_identifier(&sql, to->name);
  if (step->from_column->kind == TYPE_DATE && to->kind == TYPE_DATETIME)
    buf_add(&sql, STR("::timestamp AT TIME ZONE 'UTC'"));
  else if (step->from_column->kind == TYPE_DATETIME && to->kind == TYPE_DATE)
    buf_add(&sql, STR(" AT TIME ZONE 'UTC'"));
  buf_add(&sql, STR("::"));
  buf_add(&sql, to->type);
  return script_add(writer, &sql, step->text, rewrites, step->is_destructive);
}

static Code default_drop(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  write_alter(&sql, step->to, STR("ALTER COLUMN "));
  sql_write_identifier(&sql, step->to_column->name);
  buf_add(&sql, STR(" DROP DEFAULT"));
  return script_add(writer, &sql, step->text, brief, false);
}

static Code default_set(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  if (step->to_column->default_text.len == 0) return default_drop(writer, step);
  write_alter(&sql, step->to, STR("ALTER COLUMN "));
  sql_write_identifier(&sql, step->to_column->name);
  buf_add(&sql, STR(" SET DEFAULT "));
  buf_add(&sql, step->to_column->default_text);
  return script_add(writer, &sql, step->text, brief, false);
}

/* A default of the old type may have no cast to the new one: it goes first and comes back. */
static Code type_change_with_default(ScriptWriter *writer, const Step *step) {
  bool had_default = step->from_column->field == NULL || step->from_column->default_text.len > 0;
  if (had_default) TRY(default_drop(writer, step));
  TRY(type_change(writer, step));
  return had_default && step->to_column->default_text.len > 0 ? default_set(writer, step) : CODE_OK;
}

static Code validate(ScriptWriter *writer, const Step *step, Str name) {
  return alter_name(writer, step, step->to, STR("VALIDATE CONSTRAINT "), name, validates);
}

static Code values_change(ScriptWriter *writer, const Step *step) {
  const LayoutColumn *from = step->from_column, *to = step->to_column;
  Str had = to->check_name.len > 0 ? to->check_name : from->check_name;
  if (from->check_name.len > 0) TRY(alter_name(writer, step, step->to, STR("DROP CONSTRAINT "), had, brief));
  if (to->check_name.len == 0) return CODE_OK;
  Buf sql = script_buf(writer);
  write_alter(&sql, step->to, STR("ADD CONSTRAINT "));
  sql_write_identifier(&sql, to->check_name);
  buf_add(&sql, STR(" CHECK ("));
  sql_write_identifier(&sql, to->name);
  buf_add(&sql, STR(" IN ("));
  for (size_t i = 0; i < to->value_count; i++) {
    if (i > 0) buf_add(&sql, STR(", "));
    sql_write_string(&sql, to->values[i]);
  }
  buf_add(&sql, writer->is_one_transaction ? STR("))") : STR(")) NOT VALID"));
  TRY(script_add(writer, &sql, step->text, writer->is_one_transaction ? reads_all : brief, false));
  return writer->is_one_transaction ? CODE_OK : validate(writer, step, to->check_name);
}

static Code set_required(ScriptWriter *writer, const Step *step) {
  static const Str name = STR_INIT("caisson_not_null");
  Buf check = script_buf(writer), set = script_buf(writer);
  write_alter(&check, step->to, STR("ADD CONSTRAINT "));
  sql_write_identifier(&check, name);
  buf_add(&check, STR(" CHECK ("));
  sql_write_identifier(&check, step->to_column->name);
  buf_add(&check, STR(" IS NOT NULL) NOT VALID"));
  TRY(script_add(writer, &check, step->text, brief, false));
  TRY(validate(writer, step, name));
  write_alter(&set, step->to, STR("ALTER COLUMN "));
  sql_write_identifier(&set, step->to_column->name);
  buf_add(&set, STR(" SET NOT NULL"));
  TRY(script_add(writer, &set, step->text, brief, false));
  return alter_name(writer, step, step->to, STR("DROP CONSTRAINT "), name, brief);
}

static Code set_optional(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  write_alter(&sql, step->to, STR("ALTER COLUMN "));
  sql_write_identifier(&sql, step->to_column->name);
  buf_add(&sql, STR(" DROP NOT NULL"));
  return script_add(writer, &sql, step->text, brief, false);
}

/* ---- indexes and foreign keys ---- */

static Code index_drop(ScriptWriter *writer, const LayoutTable *table, Str name, Str text) {
  Buf sql = script_buf(writer);
  buf_add(&sql, writer->is_one_transaction ? STR("DROP INDEX IF EXISTS ") : STR("DROP INDEX CONCURRENTLY IF EXISTS "));
  write_index_name(&sql, table, name);
  return script_add(writer, &sql, text, writer->is_one_transaction ? brief : builds, false);
}

static Code index_make(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  bool is_concurrent = !step->is_on_new_table && !writer->is_one_transaction;
  script_write_index(&sql, step->to, step->to_index, is_concurrent);
  /* What a build that was cut short leaves is in the way. */
  if (!step->is_on_new_table)
    TRY(index_drop(writer, step->to, step->to_index->name, STR("what an interrupted build would have left is cleared away")));
  return script_add(writer, &sql, step->text, step->is_on_new_table ? nothing : is_concurrent ? builds : builds_at_once, false);
}

static Code index_rename(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  buf_add(&sql, STR("ALTER INDEX "));
  write_index_name(&sql, step->to, step->from_index->name);
  buf_add(&sql, STR(" RENAME TO "));
  sql_write_identifier(&sql, step->to_index->name);
  return script_add(writer, &sql, step->text, brief, false);
}

static Code foreign_key_add(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  buf_add(&sql, step->to_key->add_sql);
  if (step->is_on_new_table) return script_add(writer, &sql, step->text, shares, false);
  if (writer->is_one_transaction) return script_add(writer, &sql, step->text, shares_and_reads, false);
  buf_add(&sql, STR(" NOT VALID"));
  TRY(script_add(writer, &sql, step->text, shares, false));
  return validate(writer, step, step->to_key->name);
}

/* ---- all ---- */

static Str schema_of(const LayoutTable *table) { return str_slice(table->name, 0, str_find_byte(table->name, '.', 0)); }

static bool is_qualified(const LayoutTable *table) { return schema_of(table).len < table->name.len; }

/* Once a script. CREATE SCHEMA IF NOT EXISTS would ask for the right to make schemas even where there is nothing to make. */
Code script_postgres_schema(ScriptWriter *writer, const Step *step) {
  Str name = schema_of(step->to);
  Buf sql = script_buf(writer), quoted = script_buf(writer);
  if (!is_qualified(step->to)) return CODE_OK;
  for (const Step *other = writer->plan->steps.items; other != step; other++) {
    if (other->kind == STEP_CREATE_TABLE && is_qualified(other->to) && str_equal(schema_of(other->to), name)) return CODE_OK;
  }
  sql_write_identifier(&quoted, name);
  buf_add(&sql, STR("DO $caisson$ BEGIN IF to_regnamespace("));
  sql_write_string(&sql, buf_take(&sql, &quoted));
  buf_printf(&sql, ") IS NULL THEN CREATE SCHEMA %.*s; END IF; END $caisson$", STR_ARGS(buf_str(&quoted)));
  return script_add(writer, &sql, arena_printf(writer->arena, "the schema %.*s is made where there is none", STR_ARGS(name)), nothing,
                    false);
}

static Code table_make(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  TRY(script_postgres_schema(writer, step));
  buf_add(&sql, STR("CREATE TABLE "));
  buf_add(&sql, step->to->quoted);
  buf_add_byte(&sql, ' ');
  buf_add(&sql, step->to->body);
  return script_add(writer, &sql, step->text, nothing, false);
}

static Code table_step(ScriptWriter *writer, const Step *step) {
  Buf sql = script_buf(writer);
  switch (step->kind) {
    case STEP_RENAME_TABLE:
      buf_add(&sql, STR("ALTER TABLE "));
      buf_add(&sql, step->from->quoted);
      buf_add(&sql, STR(" RENAME TO "));
      write_bare(&sql, step->to->name);
      return script_add(writer, &sql, step->text, brief, false);
    case STEP_ADD_COLUMN:
      write_alter(&sql, step->to, STR("ADD COLUMN "));
      buf_add(&sql, step->to_column->declaration);
      return script_add(writer, &sql, step->text, brief, false);
    default:
      buf_add(&sql, STR("DROP TABLE "));
      buf_add(&sql, step->from->quoted);
      return script_add(writer, &sql, step->text, brief, true);
  }
}

static Code step_write(ScriptWriter *writer, const Step *step) {
  switch (step->kind) {
    case STEP_DROP_FOREIGN_KEY: return alter_name(writer, step, step->from, STR("DROP CONSTRAINT "), step->from_key->name, shares);
    case STEP_DROP_INDEX: return index_drop(writer, step->from, step->from_index->name, step->text);
    case STEP_CREATE_TABLE: return table_make(writer, step);
    case STEP_RENAME_TABLE:
    case STEP_ADD_COLUMN:
    case STEP_DROP_TABLE: return table_step(writer, step);
    case STEP_RENAME_COLUMN: return alter_rename(writer, step, STR("RENAME COLUMN "), step->from_column->name, step->to_column->name);
    case STEP_RENAME_CHECK:
      return alter_rename(writer, step, STR("RENAME CONSTRAINT "), step->from_column->check_name, step->to_column->check_name);
    case STEP_RENAME_FOREIGN_KEY: return alter_rename(writer, step, STR("RENAME CONSTRAINT "), step->from_key->name, step->to_key->name);
    case STEP_RENAME_INDEX: return index_rename(writer, step);
    case STEP_CHANGE_TYPE: return type_change_with_default(writer, step);
    case STEP_CHANGE_DEFAULT: return default_set(writer, step);
    case STEP_CHANGE_VALUES: return values_change(writer, step);
    case STEP_SET_REQUIRED: return set_required(writer, step);
    case STEP_SET_OPTIONAL: return set_optional(writer, step);
    case STEP_ADD_FOREIGN_KEY: return foreign_key_add(writer, step);
    case STEP_ADD_INDEX: return index_make(writer, step);
    case STEP_DROP_COLUMN: return alter_name(writer, step, step->to, STR("DROP COLUMN "), step->from_column->name, brief);
    case STEP_CHECK_LIMITS: return CODE_OK;
  }
  return CODE_OK;
}

static Code plan_write(ScriptWriter *writer) {
  for (size_t i = 0; i < writer->plan->steps.count; i++) TRY(step_write(writer, &writer->plan->steps.items[i]));
  return CODE_OK;
}

static bool step_rewrites(const MigrationPlan *plan, const Step *step) {
  (void)plan;
  return step->kind == STEP_CHANGE_TYPE;
}

/* ---- data that is in the way ---- */

static void write_misfit(Buf *out, const ScriptNarrowing *narrowing) {
  Str c = narrowing->column;
  const char *min = narrowing->min, *max = narrowing->max;
  if (narrowing->to == TYPE_DATE) {
    buf_printf(out, "(%.*s AT TIME ZONE 'UTC') <> date_trunc('day', %.*s AT TIME ZONE 'UTC')", STR_ARGS(c), STR_ARGS(c));
  } else if (narrowing->from == TYPE_STRING) {
    buf_printf(out, "%.*s IS NOT NULL AND CASE WHEN %.*s ~ '^-?[0-9]{1,30}$' THEN %.*s::numeric NOT BETWEEN %s AND %s ELSE true END",
               STR_ARGS(c), STR_ARGS(c), STR_ARGS(c), min, max);
  } else {
    buf_printf(out, "%.*s <> trunc(%.*s) OR %.*s NOT BETWEEN %s AND %s", STR_ARGS(c), STR_ARGS(c), STR_ARGS(c), min, max);
  }
}

const ScriptDialect SCRIPT_DIALECT_POSTGRES = {
    .name = STR_INIT("postgresql"),
    .write = plan_write,
    .rewrites = step_rewrites,
    .write_misfit = write_misfit,
};
