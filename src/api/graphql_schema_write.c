/* graphql_schema_write.c - inputs of writes: REST's shapes. */
#include "api/graphql_build.h"

static void add_unique_input(GraphqlBuilder *builder, const Resource *resource) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "Unique"));
  type->description = STR("A row by its key, or by another unique group of fields.");
  type->resource = resource;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    bool is_used = field->is_key;
    for (size_t u = 0; u < resource->unique_count; u++) {
      for (size_t k = 0; k < resource->uniques[u].count; k++) is_used = is_used || resource->uniques[u].fields[k] == field;
    }
    if (is_used && graphql_field_is_scalar(field)) graphql_build_input(builder, type, field->name, field_type_name(field))->field = field;
  }
}

static void add_relation_inputs(GraphqlBuilder *builder, const Resource *resource) {
  Str create = graphql_build_name(builder, resource->name, "Create"), unique = graphql_build_name(builder, resource->name, "Unique");
  GraphqlType *one = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "ToOne"));
  graphql_build_input(builder, one, STR("create"), create);
  graphql_build_input(builder, one, STR("connect"), unique);
  graphql_build_input(builder, one, STR("disconnect"), STR("Boolean"));
  GraphqlType *change = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "Change"));
  graphql_build_input(builder, change, STR("where"), graphql_text(builder, "%.*s!%.*s", unique, STR("")));
  graphql_build_input(builder, change, STR("data"), graphql_build_required(builder, graphql_build_name(builder, resource->name, "Update")));
  GraphqlType *many = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "ToMany"));
  Str uniques = graphql_text(builder, "[%.*s!]%.*s", unique, STR(""));
  graphql_build_input(builder, many, STR("create"), graphql_text(builder, "[%.*s!]%.*s", create, STR("")));
  graphql_build_input(builder, many, STR("connect"), uniques);
  graphql_build_input(builder, many, STR("disconnect"), uniques);
  graphql_build_input(builder, many, STR("update"),
                      graphql_text(builder, "[%.*s!]%.*s", graphql_build_name(builder, resource->name, "Change"), STR("")));
  graphql_build_input(builder, many, STR("delete"), uniques);
}

static void add_write_field(GraphqlBuilder *builder, GraphqlType *input, const Field *field, bool is_create) {
  Str notation;
  if (field->kind != FIELD_STORED) {
    const Relation *relation = field->relation;
    bool is_one = field->kind == FIELD_TO_ONE;
    if ((is_one ? relation->target : relation->source)->key_count == 0) return;
    notation = graphql_build_name(builder, is_one ? relation->target->name : relation->source->name, is_one ? "ToOne" : "ToMany");
  } else {
    if (field->is_readonly || field->is_server_made || (field->is_key && !is_create)) return;
    Str name = field->type == TYPE_EMBEDDED ? graphql_build_name(builder, field->embedded->name, "Input") : field_type_name(field);
    /* A relation may be given by its key or by what it points to. */
    bool is_required = is_create && field->is_required && field->default_kind == DEFAULT_NONE && !field->is_relation_key;
    notation = graphql_build_value(builder, field, name, is_required);
  }
  GraphqlInput *made = graphql_build_input(builder, input, field->name, notation);
  made->field = field;
  made->description = field->description;
  if (!graphql_is_required(made->type)) made->deprecation = field->deprecation_reason;
}

void graphql_build_write_inputs(GraphqlBuilder *builder, const Resource *resource) {
  if (resource->key_count == 0) return; /* it is only read */
  GraphqlType *create = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "Create"));
  GraphqlType *update = graphql_build_type(builder, GRAPHQL_INPUT_TYPE, graphql_build_name(builder, resource->name, "Update"));
  create->resource = update->resource = resource;
  for (size_t i = 0; i < resource->field_count; i++) {
    add_write_field(builder, create, resource->fields[i], true);
    add_write_field(builder, update, resource->fields[i], false);
  }
  /* An input type has at least one field (§3.10). */
  if (((GraphqlDraft *)create)->inputs.count == 0) graphql_build_input(builder, create, STR("_"), STR("Boolean"));
  if (((GraphqlDraft *)update)->inputs.count == 0) graphql_build_input(builder, update, STR("_"), STR("Boolean"));
  add_unique_input(builder, resource);
  add_relation_inputs(builder, resource);
}
