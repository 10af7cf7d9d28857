/* sql.c - what SQLite alone costs, in process and without a network, on the same disk: the second opinion for two of the figures.
 *   sql commit FILE SECONDS   durable inserts, each a transaction of its own
 *   sql nested FILE SECONDS   the bench database's list of 20 products with 5 reviews each, every column read
 * Prints one line of JSON. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double clock_s(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(sqlite3 *db, int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  fprintf(stderr, "sql: %s\n", sqlite3_errmsg(db));
  exit(3);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text) {
  sqlite3_stmt *statement;
  check(db, sqlite3_prepare_v2(db, text, -1, &statement, NULL));
  return statement;
}

/* The server's own settings, so that only the way to the database differs. */
static sqlite3 *open_database(const char *file) {
  sqlite3 *db;
  check(NULL, sqlite3_open(file, &db));
  check(db, sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA mmap_size=268435456", NULL,
                         NULL, NULL));
  return db;
}

static int run_commit(const char *file, double seconds) {
  sqlite3 *db = open_database(file);
  check(db,
        sqlite3_exec(
            db, "CREATE TABLE IF NOT EXISTS items (id TEXT PRIMARY KEY, name TEXT NOT NULL, price TEXT NOT NULL, stock INTEGER NOT NULL)",
            NULL, NULL, NULL));
  sqlite3_stmt *insert = prepare(db, "INSERT INTO items VALUES (lower(hex(randomblob(16))), ?1, '12.50', ?2)");
  double begin = clock_s(CLOCK_MONOTONIC);
  long count = 0;
  for (; clock_s(CLOCK_MONOTONIC) - begin < seconds; count++) {
    check(db, sqlite3_bind_text(insert, 1, "Darjeeling first flush", -1, SQLITE_STATIC));
    check(db, sqlite3_bind_int64(insert, 2, count));
    check(db, sqlite3_step(insert));
    check(db, sqlite3_reset(insert));
  }
  printf("{\"inserts\":%ld,\"seconds\":%.6f}\n", count, clock_s(CLOCK_MONOTONIC) - begin);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return 0;
}

/* Steps through a statement; returns how many bytes its columns have, so that none can be left unread. */
static size_t read_rows(sqlite3 *db, sqlite3_stmt *statement, void (*each)(void *context, sqlite3_stmt *row), void *context) {
  size_t bytes = 0;
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    int columns = sqlite3_column_count(statement);
    for (int i = 0; i < columns; i++) {
      const unsigned char *text = sqlite3_column_text(statement, i);
      if (text != NULL) bytes += strlen((const char *)text);
    }
    if (each != NULL) each(context, statement);
  }
  check(db, code);
  check(db, sqlite3_reset(statement));
  return bytes;
}

typedef struct Nested {
  sqlite3 *db;
  sqlite3_stmt *reviews;
  size_t bytes;
} Nested;

static void read_reviews(void *context, sqlite3_stmt *product) {
  Nested *nested = context;
  check(nested->db, sqlite3_bind_value(nested->reviews, 1, sqlite3_column_value(product, 0)));
  nested->bytes += read_rows(nested->db, nested->reviews, NULL, NULL);
}

static int run_nested(const char *file, double seconds) {
  Nested nested = {.db = open_database(file)};
  sqlite3_stmt *products = prepare(nested.db, "SELECT id, name, price FROM products ORDER BY id LIMIT 21");
  nested.reviews = prepare(nested.db, "SELECT id, stars, text FROM reviews WHERE product_id = ?1 ORDER BY id LIMIT 6");
  double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID), begin_wall = clock_s(CLOCK_MONOTONIC);
  long count = 0;
  for (; clock_s(CLOCK_MONOTONIC) - begin_wall < seconds; count++) {
    check(nested.db, sqlite3_exec(nested.db, "BEGIN", NULL, NULL, NULL));
    nested.bytes += read_rows(nested.db, products, read_reviews, &nested);
    check(nested.db, sqlite3_exec(nested.db, "COMMIT", NULL, NULL, NULL));
  }
  double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
  printf("{\"lists\":%ld,\"cpu_us\":%.3f,\"bytes\":%zu}\n", count, cpu * 1e6 / (double)count, nested.bytes / (size_t)count);
  sqlite3_finalize(products);
  sqlite3_finalize(nested.reviews);
  sqlite3_close(nested.db);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "commit") == 0) return run_commit(argv[2], strtod(argv[3], NULL));
  if (argc == 4 && strcmp(argv[1], "nested") == 0) return run_nested(argv[2], strtod(argv[3], NULL));
  fprintf(stderr, "usage: sql commit|nested FILE SECONDS\n");
  return 2;
}
