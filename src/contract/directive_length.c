/* directive_length.c - @length of texts, bytes and lists. */
#include "contract/directive.h"

#include "base/utf8.h"

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  Field *field = checked->field;
  int64_t min = -1, max = -1;
  (void)err;
  if (sdl->argument_count == 0) report_add(checker->report, sdl->span, (Str){0}, "\"@length\" needs min or max");
  bool has_min = check_int(sdl, STR("min"), &min), has_max = check_int(sdl, STR("max"), &max);
  if (has_min && min < 0)
    report_add(checker->report, check_span(sdl, STR("min")), (Str){0}, "a length can't be negative");
  else if (has_max && max < 0)
    report_add(checker->report, check_span(sdl, STR("max")), (Str){0}, "a length can't be negative");
  else if (has_min && has_max && min > max)
    report_add(checker->report, check_span(sdl, STR("min")), (Str){0}, "min is greater than max");
  else {
    field->length_min = min;
    field->length_max = max;
    *ret_data = field;
  }
  return CODE_OK;
}

Code directive_length_check(const Field *field, size_t length, const char *unit, Arena *arena, Error *err, InputFaultFn *broken,
                            void *context) {
  bool is_short = field->length_min >= 0 && length < (uint64_t)field->length_min;
  bool is_long = field->length_max >= 0 && length > (uint64_t)field->length_max;
  if (!is_short && !is_long) return CODE_OK;
  long long bound = is_short ? field->length_min : field->length_max;
  Str detail = arena_printf(arena, "must %s at %s %lld %s%s", unit[0] == 'i' ? "have" : "be", is_short ? "least" : "most", bound, unit,
                            bound == 1 ? "" : "s");
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_LENGTH, .detail = detail}, err);
}

/* A list's own length is looked at where its items are counted (input.c). */
static Code check(const Field *field, const void *data, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  (void)data;
  if (field->is_list) return CODE_OK;
  if (value->type == VALUE_BYTES) return directive_length_check(field, value->text.len, "byte", arena, err, broken, context);
  return directive_length_check(field, utf8_length(value->text), "character", arena, err, broken, context);
}

static void compare(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  diff_tell_move(differ, diff_count_move(old->length_min, new->length_min, 1), "@length's min", subject, places);
  diff_tell_move(differ, diff_count_move(old->length_max, new->length_max, -1), "@length's max", subject, places);
}

const Directive DIRECTIVE_LENGTH = {
    .name = STR_INIT("length"),
    .definition = STR_INIT("\n"
                           "\"\"\"The length: code points of a string, bytes of Bytes, items of a list.\"\"\"\n"
                           "directive @length(min: Int, max: Int) on FIELD_DEFINITION\n"),
    .types = DIRECTIVE_TYPE(TYPE_ID) | DIRECTIVE_TYPE(TYPE_STRING) | DIRECTIVE_TYPE(TYPE_EMAIL) | DIRECTIVE_TYPE(TYPE_URL) |
             DIRECTIVE_TYPE(TYPE_BYTES),
    .is_on_lists = true,
    .read_field = read_field,
    .check = check,
    .compare = compare,
};
