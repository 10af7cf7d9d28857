/* graphql_schema_aggregate.c - groups: what they are made by, their metrics, and by which of both they are chosen and sorted. */
#include "api/graphql_build.h"

/* ---- metrics ---- */

/* Inputs over the same fields and types are shared: of min and max, and the orders of sum and avg. */
static const struct {
  MetricKind kind;
  Str name;
  const char *values, *having, *order; /* suffixes of types */
} metrics[] = {{METRIC_SUM, STR_INIT("sum"), "Sum", "SumHaving", "SumOrder"},
               {METRIC_AVG, STR_INIT("avg"), "Avg", "AvgHaving", "SumOrder"},
               {METRIC_MIN, STR_INIT("min"), "Min", "MinHaving", "MinOrder"},
               {METRIC_MAX, STR_INIT("max"), "Max", "MinHaving", "MinOrder"}};

static bool has_metric(MetricKind kind, const Field *field) {
  bool is_arithmetic = kind == METRIC_SUM || kind == METRIC_AVG;
  return !field->is_hidden && (is_arithmetic ? graphql_field_is_number(field) : graphql_field_is_ordered(field));
}

static Str metric_type(MetricKind kind, const Field *field) {
  if (kind == METRIC_AVG) return STR("Float");
  if (kind != METRIC_SUM) return field_type_name(field);
  if (field->type == TYPE_FLOAT) return STR("Float");
  return field->type == TYPE_DECIMAL ? STR("Decimal") : STR("BigInt");
}

/* What `having` says of a metric's value. */
static Str comparison_of(GraphqlBuilder *builder, Str value) {
  static const Str operators[] = {STR_INIT("eq"), STR_INIT("ne"), STR_INIT("gt"), STR_INIT("gte"), STR_INIT("lt"), STR_INIT("lte")};
  Str name = graphql_build_name(builder, value, "Comparison");
  if (graphql_build_draft(builder, name)->is_defined) return name;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) graphql_build_input(builder, type, operators[i], value);
  return name;
}

static void add_values(GraphqlBuilder *builder, const Resource *resource, size_t at, Str name) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, name);
  type->made_of = resource;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (!has_metric(metrics[at].kind, field)) continue;
    GraphqlField *metric = graphql_build_field(builder, type, GRAPHQL_ROLE_GROUP_METRIC, field->name, metric_type(metrics[at].kind, field));
    metric->field = field;
    metric->metric = (int)metrics[at].kind;
  }
}

static void add_inputs(GraphqlBuilder *builder, const Resource *resource, size_t at, Str name, bool is_order) {
  if (graphql_build_draft(builder, name)->is_defined) return;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  type->resource = resource;
  type->is_one_of = is_order;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (!has_metric(metrics[at].kind, field)) continue;
    Str value = is_order ? builder->order_name : comparison_of(builder, metric_type(metrics[at].kind, field));
    graphql_build_input(builder, type, field->name, value)->field = field;
  }
}

typedef struct AggregateTypes {
  GraphqlType *aggregate, *having, *order;
} AggregateTypes;

static void add_metrics(GraphqlBuilder *builder, const Resource *resource, const AggregateTypes *types, size_t at) {
  bool has_any = false;
  for (size_t i = 0; i < resource->stored_count; i++) has_any = has_any || has_metric(metrics[at].kind, resource->stored[i]);
  if (!has_any) return;
  Str values = graphql_build_name(builder, resource->name, metrics[at].values);
  Str having = graphql_build_name(builder, resource->name, metrics[at].having);
  Str order = graphql_build_name(builder, resource->name, metrics[at].order);
  add_values(builder, resource, at, values);
  add_inputs(builder, resource, at, having, false);
  add_inputs(builder, resource, at, order, true);
  graphql_build_field(builder, types->aggregate, GRAPHQL_ROLE_METRICS, metrics[at].name, graphql_build_required(builder, values))->metric =
      (int)metrics[at].kind;
  graphql_build_input(builder, types->having, metrics[at].name, having)->metric = (int)metrics[at].kind;
  graphql_build_input(builder, types->order, metrics[at].name, order)->metric = (int)metrics[at].kind;
}

/* ---- keys ---- */

/* What is at most one step away has a name in the enum, and a field beside the row's own; `path` and objects within the group go as far as
 * there are relations. */
typedef struct GroupTypes {
  GraphqlType *by; /* the enum; NULL: of an embedded object */
  GraphqlType *group, *path;
} GroupTypes;

static bool is_taken(const GraphqlType *group, Str name) {
  const GraphqlDraft *draft = (const GraphqlDraft *)group;
  for (size_t i = 0; i < draft->fields.count; i++) {
    if (str_equal(draft->fields.items[i].name, name)) return true;
  }
  return false;
}

static void add_key(GraphqlBuilder *builder, const GroupTypes *types, Str name, const Field *field, const Field *through) {
  if (is_taken(types->group, name)) return;
  GraphqlField *key = graphql_build_field(builder, types->group, GRAPHQL_ROLE_GROUP_KEY, name, field_type_name(field));
  key->field = field;
  key->through = through;
  if (types->by != NULL)
    graphql_build_item(builder, types->by,
                       (GraphqlEnumItem){.name = name, .description = field->description, .field = field, .through = through});
}

static void add_key_behind(GraphqlBuilder *builder, const GroupTypes *types, const Field *through, const Field *field) {
  if (field->is_hidden || !graphql_field_is_sortable(field)) return;
  Str name = graphql_text(builder, "%.*s_%.*s", through->name, field->name);
  if (through->resource == NULL || resource_field(through->resource, name) == NULL) add_key(builder, types, name, field, through);
}

static void add_object(GraphqlBuilder *builder, const GroupTypes *types, const Field *field, Str target) {
  graphql_build_field(builder, types->group, GRAPHQL_ROLE_GROUP_OBJECT, field->name,
                      graphql_build_required(builder, graphql_build_name(builder, target, "Group")))
      ->field = field;
  graphql_build_input(builder, types->path, field->name, graphql_build_name(builder, target, "GroupPath"))->field = field;
}

static GroupTypes begin_group(GraphqlBuilder *builder, Str name, const Resource *resource) {
  GroupTypes types = {0};
  if (resource != NULL) types.by = graphql_build_type(builder, GRAPHQL_ENUM_TYPE, graphql_build_name(builder, name, "GroupBy"));
  types.group = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, graphql_build_name(builder, name, "Group"));
  types.path = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, name, "GroupPath"));
  types.path->is_one_of = true;
  types.path->resource = types.group->made_of = resource;
  return types;
}

static void add_embedded_group(GraphqlBuilder *builder, const Embedded *embedded);

static void add_group_field(GraphqlBuilder *builder, const GroupTypes *types, const Field *field) {
  if (graphql_field_is_sortable(field)) {
    add_key(builder, types, field->name, field, NULL);
    graphql_build_input(builder, types->path, field->name, STR("Boolean"))->field = field;
  } else if (field->kind == FIELD_TO_ONE && graphql_is_orderable(field->relation->target)) {
    const Resource *target = field->relation->target;
    for (size_t k = 0; k < target->stored_count; k++) add_key_behind(builder, types, field, target->stored[k]);
    add_object(builder, types, field, target->name);
  } else if (graphql_field_is_object(field) && graphql_is_object_orderable(field->embedded)) {
    if (types->by != NULL) {
      for (size_t k = 0; k < field->embedded->field_count; k++) add_key_behind(builder, types, field, field->embedded->fields[k]);
    }
    add_object(builder, types, field, field->embedded->name);
    add_embedded_group(builder, field->embedded);
  }
}

static void add_embedded_group(GraphqlBuilder *builder, const Embedded *embedded) {
  if (graphql_build_draft(builder, graphql_build_name(builder, embedded->name, "Group"))->is_defined) return;
  GroupTypes types = begin_group(builder, embedded->name, NULL);
  for (size_t i = 0; i < embedded->field_count; i++) add_group_field(builder, &types, embedded->fields[i]);
}

static void add_groups(GraphqlBuilder *builder, const Resource *resource) {
  GroupTypes types = begin_group(builder, resource->name, resource);
  for (size_t i = 0; i < resource->field_count; i++) {
    if (!resource->fields[i]->is_hidden) add_group_field(builder, &types, resource->fields[i]);
  }
}

/* ---- all of it ---- */

void graphql_build_aggregate(GraphqlBuilder *builder, const Resource *resource) {
  bool has_groups = graphql_is_orderable(resource);
  if (has_groups) add_groups(builder, resource);
  AggregateTypes types = {
      .aggregate = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, graphql_build_name(builder, resource->name, "Aggregate")),
      .having = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "Having")),
      .order = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "AggregateOrder"))};
  types.having->resource = types.order->resource = types.aggregate->made_of = resource;
  types.order->is_one_of = true;
  if (has_groups) {
    graphql_build_field(builder, types.aggregate, GRAPHQL_ROLE_BY, STR("by"),
                        graphql_build_required(builder, graphql_build_name(builder, resource->name, "Group")));
    graphql_build_input(builder, types.order, STR("by"), graphql_build_name(builder, resource->name, "Order"));
  }
  graphql_build_field(builder, types.aggregate, GRAPHQL_ROLE_COUNT, STR("count"), STR("Int!"));
  graphql_build_input(builder, types.having, STR("count"), comparison_of(builder, STR("Int")))->metric = METRIC_COUNT;
  graphql_build_input(builder, types.order, STR("count"), builder->order_name)->metric = METRIC_COUNT;
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) add_metrics(builder, resource, &types, i);
}

void graphql_build_aggregate_arguments(GraphqlBuilder *builder, GraphqlField *field, const Resource *resource) {
  Str name = resource->name;
  graphql_build_argument(builder, field, STR("where"), graphql_build_name(builder, name, "Where"));
  graphql_build_argument(builder, field, STR("filter"), STR("String"));
  if (graphql_has_search(resource)) graphql_build_argument(builder, field, STR("search"), STR("String"));
  if (graphql_is_orderable(resource)) {
    graphql_build_argument(builder, field, STR("by"),
                           graphql_text(builder, "[%.*s!]%.*s", graphql_build_name(builder, name, "GroupBy"), STR("")));
    graphql_build_argument(builder, field, STR("byPath"),
                           graphql_text(builder, "[%.*s!]%.*s", graphql_build_name(builder, name, "GroupPath"), STR("")));
  }
  graphql_build_argument(builder, field, STR("having"), graphql_build_name(builder, name, "Having"));
  graphql_build_argument(builder, field, STR("orderBy"),
                         graphql_text(builder, "[%.*s!]%.*s", graphql_build_name(builder, name, "AggregateOrder"), STR("")));
  graphql_build_argument(builder, field, STR("first"), STR("Int"));
}
