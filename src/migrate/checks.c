/* checks.c - see checks.h. Conditions are over the tables as they are before the migration. */
#include "migrate/checks.h"

#include "base/utf8.h"
#include "migrate/script.h"
#include "sql/dialect_impl.h"
#include "sql/select.h"

enum { SQL_BYTES_MAX = 1024 * 1024, KEYS_SHOWN = 3 };

typedef struct Checker {
  const StoreMigrator *store;
  const MigrationPlan *plan;
  bool is_backwards;
  Arena *arena;
  DataChecks *checks;
  Error *err;
} Checker;

/* The keys of a row as one text, its parts joined by commas. */
static void write_keys(Buf *out, const LayoutTable *table) {
  for (size_t i = 0; i < table->keys.count; i++) {
    if (i > 0) buf_add(out, STR(" || ',' || "));
    buf_add(out, STR("CAST("));
    sql_write_identifier(out, table->keys.items[i]);
    buf_add(out, STR(" AS TEXT)"));
  }
}

static Code check_add(Checker *checker, const LayoutTable *table, const Buf *condition, DataCheck check) {
  Error *err = checker->err;
  Buf count = buf_on(checker->arena, SQL_BYTES_MAX), keys = buf_on(checker->arena, SQL_BYTES_MAX);
  Str where;
  TRY(buf_finish(condition, &where, err));
  buf_add(&count, STR("SELECT CAST(count(*) AS TEXT) FROM "));
  buf_add(&count, table->quoted);
  if (where.len > 0) buf_add(&count, STR(" WHERE "));
  buf_add(&count, where);
  buf_add_byte(&count, '\0');
  TRY(buf_finish(&count, &check.count_sql, err));
  if (table->keys.count > 0) {
    buf_add(&keys, STR("SELECT "));
    write_keys(&keys, table);
    buf_add(&keys, STR(" FROM "));
    buf_add(&keys, table->quoted);
    if (where.len > 0) buf_add(&keys, STR(" WHERE "));
    buf_add(&keys, where);
    buf_add(&keys, STR(" ORDER BY "));
    for (size_t i = 0; i < table->keys.count; i++) {
      if (i > 0) buf_add(&keys, STR(", "));
      sql_write_identifier(&keys, table->keys.items[i]);
    }
    buf_printf(&keys, " LIMIT %d", KEYS_SHOWN);
    buf_add_byte(&keys, '\0');
    TRY(buf_finish(&keys, &check.keys_sql, err));
  }
  return VEC_PUSH(checker->arena, checker->checks, check) ? CODE_OK : error_no_memory(err);
}

static Buf condition_buf(const Checker *checker) { return buf_on(checker->arena, SQL_BYTES_MAX); }

/* ---- conditions ---- */

static Str column_quoted(const Checker *checker, Str name, Buf *out) {
  Buf quoted = condition_buf(checker);
  sql_write_identifier(&quoted, name);
  return buf_take(out, &quoted);
}

/* A value that the narrower type can't hold. Only pairs that plan.c calls narrower come here. */
static void write_misfit(const Checker *checker, Buf *out, const Step *step) {
  bool is_int = step->to_column->kind == TYPE_INT;
  ScriptNarrowing narrowing = {.column = column_quoted(checker, step->from_column->name, out),
                               .from = step->from_column->kind,
                               .to = step->to_column->kind,
                               .min = is_int ? "-2147483648" : "-9223372036854775808",
                               .max = is_int ? "2147483647" : "9223372036854775807"};
  if (narrowing.from == TYPE_BIGINT && narrowing.to != TYPE_DATE)
    buf_printf(out, "%.*s NOT BETWEEN %s AND %s", STR_ARGS(narrowing.column), narrowing.min, narrowing.max);
  else
    script_dialect_of(checker->store)->write_misfit(out, &narrowing);
}

static void write_not_among(Buf *out, Str column, const LayoutColumn *to) {
  sql_write_identifier(out, column);
  buf_add(out, STR(" NOT IN ("));
  for (size_t i = 0; i < to->value_count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    sql_write_string(out, to->values[i]);
  }
  buf_add_byte(out, ')');
}

static void write_bound(Buf *out, Str column, const char *compare, const Value *bound) {
  if (bound->type != VALUE_INT && bound->type != VALUE_FLOAT && bound->type != VALUE_DECIMAL) return;
  if (out->len > 0) buf_add(out, STR(" OR "));
  sql_write_identifier(out, column);
  buf_printf(out, " %s ", compare);
  if (bound->type == VALUE_INT)
    buf_add_int64(out, bound->integer);
  else if (bound->type == VALUE_FLOAT)
    buf_printf(out, "%.17g", bound->number);
  else
    sql_write_string(out, bound->text);
}

static void write_beyond_limits(Buf *out, const Step *step) {
  const Field *field = step->to_column->field;
  Str column = step->from_column->name;
  if (field->is_list || !(step->from_column->kind == step->to_column->kind)) return;
  bool has_length = field->type == TYPE_STRING || field->type == TYPE_EMAIL || field->type == TYPE_URL;
  for (int i = 0; i < 2 && has_length; i++) {
    int64_t bound = i == 0 ? field->length_max : field->length_min;
    if (bound < 0) continue;
    if (out->len > 0) buf_add(out, STR(" OR "));
    buf_add(out, STR("length("));
    sql_write_identifier(out, column);
    buf_printf(out, ") %s ", i == 0 ? ">" : "<");
    buf_add_int64(out, bound);
  }
  write_bound(out, column, "<", &field->range_min);
  write_bound(out, column, ">", &field->range_max);
}

/* What the older tables call a column of the newer one. */
static const LayoutColumn *column_once(const MigrationPlan *plan, const LayoutTable *to, Str name) {
  for (size_t i = 0; i < plan->tables.count; i++) {
    const TablePair *pair = &plan->tables.items[i];
    for (size_t k = 0; pair->to == to && k < pair->columns.count; k++) {
      const ColumnPair *columns = &pair->columns.items[k];
      if (columns->to != NULL && str_equal(columns->to->name, name)) return columns->from;
    }
  }
  return NULL;
}

/* False where a column is new: then there is nothing to look at. */
static bool write_duplicates(const Checker *checker, Buf *out, const Step *step) {
  Buf names = condition_buf(checker), present = condition_buf(checker);
  for (size_t i = 0; i < step->to_index->columns.count; i++) {
    const LayoutColumn *column = column_once(checker->plan, step->to, step->to_index->columns.items[i].name);
    if (column == NULL) return false;
    if (i > 0) buf_add(&names, STR(", "));
    if (i > 0) buf_add(&present, STR(" AND "));
    sql_write_identifier(&names, column->name);
    sql_write_identifier(&present, column->name);
    buf_add(&present, STR(" IS NOT NULL"));
  }
  Str columns = buf_take(out, &names), conditions = buf_take(out, &present);
  buf_printf(out, "(%.*s) IN (SELECT %.*s FROM %.*s WHERE %.*s GROUP BY %.*s HAVING count(*) > 1)", STR_ARGS(columns), STR_ARGS(columns),
             STR_ARGS(step->from->quoted), STR_ARGS(conditions), STR_ARGS(columns));
  return true;
}

static const TablePair *pair_to(const MigrationPlan *plan, Str name) {
  for (size_t i = 0; i < plan->tables.count; i++) {
    if (plan->tables.items[i].to != NULL && str_equal(plan->tables.items[i].to->name, name)) return &plan->tables.items[i];
  }
  return NULL;
}

static bool write_orphans(const Checker *checker, Buf *out, const Step *step) {
  const TablePair *target = pair_to(checker->plan, step->to_key->target);
  if (target == NULL || target->from == NULL || target->to->keys.count != step->to_key->columns.count) return false;
  Buf match = condition_buf(checker);
  for (size_t i = 0; i < step->to_key->columns.count; i++) {
    const LayoutColumn *column = column_once(checker->plan, step->to, step->to_key->columns.items[i]);
    const LayoutColumn *key = column_once(checker->plan, target->to, target->to->keys.items[i]);
    if (column == NULL || key == NULL) return false;
    if (i > 0) buf_add(out, STR(" AND "));
    if (i > 0) buf_add(&match, STR(" AND "));
    sql_write_identifier(out, column->name);
    buf_add(out, STR(" IS NOT NULL"));
    buf_add(&match, STR("caisson_target."));
    sql_write_identifier(&match, key->name);
    buf_printf(&match, " = %.*s.", STR_ARGS(step->from->quoted));
    sql_write_identifier(&match, column->name);
  }
  Str matching = buf_take(out, &match);
  buf_printf(out, " AND NOT EXISTS (SELECT 1 FROM %.*s AS caisson_target WHERE %.*s)", STR_ARGS(target->from->quoted), STR_ARGS(matching));
  return true;
}

/* ---- steps ---- */

static void write_held(const Checker *checker, Buf *out, const LayoutColumn *column) {
  sql_write_identifier(out, column->name);
  buf_add(out, STR(" IS NOT NULL"));
  /* Going back, what the migration itself has put in is no loss. */
  if (!checker->is_backwards || column->default_text.len == 0 || column->kind == TYPE_JSON || column->is_list ||
      column->kind == TYPE_EMBEDDED)
    return;
  buf_add(out, STR(" AND "));
  sql_write_identifier(out, column->name);
  buf_add(out, STR(" <> "));
  buf_add(out, column->default_text);
}

static Code step_check(Checker *checker, const Step *step) {
  Buf condition = condition_buf(checker);
  DataCheck check = {.text = step->text};
  switch (step->kind) {
    case STEP_DROP_TABLE:
      check.is_loss = true;
      check.is_always_destructive = !checker->is_backwards;
      break;
    case STEP_DROP_COLUMN:
      check.is_loss = true;
      check.is_always_destructive = !checker->is_backwards;
      write_held(checker, &condition, step->from_column);
      break;
    case STEP_CHANGE_TYPE:
      if (!step->is_destructive) return CODE_OK;
      write_misfit(checker, &condition, step);
      TRY(check_add(checker, step->from, &condition, check));
      check.is_loss = check.is_always_destructive = true;
      buf_clear(&condition);
      sql_write_identifier(&condition, step->from_column->name);
      buf_add(&condition, STR(" IS NOT NULL"));
      break;
    case STEP_CHANGE_VALUES:
      if (step->to_column->value_count == 0) return CODE_OK;
      write_not_among(&condition, step->from_column->name, step->to_column);
      break;
    case STEP_SET_REQUIRED:
      sql_write_identifier(&condition, step->from_column->name);
      buf_add(&condition, STR(" IS NULL"));
      check.is_for_generated = true;
      break;
    case STEP_ADD_COLUMN:
      if (!step->to_column->is_not_null || step->to_column->default_text.len > 0) return CODE_OK;
      check.text = arena_printf(checker->arena, "%.*s, is required, and has no @default for the rows that are there", STR_ARGS(step->text));
      if (check.text.ptr == NULL) return error_no_memory(checker->err);
      check.is_for_generated = true;
      break;
    case STEP_CHECK_LIMITS:
      write_beyond_limits(&condition, step);
      if (condition.len == 0 && condition.failed == CODE_OK) return CODE_OK;
      break;
    case STEP_ADD_INDEX:
      if (!step->to_index->is_unique || step->from == NULL || !write_duplicates(checker, &condition, step)) return CODE_OK;
      check.text = arena_printf(checker->arena, "%.*s, which is unique", STR_ARGS(step->text));
      if (check.text.ptr == NULL) return error_no_memory(checker->err);
      break;
    case STEP_ADD_FOREIGN_KEY:
      if (step->from == NULL || !write_orphans(checker, &condition, step)) return CODE_OK;
      break;
    default: return CODE_OK;
  }
  Error *err = checker->err;
  TRY_ALLOC(check.text.ptr);
  return check_add(checker, step->from, &condition, check);
}

Code data_checks_make(const StoreMigrator *store, const MigrationPlan *plan, bool is_backwards, Arena *arena, DataChecks *ret, Error *err) {
  *ret = (DataChecks){0};
  Checker checker = {.store = store, .plan = plan, .is_backwards = is_backwards, .arena = arena, .checks = ret, .err = err};
  for (size_t i = 0; i < plan->steps.count; i++) TRY(step_check(&checker, &plan->steps.items[i]));
  return CODE_OK;
}

/* ---- asking ---- */

typedef struct Answer {
  Arena *arena;
  Str count;
  Buf keys;
} Answer;

static Code on_count(void *context, const Str *columns, Error *err) {
  Answer *answer = context;
  answer->count = arena_str(answer->arena, columns[0]);
  TRY_ALLOC(answer->count.ptr);
  return CODE_OK;
}

static Code on_key(void *context, const Str *columns, Error *err) {
  Answer *answer = context;
  if (answer->keys.len > 0) buf_add(&answer->keys, STR(", "));
  buf_add(&answer->keys, utf8_cut(columns[0], 200));
  return buf_check(&answer->keys, err);
}

Code data_checks_run(Migrator *migrator, const DataChecks *checks, bool is_generated, Arena *arena, Buf *misfits, Buf *losses, Error *err) {
  for (size_t i = 0; i < checks->count; i++) {
    const DataCheck *check = &checks->items[i];
    if (check->is_for_generated && !is_generated) continue;
    Answer answer = {.arena = arena, .count = STR("0"), .keys = buf_on(arena, SQL_BYTES_MAX)};
    TRY(migrator->calls->query(migrator, check->count_sql.ptr, 1, on_count, &answer, err));
    bool has_rows = !str_equal(answer.count, STR("0"));
    if (check->is_loss) {
      if (!has_rows && !check->is_always_destructive) continue;
      buf_printf(losses, "%.*s: %.*s %s would be lost\n", STR_ARGS(check->text), STR_ARGS(answer.count),
                 str_equal(answer.count, STR("1")) ? "row's data" : "rows' data");
      continue;
    }
    if (!has_rows) continue;
    if (check->keys_sql.len > 0) TRY(migrator->calls->query(migrator, check->keys_sql.ptr, 1, on_key, &answer, err));
    buf_printf(misfits, "%.*s: %.*s %s", STR_ARGS(check->text), STR_ARGS(answer.count),
               str_equal(answer.count, STR("1")) ? "row does not fit" : "rows do not fit");
    if (answer.keys.len > 0) buf_printf(misfits, ", such as %.*s", STR_ARGS(buf_take(misfits, &answer.keys)));
    buf_add_byte(misfits, '\n');
  }
  TRY(buf_check(misfits, err));
  return buf_check(losses, err);
}
