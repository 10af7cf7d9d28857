/* uuid.h - UUIDs (RFC 9562) as 36 characters in lower case. */
#pragma once
#include <stdbool.h>

#include "base/str.h"

enum { UUID_TEXT_LEN = 36 };

/* Version 7: ordered by time, and within one millisecond by a counter in this thread; the rest random. */
void uuid_make(char out[UUID_TEXT_LEN]);
/* Accepts either case, writes lower case. */
bool uuid_parse(Str s, char out[UUID_TEXT_LEN]);
