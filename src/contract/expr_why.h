/* expr_why.h - why a rule was not true: the parts of it that made it so, with the values that they had. */
#pragma once
#include "base/vec.h"
#include "contract/expr.h"

/* Tells what the environment alone can't: a Boolean that looks at other rows. NULL where there is nobody to ask. */
typedef struct WhyOracle {
  Code (*holds)(void *context, const Expr *expr, bool *ret, Error *err);
  void *context;
} WhyOracle;

typedef enum WhyVerdict { WHY_FALSE = 0, WHY_TRUE, WHY_UNKNOWN /* it depends on a row that isn't known */ } WhyVerdict;

typedef struct WhyValue {
  Str name; /* "auth.id", "owner.name" */
  Str text; /* as a literal; "hidden" where the contract hides it, "not looked up" where nobody knows it here */
} WhyValue;

typedef struct WhyPart {
  Str text; /* of the part, in the rule language */
  WhyVerdict verdict;
  VEC(WhyValue) values;
} WhyPart;

typedef struct Why {
  VEC(WhyPart) parts;
} Why;

/* The parts that make `rule` what it is: of && the false ones, of || all, under ! those that are true. Lives on `arena`. */
Code expr_why(const Expr *rule, const ExprEnv *env, const WhyOracle *oracle, Arena *arena, Why *ret, Error *err);
