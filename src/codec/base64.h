/* base64.h - RFC 4648 base64 (§4, padded) and base64url (§5, without padding). Strict: no white space, no foreign letters, no set bits
 * behind the last byte. Thread-safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* Enough bytes for what `text_len` letters decode to. */
static inline size_t base64_decoded_max(size_t text_len) { return text_len / 4 * 3 + 3; }
/* `out` holds base64_decoded_max(text.len) bytes. False where `text` is malformed. */
bool base64_decode(Str text, char *out, size_t *ret_len);
bool base64url_decode(Str text, char *out, size_t *ret_len);
/* The same into the arena; false also without memory. */
bool base64url_parse(Str text, Arena *arena, Str *ret);
void base64_write(Buf *out, Str bytes);
void base64url_write(Buf *out, Str bytes);
