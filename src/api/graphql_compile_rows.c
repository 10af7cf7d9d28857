/* graphql_compile_rows.c - rows: a type's collected fields to a selection, nested lists to nested selections, with the tree by which they
 * are written growing beside it. */
#include "api/graphql_compile.h"
#include "api/rest_decode.h"

bool graphql_check_depth(GraphqlCompiler *compiler, const GraphqlGroup *group, size_t depth) {
  if (depth <= compiler->run->limits->depth_max) return true;
  GraphqlPlace place = graphql_group_place(group);
  graphql_mistake(compiler->run->mistakes, CODE_TOO_LARGE, &place, 1, "The operation is nested deeper than %zu (--graphql-depth-max)",
                  compiler->run->limits->depth_max);
  return false;
}

/* "name": */
Str graphql_group_key(GraphqlCompiler *compiler, const GraphqlGroup *group) {
  if (str_equal(group->name, group->field->name)) return group->field->key;
  Str key = arena_printf(compiler->arena, "\"%.*s\":", STR_ARGS(group->name));
  if (key.ptr == NULL) compiler->run->mistakes->has_no_memory = true;
  return key;
}

bool graphql_items_create(GraphqlCompiler *compiler, const GraphqlGroups *groups, GraphqlOut *out) {
  out->items = ARENA_ARRAY(compiler->arena, GraphqlOut, groups->list.count + 1);
  if (out->items == NULL) return graphql_compile_no_memory(compiler);
  out->count = groups->list.count;
  for (size_t i = 0; i < out->count; i++) out->items[i].key = graphql_group_key(compiler, &groups->list.items[i]);
  return true;
}

Str graphql_typename_text(GraphqlCompiler *compiler, const GraphqlType *type) {
  Str text = arena_printf(compiler->arena, "\"%.*s\"", STR_ARGS(type->name));
  if (text.ptr == NULL) compiler->run->mistakes->has_no_memory = true;
  return text;
}

/* ---- arguments ---- */

const JsonValue *graphql_group_argument(GraphqlCompiler *compiler, const GraphqlGroup *group, const char *name) {
  const GraphqlInput *input = graphql_input(group->field->arguments, group->field->argument_count, str_of(name));
  const JsonValue *value = input == NULL ? NULL : graphql_argument(compiler->run, group->nodes.items[0], input);
  return value == NULL || value->type == JSON_NULL ? NULL : value;
}

bool graphql_compile_refuse(GraphqlCompiler *compiler, const GraphqlGroup *group, const char *what) {
  graphql_mistake_at(compiler->run->mistakes, graphql_group_place(group), "%.*s: %s", STR_ARGS(group->field->name), what);
  return false;
}

bool graphql_page_size(GraphqlCompiler *compiler, const GraphqlGroup *group, const JsonValue *json, int64_t max, int64_t *ret) {
  if (json == NULL) return true;
  if (!json_number_to_int64(json->text, ret) || *ret < 0)
    return graphql_compile_refuse(compiler, group, "first and last must not be negative");
  if (*ret <= max) return true;
  GraphqlPlace place = graphql_group_place(group);
  GraphqlMistake *mistake = graphql_mistake_at(compiler->run->mistakes, place, "%.*s: at most %lld rows are given at once",
                                               STR_ARGS(group->field->name), (long long)max);
  graphql_mistake_hint(compiler->run->mistakes, mistake,
                       group->field->role == GRAPHQL_ROLE_AGGREGATE ? STR("choose groups by where or having")
                                                                    : STR("follow endCursor to read on"));
  return false;
}

bool graphql_list_query(GraphqlCompiler *compiler, const GraphqlGroup *group, const Resource *resource, ListQuery *list, bool has_page) {
  GraphqlRun *run = compiler->run;
  GraphqlPlace place = graphql_group_place(group);
  *list = (ListQuery){.limit = -1};
  const JsonValue *where = graphql_group_argument(compiler, group, "where"), *filter = graphql_group_argument(compiler, group, "filter");
  const Expr *condition = NULL, *expression = NULL;
  if (where != NULL && !graphql_where(run, place, resource, where, &condition)) return false;
  if (filter != NULL && !graphql_filter(run, place, resource, filter, &expression)) return false;
  list->filter = expr_and(compiler->arena, condition, expression);
  if (list->filter == NULL && condition != NULL && expression != NULL) return graphql_compile_no_memory(compiler);
  const JsonValue *search = graphql_group_argument(compiler, group, "search");
  if (search != NULL) list->search = search->text.len == 0 ? STR("") : search->text;
  if (!has_page) return !graphql_is_refused(run->mistakes);
  const JsonValue *distinct = graphql_group_argument(compiler, group, "distinct");
  list->is_distinct = distinct != NULL && distinct->boolean;
  const JsonValue *order = graphql_group_argument(compiler, group, "orderBy");
  if (order != NULL && !graphql_order(run, place, resource, order, list)) return false;
  const JsonValue *first = graphql_group_argument(compiler, group, "first"), *last = graphql_group_argument(compiler, group, "last");
  const JsonValue *after = graphql_group_argument(compiler, group, "after"), *before = graphql_group_argument(compiler, group, "before");
  if (first != NULL && last != NULL) return graphql_compile_refuse(compiler, group, "first and last can't be given together");
  if (after != NULL && before != NULL) return graphql_compile_refuse(compiler, group, "after and before can't be given together");
  if (last != NULL && after != NULL) return graphql_compile_refuse(compiler, group, "last goes with before, first with after");
  if (first != NULL && before != NULL) return graphql_compile_refuse(compiler, group, "first goes with after, last with before");
  list->is_last = last != NULL;
  if (after != NULL) list->after = after->text;
  if (before != NULL) list->before = before->text;
  return graphql_page_size(compiler, group, first != NULL ? first : last, run->api->limits.page_size_max, &list->limit) &&
         !graphql_is_refused(run->mistakes);
}

/* ---- rows ---- */

bool graphql_rows_add(GraphqlCompiler *compiler, GraphqlRows *rows, const Field *field, Selection *nested, uint32_t *ret_index) {
  for (size_t i = 0; nested == NULL && i < rows->items.count; i++) {
    if (rows->items.items[i].field != field) continue;
    *ret_index = (uint32_t)i;
    return true;
  }
  SelectionItem item = {.field = field, .name = field->name, .nested = nested};
  *ret_index = (uint32_t)rows->items.count;
  return VEC_PUSH(compiler->arena, &rows->items, item) || graphql_compile_no_memory(compiler);
}

bool graphql_rows_begin(GraphqlCompiler *compiler, const Resource *resource, GraphqlRows *ret) {
  *ret = (GraphqlRows){.selection = ARENA_NEW(compiler->arena, Selection)};
  if (ret->selection == NULL) return graphql_compile_no_memory(compiler);
  ret->selection->resource = resource;
  ret->selection->list.limit = -1;
  return true;
}

/* A statement needs a column: the key, where nothing stored is asked for. */
bool graphql_rows_end(GraphqlCompiler *compiler, GraphqlRows *rows) {
  const Resource *resource = rows->selection->resource;
  uint32_t ignored;
  if (rows->items.count == 0) {
    const Field *field = resource->key_count > 0 ? resource->keys[0] : resource->stored[0];
    if (!graphql_rows_add(compiler, rows, field, NULL, &ignored)) return false;
  }
  rows->selection->items = rows->items.items;
  rows->selection->count = rows->items.count;
  return true;
}

static bool compile_embedded(GraphqlCompiler *compiler, const GraphqlGroup *group, const Embedded *embedded, size_t depth,
                             GraphqlOut *out) {
  const GraphqlType *type = graphql_type(compiler->run->schema, embedded->name);
  GraphqlGroups groups = {0};
  out->kind = GRAPHQL_OUT_EMBEDDED;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    if (!graphql_check_depth(compiler, member, depth)) return false;
    item->field = member->field->field;
    if (item->field == NULL)
      item->text = graphql_typename_text(compiler, type);
    else if (item->field->type == TYPE_EMBEDDED && !compile_embedded(compiler, member, item->field->embedded, depth + 1, item))
      return false;
    else if (item->field->type != TYPE_EMBEDDED)
      item->kind = GRAPHQL_OUT_VALUE;
  }
  return true;
}

static bool compile_node_id(GraphqlCompiler *compiler, GraphqlRows *rows, const Resource *resource, GraphqlOut *out) {
  uint32_t *indexes = ARENA_ARRAY(compiler->arena, uint32_t, resource->key_count);
  if (indexes == NULL) return graphql_compile_no_memory(compiler);
  for (size_t i = 0; i < resource->key_count; i++) {
    if (!graphql_rows_add(compiler, rows, resource->keys[i], NULL, &indexes[i])) return false;
  }
  out->kind = GRAPHQL_OUT_NODE_ID;
  out->resource = resource;
  out->indexes = indexes;
  return true;
}

static bool compile_to_one(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out,
                           int64_t *ret_cost) {
  const Resource *target = group->field->resource;
  const GraphqlType *type = compiler->run->schema->row_types[target->index];
  GraphqlGroups groups = {0};
  GraphqlRows inner;
  if (!graphql_rows_begin(compiler, target, &inner) || !graphql_collect_below(compiler->run, type, group, &groups)) return false;
  if (!graphql_compile_row(compiler, &inner, &groups, type, depth + 1, out, ret_cost) || !graphql_rows_end(compiler, &inner)) return false;
  out->kind = GRAPHQL_OUT_ROW;
  out->nested = inner.selection;
  return graphql_rows_add(compiler, rows, group->field->field, inner.selection, &out->index);
}

static bool compile_to_many(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out,
                            int64_t *ret_cost) {
  const Resource *other = group->field->resource;
  GraphqlRows inner;
  if (!graphql_rows_begin(compiler, other, &inner) || !graphql_list_query(compiler, group, other, &inner.selection->list, true))
    return false;
  if (!graphql_compile_connection(compiler, &inner, group, other, depth + 1, &inner.selection->list, out, ret_cost)) return false;
  if (!graphql_rows_end(compiler, &inner)) return false;
  out->kind = GRAPHQL_OUT_LIST;
  out->nested = inner.selection;
  out->is_after = inner.selection->list.after.ptr != NULL;
  return graphql_rows_add(compiler, rows, group->field->field, inner.selection, &out->index);
}

static bool compile_value(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out) {
  const Field *field = group->field->field;
  out->kind = GRAPHQL_OUT_VALUE;
  out->field = field;
  out->format = rest_map_key(compiler->run->api->rest, field);
  if (!graphql_rows_add(compiler, rows, field, NULL, &out->index)) return false;
  return field->type != TYPE_EMBEDDED || compile_embedded(compiler, group, field->embedded, depth + 1, out);
}

bool graphql_compile_row(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroups *groups, const GraphqlType *type, size_t depth,
                         GraphqlOut *out, int64_t *ret_cost) {
  if (!graphql_items_create(compiler, groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *group = &groups->list.items[i];
    GraphqlOut *item = &out->items[i];
    bool is_good = graphql_check_depth(compiler, group, depth);
    switch (is_good ? group->field->role : GRAPHQL_ROLE_TYPENAME) {
      case GRAPHQL_ROLE_VALUE: is_good = compile_value(compiler, rows, group, depth, item); break;
      case GRAPHQL_ROLE_TO_ONE: is_good = compile_to_one(compiler, rows, group, depth, item, ret_cost); break;
      case GRAPHQL_ROLE_TO_MANY: is_good = compile_to_many(compiler, rows, group, depth, item, ret_cost); break;
      case GRAPHQL_ROLE_NODE_ID: is_good = compile_node_id(compiler, rows, type->resource, item); break;
      default: item->text = graphql_typename_text(compiler, type); break;
    }
    if (!is_good) return false;
  }
  return true;
}

/* ---- connections ---- */

static bool compile_page_info(GraphqlCompiler *compiler, const GraphqlGroup *group, size_t depth, ListQuery *list, GraphqlOut *out) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  out->kind = GRAPHQL_OUT_PAGE_INFO;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    GraphqlOut *item = &out->items[i];
    if (!graphql_check_depth(compiler, &groups.list.items[i], depth)) return false;
    switch (groups.list.items[i].field->role) {
      case GRAPHQL_ROLE_HAS_NEXT: item->kind = GRAPHQL_OUT_HAS_NEXT; break;
      case GRAPHQL_ROLE_HAS_PREVIOUS: item->kind = GRAPHQL_OUT_HAS_PREVIOUS; break;
      case GRAPHQL_ROLE_START_CURSOR: item->kind = GRAPHQL_OUT_START_CURSOR; break;
      case GRAPHQL_ROLE_END_CURSOR: item->kind = GRAPHQL_OUT_END_CURSOR; break;
      default: item->text = graphql_typename_text(compiler, type); break;
    }
    if (item->kind == GRAPHQL_OUT_START_CURSOR || item->kind == GRAPHQL_OUT_END_CURSOR) list->has_row_cursors = true;
  }
  return true;
}

static bool compile_nodes(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroup *group, size_t depth, GraphqlOut *out,
                          int64_t *ret_cost) {
  const GraphqlType *type = compiler->run->schema->row_types[rows->selection->resource->index];
  GraphqlGroups groups = {0};
  return graphql_collect_below(compiler->run, type, group, &groups) &&
         graphql_compile_row(compiler, rows, &groups, type, depth, out, ret_cost);
}

static bool compile_edges(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroup *group, size_t depth, ListQuery *list,
                          GraphqlOut *out, int64_t *ret_cost) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  out->kind = GRAPHQL_OUT_EDGES;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    if (!graphql_check_depth(compiler, member, depth)) return false;
    if (member->field->role == GRAPHQL_ROLE_EDGE_NODE) {
      if (!compile_nodes(compiler, rows, member, depth + 1, item, ret_cost)) return false;
      item->kind = GRAPHQL_OUT_EDGE_NODE;
    } else if (member->field->role == GRAPHQL_ROLE_CURSOR) {
      item->kind = GRAPHQL_OUT_CURSOR;
      list->has_row_cursors = true;
    } else {
      item->text = graphql_typename_text(compiler, type);
    }
  }
  return true;
}

void graphql_add_cost(int64_t rows, int64_t below, int64_t *ret_cost) {
  int64_t all;
  if (__builtin_mul_overflow(rows, below + 1, &all) || __builtin_add_overflow(*ret_cost, all, ret_cost)) *ret_cost = INT64_MAX / 2;
  if (*ret_cost > INT64_MAX / 2) *ret_cost = INT64_MAX / 2;
}

/* `depth`: of the connection's own fields. */
bool graphql_compile_connection(GraphqlCompiler *compiler, GraphqlRows *rows, const GraphqlGroup *group, const Resource *resource,
                                size_t depth, ListQuery *list, GraphqlOut *out, int64_t *ret_cost) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  int64_t below = 0;
  (void)resource;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    bool is_good = graphql_check_depth(compiler, member, depth);
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
      default: item->text = graphql_typename_text(compiler, type); break;
    }
    if (!is_good) return false;
  }
  graphql_add_cost(list->limit < 0 ? compiler->run->api->limits.page_size : list->limit, below, ret_cost);
  if (list->is_distinct && rows->items.count == 0)
    return graphql_compile_refuse(compiler, group, "distinct rows differ in what is asked of them: name their fields");
  return true;
}
