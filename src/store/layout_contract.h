/* layout_contract.h - what the layouts of a contract have in common, whatever the store. */
#pragma once
#include "store/ddl_index.h"
#include "store/layout.h"

/* `number` as in ddl_write_index_name; NULL where memory is out. */
typedef Str LayoutIndexNameFn(const DdlIndex *index, size_t number, Arena *arena);

/* The making of one layout. */
typedef struct LayoutMaking {
  Arena *arena;
  LayoutIndexNameFn *index_name;
  LayoutNamesEqualFn *names_equal; /* of indexes, which share one space of names */
  VEC(Str) index_names;            /* those that are taken */
  Error *err;
} LayoutMaking;

Code layout_keys_add(LayoutMaking *making, LayoutTable *table);
Code layout_indexes_add(LayoutMaking *making, LayoutTable *table);
/* Without what is the store's own: its name and its statement. */
Code layout_foreign_key_of(LayoutMaking *making, const Relation *relation, LayoutForeignKey *ret);
