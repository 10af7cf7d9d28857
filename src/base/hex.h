/* hex.h - 64 bits as sixteen hexadecimal digits, eight at a time: ids and tags are written at every request. */
#pragma once
#include <endian.h>
#include <stdint.h>
#include <string.h>

enum { HEX64_LEN = 16 };

/* Each half byte becomes a byte of its own, the first digit's in the lowest place, and all of them digits at once. */
static inline uint64_t hex32_digits(uint32_t n) {
  uint64_t x = __builtin_bswap32(n);
  x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
  x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
  x = (x >> 4 & UINT64_C(0x000f000f000f000f)) | (x & UINT64_C(0x000f000f000f000f)) << 8;
  uint64_t is_letter = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
  return x + UINT64_C(0x3030303030303030) + is_letter * ('a' - '9' - 1);
}

/* Lower case, leading zeros, no NUL. */
static inline void hex64_write(uint64_t n, char out[HEX64_LEN]) {
  uint64_t high = htole64(hex32_digits((uint32_t)(n >> 32))), low = htole64(hex32_digits((uint32_t)n));
  memcpy(out, &high, sizeof high);
  memcpy(out + sizeof high, &low, sizeof low);
}
