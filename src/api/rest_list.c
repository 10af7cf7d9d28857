/* rest_list.c - a list's own parameters: its order, its page, and which of the rows. */
#include "api/rest_query_parts.h"

/* ---- sort ---- */

static bool is_sortable(const Field *field) { return rest_field_is_scalar(field) && field->type != TYPE_BYTES; }

static Code parse_term(RestDecoder *decoder, const Resource *resource, Str text, const RestParam *param, OrderTerm *ret) {
  Str term = str_trim(text);
  OrderTerm order = {.is_descending = str_starts_with(term, STR("-"))};
  if (order.is_descending) term = str_slice(term, 1, term.len);
  const Field *last = NULL;
  TRY(rest_path_resolve(decoder, resource, term, param, &order.path, &last));
  if (!is_sortable(last)) {
    Str shown = rest_shown(term), name = rest_shown(param->name);
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" has no order", STR_ARGS(name), STR_ARGS(shown));
  }
  *ret = order;
  return CODE_OK;
}

static Code parse_sort(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  Str name = rest_shown(param->name);
  size_t cap = 1;
  for (size_t i = 0; i < param->value.len; i++) cap += param->value.ptr[i] == ',';
  if (cap > ORDER_TERMS_MAX) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: more than %d fields", STR_ARGS(name), ORDER_TERMS_MAX);
  }
  OrderTerm *terms = ARENA_ARRAY(decoder->arena, OrderTerm, cap);
  if (terms == NULL) return rest_no_memory(decoder);
  size_t count = 0;
  Str rest = param->value, text;
  while (str_split_next(&rest, ',', &text)) {
    OrderTerm term;
    TRY(parse_term(decoder, resource, text, param, &term));
    for (size_t i = 0; i < count; i++) {
      if (!expr_path_equal(&terms[i].path, &term.path)) continue;
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

static Code parse_number(RestDecoder *decoder, const RestParam *param, int64_t max, Str hint, ListQuery *list) {
  int64_t limit;
  Str name = rest_shown(param->name), shown = rest_shown(param->value);
  if (!str_parse_int64(param->value, &limit) || limit < 0) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" is not a number of rows", STR_ARGS(name), STR_ARGS(shown));
  }
  if (limit > max)
    return rest_refuse(decoder, CODE_BAD_REQUEST, hint, "%.*s: at most %lld rows are given at once", STR_ARGS(name), (long long)max);
  list->limit = limit;
  return CODE_OK;
}

static Code parse_limit(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)resource;
  int64_t max = decoder->is_export ? decoder->limits->export_rows_max : decoder->limits->page_size_max;
  return parse_number(decoder, param, max, STR("follow nextCursor to read on"), list);
}

static Code parse_nested_limit(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)resource;
  return parse_number(decoder, param, decoder->limits->page_size_max, STR("follow nextCursor to read on"), list);
}

static Code parse_group_limit(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)resource;
  return parse_number(decoder, param, decoder->limits->groups_max, STR("choose groups by a filter or having="), list);
}

static Code parse_count(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)resource;
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

static Code parse_after(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)resource;
  return parse_cursor(decoder, param, &list->after);
}

static Code parse_before(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)resource;
  return parse_cursor(decoder, param, &list->before);
}

static Code parse_filter(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  return rest_filter_parse(decoder, resource, param, &list->filter);
}

static Code parse_search(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)decoder;
  (void)resource;
  list->search = param->value;
  return CODE_OK;
}

static Code parse_distinct(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list) {
  (void)resource;
  list->is_distinct = str_equal(param->value, STR("true"));
  if (list->is_distinct || str_equal(param->value, STR("false"))) return CODE_OK;
  Str name = rest_shown(param->name), shown = rest_shown(param->value);
  return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "%.*s: \"%.*s\" is neither true nor false", STR_ARGS(name), STR_ARGS(shown));
}

/* ---- the table ---- */

enum { OF_LISTS = REST_OF_LIST | REST_OF_NESTED };

const RestListParameter REST_LIST_PARAMETERS[] = {
    {STR_INIT("limit"), REST_OF_LIST, parse_limit},
    {STR_INIT("limit"), REST_OF_NESTED, parse_nested_limit},
    {STR_INIT("limit"), REST_OF_AGGREGATE, parse_group_limit},
    {STR_INIT("sort"), OF_LISTS, parse_sort},
    {STR_INIT("filter"), OF_LISTS | REST_OF_AGGREGATE, parse_filter},
    {STR_INIT("count"), OF_LISTS, parse_count},
    {STR_INIT("after"), REST_OF_LIST, parse_after},
    {STR_INIT("before"), REST_OF_LIST, parse_before},
    {STR_INIT("distinct"), REST_OF_LIST, parse_distinct},
    {STR_INIT("q"), REST_OF_LIST | REST_OF_AGGREGATE, parse_search},
};
const size_t REST_LIST_PARAMETER_COUNT = sizeof REST_LIST_PARAMETERS / sizeof *REST_LIST_PARAMETERS;

Code rest_list_param(RestDecoder *decoder, const Resource *resource, Str name, unsigned of, const RestParam *param, ListQuery *list,
                     bool *ret_is_known) {
  *ret_is_known = false;
  for (size_t i = 0; param->op.ptr == NULL && i < REST_LIST_PARAMETER_COUNT; i++) {
    const RestListParameter *known = &REST_LIST_PARAMETERS[i];
    if ((known->of & of) == 0 || !str_equal(known->name, name)) continue;
    *ret_is_known = true;
    return known->parse(decoder, resource, param, list);
  }
  return CODE_OK;
}
