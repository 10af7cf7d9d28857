/* hash_test.c - expected values from xxhsum 0.8.1. */
#include "codec/hash.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void hashes_are_xxh3s(void **state) {
  (void)state;
  assert_true(hash64(STR("")) == UINT64_C(0x2d06800538d394c2));
  assert_true(hash64(STR("a")) == UINT64_C(0xe6c632b61e964e1f));
  assert_true(hash64(STR("the quick brown fox jumps over the lazy dog")) == UINT64_C(0xe4541a9cacf545aa));
}

static void a_seed_and_every_byte_count(void **state) {
  (void)state;
  assert_true(hash64_seeded(STR("a"), 0) == hash64(STR("a")));
  assert_true(hash64_seeded(STR("a"), 1) != hash64_seeded(STR("a"), 2));
  assert_true(hash64_seeded(STR("a"), 1) != hash64_seeded(STR("b"), 1));
}

/* Neighbours among numbers and seeds, zeros and the function's own constants: none meets another. */
static void numbers_and_seeds_meet_nowhere(void **state) {
  (void)state;
  uint64_t hashes[40 * 40];
  size_t count = 0;
  for (uint64_t n = 0; n < 40; n++) {
    for (uint64_t seed = 0; seed < 40; seed++) {
      uint64_t number = n < 36 ? n : n == 36 ? UINT64_C(0xa0761d6478bd642f) : n == 37 ? UINT64_MAX : UINT64_C(1) << (n + 24);
      uint64_t start = seed < 38 ? seed : seed == 38 ? UINT64_C(0xe7037ed1a0b428db) : UINT64_MAX;
      hashes[count++] = hash64_int(number, start);
    }
  }
  for (size_t i = 0; i < count; i++)
    for (size_t k = i + 1; k < count; k++) assert_true(hashes[i] != hashes[k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hashes_are_xxh3s),
      cmocka_unit_test(a_seed_and_every_byte_count),
      cmocka_unit_test(numbers_and_seeds_meet_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
