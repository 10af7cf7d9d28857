/* random.c - see random.h. */
#include "random.h"

#include <string.h>

/* SplitMix64: neighbouring seeds give states that have nothing in common. */
Random random_seeded(uint64_t seed) {
  uint64_t z = seed + UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  z ^= z >> 31;
  return (Random){z == 0 ? 1 : z};
}

uint64_t random_next(Random *random) {
  random->state ^= random->state >> 12;
  random->state ^= random->state << 25;
  random->state ^= random->state >> 27;
  return random->state * UINT64_C(0x2545F4914F6CDD1D);
}

uint64_t random_below(Random *random, uint64_t bound) { return bound == 0 ? 0 : (random_next(random) >> 11) % bound; }

int64_t random_between(Random *random, int64_t low, int64_t high) {
  return low + (int64_t)random_below(random, (uint64_t)(high - low) + 1);
}

bool random_chance(Random *random, uint64_t one_in) { return one_in != 0 && random_below(random, one_in) == 0; }

void random_fill(Random *random, void *bytes, size_t len) {
  for (char *at = bytes; len > 0;) {
    uint64_t n = random_next(random);
    size_t part = len < sizeof n ? len : sizeof n;
    memcpy(at, &n, part);
    at += part;
    len -= part;
  }
}
