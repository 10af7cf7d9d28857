/* sqlite_search.c - full-text search by FTS5. The indexed texts stay where they are: the index has no content of its own, and triggers keep
 * it in step with the table, whoever writes to it. */
#include "store/sqlite_search.h"

#include "store/sqlite_ddl.h"

/* ---- names ---- */

static void write_quoted(Buf *out, Str name, char quote) {
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == quote) buf_add_byte(out, quote);
    buf_add_byte(out, name.ptr[i]);
  }
}

static void write_name(Buf *out, Str name) {
  buf_add_byte(out, '"');
  write_quoted(out, name, '"');
  buf_add_byte(out, '"');
}

/* As sql/dialect_sqlite.c spells it. A colon keeps the names of FTS5's own tables apart from those of other indexes. */
static void write_part(Buf *out, Str table, Str part) {
  buf_add(out, STR("\"caisson_search_"));
  write_quoted(out, table, '"');
  buf_add_byte(out, ':');
  buf_add(out, part);
  buf_add_byte(out, '"');
}

static void write_numbered(Buf *out, char letter, size_t count, Str between) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(out, between);
    buf_add_byte(out, letter);
    buf_add_uint64(out, i);
  }
}

/* old."a", old."b" */
static void write_columns(Buf *out, Str row, const Field *const *fields, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0) buf_add(out, STR(", "));
    buf_add(out, row);
    write_name(out, fields[i]->column);
  }
}

/* k0 = old."id" AND … */
static void write_key_match(Buf *out, Str document, Str row, const Resource *resource) {
  for (size_t i = 0; i < resource->key_count; i++) {
    if (i > 0) buf_add(out, STR(" AND "));
    buf_add(out, document);
    buf_add_byte(out, 'k');
    buf_add_uint64(out, i);
    buf_add(out, STR(" = "));
    buf_add(out, row);
    write_name(out, resource->keys[i]->column);
  }
}

/* ---- tables ---- */

static void write_keys_table(Buf *out, const Resource *resource) {
  buf_add(out, STR("CREATE TABLE "));
  write_part(out, resource->table, STR("keys"));
  buf_add(out, STR(" (doc INTEGER PRIMARY KEY"));
  for (size_t i = 0; i < resource->key_count; i++) {
    buf_add(out, STR(", k"));
    buf_add_uint64(out, i);
    buf_add_byte(out, ' ');
    buf_add(out, ddl_column_type(resource->keys[i]));
  }
  buf_add(out, STR(", UNIQUE ("));
  write_numbered(out, 'k', resource->key_count, STR(", "));
  buf_add(out, STR("))"));
}

static void write_text_table(Buf *out, const Resource *resource) {
  buf_add(out, STR("CREATE VIRTUAL TABLE "));
  write_part(out, resource->table, STR("text"));
  buf_add(out, STR(" USING fts5("));
  write_numbered(out, 'c', resource->search_count, STR(", "));
  buf_add(out, STR(", content='', prefix='2 3', tokenize='unicode61 remove_diacritics 2')"));
}

void search_write_tables(Buf *out, const Resource *resource) {
  write_keys_table(out, resource);
  buf_add(out, STR(";\n"));
  write_text_table(out, resource);
  buf_add(out, STR(";\n"));
}

void search_write_fill(Buf *out, const Resource *resource) {
  buf_add(out, STR("INSERT INTO "));
  write_part(out, resource->table, STR("keys"));
  buf_add(out, STR(" ("));
  write_numbered(out, 'k', resource->key_count, STR(", "));
  buf_add(out, STR(") SELECT "));
  write_columns(out, STR(""), resource->keys, resource->key_count);
  buf_add(out, STR(" FROM "));
  write_name(out, resource->table);
  buf_add(out, STR(";\nINSERT INTO "));
  write_part(out, resource->table, STR("text"));
  buf_add(out, STR(" (rowid, "));
  write_numbered(out, 'c', resource->search_count, STR(", "));
  buf_add(out, STR(") SELECT d.doc, "));
  write_columns(out, STR("t."), resource->search, resource->search_count);
  buf_add(out, STR(" FROM "));
  write_part(out, resource->table, STR("keys"));
  buf_add(out, STR(" AS d JOIN "));
  write_name(out, resource->table);
  buf_add(out, STR(" AS t ON "));
  write_key_match(out, STR("d."), STR("t."), resource);
  buf_add(out, STR(";\n"));
}

/* ---- triggers ---- */

static void write_document(Buf *out, const Resource *resource, Str row) {
  buf_add(out, STR("(SELECT doc FROM "));
  write_part(out, resource->table, STR("keys"));
  buf_add(out, STR(" WHERE "));
  write_key_match(out, STR(""), row, resource);
  buf_add_byte(out, ')');
}

static void write_add_text(Buf *out, const Resource *resource) {
  buf_add(out, STR("INSERT INTO "));
  write_part(out, resource->table, STR("text"));
  buf_add(out, STR(" (rowid, "));
  write_numbered(out, 'c', resource->search_count, STR(", "));
  buf_add(out, STR(") VALUES ("));
  write_document(out, resource, STR("new."));
  buf_add(out, STR(", "));
  write_columns(out, STR("new."), resource->search, resource->search_count);
  buf_add(out, STR("); "));
}

/* https://sqlite.org/fts5.html §6.3: an index without content is told what it has to forget. */
static void write_forget_text(Buf *out, const Resource *resource) {
  buf_add(out, STR("INSERT INTO "));
  write_part(out, resource->table, STR("text"));
  buf_add_byte(out, ' ');
  buf_add_byte(out, '(');
  write_part(out, resource->table, STR("text"));
  buf_add(out, STR(", rowid, "));
  write_numbered(out, 'c', resource->search_count, STR(", "));
  buf_add(out, STR(") VALUES ('delete', "));
  write_document(out, resource, STR("old."));
  buf_add(out, STR(", "));
  write_columns(out, STR("old."), resource->search, resource->search_count);
  buf_add(out, STR("); "));
}

static void write_insert_body(Buf *out, const Resource *resource) {
  buf_add(out, STR(" BEGIN INSERT INTO "));
  write_part(out, resource->table, STR("keys"));
  buf_add(out, STR(" ("));
  write_numbered(out, 'k', resource->key_count, STR(", "));
  buf_add(out, STR(") VALUES ("));
  write_columns(out, STR("new."), resource->keys, resource->key_count);
  buf_add(out, STR("); "));
  write_add_text(out, resource);
}

static void write_delete_body(Buf *out, const Resource *resource) {
  buf_add(out, STR(" BEGIN "));
  write_forget_text(out, resource);
  buf_add(out, STR("DELETE FROM "));
  write_part(out, resource->table, STR("keys"));
  buf_add(out, STR(" WHERE "));
  write_key_match(out, STR(""), STR("old."), resource);
  buf_add(out, STR("; "));
}

static void write_changed(Buf *out, const Field *const *fields, size_t count, bool *is_first) {
  for (size_t i = 0; i < count; i++) {
    buf_add(out, *is_first ? STR("old.") : STR(" OR old."));
    *is_first = false;
    write_name(out, fields[i]->column);
    buf_add(out, STR(" IS NOT new."));
    write_name(out, fields[i]->column);
  }
}

static void write_update_body(Buf *out, const Resource *resource) {
  bool is_first = true;
  buf_add(out, STR(" WHEN "));
  write_changed(out, resource->keys, resource->key_count, &is_first);
  write_changed(out, resource->search, resource->search_count, &is_first);
  buf_add(out, STR(" BEGIN "));
  write_forget_text(out, resource);
  buf_add(out, STR("UPDATE "));
  write_part(out, resource->table, STR("keys"));
  buf_add(out, STR(" SET "));
  for (size_t i = 0; i < resource->key_count; i++) {
    buf_add(out, i > 0 ? STR(", k") : STR("k"));
    buf_add_uint64(out, i);
    buf_add(out, STR(" = new."));
    write_name(out, resource->keys[i]->column);
  }
  buf_add(out, STR(" WHERE "));
  write_key_match(out, STR(""), STR("old."), resource);
  buf_add(out, STR("; "));
  write_add_text(out, resource);
}

static const struct {
  Str part, event;
  void (*write_body)(Buf *out, const Resource *resource);
} triggers[] = {
    {STR_INIT("insert"), STR_INIT(" AFTER INSERT ON "), write_insert_body},
    {STR_INIT("delete"), STR_INIT(" AFTER DELETE ON "), write_delete_body},
    {STR_INIT("update"), STR_INIT(" AFTER UPDATE ON "), write_update_body},
};
_Static_assert(sizeof triggers / sizeof *triggers == SEARCH_TRIGGER_COUNT, "each trigger is made");

void search_write_trigger(Buf *out, const Resource *resource, size_t which) {
  buf_add(out, STR("CREATE TRIGGER "));
  write_part(out, resource->table, triggers[which].part);
  buf_add(out, triggers[which].event);
  write_name(out, resource->table);
  triggers[which].write_body(out, resource);
  buf_add(out, STR("END"));
}

void search_write_drop(Buf *out, Str table) {
  for (size_t i = 0; i < SEARCH_TRIGGER_COUNT; i++) {
    buf_add(out, STR("DROP TRIGGER IF EXISTS "));
    write_part(out, table, triggers[i].part);
    buf_add(out, STR(";\n"));
  }
  buf_add(out, STR("DROP TABLE IF EXISTS "));
  write_part(out, table, STR("text"));
  buf_add(out, STR(";\nDROP TABLE IF EXISTS "));
  write_part(out, table, STR("keys"));
  buf_add(out, STR(";\n"));
}

Code search_object(const Resource *resource, size_t which, Arena *arena, Str *ret_name, Str *ret_sql, Error *err) {
  static const Str parts[] = {STR_INIT("insert"), STR_INIT("delete"), STR_INIT("update"), STR_INIT("keys"), STR_INIT("text")};
  Buf sql = buf_on(arena, 1 << 20);
  if (which < SEARCH_TRIGGER_COUNT)
    search_write_trigger(&sql, resource, which);
  else if (which == SEARCH_TRIGGER_COUNT)
    write_keys_table(&sql, resource);
  else
    write_text_table(&sql, resource);
  *ret_name = arena_printf(arena, "caisson_search_%.*s:%.*s", STR_ARGS(resource->table), STR_ARGS(parts[which]));
  TRY_ALLOC(ret_name->ptr);
  return buf_finish(&sql, ret_sql, err);
}

/* ---- rank ---- */

/* BM25 of one document by itself: how often each word is found, weighed by how long the field is, with diminishing returns. What other
 * documents hold plays no part (a word's rarity, the average length): it would move rows between the pages of one reading, and tell of rows
 * that their reader may not see. */
enum { PHRASES_MAX = 64 };
static const double SATURATION = 1.2, LENGTH_WEIGHT = 0.75, LENGTH_USUAL = 32;

static void rank(const Fts5ExtensionApi *api, Fts5Context *document, sqlite3_context *context, int value_count, sqlite3_value **values) {
  (void)value_count;
  (void)values;
  double found[PHRASES_MAX] = {0};
  int count = 0, phrase = 0, column = 0, offset = 0, tokens = 0;
  int result = api->xInstCount(document, &count);
  for (int i = 0; result == SQLITE_OK && i < count; i++) {
    result = api->xInst(document, i, &phrase, &column, &offset);
    if (result == SQLITE_OK) result = api->xColumnSize(document, column, &tokens);
    if (result == SQLITE_OK && phrase < PHRASES_MAX) found[phrase] += 1 / (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * tokens / LENGTH_USUAL);
  }
  if (result != SQLITE_OK) {
    sqlite3_result_error_code(context, result);
    return;
  }
  double score = 0;
  for (size_t i = 0; i < PHRASES_MAX; i++) score += found[i] * (SATURATION + 1) / (found[i] + SATURATION);
  sqlite3_result_double(context, -score);
}

/* https://sqlite.org/fts5.html §7. */
Code sqlite_rank_register(sqlite3 *db, Error *err) {
  fts5_api *api = NULL;
  sqlite3_stmt *stmt = NULL;
  int result = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &stmt, NULL);
  if (result == SQLITE_OK) result = sqlite3_bind_pointer(stmt, 1, (void *)&api, "fts5_api_ptr", NULL);
  if (result == SQLITE_OK) result = sqlite3_step(stmt);
  sqlite3_finalize(stmt);
  if ((result & 0xff) == SQLITE_NOMEM) return error_no_memory(err);
  if (api == NULL) return error_set(err, CODE_UNAVAILABLE, "this SQLite has no full-text search (FTS5)");
  return api->xCreateFunction(api, "caisson_rank", NULL, rank, NULL) == SQLITE_OK ? CODE_OK : error_no_memory(err);
}
