/* rest_list.c - a list's order and page: sort, limit, after, before, count. */
#include "api/rest_query_parts.h"

/* ---- sort ---- */

static bool is_sortable(const Field *field) {
  return field->kind == FIELD_STORED && !field->is_list && field->type != TYPE_JSON && field->type != TYPE_EMBEDDED &&
         field->type != TYPE_BYTES;
}

static bool is_same_path(const ExprPath *a, const ExprPath *b) {
  if (a->field != b->field || a->hop_count != b->hop_count) return false;
  for (size_t i = 0; i < a->hop_count; i++) {
    if (a->hops[i] != b->hops[i]) return false;
  }
  return true;
}

static Code parse_term(RestDecoder *decoder, const Resource *resource, Str text, const RestParam *param, OrderTerm *ret) {
  Str term = str_trim(text);
  OrderTerm order = {.is_descending = str_starts_with(term, STR("-"))};
  if (order.is_descending) term = str_slice(term, 1, term.len);
  const Field *last = NULL;
  TRY(rest_path_resolve(decoder, resource, term, param, &order.path, &last));
  if (order.path.member_count > 0 || !is_sortable(last)) {
    Str shown = rest_shown(term), name = rest_shown(param->name);
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" has no order", STR_ARGS(name), STR_ARGS(shown));
  }
  *ret = order;
  return CODE_OK;
}

Code rest_sort_parse(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  Str name = rest_shown(param->name);
  size_t cap = 1;
  for (size_t i = 0; i < param->value.len; i++) cap += param->value.ptr[i] == ',';
  if (cap > REST_SORT_TERMS_MAX) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: more than %d fields", STR_ARGS(name), REST_SORT_TERMS_MAX);
  }
  OrderTerm *terms = ARENA_ARRAY(decoder->arena, OrderTerm, cap);
  if (terms == NULL) return rest_no_memory(decoder);
  size_t count = 0;
  Str rest = param->value, text;
  while (str_split_next(&rest, ',', &text)) {
    OrderTerm term;
    TRY(parse_term(decoder, resource, text, param, &term));
    for (size_t i = 0; i < count; i++) {
      if (!is_same_path(&terms[i].path, &term.path)) continue;
      Str shown = rest_shown(str_trim(text));
      return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" is named twice", STR_ARGS(name), STR_ARGS(shown));
    }
    terms[count++] = term;
  }
  list->order = terms;
  list->order_count = count;
  return CODE_OK;
}

/* ---- pages ---- */

static Code parse_limit(RestDecoder *decoder, const RestParam *param, bool is_nested, ListQuery *list) {
  int64_t limit;
  Str name = rest_shown(param->name), shown = rest_shown(param->value);
  if (!str_parse_int64(param->value, &limit) || limit < 0) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" is not a number of rows", STR_ARGS(name), STR_ARGS(shown));
  }
  int64_t max = decoder->is_export && !is_nested ? decoder->limits->export_rows_max : decoder->limits->page_size_max;
  if (limit > max) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("follow nextCursor to read on"), "%.*s: at most %lld rows are given at once",
                       STR_ARGS(name), (long long)max);
  }
  list->limit = limit;
  return CODE_OK;
}

static Code parse_count(RestDecoder *decoder, const RestParam *param, ListQuery *list) {
  if (str_equal(param->value, STR("exact"))) {
    list->is_counted = true;
    return CODE_OK;
  }
  Str name = rest_shown(param->name), shown = rest_shown(param->value);
  return rest_refuse(decoder, CODE_BAD_REQUEST, STR("leave it away, or say count=exact"), "%.*s: \"%.*s\" is no way of counting",
                     STR_ARGS(name), STR_ARGS(shown));
}

static Code parse_cursor(RestDecoder *decoder, const RestParam *param, Str *ret) {
  if (param->value.len == 0) return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: the cursor is empty", STR_ARGS(param->name));
  *ret = param->value;
  return CODE_OK;
}

Code rest_list_param(RestDecoder *decoder, const Resource *resource, Str name, bool is_nested, const RestParam *param, ListQuery *list,
                     bool *ret_is_known) {
  *ret_is_known = param->op.ptr == NULL;
  if (!*ret_is_known) return CODE_OK;
  if (str_equal(name, STR("limit"))) return parse_limit(decoder, param, is_nested, list);
  if (str_equal(name, STR("sort"))) return rest_sort_parse(decoder, resource, param, list);
  if (str_equal(name, STR("filter"))) return rest_filter_parse(decoder, resource, param, &list->filter);
  if (str_equal(name, STR("count"))) return parse_count(decoder, param, list);
  if (!is_nested && str_equal(name, STR("after"))) return parse_cursor(decoder, param, &list->after);
  if (!is_nested && str_equal(name, STR("before"))) return parse_cursor(decoder, param, &list->before);
  *ret_is_known = false;
  return CODE_OK;
}
