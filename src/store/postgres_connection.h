/* postgres_connection.h - one connection in pipeline mode: commands are queued, sent together, and answered in order. It never blocks by
 * itself: loops wait for its socket through io/poll.h, threads through postgres_connection_wait. One thread at a time.
 *
 * Everything that is queued up to a sync is one unit: behind an error the rest of it is skipped. */
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/postgres_statement.h"
#include "store/postgres_target.h"
#include "store/store.h"

typedef enum PostgresCommand {
  POSTGRES_PREPARE = 0, /* the store's own: not handed out */
  POSTGRES_EXECUTE,
  POSTGRES_CONTROL, /* BEGIN, COMMIT, ROLLBACK, SET */
  POSTGRES_SYNC
} PostgresCommand;

typedef struct PostgresPending {
  PostgresCommand command;
  PostgresStatement *statement; /* PREPARE and EXECUTE */
  const StoreStatement *shape;
  StoreRead *read; /* the caller's own, as are the two below */
  size_t index;
  size_t run;
  PGresult *result;
} PostgresPending;

typedef struct PostgresConnection PostgresConnection;
struct PostgresConnection {
  PGconn *pg;
  PostgresTarget *target;
  PostgresStatements *statements;
  Arena *params; /* of one command */
  Arena *row;    /* of one row */
  Value *values;
  size_t value_count;
  PostgresPending *pending; /* a ring */
  size_t first, count, cap;
  bool is_given_up;         /* silent for too long, or libpq has failed: nothing of it is believed any more */
  PostgresConnection *next; /* while it is handed on */
};

/* True: go on trying. Called every few hundredths of a second while a connection is being made. */
typedef bool PostgresPatienceFn(void *context);

/* Blocks, for the target's connect_timeout_us at most. For threads. */
Code postgres_connection_open(PostgresTarget *target, PostgresPatienceFn *patience, void *context, PostgresConnection **ret, Error *err);
void postgres_connection_close(PostgresConnection *connection); /* NULL is fine */
static inline bool postgres_connection_is_broken(const PostgresConnection *connection) {
  return connection->is_given_up || PQstatus(connection->pg) != CONNECTION_OK;
}

/* ---- out ---- */

/* Any failure but of memory shows as a broken connection. `read`, `index` and `run` come back with the answer. */
Code postgres_send(PostgresConnection *connection, const StoreStatement *statement, const Value *params, StoreRead *read, size_t index,
                   size_t run, Error *err);
Code postgres_send_control(PostgresConnection *connection, const char *sql, Error *err);
Code postgres_send_sync(PostgresConnection *connection, Error *err);
/* What a pooler would forget: for the transaction that is open. */
Code postgres_send_settings(PostgresConnection *connection, Error *err);
/* Hands what is queued to the system. *ret_is_left: not all of it went. */
Code postgres_flush(PostgresConnection *connection, bool *ret_is_left, Error *err);

/* ---- in ---- */

/* Takes what has arrived. CODE_UNAVAILABLE: the connection is lost; what arrived before may still be taken out. */
Code postgres_receive(PostgresConnection *connection, Error *err);
/* The next finished command but PREPAREs; its result is the caller's to clear, by postgres_pending_done. False: nothing more has arrived.
 */
bool postgres_next(PostgresConnection *connection, PostgresPending *ret);
/* Every command that is still waiting, without a result: for a lost connection. */
bool postgres_next_lost(PostgresConnection *connection, PostgresPending *ret);
void postgres_pending_done(PostgresPending *pending);
/* The read whose statement is the `at`-th of those that are not answered yet. False: there are not so many. *ret may be NULL: nobody's. */
bool postgres_connection_waiting(const PostgresConnection *connection, size_t at, const StoreRead **ret);

typedef enum PostgresOutcome { POSTGRES_OK = 0, POSTGRES_FAILED, POSTGRES_SKIPPED } PostgresOutcome;
/* SKIPPED: not run, because something before it in its unit failed. */
PostgresOutcome postgres_outcome(const PostgresPending *pending);
/* Each row of the result. Values are borrowed until `row` returns. */
Code postgres_rows_read(PostgresConnection *connection, const PostgresPending *pending, StoreRowFn *row, void *context, Error *err);

/* ---- for threads ---- */

/* Sends what is queued and waits until something has arrived. CODE_UNAVAILABLE: the connection is lost, or silent beyond `deadline_us`
 * (postgres_clock_us), and then it is closed to further use. */
Code postgres_connection_wait(PostgresConnection *connection, int64_t deadline_us, Error *err);
/* Whether the server has ended an idle connection, as far as can be seen from here. */
bool postgres_connection_is_alive(PostgresConnection *connection);
int64_t postgres_clock_us(void);
