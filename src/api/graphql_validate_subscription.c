/* graphql_validate_subscription.c - a subscription asks for one field, which is none of introspection's (§5.2.3.1). Which fields there are
 * is known before any variable is: what depends on one can't stand there (2025 edition). Runs on documents with other mistakes too. */
#include "api/graphql_validate.h"

typedef struct Roots {
  GraphqlValidator *validator;
  const GraphqlType *type;
  GraphqlGroups groups;
  bool *is_seen; /* by part */
  bool is_stopped;
} Roots;

static const GraphqlDirective *directive_of(const GraphqlDirectives *directives, Str name) {
  for (size_t i = 0; i < directives->count; i++) {
    if (str_equal(directives->items[i].name, name)) return &directives->items[i];
  }
  return NULL;
}

/* What the directive says; `fallback`: without one. A condition that is none is another rule's matter. */
static bool says(Roots *roots, const GraphqlDirectives *directives, Str name, bool fallback) {
  const GraphqlDirective *directive = directive_of(directives, name);
  const GraphqlValue *value = NULL;
  if (directive == NULL) return fallback;
  for (size_t i = 0; i < directive->arguments.count; i++) {
    if (str_equal(directive->arguments.items[i].name, STR("if"))) value = &directive->arguments.items[i].value;
  }
  if (value != NULL && value->kind == GRAPHQL_BOOLEAN) return str_equal(value->text, STR("true"));
  roots->is_stopped = true;
  if (value != NULL && value->kind == GRAPHQL_VARIABLE)
    graphql_mistake_at(roots->validator->mistakes, value->place,
                       "A subscription must ask for one field: which one can't depend on the variable \"$%.*s\"", STR_ARGS(value->text));
  return fallback;
}

static bool is_included(Roots *roots, const GraphqlDirectives *directives) {
  if (says(roots, directives, STR("skip"), false)) return false;
  return !roots->is_stopped && says(roots, directives, STR("include"), true) && !roots->is_stopped;
}

static bool applies(const Roots *roots, Str condition) {
  if (condition.len == 0) return true;
  const GraphqlType *type = graphql_type(roots->validator->schema, condition);
  return type == roots->type;
}

static void stop_without_memory(Roots *roots) {
  roots->validator->mistakes->has_no_memory = true;
  roots->is_stopped = true;
}

static void add_field(Roots *roots, const GraphqlNode *node) {
  Arena *arena = roots->validator->arena;
  Str name = node->alias.len > 0 ? node->alias : node->name;
  for (size_t i = 0; i < roots->groups.list.count; i++) {
    GraphqlGroup *group = &roots->groups.list.items[i];
    if (!str_equal(group->name, name)) continue;
    if (!VEC_PUSH(arena, &group->nodes, node)) stop_without_memory(roots);
    return;
  }
  GraphqlGroup group = {.name = name};
  if (!VEC_PUSH(arena, &group.nodes, node) || !VEC_PUSH(arena, &roots->groups.list, group)) stop_without_memory(roots);
}

static void gather(Roots *roots, const GraphqlSelections *selections) {
  for (size_t i = 0; i < selections->count && !roots->is_stopped; i++) {
    const GraphqlNode *node = &selections->items[i];
    const GraphqlPart *part = node->kind == GRAPHQL_SPREAD ? graphql_part_of(roots->validator, node->name) : NULL;
    bool *is_seen = part == NULL ? NULL : &roots->is_seen[part - roots->validator->parts];
    if ((is_seen != NULL && *is_seen) || !is_included(roots, &node->directives)) continue;
    if (is_seen != NULL) *is_seen = true;
    if (node->kind == GRAPHQL_FIELD) add_field(roots, node);
    if (node->kind == GRAPHQL_INLINE && applies(roots, node->condition)) gather(roots, &node->selections);
    if (part != NULL && applies(roots, part->fragment->condition)) gather(roots, &part->fragment->selections);
  }
}

static void tell(Roots *roots, const GraphqlGroup *groups, size_t count, const char *what) {
  GraphqlPlace places[GRAPHQL_PLACES_MAX];
  size_t place_count = 0;
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < groups[i].nodes.count && place_count < GRAPHQL_PLACES_MAX; k++)
      places[place_count++] = groups[i].nodes.items[k]->place;
  }
  graphql_mistake(roots->validator->mistakes, CODE_BAD_REQUEST, places, place_count, "A subscription must ask for one field: %s", what);
}

void graphql_validate_single_root(GraphqlValidator *validator, const GraphqlOperation *operation) {
  Roots roots = {.validator = validator, .type = validator->schema->subscription};
  if (operation->kind != GRAPHQL_SUBSCRIPTION || roots.type == NULL) return;
  roots.is_seen = ARENA_ARRAY(validator->arena, bool, validator->part_count + 1);
  if (roots.is_seen == NULL)
    stop_without_memory(&roots);
  else
    gather(&roots, &operation->selections);
  if (roots.is_stopped) return;
  const GraphqlGroup *groups = roots.groups.list.items;
  size_t count = roots.groups.list.count;
  if (count > 1) tell(&roots, groups + 1, count - 1, "these are too many");
  for (size_t i = 0; i < count; i++) {
    if (str_starts_with(groups[i].nodes.items[0]->name, STR("__"))) tell(&roots, &groups[i], 1, "introspection is none of its own");
  }
}
