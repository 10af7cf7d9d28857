/* regex_syntax.h - what a regular expression says, read once for all that match it: PCRE2 here, a database elsewhere. It is RE2's language
 * (https://github.com/google/re2/wiki/Syntax), as CEL has it, without scripts and octal escapes. Whether a text matches is all that is
 * asked for, so that captures, names and laziness are read and forgotten. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum {
  REGEX_COUNT_MAX = 1000, /* of a repetition, and of those within each other multiplied: RE2's bound */
  REGEX_DEPTH_MAX = 100,
  REGEX_RANGES_MAX = 10000, /* of all classes */
  REGEX_SIZE_MAX = 100000,  /* as regex_size counts */
  REGEX_NO_MAX = -1
};

typedef struct RegexRange {
  uint32_t first, last;
} RegexRange;

/* The characters of the ranges; where is_negated all others. */
typedef struct RegexClass {
  const RegexRange *ranges; /* in order, with gaps between them, surrogates at no end */
  size_t range_count;
  /* The same in fewer words: ranges, and general categories as bits by UnicodeCategory. */
  const RegexRange *own;
  size_t own_count;
  uint32_t categories;
  bool is_negated;
} RegexClass;

typedef enum RegexKind {
  REGEX_CHARACTER,
  REGEX_CLASS,
  /* Between two characters. */
  REGEX_TEXT_START,
  REGEX_TEXT_END,
  REGEX_LINE_START, /* at the text's start or behind a \n */
  REGEX_LINE_END,   /* at the text's end or before a \n */
  REGEX_WORD_EDGE,  /* between one of [0-9A-Za-z_] and none */
  REGEX_NO_WORD_EDGE,
  REGEX_REPEAT,
  REGEX_SEQUENCE, /* of none: the empty text */
  REGEX_CHOICE,
} RegexKind;

typedef struct RegexNode {
  RegexKind kind;
  const struct RegexNode *first, *next; /* its parts; the next part of what this is one of */
  union {
    uint32_t character;
    const RegexClass *class;
    struct {
      int min, max; /* max may be REGEX_NO_MAX */
    };
  };
} RegexNode;

/* *ret lives as the arena does. CODE_BAD_REQUEST with what is wrong and at which byte. */
Code regex_parse(Str pattern, Arena *arena, const RegexNode **ret, Error *err);

/* Refuses what no automaton of a reasonable size searches for: CODE_BAD_REQUEST. */
Code regex_check_size(const RegexNode *node, Arena *arena, Error *err);
