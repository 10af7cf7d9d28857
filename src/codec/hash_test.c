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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hashes_are_xxh3s),
      cmocka_unit_test(a_seed_and_every_byte_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
