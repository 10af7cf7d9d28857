/* copy.c - see copy.h. The rows are read in the order of their keys, table by table, a referenced one before those that refer to it where
 * there is such an order; references and indexes are made behind the rows, so that no order is wrong and nothing is built row by row. */
#include "migrate/copy.h"

#include "migrate/copy_sum.h"
#include "migrate/difference.h"
#include "migrate/plan.h"
#include "migrate/script.h"
#include "migrate/start.h"
#include "migrate/unit.h"
#include "sql/select.h"

enum { TEXT_BYTES_MAX = 64 * 1024 * 1024 };

typedef struct Copy {
  const CopyOptions *options;
  const StoreMigrator *from_calls, *to_calls;
  Migrator *from, *to;
  const Resource **resources; /* in the order in which they are copied */
  size_t count;
  Layout is, should;  /* of the target */
  MigrationPlan rest; /* what follows the rows */
  RowsSum *sums;      /* of the source, one for each resource */
  int64_t total, done;
  CopyStage stage;
  Arena *arena;
  Str *ret_details;
  Error *err;
} Copy;

static void progress(const Copy *copy, Str table) {
  if (copy->options->progress != NULL) copy->options->progress(copy->options->context, copy->stage, table, copy->done, copy->total);
}

/* ---- the order ---- */

static bool is_placed(const Copy *copy, const Resource *resource) {
  for (size_t i = 0; i < copy->count; i++) {
    if (copy->resources[i] == resource) return true;
  }
  return false;
}

static bool is_ready(const Copy *copy, const Resource *resource) {
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->kind == FIELD_TO_ONE && field->relation->target != resource && !is_placed(copy, field->relation->target)) return false;
  }
  return true;
}

/* Where a circle leaves none ready, the first of it goes. */
static Code order(Copy *copy) {
  const Contract *contract = copy->options->contract;
  Error *err = copy->err;
  copy->resources = ARENA_ARRAY(copy->arena, const Resource *, contract->resource_count);
  copy->sums = ARENA_ARRAY(copy->arena, RowsSum, contract->resource_count);
  TRY_ALLOC(copy->resources);
  TRY_ALLOC(copy->sums);
  while (copy->count < contract->resource_count) {
    const Resource *first = NULL, *ready = NULL;
    for (size_t i = 0; i < contract->resource_count && ready == NULL; i++) {
      const Resource *resource = contract->resources[i];
      if (is_placed(copy, resource)) continue;
      if (first == NULL) first = resource;
      if (is_ready(copy, resource)) ready = resource;
    }
    copy->resources[copy->count++] = ready != NULL ? ready : first;
  }
  return CODE_OK;
}

/* ---- the target ---- */

/* What hangs on a table that is new as well. */
static bool step_is_addition(const Step *step) {
  return step->is_on_new_table && (step->kind == STEP_ADD_FOREIGN_KEY || step->kind == STEP_ADD_INDEX);
}

static Code refuse_target(Copy *copy) {
  Buf differences = buf_on(copy->arena, TEXT_BYTES_MAX);
  TRY(layout_differences(copy->to_calls, &copy->is, &copy->should, copy->arena, &differences, copy->err));
  *copy->ret_details = buf_str(&differences);
  return error_set(copy->err, CODE_CONFLICT, "the target has other tables than the contract: nothing was copied");
}

static Code on_row(void *context, const Str *columns, Error *err) {
  (void)columns;
  (void)err;
  *(bool *)context = true;
  return CODE_OK;
}

static Code check_empty(Copy *copy, const LayoutTable *table) {
  Error *err = copy->err;
  bool has_rows = false;
  Str sql = arena_printf(copy->arena, "SELECT 1 FROM %.*s LIMIT 1", STR_ARGS(table->quoted));
  TRY_ALLOC(sql.ptr);
  TRY(copy->to_calls->query(copy->to, sql.ptr, 1, on_row, &has_rows, err));
  if (!has_rows) return CODE_OK;
  return error_set(err, CODE_CONFLICT, "the target holds rows already, in %.*s: nothing was copied", STR_ARGS(table->name));
}

static Code run_script(Copy *copy, const MigrationPlan *plan) {
  Script script = {0};
  TRY(script_from_plan(copy->to_calls, plan, true, copy->arena, &script, copy->err));
  for (size_t i = 0; i < script.statements.count; i++)
    TRY(copy->to_calls->execute(copy->to, script.statements.items[i].sql.ptr, copy->err));
  return CODE_OK;
}

/* A table that is there already would check each row's references as it comes: they go, and come back behind the rows. */
static Code references_drop(Copy *copy, const LayoutTable *table) {
  Error *err = copy->err;
  for (size_t i = 0; i < table->foreign_keys.count; i++) {
    Buf sql = buf_on(copy->arena, TEXT_BYTES_MAX);
    Str text;
    if (table->foreign_keys.items[i].name.len == 0) continue;
    buf_printf(&sql, "ALTER TABLE %.*s DROP CONSTRAINT ", STR_ARGS(table->quoted));
    sql_write_identifier(&sql, table->foreign_keys.items[i].name);
    buf_add_byte(&sql, '\0');
    TRY(buf_finish(&sql, &text, err));
    TRY(copy->to_calls->execute(copy->to, text.ptr, err));
  }
  return CODE_OK;
}

static Code references_restore(Copy *copy, const LayoutTable *table) {
  Error *err = copy->err;
  for (size_t i = 0; i < table->foreign_keys.count; i++) {
    if (table->foreign_keys.items[i].add_sql.len == 0) continue;
    Str sql = arena_str(copy->arena, table->foreign_keys.items[i].add_sql);
    TRY_ALLOC(sql.ptr);
    TRY(copy->to_calls->execute(copy->to, sql.ptr, err));
  }
  return CODE_OK;
}

static Code target_prepare(Copy *copy) {
  bool is_ours = false;
  Error *err = copy->err;
  MigrationPlan plan, tables;
  TRY(copy->to_calls->read(copy->to, copy->options->contract, copy->arena, &copy->is, &is_ours, err));
  if (!is_ours) return error_set(err, CODE_CONFLICT, "the target was not made by Caisson: nothing is ever copied into such a database");
  TRY(copy->to_calls->layout_of(copy->options->contract, copy->arena, &copy->should, err));
  TRY(migration_plan(copy->to_calls, &copy->is, &copy->should, false, copy->arena, &plan, err));
  tables = copy->rest = plan;
  tables.steps.items = copy->rest.steps.items = NULL;
  tables.steps.count = tables.steps.cap = copy->rest.steps.count = copy->rest.steps.cap = 0;
  for (size_t i = 0; i < plan.steps.count; i++) {
    const Step *step = &plan.steps.items[i];
    bool is_new = step->kind == STEP_CREATE_TABLE;
    if (difference_is_none(step)) continue;
    if (!is_new && !step_is_addition(step)) return refuse_target(copy);
    if (is_new ? !VEC_PUSH(copy->arena, &tables.steps, *step) : !VEC_PUSH(copy->arena, &copy->rest.steps, *step))
      return error_no_memory(err);
  }
  if (plan.refusals.len > 0) return refuse_target(copy);
  for (size_t i = 0; i < copy->is.tables.count; i++) TRY(check_empty(copy, &copy->is.tables.items[i]));
  if (copy->to_calls->prepare != NULL) TRY(copy->to_calls->prepare(copy->to, err));
  TRY(copy->to_calls->mark(copy->to, err));
  for (size_t i = 0; i < copy->is.tables.count; i++) TRY(references_drop(copy, &copy->is.tables.items[i]));
  return run_script(copy, &tables);
}

/* References and indexes, of new tables and of those that were there. */
static Code target_finish(Copy *copy) {
  copy->stage = COPY_INDEXES;
  progress(copy, STR(""));
  for (size_t i = 0; i < copy->is.tables.count; i++) {
    const LayoutTable *table = store_layout_table(&copy->should, copy->is.tables.items[i].name, str_equal);
    if (table != NULL) TRY(references_restore(copy, table));
  }
  Code code = run_script(copy, &copy->rest);
  if (code != CODE_CONFLICT) return code;
  Error inner = *copy->err;
  return error_set(copy->err, CODE_CONFLICT, "the rows don't fit together: %.180s", inner.text);
}

/* ---- rows ---- */

static Code select_make(Copy *copy, const SqlDialect *dialect, const Resource *resource, StoreStatement *ret) {
  Error *err = copy->err;
  SqlWriter writer = {.arena = copy->arena, .dialect = dialect};
  SqlSelect *select = sql_select_create(&writer, NULL);
  TRY_ALLOC(select);
  SqlScope *scope = sql_select_from(select, resource);
  StoreColumn *columns = ARENA_ARRAY(copy->arena, StoreColumn, resource->stored_count);
  TRY_ALLOC(scope);
  TRY_ALLOC(columns);
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    sql_select_next_column(select);
    sql_write_readable(&writer, sql_select_columns(select), scope, field);
    columns[i] = (StoreColumn){.type = field_value_type(field), .is_foreign = field->column_type.len > 0, .field = field};
  }
  for (size_t i = 0; i < resource->key_count; i++) sql_write_column(sql_select_order(select), scope, resource->keys[i]);
  *ret = (StoreStatement){.id = store_statement_id(), .columns = columns, .column_count = resource->stored_count};
  return sql_select_finish(select, &ret->sql, err);
}

typedef struct Rows {
  Copy *copy;
  const Resource *resource;
  RowsSum *sum;
  bool is_filling;
} Rows;

static Code on_values(void *context, const Value *row, Error *err) {
  Rows *rows = context;
  Copy *copy = rows->copy;
  TRY(rows_sum_add(rows->sum, rows->resource, row, err));
  copy->done++;
  progress(copy, rows->resource->table);
  return rows->is_filling ? copy->to_calls->fill_add(copy->to, row, err) : CODE_OK;
}

/* A value that is none of its type's is the data's fault, not ours. */
static Code scan(Rows *rows, Migrator *migrator, const SqlDialect *dialect) {
  Copy *copy = rows->copy;
  StoreStatement statement;
  TRY(select_make(copy, dialect, rows->resource, &statement));
  Code code = migrator->calls->scan(migrator, &statement, on_values, rows, copy->err);
  return code == CODE_INTERNAL ? copy->err->code = CODE_CONFLICT : code;
}

static Code table_copy(Copy *copy, size_t at) {
  Rows rows = {copy, copy->resources[at], &copy->sums[at], true};
  Error filling;
  progress(copy, rows.resource->table);
  TRY(copy->to_calls->fill_begin(copy->to, rows.resource, copy->err));
  Code code = scan(&rows, copy->from, copy->options->from->driver->dialect);
  /* What has been sent may have been refused, and that is the reason for what failed later. */
  Code ended = copy->to_calls->fill_end(copy->to, code == CODE_OK ? copy->err : &filling);
  if (code == CODE_OK) code = ended;
  if (code != CODE_CONFLICT) return code;
  Error inner = *copy->err;
  return error_set(copy->err, CODE_CONFLICT, "%.*s: %.190s", STR_ARGS(rows.resource->table), inner.text);
}

static Code table_compare(Copy *copy, size_t at, CopiedTables *ret) {
  Error *err = copy->err;
  const RowsSum *was = &copy->sums[at];
  RowsSum is = {.arena = was->arena};
  Rows rows = {copy, copy->resources[at], &is, false};
  Str table = rows.resource->table;
  TRY(scan(&rows, copy->to, copy->options->to->driver->dialect));
  if (is.rows != was->rows)
    return error_set(err, CODE_CONFLICT, "%.*s: %lld rows were read and %lld are there: nothing was copied", STR_ARGS(table),
                     (long long)was->rows, (long long)is.rows);
  if (is.sum[0] != was->sum[0] || is.sum[1] != was->sum[1])
    return error_set(err, CODE_CONFLICT,
                     "%.*s: what is stored is not what was read, since a column's type (@column(type:)) can't hold it: nothing was copied",
                     STR_ARGS(table));
  CopiedTable copied = {.table = table, .rows = is.rows, .sum = {is.sum[0], is.sum[1]}};
  return VEC_PUSH(copy->arena, ret, copied) ? CODE_OK : error_no_memory(err);
}

static Code on_count(void *context, const Str *columns, Error *err) {
  int64_t n = 0;
  (void)err;
  if (str_parse_int64(columns[0], &n)) *(int64_t *)context += n;
  return CODE_OK;
}

/* For the progress alone. */
static Code count(Copy *copy) {
  Error *err = copy->err;
  for (size_t i = 0; i < copy->count; i++) {
    Buf sql = buf_on(copy->arena, TEXT_BYTES_MAX);
    Str text;
    buf_add(&sql, STR("SELECT count(*) FROM "));
    sql_write_table(&sql, copy->resources[i]);
    buf_add_byte(&sql, '\0');
    TRY(buf_finish(&sql, &text, err));
    TRY(copy->from_calls->query(copy->from, text.ptr, 1, on_count, &copy->total, err));
  }
  return CODE_OK;
}

/* ---- all of it ---- */

static Code run(Copy *copy, CopiedTables *ret) {
  Arena *row = arena_create(0);
  Error *err = copy->err;
  TRY_ALLOC(row);
  for (size_t i = 0; i < copy->count; i++) copy->sums[i].arena = row;
  Code code = target_prepare(copy);
  if (code == CODE_OK && copy->options->progress != NULL) code = count(copy);
  for (size_t i = 0; code == CODE_OK && i < copy->count; i++) code = table_copy(copy, i);
  if (code == CODE_OK) code = target_finish(copy);
  copy->stage = COPY_COMPARISON;
  copy->done = 0;
  for (size_t i = 0; code == CODE_OK && i < copy->count; i++) code = table_compare(copy, i, ret);
  arena_destroy(row);
  return code;
}

static Code in_transactions(Copy *copy, CopiedTables *ret) {
  TRY(copy->from_calls->snapshot(copy->from, copy->err));
  TRY(copy->to_calls->begin(copy->to, copy->err));
  Code code = run(copy, ret);
  if (code == CODE_OK) return copy->to_calls->commit(copy->to, copy->err);
  copy->to_calls->rollback(copy->to);
  return code;
}

/* The source must have what the contract names. */
static Code source_check(const CopyOptions *options, Arena *arena, Str *ret_details, Error *err) {
  Code code = tables_compare(options->from, options->contract, arena, ret_details, err);
  return code == CODE_CONFLICT ? error_set(err, code, "the source is not as the contract says: nothing was copied") : code;
}

Code store_copy(const CopyOptions *options, Arena *arena, CopiedTables *ret, Str *ret_details, Error *err) {
  Copy copy = {.options = options,
               .from_calls = options->from->driver->migrator,
               .to_calls = options->to->driver->migrator,
               .arena = arena,
               .ret_details = ret_details,
               .err = err};
  TRY(source_check(options, arena, ret_details, err));
  TRY(order(&copy));
  TRY(options->from->driver->migrator_open(options->from, options->lock_timeout_ms, MIGRATOR_READS, &copy.from, err));
  Code code = options->to->driver->migrator_open(options->to, options->lock_timeout_ms, MIGRATOR_WRITES, &copy.to, err);
  if (code == CODE_OK) code = in_transactions(&copy, ret);
  copy.to_calls->close(copy.to);
  copy.from_calls->close(copy.from);
  return code;
}
