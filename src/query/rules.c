#include "query/rules.h"

Rules rules_on(Arena *arena, const Caller *caller, int64_t now_us) { return (Rules){.arena = arena, .caller = caller, .now_us = now_us}; }

const ReducedRule *rules_find(const Rules *rules, const Expr *source) {
  for (size_t i = 0; i < rules->items.count; i++) {
    if (rules->items.items[i]->source == source) return rules->items.items[i];
  }
  return NULL;
}

static Code rule_reduce(Rules *rules, const Expr *source, const Expr **ret, Error *err) {
  if (source == NULL) {
    *ret = expr_bool(false);
    return CODE_OK;
  }
  ExprEnv env = {.caller = rules->caller, .now_us = rules->now_us, .is_timeless = rules->is_timeless};
  return expr_reduce(source, &env, rules->arena, ret, err);
}

Code rules_get(Rules *rules, const Expr *source, ReducedRule **ret, Error *err) {
  ReducedRule *known = (ReducedRule *)rules_find(rules, source);
  if (known == NULL) {
    const Expr *reduced = NULL;
    TRY(rule_reduce(rules, source, &reduced, err));
    known = ARENA_NEW(rules->arena, ReducedRule);
    TRY_ALLOC(known);
    known->source = source;
    known->reduced = reduced;
    if (!VEC_PUSH(rules->arena, &rules->items, known)) return error_no_memory(err);
  }
  *ret = known;
  return CODE_OK;
}

const Expr *field_rule(const Field *field, RuleAction action) {
  if (field->access[action] != NULL) return field->access[action];
  return field->is_relation_key ? field->relation->field->access[action] : NULL;
}

const Problem *rule_refusal(Arena *arena, const Caller *caller, const Resource *resource, const Field *field, RuleAction action) {
  static const char *const actions[RULE_COUNT] = {"read", "create", "update", "delete"};
  if (!caller->is_authenticated) {
    Problem *problem = problem_new(arena, CODE_UNAUTHENTICATED, STR("this needs a token that is allowed to do it"));
    if (problem == NULL) return problem_create(arena, CODE_UNAVAILABLE, (Str){0});
    problem->hint = STR("send `Authorization: Bearer TOKEN`");
    return problem;
  }
  Str rule = field == NULL ? arena_printf(arena, "%.*s.%s", STR_ARGS(resource->name), actions[action])
                           : arena_printf(arena, "%.*s.%.*s.%s", STR_ARGS(resource->name), STR_ARGS(field->name), actions[action]);
  Str detail = arena_printf(arena, "the rule %.*s does not allow this", STR_ARGS(rule));
  Problem *problem = rule.ptr == NULL || detail.ptr == NULL ? NULL : problem_new(arena, CODE_FORBIDDEN, detail);
  if (problem == NULL) return problem_create(arena, CODE_UNAVAILABLE, (Str){0});
  problem->rule = rule;
  return problem;
}
