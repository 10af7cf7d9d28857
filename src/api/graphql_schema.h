/* graphql_schema.h - a contract as a GraphQL schema (INTERFACE §4): one table of types, for validation, introspection, compilation and
 * print. Immutable once made; any thread. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "contract/model.h"

typedef enum GraphqlKind {
  GRAPHQL_SCALAR_TYPE = 0,
  GRAPHQL_OBJECT_TYPE,
  GRAPHQL_INTERFACE_TYPE,
  GRAPHQL_ENUM_TYPE,
  GRAPHQL_INPUT_TYPE,
  GRAPHQL_UNION_TYPE
} GraphqlKind;

/* What a field answers, by which it is compiled. */
typedef enum GraphqlRole {
  GRAPHQL_ROLE_TYPENAME = 0,
  /* of Query */
  GRAPHQL_ROLE_GET,
  GRAPHQL_ROLE_GET_UNIQUE, /* unique */
  GRAPHQL_ROLE_LIST,
  GRAPHQL_ROLE_AGGREGATE,
  GRAPHQL_ROLE_NODE,
  GRAPHQL_ROLE_ENTITIES,
  GRAPHQL_ROLE_SERVICE,
  GRAPHQL_ROLE_SCHEMA,
  GRAPHQL_ROLE_TYPE,
  /* of Mutation */
  GRAPHQL_ROLE_CREATE,
  GRAPHQL_ROLE_CREATE_MANY,
  GRAPHQL_ROLE_UPDATE,
  GRAPHQL_ROLE_DELETE,
  /* of Subscription, and of what it gives */
  GRAPHQL_ROLE_WATCH,
  GRAPHQL_ROLE_CHANGE_KIND,
  GRAPHQL_ROLE_CHANGE_POSITION,
  GRAPHQL_ROLE_CHANGE_ROW,
  /* of a resource */
  GRAPHQL_ROLE_VALUE,
  GRAPHQL_ROLE_TO_ONE,
  GRAPHQL_ROLE_TO_MANY,
  GRAPHQL_ROLE_NODE_ID,
  /* of an embedded type */
  GRAPHQL_ROLE_MEMBER,
  /* of a connection, an edge, PageInfo */
  GRAPHQL_ROLE_NODES,
  GRAPHQL_ROLE_EDGES,
  GRAPHQL_ROLE_PAGE_INFO,
  GRAPHQL_ROLE_TOTAL,
  GRAPHQL_ROLE_EDGE_NODE,
  GRAPHQL_ROLE_CURSOR,
  GRAPHQL_ROLE_HAS_NEXT,
  GRAPHQL_ROLE_HAS_PREVIOUS,
  GRAPHQL_ROLE_START_CURSOR,
  GRAPHQL_ROLE_END_CURSOR,
  /* of _Service */
  GRAPHQL_ROLE_SDL,
  /* of an aggregate */
  GRAPHQL_ROLE_BY,
  GRAPHQL_ROLE_COUNT,
  GRAPHQL_ROLE_METRICS, /* metric: its fields are GROUP_METRIC of the same kind */
  GRAPHQL_ROLE_GROUP_KEY,
  GRAPHQL_ROLE_GROUP_OBJECT, /* what lies behind a relation or in an embedded object */
  GRAPHQL_ROLE_GROUP_METRIC,
  /* of the introspection types: found by name */
  GRAPHQL_ROLE_INTROSPECTION
} GraphqlRole;

typedef struct GraphqlType GraphqlType;

/* Bit i of `required` is the "!" at level i, 0 outermost. */
typedef struct GraphqlRef {
  const GraphqlType *type;
  uint32_t depth;
  uint32_t required;
} GraphqlRef;

/* An argument or an input's field. */
typedef struct GraphqlInput {
  Str name;
  Str description;
  GraphqlRef type;
  Str fallback;       /* the default as GraphQL writes it; len 0: none */
  const Field *field; /* of a resource or an embedded type; NULL: `and`, `first` … */
  int metric;         /* of an aggregate's having and order: a MetricKind */
  Str deprecation;    /* ptr NULL: not deprecated */
} GraphqlInput;

typedef struct GraphqlField {
  Str name;
  Str description;
  GraphqlRef type;
  const GraphqlInput *arguments;
  size_t argument_count;
  GraphqlRole role;
  const Resource *resource;  /* Query's and Mutation's, aggregates' */
  const Field *field;        /* VALUE, TO_ONE, TO_MANY, MEMBER, GROUP_KEY, GROUP_OBJECT, GROUP_METRIC */
  const Field *through;      /* GROUP_KEY: this relation, or this embedded object; NULL: the row's own */
  const UniqueGroup *unique; /* GET_UNIQUE */
  int metric;                /* METRICS, GROUP_METRIC: a MetricKind */
  Str key;                   /* "name": as JSON writes it, with the colon */
  Str deprecation;           /* ptr NULL: not deprecated */
} GraphqlField;

typedef struct GraphqlEnumItem {
  Str name;
  Str description;
  Str deprecation;              /* ptr NULL: not deprecated */
  const Field *field, *through; /* of a …GroupBy: as in GraphqlField */
} GraphqlEnumItem;

struct GraphqlType {
  GraphqlKind kind;
  Str name;
  Str description;
  const GraphqlField *fields;
  size_t field_count;
  const GraphqlInput *inputs;
  size_t input_count;
  const GraphqlEnumItem *items;
  size_t item_count;
  bool is_one_of;
  bool is_built_in;         /* of the introspection, and the five scalars: not printed */
  bool is_node;             /* implements Node */
  bool is_entity;           /* a row with a key: a member of _Entity; every node is one */
  bool is_subgraph;         /* what a gateway adds by itself: not told in _service */
  bool is_implemented;      /* Node: by at least one row */
  const Resource *resource; /* an object that is a resource's row, and inputs over one */
  const Resource *made_of;  /* an object that holds its rows, or tells of them: a connection, a group, an event */
  Str subgraph_name;        /* as the gateway knows it; ptr NULL: as everybody does */
  FieldType scalar;         /* SCALAR */
};

typedef struct GraphqlSchema {
  const Contract *contract;
  const GraphqlType *const *types; /* Query, Mutation, then as they were made */
  size_t type_count;
  const GraphqlType *query, *mutation; /* mutation NULL: nothing can be written */
  const GraphqlType *subscription;     /* NULL: no type has a key */
  const GraphqlType *node;
  const GraphqlType *entity;           /* the union of all entities; NULL: there are none */
  Str subgraph_sdl;                    /* of _service, as JSON has it */
  const GraphqlType *const *row_types; /* by Resource.index */
  GraphqlField typename_field, schema_field, type_field;
  Map by_name;
} GraphqlSchema;

/* A directive that documents or the schema may hold; it has one argument at most. */
typedef struct GraphqlDirectiveForm {
  Str name, description;
  Str locations;      /* separated by spaces */
  bool is_executable; /* @skip, @include: on fields, spreads and inline fragments */
  Str argument, argument_type, argument_default;
} GraphqlDirectiveForm;
/* The directives of the specification (§3.13); NULL: there is none of that name. */
const GraphqlDirectiveForm *graphql_directive_form(Str name);
extern const GraphqlDirectiveForm graphql_directive_forms[];
extern const size_t graphql_directive_form_count;

Code graphql_schema_create(const Contract *contract, Arena *arena, GraphqlSchema **ret, Error *err);
static inline const GraphqlType *graphql_type(const GraphqlSchema *schema, Str name) {
  return (const GraphqlType *)map_get(&schema->by_name, name);
}
/* With __typename everywhere, and __schema and __type on Query. NULL: none. */
const GraphqlField *graphql_field(const GraphqlSchema *schema, const GraphqlType *type, Str name);
const GraphqlInput *graphql_input(const GraphqlInput *inputs, size_t count, Str name);
static inline bool graphql_is_composite(const GraphqlType *type) {
  return type->kind == GRAPHQL_OBJECT_TYPE || type->kind == GRAPHQL_INTERFACE_TYPE || type->kind == GRAPHQL_UNION_TYPE;
}
static inline bool graphql_is_input(const GraphqlType *type) { return !graphql_is_composite(type); }
static inline bool graphql_is_required(GraphqlRef ref) { return (ref.required & 1u) != 0; }
/* What a list's items are. */
static inline GraphqlRef graphql_item(GraphqlRef ref) { return (GraphqlRef){ref.type, ref.depth - 1, ref.required >> 1}; }
static inline GraphqlRef graphql_nullable(GraphqlRef ref) { return (GraphqlRef){ref.type, ref.depth, ref.required & ~1u}; }
/* "[Product!]!" */
void graphql_ref_write(GraphqlRef ref, Buf *out);
void graphql_ref_write_as(GraphqlRef ref, Str name, Buf *out); /* its type by another name */
/* Whether a value of `type` may stand where `condition` is asked for, and the other way round. */
bool graphql_types_overlap(const GraphqlType *a, const GraphqlType *b);
/* A row's type as one of an interface or a union. */
static inline bool graphql_is_possible(const GraphqlType *abstract, const GraphqlType *row) {
  return abstract->kind == GRAPHQL_INTERFACE_TYPE ? row->is_node : abstract->kind == GRAPHQL_UNION_TYPE && row->is_entity;
}
/* The schema in SDL. */
void graphql_sdl_write(const GraphqlSchema *schema, Buf *out);
/* The same as a subgraph of a federation (v2) says it: with @link and @key, without what every subgraph has. */
void graphql_subgraph_write(const GraphqlSchema *schema, Buf *out);

/* ---- between the files of the schema ---- */

typedef struct GraphqlBuilder GraphqlBuilder;
/* The types of introspection (§4.2). */
void graphql_schema_add_introspection(GraphqlBuilder *builder);
GraphqlType *graphql_build_type(GraphqlBuilder *builder, GraphqlKind kind, Str name);
/* `type` as SDL writes it: "[__Field!]". `arguments`: "includeDeprecated: Boolean = false", or empty. */
void graphql_build_introspection(GraphqlBuilder *builder, GraphqlType *type, Str name, Str ref, Str arguments);
void graphql_build_enum(GraphqlBuilder *builder, Str name, Str items);
