/* expr_calls.c - the functions of the rule language, and exists and all, which bind a name. */
#include "base/datetime.h"
#include "contract/expr_check.h"
#include "contract/regex.h"

typedef const Expr *CallFn(Checker *checker, const Syntax *call);

typedef struct Function {
  Str name;
  size_t arg_count; /* with the target */
  bool is_method;   /* x.f(y) */
  bool is_function; /* f(x, y) */
  const char *usage;
  CallFn *check;
} Function;

static const Expr *check_size(Checker *checker, const Syntax *call) {
  const Expr *operand = check_expression(checker, call->args[0]);
  if (operand == NULL) return NULL;
  bool is_to_many = operand->type == EXPR_TYPE_LIST && operand->item_type == EXPR_TYPE_ROW;
  if (is_to_many) {
    Expr *node = check_new(checker, EXPR_SIZE, EXPR_TYPE_INT, call);
    if (node == NULL) return check_no_memory(checker);
    node->path = operand->path;
    return expr_finish(node);
  }
  operand = check_plain(checker, operand);
  if (operand == NULL) return NULL;
  bool has_size = operand->type == EXPR_TYPE_STRING || operand->type == EXPR_TYPE_BYTES || operand->type == EXPR_TYPE_LIST ||
                  operand->type == EXPR_TYPE_DYNAMIC;
  if (!has_size) {
    check_report_at(checker, operand, "", "%s has no size", check_describe(checker, operand));
    return NULL;
  }
  return check_node(checker, EXPR_SIZE, EXPR_TYPE_INT, call, &operand, 1);
}

static const Expr *check_string(Checker *checker, const Syntax *syntax, const char *list_hint) {
  const Expr *operand = check_expression(checker, syntax);
  if (operand == NULL) return NULL;
  if (operand->type == EXPR_TYPE_LIST && list_hint[0] != '\0') {
    check_report_at(checker, operand, list_hint, "%s stands where a String is needed", check_describe(checker, operand));
    return NULL;
  }
  operand = check_plain(checker, operand);
  return operand == NULL ? NULL : check_convert(checker, operand, EXPR_TYPE_STRING);
}

static const Expr *check_text_function(Checker *checker, const Syntax *call, ExprKind kind) {
  const Expr *args[2] = {check_string(checker, call->args[0], kind == EXPR_CONTAINS ? "write x in list" : ""),
                         check_string(checker, call->args[1], "")};
  if (args[0] == NULL || args[1] == NULL) return NULL;
  return check_node(checker, kind, EXPR_TYPE_BOOL, call, args, 2);
}

static const Expr *check_starts_with(Checker *checker, const Syntax *call) { return check_text_function(checker, call, EXPR_STARTS_WITH); }
static const Expr *check_ends_with(Checker *checker, const Syntax *call) { return check_text_function(checker, call, EXPR_ENDS_WITH); }
static const Expr *check_contains(Checker *checker, const Syntax *call) { return check_text_function(checker, call, EXPR_CONTAINS); }

static const Expr *check_matches(Checker *checker, const Syntax *call) {
  const Expr *args[2] = {check_string(checker, call->args[0], ""), check_string(checker, call->args[1], "")};
  if (args[0] == NULL || args[1] == NULL) return NULL;
  if (args[1]->kind != EXPR_LITERAL) {
    check_report(checker, call->args[1], "", "the pattern of matches() is written as a string");
    return NULL;
  }
  Regex *regex = NULL;
  Error error = {0};
  Code code = regex_compile(args[1]->value.text, checker->arena, &regex, &error);
  if (code == CODE_UNAVAILABLE) return check_no_memory(checker);
  if (code != CODE_OK) {
    check_report(checker, call->args[1], "", "%s", error.text);
    return NULL;
  }
  const Expr *made = check_node(checker, EXPR_MATCHES, EXPR_TYPE_BOOL, call, args, 2);
  if (made != NULL) ((Expr *)made)->regex = regex; /* just made */
  return made;
}

static const Expr *check_has(Checker *checker, const Syntax *call) {
  const Expr *operand = check_expression(checker, call->args[0]);
  if (operand == NULL) return NULL;
  bool is_to_many = operand->type == EXPR_TYPE_LIST && operand->item_type == EXPR_TYPE_ROW;
  bool is_path =
      operand->kind == EXPR_PATH || operand->kind == EXPR_VARIABLE || operand->kind == EXPR_AUTH_CLAIM || operand->kind == EXPR_AUTH_ID;
  if (is_to_many || !is_path) {
    check_report(checker, call->args[0], is_to_many ? "write size(x) > 0" : "", "has() takes a field's path");
    return NULL;
  }
  return check_node(checker, EXPR_HAS, EXPR_TYPE_BOOL, call, &operand, 1);
}

static const Expr *check_now(Checker *checker, const Syntax *call) {
  return check_node(checker, EXPR_NOW, EXPR_TYPE_TIMESTAMP, call, NULL, 0);
}

static const Expr *check_uuid(Checker *checker, const Syntax *call) {
  if (checker->use == EXPR_USE_DEFAULT) return check_node(checker, EXPR_UUID, EXPR_TYPE_STRING, call, NULL, 0);
  check_report(checker, call, "", "uuid() is for defaults only");
  return NULL;
}

/* duration("24h"), timestamp("…"), date("…"): of a literal, or of what the caller's token claims. */
static const Expr *check_time(Checker *checker, const Syntax *call, ExprType type) {
  const Expr *operand = check_expression(checker, call->args[0]);
  if (operand == NULL) return NULL;
  bool is_literal = operand->kind == EXPR_LITERAL && operand->type == EXPR_TYPE_STRING;
  if (!is_literal && (operand->type != EXPR_TYPE_DYNAMIC || type == EXPR_TYPE_DURATION)) {
    check_report(checker, call->args[0], "", "%.*s() takes a string that is written here", STR_ARGS(call->text));
    return NULL;
  }
  if (!is_literal || type != EXPR_TYPE_DURATION) return check_convert(checker, operand, type);
  int64_t us = 0;
  if (!duration_parse(operand->value.text, &us)) {
    check_report(checker, call->args[0], "write it as 24h, 1h30m, 90s, 10ms or 5us", "this is not a duration");
    return NULL;
  }
  return check_literal(checker, operand, type, (Value){.type = VALUE_DURATION, .integer = us});
}

static const Expr *check_duration(Checker *checker, const Syntax *call) { return check_time(checker, call, EXPR_TYPE_DURATION); }
static const Expr *check_timestamp(Checker *checker, const Syntax *call) { return check_time(checker, call, EXPR_TYPE_TIMESTAMP); }
static const Expr *check_date(Checker *checker, const Syntax *call) { return check_time(checker, call, EXPR_TYPE_DATE); }

/* ---- exists, all ---- */

static const Field *list_field(const Expr *list) {
  if (list->kind == EXPR_PATH || (list->kind == EXPR_VARIABLE && list->path.member_count > 0)) return expr_path_end(&list->path);
  return NULL;
}

static bool check_binding_name(Checker *checker, const Syntax *name) {
  if (name->kind != SYNTAX_NAME) {
    check_report(checker, name, "write it as list.exists(x, x.field == 1)", "a name for the item is expected");
    return false;
  }
  if (str_equal(name->text, STR("auth")) || str_equal(name->text, STR("old"))) {
    check_report(checker, name, "", "\"%.*s\" has a meaning of its own", STR_ARGS(name->text));
    return false;
  }
  for (const Binding *binding = checker->bindings; binding != NULL; binding = binding->outer) {
    if (!str_equal(binding->name, name->text)) continue;
    check_report(checker, name, "", "\"%.*s\" is bound already", STR_ARGS(name->text));
    return false;
  }
  return true;
}

static const Expr *check_quantifier(Checker *checker, const Syntax *call, ExprKind kind) {
  const Expr *list = check_expression(checker, call->args[0]);
  if (list == NULL || !check_binding_name(checker, call->args[1])) return NULL;
  if (list->type == EXPR_TYPE_DYNAMIC) {
    list = check_convert(checker, list, EXPR_TYPE_LIST);
    if (list == NULL) return NULL;
    ((Expr *)list)->item_type = EXPR_TYPE_STRING; /* just made */
  }
  if (list->type != EXPR_TYPE_LIST) {
    check_report_at(checker, list, "", "%.*s() takes a list, and this is %s", STR_ARGS(call->text), check_describe(checker, list));
    return NULL;
  }
  if (checker->depth >= EXPR_BINDINGS_MAX) {
    check_report(checker, call, "", "exists() and all() stand in one another more than %d deep", EXPR_BINDINGS_MAX);
    return NULL;
  }
  bool is_rows = list->item_type == EXPR_TYPE_ROW;
  const Field *field = list_field(list);
  /* The to-many side's rows are the relation's source. */
  Binding binding = {.name = call->args[1]->text,
                     .depth = checker->depth,
                     .resource = is_rows ? field->relation->source : NULL,
                     .item_type = list->item_type,
                     .item_field = is_rows ? NULL : field,
                     .outer = checker->bindings};
  checker->bindings = &binding;
  checker->depth++;
  const Expr *body = check_expression(checker, call->args[2]);
  if (body != NULL) body = check_boolean(checker, body);
  checker->depth--;
  checker->bindings = binding.outer;
  if (body == NULL) return NULL;
  Expr *node = check_new(checker, kind, EXPR_TYPE_BOOL, call);
  const Expr **args = ARENA_ARRAY(checker->arena, const Expr *, 2);
  if (node == NULL || args == NULL) return check_no_memory(checker);
  if (is_rows)
    node->path = list->path;
  else
    args[node->arg_count++] = list;
  args[node->arg_count++] = body;
  node->args = args;
  node->name = binding.name;
  node->depth = binding.depth;
  return expr_finish(node);
}

static const Expr *check_exists(Checker *checker, const Syntax *call) { return check_quantifier(checker, call, EXPR_EXISTS); }
static const Expr *check_all(Checker *checker, const Syntax *call) { return check_quantifier(checker, call, EXPR_ALL); }

/* ---- the table ---- */

static const Function functions[] = {
    {STR_INIT("size"), 1, true, true, "size(x)", check_size},
    {STR_INIT("startsWith"), 2, true, false, "x.startsWith(y)", check_starts_with},
    {STR_INIT("endsWith"), 2, true, false, "x.endsWith(y)", check_ends_with},
    {STR_INIT("contains"), 2, true, false, "x.contains(y)", check_contains},
    {STR_INIT("matches"), 2, true, true, "x.matches(\"regex\")", check_matches},
    {STR_INIT("has"), 1, false, true, "has(path)", check_has},
    {STR_INIT("now"), 0, false, true, "now()", check_now},
    {STR_INIT("uuid"), 0, false, true, "uuid()", check_uuid},
    {STR_INIT("duration"), 1, false, true, "duration(\"24h\")", check_duration},
    {STR_INIT("timestamp"), 1, false, true, "timestamp(\"2026-11-23T12:00:00Z\")", check_timestamp},
    {STR_INIT("date"), 1, false, true, "date(\"2026-11-23\")", check_date},
    {STR_INIT("exists"), 3, true, false, "list.exists(x, condition)", check_exists},
    {STR_INIT("all"), 3, true, false, "list.all(x, condition)", check_all},
};
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

const Expr *check_call(Checker *checker, const Syntax *call) {
  ExprNearest nearest = {.name = call->text};
  for (size_t i = 0; i < FUNCTION_COUNT; i++) {
    const Function *function = &functions[i];
    expr_nearest_offer(&nearest, function->name);
    if (!str_equal(function->name, call->text)) continue;
    bool is_form_right = call->has_target ? function->is_method : function->is_function;
    if (is_form_right && call->arg_count == function->arg_count) return function->check(checker, call);
    expr_report(checker->report, call->name_begin, call->end, "", "it is written %s", function->usage);
    return NULL;
  }
  char hint[120];
  expr_nearest_hint(&nearest, hint);
  expr_report(checker->report, call->name_begin, call->name_end, hint, "there is no function \"%.*s\"", STR_ARGS(call->text));
  return NULL;
}
