/* graphql_document.h - a GraphQL request's document as a tree: operations, fragments, values, each with its place. Immutable once parsed;
 * lives in the arena that it was parsed on, as does a copy of the text that it borrows from. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

/* Lines and columns (code points) count from 1; line 0: nowhere. */
typedef struct GraphqlPlace {
  uint32_t line, column;
} GraphqlPlace;

typedef enum GraphqlValueKind {
  GRAPHQL_VARIABLE = 0, /* text: its name */
  GRAPHQL_INT,
  GRAPHQL_FLOAT,
  GRAPHQL_STRING,
  GRAPHQL_BOOLEAN, /* text: true or false */
  GRAPHQL_NULL,
  GRAPHQL_ENUM,
  GRAPHQL_LIST,
  GRAPHQL_OBJECT
} GraphqlValueKind;

typedef struct GraphqlValue GraphqlValue;
typedef struct GraphqlArgument GraphqlArgument;
struct GraphqlValue {
  GraphqlValueKind kind;
  GraphqlPlace place;
  Str text; /* a string's decoded */
  const GraphqlValue *items;
  const GraphqlArgument *members;
  size_t count;
};
struct GraphqlArgument {
  Str name;
  GraphqlPlace place;
  GraphqlValue value;
};
typedef struct GraphqlArguments {
  const GraphqlArgument *items;
  size_t count;
} GraphqlArguments;

typedef struct GraphqlDirective {
  Str name;
  GraphqlPlace place;
  GraphqlArguments arguments;
} GraphqlDirective;
typedef struct GraphqlDirectives {
  const GraphqlDirective *items;
  size_t count;
} GraphqlDirectives;

typedef struct GraphqlNode GraphqlNode;
typedef struct GraphqlSelections {
  GraphqlPlace place; /* line 0: there is no selection set */
  const GraphqlNode *items;
  size_t count;
} GraphqlSelections;

typedef enum GraphqlNodeKind { GRAPHQL_FIELD = 0, GRAPHQL_SPREAD, GRAPHQL_INLINE } GraphqlNodeKind;
struct GraphqlNode {
  GraphqlNodeKind kind;
  GraphqlPlace place;
  Str alias; /* FIELD; len 0: none */
  Str name;  /* FIELD and SPREAD */
  GraphqlPlace name_place;
  Str condition; /* INLINE: the type's name; len 0: none */
  GraphqlPlace condition_place;
  GraphqlArguments arguments;
  GraphqlDirectives directives;
  GraphqlSelections selections;
};

/* [[T!]]!: `depth` lists, and bit i of `required` for the "!" at level i, 0 outermost. */
typedef struct GraphqlTypeNode {
  Str name;
  GraphqlPlace place; /* of all of it */
  GraphqlPlace name_place;
  uint32_t depth;
  uint32_t required;
} GraphqlTypeNode;

typedef struct GraphqlVariable {
  Str name;
  GraphqlPlace place, name_place; /* of "$", of what follows it */
  GraphqlTypeNode type;
  bool has_default;
  GraphqlValue fallback;
  GraphqlDirectives directives;
} GraphqlVariable;

typedef enum GraphqlOperationKind { GRAPHQL_QUERY = 0, GRAPHQL_MUTATION, GRAPHQL_SUBSCRIPTION } GraphqlOperationKind;

typedef struct GraphqlOperation {
  GraphqlOperationKind kind;
  Str name; /* len 0: anonymous */
  GraphqlPlace place, name_place;
  const GraphqlVariable *variables;
  size_t variable_count;
  GraphqlDirectives directives;
  GraphqlSelections selections;
} GraphqlOperation;

typedef struct GraphqlFragment {
  Str name;
  GraphqlPlace place, name_place;
  Str condition;
  GraphqlPlace condition_place;
  GraphqlDirectives directives;
  GraphqlSelections selections;
} GraphqlFragment;

typedef struct GraphqlDocument {
  const GraphqlOperation *operations;
  size_t operation_count;
  const GraphqlFragment *fragments;
  size_t fragment_count;
  const GraphqlPlace *definitions; /* of types, which can't be executed */
  const Str *definition_names;
  size_t definition_count;
  size_t alias_count;
} GraphqlDocument;

enum { GRAPHQL_PLACES_MAX = 16, GRAPHQL_ERRORS_MAX = 50, GRAPHQL_LISTS_MAX = 16, GRAPHQL_NESTING_MAX = 100 };

/* A mistake of a document or its variables. */
typedef struct GraphqlMistake {
  Code code;
  Str name; /* in the place of the code's own; len 0: that one */
  Str message;
  Str hint; /* what to do, which ends the message too; len 0: none */
  GraphqlPlace places[GRAPHQL_PLACES_MAX];
  size_t place_count;
} GraphqlMistake;

typedef struct GraphqlMistakes {
  Arena *arena;
  VEC(GraphqlMistake) list;
  bool has_no_memory; /* sticky */
} GraphqlMistakes;

static inline GraphqlMistakes graphql_mistakes_on(Arena *arena) { return (GraphqlMistakes){.arena = arena}; }
static inline bool graphql_is_refused(const GraphqlMistakes *mistakes) { return mistakes->list.count > 0 || mistakes->has_no_memory; }
/* Beyond GRAPHQL_ERRORS_MAX nothing is kept, and NULL given back. Valid until the next one. */
GraphqlMistake *graphql_mistake(GraphqlMistakes *mistakes, Code code, const GraphqlPlace *places, size_t count, const char *format, ...)
    PRINTF_LIKE(5, 6);
GraphqlMistake *graphql_mistake_at(GraphqlMistakes *mistakes, GraphqlPlace place, const char *format, ...) PRINTF_LIKE(3, 4);
/* Adds it to the message too, for tools that show nothing else. No mistake (NULL) and no hint are fine. */
void graphql_mistake_hint(GraphqlMistakes *mistakes, GraphqlMistake *mistake, Str hint);

typedef struct GraphqlParseLimits {
  size_t bytes_max, tokens_max;
} GraphqlParseLimits;

/* The first mistake of syntax ends it. False with mistakes noted. `text` need not outlive the call. */
bool graphql_parse(Str text, const GraphqlParseLimits *limits, Arena *arena, GraphqlDocument *ret, GraphqlMistakes *mistakes);
const GraphqlFragment *graphql_fragment(const GraphqlDocument *document, Str name);
