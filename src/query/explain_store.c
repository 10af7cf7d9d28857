/* explain_store.c - what the store is asked, how it goes about it, and which index would spare it a scan. */
#include "query/aggregate.h"
#include "query/explain_impl.h"

enum { INDEX_FIELDS_MAX = 8, NOTE_BYTES_MAX = 4096 };

/* ---- The statements of reads ---- */

static Code add_statement(const CallGroup *group, Explanation *ret, Str purpose, const StoreStatement *statement, const Value *params,
                          Error *err) {
  ExplainedStatement made = {.purpose = purpose, .statement = statement, .params = params};
  TRY_ALLOC(purpose.ptr);
  return VEC_PUSH(group->arena, &ret->statements, made) ? CODE_OK : error_no_memory(err);
}

static Code add_node(const CallGroup *group, const ReadCall *call, const ReadNode *node, Explanation *ret, Error *err) {
  const StorePlan *plan = call->plan;
  const Value *params = call->input.params.items;
  Str name = node->resource->name;
  const char *within = node->parent == NULL ? "" : ", for each row above";
  Str rows = arena_printf(group->arena, "%s of %.*s%s", node->list == NULL ? "row" : "rows", STR_ARGS(name), within);
  TRY(add_statement(group, ret, rows, plan->statements[node->statement], params, err));
  if (node->count_statement != SIZE_MAX)
    TRY(add_statement(group, ret, arena_printf(group->arena, "count of %.*s%s", STR_ARGS(name), within),
                      plan->statements[node->count_statement], params, err));
  if (node->probe_statement == SIZE_MAX) return CODE_OK;
  return add_statement(group, ret, arena_printf(group->arena, "is there a page of %.*s on the other side?", STR_ARGS(name)),
                       plan->statements[node->probe_statement], params, err);
}

Code explain_reads(const CallGroup *group, Explanation *ret, Error *err) {
  for (size_t i = 0; i < group->count; i++) {
    const CallPlan *plan = group->calls[i].plan;
    for (size_t k = 0; plan != NULL && plan->read != NULL && k < plan->read->nodes.count; k++)
      TRY(add_node(group, plan->read, plan->read->nodes.items[k], ret, err));
    if (plan == NULL || plan->aggregate == NULL) continue;
    StoreRead *aggregate = aggregate_read(plan->aggregate);
    const Value *params = NULL;
    if (aggregate->bind(aggregate, 0, &params))
      TRY(add_statement(group, ret, arena_printf(group->arena, "groups of %.*s", STR_ARGS(group->calls[i].operation.resource->name)),
                        aggregate->plan->statements[0], params, err));
  }
  return CODE_OK;
}

/* ---- Which index would help ---- */

/* Fields in the order in which an index should have them: those that must equal something, then one that is compared. */
typedef struct Wanted {
  const Field *fields[INDEX_FIELDS_MAX];
  size_t count;
  const Field *range;
} Wanted;

static void want(Wanted *wanted, const Field *field) {
  for (size_t i = 0; i < wanted->count; i++) {
    if (wanted->fields[i] == field) return;
  }
  if (wanted->count < INDEX_FIELDS_MAX) wanted->fields[wanted->count++] = field;
}

static const Field *own_column(const Expr *expr) {
  bool is_own = expr->kind == EXPR_PATH && expr->path.root == EXPR_ROOT_ROW && expr->path.hop_count == 0 && expr->path.member_count == 0;
  return is_own && expr->path.field != NULL && expr->path.field->kind == FIELD_STORED && !expr->path.field->is_list ? expr->path.field
                                                                                                                    : NULL;
}

static void want_comparison(Wanted *wanted, const Expr *expr) {
  if (expr->arg_count != 2) return;
  const Field *left = own_column(expr->args[0]), *right = own_column(expr->args[1]);
  const Field *field = left != NULL && !expr->args[1]->depends_on_row    ? left
                       : right != NULL && !expr->args[0]->depends_on_row ? right
                                                                         : NULL;
  if (field == NULL) return;
  if (expr->kind == EXPR_EQ || expr->kind == EXPR_IN)
    want(wanted, field);
  else if (expr->kind >= EXPR_LT && expr->kind <= EXPR_GE && wanted->range == NULL)
    wanted->range = field;
}

static void want_condition(Wanted *wanted, const Expr *expr) {
  if (expr == NULL) return;
  if (expr->kind == EXPR_AND) {
    for (size_t i = 0; i < expr->arg_count; i++) want_condition(wanted, expr->args[i]);
  } else {
    want_comparison(wanted, expr);
  }
}

static Wanted wanted_by(const ReadNode *node) {
  Wanted wanted = {0};
  for (size_t i = 0; node->link != NULL && i < node->link->key_count; i++) want(&wanted, node->link->keys[i]);
  want_condition(&wanted, node->scope);
  want_condition(&wanted, node->filter);
  want_condition(&wanted, node->read_rule);
  if (wanted.range != NULL) want(&wanted, wanted.range);
  return wanted;
}

/* In @index a relation stands for its key. */
static Str index_name(const Field *field) {
  return field->is_relation_key && field->relation->key_count == 1 ? field->relation->field->name : field->name;
}

static void write_index(Buf *out, const Wanted *wanted) {
  buf_add(out, STR("@index(fields: ["));
  for (size_t i = 0; i < wanted->count; i++) {
    Str name = index_name(wanted->fields[i]);
    buf_printf(out, "%s\"%.*s\"", i == 0 ? "" : ", ", STR_ARGS(name));
  }
  buf_add(out, STR("])"));
}

static void write_columns(Buf *out, const Wanted *wanted) {
  for (size_t i = 0; i < wanted->count; i++) buf_printf(out, "%s%.*s", i == 0 ? "" : ", ", STR_ARGS(wanted->fields[i]->column));
}

/* "50,000" */
static void write_number(Buf *out, int64_t number) {
  char digits[24];
  Buf plain = {.ptr = digits, .cap = sizeof digits, .max = sizeof digits};
  buf_add_int64(&plain, number);
  for (size_t i = 0; i < plain.len; i++) {
    if (i > 0 && (plain.len - i) % 3 == 0) buf_add_byte(out, ',');
    buf_add_byte(out, digits[i]);
  }
}

static bool has_index_on(const Resource *resource, const Field *field) {
  if (resource->key_count > 0 && resource->keys[0] == field) return true;
  for (size_t i = 0; i < resource->index_count; i++) {
    if (resource->indexes[i].fields[0].field == field) return true;
  }
  for (size_t i = 0; i < resource->unique_count; i++) {
    if (resource->uniques[i].fields[0] == field) return true;
  }
  return false;
}

static void write_scan(Buf *out, const StoreStep *step, bool is_run) {
  buf_add(out, STR("scans "));
  if (is_run && step->rows >= 0) {
    write_number(out, step->rows);
    buf_add(out, step->rows == 1 ? STR(" row of ") : STR(" rows of "));
  }
  buf_add(out, step->table);
}

static void write_scan_note(Buf *out, const ReadNode *node, const StoreStep *step, bool is_run) {
  Wanted wanted = wanted_by(node);
  write_scan(out, step, is_run);
  if (wanted.count > 0 && !has_index_on(node->resource, wanted.fields[0])) {
    buf_add(out, STR(": no index on "));
    write_columns(out, &wanted);
    buf_add(out, STR("; add "));
    write_index(out, &wanted);
  } else if (wanted.count > 0) {
    buf_add(out, STR(": the store does not take the index that begins with "));
    buf_add(out, wanted.fields[0]->column);
  } else if (node->filter != NULL || node->read_rule != NULL || node->scope != NULL) {
    buf_add(out, STR(": no index can serve these conditions"));
  } else if (node->list != NULL) {
    buf_add(out, STR(" in the order of the list, up to the page's end"));
  }
}

static void write_sort_note(Buf *out, const ReadNode *node) {
  Wanted wanted = wanted_by(node);
  bool is_own = true;
  for (size_t i = 0; i < node->order_count; i++) {
    if (node->order[i].is_rank) {
      buf_add(out, STR("puts all rows that are found in the order of their rank"));
      return;
    }
    is_own = is_own && node->order[i].path.hop_count == 0 && node->order[i].path.member_count == 0;
    if (is_own && !node->order[i].path.field->is_key) want(&wanted, node->order[i].path.field);
  }
  buf_add(out, STR("sorts all rows that match before it gives a page"));
  if (!is_own) {
    buf_add(out, STR(": an order through a relation has no index"));
  } else if (wanted.count > 0) {
    buf_add(out, STR("; add "));
    write_index(out, &wanted);
  }
}

/* ---- Notes ---- */

static const ReadNode *node_of(const CallGroup *group, const StoreStatement *statement) {
  for (size_t i = 0; i < group->count; i++) {
    const ReadCall *call = group->calls[i].plan == NULL ? NULL : group->calls[i].plan->read;
    for (size_t k = 0; call != NULL && k < call->nodes.count; k++) {
      const ReadNode *node = call->nodes.items[k];
      bool is_its = call->plan->statements[node->statement] == statement ||
                    (node->count_statement != SIZE_MAX && call->plan->statements[node->count_statement] == statement) ||
                    (node->probe_statement != SIZE_MAX && call->plan->statements[node->probe_statement] == statement);
      if (is_its) return node;
    }
  }
  return NULL;
}

static Code add_note(Arena *arena, ExplainedStatement *statement, const ReadNode *node, const StoreStep *step, bool is_run, Error *err) {
  Buf out = buf_on(arena, NOTE_BYTES_MAX);
  bool is_own = node != NULL && str_equal_ignore_case(step->table, node->resource->table);
  if (step->kind == STORE_STEP_SCAN && is_own)
    write_scan_note(&out, node, step, is_run);
  else if (step->kind == STORE_STEP_SCAN)
    write_scan(&out, step, is_run);
  else if (step->kind == STORE_STEP_SORT && node != NULL && node->list != NULL)
    write_sort_note(&out, node);
  if (out.len == 0) return CODE_OK;
  return VEC_PUSH(arena, &statement->notes, buf_str(&out)) ? CODE_OK : error_no_memory(err);
}

Code explain_steps(Engine *engine, const CallGroup *group, bool is_run, Explanation *ret, Error *err) {
  const StoreDriver *driver = engine->session->driver;
  for (size_t i = 0; driver->explain != NULL && i < ret->statements.count; i++) {
    ExplainedStatement *statement = &ret->statements.items[i];
    StoreStep *steps = NULL;
    TRY(driver->explain(engine->session->store, statement->statement, statement->params, group->arena, &steps, &statement->step_count,
                        err));
    statement->steps = steps;
    const ReadNode *node = node_of(group, statement->statement);
    for (size_t k = 0; k < statement->step_count; k++) TRY(add_note(group->arena, statement, node, &steps[k], is_run, err));
  }
  return CODE_OK;
}
