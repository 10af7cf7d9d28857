/* regex.c - PCRE2 behind regex.h; the only file that knows it. Its memory comes from base/arena.h's allocator, so that tests can make it
 * fail. */
#include "contract/regex.h"

#include "base/buf.h"
#include "contract/regex_search.h"
#include "contract/unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct Regex {
  pcre2_code *code;
  pcre2_match_context *limits; /* only read while matching, so shared by all threads */
  const RegexNode *syntax;
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

/* ---- in PCRE2's words ---- */

/* Of what was read, so that nothing of PCRE2's own comes through: no option at the start, no verb, no brace that a newer version takes for
 * a count. */

enum { WRITTEN_BYTES_MAX = 512 * 1024 };

static void write_node(Buf *out, const RegexNode *node);

static void write_character(Buf *out, uint32_t character) {
  bool is_plain =
      (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z');
  if (is_plain)
    buf_add_byte(out, (char)character);
  else
    buf_printf(out, "\\x{%x}", (unsigned)character);
}

static void write_categories(Buf *out, uint32_t categories) {
  for (size_t i = 0; i < UNICODE_CATEGORY_COUNT; i++) {
    if (categories >> i & 1) buf_printf(out, "\\p{%.2s}", &UNICODE_CATEGORY_NAMES[2 * i]);
  }
}

/* As PCRE2 knows them best: a search for .* need not begin anew within a line. */
static bool write_dot(Buf *out, const RegexClass *class) {
  bool is_any = class->is_negated ? class->range_count == 0 : class->ranges[0].first == 0 && class->ranges[0].last == UNICODE_MAX;
  bool is_in_line = class->is_negated && class->range_count == 1 && class->ranges[0].first == '\n' && class->ranges[0].last == '\n';
  buf_add(out, is_any ? STR("(?s:.)") : is_in_line ? STR(".") : STR(""));
  return is_any || is_in_line;
}

static void write_class(Buf *out, const RegexClass *class) {
  if (write_dot(out, class)) return;
  buf_add(out, class->is_negated ? STR("[^") : STR("["));
  for (size_t i = 0; i < class->own_count; i++) {
    write_character(out, class->own[i].first);
    if (class->own[i].last == class->own[i].first) continue;
    buf_add_byte(out, '-');
    write_character(out, class->own[i].last);
  }
  write_categories(out, class->categories);
  buf_add_byte(out, ']');
}

static void write_parts(Buf *out, const RegexNode *node, Str between) {
  for (const RegexNode *part = node->first; part != NULL; part = part->next) {
    if (part != node->first) buf_add(out, between);
    write_node(out, part);
  }
}

static void write_repeat(Buf *out, const RegexNode *node) {
  bool is_closed = node->first->kind <= REGEX_CLASS || node->first->kind == REGEX_CHOICE;
  if (!is_closed) buf_add(out, STR("(?:"));
  write_node(out, node->first);
  if (!is_closed) buf_add_byte(out, ')');
  if (node->max == REGEX_NO_MAX)
    buf_printf(out, "{%d,}", node->min);
  else
    buf_printf(out, "{%d,%d}", node->min, node->max);
}

static void write_node(Buf *out, const RegexNode *node) {
  switch (node->kind) {
    case REGEX_CHARACTER: write_character(out, node->character); break;
    case REGEX_CLASS: write_class(out, node->class); break;
    case REGEX_TEXT_START: buf_add(out, STR("\\A")); break;
    case REGEX_TEXT_END: buf_add(out, STR("\\z")); break;
    case REGEX_LINE_START: buf_add(out, STR("(?m:^)")); break;
    case REGEX_LINE_END: buf_add(out, STR("(?m:$)")); break;
    case REGEX_WORD_EDGE: buf_add(out, STR("\\b")); break;
    case REGEX_NO_WORD_EDGE: buf_add(out, STR("\\B")); break;
    case REGEX_REPEAT: write_repeat(out, node); break;
    case REGEX_SEQUENCE: write_parts(out, node, (Str){0}); break;
    case REGEX_CHOICE:
      buf_add(out, STR("(?:"));
      write_parts(out, node, STR("|"));
      buf_add_byte(out, ')');
      break;
  }
}

/* ---- compiling ---- */

static Code compile_error(int number, Error *err) {
  if (number == PCRE2_ERROR_HEAP_FAILED) return error_no_memory(err);
  PCRE2_UCHAR text[160];
  if (pcre2_get_error_message(number, text, sizeof text) < 0) text[0] = '\0';
  return error_set(err, CODE_BAD_REQUEST, "the regular expression can't be compiled: %s", (const char *)text);
}

static Code compile_with(Str pattern, pcre2_compile_context *compile, pcre2_general_context *memory, Regex *regex, Error *err) {
  int number = 0;
  PCRE2_SIZE offset = 0;
  /* ^ of lines stands behind the last \n, too; \b is of ASCII. */
  uint32_t options = PCRE2_UTF | PCRE2_NEVER_UCP | PCRE2_ALT_CIRCUMFLEX;
  regex->code = pcre2_compile((PCRE2_SPTR)(pattern.len == 0 ? "" : pattern.ptr), pattern.len, options, &number, &offset, compile);
  if (regex->code == NULL) return compile_error(number, err);
  regex->limits = pcre2_match_context_create(memory);
  TRY_ALLOC(regex->limits);
  pcre2_set_match_limit(regex->limits, REGEX_MATCH_STEPS_MAX);
  pcre2_set_heap_limit(regex->limits, REGEX_HEAP_KIB_MAX);
  /* Where the processor (or a hardened system) has no just-in-time code, the interpreter gives the same answers. */
  (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
  return CODE_OK;
}

static Code compile_syntax(Regex *regex, Arena *arena, Error *err) {
  Str written;
  Buf out = buf_on_heap(WRITTEN_BYTES_MAX);
  write_node(&out, regex->syntax);
  pcre2_general_context *memory = pcre2_general_context_create(regex_memory_alloc, regex_memory_free, NULL);
  pcre2_compile_context *compile = memory == NULL ? NULL : pcre2_compile_context_create(memory);
  Code code = buf_finish(&out, &written, err);
  if (code == CODE_OK && compile == NULL) code = error_no_memory(err);
  if (code == CODE_OK) {
    pcre2_set_newline(compile, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(compile, 4 * REGEX_DEPTH_MAX); /* a group is written as three at most */
    code = arena_defer(arena, regex_release, regex) ? compile_with(written, compile, memory, regex, err) : error_no_memory(err);
  }
  pcre2_compile_context_free(compile);
  pcre2_general_context_free(memory);
  buf_done(&out);
  return code;
}

Code regex_compile(Str pattern, Arena *arena, Regex **ret, Error *err) {
  if (pattern.len > REGEX_PATTERN_BYTES_MAX) {
    return error_set(err, CODE_TOO_LARGE, "a regular expression has at most %d bytes", REGEX_PATTERN_BYTES_MAX);
  }
  Regex *regex = ARENA_NEW(arena, Regex);
  TRY_ALLOC(regex);
  TRY(regex_parse(pattern, arena, &regex->syntax, err));
  TRY(regex_check_size(regex->syntax, arena, err));
  TRY(compile_syntax(regex, arena, err));
  *ret = regex;
  return CODE_OK;
}

const RegexNode *regex_syntax(const Regex *regex) { return regex->syntax; }

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
  /* Where trying one way after the other takes too long, all of them at once do not. */
  if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_HEAPLIMIT) return regex_search(regex->syntax, subject, ret_match);
  if (found < 0 && found != PCRE2_ERROR_NOMATCH) return false;
  *ret_match = found >= 0;
  return true;
}
