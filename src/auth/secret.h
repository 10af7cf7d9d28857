/* secret.h - where the key that signs tokens comes from. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { SECRET_BYTES_MAX = 4096, SECRET_BYTES_RECOMMENDED = 32 /* RFC 7518 §3.2 */ };

/* `length` random bytes as base64url text. */
Code secret_make(size_t length, Arena *arena, Str *ret, Error *err);
/* The file's text without surrounding white space. CODE_NOT_FOUND: there is no such file; CODE_UNAVAILABLE: it can't be read;
 * CODE_BAD_REQUEST: it is empty or too long. */
Code secret_read(Str path, Arena *arena, Str *ret, Error *err);
/* Reads the file, or makes it (mode 0600) with a new secret. Programs that start at once agree on one secret. err->text may name the path:
 * for the operator, not for callers of the API. */
Code secret_read_or_make(Str path, Arena *arena, Str *ret, Error *err);
