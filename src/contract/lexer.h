/* lexer.h - GraphQL's lexical grammar (specification of October 2021, §2.1), and the later \u{…}. */
#pragma once
#include "contract/report.h"
#include "contract/source.h"

typedef enum TokenKind {
  TOKEN_END = 0,
  /* Punctuators are their own byte. */
  TOKEN_BANG = '!',
  TOKEN_DOLLAR = '$',
  TOKEN_AMPERSAND = '&',
  TOKEN_PAREN_OPEN = '(',
  TOKEN_PAREN_CLOSE = ')',
  TOKEN_SPREAD = '.',
  TOKEN_COLON = ':',
  TOKEN_EQUALS = '=',
  TOKEN_AT = '@',
  TOKEN_BRACKET_OPEN = '[',
  TOKEN_BRACKET_CLOSE = ']',
  TOKEN_BRACE_OPEN = '{',
  TOKEN_PIPE = '|',
  TOKEN_BRACE_CLOSE = '}',
  TOKEN_NAME = 256,
  TOKEN_INT,
  TOKEN_FLOAT,
  TOKEN_STRING
} TokenKind;

typedef struct Token {
  TokenKind kind;
  Span span;
  Str text;  /* as written */
  Str value; /* TOKEN_STRING: decoded */
  bool is_first_on_line;
} Token;

typedef struct Lexer {
  const Source *source; /* valid UTF-8 */
  Arena *arena;         /* for decoded strings */
  Report *report;
  Span at;    /* where the next byte is */
  Span fault; /* the very byte that the first mistake is about, which may be inside of what its report marks */
  bool has_fault;
  bool has_no_memory;
} Lexer;

enum { CONTRACT_NAME_BYTES_MAX = 128 };

/* Skips a byte order mark. */
Lexer lexer_on(const Source *source, Arena *arena, Report *report);
/* Reports what is no token and goes on behind it. TOKEN_END at the end, without memory, and when the report is full. */
Token lexer_next(Lexer *lexer);
