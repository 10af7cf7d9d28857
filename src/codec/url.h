/* url.h - percent-encoding (RFC 3986 §2.1) and form queries (application/x-www-form-urlencoded: "+" is a space). Thread-safe. */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* Decodes into valid UTF-8 without NUL; borrowed from `text` where nothing was encoded. CODE_BAD_REQUEST for "%" without two hexadecimal
 * digits, for NUL and for invalid UTF-8; CODE_UNAVAILABLE without memory. */
Code url_decode_path(Str text, Arena *arena, Str *ret, Error *err);
Code url_decode_query(Str text, Arena *arena, Str *ret, Error *err);
/* Everything but the unreserved characters (RFC 3986 §2.3) as %XX: safe in any part of a URL. */
void url_encode(Buf *out, Str text);
