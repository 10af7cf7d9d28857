/* problem.h - a refusal, as every face tells it: a Code, a sentence, perhaps a list of the input's mistakes. Lives in the request's arena.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* INTERFACE §3, errors[].code */
typedef enum MistakeCode {
  MISTAKE_REQUIRED = 0,
  MISTAKE_TYPE,
  MISTAKE_RANGE,
  MISTAKE_LENGTH,
  MISTAKE_PATTERN,
  MISTAKE_ENUM,
  MISTAKE_UNKNOWN_FIELD,
  MISTAKE_READ_ONLY,
  MISTAKE_IMMUTABLE,
  MISTAKE_NOT_UNIQUE,
  MISTAKE_REFERENCE,
  MISTAKE_CHECK,
  MISTAKE_COUNT
} MistakeCode;

typedef struct Mistake {
  MistakeCode code;
  Str pointer; /* RFC 6901, into the request's body */
  Str detail;
  Str hint; /* len 0: none */
} Mistake;

typedef struct Problem {
  Code code;
  Str detail;
  Str hint; /* len 0: none */
  Str rule; /* FORBIDDEN: "Product.update", or "Product.price.read" for a field's; len 0: none */
  const Mistake *mistakes;
  size_t mistake_count;
  int64_t operation;      /* the index in a batch; -1: not one */
  bool is_restricted;     /* CONFLICT: not before other rows are changed, which refer to this one or should be there */
  bool has_created;       /* a stream of rows that broke off: */
  uint64_t created;       /*   how many are stored for good */
  uint32_t retry_after_s; /* UNAVAILABLE, RATE_LIMITED; 0: not said */
  Str challenge;          /* UNAUTHENTICATED: RFC 6750's error code ("invalid_token") for WWW-Authenticate; len 0: no token was presented */
  Str allow;              /* METHOD_NOT_ALLOWED: the Allow header's value */
  Str codings;            /* UNSUPPORTED_MEDIA_TYPE for a body's coding: which are understood; len 0: it is not for that */
  Str patches;            /* UNSUPPORTED_MEDIA_TYPE for a patch's type: which are understood; len 0: it is no patch */
} Problem;

/* To be completed by its maker; NULL when memory is out. */
Problem *problem_new(Arena *arena, Code code, Str detail);
/* A shared constant when memory is out: never NULL. */
const Problem *problem_create(Arena *arena, Code code, Str detail);
/* CODE_UNAVAILABLE: a buffer or a limit of the request's has run out, though perhaps not all memory. */
const Problem *problem_no_memory(Arena *arena);
const Problem *problem_with_hint(Arena *arena, Code code, Str detail, Str hint);
const Problem *problem_from_error(Arena *arena, const Error *err);
/* A copy, with its texts and mistakes, for where the arena of `problem` goes first; as problem_create when memory is out. */
const Problem *problem_kept(const Problem *problem, Arena *arena);
Str mistake_code_name(MistakeCode code);
