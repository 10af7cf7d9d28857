/* nearest.c - the offers are bounded, so that a hostile contract of a hundred thousand names stays cheap. */
#include "contract/nearest.h"

enum { NEAREST_OFFERS_MAX = 2000, NEAREST_LEN_MAX = 64 };

Nearest nearest_to(Str wanted) {
  /* A third of the letters may differ, or the guess would be noise. */
  size_t distance_max = wanted.len / 3 + 1;
  if (distance_max > 3) distance_max = 3;
  return (Nearest){.wanted = wanted, .best_distance = distance_max + 1};
}

void nearest_offer(Nearest *nearest, Str name) {
  if (nearest->wanted.len > NEAREST_LEN_MAX || name.len > NEAREST_LEN_MAX || nearest->offers++ >= NEAREST_OFFERS_MAX) return;
  size_t distance = str_equal_ignore_case(nearest->wanted, name) ? 0 : str_distance(nearest->wanted, name, 3);
  if (distance >= nearest->best_distance) return;
  nearest->best = name;
  nearest->best_distance = distance;
}

Str nearest_hint(const Nearest *nearest, Arena *arena) {
  if (nearest->best.len == 0) return (Str){0};
  Str hint = arena_printf(arena, "did you mean \"%.*s\"?", STR_ARGS(nearest->best));
  return hint.ptr == NULL ? (Str){0} : hint;
}
