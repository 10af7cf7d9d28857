/* sqlite_log.c - the write-ahead log that an earlier process has left behind. Where it could not sync the log, the system may still hold
 * what never reached the disk, as if it had: a failed sync leaves such pages clean, and no later one tries them again. Whoever goes on from
 * there would acknowledge commits behind a hole. So what is read from the log is written to it once more, and synced. */
#include "store/sqlite_log.h"

#include "base/memory.h"
#include "store/sqlite_error.h"

/* SQLite's files on Unix take less than 128 KiB at once. */
enum { LOG_CHUNK_BYTES = 64 * 1024 };

static int rewrite(sqlite3_file *log, sqlite3_int64 size, char *chunk) {
  for (sqlite3_int64 at = 0; at < size; at += LOG_CHUNK_BYTES) {
    int len = size - at < LOG_CHUNK_BYTES ? (int)(size - at) : LOG_CHUNK_BYTES;
    int result = log->pMethods->xRead(log, chunk, len, at);
    if (result == SQLITE_OK) result = log->pMethods->xWrite(log, chunk, len, at);
    if (result != SQLITE_OK) return result;
  }
  return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

/* Nobody else may write to the log meanwhile; where somebody does, he is alive, and it is his. */
static int rewrite_locked(SqliteConnection *connection, sqlite3_file *log, char *chunk) {
  sqlite3_int64 size = 0;
  int result = sqlite_connection_command(connection, SQLITE_COMMAND_BEGIN_IMMEDIATE);
  if (result != SQLITE_OK) return (result & 0xff) == SQLITE_BUSY ? SQLITE_OK : result;
  result = log->pMethods->xFileSize(log, &size);
  if (result == SQLITE_OK && size > 0) result = rewrite(log, size, chunk);
  int end = sqlite_connection_command(connection, SQLITE_COMMAND_ROLLBACK);
  return result != SQLITE_OK ? result : end;
}

Code sqlite_log_sync_again(SqliteConnection *connection, Error *err) {
  sqlite3_file *log = NULL;
  int result = sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (result != SQLITE_OK || log == NULL || log->pMethods == NULL) return CODE_OK;
  char *chunk = memory_alloc(LOG_CHUNK_BYTES);
  TRY_ALLOC(chunk);
  result = rewrite_locked(connection, log, chunk);
  memory_free(chunk);
  return result == SQLITE_OK ? CODE_OK : sqlite_error_set(connection, result, err);
}
