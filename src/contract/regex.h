/* regex.h - regular expressions, searched for anywhere in the subject as CEL's matches() does. The language is regex_syntax.h's, whatever
 * searches: PCRE2 here, and in a store that can't call it an expression that says the same. A compiled expression is immutable and matched
 * by any thread; each thread matches with memory of its own. */
#pragma once
#include <stdbool.h>

#include "contract/regex_syntax.h"

typedef struct Regex Regex;

enum { REGEX_PATTERN_BYTES_MAX = 4096, REGEX_MATCH_STEPS_MAX = 1000000, REGEX_HEAP_KIB_MAX = 16 * 1024 };

/* Lives as long as the arena. CODE_BAD_REQUEST with what is wrong and where, CODE_TOO_LARGE beyond REGEX_PATTERN_BYTES_MAX,
 * CODE_UNAVAILABLE without memory. */
Code regex_compile(Str pattern, Arena *arena, Regex **ret, Error *err);
/* False where the search was given up (REGEX_MATCH_STEPS_MAX by trying, then regex_search.h's by reading) or memory is out; then *ret_match
 * is untouched. `subject` is valid UTF-8. */
bool regex_matches(const Regex *regex, Str subject, bool *ret_match);
/* For who writes it in another engine's words. */
const RegexNode *regex_syntax(const Regex *regex);
