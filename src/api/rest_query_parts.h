/* rest_query_parts.h - what rest_query.c is put together from; not for others. */
#pragma once
#include "api/rest_aggregate.h"
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

enum { REST_PARAMS_MAX = 100, REST_PATH_HOPS_MAX = 8, REST_IN_ITEMS_MAX = 1000, REST_METRICS_MAX = 32 };

/* rest_params.c: splits and decodes. No two have the same name. */
Code rest_params_parse(RestDecoder *decoder, Str query, RestParams *ret);
const RestParam *rest_params_find(const RestParams *params, Str name);

/* rest_path.c: "category.name" from `resource` on: to-one relations, then a field, then members of an embedded object. *ret_last is the
 * field that decides the type. A to-one relation by itself is a row. Unknown and hidden names are refused, in the words of the parameter.
 */
Code rest_path_resolve(RestDecoder *decoder, const Resource *resource, Str text, const RestParam *param, ExprPath *ret,
                       const Field **ret_last);
/* By the contract's name, or by a face's own; NULL: none. */
const Field *rest_field_named(const RestDecoder *decoder, const Resource *resource, Str name);
/* Refuses "name" as no field of the resource, with the nearest as a hint. */
Code rest_refuse_unknown_field(RestDecoder *decoder, const Resource *resource, Str name, const RestParam *param);

/* rest_filter.c: one `field[op]=value`, and a whole `filter=`; *filter becomes "and that too". */
Code rest_filter_add(RestDecoder *decoder, const Resource *resource, const RestParam *param, const Expr **filter);
Code rest_filter_parse(RestDecoder *decoder, const Resource *resource, const RestParam *param, const Expr **filter);

/* What of a scalar a client may ask for. */
bool rest_field_is_scalar(const Field *field);  /* one stored value: no list, JSON or embedded object */
bool rest_field_is_ordered(const Field *field); /* has a smallest and a largest value */

/* Whose parameter it is. */
enum { REST_OF_LIST = 1, REST_OF_NESTED = 2, REST_OF_AGGREGATE = 4 };
typedef struct RestListParameter {
  Str name;
  unsigned of;
  Code (*parse)(RestDecoder *decoder, const Resource *resource, const RestParam *param, ListQuery *list);
} RestListParameter;
/* rest_list.c: the one table of a list's parameters, as far as they make its ListQuery. */
extern const RestListParameter REST_LIST_PARAMETERS[];
extern const size_t REST_LIST_PARAMETER_COUNT;
/* *ret_is_known is false where `name` is none of what `of` has; `name` is param->path or its last part. */
Code rest_list_param(RestDecoder *decoder, const Resource *resource, Str name, unsigned of, const RestParam *param, ListQuery *list,
                     bool *ret_is_known);

/* rest_aggregate.c: by, metrics and sort of an aggregate; rest_having.c: having. Several metrics may serve sort and having alone. */
typedef struct RestGroups {
  RestDecoder *decoder;
  const Resource *resource;
  const RestParam *param; /* the one that is being read */
  ExprPath *by;
  const Field **by_fields;
  Str *by_names;
  size_t by_count;
  Metric *metrics;
  size_t metric_count;
} RestGroups;
Code rest_aggregate_parse(RestDecoder *decoder, const Resource *resource, const RestParams *params, RestAggregate *ret);
void rest_offer_aggregate_params(Nearest *nearest);
/* True for the parameters that rest_aggregate_parse reads itself. */
bool rest_is_aggregate_param(const RestParam *param);
/* "count", "sum(price)": its place among the metrics, where it is put if it is new. */
Code rest_metric_find(RestGroups *groups, Str text, uint32_t *ret);
Code rest_having_parse(RestGroups *groups, const RestParam *param, Aggregate *aggregate);

/* rest_fields.c: `fields=`. */
Code rest_fields_parse(RestDecoder *decoder, const RestResource *resource, const RestParam *param, Selection **ret);
