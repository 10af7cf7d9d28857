/* regex_class.h - a regular expression's class of characters, as it is being read. */
#pragma once
#include "base/vec.h"
#include "contract/regex_syntax.h"

typedef VEC(RegexRange) RegexRanges;

typedef struct RegexClassBuilder {
  Arena *arena;
  bool ignores_case;
  bool is_negated;
  bool failed; /* memory is out */
  RegexRanges ranges;
  uint32_t categories;
} RegexClassBuilder;

void regex_class_add(RegexClassBuilder *builder, uint32_t first, uint32_t last);
/* Both: the characters that `is_negated` leaves. */
void regex_class_add_categories(RegexClassBuilder *builder, uint32_t categories, bool is_negated);
/* d, s or w. */
void regex_class_add_shorthand(RegexClassBuilder *builder, char letter, bool is_negated);
/* False where there is no such class: alpha in [[:alpha:]]. */
bool regex_class_add_posix(RegexClassBuilder *builder, Str name, bool is_negated);
/* NULL without memory. */
const RegexClass *regex_class_finish(RegexClassBuilder *builder);

/* The bits of a general category (Lu) or of those that begin with a letter (L); 0: there is none. */
uint32_t regex_categories_named(Str name);
/* No text has a character of it: none is left, or NUL alone. */
bool regex_class_is_empty(const RegexClass *class);
