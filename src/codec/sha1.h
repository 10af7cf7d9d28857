/* sha1.h - SHA-1 (FIPS 180-4), for protocols that name it where nothing depends on its strength: WebSocket's handshake. Thread-safe. */
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

enum { SHA1_BYTES = 20 };

/* False where the library refuses. */
bool sha1(Str bytes, unsigned char out[SHA1_BYTES]) MUST_USE;
