/* check_types.c - which types there are: names, duplicates, what isn't supported; enums and their values. */
#include "contract/check.h"
#include "base/utf8.h"
#include "contract/format.h"
#include "contract/scalar.h"

static const Str reserved_names[] = {STR_INIT("Query"),    STR_INIT("Mutation"), STR_INIT("Subscription"), STR_INIT("Node"),
                                     STR_INIT("PageInfo"), STR_INIT("_Entity"),  STR_INIT("_Service"),     STR_INIT("_Any")};

static const SdlDefinition *prelude_definition(const Checker *checker, SdlKind kind, Str name) {
  for (size_t i = 0; i < checker->prelude->count; i++) {
    const SdlDefinition *known = &checker->prelude->items[i];
    if (known->kind == kind && str_equal(known->name, name)) return known;
  }
  return NULL;
}

static bool is_prelude_name(const Checker *checker, Str name) {
  return prelude_definition(checker, SDL_SCALAR, name) != NULL || prelude_definition(checker, SDL_ENUM_TYPE, name) != NULL;
}

static bool is_reserved_name(const Checker *checker, Str name) {
  FieldType type;
  if (scalar_by_name(name, &type) || is_prelude_name(checker, name) || str_starts_with(name, STR("__"))) return true;
  for (size_t i = 0; i < sizeof reserved_names / sizeof reserved_names[0]; i++) {
    if (str_equal(reserved_names[i], name)) return true;
  }
  return false;
}

static void refuse_scalar(const Checker *checker, const SdlDefinition *sdl) {
  FieldType type;
  if (scalar_by_name(sdl->name, &type) || is_prelude_name(checker, sdl->name)) return;
  report_add(checker->report, sdl->span,
             STR("the scalars are ID String Int BigInt Float Decimal Boolean DateTime Date UUID JSON Bytes Email URL"),
             "a scalar of one's own (\"%.*s\") is not supported", STR_ARGS(sdl->name));
}

static void refuse_directive_definition(const Checker *checker, const SdlDefinition *sdl) {
  if (prelude_definition(checker, SDL_DIRECTIVE_DEFINITION, sdl->name) != NULL) return;
  report_add(checker->report, sdl->span, STR("`caisson contract --prelude` prints the directives that there are"),
             "a directive of one's own (\"@%.*s\") is not supported", STR_ARGS(sdl->name));
}

/* True when the definition has no part in the model. */
static bool is_set_aside(const Checker *checker, const SdlDefinition *sdl) {
  if (sdl->kind == SDL_SCHEMA) return true;
  if (sdl->kind == SDL_DIRECTIVE_DEFINITION) refuse_directive_definition(checker, sdl);
  if (sdl->kind == SDL_SCALAR) refuse_scalar(checker, sdl);
  if (sdl->kind == SDL_DIRECTIVE_DEFINITION || sdl->kind == SDL_SCALAR) return true;
  /* The prelude may lie beside a contract, for the editor's sake. */
  if (sdl->kind == SDL_ENUM_TYPE && prelude_definition(checker, SDL_ENUM_TYPE, sdl->name) != NULL) return true;
  if (!sdl->is_extension) return false;
  report_add(checker->report, sdl->span, STR("write the fields and directives where the type is defined"),
             "\"extend\" is supported for the schema only");
  return true;
}

static void refuse_kind(const Checker *checker, const SdlDefinition *sdl) {
  const char *kind = sdl->kind == SDL_INTERFACE ? "interfaces are" : sdl->kind == SDL_UNION ? "unions are" : "input types are";
  Str hint = sdl->kind == SDL_INPUT ? STR("the inputs are made from the types; a type without @resource is embedded")
                                    : STR("use a type with a field for each case, or an enum that tells them apart");
  report_add(checker->report, sdl->span, hint, "%s not supported yet (\"%.*s\")", kind, STR_ARGS(sdl->name));
}

static CheckedKind kind_of(const SdlDefinition *sdl) {
  if (sdl->kind == SDL_ENUM_TYPE) return CHECKED_ENUM;
  if (sdl->kind != SDL_TYPE) return CHECKED_REFUSED;
  return sdl_directive(sdl->directives, STR("resource")) != NULL ? CHECKED_RESOURCE : CHECKED_EMBEDDED;
}

static bool add_type(Checker *checker, const SdlDefinition *sdl) {
  const CheckedType *known = map_get(&checker->type_by_name, sdl->name);
  if (known != NULL) {
    Str hint = arena_printf(checker->scratch, "the first is at %.*s:%u:%u", STR_ARGS(known->sdl->span.source->name), known->sdl->span.line,
                            known->sdl->span.column);
    report_add(checker->report, sdl->span, hint.ptr == NULL ? (Str){0} : hint, "the type \"%.*s\" is defined twice", STR_ARGS(sdl->name));
    return true;
  }
  if (kind_of(sdl) != CHECKED_REFUSED && is_reserved_name(checker, sdl->name)) {
    const char *why = str_starts_with(sdl->name, STR("__")) ? "names that begin with __ belong to GraphQL" : "it is built in";
    report_add(checker->report, sdl->span, STR("choose another name"), "a type can't be named \"%.*s\": %s", STR_ARGS(sdl->name), why);
  }
  CheckedType *type = &checker->types[checker->type_count];
  *type = (CheckedType){.sdl = sdl,
                        .kind = kind_of(sdl),
                        .index = (uint32_t)checker->type_count,
                        .field_by_name = map_on(checker->arena),
                        .field_by_column = map_on(checker->arena),
                        .implied_by_name = map_on(checker->arena)};
  if (type->kind == CHECKED_REFUSED) refuse_kind(checker, sdl);
  if (sdl->implements.source != NULL) {
    report_add(checker->report, sdl->implements, STR("write the interface's fields in the type itself"),
               "interfaces are not supported yet");
  }
  checker->type_count++;
  return map_put(&checker->type_by_name, sdl->name, type);
}

static Str check_moment(const Checker *checker, const SdlDirective *directive, Str name) {
  const SdlValue *given = NULL;
  int64_t unused = 0;
  if (!check_string(directive, name, &given)) return (Str){0};
  if (contract_moment(given->text, &unused)) return given->text;
  report_add(checker->report, given->span, (Str){0}, "%.*s must be a date (2026-11-23) or a time (2026-11-23T12:00:00Z)", STR_ARGS(name));
  return (Str){0};
}

/* It goes into a Link header between < and >. */
static Str check_link(const Checker *checker, const SdlDirective *directive) {
  const SdlValue *given = NULL;
  if (!check_string(directive, STR("url"), &given)) return (Str){0};
  if (url_is_valid(given->text)) return given->text;
  report_add(checker->report, given->span, STR("such as \"https://example.org/changes\""), "url must be an absolute URL");
  return (Str){0};
}

Deprecation check_deprecation(const Checker *checker, SdlDirectives directives) {
  const SdlDirective *deprecated = sdl_directive(directives, STR("deprecated"));
  const SdlValue *reason = NULL;
  int64_t since = 0, sunset = 0;
  if (deprecated == NULL) return (Deprecation){0};
  Deprecation made = {.reason = check_string(deprecated, STR("reason"), &reason) ? reason->text : STR("No longer supported"),
                      .since = check_moment(checker, deprecated, STR("since")),
                      .sunset = check_moment(checker, deprecated, STR("sunset")),
                      .url = check_link(checker, deprecated)};
  /* RFC 9745 §4 */
  if (contract_moment(made.since, &since) && contract_moment(made.sunset, &sunset) && sunset < since)
    report_add(checker->report, check_span(deprecated, STR("sunset")), (Str){0}, "sunset must not be before since");
  return made;
}

static bool is_enum_name_allowed(Str name) {
  return !str_equal(name, STR("true")) && !str_equal(name, STR("false")) && !str_equal(name, STR("null")) &&
         !str_starts_with(name, STR("__"));
}

/* False: a duplicate, which is left out. */
static bool check_enum_value(Checker *checker, const SdlField *sdl, EnumValue *value, Map *names, Map *stored, bool *ret_is_new) {
  const SdlValue *stored_name = NULL;
  const SdlDirective *renamed = sdl_directive(sdl->directives, STR("value"));
  *ret_is_new = false;
  if (map_get(names, sdl->name) != NULL) {
    report_add(checker->report, sdl->span, (Str){0}, "the value \"%.*s\" stands twice in this enum", STR_ARGS(sdl->name));
    return true;
  }
  if (!is_enum_name_allowed(sdl->name))
    report_add(checker->report, sdl->span, (Str){0}, "an enum's value can't be named \"%.*s\"", STR_ARGS(sdl->name));
  *value = (EnumValue){.name = sdl->name, .place = span_place(sdl->span), .stored = sdl->name, .description = sdl->description};
  if (check_string(renamed, STR("name"), &stored_name)) value->stored = stored_name->text;
  CHECK_SET_DEPRECATION(value, check_deprecation(checker, sdl->directives));
  if (map_get(stored, value->stored) != NULL) {
    report_add(checker->report, stored_name != NULL ? stored_name->span : sdl->span, (Str){0},
               "two values of this enum are stored as \"%.*s\"", STR_ARGS(utf8_cut(value->stored, 60)));
  }
  *ret_is_new = true;
  return map_put(names, value->name, value) && map_put(stored, value->stored, value);
}

static Code check_enum(Checker *checker, CheckedType *type, Error *err) {
  const SdlDefinition *sdl = type->sdl;
  EnumType *made = ARENA_NEW(checker->arena, EnumType);
  EnumValue *values = ARENA_ARRAY(checker->arena, EnumValue, sdl->field_count);
  if (made == NULL || values == NULL) return error_no_memory(err);
  *made = (EnumType){.name = sdl->name, .place = span_place(sdl->span), .description = sdl->description, .values = values};
  Map names = map_on(checker->scratch), stored = map_on(checker->scratch);
  for (size_t i = 0; i < sdl->field_count; i++) {
    bool is_new = false;
    EnumValue *value = &values[made->value_count];
    if (!check_enum_value(checker, &sdl->fields[i], value, &names, &stored, &is_new)) return error_no_memory(err);
    if (!is_new) continue;
    made->has_stored_names = made->has_stored_names || !str_equal(value->name, value->stored);
    made->value_count++;
  }
  if (sdl->field_count == 0 && !sdl->is_broken)
    report_add(checker->report, sdl->span, (Str){0}, "the enum \"%.*s\" has no values", STR_ARGS(sdl->name));
  type->enum_type = made;
  return CODE_OK;
}

static Code make_type(Checker *checker, CheckedType *type, Error *err) {
  if (type->kind == CHECKED_ENUM) return check_enum(checker, type, err);
  if (type->kind == CHECKED_RESOURCE) {
    type->resource = ARENA_NEW(checker->arena, Resource);
    TRY_ALLOC(type->resource);
    *type->resource = (Resource){.name = type->sdl->name,
                                 .description = type->sdl->description,
                                 .place = span_place(type->sdl->span),
                                 .contract = checker->contract,
                                 .cache = {.max_age_s = -1}};
    CHECK_SET_DEPRECATION(type->resource, check_deprecation(checker, type->sdl->directives));
  } else if (type->kind == CHECKED_EMBEDDED) {
    type->embedded = ARENA_NEW(checker->arena, Embedded);
    TRY_ALLOC(type->embedded);
    *type->embedded = (Embedded){.name = type->sdl->name, .description = type->sdl->description};
  }
  return CODE_OK;
}

Code check_types(Checker *checker, Error *err) {
  const SdlDocument *document = checker->document;
  checker->types = ARENA_ARRAY(checker->scratch, CheckedType, document->count);
  TRY_ALLOC(checker->types);
  bool has_resource = false;
  for (size_t i = 0; i < document->count; i++) {
    if (is_set_aside(checker, &document->items[i])) continue;
    if (!add_type(checker, &document->items[i])) return error_no_memory(err);
  }
  for (size_t i = 0; i < checker->type_count; i++) {
    has_resource = has_resource || checker->types[i].kind == CHECKED_RESOURCE;
    TRY(make_type(checker, &checker->types[i], err));
  }
  if (!has_resource && !checker->is_partial) {
    Span start = {.source = checker->first_source, .line = 1, .column = 1};
    report_add(checker->report, start, STR("add one: type Product @resource { id: ID! … }"), "the contract has no resource");
  }
  return CODE_OK;
}
