/* script.h - a plan as a store's SQL: statements with what each locks and how much it reads or writes; the files of a migration written and
 * read. */
#pragma once
#include "migrate/plan.h"

typedef struct ScriptStatement {
  Str sql;  /* without a semicolon, NUL-terminated */
  Str note; /* what it does and locks; a line. len 0 in a script that was read */
  bool is_destructive;
} ScriptStatement;

typedef struct Script {
  VEC(ScriptStatement) statements;
} Script;

/* How a statement has to be run where a migration is not one transaction. */
typedef enum ScriptMode {
  SCRIPT_TOGETHER = 0, /* with those around it, in one transaction */
  SCRIPT_BY_ITSELF,    /* in a transaction of its own, so that no lock of another's is held meanwhile */
  SCRIPT_OUTSIDE       /* in none */
} ScriptMode;
ScriptMode script_mode(Str sql);

/* `is_one_transaction`: all of it is run in one, whatever it holds up meanwhile. */
Code script_from_plan(const StoreMigrator *store, const MigrationPlan *plan, bool is_one_transaction, Arena *arena, Script *ret,
                      Error *err);
/* The step reads and writes every row of a table that is there, or makes the table anew. */
bool script_step_rewrites(const StoreMigrator *store, const MigrationPlan *plan, const Step *step);
/* The text of up.sql and down.sql: a comment and a statement each. */
void script_write(Buf *out, const Script *script, Str dialect);
/* The statements of a text, split at semicolons outside of strings, names, comments, dollar quotes and triggers. CODE_BAD_REQUEST:
 * something does not end. */
Code script_read(Str text, Arena *arena, Script *ret, Error *err);
/* For which store a file was written; len 0: it does not say. */
Str script_dialect(Str text);

/* ---- for script_NAME.c: how one kind of database is migrated ---- */

typedef struct ScriptWriter {
  Arena *arena;
  const MigrationPlan *plan;
  bool is_one_transaction;
  Script *script;
  Error *err;
} ScriptWriter;

/* What a column's values have to be within; for Int and BigInt as SQL's integers. */
typedef struct ScriptNarrowing {
  Str column; /* quoted */
  FieldType from, to;
  const char *min, *max;
} ScriptNarrowing;

typedef struct ScriptDialect {
  Str name; /* StoreMigrator.dialect */
  Code (*write)(ScriptWriter *writer);
  /* As script_step_rewrites. */
  bool (*rewrites)(const MigrationPlan *plan, const Step *step);
  /* A condition: the value can't be held by the narrower type. Only pairs that plan.c calls narrower, but for BigInt to Int. */
  void (*write_misfit)(Buf *out, const ScriptNarrowing *narrowing);
} ScriptDialect;

const ScriptDialect *script_dialect_of(const StoreMigrator *store); /* never NULL: a store that has a migrator has one */
/* In front of a table that is made: the schema that its name is qualified with, where there is none. */
Code script_postgres_schema(ScriptWriter *writer, const Step *step);
/* Takes over the text in `sql`. */
Code script_add(ScriptWriter *writer, Buf *sql, Str text, const char *locks, bool is_destructive);
void script_write_index(Buf *out, const LayoutTable *table, const LayoutIndex *index, bool is_concurrent);
Buf script_buf(const ScriptWriter *writer);
