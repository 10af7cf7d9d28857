/* check_keys.c - each resource's key, and the key fields that its to-one relations give (`category: Category` gives `categoryId`). A
 * relation may be part of a key, so that one resource's key can need another's first: they are resolved on demand, and a circle is refused.
 */
#include "contract/check.h"

#include "contract/plural.h"

enum { CHECK_KEY_DEPTH_MAX = 32 };

static Code resolve_keys(Checker *checker, CheckedType *type, size_t depth, Error *err);

static bool is_name(Str s) {
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!is_letter && (i == 0 || c < '0' || c > '9')) return false;
  }
  return s.len > 0;
}

static Str capitalised(Str prefix, Str name, Arena *arena) {
  char first = name.ptr[0];
  if (first >= 'a' && first <= 'z') first = (char)(first - 'a' + 'A');
  return arena_printf(arena, "%.*s%c%.*s", STR_ARGS(prefix), first, STR_ARGS(str_slice(name, 1, name.len)));
}

/* `categoryId`; where the column was given and tells of the relation (or the relation of the column: shipViaShipper and ship_via), the
 * column's own name in camelCase, so that an introspected column keeps it. */
static Str key_field_name(const Checker *checker, const CheckedField *checked, const Field *target_key, Str given_column) {
  Str relation = checked->sdl->name;
  if (given_column.len > 0) {
    Str own = name_camel(given_column, checker->arena);
    if (own.ptr == NULL) return own;
    bool is_related = str_starts_with(own, relation) || str_starts_with(relation, own);
    bool is_free = map_get(&checked->owner->field_by_name, own) == NULL;
    if (is_related && is_free && is_name(own)) return own;
  }
  return capitalised(relation, target_key->name, checker->arena);
}

/* The columns that were named, by @relation(columns:) or @column(name:); *ret_count 0 when none were. False: reported, go on without. */
static bool given_columns(const Checker *checker, const CheckedField *checked, size_t key_count, const SdlValue **ret, size_t *ret_count) {
  const SdlDirective *relation = sdl_directive(checked->sdl->directives, STR("relation"));
  const SdlDirective *column = sdl_directive(checked->sdl->directives, STR("column"));
  const SdlArgument *columns = sdl_argument(relation, STR("columns"));
  const SdlValue *name = NULL;
  *ret_count = 0;
  bool is_named = check_string(column, STR("name"), &name);
  if (columns != NULL && columns->value.kind == SDL_LIST) {
    *ret = columns->value.items;
    *ret_count = columns->value.count;
    if (is_named) report_add(checker->report, name->span, (Str){0}, "the column of \"%.*s\" is given twice", STR_ARGS(checked->sdl->name));
  } else if (is_named) {
    *ret = name;
    *ret_count = 1;
  }
  if (*ret_count == 0 || *ret_count == key_count) return true;
  report_add(checker->report, columns != NULL ? columns->value.span : name->span, (Str){0},
             "\"%.*s\" takes %zu column%s, one for each part of the key of \"%.*s\"", STR_ARGS(checked->sdl->name), key_count,
             key_count == 1 ? "" : "s", STR_ARGS(checked->target->sdl->name));
  *ret_count = 0;
  return false;
}

/* The column is there already: a declared field's, or another relation's. Then that field is the key field too. */
static void share_key(const Checker *checker, const CheckedField *checked, Field *known, const Field *target_key) {
  if (known->type != target_key->type || known->enum_type != target_key->enum_type || known->is_list) {
    report_add(checker->report, checked->sdl->span, (Str){0}, "\"%.*s\" holds the key of \"%.*s\" and must be of its type, %.*s",
               STR_ARGS(known->name), STR_ARGS(checked->sdl->name), STR_ARGS(field_type_name(target_key)));
  } else if (checked->field->is_required && !known->is_required) {
    report_add(checker->report, checked->sdl->span, (Str){0}, "\"%.*s\" is required, so \"%.*s\", which holds its key, must be too",
               STR_ARGS(checked->sdl->name), STR_ARGS(known->name));
  }
  if (known->is_relation_key) return;
  known->is_relation_key = true;
  known->relation = checked->relation;
  known->target_key = target_key;
}

static Field *make_key(const Checker *checker, const CheckedField *checked, const Field *target_key, Str name, Str column) {
  const Field *relation = checked->field;
  const SdlValue *type = NULL;
  Field *field = check_new_field((Checker *)checker, checked, name);
  if (field == NULL) return NULL;
  field->type = target_key->type;
  field->enum_type = target_key->enum_type;
  field->precision = target_key->precision;
  field->scale = target_key->scale;
  field->column = column;
  field->column_type = target_key->column_type;
  if (check_string(sdl_directive(checked->sdl->directives, STR("column")), STR("type"), &type)) field->column_type = type->text;
  field->is_required = relation->is_required;
  field->is_readonly = relation->is_readonly;
  field->is_immutable = relation->is_immutable;
  field->is_hidden = relation->is_hidden;
  field->deprecation_reason = relation->deprecation_reason;
  field->sunset = relation->sunset;
  field->deprecated_since = relation->deprecated_since;
  field->deprecation_url = relation->deprecation_url;
  field->is_relation_key = true;
  field->relation = checked->relation;
  field->target_key = target_key;
  return field;
}

static Code add_key(Checker *checker, CheckedField *checked, size_t i, const Field *target_key, const SdlValue *given, Error *err) {
  CheckedType *owner = checked->owner;
  Str name = key_field_name(checker, checked, target_key, given == NULL ? (Str){0} : given->text);
  TRY_ALLOC(name.ptr);
  Str column = given != NULL ? given->text : name_snake(name, checker->arena);
  TRY_ALLOC(column.ptr);
  Str column_key = check_folded(checker, column);
  TRY_ALLOC(column_key.ptr);
  Field *known = map_get(&owner->field_by_column, column_key);
  if (known != NULL) {
    share_key(checker, checked, known, target_key);
    checked->keys[i] = known;
    return CODE_OK;
  }
  if (map_get(&owner->field_by_name, name) != NULL || map_get(&owner->implied_by_name, name) != NULL) {
    report_add(checker->report, checked->sdl->span, STR("rename one of them"),
               "the relation \"%.*s\" gives the field \"%.*s\", which is there already", STR_ARGS(checked->sdl->name), STR_ARGS(name));
  }
  Field *field = make_key(checker, checked, target_key, name, column);
  TRY_ALLOC(field);
  if (checked->field->renamed_from.len > 0 && given == NULL) {
    field->renamed_from = capitalised(checked->field->renamed_from, target_key->name, checker->arena);
    TRY_ALLOC(field->renamed_from.ptr);
  }
  checked->keys[i] = field;
  checked->owns_key[i] = true;
  bool is_put = map_put(&owner->field_by_column, column_key, field) && map_put(&owner->implied_by_name, name, field);
  return is_put ? CODE_OK : error_no_memory(err);
}

/* The target's key must be done. */
static Code make_keys(Checker *checker, CheckedField *checked, Error *err) {
  const Resource *target = checked->target->resource;
  Relation *relation = ARENA_NEW(checker->arena, Relation);
  checked->keys = ARENA_ARRAY(checker->arena, Field *, target->key_count);
  checked->owns_key = ARENA_ARRAY(checker->scratch, bool, target->key_count);
  if (relation == NULL || checked->keys == NULL || checked->owns_key == NULL) return error_no_memory(err);
  *relation =
      (Relation){.field = checked->field, .source = checked->owner->resource, .target = target, .is_required = checked->field->is_required};
  checked->relation = relation;
  checked->field->relation = relation;
  const SdlValue *columns = NULL;
  size_t column_count = 0;
  given_columns(checker, checked, target->key_count, &columns, &column_count);
  for (size_t i = 0; i < target->key_count; i++) {
    TRY(add_key(checker, checked, i, target->keys[i], column_count == 0 ? NULL : &columns[i], err));
  }
  checked->key_count = target->key_count;
  relation->keys = (const Field *const *)checked->keys;
  relation->key_count = target->key_count;
  if (checked->field->is_unique && checked->key_count == 1) checked->keys[0]->is_unique = true;
  return CODE_OK;
}

/* A relation to what has no key stands for nothing in this run. */
static Code forget_relation(Checker *checker, CheckedField *checked, Error *err) {
  Str implied = arena_printf(checker->scratch, "%.*sId", STR_ARGS(checked->sdl->name));
  TRY_ALLOC(implied.ptr);
  checked->field = NULL;
  checked->target = NULL;
  bool is_put = map_put(&checker->unknown_names, checked->sdl->name, checked) && map_put(&checker->unknown_names, implied, checked);
  return is_put ? CODE_OK : error_no_memory(err);
}

static Code resolve_relation(Checker *checker, CheckedField *checked, size_t depth, Error *err) {
  if (checked->relation != NULL || checked->field == NULL) return CODE_OK;
  CheckedType *target = checked->target;
  if (target->key_state == KEY_UNDER_WAY || depth >= CHECK_KEY_DEPTH_MAX) {
    report_add(checker->report, checked->sdl->span, (Str){0},
               depth >= CHECK_KEY_DEPTH_MAX ? "keys refer to each other too deep" : "the key of \"%.*s\" would be part of itself",
               STR_ARGS(checked->owner->sdl->name));
    return forget_relation(checker, checked, err);
  }
  TRY(resolve_keys(checker, target, depth + 1, err));
  if (target->resource->key_count > 0) return make_keys(checker, checked, err);
  bool is_reported = target->is_key_refused || checker->is_partial;
  if (!is_reported)
    report_add(checker->report, checked->sdl->type.span, STR("mark its key with @id"),
               "\"%.*s\" has no key, so that nothing can refer to it", STR_ARGS(target->sdl->name));
  return forget_relation(checker, checked, err);
}

static void check_key_field(const Checker *checker, const CheckedField *checked, const Field *field) {
  const char *why = NULL;
  if (!field->is_required)
    why = "is always there: write ! behind its type";
  else if (field->is_list || field->type == TYPE_EMBEDDED || field->type == TYPE_JSON)
    why = "is a single scalar or a relation";
  else if (checked->field->is_hidden)
    why = "can't be hidden: it names the row";
  if (why != NULL) report_add(checker->report, checked->sdl->span, (Str){0}, "a key %s (\"%.*s\")", why, STR_ARGS(checked->sdl->name));
}

/* Appends what the field gives to the key; a field that is there already isn't repeated. */
static Code add_to_key(Checker *checker, CheckedType *type, CheckedField *checked, Field **keys, size_t *count, Error *err) {
  bool is_relation = checked->field->kind == FIELD_TO_ONE;
  size_t given = is_relation ? checked->key_count : 1;
  for (size_t i = 0; i < given; i++) {
    Field *field = is_relation ? checked->keys[i] : checked->field;
    check_key_field(checker, checked, field);
    if (field->is_key) continue;
    if (*count == CHECK_KEYS_MAX) {
      report_add(checker->report, checked->sdl->span, (Str){0}, "the key of \"%.*s\" has more than %d parts", STR_ARGS(type->sdl->name),
                 CHECK_KEYS_MAX);
      type->is_key_refused = true;
      return CODE_OK;
    }
    field->is_key = true;
    keys[(*count)++] = field;
  }
  (void)err;
  return CODE_OK;
}

/* Nothing can be written: a view, or a table without a key. */
static bool is_read_only(const CheckedType *type) {
  static const Str writes[] = {STR_INIT("create"), STR_INIT("update"), STR_INIT("delete"), STR_INIT("write")};
  const SdlDirective *access = sdl_directive(type->sdl->directives, STR("access"));
  for (size_t i = 0; access != NULL && i < sizeof writes / sizeof writes[0]; i++) {
    const SdlValue *rule = NULL;
    if (check_string(access, writes[i], &rule) && !str_equal(str_trim(rule->text), STR("false"))) return false;
  }
  return access != NULL;
}

static void refuse_no_key(const Checker *checker, CheckedType *type) {
  const CheckedField *id = map_get(&type->field_by_name, STR("id"));
  bool is_almost = id != NULL && id->field != NULL && id->field->kind == FIELD_STORED && id->field->type == TYPE_ID;
  if (type->sdl->is_broken || checker->is_partial) {
    type->is_key_refused = true;
  } else if (is_almost) {
    report_add(checker->report, id->sdl->type.span, STR("write `id: ID!`"), "the key of \"%.*s\" must be required",
               STR_ARGS(type->sdl->name));
    type->is_key_refused = true;
  } else if (!is_read_only(type)) {
    report_add(checker->report, type->sdl->span,
               id != NULL ? STR("write @id behind the field \"id\"") : STR("add `id: ID!`, or mark the key with @id"),
               "\"%.*s\" has no key", STR_ARGS(type->sdl->name));
    type->is_key_refused = true;
  }
}

/* `id: ID!`, when no field has @id. */
static void take_server_key(const CheckedType *type, Field **keys, size_t *count) {
  const CheckedField *id = map_get(&type->field_by_name, STR("id"));
  if (id == NULL || id->field == NULL) return;
  Field *field = id->field;
  if (field->kind != FIELD_STORED || field->type != TYPE_ID || field->is_list || !field->is_required) return;
  field->is_key = true;
  field->is_server_made = sdl_directive(id->sdl->directives, STR("default")) == NULL;
  keys[(*count)++] = field;
}

static Code resolve_keys(Checker *checker, CheckedType *type, size_t depth, Error *err) {
  if (type->key_state != KEY_OPEN) return CODE_OK;
  Field **keys = ARENA_ARRAY(checker->arena, Field *, CHECK_KEYS_MAX);
  TRY_ALLOC(keys);
  size_t count = 0;
  bool has_id = false;
  type->key_state = KEY_UNDER_WAY;
  for (size_t i = 0; i < type->field_count; i++) {
    CheckedField *checked = &type->fields[i];
    if (sdl_directive(checked->sdl->directives, STR("id")) == NULL) continue;
    has_id = true;
    if (checked->field == NULL || checked->field->kind == FIELD_TO_MANY) {
      type->is_key_refused = true;
      continue;
    }
    if (checked->field->kind == FIELD_TO_ONE) TRY(resolve_relation(checker, checked, depth, err));
    if (checked->field == NULL)
      type->is_key_refused = true;
    else
      TRY(add_to_key(checker, type, checked, keys, &count, err));
  }
  if (!has_id) take_server_key(type, keys, &count);
  if (!has_id && count == 0) refuse_no_key(checker, type);
  type->resource->keys = (const Field *const *)keys;
  type->resource->key_count = count;
  type->key_state = KEY_DONE;
  return CODE_OK;
}

Code check_keys(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    if (checker->types[i].kind == CHECKED_RESOURCE) TRY(resolve_keys(checker, &checker->types[i], 0, err));
  }
  for (size_t i = 0; i < checker->type_count; i++) {
    CheckedType *type = &checker->types[i];
    for (size_t j = 0; type->kind == CHECKED_RESOURCE && j < type->field_count; j++) {
      CheckedField *checked = &type->fields[j];
      if (checked->field != NULL && checked->field->kind == FIELD_TO_ONE) TRY(resolve_relation(checker, checked, 0, err));
    }
  }
  return CODE_OK;
}
