/* rest_query_parts.h - what rest_query.c is put together from; not for others. */
#pragma once
#include "api/rest_decode.h"

/* One decoded parameter. */
typedef struct RestParam {
  Str name; /* "price[gte]": whole, for messages */
  Str path; /* "price" */
  Str op;   /* "gte"; ptr NULL: no brackets */
  Str value;
} RestParam;

typedef struct RestParams {
  RestParam *items;
  size_t count;
} RestParams;

enum { REST_PARAMS_MAX = 100, REST_PATH_HOPS_MAX = 8, REST_IN_ITEMS_MAX = 1000, REST_SORT_TERMS_MAX = 16 };

/* rest_params.c: splits and decodes. No two have the same name. */
Code rest_params_parse(RestDecoder *decoder, Str query, RestParams *ret);
const RestParam *rest_params_find(const RestParams *params, Str name);

/* rest_path.c: "category.name" from `resource` on: to-one relations, then a field, then members of an embedded object. *ret_last is the
 * field that decides the type. A to-one relation by itself is a row. Unknown and hidden names are refused, in the words of the parameter.
 */
Code rest_path_resolve(RestDecoder *decoder, const Resource *resource, Str text, const RestParam *param, ExprPath *ret,
                       const Field **ret_last);
/* Refuses "name" as no field of the resource, with the nearest as a hint. */
Code rest_refuse_unknown_field(RestDecoder *decoder, const Resource *resource, Str name, const RestParam *param);

/* rest_filter.c: one `field[op]=value`, and a whole `filter=`; *filter becomes "and that too". */
Code rest_filter_add(RestDecoder *decoder, const Resource *resource, const RestParam *param, const Expr **filter);
Code rest_filter_parse(RestDecoder *decoder, const Resource *resource, const RestParam *param, const Expr **filter);

/* rest_list.c: sort, limit, after, before, count. *ret_is_known is false where `name` is none of them; `name` is param->path or its last
 * part. */
Code rest_list_param(RestDecoder *decoder, const Resource *resource, Str name, bool is_nested, const RestParam *param, ListQuery *list,
                     bool *ret_is_known);
Code rest_sort_parse(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list);

/* rest_fields.c: `fields=`. */
Code rest_fields_parse(RestDecoder *decoder, const RestResource *resource, const RestParam *param, Selection **ret);
