/* diff_fields.c - the fields of a type: which became which, and what each says of itself but for its values and its access. */
#include "contract/diff_impl.h"

static const Field *field_named(const Field *const *fields, size_t count, Str name) {
  for (size_t i = 0; i < count; i++) {
    if (str_equal(fields[i]->name, name)) return fields[i];
  }
  return NULL;
}

const Field *diff_old_field(const Field *const *fields, size_t count, const Field *new) {
  const Field *same = field_named(fields, count, new->name);
  if (same != NULL || new->renamed_from.len == 0) return same;
  return field_named(fields, count, new->renamed_from);
}

static bool is_place_equal(SourcePlace a, SourcePlace b) { return str_equal(a.file, b.file) && a.line == b.line && a.column == b.column; }

/* categoryId beside category: what is said of the relation is said of its key. */
static bool is_implied(const Field *field) {
  return field->kind == FIELD_STORED && field->is_relation_key && is_place_equal(field->place, field->relation->field->place) &&
         field->relation->source == field->resource;
}

static bool is_settable(const Field *field) { return !field->is_readonly && !field->is_server_made; }
static bool is_made_without(const Field *field) {
  return !field->is_required || field->default_kind != DEFAULT_NONE || !is_settable(field) || field->kind == FIELD_TO_MANY;
}

/* A relation's default stands on its key. */
static bool has_default(const Field *field) {
  if (field->kind != FIELD_TO_ONE) return field->default_kind != DEFAULT_NONE;
  return field->relation->key_count == 1 && field->relation->keys[0]->default_kind != DEFAULT_NONE;
}

static bool is_required(const Field *field) { return field->kind == FIELD_TO_ONE ? field->relation->is_required : field->is_required; }

/* ---- Added, gone, renamed ---- */

static void tell_added(Differ *differ, const Field *new, Str subject) {
  DiffPlaces places = {.new = new->place};
  bool is_missed = is_required(new) && !has_default(new) && !is_made_without(new);
  if (is_missed)
    diff_add(differ, DIFF_BREAKS_WRITERS, "field-added", subject, places,
             "is new and required, without a default: creates without it are refused");
  else
    diff_add(differ, DIFF_COMPATIBLE, "field-added", subject, places, "is new");
}

static void tell_removed(Differ *differ, const Field *old, Str subject) {
  DiffPlaces places = {.old = old->place};
  if (!old->is_hidden) diff_add(differ, DIFF_BREAKS_READERS, "field-removed", subject, places, "is gone");
  if (is_settable(old)) diff_add(differ, DIFF_BREAKS_WRITERS, "field-removed", subject, places, "is gone: input that has it is refused");
  if (old->is_hidden && !is_settable(old)) diff_add(differ, DIFF_COMPATIBLE, "field-removed", subject, places, "is gone");
}

/* ---- Flags ---- */

typedef struct FlagChange {
  bool was, is;
  const char *set, *cleared; /* kinds */
  const char *set_detail, *cleared_detail;
  DiffClass set_class, cleared_class;
} FlagChange;

static void compare_flag(Differ *differ, const FlagChange *flag, Str subject, DiffPlaces places) {
  if (flag->was == flag->is) return;
  diff_add(differ, flag->is ? flag->set_class : flag->cleared_class, flag->is ? flag->set : flag->cleared, subject, places, "%s",
           flag->is ? flag->set_detail : flag->cleared_detail);
}

static void compare_flags(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  const FlagChange flags[] = {
      {old->is_hidden, new->is_hidden, "field-hidden", "field-shown", "never leaves the server now", "was @hidden, and can be read now",
       DIFF_BREAKS_READERS, DIFF_ACCESS_WIDENED},
      {!is_settable(old), !is_settable(new), "field-readonly", "field-writable", "is set by the server only now",
       "was set by the server only, and callers may set it now", DIFF_BREAKS_WRITERS, DIFF_ACCESS_WIDENED},
      {old->is_immutable, new->is_immutable, "field-immutable", "field-mutable", "can't be changed once it is set now",
       "was set on create only, and can be changed now", DIFF_BREAKS_WRITERS, DIFF_ACCESS_WIDENED},
      {old->deprecation_reason.ptr != NULL, new->deprecation_reason.ptr != NULL, "field-deprecated", "field-undeprecated",
       "is deprecated now", "is no longer deprecated", DIFF_COMPATIBLE, DIFF_COMPATIBLE},
  };
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) compare_flag(differ, &flags[i], subject, places);
  if (!str_equal(old->sunset, new->sunset) && new->sunset.len > 0)
    diff_add(differ, DIFF_COMPATIBLE, "sunset-changed", subject, places, "goes on %.*s", STR_ARGS(new->sunset));
}

/* ---- Defaults ---- */

static bool is_default_equal(const Field *old, const Field *new, Arena *arena) {
  if (old->default_kind != new->default_kind) return false;
  if (old->default_kind == DEFAULT_VALUE) return json_equal(&old->default_value, &new->default_value);
  if (old->default_kind != DEFAULT_EXPR) return true;
  return str_equal(diff_rule_text(old->default_expr, arena), diff_rule_text(new->default_expr, arena));
}

static void compare_default(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  if (is_default_equal(old, new, differ->arena)) return;
  bool is_lost = new->default_kind == DEFAULT_NONE;
  if (old->default_kind == DEFAULT_NONE)
    diff_add(differ, DIFF_COMPATIBLE, "default-added", subject, places, "has a default now");
  else if (!is_lost)
    diff_add(differ, DIFF_COMPATIBLE, "default-changed", subject, places, "has another default");
  else if (new->is_required && is_settable(new))
    diff_add(differ, DIFF_BREAKS_WRITERS, "default-removed", subject, places, "has no default any more: creates without it are refused");
  else
    diff_add(differ, DIFF_COMPATIBLE, "default-removed", subject, places, "has no default any more");
}

/* ---- Relations ---- */

/* A cascade skips the rules of what it takes along: whoever may delete the one row may now do it to the others. */
static void compare_on_delete(Differ *differ, const Relation *old, const Relation *new, Str subject, DiffPlaces places) {
  static const char *const names[] = {
      [ON_DELETE_RESTRICT] = "RESTRICT", [ON_DELETE_CASCADE] = "CASCADE", [ON_DELETE_SET_NULL] = "SET_NULL"};
  if (old->on_delete == new->on_delete) return;
  DiffClass class = new->on_delete == ON_DELETE_RESTRICT  ? DIFF_BREAKS_WRITERS
                    : new->on_delete == ON_DELETE_CASCADE ? DIFF_ACCESS_WIDENED
                    : old->on_delete == ON_DELETE_CASCADE ? DIFF_COMPATIBLE
                                                          : DIFF_ACCESS_WIDENED;
  diff_add(differ, class, "on-delete-changed", subject, places, "onDelete was %s, is %s", names[old->on_delete], names[new->on_delete]);
}

static void compare_to_one(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  const Relation *was = old->relation, *is = new->relation;
  const Resource *target = diff_old_resource(differ, is->target);
  if (target != was->target)
    diff_add_both(differ, "relation-changed", subject, places,
                  diff_printf(differ, "referred to %.*s, refers to %.*s", STR_ARGS(was->target->name), STR_ARGS(is->target->name)));
  if (was->is_required && !is->is_required)
    diff_add(differ, DIFF_BREAKS_READERS, "nullable", subject, places, "was required, may be null now");
  if (!was->is_required && is->is_required)
    diff_add(differ, DIFF_BREAKS_WRITERS, "required", subject, places, "could be null, is required now");
  compare_on_delete(differ, was, is, subject, places);
  if (was->key_count == 1 && is->key_count == 1) compare_default(differ, was->keys[0], is->keys[0], subject, places);
}

static void compare_relation(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  if (new->kind == FIELD_TO_ONE) {
    compare_to_one(differ, old, new, subject, places);
    return;
  }
  if (diff_old_resource(differ, new->relation->source) != old->relation->source)
    diff_add_both(
        differ, "relation-changed", subject, places,
        diff_printf(differ, "listed %.*s, lists %.*s", STR_ARGS(old->relation->source->name), STR_ARGS(new->relation->source->name)));
}

/* ---- The whole ---- */

static const char *kind_name(const Field *field) {
  return field->kind == FIELD_STORED ? "a value" : field->kind == FIELD_TO_ONE ? "a relation to one" : "a list of others";
}

static void compare_field(Differ *differ, const Field *old, const Field *new, Str subject) {
  DiffPlaces places = {old->place, new->place};
  if (!str_equal(old->name, new->name))
    diff_add_both(differ, "field-renamed", subject, places, diff_printf(differ, "was %.*s", STR_ARGS(old->name)));
  if (old->kind != new->kind) {
    diff_add_both(differ, "field-kind-changed", subject, places, diff_printf(differ, "was %s, is %s", kind_name(old), kind_name(new)));
    return;
  }
  compare_flags(differ, old, new, subject, places);
  if (new->resource != NULL) diff_field_access(differ, old, new, subject, places);
  if (new->kind != FIELD_STORED) {
    compare_relation(differ, old, new, subject, places);
    return;
  }
  diff_value(differ, old, new, subject, places);
  compare_default(differ, old, new, subject, places);
  if (!str_equal(old->column, new->column))
    diff_add(differ, DIFF_COMPATIBLE, "column-changed", subject, places, "was in the column %.*s, is in %.*s: a migration moves it",
             STR_ARGS(old->column), STR_ARGS(new->column));
}

static bool is_field_continued(const Field *old, const Field *const *new, size_t new_count, const Field *const *olds, size_t old_count) {
  for (size_t i = 0; i < new_count; i++) {
    if (diff_old_field(olds, old_count, new[i]) == old) return true;
  }
  return false;
}

void diff_fields(Differ *differ, Str owner, const Field *const *old, size_t old_count, const Field *const *new, size_t new_count) {
  for (size_t i = 0; i < new_count; i++) {
    const Field *was = diff_old_field(old, old_count, new[i]);
    if (is_implied(new[i]) && (was == NULL || is_implied(was))) continue;
    Str subject = diff_subject(differ, owner, new[i]->name);
    if (was == NULL)
      tell_added(differ, new[i], subject);
    else
      compare_field(differ, was, new[i], subject);
  }
  for (size_t i = 0; i < old_count; i++) {
    if (is_implied(old[i]) || is_field_continued(old[i], new, new_count, old, old_count)) continue;
    tell_removed(differ, old[i], diff_subject(differ, owner, old[i]->name));
  }
}
