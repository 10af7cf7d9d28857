/* utf8.h - UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, at most U+10FFFF. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

bool utf8_is_valid(Str s);
/* Code points of valid UTF-8. */
size_t utf8_length(Str s);
/* Decodes at *at and moves it on; UINT32_MAX where it is not valid (then *at moves one byte). Call only while *at < s.len. */
uint32_t utf8_next(Str s, size_t *at);
/* The beginning of `s` of at most `bytes_max`, which does not end within a character. */
Str utf8_cut(Str s, size_t bytes_max);
/* Writes 1 to 4 bytes; returns how many, 0 for a surrogate or beyond the range. */
size_t utf8_encode(uint32_t code_point, char out[4]);
