/* read_outline.c - an Operation's shape and its values, told apart: everything that decides a plan's text goes into call->input.shape,
 * everything else into call->params. Two reads of equal shape share one plan. */
#include "codec/hash.h"
#include "query/read_call.h"
#include "sql/dialect_impl.h"

/* ---- one list ---- */

static Code outline_filter(ReadCall *call, const Expr *filter, bool is_guarded, const Expr **ret, Error *err) {
  *ret = NULL;
  shape_byte(&call->input, filter == NULL ? 0 : 'F');
  if (filter == NULL) return CODE_OK;
  if (is_guarded) TRY(plan_reach_expr(&call->input, filter, err));
  ExprEnv env = {.caller = call->operation->caller, .now_us = call->operation->now_us, .is_timeless = call->input.rules.is_timeless};
  const Expr *reduced = NULL;
  TRY(expr_reduce(filter, &env, call->arena, &reduced, err));
  TRY(plan_number(&call->input, reduced, err));
  *ret = expr_is_true(reduced) ? NULL : reduced;
  return CODE_OK;
}

static bool is_named(const OrderTerm *terms, size_t count, const Field *field) {
  for (size_t i = 0; i < count; i++) {
    if (terms[i].path.hop_count == 0 && terms[i].path.member_count == 0 && terms[i].path.field == field) return true;
  }
  return false;
}

/* What makes an order total: the key; all of the row where a table has none; of distinct rows all that is selected. */
typedef struct OrderTail {
  const Field *const *fields;
  size_t count;
} OrderTail;

static Code refuse_distinct(const Field *field, Error *err) {
  return error_set(err, CODE_BAD_REQUEST, "distinct rows are made of plain fields and sorted by them: \"%.*s\" is none",
                   STR_ARGS(field->name));
}

static bool has_order(const Field *field) {
  return field->kind == FIELD_STORED && !field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED &&
         field->type != TYPE_BYTES;
}

static Code distinct_tail(ReadCall *call, const ReadNode *node, OrderTail *ret, Error *err) {
  const Selection *selection = node->selection;
  const Field **fields = ARENA_ARRAY(call->arena, const Field *, selection->count);
  TRY_ALLOC(fields);
  for (size_t i = 0; i < selection->count; i++) {
    fields[i] = selection->items[i].field;
    if (!has_order(fields[i])) return refuse_distinct(fields[i], err);
  }
  for (size_t i = 0; i < node->list->order_count; i++) {
    const ExprPath *path = &node->list->order[i].path;
    bool is_selected = false;
    for (size_t k = 0; k < selection->count; k++) is_selected = is_selected || fields[k] == path->field;
    if (!is_selected || path->hop_count > 0 || path->member_count > 0) return refuse_distinct(path->field, err);
  }
  *ret = (OrderTail){fields, selection->count};
  return CODE_OK;
}

static Code order_tail(ReadCall *call, const ReadNode *node, OrderTail *ret, Error *err) {
  const Resource *resource = node->resource;
  shape_byte(&call->input, node->list->is_distinct ? 'U' : 0);
  if (node->list->is_distinct) return distinct_tail(call, node, ret, err);
  *ret = resource->key_count > 0 ? (OrderTail){resource->keys, resource->key_count} : (OrderTail){resource->stored, resource->stored_count};
  return CODE_OK;
}

static Code outline_term(ReadCall *call, const OrderTerm *term, Error *err) {
  const ExprPath *path = &term->path;
  shape_byte(&call->input, term->is_rank ? 'R' : term->is_descending ? 'D' : 'A');
  shape_int(&call->input, (uint32_t)path->hop_count);
  for (size_t h = 0; h < path->hop_count; h++) shape_field(&call->input, path->hops[h]->field);
  shape_field(&call->input, path->field);
  shape_int(&call->input, (uint32_t)path->member_count);
  for (size_t m = 0; m < path->member_count; m++) shape_int(&call->input, path->members[m]->index);
  return plan_reach_path(&call->input, path, err);
}

/* The tail ends every sort, in the direction of the last field named, so that the order is total. What was searched for and is not sorted
 * comes by its rank. */
static Code outline_order(ReadCall *call, ReadNode *node, Error *err) {
  const ListQuery *list = node->list;
  if (list->order_count > ORDER_TERMS_MAX)
    return error_set(err, CODE_BAD_REQUEST, "a list is sorted by at most %d fields", ORDER_TERMS_MAX);
  OrderTail tail = {0};
  TRY(order_tail(call, node, &tail, err));
  OrderTerm *terms = ARENA_ARRAY(call->arena, OrderTerm, 1 + list->order_count + tail.count);
  TRY_ALLOC(terms);
  size_t count = 0;
  bool is_ranked = node->search.is_asked && !node->search.is_vain && list->order_count == 0 && !list->is_distinct;
  if (is_ranked) terms[count++] = (OrderTerm){.path = {.resource = node->resource}, .is_rank = true};
  for (size_t i = 0; i < list->order_count; i++) terms[count++] = list->order[i];
  bool is_descending = count > 0 && terms[count - 1].is_descending;
  for (size_t i = 0; i < tail.count; i++) {
    if (is_named(terms, count, tail.fields[i])) continue;
    terms[count++] = (OrderTerm){.path = {.resource = node->resource, .field = tail.fields[i]}, .is_descending = is_descending};
  }
  node->order = terms;
  node->order_count = count;
  shape_int(&call->input, (uint32_t)count);
  for (size_t i = 0; i < count; i++) TRY(outline_term(call, &terms[i], err));
  return CODE_OK;
}

static uint64_t hash_value(const Value *value, uint64_t seed) {
  if (value->type == VALUE_LIST) {
    for (size_t i = 0; i < value->list.count; i++) seed = hash_value(&value->list.items[i], seed);
    return seed;
  }
  bool is_text = value->type == VALUE_TEXT || value->type == VALUE_DECIMAL || value->type == VALUE_BYTES || value->type == VALUE_JSON;
  if (is_text) return hash64_seeded(value->text, seed + (uint64_t)value->type);
  int64_t integer = value->type == VALUE_NULL ? 0 : value->type == VALUE_BOOL ? value->boolean : value->integer;
  return hash64_int((uint64_t)integer, seed + (uint64_t)value->type);
}

static uint64_t hash_path(const ExprPath *path, uint64_t seed) {
  for (size_t i = 0; i < path->hop_count; i++) seed = hash64_int(path->hops[i]->field->index, seed);
  if (path->field != NULL) seed = hash64_int(path->field->index, seed);
  for (size_t i = 0; i < path->member_count; i++) seed = hash64_int(path->members[i]->index, seed);
  return hash64_int(path->root, seed);
}

/* The filter as it was asked, before now() became a time: a page's cursor must fit the next request's filter. */
static uint64_t hash_expr(const Expr *expr, uint64_t seed) {
  seed = hash64_int((uint64_t)expr->kind, seed);
  if (expr->kind == EXPR_LITERAL) seed = hash_value(&expr->value, seed);
  if (expr->kind == EXPR_AUTH_CLAIM) seed = hash64_seeded(expr->name, seed);
  if (expr->path.resource != NULL) seed = hash_path(&expr->path, seed);
  for (size_t i = 0; i < expr->arg_count; i++) seed = hash_expr(expr->args[i], seed);
  return seed;
}

/* A cursor belongs to a resource, an order, a search and a filter; not to a caller, a page size, a selection or the way that led to the
 * list. */
static uint64_t hash_list(const ReadNode *node) {
  uint64_t hash = hash64_int(node->resource->index, node->order_count);
  for (size_t i = 0; i < node->order_count; i++) hash = hash_path(&node->order[i].path, hash + node->order[i].is_descending);
  if (node->search.is_asked) hash = hash64_seeded(node->list->search, hash);
  return node->list->filter == NULL ? hash : hash_expr(node->list->filter, hash);
}

static Code outline_cursor(ReadCall *call, ReadNode *node, Error *err) {
  node->list_hash = hash_list(node);
  Str after = node->list->after, before = node->list->before;
  if (after.ptr != NULL && before.ptr != NULL) return error_set(err, CODE_BAD_REQUEST, "after and before can't be given together");
  node->is_reversed = before.ptr != NULL || node->list->is_last;
  node->has_cursor = after.ptr != NULL || before.ptr != NULL;
  if (node->has_cursor)
    TRY(cursor_parse(after.ptr != NULL ? after : before, node->list_hash, node->order_count, call->arena, &node->cursor, err));
  shape_byte(&call->input, (node->has_cursor ? 1u : 0u) | (node->is_reversed ? 2u : 0u) | (node->cursor.is_inclusive ? 4u : 0u));
  return CODE_OK;
}

static Code order_params(ReadCall *call, ReadNode *node, const Value *values, uint32_t *ret_first, Error *err) {
  *ret_first = (uint32_t)call->input.params.count + 1;
  for (size_t i = 0; i < node->order_count; i++) {
    Value value = values == NULL ? value_null() : values[i];
    if (plan_param(&call->input, value, order_value_type(&node->order[i])) == 0) return error_no_memory(err);
  }
  return CODE_OK;
}

/* The page: cursor, limit, count, and the question whether there is a page on the other side. */
static Code outline_page(ReadCall *call, ReadNode *node, Error *err) {
  int64_t limit = node->list->limit < 0 ? call->limits->page_size : node->list->limit;
  int64_t max = node->list->is_export ? call->limits->export_rows_max : call->limits->page_size_max;
  if (limit > max) return error_set(err, CODE_BAD_REQUEST, "limit must be at most %lld", (long long)max);
  node->limit = limit;
  /* One row more than the page tells whether there is a next one. */
  node->limit_param = plan_param(&call->input, value_int(limit == 0 ? 0 : limit + 1), VALUE_INT);
  if (node->limit_param == 0) return error_no_memory(err);
  if (node->has_cursor) TRY(order_params(call, node, node->cursor.keys, &node->cursor_param, err));
  shape_byte(&call->input, (node->list->is_counted ? 1u : 0u) | (node->list->is_export ? 2u : 0u));
  node->statement = call->statement_count++;
  node->count_statement = node->list->is_counted ? call->statement_count++ : SIZE_MAX;
  if (node->parent == NULL && node->has_cursor && !node->list->is_export) {
    TRY(order_params(call, node, NULL, &node->probe_param, err));
    if (plan_param(&call->input, value_bool(false), VALUE_BOOL) == 0 || plan_param(&call->input, value_int(1), VALUE_INT) == 0)
      return error_no_memory(err);
    node->probe_statement = call->statement_count++;
  }
  return CODE_OK;
}

/* ---- the tree ---- */

static Code outline_node(ReadCall *call, ReadNode *parent, const Resource *resource, const Selection *selection, const ListQuery *list,
                         const Relation *link, Error *err) {
  ReadNode *node = ARENA_NEW(call->arena, ReadNode);
  TRY_ALLOC(node);
  node->resource = resource;
  node->selection = selection;
  node->list = list;
  node->parent = parent;
  node->link = link;
  node->level = parent == NULL ? 0 : parent->level + 1;
  node->statement = node->count_statement = node->probe_statement = SIZE_MAX;
  return VEC_PUSH(call->arena, &call->nodes, node) ? CODE_OK : error_no_memory(err);
}

/* Columns and guards; each nested list becomes a node of its own at the end of the queue. */
static Code outline_selection(ReadCall *call, ReadNode *node, const Selection *selection, Error *err) {
  shape_byte(&call->input, selection->is_whole ? 'W' : 'S');
  if (!selection->is_whole) shape_int(&call->input, (uint32_t)selection->count);
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    if (!selection->is_whole) shape_field(&call->input, item->field);
    TRY(plan_reach_field(&call->input, item->field, err));
    if (item->field->kind == FIELD_TO_ONE) {
      TRY(plan_reach_resource(&call->input, item->field->relation->target, err));
      TRY(outline_selection(call, node, item->nested, err));
    } else if (item->field->kind == FIELD_TO_MANY) {
      const Relation *relation = item->field->relation;
      TRY(outline_node(call, node, relation->source, item->nested, &item->nested->list, relation, err));
    }
  }
  return CODE_OK;
}

/* Where a statement can read the lists of all parents, it is given their keys as lists. */
static Code outline_parents(ReadCall *call, ReadNode *node, Error *err) {
  const Relation *link = node->link;
  if (call->dialect->write_parents == NULL) return plan_params(&call->input, link->keys, link->key_count, NULL, &node->key_param, err);
  node->parent_keys = arena_calloc(call->arena, link->key_count, sizeof *node->parent_keys);
  TRY_ALLOC(node->parent_keys);
  node->key_param = (uint32_t)call->input.params.count + 1;
  for (size_t i = 0; i < link->key_count; i++) {
    if (plan_param(&call->input, value_null(), VALUE_LIST) == 0) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code outline_rows(ReadCall *call, ReadNode *node, Error *err) {
  TRY(plan_rule(&call->input, node->resource->access[RULE_READ], &node->read_rule, err));
  if (node->link != NULL) return outline_parents(call, node, err);
  if (node->list == NULL) {
    TRY(plan_params(&call->input, node->resource->keys, node->resource->key_count, call->operation->key, &node->key_param, err));
    node->statement = call->statement_count++;
  }
  return CODE_OK;
}

static Code outline_list(ReadCall *call, ReadNode *node, Error *err) {
  TRY(outline_filter(call, node->list->scope, false, &node->scope, err));
  TRY(outline_filter(call, node->list->filter, true, &node->filter, err));
  TRY(plan_search(&call->input, node->resource, node->list->search, &node->search, err));
  TRY(outline_order(call, node, err));
  TRY(outline_cursor(call, node, err));
  return outline_page(call, node, err);
}

Code read_outline(ReadCall *call, Error *err) {
  const Operation *operation = call->operation;
  bool is_list = operation->action == ACTION_LIST;
  shape_byte(&call->input, is_list ? 'L' : 'G');
  shape_int(&call->input, operation->resource->index);
  TRY(outline_node(call, NULL, operation->resource, operation->selection, is_list ? &operation->list : NULL, NULL, err));
  for (size_t i = 0; i < call->nodes.count; i++) {
    ReadNode *node = call->nodes.items[i];
    TRY(outline_rows(call, node, err));
    if (node->list != NULL) TRY(outline_list(call, node, err));
    TRY(outline_selection(call, node, node->selection, err));
  }
  return call->input.shape.failed == CODE_OK ? CODE_OK : error_set(err, call->input.shape.failed, "the request asks for too much at once");
}

void read_set_key(ReadCall *call, const Value *key) {
  const ReadNode *root = call->nodes.items[0];
  for (size_t i = 0; i < root->resource->key_count; i++) call->input.params.items[root->key_param - 1 + i] = key[i];
}
