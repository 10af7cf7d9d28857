/* graphql_schema_rows.c - objects: rows, their pages, embedded values. */
#include "api/graphql_build.h"

/* ---- values ---- */

/* Values of a field as an object gives them. */
Str graphql_build_value(GraphqlBuilder *builder, const Field *field, Str name, bool is_required) {
  Str item = field->is_list ? graphql_text(builder, field->is_item_required ? "[%.*s!]%.*s" : "[%.*s]%.*s", name, STR("")) : name;
  return is_required ? graphql_text(builder, "%.*s!%.*s", item, STR("")) : item;
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

void graphql_build_scalars(GraphqlBuilder *builder) {
  for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
    GraphqlType *type = graphql_build_type(builder, GRAPHQL_SCALAR_TYPE, scalars[i].name);
    type->description = scalars[i].description;
    type->scalar = scalars[i].type;
    type->is_built_in = i < 5;
  }
}

void graphql_build_enum_of(GraphqlBuilder *builder, const EnumType *source) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_ENUM_TYPE, source->name);
  type->description = source->description;
  for (size_t i = 0; i < source->value_count; i++) {
    const EnumValue *value = &source->values[i];
    graphql_build_item(builder, type,
                       (GraphqlEnumItem){.name = value->name, .description = value->description, .deprecation = value->deprecation_reason});
  }
}

/* ---- objects ---- */

void graphql_build_list_arguments(GraphqlBuilder *builder, GraphqlField *field, const Resource *resource) {
  graphql_build_argument(builder, field, STR("where"), graphql_build_name(builder, resource->name, "Where"));
  graphql_build_argument(builder, field, STR("filter"), STR("String"));
  if (graphql_is_orderable(resource))
    graphql_build_argument(builder, field, STR("orderBy"),
                           graphql_text(builder, "[%.*s!]%.*s", graphql_build_name(builder, resource->name, "Order"), STR("")));
  graphql_build_argument(builder, field, STR("first"), STR("Int"));
  graphql_build_argument(builder, field, STR("after"), STR("String"));
  graphql_build_argument(builder, field, STR("last"), STR("Int"));
  graphql_build_argument(builder, field, STR("before"), STR("String"));
  if (graphql_has_search(resource)) graphql_build_argument(builder, field, STR("search"), STR("String"));
  graphql_build_argument(builder, field, STR("distinct"), STR("Boolean"));
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
    Str connection = graphql_build_name(builder, other->name, "Connection");
    field = graphql_build_field(builder, type, GRAPHQL_ROLE_TO_MANY, source->name, graphql_text(builder, "%.*s!%.*s", connection, STR("")));
    field->resource = other;
    graphql_build_list_arguments(builder, field, other);
  } else if (source->kind == FIELD_TO_ONE) {
    Str name = source->relation->target->name;
    field = graphql_build_field(builder, type, GRAPHQL_ROLE_TO_ONE, source->name,
                                is_given(source) ? graphql_text(builder, "%.*s!%.*s", name, STR("")) : name);
    field->resource = source->relation->target;
  } else {
    field = graphql_build_field(builder, type, GRAPHQL_ROLE_VALUE, source->name,
                                graphql_build_value(builder, source, field_type_name(source), is_given(source)));
  }
  field->field = source;
  field->description = source->description;
  field->deprecation = source->deprecation_reason;
}

void graphql_build_row(GraphqlBuilder *builder, const Resource *resource) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, resource->name);
  type->description = resource->description;
  type->resource = resource;
  type->is_entity = resource->key_count > 0;
  for (size_t i = 0; i < resource->key_count; i++) type->is_entity = type->is_entity && !resource->keys[i]->is_hidden;
  type->is_node = type->is_entity && resource_field(resource, STR("nodeId")) == NULL;
  if (type->is_node)
    graphql_build_field(builder, type, GRAPHQL_ROLE_NODE_ID, STR("nodeId"), STR("ID!"))->description = STR("The global id, for node(id:).");
  for (size_t i = 0; i < resource->field_count; i++) {
    if (!resource->fields[i]->is_hidden) add_row_field(builder, type, resource->fields[i]);
  }
  ((const GraphqlType **)builder->schema->row_types)[resource->index] = type;
}

void graphql_build_connection(GraphqlBuilder *builder, const Resource *resource) {
  Str edge = graphql_build_name(builder, resource->name, "Edge");
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, graphql_build_name(builder, resource->name, "Connection"));
  type->made_of = resource;
  graphql_build_field(builder, type, GRAPHQL_ROLE_NODES, STR("nodes"), graphql_text(builder, "[%.*s!]!%.*s", resource->name, STR("")))
      ->resource = resource;
  graphql_build_field(builder, type, GRAPHQL_ROLE_EDGES, STR("edges"), graphql_text(builder, "[%.*s!]!%.*s", edge, STR("")))->resource =
      resource;
  graphql_build_field(builder, type, GRAPHQL_ROLE_PAGE_INFO, STR("pageInfo"),
                      graphql_build_required(builder, graphql_build_name(builder, STR("PageInfo"), "")));
  GraphqlField *total = graphql_build_field(builder, type, GRAPHQL_ROLE_TOTAL, STR("totalCount"), STR("Int!"));
  total->description = STR("How many rows there are on all pages.");
  type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, edge);
  type->made_of = resource;
  graphql_build_field(builder, type, GRAPHQL_ROLE_EDGE_NODE, STR("node"), graphql_text(builder, "%.*s!%.*s", resource->name, STR("")))
      ->resource = resource;
  graphql_build_field(builder, type, GRAPHQL_ROLE_CURSOR, STR("cursor"), STR("String!"));
}

void graphql_build_page_info(GraphqlBuilder *builder) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, graphql_build_name(builder, STR("PageInfo"), ""));
  graphql_build_field(builder, type, GRAPHQL_ROLE_HAS_NEXT, STR("hasNextPage"), STR("Boolean!"));
  graphql_build_field(builder, type, GRAPHQL_ROLE_HAS_PREVIOUS, STR("hasPreviousPage"), STR("Boolean!"));
  graphql_build_field(builder, type, GRAPHQL_ROLE_START_CURSOR, STR("startCursor"), STR("String"));
  graphql_build_field(builder, type, GRAPHQL_ROLE_END_CURSOR, STR("endCursor"), STR("String"));
}

void graphql_build_embedded(GraphqlBuilder *builder, const Embedded *embedded) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, embedded->name);
  GraphqlType *input = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, embedded->name, "Input"));
  type->description = input->description = embedded->description;
  for (size_t i = 0; i < embedded->field_count; i++) {
    const Field *source = embedded->fields[i];
    Str name = field_type_name(source);
    GraphqlField *field = graphql_build_field(builder, type, GRAPHQL_ROLE_MEMBER, source->name,
                                              graphql_build_value(builder, source, name, source->is_required));
    field->field = source;
    field->description = source->description;
    field->deprecation = source->deprecation_reason;
    if (source->type == TYPE_EMBEDDED) name = graphql_build_name(builder, source->embedded->name, "Input");
    bool is_required = source->is_required && source->default_kind == DEFAULT_NONE;
    GraphqlInput *member = graphql_build_input(builder, input, source->name, graphql_build_value(builder, source, name, is_required));
    member->field = source;
    member->description = source->description;
  }
}
