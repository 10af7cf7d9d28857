/* migrate.c - apply, rollback, plan and status: which migrations are due, in which order, under which lock. */
#include "migrate/migrate.h"

#include <inttypes.h>
#include <stdio.h>

#include "migrate/difference.h"
#include "migrate/phase.h"
#include "migrate/unit.h"

enum { TEXT_BYTES_MAX = 64 * 1024 * 1024 };

/* What the database and the folder say at one moment. */
typedef struct Work {
  const MigrateOptions *options;
  Migrator *migrator;
  MigrationFolder folder;
  Ledger ledger;
  Layout layout;
  bool is_adopting; /* migrations are noted that the database has had already */
  Arena *arena;
  Str *ret_details;
  Error *err;
} Work;

static const LedgerEntry *entry_of(const Ledger *ledger, int64_t number) {
  for (size_t i = 0; i < ledger->entries.count; i++) {
    if (ledger->entries.items[i].number == number) return &ledger->entries.items[i];
  }
  return NULL;
}

static bool has_numbers(const Ledger *ledger) {
  for (size_t i = 0; i < ledger->entries.count; i++) {
    if (ledger->entries.items[i].number != 0) return true;
  }
  return false;
}

/* ---- the beginning ---- */

static Code folder_find(Work *work) {
  const MigrateOptions *options = work->options;
  TRY(migration_folder_read(options->folder, options->calls, work->arena, &work->folder, work->err));
  if (options->to <= 0) return CODE_OK;
  for (size_t i = 0; i < work->folder.migrations.count; i++) {
    if (work->folder.migrations.items[i].number == options->to) return CODE_OK;
  }
  return error_set(work->err, CODE_CONFLICT, "there is no migration %04" PRId64 " in %.*s", options->to, STR_ARGS(options->folder));
}

/* What was applied must still be what stands in the folder. */
static Code ledger_compare(const Work *work) {
  for (size_t i = 0; i < work->ledger.entries.count; i++) {
    const LedgerEntry *entry = &work->ledger.entries.items[i];
    const Migration *found = NULL;
    for (size_t k = 0; k < work->folder.migrations.count; k++) {
      if (work->folder.migrations.items[k].number == entry->number) found = &work->folder.migrations.items[k];
    }
    if (entry->number == 0) continue;
    if (found == NULL)
      return error_set(work->err, CODE_CONFLICT, "%.*s was applied, and is not in %.*s (--dir says where the migrations are)",
                       STR_ARGS(entry->name), STR_ARGS(work->folder.path));
    if (!str_equal(found->checksum, entry->checksum))
      return error_set(work->err, CODE_CONFLICT, "%.*s was changed after it was applied: put it back as it was, and make a new migration",
                       STR_ARGS(found->name));
  }
  return CODE_OK;
}

static Code look(Work *work) {
  bool is_ours = false;
  const StoreMigrator *calls = work->options->calls;
  TRY(calls->read(work->migrator, work->options->contract, work->arena, &work->layout, &is_ours, work->err));
  if (!is_ours) return error_set(work->err, CODE_CONFLICT, "this database was not made by Caisson: its schema is never changed");
  TRY(ledger_read(work->migrator, work->arena, &work->ledger, work->err));
  return ledger_compare(work);
}

/* What one phase has begun the other ends, and nothing else comes in between. */
static Code refuse_phase(const Work *work) {
  for (size_t i = 0; i < work->ledger.entries.count; i++) {
    const LedgerEntry *entry = &work->ledger.entries.items[i];
    if (entry->state == LEDGER_EXPANDING || entry->state == LEDGER_EXPANDED || entry->state == LEDGER_CONTRACTING)
      return error_set(work->err, CODE_CONFLICT, "the database is expanded for %.*s: apply --contract ends that, rollback takes it back",
                       STR_ARGS(entry->name));
  }
  return CODE_OK;
}

static Code work_open(const MigrateOptions *options, MigratorMode mode, Arena *arena, Str *ret_details, Work *ret, Error *err) {
  *ret = (Work){.options = options, .arena = arena, .ret_details = ret_details, .err = err};
  TRY(folder_find(ret));
  return options->store->driver->migrator_open(options->store, options->lock_timeout_ms, mode, &ret->migrator, err);
}

/* ---- without a folder ---- */

/* The contract that was applied last says more than the database (enums, limits, names), as long as the database is still as it says. */
static Code layout_known(Work *work, Layout *ret) {
  *ret = work->layout;
  if (work->ledger.entries.count == 0) return CODE_OK;
  const LedgerEntry *last = &work->ledger.entries.items[work->ledger.entries.count - 1];
  Contract *contract = NULL;
  Layout layout;
  Error inner;
  Buf differences = buf_on(work->arena, TEXT_BYTES_MAX);
  Code code = migration_contract_load(STR("the contract applied last"), last->contract_text, work->arena, &contract, &inner);
  if (code == CODE_UNAVAILABLE) return error_set(work->err, code, "%s", inner.text);
  if (code != CODE_OK) return CODE_OK;
  TRY(work->options->calls->layout_of(contract, work->arena, &layout, work->err));
  TRY(layout_differences(work->options->calls, &work->layout, &layout, work->arena, &differences, work->err));
  if (differences.len == 0) *ret = layout;
  return CODE_OK;
}

static Code unit_of_contract(Work *work, Unit *ret) {
  Layout from, to;
  const MigrateOptions *options = work->options;
  if (has_numbers(&work->ledger))
    return error_set(work->err, CODE_CONFLICT,
                     "migrations of a folder were applied, and there are none in %.*s (--dir says where they are)",
                     STR_ARGS(options->folder));
  TRY(layout_known(work, &from));
  TRY(options->calls->layout_of(options->contract, work->arena, &to, work->err));
  TRY(unit_make(options, &from, &to, (Str){NULL, 0}, false, work->arena, ret, work->ret_details, work->err));
  ret->entry = (LedgerEntry){.name = STR("contract"),
                             .checksum = migration_checksum(STR(""), STR(""), options->contract_text, work->arena),
                             .contract_text = options->contract_text};
  return ret->entry.checksum.ptr != NULL ? CODE_OK : error_no_memory(work->err);
}

/* ---- what is next ---- */

static Code is_as(const Work *work, size_t at, Buf *differences, bool *ret) {
  TRY(layout_differences(work->options->calls, &work->layout, &work->folder.migrations.items[at].layout, work->arena, differences,
                         work->err));
  *ret = differences->len == 0;
  return CODE_OK;
}

/* What was written into an up.sql by hand has not been done by serving. */
static Code are_generated(const Work *work, size_t begin, size_t end, bool *ret) {
  *ret = true;
  for (size_t i = begin; *ret && i < end; i++) {
    Unit unit;
    TRY(unit_of_folder(work->options, &work->folder, i, false, work->arena, &unit, work->ret_details, work->err));
    *ret = unit.is_generated;
  }
  return CODE_OK;
}

/* Of those that are not noted, [begin, end) are there already: serving has made the tables, or added to them, and the database is as the
 * last of these leaves it. Where serving has made them all, nothing else will do. */
static Code find_adopted(const Work *work, size_t *ret_begin, size_t *ret_end) {
  size_t begin = 0, count = work->folder.migrations.count;
  bool is_same = false;
  Buf differences = buf_on(work->arena, TEXT_BYTES_MAX);
  while (begin < count && entry_of(&work->ledger, work->folder.migrations.items[begin].number) != NULL) begin++;
  *ret_begin = *ret_end = begin;
  for (size_t i = 0; i < begin; i++)
    if (entry_of(&work->ledger, work->folder.migrations.items[i].number)->state != LEDGER_APPLIED) return CODE_OK;
  if (work->layout.tables.count == 0 || begin == count) return CODE_OK;
  if (begin > 0) TRY(is_as(work, begin - 1, &differences, &is_same));
  if (is_same) return CODE_OK;
  for (size_t end = count; end > begin; end--) {
    Buf others = buf_on(work->arena, TEXT_BYTES_MAX);
    TRY(is_as(work, end - 1, end == count ? &differences : &others, &is_same));
    if (is_same && begin > 0) TRY(are_generated(work, begin, end, &is_same));
    if (is_same) return *ret_end = end, CODE_OK;
  }
  if (begin > 0) return CODE_OK;
  *work->ret_details = buf_str(&differences);
  return error_set(work->err, CODE_CONFLICT, "the database has tables, and is not as any of the migrations leaves it, nor the last one");
}

static Code adopt(Work *work, bool *ret_has) {
  size_t begin, end;
  TRY(find_adopted(work, &begin, &end));
  for (size_t i = begin; i < end; i++) {
    const Migration *migration = &work->folder.migrations.items[i];
    LedgerEntry entry = {
        .number = migration->number, .name = migration->name, .checksum = migration->checksum, .contract_text = migration->contract_text};
    TRY(ledger_write(work->migrator, &entry, work->arena, work->err));
  }
  *ret_has = work->is_adopting = begin < end;
  return CODE_OK;
}

static bool is_due(const Work *work, const Migration *migration) {
  const LedgerEntry *entry = entry_of(&work->ledger, migration->number);
  bool is_wanted = work->options->to < 0 || migration->number <= work->options->to;
  return is_wanted && (entry == NULL || entry->state == LEDGER_APPLYING);
}

/* The index of the next one, or the folder's count. */
static Code next_due(const Work *work, size_t *ret) {
  size_t count = work->folder.migrations.count, at = 0;
  for (size_t i = 0; i < work->ledger.entries.count; i++) {
    if (work->ledger.entries.items[i].state == LEDGER_ROLLING_BACK)
      return error_set(work->err, CODE_CONFLICT, "%.*s was being rolled back: caisson migrate rollback ends it",
                       STR_ARGS(work->ledger.entries.items[i].name));
  }
  while (at < count && !is_due(work, &work->folder.migrations.items[at])) at++;
  for (size_t i = at + 1; i < count; i++) {
    const Migration *later = &work->folder.migrations.items[i];
    if (entry_of(&work->ledger, later->number) != NULL)
      return error_set(work->err, CODE_CONFLICT, "%.*s comes before %.*s, which was applied without it: give it a later number",
                       STR_ARGS(work->folder.migrations.items[at].name), STR_ARGS(later->name));
  }
  *ret = at;
  return CODE_OK;
}

/* ---- apply ---- */

/* One step of apply, in the transaction where there is one. */
static Code apply_next(Work *work, bool *ret_is_over) {
  Unit unit;
  size_t at = 0;
  int64_t done = 0;
  TRY(look(work));
  TRY(refuse_phase(work));
  /* The mark first: a table of ours without it would be taken for somebody else's. */
  TRY(work->options->calls->mark(work->migrator, work->err));
  TRY(ledger_ensure(work->migrator, work->err));
  *ret_is_over = true;
  if (!work->folder.is_there) {
    TRY(unit_of_contract(work, &unit));
  } else {
    bool has_adopted = false;
    TRY(adopt(work, &has_adopted));
    if (has_adopted) return *ret_is_over = false, CODE_OK;
    TRY(next_due(work, &at));
    if (at == work->folder.migrations.count) return CODE_OK;
    TRY(unit_of_folder(work->options, &work->folder, at, false, work->arena, &unit, work->ret_details, work->err));
    const LedgerEntry *entry = entry_of(&work->ledger, work->folder.migrations.items[at].number);
    if (entry != NULL) done = entry->statements_done;
    *ret_is_over = false;
  }
  if (done == 0) TRY(unit_check(work->options, work->migrator, &unit, work->arena, work->ret_details, work->err));
  bool is_nothing = !work->folder.is_there && unit.script.statements.count == 0 && work->ledger.entries.count > 0;
  if (is_nothing) return CODE_OK;
  TRY(unit_run(work->options, work->migrator, &unit, done, work->arena, work->err));
  return CODE_OK;
}

typedef Code WorkStepFn(Work *work, bool *ret_is_over);

/* Steps until none is left, each in a transaction where the store does that. */
static Code work_through(Work *work, WorkStepFn *step, const char *what) {
  const StoreMigrator *calls = work->options->calls;
  bool is_any = false;
  for (bool is_over = false; !is_over;) {
    if (calls->is_atomic) TRY(calls->begin(work->migrator, work->err));
    work->is_adopting = false;
    Code code = step(work, &is_over);
    if (code != CODE_OK) return calls->rollback(work->migrator), code;
    if (calls->is_atomic) TRY(calls->commit(work->migrator, work->err));
    Ledger before = work->ledger;
    TRY(ledger_read(work->migrator, work->arena, &work->ledger, work->err));
    for (size_t i = 0; i < work->ledger.entries.count; i++) {
      const LedgerEntry *entry = &work->ledger.entries.items[i];
      const LedgerEntry *then = entry->number == 0 ? (i < before.entries.count ? entry : NULL) : entry_of(&before, entry->number);
      if (then != NULL && then->state == entry->state) continue;
      migrate_say(work->options, work->is_adopting ? "already there:" : what, entry->name);
      is_any = true;
    }
    for (size_t i = 0; i < before.entries.count; i++) {
      const LedgerEntry *entry = &before.entries.items[i];
      if (entry->number == 0 || entry_of(&work->ledger, entry->number) != NULL) continue;
      migrate_say(work->options, what, entry->name);
      is_any = true;
    }
  }
  if (!is_any) migrate_say(work->options, "nothing is to be", str_of(what));
  return CODE_OK;
}

Code migrate_apply(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err) {
  Work work;
  if (options->is_dry_run) return migrate_plan(options, arena, ret_details, err);
  TRY(work_open(options, MIGRATOR_WRITES, arena, ret_details, &work, err));
  Code code = work_through(&work, apply_next, "applied");
  options->calls->close(work.migrator);
  return code;
}

/* ---- rollback ---- */

static Code last_applied(const Work *work, size_t *ret) {
  size_t count = work->folder.migrations.count;
  for (size_t i = count; i > 0; i--) {
    const LedgerEntry *entry = entry_of(&work->ledger, work->folder.migrations.items[i - 1].number);
    if (entry == NULL) continue;
    if (entry->state == LEDGER_APPLYING)
      return error_set(work->err, CODE_CONFLICT, "%.*s is applied in part: caisson migrate apply ends it", STR_ARGS(entry->name));
    *ret = i - 1;
    return CODE_OK;
  }
  *ret = count;
  return CODE_OK;
}

static Code rollback_next(Work *work, bool *ret_is_over) {
  Unit unit;
  size_t at = 0;
  *ret_is_over = true;
  TRY(look(work));
  TRY(last_applied(work, &at));
  if (at == work->folder.migrations.count || work->folder.migrations.items[at].number <= work->options->to) return CODE_OK;
  TRY(unit_of_folder(work->options, &work->folder, at, true, work->arena, &unit, work->ret_details, work->err));
  const LedgerEntry *entry = entry_of(&work->ledger, unit.entry.number);
  int64_t done = entry->state == LEDGER_ROLLING_BACK ? entry->statements_done : 0;
  if (done == 0) TRY(unit_check(work->options, work->migrator, &unit, work->arena, work->ret_details, work->err));
  TRY(unit_run(work->options, work->migrator, &unit, done, work->arena, work->err));
  /* Without --to it is one. */
  *ret_is_over = work->options->to < 0;
  return CODE_OK;
}

static Code rollback_plan(Work *work) {
  size_t at = 0;
  TRY(look(work));
  TRY(last_applied(work, &at));
  for (; at < work->folder.migrations.count && work->folder.migrations.items[at].number > work->options->to; at--) {
    Unit unit;
    TRY(unit_of_folder(work->options, &work->folder, at, true, work->arena, &unit, work->ret_details, work->err));
    if (work->options->to < 0 || at + 1 == work->folder.migrations.count)
      TRY(unit_check(work->options, work->migrator, &unit, work->arena, work->ret_details, work->err));
    migrate_say(work->options, "-- would roll back", unit.entry.name);
    work->options->say(work->options->context, work->folder.migrations.items[at].down);
    if (work->options->to < 0 || at == 0) break;
  }
  return CODE_OK;
}

Code migrate_rollback(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err) {
  Work work;
  bool is_done = false;
  TRY(migrate_abandon(options, &is_done, arena, ret_details, err));
  if (is_done) return CODE_OK;
  TRY(work_open(options, options->is_dry_run ? MIGRATOR_READS : MIGRATOR_WRITES, arena, ret_details, &work, err));
  Code code = CODE_OK;
  if (!work.folder.is_there)
    code = error_set(err, CODE_CONFLICT, "there are no migrations in %.*s to roll back", STR_ARGS(options->folder));
  else
    code = options->is_dry_run ? rollback_plan(&work) : work_through(&work, rollback_next, "rolled back");
  options->calls->close(work.migrator);
  return code;
}

/* ---- plan and status ---- */

/* Comments in front of a script: what is not told by its statements, since it is the data's. */
static Code data_write(Work *work, const Unit *unit, Buf *out) {
  Buf misfits = buf_on(work->arena, TEXT_BYTES_MAX), losses = buf_on(work->arena, TEXT_BYTES_MAX);
  TRY(data_checks_run(work->migrator, &unit->checks, unit->is_generated, work->arena, &misfits, &losses, work->err));
  Str rest = buf_str(&misfits), line;
  while (rest.len > 0 && str_split_next(&rest, '\n', &line)) {
    if (line.len > 0) buf_printf(out, "-- DOES NOT FIT: %.*s\n", STR_ARGS(line));
  }
  rest = buf_str(&losses);
  while (rest.len > 0 && str_split_next(&rest, '\n', &line)) {
    if (line.len > 0) buf_printf(out, "-- DESTRUCTIVE: %.*s\n", STR_ARGS(line));
  }
  return CODE_OK;
}

static Code plan_write(Work *work, Buf *out) {
  Unit unit;
  size_t at = 0;
  TRY(look(work));
  TRY(refuse_phase(work));
  if (!work->folder.is_there) {
    TRY(unit_of_contract(work, &unit));
    TRY(data_write(work, &unit, out));
    if (unit.script.statements.count > 0) script_write(out, &unit.script, work->options->calls->dialect);
    return CODE_OK;
  }
  size_t adopted_begin, adopted_end;
  TRY(find_adopted(work, &adopted_begin, &adopted_end));
  TRY(next_due(work, &at));
  for (size_t i = adopted_begin; i < adopted_end; i++)
    buf_printf(out, "-- already there: %.*s\n", STR_ARGS(work->folder.migrations.items[i].name));
  if (at < adopted_end) at = adopted_end;
  /* Those behind the first see data that is not there yet. */
  for (bool is_first = true; at < work->folder.migrations.count; at++) {
    const Migration *migration = &work->folder.migrations.items[at];
    if (!is_due(work, migration)) continue;
    TRY(unit_of_folder(work->options, &work->folder, at, false, work->arena, &unit, work->ret_details, work->err));
    buf_printf(out, "-- %.*s\n", STR_ARGS(migration->name));
    if (is_first) TRY(data_write(work, &unit, out));
    buf_add(out, migration->up);
    buf_add_byte(out, '\n');
    is_first = false;
  }
  return CODE_OK;
}

Code migrate_plan(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err) {
  Work work;
  Buf out = buf_on(arena, TEXT_BYTES_MAX);
  TRY(work_open(options, MIGRATOR_READS, arena, ret_details, &work, err));
  Code code = plan_write(&work, &out);
  options->calls->close(work.migrator);
  TRY(code);
  TRY(buf_check(&out, err));
  options->say(options->context, out.len == 0 ? STR("-- nothing to do") : str_trim(buf_str(&out)));
  return CODE_OK;
}

static Code status_write(Work *work) {
  static const char *const words[] = {
      [LEDGER_APPLIED] = "applied",     [LEDGER_APPLYING] = "in part",  [LEDGER_ROLLING_BACK] = "going back",
      [LEDGER_EXPANDING] = "expanding", [LEDGER_EXPANDED] = "expanded", [LEDGER_CONTRACTING] = "contracting"};
  bool is_ours = false;
  const StoreMigrator *calls = work->options->calls;
  TRY(calls->read(work->migrator, work->options->contract, work->arena, &work->layout, &is_ours, work->err));
  TRY(ledger_read(work->migrator, work->arena, &work->ledger, work->err));
  for (size_t i = 0; i < work->ledger.entries.count; i++) {
    const LedgerEntry *entry = &work->ledger.entries.items[i];
    char line[MIGRATE_LINE_BYTES_MAX];
    (void)snprintf(line, sizeof line, "%-11s %.*s  %.*s", words[entry->state], STR_ARGS(entry->name), STR_ARGS(entry->applied_at));
    work->options->say(work->options->context, str_of(line));
  }
  for (size_t i = 0; i < work->folder.migrations.count; i++) {
    const Migration *migration = &work->folder.migrations.items[i];
    if (entry_of(&work->ledger, migration->number) == NULL) migrate_say(work->options, "pending    ", migration->name);
  }
  if (work->ledger.entries.count + work->folder.migrations.count == 0)
    work->options->say(work->options->context, STR("no migration was applied, and none is pending"));
  return ledger_compare(work);
}

Code migrate_status(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err) {
  Work work;
  TRY(work_open(options, MIGRATOR_READS, arena, ret_details, &work, err));
  Code code = status_write(&work);
  options->calls->close(work.migrator);
  return code;
}
