/* sha256.h - SHA-256 (FIPS 180-4) of bytes at hand. OpenSSL stays inside sha256.c. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { SHA256_BYTES = 32, SHA256_HEX_BYTES = 64 };

/* In lower-case hexadecimal. False without memory. */
bool sha256_hex(Str bytes, char ret[SHA256_HEX_BYTES]) MUST_USE;
