/* versions_layout.h - tables looked at across versions, where columns and not fields are what is the same. Internal to versions*.c. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "contract/model.h"

/* NULL: none. Names of tables and columns ignore case, as stores do. */
const Resource *layout_table(const Contract *contract, Str table);
const Field *layout_column(const Resource *resource, Str column);
/* The relation whose key columns are these. */
const Relation *layout_relation(const Resource *resource, const Field *const *keys, size_t count);
bool layout_has_unique(const Resource *resource, const UniqueGroup *group);

/* The union of contracts that don't conflict; what several have is taken from the first. */
Code layout_create(const Contract *const *contracts, size_t count, Arena *arena, const Contract **ret, Error *err);
