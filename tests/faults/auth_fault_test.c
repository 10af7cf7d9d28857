/* auth_fault_test.c - who somebody is, while what that stands on fails: a secret is made whole or not at all, and no token is taken that
 * could not be looked at. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/authenticator.h"
#include "auth/secret.h"
#include "auth/token.h"
#include "faults.h"

enum { ATTEMPTS_MAX = 1000 };
static const int64_t NOW_US = INT64_C(1700000000) * 1000000;
static const Str SECRET = STR_INIT("0123456789abcdef0123456789abcdef");

static size_t files_in(const char *folder) {
  size_t count = 0;
  DIR *open = opendir(folder);
  assert_non_null(open);
  for (struct dirent *entry; (entry = readdir(open)) != NULL;) count += entry->d_name[0] != '.';
  (void)closedir(open);
  return count;
}

/* Behind what was done with faults armed: it came out as it should, or for want of what failed. Whether anything has failed. */
static bool ended_well(Code code, Code wanted) {
  bool has_failed = faults_disarm();
  if (has_failed) faults_note(code != wanted);
  assert_true(code == wanted || (has_failed && code == CODE_UNAVAILABLE));
  return has_failed;
}

static bool is_whole(Str secret) { return secret.len == 43; } /* 32 bytes as base64url */

/* One call that fails within it, until there is none left; how many there were. */
static size_t make_secrets(bool is_there) {
  size_t attempts = 0;
  faults_begin(FAULT_MEMORY | FAULT_FILES | FAULT_RANDOM);
  for (bool has_failed = true; has_failed; attempts++) {
    char folder[] = "/tmp/auth-fault-test-XXXXXX";
    Arena *arena = arena_create(0);
    Str secret = {0}, again;
    Error err;
    assert_true(attempts < ATTEMPTS_MAX);
    assert_non_null(mkdtemp(folder));
    Str path = arena_printf(arena, "%s/secret", folder);
    if (is_there) assert_int_equal(secret_read_or_make(path, arena, &again, &err), CODE_OK);
    faults_arm();
    Code code = secret_read_or_make(path, arena, &secret, &err);
    has_failed = ended_well(code, CODE_OK);
    assert_true(code != CODE_OK || is_whole(secret));
    assert_true(files_in(folder) <= 1); /* nothing half written under another name */
    assert_int_equal(secret_read_or_make(path, arena, &again, &err), CODE_OK);
    assert_true(is_whole(again) && (code != CODE_OK || str_equal(again, secret)));
    (void)unlink(path.ptr);
    assert_int_equal(rmdir(folder), 0);
    arena_destroy(arena);
  }
  return attempts - 1;
}

static void a_secret_is_made_whole_or_not_at_all(void **state) {
  (void)state;
  assert_in_range(make_secrets(false), 10, ATTEMPTS_MAX);
}

static void a_secret_that_can_not_be_read_is_not_replaced(void **state) {
  (void)state;
  assert_in_range(make_secrets(true), 3, ATTEMPTS_MAX);
}

/* ---- tokens ---- */

static Code make_token(Arena *arena, Str *ret, Error *err) {
  static const TokenClaim claim = {STR_INIT("tenant"), {.type = JSON_STRING, .text = STR_INIT("north")}};
  static const Str role = STR_INIT("staff");
  TokenSpec spec = {.subject = STR("7"),
                    .roles = &role,
                    .role_count = 1,
                    .claims = &claim,
                    .claim_count = 1,
                    .issuer = STR("here"),
                    .audience = STR("shop"),
                    .issued_us = NOW_US,
                    .ttl_us = 60000000};
  HmacKey *key = NULL;
  Code code = hmac_key_create(SECRET, &key, err);
  if (code == CODE_OK) code = token_make(key, &spec, arena, ret, err);
  hmac_key_destroy(key);
  return code;
}

static void a_token_is_made_or_not(void **state) {
  (void)state;
  size_t attempts = 0;
  Str wanted;
  Arena *shared = arena_create(0);
  assert_int_equal(make_token(shared, &wanted, NULL), CODE_OK);
  faults_begin(FAULT_MEMORY | FAULT_OPENSSL);
  for (bool has_failed = true; has_failed; attempts++) {
    Arena *arena = arena_create(0);
    Str token = {0};
    Error err;
    assert_true(attempts < ATTEMPTS_MAX);
    faults_arm();
    Code code = make_token(arena, &token, &err);
    has_failed = ended_well(code, CODE_OK);
    assert_true(code != CODE_OK || str_equal(token, wanted));
    arena_destroy(arena);
  }
  assert_in_range(attempts - 1, 8, ATTEMPTS_MAX);
  arena_destroy(shared);
}

/* From the options to the caller; `header` is good, or signed by somebody else. */
static Code identify(Str header, bool *ret_is_known, Error *err) {
  AuthenticatorOptions options = {.secret = SECRET, .issuer = STR("here"), .audience = STR("shop"), .identities_max = 4};
  Authenticator *authenticator = NULL;
  Identity *identity = NULL;
  Str challenge;
  Code code = authenticator_create(&options, &authenticator, err);
  if (code == CODE_OK) code = authenticator_identify(authenticator, header, NOW_US, &identity, &challenge, err);
  const Caller *caller = identity_caller(identity);
  *ret_is_known = caller->is_authenticated;
  identity_release(identity);
  authenticator_destroy(authenticator);
  return code;
}

static size_t identify_with_failures(Str header, Code wanted) {
  size_t attempts = 0;
  faults_begin(FAULT_MEMORY | FAULT_OPENSSL);
  for (bool has_failed = true; has_failed; attempts++) {
    bool is_known = false;
    Error err;
    assert_true(attempts < ATTEMPTS_MAX);
    faults_arm();
    Code code = identify(header, &is_known, &err);
    has_failed = ended_well(code, wanted);
    assert_int_equal(is_known, code == CODE_OK);
  }
  return attempts - 1;
}

static void a_token_that_could_not_be_looked_at_is_nobodys(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Str token;
  assert_int_equal(make_token(arena, &token, NULL), CODE_OK);
  Str header = arena_printf(arena, "Bearer %.*s", STR_ARGS(token));
  assert_in_range(identify_with_failures(header, CODE_OK), 10, ATTEMPTS_MAX);
  Str forged =
      arena_printf(arena, "Bearer %.*s%s", STR_ARGS(str_slice(token, 0, token.len - 2)), str_ends_with(token, STR("AA")) ? "BB" : "AA");
  assert_in_range(identify_with_failures(forged, CODE_UNAUTHENTICATED), 3, ATTEMPTS_MAX);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_secret_is_made_whole_or_not_at_all),
      cmocka_unit_test(a_secret_that_can_not_be_read_is_not_replaced),
      cmocka_unit_test(a_token_is_made_or_not),
      cmocka_unit_test(a_token_that_could_not_be_looked_at_is_nobodys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
