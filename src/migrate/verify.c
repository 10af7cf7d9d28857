/* verify.c - is the database as its migrations say? And do they lead there, back, and there again, on an empty scratch copy? */
#include "migrate/difference.h"
#include "migrate/migrate.h"
#include "migrate/unit.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };

typedef struct Verifying {
  const MigrateOptions *options;
  const MigrationFolder *folder;
  Arena *arena;
  Buf *differences;
  Error *err;
} Verifying;

/* ---- the database ---- */

static Code pending_write(const Verifying *verifying, const Ledger *ledger) {
  for (size_t i = 0; i < verifying->folder->migrations.count; i++) {
    const Migration *migration = &verifying->folder->migrations.items[i];
    const LedgerEntry *entry = NULL;
    for (size_t k = 0; k < ledger->entries.count; k++) {
      if (ledger->entries.items[k].number == migration->number) entry = &ledger->entries.items[k];
    }
    if (entry == NULL)
      buf_printf(verifying->differences, "%.*s is not applied\n", STR_ARGS(migration->name));
    else if (!str_equal(entry->checksum, migration->checksum))
      buf_printf(verifying->differences, "%.*s was changed after it was applied\n", STR_ARGS(migration->name));
    else if (entry->state != LEDGER_APPLIED)
      buf_printf(verifying->differences, "%.*s is applied in part\n", STR_ARGS(migration->name));
  }
  return CODE_OK;
}

static Code database_verify(const Verifying *verifying, Migrator *migrator) {
  const MigrateOptions *options = verifying->options;
  Layout is, should;
  Ledger ledger;
  bool is_ours = false;
  TRY(options->calls->read(migrator, options->contract, verifying->arena, &is, &is_ours, verifying->err));
  TRY(ledger_read(migrator, verifying->arena, &ledger, verifying->err));
  TRY(pending_write(verifying, &ledger));
  if (verifying->folder->is_there)
    should = verifying->folder->migrations.items[verifying->folder->migrations.count - 1].layout;
  else
    TRY(options->calls->layout_of(options->contract, verifying->arena, &should, verifying->err));
  return layout_differences(options->calls, &is, &should, verifying->arena, verifying->differences, verifying->err);
}

/* ---- the scratch copy ---- */

static Code scratch_statement(const Verifying *verifying, Migrator *migrator, const Migration *migration, const char *file, Str sql) {
  Error inner;
  Code code = migrator->calls->execute(migrator, sql.ptr, &inner);
  if (code == CODE_OK) return CODE_OK;
  if (code == CODE_UNAVAILABLE) return error_set(verifying->err, code, "%.200s", inner.text);
  buf_printf(verifying->differences, "%.*s/%s fails on an empty copy: %s\n", STR_ARGS(migration->name), file, inner.text);
  return CODE_CONFLICT;
}

static Code scratch_step(const Verifying *verifying, Migrator *migrator, size_t at, bool is_backwards) {
  static const Layout none = {0};
  const Migration *migration = &verifying->folder->migrations.items[at];
  const Layout *before = at == 0 ? &none : &verifying->folder->migrations.items[at - 1].layout;
  const char *file = is_backwards ? "down.sql" : "up.sql";
  Buf found = buf_on(verifying->arena, TEXT_BYTES_MAX);
  Script script;
  Layout is;
  bool is_ours = false;
  TRY(script_read(is_backwards ? migration->down : migration->up, verifying->arena, &script, verifying->err));
  if (migrator->calls->is_atomic) TRY(migrator->calls->begin(migrator, verifying->err));
  for (size_t i = 0; i < script.statements.count; i++)
    TRY(scratch_statement(verifying, migrator, migration, file, script.statements.items[i].sql));
  if (migrator->calls->is_atomic) TRY(migrator->calls->commit(migrator, verifying->err));
  TRY(migrator->calls->read(migrator, NULL, verifying->arena, &is, &is_ours, verifying->err));
  TRY(layout_differences(migrator->calls, &is, is_backwards ? before : &migration->layout, verifying->arena, &found, verifying->err));
  Str rest = buf_str(&found), line;
  while (rest.len > 0 && str_split_next(&rest, '\n', &line)) {
    if (line.len > 0) buf_printf(verifying->differences, "after %.*s/%s: %.*s\n", STR_ARGS(migration->name), file, STR_ARGS(line));
  }
  return found.len == 0 ? CODE_OK : CODE_CONFLICT;
}

static Code scratch_walk(const Verifying *verifying, Migrator *migrator) {
  size_t count = verifying->folder->migrations.count;
  for (size_t i = 0; i < count; i++) TRY(scratch_step(verifying, migrator, i, false));
  for (size_t i = count; i > 0; i--) TRY(scratch_step(verifying, migrator, i - 1, true));
  for (size_t i = 0; i < count; i++) TRY(scratch_step(verifying, migrator, i, false));
  return CODE_OK;
}

/* What stands in a schema of its own would be made, and taken away, where it stands. */
static bool fits_scratch(const Verifying *verifying) {
  const MigrateOptions *options = verifying->options;
  for (size_t i = 0; i < verifying->folder->migrations.count; i++) {
    const Layout *layout = &verifying->folder->migrations.items[i].layout;
    for (size_t k = 0; options->calls->has_schemas && k < layout->tables.count; k++) {
      if (str_contains(layout->tables.items[k].name, STR("."))) return false;
    }
  }
  return true;
}

static Code scratch_verify(const Verifying *verifying) {
  const MigrateOptions *options = verifying->options;
  if (!fits_scratch(verifying)) return CODE_OK;
  Migrator *scratch = NULL;
  TRY(options->store->driver->migrator_open(options->store, options->lock_timeout_ms, MIGRATOR_READS, &scratch, verifying->err));
  Code code = options->calls->scratch(scratch, verifying->err);
  if (code == CODE_OK) code = scratch_walk(verifying, scratch);
  options->calls->close(scratch);
  /* A conflict is among the differences. */
  return code == CODE_CONFLICT ? CODE_OK : code;
}

Code migrate_verify(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err) {
  MigrationFolder folder;
  Migrator *migrator = NULL;
  Buf differences = buf_on(arena, TEXT_BYTES_MAX);
  Verifying verifying = {.options = options, .folder = &folder, .arena = arena, .differences = &differences, .err = err};
  TRY(migration_folder_read(options->folder, options->calls, arena, &folder, err));
  TRY(options->store->driver->migrator_open(options->store, options->lock_timeout_ms, MIGRATOR_READS, &migrator, err));
  Code code = database_verify(&verifying, migrator);
  options->calls->close(migrator);
  TRY(code);
  TRY(scratch_verify(&verifying));
  TRY(buf_check(&differences, err));
  if (differences.len > 0) {
    *ret_details = buf_str(&differences);
    return error_set(err, CODE_CONFLICT, "the database is not as its migrations say, or they do not lead there and back");
  }
  Str tried = fits_scratch(&verifying)
                  ? STR("the database is as its migrations say; up, down and up again lead there")
                  : STR("the database is as its migrations say; up and down were not tried, since tables in schemas of "
                        "their own have no place in a scratch copy");
  options->say(options->context, folder.is_there ? tried : STR("the database is as the contract says"));
  return CODE_OK;
}
