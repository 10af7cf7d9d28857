/* directive_cache.c - @cache: how long an answer that holds rows of the type, or the field, may be kept, and by whom. */
#include "contract/directive.h"

static void read_hint(const Checker *checker, const SdlDirective *sdl, CacheHint *ret) {
  Str scope = {0};
  if (check_int(sdl, STR("maxAge"), &ret->max_age_s) && ret->max_age_s < 0)
    report_add(checker->report, check_span(sdl, STR("maxAge")), (Str){0}, "maxAge can't be negative");
  ret->is_private = check_name_value(sdl, STR("scope"), &scope) && str_equal(scope, STR("PRIVATE"));
}

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  if (checked->owner->kind == CHECKED_EMBEDDED)
    report_add(checker->report, sdl->span, (Str){0}, "\"@cache\" makes no sense on a field of an embedded type");
  CacheHint *hint = ARENA_NEW(checker->arena, CacheHint);
  TRY_ALLOC(hint);
  read_hint(checker, sdl, hint);
  *ret_data = hint;
  return CODE_OK;
}

static Code read_type(Checker *checker, const CheckedType *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  (void)ret_data, (void)err;
  read_hint(checker, sdl, &checked->resource->cache);
  return CODE_OK;
}

static void compare(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  static const CacheHint none = {.max_age_s = -1};
  const CacheHint *before = field_cache(old), *after = field_cache(new);
  if (before == NULL) before = &none;
  if (after == NULL) after = &none;
  if (before->max_age_s != after->max_age_s || before->is_private != after->is_private)
    diff_add(differ, DIFF_COMPATIBLE, "cache-changed", subject, places, "answers may be kept for another time");
}

const Directive DIRECTIVE_CACHE = {
    .name = STR_INIT("cache"),
    .definition = STR_INIT("\n"
                           "\"\"\"How long an answer that holds this type or field may be kept, in seconds, and by whom.\"\"\"\n"
                           "directive @cache(maxAge: Int!, scope: _CacheScope = PUBLIC) on OBJECT | FIELD_DEFINITION\n"),
    .is_anywhere = true,
    .read_field = read_field,
    .read_type = read_type,
    .compare = compare,
};

const CacheHint *field_cache(const Field *field) {
  const DirectiveData *found = directive_data(field->directives, &DIRECTIVE_CACHE);
  return found == NULL ? NULL : found->data;
}
