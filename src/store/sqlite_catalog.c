/* sqlite_catalog.c - PRAGMA tells tables, columns, keys and indexes; comments stand only in the text of CREATE TABLE, which SQLite keeps as
 * it was written. */
#include "store/sqlite_catalog.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

#include "store/sqlite_value.h"

typedef struct Reader {
  sqlite3 *db;
  Arena *arena;
  bool lacks_memory; /* a text of the row could not be had */
  Error *err;
} Reader;

typedef Code RowFn(Reader *reader, sqlite3_stmt *row, void *context);

static Code fail(const Reader *reader) {
  return error_set(reader->err, CODE_UNAVAILABLE, "the database can't be read: %.180s", sqlite3_errmsg(reader->db));
}

static Str column_text(Reader *reader, sqlite3_stmt *row, int column) {
  return sqlite_column_keep(row, column, reader->arena, &reader->lacks_memory);
}

/* Runs one statement with one text parameter (ptr NULL: none). */
static Code each_row(Reader *reader, const char *sql, Str parameter, RowFn *take, void *context) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(reader->db, sql, -1, &statement, NULL) != SQLITE_OK) return fail(reader);
  Code code = CODE_OK;
  int result = SQLITE_ROW;
  if (parameter.ptr != NULL && sqlite3_bind_text(statement, 1, parameter.ptr, (int)parameter.len, SQLITE_STATIC) != SQLITE_OK)
    code = fail(reader);
  while (code == CODE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
    code = take(reader, statement, context);
    if (reader->lacks_memory) code = error_no_memory(reader->err);
  }
  if (code == CODE_OK && result != SQLITE_DONE) code = fail(reader);
  (void)sqlite3_finalize(statement);
  return code;
}

#define PUSH(reader, vec, item)                                                                                                            \
  do {                                                                                                                                     \
    if (!VEC_PUSH((reader)->arena, (vec), (item))) return error_no_memory((reader)->err);                                                  \
  } while (0)

/* ---- Columns ---- */

/* cid, name, type, notnull, dflt_value, pk, hidden */
static Code take_column(Reader *reader, sqlite3_stmt *row, void *context) {
  CatalogTable *table = context;
  int hidden = sqlite3_column_int(row, 6);
  if (hidden == 1) return CODE_OK; /* of a virtual table */
  CatalogColumn column = {.name = column_text(reader, row, 1),
                          .type = column_text(reader, row, 2),
                          .default_text = column_text(reader, row, 4),
                          .key_order = (uint32_t)sqlite3_column_int(row, 5),
                          .is_generated = hidden == 2 || hidden == 3};
  column.is_required = sqlite3_column_int(row, 3) != 0 || column.key_order > 0;
  PUSH(reader, &table->columns, column);
  return CODE_OK;
}

/* A sole key of exactly this type is the rowid (SQLite's documentation, "ROWIDs and the INTEGER PRIMARY KEY"). */
static void mark_rowid(CatalogTable *table, bool has_rowid) {
  CatalogColumn *key = NULL;
  size_t keys = 0;
  for (size_t i = 0; i < table->columns.count; i++) {
    if (table->columns.items[i].key_order == 0) continue;
    key = &table->columns.items[i];
    keys++;
  }
  if (has_rowid && keys == 1 && str_equal_ignore_case(key->type, STR("INTEGER"))) key->is_made_by_database = true;
}

static Code take_values(Reader *reader, sqlite3_stmt *row, void *context) {
  (void)reader;
  CatalogValues *values = context;
  values->has_integer = sqlite3_column_int(row, 0) != 0;
  values->has_real = sqlite3_column_int(row, 1) != 0;
  values->has_text = sqlite3_column_int(row, 2) != 0;
  values->has_bytes = sqlite3_column_int(row, 3) != 0;
  values->min = sqlite3_column_int64(row, 4);
  values->max = sqlite3_column_int64(row, 5);
  return CODE_OK;
}

/* Only where the declared type leaves something open: how large integers are, or everything. */
static bool is_open(Str type) {
  static const char *const closed[] = {"CHAR", "TEXT", "CLOB", "BLOB", "REAL", "FLOA", "DOUB",
                                       "DATE", "TIME", "BOOL", "DEC",  "NUM",  "UUID", "JSON"};
  char upper[64];
  Str head = str_slice(type, 0, sizeof upper);
  for (size_t i = 0; i < head.len; i++) upper[i] = head.ptr[i] >= 'a' && head.ptr[i] <= 'z' ? (char)(head.ptr[i] - 'a' + 'A') : head.ptr[i];
  for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
    if (str_contains((Str){upper, head.len}, str_of(closed[i]))) return false;
  return true;
}

static Code read_values(Reader *reader, const CatalogTable *table, CatalogColumn *column) {
  char *sql = sqlite3_mprintf(
      "SELECT max(typeof(c)='integer'), max(typeof(c)='real'), max(typeof(c)='text'), max(typeof(c)='blob'),"
      " min(CASE WHEN typeof(c)='integer' THEN c END), max(CASE WHEN typeof(c)='integer' THEN c END) FROM (SELECT \"%w\" AS c FROM \"%w\")",
      column->name.ptr, table->name.ptr);
  if (sql == NULL) return error_no_memory(reader->err);
  Code code = each_row(reader, sql, (Str){NULL, 0}, take_values, &column->values);
  sqlite3_free(sql);
  return code;
}

/* ---- Foreign keys ---- */

/* id, seq, table, from, to, on_update, on_delete; in order of id and seq */
static Code take_foreign_key(Reader *reader, sqlite3_stmt *row, void *context) {
  CatalogTable *table = context;
  if (sqlite3_column_int(row, 1) == 0) {
    CatalogForeignKey made = {
        .target = column_text(reader, row, 2), .on_update = column_text(reader, row, 5), .on_delete = column_text(reader, row, 6)};
    PUSH(reader, &table->foreign_keys, made);
  }
  assert(table->foreign_keys.count > 0);
  CatalogForeignKey *key = &table->foreign_keys.items[table->foreign_keys.count - 1];
  PUSH(reader, &key->columns, column_text(reader, row, 3));
  Str target = column_text(reader, row, 4);
  if (target.ptr != NULL) PUSH(reader, &key->target_columns, target);
  return CODE_OK;
}

/* ---- Indexes ---- */

/* seqno, cid, name, desc, coll, key */
static Code take_index_column(Reader *reader, sqlite3_stmt *row, void *context) {
  CatalogIndex *index = context;
  if (sqlite3_column_int(row, 5) == 0) return CODE_OK; /* what SQLite appends for itself */
  CatalogIndexColumn column = {.name = column_text(reader, row, 2), .is_descending = sqlite3_column_int(row, 3) != 0};
  Str collation = column_text(reader, row, 4);
  bool is_binary =
      collation.ptr == NULL || str_equal_ignore_case(collation, STR("BINARY")) || str_equal_ignore_case(collation, STR("decimal"));
  if (column.name.ptr == NULL)
    index->obstacle = STR("it is over an expression");
  else if (!is_binary)
    index->obstacle = STR("it compares by a collation of its own");
  PUSH(reader, &index->columns, column);
  return CODE_OK;
}

/* seq, name, unique, origin, partial */
static Code take_index(Reader *reader, sqlite3_stmt *row, void *context) {
  CatalogTable *table = context;
  if (str_equal(column_text(reader, row, 3), STR("pk"))) return CODE_OK;
  CatalogIndex index = {.name = column_text(reader, row, 1), .is_unique = sqlite3_column_int(row, 2) != 0};
  if (sqlite3_column_int(row, 4) != 0) index.obstacle = STR("it is partial");
  PUSH(reader, &table->indexes, index);
  return CODE_OK;
}

/* PRAGMA index_list gives the newest first; a contract reads better in the order in which they were made. */
static void reverse_indexes(CatalogTable *table) {
  for (size_t i = 0; i + 1 < table->indexes.count - i; i++) {
    CatalogIndex other = table->indexes.items[table->indexes.count - 1 - i];
    table->indexes.items[table->indexes.count - 1 - i] = table->indexes.items[i];
    table->indexes.items[i] = other;
  }
}

/* ---- Comments and notes, from the text of CREATE ---- */

static bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

/* The name with which a line begins, without its quotes; len 0: none. */
static Str leading_name(Str line) {
  if (line.len == 0) return line;
  char quote = line.ptr[0] == '[' ? ']' : line.ptr[0];
  if (quote == '"' || quote == '`' || quote == ']') return str_slice(line, 1, str_find_byte(line, quote, 1));
  size_t end = 0;
  while (end < line.len && is_name_byte(line.ptr[end])) end++;
  return str_slice(line, 0, end);
}

static CatalogColumn *find_column(CatalogTable *table, Str name) {
  for (size_t i = 0; i < table->columns.count; i++)
    if (str_equal_ignore_case(table->columns.items[i].name, name)) return &table->columns.items[i];
  return NULL;
}

/* Where a line's "--" begins, outside quotes. */
static size_t comment_start(Str line) {
  char quote = 0;
  for (size_t i = 0; i + 1 < line.len; i++) {
    char c = line.ptr[i];
    if (quote != 0)
      quote = c == quote ? 0 : quote;
    else if (c == '\'' || c == '"' || c == '`')
      quote = c;
    else if (c == '-' && line.ptr[i + 1] == '-')
      return i;
  }
  return line.len;
}

/* A comment belongs to the column whose line it ends; before the first column, to the table; on a line of its own, to the column behind it.
 */
static void take_comments(CatalogTable *table, Str sql) {
  Str rest = sql, line, waiting = {NULL, 0};
  bool has_column = false;
  while (str_split_next(&rest, '\n', &line)) {
    line = str_trim(line);
    size_t start = comment_start(line);
    Str comment = str_trim(str_slice(line, start + 2, line.len));
    CatalogColumn *column = find_column(table, leading_name(line));
    if (column != NULL && start > 0) {
      column->comment = comment.len > 0 ? comment : waiting;
      waiting = (Str){NULL, 0};
      has_column = true;
    } else if (start > 0) {
      if (!has_column && comment.len > 0) table->comment = comment;
    } else {
      waiting = comment;
    }
  }
}

static Code take_create_text(Reader *reader, sqlite3_stmt *row, void *context) {
  CatalogTable *table = context;
  Str type = column_text(reader, row, 0), name = column_text(reader, row, 1), sql = column_text(reader, row, 2);
  if (sql.ptr == NULL) return CODE_OK;
  if (str_equal(type, STR("trigger"))) {
    PUSH(reader, &table->notes, arena_printf(reader->arena, "the trigger %.*s runs on writes", STR_ARGS(name)));
  } else if (str_equal(type, STR("table"))) {
    take_comments(table, sql);
    if (sqlite3_strlike("%check%(%", sql.ptr, 0) == 0)
      PUSH(reader, &table->notes, STR("CHECK constraints that the database goes on keeping"));
  }
  return CODE_OK;
}

/* ---- Tables ---- */

static Code read_table_parts(Reader *reader, CatalogTable *table, bool has_rowid) {
  TRY(each_row(reader, "SELECT cid, name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid", table->name,
               take_column, table));
  if (!table->is_view) mark_rowid(table, has_rowid);
  for (size_t i = 0; i < table->columns.count; i++)
    if (is_open(table->columns.items[i].type)) TRY(read_values(reader, table, &table->columns.items[i]));
  TRY(each_row(reader,
               "SELECT id, seq, \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq",
               table->name, take_foreign_key, table));
  TRY(each_row(reader, "SELECT seq, name, \"unique\", origin, partial FROM pragma_index_list(?1) ORDER BY seq", table->name, take_index,
               table));
  reverse_indexes(table);
  for (size_t i = 0; i < table->indexes.count; i++) {
    CatalogIndex *index = &table->indexes.items[i];
    TRY(each_row(reader, "SELECT seqno, cid, name, \"desc\", coll, \"key\" FROM pragma_index_xinfo(?1) ORDER BY seqno", index->name,
                 take_index_column, index));
  }
  return each_row(reader, "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE ORDER BY type, name", table->name,
                  take_create_text, table);
}

typedef struct TableEntry {
  Str name;
  bool is_view, is_virtual, has_rowid;
} TableEntry;

typedef VEC(TableEntry) TableEntries;

/* The pragma that lists tables fails as a whole where one view names what is no longer there, so the text of CREATE tells what it would. */
static Code take_entry(Reader *reader, sqlite3_stmt *row, void *context) {
  TableEntries *entries = context;
  const char *sql = (const char *)sqlite3_column_text(row, 2);
  TableEntry entry = {
      .name = column_text(reader, row, 0), .is_view = str_equal(column_text(reader, row, 1), STR("view")), .has_rowid = true};
  if (sql != NULL) {
    entry.is_virtual = sqlite3_strnicmp(sql, "CREATE VIRTUAL", 14) == 0;
    entry.has_rowid = sqlite3_strlike("%without%rowid%", sql, 0) != 0;
  }
  PUSH(reader, entries, entry);
  return CODE_OK;
}

/* A virtual table keeps its data in tables of its own: "notes_data" of "notes". */
static bool is_shadow(const TableEntries *entries, Str name) {
  for (size_t i = 0; i < entries->count; i++) {
    Str owner = entries->items[i].name;
    if (entries->items[i].is_virtual && str_starts_with(name, owner) && name.len > owner.len && name.ptr[owner.len] == '_') return true;
  }
  return false;
}

static Code read_table(Reader *reader, Catalog *catalog, const TableEntry *entry) {
  CatalogTable table = {.name = entry->name, .is_view = entry->is_view};
  TRY(read_table_parts(reader, &table, entry->has_rowid));
  PUSH(reader, &catalog->tables, table);
  return CODE_OK;
}

static Code read_tables(Reader *reader, Catalog *catalog) {
  TableEntries entries = {0};
  TRY(each_row(
      reader,
      "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
      (Str){NULL, 0}, take_entry, &entries));
  for (size_t i = 0; i < entries.count; i++) {
    const TableEntry *entry = &entries.items[i];
    bool is_own = str_starts_with(entry->name, STR("caisson_")); /* Caisson's bookkeeping */
    if (is_own || is_shadow(&entries, entry->name)) continue;
    if (entry->is_virtual) {
      PUSH(reader, &catalog->notes, arena_printf(reader->arena, "the virtual table %.*s", STR_ARGS(entry->name)));
      continue;
    }
    Code code = read_table(reader, catalog, entry);
    if (code != CODE_OK && !entry->is_view) return code;
    if (code != CODE_OK)
      PUSH(reader, &catalog->notes, arena_printf(reader->arena, "the view %.*s, which can't be read", STR_ARGS(entry->name)));
  }
  return CODE_OK;
}

Code sqlite_catalog_read(Str path, Arena *arena, Catalog *ret, Error *err) {
  Reader reader = {.arena = arena, .err = err};
  Str name = arena_str(arena, path);
  TRY_ALLOC(name.ptr);
  Catalog catalog = {0};
  int opened = sqlite3_open_v2(name.ptr, &reader.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
  Code code = opened == SQLITE_OK ? read_tables(&reader, &catalog)
                                  : error_set(err, CODE_UNAVAILABLE, "%.150s can't be opened: %s", name.ptr, sqlite3_errstr(opened));
  (void)sqlite3_close(reader.db);
  if (code == CODE_OK) *ret = catalog;
  return code;
}
