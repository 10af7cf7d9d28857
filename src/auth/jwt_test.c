/* jwt_test.c - tokens from RFC 7515, tokens made here, and tokens broken in every part. */
#include "auth/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "auth/token.h"
#include "base/memory.h"
#include "codec/base64.h"

static const int64_t NOW_US = 1700000000LL * 1000000;

typedef struct Fixture {
  Arena *arena;
  HmacKey *key;
  JwtPolicy policy;
} Fixture;

static int set_up(void **state) {
  static Fixture fixture;
  fixture = (Fixture){.arena = arena_create(0)};
  assert_int_equal(hmac_key_create(STR("a secret of at least thirty-two bytes"), &fixture.key, NULL), CODE_OK);
  fixture.policy.key = fixture.key;
  *state = &fixture;
  return 0;
}

static int tear_down(void **state) {
  Fixture *f = *state;
  hmac_key_destroy(f->key);
  arena_destroy(f->arena);
  return 0;
}

static Str sign(Fixture *f, const char *header, const char *payload) {
  Buf token = buf_on(f->arena, 65536);
  base64url_write(&token, str_of(header));
  buf_add_byte(&token, '.');
  base64url_write(&token, str_of(payload));
  Str text = buf_str(&token);
  unsigned char tag[HMAC_SHA256_BYTES];
  assert_true(hmac_sign(f->key, &text, 1, tag));
  buf_add_byte(&token, '.');
  base64url_write(&token, (Str){(const char *)tag, sizeof tag});
  return buf_str(&token);
}

static Str sign_payload(Fixture *f, const char *payload) { return sign(f, "{\"alg\":\"HS256\"}", payload); }

static void expect_refusal(Fixture *f, Str token, const char *text) {
  Jwt jwt;
  Error err = {0};
  assert_int_equal(jwt_verify(&f->policy, token, NOW_US, f->arena, &jwt, &err), CODE_UNAUTHENTICATED);
  assert_string_equal(err.text, text);
}

static Jwt expect_valid(Fixture *f, Str token) {
  Jwt jwt = {0};
  Error err = {0};
  Code code = jwt_verify(&f->policy, token, NOW_US, f->arena, &jwt, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(code, CODE_OK);
  return jwt;
}

/* The key of RFC 7515 A.1 as bytes of its "k", and its token, which expired in 2011. */
static void the_token_of_rfc_7515_a_1_verifies_until_it_expires(void **state) {
  Fixture *f = *state;
  Str k = STR("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  char bytes[96];
  size_t len = 0;
  assert_true(base64url_decode(k, bytes, &len));
  assert_int_equal(len, 64);
  HmacKey *key = NULL;
  assert_int_equal(hmac_key_create((Str){bytes, len}, &key, NULL), CODE_OK);
  JwtPolicy policy = {.key = key, .issuer = STR("joe")};
  Str token = STR("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                  ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  Jwt jwt;
  Error err = {0};
  assert_int_equal(jwt_verify(&policy, token, 1300819379999999, f->arena, &jwt, &err), CODE_OK);
  assert_true(jwt.expires_us == 1300819380000000);
  assert_true(value_is_null(&jwt.caller.id));
  assert_int_equal(jwt.caller.roles.count, 0);
  assert_true(json_get(jwt.caller.claims, STR("http://example.com/is_root"))->boolean);
  assert_int_equal(jwt_verify(&policy, token, 1300819380000000, f->arena, &jwt, &err), CODE_UNAUTHENTICATED);
  assert_string_equal(err.text, "The token has expired");
  hmac_key_destroy(key);
}

/* RFC 4231 §4.3, test case 2; twice, since the key is used again after a message. */
static void hmac_gives_the_tag_of_rfc_4231(void **state) {
  (void)state;
  static const unsigned char expected[HMAC_SHA256_BYTES] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                                            0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                                            0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
  HmacKey *key = NULL;
  assert_int_equal(hmac_key_create(STR("Jefe"), &key, NULL), CODE_OK);
  for (int i = 0; i < 2; i++) {
    unsigned char tag[HMAC_SHA256_BYTES];
    const Str parts[] = {STR_INIT("what do ya want "), STR_INIT("for nothing?")};
    assert_true(hmac_sign(key, parts, 2, tag));
    assert_true(hmac_is_equal(tag, expected));
    tag[31] ^= 1;
    assert_false(hmac_is_equal(tag, expected));
  }
  hmac_key_destroy(key);
}

static void a_made_token_reads_back(void **state) {
  Fixture *f = *state;
  const Str roles[] = {STR_INIT("staff"), STR_INIT("a\"b")};
  const TokenClaim claims[] = {{STR_INIT("org"), {.type = JSON_NUMBER, .text = STR_INIT("12345678901234567890")}}};
  TokenSpec spec = {.subject = STR("ada"),
                    .roles = roles,
                    .role_count = 2,
                    .claims = claims,
                    .claim_count = 1,
                    .issued_us = NOW_US,
                    .ttl_us = 3600LL * 1000000,
                    .issuer = STR("me"),
                    .audience = STR("shop")};
  Str token;
  assert_int_equal(token_make(f->key, &spec, f->arena, &token, NULL), CODE_OK);
  f->policy.issuer = STR("me");
  f->policy.audience = STR("shop");
  Jwt jwt = expect_valid(f, token);
  assert_true(jwt.caller.is_authenticated);
  assert_true(str_equal(jwt.caller.id.text, STR("ada")));
  assert_int_equal(jwt.caller.roles.count, 2);
  assert_true(str_equal(jwt.caller.roles.items[1].text, STR("a\"b")));
  assert_true(str_equal(json_get(jwt.caller.claims, STR("org"))->text, STR("12345678901234567890")));
  assert_true(jwt.expires_us == NOW_US + 3600LL * 1000000);
}

static void a_claim_with_an_option_of_its_own_is_not_made(void **state) {
  Fixture *f = *state;
  const TokenClaim claims[] = {{STR_INIT("sub"), {.type = JSON_NULL}}};
  TokenSpec spec = {.claims = claims, .claim_count = 1, .issued_us = NOW_US};
  Str token;
  assert_int_equal(token_make(f->key, &spec, f->arena, &token, NULL), CODE_BAD_REQUEST);
}

static void the_algorithm_is_never_the_tokens_choice(void **state) {
  Fixture *f = *state;
  expect_refusal(f, sign(f, "{\"alg\":\"none\"}", "{}"), "The token is not signed with HS256");
  expect_refusal(f, STR("eyJhbGciOiJub25lIn0.e30."), "The token is not signed with HS256");
  expect_refusal(f, sign(f, "{\"alg\":\"HS384\"}", "{}"), "The token is not signed with HS256");
  expect_refusal(f, sign(f, "{\"alg\":\"hs256\"}", "{}"), "The token is not signed with HS256");
  expect_refusal(f, sign(f, "{\"alg\":[\"HS256\"]}", "{}"), "The token is not signed with HS256");
  expect_refusal(f, sign(f, "{}", "{}"), "The token is not signed with HS256");
  expect_refusal(f, sign(f, "{\"alg\":\"none\",\"alg\":\"HS256\"}", "{}"), "The token's header is not a JSON object");
  expect_refusal(f, sign(f, "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "{}"),
                 "The token's header has critical extensions, which are not supported");
}

static void what_is_not_a_token_is_refused(void **state) {
  Fixture *f = *state;
  expect_refusal(f, STR(""), "The token is not a signed JWT of three parts");
  expect_refusal(f, STR("abc"), "The token is not a signed JWT of three parts");
  expect_refusal(f, STR("a.b"), "The token is not a signed JWT of three parts");
  expect_refusal(f, STR("a.b.c.d"), "The token is not a signed JWT of three parts");
  expect_refusal(f, STR(".."), "The token's header is not a JSON object");
  expect_refusal(f, STR("e30=.e30.e30"), "The token's header is not base64url");
  char *long_token = arena_alloc(f->arena, JWT_BYTES_MAX + 1);
  memset(long_token, 'a', JWT_BYTES_MAX + 1);
  expect_refusal(f, (Str){long_token, JWT_BYTES_MAX + 1}, "The token is too long");
}

static void a_changed_byte_anywhere_breaks_the_signature(void **state) {
  Fixture *f = *state;
  Str token = sign_payload(f, "{\"sub\":\"ada\",\"roles\":[\"staff\"]}");
  (void)expect_valid(f, token);
  for (size_t i = 0; i < token.len; i++) {
    Str copy = arena_str(f->arena, token);
    ((char *)copy.ptr)[i] = copy.ptr[i] == 'A' ? 'B' : 'A';
    Jwt jwt;
    assert_int_equal(jwt_verify(&f->policy, copy, NOW_US, f->arena, &jwt, NULL), CODE_UNAUTHENTICATED);
  }
  expect_refusal(f, str_slice(token, 0, token.len - 3), "The token's signature does not match");
}

static void times_are_kept_with_their_leeway(void **state) {
  Fixture *f = *state;
  expect_refusal(f, sign_payload(f, "{\"exp\":1700000000}"), "The token has expired");
  (void)expect_valid(f, sign_payload(f, "{\"exp\":1700000000.5}"));
  (void)expect_valid(f, sign_payload(f, "{\"exp\":1e300}"));
  (void)expect_valid(f, sign_payload(f, "{\"nbf\":1700000000}"));
  expect_refusal(f, sign_payload(f, "{\"nbf\":1700000001}"), "The token is not valid yet");
  expect_refusal(f, sign_payload(f, "{\"exp\":-1e300}"), "The token has expired");
  expect_refusal(f, sign_payload(f, "{\"exp\":\"1800000000\"}"), "The token's exp is not a number of seconds");
  expect_refusal(f, sign_payload(f, "{\"nbf\":null}"), "The token's nbf is not a number of seconds");
  f->policy.leeway_us = 10 * 1000000;
  (void)expect_valid(f, sign_payload(f, "{\"exp\":1699999991,\"nbf\":1700000010}"));
  expect_refusal(f, sign_payload(f, "{\"exp\":1699999990}"), "The token has expired");
}

static void issuer_and_audience_are_demanded_where_configured(void **state) {
  Fixture *f = *state;
  f->policy.issuer = STR("https://id.example");
  expect_refusal(f, sign_payload(f, "{}"), "The token is from another issuer");
  expect_refusal(f, sign_payload(f, "{\"iss\":\"https://id.example.evil\"}"), "The token is from another issuer");
  (void)expect_valid(f, sign_payload(f, "{\"iss\":\"https://id.example\"}"));
  f->policy.issuer = (Str){0};
  f->policy.audience = STR("shop");
  expect_refusal(f, sign_payload(f, "{\"aud\":\"other\"}"), "The token is for another audience");
  expect_refusal(f, sign_payload(f, "{\"aud\":[]}"), "The token is for another audience");
  (void)expect_valid(f, sign_payload(f, "{\"aud\":\"shop\"}"));
  (void)expect_valid(f, sign_payload(f, "{\"aud\":[\"other\",\"shop\"]}"));
}

static void roles_are_strings_or_the_token_is_refused(void **state) {
  Fixture *f = *state;
  assert_int_equal(expect_valid(f, sign_payload(f, "{\"role\":\"staff\"}")).caller.roles.count, 1);
  assert_int_equal(expect_valid(f, sign_payload(f, "{\"roles\":\"staff\"}")).caller.roles.count, 1);
  assert_int_equal(expect_valid(f, sign_payload(f, "{\"roles\":[]}")).caller.roles.count, 0);
  expect_refusal(f, sign_payload(f, "{\"roles\":[\"a\",1]}"), "The token's roles are not a list of strings");
  expect_refusal(f, sign_payload(f, "{\"roles\":{\"a\":true}}"), "The token's roles are not a list of strings");
  expect_refusal(f, sign_payload(f, "{\"sub\":7}"), "The token's sub is not a string");
  expect_refusal(f, sign_payload(f, "[]"), "The token's payload is not a JSON object");
  expect_refusal(f, sign_payload(f, "{\"sub\":\"a\\u0000\"}"), "The token's payload is not a JSON object");
}

static void failing_memory_is_not_a_bad_token(void **state) {
  Fixture *f = *state;
  Str token = sign_payload(f, "{\"sub\":\"ada\",\"roles\":[\"staff\"],\"escaped\":\"\\u0041\"}");
  Code code = CODE_UNAVAILABLE;
  for (size_t n = 1; code != CODE_OK; n++) {
    assert_true(n < 50);
    Arena *arena = arena_create(0);
    Jwt jwt;
    memory_fail_after(n);
    code = jwt_verify(&f->policy, token, NOW_US, arena, &jwt, NULL);
    memory_fail_after(0);
    assert_true(code == CODE_OK || code == CODE_UNAVAILABLE);
    arena_destroy(arena);
  }
}

int main(void) {
#define TOKEN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TOKEN_TEST(the_token_of_rfc_7515_a_1_verifies_until_it_expires),
      TOKEN_TEST(hmac_gives_the_tag_of_rfc_4231),
      TOKEN_TEST(a_made_token_reads_back),
      TOKEN_TEST(a_claim_with_an_option_of_its_own_is_not_made),
      TOKEN_TEST(the_algorithm_is_never_the_tokens_choice),
      TOKEN_TEST(what_is_not_a_token_is_refused),
      TOKEN_TEST(a_changed_byte_anywhere_breaks_the_signature),
      TOKEN_TEST(times_are_kept_with_their_leeway),
      TOKEN_TEST(issuer_and_audience_are_demanded_where_configured),
      TOKEN_TEST(roles_are_strings_or_the_token_is_refused),
      TOKEN_TEST(failing_memory_is_not_a_bad_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
