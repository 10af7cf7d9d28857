/* check.c - the passes, and the small things that all of them use. */
#include "contract/check.h"

#include "contract/nearest.h"
#include "contract/string_literal.h"

typedef Code CheckPassFn(Checker *checker, Error *err);

static const struct {
  const char *name;
  CheckPassFn *run;
} check_passes[] = {
    {"types", check_types},
    {"directives", check_directives},
    {"names", check_names},
    {"fields", check_fields},
    {"keys", check_keys},
    {"inverses", check_inverses},
    {"circles", check_circles},
    {"layout", check_layout},
    {"constraints", check_constraints},
    {"defaults", check_defaults},
    {"groups", check_groups},
    {"rules", check_rules},
};

Code check_contract(Checker *checker, Error *err) {
  for (size_t i = 0; i < sizeof check_passes / sizeof check_passes[0]; i++) {
    TRY(check_passes[i].run(checker, err));
    if (checker->report->has_no_memory) return error_no_memory(err);
  }
  return CODE_OK;
}

static const SdlValue *check_value(const SdlDirective *directive, Str name) {
  const SdlArgument *argument = sdl_argument(directive, name);
  return argument == NULL ? NULL : &argument->value;
}

bool check_string(const SdlDirective *directive, Str name, const SdlValue **ret) {
  const SdlValue *value = check_value(directive, name);
  if (value == NULL || value->kind != SDL_STRING) return false;
  *ret = value;
  return true;
}

bool check_int(const SdlDirective *directive, Str name, int64_t *ret) {
  const SdlValue *value = check_value(directive, name);
  return value != NULL && value->kind == SDL_INT && str_parse_int64(value->text, ret);
}

bool check_flag(const SdlDirective *directive, Str name) {
  const SdlValue *value = check_value(directive, name);
  return value != NULL && value->kind == SDL_BOOLEAN && str_equal(value->text, STR("true"));
}

bool check_name_value(const SdlDirective *directive, Str name, Str *ret) {
  const SdlValue *value = check_value(directive, name);
  if (value == NULL || value->kind != SDL_ENUM) return false;
  *ret = value->text;
  return true;
}

Span check_span(const SdlDirective *directive, Str name) {
  const SdlArgument *argument = sdl_argument(directive, name);
  return argument == NULL ? directive->span : argument->value.span;
}

Span check_inside(const SdlValue *source, size_t begin, size_t end) {
  Str raw = str_slice(source->span.source->text, source->span.begin, source->span.end);
  uint32_t first = source->span.begin + string_literal_source(raw, begin);
  uint32_t last = end > begin ? source->span.begin + string_literal_source(raw, end - 1) + 1 : first + 1;
  if (last <= first) last = first + 1;
  return span_at(source->span, first, last);
}

Str check_field_hint(const Checker *checker, const CheckedType *type, Str name) {
  if (report_is_full(checker->report)) return (Str){0};
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < type->field_count; i++) nearest_offer(&nearest, type->fields[i].sdl->name);
  for (size_t i = 0; i < type->implied_by_name.cap; i++) {
    if (type->implied_by_name.slots[i].value != NULL) nearest_offer(&nearest, type->implied_by_name.slots[i].key);
  }
  return nearest_hint(&nearest, checker->scratch);
}

Str check_folded(const Checker *checker, Str s) {
  Str copy = arena_str(checker->scratch, s);
  char *bytes = (char *)copy.ptr;
  for (size_t i = 0; bytes != NULL && i < copy.len; i++)
    bytes[i] = bytes[i] >= 'A' && bytes[i] <= 'Z' ? (char)(bytes[i] - 'A' + 'a') : bytes[i];
  return copy;
}

static bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

bool check_is_known_elsewhere(const Checker *checker, Str text) {
  for (size_t i = 0; checker->unknown_names.count > 0 && i < text.len;) {
    size_t begin = i;
    while (i < text.len && is_name_byte(text.ptr[i])) i++;
    if (i > begin && map_get(&checker->unknown_names, str_slice(text, begin, i)) != NULL) return true;
    if (i == begin) i++;
  }
  return false;
}

Field *check_new_field(Checker *checker, const CheckedField *declared, Str name) {
  Field *field = ARENA_NEW(checker->arena, Field);
  if (field == NULL) return NULL;
  field->name = name;
  field->place = span_place(declared->sdl->span);
  field->rule_place = field->place;
  field->resource = declared->owner->resource;
  field->length_min = field->length_max = -1;
  field->precision = field->scale = -1;
  return field;
}
