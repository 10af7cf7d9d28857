/* graphql_schema_roots.c - the fields of Query and Mutation. */
#include "api/graphql_build.h"

static void add_key_arguments(GraphqlBuilder *builder, GraphqlField *field, const Field *const *keys, size_t count) {
  for (size_t i = 0; i < count; i++) {
    graphql_build_argument(builder, field, keys[i]->name, graphql_text(builder, "%.*s!%.*s", field_type_name(keys[i]), STR("")));
    if (!builder->has_no_memory) ((GraphqlInput *)field->arguments)[i].field = keys[i];
  }
}

static Str unique_field_name(GraphqlBuilder *builder, const Resource *resource, const UniqueGroup *unique) {
  Str name = graphql_text(builder, "%.*sBy%.*s", resource->singular, STR(""));
  for (size_t i = 0; i < unique->count; i++) {
    Str part = arena_str(builder->arena, unique->fields[i]->name);
    if (part.ptr == NULL) return graphql_build_no_memory(builder), name;
    if (part.len > 0 && part.ptr[0] >= 'a' && part.ptr[0] <= 'z') ((char *)part.ptr)[0] = (char)(part.ptr[0] - 32);
    name = graphql_text(builder, i == 0 ? "%.*s%.*s" : "%.*sAnd%.*s", name, part);
  }
  return name;
}

static void add_unique_query(GraphqlBuilder *builder, GraphqlType *query, const Resource *resource, const UniqueGroup *unique) {
  for (size_t i = 0; i < unique->count; i++) {
    if (unique->fields[i]->is_hidden || !graphql_field_is_scalar(unique->fields[i])) return;
  }
  GraphqlField *field =
      graphql_build_field(builder, query, GRAPHQL_ROLE_GET_UNIQUE, unique_field_name(builder, resource, unique), resource->name);
  field->resource = resource;
  field->unique = unique;
  add_key_arguments(builder, field, unique->fields, unique->count);
}

void graphql_build_queries(GraphqlBuilder *builder, GraphqlType *query, const Resource *resource) {
  if (resource->key_count > 0) {
    GraphqlField *get = graphql_build_field(builder, query, GRAPHQL_ROLE_GET, resource->singular, resource->name);
    get->resource = resource;
    add_key_arguments(builder, get, resource->keys, resource->key_count);
  }
  for (size_t i = 0; i < resource->unique_count; i++) add_unique_query(builder, query, resource, &resource->uniques[i]);
  bool is_same = str_equal(resource->singular, resource->plural);
  Str plural = is_same ? graphql_text(builder, "%.*sList%.*s", resource->plural, STR("")) : resource->plural;
  GraphqlField *list = graphql_build_field(builder, query, GRAPHQL_ROLE_LIST, plural,
                                           graphql_build_required(builder, graphql_build_name(builder, resource->name, "Connection")));
  list->resource = resource;
  graphql_build_list_arguments(builder, list, resource);
  Str aggregate_name = graphql_text(builder, "%.*sAggregate%.*s", resource->plural, STR(""));
  Str notation = graphql_text(builder, "[%.*s!]!%.*s", graphql_build_name(builder, resource->name, "Aggregate"), STR(""));
  GraphqlField *aggregate = graphql_build_field(builder, query, GRAPHQL_ROLE_AGGREGATE, aggregate_name, notation);
  aggregate->resource = resource;
  graphql_build_aggregate_arguments(builder, aggregate, resource);
}

static Str upper_first(GraphqlBuilder *builder, Str name) {
  Str copy = arena_str(builder->arena, name);
  if (copy.ptr == NULL) return graphql_build_no_memory(builder), STR("");
  if (copy.len > 0 && copy.ptr[0] >= 'a' && copy.ptr[0] <= 'z') ((char *)copy.ptr)[0] = (char)(copy.ptr[0] - 32);
  return copy;
}

void graphql_build_mutations(GraphqlBuilder *builder, GraphqlType *mutation, const Resource *resource) {
  if (resource->key_count == 0) return;
  Str one = upper_first(builder, resource->singular), many = upper_first(builder, resource->plural);
  bool is_same = str_equal(one, many);
  Str create = graphql_build_name(builder, resource->name, "Create");
  GraphqlField *field =
      graphql_build_field(builder, mutation, GRAPHQL_ROLE_CREATE, graphql_text(builder, "create%.*s%.*s", one, STR("")), resource->name);
  field->resource = resource;
  graphql_build_argument(builder, field, STR("input"), graphql_text(builder, "%.*s!%.*s", create, STR("")));
  field = graphql_build_field(builder, mutation, GRAPHQL_ROLE_CREATE_MANY,
                              graphql_text(builder, is_same ? "create%.*sList%.*s" : "create%.*s%.*s", many, STR("")),
                              graphql_text(builder, "[%.*s]%.*s", resource->name, STR("")));
  field->resource = resource;
  graphql_build_argument(builder, field, STR("inputs"), graphql_text(builder, "[%.*s!]!%.*s", create, STR("")));
  field =
      graphql_build_field(builder, mutation, GRAPHQL_ROLE_UPDATE, graphql_text(builder, "update%.*s%.*s", one, STR("")), resource->name);
  field->resource = resource;
  add_key_arguments(builder, field, resource->keys, resource->key_count);
  graphql_build_argument(builder, field, STR("input"),
                         graphql_build_required(builder, graphql_build_name(builder, resource->name, "Update")));
  graphql_build_argument(builder, field, STR("ifMatch"), STR("String"));
  field =
      graphql_build_field(builder, mutation, GRAPHQL_ROLE_DELETE, graphql_text(builder, "delete%.*s%.*s", one, STR("")), resource->name);
  field->resource = resource;
  add_key_arguments(builder, field, resource->keys, resource->key_count);
  graphql_build_argument(builder, field, STR("ifMatch"), STR("String"));
}
