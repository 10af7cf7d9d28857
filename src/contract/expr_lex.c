/* expr_lex.c - the rule language's tokens: CEL's literals with their escapes, names and operators. A mistake says what to write instead. */
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "contract/expr_impl.h"

/* ---- mistakes ---- */

/* A cut must not leave half a character. */
static void trim_half_character(char *text) {
  size_t len = strlen(text);
  for (size_t cut = 0; cut < 4 && len > 0 && !utf8_is_valid((Str){text, len}); cut++) text[--len] = '\0';
}

void expr_vreport(ExprReport *report, uint32_t begin, uint32_t end, const char *hint, const char *format, va_list args) {
  if (report->count >= EXPR_MISTAKES_MAX) return;
  ExprMistake *mistake = &report->items[report->count++];
  *mistake = (ExprMistake){.begin = begin, .end = end};
  (void)vsnprintf(mistake->message, sizeof mistake->message, format, args);
  (void)snprintf(mistake->hint, sizeof mistake->hint, "%s", hint);
  trim_half_character(mistake->message);
  trim_half_character(mistake->hint);
}

void expr_report(ExprReport *report, uint32_t begin, uint32_t end, const char *hint, const char *format, ...) {
  va_list args;
  va_start(args, format);
  expr_vreport(report, begin, end, hint, format, args);
  va_end(args);
}

void expr_nearest_offer(ExprNearest *nearest, Str candidate) {
  size_t max = str_distance_near(nearest->name);
  size_t distance = str_equal_ignore_case(nearest->name, candidate) ? 0 : str_distance(nearest->name, candidate, max);
  if (distance > max || (nearest->best.ptr != NULL && distance >= nearest->distance)) return;
  nearest->best = candidate;
  nearest->distance = distance;
}

void expr_nearest_hint(const ExprNearest *nearest, char hint[120]) {
  hint[0] = '\0';
  if (nearest->best.ptr != NULL)
    (void)snprintf(hint, 120, "did you mean \"%.*s\"?", (int)(nearest->best.len > 80 ? 80 : nearest->best.len), nearest->best.ptr);
}

/* ---- characters ---- */

static bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }
static char at(const Lexer *lexer, size_t ahead) {
  return lexer->at + ahead < lexer->source.len ? lexer->source.ptr[lexer->at + ahead] : '\0';
}

static int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static void skip_space(Lexer *lexer) {
  for (;;) {
    char c = at(lexer, 0);
    if (lexer->at < lexer->source.len && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f')) {
      lexer->at++;
    } else if (c == '/' && at(lexer, 1) == '/') {
      lexer->at = str_find_byte(lexer->source, '\n', lexer->at);
    } else {
      return;
    }
  }
}

static bool mistake_here(Lexer *lexer, size_t begin, const char *hint, const char *message) {
  expr_report(lexer->report, (uint32_t)begin, (uint32_t)(lexer->at > begin ? lexer->at : begin + 1), hint, "%s", message);
  return false;
}

/* ---- strings ---- */

typedef struct Quote {
  char byte;
  size_t len; /* 1 or 3 */
  bool is_raw, is_bytes;
} Quote;

/* `digits` of base 16 or 8 at the lexer's place. */
static bool read_code(Lexer *lexer, size_t digits, uint32_t base, uint32_t *ret) {
  uint32_t code = 0;
  for (size_t i = 0; i < digits; i++) {
    int digit = hex_value(at(lexer, i));
    if (digit < 0 || (uint32_t)digit >= base) return false;
    code = code * base + (uint32_t)digit;
  }
  lexer->at += digits;
  *ret = code;
  return true;
}

static bool add_code(Lexer *lexer, const Quote *quote, bool is_octet, uint32_t code, size_t begin, char *out, size_t *len) {
  if (quote->is_bytes && is_octet) {
    if (code > 0xFF) return mistake_here(lexer, begin, "", "a byte is at most \\xff");
    out[(*len)++] = (char)code;
    return true;
  }
  if (code == 0) return mistake_here(lexer, begin, "", "a string holds no NUL");
  size_t written = utf8_encode(code, out + *len);
  if (written == 0) return mistake_here(lexer, begin, "", "this is not a character");
  *len += written;
  return true;
}

/* Behind a backslash; https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values */
static bool read_escape(Lexer *lexer, const Quote *quote, char *out, size_t *len) {
  static const char simple[] = "a\ab\bf\fn\nr\rt\tv\v\\\\??\"\"''``";
  size_t begin = lexer->at - 1;
  char c = at(lexer, 0);
  for (size_t i = 0; i + 1 < sizeof simple; i += 2) {
    if (c != simple[i] || c == '\0') continue;
    lexer->at++;
    out[(*len)++] = simple[i + 1];
    return true;
  }
  uint32_t code = 0;
  size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits > 0 && !(quote->is_bytes && digits > 2)) {
    lexer->at++;
    if (read_code(lexer, digits, 16, &code)) return add_code(lexer, quote, digits == 2, code, begin, out, len);
  } else if (c >= '0' && c <= '3' && read_code(lexer, 3, 8, &code)) {
    return add_code(lexer, quote, true, code, begin, out, len);
  }
  lexer->at++;
  return mistake_here(lexer, begin, "write \\\\ for a backslash", "this is not an escape");
}

static bool is_quote_end(const Lexer *lexer, const Quote *quote) {
  for (size_t i = 0; i < quote->len; i++) {
    if (at(lexer, i) != quote->byte) return false;
  }
  return lexer->at + quote->len <= lexer->source.len;
}

/* Where the closing quote stands; source.len where there is none. */
static size_t find_quote_end(Lexer lexer, const Quote *quote) {
  while (lexer.at < lexer.source.len && !is_quote_end(&lexer, quote)) {
    char c = at(&lexer, 0);
    if (quote->len == 1 && (c == '\n' || c == '\r')) return lexer.source.len;
    lexer.at += c == '\\' && !quote->is_raw ? 2 : 1;
  }
  return lexer.at < lexer.source.len ? lexer.at : lexer.source.len;
}

static bool lex_string(Lexer *lexer, size_t begin, Quote quote, Token *ret) {
  size_t end = find_quote_end(*lexer, &quote);
  if (end >= lexer->source.len) {
    lexer->at = lexer->source.len;
    return mistake_here(lexer, begin, "", "this string does not end");
  }
  /* No escape is shorter than what it stands for. */
  char *out = (char *)arena_alloc(lexer->arena, end - lexer->at + 1);
  if (out == NULL) {
    lexer->report->is_no_memory = true;
    return false;
  }
  size_t len = 0;
  while (lexer->at < end) {
    char c = lexer->source.ptr[lexer->at++];
    if (c != '\\' || quote.is_raw)
      out[len++] = c;
    else if (!read_escape(lexer, &quote, out, &len))
      return false;
  }
  lexer->at = end + quote.len;
  *ret = (Token){quote.is_bytes ? TOKEN_BYTES : TOKEN_STRING, (uint32_t)begin, (uint32_t)lexer->at, {out, len}};
  return true;
}

/* A string may begin with r (raw), b (bytes) or both, in either case and order; false where here is none. */
static bool find_quote(const Lexer *lexer, Quote *ret, size_t *ret_prefix) {
  Quote quote = {0};
  size_t i = 0;
  for (; i < 2; i++) {
    char c = at(lexer, i);
    if ((c == 'r' || c == 'R') && !quote.is_raw)
      quote.is_raw = true;
    else if ((c == 'b' || c == 'B') && !quote.is_bytes)
      quote.is_bytes = true;
    else
      break;
  }
  quote.byte = at(lexer, i);
  if (quote.byte != '"' && quote.byte != '\'') return false;
  quote.len = at(lexer, i + 1) == quote.byte && at(lexer, i + 2) == quote.byte ? 3 : 1;
  *ret = quote;
  *ret_prefix = i;
  return true;
}

/* ---- numbers, names, operators ---- */

static bool lex_number(Lexer *lexer, size_t begin, Token *ret) {
  TokenKind kind = TOKEN_INT;
  if (at(lexer, 0) == '0' && (at(lexer, 1) == 'x' || at(lexer, 1) == 'X')) {
    lexer->at += 2;
    if (hex_value(at(lexer, 0)) < 0) return mistake_here(lexer, begin, "", "a hexadecimal number needs digits");
    while (hex_value(at(lexer, 0)) >= 0) lexer->at++;
  } else {
    while (is_digit(at(lexer, 0))) lexer->at++;
    if (at(lexer, 0) == '.' && is_digit(at(lexer, 1))) {
      kind = TOKEN_FLOAT;
      lexer->at++;
      while (is_digit(at(lexer, 0))) lexer->at++;
    }
    size_t sign = at(lexer, 1) == '+' || at(lexer, 1) == '-' ? 1 : 0;
    if ((at(lexer, 0) == 'e' || at(lexer, 0) == 'E') && is_digit(at(lexer, 1 + sign))) {
      kind = TOKEN_FLOAT;
      lexer->at += 1 + sign;
      while (is_digit(at(lexer, 0))) lexer->at++;
    }
  }
  if (is_name_part(at(lexer, 0))) {
    while (is_name_part(at(lexer, 0))) lexer->at++;
    return mistake_here(lexer, begin, "", "this is not a number");
  }
  *ret = (Token){kind, (uint32_t)begin, (uint32_t)lexer->at, str_slice(lexer->source, begin, lexer->at)};
  return true;
}

static TokenKind keyword(Str name) {
  if (str_equal(name, STR("true"))) return TOKEN_TRUE;
  if (str_equal(name, STR("false"))) return TOKEN_FALSE;
  if (str_equal(name, STR("null"))) return TOKEN_NULL;
  if (str_equal(name, STR("in"))) return TOKEN_IN;
  return TOKEN_NAME;
}

typedef struct Operator {
  const char *text;
  TokenKind kind;
} Operator;

static const Operator operators[] = {
    {"&&", TOKEN_AND},  {"||", TOKEN_OR},     {"==", TOKEN_EQ},       {"!=", TOKEN_NE},        {"<=", TOKEN_LE},   {">=", TOKEN_GE},
    {"<", TOKEN_LT},    {">", TOKEN_GT},      {"!", TOKEN_NOT},       {"+", TOKEN_PLUS},       {"-", TOKEN_MINUS}, {"*", TOKEN_STAR},
    {"/", TOKEN_SLASH}, {"%", TOKEN_PERCENT}, {"?", TOKEN_QUESTION},  {":", TOKEN_COLON},      {".", TOKEN_DOT},   {",", TOKEN_COMMA},
    {"(", TOKEN_OPEN},  {")", TOKEN_CLOSE},   {"[", TOKEN_OPEN_LIST}, {"]", TOKEN_CLOSE_LIST},
};

static bool lex_operator(Lexer *lexer, size_t begin, Token *ret) {
  Str rest = str_slice(lexer->source, begin, lexer->source.len);
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    Str text = str_of(operators[i].text);
    if (!str_starts_with(rest, text)) continue;
    lexer->at += text.len;
    *ret = (Token){operators[i].kind, (uint32_t)begin, (uint32_t)lexer->at, text};
    return true;
  }
  (void)utf8_next(lexer->source, &lexer->at);
  switch (rest.ptr[0]) {
    case '=': return mistake_here(lexer, begin, "values are compared with ==", "a single = means nothing here");
    case '&': return mistake_here(lexer, begin, "write && for and", "a single & means nothing here");
    case '|': return mistake_here(lexer, begin, "write || for or", "a single | means nothing here");
    default: return mistake_here(lexer, begin, "", "this character means nothing here");
  }
}

bool expr_lex(Lexer *lexer, Token *ret) {
  skip_space(lexer);
  size_t begin = lexer->at;
  if (begin >= lexer->source.len) {
    *ret = (Token){.kind = TOKEN_END, .begin = (uint32_t)begin, .end = (uint32_t)begin};
    return true;
  }
  Quote quote;
  size_t prefix = 0;
  if (find_quote(lexer, &quote, &prefix)) {
    lexer->at += prefix + quote.len;
    return lex_string(lexer, begin, quote, ret);
  }
  char c = at(lexer, 0);
  if (is_digit(c) || (c == '.' && is_digit(at(lexer, 1)))) return lex_number(lexer, begin, ret);
  if (is_name_start(c)) {
    while (is_name_part(at(lexer, 0))) lexer->at++;
    Str name = str_slice(lexer->source, begin, lexer->at);
    *ret = (Token){keyword(name), (uint32_t)begin, (uint32_t)lexer->at, name};
    return true;
  }
  return lex_operator(lexer, begin, ret);
}
