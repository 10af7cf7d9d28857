/* diff_values.c - the values that a field takes and gives. A change breaks those who read where a value may come that could not come
 * before, and those who write where one is refused that was taken before; both by the forms that values have in JSON. */
#include "contract/diff_impl.h"
#include "contract/directive_registry.h"

#define BIT(type) (1u << (type))
#define PLAIN_TEXTS                                                                                                                        \
  (BIT(TYPE_ID) | BIT(TYPE_STRING) | BIT(TYPE_UUID) | BIT(TYPE_EMAIL) | BIT(TYPE_URL) | BIT(TYPE_ENUM) | BIT(TYPE_DATE) |                  \
   BIT(TYPE_DATETIME) | BIT(TYPE_BYTES))

/* Whose answers' values are all values of the type. */
static const uint32_t gives[TYPE_COUNT] = {
    [TYPE_ID] = PLAIN_TEXTS | BIT(TYPE_BIGINT) | BIT(TYPE_DECIMAL),
    [TYPE_STRING] = PLAIN_TEXTS | BIT(TYPE_BIGINT) | BIT(TYPE_DECIMAL),
    [TYPE_FLOAT] = BIT(TYPE_INT),
    [TYPE_DECIMAL] = BIT(TYPE_BIGINT),
    [TYPE_JSON] = UINT32_MAX,
};

/* Whose inputs are all inputs of the type. A Decimal and a BigInt are also given as numbers, which no text takes. */
static const uint32_t takes[TYPE_COUNT] = {
    [TYPE_ID] = PLAIN_TEXTS,
    [TYPE_STRING] = PLAIN_TEXTS,
    [TYPE_BIGINT] = BIT(TYPE_INT),
    [TYPE_FLOAT] = BIT(TYPE_INT),
    [TYPE_DECIMAL] = BIT(TYPE_INT) | BIT(TYPE_BIGINT),
    [TYPE_JSON] = UINT32_MAX,
};

static bool is_within(const uint32_t table[TYPE_COUNT], FieldType whole, FieldType part) {
  return whole == part || (table[whole] & BIT(part)) != 0;
}

static Str type_text(Differ *differ, const Field *field) {
  Str name = field_type_name(field);
  if (!field->is_list) return name;
  return diff_printf(differ, "[%.*s%s]", STR_ARGS(name), field->is_item_required ? "!" : "");
}

static bool is_same_named(const Field *old, const Field *new) {
  return (new->type != TYPE_ENUM &&new->type != TYPE_EMBEDDED) || str_equal(field_type_name(old), field_type_name(new));
}

static void compare_type(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  if (old->type == new->type && old->is_list == new->is_list &&is_same_named(old, new)) return;
  Str was = type_text(differ, old), is = type_text(differ, new);
  bool is_other = old->is_list != new->is_list || (old->type == new->type && !is_same_named(old, new));
  bool reads = !is_other && is_within(gives, old->type, new->type), writes = !is_other && is_within(takes, new->type, old->type);
  if (!reads) diff_add(differ, DIFF_BREAKS_READERS, "type-changed", subject, places, "was %.*s, is %.*s", STR_ARGS(was), STR_ARGS(is));
  if (!writes) diff_add(differ, DIFF_BREAKS_WRITERS, "type-changed", subject, places, "was %.*s, is %.*s", STR_ARGS(was), STR_ARGS(is));
  if (reads && writes) diff_add(differ, DIFF_COMPATIBLE, "type-changed", subject, places, "was %.*s, is %.*s", STR_ARGS(was), STR_ARGS(is));
}

static void compare_nullability(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  if (old->is_required && !new->is_required)
    diff_add(differ, DIFF_BREAKS_READERS, "nullable", subject, places, "was required, may be null now");
  if (!old->is_required && new->is_required)
    diff_add(differ, DIFF_BREAKS_WRITERS, "required", subject, places, "could be null, is required now");
  if (!old->is_list || !new->is_list) return;
  if (old->is_item_required && !new->is_item_required)
    diff_add(differ, DIFF_BREAKS_READERS, "nullable", subject, places, "its items may be null now");
  if (!old->is_item_required && new->is_item_required)
    diff_add(differ, DIFF_BREAKS_WRITERS, "required", subject, places, "its items must not be null now");
}

/* ---- What directives ask ---- */

int diff_count_move(int64_t old, int64_t new, int sign) {
  if (old < 0 || new < 0) return (old < 0) - (new < 0);
  return ((new > old) - (new < old)) * sign;
}

void diff_tell_move(Differ *differ, int move, const char *directive, Str subject, DiffPlaces places) {
  if (move > 0)
    diff_add(differ, DIFF_BREAKS_WRITERS, "constraint-tightened", subject, places, "%s is tighter: values that were taken are refused",
             directive);
  if (move < 0) diff_add(differ, DIFF_COMPATIBLE, "constraint-loosened", subject, places, "%s is looser", directive);
}

void diff_value(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places) {
  compare_type(differ, old, new, subject, places);
  compare_nullability(differ, old, new, subject, places);
  if (old->type != new->type) return;
  size_t count = 0;
  const Directive *const *directives = contract_directives(&count);
  for (size_t i = 0; i < count; i++) {
    if (directives[i]->compare != NULL) directives[i]->compare(differ, old, new, subject, places);
  }
}
