/* vary.h - whatever adds to an answer says by itself on which fields of the request that depends; here they become one field. */
#pragma once
#include "base/arena.h"
#include "http/exchange.h"

/* RFC 9110 §12.5.5: the first `vary` (its name in lower case) gets the members of all, each once, as it was written first; the others go.
 * Returns how many fields are left; without memory all of them, which says the same. */
size_t vary_join(HttpHeader *headers, size_t count, Arena *arena);
