/* expr_sql.c - see expr_sql.h. Rules are two-valued and SQL is not, so that every Boolean is written in one of two ways: so that it is true
 * exactly where the rule is true (and NULL or false elsewhere: plain `a = b`, which indexes serve), or so that it is true exactly where the
 * rule is not true. */
#include "sql/expr_sql.h"

#include <assert.h>

#include "contract/regex.h"
#include "sql/dialect_impl.h"

enum { TEXT_BYTES_MAX = 4 * 1024 * 1024 };

/* What a bound name stands for: a row of a subselect, or the text of a list's item. */
typedef struct Frame {
  SqlScope *row;
  Str item;
} Frame;

typedef struct Writer {
  SqlWriter *sql;
  const ExprSqlRoots *roots;
  const SqlGuard *guard;
  SqlSelect *select; /* the innermost under construction */
  Error *err;
  Frame frames[EXPR_BINDINGS_MAX];
} Writer;

static Code write_value(Writer *writer, Buf *out, const Expr *expr);
static Code write_true(Writer *writer, Buf *out, const Expr *expr);
static Code write_not_true(Writer *writer, Buf *out, const Expr *expr);

static const SqlDialect *dialect_of(const Writer *writer) { return writer->sql->dialect; }
static void write_boolean(const Writer *writer, Buf *out, bool value) {
  buf_add(out, value ? dialect_of(writer)->true_text : dialect_of(writer)->false_text);
}

static bool is_null_literal(const Expr *expr) { return expr->kind == EXPR_LITERAL && value_is_null(&expr->value); }
static bool is_written_null(const Expr *expr) { return is_null_literal(expr) && expr->type == EXPR_TYPE_NULL; }
static bool is_parameter(const Expr *expr) {
  return expr->kind == EXPR_LITERAL && expr->value.type != VALUE_NULL && expr->value.type != VALUE_BOOL;
}

static ValueType value_type_of(ExprType type) {
  switch (type) {
    case EXPR_TYPE_BOOL: return VALUE_BOOL;
    case EXPR_TYPE_INT: return VALUE_INT;
    case EXPR_TYPE_FLOAT: return VALUE_FLOAT;
    case EXPR_TYPE_DECIMAL: return VALUE_DECIMAL;
    case EXPR_TYPE_BYTES: return VALUE_BYTES;
    case EXPR_TYPE_TIMESTAMP: return VALUE_TIMESTAMP;
    case EXPR_TYPE_DATE: return VALUE_DATE;
    case EXPR_TYPE_DURATION: return VALUE_DURATION;
    case EXPR_TYPE_JSON: return VALUE_JSON;
    case EXPR_TYPE_LIST: return VALUE_LIST;
    default: return VALUE_TEXT;
  }
}

/* Of a type, where the dialect wants to know it. */
static void write_null(const Writer *writer, Buf *out, ExprType type) {
  buf_add(out, STR("NULL"));
  if (type == EXPR_TYPE_NULL) return;
  buf_add(out, dialect_of(writer)->param_casts[type == EXPR_TYPE_LIST ? VALUE_JSON : value_type_of(type)]);
}

/* A text of its own, for operands that are put into templates. */
static Code value_text_of(Writer *writer, const Expr *expr, Str *ret) {
  Buf text = buf_on(writer->sql->arena, TEXT_BYTES_MAX);
  TRY(write_value(writer, &text, expr));
  return buf_finish(&text, ret, writer->err);
}

static Code write_template(Writer *writer, Buf *out, SqlTemplate which, const Expr *const *args, size_t count) {
  Str operands[2];
  assert(count <= 2);
  for (size_t i = 0; i < count; i++) TRY(value_text_of(writer, args[i], &operands[i]));
  sql_write_template(out, dialect_of(writer), which, operands, count);
  return CODE_OK;
}

/* ---- rows and rules ---- */

static const Expr *field_rule(const Writer *writer, const Field *field) {
  const SqlGuard *guard = writer->guard;
  const Expr *rule = guard == NULL || guard->field_rule == NULL ? NULL : guard->field_rule(guard->context, field);
  return rule == NULL || expr_is_true(rule) ? NULL : rule;
}

static const Expr *row_rule(const Writer *writer, const Resource *resource) {
  const SqlGuard *guard = writer->guard;
  const Expr *rule = guard == NULL || guard->row_rule == NULL ? NULL : guard->row_rule(guard->context, resource);
  return rule == NULL || expr_is_true(rule) ? NULL : rule;
}

/* A rule over a row: trusted, so that within it nothing is guarded. */
static Code write_rule(Writer *writer, Buf *out, const Expr *rule, SqlScope *row) {
  return expr_sql_write_condition(writer->sql, out, rule, &(ExprSqlRoots){.row = row}, NULL, writer->err);
}

static SqlScope *root_scope(const Writer *writer, uint32_t root) {
  SqlScope *scope = root == EXPR_ROOT_ROW   ? writer->roots->row
                    : root == EXPR_ROOT_OLD ? writer->roots->old
                                            : writer->frames[root - EXPR_ROOT_BOUND].row;
  assert(scope != NULL);
  return scope;
}

/* The scope of the path's last row, `hop_count` relations on. */
static Code reach(Writer *writer, const ExprPath *path, size_t hop_count, SqlScope **ret) {
  SqlScope *scope = root_scope(writer, path->root);
  for (size_t i = 0; i < hop_count; i++) {
    Error error = {0};
    scope = sql_scope_join(scope, path->hops[i], writer->guard, &error);
    if (scope == NULL) return error_set(writer->err, error.code, "%s", error.text);
  }
  *ret = scope;
  return CODE_OK;
}

/* Where the path ends with a key of the other side and nothing is hidden on the way, the row's own key field says the same without a join.
 */
static void shorten(const Writer *writer, ExprPath *path) {
  while (path->hop_count > 0 && path->field->kind == FIELD_STORED && path->field->is_key) {
    const Relation *last = path->hops[path->hop_count - 1];
    if (row_rule(writer, last->target) != NULL || field_rule(writer, last->field) != NULL || field_rule(writer, path->field) != NULL)
      return;
    size_t i = 0;
    while (i < last->key_count && last->target->keys[i] != path->field) i++;
    /* The own key field may be hidden where the other side's isn't. */
    if (i == last->key_count || field_rule(writer, last->keys[i]) != NULL) return;
    path->field = last->keys[i];
    path->hop_count--;
  }
}

static Code write_document_member(Writer *writer, Buf *out, Str document, const ExprPath *path) {
  Str *names = ARENA_ARRAY(writer->sql->arena, Str, path->member_count);
  if (names == NULL) return error_no_memory(writer->err);
  for (size_t i = 0; i < path->member_count; i++) names[i] = path->members[i]->name;
  const Field *end = path->members[path->member_count - 1];
  dialect_of(writer)->write_member(out, document, names, path->member_count, end->is_list ? TYPE_JSON : end->type);
  return CODE_OK;
}

/* The column, or the member of the object in it, without the rule of the field. */
static Code write_plain_path(Writer *writer, Buf *out, const SqlScope *scope, const ExprPath *path, bool is_own_form) {
  if (path->member_count == 0) {
    if (is_own_form)
      sql_write_column(out, scope, path->field);
    else
      sql_write_canonical(writer->sql, out, scope, path->field);
    return CODE_OK;
  }
  Buf column = buf_on(writer->sql->arena, TEXT_BYTES_MAX);
  sql_write_canonical(writer->sql, &column, scope, path->field);
  Str document;
  TRY(buf_finish(&column, &document, writer->err));
  return write_document_member(writer, out, document, path);
}

static Code write_path(Writer *writer, Buf *out, const Expr *expr, bool is_own_form) {
  ExprPath path = expr->path;
  assert(path.field != NULL && path.field->kind == FIELD_STORED);
  shorten(writer, &path);
  const Expr *rule = field_rule(writer, path.field);
  if (rule != NULL && expr_is_false(rule)) {
    if (is_own_form)
      sql_write_null(writer->sql, out, path.field);
    else
      write_null(writer, out, expr->type);
    return CODE_OK;
  }
  SqlScope *scope = NULL;
  TRY(reach(writer, &path, path.hop_count, &scope));
  if (rule == NULL) return write_plain_path(writer, out, scope, &path, is_own_form);
  buf_add(out, STR("(CASE WHEN "));
  TRY(write_rule(writer, out, rule, scope));
  buf_add(out, STR(" THEN "));
  TRY(write_plain_path(writer, out, scope, &path, is_own_form));
  buf_add(out, STR(" END)"));
  return CODE_OK;
}

static Code write_variable(Writer *writer, Buf *out, const Expr *expr) {
  Str item = writer->frames[expr->depth].item;
  if (expr->path.member_count > 0) return write_document_member(writer, out, item, &expr->path);
  buf_add(out, item);
  return CODE_OK;
}

/* ---- tests for null ---- */

static void write_keys_null(Buf *out, const SqlScope *scope, const Field *const *keys, size_t count, bool is_null) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(out, is_null ? STR(" OR ") : STR(" AND "));
    sql_write_column(out, scope, keys[i]);
    buf_add(out, is_null ? STR(" IS NULL") : STR(" IS NOT NULL"));
  }
}

/* Whether a to-one relation leads to nothing: by its keys, or where its row may be hidden by the joined row. */
static Code write_row_null_test(Writer *writer, Buf *out, const ExprPath *path, bool is_null) {
  if (path->field == NULL) {
    write_boolean(writer, out, !is_null); /* a bound row is there */
    return CODE_OK;
  }
  const Relation *relation = path->field->relation;
  bool is_hidden = row_rule(writer, relation->target) != NULL || field_rule(writer, path->field) != NULL;
  SqlScope *scope = NULL;
  TRY(reach(writer, path, path->hop_count, &scope));
  buf_add_byte(out, '(');
  if (is_hidden) {
    Error error = {0};
    SqlScope *target = sql_scope_join(scope, relation, writer->guard, &error);
    if (target == NULL) return error_set(writer->err, error.code, "%s", error.text);
    write_keys_null(out, target, relation->target->keys, 1, is_null);
  } else {
    write_keys_null(out, scope, relation->keys, relation->key_count, is_null);
  }
  buf_add_byte(out, ')');
  return CODE_OK;
}

static Code write_null_test(Writer *writer, Buf *out, const Expr *expr, bool is_null) {
  if (expr->kind == EXPR_PATH && expr->type == EXPR_TYPE_ROW) return write_row_null_test(writer, out, &expr->path, is_null);
  TRY(write_value(writer, out, expr));
  buf_add(out, is_null ? STR(" IS NULL") : STR(" IS NOT NULL"));
  return CODE_OK;
}

/* Certainly not null, so that SQL's own negation does. */
static bool is_never_null(const Writer *writer, const Expr *expr) {
  switch (expr->kind) {
    case EXPR_LITERAL: return !value_is_null(&expr->value);
    case EXPR_PATH: {
      const Field *field = expr->path.field;
      return expr->path.hop_count == 0 && expr->path.member_count == 0 && field != NULL && field->kind == FIELD_STORED &&
             field->is_required && field->column_type.len == 0 && field_rule(writer, field) == NULL;
    }
    default: return expr_is_two_valued(expr);
  }
}

/* ---- comparisons ---- */

/* A value with the collation that comparing it needs. */
static Code write_operand(Writer *writer, Buf *out, const Expr *expr, bool is_equality) {
  TRY(write_value(writer, out, expr));
  if (is_equality && dialect_of(writer)->has_plain_equality) return CODE_OK;
  if (expr->type != EXPR_TYPE_LIST) buf_add(out, dialect_of(writer)->collations[value_type_of(expr->type)]);
  if (expr->kind == EXPR_PATH && expr->type == EXPR_TYPE_STRING && expr->path.member_count == 0) {
    buf_add(out, dialect_of(writer)->column_collation(expr->path.field));
  }
  return CODE_OK;
}

static Str operator_text(ExprKind kind) {
  switch (kind) {
    case EXPR_EQ: return STR(" = ");
    case EXPR_NE: return STR(" <> ");
    case EXPR_LT: return STR(" < ");
    case EXPR_LE: return STR(" <= ");
    case EXPR_GT: return STR(" > ");
    default: return STR(" >= ");
  }
}

/* A column that has a form of its own, as which it is compared for equality. */
static const Field *own_field(const Writer *writer, const Expr *expr) {
  bool is_column =
      expr->kind == EXPR_PATH && expr->path.member_count == 0 && expr->path.field != NULL && expr->path.field->kind == FIELD_STORED;
  return is_column && sql_has_own_form(dialect_of(writer), expr->path.field) ? expr->path.field : NULL;
}

static Code write_own_operand(Writer *writer, Buf *out, const Expr *expr, const Field *field) {
  if (!is_parameter(expr)) return write_path(writer, out, expr, true);
  sql_write_field_param(writer->sql, out, expr->param, field);
  return CODE_OK;
}

static Code write_comparison(Writer *writer, Buf *out, ExprKind kind, const Expr *left, const Expr *right) {
  bool is_equality = kind == EXPR_EQ || kind == EXPR_NE;
  const Field *left_own = own_field(writer, left), *right_own = own_field(writer, right);
  bool is_own = is_equality && (left_own != NULL || is_parameter(left)) && (right_own != NULL || is_parameter(right));
  const Field *own = left_own != NULL ? left_own : right_own;
  if (is_own && own != NULL) {
    TRY(write_own_operand(writer, out, left, own));
    buf_add(out, operator_text(kind));
    return write_own_operand(writer, out, right, own);
  }
  TRY(write_operand(writer, out, left, is_equality));
  buf_add(out, operator_text(kind));
  return write_operand(writer, out, right, is_equality);
}

/* a == b where `is_equal`, else its negation; true exactly where that holds. */
static Code write_equality(Writer *writer, Buf *out, const Expr *expr, bool is_equal) {
  const Expr *left = expr->args[0], *right = expr->args[1];
  if (is_written_null(left) && is_null_literal(right)) {
    write_boolean(writer, out, is_equal);
    return CODE_OK;
  }
  if (is_written_null(right)) return write_null_test(writer, out, left, is_equal);
  if (is_written_null(left)) return write_null_test(writer, out, right, is_equal);
  if (is_equal) return write_comparison(writer, out, EXPR_EQ, left, right);
  if (is_never_null(writer, left) && is_never_null(writer, right)) return write_comparison(writer, out, EXPR_NE, left, right);
  buf_add_byte(out, '(');
  TRY(write_comparison(writer, out, EXPR_EQ, left, right));
  buf_add(out, STR(") IS NOT TRUE"));
  return CODE_OK;
}

/* x IN (a, b, …): items that depend on the row are written one by one. */
static Code write_in_items(Writer *writer, Buf *out, const Expr *left, const Expr *list) {
  if (list->arg_count == 0) {
    write_boolean(writer, out, false);
    return CODE_OK;
  }
  TRY(write_operand(writer, out, left, true));
  buf_add(out, STR(" IN ("));
  for (size_t i = 0; i < list->arg_count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    TRY(write_value(writer, out, list->args[i]));
  }
  buf_add_byte(out, ')');
  return CODE_OK;
}

static Code write_in(Writer *writer, Buf *out, const Expr *expr) {
  const Expr *left = expr->args[0], *list = expr->args[1];
  if (list->kind == EXPR_LIST) return write_in_items(writer, out, left, list);
  Str items;
  TRY(value_text_of(writer, list, &items));
  ValueType type = value_type_of(list->item_type);
  if (is_parameter(list)) {
    Buf operand = buf_on(writer->sql->arena, TEXT_BYTES_MAX);
    const Field *own = own_field(writer, left);
    if (own != NULL)
      TRY(write_own_operand(writer, &operand, left, own));
    else
      TRY(write_operand(writer, &operand, left, true));
    Str text;
    TRY(buf_finish(&operand, &text, writer->err));
    dialect_of(writer)->write_in_list(out, text, items, type, own);
    return CODE_OK;
  }
  TRY(write_operand(writer, out, left, true));
  buf_add(out, STR(" IN (SELECT value FROM "));
  dialect_of(writer)->write_each(out, items, type, false);
  buf_add(out, STR(" AS l)"));
  return CODE_OK;
}

/* ---- functions of text ---- */

/* A range of the column, where that is what it is, so that an index serves. */
static bool is_range(const Writer *writer, const Expr *expr) {
  const Expr *text = expr->args[0];
  if (expr->kind != EXPR_STARTS_WITH || dialect_of(writer)->templates[SQL_STARTS_WITH_RANGE].len == 0) return false;
  return text->kind == EXPR_PATH && text->path.hop_count == 0 && text->path.member_count == 0 && is_parameter(expr->args[1]) &&
         field_rule(writer, text->path.field) == NULL;
}

static Code write_text_function(Writer *writer, Buf *out, const Expr *expr) {
  SqlTemplate which = expr->kind == EXPR_STARTS_WITH ? SQL_STARTS_WITH
                      : expr->kind == EXPR_ENDS_WITH ? SQL_ENDS_WITH
                      : expr->kind == EXPR_CONTAINS  ? SQL_CONTAINS
                                                     : SQL_MATCHES;
  if (!is_range(writer, expr)) return write_template(writer, out, which, expr->args, 2);
  Buf column = buf_on(writer->sql->arena, TEXT_BYTES_MAX);
  TRY(write_operand(writer, &column, expr->args[0], false));
  Str operands[2];
  TRY(buf_finish(&column, &operands[0], writer->err));
  TRY(value_text_of(writer, expr->args[1], &operands[1]));
  sql_write_template(out, dialect_of(writer), SQL_STARTS_WITH_RANGE, operands, 2);
  return CODE_OK;
}

/* ---- over rows and lists ---- */

/* FROM the rows whose relation points to the path's row, as far as they may be seen; the WHERE is begun. */
static Code begin_rows(Writer *writer, const ExprPath *path, SqlSelect **ret_select, SqlScope **ret_row) {
  const Relation *relation = path->field->relation;
  SqlScope *owner = NULL;
  TRY(reach(writer, path, path->hop_count, &owner));
  SqlSelect *select = sql_select_create(writer->sql, owner->select);
  if (select == NULL) return error_no_memory(writer->err);
  SqlScope *row = sql_select_from(select, relation->source);
  if (row == NULL) return error_no_memory(writer->err);
  for (size_t i = 0; i < relation->key_count; i++) {
    Buf *where = sql_select_where(select);
    if (owner->is_plain_row)
      sql_write_equatable(writer->sql, where, row, relation->keys[i]);
    else
      sql_write_column(where, row, relation->keys[i]);
    buf_add(where, STR(" = "));
    sql_write_column(where, owner, relation->target->keys[i]);
  }
  const Expr *rule = row_rule(writer, relation->source);
  if (rule != NULL) TRY(write_rule(writer, sql_select_where(select), rule, row));
  const Expr *list_rule = field_rule(writer, path->field);
  if (list_rule != NULL) TRY(write_rule(writer, sql_select_where(select), list_rule, owner));
  *ret_select = select;
  *ret_row = row;
  return CODE_OK;
}

static Code items_of(Writer *writer, const Expr *list, Str *ret) {
  Buf text = buf_on(writer->sql->arena, TEXT_BYTES_MAX);
  if (list->kind != EXPR_LIST) {
    Str items;
    TRY(value_text_of(writer, list, &items));
    dialect_of(writer)->write_each(&text, items, value_type_of(list->item_type), is_parameter(list));
    return buf_finish(&text, ret, writer->err);
  }
  buf_add_byte(&text, '(');
  for (size_t i = 0; i < list->arg_count; i++) {
    buf_add(&text, i == 0 ? STR("SELECT ") : STR(" UNION ALL SELECT "));
    TRY(write_value(writer, &text, list->args[i]));
    if (i == 0) buf_add(&text, STR(" AS value"));
  }
  if (list->arg_count == 0) buf_add(&text, STR("SELECT NULL AS value WHERE 1 = 0"));
  buf_add_byte(&text, ')');
  return buf_finish(&text, ret, writer->err);
}

static Code begin_items(Writer *writer, const Expr *list, SqlSelect **ret_select, Str *ret_item) {
  Str items;
  TRY(items_of(writer, list, &items));
  SqlSelect *select = sql_select_create(writer->sql, writer->select);
  if (select == NULL) return error_no_memory(writer->err);
  SqlScope *scope = sql_select_from_text(select, items, NULL);
  if (scope == NULL) return error_no_memory(writer->err);
  Buf item = buf_on(writer->sql->arena, TEXT_BYTES_MAX);
  sql_write_alias(&item, scope);
  buf_add(&item, STR(".value"));
  *ret_select = select;
  return buf_finish(&item, ret_item, writer->err);
}

/* EXISTS (… WHERE body), or for all NOT EXISTS (… WHERE the body isn't true). */
static Code write_quantifier(Writer *writer, Buf *out, const Expr *expr, bool is_negated) {
  Frame *frame = &writer->frames[expr->depth];
  Frame saved = *frame;
  SqlSelect *select = NULL, *outer = writer->select;
  if (expr->path.field != NULL)
    TRY(begin_rows(writer, &expr->path, &select, &frame->row));
  else
    TRY(begin_items(writer, expr->args[0], &select, &frame->item));
  writer->select = select;
  const Expr *body = expr->args[expr->arg_count - 1];
  bool is_exists = expr->kind == EXPR_EXISTS;
  TRY(is_exists ? write_true(writer, sql_select_where(select), body) : write_not_true(writer, sql_select_where(select), body));
  writer->select = outer;
  *frame = saved;
  Str text;
  TRY(sql_select_finish(select, &text, writer->err));
  buf_add(out, is_exists == is_negated ? STR("NOT EXISTS (") : STR("EXISTS ("));
  buf_add(out, text);
  buf_add_byte(out, ')');
  return CODE_OK;
}

/* How many rows; null behind a relation that leads to nothing, and where the list itself is hidden. */
static Code write_row_count(Writer *writer, Buf *out, const ExprPath *path) {
  SqlSelect *select = NULL;
  SqlScope *row = NULL, *owner = NULL;
  TRY(begin_rows(writer, path, &select, &row));
  buf_add(sql_select_columns(select), STR("count(*)"));
  Str text;
  TRY(sql_select_finish(select, &text, writer->err));
  TRY(reach(writer, path, path->hop_count, &owner));
  const Expr *rule = field_rule(writer, path->field);
  bool is_nullable = path->hop_count > 0 || rule != NULL;
  if (is_nullable) {
    buf_add(out, STR("(CASE WHEN "));
    write_keys_null(out, owner, owner->resource->keys, 1, false);
    if (rule != NULL) {
      buf_add(out, STR(" AND "));
      TRY(write_rule(writer, out, rule, owner));
    }
    buf_add(out, STR(" THEN "));
  }
  buf_add_byte(out, '(');
  buf_add(out, text);
  buf_add_byte(out, ')');
  if (is_nullable) buf_add(out, STR(" END)"));
  return CODE_OK;
}

static Code write_size(Writer *writer, Buf *out, const Expr *expr) {
  if (expr->path.field != NULL) return write_row_count(writer, out, &expr->path);
  const Expr *operand = expr->args[0];
  if (operand->kind == EXPR_LIST) {
    buf_add_uint64(out, operand->arg_count);
    return CODE_OK;
  }
  SqlTemplate which = operand->type == EXPR_TYPE_LIST ? SQL_LIST_SIZE : operand->type == EXPR_TYPE_BYTES ? SQL_BYTES_SIZE : SQL_STRING_SIZE;
  return write_template(writer, out, which, expr->args, 1);
}

/* ---- conditions ---- */

/* Terms between AND or OR, each as true or as not true. */
static Code write_terms(Writer *writer, Buf *out, const Expr *expr, bool is_and, bool is_negated) {
  buf_add_byte(out, '(');
  for (size_t i = 0; i < expr->arg_count; i++) {
    if (i > 0) buf_add(out, is_and ? STR(" AND ") : STR(" OR "));
    TRY(is_negated ? write_not_true(writer, out, expr->args[i]) : write_true(writer, out, expr->args[i]));
  }
  buf_add_byte(out, ')');
  return CODE_OK;
}

static Code write_choice(Writer *writer, Buf *out, const Expr *expr) {
  buf_add(out, STR("(CASE WHEN "));
  TRY(write_true(writer, out, expr->args[0]));
  buf_add(out, STR(" THEN "));
  TRY(write_value(writer, out, expr->args[1]));
  buf_add(out, STR(" ELSE "));
  TRY(write_value(writer, out, expr->args[2]));
  buf_add(out, STR(" END)"));
  return CODE_OK;
}

static Code write_true(Writer *writer, Buf *out, const Expr *expr) {
  switch (expr->kind) {
    case EXPR_LITERAL: write_boolean(writer, out, expr_is_true(expr)); return CODE_OK;
    case EXPR_AND:
    case EXPR_OR: return write_terms(writer, out, expr, expr->kind == EXPR_AND, false);
    case EXPR_NOT: return write_not_true(writer, out, expr->args[0]);
    case EXPR_EQ:
    case EXPR_NE: return write_equality(writer, out, expr, expr->kind == EXPR_EQ);
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE: return write_comparison(writer, out, expr->kind, expr->args[0], expr->args[1]);
    case EXPR_IN: return write_in(writer, out, expr);
    case EXPR_STARTS_WITH:
    case EXPR_ENDS_WITH:
    case EXPR_CONTAINS:
    case EXPR_MATCHES: return write_text_function(writer, out, expr);
    case EXPR_HAS: return write_null_test(writer, out, expr->args[0], false);
    case EXPR_EXISTS:
    case EXPR_ALL: return write_quantifier(writer, out, expr, false);
    default:
      /* A Boolean value: a column, a member, a choice. */
      TRY(write_value(writer, out, expr));
      buf_add(out, dialect_of(writer)->boolean_test);
      return CODE_OK;
  }
}

static Code write_not_true(Writer *writer, Buf *out, const Expr *expr) {
  switch (expr->kind) {
    case EXPR_LITERAL: write_boolean(writer, out, !expr_is_true(expr)); return CODE_OK;
    case EXPR_AND:
    case EXPR_OR: return write_terms(writer, out, expr, expr->kind == EXPR_OR, true);
    case EXPR_NOT: return write_true(writer, out, expr->args[0]);
    case EXPR_EQ:
    case EXPR_NE: return write_equality(writer, out, expr, expr->kind == EXPR_NE);
    case EXPR_HAS: return write_null_test(writer, out, expr->args[0], true);
    case EXPR_EXISTS:
    case EXPR_ALL: return write_quantifier(writer, out, expr, true);
    default:
      buf_add_byte(out, '(');
      TRY(write_true(writer, out, expr));
      buf_add(out, STR(") IS NOT TRUE"));
      return CODE_OK;
  }
}

/* ---- values ---- */

static SqlTemplate arithmetic_template(ExprKind kind, ExprType left, ExprType right) {
  static const SqlTemplate ints[] = {SQL_INT_ADD, SQL_INT_SUBTRACT, SQL_INT_MULTIPLY, SQL_INT_DIVIDE, SQL_INT_MODULO};
  static const SqlTemplate floats[] = {SQL_FLOAT_ADD, SQL_FLOAT_SUBTRACT, SQL_FLOAT_MULTIPLY, SQL_FLOAT_DIVIDE};
  static const SqlTemplate decimals[] = {SQL_DECIMAL_ADD, SQL_DECIMAL_SUBTRACT, SQL_DECIMAL_MULTIPLY};
  size_t which = (size_t)(kind - EXPR_ADD);
  if (left == EXPR_TYPE_TIMESTAMP && right == EXPR_TYPE_TIMESTAMP) return SQL_TIMESTAMP_DIFFERENCE;
  if (left == EXPR_TYPE_TIMESTAMP) return kind == EXPR_ADD ? SQL_TIMESTAMP_ADD : SQL_TIMESTAMP_SUBTRACT;
  if (left == EXPR_TYPE_FLOAT) return floats[which];
  if (left == EXPR_TYPE_DECIMAL) return decimals[which];
  return ints[which];
}

static Code write_conversion(Writer *writer, Buf *out, const Expr *expr) {
  const Expr *from = expr->args[0];
  if (from->type == EXPR_TYPE_STRING && from->enum_type != NULL) {
    Str stored;
    TRY(value_text_of(writer, from, &stored));
    buf_add_byte(out, '(');
    sql_write_enum_name(out, stored, from->enum_type);
    buf_add_byte(out, ')');
    return CODE_OK;
  }
  bool is_float = expr->type == EXPR_TYPE_FLOAT;
  if (from->type == EXPR_TYPE_INT) return write_template(writer, out, is_float ? SQL_INT_TO_FLOAT : SQL_INT_TO_DECIMAL, expr->args, 1);
  if (from->type == EXPR_TYPE_DECIMAL && is_float) return write_template(writer, out, SQL_DECIMAL_TO_FLOAT, expr->args, 1);
  /* The caller's values are literals by now (expr_reduce). */
  return error_set(writer->err, CODE_INTERNAL, "an expression was not reduced");
}

static Code write_value(Writer *writer, Buf *out, const Expr *expr) {
  switch (expr->kind) {
    case EXPR_LITERAL:
      if (value_is_null(&expr->value))
        write_null(writer, out, expr->type);
      else if (expr->value.type == VALUE_BOOL)
        write_boolean(writer, out, expr->value.boolean);
      else
        sql_write_param(writer->sql, out, expr->param, expr->value.type);
      return CODE_OK;
    case EXPR_PATH: return write_path(writer, out, expr, false);
    case EXPR_VARIABLE: return write_variable(writer, out, expr);
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_DIV:
    case EXPR_MOD:
      return write_template(writer, out, arithmetic_template(expr->kind, expr->args[0]->type, expr->args[1]->type), expr->args, 2);
    case EXPR_NEGATE: {
      SqlTemplate which = expr->type == EXPR_TYPE_FLOAT     ? SQL_FLOAT_NEGATE
                          : expr->type == EXPR_TYPE_DECIMAL ? SQL_DECIMAL_NEGATE
                                                            : SQL_INT_NEGATE;
      return write_template(writer, out, which, expr->args, 1);
    }
    case EXPR_CONDITION: return write_choice(writer, out, expr);
    case EXPR_SIZE: return write_size(writer, out, expr);
    case EXPR_CONVERT: return write_conversion(writer, out, expr);
    case EXPR_AUTH_ID:
    case EXPR_AUTH_ROLES:
    case EXPR_AUTH_CLAIM:
    case EXPR_NOW:
    case EXPR_UUID:
    case EXPR_LIST: return error_set(writer->err, CODE_INTERNAL, "an expression was not reduced");
    default: break;
  }
  buf_add(out, STR("(("));
  TRY(write_true(writer, out, expr));
  buf_add(out, STR(") IS TRUE)"));
  return CODE_OK;
}

/* ---- the entries ---- */

static Writer writer_on(SqlWriter *sql, const ExprSqlRoots *roots, const SqlGuard *guard, Error *err) {
  Writer writer = {.sql = sql, .roots = roots, .guard = guard, .err = err};
  writer.select = roots->row != NULL ? roots->row->select : roots->old != NULL ? roots->old->select : NULL;
  return writer;
}

Code expr_sql_write_condition(SqlWriter *sql, Buf *out, const Expr *expr, const ExprSqlRoots *roots, const SqlGuard *guard, Error *err) {
  Writer writer = writer_on(sql, roots, guard, err);
  return write_true(&writer, out, expr);
}

Code expr_sql_write_value(SqlWriter *sql, Buf *out, const Expr *expr, const ExprSqlRoots *roots, const SqlGuard *guard, Error *err) {
  Writer writer = writer_on(sql, roots, guard, err);
  return write_operand(&writer, out, expr, false);
}

typedef struct Numbering {
  const SqlDialect *dialect;
  Arena *arena;
  uint32_t *next_param;
  ExprParamFn *add;
  void *context;
} Numbering;

static Code number_literal(const Numbering *numbering, const Expr *expr, Value value) {
  uint32_t param = (*numbering->next_param)++;
  ((Expr *)expr)->param = param; /* a literal of the reduced tree, which is this request's own */
  return numbering->add(numbering->context, param, value);
}

static Code number_pattern(const Numbering *numbering, const Regex *regex, const Expr *pattern) {
  if (numbering->dialect->write_regex == NULL) return number_literal(numbering, pattern, pattern->value);
  Str text;
  Buf out = buf_on(numbering->arena, TEXT_BYTES_MAX);
  numbering->dialect->write_regex(&out, regex_syntax(regex));
  TRY(buf_finish(&out, &text, NULL));
  return number_literal(numbering, pattern, value_text(text));
}

static Code number(const Numbering *numbering, const Expr *expr) {
  if (!expr->has_literals) return CODE_OK;
  if (is_parameter(expr)) return number_literal(numbering, expr, expr->value);
  bool is_pattern = expr->kind == EXPR_MATCHES;
  for (size_t i = 0; i < expr->arg_count - is_pattern; i++) TRY(number(numbering, expr->args[i]));
  return is_pattern ? number_pattern(numbering, expr->regex, expr->args[1]) : CODE_OK;
}

Code expr_sql_number(const Expr *expr, const SqlDialect *dialect, Arena *arena, uint32_t *next_param, ExprParamFn *add, void *context) {
  Numbering numbering = {dialect, arena, next_param, add, context};
  return number(&numbering, expr);
}

/* ---- shape ---- */

static void shape_add(Buf *shape, const void *bytes, size_t len) { buf_add(shape, (Str){(const char *)bytes, len}); }

static void shape_add_path(Buf *shape, const ExprPath *path) {
  uint32_t counts[3] = {path->root, (uint32_t)path->hop_count, (uint32_t)path->member_count};
  shape_add(shape, counts, sizeof counts);
  shape_add(shape, path->hops, path->hop_count * sizeof *path->hops);
  shape_add(shape, &path->field, sizeof path->field);
  shape_add(shape, path->members, path->member_count * sizeof *path->members);
}

/* The contract outlives every plan, so that its objects' addresses tell them apart. */
void expr_sql_shape(Buf *shape, const Expr *expr) {
  unsigned char head[6] = {
      (unsigned char)expr->kind, (unsigned char)expr->type, (unsigned char)expr->item_type, (unsigned char)expr->depth, 0, 0};
  if (expr->kind == EXPR_LITERAL) {
    head[4] = (unsigned char)expr->value.type;
    head[5] = (unsigned char)(expr->value.type == VALUE_BOOL && expr->value.boolean);
    shape_add(shape, head, sizeof head);
    return;
  }
  shape_add(shape, head, sizeof head);
  if (expr->kind == EXPR_PATH || expr->path.field != NULL || expr->path.member_count > 0) shape_add_path(shape, &expr->path);
  uint32_t count = (uint32_t)expr->arg_count;
  shape_add(shape, &count, sizeof count);
  for (size_t i = 0; i < expr->arg_count; i++) expr_sql_shape(shape, expr->args[i]);
}
