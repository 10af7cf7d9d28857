/* expr_coerce.c - two operands in one type. Conversions that lose nothing are made here once, literals at check time, the rest as
 * EXPR_CONVERT. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/uuid.h"
#include "contract/expr_check.h"

static const char *type_text(ExprType type) {
  switch (type) {
    case EXPR_TYPE_NULL: return "null";
    case EXPR_TYPE_BOOL: return "a Boolean";
    case EXPR_TYPE_INT: return "an integer";
    case EXPR_TYPE_FLOAT: return "a Float";
    case EXPR_TYPE_DECIMAL: return "a Decimal";
    case EXPR_TYPE_STRING: return "a String";
    case EXPR_TYPE_BYTES: return "Bytes";
    case EXPR_TYPE_TIMESTAMP: return "a DateTime";
    case EXPR_TYPE_DATE: return "a Date";
    case EXPR_TYPE_DURATION: return "a duration";
    case EXPR_TYPE_JSON: return "JSON";
    case EXPR_TYPE_LIST: return "a list";
    case EXPR_TYPE_ROW: return "a row";
    case EXPR_TYPE_DYNAMIC: break;
  }
  return "a claim";
}

static const char *describe(Checker *checker, const char *what, Str name) {
  Str text = arena_printf(checker->arena, "%s of %.*s", what, STR_ARGS(name));
  if (text.ptr == NULL) (void)check_no_memory(checker);
  return text.ptr == NULL ? what : text.ptr;
}

const char *check_describe(Checker *checker, const Expr *expr) {
  if (expr->type == EXPR_TYPE_STRING && expr->enum_type != NULL) {
    return describe(checker, "a value", expr->enum_type->name);
  } else if (expr->type == EXPR_TYPE_LIST && expr->item_type == EXPR_TYPE_ROW) {
    return "a list of rows";
  } else if (expr->type == EXPR_TYPE_ROW && expr->kind == EXPR_PATH) {
    const Resource *resource = expr->path.field != NULL   ? expr->path.field->relation->target
                               : expr->path.hop_count > 0 ? expr->path.hops[expr->path.hop_count - 1]->target
                                                          : expr->path.resource;
    return describe(checker, "a row", resource->name);
  }
  return type_text(expr->type);
}

static const Expr *convert_node(Checker *checker, const Expr *expr, ExprType type) {
  Expr *node = expr_new(checker->arena, EXPR_CONVERT, type);
  const Expr **args = ARENA_ARRAY(checker->arena, const Expr *, 1);
  if (node == NULL || args == NULL) return check_no_memory(checker);
  args[0] = expr;
  node->args = args;
  node->arg_count = 1;
  node->begin = expr->begin;
  node->end = expr->end;
  return expr_finish(node);
}

const Expr *check_plain(Checker *checker, const Expr *expr) {
  return expr_holds_stored_names(expr) ? convert_node(checker, expr, EXPR_TYPE_STRING) : expr;
}

const Expr *check_boolean(Checker *checker, const Expr *expr) {
  if (expr->type == EXPR_TYPE_BOOL) return expr;
  if (expr->type == EXPR_TYPE_DYNAMIC) return convert_node(checker, expr, EXPR_TYPE_BOOL);
  const char *hint = expr->type == EXPR_TYPE_ROW    ? "compare it with null, or a field of it"
                     : expr->type == EXPR_TYPE_LIST ? "write size(x) > 0 or x.exists(…)"
                     : expr->type == EXPR_TYPE_NULL ? ""
                                                    : "compare it with a value, or write has(…)";
  check_report_at(checker, expr, hint, "%s stands where a Boolean is needed", check_describe(checker, expr));
  return NULL;
}

/* ---- literals ---- */

static const Expr *bad_literal(Checker *checker, const Expr *expr, const char *what, const char *hint) {
  Str shown = str_slice(checker->source, expr->begin, expr->end > expr->begin + 60 ? expr->begin + 60 : expr->end);
  check_report_at(checker, expr, hint, "%.*s is not %s", STR_ARGS(shown), what);
  return NULL;
}

static const Expr *decimal_literal(Checker *checker, const Expr *place, Str text) {
  DecimalText decimal;
  if (!decimal_parse(text, &decimal)) return bad_literal(checker, place, "a Decimal of at most 38 digits", "");
  Str kept = arena_str(checker->arena, decimal_str(&decimal));
  if (kept.ptr == NULL) return check_no_memory(checker);
  return check_literal(checker, place, EXPR_TYPE_DECIMAL, value_decimal(kept));
}

static const Expr *string_literal_as(Checker *checker, const Expr *expr, ExprType type) {
  Str text = expr->value.text;
  int64_t number = 0;
  switch (type) {
    case EXPR_TYPE_TIMESTAMP:
      if (!timestamp_parse(text, &number)) return bad_literal(checker, expr, "a DateTime", "write it as 2026-11-23T12:00:00Z (RFC 3339)");
      return check_literal(checker, expr, type, (Value){.type = VALUE_TIMESTAMP, .integer = number});
    case EXPR_TYPE_DATE:
      if (!date_parse(text, &number)) return bad_literal(checker, expr, "a Date", "write it as 2026-11-23");
      return check_literal(checker, expr, type, (Value){.type = VALUE_DATE, .integer = number});
    case EXPR_TYPE_DECIMAL: return decimal_literal(checker, expr, text);
    case EXPR_TYPE_DURATION: return bad_literal(checker, expr, "a duration", "write duration(\"24h\")");
    case EXPR_TYPE_BYTES: return bad_literal(checker, expr, "Bytes", "write b\"…\"");
    case EXPR_TYPE_INT:
    case EXPR_TYPE_FLOAT: return bad_literal(checker, expr, "a number", "write it without quotes");
    default: return bad_literal(checker, expr, type_text(type), "");
  }
}

/* A number that was written as 10, 10.5 or 1e3, in another numeric type: by its text, so that nothing is lost. */
static const Expr *number_literal_as(Checker *checker, const Expr *expr, ExprType type) {
  if (type == EXPR_TYPE_DECIMAL) {
    if (expr->type == EXPR_TYPE_INT) {
      Str text = arena_printf(checker->arena, "%lld", (long long)expr->value.integer);
      return text.ptr == NULL ? check_no_memory(checker) : decimal_literal(checker, expr, text);
    }
    return decimal_literal(checker, expr, expr->name);
  }
  if (type == EXPR_TYPE_FLOAT && expr->type == EXPR_TYPE_INT) {
    const Expr *made = check_literal(checker, expr, type, value_float((double)expr->value.integer));
    Str text = arena_printf(checker->arena, "%lld", (long long)expr->value.integer);
    if (made == NULL || text.ptr == NULL) return check_no_memory(checker);
    ((Expr *)made)->name = text; /* just made; beside a Decimal it is read again */
    return made;
  }
  if (expr->type == EXPR_TYPE_DECIMAL) {
    return type == EXPR_TYPE_FLOAT ? check_literal(checker, expr, type, value_float(decimal_to_double(expr->value.text))) : NULL;
  }
  double number = expr->value.number;
  bool is_whole = type == EXPR_TYPE_INT && expr->type == EXPR_TYPE_FLOAT && number == trunc(number) && fabs(number) < 9e15;
  return is_whole ? check_literal(checker, expr, type, value_int((int64_t)number)) : NULL;
}

/* As the contract calls the value; what is no value stays. */
static Str enum_name(const Checker *checker, const EnumType *type, Str given) {
  if (checker->names == NULL || expr_enum_stored(type, given).ptr != NULL) return given;
  const EnumValue *value = checker->names->find_value(checker->names->context, type, given);
  return value == NULL ? given : value->name;
}

static const Expr *enum_literal(Checker *checker, const Expr *expr, const EnumType *type, bool is_stored) {
  Str name = enum_name(checker, type, expr->value.text);
  Str stored = expr_enum_stored(type, name);
  if (stored.ptr == NULL) {
    ExprNearest nearest = {.name = name};
    for (size_t i = 0; i < type->value_count; i++) expr_nearest_offer(&nearest, type->values[i].name);
    char hint[120];
    expr_nearest_hint(&nearest, hint);
    if (hint[0] == '\0') {
      size_t len = (size_t)snprintf(hint, sizeof hint, "its values are");
      for (size_t i = 0; i < type->value_count && len < sizeof hint; i++) {
        len += (size_t)snprintf(hint + len, sizeof hint - len, "%s %.*s", i == 0 ? "" : ",", STR_ARGS(type->values[i].name));
      }
    }
    check_report_at(checker, expr, hint, "\"%.*s\" is not a value of %.*s", (int)(name.len > 60 ? 60 : name.len), name.ptr,
                    STR_ARGS(type->name));
    return NULL;
  }
  const Expr *made = check_literal(checker, expr, EXPR_TYPE_STRING, value_text(is_stored ? stored : name));
  if (made == NULL) return NULL;
  ((Expr *)made)->enum_type = type; /* just made */
  return made;
}

static const Expr *uuid_literal(Checker *checker, const Expr *expr) {
  char text[UUID_TEXT_LEN];
  if (!uuid_parse(expr->value.text, text)) return bad_literal(checker, expr, "a UUID", "");
  Str kept = arena_str(checker->arena, (Str){text, UUID_TEXT_LEN});
  return kept.ptr == NULL ? check_no_memory(checker) : check_literal(checker, expr, EXPR_TYPE_STRING, value_text(kept));
}

/* ---- conversions ---- */

static bool is_number(ExprType type) { return type == EXPR_TYPE_INT || type == EXPR_TYPE_FLOAT || type == EXPR_TYPE_DECIMAL; }
static bool is_scalar(ExprType type) { return type >= EXPR_TYPE_BOOL && type <= EXPR_TYPE_DURATION; }

/* What is known when it is asked for only: claims, and the caller's id, which is text whatever the key's type. */
static bool is_loose(const Expr *expr) { return expr->type == EXPR_TYPE_DYNAMIC || expr->kind == EXPR_AUTH_ID; }

/* NULL without a report: there is no such conversion. */
static const Expr *try_convert(Checker *checker, const Expr *expr, ExprType type) {
  if (expr->type == type) return expr;
  if (is_loose(expr) && (is_scalar(type) || type == EXPR_TYPE_LIST)) return convert_node(checker, expr, type);
  if (expr->kind == EXPR_LITERAL && is_number(expr->type) && is_number(type)) { return number_literal_as(checker, expr, type); }
  bool is_wider = (expr->type == EXPR_TYPE_INT && (type == EXPR_TYPE_FLOAT || type == EXPR_TYPE_DECIMAL)) ||
                  (expr->type == EXPR_TYPE_DECIMAL && type == EXPR_TYPE_FLOAT);
  return is_wider ? convert_node(checker, expr, type) : NULL;
}

const Expr *check_convert(Checker *checker, const Expr *expr, ExprType type) {
  if (expr->kind == EXPR_LITERAL && expr->type == EXPR_TYPE_STRING && type != EXPR_TYPE_STRING && is_scalar(type))
    return string_literal_as(checker, expr, type);
  size_t mistakes = checker->report->count;
  const Expr *made = try_convert(checker, expr, type);
  if (made == NULL && checker->report->count == mistakes && !checker->report->is_no_memory) {
    check_report_at(checker, expr, "", "%s stands where %s is needed", check_describe(checker, expr), type_text(type));
  }
  return made;
}

/* The one of two numeric types that holds both: a literal takes the other's type; Int is promoted; Decimal meets Float as a Float. */
static ExprType common_number(const Expr *left, const Expr *right) {
  if (left->type == right->type) return left->type;
  const Expr *literal = left->kind == EXPR_LITERAL ? left : right->kind == EXPR_LITERAL ? right : NULL;
  const Expr *other = literal == left ? right : left;
  if (literal != NULL) {
    bool is_fraction = literal->type == EXPR_TYPE_FLOAT && literal->value.number != trunc(literal->value.number);
    if (other->type == EXPR_TYPE_DECIMAL || other->type == EXPR_TYPE_FLOAT) return other->type;
    return is_fraction || literal->type == EXPR_TYPE_DECIMAL || fabs(literal->value.number) >= 9e15 ? literal->type : EXPR_TYPE_INT;
  }
  if (left->type == EXPR_TYPE_FLOAT || right->type == EXPR_TYPE_FLOAT) return EXPR_TYPE_FLOAT;
  return EXPR_TYPE_DECIMAL;
}

static bool convert_both(Checker *checker, const Expr **left, const Expr **right, ExprType type) {
  const Expr *new_left = check_convert(checker, *left, type);
  const Expr *new_right = check_convert(checker, *right, type);
  if (new_left == NULL || new_right == NULL) return false;
  *left = new_left;
  *right = new_right;
  return true;
}

static const Field *string_field(const Expr *expr) {
  return expr->kind == EXPR_PATH || (expr->kind == EXPR_VARIABLE && expr->path.member_count > 0) ? expr_path_end(&expr->path) : NULL;
}

/* A literal beside a column of an enum or a UUID is checked and brought into the column's form. */
static bool unify_strings(Checker *checker, const Expr **left, const Expr **right) {
  const Expr **literal = (*left)->kind == EXPR_LITERAL ? left : (*right)->kind == EXPR_LITERAL ? right : NULL;
  const Expr *other = literal == left ? *right : *left;
  if (literal != NULL && other->enum_type != NULL) {
    *literal = enum_literal(checker, *literal, other->enum_type, expr_holds_stored_names(other));
    return *literal != NULL;
  }
  const Field *field = literal == NULL ? NULL : string_field(other);
  if (field != NULL && field->type == TYPE_UUID) {
    *literal = uuid_literal(checker, *literal);
    return *literal != NULL;
  }
  if ((*left)->enum_type != NULL && (*right)->enum_type != NULL && (*left)->enum_type != (*right)->enum_type) {
    check_report_at(checker, *right, "", "%s can't be compared with %s", check_describe(checker, *left), check_describe(checker, *right));
    return false;
  }
  if (expr_holds_stored_names(*left) != expr_holds_stored_names(*right)) {
    *left = check_plain(checker, *left);
    *right = check_plain(checker, *right);
  }
  return *left != NULL && *right != NULL;
}

static bool unify_loose(Checker *checker, const Expr **left, const Expr **right) {
  if (is_loose(*left) && is_loose(*right)) return convert_both(checker, left, right, EXPR_TYPE_STRING);
  const Expr **loose = is_loose(*left) ? left : right;
  const Expr **other = is_loose(*left) ? right : left;
  *other = check_plain(checker, *other);
  if (*other == NULL) return false;
  *loose = check_convert(checker, *loose, (*other)->type);
  return *loose != NULL;
}

bool check_unify(Checker *checker, const Expr **left, const Expr **right, const char *what) {
  const Expr *a = *left, *b = *right;
  if (is_scalar(a->type) || is_scalar(b->type)) {
    bool is_strings = a->type == EXPR_TYPE_STRING && b->type == EXPR_TYPE_STRING;
    if (is_strings) return unify_strings(checker, left, right);
    if ((is_loose(a) && (is_scalar(b->type) || is_loose(b))) || (is_loose(b) && is_scalar(a->type)))
      return unify_loose(checker, left, right);
    if (is_number(a->type) && is_number(b->type)) return convert_both(checker, left, right, common_number(a, b));
    if (a->kind == EXPR_LITERAL && a->type == EXPR_TYPE_STRING && is_scalar(b->type) && b->type != EXPR_TYPE_BOOL)
      return (*left = string_literal_as(checker, a, b->type)) != NULL;
    if (b->kind == EXPR_LITERAL && b->type == EXPR_TYPE_STRING && is_scalar(a->type) && a->type != EXPR_TYPE_BOOL)
      return (*right = string_literal_as(checker, b, a->type)) != NULL;
    if (a->type == b->type) return true;
  } else if (a->type == EXPR_TYPE_DYNAMIC && b->type == EXPR_TYPE_DYNAMIC) {
    return unify_loose(checker, left, right);
  }
  bool is_row = a->type == EXPR_TYPE_ROW || b->type == EXPR_TYPE_ROW;
  bool is_list = a->type == EXPR_TYPE_LIST || b->type == EXPR_TYPE_LIST;
  bool is_time =
      (a->type == EXPR_TYPE_DATE && b->type == EXPR_TYPE_TIMESTAMP) || (a->type == EXPR_TYPE_TIMESTAMP && b->type == EXPR_TYPE_DATE);
  const char *hint = is_row    ? "name a field of the row, as author.id"
                     : is_list ? "write x in list, or list.exists(…)"
                     : is_time ? "write date(\"2026-11-23\") or timestamp(\"…\")"
                               : "";
  Expr both = {.begin = a->begin < b->begin ? a->begin : b->begin, .end = a->end > b->end ? a->end : b->end};
  check_report_at(checker, &both, hint, "%s and %s can't be %s", check_describe(checker, a), check_describe(checker, b), what);
  return false;
}

/* ---- defaults ---- */

static const Expr *condition_for_field(Checker *checker, const Expr *expr, const Field *field) {
  const Expr *args[3] = {expr->args[0], check_for_field(checker, expr->args[1], field), check_for_field(checker, expr->args[2], field)};
  if (args[1] == NULL || args[2] == NULL) return NULL;
  const Expr *made = expr_with_args(checker->arena, EXPR_CONDITION, args[1]->type, args, 3);
  return made == NULL ? check_no_memory(checker) : made;
}

const Expr *check_for_field(Checker *checker, const Expr *expr, const Field *field) {
  if (field->kind == FIELD_TO_ONE) {
    if (field->relation->key_count != 1) {
      check_report_at(checker, expr, "", "a relation with a composite key has no default");
      return NULL;
    }
    field = field->relation->target->keys[0];
  }
  if (expr_is_null_literal(expr)) return expr;
  if (expr->kind == EXPR_CONDITION && !field->is_list) return condition_for_field(checker, expr, field);
  bool is_string_literal = expr->kind == EXPR_LITERAL && expr->type == EXPR_TYPE_STRING;
  ExprType wanted = field->is_list ? EXPR_TYPE_LIST : expr_type_of_field(field);
  if (wanted == EXPR_TYPE_STRING && is_string_literal && field->type == TYPE_ENUM)
    return enum_literal(checker, expr, field->enum_type, true);
  if (wanted == EXPR_TYPE_STRING && is_string_literal && field->type == TYPE_UUID) return uuid_literal(checker, expr);
  if (wanted == EXPR_TYPE_DATE && expr->type == EXPR_TYPE_TIMESTAMP) return convert_node(checker, expr, wanted);
  const Expr *made = check_convert(checker, expr, wanted);
  if (made == NULL || wanted != EXPR_TYPE_LIST || made->kind == EXPR_CONVERT || made->item_type == expr_type_of_field(field)) return made;
  check_report_at(checker, expr, "", "a list of another type stands where a list of %s is needed", type_text(expr_type_of_field(field)));
  return NULL;
}
