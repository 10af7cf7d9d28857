/* check_directives.c - each directive against its definition in the prelude: where it may stand, how often, its arguments and their kinds.
 * What the arguments mean is for the passes behind this one. */
#include "contract/check.h"

#include "contract/nearest.h"

typedef struct DirectivePlace {
  Str location;     /* GraphQL's name */
  const char *said; /* in messages */
} DirectivePlace;

static const DirectivePlace on_schema = {STR_INIT("SCHEMA"), "the schema"};
static const DirectivePlace on_type = {STR_INIT("OBJECT"), "a type"};
static const DirectivePlace on_enum = {STR_INIT("ENUM"), "an enum"};
static const DirectivePlace on_field = {STR_INIT("FIELD_DEFINITION"), "a field"};
static const DirectivePlace on_value = {STR_INIT("ENUM_VALUE"), "an enum's value"};

static const SdlDefinition *directive_definition(const Checker *checker, Str name, size_t *ret_index) {
  for (size_t i = 0; i < checker->prelude->count; i++) {
    const SdlDefinition *known = &checker->prelude->items[i];
    if (known->kind != SDL_DIRECTIVE_DEFINITION || !str_equal(known->name, name)) continue;
    *ret_index = i;
    return known;
  }
  return NULL;
}

static Str unknown_directive_hint(const Checker *checker, Str name) {
  static const Str federation[] = {STR_INIT("key"), STR_INIT("external"), STR_INIT("requires"), STR_INIT("provides"), STR_INIT("link")};
  for (size_t i = 0; i < sizeof federation / sizeof federation[0]; i++) {
    if (str_equal(federation[i], name)) return STR("federation's directives are made from the contract; leave them out");
  }
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < checker->prelude->count; i++) {
    if (checker->prelude->items[i].kind == SDL_DIRECTIVE_DEFINITION) nearest_offer(&nearest, checker->prelude->items[i].name);
  }
  if (nearest.best.len == 0) return (Str){0};
  Str hint = arena_printf(checker->scratch, "did you mean \"@%.*s\"?", STR_ARGS(nearest.best));
  return hint.ptr == NULL ? (Str){0} : hint;
}

static bool has_location(const SdlDefinition *definition, Str location) {
  for (size_t i = 0; i < definition->location_count; i++) {
    if (str_equal(definition->locations[i], location)) return true;
  }
  return false;
}

static void refuse_place(const Checker *checker, const SdlDirective *directive, const SdlDefinition *definition,
                         const DirectivePlace *place) {
  const DirectivePlace *places[] = {&on_schema, &on_type, &on_field, &on_value};
  const char *first = "", *second = NULL;
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    if (!has_location(definition, places[i]->location)) continue;
    if (first[0] == '\0')
      first = places[i]->said;
    else
      second = places[i]->said;
  }
  Str hint = arena_printf(checker->scratch, "it stands on %s%s%s", first, second == NULL ? "" : " or ", second == NULL ? "" : second);
  report_add(checker->report, directive->span, hint.ptr == NULL ? (Str){0} : hint, "\"@%.*s\" can't stand on %s", STR_ARGS(directive->name),
             place->said);
}

static const SdlField *parameter_of(const SdlDefinition *definition, Str name) {
  for (size_t i = 0; i < definition->field_count; i++) {
    if (str_equal(definition->fields[i].name, name)) return &definition->fields[i];
  }
  return NULL;
}

static const SdlDefinition *prelude_enum(const Checker *checker, Str name) {
  for (size_t i = 0; i < checker->prelude->count; i++) {
    const SdlDefinition *known = &checker->prelude->items[i];
    if (known->kind == SDL_ENUM_TYPE && str_equal(known->name, name)) return known;
  }
  return NULL;
}

static void refuse_argument(const Checker *checker, const SdlDirective *directive, const SdlArgument *argument, const char *wanted) {
  report_add(checker->report, argument->value.span, (Str){0}, "\"%.*s\" of @%.*s must be %s", STR_ARGS(argument->name),
             STR_ARGS(directive->name), wanted);
}

static void check_enum_argument(const Checker *checker, const SdlDirective *directive, const SdlArgument *argument,
                                const SdlDefinition *type) {
  Nearest nearest = nearest_to(argument->value.text);
  Str names = {0};
  for (size_t i = 0; i < type->field_count; i++) {
    if (argument->value.kind == SDL_ENUM && str_equal(type->fields[i].name, argument->value.text)) return;
    nearest_offer(&nearest, type->fields[i].name);
    names = arena_printf(checker->scratch, "%.*s%s%.*s", STR_ARGS(names), i == 0 ? "" : ", ", STR_ARGS(type->fields[i].name));
    if (names.ptr == NULL) checker->report->has_no_memory = true;
  }
  report_add(checker->report, argument->value.span, nearest_hint(&nearest, checker->scratch), "\"%.*s\" of @%.*s must be one of %.*s",
             STR_ARGS(argument->name), STR_ARGS(directive->name), STR_ARGS(names));
}

static bool is_list_of_strings(const SdlValue *value) {
  if (value->kind != SDL_LIST) return false;
  for (size_t i = 0; i < value->count; i++) {
    if (value->items[i].kind != SDL_STRING) return false;
  }
  return true;
}

static void check_argument_kind(const Checker *checker, const SdlDirective *directive, const SdlArgument *argument,
                                const SdlTypeRef *type) {
  const SdlValue *value = &argument->value;
  int64_t n = 0;
  if (value->kind == SDL_NULL) {
    if (type->is_required) refuse_argument(checker, directive, argument, "given: null says nothing");
  } else if (type->list_depth > 0) {
    if (!is_list_of_strings(value))
      refuse_argument(checker, directive, argument, "a list of strings: [\"a\", \"b\"]");
    else if (value->count == 0)
      refuse_argument(checker, directive, argument, "a list with something in it");
  } else if (str_equal(type->name, STR("String"))) {
    if (value->kind != SDL_STRING) refuse_argument(checker, directive, argument, "a string");
  } else if (str_equal(type->name, STR("Boolean"))) {
    if (value->kind != SDL_BOOLEAN) refuse_argument(checker, directive, argument, "true or false");
  } else if (str_equal(type->name, STR("Int"))) {
    bool is_good = value->kind == SDL_INT && str_parse_int64(value->text, &n) && n >= INT32_MIN && n <= INT32_MAX;
    if (!is_good) refuse_argument(checker, directive, argument, "an integer");
  } else {
    const SdlDefinition *known = prelude_enum(checker, type->name);
    if (known != NULL) check_enum_argument(checker, directive, argument, known);
  }
}

static void check_argument(const Checker *checker, const SdlDirective *directive, const SdlDefinition *definition,
                           const SdlArgument *argument) {
  const SdlField *parameter = parameter_of(definition, argument->name);
  if (parameter != NULL) {
    check_argument_kind(checker, directive, argument, &parameter->type);
    return;
  }
  Nearest nearest = nearest_to(argument->name);
  for (size_t i = 0; i < definition->field_count; i++) nearest_offer(&nearest, definition->fields[i].name);
  report_add(checker->report, argument->span, nearest_hint(&nearest, checker->scratch), "\"@%.*s\" has no argument \"%.*s\"",
             STR_ARGS(directive->name), STR_ARGS(argument->name));
}

static void check_arguments(const Checker *checker, const SdlDirective *directive, const SdlDefinition *definition) {
  for (size_t i = 0; i < directive->argument_count && !report_is_full(checker->report); i++)
    check_argument(checker, directive, definition, &directive->arguments[i]);
  for (size_t i = 0; i < definition->field_count; i++) {
    const SdlField *parameter = &definition->fields[i];
    const SdlArgument *first = sdl_argument(directive, parameter->name);
    if (first == NULL && parameter->type.is_required && !parameter->has_default) {
      report_add(checker->report, directive->span, (Str){0}, "\"@%.*s\" needs the argument \"%.*s\"", STR_ARGS(directive->name),
                 STR_ARGS(parameter->name));
    }
    for (size_t j = 0; first != NULL && j < directive->argument_count; j++) {
      const SdlArgument *other = &directive->arguments[j];
      if (other == first || !str_equal(other->name, parameter->name)) continue;
      report_add(checker->report, other->span, (Str){0}, "the argument \"%.*s\" is given twice", STR_ARGS(other->name));
      break;
    }
  }
}

/* `seen` has a bit for each definition of the prelude that stands here already. */
static void check_directive(const Checker *checker, const SdlDirective *directive, const DirectivePlace *place, uint64_t *seen) {
  size_t index = 0;
  const SdlDefinition *definition = directive_definition(checker, directive->name, &index);
  if (definition == NULL) {
    report_add(checker->report, directive->span, unknown_directive_hint(checker, directive->name), "unknown directive \"@%.*s\"",
               STR_ARGS(directive->name));
    return;
  }
  if (!has_location(definition, place->location)) {
    refuse_place(checker, directive, definition, place);
    return;
  }
  uint64_t bit = UINT64_C(1) << (index % 64);
  if ((*seen & bit) != 0 && !definition->is_repeatable) {
    report_add(checker->report, directive->span, (Str){0}, "\"@%.*s\" is given twice", STR_ARGS(directive->name));
  }
  *seen |= bit;
  check_arguments(checker, directive, definition);
}

static void check_all(const Checker *checker, SdlDirectives directives, const DirectivePlace *place) {
  uint64_t seen = 0;
  for (size_t i = 0; i < directives.count && !report_is_full(checker->report); i++)
    check_directive(checker, &directives.items[i], place, &seen);
}

/* What is only for stored types says so on an embedded one. */
static void check_embedded(const Checker *checker, const CheckedType *type) {
  for (size_t i = 0; i < type->sdl->directives.count; i++) {
    const SdlDirective *directive = &type->sdl->directives.items[i];
    size_t index = 0;
    const SdlDefinition *definition = directive_definition(checker, directive->name, &index);
    if (definition == NULL || !has_location(definition, on_type.location)) continue;
    report_add(checker->report, directive->span, STR("a type without @resource is embedded in others, as JSON"),
               "\"@%.*s\" needs \"@resource\" beside it", STR_ARGS(directive->name));
  }
}

Code check_directives(Checker *checker, Error *err) {
  (void)err;
  for (size_t i = 0; i < checker->document->count; i++) {
    if (checker->document->items[i].kind == SDL_SCHEMA) check_all(checker, checker->document->items[i].directives, &on_schema);
  }
  for (size_t i = 0; i < checker->type_count; i++) {
    const CheckedType *type = &checker->types[i];
    const SdlDefinition *sdl = type->sdl;
    if (type->kind == CHECKED_REFUSED) continue;
    bool is_enum = type->kind == CHECKED_ENUM;
    check_all(checker, sdl->directives, is_enum ? &on_enum : &on_type);
    if (type->kind == CHECKED_EMBEDDED) check_embedded(checker, type);
    for (size_t j = 0; j < sdl->field_count; j++) check_all(checker, sdl->fields[j].directives, is_enum ? &on_value : &on_field);
  }
  return CODE_OK;
}
