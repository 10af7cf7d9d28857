/* check_rules.c - the rules: @access, @check, @index(where:), @default(expr:). They are parsed when all fields are known, and their
 * mistakes are shown at their place inside the string, through escapes and block strings. */
#include "contract/check.h"

#include <assert.h>

#include "contract/expr.h"
#include "contract/input.h"

static const Str action_names[RULE_COUNT] = {[RULE_READ] = STR_INIT("read"),
                                             [RULE_CREATE] = STR_INIT("create"),
                                             [RULE_UPDATE] = STR_INIT("update"),
                                             [RULE_DELETE] = STR_INIT("delete")};

Code check_expr(Checker *checker, const SdlValue *source, const Resource *resource, int use, const Field *expected, const Expr **ret,
                Error *err) {
  assert(ret != NULL);
  if (checker->is_partial) return CODE_OK;
  static const ExprLimits limits = {.depth_max = EXPR_DEPTH_MAX};
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  Error why = {0};
  const Expr *expr = NULL;
  Code code = expr_parse(source->text, resource, (ExprUse)use, expected, &limits, checker->arena, &expr, mistakes, &count, &why);
  if (code == CODE_OK) *ret = expr;
  if (code == CODE_OK) return CODE_OK;
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  for (size_t i = 0; i < count; i++) {
    /* A field whose type could not be understood is no second mistake where a rule speaks of it. */
    if (check_is_known_elsewhere(checker, str_slice(source->text, mistakes[i].begin, mistakes[i].end))) continue;
    report_add(checker->report, check_inside(source, mistakes[i].begin, mistakes[i].end), str_of(mistakes[i].hint), "%s",
               mistakes[i].message);
  }
  if (count == 0) report_add(checker->report, source->span, (Str){0}, "%s", why.text);
  return CODE_OK;
}

/* The rule for one action: its own argument, else `write` for what writes. NULL: none. */
static const SdlValue *rule_source(const SdlDirective *access, RuleAction action) {
  const SdlValue *source = NULL;
  if (check_string(access, action_names[action], &source)) return source;
  return action != RULE_READ && check_string(access, STR("write"), &source) ? source : NULL;
}

static ExprUse rule_use(const SdlDirective *access, RuleAction action) {
  const SdlValue *source = NULL;
  /* `write` also stands for create and delete, where there is no old row. */
  return action == RULE_UPDATE && check_string(access, action_names[action], &source) ? EXPR_USE_UPDATE : EXPR_USE_RULE;
}

/* Each text is parsed once; `write` gives the same tree to all that it stands for. */
static Code parse_access(Checker *checker, const SdlDirective *access, const Resource *resource, const Expr *rules[RULE_COUNT],
                         Str sources[RULE_COUNT], SourcePlace places[RULE_COUNT], Error *err) {
  const SdlValue *seen[RULE_COUNT] = {0};
  for (RuleAction action = RULE_READ; action < RULE_COUNT; action++) {
    seen[action] = rule_source(access, action);
    if (seen[action] == NULL) continue;
    if (sources != NULL) sources[action] = seen[action]->text;
    if (places != NULL) places[action] = span_place(seen[action]->span);
    RuleAction first = RULE_READ;
    while (seen[first] != seen[action]) first++;
    if (first < action)
      rules[action] = rules[first];
    else
      TRY(check_expr(checker, seen[action], resource, rule_use(access, action), NULL, &rules[action], err));
  }
  return CODE_OK;
}

static Code check_type_access(Checker *checker, const CheckedType *type, Error *err) {
  const SdlDirective *access = sdl_directive(type->sdl->directives, STR("access"));
  if (access == NULL) return CODE_OK;
  if (access->argument_count == 0) report_add(checker->report, access->span, STR("@access(read: \"true\")"), "\"@access\" says nothing");
  Resource *resource = type->resource;
  return parse_access(checker, access, resource, resource->access, resource->access_source, resource->access_place, err);
}

static Code check_field_access(Checker *checker, const CheckedField *checked, Error *err) {
  const SdlDirective *access = sdl_directive(checked->sdl->directives, STR("access"));
  Field *field = checked->field;
  if (access == NULL || field == NULL) return CODE_OK;
  const SdlArgument *delete = sdl_argument(access, action_names[RULE_DELETE]);
  if (delete != NULL)
    report_add(checker->report, delete->span, STR("a row is deleted as a whole: write the rule on the type"),
               "a field has no rule for delete");
  if (access->argument_count == 0) report_add(checker->report, access->span, STR("@access(read: \"true\")"), "\"@access\" says nothing");
  field->rule_place = span_place(access->span);
  TRY(parse_access(checker, access, checked->owner->resource, field->access, NULL, NULL, err));
  field->access[RULE_DELETE] = NULL;
  for (size_t i = 0; i < checked->key_count; i++) {
    Field *key = checked->keys[i];
    if (!checked->owns_key[i]) continue;
    for (RuleAction action = RULE_READ; action < RULE_COUNT; action++) key->access[action] = field->access[action];
    key->rule_place = field->rule_place;
  }
  return CODE_OK;
}

/* What an index is made over may look at nothing but the row: the store keeps it, without a caller or a clock. */
static bool looks_beyond_row(const Expr *expr) {
  if (expr->has_relations || expr->kind == EXPR_AUTH_ID || expr->kind == EXPR_AUTH_ROLES || expr->kind == EXPR_AUTH_CLAIM ||
      expr->kind == EXPR_NOW || expr->kind == EXPR_UUID) {
    return true;
  }
  for (size_t i = 0; i < expr->arg_count; i++) {
    if (looks_beyond_row(expr->args[i])) return true;
  }
  return false;
}

static Code check_index_rules(Checker *checker, const CheckedType *type, Error *err) {
  Index *indexes = (Index *)type->resource->indexes;
  size_t index = 0;
  for (size_t i = 0; i < type->sdl->directives.count; i++) {
    const SdlDirective *directive = &type->sdl->directives.items[i];
    const SdlValue *where = NULL;
    if (!str_equal(directive->name, STR("index"))) continue;
    Index *made = &indexes[index++];
    if (!check_string(directive, STR("where"), &where)) continue;
    TRY(check_expr(checker, where, type->resource, EXPR_USE_RULE, NULL, &made->where, err));
    if (made->where != NULL && looks_beyond_row(made->where)) {
      report_add(checker->report, where->span, (Str){0},
                 "an index's rule may look at nothing but the row: no caller, no clock, no relations");
    }
  }
  return CODE_OK;
}

static Code check_checks(Checker *checker, const CheckedType *type, Error *err) {
  SdlDirectives directives = type->sdl->directives;
  Check *checks = ARENA_ARRAY(checker->arena, Check, directives.count);
  TRY_ALLOC(checks);
  size_t count = 0;
  for (size_t i = 0; i < directives.count; i++) {
    const SdlValue *expr = NULL, *message = NULL;
    if (!str_equal(directives.items[i].name, STR("check")) || !check_string(&directives.items[i], STR("expr"), &expr)) continue;
    Check *check = &checks[count++];
    check->source = expr->text;
    if (check_string(&directives.items[i], STR("message"), &message)) check->message = message->text;
    TRY(check_expr(checker, expr, type->resource, EXPR_USE_RULE, NULL, &check->expr, err));
  }
  type->resource->checks = checks;
  type->resource->check_count = count;
  return CODE_OK;
}

/* An expression that is a constant must keep the field's constraints, as a literal must. */
static Code check_constant_default(Checker *checker, const SdlValue *source, const Field *field, Error *err) {
  InputMistakes mistakes = {0};
  if (field->default_expr->kind != EXPR_LITERAL || field_value_type(field) != field->default_expr->value.type) return CODE_OK;
  Code code = field_value_check(field, &field->default_expr->value, NULL, checker->scratch, &mistakes, err);
  if (code == CODE_UNAVAILABLE) return code;
  for (size_t i = 0; i < mistakes.count; i++) {
    report_add(checker->report, source->span, (Str){0}, "the default of \"%.*s\" %.*s", STR_ARGS(field->name),
               STR_ARGS(mistakes.items[i].detail));
  }
  return CODE_OK;
}

static Code check_default_expr(Checker *checker, const CheckedField *checked, Error *err) {
  const SdlDirective *directive = sdl_directive(checked->sdl->directives, STR("default"));
  const SdlValue *expr = NULL;
  if (checked->field == NULL || checked->owner->kind != CHECKED_RESOURCE || !check_string(directive, STR("expr"), &expr)) return CODE_OK;
  bool is_relation = checked->field->kind == FIELD_TO_ONE;
  if (checked->field->kind == FIELD_TO_MANY || (is_relation && checked->key_count != 1)) return CODE_OK; /* reported by the passes before */
  Field *field = is_relation ? checked->keys[0] : checked->field;
  TRY(check_expr(checker, expr, NULL, EXPR_USE_DEFAULT, field, &field->default_expr, err));
  if (field->default_expr == NULL) return CODE_OK;
  field->default_kind = DEFAULT_EXPR;
  return check_constant_default(checker, expr, field, err);
}

Code check_rules(Checker *checker, Error *err) {
  for (size_t i = 0; i < checker->type_count; i++) {
    const CheckedType *type = &checker->types[i];
    if (type->kind != CHECKED_RESOURCE) continue;
    TRY(check_type_access(checker, type, err));
    TRY(check_checks(checker, type, err));
    TRY(check_index_rules(checker, type, err));
    for (size_t j = 0; j < type->field_count && !report_is_full(checker->report); j++) {
      TRY(check_field_access(checker, &type->fields[j], err));
      TRY(check_default_expr(checker, &type->fields[j], err));
    }
  }
  return CODE_OK;
}
