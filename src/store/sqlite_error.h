/* sqlite_error.h - SQLite's result codes as ours. */
#pragma once
#include "base/error.h"
#include "store/sqlite_connection.h"
#include "store/store.h"

/* What `result` (an extended code, not SQLITE_OK) of the connection's last call means. The text names no path and no SQL; what SQLite says
 * itself goes to the store's report. */
Code sqlite_error_set(SqliteConnection *connection, int result, Error *err);

/* Which constraint the connection's last failure names. To be asked before the connection is used again. */
void sqlite_conflict_read(SqliteConnection *connection, int result, StoreConflict *ret);
