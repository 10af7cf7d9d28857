/* import_pace.h - how many of an import's rows are created together, in one transaction. Many cost less: a page of an index is written once
 * for all of its new rows. But whoever else writes waits for them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows, or bytes of their text, whatever the network made of the body. */
enum { IMPORT_ROWS_MIN = 1000, IMPORT_ROWS_MAX = 5000, IMPORT_BYTES_MAX = 1024 * 1024 };
/* A piece that takes so long may be followed by a larger one; one that takes longer than that, by a smaller one. */
enum { IMPORT_SHORT_MS = 150, IMPORT_LONG_MS = 400 };

typedef struct ImportPace {
  size_t rows; /* of the next piece */
  uint64_t begun_ms;
} ImportPace;

static inline ImportPace import_pace(void) { return (ImportPace){.rows = IMPORT_ROWS_MIN}; }

static inline bool import_pace_is_full(const ImportPace *pace, size_t rows, size_t bytes) {
  return rows >= pace->rows || bytes >= IMPORT_BYTES_MAX;
}

static inline void import_pace_begin(ImportPace *pace, uint64_t now_ms) { pace->begun_ms = now_ms; }

/* `has_waiting`: somebody else wants to write. */
static inline void import_pace_end(ImportPace *pace, uint64_t now_ms, bool has_waiting) {
  uint64_t taken_ms = now_ms - pace->begun_ms;
  if (has_waiting || taken_ms > IMPORT_LONG_MS)
    pace->rows = IMPORT_ROWS_MIN;
  else if (taken_ms <= IMPORT_SHORT_MS)
    pace->rows = pace->rows < IMPORT_ROWS_MAX / 2 ? pace->rows * 2 : IMPORT_ROWS_MAX;
}
