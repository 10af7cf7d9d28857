/* string_literal.h - GraphQL's string literals (October 2021, §2.9.4), quoted and block strings: decoding, and the way back from a
 * decoded byte to the source, so that a mistake in a rule points into its string. */
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* `raw` with its quotes; well terminated. CODE_BAD_REQUEST: *ret_fault is the byte of `raw` that err->text is about. The value may borrow
 * from raw. */
Code string_literal_decode(Str raw, Arena *arena, Str *ret, uint32_t *ret_fault, Error *err);
/* The byte of `raw` where byte `decoded_at` of its value comes from; the closing quote's when that is the end. `raw` has been decoded
 * without fault. */
uint32_t string_literal_source(Str raw, size_t decoded_at);
