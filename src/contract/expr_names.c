/* expr_names.c - what a name, or a row of names behind one another, stands for: a path to a field, a bound item, the caller. */
#include "contract/expr_check.h"

enum { NAMES_MAX = 32 };

typedef VEC(const Relation *) Hops;
typedef VEC(const Field *) Members;

static bool is_visible(const Checker *checker, const Field *field) { return !(field->is_hidden && checker->use == EXPR_USE_FILTER); }

static const Expr *unknown_field(Checker *checker, const Syntax *name, Str owner, const Field *const *fields, size_t count) {
  ExprNearest nearest = {.name = name->text};
  for (size_t i = 0; i < count; i++) {
    if (is_visible(checker, fields[i])) expr_nearest_offer(&nearest, fields[i]->name);
  }
  char hint[120];
  expr_nearest_hint(&nearest, hint);
  expr_report(checker->report, name->name_begin, name->name_end, hint, "%.*s has no field \"%.*s\"", STR_ARGS(owner), STR_ARGS(name->text));
  return NULL;
}

static const Field *other_name(const Checker *checker, const Resource *resource, const Embedded *embedded, Str name) {
  return checker->names == NULL ? NULL : checker->names->find(checker->names->context, resource, embedded, name);
}

static const Field *field_named(const Checker *checker, const Resource *resource, Str name) {
  const Field *field = resource_field(resource, name);
  return field != NULL ? field : other_name(checker, resource, NULL, name);
}

static const Field *find_field(Checker *checker, const Resource *resource, const Syntax *name) {
  const Field *field = field_named(checker, resource, name->text);
  if (field != NULL && is_visible(checker, field)) return field;
  unknown_field(checker, name, resource->name, resource->fields, resource->field_count);
  return NULL;
}

/* names[0] … names[count - 1] are members of an embedded object, from outside in. */
static bool walk_members(Checker *checker, const Field *holder, const Syntax *const *names, size_t count, Members *members) {
  for (size_t i = 0; i < count; i++) {
    if (holder->is_list) {
      check_report(checker, names[i], "write list.exists(x, …) to look at its items", "\"%.*s\" is a list and has no fields",
                   STR_ARGS(holder->name));
      return false;
    }
    if (holder->type != TYPE_EMBEDDED) {
      Str type = field_type_name(holder);
      expr_report(checker->report, names[i]->name_begin, names[i]->name_end, "", "\"%.*s\" is of type %.*s and has no fields",
                  STR_ARGS(holder->name), STR_ARGS(type));
      return false;
    }
    const Embedded *embedded = holder->embedded;
    const Field *member = (const Field *)map_get(&embedded->field_by_name, names[i]->text);
    if (member == NULL) member = other_name(checker, NULL, embedded, names[i]->text);
    if (member == NULL) {
      unknown_field(checker, names[i], embedded->name, embedded->fields, embedded->field_count);
      return false;
    }
    if (!VEC_PUSH(checker->arena, members, member)) return (void)check_no_memory(checker), false;
    holder = member;
  }
  return true;
}

/* `author.id` is the row's own `authorId`, so that no row of the other side is needed. A client's filter keeps the hop: what it reaches may
 * be hidden. */
static void shorten(const Checker *checker, ExprPath *path) {
  if (checker->use == EXPR_USE_FILTER) return;
  while (path->hop_count > 0 && path->field != NULL && path->field->kind == FIELD_STORED && path->field->is_key) {
    const Relation *last = path->hops[path->hop_count - 1];
    size_t i = 0;
    while (i < last->key_count && last->target->keys[i] != path->field) i++;
    if (i == last->key_count) return;
    path->field = last->keys[i];
    path->hop_count--;
  }
}

static const Expr *path_node(Checker *checker, const Syntax *syntax, const ExprPath *path) {
  const Expr *made = expr_path(checker->arena, path);
  if (made == NULL) return check_no_memory(checker);
  Expr *node = (Expr *)made; /* just made */
  node->begin = syntax->begin;
  node->end = syntax->end;
  return node;
}

/* From a row: to-one relations, then a field, then members of an embedded object. */
static const Expr *walk_row(Checker *checker, const Syntax *syntax, uint32_t root, const Resource *resource, const Syntax *const *names,
                            size_t count) {
  ExprPath path = {.root = root, .resource = resource};
  Hops hops = {0};
  Members members = {0};
  for (size_t i = 0; i < count; i++) {
    const Field *field = find_field(checker, resource, names[i]);
    if (field == NULL) return NULL;
    bool is_last = i + 1 == count;
    if (field->kind == FIELD_TO_ONE && !is_last) {
      if (!VEC_PUSH(checker->arena, &hops, field->relation)) return check_no_memory(checker);
      resource = field->relation->target;
      continue;
    }
    if (field->kind == FIELD_TO_MANY && !is_last) {
      check_report(checker, names[i], "write list.exists(x, …) or list.all(x, …) to look at its rows",
                   "\"%.*s\" is a list of rows and has no fields of its own", STR_ARGS(field->name));
      return NULL;
    }
    path.field = field;
    if (!is_last && !walk_members(checker, field, names + i + 1, count - i - 1, &members)) return NULL;
    break;
  }
  path.hops = hops.items;
  path.hop_count = hops.count;
  path.members = members.items;
  path.member_count = members.count;
  shorten(checker, &path);
  return path_node(checker, syntax, &path);
}

static const Expr *walk_item(Checker *checker, const Syntax *syntax, const Binding *binding, const Syntax *const *names, size_t count) {
  Expr *node = check_new(checker, EXPR_VARIABLE, binding->item_type, syntax);
  if (node == NULL) return check_no_memory(checker);
  node->name = binding->name;
  node->depth = binding->depth;
  if (binding->item_field != NULL && binding->item_field->type == TYPE_ENUM) node->enum_type = binding->item_field->enum_type;
  if (count == 0) return expr_finish(node);
  if (binding->item_field == NULL) {
    check_report(checker, names[0], "", "\"%.*s\" has no fields", STR_ARGS(binding->name));
    return NULL;
  }
  Field *item = ARENA_NEW(checker->arena, Field);
  if (item == NULL) return check_no_memory(checker);
  *item = *binding->item_field;
  item->is_list = false;
  Members members = {0};
  if (!walk_members(checker, item, names, count, &members)) return NULL;
  node->path.members = members.items;
  node->path.member_count = members.count;
  const Field *end = members.items[members.count - 1];
  node->type = expr_type_of_path(&node->path, &node->item_type);
  node->enum_type = end->type == TYPE_ENUM ? end->enum_type : NULL;
  return expr_finish(node);
}

static const Expr *walk_auth(Checker *checker, const Syntax *syntax, const Syntax *const *names, size_t count) {
  static const char hint[] = "auth.id, auth.roles and auth.claims.NAME are known of the caller";
  if (count == 0) {
    check_report(checker, syntax, hint, "auth is no value of its own");
    return NULL;
  }
  Expr *node = NULL;
  if (count == 1 && str_equal(names[0]->text, STR("id"))) {
    node = check_new(checker, EXPR_AUTH_ID, EXPR_TYPE_STRING, syntax);
  } else if (count == 1 && str_equal(names[0]->text, STR("roles"))) {
    node = check_new(checker, EXPR_AUTH_ROLES, EXPR_TYPE_LIST, syntax);
    if (node != NULL) node->item_type = EXPR_TYPE_STRING;
  } else if (count == 2 && str_equal(names[0]->text, STR("claims"))) {
    node = check_new(checker, EXPR_AUTH_CLAIM, EXPR_TYPE_DYNAMIC, syntax);
    if (node != NULL) node->name = names[1]->text;
  } else {
    size_t at = count > 1 && (str_equal(names[0]->text, STR("id")) || str_equal(names[0]->text, STR("roles"))) ? 1 : count > 2 ? 2 : 0;
    expr_report(checker->report, names[at]->name_begin, names[at]->name_end, hint, "the caller has no \"%.*s\" here",
                STR_ARGS(names[at]->text));
    return NULL;
  }
  return node == NULL ? check_no_memory(checker) : expr_finish(node);
}

static const Expr *unknown_name(Checker *checker, const Syntax *name) {
  ExprNearest nearest = {.name = name->text};
  if (checker->resource != NULL) {
    for (size_t i = 0; i < checker->resource->field_count; i++) {
      if (is_visible(checker, checker->resource->fields[i])) expr_nearest_offer(&nearest, checker->resource->fields[i]->name);
    }
  }
  for (const Binding *binding = checker->bindings; binding != NULL; binding = binding->outer) expr_nearest_offer(&nearest, binding->name);
  expr_nearest_offer(&nearest, STR("auth"));
  if (checker->use == EXPR_USE_UPDATE) expr_nearest_offer(&nearest, STR("old"));
  char hint[120];
  expr_nearest_hint(&nearest, hint);
  if (checker->resource != NULL) {
    check_report(checker, name, hint, "%.*s has no field \"%.*s\"", STR_ARGS(checker->resource->name), STR_ARGS(name->text));
  } else {
    check_report(checker, name, hint, "\"%.*s\" is unknown: a default sees auth, now() and uuid(), and no row", STR_ARGS(name->text));
  }
  return NULL;
}

static const Expr *resolve(Checker *checker, const Syntax *syntax, const Syntax *base, const Syntax *const *names, size_t count) {
  for (const Binding *binding = checker->bindings; binding != NULL; binding = binding->outer) {
    if (!str_equal(binding->name, base->text)) continue;
    if (binding->resource == NULL) return walk_item(checker, syntax, binding, names, count);
    return walk_row(checker, syntax, EXPR_ROOT_BOUND + binding->depth, binding->resource, names, count);
  }
  const Field *field = checker->resource == NULL ? NULL : field_named(checker, checker->resource, base->text);
  bool is_field = field != NULL;
  bool is_own_field = is_field && checker->use == EXPR_USE_FILTER;
  if (str_equal(base->text, STR("auth")) && !is_own_field) return walk_auth(checker, syntax, names, count);
  if (str_equal(base->text, STR("old")) && checker->use == EXPR_USE_UPDATE)
    return walk_row(checker, syntax, EXPR_ROOT_OLD, checker->resource, names, count);
  if (str_equal(base->text, STR("old")) && !is_field) {
    check_report(checker, base, "", "old is known in update rules only");
    return NULL;
  }
  if (!is_field || !is_visible(checker, field)) return unknown_name(checker, base);
  const Syntax *all[NAMES_MAX + 1];
  all[0] = base;
  for (size_t i = 0; i < count; i++) all[i + 1] = names[i];
  return walk_row(checker, syntax, EXPR_ROOT_ROW, checker->resource, all, count + 1);
}

const Expr *check_path(Checker *checker, const Syntax *syntax) {
  const Syntax *names[NAMES_MAX];
  size_t count = 0;
  const Syntax *base = syntax;
  for (; base->kind == SYNTAX_MEMBER; base = base->args[0]) {
    if (count == NAMES_MAX) {
      check_report(checker, syntax, "", "a path has at most %d names", NAMES_MAX);
      return NULL;
    }
    names[count++] = base;
  }
  if (base->kind != SYNTAX_NAME) {
    expr_report(checker->report, syntax->name_begin, syntax->name_end, "",
                "only rows and embedded objects have fields: \"%.*s\" has nothing to belong to", STR_ARGS(syntax->text));
    return NULL;
  }
  for (size_t i = 0; i < count / 2; i++) {
    const Syntax *swapped = names[i];
    names[i] = names[count - 1 - i];
    names[count - 1 - i] = swapped;
  }
  return resolve(checker, syntax, base, names, count);
}
