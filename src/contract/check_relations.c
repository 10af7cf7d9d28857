/* check_relations.c - the two sides of each relation, and what becomes of a row when the other is deleted. */
#include "contract/check.h"
#include "base/utf8.h"

static const SdlDirective *relation_of(const CheckedField *checked) { return sdl_directive(checked->sdl->directives, STR("relation")); }

static Str inverse_name(const CheckedField *checked) {
  const SdlValue *inverse = NULL;
  return check_string(relation_of(checked), STR("inverse"), &inverse) ? inverse->text : (Str){0};
}

static bool is_side(const CheckedField *checked, FieldKind kind, const CheckedType *target) {
  return checked->field != NULL && checked->field->kind == kind && checked->target == target;
}

/* The field that `inverse:` names, when it can be the other side; else NULL, and it is reported. */
static CheckedField *named_side(const Checker *checker, const CheckedField *checked, FieldKind wanted) {
  const SdlValue *name = NULL;
  check_string(relation_of(checked), STR("inverse"), &name);
  CheckedField *other = map_get(&checked->target->field_by_name, name->text);
  if (other == NULL) {
    report_add(checker->report, check_inside(name, 0, name->text.len), check_field_hint(checker, checked->target, name->text),
               "%.*s has no field \"%.*s\"", STR_ARGS(checked->target->sdl->name), STR_ARGS(utf8_cut(name->text, 80)));
    return NULL;
  }
  if (is_side(other, wanted, checked->owner)) return other;
  if (other->field == NULL) return NULL;
  if (wanted == FIELD_TO_MANY) {
    report_add(checker->report, name->span, STR("the side without the key is a list; @unique on the side with the key makes it one to one"),
               "\"%.*s.%.*s\" is not a list of \"%.*s\"", STR_ARGS(checked->target->sdl->name), STR_ARGS(other->sdl->name),
               STR_ARGS(checked->owner->sdl->name));
  } else {
    report_add(checker->report, name->span, (Str){0}, "\"%.*s.%.*s\" is not a relation to one \"%.*s\"",
               STR_ARGS(checked->target->sdl->name), STR_ARGS(other->sdl->name), STR_ARGS(checked->owner->sdl->name));
  }
  return NULL;
}

static void refuse_no_side(const Checker *checker, const CheckedField *checked) {
  const CheckedType *child = checked->target, *parent = checked->owner;
  for (size_t i = 0; i < child->field_count; i++) {
    if (is_side(&child->fields[i], FIELD_TO_MANY, parent) && &child->fields[i] != checked) {
      report_add(checker->report, checked->sdl->span,
                 STR("put a type between them that has a relation to each, and a list of it on both sides"),
                 "\"%.*s\" and \"%.*s\" are lists of each other: no side holds the key", STR_ARGS(checked->sdl->name),
                 STR_ARGS(child->fields[i].sdl->name));
      return;
    }
  }
  char small = parent->sdl->name.ptr[0];
  if (small >= 'A' && small <= 'Z') small = (char)(small - 'A' + 'a');
  Str rest = str_slice(parent->sdl->name, 1, parent->sdl->name.len);
  Str hint = arena_printf(checker->scratch, "add `%c%.*s: %.*s` to \"%.*s\"", small, STR_ARGS(rest), STR_ARGS(parent->sdl->name),
                          STR_ARGS(child->sdl->name));
  report_add(checker->report, checked->sdl->span, hint.ptr == NULL ? (Str){0} : hint,
             "\"%.*s\" has no other side: \"%.*s\" has no field of type \"%.*s\"", STR_ARGS(checked->sdl->name), STR_ARGS(child->sdl->name),
             STR_ARGS(parent->sdl->name));
}

/* The to-one field of the child that this list is seen from: the one that names it, or the only one that names no other. */
static CheckedField *found_side(const Checker *checker, const CheckedField *checked) {
  CheckedType *child = checked->target;
  CheckedField *found = NULL, *second = NULL;
  bool has_unknown = false;
  for (size_t i = 0; i < child->field_count; i++) {
    CheckedField *candidate = &child->fields[i];
    has_unknown = has_unknown || candidate->field == NULL;
    if (!is_side(candidate, FIELD_TO_ONE, checked->owner)) continue;
    Str inverse = inverse_name(candidate);
    if (str_equal(inverse, checked->sdl->name)) return candidate;
    if (inverse.len > 0) continue;
    if (found == NULL)
      found = candidate;
    else if (second == NULL)
      second = candidate;
  }
  if (found == NULL && !has_unknown && !checker->is_partial) refuse_no_side(checker, checked);
  if (second == NULL) return found;
  Str hint = arena_printf(checker->scratch, "say which: @relation(inverse: \"%.*s\")", STR_ARGS(found->sdl->name));
  report_add(checker->report, checked->sdl->span, hint.ptr == NULL ? (Str){0} : hint,
             "the other side of \"%.*s\" could be \"%.*s\" or \"%.*s\" of \"%.*s\"", STR_ARGS(checked->sdl->name),
             STR_ARGS(found->sdl->name), STR_ARGS(second->sdl->name), STR_ARGS(child->sdl->name));
  return NULL;
}

/* Leaves the list out of the model, reported by whoever calls. */
static Code forget(Checker *checker, CheckedField *checked, Error *err) {
  checked->field = NULL;
  return map_put(&checker->unknown_names, checked->sdl->name, checked) ? CODE_OK : error_no_memory(err);
}

static void refuse_key_details(const Checker *checker, const CheckedField *checked) {
  static const Str details[] = {STR_INIT("columns"), STR_INIT("onDelete"), STR_INIT("deferred")};
  for (size_t i = 0; i < sizeof details / sizeof details[0]; i++) {
    const SdlArgument *argument = sdl_argument(relation_of(checked), details[i]);
    if (argument != NULL) {
      report_add(checker->report, argument->span, (Str){0}, "\"%.*s\" stands on the side that holds the key, not on a list",
                 STR_ARGS(details[i]));
    }
  }
}

static Code check_to_many(Checker *checker, CheckedField *checked, Error *err) {
  bool is_named = inverse_name(checked).len > 0;
  refuse_key_details(checker, checked);
  CheckedField *side = is_named ? named_side(checker, checked, FIELD_TO_ONE) : found_side(checker, checked);
  if (side == NULL || side->relation == NULL) return forget(checker, checked, err);
  Str back = inverse_name(side);
  if (back.len > 0 && !str_equal(back, checked->sdl->name)) {
    report_add(checker->report, checked->rule_span, (Str){0}, "\"%.*s\" says that its other side is \"%.*s\", not \"%.*s\"",
               STR_ARGS(side->sdl->name), STR_ARGS(back), STR_ARGS(checked->sdl->name));
    return forget(checker, checked, err);
  }
  if (side->relation->inverse != NULL) {
    report_add(checker->report, checked->sdl->span, STR("one list is enough; a list's filter makes others"),
               "\"%.*s\" is the other side of \"%.*s.%.*s\" already", STR_ARGS(side->relation->inverse->name),
               STR_ARGS(side->owner->sdl->name), STR_ARGS(side->sdl->name));
    return forget(checker, checked, err);
  }
  side->relation->inverse = checked->field;
  checked->relation = side->relation;
  checked->field->relation = side->relation;
  return CODE_OK;
}

static void check_on_delete(const Checker *checker, const CheckedField *checked) {
  Relation *relation = checked->relation;
  const SdlDirective *directive = relation_of(checked);
  Str name = {0};
  relation->is_deferred = check_flag(directive, STR("deferred"));
  if (!check_name_value(directive, STR("onDelete"), &name)) return;
  if (str_equal(name, STR("CASCADE"))) relation->on_delete = ON_DELETE_CASCADE;
  if (!str_equal(name, STR("SET_NULL"))) return;
  relation->on_delete = ON_DELETE_SET_NULL;
  bool is_key_required = false;
  for (size_t i = 0; i < checked->key_count; i++) is_key_required = is_key_required || checked->keys[i]->is_required;
  if (relation->is_required || is_key_required) {
    report_add(checker->report, check_span(directive, STR("onDelete")), STR("leave the ! away, or say CASCADE or RESTRICT"),
               "\"%.*s\" is required, so that it can't be set to null", STR_ARGS(checked->sdl->name));
  }
}

static Code check_side(Checker *checker, CheckedField *checked, Error *err) {
  if (checked->field == NULL) return CODE_OK;
  if (checked->field->kind == FIELD_TO_MANY) return check_to_many(checker, checked, err);
  if (checked->field->kind != FIELD_TO_ONE || checked->relation == NULL) return CODE_OK;
  check_on_delete(checker, checked);
  if (inverse_name(checked).len > 0) named_side(checker, checked, FIELD_TO_MANY);
  return CODE_OK;
}

Code check_inverses(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    CheckedType *type = &checker->types[i];
    for (size_t j = 0; type->kind == CHECKED_RESOURCE && j < type->field_count; j++) TRY(check_side(checker, &type->fields[j], err));
  }
  return CODE_OK;
}
