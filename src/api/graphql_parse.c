/* graphql_parse.c - documents by recursive descent (October 2021, §2), over the contract's lexer: the lexical grammar is the same. */

#include "api/graphql_document.h"
#include "base/utf8.h"
#include "contract/lexer.h"

/* ---- mistakes ---- */

enum { MESSAGE_BYTES_MAX = 511 };

static GraphqlMistake *add_mistake(GraphqlMistakes *mistakes, Code code, const GraphqlPlace *places, size_t count, const char *format,
                                   va_list args) {
  if (mistakes->list.count >= GRAPHQL_ERRORS_MAX) return NULL;
  GraphqlMistake mistake = {.code = code, .message = arena_vprintf(mistakes->arena, MESSAGE_BYTES_MAX, format, args)};
  for (size_t i = 0; i < count && i < GRAPHQL_PLACES_MAX; i++) mistake.places[mistake.place_count++] = places[i];
  if (mistake.message.ptr == NULL || !VEC_PUSH(mistakes->arena, &mistakes->list, mistake)) {
    mistakes->has_no_memory = true;
    return NULL;
  }
  return &mistakes->list.items[mistakes->list.count - 1];
}

GraphqlMistake *graphql_mistake(GraphqlMistakes *mistakes, Code code, const GraphqlPlace *places, size_t count, const char *format, ...) {
  va_list args;
  va_start(args, format);
  GraphqlMistake *made = add_mistake(mistakes, code, places, count, format, args);
  va_end(args);
  return made;
}

GraphqlMistake *graphql_mistake_at(GraphqlMistakes *mistakes, GraphqlPlace place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  GraphqlMistake *made = add_mistake(mistakes, CODE_BAD_REQUEST, &place, 1, format, args);
  va_end(args);
  return made;
}

void graphql_mistake_hint(GraphqlMistakes *mistakes, GraphqlMistake *mistake, Str hint) {
  if (mistake == NULL || hint.len == 0) return;
  Str whole = arena_printf(mistakes->arena, "%.*s; %.*s", STR_ARGS(mistake->message), STR_ARGS(hint));
  mistake->hint = arena_str(mistakes->arena, hint);
  if (whole.ptr == NULL || mistake->hint.ptr == NULL)
    mistakes->has_no_memory = true;
  else
    mistake->message = whole;
}

/* ---- tokens ---- */

typedef struct Parser {
  Arena *arena;
  GraphqlMistakes *mistakes;
  Source source;
  DiagnosticList diagnostics;
  Report report;
  Lexer lexer;
  Token token;
  size_t token_count, tokens_max;
  size_t depth;
  size_t alias_count;
  bool has_failed;
} Parser;

static GraphqlPlace place_of(Span span) { return (GraphqlPlace){span.line, span.column}; }

static bool no_memory(Parser *parser) {
  parser->mistakes->has_no_memory = true;
  parser->has_failed = true;
  return false;
}

/* Once something failed the rest is the end. */
static void advance(Parser *parser) {
  if (parser->has_failed) return;
  parser->token = lexer_next(&parser->lexer);
  if (parser->lexer.has_no_memory || parser->report.has_no_memory) {
    (void)no_memory(parser);
  } else if (parser->diagnostics.count > 0) {
    const Diagnostic *first = &parser->diagnostics.items[0];
    GraphqlPlace place = {first->place.line, first->place.column};
    if (parser->lexer.has_fault) place = place_of(parser->lexer.fault);
    graphql_mistake_at(parser->mistakes, place, "Syntax error: %.*s", STR_ARGS(first->message));
    parser->has_failed = true;
  } else if (parser->token.kind != TOKEN_END && ++parser->token_count > parser->tokens_max) {
    GraphqlPlace place = place_of(parser->token.span);
    graphql_mistake(parser->mistakes, CODE_TOO_LARGE, &place, 1, "The document has more than %zu tokens (--graphql-tokens-max)",
                    parser->tokens_max);
    parser->has_failed = true;
  }
  if (parser->has_failed) parser->token = (Token){.kind = TOKEN_END, .span = parser->token.span};
}

static bool fail(Parser *parser, const char *wanted) {
  if (parser->has_failed) return false;
  Str text = utf8_cut(parser->token.text, 40);
  if (parser->token.kind == TOKEN_END)
    graphql_mistake_at(parser->mistakes, place_of(parser->token.span), "Syntax error: %s is expected, but the document ends", wanted);
  else
    graphql_mistake_at(parser->mistakes, place_of(parser->token.span), "Syntax error: %s is expected, not \"%.*s\"", wanted,
                       STR_ARGS(text));
  parser->has_failed = true;
  return false;
}

static bool is_at(const Parser *parser, TokenKind kind) { return parser->token.kind == kind; }
static bool is_word(const Parser *parser, Str word) { return is_at(parser, TOKEN_NAME) && str_equal(parser->token.text, word); }

static bool accept(Parser *parser, TokenKind kind) {
  if (!is_at(parser, kind)) return false;
  advance(parser);
  return !parser->has_failed;
}

static bool expect(Parser *parser, TokenKind kind, const char *wanted) {
  if (!is_at(parser, kind)) return fail(parser, wanted);
  advance(parser);
  return !parser->has_failed;
}

static bool expect_name(Parser *parser, const char *wanted, Str *ret, GraphqlPlace *ret_place) {
  if (!is_at(parser, TOKEN_NAME)) return fail(parser, wanted);
  *ret = parser->token.text;
  *ret_place = place_of(parser->token.span);
  advance(parser);
  return !parser->has_failed;
}

/* Nesting is bounded, as is the stack. */
static bool enter(Parser *parser) {
  if (++parser->depth <= GRAPHQL_NESTING_MAX) return true;
  GraphqlPlace place = place_of(parser->token.span);
  graphql_mistake(parser->mistakes, CODE_TOO_LARGE, &place, 1, "The document is nested deeper than %d", GRAPHQL_NESTING_MAX);
  parser->has_failed = true;
  return false;
}

/* ---- values ---- */

static bool parse_value(Parser *parser, bool is_constant, GraphqlValue *ret);

static bool parse_members(Parser *parser, TokenKind close, bool is_constant, GraphqlArguments *ret) {
  VEC(GraphqlArgument) items = {0};
  while (!is_at(parser, close)) {
    GraphqlArgument item = {0};
    if (!expect_name(parser, "a name", &item.name, &item.place)) return false;
    if (!expect(parser, TOKEN_COLON, "\":\"")) return false;
    if (!parse_value(parser, is_constant, &item.value)) return false;
    if (!VEC_PUSH(parser->arena, &items, item)) return no_memory(parser);
  }
  *ret = (GraphqlArguments){items.items, items.count};
  advance(parser);
  return !parser->has_failed;
}

static bool parse_list(Parser *parser, bool is_constant, GraphqlValue *ret) {
  VEC(GraphqlValue) items = {0};
  while (!is_at(parser, TOKEN_BRACKET_CLOSE)) {
    GraphqlValue item = {0};
    if (!parse_value(parser, is_constant, &item)) return false;
    if (!VEC_PUSH(parser->arena, &items, item)) return no_memory(parser);
  }
  ret->items = items.items;
  ret->count = items.count;
  advance(parser);
  return !parser->has_failed;
}

static GraphqlValueKind word_kind(Str word) {
  if (str_equal(word, STR("true")) || str_equal(word, STR("false"))) return GRAPHQL_BOOLEAN;
  return str_equal(word, STR("null")) ? GRAPHQL_NULL : GRAPHQL_ENUM;
}

static bool parse_variable_value(Parser *parser, bool is_constant, GraphqlValue *ret) {
  GraphqlPlace ignored;
  if (is_constant) return fail(parser, "a constant value");
  advance(parser);
  ret->kind = GRAPHQL_VARIABLE;
  return expect_name(parser, "a variable's name", &ret->text, &ignored);
}

static bool parse_nested(Parser *parser, bool is_constant, GraphqlValue *ret) {
  bool is_list = is_at(parser, TOKEN_BRACKET_OPEN);
  GraphqlArguments members = {0};
  if (!enter(parser)) return false;
  advance(parser);
  ret->kind = is_list ? GRAPHQL_LIST : GRAPHQL_OBJECT;
  bool is_good = is_list ? parse_list(parser, is_constant, ret) : parse_members(parser, TOKEN_BRACE_CLOSE, is_constant, &members);
  parser->depth--;
  if (!is_list) {
    ret->members = members.items;
    ret->count = members.count;
  }
  return is_good;
}

static bool parse_value(Parser *parser, bool is_constant, GraphqlValue *ret) {
  *ret = (GraphqlValue){.place = place_of(parser->token.span), .text = parser->token.text};
  switch (parser->token.kind) {
    case TOKEN_DOLLAR: return parse_variable_value(parser, is_constant, ret);
    case TOKEN_BRACKET_OPEN:
    case TOKEN_BRACE_OPEN: return parse_nested(parser, is_constant, ret);
    case TOKEN_INT: ret->kind = GRAPHQL_INT; break;
    case TOKEN_FLOAT: ret->kind = GRAPHQL_FLOAT; break;
    case TOKEN_NAME: ret->kind = word_kind(parser->token.text); break;
    case TOKEN_STRING:
      ret->kind = GRAPHQL_STRING;
      ret->text = parser->token.value;
      break;
    default: return fail(parser, "a value");
  }
  advance(parser);
  return !parser->has_failed;
}

/* "(" name: value … ")"; an empty pair is no list of arguments. */
static bool parse_arguments(Parser *parser, bool is_constant, GraphqlArguments *ret) {
  if (!accept(parser, TOKEN_PAREN_OPEN)) return !parser->has_failed;
  if (is_at(parser, TOKEN_PAREN_CLOSE)) return fail(parser, "an argument");
  return parse_members(parser, TOKEN_PAREN_CLOSE, is_constant, ret);
}

static bool parse_directives(Parser *parser, bool is_constant, GraphqlDirectives *ret) {
  VEC(GraphqlDirective) items = {0};
  while (is_at(parser, TOKEN_AT)) {
    GraphqlDirective item = {.place = place_of(parser->token.span)};
    GraphqlPlace ignored;
    advance(parser);
    if (!expect_name(parser, "a directive's name", &item.name, &ignored)) return false;
    if (!parse_arguments(parser, is_constant, &item.arguments)) return false;
    if (!VEC_PUSH(parser->arena, &items, item)) return no_memory(parser);
  }
  *ret = (GraphqlDirectives){items.items, items.count};
  return !parser->has_failed;
}

/* ---- selections ---- */

static bool parse_selections(Parser *parser, GraphqlSelections *ret);

static bool parse_field(Parser *parser, GraphqlNode *ret) {
  if (!expect_name(parser, "a field", &ret->name, &ret->name_place)) return false;
  if (accept(parser, TOKEN_COLON)) {
    ret->alias = ret->name;
    parser->alias_count++;
    if (!expect_name(parser, "a field", &ret->name, &ret->name_place)) return false;
  }
  if (!parse_arguments(parser, false, &ret->arguments)) return false;
  if (!parse_directives(parser, false, &ret->directives)) return false;
  return is_at(parser, TOKEN_BRACE_OPEN) ? parse_selections(parser, &ret->selections) : !parser->has_failed;
}

/* Behind "...". */
static bool parse_spread(Parser *parser, GraphqlNode *ret) {
  advance(parser);
  bool is_condition = is_word(parser, STR("on"));
  if (is_at(parser, TOKEN_NAME) && !is_condition) {
    ret->kind = GRAPHQL_SPREAD;
    return expect_name(parser, "a fragment", &ret->name, &ret->name_place) && parse_directives(parser, false, &ret->directives);
  }
  ret->kind = GRAPHQL_INLINE;
  if (is_condition) {
    advance(parser);
    if (!expect_name(parser, "a type", &ret->condition, &ret->condition_place)) return false;
  }
  return parse_directives(parser, false, &ret->directives) && parse_selections(parser, &ret->selections);
}

static bool parse_selections(Parser *parser, GraphqlSelections *ret) {
  VEC(GraphqlNode) items = {0};
  ret->place = place_of(parser->token.span);
  if (!expect(parser, TOKEN_BRACE_OPEN, "\"{\"") || !enter(parser)) return false;
  do {
    GraphqlNode node = {.place = place_of(parser->token.span)};
    bool is_good = is_at(parser, TOKEN_SPREAD) ? parse_spread(parser, &node) : parse_field(parser, &node);
    if (!is_good) return false;
    if (!VEC_PUSH(parser->arena, &items, node)) return no_memory(parser);
  } while (!is_at(parser, TOKEN_BRACE_CLOSE));
  parser->depth--;
  ret->items = items.items;
  ret->count = items.count;
  advance(parser);
  return !parser->has_failed;
}

/* ---- definitions ---- */

static bool parse_type(Parser *parser, GraphqlTypeNode *ret) {
  ret->place = place_of(parser->token.span);
  while (is_at(parser, TOKEN_BRACKET_OPEN)) {
    if (ret->depth == GRAPHQL_LISTS_MAX) return fail(parser, "a type");
    ret->depth++;
    advance(parser);
  }
  if (!expect_name(parser, "a type", &ret->name, &ret->name_place)) return false;
  if (accept(parser, TOKEN_BANG)) ret->required |= 1u << ret->depth;
  for (uint32_t level = ret->depth; level-- > 0;) {
    if (!expect(parser, TOKEN_BRACKET_CLOSE, "\"]\"")) return false;
    if (accept(parser, TOKEN_BANG)) ret->required |= 1u << level;
  }
  return !parser->has_failed;
}

static bool parse_variables(Parser *parser, GraphqlOperation *operation) {
  VEC(GraphqlVariable) items = {0};
  if (!accept(parser, TOKEN_PAREN_OPEN)) return !parser->has_failed;
  do {
    GraphqlVariable item = {.place = place_of(parser->token.span)};
    if (is_at(parser, TOKEN_STRING)) advance(parser); /* its description */
    if (!expect(parser, TOKEN_DOLLAR, "\"$\"") || !expect_name(parser, "a variable's name", &item.name, &item.name_place)) return false;
    if (!expect(parser, TOKEN_COLON, "\":\"") || !parse_type(parser, &item.type)) return false;
    if (accept(parser, TOKEN_EQUALS)) {
      item.has_default = true;
      if (!parse_value(parser, true, &item.fallback)) return false;
    }
    if (!parse_directives(parser, true, &item.directives)) return false;
    if (!VEC_PUSH(parser->arena, &items, item)) return no_memory(parser);
  } while (!is_at(parser, TOKEN_PAREN_CLOSE));
  operation->variables = items.items;
  operation->variable_count = items.count;
  advance(parser);
  return !parser->has_failed;
}

static bool parse_operation(Parser *parser, GraphqlOperationKind kind, GraphqlOperation *ret) {
  *ret = (GraphqlOperation){.kind = kind, .place = place_of(parser->token.span)};
  if (is_at(parser, TOKEN_BRACE_OPEN)) return parse_selections(parser, &ret->selections);
  advance(parser);
  if (is_at(parser, TOKEN_NAME) && !expect_name(parser, "a name", &ret->name, &ret->name_place)) return false;
  return parse_variables(parser, ret) && parse_directives(parser, false, &ret->directives) && parse_selections(parser, &ret->selections);
}

static bool parse_fragment(Parser *parser, GraphqlFragment *ret) {
  *ret = (GraphqlFragment){.place = place_of(parser->token.span)};
  advance(parser);
  if (is_word(parser, STR("on"))) return fail(parser, "a fragment's name");
  if (!expect_name(parser, "a fragment's name", &ret->name, &ret->name_place)) return false;
  if (!is_word(parser, STR("on"))) return fail(parser, "\"on\"");
  advance(parser);
  return expect_name(parser, "a type", &ret->condition, &ret->condition_place) && parse_directives(parser, false, &ret->directives) &&
         parse_selections(parser, &ret->selections);
}

/* From an opening bracket to what closes it. */
static bool skip_brackets(Parser *parser) {
  size_t depth = 0;
  do {
    TokenKind kind = parser->token.kind;
    if (kind == TOKEN_END) return fail(parser, "a closing bracket");
    if (kind == TOKEN_BRACE_OPEN || kind == TOKEN_PAREN_OPEN) depth++;
    if (kind == TOKEN_BRACE_CLOSE || kind == TOKEN_PAREN_CLOSE) depth--;
    advance(parser);
  } while (depth > 0 && !parser->has_failed);
  return !parser->has_failed;
}

/* "&"? Name, and again while one of the separators follows. */
static bool skip_names(Parser *parser, TokenKind separator) {
  Str name;
  GraphqlPlace place;
  advance(parser);
  if (is_at(parser, separator)) advance(parser);
  do
    if (!expect_name(parser, "a name", &name, &place)) return false;
  while (accept(parser, separator));
  return !parser->has_failed;
}

/* What may stand between a definition's name and its end (§3). */
static bool skip_tail(Parser *parser) {
  Str name;
  GraphqlPlace place;
  while (!parser->has_failed) {
    if (accept(parser, TOKEN_AT)) {
      if (!expect_name(parser, "a directive's name", &name, &place)) return false;
    } else if (is_at(parser, TOKEN_PAREN_OPEN)) {
      if (!skip_brackets(parser)) return false;
    } else if (is_word(parser, STR("implements"))) {
      if (!skip_names(parser, TOKEN_AMPERSAND)) return false;
    } else if (is_at(parser, TOKEN_EQUALS) || is_word(parser, STR("on"))) {
      if (!skip_names(parser, TOKEN_PIPE)) return false;
    } else if (is_word(parser, STR("repeatable"))) {
      advance(parser);
    } else {
      return is_at(parser, TOKEN_BRACE_OPEN) ? skip_brackets(parser) : true;
    }
  }
  return false;
}

/* A definition of a type is no mistake of syntax, but nothing that could be executed: it is passed over. */
static bool skip_definition(Parser *parser, GraphqlPlace *ret_place, Str *ret_name) {
  static const Str words[] = {STR_INIT("scalar"), STR_INIT("type"),  STR_INIT("interface"), STR_INIT("union"),
                              STR_INIT("enum"),   STR_INIT("input"), STR_INIT("directive"), STR_INIT("schema")};
  bool is_extension = is_word(parser, STR("extend")), is_definition = false;
  *ret_place = place_of(parser->token.span);
  if (is_extension) advance(parser);
  *ret_name = parser->token.text;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) is_definition = is_definition || is_word(parser, words[i]);
  if (!is_definition) return fail(parser, is_extension ? "a definition of a type" : "an operation or a fragment");
  bool is_schema = is_word(parser, STR("schema"));
  advance(parser);
  if (is_schema) return skip_tail(parser);
  Str name;
  GraphqlPlace place;
  if (is_at(parser, TOKEN_AT)) advance(parser);
  return expect_name(parser, "a name", &name, &place) && skip_tail(parser);
}

typedef struct Definitions {
  VEC(GraphqlOperation) operations;
  VEC(GraphqlFragment) fragments;
  VEC(GraphqlPlace) others;
  VEC(Str) other_names;
} Definitions;

static bool parse_definition(Parser *parser, Definitions *all) {
  static const Str kinds[] = {STR_INIT("query"), STR_INIT("mutation"), STR_INIT("subscription")};
  /* A description may stand before a definition (September 2025, §2.2), which begins with it; a bare selection has none. */
  GraphqlPlace begin = place_of(parser->token.span);
  bool is_described = accept(parser, TOKEN_STRING);
  if (is_described && is_at(parser, TOKEN_BRACE_OPEN)) {
    graphql_mistake_at(parser->mistakes, begin, "Syntax error: a selection without \"query\" has no description");
    parser->has_failed = true;
    return false;
  }
  for (size_t i = 0; i < 3; i++) {
    if (!is_word(parser, kinds[i]) && !(i == 0 && is_at(parser, TOKEN_BRACE_OPEN))) continue;
    GraphqlOperation operation;
    if (!parse_operation(parser, (GraphqlOperationKind)i, &operation)) return false;
    operation.place = begin;
    return VEC_PUSH(parser->arena, &all->operations, operation) || no_memory(parser);
  }
  if (is_word(parser, STR("fragment"))) {
    GraphqlFragment fragment;
    if (!parse_fragment(parser, &fragment)) return false;
    fragment.place = begin;
    return VEC_PUSH(parser->arena, &all->fragments, fragment) || no_memory(parser);
  }
  GraphqlPlace place;
  Str name;
  if (!skip_definition(parser, &place, &name)) return false;
  place = begin;
  return (VEC_PUSH(parser->arena, &all->others, place) && VEC_PUSH(parser->arena, &all->other_names, name)) || no_memory(parser);
}

bool graphql_parse(Str text, const GraphqlParseLimits *limits, Arena *arena, GraphqlDocument *ret, GraphqlMistakes *mistakes) {
  if (text.len > limits->bytes_max) {
    graphql_mistake(mistakes, CODE_TOO_LARGE, NULL, 0, "The document has more than %zu bytes (--graphql-document-max)", limits->bytes_max);
    return false;
  }
  Parser *parser = ARENA_NEW(arena, Parser);
  Str copy = arena_str(arena, text);
  if (parser == NULL || copy.ptr == NULL) {
    mistakes->has_no_memory = true;
    return false;
  }
  parser->arena = arena;
  parser->mistakes = mistakes;
  parser->source = (Source){.name = STR("document"), .text = copy, .original = copy, .original_name = STR("document")};
  parser->report = (Report){.arena = arena, .list = &parser->diagnostics};
  parser->lexer = lexer_on(&parser->source, arena, &parser->report);
  parser->tokens_max = limits->tokens_max;
  Definitions all = {0};
  advance(parser);
  do
    if (!parse_definition(parser, &all)) return false;
  while (!is_at(parser, TOKEN_END));
  if (parser->has_failed) return false;
  *ret = (GraphqlDocument){.operations = all.operations.items,
                           .operation_count = all.operations.count,
                           .fragments = all.fragments.items,
                           .fragment_count = all.fragments.count,
                           .definitions = all.others.items,
                           .definition_names = all.other_names.items,
                           .definition_count = all.others.count,
                           .alias_count = parser->alias_count};
  return true;
}

const GraphqlFragment *graphql_fragment(const GraphqlDocument *document, Str name) {
  for (size_t i = 0; i < document->fragment_count; i++) {
    if (str_equal(document->fragments[i].name, name)) return &document->fragments[i];
  }
  return NULL;
}
