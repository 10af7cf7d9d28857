/* unit.h - one migration, ready to be run, forwards or back; and its running, which is all or nothing where the store can do that, else in
 * pieces of which each is noted in the ledger together with what it did, so that the next migrator goes on behind it. */
#pragma once
#include "migrate/checks.h"
#include "migrate/migrate.h"
#include "migrate/script.h"

typedef struct Unit {
  LedgerEntry entry; /* as it is when all is done */
  MigrationPlan plan;
  DataChecks checks;
  Script script;
  bool is_generated; /* the script is what the planner wrote, word for word */
  bool is_backwards;
} Unit;

enum { MIGRATE_LINE_BYTES_MAX = 256 }; /* a migration's name has 80 bytes behind its number */

/* Tells what was done, or would be, and with which migration: whatever memory there is. */
void migrate_say(const MigrateOptions *options, const char *what, Str name);

/* `text` is the script; ptr NULL: the planner's own. What can't be planned is refused, but for edited scripts: they know better. */
Code unit_make(const MigrateOptions *options, const Layout *from, const Layout *to, Str text, bool is_backwards, Arena *arena, Unit *ret,
               Str *ret_details, Error *err);
/* Up or down of the folder's migration `at`. */
Code unit_of_folder(const MigrateOptions *options, const MigrationFolder *folder, size_t at, bool is_backwards, Arena *arena, Unit *ret,
                    Str *ret_details, Error *err);
/* Looks at the data: CODE_CONFLICT where it doesn't fit, or would be lost without leave. */
Code unit_check(const MigrateOptions *options, Migrator *migrator, const Unit *unit, Arena *arena, Str *ret_details, Error *err);
/* `done`: so many statements have been run before. Where the store is atomic the caller has begun a transaction, and commits it. */
Code unit_run(const MigrateOptions *options, Migrator *migrator, const Unit *unit, int64_t done, Arena *arena, Error *err);
