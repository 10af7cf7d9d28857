/* nearest.h - "did you mean": offer the known names, take the one that is nearest to what was written. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

typedef struct Nearest {
  Str wanted;
  Str best;
  size_t best_distance;
  bool best_is_short; /* what was written is the best with letters left out: it wins among equals */
  size_t offers;
} Nearest;

Nearest nearest_to(Str wanted);
void nearest_offer(Nearest *nearest, Str name);
/* `did you mean "price"?`, on `arena`; len 0 when nothing is near, or memory is out (a hint is never worth a failure). */
Str nearest_hint(const Nearest *nearest, Arena *arena);
