/* write_conflict.c - what a store's constraint refused, told in the contract's names. Where a row breaks several, the first is told: the
 * key, then unique groups in the contract's order, whatever the order in which a store looks at its indexes. */
#include "query/write_row.h"

static bool has_column(Str columns, Str column) {
  Str part = {0};
  while (str_split_next(&columns, ',', &part)) {
    if (str_equal(str_trim(part), column)) return true;
  }
  return false;
}

/* As the store names it. */
static Code name_columns(Write *write, const WriteRow *row, Str columns, Error *err) {
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    if (!has_column(columns, field->column)) continue;
    if (!mistake_add(write, MISTAKE_NOT_UNIQUE, row->pointer, field->name, STR("is taken by another row"), (Str){0}))
      return error_no_memory(err);
  }
  return CODE_OK;
}

/* Values that the write gives, none of them null: null equals nothing. `is_changed` NULL: all are new. */
static bool can_be_taken(const WriteRow *row, const Field *const *fields, size_t count, const bool *is_changed) {
  bool is_any_new = false;
  for (size_t i = 0; i < count; i++) {
    size_t at = fields[i]->stored_index;
    if (row->row[at].type == VALUE_NULL) return false;
    is_any_new = is_any_new || is_changed == NULL || is_changed[at];
  }
  return is_any_new;
}

static Code name_taken(Write *write, const WriteRow *row, const Field *const *fields, size_t count, const bool *is_changed, bool *ret,
                       Error *err) {
  *ret = false;
  if (!can_be_taken(row, fields, count, is_changed)) return CODE_OK;
  TRY(write_is_taken(write, row->resource, fields, count, row->row, ret, err));
  if (!*ret) return CODE_OK;
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    for (size_t k = 0; k < count; k++) {
      if (fields[k] == field &&
          !mistake_add(write, MISTAKE_NOT_UNIQUE, row->pointer, field->name, STR("is taken by another row"), (Str){0}))
        return error_no_memory(err);
    }
  }
  return CODE_OK;
}

/* The first that is taken, by asking; *ret false where none is to be seen. */
static Code name_first(Write *write, const WriteRow *row, const bool *is_changed, bool *ret, Error *err) {
  const Resource *resource = row->resource;
  TRY(name_taken(write, row, resource->keys, resource->key_count, is_changed, ret, err));
  for (size_t i = 0; i < resource->unique_count && !*ret; i++)
    TRY(name_taken(write, row, resource->uniques[i].fields, resource->uniques[i].count, is_changed, ret, err));
  return CODE_OK;
}

/* A check, a type or a trigger of the database's own, of which the contract says nothing. */
static Code refuse_foreign_check(Write *write, const WriteRow *row, Error *err) {
  const Str detail = STR("the database has a rule of its own that refuses this row");
  if (!mistake_add(write, MISTAKE_CHECK, row->pointer, (Str){0}, detail, (Str){0})) return error_no_memory(err);
  return mistakes_refuse(write, err);
}

Code write_refuse_conflict(Write *write, const WriteRow *row, const bool *is_changed, const StoreConflict *conflict,
                           const Error *store_error, Error *err) {
  if (conflict->kind == STORE_CONFLICT_FOREIGN_KEY) {
    Problem *problem = problem_new(write->arena, CODE_CONFLICT, STR("other rows refer to this one, or the row that it refers to is gone"));
    TRY_ALLOC(problem);
    problem->is_restricted = true;
    return write_refuse(write, problem);
  }
  if (conflict->kind == STORE_CONFLICT_CHECK || conflict->kind == STORE_CONFLICT_NOT_NULL) return refuse_foreign_check(write, row, err);
  if (conflict->kind != STORE_CONFLICT_UNIQUE) return error_set(err, CODE_CONFLICT, "%s", store_error->text);
  bool is_named = false;
  /* A store that can't be asked any more looks at the key first, and then at the groups in the order in which they were made. */
  if (write->txn->driver->reads_after_conflict && row->resource->unique_count > 0) TRY(name_first(write, row, is_changed, &is_named, err));
  if (!is_named) TRY(name_columns(write, row, str_of(conflict->columns), err));
  Problem *problem = problem_new(write->arena, CODE_CONFLICT, STR("a value that must be unique is taken"));
  TRY_ALLOC(problem);
  problem->mistakes = write->mistakes.items;
  problem->mistake_count = write->mistakes.count;
  return write_refuse(write, problem);
}
