/* rest_query.h - a URL's query to a selection and a list's filter, order and page (INTERFACE §3). All names are resolved here; what is
 * unknown is refused. */
#pragma once
#include "api/rest_aggregate.h"
#include "api/rest_decode.h"

/* Which parameters a request may have. */
typedef enum RestQueryUse {
  REST_QUERY_LIST,      /* all of a list's */
  REST_QUERY_AGGREGATE, /* conditions on the rows, and what becomes of their groups */
  REST_QUERY_ITEM,      /* fields, and those of its nested lists */
  REST_QUERY_NONE       /* none: DELETE */
} RestQueryUse;

typedef struct RestQuery {
  Selection *selection; /* shared and not to be written where is_whole */
  ListQuery list;
  RestAggregate aggregate;
} RestQuery;

/* `query` as sent; ptr NULL: none. */
Code rest_query_decode(RestDecoder *decoder, const RestResource *resource, Str query, RestQueryUse use, RestQuery *ret);
