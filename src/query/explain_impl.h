/* explain_impl.h - what the parts of an explanation share, and what a write tells of itself while it is explained. Internal to query/. */
#pragma once
#include "query/explain.h"
#include "query/write.h"

/* CallGroup.trace: NULL where nobody asks. Used by whoever runs the group at that moment. */
typedef struct ExplainTrace {
  Explanation *explanation;
  size_t statements_before; /* a write's program that begins again forgets the statements behind these */
} ExplainTrace;

/* The program begins (again). */
void explain_restart(ExplainTrace *trace);
/* A rule of the row's (of `field`, unless NULL) has refused it. */
Code explain_refusal(Write *write, const WriteRow *row, const Field *field, RuleAction action, const Expr *rule, Error *err);
Code explain_statement(Write *write, const StoreStatement *statement, const Value *params, Error *err);

/* explain_describe.c */
Code explain_operations(const CallGroup *group, Explanation *ret, Error *err);
Code explain_rules(const Engine *engine, const CallGroup *group, Explanation *ret, Error *err);
Code explain_checks(const CallGroup *group, Explanation *ret, Error *err);
Str explain_rule_name(Arena *arena, const Resource *resource, const Field *field, RuleAction action);

/* explain_store.c */
Code explain_reads(const CallGroup *group, Explanation *ret, Error *err);
/* Asks the store how it goes about the statements. `is_run`: numbers of rows are the store's own. */
Code explain_steps(Engine *engine, const CallGroup *group, bool is_run, Explanation *ret, Error *err);
