/* graphql_validate_merge.c - fields that share a response name must ask the same of the same (§5.3.2). Runs on documents that are valid but
 * for this: types are known and no fragment contains itself. What a hostile document could make of it is bounded by a count. */
#include "api/graphql_validate.h"

enum { COMPARISONS_MAX = 100000 };

typedef struct Seen {
  Str name;
  const GraphqlType *parent;
  const GraphqlField *field;
  const GraphqlNode *node;
} Seen;

typedef struct SeenList {
  VEC(Seen) list;
  VEC(const GraphqlFragment *) visited;
} SeenList;

static void gather(GraphqlValidator *validator, const GraphqlType *type, const GraphqlSelections *selections, SeenList *ret) {
  for (size_t i = 0; i < selections->count && !validator->mistakes->has_no_memory; i++) {
    const GraphqlNode *node = &selections->items[i];
    if (node->kind == GRAPHQL_FIELD) {
      Seen seen = {.name = node->alias.len > 0 ? node->alias : node->name, .parent = type, .node = node};
      seen.field = graphql_field(validator->schema, type, node->name);
      if (seen.field != NULL && !VEC_PUSH(validator->arena, &ret->list, seen)) validator->mistakes->has_no_memory = true;
    } else if (node->kind == GRAPHQL_INLINE) {
      gather(validator, node->condition.len > 0 ? graphql_type(validator->schema, node->condition) : type, &node->selections, ret);
    } else {
      const GraphqlFragment *fragment = graphql_fragment(validator->document, node->name);
      bool is_visited = false;
      for (size_t k = 0; k < ret->visited.count; k++) is_visited = is_visited || ret->visited.items[k] == fragment;
      if (is_visited) continue;
      if (!VEC_PUSH(validator->arena, &ret->visited, fragment)) validator->mistakes->has_no_memory = true;
      gather(validator, graphql_type(validator->schema, fragment->condition), &fragment->selections, ret);
    }
  }
}

/* ---- equal arguments ---- */

static bool values_equal(const GraphqlValue *a, const GraphqlValue *b);

static bool members_equal(const GraphqlArgument *a, size_t a_count, const GraphqlArgument *b, size_t b_count) {
  if (a_count != b_count) return false;
  for (size_t i = 0; i < a_count; i++) {
    bool is_found = false;
    for (size_t k = 0; k < b_count; k++) {
      if (str_equal(a[i].name, b[k].name)) is_found = values_equal(&a[i].value, &b[k].value);
    }
    if (!is_found) return false;
  }
  return true;
}

static bool values_equal(const GraphqlValue *a, const GraphqlValue *b) {
  if (a->kind != b->kind || a->count != b->count) return false;
  if (a->kind == GRAPHQL_OBJECT) return members_equal(a->members, a->count, b->members, b->count);
  if (a->kind != GRAPHQL_LIST) return str_equal(a->text, b->text);
  for (size_t i = 0; i < a->count; i++) {
    if (!values_equal(&a->items[i], &b->items[i])) return false;
  }
  return true;
}

/* ---- pairs ---- */

static void conflict(GraphqlValidator *validator, const Seen *a, const Seen *b, const char *why) {
  GraphqlPlace places[] = {a->node->place, b->node->place};
  graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, 2,
                  "The fields named \"%.*s\" can't be merged: %s; give one of them an alias", STR_ARGS(a->name), why);
}

static bool count_comparison(GraphqlValidator *validator, const Seen *at) {
  if (++validator->comparisons <= COMPARISONS_MAX) return true;
  if (validator->comparisons == COMPARISONS_MAX + 1)
    graphql_mistake(validator->mistakes, CODE_TOO_LARGE, &at->node->place, 1, "The document names the same fields too many times");
  return false;
}

static bool have_same_shape(GraphqlRef a, GraphqlRef b) {
  if (a.depth != b.depth || a.required != b.required) return false;
  bool is_leaf = !graphql_is_composite(a.type) || !graphql_is_composite(b.type);
  return !is_leaf || a.type == b.type;
}

/* `is_exclusive`: the two can't be of one object, as one of its ancestors is of one type only. */
static bool check_pair(GraphqlValidator *validator, const Seen *a, const Seen *b, bool is_exclusive);

static bool check_below(GraphqlValidator *validator, const Seen *a, const Seen *b, bool is_exclusive) {
  SeenList first = {0}, second = {0};
  if (!graphql_is_composite(a->field->type.type) || !graphql_is_composite(b->field->type.type)) return true;
  gather(validator, a->field->type.type, &a->node->selections, &first);
  gather(validator, b->field->type.type, &b->node->selections, &second);
  for (size_t i = 0; i < first.list.count; i++) {
    for (size_t k = 0; k < second.list.count; k++) {
      if (!str_equal(first.list.items[i].name, second.list.items[k].name)) continue;
      if (!check_pair(validator, &first.list.items[i], &second.list.items[k], is_exclusive)) return false;
    }
  }
  return true;
}

static bool check_pair(GraphqlValidator *validator, const Seen *a, const Seen *b, bool is_exclusive) {
  if (a->node == b->node || !count_comparison(validator, a)) return validator->comparisons <= COMPARISONS_MAX;
  bool is_apart =
      is_exclusive || (a->parent != b->parent && a->parent->kind == GRAPHQL_OBJECT_TYPE && b->parent->kind == GRAPHQL_OBJECT_TYPE);
  if (!is_apart && !str_equal(a->node->name, b->node->name)) return conflict(validator, a, b, "they are different fields"), false;
  const GraphqlArguments *left = &a->node->arguments, *right = &b->node->arguments;
  if (!is_apart && !members_equal(left->items, left->count, right->items, right->count))
    return conflict(validator, a, b, "their arguments differ"), false;
  if (!have_same_shape(a->field->type, b->field->type)) return conflict(validator, a, b, "their types differ"), false;
  return check_below(validator, a, b, is_apart);
}

static void check_set(GraphqlValidator *validator, const SeenList *seen) {
  for (size_t i = 0; i < seen->list.count; i++) {
    for (size_t k = i + 1; k < seen->list.count; k++) {
      if (!str_equal(seen->list.items[i].name, seen->list.items[k].name)) continue;
      if (!check_pair(validator, &seen->list.items[i], &seen->list.items[k], false)) return;
    }
  }
}

static void check_nested(GraphqlValidator *validator, const GraphqlType *type, const GraphqlSelections *selections) {
  for (size_t i = 0; i < selections->count && !validator->mistakes->has_no_memory; i++) {
    const GraphqlNode *node = &selections->items[i];
    if (node->kind == GRAPHQL_INLINE) {
      check_nested(validator, node->condition.len > 0 ? graphql_type(validator->schema, node->condition) : type, &node->selections);
    } else if (node->kind == GRAPHQL_FIELD && node->selections.count > 0) {
      const GraphqlField *field = graphql_field(validator->schema, type, node->name);
      if (field != NULL) graphql_validate_merge(validator, field->type.type, &node->selections);
    }
  }
}

void graphql_validate_merge(GraphqlValidator *validator, const GraphqlType *type, const GraphqlSelections *selections) {
  SeenList seen = {0};
  if (validator->mistakes->has_no_memory || validator->comparisons > COMPARISONS_MAX) return;
  gather(validator, type, selections, &seen);
  check_set(validator, &seen);
  check_nested(validator, type, selections);
}
