/* expr_build.c - nodes of the typed tree: what follows from their parts, and the builders that faces make their own filters with. */
#include <assert.h>

#include "contract/expr_impl.h"

/* ---- types ---- */

ExprType expr_type_of_field(const Field *field) {
  switch (field->type) {
    case TYPE_ID:
    case TYPE_STRING:
    case TYPE_UUID:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_ENUM: return EXPR_TYPE_STRING;
    case TYPE_INT:
    case TYPE_BIGINT: return EXPR_TYPE_INT;
    case TYPE_FLOAT: return EXPR_TYPE_FLOAT;
    case TYPE_DECIMAL: return EXPR_TYPE_DECIMAL;
    case TYPE_BOOLEAN: return EXPR_TYPE_BOOL;
    case TYPE_DATETIME: return EXPR_TYPE_TIMESTAMP;
    case TYPE_DATE: return EXPR_TYPE_DATE;
    case TYPE_BYTES: return EXPR_TYPE_BYTES;
    case TYPE_JSON:
    case TYPE_EMBEDDED:
    case TYPE_COUNT: break;
  }
  return EXPR_TYPE_JSON;
}

const Field *expr_path_end(const ExprPath *path) { return path->member_count > 0 ? path->members[path->member_count - 1] : path->field; }

ExprType expr_type_of_path(const ExprPath *path, ExprType *ret_item_type) {
  *ret_item_type = EXPR_TYPE_NULL;
  const Field *end = expr_path_end(path);
  if (end == NULL || (path->member_count == 0 && end->kind == FIELD_TO_ONE)) return EXPR_TYPE_ROW;
  if (path->member_count == 0 && end->kind == FIELD_TO_MANY) {
    *ret_item_type = EXPR_TYPE_ROW;
    return EXPR_TYPE_LIST;
  }
  if (!end->is_list) return expr_type_of_field(end);
  *ret_item_type = expr_type_of_field(end);
  return EXPR_TYPE_LIST;
}

ValueType expr_value_type(ExprType type) {
  switch (type) {
    case EXPR_TYPE_BOOL: return VALUE_BOOL;
    case EXPR_TYPE_INT: return VALUE_INT;
    case EXPR_TYPE_FLOAT: return VALUE_FLOAT;
    case EXPR_TYPE_DECIMAL: return VALUE_DECIMAL;
    case EXPR_TYPE_STRING: return VALUE_TEXT;
    case EXPR_TYPE_BYTES: return VALUE_BYTES;
    case EXPR_TYPE_TIMESTAMP: return VALUE_TIMESTAMP;
    case EXPR_TYPE_DATE: return VALUE_DATE;
    case EXPR_TYPE_DURATION: return VALUE_DURATION;
    case EXPR_TYPE_JSON: return VALUE_JSON;
    case EXPR_TYPE_LIST: return VALUE_LIST;
    case EXPR_TYPE_NULL:
    case EXPR_TYPE_ROW:
    case EXPR_TYPE_DYNAMIC: break;
  }
  return VALUE_NULL;
}

ExprType expr_type_of_value(ValueType type) {
  switch (type) {
    case VALUE_BOOL: return EXPR_TYPE_BOOL;
    case VALUE_INT: return EXPR_TYPE_INT;
    case VALUE_FLOAT: return EXPR_TYPE_FLOAT;
    case VALUE_DECIMAL: return EXPR_TYPE_DECIMAL;
    case VALUE_TEXT: return EXPR_TYPE_STRING;
    case VALUE_BYTES: return EXPR_TYPE_BYTES;
    case VALUE_TIMESTAMP: return EXPR_TYPE_TIMESTAMP;
    case VALUE_DATE: return EXPR_TYPE_DATE;
    case VALUE_DURATION: return EXPR_TYPE_DURATION;
    case VALUE_JSON: return EXPR_TYPE_JSON;
    case VALUE_LIST: return EXPR_TYPE_LIST;
    case VALUE_NULL:
    case VALUE_ROW:
    case VALUE_ROWS: break;
  }
  return EXPR_TYPE_NULL;
}

/* ---- enums ---- */

bool expr_holds_stored_names(const Expr *expr) {
  return expr->kind == EXPR_PATH && expr->type == EXPR_TYPE_STRING && expr->enum_type != NULL && expr->enum_type->has_stored_names &&
         expr->path.member_count == 0;
}

Str expr_enum_name(const EnumType *type, Str stored) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].stored, stored)) return type->values[i].name;
  }
  return (Str){0};
}

Str expr_enum_stored(const EnumType *type, Str name) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].name, name)) return type->values[i].stored;
  }
  return (Str){0};
}

/* ---- nodes ---- */

Expr *expr_new(Arena *arena, ExprKind kind, ExprType type) {
  Expr *expr = ARENA_NEW(arena, Expr);
  if (expr == NULL) return NULL;
  expr->kind = kind;
  expr->type = type;
  return expr;
}

static bool is_parameter(const Expr *expr) {
  return expr->kind == EXPR_LITERAL && expr->value.type != VALUE_NULL && expr->value.type != VALUE_BOOL;
}

static void finish_path(Expr *expr) {
  const ExprPath *path = &expr->path;
  expr->roots |= 1u << path->root;
  bool is_to_many = path->field != NULL && path->field->kind == FIELD_TO_MANY;
  if (path->hop_count > 0 || is_to_many) expr->has_relations = true;
}

const Expr *expr_finish(Expr *expr) {
  expr->roots = 0;
  expr->has_relations = false;
  expr->has_literals = is_parameter(expr);
  for (size_t i = 0; i < expr->arg_count; i++) {
    expr->roots |= expr->args[i]->roots;
    expr->has_relations |= expr->args[i]->has_relations;
    expr->has_literals |= expr->args[i]->has_literals;
  }
  switch (expr->kind) {
    case EXPR_AUTH_ID:
    case EXPR_AUTH_ROLES:
    case EXPR_AUTH_CLAIM: expr->roots |= EXPR_READS_CALLER; break;
    case EXPR_NOW:
    case EXPR_UUID: expr->roots |= EXPR_READS_NOW; break;
    case EXPR_VARIABLE: expr->roots |= 1u << (EXPR_ROOT_BOUND + expr->depth); break;
    case EXPR_PATH: finish_path(expr); break;
    case EXPR_EXISTS:
    case EXPR_ALL:
      expr->roots &= ~(1u << (EXPR_ROOT_BOUND + expr->depth));
      if (expr->path.field != NULL) finish_path(expr);
      break;
    case EXPR_SIZE:
      if (expr->path.field != NULL) finish_path(expr);
      break;
    default: break;
  }
  expr->depends_on_row = (expr->roots & ~(EXPR_READS_CALLER | EXPR_READS_NOW)) != 0;
  return expr;
}

const Expr *expr_with_args(Arena *arena, ExprKind kind, ExprType type, const Expr *const *args, size_t count) {
  Expr *expr = expr_new(arena, kind, type);
  const Expr **copy = ARENA_ARRAY(arena, const Expr *, count);
  if (expr == NULL || copy == NULL) return NULL;
  for (size_t i = 0; i < count; i++) {
    if (args[i] == NULL) return NULL;
    copy[i] = args[i];
  }
  expr->args = copy;
  expr->arg_count = count;
  return expr_finish(expr);
}

/* ---- builders ---- */

const Expr *expr_literal(Arena *arena, Value value) {
  Expr *expr = expr_new(arena, EXPR_LITERAL, expr_type_of_value(value.type));
  if (expr == NULL) return NULL;
  expr->value = value;
  if (value.type == VALUE_LIST) {
    for (size_t i = 0; i < value.list.count && expr->item_type == EXPR_TYPE_NULL; i++)
      expr->item_type = expr_type_of_value(value.list.items[i].type);
    if (expr->item_type == EXPR_TYPE_NULL) expr->item_type = EXPR_TYPE_STRING;
  }
  return expr_finish(expr);
}

const Expr *expr_bool(bool value) {
  static const Expr literals[2] = {
      {.kind = EXPR_LITERAL, .type = EXPR_TYPE_BOOL, .value = {.type = VALUE_BOOL, .boolean = false}},
      {.kind = EXPR_LITERAL, .type = EXPR_TYPE_BOOL, .value = {.type = VALUE_BOOL, .boolean = true}},
  };
  return &literals[value ? 1 : 0];
}

const Expr *expr_path(Arena *arena, const ExprPath *path) {
  Expr *expr = expr_new(arena, EXPR_PATH, EXPR_TYPE_NULL);
  if (expr == NULL) return NULL;
  expr->path = *path;
  expr->type = expr_type_of_path(path, &expr->item_type);
  const Field *end = expr_path_end(path);
  if (end != NULL && end->type == TYPE_ENUM && (path->member_count > 0 || end->kind == FIELD_STORED)) expr->enum_type = end->enum_type;
  return expr_finish(expr);
}

bool expr_path_equal(const ExprPath *a, const ExprPath *b) {
  if (a->field != b->field || a->hop_count != b->hop_count || a->member_count != b->member_count) return false;
  for (size_t i = 0; i < a->hop_count; i++) {
    if (a->hops[i] != b->hops[i]) return false;
  }
  for (size_t i = 0; i < a->member_count; i++) {
    if (a->members[i] != b->members[i]) return false;
  }
  return true;
}

/* An ordering is by name (INTERFACE §2). */
static const Expr *enum_as_name(Arena *arena, const Expr *expr, const EnumType *type) {
  if (expr_holds_stored_names(expr)) {
    const Expr *args[] = {expr};
    return expr_with_args(arena, EXPR_CONVERT, EXPR_TYPE_STRING, args, 1);
  }
  if (expr->kind == EXPR_LITERAL && expr->value.type == VALUE_TEXT) {
    Str name = expr_enum_name(type, expr->value.text);
    return name.ptr == NULL ? expr : expr_literal(arena, value_text(name));
  }
  return expr;
}

const Expr *expr_compare(Arena *arena, ExprKind kind, const Expr *left, const Expr *right) {
  if (left == NULL || right == NULL) return NULL;
  const EnumType *type = expr_holds_stored_names(left) ? left->enum_type : expr_holds_stored_names(right) ? right->enum_type : NULL;
  if (type != NULL && kind != EXPR_EQ && kind != EXPR_NE) {
    left = enum_as_name(arena, left, type);
    right = enum_as_name(arena, right, type);
  }
  const Expr *args[] = {left, right};
  return expr_with_args(arena, kind, EXPR_TYPE_BOOL, args, 2);
}

static ExprType type_of_call(ExprKind kind, const Expr *const *args, size_t count) {
  switch (kind) {
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_DIV:
    case EXPR_MOD:
    case EXPR_NEGATE: return args[0]->type;
    case EXPR_CONDITION: return args[1]->type;
    case EXPR_SIZE: return EXPR_TYPE_INT;
    case EXPR_LIST: return EXPR_TYPE_LIST;
    default: (void)count; return EXPR_TYPE_BOOL;
  }
}

const Expr *expr_call(Arena *arena, ExprKind kind, const Expr *const *args, size_t count) {
  assert(kind != EXPR_EXISTS && kind != EXPR_ALL && kind != EXPR_CONVERT);
  for (size_t i = 0; i < count; i++) {
    if (args[i] == NULL) return NULL;
  }
  const Expr *plain[2];
  bool is_text_function = kind == EXPR_STARTS_WITH || kind == EXPR_ENDS_WITH || kind == EXPR_CONTAINS || kind == EXPR_MATCHES;
  if (is_text_function && count == 2 && expr_holds_stored_names(args[0])) {
    plain[0] = enum_as_name(arena, args[0], args[0]->enum_type);
    plain[1] = args[1];
    args = plain;
  }
  const Expr *call = expr_with_args(arena, kind, type_of_call(kind, args, count), args, count);
  if (call == NULL || kind != EXPR_LIST || count == 0) return call;
  Expr *list = (Expr *)call; /* just made here */
  list->item_type = args[0]->type;
  return list;
}

static const Expr *join_terms(Arena *arena, ExprKind kind, const Expr *left, const Expr *right) {
  if (left == NULL || right == NULL) return left != NULL ? left : right;
  const Expr *args[] = {left, right};
  return expr_with_args(arena, kind, EXPR_TYPE_BOOL, args, 2);
}

const Expr *expr_and(Arena *arena, const Expr *left, const Expr *right) { return join_terms(arena, EXPR_AND, left, right); }
const Expr *expr_or(Arena *arena, const Expr *left, const Expr *right) { return join_terms(arena, EXPR_OR, left, right); }

const Expr *expr_not(Arena *arena, const Expr *operand) {
  if (operand == NULL) return NULL;
  return expr_with_args(arena, EXPR_NOT, EXPR_TYPE_BOOL, &operand, 1);
}

const Expr *expr_exists(Arena *arena, ExprKind kind, const ExprPath *path, const Expr *body, uint32_t depth) {
  assert(kind == EXPR_EXISTS || kind == EXPR_ALL);
  assert(path->field != NULL && path->field->kind == FIELD_TO_MANY && depth < EXPR_BINDINGS_MAX);
  if (body == NULL) return NULL;
  Expr *expr = expr_new(arena, kind, EXPR_TYPE_BOOL);
  const Expr **args = ARENA_ARRAY(arena, const Expr *, 1);
  if (expr == NULL || args == NULL) return NULL;
  args[0] = body;
  expr->args = args;
  expr->arg_count = 1;
  expr->path = *path;
  expr->depth = depth;
  return expr_finish(expr);
}

bool expr_is_two_valued(const Expr *expr) {
  switch (expr->kind) {
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_IN:
    case EXPR_STARTS_WITH:
    case EXPR_ENDS_WITH:
    case EXPR_CONTAINS:
    case EXPR_MATCHES:
    case EXPR_HAS:
    case EXPR_EXISTS:
    case EXPR_ALL: return true;
    default: return false;
  }
}
