/* rest_route.h - a path to what it names. Looks nothing up but in tables made with the Api. */
#pragma once
#include "api/rest_decode.h"

typedef enum RestTarget {
  REST_COLLECTION, /* /v1/products */
  REST_ITEM,       /* /v1/products/{id} */
  REST_CHILDREN,   /* /v1/products/{id}/reviews */
  REST_AGGREGATE,  /* /v1/products:aggregate */
  REST_WATCH,      /* /v1/products:watch */
  REST_BATCH       /* /v1/batch */
} RestTarget;

typedef struct RestRoute {
  RestTarget target;
  const RestResource *resource; /* NULL: BATCH */
  const Field *child;           /* CHILDREN: the to-many field */
  const Value *key;             /* ITEM, CHILDREN: a value for each key field; NULL where it can't be any row's */
} RestRoute;

/* `path` is as sent, still percent-encoded. Refuses with 404, and with 400 what is not decodable. */
Code rest_route(RestDecoder *decoder, Str path, RestRoute *ret);
/* The Allow header's value for the target. */
Str rest_route_allow(const RestRoute *route);

/* A key as it stands in a path: its parts percent-encoded and joined by commas. */
void rest_key_write(const Resource *resource, const Value *key, Buf *out);
