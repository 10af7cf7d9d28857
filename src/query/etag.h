/* etag.h - a strong entity tag (RFC 9110 §8.8.3) from typed values, so that it is the same on every face and store. */
#pragma once
#include "base/arena.h"
#include "query/operation.h"

/* Of one row in its selection's order, nested rows included. */
uint64_t etag_of_row(const Selection *selection, const Value *values, uint64_t seed);
/* As text, without quotes; ptr NULL when memory is out. */
Str etag_text(Arena *arena, uint64_t tag);
/* RFC 9110 §13.1: whether one of the given tags (or "*") is `tag`. */
bool etag_matches(const Precondition *precondition, uint64_t tag);
