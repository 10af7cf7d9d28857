/* result.h - the waist's other half: what an Operation yields. Top-level rows are handed to the face one by one as they are read, so that
 * no tree is built; a row's values stand in the order of its Selection. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/value.h"
#include "query/operation.h"
#include "query/problem.h"

/* A nested list. rows[i] is one row: `selection->count` values. */
typedef struct ResultRows {
  const Value *const *rows;
  size_t count;
  Str next_cursor; /* ptr NULL: no further page */
  Str prev_cursor;
  bool has_total;
  int64_t total;
} ResultRows;

/* Values of a row by the item's field:
 *   stored scalar      its ValueType or VALUE_NULL; lists and embedded objects VALUE_JSON
 *   to-one relation    VALUE_ROW, or VALUE_NULL when there is none or it is hidden
 *   to-many relation   VALUE_ROWS */
typedef struct ResultSink {
  /* One top-level row; values are borrowed until it returns. On the loop's thread or a store's; never two at once. */
  Code (*row)(struct ResultSink *sink, const Selection *selection, const Value *values, Error *err);
  /* Forget every row: the read begins again. */
  void (*restart)(struct ResultSink *sink);
} ResultSink;

typedef struct Result {
  Code code;
  const Problem *problem; /* unless CODE_OK */
  size_t row_count;
  Str next_cursor, prev_cursor; /* LIST; ptr NULL: none */
  bool has_total;
  int64_t total;
  Str etag;                 /* of the representation that was given (GET, and writes with a selection); without quotes */
  const Value *key;         /* of the row that was written */
  bool is_created;          /* REPLACE and CREATE */
  bool is_hidden;           /* the write is done, but its writer may not read the row: no row was given */
  bool is_not_modified;     /* If-None-Match on GET */
  const Value *const *keys; /* CREATE of an array: each row's key */
  const bool *hidden;       /*   and which of them gave no row */
  size_t key_count;
} Result;
