/* postgres_schema.h - what stands in a database: tables with their columns, keys, indexes and constraints, read from PostgreSQL's catalogs.
 */
#pragma once
#include "base/arena.h"
#include "base/vec.h"
#include "store/postgres_connection.h"

/* A table of this name in the schema says that Caisson has made it. */
#define POSTGRES_MARK_TABLE "caisson_meta"

typedef struct PgColumn {
  Str name;
  Str type;         /* as format_type writes it: "character varying(20)" */
  Str default_text; /* ptr NULL: none */
  Str collation;    /* ptr NULL: the type's own */
  bool is_not_null;
  bool is_generated; /* computed by the database */
  bool is_identity;
  uint32_t key_order; /* from 1; 0: not in the primary key */
} PgColumn;

typedef struct PgIndexColumn {
  Str name; /* ptr NULL: an expression */
  bool is_descending;
} PgIndexColumn;

typedef struct PgIndex {
  Str oid;
  Str name;
  bool is_unique, is_primary, is_partial, is_valid;
  VEC(PgIndexColumn) columns; /* without the included ones */
} PgIndex;

typedef struct PgForeignKey {
  Str oid;
  Str name;
  Str target_schema, target;
  char on_delete; /* a, r, c, n, d: as pg_constraint has it */
  bool is_deferred;
  VEC(Str) columns, target_columns;
} PgForeignKey;

typedef struct PgCheck {
  Str name;
  Str definition; /* CHECK (…) */
} PgCheck;

typedef struct PgTable {
  Str oid;
  Str schema, name;
  char kind; /* r, p, v, m, f: as pg_class has it */
  VEC(PgColumn) columns;
  VEC(PgIndex) indexes;
  VEC(PgForeignKey) foreign_keys;
  VEC(PgCheck) checks;
} PgTable;

typedef struct PostgresSchema {
  Str current; /* the schema that a bare name means; len 0: there is none */
  VEC(PgTable) tables;
  bool is_expanded; /* between the two phases of a migration: more is there than one contract has */
  bool is_ours;     /* made by Caisson, or the schema is still empty */
} PostgresSchema;

/* Of the current schema and of those that `schemas` names, comma-separated. Everything on the arena. */
Code postgres_schema_read(PostgresConnection *connection, Str schemas, Arena *arena, PostgresSchema *ret, Error *err);
/* `name` may be qualified with a schema. NULL where there is none. */
const PgTable *postgres_schema_table(const PostgresSchema *schema, Str name);
const PgColumn *postgres_table_column(const PgTable *table, Str name);
