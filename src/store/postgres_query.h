/* postgres_query.h - one statement at a time on a connection of one's own, for threads: what migrations and catalogs need. Everything comes
 * as text. */
#pragma once
#include "store/postgres_connection.h"

enum { POSTGRES_QUERY_COLUMNS_MAX = 16, POSTGRES_QUERY_PARAMS_MAX = 4 };

/* Sends what is queued, closed by a sync, and throws the answers away. */
Code postgres_settle(PostgresConnection *connection, int64_t timeout_us, Error *err);
/* A command without parameters or rows. `timeout_us` bounds the wait for the server. *ret_conflict (may be NULL): data refuses it. */
Code postgres_command(PostgresConnection *connection, const char *sql, int64_t timeout_us, bool *ret_conflict, Error *err);
/* Any statement, with its own kinds of parameters and columns. */
Code postgres_ask(PostgresConnection *connection, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                  Error *err);
/* Columns are texts or null: the statement casts them. */
Code postgres_query(PostgresConnection *connection, Str sql, const Str *params, size_t param_count, size_t column_count, StoreRowFn *row,
                    void *context, Error *err);

/* First member of who reads rows whose texts are kept. */
typedef struct PostgresRows {
  PostgresConnection *connection;
  Arena *arena;
  StoreRowFn *row;   /* of the query under way */
  bool lacks_memory; /* a text of the row could not be kept */
} PostgresRows;

/* ptr NULL for null; also where memory is out, which ends the query. */
Str postgres_rows_keep(PostgresRows *rows, const Value *value);
/* As postgres_query, with `rows` as the context of `row`. */
Code postgres_query_rows(PostgresRows *rows, Str sql, const Str *params, size_t param_count, size_t column_count, StoreRowFn *row,
                         Error *err);
