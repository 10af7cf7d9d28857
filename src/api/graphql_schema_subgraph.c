/* graphql_schema_subgraph.c - what makes the schema a subgraph of a federation (Apollo Federation v2): _service and _entities. */
#include "api/graphql_build.h"

static bool is_entity(const Resource *resource) {
  for (size_t i = 0; i < resource->key_count; i++) {
    if (resource->keys[i]->is_hidden) return false;
  }
  return resource->key_count > 0;
}

static void add_entities(GraphqlBuilder *builder, GraphqlType *query) {
  GraphqlField *field = graphql_build_field(builder, query, GRAPHQL_ROLE_ENTITIES, STR("_entities"), STR("[_Entity]!"));
  graphql_build_argument(builder, field, STR("representations"), STR("[_Any!]!"));
  GraphqlType *any = graphql_build_type(builder, GRAPHQL_SCALAR_TYPE, STR("_Any"));
  any->description = STR("A row named by __typename and the fields of one of its keys.");
  any->scalar = TYPE_JSON;
  any->is_subgraph = true;
  GraphqlType *entity = graphql_build_type(builder, GRAPHQL_UNION_TYPE, STR("_Entity"));
  entity->description = STR("What other subgraphs may refer to by a key.");
  entity->is_subgraph = true;
  builder->schema->entity = entity;
}

void graphql_build_subgraph(GraphqlBuilder *builder, GraphqlType *query) {
  const Contract *contract = builder->contract;
  /* A gateway knows these by their names: where the contract has taken one this is no subgraph. */
  static const Str names[] = {STR_INIT("_Service"), STR_INIT("_Entity"), STR_INIT("_Any")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (contract_has_type(contract, names[i])) return;
  }
  graphql_build_field(builder, query, GRAPHQL_ROLE_SERVICE, STR("_service"), STR("_Service!"));
  GraphqlType *service = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, STR("_Service"));
  graphql_build_field(builder, service, GRAPHQL_ROLE_SDL, STR("sdl"), STR("String!"))->description =
      STR("This subgraph's schema, with the directives of its federation.");
  service->is_subgraph = true;
  bool has_entities = false;
  for (size_t i = 0; i < contract->resource_count; i++) has_entities = has_entities || is_entity(contract->resources[i]);
  if (has_entities) add_entities(builder, query);
}
