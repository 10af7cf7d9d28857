/* json_value.c - asking a parsed JSON value: members, equality, numbers. */
#include <assert.h>
#include <math.h>

#include "base/decimal.h"
#include "base/memory.h"
#include "codec/json.h"
#include "codec/json_sort.h"

/* The heap's order: moves the member at `root` down until no child has a greater name. */
static void sift_down(const JsonMember **members, size_t root, size_t count) {
  for (size_t child; (child = root * 2 + 1) < count; root = child) {
    if (child + 1 < count && str_compare(members[child]->name, members[child + 1]->name) < 0) child++;
    if (str_compare(members[root]->name, members[child]->name) >= 0) return;
    const JsonMember *moved = members[root];
    members[root] = members[child];
    members[child] = moved;
  }
}

void json_sort_members(const JsonMember **members, size_t count) {
  for (size_t i = count / 2; i-- > 0;) sift_down(members, i, count);
  for (size_t end = count; end-- > 1;) {
    const JsonMember *greatest = members[0];
    members[0] = members[end];
    members[end] = greatest;
    sift_down(members, 0, end);
  }
}

const JsonValue *json_get(const JsonValue *object, Str name) {
  if (object->type != JSON_OBJECT) return NULL;
  for (size_t i = 0; i < object->count; i++)
    if (str_equal(object->members[i].name, name)) return &object->members[i].value;
  return NULL;
}

static bool members_equal_sorted(const JsonValue *a, const JsonValue *b, const JsonMember **scratch) {
  const JsonMember **x = scratch, **y = scratch + a->count;
  for (size_t i = 0; i < a->count; i++) {
    x[i] = &a->members[i];
    y[i] = &b->members[i];
  }
  json_sort_members(x, a->count);
  json_sort_members(y, a->count);
  for (size_t i = 0; i < a->count; i++)
    if (!str_equal(x[i]->name, y[i]->name) || !json_equal(&x[i]->value, &y[i]->value)) return false;
  return true;
}

static bool members_equal_searched(const JsonValue *a, const JsonValue *b) {
  for (size_t i = 0; i < a->count; i++) {
    /* Equal objects mostly have one order too. */
    bool is_at_same_place = str_equal(a->members[i].name, b->members[i].name);
    const JsonValue *other = is_at_same_place ? &b->members[i].value : json_get(b, a->members[i].name);
    if (other == NULL || !json_equal(&a->members[i].value, other)) return false;
  }
  return true;
}

enum { SEARCHED_MAX = 16 };

static bool objects_equal(const JsonValue *a, const JsonValue *b) {
  if (a->count != b->count) return false;
  if (a->count <= SEARCHED_MAX) return members_equal_searched(a, b);
  const JsonMember **scratch = memory_alloc(a->count * 2 * sizeof *scratch);
  /* Slow, but right, where memory is out. */
  if (scratch == NULL) return members_equal_searched(a, b);
  bool is_equal = members_equal_sorted(a, b, scratch);
  memory_free(scratch);
  return is_equal;
}

bool json_equal(const JsonValue *a, const JsonValue *b) {
  if (a->type != b->type) return false;
  switch (a->type) {
    case JSON_NULL: return true;
    case JSON_BOOL: return a->boolean == b->boolean;
    case JSON_NUMBER: return decimal_compare(a->text, b->text) == 0;
    case JSON_STRING: return str_equal(a->text, b->text);
    case JSON_OBJECT: return objects_equal(a, b);
    case JSON_ARRAY:
      if (a->count != b->count) return false;
      for (size_t i = 0; i < a->count; i++)
        if (!json_equal(&a->items[i], &b->items[i])) return false;
      return true;
  }
  assert(false && "a JSON type");
  return false;
}

enum { INT64_DIGITS_MAX = 19 };

/* Digits and nothing else, as most integers are written, and so few that they fit. */
static bool read_digits(Str text, int64_t *ret) {
  size_t begin = text.len > 0 && text.ptr[0] == '-';
  bool has_digits = text.len > begin && text.len < INT64_DIGITS_MAX;
  if (!has_digits || (text.ptr[begin] == '0' && text.len > begin + 1)) return false;
  int64_t n = 0;
  for (size_t i = begin; i < text.len; i++) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    n = n * 10 + (text.ptr[i] - '0');
  }
  *ret = begin == 0 ? n : -n;
  return true;
}

bool json_number_to_int64(Str text, int64_t *ret) {
  DecimalParts parts;
  if (read_digits(text, ret)) return true;
  if (!decimal_split(text, &parts) || parts.exponent < 0) return false;
  if (parts.digit_count == 0) {
    *ret = 0;
    return true;
  }
  if ((int64_t)parts.digit_count + parts.exponent > INT64_DIGITS_MAX) return false;
  /* Gathered below zero, where one more value fits than above. */
  int64_t n = 0;
  for (size_t i = 0; i < parts.digits.len; i++) {
    if (parts.digits.ptr[i] == '.') continue;
    if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, parts.digits.ptr[i] - '0', &n)) return false;
  }
  for (int64_t i = 0; i < parts.exponent; i++)
    if (__builtin_mul_overflow(n, 10, &n)) return false;
  if (!parts.is_negative && n == INT64_MIN) return false;
  *ret = parts.is_negative ? n : -n;
  return true;
}

bool json_number_to_double(Str text, double *ret) {
  double n = decimal_to_double(text);
  if (!isfinite(n)) return false;
  *ret = n;
  return true;
}
