/* catalog.h - what stands in a database that others made, told neutrally: for a contract that is written from it. Everything lives on the
 * reader's arena. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

/* Which kinds of values a column was found to hold; looked at for columns whose declared type leaves it open. */
typedef struct CatalogValues {
  bool has_integer, has_real, has_text, has_bytes;
  int64_t min, max; /* of the integers */
} CatalogValues;

/* What is known of a declared type beyond its spelling. */
typedef enum CatalogTypeForm {
  CATALOG_TYPE_SPELLED = 0, /* nothing */
  CATALOG_TYPE_OWN,         /* it is what Caisson itself would declare */
  CATALOG_TYPE_OTHER        /* it is not */
} CatalogTypeForm;

typedef struct CatalogColumn {
  Str name;
  Str type;       /* as declared; len 0: none */
  Str underlying; /* what the type comes to: a list's item's type, TEXT for one that is known to the database alone; len 0: `type` */
  CatalogTypeForm type_form;
  bool is_list;
  size_t enumeration;       /* Catalog.enums, from 1; 0: none */
  Str note;                 /* what else there is to say of it; len 0: nothing */
  Str default_text;         /* as SQL; ptr NULL: none */
  Str comment;              /* len 0: none */
  bool is_required;         /* NOT NULL, or part of the key */
  bool is_generated;        /* computed by the database: can't be written */
  bool is_made_by_database; /* a key that the database numbers */
  bool is_always_made;      /* and takes no other */
  uint32_t key_order;       /* from 1; 0: not in the key */
  CatalogValues values;
} CatalogColumn;

typedef struct CatalogForeignKey {
  Str target; /* a table */
  VEC(Str) columns;
  VEC(Str) target_columns;  /* none: the target's key */
  Str on_delete, on_update; /* "NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT" */
} CatalogForeignKey;

typedef struct CatalogIndexColumn {
  Str name;
  bool is_descending;
} CatalogIndexColumn;

typedef struct CatalogIndex {
  Str name;
  bool is_unique;
  Str obstacle; /* why a contract can't say it: "it is partial"; len 0: it can */
  VEC(CatalogIndexColumn) columns;
} CatalogIndex;

typedef struct CatalogCheck {
  Str name;
  Str sql; /* CHECK (…) */
} CatalogCheck;

typedef struct CatalogEnum {
  Str id; /* the reader's own */
  Str name;
  VEC(Str) labels;
} CatalogEnum;

typedef struct CatalogTable {
  Str name;
  Str address; /* as a contract names it: with its schema, where a bare name would mean another's; len 0: `name` */
  Str comment;
  bool is_view;
  Str kind; /* of a view: "a materialized view"; len 0: "a view" */
  VEC(CatalogColumn) columns;
  VEC(CatalogForeignKey) foreign_keys;
  VEC(CatalogIndex) indexes; /* but for the key's */
  VEC(CatalogCheck) checks;  /* that a rule may be able to say */
  VEC(Str) notes;            /* what else the database does here: triggers, CHECK constraints */
} CatalogTable;

typedef struct Catalog {
  VEC(CatalogTable) tables; /* in name order */
  VEC(CatalogEnum) enums;
  VEC(Str) notes; /* what was left out, and why */
  Str name;       /* the database's, or its file's path */
  Str address;    /* where it is, without what is secret */
} Catalog;
