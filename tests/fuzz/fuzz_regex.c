/* fuzz_regex.c - any text is a regular expression or is told why not. Up to the first line feed the input is the pattern, behind it the
 * text to search. What is accepted compiles under PCRE2, which finds what its syntax says, read here in the plainest way; and what
 * PostgreSQL is told has no word of the server's own but those that are meant. */
#include <string.h>

#include "base/utf8.h"
#include "contract/regex.h"
#include "contract/regex_search.h"
#include "property.h"
#include "sql/postgres_regex.h"

enum { CHARACTERS_MAX = 63, WRITTEN_BYTES_MAX = 16 * 1024 * 1024 };

/* ---- a second opinion: from each set of places in the text to the places where the part may end ---- */

typedef struct Text {
  uint32_t characters[CHARACTERS_MAX];
  size_t count;
} Text;

static bool is_word(const Text *text, size_t at) {
  uint32_t c = at < text->count ? text->characters[at] : ' ';
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_in(const RegexClass *class, uint32_t character) {
  bool is_found = false;
  for (size_t i = 0; i < class->range_count && !is_found; i++)
    is_found = class->ranges[i].first <= character && character <= class->ranges[i].last;
  return is_found != class->is_negated;
}

/* For what takes a character: whether it takes that one. For an anchor: whether it stands there. */
static bool holds(const RegexNode *node, const Text *text, size_t at) {
  bool is_start = at == 0, is_end = at == text->count;
  bool is_edge = (!is_start && is_word(text, at - 1)) != is_word(text, at);
  switch (node->kind) {
    case REGEX_CHARACTER: return !is_end && text->characters[at] == node->character;
    case REGEX_CLASS: return !is_end && is_in(node->class, text->characters[at]);
    case REGEX_TEXT_START: return is_start;
    case REGEX_TEXT_END: return is_end;
    case REGEX_LINE_START: return is_start || text->characters[at - 1] == '\n';
    case REGEX_LINE_END: return is_end || text->characters[at] == '\n';
    case REGEX_WORD_EDGE: return is_edge;
    default: return !is_edge;
  }
}

static uint64_t ends(const RegexNode *node, const Text *text, uint64_t from);

static uint64_t ends_of_repeat(const RegexNode *node, const Text *text, uint64_t from) {
  uint64_t at = from;
  for (int i = 0; i < node->min; i++) at = ends(node->first, text, at);
  for (int i = node->min; node->max == REGEX_NO_MAX || i < node->max; i++) {
    uint64_t more = at | ends(node->first, text, at);
    if (more == at) break;
    at = more;
  }
  return at;
}

static uint64_t ends(const RegexNode *node, const Text *text, uint64_t from) {
  uint64_t at = node->kind == REGEX_SEQUENCE ? from : 0;
  switch (node->kind) {
    case REGEX_SEQUENCE:
      for (const RegexNode *part = node->first; part != NULL; part = part->next) at = ends(part, text, at);
      return at;
    case REGEX_CHOICE:
      for (const RegexNode *part = node->first; part != NULL; part = part->next) at |= ends(part, text, from);
      return at;
    case REGEX_REPEAT: return ends_of_repeat(node, text, from);
    default: break;
  }
  for (size_t i = 0; i <= text->count; i++) {
    bool takes_one = node->kind == REGEX_CHARACTER || node->kind == REGEX_CLASS;
    if (from >> i & 1 && holds(node, text, i)) at |= (uint64_t)1 << (i + takes_one);
  }
  return at;
}

/* ---- the properties ---- */

static void check_search(const Regex *regex, Str subject) {
  Text text = {0};
  bool is_match = false;
  if (!utf8_is_valid(subject)) return;
  for (size_t at = 0; at < subject.len;) {
    uint32_t character = utf8_next(subject, &at);
    if (character == 0 || text.count == CHARACTERS_MAX) return;
    text.characters[text.count++] = character;
  }
  uint64_t everywhere = text.count == CHARACTERS_MAX ? UINT64_MAX : ((uint64_t)1 << (text.count + 1)) - 1;
  if (!regex_matches(regex, subject, &is_match)) return; /* given up */
  bool is_expected = ends(regex_syntax(regex), &text, everywhere) != 0, is_found = false;
  PROPERTY(is_match == is_expected);
  if (regex_search(regex_syntax(regex), subject, &is_found)) PROPERTY(is_found == is_expected);
}

static void check_postgres(const Regex *regex, Arena *arena) {
  Buf out = buf_on(arena, WRITTEN_BYTES_MAX);
  postgres_regex_write(&out, regex_syntax(regex));
  PROPERTY(out.failed == CODE_OK && out.len > 0 && memchr(out.ptr, 0, out.len) == NULL && utf8_is_valid(buf_str(&out)));
  size_t depth = 0;
  bool is_in_class = false;
  for (size_t i = 0; i < out.len; i++) {
    char c = out.ptr[i], next = i + 1 < out.len ? out.ptr[i + 1] : '\0';
    if (c == '\\') {
      bool is_mark = (next > ' ' && next < '0') || (next > '9' && next < 'A') || (next > 'Z' && next < 'a') || (next > 'z' && next < 0x7f);
      PROPERTY(is_mark || (next != '\0' && strchr(is_in_class ? "uU" : "AZyY", next) != NULL));
      i++;
    } else if (is_in_class) {
      PROPERTY(c != '[');
      is_in_class = c != ']';
    } else if (c == '(') {
      PROPERTY(next == '?' && (out.ptr[i + 2] == ':' || (i == 0 && out.len > 4 && memcmp(out.ptr, "(?w)", 4) == 0)));
      depth++;
    } else if (c == ')') {
      PROPERTY(depth-- > 0);
    } else {
      is_in_class = c == '[';
    }
  }
  PROPERTY(depth == 0 && !is_in_class);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Str input = {(const char *)data, size};
  size_t end = str_find_byte(input, '\n', 0);
  Arena *arena = arena_create(0);
  Regex *regex = NULL;
  Error err = {0};
  Code code = regex_compile(str_slice(input, 0, end), arena, &regex, &err);
  PROPERTY((code == CODE_OK) == (regex != NULL));
  if (code == CODE_OK) {
    check_search(regex, str_slice(input, end + 1, size));
    check_postgres(regex, arena);
  } else {
    PROPERTY(code == CODE_BAD_REQUEST || code == CODE_TOO_LARGE);
    PROPERTY(err.text[0] != '\0' && utf8_is_valid(str_of(err.text)));
  }
  arena_destroy(arena);
  return 0;
}
