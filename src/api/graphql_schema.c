/* graphql_schema.c - the schema's types, made from the contract: their frame, and the order in which they stand. */
#include "api/graphql_build.h"
#include "codec/json.h"

enum { SDL_BYTES_MAX = 256 * 1024 * 1024 };

/* ---- names ---- */

Str graphql_build_kept(GraphqlBuilder *builder, Str made) {
  if (made.ptr == NULL) graphql_build_no_memory(builder);
  return made.ptr == NULL ? STR("") : made;
}

Str graphql_build_name(GraphqlBuilder *builder, Str base, const char *suffix) {
  Str parts = graphql_text(builder, "%.*s|%.*s", base, str_of(suffix));
  const Str *known = map_get(&builder->made_names, parts);
  if (known != NULL) return *known;
  Str name = graphql_text(builder, "%.*s%.*s", base, str_of(suffix));
  while (!builder->has_no_memory && (contract_has_type(builder->contract, name) || map_get(&builder->taken_names, name) != NULL))
    name = graphql_text(builder, "%.*s%.*s", name, STR("_"));
  Str *kept = ARENA_NEW(builder->arena, Str);
  if (kept == NULL || !map_put(&builder->made_names, parts, kept) || !map_put(&builder->taken_names, name, kept))
    return graphql_build_no_memory(builder), name;
  *kept = name;
  return name;
}

Str graphql_build_required(GraphqlBuilder *builder, Str notation) { return graphql_text(builder, "%.*s%.*s", notation, STR("!")); }

/* ---- types ---- */

GraphqlDraft *graphql_build_draft(GraphqlBuilder *builder, Str name) {
  GraphqlDraft *draft = map_get(&builder->schema->by_name, name);
  if (draft != NULL) return draft;
  draft = ARENA_NEW(builder->arena, GraphqlDraft);
  if (draft == NULL || !map_put(&builder->schema->by_name, name, draft)) {
    graphql_build_no_memory(builder);
    return &builder->no_draft;
  }
  draft->type.name = name;
  return draft;
}

GraphqlType *graphql_build_type(GraphqlBuilder *builder, GraphqlKind kind, Str name) {
  GraphqlDraft *draft = graphql_build_draft(builder, name);
  draft->type.kind = kind;
  draft->is_defined = true;
  if (!builder->has_no_memory && !VEC_PUSH(builder->arena, &builder->types, &draft->type)) graphql_build_no_memory(builder);
  return &draft->type;
}

/* "[Product!]!" */
GraphqlRef graphql_build_ref(GraphqlBuilder *builder, Str notation) {
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
  ref.type = &graphql_build_draft(builder, str_slice(notation, begin, end))->type;
  return ref;
}

static Str json_key(GraphqlBuilder *builder, Str name) {
  Str key = graphql_text(builder, "\"%.*s\":%.*s", name, STR(""));
  return key;
}

GraphqlField *graphql_build_field(GraphqlBuilder *builder, GraphqlType *type, GraphqlRole role, Str name, Str notation) {
  GraphqlDraft *draft = (GraphqlDraft *)type;
  GraphqlField field = {.name = name, .role = role, .type = graphql_build_ref(builder, notation), .key = json_key(builder, name)};
  if (builder->has_no_memory || !VEC_PUSH(builder->arena, &draft->fields, field)) {
    graphql_build_no_memory(builder);
    return &builder->no_field;
  }
  return &draft->fields.items[draft->fields.count - 1];
}

GraphqlInput *graphql_build_input(GraphqlBuilder *builder, GraphqlType *type, Str name, Str notation) {
  GraphqlDraft *draft = (GraphqlDraft *)type;
  GraphqlInput input = {.name = name, .type = graphql_build_ref(builder, notation)};
  if (builder->has_no_memory || !VEC_PUSH(builder->arena, &draft->inputs, input)) {
    graphql_build_no_memory(builder);
    return &builder->no_input;
  }
  return &draft->inputs.items[draft->inputs.count - 1];
}

void graphql_build_item(GraphqlBuilder *builder, GraphqlType *type, GraphqlEnumItem item) {
  if (builder->has_no_memory || !VEC_PUSH(builder->arena, &((GraphqlDraft *)type)->items, item)) graphql_build_no_memory(builder);
}

void graphql_build_argument(GraphqlBuilder *builder, GraphqlField *field, Str name, Str notation) {
  GraphqlInput *grown = arena_grow(builder->arena, (void *)field->arguments, field->argument_count * sizeof *grown,
                                   (field->argument_count + 1) * sizeof *grown);
  if (grown == NULL) {
    graphql_build_no_memory(builder);
    return;
  }
  grown[field->argument_count++] = (GraphqlInput){.name = name, .type = graphql_build_ref(builder, notation)};
  field->arguments = grown;
}

/* ---- introspection's types, in notation ---- */

void graphql_build_introspection(GraphqlBuilder *builder, GraphqlType *type, Str name, Str ref, Str arguments) {
  GraphqlField *field = graphql_build_field(builder, type, GRAPHQL_ROLE_INTROSPECTION, name, ref);
  if (arguments.len == 0) return;
  graphql_build_argument(builder, field, arguments, STR("Boolean"));
  if (!builder->has_no_memory) ((GraphqlInput *)field->arguments)[0].fallback = STR("false");
}

void graphql_build_enum(GraphqlBuilder *builder, Str name, Str items) {
  GraphqlType *type = graphql_build_type(builder, GRAPHQL_ENUM_TYPE, name);
  type->is_built_in = true;
  Str rest = items, item;
  while (str_split_next(&rest, ' ', &item)) graphql_build_item(builder, type, (GraphqlEnumItem){.name = item});
}

/* ---- all of it ---- */

static void add_resource(GraphqlBuilder *builder, const Resource *resource) {
  graphql_build_row(builder, resource);
  graphql_build_connection(builder, resource);
  graphql_build_where(builder, resource);
  graphql_build_order(builder, resource);
  graphql_build_aggregate(builder, resource);
  graphql_build_write_inputs(builder, resource);
}

static void add_roots(GraphqlBuilder *builder) {
  const Contract *contract = builder->contract;
  GraphqlType *query = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, STR("Query"));
  builder->schema->query = query;
  for (size_t i = 0; i < contract->resource_count; i++) graphql_build_queries(builder, query, contract->resources[i]);
  Str node_name = graphql_build_name(builder, STR("Node"), "");
  GraphqlField *node = graphql_build_field(builder, query, GRAPHQL_ROLE_NODE, STR("node"), node_name);
  graphql_build_argument(builder, node, STR("id"), STR("ID!"));
  graphql_build_subgraph(builder, query);
  GraphqlType *mutation = graphql_build_type(builder, GRAPHQL_OBJECT_TYPE, STR("Mutation"));
  for (size_t i = 0; i < contract->resource_count; i++) graphql_build_mutations(builder, mutation, contract->resources[i]);
  if (((GraphqlDraft *)mutation)->fields.count > 0)
    builder->schema->mutation = mutation;
  else
    builder->types.count--;
  GraphqlType *interface = graphql_build_type(builder, GRAPHQL_INTERFACE_TYPE, node_name);
  interface->description = STR("What has a global id.");
  graphql_build_field(builder, interface, GRAPHQL_ROLE_NODE_ID, STR("nodeId"), STR("ID!"));
  builder->schema->node = interface;
}

static void finish(GraphqlBuilder *builder) {
  for (size_t i = 0; i < builder->types.count; i++) {
    GraphqlDraft *draft = (GraphqlDraft *)builder->types.items[i];
    draft->type.fields = draft->fields.items;
    draft->type.field_count = draft->fields.count;
    draft->type.inputs = draft->inputs.items;
    draft->type.input_count = draft->inputs.count;
    draft->type.items = draft->items.items;
    draft->type.item_count = draft->items.count;
  }
  GraphqlSchema *schema = builder->schema;
  for (size_t i = 0; i < builder->types.count; i++) {
    if (builder->types.items[i]->is_node) ((GraphqlType *)schema->node)->is_implemented = true;
  }
  schema->types = builder->types.items;
  schema->type_count = builder->types.count;
}

static void add_meta_fields(GraphqlBuilder *builder) {
  GraphqlSchema *schema = builder->schema;
  schema->typename_field =
      (GraphqlField){.name = STR("__typename"), .type = graphql_build_ref(builder, STR("String!")), .key = STR("\"__typename\":")};
  schema->schema_field = (GraphqlField){.name = STR("__schema"),
                                        .role = GRAPHQL_ROLE_SCHEMA,
                                        .type = graphql_build_ref(builder, STR("__Schema!")),
                                        .key = STR("\"__schema\":")};
  schema->type_field = (GraphqlField){
      .name = STR("__type"), .role = GRAPHQL_ROLE_TYPE, .type = graphql_build_ref(builder, STR("__Type")), .key = STR("\"__type\":")};
  graphql_build_argument(builder, &schema->type_field, STR("name"), STR("String!"));
}

/* The enum ASC, DESC has another name where the contract has a type Order. A gateway puts one beside the other, so that the subgraphs call
 * it alike: by the name that it has there, which a gateway's variables have then, too. False: memory is out. */
static bool name_for_gateway(GraphqlSchema *schema, GraphqlType *order) {
  static const Str name = STR_INIT("SortOrder");
  if (map_get(&schema->by_name, name) != NULL) return true;
  order->subgraph_name = name;
  return map_put(&schema->by_name, name, order);
}

/* Asked for by every gateway that starts: made once. */
static Code keep_subgraph_sdl(GraphqlSchema *schema, Arena *arena, Error *err) {
  Buf sdl = buf_on(arena, SDL_BYTES_MAX), json = buf_on(arena, SDL_BYTES_MAX);
  graphql_subgraph_write(schema, &sdl);
  json_write_string(&json, buf_str(&sdl));
  if (sdl.failed != CODE_OK || json.failed != CODE_OK) return error_no_memory(err);
  schema->subgraph_sdl = buf_str(&json);
  return CODE_OK;
}

Code graphql_schema_create(const Contract *contract, Arena *arena, GraphqlSchema **ret, Error *err) {
  GraphqlSchema *schema = ARENA_NEW(arena, GraphqlSchema);
  TRY_ALLOC(schema);
  schema->contract = contract;
  schema->by_name = map_on(arena);
  schema->row_types = (const GraphqlType *const *)ARENA_ARRAY(arena, const GraphqlType *, contract->resource_count + 1);
  TRY_ALLOC(schema->row_types);
  GraphqlBuilder builder = {
      .arena = arena, .contract = contract, .schema = schema, .made_names = map_on(arena), .taken_names = map_on(arena)};
  builder.order_name = contract_has_type(contract, STR("Order")) ? graphql_build_name(&builder, STR("SortOrder"), "") : STR("Order");
  add_roots(&builder);
  for (size_t i = 0; i < contract->resource_count; i++) add_resource(&builder, contract->resources[i]);
  graphql_build_subscription(&builder);
  for (size_t i = 0; i < contract->embedded_count; i++) graphql_build_embedded(&builder, contract->embeddeds[i]);
  for (size_t i = 0; i < contract->enum_count; i++) graphql_build_enum_of(&builder, contract->enums[i]);
  GraphqlType *order = graphql_build_type(&builder, GRAPHQL_ENUM_TYPE, builder.order_name);
  graphql_build_item(&builder, order, (GraphqlEnumItem){.name = STR("ASC"), .description = STR("Ascending; null comes last.")});
  graphql_build_item(&builder, order, (GraphqlEnumItem){.name = STR("DESC"), .description = STR("Descending; null comes first.")});
  graphql_build_page_info(&builder);
  graphql_build_scalars(&builder);
  graphql_schema_add_introspection(&builder);
  add_meta_fields(&builder);
  /* What is there by half is not to be looked at. */
  if (builder.has_no_memory) return error_no_memory(err);
  finish(&builder);
  if (!name_for_gateway(schema, order)) return error_no_memory(err);
  TRY(keep_subgraph_sdl(schema, arena, err));
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
  bool is_abstract = a->kind != GRAPHQL_OBJECT_TYPE;
  /* Node and _Entity: every node is an entity. */
  if (is_abstract && b->kind != GRAPHQL_OBJECT_TYPE) return a->is_implemented || b->is_implemented;
  return is_abstract ? graphql_is_possible(a, b) : graphql_is_possible(b, a);
}

void graphql_ref_write(GraphqlRef ref, Buf *out) { graphql_ref_write_as(ref, ref.type->name, out); }

void graphql_ref_write_as(GraphqlRef ref, Str name, Buf *out) {
  for (uint32_t i = 0; i < ref.depth; i++) buf_add_byte(out, '[');
  buf_add(out, name);
  for (uint32_t level = ref.depth + 1; level-- > 0;) {
    if ((ref.required >> level & 1u) != 0) buf_add_byte(out, '!');
    if (level > 0) buf_add_byte(out, ']');
  }
}
