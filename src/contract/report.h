/* report.h - collecting a contract's mistakes, in the order of the source, each once. */
#pragma once
#include "contract/load.h"
#include "contract/source.h"

typedef struct Report {
  Arena *arena; /* the diagnostics' */
  DiagnosticList *list;
  uint32_t source_of[DIAGNOSTICS_MAX];
  bool has_no_memory; /* sticky: some mistake could not be kept */
} Report;

/* `hint` may be empty. More than DIAGNOSTICS_MAX are counted as cut. */
void report_add(Report *report, Span at, Str hint, const char *format, ...) PRINTF_LIKE(4, 5);
/* True when nothing more will be kept, so that a reader of hostile text can stop. */
static inline bool report_is_full(const Report *report) { return report->list->count == DIAGNOSTICS_MAX || report->has_no_memory; }
