/* regex_class.c - see regex_class.h. The shorthands and POSIX's classes are of ASCII, as RE2 has them; case and categories are
 * Unicode's. */
#include "contract/regex_class.h"

#include <stdlib.h>

#include "contract/unicode.h"

typedef struct NamedRanges {
  Str name;
  RegexRange ranges[4];
  size_t count;
} NamedRanges;

#define DIGITS                                                                                                                             \
  { '0', '9' }
#define UPPER                                                                                                                              \
  { 'A', 'Z' }
#define LOWER                                                                                                                              \
  { 'a', 'z' }

static const NamedRanges shorthands[] = {
    {STR_INIT("d"), {DIGITS}, 1},
    {STR_INIT("s"), {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, 3},
    {STR_INIT("w"), {DIGITS, UPPER, {'_', '_'}, LOWER}, 4},
};

static const NamedRanges posix[] = {
    {STR_INIT("alnum"), {DIGITS, UPPER, LOWER}, 3},
    {STR_INIT("alpha"), {UPPER, LOWER}, 2},
    {STR_INIT("ascii"), {{0, 0x7f}}, 1},
    {STR_INIT("blank"), {{'\t', '\t'}, {' ', ' '}}, 2},
    {STR_INIT("cntrl"), {{0, 0x1f}, {0x7f, 0x7f}}, 2},
    {STR_INIT("digit"), {DIGITS}, 1},
    {STR_INIT("graph"), {{'!', '~'}}, 1},
    {STR_INIT("lower"), {LOWER}, 1},
    {STR_INIT("print"), {{' ', '~'}}, 1},
    {STR_INIT("punct"), {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, 4},
    {STR_INIT("space"), {{'\t', '\r'}, {' ', ' '}}, 2},
    {STR_INIT("upper"), {UPPER}, 1},
    {STR_INIT("word"), {DIGITS, UPPER, {'_', '_'}, LOWER}, 4},
    {STR_INIT("xdigit"), {DIGITS, {'A', 'F'}, {'a', 'f'}}, 3},
};

/* ---- sets ---- */

static void push(RegexClassBuilder *builder, RegexRanges *ranges, uint32_t first, uint32_t last) {
  if (!VEC_PUSH(builder->arena, ranges, ((RegexRange){first, last}))) builder->failed = true;
}

static int compare_ranges(const void *a, const void *b) {
  const RegexRange *left = a, *right = b;
  return left->first < right->first ? -1 : left->first > right->first;
}

/* In order, those that touch as one. There are no surrogates in a text, so that none has to stand at an end. */
static void normalize(RegexRanges *ranges) {
  size_t count = 0;
  if (ranges->count == 0) return;
  qsort(ranges->items, ranges->count, sizeof *ranges->items, compare_ranges);
  for (size_t i = 0; i < ranges->count; i++) {
    RegexRange range = ranges->items[i];
    if (range.first >= UNICODE_SURROGATE_FIRST && range.first <= UNICODE_SURROGATE_LAST) range.first = UNICODE_SURROGATE_LAST + 1;
    if (range.last >= UNICODE_SURROGATE_FIRST && range.last <= UNICODE_SURROGATE_LAST) range.last = UNICODE_SURROGATE_FIRST - 1;
    if (range.first > range.last) continue;
    RegexRange *before = count > 0 ? &ranges->items[count - 1] : NULL;
    uint32_t next = before == NULL ? 0 : before->last == UNICODE_SURROGATE_FIRST - 1 ? UNICODE_SURROGATE_LAST + 1 : before->last + 1;
    if (before == NULL || range.first > next)
      ranges->items[count++] = range;
    else if (range.last > before->last)
      before->last = range.last;
  }
  ranges->count = count;
}

/* Those of normal ranges that are between them. */
static void push_others(RegexClassBuilder *builder, RegexRanges *ret, const RegexRanges *ranges) {
  uint32_t next = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    if (ranges->items[i].first > next) push(builder, ret, next, ranges->items[i].first - 1);
    next = ranges->items[i].last + 1;
  }
  if (next <= UNICODE_MAX) push(builder, ret, next, UNICODE_MAX);
}

static size_t fold_index(uint32_t character) {
  size_t low = 0, high = unicode_fold_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (unicode_folds[middle].character < character)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void push_folds(RegexClassBuilder *builder, RegexRanges *ranges, RegexRange of) {
  for (size_t i = fold_index(of.first); i < unicode_fold_count && unicode_folds[i].character <= of.last; i++) {
    uint32_t other = unicode_folds[i].other;
    if (other < of.first || other > of.last) push(builder, ranges, other, other);
  }
}

static void push_categories(RegexClassBuilder *builder, RegexRanges *ranges, uint32_t categories) {
  for (size_t i = 0; i < unicode_span_count; i++) {
    if ((categories >> unicode_spans[i].category & 1) == 0) continue;
    uint32_t last = i + 1 < unicode_span_count ? unicode_spans[i + 1].first - 1 : UNICODE_MAX;
    push(builder, ranges, unicode_spans[i].first, last);
  }
}

/* ---- what is added ---- */

/* Case is ignored first: what \W leaves out is all that \w takes in. */
static void add_ranges(RegexClassBuilder *builder, const RegexRanges *ranges, bool is_negated) {
  RegexRanges all = {0};
  for (size_t i = 0; i < ranges->count; i++) {
    push(builder, &all, ranges->items[i].first, ranges->items[i].last);
    if (builder->ignores_case) push_folds(builder, &all, ranges->items[i]);
  }
  if (is_negated) {
    normalize(&all);
    push_others(builder, &builder->ranges, &all);
    return;
  }
  for (size_t i = 0; i < all.count; i++) push(builder, &builder->ranges, all.items[i].first, all.items[i].last);
}

void regex_class_add(RegexClassBuilder *builder, uint32_t first, uint32_t last) {
  push(builder, &builder->ranges, first, last);
  if (builder->ignores_case) push_folds(builder, &builder->ranges, (RegexRange){first, last});
}

static bool has(const RegexRanges *ranges, uint32_t character) {
  size_t low = 0, high = ranges->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ranges->items[middle].last < character)
      low = middle + 1;
    else
      high = middle;
  }
  return low < ranges->count && ranges->items[low].first <= character;
}

/* Categories stay categories where they can, which is what PCRE2 is quick at; those of \p{L}, say, that a letter is in another case are
 * letters nearly all. */
void regex_class_add_categories(RegexClassBuilder *builder, uint32_t categories, bool is_negated) {
  RegexRanges ranges = {0}, folds = {0};
  if (builder->ignores_case) push_categories(builder, &ranges, categories);
  if (builder->ignores_case && is_negated) {
    add_ranges(builder, &ranges, true);
    return;
  }
  builder->categories |= is_negated ? ~categories & ((1u << UNICODE_CATEGORY_COUNT) - 1) : categories;
  for (size_t i = 0; i < ranges.count; i++) push_folds(builder, &folds, ranges.items[i]);
  for (size_t i = 0; i < folds.count; i++) {
    if (!has(&ranges, folds.items[i].first)) push(builder, &builder->ranges, folds.items[i].first, folds.items[i].last);
  }
}

static bool add_named(RegexClassBuilder *builder, const NamedRanges *named, size_t count, Str name, bool is_negated) {
  for (size_t i = 0; i < count; i++) {
    if (!str_equal(named[i].name, name)) continue;
    add_ranges(builder, &(RegexRanges){.items = (RegexRange *)named[i].ranges, .count = named[i].count}, is_negated);
    return true;
  }
  return false;
}

void regex_class_add_shorthand(RegexClassBuilder *builder, char letter, bool is_negated) {
  add_named(builder, shorthands, sizeof shorthands / sizeof *shorthands, (Str){&letter, 1}, is_negated);
}

bool regex_class_add_posix(RegexClassBuilder *builder, Str name, bool is_negated) {
  return add_named(builder, posix, sizeof posix / sizeof *posix, name, is_negated);
}

const RegexClass *regex_class_finish(RegexClassBuilder *builder) {
  RegexRanges all = {0};
  RegexClass *class = ARENA_NEW(builder->arena, RegexClass);
  normalize(&builder->ranges);
  for (size_t i = 0; i < builder->ranges.count; i++) push(builder, &all, builder->ranges.items[i].first, builder->ranges.items[i].last);
  push_categories(builder, &all, builder->categories);
  normalize(&all);
  if (class == NULL || builder->failed) return NULL;
  *class = (RegexClass){.ranges = all.items,
                        .range_count = all.count,
                        .own = builder->ranges.items,
                        .own_count = builder->ranges.count,
                        .categories = builder->categories,
                        .is_negated = builder->is_negated};
  return class;
}

uint32_t regex_categories_named(Str name) {
  static const char names[] = UNICODE_CATEGORY_NAMES;
  uint32_t found = 0;
  for (size_t i = 0; i < UNICODE_CATEGORY_COUNT && name.len > 0 && name.len <= 2; i++) {
    if (str_starts_with((Str){names + 2 * i, 2}, name)) found |= 1u << i;
  }
  return found;
}

bool regex_class_is_empty(const RegexClass *class) {
  if (!class->is_negated) return class->range_count == 0 || class->ranges[class->range_count - 1].last == 0;
  return class->range_count == 1 && class->ranges[0].first <= 1 && class->ranges[0].last == UNICODE_MAX;
}
