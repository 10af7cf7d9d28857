/* diff_rules.c - does one rule imply another? Decided by their forms: an alternative more is wider, a condition more is narrower, and a few
 * comparisons with literals are ordered. What is not seen to imply does not: the answer errs on the side of "may widen". */
#include <stdlib.h>

#include "base/decimal.h"
#include "contract/diff_impl.h"

enum { RULE_BYTES_MAX = 64 * 1024, STEPS_MAX = 20000 };

typedef struct Comparison {
  Arena *arena;
  bool has_no_memory;
  size_t steps; /* hostile rules are given up on, which is to say "no" */
} Comparison;

/* ---- One form ---- */

/* ptr NULL where memory is out. */
static Str text_of(const Expr *expr, Arena *arena);

static int by_text(const void *a, const void *b) { return str_compare(*(const Str *)a, *(const Str *)b); }

static size_t count_terms(const Expr *expr, ExprKind kind) {
  if (expr->kind != kind) return 1;
  size_t count = 0;
  for (size_t i = 0; i < expr->arg_count; i++) count += count_terms(expr->args[i], kind);
  return count;
}

static size_t collect_terms(const Expr *expr, ExprKind kind, Arena *arena, Str *terms, size_t count) {
  if (expr->kind != kind) {
    terms[count] = text_of(expr, arena);
    return count + 1;
  }
  for (size_t i = 0; i < expr->arg_count; i++) count = collect_terms(expr->args[i], kind, arena, terms, count);
  return count;
}

static Str join_terms(const Expr *expr, Str between, Arena *arena) {
  Str *terms = ARENA_ARRAY(arena, Str, count_terms(expr, expr->kind));
  if (terms == NULL) return (Str){0};
  size_t count = collect_terms(expr, expr->kind, arena, terms, 0);
  qsort(terms, count, sizeof *terms, by_text);
  Buf out = buf_on(arena, RULE_BYTES_MAX);
  buf_add_byte(&out, '(');
  for (size_t i = 0; i < count; i++) {
    if (terms[i].ptr == NULL) return (Str){0};
    if (i > 0 && str_equal(terms[i], terms[i - 1])) continue;
    if (i > 0) buf_add(&out, between);
    buf_add(&out, terms[i]);
  }
  buf_add_byte(&out, ')');
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

/* a == b is b == a, and a > b is b < a. */
static Str comparison_text(const Expr *expr, Arena *arena) {
  Str left = text_of(expr->args[0], arena), right = text_of(expr->args[1], arena);
  if (left.ptr == NULL || right.ptr == NULL) return (Str){0};
  bool is_symmetric = expr->kind == EXPR_EQ || expr->kind == EXPR_NE;
  bool is_turned = expr->kind == EXPR_GT || expr->kind == EXPR_GE || (is_symmetric && str_compare(left, right) > 0);
  const char *operator= expr->kind == EXPR_EQ      ? "=="
  : expr->kind == EXPR_NE                          ? "!="
  : expr->kind == EXPR_LT || expr->kind == EXPR_GT ? "<"
                                                   : "<=";
  if (is_turned) return arena_printf(arena, "%.*s %s %.*s", STR_ARGS(right), operator, STR_ARGS(left));
  return arena_printf(arena, "%.*s %s %.*s", STR_ARGS(left), operator, STR_ARGS(right));
}

static Str plain_text(const Expr *expr, Arena *arena) {
  Buf out = buf_on(arena, RULE_BYTES_MAX);
  expr_write(&out, expr);
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

static Str text_of(const Expr *expr, Arena *arena) {
  switch (expr->kind) {
    case EXPR_AND: return join_terms(expr, STR(" && "), arena);
    case EXPR_OR: return join_terms(expr, STR(" || "), arena);
    case EXPR_NOT: {
      Str operand = text_of(expr->args[0], arena);
      if (operand.ptr == NULL) return operand;
      return arena_printf(arena, "!(%.*s)", STR_ARGS(operand));
    }
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE: return comparison_text(expr, arena);
    default: return plain_text(expr, arena);
  }
}

Str diff_rule_text(const Expr *rule, Arena *arena) {
  Str text = text_of(rule, arena);
  bool is_joined = (rule->kind == EXPR_AND || rule->kind == EXPR_OR) && text.len > 2;
  return is_joined ? str_slice(text, 1, text.len - 1) : text;
}

static bool is_same_text(Comparison *comparison, const Expr *a, const Expr *b) {
  Str left = text_of(a, comparison->arena), right = text_of(b, comparison->arena);
  if (left.ptr == NULL || right.ptr == NULL) {
    comparison->has_no_memory = true;
    return false;
  }
  return str_equal(left, right);
}

/* ---- Comparisons with literals ---- */

typedef struct Bound {
  const Expr *subject;
  ExprKind kind; /* as if the literal stood on the right */
  const Value *literal;
} Bound;

static ExprKind turned(ExprKind kind) {
  switch (kind) {
    case EXPR_LT: return EXPR_GT;
    case EXPR_LE: return EXPR_GE;
    case EXPR_GT: return EXPR_LT;
    case EXPR_GE: return EXPR_LE;
    default: return kind;
  }
}

static bool bound_of(const Expr *expr, Bound *ret) {
  if (expr->kind < EXPR_EQ || expr->kind > EXPR_GE) return false;
  bool is_right = expr->args[1]->kind == EXPR_LITERAL;
  if (!is_right && expr->args[0]->kind != EXPR_LITERAL) return false;
  const Expr *literal = expr->args[is_right ? 1 : 0];
  *ret = (Bound){expr->args[is_right ? 0 : 1], is_right ? expr->kind : turned(expr->kind), &literal->value};
  return !value_is_null(&literal->value);
}

/* False where they can't be ordered. */
static bool compare_values(const Value *a, const Value *b, int *ret) {
  if (a->type != b->type) return false;
  switch (a->type) {
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: *ret = (a->integer > b->integer) - (a->integer < b->integer); return true;
    case VALUE_FLOAT: *ret = (a->number > b->number) - (a->number < b->number); return true;
    case VALUE_DECIMAL: *ret = decimal_compare(a->text, b->text); return true;
    case VALUE_TEXT: *ret = str_compare(a->text, b->text); return true;
    case VALUE_BOOL: *ret = a->boolean - b->boolean; return true;
    default: return false;
  }
}

/* Does `x a.kind a` imply `x b.kind b`? `order` is a compared with b. */
static bool bound_implies(ExprKind a, ExprKind b, int order) {
  switch (a) {
    case EXPR_EQ:
      return b == EXPR_EQ   ? order == 0
             : b == EXPR_NE ? order != 0
             : b == EXPR_LT ? order < 0
             : b == EXPR_LE ? order <= 0
             : b == EXPR_GT ? order > 0
                            : order >= 0;
    case EXPR_LT: return ((b == EXPR_LT || b == EXPR_LE || b == EXPR_NE) && order <= 0);
    case EXPR_LE: return (b == EXPR_LE && order <= 0) || ((b == EXPR_LT || b == EXPR_NE) && order < 0);
    case EXPR_GT: return ((b == EXPR_GT || b == EXPR_GE || b == EXPR_NE) && order >= 0);
    case EXPR_GE: return (b == EXPR_GE && order >= 0) || ((b == EXPR_GT || b == EXPR_NE) && order > 0);
    default: return false;
  }
}

static bool bounds_imply(Comparison *comparison, const Expr *a, const Expr *b) {
  Bound left, right;
  int order = 0;
  if (!bound_of(a, &left) || !bound_of(b, &right) || !compare_values(left.literal, right.literal, &order)) return false;
  return is_same_text(comparison, left.subject, right.subject) && bound_implies(left.kind, right.kind, order);
}

/* ---- x in [a, b] ---- */

static const Value *list_literal(const Expr *list, size_t index) {
  if (list->kind == EXPR_LITERAL)
    return list->value.type == VALUE_LIST && index < list->value.list.count ? &list->value.list.items[index] : NULL;
  if (list->kind != EXPR_LIST || index >= list->arg_count || list->args[index]->kind != EXPR_LITERAL) return NULL;
  return &list->args[index]->value;
}

static size_t list_length(const Expr *list) {
  return list->kind == EXPR_LIST                                        ? list->arg_count
         : list->kind == EXPR_LITERAL && list->value.type == VALUE_LIST ? list->value.list.count
                                                                        : 0;
}

static bool list_holds(const Expr *list, const Value *value) {
  for (size_t i = 0; i < list_length(list); i++) {
    const Value *item = list_literal(list, i);
    int order = 1;
    if (item != NULL && compare_values(item, value, &order) && order == 0) return true;
  }
  return false;
}

static bool membership_implies(Comparison *comparison, const Expr *a, const Expr *b) {
  if (b->kind != EXPR_IN || list_length(b->args[1]) == 0) return false;
  Bound equal;
  bool is_equal = a->kind == EXPR_EQ && bound_of(a, &equal);
  if (!is_equal && (a->kind != EXPR_IN || list_length(a->args[1]) == 0)) return false;
  const Expr *subject = is_equal ? equal.subject : a->args[0];
  if (!is_same_text(comparison, subject, b->args[0])) return false;
  if (is_equal) return list_holds(b->args[1], equal.literal);
  for (size_t i = 0; i < list_length(a->args[1]); i++) {
    const Value *item = list_literal(a->args[1], i);
    if (item == NULL || !list_holds(b->args[1], item)) return false;
  }
  return true;
}

/* ---- Implication ---- */

static bool implies(Comparison *comparison, const Expr *a, const Expr *b);

static bool all_imply(Comparison *comparison, const Expr *a, const Expr *b) {
  for (size_t i = 0; i < a->arg_count; i++) {
    if (!implies(comparison, a->args[i], b)) return false;
  }
  return true;
}

static bool implies_all(Comparison *comparison, const Expr *a, const Expr *b) {
  for (size_t i = 0; i < b->arg_count; i++) {
    if (!implies(comparison, a, b->args[i])) return false;
  }
  return true;
}

static bool some_imply(Comparison *comparison, const Expr *a, const Expr *b) {
  for (size_t i = 0; a->kind == EXPR_AND && i < a->arg_count; i++) {
    if (implies(comparison, a->args[i], b)) return true;
  }
  for (size_t i = 0; b->kind == EXPR_OR && i < b->arg_count; i++) {
    if (implies(comparison, a, b->args[i])) return true;
  }
  return false;
}

static bool implies(Comparison *comparison, const Expr *a, const Expr *b) {
  if (++comparison->steps > STEPS_MAX) return false;
  if (expr_is_false(a) || expr_is_true(b)) return true;
  if (a->kind == EXPR_OR) return all_imply(comparison, a, b);
  if (b->kind == EXPR_AND) return implies_all(comparison, a, b);
  if (some_imply(comparison, a, b)) return true;
  if (a->kind == EXPR_NOT && b->kind == EXPR_NOT && implies(comparison, b->args[0], a->args[0])) return true;
  if (bounds_imply(comparison, a, b) || membership_implies(comparison, a, b)) return true;
  return is_same_text(comparison, a, b);
}

RuleOrder diff_rule_order(const Expr *old, const Expr *new, Arena *arena, bool *ret_has_no_memory) {
  Comparison comparison = {.arena = arena};
  bool is_kept = implies(&comparison, old, new);
  comparison.steps = 0;
  bool is_within = implies(&comparison, new, old);
  if (comparison.has_no_memory) *ret_has_no_memory = true;
  if (is_kept && is_within) return RULES_EQUAL;
  return is_kept ? RULE_WIDER : is_within ? RULE_NARROWER : RULES_UNORDERED;
}
