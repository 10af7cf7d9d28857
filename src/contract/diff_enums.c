/* diff_enums.c - enums by their names. A new value is one that a reader may meet without knowing it; one that is gone is refused, in input
 * and in filters. */
#include "contract/diff_impl.h"

static const EnumType *enum_named(const Contract *contract, Str name) {
  for (size_t i = 0; i < contract->enum_count; i++) {
    if (str_equal(contract->enums[i]->name, name)) return contract->enums[i];
  }
  return NULL;
}

static const EnumValue *value_named(const EnumType *type, Str name) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].name, name)) return &type->values[i];
  }
  return NULL;
}

static void compare_value(Differ *differ, const EnumValue *old, const EnumValue *new, Str subject) {
  DiffPlaces places = {old->place, new->place};
  if (!str_equal(old->stored, new->stored))
    diff_add(differ, DIFF_COMPATIBLE, "enum-value-stored", subject, places,
             "was stored as \"%.*s\", is as \"%.*s\": a migration changes it", STR_ARGS(old->stored), STR_ARGS(new->stored));
  if (old->deprecation_reason.ptr == NULL && new->deprecation_reason.ptr != NULL)
    diff_add(differ, DIFF_COMPATIBLE, "enum-value-deprecated", subject, places, "is deprecated now");
}

static void compare_enum(Differ *differ, const EnumType *old, const EnumType *new) {
  for (size_t i = 0; i < new->value_count; i++) {
    const EnumValue *was = value_named(old, new->values[i].name);
    Str subject = diff_subject(differ, new->name, new->values[i].name);
    if (was == NULL)
      diff_add(differ, DIFF_BREAKS_READERS, "enum-value-added", subject, (DiffPlaces){.old = old->place, .new = new->values[i].place},
               "is new: a client that knows the others may meet it");
    else
      compare_value(differ, was, &new->values[i], subject);
  }
  for (size_t i = 0; i < old->value_count; i++) {
    if (value_named(new, old->values[i].name) == NULL)
      diff_add_both(differ, "enum-value-removed", diff_subject(differ, old->name, old->values[i].name),
                    (DiffPlaces){old->values[i].place, new->place}, STR("is gone: filters and input that name it are refused"));
  }
}

void diff_enums(Differ *differ) {
  for (size_t i = 0; i < differ->new->enum_count; i++) {
    const EnumType *old = enum_named(differ->old, differ->new->enums[i]->name);
    if (old != NULL) compare_enum(differ, old, differ->new->enums[i]);
  }
}
