/* commit.c - what a durable insert costs when each is a transaction of its own, in process and without a network: the rate that group
 * commit is measured against, on the same disk. Prints one line of JSON. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(sqlite3 *db, int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  fprintf(stderr, "commit: %s\n", sqlite3_errmsg(db));
  exit(3);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: commit FILE SECONDS\n");
    return 2;
  }
  double seconds = strtod(argv[2], NULL);
  sqlite3 *db;
  check(NULL, sqlite3_open(argv[1], &db));
  check(db, sqlite3_exec(db,
                         "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                         "CREATE TABLE IF NOT EXISTS items (id TEXT PRIMARY KEY, name TEXT NOT NULL, price TEXT NOT NULL, stock INTEGER NOT NULL)",
                         NULL, NULL, NULL));
  sqlite3_stmt *insert;
  check(db, sqlite3_prepare_v2(db, "INSERT INTO items VALUES (lower(hex(randomblob(16))), ?1, '12.50', ?2)", -1, &insert, NULL));
  double begin = now_s();
  long count = 0;
  for (; now_s() - begin < seconds; count++) {
    check(db, sqlite3_bind_text(insert, 1, "Darjeeling first flush", -1, SQLITE_STATIC));
    check(db, sqlite3_bind_int64(insert, 2, count));
    check(db, sqlite3_step(insert));
    check(db, sqlite3_reset(insert));
  }
  printf("{\"inserts\":%ld,\"seconds\":%.6f}\n", count, now_s() - begin);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return 0;
}
