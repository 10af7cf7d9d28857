/* graphql_compile_aggregate.c - an aggregate's groups and metrics. */
#include "api/graphql_compile.h"

typedef struct Groupings {
  VEC(ExprPath) by;
  VEC(Metric) metrics;
} Groupings;

static bool add_by(GraphqlCompiler *compiler, const Resource *resource, const GraphqlEnumItem *item, Groupings *groupings) {
  ExprPath path = {.root = EXPR_ROOT_ROW, .resource = resource, .field = item->field, .hop_count = item->hop != NULL};
  if (item->hop != NULL) {
    const Relation **hops = ARENA_ARRAY(compiler->arena, const Relation *, 1);
    if (hops == NULL) return graphql_compile_no_memory(compiler);
    hops[0] = item->hop;
    path.hops = hops;
  }
  return VEC_PUSH(compiler->arena, &groupings->by, path) || graphql_compile_no_memory(compiler);
}

static bool read_by(GraphqlCompiler *compiler, const GraphqlGroup *group, Groupings *groupings) {
  const GraphqlInput *input = graphql_input(group->field->arguments, group->field->argument_count, STR("by"));
  const JsonValue *by = graphql_group_argument(compiler, group, "by");
  const GraphqlType *type = input->type.type;
  for (size_t i = 0; by != NULL && i < by->count; i++) {
    for (size_t k = 0; k < i; k++) {
      if (str_equal(by->items[i].text, by->items[k].text)) return graphql_compile_refuse(compiler, group, "by: a field is named twice");
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

static bool add_metric(GraphqlCompiler *compiler, Groupings *groupings, MetricKind kind, const Field *field, uint32_t *ret) {
  *ret = (uint32_t)(groupings->by.count + groupings->metrics.count);
  Metric metric = {.kind = kind, .field = field};
  return VEC_PUSH(compiler->arena, &groupings->metrics, metric) || graphql_compile_no_memory(compiler);
}

/* Sums of integers are exact, as strings of digits. */
static const RestKey *metric_format(GraphqlCompiler *compiler, MetricKind kind, const Field *field) {
  return kind == METRIC_AVG || (kind == METRIC_SUM && field->type != TYPE_DECIMAL) ? NULL : rest_map_key(compiler->run->api->rest, field);
}

static bool compile_group_object(GraphqlCompiler *compiler, const GraphqlGroup *group, Groupings *groupings, GraphqlOut *out) {
  GraphqlGroups groups = {0};
  const GraphqlType *type = group->field->type.type;
  out->kind = GRAPHQL_OUT_OBJECT;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlField *field = groups.list.items[i].field;
    GraphqlOut *item = &out->items[i];
    if (!graphql_check_depth(compiler, &groups.list.items[i], 3)) return false;
    item->kind = GRAPHQL_OUT_VALUE;
    if (field->role == GRAPHQL_ROLE_GROUP_METRIC) {
      item->format = metric_format(compiler, (MetricKind)field->metric, field->field);
      if (!add_metric(compiler, groupings, (MetricKind)field->metric, field->field, &item->index)) return false;
    } else if (field->role == GRAPHQL_ROLE_GROUP_KEY && find_by(groupings, field, &item->index)) {
      item->format = rest_map_key(compiler->run->api->rest, field->field);
    } else {
      item->kind = GRAPHQL_OUT_TEXT;
      item->text = field->role == GRAPHQL_ROLE_GROUP_KEY ? STR("null") : graphql_typename_text(compiler, type);
    }
  }
  return true;
}

bool graphql_compile_aggregate(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  const Resource *resource = group->field->resource;
  const GraphqlType *type = group->field->type.type;
  GraphqlGroups groups = {0};
  Groupings groupings = {0};
  ListQuery list;
  GraphqlOut *out = &root->out;
  if (!graphql_list_query(compiler, group, resource, &list, false) || !read_by(compiler, group, &groupings)) return false;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    bool is_good = graphql_check_depth(compiler, member, 2);
    if (!is_good) return false;
    if (member->field->role == GRAPHQL_ROLE_BY || member->field->role == GRAPHQL_ROLE_METRICS) {
      is_good = compile_group_object(compiler, member, &groupings, item);
    } else if (member->field->role == GRAPHQL_ROLE_COUNT) {
      item->kind = GRAPHQL_OUT_VALUE;
      is_good = add_metric(compiler, &groupings, METRIC_COUNT, NULL, &item->index);
    } else {
      item->text = graphql_typename_text(compiler, type);
    }
    if (!is_good) return false;
  }
  uint32_t ignored;
  if (groupings.metrics.count == 0 && !add_metric(compiler, &groupings, METRIC_COUNT, NULL, &ignored)) return false;
  Aggregate *aggregate = ARENA_NEW(compiler->arena, Aggregate);
  if (aggregate == NULL) return graphql_compile_no_memory(compiler);
  *aggregate = (Aggregate){.by = groupings.by.items,
                           .by_count = groupings.by.count,
                           .metrics = groupings.metrics.items,
                           .metric_count = groupings.metrics.count};
  out->kind = GRAPHQL_OUT_NODES;
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_AGGREGATE, resource, NULL);
  if (call == NULL) return false;
  call->operation.list = list;
  call->operation.aggregate = aggregate;
  root->kind = GRAPHQL_ROOT_ROWS;
  graphql_add_cost(compiler, &list, 0, &compiler->run->cost);
  return graphql_begin_sink(compiler, &root->sink, call, compiler->run->root_count == 1) && graphql_give_parts(compiler, root, false);
}
