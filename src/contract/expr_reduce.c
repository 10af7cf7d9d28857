/* expr_reduce.c - partial evaluation: what is known becomes a literal, and what follows from it is folded. The answer is the same, whatever
 * the row. A null that came of folding is typed; only the null that was written has EXPR_TYPE_NULL, so that `author.id == auth.id` of a
 * stranger is false, not a test for null. */
#include <assert.h>

#include "contract/expr_impl.h"

typedef struct Reducer {
  const ExprEnv *env;
  Arena *arena;
  Error *err;
  uint32_t known; /* roots */
} Reducer;

/* `is_condition`: null and false are the same here. */
static Code reduce(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret);

static bool is_literal(const Expr *expr) { return expr->kind == EXPR_LITERAL; }
static bool is_folded_null(const Expr *expr) { return is_literal(expr) && value_is_null(&expr->value) && expr->type != EXPR_TYPE_NULL; }
static bool is_null(const Expr *expr) { return is_literal(expr) && value_is_null(&expr->value); }

static Code literal_of(Reducer *reducer, const Expr *expr, bool is_condition, Value value, const Expr **ret) {
  if (value.type == VALUE_BOOL || (is_condition && value_is_null(&value))) {
    *ret = expr_bool(value.type == VALUE_BOOL && value.boolean);
    return CODE_OK;
  }
  Expr *literal = expr_new(reducer->arena, EXPR_LITERAL, expr->type);
  if (literal == NULL) return error_no_memory(reducer->err);
  literal->item_type = expr->item_type;
  literal->enum_type = expr->enum_type;
  literal->begin = expr->begin;
  literal->end = expr->end;
  literal->value = value;
  *ret = expr_finish(literal);
  return CODE_OK;
}

static Code evaluate(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  Value value;
  TRY(expr_eval(expr, reducer->env, reducer->arena, &value, reducer->err));
  /* A row has no value to keep, only that it is there; nothing but a test for null asks. */
  if (expr->type == EXPR_TYPE_ROW && !value_is_null(&value)) {
    *ret = expr;
    return CODE_OK;
  }
  return literal_of(reducer, expr, is_condition, value, ret);
}

static Code always(bool value, const Expr **ret) {
  *ret = expr_bool(value);
  return CODE_OK;
}

/* The node over other arguments; itself where they are the same. */
static Code rebuild(Reducer *reducer, const Expr *expr, const Expr *const *args, size_t count, const Expr **ret) {
  bool is_same = count == expr->arg_count && !expr->has_literals;
  for (size_t i = 0; i < count && is_same; i++) is_same = args[i] == expr->args[i];
  if (is_same) {
    *ret = expr;
    return CODE_OK;
  }
  Expr *copy = (Expr *)arena_alloc(reducer->arena, sizeof *copy);
  const Expr **kept = (const Expr **)arena_alloc(reducer->arena, count * sizeof *kept);
  if (copy == NULL || kept == NULL) return error_no_memory(reducer->err);
  *copy = *expr;
  if (count > 0) memcpy(kept, args, count * sizeof *kept);
  copy->args = kept;
  copy->arg_count = count;
  *ret = expr_finish(copy);
  return CODE_OK;
}

static Code reduce_logic(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  bool decides = expr->kind == EXPR_OR; /* one such term decides, the other kind drops out */
  enum { TERMS_ON_STACK = 8 };
  const Expr *few[TERMS_ON_STACK];
  const Expr **terms = few;
  if (expr->arg_count > TERMS_ON_STACK) {
    terms = (const Expr **)arena_alloc(reducer->arena, expr->arg_count * sizeof *terms);
    if (terms == NULL) return error_no_memory(reducer->err);
  }
  size_t count = 0;
  for (size_t i = 0; i < expr->arg_count; i++) {
    const Expr *term = NULL;
    TRY(reduce(reducer, expr->args[i], true, &term));
    if (!is_literal(term))
      terms[count++] = term;
    else if (expr_is_true(term) == decides)
      return always(decides, ret);
  }
  if (count == 0) return always(!decides, ret);
  if (count > 1) return rebuild(reducer, expr, terms, count, ret);
  *ret = terms[0];
  if (is_condition || expr_is_two_valued(terms[0])) return CODE_OK;
  /* Where null differs from false, a lone term that may be null is made two-valued. */
  *ret = expr_compare(reducer->arena, EXPR_EQ, terms[0], expr_bool(true));
  return *ret == NULL ? error_no_memory(reducer->err) : CODE_OK;
}

static Code reduce_not(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  const Expr *operand = NULL;
  TRY(reduce(reducer, expr->args[0], true, &operand));
  if (is_literal(operand)) return always(!expr_is_true(operand), ret);
  if (operand->kind == EXPR_NOT && (is_condition || expr_is_two_valued(operand->args[0]))) {
    *ret = operand->args[0];
    return CODE_OK;
  }
  return rebuild(reducer, expr, &operand, 1, ret);
}

static Code reduce_condition(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  const Expr *args[3];
  TRY(reduce(reducer, expr->args[0], true, &args[0]));
  if (is_literal(args[0])) return reduce(reducer, expr->args[expr_is_true(args[0]) ? 1 : 2], is_condition, ret);
  TRY(reduce(reducer, expr->args[1], is_condition, &args[1]));
  TRY(reduce(reducer, expr->args[2], is_condition, &args[2]));
  return rebuild(reducer, expr, args, 3, ret);
}

static Code reduce_quantifier(Reducer *reducer, const Expr *expr, const Expr **ret) {
  bool over_nothing = expr->kind == EXPR_ALL;
  const Expr *args[2];
  size_t body = expr->arg_count - 1;
  TRY(reduce(reducer, expr->args[body], true, &args[body]));
  if (is_literal(args[body]) && expr_is_true(args[body]) == over_nothing) return always(over_nothing, ret);
  if (body > 0) {
    TRY(reduce(reducer, expr->args[0], false, &args[0]));
    bool is_empty = is_literal(args[0]) && (args[0]->value.type != VALUE_LIST || args[0]->value.list.count == 0);
    if (is_empty) return always(over_nothing, ret);
  }
  return rebuild(reducer, expr, args, expr->arg_count, ret);
}

/* Through a relation that the known row doesn't have, there is nothing. */
static bool leads_nowhere(const Reducer *reducer, const ExprPath *path) {
  const Value *row = path->root == EXPR_ROOT_ROW ? reducer->env->row : path->root == EXPR_ROOT_OLD ? reducer->env->old : NULL;
  if (row == NULL || path->hop_count == 0 || (reducer->known & (1u << path->root)) == 0) return false;
  for (size_t i = 0; i < path->hops[0]->key_count; i++) {
    if (value_is_null(&row[path->hops[0]->keys[i]->stored_index])) return true;
  }
  return false;
}

/* What a null operand, not written but found, makes of the operator. */
static Code fold_null(Reducer *reducer, const Expr *expr, const Expr *const *args, bool is_condition, bool *ret_is_folded,
                      const Expr **ret) {
  bool has_folded = false, has_null = false;
  for (size_t i = 0; i < expr->arg_count; i++) {
    has_folded = has_folded || is_folded_null(args[i]);
    has_null = has_null || is_null(args[i]);
  }
  *ret_is_folded = true;
  switch (expr->kind) {
    case EXPR_EQ:
    case EXPR_NE:
      if (has_folded && !expr_is_null_literal(args[0]) && !expr_is_null_literal(args[1])) return always(expr->kind == EXPR_NE, ret);
      break;
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_STARTS_WITH:
    case EXPR_ENDS_WITH:
    case EXPR_CONTAINS:
    case EXPR_MATCHES:
      if (has_null) return always(false, ret);
      break;
    case EXPR_IN:
      assert(expr->arg_count == 2);
      if (has_null || (is_literal(args[1]) && args[1]->value.list.count == 0)) return always(false, ret);
      break;
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_DIV:
    case EXPR_MOD:
      if (has_null) return literal_of(reducer, expr, is_condition, value_null(), ret);
      break;
    default: break;
  }
  *ret_is_folded = false;
  return CODE_OK;
}

static Code reduce_operator(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  enum { ARGS_ON_STACK = 4 };
  const Expr *few[ARGS_ON_STACK];
  const Expr **args = few;
  if (expr->arg_count > ARGS_ON_STACK) {
    args = (const Expr **)arena_alloc(reducer->arena, expr->arg_count * sizeof *args);
    if (args == NULL) return error_no_memory(reducer->err);
  }
  for (size_t i = 0; i < expr->arg_count; i++) TRY(reduce(reducer, expr->args[i], false, &args[i]));
  bool is_folded = false;
  TRY(fold_null(reducer, expr, args, is_condition, &is_folded, ret));
  if (is_folded) return CODE_OK;
  TRY(rebuild(reducer, expr, args, expr->arg_count, ret));
  bool is_constant = (*ret)->roots == 0 && expr->arg_count > 0;
  return is_constant ? evaluate(reducer, *ret, is_condition, ret) : CODE_OK;
}

static Code reduce_path(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  bool is_to_many = expr->path.field != NULL && expr->path.field->kind == FIELD_TO_MANY;
  if (leads_nowhere(reducer, &expr->path) && !is_to_many) return literal_of(reducer, expr, is_condition, value_null(), ret);
  *ret = expr;
  return CODE_OK;
}

/* A literal's copy: its parameter's number is written into it. */
static Code own_literal(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  if (is_condition && value_is_null(&expr->value)) return always(false, ret);
  *ret = expr;
  if (!expr->has_literals) return CODE_OK;
  Expr *copy = (Expr *)arena_alloc(reducer->arena, sizeof *copy);
  if (copy == NULL) return error_no_memory(reducer->err);
  *copy = *expr;
  copy->param = 0;
  *ret = copy;
  return CODE_OK;
}

static Code reduce(Reducer *reducer, const Expr *expr, bool is_condition, const Expr **ret) {
  if (is_literal(expr)) return own_literal(reducer, expr, is_condition, ret);
  bool is_known =
      (expr->roots & ~reducer->known) == 0 && !(expr->has_relations && (reducer->env == NULL || reducer->env->resolver == NULL));
  if (is_known) return evaluate(reducer, expr, is_condition, ret);
  switch (expr->kind) {
    case EXPR_AND:
    case EXPR_OR: return reduce_logic(reducer, expr, is_condition, ret);
    case EXPR_NOT: return reduce_not(reducer, expr, is_condition, ret);
    case EXPR_CONDITION: return reduce_condition(reducer, expr, is_condition, ret);
    case EXPR_EXISTS:
    case EXPR_ALL: return reduce_quantifier(reducer, expr, ret);
    case EXPR_PATH: return reduce_path(reducer, expr, is_condition, ret);
    default: return reduce_operator(reducer, expr, is_condition, ret);
  }
}

Code expr_reduce(const Expr *expr, const ExprEnv *env, Arena *arena, const Expr **ret, Error *err) {
  Reducer reducer = {.env = env, .arena = arena, .err = err, .known = EXPR_READS_CALLER | (env->is_timeless ? 0 : EXPR_READS_NOW)};
  if (env->row != NULL) reducer.known |= 1u << EXPR_ROOT_ROW;
  if (env->old != NULL) reducer.known |= 1u << EXPR_ROOT_OLD;
  const Expr *reduced = NULL;
  TRY(reduce(&reducer, expr, false, &reduced));
  *ret = reduced;
  return CODE_OK;
}

Code expr_fold(const Expr *expr, Arena *arena, const Expr **ret, Error *err) {
  const ExprEnv nothing = {0};
  Reducer reducer = {.env = &nothing, .arena = arena, .err = err};
  const Expr *folded = NULL;
  TRY(reduce(&reducer, expr, expr->type == EXPR_TYPE_BOOL, &folded));
  *ret = folded;
  return CODE_OK;
}
