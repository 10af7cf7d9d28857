/* authenticator.h - from an Authorization header to a Caller. One a loop: it keeps the tokens that it verified lately, so that a caller who
 * comes again costs a hash and a comparison. */
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "contract/expr.h"

typedef struct AuthenticatorOptions {
  Str secret;
  Str issuer, audience; /* len 0: any */
  int64_t leeway_us;
  size_t identities_max; /* kept verified; rounded up to a power of two, at least 4 */
} AuthenticatorOptions;

typedef struct Authenticator Authenticator;

/* A verified token, held while a request uses it. */
typedef struct Identity Identity;

/* The options' strings are copied. */
Code authenticator_create(const AuthenticatorOptions *options, Authenticator **ret, Error *err);
void authenticator_destroy(Authenticator *authenticator); /* every Identity has been released; NULL is fine */

/* `authorization` is the header's value, ptr NULL where there is none: then *ret is NULL, a stranger. CODE_UNAUTHENTICATED: err->text says
 * why, in a sentence, and *ret_challenge (static) is the RFC 6750 error code for WWW-Authenticate: "invalid_token" or "invalid_request". */
Code authenticator_identify(Authenticator *authenticator, Str authorization, int64_t now_us, Identity **ret, Str *ret_challenge,
                            Error *err);
const Caller *identity_caller(const Identity *identity); /* of NULL: the stranger */
int64_t identity_expires_us(const Identity *identity);   /* wall clock, the leeway in it; 0: never; of NULL: never */
void identity_release(Identity *identity);               /* on the same loop; NULL is fine */
