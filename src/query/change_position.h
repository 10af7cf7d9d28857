/* change_position.h - how far a reader of the changes has come, and its opaque text. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Everything of transactions before `from` has been read, and of those from `from` up to `to` whatever is numbered up to `seq`. Where one
 * transaction writes at a time (`to` 1, and every transaction 0) only `seq` counts. */
typedef struct ChangePosition {
  int64_t from, to, seq;
} ChangePosition;

enum { CHANGE_POSITION_BYTES_MAX = 48 };

static inline bool change_position_covers(const ChangePosition *position, int64_t transaction, int64_t seq) {
  return transaction < position->from || (transaction < position->to && seq <= position->seq);
}
/* Whoever stands at `a` has read whatever one at `b` has; of two that have read to the end of what they could, one is ahead or both are. */
static inline bool change_position_is_ahead(const ChangePosition *a, const ChangePosition *b) {
  if (a->to != b->to) return a->to > b->to;
  return a->from != b->from ? a->from > b->from : a->seq >= b->seq;
}
/* The text, in `out`. */
Str change_position_write(const ChangePosition *position, char out[CHANGE_POSITION_BYTES_MAX]);
/* False where the text is none that change_position_write has made. */
bool change_position_parse(Str text, ChangePosition *ret);
