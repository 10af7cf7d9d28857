/* hash.c - adapts xxhash, compiled in. */
#include "codec/hash.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#define XXH_INLINE_ALL
/* Words are read through packed structs: with a hardened memcpy the other way is a call for each. */
#define XXH_FORCE_MEMORY_ACCESS 1
#include <xxhash.h>
#pragma GCC diagnostic pop

uint64_t hash64(Str bytes) { return XXH3_64bits(bytes.ptr, bytes.len); }

uint64_t hash64_seeded(Str bytes, uint64_t seed) { return XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed); }
