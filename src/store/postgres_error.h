/* postgres_error.h - what went wrong, as PostgreSQL says it and as we say it. */
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>

#include "base/error.h"
#include "store/postgres_target.h"
#include "store/store.h"

/* What may be done about a failure. */
typedef enum PostgresRemedy {
  POSTGRES_REMEDY_NONE = 0,
  POSTGRES_REMEDY_ONCE,      /* a foreign key met what was not to be seen when references were looked at: once more, and it is */
  POSTGRES_REMEDY_AGAIN,     /* a serialization failure, a deadlock: the transaction may be run again */
  POSTGRES_REMEDY_PREPARE,   /* the prepared statement is gone or out of date: prepare it again */
  POSTGRES_REMEDY_RECONNECT, /* the server ends the connection, or can't write on it any more */
  POSTGRES_REMEDY_UNPREPARED /* a pooler hands us other connections than those on which we prepared */
} PostgresRemedy;

/* Fills *err from a failed result and tells the operator where it is the operator's affair. */
Code postgres_error_set(const PostgresTarget *target, const PGresult *result, Error *err);
/* The connection is gone. */
Code postgres_error_lost(const PostgresTarget *target, PGconn *connection, Error *err);
/* The connection could not be made. */
Code postgres_error_unreachable(const PostgresTarget *target, PGconn *connection, Error *err);
/* The statement is sound, and its values are not what a column, a domain or a trigger of the database takes: class 22, P0001. */
bool postgres_error_is_refusal(const PGresult *result);
PostgresRemedy postgres_error_remedy(const PGresult *result);
/* Which constraint refused; columns only where the server names them itself (NOT NULL). *ret_index: the constraint's name and schema, where
 * its columns have to be looked up; borrowed from the result. */
void postgres_conflict_read(const PGresult *result, StoreConflict *ret, const char **ret_schema, const char **ret_constraint);
