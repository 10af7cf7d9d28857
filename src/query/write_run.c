/* write_run.c - the program of a write, inside the store's transaction: each row goes through its own rule (404, 403), READ_ONLY and
 * IMMUTABLE, checks and references (422), then uniqueness and restricted deletes (409). The first row that fails is the answer. A row that
 * others refer to comes before them. */
#include "query/write_row.h"

#include "query/etag.h"
#include "query/explain_impl.h"

static const Problem *not_found(Arena *arena) {
  return problem_create(arena, CODE_NOT_FOUND, STR("there is no such resource, or you may not see it"));
}

static Code no_such_row(Write *write, const WriteRow *row, Error *err) {
  if (row->old != NULL) TRY(explain_refusal(write, row, NULL, RULE_READ, row->resource->access[RULE_READ], err));
  /* Where the row was named in a nested write, its place is what is wrong. */
  bool is_nested = row->child_of != NULL || row->action == ROW_CONNECT;
  if (!is_nested) return write_refuse(write, not_found(write->arena));
  Str pointer = row->pointer;
  if (row->action == ROW_UPDATE) pointer.len -= STR("/data").len;
  if (!mistake_add(write, MISTAKE_REFERENCE, pointer, (Str){0}, STR("there is no such row here"), (Str){0})) return error_no_memory(err);
  return mistakes_refuse(write, err);
}

/* ---- what a row may not change ---- */

static Code refuse_rule(Write *write, const Resource *resource, const Field *field, RuleAction action) {
  return write_refuse(write, rule_refusal(write->arena, write->call->operation.caller, resource, field, action));
}

static Code check_row_rule(Write *write, const WriteRow *row, RuleAction action, Error *err) {
  bool is_allowed = false;
  TRY(write_rule_holds(write, row->resource->access[action], row->resource, row->row, row->old, &is_allowed, err));
  if (is_allowed) return CODE_OK;
  TRY(explain_refusal(write, row, NULL, action, row->resource->access[action], err));
  return refuse_rule(write, row->resource, NULL, action);
}

static Code check_field_rules(Write *write, const WriteRow *row, const bool *is_changed, RuleAction action, Error *err) {
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    const Expr *rule = is_changed[i] ? field_rule(field, action) : NULL;
    if (rule == NULL) continue;
    bool is_allowed = false;
    TRY(write_rule_holds(write, rule, row->resource, row->row, row->old, &is_allowed, err));
    if (is_allowed) continue;
    TRY(explain_refusal(write, row, field, action, rule, err));
    return refuse_rule(write, row->resource, field, action);
  }
  return CODE_OK;
}

/* A relation that the path has said already may be repeated, not contradicted. */
static Code note_other_path(Write *write, const WriteRow *row, Error *err) {
  for (size_t i = 0; row->of_path != NULL && i < row->references.count; i++) {
    const WriteReference *reference = &row->references.items[i];
    bool is_other = false;
    for (size_t k = 0; k < reference->relation->key_count; k++) {
      size_t index = reference->relation->keys[k]->stored_index, target_index = reference->relation->target->keys[k]->stored_index;
      if (!row->of_path[index]) continue;
      is_other = is_other || reference->target == NULL || !write_values_equal(&row->values[index], &reference->target->row[target_index]);
    }
    if (is_other &&
        !mistake_add(write, MISTAKE_IMMUTABLE, reference->pointer, (Str){0}, STR("must be the row that the path names"), (Str){0})) {
      return error_no_memory(err);
    }
  }
  return CODE_OK;
}

static Code check_unchangeable(Write *write, const WriteRow *row, const bool *is_changed, Error *err) {
  TRY(note_other_path(write, row, err));
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    if (!is_changed[i]) continue;
    bool is_read_only = field->is_readonly || field->is_server_made;
    bool is_fixed = row->old != NULL && (field->is_immutable || field->is_key);
    if (!is_read_only && !is_fixed) continue;
    bool is_noted =
        is_read_only ? mistake_add(write, MISTAKE_READ_ONLY, row->pointer, field->name, STR("is set by the server"), (Str){0})
                     : mistake_add(write, MISTAKE_IMMUTABLE, row->pointer, field->name, STR("can't be changed once it is set"), (Str){0});
    if (!is_noted) return error_no_memory(err);
  }
  return mistakes_refuse(write, err);
}

/* ---- checks and references ---- */

static Code check_checks(Write *write, const WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->resource->check_count; i++) {
    const Check *check = &row->resource->checks[i];
    bool holds = false;
    TRY(write_rule_holds(write, check->expr, row->resource, row->row, NULL, &holds, err));
    if (holds) continue;
    Str detail = check->message.len > 0 ? check->message : arena_printf(write->arena, "must satisfy: %.*s", STR_ARGS(check->source));
    if (detail.ptr == NULL || !mistake_add(write, MISTAKE_CHECK, row->pointer, (Str){0}, detail, (Str){0})) return error_no_memory(err);
  }
  return CODE_OK;
}

/* Made or found by this very write: it need not be looked for. */
static bool is_reference_known(const WriteRow *row, const Relation *relation) {
  if (row->child_of == relation && row->parent_row != NULL && row->action != ROW_UPDATE) return true;
  for (size_t i = 0; i < row->references.count; i++) {
    if (row->references.items[i].relation == relation) return true;
  }
  return false;
}

static bool is_reference_changed(const WriteRow *row, const Relation *relation, const bool *is_changed) {
  bool any = false;
  for (size_t k = 0; k < relation->key_count; k++) {
    size_t index = relation->keys[k]->stored_index;
    if (value_is_null(&row->row[index])) return false;
    any = any || is_changed[index];
  }
  return any;
}

static Code check_references(Write *write, const WriteRow *row, const bool *is_changed, Error *err) {
  for (size_t i = 0; i < row->resource->field_count; i++) {
    const Field *field = row->resource->fields[i];
    if (field->kind != FIELD_TO_ONE || !is_reference_changed(row, field->relation, is_changed) || is_reference_known(row, field->relation))
      continue;
    bool is_there = false;
    TRY(write_reference_exists(write, field->relation, row->row, &is_there, err));
    for (size_t k = 0; !is_there && k < field->relation->key_count; k++) {
      Str detail = arena_printf(write->arena, "there is no such %.*s", STR_ARGS(field->relation->target->name));
      if (detail.ptr == NULL || !mistake_add(write, MISTAKE_REFERENCE, row->pointer, field->relation->keys[k]->name, detail, (Str){0})) {
        return error_no_memory(err);
      }
    }
  }
  return CODE_OK;
}

/* Half a composite reference points nowhere; input says what it fills (write_input.c), this looks at what a change leaves. A part that is
 * required belongs to another key as well, so it alone is no half. */
static Code check_halves(Write *write, const WriteRow *row, const bool *is_changed, Error *err) {
  for (size_t i = 0; i < row->resource->field_count; i++) {
    const Field *field = row->resource->fields[i];
    if (field->kind != FIELD_TO_ONE || field->relation->key_count < 2) continue;
    const Relation *relation = field->relation;
    bool is_touched = false, is_begun = false;
    for (size_t k = 0; k < relation->key_count; k++) {
      size_t index = relation->keys[k]->stored_index;
      is_touched = is_touched || is_changed[index];
      is_begun = is_begun || (!relation->keys[k]->is_required && !value_is_null(&row->row[index]));
    }
    for (size_t k = 0; is_touched && is_begun && k < relation->key_count; k++) {
      if (!value_is_null(&row->row[relation->keys[k]->stored_index])) continue;
      if (!mistake_add(write, MISTAKE_REQUIRED, row->pointer, relation->keys[k]->name, STR("is required: the reference has several parts"),
                       (Str){0})) {
        return error_no_memory(err);
      }
    }
  }
  return CODE_OK;
}

/* What a default made null although the field needs it (its expression is over a claim that the caller lacks, say), or made otherwise than
 * the field may be. */
static Code check_defaults(Write *write, const WriteRow *row, const bool *is_stored, Error *err) {
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    TRY(write_check_made(write, row, field, &row->row[i], err));
    if (!is_stored[i] || !field->is_required || !value_is_null(&row->row[i])) continue;
    if (!mistake_add(write, MISTAKE_REQUIRED, row->pointer, field->name, STR("is required"), (Str){0})) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code check_content(Write *write, const WriteRow *row, const bool *is_changed, Error *err) {
  TRY(check_checks(write, row, err));
  if (row->old != NULL) TRY(check_halves(write, row, is_changed, err));
  TRY(check_references(write, row, is_changed, err));
  return mistakes_refuse(write, err);
}

/* ---- create ---- */

static Code fill_defaults(Write *write, const WriteRow *row, Value *defaults, Error *err) {
  for (size_t i = 0; i < row->resource->stored_count; i++) TRY(write_default(write, row->resource->stored[i], &defaults[i], err));
  return mistakes_refuse(write, err);
}

static Code do_references(Write *write, WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->references.count; i++) {
    const WriteReference *reference = &row->references.items[i];
    if (reference->target != NULL) TRY(write_row_run(write, reference->target, err));
    for (size_t k = 0; k < reference->relation->key_count; k++) {
      const Field *key = reference->relation->keys[k], *target_key = reference->relation->target->keys[k];
      if (row->of_path != NULL && row->of_path[key->stored_index]) continue;
      row->values[key->stored_index] = reference->target == NULL ? value_null() : reference->target->row[target_key->stored_index];
      row->given[key->stored_index] = true;
    }
  }
  return CODE_OK;
}

/* A child that is asked to belong to another row than the one it is nested in: noted at the place that says so. */
static Code note_other_parent(Write *write, const WriteRow *row, const Field *key, Error *err) {
  Str pointer = row->pointer, name = key->name;
  for (size_t i = 0; i < row->references.count; i++) {
    if (row->references.items[i].relation != row->child_of) continue;
    pointer = row->references.items[i].pointer;
    name = (Str){0};
  }
  return mistake_add(write, MISTAKE_IMMUTABLE, pointer, name, STR("must be the row that this one is nested in"), (Str){0})
             ? CODE_OK
             : error_no_memory(err);
}

/* A child belongs to its parent's row: its input may say so, and nothing else. */
static Code belong_to_parent(Write *write, WriteRow *row, Error *err) {
  if (row->child_of == NULL || row->parent_row == NULL) return CODE_OK;
  for (size_t k = 0; k < row->child_of->key_count; k++) {
    const Field *key = row->child_of->keys[k];
    const Value *parents = &row->parent_row[row->child_of->target->keys[k]->stored_index];
    bool is_other =
        row->action == ROW_CREATE && row->given[key->stored_index] && !write_values_equal(&row->values[key->stored_index], parents);
    if (is_other) TRY(note_other_parent(write, row, key, err));
    row->values[key->stored_index] = *parents;
    row->given[key->stored_index] = true;
  }
  return CODE_OK; /* what was noted is refused with what can't be changed, after the access rules */
}

/* Beside what a nested row says of itself: it may be a row that this write has been through, and a delete reaches the rows that refer to
 * it. */
static void note_disturbance(Write *write, const WriteRow *child) {
  if (child->action == ROW_CREATE) return;
  write->is_disturbed = write->is_disturbed || child->action == ROW_DELETE || child->resource == write->call->operation.resource;
}

static Code do_children(Write *write, WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->children.count; i++) {
    row->children.items[i]->parent_row = row->row;
    note_disturbance(write, row->children.items[i]);
    TRY(write_row_run(write, row->children.items[i], err));
  }
  return CODE_OK;
}

static Code insert(Write *write, WriteRow *row, const bool *is_stored, Error *err) {
  StoreConflict conflict = {0};
  Error store_error = {0};
  Code code = write_insert(write, row->resource, row->row, is_stored, &conflict, &store_error);
  if (code == CODE_CONFLICT) return write_refuse_conflict(write, row, NULL, &conflict, &store_error, err);
  if (code != CODE_OK && err != NULL) *err = store_error;
  return code;
}

static Code create(Write *write, WriteRow *row, Error *err) {
  const Resource *resource = row->resource;
  Value *defaults = ARENA_ARRAY(write->arena, Value, resource->stored_count);
  bool *is_changed = ARENA_ARRAY(write->arena, bool, resource->stored_count);
  bool *is_stored = ARENA_ARRAY(write->arena, bool, resource->stored_count);
  row->row = ARENA_ARRAY(write->arena, Value, resource->stored_count);
  TRY_ALLOC(defaults);
  TRY_ALLOC(is_changed);
  TRY_ALLOC(is_stored);
  TRY_ALLOC(row->row);
  TRY(do_references(write, row, err));
  TRY(fill_defaults(write, row, defaults, err));
  TRY(belong_to_parent(write, row, err));
  bool *is_asked = ARENA_ARRAY(write->arena, bool, resource->stored_count);
  TRY_ALLOC(is_asked);
  for (size_t i = 0; i < resource->stored_count; i++) {
    row->row[i] = row->given[i] ? row->values[i] : defaults[i];
    is_stored[i] = row->given[i] || resource->stored[i]->default_kind != DEFAULT_DATABASE;
    is_changed[i] = !value_is_null(&row->row[i]);
    /* A value that equals the default is not a write. */
    is_asked[i] = row->given[i] && !write_values_equal(&row->row[i], &defaults[i]);
  }
  TRY(check_row_rule(write, row, RULE_CREATE, err));
  TRY(check_field_rules(write, row, is_asked, RULE_CREATE, err));
  TRY(check_unchangeable(write, row, is_asked, err));
  TRY(check_defaults(write, row, is_stored, err));
  TRY(check_content(write, row, is_changed, err));
  TRY(insert(write, row, is_stored, err));
  TRY(change_record(write, CHANGE_CREATED, resource, row->row, NULL, err));
  row->is_created = true;
  return do_children(write, row, err);
}

/* ---- update ---- */

static Code load(Write *write, WriteRow *row, bool *ret_visible, Error *err) {
  return write_load(write, row->resource, row->where, row->where_values, row->where_count, &row->old, ret_visible, err);
}

static bool is_parents(const WriteRow *row) {
  for (size_t k = 0; k < row->child_of->key_count; k++) {
    const Value *mine = &row->old[row->child_of->keys[k]->stored_index];
    if (!write_values_equal(mine, &row->parent_row[row->child_of->target->keys[k]->stored_index])) return false;
  }
  return true;
}

/* If-Match compares with the whole resource's tag, as this caller sees it. */
static Code check_precondition(Write *write, const WriteRow *row, Error *err) {
  const Operation *operation = &write->call->operation;
  bool is_root = row == write->call->plan->rows[0];
  if (!is_root || (!operation->if_match.is_given && !operation->if_none_match.is_given)) return CODE_OK;
  bool is_there = row->old != NULL;
  uint64_t tag = 0;
  if (is_there) TRY(write_etag(write, row, &tag, err));
  if (operation->if_match.is_given && (!is_there || !etag_matches(&operation->if_match, tag))) {
    return write_refuse(write, problem_create(write->arena, CODE_PRECONDITION_FAILED,
                                              STR("the resource has another ETag than If-Match names: read it again")));
  }
  if (operation->if_none_match.is_given && is_there && etag_matches(&operation->if_none_match, tag)) {
    return write_refuse(write,
                        problem_create(write->arena, CODE_PRECONDITION_FAILED, STR("the resource has the ETag that If-None-Match names")));
  }
  return CODE_OK;
}

/* A patch is made against what its caller sees. */
static Code apply_patch(Write *write, WriteRow *row, Error *err) {
  if (row->patch == NULL) return CODE_OK;
  bool *visible = ARENA_ARRAY(write->arena, bool, row->resource->stored_count);
  TRY_ALLOC(visible);
  memset(row->given, 0, row->resource->stored_count * sizeof *row->given);
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    const Expr *rule = field_rule(field, RULE_READ);
    visible[i] = !field->is_hidden;
    if (visible[i] && rule != NULL) TRY(write_rule_holds(write, rule, row->resource, row->old, NULL, &visible[i], err));
  }
  return write_patch(write, row, visible, err);
}

/* The row as it is to be, and what of it changes. */
static Code apply(Write *write, WriteRow *row, bool *is_changed, bool *ret_any, Error *err) {
  *ret_any = false;
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    row->row[i] = row->given[i] ? row->values[i] : row->old[i];
    if (row->given[i] && row->merges != NULL && row->merges[i] != NULL)
      TRY(write_merge(write, row, field, &row->old[i], &row->row[i], err));
    is_changed[i] = row->given[i] && !write_values_equal(&row->row[i], &row->old[i]);
    *ret_any = *ret_any || is_changed[i];
  }
  return mistakes_refuse(write, err);
}

static Code store_changes(Write *write, WriteRow *row, const bool *is_changed, Error *err) {
  StoreConflict conflict = {0};
  Error store_error = {0};
  Code code = write_update(write, row->resource, row->old, row->row, is_changed, &conflict, &store_error);
  if (code == CODE_CONFLICT) return write_refuse_conflict(write, row, is_changed, &conflict, &store_error, err);
  if (code != CODE_OK && err != NULL) *err = store_error;
  return code;
}

static Code change(Write *write, WriteRow *row, Error *err) {
  bool any = false;
  bool *is_changed = ARENA_ARRAY(write->arena, bool, row->resource->stored_count);
  row->row = ARENA_ARRAY(write->arena, Value, row->resource->stored_count);
  TRY_ALLOC(is_changed);
  TRY_ALLOC(row->row);
  TRY(apply_patch(write, row, err));
  TRY(do_references(write, row, err));
  TRY(apply(write, row, is_changed, &any, err));
  TRY(check_row_rule(write, row, RULE_UPDATE, err));
  TRY(check_field_rules(write, row, is_changed, RULE_UPDATE, err));
  TRY(check_precondition(write, row, err));
  TRY(check_unchangeable(write, row, is_changed, err));
  if (any) TRY(check_content(write, row, is_changed, err));
  if (any) TRY(store_changes(write, row, is_changed, err));
  if (any) TRY(change_record(write, CHANGE_UPDATED, row->resource, row->row, row->old, err));
  return do_children(write, row, err);
}

static Code update(Write *write, WriteRow *row, Error *err) {
  bool is_visible = false;
  TRY(load(write, row, &is_visible, err));
  if (!is_visible || (row->child_of != NULL && !is_parents(row))) return no_such_row(write, row, err);
  return change(write, row, err);
}

/* Connecting over a to-many relation, and disconnecting, update the child. */
static Code relink(Write *write, WriteRow *row, Error *err) {
  bool is_visible = false;
  TRY(load(write, row, &is_visible, err));
  bool is_wrong_parent = row->action == ROW_DISCONNECT && row->old != NULL && !is_parents(row);
  if (!is_visible || is_wrong_parent) return no_such_row(write, row, err);
  if (row->child_of == NULL) { /* a to-one is connected: the row itself stays as it is */
    row->row = (Value *)row->old;
    return CODE_OK;
  }
  if (row->action == ROW_DISCONNECT && row->child_of->is_required) {
    if (!mistake_add(write, MISTAKE_REQUIRED, row->pointer, (Str){0},
                     STR("the relation is required: delete the row, or connect it elsewhere"), (Str){0})) {
      return error_no_memory(err);
    }
    return mistakes_refuse(write, err);
  }
  TRY(belong_to_parent(write, row, err));
  for (size_t k = 0; row->action == ROW_DISCONNECT && k < row->child_of->key_count; k++) {
    row->values[row->child_of->keys[k]->stored_index] = value_null();
  }
  return change(write, row, err);
}

/* ---- replace ---- */

/* What is not given goes back to its default, or to null; what only the server sets, and what is set once, stays. */
static Code reset_others(Write *write, WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    bool stays = field->is_key || field->is_readonly || field->is_immutable || field->is_server_made;
    if (row->given[i] || stays) continue;
    TRY(write_default(write, field, &row->values[i], err));
    TRY(write_check_made(write, row, field, &row->values[i], err));
    row->given[i] = true;
  }
  return mistakes_refuse(write, err);
}

/* The key in the body, where it is given, must be the path's. */
static Code check_body_key(Write *write, const WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->where_count; i++) {
    if (write_values_equal(&row->values[row->where[i]->stored_index], &row->where_values[i])) continue;
    if (!mistake_add(write, MISTAKE_IMMUTABLE, row->pointer, row->where[i]->name, STR("must be the key that the path names"), (Str){0}))
      return error_no_memory(err);
  }
  return mistakes_refuse(write, err);
}

static Code replace(Write *write, WriteRow *row, Error *err) {
  bool is_visible = false;
  TRY(load(write, row, &is_visible, err));
  if (row->old != NULL && !is_visible) return no_such_row(write, row, err);
  if (row->old != NULL) {
    TRY(reset_others(write, row, err));
    return change(write, row, err);
  }
  if (resource_is_key_made(row->resource)) return no_such_row(write, row, err);
  TRY(check_precondition(write, row, err));
  TRY(check_body_key(write, row, err));
  return create(write, row, err);
}

/* ---- delete ---- */

static Code check_restricted(Write *write, const WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->resource->referrer_count; i++) {
    const Relation *relation = row->resource->referrers[i];
    if (relation->on_delete != ON_DELETE_RESTRICT) continue;
    bool is_referenced = false;
    TRY(write_is_referenced(write, relation, row->old, &is_referenced, err));
    if (!is_referenced) continue;
    Str detail =
        arena_printf(write->arena, "%.*s.%.*s still refers to it", STR_ARGS(relation->source->name), STR_ARGS(relation->field->name));
    TRY_ALLOC(detail.ptr);
    Problem *problem = problem_new(write->arena, CODE_CONFLICT, detail);
    TRY_ALLOC(problem);
    problem->is_restricted = true;
    return write_refuse(write, problem);
  }
  return CODE_OK;
}

static Code delete_row(Write *write, WriteRow *row, Error *err) {
  bool is_visible = false;
  TRY(load(write, row, &is_visible, err));
  if (!is_visible || (row->child_of != NULL && !is_parents(row))) return no_such_row(write, row, err);
  row->row = (Value *)row->old;
  TRY(check_row_rule(write, row, RULE_DELETE, err));
  TRY(check_precondition(write, row, err));
  TRY(check_restricted(write, row, err));
  TRY(write_answer_deleted(write, row, err));
  TRY(change_record_cascade(write, row->resource, row->old, err));
  StoreConflict conflict = {0};
  Error store_error = {0};
  Code code = write_delete(write, row->resource, row->old, &conflict, &store_error);
  if (code == CODE_CONFLICT && conflict.kind == STORE_CONFLICT_CHECK)
    return error_set(err, CODE_CONFLICT, "the database has a rule of its own that keeps this row");
  if (code == CODE_CONFLICT) return write_refuse_conflict(write, row, NULL, &conflict, &store_error, err);
  if (code != CODE_OK && err != NULL) *err = store_error;
  return code == CODE_OK ? change_record(write, CHANGE_DELETED, row->resource, row->old, row->old, err) : code;
}

Code write_row_run(Write *write, WriteRow *row, Error *err) {
  static Code (*const run[])(Write *, WriteRow *, Error *) = {[ROW_CREATE] = create,     [ROW_UPDATE] = update,  [ROW_REPLACE] = replace,
                                                              [ROW_DELETE] = delete_row, [ROW_CONNECT] = relink, [ROW_DISCONNECT] = relink};
  return run[row->action](write, row, err);
}
