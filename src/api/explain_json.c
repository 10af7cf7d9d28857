/* explain_json.c - an Explanation for programs. */
#include "api/error_map.h"
#include "api/explain_write.h"
#include "codec/json.h"

enum { VALUE_BYTES_MAX = 64 * 1024 };

/* "name":"text" */
static void write_text(Buf *out, const char *before, const char *name, Str text) {
  buf_printf(out, "%s\"%s\":", before, name);
  if (text.ptr == NULL)
    buf_add(out, STR("null"));
  else
    json_write_string(out, text);
}

static void write_operation(Buf *out, const ExplainedOperation *operation) {
  write_text(out, "{", "action", operation->action);
  write_text(out, ",", "resource", operation->resource);
  for (size_t i = 0; i < operation->lines.count; i++) {
    buf_add_byte(out, ',');
    json_write_string(out, operation->lines.items[i].name);
    buf_add_byte(out, ':');
    json_write_string(out, operation->lines.items[i].text);
  }
  buf_add_byte(out, '}');
}

static void write_rule(Buf *out, const ExplainedRule *rule) {
  write_text(out, "{", "name", rule->name);
  write_text(out, ",", "rule", rule->rule);
  write_text(out, ",", "forCaller", rule->reduced);
  buf_add_byte(out, '}');
}

/* A parameter in the rule language's form, which tells a text from a number and a time. */
static void write_param(Buf *out, const Value *value) {
  char bytes[1024];
  Buf text = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
  Expr literal = {.kind = EXPR_LITERAL, .value = *value};
  expr_write(&text, &literal);
  json_write_string(out, text.failed == CODE_OK ? buf_str(&text) : STR("…"));
}

static void write_step(Buf *out, const StoreStep *step) {
  static const Str kinds[] = {[STORE_STEP_SCAN] = STR_INIT("scan"),
                              [STORE_STEP_SEARCH] = STR_INIT("search"),
                              [STORE_STEP_SORT] = STR_INIT("sort"),
                              [STORE_STEP_OTHER] = STR_INIT("other")};
  write_text(out, "{", "kind", kinds[step->kind]);
  write_text(out, ",", "table", step->table.len > 0 ? step->table : (Str){0});
  write_text(out, ",", "index", step->index.len > 0 ? step->index : (Str){0});
  if (step->rows >= 0)
    buf_printf(out, ",\"rows\":%lld", (long long)step->rows);
  else
    buf_add(out, STR(",\"rows\":null"));
  write_text(out, ",", "text", step->text);
  buf_add_byte(out, '}');
}

static void write_statement(Buf *out, const ExplainedStatement *statement) {
  write_text(out, "{", "purpose", statement->purpose);
  write_text(out, ",", "sql", statement->statement->sql);
  buf_add(out, STR(",\"parameters\":["));
  for (size_t i = 0; i < statement->statement->param_count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    write_param(out, &statement->params[i]);
  }
  buf_add(out, STR("],\"plan\":["));
  for (size_t i = 0; i < statement->step_count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    write_step(out, &statement->steps[i]);
  }
  buf_add(out, STR("],\"notes\":["));
  for (size_t i = 0; i < statement->notes.count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    json_write_string(out, statement->notes.items[i]);
  }
  buf_add(out, STR("]}"));
}

static void write_part(Buf *out, const WhyPart *part) {
  static const Str verdicts[] = {[WHY_FALSE] = STR_INIT("false"), [WHY_TRUE] = STR_INIT("true"), [WHY_UNKNOWN] = STR_INIT("unknown")};
  write_text(out, "{", "expression", part->text);
  write_text(out, ",", "verdict", verdicts[part->verdict]);
  buf_add(out, STR(",\"values\":["));
  for (size_t i = 0; i < part->values.count; i++) {
    write_text(out, i == 0 ? "{" : ",{", "name", part->values.items[i].name);
    write_text(out, ",", "value", part->values.items[i].text);
    buf_add_byte(out, '}');
  }
  buf_add(out, STR("]}"));
}

static void write_mistake(Buf *out, const Mistake *mistake) {
  write_text(out, "{", "pointer", mistake->pointer);
  write_text(out, ",", "code", mistake_code_name(mistake->code));
  write_text(out, ",", "detail", mistake->detail);
  buf_add_byte(out, '}');
}

static void write_outcome(Buf *out, const Explanation *explanation) {
  const Problem *problem = explanation->problem;
  buf_printf(out, "{\"isTried\":%s,\"isRefused\":%s", explanation->is_run ? "true" : "false", problem != NULL ? "true" : "false");
  if (problem == NULL && explanation->is_run) buf_printf(out, ",\"rows\":%zu", explanation->row_count);
  if (problem != NULL) {
    buf_printf(out, ",\"operation\":%zu,\"status\":%d", explanation->failed, error_form(problem->code)->http_status);
    write_text(out, ",", "code", code_name(problem->code));
    write_text(out, ",", "detail", problem->detail);
    buf_add(out, STR(",\"errors\":["));
    for (size_t i = 0; i < problem->mistake_count; i++) {
      if (i > 0) buf_add_byte(out, ',');
      write_mistake(out, &problem->mistakes[i]);
    }
    buf_add_byte(out, ']');
  }
  if (explanation->why_rule.ptr != NULL) {
    write_text(out, ",", "rule", explanation->why_rule);
    buf_add(out, STR(",\"why\":["));
    for (size_t i = 0; i < explanation->why.parts.count; i++) {
      if (i > 0) buf_add_byte(out, ',');
      write_part(out, &explanation->why.parts.items[i]);
    }
    buf_add_byte(out, ']');
  }
  buf_add_byte(out, '}');
}

void explain_write_json(Buf *out, const Explanation *explanation) {
  buf_add(out, STR("{\"operations\":["));
  for (size_t i = 0; i < explanation->operations.count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    write_operation(out, &explanation->operations.items[i]);
  }
  buf_add(out, STR("],\"rules\":["));
  for (size_t i = 0; i < explanation->rules.count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    write_rule(out, &explanation->rules.items[i]);
  }
  buf_add(out, STR("],\"checks\":["));
  for (size_t i = 0; i < explanation->checks.count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    json_write_string(out, explanation->checks.items[i]);
  }
  buf_add(out, STR("],\"statements\":["));
  for (size_t i = 0; i < explanation->statements.count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    write_statement(out, &explanation->statements.items[i]);
  }
  buf_add(out, STR("],\"outcome\":"));
  write_outcome(out, explanation);
  buf_add_byte(out, '}');
}
