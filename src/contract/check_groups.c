/* check_groups.c - @unique, @index and @search: lists of field names, a relation standing for its key fields. */
#include "contract/check.h"
#include "base/utf8.h"

typedef struct FieldList {
  IndexField items[CHECK_GROUP_MAX];
  size_t count;
  bool is_good;
} FieldList;

/* "createdAt desc" → createdAt, true. */
static Str split_direction(Str written, bool *ret_is_descending, bool *ret_is_good) {
  Str name = str_trim(written);
  size_t space = str_find_byte(name, ' ', 0);
  Str direction = str_trim(str_slice(name, space, name.len));
  *ret_is_descending = str_equal(direction, STR("desc"));
  *ret_is_good = direction.len == 0 || *ret_is_descending || str_equal(direction, STR("asc"));
  return str_slice(name, 0, space);
}

static void list_add(const Checker *checker, FieldList *list, const SdlValue *at, const Field *field, bool is_descending) {
  for (size_t i = 0; i < list->count; i++) {
    if (list->items[i].field != field) continue;
    report_add(checker->report, at->span, (Str){0}, "\"%.*s\" stands twice in this list", STR_ARGS(field->name));
    list->is_good = false;
    return;
  }
  if (list->count == CHECK_GROUP_MAX) {
    if (list->is_good) report_add(checker->report, at->span, (Str){0}, "at most %d fields", CHECK_GROUP_MAX);
    list->is_good = false;
    return;
  }
  list->items[list->count++] = (IndexField){field, is_descending};
}

static void list_add_name(const Checker *checker, const CheckedType *type, FieldList *list, const SdlValue *item, bool may_descend,
                          Str directive) {
  bool is_descending = false, has_direction = true;
  Str name = may_descend ? split_direction(item->text, &is_descending, &has_direction) : item->text;
  const Field *field = resource_field(type->resource, name);
  if (!has_direction) {
    report_add(checker->report, item->span, (Str){0}, "behind a field's name may stand \"desc\" or \"asc\"");
    list->is_good = false;
  } else if (field == NULL) {
    list->is_good = false;
    if (checker->is_partial || check_is_known_elsewhere(checker, name)) return;
    size_t begin = name.len == 0 ? 0 : (size_t)(name.ptr - item->text.ptr);
    report_add(checker->report, check_inside(item, begin, begin + name.len), check_field_hint(checker, type, name),
               "%.*s has no field \"%.*s\"", STR_ARGS(type->sdl->name), STR_ARGS(utf8_cut(name, 80)));
  } else if (field->kind == FIELD_TO_ONE) {
    for (size_t i = 0; i < field->relation->key_count; i++) list_add(checker, list, item, field->relation->keys[i], is_descending);
  } else if (field->kind == FIELD_TO_MANY || field->is_list || field->type == TYPE_EMBEDDED || field->type == TYPE_JSON) {
    report_add(checker->report, item->span, (Str){0}, "\"%.*s\" can't stand in @%.*s: it is %s", STR_ARGS(name), STR_ARGS(directive),
               field->kind == FIELD_TO_MANY ? "the other side's" : "a list, an embedded object or JSON");
    list->is_good = false;
  } else {
    list_add(checker, list, item, field, is_descending);
  }
}

/* The argument `fields`; not good where something was reported. */
static FieldList read_list(const Checker *checker, const CheckedType *type, const SdlDirective *directive) {
  FieldList list = {.is_good = true};
  const SdlArgument *fields = sdl_argument(directive, STR("fields"));
  bool may_descend = str_equal(directive->name, STR("index"));
  if (fields == NULL || fields->value.kind != SDL_LIST) return (FieldList){0};
  for (size_t i = 0; i < fields->value.count && !report_is_full(checker->report); i++) {
    const SdlValue *item = &fields->value.items[i];
    if (item->kind == SDL_STRING)
      list_add_name(checker, type, &list, item, may_descend, directive->name);
    else
      list.is_good = false; /* reported by check_directives */
  }
  list.is_good = list.is_good && list.count > 0;
  return list;
}

static Code copy_fields(const Checker *checker, const FieldList *list, const Field *const **ret, Error *err) {
  const Field **fields = ARENA_ARRAY(checker->arena, const Field *, list->count);
  TRY_ALLOC(fields);
  for (size_t i = 0; i < list->count; i++) fields[i] = list->items[i].field;
  *ret = fields;
  return CODE_OK;
}

static Code check_unique_fields(const Checker *checker, const CheckedType *type, UniqueGroup *groups, size_t *count, Error *err) {
  for (size_t i = 0; i < type->field_count; i++) {
    const CheckedField *checked = &type->fields[i];
    if (checked->field == NULL || !checked->field->is_unique) continue;
    FieldList list = {0};
    if (checked->field->kind == FIELD_STORED) list.items[list.count++].field = checked->field;
    for (size_t j = 0; j < checked->key_count; j++) list.items[list.count++].field = checked->keys[j];
    UniqueGroup *group = &groups[(*count)++];
    *group = (UniqueGroup){.count = list.count, .place = span_place(checked->sdl->span)};
    TRY(copy_fields(checker, &list, &group->fields, err));
  }
  return CODE_OK;
}

static Code check_uniques(const Checker *checker, const CheckedType *type, Error *err) {
  SdlDirectives directives = type->sdl->directives;
  UniqueGroup *groups = ARENA_ARRAY(checker->arena, UniqueGroup, type->field_count + directives.count);
  TRY_ALLOC(groups);
  size_t count = 0;
  TRY(check_unique_fields(checker, type, groups, &count, err));
  for (size_t i = 0; i < directives.count; i++) {
    const SdlDirective *directive = &directives.items[i];
    if (!str_equal(directive->name, STR("unique"))) continue;
    if (sdl_argument(directive, STR("fields")) == NULL) {
      report_add(checker->report, directive->span, STR("@unique(fields: [\"…\"])"), "\"@unique\" on a type needs the argument \"fields\"");
    }
    FieldList list = read_list(checker, type, directive);
    if (!list.is_good) continue;
    groups[count] = (UniqueGroup){.count = list.count, .place = span_place(directive->span)};
    TRY(copy_fields(checker, &list, &groups[count].fields, err));
    if (list.count == 1) ((Field *)groups[count].fields[0])->is_unique = true;
    count++;
  }
  type->resource->uniques = groups;
  type->resource->unique_count = count;
  return CODE_OK;
}

/* `where` is filled in by check_rules, in the same order. */
static Code check_indexes(const Checker *checker, const CheckedType *type, Error *err) {
  SdlDirectives directives = type->sdl->directives;
  Index *indexes = ARENA_ARRAY(checker->arena, Index, directives.count);
  TRY_ALLOC(indexes);
  size_t count = 0;
  for (size_t i = 0; i < directives.count; i++) {
    if (!str_equal(directives.items[i].name, STR("index"))) continue;
    FieldList list = read_list(checker, type, &directives.items[i]);
    IndexField *fields = ARENA_ARRAY(checker->arena, IndexField, list.count);
    TRY_ALLOC(fields);
    for (size_t j = 0; j < list.count; j++) fields[j] = list.items[j];
    indexes[count++] = (Index){.fields = fields, .count = list.count};
  }
  type->resource->indexes = indexes;
  type->resource->index_count = count;
  return CODE_OK;
}

static Code check_search(const Checker *checker, const CheckedType *type, Error *err) {
  const SdlDirective *directive = sdl_directive(type->sdl->directives, STR("search"));
  if (directive == NULL) return CODE_OK;
  FieldList list = read_list(checker, type, directive);
  for (size_t i = 0; i < list.count; i++) {
    const Field *field = list.items[i].field;
    if (field_value_type(field) == VALUE_TEXT && field->type != TYPE_ENUM && field->type != TYPE_UUID) continue;
    report_add(checker->report, check_span(directive, STR("fields")), (Str){0}, "\"%.*s\" is no text to search in", STR_ARGS(field->name));
  }
  type->resource->search_count = list.count;
  return copy_fields(checker, &list, &type->resource->search, err);
}

Code check_groups(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    const CheckedType *type = &checker->types[i];
    if (type->kind != CHECKED_RESOURCE) continue;
    TRY(check_uniques(checker, type, err));
    TRY(check_indexes(checker, type, err));
    TRY(check_search(checker, type, err));
  }
  return CODE_OK;
}
