/* diff_groups.c - what stands on a type: its key, unique groups, indexes, checks, search, caching. Groups are compared by their fields' new
 * names, so that a rename is not told twice. */
#include "contract/diff_impl.h"

enum { NAMES_BYTES_MAX = 8 * 1024 };

/* ---- Lists of fields ---- */

static bool is_same_field(const Resource *old, const Field *was, const Field *is) {
  return diff_old_field(old->fields, old->field_count, is) == was;
}

static bool is_same_list(const Resource *old, const Field *const *was, size_t was_count, const Field *const *is, size_t is_count) {
  for (size_t i = 0; was_count == is_count && i < is_count; i++) {
    if (!is_same_field(old, was[i], is[i])) return false;
  }
  return was_count == is_count;
}

static bool is_same_set(const Resource *old, const UniqueGroup *was, const UniqueGroup *is) {
  size_t found = 0;
  for (size_t i = 0; i < is->count; i++) {
    for (size_t k = 0; k < was->count; k++) found += is_same_field(old, was->fields[k], is->fields[i]);
  }
  return was->count == is->count && found == is->count;
}

static Str names_of(Differ *differ, const Field *const *fields, size_t count) {
  Buf out = buf_on(differ->arena, NAMES_BYTES_MAX);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(&out, STR(", "));
    buf_add(&out, fields[i]->name);
  }
  if (out.failed == CODE_UNAVAILABLE) differ->has_no_memory = true;
  return buf_str(&out);
}

/* ---- Keys and unique groups ---- */

static void compare_keys(Differ *differ, const Resource *old, const Resource *new, DiffPlaces places) {
  if (is_same_list(old, old->keys, old->key_count, new->keys, new->key_count)) return;
  Str was = names_of(differ, old->keys, old->key_count), is = names_of(differ, new->keys, new->key_count);
  diff_add_both(differ, "key-changed", new->name, places,
                diff_printf(differ, "its key was (%.*s), is (%.*s)", STR_ARGS(was), STR_ARGS(is)));
}

static void compare_uniques(Differ *differ, const Resource *old, const Resource *new) {
  for (size_t i = 0; i < new->unique_count; i++) {
    bool is_known = false;
    for (size_t k = 0; k < old->unique_count; k++) is_known = is_known || is_same_set(old, &old->uniques[k], &new->uniques[i]);
    if (is_known) continue;
    Str names = names_of(differ, new->uniques[i].fields, new->uniques[i].count);
    diff_add(differ, DIFF_BREAKS_WRITERS, "unique-added", new->name, (DiffPlaces){old->place, new->uniques[i].place},
             "(%.*s) must be unique now", STR_ARGS(names));
  }
  for (size_t k = 0; k < old->unique_count; k++) {
    bool is_kept = false;
    for (size_t i = 0; i < new->unique_count; i++) is_kept = is_kept || is_same_set(old, &old->uniques[k], &new->uniques[i]);
    if (is_kept) continue;
    Str names = names_of(differ, old->uniques[k].fields, old->uniques[k].count);
    diff_add(differ, DIFF_BREAKS_READERS, "unique-removed", new->name, (DiffPlaces){old->uniques[k].place, new->place},
             "(%.*s) is not unique any more: it names no single row", STR_ARGS(names));
  }
}

/* ---- Checks ---- */

static bool has_check(const Resource *resource, Str text, Arena *arena) {
  for (size_t i = 0; i < resource->check_count; i++) {
    if (str_equal(diff_rule_text(resource->checks[i].expr, arena), text)) return true;
  }
  return false;
}

/* A check that some other one implies refuses nothing new. */
static bool is_implied_by_old(Differ *differ, const Resource *old, const Expr *check) {
  for (size_t i = 0; i < old->check_count; i++) {
    RuleOrder order = diff_rule_order(old->checks[i].expr, check, differ->arena, &differ->has_no_memory);
    if (order == RULES_EQUAL || order == RULE_WIDER) return true;
  }
  return false;
}

static void compare_checks(Differ *differ, const Resource *old, const Resource *new, DiffPlaces places) {
  for (size_t i = 0; i < new->check_count; i++) {
    const Check *check = &new->checks[i];
    if (has_check(old, diff_rule_text(check->expr, differ->arena), differ->arena)) continue;
    if (is_implied_by_old(differ, old, check->expr))
      diff_add(differ, DIFF_COMPATIBLE, "check-loosened", new->name, places, "its check is looser: %.*s", STR_ARGS(check->source));
    else
      diff_add(differ, DIFF_BREAKS_WRITERS, "check-added", new->name, places, "rows must satisfy: %.*s", STR_ARGS(check->source));
  }
  for (size_t i = 0; i < old->check_count; i++) {
    if (has_check(new, diff_rule_text(old->checks[i].expr, differ->arena), differ->arena)) continue;
    diff_add(differ, DIFF_COMPATIBLE, "check-removed", new->name, places, "rows need not satisfy any more: %.*s",
             STR_ARGS(old->checks[i].source));
  }
}

/* ---- Indexes, search, and what is the server's affair ---- */

static bool is_same_index(const Resource *old, const Index *was, const Index *is, Arena *arena) {
  if (was->count != is->count || (was->where == NULL) != (is->where == NULL)) return false;
  for (size_t i = 0; i < is->count; i++) {
    if (!is_same_field(old, was->fields[i].field, is->fields[i].field) || was->fields[i].is_descending != is->fields[i].is_descending)
      return false;
  }
  return is->where == NULL || str_equal(diff_rule_text(was->where, arena), diff_rule_text(is->where, arena));
}

static void compare_indexes(Differ *differ, const Resource *old, const Resource *new, DiffPlaces places) {
  size_t kept = 0;
  for (size_t i = 0; i < new->index_count; i++) {
    bool is_known = false;
    for (size_t k = 0; k < old->index_count; k++)
      is_known = is_known || is_same_index(old, &old->indexes[k], &new->indexes[i], differ->arena);
    kept += is_known;
    if (!is_known)
      diff_add(differ, DIFF_COMPATIBLE, "index-added", new->name, places, "has an index more, beginning with %.*s",
               STR_ARGS(new->indexes[i].fields[0].field->name));
  }
  if (kept < old->index_count)
    diff_add(differ, DIFF_COMPATIBLE, "index-removed", new->name, places, "has lost %zu of its indexes", old->index_count - kept);
}

static void compare_search(Differ *differ, const Resource *old, const Resource *new, DiffPlaces places) {
  for (size_t i = 0; i < old->search_count; i++) {
    bool is_kept = false;
    for (size_t k = 0; k < new->search_count; k++) is_kept = is_kept || is_same_field(old, old->search[i], new->search[k]);
    if (!is_kept)
      diff_add(differ, DIFF_BREAKS_READERS, "search-narrowed", new->name, places, "a search does not look through %.*s any more",
               STR_ARGS(old->search[i]->name));
  }
  if (new->search_count > old->search_count)
    diff_add(differ, DIFF_COMPATIBLE, "search-added", new->name, places, "a search looks through more fields");
}

void diff_groups(Differ *differ, const Resource *old, const Resource *new) {
  DiffPlaces places = {old->place, new->place};
  compare_keys(differ, old, new, places);
  compare_uniques(differ, old, new);
  compare_checks(differ, old, new, places);
  compare_indexes(differ, old, new, places);
  compare_search(differ, old, new, places);
  if (old->cache.max_age_s != new->cache.max_age_s || old->cache.is_private != new->cache.is_private)
    diff_add(differ, DIFF_COMPATIBLE, "cache-changed", new->name, places, "answers may be kept for another time");
  if (old->isolation != new->isolation)
    diff_add(differ, DIFF_COMPATIBLE, "isolation-changed", new->name, places, "its transactions are kept apart in another way");
  if (old->deprecation_reason.ptr == NULL && new->deprecation_reason.ptr != NULL)
    diff_add(differ, DIFF_COMPATIBLE, "type-deprecated", new->name, places, "is deprecated now: %.*s", STR_ARGS(new->deprecation_reason));
}
