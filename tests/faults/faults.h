/* faults.h - what a program asks of memory, files, threads, SQLite, libpq and OpenSSL fails, place by place. A place is an address that a
 * call returns to in our own code, and that which its caller returns to. While faults are armed, the next call whose way here holds a place
 * at which none has failed yet fails, once; who runs the same thing again and again until none fails has taken each way out of each
 * function that the thing goes through, without counting calls, on whatever threads they are made. The linker puts these functions in front
 * of the real ones (meson.build).
 *
 * What one thread does, and asks for memory in the same order each time, is surveyed instead: it runs once while the way of each
 * allocation is looked at, and then fails by counting (memory_fail_after), which costs nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum FaultKind {
  FAULT_MEMORY = 1 << 0, /* arenas, buffers, memory.h */
  FAULT_FILES = 1 << 1,  /* the C library's calls that our own code makes */
  FAULT_THREADS = 1 << 2,
  FAULT_SQLITE = 1 << 3,   /* SQLite says SQLITE_NOMEM, without having done anything */
  FAULT_POSTGRES = 1 << 4, /* libpq says that the connection is broken */
  FAULT_OPENSSL = 1 << 6,  /* OpenSSL's MACs say that they failed */
  FAULT_RANDOM = 1 << 7,   /* getrandom: identifiers stand on it without asking, secrets don't */
  FAULT_SPARSELY = 1 << 5  /* no kind: a place is its own address alone, whoever calls; where trying takes long */
} FaultKind;

/* Forgets which places have failed. `kinds`: those that fail from now on, any of FaultKind. */
void faults_begin(unsigned kinds);
/* Nothing that this thread asks for fails: it is the test's. */
void faults_spare(void);
/* Of all threads but those that are spared. An arena asks where memory_fail_countdown isn't 0: that of this thread and of those that it has
 * begun since faults_begin, unless the test begins threads itself (its own __wrap_pthread_create comes before the one here). */
void faults_arm(void);
/* No more fails. False: nothing has failed since faults_arm, as every place has had its turn. */
bool faults_disarm(void);
/* To be told after faults_disarm: whether the failure came out in the end. Where it did not, something on the way made it good, and the
 * places above it get another turn. */
void faults_note(bool was_told);
/* The call that failed last, and the addresses on its way, for addr2line. */
void faults_print(void);

/* ---- surveys of memory, by number ---- */

/* Forgets all places. */
void faults_survey_new(void);
/* Behind memory_fail_after(`from`), which does not come so far: this thread's allocations are looked at, and those are noted whose way
 * holds a place that isn't on the way of one before it, nor of one that was told. */
void faults_survey_begin(size_t from);
/* How many are noted. */
size_t faults_survey_end(void);
/* For memory_fail_after. */
size_t faults_survey_number(size_t i);
/* Whether the failure of the noted one came out in the end. Where it did not, the places above it want another: survey again. */
void faults_survey_told(size_t i, bool was_told);
