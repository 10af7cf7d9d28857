/* sdl.c - definitions, and going on after a mistake: at the next field that begins a line, or the next definition that does. */
#include "contract/sdl_parser.h"
#include "base/utf8.h"

void sdl_advance(SdlParser *parser) {
  parser->token = lexer_next(&parser->lexer);
  if (parser->lexer.has_no_memory) parser->has_no_memory = true;
}

bool sdl_no_memory(SdlParser *parser) {
  parser->has_no_memory = true;
  return false;
}

bool sdl_fail(SdlParser *parser, const char *expected) {
  const Token *token = &parser->token;
  /* That the end comes too soon is worth saying only where nothing before explains it. */
  bool is_explained = token->kind == TOKEN_END && (parser->is_broken || parser->report->list->count > parser->mistakes_before);
  parser->is_broken = true;
  if (is_explained) return false;
  parser->mistakes_own++;
  if (token->kind == TOKEN_END)
    report_add(parser->report, token->span, (Str){0}, "expected %s, but the file ends here", expected);
  else if (token->kind == TOKEN_STRING)
    report_add(parser->report, token->span, (Str){0}, "expected %s, found a string", expected);
  else
    report_add(parser->report, token->span, (Str){0}, "expected %s, found \"%.*s\"", expected, STR_ARGS(utf8_cut(token->text, 40)));
  return false;
}

bool sdl_accept(SdlParser *parser, TokenKind kind) {
  if (parser->token.kind != kind) return false;
  sdl_advance(parser);
  return true;
}

bool sdl_expect(SdlParser *parser, TokenKind kind, const char *expected) { return sdl_accept(parser, kind) || sdl_fail(parser, expected); }

bool sdl_expect_name(SdlParser *parser, const char *expected, Token *ret) {
  if (parser->token.kind != TOKEN_NAME) return sdl_fail(parser, expected);
  *ret = parser->token;
  sdl_advance(parser);
  return true;
}

static const struct {
  Str keyword;
  SdlKind kind;
} sdl_keywords[] = {
    {STR_INIT("type"), SDL_TYPE},     {STR_INIT("enum"), SDL_ENUM_TYPE}, {STR_INIT("extend"), SDL_SCHEMA},
    {STR_INIT("schema"), SDL_SCHEMA}, {STR_INIT("input"), SDL_INPUT},    {STR_INIT("interface"), SDL_INTERFACE},
    {STR_INIT("union"), SDL_UNION},   {STR_INIT("scalar"), SDL_SCALAR},  {STR_INIT("directive"), SDL_DIRECTIVE_DEFINITION},
};
enum { SDL_KEYWORD_COUNT = sizeof sdl_keywords / sizeof sdl_keywords[0] };

static bool sdl_keyword(const Token *token, SdlKind *ret) {
  for (size_t i = 0; token->kind == TOKEN_NAME && i < SDL_KEYWORD_COUNT; i++) {
    if (!str_equal(token->text, sdl_keywords[i].keyword)) continue;
    *ret = sdl_keywords[i].kind;
    return true;
  }
  return false;
}

static Token sdl_peek(const SdlParser *parser) {
  Lexer ahead = parser->lexer;
  return lexer_next(&ahead);
}

/* A definition begins here although a body is still open: what begins in the first column with a definition's keyword, and isn't a field.
 */
static bool sdl_is_at_definition(const SdlParser *parser) {
  SdlKind kind;
  if (parser->token.span.column != 1 || !sdl_keyword(&parser->token, &kind)) return false;
  Token next = sdl_peek(parser);
  return next.kind == TOKEN_NAME || next.kind == TOKEN_AT;
}

/* To where the next definition may begin. */
static void sdl_skip_definition(SdlParser *parser) {
  SdlKind kind;
  sdl_advance(parser);
  while (parser->token.kind != TOKEN_END) {
    bool is_description = parser->token.kind == TOKEN_STRING && parser->token.span.column == 1;
    if (is_description || (parser->token.is_first_on_line && sdl_keyword(&parser->token, &kind) && sdl_peek(parser).kind != TOKEN_COLON))
      return;
    sdl_advance(parser);
  }
}

/* To the next field of a body. False when the body is left. */
static bool sdl_skip_field(SdlParser *parser) {
  while (parser->token.kind != TOKEN_END && !sdl_is_at_definition(parser)) {
    TokenKind kind = parser->token.kind;
    if (kind == TOKEN_BRACE_CLOSE) return true;
    if (parser->token.is_first_on_line && (kind == TOKEN_NAME || kind == TOKEN_STRING)) return true;
    sdl_advance(parser);
  }
  return false;
}

static Str sdl_parse_description(SdlParser *parser) {
  if (parser->token.kind != TOKEN_STRING) return (Str){0};
  Str description = parser->token.value;
  sdl_advance(parser);
  return description;
}

static bool sdl_parse_fields(SdlParser *parser, SdlKind kind, SdlDefinition *definition);
static bool sdl_parse_arguments_definition(SdlParser *parser, SdlDefinition *definition);

/* A field's own arguments mean nothing here yet: they are read, so that one clear message says so. */
static bool sdl_parse_field_arguments(SdlParser *parser, SdlField *field) {
  if (parser->token.kind != TOKEN_PAREN_OPEN) return true;
  SdlDefinition unused = {0};
  field->arguments = parser->token.span;
  return sdl_parse_arguments_definition(parser, &unused);
}

static bool sdl_parse_field(SdlParser *parser, SdlKind kind, SdlField *ret) {
  SdlField field = {.description = sdl_parse_description(parser)};
  Token name = {0};
  if (!sdl_expect_name(parser, kind == SDL_ENUM_TYPE ? "a value's name" : "a field's name", &name)) return false;
  field.name = name.text;
  field.span = name.span;
  if (kind != SDL_ENUM_TYPE) {
    if (!sdl_parse_field_arguments(parser, &field)) return false;
    if (!sdl_expect(parser, TOKEN_COLON, "\":\" and a type")) return false;
    if (!sdl_parse_type(parser, &field.type)) return false;
  }
  if (sdl_accept(parser, TOKEN_EQUALS)) {
    SdlValue value = {0};
    field.has_default = true;
    if (!sdl_parse_value(parser, &value)) return false;
  }
  if (!sdl_parse_directives(parser, &field.directives)) return false;
  *ret = field;
  return true;
}

/* { field … }; the fields that can be read are kept. */
static bool sdl_parse_fields(SdlParser *parser, SdlKind kind, SdlDefinition *definition) {
  VEC(SdlField) fields = {0};
  bool is_open = true;
  while (is_open && parser->token.kind != TOKEN_BRACE_CLOSE) {
    SdlField field = {0};
    if (parser->token.kind == TOKEN_END || sdl_is_at_definition(parser)) {
      sdl_fail(parser, "\"}\"");
      is_open = false;
    } else if (sdl_parse_field(parser, kind, &field)) {
      if (!VEC_PUSH(parser->arena, &fields, field)) return sdl_no_memory(parser);
    } else {
      definition->is_broken = true;
      is_open = !parser->has_no_memory && sdl_skip_field(parser);
    }
  }
  definition->fields = fields.items;
  definition->field_count = fields.count;
  if (!is_open) {
    definition->is_broken = true;
    return true; /* what follows is a definition, or nothing */
  }
  sdl_advance(parser);
  return true;
}

/* ( name: type … ) */
static bool sdl_parse_arguments_definition(SdlParser *parser, SdlDefinition *definition) {
  VEC(SdlField) arguments = {0};
  sdl_advance(parser);
  while (parser->token.kind != TOKEN_PAREN_CLOSE) {
    SdlField argument = {0};
    if (parser->token.kind == TOKEN_END) return sdl_fail(parser, "\")\"");
    argument.description = sdl_parse_description(parser);
    Token name = {0};
    if (!sdl_expect_name(parser, "an argument's name", &name)) return false;
    argument.name = name.text;
    argument.span = name.span;
    if (!sdl_expect(parser, TOKEN_COLON, "\":\" and a type") || !sdl_parse_type(parser, &argument.type)) return false;
    if (sdl_accept(parser, TOKEN_EQUALS)) {
      SdlValue value = {0};
      argument.has_default = true;
      if (!sdl_parse_value(parser, &value)) return false;
    }
    if (!sdl_parse_directives(parser, &argument.directives)) return false;
    if (!VEC_PUSH(parser->arena, &arguments, argument)) return sdl_no_memory(parser);
  }
  definition->fields = arguments.items;
  definition->field_count = arguments.count;
  sdl_advance(parser);
  return true;
}

/* implements A & B */
static bool sdl_parse_implements(SdlParser *parser, SdlDefinition *definition) {
  if (parser->token.kind != TOKEN_NAME || !str_equal(parser->token.text, STR("implements"))) return true;
  sdl_advance(parser);
  sdl_accept(parser, TOKEN_AMPERSAND);
  definition->implements = parser->token.span;
  do {
    Token name = {0};
    if (!sdl_expect_name(parser, "an interface's name", &name)) return false;
  } while (sdl_accept(parser, TOKEN_AMPERSAND));
  return true;
}

/* = A | B */
static bool sdl_parse_union(SdlParser *parser) {
  if (!sdl_accept(parser, TOKEN_EQUALS)) return true;
  sdl_accept(parser, TOKEN_PIPE);
  do {
    Token name = {0};
    if (!sdl_expect_name(parser, "a type's name", &name)) return false;
  } while (sdl_accept(parser, TOKEN_PIPE));
  return true;
}

/* directive @name(arguments) repeatable on A | B */
static bool sdl_parse_directive_definition(SdlParser *parser, SdlDefinition *definition) {
  Token name = {0};
  if (!sdl_expect(parser, TOKEN_AT, "\"@\"") || !sdl_expect_name(parser, "a directive's name", &name)) return false;
  definition->name = name.text;
  definition->span = name.span;
  if (parser->token.kind == TOKEN_PAREN_OPEN && !sdl_parse_arguments_definition(parser, definition)) return false;
  if (!sdl_expect_name(parser, "\"on\"", &name)) return false;
  if (str_equal(name.text, STR("repeatable"))) {
    definition->is_repeatable = true;
    if (!sdl_expect_name(parser, "\"on\"", &name)) return false;
  }
  VEC(Str) locations = {0};
  sdl_accept(parser, TOKEN_PIPE);
  do {
    if (!sdl_expect_name(parser, "a directive location", &name)) return false;
    if (!VEC_PUSH(parser->arena, &locations, name.text)) return sdl_no_memory(parser);
  } while (sdl_accept(parser, TOKEN_PIPE));
  definition->locations = locations.items;
  definition->location_count = locations.count;
  return true;
}

static bool sdl_parse_schema(SdlParser *parser, SdlDefinition *definition) {
  if (!sdl_parse_directives(parser, &definition->directives)) return false;
  if (parser->token.kind != TOKEN_BRACE_OPEN) return true;
  definition->operations = parser->token.span;
  sdl_advance(parser);
  return sdl_parse_fields(parser, SDL_SCHEMA, definition);
}

static bool sdl_parse_named(SdlParser *parser, SdlDefinition *definition) {
  Token name = {0};
  if (!sdl_expect_name(parser, definition->kind == SDL_TYPE ? "a type's name" : "a name", &name)) return false;
  definition->name = name.text;
  definition->span = name.span;
  if (!sdl_parse_implements(parser, definition) || !sdl_parse_directives(parser, &definition->directives)) return false;
  if (definition->kind == SDL_UNION) return sdl_parse_union(parser);
  bool has_body = definition->kind != SDL_SCALAR;
  if (!has_body || (definition->is_extension && parser->token.kind != TOKEN_BRACE_OPEN)) return true;
  return sdl_expect(parser, TOKEN_BRACE_OPEN, "\"{\"") && sdl_parse_fields(parser, definition->kind, definition);
}

static bool sdl_parse_definition(SdlParser *parser, SdlDefinition *definition) {
  definition->description = sdl_parse_description(parser);
  if (parser->token.kind == TOKEN_NAME && str_equal(parser->token.text, STR("extend"))) {
    definition->is_extension = true;
    sdl_advance(parser);
  }
  definition->span = parser->token.span;
  bool is_second_extend = definition->is_extension && str_equal(parser->token.text, STR("extend"));
  if (is_second_extend || !sdl_keyword(&parser->token, &definition->kind))
    return sdl_fail(parser, "a definition (type, enum, extend schema)");
  sdl_advance(parser);
  if (definition->kind == SDL_SCHEMA) return sdl_parse_schema(parser, definition);
  if (definition->kind == SDL_DIRECTIVE_DEFINITION) return sdl_parse_directive_definition(parser, definition);
  return sdl_parse_named(parser, definition);
}

Code sdl_parse(const Source *source, Arena *arena, Arena *texts, Report *report, SdlDocument *document, Error *err) {
  SdlParser parser = {.lexer = lexer_on(source, texts, report), .arena = arena, .report = report};
  parser.mistakes_before = report->list->count;
  sdl_advance(&parser);
  while (parser.token.kind != TOKEN_END) {
    SdlDefinition definition = {0};
    parser.depth = 0;
    bool is_read = sdl_parse_definition(&parser, &definition);
    if (!is_read) definition.is_broken = true;
    /* A definition whose name is known stays, so that what refers to it isn't called a mistake too. */
    bool is_kept = is_read || definition.name.len > 0;
    if (!is_kept) document->has_lost_names = true;
    if (is_kept && !VEC_PUSH(arena, document, definition)) parser.has_no_memory = true;
    if (parser.has_no_memory || report->has_no_memory) return error_no_memory(err);
    if (!is_read) sdl_skip_definition(&parser);
  }
  if (parser.is_broken || report->list->count > parser.mistakes_before) document->is_broken = true;
  if (report->list->count - parser.mistakes_before != parser.mistakes_own) document->has_lost_names = true;
  if (parser.has_no_memory || report->has_no_memory) return error_no_memory(err);
  return CODE_OK;
}
