/* graphql_validate.h - what the rules of validation share: the document, what each operation reaches, where variables stand. Internal to
 * the validation. Mistakes stand where graphql-js has them, which is what clients' tools are used to. */
#pragma once
#include "api/graphql_run.h"
#include "contract/nearest.h"

/* Where a variable is used, and what is wanted there. */
typedef struct GraphqlUsage {
  const GraphqlValue *value;
  GraphqlRef ref; /* type NULL: anything goes */
  bool has_fallback;
  bool is_one_of; /* of an input of which exactly one field is given */
} GraphqlUsage;

/* An operation or a fragment. */
typedef struct GraphqlPart {
  const GraphqlFragment *fragment; /* or */
  const GraphqlOperation *operation;
  VEC(GraphqlUsage) usages;
  VEC(const GraphqlNode *) spreads;
  bool is_used;
  uint8_t color;  /* while circles are looked for */
  size_t entered; /* the same: how many spreads led here */
  uint32_t stamp; /* while sets of fields are gathered */
} GraphqlPart;

typedef struct GraphqlValidator {
  const GraphqlSchema *schema;
  const GraphqlDocument *document;
  GraphqlMistakes *mistakes;
  Arena *arena;
  bool has_hints;
  GraphqlPart *parts; /* operations, then fragments */
  size_t part_count;
  GraphqlPart *part; /* at hand */
  Map part_by_name;  /* fragments; the last of a name */
} GraphqlValidator;

static inline GraphqlPart *graphql_part_of(const GraphqlValidator *validator, Str fragment) {
  return map_get(&validator->part_by_name, fragment);
}

/* ---- graphql_validate.c ---- */

/* "did you mean …?", where that is told. */
void graphql_validate_hint(GraphqlValidator *validator, GraphqlMistake *mistake, const Nearest *nearest);
/* Things of one kind at two places. */
void graphql_validate_twice(GraphqlValidator *validator, GraphqlPlace a, GraphqlPlace b, const char *what, Str name);
/* More mistakes are not kept: what costs time to tell need not be looked for. */
static inline bool graphql_validate_is_full(const GraphqlValidator *validator) {
  return validator->mistakes->list.count >= GRAPHQL_ERRORS_MAX || validator->mistakes->has_no_memory;
}

/* ---- graphql_validate_values.c: values, arguments, directives (§5.4, §5.6, §5.7) ---- */

void graphql_validate_value(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value, bool has_fallback);
/* Values of what is not known: variables are used, names are given once. `ref` type NULL: anything goes. */
void graphql_validate_anything(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value);
void graphql_validate_arguments(GraphqlValidator *validator, const GraphqlInput *inputs, size_t count, const GraphqlArguments *arguments,
                                GraphqlPlace place, Str owner);
void graphql_validate_unknown_arguments(GraphqlValidator *validator, const GraphqlArguments *arguments);
void graphql_validate_directives(GraphqlValidator *validator, const GraphqlDirectives *directives, bool is_on_selection);

/* ---- graphql_validate_variables.c (§5.8) ---- */

void graphql_validate_definitions(GraphqlValidator *validator, const GraphqlOperation *operation);
/* Where an operation's variables stand, in fragments too: after all parts have been looked through. */
void graphql_validate_usages(GraphqlValidator *validator, GraphqlPart *part);

/* ---- graphql_validate_subscription.c: one field, and no introspection (§5.2.3.1) ---- */

void graphql_validate_single_root(GraphqlValidator *validator, const GraphqlOperation *operation);

/* ---- graphql_validate_merge.c: fields of one response name can be merged (§5.3.2) ---- */

void graphql_validate_merge(GraphqlValidator *validator);
