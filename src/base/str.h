/* str.h - a borrowed run of bytes, passed by value; not NUL-terminated. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Str {
  const char *ptr;
  size_t len;
} Str;

/* A Str of a string literal, usable where an expression is. */
#define STR(literal) ((Str){"" literal, sizeof(literal) - 1})
/* The same as an initialiser of a static object. */
#define STR_INIT(literal)                                                                                                                  \
  { "" literal, sizeof(literal) - 1 }
/* For printf's "%.*s". */
#define STR_ARGS(s) (int)(s).len, (s).len == 0 ? "" : (s).ptr

static inline Str str_of(const char *c_string) { return (Str){c_string, c_string == NULL ? 0 : strlen(c_string)}; }

static inline bool str_equal(Str a, Str b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }

/* By bytes, a prefix first; over UTF-8 this is code point order. <0, 0 or >0. */
int str_compare(Str a, Str b);
bool str_starts_with(Str s, Str prefix);
bool str_ends_with(Str s, Str suffix);
bool str_contains(Str s, Str part);
/* ASCII letters only. */
bool str_equal_ignore_case(Str a, Str b);
/* [start, end) clamped to the string. */
Str str_slice(Str s, size_t start, size_t end);
/* Without leading and trailing spaces, tabs, CR and LF. */
Str str_trim(Str s);
/* The index of the first `byte` at or after `from`; s.len where there is none. */
size_t str_find_byte(Str s, char byte, size_t from);
/* Cuts *rest at the first `separator`: returns what stands before it and leaves what stands behind. False when *rest.ptr is NULL (all
 * taken). */
bool str_split_next(Str *rest, char separator, Str *ret_part);
/* A whole decimal integer with an optional minus, nothing around it, that fits. */
bool str_parse_int64(Str s, int64_t *ret);
/* How many bytes to insert, drop, replace or swap with their neighbour, cut off: any distance above `max` gives max + 1. */
size_t str_distance(Str a, Str b, size_t max);
/* The distance within which a name is worth a "did you mean" for what was written: one typing mistake in every three letters. */
size_t str_distance_near(Str wanted);
uint64_t str_hash(Str s);
