#include "faults.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { FRAMES_MAX = 64, OWN_FRAMES = 2, LEAF_FRAMES = 10, PLACES_MAX = 1 << 16 };

/* Addresses, or sums of them; 0: free. */
typedef struct Places {
  uintptr_t items[PLACES_MAX];
  size_t count;
} Places;

static struct {
  pthread_mutex_t lock;
  atomic_bool is_armed;
  bool has_failed;
  unsigned kinds;
  Places failed; /* the addresses on the way of what has failed, where that was told */
  Places tried;  /* the last part of each way, so that what is made good is not tried for ever */
  const char *name;
  uintptr_t way[FRAMES_MAX];
  size_t way_length;
} faults = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct FaultNote {
  size_t number;
  size_t way_length;
  uintptr_t way[FRAMES_MAX];
} FaultNote;

static __thread struct {
  size_t from; /* 0: none is under way */
  FaultNote *notes;
  size_t count, cap;
  Places *seen; /* by this survey; not within a thread's stack, of which what is thread-local takes its part */
} survey;

/* Looking for the way may itself ask for memory. */
static __thread bool is_inside;

/* ---- places ---- */

static uintptr_t *slot_of(Places *places, uintptr_t place) {
  size_t at = (size_t)(place * UINT64_C(0x9E3779B97F4A7C15) >> 48);
  while (places->items[at] != 0 && places->items[at] != place) at = (at + 1) % PLACES_MAX;
  return &places->items[at];
}

static bool holds(Places *places, uintptr_t place) { return *slot_of(places, place) == place; }

static void add(Places *places, uintptr_t place) {
  uintptr_t *slot = slot_of(places, place);
  if (*slot == place) return;
  if (++places->count > PLACES_MAX / 2) abort();
  *slot = place;
}

/* Of the program itself: libraries between them are others' affair. */
static size_t read_way(uintptr_t way[FRAMES_MAX]) {
  extern const char __executable_start[], etext[];
  void *frames[FRAMES_MAX];
  size_t length = 0;
  int count = backtrace(frames, FRAMES_MAX);
  for (int i = OWN_FRAMES; i < count; i++) {
    uintptr_t address = (uintptr_t)frames[i];
    if (address >= (uintptr_t)__executable_start && address < (uintptr_t)etext) way[length++] = address;
  }
  return length;
}

static uintptr_t sum_of(const uintptr_t *way, size_t length) {
  uintptr_t sum = 1;
  for (size_t i = 0; i < length && i < LEAF_FRAMES; i++) sum = sum * UINT64_C(0x100000001B3) ^ way[i];
  return sum;
}

/* A place is where a call returns to, and where its caller does: what is called from two places is two. */
static uintptr_t place_at(const uintptr_t *way, size_t length, size_t i) {
  bool is_alone = (faults.kinds & FAULT_SPARSELY) != 0 || i + 1 >= length;
  return way[i] * UINT64_C(0x100000001B3) ^ (is_alone ? 1 : way[i + 1]);
}

static bool is_new(const uintptr_t *way, size_t length) {
  if (length == 0 || holds(&faults.tried, sum_of(way, length))) return false;
  for (size_t i = 0; i < length; i++)
    if (!holds(&faults.failed, place_at(way, length, i))) return true;
  return false;
}

static void add_all(Places *places, const uintptr_t *way, size_t length) {
  for (size_t i = 0; i < length; i++) add(places, place_at(way, length, i));
}

/* Called where an allocation is about to be counted. */
static void look(void) {
  uintptr_t way[FRAMES_MAX];
  if (survey.from == 0 || is_inside) return;
  is_inside = true;
  size_t length = read_way(way);
  bool is_seen = true;
  for (size_t i = 0; i < length; i++) is_seen = is_seen && holds(survey.seen, place_at(way, length, i));
  if (!is_seen && is_new(way, length)) {
    if (survey.count == survey.cap) {
      survey.cap = 2 * survey.cap + 64;
      survey.notes = realloc(survey.notes, survey.cap * sizeof *survey.notes);
      if (survey.notes == NULL) abort();
    }
    FaultNote *note = &survey.notes[survey.count++];
    note->number = survey.from - memory_fail_countdown + 1;
    note->way_length = length;
    memcpy(note->way, way, length * sizeof *way);
    add_all(survey.seen, way, length);
  }
  is_inside = false;
}

static __attribute__((noinline)) bool fails(FaultKind kind, const char *name) {
  uintptr_t way[FRAMES_MAX];
  if (kind == FAULT_MEMORY) look();
  if (!faults.is_armed || is_inside || (faults.kinds & kind) == 0) return false;
  is_inside = true;
  size_t length = read_way(way);
  is_inside = false;
  pthread_mutex_lock(&faults.lock);
  bool is_now = faults.is_armed && is_new(way, length);
  if (is_now) {
    faults.is_armed = false;
    faults.has_failed = true;
    faults.name = name;
    faults.way_length = length;
    memcpy(faults.way, way, length * sizeof *way);
    add(&faults.tried, sum_of(way, length));
  }
  pthread_mutex_unlock(&faults.lock);
  return is_now;
}

/* An arena's quick way asks nobody: only where a failure is being counted to does it go the slow way. */
static void count_allocations(void) { memory_fail_countdown = SIZE_MAX; }

void faults_begin(unsigned kinds) {
  void *frames[2];
  (void)backtrace(frames, 2); /* loads what it needs */
  memset(&faults.failed, 0, sizeof faults.failed);
  memset(&faults.tried, 0, sizeof faults.tried);
  faults.kinds = kinds;
  count_allocations();
}

void faults_spare(void) { is_inside = true; }

void faults_arm(void) {
  faults.has_failed = false;
  faults.is_armed = true;
}

bool faults_disarm(void) {
  faults.is_armed = false;
  return faults.has_failed;
}

void faults_note(bool was_told) {
  if (was_told) add_all(&faults.failed, faults.way, faults.way_length);
}

void faults_print(void) {
  extern const char __executable_start[];
  (void)fprintf(stderr, "# %s failed, called from", faults.name);
  for (size_t i = 0; i < faults.way_length; i++)
    (void)fprintf(stderr, " 0x%zx", (size_t)(faults.way[i] - (uintptr_t)__executable_start - 1));
  (void)fprintf(stderr, "\n");
}

/* ---- surveys ---- */

void faults_survey_new(void) {
  void *frames[2];
  (void)backtrace(frames, 2);
  memset(&faults.failed, 0, sizeof faults.failed);
  memset(&faults.tried, 0, sizeof faults.tried);
}

void faults_survey_begin(size_t from) {
  survey.seen = calloc(1, sizeof *survey.seen);
  if (survey.seen == NULL) abort();
  survey.count = 0;
  survey.from = from;
}

size_t faults_survey_end(void) {
  survey.from = 0;
  free(survey.seen);
  survey.seen = NULL;
  return survey.count;
}

size_t faults_survey_number(size_t i) { return survey.notes[i].number; }

void faults_survey_told(size_t i, bool was_told) {
  const FaultNote *note = &survey.notes[i];
  add(&faults.tried, sum_of(note->way, note->way_length));
  if (was_told) add_all(&faults.failed, note->way, note->way_length);
}

/* ---- what stands in front ---- */

#define FAULTY(kind, returned, name, parameters, arguments, failure)                                                                       \
  returned __real_##name parameters;                                                                                                       \
  returned __wrap_##name parameters;                                                                                                       \
  returned __wrap_##name parameters { return fails((kind), #name) ? (failure) : __real_##name arguments; }

FAULTY(FAULT_MEMORY, void *, memory_alloc, (size_t size), (size), NULL)
FAULTY(FAULT_MEMORY, void *, memory_realloc, (void *pointer, size_t size), (pointer, size), NULL)
/* As arenas ask: the countdown is not touched, unless it is what the test goes by. */
bool __real_memory_must_fail(void);
bool __wrap_memory_must_fail(void);
bool __wrap_memory_must_fail(void) {
  bool is_now = fails(FAULT_MEMORY, "arena_alloc");
  return faults.kinds == 0 ? __real_memory_must_fail() : is_now;
}

#define FAILED_WITH(number) (errno = (number), -1)

FAULTY(FAULT_FILES, ssize_t, read, (int file, void *bytes, size_t size), (file, bytes, size), FAILED_WITH(EIO))
FAULTY(FAULT_FILES, ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size), FAILED_WITH(ENOSPC))
FAULTY(FAULT_FILES, int, fsync, (int file), (file), FAILED_WITH(EIO))
FAULTY(FAULT_FILES, int, fchmod, (int file, mode_t mode), (file, mode), FAILED_WITH(EPERM))
FAULTY(FAULT_FILES, int, rename, (const char *from, const char *to), (from, to), FAILED_WITH(ENOSPC))
FAULTY(FAULT_FILES, int, mkdir, (const char *path, mode_t mode), (path, mode), FAILED_WITH(ENOSPC))
FAULTY(FAULT_FILES, int, mkostemp64, (char *template, int flags), (template, flags), FAILED_WITH(EMFILE))
FAULTY(FAULT_FILES, int, mkstemp64, (char *template), (template), FAILED_WITH(ENOSPC))
FAULTY(FAULT_FILES, int, link, (const char *from, const char *to), (from, to), FAILED_WITH(EMLINK))
FAULTY(FAULT_RANDOM, ssize_t, getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags), FAILED_WITH(ENOSYS))
FAULTY(FAULT_FILES, int, stat64, (const char *path, struct stat64 *ret), (path, ret), FAILED_WITH(EIO))
FAULTY(FAULT_FILES, void *, opendir, (const char *path), (path), (errno = EMFILE, NULL))
FAULTY(FAULT_FILES, void *, readdir64, (void *folder), (folder), (errno = EIO, NULL))

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...) {
  va_list args;
  va_start(args, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
  va_end(args);
  return fails(FAULT_FILES, "open") ? FAILED_WITH(EMFILE) : __real_open64(path, flags, mode);
}

/* A thread's allocations are asked about as well. */
typedef struct Beginning {
  void *(*run)(void *);
  void *context;
} Beginning;

static void *thread_begin(void *context) {
  Beginning beginning = *(Beginning *)context;
  free(context);
  count_allocations();
  return beginning.run(beginning.context);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
__attribute__((weak)) int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context) {
  if (fails(FAULT_THREADS, "pthread_create")) return EAGAIN;
  Beginning *beginning = malloc(sizeof *beginning);
  if (beginning == NULL) return EAGAIN;
  *beginning = (Beginning){run, context};
  int failed = __real_pthread_create(thread, attributes, thread_begin, beginning);
  if (failed != 0) free(beginning);
  return failed;
}

#define SQLITE(name, parameters, arguments) FAULTY(FAULT_SQLITE, int, name, parameters, arguments, SQLITE_NOMEM)
SQLITE(sqlite3_open, (const char *path, sqlite3 **ret), (path, ret))
SQLITE(sqlite3_open_v2, (const char *path, sqlite3 **ret, int flags, const char *vfs), (path, ret, flags, vfs))
SQLITE(sqlite3_exec, (sqlite3 * db, const char *sql, int (*row)(void *, int, char **, char **), void *context, char **ret_message),
       (db, sql, row, context, ret_message))
SQLITE(sqlite3_prepare_v2, (sqlite3 * db, const char *sql, int size, sqlite3_stmt **ret, const char **rest), (db, sql, size, ret, rest))
SQLITE(sqlite3_prepare_v3, (sqlite3 * db, const char *sql, int size, unsigned flags, sqlite3_stmt **ret, const char **rest),
       (db, sql, size, flags, ret, rest))

/* What a step has failed with is told once more when its statement is reset. */
static __thread sqlite3_stmt *failed_statement;
int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement) {
  if (!fails(FAULT_SQLITE, "sqlite3_step")) return __real_sqlite3_step(statement);
  failed_statement = statement;
  return SQLITE_NOMEM;
}
int __real_sqlite3_reset(sqlite3_stmt *statement);
int __wrap_sqlite3_reset(sqlite3_stmt *statement);
int __wrap_sqlite3_reset(sqlite3_stmt *statement) {
  bool has_failed = statement != NULL && statement == failed_statement;
  int result = __real_sqlite3_reset(statement);
  if (has_failed) failed_statement = NULL;
  return has_failed ? SQLITE_NOMEM : result;
}

SQLITE(sqlite3_bind_int, (sqlite3_stmt * statement, int at, int value), (statement, at, value))
SQLITE(sqlite3_bind_int64, (sqlite3_stmt * statement, int at, sqlite3_int64 value), (statement, at, value))
SQLITE(sqlite3_bind_double, (sqlite3_stmt * statement, int at, double value), (statement, at, value))
SQLITE(sqlite3_bind_null, (sqlite3_stmt * statement, int at), (statement, at))
SQLITE(sqlite3_bind_text, (sqlite3_stmt * statement, int at, const char *text, int size, void (*release)(void *)),
       (statement, at, text, size, release))
SQLITE(sqlite3_bind_text64,
       (sqlite3_stmt * statement, int at, const char *text, sqlite3_uint64 size, void (*release)(void *), unsigned char encoding),
       (statement, at, text, size, release, encoding))
SQLITE(sqlite3_bind_blob64, (sqlite3_stmt * statement, int at, const void *bytes, sqlite3_uint64 size, void (*release)(void *)),
       (statement, at, bytes, size, release))
SQLITE(sqlite3_bind_pointer, (sqlite3_stmt * statement, int at, void *pointer, const char *type, void (*release)(void *)),
       (statement, at, pointer, type, release))
typedef void SqliteCall(sqlite3_context *, int, sqlite3_value **);
SQLITE(sqlite3_create_function_v2,
       (sqlite3 * db, const char *name, int count, int flags, void *context, SqliteCall *call, SqliteCall *step,
        void (*final)(sqlite3_context *), void (*release)(void *)),
       (db, name, count, flags, context, call, step, final, release))
SQLITE(sqlite3_create_collation_v2,
       (sqlite3 * db, const char *name, int flags, void *context, int (*compare)(void *, int, const void *, int, const void *),
        void (*release)(void *)),
       (db, name, flags, context, compare, release))
SQLITE(sqlite3_create_module_v2, (sqlite3 * db, const char *name, const sqlite3_module *module, void *context, void (*release)(void *)),
       (db, name, module, context, release))
SQLITE(sqlite3_declare_vtab, (sqlite3 * db, const char *sql), (db, sql))
SQLITE(sqlite3_wal_checkpoint_v2, (sqlite3 * db, const char *name, int mode, int *ret_size, int *ret_done),
       (db, name, mode, ret_size, ret_done))

/* Of size 0 it is only looked for. */
void *__real_sqlite3_aggregate_context(sqlite3_context *context, int size);
void *__wrap_sqlite3_aggregate_context(sqlite3_context *context, int size);
void *__wrap_sqlite3_aggregate_context(sqlite3_context *context, int size) {
  return size > 0 && fails(FAULT_SQLITE, "sqlite3_aggregate_context") ? NULL : __real_sqlite3_aggregate_context(context, size);
}

FAULTY(FAULT_OPENSSL, EVP_MAC *, EVP_MAC_fetch, (OSSL_LIB_CTX * library, const char *name, const char *properties),
       (library, name, properties), NULL)
FAULTY(FAULT_OPENSSL, EVP_MAC_CTX *, EVP_MAC_CTX_new, (EVP_MAC * mac), (mac), NULL)
FAULTY(FAULT_OPENSSL, int, EVP_MAC_init, (EVP_MAC_CTX * context, const unsigned char *key, size_t length, const OSSL_PARAM params[]),
       (context, key, length, params), 0)
FAULTY(FAULT_OPENSSL, int, EVP_MAC_update, (EVP_MAC_CTX * context, const unsigned char *bytes, size_t length), (context, bytes, length), 0)
FAULTY(FAULT_OPENSSL, int, EVP_MAC_final, (EVP_MAC_CTX * context, unsigned char *out, size_t *ret_length, size_t size),
       (context, out, ret_length, size), 0)

#define POSTGRES(returned, name, parameters, arguments, failure) FAULTY(FAULT_POSTGRES, returned, name, parameters, arguments, failure)
POSTGRES(PGconn *, PQconnectStartParams, (const char *const *keywords, const char *const *values, int expand), (keywords, values, expand),
         NULL)
POSTGRES(PGconn *, PQconnectdbParams, (const char *const *keywords, const char *const *values, int expand), (keywords, values, expand),
         NULL)
POSTGRES(PostgresPollingStatusType, PQconnectPoll, (PGconn * connection), (connection), PGRES_POLLING_FAILED)
POSTGRES(PGresult *, PQexec, (PGconn * connection, const char *sql), (connection, sql), NULL)
POSTGRES(int, PQconsumeInput, (PGconn * connection), (connection), 0)
POSTGRES(int, PQenterPipelineMode, (PGconn * connection), (connection), 0)
POSTGRES(int, PQflush, (PGconn * connection), (connection), -1)
POSTGRES(int, PQpipelineSync, (PGconn * connection), (connection), 0)
POSTGRES(int, PQputCopyData, (PGconn * connection, const char *bytes, int length), (connection, bytes, length), -1)
POSTGRES(int, PQputCopyEnd, (PGconn * connection, const char *message), (connection, message), -1)
POSTGRES(int, PQsendPrepare, (PGconn * connection, const char *name, const char *sql, int count, const Oid *types),
         (connection, name, sql, count, types), 0)
POSTGRES(int, PQsendQueryParams,
         (PGconn * connection, const char *sql, int count, const Oid *types, const char *const *values, const int *lengths,
          const int *formats, int result_format),
         (connection, sql, count, types, values, lengths, formats, result_format), 0)
POSTGRES(int, PQsendQueryPrepared,
         (PGconn * connection, const char *name, int count, const char *const *values, const int *lengths, const int *formats,
          int result_format),
         (connection, name, count, values, lengths, formats, result_format), 0)
POSTGRES(int, PQsetSingleRowMode, (PGconn * connection), (connection), 0)
POSTGRES(int, PQsetnonblocking, (PGconn * connection, int is_on), (connection, is_on), -1)
POSTGRES(PGcancel *, PQgetCancel, (PGconn * connection), (connection), NULL)
