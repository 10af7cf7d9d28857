/* graphql_validate.h - what the rules of validation share: the document, what each operation reaches, where variables stand. Internal to
 * the validation. */
#pragma once
#include "api/graphql_run.h"
#include "contract/nearest.h"

/* Where a variable is used, and what is wanted there. */
typedef struct GraphqlUsage {
  const GraphqlValue *value;
  GraphqlRef ref; /* type NULL: anything goes */
  bool has_fallback;
  bool is_one_of;
} GraphqlUsage;

/* An operation or a fragment. */
typedef struct GraphqlPart {
  const GraphqlFragment *fragment; /* or */
  const GraphqlOperation *operation;
  VEC(GraphqlUsage) usages;
  VEC(const GraphqlNode *) spreads;
  bool is_used;
  uint8_t color; /* while circles are looked for */
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
  size_t comparisons;
} GraphqlValidator;

static inline GraphqlPart *graphql_part_of(const GraphqlValidator *validator, Str fragment) {
  for (size_t i = 0; i < validator->part_count; i++) {
    GraphqlPart *part = &validator->parts[i];
    if (part->fragment != NULL && str_equal(part->fragment->name, fragment)) return part;
  }
  return NULL;
}

/* graphql_validate_merge.c: fields of one response name can be merged (§5.3.2). */
void graphql_validate_merge(GraphqlValidator *validator, const GraphqlType *type, const GraphqlSelections *selections);
