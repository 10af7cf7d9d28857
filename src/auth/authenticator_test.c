/* authenticator_test.c - headers, and a cache that must never accept what jwt_verify would refuse. */
#include "auth/authenticator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "auth/token.h"
#include "base/memory.h"

static const int64_t NOW_US = 1700000000LL * 1000000;
static const Str SECRET = STR_INIT("0123456789abcdef0123456789abcdef");

typedef struct Fixture {
  Arena *arena;
  HmacKey *key;
  Authenticator *authenticator;
} Fixture;

static int set_up(void **state) {
  static Fixture f;
  f = (Fixture){.arena = arena_create(0)};
  AuthenticatorOptions options = {.secret = SECRET, .identities_max = 4};
  assert_int_equal(authenticator_create(&options, &f.authenticator, NULL), CODE_OK);
  assert_int_equal(hmac_key_create(SECRET, &f.key, NULL), CODE_OK);
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  Fixture *f = *state;
  authenticator_destroy(f->authenticator);
  hmac_key_destroy(f->key);
  arena_destroy(f->arena);
  return 0;
}

static Str header_for(Fixture *f, Str subject, int64_t ttl_us) {
  TokenSpec spec = {.subject = subject, .issued_us = NOW_US, .ttl_us = ttl_us};
  Str token;
  assert_int_equal(token_make(f->key, &spec, f->arena, &token, NULL), CODE_OK);
  return arena_printf(f->arena, "Bearer %.*s", STR_ARGS(token));
}

static void expect_refusal(Fixture *f, Str header, int64_t now_us, const char *challenge, const char *text) {
  Identity *identity = NULL;
  Str reason = {0};
  Error err = {0};
  assert_int_equal(authenticator_identify(f->authenticator, header, now_us, &identity, &reason, &err), CODE_UNAUTHENTICATED);
  assert_null(identity);
  assert_true(str_equal(reason, str_of(challenge)));
  assert_string_equal(err.text, text);
}

static Identity *identify(Fixture *f, Str header) {
  Identity *identity = NULL;
  Str reason;
  assert_int_equal(authenticator_identify(f->authenticator, header, NOW_US, &identity, &reason, NULL), CODE_OK);
  return identity;
}

static void no_header_is_a_stranger(void **state) {
  Identity *identity = identify(*state, (Str){NULL, 0});
  assert_null(identity);
  assert_false(identity_caller(identity)->is_authenticated);
  assert_true(value_is_null(&identity_caller(identity)->id));
  identity_release(identity);
}

static void other_schemes_and_empty_ones_are_refused(void **state) {
  expect_refusal(*state, STR("Basic YTpi"), NOW_US, "invalid_request", "Only the Bearer scheme is served");
  expect_refusal(*state, STR(""), NOW_US, "invalid_request", "Only the Bearer scheme is served");
  expect_refusal(*state, STR("Bearer"), NOW_US, "invalid_request", "The Authorization header has no token");
  expect_refusal(*state, STR("Bearer   "), NOW_US, "invalid_request", "The Authorization header has no token");
  expect_refusal(*state, STR("Bearer a b"), NOW_US, "invalid_token", "The token is not a signed JWT of three parts");
}

static void a_token_comes_from_the_cache_the_second_time(void **state) {
  Fixture *f = *state;
  Str header = header_for(f, STR("ada"), 0);
  Identity *first = identify(f, header), *second = identify(f, header);
  assert_ptr_equal(first, second);
  assert_true(str_equal(identity_caller(first)->id.text, STR("ada")));
  identity_release(first);
  identity_release(second);
  Str lower = arena_printf(f->arena, "bearer  %.*s", STR_ARGS(str_slice(header, 7, header.len)));
  Identity *third = identify(f, lower);
  assert_ptr_equal(third, first);
  identity_release(third);
}

static void a_cached_token_expires_all_the_same(void **state) {
  Fixture *f = *state;
  Str header = header_for(f, STR("ada"), 1000000);
  identity_release(identify(f, header));
  expect_refusal(f, header, NOW_US + 1000000, "invalid_token", "The token has expired");
  expect_refusal(f, header, NOW_US + 1000000, "invalid_token", "The token has expired");
}

static void an_identity_outlives_its_place_in_the_cache(void **state) {
  Fixture *f = *state;
  Identity *held = identify(f, header_for(f, STR("first"), 0));
  for (int i = 0; i < 64; i++) identity_release(identify(f, header_for(f, arena_printf(f->arena, "user%d", i), 0)));
  assert_true(str_equal(identity_caller(held)->id.text, STR("first")));
  identity_release(held);
}

static void failing_memory_refuses_nobody_for_good(void **state) {
  Fixture *f = *state;
  Str header = header_for(f, STR("ada"), 0), reason;
  Code code = CODE_UNAVAILABLE;
  Identity *identity = NULL;
  for (size_t n = 1; code != CODE_OK; n++) {
    assert_true(n < 50);
    memory_fail_after(n);
    code = authenticator_identify(f->authenticator, header, NOW_US, &identity, &reason, NULL);
    memory_fail_after(0);
    assert_true(code == CODE_OK || code == CODE_UNAVAILABLE);
  }
  identity_release(identity);
}

int main(void) {
#define IDENTITY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      IDENTITY_TEST(no_header_is_a_stranger),
      IDENTITY_TEST(other_schemes_and_empty_ones_are_refused),
      IDENTITY_TEST(a_token_comes_from_the_cache_the_second_time),
      IDENTITY_TEST(a_cached_token_expires_all_the_same),
      IDENTITY_TEST(an_identity_outlives_its_place_in_the_cache),
      IDENTITY_TEST(failing_memory_refuses_nobody_for_good),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
