/* rules.h - access rules as they stand for one caller: reduced once a call, then shared by all that ask. Request lifetime, one thread at a
 * time. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"
#include "contract/expr.h"
#include "query/problem.h"

typedef struct ReducedRule {
  const Expr *source;
  const Expr *reduced;
  bool is_numbered; /* its literals have their parameters in the call's plan */
} ReducedRule;

typedef struct Rules {
  Arena *arena;
  const Caller *caller;
  int64_t now_us;
  bool is_timeless;         /* now() stays: what is asked for is what rules have in common, whenever they are asked */
  VEC(ReducedRule *) items; /* few: searched one by one */
} Rules;

Rules rules_on(Arena *arena, const Caller *caller, int64_t now_us);

/* The rule's residue for this caller, the row unknown. A NULL source (no rule) is false. */
Code rules_get(Rules *rules, const Expr *source, ReducedRule **ret, Error *err);
/* As rules_get, but the answer alone; NULL where the rule has not been asked for before (then it must be taken as false). */
const ReducedRule *rules_find(const Rules *rules, const Expr *source);

/* A field's own rule, or that of the relation whose key field it is; NULL: the type's rule decides. */
const Expr *field_rule(const Field *field, RuleAction action);

/* What a caller is told when `resource`'s (or `field`'s, unless NULL) rule refuses: 403 naming it, 401 to a stranger. */
const Problem *rule_refusal(Arena *arena, const Caller *caller, const Resource *resource, const Field *field, RuleAction action);
