/* graphql_validate.c - the rules of §5: operations, selections, fragments; those of values, variables and merging have files of their own.
 * All mistakes are noted, so that their author sees them at once. */
#include "api/graphql_validate.h"

/* ---- mistakes ---- */

void graphql_validate_hint(GraphqlValidator *validator, GraphqlMistake *mistake, const Nearest *nearest) {
  if (validator->has_hints) graphql_mistake_hint(validator->mistakes, mistake, nearest_hint(nearest, validator->arena));
}

void graphql_validate_twice(GraphqlValidator *validator, GraphqlPlace a, GraphqlPlace b, const char *what, Str name) {
  GraphqlPlace places[] = {a, b};
  graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, 2, "%s \"%.*s\"", what, STR_ARGS(name));
}

/* ---- selections (§5.3, §5.5) ---- */

static void check_selections(GraphqlValidator *validator, const GraphqlType *type, const GraphqlSelections *selections);

static void unknown_field(GraphqlValidator *validator, const GraphqlType *type, const GraphqlNode *node) {
  Nearest nearest = nearest_to(node->name);
  for (size_t i = 0; i < type->field_count && !graphql_validate_is_full(validator); i++) nearest_offer(&nearest, type->fields[i].name);
  GraphqlMistake *mistake = graphql_mistake_at(validator->mistakes, node->place, "The type \"%.*s\" has no field \"%.*s\"",
                                               STR_ARGS(type->name), STR_ARGS(node->name));
  graphql_validate_hint(validator, mistake, &nearest);
}

/* Below what is not known only what needs no type can be checked. */
static void check_unknown(GraphqlValidator *validator, const GraphqlNode *node) {
  graphql_validate_unknown_arguments(validator, &node->arguments);
  check_selections(validator, NULL, &node->selections);
}

static void check_field(GraphqlValidator *validator, const GraphqlType *type, const GraphqlNode *node) {
  const GraphqlField *field = type == NULL ? NULL : graphql_field(validator->schema, type, node->name);
  graphql_validate_directives(validator, &node->directives, true);
  if (field == NULL) {
    if (type != NULL) unknown_field(validator, type, node);
    check_unknown(validator, node);
    return;
  }
  graphql_validate_arguments(validator, field->arguments, field->argument_count, &node->arguments, node->place, field->name);
  bool is_composite = graphql_is_composite(field->type.type), has_selections = node->selections.place.line != 0;
  if (is_composite && !has_selections) {
    graphql_mistake_at(validator->mistakes, node->place, "The field \"%.*s\" has fields of its own: say which are wanted",
                       STR_ARGS(field->name));
  } else if (!is_composite && has_selections) {
    graphql_mistake_at(validator->mistakes, node->selections.place, "The field \"%.*s\" has no fields of its own", STR_ARGS(field->name));
  }
  check_selections(validator, is_composite ? field->type.type : NULL, &node->selections);
}

static const GraphqlType *condition_type(GraphqlValidator *validator, Str name, GraphqlPlace place) {
  const GraphqlType *type = graphql_type(validator->schema, name);
  if (type == NULL) {
    Nearest nearest = nearest_to(name);
    for (size_t i = 0; i < validator->schema->type_count; i++) nearest_offer(&nearest, validator->schema->types[i]->name);
    GraphqlMistake *mistake = graphql_mistake_at(validator->mistakes, place, "There is no type \"%.*s\"", STR_ARGS(name));
    graphql_validate_hint(validator, mistake, &nearest);
  } else if (!graphql_is_composite(type)) {
    graphql_mistake_at(validator->mistakes, place, "A fragment can't be on \"%.*s\", which has no fields", STR_ARGS(name));
    type = NULL;
  }
  return type;
}

static void check_overlap(GraphqlValidator *validator, const GraphqlType *type, const GraphqlType *condition, GraphqlPlace place) {
  if (type == NULL || condition == NULL || graphql_types_overlap(type, condition)) return;
  graphql_mistake_at(validator->mistakes, place, "A \"%.*s\" is never a \"%.*s\"", STR_ARGS(type->name), STR_ARGS(condition->name));
}

static void check_spread(GraphqlValidator *validator, const GraphqlType *type, const GraphqlNode *node) {
  GraphqlPart *part = graphql_part_of(validator, node->name);
  graphql_validate_directives(validator, &node->directives, true);
  if (part == NULL) {
    graphql_mistake_at(validator->mistakes, node->name_place, "There is no fragment \"%.*s\"", STR_ARGS(node->name));
    return;
  }
  const GraphqlType *condition = graphql_type(validator->schema, part->fragment->condition);
  if (condition != NULL && graphql_is_composite(condition)) check_overlap(validator, type, condition, node->place);
  if (!VEC_PUSH(validator->arena, &validator->part->spreads, node)) validator->mistakes->has_no_memory = true;
}

static void check_inline(GraphqlValidator *validator, const GraphqlType *type, const GraphqlNode *node) {
  const GraphqlType *inner = type;
  if (node->condition.len > 0) {
    inner = condition_type(validator, node->condition, node->condition_place);
    check_overlap(validator, type, inner, node->place);
  }
  graphql_validate_directives(validator, &node->directives, true);
  check_selections(validator, inner, &node->selections);
}

/* `type` NULL: not known. */
static void check_selections(GraphqlValidator *validator, const GraphqlType *type, const GraphqlSelections *selections) {
  for (size_t i = 0; i < selections->count; i++) {
    const GraphqlNode *node = &selections->items[i];
    switch (node->kind) {
      case GRAPHQL_FIELD: check_field(validator, type, node); break;
      case GRAPHQL_SPREAD: check_spread(validator, type, node); break;
      case GRAPHQL_INLINE: check_inline(validator, type, node); break;
    }
  }
}

/* ---- fragments (§5.5) ---- */

typedef struct Circles {
  GraphqlValidator *validator;
  VEC(const GraphqlNode *) path; /* the spreads that lead here */
} Circles;

/* Each circle is told once, where it closes, with the spreads that it is made of. */
static void tell_circle(Circles *circles, const GraphqlPart *closed, const GraphqlNode *spread) {
  GraphqlPlace places[GRAPHQL_PLACES_MAX];
  size_t count = 0;
  for (size_t i = closed->entered; i < circles->path.count && count < GRAPHQL_PLACES_MAX; i++)
    places[count++] = circles->path.items[i]->place;
  graphql_mistake(circles->validator->mistakes, CODE_BAD_REQUEST, places, count, "The fragment \"%.*s\" contains itself",
                  STR_ARGS(spread->name));
}

/* Fragments of one name, which is another mistake, are one here: a spread can mean any of them. */
static void check_circle(Circles *circles, const GraphqlPart *part) {
  enum { WHITE = 0, GREY, BLACK };
  GraphqlPart *named = graphql_part_of(circles->validator, part->fragment->name);
  if (named->color != WHITE) return;
  named->color = GREY;
  named->entered = circles->path.count;
  for (size_t i = 0; i < part->spreads.count; i++) {
    const GraphqlNode *spread = part->spreads.items[i];
    GraphqlPart *next = graphql_part_of(circles->validator, spread->name);
    if (!VEC_PUSH(circles->validator->arena, &circles->path, spread)) {
      circles->validator->mistakes->has_no_memory = true;
      return;
    }
    if (next->color == GREY)
      tell_circle(circles, next, spread);
    else
      check_circle(circles, next);
    circles->path.count--;
  }
  named->color = BLACK;
}

static void mark_used(GraphqlValidator *validator, GraphqlPart *part) {
  for (size_t i = 0; i < part->spreads.count; i++) {
    GraphqlPart *next = graphql_part_of(validator, part->spreads.items[i]->name);
    if (next->is_used) continue;
    next->is_used = true;
    mark_used(validator, next);
  }
}

/* ---- operations (§5.2) ---- */

static void check_operation(GraphqlValidator *validator, GraphqlPart *part, size_t at) {
  const GraphqlDocument *document = validator->document;
  const GraphqlOperation *operation = part->operation;
  validator->part = part;
  for (size_t i = 0; operation->name.len > 0 && i < at; i++) {
    if (!str_equal(document->operations[i].name, operation->name)) continue;
    graphql_validate_twice(validator, document->operations[i].name_place, operation->name_place, "There can be only one operation named",
                           operation->name);
    break;
  }
  if (operation->name.len == 0 && document->operation_count > 1)
    graphql_mistake_at(validator->mistakes, operation->place, "An operation without a name must be the only one");
  const GraphqlType *type = graphql_root_type(validator->schema, operation->kind);
  if (type == NULL)
    graphql_mistake_at(validator->mistakes, operation->place, "The schema has no %s",
                       operation->kind == GRAPHQL_MUTATION ? "mutations" : "subscriptions");
  graphql_validate_definitions(validator, operation);
  graphql_validate_directives(validator, &operation->directives, false);
  check_selections(validator, type, &operation->selections);
}

static void check_fragment(GraphqlValidator *validator, GraphqlPart *part, size_t at) {
  const GraphqlFragment *fragment = part->fragment;
  validator->part = part;
  for (size_t i = 0; i < at; i++) {
    if (!str_equal(validator->document->fragments[i].name, fragment->name)) continue;
    graphql_validate_twice(validator, validator->document->fragments[i].name_place, fragment->name_place,
                           "There can be only one fragment named", fragment->name);
    break;
  }
  const GraphqlType *type = condition_type(validator, fragment->condition, fragment->condition_place);
  graphql_validate_directives(validator, &fragment->directives, false);
  check_selections(validator, type, &fragment->selections);
}

/* False without memory. */
static bool begin(GraphqlValidator *validator) {
  const GraphqlDocument *document = validator->document;
  size_t operations = document->operation_count;
  validator->part_count = operations + document->fragment_count;
  validator->parts = ARENA_ARRAY(validator->arena, GraphqlPart, validator->part_count + 1);
  validator->part_by_name = map_on(validator->arena);
  bool has_memory = validator->parts != NULL;
  for (size_t i = 0; i < operations && has_memory; i++) validator->parts[i].operation = &document->operations[i];
  for (size_t i = 0; i < document->fragment_count && has_memory; i++) {
    GraphqlPart *part = &validator->parts[operations + i];
    part->fragment = &document->fragments[i];
    has_memory = map_put(&validator->part_by_name, part->fragment->name, part);
  }
  if (!has_memory) validator->mistakes->has_no_memory = true;
  return has_memory;
}

static void check_fragments_used(GraphqlValidator *validator) {
  size_t operations = validator->document->operation_count;
  for (size_t i = 0; i < operations; i++) mark_used(validator, &validator->parts[i]);
  for (size_t i = operations; i < validator->part_count; i++) {
    const GraphqlFragment *fragment = validator->parts[i].fragment;
    /* A second fragment of a name counts by its name. */
    if (!graphql_part_of(validator, fragment->name)->is_used)
      graphql_mistake_at(validator->mistakes, fragment->place, "The fragment \"%.*s\" is never used", STR_ARGS(fragment->name));
  }
}

void graphql_validate(const GraphqlSchema *schema, const GraphqlDocument *document, bool has_hints, GraphqlMistakes *mistakes) {
  GraphqlValidator validator = {
      .schema = schema, .document = document, .mistakes = mistakes, .arena = mistakes->arena, .has_hints = has_hints};
  size_t operations = document->operation_count;
  if (!begin(&validator)) return;
  for (size_t i = 0; i < document->definition_count; i++)
    graphql_mistake_at(mistakes, document->definitions[i], "A definition of \"%.*s\" can't be executed",
                       STR_ARGS(document->definition_names[i]));
  for (size_t i = 0; i < operations; i++) check_operation(&validator, &validator.parts[i], i);
  for (size_t i = 0; i < document->fragment_count; i++) check_fragment(&validator, &validator.parts[operations + i], i);
  Circles circles = {.validator = &validator};
  for (size_t i = operations; i < validator.part_count; i++) check_circle(&circles, &validator.parts[i]);
  check_fragments_used(&validator);
  for (size_t i = 0; i < operations; i++) graphql_validate_usages(&validator, &validator.parts[i]);
  for (size_t i = 0; i < operations; i++) graphql_validate_single_root(&validator, &document->operations[i]);
  if (!mistakes->has_no_memory) graphql_validate_merge(&validator);
}
