/* phase.h - a migration in two phases, with both contracts served in between. A phase that was cut short is begun again from its beginning:
 * each of its statements can be. PostgreSQL's alone: SQLite's triggers can't change the row that is being written. */
#pragma once
#include "migrate/migrate.h"

/* As in migrate.h. Expanded: the old and the new contract fit. Contracted: what the old one alone had is gone. */
Code migrate_expand(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
Code migrate_contract(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
/* Back to the old contract, where the database is expanded (*ret_is_done), or was to be. */
Code migrate_abandon(const MigrateOptions *options, bool *ret_is_done, Arena *arena, Str *ret_details, Error *err);
