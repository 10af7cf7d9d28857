/* sqlite_log.h - the write-ahead log that an earlier process has left behind. */
#pragma once
#include "store/sqlite_connection.h"

/* What is in the log has reached the disk, whatever became of who wrote it. Before anything is built upon it; a writer's connection. */
Code sqlite_log_sync_again(SqliteConnection *connection, Error *err);
