/* copy_sum.h - a checksum of rows by their typed values, the same whatever the store, its storage forms and the order of the rows: each
 * row's hash of 128 bits, added up. It finds accidents; it is no proof against somebody who wants to deceive it. */
#pragma once
#include "base/arena.h"
#include "contract/model.h"

typedef struct RowsSum {
  int64_t rows;
  uint64_t sum[2];
  Arena *arena; /* of one row */
} RowsSum;

/* CODE_CONFLICT: a value that is no JSON where it should be. */
Code rows_sum_add(RowsSum *sum, const Resource *resource, const Value *row, Error *err);
