/* input_scalar.h - one scalar value: its type and format, then its constraints. Used by input.c, which knows lists, objects and places. */
#pragma once
#include "contract/input.h"

typedef struct InputFault {
  InputMistakeCode code;
  Str detail; /* constant, or on the arena */
  Str hint;
} InputFault;

/* An item of the field, were it a list. `json` is no JSON null. CODE_VALIDATION_FAILED: *fault says why. */
Code input_scalar_decode(const Field *field, const JsonValue *json, Arena *arena, Value *ret, InputFault *fault, Error *err);
/* The same from a URL's text. */
Code input_scalar_parse(const Field *field, Str text, Arena *arena, Value *ret, InputFault *fault, Error *err);

typedef Code InputFaultFn(void *context, const InputFault *fault, Error *err);
/* Hands on what the value breaks of its field's directives. Of a list, what is asked of its items: @length is the list's own. */
Code input_scalar_check(const Field *field, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context);
