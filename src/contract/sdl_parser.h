/* sdl_parser.h - what the parser's two halves (sdl.c, sdl_value.c) share. Every function returns false when the rest can't be
 * made sense of: the mistake is reported, and the caller skips to a place where reading can go on. */
#pragma once
#include "base/vec.h"
#include "contract/sdl.h"

typedef struct SdlParser {
  Lexer lexer;
  Token token; /* the next one */
  Arena *arena;
  Report *report;
  size_t depth;
  size_t mistakes_before; /* in the report when this source was begun */
  size_t mistakes_own;    /* the parser's: others are the lexer's */
  bool is_broken;         /* a mistake was reported */
  bool has_no_memory;
} SdlParser;

void sdl_advance(SdlParser *parser);
bool sdl_fail(SdlParser *parser, const char *expected);
bool sdl_accept(SdlParser *parser, TokenKind kind);
bool sdl_expect(SdlParser *parser, TokenKind kind, const char *expected);
bool sdl_expect_name(SdlParser *parser, const char *expected, Token *ret);
bool sdl_no_memory(SdlParser *parser);

bool sdl_parse_value(SdlParser *parser, SdlValue *ret);
bool sdl_parse_type(SdlParser *parser, SdlTypeRef *ret);
bool sdl_parse_directives(SdlParser *parser, SdlDirectives *ret);
