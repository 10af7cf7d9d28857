/* explain_text.c - an Explanation for people: what is asked, what the rules become, what the store does, what comes of it. */
#include "api/error_map.h"
#include "api/explain_write.h"

static void write_operations(Buf *out, const Explanation *explanation) {
  for (size_t i = 0; i < explanation->operations.count; i++) {
    const ExplainedOperation *operation = &explanation->operations.items[i];
    buf_printf(out, "Operation: %.*s %.*s\n", STR_ARGS(operation->action), STR_ARGS(operation->resource));
    for (size_t k = 0; k < operation->lines.count; k++)
      buf_printf(out, "  %-8.*s %.*s\n", STR_ARGS(operation->lines.items[k].name), STR_ARGS(operation->lines.items[k].text));
  }
}

static void write_rules(Buf *out, const Explanation *explanation) {
  if (explanation->rules.count > 0) buf_add(out, STR("\nRules, and what they are for this caller\n"));
  for (size_t i = 0; i < explanation->rules.count; i++) {
    const ExplainedRule *rule = &explanation->rules.items[i];
    buf_printf(out, "  %.*s: ", STR_ARGS(rule->name));
    if (rule->rule.ptr == NULL)
      buf_add(out, STR("there is none, which refuses\n"));
    else
      buf_printf(out, "%.*s\n    → %.*s\n", STR_ARGS(rule->rule), STR_ARGS(rule->reduced));
  }
  if (explanation->checks.count > 0) buf_add(out, STR("\nChecked besides\n"));
  for (size_t i = 0; i < explanation->checks.count; i++) buf_printf(out, "  %.*s\n", STR_ARGS(explanation->checks.items[i]));
}

static void write_params(Buf *out, const ExplainedStatement *statement) {
  if (statement->statement->param_count == 0) return;
  buf_add(out, STR("    parameters: "));
  for (size_t i = 0; i < statement->statement->param_count; i++) {
    Expr literal = {.kind = EXPR_LITERAL, .value = statement->params[i]};
    buf_printf(out, "%s%zu = ", i == 0 ? "" : ", ", i + 1);
    expr_write(out, &literal);
  }
  buf_add_byte(out, '\n');
}

static void write_statements(Buf *out, const Explanation *explanation) {
  for (size_t i = 0; i < explanation->statements.count; i++) {
    const ExplainedStatement *statement = &explanation->statements.items[i];
    buf_printf(out, "\nStatement: %.*s\n    ", STR_ARGS(statement->purpose));
    buf_add(out, statement->statement->sql);
    buf_add_byte(out, '\n');
    write_params(out, statement);
    for (size_t k = 0; k < statement->step_count; k++) buf_printf(out, "    store: %.*s\n", STR_ARGS(statement->steps[k].text));
    for (size_t k = 0; k < statement->notes.count; k++) buf_printf(out, "  note: %.*s\n", STR_ARGS(statement->notes.items[k]));
  }
}

static void write_why(Buf *out, const Explanation *explanation) {
  static const char *const verdicts[] = {[WHY_FALSE] = "is false", [WHY_TRUE] = "is true", [WHY_UNKNOWN] = "depends on the row"};
  if (explanation->why_rule.ptr == NULL) return;
  buf_printf(out, "  because of the rule %.*s%s\n", STR_ARGS(explanation->why_rule),
             explanation->why.parts.count == 0 ? ", which there is none of" : "");
  for (size_t i = 0; i < explanation->why.parts.count; i++) {
    const WhyPart *part = &explanation->why.parts.items[i];
    buf_printf(out, "    %.*s %s", STR_ARGS(part->text), verdicts[part->verdict]);
    for (size_t k = 0; k < part->values.count; k++)
      buf_printf(out, "%s %.*s is %.*s", k == 0 ? ":" : ",", STR_ARGS(part->values.items[k].name), STR_ARGS(part->values.items[k].text));
    buf_add_byte(out, '\n');
  }
}

static void write_outcome(Buf *out, const Explanation *explanation) {
  const Problem *problem = explanation->problem;
  buf_add(out, STR("\nOutcome: "));
  if (problem == NULL) {
    buf_add(out, explanation->is_run ? STR("done, and rolled back") : STR("not refused by what can be known without a store"));
    if (explanation->is_run && explanation->row_count > 0) buf_printf(out, "; rows: %zu", explanation->row_count);
    buf_add_byte(out, '\n');
    return;
  }
  buf_printf(out, "refused, %d %.*s: %.*s\n", error_form(problem->code)->http_status, STR_ARGS(code_name(problem->code)),
             STR_ARGS(problem->detail));
  for (size_t i = 0; i < problem->mistake_count; i++)
    buf_printf(out, "  %.*s %.*s: %.*s\n", STR_ARGS(problem->mistakes[i].pointer), STR_ARGS(mistake_code_name(problem->mistakes[i].code)),
               STR_ARGS(problem->mistakes[i].detail));
  write_why(out, explanation);
}

void explain_write_text(Buf *out, const Explanation *explanation) {
  write_operations(out, explanation);
  write_rules(out, explanation);
  write_statements(out, explanation);
  write_outcome(out, explanation);
}
