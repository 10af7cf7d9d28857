/* rest_decode.h - what the REST decoder's parts share: where they allocate, what they know, and how they refuse. */
#pragma once
#include <stdbool.h>

#include "api/rest_map.h"
#include "base/arena.h"
#include "base/error.h"
#include "contract/nearest.h"
#include "query/engine.h"
#include "query/problem.h"

typedef struct RestDecoder {
  const RestMap *map;
  const EngineLimits *limits;
  Arena *arena;           /* the request's */
  const ExprNames *names; /* of fields, beside the contract's, in a filter; NULL: none */
  bool is_export;         /* the list goes out as a stream: its limit may be export_rows_max */
  bool is_aggregate;      /* the parameters that are read are an aggregate's: what was mistyped was meant for one of its own */
  bool is_lenient;        /* Prefer: handling=lenient: unknown parameters are passed over */
  bool is_body_missing;   /* that is the problem */
  const Problem *problem; /* set wherever a part returns anything but CODE_OK */
} RestDecoder;

/* Sets decoder->problem and returns `code`. `hint` with len 0: none. */
Code rest_refuse(RestDecoder *decoder, Code code, Str hint, const char *format, ...) PRINTF_LIKE(4, 5);
Code rest_no_memory(RestDecoder *decoder);
#ifdef __clang_analyzer__
/* As in base/error.h: the analyser does not see that a refusal is never CODE_OK. */
#define rest_refuse(decoder, code, ...) (rest_refuse((decoder), (code), __VA_ARGS__), (code))
#define rest_no_memory(decoder) (rest_no_memory(decoder), CODE_UNAVAILABLE)
#endif

/* A client's text as a message may show it: cut at 64 bytes, never inside a code point. */
Str rest_shown(Str text);

/* The value that `text` is for a scalar of the field's type, enums by their name. CODE_BAD_REQUEST where it is none; *ret_expected says
 * then what is (a noun phrase). CODE_UNAVAILABLE without memory. */
Code rest_value_parse(const Field *field, Str text, Arena *arena, Value *ret, Str *ret_expected);
/* The value as the field's column holds it, which is what a literal beside a column is: an enum's stored name. */
Value rest_value_stored(const Field *field, Value value);
