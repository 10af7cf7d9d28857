/* unit.c - see unit.h. */
#include "migrate/unit.h"

#include <stdio.h>
#include <time.h>

enum { DETAILS_BYTES_MAX = 1024 * 1024, SCRIPT_BYTES_MAX = 64 * 1024 * 1024, LOCK_ATTEMPTS = 3, LOCK_PAUSE_MS = 200 };

void migrate_say(const MigrateOptions *options, const char *what, Str name) {
  char line[MIGRATE_LINE_BYTES_MAX];
  (void)snprintf(line, sizeof line, "%s %.*s", what, STR_ARGS(name));
  options->say(options->context, str_of(line));
}

Code unit_make(const MigrateOptions *options, const Layout *from, const Layout *to, Str text, bool is_backwards, Arena *arena, Unit *ret,
               Str *ret_details, Error *err) {
  *ret = (Unit){.is_backwards = is_backwards};
  Buf generated = buf_on(arena, SCRIPT_BYTES_MAX);
  Str written;
  TRY(migration_plan(options->calls, from, to, is_backwards, arena, &ret->plan, err));
  TRY(data_checks_make(options->calls, &ret->plan, is_backwards, arena, &ret->checks, err));
  bool is_refused = ret->plan.refusals.len > 0;
  if (!is_refused) TRY(script_from_plan(options->calls, &ret->plan, false, arena, &ret->script, err));
  script_write(&generated, &ret->script, options->calls->dialect);
  TRY(buf_finish(&generated, &written, err));
  ret->is_generated = text.ptr == NULL || (!is_refused && str_equal(text, written));
  if (text.ptr != NULL) return script_read(text, arena, &ret->script, err);
  if (!is_refused) return CODE_OK;
  *ret_details = buf_str(&ret->plan.refusals);
  return error_set(err, CODE_CONFLICT, "this change can't be made by a migration of ours");
}

static const Layout *layout_at(const MigrationFolder *folder, size_t count) {
  static const Layout none = {0};
  return count == 0 ? &none : &folder->migrations.items[count - 1].layout;
}

Code unit_of_folder(const MigrateOptions *options, const MigrationFolder *folder, size_t at, bool is_backwards, Arena *arena, Unit *ret,
                    Str *ret_details, Error *err) {
  const Migration *migration = &folder->migrations.items[at];
  const Layout *before = layout_at(folder, at), *behind = &migration->layout;
  Code code = is_backwards ? unit_make(options, behind, before, migration->down, true, arena, ret, ret_details, err)
                           : unit_make(options, before, behind, migration->up, false, arena, ret, ret_details, err);
  if (code == CODE_BAD_REQUEST)
    return error_set(err, code, "%.*s: a string, name or comment in its SQL does not end", STR_ARGS(migration->name));
  TRY(code);
  ret->entry = (LedgerEntry){
      .number = migration->number, .name = migration->name, .checksum = migration->checksum, .contract_text = migration->contract_text};
  return CODE_OK;
}

Code unit_check(const MigrateOptions *options, Migrator *migrator, const Unit *unit, Arena *arena, Str *ret_details, Error *err) {
  Buf misfits = buf_on(arena, DETAILS_BYTES_MAX), losses = buf_on(arena, DETAILS_BYTES_MAX);
  TRY(data_checks_run(migrator, &unit->checks, unit->is_generated, arena, &misfits, &losses, err));
  Str name = unit->entry.name.len > 0 ? unit->entry.name : STR("the change");
  if (misfits.len > 0) {
    *ret_details = buf_str(&misfits);
    return error_set(err, CODE_CONFLICT, "%.*s: rows that are there do not fit; nothing was changed", STR_ARGS(name));
  }
  if (losses.len == 0 || options->is_destruction_allowed) return CODE_OK;
  *ret_details = buf_str(&losses);
  return error_set(err, CODE_CONFLICT, "%.*s is destructive: --allow-destructive lets it be; nothing was changed", STR_ARGS(name));
}

/* ---- running ---- */

typedef struct Run {
  const MigrateOptions *options;
  Migrator *migrator;
  const Unit *unit;
  Arena *arena;
  Error *err;
} Run;

static Code note(const Run *run, size_t done) {
  bool is_over = done == run->unit->script.statements.count;
  LedgerEntry entry = run->unit->entry;
  entry.state = is_over ? LEDGER_APPLIED : run->unit->is_backwards ? LEDGER_ROLLING_BACK : LEDGER_APPLYING;
  entry.statements_done = is_over ? 0 : (int64_t)done;
  /* What has no number starts anew from what is there. */
  if (entry.number == 0 && !is_over) return CODE_OK;
  if (is_over && run->unit->is_backwards) return ledger_remove(run->migrator, entry.number, run->err);
  return ledger_write(run->migrator, &entry, run->arena, run->err);
}

static Code statement_run(const Run *run, size_t at) {
  Error inner = {0};
  Code code = run->migrator->calls->execute(run->migrator, run->unit->script.statements.items[at].sql.ptr, &inner);
  if (code == CODE_OK) return CODE_OK;
  Str name = run->unit->entry.name;
  return error_set(run->err, code, "%.*s, statement %zu of %zu: %.150s", (int)(name.len > 40 ? 40 : name.len),
                   name.len == 0 ? "" : name.ptr, at + 1, run->unit->script.statements.count, inner.text);
}

/* [begin, end) in one transaction, with its note. */
static Code transaction_run(const Run *run, size_t begin, size_t end) {
  const StoreMigrator *calls = run->migrator->calls;
  TRY(calls->begin(run->migrator, run->err));
  Code code = CODE_OK;
  for (size_t i = begin; code == CODE_OK && i < end; i++) code = statement_run(run, i);
  if (code == CODE_OK) code = note(run, end);
  if (code == CODE_OK) return calls->commit(run->migrator, run->err);
  calls->rollback(run->migrator);
  return code;
}

/* Outside of a transaction. A leftover that is cleared away is not noted: what it makes room for is to be done again with it. */
static Code outside_run(const Run *run, size_t at) {
  const Script *script = &run->unit->script;
  TRY(statement_run(run, at));
  bool is_clearing =
      at + 1 < script->statements.count && str_starts_with(script->statements.items[at].sql, STR("DROP INDEX CONCURRENTLY IF EXISTS"));
  return is_clearing && script_mode(script->statements.items[at + 1].sql) == SCRIPT_OUTSIDE ? CODE_OK : note(run, at + 1);
}

static size_t piece_end(const Script *script, size_t begin) {
  if (script_mode(script->statements.items[begin].sql) != SCRIPT_TOGETHER) return begin + 1;
  size_t end = begin;
  while (end < script->statements.count && script_mode(script->statements.items[end].sql) == SCRIPT_TOGETHER) end++;
  return end;
}

static void pause_ms(int64_t ms) {
  struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

/* A lock that does not come in time is let go, so that nobody queues behind us, and asked for again a little later. */
static Code piece_run(const Run *run, size_t begin, size_t end) {
  for (int attempt = 1;; attempt++) {
    bool is_outside = script_mode(run->unit->script.statements.items[begin].sql) == SCRIPT_OUTSIDE;
    Code code = is_outside ? outside_run(run, begin) : transaction_run(run, begin, end);
    if (code != CODE_TIMEOUT || attempt == LOCK_ATTEMPTS) return code;
    pause_ms((int64_t)attempt * LOCK_PAUSE_MS);
  }
}

static Code pieces_run(const Run *run, size_t done) {
  const Script *script = &run->unit->script;
  if (script->statements.count == 0) return transaction_run(run, 0, 0);
  while (done < script->statements.count) {
    size_t end = piece_end(script, done);
    TRY(piece_run(run, done, end));
    done = end;
  }
  return CODE_OK;
}

Code unit_run(const MigrateOptions *options, Migrator *migrator, const Unit *unit, int64_t done, Arena *arena, Error *err) {
  Run run = {options, migrator, unit, arena, err};
  if (!migrator->calls->is_atomic) return pieces_run(&run, (size_t)done);
  if (unit->script.statements.count > 0 && migrator->calls->prepare != NULL) TRY(migrator->calls->prepare(migrator, err));
  for (size_t i = 0; i < unit->script.statements.count; i++) TRY(statement_run(&run, i));
  return note(&run, unit->script.statements.count);
}
