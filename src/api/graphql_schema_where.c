/* graphql_schema_where.c - inputs of reads: conditions by REST's operators, and orders. */
#include "api/graphql_build.h"

static Str filter_name(GraphqlBuilder *builder, const Field *field) {
  Str base = field_type_name(field);
  return graphql_build_name(builder, base, field->is_list ? "ListFilter" : "Filter");
}

static void add_filter(GraphqlBuilder *builder, const Field *field) {
  Str name = filter_name(builder, field), value = field_type_name(field);
  if (graphql_build_draft(builder, name)->is_defined) return;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  if (graphql_field_is_scalar(field)) {
    graphql_build_input(builder, type, STR("eq"), value);
    graphql_build_input(builder, type, STR("ne"), value);
    graphql_build_input(builder, type, STR("in"), graphql_text(builder, "[%.*s!]%.*s", value, STR("")));
  }
  static const Str orders[] = {STR_INIT("gt"), STR_INIT("gte"), STR_INIT("lt"), STR_INIT("lte")};
  for (size_t i = 0; graphql_field_is_ordered(field) && i < 4; i++) graphql_build_input(builder, type, orders[i], value);
  static const Str texts[] = {STR_INIT("contains"), STR_INIT("startsWith"), STR_INIT("endsWith")};
  for (size_t i = 0; graphql_field_is_scalar(field) && graphql_field_is_textual(field) && i < 3; i++)
    graphql_build_input(builder, type, texts[i], STR("String"));
  if (field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED)
    graphql_build_input(builder, type, STR("contains"), value);
  graphql_build_input(builder, type, STR("isNull"), STR("Boolean"));
}

static void add_embedded_where(GraphqlBuilder *builder, const Embedded *embedded);

/* A stored field's condition. */
static void add_condition(GraphqlBuilder *builder, GraphqlType *where, const Field *field) {
  Str notation;
  if (field->type == TYPE_EMBEDDED && !field->is_list) {
    add_embedded_where(builder, field->embedded);
    notation = graphql_build_name(builder, field->embedded->name, "Where");
  } else {
    add_filter(builder, field);
    notation = filter_name(builder, field);
  }
  graphql_build_input(builder, where, field->name, notation)->field = field;
}

static void add_embedded_where(GraphqlBuilder *builder, const Embedded *embedded) {
  Str name = graphql_build_name(builder, embedded->name, "Where");
  if (graphql_build_draft(builder, name)->is_defined) return;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  for (size_t i = 0; i < embedded->field_count; i++) add_condition(builder, type, embedded->fields[i]);
  if (map_get(&embedded->field_by_name, STR("isNull")) == NULL) graphql_build_input(builder, type, STR("isNull"), STR("Boolean"));
}

void graphql_build_where(GraphqlBuilder *builder, const Resource *resource) {
  Str name = graphql_build_name(builder, resource->name, "Where"), list = graphql_build_name(builder, resource->name, "ListWhere");
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  type->resource = resource;
  Str many = graphql_text(builder, "[%.*s!]%.*s", name, STR(""));
  /* A field of the same name hides the connective. */
  if (resource_field(resource, STR("and")) == NULL) graphql_build_input(builder, type, STR("and"), many);
  if (resource_field(resource, STR("or")) == NULL) graphql_build_input(builder, type, STR("or"), many);
  if (resource_field(resource, STR("not")) == NULL) graphql_build_input(builder, type, STR("not"), name);
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    if (field->is_hidden) continue;
    if (field->kind == FIELD_STORED)
      add_condition(builder, type, field);
    else if (field->kind == FIELD_TO_ONE)
      graphql_build_input(builder, type, field->name, graphql_build_name(builder, field->relation->target->name, "Where"))->field = field;
    else
      graphql_build_input(builder, type, field->name, graphql_build_name(builder, field->relation->source->name, "ListWhere"))->field =
          field;
  }
  GraphqlType *lists = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, list);
  lists->resource = resource;
  graphql_build_input(builder, lists, STR("some"), name);
  graphql_build_input(builder, lists, STR("every"), name);
  graphql_build_input(builder, lists, STR("none"), name);
}

/* ---- orders ---- */

enum { OBJECTS_DEPTH_MAX = 8 };

/* Embedded types may hold themselves. */
static bool has_order(const Embedded *embedded, unsigned depth) {
  for (size_t i = 0; i < embedded->field_count; i++) {
    const Field *field = embedded->fields[i];
    if (graphql_field_is_sortable(field)) return true;
    if (graphql_field_is_object(field) && depth < OBJECTS_DEPTH_MAX && has_order(field->embedded, depth + 1)) return true;
  }
  return false;
}

bool graphql_is_object_orderable(const Embedded *embedded) { return has_order(embedded, 0); }

bool graphql_is_orderable(const Resource *resource) {
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (field->is_hidden) continue;
    if (graphql_field_is_sortable(field) || (graphql_field_is_object(field) && has_order(field->embedded, 0))) return true;
  }
  return false;
}

static void add_embedded_order(GraphqlBuilder *builder, const Embedded *embedded);

static void add_order(GraphqlBuilder *builder, GraphqlType *type, const Field *field) {
  if (graphql_field_is_sortable(field)) {
    graphql_build_input(builder, type, field->name, builder->order_name)->field = field;
  } else if (field->kind == FIELD_TO_ONE && graphql_is_orderable(field->relation->target)) {
    graphql_build_input(builder, type, field->name, graphql_build_name(builder, field->relation->target->name, "Order"))->field = field;
  } else if (graphql_field_is_object(field) && has_order(field->embedded, 0)) {
    graphql_build_input(builder, type, field->name, graphql_build_name(builder, field->embedded->name, "Order"))->field = field;
    add_embedded_order(builder, field->embedded);
  }
}

static void add_embedded_order(GraphqlBuilder *builder, const Embedded *embedded) {
  Str name = graphql_build_name(builder, embedded->name, "Order");
  if (graphql_build_draft(builder, name)->is_defined) return;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, name);
  type->is_one_of = true;
  for (size_t i = 0; i < embedded->field_count; i++) add_order(builder, type, embedded->fields[i]);
}

void graphql_build_order(GraphqlBuilder *builder, const Resource *resource) {
  if (!graphql_is_orderable(resource)) return;
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "Order"));
  type->is_one_of = true;
  type->resource = resource;
  for (size_t i = 0; i < resource->field_count; i++) {
    if (!resource->fields[i]->is_hidden) add_order(builder, type, resource->fields[i]);
  }
}
