/* sqlite_derive.h - what hangs on tables and can be made again from them: the indexes of @search. */
#pragma once
#include "store/migrator.h"
#include "store/sqlite_connection.h"

/* StoreMigrator.derive */
Code sqlite_derive(SqliteConnection *connection, const Contract *contract, Arena *arena, MigratorChanges *ret, Error *err);
