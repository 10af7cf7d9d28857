/* disk.h - files that remember what has reached the disk and what has not. When the power is lost, each write that was not synced is kept,
 * lost or torn by chance, whatever the others' fate. */
#pragma once
#include "base/str.h"
#include "schedule.h"

typedef struct DiskFile DiskFile;

/* One operation in so many fails; 0: none does. */
typedef struct DiskFaults {
  uint64_t read, write, full, sync;
} DiskFaults;

/* What a file's users hold of each other; forgotten when they die. */
typedef struct DiskLocks {
  size_t shared;
  const void *writer; /* who holds more than a shared lock */
  int writer_level;
  char **regions; /* of the shared memory beside the file */
  size_t region_count, region_users;
  struct {
    size_t shared;
    bool is_exclusive;
  } region_locks[8];
} DiskLocks;

typedef enum DiskResult { DISK_OK = 0, DISK_FAILED, DISK_FULL } DiskResult;

DiskFile *disk_find(const char *name);
DiskFile *disk_create(const char *name); /* NULL: a nameless one */
void disk_delete(DiskFile *file, bool is_synced);
DiskLocks *disk_locks(DiskFile *file);

size_t disk_size(const DiskFile *file);
/* How many bytes were there. */
DiskResult disk_read(const DiskFile *file, char *bytes, size_t len, size_t at, size_t *ret_len);
DiskResult disk_write(DiskFile *file, Str bytes, size_t at);
DiskResult disk_truncate(DiskFile *file, size_t size);
DiskResult disk_sync(DiskFile *file);

void disk_set_faults(const DiskFaults *faults);
/* Before the disk's n-th operation from now on, `crash` is called; 0: never. */
void disk_crash_before(uint64_t operation, TaskFn *crash, void *context);
/* The process is gone: with the power, or by itself, which leaves the system's cache as it is. */
void disk_process_died(bool power_lost);
