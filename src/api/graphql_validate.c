/* graphql_validate.c - the rules of §5 but for merging: names, types, arguments, fragments, directives, variables. All mistakes are noted,
 * so that their author sees them at once. */
#include "api/graphql_validate.h"

/* ---- mistakes ---- */

static Str hint_of(GraphqlValidator *validator, const Nearest *nearest) {
  Str hint = validator->has_hints ? nearest_hint(nearest, validator->arena) : (Str){0};
  if (hint.len == 0) return (Str){0};
  Str made = arena_printf(validator->arena, "; %.*s", STR_ARGS(hint));
  return made.ptr == NULL ? (Str){0} : made;
}

static void mistake_two(GraphqlValidator *validator, GraphqlPlace a, GraphqlPlace b, const char *what, Str name) {
  GraphqlPlace places[] = {a, b};
  graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, 2, "%s \"%.*s\"", what, STR_ARGS(name));
}

/* ---- values (§5.6) ---- */

static void check_value(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value, bool has_fallback, bool is_one_of);

static Str ref_text(GraphqlValidator *validator, GraphqlRef ref) {
  Buf out = buf_on(validator->arena, 512);
  graphql_ref_write(ref, &out);
  return buf_str(&out);
}

static void wrong_value(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value) {
  Str wanted = ref_text(validator, ref);
  graphql_mistake_at(validator->mistakes, value->place, "A value of type \"%.*s\" is expected here", STR_ARGS(wanted));
}

static void check_members(GraphqlValidator *validator, const GraphqlType *type, const GraphqlValue *value) {
  for (size_t i = 0; i < value->count; i++) {
    const GraphqlArgument *member = &value->members[i];
    const GraphqlInput *input = graphql_input(type->inputs, type->input_count, member->name);
    for (size_t k = 0; k < i; k++) {
      if (str_equal(value->members[k].name, member->name))
        mistake_two(validator, value->members[k].place, member->place, "There can be only one input field named", member->name);
    }
    if (input != NULL) {
      check_value(validator, input->type, &member->value, input->fallback.len > 0, type->is_one_of);
      continue;
    }
    Nearest nearest = nearest_to(member->name);
    for (size_t k = 0; k < type->input_count; k++) nearest_offer(&nearest, type->inputs[k].name);
    Str hint = hint_of(validator, &nearest);
    graphql_mistake_at(validator->mistakes, member->place, "The type \"%.*s\" has no field \"%.*s\"%.*s", STR_ARGS(type->name),
                       STR_ARGS(member->name), STR_ARGS(hint));
  }
}

static void check_object(GraphqlValidator *validator, const GraphqlType *type, const GraphqlValue *value) {
  check_members(validator, type, value);
  for (size_t i = 0; i < type->input_count; i++) {
    const GraphqlInput *input = &type->inputs[i];
    bool is_given = false;
    for (size_t k = 0; k < value->count; k++) is_given = is_given || str_equal(value->members[k].name, input->name);
    if (is_given || !graphql_is_required(input->type) || input->fallback.len > 0) continue;
    graphql_mistake_at(validator->mistakes, value->place, "The field \"%.*s.%.*s\" needs a value", STR_ARGS(type->name),
                       STR_ARGS(input->name));
  }
  if (!type->is_one_of) return;
  bool is_one = value->count == 1 && value->members[0].value.kind != GRAPHQL_NULL;
  if (!is_one) graphql_mistake_at(validator->mistakes, value->place, "Exactly one field must be given of \"%.*s\"", STR_ARGS(type->name));
}

static void note_usage(GraphqlValidator *validator, GraphqlUsage usage) {
  if (!VEC_PUSH(validator->arena, &validator->part->usages, usage)) validator->mistakes->has_no_memory = true;
}

static void check_anything(GraphqlValidator *validator, const GraphqlValue *value) {
  GraphqlUsage usage = {.value = value};
  if (value->kind == GRAPHQL_VARIABLE) note_usage(validator, usage);
  for (size_t i = 0; i < value->count; i++)
    check_anything(validator, value->kind == GRAPHQL_OBJECT ? &value->members[i].value : &value->items[i]);
}

static void check_value(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value, bool has_fallback, bool is_one_of) {
  GraphqlUsage usage = {.value = value, .ref = ref, .has_fallback = has_fallback, .is_one_of = is_one_of};
  if (value->kind == GRAPHQL_VARIABLE) {
    note_usage(validator, usage);
    return;
  }
  if (value->kind == GRAPHQL_NULL) {
    if (graphql_is_required(ref)) wrong_value(validator, ref, value);
    return;
  }
  if (ref.depth > 0) {
    if (value->kind != GRAPHQL_LIST) {
      check_value(validator, graphql_item(ref), value, false, false);
      return;
    }
    for (size_t i = 0; i < value->count; i++) check_value(validator, graphql_item(ref), &value->items[i], false, false);
    return;
  }
  if (ref.type->kind == GRAPHQL_INPUT_TYPE && value->kind == GRAPHQL_OBJECT) {
    check_object(validator, ref.type, value);
    return;
  }
  bool is_good = ref.type->kind != GRAPHQL_INPUT_TYPE && graphql_is_leaf_literal(ref.type, value);
  if (!is_good) wrong_value(validator, graphql_nullable(ref), value);
  check_anything(validator, value);
}

/* ---- arguments (§5.4) ---- */

static void check_unique_arguments(GraphqlValidator *validator, const GraphqlArguments *arguments) {
  for (size_t i = 0; i < arguments->count; i++) {
    for (size_t k = 0; k < i; k++) {
      if (!str_equal(arguments->items[i].name, arguments->items[k].name)) continue;
      mistake_two(validator, arguments->items[k].place, arguments->items[i].place, "There can be only one argument named",
                  arguments->items[i].name);
      break;
    }
  }
}

static void check_arguments(GraphqlValidator *validator, const GraphqlInput *inputs, size_t count, const GraphqlArguments *arguments,
                            GraphqlPlace place, Str owner) {
  check_unique_arguments(validator, arguments);
  for (size_t i = 0; i < arguments->count; i++) {
    const GraphqlArgument *argument = &arguments->items[i];
    const GraphqlInput *input = graphql_input(inputs, count, argument->name);
    if (input != NULL) {
      check_value(validator, input->type, &argument->value, input->fallback.len > 0, false);
      continue;
    }
    check_anything(validator, &argument->value);
    Nearest nearest = nearest_to(argument->name);
    for (size_t k = 0; k < count; k++) nearest_offer(&nearest, inputs[k].name);
    Str hint = hint_of(validator, &nearest);
    graphql_mistake_at(validator->mistakes, argument->place, "\"%.*s\" has no argument \"%.*s\"%.*s", STR_ARGS(owner),
                       STR_ARGS(argument->name), STR_ARGS(hint));
  }
  for (size_t i = 0; i < count; i++) {
    bool is_given = inputs[i].fallback.len > 0 || !graphql_is_required(inputs[i].type);
    for (size_t k = 0; k < arguments->count; k++) is_given = is_given || str_equal(arguments->items[k].name, inputs[i].name);
    if (!is_given)
      graphql_mistake_at(validator->mistakes, place, "\"%.*s\" needs the argument \"%.*s\"", STR_ARGS(owner), STR_ARGS(inputs[i].name));
  }
}

/* ---- directives (§5.7) ---- */

static void check_directive(GraphqlValidator *validator, const GraphqlDirective *directive, bool is_on_selection) {
  bool is_condition = str_equal(directive->name, STR("skip")) || str_equal(directive->name, STR("include"));
  bool is_other = str_equal(directive->name, STR("deprecated")) || str_equal(directive->name, STR("specifiedBy")) ||
                  str_equal(directive->name, STR("oneOf"));
  Str owner = directive->name;
  if (is_condition) {
    GraphqlInput input = {.name = STR("if"), .type = {graphql_type(validator->schema, STR("Boolean")), 0, 1}};
    if (!is_on_selection)
      graphql_mistake_at(validator->mistakes, directive->place, "The directive \"@%.*s\" can't stand here", STR_ARGS(owner));
    check_arguments(validator, &input, 1, &directive->arguments, directive->place, owner);
    return;
  }
  check_unique_arguments(validator, &directive->arguments);
  for (size_t i = 0; i < directive->arguments.count; i++) check_anything(validator, &directive->arguments.items[i].value);
  graphql_mistake_at(validator->mistakes, directive->place,
                     is_other ? "The directive \"@%.*s\" can't stand here" : "There is no directive \"@%.*s\"", STR_ARGS(owner));
}

static void check_directives(GraphqlValidator *validator, const GraphqlDirectives *directives, bool is_on_selection) {
  for (size_t i = 0; i < directives->count; i++) {
    const GraphqlDirective *directive = &directives->items[i];
    for (size_t k = 0; k < i; k++) {
      if (!str_equal(directives->items[k].name, directive->name)) continue;
      mistake_two(validator, directives->items[k].place, directive->place, "There can be only one directive here named", directive->name);
      break;
    }
    check_directive(validator, directive, is_on_selection);
  }
}

/* ---- selections (§5.3, §5.5) ---- */

static void check_selections(GraphqlValidator *validator, const GraphqlType *type, const GraphqlSelections *selections);

static void unknown_field(GraphqlValidator *validator, const GraphqlType *type, const GraphqlNode *node) {
  Nearest nearest = nearest_to(node->name);
  for (size_t i = 0; i < type->field_count; i++) nearest_offer(&nearest, type->fields[i].name);
  Str hint = hint_of(validator, &nearest);
  graphql_mistake_at(validator->mistakes, node->place, "The type \"%.*s\" has no field \"%.*s\"%.*s", STR_ARGS(type->name),
                     STR_ARGS(node->name), STR_ARGS(hint));
}

/* Below what is not known only what needs no type can be checked. */
static void check_unknown(GraphqlValidator *validator, const GraphqlNode *node) {
  check_unique_arguments(validator, &node->arguments);
  for (size_t i = 0; i < node->arguments.count; i++) check_anything(validator, &node->arguments.items[i].value);
  check_selections(validator, NULL, &node->selections);
}

static void check_field(GraphqlValidator *validator, const GraphqlType *type, const GraphqlNode *node) {
  const GraphqlField *field = type == NULL ? NULL : graphql_field(validator->schema, type, node->name);
  check_directives(validator, &node->directives, true);
  if (field == NULL) {
    if (type != NULL) unknown_field(validator, type, node);
    check_unknown(validator, node);
    return;
  }
  check_arguments(validator, field->arguments, field->argument_count, &node->arguments, node->place, field->name);
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
    Str hint = hint_of(validator, &nearest);
    graphql_mistake_at(validator->mistakes, place, "There is no type \"%.*s\"%.*s", STR_ARGS(name), STR_ARGS(hint));
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
  check_directives(validator, &node->directives, true);
  if (part == NULL) {
    graphql_mistake_at(validator->mistakes, node->place, "There is no fragment \"%.*s\"", STR_ARGS(node->name));
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
  check_directives(validator, &node->directives, true);
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

/* Each circle is told once, where it closes. */
static void check_circle(GraphqlValidator *validator, GraphqlPart *part) {
  enum { WHITE = 0, GREY, BLACK };
  if (part->color != WHITE) return;
  part->color = GREY;
  for (size_t i = 0; i < part->spreads.count; i++) {
    const GraphqlNode *spread = part->spreads.items[i];
    GraphqlPart *next = graphql_part_of(validator, spread->name);
    if (next->color == GREY)
      graphql_mistake_at(validator->mistakes, spread->place, "The fragment \"%.*s\" contains itself", STR_ARGS(spread->name));
    else
      check_circle(validator, next);
  }
  part->color = BLACK;
}

static void mark_used(GraphqlValidator *validator, GraphqlPart *part) {
  for (size_t i = 0; i < part->spreads.count; i++) {
    GraphqlPart *next = graphql_part_of(validator, part->spreads.items[i]->name);
    if (next->is_used) continue;
    next->is_used = true;
    mark_used(validator, next);
  }
}

/* ---- variables (§5.8) ---- */

static const GraphqlVariable *variable_named(const GraphqlOperation *operation, Str name) {
  for (size_t i = 0; i < operation->variable_count; i++) {
    if (str_equal(operation->variables[i].name, name)) return &operation->variables[i];
  }
  return NULL;
}

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
  } else if (usage->is_one_of && !graphql_is_required(given)) {
    graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, 2,
                    "The variable \"$%.*s\" must not be nullable, as the field is one of several", STR_ARGS(variable->name));
  }
}

static void check_usages(GraphqlValidator *validator, const GraphqlOperation *operation, const GraphqlPart *part, bool *is_used) {
  for (size_t i = 0; i < part->usages.count; i++) {
    const GraphqlUsage *usage = &part->usages.items[i];
    const GraphqlVariable *variable = variable_named(operation, usage->value->text);
    if (variable != NULL) {
      is_used[variable - operation->variables] = true;
      check_position(validator, variable, usage);
      continue;
    }
    GraphqlPlace places[] = {usage->value->place, operation->place};
    graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, 2, "The variable \"$%.*s\" is not defined by the operation",
                    STR_ARGS(usage->value->text));
  }
}

static void check_reached(GraphqlValidator *validator, const GraphqlOperation *operation, const GraphqlPart *part, bool *is_used,
                          bool *is_seen) {
  check_usages(validator, operation, part, is_used);
  for (size_t i = 0; i < part->spreads.count; i++) {
    const GraphqlPart *next = graphql_part_of(validator, part->spreads.items[i]->name);
    if (is_seen[next - validator->parts]) continue;
    is_seen[next - validator->parts] = true;
    check_reached(validator, operation, next, is_used, is_seen);
  }
}

static void check_variables(GraphqlValidator *validator, GraphqlPart *part) {
  const GraphqlOperation *operation = part->operation;
  bool *is_used = ARENA_ARRAY(validator->arena, bool, operation->variable_count + 1);
  bool *is_seen = ARENA_ARRAY(validator->arena, bool, validator->part_count + 1);
  if (is_used == NULL || is_seen == NULL) {
    validator->mistakes->has_no_memory = true;
    return;
  }
  check_reached(validator, operation, part, is_used, is_seen);
  for (size_t i = 0; i < operation->variable_count; i++) {
    if (!is_used[i])
      graphql_mistake_at(validator->mistakes, operation->variables[i].place, "The variable \"$%.*s\" is never used",
                         STR_ARGS(operation->variables[i].name));
  }
}

static void check_variable_definition(GraphqlValidator *validator, const GraphqlOperation *operation, size_t at) {
  const GraphqlVariable *variable = &operation->variables[at];
  const GraphqlType *type = graphql_type(validator->schema, variable->type.name);
  for (size_t k = 0; k < at; k++) {
    if (!str_equal(operation->variables[k].name, variable->name)) continue;
    mistake_two(validator, operation->variables[k].place, variable->place, "There can be only one variable named", variable->name);
    break;
  }
  check_directives(validator, &variable->directives, false);
  if (type == NULL) {
    graphql_mistake_at(validator->mistakes, variable->type.name_place, "There is no type \"%.*s\"", STR_ARGS(variable->type.name));
  } else if (!graphql_is_input(type)) {
    graphql_mistake_at(validator->mistakes, variable->type.place, "A variable can't be a \"%.*s\", which is no input",
                       STR_ARGS(type->name));
  } else if (variable->has_default) {
    check_value(validator, (GraphqlRef){type, variable->type.depth, variable->type.required}, &variable->fallback, false, false);
  }
}

/* ---- operations (§5.2) ---- */

static void check_operation(GraphqlValidator *validator, GraphqlPart *part, size_t at) {
  const GraphqlDocument *document = validator->document;
  const GraphqlOperation *operation = part->operation;
  validator->part = part;
  for (size_t i = 0; operation->name.len > 0 && i < at; i++) {
    if (!str_equal(document->operations[i].name, operation->name)) continue;
    mistake_two(validator, document->operations[i].name_place, operation->name_place, "There can be only one operation named",
                operation->name);
    break;
  }
  if (operation->name.len == 0 && document->operation_count > 1)
    graphql_mistake_at(validator->mistakes, operation->place, "An operation without a name must be the only one");
  const GraphqlType *type = operation->kind == GRAPHQL_QUERY      ? validator->schema->query
                            : operation->kind == GRAPHQL_MUTATION ? validator->schema->mutation
                                                                  : NULL;
  if (type == NULL)
    graphql_mistake_at(validator->mistakes, operation->place, "The schema has no %s",
                       operation->kind == GRAPHQL_MUTATION ? "mutations" : "subscriptions");
  for (size_t i = 0; i < operation->variable_count; i++) check_variable_definition(validator, operation, i);
  check_directives(validator, &operation->directives, false);
  check_selections(validator, type, &operation->selections);
}

static void check_fragment(GraphqlValidator *validator, GraphqlPart *part, size_t at) {
  const GraphqlFragment *fragment = part->fragment;
  validator->part = part;
  for (size_t i = 0; i < at; i++) {
    if (!str_equal(validator->document->fragments[i].name, fragment->name)) continue;
    mistake_two(validator, validator->document->fragments[i].name_place, fragment->name_place, "There can be only one fragment named",
                fragment->name);
    break;
  }
  const GraphqlType *type = condition_type(validator, fragment->condition, fragment->condition_place);
  check_directives(validator, &fragment->directives, false);
  check_selections(validator, type, &fragment->selections);
}

static void check_merging(GraphqlValidator *validator) {
  for (size_t i = 0; i < validator->document->operation_count; i++) {
    const GraphqlOperation *operation = &validator->document->operations[i];
    const GraphqlType *type = operation->kind == GRAPHQL_MUTATION ? validator->schema->mutation : validator->schema->query;
    if (type != NULL) graphql_validate_merge(validator, type, &operation->selections);
  }
  for (size_t i = 0; i < validator->document->fragment_count; i++) {
    const GraphqlFragment *fragment = &validator->document->fragments[i];
    const GraphqlType *type = graphql_type(validator->schema, fragment->condition);
    if (type != NULL && graphql_is_composite(type)) graphql_validate_merge(validator, type, &fragment->selections);
  }
}

void graphql_validate(const GraphqlSchema *schema, const GraphqlDocument *document, bool has_hints, GraphqlMistakes *mistakes) {
  GraphqlValidator validator = {
      .schema = schema, .document = document, .mistakes = mistakes, .arena = mistakes->arena, .has_hints = has_hints};
  size_t operations = document->operation_count;
  validator.part_count = operations + document->fragment_count;
  validator.parts = ARENA_ARRAY(validator.arena, GraphqlPart, validator.part_count + 1);
  if (validator.parts == NULL) {
    mistakes->has_no_memory = true;
    return;
  }
  for (size_t i = 0; i < operations; i++) validator.parts[i].operation = &document->operations[i];
  for (size_t i = 0; i < document->fragment_count; i++) validator.parts[operations + i].fragment = &document->fragments[i];
  for (size_t i = 0; i < document->definition_count; i++)
    graphql_mistake_at(mistakes, document->definitions[i], "A definition of \"%.*s\" can't be executed",
                       STR_ARGS(document->definition_names[i]));
  for (size_t i = 0; i < operations; i++) check_operation(&validator, &validator.parts[i], i);
  for (size_t i = 0; i < document->fragment_count; i++) check_fragment(&validator, &validator.parts[operations + i], i);
  for (size_t i = 0; i < validator.part_count; i++) check_circle(&validator, &validator.parts[i]);
  for (size_t i = 0; i < operations; i++) mark_used(&validator, &validator.parts[i]);
  for (size_t i = operations; i < validator.part_count; i++) {
    const GraphqlFragment *fragment = validator.parts[i].fragment;
    if (!validator.parts[i].is_used)
      graphql_mistake_at(mistakes, fragment->place, "The fragment \"%.*s\" is never used", STR_ARGS(fragment->name));
  }
  for (size_t i = 0; i < operations; i++) check_variables(&validator, &validator.parts[i]);
  if (!graphql_is_refused(mistakes)) check_merging(&validator);
}
