/* diff.c - types against types: which became which, what is new, what is gone. */
#include <stdarg.h>

#include "contract/diff_impl.h"

/* ---- Collecting ---- */

enum { TEXT_MAX = 1024 };

static Str vprintf_text(Differ *differ, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static Str vprintf_text(Differ *differ, const char *format, va_list args) {
  Str text = arena_vprintf(differ->arena, TEXT_MAX, format, args);
  if (text.ptr == NULL) differ->has_no_memory = true;
  return text.ptr == NULL ? STR("") : text;
}

Str diff_printf(Differ *differ, const char *format, ...) {
  va_list args;
  va_start(args, format);
  Str text = vprintf_text(differ, format, args);
  va_end(args);
  return text;
}

static void add(Differ *differ, DiffClass class, const char *kind, Str subject, DiffPlaces places, Str detail) {
  DiffChange change = {.class = class, .kind = str_of(kind), .subject = subject, .detail = detail, .old = places.old, .new = places.new};
  if (!VEC_PUSH(differ->arena, &differ->diff->changes, change)) differ->has_no_memory = true;
}

void diff_add(Differ *differ, DiffClass class, const char *kind, Str subject, DiffPlaces places, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(differ, class, kind, subject, places, vprintf_text(differ, format, args));
  va_end(args);
}

void diff_add_both(Differ *differ, const char *kind, Str subject, DiffPlaces places, Str detail) {
  add(differ, DIFF_BREAKS_READERS, kind, subject, places, detail);
  add(differ, DIFF_BREAKS_WRITERS, kind, subject, places, detail);
}

Str diff_subject(Differ *differ, Str type, Str field) { return diff_printf(differ, "%.*s.%.*s", STR_ARGS(type), STR_ARGS(field)); }

/* ---- Which became which ---- */

/* A name that the new contract still has is not what another was renamed from. */
const Resource *diff_old_resource(const Differ *differ, const Resource *new) {
  const Resource *same = contract_resource(differ->old, new->name);
  if (same != NULL) return same;
  const Resource *renamed = new->renamed_from.len > 0 ? contract_resource(differ->old, new->renamed_from) : NULL;
  if (renamed == NULL) renamed = contract_resource_at(differ->old, new->path);
  return renamed != NULL && contract_resource(differ->new, renamed->name) == NULL ? renamed : NULL;
}

static bool is_continued(const Differ *differ, const Resource *old) {
  for (size_t i = 0; i < differ->new->resource_count; i++) {
    if (diff_old_resource(differ, differ->new->resources[i]) == old) return true;
  }
  return false;
}

/* ---- Resources ---- */

static bool can_be_written(const Resource *resource) {
  return resource->access[RULE_CREATE] != NULL || resource->access[RULE_UPDATE] != NULL || resource->access[RULE_DELETE] != NULL;
}

static void compare_names(Differ *differ, const Resource *old, const Resource *new, DiffPlaces places) {
  if (!str_equal(old->name, new->name))
    diff_add_both(differ, "type-renamed", new->name, places,
                  diff_printf(differ, "was %.*s: GraphQL's and gRPC's names change", STR_ARGS(old->name)));
  if (!str_equal(old->path, new->path))
    diff_add_both(differ, "path-changed", new->name, places,
                  diff_printf(differ, "was at the path %.*s, is at %.*s", STR_ARGS(old->path), STR_ARGS(new->path)));
  if (!str_equal(old->table, new->table))
    diff_add(differ, DIFF_COMPATIBLE, "table-changed", new->name, places, "was in the table %.*s, is in %.*s: a migration moves it",
             STR_ARGS(old->table), STR_ARGS(new->table));
}

static void compare_resource(Differ *differ, const Resource *new) {
  const Resource *old = diff_old_resource(differ, new);
  if (old == NULL) {
    diff_add(differ, DIFF_COMPATIBLE, "type-added", new->name, (DiffPlaces){.new = new->place}, "is new, at the path %.*s",
             STR_ARGS(new->path));
    return;
  }
  compare_names(differ, old, new, (DiffPlaces){old->place, new->place});
  diff_type_access(differ, old, new);
  diff_groups(differ, old, new);
  diff_fields(differ, new->name, old->fields, old->field_count, new->fields, new->field_count);
}

static void tell_gone(Differ *differ, const Resource *old) {
  DiffPlaces places = {.old = old->place};
  diff_add(differ, DIFF_BREAKS_READERS, "type-removed", old->name, places, "is gone, with its path %.*s", STR_ARGS(old->path));
  if (can_be_written(old))
    diff_add(differ, DIFF_BREAKS_WRITERS, "type-removed", old->name, places, "is gone, with its path %.*s", STR_ARGS(old->path));
}

/* ---- Embedded types, and the service ---- */

static const Embedded *embedded_named(const Contract *contract, Str name) {
  for (size_t i = 0; i < contract->embedded_count; i++) {
    if (str_equal(contract->embeddeds[i]->name, name)) return contract->embeddeds[i];
  }
  return NULL;
}

/* A field that changes its embedded type says so itself. */
static void compare_embeddeds(Differ *differ) {
  for (size_t i = 0; i < differ->new->embedded_count; i++) {
    const Embedded *new = differ->new->embeddeds[i], *old = embedded_named(differ->old, new->name);
    if (old != NULL) diff_fields(differ, new->name, old->fields, old->field_count, new->fields, new->field_count);
  }
}

static void compare_service(Differ *differ) {
  const Contract *old = differ->old, *new = differ->new;
  DiffPlaces places = {old->place, new->place};
  if (!str_equal(old->service_name, new->service_name))
    diff_add(differ, DIFF_COMPATIBLE, "service-renamed", new->service_name, places, "the service was %.*s", STR_ARGS(old->service_name));
  if (!str_equal(old->service_version, new->service_version))
    diff_add(differ, DIFF_COMPATIBLE, "version-changed", new->service_name, places, "was %.*s, is %.*s: both can be served at once",
             STR_ARGS(old->service_version), STR_ARGS(new->service_version));
}

Code contract_diff(const Contract *old, const Contract *new, Arena *arena, Diff *ret, Error *err) {
  *ret = (Diff){0};
  Differ differ = {.arena = arena, .diff = ret, .old = old, .new = new};
  compare_service(&differ);
  for (size_t i = 0; i < new->resource_count; i++) compare_resource(&differ, new->resources[i]);
  compare_embeddeds(&differ);
  diff_enums(&differ);
  for (size_t i = 0; i < old->resource_count; i++) {
    if (!is_continued(&differ, old->resources[i])) tell_gone(&differ, old->resources[i]);
  }
  return differ.has_no_memory ? error_no_memory(err) : CODE_OK;
}
