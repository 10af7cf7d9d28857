/* ledger.c - see ledger.h. */
#include "migrate/ledger.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/datetime.h"
#include "sql/dialect_impl.h"

enum { SQL_BYTES_MAX = 64 * 1024 * 1024 };

static const Str states[] = {
    [LEDGER_APPLIED] = STR_INIT("applied"),     [LEDGER_APPLYING] = STR_INIT("applying"), [LEDGER_ROLLING_BACK] = STR_INIT("rolling back"),
    [LEDGER_EXPANDING] = STR_INIT("expanding"), [LEDGER_EXPANDED] = STR_INIT("expanded"), [LEDGER_CONTRACTING] = STR_INIT("contracting")};

typedef struct Reader {
  Arena *arena;
  Ledger *ledger;
} Reader;

static Code on_entry(void *context, const Str *columns, Error *err) {
  Reader *reader = context;
  LedgerEntry entry = {.name = arena_str(reader->arena, columns[1]),
                       .checksum = arena_str(reader->arena, columns[2]),
                       .contract_text = arena_str(reader->arena, columns[3]),
                       .applied_at = arena_str(reader->arena, columns[6])};
  if (entry.name.ptr == NULL || entry.checksum.ptr == NULL || entry.contract_text.ptr == NULL || entry.applied_at.ptr == NULL)
    return error_no_memory(err);
  bool is_well = str_parse_int64(columns[0], &entry.number) && str_parse_int64(columns[5], &entry.statements_done);
  if (!is_well) return error_set(err, CODE_CONFLICT, "the table caisson_migrations holds what Caisson did not write");
  for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
    if (str_equal(states[i], columns[4])) entry.state = (LedgerState)i;
  }
  return VEC_PUSH(reader->arena, &reader->ledger->entries, entry) ? CODE_OK : error_no_memory(err);
}

Code ledger_read(Migrator *migrator, Arena *arena, Ledger *ret, Error *err) {
  Ledger ledger = {0};
  Reader reader = {arena, &ledger};
  Error inner = {0};
  Code code =
      migrator->calls->query(migrator,
                             "SELECT CAST(number AS TEXT), name, checksum, contract, state, CAST(statements_done AS TEXT), applied_at "
                             "FROM caisson_migrations ORDER BY id",
                             7, on_entry, &reader, &inner);
  /* BAD_REQUEST: there is no such table. */
  if (code != CODE_OK && code != CODE_BAD_REQUEST) return error_set(err, code, "%s", inner.text);
  *ret = ledger;
  return CODE_OK;
}

Code ledger_ensure(Migrator *migrator, Error *err) {
  return migrator->calls->execute(
      migrator,
      "CREATE TABLE IF NOT EXISTS caisson_migrations (id BIGINT NOT NULL PRIMARY KEY, number BIGINT NOT NULL, name "
      "TEXT NOT NULL, checksum TEXT NOT NULL, contract TEXT NOT NULL, state TEXT NOT NULL, statements_done BIGINT "
      "NOT NULL, applied_at TEXT NOT NULL)",
      err);
}

Code ledger_remove(Migrator *migrator, int64_t number, Error *err) {
  char sql[96];
  (void)snprintf(sql, sizeof sql, "DELETE FROM caisson_migrations WHERE number = %" PRId64, number);
  return migrator->calls->execute(migrator, sql, err);
}

Code ledger_remove_last(Migrator *migrator, Error *err) {
  return migrator->calls->execute(migrator, "DELETE FROM caisson_migrations WHERE id = (SELECT max(id) FROM caisson_migrations)", err);
}

Code ledger_write(Migrator *migrator, const LedgerEntry *entry, Arena *arena, Error *err) {
  char now[TIMESTAMP_TEXT_MAX];
  Buf sql = buf_on(arena, SQL_BYTES_MAX);
  Str text, at = {now, timestamp_write(timestamp_now(), now)};
  if (entry->number != 0) TRY(ledger_remove(migrator, entry->number, err));
  buf_printf(&sql,
             "INSERT INTO caisson_migrations (id, number, name, checksum, contract, state, statements_done, applied_at) SELECT "
             "COALESCE(max(id), 0) + 1, %" PRId64 ", ",
             entry->number);
  const Str texts[] = {entry->name, entry->checksum, entry->contract_text, states[entry->state]};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    sql_write_string(&sql, texts[i]);
    buf_add(&sql, STR(", "));
  }
  buf_printf(&sql, "%" PRId64 ", ", entry->statements_done);
  sql_write_string(&sql, at);
  buf_add(&sql, STR(" FROM caisson_migrations"));
  buf_add_byte(&sql, '\0');
  TRY(buf_finish(&sql, &text, err));
  return migrator->calls->execute(migrator, text.ptr, err);
}
