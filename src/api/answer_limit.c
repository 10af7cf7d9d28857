/* answer_limit.c - see answer_limit.h. */
#include "api/answer_limit.h"

Code answer_too_large(size_t bytes_max, const char *fewer, Error *err) {
  return error_set(err, CODE_TOO_LARGE, "the answer would be larger than %zu bytes (--result-max): ask for fewer %s", bytes_max, fewer);
}

Code answer_failed(const Buf *out, const char *fewer, Error *err) {
  return out->failed == CODE_TOO_LARGE ? answer_too_large(out->max, fewer, err) : error_no_memory(err);
}

const Problem *answer_too_large_problem(Arena *arena) {
  return problem_create(arena, CODE_TOO_LARGE, STR("The answer would be too large (--result-max): ask for fewer rows or fields"));
}
