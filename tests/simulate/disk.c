/* disk.c - see disk.h. A file is its content as processes see it, its content as it stands on the disk, and the changes between the two. */
#include "disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that reach the disk together or not at all. */
enum { SECTOR_BYTES = 512 };

typedef struct Content {
  char *bytes;
  size_t len, cap;
} Content;

/* A write, or where `bytes` is NULL a truncation to `at`. */
typedef struct Change {
  char *bytes;
  size_t len, at;
} Change;

struct DiskFile {
  char *name;
  bool exists, exists_on_disk;
  Content now, on_disk;
  Change *changes;
  size_t change_count, change_cap;
  DiskLocks locks;
  DiskFile *next;
};

static struct {
  DiskFile *files;
  DiskFaults faults;
  uint64_t operations_left;
  TaskFn *crash;
  void *crash_context;
} disk;

/* ---- contents ---- */

static void content_resize(Content *content, size_t len) {
  if (len > content->cap) {
    content->cap = len * 2 + 4096;
    content->bytes = realloc(content->bytes, content->cap);
    assert(content->bytes != NULL);
  }
  if (len > content->len) memset(content->bytes + content->len, 0, len - content->len);
  content->len = len;
}

static void content_write(Content *content, const char *bytes, size_t len, size_t at) {
  if (at + len > content->len) content_resize(content, at + len);
  memcpy(content->bytes + at, bytes, len);
}

static void content_copy(Content *to, const Content *from) {
  content_resize(to, 0);
  if (from->len > 0) content_write(to, from->bytes, from->len, 0);
}

/* ---- changes that wait for a sync ---- */

static void change_add(DiskFile *file, const char *bytes, size_t len, size_t at) {
  if (file->change_count == file->change_cap) {
    file->change_cap = file->change_cap * 2 + 16;
    file->changes = realloc(file->changes, file->change_cap * sizeof *file->changes);
    assert(file->changes != NULL);
  }
  Change change = {.len = len, .at = at};
  if (bytes != NULL) {
    change.bytes = malloc(len + 1);
    assert(change.bytes != NULL);
    memcpy(change.bytes, bytes, len);
  }
  file->changes[file->change_count++] = change;
}

/* Each sector of a torn write has arrived, has not, or holds what was never written. */
static void apply_torn(Content *content, const Change *change) {
  Random *random = schedule_random();
  for (size_t from = 0, len; from < change->len; from += len) {
    len = SECTOR_BYTES - (change->at + from) % SECTOR_BYTES;
    if (len > change->len - from) len = change->len - from;
    uint64_t fate = random_below(random, 8);
    if (fate < 4) content_write(content, change->bytes + from, len, change->at + from);
    if (fate != 7) continue;
    char garbage[SECTOR_BYTES];
    random_fill(random, garbage, len);
    content_write(content, garbage, len, change->at + from);
  }
}

static void apply_whole(Content *content, const Change *change) {
  if (change->bytes == NULL)
    content_resize(content, change->at);
  else
    content_write(content, change->bytes, change->len, change->at);
}

static void apply_by_chance(Content *content, const Change *change) {
  uint64_t fate = random_below(schedule_random(), 3);
  if (fate == 0) return;
  if (fate == 1 || change->bytes == NULL)
    apply_whole(content, change);
  else
    apply_torn(content, change);
}

static void apply_all(DiskFile *file, void (*apply)(Content *, const Change *)) {
  for (size_t i = 0; i < file->change_count; i++) {
    apply(&file->on_disk, &file->changes[i]);
    free(file->changes[i].bytes);
  }
  file->change_count = 0;
}

/* ---- files ---- */

DiskFile *disk_find(const char *name) {
  for (DiskFile *file = disk.files; file != NULL; file = file->next)
    if (file->exists && file->name != NULL && strcmp(file->name, name) == 0) return file;
  return NULL;
}

DiskFile *disk_create(const char *name) {
  DiskFile *file = calloc(1, sizeof *file);
  assert(file != NULL);
  *file = (DiskFile){.name = name == NULL ? NULL : strdup(name), .exists = true, .next = disk.files};
  disk.files = file;
  return file;
}

void disk_delete(DiskFile *file, bool is_synced) {
  file->exists = false;
  if (is_synced) file->exists_on_disk = false;
}

DiskLocks *disk_locks(DiskFile *file) { return &file->locks; }
size_t disk_size(const DiskFile *file) { return file->now.len; }

/* ---- operations ---- */

void disk_set_faults(const DiskFaults *faults) { disk.faults = *faults; }

void disk_crash_before(uint64_t operation, TaskFn *crash, void *context) {
  disk.operations_left = operation;
  disk.crash = crash;
  disk.crash_context = context;
}

static void begin_operation(int64_t us_max) {
  if (disk.operations_left > 0 && --disk.operations_left == 0) disk.crash(disk.crash_context);
  if (task_current() != NULL && random_chance(schedule_random(), 4)) task_sleep(random_between(schedule_random(), 0, us_max));
}

static bool fails(uint64_t one_in) { return random_chance(schedule_random(), one_in); }

DiskResult disk_read(const DiskFile *file, char *bytes, size_t len, size_t at, size_t *ret_len) {
  begin_operation(100);
  if (fails(disk.faults.read)) return DISK_FAILED;
  size_t count = at >= file->now.len ? 0 : file->now.len - at < len ? file->now.len - at : len;
  if (count > 0) memcpy(bytes, file->now.bytes + at, count);
  *ret_len = count;
  return DISK_OK;
}

DiskResult disk_write(DiskFile *file, Str bytes, size_t at) {
  begin_operation(100);
  if (fails(disk.faults.full)) return DISK_FULL;
  bool has_failed = fails(disk.faults.write);
  /* What fails may have written a part. */
  if (has_failed) bytes.len = random_below(schedule_random(), bytes.len);
  content_write(&file->now, bytes.ptr, bytes.len, at);
  change_add(file, bytes.ptr, bytes.len, at);
  return has_failed ? DISK_FAILED : DISK_OK;
}

DiskResult disk_truncate(DiskFile *file, size_t size) {
  begin_operation(100);
  if (fails(disk.faults.write)) return DISK_FAILED;
  content_resize(&file->now, size);
  change_add(file, NULL, 0, size);
  return DISK_OK;
}

/* SQLite syncs the folder with a new file's first sync, and so also what was deleted before. */
static void sync_folder(void) {
  for (DiskFile *file = disk.files; file != NULL; file = file->next) file->exists_on_disk = file->exists;
}

DiskResult disk_sync(DiskFile *file) {
  begin_operation(20000);
  /* As Linux does: what could not be written is in the cache as if it had been, and no later sync tries it again. */
  if (fails(disk.faults.sync)) {
    apply_all(file, apply_by_chance);
    return DISK_FAILED;
  }
  apply_all(file, apply_whole);
  if (!file->exists_on_disk) sync_folder();
  return DISK_OK;
}

/* ---- the end of a process ---- */

static void forget_locks(DiskLocks *locks) {
  for (size_t i = 0; i < locks->region_count; i++) free(locks->regions[i]);
  free((void *)locks->regions);
  *locks = (DiskLocks){0};
}

static void lose_power(DiskFile *file) {
  apply_all(file, apply_by_chance);
  content_copy(&file->now, &file->on_disk);
  if (file->exists != file->exists_on_disk) {
    file->exists = random_chance(schedule_random(), 2) && (file->exists || disk_find(file->name) == NULL);
    file->exists_on_disk = file->exists;
  }
}

void disk_process_died(bool power_lost) {
  disk.operations_left = 0;
  for (DiskFile *file = disk.files; file != NULL; file = file->next) {
    forget_locks(&file->locks);
    if (file->name == NULL) continue;
    if (power_lost) lose_power(file);
  }
}
