/* graphql_compile.c - an operation's collected fields to the engine's calls: one for each field of Query or Mutation, in which nested lists
 * are nested selections. Beside each selection grows the tree by which the encoder writes its rows under the response's names. */
#include "api/graphql_run.h"
#include "codec/base64.h"
#include "api/rest_decode.h"
#include "codec/url.h"

typedef struct Rows {
  Selection *selection;
  VEC(SelectionItem) items;
} Rows;

typedef struct Compiler {
  GraphqlRun *run;
  Arena *arena;
  const Caller *caller;
  int64_t now_us;
} Compiler;

static bool compile_row(Compiler *compiler, Rows *rows, const GraphqlGroups *groups, const GraphqlType *type, size_t depth, GraphqlOut *out,
                        int64_t *ret_cost);

static bool no_memory(Compiler *compiler) { return graphql_no_memory(compiler->run); }

static GraphqlPlace place_of(const GraphqlGroup *group) { return group->nodes.items[0]->place; }

static bool check_depth(Compiler *compiler, const GraphqlGroup *group, size_t depth) {
  if (depth <= compiler->run->limits->depth_max) return true;
  GraphqlPlace place = place_of(group);
  graphql_mistake(compiler->run->mistakes, CODE_TOO_LARGE, &place, 1, "The operation is nested deeper than %zu (--graphql-depth-max)",
                  compiler->run->limits->depth_max);
  return false;
}

/* "name": */
static Str key_of(Compiler *compiler, const GraphqlGroup *group) {
  if (str_equal(group->name, group->field->name)) return group->field->key;
  Str key = arena_printf(compiler->arena, "\"%.*s\":", STR_ARGS(group->name));
  if (key.ptr == NULL) compiler->run->mistakes->has_no_memory = true;
  return key;
}

static bool items_create(Compiler *compiler, const GraphqlGroups *groups, GraphqlOut *out) {
  out->items = ARENA_ARRAY(compiler->arena, GraphqlOut, groups->list.count + 1);
  if (out->items == NULL) return no_memory(compiler);
  out->count = groups->list.count;
  for (size_t i = 0; i < out->count; i++) out->items[i].key = key_of(compiler, &groups->list.items[i]);
  return true;
}

static Str typename_text(Compiler *compiler, const GraphqlType *type) {
  Str text = arena_printf(compiler->arena, "\"%.*s\"", STR_ARGS(type->name));
  if (text.ptr == NULL) compiler->run->mistakes->has_no_memory = true;
  return text;
}

/* ---- arguments ---- */

static const JsonValue *argument(Compiler *compiler, const GraphqlGroup *group, const char *name) {
  const GraphqlInput *input = graphql_input(group->field->arguments, group->field->argument_count, str_of(name));
  const JsonValue *value = input == NULL ? NULL : graphql_argument(compiler->run, group->nodes.items[0], input);
  return value == NULL || value->type == JSON_NULL ? NULL : value;
}

static bool refuse(Compiler *compiler, const GraphqlGroup *group, const char *what) {
  graphql_mistake_at(compiler->run->mistakes, place_of(group), "%.*s: %s", STR_ARGS(group->field->name), what);
  return false;
}

/* first or last: a page's size; -1: neither. */
static bool page_size(Compiler *compiler, const GraphqlGroup *group, const JsonValue *json, int64_t *ret) {
  if (json == NULL) return true;
  int64_t max = compiler->run->api->limits.page_size_max;
  if (!json_number_to_int64(json->text, ret) || *ret < 0) return refuse(compiler, group, "first and last must not be negative");
  if (*ret <= max) return true;
  GraphqlPlace place = place_of(group);
  graphql_mistake_at(compiler->run->mistakes, place, "%.*s: at most %lld rows are given at once", STR_ARGS(group->field->name),
                     (long long)max);
  return false;
}

static bool list_query(Compiler *compiler, const GraphqlGroup *group, const Resource *resource, ListQuery *list, bool has_page) {
  GraphqlRun *run = compiler->run;
  GraphqlPlace place = place_of(group);
  *list = (ListQuery){.limit = -1};
  const JsonValue *where = argument(compiler, group, "where"), *filter = argument(compiler, group, "filter");
  const Expr *condition = NULL, *expression = NULL;
  if (where != NULL && !graphql_where(run, place, resource, where, &condition)) return false;
  if (filter != NULL && !graphql_filter(run, place, resource, filter, &expression)) return false;
  list->filter = expr_and(compiler->arena, condition, expression);
  if (list->filter == NULL && condition != NULL && expression != NULL) return no_memory(compiler);
  if (!has_page) return !graphql_is_refused(run->mistakes);
  const JsonValue *order = argument(compiler, group, "orderBy");
  if (order != NULL && !graphql_order(run, place, resource, order, list)) return false;
  const JsonValue *first = argument(compiler, group, "first"), *last = argument(compiler, group, "last");
  const JsonValue *after = argument(compiler, group, "after"), *before = argument(compiler, group, "before");
  if (first != NULL && last != NULL) return refuse(compiler, group, "first and last can't be given together");
  if (after != NULL && before != NULL) return refuse(compiler, group, "after and before can't be given together");
  if (last != NULL && after != NULL) return refuse(compiler, group, "last goes with before, first with after");
  if (first != NULL && before != NULL) return refuse(compiler, group, "first goes with after, last with before");
  list->is_last = last != NULL;
  if (after != NULL) list->after = after->text;
  if (before != NULL) list->before = before->text;
  return page_size(compiler, group, first != NULL ? first : last, &list->limit) && !graphql_is_refused(run->mistakes);
}

/* ---- rows ---- */

static bool add_item(Compiler *compiler, Rows *rows, const Field *field, Selection *nested, uint32_t *ret_index) {
  for (size_t i = 0; nested == NULL && i < rows->items.count; i++) {
    if (rows->items.items[i].field != field) continue;
    *ret_index = (uint32_t)i;
    return true;
  }
  SelectionItem item = {.field = field, .name = field->name, .nested = nested};
  *ret_index = (uint32_t)rows->items.count;
  return VEC_PUSH(compiler->arena, &rows->items, item) || no_memory(compiler);
}

static bool rows_begin(Compiler *compiler, const Resource *resource, Rows *ret) {
  *ret = (Rows){.selection = ARENA_NEW(compiler->arena, Selection)};
  if (ret->selection == NULL) return no_memory(compiler);
  ret->selection->resource = resource;
  ret->selection->list.limit = -1;
  return true;
}

/* A statement needs a column: the key, where nothing stored is asked for. */
static bool rows_end(Compiler *compiler, Rows *rows) {
  const Resource *resource = rows->selection->resource;
  uint32_t ignored;
  if (rows->items.count == 0) {
    const Field *field = resource->key_count > 0 ? resource->keys[0] : resource->stored[0];
    if (!add_item(compiler, rows, field, NULL, &ignored)) return false;
  }
  rows->selection->items = rows->items.items;
  rows->selection->count = rows->items.count;
  return true;
}

static bool compile_embedded(Compiler *compiler, const GraphqlGroup *group, const Embedded *embedded, size_t depth, GraphqlOut *out) {
  const GraphqlType *type = graphql_type(compiler->run->schema, embedded->name);
  GraphqlGroups groups = {0};
  out->kind = GRAPHQL_OUT_EMBEDDED;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    if (!check_depth(compiler, member, depth)) return false;
    item->field = member->field->field;
    if (item->field == NULL)
      item->text = typename_text(compiler, type);
    else if (item->field->type == TYPE_EMBEDDED && !compile_embedded(compiler, member, item->field->embedded, depth + 1, item))
      return false;
    else if (item->field->type != TYPE_EMBEDDED)
      item->kind = GRAPHQL_OUT_VALUE;
  }
  return true;
}

static bool compile_node_id(Compiler *compiler, Rows *rows, const Resource *resource, GraphqlOut *out) {
  uint32_t *indexes = ARENA_ARRAY(compiler->arena, uint32_t, resource->key_count);
  if (indexes == NULL) return no_memory(compiler);
  for (size_t i = 0; i < resource->key_count; i++) {
    if (!add_item(compiler, rows, resource->keys[i], NULL, &indexes[i])) return false;
  }
  out->kind = GRAPHQL_OUT_NODE_ID;
  out->resource = resource;
  out->indexes = indexes;
  return true;
}

static bool compile_to_one(Compiler *compiler, Rows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out, int64_t *ret_cost) {
  const Resource *target = group->field->resource;
  const GraphqlType *type = compiler->run->schema->row_types[target->index];
  GraphqlGroups groups = {0};
  Rows inner;
  if (!rows_begin(compiler, target, &inner) || !graphql_collect_below(compiler->run, type, group, &groups)) return false;
  if (!compile_row(compiler, &inner, &groups, type, depth + 1, out, ret_cost) || !rows_end(compiler, &inner)) return false;
  out->kind = GRAPHQL_OUT_ROW;
  out->nested = inner.selection;
  return add_item(compiler, rows, group->field->field, inner.selection, &out->index);
}

static bool compile_connection(Compiler *compiler, Rows *rows, const GraphqlGroup *group, const Resource *resource, size_t depth,
                               ListQuery *list, GraphqlOut *out, int64_t *ret_cost);

static bool compile_to_many(Compiler *compiler, Rows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out, int64_t *ret_cost) {
  const Resource *other = group->field->resource;
  Rows inner;
  if (!rows_begin(compiler, other, &inner) || !list_query(compiler, group, other, &inner.selection->list, true)) return false;
  if (!compile_connection(compiler, &inner, group, other, depth + 1, &inner.selection->list, out, ret_cost)) return false;
  if (!rows_end(compiler, &inner)) return false;
  out->kind = GRAPHQL_OUT_LIST;
  out->nested = inner.selection;
  out->is_after = inner.selection->list.after.ptr != NULL;
  return add_item(compiler, rows, group->field->field, inner.selection, &out->index);
}

static bool compile_value(Compiler *compiler, Rows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out) {
  const Field *field = group->field->field;
  out->kind = GRAPHQL_OUT_VALUE;
  out->field = field;
  out->format = rest_map_key(compiler->run->api->rest, field);
  if (!add_item(compiler, rows, field, NULL, &out->index)) return false;
  return field->type != TYPE_EMBEDDED || compile_embedded(compiler, group, field->embedded, depth + 1, out);
}

static bool compile_row(Compiler *compiler, Rows *rows, const GraphqlGroups *groups, const GraphqlType *type, size_t depth, GraphqlOut *out,
                        int64_t *ret_cost) {
  if (!items_create(compiler, groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *group = &groups->list.items[i];
    GraphqlOut *item = &out->items[i];
    bool is_good = check_depth(compiler, group, depth);
    switch (is_good ? group->field->role : GRAPHQL_ROLE_TYPENAME) {
      case GRAPHQL_ROLE_VALUE: is_good = compile_value(compiler, rows, group, depth, item); break;
      case GRAPHQL_ROLE_TO_ONE: is_good = compile_to_one(compiler, rows, group, depth, item, ret_cost); break;
      case GRAPHQL_ROLE_TO_MANY: is_good = compile_to_many(compiler, rows, group, depth, item, ret_cost); break;
      case GRAPHQL_ROLE_NODE_ID: is_good = compile_node_id(compiler, rows, type->resource, item); break;
      default: item->text = typename_text(compiler, type); break;
    }
    if (!is_good) return false;
  }
  return true;
}

/* ---- connections ---- */

static bool compile_page_info(Compiler *compiler, const GraphqlGroup *group, size_t depth, ListQuery *list, GraphqlOut *out) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  out->kind = GRAPHQL_OUT_PAGE_INFO;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    GraphqlOut *item = &out->items[i];
    if (!check_depth(compiler, &groups.list.items[i], depth)) return false;
    switch (groups.list.items[i].field->role) {
      case GRAPHQL_ROLE_HAS_NEXT: item->kind = GRAPHQL_OUT_HAS_NEXT; break;
      case GRAPHQL_ROLE_HAS_PREVIOUS: item->kind = GRAPHQL_OUT_HAS_PREVIOUS; break;
      case GRAPHQL_ROLE_START_CURSOR: item->kind = GRAPHQL_OUT_START_CURSOR; break;
      case GRAPHQL_ROLE_END_CURSOR: item->kind = GRAPHQL_OUT_END_CURSOR; break;
      default: item->text = typename_text(compiler, type); break;
    }
    if (item->kind == GRAPHQL_OUT_START_CURSOR || item->kind == GRAPHQL_OUT_END_CURSOR) list->has_row_cursors = true;
  }
  return true;
}

static bool compile_nodes(Compiler *compiler, Rows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out, int64_t *ret_cost) {
  const GraphqlType *type = compiler->run->schema->row_types[rows->selection->resource->index];
  GraphqlGroups groups = {0};
  return graphql_collect_below(compiler->run, type, group, &groups) && compile_row(compiler, rows, &groups, type, depth, out, ret_cost);
}

static bool compile_edges(Compiler *compiler, Rows *rows, const GraphqlGroup *group, size_t depth, ListQuery *list, GraphqlOut *out,
                          int64_t *ret_cost) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  out->kind = GRAPHQL_OUT_EDGES;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    if (!check_depth(compiler, member, depth)) return false;
    if (member->field->role == GRAPHQL_ROLE_EDGE_NODE) {
      if (!compile_nodes(compiler, rows, member, depth + 1, item, ret_cost)) return false;
      item->kind = GRAPHQL_OUT_EDGE_NODE;
    } else if (member->field->role == GRAPHQL_ROLE_CURSOR) {
      item->kind = GRAPHQL_OUT_CURSOR;
      list->has_row_cursors = true;
    } else {
      item->text = typename_text(compiler, type);
    }
  }
  return true;
}

/* What could be returned: the page's rows, each with what hangs on it. */
static void add_cost(const Compiler *compiler, const ListQuery *list, int64_t below, int64_t *ret_cost) {
  int64_t rows = list->limit < 0 ? compiler->run->api->limits.page_size : list->limit, all;
  if (__builtin_mul_overflow(rows, below + 1, &all) || __builtin_add_overflow(*ret_cost, all, ret_cost)) *ret_cost = INT64_MAX / 2;
  if (*ret_cost > INT64_MAX / 2) *ret_cost = INT64_MAX / 2;
}

/* `depth`: of the connection's own fields. */
static bool compile_connection(Compiler *compiler, Rows *rows, const GraphqlGroup *group, const Resource *resource, size_t depth,
                               ListQuery *list, GraphqlOut *out, int64_t *ret_cost) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  int64_t below = 0;
  (void)resource;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    bool is_good = check_depth(compiler, member, depth);
    switch (is_good ? member->field->role : GRAPHQL_ROLE_TYPENAME) {
      case GRAPHQL_ROLE_NODES:
        is_good = compile_nodes(compiler, rows, member, depth + 1, item, &below);
        item->kind = GRAPHQL_OUT_NODES;
        break;
      case GRAPHQL_ROLE_EDGES: is_good = compile_edges(compiler, rows, member, depth + 1, list, item, &below); break;
      case GRAPHQL_ROLE_PAGE_INFO: is_good = compile_page_info(compiler, member, depth + 1, list, item); break;
      case GRAPHQL_ROLE_TOTAL:
        item->kind = GRAPHQL_OUT_TOTAL;
        list->is_counted = true;
        break;
      default: item->text = typename_text(compiler, type); break;
    }
    if (!is_good) return false;
  }
  add_cost(compiler, list, below, ret_cost);
  return true;
}

/* ---- roots ---- */

static Call *add_call(Compiler *compiler, GraphqlRoot *root, Action action, const Resource *resource, Selection *selection) {
  GraphqlRun *run = compiler->run;
  Call *call = &run->calls[run->call_count];
  root->call = run->call_count++;
  call->operation = (Operation){.action = action,
                                .resource = resource,
                                .selection = selection,
                                .list = {.limit = -1},
                                .caller = compiler->caller,
                                .now_us = compiler->now_us};
  call->sink = &root->sink.base;
  return call;
}

/* Each call has an arena of its own where several may run: their rows can come on different threads. */
static bool begin_sink(Compiler *compiler, GraphqlRoot *root, Call *call) {
  GraphqlRun *run = compiler->run;
  Arena *arena = compiler->arena;
  if (run->root_count > 1) {
    arena = arena_create(0);
    if (arena == NULL) return no_memory(compiler);
    if (!arena_defer(compiler->arena, (ArenaDeferFn *)arena_destroy, arena)) {
      arena_destroy(arena);
      return no_memory(compiler);
    }
    call->arena = arena;
  }
  graphql_sink_init(&root->sink, run->api->rest, arena);
  root->sink.has_cursors = call->operation.list.has_row_cursors;
  return true;
}

/* The parts of the answer that are made while rows come. */
static bool give_parts(Compiler *compiler, GraphqlRoot *root, bool is_connection) {
  GraphqlSink *sink = &root->sink;
  size_t max = is_connection ? root->out.count : 1;
  const GraphqlOut **parts = ARENA_ARRAY(compiler->arena, const GraphqlOut *, max + 1);
  sink->outs = ARENA_ARRAY(compiler->arena, Buf, max + 1);
  if (parts == NULL || sink->outs == NULL) return no_memory(compiler);
  for (size_t i = 0; i < max; i++) {
    GraphqlOut *out = is_connection ? &root->out.items[i] : &root->out;
    if (is_connection && out->kind != GRAPHQL_OUT_NODES && out->kind != GRAPHQL_OUT_EDGES) continue;
    out->index = (uint32_t)sink->part_count;
    sink->outs[sink->part_count] = buf_on(sink->arena, compiler->run->api->limits.result_bytes_max);
    parts[sink->part_count++] = out;
  }
  sink->parts = parts;
  return true;
}

/* The key that the arguments say; NULL where it can be no row's. */
static bool key_arguments(Compiler *compiler, const GraphqlGroup *group, const Field *const *fields, size_t count, const Value **ret) {
  Value *key = ARENA_ARRAY(compiler->arena, Value, count);
  bool is_possible = true;
  if (key == NULL) return no_memory(compiler);
  for (size_t i = 0; i < count; i++) {
    const JsonValue *json = graphql_argument(compiler->run, group->nodes.items[0], &group->field->arguments[i]);
    if (json == NULL) return false;
    is_possible = graphql_scalar(compiler->run, fields[i], json, &key[i]) && is_possible;
  }
  *ret = is_possible ? key : NULL;
  return !compiler->run->mistakes->has_no_memory;
}

static bool row_selection(Compiler *compiler, const GraphqlGroup *group, const Resource *resource, GraphqlRoot *root, Selection **ret) {
  const GraphqlType *type = compiler->run->schema->row_types[resource->index];
  GraphqlGroups groups = {0};
  Rows rows;
  int64_t cost = 1;
  if (!rows_begin(compiler, resource, &rows) || !graphql_collect_below(compiler->run, type, group, &groups)) return false;
  if (!compile_row(compiler, &rows, &groups, type, 2, &root->out, &cost) || !rows_end(compiler, &rows)) return false;
  root->out.kind = GRAPHQL_OUT_NODES;
  root->out.nested = rows.selection;
  compiler->run->cost += cost;
  *ret = rows.selection;
  return true;
}

static bool finish_row(Compiler *compiler, GraphqlRoot *root, Call *call) {
  root->kind = GRAPHQL_ROOT_ROW;
  return begin_sink(compiler, root, call) && give_parts(compiler, root, false);
}

static bool compile_get(Compiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  Selection *selection = NULL;
  const Value *key = NULL;
  if (!key_arguments(compiler, group, resource->keys, resource->key_count, &key)) return false;
  if (!row_selection(compiler, group, resource, root, &selection)) return false;
  Call *call = add_call(compiler, root, ACTION_GET, resource, selection);
  call->operation.key = key;
  return finish_row(compiler, root, call);
}

/* Not by key: a list that holds one row at most. */
static bool compile_get_unique(Compiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  const UniqueGroup *unique = group->field->unique;
  Selection *selection = NULL;
  const Value *values = NULL;
  const Expr *filter = NULL;
  if (!key_arguments(compiler, group, unique->fields, unique->count, &values)) return false;
  if (!row_selection(compiler, group, resource, root, &selection)) return false;
  if (values == NULL) {
    root->kind = GRAPHQL_ROOT_TEXT;
    root->text = STR("null");
    return true;
  }
  for (size_t i = 0; i < unique->count; i++) {
    ExprPath path = {.root = EXPR_ROOT_ROW, .resource = resource, .field = unique->fields[i]};
    const Expr *field = expr_path(compiler->arena, &path);
    const Expr *value = expr_literal(compiler->arena, rest_value_stored(unique->fields[i], values[i]));
    const Expr *equal = field == NULL || value == NULL ? NULL : expr_compare(compiler->arena, EXPR_EQ, field, value);
    filter = equal == NULL ? NULL : expr_and(compiler->arena, filter, equal);
    if (filter == NULL) return no_memory(compiler);
  }
  Call *call = add_call(compiler, root, ACTION_LIST, resource, selection);
  call->operation.list = (ListQuery){.filter = filter, .limit = 1};
  root->is_list_ask = true;
  return finish_row(compiler, root, call);
}

/* "Product:KEY" in base64url; the parts of a composite key as REST's path has them. */
static const Resource *node_resource(Compiler *compiler, Str id, const Value **ret_key) {
  Str decoded, name;
  if (!base64url_parse(id, compiler->arena, &decoded)) return NULL;
  Str rest = decoded;
  if (!str_split_next(&rest, ':', &name) || rest.ptr == NULL) return NULL;
  const Resource *resource = contract_resource(compiler->run->api->contract, name);
  if (resource == NULL || !compiler->run->schema->row_types[resource->index]->is_node) return NULL;
  Value *key = ARENA_ARRAY(compiler->arena, Value, resource->key_count);
  for (size_t i = 0; key != NULL && i < resource->key_count; i++) {
    Str part, text, expected;
    Error err;
    if (!str_split_next(&rest, ',', &part) || url_decode_path(part, compiler->arena, &text, &err) != CODE_OK) return NULL;
    if (rest_value_parse(resource->keys[i], text, compiler->arena, &key[i], &expected) != CODE_OK) return NULL;
  }
  *ret_key = key;
  return key == NULL || rest.ptr != NULL ? NULL : resource;
}

static bool compile_node(Compiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const JsonValue *id = argument(compiler, group, "id");
  const Value *key = NULL;
  Selection *selection = NULL;
  if (id == NULL) return false;
  const Resource *resource = node_resource(compiler, id->text, &key);
  if (resource == NULL) {
    root->kind = GRAPHQL_ROOT_TEXT;
    root->text = STR("null");
    return !compiler->run->mistakes->has_no_memory;
  }
  if (!row_selection(compiler, group, resource, root, &selection)) return false;
  Call *call = add_call(compiler, root, ACTION_GET, resource, selection);
  call->operation.key = key;
  return finish_row(compiler, root, call);
}

static bool compile_list(Compiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  Rows rows;
  ListQuery list;
  if (!rows_begin(compiler, resource, &rows) || !list_query(compiler, group, resource, &list, true)) return false;
  if (!compile_connection(compiler, &rows, group, resource, 2, &list, &root->out, &compiler->run->cost)) return false;
  if (!rows_end(compiler, &rows)) return false;
  Call *call = add_call(compiler, root, ACTION_LIST, resource, rows.selection);
  call->operation.list = list;
  root->kind = GRAPHQL_ROOT_LIST;
  return begin_sink(compiler, root, call) && give_parts(compiler, root, true);
}

/* ---- aggregates ---- */

typedef struct Groupings {
  VEC(ExprPath) by;
  VEC(Metric) metrics;
} Groupings;

static bool add_by(Compiler *compiler, const Resource *resource, const GraphqlEnumItem *item, Groupings *groupings) {
  ExprPath path = {.root = EXPR_ROOT_ROW, .resource = resource, .field = item->field, .hop_count = item->hop != NULL};
  if (item->hop != NULL) {
    const Relation **hops = ARENA_ARRAY(compiler->arena, const Relation *, 1);
    if (hops == NULL) return no_memory(compiler);
    hops[0] = item->hop;
    path.hops = hops;
  }
  return VEC_PUSH(compiler->arena, &groupings->by, path) || no_memory(compiler);
}

static bool read_by(Compiler *compiler, const GraphqlGroup *group, Groupings *groupings) {
  const GraphqlInput *input = graphql_input(group->field->arguments, group->field->argument_count, STR("by"));
  const JsonValue *by = argument(compiler, group, "by");
  const GraphqlType *type = input->type.type;
  for (size_t i = 0; by != NULL && i < by->count; i++) {
    for (size_t k = 0; k < i; k++) {
      if (str_equal(by->items[i].text, by->items[k].text)) return refuse(compiler, group, "by: a field is named twice");
    }
    for (size_t k = 0; k < type->item_count; k++) {
      if (!str_equal(type->items[k].name, by->items[i].text)) continue;
      if (!add_by(compiler, group->field->resource, &type->items[k], groupings)) return false;
    }
  }
  return true;
}

/* Where the group's key stands among the row's values; false: it is not grouped by this field, which is null then. */
static bool find_by(const Groupings *groupings, const GraphqlField *field, uint32_t *ret) {
  for (size_t i = 0; i < groupings->by.count; i++) {
    const ExprPath *path = &groupings->by.items[i];
    bool is_hop = path->hop_count > 0 ? path->hops[0] == field->hop : field->hop == NULL;
    if (path->field != field->field || !is_hop) continue;
    *ret = (uint32_t)i;
    return true;
  }
  return false;
}

static bool add_metric(Compiler *compiler, Groupings *groupings, MetricKind kind, const Field *field, uint32_t *ret) {
  *ret = (uint32_t)(groupings->by.count + groupings->metrics.count);
  Metric metric = {.kind = kind, .field = field};
  return VEC_PUSH(compiler->arena, &groupings->metrics, metric) || no_memory(compiler);
}

/* Sums of integers are exact, as strings of digits. */
static const RestKey *metric_format(Compiler *compiler, MetricKind kind, const Field *field) {
  return kind == METRIC_AVG || (kind == METRIC_SUM && field->type != TYPE_DECIMAL) ? NULL : rest_map_key(compiler->run->api->rest, field);
}

static bool compile_group_object(Compiler *compiler, const GraphqlGroup *group, Groupings *groupings, GraphqlOut *out) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  out->kind = GRAPHQL_OUT_OBJECT;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlField *field = groups.list.items[i].field;
    GraphqlOut *item = &out->items[i];
    if (!check_depth(compiler, &groups.list.items[i], 3)) return false;
    item->kind = GRAPHQL_OUT_VALUE;
    if (field->role == GRAPHQL_ROLE_GROUP_METRIC) {
      item->format = metric_format(compiler, (MetricKind)field->metric, field->field);
      if (!add_metric(compiler, groupings, (MetricKind)field->metric, field->field, &item->index)) return false;
    } else if (field->role == GRAPHQL_ROLE_GROUP_KEY && find_by(groupings, field, &item->index)) {
      item->format = rest_map_key(compiler->run->api->rest, field->field);
    } else {
      item->kind = GRAPHQL_OUT_TEXT;
      item->text = field->role == GRAPHQL_ROLE_GROUP_KEY ? STR("null") : typename_text(compiler, type);
    }
  }
  return true;
}

static bool compile_aggregate(Compiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  const GraphqlType *type = group->field->type.type;
  GraphqlGroups groups = {0};
  Groupings groupings = {0};
  ListQuery list;
  GraphqlOut *out = &root->out;
  if (!list_query(compiler, group, resource, &list, false) || !read_by(compiler, group, &groupings)) return false;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    bool is_good = check_depth(compiler, member, 2);
    if (!is_good) return false;
    if (member->field->role == GRAPHQL_ROLE_BY || member->field->role == GRAPHQL_ROLE_METRICS) {
      is_good = compile_group_object(compiler, member, &groupings, item);
    } else if (member->field->role == GRAPHQL_ROLE_COUNT) {
      item->kind = GRAPHQL_OUT_VALUE;
      is_good = add_metric(compiler, &groupings, METRIC_COUNT, NULL, &item->index);
    } else {
      item->text = typename_text(compiler, type);
    }
    if (!is_good) return false;
  }
  uint32_t ignored;
  if (groupings.metrics.count == 0 && !add_metric(compiler, &groupings, METRIC_COUNT, NULL, &ignored)) return false;
  Aggregate *aggregate = ARENA_NEW(compiler->arena, Aggregate);
  if (aggregate == NULL) return no_memory(compiler);
  *aggregate = (Aggregate){.by = groupings.by.items,
                           .by_count = groupings.by.count,
                           .metrics = groupings.metrics.items,
                           .metric_count = groupings.metrics.count};
  out->kind = GRAPHQL_OUT_NODES;
  Call *call = add_call(compiler, root, ACTION_AGGREGATE, resource, NULL);
  call->operation.list = list;
  call->operation.aggregate = aggregate;
  root->kind = GRAPHQL_ROOT_ROWS;
  add_cost(compiler, &list, 0, &compiler->run->cost);
  return begin_sink(compiler, root, call) && give_parts(compiler, root, false);
}

/* ---- mutations ---- */

/* An entity tag as REST's header has it, with or without its quotes. */
static bool read_if_match(Compiler *compiler, const GraphqlGroup *group, Operation *operation) {
  const JsonValue *given = argument(compiler, group, "ifMatch");
  if (given == NULL) {
    if (!compiler->run->api->is_precondition_required) return true;
    GraphqlPlace place = place_of(group);
    graphql_mistake(compiler->run->mistakes, CODE_PRECONDITION_REQUIRED, &place, 1, "This server changes nothing without ifMatch");
    return false;
  }
  Str tag = str_trim(given->text);
  operation->if_match.is_given = true;
  operation->if_match.is_any = str_equal(tag, STR("*"));
  if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"') tag = str_slice(tag, 1, tag.len - 1);
  Str *tags = ARENA_ARRAY(compiler->arena, Str, 1);
  if (tags == NULL) return no_memory(compiler);
  tags[0] = tag;
  operation->if_match.etags = tags;
  operation->if_match.etag_count = 1;
  return true;
}

static bool compile_mutation(Compiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  static const Action actions[] = {[GRAPHQL_ROLE_CREATE] = ACTION_CREATE,
                                   [GRAPHQL_ROLE_CREATE_MANY] = ACTION_CREATE,
                                   [GRAPHQL_ROLE_UPDATE] = ACTION_UPDATE,
                                   [GRAPHQL_ROLE_DELETE] = ACTION_DELETE};
  const Resource *resource = group->field->resource;
  GraphqlRole role = group->field->role;
  const Value *key = NULL;
  Selection *selection = NULL;
  bool has_key = role == GRAPHQL_ROLE_UPDATE || role == GRAPHQL_ROLE_DELETE;
  if (has_key && !key_arguments(compiler, group, resource->keys, resource->key_count, &key)) return false;
  const JsonValue *input = argument(compiler, group, role == GRAPHQL_ROLE_CREATE_MANY ? "inputs" : "input");
  if (graphql_is_refused(compiler->run->mistakes)) return false;
  if (!row_selection(compiler, group, resource, root, &selection)) return false;
  Call *call = add_call(compiler, root, actions[role], resource, selection);
  call->operation.key = key;
  call->operation.input = input;
  if (has_key && !read_if_match(compiler, group, &call->operation)) return false;
  if (!finish_row(compiler, root, call)) return false;
  if (role == GRAPHQL_ROLE_CREATE_MANY) {
    root->kind = GRAPHQL_ROOT_ROWS;
    root->sink.has_row_ends = true;
  }
  return true;
}

static bool compile_root(Compiler *compiler, const GraphqlGroup *group, const GraphqlType *type, GraphqlRoot *root) {
  root->name = group->name;
  root->key = key_of(compiler, group);
  root->place = place_of(group);
  root->is_required = graphql_is_required(group->field->type);
  if (!check_depth(compiler, group, 1)) return false;
  switch (group->field->role) {
    case GRAPHQL_ROLE_GET: return compile_get(compiler, group, root);
    case GRAPHQL_ROLE_GET_UNIQUE: return compile_get_unique(compiler, group, root);
    case GRAPHQL_ROLE_NODE: return compile_node(compiler, group, root);
    case GRAPHQL_ROLE_LIST: return compile_list(compiler, group, root);
    case GRAPHQL_ROLE_AGGREGATE: return compile_aggregate(compiler, group, root);
    case GRAPHQL_ROLE_SCHEMA:
    case GRAPHQL_ROLE_TYPE: return graphql_introspect(compiler->run, group, &root->text);
    case GRAPHQL_ROLE_TYPENAME: root->text = typename_text(compiler, type); return true;
    default: return compile_mutation(compiler, group, root);
  }
}

static bool check_cost(GraphqlRun *run) {
  if (run->cost <= (int64_t)run->limits->cost_max) return true;
  graphql_mistake(run->mistakes, CODE_TOO_LARGE, &run->operation->place, 1,
                  "The operation could return %lld rows, more than %zu (--graphql-cost-max): ask for smaller pages", (long long)run->cost,
                  run->limits->cost_max);
  return false;
}

bool graphql_compile(GraphqlRun *run, const Caller *caller, int64_t now_us) {
  Compiler compiler = {.run = run, .arena = run->arena, .caller = caller, .now_us = now_us};
  const GraphqlType *type = run->operation->kind == GRAPHQL_MUTATION ? run->schema->mutation : run->schema->query;
  GraphqlGroups groups = {0};
  if (!graphql_collect(run, type, &run->operation->selections, &groups)) return false;
  run->root_count = groups.list.count;
  run->roots = ARENA_ARRAY(run->arena, GraphqlRoot, run->root_count + 1);
  run->calls = ARENA_ARRAY(run->arena, Call, run->root_count + 1);
  if (run->roots == NULL || run->calls == NULL) return graphql_no_memory(run);
  for (size_t i = 0; i < run->root_count; i++) {
    if (!compile_root(&compiler, &groups.list.items[i], type, &run->roots[i])) return false;
  }
  return check_cost(run) && !graphql_is_refused(run->mistakes);
}
