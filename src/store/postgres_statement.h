/* postgres_statement.h - the statements that one connection has prepared, by their id; the least recently used ones are given up beyond a
 * bound. One thread at a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/postgres_value.h"
#include "store/store.h"

typedef enum PostgresPrepared {
  POSTGRES_UNPREPARED = 0,
  POSTGRES_PREPARING, /* asked for, in the unit that is on its way */
  POSTGRES_PREPARED
} PostgresPrepared;

enum { POSTGRES_NAME_MAX = 24 };

typedef struct PostgresStatement PostgresStatement;
struct PostgresStatement {
  uint64_t id;
  char name[POSTGRES_NAME_MAX]; /* new with each preparation, so that what a failed unit left behind is never met again */
  PostgresPrepared state;
  PostgresForm *forms;              /* of the parameters; behind the struct */
  PostgresStatement *next;          /* of the bucket */
  PostgresStatement *newer, *older; /* by use */
};

typedef struct PostgresStatements PostgresStatements;

/* NULL when memory is out. */
PostgresStatements *postgres_statements_create(size_t max);
void postgres_statements_destroy(PostgresStatements *statements); /* NULL is fine */
/* Found or made, and now the one used last. NULL when memory is out. */
PostgresStatement *postgres_statement_get(PostgresStatements *statements, const StoreStatement *statement);
void postgres_statement_rename(PostgresStatements *statements, PostgresStatement *statement);
/* Where there are too many: takes the least recently used one out, and writes the name under which it is prepared ("": it isn't). False:
 * there is nothing to give up. Only while no command on its way names a statement. */
bool postgres_statements_evict(PostgresStatements *statements, char ret_name[POSTGRES_NAME_MAX]);
