#include "query/search.h"

#include "base/utf8.h"
#include "sql/dialect_impl.h"

enum { SEARCH_TERMS_MAX = 32, SEARCH_TEXT_MAX = 1024, PATTERN_BYTES_MAX = 64 * 1024 };

/* ---- words ---- */

/* ASCII's letters and digits, and beyond ASCII all but the blocks of punctuation: what a store's tokenizer finds something in. */
static bool is_word_point(uint32_t point) {
  if (point < 0x80) return (point >= '0' && point <= '9') || ((point | 0x20) >= 'a' && (point | 0x20) <= 'z');
  if (point < 0xc0) return point == 0xaa || point == 0xb5 || point == 0xba;
  return point != 0xd7 && point != 0xf7 && (point < 0x2000 || point > 0x206f) && (point < 0x3000 || point > 0x303f);
}

static bool has_word(Str text) {
  for (size_t at = 0; at < text.len;) {
    if (is_word_point(utf8_next(text, &at))) return true;
  }
  return false;
}

static bool is_space(char byte) { return (unsigned char)byte <= ' '; }

static Str skip_spaces(Str text) {
  size_t at = 0;
  while (at < text.len && is_space(text.ptr[at])) at++;
  return str_slice(text, at, text.len);
}

/* Up to the next space, or the next quote behind a first one. The text begins with neither a space nor its end: some of it is taken. */
static Str next_piece(Str text, Str *rest, bool *ret_is_phrase) {
  *ret_is_phrase = text.ptr[0] == '"';
  if (*ret_is_phrase) {
    size_t end = str_find_byte(text, '"', 1);
    *rest = end < text.len ? str_slice(text, end + 1, text.len) : (Str){0};
    return str_slice(text, 1, end);
  }
  size_t end = 0;
  while (end < text.len && !is_space(text.ptr[end]) && text.ptr[end] != '"') end++;
  *rest = str_slice(text, end, text.len);
  return str_slice(text, 0, end);
}

static Code split_terms(Str text, SqlSearchTerm *terms, size_t *ret_count, Error *err) {
  size_t count = 0;
  Str rest = skip_spaces(text);
  for (; rest.len > 0; rest = skip_spaces(rest)) {
    SqlSearchTerm term = {0};
    bool is_phrase = false;
    term.text = next_piece(rest, &rest, &is_phrase);
    if (!is_phrase && str_ends_with(term.text, STR("*"))) term.is_prefix = true;
    if (term.is_prefix) term.text = str_slice(term.text, 0, term.text.len - 1);
    if (!has_word(term.text)) continue;
    if (count == SEARCH_TERMS_MAX) return error_set(err, CODE_BAD_REQUEST, "more than %d words to search for", SEARCH_TERMS_MAX);
    terms[count++] = term;
  }
  if (count == 0) return error_set(err, CODE_BAD_REQUEST, "there is no word to search for");
  *ret_count = count;
  return CODE_OK;
}

/* ---- the parameter ---- */

/* A field whose rule depends on the row is left out as well: one can't be searched in some rows only. */
static Code is_searchable(PlanInput *input, const Field *field, bool *ret, Error *err) {
  *ret = !field->is_hidden;
  const Expr *rule = field_rule(field, RULE_READ);
  if (field->is_hidden || rule == NULL) return CODE_OK;
  ReducedRule *reduced = NULL;
  TRY(rules_get(&input->rules, rule, &reduced, err));
  *ret = expr_is_true(reduced->reduced);
  return CODE_OK;
}

Code plan_search(PlanInput *input, const Resource *resource, Str text, PlanSearch *ret, Error *err) {
  PlanSearch search = {.is_asked = text.ptr != NULL};
  shape_byte(input, search.is_asked ? 'Q' : 0);
  *ret = search;
  if (!search.is_asked) return CODE_OK;
  Str name = resource->name;
  if (resource->search_count == 0 || resource->key_count == 0)
    return error_set(err, CODE_BAD_REQUEST, "%.*s has no @search: there is nothing to search in", STR_ARGS(name));
  if (input->dialect->write_search == NULL) return error_set(err, CODE_BAD_REQUEST, "this store has no full-text search");
  if (text.len > SEARCH_TEXT_MAX) return error_set(err, CODE_BAD_REQUEST, "more than %d bytes to search for", SEARCH_TEXT_MAX);
  SqlSearchTerm terms[SEARCH_TERMS_MAX];
  size_t term_count = 0, column_count = 0;
  TRY(split_terms(text, terms, &term_count, err));
  uint32_t *columns = ARENA_ARRAY(input->arena, uint32_t, resource->search_count);
  TRY_ALLOC(columns);
  for (size_t i = 0; i < resource->search_count; i++) {
    bool is_included = false;
    TRY(is_searchable(input, resource->search[i], &is_included, err));
    if (is_included) columns[column_count++] = (uint32_t)i;
  }
  search.is_vain = column_count == 0;
  shape_byte(input, search.is_vain);
  if (!search.is_vain) {
    Buf pattern = buf_on(input->arena, PATTERN_BYTES_MAX);
    input->dialect->write_search_pattern(&pattern, terms, term_count, columns, column_count);
    Str value;
    TRY(buf_finish(&pattern, &value, err));
    search.param = plan_param(input, value_text(value), VALUE_TEXT);
    if (search.param == 0) return error_no_memory(err);
  }
  *ret = search;
  return CODE_OK;
}

/* ---- the statement ---- */

Code search_write(SqlWriter *writer, SqlSelect *select, SqlScope *row, const PlanSearch *search, Str *ret_rank, Error *err) {
  *ret_rank = (Str){0};
  if (!search->is_asked) return CODE_OK;
  if (search->is_vain) {
    ExprSqlRoots roots = {.row = row};
    return expr_sql_write_condition(writer, sql_select_where(select), expr_bool(false), &roots, NULL, err);
  }
  Buf param = buf_on(writer->arena, 64), found = buf_on(writer->arena, PATTERN_BYTES_MAX), rank = buf_on(writer->arena, 64);
  Buf alias = buf_on(writer->arena, 64);
  Str param_text, found_text, alias_text;
  sql_write_param(writer, &param, search->param, VALUE_TEXT);
  sql_write_alias(&alias, row);
  buf_add_byte(&alias, '.');
  TRY(buf_finish(&alias, &alias_text, err));
  TRY(buf_finish(&param, &param_text, err));
  writer->dialect->write_search(&found, row->resource, alias_text, param_text);
  TRY(buf_finish(&found, &found_text, err));
  SqlScope *scope = sql_select_from_text(select, found_text, NULL);
  TRY_ALLOC(scope);
  for (size_t i = 0; i < row->resource->key_count; i++) {
    Buf *out = sql_select_where(select);
    sql_write_column(out, row, row->resource->keys[i]);
    buf_add(out, STR(" = "));
    sql_write_alias(out, scope);
    buf_add(out, STR(".k"));
    buf_add_uint64(out, i);
  }
  sql_write_alias(&rank, scope);
  buf_add(&rank, STR(".found_rank"));
  return buf_finish(&rank, ret_rank, err);
}
