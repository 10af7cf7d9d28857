/* check_defaults.c - @default: given once, a literal of the field's type that keeps the field's own constraints. Expressions are parsed in
 * check_rules.c. */
#include "contract/check.h"

#include "base/utf8.h"
#include "contract/input.h"
#include "contract/value_json.h"

static bool refuse_literal(const Checker *checker, const Field *field, const SdlValue *value, const char *wanted) {
  report_add(checker->report, value->span, (Str){0}, "a value of \"%.*s\" must be %s", STR_ARGS(field->name), wanted);
  return false;
}

static Code literal_list(Checker *checker, const Field *field, const SdlValue *value, JsonValue *ret, bool *ret_is_good, Error *err) {
  JsonValue *items = ARENA_ARRAY(checker->arena, JsonValue, value->count);
  TRY_ALLOC(items);
  bool is_good = true;
  for (size_t i = 0; i < value->count; i++) {
    bool is_item_good = false;
    TRY(check_sdl_literal(checker, field, &value->items[i], true, &items[i], &is_item_good, err));
    is_good = is_good && is_item_good;
  }
  *ret = (JsonValue){.type = JSON_ARRAY, .items = items, .count = value->count};
  *ret_is_good = is_good;
  return CODE_OK;
}

/* What a member of a JSON field, or an unknown one, is taken for: anything. */
static const Field any_json = {.name = STR_INIT("JSON"), .type = TYPE_JSON};

static Code literal_object(Checker *checker, const Field *field, const SdlValue *value, JsonValue *ret, bool *ret_is_good, Error *err) {
  JsonMember *members = ARENA_ARRAY(checker->arena, JsonMember, value->count);
  TRY_ALLOC(members);
  Map seen = map_on(checker->scratch);
  bool is_good = true;
  for (size_t i = 0; i < value->count; i++) {
    const SdlArgument *given = &value->members[i];
    const Field *member = field->type == TYPE_EMBEDDED ? map_get(&field->embedded->field_by_name, given->name) : NULL;
    bool is_member_good = false;
    if (map_get(&seen, given->name) != NULL) {
      report_add(checker->report, given->span, (Str){0}, "\"%.*s\" stands twice in this object", STR_ARGS(given->name));
      is_good = false;
    }
    if (!map_put(&seen, given->name, members)) return error_no_memory(err);
    members[i].name = given->name;
    TRY(check_sdl_literal(checker, member == NULL ? &any_json : member, &given->value, false, &members[i].value, &is_member_good, err));
    is_good = is_good && is_member_good;
  }
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members, .count = value->count};
  *ret_is_good = is_good;
  return CODE_OK;
}

/* Enums: bare in the contract, and only there. */
static bool literal_name(const Checker *checker, const Field *field, const SdlValue *value, JsonValue *ret) {
  if (field->type != TYPE_ENUM) return refuse_literal(checker, field, value, "a literal of its type; a string stands in quotes");
  *ret = (JsonValue){.type = JSON_STRING, .text = value->text};
  return true;
}

static bool literal_string(const Checker *checker, const Field *field, const SdlValue *value, JsonValue *ret) {
  if (field->type == TYPE_ENUM) {
    Str hint = arena_printf(checker->scratch, "write %.*s without quotes", STR_ARGS(utf8_cut(value->text, 80)));
    report_add(checker->report, value->span, hint.ptr == NULL ? (Str){0} : hint, "an enum's value is written bare");
    return false;
  }
  *ret = (JsonValue){.type = JSON_STRING, .text = value->text};
  return true;
}

Code check_sdl_literal(Checker *checker, const Field *field, const SdlValue *value, bool is_item, JsonValue *ret, bool *ret_is_good,
                       Error *err) {
  *ret_is_good = true;
  switch (value->kind) {
    case SDL_NULL: *ret = (JsonValue){.type = JSON_NULL}; return CODE_OK;
    case SDL_INT:
    case SDL_FLOAT: *ret = (JsonValue){.type = JSON_NUMBER, .text = value->text}; return CODE_OK;
    case SDL_BOOLEAN: *ret = (JsonValue){.type = JSON_BOOL, .boolean = str_equal(value->text, STR("true"))}; return CODE_OK;
    case SDL_STRING: *ret_is_good = literal_string(checker, field, value, ret); return CODE_OK;
    case SDL_ENUM: *ret_is_good = literal_name(checker, field, value, ret); return CODE_OK;
    case SDL_OBJECT: return literal_object(checker, field, value, ret, ret_is_good, err);
    case SDL_LIST: {
      /* A list in a list is an item that is none of the field's type, unless that is JSON. */
      const Field *items = is_item && field->type != TYPE_JSON ? &any_json : field;
      return literal_list(checker, items, value, ret, ret_is_good, err);
    }
  }
  return CODE_OK;
}

/* The one form that a value of the type has in JSON, so that what is shown as the default equals what is answered: "1.50" for a scale of 2.
 */
static Code canonical_default(Checker *checker, Field *field, const Value *value, Error *err) {
  Buf out = buf_on(checker->arena, SIZE_MAX);
  Str text = {0};
  value_write_json(field, value, &out);
  TRY(buf_finish(&out, &text, err));
  /* A literal of the deepest allowed nesting still fits, with one level for the value itself. */
  TRY(json_parse(text, CONTRACT_DEPTH_MAX + JSON_DEPTH_DEFAULT, checker->arena, &field->default_value, err));
  field->default_kind = DEFAULT_VALUE;
  return CODE_OK;
}

static Code check_default_value(Checker *checker, const CheckedField *checked, Field *field, const SdlArgument *argument, Error *err) {
  JsonValue json = {0};
  Value value = value_null();
  bool is_good = false;
  InputMistakes mistakes = {0};
  TRY(check_sdl_literal(checker, field, &argument->value, false, &json, &is_good, err));
  if (!is_good) return CODE_OK;
  Code code = field_value_decode(field, &json, NULL, checker->arena, &value, &mistakes, err);
  if (code == CODE_UNAVAILABLE) return code;
  for (size_t i = 0; i < mistakes.count && i < 5; i++) {
    const InputMistake *mistake = &mistakes.items[i];
    report_add(checker->report, argument->value.span, mistake->hint, "the default of \"%.*s\"%s%.*s %.*s", STR_ARGS(checked->sdl->name),
               mistake->pointer.len > 0 ? " at " : "", STR_ARGS(mistake->pointer), STR_ARGS(mistake->detail));
  }
  if (mistakes.count > 0 || json.type == JSON_NULL) return CODE_OK;
  return canonical_default(checker, field, &value, err);
}

static Code check_default(Checker *checker, const CheckedField *checked, Error *err) {
  const SdlDirective *directive = sdl_directive(checked->sdl->directives, STR("default"));
  if (directive == NULL || checked->field == NULL || checked->field->kind == FIELD_TO_MANY) return CODE_OK;
  const SdlArgument *value = sdl_argument(directive, STR("value")), *expr = sdl_argument(directive, STR("expr"));
  bool is_relation = checked->field->kind == FIELD_TO_ONE, is_database = check_flag(directive, STR("database"));
  int given = (value != NULL) + (expr != NULL) + (is_database ? 1 : 0);
  if (given > 1) {
    report_add(checker->report, directive->span, (Str){0}, "the default of \"%.*s\" is given twice", STR_ARGS(checked->sdl->name));
    return CODE_OK;
  }
  if (given == 0) {
    report_add(checker->report, directive->span, STR("@default(value: …) or @default(expr: \"…\")"), "the default of \"%.*s\" is not given",
               STR_ARGS(checked->sdl->name));
    return CODE_OK;
  }
  if (is_relation && checked->key_count != 1) {
    report_add(checker->report, directive->span, (Str){0}, "a relation to a composite key can't have a default (\"%.*s\")",
               STR_ARGS(checked->sdl->name));
    return CODE_OK;
  }
  if (expr != NULL && checked->owner->kind == CHECKED_EMBEDDED) {
    report_add(checker->report, expr->span, STR("use @default(value: …)"), "a default in an embedded type is a literal");
    return CODE_OK;
  }
  Field *field = is_relation ? checked->keys[0] : checked->field;
  if (is_database) field->default_kind = DEFAULT_DATABASE;
  return value == NULL ? CODE_OK : check_default_value(checker, checked, field, value, err);
}

/* A literal may leave out members that have defaults of their own, so those are known before any is checked. */
static Code note_member_defaults(Checker *checker, const CheckedType *type, Error *err) {
  for (size_t i = 0; i < type->field_count; i++) {
    Field *field = type->fields[i].field;
    const SdlArgument *value = sdl_argument(sdl_directive(type->fields[i].sdl->directives, STR("default")), STR("value"));
    bool is_good = false;
    JsonValue json = {0};
    if (field == NULL || value == NULL) continue;
    TRY(check_sdl_literal(checker, field, &value->value, false, &json, &is_good, err));
    if (!is_good || json.type == JSON_NULL) continue;
    field->default_kind = DEFAULT_VALUE;
    field->default_value = json;
  }
  return CODE_OK;
}

Code check_defaults(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    if (checker->types[i].kind == CHECKED_EMBEDDED) TRY(note_member_defaults(checker, &checker->types[i], err));
  }
  for (size_t i = 0; i < checker->type_count; i++) {
    for (size_t j = 0; j < checker->types[i].field_count; j++) TRY(check_default(checker, &checker->types[i].fields[j], err));
  }
  return CODE_OK;
}
