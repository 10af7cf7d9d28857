/* hmac.h - HMAC-SHA256 (RFC 2104) with a key prepared once. A key belongs to one thread at a time. OpenSSL stays inside hmac.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

enum { HMAC_SHA256_BYTES = 32 };

typedef struct HmacKey HmacKey;

Code hmac_key_create(Str secret, HmacKey **ret, Error *err);
void hmac_key_destroy(HmacKey *key); /* NULL is fine */
/* The message is given in `count` parts. False only when the library fails, as it does without memory. */
bool hmac_sign(HmacKey *key, const Str *parts, size_t count, unsigned char ret[HMAC_SHA256_BYTES]) MUST_USE;
/* Takes as long for any two tags. */
bool hmac_is_equal(const unsigned char a[HMAC_SHA256_BYTES], const unsigned char b[HMAC_SHA256_BYTES]);
