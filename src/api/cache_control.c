/* cache_control.c - an answer depends on its caller where a rule does that was asked for it: the rules of every resource and field that was
 * read, and, through a condition or an order over relations, of any other. What is not known to be alike for all counts as private. */
#include "api/cache_control.h"

#include "query/rules.h"

static bool asks_caller(const Expr *expr) {
  if (expr == NULL) return false; /* no rule: refused to all alike */
  if (expr->kind == EXPR_AUTH_ID || expr->kind == EXPR_AUTH_ROLES || expr->kind == EXPR_AUTH_CLAIM) return true;
  for (size_t i = 0; i < expr->arg_count; i++)
    if (asks_caller(expr->args[i])) return true;
  return false;
}

static bool list_depends(const ListQuery *list) {
  if (list->filter != NULL && (list->filter->has_relations || asks_caller(list->filter))) return true;
  for (size_t i = 0; i < list->order_count; i++)
    if (list->order[i].path.hop_count > 0) return true;
  return false;
}

/* A filter or an order of this resource's own fields sees them as null where their rules refuse. */
static bool resource_depends(const Resource *resource, bool has_all_fields) {
  if (asks_caller(resource->access[RULE_READ])) return true;
  for (size_t i = 0; has_all_fields && i < resource->field_count; i++)
    if (asks_caller(field_rule(resource->fields[i], RULE_READ))) return true;
  return false;
}

static bool selection_depends(const Selection *selection) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    if (asks_caller(field_rule(item->field, RULE_READ))) return true;
    if (item->nested == NULL) continue;
    const Relation *relation = item->field->relation;
    const Resource *other = item->field->kind == FIELD_TO_ONE ? relation->target : relation->source;
    const ListQuery *list = &item->nested->list;
    if (resource_depends(other, list->filter != NULL || list->order_count > 0) || list_depends(list)) return true;
    if (selection_depends(item->nested)) return true;
  }
  return false;
}

static bool operation_depends(const Operation *operation) {
  const ListQuery *list = &operation->list;
  return resource_depends(operation->resource, list->filter != NULL || list->order_count > 0 || list->search.ptr != NULL) ||
         list_depends(list) || (operation->selection != NULL && selection_depends(operation->selection));
}

/* ---- the least of all parts ---- */

static void add_part(CacheHint *least, const CacheHint *part) {
  if (part->max_age_s < least->max_age_s) least->max_age_s = part->max_age_s; /* -1, nothing, is the least of all */
  least->is_private = least->is_private || part->is_private;
}

/* What a relation says of itself stands for what the other type says; that is asked only `with_types`. */
static void add_selection(CacheHint *least, const Selection *selection, bool with_types) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    const CacheHint *own = field_cache(item->field);
    if (own != NULL) add_part(least, own);
    if (item->nested == NULL) continue;
    if (own == NULL && with_types) add_part(least, &item->nested->resource->cache);
    add_selection(least, item->nested, with_types);
  }
}

static Str write_hint(const CacheHint *hint, Arena *arena) {
  return arena_printf(arena, "%s, max-age=%lld", hint->is_private ? "private" : "public", (long long)hint->max_age_s);
}

Str cache_control(const CallGroup *group, const Resource *resource, Arena *arena) {
  CacheHint least = resource->cache;
  if (least.max_age_s < 0) return (Str){NULL, 0};
  for (size_t i = 0; i < group->count; i++) {
    const Operation *operation = &group->calls[i].operation;
    if (operation->selection != NULL) add_selection(&least, operation->selection, false);
    least.is_private = least.is_private || operation_depends(operation);
  }
  return write_hint(&least, arena);
}

Str cache_control_least(const CallGroup *group, Arena *arena) {
  CacheHint least = {.max_age_s = INT64_MAX};
  for (size_t i = 0; i < group->count; i++) {
    const Operation *operation = &group->calls[i].operation;
    add_part(&least, &operation->resource->cache);
    if (operation->selection != NULL) add_selection(&least, operation->selection, true);
    least.is_private = least.is_private || operation_depends(operation);
  }
  return least.max_age_s < 0 || least.max_age_s == INT64_MAX ? (Str){NULL, 0} : write_hint(&least, arena);
}
