/* graphql_schema.c - the schema's types, made from the contract. Types are named by SDL's own notation while they are made, so that one can
 * refer to another that comes later. */
#include "api/graphql_schema.h"

#include "base/vec.h"
#include "codec/json.h"
#include "query/operation.h"
#include "query/rules.h"

typedef struct TypeDraft {
  GraphqlType type; /* first: a GraphqlType * is its draft */
  bool is_defined;
  VEC(GraphqlField) fields;
  VEC(GraphqlInput) inputs;
  VEC(GraphqlEnumItem) items;
} TypeDraft;

struct GraphqlBuilder {
  Arena *arena;
  const Contract *contract;
  GraphqlSchema *schema;
  VEC(const GraphqlType *) types;
  Str order_name;     /* of the enum ASC, DESC */
  bool has_no_memory; /* sticky */
  TypeDraft no_draft; /* given out when memory is out */
  GraphqlField no_field;
  GraphqlInput no_input;
};

static void no_memory(GraphqlBuilder *builder) { builder->has_no_memory = true; }

/* ---- names ---- */

static Str kept(GraphqlBuilder *builder, Str made) {
  if (made.ptr == NULL) no_memory(builder);
  return made.ptr == NULL ? STR("") : made;
}

/* printf of two Strs into the schema's arena. */
#define text(builder, format, a, b)                                                                                                        \
  __extension__({                                                                                                                          \
    Str text_a_ = (a), text_b_ = (b);                                                                                                      \
    kept((builder), arena_printf((builder)->arena, (format), STR_ARGS(text_a_), STR_ARGS(text_b_)));                                       \
  })

static bool is_contract_name(const Contract *contract, Str name) {
  if (contract_resource(contract, name) != NULL) return true;
  for (size_t i = 0; i < contract->enum_count; i++) {
    if (str_equal(contract->enums[i]->name, name)) return true;
  }
  for (size_t i = 0; i < contract->embedded_count; i++) {
    if (str_equal(contract->embeddeds[i]->name, name)) return true;
  }
  return false;
}

/* The contract's own names come first: a made one that is taken gets a "_". */
static Str made_name(GraphqlBuilder *builder, Str base, const char *suffix) {
  Str name = text(builder, "%.*s%.*s", base, str_of(suffix));
  return is_contract_name(builder->contract, name) ? text(builder, "%.*s%.*s", name, STR("_")) : name;
}

static Str required(GraphqlBuilder *builder, Str notation) { return text(builder, "%.*s%.*s", notation, STR("!")); }

/* ---- types ---- */

static TypeDraft *draft_named(GraphqlBuilder *builder, Str name) {
  TypeDraft *draft = map_get(&builder->schema->by_name, name);
  if (draft != NULL) return draft;
  draft = ARENA_NEW(builder->arena, TypeDraft);
  if (draft == NULL || !map_put(&builder->schema->by_name, name, draft)) {
    no_memory(builder);
    return &builder->no_draft;
  }
  draft->type.name = name;
  return draft;
}

GraphqlType *graphql_build_type(GraphqlBuilder *builder, GraphqlKind kind, Str name) {
  TypeDraft *draft = draft_named(builder, name);
  draft->type.kind = kind;
  draft->is_defined = true;
  if (!builder->has_no_memory && !VEC_PUSH(builder->arena, &builder->types, &draft->type)) no_memory(builder);
  return &draft->type;
}

/* "[Product!]!" */
static GraphqlRef ref_of(GraphqlBuilder *builder, Str notation) {
  GraphqlRef ref = {0};
  size_t begin = 0, end = notation.len;
  while (begin < end && notation.ptr[begin] == '[') begin++;
  ref.depth = (uint32_t)begin;
  for (uint32_t level = 0; level <= ref.depth; level++) {
    if (end > begin && notation.ptr[end - 1] == '!') {
      ref.required |= 1u << level;
      end--;
    }
    if (level < ref.depth) end--; /* the bracket */
  }
  ref.type = &draft_named(builder, str_slice(notation, begin, end))->type;
  return ref;
}

static Str json_key(GraphqlBuilder *builder, Str name) {
  Str key = text(builder, "\"%.*s\":%.*s", name, STR(""));
  return key;
}

static GraphqlField *add_field(GraphqlBuilder *builder, GraphqlType *type, GraphqlRole role, Str name, Str notation) {
  TypeDraft *draft = (TypeDraft *)type;
  GraphqlField field = {.name = name, .role = role, .type = ref_of(builder, notation), .key = json_key(builder, name)};
  if (builder->has_no_memory || !VEC_PUSH(builder->arena, &draft->fields, field)) {
    no_memory(builder);
    return &builder->no_field;
  }
  return &draft->fields.items[draft->fields.count - 1];
}

static GraphqlInput *add_input(GraphqlBuilder *builder, GraphqlType *type, Str name, Str notation) {
  TypeDraft *draft = (TypeDraft *)type;
  GraphqlInput input = {.name = name, .type = ref_of(builder, notation)};
  if (builder->has_no_memory || !VEC_PUSH(builder->arena, &draft->inputs, input)) {
    no_memory(builder);
    return &builder->no_input;
  }
  return &draft->inputs.items[draft->inputs.count - 1];
}

static void add_item(GraphqlBuilder *builder, GraphqlType *type, GraphqlEnumItem item) {
  if (builder->has_no_memory || !VEC_PUSH(builder->arena, &((TypeDraft *)type)->items, item)) no_memory(builder);
}

static void add_argument(GraphqlBuilder *builder, GraphqlField *field, Str name, Str notation) {
  GraphqlInput *grown = arena_grow(builder->arena, (void *)field->arguments, field->argument_count * sizeof *grown,
                                   (field->argument_count + 1) * sizeof *grown);
  if (grown == NULL) {
    no_memory(builder);
    return;
  }
  grown[field->argument_count++] = (GraphqlInput){.name = name, .type = ref_of(builder, notation)};
  field->arguments = grown;
}

/* ---- values ---- */

static Str scalar_name(const Field *field) { return field_type_name(field); }

/* Values of a field as an object gives them. */
static Str value_notation(GraphqlBuilder *builder, const Field *field, Str name, bool is_required) {
  Str item = field->is_list ? text(builder, field->is_item_required ? "[%.*s!]%.*s" : "[%.*s]%.*s", name, STR("")) : name;
  return is_required ? text(builder, "%.*s!%.*s", item, STR("")) : item;
}

static bool is_scalar(const Field *field) {
  return field->kind == FIELD_STORED && !field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED;
}
static bool is_sortable(const Field *field) { return is_scalar(field) && field->type != TYPE_BYTES; }
static bool is_ordered(const Field *field) { return is_sortable(field) && field->type != TYPE_BOOLEAN; }
static bool is_textual(const Field *field) {
  return field->type == TYPE_ID || field->type == TYPE_STRING || field->type == TYPE_UUID || field->type == TYPE_EMAIL ||
         field->type == TYPE_URL || field->type == TYPE_ENUM;
}
static bool is_number(const Field *field) {
  return is_scalar(field) &&
         (field->type == TYPE_INT || field->type == TYPE_BIGINT || field->type == TYPE_FLOAT || field->type == TYPE_DECIMAL);
}

static const struct {
  FieldType type;
  Str name, description;
} scalars[] = {
    {TYPE_ID, STR_INIT("ID"), STR_INIT("A key, as text.")},
    {TYPE_STRING, STR_INIT("String"), STR_INIT("Text.")},
    {TYPE_INT, STR_INIT("Int"), STR_INIT("An integer of 32 bits.")},
    {TYPE_FLOAT, STR_INIT("Float"), STR_INIT("A number of double precision.")},
    {TYPE_BOOLEAN, STR_INIT("Boolean"), STR_INIT("true or false.")},
    {TYPE_BIGINT, STR_INIT("BigInt"), STR_INIT("An integer of 64 bits, or a sum of integers, as a string of digits.")},
    {TYPE_DECIMAL, STR_INIT("Decimal"), STR_INIT("An exact decimal number of up to 38 digits, as a string.")},
    {TYPE_DATETIME, STR_INIT("DateTime"), STR_INIT("A time by RFC 3339, in UTC, as 2026-11-23T12:00:00Z.")},
    {TYPE_DATE, STR_INIT("Date"), STR_INIT("A day, as 2026-11-23.")},
    {TYPE_UUID, STR_INIT("UUID"), STR_INIT("A UUID by RFC 9562.")},
    {TYPE_JSON, STR_INIT("JSON"), STR_INIT("Any JSON value.")},
    {TYPE_BYTES, STR_INIT("Bytes"), STR_INIT("Bytes, as base64.")},
    {TYPE_EMAIL, STR_INIT("Email"), STR_INIT("An email address.")},
    {TYPE_URL, STR_INIT("URL"), STR_INIT("A URL.")},
};

static void add_scalars(GraphqlBuilder *builder) {
  for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
    GraphqlType *type = graphql_build_type(builder, GRAPHQL_SCALAR_TYPE, scalars[i].name);
    type->description = scalars[i].description;
    type->scalar = scalars[i].type;
    type->is_built_in = i < 5;
  }
}

static void add_enum(GraphqlBuilder *builder, const EnumType *source) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_ENUM_TYPE, source->name);
  type->description = source->description;
  for (size_t i = 0; i < source->value_count; i++) {
    const EnumValue *value = &source->values[i];
    add_item(builder, type,
             (GraphqlEnumItem){.name = value->name, .description = value->description, .deprecation = value->deprecation_reason});
  }
}

/* ---- filters: REST's operators ---- */

static Str filter_name(GraphqlBuilder *builder, const Field *field) {
  Str base = scalar_name(field);
  return made_name(builder, base, field->is_list ? "ListFilter" : "Filter");
}

static void add_filter(GraphqlBuilder *builder, const Field *field) {
  Str name = filter_name(builder, field), value = scalar_name(field);
  if (draft_named(builder, name)->is_defined) return;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  if (is_scalar(field)) {
    add_input(builder, type, STR("eq"), value);
    add_input(builder, type, STR("ne"), value);
    add_input(builder, type, STR("in"), text(builder, "[%.*s!]%.*s", value, STR("")));
  }
  static const Str orders[] = {STR_INIT("gt"), STR_INIT("gte"), STR_INIT("lt"), STR_INIT("lte")};
  for (size_t i = 0; is_ordered(field) && i < 4; i++) add_input(builder, type, orders[i], value);
  static const Str texts[] = {STR_INIT("contains"), STR_INIT("startsWith"), STR_INIT("endsWith")};
  for (size_t i = 0; is_scalar(field) && is_textual(field) && i < 3; i++) add_input(builder, type, texts[i], STR("String"));
  if (field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED) add_input(builder, type, STR("contains"), value);
  add_input(builder, type, STR("isNull"), STR("Boolean"));
}

static void add_embedded_where(GraphqlBuilder *builder, const Embedded *embedded);

/* A stored field's condition. */
static void add_condition(GraphqlBuilder *builder, GraphqlType *where, const Field *field) {
  Str notation;
  if (field->type == TYPE_EMBEDDED && !field->is_list) {
    add_embedded_where(builder, field->embedded);
    notation = made_name(builder, field->embedded->name, "Where");
  } else {
    add_filter(builder, field);
    notation = filter_name(builder, field);
  }
  add_input(builder, where, field->name, notation)->field = field;
}

static void add_embedded_where(GraphqlBuilder *builder, const Embedded *embedded) {
  Str name = made_name(builder, embedded->name, "Where");
  if (draft_named(builder, name)->is_defined) return;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  for (size_t i = 0; i < embedded->field_count; i++) add_condition(builder, type, embedded->fields[i]);
  if (map_get(&embedded->field_by_name, STR("isNull")) == NULL) add_input(builder, type, STR("isNull"), STR("Boolean"));
}

static void add_where(GraphqlBuilder *builder, const Resource *resource) {
  Str name = made_name(builder, resource->name, "Where"), list = made_name(builder, resource->name, "ListWhere");
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  type->resource = resource;
  Str many = text(builder, "[%.*s!]%.*s", name, STR(""));
  /* A field of the same name hides the connective. */
  if (resource_field(resource, STR("and")) == NULL) add_input(builder, type, STR("and"), many);
  if (resource_field(resource, STR("or")) == NULL) add_input(builder, type, STR("or"), many);
  if (resource_field(resource, STR("not")) == NULL) add_input(builder, type, STR("not"), name);
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->is_hidden) continue;
    if (field->kind == FIELD_STORED)
      add_condition(builder, type, field);
    else if (field->kind == FIELD_TO_ONE)
      add_input(builder, type, field->name, made_name(builder, field->relation->target->name, "Where"))->field = field;
    else
      add_input(builder, type, field->name, made_name(builder, field->relation->source->name, "ListWhere"))->field = field;
  }
  GraphqlType *lists = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, list);
  lists->resource = resource;
  add_input(builder, lists, STR("some"), name);
  add_input(builder, lists, STR("every"), name);
  add_input(builder, lists, STR("none"), name);
}

static void add_order(GraphqlBuilder *builder, const Resource *resource) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, resource->name, "Order"));
  type->is_one_of = true;
  type->resource = resource;
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->is_hidden) continue;
    if (is_sortable(field)) add_input(builder, type, field->name, builder->order_name)->field = field;
    if (field->kind == FIELD_TO_ONE)
      add_input(builder, type, field->name, made_name(builder, field->relation->target->name, "Order"))->field = field;
  }
}

/* ---- objects ---- */

static void add_list_arguments(GraphqlBuilder *builder, GraphqlField *field, const Resource *resource) {
  add_argument(builder, field, STR("where"), made_name(builder, resource->name, "Where"));
  add_argument(builder, field, STR("filter"), STR("String"));
  add_argument(builder, field, STR("orderBy"), text(builder, "[%.*s!]%.*s", made_name(builder, resource->name, "Order"), STR("")));
  add_argument(builder, field, STR("first"), STR("Int"));
  add_argument(builder, field, STR("after"), STR("String"));
  add_argument(builder, field, STR("last"), STR("Int"));
  add_argument(builder, field, STR("before"), STR("String"));
}

/* A field rule hides the value; a to-one's row may be hidden by its own rule. */
static bool is_given(const Field *field) {
  if (field_rule(field, RULE_READ) != NULL) return false;
  if (field->kind == FIELD_STORED) return field->is_required;
  const Expr *rule = field->relation->target->access[RULE_READ];
  return field->relation->is_required && rule != NULL && expr_is_true(rule);
}

static void add_row_field(GraphqlBuilder *builder, GraphqlType *type, const Field *source) {
  GraphqlField *field;
  if (source->kind == FIELD_TO_MANY) {
    const Resource *other = source->relation->source;
    Str connection = made_name(builder, other->name, "Connection");
    field = add_field(builder, type, GRAPHQL_ROLE_TO_MANY, source->name, text(builder, "%.*s!%.*s", connection, STR("")));
    field->resource = other;
    add_list_arguments(builder, field, other);
  } else if (source->kind == FIELD_TO_ONE) {
    Str name = source->relation->target->name;
    field =
        add_field(builder, type, GRAPHQL_ROLE_TO_ONE, source->name, is_given(source) ? text(builder, "%.*s!%.*s", name, STR("")) : name);
    field->resource = source->relation->target;
  } else {
    field =
        add_field(builder, type, GRAPHQL_ROLE_VALUE, source->name, value_notation(builder, source, scalar_name(source), is_given(source)));
  }
  field->field = source;
  field->description = source->description;
  field->deprecation = source->deprecation_reason;
}

static void add_row_type(GraphqlBuilder *builder, const Resource *resource) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, resource->name);
  type->description = resource->description;
  type->resource = resource;
  type->is_node = resource->key_count > 0 && resource_field(resource, STR("nodeId")) == NULL;
  for (size_t i = 0; i < resource->key_count; i++) type->is_node = type->is_node && !resource->keys[i]->is_hidden;
  if (type->is_node)
    add_field(builder, type, GRAPHQL_ROLE_NODE_ID, STR("nodeId"), STR("ID!"))->description = STR("The global id, for node(id:).");
  for (size_t i = 0; i < resource->field_count; i++) {
    if (!resource->fields[i]->is_hidden) add_row_field(builder, type, resource->fields[i]);
  }
  ((const GraphqlType **)builder->schema->row_types)[resource->index] = type;
}

static void add_connection(GraphqlBuilder *builder, const Resource *resource) {
  Str edge = made_name(builder, resource->name, "Edge");
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, made_name(builder, resource->name, "Connection"));
  add_field(builder, type, GRAPHQL_ROLE_NODES, STR("nodes"), text(builder, "[%.*s!]!%.*s", resource->name, STR("")))->resource = resource;
  add_field(builder, type, GRAPHQL_ROLE_EDGES, STR("edges"), text(builder, "[%.*s!]!%.*s", edge, STR("")))->resource = resource;
  add_field(builder, type, GRAPHQL_ROLE_PAGE_INFO, STR("pageInfo"), required(builder, made_name(builder, STR("PageInfo"), "")));
  GraphqlField *total = add_field(builder, type, GRAPHQL_ROLE_TOTAL, STR("totalCount"), STR("Int!"));
  total->description = STR("How many rows there are on all pages.");
  type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, edge);
  add_field(builder, type, GRAPHQL_ROLE_EDGE_NODE, STR("node"), text(builder, "%.*s!%.*s", resource->name, STR("")))->resource = resource;
  add_field(builder, type, GRAPHQL_ROLE_CURSOR, STR("cursor"), STR("String!"));
}

static void add_page_info(GraphqlBuilder *builder) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, made_name(builder, STR("PageInfo"), ""));
  add_field(builder, type, GRAPHQL_ROLE_HAS_NEXT, STR("hasNextPage"), STR("Boolean!"));
  add_field(builder, type, GRAPHQL_ROLE_HAS_PREVIOUS, STR("hasPreviousPage"), STR("Boolean!"));
  add_field(builder, type, GRAPHQL_ROLE_START_CURSOR, STR("startCursor"), STR("String"));
  add_field(builder, type, GRAPHQL_ROLE_END_CURSOR, STR("endCursor"), STR("String"));
}

static void add_embedded(GraphqlBuilder *builder, const Embedded *embedded) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, embedded->name);
  GraphqlType *input = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, embedded->name, "Input"));
  type->description = input->description = embedded->description;
  for (size_t i = 0; i < embedded->field_count; i++) {
    const Field *source = embedded->fields[i];
    Str name = scalar_name(source);
    GraphqlField *field =
        add_field(builder, type, GRAPHQL_ROLE_MEMBER, source->name, value_notation(builder, source, name, source->is_required));
    field->field = source;
    field->description = source->description;
    field->deprecation = source->deprecation_reason;
    if (source->type == TYPE_EMBEDDED) name = made_name(builder, source->embedded->name, "Input");
    bool is_required = source->is_required && source->default_kind == DEFAULT_NONE;
    GraphqlInput *member = add_input(builder, input, source->name, value_notation(builder, source, name, is_required));
    member->field = source;
    member->description = source->description;
  }
}

/* ---- aggregates ---- */

static const struct {
  MetricKind kind;
  const char *suffix;
  Str name;
} metrics[] = {{METRIC_SUM, "Sum", STR_INIT("sum")},
               {METRIC_AVG, "Avg", STR_INIT("avg")},
               {METRIC_MIN, "Min", STR_INIT("min")},
               {METRIC_MAX, "Max", STR_INIT("max")}};

static Str metric_type(MetricKind kind, const Field *field) {
  if (kind == METRIC_AVG) return STR("Float");
  if (kind != METRIC_SUM) return scalar_name(field);
  if (field->type == TYPE_FLOAT) return STR("Float");
  return field->type == TYPE_DECIMAL ? STR("Decimal") : STR("BigInt");
}

static void add_metrics(GraphqlBuilder *builder, const Resource *resource, GraphqlType *aggregate, size_t at) {
  MetricKind kind = metrics[at].kind;
  bool is_arithmetic = kind == METRIC_SUM || kind == METRIC_AVG;
  GraphqlType *type = NULL;
  Str name = made_name(builder, resource->name, metrics[at].suffix);
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (field->is_hidden || !(is_arithmetic ? is_number(field) : is_ordered(field))) continue;
    if (type == NULL) type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, name);
    GraphqlField *metric = add_field(builder, type, GRAPHQL_ROLE_GROUP_METRIC, field->name, metric_type(kind, field));
    metric->field = field;
    metric->metric = (int)kind;
  }
  if (type == NULL) return;
  GraphqlField *all = add_field(builder, aggregate, GRAPHQL_ROLE_METRICS, metrics[at].name, text(builder, "%.*s!%.*s", name, STR("")));
  all->metric = (int)kind;
}

static void add_group(GraphqlBuilder *builder, GraphqlType *by, GraphqlType *group, Str name, const Field *field, const Relation *hop) {
  GraphqlField *key = add_field(builder, group, GRAPHQL_ROLE_GROUP_KEY, name, scalar_name(field));
  key->field = field;
  key->hop = hop;
  add_item(builder, by, (GraphqlEnumItem){.name = name, .description = field->description, .field = field, .hop = hop});
}

static void add_groups(GraphqlBuilder *builder, const Resource *resource) {
  GraphqlType *by = graphql_build_type(builder, GRAPHQL_ENUM_TYPE, made_name(builder, resource->name, "GroupBy"));
  GraphqlType *group = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, made_name(builder, resource->name, "Group"));
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->is_hidden) continue;
    if (is_sortable(field)) add_group(builder, by, group, field->name, field, NULL);
    if (field->kind != FIELD_TO_ONE) continue;
    const Resource *target = field->relation->target;
    for (size_t k = 0; k < target->stored_count; k++) {
      if (target->stored[k]->is_hidden || !is_sortable(target->stored[k])) continue;
      Str name = text(builder, "%.*s_%.*s", field->name, target->stored[k]->name);
      if (resource_field(resource, name) == NULL) add_group(builder, by, group, name, target->stored[k], field->relation);
    }
  }
}

static void add_aggregate(GraphqlBuilder *builder, const Resource *resource) {
  add_groups(builder, resource);
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, made_name(builder, resource->name, "Aggregate"));
  add_field(builder, type, GRAPHQL_ROLE_BY, STR("by"), required(builder, made_name(builder, resource->name, "Group")));
  add_field(builder, type, GRAPHQL_ROLE_COUNT, STR("count"), STR("Int!"));
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) add_metrics(builder, resource, type, i);
}

/* ---- inputs of writes: REST's shapes ---- */

static void add_unique_input(GraphqlBuilder *builder, const Resource *resource) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, resource->name, "Unique"));
  type->description = STR("A row by its key, or by another unique group of fields.");
  type->resource = resource;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    bool is_used = field->is_key;
    for (size_t u = 0; u < resource->unique_count; u++) {
      for (size_t k = 0; k < resource->uniques[u].count; k++) is_used = is_used || resource->uniques[u].fields[k] == field;
    }
    if (is_used && is_scalar(field)) add_input(builder, type, field->name, scalar_name(field))->field = field;
  }
}

static void add_relation_inputs(GraphqlBuilder *builder, const Resource *resource) {
  Str create = made_name(builder, resource->name, "Create"), unique = made_name(builder, resource->name, "Unique");
  GraphqlType *one = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, resource->name, "ToOne"));
  add_input(builder, one, STR("create"), create);
  add_input(builder, one, STR("connect"), unique);
  add_input(builder, one, STR("disconnect"), STR("Boolean"));
  GraphqlType *change = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, resource->name, "Change"));
  add_input(builder, change, STR("where"), text(builder, "%.*s!%.*s", unique, STR("")));
  add_input(builder, change, STR("data"), required(builder, made_name(builder, resource->name, "Update")));
  GraphqlType *many = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, resource->name, "ToMany"));
  Str uniques = text(builder, "[%.*s!]%.*s", unique, STR(""));
  add_input(builder, many, STR("create"), text(builder, "[%.*s!]%.*s", create, STR("")));
  add_input(builder, many, STR("connect"), uniques);
  add_input(builder, many, STR("disconnect"), uniques);
  add_input(builder, many, STR("update"), text(builder, "[%.*s!]%.*s", made_name(builder, resource->name, "Change"), STR("")));
  add_input(builder, many, STR("delete"), uniques);
}

static void add_write_field(GraphqlBuilder *builder, GraphqlType *input, const Field *field, bool is_create) {
  Str notation;
  if (field->kind != FIELD_STORED) {
    const Relation *relation = field->relation;
    bool is_one = field->kind == FIELD_TO_ONE;
    if ((is_one ? relation->target : relation->source)->key_count == 0) return;
    notation = made_name(builder, is_one ? relation->target->name : relation->source->name, is_one ? "ToOne" : "ToMany");
  } else {
    if (field->is_readonly || field->is_server_made || (field->is_key && !is_create)) return;
    Str name = field->type == TYPE_EMBEDDED ? made_name(builder, field->embedded->name, "Input") : scalar_name(field);
    /* A relation may be given by its key or by what it points to. */
    bool is_required = is_create && field->is_required && field->default_kind == DEFAULT_NONE && !field->is_relation_key;
    notation = value_notation(builder, field, name, is_required);
  }
  GraphqlInput *made = add_input(builder, input, field->name, notation);
  made->field = field;
  made->description = field->description;
  if (!graphql_is_required(made->type)) made->deprecation = field->deprecation_reason;
}

static void add_write_inputs(GraphqlBuilder *builder, const Resource *resource) {
  GraphqlType *create = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, resource->name, "Create"));
  GraphqlType *update = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, made_name(builder, resource->name, "Update"));
  create->resource = update->resource = resource;
  for (size_t i = 0; i < resource->field_count; i++) {
    add_write_field(builder, create, resource->fields[i], true);
    add_write_field(builder, update, resource->fields[i], false);
  }
  /* An input type has at least one field (§3.10). */
  if (((TypeDraft *)create)->inputs.count == 0) add_input(builder, create, STR("_"), STR("Boolean"));
  if (((TypeDraft *)update)->inputs.count == 0) add_input(builder, update, STR("_"), STR("Boolean"));
  add_unique_input(builder, resource);
  add_relation_inputs(builder, resource);
}

/* ---- Query and Mutation ---- */

static void add_key_arguments(GraphqlBuilder *builder, GraphqlField *field, const Field *const *keys, size_t count) {
  for (size_t i = 0; i < count; i++) {
    add_argument(builder, field, keys[i]->name, text(builder, "%.*s!%.*s", scalar_name(keys[i]), STR("")));
    if (!builder->has_no_memory) ((GraphqlInput *)field->arguments)[i].field = keys[i];
  }
}

static Str unique_field_name(GraphqlBuilder *builder, const Resource *resource, const UniqueGroup *unique) {
  Str name = text(builder, "%.*sBy%.*s", resource->singular, STR(""));
  for (size_t i = 0; i < unique->count; i++) {
    Str part = arena_str(builder->arena, unique->fields[i]->name);
    if (part.ptr == NULL) return no_memory(builder), name;
    if (part.len > 0 && part.ptr[0] >= 'a' && part.ptr[0] <= 'z') ((char *)part.ptr)[0] = (char)(part.ptr[0] - 32);
    name = text(builder, i == 0 ? "%.*s%.*s" : "%.*sAnd%.*s", name, part);
  }
  return name;
}

static void add_unique_query(GraphqlBuilder *builder, GraphqlType *query, const Resource *resource, const UniqueGroup *unique) {
  for (size_t i = 0; i < unique->count; i++) {
    if (unique->fields[i]->is_hidden || !is_scalar(unique->fields[i])) return;
  }
  GraphqlField *field = add_field(builder, query, GRAPHQL_ROLE_GET_UNIQUE, unique_field_name(builder, resource, unique), resource->name);
  field->resource = resource;
  field->unique = unique;
  add_key_arguments(builder, field, unique->fields, unique->count);
}

static void add_queries(GraphqlBuilder *builder, GraphqlType *query, const Resource *resource) {
  if (resource->key_count > 0) {
    GraphqlField *get = add_field(builder, query, GRAPHQL_ROLE_GET, resource->singular, resource->name);
    get->resource = resource;
    add_key_arguments(builder, get, resource->keys, resource->key_count);
  }
  for (size_t i = 0; i < resource->unique_count; i++) add_unique_query(builder, query, resource, &resource->uniques[i]);
  bool is_same = str_equal(resource->singular, resource->plural);
  Str plural = is_same ? text(builder, "%.*sList%.*s", resource->plural, STR("")) : resource->plural;
  GraphqlField *list =
      add_field(builder, query, GRAPHQL_ROLE_LIST, plural, required(builder, made_name(builder, resource->name, "Connection")));
  list->resource = resource;
  add_list_arguments(builder, list, resource);
  Str aggregate_name = text(builder, "%.*sAggregate%.*s", resource->plural, STR(""));
  Str notation = text(builder, "[%.*s!]!%.*s", made_name(builder, resource->name, "Aggregate"), STR(""));
  GraphqlField *aggregate = add_field(builder, query, GRAPHQL_ROLE_AGGREGATE, aggregate_name, notation);
  aggregate->resource = resource;
  add_argument(builder, aggregate, STR("where"), made_name(builder, resource->name, "Where"));
  add_argument(builder, aggregate, STR("filter"), STR("String"));
  add_argument(builder, aggregate, STR("by"), text(builder, "[%.*s!]%.*s", made_name(builder, resource->name, "GroupBy"), STR("")));
}

static Str upper_first(GraphqlBuilder *builder, Str name) {
  Str copy = arena_str(builder->arena, name);
  if (copy.ptr == NULL) return no_memory(builder), STR("");
  if (copy.len > 0 && copy.ptr[0] >= 'a' && copy.ptr[0] <= 'z') ((char *)copy.ptr)[0] = (char)(copy.ptr[0] - 32);
  return copy;
}

static void add_mutations(GraphqlBuilder *builder, GraphqlType *mutation, const Resource *resource) {
  if (resource->key_count == 0) return;
  Str one = upper_first(builder, resource->singular), many = upper_first(builder, resource->plural);
  bool is_same = str_equal(one, many);
  Str create = made_name(builder, resource->name, "Create");
  GraphqlField *field = add_field(builder, mutation, GRAPHQL_ROLE_CREATE, text(builder, "create%.*s%.*s", one, STR("")), resource->name);
  field->resource = resource;
  add_argument(builder, field, STR("input"), text(builder, "%.*s!%.*s", create, STR("")));
  field = add_field(builder, mutation, GRAPHQL_ROLE_CREATE_MANY,
                    text(builder, is_same ? "create%.*sList%.*s" : "create%.*s%.*s", many, STR("")),
                    text(builder, "[%.*s]%.*s", resource->name, STR("")));
  field->resource = resource;
  add_argument(builder, field, STR("inputs"), text(builder, "[%.*s!]!%.*s", create, STR("")));
  field = add_field(builder, mutation, GRAPHQL_ROLE_UPDATE, text(builder, "update%.*s%.*s", one, STR("")), resource->name);
  field->resource = resource;
  add_key_arguments(builder, field, resource->keys, resource->key_count);
  add_argument(builder, field, STR("input"), required(builder, made_name(builder, resource->name, "Update")));
  add_argument(builder, field, STR("ifMatch"), STR("String"));
  field = add_field(builder, mutation, GRAPHQL_ROLE_DELETE, text(builder, "delete%.*s%.*s", one, STR("")), resource->name);
  field->resource = resource;
  add_key_arguments(builder, field, resource->keys, resource->key_count);
  add_argument(builder, field, STR("ifMatch"), STR("String"));
}

static void add_resource(GraphqlBuilder *builder, const Resource *resource) {
  add_row_type(builder, resource);
  add_connection(builder, resource);
  add_where(builder, resource);
  add_order(builder, resource);
  add_aggregate(builder, resource);
  add_write_inputs(builder, resource);
}

/* ---- introspection's types, in notation ---- */

void graphql_build_introspection(GraphqlBuilder *builder, GraphqlType *type, Str name, Str ref, Str arguments) {
  GraphqlField *field = add_field(builder, type, GRAPHQL_ROLE_INTROSPECTION, name, ref);
  if (arguments.len == 0) return;
  add_argument(builder, field, arguments, STR("Boolean"));
  if (!builder->has_no_memory) ((GraphqlInput *)field->arguments)[0].fallback = STR("false");
}

void graphql_build_enum(GraphqlBuilder *builder, Str name, Str items) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_ENUM_TYPE, name);
  type->is_built_in = true;
  Str rest = items, item;
  while (str_split_next(&rest, ' ', &item)) add_item(builder, type, (GraphqlEnumItem){.name = item});
}

/* ---- all of it ---- */

static void add_roots(GraphqlBuilder *builder) {
  const Contract *contract = builder->contract;
  GraphqlType *query = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, STR("Query"));
  builder->schema->query = query;
  for (size_t i = 0; i < contract->resource_count; i++) add_queries(builder, query, contract->resources[i]);
  Str node_name = made_name(builder, STR("Node"), "");
  GraphqlField *node = add_field(builder, query, GRAPHQL_ROLE_NODE, STR("node"), node_name);
  add_argument(builder, node, STR("id"), STR("ID!"));
  GraphqlType *mutation = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, STR("Mutation"));
  for (size_t i = 0; i < contract->resource_count; i++) add_mutations(builder, mutation, contract->resources[i]);
  if (((TypeDraft *)mutation)->fields.count > 0)
    builder->schema->mutation = mutation;
  else
    builder->types.count--;
  GraphqlType *interface = graphql_build_type(builder, GRAPHQL_INTERFACE_TYPE, node_name);
  interface->description = STR("What has a global id.");
  add_field(builder, interface, GRAPHQL_ROLE_NODE_ID, STR("nodeId"), STR("ID!"));
  builder->schema->node = interface;
}

static void finish(GraphqlBuilder *builder) {
  for (size_t i = 0; i < builder->types.count; i++) {
    TypeDraft *draft = (TypeDraft *)builder->types.items[i];
    draft->type.fields = draft->fields.items;
    draft->type.field_count = draft->fields.count;
    draft->type.inputs = draft->inputs.items;
    draft->type.input_count = draft->inputs.count;
    draft->type.items = draft->items.items;
    draft->type.item_count = draft->items.count;
  }
  GraphqlSchema *schema = builder->schema;
  schema->types = builder->types.items;
  schema->type_count = builder->types.count;
}

static void add_meta_fields(GraphqlBuilder *builder) {
  GraphqlSchema *schema = builder->schema;
  schema->typename_field =
      (GraphqlField){.name = STR("__typename"), .type = ref_of(builder, STR("String!")), .key = STR("\"__typename\":")};
  schema->schema_field = (GraphqlField){
      .name = STR("__schema"), .role = GRAPHQL_ROLE_SCHEMA, .type = ref_of(builder, STR("__Schema!")), .key = STR("\"__schema\":")};
  schema->type_field =
      (GraphqlField){.name = STR("__type"), .role = GRAPHQL_ROLE_TYPE, .type = ref_of(builder, STR("__Type")), .key = STR("\"__type\":")};
  add_argument(builder, &schema->type_field, STR("name"), STR("String!"));
}

Code graphql_schema_create(const Contract *contract, Arena *arena, GraphqlSchema **ret, Error *err) {
  GraphqlSchema *schema = ARENA_NEW(arena, GraphqlSchema);
  TRY_ALLOC(schema);
  schema->contract = contract;
  schema->by_name = map_on(arena);
  schema->row_types = (const GraphqlType *const *)ARENA_ARRAY(arena, const GraphqlType *, contract->resource_count + 1);
  TRY_ALLOC(schema->row_types);
  GraphqlBuilder builder = {.arena = arena, .contract = contract, .schema = schema};
  builder.order_name = is_contract_name(contract, STR("Order")) ? made_name(&builder, STR("SortOrder"), "") : STR("Order");
  add_roots(&builder);
  for (size_t i = 0; i < contract->resource_count; i++) add_resource(&builder, contract->resources[i]);
  for (size_t i = 0; i < contract->embedded_count; i++) add_embedded(&builder, contract->embeddeds[i]);
  for (size_t i = 0; i < contract->enum_count; i++) add_enum(&builder, contract->enums[i]);
  GraphqlType *order = graphql_build_type(&builder, GRAPHQL_ENUM_TYPE, builder.order_name);
  add_item(&builder, order, (GraphqlEnumItem){.name = STR("ASC"), .description = STR("Ascending; null comes last.")});
  add_item(&builder, order, (GraphqlEnumItem){.name = STR("DESC"), .description = STR("Descending; null comes first.")});
  add_page_info(&builder);
  add_scalars(&builder);
  graphql_schema_add_introspection(&builder);
  add_meta_fields(&builder);
  finish(&builder);
  if (builder.has_no_memory) return error_no_memory(err);
  *ret = schema;
  return CODE_OK;
}

/* ---- looking up ---- */

const GraphqlField *graphql_field(const GraphqlSchema *schema, const GraphqlType *type, Str name) {
  for (size_t i = 0; i < type->field_count; i++) {
    if (str_equal(type->fields[i].name, name)) return &type->fields[i];
  }
  if (str_equal(name, STR("__typename"))) return &schema->typename_field;
  if (type != schema->query) return NULL;
  if (str_equal(name, STR("__schema"))) return &schema->schema_field;
  return str_equal(name, STR("__type")) ? &schema->type_field : NULL;
}

const GraphqlInput *graphql_input(const GraphqlInput *inputs, size_t count, Str name) {
  for (size_t i = 0; i < count; i++) {
    if (str_equal(inputs[i].name, name)) return &inputs[i];
  }
  return NULL;
}

bool graphql_types_overlap(const GraphqlType *a, const GraphqlType *b) {
  if (a == b) return true;
  if (a->kind == GRAPHQL_INTERFACE_TYPE) return b->is_node;
  return b->kind == GRAPHQL_INTERFACE_TYPE && a->is_node;
}

void graphql_ref_write(GraphqlRef ref, Buf *out) {
  for (uint32_t i = 0; i < ref.depth; i++) buf_add_byte(out, '[');
  buf_add(out, ref.type->name);
  for (uint32_t level = ref.depth + 1; level-- > 0;) {
    if ((ref.required >> level & 1u) != 0) buf_add_byte(out, '!');
    if (level > 0) buf_add_byte(out, ']');
  }
}
