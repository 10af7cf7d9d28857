/* regex.c - PCRE2 behind regex.h; the only file that knows it. Its memory comes from base/arena.h's allocator, so that tests can make it
 * fail. */
#include "contract/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct Regex {
  pcre2_code *code;
  pcre2_match_context *limits; /* only read while matching, so shared by all threads */
};

static void *regex_memory_alloc(size_t size, void *context) {
  (void)context;
  return memory_alloc(size);
}

static void regex_memory_free(void *pointer, void *context) {
  (void)context;
  memory_free(pointer);
}

static void regex_release(void *context) {
  Regex *regex = context;
  pcre2_match_context_free(regex->limits);
  pcre2_code_free(regex->code);
}

static Code regex_compile_error(int number, size_t offset, Error *err) {
  if (number == PCRE2_ERROR_HEAP_FAILED) return error_no_memory(err);
  PCRE2_UCHAR text[160];
  if (pcre2_get_error_message(number, text, sizeof text) < 0) text[0] = '\0';
  return error_set(err, CODE_BAD_REQUEST, "the regular expression is malformed at byte %zu: %s", offset, (const char *)text);
}

/* CEL's matches() is RE2's language: a back-reference can't be matched in linear time there, nor be written. */
static Code regex_refuse_backtracking(const pcre2_code *code, Error *err) {
  uint32_t back_reference_max = 0;
  pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &back_reference_max);
  if (back_reference_max == 0) return CODE_OK;
  return error_set(err, CODE_BAD_REQUEST, "back-references are not supported in a regular expression");
}

static Code regex_compile_with(Str pattern, pcre2_compile_context *compile, pcre2_general_context *memory, Regex *regex, Error *err) {
  int number = 0;
  PCRE2_SIZE offset = 0;
  /* \C could split a character, and (*UTF), (*LIMIT_MATCH=…) at the start would set aside what is fixed here. */
  uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP | PCRE2_DOLLAR_ENDONLY;
  if (pattern.len >= 2 && pattern.ptr[0] == '(' && pattern.ptr[1] == '*') {
    return error_set(err, CODE_BAD_REQUEST, "the regular expression is malformed at byte 0: verbs (*…) are not supported");
  }
  const char *text = pattern.len == 0 ? "" : pattern.ptr;
  regex->code = pcre2_compile((PCRE2_SPTR)text, pattern.len, options, &number, &offset, compile);
  if (regex->code == NULL) return regex_compile_error(number, offset, err);
  TRY(regex_refuse_backtracking(regex->code, err));
  regex->limits = pcre2_match_context_create(memory);
  TRY_ALLOC(regex->limits);
  pcre2_set_match_limit(regex->limits, REGEX_MATCH_STEPS_MAX);
  pcre2_set_heap_limit(regex->limits, REGEX_HEAP_KIB_MAX);
  /* Where the processor (or a hardened system) has no just-in-time code, the interpreter gives the same answers. */
  (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
  return CODE_OK;
}

Code regex_compile(Str pattern, Arena *arena, Regex **ret, Error *err) {
  if (pattern.len > REGEX_PATTERN_BYTES_MAX) {
    return error_set(err, CODE_TOO_LARGE, "a regular expression has at most %d bytes", REGEX_PATTERN_BYTES_MAX);
  }
  Regex *regex = ARENA_NEW(arena, Regex);
  TRY_ALLOC(regex);
  if (!arena_defer(arena, regex_release, regex)) return error_no_memory(err);
  pcre2_general_context *memory = pcre2_general_context_create(regex_memory_alloc, regex_memory_free, NULL);
  TRY_ALLOC(memory);
  pcre2_compile_context *compile = pcre2_compile_context_create(memory);
  Code code = CODE_UNAVAILABLE;
  if (compile == NULL) {
    code = error_no_memory(err);
  } else {
    pcre2_set_parens_nest_limit(compile, 100);
    code = regex_compile_with(pattern, compile, memory, regex, err);
  }
  pcre2_compile_context_free(compile);
  pcre2_general_context_free(memory);
  if (code == CODE_OK) *ret = regex;
  return code;
}

bool regex_matches(const Regex *regex, Str subject, bool *ret_match) {
  /* Only whether it matches is asked for, so one pair is enough. The block comes from malloc's own cache for the thread. */
  pcre2_match_data *match = pcre2_match_data_create(1, NULL);
  if (match == NULL) return false;
  const char *text = subject.len == 0 ? "" : subject.ptr;
  int found = pcre2_match(regex->code, (PCRE2_SPTR)text, subject.len, 0, PCRE2_NO_UTF_CHECK, match, regex->limits);
  /* Compiled code has 32 KiB of stack; what needs more is left to the interpreter, which uses the heap. */
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
    found = pcre2_match(regex->code, (PCRE2_SPTR)text, subject.len, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match, regex->limits);
  }
  pcre2_match_data_free(match);
  if (found < 0 && found != PCRE2_ERROR_NOMATCH) return false;
  *ret_match = found >= 0;
  return true;
}
