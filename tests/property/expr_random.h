/* expr_random.h - random expressions of the rule language, as source text, well-typed by construction. */
#pragma once
#include "expr_world.h"

typedef struct ExprRandomOptions {
  bool has_caller;    /* auth. may stand in it */
  bool has_row_tests; /* a to-one relation compared with null */
  bool has_foreign;   /* columns in another storage form */
  size_t depth;
} ExprRandomOptions;

/* A Boolean over `resource`; the text lives in `arena`. */
Str expr_random_boolean(Random *random, Arena *arena, const Resource *resource, const ExprRandomOptions *options);
/* A value of some type, of which `(VALUE) == null` can be asked. */
Str expr_random_value(Random *random, Arena *arena, const Resource *resource, const ExprRandomOptions *options);
