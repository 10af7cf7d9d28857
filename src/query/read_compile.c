/* read_compile.c - an outline as SQL: a statement for each list, its count and its probe. Made once for each shape. */
#include <stdio.h>

#include "query/read_call.h"
#include "sql/dialect_impl.h"

typedef VEC(StoreColumn) ColumnVec;

typedef struct Compile {
  const ReadCall *call;
  SqlWriter writer;
  SqlGuard guard;
  Arena *arena; /* the plan's */
  StoreStatement **statements;
} Compile;

/* One SELECT on its way. */
typedef struct Select {
  SqlSelect *select;
  SqlScope *scope;
  ColumnVec columns;
  Str rank; /* of what was searched for; ptr NULL: nothing was */
} Select;

static Code column_add(Compile *compile, Select *select, ValueType type, bool is_foreign, const Field *field, Error *err) {
  StoreColumn column = {.type = type, .is_foreign = is_foreign, .field = field};
  return VEC_PUSH(compile->arena, &select->columns, column) ? CODE_OK : error_no_memory(err);
}

static Code field_column(Compile *compile, Select *select, SqlScope *scope, const Field *field, Error *err) {
  sql_select_next_column(select->select);
  Buf *out = sql_select_columns(select->select);
  TRY(sql_write_guarded_column(&compile->writer, out, scope, field, &compile->guard, false, err));
  return column_add(compile, select, field_value_type(field), field->column_type.len > 0, field, err);
}

/* A key as it is stored: joins lists to their rows, and tells whether a to-one is there. Null where `relation_field`, a field of `owner`,
 * has a rule that hides it. */
static Code key_column(Compile *compile, Select *select, SqlScope *owner, SqlScope *scope, const Field *key, const Field *relation_field,
                       Error *err) {
  const Expr *rule = compile->guard.field_rule(compile->guard.context, relation_field);
  sql_select_next_column(select->select);
  Buf *out = sql_select_columns(select->select);
  if (rule != NULL) {
    ExprSqlRoots roots = {.row = owner};
    buf_add(out, STR("CASE WHEN "));
    TRY(expr_sql_write_condition(&compile->writer, out, rule, &roots, NULL, err));
    buf_add(out, STR(" THEN "));
  }
  sql_write_readable(&compile->writer, out, scope, key);
  if (rule != NULL) buf_add(out, STR(" END"));
  return column_add(compile, select, field_value_type(key), key->column_type.len > 0, key, err);
}

static Code selection_columns(Compile *compile, Select *select, SqlScope *scope, const Selection *selection, Error *err) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    const Relation *relation = item->field->relation;
    if (item->field->kind == FIELD_STORED) {
      TRY(field_column(compile, select, scope, item->field, err));
    } else if (item->field->kind == FIELD_TO_ONE) {
      SqlScope *target = sql_scope_join(scope, relation, &compile->guard, err);
      if (target == NULL) return err->code;
      TRY(key_column(compile, select, scope, target, relation->target->keys[0], item->field, err));
      TRY(selection_columns(compile, select, target, item->nested, err));
    } else {
      for (size_t k = 0; k < relation->key_count; k++)
        TRY(key_column(compile, select, scope, scope, relation->target->keys[k], item->field, err));
    }
  }
  return CODE_OK;
}

/* ---- order and cursors ---- */

/* The text of a sort key, as the client may see it. */
static Code order_text(Compile *compile, Select *select, const OrderTerm *term, Str *ret, Error *err) {
  if (term->is_rank) {
    *ret = select->rank;
    return CODE_OK;
  }
  Buf text = buf_on(compile->call->arena, SIZE_MAX / 2);
  SqlScope *scope = select->scope;
  for (size_t i = 0; i < term->path.hop_count; i++) {
    scope = sql_scope_join(scope, term->path.hops[i], &compile->guard, err);
    if (scope == NULL) return err->code;
  }
  if (term->path.member_count == 0) {
    TRY(sql_write_guarded_column(&compile->writer, &text, scope, term->path.field, &compile->guard, true, err));
  } else {
    const Expr *path = expr_path(compile->call->arena, &term->path);
    TRY_ALLOC(path);
    ExprSqlRoots roots = {.row = select->scope};
    TRY(expr_sql_write_value(&compile->writer, &text, path, &roots, &compile->guard, err));
  }
  return buf_finish(&text, ret, err);
}

static bool is_term_nullable(const ReadCall *call, const OrderTerm *term) {
  if (term->is_rank) return false;
  if (term->path.hop_count > 0 || term->path.member_count > 0 || !term->path.field->is_required) return true;
  SqlGuard guard = plan_guard(&call->input);
  return guard.field_rule(guard.context, term->path.field) != NULL;
}

static void write_order_param(Compile *compile, Buf *out, const ReadNode *node, uint32_t first, size_t term) {
  const OrderTerm *by = &node->order[term];
  if (by->is_rank || by->path.member_count > 0)
    sql_write_param(&compile->writer, out, first + (uint32_t)term, order_value_type(by));
  else
    sql_write_field_param(&compile->writer, out, first + (uint32_t)term, by->path.field);
}

/* `key` is behind the parameter in the wanted direction; null is the largest value. */
static void write_key_beyond(Compile *compile, Buf *out, const ReadNode *node, Str key, uint32_t first, size_t term, bool is_backwards) {
  bool is_descending = node->order[term].is_descending != is_backwards;
  bool is_nullable = is_term_nullable(compile->call, &node->order[term]);
  if (is_nullable) buf_add(out, STR("("));
  buf_add(out, key);
  buf_add(out, is_descending ? STR(" < ") : STR(" > "));
  write_order_param(compile, out, node, first, term);
  if (!is_nullable) return;
  buf_add(out, STR(" OR ("));
  /* Ascending: a null key is beyond every value. Descending: every value is beyond a null parameter. */
  if (is_descending)
    write_order_param(compile, out, node, first, term);
  else
    buf_add(out, key);
  buf_add(out, STR(" IS NULL AND "));
  if (is_descending)
    buf_add(out, key);
  else
    write_order_param(compile, out, node, first, term);
  buf_add(out, STR(" IS NOT NULL))"));
}

static void write_key_equal(Compile *compile, Buf *out, const ReadNode *node, Str key, uint32_t first, size_t term) {
  bool is_nullable = is_term_nullable(compile->call, &node->order[term]);
  if (is_nullable) buf_add(out, STR("("));
  buf_add(out, key);
  buf_add(out, STR(" = "));
  write_order_param(compile, out, node, first, term);
  if (!is_nullable) return;
  buf_add(out, STR(" OR ("));
  buf_add(out, key);
  buf_add(out, STR(" IS NULL AND "));
  write_order_param(compile, out, node, first, term);
  buf_add(out, STR(" IS NULL))"));
}

/* Rows behind the parameters' position: k1 > p1 OR (k1 = p1 AND (k2 > p2 OR (…))). Where the first key can't be null, k1 >= p1 stands
 * before it, so that an index begins at the right place. */
static Code write_keyset(Compile *compile, Select *select, const ReadNode *node, uint32_t first, bool is_backwards, bool is_inclusive,
                         bool has_inclusive_param, Error *err) {
  Str *keys = ARENA_ARRAY(compile->call->arena, Str, node->order_count);
  TRY_ALLOC(keys);
  for (size_t i = 0; i < node->order_count; i++) TRY(order_text(compile, select, &node->order[i], &keys[i], err));
  Buf *out = sql_select_where(select->select);
  if (node->order_count > 1 && !is_term_nullable(compile->call, &node->order[0])) {
    buf_add(out, keys[0]);
    buf_add(out, node->order[0].is_descending != is_backwards ? STR(" <= ") : STR(" >= "));
    write_order_param(compile, out, node, first, 0);
    out = sql_select_where(select->select);
  }
  for (size_t i = 0; i < node->order_count; i++) {
    write_key_beyond(compile, out, node, keys[i], first, i, is_backwards);
    bool is_last = i + 1 == node->order_count;
    if (is_last && !is_inclusive && !has_inclusive_param) continue;
    buf_add(out, STR(" OR ("));
    write_key_equal(compile, out, node, keys[i], first, i);
    if (!is_last) buf_add(out, STR(" AND ("));
  }
  if (has_inclusive_param) {
    buf_add(out, STR(" AND "));
    sql_write_param(&compile->writer, out, first + (uint32_t)node->order_count, VALUE_BOOL);
  }
  size_t open = 2 * (node->order_count - 1) + (is_inclusive || has_inclusive_param ? 1 : 0);
  for (size_t i = 0; i < open; i++) buf_add_byte(out, ')');
  return CODE_OK;
}

static Code order_terms(Compile *compile, Select *select, const ReadNode *node, bool has_columns, bool is_backwards, Error *err) {
  for (size_t i = 0; i < node->order_count; i++) {
    const OrderTerm *term = &node->order[i];
    Str key = {0};
    TRY(order_text(compile, select, term, &key, err));
    sql_write_order_term(&compile->writer, sql_select_order(select->select), key, term->is_descending != is_backwards,
                         is_term_nullable(compile->call, term));
    if (!has_columns) continue;
    sql_select_next_column(select->select);
    buf_add(sql_select_columns(select->select), key);
    TRY(column_add(compile, select, order_value_type(term), false, NULL, err));
    bool is_key = !term->is_rank && term->path.hop_count == 0 && term->path.member_count == 0 && term->path.field->is_key;
    if (is_key) select->columns.items[select->columns.count - 1].key = term->path.field;
  }
  return CODE_OK;
}

/* ---- statements ---- */

static Code statement_finish_text(Compile *compile, const Select *select, Str sql, size_t index, Error *err) {
  StoreStatement *statement =
      plan_statement(&compile->call->input, compile->arena, sql, select->columns.items, select->columns.count, false, err);
  if (statement == NULL) return err->code;
  compile->statements[index] = statement;
  return CODE_OK;
}

/* The lists of all parents: `sql` finds those of one, and names its key's parts. A last column says which. */
static Code join_parents(Compile *compile, const ReadNode *node, Select *select, size_t order_count, Str *sql, Error *err) {
  Buf out = buf_on(compile->call->arena, SIZE_MAX / 2);
  buf_add(&out, STR("SELECT child.*, parent.n FROM "));
  compile->writer.dialect->write_parents(&out, node->link->keys, node->link->key_count, node->key_param);
  buf_add(&out, STR(" AS parent CROSS JOIN LATERAL ("));
  buf_add(&out, *sql);
  buf_add(&out, STR(") AS child("));
  for (size_t i = 0; i < select->columns.count; i++) {
    buf_add(&out, i > 0 ? STR(", c") : STR("c"));
    buf_add_uint64(&out, i);
  }
  buf_add(&out, STR(") ORDER BY parent.n"));
  for (size_t i = 0; i < order_count; i++) {
    char name[32];
    int length = snprintf(name, sizeof name, "child.c%zu", select->columns.count - order_count + i);
    buf_add(&out, STR(", "));
    sql_write_order_term(&compile->writer, &out, (Str){name, (size_t)length}, node->order[i].is_descending != node->is_reversed,
                         is_term_nullable(compile->call, &node->order[i]));
  }
  TRY(column_add(compile, select, VALUE_INT, false, NULL, err));
  return buf_finish(&out, sql, err);
}

/* The node's statement `index`, of which the last `order_count` columns are the sort keys. */
static Code statement_finish(Compile *compile, const ReadNode *node, Select *select, size_t order_count, size_t index, Error *err) {
  Str sql = {0};
  TRY(sql_select_finish(select->select, &sql, err));
  if (node->parent_keys != NULL) TRY(join_parents(compile, node, select, order_count, &sql, err));
  return statement_finish_text(compile, select, sql, index, err);
}

static Code write_condition_term(Compile *compile, Select *select, const Expr *condition, const SqlGuard *guard, Error *err) {
  if (condition == NULL) return CODE_OK;
  ExprSqlRoots roots = {.row = select->scope};
  return expr_sql_write_condition(&compile->writer, sql_select_where(select->select), condition, &roots, guard, err);
}

/* The rows of the parent that stands beside them. */
static void write_parent_terms(Compile *compile, Select *select, const Relation *link) {
  for (size_t i = 0; i < link->key_count; i++) {
    Buf *out = sql_select_where(select->select);
    sql_write_equatable(&compile->writer, out, select->scope, link->keys[i]);
    buf_add(out, STR(" = parent.k"));
    buf_add_uint64(out, i);
  }
}

static void write_key_terms(Compile *compile, Select *select, const Field *const *keys, size_t count, uint32_t first) {
  for (size_t i = 0; i < count; i++) {
    Buf *out = sql_select_where(select->select);
    sql_write_equatable(&compile->writer, out, select->scope, keys[i]);
    buf_add(out, STR(" = "));
    sql_write_field_param(&compile->writer, out, first + (uint32_t)i, keys[i]);
  }
}

/* FROM and the conditions that say which rows there are, whatever the page. */
static Code select_begin(Compile *compile, const ReadNode *node, Select *ret, Error *err) {
  *ret = (Select){.select = sql_select_create(&compile->writer, NULL)};
  TRY_ALLOC(ret->select);
  ret->scope = sql_select_from(ret->select, node->resource);
  TRY_ALLOC(ret->scope);
  if (node->parent_keys != NULL)
    write_parent_terms(compile, ret, node->link);
  else if (node->link != NULL)
    write_key_terms(compile, ret, node->link->keys, node->link->key_count, node->key_param);
  else if (node->list == NULL)
    write_key_terms(compile, ret, node->resource->keys, node->resource->key_count, node->key_param);
  TRY(search_write(&compile->writer, ret->select, ret->scope, &node->search, &ret->rank, err));
  TRY(write_condition_term(compile, ret, node->scope, NULL, err));
  TRY(write_condition_term(compile, ret, node->read_rule, NULL, err));
  return write_condition_term(compile, ret, node->filter, &compile->guard, err);
}

/* Distinct rows are counted as the rows of a subselect; the order's keys are all that is selected. */
static Code compile_distinct_count(Compile *compile, const ReadNode *node, Error *err) {
  Select select;
  TRY(select_begin(compile, node, &select, err));
  for (size_t i = 0; i < node->order_count; i++) {
    Str key = {0};
    TRY(order_text(compile, &select, &node->order[i], &key, err));
    sql_select_next_column(select.select);
    buf_add(sql_select_columns(select.select), key);
  }
  sql_select_distinct(select.select);
  Str rows = {0}, sql = {0};
  TRY(sql_select_finish(select.select, &rows, err));
  Buf text = buf_on(compile->call->arena, SIZE_MAX / 2);
  buf_add(&text, STR("SELECT count(*) FROM ("));
  buf_add(&text, rows);
  buf_add(&text, STR(") AS d"));
  TRY(buf_finish(&text, &sql, err));
  TRY(column_add(compile, &select, VALUE_INT, false, NULL, err));
  if (node->parent_keys != NULL) TRY(join_parents(compile, node, &select, 0, &sql, err));
  return statement_finish_text(compile, &select, sql, node->count_statement, err);
}

static Code compile_count(Compile *compile, const ReadNode *node, Error *err) {
  if (node->list->is_distinct) return compile_distinct_count(compile, node, err);
  Select select;
  TRY(select_begin(compile, node, &select, err));
  sql_select_next_column(select.select);
  buf_add(sql_select_columns(select.select), STR("count(*)"));
  TRY(column_add(compile, &select, VALUE_INT, false, NULL, err));
  return statement_finish(compile, node, &select, 0, node->count_statement, err);
}

/* Is there a row on the other side of the page? */
static Code compile_probe(Compile *compile, const ReadNode *node, Error *err) {
  Select select;
  TRY(select_begin(compile, node, &select, err));
  sql_select_next_column(select.select);
  buf_add(sql_select_columns(select.select), STR("1"));
  TRY(column_add(compile, &select, VALUE_INT, false, NULL, err));
  TRY(write_keyset(compile, &select, node, node->probe_param, !node->is_reversed, false, true, err));
  TRY(order_terms(compile, &select, node, false, !node->is_reversed, err));
  sql_select_limit(select.select, node->probe_param + (uint32_t)node->order_count + 1);
  return statement_finish(compile, node, &select, 0, node->probe_statement, err);
}

static Code compile_rows(Compile *compile, const ReadNode *node, Error *err) {
  Select select;
  TRY(select_begin(compile, node, &select, err));
  TRY(selection_columns(compile, &select, select.scope, node->selection, err));
  if (node->list != NULL) {
    if (node->has_cursor)
      TRY(write_keyset(compile, &select, node, node->cursor_param, node->is_reversed, node->cursor.is_inclusive, false, err));
    TRY(order_terms(compile, &select, node, true, node->is_reversed, err));
    sql_select_limit(select.select, node->limit_param);
    if (node->list->is_distinct) sql_select_distinct(select.select);
  }
  return statement_finish(compile, node, &select, node->list == NULL ? 0 : node->order_count, node->statement, err);
}

static Code compile_node(Compile *compile, const ReadNode *node, Error *err) {
  compile->writer.alias_count = 0;
  TRY(compile_rows(compile, node, err));
  if (node->count_statement != SIZE_MAX) TRY(compile_count(compile, node, err));
  return node->probe_statement == SIZE_MAX ? CODE_OK : compile_probe(compile, node, err);
}

Code read_compile(const ReadCall *call, Arena *arena, StorePlan **ret, Error *err) {
  Compile compile = {
      .call = call,
      .writer = {.arena = call->arena, .dialect = call->dialect},
      .guard = plan_guard(&call->input),
      .arena = arena,
      .statements = ARENA_ARRAY(arena, StoreStatement *, call->statement_count),
  };
  StorePlan *plan = ARENA_NEW(arena, StorePlan);
  uint32_t *levels = ARENA_ARRAY(arena, uint32_t, call->statement_count);
  bool *is_repeated = ARENA_ARRAY(arena, bool, call->statement_count);
  TRY_ALLOC(plan);
  TRY_ALLOC(levels);
  TRY_ALLOC(is_repeated);
  TRY_ALLOC(compile.statements);
  for (size_t i = 0; i < call->nodes.count; i++) {
    const ReadNode *node = call->nodes.items[i];
    TRY(compile_node(&compile, node, err));
    size_t last = node->probe_statement != SIZE_MAX   ? node->probe_statement
                  : node->count_statement != SIZE_MAX ? node->count_statement
                                                      : node->statement;
    for (size_t s = node->statement; s <= last; s++) {
      levels[s] = node->level + (s == node->probe_statement ? 1 : 0);
      is_repeated[s] = node->parent != NULL && node->parent_keys == NULL;
    }
  }
  plan->statements = (const StoreStatement *const *)compile.statements;
  plan->levels = levels;
  plan->is_repeated = is_repeated;
  plan->count = call->statement_count;
  plan->is_background = call->operation->list.is_export;
  *ret = plan;
  return CODE_OK;
}
