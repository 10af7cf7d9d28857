/* hash.h - a fast 64-bit hash (XXH3) for entity tags and plans' shapes. The same on every machine and run; no protection against
 * somebody who looks for collisions. Thread-safe. */
#pragma once
#include <stdint.h>

#include "base/str.h"

uint64_t hash64(Str bytes);
/* For a chain of parts: each part's hash is the next one's seed. */
uint64_t hash64_seeded(Str bytes, uint64_t seed);
