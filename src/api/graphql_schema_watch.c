/* graphql_schema_watch.c - the fields of Subscription: the changes of a list, or of one row. */
#include "api/graphql_build.h"

static bool is_change_name(const Resource *resource, Str name) {
  return str_equal(name, STR("kind")) || str_equal(name, STR("position")) || str_equal(name, STR("nodeId")) ||
         str_equal(name, resource->singular);
}

/* A change says whose it is also where the row is gone: by nodeId always, and by the key's parts where their names are free. */
static void add_change(GraphqlBuilder *builder, Str name, const Resource *resource) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, name);
  type->made_of = resource;
  type->description = graphql_text(builder, "A change of the rows of %.*s.%.*s", resource->name, STR(""));
  graphql_build_field(builder, type, GRAPHQL_ROLE_CHANGE_KIND, STR("kind"),
                      graphql_build_required(builder, graphql_build_name(builder, STR("ChangeKind"), "")));
  graphql_build_field(builder, type, GRAPHQL_ROLE_CHANGE_POSITION, STR("position"), STR("String!"))->description =
      STR("Where to go on from: `after` of whoever comes back.");
  graphql_build_field(builder, type, GRAPHQL_ROLE_NODE_ID, STR("nodeId"), STR("ID!"));
  for (size_t i = 0; i < resource->key_count; i++) {
    const Field *field = resource->keys[i];
    if (is_change_name(resource, field->name)) continue;
    graphql_build_field(builder, type, GRAPHQL_ROLE_VALUE, field->name, graphql_build_value(builder, field, field_type_name(field), true))
        ->field = field;
  }
  GraphqlField *row = graphql_build_field(builder, type, GRAPHQL_ROLE_CHANGE_ROW, resource->singular, resource->name);
  row->resource = resource;
  row->description = STR("As it is now; null where it was deleted or removed.");
}

static bool is_free(const Resource *resource) {
  for (size_t i = 0; i < resource->key_count; i++) {
    Str name = resource->keys[i]->name;
    if (str_equal(name, STR("where")) || str_equal(name, STR("filter")) || str_equal(name, STR("after"))) return false;
  }
  return true;
}

static void add_watch(GraphqlBuilder *builder, GraphqlType *subscription, const Resource *resource) {
  if (resource->key_count == 0) return;
  Str change = graphql_build_name(builder, resource->name, "Event");
  Str name = graphql_text(builder, "%.*sChanged%.*s", resource->singular, STR(""));
  GraphqlField *field = graphql_build_field(builder, subscription, GRAPHQL_ROLE_WATCH, name, graphql_build_required(builder, change));
  field->resource = resource;
  field->description = STR("What becomes of the rows that match, as it is committed; of one row, where its key is given.");
  for (size_t i = 0; i < resource->key_count && is_free(resource); i++) {
    graphql_build_argument(builder, field, resource->keys[i]->name, field_type_name(resource->keys[i]));
    if (!builder->has_no_memory) ((GraphqlInput *)field->arguments)[i].field = resource->keys[i];
  }
  graphql_build_argument(builder, field, STR("where"), graphql_build_name(builder, resource->name, "Where"));
  graphql_build_argument(builder, field, STR("filter"), STR("String"));
  graphql_build_argument(builder, field, STR("after"), STR("String"));
  add_change(builder, change, resource);
}

void graphql_build_subscription(GraphqlBuilder *builder) {
  static const GraphqlEnumItem kinds[] = {
      {.name = STR_INIT("CREATED"), .description = STR_INIT("It was made, or has become visible, or has begun to match.")},
      {.name = STR_INIT("UPDATED"), .description = STR_INIT("It changed, and still matches.")},
      {.name = STR_INIT("DELETED"), .description = STR_INIT("It was deleted.")},
      {.name = STR_INIT("REMOVED"), .description = STR_INIT("It is no longer visible to this caller, or no longer matches.")}};
  const Contract *contract = builder->contract;
  GraphqlType *subscription = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, STR("Subscription"));
  for (size_t i = 0; i < contract->resource_count; i++) add_watch(builder, subscription, contract->resources[i]);
  if (((GraphqlDraft *)subscription)->fields.count == 0) {
    builder->types.count--;
    return;
  }
  builder->schema->subscription = subscription;
  GraphqlType *kind = graphql_build_type(builder, GRAPHQL_ENUM_TYPE, graphql_build_name(builder, STR("ChangeKind"), ""));
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) graphql_build_item(builder, kind, kinds[i]);
}
