/* check_fields.c - the fields that were declared: names, types, columns and flags. The key fields that relations give come in check_keys.c.
 */
#include "contract/check.h"

#include "contract/nearest.h"
#include "contract/plural.h"
#include "contract/scalar.h"

static Str type_hint(const Checker *checker, Str name) {
  if (report_is_full(checker->report)) return (Str){0};
  Nearest nearest = nearest_to(name);
  for (FieldType type = 0; type < TYPE_ENUM; type++) nearest_offer(&nearest, scalar_name(type));
  for (size_t i = 0; i < checker->type_count; i++) nearest_offer(&nearest, checker->types[i].sdl->name);
  return nearest_hint(&nearest, checker->scratch);
}

/* What the field's type is; false when that can't be said, and it is reported. */
static bool resolve_type(const Checker *checker, CheckedField *checked, Field *field) {
  const SdlTypeRef *ref = &checked->sdl->type;
  CheckedType *type = map_get(&checker->type_by_name, ref->name);
  field->is_list = ref->list_depth > 0;
  field->is_required = ref->is_required;
  field->is_item_required = ref->is_item_required;
  if (ref->list_depth > 1) {
    report_add(checker->report, ref->span, STR("put the inner list into a type without @resource"), "lists of lists are not supported");
    return false;
  }
  if (scalar_by_name(ref->name, &field->type)) return true;
  if (type == NULL) {
    if (!checker->document->has_lost_names)
      report_add(checker->report, ref->span, type_hint(checker, ref->name), "unknown type \"%.*s\"", STR_ARGS(ref->name));
    return false;
  }
  switch (type->kind) {
    case CHECKED_ENUM:
      field->type = TYPE_ENUM;
      field->enum_type = type->enum_type;
      return true;
    case CHECKED_EMBEDDED:
      field->type = TYPE_EMBEDDED;
      field->embedded = type->embedded;
      return true;
    case CHECKED_RESOURCE:
      checked->target = type;
      field->kind = field->is_list ? FIELD_TO_MANY : FIELD_TO_ONE;
      field->is_list = field->is_item_required = false;
      return true;
    default: return false; /* reported where it is defined */
  }
}

static const SdlDirective *directive_of(const CheckedField *checked, Str name) { return sdl_directive(checked->sdl->directives, name); }

static void refuse_directives(const Checker *checker, const CheckedField *checked, const Str *names, size_t count, const char *why) {
  for (size_t i = 0; i < count; i++) {
    const SdlDirective *directive = directive_of(checked, names[i]);
    if (directive != NULL)
      report_add(checker->report, directive->span, (Str){0}, "\"@%.*s\" makes no sense on %s", STR_ARGS(names[i]), why);
  }
}
#define REFUSE_DIRECTIVES(checker, checked, names, why) refuse_directives(checker, checked, names, sizeof names / sizeof names[0], why)

/* Which directives the kind of field can have at all; those of directive.h are told by type in check_constraints.c. */
static void check_field_directives(const Checker *checker, const CheckedField *checked) {
  static const Str stored_only[] = {STR_INIT("id"),        STR_INIT("column"), STR_INIT("relation"),
                                    STR_INIT("unique"),    STR_INIT("access"), STR_INIT("readonly"),
                                    STR_INIT("immutable"), STR_INIT("hidden"), STR_INIT("renamed")};
  static const Str to_one_only[] = {STR_INIT("relation")};
  static const Str not_to_many[] = {STR_INIT("id"),       STR_INIT("column"),    STR_INIT("unique"), STR_INIT("default"),
                                    STR_INIT("readonly"), STR_INIT("immutable"), STR_INIT("renamed")};
  const Field *field = checked->field;
  if (checked->owner->kind == CHECKED_EMBEDDED) {
    REFUSE_DIRECTIVES(checker, checked, stored_only, "a field of an embedded type");
  } else if (field->kind == FIELD_TO_MANY) {
    REFUSE_DIRECTIVES(checker, checked, not_to_many, "a to-many relation, which is the other side's");
  } else if (field->kind == FIELD_STORED) {
    REFUSE_DIRECTIVES(checker, checked, to_one_only, "a field that is no relation");
  }
}

static void fill_flags(const Checker *checker, const CheckedField *checked) {
  Field *field = checked->field;
  const SdlValue *from = NULL;
  const SdlDirective *unique = directive_of(checked, STR("unique"));
  field->is_unique = unique != NULL;
  field->is_readonly = directive_of(checked, STR("readonly")) != NULL;
  field->is_immutable = directive_of(checked, STR("immutable")) != NULL;
  field->is_hidden = directive_of(checked, STR("hidden")) != NULL;
  if (check_string(directive_of(checked, STR("renamed")), STR("from"), &from)) field->renamed_from = from->text;
  CHECK_SET_DEPRECATION(field, check_deprecation(checker, checked->sdl->directives));
  if (sdl_argument(unique, STR("fields")) != NULL) {
    report_add(checker->report, check_span(unique, STR("fields")), STR("fields stand on a type's @unique"),
               "\"@unique\" on a field takes no fields");
  }
  if (unique != NULL && field->kind == FIELD_STORED && (field->is_list || field->type == TYPE_JSON || field->type == TYPE_EMBEDDED)) {
    report_add(checker->report, unique->span, (Str){0}, "\"@unique\" makes no sense on a list, an embedded object or JSON");
  }
}

/* As for tables, columns that differ only in capitals are one. */
static Code fill_column(const Checker *checker, const CheckedField *checked, Error *err) {
  Field *field = checked->field;
  const SdlDirective *column = directive_of(checked, STR("column"));
  const SdlValue *name = NULL, *type = NULL;
  Span at = checked->sdl->span;
  if (check_string(column, STR("type"), &type)) field->column_type = type->text;
  if (check_string(column, STR("name"), &name)) {
    field->column = name->text;
    at = name->span;
  } else {
    field->column = name_snake(field->name, checker->arena);
  }
  TRY_ALLOC(field->column.ptr);
  if (field->column.len == 0) report_add(checker->report, at, STR("give one: @column(name: \"…\")"), "a column needs a name");
  Str key = check_folded(checker, field->column);
  TRY_ALLOC(key.ptr);
  const Field *other = map_get(&checked->owner->field_by_column, key);
  if (other != NULL) {
    report_add(checker->report, at, (Str){0}, "\"%.*s\" and \"%.*s\" have the same column, \"%.*s\"", STR_ARGS(other->name),
               STR_ARGS(field->name), STR_ARGS(field->column));
    return CODE_OK;
  }
  return map_put(&checked->owner->field_by_column, key, field) ? CODE_OK : error_no_memory(err);
}

/* The name stands for nothing in this run. */
static Code set_unknown(Checker *checker, CheckedField *checked, Error *err) {
  checked->field = NULL;
  checked->target = NULL;
  return map_put(&checker->unknown_names, checked->sdl->name, checked) ? CODE_OK : error_no_memory(err);
}

static Code check_field(Checker *checker, CheckedField *checked, Error *err) {
  const SdlField *sdl = checked->sdl;
  if (str_starts_with(sdl->name, STR("__")))
    report_add(checker->report, sdl->span, (Str){0}, "names that begin with __ belong to GraphQL (\"%.*s\")", STR_ARGS(sdl->name));
  if (sdl->arguments.source != NULL)
    report_add(checker->report, sdl->arguments, (Str){0}, "a field takes no arguments of its own; filters and pages come with every list");
  if (sdl->has_default)
    report_add(checker->report, sdl->span, STR("write @default(value: …)"), "a field's default is a directive (\"%.*s\")",
               STR_ARGS(sdl->name));
  Field *field = check_new_field(checker, checked, sdl->name);
  TRY_ALLOC(field);
  field->description = sdl->description;
  if (!resolve_type(checker, checked, field)) return set_unknown(checker, checked, err);
  checked->field = field;
  check_field_directives(checker, checked);
  if (checked->owner->kind == CHECKED_EMBEDDED && field->kind != FIELD_STORED) {
    report_add(checker->report, sdl->type.span, STR("give the type @resource, or keep the other's id in a field"),
               "an embedded type can't refer to \"%.*s\", which is stored", STR_ARGS(sdl->type.name));
    return set_unknown(checker, checked, err);
  }
  if (checked->owner->kind == CHECKED_RESOURCE)
    fill_flags(checker, checked);
  else
    CHECK_SET_DEPRECATION(field, check_deprecation(checker, sdl->directives));
  if (checked->owner->kind == CHECKED_RESOURCE && field->kind == FIELD_STORED) return fill_column(checker, checked, err);
  return CODE_OK;
}

static Code collect_fields(Checker *checker, CheckedType *type, Error *err) {
  const SdlDefinition *sdl = type->sdl;
  type->fields = ARENA_ARRAY(checker->scratch, CheckedField, sdl->field_count);
  TRY_ALLOC(type->fields);
  for (size_t i = 0; i < sdl->field_count; i++) {
    const SdlField *field = &sdl->fields[i];
    if (map_get(&type->field_by_name, field->name) != NULL) {
      report_add(checker->report, field->span, (Str){0}, "the field \"%.*s\" stands twice in \"%.*s\"", STR_ARGS(field->name),
                 STR_ARGS(sdl->name));
      continue;
    }
    if (type->field_count == CHECK_FIELDS_MAX) {
      report_add(checker->report, field->span, (Str){0}, "a type has at most %d fields", CHECK_FIELDS_MAX);
      break;
    }
    CheckedField *checked = &type->fields[type->field_count++];
    const SdlDirective *relation = sdl_directive(field->directives, STR("relation"));
    *checked = (CheckedField){.sdl = field, .owner = type, .rule_span = relation != NULL ? relation->span : field->span};
    if (!map_put(&type->field_by_name, field->name, checked)) return error_no_memory(err);
  }
  if (sdl->field_count == 0 && !sdl->is_broken)
    report_add(checker->report, sdl->span, (Str){0}, "the type \"%.*s\" has no fields", STR_ARGS(sdl->name));
  return CODE_OK;
}

Code check_fields(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    CheckedType *type = &checker->types[i];
    if (type->kind != CHECKED_RESOURCE && type->kind != CHECKED_EMBEDDED) continue;
    TRY(collect_fields(checker, type, err));
    for (size_t j = 0; j < type->field_count; j++) TRY(check_field(checker, &type->fields[j], err));
  }
  return CODE_OK;
}
