/* introspect_types.h - what a contract's type a declared column type stands for, in the spellings that databases' users customarily choose.
 */
#pragma once
#include "store/catalog.h"

typedef struct ColumnShape {
  const char *type; /* "Int", "Decimal" …; of a list: its items' */
  bool is_list;
  int precision, scale;        /* of a Decimal; -1: not said */
  int64_t length_max;          /* of a String; -1: none */
  bool is_column_type_default; /* the declared type is what Caisson itself would declare, or none: @column(type:) says nothing new */
} ColumnShape;

ColumnShape column_shape(const CatalogColumn *column);
