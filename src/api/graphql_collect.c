/* graphql_collect.c - which fields of an object are asked for, under their response names, in the order in which they were first named. */
#include "api/graphql_run.h"

/* Of the schema's own types more: a large contract is told in one answer, whose size has a limit too. */
enum { COLLECTED_FIELDS_MAX = 10000, INTROSPECTED_FIELDS_MAX = 250000 };

typedef struct Collector {
  GraphqlRun *run;
  const GraphqlType *type;
  GraphqlGroups *groups;
  VEC(const GraphqlFragment *) visited;
} Collector;

/* @skip(if:) and @include(if:). Both must let it pass. */
static bool is_included(GraphqlRun *run, const GraphqlDirectives *directives) {
  for (size_t i = 0; i < directives->count; i++) {
    const GraphqlDirective *directive = &directives->items[i];
    bool is_skip = str_equal(directive->name, STR("skip"));
    if (!is_skip && !str_equal(directive->name, STR("include"))) continue;
    const GraphqlValue *value = directive->arguments.count > 0 ? &directive->arguments.items[0].value : NULL;
    if (value == NULL) continue;
    bool is_true = str_equal(value->text, STR("true"));
    if (value->kind == GRAPHQL_VARIABLE) {
      const JsonValue *variable = json_get(&run->variables, value->text);
      is_true = variable != NULL && variable->type == JSON_BOOL && variable->boolean;
    }
    if (is_true == is_skip) return false;
  }
  return true;
}

static bool add_field(Collector *collector, const GraphqlNode *node) {
  GraphqlRun *run = collector->run;
  Str name = node->alias.len > 0 ? node->alias : node->name;
  int max = collector->type->is_built_in ? INTROSPECTED_FIELDS_MAX : COLLECTED_FIELDS_MAX;
  if (++run->field_count > (size_t)max) {
    graphql_mistake(run->mistakes, CODE_TOO_LARGE, &node->place, 1, "The operation asks for more than %d fields", max);
    return false;
  }
  for (size_t i = 0; i < collector->groups->list.count; i++) {
    GraphqlGroup *group = &collector->groups->list.items[i];
    if (str_equal(group->name, name)) return VEC_PUSH(run->arena, &group->nodes, node) || graphql_no_memory(run);
  }
  GraphqlGroup group = {.name = name, .field = graphql_field(run->schema, collector->type, node->name)};
  if (!VEC_PUSH(run->arena, &group.nodes, node)) return graphql_no_memory(run);
  return VEC_PUSH(run->arena, &collector->groups->list, group) || graphql_no_memory(run);
}

static bool applies(const Collector *collector, Str condition) {
  if (condition.len == 0) return true;
  const GraphqlType *type = graphql_type(collector->run->schema, condition);
  return type == collector->type || graphql_is_possible(type, collector->type);
}

static bool collect(Collector *collector, const GraphqlSelections *selections);

static bool collect_fragment(Collector *collector, const GraphqlNode *node) {
  const GraphqlFragment *fragment = graphql_fragment(collector->run->document, node->name);
  for (size_t i = 0; i < collector->visited.count; i++) {
    if (collector->visited.items[i] == fragment) return true;
  }
  if (!VEC_PUSH(collector->run->arena, &collector->visited, fragment)) return graphql_no_memory(collector->run);
  return !applies(collector, fragment->condition) || collect(collector, &fragment->selections);
}

static bool collect(Collector *collector, const GraphqlSelections *selections) {
  for (size_t i = 0; i < selections->count; i++) {
    const GraphqlNode *node = &selections->items[i];
    if (!is_included(collector->run, &node->directives)) continue;
    bool is_good = true;
    if (node->kind == GRAPHQL_FIELD) is_good = add_field(collector, node);
    if (node->kind == GRAPHQL_SPREAD) is_good = collect_fragment(collector, node);
    if (node->kind == GRAPHQL_INLINE && applies(collector, node->condition)) is_good = collect(collector, &node->selections);
    if (!is_good) return false;
  }
  return true;
}

bool graphql_collect(GraphqlRun *run, const GraphqlType *type, const GraphqlSelections *selections, GraphqlGroups *ret) {
  Collector collector = {.run = run, .type = type, .groups = ret};
  return collect(&collector, selections);
}

bool graphql_collect_below(GraphqlRun *run, const GraphqlType *type, const GraphqlGroup *group, GraphqlGroups *ret) {
  Collector collector = {.run = run, .type = type, .groups = ret};
  for (size_t i = 0; i < group->nodes.count; i++) {
    if (!collect(&collector, &group->nodes.items[i]->selections)) return false;
  }
  return true;
}
