/* versions.c - which differences between versions one table can bear. A column that two versions have must be the same to both, since each
 * reads what the other wrote; one that only some have must get along without the others' writing it. */
#include "contract/versions.h"

#include "base/buf.h"
#include "contract/expr.h"
#include "contract/versions_layout.h"

enum { CONFLICTS_BYTES_MAX = 256 * 1024 };

typedef struct Joining {
  const Contract *const *contracts; /* newest first */
  size_t count;
  Buf conflicts;
} Joining;

/* ---- Versions ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The number at *text's start, as its digits without leading zeros; moves behind it. */
static Str take_number(Str *text) {
  size_t begin = 0;
  while (begin < text->len && text->ptr[begin] == '0') begin++;
  size_t end = begin;
  while (end < text->len && is_digit(text->ptr[end])) end++;
  Str number = str_slice(*text, begin, end);
  *text = str_slice(*text, end, text->len);
  return number;
}

int contract_version_compare(Str a, Str b) {
  while (a.len > 0 && b.len > 0) {
    if (is_digit(a.ptr[0]) && is_digit(b.ptr[0])) {
      Str left = take_number(&a), right = take_number(&b);
      if (left.len != right.len) return left.len < right.len ? -1 : 1;
      int order = str_compare(left, right);
      if (order != 0) return order;
    } else {
      if (a.ptr[0] != b.ptr[0]) return (unsigned char)a.ptr[0] < (unsigned char)b.ptr[0] ? -1 : 1;
      a = str_slice(a, 1, a.len);
      b = str_slice(b, 1, b.len);
    }
  }
  return (a.len > 0) - (b.len > 0);
}

size_t contract_newest(const Contract *const *contracts, size_t count) {
  size_t newest = 0;
  for (size_t i = 1; i < count; i++) {
    if (contract_version_compare(contracts[i]->service_version, contracts[newest]->service_version) > 0) newest = i;
  }
  return newest;
}

static const Contract **newest_first(const Contract *const *contracts, size_t count, Arena *arena) {
  const Contract **sorted = (const Contract **)arena_calloc(arena, count, sizeof *sorted);
  for (size_t i = 0; sorted != NULL && i < count; i++) {
    size_t at = i;
    for (; at > 0 && contract_version_compare(sorted[at - 1]->service_version, contracts[i]->service_version) < 0; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = contracts[i];
  }
  return sorted;
}

/* ---- Conflicts ---- */

#define PLACE_FORMAT "%.*s:%u:%u"
#define PLACE_ARGS(place) STR_ARGS((place).file), (place).line, (place).column

/* "v2.graphql:5:3: error: Product.price …" */
static Buf *conflict_at(Joining *joining, SourcePlace place) {
  buf_printf(&joining->conflicts, PLACE_FORMAT ": error: ", PLACE_ARGS(place));
  return &joining->conflicts;
}

static void compare_services(Joining *joining) {
  for (size_t i = 1; i < joining->count; i++) {
    const Contract *a = joining->contracts[i - 1], *b = joining->contracts[i];
    if (str_equal(a->service_version, b->service_version))
      buf_printf(conflict_at(joining, b->place), "the version \"%.*s\" is that of " PLACE_FORMAT " too: give each contract its own\n",
                 STR_ARGS(b->service_version), PLACE_ARGS(a->place));
    if (!str_equal(a->service_name, b->service_name))
      buf_printf(conflict_at(joining, b->place), "the service is \"%.*s\" here and \"%.*s\" at " PLACE_FORMAT "\n",
                 STR_ARGS(b->service_name), STR_ARGS(a->service_name), PLACE_ARGS(a->place));
  }
}

static bool is_same_type(const Field *a, const Field *b) {
  if (a->type != b->type || a->is_list != b->is_list) return false;
  /* Enums and embedded objects may grow; what a version doesn't know it gives as it is stored. */
  return a->scale == b->scale;
}

static void compare_column(Joining *joining, const Field *a, const Field *b) {
  Str a_type = field_type_name(a), b_type = field_type_name(b);
  const Resource *owner = a->resource;
  if (!is_same_type(a, b))
    buf_printf(conflict_at(joining, a->place), "%.*s.%.*s is %s%.*s%s here and %s%.*s%s%s at " PLACE_FORMAT ", in one column, %.*s.%.*s\n",
               STR_ARGS(owner->name), STR_ARGS(a->name), a->is_list ? "[" : "", STR_ARGS(a_type), a->is_list ? "]" : "",
               b->is_list ? "[" : "", STR_ARGS(b_type), b->is_list ? "]" : "",
               a->type == b->type && a->is_list == b->is_list ? " of another scale" : "", PLACE_ARGS(b->place), STR_ARGS(owner->table),
               STR_ARGS(a->column));
  else if (!str_equal_ignore_case(a->column_type, b->column_type))
    buf_printf(conflict_at(joining, a->place), "the column %.*s.%.*s has another @column(type:) at " PLACE_FORMAT "\n",
               STR_ARGS(owner->table), STR_ARGS(a->column), PLACE_ARGS(b->place));
  if (a->is_required != b->is_required)
    buf_printf(conflict_at(joining, a->place), "%.*s.%.*s %s here, and %s at " PLACE_FORMAT "\n", STR_ARGS(owner->name), STR_ARGS(a->name),
               a->is_required ? "is required" : "may be null", b->is_required ? "is required" : "may be null", PLACE_ARGS(b->place));
}

static bool can_create(const Resource *resource) {
  const Expr *rule = resource->access[RULE_CREATE];
  return resource->key_count > 0 && rule != NULL && !expr_is_false(rule);
}

/* `field` is a column that `other`'s rows are made without. */
static void check_missing_column(Joining *joining, const Field *field, const Resource *other) {
  if (!field->is_required || field->is_key || field->default_kind == DEFAULT_VALUE || field->default_kind == DEFAULT_DATABASE) return;
  if (!can_create(other)) return;
  buf_printf(conflict_at(joining, field->place),
             "%.*s.%.*s is required and has no constant default, but %.*s at " PLACE_FORMAT
             " makes rows without it: give it @default(value: …), or let it be null\n",
             STR_ARGS(field->resource->name), STR_ARGS(field->name), STR_ARGS(other->name), PLACE_ARGS(other->place));
}

static void compare_keys(Joining *joining, const Resource *a, const Resource *b) {
  bool is_equal = a->key_count == b->key_count;
  for (size_t i = 0; is_equal && i < a->key_count; i++) is_equal = str_equal_ignore_case(a->keys[i]->column, b->keys[i]->column);
  if (is_equal) return;
  buf_printf(conflict_at(joining, a->place), "%.*s has another key than %.*s at " PLACE_FORMAT ", in one table, %.*s\n", STR_ARGS(a->name),
             STR_ARGS(b->name), PLACE_ARGS(b->place), STR_ARGS(a->table));
}

/* ---- Relations and unique groups ---- */

static bool has_columns(const Resource *resource, const Field *const *fields, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (layout_column(resource, fields[i]->column) == NULL) return false;
  }
  return true;
}

static void compare_relation(Joining *joining, const Relation *a, const Resource *b) {
  if (!has_columns(b, a->keys, a->key_count)) return;
  const Relation *other = layout_relation(b, a->keys, a->key_count);
  Str name = a->source->name, field = a->field->name;
  if (other == NULL) {
    buf_printf(conflict_at(joining, a->field->place),
               "%.*s.%.*s is a relation, but %.*s at " PLACE_FORMAT " has its key as a plain field\n", STR_ARGS(name), STR_ARGS(field),
               STR_ARGS(b->name), PLACE_ARGS(b->place));
  } else if (!str_equal_ignore_case(a->target->table, other->target->table)) {
    buf_printf(conflict_at(joining, a->field->place), "%.*s.%.*s refers to the table %.*s here and to %.*s at " PLACE_FORMAT "\n",
               STR_ARGS(name), STR_ARGS(field), STR_ARGS(a->target->table), STR_ARGS(other->target->table),
               PLACE_ARGS(other->field->place));
  } else if (a->on_delete != other->on_delete) {
    buf_printf(conflict_at(joining, a->field->place), "%.*s.%.*s has another onDelete at " PLACE_FORMAT "\n", STR_ARGS(name),
               STR_ARGS(field), PLACE_ARGS(other->field->place));
  }
}

static void compare_unique(Joining *joining, const Resource *a, const UniqueGroup *group, const Resource *b) {
  if (!has_columns(b, group->fields, group->count) || layout_has_unique(b, group)) return;
  Buf *out = conflict_at(joining, group->place);
  for (size_t i = 0; i < group->count; i++)
    buf_printf(out, "%s%.*s.%.*s", i == 0 ? "" : ", ", STR_ARGS(a->name), STR_ARGS(group->fields[i]->name));
  buf_printf(out, " %s unique here, and not at " PLACE_FORMAT "\n", group->count == 1 ? "is" : "are together", PLACE_ARGS(b->place));
}

/* What `a` says that `b` can't live with. */
static void compare_groups(Joining *joining, const Resource *a, const Resource *b) {
  for (size_t i = 0; i < a->stored_count; i++) {
    if (layout_column(b, a->stored[i]->column) == NULL) check_missing_column(joining, a->stored[i], b);
  }
  for (size_t i = 0; i < a->unique_count; i++) compare_unique(joining, a, &a->uniques[i], b);
}

static void compare_resources(Joining *joining, const Resource *a, const Resource *b) {
  compare_keys(joining, a, b);
  for (size_t i = 0; i < a->stored_count; i++) {
    const Field *other = layout_column(b, a->stored[i]->column);
    if (other != NULL) compare_column(joining, a->stored[i], other);
  }
  for (size_t i = 0; i < a->field_count; i++) {
    if (a->fields[i]->kind == FIELD_TO_ONE) compare_relation(joining, a->fields[i]->relation, b);
  }
  for (size_t i = 0; i < b->field_count; i++) {
    const Field *field = b->fields[i];
    /* What both have as relations was compared already. */
    bool is_seen = field->kind == FIELD_TO_ONE && layout_relation(a, field->relation->keys, field->relation->key_count) != NULL;
    if (field->kind == FIELD_TO_ONE && !is_seen) compare_relation(joining, field->relation, a);
  }
  compare_groups(joining, a, b);
  compare_groups(joining, b, a);
}

static void compare_contracts(Joining *joining, const Contract *a, const Contract *b) {
  for (size_t i = 0; i < a->resource_count; i++) {
    const Resource *other = layout_table(b, a->resources[i]->table);
    if (other != NULL) compare_resources(joining, a->resources[i], other);
  }
}

Code contract_versions_join(const Contract *const *contracts, size_t count, Arena *arena, const Contract **ret_layout, Str *ret_conflicts,
                            Error *err) {
  if (count == 1) {
    *ret_layout = contracts[0];
    return CODE_OK;
  }
  const Contract **sorted = newest_first(contracts, count, arena);
  TRY_ALLOC(sorted);
  Joining joining = {.contracts = sorted, .count = count, .conflicts = buf_on(arena, CONFLICTS_BYTES_MAX)};
  compare_services(&joining);
  for (size_t i = 0; i < count; i++) {
    for (size_t k = i + 1; k < count; k++) compare_contracts(&joining, sorted[i], sorted[k]);
  }
  if (joining.conflicts.failed == CODE_UNAVAILABLE) return error_no_memory(err);
  if (joining.conflicts.len == 0) return layout_create(sorted, count, arena, ret_layout, err);
  *ret_conflicts = buf_str(&joining.conflicts);
  return error_set(err, CODE_CONFLICT, "the contracts can't be served together");
}
