/* graphql_sdl.c - the schema printed in SDL (§3), as `caisson graphql` gives it. */
#include "api/graphql_schema.h"
#include "codec/json.h"
#include "contract/directive_words.h"

/* A block string, so that quotes and lines stay as they are. */
static void write_description(Str description, const char *indent, Buf *out) {
  if (description.len == 0) return;
  bool is_plain =
      !str_contains(description, STR("\"\"\"")) && !str_ends_with(description, STR("\"")) && !str_ends_with(description, STR("\\"));
  buf_add(out, str_of(indent));
  if (is_plain && str_find_byte(description, '\n', 0) == description.len) {
    buf_printf(out, "\"\"\"%.*s\"\"\"\n", STR_ARGS(description));
  } else if (is_plain) {
    buf_printf(out, "\"\"\"\n");
    Str rest = description, line;
    while (str_split_next(&rest, '\n', &line)) buf_printf(out, "%s%.*s\n", indent, STR_ARGS(line));
    buf_printf(out, "%s\"\"\"\n", indent);
  } else {
    json_write_string(out, description);
    buf_add_byte(out, '\n');
  }
}

static void write_deprecation(Str reason, Buf *out) {
  if (reason.ptr == NULL) return;
  buf_add(out, STR(" @deprecated"));
  if (reason.len == 0) return;
  buf_add(out, STR("(reason: "));
  json_write_string(out, reason);
  buf_add_byte(out, ')');
}

static Str name_of(const GraphqlType *type, bool is_subgraph) {
  return is_subgraph && type->subgraph_name.ptr != NULL ? type->subgraph_name : type->name;
}

static void write_input(const GraphqlInput *input, bool is_subgraph, Buf *out) {
  buf_printf(out, "%.*s: ", STR_ARGS(input->name));
  graphql_ref_write_as(input->type, name_of(input->type.type, is_subgraph), out);
  if (input->fallback.len > 0) buf_printf(out, " = %.*s", STR_ARGS(input->fallback));
  write_deprecation(input->deprecation, out);
}

/* Other subgraphs have the type too, and whatever is made of it has the same names there. */
static bool is_shared(const Resource *resource) {
  return resource != NULL && directive_data(resource->directives, &DIRECTIVE_SHAREABLE) != NULL;
}

static bool is_root(GraphqlRole role) {
  return role == GRAPHQL_ROLE_GET || role == GRAPHQL_ROLE_GET_UNIQUE || role == GRAPHQL_ROLE_LIST || role == GRAPHQL_ROLE_AGGREGATE ||
         role == GRAPHQL_ROLE_CREATE || role == GRAPHQL_ROLE_CREATE_MANY || role == GRAPHQL_ROLE_UPDATE || role == GRAPHQL_ROLE_DELETE;
}

/* The contract's own fields, not what is made of them. */
static bool is_of_row(GraphqlRole role) {
  return role == GRAPHQL_ROLE_VALUE || role == GRAPHQL_ROLE_TO_ONE || role == GRAPHQL_ROLE_TO_MANY || role == GRAPHQL_ROLE_MEMBER;
}

static void write_field(const GraphqlField *field, bool is_subgraph, Buf *out) {
  write_description(field->description, "  ", out);
  buf_printf(out, "  %.*s", STR_ARGS(field->name));
  for (size_t i = 0; i < field->argument_count; i++) {
    buf_add(out, i == 0 ? STR("(") : STR(", "));
    write_input(&field->arguments[i], is_subgraph, out);
  }
  buf_add(out, field->argument_count > 0 ? STR("): ") : STR(": "));
  graphql_ref_write(field->type, out);
  write_deprecation(field->deprecation, out);
  /* Global ids are each subgraph's own, so that no gateway could choose whom to ask. */
  if (is_subgraph && field->role == GRAPHQL_ROLE_NODE) buf_add(out, STR(" @shareable @inaccessible"));
  if (is_subgraph && is_root(field->role) && is_shared(field->resource)) buf_add(out, STR(" @shareable"));
  if (is_subgraph && field->field != NULL && is_of_row(field->role)) directives_write_subgraph(field->field->directives, out);
  buf_add_byte(out, '\n');
}

/* What a gateway adds by itself; and a subscription can't be shared between two, so that whoever has the type would have to give it up. */
static bool is_untold(const GraphqlField *field) {
  return field->role == GRAPHQL_ROLE_SERVICE || field->role == GRAPHQL_ROLE_ENTITIES ||
         (field->role == GRAPHQL_ROLE_WATCH && is_shared(field->resource));
}

static bool is_told(const GraphqlType *type) {
  if (type->is_subgraph) return false;
  for (size_t i = 0; i < type->field_count; i++) {
    if (!is_untold(&type->fields[i])) return true;
  }
  return type->field_count == 0;
}

static void write_body(const GraphqlType *type, bool is_subgraph, Buf *out) {
  for (size_t i = 0; i < type->field_count; i++) {
    if (!is_subgraph || !is_untold(&type->fields[i])) write_field(&type->fields[i], is_subgraph, out);
  }
  for (size_t i = 0; i < type->input_count; i++) {
    write_description(type->inputs[i].description, "  ", out);
    buf_add(out, STR("  "));
    write_input(&type->inputs[i], is_subgraph, out);
    buf_add_byte(out, '\n');
  }
  for (size_t i = 0; i < type->item_count; i++) {
    write_description(type->items[i].description, "  ", out);
    buf_printf(out, "  %.*s", STR_ARGS(type->items[i].name));
    write_deprecation(type->items[i].deprecation, out);
    buf_add_byte(out, '\n');
  }
}

static void write_members(const GraphqlSchema *schema, const GraphqlType *type, Buf *out) {
  const char *before = " = ";
  for (size_t i = 0; i < schema->type_count; i++) {
    if (!graphql_is_possible(type, schema->types[i])) continue;
    buf_printf(out, "%s%.*s", before, STR_ARGS(schema->types[i]->name));
    before = " | ";
  }
}

static void write_key(const Field *const *fields, size_t count, Buf *out) {
  for (size_t i = 0; i < count; i++) {
    if (fields[i]->is_hidden) return;
  }
  buf_add(out, STR(" @key(fields: \""));
  for (size_t i = 0; i < count; i++) buf_printf(out, i == 0 ? "%.*s" : " %.*s", STR_ARGS(fields[i]->name));
  buf_add(out, STR("\")"));
}

/* Of every key by which a row can be asked for (api/graphql_federation.c). */
static void write_federation(const GraphqlSchema *schema, const GraphqlType *type, Buf *out) {
  const Resource *resource = type->resource;
  bool is_page_info = type->field_count > 0 && type->fields[0].role == GRAPHQL_ROLE_HAS_NEXT;
  if (is_page_info || is_shared(type->made_of)) buf_add(out, STR(" @shareable"));
  if (resource == NULL) return;
  if (schema->row_types[resource->index] == type) directives_write_subgraph(resource->directives, out);
  if (!type->is_entity) return;
  write_key(resource->keys, resource->key_count, out);
  for (size_t i = 0; i < resource->unique_count; i++) write_key(resource->uniques[i].fields, resource->uniques[i].count, out);
}

/* One that stands for another subgraph's interface implements nothing: whatever has that interface would have to, too. */
static bool is_implementing(const GraphqlType *type, bool is_subgraph) {
  return type->is_node && !(is_subgraph && directive_data(type->resource->directives, &DIRECTIVE_INTERFACE_OBJECT) != NULL);
}

static void write_type(const GraphqlSchema *schema, const GraphqlType *type, bool is_subgraph, Buf *out) {
  static const char *const words[] = {"scalar", "type", "interface", "enum", "input", "union"};
  write_description(type->description, "", out);
  buf_printf(out, "%s %.*s", words[type->kind], STR_ARGS(name_of(type, is_subgraph)));
  if (is_implementing(type, is_subgraph)) buf_printf(out, " implements %.*s", STR_ARGS(schema->node->name));
  if (type->is_one_of) buf_add(out, STR(" @oneOf"));
  if (is_subgraph) write_federation(schema, type, out);
  if (type->kind == GRAPHQL_UNION_TYPE) write_members(schema, type, out);
  if (type->kind == GRAPHQL_SCALAR_TYPE || type->kind == GRAPHQL_UNION_TYPE) {
    buf_add(out, STR("\n\n"));
    return;
  }
  buf_add(out, STR(" {\n"));
  write_body(type, is_subgraph, out);
  buf_add(out, STR("}\n\n"));
}

static void write_types(const GraphqlSchema *schema, bool is_subgraph, Buf *out) {
  for (size_t i = 0; i < schema->type_count; i++) {
    const GraphqlType *type = schema->types[i];
    if (!type->is_built_in && (!is_subgraph || is_told(type))) write_type(schema, type, is_subgraph, out);
  }
  if (out->failed == CODE_OK && out->len > 1) out->len--; /* the last empty line */
}

void graphql_sdl_write(const GraphqlSchema *schema, Buf *out) { write_types(schema, false, out); }

void graphql_subgraph_write(const GraphqlSchema *schema, Buf *out) {
  static const Str head = STR_INIT(
      "extend schema @link(url: \"https://specs.apollo.dev/link/v1.0\")"
      " @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\", \"@shareable\", \"@inaccessible\", "
      "\"@override\", \"@tag\", \"@interfaceObject\"])\n\n"
      "directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA\n\n"
      "directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE\n\n"
      "directive @shareable repeatable on OBJECT | FIELD_DEFINITION\n\n"
      "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | "
      "INPUT_OBJECT | INPUT_FIELD_DEFINITION\n\n"
      "directive @override(from: String!) on FIELD_DEFINITION\n\n"
      "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | "
      "ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA\n\n"
      "directive @interfaceObject on OBJECT\n\n"
      "directive @oneOf on INPUT_OBJECT\n\n"
      "scalar link__Import\n\nscalar federation__FieldSet\n\nenum link__Purpose {\n  SECURITY\n  EXECUTION\n}\n\n");
  buf_add(out, head);
  write_types(schema, true, out);
}
