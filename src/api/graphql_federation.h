/* graphql_federation.h - _service and _entities: rows that other subgraphs refer to by a key (Apollo Federation v2). */
#pragma once
#include "api/graphql_compile.h"

/* Rows of one type by one of its keys: one call for all of them. */
typedef struct GraphqlEntityGroup {
  const Resource *resource;
  const Field *const *keys;
  size_t key_count;
  VEC(const Value *) asked;
  size_t first; /* the first representation of the group, for paths */
  GraphqlRoot root;
} GraphqlEntityGroup;

typedef struct GraphqlEntity {
  GraphqlEntityGroup *group; /* NULL: it can be no row's */
  Str key;                   /* as GraphqlSink.row_keys has it */
} GraphqlEntity;

typedef struct GraphqlEntities {
  VEC(GraphqlEntityGroup *) groups;
  GraphqlEntity *items; /* in the order of the representations */
  size_t count;
} GraphqlEntities;

bool graphql_compile_service(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root);
bool graphql_compile_entities(GraphqlCompiler *compiler, const GraphqlGroup *group, GraphqlRoot *root);
/* The rows in the order of their representations; null where there is none, or the caller may not see it. */
void graphql_write_entities(const GraphqlEntities *entities, Buf *to);
