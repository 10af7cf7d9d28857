/* vfs.c - see vfs.h. Locks and shared memory are SQLite's own protocol (https://sqlite.org/c3ref/io_methods.html), among the connections of
 * one process. */
#include "vfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "system.h"

enum { PATH_BYTES_MAX = 512, SECTOR_BYTES = 4096 };

typedef struct File {
  sqlite3_file base;
  DiskFile *disk;
  int level;
  bool is_deleted_on_close, has_regions;
  unsigned shared_regions, exclusive_regions; /* a bit each lock */
} File;

static File *file_of(sqlite3_file *base) { return (File *)(void *)base; }

/* ---- bytes ---- */

static int file_read(sqlite3_file *base, void *bytes, int len, sqlite3_int64 at) {
  size_t count = 0;
  if (disk_read(file_of(base)->disk, bytes, (size_t)len, (size_t)at, &count) != DISK_OK) return SQLITE_IOERR_READ;
  if (count == (size_t)len) return SQLITE_OK;
  memset((char *)bytes + count, 0, (size_t)len - count);
  return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 at) {
  DiskResult result = disk_write(file_of(base)->disk, (Str){bytes, (size_t)len}, (size_t)at);
  return result == DISK_OK ? SQLITE_OK : result == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
  return disk_truncate(file_of(base)->disk, (size_t)size) == DISK_OK ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int file_sync(sqlite3_file *base, int flags) {
  (void)flags;
  return disk_sync(file_of(base)->disk) == DISK_OK ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret) {
  *ret = (sqlite3_int64)disk_size(file_of(base)->disk);
  return SQLITE_OK;
}

/* ---- locks ---- */

static int lock_shared(const File *file, DiskLocks *locks) {
  (void)file;
  if (locks->writer != NULL && locks->writer_level >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
  locks->shared++;
  return SQLITE_OK;
}

static int lock_more(const File *file, DiskLocks *locks, int level) {
  if (locks->writer != NULL && locks->writer != file) return SQLITE_BUSY;
  locks->writer = file;
  locks->writer_level = level;
  if (level < SQLITE_LOCK_EXCLUSIVE || locks->shared <= 1) return SQLITE_OK;
  locks->writer_level = SQLITE_LOCK_PENDING;
  return SQLITE_BUSY;
}

static int file_lock(sqlite3_file *base, int level) {
  File *file = file_of(base);
  DiskLocks *locks = disk_locks(file->disk);
  if (file->level >= level) return SQLITE_OK;
  int result = level == SQLITE_LOCK_SHARED ? lock_shared(file, locks) : lock_more(file, locks, level);
  if (result == SQLITE_OK) file->level = level;
  return result;
}

static int file_unlock(sqlite3_file *base, int level) {
  File *file = file_of(base);
  DiskLocks *locks = disk_locks(file->disk);
  if (locks->writer == file) {
    locks->writer = NULL;
    locks->writer_level = SQLITE_LOCK_NONE;
  }
  if (file->level >= SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) locks->shared--;
  if (file->level > level) file->level = level;
  return SQLITE_OK;
}

static int file_check_reserved_lock(sqlite3_file *base, int *ret) {
  *ret = disk_locks(file_of(base)->disk)->writer != NULL;
  return SQLITE_OK;
}

/* ---- shared memory ---- */

static int shm_map(sqlite3_file *base, int region, int bytes, int extends, void volatile **ret) {
  File *file = file_of(base);
  DiskLocks *locks = disk_locks(file->disk);
  size_t wanted = (size_t)region + 1;
  if (!file->has_regions) {
    file->has_regions = true;
    locks->region_users++;
  }
  *ret = NULL;
  if (wanted > locks->region_count && !extends) return SQLITE_OK;
  if (wanted > locks->region_count) {
    locks->regions = realloc((void *)locks->regions, wanted * sizeof(char *));
    assert(locks->regions != NULL);
    for (; locks->region_count < wanted; locks->region_count++) locks->regions[locks->region_count] = calloc(1, (size_t)bytes);
  }
  *ret = locks->regions[region];
  return SQLITE_OK;
}

static bool can_lock(const File *file, const DiskLocks *locks, int i, bool is_exclusive) {
  unsigned bit = 1u << i;
  if ((file->exclusive_regions & bit) != 0) return true;
  size_t others = locks->region_locks[i].shared - ((file->shared_regions & bit) != 0 ? 1 : 0);
  return !locks->region_locks[i].is_exclusive && (!is_exclusive || others == 0);
}

static void set_lock(File *file, DiskLocks *locks, int i, bool is_exclusive) {
  unsigned bit = 1u << i;
  if (is_exclusive) {
    file->exclusive_regions |= bit;
    locks->region_locks[i].is_exclusive = true;
  } else if ((file->shared_regions & bit) == 0) {
    file->shared_regions |= bit;
    locks->region_locks[i].shared++;
  }
}

static void clear_lock(File *file, DiskLocks *locks, int i) {
  unsigned bit = 1u << i;
  if ((file->exclusive_regions & bit) != 0) locks->region_locks[i].is_exclusive = false;
  if ((file->shared_regions & bit) != 0) locks->region_locks[i].shared--;
  file->exclusive_regions &= ~bit;
  file->shared_regions &= ~bit;
}

static int shm_lock(sqlite3_file *base, int first, int count, int flags) {
  File *file = file_of(base);
  DiskLocks *locks = disk_locks(file->disk);
  bool is_exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (int i = first; i < first + count; i++) clear_lock(file, locks, i);
    return SQLITE_OK;
  }
  for (int i = first; i < first + count; i++)
    if (!can_lock(file, locks, i, is_exclusive)) return SQLITE_BUSY;
  for (int i = first; i < first + count; i++) set_lock(file, locks, i, is_exclusive);
  return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base) { (void)base; }

static int shm_unmap(sqlite3_file *base, int deletes) {
  (void)deletes; /* the last one to leave takes it away: who comes next would not believe it anyhow */
  File *file = file_of(base);
  DiskLocks *locks = disk_locks(file->disk);
  if (!file->has_regions) return SQLITE_OK;
  for (int i = 0; i < SQLITE_SHM_NLOCK; i++) clear_lock(file, locks, i);
  file->has_regions = false;
  if (--locks->region_users > 0) return SQLITE_OK;
  for (size_t i = 0; i < locks->region_count; i++) free(locks->regions[i]);
  free((void *)locks->regions);
  locks->regions = NULL;
  locks->region_count = 0;
  return SQLITE_OK;
}

/* ---- files ---- */

static int file_close(sqlite3_file *base) {
  File *file = file_of(base);
  (void)shm_unmap(base, 0);
  (void)file_unlock(base, SQLITE_LOCK_NONE);
  if (file->is_deleted_on_close) disk_delete(file->disk, true);
  return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument) {
  (void)base, (void)operation, (void)argument;
  return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base) {
  (void)base;
  return SECTOR_BYTES;
}

/* What SQLite believes of any file on Unix. */
static int file_characteristics(sqlite3_file *base) {
  (void)base;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags) {
  (void)vfs;
  File *file = file_of(base);
  DiskFile *found = name == NULL ? NULL : disk_find(name);
  if (found == NULL && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  *file = (File){.base.pMethods = &methods,
                 .disk = found == NULL ? disk_create(name) : found,
                 .is_deleted_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0};
  if (ret_flags != NULL) *ret_flags = flags;
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int is_synced) {
  (void)vfs;
  DiskFile *file = disk_find(name);
  if (file == NULL) return SQLITE_IOERR_DELETE_NOENT;
  disk_delete(file, is_synced != 0);
  return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret) {
  (void)vfs, (void)flags;
  const DiskFile *file = disk_find(name);
  *ret = file != NULL && (flags != SQLITE_ACCESS_EXISTS || disk_size(file) > 0);
  return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *ret) {
  (void)vfs;
  sqlite3_snprintf(size, ret, "%s", name);
  return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int len, char *bytes) {
  (void)vfs;
  random_fill(schedule_random(), bytes, (size_t)len);
  return len;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us) {
  (void)vfs;
  task_sleep(us);
  return us;
}

/* Milliseconds since noon in Greenwich on November 24, 4714 BC. */
static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *ret) {
  (void)vfs;
  *ret = INT64_C(210866760000000) + system_wall_us() / 1000;
  return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *ret) {
  (void)vfs, (void)size, (void)ret;
  return 0;
}

void vfs_install(void) {
  static sqlite3_vfs vfs = {.iVersion = 2,
                            .szOsFile = sizeof(File),
                            .mxPathname = PATH_BYTES_MAX,
                            .zName = "simulated",
                            .xOpen = vfs_open,
                            .xDelete = vfs_delete,
                            .xAccess = vfs_access,
                            .xFullPathname = vfs_full_path,
                            .xRandomness = vfs_random,
                            .xSleep = vfs_sleep,
                            .xGetLastError = vfs_last_error,
                            .xCurrentTimeInt64 = vfs_time};
  /* As the store does, which comes too late for it once SQLite has begun. */
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
  sqlite3_vfs_register(&vfs, 1);
}
