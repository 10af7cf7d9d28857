/* rest_query.c - a query's parameters, each to where it belongs: a list's own, a nested list's, or a condition on a field. */
#include "api/rest_query.h"

#include "api/rest_query_parts.h"

static SelectionItem *find_item(Selection *selection, const Field *field) {
  for (size_t i = 0; i < selection->count; i++) {
    if (selection->items[i].field == field) return &selection->items[i];
  }
  return NULL;
}

static Code refuse_nested_name(RestDecoder *decoder, Str name, const RestParam *param) {
  Nearest nearest = nearest_to(name);
  nearest_offer(&nearest, STR("limit"));
  nearest_offer(&nearest, STR("sort"));
  nearest_offer(&nearest, STR("filter"));
  Str hint = nearest_hint(&nearest, decoder->arena);
  if (hint.len == 0) hint = STR("a nested list has .limit, .sort and .filter; to choose rows by it, use filter= with exists()");
  Str shown = rest_shown(param->name);
  return rest_refuse(decoder, CODE_BAD_REQUEST, hint, "\"%.*s\" is not a parameter of a nested list", STR_ARGS(shown));
}

/* Walks "category.reviews.limit" along the selection. *ret_is_nested is false where no to-many relation stands in it: it is a condition
 * then. */
static Code nested_param(RestDecoder *decoder, Selection *selection, const RestParam *param, bool *ret_is_nested) {
  const Resource *resource = selection->resource;
  Selection *at = selection; /* NULL: it went where nothing was selected */
  Selection *list = NULL;
  bool is_list = false;
  Str rest = param->path, name;
  *ret_is_nested = false;
  while (str_split_next(&rest, '.', &name) && rest.ptr != NULL) {
    const Field *field = resource_field(resource, name);
    if (field == NULL || field->is_hidden || field->kind == FIELD_STORED) {
      return is_list ? refuse_nested_name(decoder, name, param) : CODE_OK;
    }
    SelectionItem *item = at == NULL ? NULL : find_item(at, field);
    at = item == NULL ? NULL : item->nested;
    is_list = field->kind == FIELD_TO_MANY;
    *ret_is_nested = *ret_is_nested || is_list;
    list = is_list ? at : NULL;
    resource = is_list ? field->relation->source : field->relation->target;
  }
  if (!*ret_is_nested) return CODE_OK;
  if (!is_list) return refuse_nested_name(decoder, name, param);
  ListQuery ignored = {0};
  bool is_known;
  TRY(rest_list_param(decoder, resource, name, REST_OF_NESTED, param, list != NULL ? &list->list : &ignored, &is_known));
  if (!is_known) return refuse_nested_name(decoder, name, param);
  if (list != NULL) return CODE_OK;
  Str shown = rest_shown(param->name);
  return rest_refuse(decoder, CODE_BAD_REQUEST, STR("name the list in fields=, as in fields=*,reviews"),
                     "\"%.*s\" is for a list that is not among the fields", STR_ARGS(shown));
}

static bool is_known_name(const Resource *resource, Str path) {
  Str rest = path, first;
  if (!str_split_next(&rest, '.', &first)) return false;
  const Field *field = resource_field(resource, first);
  return field != NULL && !field->is_hidden;
}

/* A DELETE has no parameters. */
static Code refuse_on_item(RestDecoder *decoder, const RestParam *param, RestQueryUse use) {
  Nearest nearest = nearest_to(param->path);
  if (use == REST_QUERY_ITEM) nearest_offer(&nearest, STR("fields"));
  Str shown = rest_shown(param->name);
  return rest_refuse(decoder, CODE_BAD_REQUEST, nearest_hint(&nearest, decoder->arena), "\"%.*s\" is not a parameter of this request",
                     STR_ARGS(shown));
}

static Code apply_param(RestDecoder *decoder, const Resource *resource, const RestParam *param, RestQueryUse use, RestQuery *query) {
  bool is_known = false;
  bool has_filters = use == REST_QUERY_LIST || use == REST_QUERY_AGGREGATE;
  if (has_filters) {
    unsigned of = use == REST_QUERY_LIST ? REST_OF_LIST : REST_OF_AGGREGATE;
    TRY(rest_list_param(decoder, resource, param->path, of, param, &query->list, &is_known));
    if (is_known) return CODE_OK;
  }
  if ((use == REST_QUERY_LIST || use == REST_QUERY_ITEM) && param->op.ptr == NULL) {
    TRY(nested_param(decoder, query->selection, param, &is_known));
    if (is_known) return CODE_OK;
  }
  if (decoder->is_lenient && (!has_filters || !is_known_name(resource, param->path))) return CODE_OK;
  if (!has_filters) return refuse_on_item(decoder, param, use);
  return rest_filter_add(decoder, resource, param, &query->list.filter);
}

Code rest_query_decode(RestDecoder *decoder, const RestResource *resource, Str query, RestQueryUse use, RestQuery *ret) {
  RestQuery made = {.selection = resource->whole, .list = {.limit = -1}};
  if (query.len == 0 && use != REST_QUERY_AGGREGATE) {
    *ret = made;
    return CODE_OK;
  }
  RestParams params;
  decoder->is_aggregate = use == REST_QUERY_AGGREGATE;
  TRY(rest_params_parse(decoder, query, &params));
  if (use == REST_QUERY_AGGREGATE) TRY(rest_aggregate_parse(decoder, resource->resource, &params, &made.aggregate));
  bool is_aggregate = use == REST_QUERY_AGGREGATE;
  bool has_fields = use == REST_QUERY_LIST || use == REST_QUERY_ITEM;
  const RestParam *fields = has_fields ? rest_params_find(&params, STR("fields")) : NULL;
  if (fields != NULL) TRY(rest_fields_parse(decoder, resource, fields, &made.selection));
  for (size_t i = 0; i < params.count; i++) {
    bool is_read = &params.items[i] == fields || (is_aggregate && rest_is_aggregate_param(&params.items[i]));
    if (!is_read) TRY(apply_param(decoder, resource->resource, &params.items[i], use, &made));
  }
  if (made.list.after.ptr != NULL && made.list.before.ptr != NULL) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "A page can't be both after one cursor and before another");
  }
  *ret = made;
  return CODE_OK;
}
