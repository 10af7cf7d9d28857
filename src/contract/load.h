/* load.h - contract source in, checked model out; every mistake at once. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "contract/model.h"

typedef struct ContractFile {
  Str name; /* for messages */
  Str text;
} ContractFile;

/* One mistake. `line_text` is the offending line; the caret stands under `place.column`, `width` code points wide. */
typedef struct Diagnostic {
  SourcePlace place;
  uint32_t width;
  Str message;
  Str hint; /* len 0: none */
  Str line_text;
} Diagnostic;

typedef struct DiagnosticList {
  Diagnostic *items;
  size_t count;
  size_t cap;
  bool is_cut; /* there were more than DIAGNOSTICS_MAX */
} DiagnosticList;

enum { DIAGNOSTICS_MAX = 200, CONTRACT_BYTES_MAX = 4 * 1024 * 1024, CONTRACT_DEPTH_MAX = 64 };

/* On CODE_OK *ret is a contract in an arena of its own, freed with contract_destroy. On CODE_VALIDATION_FAILED *diagnostics (in
 * `arena`) says why, in the order of the source. CODE_UNAVAILABLE: out of memory. */
Code contract_load(const ContractFile *files, size_t file_count, Arena *arena, Contract **ret, DiagnosticList *diagnostics, Error *err);
void contract_destroy(Contract *contract);

/* rustc-like text of the list: file:line:column, the line, a caret, a hint. */
void diagnostics_write(Buf *out, const DiagnosticList *list, bool has_colour);

/* The directive definitions, as SDL, for editors (`caisson contract --prelude`). */
Str contract_prelude(Arena *arena);
