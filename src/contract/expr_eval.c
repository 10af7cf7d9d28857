/* expr_eval.c - evaluation in memory: two-valued, and false wherever something is missing (INTERFACE §2). sql/expr_sql.c says the same in
 * SQL. */
#include <assert.h>

#include "base/datetime.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "contract/expr_impl.h"
#include "contract/expr_value.h"
#include "contract/regex.h"

/* What a bound name stands for. */
typedef struct Frame {
  const Value *row;
  Value item;
} Frame;

typedef struct Evaluator {
  const ExprEnv *env;
  Arena *arena;
  Error *err;
  Frame frames[EXPR_BINDINGS_MAX];
} Evaluator;

static Code eval(Evaluator *evaluator, const Expr *expr, Value *ret);

static bool is_true(const Value *value) { return value->type == VALUE_BOOL && value->boolean; }

static Code eval_truth(Evaluator *evaluator, const Expr *expr, bool *ret) {
  Value value;
  TRY(eval(evaluator, expr, &value));
  *ret = is_true(&value);
  return CODE_OK;
}

/* ---- paths ---- */

static bool has_keys(const Relation *relation, const Value *row) {
  for (size_t i = 0; i < relation->key_count; i++) {
    if (value_is_null(&row[relation->keys[i]->stored_index])) return false;
  }
  return true;
}

static const Value *root_row(const Evaluator *evaluator, uint32_t root) {
  if (root == EXPR_ROOT_ROW) return evaluator->env->row;
  if (root == EXPR_ROOT_OLD) return evaluator->env->old;
  return evaluator->frames[root - EXPR_ROOT_BOUND].row;
}

/* The row at the end of the hops; NULL where one of them leads nowhere. */
static const Value *last_row(const Evaluator *evaluator, const ExprPath *path) {
  const Value *row = root_row(evaluator, path->root);
  for (size_t i = 0; i < path->hop_count && row != NULL; i++) {
    const ExprResolver *resolver = evaluator->env->resolver;
    if (!has_keys(path->hops[i], row)) return NULL;
    assert(resolver != NULL);
    row = resolver->to_one(resolver->context, path->hops[i], row);
  }
  return row;
}

/* From an embedded object's JSON to a member of it. */
static Code eval_members(Evaluator *evaluator, const Expr *expr, Str document, Value *ret) {
  JsonValue json;
  Error ignored = {0};
  Code code = json_parse(document, JSON_DEPTH_DEFAULT, evaluator->arena, &json, &ignored);
  if (code == CODE_UNAVAILABLE) return error_no_memory(evaluator->err);
  const JsonValue *member = code == CODE_OK ? &json : NULL;
  for (size_t i = 0; i < expr->path.member_count && member != NULL; i++) member = json_get(member, expr->path.members[i]->name);
  if (!expr_value_of_json(member, expr->type, expr->item_type, evaluator->arena, ret)) return error_no_memory(evaluator->err);
  return CODE_OK;
}

static Code eval_path(Evaluator *evaluator, const Expr *expr, Value *ret) {
  const ExprPath *path = &expr->path;
  const Value *row = last_row(evaluator, path);
  const Field *field = path->field;
  *ret = value_null();
  if (row == NULL) return CODE_OK;
  if (field == NULL || field->kind == FIELD_TO_ONE) {
    if (field == NULL || has_keys(field->relation, row)) *ret = (Value){.type = VALUE_ROW};
    return CODE_OK;
  }
  assert(field->kind == FIELD_STORED);
  *ret = row[field->stored_index];
  if (path->member_count > 0 && ret->type == VALUE_JSON) return eval_members(evaluator, expr, ret->text, ret);
  if (expr->type == EXPR_TYPE_LIST && ret->type == VALUE_JSON &&
      !expr_list_of_json_text(ret->text, expr->item_type, evaluator->arena, ret)) {
    return error_no_memory(evaluator->err);
  }
  return CODE_OK;
}

static Code eval_variable(Evaluator *evaluator, const Expr *expr, Value *ret) {
  *ret = evaluator->frames[expr->depth].item;
  if (expr->path.member_count == 0) return CODE_OK;
  if (ret->type == VALUE_JSON) return eval_members(evaluator, expr, ret->text, ret);
  *ret = value_null();
  return CODE_OK;
}

/* ---- the caller ---- */

static const JsonValue *find_claim(const Evaluator *evaluator, const Expr *expr) {
  const JsonValue *claims = evaluator->env->caller->claims;
  if (str_equal(expr->name, STR(CALLER_CERTIFICATE_CLAIM))) return evaluator->env->caller->certificate;
  const JsonValue *claim = claims == NULL ? NULL : json_get(claims, expr->name);
  return claim == NULL || claim->type == JSON_NULL ? NULL : claim;
}

/* A claim whose type nothing asks for: as JSON. */
static Code eval_claim(Evaluator *evaluator, const Expr *expr, Value *ret) {
  if (!expr_value_of_json(find_claim(evaluator, expr), EXPR_TYPE_JSON, EXPR_TYPE_NULL, evaluator->arena, ret))
    return error_no_memory(evaluator->err);
  return CODE_OK;
}

static Code eval_uuid(Evaluator *evaluator, Value *ret) {
  char text[UUID_TEXT_LEN];
  uuid_make(text);
  Str kept = arena_str(evaluator->arena, (Str){text, UUID_TEXT_LEN});
  if (kept.ptr == NULL) return error_no_memory(evaluator->err);
  *ret = value_text(kept);
  return CODE_OK;
}

/* ---- operators ---- */

static Code eval_list(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Value *items = ARENA_ARRAY(evaluator->arena, Value, expr->arg_count);
  if (items == NULL) return error_no_memory(evaluator->err);
  for (size_t i = 0; i < expr->arg_count; i++) TRY(eval(evaluator, expr->args[i], &items[i]));
  *ret = (Value){.type = VALUE_LIST, .list = {items, expr->arg_count}};
  return CODE_OK;
}

static Code eval_logic(Evaluator *evaluator, const Expr *expr, Value *ret) {
  bool stops_at = expr->kind == EXPR_OR;
  bool truth = !stops_at;
  for (size_t i = 0; i < expr->arg_count && truth != stops_at; i++) TRY(eval_truth(evaluator, expr->args[i], &truth));
  *ret = value_bool(truth);
  return CODE_OK;
}

static bool is_equal(const Value *a, const Value *b) {
  return a->type != VALUE_NULL && a->type == b->type && expr_value_compare(a, b) == 0;
}

static Code eval_equality(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Value left, right;
  TRY(eval(evaluator, expr->args[0], &left));
  TRY(eval(evaluator, expr->args[1], &right));
  bool is_same = expr_is_null_literal(expr->args[0]) || expr_is_null_literal(expr->args[1]) ? value_is_null(&left) && value_is_null(&right)
                                                                                            : is_equal(&left, &right);
  *ret = value_bool(is_same == (expr->kind == EXPR_EQ));
  return CODE_OK;
}

static Code eval_ordering(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Value left, right;
  TRY(eval(evaluator, expr->args[0], &left));
  TRY(eval(evaluator, expr->args[1], &right));
  *ret = value_bool(false);
  if (value_is_null(&left) || left.type != right.type) return CODE_OK;
  int order = expr_value_compare(&left, &right);
  bool holds = expr->kind == EXPR_LT ? order < 0 : expr->kind == EXPR_LE ? order <= 0 : expr->kind == EXPR_GT ? order > 0 : order >= 0;
  *ret = value_bool(holds);
  return CODE_OK;
}

static Code eval_in(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Value left, list;
  TRY(eval(evaluator, expr->args[0], &left));
  TRY(eval(evaluator, expr->args[1], &list));
  bool is_found = false;
  for (size_t i = 0; list.type == VALUE_LIST && i < list.list.count && !is_found; i++) is_found = is_equal(&left, &list.list.items[i]);
  *ret = value_bool(is_found);
  return CODE_OK;
}

static Code decimal_result(Evaluator *evaluator, const DecimalText *decimal, Value *ret) {
  Str kept = arena_str(evaluator->arena, decimal_str(decimal));
  if (kept.ptr == NULL) return error_no_memory(evaluator->err);
  *ret = value_decimal(kept);
  return CODE_OK;
}

static Code calculate(Evaluator *evaluator, ExprKind kind, const Value *a, const Value *b, Value *ret) {
  *ret = value_null();
  if (value_is_null(a) || value_is_null(b)) return CODE_OK;
  int64_t number = 0;
  double real = 0;
  DecimalText decimal;
  if (a->type == VALUE_TIMESTAMP && b->type == VALUE_DURATION) {
    if (expr_timestamp_shift(kind, a->integer, b->integer, &number)) *ret = (Value){.type = VALUE_TIMESTAMP, .integer = number};
  } else if (a->type == VALUE_FLOAT) {
    if (expr_float_arithmetic(kind, a->number, b->number, &real)) *ret = value_float(real);
  } else if (a->type == VALUE_DECIMAL) {
    if (expr_decimal_arithmetic(kind, a->text, b->text, &decimal)) return decimal_result(evaluator, &decimal, ret);
  } else if (expr_int_arithmetic(kind, a->integer, b->integer, &number)) {
    *ret = (Value){.type = a->type == VALUE_TIMESTAMP ? VALUE_DURATION : a->type, .integer = number};
  }
  return CODE_OK;
}

static Code eval_arithmetic(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Value left, right;
  TRY(eval(evaluator, expr->args[0], &left));
  TRY(eval(evaluator, expr->args[1], &right));
  return calculate(evaluator, expr->kind, &left, &right, ret);
}

static Code eval_negate(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Value operand;
  TRY(eval(evaluator, expr->args[0], &operand));
  Value zero = operand.type == VALUE_DECIMAL ? value_decimal(STR("0")) : (Value){.type = operand.type, .integer = 0};
  if (operand.type == VALUE_FLOAT) {
    *ret = value_float(-operand.number);
    return CODE_OK;
  }
  return calculate(evaluator, EXPR_SUB, &zero, &operand, ret);
}

static Code eval_condition(Evaluator *evaluator, const Expr *expr, Value *ret) {
  bool truth = false;
  TRY(eval_truth(evaluator, expr->args[0], &truth));
  return eval(evaluator, expr->args[truth ? 1 : 2], ret);
}

/* ---- functions ---- */

static Code eval_to_many(Evaluator *evaluator, const ExprPath *path, bool *ret_is_null, const Value *const **ret_rows, size_t *ret_count) {
  const Value *row = last_row(evaluator, path);
  const ExprResolver *resolver = evaluator->env->resolver;
  *ret_is_null = row == NULL;
  *ret_count = 0;
  if (row == NULL) return CODE_OK;
  assert(resolver != NULL);
  *ret_count = resolver->to_many(resolver->context, path->field->relation, row, ret_rows);
  return CODE_OK;
}

/* A claim's size: of a string or an array. */
static Code size_of_json(Evaluator *evaluator, Str text, Value *ret) {
  JsonValue json;
  *ret = value_null();
  Code code = json_parse(text, JSON_DEPTH_DEFAULT, evaluator->arena, &json, NULL);
  if (code == CODE_UNAVAILABLE) return error_no_memory(evaluator->err);
  if (code == CODE_OK && json.type == JSON_STRING) *ret = value_int((int64_t)utf8_length(json.text));
  if (code == CODE_OK && json.type == JSON_ARRAY) *ret = value_int((int64_t)json.count);
  return CODE_OK;
}

static Code eval_size(Evaluator *evaluator, const Expr *expr, Value *ret) {
  if (expr->path.field != NULL) {
    bool is_null = false;
    const Value *const *rows = NULL;
    size_t count = 0;
    TRY(eval_to_many(evaluator, &expr->path, &is_null, &rows, &count));
    *ret = is_null ? value_null() : value_int((int64_t)count);
    return CODE_OK;
  }
  Value operand;
  TRY(eval(evaluator, expr->args[0], &operand));
  *ret = value_null();
  if (operand.type == VALUE_TEXT) *ret = value_int((int64_t)utf8_length(operand.text));
  if (operand.type == VALUE_BYTES) *ret = value_int((int64_t)operand.text.len);
  if (operand.type == VALUE_LIST) *ret = value_int((int64_t)operand.list.count);
  return operand.type == VALUE_JSON ? size_of_json(evaluator, operand.text, ret) : CODE_OK;
}

static Code eval_text_function(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Value text, part;
  TRY(eval(evaluator, expr->args[0], &text));
  TRY(eval(evaluator, expr->args[1], &part));
  bool holds = false;
  if (text.type == VALUE_TEXT && part.type == VALUE_TEXT) {
    switch (expr->kind) {
      case EXPR_STARTS_WITH: holds = str_starts_with(text.text, part.text); break;
      case EXPR_ENDS_WITH: holds = str_ends_with(text.text, part.text); break;
      case EXPR_CONTAINS: holds = str_contains(text.text, part.text); break;
      default:
        /* A search that was given up has not matched. */
        if (!regex_matches((const Regex *)expr->regex, text.text, &holds)) holds = false;
    }
  }
  *ret = value_bool(holds);
  return CODE_OK;
}

static Code eval_quantifier(Evaluator *evaluator, const Expr *expr, Value *ret) {
  Frame *frame = &evaluator->frames[expr->depth];
  const Expr *body = expr->args[expr->arg_count - 1];
  bool is_exists = expr->kind == EXPR_EXISTS;
  bool truth = !is_exists, is_null = false;
  const Value *const *rows = NULL;
  Value list = value_null();
  size_t count = 0;
  if (expr->path.field != NULL) {
    TRY(eval_to_many(evaluator, &expr->path, &is_null, &rows, &count));
  } else {
    TRY(eval(evaluator, expr->args[0], &list));
    count = list.type == VALUE_LIST ? list.list.count : 0;
  }
  for (size_t i = 0; i < count && truth != is_exists; i++) {
    frame->row = rows != NULL ? rows[i] : NULL;
    if (rows == NULL) frame->item = list.list.items[i];
    TRY(eval_truth(evaluator, body, &truth));
  }
  *ret = value_bool(truth);
  return CODE_OK;
}

/* ---- conversions ---- */

static Code convert(Evaluator *evaluator, const Expr *expr, const Value *from, Value *ret) {
  *ret = value_null();
  if (from->type == VALUE_TEXT && expr->args[0]->enum_type != NULL) {
    Str name = expr_enum_name(expr->args[0]->enum_type, from->text);
    if (name.ptr != NULL) *ret = value_text(name);
    return CODE_OK;
  }
  if (from->type == VALUE_TEXT)
    return expr_value_of_text(from->text, expr->type, evaluator->arena, ret) ? CODE_OK : error_no_memory(evaluator->err);
  if (from->type == VALUE_INT && expr->type == EXPR_TYPE_FLOAT) *ret = value_float((double)from->integer);
  if (from->type == VALUE_DECIMAL && expr->type == EXPR_TYPE_FLOAT) *ret = value_float(decimal_to_double(from->text));
  if (from->type == VALUE_INT && expr->type == EXPR_TYPE_DECIMAL) {
    Str text = arena_printf(evaluator->arena, "%lld", (long long)from->integer);
    if (text.ptr == NULL) return error_no_memory(evaluator->err);
    *ret = value_decimal(text);
  }
  if (from->type == VALUE_TIMESTAMP && expr->type == EXPR_TYPE_DATE) {
    enum { DAY_US_IN_S = 86400 };
    int64_t day_us = (int64_t)DAY_US_IN_S * 1000000, days = from->integer / day_us;
    if (from->integer % day_us < 0) days--;
    *ret = (Value){.type = VALUE_DATE, .integer = days};
  }
  return CODE_OK;
}

static Code eval_convert(Evaluator *evaluator, const Expr *expr, Value *ret) {
  const Expr *operand = expr->args[0];
  if (operand->kind == EXPR_AUTH_CLAIM) {
    if (!expr_value_of_json(find_claim(evaluator, operand), expr->type, expr->item_type, evaluator->arena, ret))
      return error_no_memory(evaluator->err);
    return CODE_OK;
  }
  Value from;
  TRY(eval(evaluator, operand, &from));
  if (from.type != VALUE_JSON) return convert(evaluator, expr, &from, ret);
  JsonValue json;
  *ret = value_null();
  Code code = json_parse(from.text, JSON_DEPTH_DEFAULT, evaluator->arena, &json, NULL);
  if (code == CODE_OK && expr_value_of_json(&json, expr->type, expr->item_type, evaluator->arena, ret)) return CODE_OK;
  return code == CODE_OK || code == CODE_UNAVAILABLE ? error_no_memory(evaluator->err) : CODE_OK;
}

static Code eval(Evaluator *evaluator, const Expr *expr, Value *ret) {
  switch (expr->kind) {
    case EXPR_LITERAL: *ret = expr->value; return CODE_OK;
    case EXPR_PATH: return eval_path(evaluator, expr, ret);
    case EXPR_VARIABLE: return eval_variable(evaluator, expr, ret);
    case EXPR_AUTH_ID: *ret = evaluator->env->caller->id; return CODE_OK;
    case EXPR_AUTH_ROLES: *ret = (Value){.type = VALUE_LIST, .list = evaluator->env->caller->roles}; return CODE_OK;
    case EXPR_AUTH_CLAIM: return eval_claim(evaluator, expr, ret);
    case EXPR_NOW: *ret = (Value){.type = VALUE_TIMESTAMP, .integer = evaluator->env->now_us}; return CODE_OK;
    case EXPR_UUID: return eval_uuid(evaluator, ret);
    case EXPR_LIST: return eval_list(evaluator, expr, ret);
    case EXPR_AND:
    case EXPR_OR: return eval_logic(evaluator, expr, ret);
    case EXPR_NOT: {
      bool truth = false;
      TRY(eval_truth(evaluator, expr->args[0], &truth));
      *ret = value_bool(!truth);
      return CODE_OK;
    }
    case EXPR_EQ:
    case EXPR_NE: return eval_equality(evaluator, expr, ret);
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE: return eval_ordering(evaluator, expr, ret);
    case EXPR_IN: return eval_in(evaluator, expr, ret);
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_DIV:
    case EXPR_MOD: return eval_arithmetic(evaluator, expr, ret);
    case EXPR_NEGATE: return eval_negate(evaluator, expr, ret);
    case EXPR_CONDITION: return eval_condition(evaluator, expr, ret);
    case EXPR_SIZE: return eval_size(evaluator, expr, ret);
    case EXPR_STARTS_WITH:
    case EXPR_ENDS_WITH:
    case EXPR_CONTAINS:
    case EXPR_MATCHES: return eval_text_function(evaluator, expr, ret);
    case EXPR_HAS: {
      Value operand;
      TRY(eval(evaluator, expr->args[0], &operand));
      *ret = value_bool(!value_is_null(&operand));
      return CODE_OK;
    }
    case EXPR_EXISTS:
    case EXPR_ALL: return eval_quantifier(evaluator, expr, ret);
    case EXPR_CONVERT: return eval_convert(evaluator, expr, ret);
  }
  assert(false);
  return CODE_INTERNAL;
}

Code expr_eval(const Expr *expr, const ExprEnv *env, Arena *arena, Value *ret, Error *err) {
  Evaluator evaluator;
  evaluator.env = env;
  evaluator.arena = arena;
  evaluator.err = err;
  Value value;
  TRY(eval(&evaluator, expr, &value));
  *ret = value;
  return CODE_OK;
}

Code expr_eval_bool(const Expr *expr, const ExprEnv *env, Arena *arena, bool *ret, Error *err) {
  Value value = value_null();
  TRY(expr_eval(expr, env, arena, &value, err));
  *ret = is_true(&value);
  return CODE_OK;
}
