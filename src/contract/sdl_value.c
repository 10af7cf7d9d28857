/* sdl_value.c - values, type references and directives (§2.9, §2.11, §2.12). */
#include "contract/sdl_parser.h"

static bool sdl_enter(SdlParser *parser) {
  if (parser->depth == CONTRACT_DEPTH_MAX) {
    report_add(parser->report, parser->token.span, (Str){0}, "nested deeper than %d", CONTRACT_DEPTH_MAX);
    parser->is_broken = true;
    parser->mistakes_own++;
    return false;
  }
  parser->depth++;
  return true;
}

static bool sdl_parse_list(SdlParser *parser, SdlValue *ret) {
  VEC(SdlValue) items = {0};
  Span first = parser->token.span;
  sdl_advance(parser);
  while (parser->token.kind != TOKEN_BRACKET_CLOSE) {
    SdlValue item = {0};
    if (!sdl_parse_value(parser, &item)) return false;
    if (!VEC_PUSH(parser->arena, &items, item)) return sdl_no_memory(parser);
  }
  *ret = (SdlValue){.kind = SDL_LIST, .span = span_join(first, parser->token.span), .items = items.items, .count = items.count};
  sdl_advance(parser);
  return true;
}

/* name: value, up to `close`. */
static bool sdl_parse_arguments(SdlParser *parser, TokenKind close, const SdlArgument **ret, size_t *ret_count) {
  VEC(SdlArgument) arguments = {0};
  while (parser->token.kind != close) {
    Token name = {0};
    SdlArgument argument = {0};
    if (!sdl_expect_name(parser, "a name", &name)) return false;
    if (!sdl_expect(parser, TOKEN_COLON, "\":\"")) return false;
    if (!sdl_parse_value(parser, &argument.value)) return false;
    argument.name = name.text;
    argument.span = name.span;
    if (!VEC_PUSH(parser->arena, &arguments, argument)) return sdl_no_memory(parser);
  }
  *ret = arguments.items;
  *ret_count = arguments.count;
  return true;
}

static bool sdl_parse_object(SdlParser *parser, SdlValue *ret) {
  const SdlArgument *members = NULL;
  size_t count = 0;
  Span first = parser->token.span;
  sdl_advance(parser);
  if (!sdl_parse_arguments(parser, TOKEN_BRACE_CLOSE, &members, &count)) return false;
  *ret = (SdlValue){.kind = SDL_OBJECT, .span = span_join(first, parser->token.span), .members = members, .count = count};
  sdl_advance(parser);
  return true;
}

static SdlValueKind sdl_name_kind(Str name) {
  if (str_equal(name, STR("true")) || str_equal(name, STR("false"))) return SDL_BOOLEAN;
  return str_equal(name, STR("null")) ? SDL_NULL : SDL_ENUM;
}

static bool sdl_parse_scalar(SdlParser *parser, SdlValue *ret) {
  Token token = parser->token;
  *ret = (SdlValue){.span = token.span, .text = token.text};
  switch (token.kind) {
    case TOKEN_INT: ret->kind = SDL_INT; break;
    case TOKEN_FLOAT: ret->kind = SDL_FLOAT; break;
    case TOKEN_NAME: ret->kind = sdl_name_kind(token.text); break;
    case TOKEN_STRING:
      ret->kind = SDL_STRING;
      ret->text = token.value;
      break;
    default: return sdl_fail(parser, "a value");
  }
  sdl_advance(parser);
  return true;
}

bool sdl_parse_value(SdlParser *parser, SdlValue *ret) {
  bool is_list = parser->token.kind == TOKEN_BRACKET_OPEN, is_object = parser->token.kind == TOKEN_BRACE_OPEN;
  if (!is_list && !is_object) return sdl_parse_scalar(parser, ret);
  if (!sdl_enter(parser)) return false;
  bool is_good = is_list ? sdl_parse_list(parser, ret) : sdl_parse_object(parser, ret);
  parser->depth--;
  return is_good;
}

bool sdl_parse_type(SdlParser *parser, SdlTypeRef *ret) {
  SdlTypeRef type = {0};
  while (parser->token.kind == TOKEN_BRACKET_OPEN) {
    if (type.list_depth == CONTRACT_DEPTH_MAX) {
      report_add(parser->report, parser->token.span, (Str){0}, "nested deeper than %d", CONTRACT_DEPTH_MAX);
      parser->is_broken = true;
      parser->mistakes_own++;
      return false;
    }
    type.list_depth++;
    sdl_advance(parser);
  }
  Token name = {0};
  if (!sdl_expect_name(parser, "a type", &name)) return false;
  type.name = name.text;
  type.span = name.span;
  type.is_required = sdl_accept(parser, TOKEN_BANG);
  type.is_item_required = type.is_required && type.list_depth > 0;
  for (uint32_t i = 0; i < type.list_depth; i++) {
    if (!sdl_expect(parser, TOKEN_BRACKET_CLOSE, "\"]\"")) return false;
    type.is_required = sdl_accept(parser, TOKEN_BANG);
  }
  *ret = type;
  return true;
}

bool sdl_parse_directives(SdlParser *parser, SdlDirectives *ret) {
  VEC(SdlDirective) directives = {0};
  while (parser->token.kind == TOKEN_AT) {
    Span at = parser->token.span;
    sdl_advance(parser);
    Token name = {0};
    if (!sdl_expect_name(parser, "a directive's name", &name)) return false;
    SdlDirective directive = {.name = name.text, .span = span_join(at, name.span)};
    if (sdl_accept(parser, TOKEN_PAREN_OPEN)) {
      if (!sdl_parse_arguments(parser, TOKEN_PAREN_CLOSE, &directive.arguments, &directive.argument_count)) return false;
      sdl_advance(parser);
    }
    if (!VEC_PUSH(parser->arena, &directives, directive)) return sdl_no_memory(parser);
  }
  *ret = (SdlDirectives){directives.items, directives.count};
  return true;
}

const SdlDirective *sdl_directive(SdlDirectives directives, Str name) {
  for (size_t i = 0; i < directives.count; i++) {
    if (str_equal(directives.items[i].name, name)) return &directives.items[i];
  }
  return NULL;
}

const SdlArgument *sdl_argument(const SdlDirective *directive, Str name) {
  for (size_t i = 0; directive != NULL && i < directive->argument_count; i++) {
    if (str_equal(directive->arguments[i].name, name)) return &directive->arguments[i];
  }
  return NULL;
}
