/* file.c - whole files through POSIX calls. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum { PATH_BYTES_MAX = 4096, READ_STEP_BYTES = 64 * 1024 };

static Code system_error(Error *err) {
  char text[128];
  int number = errno;
  Code code = number == ENOENT || number == ENOTDIR ? CODE_NOT_FOUND : CODE_UNAVAILABLE;
  return error_set(err, code, "%s", strerror_r(number, text, sizeof text));
}

/* A path for system calls; a NUL inside would silently name another file. */
static Code path_copy(Str path, char ret[PATH_BYTES_MAX], Error *err) {
  if (path.len >= PATH_BYTES_MAX || (path.len > 0 && memchr(path.ptr, '\0', path.len) != NULL))
    return error_set(err, CODE_UNAVAILABLE, "not a path");
  if (path.len > 0) memcpy(ret, path.ptr, path.len);
  ret[path.len] = '\0';
  return CODE_OK;
}

/* Up to end of file rather than up to the size that stat gives: pipes and /proc have none. */
static Code read_all(int fd, Buf *out, Error *err) {
  for (;;) {
    if (!buf_reserve(out, out->max - out->len < READ_STEP_BYTES ? out->max - out->len : READ_STEP_BYTES)) return error_no_memory(err);
    /* At the cap there is no room, but whether more follows must still be known. */
    char beyond;
    size_t room = out->cap - out->len;
    ssize_t got = room > 0 ? read(fd, out->ptr + out->len, room) : read(fd, &beyond, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(err);
    if (got == 0) return CODE_OK;
    if (room == 0) return error_set(err, CODE_TOO_LARGE, "larger than %zu bytes", out->max);
    out->len += (size_t)got;
  }
}

Code file_read(Str path, size_t bytes_max, Arena *arena, Str *ret, Error *err) {
  char name[PATH_BYTES_MAX];
  TRY(path_copy(path, name, err));
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(err);
  Buf bytes = buf_on_heap(bytes_max);
  Code code = read_all(fd, &bytes, err);
  close(fd);
  if (code == CODE_OK) {
    Str copy = arena_str(arena, buf_str(&bytes));
    if (copy.ptr == NULL)
      code = error_no_memory(err);
    else
      *ret = copy;
  }
  buf_done(&bytes);
  return code;
}

static bool write_all(int fd, Str bytes) {
  while (bytes.len > 0) {
    ssize_t wrote = write(fd, bytes.ptr, bytes.len);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes = (Str){bytes.ptr + wrote, bytes.len - (size_t)wrote};
  }
  return true;
}

/* The rename itself is durable only when the folder is. */
static bool sync_folder_of(char *name) {
  char *slash = strrchr(name, '/');
  if (slash != NULL) slash[slash == name ? 1 : 0] = '\0';
  int fd = open(slash == NULL ? "." : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  bool is_synced = fsync(fd) == 0;
  close(fd);
  return is_synced;
}

Code file_write(Str path, Str bytes, unsigned mode, Error *err) {
  char name[PATH_BYTES_MAX], temporary[PATH_BYTES_MAX + 8];
  TRY(path_copy(path, name, err));
  snprintf(temporary, sizeof temporary, "%s.XXXXXX", name);
  int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 from birth */
  if (fd < 0) return system_error(err);
  bool is_written = write_all(fd, bytes) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
  Code code = is_written ? CODE_OK : system_error(err);
  close(fd);
  if (code == CODE_OK && (rename(temporary, name) != 0 || !sync_folder_of(name))) code = system_error(err);
  if (code != CODE_OK) unlink(temporary);
  return code;
}
