/* graphql_schema_meta.c - what every schema has whatever the contract: the types of introspection (§4.2) and the directives (§3.13). */
#include "api/graphql_schema.h"

/* ---- directives ---- */

const GraphqlDirectiveForm graphql_directive_forms[] = {
    {.name = STR_INIT("include"),
     .description = STR_INIT("Includes this only where the argument is true."),
     .locations = STR_INIT("FIELD FRAGMENT_SPREAD INLINE_FRAGMENT"),
     .is_executable = true,
     .argument = STR_INIT("if"),
     .argument_type = STR_INIT("Boolean!")},
    {.name = STR_INIT("skip"),
     .description = STR_INIT("Leaves this out where the argument is true."),
     .locations = STR_INIT("FIELD FRAGMENT_SPREAD INLINE_FRAGMENT"),
     .is_executable = true,
     .argument = STR_INIT("if"),
     .argument_type = STR_INIT("Boolean!")},
    {.name = STR_INIT("deprecated"),
     .description = STR_INIT("Not to be used any more."),
     .locations = STR_INIT("FIELD_DEFINITION ARGUMENT_DEFINITION INPUT_FIELD_DEFINITION ENUM_VALUE"),
     .argument = STR_INIT("reason"),
     .argument_type = STR_INIT("String!"),
     .argument_default = STR_INIT("\"No longer supported\"")},
    {.name = STR_INIT("specifiedBy"),
     .description = STR_INIT("Where a scalar's form is specified."),
     .locations = STR_INIT("SCALAR"),
     .argument = STR_INIT("url"),
     .argument_type = STR_INIT("String!")},
    {.name = STR_INIT("oneOf"), .description = STR_INIT("Exactly one of the fields must be given."), .locations = STR_INIT("INPUT_OBJECT")},
};
const size_t graphql_directive_form_count = sizeof graphql_directive_forms / sizeof *graphql_directive_forms;

const GraphqlDirectiveForm *graphql_directive_form(Str name) {
  for (size_t i = 0; i < graphql_directive_form_count; i++) {
    if (str_equal(graphql_directive_forms[i].name, name)) return &graphql_directive_forms[i];
  }
  return NULL;
}

/* ---- types ---- */

enum { META_FIELDS_MAX = 12 };

static const struct {
  const char *type;
  struct {
    const char *name, *ref, *argument;
  } fields[META_FIELDS_MAX];
} meta_types[] = {
    {"__Schema",
     {{"description", "String", ""},
      {"types", "[__Type!]!", ""},
      {"queryType", "__Type!", ""},
      {"mutationType", "__Type", ""},
      {"subscriptionType", "__Type", ""},
      {"directives", "[__Directive!]!", ""}}},
    {"__Type",
     {{"kind", "__TypeKind!", ""},
      {"name", "String", ""},
      {"description", "String", ""},
      {"specifiedByURL", "String", ""},
      {"fields", "[__Field!]", "includeDeprecated"},
      {"interfaces", "[__Type!]", ""},
      {"possibleTypes", "[__Type!]", ""},
      {"enumValues", "[__EnumValue!]", "includeDeprecated"},
      {"inputFields", "[__InputValue!]", "includeDeprecated"},
      {"ofType", "__Type", ""},
      {"isOneOf", "Boolean", ""}}},
    {"__Field",
     {{"name", "String!", ""},
      {"description", "String", ""},
      {"args", "[__InputValue!]!", "includeDeprecated"},
      {"type", "__Type!", ""},
      {"isDeprecated", "Boolean!", ""},
      {"deprecationReason", "String", ""}}},
    {"__InputValue",
     {{"name", "String!", ""},
      {"description", "String", ""},
      {"type", "__Type!", ""},
      {"defaultValue", "String", ""},
      {"isDeprecated", "Boolean!", ""},
      {"deprecationReason", "String", ""}}},
    {"__EnumValue",
     {{"name", "String!", ""}, {"description", "String", ""}, {"isDeprecated", "Boolean!", ""}, {"deprecationReason", "String", ""}}},
    {"__Directive",
     {{"name", "String!", ""},
      {"description", "String", ""},
      {"isRepeatable", "Boolean!", ""},
      {"locations", "[__DirectiveLocation!]!", ""},
      {"args", "[__InputValue!]!", "includeDeprecated"}}},
};

void graphql_schema_add_introspection(GraphqlBuilder *builder) {
  for (size_t i = 0; i < sizeof meta_types / sizeof *meta_types; i++) {
    GraphqlType *type = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, str_of(meta_types[i].type));
    type->is_built_in = true;
    for (size_t k = 0; k < META_FIELDS_MAX && meta_types[i].fields[k].name != NULL; k++)
      graphql_build_introspection(builder, type, str_of(meta_types[i].fields[k].name), str_of(meta_types[i].fields[k].ref),
                                  str_of(meta_types[i].fields[k].argument));
  }
  graphql_build_enum(builder, STR("__TypeKind"), STR("SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL"));
  graphql_build_enum(
      builder, STR("__DirectiveLocation"),
      STR("QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR "
          "OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION"));
}
