/* write_authorize.c - what is nested in a write and refused whatever the row: before the input's mistakes are told. The rows of the
 * Operation itself have been through engine_authorize. */
#include "query/write.h"

typedef struct Authorize {
  Write *write;
  Rules rules; /* of few types: each is reduced once */
} Authorize;

static Code authorize_row(Authorize *on, const WriteRow *row, RuleAction action, Error *err) {
  ReducedRule *rule = NULL;
  TRY(rules_get(&on->rules, row->resource->access[action], &rule, err));
  if (!expr_is_false(rule->reduced)) return CODE_OK;
  return write_refuse(on->write, rule_refusal(on->write->arena, on->rules.caller, row->resource, NULL, action));
}

/* Connecting and disconnecting over a to-many relation is an update of the child. */
static RuleAction rule_of_child(RowAction action) {
  switch (action) {
    case ROW_CREATE: return RULE_CREATE;
    case ROW_DELETE: return RULE_DELETE;
    default: return RULE_UPDATE;
  }
}

/* Nested no deeper than --nesting-max. */
static Code authorize_nested(Authorize *on, const WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->references.count; i++) {
    const WriteRow *target = row->references.items[i].target;
    /* What is connected stays as it is; whether it may be seen decides whether it is there. */
    if (target == NULL || target->action == ROW_CONNECT) continue;
    TRY(authorize_row(on, target, RULE_CREATE, err));
    TRY(authorize_nested(on, target, err));
  }
  for (size_t i = 0; i < row->children.count; i++) {
    const WriteRow *child = row->children.items[i];
    TRY(authorize_row(on, child, rule_of_child(child->action), err));
    TRY(authorize_nested(on, child, err));
  }
  return CODE_OK;
}

Code write_authorize(Write *write, const CallPlan *plan, Error *err) {
  const Operation *operation = &write->call->operation;
  Authorize on = {.write = write, .rules = rules_on(write->arena, operation->caller, operation->now_us)};
  for (size_t i = 0; i < plan->row_count; i++) TRY(authorize_nested(&on, plan->rows[i], err));
  return CODE_OK;
}
