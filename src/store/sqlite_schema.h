/* sqlite_schema.h - what stands in a database: its tables with their columns, keys and indexes. */
#pragma once
#include "base/arena.h"
#include "base/vec.h"
#include "store/sqlite_connection.h"

/* In the header of each database that Caisson has made ("Cais"). */
#define SQLITE_APPLICATION_ID 0x43616973

typedef struct SchemaColumn {
  Str name;
  Str type;
  Str default_text; /* ptr NULL: none */
  bool is_not_null;
  int64_t key_order; /* from 1; 0: not in the primary key */
} SchemaColumn;

typedef struct SchemaIndexColumn {
  Str name; /* ptr NULL: an expression */
  bool is_descending;
} SchemaIndexColumn;

typedef struct SchemaIndex {
  Str name;
  bool is_unique;
  bool is_partial;
  bool is_primary_key;
  VEC(SchemaIndexColumn) columns;
} SchemaIndex;

typedef struct SchemaForeignKey {
  int64_t id;
  Str target;
  Str on_delete; /* "CASCADE", "SET NULL", "NO ACTION" … */
  VEC(Str) columns;
} SchemaForeignKey;

typedef struct SchemaTable {
  Str name;
  bool is_view;
  VEC(SchemaColumn) columns;
  VEC(SchemaIndex) indexes;
  VEC(SchemaForeignKey) foreign_keys;
} SchemaTable;

/* What a CREATE statement made, and its text: of the search's own tables and triggers. */
typedef struct SchemaObject {
  Str name, sql;
} SchemaObject;

typedef struct SchemaObjects {
  VEC(SchemaObject) items;
} SchemaObjects;

typedef struct SqliteSchema {
  VEC(SchemaTable) tables;
} SqliteSchema;

/* A database is ours when Caisson has made it, or when it is still empty. */
Code sqlite_schema_find_owner(SqliteConnection *connection, bool *ret_is_ours, Error *err);
/* Everything, on the arena. Tables whose names begin with "sqlite_" are left out. */
Code sqlite_schema_read(SqliteConnection *connection, Arena *arena, SqliteSchema *ret, Error *err);
/* The search's own tables and triggers. */
Code sqlite_schema_read_search(SqliteConnection *connection, Arena *arena, SchemaObjects *ret, Error *err);
