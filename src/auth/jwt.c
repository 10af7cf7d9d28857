/* jwt.c - verification in the order of RFC 7515 §5.2, with one invariant: not a byte of the payload is looked at before its signature
 * holds. */
#include "auth/jwt.h"

#include <math.h>

#include "codec/base64.h"
#include "codec/json.h"

static const double US_PER_SECOND = 1e6;

static Code refuse(Error *err, const char *why) { return error_set(err, CODE_UNAUTHENTICATED, "%s", why); }

/* JSON's own errors quote places in the token, which help nobody; out of memory stays what it is. */
static Code parse_object(Str text, Arena *arena, JsonValue *ret, const char *why, Error *err) {
  JsonValue value;
  Code code = json_parse(text, JWT_DEPTH_MAX, arena, &value, NULL);
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  if (code != CODE_OK || value.type != JSON_OBJECT) return refuse(err, why);
  *ret = value;
  return CODE_OK;
}

static Code decode_part(Str part, Arena *arena, Str *ret, const char *why, Error *err) {
  char *bytes = arena_alloc(arena, base64_decoded_max(part.len) + 1);
  TRY_ALLOC(bytes);
  size_t len = 0;
  if (!base64url_decode(part, bytes, &len)) return refuse(err, why);
  *ret = (Str){bytes, len};
  return CODE_OK;
}

static Code check_header(Str part, Arena *arena, Error *err) {
  Str text;
  JsonValue header;
  TRY(decode_part(part, arena, &text, "The token's header is not base64url", err));
  TRY(parse_object(text, arena, &header, "The token's header is not a JSON object", err));
  const JsonValue *algorithm = json_get(&header, STR("alg"));
  if (algorithm == NULL || algorithm->type != JSON_STRING || !str_equal(algorithm->text, STR("HS256")))
    return refuse(err, "The token is not signed with HS256");
  /* RFC 7515 §4.1.11: what must be understood and isn't makes the token invalid. */
  if (json_get(&header, STR("crit")) != NULL) return refuse(err, "The token's header has critical extensions, which are not supported");
  return CODE_OK;
}

static Code check_signature(const JwtPolicy *policy, Str signed_text, Str part, Arena *arena, Error *err) {
  Str given;
  TRY(decode_part(part, arena, &given, "The token's signature is not base64url", err));
  unsigned char expected[HMAC_SHA256_BYTES];
  if (!hmac_sign(policy->key, &signed_text, 1, expected)) return error_no_memory(err);
  if (given.len != HMAC_SHA256_BYTES || !hmac_is_equal((const unsigned char *)given.ptr, expected))
    return refuse(err, "The token's signature does not match");
  return CODE_OK;
}

/* A NumericDate (RFC 7519 §2): seconds since the epoch, perhaps with a fraction. Beyond the range it is as far away as can be. */
static Code read_time(const JsonValue *payload, Str name, int64_t absent_us, int64_t leeway_us, int64_t *ret_us, Error *err) {
  const JsonValue *claim = json_get(payload, name);
  if (claim == NULL) return *ret_us = absent_us, CODE_OK;
  double seconds = 0;
  if (claim->type != JSON_NUMBER || !json_number_to_double(claim->text, &seconds))
    return error_set(err, CODE_UNAUTHENTICATED, "The token's %.*s is not a number of seconds", STR_ARGS(name));
  double us = seconds * US_PER_SECOND + (double)leeway_us;
  *ret_us = us >= 9.2e18 ? INT64_MAX : us <= -9.2e18 ? INT64_MIN : (int64_t)us;
  return CODE_OK;
}

Code jwt_check_times(int64_t not_before_us, int64_t expires_us, int64_t now_us, Error *err) {
  /* RFC 7519 §4.1.4: "on or after which" it must not be accepted. */
  if (expires_us != INT64_MAX && now_us >= expires_us) return refuse(err, "The token has expired");
  if (now_us < not_before_us) return refuse(err, "The token is not valid yet");
  return CODE_OK;
}

static bool is_text(const JsonValue *value, Str wanted) {
  return value != NULL && value->type == JSON_STRING && str_equal(value->text, wanted);
}

/* RFC 7519 §4.1.3: one audience, or several. */
static bool has_audience(const JsonValue *claim, Str wanted) {
  if (claim == NULL || claim->type != JSON_ARRAY) return is_text(claim, wanted);
  for (size_t i = 0; i < claim->count; i++)
    if (is_text(&claim->items[i], wanted)) return true;
  return false;
}

static Code check_parties(const JwtPolicy *policy, const JsonValue *payload, Error *err) {
  if (policy->issuer.len != 0 && !is_text(json_get(payload, STR("iss")), policy->issuer))
    return refuse(err, "The token is from another issuer");
  if (policy->audience.len != 0 && !has_audience(json_get(payload, STR("aud")), policy->audience))
    return refuse(err, "The token is for another audience");
  return CODE_OK;
}

/* A roles claim that can't be understood refuses the token: fewer roles are not always fewer rights. */
static Code read_roles(const JsonValue *payload, Arena *arena, ValueList *ret, Error *err) {
  const JsonValue *claim = json_get(payload, STR("roles"));
  if (claim == NULL) claim = json_get(payload, STR("role"));
  if (claim == NULL || claim->type == JSON_NULL) return *ret = (ValueList){NULL, 0}, CODE_OK;
  size_t count = claim->type == JSON_ARRAY ? claim->count : 1;
  const JsonValue *items = claim->type == JSON_ARRAY ? claim->items : claim;
  Value *roles = ARENA_ARRAY(arena, Value, count);
  TRY_ALLOC(roles);
  for (size_t i = 0; i < count; i++) {
    if (items[i].type != JSON_STRING) return refuse(err, "The token's roles are not a list of strings");
    roles[i] = value_text(items[i].text);
  }
  *ret = (ValueList){roles, count};
  return CODE_OK;
}

Code jwt_caller_read(const JsonValue *payload, Arena *arena, Caller *ret, Error *err) {
  const JsonValue *subject = json_get(payload, STR("sub"));
  bool has_subject = subject != NULL && subject->type != JSON_NULL;
  if (has_subject && subject->type != JSON_STRING) return refuse(err, "The token's sub is not a string");
  ValueList roles;
  TRY(read_roles(payload, arena, &roles, err));
  *ret =
      (Caller){.is_authenticated = true, .id = has_subject ? value_text(subject->text) : value_null(), .roles = roles, .claims = payload};
  return CODE_OK;
}

/* Header, payload and signature, with exactly two dots between them. */
static bool split(Str token, Str *ret_header, Str *ret_payload, Str *ret_signature) {
  Str rest = token, extra;
  return str_split_next(&rest, '.', ret_header) && str_split_next(&rest, '.', ret_payload) && str_split_next(&rest, '.', ret_signature) &&
         !str_split_next(&rest, '.', &extra);
}

Code jwt_verify(const JwtPolicy *policy, Str token, int64_t now_us, Arena *arena, Jwt *ret, Error *err) {
  if (token.len > JWT_BYTES_MAX) return refuse(err, "The token is too long");
  Str header, payload_part, signature;
  if (token.len == 0 || !split(token, &header, &payload_part, &signature))
    return refuse(err, "The token is not a signed JWT of three parts");
  TRY(check_header(header, arena, err));
  TRY(check_signature(policy, str_slice(token, 0, header.len + 1 + payload_part.len), signature, arena, err));

  Str text;
  JsonValue *payload = ARENA_NEW(arena, JsonValue);
  TRY_ALLOC(payload);
  TRY(decode_part(payload_part, arena, &text, "The token's payload is not base64url", err));
  TRY(parse_object(text, arena, payload, "The token's payload is not a JSON object", err));
  Jwt jwt;
  TRY(read_time(payload, STR("exp"), INT64_MAX, policy->leeway_us, &jwt.expires_us, err));
  TRY(read_time(payload, STR("nbf"), INT64_MIN, -policy->leeway_us, &jwt.not_before_us, err));
  TRY(jwt_check_times(jwt.not_before_us, jwt.expires_us, now_us, err));
  TRY(check_parties(policy, payload, err));
  TRY(jwt_caller_read(payload, arena, &jwt.caller, err));
  *ret = jwt;
  return CODE_OK;
}
