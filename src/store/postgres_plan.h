/* postgres_plan.h - what would bring a database to its contract, as statements that nobody has run yet; and what no statement of ours
 * would. Reads a schema and a contract only: running is postgres_migrate.c's. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "contract/model.h"
#include "store/postgres_schema.h"

typedef struct PostgresChange {
  Str sql;         /* one statement, NUL-terminated, without a semicolon */
  Str description; /* "table products is missing" */
} PostgresChange;

typedef struct PostgresPlan {
  VEC(PostgresChange) changes; /* in an order in which they can run: tables, columns, foreign keys, indexes */
  Buf differences;             /* a line each: what can't be set right by adding something */
} PostgresPlan;

/* A database that Caisson has not made is only compared: what the contract names must be there, and nothing is ever changed. */
Code postgres_plan_make(const PostgresSchema *schema, const Contract *contract, Arena *arena, PostgresPlan *ret, Error *err);

/* By whichever names and modifiers they go. */
bool postgres_types_equal(Str a, Str b);
/* Nothing but a type: it may stand in a statement. */
bool postgres_type_is_plain(Str type);
