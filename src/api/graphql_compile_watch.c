/* graphql_compile_watch.c - a field of Subscription to the list that is watched, and the tree by which its changes are written. */
#include "api/graphql_compile.h"

/* where, filter, after; the key's arguments stand before them, unless one of them has such a name. */
enum { OTHER_ARGUMENTS = 3 };

/* All parts of the key or none: one row, or all that match. */
static bool watched_key(GraphqlCompiler *compiler, const GraphqlGroup *group, const Value **ret) {
  const Resource *resource = group->field->resource;
  size_t given = 0;
  if (group->field->argument_count == OTHER_ARGUMENTS) return true;
  for (size_t i = 0; i < resource->key_count; i++) {
    const JsonValue *json = graphql_argument(compiler->run, group->nodes.items[0], &group->field->arguments[i]);
    given += json != NULL && json->type != JSON_NULL;
  }
  if (given == 0) return !graphql_is_refused(compiler->run->mistakes);
  if (given < resource->key_count) return graphql_compile_refuse(compiler, group, "the key must be given in all its parts, or in none");
  if (!graphql_key_arguments(compiler, group, resource->keys, resource->key_count, ret)) return false;
  return *ret != NULL || graphql_compile_refuse(compiler, group, "no row has such a key");
}

/* Of the event's key, not of the row's values. */
static bool compile_node_id(GraphqlCompiler *compiler, const Resource *resource, GraphqlOut *item) {
  uint32_t *indexes = ARENA_ARRAY(compiler->arena, uint32_t, resource->key_count);
  if (indexes == NULL) return graphql_compile_no_memory(compiler);
  for (size_t i = 0; i < resource->key_count; i++) indexes[i] = (uint32_t)i;
  item->kind = GRAPHQL_OUT_NODE_ID;
  item->resource = resource;
  item->indexes = indexes;
  return true;
}

static bool compile_changed_row(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRows *rows, GraphqlOut *item) {
  const GraphqlType *type = compiler->run->schema->row_types[rows->selection->resource->index];
  GraphqlGroups groups = {0};
  int64_t cost = 1;
  if (!graphql_collect_below(compiler->run, type, group, &groups)) return false;
  if (!graphql_compile_row(compiler, rows, &groups, type, 3, item, &cost)) return false;
  item->kind = GRAPHQL_OUT_ROW;
  compiler->run->cost += cost;
  return true;
}

static bool compile_item(GraphqlCompiler *compiler, const GraphqlGroup *group, const GraphqlType *type, GraphqlRows *rows,
                         GraphqlOut *item) {
  const Resource *resource = rows->selection->resource;
  const GraphqlField *field = group->field;
  switch (field->role) {
    case GRAPHQL_ROLE_CHANGE_KIND: item->kind = GRAPHQL_OUT_KIND; return true;
    case GRAPHQL_ROLE_CHANGE_POSITION: item->kind = GRAPHQL_OUT_POSITION; return true;
    case GRAPHQL_ROLE_CHANGE_ROW: return compile_changed_row(compiler, group, rows, item);
    case GRAPHQL_ROLE_NODE_ID: return compile_node_id(compiler, resource, item);
    case GRAPHQL_ROLE_VALUE: /* a part of the event's key */
      item->kind = GRAPHQL_OUT_VALUE;
      item->field = field->field;
      item->format = rest_map_key(compiler->run->api->rest, field->field);
      while (resource->keys[item->index] != field->field) item->index++;
      return true;
    default: item->text = graphql_typename_text(compiler, type); return true;
  }
}

bool graphql_compile_watch(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  const GraphqlType *type = group->field->type.type;
  GraphqlGroups groups = {0};
  GraphqlRows rows;
  ListQuery list;
  if (!graphql_list_query(compiler, group, resource, &list, false) || !watched_key(compiler, group, &root->watch_key)) return false;
  if (!graphql_rows_begin(compiler, resource, &rows) || !graphql_collect_below(compiler->run, type, group, &groups)) return false;
  if (!graphql_items_create(compiler, &groups, &root->out)) return false;
  for (size_t i = 0; i < root->out.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    if (!graphql_check_depth(compiler, member, 2) || !compile_item(compiler, member, type, &rows, &root->out.items[i])) return false;
  }
  if (!graphql_rows_end(compiler, &rows)) return false;
  const JsonValue *after = graphql_group_argument(compiler, group, "after");
  if (after != NULL) root->watch_after = after->text;
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_LIST, resource, rows.selection);
  if (call == NULL) return false;
  call->operation.list = list;
  return true;
}

bool graphql_check_single_root(GraphqlRun *run, const GraphqlGroups *groups) {
  if (groups->list.count == 1) return true;
  graphql_mistake_at(run->mistakes, run->operation->place, "A subscription must ask for one field: none is left of it");
  return false;
}
