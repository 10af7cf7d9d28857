/* jwt.h - JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, signed with HS256 and nothing else: the algorithm is this program's
 * configuration, never the token's choice (RFC 8725 §3.1). */
#pragma once
#include <stdint.h>

#include "auth/hmac.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "contract/expr.h"

enum { JWT_BYTES_MAX = 8192, JWT_DEPTH_MAX = 16 };

typedef struct JwtPolicy {
  HmacKey *key;
  Str issuer;        /* len 0: any. Else `iss` must be it */
  Str audience;      /* len 0: any. Else `aud` must be it, or a list with it */
  int64_t leeway_us; /* how far clocks may differ, at `exp` and `nbf` */
} JwtPolicy;

typedef struct Jwt {
  Caller caller;                     /* id: `sub`; roles: `roles` (a list of strings, or one) or `role`; claims: the whole payload */
  int64_t not_before_us, expires_us; /* leeway included; INT64_MIN and INT64_MAX where the token does not say */
} Jwt;

/* All of *ret lives in `arena`; nothing points into `token`. CODE_UNAUTHENTICATED: err->text is a sentence that says why, fit for an RFC
 * 6750 error_description (printable ASCII, no quotes). CODE_UNAVAILABLE: out of memory. */
Code jwt_verify(const JwtPolicy *policy, Str token, int64_t now_us, Arena *arena, Jwt *ret, Error *err);
/* Who a payload's claims say is calling. It borrows from `payload`. */
Code jwt_caller_read(const JsonValue *payload, Arena *arena, Caller *ret, Error *err);
/* Whether a token that was verified once is (still) within its times; as jwt_verify says it. */
Code jwt_check_times(int64_t not_before_us, int64_t expires_us, int64_t now_us, Error *err);
