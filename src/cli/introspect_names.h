/* introspect_names.h - how a catalogue's tables, columns and foreign keys are called in a contract: resources, fields and relations whose
 * names clash with nothing. */
#pragma once
#include "base/map.h"
#include "store/catalog.h"

typedef struct DraftResource DraftResource;

/* A foreign key that a contract can say. */
typedef struct DraftRelation {
  const CatalogForeignKey *key;
  DraftResource *source, *target;
  Str name;              /* of the to-one field */
  Str many_name;         /* of the to-many field at the target */
  const size_t *columns; /* the source's columns, by index, in the order of the target's key */
  size_t column_count;
  bool is_required;
  bool is_deferred;   /* breaks a circle of required relations */
  bool needs_inverse; /* another relation joins the same two types */
  bool is_key;        /* it stands for its column in a composite key */
} DraftRelation;

typedef struct DraftField {
  const CatalogColumn *column;
  Str name;
  DraftRelation *relation; /* the one that is written at this column; NULL: none */
  bool is_implied;         /* the relation gives the field: it is not declared */
} DraftField;

struct DraftResource {
  const CatalogTable *table;
  Str name;
  DraftField *fields; /* one for each column */
  size_t field_count;
  size_t key_count;
  VEC(DraftRelation *) relations; /* to-one, in the order of their first columns */
  VEC(DraftRelation *) referrers;
  VEC(Str) notes; /* what could not be said */
  Map taken;      /* names of fields */
};

typedef struct Draft {
  Arena *arena;
  DraftResource *resources; /* as Catalog.tables */
  size_t resource_count;
} Draft;

Code draft_create(const Catalog *catalog, Arena *arena, Draft **ret, Error *err);
