/* directive_decimal.c - @decimal: how many digits a Decimal has. */
#include "contract/directive.h"

#include "base/decimal.h"

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  Field *field = checked->field;
  int64_t precision = -1, scale = -1;
  (void)err;
  bool has_precision = check_int(sdl, STR("precision"), &precision), has_scale = check_int(sdl, STR("scale"), &scale);
  if (sdl->argument_count == 0) report_add(checker->report, sdl->span, (Str){0}, "\"@decimal\" needs precision or scale");
  if (has_precision && (precision < 1 || precision > 38)) {
    report_add(checker->report, check_span(sdl, STR("precision")), (Str){0}, "the precision is from 1 to 38");
  } else if (has_scale && (scale < 0 || scale > 38 || (has_precision && scale > precision))) {
    report_add(checker->report, check_span(sdl, STR("scale")), (Str){0}, "the scale is from 0 to the precision (at most 38)");
  } else {
    field->precision = has_precision ? (int32_t)precision : -1;
    field->scale = has_scale ? (int32_t)scale : -1;
    *ret_data = field;
  }
  return CODE_OK;
}

/* A reference holds the other side's key, with its digits. */
static void inherit(Field *key, const Field *origin) {
  key->precision = origin->precision;
  key->scale = origin->scale;
}

static Code check(const Field *field, const void *data, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  Str decimal = value->text, detail = {0};
  size_t scale = decimal_scale(decimal), integer = decimal_integer_digits(decimal);
  (void)data;
  if (field->scale >= 0 && scale > (size_t)field->scale) {
    detail = arena_printf(arena, "must have at most %d digit%s behind the point", (int)field->scale, field->scale == 1 ? "" : "s");
  } else if (field->precision >= 0) {
    /* A fixed scale takes its digits from the precision, used or not. */
    size_t behind = field->scale >= 0 ? (size_t)field->scale : scale;
    bool is_zero = str_equal(decimal, STR("0")) || str_starts_with(decimal, STR("0.")) || str_starts_with(decimal, STR("-0."));
    if ((is_zero ? 0 : integer) + behind <= (size_t)field->precision) return CODE_OK;
    detail = field->scale >= 0 ? arena_printf(arena, "must have at most %d digit%s before the point",
                                              (int)(field->precision - field->scale), field->precision - field->scale == 1 ? "" : "s")
                               : arena_printf(arena, "must have at most %d digits", (int)field->precision);
  } else {
    return CODE_OK;
  }
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_RANGE, .detail = detail}, err);
}

static void compare(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  if (new->type != TYPE_DECIMAL) return;
  diff_tell_move(differ, diff_count_move(old->precision, new->precision, -1), "@decimal's precision", subject, places);
  if (old->scale == new->scale) return;
  diff_tell_move(differ, diff_count_move(old->scale, new->scale, -1), "@decimal's scale", subject, places);
  diff_add(differ, DIFF_BREAKS_READERS, "scale-changed", subject, places, "is written with other digits behind the point");
}

const Directive DIRECTIVE_DECIMAL = {
    .name = STR_INIT("decimal"),
    .definition = STR_INIT("\n"
                           "\"\"\"How many digits a Decimal may have in all, and how many of them stand behind the point.\"\"\"\n"
                           "directive @decimal(precision: Int, scale: Int) on FIELD_DEFINITION\n"),
    .types = DIRECTIVE_TYPE(TYPE_DECIMAL),
    .read_field = read_field,
    .inherit = inherit,
    .check = check,
    .compare = compare,
};
