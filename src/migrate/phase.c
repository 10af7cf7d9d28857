/* phase.c - see phase.h. The ledger says in which phase a database is; the mark's row "phase" says so to servers, which then take whatever
 * has their contract's columns, and names the columns with whose end nothing is lost. */
#include "migrate/phase.h"

#include <time.h>

#include "migrate/checks.h"
#include "migrate/difference.h"
#include "migrate/phase_script.h"
#include "migrate/unit.h"
#include "sql/dialect_impl.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024, LOCK_ATTEMPTS = 5, LOCK_PAUSE_MS = 200 };

typedef struct Phase {
  const MigrateOptions *options;
  Migrator *migrator;
  MigrationFolder folder;
  Ledger ledger;
  LedgerEntry target;         /* what the database is led to */
  const LedgerEntry *applied; /* where it comes from; NULL: not known */
  Layout from, to, is;        /* the two contracts', and the database's */
  VEC(Str) superseded;        /* "table.column" */
  Arena *arena;
  Str *ret_details;
  Error *err;
} Phase;

static bool is_in_phase(const LedgerEntry *entry) {
  return entry->state == LEDGER_EXPANDING || entry->state == LEDGER_EXPANDED || entry->state == LEDGER_CONTRACTING;
}

static const LedgerEntry *last_entry(const Ledger *ledger) {
  return ledger->entries.count == 0 ? NULL : &ledger->entries.items[ledger->entries.count - 1];
}

/* ---- what there is ---- */

static Code on_mark(void *context, const Str *columns, Error *err) {
  Phase *phase = context;
  Str rest = arena_str(phase->arena, columns[0]), line;
  while (str_split_next(&rest, '\n', &line)) {
    if (line.len > 0 && !VEC_PUSH(phase->arena, &phase->superseded, line)) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code layout_of_text(Phase *phase, Str text, Layout *ret) {
  Contract *contract = NULL;
  TRY(migration_contract_load(STR("the contract in the ledger"), text, phase->arena, &contract, phase->err));
  return phase->options->calls->layout_of(contract, phase->arena, ret, phase->err);
}

static Code find_applied(Phase *phase) {
  for (size_t i = phase->ledger.entries.count; i > 0 && phase->applied == NULL; i--) {
    const LedgerEntry *entry = &phase->ledger.entries.items[i - 1];
    if (entry->state == LEDGER_APPLIED) phase->applied = entry;
  }
  return phase->applied == NULL ? CODE_OK : layout_of_text(phase, phase->applied->contract_text, &phase->from);
}

static Code phase_open(const MigrateOptions *options, Arena *arena, Str *ret_details, Phase *ret, Error *err) {
  const StoreMigrator *calls = options->calls;
  bool is_ours = false;
  *ret = (Phase){.options = options, .arena = arena, .ret_details = ret_details, .err = err};
  TRY(migration_folder_read(options->folder, calls, arena, &ret->folder, err));
  MigratorMode mode = options->is_dry_run ? MIGRATOR_READS : MIGRATOR_WRITES;
  TRY(options->store->driver->migrator_open(options->store, options->lock_timeout_ms, mode, &ret->migrator, err));
  TRY(calls->read(ret->migrator, options->contract, arena, &ret->is, &is_ours, err));
  if (!is_ours) return error_set(err, CODE_CONFLICT, "this database was not made by Caisson: its schema is never changed");
  TRY(ledger_read(ret->migrator, arena, &ret->ledger, err));
  TRY(find_applied(ret));
  const LedgerEntry *last = last_entry(&ret->ledger);
  if (last == NULL || !is_in_phase(last)) return CODE_OK;
  return calls->query(ret->migrator, "SELECT value FROM caisson_meta WHERE name = 'phase'", 1, on_mark, ret, err);
}

/* ---- running ---- */

static void say(const Phase *phase, const char *what) { migrate_say(phase->options, what, phase->target.name); }

static Code note(Phase *phase, LedgerState state) {
  phase->target.state = state;
  const LedgerEntry *last = last_entry(&phase->ledger);
  const StoreMigrator *calls = phase->migrator->calls;
  TRY(calls->begin(phase->migrator, phase->err));
  Code code = last != NULL && is_in_phase(last) ? ledger_remove_last(phase->migrator, phase->err) : CODE_OK;
  if (code == CODE_OK) code = ledger_write(phase->migrator, &phase->target, phase->arena, phase->err);
  if (code != CODE_OK) return calls->rollback(phase->migrator), code;
  TRY(calls->commit(phase->migrator, phase->err));
  return ledger_read(phase->migrator, phase->arena, &phase->ledger, phase->err);
}

static Code execute(const Phase *phase, Str sql, size_t at, size_t count) {
  Error inner = {0};
  Code code = phase->migrator->calls->execute(phase->migrator, sql.ptr, &inner);
  if (code == CODE_OK) return CODE_OK;
  return error_set(phase->err, code, "statement %zu of %zu: %.170s", at + 1, count, inner.text);
}

static bool is_outside(Str sql) { return script_mode(sql) == SCRIPT_OUTSIDE || str_starts_with(sql, STR("DO ")); }

static size_t group_end(const Script *script, size_t begin) {
  size_t end = begin + 1;
  if (script_mode(script->statements.items[begin].sql) != SCRIPT_TOGETHER || is_outside(script->statements.items[begin].sql)) return end;
  while (end < script->statements.count && script_mode(script->statements.items[end].sql) == SCRIPT_TOGETHER &&
         !is_outside(script->statements.items[end].sql))
    end++;
  return end;
}

static Code group_run_once(const Phase *phase, const Script *script, size_t begin, size_t end) {
  const StoreMigrator *calls = phase->migrator->calls;
  size_t count = script->statements.count;
  if (is_outside(script->statements.items[begin].sql)) return execute(phase, script->statements.items[begin].sql, begin, count);
  TRY(calls->begin(phase->migrator, phase->err));
  Code code = CODE_OK;
  for (size_t i = begin; i < end && code == CODE_OK; i++) code = execute(phase, script->statements.items[i].sql, i, count);
  if (code == CODE_OK) return calls->commit(phase->migrator, phase->err);
  calls->rollback(phase->migrator);
  return code;
}

/* A lock that does not come in time is let go, so that nobody queues behind us, and asked for again a little later. */
static Code group_run(const Phase *phase, const Script *script, size_t begin, size_t end) {
  for (int attempt = 1;; attempt++) {
    Code code = group_run_once(phase, script, begin, end);
    if (code != CODE_TIMEOUT || attempt == LOCK_ATTEMPTS) return code;
    int64_t ms = (int64_t)attempt * LOCK_PAUSE_MS;
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
  }
}

static Code script_run(const Phase *phase, const Script *script) {
  for (size_t at = 0, end; at < script->statements.count; at = end) {
    end = group_end(script, at);
    TRY(group_run(phase, script, at, end));
  }
  return CODE_OK;
}

static Code show(const Phase *phase, const Script *script) {
  Buf out = buf_on(phase->arena, TEXT_BYTES_MAX);
  if (script->statements.count > 0) script_write(&out, script, phase->options->calls->dialect);
  TRY(buf_check(&out, phase->err));
  phase->options->say(phase->options->context, out.len == 0 ? STR("-- nothing to do") : str_trim(buf_str(&out)));
  return CODE_OK;
}

/* ---- expand ---- */

/* The next migration of the folder, or today's contract. *ret_is_any: there is one. */
static Code find_target(Phase *phase, bool *ret_is_any) {
  const MigrateOptions *options = phase->options;
  *ret_is_any = true;
  if (!phase->folder.is_there) {
    phase->target = (LedgerEntry){.name = STR("contract"),
                                  .checksum = migration_checksum(STR(""), STR(""), options->contract_text, phase->arena),
                                  .contract_text = options->contract_text};
    return phase->target.checksum.ptr != NULL ? CODE_OK : error_no_memory(phase->err);
  }
  for (size_t i = 0; i < phase->folder.migrations.count; i++) {
    const Migration *migration = &phase->folder.migrations.items[i];
    const LedgerEntry *entry = NULL;
    for (size_t k = 0; k < phase->ledger.entries.count; k++) {
      if (phase->ledger.entries.items[k].number == migration->number) entry = &phase->ledger.entries.items[k];
    }
    if (entry != NULL && entry->state == LEDGER_APPLIED) continue;
    phase->target = (LedgerEntry){
        .number = migration->number, .name = migration->name, .checksum = migration->checksum, .contract_text = migration->contract_text};
    return CODE_OK;
  }
  *ret_is_any = false;
  return CODE_OK;
}

static Code refuse_state(const Phase *phase, const LedgerEntry *last) {
  if (is_in_phase(last) && !str_equal(last->checksum, phase->target.checksum))
    return error_set(phase->err, CODE_CONFLICT, "the database is expanded for %.*s: --contract ends that, rollback takes it back",
                     STR_ARGS(last->name));
  if (last->state == LEDGER_CONTRACTING)
    return error_set(phase->err, CODE_CONFLICT, "%.*s is in its second phase: --contract ends it", STR_ARGS(last->name));
  if (last->state == LEDGER_APPLYING || last->state == LEDGER_ROLLING_BACK)
    return error_set(phase->err, CODE_CONFLICT, "%.*s is done in part: apply or rollback ends it first", STR_ARGS(last->name));
  return CODE_OK;
}

/* Where it begins, the database must be as the old contract says. */
static Code check_begin(Phase *phase) {
  Buf differences = buf_on(phase->arena, TEXT_BYTES_MAX);
  if (phase->applied == NULL)
    return error_set(phase->err, CODE_CONFLICT,
                     "which contract the database has now is not noted: caisson migrate apply with that contract notes it");
  const LedgerEntry *last = last_entry(&phase->ledger);
  if (is_in_phase(last)) return CODE_OK;
  TRY(layout_differences(phase->options->calls, &phase->is, &phase->from, phase->arena, &differences, phase->err));
  if (differences.len == 0) return CODE_OK;
  *phase->ret_details = buf_str(&differences);
  return error_set(phase->err, CODE_CONFLICT, "the database is not as the contract applied last left it");
}

/* The steps for which `is_wanted`. */
static Code plan_part(const Phase *phase, const MigrationPlan *plan, bool (*is_wanted)(const Phase *phase, const Step *step),
                      MigrationPlan *ret) {
  *ret = *plan;
  ret->steps = (typeof(ret->steps)){0};
  for (size_t i = 0; i < plan->steps.count; i++) {
    const Step *step = &plan->steps.items[i];
    if (is_wanted(phase, step) && !VEC_PUSH(phase->arena, &ret->steps, *step)) return error_no_memory(phase->err);
  }
  return CODE_OK;
}

/* CODE_CONFLICT: rows don't fit, or would be lost without leave. */
static Code check_data(const Phase *phase, const MigrationPlan *plan, bool (*is_wanted)(const Phase *phase, const Step *step)) {
  MigrationPlan part;
  DataChecks checks;
  Buf misfits = buf_on(phase->arena, TEXT_BYTES_MAX), losses = buf_on(phase->arena, TEXT_BYTES_MAX);
  TRY(plan_part(phase, plan, is_wanted, &part));
  TRY(data_checks_make(phase->options->calls, &part, false, phase->arena, &checks, phase->err));
  TRY(data_checks_run(phase->migrator, &checks, true, phase->arena, &misfits, &losses, phase->err));
  if (misfits.len > 0) {
    *phase->ret_details = buf_str(&misfits);
    return error_set(phase->err, CODE_CONFLICT, "rows that are there do not fit; nothing was changed");
  }
  if (losses.len == 0 || phase->options->is_destruction_allowed) return CODE_OK;
  *phase->ret_details = buf_str(&losses);
  return error_set(phase->err, CODE_CONFLICT, "this phase is destructive: --allow-destructive lets it be; nothing was changed");
}

static bool is_conversion(const Phase *phase, const Step *step) {
  (void)phase;
  return step->kind == STEP_CHANGE_TYPE;
}

static Code expand_plan(Phase *phase, MigrationPlan *ret_plan, PhaseScript *ret) {
  Buf refusals = buf_on(phase->arena, TEXT_BYTES_MAX);
  TRY(layout_of_text(phase, phase->target.contract_text, &phase->to));
  TRY(migration_plan(phase->options->calls, &phase->from, &phase->to, false, phase->arena, ret_plan, phase->err));
  buf_add(&refusals, buf_take(&refusals, &ret_plan->refusals));
  TRY(phase_expand_script(ret_plan, phase->arena, ret, &refusals, phase->err));
  if (refusals.len == 0) return CODE_OK;
  *phase->ret_details = buf_str(&refusals);
  return error_set(phase->err, CODE_CONFLICT, "this change can't be made in phases");
}

/* From now on servers take what has their columns. */
static Code mark_phase(const Phase *phase, const PhaseScript *phases) {
  Buf value = buf_on(phase->arena, TEXT_BYTES_MAX), sql = buf_on(phase->arena, TEXT_BYTES_MAX);
  Str text;
  for (size_t i = 0; i < phases->superseded.count; i++) buf_printf(&value, "%.*s\n", STR_ARGS(phases->superseded.items[i]));
  buf_add(&sql, STR("INSERT INTO caisson_meta (name, value) VALUES ('phase', "));
  sql_write_string(&sql, buf_take(&sql, &value));
  buf_add(&sql, STR(") ON CONFLICT (name) DO UPDATE SET value = excluded.value"));
  buf_add_byte(&sql, '\0');
  TRY(buf_finish(&sql, &text, phase->err));
  return phase->migrator->calls->execute(phase->migrator, text.ptr, phase->err);
}

static Code expand(Phase *phase) {
  MigrationPlan plan;
  PhaseScript phases;
  bool is_any = false;
  const LedgerEntry *last = last_entry(&phase->ledger);
  TRY(find_target(phase, &is_any));
  if (last != NULL && is_any) TRY(refuse_state(phase, last));
  if (!is_any || (last != NULL && last->state == LEDGER_EXPANDED)) return say(phase, "already expanded:"), CODE_OK;
  TRY(check_begin(phase));
  TRY(expand_plan(phase, &plan, &phases));
  if (phase->options->is_dry_run) return show(phase, &phases.script);
  if (last == NULL || !is_in_phase(last)) TRY(check_data(phase, &plan, is_conversion));
  TRY(phase->options->calls->mark(phase->migrator, phase->err));
  TRY(ledger_ensure(phase->migrator, phase->err));
  TRY(note(phase, LEDGER_EXPANDING));
  TRY(mark_phase(phase, &phases));
  TRY(script_run(phase, &phases.script));
  TRY(note(phase, LEDGER_EXPANDED));
  return say(phase, "expanded"), CODE_OK;
}

static Code run_phase(const MigrateOptions *options, Code (*run)(Phase *phase), Arena *arena, Str *ret_details, Error *err) {
  Phase phase;
  if (options->calls->is_atomic)
    return error_set(err, CODE_CONFLICT,
                     "phases are PostgreSQL's: on SQLite one process serves both contracts (caisson serve OLD NEW, with @column(name:) for "
                     "a new name), and apply makes the whole change in one transaction");
  Code code = phase_open(options, arena, ret_details, &phase, err);
  if (code == CODE_OK) code = run(&phase);
  options->calls->close(phase.migrator);
  return code;
}

Code migrate_expand(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err) {
  return run_phase(options, expand, arena, ret_details, err);
}

/* ---- contract, and the way back ---- */

static bool is_drop(const Phase *phase, const Step *step) {
  (void)phase;
  return step->kind == STEP_DROP_COLUMN || step->kind == STEP_DROP_TABLE;
}

static bool is_no_drop(const Phase *phase, const Step *step) { return !is_drop(phase, step); }

static bool is_superseded(const Phase *phase, const Step *step) {
  if (step->kind != STEP_DROP_COLUMN) return false;
  Str name = arena_printf(phase->arena, "%.*s.%.*s", STR_ARGS(step->to->name), STR_ARGS(step->from_column->name));
  for (size_t i = 0; i < phase->superseded.count; i++) {
    if (str_equal(phase->superseded.items[i], name)) return true;
  }
  return false;
}

static bool is_worth_a_look(const Phase *phase, const Step *step) { return !is_superseded(phase, step); }

static Code script_append(const Phase *phase, Script *script, const Script *more) {
  for (size_t i = 0; i < more->statements.count; i++) {
    if (!VEC_PUSH(phase->arena, &script->statements, more->statements.items[i])) return error_no_memory(phase->err);
  }
  return CODE_OK;
}

/* Nobody may miss the triggers before the columns are gone that they fill: both go in one transaction. */
static Code settle_script(Phase *phase, const MigrationPlan *plan, Script *ret) {
  const StoreMigrator *calls = phase->options->calls;
  MigrationPlan part;
  Script drops;
  ScriptWriter writer = {.arena = phase->arena, .script = ret, .err = phase->err};
  TRY(plan_part(phase, plan, is_no_drop, &part));
  TRY(script_from_plan(calls, &part, false, phase->arena, ret, phase->err));
  /* A piece of its own: what stands before it may be TOGETHER as well, and is then done with it. */
  for (size_t i = 0; i < plan->tables.count; i++) {
    const TablePair *table = &plan->tables.items[i];
    if (table->from != NULL && table->to != NULL) TRY(phase_add_trigger_drop(&writer, table->to));
  }
  TRY(plan_part(phase, plan, is_drop, &part));
  TRY(script_from_plan(calls, &part, false, phase->arena, &drops, phase->err));
  return script_append(phase, ret, &drops);
}

/* From what is there to what one of the two contracts says. */
static Code settle(Phase *phase, const Layout *to) {
  MigrationPlan plan;
  Script script;
  TRY(migration_plan(phase->options->calls, &phase->is, to, false, phase->arena, &plan, phase->err));
  if (plan.refusals.len > 0) {
    *phase->ret_details = buf_str(&plan.refusals);
    return error_set(phase->err, CODE_CONFLICT, "the database is not as the first phase left it");
  }
  TRY(settle_script(phase, &plan, &script));
  if (phase->options->is_dry_run) return show(phase, &script);
  TRY(check_data(phase, &plan, is_worth_a_look));
  TRY(note(phase, phase->target.state == LEDGER_EXPANDED ? LEDGER_CONTRACTING : phase->target.state));
  return script_run(phase, &script);
}

static Code unmark_phase(const Phase *phase) {
  return phase->migrator->calls->execute(phase->migrator, "DELETE FROM caisson_meta WHERE name = 'phase'", phase->err);
}

static Code contract(Phase *phase) {
  const LedgerEntry *last = last_entry(&phase->ledger);
  if (last == NULL || !is_in_phase(last)) return error_set(phase->err, CODE_CONFLICT, "the database is not expanded: --expand comes first");
  if (last->state == LEDGER_EXPANDING)
    return error_set(phase->err, CODE_CONFLICT, "%.*s is expanded in part: --expand ends that first", STR_ARGS(last->name));
  phase->target = *last;
  TRY(layout_of_text(phase, phase->target.contract_text, &phase->to));
  TRY(settle(phase, &phase->to));
  if (phase->options->is_dry_run) return CODE_OK;
  /* The ledger last: where this is cut short the phase is still there to be ended. */
  TRY(unmark_phase(phase));
  TRY(note(phase, LEDGER_APPLIED));
  return say(phase, "contracted"), CODE_OK;
}

Code migrate_contract(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err) {
  return run_phase(options, contract, arena, ret_details, err);
}

static Code abandon(Phase *phase) {
  phase->target = *last_entry(&phase->ledger);
  if (phase->target.state == LEDGER_CONTRACTING)
    return error_set(phase->err, CODE_CONFLICT, "%.*s is in its second phase: apply --contract ends it", STR_ARGS(phase->target.name));
  phase->target.state = LEDGER_EXPANDING;
  TRY(settle(phase, &phase->from));
  if (phase->options->is_dry_run) return CODE_OK;
  TRY(unmark_phase(phase));
  TRY(ledger_remove_last(phase->migrator, phase->err));
  return say(phase, "rolled back"), CODE_OK;
}

Code migrate_abandon(const MigrateOptions *options, bool *ret_is_done, Arena *arena, Str *ret_details, Error *err) {
  *ret_is_done = false;
  if (options->calls->is_atomic) return CODE_OK;
  Phase phase;
  Code code = phase_open(options, arena, ret_details, &phase, err);
  const LedgerEntry *last = code == CODE_OK ? last_entry(&phase.ledger) : NULL;
  if (last != NULL && is_in_phase(last)) {
    *ret_is_done = true;
    code = abandon(&phase);
  }
  options->calls->close(phase.migrator);
  return code;
}
