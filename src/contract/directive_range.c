/* directive_range.c - @range: the least and the greatest value of a number, date or time. */
#include "contract/directive.h"

#include "base/datetime.h"
#include "base/decimal.h"

/* <0, 0 or >0, of two values of the same kind. */
static int order(const Value *a, const Value *b) {
  if (a->type == VALUE_DECIMAL) return decimal_compare(a->text, b->text);
  if (a->type == VALUE_FLOAT) return (a->number > b->number) - (a->number < b->number);
  return (a->integer > b->integer) - (a->integer < b->integer);
}

/* ---- reading ---- */

/* One bound, read as a bare value of the field's type. */
static Code read_bound(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, Str name, Value *ret, Error *err) {
  const SdlArgument *argument = sdl_argument(sdl, name);
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

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  Field *field = checked->field;
  if (sdl->argument_count == 0) report_add(checker->report, sdl->span, (Str){0}, "\"@range\" needs min or max");
  TRY(read_bound(checker, checked, sdl, STR("min"), &field->range_min, err));
  TRY(read_bound(checker, checked, sdl, STR("max"), &field->range_max, err));
  *ret_data = field;
  bool has_both = !value_is_null(&field->range_min) && !value_is_null(&field->range_max);
  if (has_both && order(&field->range_min, &field->range_max) > 0)
    report_add(checker->report, check_span(sdl, STR("min")), (Str){0}, "min is greater than max");
  return CODE_OK;
}

/* ---- values ---- */

static Str bound_text(const Value *value, Arena *arena) {
  char bytes[TIMESTAMP_TEXT_MAX];
  switch (value->type) {
    case VALUE_INT: return arena_printf(arena, "%lld", (long long)value->integer);
    case VALUE_FLOAT: {
      Buf out = buf_on(arena, 64);
      json_write_double(&out, value->number);
      return buf_str(&out);
    }
    case VALUE_TIMESTAMP: return arena_str(arena, (Str){bytes, timestamp_write(value->integer, bytes)});
    case VALUE_DATE: return arena_str(arena, (Str){bytes, date_write(value->integer, bytes)});
    default: return value->text;
  }
}

static Code refuse(const char *format_word, const Value *bound, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  Str text = bound_text(bound, arena);
  TRY_ALLOC(text.ptr);
  Str detail = arena_printf(arena, "must be at %s %.*s", format_word, STR_ARGS(text));
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_RANGE, .detail = detail}, err);
}

static Code check(const Field *field, const void *data, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  (void)data;
  if (!value_is_null(&field->range_min) && order(value, &field->range_min) < 0)
    return refuse("least", &field->range_min, arena, err, broken, context);
  if (!value_is_null(&field->range_max) && order(value, &field->range_max) > 0)
    return refuse("most", &field->range_max, arena, err, broken, context);
  return CODE_OK;
}

/* ---- changes ---- */

/* How a bound has moved: 1 tighter, -1 looser, 0 the same. `sign` is 1 for a least value and -1 for a greatest. */
static int move(const Value *old, const Value *new, int sign) {
  if (value_is_null(old) || value_is_null(new)) return value_is_null(old) - value_is_null(new);
  if (old->type != new->type) return 1;
  int changed = order(new, old);
  return ((changed > 0) - (changed < 0)) * sign;
}

static void compare(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  diff_tell_move(differ, move(&old->range_min, &new->range_min, 1), "@range's min", subject, places);
  diff_tell_move(differ, move(&old->range_max, &new->range_max, -1), "@range's max", subject, places);
}

const Directive DIRECTIVE_RANGE = {
    .name = STR_INIT("range"),
    .definition = STR_INIT("\n"
                           "\"\"\"The least and the greatest value of a number, date or time.\"\"\"\n"
                           "directive @range(min: _Literal, max: _Literal) on FIELD_DEFINITION\n"),
    .types = DIRECTIVE_TYPE(TYPE_INT) | DIRECTIVE_TYPE(TYPE_BIGINT) | DIRECTIVE_TYPE(TYPE_FLOAT) | DIRECTIVE_TYPE(TYPE_DECIMAL) |
             DIRECTIVE_TYPE(TYPE_DATETIME) | DIRECTIVE_TYPE(TYPE_DATE),
    .read_field = read_field,
    .check = check,
    .compare = compare,
};
