/* difference.c - see difference.h. */
#include "migrate/difference.h"

bool difference_is_none(const Step *step) {
  bool is_unchecked = step->kind == STEP_CHANGE_VALUES && step->to_column->check_name.len == 0 && step->from_column->check_name.len == 0;
  return is_unchecked || step->kind == STEP_CHECK_LIMITS || step->kind == STEP_CHANGE_DEFAULT;
}

static void column_write(Buf *out, const LayoutTable *table, const Step *step) {
  const LayoutColumn *from = step->from_column, *to = step->to_column;
  const LayoutColumn *column = step->kind == STEP_DROP_COLUMN ? from : to;
  buf_printf(out, "column %.*s.%.*s ", STR_ARGS(table->name), STR_ARGS(column->name));
  switch (step->kind) {
    case STEP_ADD_COLUMN: buf_add(out, STR("is missing")); break;
    case STEP_DROP_COLUMN: buf_add(out, STR("is not in the contract")); break;
    case STEP_CHANGE_TYPE: buf_printf(out, "is of the type %.*s, the contract wants %.*s", STR_ARGS(from->type), STR_ARGS(to->type)); break;
    case STEP_CHANGE_VALUES: buf_add(out, STR("allows other values than the contract")); break;
    case STEP_SET_REQUIRED: buf_add(out, STR("may be null, the contract requires it")); break;
    default: buf_add(out, STR("may not be null, in the contract it may")); break;
  }
  buf_add_byte(out, '\n');
}

static void foreign_key_write(Buf *out, const Step *step) {
  if (step->kind == STEP_ADD_FOREIGN_KEY)
    buf_printf(out, "the foreign key of %.*s %s\n", STR_ARGS(step->to_key->label),
               step->from_key == NULL ? "is missing" : "does something else when its target is deleted");
  else if (step->to_key == NULL && step->to != NULL)
    buf_printf(out, "table %.*s has a foreign key to %.*s that is not in the contract\n", STR_ARGS(step->from->name),
               STR_ARGS(step->from_key->target));
}

void difference_write(Buf *out, const Step *step) {
  const LayoutTable *table = step->to != NULL ? step->to : step->from;
  if (difference_is_none(step)) return;
  switch (step->kind) {
    case STEP_CREATE_TABLE: buf_printf(out, "table %.*s is missing\n", STR_ARGS(table->name)); return;
    case STEP_DROP_TABLE: buf_printf(out, "table %.*s is not in the contract\n", STR_ARGS(table->name)); return;
    case STEP_ADD_COLUMN:
    case STEP_DROP_COLUMN:
    case STEP_CHANGE_TYPE:
    case STEP_CHANGE_VALUES:
    case STEP_SET_REQUIRED:
    case STEP_SET_OPTIONAL: column_write(out, table, step); return;
    case STEP_ADD_INDEX: buf_printf(out, "index %.*s is missing\n", STR_ARGS(step->to_index->name)); return;
    case STEP_DROP_INDEX:
      buf_printf(out, "the %sindex %.*s is not in the contract\n", step->from_index->is_unique ? "unique " : "",
                 STR_ARGS(step->from_index->name));
      return;
    case STEP_ADD_FOREIGN_KEY:
    case STEP_DROP_FOREIGN_KEY: foreign_key_write(out, step); return;
    default: buf_printf(out, "not yet done: %.*s\n", STR_ARGS(step->text));
  }
}

Code layout_differences(const StoreMigrator *calls, const Layout *is, const Layout *should, Arena *arena, Buf *out, Error *err) {
  MigrationPlan plan;
  TRY(migration_plan(calls, is, should, false, arena, &plan, err));
  buf_add(out, buf_take(out, &plan.refusals));
  for (size_t i = 0; i < plan.steps.count; i++) difference_write(out, &plan.steps.items[i]);
  return buf_check(out, err); /* nothing written means: no difference */
}
