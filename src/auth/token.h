/* token.h - makes signed tokens, for development and tests (`caisson token`). */
#pragma once
#include "auth/hmac.h"
#include "base/arena.h"
#include "codec/json.h"

typedef struct TokenClaim {
  Str name;
  JsonValue value;
} TokenClaim;

typedef struct TokenSpec {
  Str subject; /* ptr NULL: no `sub` */
  const Str *roles;
  size_t role_count;        /* 0: no `roles` */
  const TokenClaim *claims; /* further ones; a name that is given elsewhere (sub, roles, iss, aud, iat, exp) is refused */
  size_t claim_count;
  Str issuer, audience; /* len 0: none */
  int64_t issued_us;
  int64_t ttl_us; /* 0: never expires */
} TokenSpec;

Code token_make(HmacKey *key, const TokenSpec *spec, Arena *arena, Str *ret, Error *err);
