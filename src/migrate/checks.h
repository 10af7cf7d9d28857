/* checks.h - what has to be asked of the data before a plan is run: does it fit, and what would be lost. */
#pragma once
#include "migrate/plan.h"

typedef struct DataCheck {
  Str text;      /* "column products.stock becomes required" */
  Str count_sql; /* how many rows don't fit, or hold what would be lost */
  Str keys_sql;  /* three of their keys; len 0: the table has none */
  bool is_loss;
  bool is_always_destructive; /* whatever the count is */
  bool is_for_generated;      /* an edited script may have filled what is missing: its own statements fail where it hasn't */
} DataCheck;

typedef VEC(DataCheck) DataChecks;

Code data_checks_make(const StoreMigrator *store, const MigrationPlan *plan, bool is_backwards, Arena *arena, DataChecks *ret, Error *err);
/* Asks. What does not fit, a line each, goes to *misfits; what would be lost to *losses. */
Code data_checks_run(Migrator *migrator, const DataChecks *checks, bool is_generated, Arena *arena, Buf *misfits, Buf *losses, Error *err);
