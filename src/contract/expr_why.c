/* expr_why.c - a rule is walked from the top; where a part decides, its own parts are asked, down to what is no longer made of Booleans. */
#include "contract/expr_why.h"

enum { WHY_TEXT_MAX = 8 * 1024, WHY_VALUE_MAX = 1024, WHY_PARTS_MAX = 32, WHY_VALUES_MAX = 8 };

typedef struct Asking {
  const ExprEnv *env;
  const WhyOracle *oracle;
  Arena *arena;
  Why *why;
  Error *err;
} Asking;

static Code text_of(Asking *asking, const Expr *expr, size_t bytes_max, Str *ret) {
  Buf out = buf_on(asking->arena, bytes_max);
  expr_write(&out, expr);
  if (out.failed == CODE_UNAVAILABLE) return error_no_memory(asking->err);
  *ret = out.failed == CODE_OK ? buf_str(&out) : STR("…");
  return CODE_OK;
}

/* ---- Verdicts ---- */

static bool is_known(const Asking *asking, const Expr *expr) {
  uint32_t known = EXPR_READS_CALLER | EXPR_READS_NOW;
  if (asking->env->row != NULL) known |= 1u << EXPR_ROOT_ROW;
  if (asking->env->old != NULL) known |= 1u << EXPR_ROOT_OLD;
  return (expr->roots & ~known) == 0 && (!expr->has_relations || asking->env->resolver != NULL);
}

static bool is_about_known_rows(const Asking *asking, const Expr *expr) {
  bool reads_row = (expr->roots & (1u << EXPR_ROOT_ROW)) != 0, reads_old = (expr->roots & (1u << EXPR_ROOT_OLD)) != 0;
  return (!reads_row || asking->env->row != NULL) && (!reads_old || asking->env->old != NULL);
}

static Code verdict_of(Asking *asking, const Expr *expr, WhyVerdict *ret) {
  bool holds = false;
  if (is_known(asking, expr)) {
    TRY(expr_eval_bool(expr, asking->env, asking->arena, &holds, asking->err));
    *ret = holds ? WHY_TRUE : WHY_FALSE;
    return CODE_OK;
  }
  const Expr *reduced = NULL;
  TRY(expr_reduce(expr, asking->env, asking->arena, &reduced, asking->err));
  if (reduced->kind == EXPR_LITERAL) {
    *ret = expr_is_true(reduced) ? WHY_TRUE : WHY_FALSE;
    return CODE_OK;
  }
  *ret = WHY_UNKNOWN;
  if (asking->oracle == NULL || !is_about_known_rows(asking, expr)) return CODE_OK;
  TRY(asking->oracle->holds(asking->oracle->context, expr, &holds, asking->err));
  *ret = holds ? WHY_TRUE : WHY_FALSE;
  return CODE_OK;
}

/* ---- Values ---- */

static bool is_secret(const ExprPath *path) {
  if (path->field != NULL && path->field->is_hidden) return true;
  for (size_t i = 0; i < path->member_count; i++) {
    if (path->members[i]->is_hidden) return true;
  }
  return false;
}

static Code shown_value(Asking *asking, const Expr *expr, Str *ret) {
  if (expr->kind == EXPR_PATH && is_secret(&expr->path)) {
    *ret = STR("hidden");
    return CODE_OK;
  }
  if (!is_known(asking, expr)) {
    *ret = STR("not looked up");
    return CODE_OK;
  }
  Value value;
  TRY(expr_eval(expr, asking->env, asking->arena, &value, asking->err));
  Expr literal = {.kind = EXPR_LITERAL, .type = expr->type, .enum_type = expr->enum_type, .value = value};
  return text_of(asking, &literal, WHY_VALUE_MAX, ret);
}

static Code add_value(Asking *asking, WhyPart *part, const Expr *expr) {
  WhyValue value;
  TRY(text_of(asking, expr, WHY_VALUE_MAX, &value.name));
  for (size_t i = 0; i < part->values.count; i++) {
    if (str_equal(part->values.items[i].name, value.name)) return CODE_OK;
  }
  TRY(shown_value(asking, expr, &value.text));
  return VEC_PUSH(asking->arena, &part->values, value) ? CODE_OK : error_no_memory(asking->err);
}

/* What is named in the part; bound rows have no value of their own. */
static Code add_values(Asking *asking, WhyPart *part, const Expr *expr) {
  bool is_name = expr->kind == EXPR_AUTH_ID || expr->kind == EXPR_AUTH_ROLES || expr->kind == EXPR_AUTH_CLAIM || expr->kind == EXPR_NOW ||
                 (expr->kind == EXPR_PATH && expr->path.root < EXPR_ROOT_BOUND);
  if (part->values.count >= WHY_VALUES_MAX) return CODE_OK;
  if (is_name) return add_value(asking, part, expr);
  for (size_t i = 0; i < expr->arg_count; i++) TRY(add_values(asking, part, expr->args[i]));
  return CODE_OK;
}

static Code add_part(Asking *asking, const Expr *expr, WhyVerdict verdict) {
  WhyPart part = {.verdict = verdict};
  if (asking->why->parts.count >= WHY_PARTS_MAX) return CODE_OK;
  TRY(text_of(asking, expr, WHY_TEXT_MAX, &part.text));
  TRY(add_values(asking, &part, expr));
  return VEC_PUSH(asking->arena, &asking->why->parts, part) ? CODE_OK : error_no_memory(asking->err);
}

/* ---- The walk ---- */

static Code explain(Asking *asking, const Expr *expr, WhyVerdict is);

/* Those of the terms that are as the whole is. */
static Code explain_deciding(Asking *asking, const Expr *expr, WhyVerdict is) {
  size_t before = asking->why->parts.count;
  for (size_t i = 0; i < expr->arg_count; i++) {
    WhyVerdict verdict = WHY_UNKNOWN;
    TRY(verdict_of(asking, expr->args[i], &verdict));
    if (verdict == is) TRY(explain(asking, expr->args[i], is));
  }
  return asking->why->parts.count > before ? CODE_OK : add_part(asking, expr, is);
}

static Code explain_all(Asking *asking, const Expr *expr) {
  for (size_t i = 0; i < expr->arg_count; i++) {
    WhyVerdict verdict = WHY_UNKNOWN;
    TRY(verdict_of(asking, expr->args[i], &verdict));
    TRY(explain(asking, expr->args[i], verdict));
  }
  return CODE_OK;
}

static Code explain_condition(Asking *asking, const Expr *expr, WhyVerdict is) {
  WhyVerdict verdict = WHY_UNKNOWN;
  TRY(verdict_of(asking, expr->args[0], &verdict));
  if (verdict == WHY_UNKNOWN) return add_part(asking, expr, is);
  TRY(add_part(asking, expr->args[0], verdict));
  return explain(asking, expr->args[verdict == WHY_TRUE ? 1 : 2], is);
}

static Code explain(Asking *asking, const Expr *expr, WhyVerdict is) {
  static const WhyVerdict opposite[] = {[WHY_FALSE] = WHY_TRUE, [WHY_TRUE] = WHY_FALSE, [WHY_UNKNOWN] = WHY_UNKNOWN};
  if (is == WHY_UNKNOWN) return add_part(asking, expr, is);
  switch (expr->kind) {
    case EXPR_AND: return is == WHY_FALSE ? explain_deciding(asking, expr, is) : explain_all(asking, expr);
    case EXPR_OR: return is == WHY_TRUE ? explain_deciding(asking, expr, is) : explain_all(asking, expr);
    case EXPR_NOT: return explain(asking, expr->args[0], opposite[is]);
    case EXPR_CONDITION: return explain_condition(asking, expr, is);
    default: return add_part(asking, expr, is);
  }
}

Code expr_why(const Expr *rule, const ExprEnv *env, const WhyOracle *oracle, Arena *arena, Why *ret, Error *err) {
  Why why = {0};
  Asking asking = {.env = env, .oracle = oracle, .arena = arena, .why = &why, .err = err};
  WhyVerdict verdict = WHY_UNKNOWN;
  TRY(verdict_of(&asking, rule, &verdict));
  TRY(explain(&asking, rule, verdict));
  *ret = why;
  return CODE_OK;
}
