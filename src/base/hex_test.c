/* hex_test.c - expected values by printf. */
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_written(uint64_t n) {
  char expected[HEX64_LEN + 1], out[HEX64_LEN];
  snprintf(expected, sizeof expected, "%016llx", (unsigned long long)n);
  hex64_write(n, out);
  assert_memory_equal(out, expected, HEX64_LEN);
}

static void every_byte_is_written_in_every_place(void **state) {
  (void)state;
  for (uint64_t byte = 0; byte < 256; byte++)
    for (int place = 0; place < 64; place += 8) assert_written(byte << place);
  assert_written(UINT64_MAX);
  assert_written(UINT64_C(0x0123456789abcdef));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_byte_is_written_in_every_place)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
