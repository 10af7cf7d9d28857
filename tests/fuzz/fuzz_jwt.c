/* fuzz_jwt.c - bytes that nobody signed are never a token; a payload that was signed is a caller or a refusal with a reason fit for a
 * header. */
#include <string.h>

#include "auth/jwt.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "property.h"

static void check_reason(Code code, const Error *err) {
  PROPERTY(code == CODE_UNAUTHENTICATED && err->text[0] != '\0');
  for (const char *c = err->text; *c != '\0'; c++) PROPERTY(*c >= ' ' && *c < 0x7F && *c != '"' && *c != '\\');
}

static Str sign(HmacKey *key, Str payload, Arena *arena) {
  Buf token = buf_on(arena, SIZE_MAX);
  base64url_write(&token, STR("{\"alg\":\"HS256\"}"));
  buf_add_byte(&token, '.');
  base64url_write(&token, payload);
  Str text = buf_str(&token);
  unsigned char tag[HMAC_SHA256_BYTES];
  PROPERTY(hmac_sign(key, &text, 1, tag));
  buf_add_byte(&token, '.');
  base64url_write(&token, (Str){(const char *)tag, sizeof tag});
  return buf_str(&token);
}

static void check_caller(const Jwt *jwt, int64_t now_us) {
  const JsonValue *subject = json_get(jwt->caller.claims, STR("sub"));
  PROPERTY(jwt->caller.is_authenticated && jwt->caller.claims->type == JSON_OBJECT);
  PROPERTY(now_us >= jwt->not_before_us && (now_us < jwt->expires_us || jwt->expires_us == INT64_MAX));
  if (jwt->caller.id.type == VALUE_TEXT) PROPERTY(subject != NULL && str_equal(subject->text, jwt->caller.id.text));
  for (size_t i = 0; i < jwt->caller.roles.count; i++) PROPERTY(jwt->caller.roles.items[i].type == VALUE_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const int64_t now_us = 1700000000000000;
  Arena *arena = arena_create(0);
  HmacKey *key = NULL;
  PROPERTY(hmac_key_create(STR("the fuzzer does not know this key"), &key, NULL) == CODE_OK);
  JwtPolicy policy = {.key = key};
  Str text = {(const char *)data, size};
  Error err = {0};
  Jwt jwt;
  Code code = jwt_verify(&policy, text, now_us, arena, &jwt, &err);
  check_reason(code, &err);
  code = jwt_verify(&policy, sign(key, text, arena), now_us, arena, &jwt, &err);
  if (code == CODE_OK)
    check_caller(&jwt, now_us);
  else
    check_reason(code, &err);
  hmac_key_destroy(key);
  arena_destroy(arena);
  return 0;
}
