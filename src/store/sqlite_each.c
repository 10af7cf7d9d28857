/* sqlite_each.c - caisson_each(list, type), a table-valued function: the items of a JSON array, each in the storage form of its type.
 * Unlike json_each it reads numbers and texts as rules do: decimals and 64-bit integers exactly, an item of another type as NULL, and what
 * is no array as an empty list. */
#include <stdlib.h>
#include <string.h>

#include "contract/expr_value.h"
#include "store/sqlite_functions.h"

enum { COLUMN_VALUE = 0, COLUMN_LIST, COLUMN_TYPE };

typedef struct EachCursor {
  sqlite3_vtab_cursor base; /* SQLite's own part, first */
  Arena *arena;
  ValueList items;
  size_t at;
} EachCursor;

static int each_connect(sqlite3 *db, void *unused, int count, const char *const *args, sqlite3_vtab **ret, char **ret_error) {
  (void)unused, (void)count, (void)args, (void)ret_error;
  int result = sqlite3_declare_vtab(db, "CREATE TABLE each(value, list HIDDEN, type HIDDEN)");
  if (result != SQLITE_OK) return result;
  sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
  sqlite3_vtab *table = (sqlite3_vtab *)calloc(1, sizeof *table);
  if (table == NULL) return SQLITE_NOMEM;
  *ret = table;
  return SQLITE_OK;
}

static int each_disconnect(sqlite3_vtab *table) {
  free(table);
  return SQLITE_OK;
}

/* Both arguments must be known; any order of joins in which they aren't is refused. */
static int each_best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
  (void)table;
  int at[3] = {-1, -1, -1};
  for (int i = 0; i < info->nConstraint; i++) {
    int column = info->aConstraint[i].iColumn;
    if (column != COLUMN_LIST && column != COLUMN_TYPE) continue;
    if (info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (!info->aConstraint[i].usable) return SQLITE_CONSTRAINT;
    at[column] = i;
  }
  if (at[COLUMN_LIST] < 0 || at[COLUMN_TYPE] < 0) return SQLITE_CONSTRAINT;
  for (int column = COLUMN_LIST; column <= COLUMN_TYPE; column++) {
    info->aConstraintUsage[at[column]].argvIndex = column;
    info->aConstraintUsage[at[column]].omit = 1;
  }
  info->estimatedCost = 10;
  info->estimatedRows = 10;
  return SQLITE_OK;
}

static int each_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret) {
  (void)table;
  EachCursor *cursor = (EachCursor *)calloc(1, sizeof *cursor);
  if (cursor == NULL) return SQLITE_NOMEM;
  *ret = &cursor->base;
  return SQLITE_OK;
}

static int each_close(sqlite3_vtab_cursor *base) {
  EachCursor *cursor = (EachCursor *)base;
  arena_destroy(cursor->arena);
  free(cursor);
  return SQLITE_OK;
}

static int each_filter(sqlite3_vtab_cursor *base, int index, const char *index_text, int count, sqlite3_value **args) {
  (void)index, (void)index_text, (void)count;
  EachCursor *cursor = (EachCursor *)base;
  cursor->items = (ValueList){0};
  cursor->at = 0;
  if (sqlite3_value_type(args[0]) == SQLITE_NULL) return SQLITE_OK;
  if (cursor->arena == NULL)
    cursor->arena = arena_create(0);
  else
    arena_reset(cursor->arena);
  if (cursor->arena == NULL) return SQLITE_NOMEM;
  const char *type = (const char *)sqlite3_value_text(args[1]);
  const char *text = (const char *)sqlite3_value_text(args[0]);
  if (text == NULL || type == NULL) return SQLITE_NOMEM;
  /* The argument may be gone by the time that its items are read. */
  Str list = arena_str(cursor->arena, (Str){text, (size_t)sqlite3_value_bytes(args[0])});
  Value items = value_null();
  if (list.ptr == NULL || !expr_list_of_json_text(list, sqlite_type_named(str_of(type)), cursor->arena, &items)) return SQLITE_NOMEM;
  cursor->items = items.list;
  return SQLITE_OK;
}

static int each_next(sqlite3_vtab_cursor *base) {
  ((EachCursor *)base)->at++;
  return SQLITE_OK;
}

static int each_eof(sqlite3_vtab_cursor *base) {
  const EachCursor *cursor = (const EachCursor *)base;
  return cursor->at >= cursor->items.count;
}

static int each_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column) {
  const EachCursor *cursor = (const EachCursor *)base;
  if (column == COLUMN_VALUE) sqlite_result_value(context, &cursor->items.items[cursor->at]);
  return SQLITE_OK;
}

static int each_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret) {
  *ret = (sqlite3_int64)((const EachCursor *)base)->at;
  return SQLITE_OK;
}

/* Without xCreate it is eponymous only: it is there in every database, and no table of it can be made. */
static const sqlite3_module each_module = {
    .iVersion = 0,
    .xConnect = each_connect,
    .xBestIndex = each_best_index,
    .xDisconnect = each_disconnect,
    .xOpen = each_open,
    .xClose = each_close,
    .xFilter = each_filter,
    .xNext = each_next,
    .xEof = each_eof,
    .xColumn = each_column,
    .xRowid = each_rowid,
};

int sqlite_each_register(sqlite3 *db) { return sqlite3_create_module_v2(db, "caisson_each", &each_module, NULL, NULL); }
