/* str.c - what can be asked of a run of bytes. */
#include "base/str.h"

int str_compare(Str a, Str b) {
  size_t common = a.len < b.len ? a.len : b.len;
  int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
  if (order != 0) return order;
  return (a.len > b.len) - (a.len < b.len);
}

bool str_starts_with(Str s, Str prefix) { return s.len >= prefix.len && str_equal((Str){s.ptr, prefix.len}, prefix); }

bool str_ends_with(Str s, Str suffix) { return s.len >= suffix.len && str_equal((Str){s.ptr + s.len - suffix.len, suffix.len}, suffix); }

bool str_contains(Str s, Str part) { return part.len == 0 || (s.len >= part.len && memmem(s.ptr, s.len, part.ptr, part.len) != NULL); }

static unsigned char ascii_lower(char byte) {
  unsigned char c = (unsigned char)byte;
  return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool str_equal_ignore_case(Str a, Str b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++)
    if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) return false;
  return true;
}

Str str_slice(Str s, size_t start, size_t end) {
  if (end > s.len) end = s.len;
  if (start > end) start = end;
  return (Str){s.len == 0 ? s.ptr : s.ptr + start, end - start};
}

static bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

Str str_trim(Str s) {
  while (s.len > 0 && is_blank(s.ptr[s.len - 1])) s.len--;
  while (s.len > 0 && is_blank(s.ptr[0])) s = (Str){s.ptr + 1, s.len - 1};
  return s;
}

size_t str_find_byte(Str s, char byte, size_t from) {
  if (from >= s.len) return s.len;
  const char *found = memchr(s.ptr + from, byte, s.len - from);
  return found == NULL ? s.len : (size_t)(found - s.ptr);
}

bool str_split_next(Str *rest, char separator, Str *ret_part) {
  if (rest->ptr == NULL) return false;
  size_t at = str_find_byte(*rest, separator, 0);
  *ret_part = (Str){rest->ptr, at};
  *rest = at == rest->len ? (Str){NULL, 0} : (Str){rest->ptr + at + 1, rest->len - at - 1};
  return true;
}

bool str_parse_int64(Str s, int64_t *ret) {
  size_t i = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
  bool is_negative = i == 1;
  if (i == s.len) return false;
  /* Gathered below zero, where one more value fits than above. */
  int64_t n = 0;
  for (; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, s.ptr[i] - '0', &n)) return false;
  }
  if (!is_negative && n == INT64_MIN) return false;
  *ret = is_negative ? n : -n;
  return true;
}

enum { DISTANCE_MAX = 31 };

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

static Str without_common_ends(Str a, Str *b) {
  while (a.len > 0 && b->len > 0 && a.ptr[0] == b->ptr[0]) {
    a = (Str){a.ptr + 1, a.len - 1};
    *b = (Str){b->ptr + 1, b->len - 1};
  }
  while (a.len > 0 && b->len > 0 && a.ptr[a.len - 1] == b->ptr[b->len - 1]) {
    a.len--;
    b->len--;
  }
  return a;
}

/* Only the cells within `max` of the diagonal can matter, so one row of the table is a band: band[k] is the distance between the first
 * i bytes of `a` and the first i + k - max of `b`; before[k] is the same cell of the row before, which a swap of neighbours leads from. */
size_t str_distance(Str a, Str b, size_t max) {
  if (max > DISTANCE_MAX) max = DISTANCE_MAX;
  a = without_common_ends(a, &b);
  size_t longer = a.len > b.len ? a.len : b.len, shorter = min_size(a.len, b.len);
  if (longer - shorter > max) return max + 1;
  size_t band[2 * DISTANCE_MAX + 2], before[2 * DISTANCE_MAX + 2];
  size_t width = 2 * max + 1;
  for (size_t k = 0; k < width; k++) {
    band[k] = k < max ? max + 1 : k - max;
    before[k] = max + 1;
  }
  band[width] = max + 1;
  for (size_t i = 1; i <= a.len; i++) {
    size_t left = max + 1;
    for (size_t k = 0; k < width; k++) {
      size_t cell = max + 1;
      if (i + k >= max && i + k - max <= b.len) {
        size_t j = i + k - max;
        size_t replaced = j == 0 ? i : band[k] + (a.ptr[i - 1] != b.ptr[j - 1]);
        cell = min_size(min_size(replaced, min_size(left, band[k + 1]) + 1), max + 1);
        bool is_swap = i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1];
        if (is_swap) cell = min_size(cell, before[k] + 1);
      }
      before[k] = band[k];
      left = band[k] = cell;
    }
  }
  return band[b.len + max - a.len];
}

size_t str_distance_near(Str wanted) {
  if (wanted.len < 6) return wanted.len < 2 ? 0 : 1;
  return wanted.len < 9 ? 2 : 3;
}

static uint64_t load64(const char *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

/* The two halves of the product folded onto each other: every input bit reaches every output bit. */
static uint64_t mix(uint64_t a, uint64_t b) {
  __uint128_t product = (__uint128_t)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t str_hash(Str s) {
  const uint64_t odd_1 = 0x9e3779b97f4a7c15u, odd_2 = 0xc2b2ae3d27d4eb4fu; /* the golden ratio's and another prime's bits */
  uint64_t hash = odd_1 ^ (s.len * odd_2);
  size_t at = 0;
  for (; s.len - at >= 8; at += 8) hash = mix(hash ^ load64(s.ptr + at), odd_2);
  uint64_t tail = 0;
  for (unsigned shift = 0; at < s.len; at++, shift += 8) tail |= (uint64_t)(unsigned char)s.ptr[at] << shift;
  return mix(hash ^ tail, odd_1);
}
