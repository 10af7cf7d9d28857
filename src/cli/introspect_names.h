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
  Str enum_name;           /* len 0: no enum */
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
  Str *enum_names;          /* as Catalog.enums; ptr NULL: no column is of it */
  DraftResource *resources; /* as Catalog.tables */
  size_t resource_count;
} Draft;

/* As a contract's @resource(table:) names it. */
Str draft_table(const CatalogTable *table);
/* GraphQL's names are ASCII and begin with no digit: the name without what it may not have, and `prefix` where it would begin wrongly. */
Str draft_sound_name(Str name, char prefix, Arena *arena);
/* The name, or the name with the first number that makes it free; it is taken then. */
Str draft_take_name(Map *taken, Str name, Arena *arena);
/* Whether an enum's value of this name is stored as it is called. */
bool draft_label_is_name(Str label);
bool draft_has_plain_labels(const Catalog *catalog, const CatalogColumn *column);
Code draft_create(const Catalog *catalog, Arena *arena, Draft **ret, Error *err);
