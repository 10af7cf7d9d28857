/* regex_parse.c - see regex_syntax.h. By descent: choices of sequences of repeated atoms. What RE2 does not know either is refused by its
 * name, since who writes it knows it from elsewhere. */
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "contract/regex_class.h"
#include "contract/unicode.h"

typedef struct Flags {
  bool ignores_case, dot_is_all, has_lines;
} Flags;

typedef struct Parser {
  Str text;
  size_t at;
  size_t quote_end; /* up to here each character is itself: \Q…\E */
  size_t depth;
  size_t range_count;
  Arena *arena;
  Error *err;
} Parser;

typedef struct List {
  RegexNode *first, *last;
} List;

static Code parse_choice(Parser *parser, Flags flags, const RegexNode **ret);

/* ---- what all parts need ---- */

static PRINTF_LIKE(3, 4) Code refuse(const Parser *parser, size_t at, const char *format, ...) {
  char text[160];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return error_set(parser->err, CODE_BAD_REQUEST, "the regular expression is malformed at byte %zu: %s", at, text);
}

/* NUL, which no text has, where there is none. */
static char peek(const Parser *parser, size_t ahead) {
  size_t at = parser->at + ahead;
  return at < parser->text.len ? parser->text.ptr[at] : '\0';
}

static bool is_at_end(const Parser *parser) { return parser->at >= parser->text.len; }
static bool is_next(const Parser *parser, Str text) { return str_starts_with(str_slice(parser->text, parser->at, parser->text.len), text); }

static bool take(Parser *parser, char byte) {
  if (is_at_end(parser) || parser->text.ptr[parser->at] != byte) return false;
  parser->at++;
  return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static Code take_character(Parser *parser, uint32_t *ret) {
  size_t begin = parser->at;
  uint32_t character = utf8_next(parser->text, &parser->at);
  if (character == UINT32_MAX) return refuse(parser, begin, "it is not UTF-8");
  if (character == 0) return refuse(parser, begin, "no text has NUL");
  *ret = character;
  return CODE_OK;
}

static RegexNode *node_of(Parser *parser, RegexKind kind) {
  RegexNode *node = ARENA_NEW(parser->arena, RegexNode);
  if (node != NULL) node->kind = kind;
  return node;
}

static void list_add(List *list, RegexNode *node) {
  if (list->last == NULL)
    list->first = node;
  else
    list->last->next = node;
  list->last = node;
}

/* What it is of, where that is one. */
static Code list_close(Parser *parser, const List *list, RegexKind kind, const RegexNode **ret) {
  if (list->first != NULL && list->first == list->last) {
    *ret = list->first;
    return CODE_OK;
  }
  RegexNode *node = node_of(parser, kind);
  if (node == NULL) return error_no_memory(parser->err);
  node->first = list->first;
  *ret = node;
  return CODE_OK;
}

/* ---- characters and classes ---- */

static RegexClassBuilder class_on(const Parser *parser, Flags flags) {
  return (RegexClassBuilder){.arena = parser->arena, .ignores_case = flags.ignores_case};
}

static Code close_class(Parser *parser, size_t begin, RegexClassBuilder *builder, RegexNode **ret) {
  const RegexClass *class = regex_class_finish(builder);
  RegexNode *node = node_of(parser, REGEX_CLASS);
  if (class == NULL || node == NULL) return error_no_memory(parser->err);
  if (regex_class_is_empty(class)) return refuse(parser, begin, "no character is in the class");
  parser->range_count += class->range_count;
  if (parser->range_count > REGEX_RANGES_MAX) return refuse(parser, begin, "its classes have more than %d ranges", REGEX_RANGES_MAX);
  node->class = class;
  *ret = node;
  return CODE_OK;
}

static Code character_node(Parser *parser, size_t begin, uint32_t character, Flags flags, RegexNode **ret) {
  RegexClassBuilder builder = class_on(parser, flags);
  if (character == 0) return refuse(parser, begin, "no text has NUL");
  regex_class_add(&builder, character, character);
  if (builder.ranges.count > 1 || builder.failed) return close_class(parser, begin, &builder, ret);
  RegexNode *node = node_of(parser, REGEX_CHARACTER);
  if (node == NULL) return error_no_memory(parser->err);
  node->character = character;
  *ret = node;
  return CODE_OK;
}

static int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind \x: two digits, or any number of them in braces. */
static Code take_hex(Parser *parser, size_t begin, uint32_t *ret) {
  bool is_braced = take(parser, '{');
  uint32_t value = 0;
  size_t count = 0;
  for (; (is_braced || count < 2) && hex_value(peek(parser, 0)) >= 0; count++, parser->at++) {
    value = value > UNICODE_MAX ? value : value * 16 + (uint32_t)hex_value(peek(parser, 0));
  }
  if (is_braced ? count == 0 || !take(parser, '}') : count < 2)
    return refuse(parser, begin, "\\x has two hexadecimal digits, or some in braces");
  bool is_surrogate = value >= UNICODE_SURROGATE_FIRST && value <= UNICODE_SURROGATE_LAST;
  if (value > UNICODE_MAX || is_surrogate) return refuse(parser, begin, "there is no such character");
  *ret = value;
  return CODE_OK;
}

static Code refuse_escape(const Parser *parser, size_t begin, char letter) {
  if ((letter >= '1' && letter <= '9') || letter == 'g' || letter == 'k') return refuse(parser, begin, "back-references are not supported");
  switch (letter) {
    case '\0': return refuse(parser, begin, "nothing stands behind the backslash");
    case '0': return refuse(parser, begin, "octal escapes are not supported; write \\x");
    case 'Z': return refuse(parser, begin, "\\Z is not supported; write \\z");
    case 'b': return refuse(parser, begin, "\\b is no character; write \\x08");
    case 'u': return refuse(parser, begin, "\\u is not supported; write \\x{…}");
    default: break;
  }
  uint32_t character = 0;
  size_t at = begin + 1;
  character = utf8_next(parser->text, &at);
  if (character == UINT32_MAX) return refuse(parser, begin, "it is not UTF-8");
  return refuse(parser, begin, "\\%.*s is not supported", (int)(at - begin - 1), parser->text.ptr + begin + 1);
}

/* An escape that stands for one character; the backslash is taken. */
static Code take_escaped(Parser *parser, size_t begin, uint32_t *ret) {
  static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
  char letter = peek(parser, 0);
  const char *found = letter == '\0' ? NULL : strchr(letters, letter);
  if (letter == 'x') {
    parser->at++;
    return take_hex(parser, begin, ret);
  }
  bool is_mark = letter > ' ' && letter < 0x7f && !is_letter(letter) && !is_digit(letter);
  if (found == NULL && !is_mark && letter != ' ') return refuse_escape(parser, begin, letter);
  parser->at++;
  *ret = (unsigned char)(found != NULL ? values[found - letters] : letter);
  return CODE_OK;
}

/* \pL, \p{Lu}, \P{Lu}, \p{^Lu}: the letter is next. */
static Code take_category(Parser *parser, size_t begin, RegexClassBuilder *builder) {
  bool is_negated = peek(parser, 0) == 'P';
  Str name = str_slice(parser->text, parser->at + 1, parser->at + 2);
  parser->at += 1 + name.len;
  if (str_equal(name, STR("{"))) {
    size_t end = str_find_byte(parser->text, '}', parser->at);
    if (end == parser->text.len) return refuse(parser, begin, "the property has no closing brace");
    name = str_slice(parser->text, parser->at, end);
    parser->at = end + 1;
  }
  if (name.len > 0 && name.ptr[0] == '^') {
    is_negated = !is_negated;
    name = str_slice(name, 1, name.len);
  }
  uint32_t categories = regex_categories_named(name);
  Str shown = utf8_is_valid(name) ? utf8_cut(name, 40) : (Str){0};
  if (categories == 0) return refuse(parser, begin, "there is no general category \"%.*s\"; scripts are not supported", STR_ARGS(shown));
  regex_class_add_categories(builder, categories, is_negated);
  return CODE_OK;
}

/* \d, \p and their like; *ret_is_set where it was one. At the backslash. */
static Code take_set_escape(Parser *parser, RegexClassBuilder *builder, bool *ret_is_set) {
  size_t begin = parser->at;
  char letter = peek(parser, 1);
  *ret_is_set = true;
  switch (letter) {
    case 'd':
    case 's':
    case 'w': regex_class_add_shorthand(builder, letter, false); break;
    case 'D':
    case 'S':
    case 'W': regex_class_add_shorthand(builder, (char)(letter - 'A' + 'a'), true); break;
    case 'p':
    case 'P': parser->at++; return take_category(parser, begin, builder);
    default: *ret_is_set = false; return CODE_OK;
  }
  parser->at += 2;
  return CODE_OK;
}

/* [:alpha:] within a class; without its end the bracket is a character. */
static Code take_posix(Parser *parser, RegexClassBuilder *builder, bool *ret_is_set) {
  size_t begin = parser->at, end = begin + 2;
  *ret_is_set = false;
  if (!is_next(parser, STR("[:"))) return CODE_OK;
  while (end < parser->text.len && !str_starts_with(str_slice(parser->text, end, parser->text.len), STR(":]"))) end++;
  if (end >= parser->text.len) return CODE_OK;
  Str name = str_slice(parser->text, begin + 2, end);
  bool is_negated = name.len > 0 && name.ptr[0] == '^';
  if (is_negated) name = str_slice(name, 1, name.len);
  if (!regex_class_add_posix(builder, name, is_negated)) return refuse(parser, begin, "there is no such class of POSIX's");
  parser->at = end + 2;
  *ret_is_set = true;
  return CODE_OK;
}

static Code take_set(Parser *parser, RegexClassBuilder *builder, bool *ret_is_set) {
  return peek(parser, 0) == '\\' ? take_set_escape(parser, builder, ret_is_set) : take_posix(parser, builder, ret_is_set);
}

static Code take_class_character(Parser *parser, uint32_t *ret) {
  size_t begin = parser->at;
  return take(parser, '\\') ? take_escaped(parser, begin, ret) : take_character(parser, ret);
}

static Code take_class_item(Parser *parser, RegexClassBuilder *builder) {
  bool is_set = false;
  size_t begin = parser->at;
  TRY(take_set(parser, builder, &is_set));
  if (is_set) return CODE_OK;
  uint32_t first = 0, last = 0;
  TRY(take_class_character(parser, &first));
  last = first;
  if (peek(parser, 0) == '-' && peek(parser, 1) != ']' && peek(parser, 1) != '\0') {
    parser->at++;
    size_t end = parser->at;
    RegexClassBuilder unused = {.arena = builder->arena};
    TRY(take_set(parser, &unused, &is_set));
    if (is_set) return refuse(parser, end, "a range ends with a character");
    TRY(take_class_character(parser, &last));
  }
  if (last < first) return refuse(parser, begin, "the range is out of order");
  regex_class_add(builder, first, last);
  return CODE_OK;
}

/* At the bracket. A ] that comes first is a character. */
static Code parse_class(Parser *parser, Flags flags, RegexNode **ret) {
  size_t begin = parser->at++;
  RegexClassBuilder builder = class_on(parser, flags);
  builder.is_negated = take(parser, '^');
  for (bool is_first = true; is_first || peek(parser, 0) != ']'; is_first = false) {
    if (is_at_end(parser)) return refuse(parser, begin, "the class has no closing bracket");
    TRY(take_class_item(parser, &builder));
  }
  parser->at++;
  return close_class(parser, begin, &builder, ret);
}

static Code parse_dot(Parser *parser, Flags flags, RegexNode **ret) {
  RegexClassBuilder builder = class_on(parser, (Flags){0});
  size_t begin = parser->at++;
  builder.is_negated = !flags.dot_is_all;
  if (flags.dot_is_all)
    regex_class_add(&builder, 0, UNICODE_MAX);
  else
    regex_class_add(&builder, '\n', '\n');
  return close_class(parser, begin, &builder, ret);
}

/* ---- atoms ---- */

static Code anchor_node(Parser *parser, size_t bytes, RegexKind kind, RegexNode **ret) {
  parser->at += bytes;
  *ret = node_of(parser, kind);
  return *ret == NULL ? error_no_memory(parser->err) : CODE_OK;
}

static void begin_quote(Parser *parser) {
  parser->at += 2;
  parser->quote_end = parser->at;
  while (parser->quote_end < parser->text.len && !str_starts_with(str_slice(parser->text, parser->quote_end, parser->text.len), STR("\\E")))
    parser->quote_end++;
}

/* At the backslash. */
static Code parse_escape(Parser *parser, Flags flags, RegexNode **ret) {
  size_t begin = parser->at;
  uint32_t character = 0;
  bool is_set = false;
  switch (peek(parser, 1)) {
    case 'A': return anchor_node(parser, 2, REGEX_TEXT_START, ret);
    case 'z': return anchor_node(parser, 2, REGEX_TEXT_END, ret);
    case 'b': return anchor_node(parser, 2, REGEX_WORD_EDGE, ret);
    case 'B': return anchor_node(parser, 2, REGEX_NO_WORD_EDGE, ret);
    case 'Q': begin_quote(parser); return CODE_OK;
    default: break;
  }
  RegexClassBuilder builder = class_on(parser, flags);
  TRY(take_set_escape(parser, &builder, &is_set));
  if (is_set) return close_class(parser, begin, &builder, ret);
  parser->at++;
  TRY(take_escaped(parser, begin, &character));
  return character_node(parser, begin, character, flags, ret);
}

static Code refuse_group(const Parser *parser, size_t begin) {
  static const struct {
    Str begin;
    const char *what;
  } groups[] = {{STR_INIT("="), "look-ahead is"},        {STR_INIT("!"), "look-ahead is"},     {STR_INIT("<="), "look-behind is"},
                {STR_INIT("<!"), "look-behind is"},      {STR_INIT(">"), "atomic groups are"}, {STR_INIT("|"), "branch reset is"},
                {STR_INIT("#"), "comments are"},         {STR_INIT("("), "conditions are"},    {STR_INIT("R"), "recursion is"},
                {STR_INIT("&"), "recursion is"},         {STR_INIT("P>"), "recursion is"},     {STR_INIT("+"), "recursion is"},
                {STR_INIT("P="), "back-references are"}, {STR_INIT("C"), "callouts are"}};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    if (is_next(parser, groups[i].begin)) return refuse(parser, begin, "%s not supported", groups[i].what);
  }
  return refuse(parser, begin, "there is no such group");
}

static Code take_name(Parser *parser, size_t begin) {
  size_t from = parser->at;
  while (is_letter(peek(parser, 0)) || peek(parser, 0) == '_' || (parser->at > from && is_digit(peek(parser, 0)))) parser->at++;
  if (parser->at == from || !take(parser, '>')) return refuse(parser, begin, "the group's name is malformed");
  return CODE_OK;
}

/* (?im-s) or (?im-s:…): up to the parenthesis or the colon, which is left. */
static Code take_flags(Parser *parser, size_t begin, Flags *flags) {
  bool is_on = true, has_any = peek(parser, 0) == ':';
  bool is_number = is_digit(peek(parser, 0)) || (peek(parser, 0) == '-' && is_digit(peek(parser, 1)));
  if (is_number) return refuse(parser, begin, "recursion is not supported");
  for (char letter = peek(parser, 0); letter != ')' && letter != ':'; letter = peek(parser, 0)) {
    bool is_first = parser->at == begin + 2;
    switch (letter) {
      case 'i': flags->ignores_case = is_on; break;
      case 's': flags->dot_is_all = is_on; break;
      case 'm': flags->has_lines = is_on; break;
      case 'U': break; /* says only how much is matched */
      case 'x':
      case 'n':
      case 'J': return refuse(parser, begin, "the flag %c is not supported", letter);
      default:
        if (letter != '-' || !is_on) return is_first ? refuse_group(parser, begin) : refuse(parser, begin, "there is no such flag");
    }
    has_any = letter != '-';
    is_on = is_on && letter != '-';
    parser->at++;
  }
  return has_any ? CODE_OK : refuse(parser, begin, "there is no such group");
}

/* At the parenthesis. *ret stays NULL where the group is of flags alone. */
static Code parse_group(Parser *parser, Flags *flags, const RegexNode **ret) {
  size_t begin = parser->at++;
  Flags inner = *flags;
  if (peek(parser, 0) == '*') return refuse(parser, begin, "verbs (*…) are not supported");
  if (take(parser, '?')) {
    bool is_named = is_next(parser, STR("P<")) || (is_next(parser, STR("<")) && peek(parser, 1) != '=' && peek(parser, 1) != '!');
    if (is_named) {
      parser->at += peek(parser, 0) == 'P' ? 2 : 1;
      TRY(take_name(parser, begin));
    } else {
      TRY(take_flags(parser, begin, &inner));
      if (take(parser, ')')) {
        *flags = inner;
        return CODE_OK;
      }
      parser->at++;
    }
  }
  if (++parser->depth > REGEX_DEPTH_MAX) return refuse(parser, begin, "groups are nested more than %d deep", REGEX_DEPTH_MAX);
  TRY(parse_choice(parser, inner, ret));
  parser->depth--;
  return take(parser, ')') ? CODE_OK : refuse(parser, parser->at, "missing closing parenthesis");
}

static Code parse_quoted(Parser *parser, Flags flags, RegexNode **ret) {
  size_t begin = parser->at;
  uint32_t character = 0;
  TRY(take_character(parser, &character));
  return character_node(parser, begin, character, flags, ret);
}

/* A { that begins no count is a character; {,2} is a count to some and none to others. */
static Code parse_brace(Parser *parser, Flags flags, RegexNode **ret) {
  size_t begin = parser->at, end = begin + 1;
  while (end < parser->text.len && (is_digit(parser->text.ptr[end]) || parser->text.ptr[end] == ',' || parser->text.ptr[end] == ' ')) end++;
  if (end > begin + 1 && end < parser->text.len && parser->text.ptr[end] == '}')
    return refuse(parser, begin, "a count is {n}, {n,} or {n,m}; as a character write \\{");
  return parse_quoted(parser, flags, ret);
}

static bool is_count(const Parser *parser) {
  size_t ahead = 1;
  if (peek(parser, 0) != '{' || !is_digit(peek(parser, 1)) || (peek(parser, 1) == '0' && is_digit(peek(parser, 2)))) return false;
  while (is_digit(peek(parser, ahead))) ahead++;
  if (peek(parser, ahead) == ',') ahead++;
  while (is_digit(peek(parser, ahead))) ahead++;
  return peek(parser, ahead) == '}';
}

static bool is_quantifier(const Parser *parser) {
  char c = peek(parser, 0);
  return c == '*' || c == '+' || c == '?' || is_count(parser);
}

/* NULL where nothing is there that could be repeated. */
static Code parse_atom(Parser *parser, Flags *flags, const RegexNode **ret) {
  RegexNode *made = NULL;
  bool is_quoted = parser->at < parser->quote_end;
  if (!is_quoted && is_quantifier(parser)) return refuse(parser, parser->at, "there is nothing to repeat");
  if (!is_quoted && peek(parser, 0) == '(') return parse_group(parser, flags, ret);
  switch (is_quoted ? '\0' : peek(parser, 0)) {
    case '[': TRY(parse_class(parser, *flags, &made)); break;
    case '\\': TRY(parse_escape(parser, *flags, &made)); break;
    case '.': TRY(parse_dot(parser, *flags, &made)); break;
    case '{': TRY(parse_brace(parser, *flags, &made)); break;
    case '^': TRY(anchor_node(parser, 1, flags->has_lines ? REGEX_LINE_START : REGEX_TEXT_START, &made)); break;
    case '$': TRY(anchor_node(parser, 1, flags->has_lines ? REGEX_LINE_END : REGEX_TEXT_END, &made)); break;
    default: TRY(parse_quoted(parser, *flags, &made));
  }
  *ret = made;
  return CODE_OK;
}

/* ---- repetition ---- */

static Code take_number(Parser *parser, size_t begin, int *ret) {
  int number = 0;
  for (; is_digit(peek(parser, 0)); parser->at++) number = number > REGEX_COUNT_MAX ? number : number * 10 + (peek(parser, 0) - '0');
  if (number > REGEX_COUNT_MAX) return refuse(parser, begin, "a count is at most %d", REGEX_COUNT_MAX);
  *ret = number;
  return CODE_OK;
}

static Code take_quantifier(Parser *parser, int *ret_min, int *ret_max) {
  size_t begin = parser->at;
  char c = parser->text.ptr[parser->at++];
  *ret_min = c == '+' ? 1 : 0;
  *ret_max = c == '?' ? 1 : REGEX_NO_MAX;
  if (c != '{') return CODE_OK;
  TRY(take_number(parser, begin, ret_min));
  *ret_max = *ret_min;
  if (take(parser, ',')) {
    *ret_max = REGEX_NO_MAX;
    if (is_digit(peek(parser, 0))) TRY(take_number(parser, begin, ret_max));
  }
  parser->at++; /* the brace: is_count has seen it */
  return *ret_max != REGEX_NO_MAX && *ret_max < *ret_min ? refuse(parser, begin, "the counts are out of order") : CODE_OK;
}

static bool is_anchor(const RegexNode *node) { return node->kind >= REGEX_TEXT_START && node->kind <= REGEX_NO_WORD_EDGE; }

/* The empty text alone, however often. */
static bool is_empty(const RegexNode *node) {
  if (node->kind == REGEX_REPEAT && node->max == 0) return true;
  if (node->kind < REGEX_REPEAT) return false;
  for (const RegexNode *part = node->first; part != NULL; part = part->next) {
    if (!is_empty(part)) return false;
  }
  return true;
}

/* An atom with what repeats it. What is empty is left out, lest it be made a thousand times. */
static Code parse_term(Parser *parser, Flags *flags, List *terms) {
  const RegexNode *atom = NULL;
  bool is_group = peek(parser, 0) == '(' && parser->at >= parser->quote_end;
  TRY(parse_atom(parser, flags, &atom));
  bool is_quoted = parser->at < parser->quote_end;
  if (parser->quote_end > 0 && parser->at == parser->quote_end) {
    parser->at += is_next(parser, STR("\\E")) ? 2 : 0;
    parser->quote_end = 0;
  }
  if (atom == NULL) return CODE_OK;
  RegexNode *node = (RegexNode *)atom; /* just made, and nobody else's yet */
  size_t begin = parser->at;
  if (!is_quoted && is_quantifier(parser)) {
    if (is_anchor(atom) && !is_group) return refuse(parser, begin, "an anchor can't be repeated");
    node = node_of(parser, REGEX_REPEAT);
    if (node == NULL) return error_no_memory(parser->err);
    node->first = atom;
    TRY(take_quantifier(parser, &node->min, &node->max));
    take(parser, '?'); /* as little as matches matches, too */
    if (peek(parser, 0) == '+') return refuse(parser, begin, "possessive quantifiers are not supported");
    if (is_quantifier(parser)) return refuse(parser, parser->at, "there is nothing to repeat");
  }
  if (!is_empty(node)) list_add(terms, node);
  return CODE_OK;
}

static Code parse_sequence(Parser *parser, Flags *flags, const RegexNode **ret) {
  List terms = {0};
  while (!is_at_end(parser) && (parser->at < parser->quote_end || (peek(parser, 0) != '|' && peek(parser, 0) != ')')))
    TRY(parse_term(parser, flags, &terms));
  return list_close(parser, &terms, REGEX_SEQUENCE, ret);
}

/* Flags that are set within it hold up to its end, in the branches that follow, too. */
static Code parse_choice(Parser *parser, Flags flags, const RegexNode **ret) {
  List branches = {0};
  do {
    const RegexNode *branch = NULL;
    TRY(parse_sequence(parser, &flags, &branch));
    list_add(&branches, (RegexNode *)branch); /* just made */
  } while (take(parser, '|'));
  return list_close(parser, &branches, REGEX_CHOICE, ret);
}

Code regex_parse(Str pattern, Arena *arena, const RegexNode **ret, Error *err) {
  Parser parser = {.text = pattern, .arena = arena, .err = err};
  const RegexNode *node = NULL;
  TRY(parse_choice(&parser, (Flags){0}, &node));
  if (!is_at_end(&parser)) return refuse(&parser, parser.at, "unmatched closing parenthesis");
  *ret = node;
  return CODE_OK;
}
