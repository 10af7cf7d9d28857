/* regex_search.h - a search whose steps grow with the text's length and with nothing else that stands in it: for what an engine that tries
 * one way after the other gives up. */
#pragma once
#include "contract/regex_syntax.h"

enum { REGEX_SEARCH_STEPS_MAX = 1000000 };

/* False where it takes more steps than that, or memory is out; then *ret_match is untouched. `subject` is valid UTF-8. */
bool regex_search(const RegexNode *node, Str subject, bool *ret_match);
