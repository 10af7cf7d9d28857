/* lexer.c - one token at a time; mistakes are reported here and skipped, so that the parser sees only tokens. */
#include "contract/lexer.h"

#include "base/utf8.h"
#include "contract/string_literal.h"

static bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

Lexer lexer_on(const Source *source, Arena *arena, Report *report) {
  bool has_mark = str_starts_with(source->text, STR("\xEF\xBB\xBF"));
  return (Lexer){.source = source,
                 .arena = arena,
                 .report = report,
                 .at = {.source = source, .begin = has_mark ? 3 : 0, .end = has_mark ? 3 : 0, .line = 1, .column = 1}};
}

/* Said before the report, where the two differ. `at` is not before span.begin. */
static void lexer_fault(Lexer *lexer, Span span, uint32_t at) {
  if (lexer->has_fault) return;
  lexer->fault = span_at(span, at, at);
  lexer->has_fault = true;
}

static char lexer_peek(const Lexer *lexer, uint32_t at) { return at < lexer->source->text.len ? lexer->source->text.ptr[at] : '\0'; }

/* White space, commas and comments (§2.1.2 - 2.1.7). True when a line ended among them. */
static bool lexer_skip_ignored(Lexer *lexer) {
  Str text = lexer->source->text;
  uint32_t at = lexer->at.begin, line = lexer->at.line;
  for (; at < text.len; at++) {
    char c = text.ptr[at];
    if (c == '#') {
      while (at + 1 < text.len && text.ptr[at + 1] != '\n' && text.ptr[at + 1] != '\r') at++;
    } else if (c != ' ' && c != '\t' && c != ',' && c != '\n' && c != '\r') {
      break;
    }
  }
  lexer->at = span_at(lexer->at, at, at);
  return lexer->at.line != line;
}

/* The token that ends at `end`; moves on. */
static Token lexer_take(Lexer *lexer, TokenKind kind, uint32_t end) {
  Token token = {.kind = kind, .span = lexer->at, .text = str_slice(lexer->source->text, lexer->at.begin, end)};
  token.span.end = end;
  lexer->at = span_at(lexer->at, end, end);
  return token;
}

static Token lexer_name(Lexer *lexer) {
  uint32_t end = lexer->at.begin;
  while (is_name_start(lexer_peek(lexer, end)) || is_digit(lexer_peek(lexer, end))) end++;
  Token token = lexer_take(lexer, TOKEN_NAME, end);
  if (token.text.len > CONTRACT_NAME_BYTES_MAX) {
    report_add(lexer->report, token.span, (Str){0}, "a name has at most %d characters", CONTRACT_NAME_BYTES_MAX);
    token.text = str_slice(token.text, 0, CONTRACT_NAME_BYTES_MAX);
  }
  return token;
}

static uint32_t lexer_digits(const Lexer *lexer, uint32_t at) {
  while (is_digit(lexer_peek(lexer, at))) at++;
  return at;
}

/* §2.9.1 and §2.9.2: no leading zeros, nothing that goes on like a name behind it. */
static Token lexer_number(Lexer *lexer) {
  uint32_t begin = lexer->at.begin, at = begin + (lexer_peek(lexer, begin) == '-');
  uint32_t integer = at;
  TokenKind kind = TOKEN_INT;
  bool is_good = is_digit(lexer_peek(lexer, at));
  if (!is_good) lexer_fault(lexer, lexer->at, at);
  at = lexer_digits(lexer, at);
  if (at - integer > 1 && lexer_peek(lexer, integer) == '0') {
    lexer_fault(lexer, lexer->at, integer + 1);
    is_good = false;
  }
  if (lexer_peek(lexer, at) == '.') {
    kind = TOKEN_FLOAT;
    uint32_t fraction = at + 1;
    at = lexer_digits(lexer, fraction);
    if (at == fraction) lexer_fault(lexer, lexer->at, at);
    is_good = is_good && at > fraction;
  }
  if (lexer_peek(lexer, at) == 'e' || lexer_peek(lexer, at) == 'E') {
    kind = TOKEN_FLOAT;
    at++;
    if (lexer_peek(lexer, at) == '+' || lexer_peek(lexer, at) == '-') at++;
    uint32_t exponent = at;
    at = lexer_digits(lexer, exponent);
    if (at == exponent) lexer_fault(lexer, lexer->at, at);
    is_good = is_good && at > exponent;
  }
  if (is_name_start(lexer_peek(lexer, at)) || lexer_peek(lexer, at) == '.') lexer_fault(lexer, lexer->at, at);
  while (is_name_start(lexer_peek(lexer, at)) || is_digit(lexer_peek(lexer, at)) || lexer_peek(lexer, at) == '.') {
    is_good = false;
    at++;
  }
  Token token = lexer_take(lexer, kind, at);
  if (!is_good) {
    report_add(lexer->report, token.span, (Str){0}, "\"%.*s\" is not a number", STR_ARGS(utf8_cut(token.text, 40)));
    token.text = STR("0");
  }
  return token;
}

/* The end of a quoted string that begins at the cursor; 0 when the line or the text ends first. */
static uint32_t lexer_quoted_end(const Lexer *lexer) {
  Str text = lexer->source->text;
  for (uint32_t at = lexer->at.begin + 1; at < text.len; at++) {
    char c = text.ptr[at];
    if (c == '"') return at + 1;
    if (c == '\n' || c == '\r') return 0;
    if (c == '\\' && at + 1 < text.len && text.ptr[at + 1] != '\n' && text.ptr[at + 1] != '\r') at++;
  }
  return 0;
}

static uint32_t lexer_block_end(const Lexer *lexer) {
  Str text = lexer->source->text;
  for (uint32_t at = lexer->at.begin + 3; at + 3 <= text.len; at++) {
    if (memcmp(text.ptr + at, "\"\"\"", 3) == 0) return at + 3;
    if (text.ptr[at] == '\\' && at + 4 <= text.len && memcmp(text.ptr + at, "\\\"\"\"", 4) == 0) at += 3;
  }
  return 0;
}

static void lexer_decode(Lexer *lexer, Token *token) {
  uint32_t fault = 0;
  Error err = {0};
  Code code = string_literal_decode(token->text, lexer->arena, &token->value, &fault, &err);
  if (code == CODE_OK) return;
  token->value = (Str){"", 0};
  if (code != CODE_BAD_REQUEST) {
    lexer->has_no_memory = true;
    return;
  }
  Span at = span_at(token->span, token->span.begin + fault, token->span.begin + fault + 1);
  lexer_fault(lexer, at, at.begin);
  report_add(lexer->report, at, (Str){0}, "%s", err.text);
}

/* §2.1.1: control characters are no source characters, not even inside a string. */
static void lexer_refuse_controls(Lexer *lexer, const Token *token) {
  for (size_t i = 0; i < token->text.len; i++) {
    unsigned char byte = (unsigned char)token->text.ptr[i];
    if (byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r') continue;
    uint32_t at = token->span.begin + (uint32_t)i;
    lexer_fault(lexer, token->span, at);
    report_add(lexer->report, span_at(token->span, at, at + 1), (Str){0}, "a control character (U+%04X) can't stand here", byte);
    return;
  }
}

/* A string that is not closed may be wrong before it ends: closed on another line, it tells. */
static void lexer_open_fault(Lexer *lexer, const Token *token) {
  Str closed = arena_printf(lexer->arena, "%.*s\n\"", STR_ARGS(token->text)), ignored;
  uint32_t fault = 0;
  Error err = {0};
  if (closed.ptr == NULL)
    lexer->has_no_memory = true;
  else if (string_literal_decode(closed, lexer->arena, &ignored, &fault, &err) == CODE_BAD_REQUEST && fault < token->text.len)
    lexer_fault(lexer, token->span, token->span.begin + fault);
}

static Token lexer_string(Lexer *lexer) {
  bool is_block = lexer->source->text.len - lexer->at.begin >= 3 && memcmp(lexer->source->text.ptr + lexer->at.begin, "\"\"\"", 3) == 0;
  uint32_t end = is_block ? lexer_block_end(lexer) : lexer_quoted_end(lexer);
  if (end > 0) {
    Token token = lexer_take(lexer, TOKEN_STRING, end);
    lexer_refuse_controls(lexer, &token);
    lexer_decode(lexer, &token);
    return token;
  }
  uint32_t stop = lexer->at.begin + (is_block ? 3u : 1u);
  while (stop < lexer->source->text.len && (is_block || (lexer_peek(lexer, stop) != '\n' && lexer_peek(lexer, stop) != '\r'))) stop++;
  Token token = lexer_take(lexer, TOKEN_STRING, stop);
  if (!is_block) lexer_open_fault(lexer, &token);
  lexer_fault(lexer, token.span, stop);
  Span at = token.span;
  at.end = at.begin + (is_block ? 3u : 1u);
  report_add(lexer->report, at,
             is_block ? STR("close it with \"\"\"") : STR("close it with \" on the same line, or use \"\"\" for several lines"),
             "the string is not closed");
  token.value = (Str){"", 0};
  return token;
}

/* Reports a run of what is no token, once. */
static void lexer_refuse(Lexer *lexer) {
  Str text = lexer->source->text;
  size_t at = lexer->at.begin, first = at;
  uint32_t code_point = utf8_next(text, &at);
  size_t end = at;
  while (end < text.len && ((unsigned char)text.ptr[end] >= 0x80 || (unsigned char)text.ptr[end] < 0x09)) end++;
  Span span = lexer->at;
  span.end = (uint32_t)end;
  if (code_point < 0x20 || code_point == 0x7F) {
    report_add(lexer->report, span, (Str){0}, "a control character (U+%04X) can't stand here", (unsigned)code_point);
  } else {
    report_add(lexer->report, span, (Str){0}, "unexpected character \"%.*s\"", (int)(at - first), text.ptr + first);
  }
  lexer_fault(lexer, lexer->at, (uint32_t)first);
  lexer->at = span_at(lexer->at, (uint32_t)end, (uint32_t)end);
}

static bool lexer_take_token(Lexer *lexer, Token *ret) {
  char c = lexer_peek(lexer, lexer->at.begin);
  if (is_name_start(c)) {
    *ret = lexer_name(lexer);
  } else if (is_digit(c) || c == '-') {
    *ret = lexer_number(lexer);
  } else if (c == '"') {
    *ret = lexer_string(lexer);
  } else if (c != '\0' && strchr("!$&():=@[]{|}", c) != NULL) {
    *ret = lexer_take(lexer, (TokenKind)c, lexer->at.begin + 1);
  } else if (str_starts_with(str_slice(lexer->source->text, lexer->at.begin, lexer->at.begin + 3), STR("..."))) {
    *ret = lexer_take(lexer, TOKEN_SPREAD, lexer->at.begin + 3);
  } else {
    lexer_refuse(lexer);
    return false;
  }
  return true;
}

Token lexer_next(Lexer *lexer) {
  bool is_first = lexer->at.line == 1 && lexer->at.column == 1;
  Token token = {0};
  for (;;) {
    is_first = lexer_skip_ignored(lexer) || is_first;
    bool is_end = lexer->at.begin >= lexer->source->text.len;
    if (is_end || lexer->has_no_memory || report_is_full(lexer->report)) {
      return (Token){.kind = TOKEN_END, .span = lexer->at, .is_first_on_line = true};
    }
    if (!lexer_take_token(lexer, &token)) continue;
    token.is_first_on_line = is_first;
    return token;
  }
}
