/* graphql_run.h - one GraphQL operation under way: what it asks for, collected, coerced and compiled into the engine's calls, and the tree
 * by which their Results become the answer. Lives in the request's arena. */
#pragma once
#include "api/face.h"
#include "api/graphql_document.h"
#include "api/graphql_schema.h"
#include "api/rest_map.h"
#include "base/buf.h"
#include "base/vec.h"
#include "codec/json.h"

typedef struct GraphqlLimits {
  size_t depth_max, cost_max, aliases_max, document_bytes_max, tokens_max;
  size_t persisted_max; /* 0: no document is persisted */
  size_t batch_max;     /* 0: no arrays of requests */
  bool has_introspection, has_graphiql;
  /* Over WebSocket; of one connection. */
  size_t ws_operations_max, ws_message_bytes_max, ws_queued_bytes_max;
  uint32_t ws_init_timeout_ms, ws_ping_ms, ws_control_frames_max;
} GraphqlLimits;

/* A document that its operator knows, by name, by SHA-256 or by its text. */
typedef struct GraphqlTrusted {
  Str name, file, text;
} GraphqlTrusted;

typedef struct GraphqlOut GraphqlOut;

typedef enum GraphqlOutKind {
  GRAPHQL_OUT_TEXT = 0, /* JSON that is known already: __typename */
  GRAPHQL_OUT_VALUE,
  GRAPHQL_OUT_NODE_ID,
  GRAPHQL_OUT_ROW,      /* a to-one relation, or an edge's node */
  GRAPHQL_OUT_LIST,     /* a to-many relation: a connection */
  GRAPHQL_OUT_EMBEDDED, /* members of a JSON value */
  GRAPHQL_OUT_NODES,
  GRAPHQL_OUT_EDGES,
  GRAPHQL_OUT_EDGE_NODE,
  GRAPHQL_OUT_CURSOR,
  GRAPHQL_OUT_PAGE_INFO,
  GRAPHQL_OUT_TOTAL,
  GRAPHQL_OUT_HAS_NEXT,
  GRAPHQL_OUT_HAS_PREVIOUS,
  GRAPHQL_OUT_START_CURSOR,
  GRAPHQL_OUT_END_CURSOR,
  GRAPHQL_OUT_OBJECT, /* of the same row's values: an aggregate's by, sum … */
  GRAPHQL_OUT_KIND,   /* of a change */
  GRAPHQL_OUT_POSITION,
} GraphqlOutKind;

/* One member of an object of the answer, with what stands below it. */
struct GraphqlOut {
  GraphqlOutKind kind;
  Str key; /* "name": */
  Str text;
  uint32_t index;     /* of the row's values; NODE_ID: the first of its key's; NODES, EDGES: the sink's part */
  const Field *field; /* EMBEDDED: the member; VALUE of a resource */
  const struct RestKey *format;
  const Resource *resource; /* NODE_ID */
  const uint32_t *indexes;  /* NODE_ID: of the key's values */
  const Selection *nested;  /* ROW, LIST: what its values are */
  GraphqlOut *items;
  size_t count;
  bool is_after; /* LIST: behind a cursor, so that there is a page before it */
};

/* Collects the rows of one call: each part (nodes, edges) is written as they come. */
typedef struct GraphqlSink {
  ResultSink base; /* first: the engine knows only this */
  const RestMap *map;
  const GraphqlOut *const *parts;
  size_t part_count;
  Buf *outs; /* one for each part */
  size_t row_count;
  bool has_cursors; /* the row's cursor stands behind its values */
  Str first_cursor, last_cursor;
  bool has_row_ends; /* CREATE of an array */
  VEC(size_t) row_ends;
  const Field *const *keys; /* of entities: rows are found again by these values */
  const uint32_t *key_indexes;
  size_t key_count;
  VEC(Str) row_keys;
  size_t call; /* of the run's, which it belongs to */
  Arena *arena;
} GraphqlSink;

typedef enum GraphqlRootKind {
  GRAPHQL_ROOT_TEXT = 0,
  GRAPHQL_ROOT_ROW,
  GRAPHQL_ROOT_LIST,
  GRAPHQL_ROOT_ROWS,
  GRAPHQL_ROOT_ENTITIES
} GraphqlRootKind;

/* A field of Query or Mutation. */
typedef struct GraphqlRoot {
  GraphqlRootKind kind;
  Str name; /* the response's, for paths */
  Str key;
  Str text; /* TEXT */
  GraphqlPlace place;
  bool is_required;       /* its null makes all of `data` null */
  bool is_list_ask;       /* ROW that is asked for by a list of one */
  const Problem *problem; /* refused before it ran */
  GraphqlOut out;
  GraphqlSink sink;
  struct GraphqlEntities *entities; /* ENTITIES: api/graphql_federation.h */
  const Value *watch_key;           /* of a subscription: NULL: all rows */
  Str watch_after;                  /* … and ptr NULL: from now on */
} GraphqlRoot;

/* Fields of one response name, to be merged. */
typedef struct GraphqlGroup {
  Str name;
  const GraphqlField *field;
  VEC(const GraphqlNode *) nodes;
} GraphqlGroup;
typedef struct GraphqlGroups {
  VEC(GraphqlGroup) list;
} GraphqlGroups;

typedef struct GraphqlRun {
  const Api *api;
  const GraphqlSchema *schema;
  const GraphqlLimits *limits;
  const GraphqlDocument *document;
  const GraphqlOperation *operation;
  JsonValue variables; /* coerced */
  Arena *arena;
  GraphqlMistakes *mistakes;
  size_t field_count;
  GraphqlRoot *roots;
  size_t root_count;
  Call *calls;
  size_t call_count, call_max;
  int64_t cost;
} GraphqlRun;

/* graphql_collect.c: §6.3.2, with @skip and @include. `type` is an object's, or Node where the object is not known yet. */
bool graphql_collect(GraphqlRun *run, const GraphqlType *type, const GraphqlSelections *selections, GraphqlGroups *ret);
/* The merged selections of a group's fields. */
bool graphql_collect_below(GraphqlRun *run, const GraphqlType *type, const GraphqlGroup *group, GraphqlGroups *ret);

/* graphql_values.c: variables as sent (NULL: none), coerced by the operation's definitions (§6.1.2). False with mistakes noted. */
bool graphql_variables(GraphqlRun *run, const JsonValue *given);
/* An argument's value in JSON's data model; NULL: not given (or null's absence). Enums are strings, IDs too, lists are lists. */
const JsonValue *graphql_argument(GraphqlRun *run, const GraphqlNode *node, const GraphqlInput *input);
/* Whether a literal may stand for `ref`; mistakes are noted. Used by validation. */
bool graphql_is_leaf_literal(const GraphqlType *type, const GraphqlValue *value);

/* graphql_where.c: where a field of the input leads to. */
enum { GRAPHQL_HOPS_MAX = 16, GRAPHQL_MEMBERS_MAX = 8 };
typedef struct GraphqlScope {
  uint32_t root; /* EXPR_ROOT_… */
  uint32_t depth;
  const Resource *resource;
  const Relation *hops[GRAPHQL_HOPS_MAX];
  size_t hop_count;
} GraphqlScope;
typedef struct GraphqlTarget {
  GraphqlScope scope;
  const Field *field; /* NULL: the row */
  const Field *members[GRAPHQL_MEMBERS_MAX];
  size_t member_count;
} GraphqlTarget;
/* Goes on to a field of the row, or a member of the object, at hand. False: that is too far. */
bool graphql_target_step(GraphqlTarget *target, const Field *field);
/* Borrows from the target. */
ExprPath graphql_target_path(const GraphqlTarget *target);
/* {category: {name: LEAF}} from a row of the resource on; false with a mistake noted, in the words of the argument `what`. */
bool graphql_named_path(GraphqlRun *run, GraphqlPlace place, const char *what, const Resource *resource, const JsonValue *json,
                        ExprPath *ret, const JsonValue **ret_leaf);
/* ASC or DESC. */
static inline bool graphql_is_descending(const JsonValue *json) { return str_equal(json->text, STR("DESC")); }
/* The operator of a filter or a comparison. */
ExprKind graphql_operator(Str name);

/* `where:` to a condition; NULL with a mistake noted. */
bool graphql_where(GraphqlRun *run, GraphqlPlace place, const Resource *resource, const JsonValue *where, const Expr **ret);
bool graphql_filter(GraphqlRun *run, GraphqlPlace place, const Resource *resource, const JsonValue *filter, const Expr **ret);
bool graphql_order(GraphqlRun *run, GraphqlPlace place, const Resource *resource, const JsonValue *order, ListQuery *list);
/* A scalar argument as its field's value; false where it can be none. */
bool graphql_scalar(GraphqlRun *run, const Field *field, const JsonValue *json, Value *ret);

/* graphql_compile.c */
bool graphql_compile(GraphqlRun *run, const Caller *caller, int64_t now_us);

/* graphql_introspect.c: a field __schema or __type, answered. */
bool graphql_introspect(GraphqlRun *run, const GraphqlGroup *group, Str *ret);

/* graphql_encode.c */
void graphql_sink_init(GraphqlSink *sink, const RestMap *map, Arena *arena);
void graphql_write_root(const GraphqlRoot *root, const Result *result, Buf *out);
/* An object's members, or one of them, from a row's values. */
void graphql_write_row(const GraphqlOut *out, const RestMap *map, const Value *values, Buf *to);
void graphql_write_item(const GraphqlOut *item, const RestMap *map, const Value *values, Buf *to);

/* graphql_validate.c: all rules of §5; mistakes are noted. */
void graphql_validate(const GraphqlSchema *schema, const GraphqlDocument *document, bool has_hints, GraphqlMistakes *mistakes);

/* NULL: the schema has none. */
static inline const GraphqlType *graphql_root_type(const GraphqlSchema *schema, GraphqlOperationKind kind) {
  if (kind == GRAPHQL_QUERY) return schema->query;
  return kind == GRAPHQL_MUTATION ? schema->mutation : schema->subscription;
}

static inline bool graphql_no_memory(GraphqlRun *run) {
  run->mistakes->has_no_memory = true;
  return false;
}
