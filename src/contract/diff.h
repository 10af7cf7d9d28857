/* diff.h - what changes between two contracts, each change told for whom it matters: those who read, those who write, and those who answer
 * for who may do what. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "contract/model.h"

typedef enum DiffClass {
  DIFF_BREAKS_READERS = 0, /* a client that reads may fail or misunderstand */
  DIFF_BREAKS_WRITERS,     /* a request that was accepted may be refused */
  DIFF_ACCESS_WIDENED,     /* somebody may do what he could not, or that can't be ruled out */
  DIFF_ACCESS_NARROWED,
  DIFF_COMPATIBLE,
  DIFF_CLASS_COUNT
} DiffClass;

/* A change that matters in two ways is two of these. */
typedef struct DiffChange {
  DiffClass class;
  Str kind;             /* "field-removed": for programs */
  Str subject;          /* "Product.price" */
  Str detail;           /* a sentence's end: "was Int, is String" */
  SourcePlace old, new; /* line 0: it has none there */
} DiffChange;

typedef struct Diff {
  VEC(DiffChange) changes; /* in the order of the new contract, then what is gone */
} Diff;

/* Lives on `arena` and borrows from both contracts. Only CODE_UNAVAILABLE (memory) fails. */
Code contract_diff(const Contract *old, const Contract *new, Arena *arena, Diff *ret, Error *err);

/* "breaking-readers" … */
Str diff_class_name(DiffClass class);
size_t diff_count(const Diff *diff, DiffClass class);
/* By class, a line each: place, subject, what changed. */
void diff_write_text(Buf *out, const Diff *diff);
/* {"changes":[{"class","kind","subject","detail","old","new"}],"counts":{…}} */
void diff_write_json(Buf *out, const Diff *diff);
