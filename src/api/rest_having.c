/* rest_having.c - `having=count >= 10 && sum(price) < 99.5`: the rule language's comparisons of a metric with a literal, joined by &&. */
#include <stdio.h>

#include "api/rest_query_parts.h"

#include "base/utf8.h"

typedef struct Having {
  RestGroups *groups;
  Str text;
  size_t at;
} Having;

static Code refuse(Having *having, const char *what) {
  size_t column = utf8_length(str_slice(having->text, 0, having->at)) + 1;
  return rest_refuse(having->groups->decoder, CODE_BAD_REQUEST,
                     STR("compare metrics with literals and join that by &&, as in count >= 10 && sum(price) < 99.5"),
                     "having, column %zu: %s", column, what);
}

static void skip_spaces(Having *having) {
  while (having->at < having->text.len && strchr(" \t\r\n", having->text.ptr[having->at]) != NULL) having->at++;
}

static bool take(Having *having, Str token) {
  skip_spaces(having);
  if (!str_starts_with(str_slice(having->text, having->at, having->text.len), token)) return false;
  having->at += token.len;
  return true;
}

static bool is_operator_byte(char byte) { return byte != '\0' && strchr("=!<>&|", byte) != NULL; }

/* Up to an operator: "sum(price)". */
static Code take_metric(Having *having, uint32_t *ret) {
  skip_spaces(having);
  size_t begin = having->at, end = begin;
  while (end < having->text.len && !is_operator_byte(having->text.ptr[end])) end++;
  Str text = str_trim(str_slice(having->text, begin, end));
  if (text.len == 0) return refuse(having, "a metric is expected");
  TRY(rest_metric_find(having->groups, text, ret));
  having->at = end;
  return CODE_OK;
}

static Code take_operator(Having *having, ExprKind *ret) {
  /* What another begins with comes behind it. */
  static const struct {
    Str text;
    ExprKind kind;
  } operators[] = {{STR_INIT("=="), EXPR_EQ}, {STR_INIT("!="), EXPR_NE}, {STR_INIT("<="), EXPR_LE},
                   {STR_INIT(">="), EXPR_GE}, {STR_INIT("<"), EXPR_LT},  {STR_INIT(">"), EXPR_GT}};
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    if (!take(having, operators[i].text)) continue;
    *ret = operators[i].kind;
    return CODE_OK;
  }
  return refuse(having, "one of == != < <= > >= is expected");
}

/* A literal's text without its quotes; a backslash takes the next character as it is. */
static Code take_literal(Having *having, Str *ret) {
  skip_spaces(having);
  const Str text = having->text;
  char *bytes = arena_alloc(having->groups->decoder->arena, text.len - having->at + 1);
  if (bytes == NULL) return rest_no_memory(having->groups->decoder);
  char first = having->at < text.len ? text.ptr[having->at] : '\0';
  bool is_quoted = first == '"' || first == '\'';
  size_t i = having->at + is_quoted, len = 0;
  while (i < text.len && (is_quoted ? text.ptr[i] != first : text.ptr[i] != ' ' && text.ptr[i] != '&')) {
    if (is_quoted && text.ptr[i] == '\\' && i + 1 < text.len) i++;
    bytes[len++] = text.ptr[i++];
  }
  if (is_quoted && i == text.len) return refuse(having, "the closing quote is missing");
  if (len == 0 && !is_quoted) return refuse(having, "a number or a quoted text is expected");
  having->at = i + is_quoted;
  *ret = (Str){bytes, len};
  return CODE_OK;
}

const Field *rest_metric_literal(const Metric *metric, Field *scratch) {
  bool is_float = metric->kind == METRIC_AVG || (metric->kind == METRIC_SUM && metric->field->type == TYPE_FLOAT);
  if (metric->kind == METRIC_MIN || metric->kind == METRIC_MAX) return metric->field;
  *scratch = (Field){.kind = FIELD_STORED};
  scratch->type = metric->kind == METRIC_COUNT ? TYPE_BIGINT : is_float ? TYPE_FLOAT : TYPE_DECIMAL;
  return scratch;
}

static bool is_end_of_literal(const Having *having) {
  return having->at == having->text.len || having->text.ptr[having->at] == ' ' || having->text.ptr[having->at] == '&';
}

static Code take_value(Having *having, const Metric *metric, ExprKind op, Value *ret) {
  Field scratch;
  Str text, expected;
  size_t begin = having->at;
  if (take(having, STR("null")) && is_end_of_literal(having)) {
    if (op != EXPR_EQ && op != EXPR_NE) return refuse(having, "null is compared by == and != only");
    *ret = value_null();
    return CODE_OK;
  }
  having->at = begin;
  TRY(take_literal(having, &text));
  Code code = rest_value_parse(rest_metric_literal(metric, &scratch), text, having->groups->decoder->arena, ret, &expected);
  if (code == CODE_OK) return CODE_OK;
  if (code == CODE_UNAVAILABLE) return rest_no_memory(having->groups->decoder);
  having->at = begin;
  char what[128];
  (void)snprintf(what, sizeof what, "%.*s is expected", (int)(expected.len > 100 ? 100 : expected.len), expected.ptr);
  return refuse(having, what);
}

Code rest_having_parse(RestGroups *groups, const RestParam *param, Aggregate *aggregate) {
  if (param == NULL) return CODE_OK;
  groups->param = param;
  Having having = {.groups = groups, .text = param->value};
  if (having.text.len > groups->decoder->limits->filter_bytes_max) return refuse(&having, "the expression is too long");
  AggregateCondition *conditions = ARENA_ARRAY(groups->decoder->arena, AggregateCondition, GROUP_CONDITIONS_MAX);
  if (conditions == NULL) return rest_no_memory(groups->decoder);
  size_t count = 0;
  do {
    if (count == GROUP_CONDITIONS_MAX) return refuse(&having, "there are too many conditions");
    AggregateCondition *condition = &conditions[count++];
    TRY(take_metric(&having, &condition->metric));
    TRY(take_operator(&having, &condition->op));
    TRY(take_value(&having, &groups->metrics[condition->metric], condition->op, &condition->value));
  } while (take(&having, STR("&&")));
  skip_spaces(&having);
  if (having.at < having.text.len) return refuse(&having, "&& or the end is expected");
  aggregate->having = conditions;
  aggregate->having_count = count;
  return CODE_OK;
}
