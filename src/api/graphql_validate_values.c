/* graphql_validate_values.c - the rules of values, arguments and directives (§5.4, §5.6, §5.7). Where a variable stands is noted, to be
 * held against its definition later. */
#include "api/graphql_validate.h"

/* ---- names that are given once ---- */

/* The first and all others of one name, told together; a name of several comes up once. */
static void check_unique_arguments(GraphqlValidator *validator, const GraphqlArguments *arguments) {
  const GraphqlArgument *items = arguments->items;
  size_t count = arguments->count;
  for (size_t i = 1; i < count && !graphql_validate_is_full(validator); i++) {
    GraphqlPlace places[GRAPHQL_PLACES_MAX] = {{0}};
    size_t before = 0, all = 0;
    for (size_t k = 0; k < count; k++) {
      if (!str_equal(items[k].name, items[i].name)) continue;
      if (k < i) before++;
      if (all < GRAPHQL_PLACES_MAX) places[all++] = items[k].place;
    }
    if (before == 1)
      graphql_mistake(validator->mistakes, CODE_BAD_REQUEST, places, all, "There can be only one argument named \"%.*s\"",
                      STR_ARGS(items[i].name));
  }
}

static void check_unique_members(GraphqlValidator *validator, const GraphqlValue *value) {
  for (size_t i = 0; i < value->count && !graphql_validate_is_full(validator); i++) {
    for (size_t k = 0; k < i; k++) {
      if (!str_equal(value->members[k].name, value->members[i].name)) continue;
      graphql_validate_twice(validator, value->members[k].place, value->members[i].place, "There can be only one input field named",
                             value->members[i].name);
      break;
    }
  }
}

/* ---- values (§5.6) ---- */

static void check_value(GraphqlValidator *validator, GraphqlUsage at);

static void note_usage(GraphqlValidator *validator, GraphqlUsage usage) {
  if (!VEC_PUSH(validator->arena, &validator->part->usages, usage)) validator->mistakes->has_no_memory = true;
}

static void wrong_value(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value) {
  Buf wanted = buf_on(validator->arena, 512);
  graphql_ref_write(ref, &wanted);
  graphql_mistake_at(validator->mistakes, value->place, "A value of type \"%.*s\" is expected here", STR_ARGS(buf_str(&wanted)));
}

void graphql_validate_anything(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value) {
  if (value->kind == GRAPHQL_VARIABLE) note_usage(validator, (GraphqlUsage){.value = value, .ref = ref});
  if (value->kind == GRAPHQL_OBJECT) check_unique_members(validator, value);
  /* An item stands where a list could, so that it may be what the list's items are. */
  GraphqlRef item = ref.depth > 0 ? graphql_item(ref) : graphql_nullable(ref);
  for (size_t i = 0; i < value->count; i++) {
    if (value->kind == GRAPHQL_OBJECT)
      graphql_validate_anything(validator, (GraphqlRef){0}, &value->members[i].value);
    else
      graphql_validate_anything(validator, item, &value->items[i]);
  }
}

static void unknown_member(GraphqlValidator *validator, const GraphqlType *type, const GraphqlArgument *member) {
  Nearest nearest = nearest_to(member->name);
  for (size_t k = 0; k < type->input_count && !graphql_validate_is_full(validator); k++) nearest_offer(&nearest, type->inputs[k].name);
  GraphqlMistake *mistake = graphql_mistake_at(validator->mistakes, member->place, "The input \"%.*s\" has no field \"%.*s\"",
                                               STR_ARGS(type->name), STR_ARGS(member->name));
  graphql_validate_hint(validator, mistake, &nearest);
  graphql_validate_anything(validator, (GraphqlRef){0}, &member->value);
}

static void check_members(GraphqlValidator *validator, const GraphqlType *type, const GraphqlValue *value) {
  for (size_t i = 0; i < value->count; i++) {
    const GraphqlArgument *member = &value->members[i];
    const GraphqlInput *input = graphql_input(type->inputs, type->input_count, member->name);
    if (input == NULL) {
      unknown_member(validator, type, member);
      continue;
    }
    check_value(
        validator,
        (GraphqlUsage){.value = &member->value, .ref = input->type, .has_fallback = input->fallback.len > 0, .is_one_of = type->is_one_of});
  }
}

static void check_object(GraphqlValidator *validator, const GraphqlType *type, const GraphqlValue *value) {
  for (size_t i = 0; i < type->input_count; i++) {
    const GraphqlInput *input = &type->inputs[i];
    bool is_given = !graphql_is_required(input->type) || input->fallback.len > 0;
    for (size_t k = 0; k < value->count && !is_given; k++) is_given = str_equal(value->members[k].name, input->name);
    if (!is_given)
      graphql_mistake_at(validator->mistakes, value->place, "The field \"%.*s.%.*s\" needs a value", STR_ARGS(type->name),
                         STR_ARGS(input->name));
  }
  bool is_one = value->count > 0 && value->members[0].value.kind != GRAPHQL_NULL;
  /* One field that is given twice is another rule's matter. */
  for (size_t k = 1; k < value->count; k++) is_one = is_one && str_equal(value->members[k].name, value->members[0].name);
  if (type->is_one_of && !is_one)
    graphql_mistake_at(validator->mistakes, value->place, "Exactly one field must be given of \"%.*s\"", STR_ARGS(type->name));
  check_unique_members(validator, value);
  check_members(validator, type, value);
}

static void check_items(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value) {
  GraphqlUsage at = {.value = value, .ref = graphql_item(ref)};
  if (value->kind != GRAPHQL_LIST) {
    check_value(validator, at);
    return;
  }
  for (size_t i = 0; i < value->count; i++) {
    at.value = &value->items[i];
    check_value(validator, at);
  }
}

static void check_value(GraphqlValidator *validator, GraphqlUsage at) {
  const GraphqlValue *value = at.value;
  if (value->kind == GRAPHQL_VARIABLE) {
    note_usage(validator, at);
  } else if (value->kind == GRAPHQL_NULL) {
    if (graphql_is_required(at.ref)) wrong_value(validator, at.ref, value);
  } else if (at.ref.depth > 0) {
    check_items(validator, at.ref, value);
  } else if (at.ref.type->kind == GRAPHQL_INPUT_TYPE && value->kind == GRAPHQL_OBJECT) {
    check_object(validator, at.ref.type, value);
  } else {
    bool is_good = at.ref.type->kind != GRAPHQL_INPUT_TYPE && graphql_is_leaf_literal(at.ref.type, value);
    if (!is_good) wrong_value(validator, graphql_nullable(at.ref), value);
    graphql_validate_anything(validator, at.ref, value);
  }
}

void graphql_validate_value(GraphqlValidator *validator, GraphqlRef ref, const GraphqlValue *value, bool has_fallback) {
  check_value(validator, (GraphqlUsage){.value = value, .ref = ref, .has_fallback = has_fallback});
}

/* ---- arguments (§5.4) ---- */

static void unknown_argument(GraphqlValidator *validator, const GraphqlInput *inputs, size_t count, const GraphqlArgument *argument,
                             Str owner) {
  Nearest nearest = nearest_to(argument->name);
  for (size_t k = 0; k < count && !graphql_validate_is_full(validator); k++) nearest_offer(&nearest, inputs[k].name);
  GraphqlMistake *mistake = graphql_mistake_at(validator->mistakes, argument->place, "\"%.*s\" has no argument \"%.*s\"", STR_ARGS(owner),
                                               STR_ARGS(argument->name));
  graphql_validate_hint(validator, mistake, &nearest);
  graphql_validate_anything(validator, (GraphqlRef){0}, &argument->value);
}

void graphql_validate_arguments(GraphqlValidator *validator, const GraphqlInput *inputs, size_t count, const GraphqlArguments *arguments,
                                GraphqlPlace place, Str owner) {
  check_unique_arguments(validator, arguments);
  for (size_t i = 0; i < arguments->count; i++) {
    const GraphqlArgument *argument = &arguments->items[i];
    const GraphqlInput *input = graphql_input(inputs, count, argument->name);
    if (input == NULL)
      unknown_argument(validator, inputs, count, argument, owner);
    else
      graphql_validate_value(validator, input->type, &argument->value, input->fallback.len > 0);
  }
  for (size_t i = 0; i < count; i++) {
    bool is_given = inputs[i].fallback.len > 0 || !graphql_is_required(inputs[i].type);
    for (size_t k = 0; k < arguments->count && !is_given; k++) is_given = str_equal(arguments->items[k].name, inputs[i].name);
    if (!is_given)
      graphql_mistake_at(validator->mistakes, place, "\"%.*s\" needs the argument \"%.*s\"", STR_ARGS(owner), STR_ARGS(inputs[i].name));
  }
}

void graphql_validate_unknown_arguments(GraphqlValidator *validator, const GraphqlArguments *arguments) {
  check_unique_arguments(validator, arguments);
  for (size_t i = 0; i < arguments->count; i++) graphql_validate_anything(validator, (GraphqlRef){0}, &arguments->items[i].value);
}

/* ---- directives (§5.7) ---- */

static void check_directive(GraphqlValidator *validator, const GraphqlDirective *directive, bool is_on_selection) {
  const GraphqlDirectiveForm *form = graphql_directive_form(directive->name);
  if (form == NULL) {
    graphql_mistake_at(validator->mistakes, directive->place, "There is no directive \"@%.*s\"", STR_ARGS(directive->name));
    graphql_validate_unknown_arguments(validator, &directive->arguments);
    return;
  }
  if (!is_on_selection || !form->is_executable)
    graphql_mistake_at(validator->mistakes, directive->place, "The directive \"@%.*s\" can't stand here", STR_ARGS(directive->name));
  bool is_required = str_ends_with(form->argument_type, STR("!"));
  Str type = str_slice(form->argument_type, 0, form->argument_type.len - is_required);
  GraphqlInput input = {.name = form->argument, .fallback = form->argument_default};
  input.type = (GraphqlRef){.type = graphql_type(validator->schema, type), .required = is_required};
  graphql_validate_arguments(validator, &input, form->argument.len > 0, &directive->arguments, directive->place, directive->name);
}

void graphql_validate_directives(GraphqlValidator *validator, const GraphqlDirectives *directives, bool is_on_selection) {
  for (size_t i = 0; i < directives->count && !graphql_validate_is_full(validator); i++) {
    const GraphqlDirective *directive = &directives->items[i];
    for (size_t k = 0; k < i; k++) {
      if (!str_equal(directives->items[k].name, directive->name)) continue;
      graphql_validate_twice(validator, directives->items[k].place, directive->place, "There can be only one directive here named",
                             directive->name);
      break;
    }
    check_directive(validator, directive, is_on_selection);
  }
}
