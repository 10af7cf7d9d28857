/* answer_limit.h - what every face says of an answer that is longer than --result-max. */
#pragma once
#include "base/buf.h"
#include "query/problem.h"

/* CODE_TOO_LARGE, with the limit and what to ask for less of: "rows or fields". */
Code answer_too_large(size_t bytes_max, const char *fewer, Error *err);
/* The same of a sink's buffer that has failed; CODE_UNAVAILABLE where that was for want of memory. */
Code answer_failed(const Buf *out, const char *fewer, Error *err);
/* As a refusal, where the limit itself is not at hand. */
const Problem *answer_too_large_problem(Arena *arena);
