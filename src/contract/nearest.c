/* nearest.c - the offers are bounded, so that a hostile contract of a hundred thousand names stays cheap. */
#include "contract/nearest.h"

enum { NEAREST_OFFERS_MAX = 2000, NEAREST_LEN_MAX = 64 };

Nearest nearest_to(Str wanted) {
  return (Nearest){.wanted = wanted, .best_distance = str_distance_near(wanted) + 1, .best_is_short = true};
}

/* "ge" is rather "gte" with a letter left out than "ne" with another. */
static bool is_abbreviation(Str wanted, Str name) {
  size_t at = 0;
  for (size_t i = 0; i < name.len && at < wanted.len; i++) at += name.ptr[i] == wanted.ptr[at];
  return at == wanted.len;
}

void nearest_offer(Nearest *nearest, Str name) {
  if (nearest->wanted.len > NEAREST_LEN_MAX || name.len > NEAREST_LEN_MAX || nearest->offers++ >= NEAREST_OFFERS_MAX) return;
  size_t distance = str_equal_ignore_case(nearest->wanted, name) ? 0 : str_distance(nearest->wanted, name, 3);
  bool is_short = is_abbreviation(nearest->wanted, name);
  if (distance > nearest->best_distance || (distance == nearest->best_distance && (nearest->best_is_short || !is_short))) return;
  nearest->best = name;
  nearest->best_is_short = is_short;
  nearest->best_distance = distance;
}

Str nearest_hint(const Nearest *nearest, Arena *arena) {
  if (nearest->best.len == 0) return (Str){0};
  Str hint = arena_printf(arena, "did you mean \"%.*s\"?", STR_ARGS(nearest->best));
  return hint.ptr == NULL ? (Str){0} : hint;
}
