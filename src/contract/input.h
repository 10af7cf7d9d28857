/* input.h - a field's value as JSON gives it → a typed Value, with every mistake at once (INTERFACE §2, "Values in JSON"): its type, its
 * format, then @range, @length, @pattern and @decimal. Embedded objects and lists are checked all the way down. Any thread. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "contract/model.h"

/* The names and order of INTERFACE §3, errors[].code. */
typedef enum InputMistakeCode {
  INPUT_REQUIRED = 0,
  INPUT_TYPE,
  INPUT_RANGE,
  INPUT_LENGTH,
  INPUT_PATTERN,
  INPUT_ENUM,
  INPUT_UNKNOWN_FIELD
} InputMistakeCode;

typedef struct InputMistake {
  InputMistakeCode code;
  Str pointer; /* RFC 6901 */
  Str detail;  /* "must be at least 0" */
  Str hint;    /* len 0: none */
} InputMistake;

enum { INPUT_MISTAKES_MAX = 100 };

typedef struct InputMistakes {
  InputMistake *items; /* on the arena that was given with the value */
  size_t count;
  size_t cap;
  bool is_cut; /* there were more than INPUT_MISTAKES_MAX */
} InputMistakes;

/* A place in the input, from the innermost out: made on the stack while descending, written only when there is a mistake. NULL: the whole.
 */
typedef struct InputPath {
  const struct InputPath *parent;
  Str name; /* ptr NULL: an array's item */
  size_t index;
} InputPath;

/* Adds one; the texts are copied. `path` and `hint` may be NULL and empty. CODE_UNAVAILABLE without memory. */
Code input_mistake_add(InputMistakes *mistakes, InputMistakeCode code, const InputPath *path, Str detail, Str hint, Arena *arena,
                       Error *err);
/* "/tags/0", escaped as RFC 6901 §3 has it. */
Code input_pointer(const InputPath *path, Arena *arena, Str *ret, Error *err);

/* `json` is the field's value, its JSON null is VALUE_NULL (INPUT_REQUIRED where the field is required). CODE_VALIDATION_FAILED: the
 * mistakes were added and *ret is untouched. Lists and embedded objects give VALUE_JSON: compact, members in the type's order, null where
 * nothing was given, defaults filled in. The Value borrows from `json` and the arena. `field` is FIELD_STORED. */
Code field_value_decode(const Field *field, const JsonValue *json, const InputPath *path, Arena *arena, Value *ret, InputMistakes *mistakes,
                        Error *err);
/* The same from text: a URL's path or query. Lists and embedded objects are given as JSON. Constraints are not checked, only the type. */
Code field_text_decode(const Field *field, Str text, const InputPath *path, Arena *arena, Value *ret, InputMistakes *mistakes, Error *err);
/* Only the constraints, of a value that is already typed (a default's expression has given it). Lists and embedded objects are not looked
 * into. */
Code field_value_check(const Field *field, const Value *value, const InputPath *path, Arena *arena, InputMistakes *mistakes, Error *err);
