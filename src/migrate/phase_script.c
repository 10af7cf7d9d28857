/* phase_script.c - see phase_script.h. Between the phases a renamed column is there under both names, a dropped one is still there, a new
 * or newly required one has a value for those who don't know it. One trigger a table, before each row is written, sees to it; rows that
 * were there are brought along in small transactions. */
#include "migrate/phase_script.h"

#include <inttypes.h>

#include "sql/dialect_impl.h"
#include "sql/select.h"

enum { BODY_BYTES_MAX = 1024 * 1024 };

/* How many of a table's blocks are brought along in one transaction. */
#define BLOCKS "64"

static const char brief[] = "ACCESS EXCLUSIVE for a moment, no row is read",
                  validates[] = "SHARE UPDATE EXCLUSIVE, reads the table while all go on", nothing[] = "locks nothing that is there",
                  builds[] = "SHARE UPDATE EXCLUSIVE, reads the table twice while all go on",
                  shares[] = "SHARE ROW EXCLUSIVE on both tables for a moment, no row is read",
                  fills[] = "locks few rows at a time, each batch in a transaction of its own";

typedef struct Expansion {
  ScriptWriter writer;
  const MigrationPlan *plan;
  PhaseScript *phases;
  Buf *refusals;
  Error *err;
} Expansion;

static void refuse(Expansion *expansion, const Step *step, const char *hint) {
  buf_printf(expansion->refusals, "%.*s: %s\n", STR_ARGS(step->text), hint);
}

static Buf alter(const Expansion *expansion, const LayoutTable *table, Str what, Str name) {
  Buf sql = script_buf(&expansion->writer);
  buf_add(&sql, STR("ALTER TABLE "));
  buf_add(&sql, table->quoted);
  buf_add_byte(&sql, ' ');
  buf_add(&sql, what);
  sql_write_identifier(&sql, name);
  return sql;
}

static Code add(Expansion *expansion, Buf *sql, Str text, const char *locks) {
  return script_add(&expansion->writer, sql, text, locks, false);
}

static Code add_alter(Expansion *expansion, const Step *step, const LayoutTable *table, Str what, Str name, Str rest, const char *locks) {
  Buf sql = alter(expansion, table, what, name);
  buf_add(&sql, rest);
  return add(expansion, &sql, step->text, locks);
}

/* ---- which columns are new to the old contract ---- */

static const ColumnPair *pair_of(const MigrationPlan *plan, const LayoutTable *to, Str column) {
  for (size_t i = 0; i < plan->tables.count; i++) {
    const TablePair *table = &plan->tables.items[i];
    if (table->to != to) continue;
    for (size_t k = 0; k < table->columns.count; k++) {
      if (table->columns.items[k].to != NULL && str_equal(table->columns.items[k].to->name, column)) return &table->columns.items[k];
    }
  }
  return NULL;
}

static bool is_renamed(const ColumnPair *pair) {
  return pair->from != NULL && pair->to != NULL && !str_equal(pair->from->name, pair->to->name);
}

/* Added or renamed: the old contract's writers don't name it. */
static bool is_new_column(const MigrationPlan *plan, const LayoutTable *to, Str column) {
  const ColumnPair *pair = pair_of(plan, to, column);
  return pair != NULL && (pair->from == NULL || is_renamed(pair));
}

/* ---- values from one side to the other ---- */

static void write_row_column(Buf *out, const char *row, Str column) {
  buf_printf(out, "%s", row);
  sql_write_identifier(out, column);
}

/* `row`: "NEW.", "OLD." or "". */
static void write_converted(Buf *out, const char *row, const LayoutColumn *from, const LayoutColumn *to) {
  bool is_to_time = from->kind == TYPE_DATE && to->kind == TYPE_DATETIME, is_to_date = from->kind == TYPE_DATETIME && to->kind == TYPE_DATE;
  buf_add_byte(out, '(');
  write_row_column(out, row, from->name);
  if (is_to_time) buf_add(out, STR("::timestamp AT TIME ZONE 'UTC'"));
  if (is_to_date) buf_add(out, STR(" AT TIME ZONE 'UTC'"));
  buf_add(out, STR(")::"));
  buf_add(out, to->type);
}

/* What stands in a required column for those who don't know it. False: there is nothing neutral. */
static bool write_filling(Buf *out, const LayoutColumn *column) {
  if (column->default_text.len > 0) return buf_add(out, column->default_text), true;
  if (column->is_list) return buf_printf(out, "'{}'::%.*s", STR_ARGS(column->type)), true;
  switch (column->kind) {
    case TYPE_STRING: return buf_add(out, STR("''")), true;
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_FLOAT:
    case TYPE_DECIMAL: return buf_add(out, STR("0")), true;
    case TYPE_BOOLEAN: return buf_add(out, STR("false")), true;
    case TYPE_DATETIME: return buf_add(out, STR("now()")), true;
    case TYPE_DATE: return buf_add(out, STR("current_date")), true;
    case TYPE_ENUM: return column->value_count > 0 && (sql_write_string(out, column->values[0]), true);
    default: return false;
  }
}

/* ---- the trigger ---- */

/* Whichever of the two its writer names goes to the other; where a conversion loses something, only when it would make a difference. */
static void write_kept(Buf *body, const ColumnPair *pair) {
  Buf *out = body;
  const LayoutColumn *a = pair->from, *b = pair->to;
  buf_add(out, STR("  IF TG_OP = 'INSERT' THEN\n    IF "));
  write_row_column(out, "NEW.", b->name);
  buf_add(out, STR(" IS NULL THEN "));
  write_row_column(out, "NEW.", b->name);
  buf_add(out, STR(" := "));
  write_converted(out, "NEW.", a, b);
  buf_add(out, STR(";\n    ELSIF "));
  write_row_column(out, "NEW.", a->name);
  buf_add(out, STR(" IS NULL THEN "));
  write_row_column(out, "NEW.", a->name);
  buf_add(out, STR(" := "));
  write_converted(out, "NEW.", b, a);
  buf_add(out, STR("; END IF;\n  ELSIF "));
  write_row_column(out, "NEW.", b->name);
  buf_add(out, STR(" IS DISTINCT FROM "));
  write_row_column(out, "OLD.", b->name);
  buf_add(out, STR(" THEN\n    IF "));
  write_converted(out, "NEW.", a, b);
  buf_add(out, STR(" IS DISTINCT FROM "));
  write_row_column(out, "NEW.", b->name);
  buf_add(out, STR(" THEN "));
  write_row_column(out, "NEW.", a->name);
  buf_add(out, STR(" := "));
  write_converted(out, "NEW.", b, a);
  buf_add(out, STR("; END IF;\n  ELSIF "));
  write_row_column(out, "NEW.", a->name);
  buf_add(out, STR(" IS DISTINCT FROM "));
  write_row_column(out, "OLD.", a->name);
  buf_add(out, STR(" THEN "));
  write_row_column(out, "NEW.", b->name);
  buf_add(out, STR(" := "));
  write_converted(out, "NEW.", a, b);
  buf_add(out, STR(";\n  END IF;\n"));
}

static void write_filled(Buf *out, Str column, Str filling) {
  buf_add(out, STR("  IF "));
  write_row_column(out, "NEW.", column);
  buf_add(out, STR(" IS NULL THEN "));
  write_row_column(out, "NEW.", column);
  buf_printf(out, " := %.*s; END IF;\n", STR_ARGS(filling));
}

static bool is_in_unique(const LayoutTable *table, Str column) {
  for (size_t i = 0; i < table->indexes.count; i++) {
    const LayoutIndex *index = &table->indexes.items[i];
    for (size_t k = 0; index->is_unique && k < index->columns.count; k++) {
      if (str_equal(index->columns.items[k].name, column)) return true;
    }
  }
  return false;
}

static bool is_in_foreign_key(const LayoutTable *table, Str column) {
  for (size_t i = 0; i < table->foreign_keys.count; i++) {
    for (size_t k = 0; k < table->foreign_keys.items[i].columns.count; k++) {
      if (str_equal(table->foreign_keys.items[i].columns.items[k], column)) return true;
    }
  }
  return false;
}

static void refuse_column(Expansion *expansion, const TablePair *table, const LayoutColumn *column, const char *why) {
  buf_printf(expansion->refusals, "column %.*s.%.*s: %s\n", STR_ARGS(table->from->name), STR_ARGS(column->name), why);
}

/* One that the new contract does not have. */
static Code write_dropped(Expansion *expansion, const TablePair *table, const LayoutColumn *column, Buf *body) {
  Buf filling = buf_on(expansion->writer.arena, BODY_BYTES_MAX);
  Error *err = expansion->err;
  Str text;
  if (!column->is_not_null) return CODE_OK;
  if (is_in_unique(table->from, column->name) || is_in_foreign_key(table->from, column->name) || !write_filling(&filling, column)) {
    refuse_column(expansion, table, column, "there is nothing that could stand in it for the new contract's rows: make it optional first");
    return CODE_OK;
  }
  TRY(buf_finish(&filling, &text, err));
  write_filled(body, column->name, text);
  return CODE_OK;
}

static Code write_pair(Expansion *expansion, const TablePair *table, const ColumnPair *pair, Buf *body) {
  const LayoutColumn *from = pair->from, *to = pair->to;
  if (from == NULL) return CODE_OK;
  if (to == NULL) return write_dropped(expansion, table, from, body);
  if (is_renamed(pair)) write_kept(body, pair);
  if (!is_renamed(pair) && !from->is_not_null && to->is_not_null) {
    if (to->default_text.len > 0)
      write_filled(body, to->name, to->default_text);
    else
      refuse_column(expansion, table, to, "it becomes required, and what the old contract leaves out needs a constant default");
  }
  return CODE_OK;
}

/* FNV-1a: names of tables may be as long as names of functions. */
static uint64_t hash(Str text) {
  uint64_t value = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < text.len; i++) value = (value ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
  return value;
}

static Code trigger_add(Expansion *expansion, const TablePair *table) {
  Arena *arena = expansion->writer.arena;
  Error *err = expansion->err;
  Buf body = buf_on(arena, BODY_BYTES_MAX), function = script_buf(&expansion->writer), drop = script_buf(&expansion->writer),
      make = script_buf(&expansion->writer);
  for (size_t i = 0; i < table->columns.count; i++) TRY(write_pair(expansion, table, &table->columns.items[i], &body));
  if (body.len == 0 && body.failed == CODE_OK) return CODE_OK;
  Str text = arena_printf(arena, "what the two contracts store differently in %.*s is kept in step", STR_ARGS(table->to->name));
  TRY_ALLOC(text.ptr);
  uint64_t name = hash(table->to->quoted);
  buf_printf(&function, "CREATE OR REPLACE FUNCTION caisson_phase_%016" PRIx64 "() RETURNS trigger LANGUAGE plpgsql AS $caisson$\nBEGIN\n",
             name);
  buf_add(&function, buf_take(&function, &body));
  buf_add(&function, STR("  RETURN NEW;\nEND\n$caisson$"));
  TRY(add(expansion, &function, text, nothing));
  buf_printf(&drop, "DROP TRIGGER IF EXISTS caisson_phase ON %.*s", STR_ARGS(table->to->quoted));
  TRY(add(expansion, &drop, text, brief));
  buf_printf(&make,
             "CREATE TRIGGER caisson_phase BEFORE INSERT OR UPDATE ON %.*s FOR EACH ROW EXECUTE FUNCTION caisson_phase_%016" PRIx64 "()",
             STR_ARGS(table->to->quoted), name);
  return add(expansion, &make, text, shares);
}

Code phase_add_trigger_drop(ScriptWriter *writer, const LayoutTable *table) {
  Buf trigger = script_buf(writer), function = script_buf(writer);
  buf_printf(&trigger, "DROP TRIGGER IF EXISTS caisson_phase ON %.*s", STR_ARGS(table->quoted));
  TRY(script_add(writer, &trigger, STR("nothing is kept in step any more"), brief, false));
  buf_printf(&function, "DROP FUNCTION IF EXISTS caisson_phase_%016" PRIx64 "()", hash(table->quoted));
  return script_add(writer, &function, STR("nothing is kept in step any more"), nothing, false);
}

/* ---- rows that are there ---- */

/* Block after block, so that rows are locked for a moment only. A block that is written while it is read comes out right all the same: its
 * rows have met the trigger. `set`: "b = value"; `where`: which rows want it. */
static Code fill_add(Expansion *expansion, const LayoutTable *table, const Buf *set, const Buf *where, Str text) {
  Buf sql = script_buf(&expansion->writer), name = buf_on(expansion->writer.arena, BODY_BYTES_MAX);
  sql_write_string(&name, table->quoted);
  Str literal = buf_take(&sql, &name), settings = buf_take(&sql, set), condition = buf_take(&sql, where);
  buf_printf(&sql,
             "DO $caisson$\nDECLARE block bigint := 0; blocks bigint := pg_relation_size(%.*s::regclass) / "
             "current_setting('block_size')::bigint;\nBEGIN\n  WHILE block <= blocks LOOP\n    UPDATE %.*s SET %.*s WHERE ctid >= "
             "format('(%%s,0)', block)::tid AND ctid < format('(%%s,0)', block + " BLOCKS
             ")::tid AND %.*s;\n    COMMIT;\n    block := block + " BLOCKS ";\n  END LOOP;\nEND\n$caisson$",
             STR_ARGS(literal), STR_ARGS(table->quoted), STR_ARGS(settings), STR_ARGS(condition));
  return add(expansion, &sql, text, fills);
}

static Code required_add(Expansion *expansion, const Step *step, Str column) {
  static const Str name = STR_INIT("caisson_not_null");
  const LayoutTable *table = step->to;
  TRY(add_alter(expansion, step, table, STR("DROP CONSTRAINT IF EXISTS "), name, STR(""), brief));
  Buf check = alter(expansion, table, STR("ADD CONSTRAINT "), name);
  buf_add(&check, STR(" CHECK ("));
  sql_write_identifier(&check, column);
  buf_add(&check, STR(" IS NOT NULL) NOT VALID"));
  TRY(add(expansion, &check, step->text, brief));
  TRY(add_alter(expansion, step, table, STR("VALIDATE CONSTRAINT "), name, STR(""), validates));
  TRY(add_alter(expansion, step, table, STR("ALTER COLUMN "), column, STR(" SET NOT NULL"), brief));
  return add_alter(expansion, step, table, STR("DROP CONSTRAINT IF EXISTS "), name, STR(""), brief);
}

/* ---- enums ---- */

static void write_values(Buf *out, const LayoutColumn *first, const LayoutColumn *also) {
  size_t written = 0;
  for (size_t i = 0; i < first->value_count; i++) {
    buf_add(out, written++ > 0 ? STR(", ") : STR(""));
    sql_write_string(out, first->values[i]);
  }
  for (size_t i = 0; also != NULL && i < also->value_count; i++) {
    bool is_written = false;
    for (size_t k = 0; k < first->value_count; k++) is_written = is_written || str_equal(first->values[k], also->values[i]);
    if (is_written) continue;
    buf_add(out, written++ > 0 ? STR(", ") : STR(""));
    sql_write_string(out, also->values[i]);
  }
}

/* All that either contract allows. */
static Code values_add(Expansion *expansion, const Step *step, const LayoutColumn *also) {
  const LayoutColumn *to = step->to_column;
  if (also != NULL && also->check_name.len > 0)
    TRY(add_alter(expansion, step, step->to, STR("DROP CONSTRAINT IF EXISTS "), also->check_name, STR(""), brief));
  if (to->check_name.len == 0 || (also != NULL && also->check_name.len == 0)) return CODE_OK;
  TRY(add_alter(expansion, step, step->to, STR("DROP CONSTRAINT IF EXISTS "), to->check_name, STR(""), brief));
  Buf sql = alter(expansion, step->to, STR("ADD CONSTRAINT "), to->check_name);
  buf_add(&sql, STR(" CHECK ("));
  sql_write_identifier(&sql, to->name);
  buf_add(&sql, STR(" IN ("));
  write_values(&sql, to, also);
  buf_add(&sql, STR(")) NOT VALID"));
  TRY(add(expansion, &sql, step->text, brief));
  return add_alter(expansion, step, step->to, STR("VALIDATE CONSTRAINT "), to->check_name, STR(""), validates);
}

/* ---- steps, before the triggers ---- */

static Code column_make(Expansion *expansion, const Step *step) {
  const LayoutColumn *to = step->to_column;
  Buf sql = alter(expansion, step->to, STR("ADD COLUMN IF NOT EXISTS "), to->name);
  buf_add_byte(&sql, ' ');
  buf_add(&sql, to->type);
  if (str_contains(to->declaration, STR(" COLLATE \"C\""))) buf_add(&sql, STR(" COLLATE \"C\""));
  return add(expansion, &sql, step->text, brief);
}

static Code rename_begin(Expansion *expansion, const Step *step) {
  Arena *arena = expansion->writer.arena;
  Error *err = expansion->err;
  TRY(column_make(expansion, step));
  /* A default would look like a value that its writer gave. */
  TRY(add_alter(expansion, step, step->to, STR("ALTER COLUMN "), step->from_column->name, STR(" DROP DEFAULT"), brief));
  /* Whichever of the two goes in the end, the other has its values. */
  const LayoutColumn *columns[] = {step->from_column, step->to_column};
  for (size_t i = 0; i < 2; i++) {
    Str name = arena_printf(arena, "%.*s.%.*s", STR_ARGS(step->to->name), STR_ARGS(columns[i]->name));
    TRY_ALLOC(name.ptr);
    if (!VEC_PUSH(arena, &expansion->phases->superseded, name)) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code column_add(Expansion *expansion, const Step *step) {
  const LayoutColumn *to = step->to_column;
  if (to->is_not_null && to->default_text.len == 0) {
    refuse(expansion, step, "the old contract's rows need a value for it: give it a constant default, or make it required later");
    return CODE_OK;
  }
  Buf sql = script_buf(&expansion->writer);
  buf_printf(&sql, "ALTER TABLE %.*s ADD COLUMN IF NOT EXISTS %.*s", STR_ARGS(step->to->quoted), STR_ARGS(to->declaration));
  return add(expansion, &sql, step->text, brief);
}

static Code type_change(Expansion *expansion, const Step *step) {
  if (str_equal(step->from_column->name, step->to_column->name))
    refuse(expansion, step,
           "one column has one type: let the field have another one, @column(name: …) @renamed(from: …), and both are kept in step");
  return CODE_OK;
}

static Code table_make(Expansion *expansion, const Step *step) {
  Buf sql = script_buf(&expansion->writer);
  TRY(script_postgres_schema(&expansion->writer, step));
  buf_printf(&sql, "CREATE TABLE IF NOT EXISTS %.*s %.*s", STR_ARGS(step->to->quoted), STR_ARGS(step->to->body));
  return add(expansion, &sql, step->text, nothing);
}

static Code step_before(Expansion *expansion, const Step *step) {
  switch (step->kind) {
    case STEP_RENAME_TABLE: refuse(expansion, step, "a table has one name at a time: keep it, @resource(table: …)"); return CODE_OK;
    case STEP_CREATE_TABLE: return table_make(expansion, step);
    case STEP_RENAME_COLUMN: return rename_begin(expansion, step);
    case STEP_ADD_COLUMN: return column_add(expansion, step);
    case STEP_CHANGE_TYPE: return type_change(expansion, step);
    case STEP_SET_OPTIONAL:
      if (!str_equal(step->from_column->name, step->to_column->name)) return CODE_OK;
      return add_alter(expansion, step, step->to, STR("ALTER COLUMN "), step->to_column->name, STR(" DROP NOT NULL"), brief);
    case STEP_CHANGE_VALUES:
      return str_equal(step->from_column->name, step->to_column->name) ? values_add(expansion, step, step->from_column) : CODE_OK;
    case STEP_DROP_FOREIGN_KEY:
      return step->to == NULL
                 ? CODE_OK
                 : add_alter(expansion, step, step->from, STR("DROP CONSTRAINT IF EXISTS "), step->from_key->name, STR(""), shares);
    default: return CODE_OK;
  }
}

/* ---- steps, behind them ---- */

static Code rename_end(Expansion *expansion, const Step *step) {
  Arena *arena = expansion->writer.arena;
  const LayoutColumn *from = step->from_column, *to = step->to_column;
  Buf set = buf_on(arena, BODY_BYTES_MAX), where = buf_on(arena, BODY_BYTES_MAX);
  sql_write_identifier(&set, to->name);
  buf_add(&set, STR(" = "));
  write_converted(&set, "", from, to);
  sql_write_identifier(&where, to->name);
  buf_add(&where, STR(" IS DISTINCT FROM "));
  write_converted(&where, "", from, to);
  TRY(fill_add(expansion, step->to, &set, &where, step->text));
  if (to->check_name.len > 0) TRY(values_add(expansion, step, NULL));
  if (to->is_not_null && !from->is_not_null && to->default_text.len == 0) {
    refuse(expansion, step, "it becomes required as well: do that in a migration of its own");
    return CODE_OK;
  }
  return to->is_not_null ? required_add(expansion, step, to->name) : CODE_OK;
}

static Code required_end(Expansion *expansion, const Step *step) {
  Arena *arena = expansion->writer.arena;
  const LayoutColumn *to = step->to_column;
  if (!str_equal(step->from_column->name, to->name) || to->default_text.len == 0) return CODE_OK;
  Buf set = buf_on(arena, BODY_BYTES_MAX), where = buf_on(arena, BODY_BYTES_MAX);
  sql_write_identifier(&set, to->name);
  buf_printf(&set, " = %.*s", STR_ARGS(to->default_text));
  sql_write_identifier(&where, to->name);
  buf_add(&where, STR(" IS NULL"));
  TRY(fill_add(expansion, step->to, &set, &where, step->text));
  return required_add(expansion, step, to->name);
}

static void write_index_name(Buf *out, const LayoutTable *table, Str name) {
  size_t dot = str_find_byte(table->name, '.', 0);
  if (dot < table->name.len) {
    sql_write_identifier(out, str_slice(table->name, 0, dot));
    buf_add_byte(out, '.');
  }
  sql_write_identifier(out, name);
}

/* What a build that was cut short leaves is in the way; what stands there is made again. */
static Code index_make(Expansion *expansion, const Step *step) {
  Buf drop = script_buf(&expansion->writer), sql = script_buf(&expansion->writer);
  buf_add(&drop, STR("DROP INDEX CONCURRENTLY IF EXISTS "));
  write_index_name(&drop, step->to, step->to_index->name);
  TRY(add(expansion, &drop, step->text, builds));
  script_write_index(&sql, step->to, step->to_index, true);
  return add(expansion, &sql, step->text, builds);
}

static Code index_drop(Expansion *expansion, const Step *step) {
  Buf sql = script_buf(&expansion->writer);
  if (!step->from_index->is_unique || step->to == NULL) return CODE_OK;
  buf_add(&sql, STR("DROP INDEX CONCURRENTLY IF EXISTS "));
  write_index_name(&sql, step->from, step->from_index->name);
  return add(expansion, &sql, step->text, builds);
}

/* A unique index over what the old contract writes would refuse its rows: that comes with the second phase. */
static bool index_is_due(const Expansion *expansion, const Step *step) {
  if (step->is_on_new_table || !step->to_index->is_unique) return true;
  for (size_t i = 0; i < step->to_index->columns.count; i++) {
    if (is_new_column(expansion->plan, step->to, step->to_index->columns.items[i].name)) return true;
  }
  return false;
}

static bool key_is_due(const Expansion *expansion, const Step *step) {
  bool is_due = step->is_on_new_table;
  for (size_t i = 0; i < step->to_key->columns.count; i++)
    is_due = is_due || is_new_column(expansion->plan, step->to, step->to_key->columns.items[i]);
  return is_due;
}

static Code key_add(Expansion *expansion, const Step *step) {
  Buf sql = script_buf(&expansion->writer);
  TRY(add_alter(expansion, step, step->to, STR("DROP CONSTRAINT IF EXISTS "), step->to_key->name, STR(""), shares));
  buf_add(&sql, step->to_key->add_sql);
  buf_add(&sql, STR(" NOT VALID"));
  TRY(add(expansion, &sql, step->text, shares));
  return add_alter(expansion, step, step->to, STR("VALIDATE CONSTRAINT "), step->to_key->name, STR(""), validates);
}

static Code step_behind(Expansion *expansion, const Step *step) {
  switch (step->kind) {
    case STEP_RENAME_COLUMN: return rename_end(expansion, step);
    case STEP_SET_REQUIRED: return required_end(expansion, step);
    case STEP_ADD_INDEX:
    case STEP_RENAME_INDEX: return index_is_due(expansion, step) ? index_make(expansion, step) : CODE_OK;
    case STEP_DROP_INDEX: return index_drop(expansion, step);
    case STEP_ADD_FOREIGN_KEY:
    case STEP_RENAME_FOREIGN_KEY: return key_is_due(expansion, step) ? key_add(expansion, step) : CODE_OK;
    default: return CODE_OK;
  }
}

Code phase_expand_script(const MigrationPlan *plan, Arena *arena, PhaseScript *ret, Buf *refusals, Error *err) {
  *ret = (PhaseScript){0};
  Expansion expansion = {.writer = {.arena = arena, .plan = plan, .script = &ret->script, .err = err},
                         .plan = plan,
                         .phases = ret,
                         .refusals = refusals,
                         .err = err};
  for (size_t i = 0; i < plan->steps.count; i++) TRY(step_before(&expansion, &plan->steps.items[i]));
  for (size_t i = 0; i < plan->tables.count; i++) {
    const TablePair *table = &plan->tables.items[i];
    if (table->from != NULL && table->to != NULL) TRY(trigger_add(&expansion, table));
  }
  for (size_t i = 0; i < plan->steps.count; i++) TRY(step_behind(&expansion, &plan->steps.items[i]));
  return buf_check(refusals, err);
}
