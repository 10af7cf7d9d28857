/* explain.h - what would become of an Operation, told to those who run the server: which rules apply and what they are for this caller,
 * what the store is asked and how it goes about it, and why something is refused. Faces render it. */
#pragma once
#include "base/vec.h"
#include "contract/expr_why.h"
#include "query/engine.h"

typedef struct ExplainedLine {
  Str name; /* "filter" */
  Str text;
} ExplainedLine;

typedef struct ExplainedOperation {
  Str action, resource;
  VEC(ExplainedLine) lines; /* key, select, filter, order, limit, input …: those that it has */
} ExplainedOperation;

typedef struct ExplainedRule {
  Str name;    /* "Review.read", "Product.cost.update" */
  Str rule;    /* as it is in the contract; ptr NULL: there is none */
  Str reduced; /* what is left of it for this caller: "true", "false", or what the row decides */
} ExplainedRule;

typedef struct ExplainedStatement {
  Str purpose; /* "rows of products" */
  const StoreStatement *statement;
  const Value *params; /* statement->param_count; those that come from other rows are null */
  const StoreStep *steps;
  size_t step_count;
  VEC(Str) notes; /* what the steps mean, and what would help */
} ExplainedStatement;

typedef struct Explanation {
  VEC(ExplainedOperation) operations;
  VEC(ExplainedRule) rules;
  VEC(Str) checks; /* what a write is checked for besides its rules */
  VEC(ExplainedStatement) statements;
  bool is_run;            /* it was tried out, and rolled back */
  size_t failed;          /* the operation that was refused */
  const Problem *problem; /* NULL: it is not refused, as far as it was tried */
  size_t row_count;       /* of reads that were tried */
  Str why_rule;           /* the rule that refused; ptr NULL: none did */
  Why why;
} Explanation;

typedef void ExplainDoneFn(void *context, Code code, const Error *err);

/* Explains the group's calls, which a face has just decoded. `is_run`: they are also tried out, writes in a transaction that is rolled
 * back. All of *ret lives in the group's arena. `done` is called on the loop, exactly once, perhaps before this returns; the group's own is
 * not called. */
void engine_explain(Engine *engine, CallGroup *group, bool is_run, Explanation *ret, ExplainDoneFn *done, void *context);
