/* expr_check.c - syntax to a typed tree: operators, literals, and the entry expr_parse. Mistakes are collected: an operand that is wrong
 * doesn't hide the other's. */
#include "contract/expr_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/utf8.h"

const Expr *check_no_memory(Checker *checker) {
  checker->report->is_no_memory = true;
  return NULL;
}

void check_report(Checker *checker, const Syntax *syntax, const char *hint, const char *format, ...) {
  va_list args;
  va_start(args, format);
  expr_vreport(checker->report, syntax->begin, syntax->end, hint, format, args);
  va_end(args);
}

void check_report_at(Checker *checker, const Expr *expr, const char *hint, const char *format, ...) {
  va_list args;
  va_start(args, format);
  expr_vreport(checker->report, expr->begin, expr->end, hint, format, args);
  va_end(args);
}

Expr *check_new(Checker *checker, ExprKind kind, ExprType type, const Syntax *syntax) {
  Expr *expr = expr_new(checker->arena, kind, type);
  if (expr == NULL) return NULL;
  expr->begin = syntax->begin;
  expr->end = syntax->end;
  return expr;
}

const Expr *check_node(Checker *checker, ExprKind kind, ExprType type, const Syntax *syntax, const Expr *const *args, size_t count) {
  const Expr *made = expr_with_args(checker->arena, kind, type, args, count);
  if (made == NULL) return check_no_memory(checker);
  Expr *node = (Expr *)made; /* just made */
  node->begin = syntax->begin;
  node->end = syntax->end;
  return node;
}

const Expr *check_literal(Checker *checker, const Expr *place, ExprType type, Value value) {
  Expr *expr = expr_new(checker->arena, EXPR_LITERAL, type);
  if (expr == NULL) return check_no_memory(checker);
  expr->value = value;
  expr->begin = place->begin;
  expr->end = place->end;
  return expr_finish(expr);
}

/* ---- literals ---- */

static const Expr *literal_node(Checker *checker, const Syntax *syntax, ExprType type, Value value, Str text) {
  Expr *expr = check_new(checker, EXPR_LITERAL, type, syntax);
  if (expr == NULL) return check_no_memory(checker);
  expr->value = value;
  expr->name = text;
  return expr_finish(expr);
}

static const Expr *check_int(Checker *checker, const Syntax *syntax, Str digits, bool is_negative) {
  uint64_t number = 0;
  bool is_hex = digits.len > 2 && (digits.ptr[1] == 'x' || digits.ptr[1] == 'X');
  uint64_t base = is_hex ? 16 : 10, limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
  for (size_t i = is_hex ? 2 : 0; i < digits.len; i++) {
    char c = digits.ptr[i];
    uint64_t digit = (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    if (number > (limit - digit) / base) {
      check_report(checker, syntax, "", "this integer doesn't fit 64 bits");
      return NULL;
    }
    number = number * base + digit;
  }
  int64_t value = is_negative ? (number == 0 ? 0 : -(int64_t)(number - 1) - 1) : (int64_t)number;
  return literal_node(checker, syntax, EXPR_TYPE_INT, value_int(value), (Str){0});
}

/* The text is kept: beside a Decimal it is read exactly. */
static const Expr *check_float(Checker *checker, const Syntax *syntax, Str digits, bool is_negative) {
  Str text = arena_printf(checker->arena, "%s%s%.*s", is_negative ? "-" : "", digits.ptr[0] == '.' ? "0" : "", STR_ARGS(digits));
  if (text.ptr == NULL) return check_no_memory(checker);
  double number = 0;
  if (!json_number_to_double(text, &number)) {
    check_report(checker, syntax, "", "this number doesn't fit a Float");
    return NULL;
  }
  return literal_node(checker, syntax, EXPR_TYPE_FLOAT, value_float(number), text);
}

static bool is_numeric(const Expr *expr) {
  return expr->type == EXPR_TYPE_INT || expr->type == EXPR_TYPE_FLOAT || expr->type == EXPR_TYPE_DECIMAL;
}

/* The item that gives a list its type: one that isn't a literal before one that is, the widest of numbers; NULL: all are null. */
static const Expr *leading_item(const Expr *const *items, size_t count) {
  const Expr *leading = NULL;
  for (size_t i = 0; i < count; i++) {
    const Expr *item = items[i];
    if (item->type == EXPR_TYPE_NULL) continue;
    bool is_firmer = leading == NULL || (leading->kind == EXPR_LITERAL && item->kind != EXPR_LITERAL);
    bool is_wider = leading != NULL && is_numeric(leading) && is_numeric(item) &&
                    (leading->kind == EXPR_LITERAL || item->kind != EXPR_LITERAL) &&
                    (item->type == EXPR_TYPE_FLOAT || leading->type == EXPR_TYPE_INT);
    if (is_firmer || is_wider) leading = item;
  }
  return leading;
}

static const Expr *check_item(Checker *checker, const Syntax *syntax) {
  const Expr *item = check_expression(checker, syntax);
  if (item == NULL || (item->type != EXPR_TYPE_ROW && item->type != EXPR_TYPE_LIST && item->type != EXPR_TYPE_JSON)) return item;
  check_report(checker, syntax, "", "a list holds values, and this is %s", check_describe(checker, item));
  return NULL;
}

static const Expr *check_list(Checker *checker, const Syntax *syntax) {
  const Expr **items = ARENA_ARRAY(checker->arena, const Expr *, syntax->arg_count);
  if (items == NULL) return check_no_memory(checker);
  bool is_right = true;
  for (size_t i = 0; i < syntax->arg_count; i++) {
    items[i] = check_item(checker, syntax->args[i]);
    is_right = is_right && items[i] != NULL;
  }
  if (!is_right) return NULL;
  const Expr *leading = leading_item(items, syntax->arg_count);
  ExprType type = leading == NULL ? EXPR_TYPE_NULL : leading->type; /* EXPR_TYPE_NULL: any */
  /* A fraction beside Ints makes all of them Floats. */
  for (size_t i = 0; i < syntax->arg_count && type == EXPR_TYPE_INT; i++) {
    const Expr *left = leading, *right = items[i];
    if (right->type == EXPR_TYPE_FLOAT && check_unify(checker, &left, &right, "in one list")) type = left->type;
  }
  for (size_t i = 0; i < syntax->arg_count; i++) {
    const Expr *other = leading;
    if (items[i]->type == EXPR_TYPE_NULL) continue;
    if (is_numeric(items[i]))
      items[i] = check_convert(checker, items[i], type);
    else if (!check_unify(checker, &other, &items[i], "in one list"))
      return NULL;
    if (items[i] == NULL) return NULL;
  }
  const Expr *made = check_node(checker, EXPR_LIST, EXPR_TYPE_LIST, syntax, items, syntax->arg_count);
  if (made != NULL) ((Expr *)made)->item_type = type; /* just made */
  return made;
}

/* ---- operators ---- */

static const Expr *check_logic(Checker *checker, const Syntax *syntax, ExprKind kind) {
  const Expr **terms = ARENA_ARRAY(checker->arena, const Expr *, syntax->arg_count);
  if (terms == NULL) return check_no_memory(checker);
  bool is_right = true;
  for (size_t i = 0; i < syntax->arg_count; i++) {
    terms[i] = check_expression(checker, syntax->args[i]);
    if (terms[i] != NULL) terms[i] = check_boolean(checker, terms[i]);
    is_right = is_right && terms[i] != NULL;
  }
  return is_right ? check_node(checker, kind, EXPR_TYPE_BOOL, syntax, terms, syntax->arg_count) : NULL;
}

static bool check_operands(Checker *checker, const Syntax *syntax, const Expr *ret[2]) {
  const Expr *left = check_expression(checker, syntax->args[0]);
  const Expr *right = check_expression(checker, syntax->args[1]);
  if (left == NULL || right == NULL) return false;
  ret[0] = left;
  ret[1] = right;
  return true;
}

static bool is_rows(const Expr *expr) { return expr->type == EXPR_TYPE_LIST && expr->item_type == EXPR_TYPE_ROW; }

static const Expr *check_equality(Checker *checker, const Syntax *syntax, ExprKind kind) {
  const Expr *args[2];
  if (!check_operands(checker, syntax, args)) return NULL;
  bool has_null = expr_is_null_literal(args[0]) || expr_is_null_literal(args[1]);
  if (has_null && (is_rows(args[0]) || is_rows(args[1]))) {
    check_report(checker, syntax, "write size(x) == 0", "a list of rows is never null");
    return NULL;
  }
  if (!has_null && !check_unify(checker, &args[0], &args[1], "compared")) return NULL;
  return check_node(checker, kind, EXPR_TYPE_BOOL, syntax, args, 2);
}

static const Expr *check_ordering(Checker *checker, const Syntax *syntax, ExprKind kind) {
  const Expr *args[2];
  if (!check_operands(checker, syntax, args)) return NULL;
  bool has_null = expr_is_null_literal(args[0]) || expr_is_null_literal(args[1]);
  if (!has_null && !check_unify(checker, &args[0], &args[1], "compared")) return NULL;
  for (size_t i = 0; i < 2; i++) {
    ExprType type = args[i]->type;
    if (type != EXPR_TYPE_BOOL && type != EXPR_TYPE_LIST && type != EXPR_TYPE_ROW && type != EXPR_TYPE_JSON) continue;
    check_report_at(checker, args[i], "", "%s has no order", check_describe(checker, args[i]));
    return NULL;
  }
  /* By name: a literal was brought into the stored form beside its column. */
  const EnumType *type = expr_holds_stored_names(args[0])   ? args[0]->enum_type
                         : expr_holds_stored_names(args[1]) ? args[1]->enum_type
                                                            : NULL;
  for (size_t i = 0; i < 2 && type != NULL; i++) {
    if (args[i]->kind == EXPR_LITERAL && args[i]->value.type == VALUE_TEXT) {
      args[i] = check_literal(checker, args[i], EXPR_TYPE_STRING, value_text(expr_enum_name(type, args[i]->value.text)));
    } else {
      args[i] = check_plain(checker, args[i]);
    }
    if (args[i] == NULL) return NULL;
  }
  return check_node(checker, kind, EXPR_TYPE_BOOL, syntax, args, 2);
}

/* The items of a written list and the left side in one type. Where an item widens the left side (an Int beside 1.5), all are looked at
 * again. */
static const Expr *unify_items(Checker *checker, const Syntax *syntax, const Expr **left, const Expr *list) {
  const Expr **items = ARENA_ARRAY(checker->arena, const Expr *, list->arg_count);
  if (items == NULL) return check_no_memory(checker);
  for (size_t i = 0; i < list->arg_count; i++) {
    const Expr *same = *left;
    items[i] = list->args[i];
    if (expr_is_null_literal(items[i]) || expr_is_null_literal(*left)) continue;
    if (!check_unify(checker, &same, &items[i], "compared")) return NULL;
    if (same->type == (*left)->type) continue;
    *left = same;
    i = SIZE_MAX; /* from the first again: types only widen, so that this ends */
  }
  const Expr *made = check_node(checker, EXPR_LIST, EXPR_TYPE_LIST, syntax, items, list->arg_count);
  if (made != NULL) ((Expr *)made)->item_type = (*left)->type; /* just made */
  return made;
}

/* The left side in the type of a list's items, enum names checked. */
static bool unify_with_item(Checker *checker, const Expr **left, const Expr *list) {
  Expr item = {.kind = EXPR_VARIABLE, .type = list->item_type, .begin = list->begin, .end = list->end};
  const Field *field = list->kind == EXPR_PATH || list->kind == EXPR_VARIABLE ? expr_path_end(&list->path) : NULL;
  if (field != NULL && field->type == TYPE_ENUM) item.enum_type = field->enum_type;
  const Expr *same = &item;
  if (!check_unify(checker, left, &same, "compared")) return false;
  if (same == &item) return true;
  check_report_at(checker, *left, "", "%s is never an item of this list", check_describe(checker, *left));
  return false;
}

static const Expr *check_in(Checker *checker, const Syntax *syntax) {
  const Expr *args[2];
  if (!check_operands(checker, syntax, args)) return NULL;
  if (is_rows(args[1])) {
    check_report_at(checker, args[1], "write list.exists(x, x.id == …)", "a list of rows holds no values");
    return NULL;
  }
  bool is_value = args[0]->type != EXPR_TYPE_ROW && args[0]->type != EXPR_TYPE_LIST && args[0]->type != EXPR_TYPE_JSON;
  if (!is_value) {
    check_report_at(checker, args[0], "", "%s is never an item of a list", check_describe(checker, args[0]));
    return NULL;
  }
  if (args[1]->type == EXPR_TYPE_DYNAMIC) {
    if (args[0]->type == EXPR_TYPE_DYNAMIC) args[0] = check_convert(checker, args[0], EXPR_TYPE_STRING);
    if (args[0] != NULL) args[0] = check_plain(checker, args[0]);
    args[1] = check_convert(checker, args[1], EXPR_TYPE_LIST);
    if (args[0] == NULL || args[1] == NULL) return NULL;
    ((Expr *)args[1])->item_type = expr_is_null_literal(args[0]) ? EXPR_TYPE_STRING : args[0]->type; /* just made */
  }
  if (args[1]->type != EXPR_TYPE_LIST) {
    check_report_at(checker, args[1], args[1]->type == EXPR_TYPE_STRING ? "write text.contains(part)" : "",
                    "%s stands where a list is needed", check_describe(checker, args[1]));
    return NULL;
  }
  if (args[1]->kind == EXPR_LIST) {
    if (args[0]->type == EXPR_TYPE_DYNAMIC)
      args[0] = check_convert(checker, args[0], args[1]->item_type == EXPR_TYPE_NULL ? EXPR_TYPE_STRING : args[1]->item_type);
    if (args[0] != NULL) args[1] = unify_items(checker, syntax->args[1], &args[0], args[1]);
  } else if (!expr_is_null_literal(args[0])) {
    args[0] = check_plain(checker, args[0]);
    if (args[0] != NULL && !unify_with_item(checker, &args[0], args[1])) return NULL;
  }
  if (args[0] == NULL || args[1] == NULL) return NULL;
  return check_node(checker, EXPR_IN, EXPR_TYPE_BOOL, syntax, args, 2);
}

/* What the operator gives for operands of these types; EXPR_TYPE_NULL: it has none. */
static ExprType arithmetic_type(ExprKind kind, ExprType left, ExprType right) {
  bool is_sum = kind == EXPR_ADD || kind == EXPR_SUB;
  if (left == right && left == EXPR_TYPE_INT) return left;
  if (left == right && left == EXPR_TYPE_FLOAT) return kind == EXPR_MOD ? EXPR_TYPE_NULL : left;
  if (left == right && left == EXPR_TYPE_DECIMAL) return kind == EXPR_MOD || kind == EXPR_DIV ? EXPR_TYPE_NULL : left;
  if (left == EXPR_TYPE_TIMESTAMP && right == EXPR_TYPE_DURATION && is_sum) return left;
  if (left == EXPR_TYPE_DURATION && right == EXPR_TYPE_TIMESTAMP && kind == EXPR_ADD) return right;
  if (left == EXPR_TYPE_TIMESTAMP && right == EXPR_TYPE_TIMESTAMP && kind == EXPR_SUB) return EXPR_TYPE_DURATION;
  if (left == EXPR_TYPE_DURATION && right == EXPR_TYPE_DURATION && is_sum) return left;
  return EXPR_TYPE_NULL;
}

static const char *arithmetic_hint(ExprKind kind, const Expr *left, const Expr *right) {
  bool has_time = left->type == EXPR_TYPE_TIMESTAMP || right->type == EXPR_TYPE_TIMESTAMP;
  if (has_time) return "write createdAt + duration(\"24h\")";
  if (left->type == EXPR_TYPE_DECIMAL && kind == EXPR_DIV) return "multiply by a Decimal: it is exact";
  if (left->type == EXPR_TYPE_DYNAMIC && right->type == EXPR_TYPE_DYNAMIC) return "a claim's type follows from what it stands beside";
  return "";
}

static bool is_string_literal(const Expr *expr) { return expr->kind == EXPR_LITERAL && expr->type == EXPR_TYPE_STRING; }

static const Expr *check_arithmetic(Checker *checker, const Syntax *syntax, ExprKind kind) {
  const Expr *args[2];
  if (!check_operands(checker, syntax, args)) return NULL;
  bool is_claim =
      (args[0]->type == EXPR_TYPE_DYNAMIC && is_numeric(args[1])) || (args[1]->type == EXPR_TYPE_DYNAMIC && is_numeric(args[0]));
  /* Decimals are strings in JSON, and may be written so here too. */
  bool is_text = (args[0]->type == EXPR_TYPE_DECIMAL && is_string_literal(args[1])) ||
                 (args[1]->type == EXPR_TYPE_DECIMAL && is_string_literal(args[0]));
  if (is_claim || is_text || (is_numeric(args[0]) && is_numeric(args[1]))) {
    if (!check_unify(checker, &args[0], &args[1], "in one calculation")) return NULL;
  }
  ExprType type = arithmetic_type(kind, args[0]->type, args[1]->type);
  if (type == EXPR_TYPE_NULL) {
    check_report(checker, syntax, arithmetic_hint(kind, args[0], args[1]), "%s %s %s has no meaning", check_describe(checker, args[0]),
                 kind == EXPR_ADD   ? "+"
                 : kind == EXPR_SUB ? "-"
                 : kind == EXPR_MUL ? "*"
                 : kind == EXPR_DIV ? "/"
                                    : "%",
                 check_describe(checker, args[1]));
    return NULL;
  }
  if (args[0]->type == EXPR_TYPE_DURATION && args[1]->type == EXPR_TYPE_TIMESTAMP) {
    const Expr *swapped[2] = {args[1], args[0]};
    return check_node(checker, kind, type, syntax, swapped, 2);
  }
  return check_node(checker, kind, type, syntax, args, 2);
}

/* -(-1) is a literal too. */
static const Expr *negated_literal(Checker *checker, const Syntax *syntax, const Expr *literal) {
  if (literal->type == EXPR_TYPE_INT && literal->value.integer != INT64_MIN) {
    return literal_node(checker, syntax, EXPR_TYPE_INT, value_int(-literal->value.integer), (Str){0});
  }
  if (literal->type == EXPR_TYPE_FLOAT) {
    bool is_negative = str_starts_with(literal->name, STR("-"));
    return check_float(checker, syntax, str_slice(literal->name, is_negative ? 1 : 0, literal->name.len), !is_negative);
  }
  return check_node(checker, EXPR_NEGATE, literal->type, syntax, &literal, 1);
}

static const Expr *check_negate(Checker *checker, const Syntax *syntax) {
  const Syntax *inner = syntax->args[0];
  if (inner->kind == SYNTAX_INT) return check_int(checker, syntax, inner->text, true);
  if (inner->kind == SYNTAX_FLOAT) return check_float(checker, syntax, inner->text, true);
  const Expr *operand = check_expression(checker, inner);
  if (operand == NULL) return NULL;
  if (operand->kind == EXPR_LITERAL && is_numeric(operand)) return negated_literal(checker, syntax, operand);
  if (is_numeric(operand) || operand->type == EXPR_TYPE_DURATION)
    return check_node(checker, EXPR_NEGATE, operand->type, syntax, &operand, 1);
  check_report(checker, syntax, operand->type == EXPR_TYPE_BOOL ? "write ! for not" : "", "%s has no negative",
               check_describe(checker, operand));
  return NULL;
}

/* A branch that is null takes the other's type: it is a null value then, not the literal that == tests for. */
static const Expr *null_of_type(Checker *checker, const Expr *branch, ExprType type) {
  return expr_is_null_literal(branch) ? check_literal(checker, branch, type, value_null()) : branch;
}

static const Expr *check_condition(Checker *checker, const Syntax *syntax) {
  const Expr *args[3] = {check_expression(checker, syntax->args[0]), check_expression(checker, syntax->args[1]),
                         check_expression(checker, syntax->args[2])};
  if (args[0] != NULL) args[0] = check_boolean(checker, args[0]);
  for (size_t i = 1; i < 3; i++) {
    if (args[i] != NULL) args[i] = check_plain(checker, args[i]);
  }
  if (args[0] == NULL || args[1] == NULL || args[2] == NULL) return NULL;
  args[1] = null_of_type(checker, args[1], args[2]->type);
  if (args[1] != NULL) args[2] = null_of_type(checker, args[2], args[1]->type);
  if (args[1] == NULL || args[2] == NULL) return NULL;
  bool is_null = args[1]->type == EXPR_TYPE_NULL;
  if (is_null || args[1]->type == EXPR_TYPE_ROW || args[1]->type == EXPR_TYPE_LIST || args[1]->type == EXPR_TYPE_JSON) {
    check_report(checker, syntax, "", "a condition chooses between values, not %s", check_describe(checker, args[1]));
    return NULL;
  }
  if (args[1]->type != args[2]->type && !check_unify(checker, &args[1], &args[2], "in one condition")) return NULL;
  return check_node(checker, EXPR_CONDITION, args[1]->type, syntax, args, 3);
}

static const Expr *check_binary(Checker *checker, const Syntax *syntax) {
  switch (syntax->token) {
    case TOKEN_AND: return check_logic(checker, syntax, EXPR_AND);
    case TOKEN_OR: return check_logic(checker, syntax, EXPR_OR);
    case TOKEN_EQ: return check_equality(checker, syntax, EXPR_EQ);
    case TOKEN_NE: return check_equality(checker, syntax, EXPR_NE);
    case TOKEN_LT: return check_ordering(checker, syntax, EXPR_LT);
    case TOKEN_LE: return check_ordering(checker, syntax, EXPR_LE);
    case TOKEN_GT: return check_ordering(checker, syntax, EXPR_GT);
    case TOKEN_GE: return check_ordering(checker, syntax, EXPR_GE);
    case TOKEN_IN: return check_in(checker, syntax);
    case TOKEN_PLUS: return check_arithmetic(checker, syntax, EXPR_ADD);
    case TOKEN_MINUS: return check_arithmetic(checker, syntax, EXPR_SUB);
    case TOKEN_STAR: return check_arithmetic(checker, syntax, EXPR_MUL);
    case TOKEN_SLASH: return check_arithmetic(checker, syntax, EXPR_DIV);
    default: return check_arithmetic(checker, syntax, EXPR_MOD);
  }
}

const Expr *check_expression(Checker *checker, const Syntax *syntax) {
  switch (syntax->kind) {
    case SYNTAX_NULL: return literal_node(checker, syntax, EXPR_TYPE_NULL, value_null(), (Str){0});
    case SYNTAX_BOOL: return literal_node(checker, syntax, EXPR_TYPE_BOOL, value_bool(syntax->boolean), (Str){0});
    case SYNTAX_INT: return check_int(checker, syntax, syntax->text, false);
    case SYNTAX_FLOAT: return check_float(checker, syntax, syntax->text, false);
    case SYNTAX_STRING: return literal_node(checker, syntax, EXPR_TYPE_STRING, value_text(syntax->text), (Str){0});
    case SYNTAX_BYTES: return literal_node(checker, syntax, EXPR_TYPE_BYTES, (Value){.type = VALUE_BYTES, .text = syntax->text}, (Str){0});
    case SYNTAX_NAME:
    case SYNTAX_MEMBER: return check_path(checker, syntax);
    case SYNTAX_CALL: return check_call(checker, syntax);
    case SYNTAX_LIST: return check_list(checker, syntax);
    case SYNTAX_NOT: return check_logic(checker, syntax, EXPR_NOT);
    case SYNTAX_NEGATE: return check_negate(checker, syntax);
    case SYNTAX_BINARY: return check_binary(checker, syntax);
    case SYNTAX_CONDITION: break;
  }
  return check_condition(checker, syntax);
}

/* ---- the whole ---- */

/* A rule that never looks at anything is a mistake, but for the words true and false. */
static const Expr *refuse_constant(Checker *checker, const Syntax *syntax, const Expr *expr) {
  if (syntax->kind == SYNTAX_BOOL) return expr;
  const Expr *folded = NULL;
  if (expr_fold(expr, checker->arena, &folded, NULL) != CODE_OK) return check_no_memory(checker);
  if (folded->kind != EXPR_LITERAL) return expr;
  bool is_true = expr_is_true(folded);
  check_report(checker, syntax, is_true ? "write true if that is meant" : "write false if that is meant",
               "this is %s whatever the row and the caller", is_true ? "true" : "false");
  return NULL;
}

static Code code_of(const ExprReport *report, Error *err) {
  if (report->is_no_memory) return error_no_memory(err);
  const char *text = report->count > 0 ? report->items[0].message : "the expression is not valid";
  return error_set(err, report->is_too_large ? CODE_TOO_LARGE : CODE_BAD_REQUEST, "%s", text);
}

Code expr_parse(Str source, const Resource *resource, ExprUse use, const Field *expected, const ExprLimits *limits, Arena *arena,
                const Expr **ret, ExprMistake mistakes[EXPR_MISTAKES_MAX], size_t *ret_mistake_count, Error *err) {
  ExprReport report = {.items = mistakes};
  Checker checker = {.arena = arena, .source = source, .resource = resource, .use = use, .names = limits->names, .report = &report};
  const Expr *expr = NULL;
  const Syntax *syntax = NULL;
  if (limits->bytes_max != 0 && source.len > limits->bytes_max) {
    report.is_too_large = true;
    expr_report(&report, 0, (uint32_t)limits->bytes_max, "", "the expression is longer than %zu bytes", limits->bytes_max);
  } else if (!utf8_is_valid(source)) {
    expr_report(&report, 0, (uint32_t)source.len, "", "the expression is not valid UTF-8");
  } else if (str_find_byte(source, '\0', 0) < source.len) {
    size_t at = str_find_byte(source, '\0', 0);
    expr_report(&report, (uint32_t)at, (uint32_t)at + 1, "", "the expression holds a NUL");
  } else {
    syntax = expr_parse_syntax(source, limits, arena, &report);
  }
  if (syntax != NULL) expr = check_expression(&checker, syntax);
  if (expr != NULL) expr = expected != NULL ? check_for_field(&checker, expr, expected) : check_boolean(&checker, expr);
  if (expr != NULL && (use == EXPR_USE_RULE || use == EXPR_USE_UPDATE)) expr = refuse_constant(&checker, syntax, expr);
  *ret_mistake_count = report.count;
  if (expr == NULL || report.count > 0 || report.is_no_memory) return code_of(&report, err);
  *ret = expr;
  return CODE_OK;
}
