/* ledger.h - which migrations a database has had: the table caisson_migrations in it. */
#pragma once
#include "base/arena.h"
#include "base/vec.h"
#include "store/migrator.h"

typedef enum LedgerState {
  LEDGER_APPLIED = 0,
  LEDGER_APPLYING,
  LEDGER_ROLLING_BACK,
  LEDGER_EXPANDING,
  LEDGER_EXPANDED,
  LEDGER_CONTRACTING
} LedgerState;

typedef struct LedgerEntry {
  int64_t number; /* 0: without a folder, the difference between database and contract */
  Str name, checksum, contract_text, applied_at;
  LedgerState state;
  int64_t statements_done; /* where the state is none of rest: of up.sql or down.sql */
} LedgerEntry;

typedef struct Ledger {
  VEC(LedgerEntry) entries; /* as they were applied */
} Ledger;

/* Outside of a transaction (or where the store is atomic): a database without the table has had none. */
Code ledger_read(Migrator *migrator, Arena *arena, Ledger *ret, Error *err);
/* Makes the table where it isn't there. */
Code ledger_ensure(Migrator *migrator, Error *err);
/* Replaces what stands there under the number (but for 0, which is always added). */
Code ledger_write(Migrator *migrator, const LedgerEntry *entry, Arena *arena, Error *err);
/* The one that was written last. */
Code ledger_remove_last(Migrator *migrator, Error *err);
Code ledger_remove(Migrator *migrator, int64_t number, Error *err);
