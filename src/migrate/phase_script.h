/* phase_script.h - a change of a database in two phases, on PostgreSQL: what the first one runs, so that behind it both contracts, the old
 * and the new, can be served at once. Triggers keep in step what the two of them call, or store, differently. */
#pragma once
#include "migrate/plan.h"
#include "migrate/script.h"

typedef struct PhaseScript {
  Script script;
  VEC(Str) superseded; /* "table.column" of the old contract, whose values the new one has under another name: nothing is lost with them */
} PhaseScript;

/* Every statement may be run again. What can't be done in phases goes to *refusals, a line each, and then nothing should be run. */
Code phase_expand_script(const MigrationPlan *plan, Arena *arena, PhaseScript *ret, Buf *refusals, Error *err);
/* In one transaction with what follows: the trigger of the table, and its function, go. */
Code phase_add_trigger_drop(ScriptWriter *writer, const LayoutTable *table);
