/* layout.h - tables as migrations see them, whatever the store: read from a database, or what a contract wants. Two layouts of one store
 * can be compared, and the texts in a contract's make statements. All of it lives on the arena of whoever made it. */
#pragma once
#include "base/arena.h"
#include "base/vec.h"
#include "contract/model.h"

typedef struct LayoutColumn {
  Str name;
  Str type;         /* in the store's words */
  Str declaration;  /* of a contract's: what stands in CREATE TABLE and ADD COLUMN, a reference to another table included */
  Str default_text; /* of a contract's: the constant default as SQL; len 0: none */
  bool is_not_null;
  FieldType kind; /* TYPE_COUNT: not known */
  bool is_list;
  const Str *values; /* the texts that a check allows */
  size_t value_count;
  Str check_name;     /* of that check; len 0: the store has none */
  const Field *field; /* NULL in a database's */
} LayoutColumn;

typedef struct LayoutIndexColumn {
  Str name;
  bool is_descending;
} LayoutIndexColumn;

typedef struct LayoutIndex {
  Str name;
  bool is_unique;
  Str definition; /* len > 0: it is over an expression, of which the end of its name tells; of a contract's: what stands behind ON table */
  VEC(LayoutIndexColumn) columns;
} LayoutIndex;

typedef struct LayoutForeignKey {
  Str name;   /* len 0 where the store's have none */
  Str target; /* a table */
  OnDelete on_delete;
  bool is_deferred;
  VEC(Str) columns;
  Str add_sql; /* of a contract's: the statement that adds it; len 0 where only a new table can have it */
  Str label;   /* for people: "Review.product" */
} LayoutForeignKey;

typedef struct LayoutTable {
  Str name;   /* as the contract writes it: qualified where it is in a schema of its own */
  Str quoted; /* for statements */
  Str body;   /* of a contract's: what stands behind CREATE TABLE and the name */
  VEC(LayoutColumn) columns;
  VEC(Str) keys;
  VEC(LayoutIndex) indexes; /* without the primary key's, and without those that operators made for themselves */
  VEC(LayoutForeignKey) foreign_keys;
  const Resource *resource; /* NULL in a database's */
  bool is_elsewhere;        /* of a database's: in another schema than a bare name means, where others may have tables of their own */
} LayoutTable;

typedef struct Layout {
  VEC(LayoutTable) tables; /* without our own bookkeeping */
  VEC(LayoutTable) views;  /* of a database's: names and columns alone */
  bool is_expanded;        /* of a database's: between the two phases of a migration, more is there than one contract has */
} Layout;

typedef bool LayoutNamesEqualFn(Str a, Str b);

/* NULL where there is none. */
const LayoutTable *store_layout_table(const Layout *layout, Str name, LayoutNamesEqualFn *names_equal);
const LayoutTable *store_layout_view(const Layout *layout, Str name, LayoutNamesEqualFn *names_equal);
const LayoutColumn *store_layout_column(const LayoutTable *table, Str name, LayoutNamesEqualFn *names_equal);
/* A type given by the contract's author goes into a statement as it stands, so it may be nothing but a type: letters, digits and `marks`.
 * CODE_CONFLICT for what is none. */
Code layout_type_check(const LayoutTable *table, const Field *field, Str type, const char *marks, Error *err);
/* The values of the column's enum, as they are stored. False when memory is out. */
bool layout_column_take_values(LayoutColumn *column, Arena *arena) MUST_USE;
/* An index named as Caisson names them, which it may take away again: others are their makers'. */
bool layout_index_is_ours(Str table, Str index);
