/* json.h - JSON (RFC 8259), exact: numbers keep their text, objects keep their order, nothing is rounded.
 * Refused while parsing: duplicate keys, NUL, lone surrogates, invalid UTF-8, NaN, trailing text, nesting beyond the limit. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef enum JsonType { JSON_NULL = 0, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonType;

typedef struct JsonValue JsonValue;
typedef struct JsonMember JsonMember;
struct JsonValue {
  JsonType type;
  bool boolean;
  Str text; /* a string's decoded bytes; a number as it was written */
  union {
    const JsonValue *items;    /* an array's, `count` of them */
    const JsonMember *members; /* an object's, in order */
  };
  size_t count;
};
struct JsonMember {
  Str name;
  JsonValue value;
};

enum { JSON_DEPTH_DEFAULT = 64 };

/* Values point into `text` where nothing was escaped, else into the arena: both must outlive them. On failure err->text says what
 * is wrong and where ("line 1, column 7: …"). CODE_BAD_REQUEST; CODE_TOO_LARGE beyond the depth; CODE_UNAVAILABLE without memory. */
Code json_parse(Str text, size_t depth_max, Arena *arena, JsonValue *ret, Error *err);
/* NULL where the object has none, or where `object` is no object. */
const JsonValue *json_get(const JsonValue *object, Str name);
/* A string with quotes and escapes; `s` is valid UTF-8. */
void json_write_string(Buf *out, Str s);
/* Shortest form that reads back the same double. */
void json_write_double(Buf *out, double n);
/* Compact, members in order. */
void json_write(Buf *out, const JsonValue *value);
bool json_equal(const JsonValue *a, const JsonValue *b); /* members in any order; numbers by value */
/* True when `text` is a JSON number with no fraction left (5, 5.0, 5e2) that fits; *ret is its value. */
bool json_number_to_int64(Str text, int64_t *ret);
/* False when it does not fit a finite double. */
bool json_number_to_double(Str text, double *ret);
