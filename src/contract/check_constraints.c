/* check_constraints.c - the directives of directive.h: whether they make sense where they stand, and what they have read, kept on the field
 * or type in the table's order. */
#include "contract/check.h"

#include "contract/directive_registry.h"

static Code keep(const Checker *checker, const DirectiveData **list, const Directive *directive, const void *data, Error *err) {
  DirectiveData *made = ARENA_NEW(checker->arena, DirectiveData), **end = (DirectiveData **)list;
  TRY_ALLOC(made);
  *made = (DirectiveData){.directive = directive, .data = data};
  while (*end != NULL) end = (DirectiveData **)&(*end)->next;
  *end = made;
  return CODE_OK;
}

static bool is_fit(const Checker *checker, const Field *field, const Directive *directive, const SdlDirective *sdl) {
  if (directive->is_anywhere) return true;
  if (field->kind != FIELD_STORED) {
    report_add(checker->report, sdl->span, (Str){0}, "\"@%.*s\" makes no sense on a relation", STR_ARGS(directive->name));
    return false;
  }
  if ((directive->types & DIRECTIVE_TYPE(field->type)) != 0 || (directive->is_on_lists && field->is_list)) return true;
  Str type = field_type_name(field);
  report_add(checker->report, sdl->span, (Str){0}, "\"@%.*s\" makes no sense for the type %.*s", STR_ARGS(directive->name), STR_ARGS(type));
  return false;
}

static Code check_field(Checker *checker, const CheckedField *checked, Error *err) {
  size_t count = 0;
  const Directive *const *directives = contract_directives(&count);
  for (size_t i = 0; i < count; i++) {
    const SdlDirective *sdl = sdl_directive(checked->sdl->directives, directives[i]->name);
    const void *data = NULL;
    if (sdl == NULL || directives[i]->read_field == NULL || !is_fit(checker, checked->field, directives[i], sdl)) continue;
    TRY(directives[i]->read_field(checker, checked, sdl, &data, err));
    if (data != NULL) TRY(keep(checker, &checked->field->directives, directives[i], data, err));
  }
  return CODE_OK;
}

static Code check_type(Checker *checker, const CheckedType *checked, Error *err) {
  size_t count = 0;
  const Directive *const *directives = contract_directives(&count);
  for (size_t i = 0; i < count && checked->resource != NULL; i++) {
    const SdlDirective *sdl = sdl_directive(checked->sdl->directives, directives[i]->name);
    const void *data = NULL;
    if (sdl == NULL || directives[i]->read_type == NULL) continue;
    TRY(directives[i]->read_type(checker, checked, sdl, &data, err));
    if (data != NULL) TRY(keep(checker, &checked->resource->directives, directives[i], data, err));
  }
  return CODE_OK;
}

static Code inherit(const Checker *checker, const CheckedField *checked, Error *err) {
  for (size_t i = 0; i < checked->key_count; i++) {
    Field *key = checked->keys[i];
    const Field *origin = key->target_key;
    for (size_t hops = 0; origin != NULL && origin->is_relation_key && hops < (size_t)CHECK_KEYS_MAX * 4; hops++)
      origin = origin->target_key;
    if (!checked->owns_key[i] || origin == NULL) continue;
    for (const DirectiveData *of = origin->directives; of != NULL; of = of->next) {
      if (of->directive->inherit == NULL) continue;
      of->directive->inherit(key, origin);
      TRY(keep(checker, &key->directives, of->directive, of->data, err));
    }
  }
  return CODE_OK;
}

Code check_constraints(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    const CheckedType *type = &checker->types[i];
    for (size_t j = 0; j < type->field_count; j++) {
      if (type->fields[j].field != NULL) TRY(check_field(checker, &type->fields[j], err));
    }
    TRY(check_type(checker, type, err));
  }
  for (size_t i = 0; i < checker->type_count; i++) {
    for (size_t j = 0; j < checker->types[i].field_count; j++) TRY(inherit(checker, &checker->types[i].fields[j], err));
  }
  return CODE_OK;
}
