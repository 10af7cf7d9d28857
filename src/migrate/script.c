/* script.c - see script.h. */
#include "migrate/script.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "migrate/script_registry.h"
#include "sql/select.h"

enum { STATEMENT_BYTES_MAX = 16 * 1024 * 1024 };

#define DIALECT_LINE "-- for: "

Buf script_buf(const ScriptWriter *writer) { return buf_on(writer->arena, STATEMENT_BYTES_MAX); }

Code script_add(ScriptWriter *writer, Buf *sql, Str text, const char *locks, bool is_destructive) {
  Error *err = writer->err;
  ScriptStatement statement = {.is_destructive = is_destructive};
  buf_add_byte(sql, '\0');
  TRY(buf_finish(sql, &statement.sql, err));
  statement.sql.len--;
  if (text.ptr == NULL) return error_no_memory(writer->err);
  statement.note = arena_printf(writer->arena, "%s%.*s; %s", is_destructive ? "DESTRUCTIVE: " : "", STR_ARGS(text), locks);
  TRY_ALLOC(statement.note.ptr);
  return VEC_PUSH(writer->arena, &writer->script->statements, statement) ? CODE_OK : error_no_memory(err);
}

void script_write_index(Buf *out, const LayoutTable *table, const LayoutIndex *index, bool is_concurrent) {
  buf_add(out, index->is_unique ? STR("CREATE UNIQUE INDEX ") : STR("CREATE INDEX "));
  if (is_concurrent) buf_add(out, STR("CONCURRENTLY "));
  sql_write_identifier(out, index->name);
  buf_add(out, STR(" ON "));
  buf_add(out, table->quoted);
  if (index->definition.len > 0) {
    buf_add_byte(out, ' ');
    buf_add(out, index->definition);
    return;
  }
  buf_add(out, STR(" ("));
  for (size_t i = 0; i < index->columns.count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    sql_write_identifier(out, index->columns.items[i].name);
    if (index->columns.items[i].is_descending) buf_add(out, STR(" DESC"));
  }
  buf_add_byte(out, ')');
}

const ScriptDialect *script_dialect_of(const StoreMigrator *store) {
  size_t count = 0;
  const ScriptDialect *const *dialects = script_dialects(&count);
  for (size_t i = 0; i < count; i++) {
    if (str_equal(dialects[i]->name, store->dialect)) return dialects[i];
  }
  assert(false);
  return NULL;
}

Code script_from_plan(const StoreMigrator *store, const MigrationPlan *plan, bool is_one_transaction, Arena *arena, Script *ret,
                      Error *err) {
  *ret = (Script){0};
  ScriptWriter writer = {.arena = arena, .plan = plan, .is_one_transaction = is_one_transaction, .script = ret, .err = err};
  return script_dialect_of(store)->write(&writer);
}

bool script_step_rewrites(const StoreMigrator *store, const MigrationPlan *plan, const Step *step) {
  return script_dialect_of(store)->rewrites(plan, step);
}

/* ---- text ---- */

void script_write(Buf *out, const Script *script, Str dialect) {
  buf_add(out, STR(DIALECT_LINE));
  buf_add(out, dialect);
  buf_add_byte(out, '\n');
  for (size_t i = 0; i < script->statements.count; i++) {
    const ScriptStatement *statement = &script->statements.items[i];
    buf_add(out, STR("\n-- "));
    buf_add(out, statement->note);
    buf_add_byte(out, '\n');
    buf_add(out, statement->sql);
    buf_add(out, STR(";\n"));
  }
}

Str script_dialect(Str text) {
  if (!str_starts_with(text, STR(DIALECT_LINE))) return (Str){0};
  return str_trim(str_slice(text, sizeof DIALECT_LINE - 1, str_find_byte(text, '\n', 0)));
}

/* Behind what begins at `at`; `at` itself where nothing does; SIZE_MAX where it does not end. */
static size_t skip_until(Str text, size_t from, Str end) {
  for (size_t i = from; i + end.len <= text.len; i++) {
    if (memcmp(text.ptr + i, end.ptr, end.len) == 0) return i + end.len;
  }
  return SIZE_MAX;
}

static bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

/* $tag$ … $tag$; a $ inside of a name, and $1, are none. */
static size_t skip_dollars(Str text, size_t at) {
  if (at > 0 && is_name_byte(text.ptr[at - 1])) return at;
  size_t end = at + 1;
  while (end < text.len && is_name_byte(text.ptr[end])) end++;
  if (end >= text.len || text.ptr[end] != '$' || (end > at + 1 && text.ptr[at + 1] >= '0' && text.ptr[at + 1] <= '9')) return at;
  return skip_until(text, end + 1, str_slice(text, at, end + 1));
}

static size_t skip_comment(Str text, size_t at) {
  size_t depth = 0;
  for (size_t i = at; i + 1 < text.len;) {
    bool opens = text.ptr[i] == '/' && text.ptr[i + 1] == '*', closes = text.ptr[i] == '*' && text.ptr[i + 1] == '/';
    if (opens) depth++;
    if (closes && --depth == 0) return i + 2;
    i += opens || closes ? 2 : 1;
  }
  return SIZE_MAX;
}

static size_t skip_one(Str text, size_t at) {
  char c = text.ptr[at], next = at + 1 < text.len ? text.ptr[at + 1] : '\0';
  if (c == '\'' || c == '"') return skip_until(text, at + 1, (Str){text.ptr + at, 1});
  if (c == '$') return skip_dollars(text, at);
  if (c == '/' && next == '*') return skip_comment(text, at);
  if (c != '-' || next != '-') return at;
  size_t end = str_find_byte(text, '\n', at);
  return end < text.len ? end + 1 : text.len;
}

/* Comments and spaces in front of a statement say nothing. */
static size_t skip_blank(Str text, size_t at) {
  while (at < text.len) {
    bool is_space = strchr(" \t\r\n", text.ptr[at]) != NULL && text.ptr[at] != '\0';
    bool is_comment =
        str_starts_with(str_slice(text, at, text.len), STR("--")) || str_starts_with(str_slice(text, at, text.len), STR("/*"));
    if (!is_space && !is_comment) break;
    at = is_space ? at + 1 : skip_one(text, at);
  }
  return at;
}

static bool word_is(Str text, size_t at, Str word) {
  Str here = str_slice(text, at, at + word.len);
  bool begins = at == 0 || !is_name_byte(text.ptr[at - 1]), ends = at + word.len >= text.len || !is_name_byte(text.ptr[at + word.len]);
  return begins && ends && str_equal_ignore_case(here, word);
}

/* CREATE [TEMP] TRIGGER … BEGIN …; …; END: SQLite's triggers hold statements of their own. */
static bool is_trigger(Str statement) {
  size_t at = skip_blank(statement, 0), words = 0;
  if (at >= statement.len || !word_is(statement, at, STR("create"))) return false;
  bool has_trigger = false, has_begin = false;
  for (size_t i = at; i < statement.len;) {
    size_t next = skip_one(statement, i);
    if (next == SIZE_MAX) return false;
    if (next != i) {
      i = next;
      continue;
    }
    bool begins_word = is_name_byte(statement.ptr[i]) && (i == 0 || !is_name_byte(statement.ptr[i - 1]));
    if (begins_word && ++words <= 3 && word_is(statement, i, STR("trigger"))) has_trigger = true;
    if (begins_word && has_trigger && word_is(statement, i, STR("begin"))) has_begin = true;
    i++;
  }
  return has_trigger && has_begin;
}

static bool ends_with_end(Str statement) {
  Str trimmed = str_trim(statement);
  return trimmed.len >= 3 && word_is(trimmed, trimmed.len - 3, STR("end"));
}

static Code statement_keep(Str text, Arena *arena, Script *script, Error *err) {
  size_t begin = skip_blank(text, 0);
  if (begin >= text.len) return CODE_OK;
  ScriptStatement statement = {.sql = arena_str(arena, str_trim(str_slice(text, begin, text.len)))};
  TRY_ALLOC(statement.sql.ptr);
  if (memchr(statement.sql.ptr, '\0', statement.sql.len) != NULL) return error_set(err, CODE_BAD_REQUEST, "a statement has a NUL in it");
  return VEC_PUSH(arena, &script->statements, statement) ? CODE_OK : error_no_memory(err);
}

Code script_read(Str text, Arena *arena, Script *ret, Error *err) {
  Script script = {0};
  size_t begin = 0;
  for (size_t at = 0; at < text.len;) {
    size_t next = skip_one(text, at);
    if (next == SIZE_MAX) return error_set(err, CODE_BAD_REQUEST, "a string, name or comment does not end");
    if (next != at) {
      at = next;
      continue;
    }
    Str statement = str_slice(text, begin, at);
    if (text.ptr[at] == ';' && (!is_trigger(statement) || ends_with_end(statement))) {
      TRY(statement_keep(statement, arena, &script, err));
      begin = at + 1;
    }
    at++;
  }
  Str rest = str_slice(text, begin, text.len);
  if (is_trigger(rest) && !ends_with_end(rest)) return error_set(err, CODE_BAD_REQUEST, "a trigger does not end");
  TRY(statement_keep(rest, arena, &script, err));
  *ret = script;
  return CODE_OK;
}

static bool has_word(Str sql, Str word) {
  for (size_t at = 0; at < sql.len;) {
    size_t next = skip_one(sql, at);
    if (next == SIZE_MAX) return false;
    if (next == at && word_is(sql, at, word)) return true;
    at = next == at ? at + 1 : next;
  }
  return false;
}

ScriptMode script_mode(Str sql) {
  if (has_word(sql, STR("concurrently"))) return SCRIPT_OUTSIDE;
  return has_word(sql, STR("validate")) ? SCRIPT_BY_ITSELF : SCRIPT_TOGETHER;
}
