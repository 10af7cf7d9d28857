/* graphql_validate_merge.c - fields that share a response name must ask the same of the same (§5.3.2). The time grows with the document,
 * not with its pairs: fields of one name are held against the first of them, and what stands below them is merged into one set, which is
 * checked once however often it is reached. Runs on documents with other mistakes too: a type that is not known is NULL. */
#include "api/graphql_validate.h"

/* What a hostile document could make of fragments inside of fragments is bounded; one of 10,000 tokens can't be nested as deep by itself.
 */
enum { GATHERED_MAX = 50000, LEVELS_MAX = 1000 };

typedef struct Asked {
  const GraphqlNode *node;
  const GraphqlType *parent; /* NULL: not known, as the field then */
  const GraphqlField *field;
} Asked;

typedef struct AskedList {
  VEC(Asked) list;
} AskedList;

/* Fields of one response name, and all names of a set in the order in which they were first named. */
typedef struct AskedName {
  Str name;
  AskedList asked;
} AskedName;
typedef struct AskedSet {
  VEC(AskedName *) names;
  Map by_name;
} AskedSet;

typedef struct Merger {
  GraphqlValidator *validator;
  Arena *arena;
  Map checked[2]; /* sets below these fields, by the fields: for shapes, for sameness */
  size_t gathered, levels;
  uint32_t stamp; /* of the set being gathered, so that a fragment is taken once */
  bool is_stopped;
  VEC(Asked) told; /* pairs */
} Merger;

typedef enum MergeCheck { CHECK_SAMENESS = 0, CHECK_SHAPES } MergeCheck;

static void stop_without_memory(Merger *merger) {
  merger->validator->mistakes->has_no_memory = true;
  merger->is_stopped = true;
}

static void stop_too_large(Merger *merger, const GraphqlNode *node) {
  merger->is_stopped = true;
  if (graphql_is_refused(merger->validator->mistakes)) return;
  graphql_mistake(merger->validator->mistakes, CODE_TOO_LARGE, &node->place, 1, "The document names the same fields too many times");
}

/* ---- a set: all fields that a selection asks for, fragments opened ---- */

static const GraphqlType *composite(const Merger *merger, Str name) {
  const GraphqlType *type = graphql_type(merger->validator->schema, name);
  return type != NULL && graphql_is_composite(type) ? type : NULL;
}

static void add_asked(Merger *merger, const GraphqlType *type, const GraphqlNode *node, AskedSet *set) {
  Str name = node->alias.len > 0 ? node->alias : node->name;
  Asked asked = {.node = node, .parent = type};
  if (type != NULL) asked.field = graphql_field(merger->validator->schema, type, node->name);
  if (++merger->gathered > GATHERED_MAX) {
    stop_too_large(merger, node);
    return;
  }
  AskedName *named = map_get(&set->by_name, name);
  if (named == NULL) {
    named = ARENA_NEW(merger->arena, AskedName);
    if (named == NULL || !map_put(&set->by_name, name, named) || !VEC_PUSH(merger->arena, &set->names, named)) {
      stop_without_memory(merger);
      return;
    }
    named->name = name;
  }
  if (!VEC_PUSH(merger->arena, &named->asked.list, asked)) stop_without_memory(merger);
}

static void gather(Merger *merger, const GraphqlType *type, const GraphqlSelections *selections, AskedSet *set) {
  for (size_t i = 0; i < selections->count && !merger->is_stopped; i++) {
    const GraphqlNode *node = &selections->items[i];
    if (node->kind == GRAPHQL_FIELD) {
      add_asked(merger, type, node, set);
    } else if (node->kind == GRAPHQL_INLINE) {
      gather(merger, node->condition.len > 0 ? composite(merger, node->condition) : type, &node->selections, set);
    } else {
      GraphqlPart *part = graphql_part_of(merger->validator, node->name);
      if (part == NULL || part->stamp == merger->stamp) continue;
      part->stamp = merger->stamp;
      gather(merger, composite(merger, part->fragment->condition), &part->fragment->selections, set);
    }
  }
}

static AskedSet set_begin(Merger *merger) {
  merger->stamp++;
  return (AskedSet){.by_name = map_on(merger->arena)};
}

/* ---- equal arguments ---- */

static bool values_equal(const GraphqlValue *a, const GraphqlValue *b);

static bool members_equal(const GraphqlArgument *a, size_t a_count, const GraphqlArgument *b, size_t b_count) {
  if (a_count != b_count) return false;
  for (size_t i = 0; i < a_count; i++) {
    bool is_found = false;
    for (size_t k = 0; k < b_count && !is_found; k++) {
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

static bool is_told(const Merger *merger, const Asked *a, const Asked *b) {
  for (size_t i = 0; i < merger->told.count; i += 2) {
    if (merger->told.items[i].node == a->node && merger->told.items[i + 1].node == b->node) return true;
  }
  return false;
}

static void tell(Merger *merger, const Asked *a, const Asked *b, const char *why) {
  if (merger->told.count / 2 == GRAPHQL_ERRORS_MAX) return;
  GraphqlPlace places[] = {a->node->place, b->node->place};
  Str name = a->node->alias.len > 0 ? a->node->alias : a->node->name;
  if (!VEC_PUSH(merger->arena, &merger->told, *a) || !VEC_PUSH(merger->arena, &merger->told, *b)) {
    stop_without_memory(merger);
    return;
  }
  GraphqlMistake *mistake = graphql_mistake(merger->validator->mistakes, CODE_BAD_REQUEST, places, 2,
                                            "The fields named \"%.*s\" can't be merged: %s", STR_ARGS(name), why);
  graphql_mistake_hint(merger->validator->mistakes, mistake, STR("give one of them an alias"));
}

static bool have_same_shape(const Asked *a, const Asked *b) {
  if (a->field == NULL || b->field == NULL) return true;
  GraphqlRef left = a->field->type, right = b->field->type;
  if (left.depth != right.depth || left.required != right.required) return false;
  bool is_leaf = !graphql_is_composite(left.type) || !graphql_is_composite(right.type);
  return !is_leaf || left.type == right.type;
}

/* NULL: the two can be merged, as far as their own line goes. */
static const char *why_not(MergeCheck check, const Asked *a, const Asked *b) {
  if (a->node == b->node) return NULL;
  if (check == CHECK_SHAPES) return have_same_shape(a, b) ? NULL : "their types differ";
  if (!str_equal(a->node->name, b->node->name)) return "they are different fields";
  const GraphqlArguments *left = &a->node->arguments, *right = &b->node->arguments;
  return members_equal(left->items, left->count, right->items, right->count) ? NULL : "their arguments differ";
}

/* ---- sets ---- */

static void check_set(Merger *merger, const AskedSet *set, MergeCheck check);

/* False where the set below these fields was checked before. */
static bool is_new(Merger *merger, const AskedList *fields, MergeCheck check) {
  Str key = {(const char *)fields->list.items, fields->list.count * sizeof *fields->list.items};
  if (map_get(&merger->checked[check], key) != NULL) return false;
  if (!map_put(&merger->checked[check], key, merger)) stop_without_memory(merger);
  return true;
}

static void check_below(Merger *merger, const AskedList *fields, MergeCheck check) {
  if (fields->list.count == 0 || !is_new(merger, fields, check)) return;
  if (merger->levels == LEVELS_MAX) {
    stop_too_large(merger, fields->list.items[0].node);
    return;
  }
  AskedSet set = set_begin(merger);
  for (size_t i = 0; i < fields->list.count && !merger->is_stopped; i++) {
    const Asked *asked = &fields->list.items[i];
    gather(merger, asked->field != NULL && graphql_is_composite(asked->field->type.type) ? asked->field->type.type : NULL,
           &asked->node->selections, &set);
  }
  merger->levels++;
  check_set(merger, &set, check);
  merger->levels--;
}

/* Fields of one response name that could be of one object, those apart (of another object's type than `only`) left out. */
static void check_together(Merger *merger, const AskedList *all, const GraphqlType *only, MergeCheck check) {
  const Asked *first = NULL;
  AskedList with_selections = {0};
  for (size_t i = 0; i < all->list.count && !merger->is_stopped; i++) {
    const Asked *asked = &all->list.items[i];
    bool is_object = asked->parent != NULL && asked->parent->kind == GRAPHQL_OBJECT_TYPE;
    if (only != NULL && is_object && asked->parent != only) continue;
    const char *why = first == NULL ? NULL : why_not(check, first, asked);
    if (first == NULL) first = asked;
    /* What stands below fields that are not the same is not compared. */
    if (is_told(merger, first, asked)) continue;
    if (why != NULL)
      tell(merger, first, asked, why);
    else if (asked->node->selections.count > 0 && !VEC_PUSH(merger->arena, &with_selections.list, *asked))
      stop_without_memory(merger);
  }
  if (!merger->is_stopped) check_below(merger, &with_selections, check);
}

/* Once for each type of object that is named, as an object has one type; fields of an interface go with each of them. */
static void check_sameness(Merger *merger, const AskedList *asked) {
  Map seen = map_on(merger->arena);
  for (size_t i = 0; i < asked->list.count && !merger->is_stopped; i++) {
    const GraphqlType *parent = asked->list.items[i].parent;
    if (parent == NULL || parent->kind != GRAPHQL_OBJECT_TYPE || map_get(&seen, parent->name) != NULL) continue;
    if (!map_put(&seen, parent->name, merger)) stop_without_memory(merger);
    check_together(merger, asked, parent, CHECK_SAMENESS);
  }
  if (seen.count == 0) check_together(merger, asked, NULL, CHECK_SAMENESS);
}

static void check_set(Merger *merger, const AskedSet *set, MergeCheck check) {
  for (size_t i = 0; i < set->names.count && !merger->is_stopped; i++) {
    if (check == CHECK_SAMENESS)
      check_sameness(merger, &set->names.items[i]->asked);
    else
      check_together(merger, &set->names.items[i]->asked, NULL, CHECK_SHAPES);
  }
}

static void check_root(Merger *merger, const GraphqlType *type, const GraphqlSelections *selections) {
  AskedSet set = set_begin(merger);
  gather(merger, type, selections, &set);
  check_set(merger, &set, CHECK_SAMENESS);
  check_set(merger, &set, CHECK_SHAPES);
}

void graphql_validate_merge(GraphqlValidator *validator) {
  Merger merger = {.validator = validator, .arena = validator->arena, .checked = {map_on(validator->arena), map_on(validator->arena)}};
  for (size_t i = 0; i < validator->part_count && !merger.is_stopped; i++) {
    const GraphqlPart *part = &validator->parts[i];
    if (part->operation != NULL)
      check_root(&merger, graphql_root_type(validator->schema, part->operation->kind), &part->operation->selections);
    else
      check_root(&merger, composite(&merger, part->fragment->condition), &part->fragment->selections);
  }
}
