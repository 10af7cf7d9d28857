/* graphql_validate_variables.c - the rules of variables (§5.8): their definitions, and whether each stands where it may, over all fragments
 * that an operation reaches. */
#include "api/graphql_validate.h"

/* ---- definitions ---- */

static Str ref_text(GraphqlValidator *validator, GraphqlRef ref) {
  Buf out = buf_on(validator->arena, 512);
  graphql_ref_write(ref, &out);
  return buf_str(&out);
}

/* The first and all others of one name, told together. */
static void check_unique(GraphqlValidator *validator, const GraphqlOperation *operation, size_t at) {
  GraphqlPlace places[GRAPHQL_PLACES_MAX] = {{0}};
  size_t before = 0, all = 0;
  Str name = operation->variables[at].name;
  for (size_t k = 0; k < operation->variable_count; k++) {
    if (!str_equal(operation->variables[k].name, name)) continue;
    if (k < at) before++;
    if (all < GRAPHQL_PLACES_MAX) places[all++] = operation->variables[k].name_place;
  }
  if (before == 1)
    graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, all, "There can be only one variable named \"%.*s\"", STR_ARGS(name));
}

static void check_definition(GraphqlValidator *validator, const GraphqlVariable *variable) {
  const GraphqlType *type = graphql_type(validator->schema, variable->type.name);
  graphql_validate_directives(validator, &variable->directives, false);
  if (type == NULL) {
    Nearest nearest = nearest_to(variable->type.name);
    for (size_t i = 0; i < validator->schema->type_count; i++) nearest_offer(&nearest, validator->schema->types[i]->name);
    GraphqlMistake *mistake =
        graphql_mistake_at(validator->mistakes, variable->type.name_place, "There is no type \"%.*s\"", STR_ARGS(variable->type.name));
    graphql_validate_hint(validator, mistake, &nearest);
  } else if (!graphql_is_input(type)) {
    graphql_mistake_at(validator->mistakes, variable->type.place, "A variable can't be a \"%.*s\", which is no input",
                       STR_ARGS(type->name));
  } else if (variable->has_default) {
    graphql_validate_value(validator, (GraphqlRef){type, variable->type.depth, variable->type.required}, &variable->fallback, false);
    return;
  }
  if (variable->has_default) graphql_validate_anything(validator, (GraphqlRef){0}, &variable->fallback);
}

void graphql_validate_definitions(GraphqlValidator *validator, const GraphqlOperation *operation) {
  for (size_t i = 0; i < operation->variable_count && !graphql_validate_is_full(validator); i++) {
    check_unique(validator, operation, i);
    check_definition(validator, &operation->variables[i]);
  }
}

/* ---- usages ---- */

/* §5.8.5: level by level, what is given must be at least as strict as what is wanted. */
static bool is_allowed(GraphqlRef given, GraphqlRef wanted) {
  if (given.type != wanted.type || given.depth != wanted.depth) return false;
  return (wanted.required & ~given.required) == 0;
}

static void check_position(GraphqlValidator *validator, const GraphqlVariable *variable, const GraphqlUsage *usage) {
  const GraphqlType *type = graphql_type(validator->schema, variable->type.name);
  if (type == NULL || usage->ref.type == NULL) return;
  GraphqlRef given = {type, variable->type.depth, variable->type.required}, wanted = usage->ref;
  bool has_value = (variable->has_default && variable->fallback.kind != GRAPHQL_NULL) || usage->has_fallback;
  if (has_value) wanted = graphql_nullable(wanted);
  GraphqlPlace places[] = {variable->place, usage->value->place};
  if (!is_allowed(given, wanted)) {
    Str is = ref_text(validator, given), must = ref_text(validator, usage->ref);
    graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, 2,
                    "The variable \"$%.*s\" of type \"%.*s\" stands where \"%.*s\" is expected", STR_ARGS(variable->name), STR_ARGS(is),
                    STR_ARGS(must));
  }
  if (usage->is_one_of && !graphql_is_required(given))
    graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, 2,
                    "The variable \"$%.*s\" must not be nullable, as the field is one of several", STR_ARGS(variable->name));
}

typedef struct Reach {
  GraphqlValidator *validator;
  const GraphqlOperation *operation;
  Map variables; /* the operation's, the last of a name */
  bool *is_used; /* by variable */
  bool *is_seen; /* by part */
} Reach;

static void check_part(Reach *reach, const GraphqlPart *part) {
  const GraphqlOperation *operation = reach->operation;
  for (size_t i = 0; i < part->usages.count; i++) {
    const GraphqlUsage *usage = &part->usages.items[i];
    const GraphqlVariable *variable = map_get(&reach->variables, usage->value->text);
    if (variable != NULL) {
      reach->is_used[variable - operation->variables] = true;
      check_position(reach->validator, variable, usage);
      continue;
    }
    GraphqlPlace places[] = {usage->value->place, operation->place};
    graphql_mistake(reach->validator->mistakes, CODE_BAD_REQUEST, places, 2, "The variable \"$%.*s\" is not defined by the operation",
                    STR_ARGS(usage->value->text));
  }
}

static void check_reached(Reach *reach, const GraphqlPart *part) {
  check_part(reach, part);
  for (size_t i = 0; i < part->spreads.count; i++) {
    const GraphqlPart *next = graphql_part_of(reach->validator, part->spreads.items[i]->name);
    if (reach->is_seen[next - reach->validator->parts]) continue;
    reach->is_seen[next - reach->validator->parts] = true;
    check_reached(reach, next);
  }
}

void graphql_validate_usages(GraphqlValidator *validator, GraphqlPart *part) {
  const GraphqlOperation *operation = part->operation;
  Reach reach = {.validator = validator, .operation = operation, .variables = map_on(validator->arena)};
  reach.is_used = ARENA_ARRAY(validator->arena, bool, operation->variable_count + 1);
  reach.is_seen = ARENA_ARRAY(validator->arena, bool, validator->part_count + 1);
  bool has_memory = reach.is_used != NULL && reach.is_seen != NULL;
  for (size_t i = 0; i < operation->variable_count && has_memory; i++)
    has_memory = map_put(&reach.variables, operation->variables[i].name, (void *)&operation->variables[i]);
  if (!has_memory) {
    validator->mistakes->has_no_memory = true;
    return;
  }
  check_reached(&reach, part);
  for (size_t i = 0; i < operation->variable_count; i++) {
    const GraphqlVariable *variable = &operation->variables[i];
    const GraphqlVariable *named = map_get(&reach.variables, variable->name);
    if (!reach.is_used[named - operation->variables])
      graphql_mistake_at(validator->mistakes, variable->place, "The variable \"$%.*s\" is never used", STR_ARGS(variable->name));
  }
}
