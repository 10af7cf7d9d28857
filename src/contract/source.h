/* source.h - the contract's text while it is read, and places in it. */
#pragma once
#include <stdint.h>

#include "base/str.h"
#include "contract/model.h"

typedef struct Source {
  Str name; /* lives as long as the contract, as `text` does */
  Str text;
  Str original; /* the caller's own bytes, for diagnostics, which outlive a refused contract */
  Str original_name;
  uint32_t index; /* in the order of the files */
} Source;

/* Bytes [begin, end) of a source; line and column (code points) of begin, counted from 1. */
typedef struct Span {
  const Source *source;
  uint32_t begin, end;
  uint32_t line, column;
} Span;

static inline SourcePlace span_place(Span span) { return (SourcePlace){span.source->name, span.line, span.column}; }
/* The place of byte `at`, which is not before span.begin: its line and column are counted from there. */
Span span_at(Span span, uint32_t at, uint32_t end);
/* From the start of `first` to the end of `last`. */
static inline Span span_join(Span first, Span last) {
  first.end = last.end;
  return first;
}
