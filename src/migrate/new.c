/* new.c - a migration is written: from the contract of the last one to today's, and back. Needs no database. */
#include "migrate/migrate.h"
#include "migrate/unit.h"

enum { TEXT_BYTES_MAX = 64 * 1024 * 1024 };

static Code script_of(const MigrateOptions *options, const Layout *from, const Layout *to, bool is_backwards, Arena *arena, Unit *ret_unit,
                      Str *ret, Str *ret_details, Error *err) {
  Buf text = buf_on(arena, TEXT_BYTES_MAX);
  TRY(unit_make(options, from, to, (Str){NULL, 0}, is_backwards, arena, ret_unit, ret_details, err));
  script_write(&text, &ret_unit->script, options->calls->dialect);
  return buf_finish(&text, ret, err);
}

/* The way back of a change that widens is narrower, and may be none that we know: then down.sql says so, and refuses by itself. */
static Code down_of(const MigrateOptions *options, const Layout *from, const Layout *to, Arena *arena, Str *ret, Error *err) {
  Unit unit;
  Str details = {NULL, 0};
  Error inner;
  Code code = script_of(options, from, to, true, arena, &unit, ret, &details, &inner);
  if (code != CODE_CONFLICT) return code == CODE_OK ? code : error_set(err, code, "%s", inner.text);
  Buf text = buf_on(arena, TEXT_BYTES_MAX);
  buf_printf(&text, "-- for: %.*s\n\n-- The way back has to be written by hand:\n", STR_ARGS(options->calls->dialect));
  for (Str line; str_split_next(&details, '\n', &line);) {
    if (line.len > 0) buf_printf(&text, "--   %.*s\n", STR_ARGS(line));
  }
  buf_add(&text, STR("SELECT * FROM \"caisson: write the way back in down.sql\";\n"));
  return buf_finish(&text, ret, err);
}

Code migrate_new(const MigrateOptions *options, Str name, Arena *arena, Str *ret_details, Error *err) {
  static const Layout none = {0};
  MigrationFolder folder;
  Layout today;
  Unit unit;
  Str up, down, whole;
  TRY(migration_folder_read(options->folder, options->calls, arena, &folder, err));
  TRY(options->calls->layout_of(options->contract, arena, &today, err));
  const Layout *last = folder.is_there ? &folder.migrations.items[folder.migrations.count - 1].layout : &none;
  TRY(script_of(options, last, &today, false, arena, &unit, &up, ret_details, err));
  if (unit.plan.steps.count == 0) {
    options->say(options->context, STR("nothing to migrate: the tables stay as they are"));
    return CODE_OK;
  }
  TRY(down_of(options, &today, last, arena, &down, err));
  TRY(migration_folder_write(&folder, name, up, down, options->contract_text, arena, &whole, err));
  Str line = arena_printf(arena, "%.*s/%.*s", STR_ARGS(options->folder), STR_ARGS(whole));
  TRY_ALLOC(line.ptr);
  options->say(options->context, line);
  return CODE_OK;
}
