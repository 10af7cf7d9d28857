/* graphql_compile_aggregate.c - an aggregate's groups and metrics: what they are made by, which are wanted, in which order. */
#include "api/graphql_compile.h"
#include "api/rest_aggregate.h"

typedef struct Groupings {
  GraphqlCompiler *compiler;
  const GraphqlGroup *group; /* the root */
  VEC(ExprPath) by;
  VEC(Metric) metrics;
  VEC(AggregateCondition) having;
} Groupings;

static const GraphqlType *argument_type(const GraphqlGroup *group, const char *name) {
  const GraphqlInput *input = graphql_input(group->field->arguments, group->field->argument_count, str_of(name));
  return input == NULL ? NULL : input->type.type;
}

static bool refuse(const Groupings *groupings, const char *what) {
  return graphql_compile_refuse(groupings->compiler, groupings->group, what);
}

/* ---- by, byPath ---- */

/* False: it is not grouped by this. */
static bool find_key(const Groupings *groupings, const ExprPath *path, uint32_t *ret) {
  for (size_t i = 0; i < groupings->by.count; i++) {
    if (!expr_path_equal(&groupings->by.items[i], path)) continue;
    *ret = (uint32_t)i;
    return true;
  }
  return false;
}

static bool add_key(Groupings *groupings, const ExprPath *path) {
  uint32_t ignored;
  if (find_key(groupings, path, &ignored)) return refuse(groupings, "a group's key is named twice");
  if (groupings->by.count == GROUP_KEYS_MAX) return refuse(groupings, "groups are made by too many fields (16)");
  return VEC_PUSH(groupings->compiler->arena, &groupings->by, *path) || graphql_compile_no_memory(groupings->compiler);
}

static bool add_named_key(Groupings *groupings, const GraphqlEnumItem *item) {
  GraphqlTarget *target = ARENA_NEW(groupings->compiler->arena, GraphqlTarget);
  if (target == NULL) return graphql_compile_no_memory(groupings->compiler);
  *target = (GraphqlTarget){.scope = {.root = EXPR_ROOT_ROW, .resource = groupings->group->field->resource}};
  if (item->through != NULL) (void)graphql_target_step(target, item->through);
  (void)graphql_target_step(target, item->field);
  ExprPath path = graphql_target_path(target);
  return add_key(groupings, &path);
}

static bool read_by(Groupings *groupings) {
  const JsonValue *by = graphql_group_argument(groupings->compiler, groupings->group, "by");
  const GraphqlType *type = argument_type(groupings->group, "by");
  for (size_t i = 0; by != NULL && i < by->count; i++) {
    for (size_t k = 0; k < type->item_count; k++) {
      if (str_equal(type->items[k].name, by->items[i].text) && !add_named_key(groupings, &type->items[k])) return false;
    }
  }
  return true;
}

static bool read_by_path(Groupings *groupings) {
  const GraphqlGroup *group = groupings->group;
  const JsonValue *by = graphql_group_argument(groupings->compiler, group, "byPath");
  for (size_t i = 0; by != NULL && i < by->count; i++) {
    ExprPath path;
    const JsonValue *leaf = NULL;
    if (!graphql_named_path(groupings->compiler->run, graphql_group_place(group), "byPath", group->field->resource, &by->items[i], &path,
                            &leaf))
      return false;
    if (!leaf->boolean) return refuse(groupings, "byPath: a field is named by true");
    if (!add_key(groupings, &path)) return false;
  }
  return true;
}

/* ---- metrics ---- */

static bool find_metric(Groupings *groupings, MetricKind kind, const Field *field, uint32_t *ret) {
  for (size_t i = 0; i < groupings->metrics.count; i++) {
    if (groupings->metrics.items[i].kind != kind || groupings->metrics.items[i].field != field) continue;
    *ret = (uint32_t)i;
    return true;
  }
  Metric metric = {.kind = kind, .field = field};
  *ret = (uint32_t)groupings->metrics.count;
  return VEC_PUSH(groupings->compiler->arena, &groupings->metrics, metric) || graphql_compile_no_memory(groupings->compiler);
}

/* Behind the group's key. */
static bool metric_item(Groupings *groupings, MetricKind kind, const Field *field, GraphqlOut *item) {
  uint32_t index;
  if (!find_metric(groupings, kind, field, &index)) return false;
  item->kind = GRAPHQL_OUT_VALUE;
  item->index = (uint32_t)groupings->by.count + index;
  /* Sums of integers are exact, as strings of digits. */
  bool is_own = field != NULL && kind != METRIC_AVG && (kind != METRIC_SUM || field->type == TYPE_DECIMAL);
  if (is_own) item->format = rest_map_key(groupings->compiler->run->api->rest, field);
  return true;
}

static bool compile_metrics(Groupings *groupings, const GraphqlGroup *group, GraphqlOut *out) {
  GraphqlCompiler *compiler = groupings->compiler;
  const GraphqlType *type = group->field->type.type;
  GraphqlGroups groups = {0};
  out->kind = GRAPHQL_OUT_OBJECT;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlField *field = groups.list.items[i].field;
    GraphqlOut *item = &out->items[i];
    if (!graphql_check_depth(compiler, &groups.list.items[i], 3)) return false;
    if (field->role != GRAPHQL_ROLE_GROUP_METRIC)
      item->text = graphql_typename_text(compiler, type);
    else if (!metric_item(groupings, (MetricKind)field->metric, field->field, item))
      return false;
  }
  return true;
}

/* ---- the key's values ---- */

/* What the groups are not made by is null. */
static bool key_item(Groupings *groupings, const GraphqlTarget *at, const GraphqlField *field, GraphqlOut *item) {
  GraphqlTarget target = *at;
  bool is_near = (field->through == NULL || graphql_target_step(&target, field->through)) && graphql_target_step(&target, field->field);
  ExprPath path = graphql_target_path(&target);
  if (!is_near || !find_key(groupings, &path, &item->index)) {
    item->text = STR("null");
    return true;
  }
  RestKey *format = ARENA_NEW(groupings->compiler->arena, RestKey);
  if (format == NULL) return graphql_compile_no_memory(groupings->compiler);
  *format = rest_group_form(field->field);
  item->kind = GRAPHQL_OUT_VALUE;
  item->format = format;
  return true;
}

static bool compile_keys(Groupings *groupings, const GraphqlGroup *group, const GraphqlTarget *at, size_t depth, GraphqlOut *out) {
  GraphqlCompiler *compiler = groupings->compiler;
  const GraphqlType *type = group->field->type.type;
  GraphqlGroups groups = {0};
  out->kind = GRAPHQL_OUT_OBJECT;
  if (!graphql_collect_below(compiler->run, type, group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    GraphqlTarget inner = *at;
    bool is_good = graphql_check_depth(compiler, member, depth);
    if (is_good && member->field->role == GRAPHQL_ROLE_GROUP_KEY)
      is_good = key_item(groupings, at, member->field, item);
    else if (is_good && member->field->role == GRAPHQL_ROLE_GROUP_OBJECT)
      is_good = (graphql_target_step(&inner, member->field->field) || refuse(groupings, "by: that is too many relations or objects")) &&
                compile_keys(groupings, member, &inner, depth + 1, item);
    else if (is_good)
      item->text = graphql_typename_text(compiler, type);
    if (!is_good) return false;
  }
  return true;
}

/* ---- having ---- */

static bool read_condition(Groupings *groupings, MetricKind kind, const Field *field, const JsonMember *comparison) {
  GraphqlRun *run = groupings->compiler->run;
  AggregateCondition condition = {.op = graphql_operator(comparison->name), .value = value_null()};
  if (groupings->having.count == GROUP_CONDITIONS_MAX) return refuse(groupings, "having: too many conditions (16)");
  if (!find_metric(groupings, kind, field, &condition.metric)) return false;
  if (comparison->value.type == JSON_NULL) {
    if (condition.op != EXPR_EQ && condition.op != EXPR_NE) return refuse(groupings, "having: null is compared by eq and ne only");
  } else {
    Field scratch;
    Metric metric = {.kind = kind, .field = field};
    if (!graphql_scalar(run, rest_metric_literal(&metric, &scratch), &comparison->value, &condition.value))
      return refuse(groupings, "having: a metric is compared with what is no value of its type");
  }
  return VEC_PUSH(groupings->compiler->arena, &groupings->having, condition) || graphql_no_memory(run);
}

static bool read_conditions(Groupings *groupings, MetricKind kind, const Field *field, const JsonValue *json) {
  for (size_t i = 0; i < json->count; i++) {
    if (!read_condition(groupings, kind, field, &json->members[i])) return false;
  }
  return true;
}

/* {count: {gte: 2}, sum: {price: {gt: "10"}}}: all of it must hold. */
static bool read_having(Groupings *groupings) {
  const JsonValue *having = graphql_group_argument(groupings->compiler, groupings->group, "having");
  const GraphqlType *type = argument_type(groupings->group, "having");
  for (size_t i = 0; having != NULL && i < having->count; i++) {
    const JsonMember *member = &having->members[i];
    const GraphqlInput *input = graphql_input(type->inputs, type->input_count, member->name);
    MetricKind kind = (MetricKind)input->metric;
    if (kind == METRIC_COUNT && !read_conditions(groupings, kind, NULL, &member->value)) return false;
    for (size_t k = 0; kind != METRIC_COUNT && k < member->value.count; k++) {
      const JsonMember *field = &member->value.members[k];
      if (!read_conditions(groupings, kind, resource_field(groupings->group->field->resource, field->name), &field->value)) return false;
    }
  }
  return true;
}

/* ---- orderBy ---- */

/* {by: {category: {name: ASC}}}, {count: DESC} or {sum: {price: DESC}} */
static bool read_term(Groupings *groupings, const GraphqlType *type, const JsonValue *json, struct AggregateOrder *ret) {
  const GraphqlGroup *group = groupings->group;
  const Resource *resource = group->field->resource;
  const JsonMember *member = &json->members[0];
  const JsonValue *leaf = &member->value;
  ret->is_metric = !str_equal(member->name, STR("by"));
  if (!ret->is_metric) {
    ExprPath path;
    if (!graphql_named_path(groupings->compiler->run, graphql_group_place(group), "orderBy", resource, &member->value, &path, &leaf))
      return false;
    ret->is_descending = graphql_is_descending(leaf);
    return find_key(groupings, &path, &ret->index) ||
           refuse(groupings, "orderBy: groups are sorted by what they are made by, and by metrics");
  }
  MetricKind kind = (MetricKind)graphql_input(type->inputs, type->input_count, member->name)->metric;
  const Field *field = NULL;
  if (kind != METRIC_COUNT) {
    field = resource_field(resource, member->value.members[0].name);
    leaf = &member->value.members[0].value;
  }
  ret->is_descending = graphql_is_descending(leaf);
  return find_metric(groupings, kind, field, &ret->index);
}

static bool read_order(Groupings *groupings, Aggregate *aggregate) {
  GraphqlCompiler *compiler = groupings->compiler;
  const JsonValue *order = graphql_group_argument(compiler, groupings->group, "orderBy");
  if (order == NULL) return true;
  if (order->count > ORDER_TERMS_MAX) return refuse(groupings, "orderBy: too many terms (16)");
  struct AggregateOrder *terms = ARENA_ARRAY(compiler->arena, struct AggregateOrder, order->count);
  if (terms == NULL) return graphql_compile_no_memory(compiler);
  const GraphqlType *type = argument_type(groupings->group, "orderBy");
  for (size_t i = 0; i < order->count; i++) {
    if (!read_term(groupings, type, &order->items[i], &terms[i])) return false;
  }
  aggregate->order = terms;
  aggregate->order_count = order->count;
  return true;
}

/* ---- all of it ---- */

static bool compile_items(Groupings *groupings, GraphqlOut *out) {
  GraphqlCompiler *compiler = groupings->compiler;
  const GraphqlType *type = groupings->group->field->type.type;
  GraphqlTarget row = {.scope = {.root = EXPR_ROOT_ROW, .resource = groupings->group->field->resource}};
  GraphqlGroups groups = {0};
  out->kind = GRAPHQL_OUT_NODES;
  if (!graphql_collect_below(compiler->run, type, groupings->group, &groups) || !graphql_items_create(compiler, &groups, out)) return false;
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    GraphqlOut *item = &out->items[i];
    bool is_good = graphql_check_depth(compiler, member, 2);
    switch (is_good ? member->field->role : GRAPHQL_ROLE_TYPENAME) {
      case GRAPHQL_ROLE_BY: is_good = compile_keys(groupings, member, &row, 3, item); break;
      case GRAPHQL_ROLE_METRICS: is_good = compile_metrics(groupings, member, item); break;
      case GRAPHQL_ROLE_COUNT: is_good = metric_item(groupings, METRIC_COUNT, NULL, item); break;
      default: item->text = graphql_typename_text(compiler, type); break;
    }
    if (!is_good) return false;
  }
  return true;
}

/* Groups without a limit of their own are as many as there may be. */
static int64_t rows_max(const Groupings *groupings, const ListQuery *list) {
  if (list->limit >= 0) return list->limit;
  return groupings->by.count == 0 ? 1 : groupings->compiler->run->api->limits.groups_max;
}

bool graphql_compile_aggregate(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root) {
  Groupings groupings = {.compiler = compiler, .group = group};
  ListQuery list;
  uint32_t ignored;
  Aggregate *aggregate = ARENA_NEW(compiler->arena, Aggregate);
  if (aggregate == NULL) return graphql_compile_no_memory(compiler);
  if (!graphql_list_query(compiler, group, group->field->resource, &list, false)) return false;
  const JsonValue *first = graphql_group_argument(compiler, group, "first");
  if (!graphql_page_size(compiler, group, first, compiler->run->api->limits.groups_max, &list.limit)) return false;
  if (!read_by(&groupings) || !read_by_path(&groupings) || !compile_items(&groupings, &root->out)) return false;
  if (!read_having(&groupings) || !read_order(&groupings, aggregate) || graphql_is_refused(compiler->run->mistakes)) return false;
  /* A statement needs a column. */
  if (groupings.metrics.count == 0 && !find_metric(&groupings, METRIC_COUNT, NULL, &ignored)) return false;
  aggregate->by = groupings.by.items;
  aggregate->by_count = groupings.by.count;
  aggregate->metrics = groupings.metrics.items;
  aggregate->metric_count = groupings.metrics.count;
  aggregate->having = groupings.having.items;
  aggregate->having_count = groupings.having.count;
  Call *call = graphql_add_call(compiler, &root->sink, ACTION_AGGREGATE, group->field->resource, NULL);
  if (call == NULL) return false;
  call->operation.list = list;
  call->operation.aggregate = aggregate;
  root->kind = GRAPHQL_ROOT_ROWS;
  graphql_add_cost(rows_max(&groupings, &list), 0, &compiler->run->cost);
  return graphql_begin_sink(compiler, &root->sink, call, compiler->run->root_count == 1) && graphql_give_parts(compiler, root, false);
}
