/* write_answer.c - what a write gives back: its rows as their writer may read them. Straight from memory where the row says it all, else
 * read again in the same transaction. */
#include "query/etag.h"
#include "query/write_row.h"

/* As a face gives it to its client: enums by name. */
static Code key_of(Write *write, const WriteRow *row, const Value **ret, Error *err) {
  Value *key = ARENA_ARRAY(write->arena, Value, row->resource->key_count);
  TRY_ALLOC(key);
  for (size_t i = 0; i < row->resource->key_count; i++) {
    const Field *field = row->resource->keys[i];
    key[i] = row->row[field->stored_index];
    if (field->type == TYPE_ENUM && key[i].type == VALUE_TEXT) key[i].text = enum_name_of(field->enum_type, key[i].text);
  }
  *ret = key;
  return CODE_OK;
}

/* Nothing of it has to be asked for: stored fields without rules of their own, under a rule that needs the row alone. */
static bool is_in_memory(const WriteRow *row, const Selection *selection) {
  const Expr *rule = row->resource->access[RULE_READ];
  if (rule != NULL && rule->has_relations) return false;
  for (size_t i = 0; i < selection->count; i++) {
    const Field *field = selection->items[i].field;
    if (field->kind != FIELD_STORED || field_rule(field, RULE_READ) != NULL || field->column_type.len > 0) return false;
  }
  return true;
}

static Code answer_from_memory(Write *write, const WriteRow *row, const Selection *selection, ResultSink *sink, bool *ret_given,
                               uint64_t *ret_tag, Error *err) {
  bool is_visible = false;
  TRY(write_rule_holds(write, row->resource->access[RULE_READ], row->resource, row->row, NULL, &is_visible, err));
  *ret_given = is_visible;
  if (!is_visible) return CODE_OK;
  Value *values = ARENA_ARRAY(write->arena, Value, selection->count);
  TRY_ALLOC(values);
  for (size_t i = 0; i < selection->count; i++) {
    const Field *field = selection->items[i].field;
    values[i] = row->row[field->stored_index];
    if (field->type == TYPE_ENUM && values[i].type == VALUE_TEXT) values[i].text = enum_name_of(field->enum_type, values[i].text);
  }
  *ret_tag = etag_of_row(selection, values, 0);
  return sink == NULL ? CODE_OK : sink->row(sink, selection, values, err);
}

/* A GET of the row by the same caller, in this transaction. */
static Code answer_from_store(Write *write, const Resource *resource, const Value *key, Selection *selection, ResultSink *sink,
                              bool *ret_given, uint64_t *ret_tag, Error *err) {
  Operation *get = ARENA_NEW(write->arena, Operation);
  TRY_ALLOC(get);
  *get = (Operation){.action = ACTION_GET,
                     .resource = resource,
                     .key = key,
                     .selection = selection,
                     .caller = write->call->operation.caller,
                     .now_us = write->call->operation.now_us};
  ReadCall *read = NULL;
  Result result = {0};
  TRY(read_call_create(write->engine, get, sink, write->arena, &read, err));
  TRY(store_txn_read(write->txn, &read->read, err));
  TRY(read_finish(read, &result, err));
  *ret_given = result.row_count > 0;
  *ret_tag = read->etag;
  return CODE_OK;
}

Code write_etag(Write *write, const WriteRow *row, uint64_t *ret, Error *err) {
  Selection *whole = &write->engine->wholes[row->resource->index];
  const Value *key = NULL;
  bool is_given = false;
  WriteRow before = *row;
  before.row = (Value *)row->old;
  if (is_in_memory(&before, whole)) return answer_from_memory(write, &before, whole, NULL, &is_given, ret, err);
  TRY(key_of(write, &before, &key, err));
  return answer_from_store(write, row->resource, key, whole, NULL, &is_given, ret, err);
}

static Code answer_row(Write *write, const WriteRow *row, const Value *key, bool *ret_given, uint64_t *ret_tag, Error *err) {
  Call *call = write->call;
  Selection *selection = call->operation.selection;
  if (is_in_memory(row, selection) && !write->is_disturbed)
    return answer_from_memory(write, row, selection, call->sink, ret_given, ret_tag, err);
  return answer_from_store(write, row->resource, key, selection, call->sink, ret_given, ret_tag, err);
}

Code write_answer_deleted(Write *write, const WriteRow *row, Error *err) {
  const Operation *operation = &write->call->operation;
  bool is_asked = operation->action == ACTION_DELETE && operation->selection != NULL && row == write->call->plan->rows[0];
  const Value *key = NULL;
  bool is_given = false;
  uint64_t tag = 0;
  if (!is_asked) return CODE_OK;
  TRY(key_of(write, row, &key, err));
  return answer_row(write, row, key, &is_given, &tag, err);
}

Code write_answer(Write *write, Error *err) {
  Call *call = write->call;
  CallPlan *plan = call->plan;
  Result *result = &call->result;
  const Value **keys = ARENA_ARRAY(write->arena, const Value *, plan->row_count);
  bool *hidden = ARENA_ARRAY(write->arena, bool, plan->row_count);
  TRY_ALLOC(keys);
  TRY_ALLOC(hidden);
  bool is_answered = call->operation.selection != NULL && call->operation.action != ACTION_DELETE;
  uint64_t tag = 0;
  for (size_t i = 0; i < plan->row_count; i++) {
    bool is_given = true;
    TRY(key_of(write, plan->rows[i], &keys[i], err));
    if (is_answered) TRY(answer_row(write, plan->rows[i], keys[i], &is_given, &tag, err));
    hidden[i] = !is_given;
    result->row_count += is_given;
  }
  result->keys = keys;
  result->hidden = hidden;
  result->key_count = plan->row_count;
  if (plan->row_count == 0) return CODE_OK;
  result->key = keys[0];
  result->is_hidden = hidden[0];
  result->is_created = plan->rows[0]->is_created;
  if (is_answered && !hidden[0]) {
    result->etag = etag_text(write->arena, tag);
    TRY_ALLOC(result->etag.ptr);
  }
  return CODE_OK;
}
