/* hash.h - a fast 64-bit hash (XXH3) for entity tags and plans' shapes. The same on every machine and run; no protection against
 * somebody who looks for collisions. Thread-safe. */
#pragma once
#include <stdint.h>

#include "base/str.h"

uint64_t hash64(Str bytes);
/* For a chain of parts: each part's hash is the next one's seed. */
uint64_t hash64_seeded(Str bytes, uint64_t seed);
/* The same for a number: one multiplication to 128 bits, folded, in which every bit of both reaches every bit of the hash. */
static inline uint64_t hash64_int(uint64_t n, uint64_t seed) {
  __extension__ typedef unsigned __int128 Wide;
  Wide product = (Wide)(n ^ UINT64_C(0xa0761d6478bd642f)) * (seed ^ UINT64_C(0xe7037ed1a0b428db));
  uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
  product = (Wide)(folded ^ n) * UINT64_C(0x8ebc6af09c88c6e3);
  return (uint64_t)product ^ (uint64_t)(product >> 64) ^ seed;
}
