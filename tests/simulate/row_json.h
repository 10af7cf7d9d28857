/* row_json.h - rows as the faces that speak JSON show them. */
#pragma once
#include "call.h"
#include "codec/json.h"

/* The next of answer->rows, which has room. False: it is no row. */
bool row_json_read(const JsonValue *object, CallAnswer *answer);
bool row_json_read_array(const JsonValue *items, Arena *arena, CallAnswer *answer);
/* By an error's code, which is the same on every face. False: nobody can have expected it. */
bool call_outcome_of_code(Str code, CallOutcome *ret);
