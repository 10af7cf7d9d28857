/* plan.c - see plan.h. Tables and columns are paired first, by name, else by @renamed; what differs in a pair makes the steps. */
#include "migrate/plan.h"

#include <stdarg.h>
#include <stdio.h>

#include "contract/plural.h"

enum { REFUSALS_BYTES_MAX = 256 * 1024 };

typedef struct Planner {
  const StoreMigrator *store;
  const Layout *from, *to;
  bool is_backwards;
  Arena *arena;
  MigrationPlan *plan;
  Error *err;
} Planner;

static void refuse(Planner *planner, const char *format, ...) PRINTF_LIKE(2, 3);
static void refuse(Planner *planner, const char *format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len < 0) return;
  buf_add(&planner->plan->refusals, (Str){line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1});
  buf_add_byte(&planner->plan->refusals, '\n');
}

static Code step_add(Planner *planner, Step step, const char *format, ...) PRINTF_LIKE(3, 4);
static Code step_add(Planner *planner, Step step, const char *format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  step.text = arena_str(planner->arena, (Str){line, len < 0 ? 0 : (size_t)len < sizeof line ? (size_t)len : sizeof line - 1});
  if (step.text.ptr == NULL || !VEC_PUSH(planner->arena, &planner->plan->steps, step)) return error_no_memory(planner->err);
  return CODE_OK;
}

/* ---- pairs ---- */

/* Was `older` called `renamed_from` in its contract? In a database there is only the table's name. */
static bool table_was(const LayoutTable *older, Str renamed_from, Arena *arena) {
  if (renamed_from.len == 0) return false;
  if (older->resource != NULL && str_equal(older->resource->name, renamed_from)) return true;
  Str plural = name_plural(renamed_from, arena), table = plural.ptr == NULL ? plural : name_snake(plural, arena);
  return str_equal(older->name, renamed_from) || (table.ptr != NULL && str_equal(older->name, table));
}

/* A key field goes with its relation: category → section takes category_id to section_id. */
static bool column_was(const LayoutColumn *older, const Field *newer, Arena *arena) {
  if (newer == NULL) return false;
  Str from = newer->renamed_from;
  if (from.ptr != NULL) {
    Str column = name_snake(from, arena);
    return str_equal(older->name, from) || (column.ptr != NULL && str_equal(older->name, column)) ||
           (older->field != NULL && str_equal(older->field->name, from));
  }
  const Field *relation = newer->is_relation_key ? newer->relation->field : NULL;
  if (relation == NULL || relation->renamed_from.ptr == NULL) return false;
  if (older->field != NULL && older->field->is_relation_key)
    return str_equal(older->field->relation->field->name, relation->renamed_from) && newer->target_key != NULL &&
           older->field->target_key != NULL && str_equal(older->field->target_key->name, newer->target_key->name);
  Str before = name_snake(relation->renamed_from, arena), now = name_snake(relation->name, arena);
  if (before.ptr == NULL || now.ptr == NULL || !str_starts_with(newer->column, now) || !str_starts_with(older->name, before)) return false;
  return str_equal(str_slice(newer->column, now.len, newer->column.len), str_slice(older->name, before.len, older->name.len));
}

static bool tables_are_one(const Planner *planner, const LayoutTable *from, const LayoutTable *to) {
  const LayoutTable *older = planner->is_backwards ? to : from, *newer = planner->is_backwards ? from : to;
  return newer->resource != NULL && table_was(older, newer->resource->renamed_from, planner->arena);
}

static const LayoutTable *table_before(const Planner *planner, const LayoutTable *to) {
  const LayoutTable *same = store_layout_table(planner->from, to->name, planner->store->names_equal);
  if (same != NULL) return same;
  for (size_t i = 0; i < planner->from->tables.count; i++) {
    const LayoutTable *from = &planner->from->tables.items[i];
    if (store_layout_table(planner->to, from->name, planner->store->names_equal) == NULL && tables_are_one(planner, from, to)) return from;
  }
  return NULL;
}

static const LayoutColumn *column_before(const Planner *planner, const LayoutTable *from, const LayoutTable *to,
                                         const LayoutColumn *column) {
  const LayoutColumn *same = store_layout_column(from, column->name, planner->store->names_equal);
  if (same != NULL) return same;
  for (size_t i = 0; i < from->columns.count; i++) {
    const LayoutColumn *candidate = &from->columns.items[i];
    if (store_layout_column(to, candidate->name, planner->store->names_equal) != NULL) continue;
    const LayoutColumn *older = planner->is_backwards ? column : candidate, *newer = planner->is_backwards ? candidate : column;
    if (column_was(older, newer->field, planner->arena)) return candidate;
  }
  return NULL;
}

static Code columns_pair(Planner *planner, TablePair *pair) {
  for (size_t i = 0; i < pair->to->columns.count; i++) {
    const LayoutColumn *to = &pair->to->columns.items[i];
    ColumnPair columns = {pair->from == NULL ? NULL : column_before(planner, pair->from, pair->to, to), to};
    if (!VEC_PUSH(planner->arena, &pair->columns, columns)) return error_no_memory(planner->err);
  }
  for (size_t i = 0; pair->from != NULL && i < pair->from->columns.count; i++) {
    const LayoutColumn *from = &pair->from->columns.items[i];
    bool is_paired = false;
    for (size_t k = 0; k < pair->columns.count; k++) is_paired = is_paired || pair->columns.items[k].from == from;
    if (!is_paired && !VEC_PUSH(planner->arena, &pair->columns, ((ColumnPair){from, NULL}))) return error_no_memory(planner->err);
  }
  return CODE_OK;
}

static Code tables_pair(Planner *planner) {
  MigrationPlan *plan = planner->plan;
  for (size_t i = 0; i < planner->to->tables.count; i++) {
    TablePair pair = {.to = &planner->to->tables.items[i]};
    pair.from = table_before(planner, pair.to);
    TRY(columns_pair(planner, &pair));
    if (!VEC_PUSH(planner->arena, &plan->tables, pair)) return error_no_memory(planner->err);
  }
  for (size_t i = 0; i < planner->from->tables.count; i++) {
    TablePair pair = {.from = &planner->from->tables.items[i]};
    bool is_paired = false;
    for (size_t k = 0; k < plan->tables.count; k++) is_paired = is_paired || plan->tables.items[k].from == pair.from;
    if (!is_paired && !VEC_PUSH(planner->arena, &plan->tables, pair)) return error_no_memory(planner->err);
  }
  return CODE_OK;
}

/* What a column of the older table is called now; len 0: it is gone. */
static Str column_now(const TablePair *pair, Str name) {
  for (size_t i = 0; i < pair->columns.count; i++) {
    const ColumnPair *columns = &pair->columns.items[i];
    if (columns->from != NULL && str_equal(columns->from->name, name)) return columns->to == NULL ? (Str){0} : columns->to->name;
  }
  return (Str){0};
}

static Str table_now(const Planner *planner, Str name) {
  for (size_t i = 0; i < planner->plan->tables.count; i++) {
    const TablePair *pair = &planner->plan->tables.items[i];
    if (pair->from != NULL && str_equal(pair->from->name, name)) return pair->to == NULL ? (Str){0} : pair->to->name;
  }
  return (Str){0};
}

/* ---- columns ---- */

typedef struct TypePair {
  FieldType from, to;
  Conversion conversion;
} TypePair;

static const TypePair conversions[] = {
    {TYPE_INT, TYPE_BIGINT, CONVERSION_WIDER},        {TYPE_INT, TYPE_FLOAT, CONVERSION_WIDER},
    {TYPE_INT, TYPE_DECIMAL, CONVERSION_WIDER},       {TYPE_INT, TYPE_STRING, CONVERSION_WIDER},
    {TYPE_BIGINT, TYPE_DECIMAL, CONVERSION_WIDER},    {TYPE_BIGINT, TYPE_STRING, CONVERSION_WIDER},
    {TYPE_DECIMAL, TYPE_STRING, CONVERSION_WIDER},    {TYPE_UUID, TYPE_STRING, CONVERSION_WIDER},
    {TYPE_ID, TYPE_STRING, CONVERSION_WIDER},         {TYPE_EMAIL, TYPE_STRING, CONVERSION_WIDER},
    {TYPE_URL, TYPE_STRING, CONVERSION_WIDER},        {TYPE_ENUM, TYPE_STRING, CONVERSION_WIDER},
    {TYPE_DATE, TYPE_DATETIME, CONVERSION_WIDER},     {TYPE_BIGINT, TYPE_INT, CONVERSION_NARROWER},
    {TYPE_FLOAT, TYPE_INT, CONVERSION_NARROWER},      {TYPE_DECIMAL, TYPE_INT, CONVERSION_NARROWER},
    {TYPE_DECIMAL, TYPE_BIGINT, CONVERSION_NARROWER}, {TYPE_STRING, TYPE_INT, CONVERSION_NARROWER},
    {TYPE_STRING, TYPE_BIGINT, CONVERSION_NARROWER},  {TYPE_DATETIME, TYPE_DATE, CONVERSION_NARROWER},
    {TYPE_STRING, TYPE_ENUM, CONVERSION_SAME},        {TYPE_STRING, TYPE_EMAIL, CONVERSION_SAME},
    {TYPE_STRING, TYPE_URL, CONVERSION_SAME},         {TYPE_EMBEDDED, TYPE_JSON, CONVERSION_SAME},
    {TYPE_JSON, TYPE_EMBEDDED, CONVERSION_SAME},
};

Conversion migration_conversion(FieldType from, FieldType to) {
  if (from == to) return CONVERSION_SAME;
  for (size_t i = 0; i < sizeof conversions / sizeof conversions[0]; i++) {
    if (conversions[i].from == from && conversions[i].to == to) return conversions[i].conversion;
  }
  return CONVERSION_NONE;
}

static Code type_plan(Planner *planner, const TablePair *pair, const ColumnPair *columns) {
  const LayoutColumn *from = columns->from, *to = columns->to;
  if (planner->store->types_equal(from->type, to->type)) return CODE_OK;
  Conversion conversion = from->is_list || to->is_list ? CONVERSION_NONE : migration_conversion(from->kind, to->kind);
  if (conversion == CONVERSION_NONE || (to->field != NULL && (to->field->is_key || to->field->is_relation_key))) {
    refuse(planner,
           "column %.*s.%.*s can't be made %.*s from %.*s: add a field, copy the values in an edited up.sql, and drop the old field later",
           STR_ARGS(pair->to->name), STR_ARGS(to->name), STR_ARGS(to->type), STR_ARGS(from->type));
    return CODE_OK;
  }
  return step_add(planner,
                  (Step){.kind = STEP_CHANGE_TYPE,
                         .from = pair->from,
                         .to = pair->to,
                         .from_column = from,
                         .to_column = to,
                         .is_destructive = conversion == CONVERSION_NARROWER},
                  "column %.*s.%.*s becomes %.*s, from %.*s", STR_ARGS(pair->to->name), STR_ARGS(to->name), STR_ARGS(to->type),
                  STR_ARGS(from->type));
}

bool migration_values_include(const LayoutColumn *more, const LayoutColumn *fewer) {
  for (size_t i = 0; i < fewer->value_count; i++) {
    bool is_there = false;
    for (size_t k = 0; k < more->value_count; k++) is_there = is_there || str_equal(more->values[k], fewer->values[i]);
    if (!is_there) return false;
  }
  return true;
}

/* Whatever their order. */
static bool values_equal(const LayoutColumn *a, const LayoutColumn *b) {
  return a->value_count == b->value_count && migration_values_include(a, b);
}

static bool has_new_bound(const Value *from, const Value *to) {
  if (to->type == VALUE_NULL) return false;
  if (to->type != from->type) return true;
  if (to->type == VALUE_DECIMAL) return !str_equal(to->text, from->text);
  return to->type == VALUE_FLOAT ? to->number != from->number : to->integer != from->integer;
}

static bool limits_narrow(const Field *from, const Field *to) {
  if (from == NULL || to == NULL) return false;
  return to->length_min > from->length_min || (to->length_max >= 0 && (from->length_max < 0 || to->length_max < from->length_max)) ||
         has_new_bound(&from->range_min, &to->range_min) || has_new_bound(&from->range_max, &to->range_max);
}

/* A database tells nothing of enums where the store keeps them as plain texts: then the data is looked at. */
static Code values_plan(Planner *planner, const TablePair *pair, const ColumnPair *columns) {
  const LayoutColumn *from = columns->from, *to = columns->to;
  Step step = {.from = pair->from, .to = pair->to, .from_column = from, .to_column = to};
  if (limits_narrow(from->field, to->field)) {
    step.kind = STEP_CHECK_LIMITS;
    TRY(step_add(planner, step, "the limits of %.*s.%.*s", STR_ARGS(pair->to->name), STR_ARGS(to->name)));
  }
  if (values_equal(from, to) || to->is_list) return CODE_OK;
  step.kind = STEP_CHANGE_VALUES;
  return step_add(planner, step, "the values of %.*s.%.*s change", STR_ARGS(pair->to->name), STR_ARGS(to->name));
}

static Code column_change(Planner *planner, const TablePair *pair, const ColumnPair *columns) {
  const LayoutColumn *from = columns->from, *to = columns->to;
  Step step = {.from = pair->from, .to = pair->to, .from_column = from, .to_column = to};
  Str table = pair->to->name;
  if (!planner->store->names_equal(from->name, to->name)) {
    step.kind = STEP_RENAME_COLUMN;
    TRY(step_add(planner, step, "column %.*s.%.*s is renamed to %.*s", STR_ARGS(table), STR_ARGS(from->name), STR_ARGS(to->name)));
  }
  bool has_checks = from->check_name.len > 0 && to->check_name.len > 0;
  if (has_checks && !str_equal(from->check_name, to->check_name)) {
    step.kind = STEP_RENAME_CHECK;
    TRY(step_add(planner, step, "the check %.*s is renamed to %.*s", STR_ARGS(from->check_name), STR_ARGS(to->check_name)));
  }
  TRY(type_plan(planner, pair, columns));
  TRY(values_plan(planner, pair, columns));
  if (from->field != NULL && !str_equal(from->default_text, to->default_text)) {
    step.kind = STEP_CHANGE_DEFAULT;
    TRY(step_add(planner, step, "the default of %.*s.%.*s changes", STR_ARGS(table), STR_ARGS(to->name)));
  }
  if (from->is_not_null == to->is_not_null) return CODE_OK;
  step.kind = to->is_not_null ? STEP_SET_REQUIRED : STEP_SET_OPTIONAL;
  return step_add(planner, step, "column %.*s.%.*s becomes %s", STR_ARGS(table), STR_ARGS(to->name),
                  to->is_not_null ? "required" : "optional");
}

static Code columns_plan(Planner *planner, const TablePair *pair) {
  for (size_t i = 0; i < pair->columns.count; i++) {
    const ColumnPair *columns = &pair->columns.items[i];
    Step step = {.from = pair->from, .to = pair->to, .from_column = columns->from, .to_column = columns->to};
    if (columns->from == NULL) {
      step.kind = STEP_ADD_COLUMN;
      TRY(step_add(planner, step, "column %.*s.%.*s is added", STR_ARGS(pair->to->name), STR_ARGS(columns->to->name)));
    } else if (columns->to == NULL) {
      step.kind = STEP_DROP_COLUMN;
      step.is_destructive = true;
      TRY(step_add(planner, step, "column %.*s.%.*s is dropped", STR_ARGS(pair->to->name), STR_ARGS(columns->from->name)));
    } else {
      TRY(column_change(planner, pair, columns));
    }
  }
  return CODE_OK;
}

static void keys_compare(Planner *planner, const TablePair *pair) {
  bool is_equal = pair->from->keys.count == pair->to->keys.count;
  for (size_t i = 0; is_equal && i < pair->to->keys.count; i++)
    is_equal = str_equal(column_now(pair, pair->from->keys.items[i]), pair->to->keys.items[i]);
  if (!is_equal) refuse(planner, "table %.*s gets another primary key: keys are not migrated", STR_ARGS(pair->to->name));
}

/* ---- indexes and foreign keys ---- */

/* The hash of an expression, behind the last "_". */
static Str index_mark(Str name) {
  size_t begin = name.len;
  while (begin > 0 && name.ptr[begin - 1] != '_') begin--;
  return str_slice(name, begin, name.len);
}

static bool indexes_equal(const TablePair *pair, const LayoutIndex *from, const LayoutIndex *to) {
  if (from->definition.len > 0 || to->definition.len > 0)
    return from->definition.len > 0 && to->definition.len > 0 && str_equal(index_mark(from->name), index_mark(to->name));
  if (from->is_unique != to->is_unique || from->columns.count != to->columns.count) return false;
  for (size_t i = 0; i < to->columns.count; i++) {
    if (from->columns.items[i].is_descending != to->columns.items[i].is_descending ||
        !str_equal(column_now(pair, from->columns.items[i].name), to->columns.items[i].name))
      return false;
  }
  return true;
}

static const LayoutIndex *index_before(const TablePair *pair, const LayoutIndex *to) {
  for (size_t i = 0; pair->from != NULL && i < pair->from->indexes.count; i++) {
    if (indexes_equal(pair, &pair->from->indexes.items[i], to)) return &pair->from->indexes.items[i];
  }
  return NULL;
}

static Code indexes_plan(Planner *planner, const TablePair *pair) {
  Step step = {.from = pair->from, .to = pair->to, .is_on_new_table = pair->from == NULL};
  for (size_t i = 0; i < pair->to->indexes.count; i++) {
    step.to_index = &pair->to->indexes.items[i];
    step.from_index = index_before(pair, step.to_index);
    if (step.from_index == NULL) {
      step.kind = STEP_ADD_INDEX;
      TRY(step_add(planner, step, "index %.*s is made", STR_ARGS(step.to_index->name)));
    } else if (!str_equal(step.from_index->name, step.to_index->name)) {
      step.kind = STEP_RENAME_INDEX;
      TRY(step_add(planner, step, "index %.*s is renamed to %.*s", STR_ARGS(step.from_index->name), STR_ARGS(step.to_index->name)));
    }
  }
  step.kind = STEP_DROP_INDEX;
  step.to_index = NULL;
  for (size_t i = 0; pair->from != NULL && i < pair->from->indexes.count; i++) {
    step.from_index = &pair->from->indexes.items[i];
    bool is_kept = false;
    for (size_t k = 0; k < pair->to->indexes.count; k++)
      is_kept = is_kept || indexes_equal(pair, step.from_index, &pair->to->indexes.items[k]);
    if (!is_kept) TRY(step_add(planner, step, "index %.*s is dropped", STR_ARGS(step.from_index->name)));
  }
  return CODE_OK;
}

/* Whatever they do when their target is deleted. */
static bool foreign_keys_match(const Planner *planner, const TablePair *pair, const LayoutForeignKey *from, const LayoutForeignKey *to) {
  if (from->columns.count != to->columns.count || !planner->store->names_equal(table_now(planner, from->target), to->target)) return false;
  for (size_t i = 0; i < from->columns.count; i++) {
    bool is_there = false;
    for (size_t k = 0; k < to->columns.count; k++)
      is_there = is_there || str_equal(column_now(pair, from->columns.items[i]), to->columns.items[k]);
    if (!is_there) return false;
  }
  return true;
}

/* Of the other side's keys: an equal one where there is one, else one that matches. `is_old`: `key` is the older side's. */
static const LayoutForeignKey *foreign_key_other(const Planner *planner, const TablePair *pair, const LayoutForeignKey *key, bool is_old) {
  const LayoutTable *others = is_old ? pair->to : pair->from;
  const LayoutForeignKey *found = NULL;
  for (size_t i = 0; others != NULL && i < others->foreign_keys.count; i++) {
    const LayoutForeignKey *other = &others->foreign_keys.items[i];
    bool is_match = is_old ? foreign_keys_match(planner, pair, key, other) : foreign_keys_match(planner, pair, other, key);
    if (is_match && (found == NULL || other->on_delete == key->on_delete)) found = other;
  }
  return found;
}

static Code foreign_keys_plan(Planner *planner, const TablePair *pair) {
  Step step = {.from = pair->from, .to = pair->to, .is_on_new_table = pair->from == NULL};
  for (size_t i = 0; i < pair->to->foreign_keys.count; i++) {
    step.to_key = &pair->to->foreign_keys.items[i];
    step.from_key = foreign_key_other(planner, pair, step.to_key, false);
    if (step.from_key == NULL || step.from_key->on_delete != step.to_key->on_delete) {
      step.kind = STEP_ADD_FOREIGN_KEY;
      TRY(step_add(planner, step, "the foreign key of %.*s is made", STR_ARGS(step.to_key->label)));
    } else if (!str_equal(step.from_key->name, step.to_key->name)) {
      step.kind = STEP_RENAME_FOREIGN_KEY;
      TRY(step_add(planner, step, "the foreign key %.*s is renamed to %.*s", STR_ARGS(step.from_key->name), STR_ARGS(step.to_key->name)));
    }
  }
  step.kind = STEP_DROP_FOREIGN_KEY;
  for (size_t i = 0; pair->from != NULL && i < pair->from->foreign_keys.count; i++) {
    step.from_key = &pair->from->foreign_keys.items[i];
    step.to_key = foreign_key_other(planner, pair, step.from_key, true);
    bool is_kept = step.to_key != NULL && step.to_key->on_delete == step.from_key->on_delete;
    if (!is_kept) TRY(step_add(planner, step, "the foreign key of %.*s is dropped", STR_ARGS(step.from_key->label)));
  }
  return CODE_OK;
}

/* ---- tables ---- */

static Code table_plan(Planner *planner, const TablePair *pair) {
  Step step = {.from = pair->from, .to = pair->to};
  /* In a schema that others may use as well, what no contract of ours has named may be theirs. */
  if (pair->to == NULL && pair->from->is_elsewhere) return CODE_OK;
  if (pair->to == NULL) {
    /* What refers to it has to let go first, even where it goes as well. */
    for (size_t i = 0; i < pair->from->foreign_keys.count; i++) {
      Step drop = {.kind = STEP_DROP_FOREIGN_KEY, .from = pair->from, .from_key = &pair->from->foreign_keys.items[i]};
      TRY(step_add(planner, drop, "the foreign key of %.*s is dropped", STR_ARGS(drop.from_key->label)));
    }
    step.kind = STEP_DROP_TABLE;
    step.is_destructive = true;
    return step_add(planner, step, "table %.*s is dropped", STR_ARGS(pair->from->name));
  }
  if (pair->from == NULL) {
    if (store_layout_view(planner->from, pair->to->name, planner->store->names_equal) != NULL)
      refuse(planner, "%.*s is a view: a table of that name can't be made beside it", STR_ARGS(pair->to->name));
    step.kind = STEP_CREATE_TABLE;
    TRY(step_add(planner, step, "table %.*s is made", STR_ARGS(pair->to->name)));
  } else {
    if (!planner->store->names_equal(pair->from->name, pair->to->name)) {
      step.kind = STEP_RENAME_TABLE;
      TRY(step_add(planner, step, "table %.*s is renamed to %.*s", STR_ARGS(pair->from->name), STR_ARGS(pair->to->name)));
    }
    TRY(columns_plan(planner, pair));
    keys_compare(planner, pair);
  }
  TRY(foreign_keys_plan(planner, pair));
  return indexes_plan(planner, pair);
}

/* What belongs to new tables comes right behind them: where pieces of a migration are transactions it is done in theirs, in which nobody
 * waits for it. */
static int step_rank(const Step *step) {
  bool is_of_new_table = step->is_on_new_table && (step->kind == STEP_ADD_FOREIGN_KEY || step->kind == STEP_ADD_INDEX);
  return is_of_new_table ? 2 * STEP_CREATE_TABLE + 1 : 2 * (int)step->kind;
}

/* Stable: steps of one kind stay in the contract's order. */
static void steps_sort(MigrationPlan *plan) {
  for (size_t i = 1; i < plan->steps.count; i++) {
    Step step = plan->steps.items[i];
    size_t at = i;
    for (; at > 0 && step_rank(&plan->steps.items[at - 1]) > step_rank(&step); at--) plan->steps.items[at] = plan->steps.items[at - 1];
    plan->steps.items[at] = step;
  }
}

Code migration_plan(const StoreMigrator *store, const Layout *from, const Layout *to, bool is_backwards, Arena *arena, MigrationPlan *ret,
                    Error *err) {
  *ret = (MigrationPlan){.refusals = buf_on(arena, REFUSALS_BYTES_MAX)};
  Planner planner = {.store = store, .from = from, .to = to, .is_backwards = is_backwards, .arena = arena, .plan = ret, .err = err};
  TRY(tables_pair(&planner));
  for (size_t i = 0; i < ret->tables.count; i++) TRY(table_plan(&planner, &ret->tables.items[i]));
  steps_sort(ret);
  /* What is not told would be migrated. */
  return ret->refusals.failed == CODE_OK ? CODE_OK : error_no_memory(err);
}
