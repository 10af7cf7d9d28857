/* expr_syntax.c - tokens to syntax by precedence climbing. Depth and size are bounded: no source, however hostile, exhausts the stack. */
#include "contract/expr_impl.h"

typedef struct Parser {
  Lexer lexer;
  Token token; /* the next one */
  const ExprLimits *limits;
  Arena *arena;
  ExprReport *report;
  size_t depth;
  size_t node_count;
} Parser;

typedef VEC(const Syntax *) SyntaxList;

static const Syntax *parse_expression(Parser *parser);

static bool advance(Parser *parser) { return expr_lex(&parser->lexer, &parser->token); }

static const Syntax *too_deep(Parser *parser, uint32_t begin, uint32_t end) {
  expr_report(parser->report, begin, end, "", "the expression is nested more than %zu deep", parser->limits->depth_max);
  return NULL;
}

static const Syntax *unexpected(Parser *parser, const char *wanted) {
  Token token = parser->token;
  const char *hint = "";
  if (token.kind == TOKEN_NAME && str_equal(token.text, STR("and"))) hint = "write && for and";
  if (token.kind == TOKEN_NAME && str_equal(token.text, STR("or"))) hint = "write || for or";
  if (token.kind == TOKEN_NAME && str_equal(token.text, STR("not"))) hint = "write ! for not";
  if (token.kind == TOKEN_END) {
    expr_report(parser->report, token.begin, token.end, hint, "the expression ends where %s is expected", wanted);
  } else {
    Str text = str_slice(parser->lexer.source, token.begin, token.end > token.begin + 40 ? token.begin + 40 : token.end);
    expr_report(parser->report, token.begin, token.end, hint, "\"%.*s\" stands where %s is expected", STR_ARGS(text), wanted);
  }
  return NULL;
}

/* Takes the arguments' list; the depth is one more than theirs. */
static Syntax *node_create(Parser *parser, SyntaxKind kind, uint32_t begin, uint32_t end, const Syntax **args, size_t arg_count) {
  if (parser->limits->nodes_max != 0 && ++parser->node_count > parser->limits->nodes_max) {
    parser->report->is_too_large = true;
    expr_report(parser->report, begin, end, "", "the expression has more than %zu parts", parser->limits->nodes_max);
    return NULL;
  }
  Syntax *node = ARENA_NEW(parser->arena, Syntax);
  if (node == NULL) {
    parser->report->is_no_memory = true;
    return NULL;
  }
  node->kind = kind;
  node->begin = begin;
  node->end = end;
  node->args = args;
  node->arg_count = arg_count;
  for (size_t i = 0; i < arg_count; i++) {
    if (args[i]->depth > node->depth) node->depth = args[i]->depth;
  }
  if (++node->depth > parser->limits->depth_max) return (void)too_deep(parser, begin, end), NULL;
  return node;
}

static bool list_push(Parser *parser, SyntaxList *list, const Syntax *item) {
  if (VEC_PUSH(parser->arena, list, item)) return true;
  parser->report->is_no_memory = true;
  return false;
}

/* Expressions between commas up to `close`, which is taken. */
static bool parse_list(Parser *parser, TokenKind close, const char *wanted, SyntaxList *list, uint32_t *ret_end) {
  while (parser->token.kind != close) {
    const Syntax *item = parse_expression(parser);
    if (item == NULL || !list_push(parser, list, item)) return false;
    if (parser->token.kind == TOKEN_COMMA) {
      if (!advance(parser)) return false;
    } else if (parser->token.kind != close) {
      unexpected(parser, wanted);
      return false;
    }
  }
  *ret_end = parser->token.end;
  return advance(parser);
}

static const Syntax *parse_literal(Parser *parser, SyntaxKind kind) {
  Token token = parser->token;
  Syntax *node = node_create(parser, kind, token.begin, token.end, NULL, 0);
  if (node == NULL) return NULL;
  node->text = token.text;
  node->boolean = token.kind == TOKEN_TRUE;
  node->name_begin = token.begin;
  node->name_end = token.end;
  return advance(parser) ? node : NULL;
}

/* name ( … ) with the name taken; `target` is NULL or what stands before the dot. */
static const Syntax *parse_call(Parser *parser, const Token *name, const Syntax *target) {
  SyntaxList args = {0};
  if (target != NULL && !list_push(parser, &args, target)) return NULL;
  uint32_t end = 0;
  if (!advance(parser) || !parse_list(parser, TOKEN_CLOSE, "a comma or )", &args, &end)) return NULL;
  Syntax *node = node_create(parser, SYNTAX_CALL, target == NULL ? name->begin : target->begin, end, args.items, args.count);
  if (node == NULL) return NULL;
  node->has_target = target != NULL;
  node->text = name->text;
  node->name_begin = name->begin;
  node->name_end = name->end;
  return node;
}

static const Syntax *parse_name(Parser *parser) {
  Token name = parser->token;
  const Syntax *node = parse_literal(parser, SYNTAX_NAME);
  if (node == NULL || parser->token.kind != TOKEN_OPEN) return node;
  return parse_call(parser, &name, NULL);
}

static const Syntax *parse_parentheses(Parser *parser) {
  if (!advance(parser)) return NULL;
  const Syntax *inner = parse_expression(parser);
  if (inner == NULL) return NULL;
  if (parser->token.kind != TOKEN_CLOSE) return unexpected(parser, "a closing )");
  return advance(parser) ? inner : NULL;
}

static const Syntax *parse_primary(Parser *parser) {
  Token token = parser->token;
  switch (token.kind) {
    case TOKEN_NULL: return parse_literal(parser, SYNTAX_NULL);
    case TOKEN_TRUE:
    case TOKEN_FALSE: return parse_literal(parser, SYNTAX_BOOL);
    case TOKEN_INT: return parse_literal(parser, SYNTAX_INT);
    case TOKEN_FLOAT: return parse_literal(parser, SYNTAX_FLOAT);
    case TOKEN_STRING: return parse_literal(parser, SYNTAX_STRING);
    case TOKEN_BYTES: return parse_literal(parser, SYNTAX_BYTES);
    case TOKEN_NAME: return parse_name(parser);
    case TOKEN_OPEN: return parse_parentheses(parser);
    case TOKEN_OPEN_LIST: {
      SyntaxList items = {0};
      uint32_t end = 0;
      if (!advance(parser) || !parse_list(parser, TOKEN_CLOSE_LIST, "a comma or ]", &items, &end)) return NULL;
      return node_create(parser, SYNTAX_LIST, token.begin, end, items.items, items.count);
    }
    default: return unexpected(parser, "a value");
  }
}

/* primary { . name [ ( … ) ] } */
static const Syntax *parse_member(Parser *parser) {
  const Syntax *node = parse_primary(parser);
  while (node != NULL && parser->token.kind == TOKEN_DOT) {
    if (!advance(parser)) return NULL;
    Token name = parser->token;
    /* A field may be called as a keyword is. */
    bool is_name =
        name.kind == TOKEN_NAME || name.kind == TOKEN_IN || name.kind == TOKEN_TRUE || name.kind == TOKEN_FALSE || name.kind == TOKEN_NULL;
    if (!is_name) return unexpected(parser, "a field's or function's name");
    if (!advance(parser)) return NULL;
    if (parser->token.kind == TOKEN_OPEN) {
      node = parse_call(parser, &name, node);
      continue;
    }
    SyntaxList args = {0};
    if (!list_push(parser, &args, node)) return NULL;
    Syntax *member = node_create(parser, SYNTAX_MEMBER, node->begin, name.end, args.items, 1);
    if (member == NULL) return NULL;
    member->text = name.text;
    member->name_begin = name.begin;
    member->name_end = name.end;
    node = member;
  }
  return node;
}

static const Syntax *parse_unary(Parser *parser) {
  Token token = parser->token;
  if (token.kind != TOKEN_NOT && token.kind != TOKEN_MINUS) return parse_member(parser);
  if (parser->depth >= parser->limits->depth_max) return too_deep(parser, token.begin, token.end);
  if (!advance(parser)) return NULL;
  parser->depth++;
  const Syntax *operand = parse_unary(parser);
  parser->depth--;
  SyntaxList args = {0};
  if (operand == NULL || !list_push(parser, &args, operand)) return NULL;
  return node_create(parser, token.kind == TOKEN_NOT ? SYNTAX_NOT : SYNTAX_NEGATE, token.begin, operand->end, args.items, 1);
}

/* CEL's levels, loosest first; 0: no binary operator. */
static int precedence(TokenKind kind) {
  switch (kind) {
    case TOKEN_OR: return 1;
    case TOKEN_AND: return 2;
    case TOKEN_EQ:
    case TOKEN_NE:
    case TOKEN_LT:
    case TOKEN_LE:
    case TOKEN_GT:
    case TOKEN_GE:
    case TOKEN_IN: return 3;
    case TOKEN_PLUS:
    case TOKEN_MINUS: return 4;
    case TOKEN_STAR:
    case TOKEN_SLASH:
    case TOKEN_PERCENT: return 5;
    default: return 0;
  }
}

static const Syntax *parse_binary(Parser *parser, int level) {
  const Syntax *left = parse_unary(parser);
  while (left != NULL && precedence(parser->token.kind) >= level) {
    TokenKind operator= parser->token.kind;
    SyntaxList args = {0};
    if (!list_push(parser, &args, left)) return NULL;
    /* A chain of && or || is one node, however long: it adds no depth. */
    do {
      if (!advance(parser)) return NULL;
      const Syntax *right = parse_binary(parser, precedence(operator) + 1);
      if (right == NULL || !list_push(parser, &args, right)) return NULL;
    } while ((operator== TOKEN_AND || operator== TOKEN_OR) && parser->token.kind == operator);
    Syntax *node = node_create(parser, SYNTAX_BINARY, left->begin, args.items[args.count - 1]->end, args.items, args.count);
    if (node == NULL) return NULL;
    node->token = operator;
    left = node;
  }
  return left;
}

static const Syntax *parse_condition(Parser *parser) {
  const Syntax *condition = parse_binary(parser, 1);
  if (condition == NULL || parser->token.kind != TOKEN_QUESTION) return condition;
  if (!advance(parser)) return NULL;
  const Syntax *then = parse_expression(parser);
  if (then == NULL) return NULL;
  if (parser->token.kind != TOKEN_COLON) return unexpected(parser, "the : of a condition");
  if (!advance(parser)) return NULL;
  const Syntax *otherwise = parse_expression(parser);
  SyntaxList args = {0};
  bool has_all =
      otherwise != NULL && list_push(parser, &args, condition) && list_push(parser, &args, then) && list_push(parser, &args, otherwise);
  return has_all ? node_create(parser, SYNTAX_CONDITION, condition->begin, otherwise->end, args.items, 3) : NULL;
}

static const Syntax *parse_expression(Parser *parser) {
  if (parser->depth >= parser->limits->depth_max) return too_deep(parser, parser->token.begin, parser->token.end);
  parser->depth++;
  const Syntax *node = parse_condition(parser);
  parser->depth--;
  return node;
}

const Syntax *expr_parse_syntax(Str source, const ExprLimits *limits, Arena *arena, ExprReport *report) {
  Parser parser = {.lexer = {.source = source, .arena = arena, .report = report}, .limits = limits, .arena = arena, .report = report};
  if (!advance(&parser)) return NULL;
  const Syntax *node = parse_expression(&parser);
  if (node == NULL) return NULL;
  if (parser.token.kind != TOKEN_END) return unexpected(&parser, "the end or an operator");
  return node;
}
