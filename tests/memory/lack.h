/* lack.h - what is done while memory runs out: once as it is, then with an allocation failing at each place of the code that asks for one
 * (tests/faults/faults.h), and with some of those between. It says CODE_UNAVAILABLE, or what it says otherwise, never anything else. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum { LACK_TEXT_BYTES_MAX = 32 * 1024 * 1024 };

/* Writes what comes of it, or what is refused, to `out`; on `arena`. On one thread, in the same order each time. */
typedef Code LackWork(const void *context, Arena *arena, Buf *out, Error *err);

/* Before the first. */
void lack_init(void);
/* False, and both are printed: what came of it was something else. */
bool lack_check(const char *name, LackWork *work, const void *context);
