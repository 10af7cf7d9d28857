/* sha256_test.c - the examples of FIPS 180-4. */
#include "auth/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_digest(Str bytes, const char *expected) {
  char hex[SHA256_HEX_BYTES];
  assert_true(sha256_hex(bytes, hex));
  assert_memory_equal(hex, expected, SHA256_HEX_BYTES);
}

static void the_standards_examples_come_out(void **state) {
  (void)state;
  assert_digest(STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_digest(STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_digest(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_standards_examples_come_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
