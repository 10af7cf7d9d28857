/* read_rows.c - the store's rows become the Result's: columns are put into the selection's order, nested lists into their rows, and
 * top-level rows go to the sink. Rows of a plan with one forward statement are handed on as they come; others are kept until all are there.
 */
#include <assert.h>

#include "query/etag.h"
#include "query/read_call.h"

static ReadCall *call_of(StoreRead *read) { return (ReadCall *)read; }

/* ---- one row ---- */

typedef struct RowReader {
  ReadCall *call;
  ReadNode *node;
  const Value *columns;
  size_t at;
  bool is_kept; /* values outlive the callback */
  size_t child; /* the next nested list of the node, in the outline's order */
} RowReader;

static bool is_textual(ValueType type) { return type == VALUE_TEXT || type == VALUE_DECIMAL || type == VALUE_BYTES || type == VALUE_JSON; }

static Code keep_value(Arena *arena, const Value *value, Value *ret, Error *err) {
  *ret = *value;
  if (!is_textual(value->type)) return CODE_OK;
  ret->text = arena_str(arena, value->text);
  return ret->text.ptr == NULL ? error_no_memory(err) : CODE_OK;
}

static Code keep_values(Arena *arena, const Value *values, size_t count, const Value **ret, Error *err) {
  Value *kept = ARENA_ARRAY(arena, Value, count);
  TRY_ALLOC(kept);
  for (size_t i = 0; i < count; i++) TRY(keep_value(arena, &values[i], &kept[i], err));
  *ret = kept;
  return CODE_OK;
}

static Code read_stored(RowReader *reader, const Field *field, Value *ret, Error *err) {
  const Value *column = &reader->columns[reader->at++];
  if (field->type == TYPE_ENUM && field->enum_type->has_stored_names && column->type == VALUE_TEXT) {
    *ret = value_text(enum_name_of(field->enum_type, column->text));
    return CODE_OK;
  }
  if (reader->is_kept) return keep_value(reader->call->arena, column, ret, err);
  *ret = *column;
  return CODE_OK;
}

/* The node that reads the next nested list of this row. */
static ReadNode *next_child(RowReader *reader) {
  const ReadCall *call = reader->call;
  while (call->nodes.items[reader->child]->parent != reader->node) reader->child++;
  return call->nodes.items[reader->child++];
}

static Code read_list(RowReader *reader, const Relation *relation, bool is_present, Value *ret, Error *err) {
  ReadNode *child = next_child(reader);
  const Value *keys = reader->columns + reader->at;
  reader->at += relation->key_count;
  ListBuild *list = ARENA_NEW(reader->call->arena, ListBuild);
  TRY_ALLOC(list);
  *ret = (Value){.type = VALUE_ROWS, .rows = &list->rows};
  /* Without its key, a list stays empty: there is no row, or the field's own rule hides it. */
  if (!is_present || value_is_null(&keys[0])) return CODE_OK;
  TRY(keep_values(reader->call->arena, keys, relation->key_count, &list->parent_keys, err));
  for (size_t i = 0; child->parent_keys != NULL && i < relation->key_count; i++) {
    if (!VEC_PUSH(reader->call->arena, &child->parent_keys[i], list->parent_keys[i])) return error_no_memory(err);
  }
  return VEC_PUSH(reader->call->arena, &child->lists, list) ? CODE_OK : error_no_memory(err);
}

static Code read_selection(RowReader *reader, const Selection *selection, bool is_present, Value *values, Error *err);

static Code read_to_one(RowReader *reader, const SelectionItem *item, bool is_present, Value *ret, Error *err) {
  bool is_there = is_present && !value_is_null(&reader->columns[reader->at++]);
  if (!is_present) reader->at++;
  Value *row = ARENA_ARRAY(reader->call->arena, Value, item->nested->count);
  TRY_ALLOC(row);
  TRY(read_selection(reader, item->nested, is_there, row, err));
  *ret = is_there ? (Value){.type = VALUE_ROW, .row = row} : value_null();
  return CODE_OK;
}

static Code read_selection(RowReader *reader, const Selection *selection, bool is_present, Value *values, Error *err) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    if (item->field->kind == FIELD_STORED)
      TRY(read_stored(reader, item->field, &values[i], err));
    else if (item->field->kind == FIELD_TO_ONE)
      TRY(read_to_one(reader, item, is_present, &values[i], err));
    else
      TRY(read_list(reader, item->field->relation, is_present, &values[i], err));
  }
  return CODE_OK;
}

/* ---- rows of a list ---- */

static Code hand_on(ReadCall *call, const Value *values, Error *err) {
  const Selection *selection = call->operation->selection;
  call->row_count++;
  if (call->nodes.items[0]->list == NULL) call->etag = etag_of_row(selection, values, 0);
  return call->sink == NULL ? CODE_OK : call->sink->row(call->sink, selection, values, err);
}

static Code cursor_of(ReadCall *call, const ReadNode *node, const Value *keys, bool is_inclusive, Str *ret, Error *err) {
  Cursor cursor = {.is_inclusive = is_inclusive, .keys = keys, .key_count = node->order_count};
  *ret = cursor_write(&cursor, node->list_hash, call->arena);
  return ret->ptr == NULL ? error_no_memory(err) : CODE_OK;
}

/* The sort keys of a page's first and last row, in reading order, make its cursors. */
static Code note_position(ReadCall *call, const ReadNode *node, ListBuild *list, size_t index, const Value *sort_keys, Error *err) {
  if (index == 0 && node->probe_statement != SIZE_MAX)
    TRY(keep_values(call->arena, sort_keys, node->order_count, &list->first_sort_keys, err));
  if ((int64_t)index + 1 < node->limit) return CODE_OK;
  return keep_values(call->arena, sort_keys, node->order_count, &list->last_sort_keys, err);
}

/* `sort_keys`: among the columns. */
static Code list_row(ReadCall *call, ReadNode *node, ListBuild *list, const Value *columns, const Value *sort_keys, Error *err) {
  size_t index = list->rows.count;
  if (node->list != NULL && (int64_t)index >= node->limit) {
    list->has_more = node->limit > 0;
    return CODE_OK;
  }
  list->rows.count++;
  if (node->list != NULL) TRY(note_position(call, node, list, index, sort_keys, err));
  RowReader reader = {.call = call, .node = node, .columns = columns, .is_kept = !call->is_direct};
  Value *values = call->is_direct ? call->row : ARENA_ARRAY(call->arena, Value, node->selection->count + 1);
  TRY_ALLOC(values);
  TRY(read_selection(&reader, node->selection, true, values, err));
  if (node->list != NULL && node->list->has_row_cursors) {
    Str cursor;
    TRY(cursor_of(call, node, sort_keys, false, &cursor, err));
    values[node->selection->count] = value_text(cursor);
  }
  if (call->is_direct) return hand_on(call, values, err);
  return VEC_PUSH(call->arena, &list->items, values) ? CODE_OK : error_no_memory(err);
}

static ReadNode *node_of(const ReadCall *call, size_t statement) {
  for (size_t i = call->nodes.count; i-- > 0;) {
    if (call->nodes.items[i]->statement <= statement) return call->nodes.items[i];
  }
  assert(!"a statement without a node");
  return NULL;
}

static Code on_row(StoreRead *read, size_t statement, const Value *columns, Error *err) {
  ReadCall *call = call_of(read);
  ReadNode *node = node_of(call, statement);
  if (statement == node->probe_statement) {
    node->is_probe_positive = true;
    return CODE_OK;
  }
  size_t column_count = call->plan->statements[statement]->column_count;
  ListBuild *list = &node->root_list;
  if (node->parent_keys != NULL)
    list = node->lists.items[columns[--column_count].integer - 1];
  else if (node->parent != NULL)
    list = node->lists.items[read->run];
  if (statement == node->count_statement) {
    list->rows.has_total = true;
    list->rows.total = columns[0].integer;
    return CODE_OK;
  }
  return list_row(call, node, list, columns, columns + column_count - node->order_count, err);
}

/* ---- parameters ---- */

static void set_params(ReadCall *call, uint32_t first, const Value *values, size_t count) {
  memcpy(call->input.params.items + first - 1, values, count * sizeof *values);
}

/* What lies beyond the page's near end: its first row in reading order, or the cursor itself where the page is empty. */
static bool bind_probe(ReadCall *call, ReadNode *node) {
  const Value *from = node->root_list.first_sort_keys;
  bool is_page_empty = from == NULL;
  if (node->limit == 0 || node->has_probed) return false;
  node->has_probed = true;
  set_params(call, node->probe_param, is_page_empty ? node->cursor.keys : from, node->order_count);
  call->input.params.items[node->probe_param - 1 + node->order_count] = value_bool(is_page_empty && !node->cursor.is_inclusive);
  return true;
}

static bool bind_parent(ReadCall *call, ReadNode *node, size_t *current) {
  if (*current == node->lists.count) return false;
  set_params(call, node->key_param, node->lists.items[*current]->parent_keys, node->link->key_count);
  ++*current;
  return true;
}

/* All of them, once. */
static bool bind_parents(ReadCall *call, ReadNode *node) {
  for (size_t i = 0; i < node->link->key_count; i++) {
    ValueList list = {node->parent_keys[i].items, node->parent_keys[i].count};
    call->input.params.items[node->key_param - 1 + i] = (Value){.type = VALUE_LIST, .list = list};
  }
  return node->lists.count > 0;
}

static bool on_bind(StoreRead *read, size_t statement, const Value **ret_params) {
  ReadCall *call = call_of(read);
  ReadNode *node = node_of(call, statement);
  *ret_params = call->input.params.items;
  if (statement == node->probe_statement) return bind_probe(call, node);
  if (node->parent == NULL) return true;
  if (node->parent_keys != NULL) return bind_parents(call, node);
  return bind_parent(call, node, statement == node->count_statement ? &node->count_current : &node->current);
}

static void on_restart(StoreRead *read) {
  ReadCall *call = call_of(read);
  for (size_t i = 0; i < call->nodes.count; i++) {
    ReadNode *node = call->nodes.items[i];
    node->root_list = (ListBuild){0};
    node->lists.count = 0;
    for (size_t k = 0; node->parent_keys != NULL && k < node->link->key_count; k++) node->parent_keys[k].count = 0;
    node->current = node->count_current = 0;
    node->has_probed = node->is_probe_positive = false;
  }
  call->row_count = 0;
  if (call->sink != NULL && call->sink->restart != NULL) call->sink->restart(call->sink);
}

Code read_prepare(ReadCall *call, Error *err) {
  const ReadNode *root = call->nodes.items[0];
  call->read.plan = call->plan;
  call->read.arena = call->arena;
  call->read.bind = on_bind;
  call->read.row = on_row;
  call->read.restart = on_restart;
  call->is_direct = call->nodes.count == 1 && !root->is_reversed;
  call->row = ARENA_ARRAY(call->arena, Value, root->selection->count + 1);
  return call->row == NULL ? error_no_memory(err) : CODE_OK;
}

/* ---- the end ---- */

/* In reading order: `beyond` leads on, `back` to where the reading came from. */
static Code finish_cursors(ReadCall *call, ReadNode *node, ListBuild *list, Error *err) {
  Str *beyond = node->is_reversed ? &list->rows.prev_cursor : &list->rows.next_cursor;
  Str *back = node->is_reversed ? &list->rows.next_cursor : &list->rows.prev_cursor;
  if (list->has_more) TRY(cursor_of(call, node, list->last_sort_keys, false, beyond, err));
  if (!node->is_probe_positive) return CODE_OK;
  if (list->first_sort_keys != NULL) return cursor_of(call, node, list->first_sort_keys, false, back, err);
  return cursor_of(call, node, node->cursor.keys, !node->cursor.is_inclusive, back, err);
}

static Code finish_list(ReadCall *call, ReadNode *node, ListBuild *list, Error *err) {
  if (node->is_reversed) {
    for (size_t i = 0, j = list->items.count; i + 1 < j; i++) {
      const Value *row = list->items.items[i];
      list->items.items[i] = list->items.items[--j];
      list->items.items[j] = row;
    }
  }
  list->rows.rows = list->items.items;
  return node->list == NULL ? CODE_OK : finish_cursors(call, node, list, err);
}

Code read_finish(ReadCall *call, Result *ret, Error *err) {
  ReadNode *root = call->nodes.items[0];
  for (size_t i = 1; i < call->nodes.count; i++) {
    ReadNode *node = call->nodes.items[i];
    for (size_t l = 0; l < node->lists.count; l++) TRY(finish_list(call, node, node->lists.items[l], err));
  }
  TRY(finish_list(call, root, &root->root_list, err));
  if (!call->is_direct) {
    for (size_t i = 0; i < root->root_list.items.count; i++) TRY(hand_on(call, root->root_list.items.items[i], err));
  }
  ret->row_count = call->row_count;
  ret->next_cursor = root->root_list.rows.next_cursor;
  ret->prev_cursor = root->root_list.rows.prev_cursor;
  ret->has_total = root->root_list.rows.has_total;
  ret->total = root->root_list.rows.total;
  if (root->list == NULL && call->row_count > 0) {
    ret->etag = etag_text(call->arena, call->etag);
    TRY_ALLOC(ret->etag.ptr);
  }
  return CODE_OK;
}
