/* directive_pattern.c - @pattern: a regular expression that is found in the value. */
#include "contract/directive.h"

#include "contract/regex.h"

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  const SdlValue *pattern = NULL;
  Regex *regex = NULL;
  if (!check_string(sdl, STR("regex"), &pattern)) return CODE_OK;
  Error why = {0};
  Code code = regex_compile(pattern->text, checker->arena, &regex, &why);
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  if (code != CODE_OK) report_add(checker->report, pattern->span, (Str){0}, "%s", why.text);
  checked->field->pattern = pattern->text;
  checked->field->regex = regex;
  *ret_data = regex;
  return CODE_OK;
}

static Code check(const Field *field, const void *data, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context) {
  bool is_match = false;
  /* A search that was given up has not found a match, so the value is refused. */
  if (regex_matches(data, value->text, &is_match) && is_match) return CODE_OK;
  Str detail = arena_printf(arena, "must match %.*s", STR_ARGS(field->pattern));
  TRY_ALLOC(detail.ptr);
  return broken(context, &(InputFault){.code = INPUT_PATTERN, .detail = detail}, err);
}

static void compare(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  if (str_equal(old->pattern, new->pattern) && (old->pattern.ptr == NULL) == (new->pattern.ptr == NULL)) return;
  diff_tell_move(differ, new->pattern.ptr == NULL ? -1 : 1, "@pattern", subject, places);
}

const Directive DIRECTIVE_PATTERN = {
    .name = STR_INIT("pattern"),
    .definition = STR_INIT("\n"
                           "\"\"\"A regular expression that is found in the value; ^ and $ tie it to the ends.\"\"\"\n"
                           "directive @pattern(regex: String!) on FIELD_DEFINITION\n"),
    .types = DIRECTIVE_TYPE(TYPE_ID) | DIRECTIVE_TYPE(TYPE_STRING) | DIRECTIVE_TYPE(TYPE_EMAIL) | DIRECTIVE_TYPE(TYPE_URL),
    .read_field = read_field,
    .check = check,
    .compare = compare,
};
