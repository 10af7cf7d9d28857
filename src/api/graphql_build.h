/* graphql_build.h - a schema under construction: what its parts share. Types are named by SDL's own notation ("[Product!]!") while they are
 * made, so that one can refer to another that comes later. Internal to the schema. */
#pragma once
#include "api/graphql_schema.h"
#include "base/vec.h"
#include "query/operation.h"
#include "query/rules.h"

typedef struct GraphqlDraft {
  GraphqlType type; /* first: a GraphqlType * is its draft */
  bool is_defined;
  VEC(GraphqlField) fields;
  VEC(GraphqlInput) inputs;
  VEC(GraphqlEnumItem) items;
} GraphqlDraft;

struct GraphqlBuilder {
  Arena *arena;
  const Contract *contract;
  GraphqlSchema *schema;
  VEC(const GraphqlType *) types;
  Map made_names;        /* by base, "|" and suffix */
  Map taken_names;       /* of those */
  Str order_name;        /* of the enum ASC, DESC */
  bool has_no_memory;    /* sticky */
  GraphqlDraft no_draft; /* given out when memory is out */
  GraphqlField no_field;
  GraphqlInput no_input;
};

/* ---- graphql_schema.c: names, types, fields. Memory that is out is sticky, and told at the end. ---- */

static inline void graphql_build_no_memory(GraphqlBuilder *builder) { builder->has_no_memory = true; }
Str graphql_build_kept(GraphqlBuilder *builder, Str made);
/* The contract's own names come first: a made one that is taken, by one of those or by another made one, gets a "_". */
Str graphql_build_name(GraphqlBuilder *builder, Str base, const char *suffix);
Str graphql_build_required(GraphqlBuilder *builder, Str notation);
GraphqlDraft *graphql_build_draft(GraphqlBuilder *builder, Str name);
GraphqlRef graphql_build_ref(GraphqlBuilder *builder, Str notation);
GraphqlField *graphql_build_field(GraphqlBuilder *builder, GraphqlType *type, GraphqlRole role, Str name, Str notation);
GraphqlInput *graphql_build_input(GraphqlBuilder *builder, GraphqlType *type, Str name, Str notation);
void graphql_build_item(GraphqlBuilder *builder, GraphqlType *type, GraphqlEnumItem item);
void graphql_build_argument(GraphqlBuilder *builder, GraphqlField *field, Str name, Str notation);

/* printf of two Strs into the schema's arena. */
#define graphql_text(builder, format, a, b)                                                                                                \
  __extension__({                                                                                                                          \
    Str text_a_ = (a), text_b_ = (b);                                                                                                      \
    graphql_build_kept((builder), arena_printf((builder)->arena, (format), STR_ARGS(text_a_), STR_ARGS(text_b_)));                         \
  })

/* ---- graphql_schema_watch.c: Subscription, and what it gives ---- */

void graphql_build_subscription(GraphqlBuilder *builder);

/* ---- graphql_schema_rows.c: what a row, a page, a group is ---- */

Str graphql_build_value(GraphqlBuilder *builder, const Field *field, Str name, bool is_required);
void graphql_build_list_arguments(GraphqlBuilder *builder, GraphqlField *field, const Resource *resource);
void graphql_build_scalars(GraphqlBuilder *builder);
void graphql_build_enum_of(GraphqlBuilder *builder, const EnumType *source);
void graphql_build_row(GraphqlBuilder *builder, const Resource *resource);
void graphql_build_connection(GraphqlBuilder *builder, const Resource *resource);
void graphql_build_page_info(GraphqlBuilder *builder);
void graphql_build_embedded(GraphqlBuilder *builder, const Embedded *embedded);
/* By which fields rows may be filtered and sorted. */
static inline bool graphql_field_is_scalar(const Field *field) {
  return field->kind == FIELD_STORED && !field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED;
}
static inline bool graphql_field_is_sortable(const Field *field) { return graphql_field_is_scalar(field) && field->type != TYPE_BYTES; }
static inline bool graphql_field_is_object(const Field *field) {
  return field->kind == FIELD_STORED && field->type == TYPE_EMBEDDED && !field->is_list;
}
static inline bool graphql_field_is_ordered(const Field *field) { return graphql_field_is_sortable(field) && field->type != TYPE_BOOLEAN; }
static inline bool graphql_field_is_textual(const Field *field) {
  return field->type == TYPE_ID || field->type == TYPE_STRING || field->type == TYPE_UUID || field->type == TYPE_EMAIL ||
         field->type == TYPE_URL || field->type == TYPE_ENUM;
}
static inline bool graphql_has_search(const Resource *resource) { return resource->search_count > 0 && resource->key_count > 0; }
static inline bool graphql_field_is_number(const Field *field) {
  return graphql_field_is_scalar(field) &&
         (field->type == TYPE_INT || field->type == TYPE_BIGINT || field->type == TYPE_FLOAT || field->type == TYPE_DECIMAL);
}

/* ---- graphql_schema_where.c, graphql_schema_write.c: inputs ---- */

void graphql_build_where(GraphqlBuilder *builder, const Resource *resource);
void graphql_build_order(GraphqlBuilder *builder, const Resource *resource);
/* Whether there is anything to sort and to group by. */
bool graphql_is_orderable(const Resource *resource);
bool graphql_is_object_orderable(const Embedded *embedded);
void graphql_build_write_inputs(GraphqlBuilder *builder, const Resource *resource);

/* ---- graphql_schema_aggregate.c ---- */

void graphql_build_aggregate(GraphqlBuilder *builder, const Resource *resource);
void graphql_build_aggregate_arguments(GraphqlBuilder *builder, GraphqlField *field, const Resource *resource);

/* ---- graphql_schema_roots.c ---- */

void graphql_build_queries(GraphqlBuilder *builder, GraphqlType *query, const Resource *resource);
void graphql_build_mutations(GraphqlBuilder *builder, GraphqlType *mutation, const Resource *resource);

/* ---- graphql_schema_subgraph.c ---- */

/* _service, _entities and their types. */
void graphql_build_subgraph(GraphqlBuilder *builder, GraphqlType *query);
