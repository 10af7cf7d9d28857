#include "query/problem.h"

static const Problem OUT_OF_MEMORY = {
    .code = CODE_UNAVAILABLE,
    .detail = STR_INIT("the server is out of memory for this request"),
    .operation = -1,
    .retry_after_s = 1,
};

Problem *problem_new(Arena *arena, Code code, Str detail) {
  Problem *problem = ARENA_NEW(arena, Problem);
  if (problem == NULL) return NULL;
  problem->code = code;
  problem->detail = detail;
  problem->operation = -1;
  if (code == CODE_UNAVAILABLE) problem->retry_after_s = 1;
  return problem;
}

const Problem *problem_create(Arena *arena, Code code, Str detail) { return problem_with_hint(arena, code, detail, (Str){0}); }

const Problem *problem_no_memory(Arena *arena) { return problem_create(arena, CODE_UNAVAILABLE, STR("out of memory")); }

const Problem *problem_with_hint(Arena *arena, Code code, Str detail, Str hint) {
  Problem *problem = problem_new(arena, code, detail);
  if (problem == NULL) return &OUT_OF_MEMORY;
  problem->hint = hint;
  return problem;
}

const Problem *problem_from_error(Arena *arena, const Error *err) {
  Problem *problem = problem_new(arena, err->code, arena_str(arena, str_of(err->text)));
  if (problem == NULL || problem->detail.ptr == NULL) return &OUT_OF_MEMORY;
  return problem;
}

Str mistake_code_name(MistakeCode code) {
  static const Str names[MISTAKE_COUNT] = {
      [MISTAKE_REQUIRED] = STR_INIT("REQUIRED"),
      [MISTAKE_TYPE] = STR_INIT("TYPE"),
      [MISTAKE_RANGE] = STR_INIT("RANGE"),
      [MISTAKE_LENGTH] = STR_INIT("LENGTH"),
      [MISTAKE_PATTERN] = STR_INIT("PATTERN"),
      [MISTAKE_ENUM] = STR_INIT("ENUM"),
      [MISTAKE_UNKNOWN_FIELD] = STR_INIT("UNKNOWN_FIELD"),
      [MISTAKE_READ_ONLY] = STR_INIT("READ_ONLY"),
      [MISTAKE_IMMUTABLE] = STR_INIT("IMMUTABLE"),
      [MISTAKE_NOT_UNIQUE] = STR_INIT("NOT_UNIQUE"),
      [MISTAKE_REFERENCE] = STR_INIT("REFERENCE"),
      [MISTAKE_CHECK] = STR_INIT("CHECK"),
  };
  return names[code];
}

const Problem *problem_kept(const Problem *problem, Arena *arena) {
  Problem *kept = ARENA_NEW(arena, Problem);
  Mistake *mistakes = ARENA_ARRAY(arena, Mistake, problem->mistake_count);
  if (kept == NULL || mistakes == NULL) return &OUT_OF_MEMORY;
  *kept = *problem;
  kept->detail = arena_str(arena, problem->detail);
  kept->hint = arena_str(arena, problem->hint);
  kept->rule = arena_str(arena, problem->rule);
  bool has_memory = kept->detail.ptr != NULL && kept->hint.ptr != NULL && kept->rule.ptr != NULL;
  for (size_t i = 0; i < problem->mistake_count; i++) {
    const Mistake *from = &problem->mistakes[i];
    mistakes[i] = (Mistake){from->code, arena_str(arena, from->pointer), arena_str(arena, from->detail), arena_str(arena, from->hint)};
    has_memory = has_memory && mistakes[i].pointer.ptr != NULL && mistakes[i].detail.ptr != NULL && mistakes[i].hint.ptr != NULL;
  }
  if (!has_memory) return &OUT_OF_MEMORY;
  kept->mistakes = mistakes;
  return kept;
}
