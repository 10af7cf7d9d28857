/* sqlite_fault_test.c - the SQLite store over a file system that fails. Of all that SQLite asks of it, the Nth fails, once or from then on;
 * for every N: nothing crashes or leaks, each write and each read has one answer, what was acknowledged is there, nothing is there by
 * half, and when the file system works again, so does the store, without being opened anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "fixture.h"

static const char contract[] = "extend schema @service(name: \"faults\")\n"
                               "type Pair @resource @access(read: \"true\", write: \"true\") {\n"
                               "  code: String! @id\n"
                               "  number: Int!\n"
                               "  text: String!\n"
                               "}\n";

/* ---- a file system that fails ---- */

typedef enum Call { CALL_OPEN, CALL_DELETE, CALL_READ, CALL_WRITE, CALL_TRUNCATE, CALL_SYNC, CALL_LOCK, CALL_MAP } Call;

/* What SQLite is told. */
static const int results[] = {[CALL_OPEN] = SQLITE_CANTOPEN,   [CALL_DELETE] = SQLITE_IOERR_DELETE,     [CALL_READ] = SQLITE_IOERR_READ,
                              [CALL_WRITE] = SQLITE_FULL,      [CALL_TRUNCATE] = SQLITE_IOERR_TRUNCATE, [CALL_SYNC] = SQLITE_IOERR_FSYNC,
                              [CALL_LOCK] = SQLITE_IOERR_LOCK, [CALL_MAP] = SQLITE_IOERR_SHMMAP};

/* SQLite's own threads call it. */
static atomic_size_t fail_at, called;
static atomic_bool is_for_good, has_failed;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs faulty_vfs;

static void faults_set(size_t nth, bool for_good) {
  called = 0;
  has_failed = false;
  is_for_good = for_good;
  fail_at = nth;
}

/* From then on only what changes something fails: a disk that is full can still be read. */
static bool fails(Call call) {
  size_t nth = fail_at;
  if (nth == 0) return false;
  size_t now = ++called;
  bool is_change = call != CALL_READ && call != CALL_LOCK && call != CALL_OPEN && call != CALL_MAP;
  bool is_now = now == nth || (is_for_good && now > nth && is_change);
  if (is_now) has_failed = true;
  return is_now;
}

typedef struct File {
  sqlite3_file base;
  sqlite3_file *real; /* behind this struct */
  bool is_log;
} File;

/* Of the write-ahead log, since the counters were reset. */
static atomic_size_t log_bytes_written;
static atomic_bool log_is_synced;

static sqlite3_file *real_of(sqlite3_file *file) { return ((File *)file)->real; }

#define FAIL(call)                                                                                                                         \
  do {                                                                                                                                     \
    if (fails(call)) return results[call];                                                                                                 \
  } while (0)

static int file_close(sqlite3_file *file) {
  sqlite3_file *real = real_of(file);
  return real->pMethods == NULL ? SQLITE_OK : real->pMethods->xClose(real);
}

static int file_read(sqlite3_file *file, void *buffer, int size, sqlite3_int64 at) {
  FAIL(CALL_READ);
  return real_of(file)->pMethods->xRead(real_of(file), buffer, size, at);
}

static int file_write(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 at) {
  if (((File *)file)->is_log) {
    log_bytes_written += (size_t)size;
    log_is_synced = false;
  }
  if (!fails(CALL_WRITE)) return real_of(file)->pMethods->xWrite(real_of(file), buffer, size, at);
  /* As a disk that fills up does: some of it is written. */
  if (size > 1) (void)real_of(file)->pMethods->xWrite(real_of(file), buffer, size / 2, at);
  return results[CALL_WRITE];
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
  FAIL(CALL_TRUNCATE);
  return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* The tests end no process, so that nothing needs to reach the disk. */
static int file_sync(sqlite3_file *file, int flags) {
  (void)flags;
  FAIL(CALL_SYNC);
  if (((File *)file)->is_log) log_is_synced = true;
  return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret) { return real_of(file)->pMethods->xFileSize(real_of(file), ret); }

static int file_lock(sqlite3_file *file, int level) {
  FAIL(CALL_LOCK);
  return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xUnlock(real_of(file), level); }

static int file_is_reserved(sqlite3_file *file, int *ret) { return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret); }

static int file_control(sqlite3_file *file, int what, void *argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int file_sector(sqlite3_file *file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }

static int file_device(sqlite3_file *file) { return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)); }

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret) {
  FAIL(CALL_MAP);
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
  return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }

static int file_shm_unmap(sqlite3_file *file, int deletes) { return real_of(file)->pMethods->xShmUnmap(real_of(file), deletes); }

static const sqlite3_io_methods file_methods = {.iVersion = 2,
                                                .xClose = file_close,
                                                .xRead = file_read,
                                                .xWrite = file_write,
                                                .xTruncate = file_truncate,
                                                .xSync = file_sync,
                                                .xFileSize = file_size,
                                                .xLock = file_lock,
                                                .xUnlock = file_unlock,
                                                .xCheckReservedLock = file_is_reserved,
                                                .xFileControl = file_control,
                                                .xSectorSize = file_sector,
                                                .xDeviceCharacteristics = file_device,
                                                .xShmMap = file_shm_map,
                                                .xShmLock = file_shm_lock,
                                                .xShmBarrier = file_shm_barrier,
                                                .xShmUnmap = file_shm_unmap};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *ret_flags) {
  (void)vfs;
  File *file = (File *)base;
  memset(file, 0, (size_t)faulty_vfs.szOsFile);
  FAIL(CALL_OPEN);
  file->real = (sqlite3_file *)(file + 1);
  file->is_log = (flags & SQLITE_OPEN_WAL) != 0;
  int result = real_vfs->xOpen(real_vfs, name, file->real, flags, ret_flags);
  if (file->real->pMethods != NULL) file->base.pMethods = &file_methods;
  return result;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int syncs) {
  (void)vfs;
  (void)syncs;
  FAIL(CALL_DELETE);
  return real_vfs->xDelete(real_vfs, name, 0);
}

static int set_up_vfs(void **state) {
  (void)state;
  real_vfs = sqlite3_vfs_find(NULL);
  faulty_vfs = *real_vfs;
  faulty_vfs.zName = "faulty";
  faulty_vfs.szOsFile = (int)sizeof(File) + real_vfs->szOsFile;
  faulty_vfs.xOpen = vfs_open;
  faulty_vfs.xDelete = vfs_delete;
  return sqlite3_vfs_register(&faulty_vfs, 1);
}

static int tear_down_vfs(void **state) {
  (void)state;
  return sqlite3_vfs_unregister(&faulty_vfs);
}

/* ---- what is done on it ---- */

enum { TURNS = 3, WRITES_A_TURN = 3, WRITES = TURNS * WRITES_A_TURN, CALLS_MAX = 5000 };

static const char insert_pair[] = "INSERT INTO pairs (code, number, text) VALUES ({p:Pair.code}, {p:Pair.number}, {p:Pair.text})";

/* Two rows, with a text that fills more than a page. */
static Code insert_two(TestWrite *write, StoreTxn *txn, Error *err) {
  static char text[6000];
  memset(text, 'x', sizeof text);
  StoreStatement *insert = statement_make(write->fixture, insert_pair, true);
  for (int half = 0; half < 2; half++) {
    Value params[] = {value_text(arena_printf(write->fixture->arena, "%zu-%d", write->number, half)), value_int((int64_t)write->number),
                      value_text((Str){text, sizeof text})};
    TRY(store_txn_run(txn, insert, params, NULL, NULL, NULL, NULL, err));
  }
  return CODE_OK;
}

static bool is_told_right(Code code) { return code == CODE_OK || code == CODE_UNAVAILABLE; }

/* Turns of writes and reads, while something fails. */
static void write_and_read(Fixture *fixture, TestWrite *writes[WRITES]) {
  StoreStatement *select = statement_make(fixture, "SELECT {c:Pair.code} FROM pairs ORDER BY code", false);
  for (size_t turn = 0; turn < TURNS; turn++) {
    for (size_t i = 0; i < WRITES_A_TURN; i++) {
      size_t number = turn * WRITES_A_TURN + i;
      writes[number] = write_make(fixture, insert_two, NULL);
      writes[number]->number = number;
      fixture_write(fixture, writes[number]);
    }
    TestRead *read = read_one(fixture, select, NULL);
    fixture_read(fixture, read);
    fixture_run(fixture);
    assert_int_equal(read->done_count, 1);
    if (!is_told_right(read->code)) fail_msg("a read: %d %s", read->code, read->error.text);
  }
  for (size_t i = 0; i < WRITES; i++) {
    assert_int_equal(writes[i]->done_count, 1);
    if (!is_told_right(writes[i]->code)) fail_msg("write %zu: %d %s", i, writes[i]->code, writes[i]->error.text);
  }
}

/* `may_be_there`: after a start, what was on its way to the log when it was refused may have reached it; whole, all the same. */
static void check_writes(Fixture *fixture, TestWrite *const writes[WRITES], size_t nth, bool may_be_there) {
  TestRead *read = read_one(fixture, statement_make(fixture, "SELECT {c:Pair.number} FROM pairs WHERE number >= 0", false), NULL);
  fixture_read(fixture, read);
  fixture_run(fixture);
  if (read->code != CODE_OK) fail_msg("%zu: %s", nth, read->error.text);
  size_t rows[WRITES] = {0};
  for (size_t i = 0; i < read->row_count; i++) rows[read->rows[i].values[0].integer]++;
  for (size_t i = 0; i < WRITES; i++) {
    bool is_right = writes[i]->code == CODE_OK ? rows[i] == 2 : rows[i] == 0 || (may_be_there && rows[i] == 2);
    if (!is_right) fail_msg("call %zu failed: write %zu ended with %d, and %zu of its 2 rows are there", nth, i, writes[i]->code, rows[i]);
  }
}

static Code insert_last(TestWrite *write, StoreTxn *txn, Error *err) {
  Value params[] = {value_text(arena_printf(write->fixture->arena, "last %zu", write->number)), value_int(-1), value_text(STR("x"))};
  return store_txn_run(txn, statement_make(write->fixture, insert_pair, true), params, NULL, NULL, NULL, NULL, err);
}

/* False when nothing has failed: there are no so many calls. */
static bool run_with_fault(size_t nth, bool for_good) {
  Fixture fixture = {0};
  Error error = {0};
  TestWrite *writes[WRITES];
  fixture_prepare(&fixture, &stores[0], contract);
  faults_set(nth, for_good);
  Code code = fixture_open_store(&fixture, &error);
  if (code != CODE_OK) {
    faults_set(0, false);
    if (code != CODE_UNAVAILABLE) fail_msg("opening, call %zu: %d %s", nth, code, error.text);
    /* What a failed start leaves behind does not keep the next from working. */
    if (fixture_open_store(&fixture, &error) != CODE_OK) fail_msg("opening again after call %zu: %s", nth, error.text);
    assert_int_equal(fixture_write_now(&fixture, insert_last, NULL), CODE_OK);
    fixture_close(&fixture);
    return true;
  }
  write_and_read(&fixture, writes);
  bool is_hit = has_failed;
  faults_set(0, false);
  TestWrite *last = write_make(&fixture, insert_last, NULL);
  fixture_write(&fixture, last);
  fixture_run(&fixture);
  if (last->code != CODE_OK) fail_msg("after call %zu had failed: %s", nth, last->error.text);
  check_writes(&fixture, writes, nth, false);
  fixture_close_store(&fixture);
  if (fixture_open_store(&fixture, &error) != CODE_OK) fail_msg("opening after call %zu: %s", nth, error.text);
  check_writes(&fixture, writes, nth, true);
  fixture_close(&fixture);
  return is_hit;
}

static void run_all(bool for_good) {
  size_t nth = 1;
  while (run_with_fault(nth, for_good)) assert_in_range(nth++, 1, CALLS_MAX);
  assert_true(nth > 50);
  print_message("# each of %zu calls failed\n", nth - 1);
}

static void a_call_of_the_file_system_that_fails_once(void **state) {
  (void)state;
  run_all(false);
}

static void a_disk_that_is_full_from_a_call_on(void **state) {
  (void)state;
  run_all(true);
}

/* A log that is not written at once. */
enum { LOGGED_WRITES = 20, LOG_BYTES_MIN = 300 * 1024 };

/* The process that wrote the log may have been unable to sync it, and been killed: what it left is in the system's cache alone. A simulated
 * disk found what follows: tests/simulate, faults disk, kill and power. */
static void what_the_log_holds_is_written_and_synced_when_the_database_is_opened(void **state) {
  (void)state;
  Fixture fixture = {0};
  Store *second = NULL;
  Error error = {0};
  fixture_open(&fixture, &stores[0], contract);
  for (size_t i = 0; i < LOGGED_WRITES; i++) {
    TestWrite *write = write_make(&fixture, insert_two, NULL);
    write->number = i;
    fixture_write(&fixture, write);
    fixture_run(&fixture);
    assert_int_equal(write->code, CODE_OK);
  }
  Str log = arena_printf(fixture.arena, "%.*s-wal", (int)fixture.url.len - 7, fixture.url.ptr + 7);
  struct stat status;
  assert_int_equal(stat(log.ptr, &status), 0);
  assert_true(status.st_size > LOG_BYTES_MIN);
  log_bytes_written = 0;
  log_is_synced = false;
  StoreOptions options = {.url = fixture.url};
  assert_int_equal(store_open(&options, &second, &error), CODE_OK);
  assert_int_equal(log_bytes_written, status.st_size);
  assert_true(log_is_synced);
  store_close(second);
  fixture_close(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_of_the_file_system_that_fails_once),
      cmocka_unit_test(a_disk_that_is_full_from_a_call_on),
      cmocka_unit_test(what_the_log_holds_is_written_and_synced_when_the_database_is_opened),
  };
  return cmocka_run_group_tests(tests, set_up_vfs, tear_down_vfs);
}
