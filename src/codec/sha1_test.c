/* sha1_test.c - the examples of RFC 3174 §7.3 and of RFC 6455 §1.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/sha1.h"

static void assert_digest(Str bytes, const char *expected) {
  unsigned char digest[SHA1_BYTES];
  char hex[2 * SHA1_BYTES + 1];
  assert_true(sha1(bytes, digest));
  for (size_t i = 0; i < SHA1_BYTES; i++) {
    hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  hex[sizeof hex - 1] = '\0';
  assert_string_equal(hex, expected);
}

static void digests_are_those_of_the_standards(void **state) {
  (void)state;
  assert_digest(STR("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert_digest(STR(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  assert_digest(STR("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(digests_are_those_of_the_standards)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
