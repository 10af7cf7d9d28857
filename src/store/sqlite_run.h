/* sqlite_run.h - runs statements and plans on a connection, inside whatever transaction is open on it. */
#pragma once
#include "store/sqlite_connection.h"
#include "store/store.h"

/* As store_txn_run. */
Code sqlite_statement_run(SqliteConnection *connection, const StoreStatement *statement, const Value *params, StoreRowFn *row,
                          void *context, int64_t *ret_changes, StoreConflict *ret_conflict, Error *err);
/* All statements of the read's plan, through its callbacks. A statement that was stopped says so in connection->stop; one that met a lock
 * is CODE_UNAVAILABLE with *ret_is_busy (may be NULL) set. */
Code sqlite_plan_run(SqliteConnection *connection, StoreRead *read, bool *ret_is_busy, Error *err);
