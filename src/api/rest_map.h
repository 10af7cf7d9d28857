/* rest_map.h - what the REST face prepares once for a contract: paths, Allow headers, member names as JSON writes them, and each resource's
 * whole selection. Immutable once made; any thread. Lives in the Api's arena. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "contract/model.h"
#include "query/operation.h"

enum { REST_KEY_HEAD = 32 };

/* A SelectionItem's `face`: how the member is written. */
typedef struct RestKey {
  Str text;                 /* ,"name":  with the comma in front; the encoder turns a row's first comma into its brace */
  char head[REST_KEY_HEAD]; /* its first bytes: most names are copied by two moves of a fixed size */
  bool is_quoted;           /* an integer that JSON carries as a string (BigInt) */
  int32_t scale;            /* a Decimal's fixed fraction digits; -1: none */
} RestKey;

typedef struct RestResource {
  const Resource *resource;
  Str path;            /* "/v1/products" */
  Selection *whole;    /* every stored field that is not hidden, in the contract's order */
  Selection *key_only; /* the key's fields: to see whether a row can be seen */
  RestKey *keys;       /* by Field.index */
  Map children;        /* path segment → const Field * (to-many): the field's name, and that in kebab-case */
  Str allow_collection, allow_item, allow_child;
} RestResource;

typedef struct RestMap {
  const Contract *contract;
  Str prefix;                    /* "/v1/" */
  const RestResource *resources; /* by Resource.index */
  bool has_deprecated;           /* something in the contract is */
} RestMap;

RestKey rest_key(Str text, bool is_quoted, int32_t scale);

Code rest_map_create(const Contract *contract, Arena *arena, RestMap **ret, Error *err);

static inline const RestResource *rest_map_at(const RestMap *map, const Resource *resource) { return &map->resources[resource->index]; }
static inline const RestKey *rest_map_key(const RestMap *map, const Field *field) {
  return &map->resources[field->resource->index].keys[field->index];
}
/* True where the field stands in "*": stored and not hidden. */
static inline bool rest_field_is_plain(const Field *field) { return field->kind == FIELD_STORED && !field->is_hidden; }
