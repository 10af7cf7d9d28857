/* select.c - see select.h. A statement is kept as its clauses, each a buffer of its own; sql_select_finish puts them together. */
#include "sql/select.h"

#include <assert.h>

#include "sql/dialect_impl.h"
#include "sql/expr_sql.h"

enum {
  STATEMENT_BYTES_MAX = 4 * 1024 * 1024,
  JOINS_MAX = 48 /* SQLite joins at most 64 tables; the rest is the planner's own */
};

typedef struct ScopeNode ScopeNode;
struct ScopeNode {
  SqlScope scope;            /* first, so that a scope is its node */
  ScopeNode *source;         /* the FROM item in whose chain of joins it stands; itself for a FROM item */
  ScopeNode *next;           /* in SqlSelect.nodes, in order */
  Str text;                  /* a FROM item: the table or subselect, without its alias; ptr NULL: it stands in an outer select */
  Str on;                    /* a join's condition */
  const SqlScope *joined_to; /* what a join was asked with, so that it is found again */
  const Relation *relation;
  const SqlGuard *guard;
};

struct SqlSelect {
  SqlWriter *writer;
  SqlSelect *outer;
  ScopeNode *nodes, *last;
  size_t join_count;
  Buf columns, where, group, having, order;
  size_t column_count, where_count, group_count, having_count, order_count;
  uint32_t limit_param;
  bool is_distinct;
  const SqlScope *locked;
};

SqlSelect *sql_select_create(SqlWriter *writer, SqlSelect *outer) {
  SqlSelect *select = ARENA_NEW(writer->arena, SqlSelect);
  if (select == NULL) return NULL;
  select->writer = writer;
  select->outer = outer;
  Buf *clauses[] = {&select->columns, &select->where, &select->group, &select->having, &select->order};
  for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++) *clauses[i] = buf_on(writer->arena, STATEMENT_BYTES_MAX);
  return select;
}

static ScopeNode *node_add(SqlSelect *select, const Resource *resource) {
  ScopeNode *node = ARENA_NEW(select->writer->arena, ScopeNode);
  if (node == NULL) return NULL;
  node->scope = (SqlScope){.select = select, .resource = resource, .alias = ++select->writer->alias_count};
  node->source = node;
  if (select->last == NULL)
    select->nodes = node;
  else
    select->last->next = node;
  select->last = node;
  return node;
}

/* Takes what was written as the node's text; NULL when memory ran out on the way. */
static SqlScope *node_with_text(ScopeNode *node, const Buf *text) {
  if (node == NULL || text->failed != CODE_OK) return NULL;
  node->text = buf_str(text);
  return &node->scope;
}

SqlScope *sql_select_from(SqlSelect *select, const Resource *resource) {
  Buf text = buf_on(select->writer->arena, STATEMENT_BYTES_MAX);
  sql_write_table(&text, resource);
  return node_with_text(node_add(select, resource), &text);
}

SqlScope *sql_select_from_row(SqlSelect *select, const Resource *resource, uint32_t first_param) {
  Buf text = buf_on(select->writer->arena, STATEMENT_BYTES_MAX);
  buf_add(&text, STR("(SELECT "));
  for (size_t i = 0; i < resource->stored_count; i++) {
    if (i > 0) buf_add(&text, STR(", "));
    sql_write_field_param(select->writer, &text, first_param + (uint32_t)i, resource->stored[i]);
    buf_add(&text, STR(" AS c"));
    buf_add_uint64(&text, i);
  }
  buf_add_byte(&text, ')');
  ScopeNode *node = node_add(select, resource);
  if (node != NULL) node->scope.is_plain_row = true;
  return node_with_text(node, &text);
}

SqlScope *sql_select_from_text(SqlSelect *select, Str text, const Resource *resource) {
  ScopeNode *node = node_add(select, resource);
  if (node == NULL) return NULL;
  node->text = text;
  return &node->scope;
}

SqlScope *sql_select_from_outer(SqlSelect *select, const SqlScope *outer) {
  ScopeNode *node = node_add(select, outer->resource);
  if (node == NULL) return NULL;
  node->scope.alias = outer->alias;
  node->scope.is_plain_row = outer->is_plain_row;
  return &node->scope;
}

/* ---- joins ---- */

/* Keys are compared as they are stored, so that indexes serve; a row of parameters holds canonical values, and then the column is read as
 * such. */
static void write_join_keys(const SqlWriter *writer, Buf *on, const SqlScope *target, const SqlScope *source, const Relation *relation) {
  for (size_t i = 0; i < relation->key_count; i++) {
    if (i > 0) buf_add(on, STR(" AND "));
    if (source->is_plain_row)
      sql_write_equatable(writer, on, target, relation->target->keys[i]);
    else
      sql_write_column(on, target, relation->target->keys[i]);
    buf_add(on, STR(" = "));
    sql_write_column(on, source, relation->keys[i]);
  }
}

/* An ON sees the rows that are joined so far and no further one, so that a rule over relations goes into a subselect there. */
static Code write_join_rule(SqlWriter *writer, Buf *on, SqlScope *scope, const Expr *rule, Error *err) {
  if (rule == NULL) return CODE_OK;
  buf_add(on, STR(" AND ("));
  if (!rule->has_relations) {
    TRY(expr_sql_write_condition(writer, on, rule, &(ExprSqlRoots){.row = scope}, NULL, err));
  } else {
    SqlSelect *inner = sql_select_create(writer, scope->select);
    TRY_ALLOC(inner);
    SqlScope *row = sql_select_from_outer(inner, scope);
    TRY_ALLOC(row);
    TRY(expr_sql_write_condition(writer, sql_select_where(inner), rule, &(ExprSqlRoots){.row = row}, NULL, err));
    Str text;
    TRY(sql_select_finish(inner, &text, err));
    buf_add(on, STR("EXISTS ("));
    buf_add(on, text);
    buf_add_byte(on, ')');
  }
  buf_add_byte(on, ')');
  return CODE_OK;
}

/* NULL: everything is visible. */
static const Expr *row_rule(const SqlGuard *guard, const Resource *resource) {
  const Expr *rule = guard == NULL || guard->row_rule == NULL ? NULL : guard->row_rule(guard->context, resource);
  return rule == NULL || expr_is_true(rule) ? NULL : rule;
}

static const Expr *field_rule(const SqlGuard *guard, const Field *field) {
  const Expr *rule = guard == NULL || guard->field_rule == NULL ? NULL : guard->field_rule(guard->context, field);
  return rule == NULL || expr_is_true(rule) ? NULL : rule;
}

static ScopeNode *join_find(const SqlScope *scope, const Relation *relation, const SqlGuard *guard) {
  for (ScopeNode *node = scope->select->nodes; node != NULL; node = node->next) {
    if (node->joined_to == scope && node->relation == relation && node->guard == guard) return node;
  }
  return NULL;
}

SqlScope *sql_scope_join(SqlScope *scope, const Relation *relation, const SqlGuard *guard, Error *err) {
  const Expr *target_rule = row_rule(guard, relation->target);
  const Expr *relation_rule = field_rule(guard, relation->field);
  /* What is wholly visible is the same row with a guard and without. */
  const SqlGuard *asked_with = target_rule != NULL || relation_rule != NULL ? guard : NULL;
  ScopeNode *found = join_find(scope, relation, asked_with);
  if (found != NULL) return &found->scope;
  SqlSelect *select = scope->select;
  if (++select->join_count > JOINS_MAX) {
    error_set(err, CODE_TOO_LARGE, "the request reaches over too many relations");
    return NULL;
  }
  ScopeNode *node = node_add(select, relation->target);
  if (node == NULL) goto no_memory;
  node->source = ((ScopeNode *)scope)->source;
  node->joined_to = scope;
  node->relation = relation;
  node->guard = asked_with;
  Buf on = buf_on(select->writer->arena, STATEMENT_BYTES_MAX);
  write_join_keys(select->writer, &on, &node->scope, scope, relation);
  if (write_join_rule(select->writer, &on, &node->scope, target_rule, err) != CODE_OK) return NULL;
  if (write_join_rule(select->writer, &on, scope, relation_rule, err) != CODE_OK) return NULL;
  if (on.failed != CODE_OK) goto no_memory;
  node->on = buf_str(&on);
  return &node->scope;
no_memory:
  error_no_memory(err);
  return NULL;
}

/* ---- clauses ---- */

Buf *sql_select_columns(SqlSelect *select) { return &select->columns; }

void sql_select_next_column(SqlSelect *select) {
  if (select->column_count++ > 0) buf_add(&select->columns, STR(", "));
}

Buf *sql_select_where(SqlSelect *select) {
  if (select->where_count++ > 0) buf_add(&select->where, STR(") AND ("));
  return &select->where;
}

Buf *sql_select_group(SqlSelect *select) {
  if (select->group_count++ > 0) buf_add(&select->group, STR(", "));
  return &select->group;
}

Buf *sql_select_having(SqlSelect *select) {
  if (select->having_count++ > 0) buf_add(&select->having, STR(") AND ("));
  return &select->having;
}

Buf *sql_select_order(SqlSelect *select) {
  if (select->order_count++ > 0) buf_add(&select->order, STR(", "));
  return &select->order;
}

void sql_select_distinct(SqlSelect *select) { select->is_distinct = true; }

void sql_select_limit(SqlSelect *select, uint32_t limit_param) { select->limit_param = limit_param; }

void sql_select_lock(SqlSelect *select, const SqlScope *scope) { select->locked = scope; }

static void write_source(Buf *out, const SqlSelect *select, const ScopeNode *source, bool *is_first) {
  bool has_joins = false;
  for (const ScopeNode *node = select->nodes; node != NULL && !has_joins; node = node->next)
    has_joins = node != source && node->source == source;
  bool is_outer = source->text.ptr == NULL;
  if (is_outer && !has_joins) return;
  buf_add(out, *is_first ? STR(" FROM ") : STR(", "));
  *is_first = false;
  if (is_outer) {
    buf_add(out, STR("(SELECT 1) AS o"));
    buf_add_uint64(out, source->scope.alias);
  } else {
    buf_add(out, source->text);
    buf_add(out, STR(" AS "));
    sql_write_alias(out, &source->scope);
  }
  for (const ScopeNode *node = source->next; node != NULL; node = node->next) {
    if (node->source != source) continue;
    buf_add(out, STR(" LEFT JOIN "));
    sql_write_table(out, node->scope.resource);
    buf_add(out, STR(" AS "));
    sql_write_alias(out, &node->scope);
    buf_add(out, STR(" ON "));
    buf_add(out, node->on);
  }
}

static void write_clause(Buf *out, Str keyword, const Buf *clause, size_t count, bool has_parentheses) {
  if (clause->failed != CODE_OK && out->failed == CODE_OK) out->failed = clause->failed;
  if (count == 0) return;
  buf_add(out, keyword);
  has_parentheses = has_parentheses && count > 1;
  if (has_parentheses) buf_add_byte(out, '(');
  buf_add(out, buf_str(clause));
  if (has_parentheses) buf_add_byte(out, ')');
}

Code sql_select_finish(SqlSelect *select, Str *ret, Error *err) {
  Buf out = buf_on(select->writer->arena, STATEMENT_BYTES_MAX);
  buf_add(&out, select->is_distinct ? STR("SELECT DISTINCT ") : STR("SELECT "));
  if (select->columns.len == 0) buf_add_byte(&out, '1');
  write_clause(&out, STR(""), &select->columns, select->columns.len > 0, false);
  bool is_first = true;
  for (const ScopeNode *node = select->nodes; node != NULL; node = node->next) {
    if (node->source == node) write_source(&out, select, node, &is_first);
  }
  write_clause(&out, STR(" WHERE "), &select->where, select->where_count, true);
  write_clause(&out, STR(" GROUP BY "), &select->group, select->group_count, false);
  write_clause(&out, STR(" HAVING "), &select->having, select->having_count, true);
  write_clause(&out, STR(" ORDER BY "), &select->order, select->order_count, false);
  if (select->limit_param != 0) {
    buf_add(&out, STR(" LIMIT "));
    sql_write_param(select->writer, &out, select->limit_param, VALUE_INT);
  }
  if (select->locked != NULL && select->writer->dialect->row_lock.len > 0) {
    buf_add(&out, select->writer->dialect->row_lock);
    sql_write_alias(&out, select->locked);
  }
  return buf_finish(&out, ret, err);
}

/* ---- pieces of text ---- */

void sql_write_identifier(Buf *out, Str name) {
  buf_add_byte(out, '"');
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == '"') buf_add_byte(out, '"');
    buf_add_byte(out, name.ptr[i]);
  }
  buf_add_byte(out, '"');
}

void sql_write_alias(Buf *out, const SqlScope *scope) {
  buf_add_byte(out, 't');
  buf_add_uint64(out, scope->alias);
}

void sql_write_param(const SqlWriter *writer, Buf *out, uint32_t param, ValueType type) {
  buf_add_byte(out, writer->dialect->param_sigil);
  buf_add_uint64(out, param);
  buf_add(out, writer->dialect->param_casts[type]);
}

void sql_write_column(Buf *out, const SqlScope *scope, const Field *field) {
  sql_write_alias(out, scope);
  buf_add_byte(out, '.');
  if (scope->is_plain_row) {
    buf_add_byte(out, 'c');
    buf_add_uint64(out, field->stored_index);
  } else {
    sql_write_identifier(out, field->column);
  }
}

void sql_write_field_param(const SqlWriter *writer, Buf *out, uint32_t param, const Field *field) {
  Str cast = sql_has_own_form(writer->dialect, field) ? writer->dialect->field_cast(field) : (Str){0};
  buf_add_byte(out, writer->dialect->param_sigil);
  buf_add_uint64(out, param);
  buf_add(out, cast.len > 0 ? cast : writer->dialect->param_casts[field_value_type(field)]);
}

void sql_write_stored_param(const SqlWriter *writer, Buf *out, uint32_t param, const Field *field) {
  buf_add_byte(out, writer->dialect->param_sigil);
  buf_add_uint64(out, param);
  if (writer->dialect->write_stored_cast != NULL) writer->dialect->write_stored_cast(out, field);
}

/* The column's text, for the dialect to put something around it. */
static Str column_text(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  Buf column = buf_on(writer->arena, STATEMENT_BYTES_MAX);
  sql_write_column(&column, scope, field);
  if (column.failed != CODE_OK) out->failed = column.failed;
  return buf_str(&column);
}

void sql_write_canonical(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  writer->dialect->write_canonical(out, column_text(writer, out, scope, field), field, scope->is_plain_row);
}

void sql_write_readable(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  if (writer->dialect->write_readable == NULL)
    sql_write_column(out, scope, field);
  else
    writer->dialect->write_readable(out, column_text(writer, out, scope, field), field);
}

void sql_write_returned(const SqlWriter *writer, Buf *out, const Field *field) {
  Buf column = buf_on(writer->arena, STATEMENT_BYTES_MAX);
  sql_write_identifier(&column, field->column);
  if (column.failed != CODE_OK) out->failed = column.failed;
  if (writer->dialect->write_readable == NULL)
    buf_add(out, buf_str(&column));
  else
    writer->dialect->write_readable(out, buf_str(&column), field);
}

/* Enums sort by name (INTERFACE §2); where what is stored differs, the name is looked up. */
void sql_write_enum_name(Buf *out, Str stored, const EnumType *type) {
  buf_add(out, STR("CASE "));
  buf_add(out, stored);
  for (size_t i = 0; i < type->value_count; i++) {
    buf_add(out, STR(" WHEN "));
    sql_write_string(out, type->values[i].stored);
    buf_add(out, STR(" THEN "));
    sql_write_string(out, type->values[i].name);
  }
  buf_add(out, STR(" END"));
}

void sql_write_collation(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  if (field->is_list || sql_has_own_form(writer->dialect, field)) return;
  buf_add(out, writer->dialect->collations[field_value_type(field)]);
  if (!scope->is_plain_row) buf_add(out, writer->dialect->column_collation(field));
}

static void write_equatable_value(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  if (sql_has_own_form(writer->dialect, field))
    sql_write_column(out, scope, field);
  else
    sql_write_canonical(writer, out, scope, field);
}

static void write_comparable_value(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  bool is_renamed = field->type == TYPE_ENUM && !field->is_list && field->enum_type->has_stored_names;
  if (!is_renamed || sql_has_own_form(writer->dialect, field)) {
    write_equatable_value(writer, out, scope, field);
    return;
  }
  Buf stored = buf_on(writer->arena, STATEMENT_BYTES_MAX);
  sql_write_canonical(writer, &stored, scope, field);
  if (stored.failed != CODE_OK) out->failed = stored.failed;
  buf_add_byte(out, '(');
  sql_write_enum_name(out, buf_str(&stored), field->enum_type);
  buf_add_byte(out, ')');
}

void sql_write_comparable(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  write_comparable_value(writer, out, scope, field);
  sql_write_collation(writer, out, scope, field);
}

void sql_write_equatable(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field) {
  write_equatable_value(writer, out, scope, field);
  if (!writer->dialect->has_plain_equality) sql_write_collation(writer, out, scope, field);
}

void sql_write_null(const SqlWriter *writer, Buf *out, const Field *field) {
  buf_add(out, STR("NULL"));
  buf_add(out, sql_has_own_form(writer->dialect, field) ? writer->dialect->field_cast(field)
                                                        : writer->dialect->param_casts[field_value_type(field)]);
}

Code sql_write_guarded_column(SqlWriter *writer, Buf *out, SqlScope *scope, const Field *field, const SqlGuard *guard, bool is_comparable,
                              Error *err) {
  const Expr *rule = field_rule(guard, field);
  if (rule != NULL && expr_is_false(rule)) {
    sql_write_null(writer, out, field);
    return CODE_OK;
  }
  if (rule != NULL) {
    buf_add(out, STR("(CASE WHEN "));
    TRY(expr_sql_write_condition(writer, out, rule, &(ExprSqlRoots){.row = scope}, NULL, err));
    buf_add(out, STR(" THEN "));
  }
  if (is_comparable)
    write_comparable_value(writer, out, scope, field);
  else
    sql_write_readable(writer, out, scope, field);
  if (rule != NULL) buf_add(out, STR(" END)"));
  if (is_comparable) sql_write_collation(writer, out, scope, field);
  return CODE_OK;
}

/* A dot in the contract's table name stands between schema and table. */
void sql_write_table(Buf *out, const Resource *resource) {
  size_t dot = str_find_byte(resource->table, '.', 0);
  if (dot < resource->table.len) {
    sql_write_identifier(out, str_slice(resource->table, 0, dot));
    buf_add_byte(out, '.');
    sql_write_identifier(out, str_slice(resource->table, dot + 1, resource->table.len));
    return;
  }
  sql_write_identifier(out, resource->table);
}

void sql_write_order_term(const SqlWriter *writer, Buf *out, Str expression, bool is_descending, bool is_nullable) {
  buf_add(out, expression);
  if (is_descending) buf_add(out, STR(" DESC"));
  if (is_nullable && !writer->dialect->has_nulls_largest) buf_add(out, is_descending ? STR(" NULLS FIRST") : STR(" NULLS LAST"));
}
