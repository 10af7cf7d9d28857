/* check_constraints.c - @decimal, @range, @length and @pattern against the field's type; their bounds as typed values. */
#include "contract/check.h"

#include "contract/input.h"
#include "contract/regex.h"
#include "contract/scalar.h"

typedef enum ConstraintSet { SET_RANGE = 1, SET_LENGTH = 2, SET_PATTERN = 4, SET_DECIMAL = 8 } ConstraintSet;

/* Which constraints make sense for an item of the type. */
static unsigned constraints_of(FieldType type) {
  switch (type) {
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_FLOAT:
    case TYPE_DATETIME:
    case TYPE_DATE: return SET_RANGE;
    case TYPE_DECIMAL: return SET_RANGE | SET_DECIMAL;
    case TYPE_ID:
    case TYPE_STRING:
    case TYPE_EMAIL:
    case TYPE_URL: return SET_LENGTH | SET_PATTERN;
    case TYPE_BYTES: return SET_LENGTH;
    default: return 0;
  }
}

static const SdlDirective *allowed_directive(const Checker *checker, const CheckedField *checked, Str name, ConstraintSet constraint) {
  const SdlDirective *directive = sdl_directive(checked->sdl->directives, name);
  const Field *field = checked->field;
  if (directive == NULL || field->kind != FIELD_STORED) return NULL; /* on relations reported by check_fields */
  unsigned allowed = constraints_of(field->type) | (field->is_list ? SET_LENGTH : 0u);
  if ((allowed & constraint) != 0) return directive;
  Str type = field_type_name(field);
  report_add(checker->report, directive->span, (Str){0}, "\"@%.*s\" makes no sense for the type %.*s", STR_ARGS(name), STR_ARGS(type));
  return NULL;
}

static void check_decimal(const Checker *checker, const CheckedField *checked) {
  const SdlDirective *directive = allowed_directive(checker, checked, STR("decimal"), SET_DECIMAL);
  Field *field = checked->field;
  int64_t precision = -1, scale = -1;
  if (directive == NULL) return;
  bool has_precision = check_int(directive, STR("precision"), &precision), has_scale = check_int(directive, STR("scale"), &scale);
  if (directive->argument_count == 0) report_add(checker->report, directive->span, (Str){0}, "\"@decimal\" needs precision or scale");
  if (has_precision && (precision < 1 || precision > 38)) {
    report_add(checker->report, check_span(directive, STR("precision")), (Str){0}, "the precision is from 1 to 38");
  } else if (has_scale && (scale < 0 || scale > 38 || (has_precision && scale > precision))) {
    report_add(checker->report, check_span(directive, STR("scale")), (Str){0}, "the scale is from 0 to the precision (at most 38)");
  } else {
    field->precision = has_precision ? (int32_t)precision : -1;
    field->scale = has_scale ? (int32_t)scale : -1;
  }
}

/* One bound, read as a bare value of the field's type. */
static Code check_bound(Checker *checker, const CheckedField *checked, const SdlDirective *directive, Str name, Value *ret, Error *err) {
  const SdlArgument *argument = sdl_argument(directive, name);
  if (argument == NULL || argument->value.kind == SDL_NULL) return CODE_OK;
  Field bare = {.name = checked->field->name,
                .type = checked->field->type,
                .is_required = true,
                .length_min = -1,
                .length_max = -1,
                .precision = -1,
                .scale = checked->field->scale};
  JsonValue json = {0};
  bool is_good = false;
  InputMistakes mistakes = {0};
  TRY(check_sdl_literal(checker, &bare, &argument->value, true, &json, &is_good, err));
  if (!is_good) return CODE_OK;
  Code code = field_value_decode(&bare, &json, NULL, checker->arena, ret, &mistakes, err);
  if (code != CODE_VALIDATION_FAILED) return code;
  report_add(checker->report, argument->value.span, (Str){0}, "\"%.*s\" of @range %.*s", STR_ARGS(name),
             STR_ARGS(mistakes.items[0].detail));
  return CODE_OK;
}

static Code check_range(Checker *checker, const CheckedField *checked, Error *err) {
  const SdlDirective *directive = allowed_directive(checker, checked, STR("range"), SET_RANGE);
  Field *field = checked->field;
  if (directive == NULL) return CODE_OK;
  if (directive->argument_count == 0) report_add(checker->report, directive->span, (Str){0}, "\"@range\" needs min or max");
  TRY(check_bound(checker, checked, directive, STR("min"), &field->range_min, err));
  TRY(check_bound(checker, checked, directive, STR("max"), &field->range_max, err));
  if (value_is_null(&field->range_min) || value_is_null(&field->range_max)) return CODE_OK;
  Field upper = {.type = field->type, .range_max = field->range_max, .length_min = -1, .length_max = -1, .precision = -1, .scale = -1};
  InputMistakes mistakes = {0};
  Code code = field_value_check(&upper, &field->range_min, NULL, checker->scratch, &mistakes, err);
  if (code != CODE_VALIDATION_FAILED) return code;
  report_add(checker->report, check_span(directive, STR("min")), (Str){0}, "min is greater than max");
  return CODE_OK;
}

static void check_length(const Checker *checker, const CheckedField *checked) {
  const SdlDirective *directive = allowed_directive(checker, checked, STR("length"), SET_LENGTH);
  Field *field = checked->field;
  int64_t min = -1, max = -1;
  if (directive == NULL) return;
  if (directive->argument_count == 0) report_add(checker->report, directive->span, (Str){0}, "\"@length\" needs min or max");
  bool has_min = check_int(directive, STR("min"), &min), has_max = check_int(directive, STR("max"), &max);
  if (has_min && min < 0)
    report_add(checker->report, check_span(directive, STR("min")), (Str){0}, "a length can't be negative");
  else if (has_max && max < 0)
    report_add(checker->report, check_span(directive, STR("max")), (Str){0}, "a length can't be negative");
  else if (has_min && has_max && min > max)
    report_add(checker->report, check_span(directive, STR("min")), (Str){0}, "min is greater than max");
  else {
    field->length_min = min;
    field->length_max = max;
  }
}

static Code check_pattern(Checker *checker, const CheckedField *checked, Error *err) {
  const SdlDirective *directive = allowed_directive(checker, checked, STR("pattern"), SET_PATTERN);
  const SdlValue *pattern = NULL;
  Regex *regex = NULL;
  if (!check_string(directive, STR("regex"), &pattern)) return CODE_OK;
  Error why = {0};
  Code code = regex_compile(pattern->text, checker->arena, &regex, &why);
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  if (code != CODE_OK) report_add(checker->report, pattern->span, (Str){0}, "%s", why.text);
  checked->field->pattern = pattern->text;
  checked->field->regex = regex;
  return CODE_OK;
}

/* A reference holds the other side's key, with its digits. */
static void inherit_decimal(const CheckedField *checked) {
  for (size_t i = 0; i < checked->key_count; i++) {
    Field *key = checked->keys[i];
    const Field *origin = key->target_key;
    for (size_t hops = 0; origin != NULL && origin->is_relation_key && hops < (size_t)CHECK_KEYS_MAX * 4; hops++)
      origin = origin->target_key;
    if (!checked->owns_key[i] || origin == NULL) continue;
    key->precision = origin->precision;
    key->scale = origin->scale;
  }
}

Code check_constraints(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    const CheckedType *type = &checker->types[i];
    for (size_t j = 0; j < type->field_count; j++) {
      const CheckedField *checked = &type->fields[j];
      if (checked->field == NULL) continue;
      check_decimal(checker, checked);
      check_length(checker, checked);
      TRY(check_range(checker, checked, err));
      TRY(check_pattern(checker, checked, err));
    }
  }
  for (size_t i = 0; i < checker->type_count; i++) {
    for (size_t j = 0; j < checker->types[i].field_count; j++) inherit_decimal(&checker->types[i].fields[j]);
  }
  return CODE_OK;
}
