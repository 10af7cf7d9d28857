/* graphql_where.c - `where:`, `filter:` and `orderBy:` as the rule language's trees and the waist's order: the same as REST's parameters
 * make. */
#include <assert.h>

#include "api/graphql_run.h"
#include "api/rest_decode.h"

enum { WHERE_CONDITIONS_MAX = 100, IN_ITEMS_MAX = 1000 };

typedef struct Where {
  GraphqlRun *run;
  GraphqlPlace place;
  size_t condition_count;
} Where;

static bool refuse(Where *where, const char *what, Str name) {
  graphql_mistake_at(where->run->mistakes, where->place, "where: \"%.*s\" %s", STR_ARGS(name), what);
  return false;
}

static void *copied(Arena *arena, const void *items, size_t bytes) {
  void *copy = arena_alloc(arena, bytes);
  if (copy != NULL && bytes > 0) memcpy(copy, items, bytes);
  return copy;
}

ExprPath graphql_target_path(const GraphqlTarget *target) {
  const GraphqlScope *scope = &target->scope;
  return (ExprPath){.root = scope->root,
                    .resource = scope->resource,
                    .hops = scope->hops,
                    .hop_count = scope->hop_count,
                    .field = target->field,
                    .members = target->members,
                    .member_count = target->member_count};
}

static bool path_of(GraphqlRun *run, const GraphqlTarget *target, ExprPath *ret) {
  *ret = graphql_target_path(target);
  ret->hops = copied(run->arena, ret->hops, ret->hop_count * sizeof *ret->hops);
  ret->members = copied(run->arena, ret->members, ret->member_count * sizeof *ret->members);
  return (ret->hops != NULL && ret->members != NULL) || graphql_no_memory(run);
}

bool graphql_target_step(GraphqlTarget *target, const Field *field) {
  if (target->field != NULL) {
    if (target->member_count == GRAPHQL_MEMBERS_MAX) return false;
    target->members[target->member_count++] = field;
  } else if (field->kind == FIELD_STORED) {
    target->field = field;
  } else {
    if (target->scope.hop_count == GRAPHQL_HOPS_MAX) return false;
    target->scope.hops[target->scope.hop_count++] = field->relation;
  }
  return true;
}

static bool conjoin(Where *where, const Expr *condition, const Expr **all) {
  const Expr *both = condition == NULL ? NULL : expr_and(where->run->arena, *all, condition);
  if (both == NULL) return graphql_no_memory(where->run);
  *all = both;
  return true;
}

/* ---- scalars ---- */

static Str json_text(const JsonValue *json) {
  if (json->type == JSON_BOOL) return json->boolean ? STR("true") : STR("false");
  return json->text;
}

bool graphql_scalar(GraphqlRun *run, const Field *field, const JsonValue *json, Value *ret) {
  Str expected;
  Code code = rest_value_parse(field, json_text(json), run->arena, ret, &expected);
  if (code == CODE_UNAVAILABLE) run->mistakes->has_no_memory = true;
  return code == CODE_OK;
}

static bool value_of(Where *where, const Field *field, const JsonValue *json, Value *ret) {
  return graphql_scalar(where->run, field, json, ret) || refuse(where, "is compared with what is no value of its type", field->name);
}

static const struct {
  Str name;
  ExprKind kind;
} ops[] = {
    {STR_INIT("eq"), EXPR_EQ},
    {STR_INIT("ne"), EXPR_NE},
    {STR_INIT("gt"), EXPR_GT},
    {STR_INIT("gte"), EXPR_GE},
    {STR_INIT("lt"), EXPR_LT},
    {STR_INIT("lte"), EXPR_LE},
    {STR_INIT("in"), EXPR_IN},
    {STR_INIT("contains"), EXPR_CONTAINS},
    {STR_INIT("startsWith"), EXPR_STARTS_WITH},
    {STR_INIT("endsWith"), EXPR_ENDS_WITH},
};

ExprKind graphql_operator(Str name) {
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
    if (str_equal(ops[i].name, name)) return ops[i].kind;
  }
  return EXPR_EQ;
}

static const Field *last_field(const GraphqlTarget *target) {
  return target->member_count > 0 ? target->members[target->member_count - 1] : target->field;
}

static const Expr *null_test(Where *where, const Expr *path, bool is_null) {
  Arena *arena = where->run->arena;
  const Expr *literal = expr_literal(arena, value_null());
  return literal == NULL ? NULL : expr_compare(arena, is_null ? EXPR_EQ : EXPR_NE, path, literal);
}

static bool in_test(Where *where, const Field *field, const Expr *path, const JsonValue *json, const Expr **ret) {
  Arena *arena = where->run->arena;
  if (json->count > IN_ITEMS_MAX) return refuse(where, "has more than 1000 values", field->name);
  Value *items = ARENA_ARRAY(arena, Value, json->count);
  if (items == NULL) return graphql_no_memory(where->run);
  for (size_t i = 0; i < json->count; i++) {
    if (!value_of(where, field, &json->items[i], &items[i])) return false;
  }
  const Expr *list = expr_literal(arena, (Value){.type = VALUE_LIST, .list = {items, json->count}});
  *ret = list == NULL ? NULL : expr_compare(arena, EXPR_IN, path, list);
  return true;
}

/* A part of a text need not be a whole value; an item of a list is one. */
static bool text_test(Where *where, const Field *field, ExprKind kind, const Expr *path, const JsonValue *json, const Expr **ret) {
  Arena *arena = where->run->arena;
  Value value = value_text(json->text);
  if (field->is_list && !value_of(where, field, json, &value)) return false;
  const Expr *literal = expr_literal(arena, value);
  if (literal == NULL) return graphql_no_memory(where->run);
  if (field->is_list) {
    *ret = expr_compare(arena, EXPR_IN, literal, path);
    return true;
  }
  const Expr **args = ARENA_ARRAY(arena, const Expr *, 2);
  if (args == NULL) return graphql_no_memory(where->run);
  args[0] = path;
  args[1] = literal;
  *ret = expr_call(arena, kind, args, 2);
  return true;
}

static bool operator_test(Where *where, const GraphqlTarget *target, const Expr *path, const JsonMember *member, const Expr **ret) {
  const Field *field = last_field(target);
  const JsonValue *json = &member->value;
  if (str_equal(member->name, STR("isNull"))) {
    *ret = null_test(where, path, json->type == JSON_BOOL && json->boolean);
    return true;
  }
  ExprKind kind = graphql_operator(member->name);
  if (json->type == JSON_NULL) {
    if (kind != EXPR_EQ && kind != EXPR_NE) return refuse(where, "must not be compared with null by this operator", member->name);
    *ret = null_test(where, path, kind == EXPR_EQ);
    return true;
  }
  if (kind == EXPR_IN) return in_test(where, field, path, json, ret);
  if (kind == EXPR_CONTAINS || kind == EXPR_STARTS_WITH || kind == EXPR_ENDS_WITH) return text_test(where, field, kind, path, json, ret);
  Value value;
  if (!value_of(where, field, json, &value)) return false;
  const Expr *literal = expr_literal(where->run->arena, rest_value_stored(field, value));
  *ret = literal == NULL ? NULL : expr_compare(where->run->arena, kind, path, literal);
  return true;
}

static bool members_test(Where *where, const GraphqlTarget *target, const JsonValue *json, const Expr **all);

static bool field_test(Where *where, const GraphqlTarget *target, const JsonValue *json, const Expr **all) {
  const Field *field = last_field(target);
  ExprPath path;
  if (json->type == JSON_OBJECT && field->kind == FIELD_STORED && field->type == TYPE_EMBEDDED && !field->is_list)
    return members_test(where, target, json, all);
  if (!path_of(where->run, target, &path)) return false;
  const Expr *expr = expr_path(where->run->arena, &path);
  if (expr == NULL) return graphql_no_memory(where->run);
  if (json->type == JSON_NULL) return conjoin(where, null_test(where, expr, true), all);
  for (size_t i = 0; i < json->count; i++) {
    const Expr *condition = NULL;
    if (++where->condition_count > WHERE_CONDITIONS_MAX) return refuse(where, "is one condition too many (100)", field->name);
    if (str_equal(json->members[i].name, STR("isNull")) && json->members[i].value.type == JSON_NULL) continue;
    if (!operator_test(where, target, expr, &json->members[i], &condition) || !conjoin(where, condition, all)) return false;
  }
  return true;
}

/* Of an embedded object. */
static bool members_test(Where *where, const GraphqlTarget *target, const JsonValue *json, const Expr **all) {
  const Embedded *embedded = last_field(target)->embedded;
  for (size_t i = 0; i < json->count; i++) {
    const Field *member = map_get(&embedded->field_by_name, json->members[i].name);
    if (member == NULL) { /* isNull: of the object itself */
      ExprPath path;
      const Expr *expr = path_of(where->run, target, &path) ? expr_path(where->run->arena, &path) : NULL;
      if (expr == NULL) return graphql_no_memory(where->run);
      const JsonValue *is_null = &json->members[i].value;
      if (is_null->type == JSON_BOOL && !conjoin(where, null_test(where, expr, is_null->boolean), all)) return false;
      continue;
    }
    if (target->member_count == GRAPHQL_MEMBERS_MAX) return refuse(where, "is nested too deep", member->name);
    GraphqlTarget inner = *target;
    inner.members[inner.member_count++] = member;
    if (!field_test(where, &inner, &json->members[i].value, all)) return false;
  }
  return true;
}

/* ---- rows ---- */

static bool where_of(Where *where, const GraphqlScope *scope, const Resource *resource, const JsonValue *json, const Expr **ret);

static bool list_test(Where *where, const GraphqlTarget *target, const JsonValue *json, const Expr **all) {
  Arena *arena = where->run->arena;
  const Resource *other = target->field->relation->source;
  if (json->type != JSON_OBJECT) return true;
  for (size_t i = 0; i < json->count; i++) {
    const JsonMember *member = &json->members[i];
    if (member->value.type == JSON_NULL) continue;
    if (target->scope.depth == EXPR_BINDINGS_MAX) return refuse(where, "is nested too deep", member->name);
    GraphqlScope inner = {.root = EXPR_ROOT_BOUND + target->scope.depth, .depth = target->scope.depth + 1, .resource = other};
    const Expr *body = NULL;
    ExprPath path;
    if (!where_of(where, &inner, other, &member->value, &body) || !path_of(where->run, target, &path)) return false;
    if (body == NULL) body = expr_bool(true);
    bool is_every = str_equal(member->name, STR("every"));
    const Expr *condition = expr_exists(arena, is_every ? EXPR_ALL : EXPR_EXISTS, &path, body, target->scope.depth);
    if (condition != NULL && str_equal(member->name, STR("none"))) condition = expr_not(arena, condition);
    if (!conjoin(where, condition, all)) return false;
  }
  return true;
}

static bool to_one_test(Where *where, const GraphqlTarget *target, const JsonValue *json, const Expr **all) {
  if (json->type == JSON_NULL) return field_test(where, target, json, all);
  GraphqlScope inner = target->scope;
  if (inner.hop_count == sizeof inner.hops / sizeof *inner.hops) return refuse(where, "is one relation too many", target->field->name);
  inner.hops[inner.hop_count++] = target->field->relation;
  const Expr *condition = NULL;
  if (!where_of(where, &inner, target->field->relation->target, json, &condition)) return false;
  return condition == NULL || conjoin(where, condition, all);
}

/* and, or, not. `or: []` holds for nothing. */
static bool connective_test(Where *where, const GraphqlScope *scope, const Resource *resource, const JsonMember *member, const Expr **all) {
  const JsonValue *json = &member->value;
  Arena *arena = where->run->arena;
  const Expr *condition = NULL;
  if (json->type == JSON_NULL) return true;
  if (json->type == JSON_OBJECT) { /* not */
    if (!where_of(where, scope, resource, json, &condition)) return false;
    return conjoin(where, condition == NULL ? expr_bool(false) : expr_not(arena, condition), all);
  }
  bool is_or = str_equal(member->name, STR("or"));
  if (is_or && json->count == 0) return conjoin(where, expr_bool(false), all);
  for (size_t i = 0; i < json->count; i++) {
    const Expr *one = NULL;
    if (!where_of(where, scope, resource, &json->items[i], &one)) return false;
    if (one == NULL) one = expr_bool(true);
    condition = is_or ? expr_or(arena, condition, one) : expr_and(arena, condition, one);
    if (condition == NULL) return graphql_no_memory(where->run);
  }
  return condition == NULL || conjoin(where, condition, all);
}

/* *ret stays NULL where there is no condition. */
static bool where_of(Where *where, const GraphqlScope *scope, const Resource *resource, const JsonValue *json, const Expr **ret) {
  const Expr *all = NULL;
  for (size_t i = 0; i < json->count; i++) {
    const JsonMember *member = &json->members[i];
    const Field *field = resource_field(resource, member->name);
    GraphqlTarget target = {.scope = *scope, .field = field};
    bool is_good;
    if (++where->condition_count > WHERE_CONDITIONS_MAX) return refuse(where, "is one condition too many (100)", member->name);
    if (field == NULL)
      is_good = connective_test(where, scope, resource, member, &all);
    else if (field->kind == FIELD_STORED)
      is_good = field_test(where, &target, &member->value, &all);
    else if (field->kind == FIELD_TO_ONE)
      is_good = to_one_test(where, &target, &member->value, &all);
    else
      is_good = list_test(where, &target, &member->value, &all);
    if (!is_good) return false;
  }
  *ret = all;
  return true;
}

bool graphql_where(GraphqlRun *run, GraphqlPlace place, const Resource *resource, const JsonValue *json, const Expr **ret) {
  Where where = {.run = run, .place = place};
  GraphqlScope scope = {.root = EXPR_ROOT_ROW, .resource = resource};
  return where_of(&where, &scope, resource, json, ret);
}

bool graphql_filter(GraphqlRun *run, GraphqlPlace place, const Resource *resource, const JsonValue *json, const Expr **ret) {
  ExprLimits limits = {.bytes_max = run->api->limits.filter_bytes_max, .nodes_max = EXPR_FILTER_NODES_MAX, .depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  Error err = {0};
  Code code = expr_parse(json->text, resource, EXPR_USE_FILTER, NULL, &limits, run->arena, ret, mistakes, &count, &err);
  if (code == CODE_OK) return true;
  if (code == CODE_UNAVAILABLE) return graphql_no_memory(run);
  GraphqlMistake *mistake = graphql_mistake_at(run->mistakes, place, "filter: %s", count > 0 ? mistakes[0].message : err.text);
  bool has_hint = count > 0 && run->limits->has_introspection;
  if (has_hint) graphql_mistake_hint(run->mistakes, mistake, str_of(mistakes[0].hint));
  return false;
}

/* ---- order ---- */

bool graphql_named_path(GraphqlRun *run, GraphqlPlace place, const char *what, const Resource *resource, const JsonValue *json,
                        ExprPath *ret, const JsonValue **ret_leaf) {
  GraphqlTarget target = {.scope = {.root = EXPR_ROOT_ROW, .resource = resource}};
  const Embedded *embedded = NULL;
  while (json->count == 1) {
    const JsonMember *member = &json->members[0];
    const Field *field = embedded != NULL ? map_get(&embedded->field_by_name, member->name) : resource_field(resource, member->name);
    if (!graphql_target_step(&target, field)) break;
    if (member->value.type != JSON_OBJECT) {
      *ret_leaf = &member->value;
      return path_of(run, &target, ret);
    }
    if (field->kind == FIELD_STORED)
      embedded = field->embedded;
    else
      resource = field->relation->target;
    json = &member->value;
  }
  graphql_mistake_at(run->mistakes, place, "%s: one field must be named, through at most %d relations and %d objects", what,
                     GRAPHQL_HOPS_MAX, GRAPHQL_MEMBERS_MAX);
  return false;
}

bool graphql_order(GraphqlRun *run, GraphqlPlace place, const Resource *resource, const JsonValue *json, ListQuery *list) {
  if (json->count > ORDER_TERMS_MAX) {
    graphql_mistake_at(run->mistakes, place, "orderBy: at most %d fields", ORDER_TERMS_MAX);
    return false;
  }
  OrderTerm *terms = ARENA_ARRAY(run->arena, OrderTerm, json->count);
  if (terms == NULL) return graphql_no_memory(run);
  for (size_t i = 0; i < json->count; i++) {
    const JsonValue *leaf = NULL;
    if (!graphql_named_path(run, place, "orderBy", resource, &json->items[i], &terms[i].path, &leaf)) return false;
    assert(terms[i].path.field != NULL && "a path ends in a field");
    terms[i].is_descending = graphql_is_descending(leaf);
    for (size_t k = 0; k < i; k++) {
      if (!expr_path_equal(&terms[i].path, &terms[k].path)) continue;
      graphql_mistake_at(run->mistakes, place, "orderBy: \"%.*s\" is named twice", STR_ARGS(terms[i].path.field->name));
      return false;
    }
  }
  list->order = terms;
  list->order_count = json->count;
  return true;
}
