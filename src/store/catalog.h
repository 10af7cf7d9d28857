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

typedef struct CatalogColumn {
  Str name;
  Str type;                 /* as declared; len 0: none */
  Str default_text;         /* as SQL; ptr NULL: none */
  Str comment;              /* len 0: none */
  bool is_required;         /* NOT NULL, or part of the key */
  bool is_generated;        /* computed by the database: can't be written */
  bool is_made_by_database; /* a key that the database numbers */
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

typedef struct CatalogTable {
  Str name;
  Str comment;
  bool is_view;
  VEC(CatalogColumn) columns;
  VEC(CatalogForeignKey) foreign_keys;
  VEC(CatalogIndex) indexes; /* but for the key's */
  VEC(Str) notes;            /* what else the database does here: triggers, CHECK constraints */
} CatalogTable;

typedef struct Catalog {
  VEC(CatalogTable) tables; /* in name order */
  VEC(Str) notes;           /* what was left out, and why */
} Catalog;
