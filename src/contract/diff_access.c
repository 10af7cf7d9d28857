/* diff_access.c - who may do what. What can't be shown to be narrower counts as wider: a reader of the difference must look at it. */
#include "contract/diff_impl.h"

static const char *const actions[RULE_COUNT] = {"read", "create", "update", "delete"};

typedef struct RuleChange {
  const Expr *old, *new; /* never NULL */
  const char *unset;     /* what no rule means */
  bool had, has;         /* a rule was given */
} RuleChange;

static Str rule_shown(Differ *differ, const Expr *rule, bool is_given, const char *unset) {
  if (!is_given) return str_of(unset);
  Str text = diff_rule_text(rule, differ->arena);
  if (text.ptr == NULL) differ->has_no_memory = true;
  return diff_printf(differ, "\"%.*s\"", STR_ARGS(text));
}

static void compare_rule(Differ *differ, const RuleChange *rule, Str subject, DiffPlaces places) {
  RuleOrder order = diff_rule_order(rule->old, rule->new, differ->arena, &differ->has_no_memory);
  if (order == RULES_EQUAL) return;
  Str was = rule_shown(differ, rule->old, rule->had, rule->unset), is = rule_shown(differ, rule->new, rule->has, rule->unset);
  if (order == RULE_NARROWER)
    diff_add(differ, DIFF_ACCESS_NARROWED, "rule-narrowed", subject, places, "was %.*s, is %.*s", STR_ARGS(was), STR_ARGS(is));
  else if (order == RULE_WIDER)
    diff_add(differ, DIFF_ACCESS_WIDENED, "rule-widened", subject, places, "was %.*s, is %.*s", STR_ARGS(was), STR_ARGS(is));
  else
    diff_add(differ, DIFF_ACCESS_WIDENED, "rule-changed", subject, places, "access changed, may widen: was %.*s, is %.*s", STR_ARGS(was),
             STR_ARGS(is));
}

static SourcePlace rule_place(const Resource *resource, RuleAction action) {
  return resource->access_place[action].line != 0 ? resource->access_place[action] : resource->place;
}

/* On a type no rule refuses. */
void diff_type_access(Differ *differ, const Resource *old, const Resource *new) {
  for (RuleAction action = RULE_READ; action < RULE_COUNT; action++) {
    RuleChange rule = {.old = old->access[action], .new = new->access[action], .unset = "refused"};
    rule.had = rule.old != NULL;
    rule.has = rule.new != NULL;
    if (!rule.had) rule.old = expr_bool(false);
    if (!rule.has) rule.new = expr_bool(false);
    compare_rule(differ, &rule, diff_subject(differ, new->name, str_of(actions[action])),
                 (DiffPlaces){rule_place(old, action), rule_place(new, action)});
  }
}

/* On a field no rule adds nothing to the type's. */
void diff_field_access(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  if (old->rule_place.line != 0) places.old = old->rule_place;
  if (new->rule_place.line != 0) places.new = new->rule_place;
  for (RuleAction action = RULE_READ; action < RULE_DELETE; action++) {
    RuleChange rule = {.old = old->access[action], .new = new->access[action], .unset = "the type's rule"};
    rule.had = rule.old != NULL;
    rule.has = rule.new != NULL;
    if (!rule.had) rule.old = expr_bool(true);
    if (!rule.has) rule.new = expr_bool(true);
    compare_rule(differ, &rule, diff_subject(differ, subject, str_of(actions[action])), places);
  }
}
