/* explain_describe.c - Operations, rules and checks in words. */
#include "contract/value_json.h"
#include "query/explain_impl.h"

enum { LINE_BYTES_MAX = 16 * 1024 };

typedef struct Describing {
  Arena *arena;
  ExplainedOperation *operation;
  Error *err;
} Describing;

static Code add_line(Describing *describing, Str name, const Buf *text) {
  if (text->failed == CODE_UNAVAILABLE) return error_no_memory(describing->err);
  ExplainedLine line = {name, text->failed == CODE_OK ? buf_str(text) : STR("…")};
  return VEC_PUSH(describing->arena, &describing->operation->lines, line) ? CODE_OK : error_no_memory(describing->err);
}

static Buf line_on(const Describing *describing) { return buf_on(describing->arena, LINE_BYTES_MAX); }

static void write_value(Buf *out, const Value *value) {
  Expr literal = {.kind = EXPR_LITERAL, .value = *value};
  expr_write(out, &literal);
}

/* ---- Operations ---- */

static Code add_key(Describing *describing, const Operation *operation) {
  if (operation->action == ACTION_LIST || operation->action == ACTION_AGGREGATE || operation->action == ACTION_CREATE) return CODE_OK;
  Buf out = line_on(describing);
  for (size_t i = 0; i < operation->resource->key_count; i++) {
    buf_printf(&out, "%s%.*s = ", i == 0 ? "" : ", ", STR_ARGS(operation->resource->keys[i]->name));
    if (operation->key == NULL)
      buf_add(&out, STR("a value that no row can have"));
    else
      write_value(&out, &operation->key[i]);
  }
  return add_line(describing, STR("key"), &out);
}

static void write_order(Buf *out, const OrderTerm *order, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    if (order[i].is_descending) buf_add_byte(out, '-');
    for (size_t k = 0; k < order[i].path.hop_count; k++) buf_printf(out, "%.*s.", STR_ARGS(order[i].path.hops[k]->field->name));
    buf_add(out, order[i].path.field->name);
    for (size_t k = 0; k < order[i].path.member_count; k++) buf_printf(out, ".%.*s", STR_ARGS(order[i].path.members[k]->name));
  }
}

static void write_selection(Buf *out, const Selection *selection) {
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    if (i > 0) buf_add(out, STR(", "));
    buf_add(out, item->field->name);
    if (item->nested == NULL) continue;
    buf_add_byte(out, '(');
    write_selection(out, item->nested);
    buf_add_byte(out, ')');
  }
}

static Code add_expr(Describing *describing, Str name, const Expr *expr) {
  if (expr == NULL) return CODE_OK;
  Buf out = line_on(describing);
  expr_write(&out, expr);
  return add_line(describing, name, &out);
}

static Code add_text(Describing *describing, Str name, Str text) {
  if (text.ptr == NULL) return CODE_OK;
  Buf out = line_on(describing);
  buf_add(&out, text);
  return add_line(describing, name, &out);
}

static Code add_list(Describing *describing, const ListQuery *list, bool is_page) {
  TRY(add_expr(describing, STR("filter"), list->filter));
  TRY(add_expr(describing, STR("within"), list->scope));
  TRY(add_text(describing, STR("search"), list->search));
  if (!is_page) return CODE_OK;
  Buf order = line_on(describing), limit = line_on(describing);
  write_order(&order, list->order, list->order_count);
  if (list->order_count > 0) TRY(add_line(describing, STR("order"), &order));
  if (list->limit >= 0) buf_printf(&limit, "%lld", (long long)list->limit);
  if (list->limit >= 0) TRY(add_line(describing, STR("limit"), &limit));
  TRY(add_text(describing, STR("after"), list->after));
  TRY(add_text(describing, STR("before"), list->before));
  return list->is_counted ? add_text(describing, STR("count"), STR("exact")) : CODE_OK;
}

static Code describe(Describing *describing, const Operation *operation) {
  TRY(add_key(describing, operation));
  if (operation->selection != NULL) {
    Buf out = line_on(describing);
    write_selection(&out, operation->selection);
    TRY(add_line(describing, STR("select"), &out));
  }
  if (operation->action == ACTION_LIST || operation->action == ACTION_AGGREGATE)
    TRY(add_list(describing, &operation->list, operation->action == ACTION_LIST));
  if (operation->input == NULL) return CODE_OK;
  Buf out = line_on(describing);
  json_write(&out, operation->input);
  return add_line(describing, STR("input"), &out);
}

Code explain_operations(const CallGroup *group, Explanation *ret, Error *err) {
  static const Str names[ACTION_COUNT] = {STR_INIT("get"),    STR_INIT("list"),    STR_INIT("aggregate"), STR_INIT("create"),
                                          STR_INIT("update"), STR_INIT("replace"), STR_INIT("delete")};
  for (size_t i = 0; i < group->count; i++) {
    const Operation *operation = &group->calls[i].operation;
    ExplainedOperation made = {.action = names[operation->action], .resource = operation->resource->name};
    Describing describing = {group->arena, &made, err};
    TRY(describe(&describing, operation));
    if (!VEC_PUSH(group->arena, &ret->operations, made)) return error_no_memory(err);
  }
  return CODE_OK;
}

/* ---- Rules ---- */

static const char *const actions[RULE_COUNT] = {"read", "create", "update", "delete"};

Str explain_rule_name(Arena *arena, const Resource *resource, const Field *field, RuleAction action) {
  if (field == NULL) return arena_printf(arena, "%.*s.%s", STR_ARGS(resource->name), actions[action]);
  return arena_printf(arena, "%.*s.%.*s.%s", STR_ARGS(resource->name), STR_ARGS(field->name), actions[action]);
}

static Code rule_text(Arena *arena, const Expr *rule, Str *ret, Error *err) {
  Buf out = buf_on(arena, LINE_BYTES_MAX);
  expr_write(&out, rule);
  if (out.failed == CODE_UNAVAILABLE) return error_no_memory(err);
  *ret = out.failed == CODE_OK ? buf_str(&out) : STR("…");
  return CODE_OK;
}

static Code add_rule(const CallGroup *group, const Resource *resource, const Field *field, RuleAction action, Explanation *ret,
                     Error *err) {
  const Operation *operation = &group->calls[0].operation;
  const Expr *rule = field == NULL ? resource->access[action] : field_rule(field, action);
  ExplainedRule made = {.name = explain_rule_name(group->arena, resource, field, action), .reduced = STR("false")};
  TRY_ALLOC(made.name.ptr);
  for (size_t i = 0; i < ret->rules.count; i++) {
    if (str_equal(ret->rules.items[i].name, made.name)) return CODE_OK;
  }
  if (rule != NULL) {
    ExprEnv env = {.caller = operation->caller, .now_us = operation->now_us};
    const Expr *reduced = NULL;
    TRY(expr_reduce(rule, &env, group->arena, &reduced, err));
    TRY(rule_text(group->arena, reduced, &made.reduced, err));
    if (field == NULL)
      made.rule = resource->access_source[action];
    else
      TRY(rule_text(group->arena, rule, &made.rule, err));
  }
  return VEC_PUSH(group->arena, &ret->rules, made) ? CODE_OK : error_no_memory(err);
}

/* Rules are asked for by their trees; whose they are the contract tells. */
static Code add_reached(const Engine *engine, const CallGroup *group, const Rules *rules, Explanation *ret, Error *err) {
  for (size_t i = 0; i < engine->contract->resource_count; i++) {
    const Resource *resource = engine->contract->resources[i];
    if (resource->access[RULE_READ] != NULL && rules_find(rules, resource->access[RULE_READ]) != NULL)
      TRY(add_rule(group, resource, NULL, RULE_READ, ret, err));
    for (size_t k = 0; k < resource->field_count; k++) {
      const Expr *rule = resource->fields[k]->access[RULE_READ];
      if (rule != NULL && rules_find(rules, rule) != NULL) TRY(add_rule(group, resource, resource->fields[k], RULE_READ, ret, err));
    }
  }
  return CODE_OK;
}

static bool is_given(const JsonValue *input, Str name) {
  for (size_t i = 0; input->type == JSON_ARRAY && i < input->count; i++) {
    if (is_given(&input->items[i], name)) return true;
  }
  return json_get(input, name) != NULL;
}

static Code add_write_rules(const CallGroup *group, const Operation *operation, RuleAction action, Explanation *ret, Error *err) {
  const Resource *resource = operation->resource;
  TRY(add_rule(group, resource, NULL, action, ret, err));
  for (size_t i = 0; operation->input != NULL && action != RULE_DELETE && i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (field_rule(field, action) != NULL && is_given(operation->input, field->name))
      TRY(add_rule(group, resource, field, action, ret, err));
  }
  return CODE_OK;
}

static Code add_call_rules(const CallGroup *group, const Operation *operation, Explanation *ret, Error *err) {
  switch (operation->action) {
    case ACTION_CREATE: TRY(add_write_rules(group, operation, RULE_CREATE, ret, err)); break;
    case ACTION_UPDATE: TRY(add_write_rules(group, operation, RULE_UPDATE, ret, err)); break;
    case ACTION_REPLACE:
      TRY(add_write_rules(group, operation, RULE_UPDATE, ret, err));
      TRY(add_write_rules(group, operation, RULE_CREATE, ret, err));
      break;
    case ACTION_DELETE: TRY(add_write_rules(group, operation, RULE_DELETE, ret, err)); break;
    default: break;
  }
  return add_rule(group, operation->resource, NULL, RULE_READ, ret, err);
}

/* Before the plan only the rules that decide whatever the row; behind it those that it has reached as well. */
Code explain_rules(const Engine *engine, const CallGroup *group, Explanation *ret, Error *err) {
  for (size_t i = 0; i < group->count; i++) {
    const Call *call = &group->calls[i];
    TRY(add_call_rules(group, &call->operation, ret, err));
    if (call->plan != NULL && call->plan->read != NULL) TRY(add_reached(engine, group, &call->plan->read->input.rules, ret, err));
  }
  return CODE_OK;
}

/* ---- Checks of a write ---- */

static Code add_check(Arena *arena, Explanation *ret, Str text, Error *err) {
  TRY_ALLOC(text.ptr);
  return VEC_PUSH(arena, &ret->checks, text) ? CODE_OK : error_no_memory(err);
}

static Code add_reference_check(Arena *arena, const Relation *relation, Explanation *ret, Error *err) {
  return add_check(arena, ret,
                   arena_printf(arena, "reference: %.*s.%.*s must name a %.*s that the caller may read", STR_ARGS(relation->source->name),
                                STR_ARGS(relation->keys[0]->name), STR_ARGS(relation->target->name)),
                   err);
}

static Code add_unique_check(Arena *arena, const Resource *resource, const Field *const *fields, size_t count, Explanation *ret,
                             Error *err) {
  Buf out = buf_on(arena, LINE_BYTES_MAX);
  buf_printf(&out, "unique: %.*s (", STR_ARGS(resource->name));
  for (size_t i = 0; i < count; i++) buf_printf(&out, "%s%.*s", i == 0 ? "" : ", ", STR_ARGS(fields[i]->name));
  buf_add_byte(&out, ')');
  return add_check(arena, ret, buf_str(&out), err);
}

static Code add_content_checks(Arena *arena, const Operation *operation, Explanation *ret, Error *err) {
  const Resource *resource = operation->resource;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (!is_given(operation->input, field->name)) continue;
    bool is_fixed = operation->action != ACTION_CREATE && (field->is_immutable || field->is_key);
    if (field->is_readonly || field->is_server_made)
      TRY(add_check(arena, ret,
                    arena_printf(arena, "readonly: %.*s.%.*s is set by the server", STR_ARGS(resource->name), STR_ARGS(field->name)), err));
    else if (is_fixed)
      TRY(add_check(arena, ret, arena_printf(arena, "immutable: %.*s.%.*s can't change", STR_ARGS(resource->name), STR_ARGS(field->name)),
                    err));
    if (field->is_relation_key) TRY(add_reference_check(arena, field->relation, ret, err));
  }
  for (size_t i = 0; i < resource->check_count; i++)
    TRY(add_check(arena, ret, arena_printf(arena, "check: %.*s", STR_ARGS(resource->checks[i].source)), err));
  for (size_t i = 0; i < resource->unique_count; i++)
    TRY(add_unique_check(arena, resource, resource->uniques[i].fields, resource->uniques[i].count, ret, err));
  return operation->action == ACTION_CREATE ? add_unique_check(arena, resource, resource->keys, resource->key_count, ret, err) : CODE_OK;
}

static Code add_delete_checks(Arena *arena, const Resource *resource, Explanation *ret, Error *err) {
  static const char *const effects[] = {[ON_DELETE_RESTRICT] = "refuses the delete where it refers to the row",
                                        [ON_DELETE_CASCADE] = "is deleted along, whatever its own rules say",
                                        [ON_DELETE_SET_NULL] = "loses its reference, whatever its own rules say"};
  for (size_t i = 0; i < resource->referrer_count; i++) {
    const Relation *relation = resource->referrers[i];
    TRY(add_check(arena, ret,
                  arena_printf(arena, "delete: %.*s.%.*s %s", STR_ARGS(relation->source->name), STR_ARGS(relation->field->name),
                               effects[relation->on_delete]),
                  err));
  }
  return CODE_OK;
}

Code explain_checks(const CallGroup *group, Explanation *ret, Error *err) {
  for (size_t i = 0; i < group->count; i++) {
    const Operation *operation = &group->calls[i].operation;
    if (operation->action == ACTION_DELETE) TRY(add_delete_checks(group->arena, operation->resource, ret, err));
    if (operation->input != NULL && !operation->is_patch) TRY(add_content_checks(group->arena, operation, ret, err));
  }
  return CODE_OK;
}
