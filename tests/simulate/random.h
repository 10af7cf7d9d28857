/* random.h - all chance of a simulation: xorshift64* from one seed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Random {
  uint64_t state; /* never 0 */
} Random;

Random random_seeded(uint64_t seed);
uint64_t random_next(Random *random);
/* 0 to bound - 1; 0 where the bound is 0. */
uint64_t random_below(Random *random, uint64_t bound);
/* low to high, both included. */
int64_t random_between(Random *random, int64_t low, int64_t high);
/* True once in `one_in` times; never where that is 0. */
bool random_chance(Random *random, uint64_t one_in);
void random_fill(Random *random, void *bytes, size_t len);
