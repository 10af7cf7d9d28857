/* start.c - see start.h. Where nothing is to be done the look is all: one connection, no lock. Else the same look is taken again inside the
 * transaction that adds, since another instance may have been quicker. A database that others made is only looked at: what the contract
 * names must be there, how it is declared is their affair. */
#include "migrate/start.h"

#include "migrate/checks.h"
#include "migrate/difference.h"
#include "migrate/script.h"

enum { LINES_BYTES_MAX = 1024 * 1024, TEXT_BYTES_MAX = 64 * 1024 * 1024, LOCK_TIMEOUT_MS = 2000 };

typedef struct Start {
  Store *store;
  const StoreMigrator *calls;
  const Contract *contract;
  Migrator *migrator;
  Layout is, should;
  MigrationPlan plan;
  MigrationPlan additions; /* its steps that are safe */
  MigratorChanges derived;
  Buf refused, missing; /* a line each: what no start does; what this one does, or would */
  Arena *arena;
  Error *err;
} Start;

/* ---- what others made, and what is between two phases ---- */

static const LayoutTable *table_or_view(const Start *start, Str name) {
  const LayoutTable *table = store_layout_table(&start->is, name, start->calls->names_equal);
  return table != NULL ? table : store_layout_view(&start->is, name, start->calls->names_equal);
}

static const char not_ours[] = ", and this database was not made by Caisson: its schema is not changed",
                  expanded[] = " in the expanded database";

/* What the contract reads and writes must be there. */
static void resource_find(Start *start, const Resource *resource, const char *why) {
  const LayoutTable *table = table_or_view(start, resource->table);
  if (table == NULL) buf_printf(&start->refused, "table %.*s is missing%s\n", STR_ARGS(resource->table), why);
  for (size_t i = 0; table != NULL && i < resource->stored_count; i++) {
    Str column = resource->stored[i]->column;
    if (store_layout_column(table, column, start->calls->names_equal) != NULL) continue;
    buf_printf(&start->refused, "column %.*s.%.*s is missing%s\n", STR_ARGS(resource->table), STR_ARGS(column), why);
  }
}

static void foreign_compare(Start *start) {
  for (size_t i = 0; i < start->contract->resource_count; i++) {
    const Resource *resource = start->contract->resources[i];
    if (resource->search_count > 0 && start->calls->search_needs_tables)
      buf_printf(&start->refused, "%.*s has @search, and this database was not made by Caisson: no search index is put into it\n",
                 STR_ARGS(resource->name));
    resource_find(start, resource, not_ours);
  }
}

/* What else is there, the other contract wants. */
static void expanded_compare(Start *start) {
  for (size_t i = 0; i < start->contract->resource_count; i++) resource_find(start, start->contract->resources[i], expanded);
  for (size_t i = 0; i < start->should.tables.count; i++) {
    const LayoutTable *to = &start->should.tables.items[i];
    const LayoutTable *from = store_layout_table(&start->is, to->name, start->calls->names_equal);
    for (size_t k = 0; from != NULL && k < to->columns.count; k++) {
      const LayoutColumn *wanted = &to->columns.items[k];
      const LayoutColumn *column = store_layout_column(from, wanted->name, start->calls->names_equal);
      if (column == NULL || start->calls->types_equal(column->type, wanted->type)) continue;
      buf_printf(&start->refused, "column %.*s.%.*s is of the type %.*s%s\n", STR_ARGS(to->name), STR_ARGS(wanted->name),
                 STR_ARGS(column->type), expanded);
    }
  }
}

/* ---- what is safe ---- */

typedef enum Fate {
  FATE_LEFT = 0, /* it does no harm as it is: `caisson migrate` puts it right */
  FATE_ADDED,
  FATE_REFUSED
} Fate;

/* What stands in the way of an index that is to be made. */
static bool name_is_wanted(const Start *start, Str name) {
  for (size_t i = 0; i < start->plan.steps.count; i++) {
    const Step *step = &start->plan.steps.items[i];
    if (step->kind == STEP_ADD_INDEX && start->calls->names_equal(step->to_index->name, name)) return true;
  }
  return false;
}

/* The rows that are there need a value in it. */
static bool column_can_be_added(const Step *step) {
  bool is_key = step->to_column->field != NULL && step->to_column->field->is_key;
  return !is_key && (!step->to_column->is_not_null || step->to_column->default_text.len > 0);
}

static Fate step_fate(const Start *start, const Step *step) {
  bool is_rewriting = script_step_rewrites(start->calls, &start->plan, step);
  if (difference_is_none(step)) return FATE_LEFT;
  switch (step->kind) {
    case STEP_CREATE_TABLE:
    case STEP_ADD_INDEX: return FATE_ADDED;
    case STEP_ADD_COLUMN: return column_can_be_added(step) && !is_rewriting ? FATE_ADDED : FATE_REFUSED;
    case STEP_ADD_FOREIGN_KEY: return step->from_key == NULL && !is_rewriting ? FATE_ADDED : FATE_REFUSED;
    case STEP_CHANGE_VALUES: return migration_values_include(step->to_column, step->from_column) ? FATE_ADDED : FATE_REFUSED;
    /* A unique one would refuse what the contract allows. */
    case STEP_DROP_INDEX:
      return step->from_index->is_unique ? FATE_REFUSED : name_is_wanted(start, step->from_index->name) ? FATE_ADDED : FATE_LEFT;
    case STEP_RENAME_INDEX: return name_is_wanted(start, step->from_index->name) ? FATE_ADDED : FATE_LEFT;
    case STEP_RENAME_CHECK:
    case STEP_RENAME_FOREIGN_KEY: return FATE_LEFT;
    default: return FATE_REFUSED;
  }
}

static void refuse(Start *start, const Step *step) {
  bool is_required = step->kind == STEP_ADD_COLUMN && step->to_column->is_not_null && step->to_column->default_text.len == 0;
  if (step->kind != STEP_ADD_COLUMN) {
    difference_write(&start->refused, step);
    return;
  }
  buf_printf(&start->refused, "column %.*s.%.*s is missing, and can't be added to the rows that are there%s\n", STR_ARGS(step->to->name),
             STR_ARGS(step->to_column->name), is_required ? ": it is required and has no constant default" : "");
}

static Code steps_sort_out(Start *start) {
  start->additions = start->plan;
  start->additions.steps = (typeof(start->plan.steps)){0};
  for (size_t i = 0; i < start->plan.steps.count; i++) {
    const Step *step = &start->plan.steps.items[i];
    Fate fate = step_fate(start, step);
    if (fate == FATE_REFUSED) refuse(start, step);
    if (fate != FATE_ADDED) continue;
    difference_write(&start->missing, step);
    if (!VEC_PUSH(start->arena, &start->additions.steps, *step)) return error_no_memory(start->err);
  }
  return CODE_OK;
}

static Code derived_sort_out(Start *start) {
  if (start->calls->derive == NULL) return CODE_OK;
  TRY(start->calls->derive(start->migrator, start->contract, start->arena, &start->derived, start->err));
  for (size_t i = 0; i < start->derived.items.count; i++)
    buf_printf(&start->missing, "%.*s\n", STR_ARGS(start->derived.items.items[i].text));
  return CODE_OK;
}

/* ---- the look ---- */

static Code compare(Start *start) {
  bool is_ours = false;
  start->refused = buf_on(start->arena, LINES_BYTES_MAX);
  start->missing = buf_on(start->arena, LINES_BYTES_MAX);
  TRY(start->calls->read(start->migrator, start->contract, start->arena, &start->is, &is_ours, start->err));
  if (!is_ours) return foreign_compare(start), CODE_OK;
  TRY(start->calls->layout_of(start->contract, start->arena, &start->should, start->err));
  if (start->is.is_expanded) return expanded_compare(start), CODE_OK;
  TRY(migration_plan(start->calls, &start->is, &start->should, false, start->arena, &start->plan, start->err));
  buf_add(&start->refused, buf_take(&start->refused, &start->plan.refusals));
  TRY(steps_sort_out(start));
  return derived_sort_out(start);
}

/* Nothing noted means that nothing is the matter, so what could not be noted is an error. */
static Code look(Start *start) {
  TRY(compare(start));
  TRY(buf_check(&start->refused, start->err));
  return buf_check(&start->missing, start->err);
}

static Code start_open(Store *store, const Contract *contract, Arena *arena, Start *ret, Error *err) {
  *ret = (Start){.store = store, .calls = store->driver->migrator, .contract = contract, .arena = arena, .err = err};
  TRY(store->driver->migrator_open(store, LOCK_TIMEOUT_MS, MIGRATOR_ADDS, &ret->migrator, err));
  Code code = look(ret);
  if (code != CODE_OK) ret->calls->close(ret->migrator);
  return code;
}

static Code differ(const Start *start) { return error_set(start->err, CODE_CONFLICT, "the database is not as the contract says"); }

/* ---- the refusal ---- */

/* What an operator needs to decide: the differences, the statements, and how to have them run. */
static Code explain(const Start *start, Str *ret) {
  Buf out = buf_on(start->arena, TEXT_BYTES_MAX);
  Script script = {0};
  TRY(script_from_plan(start->calls, &start->additions, true, start->arena, &script, start->err));
  buf_add(&out, buf_str(&start->refused));
  buf_add(&out, buf_str(&start->missing));
  if (script.statements.count > 0) {
    buf_add(&out, STR("\nThese statements would add what is missing:\n\n"));
    script_write(&out, &script, start->calls->dialect);
  }
  if (start->missing.len > 0 && start->refused.len == 0)
    buf_add(&out, STR("\nTo have it added at the start: caisson serve CONTRACT --migrate (and --store as now)\n"));
  if (start->plan.steps.count > 0)
    buf_add(
        &out,
        STR("\nTo see, and to have done, what serving never does by itself, in the way that holds up others least: caisson migrate plan "
            "CONTRACT, then apply (and --store as now)\n"));
  return buf_finish(&out, ret, start->err);
}

/* ---- the additions ---- */

static Code check_data(Start *start, Str *ret_details) {
  DataChecks checks;
  Buf misfits = buf_on(start->arena, LINES_BYTES_MAX), losses = buf_on(start->arena, LINES_BYTES_MAX);
  TRY(data_checks_make(start->calls, &start->additions, false, start->arena, &checks, start->err));
  TRY(data_checks_run(start->migrator, &checks, true, start->arena, &misfits, &losses, start->err));
  if (misfits.len == 0) return CODE_OK;
  *ret_details = buf_str(&misfits);
  return error_set(start->err, CODE_CONFLICT, "the contract asks for what rows that are there do not fit; nothing was changed");
}

static Code add(Start *start, Str *ret_details) {
  Script script;
  TRY(look(start));
  if (start->refused.len > 0) return explain(start, ret_details) == CODE_OK ? differ(start) : start->err->code;
  TRY(check_data(start, ret_details));
  TRY(script_from_plan(start->calls, &start->additions, true, start->arena, &script, start->err));
  TRY(start->calls->mark(start->migrator, start->err));
  for (size_t i = 0; i < script.statements.count; i++)
    TRY(start->calls->execute(start->migrator, script.statements.items[i].sql.ptr, start->err));
  for (size_t i = 0; i < start->derived.items.count; i++)
    TRY(start->calls->execute(start->migrator, start->derived.items.items[i].sql.ptr, start->err));
  return CODE_OK;
}

static Code add_in_transaction(Start *start, Str *ret_details) {
  TRY(start->calls->begin(start->migrator, start->err));
  Code code = add(start, ret_details);
  if (code == CODE_OK) return start->calls->commit(start->migrator, start->err);
  start->calls->rollback(start->migrator);
  return code;
}

Code tables_start(Store *store, const Contract *contract, bool is_allowed_to_change, Arena *arena, Str *ret_details, Error *err) {
  Start start;
  if (store->driver->migrator == NULL) return CODE_OK;
  TRY(start_open(store, contract, arena, &start, err));
  bool may_add = is_allowed_to_change && !store->is_read_only && start.refused.len == 0;
  Code code = CODE_OK;
  if (may_add && start.missing.len > 0)
    code = add_in_transaction(&start, ret_details);
  else if (start.missing.len > 0 || start.refused.len > 0)
    code = explain(&start, ret_details) == CODE_OK ? differ(&start) : err->code;
  start.calls->close(start.migrator);
  return code;
}

Code tables_compare(Store *store, const Contract *contract, Arena *arena, Str *ret_differences, Error *err) {
  Start start;
  if (store->driver->migrator == NULL) return CODE_OK;
  TRY(start_open(store, contract, arena, &start, err));
  start.calls->close(start.migrator);
  if (start.missing.len == 0 && start.refused.len == 0) return CODE_OK;
  buf_add(&start.refused, buf_str(&start.missing));
  TRY(buf_finish(&start.refused, ret_differences, err));
  return differ(&start);
}
